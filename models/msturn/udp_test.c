/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Client and relay over UDP in the pipe's world, with many peers that answer what they get; on an ideal way and on one
 * that loses, repeats and reorders. */
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/msturn/framing.h"
#include "models/msturn/msturn.h"
#include "models/testkit/pipe.h"
#include "models/testkit/testkit.h"

#define EDGE_IP "192.168.1.252"
#define EDGE EDGE_IP ":3478"
#define CLIENT_IP "172.16.0.5"
#define PEER_IP "203.0.113.1"
#define STRANGER_IP "198.51.100.9"
#define DELAY (10 * NS_MS)

enum { PEERS = 12, FIRST_PEER_PORT = 7000 };

/* Answers each datagram with its own bytes, and keeps count. */
struct echo {
    struct io *io;
    struct core core;
    io_id socket[PEERS];
    unsigned got;
    struct endpoint from; /* of the last */
};

static void echo_input(void *self, const struct io_in *in)
{
    struct echo *e = self;
    for (uint16_t i = 0; in->event == IO_START && i < PEERS; i++) {
        struct endpoint at = {.port = (uint16_t)(FIRST_PEER_PORT + i)};
        e->socket[i] = io_udp(e->io, 1, &at);
    }
    if (in->event != IO_DATAGRAM)
        return;
    e->got++;
    e->from = in->remote;
    io_sendto(e->io, in->id, &in->remote, in->data, in->len, NULL);
}

static uint64_t echo_deadline(const void *self)
{
    (void)self;
    return TIME_NEVER;
}

struct world {
    struct pipe *p;
    struct ms_turn_server_config server_cfg;
    struct ms_turn_client_config client_cfg;
    struct ms_turn_server *server;
    struct ms_turn_client *client;
    struct core server_core, client_core;
    struct echo peers, stranger;
    unsigned allocated, refused, gone, active, frames;
    unsigned frames_of[PEERS];
    int code, err, active_code;
    struct endpoint relayed, mapped, stray;
};

static void server_input(void *self, const struct io_in *in)
{
    ms_turn_server_input(((struct world *)self)->server, in);
}

static uint64_t server_deadline(const void *self)
{
    return ms_turn_server_deadline(((const struct world *)self)->server);
}

static void take_event(struct world *w, const struct ms_turn_event *ev)
{
    w->allocated += ev->kind == MS_TURN_ALLOCATED;
    w->refused += ev->kind == MS_TURN_REFUSED;
    w->gone += ev->kind == MS_TURN_GONE;
    w->active += ev->kind == MS_TURN_ACTIVE;
    w->frames += ev->kind == MS_TURN_FRAME;
    if (ev->kind == MS_TURN_ALLOCATED) {
        w->relayed = ev->relayed;
        w->mapped = ev->mapped;
    } else if (ev->kind == MS_TURN_ACTIVE) {
        w->active_code = ev->code;
    } else if (ev->kind != MS_TURN_FRAME) {
        w->code = ev->code;
        w->err = ev->err;
    } else {
        assert_int_equal(ev->len, 5);
        assert_memory_equal(ev->data, "to ", 3);
        assert_int_equal(ev->data[3], ev->peer.port - FIRST_PEER_PORT);
        w->frames_of[ev->peer.port - FIRST_PEER_PORT]++;
    }
}

static void client_input(void *self, const struct io_in *in)
{
    struct world *w = self;
    if (in->event == IO_START)
        ms_turn_client_start(w->client);
    ms_turn_client_input(w->client, in);
    struct ms_turn_event ev;
    while (ms_turn_client_poll(w->client, &ev))
        take_event(w, &ev);
}

static uint64_t client_deadline(const void *self)
{
    return ms_turn_client_deadline(((const struct world *)self)->client);
}

static const struct core_ops server_ops = {.input = server_input, .deadline = server_deadline};
static const struct core_ops client_ops = {.input = client_input, .deadline = client_deadline};
static const struct core_ops echo_ops = {.input = echo_input, .deadline = echo_deadline};
static const struct ms_turn_user user = {"skype", "password"};
static struct endpoint listener;

static struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    listener = kit_endpoint("0.0.0.0:3478");
    w->server_cfg = (struct ms_turn_server_config){.realm = "edge",
                                                   .users = &user,
                                                   .user_count = 1,
                                                   .listen_udp = &listener,
                                                   .listen_udp_count = 1,
                                                   .relay_ip = kit_ip(EDGE_IP),
                                                   .first_port = 50000,
                                                   .last_port = 50003,
                                                   .max_clients = 3,
                                                   .max_peers = PEERS,
                                                   .connect_out = true};
    w->client_cfg = (struct ms_turn_client_config){.server = kit_endpoint(EDGE),
                                                   .user = "skype",
                                                   .password = "password",
                                                   .over_udp = true,
                                                   .stream = MS_TURN_STREAM_AUDIO};
    w->p = pipe_new(DELAY);
    return w;
}

static void add_echo(struct world *w, struct echo *e, const char *name, const char *ip)
{
    e->io = io_new(name, 1);
    e->core = (struct core){&echo_ops, e, e->io};
    pipe_host(w->p, &e->core, ip);
}

static void world_start(struct world *w)
{
    w->server_core = (struct core){&server_ops, w, io_new("edge", 1)};
    w->client_core = (struct core){&client_ops, w, io_new("skype", 1)};
    w->server = ms_turn_server_new(w->server_core.io, 2, &w->server_cfg);
    w->client = ms_turn_client_new(w->client_core.io, 3, &w->client_cfg);
    assert_true(w->server && w->client);
    pipe_host(w->p, &w->server_core, EDGE_IP);
    pipe_host(w->p, &w->client_core, CLIENT_IP);
    add_echo(w, &w->peers, "peers", PEER_IP);
    add_echo(w, &w->stranger, "stranger", STRANGER_IP);
    pipe_run_for(w->p, NS_S);
}

static void world_free(struct world *w)
{
    struct io *io[] = {w->server_core.io, w->client_core.io, w->peers.io, w->stranger.io};
    pipe_free(w->p);
    ms_turn_server_free(w->server);
    ms_turn_client_free(w->client);
    for (size_t i = 0; i < 4; i++)
        io_free(io[i]);
    free(w);
}

static struct endpoint peer_at(unsigned i)
{
    return (struct endpoint){kit_ip(PEER_IP), (uint16_t)(FIRST_PEER_PORT + i)};
}

static void send_to(struct world *w, unsigned i)
{
    char text[5] = {'t', 'o', ' ', (char)i, '.'};
    struct endpoint to = peer_at(i);
    ms_turn_client_send(w->client, &to, text, sizeof text, "hello");
}

/* Nothing goes before the messages, and no unit is around them: the same dialogue as over TCP, shorter. */
static void allocation_step_by_step(void **state)
{
    (void)state;
    struct world *w = world_new();
    world_start(w);
    assert_int_equal(w->allocated, 1);
    assert_true(endpoint_equal(&w->relayed, &(struct endpoint){kit_ip(EDGE_IP), 50000}));
    assert_true(endpoint_equal(&w->mapped, &(struct endpoint){kit_ip(CLIENT_IP), 49152}));
    assert_string_equal(pipe_story(w->p, NULL, 0), "0.000 MS-TURN Allocate request\n"
                                                   "0.010 MS-TURN Allocate error 401\n"
                                                   "0.020 MS-TURN Allocate request\n"
                                                   "0.030 MS-TURN Allocate success\n");
    world_free(w);
}

/* A dozen peers through one allocation, each told from the others both ways; then the active destination's raw data,
 * while the others' still come in indications. */
static void many_peers_through_one_allocation(void **state)
{
    (void)state;
    struct world *w = world_new();
    world_start(w);
    for (unsigned i = 0; i < PEERS; i++)
        send_to(w, i);
    pipe_run_for(w->p, NS_S);
    assert_int_equal(w->peers.got, PEERS);
    assert_true(endpoint_equal(&w->peers.from, &w->relayed));
    assert_int_equal(pipe_count(w->p, "MS-TURN Send (hello)"), PEERS);
    assert_int_equal(pipe_count(w->p, "MS-TURN Data indication"), PEERS);
    struct endpoint third = peer_at(3);
    ms_turn_client_set_active(w->client, &third);
    pipe_run_for(w->p, NS_S);
    assert_int_equal(w->active, 1);
    assert_int_equal(w->active_code, 0);
    uint64_t raw_ns = pipe_now(w->p);
    for (unsigned i = 2; i < 4; i++)
        send_to(w, i);
    pipe_run_for(w->p, NS_S);
    assert_string_equal(pipe_story(w->p, "skype", raw_ns), "3.000 MS-TURN Send (hello)\n3.000 hello\n");
    assert_string_equal(pipe_story(w->p, "edge", raw_ns), "3.030 MS-TURN Data indication\n");
    for (unsigned i = 0; i < PEERS; i++)
        assert_int_equal(w->frames_of[i], i == 2 || i == 3 ? 2 : 1);
    world_free(w);
}

/* MST-5: nobody comes through whom the client has not sent to; a neighbour on the same address does. */
static void strangers_stay_out(void **state)
{
    (void)state;
    struct world *w = world_new();
    world_start(w);
    io_sendto(w->stranger.io, w->stranger.socket[0], &w->relayed, "to \0.", 5, NULL);
    io_sendto(w->peers.io, w->peers.socket[1], &w->relayed, "to \1.", 5, NULL);
    pipe_run_for(w->p, NS_S);
    assert_int_equal(w->frames, 0);
    send_to(w, 0);
    pipe_run_for(w->p, NS_S);
    io_sendto(w->stranger.io, w->stranger.socket[0], &w->relayed, "to \0.", 5, NULL);
    io_sendto(w->peers.io, w->peers.socket[1], &w->relayed, "to \1.", 5, NULL);
    pipe_run_for(w->p, NS_S);
    assert_int_equal(w->frames_of[0], 1);
    assert_int_equal(w->frames_of[1], 1);
    struct endpoint stranger = kit_endpoint(STRANGER_IP ":7000");
    ms_turn_client_set_active(w->client, &stranger);
    pipe_run_for(w->p, NS_S);
    assert_int_equal(w->active_code, 400);
    assert_int_equal(w->stranger.got, 0);
    world_free(w);
}

/* What is not of the server is not heard by the client, what is no request for an allocation not answered by the
 * server. */
static void noise_is_ignored(void **state)
{
    (void)state;
    struct world *w = world_new();
    world_start(w);
    struct endpoint edge = kit_endpoint(EDGE), active = peer_at(0);
    send_to(w, 0);
    ms_turn_client_set_active(w->client, &active);
    pipe_run_for(w->p, NS_S);
    assert_int_equal(w->frames, 1);
    uint64_t since = pipe_now(w->p);
    io_sendto(w->stranger.io, w->stranger.socket[0], &w->mapped, "to \0.", 5, NULL);
    io_sendto(w->stranger.io, w->stranger.socket[0], &edge, "GET / HTTP/1.1\r\n\r\n................", 34, NULL);
    uint8_t request[STUN_HEADER + 8];
    struct stun_out o;
    stun_begin(&o, &stun_ms_turn, request, sizeof request, stun_type(STUN_REQUEST, MS_TURN_SEND),
               &(struct stun_id){{1}});
    io_sendto(w->stranger.io, w->stranger.socket[0], &edge, request, (size_t)stun_end(&o), NULL);
    pipe_run_for(w->p, NS_S);
    assert_int_equal(w->frames, 1);
    assert_string_equal(pipe_story(w->p, "edge", since), "");
    assert_int_equal(w->stranger.got, 0);
    world_free(w);
}

/* RFC 3489 9.3, to the millisecond. */
static void nobody_answers(void **state)
{
    (void)state;
    struct world *w = world_new();
    w->server_cfg.listen_udp_count = 0;
    world_start(w);
    pipe_run_until(w->p, 9499 * NS_MS);
    assert_int_equal(w->refused, 0);
    pipe_run_until(w->p, 9500 * NS_MS);
    assert_int_equal(w->refused, 1);
    assert_int_equal(w->err, E_TIMED_OUT);
    assert_string_equal(pipe_story(w->p, NULL, 0), "0.000 MS-TURN Allocate request\n0.100 MS-TURN Allocate request\n"
                                                   "0.300 MS-TURN Allocate request\n0.700 MS-TURN Allocate request\n"
                                                   "1.500 MS-TURN Allocate request\n3.100 MS-TURN Allocate request\n"
                                                   "4.700 MS-TURN Allocate request\n6.300 MS-TURN Allocate request\n"
                                                   "7.900 MS-TURN Allocate request\n");
    world_free(w);
}

static void wrong_password(void **state)
{
    (void)state;
    struct world *w = world_new();
    w->client_cfg.password = "guess";
    world_start(w);
    assert_int_equal(w->refused, 1);
    assert_int_equal(w->code, 431);
    pipe_run_for(w->p, 100 * NS_S);
    assert_int_equal(w->refused, 1);
    world_free(w);
}

/* It lives while it is refreshed, and goes with a request of lifetime 0; its port is free again, its socket gone. */
static void refreshed_and_released(void **state)
{
    (void)state;
    struct world *w = world_new();
    world_start(w);
    pipe_run_until(w->p, 3000 * NS_S);
    send_to(w, 5);
    pipe_run_for(w->p, NS_S);
    assert_int_equal(w->frames_of[5], 1);
    assert_int_equal(w->gone, 0);
    ms_turn_client_release(w->client);
    pipe_run_for(w->p, NS_S);
    assert_int_equal(pipe_count(w->p, "ms-alloc=50000 LIVE -> NONE cause=deleted"), 1);
    assert_true(ms_turn_client_deadline(w->client) == TIME_NEVER);
    pipe_run_for(w->p, 61 * NS_S); /* the server forgets who has nothing here */
    assert_true(ms_turn_server_deadline(w->server) == TIME_NEVER);
    assert_int_equal(w->gone, 0);
    world_free(w);
}

/* A third of all datagrams lost, others twice or late: requests get through, and the allocation is one. */
static void through_a_bad_network(void **state)
{
    (void)state;
    unsigned allocated = 0, frames = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct world *w = world_new();
        pipe_trouble(w->p, seed, 30, 20, 20);
        world_start(w);
        pipe_run_for(w->p, 10 * NS_S);
        assert_true(w->allocated + w->refused == 1);
        for (unsigned i = 0; w->allocated && i < 100; i++) {
            send_to(w, i % PEERS);
            pipe_run_for(w->p, 20 * NS_MS);
        }
        if (w->allocated)
            ms_turn_client_release(w->client);
        pipe_run_for(w->p, 20 * NS_S);
        assert_int_equal(pipe_count(w->p, "ms-alloc=50000 NONE -> LIVE cause=allocate"), w->allocated);
        assert_int_equal(pipe_count(w->p, "ms-alloc=50000 LIVE -> NONE cause=deleted"), w->allocated);
        allocated += w->allocated;
        frames += w->frames;
        world_free(w);
    }
    assert_true(allocated >= 19);
    assert_in_range(frames, 300, 1400); /* four legs of 100 datagrams each, in 20 worlds */
}

/* A full server does not answer; its clients are served on. */
static void no_room_for_a_client(void **state)
{
    (void)state;
    struct world *w = world_new();
    w->server_cfg.max_clients = 0;
    world_start(w);
    assert_int_equal(w->allocated, 0);
    assert_int_equal(pipe_count(w->p, "MS-TURN Allocate error 401"), 0);
    world_free(w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocation_step_by_step),
        cmocka_unit_test(many_peers_through_one_allocation),
        cmocka_unit_test(strangers_stay_out),
        cmocka_unit_test(noise_is_ignored),
        cmocka_unit_test(nobody_answers),
        cmocka_unit_test(wrong_password),
        cmocka_unit_test(refreshed_and_released),
        cmocka_unit_test(through_a_bad_network),
        cmocka_unit_test(no_room_for_a_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
