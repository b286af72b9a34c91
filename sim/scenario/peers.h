/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who talks to whom across address translation: a TCP SYN that leaves one host and arrives at another, under whatever
 * addresses, joins the two ends, so that a message is drawn to the node that gets it and not to an address. */
#ifndef TP_SCENARIO_PEERS_H
#define TP_SCENARIO_PEERS_H

#include <stddef.h>
#include <stdint.h>

#include "models/base/addr.h"

/* A host's end of a connection, addresses as it sees them. */
struct peer_end {
    unsigned node;
    struct endpoint local, remote;
};

struct peers {
    struct peer_pending {
        struct peer_end end;
        uint32_t seq;
    } *pending;
    struct peer_pair {
        struct peer_end end[2];
    } *pair;
    size_t pending_count, pending_cap, pair_count, pair_cap;
};

void peers_free(struct peers *p);
void peers_syn_sent(struct peers *p, const struct peer_end *from, uint32_t seq);
void peers_syn_arrived(struct peers *p, const struct peer_end *at, uint32_t seq);
/* The other end of a host's connection; NULL: not known. */
const struct peer_end *peers_find(const struct peers *p, const struct peer_end *end);

#endif
