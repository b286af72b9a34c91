/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A topology as a running world, on any engine. */
#ifndef TP_SCENARIO_WORLD_H
#define TP_SCENARIO_WORLD_H

#include "sim/scenario/record.h"
#include "sim/scenario/topology.h"

struct world_options {
    uint64_t seed;
    const char *directory; /* for the files of the trace; NULL: none */
    const char *const *ends; /* of links, as "cms:a", that the capture is of; none: all */
    size_t end_count;
    /* Called now and then with how far the run is; NULL: not. */
    void (*progress)(uint64_t now_ns, uint64_t end_ns);
};

/* Builds, runs to the end and takes down; what it leaves is in record (zeroed before). 0, or an error of the trace's
 * files or ends, and d says which. */
int world_run(const struct net_ops *ops, const struct topology *t, const struct world_options *options,
              struct record *record, struct diag *d);

#endif
