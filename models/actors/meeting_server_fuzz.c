/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A Meeting Server that hears any stream as HTTP, as SIP, or as datagrams (the first byte says which, and the pieces):
 * nothing asserts, what it answers are messages, and in the end nobody is left in its conference. */
#include <assert.h>
#include <stdlib.h>

#include "models/actors/http.h"
#include "models/actors/meeting_server.h"
#include "models/base/time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HTTPS = 443, SIP_TCP = 5060, SIP_UDP = 5061 };
static const struct endpoint here = {.ip = {.family = IP_V4, .b = {10, 0, 0, 1}}, .port = 443};
static const struct endpoint there = {.ip = {.family = IP_V4, .b = {10, 0, 0, 2}}, .port = 40000};

struct world {
    struct io *io;
    struct core core;
    io_id listener[2], udp;
    struct http_stream *answers;
};

static void drain(struct world *w)
{
    struct io_out op;
    struct http_message m;
    while (io_poll(w->io, &op)) {
        if (op.op == IO_OP_LISTEN)
            w->listener[op.local.port != HTTPS] = op.id;
        if (op.op == IO_OP_UDP && op.local.port == SIP_UDP)
            w->udp = op.id;
        if (op.op != IO_OP_SEND || io_owner(op.id) != io_owner(w->listener[0]))
            continue;
        assert(http_stream_push(w->answers, op.data, op.len) == 0);
        while (http_stream_next(w->answers, &m))
            assert(m.code >= 200 && m.code < 600);
    }
}

static void input(struct world *w, const struct io_in *in)
{
    w->core.ops->input(w->core.self, in);
    drain(w);
}

static void hear(struct world *w, unsigned how, const uint8_t *data, size_t size)
{
    struct io_in in = {.event = IO_DATAGRAM, .id = w->udp, .local = here, .remote = there};
    if (how % 3) {
        in.id = io_new_id(w->io, io_owner(w->listener[how % 3 - 1]));
        in.other = w->listener[how % 3 - 1];
        in.event = IO_ACCEPTED;
        input(w, &in);
        in.event = IO_DATA;
    }
    for (size_t at = 0, piece = how % 3 ? 1 + how : size; at < size; at += piece) {
        in.data = data + at;
        in.len = piece < size - at ? piece : size - at;
        input(w, &in);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct meeting_server_config cfg = {
        .address = here.ip,
        .sip = {.port = SIP_TCP},
        .sip_udp = {.port = SIP_UDP},
        .uri = "sip:a@b",
        .turn_profile = &turn_client_plain,
        .conference = {.first_port = 50000, .last_port = 51000, .participants_max = 2, .web_keep_alive_ns = 90 * NS_S},
        .web = {.listen = {.port = HTTPS}}};
    if (size < 2)
        return 0;
    struct world w = {.io = io_new("ms", 1), .answers = http_stream_new(false)};
    assert(w.answers && meeting_server_make(w.io, &cfg, &w.core) == 0);
    input(&w, &(struct io_in){.event = IO_START});
    hear(&w, data[0], data + 1, size - 1);
    for (int i = 0; i < 2000 && w.core.ops->deadline(w.core.self) != TIME_NEVER; i++) {
        uint64_t t = w.core.ops->deadline(w.core.self);
        io_set_now(w.io, t > io_now(w.io) ? t : io_now(w.io));
        input(&w, &(struct io_in){.event = IO_TICK});
    }
    assert(w.core.ops->deadline(w.core.self) == TIME_NEVER);
    w.core.ops->free(w.core.self);
    http_stream_free(w.answers);
    io_free(w.io);
    return 0;
}
