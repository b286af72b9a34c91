/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flows through the NAT: clients inside, peers outside. */
#ifndef TP_CONFORMANCE_NAT_FLOWS_H
#define TP_CONFORMANCE_NAT_FLOWS_H

#include "conformance/probe.h"

/* A client's UDP socket at that port, 0 for any. */
struct line *nat_udp_socket(struct probe *p, enum place client, uint16_t port);
/* A datagram to the peer's socket; its source as the peer sees it. Fails the probe when it does not come. */
struct endpoint nat_out(struct probe *p, struct line *from, struct line *peer);
/* A datagram from the peer's socket to the mapped endpoint: whether it comes to the client's. */
bool nat_in(struct probe *p, struct line *peer, const struct endpoint *mapped, struct line *to);

/* A TCP connection of a client from that port, 0 for any, to a peer's listener. */
struct nat_pair {
    struct line *inner, *outer;
    struct endpoint mapped; /* its source as the peer sees it */
};
struct nat_pair nat_connect(struct probe *p, enum place client, uint16_t port, struct line *listener);
/* Whether a byte passes from one side to the other. */
bool nat_byte(struct line *from, struct line *to, uint64_t ns);

/* "198.51.100.101:5000", as long as the block lives. */
#define AT(e) endpoint_text((e), (char[ENDPOINT_TEXT]){0})

#endif
