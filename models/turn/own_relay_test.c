/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two allocations of one relay behind static NAT that are each other's peers, by their public addresses, where no
 * firewall reflects these (note 5 of the port tables). */
#include "models/testkit/pipe.h"
#include "models/testkit/testkit.h"
#include "models/turn/turn.h"
#include "models/turn/turn_client.h"

struct user {
    struct io *io;
    struct core core;
    struct turn_client *client;
    struct endpoint relayed, from; /* from: of the last datagram, or connection */
    unsigned permitted, refused, heard, incoming, bound, failed;
};

struct world {
    struct pipe *p;
    struct core relay;
    struct user a, b;
};

static void user_input(void *self, const struct io_in *in)
{
    struct user *u = self;
    struct turn_client_event ev;
    turn_client_input(u->client, in);
    while (turn_client_poll(u->client, &ev)) {
        if (ev.kind == TURN_CLIENT_ALLOCATED)
            u->relayed = ev.relayed;
        u->permitted += ev.kind == TURN_CLIENT_PERMITTED && ev.code == 0;
        u->refused += ev.kind == TURN_CLIENT_PERMITTED && ev.code == 403;
        u->heard += ev.kind == TURN_CLIENT_DATAGRAM;
        u->bound += ev.kind == TURN_CLIENT_BOUND;
        u->failed += ev.kind == TURN_CLIENT_PEER_FAILED;
        if (ev.kind == TURN_CLIENT_DATAGRAM || ev.kind == TURN_CLIENT_INCOMING)
            u->from = ev.peer;
        if (ev.kind == TURN_CLIENT_INCOMING) {
            u->incoming++;
            turn_client_accept(u->client, ev.connection);
        }
    }
}

static uint64_t user_deadline(const void *self)
{
    return turn_client_deadline(((const struct user *)self)->client);
}

static void relay_input(void *self, const struct io_in *in)
{
    turn_input(self, in);
}

static uint64_t relay_deadline(const void *self)
{
    return turn_deadline(self);
}

static void user_new(struct world *w, struct user *u, const char *ip, bool udp)
{
    static const struct core_ops ops = {.input = user_input, .deadline = user_deadline};
    struct turn_client_config cfg = {.profile = &turn_client_plain, .server = kit_endpoint("10.0.0.1:3478"),
                                     .user = "turn", .password = "secret", .udp_relay = udp, .over_udp = udp};
    u->io = io_new(ip, 1);
    u->client = turn_client_new(u->io, 2, &cfg);
    u->core = (struct core){&ops, u, u->io};
    pipe_host(w->p, &u->core, ip);
}

static void world_start(struct world *w, bool finds_own, bool udp)
{
    static const struct core_ops ops = {.input = relay_input, .deadline = relay_deadline};
    static const struct turn_user users[] = {{"turn", "secret"}};
    struct endpoint listen = kit_endpoint("10.0.0.1:3478");
    struct turn_config cfg = {.profile = &turn_strict, .realm = "r", .users = users, .user_count = 1,
                              .listen = &listen, .listen_count = 1, .listen_udp = &listen, .listen_udp_count = 1,
                              .relay_ip4 = listen.ip, .public_ip4 = kit_ip("198.51.100.7"), .first_port = 24000,
                              .last_port = 29999, .finds_own = finds_own, .limits = turn_limits_default};
    struct io *io = io_new("relay", 1);
    *w = (struct world){.p = pipe_new(5 * NS_MS)};
    w->relay = (struct core){&ops, turn_new(io, 1, &cfg), io};
    pipe_host(w->p, &w->relay, "10.0.0.1");
    user_new(w, &w->a, "10.0.1.1", udp);
    user_new(w, &w->b, "10.0.1.2", udp);
    pipe_run_for(w->p, NS_S);
    turn_client_start(w->a.client);
    turn_client_start(w->b.client);
    pipe_run_for(w->p, NS_S);
    assert_true(w->a.relayed.port && w->b.relayed.port);
    turn_client_permit(w->a.client, &w->b.relayed.ip, 1);
    turn_client_permit(w->b.client, &w->a.relayed.ip, 1);
    pipe_run_for(w->p, NS_S);
}

static void world_end(struct world *w)
{
    struct user *users[] = {&w->a, &w->b};
    for (size_t i = 0; i < 2; i++) {
        turn_client_free(users[i]->client);
        io_free(users[i]->io);
    }
    turn_free(w->relay.self);
    io_free(w->relay.io);
    pipe_free(w->p);
}

static void datagrams(void **state)
{
    (void)state;
    struct world w;
    world_start(&w, true, true);
    struct endpoint listener = {w.a.relayed.ip, 3478};
    assert_int_equal(w.a.permitted + w.b.permitted, 2);
    turn_client_send(w.a.client, &w.b.relayed, "ping", 4);
    turn_client_send(w.a.client, &listener, "ping", 4); /* no relay's port: dropped */
    pipe_run_for(w.p, NS_S);
    assert_int_equal(w.b.heard, 1);
    assert_true(endpoint_equal(&w.b.from, &w.a.relayed));
    turn_client_channel(w.b.client, &w.a.relayed);
    pipe_run_for(w.p, NS_S);
    turn_client_send(w.b.client, &w.a.relayed, "pong", 4);
    pipe_run_for(w.p, NS_S);
    assert_int_equal(w.a.heard, 1);
    assert_true(endpoint_equal(&w.a.from, &w.b.relayed));
    struct turn_stats stats;
    turn_stats(w.relay.self, &stats);
    assert_int_equal(stats.dropped, 1);
    world_end(&w);
}

static void connections(void **state)
{
    (void)state;
    struct world w;
    world_start(&w, true, false);
    turn_client_connect(w.a.client, &w.b.relayed);
    pipe_run_for(w.p, NS_S);
    assert_int_equal(w.a.bound, 1);
    assert_int_equal(w.b.bound, 1);
    assert_true(endpoint_equal(&w.b.from, &w.a.relayed));
    struct endpoint listener = {w.b.relayed.ip, 3478};
    turn_client_connect(w.a.client, &listener);
    pipe_run_for(w.p, NS_S);
    assert_int_equal(w.a.failed, 1);
    world_end(&w);
}

static void older_ones_do_not(void **state)
{
    (void)state;
    struct world w;
    world_start(&w, false, true);
    assert_int_equal(w.a.refused + w.b.refused, 2);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datagrams),
        cmocka_unit_test(connections),
        cmocka_unit_test(older_ones_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
