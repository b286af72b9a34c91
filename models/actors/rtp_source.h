/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a receiver keeps of one source of RTP: its numbers beyond 16 bits, what is lost, late or doubled, jitter (RFC
 * 3550 A.1, A.3, A.8). The source is known to be valid (signalled, or its payload proves it), so there is no
 * probation. */
#ifndef TP_ACTORS_RTP_SOURCE_H
#define TP_ACTORS_RTP_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "models/actors/rtp.h"

enum rtp_arrival {
    RTP_IN_ORDER,  /* it may be behind a gap */
    RTP_LATE,      /* one that fills a gap */
    RTP_DUPLICATE,
    RTP_JUMP,      /* far from all before: dropped, unless the next one follows it */
};

struct rtp_source {
    bool any;
    uint16_t highest;     /* number */
    uint32_t cycles;      /* of 65536 */
    uint32_t base, jump;  /* the first; the number after a jump, 65536: none */
    uint64_t window;      /* bit n: highest - n has come */
    uint64_t received;    /* packets since base, duplicates included */
    uint64_t expected_reported, received_reported;
    uint32_t transit, jitter16; /* jitter in 16ths of a unit of the clock */
};

/* A packet that came when the media clock was at `arrival`. */
enum rtp_arrival rtp_source_take(struct rtp_source *s, uint16_t seq, uint32_t timestamp, uint32_t arrival);
uint64_t rtp_source_expected(const struct rtp_source *s);
int64_t rtp_source_lost(const struct rtp_source *s); /* negative: more came than was sent */
/* The block of the next report but for ssrc, lsr and dlsr; the fraction counts from here on anew. */
struct rtcp_block rtp_source_report(struct rtp_source *s);

#endif
