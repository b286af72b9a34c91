/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The relay's insides, between the files of this folder only.
 *
 * A leg is a client's TCP connection to us: a control connection once it has an allocation, a data connection once it
 * is bound. An alloc is an allocation with the listener on its relayed address. A peer is a TCP connection between
 * that address and a peer: CONNECTING, PENDING (it waits for ConnectionBind, unread) or BOUND to a leg. */
#ifndef TP_TURN_SERVER_H
#define TP_TURN_SERVER_H

#include "models/base/io.h"
#include "models/base/time.h"
#include "models/stun/stun.h"
#include "models/turn/tables.h"
#include "models/turn/turn.h"

enum {
    REQUEST_MAX = 4096, /* the longest message that we take from a stream */
    NONCE_MAX = 80,
    DEFAULT_LIFETIME_S = 600, /* 8656 6 */
    PORT_MAP = 65536 / 8,
};
#define CONNECT_TIMEOUT_NS (30 * NS_S) /* 6062 5.2: at least 30 s; and below the client's 39.5 s */
#define BIND_TIMEOUT_NS (30 * NS_S)    /* 6062 5.2, 5.3 */
#define PERMISSION_NS (300 * NS_S)     /* 8656 9 */
#define IDLE_NS (60 * NS_S)            /* 6062-X-27: neither allocated nor bound */
#define NONCE_LIFETIME_S 3600          /* 8656 5 */

enum node_kind { NODE_LISTENER, NODE_LEG, NODE_ALLOC, NODE_PEER };

/* First member of all that an io id or a timer leads to. */
struct node {
    enum node_kind kind;
};

struct user {
    char *name;
    uint8_t key[16];
    uint32_t allocations;
};

struct listener {
    struct node node;
    struct endpoint local;
};

struct leg {
    struct node node;
    io_id id;
    struct endpoint local, remote;
    struct alloc *alloc; /* it is the control connection of this */
    struct peer *peer;   /* it is bound to this */
    struct timer idle;
    uint8_t *in; /* REQUEST_MAX bytes */
    size_t have, skip; /* skip: bytes still to come of a ChannelData message */
    bool bind_failed;  /* what follows may be payload that was sent too early */
};

struct permission {
    struct ip_addr ip;
    uint64_t expires_ns; /* 0: free */
};

/* A request that passed authentication, as much of it as its answer needs. */
struct request {
    struct stun_id id;
    uint16_t method;
    struct user *user; /* NULL: the answer is not authenticated */
};

struct alloc {
    struct node node;
    struct leg *control;
    struct user *user;
    struct request asked; /* the Allocate, until it is answered */
    bool live;            /* the relay port is open and the Allocate answered */
    uint32_t serial;      /* for notes */
    io_id relay_id;
    struct endpoint relay, told; /* told: what XOR-RELAYED-ADDRESS says */
    uint32_t ports_left;         /* still to be tried */
    uint32_t lifetime_s;
    uint64_t expires_ns, indicate_ns;
    struct timer timer;
    struct permission *permissions;
    struct peer *peers;
    uint32_t peer_count;
};

enum peer_state { PEER_CONNECTING, PEER_PENDING, PEER_BOUND };

struct peer {
    struct node node;
    enum peer_state state;
    struct peer *next;
    struct alloc *alloc;
    struct leg *leg; /* BOUND */
    io_id id;
    struct endpoint remote;
    uint32_t connection; /* CONNECTION-ID; 0 while CONNECTING */
    struct request asked; /* the Connect, while CONNECTING */
    struct timer timer;
};

struct turn {
    struct io *io;
    unsigned owner;
    struct turn_config cfg; /* with our own copies of what it points to */
    struct user *users;
    struct listener *listeners;
    struct ip_prefix *allow, *deny;
    struct pool legs, allocs, peers, buffers, permissions;
    struct permission *permissions_before; /* scratch: one allocation's, to put back */
    struct idmap by_io, by_connection;
    struct timers timers;
    uint8_t ports_used[2][PORT_MAP]; /* by family */
    uint16_t next_port;
    uint32_t serial;
    uint8_t secret[32];
    struct rng rng_id, rng_port, rng_nonce;
    struct turn_stats stats;
};

/* What an answer has in it. Zeroed: a bare success. */
struct answer {
    int code; /* 0: success */
    bool has_lifetime;
    uint32_t lifetime_s;
    const struct endpoint *relayed, *mapped;
    uint32_t connection; /* 0: none */
    const uint16_t *unknown;
    size_t unknown_count;
};

/* A request handler's verdict beside 0 and the error codes: the answer has gone out, or will. */
enum { ANSWERED = -1 };

/* reply.c: the one place that composes messages. */
void turn_answer(struct turn *t, struct leg *leg, const struct request *rq, const struct answer *a);
void turn_connection_attempt(struct turn *t, const struct peer *peer);
void turn_binding_indication(struct turn *t, const struct alloc *al);

/* auth.c: 8489 9.2.4. 0 and rq->user, or 400, 401, 438. */
int turn_authenticate(struct turn *t, const struct leg *leg, const struct stun_msg *m, struct request *rq);
void turn_nonce(struct turn *t, const struct leg *leg, char out[NONCE_MAX]);

/* permission.c */
bool turn_peer_allowed(const struct turn *t, const struct ip_addr *ip);
bool turn_permitted(const struct turn *t, const struct alloc *al, const struct ip_addr *ip);
int turn_create_permission(struct turn *t, struct leg *leg, const struct stun_msg *m, const struct request *rq,
                           struct answer *a);

/* alloc.c */
int turn_allocate(struct turn *t, struct leg *leg, const struct stun_msg *m, const struct request *rq,
                  struct answer *a);
int turn_refresh(struct turn *t, struct leg *leg, const struct stun_msg *m, const struct request *rq,
                 struct answer *a);
void turn_alloc_opened(struct turn *t, struct alloc *al);
void turn_alloc_port_failed(struct turn *t, struct alloc *al);
void turn_alloc_timer(struct turn *t, struct alloc *al);
void turn_alloc_delete(struct turn *t, struct alloc *al, const char *cause);

/* tcp.c */
int turn_connect(struct turn *t, struct leg *leg, const struct stun_msg *m, const struct request *rq,
                 struct answer *a);
int turn_connection_bind(struct turn *t, struct leg *leg, const struct stun_msg *m, const struct request *rq,
                         struct answer *a);
void turn_peer_incoming(struct turn *t, struct alloc *al, const struct io_in *in);
void turn_peer_opened(struct turn *t, struct peer *peer);
void turn_peer_failed(struct turn *t, struct peer *peer);
void turn_peer_timer(struct turn *t, struct peer *peer);
/* The connection is closed by us; code: what a Connect still in progress is answered, 0: nothing. */
void turn_peer_delete(struct turn *t, struct peer *peer, const char *cause, int code);
/* The pair's connections are gone, or the host is about to close them. */
void turn_peer_forget(struct turn *t, struct peer *peer, const char *cause);

/* leg.c: streams and the dispatch of requests. */
void turn_leg_accepted(struct turn *t, const struct io_in *in);
void turn_leg_data(struct turn *t, struct leg *leg, const uint8_t *data, size_t len);
void turn_leg_idle_from_now(struct turn *t, struct leg *leg);
void turn_leg_close(struct turn *t, struct leg *leg, const char *cause);
void turn_leg_forget(struct turn *t, struct leg *leg, const char *cause);

#endif
