/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boxes over frames, in a world that only knows the time, neighbours, and what a box sends. */
#include "sim/host/box.h"

#include <stdio.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/time.h"
#include "models/firewall/fwbox.h"
#include "models/firewall/import.h"
#include "models/testkit/testkit.h"
#include "models/wire/wire.h"

struct sent {
    unsigned port;
    size_t len;
    uint8_t frame[2048];
};

struct neighbour {
    struct ip_addr ip;
    uint8_t mac[6];
};

struct fake {
    struct net net;
    uint64_t now_ns;
    struct sent sent[8];
    size_t sent_count;
    struct neighbour neighbour[16];
    size_t neighbour_count;
    struct box_drop drop;
    size_t drops;
    struct box *box;
};

static uint64_t fake_now(const struct net *n)
{
    return ((const struct fake *)n)->now_ns;
}

static bool fake_neighbour(const struct net *n, const struct ip_addr *ip, uint8_t mac[6])
{
    const struct fake *f = (const struct fake *)n;
    for (size_t i = 0; i < f->neighbour_count; i++)
        if (ip_equal(&f->neighbour[i].ip, ip)) {
            memcpy(mac, f->neighbour[i].mac, 6);
            return true;
        }
    return false;
}

static void fake_neighbour_add(struct net *n, const struct ip_addr *ip, const uint8_t mac[6])
{
    struct fake *f = (struct fake *)n;
    struct neighbour *x = &f->neighbour[f->neighbour_count++];
    x->ip = *ip;
    memcpy(x->mac, mac, 6);
}

static void fake_send(struct net *n, net_node box, unsigned port, const uint8_t *frame, size_t len)
{
    struct fake *f = (struct fake *)n;
    assert_int_equal(box, 1);
    struct sent *s = &f->sent[f->sent_count++];
    s->port = port;
    s->len = len;
    memcpy(s->frame, frame, len);
}

static const struct net_ops fake_ops = {.name = "fake", .now = fake_now, .neighbour = fake_neighbour,
                                        .neighbour_add = fake_neighbour_add, .box_send = fake_send};

static void on_drop(void *ctx, uint64_t now_ns, const struct box_drop *d)
{
    struct fake *f = ctx;
    (void)now_ns;
    f->drop = *d;
    f->drops++;
}

/* MACs: 02:...:N; hosts have that of their last address byte, ports 0xa0 + port. */
static void mac_of(uint8_t mac[6], uint8_t n)
{
    memset(mac, 0, 6);
    mac[0] = 2;
    mac[5] = n;
}

static void fake_open(struct fake *f, enum box_kind kind, const char *const *address, const char *const *name,
                      size_t ports, const struct box_route *route, size_t routes, const struct fw_rules *rules)
{
    static struct ip_prefix prefix[4];
    struct box_iface iface[4] = {0};
    *f = (struct fake){.net.ops = &fake_ops};
    for (size_t i = 0; i < ports; i++) {
        iface[i].name = name ? name[i] : "port";
        mac_of(iface[i].mac, (uint8_t)(0xa0 + i));
        if (!address)
            continue;
        assert_int_equal(prefix_parse(address[i], &prefix[i]), 0);
        iface[i].prefix = &prefix[i];
        iface[i].prefix_count = 1;
    }
    struct box_config cfg = {.kind = kind, .name = "box", .iface = iface, .iface_count = ports, .route = route,
                             .route_count = routes, .rules = rules, .drop = on_drop, .ctx = f};
    f->box = box_new(&f->net, &cfg);
    assert_non_null(f->box);
    static const char *const hosts[] = {"10.0.10.2", "198.51.100.1", "203.0.113.9", "10.0.10.9"};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        uint8_t mac[6];
        struct ip_addr ip = kit_ip(hosts[i]);
        mac_of(mac, ip.b[3]);
        fake_neighbour_add(&f->net, &ip, mac);
    }
    box_attach(f->box, 1);
}

/* A frame to a port's MAC: TCP with these flags, or UDP with that many bytes when flags is -1. */
static size_t make(uint8_t *p, uint8_t to_port, const char *src, const char *dst, unsigned ttl, int flags, size_t len)
{
    uint8_t from[6], to[6];
    struct endpoint s = kit_endpoint(src), d = kit_endpoint(dst);
    mac_of(from, s.ip.b[3]);
    mac_of(to, (uint8_t)(0xa0 + to_port));
    size_t n = wire_put_eth(p, to, from, ETHERTYPE_IP4);
    if (flags < 0) {
        n += wire_put_ip(p + n, &s.ip, &d.ip, PROTO_UDP, ttl, 0, WIRE_UDP + len);
        n += wire_put_udp(p + n, s.port, d.port, len);
    } else {
        struct wire_tcp t = {.sport = s.port, .dport = d.port, .flags = (uint8_t)flags, .wscale = WIRE_NO_WSCALE};
        n += wire_put_ip(p + n, &s.ip, &d.ip, PROTO_TCP, ttl, 0, WIRE_TCP + len);
        n += wire_put_tcp(p + n, &t);
    }
    memset(p + n, 0x55, len);
    wire_seal(p, n + len);
    return n + len;
}

/* The frame is sound and goes from src to dst. */
static void expect_flow(uint8_t *frame, size_t len, const char *src, const char *dst)
{
    struct wire_packet k;
    struct endpoint s = kit_endpoint(src), d = kit_endpoint(dst);
    assert_int_equal(wire_parse(frame, len, &k), 0);
    assert_int_equal(wire_check(&k), 0);
    assert_true(ip_equal(&k.src, &s.ip) && ip_equal(&k.dst, &d.ip));
    assert_int_equal(k.sport, s.port);
    assert_int_equal(k.dport, d.port);
}

static void a_switch_learns(void **state)
{
    (void)state;
    struct fake f;
    uint8_t a[64] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}, b[64] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};
    fake_open(&f, BOX_SWITCH, NULL, NULL, 3, NULL, 0, NULL);
    assert_int_equal(box_frame(f.box, 0, a, sizeof a), 2); /* not known: to 1 and 2 */
    assert_true(f.sent_count == 1 && f.sent[0].port == 1);
    assert_int_equal(box_frame(f.box, 1, b, sizeof b), 0);
    assert_int_equal(box_frame(f.box, 0, a, sizeof a), 1);
    assert_int_equal(f.sent_count, 1);
    uint8_t mac[6];
    mac_of(mac, 1);
    box_learn(f.box, 2, mac);
    assert_int_equal(box_frame(f.box, 0, a, sizeof a), 2);
    assert_int_equal(box_frame(f.box, 2, a, sizeof a), NET_DROP); /* it is where it came from */
    assert_int_equal(box_frame(f.box, 0, a, 13), NET_DROP);
    box_free(f.box);
}

static const char *const router_ports[] = {"10.0.10.1/24", "198.51.100.2/24"};

static void a_router_forwards(void **state)
{
    (void)state;
    struct fake f;
    uint8_t p[2048];
    struct box_route out = {.port = 1, .gateway = kit_ip("198.51.100.1")};
    out.to.ip.family = IP_V4;
    fake_open(&f, BOX_ROUTER, router_ports, NULL, 2, &out, 1, NULL);
    size_t n = make(p, 0, "10.0.10.2:1", "203.0.113.9:2", 64, -1, 100);
    assert_int_equal(box_frame(f.box, 0, p, n), 1);
    expect_flow(p, n, "10.0.10.2:1", "203.0.113.9:2");
    assert_true(p[WIRE_ETH + 8] == 63 && p[5] == 1 && p[11] == 0xa1); /* TTL; to the gateway; from port 1 */
    n = make(p, 1, "203.0.113.9:2", "10.0.10.2:1", 64, -1, 100);
    assert_int_equal(box_frame(f.box, 1, p, n), 0);
    assert_int_equal(p[5], 2);
    n = make(p, 9, "203.0.113.9:2", "10.0.10.2:1", 64, -1, 100);
    assert_int_equal(box_frame(f.box, 0, p, n), NET_DROP); /* not for a MAC of the router */
    assert_int_equal(f.drops, 0);
    box_free(f.box);
}

/* Each drop is reported and answered: TTL, no route, too big, nobody there. */
static void a_router_tells_the_sender(void **state)
{
    (void)state;
    static const struct {
        const char *dst;
        unsigned ttl;
        size_t len;
        const char *reason;
        unsigned type, code;
    } row[] = {
        {"198.51.100.1:2", 1, 10, "ttl", 11, 0},
        {"192.0.2.1:2", 64, 10, "no-route", 3, 0},
        {"198.51.100.1:2", 64, 1473, "mtu", 3, 4},
        {"198.51.100.77:2", 64, 10, "no-neighbour", 3, 1},
        {"10.0.10.1:2", 64, 10, "to-the-box", 0, 0},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct fake f;
        uint8_t p[2048];
        fake_open(&f, BOX_ROUTER, router_ports, NULL, 2, NULL, 0, NULL);
        size_t n = make(p, 0, "10.0.10.2:1", row[i].dst, row[i].ttl, -1, row[i].len);
        assert_int_equal(box_frame(f.box, 0, p, n), NET_DROP);
        assert_string_equal(f.drop.reason, row[i].reason);
        assert_int_equal(f.sent_count, row[i].type != 0);
        if (row[i].type) {
            struct wire_packet k;
            assert_int_equal(wire_parse(f.sent[0].frame, f.sent[0].len, &k), 0);
            assert_int_equal(wire_check(&k), 0);
            assert_true(k.sport == row[i].type && k.dport == row[i].code && f.sent[0].port == 0);
            struct ip_addr own = kit_ip("10.0.10.1");
            assert_true(ip_equal(&k.src, &own) && f.sent[0].frame[5] == 2);
            if (row[i].type == 3 && row[i].code == 4)
                assert_int_equal(load32(k.frame + k.l4 + 4), 1500);
        }
        box_free(f.box);
    }
}

#define CONFIG                                                                                                      \
    "interface Gi0/0\n nameif outside\n security-level 0\n ip address 198.51.100.2 255.255.255.0\n"                  \
    "interface Gi0/1\n nameif dmz\n security-level 50\n ip address 10.0.10.1 255.255.255.0\n"                        \
    "object network expe\n host 10.0.10.2\n nat (dmz,outside) static 198.51.100.20\n"                                \
    "access-list outside_in extended permit tcp any host 10.0.10.2 eq 443\n"                                         \
    "access-list outside_in extended permit udp any host 10.0.10.2\n"                                                \
    "access-group outside_in in interface outside\nroute outside 0.0.0.0 0.0.0.0 198.51.100.1\n"

static const char *const fw_names[] = {"dmz", "outside", "other"};
static const char *const fw_ports[] = {"10.0.10.1/24", "198.51.100.2/24", "192.0.2.1/24"};

static struct fw_rules *rules_of(const char *text)
{
    struct fw_rules *r = NULL;
    struct fw_diag d;
    if (fw_asa_parse(&(struct fw_source){.name = "fw.cfg", .text = text, .len = strlen(text)}, &r, &d))
        fail_msg("line %u: %s", d.line, d.text);
    return r;
}

static void a_firewall_translates_frames(void **state)
{
    (void)state;
    struct fake f;
    uint8_t p[2048], mac[6];
    struct fw_rules *r = rules_of(CONFIG);
    fake_open(&f, BOX_FIREWALL, fw_ports, fw_names, 3, NULL, 0, r);
    struct ip_addr public = kit_ip("198.51.100.20");
    assert_true(fake_neighbour(&f.net, &public, mac) && mac[5] == 0xa1); /* proxy ARP */

    size_t n = make(p, 1, "203.0.113.9:7", "198.51.100.20:443", 64, FW_SYN, 0);
    assert_int_equal(box_frame(f.box, 1, p, n), 0);
    expect_flow(p, n, "203.0.113.9:7", "10.0.10.2:443");
    assert_true(p[5] == 2 && p[11] == 0xa0 && p[WIRE_ETH + 8] == 63);
    n = make(p, 0, "10.0.10.2:443", "203.0.113.9:7", 64, FW_SYN | FW_ACK, 0);
    assert_int_equal(box_frame(f.box, 0, p, n), 1);
    expect_flow(p, n, "198.51.100.20:443", "203.0.113.9:7");
    assert_int_equal(p[5], 1);
    assert_int_equal(f.drops, 0);
    box_free(f.box);
    fw_rules_free(r);
}

/* RFC 4787 REQ-14: what has no ports goes the way of the first fragment, for a while. */
static void fragments_follow_the_first(void **state)
{
    (void)state;
    static const struct {
        uint64_t at_ns;
        unsigned id, at;
        const char *dst; /* NULL: dropped */
    } row[] = {{0, 7, 24, NULL}, {0, 7, 0, "10.0.10.2"}, {0, 7, 24, "10.0.10.2"}, {0, 8, 24, NULL},
               {29 * NS_S, 7, 24, "10.0.10.2"}, {31 * NS_S, 7, 24, NULL}};
    struct fake f;
    struct fw_rules *r = rules_of(CONFIG);
    struct ip_addr src = kit_ip("203.0.113.9"), public = kit_ip("198.51.100.20");
    fake_open(&f, BOX_FIREWALL, fw_ports, fw_names, 3, NULL, 0, r);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        uint8_t p[256] = {0}, from[6], to[6];
        struct wire_packet k;
        mac_of(from, 9);
        mac_of(to, 0xa1);
        size_t n = wire_put_eth(p, to, from, ETHERTYPE_IP4);
        n += wire_put_fragment(p + n, &src, &public, PROTO_UDP, 64, row[i].id, row[i].at, true, 24);
        if (row[i].at == 0)
            wire_put_udp(p + n, 7, 24000, 100);
        f.now_ns = row[i].at_ns;
        assert_int_equal(box_frame(f.box, 1, p, n + 24), row[i].dst ? 0 : NET_DROP);
        if (!row[i].dst) {
            assert_string_equal(f.drop.reason, "fragment");
            continue;
        }
        struct ip_addr dst = kit_ip(row[i].dst);
        assert_int_equal(wire_parse(p, n + 24, &k), 0);
        assert_true(ip_equal(&k.dst, &dst));
        assert_int_equal(wire_sum(p + WIRE_ETH, WIRE_IP4), 0); /* the header's checksum */
    }
    box_free(f.box);
    fw_rules_free(r);
}

static void a_firewall_says_what_it_dropped(void **state)
{
    (void)state;
    struct fake f;
    uint8_t p[2048];
    struct fw_rules *r = rules_of(CONFIG);
    fake_open(&f, BOX_FIREWALL, fw_ports, fw_names, 3, NULL, 0, r);
    const char *advice = NULL;
    for (int i = 0; i < 2; i++) {
        size_t n = make(p, 1, "203.0.113.9:7", "198.51.100.20:24001", 64, FW_SYN, 0);
        assert_int_equal(box_frame(f.box, 1, p, n), NET_DROP);
        assert_true(f.drop.advice == advice || !advice); /* the same text is the same string */
        advice = f.drop.advice;
    }
    assert_int_equal(f.drops, 2);
    assert_int_equal(f.sent_count, 0); /* in silence */
    assert_true(strcmp(f.drop.node, "box") == 0 && f.drop.port == 1 && !f.drop.rule);
    assert_string_equal(f.drop.reason, "implicit");
    struct ip_addr public = kit_ip("198.51.100.20"), real = kit_ip("10.0.10.2");
    assert_true(ip_equal(&f.drop.flow.dst, &public) && ip_equal(&f.drop.translated.dst, &real));
    assert_string_equal(advice,
                        "wrong protocol: line 13 permits udp only; access-list outside_in ends in an implicit "
                        "deny; add after line 13: access-list outside_in extended permit tcp any host 10.0.10.2 "
                        "range "
                        "24000 29999 (in interface outside)");
    size_t n = make(p, 2, "192.0.2.7:7", "10.0.10.2:443", 64, FW_SYN, 0);
    assert_int_equal(box_frame(f.box, 2, p, n), NET_DROP); /* a port that the rules do not name */
    assert_string_equal(f.drop.reason, "no-interface");
    box_free(f.box);
    fw_rules_free(r);
}

/* A router's "too big" about a translated packet finds its sender, and quotes what the sender sent. */
static void a_firewall_translates_errors(void **state)
{
    (void)state;
    struct fake f;
    uint8_t p[2048], e[2048];
    struct fw_rules *r = rules_of(CONFIG);
    fake_open(&f, BOX_FIREWALL, fw_ports, fw_names, 3, NULL, 0, r);
    size_t n = make(p, 0, "10.0.10.2:5000", "203.0.113.9:7", 64, -1, 1000);
    assert_int_equal(box_frame(f.box, 0, p, n), 1);
    struct wire_packet k, quoted;
    assert_int_equal(wire_parse(p, n, &k), 0);
    struct ip_addr hop = kit_ip("198.51.100.1");
    long len = wire_icmp_error(&k, &hop, 3, 4, 576, e, sizeof e);
    assert_true(len > 0);
    assert_int_equal(box_frame(f.box, 1, e, (size_t)len), 0);
    assert_int_equal(wire_parse(e, (size_t)len, &k), 0);
    assert_int_equal(wire_check(&k), 0);
    struct ip_addr real = kit_ip("10.0.10.2");
    assert_true(ip_equal(&k.dst, &real) && ip_equal(&k.src, &hop));
    assert_int_equal(wire_parse_quoted(&k, &quoted), 0);
    assert_true(ip_equal(&quoted.src, &real) && quoted.sport == 5000 && quoted.dport == 7);
    box_free(f.box);
    fw_rules_free(r);
}

/* A rule that rejects: RST to a SYN, ICMP 3/13 to a datagram. */
static void a_firewall_rejects_aloud(void **state)
{
    (void)state;
    struct fake f;
    uint8_t p[2048];
    struct fw_rules *r = fw_rules_new("rules.json");
    fw_rules_add_interface(r, &(struct fw_iface_spec){.name = "dmz", .level = 50});
    fw_rules_add_interface(r, &(struct fw_iface_spec){.name = "outside"});
    fw_rules_add_rule(r, &(struct fw_rule_spec){.list = "x", .action = FW_REJECT, .line = 4, .text = "reject"});
    fw_rules_bind(r, "x", 0, FW_IN);
    fake_open(&f, BOX_FIREWALL, fw_ports, fw_names, 2, NULL, 0, r);
    size_t n = make(p, 0, "10.0.10.2:5000", "198.51.100.1:7", 64, FW_SYN, 0);
    assert_int_equal(box_frame(f.box, 0, p, n), NET_DROP);
    assert_int_equal(f.drop.rule->line, 4);
    expect_flow(f.sent[0].frame, f.sent[0].len, "198.51.100.1:7", "10.0.10.2:5000");
    n = make(p, 0, "10.0.10.2:5000", "198.51.100.1:7", 64, -1, 5);
    assert_int_equal(box_frame(f.box, 0, p, n), NET_DROP);
    struct wire_packet k;
    assert_int_equal(f.sent_count, 2);
    assert_int_equal(wire_parse(f.sent[1].frame, f.sent[1].len, &k), 0);
    assert_true(k.proto == PROTO_ICMP && k.sport == 3 && k.dport == 13);
    box_free(f.box);
    fw_rules_free(r);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_switch_learns),
        cmocka_unit_test(a_router_forwards),
        cmocka_unit_test(a_router_tells_the_sender),
        cmocka_unit_test(a_firewall_translates_frames),
        cmocka_unit_test(fragments_follow_the_first),
        cmocka_unit_test(a_firewall_says_what_it_dropped),
        cmocka_unit_test(a_firewall_translates_errors),
        cmocka_unit_test(a_firewall_rejects_aloud),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
