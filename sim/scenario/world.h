/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A topology as a running world, on any engine. */
#ifndef TP_SCENARIO_WORLD_H
#define TP_SCENARIO_WORLD_H

#include "models/firewall/fwbox.h"
#include "models/wire/wire.h"
#include "sim/host/box.h"
#include "sim/host/host.h"
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

/* ---- a world in parts, for whoever wants no trace ---- */

/* Who hears what happens; any may be NULL. Drops and taps get ctx, the hooks have their own. */
struct world_ears {
    void (*node)(void *ctx, net_node id, size_t index); /* which node of the topology an engine's node is */
    net_tap_handler *tap;
    void (*drop)(void *ctx, uint64_t now_ns, const struct box_drop *d);
    void *ctx;
    struct host_hooks hooks;
    const struct world_watch *watch;
    size_t max_connections; /* of each firewall; 0: the usual. A small table is soon made */
};

struct world;
/* t and ears outlive it. Memory alone can fail, and asserts: settings are checked. */
struct world *world_new(const struct net_ops *ops, const struct topology *t, uint64_t seed,
                        const struct world_ears *ears);
void world_go(struct world *w, uint64_t until_ns);
struct net *world_net(struct world *w);
/* The host of a node; NULL: it is a box. Its box; NULL: it is a host. */
struct host *world_host(const struct world *w, size_t index);
struct box *world_box(const struct world *w, size_t index);
void world_free(struct world *w);

#endif
