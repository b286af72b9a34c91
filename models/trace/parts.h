/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The trace from within: trace.c takes frames apart and knows the flows, tcp.c follows a connection. */
#ifndef TP_TRACE_PARTS_H
#define TP_TRACE_PARTS_H

#include "models/trace/flow.h"
#include "models/trace/sighting.h"
#include "models/trace/trace.h"
#include "models/wire/reassembly.h"
#include "models/wire/wire.h"

struct trace {
    struct trace_limits limits;
    seen_handler *handler;
    void *ctx;
    struct flow_table flows;
    struct stream_pool pool;
    struct stream_out out; /* tells of the flow and end below */
    struct flow *flow;
    unsigned who;
    struct sightings sightings;
    struct reassembly fragments;
    struct trace_stats stats;
    uint64_t t_ns;         /* of the frame at hand */
    uint32_t interface;
};

/* Tells of what end `who` of the flow did. */
void trace_tell(struct trace *t, struct flow *f, unsigned who, enum seen_kind kind);
/* Is this packet, known by the hash, one that was seen before? */
bool trace_repeated(struct trace *t, const struct wire_packet *k, uint64_t hash);

/* A segment from end `who`. */
void trace_tcp_segment(struct trace *t, struct flow *f, unsigned who, const struct wire_packet *k);
/* Tells what is held; nothing of the flow comes any more. */
void trace_tcp_end(struct trace *t, struct flow *f);
/* The flow is over: tells what is held and SEEN_END. */
void trace_end_flow(struct trace *t, struct flow *f);

#endif
