/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Monitors: small state machines that watch what passes between clients, a server and peers, whoever made the trace (a
 * simulated run, a live exchange, a capture), and judge the rows that can be seen there. They take conversations as
 * models/trace tells them, find STUN in them by content, and know nothing but these bytes and times.
 *
 * A row that was never put to the proof in a trace is skipped, not passed: "no ConnectionBind was seen". */
#ifndef TP_CONFORMANCE_MONITOR_H
#define TP_CONFORMANCE_MONITOR_H

#include "conformance/conformance.h"
#include "models/trace/seen.h"

struct monitors;

/* NULL: no memory. Memory is bounded: what does not fit is not judged, and counted by monitors_missed. */
struct monitors *monitors_new(void);
void monitors_free(struct monitors *m);
void monitors_see(void *monitors, const struct seen *s); /* a seen_handler */
/* Whether a row is among those that are watched. */
bool monitors_watch(const char *id);
/* Conversations and messages for which there was no room: they were not judged. */
uint64_t monitors_missed(const struct monitors *m);
/* The trace is over at that time. out gets a verdict for each watched row, in the catalogue's order; *count: how many.
 * Each fail names frames and times. Owned by the caller (verdicts_free). E_NOMEM. */
int monitors_end(struct monitors *m, uint64_t t_ns, struct verdict **out, size_t *count);

#endif
