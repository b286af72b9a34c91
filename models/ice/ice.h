/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ICE over TCP (RFC 8445, 6544) in the dialect of [MS-ICE2]: candidates, pairs, checks, nomination.
 * Transport-free: the agent says which pair to open and what to send on a stream; the user says what opened,
 * came in and was received. A stream is one TCP connection (or one peer behind an MS-TURN relay), named by a
 * number of the user's choice. Frames here are the content of RFC 4571 frames; rfc4571.h does the lengths. */
#ifndef TP_ICE_ICE_H
#define TP_ICE_ICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/base/addr.h"
#include "models/base/rng.h"

enum ice_type { ICE_HOST, ICE_SRFLX, ICE_PRFLX, ICE_RELAY };
enum ice_tcp { ICE_TCP_ACT, ICE_TCP_PASS };
enum { ICE_UFRAG_MAX = 32, ICE_PWD_MAX = 64, ICE_CANDIDATES_MAX = 16, ICE_PAIRS_MAX = 100 };

struct ice_candidate {
    char foundation[33];
    uint8_t component; /* 1: RTP, 2: RTCP */
    enum ice_type type;
    enum ice_tcp tcp;
    uint32_t priority;
    struct endpoint address, related; /* related: raddr, rport */
};

/* Priority of [MS-ICE2] for TCP (catalogue 3.2): type preference, transport 6, direction 5 (active) or 2
 * (passive). */
uint32_t ice_priority(enum ice_type type, enum ice_tcp tcp, unsigned component);

struct ice_config {
    bool controlling;
    uint64_t tie_breaker;
    char ufrag[ICE_UFRAG_MAX], pwd[ICE_PWD_MAX];
    const char *candidate_id; /* CANDIDATE-IDENTIFIER in requests (MSI-3) */
    bool use_candidate_always; /* Meeting Server does, though controlled (lab scenario, frame 2597) */
    uint64_t check_timeout_ns; /* one check without an answer; 0: 10 s */
    uint64_t total_timeout_ns; /* no pair at all; 0: 30 s */
};

enum ice_event_kind {
    ICE_OPEN,      /* open this pair (local is active); answer with ice_opened or ice_open_failed */
    ICE_SEND,      /* send this frame on the stream; label names it */
    ICE_VALID,     /* request and success response have been seen in both directions on this stream */
    ICE_NOMINATED, /* the stream that media goes over; others may be closed */
    ICE_FAILED,    /* before nomination, and the last: no pair is left or time is up; text says what was tried */
};

struct ice_event {
    enum ice_event_kind kind;
    uint32_t stream;
    size_t pair;
    struct ice_candidate local, remote;
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
void ice_timer(struct ice *a, uint64_t now_ns);
uint64_t ice_deadline(const struct ice *a);
bool ice_poll(struct ice *a, struct ice_event *out);

#endif
