/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/web_proxy_bridge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/actors/web_proxy_parts.h"
#include "models/base/err.h"

#define ANSWER_NS (10 * NS_S)  /* of Meeting Server, connecting included */
#define PROBE_NS (60 * NS_S)   /* it is asked for a sign this often, */
#define PROBE_AGAIN_NS (10 * NS_S) /* and this often while it gives none */
enum { PORTS_TRIED_MAX = 64 }; /* of those in use, one after the other */
enum { ASKS_MAX = TUNNEL_CHANNELS_MAX + 1, PUSHES_MAX = 32, BUF = HTTP_HEAD_MAX + HTTP_BODY_MAX + 2 * HTTP_PATH_MAX };

/* A browser's connection: its channel's number is its index. */
struct browser {
    bool used, busy; /* busy: a request is under way, or parked */
    bool last;       /* it closes after the answer */
    struct http_stream *in;
    size_t untaken;
};

/* A request to Meeting Server, and its connection. */
struct ask {
    io_id id; /* IO_NONE: free */
    uint32_t channel; /* who is to have the answer; NO_CHANNEL: it is a probe, or the browser has gone */
    bool probe, begins;
    unsigned ports_tried;
    struct http_stream *in;
    char *request;
    size_t len;
    char label[64];
    uint64_t due_ns;
};

/* A connection of Meeting Server's. */
struct push {
    io_id id; /* IO_NONE: free */
    struct http_stream *in;
};

struct web_proxy_bridge {
    struct io *io;
    unsigned owner;
    struct web_proxy_bridge_config cfg;
    struct tunnel *tunnel;
    io_id listener;
    uint16_t ports_used;
    uint64_t probe_at_ns;
    enum { BRIDGE_WANTED, BRIDGE_UP, BRIDGE_FAILED, BRIDGE_LOST } service;
    struct browser browser[TUNNEL_CHANNELS_MAX];
    struct ask ask[ASKS_MAX];
    struct push push[PUSHES_MAX];
    struct bridge_calls calls;
    char buf[BUF];
};

struct web_proxy_bridge *web_proxy_bridge_new(struct io *io, unsigned owner, const struct web_proxy_bridge_config *cfg)
{
    /* The first port is Meeting Server's to connect to: it is left out of those that we connect from. */
    struct tunnel_config tunnel = {.at = cfg->tunnel, .first_port = (uint16_t)(cfg->first_port + 1),
                                   .last_port = cfg->last_port, .forward = cfg->forward,
                                   .channels = TUNNEL_CHANNELS_MAX};
    struct web_proxy_bridge *b = cfg->first_port < cfg->last_port ? calloc(1, sizeof *b) : NULL;
    if (!b)
        return NULL;
    b->io = io;
    b->owner = owner;
    b->cfg = *cfg;
    b->probe_at_ns = TIME_NEVER;
    calls_init(&b->calls);
    b->tunnel = tunnel_new(io, owner, &tunnel);
    if (b->tunnel)
        return b;
    free(b);
    return NULL;
}

static void ask_free(struct ask *a)
{
    http_stream_free(a->in);
    free(a->request);
    *a = (struct ask){.id = IO_NONE};
}

void web_proxy_bridge_free(struct web_proxy_bridge *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < TUNNEL_CHANNELS_MAX; i++)
        http_stream_free(b->browser[i].in);
    for (size_t i = 0; i < ASKS_MAX; i++)
        ask_free(&b->ask[i]);
    for (size_t i = 0; i < PUSHES_MAX; i++)
        http_stream_free(b->push[i].in);
    calls_free(&b->calls);
    tunnel_free(b->tunnel);
    free(b);
}

/* ---- browsers ---- */

static void browser_forget(struct web_proxy_bridge *b, uint32_t channel)
{
    http_stream_free(b->browser[channel].in);
    b->browser[channel] = (struct browser){.used = false};
    calls_unpark(&b->calls, channel);
    for (size_t i = 0; i < ASKS_MAX; i++)
        if (b->ask[i].channel == channel)
            b->ask[i].channel = NO_CHANNEL;
}

static void browser_close(struct web_proxy_bridge *b, uint32_t channel)
{
    tunnel_close(b->tunnel, channel);
    browser_forget(b, channel);
}

/* An answer, after which the browser may ask the next. */
static void respond(struct web_proxy_bridge *b, uint32_t channel, unsigned code, const char *location,
                    const char *body, size_t len)
{
    if (channel == NO_CHANNEL || !b->browser[channel].used)
        return;
    struct text t = text_of(b->buf, sizeof b->buf);
    const char *type = len && body[0] == '<' ? "text/html" : "application/json";
    http_put_response(&t, code, location, len ? type : NULL, body, len);
    tunnel_send(b->tunnel, channel, t.buf, t.len);
    b->browser[channel].busy = false;
    if (b->browser[channel].last)
        browser_close(b, channel);
}

/* ---- Meeting Server ---- */

static void service_is(struct web_proxy_bridge *b, bool up, const char *why)
{
    char at[ENDPOINT_TEXT];
    endpoint_text(&b->cfg.meeting_server, at);
    b->probe_at_ns = io_now(b->io) + (up ? PROBE_NS : PROBE_AGAIN_NS);
    if (up && b->service != BRIDGE_UP) {
        b->service = BRIDGE_UP;
        io_note(b->io, NOTE_SERVICE, "web-bridge up Meeting Server %s", at);
    } else if (!up && b->service == BRIDGE_UP) {
        b->service = BRIDGE_LOST;
        io_note(b->io, NOTE_SERVICE, "web-bridge lost Meeting Server %s: %s", at, why);
    } else if (!up && b->service == BRIDGE_WANTED) {
        b->service = BRIDGE_FAILED;
        io_note(b->io, NOTE_SERVICE, "web-bridge failed Meeting Server %s: %s", at, why);
    }
}

static struct ask *ask_find(struct web_proxy_bridge *b, io_id id)
{
    for (size_t i = 0; i < ASKS_MAX; i++)
        if (b->ask[i].id == id)
            return &b->ask[i];
    return NULL;
}

static void ask_connect(struct web_proxy_bridge *b, struct ask *a)
{
    struct endpoint local = {.ip.family = b->cfg.meeting_server.ip.family};
    local.port = (uint16_t)(b->cfg.last_port - b->ports_used++ % (b->cfg.last_port - b->cfg.first_port));
    a->id = io_connect(b->io, b->owner, &local, &b->cfg.meeting_server);
}

/* NULL: no memory, or too many at once. */
static struct ask *ask_new(struct web_proxy_bridge *b, uint32_t channel, const struct http_message *m)
{
    char host[ENDPOINT_TEXT];
    struct ask *a = ask_find(b, IO_NONE);
    struct text t = text_of(b->buf, sizeof b->buf);
    http_put_request(&t, m->method, m->path, endpoint_text(&b->cfg.meeting_server, host),
                     m->body_len ? "application/json" : NULL, m->body, m->body_len);
    if (!a)
        return NULL;
    *a = (struct ask){.channel = channel, .len = t.len, .due_ns = io_now(b->io) + ANSWER_NS};
    a->in = http_stream_new(false);
    a->request = malloc(t.len);
    if (!a->in || !a->request) {
        ask_free(a);
        return NULL;
    }
    memcpy(a->request, t.buf, t.len);
    snprintf(a->label, sizeof a->label, "HTTP %s %.48s", m->method, m->path);
    ask_connect(b, a);
    return a;
}

static void probe(struct web_proxy_bridge *b)
{
    static const struct http_message get = {.request = true, .method = "GET", .path = "/", .body = ""};
    struct ask *a = ask_new(b, NO_CHANNEL, &get);
    b->probe_at_ns = a ? TIME_NEVER : io_now(b->io) + PROBE_AGAIN_NS;
    if (a)
        a->probe = true;
}

static void serve(struct web_proxy_bridge *b, uint32_t channel);

static void ask_failed(struct web_proxy_bridge *b, struct ask *a, unsigned code, const char *why)
{
    uint32_t channel = a->channel;
    bool was_probe = a->probe;
    ask_free(a);
    if (was_probe)
        service_is(b, false, why);
    if (channel == NO_CHANNEL)
        return;
    respond(b, channel, code, NULL, NULL, 0);
    serve(b, channel);
}

static void ask_answered(struct web_proxy_bridge *b, struct ask *a, const struct http_message *m)
{
    uint32_t channel = a->channel;
    if (a->probe)
        service_is(b, true, "");
    if (a->begins && m->code == 202 && calls_begin(&b->calls, m->body, m->body_len, io_now(b->io)))
        io_note(b->io, NOTE_HINT, "Meeting Server's answer to POST /api/calls names no call, or one too many");
    respond(b, channel, m->code, m->location, m->body, m->body_len);
    io_close(b->io, a->id);
    ask_free(a);
    if (channel != NO_CHANNEL)
        serve(b, channel);
}

static void ask_data(struct web_proxy_bridge *b, struct ask *a, const struct io_in *in)
{
    struct http_message m;
    int err = http_stream_push(a->in, in->data, in->len);
    if (http_stream_next(a->in, &m)) {
        ask_answered(b, a, &m);
    } else if (err) {
        io_abort(b->io, a->id);
        ask_failed(b, a, 502, "its answer is no HTTP");
    }
}

static void ask_event(struct web_proxy_bridge *b, struct ask *a, const struct io_in *in)
{
    switch (in->event) {
    case IO_OPENED:
        io_read(b->io, a->id, true);
        io_send(b->io, a->id, a->request, a->len, a->label);
        break;
    case IO_DATA:
        ask_data(b, a, in);
        break;
    case IO_EOF:
        io_close(b->io, a->id);
        ask_failed(b, a, 502, "it closed without an answer");
        break;
    case IO_FAILED:
        if (in->err == E_EXISTS && a->ports_tried++ < PORTS_TRIED_MAX) /* used before a restart, say: the next one */
            ask_connect(b, a);
        else
            ask_failed(b, a, 502, err_text(in->err));
        break;
    case IO_CLOSED:
        ask_failed(b, a, 502, err_text(in->err));
        break;
    default:
        break;
    }
}

/* ---- requests of browsers ---- */

/* 404: no such call; else it is answered with an event, now or later. */
static void wait_for_event(struct web_proxy_bridge *b, uint32_t channel, const char *path)
{
    struct bridge_call *c = call_of_path(&b->calls, path, io_now(b->io));
    if (!c) {
        respond(b, channel, 404, NULL, NULL, 0);
        return;
    }
    struct event_text e = call_take(c);
    if (e.p)
        respond(b, channel, 200, NULL, e.p, e.len);
    else
        c->parked = channel;
    free(e.p);
}

static void on_request(struct web_proxy_bridge *b, uint32_t channel, const struct http_message *m)
{
    struct browser *w = &b->browser[channel];
    w->busy = true;
    w->last |= m->close;
    if (strcmp(m->method, "GET") == 0 && is_events_path(m->path)) {
        wait_for_event(b, channel, m->path);
        return;
    }
    call_of_path(&b->calls, m->path, io_now(b->io)); /* somebody still asks about it */
    struct ask *a = ask_new(b, channel, m);
    if (!a) {
        respond(b, channel, 503, NULL, NULL, 0);
        return;
    }
    a->begins = strcmp(m->method, "POST") == 0 && strcmp(m->path, "/api/calls") == 0;
}

/* What the browser has asked, one after the other; its window opens again when all is answered. */
static void serve(struct web_proxy_bridge *b, uint32_t channel)
{
    struct browser *w = &b->browser[channel];
    struct http_message m;
    while (w->used && !w->busy && http_stream_next(w->in, &m))
        on_request(b, channel, &m);
    if (w->used && !w->busy && w->untaken) {
        tunnel_taken(b->tunnel, channel, w->untaken);
        w->untaken = 0;
    }
}

static void on_opened(struct web_proxy_bridge *b, uint32_t channel)
{
    b->browser[channel] = (struct browser){.used = true, .in = http_stream_new(true)};
    if (!b->browser[channel].in)
        browser_close(b, channel);
}

static void on_browser_data(struct web_proxy_bridge *b, const struct tunnel_event *ev)
{
    struct browser *w = &b->browser[ev->channel];
    int err = http_stream_push(w->in, ev->data, ev->len);
    w->untaken += ev->len;
    serve(b, ev->channel);
    if (err && w->used && !w->busy) {
        w->last = true;
        respond(b, ev->channel, 400, NULL, NULL, 0);
    }
}

static void on_browser_eof(struct web_proxy_bridge *b, uint32_t channel)
{
    bool asking = false;
    for (size_t i = 0; i < ASKS_MAX; i++)
        asking |= b->ask[i].id != IO_NONE && b->ask[i].channel == channel;
    b->browser[channel].last = true;
    if (!asking)
        browser_close(b, channel);
}

static void on_tunnel(struct web_proxy_bridge *b, const struct tunnel_event *ev)
{
    if (ev->kind == TUNNEL_DOWN)
        for (uint32_t i = 0; i < TUNNEL_CHANNELS_MAX; i++)
            if (b->browser[i].used)
                browser_forget(b, i);
    if (ev->kind == TUNNEL_OPENED)
        on_opened(b, ev->channel);
    if (ev->kind == TUNNEL_UP || ev->kind == TUNNEL_DOWN || !b->browser[ev->channel].used)
        return;
    if (ev->kind == TUNNEL_DATA)
        on_browser_data(b, ev);
    else if (ev->kind == TUNNEL_EOF)
        on_browser_eof(b, ev->channel);
    else if (ev->kind == TUNNEL_CLOSED)
        browser_forget(b, ev->channel);
}

/* ---- events of Meeting Server ---- */

static struct push *push_find(struct web_proxy_bridge *b, io_id id)
{
    for (size_t i = 0; i < PUSHES_MAX; i++)
        if (b->push[i].id == id)
            return &b->push[i];
    return NULL;
}

static void push_forget(struct push *p)
{
    http_stream_free(p->in);
    *p = (struct push){.id = IO_NONE};
}

static void on_push_accepted(struct web_proxy_bridge *b, io_id id)
{
    struct push *p = push_find(b, IO_NONE);
    struct http_stream *in = p ? http_stream_new(true) : NULL;
    if (!in) {
        io_abort(b->io, id);
        return;
    }
    *p = (struct push){id, in};
    io_read(b->io, id, true);
}

static unsigned take_event(struct web_proxy_bridge *b, const struct http_message *m)
{
    struct bridge_call *c;
    if (strcmp(m->method, "POST") != 0 || strcmp(m->path, "/events") != 0)
        return 404;
    int err = calls_event(&b->calls, m->body, m->body_len, &c);
    if (err)
        return err == E_NOT_FOUND ? 404 : err == E_NOMEM ? 503 : 400;
    uint32_t channel = c->parked;
    if (channel == NO_CHANNEL)
        return 204;
    c->parked = NO_CHANNEL;
    struct event_text e = call_take(c);
    respond(b, channel, 200, NULL, e.p, e.len);
    free(e.p);
    serve(b, channel);
    return 204;
}

static void on_push_data(struct web_proxy_bridge *b, struct push *p, const struct io_in *in)
{
    struct http_message m;
    char label[16];
    int err = http_stream_push(p->in, in->data, in->len);
    bool last = err != 0;
    while (http_stream_next(p->in, &m)) {
        unsigned code = take_event(b, &m);
        struct text t = text_of(b->buf, sizeof b->buf);
        http_put_response(&t, code, NULL, NULL, NULL, 0);
        snprintf(label, sizeof label, "HTTP %u", code);
        io_send(b->io, p->id, t.buf, t.len, label);
        last |= m.close;
    }
    if (last) {
        io_close(b->io, p->id);
        push_forget(p);
    }
}

static void push_event(struct web_proxy_bridge *b, struct push *p, const struct io_in *in)
{
    if (in->event == IO_DATA) {
        on_push_data(b, p, in);
    } else if (in->event == IO_EOF || in->event == IO_CLOSED) {
        if (in->event == IO_EOF)
            io_close(b->io, p->id);
        push_forget(p);
    }
}

/* ---- input ---- */

static void on_start(struct web_proxy_bridge *b)
{
    io_note(b->io, NOTE_SERVICE, "web-bridge wanted");
    b->listener = io_listen(b->io, b->owner, &b->cfg.events);
    probe(b);
}

static void on_tick(struct web_proxy_bridge *b)
{
    uint64_t now = io_now(b->io);
    if (now >= b->probe_at_ns) {
        calls_sweep(&b->calls, now);
        probe(b);
    }
    for (size_t i = 0; i < ASKS_MAX; i++) {
        struct ask *a = &b->ask[i];
        if (a->id == IO_NONE || now < a->due_ns)
            continue;
        io_abort(b->io, a->id);
        ask_failed(b, a, 504, err_text(E_TIMED_OUT));
    }
}

void web_proxy_bridge_input(struct web_proxy_bridge *b, const struct io_in *in)
{
    struct ask *a = in->id == IO_NONE ? NULL : ask_find(b, in->id);
    struct push *p = in->id == IO_NONE ? NULL : push_find(b, in->id);
    struct tunnel_event ev;
    if (in->event == IO_START)
        on_start(b);
    else if (in->event == IO_TICK)
        on_tick(b);
    if (in->event == IO_ACCEPTED && in->other == b->listener)
        on_push_accepted(b, in->id);
    else if (in->event == IO_FAILED && in->id == b->listener)
        io_fail(b->io, &b->cfg.events, "the web bridge cannot listen for Meeting Server: %s", err_text(in->err));
    else if (a)
        ask_event(b, a, in);
    else if (p)
        push_event(b, p, in);
    else
        tunnel_input(b->tunnel, in);
    while (tunnel_poll(b->tunnel, &ev))
        on_tunnel(b, &ev);
}

uint64_t web_proxy_bridge_deadline(const struct web_proxy_bridge *b)
{
    uint64_t at = time_min(b->probe_at_ns, tunnel_deadline(b->tunnel));
    for (size_t i = 0; i < ASKS_MAX; i++)
        if (b->ask[i].id != IO_NONE)
            at = time_min(at, b->ask[i].due_ns);
    return at;
}
