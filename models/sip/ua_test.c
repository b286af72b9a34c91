/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two user agents, and a raw connection where one of them has to misbehave. */
#include "models/sip/ua.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/testkit/pipe.h"
#include "models/testkit/testkit.h"

struct agent {
    struct io *io;
    struct core core;
    struct sip_ua *ua;
    struct sip_call *call;
    bool answer; /* INVITEs at once */
    char log[1024], id[64];
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
    sip_ua_input(a->ua, in);
    while (sip_ua_poll(a->ua, &ev)) {
        size_t used = strlen(a->log);
        snprintf(a->log + used, sizeof a->log - used, ev.code ? "%s:%u " : "%s ", kinds[ev.kind], ev.code);
        if (ev.call)
            a->call = ev.call;
        if ((ev.kind == SIP_INVITED || ev.kind == SIP_REINVITED) && a->answer)
            sip_ua_answer(a->ua, ev.call, "v=0\r\n");
        if (ev.kind == SIP_INVITED)
            snprintf(a->id, sizeof a->id, "%s", sip_call_id(ev.call));
    }
}

static uint64_t deadline(const void *self)
{
    return sip_ua_deadline(((const struct agent *)self)->ua);
}

static const struct core_ops ops = {.input = input, .deadline = deadline};

static void agent_new(struct agent *a, struct pipe *p, const char *ip, const char *server, bool answer)
{
    char listen[32];
    snprintf(listen, sizeof listen, "%s:5061", ip);
    struct sip_ua_config cfg = {.uri = "sip:a@example.com", .agent = "test"};
    if (server)
        cfg.server = kit_endpoint(server);
    else
        cfg.listen[0] = kit_endpoint(listen);
    *a = (struct agent){.io = io_new(ip, 1), .answer = answer};
    a->ua = sip_ua_new(a->io, 1, &cfg);
    a->core = (struct core){&ops, a, a->io};
    pipe_host(p, &a->core, ip);
}

static void agent_free(struct agent *a)
{
    sip_ua_free(a->ua);
    io_free(a->io);
}

struct pair {
    struct pipe *p;
    struct agent a, b;
};

/* a calls b, who answers or leaves it. In place, as the pipe keeps pointers to the cores. */
static void pair_start(struct pair *w, bool answer)
{
    w->p = pipe_new(10 * NS_MS);
    agent_new(&w->b, w->p, "10.0.0.2", NULL, answer);
    agent_new(&w->a, w->p, "10.0.0.1", "10.0.0.2:5061", false);
    pipe_run_for(w->p, NS_S);
    assert_string_equal(w->a.log, "link-up ");
    w->a.log[0] = '\0';
    assert_non_null(sip_ua_invite(w->a.ua, "sip:b@example.com", "v=0\r\n", ""));
    pipe_run_for(w->p, NS_S);
}

static void pair_end(struct pair *w)
{
    agent_free(&w->a);
    agent_free(&w->b);
    pipe_free(w->p);
}

static void a_call_is_made_changed_and_ended(void **state)
{
    (void)state;
    struct pair w;
    pair_start(&w, true);
    assert_string_equal(w.a.log, "progress:100 answered:200 ");
    assert_string_equal(w.b.log, "invited confirmed ");
    assert_string_equal(sip_call_id(w.a.call), w.b.id);
    assert_true(sip_call_up(w.a.call) && sip_call_up(w.b.call));
    sip_ua_reinvite(w.b.ua, w.b.call, "v=0\r\n"); /* from the side that was called */
    w.a.answer = true;
    pipe_run_for(w.p, NS_S);
    assert_string_equal(w.a.log, "progress:100 answered:200 reinvited confirmed ");
    assert_string_equal(w.b.log, "invited confirmed progress:100 answered:200 ");
    sip_ua_hangup(w.a.ua, w.a.call, "");
    pipe_run_for(w.p, NS_S);
    assert_non_null(strstr(w.a.log, "confirmed ended:200 "));
    assert_non_null(strstr(w.b.log, "answered:200 ended:200 "));
    assert_true(sip_ua_deadline(w.a.ua) == TIME_NEVER && sip_ua_deadline(w.b.ua) == TIME_NEVER);
    assert_int_equal(pipe_count(w.p, "re-INVITE"), 1);
    assert_int_equal(pipe_count(w.p, "200 OK (INVITE)"), 2);
    assert_int_equal(pipe_count(w.p, "ACK"), 2);
    pair_end(&w);
}

static void a_refusal_ends_it(void **state)
{
    (void)state;
    struct pair w;
    pair_start(&w, false);
    sip_ua_refuse(w.b.ua, w.b.call, 403, "ms-diagnostics-public: 21002\r\n");
    pipe_run_for(w.p, NS_S);
    assert_string_equal(w.a.log, "progress:100 refused:403 ");
    assert_int_equal(pipe_count(w.p, "ACK"), 1);
    assert_true(sip_ua_deadline(w.a.ua) == TIME_NEVER && sip_ua_deadline(w.b.ua) == TIME_NEVER);
    pair_end(&w);
}

static void cancel_before_the_answer(void **state)
{
    (void)state;
    struct pair w;
    pair_start(&w, false);
    sip_ua_hangup(w.a.ua, w.a.call, "");
    pipe_run_for(w.p, NS_S);
    assert_string_equal(w.a.log, "progress:100 refused:487 ");
    assert_string_equal(w.b.log, "invited ended:487 ");
    assert_int_equal(pipe_count(w.p, "CANCEL"), 1);
    assert_int_equal(pipe_count(w.p, "200 OK (CANCEL)"), 1);
    pair_end(&w);
}

static void the_called_side_may_give_up_first(void **state)
{
    (void)state;
    struct pair w;
    pair_start(&w, false);
    sip_ua_hangup(w.b.ua, w.b.call, "");
    pipe_run_for(w.p, NS_S);
    assert_string_equal(w.a.log, "progress:100 refused:487 ");
    assert_string_equal(w.b.log, "invited ended:487 ");
    pair_end(&w);
}

static void both_change_it_at_once(void **state)
{
    (void)state;
    struct pair w;
    pair_start(&w, true);
    w.a.log[0] = w.b.log[0] = '\0';
    sip_ua_reinvite(w.a.ua, w.a.call, "v=0\r\n");
    sip_ua_reinvite(w.b.ua, w.b.call, "v=0\r\n");
    pipe_run_for(w.p, NS_S);
    assert_string_equal(w.a.log, "reinvite-refused:491 ");
    assert_string_equal(w.b.log, "reinvite-refused:491 ");
    assert_true(sip_call_up(w.a.call) && sip_call_up(w.b.call));
    pair_end(&w);
}

static void no_way_through(void **state)
{
    (void)state;
    struct agent a;
    struct pipe *p = pipe_new(10 * NS_MS);
    agent_new(&a, p, "10.0.0.1", "10.0.0.9:5061", false);
    pipe_policy(p, "10.0.0.9:5061", PIPE_BLACK_HOLE);
    pipe_run_for(p, 11 * NS_S);
    assert_string_equal(a.log, "link-down ");
    assert_null(sip_ua_invite(a.ua, "sip:b@b", "", ""));
    raw_listen(p, "10.0.0.9:5061");
    pipe_policy(p, "10.0.0.9:5061", PIPE_ACCEPT);
    pipe_run_for(p, 2 * NS_S); /* tried again by itself */
    assert_string_equal(a.log, "link-down link-up ");
    agent_free(&a);
    pipe_free(p);
}

/* Timer B: the INVITE arrives, nobody answers. Then a garbled answer ends the connection. */
static void silence_and_garbage(void **state)
{
    (void)state;
    struct agent a;
    struct pipe *p = pipe_new(10 * NS_MS);
    raw_listen(p, "10.0.0.9:5061");
    agent_new(&a, p, "10.0.0.1", "10.0.0.9:5061", false);
    pipe_run_for(p, NS_S);
    struct raw *r = raw_accepted(p, "10.0.0.9:5061");
    assert_non_null(r);
    assert_non_null(sip_ua_invite(a.ua, "sip:b@b", "v=0\r\n", ""));
    pipe_run_for(p, 31 * NS_S);
    assert_string_equal(a.log, "link-up ");
    pipe_run_for(p, 2 * NS_S);
    assert_string_equal(a.log, "link-up refused:408 ");
    raw_send(p, r, "SIP/2.0 nonsense\r\n\r\n", 20);
    pipe_run_for(p, NS_S);
    assert_string_equal(a.log, "link-up refused:408 link-down ");
    assert_int_equal(r->err, E_RESET);
    agent_free(&a);
    pipe_free(p);
}

/* 13.3.1.4: a 200 whose ACK is lost is repeated at 0.5, 1.5, 3.5, 7.5, 11.5, ... s, and the call ends after
 * 32 s. */
static void the_ack_never_comes(void **state)
{
    (void)state;
    static const char invite[] =
        "INVITE sip:b@b SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.1:9;branch=z9hG4bK1\r\n"
        "Record-Route: <sip:p2;lr>, <sip:p1;lr>\r\nFrom: <sip:a@a>;tag=1\r\nTo: <sip:b@b>\r\n"
        "Call-ID: 1\r\nCSeq: 1 INVITE\r\nContact: <sip:a@10.0.0.1:9>\r\nContent-Length: 0\r\n\r\n";
    struct agent b;
    struct pipe *p = pipe_new(10 * NS_MS);
    agent_new(&b, p, "10.0.0.2", NULL, true);
    struct raw *r = raw_connect(p, "10.0.0.1:9", "10.0.0.2:5061");
    pipe_run_for(p, NS_S);
    raw_send(p, r, invite, sizeof invite - 1);
    pipe_run_for(p, 12 * NS_S);
    assert_int_equal(pipe_count(p, "200 OK (INVITE)"), 6);
    pipe_run_for(p, 22 * NS_S);
    assert_string_equal(b.log, "invited ended:408 ");
    char *got = strndup((const char *)r->got, r->got_len);
    const char *bye = strstr(got, "BYE sip:a@10.0.0.1:9 SIP/2.0\r\n");
    assert_non_null(bye);
    const char *first = strstr(bye, "Route: <sip:p2;lr>\r\n"); /* 12.1.1: as they stood */
    assert_non_null(first);
    assert_non_null(strstr(first, "Route: <sip:p1;lr>\r\n"));
    free(got);
    agent_free(&b);
    pipe_free(p);
}

static void strays_are_answered(void **state)
{
    (void)state;
    static const struct {
        const char *method, *to, *want;
    } rows[] = {{"BYE", ";tag=9", "SIP/2.0 481 "}, {"INVITE", ";tag=9", "SIP/2.0 481 "},
                {"CANCEL", "", "SIP/2.0 481 "},    {"OPTIONS", "", "SIP/2.0 200 "},
                {"SUBSCRIBE", "", "SIP/2.0 405 "}, {"ACK", ";tag=9", NULL}};
    struct agent b;
    struct pipe *p = pipe_new(10 * NS_MS);
    agent_new(&b, p, "10.0.0.2", NULL, true);
    struct raw *r = raw_connect(p, "10.0.0.1:9", "10.0.0.2:5061");
    pipe_run_for(p, NS_S);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char m[512];
        int n = snprintf(m, sizeof m,
                         "%s sip:b@b SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z\r\nFrom: <sip:a@a>;tag=1\r\n"
                         "To: <sip:b@b>%s\r\nCall-ID: 1\r\nCSeq: 1 %s\r\nContent-Length: 0\r\n\r\n",
                         rows[i].method, rows[i].to, rows[i].method);
        raw_send(p, r, m, (size_t)n);
        pipe_run_for(p, NS_S);
        assert_true((r->got_len > 0) == (rows[i].want != NULL));
        if (rows[i].want)
            assert_memory_equal(r->got, rows[i].want, strlen(rows[i].want));
        raw_forget(r, r->got_len);
    }
    assert_string_equal(b.log, "");
    agent_free(&b);
    pipe_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_is_made_changed_and_ended),
        cmocka_unit_test(a_refusal_ends_it),
        cmocka_unit_test(cancel_before_the_answer),
        cmocka_unit_test(the_called_side_may_give_up_first),
        cmocka_unit_test(both_change_it_at_once),
        cmocka_unit_test(no_way_through),
        cmocka_unit_test(silence_and_garbage),
        cmocka_unit_test(the_ack_never_comes),
        cmocka_unit_test(strays_are_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
