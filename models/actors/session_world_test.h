/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The world of the session tests: two ends over the pipe, a TURN server, an Edge; the test does the signalling. */
#ifndef TP_ACTORS_SESSION_WORLD_TEST_H
#define TP_ACTORS_SESSION_WORLD_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/actors/session.h"
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

static inline void keep(struct user *u)
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

static inline void user_input(void *self, const struct io_in *in)
{
    struct user *u = self;
    struct session *of = session_map_find(u->map, in->id);
    bool ours = session_input(u->session, in);
    assert_true(!in->id || of == u->session);
    assert_true(ours || !in->id);
    keep(u);
}

static inline uint64_t user_deadline(const void *self)
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

static inline void relay_input(void *self, const struct io_in *in)
{
    turn_input(self, in);
}

static inline uint64_t relay_deadline(const void *self)
{
    return turn_deadline(self);
}

static const struct core_ops relay_ops = {relay_input, relay_deadline, NULL};

/* At 192.0.2.1:3478, over UDP and TCP, relay ports from 24000. reflects: its own address may be a peer. */
static inline void add_relay(struct world *w, bool reflects)
{
    static const struct turn_user user = {"u", "p"};
    struct endpoint at = kit_endpoint("192.0.2.1:3478");
    struct ip_prefix itself = {at.ip, 32}; /* from relay to relay */
    struct turn_config cfg = {.profile = &turn_strict, .realm = "r", .users = &user, .user_count = 1, .listen = &at,
                              .listen_count = 1, .listen_udp = &at, .listen_udp_count = 1, .relay_ip4 = at.ip,
                              .first_port = 24000, .last_port = 24999, .allow_peer = &itself,
                              .allow_peer_count = reflects, .limits = turn_limits_default};
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

/* Another session in the place of the one that it had. */
static inline void renew(struct user *u, const char *ip, struct session_config cfg)
{
    session_free(u->session);
    cfg.map = u->map;
    cfg.address = kit_ip(ip);
    u->session = session_new(u->io, OWNER, &cfg);
    assert_non_null(u->session);
}

static inline void add_user(struct world *w, struct user *u, const char *name, const char *ip,
                            const struct session_config *cfg)
{
    *u = (struct user){.io = io_new(name, 1), .map = session_map_new(8)};
    renew(u, ip, *cfg);
    pipe_host(w->p, &(struct core){&user_ops, u, u->io}, ip);
}

static inline void edge_input(void *self, const struct io_in *in)
{
    ms_turn_server_input(self, in);
}

static inline uint64_t edge_deadline(const void *self)
{
    return ms_turn_server_deadline(self);
}

static const struct core_ops edge_ops = {edge_input, edge_deadline, NULL};

/* MS-TURN at 198.51.100.1:3478 over UDP. */
static inline void add_edge(struct world *w)
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

static inline struct world *world_with(const struct session_config *a, const struct session_config *b,
                                       bool reflects)
{
    struct world *w = test_calloc(1, sizeof *w);
    w->p = pipe_new(10 * NS_MS);
    add_relay(w, reflects);
    add_edge(w);
    add_user(w, &w->a, "alice", "10.1.0.1", a);
    add_user(w, &w->b, "bob", "10.2.0.2", b);
    return w;
}

static inline struct world *world_new(const struct session_config *a, const struct session_config *b)
{
    return world_with(a, b, true);
}

static inline void world_free(struct world *w)
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

static inline struct sdp *parsed(const char *text)
{
    struct sdp *d = test_calloc(1, sizeof *d);
    assert_int_equal(sdp_parse(text, strlen(text), d), 0);
    return d;
}

static inline int answer(struct user *u, const char *text)
{
    struct sdp *d = parsed(text);
    int err = session_answer(u->session, d);
    test_free(d);
    keep(u);
    return err;
}

static inline int answered(struct user *u, const char *text)
{
    struct sdp *d = parsed(text);
    int err = session_answered(u->session, d);
    test_free(d);
    keep(u);
    return err;
}

/* Offer and answer, a tenth of a second each. */
static inline void negotiate(struct world *w, struct user *from, struct user *to)
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

static inline void close_both(struct world *w)
{
    session_close(w->a.session);
    session_close(w->b.session);
    pipe_run_for(w->p, 5 * NS_S);
    assert_true(session_closed(w->a.session) && session_closed(w->b.session));
    assert_true(session_deadline(w->a.session) == TIME_NEVER && session_deadline(w->b.session) == TIME_NEVER);
}

/* The last that became of a service at a host. */
static inline const char *service(const struct world *w, const char *host, const char *name)
{
    size_t n;
    const struct pipe_entry *log = pipe_log(w->p, &n);
    while (n-- > 0)
        if (log[n].is_note && log[n].note == NOTE_SERVICE && strcmp(log[n].host, host) == 0 &&
            strncmp(log[n].text, name, strlen(name)) == 0 && log[n].text[strlen(name)] == ' ')
            return log[n].text + strlen(name) + 1;
    return "";
}

static inline size_t notes(const struct world *w, enum io_note note)
{
    size_t n, found = 0;
    const struct pipe_entry *log = pipe_log(w->p, &n);
    for (size_t i = 0; i < n; i++)
        found += log[i].is_note && log[i].note == note;
    return found;
}

static inline struct session_config ice_config(bool controlling, bool host_candidates, size_t relays)
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

static inline struct turn_stats relay_stats(const struct world *w)
{
    struct turn_stats stats;
    turn_stats(w->relay, &stats);
    return stats;
}

static inline struct session_config microsoft_config(bool controlling, bool host_candidates)
{
    struct session_config cfg = ice_config(controlling, host_candidates, 1);
    cfg.dialect = SESSION_MICROSOFT;
    cfg.relay[0] = (struct session_relay){SESSION_MS_TURN, kit_endpoint("198.51.100.1:3478"), "u", "p"};
    return cfg;
}

#endif
