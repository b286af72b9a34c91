/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The signalling path of the lab: client, Edge, Expressway-E, Expressway-C, server. */
#include "models/sip/proxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/sip/ua.h"
#include "models/testkit/pipe.h"
#include "models/testkit/testkit.h"

struct hop {
    struct io *io;
    struct core core;
    struct sip_proxy *proxy;
};

struct agent {
    struct io *io;
    struct core core;
    struct sip_ua *ua;
    struct sip_call *call;
    unsigned invited, answered, confirmed, ended, refused;
};

struct path {
    struct pipe *p;
    struct hop edge, e, c;
    struct agent client, server;
};

static void hop_input(void *self, const struct io_in *in)
{
    sip_proxy_input(((struct hop *)self)->proxy, in);
}

static uint64_t hop_deadline(const void *self)
{
    return sip_proxy_deadline(((const struct hop *)self)->proxy);
}

static void agent_input(void *self, const struct io_in *in)
{
    struct agent *a = self;
    struct sip_ua_event ev;
    sip_ua_input(a->ua, in);
    while (sip_ua_poll(a->ua, &ev)) {
        a->call = ev.call ? ev.call : a->call;
        a->invited += ev.kind == SIP_INVITED || ev.kind == SIP_REINVITED;
        a->answered += ev.kind == SIP_ANSWERED;
        a->confirmed += ev.kind == SIP_CONFIRMED;
        a->ended += ev.kind == SIP_ENDED;
        a->refused = ev.kind == SIP_REFUSED ? ev.code : a->refused;
        if (ev.kind == SIP_INVITED || ev.kind == SIP_REINVITED)
            sip_ua_answer(a->ua, ev.call, "v=0\r\n");
    }
}

static uint64_t agent_deadline(const void *self)
{
    return sip_ua_deadline(((const struct agent *)self)->ua);
}

static const struct core_ops hop_ops = {.input = hop_input, .deadline = hop_deadline};
static const struct core_ops agent_ops = {.input = agent_input, .deadline = agent_deadline};

static void hop_new(struct path *w, struct hop *h, const char *name, const char *ip,
                    struct sip_proxy_config cfg)
{
    cfg.agent = name;
    h->io = io_new(name, 1);
    h->proxy = sip_proxy_new(h->io, 1, &cfg);
    h->core = (struct core){&hop_ops, h, h->io};
    pipe_host(w->p, &h->core, ip);
}

static void agent_new(struct path *w, struct agent *a, const char *name, const char *ip,
                      struct sip_ua_config cfg)
{
    cfg.uri = "sip:x@example.com";
    cfg.agent = name;
    a->io = io_new(name, 1);
    a->ua = sip_ua_new(a->io, 1, &cfg);
    a->core = (struct core){&agent_ops, a, a->io};
    pipe_host(w->p, &a->core, ip);
}

static unsigned no_spam(const struct sip_msg *m, const char **headers)
{
    struct sip_str v;
    *headers = "X-Why: spam\r\n";
    return sip_find(m, "Subject", &v) && sip_is(v, "spam") ? 403 : 0;
}

static struct sip_proxy_config between(struct sip_proxy_side a, struct sip_proxy_side b)
{
    return (struct sip_proxy_config){.side = {a, b}};
}

static struct sip_proxy_side connects(const char *peer, const char *to)
{
    return (struct sip_proxy_side){.peer = peer, .connect = kit_endpoint(to)};
}

static struct sip_proxy_side listens(const char *peer, const char *at, bool single)
{
    return (struct sip_proxy_side){.peer = peer, .listen = kit_endpoint(at), .single = single};
}

static void path_start(struct path *w)
{
    *w = (struct path){.p = pipe_new(10 * NS_MS)};
    agent_new(w, &w->server, "server", "10.0.4.1",
              (struct sip_ua_config){.listen = {kit_endpoint("10.0.4.1:5061")}});
    hop_new(w, &w->c, "c", "10.0.3.1",
            between(connects("E", "10.0.2.1:7001"), connects("server", "10.0.4.1:5061")));
    hop_new(w, &w->e, "e", "10.0.2.1",
            between(listens("edges", "10.0.2.1:5061", false), listens("C", "10.0.2.1:7001", true)));
    struct sip_proxy_config edge =
        between(listens("clients", "10.0.1.1:5061", false), connects("E", "10.0.2.1:5061"));
    edge.policy = no_spam;
    hop_new(w, &w->edge, "edge", "10.0.1.1", edge);
    agent_new(w, &w->client, "client", "10.0.0.1",
              (struct sip_ua_config){.server = kit_endpoint("10.0.1.1:5061")});
    pipe_run_for(w->p, 5 * NS_S);
}

static void path_end(struct path *w)
{
    struct hop *hops[] = {&w->edge, &w->e, &w->c};
    struct agent *agents[] = {&w->client, &w->server};
    for (size_t i = 0; i < 3; i++) {
        sip_proxy_free(hops[i]->proxy);
        io_free(hops[i]->io);
    }
    for (size_t i = 0; i < 2; i++) {
        sip_ua_free(agents[i]->ua);
        io_free(agents[i]->io);
    }
    pipe_free(w->p);
}

static void call(struct path *w, const char *headers)
{
    assert_non_null(sip_ua_invite(w->client.ua, "sip:meet@example.com", "v=0\r\n", headers));
    pipe_run_for(w->p, NS_S);
}

static void a_call_through_three(void **state)
{
    (void)state;
    struct path w;
    path_start(&w);
    call(&w, "");
    assert_int_equal(w.client.answered, 1);
    assert_int_equal(w.server.confirmed, 1);
    sip_ua_reinvite(w.server.ua, w.server.call,
                    "v=0\r\n"); /* from inside out, by the route that the call took */
    pipe_run_for(w.p, NS_S);
    assert_int_equal(w.client.confirmed, 1);
    assert_int_equal(w.server.answered, 1);
    sip_ua_reinvite(w.client.ua, w.client.call, "v=0\r\n");
    pipe_run_for(w.p, NS_S);
    assert_int_equal(w.client.answered, 2);
    sip_ua_hangup(w.server.ua, w.server.call, "");
    pipe_run_for(w.p, NS_S);
    assert_int_equal(w.client.ended, 1);
    assert_int_equal(w.server.ended, 1);
    assert_int_equal(pipe_count(w.p, "INVITE"), 4);
    assert_int_equal(pipe_count(w.p, "ACK"), 3 * 4);
    assert_int_equal(pipe_count(w.p, "BYE"), 4);
    path_end(&w);
}

static void cancel_goes_the_same_way(void **state)
{
    (void)state;
    struct path w;
    path_start(&w);
    struct sip_call *c = sip_ua_invite(w.client.ua, "sip:meet@example.com", "v=0\r\n", "");
    pipe_run_for(w.p, NS_MS);
    sip_ua_hangup(w.client.ua, c, ""); /* too late for the server, who has answered: ACK and BYE */
    pipe_run_for(w.p, NS_S);
    assert_int_equal(pipe_count(w.p, "CANCEL"), 4);
    assert_int_equal(w.server.ended, 1);
    assert_int_equal(w.client.ended, 1);
    path_end(&w);
}

/* The zone's connection is lost and made again: the call's later requests take the new one. */
static void a_zone_that_comes_back(void **state)
{
    (void)state;
    struct path w;
    path_start(&w);
    call(&w, "");
    sip_proxy_free(w.c.proxy); /* Expressway-C restarts */
    struct sip_proxy_config cfg =
        between(connects("E", "10.0.2.1:7001"), connects("server", "10.0.4.1:5061"));
    cfg.agent = "c";
    w.c.proxy = sip_proxy_new(w.c.io, 1, &cfg);
    sip_proxy_input(w.c.proxy, &(struct io_in){.event = IO_START});
    pipe_run_for(w.p, NS_S);
    sip_ua_hangup(w.client.ua, w.client.call, "");
    pipe_run_for(w.p, NS_S);
    assert_int_equal(w.server.ended, 1);
    assert_int_equal(w.client.ended, 1);
    path_end(&w);
}

static void policy_refuses(void **state)
{
    (void)state;
    struct path w;
    path_start(&w);
    call(&w, "Subject: spam\r\n");
    assert_int_equal(w.client.refused, 403);
    assert_int_equal(w.server.invited, 0);
    path_end(&w);
}

static void nobody_behind(void **state)
{
    (void)state;
    struct path w = {.p = pipe_new(10 * NS_MS)};
    agent_new(&w, &w.client, "client", "10.0.0.1",
              (struct sip_ua_config){.server = kit_endpoint("10.0.1.1:5061")});
    hop_new(&w, &w.edge, "edge", "10.0.1.1",
            between(listens("clients", "10.0.1.1:5061", false), connects("E", "10.0.2.1:5061")));
    pipe_policy(w.p, "10.0.2.1:5061", PIPE_BLACK_HOLE);
    pipe_run_for(w.p, 5 * NS_S);
    call(&w, "");
    assert_int_equal(w.client.refused, 503);
    assert_int_equal(pipe_count(w.p, "cannot connect to E for SIP: timed out"), 0);
    pipe_run_for(w.p, 30 * NS_S); /* again and again, but told once */
    assert_int_equal(pipe_count(w.p, "cannot connect to E for SIP: timed out"), 1);
    sip_ua_free(w.client.ua);
    io_free(w.client.io);
    sip_proxy_free(w.edge.proxy);
    io_free(w.edge.io);
    pipe_free(w.p);
}

/* What a raw peer sees behind and before one proxy. */
static void what_it_writes(void **state)
{
    (void)state;
    static const char invite[] =
        "INVITE sip:m@x SIP/2.0\r\nVia: SIP/2.0/TCP inside.example:9;branch=z9hG4bKq, "
        "SIP/2.0/TCP h2;branch=z9hG4bKr\r\nMax-Forwards: 7\r\nRoute: <sip:other;lr>\r\n"
        "From: <sip:a@a>;tag=1\r\nTo: <sip:b@b>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n"
        "X-New:  folded\r\n value\r\nContent-Length: 3\r\n\r\na\0b";
    struct path w = {.p = pipe_new(10 * NS_MS)};
    raw_listen(w.p, "10.0.2.1:5061");
    hop_new(&w, &w.edge, "edge", "10.0.1.1",
            between(listens("clients", "10.0.1.1:5061", false), connects("E", "10.0.2.1:5061")));
    struct raw *r = raw_connect(w.p, "10.0.0.1:9", "10.0.1.1:5061");
    pipe_run_for(w.p, NS_S);
    struct raw *e = raw_accepted(w.p, "10.0.2.1:5061");
    raw_send(w.p, r, invite, sizeof invite - 1);
    pipe_run_for(w.p, NS_S);
    struct sip_msg m;
    assert_int_equal(sip_parse((const char *)e->got, e->got_len, &m), 0);
    struct sip_str v;
    struct sip_iter it = {0};
    assert_true(sip_next(&m, "Via", &it, &v));
    struct sip_via own;
    assert_int_equal(sip_via_parse(v, &own), 0);
    assert_memory_equal(own.host.p, "10.0.1.1", own.host.len);
    assert_true(sip_next(&m, "Via", &it, &v));
    assert_true(sip_is(v, "SIP/2.0/TCP inside.example:9;branch=z9hG4bKq;received=10.0.0.1"));
    assert_true(sip_find(&m, "Max-Forwards", &v) && sip_is(v, "6"));
    assert_true(sip_find(&m, "Route", &v) && sip_is(v, "<sip:other;lr>"));
    assert_true(sip_find(&m, "X-New", &v) && sip_is(v, "folded\r\n value"));
    assert_true(sip_find(&m, "Record-Route", &v));
    assert_int_equal(m.body.len, 3);
    assert_memory_equal(m.body.p, "a\0b", 3);

    char reply[1024];
    struct text t = text_of(reply, sizeof reply);
    text_add(&t, "SIP/2.0 200 Fine\r\n");
    sip_put_reply(&t, &m, "2");
    sip_put_body(&t, NULL, "", 0);
    raw_send(w.p, e, reply, t.len);
    pipe_run_for(w.p, NS_S);
    assert_int_equal(sip_parse((const char *)r->got, r->got_len, &m), 0);
    it = (struct sip_iter){0};
    assert_true(sip_next(&m, "Via", &it, &v) && sip_via_parse(v, &own) == 0 &&
                sip_is(own.branch, "z9hG4bKq"));
    assert_true(sip_is(m.reason, "Fine"));

    raw_forget(r, r->got_len);
    static const char last_hop[] =
        "OPTIONS sip:m@x SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bKs\r\nMax-Forwards: 0\r\n"
        "From: <sip:a@a>;tag=1\r\nTo: <sip:b@b>\r\nCall-ID: 1\r\nCSeq: 2 OPTIONS\r\n"
        "Content-Length: 0\r\n\r\n";
    raw_send(w.p, r, last_hop, sizeof last_hop - 1);
    pipe_run_for(w.p, NS_S);
    assert_memory_equal(r->got, "SIP/2.0 483 ", 12);
    raw_forget(r, r->got_len);
    char inward[sizeof last_hop]; /* from inside, and without a route to one of the clients */
    memcpy(inward, last_hop, sizeof inward);
    *(strstr(inward, "Max-Forwards: 0") + 14) = '5';
    raw_forget(e, e->got_len);
    raw_send(w.p, e, inward, sizeof inward - 1);
    pipe_run_for(w.p, NS_S);
    assert_memory_equal(e->got, "SIP/2.0 404 ", 12);
    sip_proxy_free(w.edge.proxy);
    io_free(w.edge.io);
    pipe_free(w.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_through_three),   cmocka_unit_test(cancel_goes_the_same_way),
        cmocka_unit_test(a_zone_that_comes_back), cmocka_unit_test(policy_refuses),
        cmocka_unit_test(nobody_behind),          cmocka_unit_test(what_it_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
