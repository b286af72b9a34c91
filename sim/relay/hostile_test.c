/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hostile clients on real sockets: what they do stays bounded in memory and time, and nobody else notices. */
#include <stdlib.h>
#include <unistd.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "sim/host/host.h"
#include "sim/posix/rig_kit.h"

#ifdef __SANITIZE_ADDRESS__
enum { SLACK_KIB = 256 * 1024 }; /* a sanitizer keeps what was freed */
#else
enum { SLACK_KIB = 0 };
#endif
enum { MIB = 1 << 20 };

static bool closed(struct rig *r, net_sock s)
{
    rig_run(r, NS_MS);
    rig_gone(r, s);
    return rig_line(r, s)->eof || rig_line(r, s)->closed;
}

/* A whole dialogue, each byte in a segment of its own. */
static void one_byte_a_segment(void **state)
{
    (void)state;
    struct rig *r = rig_new(NULL);
    struct asker a;
    ask_login(&a, "u", "p", 1);
    net_sock s = rig_dial(r, &r->at);
    static const int expected[] = {401, 0, 0};
    struct ask asks[] = {{.method = TURN_ALLOCATE, .transport = PROTO_TCP},
                         {.method = TURN_ALLOCATE, .transport = PROTO_TCP}, {.method = TURN_REFRESH}};
    for (size_t i = 0; i < 3; i++) {
        uint8_t out[STUN_MAX];
        size_t len = ask_make(&a, &asks[i], out);
        for (size_t k = 0; k < len; k++) {
            rig_say(r, s, out + k, 1);
            net_posix.run(r->net, net_posix.now(r->net) + NS_MS / 20);
        }
        assert_int_equal(rig_hear(r, s, &a).code, expected[i]);
    }
    rig_free(r);
}

/* Connections that say half a message, or nothing, are the limit's, no more; who closes one makes room. */
static void half_messages_are_bounded(void **state)
{
    (void)state;
    enum { MANY = 500 };
    struct turn_limits limits = turn_limits_default;
    limits.clients = MANY;
    struct rig *r = rig_new(&limits);
    net_sock s[MANY];
    struct asker a;
    ask_login(&a, "u", "p", 1);
    uint8_t out[STUN_MAX];
    size_t len = ask_make(&a, &(struct ask){.method = TURN_ALLOCATE, .transport = PROTO_TCP}, out);
    long before = rig_resident();
    for (size_t i = 0; i < MANY; i++) {
        s[i] = rig_dial(r, &r->at);
        rig_say(r, s[i], out, i % len);
    }
    rig_run(r, 20 * NS_MS);
    assert_int_equal(rig_stats(r).clients, MANY);
    print_message("#: %d connections with half a message each: the process grew by %ld KiB\n", MANY,
                  rig_resident() - before);
    assert_true(closed(r, rig_dial(r, &r->at)));
    rig_abort(r, s[0]);
    rig_run(r, 20 * NS_MS);
    struct endpoint relayed;
    rig_allocate(r, &a, PROTO_TCP, &relayed);
    for (size_t i = 1; i < MANY; i += 2) /* the others are still served */
        rig_say(r, s[i], out + i % len, len - i % len);
    for (size_t i = 1; i < MANY; i += 2)
        assert_int_equal(rig_hear(r, s[i], &a).code, 401);
    rig_free(r);
}

/* What is no STUN, or longer than any request, ends its connection at once. (What looks like ChannelData, HTTP say, is
 * skipped, and its connection closed when its time without credentials is over.) */
static void garbage_ends_the_connection(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t bytes[24];
        size_t len;
    } rows[] = {
        {"an Allocate of 65532 bytes", {0, 3, 0xff, 0xfc, 0x21, 0x12, 0xa4, 0x42}, 20},
        {"a request of 4096 bytes", {0, 1, 0x10, 0, 0x21, 0x12, 0xa4, 0x42}, 20},
        {"no cookie", {0, 1, 0, 0, 1, 2, 3, 4}, 20},
        {"a length that is no multiple of 4", {0, 1, 0, 3, 0x21, 0x12, 0xa4, 0x42}, 20},
        {"TLS", {22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3}, 11},
    };
    struct rig *r = rig_new(NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        net_sock s = rig_dial(r, &r->at);
        rig_say(r, s, rows[i].bytes, rows[i].len);
        if (!closed(r, s))
            fail_msg("%s: the connection lives", rows[i].name);
    }
    rig_run(r, 10 * NS_MS);
    assert_int_equal(rig_stats(r).clients, 0);
    rig_free(r);
}

/* Wrong passwords, pipelined as fast as they go, from one who reads no answer; another client is served meanwhile. */
static void a_flood_of_bad_credentials(void **state)
{
    (void)state;
    enum { FLOOD = 32 * MIB };
    struct rig *r = rig_new(NULL);
    struct asker a, bad;
    struct endpoint relayed;
    ask_login(&a, "u", "p", 1);
    net_sock good = rig_allocate(r, &a, PROTO_TCP, &relayed), s = rig_dial(r, &r->at);
    bad = a;
    bad.key[0] ^= 1;
    rig_line(r, s)->deaf = true;
    static uint8_t out[64 * 1024];
    size_t len = 0, sent = 0;
    while (len + STUN_MAX < sizeof out)
        len += ask_make(&bad, &(struct ask){.method = TURN_ALLOCATE, .transport = PROTO_TCP}, out + len);
    long before = rig_resident();
    size_t at = 0;
    for (int idle = 0; sent < FLOOD && idle < 50; idle++) {
        size_t n = net_posix.tcp_send(r->net, s, out + at, len - at);
        at = (at + n) % len;
        sent += n;
        idle = n ? 0 : idle;
        assert_int_equal(rig_ask(r, good, &a, &(struct ask){.method = TURN_REFRESH}).code, 0);
        rig_run(r, NS_MS / 2);
    }
    long grown = rig_resident() - before;
    print_message("#: %zu KiB of requests with a wrong password, answers unread: %llu refused, then held back; the "
                  "process grew by %ld KiB\n", sent / 1024, (unsigned long long)rig_stats(r).refused_ever, grown);
    assert_true(sent < FLOOD);
    assert_true(rig_stats(r).refused_ever > 1000);
    assert_true(grown < 4 * HOST_HIGH_WATER / 1024 + SLACK_KIB);
    assert_int_equal(rig_stats(r).allocations, 1);
    rig_abort(r, s);
    assert_int_equal(rig_ask(r, good, &a, &(struct ask){.method = TURN_REFRESH}).code, 0);
    rig_free(r);
}

/* A client that does not read: datagrams for it are dropped, once the high water is reached. */
static void a_slow_reader_of_datagrams(void **state)
{
    (void)state;
    enum { SIZE = 1000, COUNT = 40000 };
    struct rig *r = rig_new(NULL);
    struct asker a;
    struct endpoint relayed, any = {kit_ip("127.0.0.1"), 0};
    ask_login(&a, "u", "p", 1);
    net_sock s = rig_allocate(r, &a, PROTO_UDP, &relayed), peer;
    assert_int_equal(net_posix.udp_open(r->net, r->user, &any, &peer), 0);
    rig_line(r, s)->deaf = true;
    static uint8_t data[SIZE];
    long before = rig_resident();
    for (int i = 0; i < COUNT; i++) {
        net_posix.udp_send(r->net, peer, &relayed, data, sizeof data);
        if (i % 64 == 0)
            net_posix.run(r->net, net_posix.now(r->net) + NS_MS / 10);
    }
    rig_run(r, 20 * NS_MS);
    long grown = rig_resident() - before;
    struct turn_stats stats = rig_stats(r);
    print_message("#: a client that does not read: %llu datagrams on their way, %llu dropped; the process grew by %ld "
                  "KiB\n", (unsigned long long)stats.to_clients, (unsigned long long)stats.dropped, grown);
    assert_true(stats.dropped > 0);
    assert_true(grown < 4 * HOST_HIGH_WATER / 1024 + SLACK_KIB);
    rig_free(r);
}

/* Bound connections whose ends do not read: the senders are held back, what waits in the relay is one chunk each. */
static void slow_readers_of_streams(void **state)
{
    (void)state;
    enum { PAIRS = 16, MUCH = 64 * MIB };
    struct rig *r = rig_new(NULL);
    struct asker a;
    struct endpoint relayed;
    ask_login(&a, "u", "p", 1);
    net_sock control = rig_allocate(r, &a, PROTO_TCP, &relayed), client[PAIRS], peer[PAIRS];
    long before = rig_resident();
    for (uint32_t i = 0; i < PAIRS; i++) {
        peer[i] = rig_dial(r, &relayed);
        struct ask bind = {.method = TURN_CONNECTION_BIND, .connection = rig_hear(r, control, &a).connection};
        client[i] = rig_dial(r, &r->at);
        assert_int_equal(rig_ask(r, client[i], &a, &bind).code, 0);
        rig_line(r, client[i])->deaf = true;
        rig_stream(r, client[i], i, 0, i);
        rig_stream(r, peer[i], i, MUCH, 0);
    }
    rig_run(r, 300 * NS_MS);
    long grown = rig_resident() - before;
    print_message("#: %d streams that nobody reads: %llu KiB of the first taken, the process grew by %ld KiB\n", PAIRS,
                  (unsigned long long)rig_line(r, peer[0])->sent / 1024, grown);
    for (size_t i = 0; i < PAIRS; i++)
        assert_true(rig_line(r, peer[i])->sent < MUCH);
    assert_true(grown < PAIRS * 2 * 64 + 1024 + SLACK_KIB);
    assert_int_equal(rig_ask(r, control, &a, &(struct ask){.method = TURN_REFRESH}).code, 0);
    rig_free(r);
}

/* No descriptor is left for relays: 508, at once; clients that come are still let in, with those kept for them. */
static void descriptors_used_up(void **state)
{
    (void)state;
    enum { LEFT = 8, MANY = 2 * LEFT };
    struct rig *r = rig_new(NULL);
    struct asker a, b;
    struct endpoint relayed, to;
    ask_login(&a, "u", "p", 1);
    ask_login(&b, "u", "p", 2);
    net_sock s = rig_allocate(r, &a, PROTO_TCP, &relayed), t = rig_dial(r, &r->at);
    rig_listen(r, &to);
    int outsider[MANY];
    for (int i = 0; i < MANY; i++)
        outsider[i] = rig_outsider_new();
    struct rig_hoard h = rig_hoard(LEFT);
    static const uint8_t transports[] = {PROTO_TCP, PROTO_UDP};
    assert_int_equal(rig_ask(r, t, &b, &(struct ask){.method = TURN_ALLOCATE, .transport = PROTO_TCP}).code, 401);
    for (size_t i = 0; i < sizeof transports; i++)
        assert_int_equal(
            rig_ask(r, t, &b, &(struct ask){.method = TURN_ALLOCATE, .transport = transports[i]}).code, 508);
    assert_int_equal(rig_ask(r, s, &a, &(struct ask){.method = TURN_CONNECT, .peer = to}).code, 508);
    assert_int_equal(rig_ask(r, s, &a, &(struct ask){.method = TURN_REFRESH}).code, 0);
    uint8_t out[STUN_MAX], in[STUN_MAX];
    struct ask_answer answer;
    size_t len = ask_make(&b, &(struct ask){.method = TURN_ALLOCATE, .transport = PROTO_TCP}, out);
    int late = rig_outsider(&r->at);
    assert_true(late >= 0);
    size_t got = rig_outsider_asks(r, late, out, len, in, sizeof in);
    assert_int_equal(ask_read(&b, in, got, &answer), 0);
    assert_int_equal(answer.code, 508);
    for (int i = 0; i < MANY; i++)
        assert_true(rig_outsider_calls(outsider[i], &r->at));
    rig_run(r, 200 * NS_MS); /* beyond that they are closed, and the relay lives */
    assert_true(rig_outsider_ended(r, outsider[MANY - 1]));
    assert_int_equal(rig_ask(r, s, &a, &(struct ask){.method = TURN_REFRESH}).code, 0);
    rig_hoard_free(&h);
    for (int i = 0; i < MANY - 1; i++)
        close(outsider[i]);
    assert_int_equal(rig_ask(r, t, &b, &(struct ask){.method = TURN_ALLOCATE, .transport = PROTO_TCP}).code, 0);
    rig_free(r);
}

/* ---- clients and peers that die at any moment ---- */

/* With bytes of it unread, and the first sign of its end in a call that sends: the end is told all the same. */
static void a_reset_met_in_sending_is_told(void **state)
{
    (void)state;
    struct rig *r = rig_new(NULL);
    struct endpoint at;
    net_sock listener = rig_listen(r, &at), s = rig_dial(r, &at), t = rig_accepted(r, listener);
    rig_line(r, t)->deaf = true;
    rig_say(r, s, "hello", 5);
    rig_run(r, 10 * NS_MS);
    rig_abort(r, s);
    assert_int_equal(net_posix.tcp_send(r->net, t, "hello", 5), 0);
    rig_run(r, 10 * NS_MS);
    assert_true(rig_line(r, t)->closed);
    assert_int_equal(rig_line(r, t)->err, E_RESET);
    rig_free(r);
}

struct couple {
    net_sock client, peer;
};

static struct couple couple_of(struct rig *r, struct asker *a, net_sock control, const struct endpoint *relayed,
                               uint32_t name)
{
    struct couple c = {.peer = rig_dial(r, relayed)};
    struct ask bind = {.method = TURN_CONNECTION_BIND, .connection = rig_hear(r, control, a).connection};
    c.client = rig_dial(r, &r->at);
    rig_stream(r, c.peer, 2 * name, 2 * MIB, 2 * name + 1);
    uint8_t out[STUN_MAX];
    rig_say(r, c.client, out, ask_make(a, &bind, out));
    if (name % 3) /* now and then it dies before the bind is answered */
        assert_int_equal(rig_hear(r, c.client, a).code, 0);
    else
        rig_abort(r, c.client);
    if (name % 3)
        rig_stream(r, c.client, 2 * name + 1, 2 * MIB, 2 * name);
    return c;
}

static bool none_is_bound(struct rig *r, const void *arg)
{
    (void)arg;
    return rig_stats(r).bound == 0;
}

/* Descriptors, sockets and ids are used again at once; no byte may come out of another connection than its own. */
static void killed_at_any_moment(void **state)
{
    (void)state;
    enum { ROUNDS = 600, AT_ONCE = 12 };
    struct rig *r = rig_new(NULL);
    struct asker a;
    struct endpoint relayed;
    struct rng rng = rng_named(1, "kill");
    ask_login(&a, "u", "p", 1);
    net_sock control = rig_allocate(r, &a, PROTO_TCP, &relayed);
    struct couple alive[AT_ONCE] = {{0, 0}};
    uint64_t received = 0;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct couple *c = &alive[rng_below(&rng, AT_ONCE)];
        net_sock both[2] = {c->client, c->peer};
        for (size_t k = 0; k < 2 && c->peer; k++) {
            const struct rig_line *l = rig_line(r, both[k]);
            assert_int_equal(l->wrong, 0);
            received += l->received;
            if (l->open && rng_chance(&rng, 1, 2))
                rig_abort(r, both[k]);
            else if (l->open)
                rig_close(r, both[k]);
        }
        *c = couple_of(r, &a, control, &relayed, i);
        net_posix.run(r->net, net_posix.now(r->net) + rng_below(&rng, NS_MS));
    }
    print_message("#: %d connections killed at any moment: %llu MiB received, none at the wrong end\n", ROUNDS,
                  (unsigned long long)received / MIB);
    assert_true(received > MIB);
    for (size_t i = 0; i < AT_ONCE; i++)
        if (alive[i].peer) {
            assert_int_equal(rig_line(r, alive[i].client)->wrong + rig_line(r, alive[i].peer)->wrong, 0);
            if (rig_line(r, alive[i].client)->open)
                rig_abort(r, alive[i].client);
            if (rig_line(r, alive[i].peer)->open)
                rig_abort(r, alive[i].peer);
        }
    assert_true(rig_until(r, none_is_bound, NULL, RIG_PATIENCE_NS));
    /* One whose client died before it was bound waits for another bind for 30 s, unless its allocation goes first. */
    assert_int_equal(rig_ask(r, control, &a, &(struct ask){.method = TURN_REFRESH, .end = true}).code, 0);
    assert_int_equal(rig_stats(r).bound + rig_stats(r).pending, 0);
    assert_int_equal(rig_stats(r).clients, 1);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_byte_a_segment), cmocka_unit_test(half_messages_are_bounded),
        cmocka_unit_test(garbage_ends_the_connection), cmocka_unit_test(a_flood_of_bad_credentials),
        cmocka_unit_test(a_slow_reader_of_datagrams), cmocka_unit_test(slow_readers_of_streams),
        cmocka_unit_test(descriptors_used_up), cmocka_unit_test(a_reset_met_in_sending_is_told),
        cmocka_unit_test(killed_at_any_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
