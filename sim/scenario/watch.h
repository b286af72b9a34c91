/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conformance in a run: the monitors of conformance/ see what passes the relays' own link ends, as a capture taken
 * there would, and the record keeps what they say. */
#ifndef TP_SCENARIO_WATCH_H
#define TP_SCENARIO_WATCH_H

#include <stddef.h>

#include "sim/scenario/record.h"

struct run_watch;
/* flows: connections at a time that it can follow, in memory that is had at once; 0: as many as of a capture. NULL: no
 * memory. */
struct run_watch *run_watch_new(uint32_t flows);
/* An Ethernet frame that a relay sent, or that arrived at one. */
void run_watch_frame(struct run_watch *w, uint64_t now_ns, const uint8_t *frame, size_t len);
/* The run is over: the verdicts, except those of rows that nothing put to the proof. Frees w; NULL is fine. */
void run_watch_end(struct run_watch *w, uint64_t now_ns, struct record *record);

#endif
