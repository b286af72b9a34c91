/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A rule: which messages it is about, and a judgement of one of them, before the scene has learnt it. */
#ifndef TP_CONFORMANCE_MONITOR_RULES_H
#define TP_CONFORMANCE_MONITOR_RULES_H

#include "conformance/monitor/scene.h"

/* What a rule wants to see. */
enum on {
    ON_REQUEST = 1,
    ON_AGAIN = 2,       /* a request with the transaction id of an earlier one */
    ON_INDICATION = 4,
    ON_SUCCESS = 8,     /* that answers a request which was seen */
    ON_ERROR = 16,
    ON_CHANNEL = 32,    /* ChannelData */
    ON_PAYLOAD = 64,    /* bytes that are no message */
    ON_END = 128,       /* the conversation is over, or the trace is */
    ON_SYN = 256,       /* somebody opens a connection: not of a conversation */
    ON_CHECK = 512,     /* a message of ICE: a Binding with ICE's attributes, or STUN in a frame; of any flow */
};
#define ON_ANSWER (ON_SUCCESS | ON_ERROR)
#define ON_STUN (ON_REQUEST | ON_AGAIN | ON_INDICATION | ON_ANSWER)

struct watch;

struct sight {
    unsigned on;
    uint64_t t_ns;
    const struct said *said;     /* END: how it ended; NULL: that was not seen */
    const struct stun_msg *m;    /* NULL: it is no STUN message */
    const struct scene *scene;
    struct conversation *in;     /* SYN: NULL; CHECK: may be */
    struct ask *ask;             /* AGAIN: the earlier one; SUCCESS, ERROR: what is answered */
    bool by_client;
    int code;                    /* ERROR */
};

struct rule {
    const char *id;
    unsigned on, method; /* method 0: any */
    void (*judge)(struct watch *w, const struct sight *s, unsigned arg);
    unsigned arg;
};

struct rules {
    const struct rule *rule;
    size_t count;
};
extern const struct rules rules_rfc6062, rules_rfc8656, rules_rfc8489, rules_microsoft;

/* The rule was put to the proof and held, or did not: what was seen instead. Neither: it is not about this. */
void rule_held(struct watch *w);
void rule_broken(struct watch *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void rule_judge(struct watch *w, bool holds, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* What many rules are: arg is an attribute. */
void rule_has(struct watch *w, const struct sight *s, unsigned attribute);
void rule_has_not(struct watch *w, const struct sight *s, unsigned attribute);
/* An answer to a request with credentials carries a MAC. arg: the only error code that it is about; 0: any answer. */
void rule_signed(struct watch *w, const struct sight *s, unsigned code);
/* An error of that code carries REALM and NONCE. */
void rule_challenges(struct watch *w, const struct sight *s, unsigned code);

bool sight_has(const struct sight *s, unsigned attribute);

#endif
