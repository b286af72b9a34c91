/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any description, as an offer and as an answer, in each dialect; then the same bytes as a packet. What is described is
 * SDP, and all ends. */
#include <assert.h>
#include <string.h>

#include "models/actors/session.h"
#include "models/base/time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Drains the queue; the sockets that it opens are told to be open. */
static io_id drain(struct io *io, struct session *s)
{
    struct io_out op;
    io_id socket = IO_NONE, opened[2];
    size_t n = 0;
    while (io_poll(io, &op))
        if (op.op == IO_OP_UDP && n < 2)
            opened[n++] = socket = op.id;
    for (size_t i = 0; i < n; i++)
        session_input(s, &(struct io_in){.event = IO_OPENED, .id = opened[i],
                                         .local = {ip_v4(0x0a000001), (uint16_t)(50000 + i)}});
    return socket;
}

static void see(struct session *s)
{
    static struct sdp d;
    struct session_event ev;
    while (session_poll(s, &ev))
        if (ev.kind == SESSION_DESCRIBED)
            assert(sdp_parse(ev.text, strlen(ev.text), &d) == 0);
}

static void feed(struct session *s, struct io *io, io_id id, const uint8_t *data, size_t size)
{
    struct io_in in = {.event = IO_DATAGRAM, .id = id, .local = {ip_v4(0x0a000001), 50000}, .data = data, .len = size};
    in.remote = (struct endpoint){ip_v4(0x0a000002), 50000};
    for (uint64_t t = 0; t < 40 && id; t += 10) {
        io_set_now(io, t * NS_S);
        session_input(s, &in);
        session_input(s, &(struct io_in){.event = IO_TICK});
        drain(io, s);
        see(s);
    }
}

static void run(enum session_dialect dialect, bool offers, const struct sdp *d, const uint8_t *data, size_t size)
{
    struct session_config cfg = {.name = "call", .dialect = dialect, .media = CALL_AUDIO, .address = ip_v4(0x0a000001),
                                 .first_port = 50000, .last_port = 50001, .host_candidates = true,
                                 .audio = {.packets_per_s = 1, .payload_bytes = 20, .clock = 8000}};
    struct io *io = io_new("a", 1);
    struct session *s = session_new(io, 1, &cfg);
    assert(io && s);
    if (offers) {
        session_offer(s);
        feed(s, io, drain(io, s), data, 0);
        session_answered(s, d);
    } else {
        session_answer(s, d);
    }
    feed(s, io, drain(io, s), data, size);
    session_close(s);
    assert(session_closed(s) && session_deadline(s) == TIME_NEVER);
    session_free(s);
    io_free(io);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sdp d;
    if (sdp_parse((const char *)data, size, &d))
        return 0;
    for (unsigned dialect = SESSION_PLAIN; dialect <= SESSION_MICROSOFT; dialect++) {
        run((enum session_dialect)dialect, true, &d, data, size);
        run((enum session_dialect)dialect, false, &d, data, size);
    }
    return 0;
}
