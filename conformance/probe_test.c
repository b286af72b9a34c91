/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Probes: what they are written with, held against our relay. */
#include <stdio.h>
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

/* ---- lines ---- */

struct two {
    struct line *listener, *a, *b; /* client and peer, connected */
};

static struct two two_lines(struct probe *p)
{
    struct two t = {.listener = probe_listen(p, PEER1, IP_V4)};
    struct endpoint at = line_local(t.listener);
    t.a = probe_dial_to(p, CLIENT1, &at);
    t.b = probe_accept(p, t.listener, probe_soon(p));
    probe_require(p, t.b && line_remote(t.a).port == at.port && line_remote(t.b).port == line_local(t.a).port,
                  "not connected");
    return t;
}

static void ends_one_by_one(struct probe *p)
{
    struct two t = two_lines(p);
    char buf[8];
    line_send(t.a, "abc", 3);
    line_end(t.a);
    probe_require(p, line_ended(t.b, probe_soon(p)) == LINE_FIN, "no FIN");
    probe_require(p, line_waiting(t.b) == 3 && line_read(t.b, buf, 2, 0) == 2 && line_read_all(t.b, buf + 2, 1, 0) &&
                         memcmp(buf, "abc", 3) == 0, "not what was sent before it");
    probe_require(p, line_state_now(t.a) == LINE_OPEN, "both have ended");
    line_send(t.b, "d", 1);
    probe_require(p, line_read(t.a, buf, 8, probe_soon(p)) == 1 && buf[0] == 'd', "the other direction is gone");
    line_close(t.b);
    probe_require(p, line_ended(t.a, probe_soon(p)) == LINE_FIN, "no FIN back");
    probe_require(p, !line_read_all(t.a, buf, 1, probe_soon(p)), "a byte from nowhere");
}

static void ends_at_once(struct probe *p)
{
    struct two t = two_lines(p);
    line_reset(t.a);
    probe_require(p, line_ended(t.b, probe_soon(p)) == LINE_RST && line_err(t.b) == E_RESET, "no RST");
    struct endpoint nobody = probe_closed_port(p, PEER1, IP_V4);
    struct line *l = probe_dial_to(p, CLIENT1, &nobody);
    probe_require(p, line_state_now(l) == LINE_FAILED && line_err(l) == E_REFUSED, "not refused");
    probe_require(p, line_ended(l, 0) == LINE_FAILED, "not failed");
}

static void holds_back(struct probe *p)
{
    enum { MUCH = 10 << 20 };
    struct two t = two_lines(p);
    line_pause(t.b, true);
    uint64_t taken = line_offer_pattern(t.a, 3, 0, MUCH);
    probe_wait(p, probe_soon(p));
    taken += line_offer_pattern(t.a, 3, taken, MUCH - taken);
    probe_require(p, taken > 0 && taken < MUCH && line_waiting(t.b) == 0, "%llu were taken", (unsigned long long)taken);
    probe_require(p, line_offer(t.a, "x", 1) == 0, "one more was taken");
    line_pause(t.b, false);
    line_expect_pattern(t.b, 3, 0, taken, 10 * probe_soon(p));
}

static void waits_as_long_as_it_should(struct probe *p)
{
    uint64_t from = probe_now(p);
    probe_wait(p, 17);
    probe_wait_until(p, from + 3 * NS_S);
    probe_require(p, probe_now(p) == from + 3 * NS_S, "not 3 s");
    struct two t = two_lines(p);
    from = probe_now(p);
    probe_require(p, line_ended(t.a, NS_S) == LINE_OPEN && probe_now(p) == from + NS_S, "not a second");
    probe_require(p, !probe_accept(p, t.listener, NS_S) && probe_now(p) == from + 2 * NS_S, "not another");
}

/* A peer that is silenced before it listens, and after. */
static void silence(struct probe *p)
{
    for (int late = 0; late < 2; late++) {
        struct endpoint at;
        if (!late)
            probe_silence(p, PEER1, true);
        struct line *listener = probe_listen(p, PEER1, IP_V4);
        at = line_local(listener);
        if (late)
            probe_silence(p, PEER1, true);
        struct line *l = probe_begin_dial(p, CLIENT1, &at);
        probe_require(p, !line_connected(l, probe_soon(p)), "connected");
        probe_silence(p, PEER1, false);
        probe_require(p, line_connected(l, 10 * NS_S), "not connected");
        probe_require(p, probe_accept(p, listener, probe_soon(p)), "not accepted");
    }
}

static void lines(void **state)
{
    (void)state;
    expect_pass("ends one by one", ends_one_by_one, 0, SETUP_PLAIN);
    expect_pass("ends at once", ends_at_once, 0, SETUP_PLAIN);
    expect_pass("holds back", holds_back, 0, SETUP_PLAIN);
    expect_pass("waits", waits_as_long_as_it_should, 0, SETUP_PLAIN);
    expect_pass("silence", silence, NEED_SILENT_PEER, SETUP_PLAIN);
}

static void expect_fail(const char *id, void (*probe)(struct probe *p), const char *saw)
{
    struct requirement row = {.id = id, .probe = probe};
    struct verdict v = run_on(&net_memory, &row);
    assert_int_equal(v.outcome, OUTCOME_FAIL);
    assert_string_equal(v.saw, saw);
    free_verdict(&v);
}

static void pattern_is_cut(struct probe *p)
{
    struct two t = two_lines(p);
    line_send_pattern(t.a, 1, 0, 1000);
    line_close(t.a);
    line_expect_pattern(t.b, 1, 0, 1001, probe_soon(p));
}

static void pattern_is_late(struct probe *p)
{
    struct two t = two_lines(p);
    line_send_pattern(t.a, 1, 0, 1000);
    line_expect_pattern(t.b, 1, 0, 1001, probe_soon(p));
}

static void pattern_has_a_hole(struct probe *p)
{
    struct two t = two_lines(p);
    line_send_pattern(t.a, 1, 0, 500);
    line_send_pattern(t.a, 1, 501, 499);
    line_expect_pattern(t.b, 1, 0, 999, probe_soon(p));
}

static void pattern_is_anothers(struct probe *p)
{
    struct two t = two_lines(p);
    line_send_pattern(t.a, 2, 0, 8);
    line_expect_pattern(t.b, 1, 0, 8, probe_soon(p));
}

static void nobody_takes_it(struct probe *p)
{
    struct two t = two_lines(p);
    line_pause(t.b, true);
    line_send_pattern(t.a, 2, 0, 10 << 20);
}

static void patterns(void **state)
{
    (void)state;
    expect_fail("cut", pattern_is_cut, "of 1001 bytes only 1000 came before the end of the connection");
    expect_fail("late", pattern_is_late, "of 1001 bytes only 1000 came");
    expect_fail("hole", pattern_has_a_hole, "byte 500 of 999 is not the one that was sent");
    expect_fail("another's", pattern_is_anothers, "byte 0 of 8 is not the one that was sent");
    struct requirement row = {.id = "not taken", .probe = nobody_takes_it};
    struct verdict v = run_on(&net_memory, &row);
    assert_int_equal(v.outcome, OUTCOME_FAIL);
    assert_non_null(strstr(v.saw, "were never taken"));
    free_verdict(&v);
}

/* ---- messages ---- */

/* What is sent is what was put, and what comes meanwhile is kept in its order. */
static void keeps_what_comes(struct probe *p)
{
    struct two t = two_lines(p);
    struct message *m = message_request(p, STUN_BINDING), *other = message_request(p, STUN_BINDING);
    struct message *data = message_new(p, STUN_INDICATION, TURN_DATA);
    struct message *answer = message_new(p, STUN_SUCCESS, STUN_BINDING);
    struct stun_id id = message_id(m);
    struct endpoint e = line_local(t.a), heard;
    message_set_id(answer, &id);
    message_put_address(answer, ATTR_XOR_MAPPED_ADDRESS, &e);
    message_put_u32(answer, ATTR_LIFETIME, 600);
    message_put_text(answer, ATTR_SOFTWARE, "odd");
    message_put_hex(answer, 0x8fff, "0102 03");
    message_fingerprint(answer);
    line_send_message(t.b, data);
    line_send(t.b, "\x40\x01\x00\x03" "abc\0", 8);
    line_send_message(t.b, other);
    line_send_message(t.b, message_new(p, STUN_SUCCESS, STUN_BINDING)); /* of another transaction */
    line_send_message(t.b, answer);
    struct heard h = line_answer(t.a, m, probe_soon(p));
    uint32_t lifetime;
    probe_require(p, h.kind == HEARD_STUN && h.code == 0 && stun_check_fingerprint(&h.stun) == 0, "no answer");
    probe_require(p, heard_address(&h, ATTR_XOR_MAPPED_ADDRESS, &heard) && endpoint_equal(&heard, &e), "no address");
    probe_require(p, heard_u32(&h, ATTR_LIFETIME, &lifetime) && lifetime == 600 && heard_has(&h, 0x8fff), "no more");
    probe_require(p, !heard_has(&h, ATTR_DATA) && !heard_u32(&h, ATTR_CONNECTION_ID, &lifetime), "too much");
    h = line_request(t.a, STUN_BINDING, 0);
    probe_require(p, h.kind == HEARD_STUN && h.code == -1 && h.stun.cls == STUN_REQUEST, "no request");
    h = line_hear(t.a, 0);
    probe_require(p, h.kind == HEARD_STUN && h.stun.method == TURN_DATA, "not the first");
    h = line_hear(t.a, 0);
    probe_require(p, h.kind == HEARD_CHANNEL && h.channel == 0x4001 && h.len == 3 && !memcmp(h.data, "abc", 3),
                  "not the second");
    h = line_hear(t.a, 0);
    probe_require(p, h.kind == HEARD_STUN && h.stun.cls == STUN_SUCCESS, "not the third");
    probe_require(p, line_hear(t.a, 0).kind == HEARD_NOTHING, "something");
    line_close(t.b);
    probe_require(p, line_indication(t.a, TURN_DATA, probe_soon(p)).kind == HEARD_ENDED, "not its end");
}

/* A message in pieces is one; so are two that come together. */
static void frames(struct probe *p)
{
    struct two t = two_lines(p);
    struct message *m = message_request(p, STUN_BINDING);
    size_t *len;
    uint8_t *bytes = message_bytes(m, &len);
    message_put_text(m, ATTR_SOFTWARE, "in two");
    line_send(t.a, bytes, 7);
    probe_require(p, line_hear(t.b, probe_soon(p)).kind == HEARD_NOTHING, "too early");
    line_send(t.a, bytes + 7, *len - 7);
    probe_require(p, line_hear(t.b, probe_soon(p)).len == *len, "not whole");
    *len = STUN_HEADER; /* spoilt: its attribute is left out, and counted */
    bytes[3] = 0;
    line_send_message(t.a, m);
    probe_require(p, line_hear(t.b, probe_soon(p)).len == STUN_HEADER, "not the shorter one");
}

static void garbage(struct probe *p)
{
    struct two t = two_lines(p);
    line_send(t.b, "220 mail.example.org ESMTP\r\n", 28);
    line_hear(t.a, probe_soon(p));
}

static void broken(struct probe *p)
{
    struct two t = two_lines(p);
    line_send(t.b, "\x01\x01\x00\x04\x21\x12\xa4\x42" "123456789012" "\x80\x22\x00\x09", 24);
    line_hear(t.a, probe_soon(p));
}

static void messages(void **state)
{
    (void)state;
    expect_pass("keeps", keeps_what_comes, 0, SETUP_PLAIN);
    expect_pass("frames", frames, 0, SETUP_PLAIN);
    expect_fail("garbage", garbage, "bytes came that are neither STUN nor ChannelData: 32323020...");
    expect_fail("broken", broken, "a STUN message came that cannot be read: malformed");
}

/* ---- users ---- */

static void logs_in(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    struct login *a = login_new(p, USER1);
    struct heard h = ask_refresh(a, l, -1);
    expect_code(p, &h, 437, "Refresh");
    probe_require(p, a->known && strcmp(a->realm, "example.org") == 0 && login_verifies(a, &h), "not logged in");
    snprintf(a->nonce, sizeof a->nonce, "stale");
    h = ask_refresh(a, l, -1);
    expect_code(p, &h, 437, "Refresh with a stale nonce");
    for (unsigned user = USER_UNKNOWN; user <= USER_WRONG_PASSWORD; user++) {
        h = ask_refresh(login_new(p, user), l, -1);
        expect_code(p, &h, 401, "Refresh of nobody");
    }
    struct login *b = login_new(p, USER2);
    h = ask_refresh(b, l, -1);
    expect_code(p, &h, 437, "Refresh of the other");
    probe_require(p, !login_verifies(a, &h), "signed for another");
}

static void no_answer(struct probe *p)
{
    struct two t = two_lines(p);
    ask_refresh(login_new(p, USER1), t.a, 0);
}

static void end_instead(struct probe *p)
{
    struct two t = two_lines(p);
    line_close(t.b);
    ask_refresh(login_new(p, USER1), t.a, 0);
}

static void users(void **state)
{
    (void)state;
    expect_pass("logs in", logs_in, 0, SETUP_PLAIN);
    expect_fail("no answer", no_answer, "the Refresh request was not answered");
    expect_fail("end", end_instead, "the server ended the connection instead of answering the Refresh request");
}

/* ---- UDP ---- */

/* Over UDP a request is sent again until it is answered. */
static void asks_again(struct probe *p)
{
    struct line *client = probe_udp(p, CLIENT1, IP_V4), *server = probe_udp(p, PEER1, IP_V4);
    struct endpoint at = line_local(server), from;
    uint8_t buf[64];
    line_send_to(client, &at, "x", 1);
    probe_require(p, line_datagram(server, buf, sizeof buf, &from, probe_soon(p)) == 1, "nothing came");
    probe_require(p, line_local(client).port == from.port, "from elsewhere");
    probe_require(p, line_datagram(server, buf, sizeof buf, NULL, probe_soon(p)) == -1, "something came");
}

static void relays_ip6(struct probe *p)
{
    struct allocation *a = allocate_as(p, CLIENT2, USER2, PROTO_TCP, PROTO_UDP, IP_V6);
    struct line *peer = probe_udp(p, PEER2, IP_V6);
    allocation_permit(a, PEER2);
    line_send_to(peer, &a->relayed, "six", 3);
    struct heard h = line_indication(a->control, TURN_DATA, probe_soon(p));
    struct endpoint from;
    probe_require(p, heard_address(&h, ATTR_XOR_PEER_ADDRESS, &from) && from.ip.family == IP_V6, "no Data");
}

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
    expect_pass("asks again", asks_again, 0, SETUP_PLAIN);
    expect_pass("IPv6", relays_ip6, NEED_IP6 | NEED_CLIENT2 | NEED_PEER2 | NEED_USER2, SETUP_PLAIN);
}

/* ---- live: the same over this machine's sockets, without a server ---- */

static const struct live_server absent = {.tcp = {{.family = IP_V4, .b = {127, 0, 0, 1}}, 1}, .user = {{"u", "p"}}};

static struct verdict run_live(const char *id, void (*probe)(struct probe *p), uint64_t soon_ns, unsigned *has)
{
    struct requirement row = {.id = id, .probe = probe};
    struct probe *p = probe_new(&row, 1);
    struct bench_seats seats = {probe_event, p, NULL};
    struct bench *b = bench_live(&absent, soon_ns, &seats);
    struct verdict v;
    assert_non_null(b);
    *has = b->has;
    probe_run(b, &row, p, &v);
    b->free(b);
    probe_free(p);
    return v;
}

static void addresses_differ(struct probe *p)
{
    for (enum place a = CLIENT1; a < SERVER; a++)
        for (enum place b = CLIENT1; b < a; b++) {
            struct ip_addr x = probe_ip(p, a, IP_V4), y = probe_ip(p, b, IP_V4);
            probe_require(p, ip_is_loopback(&x) && !ip_equal(&x, &y), "places %d and %d are one", (int)a, (int)b);
        }
}

static void waits_for_ever(struct probe *p)
{
    for (;;)
        probe_wait(p, NS_MS);
}

static void over_sockets(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        void (*probe)(struct probe *p);
    } live[] = {{"addresses", addresses_differ}, {"one by one", ends_one_by_one}, {"at once", ends_at_once},
                {"keeps", keeps_what_comes},     {"frames", frames},              {"silence", silence},
                {"asks again", asks_again}};
    unsigned has;
    for (size_t i = 0; i < sizeof live / sizeof *live; i++) {
        struct verdict v = run_live(live[i].id, live[i].probe, 500 * NS_MS, &has);
        if (v.outcome != OUTCOME_PASS)
            fail_msg("%s: %s\n%s", live[i].id, v.saw, v.exchange ? v.exchange : "");
        assert_int_equal(has, NEED_SILENT_PEER | NEED_ALONE | NEED_ICMP | NEED_CLIENT2 | NEED_PEER2);
        free_verdict(&v);
    }
    struct verdict v = run_live("for ever", waits_for_ever, NS_MS, &has);
    assert_int_equal(v.outcome, OUTCOME_SKIP);
    assert_string_equal(v.saw, "it has taken too long against this server, and is given up");
    free_verdict(&v);
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

/* Connect, bind, bytes both ways, and the application closes. */
static void client_shares(struct probe *p)
{
    struct line *listener = probe_serve(p);
    struct endpoint peer = {probe_ip(p, PEER1, IP_V4), 80};
    subject_wish(p, &(struct wish){.kind = WISH_ALLOCATE_TCP});
    subject_wish(p, &(struct wish){.kind = WISH_CONNECT, .peer = peer});
    struct line *control = server_grants(p, listener, 600);
    struct heard h = server_hear(p, control, TURN_CONNECT, probe_soon(p));
    probe_require(p, server_verifies(p, &h), "not signed");
    struct message *m = server_success(p, &h);
    message_put_u32(m, ATTR_CONNECTION_ID, 77);
    server_sign(m);
    line_send_message(control, m);
    struct line *data = probe_accept(p, listener, probe_soon(p));
    probe_require(p, data, "no data connection");
    h = server_hear(p, data, TURN_CONNECTION_BIND, probe_soon(p));
    if (!server_verifies(p, &h)) {
        line_send_message(data, server_challenge(p, &h, 401));
        h = server_hear(p, data, TURN_CONNECTION_BIND, probe_soon(p));
    }
    m = server_success(p, &h);
    server_sign(m);
    line_send_message(data, m);
    char buf[8];
    probe_require(p, subject_told(p, TOLD_BOUND, probe_soon(p)) && subject_times(p, TOLD_BOUND) == 1, "not bound");
    line_send(data, "peer", 4);
    probe_require(p, subject_received(p, buf, 4, probe_soon(p)) && !memcmp(buf, "peer", 4), "not received");
    subject_send_data(p, "client", 6);
    probe_require(p, line_read_all(data, buf, 6, probe_soon(p)) && !memcmp(buf, "client", 6), "not sent");
    subject_wish(p, &(struct wish){.kind = WISH_CLOSE_DATA});
    probe_require(p, line_ended(data, probe_soon(p)) == LINE_FIN, "not closed");
    server_challenge(p, &h, 438);
    probe_require(p, !server_verifies(p, &h), "a nonce of old is as good as a new one");
    probe_require(p, !subject_received(p, buf, 1, NS_S) && !subject_told(p, TOLD_GONE, NS_S), "something else");
}

static void client_is_refused(struct probe *p)
{
    struct line *listener = probe_serve(p);
    subject_wish(p, &(struct wish){.kind = WISH_ALLOCATE_UDP, .family = IP_V6});
    struct line *l = probe_accept(p, listener, probe_soon(p));
    probe_require(p, l, "not connected");
    struct heard h = server_hear(p, l, TURN_ALLOCATE, probe_soon(p));
    probe_require(p, heard_has(&h, ATTR_REQUESTED_ADDRESS_FAMILY) && !server_verifies(p, &h), "not as it should be");
    line_send_message(l, server_error(p, &h, 508));
    probe_require(p, subject_told(p, TOLD_REFUSED, probe_soon(p)), "not refused");
    h = server_hear(p, l, TURN_ALLOCATE, probe_soon(p));
}

static void clients(void **state)
{
    (void)state;
    expect_pass("client", client_allocates, NEED_CLIENT, SETUP_PLAIN);
    expect_pass("client over udp", client_over_udp, NEED_CLIENT, SETUP_PLAIN);
    expect_pass("client shares", client_shares, NEED_CLIENT, SETUP_PLAIN);
    struct requirement row = {.id = "client is refused", .probe = client_is_refused, .needs = NEED_CLIENT};
    struct verdict v = run_on(&net_memory, &row);
    assert_int_equal(v.outcome, OUTCOME_FAIL);
    assert_string_equal(v.saw, "the client has sent no Allocate request");
    free_verdict(&v);
}

/* ---- verdicts ---- */

static void fails(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct endpoint nobody = probe_closed_port(p, PEER1, IP_V4);
    struct heard h = ask_connect(a->login, a->control, &nobody);
    expect_code(p, &h, 0, "Connect to a closed port");
}

/* Pieces of a stream are told as the messages that they are; what is no message is counted; notes stand between. */
static void exchanges(struct probe *p)
{
    struct two t = two_lines(p);
    struct message *m = message_request(p, STUN_BINDING);
    size_t *len;
    const uint8_t *bytes = message_bytes(m, &len);
    line_send(t.a, bytes, 5);
    line_send(t.a, bytes + 5, *len - 5);
    line_send(t.a, "\x40\x00\x00\x01" "c\0\0\0" "rest", 12);
    line_end(t.a);
    probe_fail(p, "so");
}

static void transcripts(void **state)
{
    (void)state;
    struct requirement row = {.id = "exchanges", .probe = exchanges};
    struct verdict v = run_on(&net_memory, &row);
    static const char *const parts[] = {"client1:49152 > 10.0.0.4:20000  Binding request\n    00010000 2112a442 ",
                                        "  ChannelData 0x4000, 1 bytes\n    40000001 63000000\n",
                                        "  4 bytes\n    72657374\n", "client1:49152  ends its side (FIN)\n"};
    const char *at = v.exchange;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const char *found = strstr(at, parts[i]);
        if (!found)
            fail_msg("%s\nis not in\n%s", parts[i], v.exchange);
        at = found;
    }
    free_verdict(&v);
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
        {"transcripts", transcripts, NULL, NULL, NULL},
        {"lines", lines, NULL, NULL, NULL},
        {"patterns", patterns, NULL, NULL, NULL},
        {"messages", messages, NULL, NULL, NULL},
        {"users", users, NULL, NULL, NULL},
        {"RFC 6062 over TCP", over_tcp, NULL, NULL, NULL},
        {"datagrams over UDP", over_udp, NULL, NULL, NULL},
        {"over sockets", over_sockets, NULL, NULL, NULL},
        {"a client", clients, NULL, NULL, NULL},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
