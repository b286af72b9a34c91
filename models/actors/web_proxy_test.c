/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Browsers outside, Expressway-E, Expressway-C, Meeting Server: the web proxy, the administration, TURN at 443. */
#include "models/actors/web_proxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/actors/expressway.h"
#include "models/actors/web_proxy_parts.h"
#include "models/base/err.h"
#include "models/testkit/pipe.h"
#include "models/testkit/testkit.h"

#define E_IP "10.0.2.1"
#define C_IP "10.0.3.1"
#define CMS "10.0.4.1:443"

struct world {
    struct pipe *p;
    struct core e, c;
    unsigned browsers;
};

static void make_c(struct world *w)
{
    struct expressway_c_config c = {.web = {.tunnel = kit_endpoint(E_IP ":2222"), .meeting_server = kit_endpoint(CMS),
                                            .events = kit_endpoint(C_IP ":30000"), .first_port = 30000,
                                            .last_port = 35999, .forward = 443}};
    assert_int_equal(expressway_c_make(io_new("c", 1), &c, &w->c), 0);
    pipe_host(w->p, &w->c, C_IP);
}

static void world_start(struct world *w, bool with_c)
{
    struct endpoint listen = kit_endpoint(E_IP ":3478");
    struct zone outer = {.kind = ZONE_TRAVERSAL_SERVER, .address = kit_endpoint(E_IP ":7001"), .plain = true};
    struct turn_user user = {"turn", "secret"};
    struct expressway_e_config e = {
        .sip = {.zone = &outer, .zone_count = 1},
        .turn = {.profile = &turn_expressway, .realm = "r", .users = &user, .user_count = 1, .listen = &listen,
                 .listen_count = 1, .relay_ip4 = kit_ip(E_IP), .first_port = 24000, .last_port = 29999,
                 .limits = turn_limits_default},
        .turn_override = kit_endpoint(E_IP ":8000"),
        .web = {.listen = kit_endpoint(E_IP ":443"), .redirect = kit_endpoint(E_IP ":80"),
                .tunnel = kit_endpoint(E_IP ":2222"), .name = "join.example"},
        .turn_at_web = true,
        .administration = kit_endpoint(E_IP ":8443")};
    *w = (struct world){.p = pipe_new(5 * NS_MS)};
    raw_listen(w->p, CMS);
    assert_int_equal(expressway_e_make(io_new("e", 1), &e, &w->e), 0);
    pipe_host(w->p, &w->e, E_IP);
    if (with_c)
        make_c(w);
    pipe_run_for(w->p, 3 * NS_S);
}

static void world_end(struct world *w)
{
    struct core *cores[] = {&w->e, &w->c};
    for (size_t i = 0; i < 2; i++)
        if (cores[i]->self) {
            cores[i]->ops->free(cores[i]->self);
            io_free(cores[i]->io);
        }
    pipe_free(w->p);
}

static struct raw *browser(struct world *w, const char *port)
{
    char from[32], to[32];
    snprintf(from, sizeof from, "192.0.2.1:%u", 2000 + w->browsers++);
    snprintf(to, sizeof to, E_IP ":%s", port);
    struct raw *r = raw_connect(w->p, from, to);
    pipe_run_for(w->p, 100 * NS_MS);
    return r;
}

static void ask(struct world *w, struct raw *r, const char *method, const char *path, const char *body)
{
    char bytes[4096];
    struct text t = text_of(bytes, sizeof bytes);
    http_put_request(&t, method, path, "x", body ? "application/json" : NULL, body, body ? strlen(body) : 0);
    raw_send(w->p, r, bytes, t.len);
    pipe_run_for(w->p, 200 * NS_MS);
}

static void answer(struct world *w, struct raw *r, unsigned code, const char *body)
{
    char bytes[4096];
    struct text t = text_of(bytes, sizeof bytes);
    http_put_response(&t, code, NULL, body ? "application/json" : NULL, body ? body : "", body ? strlen(body) : 0);
    raw_send(w->p, r, bytes, t.len);
    pipe_run_for(w->p, 200 * NS_MS);
}

/* The message that has come whole, as "POST /path body" or "202 body"; it is forgotten. "": none. */
static const char *come(struct raw *r, bool request)
{
    static char out[2048];
    struct http_stream *s = http_stream_new(request);
    struct http_message m;
    struct text t = text_of(out, sizeof out);
    http_stream_push(s, r->got, r->got_len);
    if (http_stream_next(s, &m)) {
        if (request)
            text_add(&t, "%s %s", m.method, m.path);
        else
            text_add(&t, "%u%s%s", m.code, m.location[0] ? " " : "", m.location);
        text_add(&t, "%s%.*s", m.body_len ? " " : "", (int)m.body_len, m.body);
        raw_forget(r, r->got_len);
    }
    http_stream_free(s);
    return out;
}

/* The probe of the bridge, answered. */
static void answer_probe(struct world *w)
{
    struct raw *probe = raw_accepted(w->p, CMS);
    assert_non_null(probe);
    assert_int_equal(probe->remote.port, 35999);
    assert_string_equal(come(probe, true), "GET /");
    answer(w, probe, 200, NULL);
    assert_int_equal(pipe_count(w->p, "web-bridge up Meeting Server 10.0.4.1:443"), 1);
}

/* Begins call "7" and gives the connection that it was begun by. */
static struct raw *begin_call(struct world *w)
{
    struct raw *r = browser(w, "443");
    ask(w, r, "POST", "/api/calls", "{\"name\":\"g\",\"sdp\":\"v=0\"}");
    struct raw *cms = raw_accepted(w->p, CMS);
    assert_non_null(cms);
    assert_true(cms->remote.port > 30000 && cms->remote.port <= 35999);
    assert_string_equal(come(cms, true), "POST /api/calls {\"name\":\"g\",\"sdp\":\"v=0\"}");
    answer(w, cms, 202, "{\"call\":\"7\"}");
    assert_string_equal(come(r, false), "202 {\"call\":\"7\"}");
    return r;
}

static unsigned push(struct world *w, const char *body)
{
    struct raw *r = raw_connect(w->p, "10.0.4.1:0", C_IP ":30000");
    pipe_run_for(w->p, 100 * NS_MS);
    ask(w, r, "POST", "/events", body);
    unsigned code = (unsigned)strtoul(come(r, false), NULL, 10);
    raw_close(w->p, r);
    pipe_run_for(w->p, 100 * NS_MS);
    return code;
}

static void a_web_call(void **state)
{
    (void)state;
    struct world w;
    world_start(&w, true);
    answer_probe(&w);
    struct raw *r = begin_call(&w), *events = browser(&w, "443");
    ask(&w, events, "GET", "/api/calls/7/events", NULL);
    assert_string_equal(come(events, false), "");
    assert_null(raw_accepted(w.p, CMS)); /* that waits at C */
    assert_int_equal(push(&w, "{\"call\":\"7\",\"event\":\"answer\",\"sdp\":\"v=0\"}"), 204);
    assert_string_equal(come(events, false), "200 {\"call\":\"7\",\"event\":\"answer\",\"sdp\":\"v=0\"}");
    ask(&w, r, "PUT", "/api/calls/7", NULL);
    struct raw *cms = raw_accepted(w.p, CMS);
    assert_string_equal(come(cms, true), "PUT /api/calls/7");
    answer(&w, cms, 204, NULL);
    assert_string_equal(come(r, false), "204");
    assert_int_equal(push(&w, "{\"call\":\"7\",\"event\":\"ended\",\"reason\":\"all gone\"}"), 204); /* waits */
    ask(&w, events, "GET", "/api/calls/7/events", NULL);
    assert_string_equal(come(events, false), "200 {\"call\":\"7\",\"event\":\"ended\",\"reason\":\"all gone\"}");
    ask(&w, events, "GET", "/api/calls/7/events", NULL); /* it is over */
    assert_string_equal(come(events, false), "404");
    assert_int_equal(push(&w, "{\"call\":\"7\",\"event\":\"ended\"}"), 404);
    assert_int_equal(push(&w, "{\"call\":7}"), 400);
    world_end(&w);
}

static void what_goes_wrong_inside(void **state)
{
    (void)state;
    struct world w;
    world_start(&w, true);
    answer_probe(&w);
    struct raw *r = browser(&w, "443");
    ask(&w, r, "GET", "/", NULL); /* no answer */
    pipe_run_for(w.p, 11 * NS_S);
    assert_string_equal(come(r, false), "504");
    raw_accepted(w.p, CMS);
    pipe_policy(w.p, CMS, PIPE_REFUSE);
    ask(&w, r, "GET", "/", NULL);
    assert_string_equal(come(r, false), "502");
    pipe_run_for(w.p, 60 * NS_S);
    assert_int_equal(pipe_count(w.p, "web-bridge lost Meeting Server 10.0.4.1:443: refused"), 1);
    raw_send(w.p, r, "NONSENSE\r\n\r\n", 12);
    pipe_run_for(w.p, NS_S);
    assert_string_equal(come(r, false), "400");
    assert_true(r->state == RAW_GONE || r->eof);
    world_end(&w);
}

/* A browser that goes away while its GET waits is not answered, and the event is kept for its next. */
static void a_lost_browser(void **state)
{
    (void)state;
    struct world w;
    world_start(&w, true);
    answer_probe(&w);
    begin_call(&w);
    struct raw *events = browser(&w, "443");
    ask(&w, events, "GET", "/api/calls/7/events", NULL);
    raw_abort(w.p, events);
    pipe_run_for(w.p, NS_S);
    assert_int_equal(push(&w, "{\"call\":\"7\",\"event\":\"answer\"}"), 204);
    events = browser(&w, "443");
    ask(&w, events, "GET", "/api/calls/7/events", NULL);
    assert_string_equal(come(events, false), "200 {\"call\":\"7\",\"event\":\"answer\"}");
    for (int i = 0; i < CALL_EVENTS_MAX; i++)
        assert_int_equal(push(&w, "{\"call\":\"7\",\"event\":\"x\"}"), 204);
    assert_int_equal(push(&w, "{\"call\":\"7\",\"event\":\"x\"}"), 503); /* no room for more */
    pipe_run_for(w.p, 300 * NS_S); /* nobody asks any more */
    assert_int_equal(push(&w, "{\"call\":\"7\",\"event\":\"x\"}"), 404);
    world_end(&w);
}

static void without_a_tunnel(void **state)
{
    (void)state;
    struct world w;
    world_start(&w, false);
    struct raw *r = browser(&w, "443");
    ask(&w, r, "GET", "/", NULL);
    assert_string_equal(come(r, false), "503");
    assert_int_equal(pipe_count(w.p, "a browser is turned away: there is no SSH tunnel with Expressway-C"), 1);
    make_c(&w);
    pipe_run_for(w.p, NS_S);
    r = browser(&w, "443");
    ask(&w, r, "GET", "/", NULL);
    raw_accepted(w.p, CMS); /* the probe */
    struct raw *cms = raw_accepted(w.p, CMS);
    assert_string_equal(come(cms, true), "GET /");
    w.c.ops->free(w.c.self); /* C is gone, and its tunnel is given up */
    io_free(w.c.io);
    w.c.self = NULL;
    world_end(&w);
}

static void port_80_and_the_administration(void **state)
{
    (void)state;
    static const struct {
        const char *port, *method, *path, *answer;
    } rows[] = {
        {"80", "GET", "/m/1?x", "301 https://join.example/m/1?x"},
        {"80", "OPTIONS", "*", "301 https://join.example/"},
        {"8443", "GET", "/", "302 /login"},
        {"8443", "POST", "/login", "401"},
        {"8443", "PUT", "/login", "404"},
    };
    struct world w;
    world_start(&w, false);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct raw *r = browser(&w, rows[i].port);
        ask(&w, r, rows[i].method, rows[i].path, NULL);
        const char *got = come(r, false);
        assert_memory_equal(got, rows[i].answer, strlen(rows[i].answer));
    }
    assert_int_equal(pipe_count(w.p, "administration up 10.0.2.1:8443"), 1);
    struct raw *idle = browser(&w, "8443"), *silent = browser(&w, "443"), *slow = browser(&w, "80");
    raw_send(w.p, slow, "GET /", 5);
    pipe_run_for(w.p, 12 * NS_S);
    assert_true(silent->eof && slow->eof && !idle->eof);
    pipe_run_for(w.p, 20 * NS_S);
    assert_true(idle->eof);
    world_end(&w);
}

/* STUN at 443 gets the relay's answer, as at its own port and the one that overrides it; TLS that is no HTTP and no
 * STUN is let go. */
static void turn_at_the_web_port(void **state)
{
    (void)state;
    static const uint8_t binding[20] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    static const char *const ports[] = {"443", "3478", "8000"};
    struct world w;
    world_start(&w, false);
    for (size_t i = 0; i < 3; i++) {
        struct raw *r = browser(&w, ports[i]);
        raw_send(w.p, r, binding, 3); /* in two pieces */
        pipe_run_for(w.p, NS_S);
        raw_send(w.p, r, binding + 3, sizeof binding - 3);
        pipe_run_for(w.p, NS_S);
        assert_true(r->got_len > 20);
        assert_int_equal(r->got[0] << 8 | r->got[1], 0x0101);
        raw_close(w.p, r);
    }
    struct raw *tls = browser(&w, "443");
    raw_send(w.p, tls, "\x16\x03\x01", 3);
    pipe_run_for(w.p, NS_S);
    assert_true(tls->eof || tls->state == RAW_GONE);
    world_end(&w);
}

static void more_browsers_than_channels(void **state)
{
    (void)state;
    static struct raw *r[TUNNEL_CHANNELS_MAX + 2];
    struct world w;
    world_start(&w, true);
    answer_probe(&w);
    for (size_t i = 0; i < TUNNEL_CHANNELS_MAX + 2; i++) {
        r[i] = browser(&w, "443");
        raw_send(w.p, r[i], "G", 1);
    }
    pipe_run_for(w.p, NS_S);
    assert_string_equal(come(r[TUNNEL_CHANNELS_MAX], false), "503");
    assert_false(r[0]->eof);
    raw_close(w.p, r[0]);
    pipe_run_for(w.p, NS_S);
    struct raw *next = browser(&w, "443");
    ask(&w, next, "GET", "/api/calls/1/events", NULL);
    assert_string_equal(come(next, false), "404");
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_web_call),           cmocka_unit_test(what_goes_wrong_inside),
        cmocka_unit_test(a_lost_browser),       cmocka_unit_test(without_a_tunnel),
        cmocka_unit_test(port_80_and_the_administration), cmocka_unit_test(turn_at_the_web_port),
        cmocka_unit_test(more_browsers_than_channels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
