/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows into questions. */
#include "sim/check/bind.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check/bind_parts.h"

void *bind_room(struct bound *o, void *items, size_t count, size_t size)
{
    if (count & (count - 1)) /* there is room up to each power of two */
        return items;
    void *more = arena_alloc(&o->arena, (count ? 2 * count : 1) * size);
    if (count)
        memcpy(more, items, count * size);
    return more;
}

/* ---- ports ---- */

static struct port_ranges one_range(struct binding *b, unsigned lo, unsigned hi)
{
    struct port_ranges r = {arena_alloc(&b->out->arena, sizeof *r.items), 1};
    r.items[0] = (struct port_range){(uint16_t)lo, (uint16_t)hi};
    return r;
}

/* TURN's ports move together; a large appliance that multiplexes has only the first of them. */
static struct port_ranges turn_ports(struct binding *b, const struct port_ranges *table)
{
    enum { TURN_DEFAULT = 3478 };
    const struct port_range r = table->items[0];
    unsigned first = (unsigned)b->check->turn_port + r.lo - TURN_DEFAULT;
    return one_range(b, first, b->check->turn_multiplexed ? first : first + r.hi - r.lo);
}

struct port_ranges bind_ports(struct binding *b, enum port_setting setting, const struct port_ranges *table)
{
    switch (setting) {
    case SETTING_ADMINISTRATION_PORT:
        return one_range(b, b->check->administration_port, b->check->administration_port);
    case SETTING_TURN_PORT:
        return turn_ports(b, table);
    case SETTING_TCP_OVERRIDE_PORT:
        if (b->check->tcp_override_port)
            return one_range(b, b->check->tcp_override_port, b->check->tcp_override_port);
        return (struct port_ranges){0};
    case SETTING_TRAVERSAL_ZONES:
        return one_range(b, table->items[0].lo, table->items[0].lo + b->check->traversal_zones - 1u);
    case SETTING_NONE:
        break;
    }
    return *table;
}

bool bind_switched_on(struct binding *b, enum port_switch which)
{
    const char *why;
    switch (which) {
    case SWITCH_CLUSTER: return bind_actor_nodes(b, ACTOR_EXPRESSWAY_E, &why).count > 1;
    case SWITCH_TURN_TCP_443: return b->check->turn_tcp_443;
    case SWITCH_MRA: return b->check->mra;
    case SWITCH_NONE: break;
    }
    return true;
}

/* The even or odd ports of the ranges, each a range of its own. */
static struct port_ranges of_parity(struct binding *b, const struct port_ranges *all, enum port_parity parity)
{
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++)
        count += (size_t)(all->items[i].hi - all->items[i].lo) / 2 + 1;
    struct port_ranges out = {arena_alloc(&b->out->arena, count * sizeof *out.items), 0};
    for (size_t i = 0; i < all->count; i++)
        for (unsigned p = all->items[i].lo; p <= all->items[i].hi; p++)
            if (p % 2 == (parity == PARITY_ODD))
                out.items[out.count++] = (struct port_range){(uint16_t)p, (uint16_t)p};
    return out;
}

/* ---- what does not apply ---- */

struct row_of {
    const struct port_table *table;
    const struct port_row *row;
};

static void skip(struct binding *b, struct row_of r, enum bind_why why, const char *text)
{
    struct bound *o = b->out;
    o->skips.items = bind_room(o, o->skips.items, o->skips.count, sizeof *o->skips.items);
    o->skips.items[o->skips.count++] =
        (struct bind_skip){.table = r.table, .row = r.row, .why = why, .text = text};
}

static const char *release_reason(struct binding *b, const struct port_releases *r)
{
    if (r->since_text && release_compare(&b->release, &r->since) < 0)
        return arena_format(&b->out->arena, "only from %s on", r->since_text);
    return arena_format(&b->out->arena, "only before %s", r->before_text);
}

static bool applies(struct binding *b, struct row_of r)
{
    static const char *const off[] = {[SWITCH_TURN_TCP_443] = "the TCP 443 TURN service is off (check.turn_tcp_443)",
                                      [SWITCH_MRA] = "Mobile and Remote Access is off (check.mra)",
                                      [SWITCH_CLUSTER] = "there is no cluster of Expressway-E"};
    if (!port_releases_have(&r.row->releases, &b->release)) {
        skip(b, r, BIND_RELEASE, release_reason(b, &r.row->releases));
        return false;
    }
    if (!bind_switched_on(b, (enum port_switch)r.row->only_with)) {
        skip(b, r, BIND_SETTING, off[r.row->only_with]);
        return false;
    }
    if (r.row->setting == SETTING_TCP_OVERRIDE_PORT && !b->check->tcp_override_port) {
        skip(b, r, BIND_SETTING, "no TCP override port is set (check.tcp_override_port)");
        return false;
    }
    return true;
}

/* ---- questions ---- */

/* What is the same for all questions of a row between two nodes. */
struct pair {
    struct row_of of;
    const struct port_alternative *alternative;
    struct port_ranges ports;
    const struct bind_place *from, *to;
    uint8_t family;
    int group;
};

static void add_question(struct binding *b, const struct pair *p, uint8_t proto, struct port_ranges dport)
{
    struct bound *o = b->out;
    const struct port_row *row = p->of.row;
    o->questions.items = bind_room(o, o->questions.items, o->questions.count, sizeof *o->questions.items);
    struct bind_question *q = &o->questions.items[o->questions.count++];
    *q = (struct bind_question){
        .table = p->of.table, .row = row, .alternative = p->alternative, .need = (enum port_need)row->need,
        .group = p->group, .family = p->family, .proto = proto, .from = p->from->end, .to = p->to->end,
        .src = p->from->addresses, .dst = p->to->addresses, .sport = row->from_ports, .dport = dport,
        .src_translated = p->from->translated, .dst_translated = p->to->translated};
    q->local = q->from.node == q->to.node && !q->from.behind && q->dst_translated.family == IP_NONE;
}

/* tcp, tls and https are one on the wire. */
static size_t wire_protocols(const struct port_row *row, uint8_t proto[2])
{
    size_t n = 0;
    for (size_t i = 0; i < row->protocols.count; i++) {
        uint8_t p = port_protocol_wire((enum port_protocol)row->protocols.items[i]);
        if (n == 0 || (n == 1 && proto[0] != p))
            proto[n++] = p;
    }
    return n;
}

static bool is_choice(const struct pair *p)
{
    return p->alternative && p->alternative->any_of_ports && p->ports.count > 1;
}

static void ask(struct binding *b, struct pair *p)
{
    const struct port_row *row = p->of.row;
    uint8_t proto[2];
    size_t protos = wire_protocols(row, proto);
    bool choice = is_choice(p), any_proto = row->any_of && protos > 1, grouped = p->group >= 0;
    if (!grouped && any_proto)
        p->group = (int)b->out->group_count++;
    for (size_t i = 0; i < protos; i++) {
        if (!grouped && !any_proto)
            p->group = choice ? (int)b->out->group_count++ : -1;
        for (size_t k = 0; choice && k < p->ports.count; k++)
            add_question(b, p, proto[i], (struct port_ranges){&p->ports.items[k], 1});
        if (!choice)
            add_question(b, p, proto[i], p->ports);
    }
}

/* Rows of one group share a number, for each family. */
static int group_of(struct binding *b, const struct pair *p)
{
    if (!p->of.row->group)
        return -1;
    for (size_t i = 0; i < b->out->questions.count; i++) {
        const struct bind_question *q = &b->out->questions.items[i];
        if (q->table == p->of.table && q->family == p->family && q->row->group &&
            strcmp(q->row->group, p->of.row->group) == 0)
            return q->group;
    }
    return (int)b->out->group_count++;
}

static int out_port(const struct topo_node *n, const struct ip_addr *to)
{
    struct ip_addr next;
    const struct topo_iface *f = topology_next_hop(n, to, &next);
    return f ? (int)(f - n->interfaces.items) : -1;
}

static bool bind_pair(struct binding *b, struct pair *p, unsigned from, unsigned to)
{
    bool any = false;
    for (uint8_t f = IP_V4; f <= IP_V6; f++) {
        const struct bind_place *source = bind_source(b, p->of.row, from, to, f);
        const struct bind_place *destination = source ? bind_destination(b, p->of.row, to, from, f) : NULL;
        if (!destination)
            continue;
        struct bind_place leaving = *source;
        if (b->t->nodes.items[from].kind == TOPO_HOST)
            leaving.end.port = out_port(&b->t->nodes.items[from], &destination->addresses.items[0].a);
        p->from = &leaving;
        p->to = destination;
        p->family = f;
        p->group = group_of(b, p);
        ask(b, p);
        any = true;
    }
    return any;
}

/* The alternative for the size; NULL and false: there is none. */
static bool choose(struct binding *b, struct pair *p)
{
    const struct port_row *row = p->of.row;
    const int size = b->size == SIZE_LARGE ? PORT_SIZE_LARGE : PORT_SIZE_SMALL_MEDIUM;
    for (size_t i = 0; i < row->alternatives.count && !p->alternative; i++)
        if (row->alternatives.items[i].size == size || row->alternatives.items[i].size == PORT_SIZE_ANY)
            p->alternative = &row->alternatives.items[i];
    const struct port_ranges none = {0};
    if (!p->alternative && row->setting != SETTING_TCP_OVERRIDE_PORT)
        return false;
    p->ports = bind_ports(b, (enum port_setting)row->setting, p->alternative ? &p->alternative->ports : &none);
    if (p->alternative && p->alternative->parity != PARITY_ANY)
        p->ports = of_parity(b, &p->ports, (enum port_parity)p->alternative->parity);
    return true;
}

static void bind_row(struct binding *b, struct row_of r)
{
    if (!applies(b, r))
        return;
    struct pair p = {.of = r};
    if (!choose(b, &p)) {
        skip(b, r, BIND_SIZE,
             arena_format(&b->out->arena, "the table gives no ports for a %s system",
                          b->size == SIZE_LARGE ? "large" : "small or medium"));
        return;
    }
    const char *why = NULL;
    struct bind_nodes from = bind_actor_nodes(b, r.row->from.actor, &why), to = {0};
    if (!why)
        to = bind_actor_nodes(b, r.row->to.actor, &why);
    if (why) {
        skip(b, r, BIND_NO_ACTOR, why);
        return;
    }
    bool any = false;
    for (size_t i = 0; i < from.count; i++)
        for (size_t k = 0; k < to.count; k++)
            if (bind_pair(b, &p, from.items[i], to.items[k]))
                any = true;
    if (!any)
        skip(b, r, BIND_NO_ADDRESS,
             r.row->translated ? "no public address behind a translation: nothing is reflected"
                               : "no address of one family at both ends");
}

void bind_tables(const struct topology *t, const struct port_table *const *tables, size_t count,
                 const struct bind_options *options, struct bound **out)
{
    struct bound *o = calloc(1, sizeof *o);
    assert(o); /* as with the arena: a machine out of memory ends the program */
    o->topology = t;
    o->size = options->size ? *options->size : (enum appliance_size)t->check.size;
    o->release = options->release ? *options->release : t->check.release;
    struct binding b = {.t = t, .check = &t->check, .size = o->size, .release = o->release, .out = o};
    bind_find_sites(&b);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < tables[i]->rows.count; k++)
            bind_row(&b, (struct row_of){tables[i], &tables[i]->rows.items[k]});
        bind_listeners(&b, tables[i]);
        bind_advisories(&b, tables[i]);
    }
    bind_find_clashes(&b, tables, count);
    *out = o;
}

void bound_free(struct bound *b)
{
    if (!b)
        return;
    arena_free(&b->arena);
    free(b);
}
