/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Three peers of a cluster with a relay each of one, two and three allocations. */
#include "models/actors/expressway_cluster.h"

#include "models/actors/expressway.h"
#include "models/testkit/pipe.h"
#include "models/testkit/testkit.h"
#include "models/turn/turn_client.h"

enum { PEERS = 3, USERS = 8 };
static const char *const ips[PEERS] = {"10.0.0.1", "10.0.0.2", "10.0.0.3"};

struct user {
    struct io *io;
    struct core core;
    struct turn_client *client;
    struct endpoint relayed;
    int code;
};

struct world {
    struct pipe *p;
    struct core e[PEERS];
    struct user user[USERS];
};

static void user_input(void *self, const struct io_in *in)
{
    struct user *u = self;
    struct turn_client_event ev;
    turn_client_input(u->client, in);
    while (turn_client_poll(u->client, &ev)) {
        if (ev.kind == TURN_CLIENT_ALLOCATED)
            u->relayed = ev.relayed;
        if (ev.kind == TURN_CLIENT_REFUSED)
            u->code = ev.code;
    }
}

static uint64_t user_deadline(const void *self)
{
    return turn_client_deadline(((const struct user *)self)->client);
}

static void world_start(struct world *w)
{
    static const struct core_ops ops = {.input = user_input, .deadline = user_deadline};
    struct zone outer = {.kind = ZONE_TRAVERSAL_SERVER, .plain = true};
    struct turn_user login = {"turn", "secret"};
    *w = (struct world){.p = pipe_new(5 * NS_MS)};
    for (unsigned i = 0; i < PEERS; i++) {
        struct endpoint listen = {kit_ip(ips[i]), 3478};
        outer.address = (struct endpoint){listen.ip, 7001};
        struct expressway_e_config e = {
            .sip = {.zone = &outer, .zone_count = 1},
            .turn = {.profile = &turn_strict, .realm = "r", .users = &login, .user_count = 1, .listen = &listen,
                     .listen_count = 1, .relay_ip4 = listen.ip, .first_port = 24000, .last_port = 29999,
                     .limits = turn_limits_default},
            .cluster = {.listen = {listen.ip, 4371}, .peer_count = PEERS - 1}};
        e.turn.limits.allocations = i + 1;
        for (unsigned k = 0, n = 0; k < PEERS; k++)
            if (k != i)
                e.cluster.peer[n++] = (struct cluster_peer){{kit_ip(ips[k]), 4371}, {kit_ip(ips[k]), 3478}};
        assert_int_equal(expressway_e_make(io_new(ips[i], 1), &e, &w->e[i]), 0);
        pipe_host(w->p, &w->e[i], ips[i]);
    }
    for (unsigned i = 0; i < USERS; i++) {
        struct turn_client_config cfg = {.profile = &turn_client_plain, .server = kit_endpoint("10.0.0.1:3478"),
                                         .user = "turn", .password = "secret", .udp_relay = true, .over_udp = true};
        char ip[] = "10.0.1.1";
        ip[7] = (char)('1' + i);
        struct user *u = &w->user[i];
        u->io = io_new("user", i);
        u->client = turn_client_new(u->io, 2, &cfg);
        u->core = (struct core){&ops, u, u->io};
        pipe_host(w->p, &u->core, ip);
    }
    pipe_run_for(w->p, NS_S);
}

static void world_end(struct world *w)
{
    for (unsigned i = 0; i < PEERS; i++) {
        w->e[i].ops->free(w->e[i].self);
        io_free(w->e[i].io);
    }
    for (unsigned i = 0; i < USERS; i++) {
        turn_client_free(w->user[i].client);
        io_free(w->user[i].io);
    }
    pipe_free(w->p);
}

/* Who takes the next client of the first peer; 0: nobody. */
static unsigned next_goes_to(struct world *w, unsigned user)
{
    turn_client_start(w->user[user].client);
    pipe_run_for(w->p, 7 * NS_S); /* and all tell each other */
    for (unsigned i = 0; i < PEERS; i++) {
        struct ip_addr ip = kit_ip(ips[i]);
        if (ip_equal(&w->user[user].relayed.ip, &ip))
            return i + 1;
    }
    return 0;
}

static void to_the_one_with_most_left(void **state)
{
    (void)state;
    static const unsigned goes_to[] = {1, 3, 2, 3, 2, 3, 0}; /* left: 1 2 3, 0 2 3, 0 2 2, 0 1 2, 0 1 1, 0 0 1, none */
    struct world w;
    world_start(&w);
    assert_int_equal(pipe_count(w.p, "cluster up 2 of 2 peers are heard"), 3);
    for (unsigned i = 0; i < sizeof goes_to / sizeof *goes_to; i++)
        assert_int_equal(next_goes_to(&w, i), goes_to[i]);
    assert_int_equal(w.user[6].code, 508);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(to_the_one_with_most_left)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
