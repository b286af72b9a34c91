/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was seen of conversations at one place: the common tongue of captures, simulated runs and live exchanges, for
 * whoever watches (conformance monitors, diagnosis). A flow is one TCP connection or one pair of UDP endpoints.
 *
 * Of a TCP connection each byte of a direction is told once and in order, whatever was lost, repeated, overlapped or
 * reordered below; what the place never saw is told as SEEN_GAP. */
#ifndef TP_TRACE_SEEN_H
#define TP_TRACE_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/base/addr.h"

enum seen_kind {
    SEEN_SYN,      /* TCP: somebody wants to open it; reply: the other end agrees. Again when it is sent again */
    SEEN_OPEN,     /* TCP: the handshake is complete; or its start was missed: the first segment (started false) */
    SEEN_BYTES,    /* TCP: the next len bytes of that direction */
    SEEN_GAP,      /* TCP: len bytes that were not seen; data is NULL */
    SEEN_FIN,      /* TCP: behind the last byte of that direction */
    SEEN_RST,      /* TCP: by from */
    SEEN_DATAGRAM, /* UDP: one whole datagram; cut: it is longer than data has */
    SEEN_ICMP,     /* an ICMP error from `from` (port 0) about a packet of this flow that `to` had sent; type, code */
    SEEN_CONFLICT, /* TCP: len bytes that differ from those seen before at the same place, which stand: not in BYTES */
    SEEN_END,      /* nothing more of this flow: its ports are used anew, it made room for others, or all was seen */
};

struct seen {
    enum seen_kind kind;
    enum ip_proto proto;
    uint64_t t_ns;    /* of that frame */
    uint64_t frame;   /* number of the frame that made it known, from 1; 0: there are no frames */
    uint32_t flow;    /* from 1, never used twice */
    bool reply;       /* from the end that did not open it (TCP) or speak first; ICMP: to the one that did */
    bool started;     /* OPEN: the handshake was seen */
    bool cut;         /* DATAGRAM */
    struct endpoint from, to;
    const uint8_t *data; /* valid during the call */
    size_t len;
    uint8_t icmp_type, icmp_code;
};

typedef void seen_handler(void *ctx, const struct seen *s);

#endif
