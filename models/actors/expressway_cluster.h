/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Peers of a cluster of Expressway-E tell each other how many relays they have left, so that one that is full sends its
 * clients to the one with most (300 Try Alternate; EXP-5). How Expressway does it is not documented: here it is a
 * datagram every five seconds, and a peer that was not heard for fifteen is not sent anybody. A core over base/io.h; it
 * notes the service "cluster". */
#ifndef TP_ACTORS_EXPRESSWAY_CLUSTER_H
#define TP_ACTORS_EXPRESSWAY_CLUSTER_H

#include "models/turn/turn.h"

enum { CLUSTER_PEERS_MAX = 5 }; /* six peers make a cluster */

struct cluster_peer {
    struct endpoint address; /* where it takes these datagrams */
    struct endpoint turn;    /* where it takes clients, as they reach it */
};

struct cluster_config {
    struct endpoint listen; /* port 0: it is alone */
    struct cluster_peer peer[CLUSTER_PEERS_MAX];
    size_t peer_count;
    struct turn *turn;   /* its own relay; borrowed */
    uint32_t allocations; /* of that, at most */
};

struct cluster;
struct cluster *cluster_new(struct io *io, unsigned owner, const struct cluster_config *cfg); /* NULL: no memory */
void cluster_free(struct cluster *c);
void cluster_input(struct cluster *c, const struct io_in *in);
uint64_t cluster_deadline(const struct cluster *c);

#endif
