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
    EVENTS = 64,
    CREDENTIAL_MAX = 764, /* 8489 14.3, 14.9: what has to be taken */
    DEFAULT_LIFETIME = 600,
};
#define TI_NS (39500 * NS_MS)             /* 8489 6.2.2 */
#define PERMISSION_RENEW_NS (240 * NS_S)  /* 8656 9: they live 300 s */
#define RETRY_447_NS (10 * NS_S)          /* 6062 4.3: not earlier */

enum task_kind { TASK_FREE, TASK_ALLOCATE, TASK_REFRESH, TASK_PERMIT, TASK_CONNECT, TASK_BIND };
enum task_state {
    TASK_WAITING, /* to be sent at `at`, as soon as fewer than IN_FLIGHT are */
    TASK_OPENING, /* BIND: its connection is being opened */
    TASK_SENT,    /* fails at `at` */
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
    struct endpoint peer; /* CONNECT, BIND */
    uint32_t connection;  /* BIND */
    io_id io;             /* BIND: its own connection */
    size_t have;
    uint8_t in[STUN_MAX]; /* what came on it */
};

struct client_permission {
    struct ip_addr ip; /* family 0: free */
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
    uint8_t in[STUN_MAX];
    struct credentials cred;
    struct task tasks[TASKS];
    struct client_permission permissions[PERMISSIONS];
    struct client_attempt attempts[ATTEMPTS];
    struct refusal refusals[REFUSALS];
    size_t next_refusal, next_attempt;
    uint32_t lifetime_s;
    uint64_t refresh_ns, expires_ns;
    struct endpoint relayed, mapped;
    struct turn_client_event events[EVENTS + 1];
    size_t event_first, event_count;
    struct rng rng;
};

/* client_wire.c */
void client_send(struct turn_client *c, struct task *task);

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
