/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that bind port tables share; nobody else includes this. */
#ifndef TP_CHECK_BIND_PARTS_H
#define TP_CHECK_BIND_PARTS_H

#include "sim/check/bind.h"

enum { SITE_OUTSIDE = -1 };

struct binding {
    const struct topology *t;
    const struct topo_check *check;
    enum appliance_size size;
    struct release release;
    struct bound *out;
    int *site; /* by node; SITE_OUTSIDE, or a number */
};

/* ---- bind_sites.c ---- */

void bind_find_sites(struct binding *b);
/* Takes what belongs to a site away from r. */
void bind_remove_site(struct binding *b, int site, struct addr_ranges *r);

/* ---- bind_ends.c ---- */

/* Who an actor is: nodes, each one by itself. */
struct bind_nodes {
    unsigned *items;
    size_t count;
};
/* None: why says it. */
struct bind_nodes bind_actor_nodes(struct binding *b, enum port_actor actor, const char **why);

/* One end of a question, seen from the other one. */
struct bind_place {
    struct bind_end end;
    struct addr_ranges addresses;
    struct ip_addr translated; /* what they are on the other side of a firewall; unset: the same */
};
/* As the source or the destination of packets of a family. NULL: it has no such address. */
const struct bind_place *bind_source(struct binding *b, const struct port_row *row, unsigned node, unsigned peer,
                                     uint8_t family);
const struct bind_place *bind_destination(struct binding *b, const struct port_row *row, unsigned node, unsigned peer,
                                          uint8_t family);

/* Unset: the host has none but its own. */
struct ip_addr bind_public_address(const struct binding *b, enum port_actor actor, const struct topo_node *n,
                                   uint8_t family);

/* ---- bind_listen.c ---- */

void bind_listeners(struct binding *b, const struct port_table *t);
void bind_find_clashes(struct binding *b, const struct port_table *const *tables, size_t count);
void bind_advisories(struct binding *b, const struct port_table *t);

/* ---- bind.c ---- */

/* The ports that a deployment is set to, for those of a table; an empty set: there is no such setting. */
struct port_ranges bind_ports(struct binding *b, enum port_setting setting, const struct port_ranges *table);
bool bind_switched_on(struct binding *b, enum port_switch which);
/* A list that grows by one, in the arena of o. */
void *bind_room(struct bound *o, void *items, size_t count, size_t size);

#endif
