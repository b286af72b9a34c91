/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The call of the lab, all five systems over the pipe, and each way in which it fails. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/actors/expressway.h"
#include "models/actors/meeting_server.h"
#include "models/actors/skype_client.h"
#include "models/actors/skype_edge.h"
#include "models/testkit/pipe.h"
#include "models/testkit/testkit.h"

#define CLIENT_IP "203.0.113.50"
#define EDGE_IP "192.168.1.252"
#define E_IP "10.48.54.229"
#define C_IP "10.48.54.228"
#define CMS_IP "10.48.54.230"

enum { CLIENT, EDGE, EXP_E, EXP_C, CMS, SYSTEMS };

struct lab {
    struct pipe *p;
    struct skype_client_config client;
    struct skype_edge_config edge;
    struct expressway_e_config e;
    struct expressway_c_config c;
    struct meeting_server_config cms;
    struct turn_user turn_user;
    struct core core[SYSTEMS];
};

/* As in topologies/lab.json: the values that the reference capture shows. */
static void lab_init(struct lab *w)
{
    static const struct screen_config screen = {.rate = 125000, .burst = 40000, .duration_ns = 8 * NS_S};
    *w = (struct lab){.p = pipe_new(5 * NS_MS), .turn_user = {"turn", "turnpw"}};
    w->client = (struct skype_client_config){.address = kit_ip(CLIENT_IP),
                                             .uri = "sip:alice@example.com",
                                             .conference = "sip:meet@example.com",
                                             .peer = "the Skype Edge",
                                             .edge_sip = kit_endpoint(EDGE_IP ":5061"),
                                             .edge_turn = kit_endpoint(EDGE_IP ":443"),
                                             .turn_user = "alice",
                                             .turn_password = "mras",
                                             .media_port = 50040,
                                             .call_at_ns = 5 * NS_S,
                                             .share_at_ns = 20 * NS_S,
                                             .allocate_timeout_ns = 15 * NS_S,
                                             .answer_timeout_ns = 32 * NS_S,
                                             .ice_timeout_ns = 30 * NS_S,
                                             .stall_timeout_ns = 25 * NS_S,
                                             .screen = screen};
    w->edge = (struct skype_edge_config){.address = kit_ip(EDGE_IP),
                                         .sip = kit_endpoint(EDGE_IP ":5061"),
                                         .federation = kit_endpoint(E_IP ":5061"),
                                         .turn = kit_endpoint(EDGE_IP ":443"),
                                         .realm = "rtcmedia",
                                         .turn_user = "alice",
                                         .turn_password = "mras",
                                         .first_port = 53577,
                                         .last_port = 59999,
                                         .connect_out = true};
    static struct endpoint sip, listen;
    static struct zone outer, inner[2];
    sip = kit_endpoint(E_IP ":5061");
    listen = kit_endpoint(E_IP ":3478");
    outer = (struct zone){.kind = ZONE_TRAVERSAL_SERVER, .address = kit_endpoint(E_IP ":7001"), .plain = true};
    inner[0] = (struct zone){.kind = ZONE_TRAVERSAL_CLIENT, .address = outer.address, .plain = true};
    inner[1] = (struct zone){.name = "cms", .kind = ZONE_NEIGHBOUR, .address = kit_endpoint(CMS_IP ":5061"),
                             .plain = true};
    w->e.sip = (struct zones_config){.listen = &sip, .listen_count = 1, .listen_peer = "the Skype Edge",
                                     .zone = &outer, .zone_count = 1};
    w->e.turn = (struct turn_config){.profile = &turn_expressway,
                                     .realm = "TANDBERG",
                                     .users = &w->turn_user,
                                     .user_count = 1,
                                     .listen = &listen,
                                     .listen_count = 1,
                                     .relay_ip4 = kit_ip(E_IP),
                                     .first_port = 24000,
                                     .last_port = 29999,
                                     .limits = turn_limits_default};
    w->c.sip = (struct zones_config){.zone = inner, .zone_count = 2};
    w->cms = (struct meeting_server_config){.address = kit_ip(CMS_IP),
                                            .sip = kit_endpoint(CMS_IP ":5061"),
                                            .uri = "sip:meet@example.com",
                                            .turn_profile = &turn_client_meeting_server,
                                            .turn = listen,
                                            .turn_user = "turn",
                                            .turn_password = "turnpw",
                                            .allocate_timeout_ns = 20 * NS_S,
                                            .connect_timeout_ns = 20 * NS_S,
                                            .bind_timeout_ns = 20 * NS_S,
                                            .ice_timeout_ns = 30 * NS_S,
                                            .reinvite_timeout_ns = 32 * NS_S,
                                            .stall_timeout_ns = 25 * NS_S,
                                            .screen = screen};
}

static void lab_start(struct lab *w)
{
    static const char *const names[] = {"skype-client", "skype-edge", "expressway-e", "expressway-c", "cms"};
    struct io *io[SYSTEMS];
    for (int i = 0; i < SYSTEMS; i++)
        io[i] = io_new(names[i], 1);
    assert_int_equal(skype_client_make(io[CLIENT], &w->client, &w->core[CLIENT]), 0);
    assert_int_equal(skype_edge_make(io[EDGE], &w->edge, &w->core[EDGE]), 0);
    assert_int_equal(expressway_e_make(io[EXP_E], &w->e, &w->core[EXP_E]), 0);
    assert_int_equal(expressway_c_make(io[EXP_C], &w->c, &w->core[EXP_C]), 0);
    assert_int_equal(meeting_server_make(io[CMS], &w->cms, &w->core[CMS]), 0);
}

static void lab_run(struct lab *w)
{
    static const char *const ips[] = {CLIENT_IP, EDGE_IP, E_IP, C_IP, CMS_IP};
    for (int i = 0; i < SYSTEMS; i++)
        pipe_host(w->p, &w->core[i], ips[i]);
    pipe_first_port(w->p, &w->core[CMS], 44341);
}

static void lab_end(struct lab *w)
{
    for (int i = 0; i < SYSTEMS; i++) {
        w->core[i].ops->free(w->core[i].self);
        io_free(w->core[i].io);
    }
    pipe_free(w->p);
}

/* The texts of the notes of that kind and host (NULL: all), in lines. */
static char *notes(const struct lab *w, enum io_note kind, const char *host)
{
    static char buf[16384];
    size_t n, used = 0;
    const struct pipe_entry *log = pipe_log(w->p, &n);
    buf[0] = '\0';
    for (size_t i = 0; i < n; i++)
        if (log[i].is_note && log[i].note == kind && (!host || strcmp(log[i].host, host) == 0))
            used += (size_t)snprintf(buf + used, sizeof buf - used, "%s\n", log[i].text);
    return buf;
}

static void dump(const struct lab *w)
{
    size_t n;
    const struct pipe_entry *log = pipe_log(w->p, &n);
    for (size_t i = 0; getenv("LAB_DUMP") && i < n; i++)
        fprintf(stderr, "%9.3f %-12s %s %s\n", (double)log[i].t_ns / 1e9, log[i].host,
                log[i].is_note ? (const char *[]){"state", "PHASE", "FAIL", "result"}[log[i].note] : "->",
                log[i].text);
}

/* The value of a result that a host has noted. */
static const char *result(const struct lab *w, const char *host, const char *key)
{
    size_t n, len = strlen(key);
    const struct pipe_entry *log = pipe_log(w->p, &n);
    for (size_t i = 0; i < n; i++)
        if (log[i].is_note && log[i].note == NOTE_RESULT && strcmp(log[i].host, host) == 0 &&
            strncmp(log[i].text, key, len) == 0 && log[i].text[len] == '=')
            return log[i].text + len + 1;
    return "none";
}

/* What one end sent the other has received, to the byte; and nobody has anything left to wait for. */
static void assert_whole(const struct lab *w)
{
    static const char *const ends[] = {"skype-client", "cms"};
    assert_string_equal(notes(w, NOTE_FAIL, NULL), "");
    assert_string_equal(notes(w, NOTE_PHASE, NULL),
                        "invite\nallocate\nanswer\nconnect\nbind\nchecks\nreinvite\nshare\n\n");
    for (int i = 0; i < 2; i++) {
        assert_true(atol(result(w, ends[i], "share.sent_bytes")) > 1000000);
        assert_string_equal(result(w, ends[i], "share.sent_bytes"),
                            result(w, ends[!i], "share.received_bytes"));
        assert_string_equal(result(w, ends[i], "share.sent_sha256"),
                            result(w, ends[!i], "share.received_sha256"));
    }
    assert_string_not_equal(result(w, "cms", "share.sent_sha256"), result(w, "cms", "share.received_sha256"));
    assert_true(w->core[CLIENT].ops->deadline(w->core[CLIENT].self) == TIME_NEVER);
    assert_true(w->core[CMS].ops->deadline(w->core[CMS].self) == TIME_NEVER);
}

static void the_call(void **state)
{
    (void)state;
    static const struct {
        const char *host, *text;
    } reference[] = {
        {"cms", "Allocate request"},
        {"expressway-e", "Allocate error 401"},
        {"cms", "Allocate request"},
        {"expressway-e", "Allocate success"},
        {"cms", "Refresh request"},
        {"expressway-e", "Refresh success"},
        {"expressway-e", "ConnectionAttempt indication"},
        {"cms", "ConnectionBind request"},
        {"expressway-e", "ConnectionBind success"},
        {"expressway-e", "Binding indication"},
    };
    static const size_t lens[] = {98, 230, 202, 166, 190, 142, 154, 190, 142, 82};
    struct lab w;
    lab_init(&w);
    lab_start(&w);
    lab_run(&w);
    pipe_run_until(w.p, 120 * NS_S);
    dump(&w);
    assert_whole(&w);
    size_t n, at = 0;
    const struct pipe_entry *log = pipe_log(w.p, &n);
    for (size_t i = 0; i < n && at < sizeof reference / sizeof *reference; i++) {
        if (strcmp(log[i].host, reference[at].host) != 0 || strcmp(log[i].text, reference[at].text) != 0)
            continue;
        assert_int_equal(54 + log[i].len, lens[at]);
        at++;
    }
    assert_int_equal(at, 10);
    lab_end(&w);
}

/* Who connects to whom: the Edge's relay to the Expressway's, the other way, or both at once from the same
 * ports. */
static void the_other_ways(void **state)
{
    (void)state;
    static const struct {
        const struct turn_profile *profile;
        bool edge_connects, cms_connects;
        unsigned attempts, connects, permissions;
    } ways[] = {
        {&turn_expressway, false, true, 0, 1, 0},
        {&turn_strict, true, false, 1, 0, 1},
        {&turn_strict, false, true, 0, 1, 1},
        {&turn_strict, true, true, 1, 1, 1},
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct lab w;
        lab_init(&w);
        w.e.turn.profile = ways[i].profile;
        w.cms.create_permission = ways[i].permissions;
        w.cms.connect = ways[i].cms_connects;
        w.edge.connect_out = ways[i].edge_connects;
        lab_start(&w);
        lab_run(&w);
        pipe_run_until(w.p, 120 * NS_S);
        dump(&w);
        assert_whole(&w);
        assert_int_equal(pipe_count(w.p, "CreatePermission request"), ways[i].permissions);
        assert_int_equal(pipe_count(w.p, "ConnectionAttempt indication"), ways[i].attempts);
        assert_int_equal(pipe_count(w.p, "Connect request"), ways[i].connects);
        lab_end(&w);
    }
}

/* ---- what goes wrong ---- */

/* Between the pipe and a system: from a moment on, the system hears nothing more on its connections, or one
 * kind of them is reset. */
struct meddler {
    struct core inner;
    uint64_t from_ns;
    uint16_t reset_port; /* of connections accepted there; 0: deaf instead */
    io_id victim;
    bool done;
};
static struct meddler meddler; /* one at a time */

static void meddle(void *self, const struct io_in *in)
{
    struct meddler *m = self;
    struct io *io = m->inner.io;
    if (in->event == IO_ACCEPTED && in->local.port == m->reset_port && m->victim == IO_NONE)
        m->victim = in->id;
    if (m->reset_port == 0 && io_now(io) >= m->from_ns && in->event == IO_DATA)
        return;
    m->inner.ops->input(m->inner.self, in);
    if (m->victim == IO_NONE || m->done || io_now(io) < m->from_ns)
        return;
    m->done = true;
    io_abort(io, m->victim);
    m->inner.ops->input(m->inner.self, &(struct io_in){.event = IO_CLOSED, .id = m->victim, .err = -13});
}

static uint64_t meddled_deadline(const void *self)
{
    const struct meddler *m = self;
    uint64_t t = m->inner.ops->deadline(m->inner.self);
    return m->victim != IO_NONE && !m->done ? time_min(t, m->from_ns) : t;
}

static void meddled_free(void *self)
{
    struct meddler *m = self;
    m->inner.ops->free(m->inner.self);
}

static const struct core_ops meddler_ops = {meddle, meddled_deadline, meddled_free};

static void put_between(struct lab *w, int system, uint64_t from_ns, uint16_t reset_port)
{
    meddler = (struct meddler){.inner = w->core[system], .from_ns = from_ns, .reset_port = reset_port};
    w->core[system] = (struct core){&meddler_ops, &meddler, meddler.inner.io};
}

struct mishap {
    void (*before)(struct lab *w); /* of the configuration, and the world */
    void (*during)(struct lab *w); /* at 20.1 s: the share's INVITE has been answered */
    int deaf;                      /* a system that hears nothing more from deaf_ns on; -1: none */
    uint64_t deaf_ns;
    uint16_t reset_port;
    const char *host, *text, *remote; /* the first failure noted */
    const char *phase;                /* the last phase noted */
};

static void wrong_password(struct lab *w)
{
    w->cms.turn_password = "wrong";
}

static void turn_black_hole(struct lab *w)
{
    pipe_policy(w->p, E_IP ":3478", PIPE_BLACK_HOLE);
}

static void turn_closed(struct lab *w)
{
    pipe_policy(w->p, E_IP ":3478", PIPE_REFUSE);
}

static void relay_black_hole(struct lab *w)
{
    pipe_policy(w->p, E_IP ":24000", PIPE_BLACK_HOLE);
}

static void impatient_client(struct lab *w)
{
    relay_black_hole(w);
    w->client.ice_timeout_ns = 3 * NS_S;
}

static void attendee(struct lab *w)
{
    w->client.attendee = true;
}

static void strict_relay(struct lab *w)
{
    w->e.turn.profile = &turn_strict;
}

static void denied_peer(struct lab *w)
{
    static struct ip_prefix deny;
    assert_int_equal(prefix_parse("192.168.1.0/24", &deny), 0);
    w->e.turn.deny_peer = &deny;
    w->e.turn.deny_peer_count = 1;
    w->cms.create_permission = true;
}

static void edge_443_black_hole(struct lab *w)
{
    pipe_policy(w->p, EDGE_IP ":443", PIPE_BLACK_HOLE);
}

static void edge_443_and_direct(struct lab *w)
{
    edge_443_black_hole(w);
    relay_black_hole(w);
    w->client.host_candidates = true;
}

static void federation_black_hole(struct lab *w)
{
    pipe_policy(w->p, E_IP ":5061", PIPE_BLACK_HOLE);
}

static void zone_black_hole(struct lab *w)
{
    pipe_policy(w->p, E_IP ":7001", PIPE_BLACK_HOLE);
}

static const struct mishap mishaps[] = {
    {wrong_password, NULL, -1, 0, 0, "cms", "the TURN server answered Allocate with error 401", E_IP ":3478",
     "allocate"},
    {turn_black_hole, NULL, -1, 0, 0, "cms", "the TURN server did not answer within 20 s", E_IP ":3478",
     "allocate"},
    {turn_closed, NULL, -1, 0, 0, "cms", "the TURN server cannot be reached: refused", E_IP ":3478",
     "allocate"},
    {relay_black_hole, NULL, -1, 0, 0, "cms",
     "no ConnectionAttempt within 20 s: nothing reached the relayed address " E_IP ":24000", EDGE_IP ":53577",
     "connect"},
    {strict_relay, NULL, -1, 0, 0, "cms", "no ConnectionAttempt within 20 s", EDGE_IP ":53577", "connect"},
    {impatient_client, NULL, -1, 0, 0, "skype-client", "no media path: ", E_IP ":24000", "connect"},
    {denied_peer, NULL, -1, 0, 0, "cms", "the TURN server answered CreatePermission with error 403",
     E_IP ":3478", "allocate"},
    {attendee, NULL, -1, 0, 0, "skype-client",
     "answered with 403 Forbidden, ms-diagnostics-public: 21002;reason=\"Attendees cannot share in this "
     "conference\"",
     NULL, "invite"},
    {NULL, turn_black_hole, -1, 0, 0, "cms", "ConnectionBind was not answered within 20 s", E_IP ":3478",
     "bind"},
    {edge_443_black_hole, NULL, -1, 0, 0, "skype-client", "no relay at the Skype Edge: ", EDGE_IP ":443",
     NULL},
    {edge_443_and_direct, NULL, -1, 0, 0, "cms", "no ConnectionAttempt within 20 s", CLIENT_IP ":50040",
     "connect"},
    {federation_black_hole, NULL, -1, 0, 0, "skype-edge", "cannot connect to Expressway-E for SIP: timed out",
     E_IP ":5061", NULL},
    {zone_black_hole, NULL, -1, 0, 0, "expressway-c",
     "cannot connect to Expressway-E (traversal zone) for SIP: timed out", E_IP ":7001", NULL},
    {NULL, NULL, EXP_E, 24 * NS_S, 3478, "cms", "the share broke: the connection", EDGE_IP ":53577", "share"},
    {NULL, NULL, CMS, 24 * NS_S, 0, "cms", "the share stalled", EDGE_IP ":53577", "share"},
    {NULL, NULL, CLIENT, 24 * NS_S, 0, "skype-client", "the share stalled", E_IP ":24000", "share"},
    {NULL, NULL, CLIENT, 20150 * NS_MS, 0, "skype-client", "no answer to the check", E_IP ":24000", "checks"},
    {NULL, NULL, CMS, 20150 * NS_MS, 0, "skype-client", "no answer to the check", E_IP ":24000", "checks"},
    {NULL, NULL, CMS, 20192 * NS_MS, 0, "cms", "no re-INVITE within 32 s", NULL, "reinvite"},
};

static const struct pipe_entry *first_failure(const struct lab *w)
{
    size_t n;
    const struct pipe_entry *log = pipe_log(w->p, &n);
    for (size_t i = 0; i < n; i++)
        if (log[i].is_note && log[i].note == NOTE_FAIL)
            return &log[i];
    return NULL;
}

static const char *last_phase(const struct lab *w)
{
    size_t n;
    const struct pipe_entry *log = pipe_log(w->p, &n);
    const char *phase = NULL;
    for (size_t i = 0; i < n; i++)
        if (log[i].is_note && log[i].note == NOTE_PHASE)
            phase = log[i].text;
    return phase;
}

/* Each ends with the right words, from the right system, about the right peer; and no timer runs on at the
 * ends. */
static void each_mishap_is_told(void **state)
{
    (void)state;
    bool ok = true;
    for (size_t i = 0; i < sizeof mishaps / sizeof *mishaps; i++) {
        const struct mishap *m = &mishaps[i];
        struct lab w;
        char at[ENDPOINT_TEXT] = "none";
        lab_init(&w);
        if (m->before)
            m->before(&w);
        lab_start(&w);
        if (m->deaf >= 0)
            put_between(&w, m->deaf, m->deaf_ns, m->reset_port);
        lab_run(&w);
        pipe_run_until(w.p, 20100 * NS_MS);
        if (m->during)
            m->during(&w);
        pipe_run_until(w.p, 200 * NS_S);
        const struct pipe_entry *f = first_failure(&w);
        const char *phase = last_phase(&w);
        if (f && f->remote.port)
            endpoint_text(&f->remote, at);
        bool right = f && strcmp(f->host, m->host) == 0 && strstr(f->text, m->text) &&
                     strcmp(at, m->remote ? m->remote : "none") == 0 &&
                     (m->phase ? phase && strcmp(phase, m->phase) == 0 : !phase) &&
                     w.core[CLIENT].ops->deadline(w.core[CLIENT].self) == TIME_NEVER &&
                     w.core[CMS].ops->deadline(w.core[CMS].self) == TIME_NEVER;
        if (!right) {
            print_error("mishap %zu (%s): %s: %s (%s) in phase %s\n", i, m->text, f ? f->host : "-",
                        f ? f->text : "-", at, phase ? phase : "-");
            dump(&w);
        }
        ok = ok && right;
        lab_end(&w);
    }
    assert_true(ok);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_call),
        cmocka_unit_test(the_other_ways),
        cmocka_unit_test(each_mishap_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
