/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Linux kernel as oracle of struct fw_nat_behaviour: what its masquerading does by default, and with random ports,
 * is one of ours. To RFC 5780's discovery the default looks endpoint-independent, for ports are kept; that mappings
 * belong to sessions shows when two hosts want one port: they have it both, unless they speak with one remote. */
#include <stdio.h>
#include <string.h>

#include "models/firewall/fwbox.h"
#include "models/testkit/testkit.h"
#include "sim/netns/netns_kit.h"
#include "sim/netns/packet_kit.h"

enum { OUTSIDE, INSIDE };

static struct netns_world world;

static struct netns *open_or_skip(void)
{
    static const char *const name[] = {"wan0", "lan0"}, *const v4[] = {"198.51.100.2/24", "10.0.2.1/24"},
                      *const v6[] = {"fd00:1::1/64", "fd00:2::1/64"};
    char why[NETNS_WHY];
    world = (struct netns_world){.iface_count = 2, .route_count = 1, .route = {{.iface = OUTSIDE}}};
    for (int i = 0; i < 2; i++) {
        snprintf(world.iface[i].name, sizeof world.iface[i].name, "%s", name[i]);
        assert_int_equal(prefix_parse(v4[i], &world.iface[i].v4), 0);
        assert_int_equal(prefix_parse(v6[i], &world.iface[i].v6), 0);
    }
    assert_int_equal(prefix_parse("0.0.0.0/0", &world.route[0].to), 0);
    struct netns *n = netns_open(&world, why);
    if (!n) {
        print_message("no rules can be tried here: %s\n", why);
        skip();
    }
    return n;
}

/* ---- our box ---- */

struct nat {
    struct fw_rules *rules;
    struct fw_routes routes;
    struct fw_box *box;
};

static void nat_open(struct nat *n, const struct fw_nat_behaviour *b)
{
    *n = (struct nat){.rules = fw_rules_new("nat")};
    for (int i = 0; i < 2; i++) {
        struct fw_iface_spec iface = {
            .name = world.iface[i].name, .level = i * 100, .address = &world.iface[i].v4, .address_count = 1};
        assert_int_equal(fw_rules_add_interface(n->rules, &iface), i);
        fw_routes_add(&n->routes, &(struct fw_route){.to = world.iface[i].v4, .iface = i});
    }
    fw_routes_add(&n->routes, &(struct fw_route){.to = world.route[0].to, .iface = OUTSIDE});
    struct fw_nat_spec spec = {.section = FW_NAT_MANUAL, .real_iface = INSIDE, .mapped_iface = OUTSIDE, .dynamic = true,
                               .pat = true, .interface = true};
    assert_int_equal(fw_rules_add_nat(n->rules, &spec), 0);
    fw_rules_set_nat_behaviour(n->rules, b);
    n->box = fw_box_new(&(struct fw_box_config){.rules = n->rules, .routes = &n->routes, .name = "nat"});
    assert_non_null(n->box);
}

static void nat_close(struct nat *n)
{
    fw_box_free(n->box);
    fw_routes_free(&n->routes);
    fw_rules_free(n->rules);
}

/* ---- the same packets for both ---- */

/* What became of a packet: passed on, and with which source port and destination. */
struct outcome {
    bool passed;
    uint16_t sport;
    struct endpoint dst;
};

static struct outcome by_kernel(struct netns *k, int iface, const struct fw_flow *f)
{
    static struct netns_seen seen;
    uint8_t frame[NETNS_FRAME];
    struct packet_spec s = {.flow = *f, .tcp_flags = f->proto == PROTO_TCP ? FW_SYN : 0};
    netns_send(k, iface, frame, packet_build(&s, frame), &seen);
    const struct wire_packet *p = &seen.packet;
    return (struct outcome){seen.fate == NETNS_FORWARDED, p->sport, {p->dst, p->dport}};
}

static struct outcome by_ours(struct nat *n, int iface, const struct fw_flow *f)
{
    struct fw_packet p = {.iface = iface, .flow = *f, .tcp_flags = f->proto == PROTO_TCP ? FW_SYN : 0};
    struct fw_result r = fw_pass(n->box, 0, &p);
    return (struct outcome){r.fate == FW_PASS, r.src.port, r.dst};
}

/* Going out to each remote, by two hosts from one port: is the port kept, and is it one that went out already? */
static const struct {
    const char *from, *to;
} out[] = {
    {"10.0.2.5:5000", "203.0.113.9:3478"}, {"10.0.2.5:5000", "203.0.113.8:3478"},
    {"10.0.2.5:5000", "203.0.113.8:3479"}, {"10.0.2.6:5000", "203.0.113.9:3479"}, /* nobody's remote yet */
    {"10.0.2.6:5000", "203.0.113.9:3478"},                                        /* the first host's */
};
enum { OUT = sizeof out / sizeof *out };

static struct fw_flow flow(uint8_t proto, const struct endpoint *from, const struct endpoint *to)
{
    return (struct fw_flow){proto, from->ip, to->ip, from->port, to->port};
}

static void out_alike(struct netns *k, struct nat *n, uint8_t proto)
{
    uint16_t port[2][OUT];
    for (size_t i = 0; i < OUT; i++) {
        struct endpoint from = kit_endpoint(out[i].from), to = kit_endpoint(out[i].to);
        struct fw_flow f = flow(proto, &from, &to);
        struct outcome theirs = by_kernel(k, INSIDE, &f), ours = by_ours(n, INSIDE, &f);
        assert_true(theirs.passed && ours.passed);
        port[0][i] = theirs.sport;
        port[1][i] = ours.sport;
        bool same = (theirs.sport == from.port) == (ours.sport == from.port) && theirs.sport >= 1024;
        for (size_t j = 0; j < i; j++)
            same = same && (port[0][i] == port[0][j]) == (port[1][i] == port[1][j]);
        if (!same)
            fail_msg("protocol %u, %s to %s: the kernel has port %u, we %u", proto, out[i].from, out[i].to,
                     theirs.sport, ours.sport);
    }
}

/* Coming in by what a host has sent to one remote: from there, from its other port, from another address. */
static void in_alike(struct netns *k, struct nat *n, uint8_t proto)
{
    static const char *const from[] = {"203.0.113.9:3478", "203.0.113.9:3479", "203.0.113.8:3478"};
    struct endpoint client = kit_endpoint("10.0.2.7:6000"), remote = kit_endpoint(from[0]);
    struct fw_flow f = flow(proto, &client, &remote);
    uint16_t theirs = by_kernel(k, INSIDE, &f).sport, ours = by_ours(n, INSIDE, &f).sport;
    for (size_t i = proto == PROTO_TCP; i < 3; i++) { /* a second SYN of a connection is a matter of TCP states */
        struct endpoint source = kit_endpoint(from[i]);
        struct endpoint to = {world.iface[OUTSIDE].v4.ip, theirs};
        f = flow(proto, &source, &to);
        struct outcome kernel = by_kernel(k, OUTSIDE, &f);
        f.dport = ours;
        struct outcome box = by_ours(n, OUTSIDE, &f);
        assert_int_equal(kernel.passed, i == 0);
        assert_int_equal(box.passed, kernel.passed);
        if (i == 0)
            assert_true(endpoint_equal(&kernel.dst, &client) && endpoint_equal(&box.dst, &client));
    }
}

static void masquerading_is_one_of_ours(void **state)
{
    (void)state;
    static const struct {
        const char *statement;
        enum fw_nat_ports ports;
    } rows[] = {
        {"masquerade", FW_PORTS_OVERLOAD},
        {"masquerade random", FW_PORTS_RANDOM},
        {"masquerade fully-random", FW_PORTS_RANDOM},
    };
    static const char *const nft[] = {"nft", "-f", "-", NULL};
    struct netns *k = open_or_skip();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char rules[400], why[NETNS_WHY];
        snprintf(rules, sizeof rules,
                 "table ip nat {\n chain post {\n  type nat hook postrouting priority srcnat;\n"
                 "  oifname \"wan0\" %s\n }\n}\n", rows[i].statement);
        if (netns_load(k, nft, rules, NULL, NULL, why))
            fail_msg("%s", why);
        for (unsigned tcp = 0; tcp < 2; tcp++) {
            struct nat n;
            nat_open(&n, &(struct fw_nat_behaviour){.mapping = FW_ADDRESS_AND_PORT_DEPENDENT,
                                                    .filtering = FW_ADDRESS_AND_PORT_DEPENDENT,
                                                    .ports = rows[i].ports});
            out_alike(k, &n, tcp ? PROTO_TCP : PROTO_UDP);
            in_alike(k, &n, tcp ? PROTO_TCP : PROTO_UDP);
            nat_close(&n);
        }
        netns_close(k);
        k = i + 1 < sizeof rows / sizeof *rows ? open_or_skip() : NULL; /* without the connections of before */
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(masquerading_is_one_of_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
