/* SPDX-License-Identifier: GPL-2.0-or-later */
/* User agents over UDP, which loses, doubles and delays; several listeners; calls over a connection that the other side
 * has opened; and whether a call still is one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/sip/ua.h"
#include "models/testkit/pipe.h"
#include "models/testkit/testkit.h"

struct agent {
    struct io *io;
    struct core core;
    struct sip_ua *ua;
    struct sip_call *call;
    bool answer, deaf; /* answer INVITEs at once; hear nothing */
    char log[1024];
};

static const char *const kinds[] = {
    [SIP_LINK_UP] = "link-up",     [SIP_LINK_DOWN] = "link-down", [SIP_INVITED] = "invited",
    [SIP_REINVITED] = "reinvited", [SIP_PROGRESS] = "progress",   [SIP_ANSWERED] = "answered",
    [SIP_CONFIRMED] = "confirmed", [SIP_REFUSED] = "refused",     [SIP_REINVITE_REFUSED] = "reinvite-refused",
    [SIP_ENDED] = "ended"};

static void input(void *self, const struct io_in *in)
{
    struct agent *a = self;
    struct sip_ua_event ev;
    if (a->deaf && in->event != IO_START && in->event != IO_TICK)
        return;
    sip_ua_input(a->ua, in);
    while (sip_ua_poll(a->ua, &ev)) {
        size_t used = strlen(a->log);
        snprintf(a->log + used, sizeof a->log - used, ev.code ? "%s:%u " : "%s ", kinds[ev.kind], ev.code);
        a->call = ev.kind == SIP_ENDED || ev.kind == SIP_REFUSED ? NULL : ev.call;
        if ((ev.kind == SIP_INVITED || ev.kind == SIP_REINVITED) && a->answer)
            sip_ua_answer(a->ua, ev.call, "v=0\r\n");
    }
}

static uint64_t deadline(const void *self)
{
    return sip_ua_deadline(((const struct agent *)self)->ua);
}

static const struct core_ops ops = {.input = input, .deadline = deadline};

static void agent_new(struct agent *a, struct pipe *p, const char *ip, const struct sip_ua_config *cfg)
{
    struct sip_ua_config c = *cfg;
    c.uri = "sip:a@example.com";
    c.agent = "test";
    *a = (struct agent){.io = io_new(ip, 1)};
    a->ua = sip_ua_new(a->io, 1, &c);
    a->core = (struct core){&ops, a, a->io};
    pipe_host(p, &a->core, ip);
}

struct pair {
    struct pipe *p;
    struct agent a, b;
};

/* a, whose outbound proxy over UDP is b. */
static void pair_start(struct pair *w, uint64_t keep_alive_ns)
{
    w->p = pipe_new(10 * NS_MS);
    agent_new(&w->b, w->p, "10.0.0.2", &(struct sip_ua_config){.listen_udp = kit_endpoint("10.0.0.2:5060")});
    agent_new(&w->a, w->p, "10.0.0.1",
              &(struct sip_ua_config){.listen_udp = kit_endpoint("10.0.0.1:5060"),
                                      .server_udp = kit_endpoint("10.0.0.2:5060"),
                                      .keep_alive_ns = keep_alive_ns});
    pipe_run_for(w->p, NS_S);
}

static void agent_free(struct agent *a)
{
    sip_ua_free(a->ua);
    io_free(a->io);
}

static void pair_end(struct pair *w)
{
    agent_free(&w->a);
    agent_free(&w->b);
    pipe_free(w->p);
}

static void call(struct pair *w)
{
    assert_non_null(w->a.call = sip_ua_invite(w->a.ua, "sip:b@example.com", "v=0\r\n", ""));
}

/* When a host sent that message, in ms since t_ns: "0 500 1500 ". */
static const char *times(struct pair *w, const char *host, const char *label, uint64_t t_ns)
{
    static char out[512];
    struct text t = text_of(out, sizeof out);
    size_t n;
    const struct pipe_entry *log = pipe_log(w->p, &n);
    for (size_t i = 0; i < n; i++)
        if (!log[i].is_note && log[i].t_ns >= t_ns && strcmp(log[i].host, host) == 0 && strcmp(log[i].text, label) == 0)
            text_add(&t, "%u ", (unsigned)((log[i].t_ns - t_ns) / NS_MS));
    return out;
}

/* 17.1.1.2: A doubles without end until B ends it at 64*T1. */
static void timers_a_and_b(void **state)
{
    (void)state;
    struct pair w;
    pair_start(&w, 0);
    w.b.deaf = true;
    call(&w);
    pipe_run_for(w.p, 40 * NS_S);
    assert_string_equal(times(&w, "10.0.0.1", "INVITE", NS_S), "0 500 1500 3500 7500 15500 31500 ");
    assert_string_equal(w.a.log, "refused:408 ");
    assert_int_equal(sip_ua_deadline(w.a.ua), TIME_NEVER);
    pair_end(&w);
}

/* 17.1.2.2: E doubles up to T2, until F. */
static void timers_e_and_f(void **state)
{
    (void)state;
    struct pair w;
    pair_start(&w, 0);
    w.b.answer = true;
    call(&w);
    pipe_run_for(w.p, NS_S);
    assert_string_equal(w.a.log, "progress:100 answered:200 ");
    w.b.deaf = true;
    sip_ua_hangup(w.a.ua, w.a.call, "");
    pipe_run_for(w.p, 40 * NS_S);
    assert_string_equal(times(&w, "10.0.0.1", "BYE", 2 * NS_S),
                        "0 500 1500 3500 7500 11500 15500 19500 23500 27500 31500 ");
    assert_string_equal(w.a.log, "progress:100 answered:200 ended:408 ");
    pair_end(&w);
}

/* 17.2.1: G repeats a refusal up to every T2 until the ACK, or H. */
static void timers_g_and_h(void **state)
{
    (void)state;
    struct pair w;
    pair_start(&w, 0);
    call(&w);
    pipe_run_for(w.p, NS_S);
    w.a.deaf = true;
    sip_ua_refuse(w.b.ua, w.b.call, 486, "");
    pipe_run_for(w.p, 8 * NS_S);
    assert_string_equal(times(&w, "10.0.0.2", "486 Busy Here (INVITE)", 2 * NS_S), "0 500 1500 3500 7500 ");
    w.a.deaf = false; /* from now on it is heard, and acknowledged */
    pipe_run_for(w.p, 60 * NS_S);
    assert_string_equal(times(&w, "10.0.0.2", "486 Busy Here (INVITE)", 2 * NS_S), "0 500 1500 3500 7500 11500 ");
    assert_string_equal(w.a.log, "progress:100 refused:486 ");
    assert_int_equal(pipe_count(w.p, "ACK"), 1);
    assert_true(sip_ua_deadline(w.a.ua) == TIME_NEVER && sip_ua_deadline(w.b.ua) == TIME_NEVER);
    pair_end(&w);
}

/* Whatever is lost, doubled or late: one call for both, changed once, ended once. */
static void calls_survive_trouble(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct pair w;
        pair_start(&w, 0);
        pipe_trouble(w.p, seed, 25, 25, 25);
        w.a.answer = w.b.answer = true;
        call(&w);
        pipe_run_for(w.p, 30 * NS_S);
        assert_non_null(strstr(w.a.log, "answered:200 "));
        assert_string_equal(w.b.log, "invited confirmed ");
        w.a.log[0] = w.b.log[0] = '\0';
        assert_true(sip_call_quiet(w.b.call));
        sip_ua_reinvite(w.b.ua, w.b.call, "v=0\r\n");
        pipe_run_for(w.p, 30 * NS_S);
        assert_string_equal(w.a.log, "reinvited confirmed ");
        assert_non_null(strstr(w.b.log, "answered:200 "));
        sip_ua_hangup(w.a.ua, w.a.call, "");
        pipe_run_for(w.p, 80 * NS_S);
        assert_string_equal(w.a.log, "reinvited confirmed ended:200 ");
        assert_non_null(strstr(w.b.log, "ended:200 "));
        assert_true(sip_ua_deadline(w.a.ua) == TIME_NEVER && sip_ua_deadline(w.b.ua) == TIME_NEVER);
        pair_end(&w);
    }
}

/* CANCEL and the answer cross: either the call never was, or it is hung up at once; both sides see the same. */
static void cancel_and_answer_cross(void **state)
{
    (void)state;
    for (unsigned ms = 0; ms <= 40; ms += 5) {
        struct pair w;
        pair_start(&w, 0);
        call(&w);
        pipe_run_for(w.p, 30 * NS_MS);
        sip_ua_hangup(w.a.ua, w.a.call, "");
        pipe_run_for(w.p, ms * NS_MS);
        if (w.b.call)
            sip_ua_answer(w.b.ua, w.b.call, "v=0\r\n");
        pipe_run_for(w.p, 40 * NS_S);
        bool never = strstr(w.a.log, "refused:487 ") && strstr(w.b.log, "ended:487 ");
        bool over = strstr(w.a.log, "ended:200 ") && strstr(w.b.log, "ended:200 ");
        assert_true(never != over);
        assert_true(over == (ms < 10));
        pair_end(&w);
    }
}

/* 12.2.1.2: a quiet call is asked; a side that has forgotten it says 481, one that is gone says nothing. */
static void is_the_call_still_one(void **state)
{
    (void)state;
    struct pair w;
    pair_start(&w, 60 * NS_S);
    w.b.answer = true;
    call(&w);
    pipe_run_for(w.p, 150 * NS_S);
    assert_int_equal(pipe_count(w.p, "OPTIONS"), 2);
    assert_string_equal(w.a.log, "progress:100 answered:200 ");
    sip_ua_free(w.b.ua); /* started anew, it knows of no call; its socket was its io's first */
    io_close(w.b.io, (io_id)1 << IO_OWNER_SHIFT | 1);
    struct sip_ua_config again = {.listen_udp = kit_endpoint("10.0.0.2:5060"), .uri = "sip:b@b", .agent = "test"};
    w.b.ua = sip_ua_new(w.b.io, 1, &again);
    sip_ua_input(w.b.ua, &(struct io_in){.event = IO_START});
    pipe_run_for(w.p, 60 * NS_S);
    assert_string_equal(w.a.log, "progress:100 answered:200 ended:481 ");
    pipe_run_for(w.p, 60 * NS_S);
    assert_int_equal(sip_ua_deadline(w.a.ua), TIME_NEVER);
    pair_end(&w);
    pair_start(&w, 60 * NS_S);
    w.b.answer = true;
    call(&w);
    pipe_run_for(w.p, NS_S);
    w.b.deaf = true;
    pipe_run_for(w.p, 93 * NS_S);
    assert_string_equal(w.a.log, "progress:100 answered:200 ended:408 ");
    pair_end(&w);
}

/* b listens on three ports and calls a, which opened the connection. */
static void a_call_over_the_other_sides_connection(void **state)
{
    (void)state;
    struct pair w = {.p = pipe_new(10 * NS_MS)};
    agent_new(&w.b, w.p, "10.0.0.2",
              &(struct sip_ua_config){.listen = {kit_endpoint("10.0.0.2:5061"), kit_endpoint("10.0.0.2:5060")},
                                      .listen_udp = kit_endpoint("10.0.0.2:5060")});
    agent_new(&w.a, w.p, "10.0.0.1", &(struct sip_ua_config){.server = kit_endpoint("10.0.0.2:5060")});
    assert_null(sip_ua_invite(w.b.ua, "sip:a@example.com", "v=0\r\n", ""));
    pipe_run_for(w.p, NS_S);
    w.a.answer = true;
    assert_non_null(sip_ua_invite(w.b.ua, "sip:a@example.com", "v=0\r\n", ""));
    pipe_run_for(w.p, NS_S);
    assert_string_equal(w.b.log, "progress:100 answered:200 ");
    assert_string_equal(w.a.log, "link-up invited confirmed ");
    pair_end(&w);
}

static void limits(void **state)
{
    (void)state;
    struct pair w;
    struct sip_ua_config cfg = {.listen_udp = kit_endpoint("10.0.0.2:5060"), .calls_max = 2};
    w.p = pipe_new(10 * NS_MS);
    agent_new(&w.b, w.p, "10.0.0.2", &cfg);
    cfg = (struct sip_ua_config){.listen_udp = kit_endpoint("10.0.0.1:5060"),
                                 .server_udp = kit_endpoint("10.0.0.2:5060")};
    agent_new(&w.a, w.p, "10.0.0.1", &cfg);
    w.b.answer = true;
    pipe_run_for(w.p, NS_S);
    for (int i = 0; i < 3; i++) {
        call(&w);
        pipe_run_for(w.p, NS_S);
    }
    assert_non_null(strstr(w.a.log, "answered:200 progress:100 answered:200 refused:486 "));
    pair_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_a_and_b),
        cmocka_unit_test(timers_e_and_f),
        cmocka_unit_test(timers_g_and_h),
        cmocka_unit_test(calls_survive_trouble),
        cmocka_unit_test(cancel_and_answer_cross),
        cmocka_unit_test(is_the_call_still_one),
        cmocka_unit_test(a_call_over_the_other_sides_connection),
        cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
