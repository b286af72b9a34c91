/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the monitors know of a trace: who is client and server of each TURN conversation, which requests wait for an
 * answer, what has been allocated, permitted, bound and offered. Made from bytes and times alone. */
#ifndef TP_CONFORMANCE_MONITOR_SCENE_H
#define TP_CONFORMANCE_MONITOR_SCENE_H

#include "models/base/time.h"
#include "models/dialogue/dialogue.h"

enum {
    SCENE_CONVERSATIONS = 8192, /* known at a time; more are not judged */
    SCENE_ASKS = 16,             /* requests remembered of a conversation, the latest */
    SCENE_PERMITS = 64,          /* of an allocation; so are channels and refusals */
    SCENE_TEXT = 768,
    SCENE_OFFERS = 65536,
};

/* A request, from when it was first sent. */
struct ask {
    struct stun_id id;
    uint16_t method;
    bool with_credentials;
    bool answered;
    bool reserves;           /* EVEN-PORT with R set */
    uint8_t transport;       /* REQUESTED-TRANSPORT */
    bool has_lifetime, has_peer, has_connection;
    uint32_t lifetime_s, connection;
    struct endpoint peer[8]; /* XOR-PEER-ADDRESS, the first of them */
    size_t peers;
    uint16_t channel;
    uint64_t first_ns, last_ns;
    unsigned sent;
    uint32_t digest;         /* of its bytes */
};

/* A CONNECTION-ID that the server gave: in a Connect success or a ConnectionAttempt. */
struct offer {
    struct offer *next; /* in its bucket */
    uint32_t connection, control; /* control: flow number */
    bool attempt, bound;
    struct endpoint peer;
    uint64_t t_ns;
    struct endpoint server; /* that the control connection goes to */
};

struct permit {
    struct ip_addr peer;
    uint64_t t_ns; /* last success */
};

struct channel_view {
    uint16_t number;
    struct endpoint peer;
    uint64_t t_ns;
};

struct refusal {
    struct endpoint peer;
    uint64_t t_ns;
};

struct allocation_view {
    bool seen, live;
    enum ip_proto transport;
    struct endpoint relayed;
    uint64_t expires_ns;
    bool refreshed_late;
    struct permit permit[SCENE_PERMITS];
    struct channel_view channel[SCENE_PERMITS];
    struct refusal refusal[SCENE_PERMITS];
    size_t permits, channels, refusals;
};

struct conversation {
    struct conversation *next; /* in its bucket */
    uint32_t flow;
    enum ip_proto proto;
    bool middle;                    /* its beginning was not seen: what it has is not known */
    struct endpoint client, server; /* client: who sent the first request */
    char user[SCENE_TEXT], realm[SCENE_TEXT], nonce[SCENE_TEXT];
    bool cookie;                    /* the server's nonce says that it speaks RFC 8489 */
    unsigned challenges;            /* 401 in a row */
    bool stale;                     /* the last answer was 438 */
    struct ask ask[SCENE_ASKS];
    size_t asks;                    /* ever; the latest are kept */
    unsigned requests;              /* of the client */
    bool binds, bound, gap;
    struct allocation_view alloc;
    uint64_t last_ns;
};

struct scene {
    struct conversation *bucket[1024];
    struct offer *offer_bucket[1024];
    size_t conversations, offers;
    uint64_t missed; /* that found no room */
};

void scene_free(struct scene *s);
/* The conversation of a flow; NULL: it has not spoken TURN. */
struct conversation *scene_find(const struct scene *s, uint32_t flow);
/* The same, made when this message makes one: a TURN request. */
struct conversation *scene_join(struct scene *s, const struct said *said);
void scene_leave(struct scene *s, struct conversation *c);
struct offer *scene_offer(const struct scene *s, uint32_t connection, const struct endpoint *server);
/* The request that a message repeats or answers; NULL. */
struct ask *scene_ask(struct conversation *c, const struct stun_msg *m);
/* What a message changes, after the rules have seen it; ask: as scene_ask said. */
void scene_learn(struct scene *s, struct conversation *c, const struct said *said, struct ask *ask);

struct permit *scene_permit(struct allocation_view *a, const struct ip_addr *peer);
struct channel_view *scene_channel(struct allocation_view *a, uint16_t number);
struct channel_view *scene_channel_of(struct allocation_view *a, const struct endpoint *peer);

#endif
