/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One run of a search: what a seed drew for a topology, within a plan. It can be put into a copy of the topology, made
 * smaller piece by piece, and written as a topology file of its own. */
#ifndef TP_EXPLORE_SCENARIO_H
#define TP_EXPLORE_SCENARIO_H

#include "models/base/time.h"
#include "sim/explore/plan.h"
#include "sim/scenario/topology.h"

/* When a topology's call happens without any fault: where faults are put. */
struct call_times {
    uint64_t setup_ns, share_ns, end_ns;
};

struct scenario_load {
    unsigned node;
    uint32_t bytes_per_s, burst_bytes;
    uint64_t duration_ns;
};

struct scenario {
    uint64_t seed; /* of the world too: its losses, ports, identifiers */
    struct topo_dir (*dir)[2]; /* of each link, as it will be */
    struct topo_fault fault[PLAN_FAULTS_MAX];
    size_t fault_count;
    struct scenario_load *load; /* of each node that shares a screen */
    size_t load_count;
    uint32_t buffer_kb; /* of TCP, both ways, of all hosts; 0: as the topology says */
};

/* Room for scenarios of a topology; nothing drawn: the topology as it is. */
struct scenario *scenario_new(const struct topology *t);
void scenario_free(struct scenario *s);
void scenario_copy(const struct topology *t, struct scenario *to, const struct scenario *from);
/* The same plan, topology, times and seed give the same. */
void scenario_draw(const struct topology *t, const struct plan *plan, const struct call_times *times, uint64_t seed,
                   struct scenario *out);

/* A topology with a scenario in it. Where it says nothing of keep-alives a host has those of its system: what a peer
 * left that vanished is found out sometime (RFC 1122 4.2.3.6). */
#define VARIANT_KEEPALIVE_NS (2 * 3600 * NS_S)
struct variant {
    struct topology topology;
    uint8_t **settings; /* of the nodes with a load */
};
struct variant *variant_new(const struct topology *t);
void variant_set(struct variant *v, const struct topology *t, const struct scenario *s);
void variant_free(struct variant *v, const struct topology *t);

/* Whether a node shares a screen, and what its settings say of it; false: it does not. */
bool load_of(const struct topology *t, unsigned node, struct scenario_load *out);

/* The topology with the scenario in it as JSON. Rules that stand in files are named relative to directory. NULL: no
 * memory; the caller frees it. */
char *scenario_json(const struct topology *t, const struct scenario *s, const char *directory);

#endif
