/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One call of a user agent (RFC 3261 12 to 15): private to ua.c and call.c. */
#ifndef TP_SIP_CALL_H
#define TP_SIP_CALL_H

#include "models/sip/ua.h"

/* Where a call's messages go: a connection, or over UDP a socket and whom it sends to. */
struct sip_hop {
    io_id link;
    bool udp;
    struct endpoint local, remote; /* remote: over UDP */
};

/* The INVITE transaction under way: at most one in a call, in one direction (14.1). */
enum invite {
    INVITE_NONE,
    INVITE_CALLING,    /* ours: nothing has come; timer B runs */
    INVITE_PROCEEDING, /* ours: a provisional answer has come */
    INVITE_RECEIVED,   /* theirs: to be answered */
    INVITE_ANSWERED,   /* theirs: the 2xx is sent, and repeated until the ACK; timer H runs */
    INVITE_DECLINED,   /* theirs, over UDP: another final answer is sent, and repeated until the ACK (timers G, H) */
};

struct message {
    char *p;
    size_t len;
};

/* A message that is sent again until something answers it: at once T1, then twice as long each time, up to cap. */
struct repeat {
    struct message m;
    char label[SIP_LABEL];
    uint64_t at_ns, gap_ns, cap_ns; /* at: TIME_NEVER when it has had its answer */
};

struct sip_call {
    struct sip_hop hop;
    char *call_id, *local, *remote, *target; /* the URIs of From and To, and the remote target (12.1) */
    char *route;                             /* the route set, as header lines */
    char local_tag[17], *remote_tag;
    uint32_t cseq, remote_cseq, invite_cseq;
    enum invite invite;
    char branch[32];        /* of our INVITE: CANCEL and the ACK to a refusal repeat it */
    struct message reply;   /* what each response to their INVITE begins with, after the status line */
    char *their_branch;     /* of their INVITE: by it one that came again is known (17.2.3) */
    struct message ack;     /* our last, for repeating */
    /* request: our last over UDP (timers A and E); response: our last final answer to an INVITE (13.3.1.4; over UDP
     * timer G) */
    struct repeat request, response;
    bool up, hanging_up, bye_sent, cancel_sent;
    bool dead; /* to the user; over UDP it lingers to answer what comes again (timers D, H, J) */
    uint64_t give_up_ns, linger_ns;
    uint64_t told_ns; /* hung up before it was answered: the user is told then */
    uint64_t alive_ns, options_by_ns; /* when the other side was last heard; an OPTIONS waits for its answer until */
    uint32_t options_cseq;
    void *user;
};

/* What a call needs of its user agent. */
struct call_env {
    struct io *io;
    struct rng *rng;
    const char *agent;
    char *buf;          /* CALL_BUF bytes to write messages in */
    struct sip_hop hop; /* that the call's messages go over; its link is IO_NONE when there is none */
    uint64_t keep_alive_ns;
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
/* One for a call that is dead to its user: no event comes of it. */
void call_ghost(struct call_env *env, struct sip_call *c, const struct sip_msg *m);
bool call_timer(struct call_env *env, struct sip_call *c, struct sip_ua_event *ev);
uint64_t call_deadline(const struct sip_call *c, uint64_t keep_alive_ns);
/* Their INVITE, or a copy of it. */
bool call_is_invite(const struct sip_call *c, const struct sip_msg *m);

/* A response to a request that starts or ends nothing. */
void sip_respond(struct call_env *env, const struct sip_msg *request, unsigned code, const char *to_tag,
                 const char *headers);

#endif
