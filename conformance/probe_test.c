/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Probes: what they are written with, held against our relay. */
#include <stdlib.h>
#include <string.h>

#include "conformance/probe_parts.h"
#include "models/base/err.h"
#include "models/testkit/testkit.h"
#include "sim/memory/memory.h"

static struct verdict run_on(const struct net_ops *engine, const struct requirement *row)
{
    struct probe *p = probe_new(row, 1);
    struct bench_seats seats = {probe_event, p, row->needs & NEED_CLIENT ? subject_host : NULL};
    struct bench *b = bench_simulated(engine, 1, row->setup, &seats);
    struct verdict v;
    assert_non_null(b);
    probe_run(b, row, p, &v);
    b->free(b);
    probe_free(p);
    return v;
}

static void free_verdict(struct verdict *v)
{
    free(v->saw);
    free(v->exchange);
}

static void expect_pass(const char *id, void (*probe)(struct probe *p), unsigned needs, enum setup setup)
{
    static const struct net_ops *const engines[] = {&net_memory, &net_native};
    struct requirement row = {.id = id, .probe = probe, .needs = needs, .setup = setup};
    for (size_t i = 0; i < sizeof engines / sizeof *engines; i++) {
        struct verdict v = run_on(engines[i], &row);
        if (v.outcome != OUTCOME_PASS)
            print_error("%s: %s\n%s", engines[i]->name, v.saw, v.exchange ? v.exchange : "");
        assert_int_equal(v.outcome, OUTCOME_PASS);
        assert_null(v.saw);
        free_verdict(&v);
    }
}

/* ---- RFC 6062 over TCP ---- */

static void connects(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = allocation_connect(a, PEER1);
    line_send_pattern(pair.peer, 1, 0, 300000 / 8); /* before it is bound */
    pair_bind(a, &pair);
    line_expect_pattern(pair.data, 1, 0, 300000 / 8, probe_soon(p));
    line_send_pattern(pair.data, 2, 0, 300000);
    line_expect_pattern(pair.peer, 2, 0, 300000, 10 * probe_soon(p));
    line_close(pair.peer);
    probe_require(p, line_ended(pair.data, probe_soon(p)) == LINE_FIN, "the data connection did not end");
    struct heard h = ask_refresh(a->login, a->control, 0);
    expect_code(p, &h, 0, "Refresh");
}

static void accepts(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = allocation_incoming(a, PEER2);
    pair_bind(a, &pair);
    line_send(pair.peer, "hello", 5);
    char buf[5];
    probe_require(p, line_read_all(pair.data, buf, 5, probe_soon(p)) && memcmp(buf, "hello", 5) == 0, "not hello");
}

static void over_tcp(void **state)
{
    (void)state;
    expect_pass("connects", connects, 0, SETUP_PLAIN);
    expect_pass("accepts", accepts, NEED_PEER2, SETUP_PLAIN);
}

/* ---- UDP ---- */

static void relays_datagrams(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_UDP, PROTO_UDP);
    struct line *peer = probe_udp(p, PEER1, IP_V4);
    struct endpoint at = line_local(peer), from;
    struct heard h = ask_channel(a->login, a->control, 0x4000, &at);
    expect_code(p, &h, 0, "ChannelBind");
    line_send(a->control, "\x40\x00\x00\x02" "hi", 6);
    char buf[64];
    probe_require(p, line_datagram(peer, buf, sizeof buf, &from, probe_soon(p)) == 2, "no datagram");
    probe_require(p, endpoint_equal(&from, &a->relayed), "not from the relayed address");
    line_send_to(peer, &a->relayed, "there", 5);
    h = line_hear(a->control, probe_soon(p));
    probe_require(p, h.kind == HEARD_CHANNEL && h.channel == 0x4000 && h.len == 5, "no ChannelData");
}

static void over_udp(void **state)
{
    (void)state;
    expect_pass("datagrams", relays_datagrams, 0, SETUP_PLAIN);
}

/* ---- the client ---- */

static void client_allocates(struct probe *p)
{
    struct line *listener = probe_serve(p);
    subject_wish(p, &(struct wish){.kind = WISH_ALLOCATE_TCP});
    struct line *control = server_grants(p, listener, 600);
    probe_require(p, subject_told(p, TOLD_ALLOCATED, probe_soon(p)), "not allocated");
    struct heard h = server_hear(p, control, TURN_REFRESH, 600 * NS_S);
    probe_require(p, server_verifies(p, &h), "not signed");
}

static void client_over_udp(struct probe *p)
{
    struct line *server = probe_udp_server(p);
    subject_wish(p, &(struct wish){.kind = WISH_ALLOCATE_UDP_OVER_UDP});
    server_grants(p, server, 600);
    probe_require(p, subject_told(p, TOLD_ALLOCATED, probe_soon(p)), "not allocated");
}

static void clients(void **state)
{
    (void)state;
    expect_pass("client", client_allocates, NEED_CLIENT, SETUP_PLAIN);
    expect_pass("client over udp", client_over_udp, NEED_CLIENT, SETUP_PLAIN);
}

/* ---- verdicts ---- */

static void fails(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct endpoint nobody = probe_closed_port(p, PEER1, IP_V4);
    struct heard h = ask_connect(a->login, a->control, &nobody);
    expect_code(p, &h, 0, "Connect to a closed port");
}

static void ends_deep(struct probe *p)
{
    if (p->row->setup == SETUP_QUOTA)
        probe_defined(p, "%d of %s", 7, "them");
    probe_skip(p, "not %s", "here");
}

static void verdicts(void **state)
{
    (void)state;
    struct requirement row = {.id = "fails", .probe = fails};
    struct verdict v = run_on(&net_native, &row);
    assert_int_equal(v.outcome, OUTCOME_FAIL);
    assert_string_equal(v.saw, "Connect to a closed port was answered with Connect error 447, not with success");
    assert_non_null(strstr(v.exchange, "client1:49152 > server  Allocate request"));
    assert_non_null(strstr(v.exchange, "client1:49152 < server  Connect error 447"));
    free_verdict(&v);
    row = (struct requirement){.id = "defined", .probe = ends_deep, .setup = SETUP_QUOTA};
    v = run_on(&net_native, &row);
    assert_int_equal(v.outcome, OUTCOME_DEFINED);
    assert_string_equal(v.saw, "7 of them");
    free_verdict(&v);
    row = (struct requirement){.id = "skips", .probe = ends_deep};
    v = run_on(&net_native, &row);
    assert_int_equal(v.outcome, OUTCOME_SKIP);
    assert_string_equal(v.saw, "not here");
    free_verdict(&v);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        {"verdicts", verdicts, NULL, NULL, NULL},
        {"RFC 6062 over TCP", over_tcp, NULL, NULL, NULL},
        {"datagrams over UDP", over_udp, NULL, NULL, NULL},
        {"a client", clients, NULL, NULL, NULL},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
