/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Worlds that share their listeners: who may have an address, who gets a client, and a connection that moves. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "models/testkit/testkit.h"
#include "sim/posix/posix.h"

#define TOO_LONG (30 * NS_S)
enum { WORLDS = 2, CLIENTS = 64, ROUNDS = 3 };

struct world {
    struct net *net;
    net_node host;
    unsigned seen[NET_ICMP + 1];
    struct net_event last;
    uint16_t from[CLIENTS * ROUNDS]; /* ports of the datagrams that came */
    unsigned count;
};

static void handle(void *ctx, const struct net_event *ev)
{
    struct world *w = ctx;
    w->seen[ev->kind]++;
    w->last = *ev;
    if (ev->kind == NET_DATAGRAM)
        w->from[w->count++] = ev->remote.port;
    net_posix.stop(w->net);
}

static void world_open(struct world *w)
{
    *w = (struct world){.net = net_posix.create(1)};
    assert_non_null(w->net);
    struct net_node_spec spec = {.name = "host", .kind = NET_HOST, .handler = handle, .ctx = w};
    w->host = net_posix.node_add(w->net, &spec);
}

static void worlds_open(struct world w[WORLDS], const struct endpoint *at)
{
    for (size_t i = 0; i < WORLDS; i++) {
        world_open(&w[i]);
        assert_int_equal(posix_share(w[i].net, w[0].net, at, 1), 0);
    }
}

static void worlds_close(struct world w[WORLDS])
{
    for (size_t i = 0; i < WORLDS; i++)
        net_posix.destroy(w[i].net);
}

/* Runs until such an event; the worlds take turns. */
static struct world *await(struct world w[WORLDS], enum net_event_kind kind)
{
    for (uint64_t end = net_posix.now(w->net) + TOO_LONG; net_posix.now(w->net) < end;)
        for (size_t i = 0; i < WORLDS; i++) {
            unsigned before = w[i].seen[kind];
            net_posix.run(w[i].net, net_posix.now(w[i].net) + NS_MS);
            if (w[i].seen[kind] > before)
                return &w[i];
        }
    fail_msg("event %d did not come", (int)kind);
    return NULL;
}

/* An address that nobody has, TCP and UDP; a new one each time. */
static struct endpoint free_at(void)
{
    static uint16_t next;
    struct endpoint at = {kit_ip("127.0.0.1"), 0};
    struct world w;
    net_sock t, u;
    world_open(&w);
    next = next ? next : (uint16_t)(12000 + getpid() % 8000);
    do
        at.port = next++;
    while (net_posix.udp_open(w.net, w.host, &at, &u) || net_posix.tcp_listen(w.net, w.host, &at, &t));
    net_posix.destroy(w.net);
    return at;
}

static int open_both(struct world *w, const struct endpoint *at)
{
    net_sock s;
    int udp = net_posix.udp_open(w->net, w->host, at, &s), tcp = net_posix.tcp_listen(w->net, w->host, at, &s);
    assert_int_equal(udp, tcp);
    return udp;
}

static void only_who_shares_may_have_it_too(void **state)
{
    (void)state;
    struct endpoint at = free_at();
    struct world w[WORLDS], other, late;
    worlds_open(w, &at);
    world_open(&other);
    world_open(&late);
    assert_int_equal(posix_share(late.net, late.net, &at, 1), 0); /* first of others than these */
    assert_int_equal(open_both(&w[0], &at), 0);
    assert_int_equal(open_both(&other, &at), E_EXISTS);
    assert_int_equal(open_both(&w[1], &at), 0);
    assert_int_equal(open_both(&other, &at), E_EXISTS);
    assert_int_equal(open_both(&late, &at), E_EXISTS);
    uint64_t a = net_posix.now(w[0].net), b = net_posix.now(w[1].net);
    assert_true(a <= b && b - a < TOO_LONG); /* one clock */
    worlds_close(w);
    net_posix.destroy(other.net);
    net_posix.destroy(late.net);
}

static void a_client_has_one_world(void **state)
{
    (void)state;
    struct endpoint at = free_at(), any = {.ip = at.ip};
    struct world w[WORLDS], clients;
    net_sock s[CLIENTS];
    worlds_open(w, &at);
    world_open(&clients);
    for (size_t i = 0; i < WORLDS; i++)
        assert_int_equal(open_both(&w[i], &at), 0);
    for (size_t i = 0; i < CLIENTS; i++)
        assert_int_equal(net_posix.udp_open(clients.net, clients.host, &any, &s[i]), 0);
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < CLIENTS; i++)
            assert_int_equal(net_posix.udp_send(clients.net, s[i], &at, "x", 1), 0);
        net_posix.run(clients.net, net_posix.now(clients.net) + 1);
        while (w[0].count + w[1].count < CLIENTS * (round + 1))
            await(w, NET_DATAGRAM);
    }
    assert_true(w[0].count > 0 && w[1].count > 0);
    for (size_t i = 0; i < w[0].count; i++)
        for (size_t k = 0; k < w[1].count; k++)
            assert_int_not_equal(w[0].from[i], w[1].from[k]);
    worlds_close(w);
    net_posix.destroy(clients.net);
}

static size_t receive(struct world *w, net_sock s, char *out, size_t cap, bool *eof)
{
    size_t have = 0;
    for (size_t n; have < cap && (n = net_posix.tcp_recv(w->net, s, out + have, cap - have, eof)); have += n)
        ;
    return have;
}

/* With bytes unread in it, and more to come; what the first world then does is nothing to it. */
static void a_connection_moves(void **state)
{
    (void)state;
    struct endpoint at = free_at(), any = {.ip.family = IP_V4};
    struct world w[WORLDS], client;
    net_sock s;
    char got[32] = "";
    bool eof = false;
    worlds_open(w, &at);
    world_open(&client);
    assert_int_equal(open_both(&w[0], &at), 0);
    assert_int_equal(net_posix.tcp_connect(client.net, client.host, &any, &at, &s), 0);
    assert_ptr_equal(await(w, NET_ACCEPTED), &w[0]);
    net_sock accepted = w[0].last.accepted;
    net_posix.run(client.net, net_posix.now(client.net) + TOO_LONG);
    assert_int_equal(net_posix.tcp_send(client.net, s, "before ", 7), 7);
    assert_ptr_equal(await(w, NET_READABLE), &w[0]);
    int fd = posix_take_out(w[0].net, accepted);
    assert_int_equal(net_posix.tcp_send(client.net, s, "between ", 8), 8);
    net_posix.destroy(w[0].net);
    world_open(&w[0]);
    net_sock moved = posix_put_in(w[1].net, w[1].host, fd);
    assert_int_not_equal(moved, 0);
    assert_ptr_equal(await(w, NET_READABLE), &w[1]);
    assert_int_equal(w[1].last.sock, moved);
    assert_int_equal(receive(&w[1], moved, got, sizeof got, &eof), 15);
    assert_int_equal(net_posix.tcp_send(client.net, s, "after", 5), 5);
    net_posix.tcp_shutdown(client.net, s);
    while (!eof) {
        await(w, NET_READABLE);
        receive(&w[1], moved, got + strlen(got), sizeof got - strlen(got) - 1, &eof);
    }
    assert_string_equal(got, "before between after");
    assert_int_equal(net_posix.tcp_send(w[1].net, moved, "x", 1), 1);
    worlds_close(w);
    net_posix.destroy(client.net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_who_shares_may_have_it_too),
        cmocka_unit_test(a_client_has_one_world),
        cmocka_unit_test(a_connection_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
