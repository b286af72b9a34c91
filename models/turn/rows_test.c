/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server rows of the requirement catalogue that no other test would miss; each test named after its rows. */
#include "models/turn/scripted_test.h"

static bool authentic(const struct client *c)
{
    uint8_t key[16];
    key_of(c, key);
    return stun_check_integrity(&c->m, key, sizeof key) == 0;
}

/* Binds one more client connection of alice's, from that address. */
static struct client bound(struct world *w, const char *local, uint32_t id)
{
    struct client c = client(w, local, "alice");
    assert_int_equal(ask(w, &c, TURN_CONNECTION_BIND, id_attr(id)), 0);
    return c;
}

/* 3-1: an attempt is told on the control connection of its own allocation, and nowhere else. */
static void attempts_on_their_own_control(void **state)
{
    (void)state;
    struct world w = world();
    struct client c[2];
    struct endpoint relayed[2];
    for (int i = 0; i < 2; i++) {
        c[i] = allocated(&w, i ? "10.0.0.2:5001" : "10.0.0.2:5000", "alice", &relayed[i]);
        assert_int_equal(ask(&w, &c[i], TURN_CREATE_PERMISSION, peer_attr("203.0.113.9:0")), 0);
    }
    knock(&w, "203.0.113.9:1000", &relayed[1]);
    assert_false(receive(&c[0]));
    assert_true(receive(&c[1]));
    assert_int_equal(c[1].m.type, 0x001c);
    end(&w);
}

/* 3-2: two pairs, four streams, none of them in another. */
static void pairs_do_not_mix(void **state)
{
    (void)state;
    struct scene s;
    scene_connected(&s);
    raw_listen(s.w.p, "203.0.113.9:81");
    assert_int_equal(ask(&s.w, &s.ctrl, TURN_CONNECT, peer_attr("203.0.113.9:81")), 0);
    uint32_t second = connection_of(&s.ctrl);
    struct raw *peers[2] = {s.peer, raw_accepted(s.w.p, "203.0.113.9:81")};
    struct client data[2] = {{.r = NULL}};
    data[1] = bound(&s.w, "10.0.0.2:5002", second); /* the later one first */
    data[0] = bound(&s.w, "10.0.0.2:5001", s.id);
    for (int i = 0; i < 2; i++) {
        raw_send(s.w.p, data[i].r, i ? "down 1" : "down 0", 6);
        raw_send(s.w.p, peers[i], i ? "up 1" : "up 0", 4);
    }
    pipe_run_for(s.w.p, NS_S);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(peers[i]->got_len, 6);
        assert_memory_equal(peers[i]->got, i ? "down 1" : "down 0", 6);
        assert_int_equal(data[i].r->got_len, 4);
        assert_memory_equal(data[i].r->got, i ? "up 1" : "up 0", 4);
    }
    end(&s.w);
}

/* 4.6-3: on a pair the relay says nothing of its own; 5.2-3: a refused second Connect does not disturb it. */
static void pairs_are_left_alone(void **state)
{
    (void)state;
    struct scene s;
    scene_bound(&s);
    assert_int_equal(ask(&s.w, &s.ctrl, TURN_CONNECT, peer_attr(PEER)), 446);
    assert_true(authentic(&s.ctrl)); /* G-5 */
    pipe_run_for(s.w.p, 550 * NS_S);
    assert_int_equal(s.data.r->got_len + s.peer->got_len, 0);
    raw_send(s.w.p, s.data.r, "still", 5);
    pipe_run_for(s.w.p, NS_S);
    assert_int_equal(s.peer->got_len, 5);
    end(&s.w);
}

/* 5.4-7, G-5: the answers to Connect and ConnectionBind, good or bad, are made with the key of CTRL. */
static void answers_are_authentic(void **state)
{
    (void)state;
    struct scene s;
    scene_connected(&s);
    assert_int_equal(s.ctrl.m.type, 0x010a);
    assert_true(authentic(&s.ctrl));
    s.data = bound(&s.w, "10.0.0.2:5001", s.id);
    assert_int_equal(s.data.m.type, 0x010b);
    assert_true(authentic(&s.data));
    assert_int_equal(ask(&s.w, &s.ctrl, TURN_CONNECT, peer_attr("203.0.113.9:9")), 447);
    assert_true(authentic(&s.ctrl));
    end(&s.w);
}

/* G-1: without a MAC 401, itself without one, and nothing done; X-19: credentials first, also for an unknown id. */
static void bare_requests(void **state)
{
    (void)state;
    struct scene s;
    scene_connected(&s);
    static const struct {
        unsigned method;
        const char *attrs;
    } table[] = {
        {TURN_CONNECT, "00120008 00015c74 e112a6d4"}, {TURN_REFRESH, "000d0004 00000000"},
        {TURN_CREATE_PERMISSION, "00120008 00015c74 e112a6d4"}, {TURN_CONNECTION_BIND, "002a0004 01020304"},
        {TURN_CONNECTION_BIND, ""},
    };
    char nonce[sizeof s.ctrl.nonce];
    memcpy(nonce, s.ctrl.nonce, sizeof nonce);
    struct turn_stats before = stats_of(&s.w);
    for (size_t i = 0; i < COUNT(table); i++) {
        struct stun_attr a;
        s.ctrl.nonce[0] = '\0';
        assert_int_equal(ask(&s.w, &s.ctrl, table[i].method, table[i].attrs), 401);
        assert_true(stun_find(&s.ctrl.m, ATTR_REALM, &a) && stun_find(&s.ctrl.m, ATTR_NONCE, &a));
        assert_false(stun_find(&s.ctrl.m, ATTR_MESSAGE_INTEGRITY, &a));
        assert_int_equal(stats_of(&s.w).allocations + stats_of(&s.w).pending, before.allocations + before.pending);
    }
    memcpy(s.ctrl.nonce, nonce, sizeof nonce);
    assert_true(refreshes(&s));
    end(&s.w);
}

/* 5.2-5: nor is the peer's address taken any more when nobody has bound. */
static void connect_again_after_bind_timeout(void **state)
{
    (void)state;
    struct scene s;
    scene_connected(&s);
    pipe_run_for(s.w.p, 31 * NS_S);
    assert_true(s.peer->eof);
    raw_close(s.w.p, s.peer);
    assert_int_equal(ask(&s.w, &s.ctrl, TURN_CONNECT, peer_attr(PEER)), 0);
    assert_int_not_equal(connection_of(&s.ctrl), s.id);
    end(&s.w);
}

/* 5.2-23: a slow Connect holds up no other. */
static void connects_at_once(void **state)
{
    (void)state;
    struct world w = world();
    struct client c = allocated(&w, "10.0.0.2:5000", "alice", NULL);
    pipe_policy(w.p, "203.0.113.10:0", PIPE_BLACK_HOLE);
    raw_listen(w.p, PEER);
    request(&w, &c, TURN_CONNECT, peer_attr("203.0.113.10:80"));
    assert_int_equal(ask(&w, &c, TURN_CONNECT, peer_attr(PEER)), 0);
    end(&w);
}

/* 5.3-2: a peer that comes and resets at once leaves nothing behind; 5.3-3: one that comes and speaks is kept whole. */
static void incoming_in_a_hurry(void **state)
{
    (void)state;
    struct world w = world();
    struct endpoint relayed;
    struct client c = allocated(&w, "10.0.0.2:5000", "alice", &relayed);
    assert_int_equal(ask(&w, &c, TURN_CREATE_PERMISSION, peer_attr("203.0.113.9:0")), 0);
    raw_abort(w.p, raw_connect_to(w.p, "203.0.113.9:1000", &relayed));
    pipe_run_for(w.p, NS_S);
    assert_int_equal(stats_of(&w).pending, 0);
    while (receive(&c))
        assert_int_equal(ask(&w, &c, TURN_CONNECTION_BIND, id_attr(connection_of(&c))), 400);
    struct raw *peer = raw_connect_to(w.p, "203.0.113.9:1001", &relayed);
    raw_send(w.p, peer, "first", 5);
    pipe_run_for(w.p, 5 * NS_S);
    assert_true(receive(&c));
    struct client d = bound(&w, "10.0.0.2:5001", connection_of(&c));
    raw_send(w.p, peer, "second", 6);
    pipe_run_for(w.p, NS_S);
    assert_int_equal(d.r->got_len, 11);
    assert_memory_equal(d.r->got, "firstsecond", 11);
    end(&w);
}

/* a permission that ends ends no connection, pending or bound; X-1: Connect never needed one. */
static void permissions_gate_newcomers_only(void **state)
{
    (void)state;
    struct world w = world();
    struct endpoint relayed;
    struct client c = allocated(&w, "10.0.0.2:5000", "alice", &relayed);
    raw_listen(w.p, PEER);
    assert_int_equal(ask(&w, &c, TURN_CONNECT, peer_attr(PEER)), 0); /* */
    assert_int_equal(ask(&w, &c, TURN_CREATE_PERMISSION, peer_attr("203.0.113.9:0")), 0);
    uint64_t made = pipe_now(w.p);
    struct raw *peers[2];
    struct client data[2];
    peers[0] = knock(&w, "203.0.113.9:1000", &relayed);
    assert_true(receive(&c));
    data[0] = bound(&w, "10.0.0.2:5001", connection_of(&c));
    pipe_run_until(w.p, made + 290 * NS_S);
    peers[1] = knock(&w, "203.0.113.9:1001", &relayed);
    assert_true(receive(&c));
    pipe_run_until(w.p, made + 310 * NS_S);
    assert_true(knock(&w, "203.0.113.9:1002", &relayed)->eof);
    data[1] = bound(&w, "10.0.0.2:5002", connection_of(&c));
    for (int i = 0; i < 2; i++) {
        raw_send(w.p, peers[i], "on", 2);
        pipe_run_for(w.p, NS_S);
        assert_int_equal(data[i].r->got_len, 2);
    }
    end(&w);
}

/* a FIN is passed on behind what was sent, and the other direction goes on until it has its own; then the pair is
 * gone. */
static void ends_are_passed_on(void **state)
{
    (void)state;
    for (int mirrored = 0; mirrored < 2; mirrored++) {
        struct scene s;
        scene_bound(&s);
        struct raw *from = mirrored ? s.peer : s.data.r, *to = mirrored ? s.data.r : s.peer;
        raw_send(s.w.p, from, "last words", 10);
        raw_shutdown(s.w.p, from);
        pipe_run_for(s.w.p, 40 * NS_S);
        assert_true(to->eof && !from->eof);
        assert_int_equal(to->got_len, 10);
        assert_int_equal(stats_of(&s.w).bound, 1);
        raw_send(s.w.p, to, "an answer", 9);
        raw_shutdown(s.w.p, to);
        pipe_run_for(s.w.p, NS_S);
        assert_true(from->eof);
        assert_int_equal(from->got_len, 9);
        assert_int_equal(stats_of(&s.w).bound, 0);
        end(&s.w);
    }
}

/* of several XOR-PEER-ADDRESS the first one counts. */
static void first_address_counts(void **state)
{
    (void)state;
    struct world w = world();
    struct client c = allocated(&w, "10.0.0.2:5000", "alice", NULL);
    char two[160];
    raw_listen(w.p, PEER);
    raw_listen(w.p, "203.0.113.9:81");
    snprintf(two, sizeof two, "%s%s", peer_attr(PEER), peer_attr("203.0.113.9:81"));
    assert_int_equal(ask(&w, &c, TURN_CONNECT, two), 0);
    assert_non_null(raw_accepted(w.p, PEER));
    assert_null(raw_accepted(w.p, "203.0.113.9:81"));
    end(&w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        {"6062-3-1 attempts on their own control", attempts_on_their_own_control, NULL, NULL, NULL},
        {"6062-3-2 pairs do not mix", pairs_do_not_mix, NULL, NULL, NULL},
        {"6062-4.6-3, 5.2-3 pairs are left alone", pairs_are_left_alone, NULL, NULL, NULL},
        {"6062-5.4-7, G-5 answers are authentic", answers_are_authentic, NULL, NULL, NULL},
        {"6062-G-1, X-19 bare requests", bare_requests, NULL, NULL, NULL},
        {"6062-5.2-5 connect again after bind timeout", connect_again_after_bind_timeout, NULL, NULL, NULL},
        {"6062-5.2-23 connects at once", connects_at_once, NULL, NULL, NULL},
        {"6062-5.3-2, 5.3-3 incoming in a hurry", incoming_in_a_hurry, NULL, NULL, NULL},
        {"6062-X-1, X-3 permissions gate newcomers only", permissions_gate_newcomers_only, NULL, NULL, NULL},
        {"6062-X-14 ends are passed on", ends_are_passed_on, NULL, NULL, NULL},
        {"6062-X-29 first address counts", first_address_counts, NULL, NULL, NULL},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
