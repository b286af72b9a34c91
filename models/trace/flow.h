/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of flows: a hash table with the order of last use. */
#ifndef TP_TRACE_FLOW_H
#define TP_TRACE_FLOW_H

#include "models/trace/stream.h"

/* What one end of a TCP connection sends. */
struct half {
    struct stream in;
    uint32_t isn;      /* known: one before the first byte */
    uint32_t fin_seq;  /* fin: one behind the last byte */
    uint32_t acked;    /* waiting: the other end has acknowledged so far, more than was seen */
    uint32_t far_next; /* far: where the stray segment last seen ended */
    uint64_t acked_ns;
    bool known, syn, fin, fin_told, rst_told, waiting, far;
};

/* Ends 0 and 1 in an order that both directions share. */
struct flow_key {
    uint64_t ip[2][2];
    uint16_t port[2];
    uint32_t proto_family;
};

struct flow {
    struct flow_key key;
    struct endpoint end[2];
    struct half half[2];          /* what end 0, end 1 sends */
    uint32_t id;                  /* 0: not in use */
    uint32_t next, newer, older;  /* in its bucket; by last use. Index + 1; 0: none */
    enum ip_proto proto;
    uint8_t opener;               /* the end that opened it, or spoke first */
    bool opener_known, open;
};

struct flow_table {
    struct flow *flow;
    uint32_t *bucket;
    uint32_t mask;                /* of buckets */
    uint32_t max, used;
    uint32_t newest, oldest;
    uint32_t last_id;
};

/* E_NOMEM. */
int flow_table_init(struct flow_table *t, uint32_t max);
void flow_table_free(struct flow_table *t);
/* The key of packets from src to dst; *from: which of the ends src is. */
struct flow_key flow_key_of(const struct endpoint *src, const struct endpoint *dst, enum ip_proto proto,
                            unsigned *from);
/* NULL: there is none. It becomes the most recently used. */
struct flow *flow_find(struct flow_table *t, const struct flow_key *k);
/* The least recently used, to be ended before flow_add when the table is full; NULL: there is room. */
struct flow *flow_in_the_way(struct flow_table *t);
/* A new flow with the next id. What was in its way is gone. */
struct flow *flow_add(struct flow_table *t, const struct flow_key *k);
/* By last use; NULL: none. */
struct flow *flow_oldest(struct flow_table *t);
struct flow *flow_newer(struct flow_table *t, const struct flow *f);
/* Forgets all flows; ids go on. */
void flow_table_clear(struct flow_table *t);
/* The same ends, a new flow: the next id, all else as new. */
void flow_renew(struct flow_table *t, struct flow *f);

#endif
