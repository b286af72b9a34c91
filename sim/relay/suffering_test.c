/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What users of relays suffer elsewhere, shown on real sockets not to happen here. */
#include <stdlib.h>
#include <unistd.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "sim/posix/rig_kit.h"

#ifdef __SANITIZE_ADDRESS__
enum { TRANSFERS = 100 }; /* a sanitizer is slow, and counts nothing that needs more */
#else
enum { TRANSFERS = 1000 };
#endif
enum { MIB = 1 << 20, SMALL = 4 * MIB, EARLY = 24 * MIB, A_LITTLE = 500 }; /* EARLY: more than any kernel holds */

struct client {
    struct asker asker;
    net_sock control;
    struct endpoint relayed;
};

static struct client client_of(struct rig *r, const char *user, const char *password, uint64_t seed)
{
    struct client c;
    ask_login(&c.asker, user, password, seed);
    c.control = rig_allocate(r, &c.asker, PROTO_TCP, &c.relayed);
    return c;
}

static int bind_on(struct rig *r, net_sock data, struct asker *a, uint32_t connection)
{
    return rig_ask(r, data, a, &(struct ask){.method = TURN_CONNECTION_BIND, .connection = connection}).code;
}

struct pair {
    net_sock client, peer;
};

/* The peer connects to the relayed address; what ConnectionAttempt calls it. */
static uint32_t incoming(struct rig *r, struct client *c, net_sock *peer)
{
    *peer = rig_dial(r, &c->relayed);
    struct ask_answer a = rig_hear(r, c->control, &c->asker);
    assert_int_equal(a.method, TURN_CONNECTION_ATTEMPT);
    return a.connection;
}

static struct pair pair_of(struct rig *r, struct client *c)
{
    struct pair p;
    uint32_t connection = incoming(r, c, &p.peer);
    p.client = rig_dial(r, &r->at);
    assert_int_equal(bind_on(r, p.client, &c->asker, connection), 0);
    return p;
}

static bool has_received(struct rig *r, const void *arg)
{
    const net_sock *s = arg;
    const struct rig_line *l = rig_line(r, s[0]);
    return l->received >= s[1] || l->closed;
}

static void receives(struct rig *r, net_sock s, size_t bytes)
{
    net_sock arg[2] = {s, (net_sock)bytes};
    assert_true(rig_until(r, has_received, arg, RIG_PATIENCE_NS));
    assert_int_equal(rig_line(r, s)->received, bytes);
    assert_int_equal(rig_line(r, s)->wrong, 0);
}

/* ---- bytes before ConnectionBind ---- */

static void early_bytes_are_never_lost(void **state)
{
    (void)state;
    struct rig *r = rig_new(NULL);
    struct client c = client_of(r, "u", "p", 1);
    net_sock peer;
    uint32_t connection = incoming(r, &c, &peer);
    long before = rig_resident();
    for (int i = 0; i < SMALL / 1024; i++) /* many small writes, then as much as goes */
        rig_stream(r, peer, 7, 1024, 8);
    rig_stream(r, peer, 7, EARLY - SMALL, 8);
    rig_run(r, A_LITTLE * NS_MS);
    long grown = rig_resident() - before;
    uint64_t held_at = rig_line(r, peer)->sent;
    print_message("#: peer held back after %llu of %d bytes before ConnectionBind; the process grew by %ld KiB\n",
                  (unsigned long long)held_at, EARLY, grown);
    assert_true(held_at < EARLY); /* by TCP flow control */
    assert_true(grown < 1024);
    net_sock data = rig_dial(r, &r->at);
    assert_int_equal(bind_on(r, data, &c.asker, connection), 0);
    rig_stream(r, data, 8, 1000, 7);
    receives(r, data, EARLY);
    receives(r, peer, 1000);
    rig_free(r);
}

/* A bind that fails is answered, whoever sends it, and takes nothing from the connection's owner. */
static void a_failed_bind_is_answered(void **state)
{
    (void)state;
    struct rig *r = rig_new(NULL);
    struct client c = client_of(r, "u", "p", 1), other = client_of(r, "v", "q", 2);
    net_sock peer;
    uint32_t connection = incoming(r, &c, &peer);
    rig_stream(r, peer, 7, 5000, 8);
    struct asker stranger = {.rng = rng_named(3, "stranger")}, wrong = c.asker, stale = c.asker;
    wrong.key[0] ^= 1;
    stale.nonce[strlen(stale.nonce) - 1] ^= 1;
    assert_int_equal(bind_on(r, rig_dial(r, &r->at), &(struct asker){.rng = stranger.rng, .user = "u", .password = "x"},
                             connection), 401);
    assert_int_equal(bind_on(r, rig_dial(r, &r->at), &wrong, connection), 401);
    assert_int_equal(bind_on(r, rig_dial(r, &r->at), &stale, connection), 438);
    assert_int_equal(bind_on(r, rig_dial(r, &r->at), &c.asker, connection ^ 1), 400);
    assert_int_equal(bind_on(r, rig_dial(r, &r->at), &c.asker, 0), 400); /* without CONNECTION-ID */
    assert_int_equal(bind_on(r, c.control, &c.asker, connection), 400);
    assert_int_equal(bind_on(r, rig_dial(r, &r->at), &other.asker, connection), 441);
    assert_int_equal(rig_stats(r).pending, 1);
    net_sock data = rig_dial(r, &r->at);
    assert_int_equal(bind_on(r, data, &c.asker, connection), 0);
    rig_stream(r, data, 8, 5000, 7);
    receives(r, data, 5000);
    receives(r, peer, 5000);
    assert_int_equal(bind_on(r, rig_dial(r, &r->at), &c.asker, connection), 400); /* it is bound by now */
    rig_free(r);
}

/* ---- transfers ---- */

static struct pair transfers[TRANSFERS];

static bool all_received(struct rig *r, const void *arg)
{
    static size_t from; /* those before it are done: they stay so */
    if (arg)
        from = 0;
    for (; from < TRANSFERS; from++)
        if (rig_line(r, transfers[from].client)->received < MIB || rig_line(r, transfers[from].peer)->received < MIB)
            return false;
    return true;
}

static void transfers_both_ways_at_once(void **state)
{
    (void)state;
    enum { CLIENTS = 10 };
    struct turn_limits limits = turn_limits_default;
    limits.peers = TRANSFERS / CLIENTS;
    struct rig *r = rig_new(&limits);
    struct client c[CLIENTS];
    for (uint64_t i = 0; i < CLIENTS; i++)
        c[i] = client_of(r, "u", "p", i);
    for (size_t i = 0; i < TRANSFERS; i++)
        transfers[i] = pair_of(r, &c[i % CLIENTS]);
    assert_int_equal(rig_stats(r).bound, TRANSFERS);
    long before = rig_resident();
    uint64_t begun = net_posix.now(r->net);
    for (uint32_t i = 0; i < TRANSFERS; i++) {
        rig_line(r, transfers[i].client)->then_ends = rig_line(r, transfers[i].peer)->then_ends = true;
        rig_stream(r, transfers[i].client, 2 * i, MIB, 2 * i + 1);
        rig_stream(r, transfers[i].peer, 2 * i + 1, MIB, 2 * i);
    }
    all_received(r, "from the first on");
    assert_true(rig_until(r, all_received, NULL, 3 * RIG_PATIENCE_NS));
    double s = (double)(net_posix.now(r->net) - begun) / 1e9;
    for (size_t i = 0; i < TRANSFERS; i++) {
        assert_true(rig_gone(r, transfers[i].client));
        assert_true(rig_gone(r, transfers[i].peer));
        const struct rig_line *client = rig_line(r, transfers[i].client), *peer = rig_line(r, transfers[i].peer);
        assert_int_equal(client->received + peer->received, 2 * MIB);
        assert_int_equal(client->wrong + peer->wrong, 0);
    }
    print_message("#: %d transfers of 1 MiB each way at once: %.1f s, the process grew by %ld KiB\n", TRANSFERS, s,
                  rig_resident() - before);
    rig_run(r, 10 * NS_MS);
    assert_int_equal(rig_stats(r).bound, 0);
    rig_free(r);
}

/* What was sent right before the close arrives, then a FIN; whichever side closes, whatever the other still sends. */
static void the_last_bytes_arrive(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {0, 1, 1000, 65536, 65537, 300000, 3000000};
    enum { SIZES = sizeof sizes / sizeof *sizes };
    struct rig *r = rig_new(NULL);
    struct client c = client_of(r, "u", "p", 1);
    for (uint32_t i = 0; i < 2 * SIZES; i++) {
        struct pair p = pair_of(r, &c);
        bool client_first = i % 2;
        net_sock first = client_first ? p.client : p.peer, second = client_first ? p.peer : p.client;
        rig_line(r, first)->then_ends = true;
        rig_stream(r, first, 2 * i, sizes[i / 2], 2 * i + 1);
        rig_stream(r, second, 2 * i + 1, 0, 2 * i);
        assert_true(rig_gone(r, second));
        assert_int_equal(rig_line(r, second)->received, sizes[i / 2]);
        assert_int_equal(rig_line(r, second)->wrong, 0);
        rig_line(r, second)->then_ends = true; /* the other direction is as it was */
        rig_stream(r, second, 2 * i + 1, sizes[SIZES - 1 - i / 2], 2 * i);
        assert_true(rig_gone(r, first));
        assert_int_equal(rig_line(r, first)->received, sizes[SIZES - 1 - i / 2]);
        assert_int_equal(rig_line(r, first)->wrong, 0);
    }
    rig_run(r, 10 * NS_MS);
    assert_int_equal(rig_stats(r).bound, 0);
    rig_free(r);
}

/* ---- Refresh 0, and a slow Connect ---- */

static void after_refresh_0_nothing_answers(void **state)
{
    (void)state;
    struct rig *r = rig_new(NULL);
    struct client c = client_of(r, "u", "p", 1);
    struct pair p = pair_of(r, &c);
    net_sock pending;
    uint32_t connection = incoming(r, &c, &pending);
    rig_stream(r, p.peer, 7, 3000, 8);
    rig_stream(r, p.client, 8, 0, 7);
    receives(r, p.client, 3000);
    assert_int_equal(rig_ask(r, c.control, &c.asker, &(struct ask){.method = TURN_REFRESH, .end = true}).code, 0);
    assert_true(rig_gone(r, p.client));
    assert_true(rig_gone(r, p.peer));
    assert_true(rig_gone(r, pending));
    net_sock late = rig_dial(r, &c.relayed);
    assert_int_equal(rig_line(r, late)->err, E_REFUSED);
    assert_int_equal(bind_on(r, rig_dial(r, &r->at), &c.asker, connection), 400);
    struct ask again[] = {{.method = TURN_REFRESH}, {.method = TURN_CREATE_PERMISSION, .peer = r->at},
                          {.method = TURN_CONNECT, .peer = r->at}};
    for (size_t i = 0; i < sizeof again / sizeof *again; i++)
        assert_int_equal(rig_ask(r, c.control, &c.asker, &again[i]).code, 437);
    assert_int_equal(rig_stats(r).allocations + rig_stats(r).bound + rig_stats(r).pending, 0);
    rig_free(r);
}

static void a_slow_connect_delays_nothing(void **state)
{
    (void)state;
    struct rig *r = rig_new(NULL);
    struct client c = client_of(r, "u", "p", 1);
    struct endpoint silent, prompt;
    int filler[2], listener = rig_silent_listener(r, &silent, filler);
    assert_true(listener >= 0);
    net_sock peer = rig_listen(r, &prompt);
    uint8_t out[STUN_MAX];
    struct ask slow = {.method = TURN_CONNECT, .peer = silent};
    rig_say(r, c.control, out, ask_make(&c.asker, &slow, out));
    uint64_t begun = net_posix.now(r->net);
    for (int i = 0; i < 100; i++) {
        struct ask_answer a = rig_ask(r, c.control, &c.asker, &(struct ask){.method = TURN_REFRESH});
        assert_int_equal(a.method, TURN_REFRESH);
        assert_int_equal(a.code, 0);
    }
    struct ask_answer a = rig_ask(r, c.control, &c.asker, &(struct ask){.method = TURN_CONNECT, .peer = prompt});
    assert_int_equal(a.code, 0);
    net_sock data = rig_dial(r, &r->at), far = rig_accepted(r, peer);
    assert_int_equal(bind_on(r, data, &c.asker, a.connection), 0);
    rig_stream(r, data, 1, 100000, 2);
    rig_stream(r, far, 2, 100000, 1);
    receives(r, far, 100000);
    receives(r, data, 100000);
    assert_true(net_posix.now(r->net) - begun < 20 * NS_S); /* the slow one would take 30 s */
    assert_int_equal(rig_ask(r, c.control, &c.asker, &slow).code, 446); /* it is under way still */
    rig_free(r);
    close(listener);
    close(filler[0]);
    close(filler[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(early_bytes_are_never_lost), cmocka_unit_test(a_failed_bind_is_answered),
        cmocka_unit_test(transfers_both_ways_at_once), cmocka_unit_test(the_last_bytes_arrive),
        cmocka_unit_test(after_refresh_0_nothing_answers), cmocka_unit_test(a_slow_connect_delays_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
