/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client's and the relay's UDP allocations against each other, over the pipe: without trouble, and with datagrams
 * lost, doubled and out of order. */
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/stun/stun.h"
#include "models/testkit/pipe.h"
#include "models/testkit/testkit.h"
#include "models/turn/turn.h"
#include "models/turn/turn_client.h"

enum { HEARD = 512 };

/* What one end has heard, by the first four bytes of each datagram. */
struct heard {
    uint32_t number[HEARD];
    size_t count;
};

struct user {
    struct io *io;
    struct turn_client *client;
    struct turn_client_event events[64]; /* all but datagrams */
    size_t count;
    struct heard heard;
    struct endpoint from; /* the last datagram's */
};

/* A host with a UDP socket that sends all back, if it is told to. */
struct peer {
    struct io *io;
    io_id id;
    struct endpoint at, from;
    struct heard heard;
    bool echoes;
};

struct world {
    struct pipe *p;
    struct io *relay_io;
    struct turn *turn;
    struct user user;
    struct peer peer;
};

static void hear(struct heard *h, const uint8_t *bytes, size_t len)
{
    assert_true(h->count < HEARD && len >= 4);
    h->number[h->count++] = load32(bytes);
}

static void keep_events(struct user *u)
{
    struct turn_client_event ev;
    while (turn_client_poll(u->client, &ev))
        if (ev.kind == TURN_CLIENT_DATAGRAM) {
            hear(&u->heard, ev.bytes, ev.bytes_len);
            u->from = ev.peer;
        } else {
            assert_true(u->count < 64);
            u->events[u->count++] = ev;
        }
}

static void user_input(void *self, const struct io_in *in)
{
    struct user *u = self;
    turn_client_input(u->client, in);
    keep_events(u);
}

static uint64_t user_deadline(const void *self)
{
    return turn_client_deadline(((const struct user *)self)->client);
}

static void peer_input(void *self, const struct io_in *in)
{
    struct peer *p = self;
    if (in->event == IO_START)
        p->id = io_udp(p->io, 3, &p->at);
    if (in->event != IO_DATAGRAM)
        return;
    p->from = in->remote;
    hear(&p->heard, in->data, in->len);
    if (p->echoes)
        io_sendto(p->io, p->id, &in->remote, in->data, in->len, NULL);
}

static uint64_t peer_deadline(const void *self)
{
    (void)self;
    return TIME_NEVER;
}

static void relay_input(void *self, const struct io_in *in)
{
    turn_input(self, in);
}

static uint64_t relay_deadline(const void *self)
{
    return turn_deadline(self);
}

static const struct core_ops user_ops = {user_input, user_deadline, NULL}, peer_ops = {peer_input, peer_deadline, NULL},
                             relay_ops = {relay_input, relay_deadline, NULL};

/* How the client comes, and to whom. */
struct way {
    const struct turn_profile *server;
    bool over_udp, ipv6;
};

static struct world *world_new(const struct way *way)
{
    struct world *w = test_calloc(1, sizeof *w);
    static const struct turn_user users[] = {{"turn", "secret"}};
    const char *relay_ip = way->ipv6 ? "2001:db8::1" : "192.0.2.1";
    struct endpoint listen = {kit_ip(relay_ip), 3478};
    struct turn_config cfg = {
        .profile = way->server, .realm = "r", .users = users, .user_count = 1, .listen = &listen, .listen_count = 1,
        .listen_udp = &listen, .listen_udp_count = 1, .relay_ip4 = kit_ip("192.0.2.1"),
        .relay_ip6 = kit_ip("2001:db8::1"), .first_port = 24000, .last_port = 29999, .limits = turn_limits_default,
    };
    struct turn_client_config client = {.profile = &turn_client_plain, .server = listen, .user = "turn",
                                        .password = "secret", .udp_relay = true, .over_udp = way->over_udp,
                                        .family = way->ipv6 ? IP_V6 : 0};
    w->p = pipe_new(5 * NS_MS);
    w->relay_io = io_new("relay", 1);
    w->user.io = io_new("user", 1);
    w->peer.io = io_new("peer", 1);
    w->peer.at = (struct endpoint){kit_ip(way->ipv6 ? "2001:db8::9" : "203.0.113.9"), 7000};
    w->turn = turn_new(w->relay_io, 1, &cfg);
    w->user.client = turn_client_new(w->user.io, 2, &client);
    struct core relay = {&relay_ops, w->turn, w->relay_io}, user = {&user_ops, &w->user, w->user.io},
                peer = {&peer_ops, &w->peer, w->peer.io};
    pipe_host(w->p, &relay, "192.0.2.1");
    pipe_address(w->p, &relay, "2001:db8::1");
    pipe_host(w->p, &user, way->ipv6 ? "2001:db8::2" : "10.0.0.2");
    pipe_host(w->p, &peer, way->ipv6 ? "2001:db8::9" : "203.0.113.9");
    pipe_run_until(w->p, NS_S);
    turn_client_start(w->user.client);
    return w;
}

static void world_free(struct world *w)
{
    turn_client_free(w->user.client);
    turn_free(w->turn);
    io_free(w->user.io);
    io_free(w->peer.io);
    io_free(w->relay_io);
    pipe_free(w->p);
    test_free(w);
}

static const struct turn_client_event *last(const struct world *w, enum turn_client_event_kind kind)
{
    for (size_t i = w->user.count; i-- > 0;)
        if (w->user.events[i].kind == kind)
            return &w->user.events[i];
    return NULL;
}

/* Runs until the client has been told of this. Loss makes it take a while, but not for ever. */
static const struct turn_client_event *wait_for(struct world *w, enum turn_client_event_kind kind)
{
    for (int i = 0; i < 100 && !last(w, kind); i++)
        pipe_run_for(w->p, 500 * NS_MS);
    const struct turn_client_event *ev = last(w, kind);
    assert_non_null(ev);
    assert_int_equal(ev->code, 0);
    assert_int_equal(ev->err, 0);
    return ev;
}

/* Datagrams numbered from first on, of that many bytes, one a millisecond. */
static void send_numbered(struct world *w, uint32_t first, unsigned count, size_t len)
{
    static uint8_t bytes[65536];
    for (uint32_t i = 0; i < count; i++) {
        store32(bytes, first + i);
        io_set_now(w->user.io, pipe_now(w->p));
        assert_int_equal(turn_client_send(w->user.client, &w->peer.at, bytes, len), 0);
        pipe_run_for(w->p, NS_MS);
    }
    pipe_run_for(w->p, 200 * NS_MS);
}

static void assert_heard_in_order(const struct heard *h, uint32_t first, unsigned count)
{
    assert_int_equal(h->count, count);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(h->number[i], first + i);
}

static const struct way ways[] = {
    {&turn_strict, true, false}, {&turn_strict, false, false},     {&turn_strict, true, true},
    {&turn_strict, false, true}, {&turn_expressway, true, false},  {&turn_expressway, false, false},
};

/* There by Send and back as Data; then both by channel; padded and not, short and long. */
static void datagrams_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct world *w = world_new(&ways[i]);
        struct endpoint relayed = wait_for(w, TURN_CLIENT_ALLOCATED)->relayed;
        assert_int_equal(relayed.ip.family, ways[i].ipv6 ? IP_V6 : IP_V4);
        w->peer.echoes = true;
        assert_int_equal(turn_client_send(w->user.client, &w->peer.at, "....", 4), E_NOT_FOUND);
        assert_int_equal(turn_client_permit(w->user.client, &w->peer.at.ip, 1), 0);
        wait_for(w, TURN_CLIENT_PERMITTED);
        uint32_t number = 0;
        for (int channel = 0; channel < 2; channel++) {
            static const size_t lengths[] = {4, 5, 6, 7, 1200, 65000};
            for (size_t l = 0; l < 6; l++, number++)
                send_numbered(w, number, 1, lengths[l]);
            assert_heard_in_order(&w->peer.heard, 0, number);
            assert_heard_in_order(&w->user.heard, 0, number);
            assert_true(endpoint_equal(&w->peer.from, &relayed));
            assert_true(endpoint_equal(&w->user.from, &w->peer.at));
            if (channel)
                break;
            assert_int_equal(turn_client_channel(w->user.client, &w->peer.at), 0);
            assert_int_equal(turn_client_channel(w->user.client, &w->peer.at), E_EXISTS);
            wait_for(w, TURN_CLIENT_CHANNEL);
        }
        assert_int_equal(pipe_count(w->p, "Send indication"), 6); /* the others went by channel */
        world_free(w);
    }
}

/* 8489-6.2.1: requests get through a line that loses a seventh, doubles and reorders; none has two effects. */
static void through_trouble(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct world *w = world_new(&ways[0]);
        pipe_trouble(w->p, seed, 15, 20, 30);
        wait_for(w, TURN_CLIENT_ALLOCATED);
        assert_int_equal(turn_client_channel(w->user.client, &w->peer.at), 0);
        wait_for(w, TURN_CLIENT_CHANNEL);
        struct turn_stats st;
        turn_stats(w->turn, &st);
        assert_int_equal(st.allocations, 1);
        assert_int_equal(st.allocated_ever, 1);
        assert_int_equal(st.channels, 1);
        send_numbered(w, 0, 300, 100);
        assert_in_range(w->peer.heard.count, 200, 350);
        turn_client_release(w->user.client);
        pipe_run_for(w->p, 50 * NS_S);
        turn_stats(w->turn, &st);
        assert_int_equal(st.allocations + st.channels + st.permissions, 0);
        assert_null(last(w, TURN_CLIENT_GONE));
        world_free(w);
    }
}

/* STYLE 10: against a server that is silent. */
static void requests_are_repeated(void **state)
{
    (void)state;
    struct world *w = world_new(&ways[0]);
    pipe_trouble(w->p, 1, 100, 0, 0);
    pipe_run_until(w->p, 60 * NS_S);
    assert_string_equal(pipe_story(w->p, NULL, 0), "1.000 Allocate request\n"
                                                   "1.500 Allocate request\n"
                                                   "2.500 Allocate request\n"
                                                   "4.500 Allocate request\n"
                                                   "8.500 Allocate request\n"
                                                   "16.500 Allocate request\n"
                                                   "32.500 Allocate request\n");
    const struct turn_client_event *ev = last(w, TURN_CLIENT_REFUSED);
    assert_non_null(ev);
    assert_int_equal(ev->err, E_TIMED_OUT);
    world_free(w);
}

/* 8489-6.2.1-6: nobody listens there. */
static void nobody_listens(void **state)
{
    (void)state;
    struct world *w = test_calloc(1, sizeof *w);
    struct turn_client_config client = {.profile = &turn_client_plain, .server = kit_endpoint("192.0.2.1:3478"),
                                        .user = "u", .password = "p", .udp_relay = true, .over_udp = true};
    w->p = pipe_new(5 * NS_MS);
    w->user.io = io_new("user", 1);
    w->user.client = turn_client_new(w->user.io, 2, &client);
    pipe_host(w->p, &(struct core){&user_ops, &w->user, w->user.io}, "10.0.0.2");
    turn_client_start(w->user.client);
    pipe_run_until(w->p, NS_S);
    const struct turn_client_event *ev = last(w, TURN_CLIENT_REFUSED);
    assert_non_null(ev);
    assert_int_equal(ev->err, E_REFUSED);
    world_free(w);
}

/* A client that only waits keeps its channel, and with it the permission, alive; and the allocation. */
static void kept_alive(void **state)
{
    (void)state;
    struct world *w = world_new(&ways[0]);
    wait_for(w, TURN_CLIENT_ALLOCATED);
    assert_int_equal(turn_client_channel(w->user.client, &w->peer.at), 0);
    pipe_run_until(w->p, 2000 * NS_S);
    assert_string_equal(pipe_story(w->p, "user", 2 * NS_S), "241.510 ChannelBind request\n"
                                                            "481.520 ChannelBind request\n"
                                                            "541.020 Refresh request\n"
                                                            "721.530 ChannelBind request\n"
                                                            "961.540 ChannelBind request\n"
                                                            "1081.030 Refresh request\n"
                                                            "1201.550 ChannelBind request\n"
                                                            "1441.560 ChannelBind request\n"
                                                            "1621.040 Refresh request\n"
                                                            "1681.570 ChannelBind request\n"
                                                            "1921.580 ChannelBind request\n");
    send_numbered(w, 0, 1, 4);
    assert_int_equal(w->peer.heard.count, 1);
    world_free(w);
}

/* 11.5: the peer's port is closed: its ICMP becomes an indication, and the client tells. */
static void icmp_comes_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct world *w = world_new(&ways[i]);
        wait_for(w, TURN_CLIENT_ALLOCATED);
        assert_int_equal(turn_client_permit(w->user.client, &w->peer.at.ip, 1), 0);
        wait_for(w, TURN_CLIENT_PERMITTED);
        struct endpoint closed = {w->peer.at.ip, 9};
        assert_int_equal(turn_client_send(w->user.client, &closed, "....", 4), 0);
        pipe_run_for(w->p, NS_S);
        const struct turn_client_event *ev = last(w, TURN_CLIENT_ICMP);
        assert_non_null(ev);
        assert_true(endpoint_equal(&ev->peer, &closed));
        assert_int_equal(ev->icmp.type, ways[i].ipv6 ? 1 : 3);
        assert_int_equal(ev->icmp.code, ways[i].ipv6 ? 4 : 3);
        world_free(w);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(datagrams_both_ways), cmocka_unit_test(through_trouble),
        cmocka_unit_test(requests_are_repeated), cmocka_unit_test(nobody_listens),
        cmocka_unit_test(kept_alive),          cmocka_unit_test(icmp_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
