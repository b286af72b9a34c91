/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ranks of a sweep by MPI: they agree, and no more; results go through the folder that all have in common. */
#include <mpi.h>

#include "sim/sweep/ranks.h"

static bool agree(bool ok)
{
    int mine = ok, all = 0;
    MPI_Allreduce(&mine, &all, 1, MPI_INT, MPI_LAND, MPI_COMM_WORLD);
    return all != 0;
}

static void end(void)
{
    MPI_Finalize();
}

static void begin(struct sweep_ranks *out)
{
    int rank = 0, count = 1;
    MPI_Init(NULL, NULL);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &count);
    *out = (struct sweep_ranks){(unsigned)rank, (unsigned)count, agree, end};
}

__attribute__((visibility("default"))) extern const struct sweep_ranks_plugin sweep_ranks_mpi;
const struct sweep_ranks_plugin sweep_ranks_mpi = {begin};
