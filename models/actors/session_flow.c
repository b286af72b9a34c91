/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "models/actors/session_parts.h"
#include "models/base/err.h"

/* ---- who sends, who is expected to ---- */

static bool takes(enum sdp_direction d)
{
    return d != SDP_SENDONLY && d != SDP_INACTIVE;
}

static bool sends(enum sdp_direction d)
{
    return d != SDP_RECVONLY && d != SDP_INACTIVE;
}

static bool is_flowing(const struct stream *st)
{
    return st->state == STREAM_UP || st->state == STREAM_DEGRADED;
}

/* The other end is to be heard, if only by its reports. */
static bool is_expected(const struct session *s, const struct stream *st)
{
    return !s->held && sends(st->remote) && !st->media.peer_bye;
}

static bool is_sending(const struct stream *st)
{
    return st->media.sending && st->media.cfg.packets_per_s;
}

void stream_direct(struct session *s, struct stream *st)
{
    media_send(&st->media, !s->muted && !s->held && takes(st->remote), io_now(s->io));
    st->expect_ns = io_now(s->io);
}

/* ---- services ---- */

static void note(struct session *s, const struct stream *st, const char *state, const char *text)
{
    io_note(s->io, NOTE_SERVICE, "%s %s%s%s", st->name, state, *text ? " " : "", text);
}

static void copy(char *out, const char *text)
{
    struct text t = text_of(out, LEG_TEXT);
    text_add(&t, "%s", text);
}

void stream_fail(struct session *s, struct stream *st, const char *text)
{
    bool was_up = is_flowing(st);
    if (st->state != STREAM_WANTED && !was_up)
        return;
    copy(st->text, text);
    st->state = was_up ? STREAM_LOST : STREAM_FAILED;
    note(s, st, was_up ? "lost" : "failed", st->text);
}

static void result(struct session *s, const struct stream *st, const char *what, int64_t n)
{
    io_note(s->io, NOTE_RESULT, "%s.%s=%lld", st->name, what, (long long)n);
}

static void note_results(struct session *s, const struct stream *st)
{
    struct media_count c = media_counted(&st->media);
    result(s, st, "sent", (int64_t)c.sent);
    result(s, st, "received", (int64_t)c.received);
    result(s, st, "lost", c.lost);
    result(s, st, "late", (int64_t)c.late);
    result(s, st, "duplicates", (int64_t)c.duplicates);
    result(s, st, "of_another_call", (int64_t)c.foreign);
    if (c.first_ns != TIME_NEVER)
        result(s, st, "first_packet_ms", (int64_t)(c.first_ns / NS_MS));
    if (c.round_trip_ns)
        result(s, st, "round_trip_us", (int64_t)(c.round_trip_ns / NS_US));
}

void stream_end(struct session *s, struct stream *st)
{
    struct media_count c = media_counted(&st->media);
    if (st->state == STREAM_WANTED)
        stream_fail(s, st, "ended before it came up");
    if (st->agreed)
        note_results(s, st);
    if (is_flowing(st)) {
        struct text t = text_of(st->text, sizeof st->text);
        text_add(&t, "sent %llu, received %llu, lost %lld", (unsigned long long)c.sent,
                 (unsigned long long)c.received, (long long)c.lost);
        note(s, st, "done", st->text);
    }
    if (st->connected) {
        const uint8_t *packet;
        size_t len;
        media_bye(&st->media);
        while ((len = media_next(&st->media, io_now(s->io), &packet)) != 0)
            st->leg->ops->send(st->leg, packet, len);
    }
    st->leg->ops->close(st->leg);
    st->ended = true;
    if (is_flowing(st))
        st->state = STREAM_OFF;
}

/* ---- what has become of it ---- */

/* The later of what was last seen and when it could be expected; never seen: the latter. */
static uint64_t since(uint64_t seen_ns, uint64_t expected_ns)
{
    return seen_ns == TIME_NEVER || seen_ns < expected_ns ? expected_ns : seen_ns;
}

static uint64_t silent_at(const struct session *s, const struct stream *st)
{
    return is_expected(s, st) ? since(st->heard_ns, st->expect_ns) + s->cfg.silence_ns : TIME_NEVER;
}

/* Reports come, and for too long none has told of what we send. */
static bool is_unreached(const struct session *s, const struct stream *st)
{
    const struct media_count *c = &st->media.count;
    return is_expected(s, st) && is_sending(st) && c->report_ns != TIME_NEVER &&
           c->report_ns >= since(c->reached_ns, st->expect_ns) + s->cfg.silence_ns;
}

static uint64_t judged_at(const struct session *s, const struct stream *st)
{
    if (!st->agreed)
        return TIME_NEVER;
    if (st->state == STREAM_WANTED && st->connected)
        return st->agreed_ns + s->cfg.check_timeout_ns;
    return is_flowing(st) ? silent_at(s, st) : TIME_NEVER;
}

static void come_up(struct session *s, struct stream *st, bool no_rtcp)
{
    bool degraded = no_rtcp || st->worse;
    st->no_rtcp = no_rtcp;
    st->state = degraded ? STREAM_DEGRADED : STREAM_UP;
    struct text t = text_of(st->text, sizeof st->text);
    text_add(&t, "%s%s", st->how, no_rtcp ? ", but no RTCP comes" : "");
    note(s, st, degraded ? "degraded" : "up", st->text);
}

static void fail_silent(struct session *s, struct stream *st, const char *nothing)
{
    char text[LEG_TEXT];
    struct text t = text_of(text, sizeof text);
    text_add(&t, "%s ", nothing);
    st->leg->ops->describe_silence(st->leg, &t);
    stream_fail(s, st, text);
}

static void judge_wanted(struct session *s, struct stream *st, bool late)
{
    bool heard = st->heard_ns != TIME_NEVER, reached = st->media.count.reached_ns != TIME_NEVER;
    if (heard && (reached || !is_sending(st)))
        come_up(s, st, false);
    else if (late && st->media.count.foreign && !heard)
        stream_fail(s, st, "all that comes is data of another call");
    else if (late && !heard)
        fail_silent(s, st, st->media.count.reports ? "reports come, but no media" : "nothing comes");
    else if (late && st->media.count.reports)
        stream_fail(s, st, "the other end gets nothing of ours");
    else if (late)
        come_up(s, st, true);
}

static void judge_flowing(struct session *s, struct stream *st)
{
    char text[LEG_TEXT];
    struct text t = text_of(text, sizeof text);
    unsigned long long seconds = s->cfg.silence_ns / NS_S;
    if (io_now(s->io) >= silent_at(s, st)) {
        text_add(&t, "nothing has come for %llu s", seconds);
        fail_silent(s, st, text);
    } else if (is_unreached(s, st)) {
        text_add(&t, "the other end has had nothing of ours for %llu s", seconds);
        stream_fail(s, st, text);
    }
}

static void judge(struct session *s, struct stream *st)
{
    if (!st->agreed || !st->connected)
        return;
    bool late = io_now(s->io) >= judged_at(s, st);
    if (st->state == STREAM_WANTED)
        judge_wanted(s, st, late);
    else if (is_flowing(st) && (late || is_unreached(s, st)))
        judge_flowing(s, st);
    else if (st->no_rtcp && st->media.count.reached_ns != TIME_NEVER)
        come_up(s, st, false);
}

/* ---- packets ---- */

static void refused(struct session *s, struct stream *st, const struct leg_event *ev, int err, const char *why)
{
    char from[ENDPOINT_TEXT];
    bool *told = err == E_INTEGRITY ? &st->told_foreign : &st->told_malformed;
    if (*told)
        return;
    *told = true;
    if (err == E_INTEGRITY)
        io_fail(s->io, &ev->remote, "%s: %s, from %s", st->name, why, endpoint_text(&ev->remote, from));
    else
        io_note(s->io, NOTE_HINT, "%s: a packet from %s is dropped: %s", st->name,
                endpoint_text(&ev->remote, from), why);
}

static void packet(struct session *s, struct stream *st, const struct leg_event *ev)
{
    const char *why;
    if (!st->agreed)
        return;
    int err = media_input(&st->media, ev->data, ev->len, io_now(s->io), &why);
    if (err) {
        refused(s, st, ev, err, why);
        return;
    }
    if (!st->media.missing || !rtp_is_rtcp(ev->data, ev->len)) /* reports of media that do not come are nothing */
        st->heard_ns = io_now(s->io);
    st->leg->ops->confirm(st->leg);
}

static void leg_event(struct session *s, struct stream *st, const struct leg_event *ev)
{
    switch (ev->kind) {
    case LEG_GATHERED:
        st->gathered = true;
        break;
    case LEG_UP:
        copy(st->how, ev->text);
        st->worse = ev->degraded;
        st->connected = true;
        media_start(&st->media, io_now(s->io));
        stream_direct(s, st);
        break;
    case LEG_PACKET:
        packet(s, st, ev);
        break;
    case LEG_FAILED:
    case LEG_LOST:
        stream_fail(s, st, ev->text);
        break;
    }
}

static void send_due(struct session *s, struct stream *st)
{
    const uint8_t *bytes;
    size_t len;
    while (st->connected && media_deadline(&st->media) <= io_now(s->io))
        if ((len = media_next(&st->media, io_now(s->io), &bytes)) != 0)
            st->leg->ops->send(st->leg, bytes, len);
}

void stream_pump(struct session *s, struct stream *st)
{
    struct leg_event ev;
    while (st->leg->ops->poll(st->leg, &ev))
        if (!st->ended)
            leg_event(s, st, &ev);
    if (st->ended)
        return;
    judge(s, st);
    send_due(s, st);
}

uint64_t stream_deadline(const struct session *s, const struct stream *st)
{
    uint64_t at = st->leg->ops->deadline(st->leg);
    if (st->ended)
        return at;
    at = time_min(at, judged_at(s, st));
    return st->connected ? time_min(at, media_deadline(&st->media)) : at;
}

/* ---- the session as a whole ---- */

void session_conclude(struct session *s)
{
    const struct stream *flowing = NULL, *failed = NULL, *lost = NULL;
    for (const struct stream *st = s->stream; st < s->stream + STREAMS; st++) {
        if (st->state == STREAM_WANTED)
            return;
        flowing = is_flowing(st) ? st : flowing;
        failed = st->state == STREAM_FAILED && !failed ? st : failed;
        lost = st->state == STREAM_LOST && !lost ? st : lost;
    }
    if (s->over || s->closed)
        return;
    if (flowing && !s->up) {
        s->up = true;
        session_tell(s, SESSION_UP, "");
    } else if (!flowing && (lost || failed)) {
        s->over = true;
        session_tell(s, s->up ? SESSION_LOST : SESSION_FAILED, lost ? lost->text : failed->text);
    }
}

void stream_agree(struct session *s, struct stream *st, const struct sdp_media *m)
{
    st->remote = m->direction;
    if (!st->agreed) {
        st->agreed = true;
        st->agreed_ns = io_now(s->io);
        media_set_peer(&st->media, m->cname, m->ssrc);
    }
    stream_direct(s, st);
}
