/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fragments put together again (RFC 791 3.2, RFC 8200 4.5): bounded in number and in time. What overlaps is
 * thrown away whole (RFC 5722); an exact repetition, which a network may make, is ignored. */
#ifndef TP_WIRE_REASSEMBLY_H
#define TP_WIRE_REASSEMBLY_H

#include "models/wire/wire.h"

enum { REASSEMBLY_MAX = 16 }; /* datagrams begun at a time; the oldest gives way */

struct datagram;
struct reassembly {
    struct datagram *open[REASSEMBLY_MAX];
    uint64_t lost; /* datagrams thrown away: broken, too old, or in the way of others */
};

/* When the fragment completes its datagram: that, as a frame with one IP header behind WIRE_ETH bytes (the Ethernet
 * header, where the fragment had one), malloc'd; its length in *len. A fragment cut by a capture breaks its
 * datagram. */
uint8_t *reassembly_add(struct reassembly *r, const struct wire_packet *p, uint64_t now_ns, size_t *len);
void reassembly_free(struct reassembly *r);

#endif
