/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes wrong in a run, as data: the member "faults" of a topology. Each fault says when, to which node or link,
 * and for how long; the world carries it out, on any engine. */
#ifndef TP_SCENARIO_FAULT_H
#define TP_SCENARIO_FAULT_H

#include "sim/scenario/fields.h"

struct topology;

enum fault_kind {
    FAULT_RESTART,       /* a host's system ends, its connections are reset; for_ms later it is made again */
    FAULT_HALF_OPEN,     /* a host vanishes without a FIN or RST; for_ms later it is back with nothing remembered */
    FAULT_SLOW_READER,   /* a host reads nothing from its connections for for_ms: their windows close */
    FAULT_EXHAUST_PORTS, /* a host has no port left for for_ms: it can open no socket */
    FAULT_CLOCK,         /* a host's clock jumps ahead by ahead_ms */
    FAULT_FLUSH,         /* a firewall forgets its connections and translations */
    FAULT_REBIND,        /* the same, and its translations are drawn anew */
    FAULT_OUTAGE,        /* a link carries nothing for for_ms, in either direction */
    FAULT_KINDS
};

struct topo_fault {
    const cJSON *at;
    uint64_t at_ns, for_ns, ahead_ns; /* for_ns 0: for ever */
    int kind;                         /* enum fault_kind */
    const char *node_name, *link_name;
    unsigned node, link; /* indices in the topology, of what the kind is about */
};

enum fault_target { FAULT_OF_HOST, FAULT_OF_FIREWALL, FAULT_OF_LINK };

enum fault_target fault_target(enum fault_kind kind);
bool fault_lasts(enum fault_kind kind); /* it has for_ms */

extern const struct field fault_fields[];
extern const struct field_name fault_kinds[]; /* by enum fault_kind */
/* Kinds and keys agree, nodes and links are there. E_MALFORMED, and d says what is wrong and where. */
int faults_check(struct topology *t, struct diag *d);

#endif
