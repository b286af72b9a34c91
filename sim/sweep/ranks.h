/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processes that share one sweep: this one alone, or those that mpirun started, on as many machines as have the
 * folder of results in common. */
#ifndef TP_SWEEP_RANKS_H
#define TP_SWEEP_RANKS_H

#include <stdbool.h>

#include "models/base/diag.h"

struct sweep_ranks {
    unsigned rank, count;
    /* All wait for all; whether `ok` is true of each. NULL: alone. */
    bool (*agree)(bool ok);
    void (*end)(void); /* NULL: alone */
};

/* What the plug-in is (sim/mpi): begin fills in all of it. */
struct sweep_ranks_plugin {
    void (*begin)(struct sweep_ranks *out);
};

/* Alone, unless mpirun started this process: then by the plug-in, E_NOT_FOUND when it is not installed. */
int sweep_ranks_find(struct sweep_ranks *out, struct diag *d);

#endif
