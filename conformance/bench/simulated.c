/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our relay among simulated hosts. In engines of packets each host is on a link of its own to a box that switches, and
 * drops what comes for a host that is silenced; in memory they are joined without. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/bench/agent.h"
#include "conformance/bench/bench.h"
#include "models/base/err.h"
#include "models/base/time.h"
#include "models/msturn/msturn.h"
#include "models/turn/turn.h"
#include "sim/host/host.h"
#include "sim/memory/memory.h"

enum { BUFFER = 64 * 1024, FIRST_LISTENER = 20000, ADDRESS_TEXT = 32, EDGE_PORT = 443 };
#define DELAY_NS (MEMORY_DELAY_NS / 2) /* two links are on the way */
#define SOON_NS NS_S /* answers take 4 ms; retransmissions of TCP have time in it, too */

static const struct bench_user users[2] = {{"alice", "open sesame"}, {"bob", "pass-word"}};

/* ---- how the relay is set up for a row ---- */

struct wanted {
    bool no_tcp_relay, no_udp_relay, no_ip4, no_ip6, full, few_ports, deny_peer2;
    uint32_t quota;
    const char *profile;
};

static const struct wanted wanted[SETUPS] = {
    [SETUP_PLAIN] = {0},
    [SETUP_TCP_ONLY] = {.no_udp_relay = true},
    [SETUP_UDP_ONLY] = {.no_tcp_relay = true},
    [SETUP_QUOTA] = {.quota = SETUP_QUOTA_ALLOCATIONS},
    [SETUP_REDIRECT] = {.full = true},
    [SETUP_IP4_ONLY] = {.no_ip6 = true},
    [SETUP_IP6_ONLY] = {.no_ip4 = true},
    [SETUP_FEW_PORTS] = {.few_ports = true},
    [SETUP_DENY] = {.deny_peer2 = true},
    [SETUP_RFC5766] = {.profile = "rfc5766"},
};

static const struct turn_limits limits = {
    .clients = 256, .allocations = 64, .permissions = 32, .channels = 32, .peers = 16, .user_allocations = 64,
    .max_lifetime_s = 3600,
};

struct simulated {
    struct bench bench; /* first */
    struct io *io;
    struct turn *turn;
    struct ms_turn_server *edge; /* instead */
    struct agent *agent;         /* or this */
    struct host *server, *subject;
    bool silent[PLACES];
};

static struct simulated *simulated_of(struct bench *b)
{
    return (struct simulated *)b;
}

static struct turn *relay_new(const struct bench *b, struct io *io, const struct wanted *w)
{
    struct turn_user user[2];
    for (size_t i = 0; i < 2; i++)
        user[i] = (struct turn_user){users[i].name, users[i].password};
    struct ip_prefix deny[2];
    for (size_t f = 0; f < 2; f++)
        deny[f] = (struct ip_prefix){b->ip[PEER2][f], f ? 128 : 32};
    struct turn_config cfg = {
        .profile = turn_profile_named(w->profile ? w->profile : "strict"), .realm = "example.org", .users = user,
        .user_count = 2, .listen = b->tcp, .listen_count = 2, .listen_udp = b->udp, .listen_udp_count = 2,
        .first_port = 50000, .last_port = (uint16_t)(w->few_ports ? 50000 + SETUP_PORTS - 1 : 59999),
        .no_udp_relay = w->no_udp_relay, .no_tcp_relay = w->no_tcp_relay, .limits = limits,
        .deny_peer = deny, .deny_peer_count = w->deny_peer2 ? 2 : 0,
    };
    if (!w->no_ip4)
        cfg.relay_ip4 = b->ip[SERVER][0];
    if (!w->no_ip6)
        cfg.relay_ip6 = b->ip[SERVER][1];
    if (w->quota)
        cfg.limits.user_allocations = w->quota;
    if (w->full) {
        cfg.alternate4 = (struct endpoint){b->ip[PEER2][0], BENCH_PORT};
        cfg.alternate6 = (struct endpoint){b->ip[PEER2][1], BENCH_PORT};
    }
    struct turn *t = turn_new(io, 1, &cfg);
    if (t && w->full)
        turn_drain(t);
    return t;
}

static void relay_input(void *self, const struct io_in *in)
{
    turn_input(self, in);
}

static uint64_t relay_deadline(const void *self)
{
    return turn_deadline(self);
}

static const struct core_ops relay_ops = {relay_input, relay_deadline, NULL};

/* ---- an Edge's relay instead ---- */

static struct ms_turn_server *edge_new(const struct bench *b, struct io *io)
{
    const struct ms_turn_user user[] = {{users[0].name, users[0].password}, {users[1].name, users[1].password}};
    const struct ms_turn_server_config cfg = {
        .realm = "example.org", .users = user, .user_count = 2, .listen = b->tcp, .listen_count = 1,
        .relay_ip = b->ip[SERVER][0], .first_port = 50000, .last_port = 59999, .max_clients = 16, .max_peers = 8,
        .connect_out = true,
    };
    return ms_turn_server_new(io, 1, &cfg);
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

/* ---- the net ---- */

/* The host at a place has its number in the last byte of its addresses and of its MAC. */
static uint8_t number_of(enum place at)
{
    return (uint8_t)(at == SERVER ? 1 : at + 2);
}

static int switch_frame(void *ctx, unsigned port, uint8_t *frame, size_t len)
{
    const struct simulated *s = ctx;
    (void)port, (void)len;
    for (unsigned at = 0; at < PLACES; at++)
        if (frame[5] == number_of((enum place)at))
            return s->silent[at] ? NET_DROP : (int)at;
    return NET_DROP;
}

static void set_addresses(struct bench *b, uint16_t port)
{
    for (unsigned at = 0; at < PLACES; at++) {
        char v4[ADDRESS_TEXT], v6[ADDRESS_TEXT];
        snprintf(v4, sizeof v4, "10.0.0.%u", number_of((enum place)at));
        snprintf(v6, sizeof v6, "2001:db8::%u", number_of((enum place)at));
        ip_parse(v4, &b->ip[at][0]);
        ip_parse(v6, &b->ip[at][1]);
    }
    for (size_t f = 0; f < 2; f++)
        b->tcp[f] = b->udp[f] = (struct endpoint){b->ip[SERVER][f], port};
}

static void add_place(struct simulated *s, net_node box, enum place at, const struct net_node_spec *spec)
{
    static const char *const link_name[PLACES] = {"client1", "client2", "peer1", "peer2", "server"};
    struct bench *b = &s->bench;
    const struct net_ops *ops = b->net->ops;
    net_node node = ops->node_add(b->net, spec);
    struct ip_prefix prefix[2] = {{b->ip[at][0], 24}, {b->ip[at][1], 64}};
    struct net_iface_spec iface = {.node = node, .name = "eth0", .mac = {2, 0, 0, 0, 0, number_of(at)},
                                   .prefix = prefix, .prefix_count = 2};
    unsigned host_port = ops->iface_add(b->net, &iface);
    b->node[at] = node;
    if (!box)
        return;
    struct net_iface_spec port = {.node = box, .name = link_name[at], .mac = {2, 0, 0, 0, 1, number_of(at)}};
    struct net_link_dir dir = {.delay_ns = DELAY_NS};
    struct net_link_spec link = {.name = link_name[at], .a = {node, host_port},
                                 .b = {box, ops->iface_add(b->net, &port)}, .ab = dir, .ba = dir};
    ops->link_add(b->net, &link);
}

static void add_places(struct simulated *s, const struct bench_seats *seats)
{
    static const char *const host_name[PLACES] = {"client1", "client2", "peer1", "peer2", "server"};
    struct bench *b = &s->bench;
    struct net_node_spec box = {.name = "switch", .kind = NET_BOX, .box = switch_frame, .ctx = s};
    net_node box_node = b->net->ops->link_add ? b->net->ops->node_add(b->net, &box) : 0;
    for (unsigned at = 0; at < PLACES; at++) { /* the order is that of the box's ports */
        struct net_node_spec spec = {.name = host_name[at], .kind = NET_HOST, .handler = seats->probe,
                                     .ctx = seats->ctx, .tcp = {.send_buffer = BUFFER, .receive_buffer = BUFFER}};
        struct host *other = at == SERVER ? s->server : at == CLIENT1 ? s->subject : NULL;
        if (other) {
            spec.handler = host_event;
            spec.ctx = other;
        }
        add_place(s, box_node, (enum place)at, &spec);
        if (!other)
            continue;
        host_start(other, b->node[at], 0);
        b->node[at] = 0;
    }
}

static void silence(struct bench *b, enum place peer, bool silent)
{
    simulated_of(b)->silent[peer] = silent;
    if (b->net->ops == &net_memory)
        memory_silence(b->net, b->node[peer], silent);
}

static void free_simulated(struct bench *b)
{
    struct simulated *s = simulated_of(b);
    if (b->net)
        b->net->ops->destroy(b->net);
    host_free(s->server);
    host_free(s->subject);
    turn_free(s->turn);
    ms_turn_server_free(s->edge);
    agent_free(s->agent);
    io_free(s->io);
    free(s);
}

static bool add_relay(struct simulated *s, uint64_t seed, enum setup setup)
{
    s->io = io_new("server", seed);
    struct core core = {.io = s->io};
    if (s->io && setup == SETUP_MSTURN) {
        core.self = s->edge = edge_new(&s->bench, s->io);
        core.ops = &edge_ops;
    } else if (s->io && setup == SETUP_ICE) {
        core.self = s->agent = agent_new(s->io, &s->bench.tcp[0]);
        core.ops = &agent_ops;
    } else if (s->io) {
        core.self = s->turn = relay_new(&s->bench, s->io, &wanted[setup]);
        core.ops = &relay_ops;
    }
    s->server = core.self ? host_new(s->bench.net, &core, NULL) : NULL;
    return s->server;
}

/* ns-3's sockets keep them to themselves (net.h). */
static bool tells_icmp(const struct net_ops *engine)
{
    return engine == &net_native || engine == &net_memory;
}

struct bench *bench_simulated(const struct net_ops *engine, uint64_t seed, enum setup setup,
                              const struct bench_seats *seats)
{
    struct simulated *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    struct bench *b = &s->bench;
    *b = (struct bench){
        .net = engine->create(seed), .soon_ns = SOON_NS, .user = {users[0], users[1]}, .first_port = FIRST_LISTENER,
        .has = NEED_IP6 | NEED_CLIENT2 | NEED_PEER2 | NEED_USER2 | NEED_SILENT_PEER | NEED_ALONE | NEED_UDP_CLIENT |
               NEED_CLIENT | (tells_icmp(engine) ? NEED_ICMP : 0),
        .silence = silence, .free = free_simulated,
    };
    set_addresses(b, setup == SETUP_MSTURN ? EDGE_PORT : BENCH_PORT);
    bool made = b->net && (seats->subject ? (s->subject = seats->subject(seats->ctx, b->net)) != NULL
                                          : add_relay(s, seed, setup));
    if (!made) {
        free_simulated(b);
        return NULL;
    }
    add_places(s, seats);
    b->net->ops->run(b->net, DELAY_NS); /* the relay listens */
    return b;
}
