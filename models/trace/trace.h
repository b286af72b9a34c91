/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From captured frames to conversations: link layers, IP with its fragments, UDP datagrams, TCP connections put in
 * order, ICMP errors told of the flow that they are about. What is found goes to a seen_handler as it becomes known.
 *
 * It takes captures as they are. Wrong checksums are not looked at: offload leaves them to the network card. Segments
 * may be larger than any MTU. Frames may be cut (caplen < len). The same packet may be there once for each link that it
 * passed, or interface that it went through ("any"): its bytes are told once, and so is a datagram, SYN or ICMP error
 * whose copies look like one packet (same IPv4 identification, or a TTL not higher, within a time that says so).
 *
 * A hole in a direction of a connection is waited for. It is told as SEEN_GAP when the other end has acknowledged it
 * and bytes behind it were seen (or none came for 50 ms), when more is held behind it than the limits allow, or at the
 * end.
 * A FIN that was acknowledged but not seen counts as one byte of a gap. Of bytes that come again after they were told
 * the content is not compared: they are not kept.
 *
 * Where the start was missed, the end with the higher port is taken for the one that opened; of a flow of which an RST
 * or an ICMP error is seen first there is no SEEN_OPEN before it. A SYN with another initial sequence number begins a
 * new flow. Sequence numbers further off than any window (RFC 7323 2.2) are strays of another connection, unless a
 * second segment follows the first: then there is a gap. */
#ifndef TP_TRACE_TRACE_H
#define TP_TRACE_TRACE_H

#include "models/trace/seen.h"

/* Memory is bounded by these: about 256 bytes for each flow, taken as they come, and what is held. */
struct trace_limits {
    uint32_t flows;          /* at a time; the least recently used is ended for a new one. At least 1 */
    size_t held_a_direction; /* bytes of memory, of one direction of a connection */
    size_t held_in_all;
};

extern const struct trace_limits trace_default_limits;

/* A frame as it was captured. */
struct captured {
    uint64_t t_ns;
    uint32_t interface; /* any number that tells interfaces apart */
    uint32_t link;      /* LINKTYPE_ number, see link.h */
    const uint8_t *bytes;
    size_t caplen, len; /* bytes that are there; that were on the wire */
};

struct trace_stats {
    uint64_t frames;
    uint64_t unknown_link;  /* frames of a link type that link_name does not know */
    uint64_t not_ip;        /* ARP and the like */
    uint64_t malformed;     /* IP, or a transport, that breaks its grammar, or is cut within a header */
    uint64_t other;         /* IP, but no TCP, no UDP and no ICMP error */
    uint64_t cut;           /* frames that the capture cut */
    uint64_t fragments, fragments_lost; /* frames; datagrams that never became whole */
    uint64_t tcp, udp, icmp;            /* packets */
    uint64_t repeated;      /* datagrams, SYNs, fragments, ICMP errors taken for one that was seen before */
    uint64_t old;           /* TCP segments that had nothing new: sent again, or seen again */
    uint64_t stray;         /* TCP segments out of any window */
    uint64_t bytes, gap_bytes, gaps, conflicts; /* of TCP streams */
    uint64_t flows, flows_evicted;
    size_t held_peak;       /* bytes of memory */
};

struct trace;

/* NULL: no memory, or a limit of 0 flows. */
struct trace *trace_new(const struct trace_limits *limits, seen_handler *handler, void *ctx);
void trace_frame(struct trace *t, const struct captured *c);
/* Tells what is still held, and SEEN_END of every flow, at the time of the last frame. Frames may follow: new flows. */
void trace_end(struct trace *t);
struct trace_stats trace_stats(const struct trace *t);
/* Without telling anything. NULL is fine. */
void trace_free(struct trace *t);

#endif
