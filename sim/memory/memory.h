/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets joined directly, in virtual time: no packets, links, boxes or taps (those calls are NULL), nothing is lost.
 * What TCP promises its users holds: windows and back-pressure, FIN and half-close, reset, refused, TIME_WAIT,
 * simultaneous open. All addresses of one world reach each other. For checks by the hundred, each in a world of its
 * own. */
#ifndef TP_SIM_MEMORY_H
#define TP_SIM_MEMORY_H

#include "sim/net.h"

extern const struct net_ops net_memory;

/* One way between any two hosts. */
#define MEMORY_DELAY_NS UINT64_C(2000000)

/* From now on nothing that is sent to that host arrives, or all does again: what TCP had sent meanwhile with the next
 * retransmission. */
void memory_silence(struct net *n, net_node host, bool silent);

#endif
