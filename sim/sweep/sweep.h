/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a plan and keeps what came of it in a folder: part.N, a line for each run that is done, as long as some are
 * not, so that what was interrupted goes on where it was; then runs.csv, cells.csv and sweep.json (tables.h), whose
 * bytes are the same for any number of jobs and ranks. */
#ifndef TP_SWEEP_SWEEP_H
#define TP_SWEEP_SWEEP_H

#include "sim/sweep/plan.h"
#include "sim/sweep/ranks.h"

struct sweep_options {
    const char *directory; /* exists */
    unsigned jobs;         /* 0: as many as there are cores */
    void (*progress)(size_t done, size_t count); /* NULL: not */
};

struct sweep_done {
    size_t runs, failed; /* failed: calls that did not come up as they should; no error of ours */
    size_t resumed;      /* that were there before */
};

/* E_MALFORMED: a cell's topology is wrong, or the folder has another sweep; E_IO, E_NOT_FOUND, E_NOMEM: d says what. On
 * all ranks the same, but d may be empty where another one has the reason. */
int sweep_run(const struct sweep_plan *p, const struct sweep_options *options, const struct sweep_ranks *ranks,
              struct sweep_done *out, struct diag *d);

#endif
