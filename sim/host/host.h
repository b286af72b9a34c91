/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs one core (relay, client, actor) as a host over net.h, on any backend: its operations become socket calls, socket
 * events become its input. Queues what a socket does not take (and says IO_BLOCKED), pauses reading by not reading,
 * and moves the bytes of spliced connections with back-pressure. */
#ifndef TP_SIM_HOST_HOST_H
#define TP_SIM_HOST_HOST_H

#include "models/base/io.h"
#include "sim/net.h"

/* What the trace wants to know. local and remote as the host sees them. */
struct host_message {
    const char *host;
    struct endpoint local, remote;
    enum ip_proto proto;
    const char *label; /* as the core named it */
    const uint8_t *data;
    size_t len;
};

struct host_note {
    const char *host;
    enum io_note note;
    struct endpoint remote; /* NOTE_FAIL, or unset */
    const char *text;
};

/* A connection on its way from one host to another: what was read of it and not used comes before what can be read. */
struct host_gift {
    net_sock sock;
    struct endpoint local, remote;
    const uint8_t *data; /* valid during the call */
    size_t len;
};

struct host_hooks {
    void (*message)(void *ctx, uint64_t now_ns, const struct host_message *m);
    void (*note)(void *ctx, uint64_t now_ns, const struct host_note *n);
    /* IO_OP_GIVE: the socket is the callee's. Calls no host of this world. NULL: such a connection is reset. */
    void (*give)(void *ctx, unsigned to, const struct host_gift *g);
    /* Of two connections the bytes go from one to the other from now on, behind those that wait for it already. */
    void (*splice)(void *ctx, net_sock a, size_t a_waits, net_sock b, size_t b_waits);
    void (*part)(void *ctx, net_sock a, net_sock b); /* ... no longer: the core has let go of one of them */
    void *ctx;
};

enum { HOST_HIGH_WATER = 256 * 1024 };

struct host;
/* Before the node exists: give host_event and the host as the node's handler and ctx, then attach. The core stays the
 * caller's. NULL: no memory. */
struct host *host_new(struct net *net, const struct core *core, const struct host_hooks *hooks);
void host_event(void *host, const struct net_event *ev); /* NULL: nothing came, but the core was called from outside */
/* A socket of this host's world becomes its connection; the core gets IO_ACCEPTED. Not from a handler. */
void host_take(struct host *h, const struct host_gift *g);
/* The core gets IO_START at when_ns. */
void host_start(struct host *h, net_node node, uint64_t when_ns);
void host_free(struct host *h);

/* Faults; not from a handler. */
/* The core ends: its connections are reset, its listeners and UDP sockets closed, and it is told nothing any more. */
void host_stop(struct host *h);
/* Another core on a host that was stopped gets IO_START at when_ns. */
void host_boot(struct host *h, const struct core *core, uint64_t when_ns);
/* While deaf, it reads nothing from its connections; while exhausted, it can open no socket (E_NOMEM: no port left). */
void host_deafen(struct host *h, bool deaf);
void host_exhaust(struct host *h, bool exhausted);
/* What it has open, and the most bytes that ever waited for one of its connections. */
struct host_stats {
    size_t listeners, udp, connections, closing; /* closing: its core has let go of them */
    size_t most_waiting;
};
void host_stats(const struct host *h, struct host_stats *out);
/* Its clock goes ahead by that much more. */
void host_skew(struct host *h, uint64_t ahead_ns);

#endif
