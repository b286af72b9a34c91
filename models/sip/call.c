/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/sip/call.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *keep(struct sip_str s)
{
    char *p = strndup(s.p, s.len);
    assert(p);
    return p;
}

static char *keep_text(const char *s)
{
    return keep((struct sip_str){s, strlen(s)});
}

static void keep_message(struct message *m, const struct text *t)
{
    free(m->p);
    m->p = keep((struct sip_str){t->buf, t->len});
    m->len = t->len;
}

static void new_tag(struct rng *rng, char out[17])
{
    uint8_t b[8];
    rng_fill(rng, b, sizeof b);
    hex_of(b, sizeof b, out);
}

static void new_branch(struct rng *rng, char out[32])
{
    char tag[17];
    new_tag(rng, tag);
    snprintf(out, 32, "z9hG4bK%s", tag);
}

void call_free(struct sip_call *c)
{
    if (!c)
        return;
    char *const texts[] = {c->call_id,    c->local,   c->remote, c->target, c->route,
                           c->remote_tag, c->reply.p, c->ok.p,   c->ack.p};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
    free(c);
}

/* ---- writing ---- */

static void send_text(const struct call_env *env, const struct text *t, const char *label)
{
    assert(!t->cut); /* what goes in is bounded by what came in, and by the configuration */
    if (env->link != IO_NONE)
        io_send(env->io, env->link, t->buf, t->len, label);
}

/* 8.1.1, 12.2.1.1: the fields of a request in a call. */
static struct text begin_request(const struct call_env *env, const struct sip_call *c, const char *method,
                                 uint32_t cseq, const char *branch)
{
    char at[ENDPOINT_TEXT];
    struct text t = text_of(env->buf, CALL_BUF);
    text_add(&t, "%s %s SIP/2.0\r\nVia: SIP/2.0/TCP %s;branch=%s\r\nMax-Forwards: 70\r\n%s", method,
             c->target, endpoint_text(&env->local, at), branch, c->route);
    text_add(&t, "From: <%s>;tag=%s\r\nTo: <%s>", c->local, c->local_tag, c->remote);
    if (c->remote_tag)
        text_add(&t, ";tag=%s", c->remote_tag);
    text_add(&t, "\r\nCall-ID: %s\r\nCSeq: %u %s\r\n", c->call_id, (unsigned)cseq, method);
    return t;
}

/* Where the other side sends later requests (12.1.1): our end of the connection. */
static void put_contact(const struct call_env *env, struct text *t)
{
    char at[ENDPOINT_TEXT];
    text_add(t, "Contact: <sip:%s;transport=tcp>\r\n", endpoint_text(&env->local, at));
}

static void send_simple(const struct call_env *env, struct sip_call *c, const char *method, uint32_t cseq,
                        const char *branch, const char *headers)
{
    struct text t = begin_request(env, c, method, cseq, branch);
    text_add(&t, "User-Agent: %s\r\n%s", env->agent, headers);
    sip_put_body(&t, NULL, "", 0);
    send_text(env, &t, method);
}

static void send_bye(const struct call_env *env, struct sip_call *c, const char *headers)
{
    char branch[32];
    new_branch(env->rng, branch);
    send_simple(env, c, "BYE", ++c->cseq, branch, headers);
    c->bye_sent = true;
    c->repeat_at_ns = TIME_NEVER;
    c->give_up_ns = io_now(env->io) + SIP_GIVE_UP_NS; /* timer F */
}

static void send_cancel(const struct call_env *env, struct sip_call *c)
{
    send_simple(env, c, "CANCEL", c->invite_cseq, c->branch, "");
    c->cancel_sent = true;
    c->give_up_ns = io_now(env->io) + SIP_GIVE_UP_NS; /* 9.1 */
}

void sip_respond(struct call_env *env, const struct sip_msg *request, unsigned code, const char *to_tag,
                 const char *headers)
{
    char label[SIP_LABEL];
    struct text t = text_of(env->buf, CALL_BUF);
    text_add(&t, "SIP/2.0 %u %s\r\n", code, sip_reason(code));
    sip_put_reply(&t, request, to_tag);
    text_add(&t, "Server: %s\r\n%s", env->agent, headers);
    sip_put_body(&t, NULL, "", 0);
    snprintf(label, sizeof label, "%u %s (%.*s)", code, sip_reason(code), SIP_STR(request->method));
    send_text(env, &t, label);
}

/* To their INVITE, from what was kept of it. */
static void respond_invite(struct call_env *env, struct sip_call *c, unsigned code, const char *headers,
                           const char *sdp)
{
    char label[SIP_LABEL];
    struct text t = text_of(env->buf, CALL_BUF);
    text_add(&t, "SIP/2.0 %u %s\r\n%s", code, sip_reason(code), c->reply.p);
    put_contact(env, &t);
    text_add(&t, "Server: %s\r\n%s", env->agent, headers);
    sip_put_body(&t, sdp ? "application/sdp" : NULL, sdp ? sdp : "", sdp ? strlen(sdp) : 0);
    snprintf(label, sizeof label, "%u %s (INVITE)", code, sip_reason(code));
    send_text(env, &t, label);
    if (code >= 200 && code < 300)
        keep_message(&c->ok, &t);
}

/* ---- making calls ---- */

static struct sip_call *call_new(struct call_env *env)
{
    struct sip_call *c = calloc(1, sizeof *c);
    assert(c);
    c->link = env->link;
    c->give_up_ns = c->repeat_at_ns = TIME_NEVER;
    new_tag(env->rng, c->local_tag);
    return c;
}

struct sip_call *call_new_outgoing(struct call_env *env, const char *from, const char *to)
{
    char id[17], host[ADDR_TEXT], call_id[17 + ADDR_TEXT];
    struct sip_call *c = call_new(env);
    new_tag(env->rng, id);
    snprintf(call_id, sizeof call_id, "%s@%s", id, ip_text(&env->local.ip, host));
    c->call_id = keep_text(call_id);
    c->local = keep_text(from);
    c->remote = keep_text(to);
    c->target = keep_text(to);
    c->route = keep_text("");
    return c;
}

/* 12.1.1, 12.1.2: Record-Route as Route lines, in order or, for the caller, in reverse. */
static char *route_set(const struct call_env *env, const struct sip_msg *m, bool reverse)
{
    enum { HOPS = 32 };
    struct sip_str hop[HOPS];
    size_t n = 0;
    struct sip_iter it = {0};
    while (n < HOPS && sip_next(m, "Record-Route", &it, &hop[n]))
        n++;
    struct text t = text_of(env->buf, CALL_BUF);
    for (size_t i = 0; i < n; i++)
        sip_put_header(&t, "Route", hop[reverse ? n - 1 - i : i]);
    return keep((struct sip_str){t.buf, t.len});
}

static void set_target(struct sip_call *c, const struct sip_msg *m)
{
    struct sip_iter it = {0};
    struct sip_str value;
    struct sip_addr addr;
    if (!sip_next(m, "Contact", &it, &value) || sip_addr_parse(value, &addr))
        return;
    free(c->target);
    c->target = keep(addr.uri);
}

static void keep_invite(struct call_env *env, struct sip_call *c, const struct sip_msg *invite)
{
    struct text t = text_of(env->buf, CALL_BUF);
    sip_put_reply(&t, invite, c->local_tag);
    keep_message(&c->reply, &t);
    c->remote_cseq = c->invite_cseq = invite->cseq;
    c->invite = INVITE_RECEIVED;
    set_target(c, invite);
}

struct sip_call *call_new_incoming(struct call_env *env, const struct sip_msg *invite)
{
    struct sip_str from, to;
    struct sip_addr local, remote;
    if (!sip_find(invite, "From", &from) || !sip_find(invite, "To", &to) || sip_addr_parse(from, &remote) ||
        sip_addr_parse(to, &local))
        return NULL;
    struct sip_call *c = call_new(env);
    c->call_id = keep(invite->call_id);
    c->local = keep(local.uri);
    c->remote = keep(remote.uri);
    c->remote_tag = keep(sip_tag(invite, "From"));
    c->target = keep(remote.uri);
    c->route = route_set(env, invite, false);
    keep_invite(env, c, invite);
    return c;
}

/* ---- what the user asks for ---- */

void call_invite(struct call_env *env, struct sip_call *c, const char *sdp, const char *headers)
{
    new_branch(env->rng, c->branch);
    c->invite_cseq = ++c->cseq;
    struct text t = begin_request(env, c, "INVITE", c->cseq, c->branch);
    put_contact(env, &t);
    text_add(&t, "User-Agent: %s\r\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\n%s", env->agent, headers);
    sip_put_body(&t, "application/sdp", sdp, strlen(sdp));
    send_text(env, &t, c->up ? "re-INVITE" : "INVITE");
    c->invite = INVITE_CALLING;
    c->give_up_ns = io_now(env->io) + SIP_GIVE_UP_NS; /* timer B */
}

void call_answer(struct call_env *env, struct sip_call *c, const char *sdp)
{
    if (c->invite != INVITE_RECEIVED)
        return;
    respond_invite(env, c, 200, "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\n", sdp);
    c->invite = INVITE_ANSWERED;
    c->repeat_ns = SIP_T1_NS;
    c->repeat_at_ns = io_now(env->io) + c->repeat_ns;
    c->give_up_ns = io_now(env->io) + SIP_GIVE_UP_NS; /* timer H */
}

void call_progress(struct call_env *env, struct sip_call *c, unsigned code)
{
    if (c->invite == INVITE_RECEIVED)
        respond_invite(env, c, code, "", NULL);
}

void call_refuse(struct call_env *env, struct sip_call *c, unsigned code, const char *headers)
{
    if (c->invite != INVITE_RECEIVED)
        return;
    respond_invite(env, c, code, headers, NULL);
    c->invite = INVITE_NONE;
    c->dead = !c->up;
}

void call_hangup(struct call_env *env, struct sip_call *c, const char *headers)
{
    if (c->hanging_up)
        return;
    c->hanging_up = true;
    if (c->invite == INVITE_RECEIVED && !c->up)
        respond_invite(env, c, 487, headers, NULL);
    else if (c->invite == INVITE_PROCEEDING && !c->up)
        send_cancel(env, c); /* 9.1: not before a provisional answer */
    else if (c->up || c->invite == INVITE_ANSWERED)
        send_bye(env, c, headers);
    if (c->invite == INVITE_RECEIVED && !c->up)
        c->give_up_ns = io_now(env->io);
}

/* ---- what the other side says ---- */

static bool event(struct sip_ua_event *ev, enum sip_ua_event_kind kind, const struct sip_msg *m,
                  unsigned code)
{
    ev->kind = kind;
    ev->msg = m;
    ev->code = code;
    return true;
}

static bool ended(struct sip_call *c, struct sip_ua_event *ev, enum sip_ua_event_kind kind,
                  const struct sip_msg *m, unsigned code)
{
    c->dead = true;
    return event(ev, kind, m, code);
}

static bool on_ack(struct sip_call *c, const struct sip_msg *m, struct sip_ua_event *ev)
{
    if (c->invite != INVITE_ANSWERED || m->cseq != c->invite_cseq)
        return false;
    c->invite = INVITE_NONE;
    c->up = true;
    c->repeat_at_ns = TIME_NEVER;
    if (c->bye_sent)
        return false;
    c->give_up_ns = TIME_NEVER;
    return event(ev, SIP_CONFIRMED, m, 0);
}

static bool on_reinvite(struct call_env *env, struct sip_call *c, const struct sip_msg *m,
                        struct sip_ua_event *ev)
{
    unsigned code = 0;
    if (!c->up || c->hanging_up)
        code = 481;
    else if (c->invite == INVITE_CALLING || c->invite == INVITE_PROCEEDING)
        code = 491; /* 14.2 */
    else if (c->invite != INVITE_NONE || m->cseq <= c->remote_cseq)
        code = 500; /* 14.2, 12.2.2 */
    if (code) {
        sip_respond(env, m, code, c->local_tag, "");
        return false;
    }
    keep_invite(env, c, m);
    respond_invite(env, c, 100, "", NULL);
    return event(ev, SIP_REINVITED, m, 0);
}

static bool on_bye(struct call_env *env, struct sip_call *c, const struct sip_msg *m, struct sip_ua_event *ev)
{
    if (c->invite == INVITE_RECEIVED)
        respond_invite(env, c, 487, "", NULL); /* 15.1.2 */
    sip_respond(env, m, 200, c->local_tag, "");
    return ended(c, ev, SIP_ENDED, m, 200);
}

static bool on_cancel(struct call_env *env, struct sip_call *c, const struct sip_msg *m,
                      struct sip_ua_event *ev)
{
    sip_respond(env, m, 200, c->local_tag, "");
    if (c->invite != INVITE_RECEIVED || m->cseq != c->invite_cseq)
        return false; /* 9.2: too late */
    respond_invite(env, c, 487, "", NULL);
    c->invite = INVITE_NONE;
    return c->up ? false : ended(c, ev, SIP_ENDED, m, 487);
}

bool call_request(struct call_env *env, struct sip_call *c, const struct sip_msg *m, struct sip_ua_event *ev)
{
    c->link = env->link;
    if (sip_is(m->method, "ACK"))
        return on_ack(c, m, ev);
    if (sip_is(m->method, "INVITE"))
        return on_reinvite(env, c, m, ev);
    if (sip_is(m->method, "BYE"))
        return on_bye(env, c, m, ev);
    if (sip_is(m->method, "CANCEL"))
        return on_cancel(env, c, m, ev);
    sip_respond(env, m, sip_is(m->method, "OPTIONS") ? 200 : 405, c->local_tag,
                "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\n");
    return false;
}

/* 13.2.2.4: each 2xx draws an ACK, with a branch and, the first time, a route of its own. */
static void send_ack(struct call_env *env, struct sip_call *c)
{
    char branch[32];
    new_branch(env->rng, branch);
    struct text t = begin_request(env, c, "ACK", c->invite_cseq, branch);
    sip_put_body(&t, NULL, "", 0);
    send_text(env, &t, "ACK");
    keep_message(&c->ack, &t);
}

static bool on_success(struct call_env *env, struct sip_call *c, const struct sip_msg *m,
                       struct sip_ua_event *ev)
{
    if (!c->up) { /* 12.1.2 */
        free(c->remote_tag);
        c->remote_tag = keep(sip_tag(m, "To"));
        free(c->route);
        c->route = route_set(env, m, true);
    }
    set_target(c, m);
    c->up = true;
    c->invite = INVITE_NONE;
    c->give_up_ns = TIME_NEVER;
    send_ack(env, c);
    if (c->hanging_up && !c->bye_sent)
        send_bye(env, c, "");
    return c->bye_sent ? false : event(ev, SIP_ANSWERED, m, m->code);
}

static bool on_refusal(struct call_env *env, struct sip_call *c, const struct sip_msg *m,
                       struct sip_ua_event *ev)
{
    /* 17.1.1.3: hop by hop, with the INVITE's branch and the To of the answer. */
    struct sip_str to;
    char at[ENDPOINT_TEXT];
    struct text t = text_of(env->buf, CALL_BUF);
    text_add(&t, "ACK %s SIP/2.0\r\nVia: SIP/2.0/TCP %s;branch=%s\r\nMax-Forwards: 70\r\n%s", c->target,
             endpoint_text(&env->local, at), c->branch, c->route);
    text_add(&t, "From: <%s>;tag=%s\r\n", c->local, c->local_tag);
    if (sip_find(m, "To", &to))
        sip_put_header(&t, "To", to);
    text_add(&t, "Call-ID: %s\r\nCSeq: %u ACK\r\n", c->call_id, (unsigned)c->invite_cseq);
    sip_put_body(&t, NULL, "", 0);
    send_text(env, &t, "ACK");
    c->invite = INVITE_NONE;
    if (!c->up)
        return ended(c, ev, SIP_REFUSED, m, m->code);
    if (c->bye_sent)
        return false;
    c->give_up_ns = TIME_NEVER;
    return event(ev, SIP_REINVITE_REFUSED, m, m->code);
}

static bool on_invite_response(struct call_env *env, struct sip_call *c, const struct sip_msg *m,
                               struct sip_ua_event *ev)
{
    if (m->cseq != c->invite_cseq)
        return false;
    bool waiting = c->invite == INVITE_CALLING || c->invite == INVITE_PROCEEDING;
    if (!waiting) { /* 13.2.2.4: a 2xx again means that its ACK was lost on the way */
        if (c->invite == INVITE_NONE && c->ack.p && m->code >= 200 && m->code < 300)
            io_send(env->io, env->link, c->ack.p, c->ack.len, "ACK");
        return false;
    }
    if (m->code >= 300)
        return on_refusal(env, c, m, ev);
    if (m->code >= 200)
        return on_success(env, c, m, ev);
    c->invite = INVITE_PROCEEDING;
    if (!c->up && !c->cancel_sent)
        c->give_up_ns = TIME_NEVER;
    if (c->hanging_up && !c->up && !c->cancel_sent)
        send_cancel(env, c);
    return c->hanging_up ? false : event(ev, SIP_PROGRESS, m, m->code);
}

bool call_response(struct call_env *env, struct sip_call *c, const struct sip_msg *m, struct sip_ua_event *ev)
{
    if (sip_is(m->method, "INVITE"))
        return on_invite_response(env, c, m, ev);
    if (sip_is(m->method, "BYE") && c->bye_sent && m->cseq == c->cseq && m->code >= 200)
        return ended(c, ev, SIP_ENDED, m, m->code);
    return false;
}

/* ---- time ---- */

static bool give_up(struct call_env *env, struct sip_call *c, struct sip_ua_event *ev)
{
    c->give_up_ns = TIME_NEVER;
    if (c->bye_sent)
        return ended(c, ev, SIP_ENDED, NULL, 408);
    switch (c->invite) {
    case INVITE_RECEIVED: /* hung up before it was answered */
        return ended(c, ev, SIP_ENDED, NULL, 487);
    case INVITE_ANSWERED: /* 13.3.1.4: no ACK: the dialog is up, and is to be ended */
        send_bye(env, c, "");
        return ended(c, ev, SIP_ENDED, NULL, 408);
    case INVITE_CALLING:
    case INVITE_PROCEEDING:
        c->invite = INVITE_NONE;
        return c->up ? event(ev, SIP_REINVITE_REFUSED, NULL, 408) : ended(c, ev, SIP_REFUSED, NULL, 408);
    case INVITE_NONE:
        break;
    }
    return false;
}

bool call_timer(struct call_env *env, struct sip_call *c, struct sip_ua_event *ev)
{
    uint64_t now = io_now(env->io);
    if (now >= c->give_up_ns)
        return give_up(env, c, ev);
    if (now >= c->repeat_at_ns) {
        if (env->link != IO_NONE)
            io_send(env->io, env->link, c->ok.p, c->ok.len, "200 OK (INVITE)");
        c->repeat_ns = time_min(2 * c->repeat_ns, SIP_T2_NS);
        c->repeat_at_ns = now + c->repeat_ns;
    }
    return false;
}

uint64_t call_deadline(const struct sip_call *c)
{
    return time_min(c->give_up_ns, c->repeat_at_ns);
}
