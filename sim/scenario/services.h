/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What became of the services of a run, for people and programs. */
#ifndef TP_SCENARIO_SERVICES_H
#define TP_SCENARIO_SERVICES_H

#include "sim/scenario/record.h"
#include "sim/scenario/sink.h"
#include "sim/scenario/topology.h"

/* A table of 80 columns, at most max rows (0: all): those that do not hold first, each with the packet that is to
 * blame and what to change, then the degraded, then the others. Nothing when there are no services. */
void services_text(struct sink *s, const struct topology *t, const struct record *r, size_t max);
/* The elements of a JSON list, one a line. */
void services_json(struct sink *s, const struct topology *t, const struct record *r);

#endif
