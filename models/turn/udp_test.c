/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UDP relays of the server: the rows of RFC 8656 on channels, Send and Data. Each test named after its rows. */
#include "models/turn/bench_test.h"

#define PEER_UDP "203.0.113.9:4000"

/* 5-13, 7.2-41..44, -46, 11.2-7, 11.3-1, -2: the shortest way there and back. */
static void there_and_back(void **state)
{
    (void)state;
    for (int room = 0; room < 2; room++) {
        struct bench *b = bench();
        struct endpoint relayed, mapped;
        struct stun_attr a;
        b->room = room;
        struct udp_client u = udp_allocated(b, "10.0.0.2:5000", "alice", &relayed);
        assert_int_equal(stun_get_address(&u.c.m, ATTR_XOR_MAPPED_ADDRESS, &mapped), 0);
        assert_true(endpoint_equal(&mapped, &u.at));
        assert_false(stun_find(&u.c.m, ATTR_RESERVATION_TOKEN, &a));
        peer_sends(b, PEER_UDP, &relayed, "too early");
        assert_int_equal(client_gets(b, &u, ""), 0);
        udp_indicate(b, &u, PEER_UDP, "too early");
        assert_true(peer_gets(b, PEER_UDP, NULL));
        assert_int_equal(udp_ask(b, &u, TURN_CREATE_PERMISSION, peer_attr(PEER_UDP)), 0);
        udp_indicate(b, &u, PEER_UDP, "there");
        assert_true(peer_gets(b, PEER_UDP, "there"));
        peer_sends(b, PEER_UDP, &relayed, "back");
        struct kept got = *bench_take(b, &u.at);
        struct endpoint peer, want = kit_endpoint(PEER_UDP);
        assert_int_equal(stun_parse(&stun_rfc8489, got.data, got.len, &u.c.m), 0);
        assert_int_equal(u.c.m.type, 0x0017);
        assert_int_equal(got.lent, room);
        assert_int_equal(stun_get_address(&u.c.m, ATTR_XOR_PEER_ADDRESS, &peer), 0);
        assert_true(endpoint_equal(&peer, &want));
        assert_true(stun_find(&u.c.m, ATTR_DATA, &a));
        assert_int_equal(a.len, 4);
        assert_memory_equal(a.value, "back", 4);
        bench_free(b);
    }
}

/* 11.3-3, 12.5-1, 12.2-9: by channel, which brings its permission along. */
static void by_channel(void **state)
{
    (void)state;
    for (int room = 0; room < 2; room++) {
        struct bench *b = bench();
        struct endpoint relayed;
        b->room = room;
        struct udp_client u = udp_allocated(b, "10.0.0.2:5000", "alice", &relayed);
        assert_int_equal(udp_ask(b, &u, TURN_CHANNEL_BIND, channel_attrs(0x4000, PEER_UDP)), 0);
        udp_channel_data(b, &u, 0x4000, "there");
        const struct kept *k = bench_take(b, &(struct endpoint){kit_ip("203.0.113.9"), 4000});
        assert_true(k && k->lent && k->len == 5); /* never a copy */
        assert_int_equal(k->id, bench_socket(b, IO_OP_UDP, &relayed));
        peer_sends(b, PEER_UDP, &relayed, "back");
        assert_int_equal(client_gets(b, &u, "back"), 'c');
        peer_sends(b, "203.0.113.9:4001", &relayed, "no channel"); /* but a permission: it is for the address */
        assert_int_equal(client_gets(b, &u, "no channel"), 'd');
        peer_sends(b, "203.0.113.8:4000", &relayed, "neither");
        assert_int_equal(client_gets(b, &u, ""), 0);
        bench_free(b);
    }
}

/* 5-15: an Allocate that comes again, byte for byte, has the same answer; another one on that 5-tuple is 437. */
static void retransmission(void **state)
{
    (void)state;
    struct bench *b = bench();
    struct udp_client u = udp_client(b, "10.0.0.2:5000", "alice");
    uint8_t buf[512];
    size_t n = compose(&u.c, TURN_ALLOCATE, UDP, buf, sizeof buf);
    struct endpoint first = {.port = 0};
    static const uint64_t at[] = {0, NS_S, 10 * NS_S, 39 * NS_S};
    for (size_t i = 0; i < COUNT(at); i++) {
        bench_until(b, 2 * NS_S + at[i]);
        udp_send(b, &u, buf, n);
        assert_int_equal(udp_answer(b, &u), 0);
        struct endpoint relayed = relayed_of(&u.c);
        first = first.port ? first : relayed;
        assert_true(endpoint_equal(&relayed, &first));
    }
    assert_int_equal(udp_ask(b, &u, TURN_ALLOCATE, UDP), 437);
    assert_int_equal(udp_ask(b, &u, TURN_ALLOCATE, ""), 437); /* 7.2-4 */
    struct turn_stats st;
    turn_stats(b->turn, &st);
    assert_int_equal(st.allocations, 1);
    bench_free(b);
}

/* EXP-1, EXP-2; and an upper bound of the memory that goes with it. */
static void sizes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned ports;
        uint32_t allocations, each;
    } table[] = {{"small", 1, 1800, 0}, {"medium", 1, 1800, 0}, {"large", 6, 6000, 1000}};
    for (size_t i = 0; i < COUNT(table); i++) {
        const struct turn_size *size = turn_size_named(table[i].name);
        assert_non_null(size);
        assert_int_equal(size->ports, table[i].ports);
        assert_int_equal(size->allocations, table[i].allocations);
        assert_int_equal(size->port_allocations, table[i].each);
    }
    assert_null(turn_size_named("huge"));
    struct bench *b = bench();
    assert_in_range(turn_footprint(b->turn), 1024 * 65536, 1024 * 131072); /* most of it frames that nobody needs */
    bench_free(b);
}

/* 6-2, 6-3: other passwords for who comes from now on; an allocation keeps its key, also when its user is gone. */
static void users_change(void **state)
{
    (void)state;
    struct bench *b = bench();
    struct endpoint relayed;
    struct udp_client alice = udp_allocated(b, "10.0.0.2:5000", "alice", &relayed);
    struct udp_client bob = udp_allocated(b, "10.0.0.2:5001", "bob", &relayed);
    static const struct turn_user other[] = {{"alice", "changed"}, {"carol", "new"}};
    assert_int_equal(turn_set_users(b->turn, other, 2), 0);
    assert_int_equal(udp_ask(b, &alice, TURN_REFRESH, ""), 0);
    assert_int_equal(udp_ask(b, &bob, TURN_REFRESH, ""), 0);
    struct udp_client late = udp_client(b, "10.0.0.2:5002", "alice");
    assert_int_equal(udp_ask(b, &late, TURN_ALLOCATE, UDP), 401); /* with the old password */
    late.c.user = "bob";
    assert_int_equal(udp_ask(b, &late, TURN_ALLOCATE, UDP), 401);
    assert_int_equal(udp_ask(b, &bob, TURN_REFRESH, u32_attr(ATTR_LIFETIME, 0)), 0);
    assert_int_equal(udp_ask(b, &bob, TURN_ALLOCATE, UDP), 401);
    assert_int_equal(turn_set_users(b->turn, users, 2), 0);
    assert_int_equal(udp_ask(b, &bob, TURN_ALLOCATE, UDP), 0);
    struct turn_stats st;
    turn_stats(b->turn, &st);
    assert_int_equal(st.allocations, 2);
    bench_free(b);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        {"8656-5-13, 7.2-41..46, 11.2-7, 11.3-1 there and back", there_and_back, NULL, NULL, NULL},
        {"8656-11.3-3, 12.5-1, 12.2-9 by channel", by_channel, NULL, NULL, NULL},
        {"8656-5-15, 7.2-3 retransmission", retransmission, NULL, NULL, NULL},
        {"EXP-1, EXP-2 sizes", sizes, NULL, NULL, NULL},
        {"8656-6-2, 6-3 users change", users_change, NULL, NULL, NULL},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
