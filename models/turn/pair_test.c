/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client and the relay against each other, over the pipe. */
#include <string.h>

#include "models/base/err.h"
#include "models/base/hash.h"
#include "models/testkit/pipe.h"
#include "models/testkit/testkit.h"
#include "models/turn/turn.h"
#include "models/turn/turn_client.h"

/* A system around a client: it keeps what the client tells, and reads its data connections. */
struct user {
    struct io *io;
    struct turn_client *client;
    struct turn_client_event events[64];
    size_t count;
    io_id data;
    uint8_t got[300000]; /* all of a test's stream */
    size_t got_len;
    unsigned closed;
};

static void keep_events(struct user *u)
{
    struct turn_client_event ev;
    while (turn_client_poll(u->client, &ev)) {
        assert_true(u->count < 64);
        u->events[u->count++] = ev;
        if (ev.kind != TURN_CLIENT_BOUND)
            continue;
        u->data = ev.data;
        memcpy(u->got, ev.bytes, ev.bytes_len);
        u->got_len = ev.bytes_len;
        io_read(u->io, ev.data, true);
    }
}

static void user_input(void *self, const struct io_in *in)
{
    struct user *u = self;
    bool ours = u->data && in->id == u->data;
    turn_client_input(u->client, in);
    keep_events(u);
    if (!ours)
        return;
    if (in->event == IO_DATA && u->got_len + in->len <= sizeof u->got) {
        memcpy(u->got + u->got_len, in->data, in->len);
        u->got_len += in->len;
    }
    u->closed += in->event == IO_EOF || in->event == IO_CLOSED;
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

static const struct core_ops user_ops = {user_input, user_deadline, NULL};
static const struct core_ops relay_ops = {relay_input, relay_deadline, NULL};

struct world {
    struct pipe *p;
    struct io *relay_io, *user_io;
    struct turn *turn;
    struct user user;
};

static struct world *world_of(const struct turn_profile *server, const struct turn_client_profile *client,
                              uint8_t family)
{
    struct world *w = test_calloc(1, sizeof *w);
    static const struct turn_user users[] = {{"turn", "secret"}};
    struct endpoint listen = kit_endpoint("10.48.54.229:3478");
    struct turn_config cfg = {
        .profile = server, .realm = "TANDBERG", .users = users, .user_count = 1, .listen = &listen, .listen_count = 1,
        .relay_ip4 = listen.ip, .relay_ip6 = kit_ip("2001:db8::1"), .first_port = 24000,
        .last_port = 29999, .limits = turn_limits_default,
    };
    struct turn_client_config client_cfg = {
        .profile = client, .server = listen, .user = "turn", .password = "secret", .family = family,
    };
    w->p = pipe_new(5 * NS_MS);
    w->relay_io = io_new("expressway", 1);
    w->user_io = io_new("cms", 1);
    w->turn = turn_new(w->relay_io, 1, &cfg);
    w->user.io = w->user_io;
    w->user.client = turn_client_new(w->user_io, 2, &client_cfg);
    struct core relay = {&relay_ops, w->turn, w->relay_io}, user = {&user_ops, &w->user, w->user_io};
    pipe_host(w->p, &relay, "10.48.54.229");
    pipe_address(w->p, &relay, "2001:db8::1");
    pipe_host(w->p, &user, "10.48.54.230");
    pipe_run_until(w->p, NS_S);
    turn_client_start(w->user.client);
    pipe_run_until(w->p, 2 * NS_S);
    return w;
}

static struct world *world_new(const struct turn_profile *server, const struct turn_client_profile *client)
{
    return world_of(server, client, 0);
}

static void world_free(struct world *w)
{
    turn_client_free(w->user.client);
    turn_free(w->turn);
    io_free(w->user_io);
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

/* lab-scenario.md: the ten frames of the reference capture, 54 bytes of headers each. */
static void frame_lengths_of_the_capture(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        size_t frame;
    } capture[] = {
        {"Allocate request", 98}, {"Allocate error 401", 230}, {"Allocate request", 202}, {"Allocate success", 166},
        {"Refresh request", 190}, {"Refresh success", 142}, {"ConnectionAttempt indication", 154},
        {"ConnectionBind request", 190}, {"ConnectionBind success", 142}, {"Binding indication", 82},
    };
    struct world *w = world_new(&turn_expressway, &turn_client_meeting_server);
    const struct turn_client_event *ev = last(w, TURN_CLIENT_ALLOCATED);
    struct endpoint relayed = kit_endpoint("10.48.54.229:24000"), peer = kit_endpoint("192.168.1.252:53577");
    assert_non_null(ev);
    assert_true(endpoint_equal(&ev->relayed, &relayed));
    struct raw *edge = raw_connect_to(w->p, "192.168.1.252:53577", &ev->relayed);
    raw_send(w->p, edge, "early", 5);
    pipe_run_until(w->p, 3 * NS_S);
    ev = last(w, TURN_CLIENT_INCOMING);
    assert_non_null(ev);
    assert_true(endpoint_equal(&ev->peer, &peer));
    assert_int_equal(turn_client_accept(w->user.client, ev->connection), 0);
    pipe_run_until(w->p, 8 * NS_S);
    size_t count, at = 0;
    const struct pipe_entry *log = pipe_log(w->p, &count);
    for (size_t i = 0; i < count; i++) {
        if (log[i].is_note)
            continue;
        assert_true(at < sizeof capture / sizeof *capture);
        assert_string_equal(log[i].text, capture[at].label);
        assert_int_equal(log[i].len + 54, capture[at].frame);
        at++;
    }
    assert_int_equal(at, 10);
    ev = last(w, TURN_CLIENT_BOUND);
    assert_non_null(ev);
    assert_int_equal(w->user.got_len, 5);
    assert_memory_equal(w->user.got, "early", 5);
    world_free(w);
}

/* The same against the strict relay: a permission is needed first, and the answer is as short as the RFC has it. */
static void strict_needs_the_permission(void **state)
{
    (void)state;
    struct world *w = world_new(&turn_strict, &turn_client_plain);
    const struct turn_client_event *ev = last(w, TURN_CLIENT_ALLOCATED);
    assert_non_null(ev);
    struct endpoint relayed = ev->relayed;
    struct raw *edge = raw_connect_to(w->p, "192.168.1.252:1", &relayed);
    pipe_run_until(w->p, 3 * NS_S);
    assert_true(edge->eof); /* accepted, then closed */
    assert_null(last(w, TURN_CLIENT_INCOMING));
    struct ip_addr peer = kit_ip("192.168.1.252");
    assert_int_equal(turn_client_permit(w->user.client, &peer, 1), 0);
    pipe_run_until(w->p, 4 * NS_S);
    ev = last(w, TURN_CLIENT_PERMITTED);
    assert_non_null(ev);
    assert_int_equal(ev->code, 0);
    edge = raw_connect_to(w->p, "192.168.1.252:2", &relayed);
    pipe_run_until(w->p, 5 * NS_S);
    ev = last(w, TURN_CLIENT_INCOMING);
    assert_non_null(ev);
    assert_int_equal(turn_client_accept(w->user.client, ev->connection), 0);
    assert_int_equal(turn_client_accept(w->user.client, ev->connection), E_NOT_FOUND);
    pipe_run_until(w->p, 6 * NS_S);
    assert_non_null(last(w, TURN_CLIENT_BOUND));
    world_free(w);
}

/* Calls to the client between events are carried out at the next run; what they tell comes with the next event. */
static void settle(struct world *w, uint64_t ns)
{
    pipe_run_for(w->p, ns);
    keep_events(&w->user);
}

/* RFC 6062 is of the IPv4 days; families go by RFC 8656 (6062-G-12). G-13 for IPv6. */
static void ipv6(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "[::1]:80", "[::]:80", "[ff02::1]:80", "[fe80::1]:80", "[2001::1]:80", "[2002::1]:80", "[::ffff:127.0.0.1]:80",
        "[2001:db8::1]:80",
    };
    struct world *w = world_of(&turn_strict, &turn_client_plain, IP_V6);
    const struct turn_client_event *ev = last(w, TURN_CLIENT_ALLOCATED);
    assert_non_null(ev);
    assert_int_equal(ev->relayed.ip.family, IP_V6);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct endpoint peer = kit_endpoint(refused[i]);
        assert_int_equal(turn_client_connect(w->user.client, &peer), 0);
        settle(w, NS_S);
        ev = last(w, TURN_CLIENT_PEER_FAILED);
        assert_non_null(ev);
        assert_true(endpoint_equal(&ev->peer, &peer));
        assert_int_equal(ev->code, 403);
    }
    struct endpoint peer = kit_endpoint("[2001:db8::9]:80");
    raw_listen(w->p, "[2001:db8::9]:80");
    assert_int_equal(turn_client_connect(w->user.client, &peer), 0);
    settle(w, NS_S);
    ev = last(w, TURN_CLIENT_BOUND);
    assert_non_null(ev);
    assert_true(endpoint_equal(&ev->peer, &peer));
    world_free(w);
}

/* 6062-3-9, 4.5-1, 4.6-2: what goes in at one end comes out at the other, both ways, and the end of it too. */
static void bytes_go_through(void **state)
{
    (void)state;
    enum { SIZE = 250000 };
    uint8_t *bytes = test_malloc(SIZE), digest[2][HASH_SHA256];
    struct rng rng = rng_named(1, "bytes");
    rng_fill(&rng, bytes, SIZE);
    struct world *w = world_new(&turn_strict, &turn_client_plain);
    struct endpoint to = kit_endpoint("203.0.113.9:80");
    raw_listen(w->p, "203.0.113.9:80");
    assert_int_equal(turn_client_connect(w->user.client, &to), 0);
    pipe_run_for(w->p, 10 * NS_MS); /* the request, the SYN */
    struct raw *peer = raw_accepted(w->p, "203.0.113.9:80");
    assert_non_null(peer);
    raw_send(w->p, peer, bytes, SIZE); /* from before the bind on */
    settle(w, NS_S);
    io_send(w->user_io, w->user.data, bytes, SIZE, NULL);
    settle(w, 5 * NS_S);
    sha256(bytes, SIZE, digest[0]);
    assert_int_equal(peer->got_len, SIZE);
    sha256(peer->got, SIZE, digest[1]);
    assert_memory_equal(digest[0], digest[1], HASH_SHA256);
    assert_int_equal(w->user.got_len, SIZE);
    sha256(w->user.got, SIZE, digest[1]);
    assert_memory_equal(digest[0], digest[1], HASH_SHA256);
    io_close(w->user_io, w->user.data);
    settle(w, NS_S);
    assert_true(peer->eof);
    struct turn_stats st;
    turn_stats(w->turn, &st);
    assert_int_equal(st.allocations, 1); /* CTRL stays */
    world_free(w);
    test_free(bytes);
}

/* rfc6062-requirements 10, C: a black hole is 447 at 30 s, before the client's own 39.5 s; and the time line of a call
 * that only waits: refreshes a minute before the end, permissions after 240 s. */
static void time_lines(void **state)
{
    (void)state;
    struct world *w = world_new(&turn_strict, &turn_client_plain);
    struct endpoint hole = kit_endpoint("203.0.113.7:80");
    struct ip_addr peer = kit_ip("203.0.113.9");
    pipe_policy(w->p, "203.0.113.7:0", PIPE_BLACK_HOLE);
    assert_int_equal(turn_client_connect(w->user.client, &hole), 0);
    assert_int_equal(turn_client_permit(w->user.client, &peer, 1), 0);
    pipe_run_until(w->p, 1100 * NS_S);
    assert_string_equal(pipe_story(w->p, NULL, 0),
                        "1.010 Allocate request\n"
                        "1.015 Allocate error 401\n"
                        "1.020 Allocate request\n"
                        "1.025 Allocate success\n"
                        "2.000 Connect request\n"
                        "2.000 CreatePermission request\n"
                        "2.005 CreatePermission success\n"
                        "32.005 Connect error 447\n"
                        "242.010 CreatePermission request\n"
                        "242.015 CreatePermission success\n"
                        "482.020 CreatePermission request\n"
                        "482.025 CreatePermission success\n"
                        "541.030 Refresh request\n"
                        "541.035 Refresh success\n"
                        "722.030 CreatePermission request\n"
                        "722.035 CreatePermission success\n"
                        "962.040 CreatePermission request\n"
                        "962.045 CreatePermission success\n"
                        "1081.040 Refresh request\n"
                        "1081.045 Refresh success\n");
    turn_client_release(w->user.client);
    pipe_run_for(w->p, NS_S);
    struct turn_stats st;
    turn_stats(w->turn, &st);
    assert_int_equal(st.allocations + st.clients, 0);
    world_free(w);
}

/* Transitions are told as notes, with their causes. */
static void transitions_are_noted(void **state)
{
    (void)state;
    struct world *w = world_new(&turn_expressway, &turn_client_meeting_server);
    struct endpoint relayed = kit_endpoint("10.48.54.229:24000");
    struct raw *edge = raw_connect_to(w->p, "192.168.1.252:53577", &relayed);
    pipe_run_for(w->p, 31 * NS_S); /* nobody binds */
    assert_true(edge->eof);
    turn_client_release(w->user.client);
    pipe_run_for(w->p, NS_S);
    assert_int_equal(pipe_count(w->p, "alloc=1 OPENING -> LIVE relay=10.48.54.229:24000 lifetime=600"), 1);
    assert_int_equal(pipe_count(w->p, "alloc=1 LIVE -> GONE cause=refresh-0"), 1);
    size_t count, bound = 0, gone = 0;
    const struct pipe_entry *log = pipe_log(w->p, &count);
    for (size_t i = 0; i < count; i++) {
        bound += log[i].is_note && strstr(log[i].text, "peer=192.168.1.252:53577") && strstr(log[i].text, "-> PENDING");
        gone += log[i].is_note && strstr(log[i].text, "PENDING -> GONE cause=bind-timeout");
    }
    assert_int_equal(bound, 1);
    assert_int_equal(gone, 1);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_lengths_of_the_capture),
        cmocka_unit_test(strict_needs_the_permission),
        cmocka_unit_test(ipv6),
        cmocka_unit_test(bytes_go_through),
        cmocka_unit_test(time_lines),
        cmocka_unit_test(transitions_are_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
