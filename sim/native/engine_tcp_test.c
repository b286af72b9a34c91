/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP between hosts through net.h: what a user of sockets sees. The state machine has time-line tests of its
 * own. */
#include "sim/native/testnet_kit.h"

#include "models/base/bytes.h"

static const char *const servers[] = {"10.0.2.1:80", "[2001:db8:2::1]:80"};
static const char *const clients[] = {"10.0.1.1:49152", "[2001:db8:1::1]:49152"};

/* Open, send both ways, shut down, close: each side told once of each thing, in both families. */
static void connect_transfer_close(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct testnet t;
        struct net_link_dir wan = {.rate_bps = 10000000, .delay_ns = 5 * NS_MS};
        testnet_open(&t, 1, &wan, &wan, NULL);
        assert_int_equal(user_listen(&t.b, servers[i]), 0);
        t.a.to_send = 100000;
        t.b.to_send = 50000;
        t.a.shut_after = t.b.shut_after = true;
        assert_int_equal(user_connect(&t.a, NULL, servers[i]), 0);
        testnet_run(&t, 10 * NS_S);
        struct endpoint client = kit_endpoint(clients[i]), server = kit_endpoint(servers[i]);
        assert_int_equal(t.a.count[NET_CONNECTED], 1);
        assert_int_equal(t.b.count[NET_ACCEPTED], 1);
        assert_true(endpoint_equal(&t.a.local, &client) && endpoint_equal(&t.a.remote, &server));
        assert_true(endpoint_equal(&t.b.local, &server) && endpoint_equal(&t.b.remote, &client));
        assert_int_equal(t.b.received, 100000);
        assert_int_equal(t.a.received, 50000);
        assert_int_equal(t.a.wrong + t.b.wrong, 0);
        assert_true(t.a.eof && t.b.eof);
        assert_int_equal(t.a.count[NET_CLOSED], 1);
        assert_int_equal(t.b.count[NET_CLOSED], 1);
        assert_int_equal(t.a.err, 0);
        assert_int_equal(t.b.err, 0);
        testnet_close(&t);
    }
}

/* A closed port refuses, after one round trip. */
static void refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct testnet t;
        struct net_link_dir wan = {.delay_ns = 5 * NS_MS};
        testnet_open(&t, 1, &wan, &wan, NULL);
        assert_int_equal(user_connect(&t.a, NULL, servers[i]), 0);
        testnet_run(&t, NS_S);
        assert_int_equal(t.a.count[NET_FAILED], 1);
        assert_int_equal(t.a.err, E_REFUSED);
        assert_int_equal(t.a.at_ns, 10 * NS_MS);
        testnet_close(&t);
    }
}

static void unreachable_and_timed_out(void **state)
{
    (void)state;
    struct testnet t;
    static const struct net_outage always = {0, TIME_NEVER};
    struct net_link_dir dead = {.outage = &always, .outage_count = 1};
    testnet_open(&t, 1, &dead, NULL, NULL);
    assert_int_equal(user_connect(&t.a, NULL, "10.0.1.77:80"), E_UNREACHABLE); /* nobody on link has it */
    assert_int_equal(user_connect(&t.a, "10.9.9.9:0", "10.0.2.1:80"), E_UNREACHABLE);
    assert_int_equal(user_connect(&t.a, NULL, "255.255.255.255:80"), E_UNREACHABLE);
    assert_int_equal(user_listen(&t.a, "10.0.2.1:80"), E_UNREACHABLE);
    assert_int_equal(user_connect(&t.a, NULL, "10.0.2.1:80"), 0);
    testnet_run(&t, 1000 * NS_S);
    assert_int_equal(t.a.err, E_TIMED_OUT);
    assert_int_equal(t.a.count[NET_FAILED], 1);
    assert_string_equal(t.last_drop, "outage");
    testnet_close(&t);
}

/* A router that answers with an ICMP error: the connection fails with what it says. */
static int unreachable_box(void *ctx, unsigned port, uint8_t *frame, size_t len)
{
    struct testnet *t = ctx;
    struct wire_packet p;
    uint8_t out[1400];
    if (wire_parse(frame, len, &p) != 0)
        return NET_DROP;
    struct ip_addr me = kit_ip(p.family == IP_V4 ? "10.0.1.254" : "2001:db8:1::fe");
    long n = wire_icmp_error(&p, &me, p.family == IP_V4 ? 3 : 1, p.family == IP_V4 ? 1 : 0, 0, out, sizeof out);
    if (n > 0)
        t->net->ops->box_send(t->net, 1, port, out, (size_t)n);
    return NET_DROP;
}

static void icmp_ends_a_connect(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct testnet t = {.net = net_native.create(1)};
        struct net_node_spec box = {.name = "r", .kind = NET_BOX, .box = unreachable_box, .ctx = &t};
        static const struct net_link_dir ideal;
        t.box = net_native.node_add(t.net, &box);
        testnet_host(&t, &t.a, "a", "10.0.1.1/24", "2001:db8:1::1/64", 1, NULL, &ideal, &ideal);
        assert_int_equal(user_connect(&t.a, NULL, servers[i]), 0);
        testnet_run(&t, NS_S);
        assert_int_equal(t.a.count[NET_FAILED], 1);
        assert_int_equal(t.a.err, E_UNREACHABLE);
        testnet_close(&t);
    }
}

/* abort: the other side is reset, the caller hears nothing more. */
static void abort_resets(void **state)
{
    (void)state;
    struct testnet t;
    testnet_open(&t, 1, NULL, NULL, NULL);
    user_listen(&t.b, "10.0.2.1:80");
    user_connect(&t.a, NULL, "10.0.2.1:80");
    testnet_run(&t, NS_MS);
    net_native.tcp_abort(t.net, t.a.sock);
    testnet_run(&t, NS_S);
    assert_int_equal(t.b.count[NET_CLOSED], 1);
    assert_int_equal(t.b.err, E_RESET);
    assert_int_equal(t.a.count[NET_CLOSED], 0);
    testnet_close(&t);
}

/* close: what was sent is delivered, then FIN; no event for the caller, a clean end for the other. */
static void close_delivers_first(void **state)
{
    (void)state;
    struct testnet t;
    struct net_link_dir slow = {.rate_bps = 1000000, .delay_ns = 20 * NS_MS};
    testnet_open(&t, 1, &slow, &slow, NULL);
    user_listen(&t.b, "10.0.2.1:80");
    t.a.to_send = 60000;
    t.b.close_at_eof = true;
    user_connect(&t.a, NULL, "10.0.2.1:80");
    testnet_run(&t, 50 * NS_MS);
    assert_int_equal(t.a.sent, 60000);
    assert_true(t.b.received < 60000);
    net_native.sock_close(t.net, t.a.sock);
    testnet_run(&t, 5 * NS_S);
    assert_int_equal(t.b.received, 60000);
    assert_int_equal(t.b.wrong, 0);
    assert_true(t.b.eof);
    assert_int_equal(t.a.count[NET_CLOSED] + t.b.count[NET_CLOSED], 0);
    testnet_close(&t);
}

/* An end that comes with the last bytes is told only when they have been read, however late that is. */
static void end_waits_for_the_reader(void **state)
{
    (void)state;
    struct testnet t;
    testnet_open(&t, 1, NULL, NULL, NULL);
    user_listen(&t.b, "10.0.2.1:80");
    t.a.to_send = 1000;
    t.b.hold = true;
    t.a.shut_after = t.b.shut_after = true;
    user_connect(&t.a, NULL, "10.0.2.1:80");
    testnet_run(&t, NS_S);
    assert_int_equal(t.b.count[NET_CLOSED], 0);
    assert_true(t.b.count[NET_READABLE] > 0);
    user_drain(&t.b);
    assert_int_equal(t.b.received, 1000);
    assert_true(t.b.eof);
    assert_int_equal(t.b.count[NET_CLOSED], 0); /* not during the call */
    testnet_run(&t, NS_S);
    assert_int_equal(t.b.count[NET_CLOSED], 1);
    assert_int_equal(t.b.err, 0);
    testnet_close(&t);
}

/* A receiver that does not read holds the sender back in bounded memory; it all arrives once it reads. */
static void back_pressure(void **state)
{
    (void)state;
    struct testnet t;
    struct net_tcp_opts opts = {.send_buffer = 20000, .receive_buffer = 30000};
    testnet_open(&t, 1, NULL, NULL, &opts);
    user_listen(&t.b, "10.0.2.1:80");
    t.a.to_send = 1000000;
    t.b.hold = true;
    user_connect(&t.a, NULL, "10.0.2.1:80");
    testnet_run(&t, 30 * NS_S);
    assert_int_equal(t.b.received, 0);
    assert_in_range(t.a.sent, 40000, 50000);
    uint64_t stalled = t.a.sent;
    testnet_run(&t, 300 * NS_S); /* zero-window probes keep it alive */
    assert_int_equal(t.a.sent, stalled);
    assert_int_equal(t.a.count[NET_CLOSED], 0);
    t.b.hold = false;
    user_drain(&t.b);
    testnet_run(&t, 400 * NS_S);
    assert_int_equal(t.b.received, 1000000);
    assert_int_equal(t.b.wrong, 0);
    testnet_close(&t);
}

/* 4 MiB under every fault at once: each byte in order, once. */
static void four_mebibytes_under_faults(void **state)
{
    (void)state;
    static const struct net_outage gap = {400 * NS_MS, 600 * NS_MS};
    struct net_link_dir wan = {.rate_bps = 50000000, .delay_ns = 10 * NS_MS, .jitter_ns = 2 * NS_MS,
                               .queue_bytes = 60000, .loss = {.kind = LOSS_BERNOULLI, .loss_ppm = 10000},
                               .duplicate_ppm = 10000, .reorder_ppm = 10000, .reorder_ns = 3 * NS_MS,
                               .outage = &gap, .outage_count = 1};
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct testnet t;
        testnet_open(&t, seed, &wan, &wan, NULL);
        user_listen(&t.b, "10.0.2.1:80");
        t.a.to_send = 4u << 20;
        t.a.shut_after = t.b.shut_after = true;
        user_connect(&t.a, NULL, "10.0.2.1:80");
        testnet_run(&t, 600 * NS_S);
        assert_int_equal(t.b.received, 4u << 20);
        assert_int_equal(t.b.wrong, 0);
        assert_int_equal(t.a.count[NET_CLOSED], 1);
        assert_int_equal(t.a.err, 0);
        testnet_close(&t);
    }
}

/* Segments of odd length come to lie across the end of the send buffer's ring in every way; one with a wrong
 * checksum would never arrive. */
static void segments_in_two_pieces(void **state)
{
    (void)state;
    struct testnet t;
    static const struct net_tcp_opts odd = {.mss = 1001};
    testnet_open(&t, 1, NULL, NULL, &odd);
    assert_int_equal(user_listen(&t.b, servers[0]), 0);
    t.a.to_send = 1 << 20;
    t.a.shut_after = t.b.close_at_eof = true;
    assert_int_equal(user_connect(&t.a, NULL, servers[0]), 0);
    testnet_run(&t, 10 * NS_S);
    assert_int_equal(t.b.received, t.a.to_send);
    assert_int_equal(t.b.wrong, 0);
    testnet_close(&t);
}

/* RFC 6062 5.2: a relay connects from the port that it listens on; a 4-tuple exists once. */
static void connect_from_a_listening_port(void **state)
{
    (void)state;
    struct testnet t;
    testnet_open(&t, 1, NULL, NULL, NULL);
    user_listen(&t.b, "10.0.2.1:80");
    assert_int_equal(user_listen(&t.a, "10.0.1.1:24000"), 0);
    assert_int_equal(user_listen(&t.a, "10.0.1.1:24000"), E_EXISTS);
    assert_int_equal(user_listen(&t.a, "0.0.0.0:24000"), E_EXISTS);
    assert_int_equal(user_connect(&t.a, "10.0.1.1:24000", "10.0.2.1:80"), 0);
    assert_int_equal(user_connect(&t.a, "10.0.1.1:24000", "10.0.2.1:80"), E_EXISTS);
    testnet_run(&t, NS_S);
    assert_int_equal(t.a.count[NET_CONNECTED], 1);
    assert_int_equal(t.b.remote.port, 24000);
    assert_int_equal(user_connect(&t.b, NULL, "10.0.1.1:24000"), 0); /* and it still listens */
    testnet_run(&t, 2 * NS_S);
    assert_int_equal(t.a.count[NET_ACCEPTED], 1);
    testnet_close(&t);
}

/* RFC 9293 3.5: both connect, neither listens. */
static void simultaneous_open(void **state)
{
    (void)state;
    struct testnet t;
    struct net_link_dir wan = {.delay_ns = 10 * NS_MS};
    testnet_open(&t, 1, &wan, &wan, NULL);
    t.a.to_send = t.b.to_send = 5000;
    assert_int_equal(user_connect(&t.a, "10.0.1.1:1111", "10.0.2.1:2222"), 0);
    assert_int_equal(user_connect(&t.b, "10.0.2.1:2222", "10.0.1.1:1111"), 0);
    testnet_run(&t, NS_S);
    assert_int_equal(t.a.count[NET_CONNECTED], 1);
    assert_int_equal(t.b.count[NET_CONNECTED], 1);
    assert_int_equal(t.a.received, 5000);
    assert_int_equal(t.b.received, 5000);
    testnet_close(&t);
}

/* Ports in order from the configured range, also when an earlier one is free again; all in use: E_NOMEM. */
static void ephemeral_ports(void **state)
{
    (void)state;
    struct testnet t;
    struct net_tcp_opts opts = {.first_port = 44341, .last_port = 44343};
    testnet_open(&t, 1, NULL, NULL, &opts);
    user_listen(&t.b, "0.0.0.0:80");
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(user_connect(&t.a, NULL, "10.0.2.1:80"), 0);
        testnet_run(&t, (i + 1) * NS_MS);
        assert_int_equal(t.a.local.port, 44341 + i);
    }
    assert_int_equal(user_connect(&t.a, NULL, "10.0.2.1:80"), E_NOMEM);
    assert_int_equal(user_connect(&t.a, NULL, "10.0.2.1:81"), 0); /* another 4-tuple */
    testnet_close(&t);
    testnet_open(&t, 1, NULL, NULL, &opts);
    user_listen(&t.b, "0.0.0.0:80");
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(user_connect(&t.a, NULL, "10.0.2.1:80"), 0);
        testnet_run(&t, (i + 1) * NS_MS);
        assert_int_equal(t.a.local.port, 44341 + i % 3);
        net_native.tcp_abort(t.net, t.a.sock);
    }
    testnet_close(&t);
}

/* RFC 9293 3.6.1: a new SYN from the same port takes the place of TIME_WAIT. The server closed first. */
static void time_wait_is_reused(void **state)
{
    (void)state;
    struct testnet t;
    testnet_open(&t, 1, NULL, NULL, NULL);
    user_listen(&t.b, "10.0.2.1:80");
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(user_connect(&t.a, "10.0.1.1:5000", "10.0.2.1:80"), 0);
        t.a.close_at_eof = true;
        testnet_run(&t, 2 * i * NS_S + NS_MS); /* at once, not at the second try */
        assert_int_equal(t.b.count[NET_ACCEPTED], i + 1);
        net_native.sock_close(t.net, t.b.sock); /* TIME_WAIT stays with b */
        testnet_run(&t, (2 * i + 2) * NS_S);
    }
    testnet_close(&t);
}

static void connect_to_itself(void **state)
{
    (void)state;
    struct testnet t;
    testnet_open(&t, 1, NULL, NULL, NULL);
    user_listen(&t.a, "127.0.0.1:80");
    user_listen(&t.a, "10.0.1.1:80");
    unsigned seen = t.sent;
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(user_connect(&t.a, NULL, i ? "127.0.0.1:80" : "10.0.1.1:80"), 0);
        testnet_run(&t, (i + 1) * NS_S);
        assert_int_equal(t.a.count[NET_ACCEPTED], i + 1);
        assert_int_equal(t.a.count[NET_CONNECTED], i + 1);
    }
    assert_int_equal(t.sent, seen); /* nothing crossed a link */
    testnet_close(&t);
}

/* A listener that has gone while a handshake was under way: the client is reset. */
static void listener_goes_away(void **state)
{
    (void)state;
    struct testnet t;
    struct net_link_dir wan = {.delay_ns = 10 * NS_MS};
    testnet_open(&t, 1, &wan, &wan, NULL);
    user_listen(&t.b, "10.0.2.1:80");
    user_connect(&t.a, NULL, "10.0.2.1:80");
    testnet_run(&t, 15 * NS_MS);
    net_native.sock_close(t.net, t.b.listener);
    testnet_run(&t, NS_S);
    assert_int_equal(t.b.count[NET_ACCEPTED], 0);
    assert_int_equal(t.a.count[NET_CLOSED], 1);
    assert_int_equal(t.a.err, E_RESET);
    testnet_close(&t);
}

/* RFC 1191, 8201: a narrow hop on the way says so; everything arrives all the same. */
static void path_mtu_discovery(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct testnet t;
        testnet_open(&t, 1, NULL, NULL, NULL);
        t.narrow = 1300;
        user_listen(&t.b, servers[i]);
        t.a.to_send = 100000;
        user_connect(&t.a, NULL, servers[i]);
        testnet_run(&t, 30 * NS_S);
        assert_int_equal(t.b.received, 100000);
        assert_int_equal(t.b.wrong, 0);
        testnet_close(&t);
    }
}

struct first_syn {
    net_node node;
    bool seen;
    uint32_t seq;
};

static void syn_tap(void *ctx, uint64_t now_ns, const struct net_tap *tap)
{
    struct first_syn *f = ctx;
    (void)now_ns;
    if (tap->kind != TAP_SENT || tap->end.node != f->node || f->seen)
        return;
    f->seen = true;
    f->seq = load32(tap->frame + WIRE_ETH + WIRE_IP4 + 4);
}

/* RFC 6528: the number of a first segment depends on the seed, the host's name, the ports and the time, and
 * on nothing else in the world: not on who else is there or has drawn before. */
static uint32_t first_number(uint64_t seed, const char *from, uint64_t at_ns, unsigned others)
{
    struct testnet t;
    testnet_open(&t, seed, NULL, NULL, NULL);
    for (unsigned i = 0; i < others; i++) {
        user_connect(&t.b, NULL, "10.0.1.1:9");
        struct net_node_spec more = {.name = "more", .kind = NET_HOST};
        net_native.node_add(t.net, &more);
    }
    testnet_run(&t, at_ns);
    struct first_syn syn = {.node = t.a.node};
    net_native.tap_set(t.net, syn_tap, &syn);
    user_connect(&t.a, from, "10.0.2.1:80");
    testnet_run(&t, at_ns + 1);
    assert_true(syn.seen);
    testnet_close(&t);
    return syn.seq;
}

static void initial_numbers(void **state)
{
    (void)state;
    uint32_t base = first_number(1, "10.0.1.1:1000", NS_S, 0);
    assert_int_equal(first_number(1, "10.0.1.1:1000", NS_S, 3), base);
    assert_int_equal(first_number(1, "10.0.1.1:1000", 2 * NS_S, 0), (uint32_t)(base + 250000)); /* 4 us each */
    assert_int_not_equal(first_number(1, "10.0.1.1:1001", NS_S, 0), base);
    assert_int_not_equal(first_number(2, "10.0.1.1:1000", NS_S, 0), base);
}

/* An idle connection whose peer has gone: found out by keep-alives (RFC 9293 3.8.4), and never without them. */
static void keepalive(void **state)
{
    (void)state;
    static const struct net_outage gone = {NS_S, TIME_NEVER};
    struct net_link_dir wan = {.outage = &gone, .outage_count = 1};
    for (unsigned on = 0; on < 2; on++) {
        struct testnet t;
        struct net_tcp_opts opts = {.keepalive_ns = on ? 60 * NS_S : 0};
        testnet_open(&t, 1, &wan, &wan, &opts);
        user_listen(&t.b, "10.0.2.1:80");
        user_connect(&t.a, NULL, "10.0.2.1:80");
        testnet_run(&t, 3600 * NS_S);
        assert_int_equal(t.a.count[NET_CONNECTED], 1);
        assert_int_equal(t.a.count[NET_CLOSED], on);
        assert_int_equal(t.a.err, on ? E_TIMED_OUT : 0);
        testnet_close(&t);
    }
}

/* Corrupted on the way: the receiver's checksum catches it, TCP sends again. */
static int corrupting_box(void *ctx, unsigned port, uint8_t *frame, size_t len)
{
    static unsigned n;
    int out = testnet_box(ctx, port, frame, len);
    if (len > 1000 && ++n % 7 == 0)
        frame[len - 1] ^= 0x40;
    return out;
}

static void corruption_is_caught(void **state)
{
    (void)state;
    struct testnet t = {.net = net_native.create(1)};
    struct net_node_spec box = {.name = "r", .kind = NET_BOX, .box = corrupting_box, .ctx = &t};
    static const struct net_link_dir ideal;
    t.box = net_native.node_add(t.net, &box);
    testnet_host(&t, &t.a, "a", "10.0.1.1/24", "2001:db8:1::1/64", 1, NULL, &ideal, &ideal);
    testnet_host(&t, &t.b, "b", "10.0.2.1/24", "2001:db8:2::1/64", 2, NULL, &ideal, &ideal);
    user_listen(&t.b, "10.0.2.1:80");
    t.a.to_send = 200000;
    user_connect(&t.a, NULL, "10.0.2.1:80");
    testnet_run(&t, 100 * NS_S);
    assert_int_equal(t.b.received, 200000);
    assert_int_equal(t.b.wrong, 0);
    testnet_close(&t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(connect_transfer_close),
        cmocka_unit_test(refused),
        cmocka_unit_test(unreachable_and_timed_out),
        cmocka_unit_test(icmp_ends_a_connect),
        cmocka_unit_test(abort_resets),
        cmocka_unit_test(close_delivers_first),
        cmocka_unit_test(end_waits_for_the_reader),
        cmocka_unit_test(back_pressure),
        cmocka_unit_test(four_mebibytes_under_faults),
        cmocka_unit_test(segments_in_two_pieces),
        cmocka_unit_test(connect_from_a_listening_port),
        cmocka_unit_test(simultaneous_open),
        cmocka_unit_test(ephemeral_ports),
        cmocka_unit_test(time_wait_is_reused),
        cmocka_unit_test(connect_to_itself),
        cmocka_unit_test(listener_goes_away),
        cmocka_unit_test(path_mtu_discovery),
        cmocka_unit_test(initial_numbers),
        cmocka_unit_test(keepalive),
        cmocka_unit_test(corruption_is_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
