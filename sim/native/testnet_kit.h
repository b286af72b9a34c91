/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For the engine's tests: two hosts with a router between them, and users of sockets that send, check and
 * count. Byte o of every stream is a function of o, so that one that is lost, repeated or moved is seen at
 * once. */
#ifndef TP_SIM_NATIVE_TESTNET_H
#define TP_SIM_NATIVE_TESTNET_H

#include "models/base/err.h"
#include "models/base/time.h"
#include "models/testkit/testkit.h"
#include "models/wire/wire.h"
#include "sim/net.h"

static inline uint8_t pattern(uint64_t at)
{
    return (uint8_t)(at * 131 + (at >> 8) * 7 + (at >> 16));
}

/* A host and what its sockets have gone through. */
struct user {
    struct net *net;
    net_node node;
    net_sock listener, sock; /* sock: the last that was connected or accepted */
    unsigned count[NET_ICMP + 1];
    int err;                 /* of the last FAILED or CLOSED */
    struct endpoint local, remote;
    uint64_t to_send, sent, received, wrong, at_ns;
    uint64_t datagram_bytes;
    uint32_t icmp; /* of the last ICMP: type, code, and 16 bits of the MTU */
    bool hold, eof, shut_after, close_at_eof; /* hold: does not read */
};

struct testnet {
    struct net *net;
    struct user a, b;
    net_node box;
    uint64_t hash; /* of all that the tap saw */
    unsigned sent, delivered, dropped;
    char last_drop[16];
    uint16_t narrow; /* the box answers longer packets with "fragmentation needed"; 0: never */
};

void user_drain(struct user *u);
int testnet_box(void *ctx, unsigned port, uint8_t *frame, size_t len);
void testnet_host(struct testnet *t, struct user *u, const char *name, const char *v4, const char *v6,
                  uint8_t mac, const struct net_tcp_opts *tcp, const struct net_link_dir *ab,
                  const struct net_link_dir *ba);
/* a 10.0.1.1, 2001:db8:1::1; b 10.0.2.1, 2001:db8:2::1. What crosses is subject to ab and ba between a and
 * the box; the other link is ideal. */
void testnet_open(struct testnet *t, uint64_t seed, const struct net_link_dir *ab, const struct net_link_dir *ba,
                  const struct net_tcp_opts *tcp);
void testnet_close(struct testnet *t);
int user_listen(struct user *u, const char *at);
int user_connect(struct user *u, const char *from, const char *to);
void testnet_run(struct testnet *t, uint64_t until_ns);

#endif
