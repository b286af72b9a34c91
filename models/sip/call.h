/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One call of a user agent (RFC 3261 12 to 15): private to ua.c and call.c. */
#ifndef TP_SIP_CALL_H
#define TP_SIP_CALL_H

#include "models/sip/ua.h"

/* The INVITE transaction under way: at most one in a call, in one direction (14.1). */
enum invite {
    INVITE_NONE,
    INVITE_CALLING,    /* ours: nothing has come; timer B runs */
    INVITE_PROCEEDING, /* ours: a provisional answer has come */
    INVITE_RECEIVED,   /* theirs: to be answered */
    INVITE_ANSWERED,   /* theirs: the 2xx is sent, and repeated until the ACK; timer H runs */
};

struct message {
    char *p;
    size_t len;
};

struct sip_call {
    io_id link;
    char *call_id, *local, *remote, *target; /* the URIs of From and To, and the remote target (12.1) */
    char *route;                             /* the route set, as header lines */
    char local_tag[17], *remote_tag;
    uint32_t cseq, remote_cseq, invite_cseq;
    enum invite invite;
    char branch[32];        /* of our INVITE: CANCEL and the ACK to a refusal repeat it */
    struct message reply;   /* what each response to their INVITE begins with, after the status line */
    struct message ok, ack; /* the last of each, for repeating */
    bool up, hanging_up, bye_sent, cancel_sent, dead;
    uint64_t give_up_ns, repeat_at_ns, repeat_ns;
    void *user;
};

/* What a call needs of its user agent. */
struct call_env {
    struct io *io;
    struct rng *rng;
    const char *agent;
    char *buf;             /* CALL_BUF bytes to write messages in */
    struct endpoint local; /* of the connection that the call's messages go over */
    io_id link;
};
enum { CALL_BUF = 4 * SIP_MESSAGE_MAX }; /* target and route may be of two messages */

struct sip_call *call_new_outgoing(struct call_env *env, const char *from, const char *to);
/* From the INVITE that opens it. NULL: its addresses cannot be used (400). */
struct sip_call *call_new_incoming(struct call_env *env, const struct sip_msg *invite);
void call_free(struct sip_call *c);

void call_invite(struct call_env *env, struct sip_call *c, const char *sdp, const char *headers);
void call_answer(struct call_env *env, struct sip_call *c, const char *sdp);
void call_progress(struct call_env *env, struct sip_call *c, unsigned code);
void call_refuse(struct call_env *env, struct sip_call *c, unsigned code, const char *headers);
void call_hangup(struct call_env *env, struct sip_call *c, const char *headers);

/* A message of this call. true: ev says what it means to the user. */
bool call_request(struct call_env *env, struct sip_call *c, const struct sip_msg *m, struct sip_ua_event *ev);
bool call_response(struct call_env *env, struct sip_call *c, const struct sip_msg *m,
                   struct sip_ua_event *ev);
bool call_timer(struct call_env *env, struct sip_call *c, struct sip_ua_event *ev);
uint64_t call_deadline(const struct sip_call *c);

/* A response to a request that starts or ends nothing. */
void sip_respond(struct call_env *env, const struct sip_msg *request, unsigned code, const char *to_tag,
                 const char *headers);

#endif
