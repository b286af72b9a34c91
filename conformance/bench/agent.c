/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conformance/bench/agent.h"

#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/ice/ice.h"
#include "models/ice/rfc4571.h"

enum { STREAMS = 8, OWNER = 1 };

struct stream {
    io_id id; /* 0: free */
    struct rfc4571 frames;
};

struct agent {
    struct io *io;
    struct endpoint listen;
    struct ice *ice;
    struct stream stream[STREAMS]; /* its number is its place */
};

struct agent *agent_new(struct io *io, const struct endpoint *listen)
{
    static const struct ice_config cfg = {.controlling = true, .tie_breaker = 7, .ufrag = AGENT_UFRAG,
                                          .pwd = AGENT_PASSWORD, .candidate_id = "agent1"};
    struct agent *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    *a = (struct agent){.io = io, .listen = *listen, .ice = ice_new(&cfg, io_rng(io, "ice"))};
    if (!a->ice) {
        free(a);
        return NULL;
    }
    struct ice_candidate c = {.foundation = "1", .component = 1, .type = ICE_HOST, .transport = ICE_TCP_PASS,
                              .priority = ice_priority(ICE_HOST, ICE_TCP_PASS, 1), .address = *listen};
    ice_add_local(a->ice, &c);
    ice_set_remote_credentials(a->ice, OTHER_UFRAG, OTHER_PASSWORD);
    return a;
}

void agent_free(struct agent *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < STREAMS; i++)
        rfc4571_free(&a->stream[i].frames);
    ice_free(a->ice);
    free(a);
}

static void accept_stream(struct agent *a, const struct io_in *in)
{
    for (uint32_t i = 0; i < STREAMS; i++)
        if (!a->stream[i].id) {
            a->stream[i].id = in->id;
            io_read(a->io, in->id, true);
            ice_incoming(a->ice, i, &in->local, &in->remote, io_now(a->io));
            return;
        }
    io_close(a->io, in->id);
}

static void stream_event(struct agent *a, uint32_t i, const struct io_in *in)
{
    struct stream *s = &a->stream[i];
    const uint8_t *p = in->data, *frame;
    size_t len = in->len, n;
    if (in->event == IO_DATA) {
        while (rfc4571_take(&s->frames, &p, &len, &frame, &n))
            ice_input(a->ice, i, frame, n, io_now(a->io));
    } else if (in->event == IO_EOF || in->event == IO_CLOSED) {
        if (in->event == IO_EOF)
            io_close(a->io, s->id);
        rfc4571_free(&s->frames);
        *s = (struct stream){0};
        ice_closed(a->ice, i, io_now(a->io));
    }
}

static void send_frames(struct agent *a)
{
    struct ice_event ev;
    while (ice_poll(a->ice, &ev)) {
        if (ev.kind != ICE_SEND || !a->stream[ev.stream].id)
            continue;
        uint8_t frame[RFC4571_HEADER + 1024];
        store16(frame, (unsigned)ev.len);
        memcpy(frame + RFC4571_HEADER, ev.data, ev.len);
        io_send(a->io, a->stream[ev.stream].id, frame, RFC4571_HEADER + ev.len, ev.label);
    }
}

static void input(void *self, const struct io_in *in)
{
    struct agent *a = self;
    if (in->event == IO_START) {
        io_listen(a->io, OWNER, &a->listen);
        ice_start(a->ice, io_now(a->io));
    } else if (in->event == IO_ACCEPTED) {
        accept_stream(a, in);
    } else {
        for (uint32_t i = 0; i < STREAMS; i++)
            if (in->id && a->stream[i].id == in->id) {
                stream_event(a, i, in);
                break;
            }
    }
    ice_timer(a->ice, io_now(a->io));
    send_frames(a);
}

static uint64_t deadline(const void *self)
{
    return ice_deadline(((const struct agent *)self)->ice);
}

const struct core_ops agent_ops = {input, deadline, NULL};
