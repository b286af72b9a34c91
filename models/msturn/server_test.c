/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The relay alone in the pipe's world, spoken to byte by byte, with raw peers on its other side. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/msturn/framing.h"
#include "models/msturn/msturn.h"
#include "models/testkit/pipe.h"
#include "models/testkit/testkit.h"

#define EDGE_IP "192.168.1.252"
#define EDGE EDGE_IP ":443"
#define CLIENT_IP "172.16.0.5"
#define PEER "203.0.113.1:7000"
#define DELAY (10 * NS_MS)

struct world {
    struct pipe *p;
    struct ms_turn_server_config cfg;
    struct endpoint listen;
    struct ms_turn_server *server;
    struct core core;
};

static void server_input(void *self, const struct io_in *in)
{
    ms_turn_server_input(((struct world *)self)->server, in);
}

static uint64_t server_deadline(const void *self)
{
    return ms_turn_server_deadline(((const struct world *)self)->server);
}

static const struct core_ops server_ops = {.input = server_input, .deadline = server_deadline};
static const struct ms_turn_user users[] = {{"other", "secret"}, {"skype", "password"}};

static struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->listen = kit_endpoint("0.0.0.0:443");
    w->cfg = (struct ms_turn_server_config){.realm = "edge",
                                            .users = users,
                                            .user_count = 2,
                                            .listen = &w->listen,
                                            .listen_count = 1,
                                            .relay_ip = kit_ip(EDGE_IP),
                                            .first_port = 50000,
                                            .last_port = 50009,
                                            .max_clients = 4,
                                            .max_peers = 4,
                                            .connect_out = true};
    w->p = pipe_new(DELAY);
    return w;
}

static void add_server(struct world *w)
{
    struct io *io = io_new("edge", 1);
    w->server = ms_turn_server_new(io, 2, &w->cfg);
    assert_non_null(w->server);
    w->core = (struct core){&server_ops, w, io};
    pipe_host(w->p, &w->core, EDGE_IP);
}

static void world_free(struct world *w)
{
    pipe_free(w->p);
    ms_turn_server_free(w->server);
    io_free(w->core.io);
    free(w);
}

static void assert_got(const struct raw *r, const void *bytes, size_t len)
{
    assert_int_equal(r->got_len, len);
    assert_memory_equal(r->got, bytes, len);
}

/* ---- a client by hand ---- */

struct hand {
    struct raw *raw;
    char nonce[64];
    uint8_t key[16];
    uint8_t sequence[MS_SEQUENCE_NUMBER];
};

static struct hand hand_shake(struct world *w, const char *local)
{
    struct hand h = {.raw = raw_connect(w->p, local, EDGE)};
    uint8_t hello[MS_HELLO_MAX];
    struct rng rng = rng_named(1, "hand");
    ms_hello_write(&ms_client_hello, &rng, hello);
    raw_send(w->p, h.raw, hello, ms_client_hello.len);
    pipe_run_for(w->p, 100 * NS_MS);
    assert_int_equal(h.raw->got_len, 83);
    raw_forget(h.raw, 83);
    stun_long_term_key("skype", "edge", "password", h.key);
    return h;
}

enum { WITH_USER = 1, WITH_REALM = 2, WITH_NONCE = 4, WITH_MAC = 8, ALL = 15 };

/* What a request shall have beside its type. */
struct ask {
    unsigned type, with;
    const char *user, *nonce; /* NULL: the right ones */
    unsigned extra;           /* an attribute of this type, with no value; 0: none */
    const char *to;           /* DESTINATION-ADDRESS */
    const char *data;
    long lifetime; /* -1: none */
    bool foreign_sequence;
    bool as_other; /* the other user, with the right key */
};

static void hand_put(struct world *w, struct hand *h, const struct ask *a)
{
    static struct ms_unit u;
    struct stun_out o;
    struct stun_id id = {{1, 2, 3, (uint8_t)a->type}};
    uint8_t other[16];
    stun_long_term_key("other", "edge", "secret", other);
    stun_begin(&o, &stun_ms_turn, u.bytes + MS_UNIT_HEADER, MS_UNIT_MAX, (uint16_t)a->type, &id);
    if (a->extra)
        stun_put(&o, (enum stun_attr_type)a->extra, NULL, 0);
    if (a->lifetime >= 0)
        stun_put_u32(&o, ATTR_LIFETIME, (uint32_t)a->lifetime);
    if (a->with & WITH_USER)
        stun_put_text(&o, ATTR_USERNAME, a->as_other ? "other" : a->user ? a->user : "skype");
    if (a->with & WITH_REALM)
        stun_put_text(&o, ATTR_REALM, "edge");
    if (a->with & WITH_NONCE)
        stun_put_text(&o, ATTR_NONCE, a->nonce ? a->nonce : h->nonce);
    if (a->foreign_sequence)
        stun_put(&o, ATTR_MS_SEQUENCE_NUMBER, h->sequence, sizeof h->sequence);
    if (a->to) {
        struct endpoint to = kit_endpoint(a->to);
        stun_put_address(&o, ATTR_MS_DESTINATION_ADDRESS, &to);
    }
    if (a->data)
        stun_put(&o, ATTR_DATA, a->data, strlen(a->data));
    if (a->with & WITH_MAC)
        stun_put_integrity(&o, a->as_other ? other : h->key, sizeof other, false);
    raw_send(w->p, h->raw, u.bytes, ms_unit_close(&u, MS_UNIT_CONTROL, (size_t)stun_end(&o)));
}

static void hand_ask(struct world *w, struct hand *h, const struct ask *a)
{
    hand_put(w, h, a);
    pipe_run_for(w->p, 100 * NS_MS);
}

/* The one control message that came, as its type and its error's code (0: none); "" when nothing did. */
static int hand_answer(struct hand *h, uint16_t *type)
{
    *type = 0;
    if (h->raw->got_len == 0)
        return -1;
    struct stun_msg m;
    size_t len = load16(h->raw->got + 2);
    int code = 0;
    const char *text;
    size_t n;
    assert_int_equal(h->raw->got[0], MS_UNIT_CONTROL);
    assert_int_equal(h->raw->got_len, len + MS_UNIT_HEADER);
    assert_int_equal(stun_parse(&stun_ms_turn, h->raw->got + MS_UNIT_HEADER, len, &m), 0);
    *type = m.type;
    if (m.cls == STUN_ERROR)
        assert_int_equal(stun_get_error(&m, &code, &text, &n), 0);
    else
        assert_int_equal(stun_check_integrity(&m, h->key, sizeof h->key), 0);
    if (stun_get_text(&m, ATTR_NONCE, &text, &n) == 0)
        snprintf(h->nonce, sizeof h->nonce, "%.*s", (int)n, text);
    raw_forget(h->raw, h->raw->got_len);
    return code;
}

/* What a second Allocate is answered with. */
static int hand_try(struct world *w, struct hand *h)
{
    uint16_t type;
    hand_ask(w, h, &(struct ask){.type = 3, .lifetime = -1});
    assert_int_equal(hand_answer(h, &type), 401);
    hand_ask(w, h, &(struct ask){.type = 3, .with = ALL, .lifetime = -1});
    return hand_answer(h, &type);
}

static struct hand hand_allocate(struct world *w)
{
    struct hand h = hand_shake(w, CLIENT_IP ":1000");
    assert_int_equal(hand_try(w, &h), 0);
    return h;
}

/* The peer, which the client has sent "x" to: the relay has connected to it. */
static struct raw *hand_send(struct world *w, struct hand *h)
{
    raw_listen(w->p, PEER);
    hand_ask(w, h,
             &(struct ask){.type = 4, .with = WITH_USER | WITH_MAC, .to = PEER, .data = "x", .lifetime = -1});
    struct raw *peer = raw_accepted(w->p, PEER);
    assert_non_null(peer);
    assert_got(peer, "\0\1x", 3);
    return peer;
}

static void hand_activate(struct world *w, struct hand *h)
{
    uint16_t type;
    hand_ask(w, h, &(struct ask){.type = 6, .with = WITH_USER | WITH_MAC, .to = PEER, .lifetime = -1});
    assert_int_equal(hand_answer(h, &type), 0);
}

/* Each reason to refuse, on a connection of its own; with and without an allocation. */
static void refusals(void **state)
{
    (void)state;
    static const struct {
        bool allocated;
        struct ask ask;
        int code; /* -1: no answer */
    } rows[] = {
        {false, {.type = 3, .with = ALL, .lifetime = 600}, 0},
        {false, {.type = 3, .with = 0, .lifetime = 600}, 401},
        {false, {.type = 3, .with = WITH_USER | WITH_REALM | WITH_NONCE, .lifetime = -1}, 401},
        {false, {.type = 3, .with = ALL & ~WITH_REALM, .lifetime = -1}, 434},
        {false, {.type = 3, .with = ALL & ~WITH_NONCE, .lifetime = -1}, 435},
        {false, {.type = 3, .with = ALL, .nonce = "0123", .lifetime = -1}, 438},
        {false, {.type = 3, .with = ALL & ~WITH_USER, .lifetime = -1}, 432},
        {false, {.type = 3, .with = ALL, .user = "nobody", .lifetime = -1}, 436},
        {false, {.type = 3, .with = ALL, .user = "other", .lifetime = -1}, 431},
        {false, {.type = 3, .with = ALL, .extra = 0x7ffe, .lifetime = -1}, 420},
        {false,
         {.type = 3, .with = ALL, .extra = 0xfffe, .lifetime = -1},
         0}, /* an optional one is passed over */
        {false, {.type = 3, .with = ALL, .extra = ATTR_LIFETIME, .lifetime = -1}, 400},
        {false, {.type = 3, .with = ALL, .lifetime = 0}, 437},
        {false, {.type = 6, .with = WITH_USER | WITH_MAC, .to = "10.0.0.1:5", .lifetime = -1}, 437},
        {false, {.type = 8, .with = ALL, .lifetime = -1}, 400},
        {true, {.type = 3, .with = ALL, .lifetime = 30}, 0},
        {true, {.type = 3, .with = ALL, .as_other = true, .lifetime = 30}, 431}, /* not its allocation */
        {true, {.type = 6, .with = WITH_USER | WITH_MAC, .as_other = true, .lifetime = -1}, 431},
        {true, {.type = 3, .with = ALL, .lifetime = 0}, 0},
        {true, {.type = 6, .with = WITH_USER | WITH_MAC, .to = "10.0.0.1:5", .lifetime = -1}, 400},
        {true, {.type = 6, .with = WITH_USER | WITH_MAC, .lifetime = -1}, 0}, /* nobody is active: fine */
        {true, {.type = 6, .with = WITH_USER | WITH_MAC, .extra = 0x7ffe, .lifetime = -1}, 420},
        {true, {.type = 6, .with = WITH_USER, .lifetime = -1}, 431},
        {true, {.type = 6, .with = WITH_USER | WITH_MAC, .user = "other", .lifetime = -1}, 431},
        {true, {.type = 6, .with = WITH_USER | WITH_MAC, .foreign_sequence = true, .lifetime = -1}, 400},
        {true, {.type = 4, .with = WITH_USER, .to = "10.0.0.1:5", .data = "x", .lifetime = -1}, -1},
        {true, {.type = 0x0115, .lifetime = -1}, -1}, /* an indication from a client */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world *w = world_new();
        add_server(w);
        uint16_t type;
        struct hand h;
        if (rows[i].allocated) {
            h = hand_allocate(w);
        } else {
            h = hand_shake(w, CLIENT_IP ":1000");
            hand_ask(w, &h, &(struct ask){.type = 3, .lifetime = -1});
            assert_int_equal(hand_answer(&h, &type), 401);
        }
        hand_ask(w, &h, &rows[i].ask);
        assert_int_equal(hand_answer(&h, &type), rows[i].code);
        if (rows[i].code >= 0)
            assert_int_equal(type, rows[i].ask.type | (rows[i].code ? 0x110 : 0x100));
        assert_int_equal(h.raw->state, RAW_OPEN);
        assert_false(h.raw->eof);
        world_free(w);
    }
}

/* What an error says beside its code. */
static void errors_say_how_to_do_better(void **state)
{
    (void)state;
    static const struct {
        struct ask ask;
        int code;
        bool challenge, server, unknown;
    } rows[] = {
        {{.type = 3, .lifetime = -1}, 401, true, true, false},
        {{.type = 3, .with = ALL & ~WITH_REALM, .lifetime = -1}, 434, true, false, false},
        {{.type = 3, .with = ALL & ~WITH_NONCE, .lifetime = -1}, 435, true, false, false},
        {{.type = 3, .with = ALL, .nonce = "0123", .lifetime = -1}, 438, true, false, false},
        {{.type = 3, .with = ALL, .user = "nobody", .lifetime = -1}, 436, false, false, false},
        {{.type = 3, .with = ALL, .extra = 0x7ffe, .lifetime = -1}, 420, false, false, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world *w = world_new();
        add_server(w);
        struct hand h = hand_shake(w, CLIENT_IP ":1000");
        uint16_t type;
        hand_ask(w, &h, &(struct ask){.type = 3, .lifetime = -1});
        hand_answer(&h, &type);
        hand_ask(w, &h, &rows[i].ask);
        struct stun_msg m;
        struct stun_attr a;
        struct endpoint server = kit_endpoint(EDGE), said;
        const char *text;
        size_t n;
        assert_int_equal(
            stun_parse(&stun_ms_turn, h.raw->got + MS_UNIT_HEADER, h.raw->got_len - MS_UNIT_HEADER, &m), 0);
        assert_int_equal(stun_get_text(&m, ATTR_REALM, &text, &n) == 0, rows[i].challenge);
        assert_int_equal(stun_get_text(&m, ATTR_NONCE, &text, &n) == 0, rows[i].challenge);
        assert_int_equal(stun_get_address(&m, ATTR_MS_ALTERNATE_SERVER, &said) == 0, rows[i].server);
        if (rows[i].server)
            assert_true(endpoint_equal(&said, &server));
        assert_int_equal(stun_find(&m, ATTR_UNKNOWN_ATTRIBUTES, &a), rows[i].unknown);
        if (rows[i].unknown)
            assert_true(a.len == 2 && load16(a.value) == 0x7ffe);
        assert_int_equal(hand_answer(&h, &type), rows[i].code);
        world_free(w);
    }
}

/* Two requests in one segment, the second before the port is open: one allocation, one answer. */
static void allocated_once(void **state)
{
    (void)state;
    struct world *w = world_new();
    add_server(w);
    struct hand h = hand_shake(w, CLIENT_IP ":1000");
    uint16_t type;
    hand_ask(w, &h, &(struct ask){.type = 3, .lifetime = -1});
    hand_answer(&h, &type);
    hand_put(w, &h, &(struct ask){.type = 3, .with = ALL, .lifetime = -1});
    hand_ask(w, &h, &(struct ask){.type = 3, .with = ALL, .lifetime = -1});
    assert_int_equal(hand_answer(&h, &type), 0); /* which asserts that it is the only one */
    world_free(w);
}

/* A side that closes its direction is closed in the other: the client's end ends its peers. */
static void ends_are_passed_on(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct world *w = world_new();
        add_server(w);
        struct hand h = hand_allocate(w);
        struct raw *peer = hand_send(w, &h);
        raw_shutdown(w->p, i ? h.raw : peer);
        pipe_run_for(w->p, 1 * NS_S);
        assert_true(peer->eof);
        assert_int_equal(h.raw->eof, i);
        world_free(w);
    }
}

/* Peers that are let in and go leave their place to others; what they left unfinished is forgotten. */
static void peers_come_and_go(void **state)
{
    (void)state;
    struct world *w = world_new();
    w->cfg.max_peers = 2;
    add_server(w);
    struct hand h = hand_allocate(w);
    hand_send(w, &h);
    for (unsigned i = 0; i < 4; i++) {
        struct raw *r = raw_connect(w->p, i < 2 ? "203.0.113.1:7001" : "203.0.113.1:7002", EDGE_IP ":50000");
        raw_send(w->p, r, "\0\1a\0\3b", 6); /* a frame, and the beginning of one */
        pipe_run_for(w->p, 1 * NS_S);
        struct stun_msg m;
        struct stun_attr data;
        assert_int_equal(
            stun_parse(&stun_ms_turn, h.raw->got + MS_UNIT_HEADER, h.raw->got_len - MS_UNIT_HEADER, &m), 0);
        assert_int_equal(m.type, MS_TURN_DATA_INDICATION);
        assert_true(stun_find(&m, ATTR_DATA, &data) && data.len == 1 && data.value[0] == 'a');
        raw_forget(h.raw, h.raw->got_len);
        raw_close(w->p, r);
        pipe_run_for(w->p, 1 * NS_S);
    }
    world_free(w);
}

/* Nor does what a peer left unfinished reach into the next connection that the relay makes to it. */
static void half_a_frame_is_forgotten(void **state)
{
    (void)state;
    struct world *w = world_new();
    add_server(w);
    struct hand h = hand_allocate(w);
    struct raw *peer = hand_send(w, &h);
    raw_send(w->p, peer, "\0\3b", 3);
    pipe_run_for(w->p, 1 * NS_S);
    raw_close(w->p, peer);
    pipe_run_for(w->p, 1 * NS_S);
    hand_ask(w, &h,
             &(struct ask){.type = 4, .with = WITH_USER | WITH_MAC, .to = PEER, .data = "y", .lifetime = -1});
    peer = raw_accepted(w->p, PEER);
    assert_got(peer, "\0\1y", 3);
    raw_send(w->p, peer, "\0\1a", 3);
    pipe_run_for(w->p, 1 * NS_S);
    struct stun_msg m;
    struct stun_attr data;
    assert_int_equal(
        stun_parse(&stun_ms_turn, h.raw->got + MS_UNIT_HEADER, h.raw->got_len - MS_UNIT_HEADER, &m), 0);
    assert_true(stun_find(&m, ATTR_DATA, &data) && data.len == 1 && data.value[0] == 'a');
    world_free(w);
}

/* An active destination that goes and comes again is not active: its frames come as indications. */
static void active_ends_with_its_connection(void **state)
{
    (void)state;
    struct world *w = world_new();
    add_server(w);
    struct hand h = hand_allocate(w);
    raw_close(w->p, hand_send(w, &h));
    pipe_run_for(w->p, 1 * NS_S);
    for (unsigned i = 0; i < 2; i++) {
        struct raw *r = raw_connect(w->p, "203.0.113.1:7001", EDGE_IP ":50000");
        raw_send(w->p, r, "\0\1a", 3);
        pipe_run_for(w->p, 1 * NS_S);
        assert_int_equal(h.raw->got[0], MS_UNIT_CONTROL);
        raw_forget(h.raw, h.raw->got_len);
        uint16_t type;
        struct ask ask = {.type = 6, .with = WITH_USER | WITH_MAC, .to = "203.0.113.1:7001", .lifetime = -1};
        hand_ask(w, &h, &ask);
        assert_int_equal(hand_answer(&h, &type), 0);
        raw_send(w->p, r, "\0\1b", 3);
        pipe_run_for(w->p, 1 * NS_S);
        assert_got(h.raw, "\3\0\0\1b", 5);
        raw_forget(h.raw, 5);
        raw_close(w->p, r);
        pipe_run_for(w->p, 1 * NS_S);
    }
    world_free(w);
}

/* Nobody may send through an allocation who does not have its user's key. */
static void send_needs_the_key(void **state)
{
    (void)state;
    static const struct ask bad[] = {
        {.type = 4, .with = WITH_USER, .to = PEER, .data = "x", .lifetime = -1},
        {.type = 4, .with = WITH_MAC, .to = PEER, .data = "x", .lifetime = -1},
        {.type = 4, .with = WITH_USER | WITH_MAC, .user = "other", .to = PEER, .data = "x", .lifetime = -1},
        {.type = 4, .with = WITH_USER | WITH_MAC, .extra = 0x7ffe, .to = PEER, .data = "x", .lifetime = -1},
        {.type = 4, .with = WITH_USER | WITH_MAC, .as_other = true, .to = PEER, .data = "x", .lifetime = -1},
        {.type = 4, .with = WITH_USER | WITH_MAC, .data = "x", .lifetime = -1},
        {.type = 4, .with = WITH_USER | WITH_MAC, .to = PEER, .lifetime = -1},
    };
    struct world *w = world_new();
    add_server(w);
    struct hand h = hand_allocate(w);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        hand_ask(w, &h, &bad[i]);
    assert_int_equal(pipe_count(w->p, "ms-alloc=50000 peer " PEER ": refused"), 0); /* nobody tried */
    hand_send(w, &h);
    assert_int_equal(h.raw->got_len, 0); /* never answered */
    world_free(w);
}

/* Ten minutes, then the port is closed and the peers are; a minute later the connection too. */
static void time_line_of_an_allocation(void **state)
{
    (void)state;
    struct world *w = world_new();
    add_server(w);
    struct hand h = hand_allocate(w); /* granted at 0.230 s: hello, challenge, success */
    struct raw *peer = hand_send(w, &h);
    size_t n, i = 0;
    const struct pipe_entry *log = pipe_log(w->p, &n);
    while (i < n && strcmp(log[i].text, "ms-alloc=50000 NONE -> LIVE cause=allocate") != 0)
        i++;
    assert_true(i < n);
    uint64_t born = log[i].t_ns;
    pipe_run_until(w->p, born + 600 * NS_S - 1);
    assert_false(peer->eof);
    pipe_run_until(w->p, born + 600 * NS_S + DELAY);
    assert_true(peer->eof);
    assert_int_equal(pipe_count(w->p, "ms-alloc=50000 LIVE -> NONE cause=lifetime"), 1);
    pipe_run_until(w->p, born + 660 * NS_S - 1);
    assert_false(h.raw->eof);
    pipe_run_until(w->p, born + 660 * NS_S + DELAY);
    assert_true(h.raw->eof);
    world_free(w);
}

/* An hour is granted at most; a connection that is still being made ends with the allocation. */
static void longest_lifetime(void **state)
{
    (void)state;
    struct world *w = world_new();
    add_server(w);
    struct hand h = hand_allocate(w);
    uint16_t type;
    hand_ask(w, &h, &(struct ask){.type = 3, .with = ALL, .lifetime = 100000});
    uint64_t asked = pipe_now(w->p);
    assert_int_equal(hand_answer(&h, &type), 0);
    pipe_policy(w->p, PEER, PIPE_BLACK_HOLE);
    pipe_run_until(w->p, asked + 3590 * NS_S);
    hand_ask(w, &h,
             &(struct ask){.type = 4, .with = WITH_USER | WITH_MAC, .to = PEER, .data = "x", .lifetime = -1});
    assert_int_equal(pipe_count(w->p, "ms-alloc=50000 LIVE -> NONE cause=lifetime"), 0);
    pipe_run_until(w->p, asked + 3601 * NS_S);
    assert_int_equal(pipe_count(w->p, "ms-alloc=50000 LIVE -> NONE cause=lifetime"), 1);
    raw_listen(w->p, PEER);
    pipe_policy(w->p, PEER, PIPE_ACCEPT);
    pipe_run_for(w->p, 100 * NS_S);
    assert_null(raw_accepted(w->p, PEER));
    world_free(w);
}

/* What begins wrong is closed at once: not the handshake, no unit, no MS-TURN message. */
static void malformed_first_bytes(void **state)
{
    (void)state;
    static const struct {
        bool hello;
        const char *bytes;
        size_t len;
    } rows[] = {
        {false, "GET / HTTP/1.1\r\n\r\n", 18},
        {false, "\x16\x03\x01\x02", 4},
        {false, "\x02\x00\x00\x00", 4},
        {true, "\x01", 1},
        {true, "\x04", 1},
        {true, "\x02\x00\x00\x04\x00\x03\x00\x00", 8},
        {true, "\x02\x00\x00\x14\x00\x03\x00\x00................", 24}, /* no MAGIC-COOKIE (MST-3) */
        {true, "\x02\x00\x00\x00", 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world *w = world_new();
        add_server(w);
        struct hand h;
        if (rows[i].hello)
            h = hand_shake(w, CLIENT_IP ":1000");
        else
            h.raw = raw_connect(w->p, CLIENT_IP ":1000", EDGE);
        raw_send(w->p, h.raw, rows[i].bytes, rows[i].len);
        pipe_run_for(w->p, 1 * NS_S);
        assert_true(h.raw->eof || h.raw->state == RAW_GONE);
        assert_int_equal(h.raw->got_len, 0);
        world_free(w);
    }
}

/* Who says nothing goes after a minute. */
static void silent_client(void **state)
{
    (void)state;
    struct world *w = world_new();
    add_server(w);
    struct raw *r = raw_connect(w->p, CLIENT_IP ":1000", EDGE);
    pipe_run_until(w->p, 60 * NS_S);
    assert_false(r->eof);
    pipe_run_until(w->p, 61 * NS_S);
    assert_true(r->eof);
    world_free(w);
}

/* ---- back-pressure ---- */

/* The peer does not read: what the client has sent stays with the client, and all of it comes when the peer
 * reads. */
static void slow_peer_holds_the_client(void **state)
{
    (void)state;
    enum { CHUNK = 16000, CHUNKS = 64 }; /* a megabyte */
    static uint8_t unit[MS_UNIT_HEADER + CHUNK];
    struct world *w = world_new();
    add_server(w);
    struct hand h = hand_allocate(w);
    struct raw *peer = hand_send(w, &h);
    hand_activate(w, &h);
    raw_read(w->p, peer, false);
    unit[0] = MS_UNIT_DATA;
    store16(unit + 2, CHUNK);
    for (size_t i = 0; i < CHUNKS; i++) {
        unit[MS_UNIT_HEADER] = (uint8_t)i;
        raw_send(w->p, h.raw, unit, sizeof unit);
    }
    pipe_run_for(w->p, 10 * NS_S);
    /* 256 KiB in the relay, a window on each side, one delivery: the rest has not left */
    assert_true(raw_unsent(h.raw) > CHUNKS * (size_t)CHUNK - (256 + 3 * 64) * 1024);
    raw_read(w->p, peer, true);
    pipe_run_for(w->p, 60 * NS_S);
    assert_int_equal(raw_unsent(h.raw), 0);
    assert_int_equal(peer->got_len, 3 + CHUNKS * (size_t)(2 + CHUNK));
    for (size_t i = 0; i < CHUNKS; i++)
        assert_int_equal(peer->got[3 + i * (2 + CHUNK) + 2], i);
    world_free(w);
}

/* And the other way: the client does not read, so no peer is. A peer that connects meanwhile waits too. */
static void slow_client_holds_the_peers(void **state)
{
    (void)state;
    enum { CHUNK = 16000, CHUNKS = 64 };
    static uint8_t frame[2 + CHUNK];
    struct world *w = world_new();
    add_server(w);
    struct hand h = hand_allocate(w);
    struct raw *peer = hand_send(w, &h);
    raw_read(w->p, h.raw, false);
    store16(frame, CHUNK);
    for (size_t i = 0; i < CHUNKS; i++)
        raw_send(w->p, peer, frame, sizeof frame);
    pipe_run_for(w->p, 10 * NS_S);
    size_t held = raw_unsent(peer);
    assert_true(held > CHUNKS * (size_t)CHUNK - (256 + 3 * 64) * 1024);
    struct raw *second = raw_connect(w->p, "203.0.113.1:7002", EDGE_IP ":50000");
    for (size_t i = 0; i < 8; i++)
        raw_send(w->p, second, frame, sizeof frame);
    pipe_run_for(w->p, 10 * NS_S);
    assert_true(raw_unsent(second) > 0);
    raw_read(w->p, h.raw, true);
    pipe_run_for(w->p, 60 * NS_S);
    assert_int_equal(raw_unsent(peer) + raw_unsent(second), 0);
    size_t indications = 0;
    for (size_t at = 0; at < h.raw->got_len; at += MS_UNIT_HEADER + (size_t)load16(h.raw->got + at + 2))
        indications++;
    assert_int_equal(indications, CHUNKS + 8);
    world_free(w);
}

/* A slow peer that goes away must not hold the client for ever. */
static void blocked_peer_goes(void **state)
{
    (void)state;
    static uint8_t unit[MS_UNIT_HEADER + 16000];
    struct world *w = world_new();
    add_server(w);
    struct hand h = hand_allocate(w);
    struct raw *peer = hand_send(w, &h);
    hand_activate(w, &h);
    raw_read(w->p, peer, false);
    unit[0] = MS_UNIT_DATA;
    store16(unit + 2, 16000);
    for (size_t i = 0; i < 64; i++)
        raw_send(w->p, h.raw, unit, sizeof unit);
    pipe_run_for(w->p, 10 * NS_S);
    assert_true(raw_unsent(h.raw) > 0);
    raw_abort(w->p, peer);
    pipe_run_for(w->p, 60 * NS_S);
    assert_int_equal(raw_unsent(h.raw), 0);
    struct ask ask = {.type = 4, .with = WITH_USER | WITH_MAC, .to = PEER, .data = "again", .lifetime = -1};
    for (unsigned i = 0; i < 2; i++) { /* nor hold it when it is back */
        hand_ask(w, &h, &ask);
        hand_ask(w, &h, &(struct ask){.type = 4, .with = WITH_USER | WITH_MAC, .to = "203.0.113.2:7000",
                                      .data = "y", .lifetime = -1});
    }
    peer = raw_accepted(w->p, PEER);
    assert_got(peer, "\0\5again\0\5again", 14);
    world_free(w);
}

/* ---- limits ---- */

static void limits_of_clients(void **state)
{
    (void)state;
    for (uint32_t limit = 0; limit < 4; limit++) {
        struct world *w = world_new();
        w->cfg.max_clients = limit;
        add_server(w);
        struct raw *r[4];
        for (unsigned i = 0; i < 4; i++) {
            char local[ENDPOINT_TEXT];
            snprintf(local, sizeof local, CLIENT_IP ":%u", 1000 + i);
            r[i] = raw_connect(w->p, local, EDGE);
        }
        pipe_run_until(w->p, 1 * NS_S);
        unsigned open = 0;
        for (unsigned i = 0; i < 4; i++)
            open += r[i]->state == RAW_OPEN && !r[i]->eof;
        assert_int_equal(open, limit);
        world_free(w);
    }
}

/* Ports are given in order; one that the host will not open is passed over; when none is left: 500. */
static void limits_of_ports(void **state)
{
    (void)state;
    for (uint16_t ports = 1; ports <= 3; ports++) {
        struct world *w = world_new();
        w->cfg.first_port = 443; /* taken by the listener itself */
        w->cfg.last_port = (uint16_t)(443 + ports - 1);
        w->listen = kit_endpoint(EDGE);
        add_server(w);
        struct hand h = hand_shake(w, CLIENT_IP ":1000"), second = hand_shake(w, CLIENT_IP ":1001");
        assert_int_equal(hand_try(w, &h), ports == 1 ? 500 : 0);
        assert_int_equal(pipe_count(w->p, "ms-alloc=444 NONE -> LIVE cause=allocate"), ports > 1);
        assert_int_equal(hand_try(w, &second), ports == 3 ? 0 : 500);
        world_free(w);
    }
}

static void configurations_that_make_no_sense(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct io *io = io_new("edge", 1);
    w->cfg.first_port = 0;
    assert_null(ms_turn_server_new(io, 1, &w->cfg));
    w->cfg.first_port = 50010;
    assert_null(ms_turn_server_new(io, 1, &w->cfg));
    io_free(io);
    world_free(w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusals),
        cmocka_unit_test(errors_say_how_to_do_better),
        cmocka_unit_test(allocated_once),
        cmocka_unit_test(ends_are_passed_on),
        cmocka_unit_test(peers_come_and_go),
        cmocka_unit_test(half_a_frame_is_forgotten),
        cmocka_unit_test(active_ends_with_its_connection),
        cmocka_unit_test(send_needs_the_key),
        cmocka_unit_test(time_line_of_an_allocation),
        cmocka_unit_test(longest_lifetime),
        cmocka_unit_test(malformed_first_bytes),
        cmocka_unit_test(silent_client),
        cmocka_unit_test(slow_peer_holds_the_client),
        cmocka_unit_test(slow_client_holds_the_peers),
        cmocka_unit_test(blocked_peer_goes),
        cmocka_unit_test(limits_of_clients),
        cmocka_unit_test(limits_of_ports),
        cmocka_unit_test(configurations_that_make_no_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
