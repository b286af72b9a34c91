/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client's insides, between client.c (what happens) and client_wire.c (messages). */
#ifndef TP_TURN_CLIENT_INSIDES_H
#define TP_TURN_CLIENT_INSIDES_H

#include "models/base/time.h"
#include "models/stun/stun.h"
#include "models/turn/turn_client.h"

enum {
    TASKS = 32,       /* transactions under way or waiting for their turn */
    IN_FLIGHT = 10,   /* 8489 6.2: unanswered at once to one server */
    PERMISSIONS = 32, /* as many as a mask has bits */
    ATTEMPTS = 16,    /* ConnectionAttempts not accepted yet */
    REFUSALS = 16,    /* peers that answered 447 lately */
    SERVERS = 4,      /* tried through 300 */
    EVENTS = 64,      /* at first */
    EVENTS_MOST = 65536,
    CHANNELS = 32,
    FIRST_CHANNEL = 0x4000,
    LAST_CHANNEL = 0x4fff, /* 8656 12 */
    CHANNEL_HEADER = 4,
    FRAME_MAX = 20 + 65532,
    SENDS = 7, /* 8489 6.2.1: Rc */
    LAST_WAIT = 16, /* 8489 6.2.1: Rm, in units of the RTO */
    CREDENTIAL_MAX = 764, /* 8489 14.3, 14.9: what has to be taken */
    DEFAULT_LIFETIME = 600,
};
#define TI_NS (39500 * NS_MS)             /* 8489 6.2.2 */
#define RTO_NS (500 * NS_MS)              /* 8489 6.2.1: to begin with, and at least */
#define RTO_KEPT_NS (600 * NS_S)          /* 8489 6.2.1: without a transaction it is forgotten after that */
#define CHANNEL_RENEW_NS (240 * NS_S)     /* its permission lives 300 s, itself 600 s */
#define CHANNEL_KEPT_NS (900 * NS_S)      /* 8656 12: 600 s that it lives, and 5 minutes */
#define PERMISSION_RENEW_NS (240 * NS_S)  /* 8656 9: they live 300 s */
#define RETRY_447_NS (10 * NS_S)          /* 6062 4.3: not earlier */

enum task_kind { TASK_FREE, TASK_ALLOCATE, TASK_REFRESH, TASK_PERMIT, TASK_CONNECT, TASK_BIND,
                 TASK_CHANNEL };
enum task_state {
    TASK_WAITING, /* to be sent at `at`, as soon as fewer than IN_FLIGHT are */
    TASK_OPENING, /* BIND: its connection is being opened */
    TASK_SENT,    /* fails at `at`, or over UDP is sent again */
};

/* One transaction, over all its repetitions with new credentials. */
struct task {
    enum task_kind kind;
    enum task_state state;
    uint64_t at;
    struct stun_id id;
    bool authenticated; /* this try carries credentials */
    uint8_t stale;      /* how many 438 it has had */
    uint32_t lifetime_s;  /* REFRESH */
    uint32_t permissions; /* PERMIT: a mask */
    struct endpoint peer; /* CONNECT, BIND, CHANNEL */
    uint32_t connection;  /* BIND */
    uint16_t number;      /* CHANNEL */
    io_id io;             /* BIND: its own connection */
    unsigned sends;       /* over UDP */
    uint64_t sent_ns, rto_ns; /* over UDP: the first time, and what doubles from then on */
    size_t have;
    uint8_t bytes[2 * STUN_MAX]; /* BIND: what came on its connection; over UDP: what was sent */
};

struct client_permission {
    struct ip_addr ip; /* family 0: free */
    uint64_t renew_ns; /* TIME_NEVER: asked for and not answered */
};

struct client_channel {
    struct endpoint peer;
    uint16_t number;   /* 0: free; none is ever given to a second peer */
    bool lapsed;       /* it is not ours any more, but until kept_ns the peer has no other number (8656 12) */
    uint64_t kept_ns;
    uint64_t renew_ns; /* TIME_NEVER: asked for and not answered */
};

struct client_attempt {
    uint32_t connection; /* 0: free */
    struct endpoint peer;
};

struct refusal {
    struct endpoint peer;
    uint64_t again_ns;
};

struct credentials {
    char realm[CREDENTIAL_MAX], nonce[CREDENTIAL_MAX];
    uint8_t md5_key[16], sha256_key[32];
    uint8_t algorithm;       /* 8489 18.5: 0 none was offered, 1 MD5, 2 SHA-256 */
    uint8_t algorithms[64];  /* PASSWORD-ALGORITHMS as they came, to be echoed */
    size_t algorithms_len;
    uint8_t user_hash[32];   /* 8489 14.4 */
    bool hash_user;          /* the nonce asks for it instead of the name */
    bool known;
};

enum client_state { CLIENT_IDLE, CLIENT_OPENING, CLIENT_ALLOCATING, CLIENT_LIVE, CLIENT_RELEASING, CLIENT_DONE };

struct turn_client {
    struct io *io;
    unsigned owner;
    struct turn_client_config cfg;
    enum client_state state;
    io_id control;
    struct endpoint server, servers_tried[SERVERS];
    size_t server_count;
    unsigned addresses_tried; /* 437 to Allocate */
    size_t have;
    uint8_t *in[2]; /* FRAME_MAX bytes each: a message that is not whole; in turn, as events borrow from one */
    unsigned in_at;
    struct credentials cred;
    struct task tasks[TASKS];
    struct client_permission permissions[PERMISSIONS];
    struct client_channel channels[CHANNELS];
    uint16_t next_channel;
    struct client_attempt attempts[ATTEMPTS];
    struct refusal refusals[REFUSALS];
    size_t next_refusal, next_attempt;
    uint32_t lifetime_s;
    uint64_t refresh_ns, expires_ns;
    uint64_t srtt_ns, rttvar_ns, rtt_at_ns; /* over UDP: the server's round trip, and when it was measured last; 0 */
    struct endpoint relayed, mapped;
    struct turn_client_event *events, spare;
    size_t event_first, event_count, event_cap;
    struct rng rng;
};

/* client.c */
struct turn_client_event *client_tell(struct turn_client *c, enum turn_client_event_kind kind);
struct task *client_new_task(struct turn_client *c, enum task_kind kind); /* NULL: all are busy */
void client_send_waiting(struct turn_client *c);
/* A STUN message that came on this connection or socket; rest: what the stream has behind it. */
void client_message(struct turn_client *c, io_id io, const uint8_t *bytes, size_t len, const uint8_t *rest,
                    size_t rest_len);

/* client_data.c: channels and datagrams of a UDP allocation. */
void client_renew_channels(struct turn_client *c);
uint64_t client_channels_deadline(const struct turn_client *c);
void client_channel_done(struct turn_client *c, const struct task *task, int code, int err);
void client_indication(struct turn_client *c, const struct stun_msg *m); /* Data */
/* STUN and ChannelData of the control stream. E_MALFORMED: the framing is lost. */
int client_frames(struct turn_client *c, const uint8_t *data, size_t len);
void client_datagram(struct turn_client *c, const struct io_in *in);

/* client_wire.c */
void client_send(struct turn_client *c, struct task *task);
void client_send_again(struct turn_client *c, struct task *task);

/* What a response comes to, for who asked. */
enum verdict {
    VERDICT_SUCCESS,
    VERDICT_ERROR,   /* code */
    VERDICT_RETRY,   /* new credentials are known: ask again */
    VERDICT_BROKEN,  /* err: the transaction has failed without an answer that counts */
    VERDICT_IGNORE,  /* as if it had not come */
};
enum verdict client_judge(struct turn_client *c, struct task *task, const struct stun_msg *m, int *code, int *err);

#endif
