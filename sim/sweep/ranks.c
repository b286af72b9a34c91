/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/sweep/ranks.h"

#include <stdio.h>
#include <stdlib.h>

#include "models/base/err.h"
#include "sim/plugin.h"

int sweep_ranks_find(struct sweep_ranks *out, struct diag *d)
{
    static char why[PLUGIN_WHY];
    *out = (struct sweep_ranks){.count = 1};
    if (!getenv("OMPI_COMM_WORLD_SIZE")) /* what Open MPI's mpirun tells those it starts */
        return 0;
    /* ISO C has no way from void * to a function: the plug-in has a structure of them. */
    const struct sweep_ranks_plugin *plugin = plugin_symbol("turnproof-mpi.so", NULL, "sweep_ranks_mpi", why);
    if (!plugin) {
        snprintf(d->text, sizeof d->text, "started by mpirun, but the MPI plug-in is not installed: %.900s", why);
        return E_NOT_FOUND;
    }
    plugin->begin(out);
    return 0;
}
