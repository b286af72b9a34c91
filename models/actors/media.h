/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One medium of a call at one end, as RTP and RTCP (RFC 3550): packets at a stated rate, reports at the intervals of
 * 6.2 and 6.3, loss, jitter and round trip, collisions of SSRCs, BYE. It knows no addresses: its user carries the
 * packets. The payload is a stream that both ends derive from their CNAMEs and the kind of medium, so that a packet of
 * another call, or one that was changed, is seen. Nothing is allocated. */
#ifndef TP_ACTORS_MEDIA_H
#define TP_ACTORS_MEDIA_H

#include "models/actors/rtp_source.h"
#include "models/base/rng.h"

enum { MEDIA_PAYLOAD_MAX = 1200, MEDIA_PACKET_MAX = RTP_HEADER + MEDIA_PAYLOAD_MAX, MEDIA_NAME = 96 };

struct media_config {
    uint32_t packets_per_s; /* 0: nothing but RTCP */
    uint16_t payload_bytes; /* of each, at most MEDIA_PAYLOAD_MAX */
    uint8_t payload_type;
    uint32_t clock;         /* units of the RTP time stamp a second */
    uint32_t bandwidth;     /* of the session in bytes a second, of which RTCP has a twentieth; 0: 8000, or what both
                             * directions take if that is more */
};

struct media_count {
    uint64_t sent, received;     /* RTP packets; received: without duplicates */
    uint64_t received_bytes;     /* payload */
    int64_t lost;                /* of what the other end has sent, as RFC 3550 A.3 counts it */
    uint64_t late, duplicates, reports;
    uint64_t foreign, malformed; /* packets of another call; packets that are none */
    uint64_t collisions;         /* SSRCs of our own given up */
    uint64_t first_ns;           /* when the first RTP packet came; TIME_NEVER: none has */
    uint64_t round_trip_ns;      /* 0: not known */
    uint64_t report_ns;          /* when the other end's last report came; TIME_NEVER: none has */
    uint64_t reached_ns;         /* when one last told of packets of ours that none had told of before; the same */
    uint32_t jitter;             /* units of the clock */
};

struct media {
    struct media_config cfg;
    struct rng rng;
    char kind[8], cname[MEDIA_NAME], peer[MEDIA_NAME];
    bool running, sending, marker, bye, bye_sent, peer_bye;
    uint32_t ssrc, peer_ssrc;
    bool peer_known, give_up;      /* peer_ssrc is the other end's; ours is to be changed */
    uint16_t seq;
    uint32_t stamp;                /* random part of the time stamps */
    uint64_t key_out, key_in;      /* of the payload streams */
    uint64_t epoch_ns, epoch_sent; /* when sending was last begun, packets since */
    uint64_t octets_sent, sent_reported; /* sent when the last report went out ... */
    bool sent_before;              /* ... and whether any was between that and the one before */
    struct rtp_source source;
    int64_t lost_before;           /* of the sources that he had before this one */
    uint64_t heard_rtp_ns, report_at_ns, reported_ns, sr_came_ns;
    uint32_t lsr;                  /* of the peer's last sender report */
    uint32_t reached;              /* the highest number of ours that he has reported */
    uint32_t sent_to_us, came_to_us; /* as the last sender report said, and how it really was then */
    bool missing;                  /* it told of packets of which none has come */
    uint32_t report_size16;        /* average, in 16ths of bytes */
    unsigned members, reports_sent;
    struct media_count count;
    uint8_t packet[MEDIA_PACKET_MAX];
};

/* kind: "audio", "video". cname: our own, the same for all media of a call. The stream of its random numbers is the
 * caller's to name. */
void media_init(struct media *m, const struct media_config *cfg, const char *kind, const char *cname, struct rng rng);
/* Who the other end is, as its description says; ssrc 0: not said. */
void media_set_peer(struct media *m, const char *cname, uint32_t ssrc);
void media_start(struct media *m, uint64_t now_ns); /* there is a way: packets and reports begin */
/* Whether RTP is sent (not when muted, or on hold); reports go on. True to begin with. */
void media_send(struct media *m, bool send, uint64_t now_ns);
void media_bye(struct media *m); /* the last: one compound with BYE is due, then nothing ever */

/* The next packet that is due; 0: none is. Borrowed until the next call. */
size_t media_next(struct media *m, uint64_t now_ns, const uint8_t **packet);
uint64_t media_deadline(const struct media *m);
/* A packet that came. 0; E_MALFORMED; E_INTEGRITY: data of another call. why: what is wrong. Those are counted, and
 * change nothing else. */
int media_input(struct media *m, const uint8_t *packet, size_t len, uint64_t now_ns, const char **why);
/* The counters as they stand. */
struct media_count media_counted(const struct media *m);

#endif
