/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/session.h"

#include <stdlib.h>

#include "models/actors/session_parts.h"

#define GATHER_TIMEOUT (3 * NS_S)
#define CHECK_TIMEOUT (30 * NS_S)
#define SILENCE (30 * NS_S)

struct session *session_new(struct io *io, unsigned owner, const struct session_config *cfg)
{
    struct session *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->io = io;
    s->owner = owner;
    s->cfg = *cfg;
    s->deadline_ns = TIME_NEVER;
    s->cfg.gather_timeout_ns = cfg->gather_timeout_ns ? cfg->gather_timeout_ns : GATHER_TIMEOUT;
    s->cfg.check_timeout_ns = cfg->check_timeout_ns ? cfg->check_timeout_ns : CHECK_TIMEOUT;
    s->cfg.silence_ns = cfg->silence_ns ? cfg->silence_ns : SILENCE;
    struct text t = text_of(s->cname, sizeof s->cname);
    text_add(&t, "%s/%s", io_name(io), cfg->name);
    struct rng rng = io_rng(io, s->cname);
    s->id = rng_u64(&rng) >> 1;
    return s;
}

void session_free(struct session *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < STREAMS; i++)
        if (s->stream[i].leg)
            s->stream[i].leg->ops->free(s->stream[i].leg);
    free(s);
}

/* ---- events ---- */

void session_tell(struct session *s, enum session_event_kind kind, const char *text)
{
    if (s->events < EVENTS)
        s->event[s->events++] = (struct session_event){kind, text};
}

bool session_poll(struct session *s, struct session_event *out)
{
    if (!s->events)
        return false;
    *out = s->event[0];
    s->events--;
    for (size_t i = 0; i < s->events; i++)
        s->event[i] = s->event[i + 1];
    return true;
}

/* ---- what is to be done ---- */

/* Described as soon as each stream is gathered, or has failed to be. */
static void describe_if_gathered(struct session *s)
{
    bool any = false;
    for (size_t i = 0; i < STREAMS; i++) {
        const struct stream *st = &s->stream[i];
        if (st->state == STREAM_WANTED && !st->gathered)
            return;
        any |= st->gathered;
    }
    enum session_work work = s->work;
    s->work = WORK_NONE;
    if (any && work != WORK_NONE)
        session_describe(s, work == WORK_ANSWER);
}

void session_settle(struct session *s)
{
    s->deadline_ns = TIME_NEVER;
    for (struct stream *st = s->stream; st < s->stream + STREAMS; st++)
        if (st->leg)
            stream_pump(s, st);
    if (s->work != WORK_NONE && !s->closed)
        describe_if_gathered(s);
    session_conclude(s);
    for (const struct stream *st = s->stream; st < s->stream + STREAMS; st++)
        if (st->leg)
            s->deadline_ns = time_min(s->deadline_ns, stream_deadline(s, st));
}

bool session_input(struct session *s, const struct io_in *in)
{
    bool ours = false;
    if (!in->id && io_now(s->io) < s->deadline_ns)
        return false;
    for (size_t i = 0; i < STREAMS && !ours; i++)
        if (s->stream[i].leg)
            ours = s->stream[i].leg->ops->input(s->stream[i].leg, in);
    if (ours || !in->id)
        session_settle(s);
    return ours;
}

uint64_t session_deadline(const struct session *s)
{
    return s->deadline_ns;
}

/* ---- what the user wants ---- */

void session_offer(struct session *s)
{
    for (unsigned medium = CALL_AUDIO; medium <= CALL_VIDEO && !s->described && !s->closed; medium <<= 1)
        if (s->cfg.media & medium && !session_stream(s, (enum call_media)medium))
            session_add_stream(s, (enum call_media)medium);
    s->work = WORK_OFFER;
    session_settle(s);
}

static void direct_all(struct session *s)
{
    for (struct stream *st = s->stream; st < s->stream + STREAMS; st++)
        if (st->leg && st->agreed)
            stream_direct(s, st);
    session_settle(s);
}

void session_mute(struct session *s, bool mute)
{
    s->muted = mute;
    direct_all(s);
}

void session_hold(struct session *s, bool hold)
{
    s->held = hold;
    direct_all(s);
}

void session_close(struct session *s)
{
    s->closed = true;
    for (struct stream *st = s->stream; st < s->stream + STREAMS; st++)
        if (st->leg && !st->ended)
            stream_end(s, st);
    session_settle(s);
}

bool session_closed(const struct session *s)
{
    for (size_t i = 0; i < STREAMS; i++)
        if (s->stream[i].leg && !s->stream[i].leg->ops->closed(s->stream[i].leg))
            return false;
    return s->closed;
}

struct media_count session_counted(const struct session *s, enum call_media medium)
{
    for (size_t i = 0; i < STREAMS; i++)
        if (s->stream[i].leg && s->stream[i].medium == medium)
            return media_counted(&s->stream[i].media);
    return (struct media_count){0};
}
