/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The harness itself, before anybody is judged by it: rules whose outcome is plain, and what the kernel made of
 * packets for them. */
#include <stdio.h>
#include <string.h>

#include "models/testkit/testkit.h"
#include "sim/netns/netns_kit.h"
#include "sim/netns/packet_kit.h"

static struct netns_world small_world(void)
{
    static const char *const name[] = {"eth0", "ppp0", "br-lan"};
    struct netns_world w = {.iface_count = 3, .local_count = 1, .local = {kit_ip("192.0.2.1")}, .route_count = 1};
    for (int i = 0; i < 3; i++) {
        char v4[32], v6[32];
        snprintf(w.iface[i].name, sizeof w.iface[i].name, "%s", name[i]);
        snprintf(v4, sizeof v4, "10.0.%d.1/24", i);
        snprintf(v6, sizeof v6, "fd00:%d::1/64", i);
        assert_int_equal(prefix_parse(v4, &w.iface[i].v4), 0);
        assert_int_equal(prefix_parse(v6, &w.iface[i].v6), 0);
    }
    assert_int_equal(prefix_parse("0.0.0.0/0", &w.route[0].to), 0);
    w.route[0].iface = 1;
    return w;
}

static struct netns *open_or_skip(const struct netns_world *w)
{
    char why[NETNS_WHY];
    struct netns *n = netns_open(w, why);
    if (!n) {
        print_message("no rules can be tried here: %s\n", why);
        skip();
    }
    return n;
}

static void load(struct netns *n, const char *tool, const char *rules)
{
    char why[NETNS_WHY];
    const char *const argv[] = {tool, strcmp(tool, "nft") == 0 ? "-f" : NULL, "-", NULL};
    if (netns_load(n, argv, rules, NULL, NULL, why))
        fail_msg("%s", why);
}

static const struct netns_seen *try(struct netns *n, int iface, struct packet_spec s)
{
    static struct netns_seen seen;
    uint8_t frame[NETNS_FRAME];
    size_t len = packet_build(&s, frame);
    netns_send(n, iface, frame, len, &seen);
    assert_int_equal(seen.strays, 0);
    return &seen;
}

static struct packet_spec udp(const char *src, uint16_t sport, const char *dst, uint16_t dport)
{
    return (struct packet_spec){.flow = {PROTO_UDP, kit_ip(src), kit_ip(dst), sport, dport}};
}

static struct packet_spec tcp(const char *src, uint16_t sport, const char *dst, uint16_t dport)
{
    return (struct packet_spec){.flow = {PROTO_TCP, kit_ip(src), kit_ip(dst), sport, dport}, .tcp_flags = 2};
}

static void four_fates_are_told_apart(void **state)
{
    (void)state;
    struct netns_world w = small_world();
    struct netns *n = open_or_skip(&w);
    load(n, "iptables-restore",
         "*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT DROP\n-A INPUT -p udp --dport 53 -j ACCEPT\n"
         "-A FORWARD -i eth0 -o ppp0 -p udp --dport 53 -j ACCEPT\n-A FORWARD -p udp --dport 54 -j REJECT\n"
         "-A FORWARD -p tcp -j REJECT --reject-with tcp-reset\nCOMMIT\n");
    const struct netns_seen *s = try(n, 0, udp("10.0.0.5", 4000, "203.0.113.1", 53));
    assert_int_equal(s->fate, NETNS_FORWARDED);
    assert_int_equal(s->iface, 1);
    assert_int_equal(try(n, 0, udp("10.0.0.5", 4000, "10.0.2.9", 53))->fate, NETNS_DROPPED);
    s = try(n, 0, udp("10.0.0.5", 4000, "203.0.113.1", 54));
    assert_int_equal(s->fate, NETNS_ANSWERED);
    assert_int_equal(s->packet.proto, PROTO_ICMP);
    s = try(n, 0, tcp("10.0.0.5", 4000, "203.0.113.1", 54));
    assert_int_equal(s->fate, NETNS_ANSWERED);
    assert_int_equal(s->packet.proto, PROTO_TCP);
    assert_int_equal(try(n, 0, udp("10.0.0.5", 4000, "10.0.2.1", 53))->fate, NETNS_DELIVERED);
    assert_int_equal(try(n, 0, udp("10.0.0.5", 4000, "192.0.2.1", 53))->fate, NETNS_DELIVERED);
    assert_int_equal(try(n, 0, udp("10.0.0.5", 4000, "192.0.2.1", 54))->fate, NETNS_DROPPED);
    netns_close(n);
}

static void translations_are_read_back_and_forgotten(void **state)
{
    (void)state;
    struct netns_world w = small_world();
    struct netns *n = open_or_skip(&w);
    load(n, "nft",
         "table ip t {\n"
         " chain a { type nat hook prerouting priority -100; iif eth0 udp dport 53 dnat to 10.0.2.9:5353; }\n"
         " chain b { type nat hook postrouting priority 100; oif ppp0 masquerade; }\n"
         " chain f { type filter hook forward priority 0; policy drop; ct state established accept;\n"
         "  oif ppp0 accept; ct status dnat accept; }\n}\n");
    const struct netns_seen *s = try(n, 2, udp("10.0.2.7", 4000, "203.0.113.1", 53));
    assert_int_equal(s->fate, NETNS_FORWARDED);
    assert_true(ip_equal(&s->packet.src, &w.iface[1].v4.ip));
    assert_int_equal(try(n, 1, udp("203.0.113.1", 53, "10.0.1.1", 4000))->fate, NETNS_FORWARDED);
    struct packet_spec again = udp("10.0.2.7", 4000, "203.0.113.1", 53);
    uint8_t frame[NETNS_FRAME];
    struct wire_packet p;
    assert_int_equal(wire_parse(frame, packet_build(&again, frame), &p), 0);
    netns_forget(n, &p, 0);
    assert_int_equal(try(n, 1, udp("203.0.113.1", 53, "10.0.1.1", 4000))->fate, NETNS_DELIVERED);
    s = try(n, 0, udp("10.0.0.7", 4000, "198.51.100.1", 53));
    assert_int_equal(s->fate, NETNS_FORWARDED);
    assert_int_equal(s->packet.dport, 5353);
    assert_int_equal(s->iface, 2);
    netns_close(n);
}

static void six_goes_its_own_way(void **state)
{
    (void)state;
    struct netns_world w = small_world();
    struct netns *n = open_or_skip(&w);
    load(n, "nft", "table inet t {\n chain f { type filter hook forward priority 0; policy drop;\n"
                   "  ip6 daddr fd00:2::/64 udp dport 53 accept; udp dport 54 reject; }\n}\n");
    const struct netns_seen *s = try(n, 0, udp("fd00:0::5", 4000, "fd00:2::9", 53));
    assert_int_equal(s->fate, NETNS_FORWARDED);
    assert_int_equal(s->iface, 2);
    assert_int_equal(try(n, 0, udp("fd00:0::5", 4000, "fd00:1::9", 53))->fate, NETNS_DROPPED);
    assert_int_equal(try(n, 0, udp("fd00:0::5", 4000, "fd00:1::9", 54))->fate, NETNS_ANSWERED);
    assert_int_equal(try(n, 0, udp("fd00:0::5", 4000, "fd00:1::1", 54))->fate, NETNS_DELIVERED);
    netns_close(n);
}

/* No packet may be answered only some of the time: the kernel limits the errors that it sends. */
static void a_thousand_rejections_are_all_answered(void **state)
{
    (void)state;
    struct netns_world w = small_world();
    struct netns *n = open_or_skip(&w);
    load(n, "nft", "table inet t {\n chain f { type filter hook forward priority 0; reject; }\n}\n");
    for (uint16_t i = 0; i < 1000; i++) {
        assert_int_equal(try(n, 0, udp("10.0.0.5", i, "203.0.113.1", 53))->fate, NETNS_ANSWERED);
        assert_int_equal(try(n, 0, udp("fd00:0::5", i, "fd00:1::9", 53))->fate, NETNS_ANSWERED);
    }
    netns_close(n);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_fates_are_told_apart),
        cmocka_unit_test(translations_are_read_back_and_forgotten),
        cmocka_unit_test(six_goes_its_own_way),
        cmocka_unit_test(a_thousand_rejections_are_all_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
