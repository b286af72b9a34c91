/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is wrong with a deployment before any packet: two services that listen on one port, a setting that a row rules
 * out, a combination that the releases do not stand. */
#include <string.h>

#include "sim/check/bind_parts.h"

static void add_listener(struct binding *b, const struct bind_listener *l)
{
    struct bound *o = b->out;
    for (size_t i = 0; i < o->listeners.count; i++) {
        const struct bind_listener *k = &o->listeners.items[i];
        if (k->node == l->node && k->proto == l->proto && k->port.lo == l->port.lo && k->port.hi == l->port.hi &&
            strcmp(k->what->service, l->what->service) == 0)
            return; /* another table says so too */
    }
    o->listeners.items = bind_room(o, o->listeners.items, o->listeners.count, sizeof *o->listeners.items);
    o->listeners.items[o->listeners.count++] = *l;
}

void bind_listeners(struct binding *b, const struct port_table *t)
{
    for (size_t i = 0; i < t->listeners.count; i++) {
        const struct port_listener *l = &t->listeners.items[i];
        const char *why;
        struct bind_nodes nodes = bind_actor_nodes(b, (enum port_actor)l->actor, &why);
        struct port_ranges ports = bind_ports(b, (enum port_setting)l->setting, &l->ports);
        if (!port_releases_have(&l->releases, &b->release) || !bind_switched_on(b, (enum port_switch)l->only_with))
            continue;
        for (size_t n = 0; n < nodes.count; n++)
            for (size_t p = 0; p < ports.count; p++)
                add_listener(b, &(struct bind_listener){
                                    .table = t, .what = l, .node = nodes.items[n], .port = ports.items[p],
                                    .proto = port_protocol_wire((enum port_protocol)l->protocol)});
    }
}

static void add_clash(struct binding *b, const struct bind_clash *c)
{
    struct bound *o = b->out;
    o->clashes.items = bind_room(o, o->clashes.items, o->clashes.count, sizeof *o->clashes.items);
    o->clashes.items[o->clashes.count++] = *c;
}

static bool shares(const struct binding *b, const struct port_listener *l, const struct port_listener *with)
{
    for (size_t i = 0; i < l->shares_with.count; i++)
        if (strcmp(l->shares_with.items[i], with->service) == 0)
            return !l->shares_since_text || release_compare(&b->release, &l->shares_since) >= 0;
    return false;
}

static const char *since_text(const struct port_listener *a, const struct port_listener *b)
{
    return a->shares_since_text ? a->shares_since_text : b->shares_since_text;
}

static void compare(struct binding *b, const struct bind_listener *x, const struct bind_listener *y)
{
    if (x->node != y->node || x->proto != y->proto || x->port.hi < y->port.lo || y->port.hi < x->port.lo ||
        strcmp(x->what->service, y->what->service) == 0 || shares(b, x->what, y->what) || shares(b, y->what, x->what))
        return;
    unsigned port = x->port.lo > y->port.lo ? x->port.lo : y->port.lo;
    const char *since = since_text(x->what, y->what);
    const char *text = arena_format(&b->out->arena, "%s: %s and %s both listen on %s %u%s%s%s",
                                    b->t->nodes.items[x->node].name, x->what->service, y->what->service,
                                    x->proto == PROTO_UDP ? "UDP" : "TCP", port,
                                    since ? "; they can share it from " : "", since ? since : "", since ? " on" : "");
    add_clash(b, &(struct bind_clash){.a = x, .b = y, .text = text});
}

static void check_row(struct binding *b, const struct port_row *row)
{
    for (size_t i = 0; row->setting == SETTING_ADMINISTRATION_PORT && i < row->never_ports.count; i++) {
        unsigned port = b->check->administration_port;
        if (port < row->never_ports.items[i].lo || port > row->never_ports.items[i].hi)
            continue;
        const char *text = arena_format(&b->out->arena, "administration on TCP %u: row %s rules that port out", port,
                                        row->id);
        add_clash(b, &(struct bind_clash){.row = row, .text = text});
    }
}

void bind_find_clashes(struct binding *b, const struct port_table *const *tables, size_t count)
{
    for (size_t i = 0; i < b->out->listeners.count; i++)
        for (size_t k = 0; k < i; k++)
            compare(b, &b->out->listeners.items[k], &b->out->listeners.items[i]);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < tables[i]->rows.count; k++)
            check_row(b, &tables[i]->rows.items[k]);
}

/* ---- advisories ---- */

static void advise(struct binding *b, const struct port_table *t, const struct port_advisory *a, const char *node)
{
    struct bound *o = b->out;
    o->advisories.items = bind_room(o, o->advisories.items, o->advisories.count, sizeof *o->advisories.items);
    o->advisories.items[o->advisories.count++] = (struct bind_advisory){.table = t, .what = a, .node = node};
}

static bool behind_nat(const struct binding *b, const struct topo_node *n)
{
    return bind_public_address(b, ACTOR_EXPRESSWAY_E, n, IP_V4).family != IP_NONE;
}

static bool holds_for(struct binding *b, enum port_condition c, const struct topo_node *n)
{
    switch (c) {
    case CONDITION_CLUSTER_BEHIND_NAT: return bind_switched_on(b, SWITCH_CLUSTER) && behind_nat(b, n);
    case CONDITION_DUAL_NIC_WITHOUT_NAT: return n->interfaces.count > 1 && !behind_nat(b, n);
    case CONDITION_OLD_MEETING_SERVER: break;
    }
    return false;
}

void bind_advisories(struct binding *b, const struct port_table *t)
{
    const char *why;
    struct bind_nodes peers = bind_actor_nodes(b, ACTOR_EXPRESSWAY_E, &why);
    for (size_t i = 0; i < t->advisories.count; i++) {
        const struct port_advisory *a = &t->advisories.items[i];
        if (!port_releases_have(&a->releases, &b->release))
            continue;
        if (a->condition == CONDITION_OLD_MEETING_SERVER && b->check->meeting_server_text &&
            release_compare(&b->check->meeting_server, &a->meeting_server_before) < 0)
            advise(b, t, a, NULL);
        for (size_t p = 0; p < peers.count; p++) {
            const struct topo_node *n = &b->t->nodes.items[peers.items[p]];
            if (holds_for(b, (enum port_condition)a->condition, n))
                advise(b, t, a, n->name);
        }
    }
}
