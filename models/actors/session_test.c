/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two sessions against each other over the pipe; the test does the signalling. */
#include "models/actors/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/msturn/msturn.h"
#include "models/testkit/pipe.h"
#include "models/testkit/testkit.h"
#include "models/turn/turn.h"

enum { OWNER = 3, SDP_CAP = 8192 };

struct user {
    struct io *io;
    struct session *session;
    struct session_map *map;
    char described[SDP_CAP];
    unsigned descriptions, up;
    char failed[256], lost[256];
};

static void keep(struct user *u)
{
    struct session_event ev;
    while (session_poll(u->session, &ev))
        switch (ev.kind) {
        case SESSION_DESCRIBED:
            snprintf(u->described, sizeof u->described, "%s", ev.text);
            u->descriptions++;
            break;
        case SESSION_UP:
            u->up++;
            break;
        case SESSION_FAILED:
            snprintf(u->failed, sizeof u->failed, "%s", ev.text);
            break;
        case SESSION_LOST:
            snprintf(u->lost, sizeof u->lost, "%s", ev.text);
            break;
        }
}

static void user_input(void *self, const struct io_in *in)
{
    struct user *u = self;
    struct session *of = session_map_find(u->map, in->id);
    bool ours = session_input(u->session, in);
    assert_true(!in->id || of == u->session);
    assert_true(ours || !in->id);
    keep(u);
}

static uint64_t user_deadline(const void *self)
{
    return session_deadline(((const struct user *)self)->session);
}

static const struct core_ops user_ops = {user_input, user_deadline, NULL};

struct world {
    struct pipe *p;
    struct user a, b;
    struct io *relay_io, *edge_io;
    struct turn *relay;
    struct ms_turn_server *edge;
};

static void relay_input(void *self, const struct io_in *in)
{
    turn_input(self, in);
}

static uint64_t relay_deadline(const void *self)
{
    return turn_deadline(self);
}

static const struct core_ops relay_ops = {relay_input, relay_deadline, NULL};

/* At 192.0.2.1:3478, over UDP and TCP, with relay ports from 24000. */
static void add_relay(struct world *w)
{
    static const struct turn_user user = {"u", "p"};
    struct endpoint at = kit_endpoint("192.0.2.1:3478");
    struct ip_prefix itself = {at.ip, 32}; /* from relay to relay */
    struct turn_config cfg = {.profile = &turn_strict, .realm = "r", .users = &user, .user_count = 1, .listen = &at,
                              .listen_count = 1, .listen_udp = &at, .listen_udp_count = 1, .relay_ip4 = at.ip,
                              .first_port = 24000, .last_port = 24999, .allow_peer = &itself, .allow_peer_count = 1,
                              .limits = turn_limits_default};
    w->relay_io = io_new("relay", 1);
    w->relay = turn_new(w->relay_io, 1, &cfg);
    assert_non_null(w->relay);
    pipe_host(w->p, &(struct core){&relay_ops, w->relay, w->relay_io}, "192.0.2.1");
}

static const struct session_config plain = {
    .name = "guest-1",
    .media = CALL_AUDIO | CALL_VIDEO,
    .first_port = 50000,
    .last_port = 50999,
    .host_candidates = true,
    .audio = {.packets_per_s = 50, .payload_bytes = 160, .payload_type = 8, .clock = 8000},
    .video = {.packets_per_s = 30, .payload_bytes = 900, .payload_type = 97, .clock = 90000},
};

static void add_user(struct world *w, struct user *u, const char *name, const char *ip, struct session_config cfg)
{
    cfg.address = kit_ip(ip);
    *u = (struct user){.io = io_new(name, 1), .map = session_map_new(8)};
    cfg.map = u->map;
    u->session = session_new(u->io, OWNER, &cfg);
    assert_non_null(u->session);
    pipe_host(w->p, &(struct core){&user_ops, u, u->io}, ip);
}

static void edge_input(void *self, const struct io_in *in)
{
    ms_turn_server_input(self, in);
}

static uint64_t edge_deadline(const void *self)
{
    return ms_turn_server_deadline(self);
}

static const struct core_ops edge_ops = {edge_input, edge_deadline, NULL};

/* MS-TURN at 198.51.100.1:3478 over UDP. */
static void add_edge(struct world *w)
{
    static const struct ms_turn_user user = {"u", "p"};
    struct endpoint at = kit_endpoint("198.51.100.1:3478");
    struct ms_turn_server_config cfg = {.realm = "r", .users = &user, .user_count = 1, .listen_udp = &at,
                                        .listen_udp_count = 1, .relay_ip = at.ip, .first_port = 50000,
                                        .last_port = 50999, .max_clients = 100, .max_peers = 16};
    w->edge_io = io_new("edge", 1);
    w->edge = ms_turn_server_new(w->edge_io, 1, &cfg);
    assert_non_null(w->edge);
    pipe_host(w->p, &(struct core){&edge_ops, w->edge, w->edge_io}, "198.51.100.1");
}

static struct world *world_new(const struct session_config *a, const struct session_config *b)
{
    struct world *w = test_calloc(1, sizeof *w);
    w->p = pipe_new(10 * NS_MS);
    add_relay(w);
    add_edge(w);
    add_user(w, &w->a, "alice", "10.1.0.1", *a);
    add_user(w, &w->b, "bob", "10.2.0.2", *b);
    return w;
}

static void world_free(struct world *w)
{
    session_free(w->a.session);
    session_free(w->b.session);
    session_map_free(w->a.map);
    session_map_free(w->b.map);
    turn_free(w->relay);
    ms_turn_server_free(w->edge);
    io_free(w->edge_io);
    io_free(w->relay_io);
    io_free(w->a.io);
    io_free(w->b.io);
    pipe_free(w->p);
    test_free(w);
}

static struct sdp *parsed(const char *text)
{
    struct sdp *d = test_calloc(1, sizeof *d);
    assert_int_equal(sdp_parse(text, strlen(text), d), 0);
    return d;
}

static int answer(struct user *u, const char *text)
{
    struct sdp *d = parsed(text);
    int err = session_answer(u->session, d);
    test_free(d);
    keep(u);
    return err;
}

static int answered(struct user *u, const char *text)
{
    struct sdp *d = parsed(text);
    int err = session_answered(u->session, d);
    test_free(d);
    keep(u);
    return err;
}

/* Offer and answer, a tenth of a second each. */
static void negotiate(struct world *w, struct user *from, struct user *to)
{
    unsigned offers = from->descriptions, answers = to->descriptions;
    session_offer(from->session);
    keep(from);
    for (unsigned i = 0; i < 200 && from->descriptions == offers; i++)
        pipe_run_for(w->p, 100 * NS_MS);
    assert_int_equal(from->descriptions, offers + 1);
    assert_int_equal(answer(to, from->described), 0);
    for (unsigned i = 0; i < 200 && to->descriptions == answers; i++)
        pipe_run_for(w->p, 100 * NS_MS);
    assert_int_equal(to->descriptions, answers + 1);
    assert_int_equal(answered(from, to->described), 0);
}

static void close_both(struct world *w)
{
    session_close(w->a.session);
    session_close(w->b.session);
    pipe_run_for(w->p, 5 * NS_S);
    assert_true(session_closed(w->a.session) && session_closed(w->b.session));
    assert_true(session_deadline(w->a.session) == TIME_NEVER && session_deadline(w->b.session) == TIME_NEVER);
}

/* The last that became of a service at a host. */
static const char *service(const struct world *w, const char *host, const char *name)
{
    size_t n;
    const struct pipe_entry *log = pipe_log(w->p, &n);
    while (n-- > 0)
        if (log[n].is_note && log[n].note == NOTE_SERVICE && strcmp(log[n].host, host) == 0 &&
            strncmp(log[n].text, name, strlen(name)) == 0 && log[n].text[strlen(name)] == ' ')
            return log[n].text + strlen(name) + 1;
    return "";
}

static size_t notes(const struct world *w, enum io_note note)
{
    size_t n, found = 0;
    const struct pipe_entry *log = pipe_log(w->p, &n);
    for (size_t i = 0; i < n; i++)
        found += log[i].is_note && log[i].note == note;
    return found;
}

static void plain_audio_and_video_flow(void **state)
{
    (void)state;
    struct world *w = world_new(&plain, &plain);
    negotiate(w, &w->a, &w->b);
    assert_string_equal(service(w, "alice", "guest-1/audio"), "wanted");
    pipe_run_until(w->p, 60 * NS_S);
    assert_true(w->a.up == 1 && w->b.up == 1);
    assert_string_equal(service(w, "alice", "guest-1/audio"), "up RTP over udp");
    assert_string_equal(service(w, "bob", "guest-1/video"), "up RTP over udp");
    struct media_count a = session_counted(w->a.session, CALL_AUDIO), b = session_counted(w->b.session, CALL_VIDEO);
    assert_in_range(a.sent, 2980, 3000);
    assert_in_range(a.received, 2980, 3000);
    assert_in_range(b.received_bytes, 1780 * 900, 1800 * 900);
    assert_int_equal(a.lost + b.lost, 0);
    assert_in_range(a.round_trip_ns, 19 * NS_MS, 21 * NS_MS);
    assert_int_equal(notes(w, NOTE_FAIL) + notes(w, NOTE_HINT), 0);
    close_both(w);
    assert_int_equal(strncmp(service(w, "alice", "guest-1/audio"), "done sent ", 10), 0);
    assert_true(pipe_count(w->p, "guest-1/audio.lost=0") == 2);
    world_free(w);
}

/* How many packets of audio each has received in that time. */
static void moved(struct world *w, uint64_t ns, uint64_t out[2])
{
    uint64_t a = session_counted(w->a.session, CALL_AUDIO).received;
    uint64_t b = session_counted(w->b.session, CALL_AUDIO).received;
    pipe_run_for(w->p, ns);
    out[0] = session_counted(w->a.session, CALL_AUDIO).received - a;
    out[1] = session_counted(w->b.session, CALL_AUDIO).received - b;
}

static void mute_and_hold(void **state)
{
    (void)state;
    uint64_t got[2];
    struct world *w = world_new(&plain, &plain);
    negotiate(w, &w->a, &w->b);
    pipe_run_until(w->p, 10 * NS_S);
    session_mute(w->a.session, true);
    pipe_run_for(w->p, NS_S);
    moved(w, 100 * NS_S, got); /* longer than silence is borne: reports go on */
    assert_true(got[0] == 5000 && got[1] == 0);
    session_mute(w->a.session, false);
    pipe_run_for(w->p, NS_S);
    moved(w, 10 * NS_S, got);
    assert_true(got[0] == 500 && got[1] == 500);
    session_hold(w->a.session, true);
    negotiate(w, &w->a, &w->b);
    assert_non_null(strstr(w->a.described, "a=inactive"));
    assert_non_null(strstr(w->b.described, "a=inactive"));
    pipe_run_for(w->p, NS_S);
    moved(w, 100 * NS_S, got);
    assert_true(got[0] == 0 && got[1] == 0);
    session_hold(w->a.session, false);
    negotiate(w, &w->a, &w->b);
    assert_null(strstr(w->b.described, "a=inactive"));
    pipe_run_for(w->p, NS_S);
    moved(w, 10 * NS_S, got);
    assert_true(got[0] == 500 && got[1] == 500);
    assert_true(w->a.up == 1 && w->b.up == 1 && !*w->a.lost && !*w->b.lost);
    assert_int_equal(session_counted(w->b.session, CALL_AUDIO).lost, 0);
    assert_string_equal(service(w, "bob", "guest-1/video"), "up RTP over udp");
    close_both(w);
    world_free(w);
}

static struct session_config ice_config(bool controlling, bool host_candidates, size_t relays)
{
    struct session_config cfg = plain;
    cfg.dialect = SESSION_ICE;
    cfg.controlling = controlling;
    cfg.host_candidates = host_candidates;
    cfg.relay_count = relays;
    cfg.relay[0] = (struct session_relay){SESSION_TURN_UDP, kit_endpoint("192.0.2.1:3478"), "u", "p"};
    cfg.relay[1] = (struct session_relay){SESSION_TURN_TCP, kit_endpoint("192.0.2.1:3478"), "u", "p"};
    return cfg;
}

static struct turn_stats relay_stats(const struct world *w)
{
    struct turn_stats stats;
    turn_stats(w->relay, &stats);
    return stats;
}

/* Flows, is released, and leaves nothing at the relay; how: each end's way. */
static void flows(const struct session_config *a, const struct session_config *b, const char *how_a, const char *how_b,
                  unsigned allocations)
{
    struct world *w = world_new(a, b);
    negotiate(w, &w->a, &w->b);
    pipe_run_for(w->p, 30 * NS_S);
    assert_true(w->a.up == 1 && w->b.up == 1);
    assert_string_equal(service(w, "alice", "guest-1/audio"), how_a);
    assert_string_equal(service(w, "bob", "guest-1/audio"), how_b);
    assert_string_equal(service(w, "bob", "guest-1/video"), how_b);
    assert_int_equal(relay_stats(w).allocations, allocations);
    struct media_count c = session_counted(w->b.session, CALL_AUDIO);
    assert_in_range(c.received, 1400, 1500);
    assert_int_equal(c.lost + (int64_t)c.foreign, 0);
    assert_int_equal(notes(w, NOTE_FAIL) + notes(w, NOTE_HINT), 0);
    close_both(w);
    assert_int_equal(relay_stats(w).allocations, 0);
    world_free(w);
}

static void ice_between_hosts(void **state)
{
    (void)state;
    struct session_config a = ice_config(true, true, 0), b = ice_config(false, true, 0);
    flows(&a, &b, "up host -> host over udp", "up host -> host over udp", 0);
}

static void ice_through_relays(void **state)
{
    (void)state;
    struct session_config a = ice_config(true, false, 2), b = ice_config(false, true, 1);
    flows(&a, &b, "up relay -> host, TURN over udp 3478", "up host -> relay over udp", 4);
    b.host_candidates = false;
    flows(&a, &b, "up relay -> relay, TURN over udp 3478", "up relay -> relay, TURN over udp 3478", 4);
    a.relay[0].server.port = 3479; /* nobody listens there */
    flows(&a, &b, "degraded relay -> relay, TURN over tcp 3478 (TURN over udp 3479: refused)",
          "up relay -> relay, TURN over udp 3478", 4);
}

static struct session_config microsoft_config(bool controlling, bool host_candidates)
{
    struct session_config cfg = ice_config(controlling, host_candidates, 1);
    cfg.dialect = SESSION_MICROSOFT;
    cfg.relay[0] = (struct session_relay){SESSION_MS_TURN, kit_endpoint("198.51.100.1:3478"), "u", "p"};
    return cfg;
}

static void microsoft_through_edges(void **state)
{
    (void)state;
    struct session_config a = microsoft_config(true, true), b = microsoft_config(false, true);
    flows(&a, &b, "up host -> host over udp", "up host -> host over udp", 0);
    a.host_candidates = false;
    flows(&a, &b, "up relay -> host, MS-TURN over udp 3478", "up host -> relay over udp", 0);
    b.host_candidates = false;
    flows(&a, &b, "up relay -> relay, MS-TURN over udp 3478", "up relay -> relay, MS-TURN over udp 3478", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_audio_and_video_flow),
        cmocka_unit_test(mute_and_hold),
        cmocka_unit_test(ice_between_hosts),
        cmocka_unit_test(ice_through_relays),
        cmocka_unit_test(microsoft_through_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
