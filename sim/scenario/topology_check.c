/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must hold of a topology beyond the types of its keys; and what follows from it: ports, segments, routes. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/hash.h"
#include "sim/scenario/systems.h"
#include "sim/scenario/topology_parts.h"

/* ---- names and kinds ---- */

int topology_name(const struct topology *t, const cJSON *object, const char *name, const char *extra, struct diag *d)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t n = strspn(name, plain);
    while (name[n] && strchr(extra, name[n]))
        n += 1 + strspn(name + n + 1, plain);
    if (!name[n])
        return 0;
    return json_error(t->json, topology_at(object, "name", -1), d,
                      "expected a name of letters, digits, `-` and `_`, found \"%.40s\"", name);
}

static const struct kind_rule {
    const char *word;
    bool system, interfaces, rules, routes;
} kind_rules[] = {
    [TOPO_HOST] = {.word = "host", .system = true, .interfaces = true, .routes = true},
    [TOPO_SWITCH] = {.word = "switch"},
    [TOPO_ROUTER] = {.word = "router", .interfaces = true, .routes = true},
    [TOPO_FIREWALL] = {.word = "firewall", .interfaces = true, .rules = true, .routes = true},
};

static int check_kind(const struct topology *t, const struct topo_node *n, struct diag *d)
{
    const struct kind_rule *rule = &kind_rules[n->kind];
    const struct {
        const char *key;
        bool allowed, required, of_system;
    } keys[] = {
        {"system", rule->system, false, false},
        {"settings", rule->system, false, true},
        {"tcp", rule->system, false, false},
        {"start_ms", rule->system, false, true},
        {"rules", rule->rules, rule->rules, false},
        {"interfaces", rule->interfaces, rule->interfaces, false},
        {"routes", rule->routes, false, false},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(n->at, keys[i].key);
        if (item && !keys[i].allowed)
            return json_error_key(t->json, item, d, "expected no such key in a %s", rule->word);
        if (item && keys[i].of_system && !n->system_name)
            return json_error_key(t->json, item, d, "expected no such key in a host without a system");
        if (!item && keys[i].required)
            return json_error(t->json, n->at, d, "expected the key \"%s\" in a %s, found none", keys[i].key,
                              rule->word);
    }
    if (rule->interfaces && n->interfaces.count == 0)
        return json_error(t->json, topology_at(n->at, "interfaces", -1), d, "expected at least one interface");
    if (n->tcp.first_port > n->tcp.last_port)
        return json_error(t->json, topology_at(n->at, "tcp", -1), d, "expected first_port not above last_port");
    return 0;
}

static int find_system(const struct topology *t, struct topo_node *n, struct diag *d)
{
    char known[400];
    struct text names = text_of(known, sizeof known);
    for (const struct system *s = systems; s->name; s++) {
        if (strcmp(s->name, n->system_name) == 0) {
            n->system = s;
            return 0;
        }
        text_add(&names, "%s%s", names.len ? ", " : "", s->name);
    }
    return json_error(t->json, topology_at(n->at, "system", -1), d, "expected one of: %s; found \"%.40s\"", known,
                      n->system_name);
}

static int check_node(struct topology *t, struct topo_node *n, struct diag *d)
{
    int err = topology_name(t, n->at, n->name, "", d);
    for (const struct topo_node *o = t->nodes.items; !err && o < n; o++)
        if (strcmp(o->name, n->name) == 0)
            err = json_error(t->json, topology_at(n->at, "name", -1), d, "expected each node once, found \"%s\" again",
                             n->name);
    if (!err)
        err = check_kind(t, n, d);
    if (!err && n->system_name)
        err = find_system(t, n, d);
    return err;
}

/* ---- interfaces and addresses ---- */

static const struct ip_prefix *prefix_of(const struct topo_iface *f, const struct ip_addr *ip)
{
    for (size_t i = 0; i < f->addresses.count; i++)
        if (ip_in_prefix(ip, &f->addresses.items[i]))
            return &f->addresses.items[i];
    return NULL;
}

/* True when all host bits of an IPv4 prefix are equal to bit: its network or broadcast address. */
static bool host_bits_are(const struct ip_prefix *p, bool bit)
{
    uint32_t mask = UINT32_MAX >> p->len;
    return (ip_v4_value(&p->ip) & mask) == (bit ? mask : 0);
}

static int check_address(const struct topology *t, const struct topo_node *n, const struct topo_iface *f, size_t index,
                         struct diag *d)
{
    const struct ip_prefix *p = &f->addresses.items[index];
    const cJSON *at = topology_at(f->at, "addresses", (int)index);
    char ip[ADDR_TEXT];
    ip_text(&p->ip, ip);
    bool network = p->ip.family == IP_V4 && p->len < 31 && (host_bits_are(p, false) || host_bits_are(p, true));
    if (p->len == 0 || network || ip_is_any(&p->ip) || ip_is_multicast(&p->ip) || ip_is_loopback(&p->ip))
        return json_error(t->json, at, d, "expected the address of a host and its prefix length, found \"%s/%u\"", ip,
                          p->len);
    const struct topo_node *owner = topology_owner(t, &p->ip); /* the first one */
    bool own = owner == n;
    for (const struct topo_iface *o = n->interfaces.items; own && o <= f; o++)
        for (size_t i = 0; i < (o == f ? index : o->addresses.count); i++)
            if (ip_equal(&o->addresses.items[i].ip, &p->ip))
                own = false;
    if (!own)
        return json_error(t->json, at, d, "expected each address once, found %s, which \"%s\" has already", ip,
                          owner->name);
    for (const struct topo_iface *o = n->interfaces.items; o < f; o++)
        for (size_t i = 0; i < o->addresses.count; i++)
            if (ip_in_prefix(&p->ip, &o->addresses.items[i]) || ip_in_prefix(&o->addresses.items[i].ip, p))
                return json_error(t->json, at, d, "expected networks that do not overlap, found that of \"%s\" again",
                                  o->name);
    return 0;
}

static void derive_mac(const struct topo_node *n, struct topo_iface *f)
{
    static const uint8_t none[6];
    if (memcmp(f->mac, none, sizeof none) != 0)
        return;
    char name[80];
    uint8_t hash[HASH_SHA256];
    snprintf(name, sizeof name, "mac/%s/%s", n->name, f->name);
    sha256(name, strlen(name), hash);
    memcpy(f->mac, hash, 6);
    f->mac[0] = 2; /* locally administered, unicast */
}

static int check_iface(const struct topology *t, const struct topo_node *n, struct topo_iface *f, struct diag *d)
{
    int err = topology_name(t, f->at, f->name, "/.", d);
    for (const struct topo_iface *o = n->interfaces.items; !err && o < f; o++)
        if (strcmp(o->name, f->name) == 0)
            err = json_error(t->json, topology_at(f->at, "name", -1), d,
                             "expected each interface once, found \"%s\" again", f->name);
    for (size_t i = 0; !err && i < f->addresses.count; i++)
        err = check_address(t, n, f, i, d);
    derive_mac(n, f);
    if (!err && (f->mac[0] & 1))
        err = json_error(t->json, topology_at(f->at, "mac", -1), d,
                         "expected a MAC address of one interface, not of a group");
    return err;
}

static int check_macs(const struct topology *t, struct diag *d)
{
    for (size_t i = 0; i < t->nodes.count; i++)
        for (size_t k = 0; k < t->nodes.items[i].interfaces.count; k++)
            for (size_t j = 0; j <= i; j++)
                for (size_t m = 0; m < (j == i ? k : t->nodes.items[j].interfaces.count); m++) {
                    const struct topo_iface *f = &t->nodes.items[i].interfaces.items[k];
                    if (memcmp(f->mac, t->nodes.items[j].interfaces.items[m].mac, 6) == 0)
                        return json_error(t->json, topology_at(f->at, "mac", -1), d,
                                          "expected each MAC address once, found that of \"%s\" again",
                                          t->nodes.items[j].name);
                }
    return 0;
}

/* ---- links ---- */

static struct topo_node *find_node(const struct topology *t, const char *name, size_t len)
{
    for (size_t i = 0; i < t->nodes.count; i++)
        if (strlen(t->nodes.items[i].name) == len && memcmp(t->nodes.items[i].name, name, len) == 0)
            return &t->nodes.items[i];
    return NULL;
}

/* The end "node:interface", or "switch": its node and port. switch_ports: how many each has been given. */
static int find_end(struct topology *t, struct topo_link *l, int end, unsigned *switch_ports, struct diag *d)
{
    const char *text = l->end_text[end], *colon = strchr(text, ':');
    const cJSON *at = topology_at(l->at, end ? "b" : "a", -1);
    struct topo_node *n = find_node(t, text, colon ? (size_t)(colon - text) : strlen(text));
    if (!n)
        return json_error(t->json, at, d, "expected a node of this topology, found \"%.64s\"", text);
    l->node[end] = (unsigned)(n - t->nodes.items);
    if (n->kind == TOPO_SWITCH && !colon) {
        l->port[end] = switch_ports[l->node[end]]++;
        return 0;
    }
    if (n->kind == TOPO_SWITCH || !colon)
        return json_error(t->json, at, d, "expected \"%s\", found \"%.64s\"",
                          n->kind == TOPO_SWITCH ? n->name : "NODE:INTERFACE", text);
    for (struct topo_iface *f = n->interfaces.items; f < n->interfaces.items + n->interfaces.count; f++) {
        if (strcmp(f->name, colon + 1) != 0)
            continue;
        if (f->linked)
            return json_error(t->json, at, d, "expected an interface that has no link yet, found \"%.64s\"", text);
        f->linked = true;
        l->port[end] = (unsigned)(f - n->interfaces.items);
        return 0;
    }
    return json_error(t->json, at, d, "expected an interface of \"%s\", found \"%.64s\"", n->name, colon + 1);
}

static int check_links(struct topology *t, struct diag *d)
{
    unsigned *switch_ports = arena_alloc(&t->arena, t->nodes.count * sizeof *switch_ports);
    int err = 0;
    for (size_t i = 0; !err && i < t->links.count; i++) {
        struct topo_link *l = &t->links.items[i];
        err = topology_name(t, l->at, l->name, ".", d);
        for (size_t k = 0; !err && k < i; k++)
            if (strcmp(t->links.items[k].name, l->name) == 0)
                err = json_error(t->json, topology_at(l->at, "name", -1), d,
                                 "expected each link once, found \"%s\" again", l->name);
        for (int end = 0; !err && end < 2; end++)
            err = find_end(t, l, end, switch_ports, d);
        if (!err && l->node[0] == l->node[1])
            err = json_error(t->json, l->at, d, "expected a link between two nodes, found both ends at \"%s\"",
                             t->nodes.items[l->node[0]].name);
    }
    for (size_t i = 0; !err && i < t->nodes.count; i++)
        for (size_t k = 0; !err && k < t->nodes.items[i].interfaces.count; k++)
            if (!t->nodes.items[i].interfaces.items[k].linked)
                err = json_error(t->json, t->nodes.items[i].interfaces.items[k].at, d,
                                 "expected a link to each interface, found none to \"%s:%s\"", t->nodes.items[i].name,
                                 t->nodes.items[i].interfaces.items[k].name);
    return err;
}

/* ---- segments: who hears whom without a router ---- */

static unsigned root_of(unsigned *parent, unsigned i)
{
    while (parent[i] != i)
        i = parent[i] = parent[parent[i]];
    return i;
}

/* Each interface and each switch is a point; links join them. */
static int find_segments(struct topology *t, struct diag *d)
{
    unsigned *base = arena_alloc(&t->arena, (t->nodes.count + 1) * sizeof *base), points = 0;
    for (size_t i = 0; i < t->nodes.count; i++) {
        base[i] = points;
        points += t->nodes.items[i].kind == TOPO_SWITCH ? 1 : (unsigned)t->nodes.items[i].interfaces.count;
    }
    unsigned *parent = arena_alloc(&t->arena, (points + 1) * sizeof *parent);
    for (unsigned i = 0; i < points; i++)
        parent[i] = i;
    for (size_t i = 0; i < t->links.count; i++) {
        const struct topo_link *l = &t->links.items[i];
        unsigned at[2];
        for (int e = 0; e < 2; e++) {
            bool is_switch = t->nodes.items[l->node[e]].kind == TOPO_SWITCH;
            at[e] = root_of(parent, base[l->node[e]] + (is_switch ? 0 : l->port[e]));
        }
        if (at[0] == at[1])
            return json_error(t->json, l->at, d, "expected no loop of switches, found that this link closes one");
        parent[at[1]] = at[0];
    }
    for (size_t i = 0; i < t->nodes.count; i++)
        for (unsigned k = 0; k < t->nodes.items[i].interfaces.count; k++)
            t->nodes.items[i].interfaces.items[k].segment = root_of(parent, base[i] + k);
    return 0;
}

static bool segment_has(const struct topology *t, unsigned segment, const struct ip_addr *ip)
{
    for (size_t i = 0; i < t->nodes.count; i++)
        for (size_t k = 0; k < t->nodes.items[i].interfaces.count; k++) {
            const struct topo_iface *f = &t->nodes.items[i].interfaces.items[k];
            for (size_t a = 0; f->segment == segment && a < f->addresses.count; a++)
                if (ip_equal(&f->addresses.items[a].ip, ip))
                    return true;
        }
    return false;
}

/* ---- gateways and routes ---- */

/* The node's interface that a gateway is a neighbour of. */
static int check_gateway(const struct topology *t, const struct topo_node *n, const cJSON *at, const struct ip_addr *gw,
                         unsigned *port, struct diag *d)
{
    char ip[ADDR_TEXT];
    ip_text(gw, ip);
    for (unsigned k = 0; k < n->interfaces.count; k++) {
        const struct topo_iface *f = &n->interfaces.items[k];
        if (!prefix_of(f, gw))
            continue;
        *port = k;
        if (topology_owner(t, gw) == n)
            return json_error(t->json, at, d, "expected a gateway, found %s, its own address", ip);
        if (!segment_has(t, f->segment, gw))
            return json_error(t->json, at, d,
                              "expected a gateway on the link of \"%s\", found %s, which nobody there has", f->name,
                              ip);
        return 0;
    }
    return json_error(t->json, at, d, "expected a gateway in a network of this node, found %s", ip);
}

static int check_routes(struct topology *t, struct topo_node *n, struct diag *d)
{
    size_t count = n->routes.count, given = count;
    struct topo_route *r = arena_alloc(&t->arena, (count + n->interfaces.count) * sizeof *r);
    for (size_t i = 0; i < given; i++)
        r[i] = n->routes.items[i];
    for (size_t k = 0; k < n->interfaces.count; k++) {
        const struct ip_addr gw = n->interfaces.items[k].gateway;
        if (gw.family != IP_NONE)
            r[count++] = (struct topo_route){.at = n->interfaces.items[k].at, .via = gw, .to.ip.family = gw.family};
    }
    n->routes.items = r;
    n->routes.count = count;
    int err = 0;
    for (size_t i = 0; !err && i < count; i++) {
        const cJSON *at = topology_at(r[i].at, i < given ? "via" : "gateway", -1);
        if (r[i].to.ip.family != r[i].via.family)
            err = json_error(t->json, at, d, "expected a gateway of the same IP version as the destination");
        else
            err = check_gateway(t, n, at, &r[i].via, &r[i].port, d);
    }
    return err;
}

int topology_check(struct topology *t, struct diag *d)
{
    int err = 0;
    for (size_t i = 0; !err && i < t->nodes.count; i++)
        err = check_node(t, &t->nodes.items[i], d);
    for (size_t i = 0; !err && i < t->nodes.count; i++)
        for (size_t k = 0; !err && k < t->nodes.items[i].interfaces.count; k++)
            err = check_iface(t, &t->nodes.items[i], &t->nodes.items[i].interfaces.items[k], d);
    if (!err)
        err = check_macs(t, d);
    if (!err)
        err = check_links(t, d);
    if (!err)
        err = find_segments(t, d);
    for (size_t i = 0; !err && i < t->nodes.count; i++)
        err = check_routes(t, &t->nodes.items[i], d);
    return err;
}
