/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A meeting that lasts: one system with a session for each participant, who come through a relay. All that has to be
 * renewed is, in time; memory does not grow; nothing is left. SESSION_LONG_N participants for SESSION_LONG_H hours. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/actors/session.h"
#include "models/base/err.h"
#include "models/msturn/msturn.h"
#include "models/testkit/pipe.h"
#include "models/testkit/testkit.h"
#include "models/turn/turn.h"

enum { OWNER = 3, PARTICIPANTS_MAX = 64, SDP_CAP = 8192 };

struct participant {
    struct io *io;
    char name[16], ip[16];
    struct session *session; /* its own */
    struct session *there;   /* the meeting's */
    char described[SDP_CAP];
    bool up, there_up;
    char ended[256];
};

struct meeting {
    struct pipe *p;
    enum session_dialect dialect;
    struct io *io, *relay_io, *edge_io;
    struct turn *relay;
    struct ms_turn_server *edge;
    struct session_map *map;
    struct participant participant[PARTICIPANTS_MAX];
    size_t n;
};

static size_t number(const char *name, size_t otherwise)
{
    const char *s = getenv(name);
    return s ? (size_t)atoi(s) : otherwise;
}

static void keep(struct participant *u, struct session *s, bool *up)
{
    struct session_event ev;
    while (session_poll(s, &ev))
        if (ev.kind == SESSION_DESCRIBED)
            snprintf(u->described, sizeof u->described, "%s", ev.text);
        else if (ev.kind == SESSION_UP)
            *up = true;
        else
            snprintf(u->ended, sizeof u->ended, "%s", ev.text);
}

static void participant_input(void *self, const struct io_in *in)
{
    struct participant *u = self;
    session_input(u->session, in);
    keep(u, u->session, &u->up);
}

static uint64_t participant_deadline(const void *self)
{
    return session_deadline(((const struct participant *)self)->session);
}

static void meeting_input(void *self, const struct io_in *in)
{
    struct meeting *m = self;
    struct session *s = in->id ? session_map_find(m->map, in->id) : NULL;
    if (s)
        assert_true(session_input(s, in));
    for (struct participant *u = m->participant; u < m->participant + m->n && !s; u++)
        assert_false(session_input(u->there, in));
    for (struct participant *u = m->participant; u < m->participant + m->n; u++)
        keep(u, u->there, &u->there_up);
}

static uint64_t meeting_deadline(const void *self)
{
    const struct meeting *m = self;
    uint64_t at = TIME_NEVER;
    for (size_t i = 0; i < m->n; i++)
        at = time_min(at, session_deadline(m->participant[i].there));
    return at;
}

static void relay_input(void *self, const struct io_in *in)
{
    turn_input(self, in);
}

static uint64_t relay_deadline(const void *self)
{
    return turn_deadline(self);
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
static const struct core_ops participant_ops = {participant_input, participant_deadline, NULL};
static const struct core_ops meeting_ops = {meeting_input, meeting_deadline, NULL};
static const struct core_ops relay_ops = {relay_input, relay_deadline, NULL};

static void add_relay(struct meeting *m)
{
    static const struct turn_user user = {"u", "p"};
    struct endpoint at = kit_endpoint("192.0.2.1:3478");
    struct turn_config cfg = {.profile = &turn_strict, .realm = "r", .users = &user, .user_count = 1, .listen = &at,
                              .listen_count = 1, .listen_udp = &at, .listen_udp_count = 1, .relay_ip4 = at.ip,
                              .first_port = 24000, .last_port = 29999, .limits = turn_limits_default};
    cfg.limits.user_allocations = 2 * PARTICIPANTS_MAX;
    m->relay_io = io_new("relay", 1);
    m->relay = turn_new(m->relay_io, 1, &cfg);
    pipe_host(m->p, &(struct core){&relay_ops, m->relay, m->relay_io}, "192.0.2.1");
}

static void add_edge(struct meeting *m)
{
    static const struct ms_turn_user user = {"u", "p"};
    struct endpoint at = kit_endpoint("198.51.100.1:3478");
    struct ms_turn_server_config cfg = {.realm = "r", .users = &user, .user_count = 1, .listen_udp = &at,
                                        .listen_udp_count = 1, .relay_ip = at.ip, .first_port = 50000,
                                        .last_port = 59999, .max_clients = 2 * PARTICIPANTS_MAX, .max_peers = 16};
    m->edge_io = io_new("edge", 1);
    m->edge = ms_turn_server_new(m->edge_io, 1, &cfg);
    pipe_host(m->p, &(struct core){&edge_ops, m->edge, m->edge_io}, "198.51.100.1");
}

static const struct session_config common = {
    .media = CALL_AUDIO | CALL_VIDEO,
    .first_port = 50000,
    .last_port = 51000,
    .audio = {.packets_per_s = 1, .payload_bytes = 160, .payload_type = 8, .clock = 8000},
    .video = {.packets_per_s = 1, .payload_bytes = 900, .payload_type = 97, .clock = 90000},
};

/* Every other one has TCP to the relay; Microsoft's have theirs. */
static void add_participant(struct meeting *m, size_t i)
{
    struct participant *u = &m->participant[i];
    snprintf(u->name, sizeof u->name, "guest-%zu", i + 1);
    snprintf(u->ip, sizeof u->ip, "10.1.0.%zu", i + 1);
    u->io = io_new(u->name, 1);
    struct session_config cfg = common;
    cfg.name = "call";
    cfg.dialect = m->dialect;
    cfg.controlling = true;
    cfg.address = kit_ip(u->ip);
    cfg.relay_count = 1;
    cfg.relay[0] = (struct session_relay){i % 2 ? SESSION_TURN_TCP : SESSION_TURN_UDP,
                                          kit_endpoint("192.0.2.1:3478"), "u", "p"};
    if (m->dialect == SESSION_MICROSOFT)
        cfg.relay[0] = (struct session_relay){SESSION_MS_TURN, kit_endpoint("198.51.100.1:3478"), "u", "p"};
    u->session = session_new(u->io, OWNER, &cfg);
    pipe_host(m->p, &(struct core){&participant_ops, u, u->io}, u->ip);
    cfg.name = u->name;
    cfg.controlling = false;
    cfg.address = kit_ip("10.2.0.1");
    cfg.relay_count = 0;
    cfg.host_candidates = true;
    cfg.map = m->map;
    u->there = session_new(m->io, OWNER, &cfg);
}

static void call(struct meeting *m, struct participant *u)
{
    static struct sdp d;
    session_offer(u->session);
    pipe_run_for(m->p, NS_S);
    assert_int_equal(sdp_parse(u->described, strlen(u->described), &d), 0);
    assert_int_equal(session_answer(u->there, &d), 0);
    pipe_run_for(m->p, NS_S / 10);
    assert_int_equal(sdp_parse(u->described, strlen(u->described), &d), 0);
    assert_int_equal(session_answered(u->session, &d), 0);
}

static struct meeting *meeting_new(enum session_dialect dialect, size_t n)
{
    struct meeting *m = test_calloc(1, sizeof *m);
    m->p = pipe_new(10 * NS_MS);
    m->n = n;
    m->dialect = dialect;
    m->io = io_new("meeting", 1);
    m->map = session_map_new(4 * n);
    add_relay(m);
    add_edge(m);
    for (size_t i = 0; i < n; i++)
        add_participant(m, i);
    pipe_host(m->p, &(struct core){&meeting_ops, m, m->io}, "10.2.0.1");
    for (size_t i = 0; i < n; i++)
        call(m, &m->participant[i]);
    return m;
}

static void meeting_free(struct meeting *m)
{
    for (struct participant *u = m->participant; u < m->participant + m->n; u++) {
        session_free(u->session);
        session_free(u->there);
        io_free(u->io);
    }
    session_map_free(m->map);
    turn_free(m->relay);
    ms_turn_server_free(m->edge);
    io_free(m->edge_io);
    io_free(m->relay_io);
    io_free(m->io);
    pipe_free(m->p);
    test_free(m);
}

static struct turn_stats stats_of(const struct meeting *m)
{
    struct turn_stats s;
    turn_stats(m->relay, &s);
    return s;
}

/* Between two messages of that name from one host no more than so long; every host sends them. */
static void is_renewed(const struct meeting *m, const char *label, uint64_t within_ns)
{
    size_t n;
    const struct pipe_entry *log = pipe_log(m->p, &n);
    for (const struct participant *u = m->participant; u < m->participant + m->n; u++) {
        uint64_t last = 0;
        for (size_t i = 0; i < n; i++)
            if (strcmp(log[i].host, u->name) == 0 && strcmp(log[i].text, label) == 0) {
                assert_true(!last || log[i].t_ns - last < within_ns);
                last = log[i].t_ns;
            }
        assert_true(last && pipe_now(m->p) - last < within_ns);
    }
}

static size_t allocated(const struct meeting *m)
{
    size_t n;
    pipe_log(m->p, &n);
    return mallinfo2().uordblks - 2 * n * sizeof(struct pipe_entry); /* the pipe's own, at most */
}

/* The relay's allocations are as they were, and each is renewed before it ends. */
static void is_kept(const struct meeting *m, uint64_t dropped)
{
    struct turn_stats s = stats_of(m);
    assert_int_equal(s.allocations, 2 * m->n);
    assert_int_equal(s.dropped, dropped);
    assert_in_range(s.permissions, 2 * m->n, 4 * m->n);
    assert_int_equal(s.channels, 2 * m->n);
    is_renewed(m, "Refresh request", 600 * NS_S);
    is_renewed(m, "CreatePermission request", 300 * NS_S);
    is_renewed(m, "ChannelBind request", 300 * NS_S); /* before the permission that it brings ends, too */
}

static void last(enum session_dialect dialect)
{
    size_t n = number("SESSION_LONG_N", 4), hours = number("SESSION_LONG_H", 1);
    uint64_t span = hours * 3600 * NS_S;
    struct meeting *m = meeting_new(dialect, n);
    pipe_run_for(m->p, 60 * NS_S);
    uint64_t dropped = stats_of(m).dropped, begun = pipe_now(m->p);
    size_t memory = allocated(m);
    pipe_run_for(m->p, span);
    assert_true((int64_t)(allocated(m) - memory) < 65536);
    if (dialect == SESSION_ICE)
        is_kept(m, dropped);
    for (struct participant *u = m->participant; u < m->participant + n; u++) {
        assert_true(u->up && u->there_up);
        assert_string_equal(u->ended, "");
        struct media_count c = session_counted(u->there, CALL_VIDEO);
        assert_in_range(c.received, (span + 60 * NS_S) / NS_S - 2, (span + begun) / NS_S);
        assert_int_equal(c.lost + (int64_t)(c.foreign + c.malformed + c.duplicates + c.collisions), 0);
        session_close(u->session);
        session_close(u->there);
    }
    pipe_run_for(m->p, 5 * NS_S);
    for (const struct participant *u = m->participant; u < m->participant + n; u++)
        assert_true(session_closed(u->session) && session_closed(u->there));
    assert_int_equal(stats_of(m).allocations, 0);
    meeting_free(m);
}

static void hours_through_turn(void **state)
{
    (void)state;
    last(SESSION_ICE);
}

static void hours_through_an_edge(void **state)
{
    (void)state;
    last(SESSION_MICROSOFT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hours_through_turn),
        cmocka_unit_test(hours_through_an_edge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
