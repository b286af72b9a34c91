/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Switch and router, and what a firewall has in common with a router. */
#include "sim/host/box.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/host/box_parts.h"

/* RFC 792, 1812 5.2.7; RFC 4443 3. */
const struct box_error box_ttl = {11, 0, 3, 0}, box_no_route = {3, 0, 1, 0}, box_no_host = {3, 1, 1, 3},
                       box_no_port = {3, 3, 1, 4}, box_too_big = {3, 4, 2, 0}, box_prohibited = {3, 13, 1, 1};

static unsigned mtu_of(const struct box *b, unsigned port)
{
    return b->iface[port].mtu ? b->iface[port].mtu : NET_MTU_DEFAULT;
}

void box_report(const struct box *b, const struct box_drop *d)
{
    if (b->cfg.drop)
        b->cfg.drop(b->cfg.ctx, b->net->ops->now(b->net), d);
}

struct fw_flow box_flow(const struct wire_packet *k)
{
    return (struct fw_flow){.proto = k->proto, .src = k->src, .dst = k->dst, .sport = k->sport, .dport = k->dport};
}

/* A drop of a router, which has no rules to blame. */
static int drop(const struct box *b, unsigned port, const struct wire_packet *k, const char *reason,
                const char *advice)
{
    struct fw_flow flow = box_flow(k);
    struct box_drop d = {.node = b->cfg.name, .port = port, .reason = reason, .flow = flow, .translated = flow,
                         .advice = advice};
    box_report(b, &d);
    return NET_DROP;
}

/* The address of a port in the packet's family; NULL: it has none. */
static const struct ip_addr *own_address(const struct box *b, unsigned port, uint8_t family)
{
    for (size_t i = 0; i < b->iface[port].prefix_count; i++)
        if (b->iface[port].prefix[i].ip.family == family)
            return &b->iface[port].prefix[i].ip;
    return NULL;
}

void box_send_error(const struct box *b, unsigned port, const struct wire_packet *k, const struct box_error *e,
                    uint32_t rest)
{
    uint8_t frame[BOX_FRAME_MAX];
    const struct ip_addr *src = own_address(b, port, k->family);
    bool v4 = k->family == IP_V4;
    long n = src ? wire_icmp_error(k, src, v4 ? e->type4 : e->type6, v4 ? e->code4 : e->code6, rest, frame,
                                   sizeof frame)
                 : 0;
    if (n > 0)
        b->net->ops->box_send(b->net, b->node, port, frame, (size_t)n);
}

bool box_ttl_left(const struct box *b, unsigned port, const struct wire_packet *k)
{
    if (k->ttl > 1)
        return true;
    drop(b, port, k, "ttl", "the packet went through too many routers: look for a routing loop");
    box_send_error(b, port, k, &box_ttl, 0);
    return false;
}

int box_forward(const struct box *b, unsigned in, unsigned out, const struct ip_addr *gateway, struct wire_packet *k)
{
    size_t ip_len = k->payload + k->payload_len - k->l3;
    if (ip_len > mtu_of(b, out)) { /* RFC 1191: the MTU in the low half of the unused word; RFC 4443 3.2: all of it */
        drop(b, in, k, "mtu", "the packet is larger than the next link's MTU");
        box_send_error(b, in, k, &box_too_big, mtu_of(b, out));
        return NET_DROP;
    }
    uint8_t mac[6];
    if (!b->net->ops->neighbour(b->net, ip_is_any(gateway) ? &k->dst : gateway, mac)) {
        drop(b, in, k, "no-neighbour", "nobody on that link has the next hop's address");
        box_send_error(b, in, k, &box_no_host, 0);
        return NET_DROP;
    }
    wire_lower_ttl(k);
    memcpy(k->frame, mac, 6);
    memcpy(k->frame + 6, b->iface[out].mac, 6);
    return (int)out;
}

/* Any port's: who takes an address to be behind another port of the box than it is learns from the drop. */
static bool is_own_mac(const struct box *b, const uint8_t mac[6])
{
    for (size_t i = 0; i < b->cfg.iface_count; i++)
        if (memcmp(b->iface[i].mac, mac, 6) == 0)
            return true;
    return false;
}

/* ---- router ---- */

static bool is_own(const struct box *b, const struct ip_addr *ip)
{
    for (size_t i = 0; i < b->cfg.iface_count; i++)
        for (size_t j = 0; j < b->iface[i].prefix_count; j++)
            if (ip_equal(&b->iface[i].prefix[j].ip, ip))
                return true;
    return false;
}

static int router_frame(struct box *b, unsigned port, struct wire_packet *k)
{
    if (is_own(b, &k->dst))
        return drop(b, port, k, "to-the-box", "the packet is addressed to the router itself");
    if (!box_ttl_left(b, port, k))
        return NET_DROP;
    const struct fw_route *route = fw_routes_find(&b->routes, &k->dst);
    if (!route) {
        drop(b, port, k, "no-route", "add a route to the destination, or a default route");
        box_send_error(b, port, k, &box_no_route, 0);
        return NET_DROP;
    }
    return box_forward(b, port, (unsigned)route->iface, &route->gateway, k);
}

/* ---- switch ---- */

static struct box_mac *find_mac(struct box *b, const uint8_t mac[6])
{
    for (size_t i = 0; i < b->mac_count; i++)
        if (memcmp(b->mac[i].mac, mac, 6) == 0)
            return &b->mac[i];
    return NULL;
}

void box_learn(struct box *b, unsigned port, const uint8_t mac[6])
{
    struct box_mac *m = find_mac(b, mac);
    if (!m) {
        m = &b->mac[b->mac_next];
        b->mac_next = (b->mac_next + 1) % BOX_MAC_MAX;
        if (b->mac_count < BOX_MAC_MAX)
            b->mac_count++;
        memcpy(m->mac, mac, 6);
    }
    m->port = port;
}

static int switch_frame(struct box *b, unsigned port, const uint8_t *frame, size_t len)
{
    box_learn(b, port, frame + 6);
    const struct box_mac *to = frame[0] & 1 ? NULL : find_mac(b, frame);
    if (to)
        return to->port == port ? NET_DROP : (int)to->port;
    int last = NET_DROP;
    for (unsigned p = 0; p < b->cfg.iface_count; p++) {
        if (p == port)
            continue;
        if (last != NET_DROP)
            b->net->ops->box_send(b->net, b->node, (unsigned)last, frame, len);
        last = (int)p;
    }
    return last;
}

/* ---- any ---- */

/* Routes of the interfaces' own prefixes, then the others. */
static int add_routes(struct box *b, const struct box_config *cfg)
{
    for (unsigned p = 0; p < cfg->iface_count; p++)
        for (size_t i = 0; i < cfg->iface[p].prefix_count; i++)
            if (fw_routes_add(&b->routes, &(struct fw_route){.to = cfg->iface[p].prefix[i], .iface = (int)p}))
                return -1;
    for (size_t i = 0; i < cfg->route_count; i++) {
        const struct box_route *r = &cfg->route[i];
        assert(r->port < cfg->iface_count);
        if (fw_routes_add(&b->routes, &(struct fw_route){r->to, (int)r->port, r->gateway}))
            return -1;
    }
    return 0;
}

struct box *box_new(struct net *net, const struct box_config *cfg)
{
    assert(cfg->kind == BOX_SWITCH || cfg->iface_count <= FW_IFACE_MAX);
    struct box *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    b->net = net;
    b->cfg = *cfg;
    b->iface = calloc(cfg->iface_count + 1, sizeof *b->iface);
    if (b->iface && cfg->iface_count)
        memcpy(b->iface, cfg->iface, cfg->iface_count * sizeof *b->iface);
    if (!b->iface || (cfg->kind != BOX_SWITCH && add_routes(b, cfg)) ||
        (cfg->kind == BOX_FIREWALL && box_firewall_open(b))) {
        box_free(b);
        return NULL;
    }
    b->cfg.iface = b->iface;
    return b;
}

void box_free(struct box *b)
{
    if (!b)
        return;
    box_firewall_close(b);
    fw_routes_free(&b->routes);
    free(b->iface);
    free(b);
}

void box_attach(struct box *b, net_node node)
{
    b->node = node;
    if (b->cfg.kind == BOX_FIREWALL)
        box_firewall_attach(b);
}

int box_frame(void *box, unsigned port, uint8_t *frame, size_t len)
{
    struct box *b = box;
    assert(port < b->cfg.iface_count);
    if (len < WIRE_ETH)
        return NET_DROP;
    if (b->cfg.kind == BOX_SWITCH)
        return switch_frame(b, port, frame, len);
    struct wire_packet k;
    if (!is_own_mac(b, frame) || wire_parse(frame, len, &k) != 0)
        return NET_DROP; /* flooded by a switch and not for us, or not IP */
    return b->cfg.kind == BOX_ROUTER ? router_frame(b, port, &k) : box_firewall_frame(b, port, &k);
}
