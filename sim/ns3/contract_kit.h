/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of the contract of net.h that run on every engine: three hosts, each on a link of its own to a box that
 * switches, and may rewrite or drop; and a table row for each check and engine. */
#ifndef TP_SIM_NS3_CONTRACT_KIT_H
#define TP_SIM_NS3_CONTRACT_KIT_H

#include "models/testkit/testkit.h"

#include "models/base/hash.h"
#include "models/wire/wire.h"
#include "sim/net.h"

enum { HOSTS = 3, CONNS = 8, CHUNK = 4096, MIB = 1024 * 1024, SMALL_MTU = 1300 };

/* ---- hosts, each on a link of its own to a box that switches, and may rewrite or drop ---- */

struct conn {
    net_sock sock;
    bool connected, accepted, failed, closed, eof, paused, shut_when_sent, shut_at_eof;
    int err;
    struct endpoint local, remote;
    uint64_t ended_ns;
    size_t to_send, sent, received;
    struct sha256 digest; /* of what was received */
};

struct bench;

struct host {
    struct bench *bench;
    net_node node;
    struct conn conn[CONNS];
    size_t conn_count;
    struct conn as_accepted; /* what to do with what is accepted: to_send, paused, shut_when_sent */
    bool echo;               /* UDP */
    char datagram[64];
    struct endpoint datagram_from, datagram_to;
};

struct bench {
    const struct net_ops *ops;
    struct net *net;
    net_node box;
    struct host host[HOSTS];
    uint8_t mac[HOSTS][6];
    int (*meddle)(struct bench *b, struct wire_packet *p); /* NET_DROP, or 0 */
    unsigned meddled;
    uint64_t sent, delivered, dropped, bad_frames;
    uint64_t data_frames, data_bytes, data_frame_max; /* TCP with payload, sent */
    struct sha256 trace;
};

extern const struct net_link_dir line; /* 100 Mbit/s, 1 ms */
extern const struct net_tcp_opts plain;

/* tcp: of h1 and h2; h3 is plain, and has a small MTU. */
void bench_open(struct bench *b, const struct net_ops *ops, const struct net_link_dir *dir,
                const struct net_tcp_opts *tcp);
/* Fails the test when a frame was not what it should be. */
void bench_close(struct bench *b);
void run(struct bench *b, uint64_t until_ns);

void listen_on(struct host *h, const char *at);
struct conn *connect_from(struct host *h, const char *from, const char *to); /* from NULL: any */
void conn_write(struct host *h, struct conn *c); /* what is left of to_send */
void conn_read(struct host *h, struct conn *c);
void expect_payload(struct conn *c, size_t len);

struct check {
    const char *name;
    void (*fn)(const struct net_ops *ops);
    bool sockets; /* it looks at nothing but sockets, so the memory engine is held to it, too */
};

#define CHECK(function) {#function, function, false}
#define CHECK_SOCKETS(function) {#function, function, true}

/* Each on the native engine, on ns-3 (skipped where that is not installed), and in memory. The status for main. */
int run_checks(const struct check *checks, size_t count);

#endif
