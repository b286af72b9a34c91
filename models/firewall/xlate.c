/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of dynamic translations: RFC 4787 mapping, port choice and pooling. */
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "models/firewall/nat.h"

enum { BY_REAL, BY_MAPPED };

/* Ports keep to their class (RFC 4787 REQ-3a; an ASA splits the low ports once more). */
static const struct port_class {
    uint16_t lo, hi;
} classes[] = {{1, 511}, {512, 1023}, {1024, 65535}};

int fw_xlates_open(struct fw_xlates *t, uint32_t max, const struct fw_rules *r, const struct fw_addresses *a,
                   struct rng rng)
{
    uint32_t buckets = 16;
    while (buckets < max)
        buckets *= 2;
    *t = (struct fw_xlates){.max = max, .mask = buckets - 1, .rng = rng, .rules = r, .address = a};
    t->xlate = malloc(max * sizeof *t->xlate); /* each is written when it is taken */
    t->bucket[0] = calloc(buckets, sizeof(uint32_t));
    t->bucket[1] = calloc(buckets, sizeof(uint32_t));
    return t->xlate && t->bucket[0] && t->bucket[1] ? 0 : E_NOMEM;
}

void fw_xlates_close(struct fw_xlates *t)
{
    free(t->xlate);
    free(t->bucket[0]);
    free(t->bucket[1]);
}

static const struct fw_key *key_of(const struct fw_xlate *x, int by)
{
    return by == BY_REAL ? &x->real : &x->mapped;
}

static uint32_t *bucket_of(const struct fw_xlates *t, int by, const struct fw_key *key)
{
    return &t->bucket[by][fw_hash(key, sizeof *key) & t->mask];
}

static void idle_remove(struct fw_xlates *t, uint32_t at)
{
    struct fw_xlate *x = fw_xlate_at(t, at);
    *(x->older ? &fw_xlate_at(t, x->older)->newer : &t->oldest) = x->newer;
    *(x->newer ? &fw_xlate_at(t, x->newer)->older : &t->newest) = x->older;
}

static void idle_append(struct fw_xlates *t, uint32_t at)
{
    struct fw_xlate *x = fw_xlate_at(t, at);
    x->newer = 0;
    x->older = t->newest;
    *(x->older ? &fw_xlate_at(t, x->older)->newer : &t->oldest) = at;
    t->newest = at;
}

static void forget(struct fw_xlates *t, uint32_t at)
{
    struct fw_xlate *x = fw_xlate_at(t, at);
    for (int by = 0; by < 2; by++) {
        uint32_t *link = bucket_of(t, by, key_of(x, by));
        while (*link != at)
            link = &fw_xlate_at(t, *link)->chain[by];
        *link = x->chain[by];
    }
    idle_remove(t, at);
    x->newer = t->free;
    t->free = at;
    t->live--;
}

/* A policy that names several services is a rule for each: they draw from one pool together. */
static bool same_line(const struct fw_nat *a, const struct fw_nat *b)
{
    return a == b || (a->ref->line && a->ref->line == b->ref->line);
}

static bool is_it(const struct fw_xlate *x, int by, const struct fw_key *key, const struct fw_nat *rule)
{
    return memcmp(key_of(x, by), key, sizeof *key) == 0 && (!rule || same_line(x->rule, rule));
}

/* The live translation with that key (and rule, if given); one whose time is over goes away. */
static uint32_t find(struct fw_xlates *t, uint64_t now_ns, int by, const struct fw_key *key,
                     const struct fw_nat *rule)
{
    uint32_t at = *bucket_of(t, by, key);
    while (at && !is_it(fw_xlate_at(t, at), by, key, rule))
        at = fw_xlate_at(t, at)->chain[by];
    if (at && fw_xlate_at(t, at)->refs == 0 && fw_xlate_at(t, at)->until_ns <= now_ns) {
        forget(t, at);
        return 0;
    }
    return at;
}

static struct fw_key endpoint_key(unsigned proto, int iface, const struct ip_addr *ip, uint16_t port)
{
    return (struct fw_key){.src = *ip, .sport = port, .proto = (uint8_t)proto, .iface = (uint8_t)iface};
}

uint32_t fw_xlate_find(struct fw_xlates *t, uint64_t now_ns, int mapped_iface, const struct fw_flow *f)
{
    struct fw_key port = endpoint_key(f->proto, mapped_iface, &f->dst, f->dport);
    struct fw_key address = endpoint_key(0, mapped_iface, &f->dst, 0);
    uint32_t at = find(t, now_ns, BY_MAPPED, &port, NULL);
    return at ? at : find(t, now_ns, BY_MAPPED, &address, NULL);
}

void fw_xlate_source(const struct fw_xlate *x, struct ip_addr *ip, uint16_t *port)
{
    *ip = x->mapped.src;
    if (x->mapped.proto)
        *port = x->mapped.sport;
}

/* ---- choosing ---- */

/* Does another inside endpoint speak with the same remote by this port? Where mappings do not depend on the remote's
 * port that is not known yet: whoever comes second with the same remote is turned away then. */
static bool overlaps(const struct fw_xlates *t, uint64_t now_ns, const struct fw_key *mapped, const struct fw_flow *f)
{
    if (t->rules->behaviour.mapping != FW_ADDRESS_AND_PORT_DEPENDENT)
        return false;
    for (uint32_t at = *bucket_of(t, BY_MAPPED, mapped); at; at = fw_xlate_at(t, at)->chain[BY_MAPPED]) {
        const struct fw_xlate *x = fw_xlate_at(t, at);
        bool live = x->refs > 0 || x->until_ns > now_ns;
        if (live && is_it(x, BY_MAPPED, mapped, NULL) && ip_equal(&x->real.dst, &f->dst) && x->real.dport == f->dport)
            return true;
    }
    return false;
}

static bool port_free(struct fw_xlates *t, uint64_t now_ns, const struct fw_flow *f, struct fw_key *mapped,
                      uint16_t port)
{
    mapped->sport = port;
    if (t->rules->behaviour.parity && (port ^ f->sport) & 1)
        return false;
    if (t->rules->behaviour.ports == FW_PORTS_OVERLOAD)
        return !overlaps(t, now_ns, mapped, f);
    return !find(t, now_ns, BY_MAPPED, mapped, NULL);
}

/* A port of the mapped address; the class of the real one, the next free one from where the behaviour begins. */
static bool choose_port(struct fw_xlates *t, uint64_t now_ns, const struct fw_flow *f, struct fw_key *mapped)
{
    const struct port_class *c = classes;
    uint16_t wanted = f->sport;
    while (wanted > c->hi)
        c++;
    uint32_t n = (uint32_t)(c->hi - c->lo) + 1, start = 0;
    switch (t->rules->behaviour.ports) {
    case FW_PORTS_PRESERVE:
    case FW_PORTS_OVERLOAD:
        start = wanted ? wanted - (uint32_t)c->lo : 0;
        break;
    case FW_PORTS_SEQUENTIAL:
        start = t->next_port >= c->lo && t->next_port <= c->hi ? t->next_port - (uint32_t)c->lo : 0;
        break;
    case FW_PORTS_RANDOM:
        start = (uint32_t)rng_below(&t->rng, n);
        break;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint16_t port = (uint16_t)(c->lo + (start + i) % n);
        if (port_free(t, now_ns, f, mapped, port)) {
            t->next_port = (uint16_t)(port + 1);
            return true;
        }
    }
    return false;
}

/* Which pool address to try first, and how many of them: RFC 4787 REQ-2, RFC 7857 4 (a paired one is never changed).
 */
static uint64_t first_address(struct fw_xlates *t, const struct ip_addr *real, uint64_t size, uint64_t *tries)
{
    *tries = size;
    switch (t->rules->behaviour.pooling) {
    case FW_POOL_PAIRED:
        *tries = 1;
        return fw_hash(real, sizeof *real) % size;
    case FW_POOL_ARBITRARY:
        return t->next_address++ % size;
    default:
        return 0;
    }
}

/* Fills in the mapped side. */
static bool choose(struct fw_xlates *t, uint64_t now_ns, const struct fw_nat *rule, const struct fw_flow *f, int out,
                   bool pat, struct fw_key *mapped)
{
    enum { TRIES_MAX = 4096 };
    uint64_t size = rule->mapped ? fw_set_size(rule->mapped) : 0, tries = 0;
    uint64_t first = size ? first_address(t, &f->src, size, &tries) : 0;
    tries = !pat ? size : tries;
    for (uint64_t i = 0; i < tries && i < TRIES_MAX; i++) {
        struct ip_addr ip;
        if (!fw_set_at(rule->mapped, (first + i) % size, &ip) || ip.family != f->src.family)
            continue;
        *mapped = endpoint_key(pat ? f->proto : 0, out, &ip, 0);
        if (pat ? choose_port(t, now_ns, f, mapped) : !find(t, now_ns, BY_MAPPED, mapped, NULL))
            return true;
    }
    struct ip_addr own;
    if (!rule->interface || !fw_iface_address(t->address, out, f->src.family, &own))
        return false;
    *mapped = endpoint_key(f->proto, out, &own, 0);
    return choose_port(t, now_ns, f, mapped);
}

static uint32_t take_place(struct fw_xlates *t, uint64_t now_ns)
{
    if (!t->free && t->fresh == t->max && t->oldest && fw_xlate_at(t, t->oldest)->until_ns <= now_ns)
        forget(t, t->oldest);
    uint32_t at = t->free;
    if (at)
        t->free = fw_xlate_at(t, at)->newer;
    else if (t->fresh < t->max)
        at = ++t->fresh;
    return at;
}

/* The key of a port translation, as far as the mapping depends on the remote. */
static struct fw_key real_key(const struct fw_xlates *t, int in, int out, const struct fw_flow *f)
{
    struct fw_key k = endpoint_key(f->proto, in, &f->src, f->sport);
    enum fw_nat_dependence m = t->rules->behaviour.mapping;
    if (m != FW_ENDPOINT_INDEPENDENT)
        k.dst = f->dst;
    if (m == FW_ADDRESS_AND_PORT_DEPENDENT)
        k.dport = f->dport;
    if (m == FW_ENDPOINT_INDEPENDENT)
        k.dport = (uint16_t)(out + 1); /* one mapping for each network outside */
    return k;
}

uint32_t fw_xlate_get(struct fw_xlates *t, uint64_t now_ns, const struct fw_nat *rule, int in, int out,
                      const struct fw_flow *f, const char **why)
{
    bool pat = rule->pat || !rule->mapped;
    struct fw_key by_port = real_key(t, in, out, f), by_address = endpoint_key(0, in, &f->src, 0), mapped;
    uint32_t at = pat ? 0 : find(t, now_ns, BY_REAL, &by_address, rule);
    if (!at)
        at = find(t, now_ns, BY_REAL, &by_port, rule);
    if (at)
        return at;
    *why = "pat-exhausted";
    if (!choose(t, now_ns, rule, f, out, pat, &mapped))
        return 0;
    uint32_t place = take_place(t, now_ns);
    if (!place)
        return 0;
    struct fw_xlate *x = fw_xlate_at(t, place);
    *x = (struct fw_xlate){.real = mapped.proto ? by_port : by_address, .mapped = mapped, .rule = rule,
                           .until_ns = now_ns};
    for (int by = 0; by < 2; by++) {
        uint32_t *head = bucket_of(t, by, key_of(x, by));
        x->chain[by] = *head;
        *head = place;
    }
    idle_append(t, place);
    t->live++;
    return place;
}

void fw_xlate_hold(struct fw_xlates *t, struct fw_conntrack *ct, uint32_t at, uint32_t conn)
{
    struct fw_xlate *x = fw_xlate_at(t, at);
    struct fw_conn *c = fw_conn_at(ct, conn);
    if (x->refs++ == 0)
        idle_remove(t, at);
    c->xlate = at;
    c->sibling_before = 0;
    c->sibling = x->conns;
    if (c->sibling)
        fw_conn_at(ct, c->sibling)->sibling_before = conn;
    x->conns = conn;
}

void fw_xlate_drop(struct fw_xlates *t, struct fw_conntrack *ct, uint32_t conn, uint64_t when_ns)
{
    struct fw_conn *c = fw_conn_at(ct, conn);
    uint32_t at = c->xlate;
    if (!at)
        return;
    struct fw_xlate *x = fw_xlate_at(t, at);
    *(c->sibling_before ? &fw_conn_at(ct, c->sibling_before)->sibling : &x->conns) = c->sibling;
    if (c->sibling)
        fw_conn_at(ct, c->sibling)->sibling_before = c->sibling_before;
    c->xlate = 0;
    if (--x->refs > 0)
        return;
    uint64_t keep = t->rules->timer[x->mapped.proto ? FW_TIMER_PAT_XLATE : FW_TIMER_XLATE];
    x->until_ns = keep > TIME_NEVER - when_ns ? TIME_NEVER : when_ns + keep;
    idle_append(t, at);
}
