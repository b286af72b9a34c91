/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A topology as a running world, on any engine. */
#ifndef TP_SCENARIO_WORLD_H
#define TP_SCENARIO_WORLD_H

#include "models/firewall/fwbox.h"
#include "models/wire/wire.h"
#include "sim/scenario/record.h"
#include "sim/scenario/topology.h"

/* For who counts what hosts get, and closes ways. Each may be NULL. */
struct world_watch {
    /* A packet has arrived at a host: topology.nodes[node]. Borrowed for the call. */
    void (*arrived)(void *ctx, uint64_t now_ns, size_t node, const struct wire_packet *p);
    /* Something has come that did not leave its host: a datagram of len bytes, or a connection (len 0). */
    void (*stayed)(void *ctx, uint64_t now_ns, size_t node, const struct fw_flow *f, size_t len);
    void (*translated)(void *ctx, const struct fw_flow *before, const struct fw_flow *after); /* as in box.h */
    void *ctx;
    const struct fw_shutter *shutter; /* of every firewall */
};

struct world_options {
    uint64_t seed;
    const char *directory; /* for the files of the trace; NULL: none */
    const char *const *ends; /* of links, as "cms:a", that the capture is of; none: all */
    size_t end_count;
    const struct world_watch *watch; /* NULL: none */
    /* Called now and then with how far the run is; NULL: not. */
    void (*progress)(uint64_t now_ns, uint64_t end_ns);
};

/* Builds, runs to the end and takes down; what it leaves is in record (zeroed before). 0, or an error of the trace's
 * files or ends, and d says which. */
int world_run(const struct net_ops *ops, const struct topology *t, const struct world_options *options,
              struct record *record, struct diag *d);

#endif
