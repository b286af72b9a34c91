/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an agent remembers, and what its parts do with it: pairs.c keeps the check list, events.c tells the user,
 * check.c makes the messages, input.c reads them, udp.c knows what only datagrams need, consent.c keeps the nominated
 * pair, agent.c decides. */
#ifndef TP_ICE_AGENT_H
#define TP_ICE_AGENT_H

#include "models/ice/candidate.h"
#include "models/ice/check.h"
#include "models/ice/ice.h"

enum pair_state {
    PAIR_WAITING,  /* ours to open or check. TCP: frozen (RFC 8445 6.1.2.6) while another of its foundation is tried */
    PAIR_FROZEN,   /* UDP */
    PAIR_OPENING,  /* TCP: the user has been asked to open it */
    PAIR_EXPECTED, /* TCP: theirs to open */
    PAIR_CHECKING, /* TCP: has a stream; UDP: In-Progress */
    PAIR_VALID,    /* TCP: checked in both directions; UDP: Succeeded */
    PAIR_FAILED,
};

struct ice_pair {
    uint8_t local, remote; /* places in the agent's tables */
    enum pair_state state;
    uint64_t priority;
    uint32_t stream;      /* when CHECKING or VALID */
    uint64_t deadline_ns; /* TCP, when CHECKING: the next sign of life is due; UDP, when asked: what is next for it */
    uint64_t sent_ns;     /* the last frame sent, for keep-alives */
    uint32_t queued;      /* its place in the triggered-check queue; 0: not in it */

    /* Our last request. TCP does not lose it, so it is never sent again (RFC 8445 14.3 is for UDP). */
    bool asked; /* and no answer yet */
    bool asked_controlling, asked_use;
    uint64_t asked_tie_breaker;
    struct stun_id id;
    /* UDP: how often it was sent; the one before it, given up for a triggered check (7.3.1.4) but still good for an
     * answer; and from where the peer saw it come. */
    unsigned sends;
    uint64_t rto_ns;
    bool was_cancelled;
    struct stun_id cancelled;
    struct endpoint mapped;

    bool answered;    /* our request has had its success response */
    bool we_answered; /* theirs has */
    bool use;         /* USE-CANDIDATE has been received (controlled) or sent and answered (controlling) */
    bool chosen;      /* controlling: this one shall be nominated */
    const char *why;  /* FAILED: why; */
    int code;         /* and, if it was one, the error response's code */
};

enum {
    ICE_REMOTES_MAX = 2 * ICE_CANDIDATES_MAX, /* with as many peer-reflexive ones */
    ICE_COMPONENTS_MAX = 2,
};

/* Requests of RFC 7675 may be answered for half a minute and are 4 s apart at least. */
enum { CONSENT_ASKED_MAX = 8 };

struct ice_consent {
    bool kept; /* there is one to keep */
    uint64_t answered_ns, next_ns;
    struct stun_id asked[CONSENT_ASKED_MAX];
    unsigned asked_count; /* ever */
};

struct ice_component {
    uint64_t first_valid_ns; /* TIME_NEVER: none is valid */
    struct ice_pair *nominated;
    struct ice_consent consent;
};

struct ice_queued {
    struct ice_event event;
    uint8_t bytes[ICE_MESSAGE_MAX];
    char label[24];
};

struct ice {
    struct ice_config cfg;
    const struct stun_dialect *dialect;
    char remote_ufrag[ICE_UFRAG_MAX], remote_pwd[ICE_PWD_MAX]; /* "" until known */
    bool controlling, started, failed;
    bool refused; /* a nominating check over UDP has failed */
    bool thaw; /* a pair is new or has become valid: others may leave Frozen */
    uint64_t tie_breaker;
    struct rng rng;
    struct ice_candidate local[ICE_CANDIDATES_MAX], remote[ICE_REMOTES_MAX];
    uint8_t local_count, remote_count;
    struct ice_pair pair[ICE_PAIRS_MAX];
    size_t pair_count;
    struct ice_component component[ICE_COMPONENTS_MAX];
    uint32_t queue_end;
    uint64_t give_up_ns, next_check_ns;
    uint64_t wake_ns; /* when there is something to do next; 0 when the user has changed that */
    struct ice_queued *queue;
    size_t queue_cap, queue_at, queue_len;
    char text[512];
};

static inline const struct ice_candidate *pair_local(const struct ice *a, const struct ice_pair *p)
{
    return &a->local[p->local];
}

static inline const struct ice_candidate *pair_remote(const struct ice *a, const struct ice_pair *p)
{
    return &a->remote[p->remote];
}

static inline bool pair_is_udp(const struct ice *a, const struct ice_pair *p)
{
    return pair_local(a, p)->transport == ICE_UDP;
}

static inline struct ice_component *pair_component(struct ice *a, const struct ice_pair *p)
{
    return &a->component[pair_local(a, p)->component - 1];
}

static inline bool pair_has_stream(const struct ice *a, const struct ice_pair *p)
{
    return !pair_is_udp(a, p) && (p->state == PAIR_CHECKING || p->state == PAIR_VALID);
}

/* agent.c */

void pair_fail(struct ice_pair *p, const char *why, int code);
void pair_trigger(struct ice *a, struct ice_pair *p); /* into the triggered-check queue */
/* Something has become true of a pair: is it valid now, is it the one? */
void pair_settle(struct ice *a, struct ice_pair *p, uint64_t now_ns);
/* The request that a pair has outstanding, once more or for the first time. */
void pair_send_check(struct ice *a, struct ice_pair *p, uint64_t now_ns);
void ice_switch_role(struct ice *a);
/* A check of ours to this effect: what all of them have in common is filled in. */
void ice_fill_check(const struct ice *a, const struct ice_candidate *local, struct ice_check *c);
void ice_run(struct ice *a, uint64_t now_ns); /* all that is due, and says when the next thing is */
/* Where it is in the list, or -1. */
long ice_find(const struct ice_candidate *list, size_t n, const struct ice_candidate *c);
/* The remote candidate at this address: as signalled or learned before, or now (RFC 8445 7.3.1.3) with this
 * priority. -1: too many. Those that were signalled and those that were learned have their room each: strangers cannot
 * crowd out an answer. */
long ice_learn_remote(struct ice *a, enum ice_transport transport, const struct endpoint *remote,
                      uint8_t component, uint32_t priority);

/* udp.c */

/* The candidate that a datagram came to; -1: none of ours. */
long udp_local_at(const struct ice *a, const struct endpoint *base);
struct ice_pair *udp_pair(struct ice *a, size_t local, size_t remote); /* NULL: none yet */
/* What our side of a pair looks like to the peer that has answered. */
struct ice_candidate udp_mapped(const struct ice *a, const struct ice_pair *p);
/* A new request is about to be sent: its timers (RFC 8489 6.2.1, RFC 8445 14.3). */
void udp_begin_check(struct ice *a, struct ice_pair *p, uint64_t now_ns);
/* The peer's check came on this pair: it is to be checked by us next (RFC 8445 7.3.1.4). */
void udp_trigger(struct ice *a, struct ice_pair *p);
void udp_fail(struct ice *a, struct ice_pair *p, const char *why, int code); /* a check of ours has failed */
void udp_retransmit(struct ice *a, uint64_t now_ns); /* what is due; failing what was sent often enough */

/* consent.c */

void consent_begin(struct ice *a, struct ice_component *c, uint64_t now_ns);
bool consent_answered(struct ice *a, const struct stun_msg *m, uint64_t now_ns); /* was it one of its requests? */
uint64_t consent_timer(struct ice *a, uint64_t now_ns); /* returns when it is to be called again */

/* pairs.c */

/* Pairs a new candidate with all of the other side; over UDP, those that are not paired already. */
void pairs_add_local(struct ice *a, size_t local);
void pairs_add_remote(struct ice *a, size_t remote);
/* One pair, whatever its candidates; NULL: the list is full of better ones. */
struct ice_pair *pair_add(struct ice *a, size_t local, size_t remote);
void pairs_set_priorities(struct ice *a); /* after a change of roles or of a candidate */
struct ice_pair *pair_on_stream(struct ice *a, uint32_t stream);
/* The pair that expects a connection between these, or NULL. */
struct ice_pair *pair_expecting(struct ice *a, size_t local, size_t remote);
/* The next to open or check: the best that is not frozen; NULL: none. */
struct ice_pair *pair_to_open(struct ice *a);
void pairs_thaw(struct ice *a); /* RFC 8445 6.1.2.6, 7.2.5.3.3; RFC 8838 12: late pairs too */
/* The first in the triggered-check queue; NULL: none. */
struct ice_pair *pair_triggered(struct ice *a);
/* The best valid pair of a component; *rivals: a better one may yet become valid. */
struct ice_pair *pair_best_valid(struct ice *a, unsigned component, bool *rivals);
/* Is there one that may yet become valid? */
bool pairs_have_hope(const struct ice *a);
/* What was tried and how it went, into a->text. */
void pairs_describe(struct ice *a);

/* events.c */
void event_pair(struct ice *a, enum ice_event_kind kind, const struct ice_pair *p);
void event_failed(struct ice *a);
void event_lost(struct ice *a, const struct ice_pair *p, const char *why);
/* A slot for a message: write it into bytes, then give its length. */
struct ice_queued *event_send(struct ice *a, struct ice_pair *p, const char *label, int code,
                              uint64_t now_ns);
/* The same for an answer to who may have no pair, over UDP. */
struct ice_queued *event_reply(struct ice *a, size_t local, const struct endpoint *remote, const char *label,
                               int code);

#endif
