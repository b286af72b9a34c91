/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests for the counters, in pieces, from many clients at once: each client is answered once at most, is closed
 * then, and time closes the rest. Of the input each piece has a byte of which client, and one of how long. */
#include <assert.h>
#include <string.h>

#include "models/base/time.h"
#include "sim/relay/metrics.h"

enum { CLIENTS = 24, PAGE = 2 };

static void no_counters(void *ctx, struct turn_stats *out)
{
    (void)ctx;
    memset(out, 0, sizeof *out);
}

struct page_client {
    io_id id;
    unsigned sent;
    bool ended;
};

static void drain(struct io *io, struct page_client *clients)
{
    struct io_out out;
    while (io_poll(io, &out))
        for (size_t i = 0; i < CLIENTS; i++) {
            struct page_client *c = &clients[i];
            if (!out.id || out.id != c->id)
                continue;
            assert(!c->ended); /* nothing after the end */
            c->sent += out.op == IO_OP_SEND;
            c->ended = out.op == IO_OP_CLOSE || out.op == IO_OP_ABORT;
            assert(c->sent <= PAGE);
        }
}

static void tell(struct core *core, struct page_client *clients, const struct io_in *in)
{
    core->ops->input(core->self, in);
    drain(core->io, clients);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct page_client clients[CLIENTS] = {{0}};
    struct io *io = io_new("metrics", 0);
    struct core core;
    assert(io && metrics_new(io, &(struct endpoint){.port = 9}, no_counters, NULL, &core) == 0);
    tell(&core, clients, &(struct io_in){.event = IO_START});
    for (size_t at = 0; at + 2 <= size;) {
        struct page_client *c = &clients[data[at] % CLIENTS];
        size_t len = data[at + 1] < size - at - 2 ? data[at + 1] : size - at - 2;
        at += 2;
        if (!c->id) {
            c->id = io_new_id(io, 0);
            tell(&core, clients, &(struct io_in){.event = IO_ACCEPTED, .id = c->id, .other = 1});
        }
        if (!c->ended)
            tell(&core, clients, &(struct io_in){.event = len ? IO_DATA : IO_EOF, .id = c->id, .data = data + at,
                                                 .len = len});
        at += len;
    }
    io_set_now(io, 3600 * NS_S);
    tell(&core, clients, &(struct io_in){.event = IO_TICK});
    for (size_t i = 0; i < CLIENTS; i++)
        assert(!clients[i].id || clients[i].ended);
    assert(core.ops->deadline(core.self) == TIME_NEVER);
    core.ops->free(core.self);
    io_free(io);
    return 0;
}
