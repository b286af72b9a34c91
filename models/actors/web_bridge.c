/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/web_bridge.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "models/actors/web_bridge_answer.h"
#include "models/base/err.h"
#include "models/base/time.h"

/* As many connections are kept; of more, the one that has been quiet for longest makes room. One that is quiet for so
 * long is closed: between two keep-alives of one call lie 30 s. */
enum { CONNECTIONS_MAX = 64, EVENTS_MAX = 256, TRIES_MAX = 5 };
#define QUIET_NS (120 * NS_S)
/* A connection for events that is lost is tried again after so long; one that is neither made nor refused, or an event
 * that is not answered, is given up after that long. */
#define RETRY_NS (2 * NS_S)
#define PATIENCE_NS (10 * NS_S)
#define AGAIN_NS (200 * NS_MS)

struct connection {
    io_id id; /* IO_NONE: free */
    struct http_stream *in;
    uint64_t heard_ns;
};

/* What has not been told yet. */
struct told {
    unsigned id, tries;
    bool answer;
    char *body;
};

struct web_bridge {
    struct io *io;
    unsigned owner;
    struct web_bridge_config cfg;
    struct conference *conference;
    struct connection connection[CONNECTIONS_MAX];
    io_id listener, events; /* events: the connection for them */
    struct http_stream *in;
    bool open, sent, was_up; /* the connection stands; the first of the queue is on its way */
    bool noted;              /* that it failed */
    uint64_t at_ns;          /* of the next try, or of giving up; TIME_NEVER: neither */
    struct told *queue;      /* a ring */
    size_t first, count;
};

struct web_bridge *web_bridge_new(struct io *io, unsigned owner, const struct web_bridge_config *cfg,
                                  struct conference *conference)
{
    struct web_bridge *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->io = io;
    w->owner = owner;
    w->cfg = *cfg;
    w->conference = conference;
    w->at_ns = TIME_NEVER;
    w->cfg.events_max = cfg->events_max ? cfg->events_max : EVENTS_MAX;
    w->queue = calloc(w->cfg.events_max, sizeof *w->queue);
    if (w->queue)
        return w;
    free(w);
    return NULL;
}

static struct told *queued(struct web_bridge *w, size_t i)
{
    return &w->queue[(w->first + i) % w->cfg.events_max];
}

static void forget_first(struct web_bridge *w)
{
    free(queued(w, 0)->body);
    w->first = (w->first + 1) % w->cfg.events_max;
    w->count--;
}

void web_bridge_free(struct web_bridge *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        http_stream_free(w->connection[i].in);
    while (w->count)
        forget_first(w);
    http_stream_free(w->in);
    free(w->queue);
    free(w);
}

/* ---- requests ---- */

static struct connection *find(struct web_bridge *w, io_id id)
{
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        if (w->connection[i].id == id)
            return &w->connection[i];
    return NULL;
}

static void let_go(struct connection *k)
{
    http_stream_free(k->in);
    *k = (struct connection){.id = IO_NONE};
}

static struct connection *quietest(struct web_bridge *w)
{
    struct connection *q = w->connection;
    for (struct connection *k = q; k < w->connection + CONNECTIONS_MAX; k++)
        if (k->heard_ns < q->heard_ns)
            q = k;
    return q;
}

static void on_accepted(struct web_bridge *w, io_id id)
{
    struct connection *k = find(w, IO_NONE);
    if (!k) {
        k = quietest(w);
        io_abort(w->io, k->id);
        let_go(k);
    }
    *k = (struct connection){.id = id, .in = http_stream_new(true), .heard_ns = io_now(w->io)};
    if (k->in) {
        io_read(w->io, id, true);
    } else {
        io_abort(w->io, id);
        let_go(k);
    }
}

static void on_requests(struct web_bridge *w, struct connection *k, const struct io_in *in)
{
    char buf[WEB_ANSWER_MAX], label[64];
    struct http_message m;
    int err = http_stream_push(k->in, in->data, in->len);
    bool close = err;
    k->heard_ns = io_now(w->io);
    while (http_stream_next(k->in, &m)) {
        struct text t = text_of(buf, sizeof buf), l = text_of(label, sizeof label);
        web_answer(w->conference, &m, &t);
        assert(!t.cut);
        text_add(&l, "%.3s (%s %s)", buf + strlen("HTTP/1.1 "), m.method, m.path);
        io_send(w->io, k->id, t.buf, t.len, label);
        close |= m.close;
    }
    if (err) {
        struct text t = text_of(buf, sizeof buf);
        http_put_response(&t, err == E_RANGE ? 413 : 400, NULL, NULL, NULL, 0);
        io_send(w->io, k->id, t.buf, t.len, err == E_RANGE ? "413" : "400");
    }
    if (close) {
        io_close(w->io, k->id);
        let_go(k);
    }
}

/* ---- events ---- */

static void note(struct web_bridge *w, const char *state, const char *why)
{
    char at[ENDPOINT_TEXT], label[160];
    struct text t = text_of(label, sizeof label);
    text_add(&t, "web-bridge %s %s%s%s", state, endpoint_text(&w->cfg.events, at), why[0] ? ": " : "", why);
    /* not io_note: whom it could not reach is for the report to find the packet by */
    io_put(w->io, &(struct io_out){.op = IO_OP_NOTE, .note = NOTE_SERVICE, .label = label, .remote = w->cfg.events});
}

static void connect_events(struct web_bridge *w)
{
    w->events = io_connect(w->io, w->owner, NULL, &w->cfg.events);
    w->at_ns = io_now(w->io) + PATIENCE_NS;
}

/* What had been sent is sent again: that it was answered is not known. */
static void drop_events(struct web_bridge *w, const char *why)
{
    if (w->was_up || !w->noted)
        note(w, w->was_up ? "lost" : "failed", why);
    w->noted = true;
    w->was_up = w->open = w->sent = false;
    http_stream_free(w->in);
    w->in = NULL;
    w->events = IO_NONE;
    w->at_ns = io_now(w->io) + RETRY_NS;
}

static void send_next(struct web_bridge *w)
{
    char host[ENDPOINT_TEXT];
    if (!w->open || w->sent || !w->count || w->at_ns != TIME_NEVER)
        return;
    struct told *e = queued(w, 0);
    e->tries++;
    size_t cap = strlen(e->body) + HTTP_HEAD_MAX;
    char *buf = malloc(cap);
    assert(buf);
    struct text t = text_of(buf, cap);
    http_put_request(&t, "POST", "/events", endpoint_text(&w->cfg.events, host), "application/json", e->body,
                     strlen(e->body));
    io_send(w->io, w->events, t.buf, t.len, e->answer ? "POST /events (answer)" : "POST /events (ended)");
    free(buf);
    w->sent = true;
    w->at_ns = io_now(w->io) + PATIENCE_NS;
}

static void on_events_open(struct web_bridge *w)
{
    w->in = http_stream_new(false);
    assert(w->in);
    w->open = w->was_up = true;
    w->noted = false;
    w->at_ns = TIME_NEVER;
    io_read(w->io, w->events, true);
    note(w, "up", "");
}

/* 5xx: not now. 404 for an answer: the 202 that says which call it is for may still be on its way over another
 * connection. Any other answer is one, if only that nobody is there to be told any more. */
static void on_answer(struct web_bridge *w, unsigned code)
{
    const struct told *e = queued(w, 0);
    w->at_ns = TIME_NEVER;
    w->sent = false;
    if (code >= 500) {
        io_abort(w->io, w->events);
        drop_events(w, "an event was answered with an error");
        return;
    }
    if (code == 404 && e->answer && e->tries < TRIES_MAX) {
        w->at_ns = io_now(w->io) + AGAIN_NS;
        return;
    }
    if (e->answer && code < 300)
        conference_told(w->conference, e->id);
    forget_first(w);
}

static void on_answers(struct web_bridge *w, const struct io_in *in)
{
    struct http_message m;
    bool close = http_stream_push(w->in, in->data, in->len) != 0;
    while (w->open && http_stream_next(w->in, &m)) {
        close |= m.close || !w->sent; /* an answer to nothing */
        if (w->sent)
            on_answer(w, m.code);
    }
    if (close && w->open) {
        io_close(w->io, w->events);
        drop_events(w, "closed");
    }
}

void web_bridge_tell(struct web_bridge *w, const struct conference_event *ev)
{
    bool answer = strcmp(ev->event, "answer") == 0;
    char id[16];
    struct text t = text_of(id, sizeof id);
    text_add(&t, "%u", ev->id);
    if (!w->cfg.events.port)
        return;
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "call", id);
    cJSON_AddStringToObject(o, "event", ev->event);
    cJSON_AddStringToObject(o, answer ? "sdp" : "reason", ev->text);
    char *body = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    assert(body);
    if (w->count == w->cfg.events_max) {
        io_note(w->io, NOTE_HINT, "web bridge: an event for call %u was forgotten: %zu others wait", queued(w, 0)->id,
                w->count - 1);
        forget_first(w);
        w->sent = false; /* its answer, should it come, is one to nothing */
    }
    *queued(w, w->count) = (struct told){.id = ev->id, .answer = answer, .body = body};
    w->count++;
    send_next(w);
}

/* ---- as a part of the whole ---- */

static void on_events(struct web_bridge *w, const struct io_in *in)
{
    switch (in->event) {
    case IO_OPENED:
        on_events_open(w);
        break;
    case IO_DATA:
        on_answers(w, in);
        break;
    case IO_EOF:
        io_close(w->io, w->events);
        drop_events(w, "closed by the other side");
        break;
    case IO_FAILED:
    case IO_CLOSED:
        drop_events(w, err_text(in->err));
        break;
    default:
        break;
    }
}

static void on_connection(struct web_bridge *w, struct connection *k, const struct io_in *in)
{
    if (in->event == IO_DATA) {
        on_requests(w, k, in);
    } else if (in->event == IO_EOF || in->event == IO_CLOSED) {
        if (in->event == IO_EOF)
            io_close(w->io, k->id);
        let_go(k);
    }
}

static void on_tick(struct web_bridge *w)
{
    uint64_t now = io_now(w->io);
    for (struct connection *k = w->connection; k < w->connection + CONNECTIONS_MAX; k++) {
        if (k->id != IO_NONE && now >= k->heard_ns + QUIET_NS) {
            io_close(w->io, k->id);
            let_go(k);
        }
    }
    if (now < w->at_ns)
        return;
    if (w->events == IO_NONE) {
        connect_events(w);
    } else if (w->open && !w->sent) {
        w->at_ns = TIME_NEVER; /* the first of the queue once more */
    } else {
        io_abort(w->io, w->events);
        drop_events(w, w->open ? "an event was not answered" : err_text(E_TIMED_OUT));
    }
}

void web_bridge_input(struct web_bridge *w, const struct io_in *in)
{
    struct connection *k = in->id == IO_NONE ? NULL : find(w, in->id);
    if (in->event == IO_START && w->cfg.listen.port)
        w->listener = io_listen(w->io, w->owner, &w->cfg.listen);
    if (in->event == IO_START && w->cfg.events.port) {
        note(w, "wanted", "");
        connect_events(w);
    }
    if (in->event == IO_TICK)
        on_tick(w);
    else if (in->event == IO_ACCEPTED)
        on_accepted(w, in->id);
    else if (in->event == IO_FAILED && in->id == w->listener)
        io_fail(w->io, &w->cfg.listen, "cannot listen for HTTPS: %s", err_text(in->err));
    else if (k)
        on_connection(w, k, in);
    else if (in->id != IO_NONE && in->id == w->events)
        on_events(w, in);
    send_next(w);
}

uint64_t web_bridge_deadline(const struct web_bridge *w)
{
    uint64_t t = w->at_ns;
    for (const struct connection *k = w->connection; k < w->connection + CONNECTIONS_MAX; k++)
        if (k->id != IO_NONE)
            t = time_min(t, k->heard_ns + QUIET_NS);
    return t;
}
