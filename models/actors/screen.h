/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is on a screen as RTP packets (RFC 3550) of payload type 127, x-data: bursts of RDP PDUs, cut into packets, at
 * a stated rate, with contents from a random stream. Both directions of a share have one sender each; the receiver
 * counts and hashes, so that two ends can be compared. RTCP goes with it: receiver reports, which say that what was
 * written has also arrived, and BYE, that no more comes. */
#ifndef TP_ACTORS_SCREEN_H
#define TP_ACTORS_SCREEN_H

#include "models/base/hash.h"
#include "models/base/io.h"

enum { SCREEN_PAYLOAD_MAX = 1200, SCREEN_FRAME_MAX = 12 + SCREEN_PAYLOAD_MAX, SCREEN_PT = 127 };

struct screen_config {
    uint32_t rate;        /* bytes of payload a second; 0: nothing but the BYE is sent */
    uint32_t burst;       /* bytes sent at once at the start, before the rate counts */
    uint64_t duration_ns; /* how long the rate is kept up */
};

/* Packets that one direction has carried: their bytes, RTP headers included, and the digest of those. */
struct screen_count {
    uint64_t bytes;
    struct sha256 digest;
};

/* How late what is on the screen was seen: of each PDU, the moment that its last packet came less its RTP time stamp.
 * Less the moment that the sender began (share.start_ns) that is the delay from drawing to seeing. */
struct screen_updates {
    uint64_t count, first_ns, max_ns;
    int64_t sum_ns; /* of what each differs from the first */
};

struct screen {
    struct screen_config cfg;
    struct rng rng;
    uint64_t start_ns, report_at_ns, payload_sent, payload_total;
    uint32_t ssrc, timestamp, pdu_left;
    uint16_t seq, expected_seq;
    uint32_t peer_ssrc;
    bool started, any_received;
    bool bye_sent, report_received;  /* the end of our direction, and the other side's word that it has all */
    bool bye_received, report_sent;  /* of theirs, and ours */
    struct screen_count sent, received;
    struct screen_updates updates;
    uint8_t frame[SCREEN_FRAME_MAX];
};

void screen_init(struct screen *s, const struct screen_config *cfg, struct rng rng);
void screen_start(struct screen *s, uint64_t now_ns);
/* The next packet that is due; 0: none is. Borrowed until the next call. */
size_t screen_next(struct screen *s, uint64_t now_ns, const uint8_t **frame);
uint64_t screen_deadline(
    const struct screen *s); /* of the next packet; TIME_NEVER: all is sent, or not started */
/* A packet from the other side. 0; E_MALFORMED: neither RTP nor RTCP; E_RANGE: one before it is missing, or
 * comes again, which cannot be over TCP. */
int screen_input(struct screen *s, const uint8_t *frame, size_t len, uint64_t now_ns);
bool screen_done(const struct screen *s); /* both sides have all of the other's, and know it */
/* share.sent_bytes and so on, for the run's results. */
void screen_results(const struct screen *s, struct io *io);

#endif
