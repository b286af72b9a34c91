/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The exact answers held against the simulation: corners of every set of packets through the stateful box that a run
 * uses, there and back, and each packet that a run of the call drops asked of the exact engine. The two share the rule
 * model and nothing else; where they differ, one of them has a bug, and the report says so. */
#ifndef TP_CHECK_SIMULATE_H
#define TP_CHECK_SIMULATE_H

#include "sim/check/check.h"

/* A check_watch's `visited`. */
void simulate_visit(void *ctx, struct check *c, const struct path_visit *v);
/* The call of the topology, on the native engine. 0; an error of the engine, d says which. */
int simulate_call(struct check *c, struct diag *d);

#endif
