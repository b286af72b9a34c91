/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UDP relays among hosts of both engines: a client over UDP or TCP, in both families, and a peer that echoes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/base/time.h"
#include "models/testkit/testkit.h"
#include "models/turn/turn.h"
#include "models/turn/turn_client.h"
#include "sim/host/host.h"

enum { COUNT = 500, PORT = 7000 };

/* The client, or (client is NULL) the peer. */
struct party {
    struct io *io;
    struct host *host;
    struct turn_client *client;
    struct endpoint peer, closed; /* the peer's address, and one of its ports where nobody listens */
    unsigned sent, received, icmp;
    uint32_t last;
    bool channel, in_order, live;
    uint64_t next_ns;
};

struct world {
    struct net *net;
    struct io *io;
    struct turn *turn;
    struct host *host;
    struct party user, peer;
};

/* Each is longer than the one before; the longest are sent in fragments. */
static void send_next(struct party *p)
{
    static uint8_t bytes[4 * COUNT];
    store32(bytes, p->sent++);
    assert_int_equal(turn_client_send(p->client, &p->peer, bytes, 4 * p->sent), 0);
    if (p->sent == COUNT / 2)
        assert_int_equal(turn_client_channel(p->client, &p->peer), 0);
    if (p->sent == COUNT)
        assert_int_equal(turn_client_send(p->client, &p->closed, "x", 1), 0);
    p->next_ns = p->sent < COUNT ? io_now(p->io) + 2 * NS_MS : TIME_NEVER;
}

static void user_events(struct party *p)
{
    struct turn_client_event ev;
    while (turn_client_poll(p->client, &ev))
        switch (ev.kind) {
        case TURN_CLIENT_ALLOCATED:
            p->live = true;
            assert_int_equal(turn_client_permit(p->client, &p->peer.ip, 1), 0);
            break;
        case TURN_CLIENT_PERMITTED:
            assert_int_equal(ev.code, 0);
            p->next_ns = io_now(p->io);
            break;
        case TURN_CLIENT_CHANNEL:
            assert_int_equal(ev.code, 0);
            p->channel = true;
            break;
        case TURN_CLIENT_DATAGRAM:
            assert_true(endpoint_equal(&ev.peer, &p->peer));
            p->in_order &= ev.bytes_len == 4 * (load32(ev.bytes) + 1u) && load32(ev.bytes) == p->received;
            p->received++;
            break;
        case TURN_CLIENT_ICMP:
            assert_true(endpoint_equal(&ev.peer, &p->closed));
            p->icmp++;
            break;
        default:
            fail_msg("client event %d, code %d, err %d", (int)ev.kind, ev.code, ev.err);
        }
}

static void user_input(void *self, const struct io_in *in)
{
    struct party *p = self;
    turn_client_input(p->client, in);
    if (in->event == IO_START)
        turn_client_start(p->client);
    user_events(p);
    if (io_now(p->io) >= p->next_ns)
        send_next(p);
}

static uint64_t user_deadline(const void *self)
{
    const struct party *p = self;
    return time_min(p->next_ns, turn_client_deadline(p->client));
}

static void peer_input(void *self, const struct io_in *in)
{
    struct party *p = self;
    if (in->event == IO_START)
        io_udp(p->io, 1, &p->peer);
    if (in->event != IO_DATAGRAM)
        return;
    p->received++;
    io_sendto(p->io, in->id, &in->remote, in->data, in->len, NULL);
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

/* Three hosts around a hub: N has 10.0.0.N and 2001:db8::N, at its port N - 1. */
static int hub(void *ctx, unsigned port, uint8_t *frame, size_t len)
{
    (void)ctx, (void)port, (void)len;
    return frame[load16(frame + 12) == 0x0800 ? 33 : 53] - 1; /* last byte of the destination */
}

static struct host *add_host(struct world *w, const struct core *core, unsigned n, net_node *node)
{
    char text[2][32];
    snprintf(text[0], sizeof text[0], "10.0.0.%u", n);
    snprintf(text[1], sizeof text[1], "2001:db8::%u", n);
    struct host *h = host_new(w->net, core, NULL);
    struct net_node_spec spec = {.name = io_name(core->io), .kind = NET_HOST, .handler = host_event, .ctx = h};
    struct ip_prefix prefixes[] = {{kit_ip(text[0]), 24}, {kit_ip(text[1]), 64}};
    *node = w->net->ops->node_add(w->net, &spec);
    struct net_iface_spec iface = {.node = *node, .name = "eth0", .mac = {2, 0, 0, 0, 1, (uint8_t)n},
                                   .prefix = prefixes, .prefix_count = 2};
    w->net->ops->iface_add(w->net, &iface);
    return h;
}

static void link_up(struct world *w, const net_node nodes[3])
{
    static const char *const names[] = {"l0", "l1", "l2"};
    struct net_node_spec spec = {.name = "hub", .kind = NET_BOX, .box = hub};
    net_node box = w->net->ops->node_add(w->net, &spec);
    for (unsigned i = 0; i < 3; i++) {
        struct net_iface_spec iface = {.node = box, .name = names[i], .mac = {2, 0, 0, 0, 2, (uint8_t)i}};
        struct net_link_dir dir = {.rate_bps = 100000000, .delay_ns = NS_MS};
        struct net_link_spec link = {.name = names[i], .a = {nodes[i], 0}, .ab = dir, .ba = dir};
        link.b = (struct net_end){box, w->net->ops->iface_add(w->net, &iface)};
        w->net->ops->link_add(w->net, &link);
    }
}

static void make(struct world *w, const struct net_ops *ops, bool over_udp, bool ipv6)
{
    static const struct turn_user users[] = {{"alice", "secret"}};
    struct endpoint listen = {kit_ip(ipv6 ? "2001:db8::1" : "10.0.0.1"), 3478};
    struct turn_config cfg = {.profile = &turn_strict, .realm = "example.org", .users = users, .user_count = 1,
                              .listen = &listen, .listen_count = 1, .listen_udp = &listen, .listen_udp_count = 1,
                              .relay_ip4 = kit_ip("10.0.0.1"), .relay_ip6 = kit_ip("2001:db8::1"),
                              .first_port = 50000, .last_port = 50099, .limits = turn_limits_default};
    cfg.limits.allocations = 4;
    struct turn_client_config client = {.profile = &turn_client_plain, .server = listen, .user = "alice",
                                        .password = "secret", .udp_relay = true, .over_udp = over_udp,
                                        .family = ipv6 ? IP_V6 : 0};
    net_node nodes[3];
    *w = (struct world){.net = ops->create(1), .io = io_new("relay", 1)};
    w->user.io = io_new("user", 1);
    w->peer.io = io_new("peer", 1);
    w->turn = turn_new(w->io, 1, &cfg);
    w->user.client = turn_client_new(w->user.io, 1, &client);
    assert_true(w->turn && w->user.client);
    w->user.peer = w->peer.peer = (struct endpoint){kit_ip(ipv6 ? "2001:db8::3" : "10.0.0.3"), PORT};
    w->user.closed = (struct endpoint){w->user.peer.ip, 9};
    w->user.next_ns = TIME_NEVER;
    w->user.in_order = true;
    w->host = add_host(w, &(struct core){&relay_ops, w->turn, w->io}, 1, &nodes[0]);
    w->user.host = add_host(w, &(struct core){&user_ops, &w->user, w->user.io}, 2, &nodes[1]);
    w->peer.host = add_host(w, &(struct core){&peer_ops, &w->peer, w->peer.io}, 3, &nodes[2]);
    link_up(w, nodes);
    host_start(w->host, nodes[0], 0);
    host_start(w->user.host, nodes[1], NS_MS);
    host_start(w->peer.host, nodes[2], 0);
}

static void world_free(struct world *w)
{
    w->net->ops->destroy(w->net);
    host_free(w->host);
    host_free(w->user.host);
    host_free(w->peer.host);
    turn_client_free(w->user.client);
    turn_free(w->turn);
    io_free(w->io);
    io_free(w->user.io);
    io_free(w->peer.io);
}

static void echoes_on(const struct net_ops *ops, bool icmp)
{
    for (int i = 0; i < 4; i++) {
        struct world w;
        struct turn_stats st;
        make(&w, ops, i & 1, i & 2);
        ops->run(w.net, 10 * NS_S);
        assert_true(w.user.live && w.user.channel);
        assert_int_equal(w.peer.received, COUNT);
        assert_int_equal(w.user.received, COUNT);
        assert_true(w.user.in_order);
        assert_int_equal(w.user.icmp, icmp);
        turn_stats(w.turn, &st);
        assert_int_equal(st.to_peers, COUNT + 1);
        assert_int_equal(st.to_clients, COUNT);
        assert_int_equal(st.to_clients_bytes, 4 * COUNT * (COUNT + 1) / 2);
        assert_int_equal(st.dropped, 0);
        world_free(&w);
    }
}

static void on_native(void **state)
{
    (void)state;
    echoes_on(&net_native, true);
}

/* ns-3 tells a host nothing of ICMP. */
static void on_ns3(void **state)
{
    (void)state;
    const char *why;
    const struct net_ops *ops = net_ns3_load(&why);
    if (!ops) {
        print_message("SKIP: %s\n", why);
        skip();
    }
    echoes_on(ops, false);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(on_native), cmocka_unit_test(on_ns3)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
