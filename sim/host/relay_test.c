/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The relay among hosts of the native engine: rows of RFC 6062 that are about TCP itself, which the pipe of the
 * models' tests only plays. */
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/hash.h"
#include "models/base/time.h"
#include "models/testkit/testkit.h"
#include "models/turn/turn.h"
#include "models/turn/turn_client.h"
#include "sim/host/host.h"

enum { PORT = 7000, PAIRS = 100, MOST = 4 << 20, SHIFTS = 256, BUFFER = 64 * 1024 };

static uint8_t bytes[MOST + SHIFTS]; /* each stream begins elsewhere in it, so that none is like its neighbour */

/* One end of a pair, named by the peer's port; what it has heard. */
struct stream {
    io_id id;
    uint16_t port;
    size_t received;
    struct sha256 digest;
    bool eof, closed;
};

/* A client of the relay, or (client is NULL) a host that connects to its relayed address. */
struct party {
    struct io *io;
    struct host *host;
    net_node node;
    struct turn_client *client;
    struct endpoint relayed; /* what the client got, or where the peer connects to */
    uint32_t waiting[PAIRS]; /* ConnectionAttempts, accepted at accept_ns */
    struct stream streams[PAIRS];
    size_t waiting_count, count, connections;
    uint64_t accept_ns;
    size_t to_send;                /* on each connection, at once */
    bool then_closes, then_aborts; /* behind that; at the first byte received */
    bool deaf;                     /* never reads */
    unsigned dials;                /* the client asks for a Connect to the peer this often, from dial_ns on */
    uint64_t dial_ns;
    int dial_code;
};

struct world {
    struct net *net;
    struct io *io;
    struct turn *turn;
    struct host *host;
    struct party user, peer;
    uint64_t peer_sent; /* bytes of frames that the peer has put on its link */
};

static void open_stream(struct party *p, io_id id, uint16_t port)
{
    assert_true(p->count < PAIRS);
    struct stream *s = &p->streams[p->count++];
    *s = (struct stream){.id = id, .port = port};
    sha256_start(&s->digest);
    io_read(p->io, id, !p->deaf);
    if (p->to_send)
        io_send(p->io, id, bytes + port % SHIFTS, p->to_send, NULL);
    if (p->then_closes)
        io_close(p->io, id);
}

static void take(struct party *p, struct stream *s, const uint8_t *data, size_t len)
{
    s->received += len;
    sha256_add(&s->digest, data, len);
    if (len && p->then_aborts)
        io_abort(p->io, s->id);
}

static void stream_event(struct party *p, const struct io_in *in)
{
    struct stream *s = p->streams;
    while (s < p->streams + p->count && s->id != in->id)
        s++;
    if (s == p->streams + p->count)
        return;
    if (in->event == IO_DATA)
        take(p, s, in->data, in->len);
    s->eof |= in->event == IO_EOF;
    s->closed |= in->event == IO_CLOSED;
    if (in->event == IO_EOF)
        io_close(p->io, s->id);
}

static void client_events(struct party *p)
{
    struct turn_client_event ev;
    while (turn_client_poll(p->client, &ev))
        switch (ev.kind) {
        case TURN_CLIENT_ALLOCATED:
            p->relayed = ev.relayed;
            break;
        case TURN_CLIENT_INCOMING:
            assert_true(p->waiting_count < PAIRS);
            p->waiting[p->waiting_count++] = ev.connection;
            break;
        case TURN_CLIENT_BOUND:
            open_stream(p, ev.data, ev.peer.port);
            take(p, &p->streams[p->count - 1], ev.bytes, ev.bytes_len);
            break;
        case TURN_CLIENT_PERMITTED:
            assert_int_equal(ev.code, 0);
            break;
        case TURN_CLIENT_PEER_FAILED:
            p->dial_code = ev.code;
            break;
        default:
            fail_msg("client event %d, code %d, err %d", (int)ev.kind, ev.code, ev.err);
        }
    if (io_now(p->io) < p->accept_ns)
        return;
    for (size_t i = 0; i < p->waiting_count; i++)
        assert_int_equal(turn_client_accept(p->client, p->waiting[i]), 0);
    p->waiting_count = 0;
}

static void user_input(void *self, const struct io_in *in)
{
    struct party *p = self;
    struct ip_addr peer = kit_ip("10.0.0.3");
    stream_event(p, in);
    turn_client_input(p->client, in);
    if (in->event == IO_START) {
        turn_client_start(p->client);
        assert_int_equal(turn_client_permit(p->client, &peer, 1), 0);
    }
    if (p->dials && io_now(p->io) >= p->dial_ns) {
        assert_int_equal(turn_client_connect(p->client, &(struct endpoint){peer, PORT}), 0);
        p->dial_ns = --p->dials ? p->dial_ns + NS_S : TIME_NEVER;
    }
    client_events(p);
}

static uint64_t user_deadline(const void *self)
{
    const struct party *p = self;
    uint64_t own = time_min(p->waiting_count ? p->accept_ns : TIME_NEVER, p->dials ? p->dial_ns : TIME_NEVER);
    return time_min(own, turn_client_deadline(p->client));
}

static void peer_input(void *self, const struct io_in *in)
{
    struct party *p = self;
    if (in->event == IO_START && !p->connections)
        io_listen(p->io, 1, &(struct endpoint){kit_ip("10.0.0.3"), PORT});
    if ((in->event == IO_OPENED && p->connections) || in->event == IO_ACCEPTED)
        open_stream(p, in->id, in->local.port);
    if ((in->event == IO_START || in->event == IO_OPENED) && p->count < p->connections)
        io_connect(p->io, 1, NULL, &p->relayed); /* one after the other: the client's memory of attempts is short */
    stream_event(p, in);
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

/* ---- the world: three hosts around a hub, 10.0.0.N at its port N - 1 ---- */

static int hub(void *ctx, unsigned port, uint8_t *frame, size_t len)
{
    (void)ctx, (void)port, (void)len;
    return frame[33] - 1; /* last byte of the IPv4 destination */
}

static struct host *add_host(struct world *w, const struct core *core, const char *ip, net_node *node)
{
    struct host *h = host_new(w->net, core, NULL);
    struct net_node_spec spec = {.name = io_name(core->io), .kind = NET_HOST, .handler = host_event, .ctx = h,
                                 .tcp = {.send_buffer = BUFFER, .receive_buffer = BUFFER}};
    struct ip_prefix p = {.ip = kit_ip(ip), .len = 24};
    *node = w->net->ops->node_add(w->net, &spec);
    struct net_iface_spec iface = {.node = *node, .name = "eth0", .mac = {2, 0, 0, 0, 1, (uint8_t)*node}, .prefix = &p,
                                   .prefix_count = 1};
    w->net->ops->iface_add(w->net, &iface);
    return h;
}

static void count_peer(void *ctx, uint64_t now_ns, const struct net_tap *tap)
{
    (void)now_ns;
    struct world *w = ctx;
    if (tap->kind == TAP_SENT && tap->end.node == w->peer.node)
        w->peer_sent += tap->len;
}

static void link_up(struct world *w)
{
    static const char *const names[] = {"l0", "l1", "l2"};
    struct net_node_spec spec = {.name = "hub", .kind = NET_BOX, .box = hub};
    net_node box = w->net->ops->node_add(w->net, &spec);
    for (unsigned i = 0; i < 3; i++) {
        struct net_iface_spec iface = {.node = box, .name = names[i], .mac = {2, 0, 0, 0, 2, (uint8_t)i}};
        struct net_link_dir dir = {.rate_bps = 100000000, .delay_ns = NS_MS, .queue_bytes = 8 << 20};
        struct net_link_spec link = {.name = names[i], .a = {i + 1, 0}, .ab = dir, .ba = dir};
        link.b = (struct net_end){box, w->net->ops->iface_add(w->net, &iface)};
        w->net->ops->link_add(w->net, &link);
    }
    w->net->ops->tap_set(w->net, count_peer, w);
}

/* Relay and client are there, and the client has its allocation. */
static struct world *world_new(void)
{
    struct world *w = test_calloc(1, sizeof *w);
    static const struct turn_user users[] = {{"alice", "secret"}};
    struct endpoint listen = kit_endpoint("10.0.0.1:3478");
    struct turn_config cfg = {.profile = &turn_strict, .realm = "example.org", .users = users, .user_count = 1,
                              .listen = &listen, .listen_count = 1, .relay_ip4 = listen.ip, .first_port = 50000,
                              .last_port = 50099, .limits = turn_limits_default};
    cfg.limits.allocations = 4;
    cfg.limits.peers = PAIRS;
    struct turn_client_config client = {.profile = &turn_client_plain, .server = listen, .user = "alice",
                                        .password = "secret"};
    net_node relay;
    w->net = net_native.create(1);
    w->io = io_new("relay", 1);
    w->user.io = io_new("user", 1);
    w->peer.io = io_new("peer", 1);
    w->turn = turn_new(w->io, 1, &cfg);
    w->user.client = turn_client_new(w->user.io, 1, &client);
    w->peer.connections = 1;
    assert_true(w->turn && w->user.client);
    w->host = add_host(w, &(struct core){&relay_ops, w->turn, w->io}, "10.0.0.1", &relay);
    w->user.host = add_host(w, &(struct core){&user_ops, &w->user, w->user.io}, "10.0.0.2", &w->user.node);
    w->peer.host = add_host(w, &(struct core){&peer_ops, &w->peer, w->peer.io}, "10.0.0.3", &w->peer.node);
    link_up(w);
    host_start(w->host, relay, 0);
    host_start(w->user.host, w->user.node, NS_MS);
    host_start(w->peer.host, w->peer.node, 2 * NS_S);
    net_native.run(w->net, NS_S);
    assert_int_not_equal(w->user.relayed.port, 0);
    w->peer.relayed = w->user.relayed;
    return w;
}

static void world_free(struct world *w)
{
    net_native.destroy(w->net);
    host_free(w->host);
    host_free(w->user.host);
    host_free(w->peer.host);
    turn_client_free(w->user.client);
    turn_free(w->turn);
    io_free(w->io);
    io_free(w->user.io);
    io_free(w->peer.io);
    test_free(w);
}

static void assert_received(const struct party *p, size_t len)
{
    for (size_t i = 0; i < p->count; i++) {
        struct sha256 got = p->streams[i].digest;
        uint8_t want[HASH_SHA256], have[HASH_SHA256];
        sha256(bytes + p->streams[i].port % SHIFTS, len, want);
        sha256_end(&got, have);
        assert_int_equal(p->streams[i].received, len);
        assert_memory_equal(want, have, sizeof want);
    }
}

static void assert_pairs(const struct world *w, unsigned pending, unsigned bound)
{
    struct turn_stats st;
    turn_stats(w->turn, &st);
    assert_int_equal(st.allocations, 1); /* 5.5-5: the allocation lives on */
    assert_int_equal(st.pending, pending);
    assert_int_equal(st.bound, bound);
}

/* ---- tests ---- */

/* 5.2-16, -17, 5.3-3, -4, 7-2: 4 MiB before the bind stay with the peer, but for one window; then all of them come. */
static void early_bytes_wait_with_the_peer(void **state)
{
    (void)state;
    struct world *w = world_new();
    w->peer.to_send = MOST;
    w->peer.then_closes = true;
    w->user.accept_ns = 20 * NS_S;
    net_native.run(w->net, 20 * NS_S - 1);
    assert_pairs(w, 1, 0);
    assert_in_range(w->peer_sent, BUFFER - 1460, 2 * BUFFER); /* probes of the closed window are in it */
    net_native.run(w->net, 60 * NS_S);
    assert_int_equal(w->user.count, 1);
    assert_received(&w->user, MOST);
    assert_true(w->user.streams[0].eof);
    assert_pairs(w, 0, 0);
    world_free(w);
}

/* 3-14: bound to a side that does not read, the other stalls: two windows, two send buffers and a chunk are all. */
static void a_deaf_side_stalls_the_other(void **state)
{
    (void)state;
    struct world *w = world_new();
    w->peer.to_send = MOST;
    w->user.deaf = true;
    net_native.run(w->net, 30 * NS_S);
    assert_pairs(w, 0, 1);
    assert_in_range(w->peer_sent, 2 * BUFFER, 5 * BUFFER);
    world_free(w);
}

/* 5.5-2..4, X-14: what a side has sent before its FIN arrives, all of it, and then the other side's end. */
static void last_bytes_arrive(void **state)
{
    (void)state;
    for (int mirrored = 0; mirrored < 2; mirrored++) {
        struct world *w = world_new();
        struct party *from = mirrored ? &w->user : &w->peer, *to = mirrored ? &w->peer : &w->user;
        from->to_send = 1000003;
        from->then_closes = true;
        net_native.run(w->net, 60 * NS_S);
        assert_int_equal(to->count, 1);
        assert_received(to, 1000003);
        assert_true(to->streams[0].eof);
        assert_pairs(w, 0, 0);
        world_free(w);
    }
}

/* 5.5-2, -3: a side that resets ends the other. */
static void a_reset_ends_both(void **state)
{
    (void)state;
    for (int mirrored = 0; mirrored < 2; mirrored++) {
        struct world *w = world_new();
        struct party *from = mirrored ? &w->user : &w->peer, *to = mirrored ? &w->peer : &w->user;
        to->to_send = 100;
        from->then_aborts = true;
        net_native.run(w->net, 10 * NS_S);
        assert_int_equal(from->streams[0].received, 100);
        assert_true(to->streams[0].eof || to->streams[0].closed);
        assert_pairs(w, 0, 0);
        world_free(w);
    }
}

/* 3-2, 3-9: a hundred pairs at once, both ways, each with its own bytes. */
static void a_hundred_pairs(void **state)
{
    (void)state;
    struct world *w = world_new();
    w->peer.connections = PAIRS;
    w->peer.to_send = w->user.to_send = 100000;
    net_native.run(w->net, 60 * NS_S);
    assert_int_equal(w->user.count, PAIRS);
    assert_int_equal(w->peer.count, PAIRS);
    assert_received(&w->user, 100000);
    assert_received(&w->peer, 100000);
    assert_pairs(w, 0, PAIRS);
    world_free(w);
}

static void dial(struct world *w, unsigned times, uint64_t from_ns)
{
    w->user.dials = times;
    w->user.dial_ns = from_ns;
    host_event(w->user.host, NULL); /* nothing has happened, but the deadline is another */
    net_native.run(w->net, from_ns + 10 * NS_S);
}

/* the relay has closed towards the peer, so it has TIME_WAIT on that pair of addresses: 447 until it is over. */
static void connect_in_time_wait(void **state)
{
    (void)state;
    struct world *w = world_new();
    w->peer.connections = 0;
    w->user.to_send = 1000;
    w->user.then_closes = true;
    dial(w, 2, 3 * NS_S);
    assert_int_equal(w->user.dial_code, 447);
    assert_int_equal(w->peer.count, 1);
    dial(w, 1, 200 * NS_S);
    assert_int_equal(w->peer.count, 2);
    assert_received(&w->peer, 1000);
    assert_pairs(w, 0, 0);
    world_free(w);
}

int main(void)
{
    struct rng r = rng_named(1, "bytes");
    rng_fill(&r, bytes, sizeof bytes);
    static const struct CMUnitTest tests[] = {
        {"6062-5.2-16, -17, 5.3-3, -4, 7-2 early bytes wait with the peer", early_bytes_wait_with_the_peer, NULL, NULL,
         NULL},
        {"6062-3-14 a deaf side stalls the other", a_deaf_side_stalls_the_other, NULL, NULL, NULL},
        {"6062-5.5-2..4, X-14 last bytes arrive", last_bytes_arrive, NULL, NULL, NULL},
        {"6062-5.5-2, -3 a reset ends both", a_reset_ends_both, NULL, NULL, NULL},
        {"6062-3-2, 3-9 a hundred pairs", a_hundred_pairs, NULL, NULL, NULL},
        {"6062-X-20 connect in TIME_WAIT", connect_in_time_wait, NULL, NULL, NULL},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
