/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Web calls into a conference: what Expressway-C asks, and what it is told. The test is Expressway-C. */
#include <cjson/cJSON.h>

#include "models/actors/http.h"
#include "models/actors/meeting_rig_test.h"

#define C_EVENTS "10.3.0.2:30000"

/* One request over a connection of its own; its answer in m, whose body is copied to body. */
static struct http_message ask(struct rig *r, const char *method, const char *path, const char *type, const char *send)
{
    static unsigned port = 30001;
    static char buf[HTTP_BODY_MAX], body[1024];
    char local[32];
    struct http_message m = {0};
    struct text t = text_of(buf, sizeof buf);
    snprintf(local, sizeof local, "10.3.0.2:%u", port++);
    struct raw *raw = raw_connect(r->p, local, MS_IP ":443");
    pipe_run_for(r->p, 20 * NS_MS);
    http_put_request(&t, method, path, "ms", type, send, strlen(send));
    raw_send(r->p, raw, t.buf, t.len);
    pipe_run_for(r->p, 20 * NS_MS);
    struct http_stream *s = http_stream_new(false);
    assert_int_equal(http_stream_push(s, raw->got, raw->got_len), 0);
    assert_true(http_stream_next(s, &m));
    snprintf(body, sizeof body, "%.*s", (int)m.body_len, m.body);
    m.body = body;
    http_stream_free(s);
    raw_close(r->p, raw);
    return m;
}

/* The web client's offer as it is posted. */
static char *offer(const struct phone *ph)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "name", ph->name);
    cJSON_AddStringToObject(o, "sdp", ph->described);
    char *text = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    return text;
}

static unsigned join(struct rig *r, struct phone *ph)
{
    unsigned id = 0;
    session_offer(ph->session);
    phone_poll(ph);
    pipe_run_for(r->p, NS_S);
    char *text = offer(ph);
    struct http_message m = ask(r, "POST", "/api/calls", "application/json", text);
    free(text);
    assert_int_equal(m.code, 202);
    assert_int_equal(sscanf(m.body, "{\"call\":\"%u\"}", &id), 1);
    return id;
}

/* What has come over the connection for events: their bodies in lines; each is answered with that code (0: not). */
static char *events(struct rig *r, struct raw *raw, unsigned code)
{
    static char out[16384];
    char buf[256];
    struct text t = text_of(out, sizeof out);
    struct http_message m;
    struct http_stream *s = http_stream_new(true);
    assert_non_null(raw);
    for (;;) {
        size_t len = raw->got_len;
        assert_int_equal(http_stream_push(s, raw->got, len), 0);
        raw_forget(raw, len);
        if (!http_stream_next(s, &m))
            break;
        assert_string_equal(m.method, "POST");
        assert_string_equal(m.path, "/events");
        text_add(&t, "%.*s\n", (int)m.body_len, m.body);
        if (!code)
            break;
        struct text a = text_of(buf, sizeof buf);
        http_put_response(&a, code, NULL, NULL, NULL, 0);
        raw_send(r->p, raw, a.buf, a.len);
        pipe_run_for(r->p, 20 * NS_MS);
    }
    http_stream_free(s);
    return out;
}

static void take_answer(struct phone *ph, const char *event, unsigned id)
{
    cJSON *o = cJSON_Parse(event);
    struct sdp d;
    assert_int_equal(strtoul(cJSON_GetObjectItem(o, "call")->valuestring, NULL, 10), id);
    assert_string_equal(cJSON_GetObjectItem(o, "event")->valuestring, "answer");
    const char *sdp = cJSON_GetObjectItem(o, "sdp")->valuestring;
    assert_int_equal(sdp_parse(sdp, strlen(sdp), &d), 0);
    assert_int_equal(session_answered(ph->session, &d), 0);
    phone_poll(ph);
    cJSON_Delete(o);
}

static struct rig *web_rig(struct phone **ph, struct raw **c)
{
    struct meeting_server_config cfg = rig_config();
    struct rig *r = rig_new(&cfg);
    raw_listen(r->p, C_EVENTS);
    *ph = rig_phone(r, "guest-1", NULL);
    pipe_run_for(r->p, NS_S);
    *c = raw_accepted(r->p, C_EVENTS);
    assert_non_null(*c);
    return r;
}

static void a_web_call(void **state)
{
    (void)state;
    struct phone *ph;
    struct raw *c;
    char path[32];
    struct rig *r = web_rig(&ph, &c);
    assert_int_equal(ask(r, "GET", "/", NULL, "").code, 200);
    unsigned id = join(r, ph);
    pipe_run_for(r->p, NS_S);
    take_answer(ph, events(r, c, 204), id);
    assert_string_equal(rig_services(r, "guest-1/signalling", 0), "wanted; up HTTPS, by way of the web bridge; ");
    snprintf(path, sizeof path, "/api/calls/%u", id);
    for (int i = 0; i < 7; i++) { /* 210 s, kept alive */
        pipe_run_for(r->p, 30 * NS_S);
        assert_int_equal(ask(r, "PUT", path, NULL, "").code, 204);
    }
    struct media_count n = session_counted(ph->session, CALL_AUDIO);
    assert_in_range(n.received, 50 * 210, 50 * 213);
    assert_int_equal(n.lost + (int64_t)n.foreign, 0);
    assert_int_equal(ask(r, "DELETE", path, NULL, "").code, 204);
    assert_int_equal(ask(r, "DELETE", path, NULL, "").code, 404);
    assert_int_equal(ask(r, "PUT", path, NULL, "").code, 404);
    assert_string_equal(events(r, c, 204), "");
    assert_string_equal(rig_services(r, "guest-1/signalling", 0),
                        "wanted; up HTTPS, by way of the web bridge; done hung up; ");
    assert_string_equal(rig_services(r, "web-bridge", 0), "wanted " C_EVENTS "; up " C_EVENTS "; ");
    rig_free(r);
}

static bool ms_has_sent_to(struct rig *r, uint16_t port)
{
    size_t n;
    const struct pipe_entry *log = pipe_log(r->p, &n);
    while (n-- > 0)
        if (!log[n].is_note && strcmp(log[n].host, "ms") == 0 && log[n].remote.port == port)
            return true;
    return false;
}

/* Row 1.13 and note 6: straight to the client's relay; where that cannot be, through one of our own, each participant's
 * on another port of a large system. */
static void relayed_web_calls(void **state)
{
    (void)state;
    static const struct {
        bool direct;
        const char *begins;
    } rows[] = {{true, "wanted; up host -> relay"}, {false, "wanted; degraded relay -> relay"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct meeting_server_config cfg = rig_config();
        cfg.turn_user = "u";
        cfg.turn_password = "p";
        cfg.conference.turn = kit_endpoint("192.0.2.1:3478");
        cfg.conference.turn_ports = 6;
        cfg.conference.host_candidates = rows[i].direct;
        struct rig *r = rig_new(&cfg);
        char name[16];
        rig_relay(r);
        raw_listen(r->p, C_EVENTS);
        pipe_run_for(r->p, NS_S);
        struct raw *c = raw_accepted(r->p, C_EVENTS);
        for (int k = 0; k < 3; k++) {
            snprintf(name, sizeof name, "guest-%d", k);
            struct phone *ph = rig_add(r, name, NULL, true);
            pipe_run_for(r->p, NS_S);
            unsigned id = join(r, ph);
            pipe_run_for(r->p, NS_S);
            take_answer(ph, events(r, c, 204), id);
        }
        pipe_run_for(r->p, 10 * NS_S);
        for (int k = 0; k < 3; k++) {
            snprintf(name, sizeof name, "guest-%d/video", k);
            const char *got = rig_services(r, name, 0);
            if (strncmp(got, rows[i].begins, strlen(rows[i].begins)) != 0)
                print_error("%s: %s\n", name, got);
            assert_memory_equal(got, rows[i].begins, strlen(rows[i].begins));
            assert_int_equal(strstr(got, "no direct way: it is always relayed") != NULL, !rows[i].direct);
            assert_true(ms_has_sent_to(r, (uint16_t)(3478 + k)));
        }
        assert_false(ms_has_sent_to(r, 3481));
        rig_free(r);
    }
}

static void no_keep_alive(void **state)
{
    (void)state;
    struct phone *ph;
    struct raw *c;
    char want[96];
    struct rig *r = web_rig(&ph, &c);
    unsigned id = join(r, ph);
    take_answer(ph, events(r, c, 204), id);
    pipe_run_for(r->p, 89 * NS_S);
    assert_string_equal(events(r, c, 204), "");
    pipe_run_for(r->p, NS_S);
    snprintf(want, sizeof want, "{\"call\":\"%u\",\"event\":\"ended\",\"reason\":\"no keep-alive for 90 s\"}\n", id);
    assert_string_equal(events(r, c, 204), want);
    assert_string_equal(rig_services(r, "guest-1/signalling", 0),
                        "wanted; up HTTPS, by way of the web bridge; lost no keep-alive for 90 s; ");
    rig_free(r);
}

/* Expressway-C goes away with an event unanswered, and is back later: it is told then. */
static void events_wait_for_a_connection(void **state)
{
    (void)state;
    struct phone *ph;
    struct raw *c;
    struct rig *r = web_rig(&ph, &c);
    pipe_policy(r->p, C_EVENTS, PIPE_REFUSE);
    unsigned id = join(r, ph);
    assert_non_null(strstr(events(r, c, 0), "answer")); /* heard, but not answered */
    raw_abort(r->p, c);
    pipe_run_for(r->p, 5 * NS_S);
    pipe_policy(r->p, C_EVENTS, PIPE_ACCEPT);
    pipe_run_for(r->p, 3 * NS_S);
    c = raw_accepted(r->p, C_EVENTS);
    take_answer(ph, events(r, c, 204), id);
    assert_string_equal(rig_services(r, "web-bridge", 0), "wanted " C_EVENTS "; up " C_EVENTS "; lost " C_EVENTS
                                                          ": reset; up " C_EVENTS "; ");
    rig_free(r);
}

/* The answer overtakes the 202: it is told again, a few times; then others have their turn. */
static void an_answer_comes_too_early(void **state)
{
    (void)state;
    struct phone *ph;
    struct raw *c;
    struct rig *r = web_rig(&ph, &c);
    unsigned id = join(r, ph);
    assert_non_null(strstr(events(r, c, 404), "answer"));
    pipe_run_for(r->p, 250 * NS_MS);
    take_answer(ph, events(r, c, 204), id);
    id = join(r, rig_phone(r, "guest-2", NULL));
    for (int i = 0; i < 5; i++) {
        assert_non_null(strstr(events(r, c, 404), "answer"));
        pipe_run_for(r->p, 250 * NS_MS);
    }
    assert_string_equal(events(r, c, 204), "");
    rig_free(r);
}

/* Row 1.9 closed: the queue stays within its bounds, and is told about. */
static void events_wait_within_bounds(void **state)
{
    (void)state;
    struct meeting_server_config cfg = rig_config();
    struct rig *r = rig_new(&cfg);
    char name[16];
    pipe_policy(r->p, C_EVENTS, PIPE_BLACK_HOLE);
    for (int i = 0; i < 6; i++) {
        snprintf(name, sizeof name, "guest-%d", i);
        join(r, rig_phone(r, name, NULL));
    }
    pipe_run_for(r->p, 11 * NS_S);
    assert_string_equal(rig_services(r, "web-bridge", 0), "wanted " C_EVENTS "; failed " C_EVENTS ": timed out; ");
    assert_int_equal(pipe_count(r->p, "web bridge: an event for call 1 was forgotten: 3 others wait"), 1);
    assert_int_equal(pipe_count(r->p, "web bridge: an event for call 2 was forgotten: 3 others wait"), 1);
    rig_free(r);
}

static void bad_requests(void **state)
{
    (void)state;
    static const struct {
        const char *method, *path, *body;
        unsigned code;
    } rows[] = {
        {"GET", "/admin", "", 404},
        {"DELETE", "/", "", 405},
        {"GET", "/api/calls", "", 405},
        {"POST", "/api/calls", "not JSON", 400},
        {"POST", "/api/calls", "[]", 400},
        {"POST", "/api/calls", "{\"name\":\"a\"}", 400},
        {"POST", "/api/calls", "{\"name\":7,\"sdp\":\"v=0\"}", 400},
        {"POST", "/api/calls", "{\"name\":\"a\",\"sdp\":\"nonsense\"}", 400},
        {"POST", "/api/calls",
         "{\"name\":\"a\",\"sdp\":\"v=0\\r\\no=- 1 1 IN IP4 1.2.3.4\\r\\ns=-\\r\\nt=0 0\\r\\n\"}", 422},
        {"PUT", "/api/calls/", "", 404},
        {"PUT", "/api/calls/0", "", 404},
        {"PUT", "/api/calls/1x", "", 404},
        {"PUT", "/api/calls/4294967297", "", 404},
    };
    struct phone *ph;
    struct raw *c;
    struct rig *r = web_rig(&ph, &c);
    join(r, ph); /* call 1, which nobody else meets */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *type = rows[i].body[0] ? "application/json" : NULL;
        unsigned code = ask(r, rows[i].method, rows[i].path, type, rows[i].body).code;
        if (code != rows[i].code)
            print_error("row %zu: %u\n", i, code);
        assert_int_equal(code, rows[i].code);
    }
    rig_free(r);
}

/* Half a request on each of more connections than are kept, and garbage: who asks properly is answered. */
static void hostile_clients(void **state)
{
    (void)state;
    struct phone *ph;
    struct raw *c, *first = NULL;
    char local[32];
    struct rig *r = web_rig(&ph, &c);
    for (int i = 0; i < 200; i++) {
        snprintf(local, sizeof local, "10.9.0.1:%d", 1024 + i);
        struct raw *raw = raw_connect(r->p, local, MS_IP ":443");
        pipe_run_for(r->p, 15 * NS_MS);
        raw_send(r->p, raw, i % 2 ? "GET / HT" : "\x16\x03\x01\x02", i % 2 ? 8 : 4);
        first = first ? first : i % 2 ? raw : NULL;
    }
    pipe_run_for(r->p, NS_S);
    assert_int_equal(first->err, E_RESET);
    unsigned id = join(r, ph);
    take_answer(ph, events(r, c, 204), id);
    pipe_run_for(r->p, 130 * NS_S);
    assert_int_equal(ask(r, "GET", "/", NULL, "").code, 200);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_web_call),
        cmocka_unit_test(relayed_web_calls),
        cmocka_unit_test(no_keep_alive),
        cmocka_unit_test(events_wait_for_a_connection),
        cmocka_unit_test(an_answer_comes_too_early),
        cmocka_unit_test(events_wait_within_bounds),
        cmocka_unit_test(bad_requests),
        cmocka_unit_test(hostile_clients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
