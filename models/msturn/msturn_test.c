/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client and the relay together in the pipe's world, with raw peers beside them. */
#include "models/msturn/msturn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/msturn/framing.h"
#include "models/testkit/pipe.h"
#include "models/testkit/testkit.h"

#define EDGE_IP "192.168.1.252"
#define EDGE EDGE_IP ":443"
#define CLIENT_IP "172.16.0.5"
#define DELAY (10 * NS_MS)

/* ---- a world with one relay and one client ---- */

struct got {
    struct endpoint peer;
    size_t len;
    uint8_t first, last;
};

struct world {
    struct pipe *p;
    struct ms_turn_server_config server_cfg;
    struct ms_turn_client_config client_cfg;
    struct ms_turn_server *server;
    struct ms_turn_client *client;
    struct core server_core, client_core;
    unsigned allocated, refused, gone, active, blocked, writable;
    int code, err, active_code;
    struct endpoint relayed, mapped;
    struct got got[64];
    size_t frames;
    uint8_t *stream; /* all frames of all peers, each behind its length */
    size_t stream_len;
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
    switch (ev->kind) {
    case MS_TURN_ALLOCATED:
        w->allocated++;
        w->relayed = ev->relayed;
        w->mapped = ev->mapped;
        break;
    case MS_TURN_REFUSED:
        w->refused++;
        w->code = ev->code;
        w->err = ev->err;
        break;
    case MS_TURN_GONE:
        w->gone++;
        w->code = ev->code;
        w->err = ev->err;
        break;
    case MS_TURN_FRAME:
        assert_true(w->frames < 64);
        w->got[w->frames++] = (struct got){ev->peer, ev->len, ev->len ? ev->data[0] : 0,
                                           ev->len ? ev->data[ev->len - 1] : 0};
        w->stream = realloc(w->stream, w->stream_len + 2 + ev->len);
        store16(w->stream + w->stream_len, (unsigned)ev->len);
        if (ev->len)
            memcpy(w->stream + w->stream_len + 2, ev->data, ev->len);
        w->stream_len += 2 + ev->len;
        break;
    case MS_TURN_ACTIVE:
        w->active++;
        w->active_code = ev->code;
        break;
    case MS_TURN_BLOCKED:
        w->blocked++;
        break;
    case MS_TURN_WRITABLE:
        w->writable++;
        break;
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

static const struct ms_turn_user users[] = {{"other", "secret"}, {"skype", "password"}};
static struct endpoint listeners[1];

static struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    listeners[0] = kit_endpoint("0.0.0.0:443");
    w->server_cfg = (struct ms_turn_server_config){.realm = "edge",
                                                   .users = users,
                                                   .user_count = 2,
                                                   .listen = listeners,
                                                   .listen_count = 1,
                                                   .relay_ip = kit_ip(EDGE_IP),
                                                   .first_port = 50000,
                                                   .last_port = 50009,
                                                   .max_clients = 4,
                                                   .max_peers = 4,
                                                   .connect_out = true};
    w->client_cfg = (struct ms_turn_client_config){
        .server = kit_endpoint(EDGE), .user = "skype", .password = "password"};
    w->p = pipe_new(DELAY);
    return w;
}

static void add_server(struct world *w)
{
    struct io *io = io_new("edge", 1);
    w->server = ms_turn_server_new(io, 2, &w->server_cfg);
    assert_non_null(w->server);
    w->server_core = (struct core){&server_ops, w, io};
    pipe_host(w->p, &w->server_core, EDGE_IP);
}

static void add_client(struct world *w)
{
    struct io *io = io_new("skype", 1);
    w->client = ms_turn_client_new(io, 3, &w->client_cfg);
    w->client_core = (struct core){&client_ops, w, io};
    pipe_host(w->p, &w->client_core, CLIENT_IP);
}

static struct world *world_with_both(void)
{
    struct world *w = world_new();
    add_server(w);
    add_client(w);
    pipe_run_until(w->p, 1 * NS_S);
    return w;
}

static void world_free(struct world *w)
{
    pipe_free(w->p);
    ms_turn_server_free(w->server);
    ms_turn_client_free(w->client);
    io_free(w->server_core.io);
    io_free(w->client_core.io);
    free(w->stream);
    free(w);
}

static void send_text(struct world *w, const char *peer, const char *text)
{
    struct endpoint to = kit_endpoint(peer);
    ms_turn_client_send(w->client, &to, text, strlen(text), NULL);
}

static void assert_got(const struct raw *r, const void *bytes, size_t len)
{
    assert_int_equal(r->got_len, len);
    if (len)
        assert_memory_equal(r->got, bytes, len);
}

/* ---- allocation ---- */

static void allocation_step_by_step(void **state)
{
    (void)state;
    struct world *w = world_with_both();
    assert_string_equal(pipe_story(w->p, NULL, 0), "0.020 pseudo-TLS ClientHello\n"
                                                   "0.030 pseudo-TLS ServerHello\n"
                                                   "0.040 MS-TURN Allocate request\n"
                                                   "0.050 MS-TURN Allocate error 401\n"
                                                   "0.060 MS-TURN Allocate request\n"
                                                   "0.070 MS-TURN Allocate success\n");
    assert_int_equal(w->allocated, 1);
    struct endpoint relayed = kit_endpoint(EDGE_IP ":50000");
    assert_true(endpoint_equal(&w->relayed, &relayed));
    struct endpoint mapped = kit_endpoint(CLIENT_IP ":49152");
    assert_true(endpoint_equal(&w->mapped, &mapped));
    size_t n;
    const struct pipe_entry *log = pipe_log(w->p, &n);
    assert_int_equal(log[0].len, 50); /* MST-34, MST-35 */
    assert_int_equal(log[1].len, 83);
    world_free(w);
}

static void public_address_is_told(void **state)
{
    (void)state;
    struct world *w = world_new();
    w->server_cfg.public_ip = kit_ip("192.0.2.10");
    add_server(w);
    add_client(w);
    pipe_run_until(w->p, 1 * NS_S);
    struct endpoint relayed = kit_endpoint("192.0.2.10:50000");
    assert_true(endpoint_equal(&w->relayed, &relayed));
    world_free(w);
}

static void wrong_credentials(void **state)
{
    (void)state;
    static const struct {
        const char *user, *password;
        int code;
    } rows[] = {{"skype", "secret", 431}, {"nobody", "password", 436}, {"", "password", 436}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world *w = world_new();
        w->client_cfg.user = rows[i].user;
        w->client_cfg.password = rows[i].password;
        add_server(w);
        add_client(w);
        pipe_run_until(w->p, 30 * NS_S);
        assert_int_equal(w->refused, 1);
        assert_int_equal(w->code, rows[i].code);
        assert_int_equal(w->allocated, 0);
        assert_int_equal(pipe_count(w->p, "MS-TURN Allocate request"), 2); /* not again and again */
        world_free(w);
    }
}

/* The client keeps it by asking again at half its life; left alone it ends after ten minutes. */
static void refresh_and_release(void **state)
{
    (void)state;
    struct world *w = world_with_both();
    pipe_run_until(w->p, 2000 * NS_S);
    assert_int_equal(pipe_count(w->p, "MS-TURN Allocate success"), 1 + 6);
    assert_int_equal(pipe_count(w->p, "ms-alloc=50000 LIVE -> NONE cause=lifetime"), 0);
    assert_int_equal(w->allocated, 1);
    send_text(w, "203.0.113.9:7000", "x");
    raw_listen(w->p, "203.0.113.9:7000");
    pipe_run_for(w->p, 1 * NS_S);
    struct raw *peer = raw_accepted(w->p, "203.0.113.9:7000");
    assert_non_null(peer);
    ms_turn_client_release(w->client);
    pipe_run_for(w->p, 1 * NS_S);
    assert_int_equal(pipe_count(w->p, "ms-alloc=50000 LIVE -> NONE cause=deleted"), 1);
    assert_true(peer->eof);
    struct raw *late = raw_connect(w->p, "203.0.113.9:7001", EDGE_IP ":50000");
    pipe_run_for(w->p, 1 * NS_S);
    assert_int_equal(late->err, E_REFUSED);
    assert_int_equal(w->gone + w->refused, 0);
    world_free(w);
}

/* ---- data ---- */

/* n bytes of frames of sizes that vary, each behind its length. */
static size_t fill_frames(uint8_t *out, size_t frames, const char *name)
{
    struct rng rng = rng_named(7, name);
    size_t at = 0;
    for (size_t i = 0; i < frames; i++) {
        size_t len = i == 1 ? 0 : i == 2 ? 1 : (size_t)rng_below(&rng, 1400);
        store16(out + at, (unsigned)len);
        rng_fill(&rng, out + at + 2, len);
        at += 2 + len;
    }
    return at;
}

static void send_frames(struct world *w, const struct endpoint *to, const uint8_t *p, size_t len)
{
    for (size_t at = 0; at < len; at += 2 + (size_t)load16(p + at))
        ms_turn_client_send(w->client, to, p + at + 2, load16(p + at), NULL);
}

/* Both directions, two peers, in indications and raw, with the stream cut into pieces of every kind. */
static void data_both_ways_however_cut(void **state)
{
    (void)state;
    enum { FRAMES = 8 };
    static const size_t cuts[] = {1, 2, 3, 4, 5, 7, 64, 1000, SIZE_MAX};
    static uint8_t up[FRAMES * 1500], down[FRAMES * 1500];
    size_t up_len = fill_frames(up, FRAMES, "up"), down_len = fill_frames(down, FRAMES, "down");
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        struct world *w = world_new();
        add_server(w);
        add_client(w);
        pipe_cut(w->p, cuts[i]);
        raw_listen(w->p, "203.0.113.1:7000");
        raw_listen(w->p, "203.0.113.2:7000");
        pipe_run_until(w->p, 1 * NS_S);
        struct endpoint one = kit_endpoint("203.0.113.1:7000"), two = kit_endpoint("203.0.113.2:7000");
        send_frames(w, &one, up, up_len); /* in Send requests; the first opens the connection */
        send_frames(w, &two, up, up_len);
        pipe_run_for(w->p, 1 * NS_S);
        struct raw *peer_one = raw_accepted(w->p, "203.0.113.1:7000"),
                   *peer_two = raw_accepted(w->p, "203.0.113.2:7000");
        assert_non_null(peer_one);
        assert_non_null(peer_two);
        assert_got(peer_one, up, up_len);
        assert_got(peer_two, up, up_len);
        assert_true(endpoint_equal(&peer_one->remote, &w->relayed)); /* out of the relay port */
        raw_send(w->p, peer_one, down, down_len);
        pipe_run_for(w->p, 1 * NS_S);
        assert_int_equal(w->stream_len, down_len);
        assert_memory_equal(w->stream, down, down_len);
        assert_int_equal(pipe_count(w->p, "MS-TURN Data indication"), FRAMES);

        ms_turn_client_set_active(w->client, &one);
        pipe_run_for(w->p, 1 * NS_S);
        assert_int_equal(w->active, 1);
        assert_int_equal(w->active_code, 0);
        size_t sends = pipe_count(w->p, "MS-TURN Send");
        send_frames(w, &one, up, up_len);
        raw_send(w->p, peer_one, down, down_len);
        raw_send(w->p, peer_two, down, 2 + (size_t)load16(down)); /* one frame, not the active one's */
        pipe_run_for(w->p, 1 * NS_S);
        assert_int_equal(peer_one->got_len, 2 * up_len);
        assert_memory_equal(peer_one->got + up_len, up, up_len);
        assert_int_equal(pipe_count(w->p, "MS-TURN Send"), sends); /* raw from now on (MST-10) */
        assert_int_equal(pipe_count(w->p, "MS-TURN Data indication"), FRAMES + 1);
        assert_int_equal(w->frames, 2 * FRAMES + 1);
        size_t from_two = 0;
        for (size_t f = FRAMES; f < w->frames; f++)
            from_two += endpoint_equal(&w->got[f].peer, &two);
        assert_int_equal(from_two, 1);
        world_free(w);
    }
}

/* MST-5: a peer is let in when the client has sent to its address, from any port. */
static void peers_need_permission(void **state)
{
    (void)state;
    struct world *w = world_new();
    w->server_cfg.connect_out = false;
    add_server(w);
    add_client(w);
    pipe_run_until(w->p, 1 * NS_S);
    struct raw *early = raw_connect(w->p, "203.0.113.1:7000", EDGE_IP ":50000");
    raw_send(w->p, early, "\0\1e", 3);
    pipe_run_for(w->p, 1 * NS_S);
    assert_true(early->eof || early->state == RAW_GONE);
    raw_listen(w->p, "203.0.113.1:9999");
    send_text(w, "203.0.113.1:9999", "permit"); /* goes nowhere: this relay does not connect */
    pipe_run_for(w->p, 1 * NS_S);
    assert_null(raw_accepted(w->p, "203.0.113.1:9999"));
    struct raw *peer = raw_connect(w->p, "203.0.113.1:7001", EDGE_IP ":50000");
    struct raw *stranger = raw_connect(w->p, "203.0.113.2:7001", EDGE_IP ":50000");
    raw_send(w->p, peer, "\0\2hi", 4);
    raw_send(w->p, stranger, "\0\2no", 4);
    pipe_run_for(w->p, 1 * NS_S);
    assert_int_equal(w->frames, 1);
    assert_int_equal(w->got[0].first, 'h');
    assert_true(endpoint_equal(&w->got[0].peer, &peer->local));
    assert_true(stranger->eof || stranger->state == RAW_GONE);
    send_text(w, "203.0.113.1:7001", "back"); /* over the connection that is there */
    pipe_run_for(w->p, 1 * NS_S);
    assert_got(peer, "\0\4back", 6);
    world_free(w);
}

/* A peer that goes can come again; one that was active is so no longer. */
static void peer_goes_and_returns(void **state)
{
    (void)state;
    struct world *w = world_with_both();
    raw_listen(w->p, "203.0.113.1:7000");
    send_text(w, "203.0.113.1:7000", "one");
    pipe_run_for(w->p, 1 * NS_S);
    struct endpoint at = kit_endpoint("203.0.113.1:7000");
    ms_turn_client_set_active(w->client, &at);
    pipe_run_for(w->p, 1 * NS_S);
    struct raw *peer = raw_accepted(w->p, "203.0.113.1:7000");
    raw_close(w->p, peer);
    pipe_run_for(w->p, 1 * NS_S);
    send_text(w, "203.0.113.1:7000", "raw, to nobody");
    pipe_run_for(w->p, 1 * NS_S);
    assert_null(raw_accepted(w->p, "203.0.113.1:7000"));
    ms_turn_client_set_active(w->client, &at);
    pipe_run_for(w->p, 1 * NS_S);
    assert_int_equal(w->active, 2);
    assert_int_equal(w->active_code, 400);
    struct raw *again = raw_connect(w->p, "203.0.113.1:7005", EDGE_IP ":50000");
    raw_send(w->p, again, "\0\5again", 7);
    pipe_run_for(w->p, 1 * NS_S);
    assert_int_equal(w->frames, 1);
    assert_int_equal(w->gone, 0);
    world_free(w);
}

static void peer_cannot_be_reached(void **state)
{
    (void)state;
    struct world *w = world_with_both();
    pipe_policy(w->p, "203.0.113.1:7000", PIPE_REFUSE);
    send_text(w, "203.0.113.1:7000", "one");
    pipe_run_for(w->p, 1 * NS_S);
    assert_int_equal(pipe_count(w->p, "ms-alloc=50000 peer 203.0.113.1:7000: refused"), 1);
    raw_listen(w->p, "203.0.113.1:7000");
    pipe_policy(w->p, "203.0.113.1:7000", PIPE_ACCEPT);
    send_text(w, "203.0.113.1:7000", "two");
    pipe_run_for(w->p, 1 * NS_S);
    struct raw *peer = raw_accepted(w->p, "203.0.113.1:7000");
    assert_non_null(peer);
    assert_got(peer, "\0\3two", 5);
    world_free(w);
}

/* A frame that no indication can carry is dropped, and the stream goes on; raw it passes. */
static void longest_frames(void **state)
{
    (void)state;
    static uint8_t frame[2 + 65535];
    memset(frame, 'x', sizeof frame);
    store16(frame, 65535);
    struct world *w = world_with_both();
    raw_listen(w->p, "203.0.113.1:7000");
    struct endpoint at = kit_endpoint("203.0.113.1:7000");
    ms_turn_client_send(w->client, &at, frame + 2, 65535, NULL);
    send_text(w, "203.0.113.1:7000", "short");
    pipe_run_for(w->p, 1 * NS_S);
    struct raw *peer = raw_accepted(w->p, "203.0.113.1:7000");
    assert_got(peer, "\0\5short", 7);
    raw_send(w->p, peer, frame, sizeof frame);
    raw_send(w->p, peer, "\0\1s", 3);
    pipe_run_for(w->p, 1 * NS_S);
    assert_int_equal(w->frames, 1);
    assert_int_equal(w->got[0].first, 's');
    ms_turn_client_set_active(w->client, &at);
    pipe_run_for(w->p, 1 * NS_S);
    raw_forget(peer, peer->got_len);
    ms_turn_client_send(w->client, &at, frame + 2, 65535, NULL);
    raw_send(w->p, peer, frame, sizeof frame);
    pipe_run_for(w->p, 1 * NS_S);
    assert_got(peer, frame, sizeof frame);
    assert_int_equal(w->got[1].len, 65535);
    world_free(w);
}

static void limits_of_peers(void **state)
{
    (void)state;
    for (uint32_t limit = 0; limit < 4; limit++) {
        struct world *w = world_new();
        w->server_cfg.max_peers = limit;
        add_server(w);
        add_client(w);
        pipe_run_until(w->p, 1 * NS_S);
        unsigned connected = 0;
        for (unsigned i = 0; i < 4; i++) {
            char at[ENDPOINT_TEXT];
            snprintf(at, sizeof at, "203.0.113.%u:7000", i + 1);
            raw_listen(w->p, at);
            send_text(w, at, "x");
            pipe_run_for(w->p, 1 * NS_S);
            connected += raw_accepted(w->p, at) != NULL;
        }
        assert_int_equal(connected, limit);
        struct raw *late =
            raw_connect(w->p, "203.0.113.1:7009", EDGE_IP ":50000"); /* permitted, no room but for 0 */
        pipe_run_for(w->p, 1 * NS_S);
        assert_true(late->eof || late->state == RAW_GONE);
        assert_int_equal(w->gone, 0);
        world_free(w);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocation_step_by_step),
        cmocka_unit_test(public_address_is_told),
        cmocka_unit_test(wrong_credentials),
        cmocka_unit_test(refresh_and_release),
        cmocka_unit_test(data_both_ways_however_cut),
        cmocka_unit_test(peers_need_permission),
        cmocka_unit_test(peer_goes_and_returns),
        cmocka_unit_test(peer_cannot_be_reached),
        cmocka_unit_test(longest_frames),
        cmocka_unit_test(limits_of_peers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
