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

/* ---- permissions ---- */

static bool gets_from(struct bench *b, struct udp_client *u, const char *peer, const struct endpoint *relayed)
{
    peer_sends(b, peer, relayed, "knock");
    char c = client_gets(b, u, "knock");
    assert_true(c == 0 || c == 'd');
    return c == 'd';
}

/* 9-1..9-5, 9-7, 10.2-8, 11.2-4, -5, 8.2-8: 300 s from the last request, by address, whatever flows. */
static void permissions(void **state)
{
    (void)state;
    struct bench *b = bench();
    struct endpoint relayed, elsewhere;
    struct udp_client u = udp_allocated(b, "10.0.0.2:5000", "alice", &relayed);
    struct udp_client other = udp_allocated(b, "10.0.0.2:5001", "alice", &elsewhere);
    char three[256];
    snprintf(three, sizeof three, "%s%s%s", peer_attr("203.0.113.9:0"), peer_attr("203.0.113.8:65535"),
             peer_attr("203.0.113.7:1"));
    assert_int_equal(udp_ask(b, &u, TURN_CREATE_PERMISSION, three), 0);
    uint64_t born = b->now;
    assert_true(gets_from(b, &u, "203.0.113.9:1", &relayed) && gets_from(b, &u, "203.0.113.8:2", &relayed));
    assert_true(gets_from(b, &u, "203.0.113.7:3", &relayed));
    assert_false(gets_from(b, &u, "203.0.113.6:1", &relayed)); /* 9-4, 21-5, 21-7 */
    assert_false(gets_from(b, &other, "203.0.113.9:1", &elsewhere));
    bench_until(b, born + 200 * NS_S);
    assert_int_equal(udp_ask(b, &u, TURN_CREATE_PERMISSION, peer_attr("203.0.113.8:0")), 0);
    bench_until(b, born + 250 * NS_S);
    assert_int_equal(udp_ask(b, &u, TURN_REFRESH, ""), 0);
    while (b->now < born + 299 * NS_S) {
        assert_true(gets_from(b, &u, "203.0.113.9:1", &relayed));
        udp_indicate(b, &u, "203.0.113.9:1", "on");
        assert_true(peer_gets(b, "203.0.113.9:1", "on"));
        bench_until(b, b->now + NS_S);
    }
    bench_until(b, born + 300 * NS_S);
    assert_false(gets_from(b, &u, "203.0.113.9:1", &relayed));
    udp_indicate(b, &u, "203.0.113.9:1", "late");
    assert_true(peer_gets(b, "203.0.113.9:1", NULL));
    bench_until(b, born + 499 * NS_S);
    assert_true(gets_from(b, &u, "203.0.113.8:1", &relayed));
    bench_until(b, born + 500 * NS_S);
    assert_false(gets_from(b, &u, "203.0.113.8:1", &relayed));
    bench_free(b);
}

/* 10.2-2, -4: all or none; and the expired make room. */
static void all_or_none(void **state)
{
    (void)state;
    struct turn_config cfg = bench_config();
    cfg.limits.permissions = 2;
    struct bench *b = bench_with(&cfg);
    struct endpoint relayed;
    struct udp_client u = udp_allocated(b, "10.0.0.2:5000", "alice", &relayed);
    char many[256];
    snprintf(many, sizeof many, "%s%s", peer_attr("203.0.113.1:0"), peer_attr("127.0.0.1:0"));
    assert_int_equal(udp_ask(b, &u, TURN_CREATE_PERMISSION, many), 403);
    snprintf(many, sizeof many, "%s%s%s", peer_attr("203.0.113.1:0"), peer_attr("203.0.113.2:0"),
             peer_attr("203.0.113.3:0"));
    assert_int_equal(udp_ask(b, &u, TURN_CREATE_PERMISSION, many), 508);
    assert_false(gets_from(b, &u, "203.0.113.1:1", &relayed));
    snprintf(many, sizeof many, "%s%s%s", peer_attr("203.0.113.1:0"), peer_attr("203.0.113.2:0"),
             peer_attr("203.0.113.1:7"));
    assert_int_equal(udp_ask(b, &u, TURN_CREATE_PERMISSION, many), 0); /* one of them twice */
    assert_int_equal(udp_ask(b, &u, TURN_CREATE_PERMISSION, peer_attr("203.0.113.4:0")), 508);
    bench_until(b, b->now + 300 * NS_S);
    assert_int_equal(udp_ask(b, &u, TURN_CREATE_PERMISSION, peer_attr("203.0.113.4:0")), 0);
    bench_free(b);
}

/* 21-6, 21-10, 21-11, 10.2-5, 11.2-6, 12.2-7: refused in each way there is; what is allowed is allowed. */
static void policy(void **state)
{
    (void)state;
    static const char *const denied[] = {
        "127.0.0.1:80", "0.0.0.0:80", "0.1.2.3:80", "224.0.0.1:80", "255.255.255.255:80", "169.254.169.254:80",
        SERVER, "192.0.2.1:50000", "10.9.9.9:80",
    };
    struct turn_config cfg = bench_config();
    struct ip_prefix deny, allow;
    assert_int_equal(prefix_parse("10.0.0.0/8", &deny), 0);
    assert_int_equal(prefix_parse("10.1.0.0/16", &allow), 0);
    cfg.deny_peer = &deny;
    cfg.allow_peer = &allow;
    cfg.deny_peer_count = cfg.allow_peer_count = 1;
    struct bench *b = bench_with(&cfg);
    struct endpoint relayed;
    struct udp_client u = udp_allocated(b, "10.0.0.2:5000", "alice", &relayed);
    for (size_t i = 0; i < COUNT(denied); i++) {
        assert_int_equal(udp_ask(b, &u, TURN_CREATE_PERMISSION, peer_attr(denied[i])), 403);
        assert_int_equal(udp_ask(b, &u, TURN_CHANNEL_BIND, channel_attrs(0x4000, denied[i])), 403);
        udp_indicate(b, &u, denied[i], "x");
        assert_int_equal(b->kept_count, 0);
    }
    assert_int_equal(udp_ask(b, &u, TURN_CHANNEL_BIND, channel_attrs(0x4000, "10.1.2.3:80")), 0);
    udp_channel_data(b, &u, 0x4000, "x");
    assert_true(peer_gets(b, "10.1.2.3:80", "x"));
    bench_free(b);
}

/* ---- channels ---- */

/* What the client gets for a datagram of the peer: by channel, as Data, or nothing. */
static char from_peer(struct bench *b, struct udp_client *u, const struct endpoint *relayed)
{
    peer_sends(b, PEER_UDP, relayed, "knock");
    return client_gets(b, u, "knock");
}

/* 12-3, 12-4, 12.2-9, 12.6-4: a channel lives 600 s, its permission 300 s; neither is prolonged by what flows. */
static void channel_times(void **state)
{
    (void)state;
    struct bench *b = bench();
    struct endpoint relayed;
    struct udp_client u = udp_allocated(b, "10.0.0.2:5000", "alice", &relayed);
    assert_int_equal(udp_ask(b, &u, TURN_REFRESH, u32_attr(ATTR_LIFETIME, 3600)), 0);
    assert_int_equal(udp_ask(b, &u, TURN_CHANNEL_BIND, channel_attrs(0x4000, PEER_UDP)), 0);
    uint64_t born = b->now;
    for (uint64_t s = 1; s < 300; s++) {
        bench_until(b, born + s * NS_S);
        assert_int_equal(from_peer(b, &u, &relayed), 'c');
        udp_channel_data(b, &u, 0x4000, "on");
        assert_true(peer_gets(b, PEER_UDP, "on"));
    }
    bench_until(b, born + 300 * NS_S);
    assert_int_equal(from_peer(b, &u, &relayed), 0); /* the channel lives, the permission does not */
    udp_channel_data(b, &u, 0x4000, "late");
    assert_true(peer_gets(b, PEER_UDP, NULL)); /* 12.6-5: our reading */
    assert_int_equal(udp_ask(b, &u, TURN_CREATE_PERMISSION, peer_attr(PEER_UDP)), 0);
    assert_int_equal(from_peer(b, &u, &relayed), 'c');
    bench_until(b, born + 500 * NS_S);
    assert_int_equal(udp_ask(b, &u, TURN_CHANNEL_BIND, channel_attrs(0x4000, PEER_UDP)), 0);
    bench_until(b, born + 700 * NS_S);
    assert_int_equal(from_peer(b, &u, &relayed), 'c');
    bench_until(b, born + 900 * NS_S);
    assert_int_equal(udp_ask(b, &u, TURN_CREATE_PERMISSION, peer_attr(PEER_UDP)), 0);
    bench_until(b, born + 1099 * NS_S);
    assert_int_equal(from_peer(b, &u, &relayed), 'c');
    bench_until(b, born + 1100 * NS_S);
    assert_int_equal(from_peer(b, &u, &relayed), 'd');
    udp_channel_data(b, &u, 0x4000, "late");
    assert_true(peer_gets(b, PEER_UDP, NULL));
    assert_int_equal(udp_ask(b, &u, TURN_CHANNEL_BIND, channel_attrs(0x4001, PEER_UDP)), 0); /* it is free again */
    assert_int_equal(udp_ask(b, &u, TURN_CHANNEL_BIND, channel_attrs(0x4000, "203.0.113.9:1")), 0);
    bench_free(b);
}

/* 12.2-3..5, 12-7, 12.2-8: one number an address, one address a number, each allocation for itself. */
static void bindings(void **state)
{
    (void)state;
    struct turn_config cfg = bench_config();
    cfg.limits.channels = 40;
    struct bench *b = bench_with(&cfg);
    struct endpoint relayed, elsewhere;
    struct udp_client u = udp_allocated(b, "10.0.0.2:5000", "alice", &relayed);
    struct udp_client other = udp_allocated(b, "10.0.0.2:5001", "alice", &elsewhere);
    assert_int_equal(udp_ask(b, &u, TURN_CHANNEL_BIND, channel_attrs(0x4000, PEER_UDP)), 0);
    assert_int_equal(udp_ask(b, &u, TURN_CHANNEL_BIND, channel_attrs(0x4000, "203.0.113.9:1")), 400);
    assert_int_equal(udp_ask(b, &u, TURN_CHANNEL_BIND, channel_attrs(0x4001, PEER_UDP)), 400);
    assert_int_equal(from_peer(b, &u, &relayed), 'c'); /* undisturbed */
    assert_int_equal(udp_ask(b, &u, TURN_CHANNEL_BIND, channel_attrs(0x4001, "203.0.113.9:1")), 0); /* 12.2-5 */
    assert_int_equal(udp_ask(b, &other, TURN_CHANNEL_BIND, channel_attrs(0x4000, "203.0.113.9:2")), 0);
    udp_channel_data(b, &u, 0x4000, "u");
    udp_channel_data(b, &other, 0x4000, "other");
    assert_true(peer_gets(b, PEER_UDP, "u") && peer_gets(b, "203.0.113.9:2", "other"));
    for (unsigned i = 2; i <= 40; i++) { /* more than there are buckets, and one too many */
        char peer[32];
        snprintf(peer, sizeof peer, "203.0.113.9:%u", 100 + i);
        assert_int_equal(udp_ask(b, &u, TURN_CHANNEL_BIND, channel_attrs(0x4000 + i, peer)), i < 40 ? 0 : 508);
    }
    for (unsigned i = 2; i < 40; i++) {
        char peer[32];
        snprintf(peer, sizeof peer, "203.0.113.9:%u", 100 + i);
        udp_channel_data(b, &u, 0x4000 + i, peer);
        assert_true(peer_gets(b, peer, peer));
    }
    bench_until(b, b->now + 600 * NS_S - 1);
    assert_int_equal(udp_ask(b, &u, TURN_REFRESH, ""), 0);
    bench_until(b, b->now + 1);
    assert_int_equal(udp_ask(b, &u, TURN_CHANNEL_BIND, channel_attrs(0x4100, PEER_UDP)), 0); /* the expired make room */
    struct turn_stats st;
    turn_stats(b->turn, &st);
    assert_int_equal(st.channels, 1);
    bench_free(b);
}

/* ---- payloads ---- */

/* 11.2-7, 11.2-2, 12.4-1, 12.5-3, 12.6-2, 12.6-6: exactly the payload, the empty one too, padding never. */
static void lengths(void **state)
{
    (void)state;
    struct bench *b = bench();
    struct endpoint relayed, peer = kit_endpoint(PEER_UDP);
    struct udp_client u = udp_allocated(b, "10.0.0.2:5000", "alice", &relayed);
    assert_int_equal(udp_ask(b, &u, TURN_CREATE_PERMISSION, peer_attr(PEER_UDP)), 0);
    for (int channel = 0; channel < 2; channel++) {
        for (size_t len = 0; len < 10; len++) {
            uint8_t buf[64] = {0};
            const struct kept *k;
            if (channel) {
                store16(buf, 0x4000);
                store16(buf + 2, (unsigned)len);
                memcpy(buf + 4, "012345678", len);
                for (size_t pad = 0; pad < 4; pad++) {
                    udp_send(b, &u, buf, 4 + len + pad);
                    k = bench_take(b, &peer);
                    assert_true(k && k->len == len && memcmp(k->data, "012345678", len) == 0);
                }
                if (len) {
                    udp_send(b, &u, buf, 4 + len - 1);
                    assert_null(bench_take(b, &peer));
                }
            } else {
                size_t n = send_indication(buf, sizeof buf, PEER_UDP, "012345678", len, "");
                udp_send(b, &u, buf, n);
                k = bench_take(b, &peer);
                assert_true(k && k->len == len && memcmp(k->data, "012345678", len) == 0);
            }
            char text[16] = "012345678";
            text[len] = '\0';
            peer_sends(b, PEER_UDP, &relayed, text);
            assert_int_equal(client_gets(b, &u, text), channel ? 'c' : 'd');
        }
        assert_int_equal(udp_ask(b, &u, TURN_CHANNEL_BIND, channel_attrs(0x4000, PEER_UDP)), 0);
    }
    bench_free(b);
}

/* 11.2-1, -3, -8, 5-2: Send that is not in order is dropped without a word; one with a MAC is as good as one
 * without. */
static void sends(void **state)
{
    (void)state;
    static const struct {
        const char *name, *attrs;
        bool passes, df;
    } table[] = {
        {"no DATA", "00120008 00012eb2 ea1213cd", false, false},
        {"no address", "00130004 74657374", false, false},
        {"an address of seven bytes", "00120007 00012eb2ea121300 00130004 74657374", false, false},
        {"an unknown attribute", "00120008 00012eb2 ea126c4b 00130004 74657374 7abc0000", false, false},
        {"an unknown optional one", "00120008 00012eb2 ea126c4b 00130004 74657374 ff000000", true, false},
        {"a MAC of whatever", "00120008 00012eb2 ea126c4b 00130004 74657374 00080014 "
                              "0000000000000000000000000000000000000000", true, false},
        {"IPv6 on IPv4", "00120014 00025c74 0113a9fa000000000000000000000000 00130004 74657374", false, false},
        {"DONT-FRAGMENT", "00120008 00012eb2 ea126c4b 00130004 74657374 001a0000", true, true},
    };
    for (int can = 0; can < 2; can++) {
        struct turn_config cfg = bench_config();
        cfg.dont_fragment = can;
        struct bench *b = bench_with(&cfg);
        struct endpoint relayed;
        struct udp_client u = udp_allocated(b, "10.0.0.2:5000", "alice", &relayed);
        assert_int_equal(udp_ask(b, &u, TURN_CREATE_PERMISSION, peer_attr("203.0.200.9:0")), 0);
        for (size_t i = 0; i < COUNT(table); i++) {
            uint8_t buf[256];
            struct stun_out o;
            struct stun_id id = {{0x21, 0x12, 0xa4, 0x42}};
            stun_begin(&o, &stun_rfc8489, buf, sizeof buf, 0x0016, &id);
            put_hex(&o, table[i].attrs);
            udp_send(b, &u, buf, (size_t)stun_end(&o));
            bool want = table[i].passes && (can || !table[i].df);
            const struct kept *k = b->kept_count ? &b->kept[0] : NULL;
            if (!k != !want || (k && (k->len != 4 || memcmp(k->data, "test", 4) != 0 || k->remote.port != 4000)))
                fail_msg("%s (%d)", table[i].name, can);
            assert_true(!k || k->dont_fragment == table[i].df);
            b->kept_count = 0;
        }
        bench_free(b);
    }
}

/* 11.5-1..4: the errors that count, to a client that may send there. */
static void icmp(void **state)
{
    (void)state;
    static const struct {
        struct io_icmp icmp;
        bool v6, counts;
    } table[] = {
        {{3, 3, 0}, false, true},     {{3, 4, 1300}, false, true}, {{11, 0, 0}, false, true}, {{5, 0, 0}, false, false},
        {{12, 0, 0}, false, false},   {{4, 0, 0}, false, false},   {{1, 4, 0}, true, true},  {{2, 0, 1280}, true, true},
        {{3, 0, 0}, true, true},      {{4, 0, 0}, true, false},    {{0, 0, 0}, true, false},
    };
    struct bench *b = bench();
    struct endpoint relayed[2], peers[2] = {kit_endpoint(PEER_UDP), kit_endpoint("[2001:db8::9]:4000")};
    struct udp_client u = udp_client(b, "10.0.0.2:5000", "alice");
    assert_int_equal(udp_ask(b, &u, TURN_ALLOCATE, UDP "80000004 02000000"), 0);
    struct stun_attr a = {0};
    for (size_t n = 0; stun_next(&u.c.m, &a);)
        if (a.type == ATTR_XOR_RELAYED_ADDRESS)
            assert_int_equal(stun_attr_address(&u.c.m, &a, &relayed[n++]), 0);
    for (int permitted = 0; permitted < 2; permitted++) {
        for (size_t i = 0; i < COUNT(table); i++) {
            const struct endpoint *peer = &peers[table[i].v6];
            bench_tell(b, (struct io_in){.event = IO_ICMP, .id = bench_socket(b, IO_OP_UDP, &relayed[table[i].v6]),
                                         .local = relayed[table[i].v6], .remote = *peer, .icmp = table[i].icmp});
            const struct kept *k = bench_take(b, &u.at);
            assert_int_equal(k != NULL, permitted && table[i].counts);
            if (!k)
                continue;
            struct stun_msg m;
            struct endpoint got;
            uint64_t v;
            assert_int_equal(stun_parse(&stun_rfc8489, k->data, k->len, &m), 0);
            assert_int_equal(m.type, 0x0017);
            assert_int_equal(stun_get_address(&m, ATTR_XOR_PEER_ADDRESS, &got), 0);
            assert_true(endpoint_equal(&got, peer));
            assert_false(stun_find(&m, ATTR_DATA, &a));
            assert_int_equal(stun_get_u64(&m, ATTR_ICMP, &v), 0);
            assert_int_equal(v, (uint64_t)(table[i].icmp.type << 8 | table[i].icmp.code) << 32 | table[i].icmp.data);
        }
        uint8_t buf[512]; /* an IPv6 address is XORed with the transaction id */
        struct stun_id id = {{0x21, 0x12, 0xa4, 0x42, ++u.c.tid}};
        struct stun_out o;
        uint8_t key[16];
        stun_begin(&o, &stun_rfc8489, buf, sizeof buf, 0x0008, &id);
        for (int i = 0; i < 2; i++)
            stun_put_address(&o, ATTR_XOR_PEER_ADDRESS, &peers[i]);
        key_of(&u.c, key);
        stun_put_text(&o, ATTR_USERNAME, "alice");
        stun_put_text(&o, ATTR_REALM, "example.org");
        stun_put_text(&o, ATTR_NONCE, u.c.nonce);
        stun_put_integrity(&o, key, sizeof key, false);
        udp_send(b, &u, buf, (size_t)stun_end(&o));
        assert_int_equal(udp_answer(b, &u), 0);
    }
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
        {"8656-9-1..5, 9-7, 10.2-8, 11.2-4, -5, 8.2-8 permissions", permissions, NULL, NULL, NULL},
        {"8656-10.2-2, -4 all or none", all_or_none, NULL, NULL, NULL},
        {"8656-21-6, -10, -11, 10.2-5, 11.2-6, 12.2-7 policy", policy, NULL, NULL, NULL},
        {"8656-12-3, -4, 12.2-9, 12.6-4 channel times", channel_times, NULL, NULL, NULL},
        {"8656-12.2-3..5, -8, 12-7 bindings", bindings, NULL, NULL, NULL},
        {"8656-11.2-2, -7, 12.4-1, 12.5-3, 12.6-2, -6 lengths", lengths, NULL, NULL, NULL},
        {"8656-11.2-1, -3, -8, 5-2 sends", sends, NULL, NULL, NULL},
        {"8656-11.5-1..4 icmp", icmp, NULL, NULL, NULL},
        {"EXP-1, EXP-2 sizes", sizes, NULL, NULL, NULL},
        {"8656-6-2, 6-3 users change", users_change, NULL, NULL, NULL},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
