/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Offer and answer (RFC 3264). */
#include <stdlib.h>
#include <string.h>

#include "models/actors/session_parts.h"
#include "models/base/err.h"

static const struct medium {
    enum call_media medium;
    const char *kind, *encoding;
} media_kinds[STREAMS] = {{CALL_AUDIO, "audio", "PCMA"}, {CALL_VIDEO, "video", "H264"}};

static const struct dialect {
    const char *proto;
    struct leg *(*make)(const struct leg *common);
} dialects[] = {
    [SESSION_PLAIN] = {"RTP/AVP", leg_plain_new},
    [SESSION_ICE] = {"RTP/AVPF", leg_ice_new},
    [SESSION_MICROSOFT] = {"RTP/AVP", leg_microsoft_new},
};

static size_t index_of(enum call_media medium)
{
    size_t i = 0;
    while (i < STREAMS && media_kinds[i].medium != medium)
        i++;
    return i;
}

struct stream *session_stream(struct session *s, enum call_media medium)
{
    size_t i = index_of(medium);
    return i < STREAMS && s->stream[i].leg ? &s->stream[i] : NULL;
}

static void put(char *out, size_t cap, const char *text)
{
    struct text t = text_of(out, cap);
    text_add(&t, "%s", text);
}

struct stream *session_add_stream(struct session *s, enum call_media medium)
{
    size_t i = index_of(medium);
    struct stream *st = &s->stream[i];
    *st = (struct stream){.state = STREAM_WANTED, .medium = medium, .heard_ns = TIME_NEVER};
    struct text t = text_of(st->name, sizeof st->name);
    text_add(&t, "%s/%s", s->cfg.name, media_kinds[i].kind);
    struct leg common = {.io = s->io, .owner = s->owner, .cfg = &s->cfg, .session = s, .name = st->name,
                         .medium = medium};
    st->leg = dialects[s->cfg.dialect].make(&common);
    if (!st->leg) {
        st->state = STREAM_FAILED;
        put(st->text, sizeof st->text, "no memory");
        return NULL;
    }
    media_init(&st->media, medium == CALL_AUDIO ? &s->cfg.audio : &s->cfg.video, media_kinds[i].kind, s->cname,
               leg_rng(st->leg, "rtp"));
    io_note(s->io, NOTE_SERVICE, "%s wanted", st->name);
    st->leg->ops->gather(st->leg);
    return st;
}

/* ---- ours ---- */

static enum sdp_direction direction(const struct session *s, const struct stream *st, bool answer)
{
    static const enum sdp_direction mirrored[] = {[SDP_DIRECTION_NONE] = SDP_SENDRECV, [SDP_SENDRECV] = SDP_SENDRECV,
                                                  [SDP_SENDONLY] = SDP_RECVONLY, [SDP_RECVONLY] = SDP_SENDONLY,
                                                  [SDP_INACTIVE] = SDP_INACTIVE};
    return s->held ? SDP_INACTIVE : answer ? mirrored[st->remote] : SDP_SENDRECV;
}

static void describe_stream(const struct session *s, const struct stream *st, bool answer, struct sdp_media *m)
{
    const struct medium *kind = &media_kinds[index_of(st->medium)];
    const struct media_config *cfg = &st->media.cfg;
    struct text t = text_of(m->rtpmap, sizeof m->rtpmap);
    text_add(&t, "%u %s/%u", cfg->payload_type, kind->encoding, (unsigned)cfg->clock);
    put(m->cname, sizeof m->cname, st->media.cname);
    m->ssrc = st->media.ssrc;
    m->direction = direction(s, st, answer);
    st->leg->ops->describe(st->leg, m);
}

static bool is_usable(const struct stream *st)
{
    return st->leg && st->gathered && !st->ended && st->state != STREAM_FAILED;
}

/* The lines of an offer; an answer repeats those of the offer that it answers. */
static void offer_lines(struct session *s)
{
    for (struct stream *st = s->stream; st < s->stream + STREAMS; st++) {
        if (!st->leg)
            continue;
        struct offered *l = &s->line[s->lines++];
        *l = (struct offered){.stream = st};
        put(l->kind, sizeof l->kind, media_kinds[index_of(st->medium)].kind);
        put(l->proto, sizeof l->proto, dialects[s->cfg.dialect].proto);
        struct text t = text_of(l->formats, sizeof l->formats), mid = text_of(l->mid, sizeof l->mid);
        text_add(&t, "%u", st->media.cfg.payload_type);
        text_add(&mid, "%zu", s->lines);
    }
}

void session_describe(struct session *s, bool answer)
{
    struct sdp *d = &s->own;
    *d = (struct sdp){.user = "-", .session = s->id, .version = ++s->version, .ip = s->cfg.address};
    if (!s->lines)
        offer_lines(s);
    for (size_t i = 0; i < s->lines; i++) {
        const struct offered *l = &s->line[i];
        struct sdp_media *m = &d->media[d->media_count++];
        m->ip = s->cfg.address;
        put(m->kind, sizeof m->kind, l->kind);
        put(m->proto, sizeof m->proto, l->proto);
        put(m->formats, sizeof m->formats, l->formats);
        put(m->mid, sizeof m->mid, l->mid);
        if (l->stream && is_usable(l->stream))
            describe_stream(s, l->stream, answer, m);
    }
    struct text t = text_of(s->sdp, sizeof s->sdp);
    sdp_write(d, &t);
    s->described = true;
    session_tell(s, SESSION_DESCRIBED, s->sdp);
}

/* ---- theirs ---- */

/* Of the list of formats the first, if it is a payload type; else ours. */
static uint8_t payload_type(const struct sdp_media *m, uint8_t ours)
{
    char *end;
    unsigned long n = strtoul(m->formats, &end, 10);
    return end == m->formats || n > 127 ? ours : (uint8_t)n;
}

static const struct medium *medium_of(const struct session *s, const struct sdp_media *m)
{
    for (size_t i = 0; i < STREAMS; i++)
        if (strcmp(media_kinds[i].kind, m->kind) == 0 && s->cfg.media & media_kinds[i].medium)
            return &media_kinds[i];
    return NULL;
}

/* The stream for a line of an offer: the one there is, or a new one for a medium that it wants. */
static struct stream *stream_for(struct session *s, const struct sdp_media *m)
{
    const struct medium *kind = medium_of(s, m);
    if (!kind || !m->port)
        return NULL;
    struct stream *st = session_stream(s, kind->medium);
    return st ? st : s->described ? NULL : session_add_stream(s, kind->medium);
}

static bool take_line(struct session *s, struct stream *st, const struct sdp_media *m)
{
    if (st->leg->ops->set_remote(st->leg, m))
        return false;
    st->media.cfg.payload_type = payload_type(m, st->media.cfg.payload_type);
    stream_agree(s, st, m);
    return true;
}

static bool is_taken(const struct session *s, const struct sdp *offer)
{
    bool any = false;
    for (size_t i = 0; i < offer->media_count; i++)
        any |= offer->media[i].port && medium_of(s, &offer->media[i]);
    return any;
}

static bool has_line(const struct session *s, const struct stream *st)
{
    for (size_t i = 0; i < s->lines; i++)
        if (s->line[i].stream == st)
            return true;
    return false;
}

static void keep_line(struct session *s, const struct sdp_media *m)
{
    struct stream *st = stream_for(s, m);
    bool free = st && !st->ended && !has_line(s, st);
    struct offered *l = &s->line[s->lines++];
    *l = (struct offered){.stream = free ? st : NULL};
    memcpy(l->kind, m->kind, sizeof l->kind);
    memcpy(l->proto, m->proto, sizeof l->proto);
    memcpy(l->formats, m->formats, sizeof l->formats);
    memcpy(l->mid, m->mid, sizeof l->mid);
}

int session_answer(struct session *s, const struct sdp *offer)
{
    if (!is_taken(s, offer))
        return E_UNSUPPORTED;
    bool any = false;
    s->lines = 0;
    for (size_t i = 0; i < offer->media_count; i++) {
        keep_line(s, &offer->media[i]);
        struct stream *st = s->line[i].stream;
        bool taken = st && take_line(s, st, &offer->media[i]);
        if (st && !taken)
            stream_fail(s, st, "the offer has no address that can be used");
        any |= taken;
    }
    for (struct stream *st = s->stream; st < s->stream + STREAMS; st++)
        if (st->agreed && !st->ended && !has_line(s, st))
            stream_end(s, st);
    s->work = any ? WORK_ANSWER : WORK_NONE;
    session_settle(s);
    return any ? 0 : E_UNSUPPORTED;
}

int session_answered(struct session *s, const struct sdp *answer)
{
    bool any = false;
    for (size_t i = 0; i < s->lines; i++) {
        struct stream *st = s->line[i].stream;
        const struct sdp_media *m = i < answer->media_count ? &answer->media[i] : NULL;
        if (!st || st->ended)
            continue;
        if (m && m->port && take_line(s, st, m)) {
            any = true;
            continue;
        }
        stream_fail(s, st, m && m->port ? "the answer has no address that can be used" : "the other end refused it");
        stream_end(s, st);
    }
    session_settle(s);
    return any ? 0 : E_UNSUPPORTED;
}
