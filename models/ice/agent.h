/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an agent remembers, and what its parts do with it: pairs.c keeps the check list, events.c tells the
 * user, check.c makes the messages, agent.c decides. */
#ifndef TP_ICE_AGENT_H
#define TP_ICE_AGENT_H

#include "models/ice/candidate.h"
#include "models/ice/check.h"
#include "models/ice/ice.h"

enum pair_state {
    PAIR_WAITING, /* ours to open; frozen (RFC 8445 6.1.2.6) while another of its foundation is being tried */
    PAIR_OPENING, /* the user has been asked to open it */
    PAIR_EXPECTED, /* theirs to open */
    PAIR_CHECKING, /* has a stream */
    PAIR_VALID,    /* checked in both directions */
    PAIR_FAILED,
};

struct ice_pair {
    uint8_t local, remote; /* places in the agent's tables */
    enum pair_state state;
    uint64_t priority;
    uint32_t stream;      /* when CHECKING or VALID */
    uint64_t deadline_ns; /* when CHECKING: the next sign of life is due */
    uint64_t sent_ns;     /* the last frame sent, for keep-alives */
    uint32_t queued;      /* its place in the triggered-check queue; 0: not in it */

    /* Our last request. TCP does not lose it, so it is never sent again (RFC 8445 14.3 is for UDP). */
    bool asked; /* and no answer yet */
    bool asked_controlling, asked_use;
    struct stun_id id;

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

struct ice_component {
    uint64_t first_valid_ns; /* TIME_NEVER: none is valid */
    const struct ice_pair *nominated;
};

struct ice_queued {
    struct ice_event event;
    uint8_t bytes[ICE_MESSAGE_MAX];
    char label[24];
};

struct ice {
    struct ice_config cfg;
    char remote_ufrag[ICE_UFRAG_MAX], remote_pwd[ICE_PWD_MAX]; /* "" until known */
    bool controlling, started, failed;
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

static inline struct ice_component *pair_component(struct ice *a, const struct ice_pair *p)
{
    return &a->component[pair_local(a, p)->component - 1];
}

static inline bool pair_has_stream(const struct ice_pair *p)
{
    return p->state == PAIR_CHECKING || p->state == PAIR_VALID;
}

/* pairs.c */

/* Pairs a new candidate with all of the other side. */
void pairs_add_local(struct ice *a, size_t local);
void pairs_add_remote(struct ice *a, size_t remote);
/* One pair, whatever its candidates; NULL: the list is full of better ones. */
struct ice_pair *pair_add(struct ice *a, size_t local, size_t remote);
void pairs_set_priorities(struct ice *a); /* after a change of roles or of a candidate */
struct ice_pair *pair_on_stream(struct ice *a, uint32_t stream);
/* The pair that expects a connection between these, or NULL. */
struct ice_pair *pair_expecting(struct ice *a, size_t local, size_t remote);
/* The next to open: the best that is not frozen; NULL: none. */
struct ice_pair *pair_to_open(struct ice *a);
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
/* A slot for a message: write it into bytes, then give its length. */
struct ice_queued *event_send(struct ice *a, struct ice_pair *p, const char *label, int code,
                              uint64_t now_ns);

#endif
