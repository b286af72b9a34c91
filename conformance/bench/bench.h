/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bench: the world that one probe runs in. Hosts for each place, and a server among them or elsewhere. Simulated ones
 * are built anew for each probe; the live one stands around a server that stays. */
#ifndef TP_CONFORMANCE_BENCH_H
#define TP_CONFORMANCE_BENCH_H

#include "conformance/conformance.h"
#include "conformance/judge.h"
#include "conformance/probe.h"
#include "sim/net.h"

struct bench_user {
    const char *name, *password;
};

struct bench {
    struct net *net;
    unsigned has;                   /* enum need */
    bool real_time;
    uint64_t soon_ns;               /* see probe_soon */
    net_node node[PLACES];          /* 0: not the probe's */
    struct ip_addr ip[PLACES][2];   /* IPv4, IPv6; unset: none */
    struct endpoint tcp[2], udp[2]; /* the server, likewise; port 0: does not serve that */
    struct bench_user user[2];      /* name NULL: there is none */
    uint16_t first_port;            /* the probe's listeners try ports from here on */
    /* NEED_SILENT_PEER: nothing arrives there; or, where only sockets can be had, a listener answers nobody (E_IO). */
    void (*silence)(struct bench *b, enum place peer, bool silent);
    int (*deafen)(struct bench *b, net_sock listener, bool deaf);
    void (*free)(struct bench *b);
};

/* Who sits where. subject: makes the host of the client that is judged, at CLIENT1, and the probe has SERVER; NULL: a
 * relay is there. */
struct bench_seats {
    net_handler *probe;
    void *ctx;
    struct host *(*subject)(void *ctx, struct net *net);
};

enum { BENCH_PORT = 3478 };

/* Our relay, set up so, among the hosts of an engine. NULL: no memory. */
struct bench *bench_simulated(const struct net_ops *engine, uint64_t seed, enum setup setup,
                              const struct bench_seats *seats);

/* The clients behind our NAT box, the peers outside; there is no server. NULL: no memory. */
struct bench *bench_nat(const struct net_ops *engine, uint64_t seed, const struct bench_seats *seats);

/* A server that stays, on this machine's sockets; no subject. timeout_ns: what probe_soon says; 0: 2 s. NULL: no
 * memory. */
struct bench *bench_live(const struct live_server *s, uint64_t timeout_ns, const struct bench_seats *seats);

#endif
