/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cores over net.h on the native engine: what io.h promises holds. */
#include "sim/host/host.h"

#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/hash.h"
#include "models/base/time.h"
#include "models/testkit/testkit.h"

/* A core that a test scripts: it remembers what it heard, and does what `script` says on an event. */
struct actor {
    struct io *io;
    void (*script)(struct actor *a, const struct io_in *in);
    io_id conn, second; /* what the script likes to remember */
    uint64_t wake_ns;
    size_t received, events[IO_CLOSED + 1];
    int err; /* of the last event that had one */
    struct sha256 digest;
    struct endpoint target;
    struct host *host;
};

static void actor_input(void *self, const struct io_in *in)
{
    struct actor *a = self;
    a->events[in->event]++;
    if (in->err)
        a->err = in->err;
    if (in->event == IO_DATA) {
        a->received += in->len;
        sha256_add(&a->digest, in->data, in->len);
    }
    if (in->event == IO_TICK)
        a->wake_ns = TIME_NEVER;
    a->script(a, in);
}

static uint64_t actor_deadline(const void *self)
{
    return ((const struct actor *)self)->wake_ns;
}

static const struct core_ops actor_ops = {.input = actor_input, .deadline = actor_deadline};

struct world {
    struct net *net;
    struct actor actor[4];
    unsigned count;
};

static struct actor *add_actor(struct world *w, const char *name, const char *ip,
                               void (*script)(struct actor *, const struct io_in *))
{
    struct actor *a = &w->actor[w->count++];
    a->io = io_new(name, 1);
    a->script = script;
    a->wake_ns = TIME_NEVER;
    sha256_start(&a->digest);
    struct core core = {.ops = &actor_ops, .self = a, .io = a->io};
    a->host = host_new(w->net, &core, NULL);
    struct net_node_spec spec = {.name = name, .kind = NET_HOST, .handler = host_event, .ctx = a->host,
                                 .tcp = {.send_buffer = 16384, .receive_buffer = 16384}};
    net_node node = w->net->ops->node_add(w->net, &spec);
    struct ip_prefix p = {.ip = kit_ip(ip), .len = 24};
    struct net_iface_spec iface = {.node = node, .name = "eth0", .mac = {2, 0, 0, 0, 1, (uint8_t)node}, .prefix = &p,
                                   .prefix_count = 1};
    w->net->ops->iface_add(w->net, &iface);
    host_start(a->host, node, 0);
    return a;
}

/* A switch by address: actor n has 10.0.0.n, at port n - 1. */
static int hub(void *ctx, unsigned port, uint8_t *frame, size_t len)
{
    (void)ctx;
    (void)port;
    (void)len;
    return frame[33] - 1; /* last byte of the IPv4 destination */
}

static void link_up(struct world *w)
{
    struct net_node_spec spec = {.name = "hub", .kind = NET_BOX, .box = hub};
    net_node box = w->net->ops->node_add(w->net, &spec);
    static const char *const names[] = {"l0", "l1", "l2", "l3"};
    for (unsigned i = 0; i < w->count; i++) {
        struct net_iface_spec iface = {.node = box, .name = names[i], .mac = {2, 0, 0, 0, 2, (uint8_t)i}};
        unsigned port = w->net->ops->iface_add(w->net, &iface);
        struct net_link_dir dir = {.rate_bps = 100000000, .delay_ns = NS_MS};
        struct net_link_spec link = {.name = names[i], .a = {i + 1, 0}, .b = {box, port}, .ab = dir, .ba = dir};
        w->net->ops->link_add(w->net, &link);
    }
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    w->net = net_native.create(1);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    net_native.destroy(w->net);
    for (unsigned i = 0; i < w->count; i++) {
        host_free(w->actor[i].host);
        io_free(w->actor[i].io);
    }
    free(w);
    return 0;
}

/* ---- scripts ---- */

enum { TOTAL = 1000000, PORT = 7000 };

static uint8_t pattern[TOTAL];

static void sends_all_then_closes(struct actor *a, const struct io_in *in)
{
    if (in->event == IO_START)
        a->conn = io_connect(a->io, 1, NULL, &a->target);
    if (in->event == IO_OPENED) {
        io_send(a->io, a->conn, pattern, TOTAL, "all");
        io_close(a->io, a->conn);
    }
}

static void listens_and_reads(struct actor *a, const struct io_in *in)
{
    if (in->event == IO_START) {
        struct endpoint any = {.ip = {.family = IP_V4}, .port = PORT};
        io_listen(a->io, 2, &any);
    }
    if (in->event == IO_ACCEPTED) {
        assert_int_equal(io_owner(in->id), 2);
        a->conn = in->id;
        a->wake_ns = io_now(a->io) + NS_S; /* born not reading: nothing comes before it is asked for */
    }
    if (in->event == IO_TICK)
        io_read(a->io, a->conn, true);
    if (in->event == IO_EOF)
        io_close(a->io, in->id);
}

static void splices(struct actor *a, const struct io_in *in)
{
    if (in->event == IO_START) {
        struct endpoint any = {.ip = {.family = IP_V4}, .port = PORT};
        io_listen(a->io, 1, &any);
    }
    if (in->event == IO_ACCEPTED) {
        a->conn = in->id;
        a->second = io_connect(a->io, 1, NULL, &a->target);
    }
    if (in->event == IO_OPENED && in->id == a->second) {
        io_send(a->io, a->second, "hello", 5, NULL);
        io_splice(a->io, a->conn, a->second);
    }
}

static void expect_digest(struct actor *a, const char *before, size_t before_len)
{
    uint8_t want[HASH_SHA256], got[HASH_SHA256];
    struct sha256 h;
    sha256_start(&h);
    sha256_add(&h, before, before_len);
    sha256_add(&h, pattern, TOTAL);
    sha256_end(&h, want);
    sha256_end(&a->digest, got);
    assert_int_equal(a->received, before_len + TOTAL);
    assert_memory_equal(want, got, sizeof want);
}

static void nothing_before_reading_then_all_and_eof(void **state)
{
    struct world *w = *state;
    struct actor *client = add_actor(w, "client", "10.0.0.1", sends_all_then_closes);
    struct actor *server = add_actor(w, "server", "10.0.0.2", listens_and_reads);
    client->target = kit_endpoint("10.0.0.2:7000");
    link_up(w);
    net_native.run(w->net, NS_S);
    assert_int_equal(server->events[IO_ACCEPTED], 1);
    assert_int_equal(server->received, 0);
    net_native.run(w->net, 60 * NS_S);
    expect_digest(server, "", 0);
    assert_int_equal(server->events[IO_EOF], 1);
    assert_int_equal(server->events[IO_CLOSED], 0); /* it closed by itself: no event follows */
    assert_int_equal(client->events[IO_CLOSED], 0);
}

static void a_splice_relays_in_order_and_ends_both(void **state)
{
    struct world *w = *state;
    struct actor *client = add_actor(w, "client", "10.0.0.1", sends_all_then_closes);
    struct actor *relay = add_actor(w, "relay", "10.0.0.2", splices);
    struct actor *server = add_actor(w, "server", "10.0.0.3", listens_and_reads);
    client->target = kit_endpoint("10.0.0.2:7000");
    relay->target = kit_endpoint("10.0.0.3:7000");
    link_up(w);
    net_native.run(w->net, 60 * NS_S);
    expect_digest(server, "hello", 5);
    assert_int_equal(server->events[IO_EOF], 1);
    assert_int_equal(relay->events[IO_CLOSED], 2);
    assert_int_equal(relay->events[IO_DATA], 0);
    assert_int_equal(relay->err, 0);
}

static void refuses(struct actor *a, const struct io_in *in)
{
    if (in->event == IO_START)
        a->conn = io_connect(a->io, 1, NULL, &a->target);
    if (in->event == IO_FAILED)
        assert_true(in->id == a->conn);
}

static void failures_are_told_once(void **state)
{
    struct world *w = *state;
    struct actor *client = add_actor(w, "client", "10.0.0.1", refuses);
    struct actor *server = add_actor(w, "server", "10.0.0.2", listens_and_reads);
    client->target = kit_endpoint("10.0.0.2:7001");
    link_up(w);
    net_native.run(w->net, 10 * NS_S);
    assert_int_equal(client->events[IO_FAILED], 1);
    assert_int_equal(client->err, E_REFUSED);
    assert_int_equal(server->events[IO_ACCEPTED], 0);
}

/* Much is sent to a side that does not read: the sender hears of it, and of its end. */
static void sends_and_keeps(struct actor *a, const struct io_in *in)
{
    if (in->event == IO_START)
        a->conn = io_connect(a->io, 1, NULL, &a->target);
    if (in->event == IO_OPENED)
        io_send(a->io, a->conn, pattern, TOTAL, NULL);
    if (in->event == IO_WRITABLE)
        assert_int_equal(a->events[IO_BLOCKED], 1);
}

static void back_pressure_is_told(void **state)
{
    struct world *w = *state;
    struct actor *client = add_actor(w, "client", "10.0.0.1", sends_and_keeps);
    struct actor *server = add_actor(w, "server", "10.0.0.2", listens_and_reads);
    client->target = kit_endpoint("10.0.0.2:7000");
    link_up(w);
    net_native.run(w->net, NS_S);
    assert_int_equal(client->events[IO_BLOCKED], 1);
    assert_int_equal(client->events[IO_WRITABLE], 0);
    net_native.run(w->net, 60 * NS_S);
    assert_int_equal(client->events[IO_WRITABLE], 1);
    expect_digest(server, "", 0);
    assert_int_equal(server->events[IO_EOF], 0);
}

/* A side that closes while the other is still talking: what it had sent arrives, then its FIN, no reset. */
static void talks_and_listens(struct actor *a, const struct io_in *in)
{
    if (in->event == IO_START)
        a->conn = io_connect(a->io, 1, NULL, &a->target);
    if (in->event == IO_OPENED) {
        io_send(a->io, a->conn, pattern, TOTAL, NULL);
        io_read(a->io, a->conn, true);
    }
    if (in->event == IO_EOF) {
        a->wake_ns = TIME_NEVER;
        io_close(a->io, a->conn);
    }
}

static void answers_and_closes(struct actor *a, const struct io_in *in)
{
    if (in->event == IO_ACCEPTED) { /* without having read a byte of what comes */
        io_send(a->io, in->id, pattern, TOTAL, NULL);
        io_close(a->io, in->id);
    } else if (in->event == IO_START) {
        listens_and_reads(a, in);
    }
}

static void closing_loses_nothing(void **state)
{
    struct world *w = *state;
    struct actor *client = add_actor(w, "client", "10.0.0.1", talks_and_listens);
    struct actor *server = add_actor(w, "server", "10.0.0.2", answers_and_closes);
    client->target = kit_endpoint("10.0.0.2:7000");
    link_up(w);
    net_native.run(w->net, 60 * NS_S);
    assert_int_equal(server->received, 0);
    expect_digest(client, "", 0);
    assert_int_equal(client->events[IO_EOF], 1);
    assert_int_equal(client->err, 0);
}

/* ... but not for ever: one that never ends, and does not read, is reset after half a minute. */
static void closing_ends(void **state)
{
    struct world *w = *state;
    struct actor *client = add_actor(w, "client", "10.0.0.1", sends_and_keeps);
    struct actor *server = add_actor(w, "server", "10.0.0.2", answers_and_closes);
    client->target = kit_endpoint("10.0.0.2:7000");
    link_up(w);
    net_native.run(w->net, 29 * NS_S);
    assert_int_equal(client->events[IO_CLOSED], 0);
    net_native.run(w->net, 32 * NS_S);
    assert_int_equal(client->events[IO_CLOSED], 1);
    assert_int_equal(client->err, E_RESET);
    assert_int_equal(server->events[IO_CLOSED], 0);
}

/* Half-closed, a pair still goes the other way (io.h): the client ends first, the server answers after that. */
static void asks_then_ends(struct actor *a, const struct io_in *in)
{
    if (in->event == IO_EOF && a->second)
        io_close(a->io, a->conn);
    if (in->event == IO_START)
        a->conn = io_connect(a->io, 1, NULL, &a->target);
    if (in->event == IO_OPENED) {
        a->second = a->conn;
        io_send(a->io, a->conn, pattern, TOTAL, NULL);
        io_close(a->io, a->conn);
    }
}

static void answers_at_the_end(struct actor *a, const struct io_in *in)
{
    listens_and_reads(a, in);
    if (in->event == IO_TICK)
        io_send(a->io, a->conn, "late", 4, NULL);
}

static void a_splice_passes_on_an_end(void **state)
{
    struct world *w = *state;
    struct actor *client = add_actor(w, "client", "10.0.0.1", asks_then_ends);
    struct actor *relay = add_actor(w, "relay", "10.0.0.2", splices);
    struct actor *server = add_actor(w, "server", "10.0.0.3", answers_at_the_end);
    client->target = kit_endpoint("10.0.0.2:7000");
    relay->target = kit_endpoint("10.0.0.3:7000");
    link_up(w);
    net_native.run(w->net, 60 * NS_S);
    expect_digest(server, "hello", 5);
    assert_int_equal(server->events[IO_EOF], 1);
    assert_int_equal(server->err, 0);
    assert_int_equal(relay->events[IO_CLOSED], 2);
    assert_int_equal(relay->err, 0);
}

static void accepts_and_aborts(struct actor *a, const struct io_in *in)
{
    if (in->event == IO_ACCEPTED)
        io_abort(a->io, in->id);
    else
        listens_and_reads(a, in);
}

static void an_abort_is_a_reset(void **state)
{
    struct world *w = *state;
    struct actor *client = add_actor(w, "client", "10.0.0.1", sends_and_keeps);
    struct actor *server = add_actor(w, "server", "10.0.0.2", accepts_and_aborts);
    client->target = kit_endpoint("10.0.0.2:7000");
    link_up(w);
    net_native.run(w->net, 10 * NS_S);
    assert_int_equal(client->events[IO_CLOSED], 1);
    assert_int_equal(client->err, E_RESET);
    assert_int_equal(server->events[IO_CLOSED], 0);
}

/* The same port twice: the second is told that it is taken, in an event, not in the middle of the call. */
static void listens_twice(struct actor *a, const struct io_in *in)
{
    if (in->event == IO_START) {
        struct endpoint any = {.ip = {.family = IP_V4}, .port = PORT};
        a->conn = io_listen(a->io, 1, &any);
        a->second = io_listen(a->io, 1, &any);
    }
    if (in->event == IO_OPENED)
        assert_true(in->id == a->conn);
    if (in->event == IO_FAILED)
        assert_true(in->id == a->second && in->err == E_EXISTS);
}

static void a_port_in_use_is_told(void **state)
{
    struct world *w = *state;
    struct actor *a = add_actor(w, "a", "10.0.0.1", listens_twice);
    link_up(w);
    net_native.run(w->net, NS_S);
    assert_int_equal(a->events[IO_OPENED], 1);
    assert_int_equal(a->events[IO_FAILED], 1);
}

static void connects_to_port_0(struct actor *a, const struct io_in *in)
{
    struct endpoint any = {.ip = {.family = IP_V4}};
    if (in->event == IO_START) {
        io_connect(a->io, 1, NULL, &a->target);
        io_listen(a->io, 1, &any);
    }
    if (in->event == IO_FAILED)
        assert_int_equal(in->err, E_RANGE);
}

static void port_0_is_an_error(void **state)
{
    struct world *w = *state;
    struct actor *a = add_actor(w, "a", "10.0.0.1", connects_to_port_0);
    a->target = kit_endpoint("10.0.0.2:0");
    link_up(w);
    net_native.run(w->net, NS_S);
    assert_int_equal(a->events[IO_FAILED], 2);
}

/* UDP, there and back: the echo answers to where the datagram came from. */
static void asks_by_udp(struct actor *a, const struct io_in *in)
{
    if (in->event == IO_START) {
        struct endpoint any = {.ip = {.family = IP_V4}};
        a->conn = io_udp(a->io, 1, &any);
    }
    if (in->event == IO_OPENED)
        io_sendto(a->io, a->conn, &a->target, "ping", 4, "ping");
    if (in->event == IO_DATAGRAM) {
        assert_int_equal(in->len, 4);
        assert_memory_equal(in->data, "ping", 4);
        assert_true(endpoint_equal(&in->remote, &a->target));
    }
}

static void echoes_udp(struct actor *a, const struct io_in *in)
{
    if (in->event == IO_START) {
        struct endpoint any = {.ip = {.family = IP_V4}, .port = PORT};
        a->conn = io_udp(a->io, 1, &any);
    }
    if (in->event == IO_DATAGRAM)
        io_sendto(a->io, in->id, &in->remote, in->data, in->len, NULL);
}

static void datagrams_go_both_ways(void **state)
{
    struct world *w = *state;
    struct actor *client = add_actor(w, "client", "10.0.0.1", asks_by_udp);
    struct actor *server = add_actor(w, "server", "10.0.0.2", echoes_udp);
    client->target = kit_endpoint("10.0.0.2:7000");
    link_up(w);
    net_native.run(w->net, NS_S);
    assert_int_equal(server->events[IO_DATAGRAM], 1);
    assert_int_equal(client->events[IO_DATAGRAM], 1);
}

int main(void)
{
    struct rng r = rng_named(1, "pattern");
    rng_fill(&r, pattern, sizeof pattern);
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    static const struct CMUnitTest tests[] = {
        T(nothing_before_reading_then_all_and_eof),
        T(a_splice_relays_in_order_and_ends_both),
        T(failures_are_told_once),
        T(back_pressure_is_told),
        T(closing_loses_nothing),
        T(closing_ends),
        T(a_splice_passes_on_an_end),
        T(an_abort_is_a_reset),
        T(a_port_in_use_is_told),
        T(port_0_is_an_error),
        T(datagrams_go_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
