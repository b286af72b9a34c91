/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A user agent and a proxy that hear any stream on one connection, or any datagrams: nothing asserts, every message
 * that they send is one, and calls end when their timers do. The first byte chooses how INVITEs are answered,
 * and the pieces. */
#include <assert.h>
#include <string.h>

#include "models/sip/proxy.h"
#include "models/sip/ua.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct endpoint here = {.ip = {.family = IP_V4, .b = {10, 0, 0, 1}}, .port = 5061};
static const struct endpoint there = {.ip = {.family = IP_V4, .b = {10, 0, 0, 2}}, .port = 40000};

static void check_sent(struct io *io)
{
    struct io_out op;
    struct sip_msg m;
    while (io_poll(io, &op))
        if (op.op == IO_OP_SEND || op.op == IO_OP_SENDTO)
            assert(sip_parse((const char *)op.data, op.len, &m) == 0);
}

static void poll_ua(struct sip_ua *ua, unsigned how)
{
    struct sip_ua_event ev;
    while (sip_ua_poll(ua, &ev)) {
        if (ev.kind != SIP_INVITED && ev.kind != SIP_REINVITED)
            continue;
        if (how % 4 == 0)
            sip_ua_answer(ua, ev.call, "v=0\r\n");
        else if (how % 4 == 1)
            sip_ua_refuse(ua, ev.call, 488, "");
        else if (how % 4 == 2)
            sip_ua_hangup(ua, ev.call, "");
    }
}

/* Over UDP each piece is a datagram. */
static void run_ua(const uint8_t *data, size_t size, unsigned how, bool udp)
{
    struct sip_ua_config cfg = {.uri = "sip:a@b", .agent = "fuzz", .listen = {{.port = 5061}}};
    struct io *io = io_new("ua", 1);
    struct sip_ua *ua = sip_ua_new(io, 1, &cfg);
    io_id id = io_new_id(io, 1);
    sip_ua_input(ua, &(struct io_in){.event = IO_ACCEPTED, .id = id, .local = here, .remote = there});
    for (size_t at = 0, piece = 1 + how * 8; at < size; at += piece) {
        size_t n = piece < size - at ? piece : size - at;
        struct io_in in = {.event = udp ? IO_DATAGRAM : IO_DATA, .id = id, .data = data + at, .len = n};
        in.local = here;
        in.remote = there;
        sip_ua_input(ua, &in);
        poll_ua(ua, how);
        check_sent(io);
    }
    for (int i = 0; i < 2000 && sip_ua_deadline(ua) != UINT64_MAX; i++) {
        io_set_now(io, sip_ua_deadline(ua) > io_now(io) ? sip_ua_deadline(ua) : io_now(io));
        sip_ua_input(ua, &(struct io_in){.event = IO_TICK});
        poll_ua(ua, how);
        check_sent(io);
    }
    assert(sip_ua_deadline(ua) == UINT64_MAX);
    sip_ua_free(ua);
    io_free(io);
}

/* What comes in on one side goes out on the other, whose only leg takes it. */
static void run_proxy(const uint8_t *data, size_t size)
{
    struct sip_proxy_config cfg = {.side = {{.peer = "a", .listen = {.port = 1}},
                                            {.peer = "b", .listen = {.port = 2}, .single = true}},
                                   .agent = "fuzz"};
    struct io *io = io_new("p", 1);
    struct sip_proxy *p = sip_proxy_new(io, 1, &cfg);
    struct io_out op;
    io_id listener[2] = {IO_NONE, IO_NONE}, leg[2];
    sip_proxy_input(p, &(struct io_in){.event = IO_START});
    while (io_poll(io, &op))
        if (op.op == IO_OP_LISTEN)
            listener[op.local.port == 2] = op.id;
    for (int s = 0; s < 2; s++) {
        leg[s] = io_new_id(io, 1);
        sip_proxy_input(p, &(struct io_in){.event = IO_ACCEPTED,
                                           .id = leg[s],
                                           .other = listener[s],
                                           .local = here,
                                           .remote = there});
    }
    for (int s = 0; s < 2; s++)
        sip_proxy_input(p, &(struct io_in){.event = IO_DATA, .id = leg[s], .data = data, .len = size});
    check_sent(io);
    sip_proxy_free(p);
    io_free(io);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    run_ua(data + 1, size - 1, data[0], false);
    run_ua(data + 1, size - 1, data[0], true);
    run_proxy(data + 1, size - 1);
    return 0;
}
