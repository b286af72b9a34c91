/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An Expressway pair between raw endpoints: who reaches whom by its zones. */
#include "models/actors/zone.h"

#include <stdlib.h>
#include <string.h>

#include "models/actors/expressway.h"
#include "models/testkit/pipe.h"
#include "models/testkit/testkit.h"

#define E_IP "10.0.2.1"
#define C_IP "10.0.3.1"

struct pair {
    struct pipe *p;
    struct core e, c;
    struct raw *cms, *ucm;
};

static struct zone traversal(enum zone_kind kind, const char *at)
{
    return (struct zone){.kind = kind, .address = kit_endpoint(at)};
}

static struct zone neighbour(const char *name, enum zone_transport transport, const char *at)
{
    return (struct zone){.name = name, .kind = ZONE_NEIGHBOUR, .transport = transport, .address = kit_endpoint(at)};
}

static void pair_start(struct pair *w)
{
    struct endpoint e_listen[] = {kit_endpoint(E_IP ":5061"), kit_endpoint(E_IP ":5060"), kit_endpoint(E_IP ":3478")};
    struct endpoint c_listen = kit_endpoint(C_IP ":5061");
    struct zone outer[] = {traversal(ZONE_TRAVERSAL_SERVER, E_IP ":7001"),
                           traversal(ZONE_TRAVERSAL_SERVER, E_IP ":7002")};
    struct zone inner[] = {traversal(ZONE_TRAVERSAL_CLIENT, E_IP ":7001"),
                           traversal(ZONE_TRAVERSAL_CLIENT, E_IP ":7002"),
                           neighbour("cms", ZONE_TCP, "10.0.4.1:5061"), neighbour("ucm", ZONE_TCP, "10.0.5.1:5061")};
    struct zone_rule rules[] = {{.user = "8", .zone = {"ucm"}, .zone_count = 1},
                                {.host = "acme.", .zone = {"cms"}, .zone_count = 1},
                                {.host = "out.", .zone = {"7002", "7001"}, .zone_count = 2}};
    struct turn_user user = {"turn", "secret"};
    struct expressway_e_config e = {
        .sip = {.listen = e_listen, .listen_count = 2, .listen_peer = "endpoints", .zone = outer, .zone_count = 2},
        .turn = {.profile = &turn_expressway, .realm = "r", .users = &user, .user_count = 1, .listen = &e_listen[2],
                 .listen_count = 1, .relay_ip4 = kit_ip(E_IP), .first_port = 24000, .last_port = 29999,
                 .limits = turn_limits_default}};
    struct expressway_c_config c = {.sip = {.listen = &c_listen, .listen_count = 1, .listen_peer = "Unified CM",
                                            .address = kit_ip(C_IP), .zone = inner, .zone_count = 4, .rule = rules,
                                            .rule_count = 3}};
    *w = (struct pair){.p = pipe_new(10 * NS_MS)};
    raw_listen(w->p, "10.0.4.1:5061");
    raw_listen(w->p, "10.0.5.1:5061");
    assert_int_equal(expressway_e_make(io_new("e", 1), &e, &w->e), 0);
    assert_int_equal(expressway_c_make(io_new("c", 1), &c, &w->c), 0);
    pipe_host(w->p, &w->e, E_IP);
    pipe_host(w->p, &w->c, C_IP);
    pipe_run_for(w->p, 5 * NS_S);
    w->cms = raw_accepted(w->p, "10.0.4.1:5061");
    w->ucm = raw_accepted(w->p, "10.0.5.1:5061");
    raw_forget(w->cms, w->cms->got_len); /* OPTIONS */
    raw_forget(w->ucm, w->ucm->got_len);
}

static void pair_end(struct pair *w)
{
    struct core *cores[] = {&w->e, &w->c};
    for (size_t i = 0; i < 2; i++) {
        cores[i]->ops->free(cores[i]->self);
        io_free(cores[i]->io);
    }
    pipe_free(w->p);
}

static void invite(struct pair *w, struct raw *r, const char *uri)
{
    char bytes[512];
    struct text t = text_of(bytes, sizeof bytes);
    text_add(&t, "INVITE %s SIP/2.0\r\nVia: SIP/2.0/TCP h:9;branch=z9hG4bKq\r\n", uri);
    text_add(&t, "From: <sip:a@a>;tag=1\r\nTo: <sip:b@b>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n");
    raw_send(w->p, r, bytes, t.len);
    pipe_run_for(w->p, NS_S);
}

/* Answers what has come, if it is an INVITE. */
static bool answer(struct pair *w, struct raw *r)
{
    char reply[1024];
    struct text t = text_of(reply, sizeof reply);
    struct sip_msg m;
    if (sip_parse((const char *)r->got, r->got_len, &m) || !sip_is(m.method, "INVITE"))
        return false;
    text_add(&t, "SIP/2.0 200 Yes\r\n");
    sip_put_reply(&t, &m, "2");
    sip_put_body(&t, NULL, "", 0);
    raw_forget(r, r->got_len);
    raw_send(w->p, r, reply, t.len);
    pipe_run_for(w->p, NS_S);
    return true;
}

static bool answered(struct raw *r)
{
    bool yes = r->got_len > 15 && memcmp(r->got, "SIP/2.0 200 Yes", 15) == 0;
    raw_forget(r, r->got_len);
    return yes;
}

static void zones_of_both_come_up(void **state)
{
    (void)state;
    struct pair w;
    pair_start(&w);
    assert_int_equal(pipe_count(w.p, "traversal-zone/7001 up 10.0.2.1:7001 <- 10.0.3.1:25000 over TCP"), 1);
    assert_int_equal(pipe_count(w.p, "traversal-zone/7001 up 10.0.3.1:25000 -> 10.0.2.1:7001 over TCP"), 1);
    assert_int_equal(pipe_count(w.p, "traversal-zone/7002 up 10.0.3.1:25000 -> 10.0.2.1:7002 over TCP"), 1);
    assert_int_equal(w.cms->remote.port, 25000);
    assert_int_equal(pipe_count(w.p, "zone/cms wanted"), 1);
    pair_end(&w);
}

/* From outside to Meeting Server, by 5060 and 5061; Meeting Server to Unified CM over the connection that C keeps to
 * it, and Unified CM to Meeting Server over one that it makes itself. */
static void who_reaches_whom(void **state)
{
    (void)state;
    struct pair w;
    pair_start(&w);
    struct raw *endpoint[] = {raw_connect(w.p, "10.0.1.1:2000", E_IP ":5060"),
                              raw_connect(w.p, "10.0.1.1:2001", E_IP ":5061")};
    for (size_t i = 0; i < 2; i++) {
        invite(&w, endpoint[i], "sip:m@acme.example");
        assert_true(answer(&w, w.cms));
        assert_true(answered(endpoint[i]));
    }
    invite(&w, w.cms, "sip:81@acme.example");
    assert_true(answer(&w, w.ucm));
    assert_true(answered(w.cms));
    struct raw *own = raw_connect(w.p, "10.0.5.1:2000", C_IP ":5061");
    invite(&w, own, "sip:m@acme.example");
    assert_true(answer(&w, w.cms));
    assert_true(answered(own));
    invite(&w, w.cms, "sip:x@out.example"); /* E has no way to anyone who has not called */
    assert_memory_equal(w.cms->got, "SIP/2.0 404 ", 12);
    pair_end(&w);
}

static void what_makes_no_sense(void **state)
{
    (void)state;
    struct sip_proxy_config out;
    struct zone two[] = {neighbour("a", ZONE_TCP, "10.0.4.1:1"), neighbour("a", ZONE_UDP, "10.0.4.1:2")};
    struct zones_config cfg = {.zone = two, .zone_count = 2};
    assert_string_equal(zones_proxy(&cfg, &out), "two zones have the same name");
    two[1].name = "b";
    assert_null(zones_proxy(&cfg, &out));
    struct zone_rule rule = {.zone = {"c"}, .zone_count = 1};
    cfg.rule = &rule;
    cfg.rule_count = 1;
    assert_string_equal(zones_proxy(&cfg, &out), "a search rule names a zone that there is not");
    cfg.rule_count = SIP_RULES_MAX + 1;
    assert_string_equal(zones_proxy(&cfg, &out), "more search rules than 32");
    cfg.zone_count = SIP_SIDES_MAX + 1;
    assert_string_equal(zones_proxy(&cfg, &out), "more SIP listeners and zones than 16");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zones_of_both_come_up),
        cmocka_unit_test(who_reaches_whom),
        cmocka_unit_test(what_makes_no_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
