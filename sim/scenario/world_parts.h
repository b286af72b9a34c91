/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the world share; nobody else includes this. */
#ifndef TP_SCENARIO_WORLD_PARTS_H
#define TP_SCENARIO_WORLD_PARTS_H

#include "sim/scenario/systems.h"
#include "sim/scenario/world.h"

struct world_node {
    net_node id;
    struct box *box;
    struct host *host;
    struct io *io;
    struct core core;
    struct system_host where;
    struct world *world;
    LIST_OF(struct ip_prefix) addresses;
    unsigned down, deaf, exhausted, boots; /* faults that last; how often it was made again */
};

struct world {
    const struct net_ops *ops;
    struct net *net;
    const struct topology *t;
    uint64_t seed;
    const struct world_ears *ears;
    struct world_node *node;
    struct arena arena;
};

/* The system of a host, or one that does nothing, on an io of its own. E_NOMEM. */
int world_make_core(const struct topo_node *n, uint64_t seed, struct world_node *out);
void world_free_core(struct world_node *n);

/* The outages that faults add to those of a direction of the link. */
void world_fault_outages(struct world *w, unsigned link, struct net_link_dir *dir);
/* All faults get their timers; before the first event. */
void world_fault_start(struct world *w);

#endif
