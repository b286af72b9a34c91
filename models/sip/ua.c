/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/sip/ua.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/sip/call.h"

/* A connection to the outbound proxy that is lost or cannot be made is tried again after this long; one that
 * is neither made nor refused is given up after that long, before a host's TCP would. */
#define RETRY_NS (2 * NS_S)
#define CONNECT_NS (10 * NS_S)

struct link {
    io_id id;
    bool open;
    struct endpoint local;
    struct sip_stream in;
};

struct sip_ua {
    struct io *io;
    unsigned owner;
    struct sip_ua_config cfg;
    struct rng rng;
    struct link link[SIP_LINKS_MAX];
    io_id listener[SIP_LISTENERS_MAX], udp;
    struct endpoint udp_local, udp_peer; /* where it listens; who was heard last */
    char packet[SIP_MESSAGE_MAX];        /* a datagram that has not been polled */
    size_t packet_len;
    io_id server;                        /* the link to the outbound proxy, or IO_NONE */
    uint64_t retry_at_ns, connect_by_ns; /* TIME_NEVER: not waiting */
    bool tell_up, tell_down;
    int down_err;
    struct {
        uint64_t at_ns, answer_by_ns; /* TIME_NEVER: none is due; none is outstanding */
        io_id told;                   /* the connection that was told to be up */
        char branch[32];
        uint32_t cseq;
    } options;
    struct sip_call **call;
    struct sip_msg msg; /* the one that the event polled last is about */
    char buf[CALL_BUF];
};

struct sip_ua *sip_ua_new(struct io *io, unsigned owner, const struct sip_ua_config *cfg)
{
    struct sip_ua *ua = calloc(1, sizeof *ua);
    if (!ua)
        return NULL;
    ua->io = io;
    ua->owner = owner;
    ua->cfg = *cfg;
    ua->cfg.calls_max = cfg->calls_max ? cfg->calls_max : SIP_CALLS_MAX;
    ua->call = calloc(ua->cfg.calls_max, sizeof *ua->call);
    if (!ua->call) {
        free(ua);
        return NULL;
    }
    ua->rng = io_rng(io, "sip");
    ua->retry_at_ns = ua->connect_by_ns = ua->options.at_ns = ua->options.answer_by_ns = TIME_NEVER;
    return ua;
}

void sip_ua_free(struct sip_ua *ua)
{
    if (!ua)
        return;
    for (size_t i = 0; i < ua->cfg.calls_max; i++)
        call_free(ua->call[i]);
    for (size_t i = 0; i < SIP_LINKS_MAX; i++)
        sip_stream_free(&ua->link[i].in);
    free(ua->call);
    free(ua);
}

/* ---- links ---- */

static struct link *link_find(struct sip_ua *ua, io_id id)
{
    for (size_t i = 0; i < SIP_LINKS_MAX; i++)
        if (ua->link[i].id == id)
            return &ua->link[i];
    return NULL;
}

static struct link *link_add(struct sip_ua *ua, io_id id)
{
    struct link *l = link_find(ua, IO_NONE);
    if (l)
        *l = (struct link){.id = id};
    return l;
}

static void link_open(struct sip_ua *ua, struct link *l, const struct endpoint *local)
{
    l->open = true;
    l->local = *local;
    io_read(ua->io, l->id, true);
}

static void link_drop(struct sip_ua *ua, struct link *l, int err)
{
    if (l->id == ua->server) {
        ua->server = IO_NONE;
        ua->connect_by_ns = ua->options.at_ns = ua->options.answer_by_ns = TIME_NEVER;
        ua->retry_at_ns = io_now(ua->io) + RETRY_NS;
        ua->tell_up = false;
        ua->tell_down = true;
        ua->down_err = err;
    }
    sip_stream_free(&l->in);
    *l = (struct link){0};
}

static void connect_server(struct sip_ua *ua)
{
    ua->retry_at_ns = TIME_NEVER;
    if (!link_find(ua, IO_NONE))
        return;
    ua->server = io_connect(ua->io, ua->owner, NULL, &ua->cfg.server);
    ua->connect_by_ns = io_now(ua->io) + CONNECT_NS;
    link_add(ua, ua->server);
}

static struct link *newest_link(struct sip_ua *ua)
{
    struct link *newest = NULL;
    for (size_t i = 0; i < SIP_LINKS_MAX; i++)
        if (ua->link[i].open && (!newest || ua->link[i].id > newest->id))
            newest = &ua->link[i];
    return newest;
}

/* The hop that a call's messages take: the one that its last message came by, or, when that is gone, the connection to
 * the outbound proxy, or the newest that stands, or to whom the last datagram came from. */
static struct call_env env_for(struct sip_ua *ua, const struct sip_hop *want)
{
    struct call_env env = {.io = ua->io,
                           .rng = &ua->rng,
                           .agent = ua->cfg.agent,
                           .buf = ua->buf,
                           .keep_alive_ns = ua->cfg.keep_alive_ns};
    if (want && want->udp) {
        env.hop = *want;
        return env;
    }
    struct link *l = !want || want->link == IO_NONE ? NULL : link_find(ua, want->link);
    if (!l && ua->server != IO_NONE)
        l = link_find(ua, ua->server);
    if (!l)
        l = newest_link(ua);
    if (l && l->open)
        env.hop = (struct sip_hop){.link = l->id, .local = l->local};
    else if (!l && ua->udp_peer.port)
        env.hop = (struct sip_hop){.link = ua->udp, .udp = true, .local = ua->udp_local, .remote = ua->udp_peer};
    return env;
}

bool sip_ua_linked(const struct sip_ua *ua)
{
    for (size_t i = 0; i < SIP_LINKS_MAX; i++)
        if (ua->link[i].open && ua->link[i].id == ua->server)
            return true;
    return false;
}

/* ---- OPTIONS to the outbound proxy ---- */

static void ask_options(struct sip_ua *ua)
{
    char at[ENDPOINT_TEXT], to[ENDPOINT_TEXT];
    char *branch = ua->options.branch, *tag = branch + 7;
    struct text t = text_of(ua->buf, sizeof ua->buf);
    endpoint_text(&link_find(ua, ua->server)->local, at);
    endpoint_text(&ua->cfg.server, to);
    snprintf(branch, sizeof ua->options.branch, "z9hG4bK%016llx", (unsigned long long)rng_u64(&ua->rng));
    ua->options.at_ns = TIME_NEVER;
    ua->options.answer_by_ns = io_now(ua->io) + SIP_GIVE_UP_NS; /* timer F */
    text_add(&t, "OPTIONS sip:%s;transport=tcp SIP/2.0\r\nVia: SIP/2.0/TCP %s;branch=%s\r\n", to, at, branch);
    text_add(&t, "Max-Forwards: 0\r\nFrom: <%s>;tag=%s\r\nTo: <sip:%s>\r\n", ua->cfg.uri, tag, to);
    text_add(&t, "Call-ID: %s\r\nCSeq: %u OPTIONS\r\nUser-Agent: %s\r\n", tag, (unsigned)++ua->options.cseq,
             ua->cfg.agent);
    sip_put_body(&t, NULL, "", 0);
    io_send(ua->io, ua->server, t.buf, t.len, "OPTIONS");
}

/* Whether that is the answer to ours. Any answer will do: somebody is there. */
static bool options_answered(struct sip_ua *ua, const struct sip_msg *m)
{
    struct sip_str call_id = {ua->options.branch + 7, strlen(ua->options.branch + 7)};
    if (m->request || ua->options.answer_by_ns == TIME_NEVER || !sip_same(m->call_id, call_id))
        return false;
    ua->options.answer_by_ns = TIME_NEVER;
    ua->options.at_ns = io_now(ua->io) + ua->cfg.options_ns;
    if (ua->options.told != ua->server)
        ua->tell_up = true;
    ua->options.told = ua->server;
    return true;
}

/* ---- input ---- */

static void on_start(struct sip_ua *ua)
{
    for (size_t i = 0; i < SIP_LISTENERS_MAX; i++)
        if (ua->cfg.listen[i].port)
            ua->listener[i] = io_listen(ua->io, ua->owner, &ua->cfg.listen[i]);
    if (ua->cfg.listen_udp.port)
        ua->udp = io_udp(ua->io, ua->owner, &ua->cfg.listen_udp);
    ua->udp_local = ua->cfg.listen_udp;
    ua->udp_peer = ua->cfg.server_udp;
    if (ua->cfg.server.port)
        connect_server(ua);
}

static void on_opened(struct sip_ua *ua, const struct io_in *in)
{
    struct link *l = link_find(ua, in->id);
    if (!l)
        return; /* the listener */
    link_open(ua, l, &in->local);
    ua->connect_by_ns = TIME_NEVER;
    if (ua->cfg.options_ns)
        ask_options(ua);
    else
        ua->tell_up = true;
}

static void on_accepted(struct sip_ua *ua, const struct io_in *in)
{
    struct link *l = link_add(ua, in->id);
    if (l)
        link_open(ua, l, &in->local);
    else
        io_abort(ua->io, in->id);
}

/* An empty line is a keep-alive (RFC 5626 3.5.1); what is too long for a message is none. */
static void on_datagram(struct sip_ua *ua, const struct io_in *in)
{
    if (in->len <= 4 || in->len > sizeof ua->packet)
        return;
    memcpy(ua->packet, in->data, in->len);
    ua->packet_len = in->len;
    ua->udp_peer = in->remote;
    ua->udp_local = in->local;
}

static void on_failed(struct sip_ua *ua, const struct io_in *in)
{
    const struct endpoint *at = &ua->cfg.listen_udp;
    for (size_t i = 0; i < SIP_LISTENERS_MAX; i++)
        if (ua->listener[i] == in->id)
            at = &ua->cfg.listen[i];
    io_fail(ua->io, at, "cannot listen for SIP: %s", err_text(in->err));
}

static void on_tick(struct sip_ua *ua)
{
    uint64_t now = io_now(ua->io);
    if (now >= ua->connect_by_ns || now >= ua->options.answer_by_ns) {
        io_abort(ua->io, ua->server);
        link_drop(ua, link_find(ua, ua->server), E_TIMED_OUT);
    } else if (now >= ua->retry_at_ns) {
        connect_server(ua);
    } else if (now >= ua->options.at_ns) {
        ask_options(ua);
    }
}

void sip_ua_input(struct sip_ua *ua, const struct io_in *in)
{
    struct link *l = in->id == IO_NONE ? NULL : link_find(ua, in->id);
    switch (in->event) {
    case IO_START:
        on_start(ua);
        break;
    case IO_TICK:
        on_tick(ua);
        break;
    case IO_OPENED:
        on_opened(ua, in);
        break;
    case IO_ACCEPTED:
        on_accepted(ua, in);
        break;
    case IO_DATA:
        if (l)
            sip_stream_push(&l->in, in->data, in->len);
        break;
    case IO_EOF:
        if (l) {
            io_close(ua->io, l->id);
            link_drop(ua, l, E_RESET);
        }
        break;
    case IO_FAILED:
    case IO_CLOSED:
        if (l)
            link_drop(ua, l, in->err);
        else if (in->event == IO_FAILED)
            on_failed(ua, in);
        break;
    case IO_DATAGRAM:
        on_datagram(ua, in);
        break;
    default:
        break;
    }
}

uint64_t sip_ua_deadline(const struct sip_ua *ua)
{
    uint64_t t = time_min(ua->retry_at_ns, ua->connect_by_ns);
    t = time_min(t, time_min(ua->options.at_ns, ua->options.answer_by_ns));
    for (size_t i = 0; i < ua->cfg.calls_max; i++)
        if (ua->call[i])
            t = time_min(t, call_deadline(ua->call[i], ua->cfg.keep_alive_ns));
    return t;
}

/* ---- messages ---- */

/* 12.2.2: by Call-ID and the two tags. A CANCEL, and an INVITE that came before, have no tag of ours. */
static struct sip_call *call_find(struct sip_ua *ua, const struct sip_msg *m)
{
    struct sip_str ours = sip_tag(m, m->request ? "To" : "From"),
                   theirs = sip_tag(m, m->request ? "From" : "To");
    for (size_t i = 0; i < ua->cfg.calls_max; i++) {
        struct sip_call *c = ua->call[i];
        if (!c || !sip_same(m->call_id, (struct sip_str){c->call_id, strlen(c->call_id)}))
            continue;
        bool mine = ours.len ? sip_same(ours, (struct sip_str){c->local_tag, strlen(c->local_tag)})
                             : sip_is(m->method, "CANCEL") || call_is_invite(c, m);
        bool his = !c->remote_tag || (!m->request && !c->up) ||
                   sip_same(theirs, (struct sip_str){c->remote_tag, strlen(c->remote_tag)});
        if (mine && his)
            return c;
    }
    return NULL;
}

static struct sip_call **call_slot(struct sip_ua *ua)
{
    for (size_t i = 0; i < ua->cfg.calls_max; i++)
        if (!ua->call[i])
            return &ua->call[i];
    return NULL;
}

static bool on_new_request(struct sip_ua *ua, struct call_env *env, const struct sip_msg *m,
                           struct sip_ua_event *ev)
{
    if (sip_is(m->method, "ACK"))
        return false; /* never answered (17) */
    if (!sip_is(m->method, "INVITE") || sip_tag(m, "To").len) {
        bool in_call = sip_is(m->method, "BYE") || sip_is(m->method, "CANCEL") || sip_tag(m, "To").len;
        sip_respond(env, m,
                    in_call                        ? 481
                    : sip_is(m->method, "OPTIONS") ? 200
                                                   : 405,
                    "0", "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\n");
        return false;
    }
    struct sip_call **slot = call_slot(ua);
    struct sip_call *c = slot ? call_new_incoming(env, m) : NULL;
    if (!c) {
        sip_respond(env, m, slot ? 400 : 486, "0", "");
        return false;
    }
    *slot = c;
    call_progress(env, c, 100); /* the callers' timer B runs */
    *ev = (struct sip_ua_event){.kind = SIP_INVITED, .call = c, .msg = m};
    return true;
}

static bool on_message(struct sip_ua *ua, const struct sip_hop *hop, const struct sip_msg *m, struct sip_ua_event *ev)
{
    struct call_env env = env_for(ua, hop);
    struct sip_call *c = call_find(ua, m);
    *ev = (struct sip_ua_event){.call = c};
    if (c && c->dead) {
        call_ghost(&env, c, m);
        return false;
    }
    if (c)
        return m->request ? call_request(&env, c, m, ev) : call_response(&env, c, m, ev);
    return !options_answered(ua, m) && m->request && on_new_request(ua, &env, m, ev);
}

static bool poll_links(struct sip_ua *ua, struct sip_ua_event *ev)
{
    for (size_t i = 0; i < SIP_LINKS_MAX; i++) {
        struct link *l = &ua->link[i];
        int r = 0;
        while (l->open && (r = sip_stream_next(&l->in, &ua->msg)) == 1)
            if (on_message(ua, &(struct sip_hop){.link = l->id}, &ua->msg, ev))
                return true;
        if (r < 0) { /* 18.3: no border can be found again */
            io_note(ua->io, NOTE_STATE, "sip connection closed: message %s", err_text(r));
            io_abort(ua->io, l->id);
            link_drop(ua, l, r);
        }
    }
    return false;
}

/* What is no message is dropped: its sender, if there is one, sends it again. */
static bool poll_packet(struct sip_ua *ua, struct sip_ua_event *ev)
{
    struct sip_hop hop = {.link = ua->udp, .udp = true, .local = ua->udp_local, .remote = ua->udp_peer};
    size_t len = ua->packet_len;
    ua->packet_len = 0;
    return len && sip_parse_datagram(ua->packet, len, &ua->msg) == 0 && on_message(ua, &hop, &ua->msg, ev);
}

static bool poll_calls(struct sip_ua *ua, struct sip_ua_event *ev)
{
    for (size_t i = 0; i < ua->cfg.calls_max; i++) {
        struct sip_call *c = ua->call[i];
        if (!c || io_now(ua->io) < call_deadline(c, ua->cfg.keep_alive_ns))
            continue;
        struct call_env env = env_for(ua, &c->hop);
        *ev = (struct sip_ua_event){.call = c};
        if (call_timer(&env, c, ev))
            return true;
    }
    return false;
}

static void bury(struct sip_ua *ua)
{
    for (size_t i = 0; i < ua->cfg.calls_max; i++) {
        if (ua->call[i] && ua->call[i]->dead && io_now(ua->io) >= ua->call[i]->linger_ns) {
            call_free(ua->call[i]);
            ua->call[i] = NULL;
        }
    }
}

bool sip_ua_poll(struct sip_ua *ua, struct sip_ua_event *out)
{
    bury(ua);
    if (ua->tell_up) {
        struct link *l = link_find(ua, ua->server);
        ua->tell_up = false;
        *out = (struct sip_ua_event){.kind = SIP_LINK_UP, .local = l->local};
        return true;
    }
    if (poll_links(ua, out) || poll_packet(ua, out) || poll_calls(ua, out))
        return true;
    if (!ua->tell_down)
        return false;
    ua->tell_down = false;
    *out = (struct sip_ua_event){.kind = SIP_LINK_DOWN, .err = ua->down_err};
    return true;
}

/* ---- what the user asks for ---- */

struct sip_call *sip_ua_invite(struct sip_ua *ua, const char *to, const char *sdp, const char *headers)
{
    return sip_ua_invite_as(ua, ua->cfg.uri, to, sdp, headers);
}

struct sip_call *sip_ua_invite_as(struct sip_ua *ua, const char *from, const char *to, const char *sdp,
                                  const char *headers)
{
    struct call_env env = env_for(ua, NULL);
    struct sip_call **slot = call_slot(ua);
    if (!slot || env.hop.link == IO_NONE)
        return NULL;
    *slot = call_new_outgoing(&env, from, to);
    call_invite(&env, *slot, sdp, headers);
    return *slot;
}

void sip_ua_reinvite(struct sip_ua *ua, struct sip_call *c, const char *sdp)
{
    struct call_env env = env_for(ua, &c->hop);
    assert(sip_call_quiet(c));
    call_invite(&env, c, sdp, "");
}

void sip_ua_answer(struct sip_ua *ua, struct sip_call *c, const char *sdp)
{
    struct call_env env = env_for(ua, &c->hop);
    call_answer(&env, c, sdp);
}

void sip_ua_refuse(struct sip_ua *ua, struct sip_call *c, unsigned code, const char *headers)
{
    struct call_env env = env_for(ua, &c->hop);
    call_refuse(&env, c, code, headers);
}

void sip_ua_hangup(struct sip_ua *ua, struct sip_call *c, const char *headers)
{
    struct call_env env = env_for(ua, &c->hop);
    call_hangup(&env, c, headers);
}

bool sip_call_up(const struct sip_call *c)
{
    return c->up;
}

bool sip_call_quiet(const struct sip_call *c)
{
    return c->up && !c->hanging_up && c->invite == INVITE_NONE;
}

const char *sip_call_id(const struct sip_call *c)
{
    return c->call_id;
}

void sip_call_set_user(struct sip_call *c, void *user)
{
    c->user = user;
}

void *sip_call_user(const struct sip_call *c)
{
    return c->user;
}
