/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All that happens in a run, as it happens: one line of JSON an event (events.ndjson, whose SHA-256 stands for the
 * run), a capture of every link end (capture.pcapng), and what the report is made of (struct record). */
#ifndef TP_SCENARIO_TRACE_H
#define TP_SCENARIO_TRACE_H

#include "sim/host/box.h"
#include "sim/host/host.h"
#include "sim/scenario/record.h"
#include "sim/scenario/topology.h"

struct trace;
struct world_options;

/* Without a directory no files, but the same hash. E_IO: d says what cannot be made; E_NOT_FOUND: no such link end. */
int trace_open(const struct topology *t, const struct world_options *options, struct record *record,
               struct trace **out, struct diag *d);
/* Completes the files and the record's hash. E_IO: d says what could not be written. */
int trace_close(struct trace *tr, struct diag *d);

/* Handlers, ctx the trace. Nodes are told before the first event. */
void trace_node(void *trace, net_node id, size_t index);
void trace_tap(void *trace, uint64_t now_ns, const struct net_tap *tap);
void trace_message(void *trace, uint64_t now_ns, const struct host_message *m);
void trace_note(void *trace, uint64_t now_ns, const struct host_note *n);
void trace_drop(void *trace, uint64_t now_ns, const struct box_drop *d);

#endif
