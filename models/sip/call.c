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
    char *const texts[] = {c->call_id,    c->local,   c->remote,       c->target,      c->route,        c->remote_tag,
                           c->reply.p,    c->ack.p,   c->their_branch, c->request.m.p, c->response.m.p};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
    free(c);
}

/* ---- writing ---- */

static void send_bytes(const struct call_env *env, const char *p, size_t len, const char *label)
{
    if (env->hop.udp)
        io_sendto(env->io, env->hop.link, &env->hop.remote, p, len, label);
    else if (env->hop.link != IO_NONE)
        io_send(env->io, env->hop.link, p, len, label);
}

static void send_text(const struct call_env *env, const struct text *t, const char *label)
{
    assert(!t->cut); /* what goes in is bounded by what came in, and by the configuration */
    send_bytes(env, t->buf, t->len, label);
}

/* Sends it, and again until the repeat is stopped. */
static void send_repeated(const struct call_env *env, struct repeat *r, const struct text *t, const char *label,
                          uint64_t cap_ns)
{
    send_text(env, t, label);
    keep_message(&r->m, t);
    snprintf(r->label, sizeof r->label, "%s", label);
    r->gap_ns = SIP_T1_NS;
    r->cap_ns = cap_ns;
    r->at_ns = io_now(env->io) + r->gap_ns;
}

/* A request of ours: TCP sees to it that it arrives, over UDP it is repeated (17.1.1.2, 17.1.2.2). */
static void send_request(const struct call_env *env, struct sip_call *c, const struct text *t, const char *label,
                         uint64_t cap_ns)
{
    if (env->hop.udp)
        send_repeated(env, &c->request, t, label, cap_ns);
    else
        send_text(env, t, label);
}

static void repeat_due(const struct call_env *env, struct repeat *r)
{
    uint64_t now = io_now(env->io);
    if (now < r->at_ns)
        return;
    send_bytes(env, r->m.p, r->m.len, r->label);
    r->gap_ns = time_min(2 * r->gap_ns, r->cap_ns);
    r->at_ns = now + r->gap_ns;
}

static void stop(struct repeat *r)
{
    r->at_ns = TIME_NEVER;
}

static const char *transport(const struct call_env *env, bool in_uri)
{
    static const char *const names[2][2] = {{"TCP", "tcp"}, {"UDP", "udp"}};
    return names[env->hop.udp][in_uri];
}

/* 8.1.1, 12.2.1.1: the fields of a request in a call. */
static struct text begin_request(const struct call_env *env, const struct sip_call *c, const char *method,
                                 uint32_t cseq, const char *branch)
{
    char at[ENDPOINT_TEXT];
    struct text t = text_of(env->buf, CALL_BUF);
    text_add(&t, "%s %s SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=%s\r\nMax-Forwards: 70\r\n%s", method, c->target,
             transport(env, false), endpoint_text(&env->hop.local, at), branch, c->route);
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
    text_add(t, "Contact: <sip:%s;transport=%s>\r\n", endpoint_text(&env->hop.local, at), transport(env, true));
}

static void send_simple(const struct call_env *env, struct sip_call *c, const char *method, uint32_t cseq,
                        const char *branch, const char *headers)
{
    struct text t = begin_request(env, c, method, cseq, branch);
    text_add(&t, "User-Agent: %s\r\n%s", env->agent, headers);
    sip_put_body(&t, NULL, "", 0);
    send_request(env, c, &t, method, SIP_T2_NS);
}

static void send_bye(const struct call_env *env, struct sip_call *c, const char *headers)
{
    char branch[32];
    new_branch(env->rng, branch);
    send_simple(env, c, "BYE", ++c->cseq, branch, headers);
    c->bye_sent = true;
    stop(&c->response);
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
    bool repeated = code >= 200 && (code < 300 || env->hop.udp);
    if (repeated)
        send_repeated(env, &c->response, &t, label, SIP_T2_NS);
    else
        send_text(env, &t, label);
    c->invite = code < 200 ? INVITE_RECEIVED : code < 300 ? INVITE_ANSWERED : repeated ? INVITE_DECLINED : INVITE_NONE;
}

/* Another final answer than 2xx: timer H runs where it may get lost. */
static void decline(struct call_env *env, struct sip_call *c, unsigned code, const char *headers)
{
    respond_invite(env, c, code, headers, NULL);
    if (c->invite == INVITE_DECLINED)
        c->give_up_ns = io_now(env->io) + SIP_GIVE_UP_NS;
}

/* Dead to its user. What came over UDP may come again, as long as its sender waits for an answer. */
static void die(const struct call_env *env, struct sip_call *c)
{
    c->dead = true;
    c->linger_ns = env->hop.udp ? io_now(env->io) + SIP_GIVE_UP_NS : 0;
}

/* ---- making calls ---- */

static struct sip_call *call_new(struct call_env *env)
{
    struct sip_call *c = calloc(1, sizeof *c);
    assert(c);
    c->hop = env->hop;
    c->give_up_ns = c->told_ns = c->options_by_ns = c->request.at_ns = c->response.at_ns = TIME_NEVER;
    c->alive_ns = io_now(env->io);
    new_tag(env->rng, c->local_tag);
    return c;
}

struct sip_call *call_new_outgoing(struct call_env *env, const char *from, const char *to)
{
    char id[17], host[ADDR_TEXT], call_id[17 + ADDR_TEXT];
    struct sip_call *c = call_new(env);
    new_tag(env->rng, id);
    snprintf(call_id, sizeof call_id, "%s@%s", id, ip_text(&env->hop.local.ip, host));
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

/* Of the topmost Via: it names the transaction (17.2.3). */
static struct sip_str branch_of(const struct sip_msg *m)
{
    struct sip_iter it = {0};
    struct sip_str value;
    struct sip_via via;
    if (!sip_next(m, "Via", &it, &value) || sip_via_parse(value, &via) || !via.branch.p)
        return (struct sip_str){"", 0};
    return via.branch;
}

static void keep_invite(struct call_env *env, struct sip_call *c, const struct sip_msg *invite)
{
    struct text t = text_of(env->buf, CALL_BUF);
    sip_put_reply(&t, invite, c->local_tag);
    keep_message(&c->reply, &t);
    c->remote_cseq = c->invite_cseq = invite->cseq;
    c->invite = INVITE_RECEIVED;
    free(c->their_branch);
    c->their_branch = keep(branch_of(invite));
    set_target(c, invite);
}

bool call_is_invite(const struct sip_call *c, const struct sip_msg *m)
{
    return c->their_branch && m->request && sip_is(m->method, "INVITE") && m->cseq == c->invite_cseq &&
           sip_same(branch_of(m), (struct sip_str){c->their_branch, strlen(c->their_branch)});
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
    send_request(env, c, &t, c->up ? "re-INVITE" : "INVITE", TIME_NEVER);
    c->invite = INVITE_CALLING;
    c->give_up_ns = io_now(env->io) + SIP_GIVE_UP_NS; /* timer B */
}

void call_answer(struct call_env *env, struct sip_call *c, const char *sdp)
{
    if (c->invite != INVITE_RECEIVED)
        return;
    respond_invite(env, c, 200, "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\n", sdp);
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
    decline(env, c, code, headers);
    if (!c->up)
        die(env, c);
}

void call_hangup(struct call_env *env, struct sip_call *c, const char *headers)
{
    if (c->hanging_up)
        return;
    c->hanging_up = true;
    if (c->invite == INVITE_RECEIVED && !c->up) {
        decline(env, c, 487, headers);
        c->told_ns = io_now(env->io);
    } else if (c->invite == INVITE_PROCEEDING && !c->up) {
        send_cancel(env, c); /* 9.1: not before a provisional answer */
    } else if (c->up || c->invite == INVITE_ANSWERED) {
        send_bye(env, c, headers);
    }
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

static bool ended(const struct call_env *env, struct sip_call *c, struct sip_ua_event *ev,
                  enum sip_ua_event_kind kind, const struct sip_msg *m, unsigned code)
{
    die(env, c);
    return event(ev, kind, m, code);
}

static bool on_ack(struct sip_call *c, const struct sip_msg *m, struct sip_ua_event *ev)
{
    bool answered = c->invite == INVITE_ANSWERED;
    if ((!answered && c->invite != INVITE_DECLINED) || m->cseq != c->invite_cseq)
        return false;
    c->invite = INVITE_NONE;
    stop(&c->response);
    if (!answered) {
        c->give_up_ns = c->bye_sent ? c->give_up_ns : TIME_NEVER;
        return false;
    }
    c->up = true;
    if (c->bye_sent)
        return false;
    c->give_up_ns = TIME_NEVER;
    return event(ev, SIP_CONFIRMED, m, 0);
}

/* 17.2.1: of what came before over UDP, the last answer again; a 2xx is repeated by itself (RFC 6026 7.1). */
static void invite_again(struct call_env *env, struct sip_call *c)
{
    if (c->invite == INVITE_RECEIVED)
        respond_invite(env, c, 100, "", NULL);
    else if (c->invite == INVITE_DECLINED)
        send_bytes(env, c->response.m.p, c->response.m.len, c->response.label);
}

static bool on_reinvite(struct call_env *env, struct sip_call *c, const struct sip_msg *m,
                        struct sip_ua_event *ev)
{
    unsigned code = 0;
    if (call_is_invite(c, m)) {
        invite_again(env, c);
        return false;
    }
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
        decline(env, c, 487, ""); /* 15.1.2 */
    else
        stop(&c->response);
    stop(&c->request);
    sip_respond(env, m, 200, c->local_tag, "");
    return ended(env, c, ev, SIP_ENDED, m, 200);
}

static bool on_cancel(struct call_env *env, struct sip_call *c, const struct sip_msg *m,
                      struct sip_ua_event *ev)
{
    sip_respond(env, m, 200, c->local_tag, "");
    if (c->invite != INVITE_RECEIVED || m->cseq != c->invite_cseq)
        return false; /* 9.2: too late */
    decline(env, c, 487, "");
    return c->up ? false : ended(env, c, ev, SIP_ENDED, m, 487);
}

bool call_request(struct call_env *env, struct sip_call *c, const struct sip_msg *m, struct sip_ua_event *ev)
{
    c->hop = env->hop;
    c->alive_ns = io_now(env->io);
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
    stop(&c->request);
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
    text_add(&t, "ACK %s SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=%s\r\nMax-Forwards: 70\r\n%s", c->target,
             transport(env, false), endpoint_text(&env->hop.local, at), c->branch, c->route);
    text_add(&t, "From: <%s>;tag=%s\r\n", c->local, c->local_tag);
    if (sip_find(m, "To", &to))
        sip_put_header(&t, "To", to);
    text_add(&t, "Call-ID: %s\r\nCSeq: %u ACK\r\n", c->call_id, (unsigned)c->invite_cseq);
    sip_put_body(&t, NULL, "", 0);
    send_text(env, &t, "ACK");
    keep_message(&c->ack, &t);
    c->invite = INVITE_NONE;
    stop(&c->request);
    if (!c->up)
        return ended(env, c, ev, SIP_REFUSED, m, m->code);
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
    if (!waiting) { /* 13.2.2.4, 17.1.1.2: a final answer again means that its ACK was lost on the way */
        if (c->invite == INVITE_NONE && c->ack.p && m->code >= 200)
            send_bytes(env, c->ack.p, c->ack.len, "ACK");
        return false;
    }
    if (m->code >= 300)
        return on_refusal(env, c, m, ev);
    if (m->code >= 200)
        return on_success(env, c, m, ev);
    c->invite = INVITE_PROCEEDING;
    if (!c->cancel_sent) /* else it is the CANCEL's */
        stop(&c->request);
    if (!c->up && !c->cancel_sent)
        c->give_up_ns = TIME_NEVER;
    if (c->hanging_up && !c->up && !c->cancel_sent)
        send_cancel(env, c);
    return c->hanging_up ? false : event(ev, SIP_PROGRESS, m, m->code);
}

/* 12.2.1.2: 481 and 408 say that the other side's end of the call is gone. */
static bool on_options_response(struct call_env *env, struct sip_call *c, const struct sip_msg *m,
                                struct sip_ua_event *ev)
{
    if (c->options_by_ns == TIME_NEVER || m->cseq != c->options_cseq || m->code < 200)
        return false;
    c->options_by_ns = TIME_NEVER;
    if (!c->bye_sent)
        stop(&c->request);
    if (m->code != 481 && m->code != 408)
        return false;
    if (!c->bye_sent)
        send_bye(env, c, "");
    return ended(env, c, ev, SIP_ENDED, m, m->code);
}

bool call_response(struct call_env *env, struct sip_call *c, const struct sip_msg *m, struct sip_ua_event *ev)
{
    c->alive_ns = io_now(env->io);
    if (sip_is(m->method, "INVITE"))
        return on_invite_response(env, c, m, ev);
    if (sip_is(m->method, "OPTIONS"))
        return on_options_response(env, c, m, ev);
    if (sip_is(m->method, "CANCEL") && m->code >= 200 && !c->bye_sent)
        stop(&c->request);
    if (!sip_is(m->method, "BYE") || !c->bye_sent || m->cseq != c->cseq || m->code < 200)
        return false;
    stop(&c->request);
    return ended(env, c, ev, SIP_ENDED, m, m->code);
}

void call_ghost(struct call_env *env, struct sip_call *c, const struct sip_msg *m)
{
    struct sip_ua_event none;
    if (!m->request) {
        if (sip_is(m->method, "INVITE"))
            on_invite_response(env, c, m, &none);
        else if (m->code >= 200)
            stop(&c->request);
    } else if (sip_is(m->method, "ACK")) {
        on_ack(c, m, &none);
    } else if (call_is_invite(c, m)) {
        invite_again(env, c);
    } else {
        bool again = sip_is(m->method, "BYE") || sip_is(m->method, "CANCEL");
        sip_respond(env, m, again ? 200 : 481, c->local_tag, "");
    }
}

/* ---- time ---- */

static bool give_up(struct call_env *env, struct sip_call *c, struct sip_ua_event *ev)
{
    c->give_up_ns = TIME_NEVER;
    if (c->bye_sent) {
        stop(&c->request);
        return c->dead ? false : ended(env, c, ev, SIP_ENDED, NULL, 408);
    }
    switch (c->invite) {
    case INVITE_DECLINED: /* no ACK: there is nothing more to be done (17.2.1) */
        stop(&c->response);
        c->invite = INVITE_NONE;
        return false;
    case INVITE_ANSWERED: /* 13.3.1.4: no ACK: the dialog is up, and is to be ended */
        send_bye(env, c, "");
        return ended(env, c, ev, SIP_ENDED, NULL, 408);
    case INVITE_CALLING:
    case INVITE_PROCEEDING:
        c->invite = INVITE_NONE;
        stop(&c->request);
        return c->up ? event(ev, SIP_REINVITE_REFUSED, NULL, 408) : ended(env, c, ev, SIP_REFUSED, NULL, 408);
    case INVITE_RECEIVED:
    case INVITE_NONE:
        break;
    }
    return false;
}

/* When a call that says nothing is to be asked whether it still is one. */
static uint64_t ask_at(const struct sip_call *c, uint64_t keep_alive_ns)
{
    bool quiet = c->up && !c->dead && !c->hanging_up && c->invite == INVITE_NONE && c->options_by_ns == TIME_NEVER;
    return keep_alive_ns && quiet ? c->alive_ns + keep_alive_ns : TIME_NEVER;
}

static void send_options(struct call_env *env, struct sip_call *c)
{
    char branch[32];
    new_branch(env->rng, branch);
    c->options_cseq = ++c->cseq;
    c->options_by_ns = io_now(env->io) + SIP_GIVE_UP_NS; /* timer F */
    send_simple(env, c, "OPTIONS", c->options_cseq, branch, "");
}

bool call_timer(struct call_env *env, struct sip_call *c, struct sip_ua_event *ev)
{
    uint64_t now = io_now(env->io);
    if (now >= c->told_ns) { /* hung up before it was answered */
        c->told_ns = TIME_NEVER;
        return ended(env, c, ev, SIP_ENDED, NULL, 487);
    }
    if (now >= c->options_by_ns) {
        c->options_by_ns = TIME_NEVER;
        if (!c->bye_sent && !c->dead)
            send_bye(env, c, "");
        return c->dead ? false : ended(env, c, ev, SIP_ENDED, NULL, 408);
    }
    if (now >= c->give_up_ns)
        return give_up(env, c, ev);
    repeat_due(env, &c->request);
    repeat_due(env, &c->response);
    if (now >= ask_at(c, env->keep_alive_ns))
        send_options(env, c);
    return false;
}

uint64_t call_deadline(const struct sip_call *c, uint64_t keep_alive_ns)
{
    uint64_t t = time_min(c->request.at_ns, c->response.at_ns);
    t = time_min(t, time_min(c->options_by_ns, ask_at(c, keep_alive_ns)));
    return time_min(t, time_min(c->give_up_ns, c->told_ns));
}
