/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands between the hosts of a world and its engine, and at its wires: what it sees goes to the invariants that hold
 * throughout a run. One watcher serves one run after the other. */
#ifndef TP_EXPLORE_WATCHER_H
#define TP_EXPLORE_WATCHER_H

#include "sim/explore/violation.h"
#include "sim/scenario/world.h"

/* Frames that hosts send in a run: more is a storm, and the run ends. */
enum { WATCHER_FRAMES_MAX = 500000 };
/* What a firewall of a search can know of: a call needs a few dozen. */
enum { WATCHER_CONNECTIONS = 1024 };

struct watcher;
struct watcher *watcher_new(const struct net_ops *engine, const struct topology *t);
void watcher_free(struct watcher *w);
/* For the next run, which leaves its notes in record. */
void watcher_begin(struct watcher *w, struct record *record);
/* What did not hold; others may add to it. */
struct violation *watcher_found(struct watcher *w);
const struct net_ops *watcher_ops(const struct watcher *w);
const struct world_ears *watcher_ears(const struct watcher *w);
/* The run is over: what the monitors of conformance/ have to say. Rows that a relay breaks with usual set are its
 * habits: they are no violations from then on. */
void watcher_end(struct watcher *w, uint64_t now_ns, bool usual);

#endif
