/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scripted clients and peers around the relay: what server_test.c and relay_test.c share. */
#ifndef TP_TURN_SCRIPTED_TEST_H
#define TP_TURN_SCRIPTED_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/stun/stun.h"
#include "models/testkit/pipe.h"
#include "models/testkit/testkit.h"
#include "models/turn/turn.h"

#define SERVER "192.0.2.1:3478"
#define TCP "00190004 06000000 "
#define COUNT(a) (sizeof(a) / sizeof *(a))

struct world {
    struct pipe *p;
    struct io *io;
    struct turn *turn;
};

/* A client connection of the test's own. */
struct client {
    struct raw *r;
    const char *user;
    char nonce[100];
    uint8_t tid;
    struct stun_msg m; /* the last message received, over buf */
    uint8_t buf[1024];
};

static inline void relay_input(void *self, const struct io_in *in)
{
    turn_input(self, in);
}

static inline uint64_t relay_deadline(const void *self)
{
    return turn_deadline(self);
}

static const struct core_ops relay_ops = {relay_input, relay_deadline, NULL};

static const struct turn_user users[] = {{"alice", "secret"}, {"bob", "hidden"}};
static struct endpoint listen_at;

static inline struct turn_config config(void)
{
    listen_at = kit_endpoint(SERVER);
    return (struct turn_config){
        .profile = &turn_strict, .realm = "example.org", .users = users, .user_count = 2, .listen = &listen_at,
        .listen_count = 1, .relay_ip4 = listen_at.ip, .first_port = 50000, .last_port = 50099,
        .limits = turn_limits_default,
    };
}

static inline struct world world_with(const struct turn_config *cfg)
{
    struct world w = {.p = pipe_new(NS_MS), .io = io_new("relay", 1)};
    w.turn = turn_new(w.io, 1, cfg);
    assert_non_null(w.turn);
    struct core core = {&relay_ops, w.turn, w.io};
    pipe_host(w.p, &core, "192.0.2.1");
    pipe_run_until(w.p, NS_S);
    return w;
}

static inline struct world world(void)
{
    struct turn_config cfg = config();
    return world_with(&cfg);
}

static inline void end(struct world *w)
{
    pipe_free(w->p);
    turn_free(w->turn);
    io_free(w->io);
}

/* ---- messages ---- */

static inline const char *u32_attr(unsigned type, uint32_t v)
{
    static char ring[4][32];
    static unsigned next;
    char *s = ring[next++ % 4];
    snprintf(s, sizeof ring[0], "%04x0004 %08x ", type, v);
    return s;
}

/* XOR-PEER-ADDRESS; of IPv6 only the family and port are right, as the transaction id is not known here. */
static inline const char *peer_attr(const char *endpoint)
{
    static char ring[4][64];
    static unsigned next;
    uint8_t buf[64];
    struct stun_id id = {{0x21, 0x12, 0xa4, 0x42}};
    struct stun_out o;
    struct endpoint e = kit_endpoint(endpoint);
    stun_begin(&o, &stun_rfc8489, buf, sizeof buf, 0x0001, &id);
    stun_put_address(&o, ATTR_XOR_PEER_ADDRESS, &e);
    long n = stun_end(&o);
    char *s = ring[next++ % 4];
    hex_of(buf + 20, (size_t)n - 20, s);
    return s;
}

static inline void put_hex(struct stun_out *o, const char *attrs)
{
    uint8_t b[512];
    size_t n = kit_hex(attrs, b, sizeof b);
    for (size_t at = 0; at + 4 <= n; at += 4 + ((load16(b + at + 2) + 3u) & ~3u))
        stun_put(o, (enum stun_attr_type)load16(b + at), b + at + 4, load16(b + at + 2));
}

static inline void key_of(const struct client *c, uint8_t key[16])
{
    for (size_t i = 0; i < COUNT(users); i++)
        if (strcmp(users[i].name, c->user) == 0)
            stun_long_term_key(c->user, "example.org", users[i].password, key);
}

/* A request with these attributes; with credentials when there is a nonce. Its size. */
static inline size_t compose(struct client *c, unsigned method, const char *attrs, uint8_t *buf, size_t cap)
{
    struct stun_id id = {{0x21, 0x12, 0xa4, 0x42, ++c->tid}};
    struct stun_out o;
    stun_begin(&o, &stun_rfc8489, buf, cap, stun_type(STUN_REQUEST, method), &id);
    put_hex(&o, attrs);
    if (c->nonce[0]) {
        uint8_t key[16] = {0};
        key_of(c, key);
        stun_put_text(&o, ATTR_USERNAME, c->user);
        stun_put_text(&o, ATTR_REALM, "example.org");
        stun_put_text(&o, ATTR_NONCE, c->nonce);
        stun_put_integrity(&o, key, sizeof key, false);
    }
    long n = stun_end(&o);
    assert_true(n > 0);
    return (size_t)n;
}

static inline void request(struct world *w, struct client *c, unsigned method, const char *attrs)
{
    uint8_t buf[1024];
    size_t n = compose(c, method, attrs, buf, sizeof buf);
    raw_send(w->p, c->r, buf, n);
}

/* The next message that has come, into c->m. */
static inline bool receive(struct client *c)
{
    long n = stun_stream_len(&stun_rfc8489, c->r->got, c->r->got_len, sizeof c->buf);
    assert_true(n >= 0);
    if (n == 0 || (size_t)n > c->r->got_len)
        return false;
    memcpy(c->buf, c->r->got, (size_t)n);
    raw_forget(c->r, (size_t)n);
    assert_int_equal(stun_parse(&stun_rfc8489, c->buf, (size_t)n, &c->m), 0);
    return true;
}

static inline int code_of(const struct client *c)
{
    int code = 0;
    const char *reason;
    size_t len;
    if (c->m.cls == STUN_ERROR)
        assert_int_equal(stun_get_error(&c->m, &code, &reason, &len), 0);
    return code;
}

/* The answer to the last request: its code, 0 for success, -1 for none within the time. */
static inline int answer(struct world *w, struct client *c, uint64_t ns)
{
    pipe_run_for(w->p, ns);
    while (receive(c))
        if (c->m.cls >= STUN_SUCCESS && c->m.id.b[4] == c->tid)
            return code_of(c);
    return -1;
}

static inline int ask(struct world *w, struct client *c, unsigned method, const char *attrs)
{
    request(w, c, method, attrs);
    return answer(w, c, 100 * NS_MS);
}

static inline void take_nonce(struct client *c)
{
    const char *s;
    size_t len;
    assert_int_equal(stun_get_text(&c->m, ATTR_NONCE, &s, &len), 0);
    assert_true(len < sizeof c->nonce);
    memcpy(c->nonce, s, len);
    c->nonce[len] = '\0';
}

/* Connected, and through the 401 round. */
static inline struct client client(struct world *w, const char *local, const char *user)
{
    struct client c = {.r = raw_connect(w->p, local, SERVER), .user = user};
    assert_int_equal(ask(w, &c, TURN_ALLOCATE, TCP), 401);
    take_nonce(&c);
    return c;
}

static inline struct endpoint relayed_of(const struct client *c)
{
    struct endpoint e;
    assert_int_equal(stun_get_address(&c->m, ATTR_XOR_RELAYED_ADDRESS, &e), 0);
    return e;
}

static inline struct client allocated(struct world *w, const char *local, const char *user, struct endpoint *relayed)
{
    struct client c = client(w, local, user);
    assert_int_equal(ask(w, &c, TURN_ALLOCATE, TCP), 0);
    if (relayed)
        *relayed = relayed_of(&c);
    return c;
}

static inline uint32_t connection_of(const struct client *c)
{
    uint32_t id = 0;
    assert_int_equal(stun_get_u32(&c->m, ATTR_CONNECTION_ID, &id), 0);
    assert_int_not_equal(id, 0);
    return id;
}

static inline const char *id_attr(uint32_t id)
{
    return u32_attr(ATTR_CONNECTION_ID, id);
}

/* A world with an allocation, a peer listening, and a Connect to it that has succeeded. */
struct scene {
    struct world w;
    struct client ctrl, data;
    struct endpoint relayed;
    struct raw *peer;
    uint32_t id;
};

#define PEER "203.0.113.9:80"
static inline void scene_connected(struct scene *s)
{
    *s = (struct scene){.w = world()};
    raw_listen(s->w.p, PEER);
    s->ctrl = allocated(&s->w, "10.0.0.2:5000", "alice", &s->relayed);
    assert_int_equal(ask(&s->w, &s->ctrl, TURN_CONNECT, peer_attr(PEER)), 0);
    s->id = connection_of(&s->ctrl);
    s->peer = raw_accepted(s->w.p, PEER);
    assert_non_null(s->peer);
}

static inline void scene_bound(struct scene *s)
{
    scene_connected(s);
    s->data = client(&s->w, "10.0.0.2:5001", "alice");
    assert_int_equal(ask(&s->w, &s->data, TURN_CONNECTION_BIND, id_attr(s->id)), 0);
}

static inline bool refreshes(struct scene *s)
{
    return ask(&s->w, &s->ctrl, TURN_REFRESH, "") == 0;
}

static inline struct turn_stats stats_of(const struct world *w)
{
    struct turn_stats st;
    turn_stats(w->turn, &st);
    return st;
}

static inline uint8_t *pattern(size_t len, unsigned seed)
{
    uint8_t *p = malloc(len);
    assert_non_null(p);
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)(i * 31 + (i >> 8) + seed);
    return p;
}

static inline struct raw *knock(struct world *w, const char *from, const struct endpoint *relayed)
{
    struct raw *r = raw_connect_to(w->p, from, relayed);
    pipe_run_for(w->p, 50 * NS_MS);
    return r;
}

#endif
