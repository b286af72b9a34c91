/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ICE (RFC 8445) over UDP and TCP (RFC 6544), plain or in the dialect of [MS-ICE2]: candidates, pairs, checks,
 * nomination, consent (RFC 7675). Regular nomination only. One agent a medium, with components 1 and 2.
 * Transport-free. UDP: the agent says what to send from which base to whom, the user says what came in where.
 * TCP: the agent says which pair to open and what to send on a stream; the user says what opened, came in and was
 * received. A stream is one TCP connection (or one peer behind an MS-TURN relay), named by a number of the user's
 * choice. Frames here are the content of RFC 4571 frames; rfc4571.h does the lengths. */
#ifndef TP_ICE_ICE_H
#define TP_ICE_ICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/base/addr.h"
#include "models/base/rng.h"

enum ice_type { ICE_HOST, ICE_SRFLX, ICE_PRFLX, ICE_RELAY };
enum ice_transport { ICE_TCP_ACT, ICE_TCP_PASS, ICE_UDP };
enum { ICE_UFRAG_MAX = 32, ICE_PWD_MAX = 64, ICE_CANDIDATES_MAX = 16, ICE_PAIRS_MAX = 100 };

struct ice_candidate {
    char foundation[33];
    uint8_t component; /* 1: RTP, 2: RTCP */
    enum ice_type type;
    enum ice_transport transport;
    uint32_t priority;
    struct endpoint address, related; /* related: raddr, rport; of a reflexive one of ours over UDP: its base */
};

/* TCP: that of [MS-ICE2] (catalogue 3.2): type preference, transport 6, direction 5 (active) or 2 (passive).
 * UDP: RFC 8445 5.1.2.1 with the local preference of a host with one address, 65535; who has several candidates of
 * a type takes n << 8 off for the n-th. */
uint32_t ice_priority(enum ice_type type, enum ice_transport transport, unsigned component);

/* What the messages are made of: Microsoft's attributes, padded user names and checksums, or RFC 8489 alone. */
enum ice_dialect { ICE_DIALECT_MICROSOFT, ICE_DIALECT_RFC };

struct ice_config {
    enum ice_dialect dialect;
    bool controlling;
    uint64_t tie_breaker;
    char ufrag[ICE_UFRAG_MAX], pwd[ICE_PWD_MAX];
    const char *candidate_id; /* CANDIDATE-IDENTIFIER in requests (MSI-3) */
    bool use_candidate_always; /* Meeting Server does, though controlled (lab scenario, frame 2597) */
    /* UDP: check every 5 s, give or take 20 %, that the peer still wants what we send, and tell of 30 s without an
     * answer (RFC 7675 5.1). Without it the nominated pair has keep-alives (RFC 8445 11) and no end. */
    bool udp_consent;
    uint64_t check_timeout_ns; /* one check over TCP without an answer; 0: 10 s. UDP: as RFC 8489 6.2.1 says */
    uint64_t total_timeout_ns; /* no pair at all; 0: 30 s */
};

enum ice_event_kind {
    ICE_OPEN,      /* open this pair (local is active); answer with ice_opened or ice_open_failed */
    ICE_SEND,      /* send this frame on the stream, or this datagram from local.address to remote.address; label
                      names it */
    ICE_VALID,     /* TCP: request and success response have been seen in both directions on this stream;
                      UDP: our check was answered */
    ICE_NOMINATED, /* the stream or pair that media goes over; the others may be closed. Once a component */
    ICE_FAILED,    /* before nomination, and the last: no pair is left or time is up; text says what was tried */
    ICE_LOST,      /* after nomination: consent to send on this pair has ended; text says so. Checks of the peer are
                      answered still, nothing else is sent for the component */
};

struct ice_event {
    enum ice_event_kind kind;
    uint32_t stream; /* TCP */
    size_t pair;
    struct ice_candidate local, remote; /* local over UDP: the base, a host or relayed candidate's address */
    struct ice_candidate mapped; /* UDP, VALID and NOMINATED: what local looks like to the peer: itself, or a reflexive
                                    candidate (RFC 8445 7.2.5.3.1) */
    const uint8_t *data; /* borrowed until the next call */
    size_t len;
    const char *label, *text;
};

struct ice;
struct ice *ice_new(const struct ice_config *cfg, struct rng rng);
void ice_free(struct ice *a);
/* 0 (also for one that is known already), E_NOMEM: too many, E_RANGE: a component other than 1 and 2, or no
 * address. Candidates may come late, after ice_start. A check's PRIORITY takes all but the type from our
 * candidate's priority: with 16777215 on a relayed one it is 0x6effffff, as in the reference capture. */
int ice_add_local(struct ice *a, const struct ice_candidate *c);
int ice_add_remote(struct ice *a, const struct ice_candidate *c);
/* Too long ones never match. Checks of the peer are answered before; our own wait for this. */
void ice_set_remote_credentials(struct ice *a, const char *ufrag, const char *pwd);
void ice_start(struct ice *a, uint64_t now_ns); /* candidates of both sides are known */

void ice_opened(struct ice *a, size_t pair, uint32_t stream, uint64_t now_ns);
void ice_open_failed(struct ice *a, size_t pair, uint64_t now_ns);
/* A connection to one of our passive candidates came in from remote (peer-reflexive when no candidate has
 * it). */
void ice_incoming(struct ice *a, uint32_t stream, const struct endpoint *local, const struct endpoint *remote,
                  uint64_t now_ns);
/* After nomination of its pair a connection's end is the user's matter: no event says it. */
void ice_closed(struct ice *a, uint32_t stream, uint64_t now_ns);
/* Media was sent on a stream: no keep-alive is needed for a while. */
void ice_sent(struct ice *a, uint32_t stream, uint64_t now_ns);
/* A frame that came on a stream. true: it was STUN and is dealt with; false: it is media, the user's. */
bool ice_input(struct ice *a, uint32_t stream, const uint8_t *frame, size_t len, uint64_t now_ns);
/* A datagram from remote that came to base: the address of our host candidate, or our relayed address. true: it was
 * STUN and is dealt with (or was nobody's: answers of STUN and TURN servers on the same socket are for the user to
 * take out first); false: it is media, the user's. */
bool ice_datagram(struct ice *a, const struct endpoint *base, const struct endpoint *remote, const uint8_t *data,
                  size_t len, uint64_t now_ns);
void ice_timer(struct ice *a, uint64_t now_ns);
uint64_t ice_deadline(const struct ice *a);
bool ice_poll(struct ice *a, struct ice_event *out);

#endif
