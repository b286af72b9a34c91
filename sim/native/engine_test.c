/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine without TCP: time, links as seen by a tap, UDP, ICMP, fragments, and that the same seed gives
 * the same run. */
#include "sim/native/testnet_kit.h"

#include <string.h>

#include "models/base/bytes.h"

static const char *const addresses[][2] = {{"10.0.1.1:1000", "10.0.2.1:2000"},
                                           {"[2001:db8:1::1]:1000", "[2001:db8:2::1]:2000"}};

/* ---- timers ---- */

struct clock {
    struct net *net;
    char order[64];
    unsigned rung;
    net_timer again;
};

struct alarm {
    struct clock *clock;
    char name;
};

static void rings(void *ctx)
{
    struct alarm *a = ctx;
    a->clock->order[a->clock->rung++] = a->name;
}

static void rings_and_sets(void *ctx)
{
    struct alarm *a = ctx;
    rings(ctx);
    struct net *n = a->clock->net;
    n->ops->timer_cancel(n, a->clock->again); /* fired already: nothing happens, to nobody */
    net_timer t = n->ops->timer_set(n, n->ops->now(n), rings, a);
    assert_int_not_equal(t, a->clock->again);
}

static void stops(void *ctx)
{
    struct alarm *a = ctx;
    rings(ctx);
    a->clock->net->ops->stop(a->clock->net);
}

static void timers(void **state)
{
    (void)state;
    struct clock c = {.net = net_native.create(1)};
    struct alarm a = {&c, 'a'}, b = {&c, 'b'}, d = {&c, 'd'}, e = {&c, 'e'};
    net_native.timer_set(c.net, 200, rings, &a);
    net_native.timer_set(c.net, 100, rings, &b);
    net_timer gone = net_native.timer_set(c.net, 150, rings, &d);
    c.again = net_native.timer_set(c.net, 100, rings_and_sets, &e);
    net_native.timer_set(c.net, 100, rings, &d);
    net_native.timer_cancel(c.net, gone);
    net_native.timer_cancel(c.net, gone);
    net_native.timer_cancel(c.net, 0);
    net_native.run(c.net, 99);
    assert_string_equal(c.order, "");
    assert_int_equal(net_native.now(c.net), 99);
    net_native.run(c.net, 100);
    assert_string_equal(c.order, "bede"); /* equal times in the order asked for; the new one last */
    net_timer reuse = net_native.timer_set(c.net, 300, rings, &b);
    assert_int_not_equal(reuse, gone);
    net_native.timer_cancel(c.net, gone); /* an id of old does not hit the new timer in its place */
    net_native.run(c.net, TIME_NEVER);
    assert_string_equal(c.order, "bedeab");
    assert_int_equal(net_native.now(c.net), 300);
    net_native.timer_set(c.net, 400, stops, &a);
    net_native.timer_set(c.net, 400, rings, &b);
    net_native.run(c.net, 1000);
    assert_string_equal(c.order, "bedeaba");
    assert_int_equal(net_native.now(c.net), 400);
    net_native.run(c.net, 1000);
    assert_string_equal(c.order, "bedeabab");
    assert_int_equal(net_native.now(c.net), 1000);
    net_native.destroy(c.net);
}

/* ---- UDP ---- */

static int user_udp(struct user *u, const char *at)
{
    struct endpoint e = kit_endpoint(at);
    return net_native.udp_open(u->net, u->node, &e, &u->sock);
}

static int user_sendto(struct user *u, const char *to, size_t len)
{
    static uint8_t bytes[65536];
    for (size_t i = 0; i < len; i++)
        bytes[i] = pattern(i);
    struct endpoint e = kit_endpoint(to);
    return net_native.udp_send(u->net, u->sock, &e, bytes, len);
}

static void udp_both_families(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct testnet t;
        testnet_open(&t, 1, NULL, NULL, NULL);
        assert_int_equal(user_udp(&t.a, addresses[i][0]), 0);
        assert_int_equal(user_udp(&t.b, addresses[i][1]), 0);
        assert_int_equal(user_sendto(&t.a, addresses[i][1], 300), 0);
        assert_int_equal(user_sendto(&t.b, addresses[i][0], 0), 0);
        testnet_run(&t, NS_S);
        struct endpoint a = kit_endpoint(addresses[i][0]), b = kit_endpoint(addresses[i][1]);
        assert_int_equal(t.b.count[NET_DATAGRAM], 1);
        assert_int_equal(t.b.datagram_bytes, 300);
        assert_true(endpoint_equal(&t.b.remote, &a) && endpoint_equal(&t.b.local, &b));
        assert_int_equal(t.a.count[NET_DATAGRAM], 1);
        assert_int_equal(t.a.datagram_bytes, 0);
        assert_int_equal(t.b.wrong, 0);
        testnet_close(&t);
    }
}

static void udp_addresses(void **state)
{
    (void)state;
    struct testnet t;
    testnet_open(&t, 1, NULL, NULL, NULL);
    assert_int_equal(user_udp(&t.a, "10.0.1.1:5"), 0);
    net_sock exact = t.a.sock;
    assert_int_equal(user_udp(&t.a, "10.0.1.1:5"), E_EXISTS);
    assert_int_equal(user_udp(&t.a, "0.0.0.0:5"), E_EXISTS);
    assert_int_equal(user_udp(&t.a, "[::]:5"), 0);
    assert_int_equal(user_udp(&t.a, "10.0.2.1:5"), E_UNREACHABLE);
    net_native.sock_close(t.net, exact);
    assert_int_equal(user_udp(&t.a, "0.0.0.0:5"), 0); /* free again */
    assert_int_equal(user_udp(&t.a, "0.0.0.0:0"), 0);
    assert_int_equal(user_udp(&t.b, "10.0.2.1:7"), 0);
    assert_int_equal(user_sendto(&t.a, "10.0.2.1:7", 1), 0);
    testnet_run(&t, NS_S);
    struct endpoint from = kit_endpoint("10.0.1.1:49152"); /* address of the interface, first ephemeral port */
    assert_true(endpoint_equal(&t.b.remote, &from));
    assert_int_equal(user_sendto(&t.a, "10.0.1.77:7", 1), E_UNREACHABLE);
    assert_int_equal(user_sendto(&t.a, "224.0.0.1:7", 1), E_UNREACHABLE);
    assert_int_equal(user_sendto(&t.a, "[2001:db8:2::1]:7", 1), E_UNREACHABLE); /* bound to the other family */
    assert_int_equal(user_sendto(&t.a, "10.0.2.1:7", 65508), E_SPACE);
    testnet_close(&t);
}

/* A closed port says so, to the socket that sent there. */
static void udp_port_unreachable(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct testnet t;
        testnet_open(&t, 1, NULL, NULL, NULL);
        user_udp(&t.a, addresses[i][0]);
        assert_int_equal(user_sendto(&t.a, addresses[i][1], 10), 0);
        testnet_run(&t, NS_S);
        struct endpoint to = kit_endpoint(addresses[i][1]);
        assert_int_equal(t.a.count[NET_ICMP], 1);
        assert_true(endpoint_equal(&t.a.remote, &to));
        assert_int_equal(t.a.icmp, i ? 0x01040000 : 0x03030000);
        assert_int_equal(user_sendto(&t.a, addresses[i][1], 10), 0); /* and the socket lives */
        testnet_close(&t);
    }
}

/* RFC 791, 8200: longer than the MTU, in both families, up to the longest; in order and in disorder. */
static void fragmentation(void **state)
{
    (void)state;
    struct net_link_dir plain = {0}, shuffled = {.reorder_ppm = 300000, .reorder_ns = 5000, .duplicate_ppm = 200000};
    static const size_t lengths[] = {1472, 1473, 5000, 65507};
    for (size_t i = 0; i < 16; i++) {
        struct testnet t;
        size_t len = lengths[i / 4];
        testnet_open(&t, i, i & 2 ? &shuffled : &plain, NULL, NULL);
        user_udp(&t.a, addresses[i & 1][0]);
        user_udp(&t.b, addresses[i & 1][1]);
        assert_int_equal(user_sendto(&t.a, addresses[i & 1][1], len), 0);
        testnet_run(&t, NS_S);
        assert_in_range(t.b.count[NET_DATAGRAM], 1, i & 2 ? 2 : 1); /* copies may make a second whole */
        assert_int_equal(t.b.datagram_bytes, len * t.b.count[NET_DATAGRAM]);
        assert_int_equal(t.b.wrong, 0);
        size_t most = i & 1 ? 1448 : 1480, pieces = (len + 8 + most - 1) / most; /* multiples of 8 that fit */
        if (!(i & 2))
            assert_int_equal(t.sent, 2 * pieces);
        testnet_close(&t);
    }
}

/* A lost fragment loses the datagram and nothing else. */
static void fragment_lost(void **state)
{
    (void)state;
    static const uint32_t mask[] = {2};
    struct net_link_dir wan = {.loss = {.kind = LOSS_MASK, .mask = mask, .mask_count = 1}};
    struct testnet t;
    testnet_open(&t, 1, &wan, NULL, NULL);
    user_udp(&t.a, addresses[0][0]);
    user_udp(&t.b, addresses[0][1]);
    user_sendto(&t.a, addresses[0][1], 4000);
    user_sendto(&t.a, addresses[0][1], 4001);
    testnet_run(&t, NS_S);
    assert_int_equal(t.b.datagram_bytes, 4001);
    assert_int_equal(t.b.wrong, 0);
    testnet_close(&t);
}

/* RFC 1191: after "fragmentation needed" the next datagrams go in smaller pieces. */
static void udp_learns_the_path_mtu(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct testnet t;
        testnet_open(&t, 1, NULL, NULL, NULL);
        t.narrow = 1300;
        user_udp(&t.a, addresses[i][0]);
        user_udp(&t.b, addresses[i][1]);
        user_sendto(&t.a, addresses[i][1], 1400);
        testnet_run(&t, NS_S);
        assert_int_equal(t.b.datagram_bytes, 0);
        assert_int_equal(t.a.icmp, (i ? 0x02000000 : 0x03040000) + 1300);
        assert_int_equal(user_sendto(&t.a, addresses[i][1], 1400), 0);
        testnet_run(&t, 2 * NS_S);
        assert_int_equal(t.b.datagram_bytes, 1400);
        testnet_close(&t);
    }
}

/* ---- links through a tap ---- */

struct seen {
    uint64_t at_ns;
    enum net_tap_kind kind;
    net_node node;
    size_t len;
    char reason[8];
};

struct watch {
    struct seen seen[64];
    size_t count;
};

static void watch_tap(void *ctx, uint64_t now_ns, const struct net_tap *tap)
{
    struct watch *w = ctx;
    assert_true(w->count < 64);
    struct seen *s = &w->seen[w->count++];
    *s = (struct seen){now_ns, tap->kind, tap->end.node, tap->len, ""};
    if (tap->reason)
        strncpy(s->reason, tap->reason, sizeof s->reason - 1);
}

/* Three packets of 1,000 bytes at 8 Mbit/s: the first leaves at once, the second when the first has left, the
 * third finds no room; the fourth, later, is lost on the way. Every moment to the nanosecond. */
static void tap_tells_each_moment(void **state)
{
    (void)state;
    static const uint32_t mask[] = {3};
    struct net_link_dir wan = {.rate_bps = 8000000, .delay_ns = 5 * NS_MS + 1, .queue_bytes = 1500,
                               .loss = {.kind = LOSS_MASK, .mask = mask, .mask_count = 1}};
    struct testnet t;
    struct watch w = {0};
    testnet_open(&t, 1, &wan, NULL, NULL);
    net_native.tap_set(t.net, watch_tap, &w);
    user_udp(&t.a, addresses[0][0]);
    user_udp(&t.b, addresses[0][1]);
    for (int i = 0; i < 3; i++)
        user_sendto(&t.a, addresses[0][1], 1000 - 42);
    testnet_run(&t, 3 * NS_MS);
    user_sendto(&t.a, addresses[0][1], 58);
    testnet_run(&t, NS_S);
    net_node a = t.a.node, b = t.b.node, box = t.box;
    const struct seen want[] = {
        {0, TAP_SENT, a, 1000, ""},
        {0, TAP_DROPPED, a, 1000, "queue"},
        {1000000, TAP_SENT, a, 1000, ""},
        {3000000, TAP_SENT, a, 100, ""},
        {3000000, TAP_DROPPED, a, 100, "loss"},
        {6000001, TAP_DELIVERED, box, 1000, ""},
        {6000001, TAP_SENT, box, 1000, ""},
        {6000001, TAP_DELIVERED, b, 1000, ""},
        {7000001, TAP_DELIVERED, box, 1000, ""},
        {7000001, TAP_SENT, box, 1000, ""},
        {7000001, TAP_DELIVERED, b, 1000, ""},
    };
    assert_int_equal(w.count, sizeof want / sizeof *want);
    for (size_t i = 0; i < w.count; i++) {
        assert_int_equal(w.seen[i].at_ns, want[i].at_ns);
        assert_int_equal(w.seen[i].kind, want[i].kind);
        assert_int_equal(w.seen[i].node, want[i].node);
        assert_int_equal(w.seen[i].len, want[i].len);
        assert_string_equal(w.seen[i].reason, want[i].reason);
    }
    struct net_stats s;
    net_native.stats(t.net, &s);
    assert_int_equal(s.packet_hops, 4);
    testnet_close(&t);
}

static void udp_burst(struct testnet *t, unsigned packets)
{
    user_udp(&t->a, addresses[0][0]);
    user_udp(&t->b, addresses[0][1]);
    for (unsigned i = 0; i < packets; i++) {
        user_sendto(&t->a, addresses[0][1], i % 1000);
        testnet_run(t, (i + 1) * 1000);
    }
    testnet_run(t, NS_S);
}

static void every_packet_twice(void **state)
{
    (void)state;
    struct net_link_dir wan = {.duplicate_ppm = 1000000, .delay_ns = NS_MS};
    struct testnet t;
    testnet_open(&t, 1, &wan, NULL, NULL);
    udp_burst(&t, 50);
    assert_int_equal(t.b.count[NET_DATAGRAM], 100);
    assert_int_equal(t.b.wrong, 0);
    assert_int_equal(t.sent, 150); /* sent once, delivered twice, passed on twice */
    assert_int_equal(t.delivered, 200);
    testnet_close(&t);
}

/* Faults on the way arrive as such: counts agree between tap and user. */
static void faults_in_the_engine(void **state)
{
    (void)state;
    struct net_link_dir wan = {.rate_bps = 100000000, .delay_ns = NS_MS, .jitter_ns = 100000, .queue_bytes = 4000,
                               .duplicate_ppm = 100000, .reorder_ppm = 100000, .reorder_ns = 300000,
                               .loss = {.kind = LOSS_BERNOULLI, .loss_ppm = 100000}};
    struct testnet t;
    testnet_open(&t, 1, &wan, NULL, NULL);
    udp_burst(&t, 2000);
    assert_int_equal(t.b.wrong, 0);
    assert_in_range(t.dropped, 500, 1950);
    assert_int_equal(t.delivered, 2 * t.b.count[NET_DATAGRAM]);
    assert_true(t.b.count[NET_DATAGRAM] > 100);
    testnet_close(&t);
}

/* Same seed: the same frames at the same times. Another seed, with jitter: others. A tap changes nothing. */
static void determinism(void **state)
{
    (void)state;
    struct net_link_dir wan = {.rate_bps = 20000000, .delay_ns = NS_MS, .jitter_ns = NS_MS,
                               .loss = {.kind = LOSS_BERNOULLI, .loss_ppm = 20000}};
    uint64_t hash[4], received[4];
    for (unsigned i = 0; i < 4; i++) {
        struct testnet t;
        testnet_open(&t, i == 2 ? 2 : 1, &wan, &wan, NULL);
        if (i == 3)
            net_native.tap_set(t.net, NULL, NULL);
        t.a.to_send = 300000;
        user_listen(&t.b, "10.0.2.1:80");
        user_connect(&t.a, NULL, "10.0.2.1:80");
        testnet_run(&t, 60 * NS_S);
        hash[i] = t.hash;
        received[i] = t.b.at_ns;
        assert_int_equal(t.b.received, 300000);
        testnet_close(&t);
    }
    assert_true(hash[0] == hash[1] && hash[0] != hash[2] && hash[0] != 0);
    assert_true(received[0] == received[3] && received[0] != received[2]);
}

/* ---- ICMP and boxes ---- */

struct pinger {
    struct testnet *t;
    unsigned replies;
    size_t bytes;
};

static int pinger_box(void *ctx, unsigned port, uint8_t *frame, size_t len)
{
    struct pinger *p = ctx;
    struct wire_packet k;
    (void)port;
    assert_int_equal(wire_parse(frame, len, &k), 0);
    assert_int_equal(wire_check(&k), 0);
    p->replies += k.fragment_at == 0;
    p->bytes += k.payload + k.payload_len - k.upper;
    if (k.fragment_at == 0)
        assert_int_equal(k.sport, k.family == IP_V4 ? 0 : 129);
    return NET_DROP;
}

/* A host without a handler answers pings, also long ones in fragments, and resets. */
static void echo(void **state)
{
    (void)state;
    static const char *const from[] = {"10.0.1.254", "2001:db8:1::fe"}, *const to[] = {"10.0.1.1", "2001:db8:1::1"};
    static const struct net_link_dir ideal;
    for (size_t i = 0; i < 2; i++) {
        struct testnet t = {.net = net_native.create(1)};
        struct pinger ping = {.t = &t};
        struct net_node_spec box = {.name = "r", .kind = NET_BOX, .box = pinger_box, .ctx = &ping};
        t.box = net_native.node_add(t.net, &box);
        testnet_host(&t, &t.a, "a", "10.0.1.1/24", "2001:db8:1::1/64", 1, NULL, &ideal, &ideal);
        struct ip_addr src = kit_ip(from[i]), dst = kit_ip(to[i]);
        uint8_t f[200] = {0};
        size_t n = wire_put_eth(f, f, f, i ? ETHERTYPE_IP6 : ETHERTYPE_IP4), icmp;
        n += icmp = wire_put_ip(f + n, &src, &dst, i ? PROTO_ICMP6 : PROTO_ICMP, 9, 1, WIRE_ICMP + 64);
        n += wire_put_icmp(f + n, i ? 128 : 8, 0, 0x12340001);
        n += 64;
        wire_seal(f, n);
        net_native.box_send(t.net, t.box, 0, f, n);
        testnet_run(&t, NS_S);
        assert_int_equal(ping.replies, 1);
        assert_int_equal(ping.bytes, WIRE_ICMP + 64);
        f[n - 1] ^= 1; /* a broken checksum gets no answer */
        net_native.box_send(t.net, t.box, 0, f, n);
        testnet_run(&t, 2 * NS_S);
        assert_int_equal(ping.replies, 1);
        testnet_close(&t);
    }
}

/* Not for this host: a switch flooded it. And what is no IP at all. */
static void foreign_frames_are_ignored(void **state)
{
    (void)state;
    static const struct net_link_dir ideal;
    struct testnet t = {.net = net_native.create(1)};
    struct pinger ping = {.t = &t};
    struct net_node_spec box = {.name = "r", .kind = NET_BOX, .box = pinger_box, .ctx = &ping};
    t.box = net_native.node_add(t.net, &box);
    testnet_host(&t, &t.a, "a", "10.0.1.1/24", "2001:db8:1::1/64", 1, NULL, &ideal, &ideal);
    struct ip_addr src = kit_ip("10.0.1.254"), other = kit_ip("10.0.1.2");
    uint8_t f[64] = {0};
    size_t n = wire_put_eth(f, f, f, ETHERTYPE_IP4);
    n += wire_put_ip(f + n, &src, &other, PROTO_UDP, 9, 1, WIRE_UDP);
    n += wire_put_udp(f + n, 1, 2, 0);
    wire_seal(f, n);
    net_native.box_send(t.net, t.box, 0, f, n);
    store16(f + 12, 0x0806);
    net_native.box_send(t.net, t.box, 0, f, n);
    net_native.box_send(t.net, t.box, 0, f, 3);
    testnet_run(&t, NS_S);
    assert_int_equal(ping.replies, 0);
    testnet_close(&t);
}

static void neighbours(void **state)
{
    (void)state;
    struct testnet t;
    uint8_t mac[6], proxy[6] = {2, 9, 9, 9, 9, 9};
    testnet_open(&t, 1, NULL, NULL, NULL);
    struct ip_addr known = kit_ip("2001:db8:2::1"), translated = kit_ip("198.51.100.7");
    assert_true(net_native.neighbour(t.net, &known, mac));
    assert_int_equal(mac[5], 2);
    assert_false(net_native.neighbour(t.net, &translated, mac));
    net_native.neighbour_add(t.net, &translated, proxy);
    assert_true(net_native.neighbour(t.net, &translated, mac));
    assert_memory_equal(mac, proxy, 6);
    for (uint32_t i = 0; i < 1000; i++) { /* the table grows and forgets nobody */
        struct ip_addr a = ip_v4(0x0b000000 + i);
        proxy[5] = (uint8_t)i;
        net_native.neighbour_add(t.net, &a, proxy);
    }
    for (uint32_t i = 0; i < 1000; i++) {
        struct ip_addr a = ip_v4(0x0b000000 + i);
        assert_true(net_native.neighbour(t.net, &a, mac));
        assert_int_equal(mac[5], (uint8_t)i);
    }
    assert_true(net_native.neighbour(t.net, &known, mac));
    testnet_close(&t);
}

/* Longer than the link's MTU: dropped there, and told. Frames of any size pass where the MTU allows. */
static void jumbo_frames(void **state)
{
    (void)state;
    struct net_link_dir late = {.reorder_ppm = 1000000, .reorder_ns = NS_S};
    struct testnet t;
    struct watch w = {0};
    testnet_open(&t, 1, NULL, &late, NULL);
    net_native.tap_set(t.net, watch_tap, &w);
    uint8_t f[1515] = {0};
    net_native.box_send(t.net, t.box, 0, f, sizeof f);
    assert_int_equal(w.count, 1);
    assert_string_equal(w.seen[0].reason, "mtu");
    net_native.box_send(t.net, t.box, 0, f, sizeof f - 1);
    assert_int_equal(w.seen[1].kind, TAP_SENT);
    testnet_close(&t); /* with a packet on its way */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers),
        cmocka_unit_test(udp_both_families),
        cmocka_unit_test(udp_addresses),
        cmocka_unit_test(udp_port_unreachable),
        cmocka_unit_test(fragmentation),
        cmocka_unit_test(fragment_lost),
        cmocka_unit_test(udp_learns_the_path_mtu),
        cmocka_unit_test(tap_tells_each_moment),
        cmocka_unit_test(every_packet_twice),
        cmocka_unit_test(faults_in_the_engine),
        cmocka_unit_test(determinism),
        cmocka_unit_test(echo),
        cmocka_unit_test(foreign_frames_are_ignored),
        cmocka_unit_test(neighbours),
        cmocka_unit_test(jumbo_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
