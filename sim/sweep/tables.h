/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The results of a sweep as tables. runs.csv: one row a run: its case on each axis, its seed, its metrics; cells.csv:
 * one row a cell and metric: how many runs had it, least, mean, greatest, and the half-width of the mean's 95 %
 * confidence interval (Student's t); sweep.json: the plan, and the same as cells.csv. */
#ifndef TP_SWEEP_TABLES_H
#define TP_SWEEP_TABLES_H

#include "sim/sweep/plan.h"

/* lines: by piece, "\tNAME=VALUE\tNAME=VALUE". 0, E_IO (d: which file), E_NOMEM. */
int tables_write(const struct sweep_plan *p, const char *const *lines, const char *directory, struct diag *d);

#endif
