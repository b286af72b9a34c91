/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our NAT box as RFC 4787, 5382 and 7857 ask for one: endpoint-independent mapping, address-dependent filtering, paired
 * pooling, hairpinning, the RFCs' timers. Clients behind it on one switch, peers outside on another. */
#include <stdlib.h>

#include "conformance/bench/bench.h"
#include "models/base/time.h"
#include "sim/host/box.h"

enum { BUFFER = 64 * 1024, FIRST_LISTENER = 20000, INSIDE = 0, OUTSIDE = 1, SIDES = 2, ON_A_SIDE = 2 };
#define DELAY_NS NS_MS
#define SOON_NS NS_S

struct nat {
    struct bench bench; /* first */
    struct fw_rules *rules;
    struct ip_prefix own[SIDES]; /* of the NAT: its box borrows them */
    struct box *box, *between[SIDES]; /* the NAT; switches */
};

static const char *const side_name[SIDES] = {"inside", "outside"};
static const char *const own_address[SIDES] = {"10.1.0.1/24", "198.51.100.2/24"};
static const enum place hosts[SIDES][ON_A_SIDE] = {{CLIENT1, CLIENT2}, {PEER1, PEER2}};
static const char *const host_address[PLACES] = {
    [CLIENT1] = "10.1.0.5", [CLIENT2] = "10.1.0.6", [PEER1] = "198.51.100.11", [PEER2] = "198.51.100.12",
};

/* The last byte of a MAC: the host's place, the NAT's side, the switch's port. */
static void set_mac(uint8_t mac[6], unsigned kind, unsigned n)
{
    mac[0] = 2;
    mac[4] = (uint8_t)kind;
    mac[5] = (uint8_t)n;
}

static struct ip_prefix prefix_of(const char *text)
{
    struct ip_prefix p;
    return prefix_parse(text, &p) == 0 ? p : (struct ip_prefix){0};
}

/* ---- the NAT's rules ---- */

static struct fw_rules *make_rules(void)
{
    static const int level[SIDES] = {100, 0};
    static const struct fw_nat_behaviour behaviour = {
        .mapping = FW_ENDPOINT_INDEPENDENT, .filtering = FW_ADDRESS_DEPENDENT, .ports = FW_PORTS_PRESERVE,
        .pooling = FW_POOL_PAIRED, .hairpin = FW_HAIRPIN_EXTERNAL,
    };
    struct fw_rules *r = fw_rules_new("nat");
    struct fw_addr pool;
    if (!r)
        return NULL;
    int err = fw_rules_set_timers(r, "rfc");
    for (unsigned side = 0; side < SIDES; side++) {
        struct ip_prefix own = prefix_of(own_address[side]);
        struct fw_iface_spec iface = {.name = side_name[side], .level = level[side], .address = &own,
                                      .address_count = 1};
        err |= fw_rules_add_interface(r, &iface) < 0;
    }
    err |= fw_addr_parse("198.51.100.101-198.51.100.104", &pool);
    struct fw_nat_spec spec = {.section = FW_NAT_MANUAL, .real_iface = INSIDE, .mapped_iface = OUTSIDE, .dynamic = true,
                              .pat = true, .mapped = &pool, .mapped_count = 1};
    err |= fw_rules_add_nat(r, &spec);
    fw_rules_set_nat_behaviour(r, &behaviour);
    if (err == 0)
        return r;
    fw_rules_free(r);
    return NULL;
}

/* ---- the net ---- */

static struct box *new_box(struct nat *n, enum box_kind kind, const char *name, const struct box_iface *iface,
                           size_t count, net_node *node)
{
    struct net *net = n->bench.net;
    struct box_config cfg = {.kind = kind, .name = name, .iface = iface, .iface_count = count,
                             .rules = kind == BOX_FIREWALL ? n->rules : NULL, .seed = 1};
    struct box *box = box_new(net, &cfg);
    struct net_node_spec spec = {.name = name, .kind = NET_BOX, .box = box_frame, .ctx = box};
    *node = box ? net->ops->node_add(net, &spec) : 0;
    return box;
}

static bool add_boxes(struct nat *n, net_node *box, net_node between[SIDES])
{
    static const struct box_iface port[ON_A_SIDE + 1] = {{.name = "1"}, {.name = "2"}, {.name = "nat"}};
    struct box_iface own[SIDES] = {{.name = NULL}};
    for (unsigned side = 0; side < SIDES; side++) {
        n->own[side] = prefix_of(own_address[side]);
        own[side] = (struct box_iface){.name = side_name[side], .prefix = &n->own[side], .prefix_count = 1};
        set_mac(own[side].mac, 1, side);
        n->between[side] = new_box(n, BOX_SWITCH, side_name[side], port, ON_A_SIDE + 1, &between[side]);
    }
    n->box = new_box(n, BOX_FIREWALL, "nat", own, SIDES, box);
    return n->box && n->between[INSIDE] && n->between[OUTSIDE];
}

static void link(struct net *net, const char *name, struct net_end a, struct net_end b)
{
    struct net_link_dir dir = {.delay_ns = DELAY_NS};
    struct net_link_spec spec = {.name = name, .a = a, .b = b, .ab = dir, .ba = dir};
    net->ops->link_add(net, &spec);
}

static unsigned switch_port(struct net *net, net_node between, unsigned side, unsigned n)
{
    struct net_iface_spec iface = {.node = between, .name = "port"};
    set_mac(iface.mac, 2 + side, n);
    return net->ops->iface_add(net, &iface);
}

static void add_host(struct nat *n, unsigned side, enum place at, net_node between, const struct bench_seats *seats)
{
    static const char *const name[PLACES] = {"client1", "client2", "peer1", "peer2", "server"};
    struct net *net = n->bench.net;
    struct net_node_spec spec = {.name = name[at], .kind = NET_HOST, .handler = seats->probe, .ctx = seats->ctx,
                                 .tcp = {.send_buffer = BUFFER, .receive_buffer = BUFFER}};
    net_node node = net->ops->node_add(net, &spec);
    struct ip_prefix prefix = {n->bench.ip[at][0], 24}, gateway = prefix_of(own_address[side]);
    struct net_iface_spec iface = {.node = node, .name = "eth0", .prefix = &prefix, .prefix_count = 1};
    set_mac(iface.mac, 0, at + 1);
    struct net_end host = {node, net->ops->iface_add(net, &iface)};
    link(net, name[at], host, (struct net_end){between, switch_port(net, between, side, at + 1)});
    struct net_route route = {.node = node, .to = prefix_of("0.0.0.0/0"), .gateway = gateway.ip};
    net->ops->route_add(net, &route);
    n->bench.node[at] = node;
}

static bool add_net(struct nat *n, const struct bench_seats *seats)
{
    struct net *net = n->bench.net;
    net_node box, between[SIDES];
    if (!add_boxes(n, &box, between))
        return false;
    for (unsigned side = 0; side < SIDES; side++) {
        for (unsigned i = 0; i < ON_A_SIDE; i++)
            add_host(n, side, hosts[side][i], between[side], seats);
        struct ip_prefix prefix = prefix_of(own_address[side]);
        struct net_iface_spec iface = {.node = box, .name = side_name[side], .prefix = &prefix, .prefix_count = 1};
        set_mac(iface.mac, 1, side);
        struct net_end own = {box, net->ops->iface_add(net, &iface)};
        link(net, side_name[side], own, (struct net_end){between[side], switch_port(net, between[side], side, 0)});
        box_attach(n->between[side], between[side]);
    }
    box_attach(n->box, box);
    return true;
}

static void free_nat(struct bench *b)
{
    struct nat *n = (struct nat *)b;
    if (b->net)
        b->net->ops->destroy(b->net);
    box_free(n->box);
    box_free(n->between[INSIDE]);
    box_free(n->between[OUTSIDE]);
    fw_rules_free(n->rules);
    free(n);
}

struct bench *bench_nat(const struct net_ops *engine, uint64_t seed, const struct bench_seats *seats)
{
    struct nat *n = calloc(1, sizeof *n);
    if (!n)
        return NULL;
    struct bench *b = &n->bench;
    *b = (struct bench){.net = engine->create(seed), .soon_ns = SOON_NS, .first_port = FIRST_LISTENER,
                        .has = NEED_CLIENT2 | NEED_PEER2 | (engine == &net_native ? NEED_ICMP : 0), .free = free_nat};
    for (unsigned at = 0; at < PLACES; at++)
        if (host_address[at])
            ip_parse(host_address[at], &b->ip[at][0]);
    n->rules = make_rules();
    if (b->net && n->rules && add_net(n, seats))
        return b;
    free_nat(b);
    return NULL;
}
