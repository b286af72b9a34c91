/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The relay's insides, between the files of this folder only.
 *
 * A tuple is where a client is: a TCP connection to us, or a UDP address at one of our listeners. A leg is what we keep
 * of a TCP connection: a control connection once it has an allocation, a data connection once it is bound. Of a UDP
 * client without allocation nothing is kept. An alloc is an allocation, with one relay for each address family that it
 * has: a UDP socket, or a TCP listener. A peer is a TCP connection between a relay and a peer: CONNECTING, PENDING (it
 * waits for ConnectionBind, unread) or BOUND to a leg. */
#ifndef TP_TURN_SERVER_H
#define TP_TURN_SERVER_H

#include "models/base/io.h"
#include "models/base/time.h"
#include "models/stun/stun.h"
#include "models/turn/tables.h"
#include "models/turn/turn.h"

enum {
    REQUEST_MAX = 4096,       /* the longest message that we take from a stream */
    FRAME_MAX = 20 + 65532,   /* ... of one that has a UDP allocation: STUN or ChannelData, padded */
    CHANNEL_HEADER = 4,       /* 8656 12.4 */
    FIRST_CHANNEL = 0x4000,
    NONCE_MAX = 80,
    DEFAULT_LIFETIME_S = 600, /* 8656 6 */
    PORT_MAP = 65536 / 8,
    BUCKETS = 16, /* of an allocation's permissions and channels */
    SECRET = 32,
};
#define CONNECT_TIMEOUT_NS (30 * NS_S) /* 6062 5.2: at least 30 s; and below the client's 39.5 s */
#define BIND_TIMEOUT_NS (30 * NS_S)    /* 6062 5.2, 5.3 */
#define PERMISSION_NS (300 * NS_S)     /* 8656 9 */
#define CHANNEL_NS (600 * NS_S)        /* 8656 12 */
#define RESERVATION_NS (30 * NS_S)     /* 8656 7.2 */
#define IDLE_NS (60 * NS_S)            /* 6062-X-27: neither allocated nor bound */
#define NONCE_LIFETIME_S 3600          /* 8656 5 */

enum node_kind { NODE_LISTENER, NODE_LEG, NODE_ALLOC, NODE_RELAY, NODE_PEER, NODE_RESERVATION };

/* First member of all that an io id or a timer leads to. */
struct node {
    enum node_kind kind;
};

/* 8489 9.2.2, 18.5: one key for each password algorithm. */
struct keys {
    uint8_t md5[16], sha256[32];
};

struct user {
    struct user *next_name, *next_hash;
    char *name;
    struct keys keys;
    uint8_t hash[32]; /* USERHASH */
    uint32_t allocations;
    bool gone; /* no longer configured: kept for its allocations */
};

struct users {
    struct user **by_name, **by_hash;
    unsigned bits;
};

struct listener {
    struct node node;
    enum ip_proto proto;
    io_id id;
    struct endpoint local;
    struct listener *port; /* the first listener of the same port: it counts for all */
    uint32_t allocations;
};

struct tuple {
    io_id id; /* the connection, or the listener's socket; IO_NONE: the connection is gone */
    struct listener *listener;
    struct endpoint local, remote;
};

struct leg {
    struct node node;
    struct tuple at;
    struct alloc *alloc; /* it is the control connection of this */
    struct peer *peer;   /* it is bound to this */
    struct timer idle;
    uint8_t *in; /* a message that is not whole yet, or NULL */
    size_t have, skip; /* skip: bytes still to come of a ChannelData message for nobody */
    bool in_frame;     /* `in` is from the pool of frames */
    bool bind_failed;  /* what follows may be payload that was sent too early */
    bool blocked;      /* the client does not take what it is sent */
    bool given;        /* by another shard: once is enough */
    uint32_t shard;    /* whose it is; another's: it is about to be given, `in` is the message that told */
};

/* How a request was authenticated, so its answer is too (8489 9.2.4). */
enum mac { MAC_NONE, MAC_SHA1, MAC_SHA256 };

/* A request that passed authentication, as much of it as its answer needs. */
struct request {
    struct stun_id id;
    uint16_t method;
    uint8_t mac;          /* enum mac */
    bool sha256_key;      /* the password algorithm; else MD5 */
    struct user *user;    /* NULL: the answer is not authenticated */
    const struct keys *keys;
};

struct permission {
    struct permission *next;
    struct ip_addr ip;
    uint32_t channels; /* that point here */
    uint64_t expires_ns;
};

struct channel {
    struct channel *next_number, *next_peer;
    struct permission *permission;
    struct endpoint peer;
    uint16_t number;
    uint64_t expires_ns;
};

enum relay_state { RELAY_NONE, RELAY_OPENING, RELAY_OPEN };

struct relay {
    struct node node;
    enum relay_state state;
    struct alloc *alloc;
    io_id id;
    struct endpoint at, told; /* told: what XOR-RELAYED-ADDRESS says */
    uint32_t ports_left;      /* still to be tried */
    uint64_t expires_ns;
};

struct alloc {
    struct node node;
    struct tuple from;
    struct leg *control; /* NULL: over UDP */
    struct alloc *next_tuple;
    struct user *user;
    struct keys keys;     /* 8656 6: those that it was made with */
    struct request asked; /* the Allocate */
    enum ip_proto proto;
    bool live;            /* the Allocate is answered */
    bool even, reserve;   /* EVEN-PORT, and its R */
    uint8_t failed_family; /* of two, the one that could not be had, and why */
    int failed_code;
    uint64_t token;       /* RESERVATION-TOKEN handed out, 0: none */
    uint32_t serial;      /* for notes */
    struct relay relay[2]; /* by family: IPv4, IPv6 */
    uint32_t lifetime_s;
    uint64_t indicate_ns;
    struct timer timer;
    struct permission *permissions[BUCKETS];
    struct channel *by_number[BUCKETS], *by_peer[BUCKETS];
    uint32_t permission_count, channel_count, peer_count;
    struct peer *peers;
};

/* 8656 7.2: the port behind an even one, for who has the token. */
struct reservation {
    struct node node;
    uint64_t token;
    struct endpoint at;
    struct timer timer;
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

/* HMAC-SHA256 of a counter under the secret: what nobody may guess. */
struct oracle {
    uint8_t secret[SECRET], block[32];
    uint64_t counter;
    size_t left;
};

struct turn {
    struct io *io;
    unsigned owner;
    struct turn_config cfg; /* with our own copies of what it points to */
    struct users users;
    struct listener *listeners;
    size_t listener_count;
    struct ip_prefix *allow, *deny;
    struct pool legs, allocs, peers, buffers, frames, permissions, channels, reservations;
    struct idmap by_io, by_connection, by_token;
    struct alloc **by_tuple;
    unsigned tuple_bits;
    struct timers timers;
    uint8_t ports_used[2][2][PORT_MAP]; /* TCP or UDP, family */
    uint16_t next_port[2];              /* TCP, UDP */
    bool draining;                      /* no new allocations */
    uint32_t serial;
    uint64_t hash_key;
    struct oracle oracle;
    struct rng rng_id;
    struct turn_stats stats;
};

/* What an answer has in it. Zeroed: a bare success. */
struct answer {
    int code; /* 0: success */
    bool has_lifetime;
    uint32_t lifetime_s;
    const struct endpoint *relayed[2], *mapped, *alternate;
    const struct endpoint *origin, *other; /* 5780 */
    uint64_t token; /* 0: none */
    uint8_t failed_family;
    int failed_code;
    uint32_t connection; /* 0: none */
    uint16_t unknown[16];
    size_t unknown_count;
};

/* A request being handled: who asks, and what. */
struct call {
    const struct tuple *from;
    struct tuple moved;  /* that the answer leaves by instead (5780) */
    struct leg *leg;     /* NULL: over UDP */
    struct alloc *alloc; /* that tuple's, live or not; or NULL */
    const struct stun_msg *m;
    struct request rq;
    struct answer a;
};

/* A request handler's verdict: 0 (success), an error code, or ANSWERED: the answer has gone out, or will. */
enum { ANSWERED = -1 };
typedef int turn_handler(struct turn *t, struct call *c);

static inline unsigned family_index(uint8_t family)
{
    return family == IP_V6;
}

/* Under a key that is not known outside, so nobody can choose addresses that fall together. */
static inline uint64_t turn_hash_ip(const struct turn *t, const struct ip_addr *ip)
{
    uint64_t h = (load64(ip->b) ^ t->hash_key) * UINT64_C(0x9e3779b97f4a7c15);
    return ((h ^ h >> 29) + load64(ip->b + 8)) * UINT64_C(0xbf58476d1ce4e5b9);
}

/* reply.c: the one place that composes messages. Nothing goes to a tuple that is gone. */
void turn_answer(struct turn *t, const struct tuple *to, const struct request *rq, const struct answer *a);
void turn_answer_code(struct turn *t, const struct tuple *to, const struct request *rq, int code);
void turn_connection_attempt(struct turn *t, const struct peer *peer);
void turn_binding_indication(struct turn *t, const struct alloc *al);
void turn_icmp_indication(struct turn *t, const struct alloc *al, const struct endpoint *peer,
                          const struct io_icmp *icmp);

/* auth.c: 8489 9.2.4. 0 and rq->user, or 400, 401, 438. */
int turn_authenticate(struct turn *t, struct call *c);
void turn_nonce(struct turn *t, const struct tuple *from, char out[NONCE_MAX]);
/* PASSWORD-ALGORITHMS, as offered and as it has to come back. */
enum { ALGORITHMS_LEN = 8 };
extern const uint8_t turn_algorithms[ALGORITHMS_LEN];
void turn_unguessable(struct turn *t, void *out, size_t len);

/* users.c */
int turn_users_init(struct turn *t, const struct turn_user *users, size_t count); /* E_NOMEM */
void turn_users_free(struct users *us);
struct user *turn_user_named(const struct turn *t, const char *name, size_t len);
struct user *turn_user_hashed(const struct turn *t, const uint8_t hash[32]);

/* permission.c */
bool turn_peer_allowed(const struct turn *t, const struct ip_addr *ip);
/* A peer's address as the host has it, and as clients have it: they differ for our own relays (turn_config.finds_own).
 * false: that port of our own address is no relay's. */
bool turn_peer_inside(const struct turn *t, struct endpoint *peer);
struct endpoint turn_peer_outside(const struct turn *t, const struct endpoint *from);
/* The permission for the address if there is one and it holds; NULL. */
struct permission *turn_permitted(const struct turn *t, const struct alloc *al, const struct ip_addr *ip);
/* The permission for the address, renewed; NULL: no room (508). */
struct permission *turn_permit(struct turn *t, struct alloc *al, const struct ip_addr *ip);
void turn_forget_permissions(struct turn *t, struct alloc *al, uint8_t family); /* and channels */
turn_handler turn_binding; /* discovery.c */
turn_handler turn_create_permission;

/* channel.c: channels, and what comes and goes by them. NULL: none, or it has expired. */
struct channel *turn_channel_numbered(const struct turn *t, const struct alloc *al, uint16_t number);
struct channel *turn_channel_of(const struct turn *t, const struct alloc *al, const struct endpoint *peer);
void turn_forget_channels(struct turn *t, struct alloc *al, uint8_t family);
turn_handler turn_channel_bind;

/* data.c. lend: the bytes are the event's own. */
void turn_channel_data(struct turn *t, struct alloc *al, const uint8_t *bytes, size_t len, bool lend);
void turn_send_indication(struct turn *t, struct alloc *al, const struct stun_msg *m, bool lend);
void turn_peer_datagram(struct turn *t, struct relay *r, const struct io_in *in);
void turn_peer_icmp(struct turn *t, struct relay *r, const struct io_in *in);

/* ports.c: relay ports and reservations. */
int turn_relay_open(struct turn *t, struct relay *r); /* 0: a port is being opened; 508: none is left */
void turn_relay_failed(struct turn *t, struct relay *r); /* that port was not to be had: its number is free again */
void turn_relay_release(struct turn *t, struct relay *r);
/* The port behind r's: 0 and its token, or 508. */
int turn_reserve(struct turn *t, const struct relay *r, uint64_t *token);
bool turn_reserved(const struct turn *t, uint64_t token, struct endpoint *at); /* false: no such */
void turn_reservation_used(struct turn *t, uint64_t token);
void turn_reservation_drop(struct turn *t, struct reservation *rs); /* its port is free again */

/* alloc.c */
struct alloc *turn_alloc_of(const struct turn *t, const struct tuple *from); /* over UDP; NULL: none */
struct relay *turn_relay_of(struct alloc *al, uint8_t family); /* open; NULL: none */
turn_handler turn_allocate, turn_refresh;
void turn_relay_opened(struct turn *t, struct relay *r);
void turn_relay_port_failed(struct turn *t, struct relay *r, int err);
void turn_alloc_timer(struct turn *t, struct alloc *al);
void turn_alloc_delete(struct turn *t, struct alloc *al, const char *cause);

/* tcp.c */
turn_handler turn_connect, turn_connection_bind;
/* The shard that has the connection which the message wants to bind; our own, if it is none, or not to be given. */
uint32_t turn_shard_asked(const struct turn *t, const struct call *c);
void turn_peer_incoming(struct turn *t, struct relay *r, const struct io_in *in);
void turn_peer_opened(struct turn *t, struct peer *peer);
void turn_peer_failed(struct turn *t, struct peer *peer, int err);
void turn_peer_timer(struct turn *t, struct peer *peer);
/* The connection is closed by us; code: what a Connect still in progress is answered, 0: nothing. */
void turn_peer_delete(struct turn *t, struct peer *peer, const char *cause, int code);
/* The pair's connections are gone, or the host is about to close them. */
void turn_peer_forget(struct turn *t, struct peer *peer, const char *cause);

/* dispatch.c: each request to its handler. c: from, leg, alloc. */
void turn_message(struct turn *t, struct call *c, const uint8_t *bytes, size_t len, bool lend);
void turn_client_datagram(struct turn *t, struct listener *l, const struct io_in *in);

/* leg.c: streams. */
void turn_leg_accepted(struct turn *t, struct listener *l, const struct io_in *in);
void turn_leg_data(struct turn *t, struct leg *leg, const uint8_t *data, size_t len);
void turn_leg_blocked(struct turn *t, struct leg *leg, bool blocked);
void turn_leg_idle_from_now(struct turn *t, struct leg *leg);
void turn_leg_close(struct turn *t, struct leg *leg, const char *cause);
void turn_leg_forget(struct turn *t, struct leg *leg, const char *cause);

#endif
