/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two shards of one server: what comes to the one and is the other's. */
#include "models/turn/bench_test.h"

enum { OURS, OTHER, SHARDS };
static const uint8_t secret[32] = "known to both shards, no others";

struct pair {
    struct bench *b[SHARDS];
};

static struct pair pair_new(void)
{
    struct pair p;
    for (uint32_t i = 0; i < SHARDS; i++) {
        struct turn_config cfg = bench_config();
        cfg.secret = secret;
        cfg.shard = i;
        cfg.shards = SHARDS;
        cfg.first_port = (uint16_t)(50000 + 50 * i);
        cfg.last_port = (uint16_t)(cfg.first_port + 49);
        p.b[i] = bench_with(&cfg);
    }
    return p;
}

static void pair_free(struct pair *p)
{
    bench_free(p->b[OURS]);
    bench_free(p->b[OTHER]);
}

/* A peer's connection to an allocation of our shard: its number. */
struct waiting {
    struct tcp_client control;
    io_id peer;
    uint32_t connection;
};

static struct waiting wait_for_bind(struct bench *b, const char *from)
{
    struct endpoint relayed, peer = kit_endpoint(PEER);
    struct waiting w = {.control = tcp_allocated(b, from, TCP, &relayed), .peer = io_new_id(b->io, 1)};
    assert_int_equal(tcp_ask(b, &w.control, TURN_CREATE_PERMISSION, peer_attr(PEER)), 0);
    bench_tell(b, (struct io_in){.event = IO_ACCEPTED, .id = w.peer, .local = relayed, .remote = peer,
                                 .other = bench_socket(b, IO_OP_LISTEN, &relayed)});
    size_t n = tcp_take(b, &w.control, w.control.c.buf);
    assert_int_equal(stun_parse(&stun_rfc8489, w.control.c.buf, n, &w.control.c.m), 0);
    w.connection = connection_of(&w.control.c);
    return w;
}

/* The connection that was given comes to its new shard; what the client has of it goes on. */
static void hand_over(struct pair *p, struct tcp_client *t, const char *from, unsigned to)
{
    struct bench *b = p->b[!to];
    assert_int_equal(b->given.id, t->id);
    assert_int_equal(b->given.to, to);
    tcp_collect(b, t);
    t->id = io_new_id(p->b[to]->io, 1);
    b->given.id = IO_NONE;
    bench_tell(p->b[to], (struct io_in){.event = IO_ACCEPTED, .id = t->id, .local = kit_endpoint(SERVER),
                                        .remote = kit_endpoint(from), .data = b->given.data, .len = b->given.len});
}

static int told(struct bench *b, struct tcp_client *t)
{
    size_t n = tcp_take(b, t, t->c.buf);
    if (!n)
        return -1;
    assert_int_equal(stun_parse(&stun_rfc8489, t->c.buf, n, &t->c.m), 0);
    return code_of(&t->c);
}

static struct turn_stats stats(const struct bench *b)
{
    struct turn_stats s;
    turn_stats(b->turn, &s);
    return s;
}

/* RFC 6062 5.4, in two pieces wherever it is cut, with payload right behind it: nothing is lost, nothing said by the
 * wrong one. */
static void a_bind_finds_its_shard(void **state)
{
    (void)state;
    static const char early[] = "first bytes of the share";
    size_t len = 1;
    for (size_t cut = 0; cut < len; cut++) {
        struct pair p = pair_new();
        struct bench *b = p.b[OTHER];
        struct waiting w = wait_for_bind(p.b[OURS], "10.0.0.2:5000");
        assert_int_equal(w.connection % SHARDS, OURS);
        struct tcp_client t = tcp_connect(b, "10.0.0.2:5001", "alice");
        memcpy(t.c.nonce, w.control.c.nonce, sizeof t.c.nonce); /* 6062-X-12 */
        uint8_t buf[1024];
        len = compose(&t.c, TURN_CONNECTION_BIND, id_attr(w.connection), buf, sizeof buf);
        memcpy(buf + len, early, sizeof early);
        tcp_send(b, &t, buf, cut);
        assert_int_equal(b->given.id, IO_NONE);
        tcp_send(b, &t, buf + cut, len + sizeof early - cut);
        assert_int_equal(b->given.len, len + sizeof early);
        assert_memory_equal(b->given.data, buf, b->given.len);
        assert_int_equal(b->kept_count, 0);
        assert_int_equal(stats(b).clients, 0);
        hand_over(&p, &t, "10.0.0.2:5001", OURS);
        assert_int_equal(told(p.b[OURS], &t), 0);
        assert_int_equal(t.c.m.method, TURN_CONNECTION_BIND);
        assert_int_equal(p.b[OURS]->spliced[0], t.id);
        assert_int_equal(p.b[OURS]->spliced[1], w.peer);
        const struct kept *k = &p.b[OURS]->kept[p.b[OURS]->kept_count - 1];
        assert_true(k->id == w.peer && k->len == sizeof early && memcmp(k->data, early, k->len) == 0);
        assert_int_equal(stats(p.b[OURS]).bound, 1);
        pair_free(&p);
    }
    assert_true(len > 100);
}

/* The challenge is the right shard's, and from there on it is a connection as any. */
static void without_credentials_too(void **state)
{
    (void)state;
    struct pair p = pair_new();
    struct waiting w = wait_for_bind(p.b[OURS], "10.0.0.2:5000");
    struct tcp_client t = tcp_connect(p.b[OTHER], "10.0.0.2:5001", "alice");
    assert_int_equal(tcp_ask(p.b[OTHER], &t, TURN_CONNECTION_BIND, id_attr(w.connection)), -1);
    hand_over(&p, &t, "10.0.0.2:5001", OURS);
    assert_int_equal(told(p.b[OURS], &t), 401);
    take_nonce(&t.c);
    assert_int_equal(tcp_ask(p.b[OURS], &t, TURN_CONNECTION_BIND, id_attr(w.connection)), 0);
    assert_int_equal(p.b[OURS]->spliced[0], t.id);
    pair_free(&p);
}

/* Once given it stays, whatever it asks for: nobody is sent round in circles, or kept from being idle that way. */
static void once_is_enough(void **state)
{
    (void)state;
    struct pair p = pair_new();
    struct waiting w = wait_for_bind(p.b[OURS], "10.0.0.2:5000");
    struct tcp_client t = tcp_connect(p.b[OTHER], "10.0.0.2:5001", "alice");
    memcpy(t.c.nonce, w.control.c.nonce, sizeof t.c.nonce);
    uint32_t ours = w.connection - w.connection % SHARDS + OURS + SHARDS, other = ours + OTHER - OURS;
    tcp_ask(p.b[OTHER], &t, TURN_CONNECTION_BIND, id_attr(ours));
    hand_over(&p, &t, "10.0.0.2:5001", OURS);
    assert_int_equal(told(p.b[OURS], &t), 400);
    assert_int_equal(tcp_ask(p.b[OURS], &t, TURN_CONNECTION_BIND, id_attr(other)), 400);
    assert_int_equal(p.b[OURS]->given.id, IO_NONE);
    bench_until(p.b[OURS], p.b[OURS]->now + 61 * NS_S);
    assert_int_equal(stats(p.b[OURS]).clients, 1); /* the control connection */
    /* One with an allocation, or a request of another kind, is not given at all. */
    assert_int_equal(tcp_ask(p.b[OURS], &w.control, TURN_CONNECTION_BIND, id_attr(other)), 400);
    assert_int_equal(tcp_ask(p.b[OURS], &w.control, TURN_REFRESH, id_attr(other)), 0);
    assert_int_equal(p.b[OURS]->given.id, IO_NONE);
    pair_free(&p);
}

/* The numbers of two shards under one secret have nothing in common but whose they are. */
static void numbers_say_whose_they_are(void **state)
{
    (void)state;
    enum { EACH = 20 };
    struct pair p = pair_new();
    uint32_t seen[SHARDS][EACH];
    for (unsigned i = 0; i < EACH; i++)
        for (unsigned k = 0; k < SHARDS; k++) {
            char from[32];
            snprintf(from, sizeof from, "10.0.0.2:%u", 5000 + i);
            seen[k][i] = wait_for_bind(p.b[k], from).connection;
            assert_int_equal(seen[k][i] % SHARDS, k);
        }
    for (unsigned i = 0; i < EACH; i++)
        for (unsigned k = 0; k < EACH; k++)
            assert_true(seen[OURS][i] / SHARDS != seen[OTHER][k] / SHARDS);
    pair_free(&p);
}

static uint64_t reserve(struct bench *b, const char *from, struct endpoint *relayed)
{
    struct udp_client u = udp_client(b, from, "alice");
    uint64_t token;
    assert_int_equal(udp_ask(b, &u, TURN_ALLOCATE, UDP "00180001 80000000 "), 0);
    *relayed = relayed_of(&u.c);
    assert_int_equal(stun_get_u64(&u.c.m, ATTR_RESERVATION_TOKEN, &token), 0);
    return token;
}

static int redeem(struct bench *b, const char *from, uint64_t token, struct endpoint *relayed)
{
    struct udp_client u = udp_client(b, from, "alice");
    char attrs[80];
    snprintf(attrs, sizeof attrs, UDP "00220008 %016llx ", (unsigned long long)token);
    int code = udp_ask(b, &u, TURN_ALLOCATE, attrs);
    if (code == 0)
        *relayed = relayed_of(&u.c);
    return code;
}

/* 8656 7.2: the client's second Allocate, from another port, may come to either. */
static void a_token_is_good_in_both(void **state)
{
    (void)state;
    for (unsigned to = 0; to < SHARDS; to++) {
        struct pair p = pair_new();
        struct endpoint first, second = {.port = 0}, third;
        uint64_t token = reserve(p.b[OURS], "10.0.0.2:5000", &first);
        for (unsigned bit = 0; bit < 64; bit += 5)
            assert_int_equal(redeem(p.b[OTHER], "10.0.0.2:5001", token ^ UINT64_C(1) << bit, &second), 508);
        p.b[OTHER]->now += 29 * NS_S;
        bench_until(p.b[OURS], p.b[OTHER]->now);
        assert_int_equal(redeem(p.b[to], "10.0.0.2:5002", token, &second), 0);
        assert_int_equal(second.port, first.port + 1);
        assert_int_equal(redeem(p.b[to], "10.0.0.2:5003", token, &third), 508);
        pair_free(&p);
    }
    struct pair p = pair_new();
    struct endpoint at;
    uint64_t token = reserve(p.b[OURS], "10.0.0.2:5000", &at);
    for (unsigned i = 0; i < SHARDS; i++) {
        bench_until(p.b[i], p.b[i]->now + 32 * NS_S);
        assert_int_equal(redeem(p.b[i], "10.0.0.2:5001", token, &at), 508);
    }
    pair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bind_finds_its_shard),     cmocka_unit_test(without_credentials_too),
        cmocka_unit_test(once_is_enough),             cmocka_unit_test(numbers_say_whose_they_are),
        cmocka_unit_test(a_token_is_good_in_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
