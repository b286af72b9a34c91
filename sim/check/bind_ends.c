/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who an actor is, and which of its addresses a row means. */
#include <assert.h>
#include <string.h>

#include "models/base/err.h"
#include "sim/check/bind_parts.h"
#include "sim/scenario/systems.h"

/* ---- who ---- */

/* What stands for an actor that check.actors says nothing of. */
static const struct stand_in {
    const char *system[2]; /* NULL: no model acts for it */
    bool outside;          /* without a node of such a system it is whoever is outside */
} stand_ins[ACTOR_COUNT] = {
    [ACTOR_GUEST_PC] = {.outside = true},
    [ACTOR_WEBRTC_APP] = {.outside = true},
    [ACTOR_ANY] = {.outside = true},
    [ACTOR_SIP_ENDPOINT] = {.outside = true},
    [ACTOR_ADMIN_PC] = {.system = {"admin-pc"}},
    [ACTOR_MICROSOFT_CLIENT] = {.system = {"skype-client", "microsoft-client"}, .outside = true},
    [ACTOR_EXPRESSWAY_E] = {.system = {"expressway-e"}},
    [ACTOR_EXPRESSWAY_C] = {.system = {"expressway-c"}},
    [ACTOR_MEETING_SERVER] = {.system = {"meeting-server"}},
    [ACTOR_UNIFIED_CM] = {.system = {"unified-cm"}},
    [ACTOR_SKYPE_EDGE] = {.system = {"skype-edge"}},
};

static bool is_system(const struct stand_in *in, const struct system *s)
{
    for (size_t i = 0; s && i < sizeof in->system / sizeof *in->system; i++)
        if (in->system[i] && strcmp(s->name, in->system[i]) == 0)
            return true;
    return false;
}

struct bind_nodes bind_actor_nodes(struct binding *b, enum port_actor actor, const char **why)
{
    const struct topo_actor *said = &b->check->actor[actor];
    const struct stand_in *in = &stand_ins[actor];
    struct bind_nodes found = {arena_alloc(&b->out->arena, (b->t->nodes.count + 1) * sizeof *found.items), 0};
    if (said->node >= 0)
        found.items[found.count++] = (unsigned)said->node;
    for (unsigned i = 0; said->node < 0 && i < b->t->nodes.count; i++)
        if (is_system(in, b->t->nodes.items[i].system))
            found.items[found.count++] = i;
    if (found.count == 0 && in->outside && b->check->internet_node >= 0)
        found.items[found.count++] = (unsigned)b->check->internet_node;
    if (found.count == 0)
        *why = in->outside ? arena_format(&b->out->arena, "no %s: no router \"%s\" to stand for everybody outside",
                                          actor_name(actor), b->check->internet)
                           : arena_format(&b->out->arena, "no %s", actor_name(actor));
    return found;
}

/* ---- everybody behind a router ---- */

static const char *const not_unicast[] = {"0.0.0.0/8", "127.0.0.0/8",  "224.0.0.0/3", "::/128",
                                          "::1/128",   "fe80::/10", "ff00::/8"};
static const char *const not_internet[] = {"10.0.0.0/8",     "100.64.0.0/10",  "169.254.0.0/16",
                                           "172.16.0.0/12",  "192.168.0.0/16", "::/3",
                                           "4000::/2",       "8000::/1"};

static void remove_texts(struct binding *b, struct addr_ranges *r, const char *const *text, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct fw_addr range;
        int err = fw_addr_parse(text[i], &range);
        assert(!err);
        addr_ranges_remove(r, &b->out->arena, &range);
    }
}

static struct addr_ranges given_addresses(struct binding *b, const struct topo_actor *said)
{
    struct addr_ranges r = {0};
    for (size_t i = 0; i < said->addresses.count; i++) {
        const struct fw_addr range = fw_addr_prefix(&said->addresses.items[i]);
        addr_ranges_add(&r, &b->out->arena, &range);
    }
    return r;
}

static struct addr_ranges everybody(struct binding *b, bool internet)
{
    struct addr_ranges r = {0};
    for (enum ip_family f = IP_V4; f <= IP_V6; f++) {
        const struct fw_addr all = fw_addr_any(f);
        addr_ranges_add(&r, &b->out->arena, &all);
    }
    remove_texts(b, &r, not_unicast, sizeof not_unicast / sizeof *not_unicast);
    if (internet)
        remove_texts(b, &r, not_internet, sizeof not_internet / sizeof *not_internet);
    return r;
}

/* ---- a host's addresses ---- */

static const struct ip_addr *iface_address(const struct topo_iface *f, uint8_t family)
{
    for (size_t i = 0; f && i < f->addresses.count; i++)
        if (f->addresses.items[i].ip.family == family)
            return &f->addresses.items[i].ip;
    return NULL;
}

static struct ip_addr first_address(const struct topo_node *n, uint8_t family)
{
    for (size_t i = 0; i < n->interfaces.count; i++) {
        const struct ip_addr *ip = iface_address(&n->interfaces.items[i], family);
        if (ip)
            return *ip;
    }
    return (struct ip_addr){0};
}

/* The interface that an address is reached by, and this node's address on it; its first one when there is no way. */
static struct ip_addr facing(const struct topo_node *n, const struct ip_addr *peer)
{
    struct ip_addr next;
    const struct topo_iface *f = peer->family == IP_NONE ? NULL : topology_next_hop(n, peer, &next);
    const struct ip_addr *own = iface_address(f, peer->family);
    return own ? *own : first_address(n, peer->family);
}

static struct ip_addr of_family(struct ip_addr ip, uint8_t family)
{
    return ip.family == family ? ip : (struct ip_addr){0};
}

static struct ip_addr first_set(const struct ip_addr *a, const struct ip_addr *b)
{
    return a->family != IP_NONE ? *a : *b;
}

/* The address that a host has towards outside, behind a translation or not. */
static struct ip_addr outer_address(struct binding *b, enum port_actor actor, const struct topo_node *n,
                                    uint8_t family)
{
    struct ip_addr said = of_family(b->check->actor[actor].private_address, family);
    struct ip_addr relay = of_family(topology_setting_ip(n, "relay_address"), family);
    struct ip_addr internet = {0};
    if (b->check->internet_node >= 0)
        internet = first_address(&b->t->nodes.items[b->check->internet_node], family);
    struct ip_addr own = internet.family == IP_NONE ? first_address(n, family) : facing(n, &internet);
    relay = first_set(&relay, &own);
    return first_set(&said, &relay);
}

struct ip_addr bind_public_address(const struct binding *b, enum port_actor actor, const struct topo_node *n,
                                   uint8_t family)
{
    struct ip_addr said = of_family(b->check->actor[actor].public_address, family);
    struct ip_addr setting = of_family(topology_setting_ip(n, "public_address"), family);
    return first_set(&said, &setting);
}

/* The address by which the peer knows a host of its own site. Peers of a cluster, and the host itself, mean the one
 * that relays are on: towards outside (EXP-7). */
static struct ip_addr inner_address(struct binding *b, const struct port_row *row, enum port_actor actor,
                                    unsigned node, unsigned peer, uint8_t family)
{
    const struct topo_node *n = &b->t->nodes.items[node];
    if (row->from.actor == row->to.actor)
        return outer_address(b, actor, n, family);
    struct ip_addr said = of_family(b->check->actor[actor].private_address, family);
    struct ip_addr other = first_address(&b->t->nodes.items[peer], family);
    struct ip_addr own = other.family == IP_NONE ? first_address(n, family) : facing(n, &other);
    return first_set(&said, &own);
}

static int port_with(const struct topo_node *n, const struct ip_addr *ip)
{
    for (size_t i = 0; i < n->interfaces.count; i++)
        for (size_t k = 0; k < n->interfaces.items[i].addresses.count; k++)
            if (ip_equal(&n->interfaces.items[i].addresses.items[k].ip, ip))
                return (int)i;
    return -1;
}

/* ---- ends ---- */

static struct bind_place *new_place(struct binding *b, enum port_actor actor, unsigned node)
{
    struct bind_place *p = arena_alloc(&b->out->arena, sizeof *p);
    p->end = (struct bind_end){.actor = actor, .node = node, .port = -1,
                               .behind = b->t->nodes.items[node].kind == TOPO_ROUTER ||
                                         b->check->actor[actor].addresses.count > 0};
    return p;
}

static void put_address(struct binding *b, struct bind_place *p, const struct ip_addr *ip)
{
    const struct fw_addr range = {.a = *ip, .b = *ip};
    addr_ranges_add(&p->addresses, &b->out->arena, &range);
}

/* Sets of addresses: given in check.actors, or everybody's. */
static bool put_set(struct binding *b, struct bind_place *p, const struct port_row *row, unsigned peer, uint8_t family)
{
    const struct topo_actor *said = &b->check->actor[p->end.actor];
    if (!p->end.behind)
        return false;
    struct addr_ranges all =
        said->addresses.count ? given_addresses(b, said) : everybody(b, row->need != NEED_NEVER);
    if (b->t->nodes.items[p->end.node].kind == TOPO_ROUTER && b->site[p->end.node] != b->site[peer])
        bind_remove_site(b, b->site[peer], &all);
    p->addresses = addr_ranges_family(&all, family);
    return true;
}

const struct bind_place *bind_source(struct binding *b, const struct port_row *row, unsigned node, unsigned peer,
                                     uint8_t family)
{
    struct bind_place *p = new_place(b, row->from.actor, node);
    const struct topo_node *n = &b->t->nodes.items[node];
    if (!put_set(b, p, row, peer, family)) {
        bool away = b->site[node] != b->site[peer];
        struct ip_addr ip = away ? outer_address(b, row->from.actor, n, family)
                                 : inner_address(b, row, row->from.actor, node, peer, family);
        if (ip.family == IP_NONE)
            return NULL;
        put_address(b, p, &ip);
        if (away || (row->translated && row->from_translated.address == ADDRESS_PUBLIC))
            p->translated = bind_public_address(b, row->from.actor, n, family);
    }
    return p->addresses.count ? p : NULL;
}

const struct bind_place *bind_destination(struct binding *b, const struct port_row *row, unsigned node, unsigned peer,
                                          uint8_t family)
{
    struct bind_place *p = new_place(b, row->to.actor, node);
    const struct topo_node *n = &b->t->nodes.items[node];
    if (put_set(b, p, row, peer, family))
        return p->addresses.count ? p : NULL;
    struct ip_addr outer = outer_address(b, row->to.actor, n, family);
    struct ip_addr ip = inner_address(b, row, row->to.actor, node, peer, family);
    bool away = b->site[node] != b->site[peer];
    if (row->to.address == ADDRESS_PUBLIC || (row->to.address == ADDRESS_SEEN && away)) {
        struct ip_addr outside = bind_public_address(b, row->to.actor, n, family);
        ip = first_set(&outside, &outer);
        if (port_with(n, &ip) < 0)
            p->translated = outer;
    }
    if (ip.family == IP_NONE || (row->translated && p->translated.family == IP_NONE))
        return NULL;
    p->end.port = port_with(n, p->translated.family == IP_NONE ? &ip : &p->translated);
    put_address(b, p, &ip);
    return p;
}
