/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The proxy's connections (proxy.c), its sides and what is known of them (proxy_side.c), and the way of a message
 * (proxy_forward.c): private to these. */
#ifndef TP_SIP_PROXY_PARTS_H
#define TP_SIP_PROXY_PARTS_H

#include "models/base/time.h"
#include "models/sip/proxy.h"

enum { PROXY_BUF = 2 * SIP_MESSAGE_MAX, PROXY_TOKEN = 16 };

struct leg {
    io_id id;
    unsigned side;
    bool open;
    struct endpoint local, remote;
    struct sip_stream in;
};

enum side_service { SIDE_WANTED, SIDE_UP, SIDE_FAILED, SIDE_LOST };

struct side {
    io_id listener;
    io_id link;                          /* the connection that it makes, or its socket */
    uint64_t retry_at_ns, connect_by_ns; /* TIME_NEVER: not waiting */
    unsigned failures;                   /* of connecting, one after the other */
    bool was_up;                         /* the connection that it makes stood before */
    uint16_t ports_used;                 /* of its range, over and over */
    enum side_service service;
    /* OPTIONS: when the next begins; the one under way, its branch, and when it is repeated (UDP) and given up. */
    uint64_t options_at_ns, repeat_at_ns, repeat_ns, answer_by_ns;
    uint32_t cseq;
    char branch[40];
};

struct sip_proxy {
    struct io *io;
    unsigned owner;
    struct sip_proxy_config cfg;
    unsigned sides;
    struct side side[SIP_SIDES_MAX];
    struct leg leg[SIP_LEGS_MAX];
    struct rng rng;
    struct sip_msg msg;
    char buf[PROXY_BUF], body[SIP_MESSAGE_MAX];
};

/* ---- proxy.c ---- */

void proxy_connect(struct sip_proxy *p, unsigned side);
bool proxy_is_single(const struct sip_proxy *p, unsigned side);
struct leg *proxy_newest(struct sip_proxy *p, unsigned side);
/* A leg in text: its side, and its number unless the side has one leg at a time. */
void proxy_token(const struct sip_proxy *p, const struct leg *l, char out[PROXY_TOKEN]);
struct leg *proxy_named(struct sip_proxy *p, struct sip_str token);
/* err: why it goes, 0 for an orderly end. */
void proxy_drop(struct sip_proxy *p, struct leg *l, int err);
/* label: that of m. */
void proxy_send(struct sip_proxy *p, const struct leg *to, const struct text *t, const struct sip_msg *m);

/* ---- proxy_side.c ---- */

/* It has a leg that is open, or has lost it. */
void side_up(struct sip_proxy *p, unsigned side);
void side_down(struct sip_proxy *p, unsigned side, const char *why);
/* No connection could be made. */
void side_failed(struct sip_proxy *p, unsigned side, int err);
/* Where a request goes by the rules. NULL: *refusal is 404, or 503 when a side that it might have gone to is down:
 * *down. */
struct leg *side_search(struct sip_proxy *p, unsigned from, unsigned *refusal, unsigned *down);
/* The answer to OPTIONS of ours; false: it is not. */
bool side_answered(struct sip_proxy *p, const struct sip_via *top);
void side_tick(struct sip_proxy *p, unsigned side);
uint64_t side_deadline(const struct side *s);

/* ---- proxy_forward.c ---- */

void proxy_request(struct sip_proxy *p, struct leg *from);
void proxy_response(struct sip_proxy *p, const struct leg *from);

#endif
