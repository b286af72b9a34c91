/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The invariants that are judged when a run is over. */
#ifndef TP_EXPLORE_OUTCOME_H
#define TP_EXPLORE_OUTCOME_H

#include "sim/explore/scenario.h"
#include "sim/explore/violation.h"
#include "sim/host/host.h"
#include "sim/scenario/record.h"

/* "outcome", "recovers": of a run of t, with all its faults. True: the call came up, whole. */
bool outcome_judge(const struct record *r, const struct topology *t, const struct call_times *times,
                   struct violation *v);
/* "bounded": of a host, and of a firewall. */
void outcome_bounded(const char *host, const struct host_stats *is, uint64_t now_ns, struct violation *v);
void outcome_bounded_box(const char *name, size_t connections, uint64_t now_ns, struct violation *v);
/* "gone" */
void outcome_gone(const char *host, const struct host_stats *is, const struct host_stats *idle, uint64_t now_ns,
                  struct violation *v);

#endif
