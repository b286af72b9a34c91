/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/web_client.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/actors/web_client_line.h"
#include "models/base/err.h"
#include "models/base/time.h"

enum { OWNER_WEB = 1, OWNER_MEDIA = 2 };
#define KEEP_ALIVE_NS (30 * NS_S)

enum state {
    WEB_IDLE,      /* until its time comes */
    WEB_PAGE,      /* GET / */
    WEB_GATHERING, /* our description is being made */
    WEB_JOINING,   /* POST */
    WEB_WAITING,   /* for the answer: GET .../events */
    WEB_IN_CALL,   /* answered */
    WEB_LEAVING,   /* DELETE, as soon as what is outstanding is answered */
    WEB_OVER,
};

struct web_call {
    struct web_client *client;
    const struct call_plan *plan;
    enum state state;
    struct web_line line, events;
    struct session *session; /* NULL: none yet, or over */
    char path[96]; /* "/api/calls/ID"; empty: not joined */
    uint64_t begun_ns, answer_by_ns, keep_alive_ns;
    uint64_t due_ns; /* its deadline: of many calls few have to do with an event */
    bool media_up, muted, held, leaving_said;
};

struct web_client {
    struct io *io;
    struct web_client_config cfg;
    struct web_call *call;
};

/* ---- the end ---- */

static void part(struct web_call *c)
{
    web_line_close(&c->line);
    web_line_close(&c->events);
    if (c->session)
        session_close(c->session);
    c->state = WEB_OVER;
    c->answer_by_ns = c->keep_alive_ns = TIME_NEVER;
}

static void fail(struct web_call *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Without signalling there is no call: what never came up has failed for the same reason. */
static void fail(struct web_call *c, const char *fmt, ...)
{
    char why[192], what[224];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    bool was_up = c->state == WEB_IN_CALL || c->state == WEB_LEAVING;
    part(c);
    snprintf(what, sizeof what, "%s CMA web client signalling: %s", was_up ? "lost" : "failed", why);
    call_note_signalling(c->client->io, c->plan->name, what);
    if (!c->media_up)
        call_note_media(c->client->io, c->plan->name, c->plan->media, "failed there is no call");
}

static void leave(struct web_call *c)
{
    c->state = WEB_LEAVING;
    c->answer_by_ns = c->keep_alive_ns = TIME_NEVER;
    if (c->session)
        session_close(c->session);
}

/* ---- questions ---- */

static void ask(struct web_call *c, const char *method, const char *path, const char *json)
{
    const struct web_client_config *cfg = &c->client->cfg;
    web_line_ask(&c->line, &(struct web_request){.server = cfg->https, .method = method, .path = path,
                                                 .host = cfg->host, .json = json, .patience_ns = cfg->patience_ns});
}

static void ask_for_events(struct web_call *c)
{
    char path[HTTP_PATH_MAX];
    const struct web_client_config *cfg = &c->client->cfg;
    snprintf(path, sizeof path, "%s/events", c->path);
    web_line_ask(&c->events, &(struct web_request){.server = cfg->https, .method = "GET", .path = path,
                                                   .host = cfg->host, .patience_ns = TIME_NEVER});
}

static void ask_for_page(struct web_call *c, const struct endpoint *server)
{
    const struct web_client_config *cfg = &c->client->cfg;
    c->state = WEB_PAGE;
    web_line_ask(&c->line, &(struct web_request){.server = *server, .method = "GET", .path = "/", .host = cfg->host,
                                                 .patience_ns = cfg->patience_ns});
}

static void join(struct web_call *c, const char *sdp)
{
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "name", c->plan->name);
    cJSON_AddStringToObject(body, "sdp", sdp);
    char *json = cJSON_PrintUnformatted(body);
    assert(json); /* memory for all of it */
    c->state = WEB_JOINING;
    ask(c, "POST", "/api/calls", json);
    cJSON_free(json);
    cJSON_Delete(body);
}

static void gather(struct web_call *c)
{
    struct session_config cfg = c->client->cfg.media;
    cfg.name = c->plan->name;
    cfg.controlling = true;
    cfg.media = c->plan->media;
    c->state = WEB_GATHERING;
    c->session = session_new(c->client->io, OWNER_MEDIA, &cfg);
    assert(c->session);
    session_offer(c->session);
}

static void begin(struct web_call *c)
{
    const struct web_client_config *cfg = &c->client->cfg;
    c->begun_ns = io_now(c->client->io);
    call_note_signalling(c->client->io, c->plan->name, "wanted");
    call_note_media(c->client->io, c->plan->name, c->plan->media, "wanted");
    if (cfg->app)
        gather(c);
    else
        ask_for_page(c, cfg->http.port ? &cfg->http : &cfg->https);
}

/* ---- answers ---- */

/* The page itself, or where it is: the same host by https is known here, any other is not. */
static void page_answered(struct web_call *c, const struct http_message *m)
{
    const struct web_client_config *cfg = &c->client->cfg;
    char there[HTTP_PATH_MAX];
    snprintf(there, sizeof there, "https://%s/", cfg->host);
    bool by_http = cfg->http.port && endpoint_equal(&c->line.server, &cfg->http);
    if (m->code == 200 && !by_http)
        gather(c);
    else if (m->code == 301 && by_http && strcmp(m->location, there) == 0)
        ask_for_page(c, &cfg->https);
    else
        fail(c, "GET / was answered with HTTP status %u%s%s", m->code, *m->location ? " to " : "", m->location);
}

/* A text member of a JSON object; NULL: there is none. */
static const char *member(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

/* The path of a call, from its name: a number, or a word that a path may have as it is. */
static bool read_id(const cJSON *id, char *path, size_t cap)
{
    static const char word[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
    const char *text = cJSON_GetStringValue(id);
    if (cJSON_IsNumber(id) && id->valueint >= 0)
        snprintf(path, cap, "/api/calls/%d", id->valueint);
    else if (text && *text && strlen(text) < 64 && !text[strspn(text, word)])
        snprintf(path, cap, "/api/calls/%s", text);
    else
        return false;
    return true;
}

static void joined(struct web_call *c, const struct http_message *m)
{
    cJSON *body = m->code == 202 ? cJSON_ParseWithLength(m->body, m->body_len) : NULL;
    bool right = read_id(cJSON_GetObjectItemCaseSensitive(body, "call"), c->path, sizeof c->path);
    cJSON_Delete(body);
    if (!right) {
        fail(c, "POST /api/calls was answered with HTTP status %u", m->code);
        return;
    }
    if (c->state == WEB_LEAVING)
        return; /* DELETE follows */
    c->state = WEB_WAITING;
    c->answer_by_ns = io_now(c->client->io) + c->client->cfg.answer_ns;
    c->keep_alive_ns = io_now(c->client->io) + KEEP_ALIVE_NS;
    ask_for_events(c);
}

static void answered(struct web_call *c, const char *text)
{
    struct sdp sdp;
    char what[ENDPOINT_TEXT + 24], at[ENDPOINT_TEXT];
    if (!text || sdp_parse(text, strlen(text), &sdp) || session_answered(c->session, &sdp)) {
        fail(c, "the answer to the offer has no media that we can take");
        return;
    }
    c->state = WEB_IN_CALL;
    c->answer_by_ns = TIME_NEVER;
    snprintf(what, sizeof what, "up HTTP to %s over TCP", endpoint_text(&c->client->cfg.https, at));
    call_note_signalling(c->client->io, c->plan->name, what);
    ask_for_events(c);
}

static void ended(struct web_call *c, const char *reason)
{
    if (c->state != WEB_IN_CALL) {
        fail(c, "Meeting Server ended the call: %s", reason ? reason : "no reason");
        return;
    }
    part(c);
    call_note_signalling(c->client->io, c->plan->name, "done ended by Meeting Server");
}

static void take_event(struct web_call *c, const struct http_message *m)
{
    cJSON *body = m->code == 200 ? cJSON_ParseWithLength(m->body, m->body_len) : NULL;
    const char *event = body ? member(body, "event") : NULL;
    if (c->state == WEB_LEAVING)
        ;
    else if (event && strcmp(event, "answer") == 0 && c->state == WEB_WAITING)
        answered(c, member(body, "sdp"));
    else if (event && strcmp(event, "ended") == 0)
        ended(c, member(body, "reason"));
    else
        fail(c, "events were answered with HTTP status %u%s%s", m->code, event ? " and event " : "",
             event ? event : "");
    cJSON_Delete(body);
}

static void take_answer(struct web_call *c, const struct http_message *m)
{
    if (c->state == WEB_PAGE) {
        page_answered(c, m);
    } else if (!*c->path) {
        joined(c, m);
    } else if (c->leaving_said) {
        part(c);
        call_note_signalling(c->client->io, c->plan->name, "done");
    } else if (m->code / 100 != 2 && c->state != WEB_LEAVING) {
        fail(c, "the keep-alive was answered with HTTP status %u", m->code);
    }
}

static void broken(struct web_call *c, const struct endpoint *server, int err)
{
    char at[ENDPOINT_TEXT];
    fail(c, "TCP %s: %s", endpoint_text(server, at), err_text(err));
}

/* ---- media ---- */

static void take_session(struct web_call *c)
{
    struct session_event ev;
    while (c->session && session_poll(c->session, &ev)) {
        if (ev.kind == SESSION_DESCRIBED && c->state == WEB_GATHERING)
            join(c, ev.text);
        else if (ev.kind == SESSION_UP)
            c->media_up = true;
        else if (ev.kind == SESSION_FAILED && !*c->path)
            fail(c, "no media can be offered: %s", ev.text);
        else if (ev.kind != SESSION_DESCRIBED && c->state < WEB_LEAVING)
            leave(c); /* the page closes a call without media */
    }
}

/* What the plan says of this moment. */
static void follow_plan(struct web_call *c)
{
    uint64_t since = io_now(c->client->io) - c->begun_ns;
    bool muted = call_in_span(c->plan->mute, c->plan->mute_count, since);
    bool held = call_in_span(c->plan->hold, c->plan->hold_count, since);
    if (since >= c->plan->for_ns && c->state == WEB_IN_CALL)
        leave(c);
    else if (since >= c->plan->for_ns)
        fail(c, "it came to nothing before the call was to end");
    if (!c->session || c->state != WEB_IN_CALL)
        return;
    if (muted != c->muted)
        session_mute(c->session, c->muted = muted);
    if (held != c->held)
        session_hold(c->session, c->held = held);
}

/* ---- the core ---- */

static void timers(struct web_call *c)
{
    uint64_t now = io_now(c->client->io);
    if (c->state == WEB_IDLE && now >= c->plan->at_ns)
        begin(c);
    if (c->state > WEB_IDLE && c->state < WEB_LEAVING)
        follow_plan(c);
    if (now >= c->answer_by_ns)
        fail(c, "Meeting Server did not answer within %u s", (unsigned)(c->client->cfg.answer_ns / NS_S));
    if (now >= c->keep_alive_ns && !c->line.asked) {
        c->keep_alive_ns = now + KEEP_ALIVE_NS;
        ask(c, "PUT", c->path, NULL);
    }
    if (c->state == WEB_LEAVING && !c->leaving_said && !c->line.asked) {
        c->leaving_said = true;
        ask(c, "DELETE", c->path, NULL);
    }
}

static void lines_input(struct web_call *c, const struct io_in *in)
{
    struct http_message m;
    int err;
    struct endpoint asked = c->line.server;
    switch (web_line_input(&c->line, in, &m, &err)) {
    case WEB_LINE_NOTHING:
        break;
    case WEB_LINE_ANSWER:
        take_answer(c, &m);
        break;
    case WEB_LINE_BROKEN:
        broken(c, &asked, err);
        break;
    }
    switch (web_line_input(&c->events, in, &m, &err)) {
    case WEB_LINE_NOTHING:
        break;
    case WEB_LINE_ANSWER:
        take_event(c, &m);
        break;
    case WEB_LINE_BROKEN:
        if (c->state != WEB_LEAVING)
            broken(c, &c->client->cfg.https, err);
        break;
    }
}

static uint64_t call_deadline(const struct web_call *c)
{
    uint64_t t = time_min(web_line_deadline(&c->line), web_line_deadline(&c->events));
    t = time_min(t, c->session ? session_deadline(c->session) : TIME_NEVER);
    t = time_min(t, c->answer_by_ns);
    if (!c->line.asked)
        t = time_min(t, c->keep_alive_ns);
    if (c->state == WEB_IDLE)
        return time_min(t, c->plan->at_ns);
    if (c->state >= WEB_LEAVING)
        return t;
    uint64_t next = call_next(c->plan, io_now(c->client->io) - c->begun_ns);
    return next == TIME_NEVER ? t : time_min(t, c->begun_ns + next);
}

/* Whether the event, or this moment, is one of this call. */
static bool call_takes(struct web_call *c, const struct io_in *in)
{
    if (in->id == IO_NONE && io_now(c->client->io) < c->due_ns)
        return false;
    if (c->session && (in->id == IO_NONE || io_owner(in->id) == OWNER_MEDIA) && session_input(c->session, in))
        return true;
    return in->id == IO_NONE || in->id == c->line.id || in->id == c->events.id;
}

static void input(void *self, const struct io_in *in)
{
    struct web_client *w = self;
    bool taken = false;
    for (size_t i = 0; i < w->cfg.call_count && !taken; i++) {
        struct web_call *c = &w->call[i];
        if (!call_takes(c, in))
            continue;
        lines_input(c, in);
        take_session(c);
        timers(c);
        take_session(c);
        c->due_ns = call_deadline(c);
        taken = in->id != IO_NONE;
    }
}

static uint64_t deadline(const void *self)
{
    const struct web_client *w = self;
    uint64_t t = TIME_NEVER;
    for (size_t i = 0; i < w->cfg.call_count; i++)
        t = time_min(t, w->call[i].due_ns);
    return t;
}

static void destroy(void *self)
{
    struct web_client *w = self;
    for (size_t i = 0; w->call && i < w->cfg.call_count; i++) {
        web_line_free(&w->call[i].line);
        web_line_free(&w->call[i].events);
        if (w->call[i].session)
            session_free(w->call[i].session);
    }
    free(w->call);
    free(w);
}

int web_client_make(struct io *io, const struct web_client_config *cfg, struct core *out)
{
    static const struct core_ops ops = {input, deadline, destroy};
    struct web_client *w = calloc(1, sizeof *w);
    if (!w)
        return E_NOMEM;
    w->io = io;
    w->cfg = *cfg;
    w->call = calloc(cfg->call_count + 1, sizeof *w->call);
    *out = (struct core){&ops, w, io};
    if (!w->call) {
        destroy(w);
        return E_NOMEM;
    }
    for (size_t i = 0; i < cfg->call_count; i++) {
        struct web_call *c = &w->call[i];
        *c = (struct web_call){.client = w, .plan = &cfg->call[i], .answer_by_ns = TIME_NEVER,
                               .keep_alive_ns = TIME_NEVER};
        web_line_init(&c->line, io, OWNER_WEB);
        web_line_init(&c->events, io, OWNER_WEB);
    }
    return 0;
}
