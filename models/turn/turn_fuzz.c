/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The relay and the client fed by bytes that nobody has checked. The relay has a control connection that went through
 * the 401 round, three more, UDP clients, and peers; the input is a list of steps: which connection or socket, what
 * happens, how many bytes. Requests can be signed here, else nothing behind the credentials would be reached. The
 * length of the input decides on the relay's profile, and on how the client goes to it for what. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "models/stun/stun.h"
#include "models/turn/turn.h"
#include "models/turn/turn_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CONNS = 64, LISTENER = 1 };

struct world {
    struct io *io;
    struct turn *turn;
    struct turn_client *client;
    io_id ids[CONNS], listeners[CONNS]; /* what can be told about */
    bool opening[CONNS];
    io_id sockets[CONNS]; /* UDP: the relay's listener is the first, then relays, and the client's */
    size_t count, listener_count, socket_count;
    char nonce[100];      /* the last that was handed out */
    uint32_t connection;  /* and CONNECTION-ID */
    struct stun_id asked; /* the client's last request */
    uint16_t asked_method;
    uint64_t now;
};

static void tell(struct world *w, const struct io_in *in);

static void remember(struct world *w, io_id id, bool opening)
{
    w->opening[w->count % CONNS] = opening;
    w->ids[w->count++ % CONNS] = id;
}

/* What a request needs that comes after this message. */
static void learn(struct world *w, const struct io_out *op)
{
    struct stun_msg m;
    const char *s;
    size_t len;
    if (stun_parse(&stun_rfc8489, op->data, op->len, &m))
        return;
    if (stun_get_text(&m, ATTR_NONCE, &s, &len) == 0 && len < sizeof w->nonce) {
        memcpy(w->nonce, s, len);
        w->nonce[len] = '\0';
    }
    stun_get_u32(&m, ATTR_CONNECTION_ID, &w->connection);
    if (io_owner(op->id) == 2) {
        w->asked = m.id;
        w->asked_method = m.method;
    }
}

/* Carries out what was asked for: a listener opens, or fails when its port is odd; connects are left open. */
static void drain(struct world *w)
{
    struct io_out op;
    struct io_in opened[32];
    size_t n = 0;
    while (io_poll(w->io, &op)) {
        if (op.op == IO_OP_LISTEN || op.op == IO_OP_UDP) {
            if (op.op == IO_OP_LISTEN)
                w->listeners[w->listener_count++ % CONNS] = op.id;
            else
                w->sockets[w->socket_count++ % CONNS] = op.id;
            if (n < 32)
                opened[n++] = (struct io_in){.event = op.local.port % 4 == 3 ? IO_FAILED : IO_OPENED, .id = op.id,
                                             .err = E_EXISTS, .local = op.local};
        } else if (op.op == IO_OP_CONNECT) {
            remember(w, op.id, true);
        } else if (op.op == IO_OP_SEND || op.op == IO_OP_SENDTO) {
            learn(w, &op);
        }
    }
    for (size_t i = 0; i < n; i++)
        tell(w, &opened[i]);
}

static void tell(struct world *w, const struct io_in *in)
{
    struct turn_client_event ev;
    io_set_now(w->io, w->now);
    if (io_owner(in->id) == 2) {
        turn_client_input(w->client, in);
        while (turn_client_poll(w->client, &ev))
            if (ev.kind == TURN_CLIENT_INCOMING)
                turn_client_accept(w->client, ev.connection);
            else if (ev.kind == TURN_CLIENT_ALLOCATED)
                turn_client_channel(w->client, &(struct endpoint){{IP_V4, {203, 0, 113, 9}}, 1000});
            else if (ev.kind == TURN_CLIENT_DATAGRAM)
                turn_client_send(w->client, &ev.peer, ev.bytes, ev.bytes_len);
    } else {
        turn_input(w->turn, in);
    }
    drain(w);
    struct turn_stats st;
    turn_stats(w->turn, &st);
    assert(st.clients <= 4 && st.allocations <= 2 && st.pending + st.bound <= 4);
    assert(st.permissions <= 4 && st.channels <= 4 && st.reservations <= 2);
}

static void accept_on(struct world *w, io_id listener, unsigned port)
{
    struct endpoint remote = {{IP_V4, {203, 0, 113, 9}}, (uint16_t)port}, local = {{IP_V4, {192, 0, 2, 1}}, 3478};
    io_id id = io_new_id(w->io, io_owner(listener));
    remember(w, id, false);
    struct io_in in = {.event = IO_ACCEPTED, .id = id, .other = listener, .local = local, .remote = remote};
    tell(w, &in);
}

/* The fuzzer's attributes in an answer to the client's last request; an odd kind is not signed. */
static size_t reply(struct world *w, unsigned kind, const uint8_t *attrs, size_t len, uint8_t *buf, size_t cap)
{
    struct stun_out o;
    uint8_t key[16];
    uint16_t type = stun_type(kind & 2 ? STUN_ERROR : STUN_SUCCESS, w->asked_method);
    stun_begin(&o, &stun_rfc8489, buf, cap, type, &w->asked);
    write_bytes(&o.w, attrs, len & ~(size_t)3);
    stun_long_term_key("u", "r", "p", key);
    if (!(kind & 1))
        stun_put_integrity(&o, key, sizeof key, false);
    long n = stun_end(&o);
    return n < 0 ? 0 : (size_t)n;
}

/* The fuzzer's attributes in a request of the fuzzer's method, with credentials that hold. */
static size_t sign(struct world *w, unsigned method, const uint8_t *attrs, size_t len, uint8_t *buf, size_t cap)
{
    struct stun_id id = {{0x21, 0x12, 0xa4, 0x42, 1}};
    struct stun_out o;
    uint8_t key[16];
    stun_begin(&o, &stun_rfc8489, buf, cap, stun_type(STUN_REQUEST, method), &id);
    if (method == TURN_CONNECTION_BIND)
        stun_put_u32(&o, ATTR_CONNECTION_ID, w->connection);
    write_bytes(&o.w, attrs, len & ~(size_t)3);
    stun_put_text(&o, ATTR_USERNAME, "u");
    stun_put_text(&o, ATTR_REALM, "r");
    stun_put_text(&o, ATTR_NONCE, w->nonce);
    stun_long_term_key("u", "r", "p", key);
    stun_put_integrity(&o, key, sizeof key, false);
    long n = stun_end(&o);
    return n < 0 ? 0 : (size_t)n;
}

/* To one of the UDP sockets, from one of few addresses; in room of its own, as a host of real sockets gives it. */
static void datagram(struct world *w, uint8_t what, uint8_t which, const uint8_t *bytes, size_t len)
{
    static const struct endpoint server = {{IP_V4, {192, 0, 2, 1}}, 3478};
    uint8_t room[IO_ROOM + 512 + IO_ROOM];
    struct io_in in = {.event = IO_DATAGRAM, .id = w->sockets[(which >> 2) % w->socket_count % CONNS], .local = server,
                       .remote = {{IP_V4, {203, 0, 113, 9}}, (uint16_t)(1000 + which % 4)}};
    bool client = io_owner(in.id) == 2;
    if (client)
        in.remote = server;
    if (what & 4) {
        in.event = IO_ICMP;
        in.icmp = (struct io_icmp){len > 0 ? bytes[0] : 3, len > 1 ? bytes[1] : 3, 0};
    } else if (what & 2) {
        in.len = client ? reply(w, len ? bytes[0] : 0, bytes, len, room + IO_ROOM, 512)
                        : sign(w, len ? bytes[0] & 0x0f : 0, bytes + (len != 0), len - (len != 0), room + IO_ROOM, 512);
    } else {
        in.len = len;
        memcpy(room + IO_ROOM, bytes, len);
    }
    in.data = in.event == IO_DATAGRAM ? room + IO_ROOM : NULL;
    in.room = what & 1 ? room + IO_ROOM : NULL;
    tell(w, &in);
}

static void step(struct world *w, uint8_t what, uint8_t which, const uint8_t *bytes, size_t len)
{
    static const enum io_event events[] = {IO_EOF, IO_BLOCKED, IO_WRITABLE, IO_CLOSED};
    uint8_t buf[512];
    size_t at = which % (w->count < CONNS ? w->count : CONNS);
    struct io_in in = {.id = w->ids[at]};
    if (what < 0x60) {
        in.event = IO_DATA;
        in.data = bytes;
        in.len = len;
    } else if (what < 0xc0) {
        in.event = IO_DATA;
        in.data = buf;
        in.len = io_owner(in.id) == 2 ? reply(w, what & 0x0f, bytes, len, buf, sizeof buf)
                                      : sign(w, what & 0x0f, bytes, len, buf, sizeof buf);
    } else if (what < 0xd0) {
        accept_on(w, w->listeners[which % (w->listener_count < CONNS ? w->listener_count : CONNS)], 1000u + what);
        return;
    } else if (what < 0xf0) {
        in.event = w->opening[at] ? what & 1 ? IO_FAILED : IO_OPENED : events[what % 4];
        in.err = w->opening[at] ? E_REFUSED : E_RESET;
        w->opening[at] = false;
    } else if (what >= 0xf8) {
        datagram(w, what, which, bytes, len);
        return;
    } else {
        w->now += (uint64_t)which * NS_S;
        in.event = IO_TICK;
        in.id = what & 1 ? (io_id)2 << IO_OWNER_SHIFT : IO_NONE;
    }
    tell(w, &in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct turn_user users[] = {{"u", "p"}};
    static const struct ip_addr relay_ip = {IP_V4, {192, 0, 2, 1}};
    static const struct endpoint server = {{IP_V4, {192, 0, 2, 1}}, 3478};
    struct turn_config cfg = {
        .profile = size & 1 ? &turn_strict : &turn_expressway, .realm = "r", .users = users, .user_count = 1,
        .listen = &server, .listen_count = 1, .relay_ip4 = relay_ip, .first_port = 5000, .last_port = 5007,
        .limits = {.clients = 4, .allocations = 2, .permissions = 2, .channels = 2, .peers = 2, .user_allocations = 2,
                   .max_lifetime_s = 3600},
        .listen_udp = &server, .listen_udp_count = 1, .relay_ip6 = {IP_V6, {0x20, 0x01, 0x0d, 0xb8}},
        .dont_fragment = size & 1,
    };
    struct turn_client_config client = {.profile = &turn_client_meeting_server, .server = server, .user = "u",
                                        .password = "p", .udp_relay = size & 2, .over_udp = (size & 6) == 6};
    struct world w = {.io = io_new("fuzz", 1)};
    w.turn = turn_new(w.io, 1, &cfg);
    w.client = turn_client_new(w.io, 2, &client);
    tell(&w, &(struct io_in){.event = IO_START, .id = (io_id)LISTENER << IO_OWNER_SHIFT});
    turn_client_start(w.client);
    drain(&w);
    if (!client.over_udp)
        step(&w, 0xd0, 0, NULL, 0); /* the client is connected */
    for (unsigned i = 0; i < 4; i++)
        accept_on(&w, w.listeners[0], 2000 + i);
    uint8_t bare[20] = {0, 3, 0, 0, 0x21, 0x12, 0xa4, 0x42};
    tell(&w, &(struct io_in){.event = IO_DATA, .id = w.ids[w.count - 4], .data = bare, .len = sizeof bare});
    for (size_t at = 0; at + 3 <= size;) {
        size_t len = data[at + 2] < size - at - 3 ? data[at + 2] : size - at - 3;
        step(&w, data[at], data[at + 1], data + at + 3, len);
        at += 3 + len;
    }
    turn_client_free(w.client);
    turn_free(w.turn);
    io_free(w.io);
    return 0;
}
