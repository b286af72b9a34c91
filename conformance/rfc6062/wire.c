/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 6062 6, the numbers on the wire; and 7, security. The golden messages are held to by models/stun. */
#include "conformance/rfc6062/rfc6062.h"

#include <string.h>

static void methods(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct line *listener = probe_listen(p, PEER1, IP_V4), *data = probe_dial(p, CLIENT1);
    struct endpoint at = line_local(listener);
    uint32_t connection;
    struct heard h = ask_connect(a->login, a->control, &at);
    probe_require(p, h.stun.type == 0x010a, "Connect success is type 0x%04x", h.stun.type);
    probe_require(p, heard_u32(&h, ATTR_CONNECTION_ID, &connection), "Connect success has no CONNECTION-ID");
    h = ask_connect(a->login, a->control, &at);
    probe_require(p, h.stun.type == 0x011a, "Connect error is type 0x%04x", h.stun.type);
    h = ask_bind(a->login, data, connection);
    probe_require(p, h.stun.type == 0x010b, "ConnectionBind success is type 0x%04x", h.stun.type);
    struct line *again = probe_dial(p, CLIENT1);
    h = line_answer(again, begin_bind(a->login, again, connection), probe_soon(p));
    probe_require(p, h.kind != HEARD_STUN || h.stun.type == 0x011b, "ConnectionBind error is type 0x%04x", h.stun.type);
    allocation_permit(a, PEER1);
    dial_relay(a, PEER1);
    h = line_hear(a->control, probe_soon(p));
    probe_require(p, h.kind == HEARD_STUN && h.stun.type == 0x001c, "ConnectionAttempt is type 0x%04x",
                  h.kind == HEARD_STUN ? h.stun.type : 0);
}

static void connection_id(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct line *listener = probe_listen(p, PEER1, IP_V4);
    struct endpoint at = line_local(listener);
    struct heard h = ask_connect(a->login, a->control, &at);
    expect_code(p, &h, 0, "a Connect to a listening peer");
    struct stun_attr id, it = {0};
    probe_require(p, stun_find(&h.stun, 0x002a, &id) && id.len == 4, "there is no attribute 0x002A of four bytes");
    struct heard bound = ask_bind(a->login, probe_dial(p, CLIENT1), load32(id.value));
    expect_code(p, &bound, 0, "a ConnectionBind with the four bytes of attribute 0x002A");
    unsigned count = 0;
    while (stun_next(&h.stun, &it))
        count += it.type == 0x002a;
    probe_require(p, count == 1, "Connect success has %u attributes 0x002A", count);
}

static void expect_error_bytes(struct probe *p, const struct heard *h, const char *bytes, const char *hex)
{
    struct stun_attr error;
    probe_require(p, h->kind == HEARD_STUN && stun_find(&h->stun, ATTR_ERROR_CODE, &error) && error.len >= 4 &&
                  memcmp(error.value, bytes, 4) == 0, "ERROR-CODE does not begin with %s", hex);
}

static void error_codes(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = allocation_connect(a, PEER1);
    struct endpoint there = line_local(pair.listener), closed = probe_closed_port(p, PEER1, IP_V4);
    struct heard h = ask_connect(a->login, a->control, &there);
    expect_error_bytes(p, &h, "\0\0\4\x2e", "00 00 04 2e (446)");
    h = line_answer(a->control, begin_connect(a->login, a->control, &closed), 45 * NS_S);
    expect_error_bytes(p, &h, "\0\0\4\x2f", "00 00 04 2f (447)");
}

static void dropped_whole(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = allocation_connect(a, PEER1);
    expect_early_bytes(a, &pair, 4 * MIB); /* implementation-defined when it is dropped whole */
}

/* How many bytes come, once it is bound, of what was sent before. */
static uint64_t kept(struct allocation *a, struct pair *pair)
{
    uint8_t buf[16 * KIB];
    uint64_t all = 0;
    pair_bind(a, pair);
    for (size_t n; (n = line_read(pair->data, buf, sizeof buf, probe_soon(a->p)));)
        all += n;
    return all;
}

/* A server that takes all and loses it breaks another rule; its memory is safe. */
static void memory_is_bounded(struct probe *p)
{
    enum { PENDING = 8 };
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    for (size_t i = 0; i < PENDING; i++) {
        struct pair pair = allocation_connect(a, PEER1);
        uint64_t taken = flood(p, pair.peer, 0);
        probe_require(p, taken < FLOOD || kept(a, &pair) < FLOOD,
                      "for a connection that nobody had bound the server kept %llu bytes", (unsigned long long)taken);
    }
    expect_served(a, "floods before the bind");
}

static const struct requirement rows[] = {
    {"6062-6.1-1", "6.1", LEVEL_STATED, WHO_SERVER | WHO_CLIENT,
     "The methods are Connect 0x00A, ConnectionBind 0x00B, ConnectionAttempt 0x00C, the last as an indication only.",
     .probe = methods},
    {"6062-6.2-1", "6.2.1", LEVEL_STATED, WHO_SERVER | WHO_CLIENT,
     "CONNECTION-ID is a 32-bit number in attribute 0x002A.", .probe = connection_id},
    {"6062-6.3-1", "6.3", LEVEL_STATED, WHO_SERVER, "446 and 447 are class 4 and numbers 46 and 47 of ERROR-CODE.",
     .probe = error_codes},
    {"6062-7-1", "7", LEVEL_MAY, WHO_SERVER,
     "A peer connection whose bytes before the bind exceed a limit may be dropped, but as a whole.",
     .probe = dropped_whole},
    {"6062-7-2", "7", LEVEL_SHOULD, WHO_SERVER,
     "What is kept for connections that are not bound has a limit that protects the server's memory.",
     .probe = memory_is_bounded, .seconds = 16},
    {"6062-7-3", "7", LEVEL_STATED, WHO_SERVER, "What STUN and TURN say on security holds here too.",
     .none = "it refers to the rows of RFC 8489 and RFC 8656, which are judged by themselves"},
};

const struct section rfc6062_wire = SECTION(rows);
