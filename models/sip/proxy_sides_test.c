/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A proxy of many sides: search rules, OPTIONS, UDP, loops. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/sip/proxy.h"
#include "models/testkit/pipe.h"
#include "models/testkit/testkit.h"

struct hop {
    struct io *io;
    struct core core;
    struct sip_proxy *proxy;
};

static void hop_input(void *self, const struct io_in *in)
{
    sip_proxy_input(((struct hop *)self)->proxy, in);
}

static uint64_t hop_deadline(const void *self)
{
    return sip_proxy_deadline(((const struct hop *)self)->proxy);
}

static void hop_new(struct pipe *p, struct hop *h, const char *name, const char *ip, struct sip_proxy_config *cfg)
{
    static const struct core_ops ops = {.input = hop_input, .deadline = hop_deadline};
    cfg->agent = name;
    h->io = io_new(name, 1);
    h->proxy = sip_proxy_new(h->io, 1, cfg);
    h->core = (struct core){&ops, h, h->io};
    pipe_host(p, &h->core, ip);
}

static void hop_free(struct hop *h)
{
    sip_proxy_free(h->proxy);
    io_free(h->io);
}

static struct sip_proxy_side listens(const char *at, bool single)
{
    return (struct sip_proxy_side){.peer = at, .listen = kit_endpoint(at), .single = single};
}

static struct sip_proxy_side zone(const char *service, const char *to)
{
    struct sip_proxy_side s = {.peer = to, .connect = kit_endpoint(to), .first_port = 25000, .last_port = 25001};
    snprintf(s.service, sizeof s.service, "%s", service);
    s.options_ns = service[0] ? 60 * NS_S : 0;
    return s;
}

static struct sip_proxy_side over_udp(const char *service, const char *from, const char *to)
{
    struct sip_proxy_side s = zone(service, to);
    s.listen = kit_endpoint(from);
    s.udp = true;
    return s;
}

static struct sip_proxy_rule rule(const char *user, const char *host, unsigned to, unsigned or_to)
{
    return (struct sip_proxy_rule){.user = user, .host = host, .to = {to, or_to}, .to_count = 2};
}

/* The first message that a raw peer has got, as far as it has come. */
static struct sip_msg first_of(struct raw *r)
{
    struct sip_stream s = {0};
    struct sip_msg m = {0};
    static char keep[8][4096];
    static unsigned n;
    sip_stream_push(&s, r->got, r->got_len);
    if (sip_stream_next(&s, &m) == 1) {
        char *to = keep[n++ % 8];
        size_t len = (size_t)(m.body.p + m.body.len - s.buf);
        assert_true(len < sizeof keep[0]);
        memcpy(to, s.buf, len);
        raw_forget(r, len);
        assert_int_equal(sip_parse(to, len, &m), 0);
    }
    sip_stream_free(&s);
    return m;
}

static void answer(struct pipe *p, struct raw *r, const struct sip_msg *m, unsigned code)
{
    char reply[2048];
    struct text t = text_of(reply, sizeof reply);
    text_add(&t, "SIP/2.0 %u Fine\r\n", code);
    sip_put_reply(&t, m, "2");
    sip_put_body(&t, NULL, "", 0);
    raw_send(p, r, reply, t.len);
}

/* A request for uri with that many bytes of body. */
static void ask(struct pipe *p, struct raw *r, const char *method, const char *uri, unsigned forwards, size_t body)
{
    static char bytes[8192];
    static unsigned n;
    struct text t = text_of(bytes, sizeof bytes);
    text_add(&t, "%s %s SIP/2.0\r\nVia: SIP/2.0/TCP h:9;branch=z9hG4bKq%u\r\nMax-Forwards: %u\r\n", method, uri, n,
             forwards);
    text_add(&t, "From: <sip:a@a>;tag=1\r\nTo: <sip:b@b>\r\nCall-ID: %u\r\nCSeq: 1 %s\r\n", n++, method);
    text_add(&t, "Content-Length: %zu\r\n\r\n", body);
    for (size_t i = 0; i < body; i++)
        text_add(&t, "x");
    raw_send(p, r, bytes, t.len);
}

/* A zone's life: up by its answer, asked again each minute, lost 32 s after one that is not answered, and tried again
 * from the next port of its range. */
static void options_tell_of_a_zone(void **state)
{
    (void)state;
    struct hop h;
    struct pipe *p = pipe_new(10 * NS_MS);
    struct sip_proxy_config cfg = {.side = {listens("10.0.1.1:5061", false), zone("zone/b", "10.0.2.1:5061")}};
    raw_listen(p, "10.0.2.1:5061");
    hop_new(p, &h, "c", "10.0.1.1", &cfg);
    pipe_run_for(p, NS_S);
    struct raw *b = raw_accepted(p, "10.0.2.1:5061");
    assert_int_equal(b->remote.port, 25000);
    assert_int_equal(pipe_count(p, "zone/b wanted"), 1);
    assert_int_equal(pipe_count(p, "zone/b up 10.0.1.1:25000 -> 10.0.2.1:5061 over TCP"), 0);
    struct sip_msg m = first_of(b);
    assert_true(sip_is(m.method, "OPTIONS"));
    assert_true(sip_is(m.uri, "sip:10.0.2.1:5061;transport=tcp"));
    answer(p, b, &m, 405); /* any answer will do */
    pipe_run_for(p, NS_S);
    assert_int_equal(pipe_count(p, "zone/b up 10.0.1.1:25000 -> 10.0.2.1:5061 over TCP"), 1);
    pipe_run_until(p, 60 * NS_S);
    assert_int_equal(b->got_len, 0);
    pipe_run_until(p, 62 * NS_S);
    struct sip_msg again = first_of(b);
    assert_true(sip_is(again.method, "OPTIONS"));
    assert_int_equal(again.cseq, m.cseq + 1);
    answer(p, b, &m, 200); /* the old one's: not what was asked */
    pipe_run_until(p, 92 * NS_S);
    assert_int_equal(pipe_count(p, "zone/b lost no answer to OPTIONS"), 0);
    pipe_run_until(p, 94 * NS_S);
    assert_int_equal(b->state, RAW_GONE);
    assert_int_equal(pipe_count(p, "zone/b lost timed out"), 1);
    pipe_run_until(p, 97 * NS_S);
    struct raw *next = raw_accepted(p, "10.0.2.1:5061");
    assert_int_equal(next->remote.port, 25001);
    m = first_of(next);
    answer(p, next, &m, 200);
    pipe_run_for(p, NS_S);
    assert_int_equal(pipe_count(p, "zone/b up 10.0.1.1:25001 -> 10.0.2.1:5061 over TCP"), 1);
    hop_free(&h);
    pipe_free(p);
}

static void a_zone_that_never_came_up(void **state)
{
    (void)state;
    struct hop h;
    struct pipe *p = pipe_new(10 * NS_MS);
    struct sip_proxy_config cfg = {.side = {zone("zone/b", "10.0.2.1:5061"), zone("zone/c", "10.0.3.1:5061")}};
    pipe_policy(p, "10.0.2.1:5061", PIPE_BLACK_HOLE);
    raw_listen(p, "10.0.3.1:5061"); /* takes the connection, says nothing */
    hop_new(p, &h, "c", "10.0.1.1", &cfg);
    pipe_run_for(p, 40 * NS_S);
    assert_int_equal(pipe_count(p, "zone/b failed timed out"), 1);
    assert_int_equal(pipe_count(p, "cannot connect to 10.0.2.1:5061 for SIP: timed out"), 1);
    assert_int_equal(pipe_count(p, "zone/c failed no answer to OPTIONS"), 1);
    hop_free(&h);
    pipe_free(p);
}

static void rules_find_a_side(void **state)
{
    (void)state;
    static const struct {
        const char *uri, *to[3]; /* who gets it: when all are up, without b, without b and c; "404", "503" */
    } rows[] = {
        {"sip:61@x.example", {"b", "c", "503"}},          {"sip:71@acme.example", {"c", "c", "503"}},
        {"sip:7@ACME.example:5061;a=b", {"c", "c", "503"}}, {"sip:71@other.example", {"404", "404", "404"}},
        {"sip:acme.example", {"c", "c", "503"}},
    };
    struct hop h;
    struct pipe *p = pipe_new(10 * NS_MS);
    struct sip_proxy_side b = zone("", "10.0.2.1:5061"), c = zone("", "10.0.3.1:5061");
    struct sip_proxy_config cfg = {.side = {listens("10.0.1.1:5061", false), b, c},
                                   .rule = {rule("6", NULL, 1, 2), rule(NULL, "acme.", 0, 2)}, .rule_count = 2};
    raw_listen(p, "10.0.2.1:5061");
    raw_listen(p, "10.0.3.1:5061");
    hop_new(p, &h, "c", "10.0.1.1", &cfg);
    pipe_run_for(p, NS_S);
    struct raw *peer[2] = {raw_accepted(p, "10.0.2.1:5061"), raw_accepted(p, "10.0.3.1:5061")};
    struct raw *a = raw_connect(p, "10.0.0.1:9", "10.0.1.1:5061");
    ask(p, peer[0], "INVITE", "sip:61@x.example", 70, 0); /* from where the rule sends others */
    pipe_run_for(p, 100 * NS_MS);
    assert_true(first_of(peer[1]).request);
    for (size_t down = 0; down < 3; down++) {
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            ask(p, a, "INVITE", rows[i].uri, 70, 0);
            pipe_run_for(p, 100 * NS_MS);
            struct sip_msg at[2] = {first_of(peer[0]), first_of(peer[1])}, back = first_of(a);
            char got[8] = "";
            snprintf(got, sizeof got, "%s", at[0].request ? "b" : at[1].request ? "c" : "");
            if (back.code)
                snprintf(got, sizeof got, "%u", back.code);
            assert_string_equal(got, rows[i].to[down]);
            assert_int_equal(at[0].request + at[1].request + (back.code != 0), 1);
        }
        if (down < 2) {
            pipe_policy(p, down ? "10.0.3.1:5061" : "10.0.2.1:5061", PIPE_REFUSE);
            raw_abort(p, peer[down]);
            pipe_run_for(p, 100 * NS_MS);
        }
    }
    hop_free(&h);
    pipe_free(p);
}

/* a -TCP- c -UDP or TCP- e -TCP- b: a short request goes by UDP, a long one by TCP while that is up, and answers come
 * back the way that their request went. */
static void udp_for_short_ones(void **state)
{
    (void)state;
    struct hop c, e;
    struct pipe *p = pipe_new(10 * NS_MS);
    struct sip_proxy_side to_b = zone("", "10.0.4.1:5061");
    struct sip_proxy_config near = {.side = {listens("10.0.1.1:5061", false),
                                             over_udp("zone/udp", "10.0.1.1:5060", "10.0.2.1:5060"),
                                             zone("zone/tcp", "10.0.2.1:5061")},
                                    .rule = {rule(NULL, NULL, 1, 2)}, .rule_count = 1};
    struct sip_proxy_config far = {.side = {over_udp("zone/back", "10.0.2.1:5060", "10.0.1.1:5060"),
                                            listens("10.0.2.1:5061", true), to_b},
                                   .rule = {rule(NULL, NULL, 2, 2)}, .rule_count = 1};
    raw_listen(p, "10.0.4.1:5061");
    hop_new(p, &c, "c", "10.0.1.1", &near);
    hop_new(p, &e, "e", "10.0.2.1", &far);
    pipe_run_for(p, 3 * NS_S);
    assert_int_equal(pipe_count(p, "zone/udp up 10.0.1.1:5060 -> 10.0.2.1:5060 over UDP"), 1);
    assert_int_equal(pipe_count(p, "zone/tcp up 10.0.1.1:25000 -> 10.0.2.1:5061 over TCP"), 1);
    struct raw *a = raw_connect(p, "10.0.0.1:9", "10.0.1.1:5061"), *b = raw_accepted(p, "10.0.4.1:5061");
    for (size_t body = 0; body < 2000; body += 1999) {
        struct sip_iter it = {0};
        struct sip_str via;
        ask(p, a, "INVITE", "sip:m@x", 70, body);
        pipe_run_for(p, NS_S);
        struct sip_msg m = first_of(b);
        assert_int_equal(m.body.len, body);
        assert_true(sip_next(&m, "Via", &it, &via) && sip_next(&m, "Via", &it, &via));
        assert_memory_equal(via.p, body ? "SIP/2.0/TCP 10.0.1.1:25000" : "SIP/2.0/UDP 10.0.1.1:5060;", 26);
        answer(p, b, &m, 200);
        pipe_run_for(p, NS_S);
        assert_int_equal(first_of(a).code, 200);
    }
    sip_proxy_free(e.proxy); /* gone without a word */
    pipe_trouble(p, 1, 100, 0, 0);
    struct sip_proxy_config deaf = {.side = {listens("10.0.2.1:5061", true)}};
    e.proxy = sip_proxy_new(e.io, 1, &deaf);
    pipe_run_for(p, 100 * NS_S);
    assert_int_equal(pipe_count(p, "zone/udp lost no answer to OPTIONS"), 1);
    hop_free(&c);
    hop_free(&e);
    pipe_free(p);
}

/* Lost OPTIONS come again after 0.5, 1, 2, 4, 4, ... s, and an answer to any of them counts. */
static void options_over_udp_come_again(void **state)
{
    (void)state;
    struct hop c;
    struct pipe *p = pipe_new(10 * NS_MS);
    struct sip_proxy_config cfg = {.side = {over_udp("zone/udp", "10.0.1.1:5060", "10.0.2.1:5060")}};
    pipe_trouble(p, 1, 100, 0, 0);
    hop_new(p, &c, "c", "10.0.1.1", &cfg);
    pipe_run_for(p, 100 * NS_S);
    assert_string_equal(pipe_story(p, "c", 0),
                        "0.000 OPTIONS\n0.500 OPTIONS\n1.500 OPTIONS\n3.500 OPTIONS\n7.500 OPTIONS\n11.500 OPTIONS\n"
                        "15.500 OPTIONS\n19.500 OPTIONS\n23.500 OPTIONS\n27.500 OPTIONS\n31.500 OPTIONS\n"
                        "92.000 OPTIONS\n92.500 OPTIONS\n93.500 OPTIONS\n95.500 OPTIONS\n99.500 OPTIONS\n");
    assert_int_equal(pipe_count(p, "zone/udp failed no answer to OPTIONS"), 1);
    hop_free(&c);
    pipe_free(p);
}

/* Two proxies that each take the other for the way: Max-Forwards ends it, and all hear of it. */
static void a_loop_ends(void **state)
{
    (void)state;
    struct hop c, e;
    struct pipe *p = pipe_new(10 * NS_MS);
    struct sip_proxy_side to_e = zone("", "10.0.2.1:5061"), to_c = zone("", "10.0.1.1:5061");
    struct sip_proxy_config near = {.side = {listens("10.0.1.1:5061", false), to_e}};
    struct sip_proxy_config far = {.side = {listens("10.0.2.1:5061", false), to_c}};
    hop_new(p, &c, "c", "10.0.1.1", &near);
    hop_new(p, &e, "e", "10.0.2.1", &far);
    pipe_run_for(p, 5 * NS_S);
    struct raw *a = raw_connect(p, "10.0.0.1:9", "10.0.1.1:5061");
    ask(p, a, "INVITE", "sip:m@x", 9, 0);
    pipe_run_for(p, 5 * NS_S);
    assert_int_equal(pipe_count(p, "INVITE"), 9);
    assert_int_equal(pipe_count(p, "483 Too Many Hops (INVITE)"), 10);
    assert_int_equal(first_of(a).code, 483);
    hop_free(&c);
    hop_free(&e);
    pipe_free(p);
}

static void more_than_there_is_room_for(void **state)
{
    (void)state;
    struct hop c;
    struct raw *r[SIP_LEGS_MAX + 2];
    struct pipe *p = pipe_new(10 * NS_MS);
    struct sip_proxy_config cfg = {.side = {listens("10.0.1.1:5061", false), listens("10.0.1.1:7001", true)}};
    hop_new(p, &c, "c", "10.0.1.1", &cfg);
    pipe_run_for(p, NS_S);
    for (unsigned i = 0; i < SIP_LEGS_MAX + 2; i++) {
        char from[32];
        snprintf(from, sizeof from, "10.0.0.1:%u", 1000 + i);
        r[i] = raw_connect(p, from, "10.0.1.1:5061");
    }
    pipe_run_for(p, NS_S);
    assert_int_equal(r[SIP_LEGS_MAX - 1]->state, RAW_OPEN);
    assert_int_equal(r[SIP_LEGS_MAX]->state, RAW_GONE);
    raw_close(p, r[0]);
    pipe_run_for(p, NS_S);
    r[0] = raw_connect(p, "10.0.0.1:999", "10.0.1.1:5061");
    raw_send(p, r[1], "\0\1\2 what\r\n\r\n", 12); /* hostile bytes end one connection, not another */
    pipe_run_for(p, NS_S);
    assert_int_equal(r[0]->state, RAW_OPEN);
    assert_int_equal(r[1]->state, RAW_GONE);
    hop_free(&c);
    pipe_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_tell_of_a_zone),      cmocka_unit_test(a_zone_that_never_came_up),
        cmocka_unit_test(rules_find_a_side),           cmocka_unit_test(udp_for_short_ones),
        cmocka_unit_test(options_over_udp_come_again), cmocka_unit_test(a_loop_ends),
        cmocka_unit_test(more_than_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
