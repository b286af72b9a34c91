/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a sweep runs: a topology, changed along axes, every combination of their cases with a number of seeds.
 *
 *     {"schema": "turnproof/sweep/1", "name": "loss", "topology": "../lab.json",
 *      "set": {"duration_s": 80},
 *      "vary": [{"name": "loss_ppm", "set": "links.client-wan.loss.bernoulli_ppm", "values": [0, 1000, 10000]},
 *               {"name": "engine", "engines": ["native", "ns3"]},
 *               {"name": "site", "cases": [{"label": "near", "set": {"links.site-wan.delay_us": 500}},
 *                                          {"label": "far", "set": {"links.site-wan.delay_us": 90000}}]}],
 *      "seeds": {"first": 1, "count": 20}}
 *
 * Pieces of work are numbered: the seed counts fastest, then the last axis. */
#ifndef TP_SWEEP_PLAN_H
#define TP_SWEEP_PLAN_H

#include "sim/scenario/topology.h"

enum { SWEEP_AXES_MAX = 12, SWEEP_PIECES_MAX = 1000000 };

struct sweep_case {
    const char *label;
    const char *engine; /* NULL: whatever the others say */
    LIST_OF(const char *) set; /* PATH=JSON */
};

struct sweep_axis {
    const cJSON *at;
    const char *name, *path;
    const cJSON *values, *cases;
    LIST_OF(const char *) engines;
    LIST_OF(struct sweep_case) kinds;
};

struct sweep_plan {
    const char *schema, *name, *title, *topology;
    const cJSON *set_json;
    LIST_OF(struct sweep_axis) axes;
    uint64_t first_seed, seeds; /* of each cell */

    LIST_OF(const char *) set; /* of all cells */
    size_t cells, pieces;
    const char *file, *topology_file;
    struct json *json;
    struct arena arena;
};

/* A combination of cases. */
struct sweep_cell {
    const struct sweep_case *on[SWEEP_AXES_MAX];
    const char *engine; /* "native" unless an axis says otherwise */
};

/* E_MALFORMED, E_NOT_FOUND, ...: d says what is wrong and where. */
int sweep_plan_read(const char *file, struct sweep_plan **out, struct diag *d);
int sweep_plan_parse(const char *file, const char *text, size_t len, struct sweep_plan **out, struct diag *d);
void sweep_plan_free(struct sweep_plan *p);

void sweep_plan_cell(const struct sweep_plan *p, size_t cell, struct sweep_cell *out);
/* The topology as the cell has it. */
int sweep_plan_topology(const struct sweep_plan *p, size_t cell, struct topology **out, struct diag *d);

#endif
