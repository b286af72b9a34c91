/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SYNs that came to a NAT unasked and wait for their answer (RFC 5382 REQ-4). */
#ifndef TP_FIREWALL_HELD_H
#define TP_FIREWALL_HELD_H

#include "models/firewall/fwbox.h"

struct fw_held {
    struct {
        uint64_t until_ns; /* 0: free */
        struct fw_flow flow;
    } syn[FW_HELD_MAX];
};

/* Its place, from 1; 0: there is no room, it is dropped for good. A SYN that is sent again has its place already and
 * its time from the first. */
unsigned fw_held_add(struct fw_held *h, uint64_t now_ns, const struct fw_flow *f);
/* A connection begins from inside: out is its first packet as it leaves. The SYN that it crosses is forgotten. */
void fw_held_cross(struct fw_held *h, const struct fw_flow *out);
uint64_t fw_held_deadline(const struct fw_held *h); /* TIME_NEVER: none */
unsigned fw_held_due(struct fw_held *h, uint64_t now_ns); /* a place whose time has come, free from now on; 0: none */

#endif
