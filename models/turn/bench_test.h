/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The relay on a bench, without a world: events go in by hand, what it wants is carried out at once or kept to be
 * looked at. For clients over UDP, and for what goes in and out of relays. Clients and messages: scripted_test.h. */
#ifndef TP_TURN_BENCH_TEST_H
#define TP_TURN_BENCH_TEST_H

#include "models/turn/scripted_test.h"

#define UDP "00190004 11000000 "
enum { BENCH_KEPT = 4096, BENCH_BYTES = 2048, BENCH_SOCKETS = 8192 };

struct kept {
    io_id id;
    bool datagram, lent, dont_fragment;
    struct endpoint local, remote;
    uint8_t data[BENCH_BYTES]; /* the first of len */
    size_t len;
};

struct bench {
    struct io *io;
    struct turn *turn;
    uint64_t now;
    bool room; /* lends room around what comes, as a host of real sockets does */
    struct {
        io_id id;
        enum io_op op;
        struct endpoint local;
    } sockets[BENCH_SOCKETS]; /* open */
    size_t socket_count;
    uint16_t taken[8]; /* ports that somebody else has */
    size_t taken_count;
    struct kept kept[BENCH_KEPT]; /* sent and not looked at */
    size_t kept_count;
    struct {
        io_id id; /* IO_NONE: nothing was */
        unsigned to;
        uint8_t data[BENCH_BYTES];
        size_t len;
    } given; /* the last connection that was given to another shard */
    io_id spliced[2];
    const uint8_t *event; /* the bytes of the event being handled */
    size_t event_len;
};

static inline void bench_tell(struct bench *b, struct io_in in);

static inline bool bench_taken(const struct bench *b, uint16_t port)
{
    for (size_t i = 0; i < b->taken_count; i++)
        if (b->taken[i] == port)
            return true;
    return false;
}

static inline void bench_keep(struct bench *b, const struct io_out *op)
{
    assert_true(b->kept_count < BENCH_KEPT);
    struct kept *k = &b->kept[b->kept_count++];
    *k = (struct kept){.id = op->id, .datagram = op->op == IO_OP_SENDTO, .local = op->local, .remote = op->remote,
                       .len = op->len, .dont_fragment = op->dont_fragment};
    k->lent = b->event && op->data >= b->event - IO_ROOM && op->data < b->event + b->event_len + IO_ROOM;
    memcpy(k->data, op->data, op->len < BENCH_BYTES ? op->len : BENCH_BYTES);
}

static inline void bench_close(struct bench *b, io_id id)
{
    for (size_t i = 0; i < b->socket_count; i++)
        if (b->sockets[i].id == id)
            b->sockets[i] = b->sockets[--b->socket_count];
}

static inline void bench_drain(struct bench *b)
{
    struct io_out op;
    struct io_in opened[16];
    size_t n = 0;
    while (io_poll(b->io, &op))
        if (op.op == IO_OP_LISTEN || op.op == IO_OP_UDP) {
            bool taken = bench_taken(b, op.local.port);
            assert_true(n < COUNT(opened) && b->socket_count < BENCH_SOCKETS);
            opened[n++] = (struct io_in){.event = taken ? IO_FAILED : IO_OPENED, .id = op.id, .local = op.local,
                                         .err = taken ? E_EXISTS : 0};
            if (taken)
                continue;
            b->sockets[b->socket_count].id = op.id;
            b->sockets[b->socket_count].op = op.op;
            b->sockets[b->socket_count++].local = op.local;
        } else if (op.op == IO_OP_SEND || op.op == IO_OP_SENDTO) {
            bench_keep(b, &op);
        } else if (op.op == IO_OP_CLOSE || op.op == IO_OP_ABORT) {
            bench_close(b, op.id);
        } else if (op.op == IO_OP_GIVE) {
            assert_true(op.len <= BENCH_BYTES);
            b->given.id = op.id;
            b->given.to = (unsigned)op.other;
            b->given.len = op.len;
            memcpy(b->given.data, op.data, op.len);
        } else if (op.op == IO_OP_SPLICE) {
            b->spliced[0] = op.id;
            b->spliced[1] = op.other;
        }
    b->event = NULL;
    for (size_t i = 0; i < n; i++)
        bench_tell(b, opened[i]);
}

static inline void bench_tell(struct bench *b, struct io_in in)
{
    static uint8_t buf[IO_ROOM + 65536 + IO_ROOM];
    if (in.data) {
        memcpy(buf + IO_ROOM, in.data, in.len);
        in.data = b->event = buf + IO_ROOM;
        b->event_len = in.len;
        in.room = b->room && in.event == IO_DATAGRAM ? buf + IO_ROOM : NULL;
    }
    io_set_now(b->io, b->now);
    turn_input(b->turn, &in);
    bench_drain(b);
}

static inline struct turn_config bench_config(void)
{
    struct turn_config cfg = config();
    cfg.listen_udp = &listen_at;
    cfg.listen_udp_count = 1;
    cfg.relay_ip6 = kit_ip("2001:db8::1");
    return cfg;
}

static inline struct bench *bench_with(const struct turn_config *cfg)
{
    struct bench *b = test_calloc(1, sizeof *b);
    b->io = io_new("relay", 1);
    b->turn = turn_new(b->io, 1, cfg);
    assert_non_null(b->turn);
    b->room = true;
    b->now = NS_S;
    bench_tell(b, (struct io_in){.event = IO_START});
    return b;
}

static inline struct bench *bench(void)
{
    struct turn_config cfg = bench_config();
    return bench_with(&cfg);
}

static inline void bench_free(struct bench *b)
{
    turn_free(b->turn);
    io_free(b->io);
    test_free(b);
}

/* Lets the time pass, with every tick that falls due. */
static inline void bench_until(struct bench *b, uint64_t t_ns)
{
    uint64_t at;
    while ((at = turn_deadline(b->turn)) <= t_ns) {
        b->now = at > b->now ? at : b->now;
        bench_tell(b, (struct io_in){.event = IO_TICK});
    }
    b->now = t_ns;
}

static inline io_id bench_socket(const struct bench *b, enum io_op op, const struct endpoint *at)
{
    for (size_t i = 0; i < b->socket_count; i++)
        if (b->sockets[i].op == op && endpoint_equal(&b->sockets[i].local, at))
            return b->sockets[i].id;
    return IO_NONE;
}

/* A datagram from there to a socket of ours; false: nobody listens. */
static inline bool bench_datagram(struct bench *b, const struct endpoint *from, const struct endpoint *to,
                                  const void *data, size_t len)
{
    struct io_in in = {.event = IO_DATAGRAM, .id = bench_socket(b, IO_OP_UDP, to), .local = *to, .remote = *from,
                       .data = data, .len = len};
    if (in.id)
        bench_tell(b, in);
    return in.id != IO_NONE;
}

/* The first datagram kept for that address, and no longer kept; NULL: none. Valid until the next call. */
static inline const struct kept *bench_take(struct bench *b, const struct endpoint *to)
{
    static struct kept k;
    for (size_t i = 0; i < b->kept_count; i++)
        if (b->kept[i].datagram && endpoint_equal(&b->kept[i].remote, to)) {
            k = b->kept[i];
            memmove(&b->kept[i], &b->kept[i + 1], (--b->kept_count - i) * sizeof k);
            return &k;
        }
    return NULL;
}

/* ---- clients over UDP ---- */

struct udp_client {
    struct client c; /* without a connection */
    struct endpoint at, server;
};

static inline void udp_send(struct bench *b, struct udp_client *u, const void *data, size_t len)
{
    assert_true(bench_datagram(b, &u->at, &u->server, data, len));
}

/* The code of the answer to the last request, 0 for success, -1 when there is none; other messages are thrown away. */
static inline int udp_answer(struct bench *b, struct udp_client *u)
{
    const struct kept *k;
    while ((k = bench_take(b, &u->at))) {
        assert_true(k->len <= sizeof u->c.buf);
        memcpy(u->c.buf, k->data, k->len);
        assert_true(endpoint_equal(&k->local, &u->server)); /* 8656-7.2-45, 8489-6.3.1-7 */
        if (stun_parse(&stun_rfc8489, u->c.buf, k->len, &u->c.m) == 0 && u->c.m.cls >= STUN_SUCCESS &&
            u->c.m.id.b[4] == u->c.tid)
            return code_of(&u->c);
    }
    return -1;
}

static inline int udp_ask(struct bench *b, struct udp_client *u, unsigned method, const char *attrs)
{
    uint8_t buf[1024];
    size_t n = compose(&u->c, method, attrs, buf, sizeof buf);
    udp_send(b, u, buf, n);
    return udp_answer(b, u);
}

static inline struct udp_client udp_client(struct bench *b, const char *at, const char *user)
{
    struct udp_client u = {.c.user = user, .at = kit_endpoint(at), .server = kit_endpoint(SERVER)};
    assert_int_equal(udp_ask(b, &u, TURN_ALLOCATE, UDP), 401);
    take_nonce(&u.c);
    return u;
}

static inline struct udp_client udp_allocated(struct bench *b, const char *at, const char *user,
                                              struct endpoint *relayed)
{
    struct udp_client u = udp_client(b, at, user);
    assert_int_equal(udp_ask(b, &u, TURN_ALLOCATE, UDP), 0);
    *relayed = relayed_of(&u.c);
    return u;
}

/* ---- clients over TCP ---- */

struct tcp_client {
    struct client c; /* without a connection of the pipe's */
    io_id id;
    uint8_t got[65536]; /* what came and was not looked at */
    size_t have;
};

static inline struct tcp_client tcp_connect(struct bench *b, const char *from, const char *user)
{
    struct endpoint at = kit_endpoint(SERVER);
    struct tcp_client t = {.c.user = user, .id = io_new_id(b->io, 1)};
    struct io_in in = {.event = IO_ACCEPTED, .id = t.id, .other = bench_socket(b, IO_OP_LISTEN, &at), .local = at,
                       .remote = kit_endpoint(from)};
    bench_tell(b, in);
    return t;
}

static inline void tcp_send(struct bench *b, struct tcp_client *t, const void *data, size_t len)
{
    bench_tell(b, (struct io_in){.event = IO_DATA, .id = t->id, .data = data, .len = len});
}

/* Takes what was sent to this client off what is kept. */
static inline void tcp_collect(struct bench *b, struct tcp_client *t)
{
    size_t n = 0;
    for (size_t i = 0; i < b->kept_count; i++) {
        const struct kept *k = &b->kept[i];
        if (k->datagram || k->id != t->id) {
            b->kept[n++] = *k;
            continue;
        }
        assert_true(k->len <= BENCH_BYTES && t->have + k->len <= sizeof t->got);
        memcpy(t->got + t->have, k->data, k->len);
        t->have += k->len;
    }
    b->kept_count = n;
}

/* The next message or ChannelData, whole, into buf; its length without padding, 0: none. */
static inline size_t tcp_take(struct bench *b, struct tcp_client *t, uint8_t *buf)
{
    tcp_collect(b, t);
    if (t->have < 4)
        return 0;
    size_t len = load16(t->got + 2) + (t->got[0] & 0x40 ? 4u : 20u), padded = (len + 3) & ~(size_t)3;
    assert_true(padded <= t->have); /* 12.5-2: nothing goes out in halves */
    memcpy(buf, t->got, padded);
    t->have -= padded;
    memmove(t->got, t->got + padded, t->have);
    return len;
}

static inline int tcp_ask(struct bench *b, struct tcp_client *t, unsigned method, const char *attrs)
{
    uint8_t buf[65536];
    size_t n = compose(&t->c, method, attrs, buf, 1024);
    tcp_send(b, t, buf, n);
    while ((n = tcp_take(b, t, buf))) {
        assert_true(n <= sizeof t->c.buf);
        memcpy(t->c.buf, buf, n);
        if (stun_parse(&stun_rfc8489, t->c.buf, n, &t->c.m) == 0 && t->c.m.cls >= STUN_SUCCESS &&
            t->c.m.id.b[4] == t->c.tid)
            return code_of(&t->c);
    }
    return -1;
}

/* Connected, and with an allocation of that transport. */
static inline struct tcp_client tcp_allocated(struct bench *b, const char *from, const char *transport,
                                              struct endpoint *relayed)
{
    struct tcp_client t = tcp_connect(b, from, "alice");
    assert_int_equal(tcp_ask(b, &t, TURN_ALLOCATE, transport), 401);
    take_nonce(&t.c);
    assert_int_equal(tcp_ask(b, &t, TURN_ALLOCATE, transport), 0);
    *relayed = relayed_of(&t.c);
    t.c.m.bytes = NULL; /* it is another's by now */
    return t;
}

/* ---- data ---- */

static inline const char *channel_attrs(unsigned number, const char *peer)
{
    static char s[128];
    snprintf(s, sizeof s, "%s%s", u32_attr(ATTR_CHANNEL_NUMBER, number << 16), peer_attr(peer));
    return s;
}

/* A Send indication; extra: more attributes, as hex. Its size. */
static inline size_t send_indication(uint8_t *buf, size_t cap, const char *peer, const void *data, size_t len,
                                     const char *extra)
{
    struct stun_id id = {{0x21, 0x12, 0xa4, 0x42, 9}};
    struct stun_out o;
    struct endpoint e = kit_endpoint(peer);
    stun_begin(&o, &stun_rfc8489, buf, cap, stun_type(STUN_INDICATION, TURN_SEND), &id);
    stun_put_address(&o, ATTR_XOR_PEER_ADDRESS, &e);
    stun_put(&o, ATTR_DATA, data, len);
    put_hex(&o, extra);
    long n = stun_end(&o);
    assert_true(n > 0);
    return (size_t)n;
}

static inline void udp_indicate(struct bench *b, struct udp_client *u, const char *peer, const char *text)
{
    uint8_t buf[256];
    size_t n = send_indication(buf, sizeof buf, peer, text, strlen(text), "");
    udp_send(b, u, buf, n);
}

static inline void udp_channel_data(struct bench *b, struct udp_client *u, unsigned number, const char *text)
{
    uint8_t buf[256];
    store16(buf, number);
    store16(buf + 2, (unsigned)strlen(text));
    memcpy(buf + 4, text, strlen(text));
    udp_send(b, u, buf, 4 + strlen(text));
}

/* What the peer at that address gets next is this; NULL: nothing. */
static inline bool peer_gets(struct bench *b, const char *peer, const char *text)
{
    struct endpoint e = kit_endpoint(peer);
    const struct kept *k = bench_take(b, &e);
    return k && text ? k->len == strlen(text) && memcmp(k->data, text, k->len) == 0 : !k && !text;
}

static inline void peer_sends(struct bench *b, const char *peer, const struct endpoint *relayed, const char *text)
{
    struct endpoint e = kit_endpoint(peer);
    bench_datagram(b, &e, relayed, text, strlen(text));
}

/* What the client gets next: 'c' ChannelData or 'd' a Data indication with this payload, '?' something else, 0
 * nothing. */
static inline char client_gets(struct bench *b, struct udp_client *u, const char *text)
{
    const struct kept *k = bench_take(b, &u->at);
    struct stun_msg m;
    struct stun_attr a;
    if (!k)
        return 0;
    if (k->data[0] & 0x40)
        return k->len == 4 + strlen(text) && memcmp(k->data + 4, text, strlen(text)) == 0 ? 'c' : '?';
    if (stun_parse(&stun_rfc8489, k->data, k->len, &m) || m.type != 0x0017 || !stun_find(&m, ATTR_DATA, &a))
        return '?';
    return a.len == strlen(text) && memcmp(a.value, text, a.len) == 0 ? 'd' : '?';
}

#endif
