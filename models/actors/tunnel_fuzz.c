/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Both ends of a tunnel, fed with whatever: what is given out is what may come, what is sent is packets. The first byte
 * says which end, and where the rest is cut. */
#include <assert.h>
#include <stdlib.h>

#include "models/actors/tunnel.h"
#include "models/actors/tunnel_packet.h"

/* Everything that it sends can be read as SSH. */
static void check_sent(struct io *io, struct ssh_stream *s)
{
    struct io_out op;
    const uint8_t *payload;
    size_t len;
    while (io_poll(io, &op))
        if (op.op == IO_OP_SEND) {
            ssh_stream_push(s, op.data, op.len);
            while (ssh_stream_next(s, &payload, &len) == 1)
                assert(len > 0);
            assert(s->err == 0);
        }
}

static void poll_all(struct tunnel *t)
{
    struct tunnel_event ev;
    while (tunnel_poll(t, &ev)) {
        if (ev.kind == TUNNEL_UP || ev.kind == TUNNEL_DOWN)
            continue;
        assert(ev.channel < TUNNEL_CHANNELS_MAX);
        if (ev.kind == TUNNEL_DATA) {
            tunnel_send(t, ev.channel, ev.data, ev.len);
            tunnel_taken(t, ev.channel, ev.len);
        } else if (ev.kind == TUNNEL_EOF) {
            tunnel_close(t, ev.channel);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t hello[] = "SSH-2.0-f\r\n";
    if (size < 2)
        return 0;
    bool outer = data[0] & 1;
    size_t cut = data[0] >> 1;
    struct tunnel_config cfg = {.outer = outer, .at = {ip_v4(0x0a000001), 2222}, .forward = 443, .channels = 4};
    struct io *io = io_new("t", 1);
    struct tunnel *t = tunnel_new(io, 1, &cfg);
    struct ssh_stream sent = {0};
    struct io_out op;
    io_id id = IO_NONE;
    tunnel_input(t, &(struct io_in){.event = IO_START});
    while (io_poll(io, &op))
        if (op.op == IO_OP_LISTEN || op.op == IO_OP_CONNECT)
            id = op.id;
    struct io_in in = {.event = outer ? IO_ACCEPTED : IO_OPENED, .id = outer ? io_new_id(io, 1) : id, .other = id};
    id = in.id;
    tunnel_input(t, &in);
    check_sent(io, &sent);
    tunnel_input(t, &(struct io_in){.event = IO_DATA, .id = id, .data = hello, .len = sizeof hello - 1});
    for (size_t at = 1; at < size;) {
        size_t n = cut && size - at > cut ? cut : size - at;
        uint32_t channel;
        tunnel_input(t, &(struct io_in){.event = IO_DATA, .id = id, .data = data + at, .len = n});
        at += n;
        poll_all(t);
        if (outer && tunnel_is_up(t))
            tunnel_open(t, &cfg.at, &channel);
        check_sent(io, &sent);
    }
    tunnel_free(t);
    ssh_stream_free(&sent);
    io_free(io);
    return 0;
}
