/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Web clients against a double of what stands behind Expressway-E's port 443: a web server that knows the calls' API,
 * and has media of its own. */
#include "models/actors/web_client.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/actors/http.h"
#include "models/base/err.h"
#include "models/testkit/pipe.h"
#include "models/testkit/testkit.h"

#define SERVER_IP "198.51.100.20"
#define HTTPS SERVER_IP ":443"
#define HTTP SERVER_IP ":80"
#define CLIENT_IP "192.0.2.10"

enum { OWNER_WEB = 1, OWNER_MEDIA = 2, CONNS = 64, CALLS = 24 };

/* ---- the double ---- */

struct conn {
    io_id id;
    bool plain; /* port 80 */
    struct http_stream *in;
};

struct served {
    struct session *session;
    char name[32];
    io_id events; /* where its events are waited for */
    bool described, told;
    char sdp[4096];
    unsigned keep_alives;
    bool deleted;
};

struct bridge {
    struct io *io;
    struct core core;
    io_id plain;
    struct conn conn[CONNS];
    struct served call[CALLS];
    size_t calls;
    unsigned page_code, post_code, put_code;
    const char *location;
    bool silent;      /* takes calls and never answers them */
    const char *ends; /* the event that follows the answer */
};

static const struct media_config rate = {.packets_per_s = 10, .payload_bytes = 40, .payload_type = 8, .clock = 8000};

static void reply(struct bridge *b, io_id id, unsigned code, const char *location, const char *json)
{
    char buf[8192];
    struct text t = text_of(buf, sizeof buf);
    http_put_response(&t, code, location, json ? "application/json" : NULL, json ? json : "", json ? strlen(json) : 0);
    assert_false(t.cut);
    io_send(b->io, id, t.buf, t.len, NULL);
}

static void tell(struct bridge *b, struct served *c)
{
    if (c->events == IO_NONE || !c->described || b->silent || (c->told && !b->ends))
        return;
    cJSON *event = cJSON_CreateObject();
    cJSON_AddStringToObject(event, "event", c->told ? b->ends : "answer");
    cJSON_AddStringToObject(event, c->told ? "reason" : "sdp", c->told ? "everybody has left" : c->sdp);
    char *json = cJSON_PrintUnformatted(event);
    reply(b, c->events, 200, NULL, json);
    cJSON_free(json);
    cJSON_Delete(event);
    c->events = IO_NONE;
    c->told = true;
}

static void serve_post(struct bridge *b, io_id id, const struct http_message *m)
{
    struct served *c = &b->call[b->calls++];
    struct sdp sdp;
    char json[64];
    cJSON *body = cJSON_ParseWithLength(m->body, m->body_len);
    const char *offer = cJSON_GetStringValue(cJSON_GetObjectItem(body, "sdp"));
    snprintf(c->name, sizeof c->name, "%s", cJSON_GetStringValue(cJSON_GetObjectItem(body, "name")));
    assert_int_equal(sdp_parse(offer, strlen(offer), &sdp), 0);
    const struct session_config cfg = {.name = c->name, .dialect = SESSION_ICE, .media = CALL_AUDIO | CALL_VIDEO,
                                       .address = kit_ip(SERVER_IP), .first_port = 50000, .last_port = 51000,
                                       .host_candidates = true, .audio = rate, .video = rate};
    c->session = session_new(b->io, OWNER_MEDIA, &cfg);
    assert_int_equal(session_answer(c->session, &sdp), 0);
    cJSON_Delete(body);
    snprintf(json, sizeof json, "{\"call\":%zu}", b->calls);
    reply(b, id, b->post_code, NULL, b->post_code == 202 ? json : NULL);
}

static void serve(struct bridge *b, const struct conn *from, const struct http_message *m)
{
    unsigned call = 0;
    int end = 0;
    if (strcmp(m->path, "/") == 0) {
        assert_string_equal(m->method, "GET");
        reply(b, from->id, from->plain ? 301 : b->page_code, from->plain ? b->location : NULL, NULL);
        return;
    }
    assert_false(from->plain);
    if (strcmp(m->path, "/api/calls") == 0) {
        serve_post(b, from->id, m);
        return;
    }
    assert_int_equal(sscanf(m->path, "/api/calls/%u%n", &call, &end), 1);
    assert_in_range(call, 1, b->calls);
    struct served *c = &b->call[call - 1];
    if (strcmp(m->path + end, "/events") == 0) {
        c->events = from->id;
    } else if (strcmp(m->method, "PUT") == 0) {
        c->keep_alives++;
        reply(b, from->id, b->put_code, NULL, NULL);
    } else {
        assert_string_equal(m->method, "DELETE");
        c->deleted = true;
        session_close(c->session);
        reply(b, from->id, 204, NULL, NULL);
    }
}

static struct conn *conn_of(struct bridge *b, io_id id)
{
    for (size_t i = 0; i < CONNS; i++)
        if (b->conn[i].id == id)
            return &b->conn[i];
    fail_msg("no such connection");
    return NULL;
}

static void conn_end(struct conn *c)
{
    http_stream_free(c->in);
    *c = (struct conn){0};
}

static void on_web(struct bridge *b, const struct io_in *in)
{
    struct http_message m;
    struct conn *c;
    switch (in->event) {
    case IO_ACCEPTED:
        c = conn_of(b, IO_NONE);
        *c = (struct conn){in->id, in->other == b->plain, http_stream_new(true)};
        io_read(b->io, in->id, true);
        break;
    case IO_DATA:
        c = conn_of(b, in->id);
        assert_int_equal(http_stream_push(c->in, in->data, in->len), 0);
        while (http_stream_next(c->in, &m))
            serve(b, c, &m);
        break;
    case IO_EOF:
        io_close(b->io, in->id);
        conn_end(conn_of(b, in->id));
        break;
    case IO_CLOSED:
        conn_end(conn_of(b, in->id));
        break;
    default:
        break;
    }
}

static void bridge_input(void *self, const struct io_in *in)
{
    struct bridge *b = self;
    if (in->event == IO_START) {
        struct endpoint https = kit_endpoint(HTTPS), http = kit_endpoint(HTTP);
        io_listen(b->io, OWNER_WEB, &https);
        b->plain = io_listen(b->io, OWNER_WEB, &http);
    }
    if (io_owner(in->id) == OWNER_WEB)
        on_web(b, in);
    for (size_t i = 0; i < b->calls; i++) {
        struct session_event ev;
        struct served *c = &b->call[i];
        if (in->id == IO_NONE || io_owner(in->id) == OWNER_MEDIA)
            session_input(c->session, in);
        while (session_poll(c->session, &ev))
            if (ev.kind == SESSION_DESCRIBED) {
                snprintf(c->sdp, sizeof c->sdp, "%s", ev.text);
                c->described = true;
            }
        tell(b, c);
    }
}

static uint64_t bridge_deadline(const void *self)
{
    const struct bridge *b = self;
    uint64_t t = TIME_NEVER;
    for (size_t i = 0; i < b->calls; i++)
        t = time_min(t, session_deadline(b->call[i].session));
    return t;
}

/* ---- the world ---- */

struct world {
    struct pipe *p;
    struct bridge bridge;
    struct web_client_config cfg;
    struct call_plan plan[CALLS];
    struct core core;
};

static void world_init(struct world *w, size_t calls)
{
    static char names[CALLS][16];
    memset(w, 0, sizeof *w);
    w->p = pipe_new(10 * NS_MS);
    w->bridge = (struct bridge){.page_code = 200, .post_code = 202, .put_code = 200,
                                .location = "https://join.acme.example/"};
    for (size_t i = 0; i < calls; i++) {
        snprintf(names[i], sizeof names[i], "guest-%zu", i + 1);
        w->plan[i] = (struct call_plan){.name = names[i], .to = "sip:meeting@acme.example",
                                        .media = CALL_AUDIO | CALL_VIDEO, .at_ns = NS_S + i * 100 * NS_MS,
                                        .for_ns = TIME_NEVER};
    }
    w->cfg = (struct web_client_config){.host = "join.acme.example", .https = kit_endpoint(HTTPS),
                                        .call = w->plan, .call_count = calls, .patience_ns = 20 * NS_S,
                                        .answer_ns = 60 * NS_S,
                                        .media = {.dialect = SESSION_ICE, .address = kit_ip(CLIENT_IP),
                                                  .first_port = 49152,
                                                  .last_port = 65535, .host_candidates = true, .audio = rate,
                                                  .video = rate}};
}

static void world_start(struct world *w)
{
    static const struct core_ops bridge_ops = {bridge_input, bridge_deadline, NULL};
    struct io *io = io_new("browser", 1);
    w->bridge.io = io_new("bridge", 1);
    w->bridge.core = (struct core){&bridge_ops, &w->bridge, w->bridge.io};
    assert_int_equal(web_client_make(io, &w->cfg, &w->core), 0);
    pipe_host(w->p, &w->bridge.core, SERVER_IP);
    pipe_host(w->p, &w->core, CLIENT_IP);
}

static void world_free(struct world *w)
{
    w->core.ops->free(w->core.self);
    for (size_t i = 0; i < w->bridge.calls; i++)
        session_free(w->bridge.call[i].session);
    for (size_t i = 0; i < CONNS; i++)
        http_stream_free(w->bridge.conn[i].in);
    io_free(w->core.io);
    io_free(w->bridge.io);
    pipe_free(w->p);
}

/* The last that the browser's host said of a service; "" when it said nothing. */
static const char *service(const struct world *w, const char *name)
{
    size_t n, len = strlen(name);
    const struct pipe_entry *log = pipe_log(w->p, &n);
    while (n--)
        if (log[n].is_note && log[n].note == NOTE_SERVICE && strcmp(log[n].host, "browser") == 0 &&
            strncmp(log[n].text, name, len) == 0 && log[n].text[len] == ' ')
            return log[n].text + len + 1;
    return "";
}

static void assert_service(const struct world *w, const char *name, const char *begins)
{
    if (strncmp(service(w, name), begins, strlen(begins)) != 0)
        fail_msg("%s is \"%s\", not \"%s\"", name, service(w, name), begins);
}

/* ---- tests ---- */

/* The whole of a call: page by way of port 80, joined, kept alive, left when its time is over. */
static void a_call_from_page_to_end(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    w.cfg.http = kit_endpoint(HTTP);
    w.plan[0].for_ns = 100 * NS_S;
    world_start(&w);
    pipe_run_until(w.p, 20 * NS_S);
    assert_service(&w, "guest-1/signalling", "up HTTP to " HTTPS " over TCP");
    assert_service(&w, "guest-1/audio", "up");
    assert_service(&w, "guest-1/video", "up");
    assert_int_equal(pipe_count(w.p, "GET /"), 2);
    assert_int_equal(pipe_count(w.p, "POST /api/calls"), 1);
    assert_string_equal(w.bridge.call[0].name, "guest-1");
    pipe_run_until(w.p, 100 * NS_S);
    assert_int_equal(w.bridge.call[0].keep_alives, 3); /* 30, 60, 90 s after it joined */
    assert_false(w.bridge.call[0].deleted);
    pipe_run_until(w.p, 140 * NS_S);
    assert_true(w.bridge.call[0].deleted);
    assert_string_equal(service(&w, "guest-1/signalling"), "done");
    assert_service(&w, "guest-1/audio", "done");
    assert_int_equal(w.bridge.call[0].keep_alives, 3);
    assert_true(w.core.ops->deadline(w.core.self) == TIME_NEVER);
    world_free(&w);
}

/* The app needs no page; many calls at once, each with its own two connections. */
static void many_calls_at_once(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, CALLS);
    w.cfg.app = true;
    world_start(&w);
    pipe_run_until(w.p, 20 * NS_S);
    assert_int_equal(pipe_count(w.p, "GET /"), 0);
    assert_int_equal(w.bridge.calls, CALLS);
    size_t connected = 0;
    for (size_t i = 0; i < CONNS; i++)
        connected += w.bridge.conn[i].id != IO_NONE;
    assert_int_equal(connected, 2 * CALLS);
    for (size_t i = 0; i < CALLS; i++) {
        char name[32];
        snprintf(name, sizeof name, "guest-%zu/video", i + 1);
        assert_service(&w, name, "up");
    }
    world_free(&w);
}

static void muted_and_held_as_planned(void **state)
{
    (void)state;
    static const struct call_span mute = {10 * NS_S, 20 * NS_S}, hold = {40 * NS_S, 10 * NS_S};
    struct world w;
    world_init(&w, 1);
    w.plan[0].mute = &mute;
    w.plan[0].hold = &hold;
    w.plan[0].mute_count = w.plan[0].hold_count = 1;
    w.plan[0].for_ns = 70 * NS_S;
    world_start(&w);
    uint64_t sent[4];
    static const unsigned at_s[] = {12, 30, 42, 50}; /* muted, still muted, held, still held */
    for (size_t i = 0; i < 4; i++) {
        pipe_run_until(w.p, at_s[i] * NS_S);
        sent[i] = session_counted(w.bridge.call[0].session, CALL_AUDIO).received;
    }
    pipe_run_until(w.p, 65 * NS_S);
    uint64_t later = session_counted(w.bridge.call[0].session, CALL_AUDIO).received;
    assert_in_range(sent[0], 80, 110); /* ten a second */
    assert_int_equal(sent[1], sent[0]);
    assert_in_range(sent[2], sent[1] + 80, sent[1] + 120);
    assert_int_equal(sent[3], sent[2]);
    assert_in_range(later, sent[3] + 120, sent[3] + 150);
    pipe_run_until(w.p, 80 * NS_S);
    assert_service(&w, "guest-1/audio", "done");
    world_free(&w);
}

static void meeting_server_ends_the_call(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    w.bridge.ends = "ended";
    world_start(&w);
    pipe_run_until(w.p, 20 * NS_S);
    assert_string_equal(service(&w, "guest-1/signalling"), "done ended by Meeting Server");
    assert_int_equal(w.bridge.call[0].deleted, false);
    for (size_t i = 0; i < CONNS; i++)
        assert_true(w.bridge.conn[i].id == IO_NONE);
    world_free(&w);
}

/* What goes wrong, and what is said of it. */
static void closed_443(struct world *w)
{
    pipe_policy(w->p, HTTPS, PIPE_BLACK_HOLE);
}

static void refused_80(struct world *w)
{
    w->cfg.http = kit_endpoint(HTTP);
    pipe_policy(w->p, HTTP, PIPE_REFUSE);
}

static void redirected_elsewhere(struct world *w)
{
    w->cfg.http = kit_endpoint(HTTP);
    w->bridge.location = "https://evil.example/";
}

static void no_page(struct world *w)
{
    w->bridge.page_code = 502;
}

static void not_let_in(struct world *w)
{
    w->bridge.post_code = 503;
}

static void never_answered(struct world *w)
{
    w->bridge.silent = true;
}

static void forgotten(struct world *w)
{
    w->bridge.put_code = 404;
}

static void odd_event(struct world *w)
{
    w->bridge.ends = "dance";
}

static const struct {
    void (*before)(struct world *w);
    const char *signalling, *audio;
} mishaps[] = {
    {closed_443, "failed CMA web client signalling: TCP " HTTPS ": timed out", "failed there is no call"},
    {refused_80, "failed CMA web client signalling: TCP " HTTP ": refused", "failed there is no call"},
    {redirected_elsewhere, "failed CMA web client signalling: GET / was answered with HTTP status 301 to "
                           "https://evil.example/", "failed there is no call"},
    {no_page, "failed CMA web client signalling: GET / was answered with HTTP status 502", "failed there is no call"},
    {not_let_in, "failed CMA web client signalling: POST /api/calls was answered with HTTP status 503",
     "failed there is no call"},
    {never_answered, "failed CMA web client signalling: Meeting Server did not answer within 60 s",
     "failed there is no call"},
    {forgotten, "lost CMA web client signalling: the keep-alive was answered with HTTP status 404", "done"},
    {odd_event, "lost CMA web client signalling: events were answered with HTTP status 200 and event dance", ""},
};

static void each_mishap_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mishaps / sizeof *mishaps; i++) {
        struct world w;
        world_init(&w, 1);
        mishaps[i].before(&w);
        world_start(&w);
        pipe_run_until(w.p, 200 * NS_S);
        assert_service(&w, "guest-1/signalling", mishaps[i].signalling);
        assert_service(&w, "guest-1/audio", mishaps[i].audio);
        assert_true(w.core.ops->deadline(w.core.self) == TIME_NEVER);
        world_free(&w);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_from_page_to_end),
        cmocka_unit_test(many_calls_at_once),
        cmocka_unit_test(muted_and_held_as_planned),
        cmocka_unit_test(meeting_server_ends_the_call),
        cmocka_unit_test(each_mishap_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
