/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/ns3/contract_kit.h"

#include <stdio.h>
#include <string.h>

#include "models/base/time.h"
#include "sim/memory/memory.h"

static uint8_t payload_byte(size_t at)
{
    return (uint8_t)(at * 7 + at / 251);
}

void expect_payload(struct conn *c, size_t len)
{
    assert_int_equal(c->received, len);
    struct sha256 h;
    sha256_start(&h);
    for (size_t i = 0; i < len; i++) {
        uint8_t b = payload_byte(i);
        sha256_add(&h, &b, 1);
    }
    uint8_t want[HASH_SHA256], got[HASH_SHA256];
    sha256_end(&h, want);
    struct sha256 copy = c->digest;
    sha256_end(&copy, got);
    assert_memory_equal(got, want, sizeof got);
}

static struct conn *conn_add(struct host *h, net_sock sock)
{
    assert_in_range(h->conn_count, 0, CONNS - 1);
    struct conn *c = &h->conn[h->conn_count++];
    *c = (struct conn){.sock = sock};
    sha256_start(&c->digest);
    return c;
}

static struct conn *conn_of(struct host *h, net_sock sock)
{
    for (size_t i = 0; i < h->conn_count; i++)
        if (h->conn[i].sock == sock)
            return &h->conn[i];
    fail_msg("an event for a socket that is not known, or gone");
    return NULL;
}

void conn_write(struct host *h, struct conn *c)
{
    const struct net_ops *ops = h->bench->ops;
    uint8_t chunk[CHUNK];
    while (c->sent < c->to_send) {
        size_t n = c->to_send - c->sent < CHUNK ? c->to_send - c->sent : CHUNK;
        for (size_t i = 0; i < n; i++)
            chunk[i] = payload_byte(c->sent + i);
        size_t took = ops->tcp_send(h->bench->net, c->sock, chunk, n);
        c->sent += took;
        if (took < n)
            return;
    }
    if (c->shut_when_sent) {
        c->shut_when_sent = false;
        ops->tcp_shutdown(h->bench->net, c->sock);
    }
}

void conn_read(struct host *h, struct conn *c)
{
    uint8_t chunk[CHUNK];
    size_t n;
    while (!c->paused && (n = h->bench->ops->tcp_recv(h->bench->net, c->sock, chunk, CHUNK, &c->eof)) > 0) {
        sha256_add(&c->digest, chunk, n);
        c->received += n;
    }
    if (c->eof && c->shut_at_eof) {
        c->shut_at_eof = false;
        h->bench->ops->tcp_shutdown(h->bench->net, c->sock);
    }
}

static void on_accepted(struct host *h, const struct net_event *ev)
{
    struct conn *c = conn_add(h, ev->accepted);
    c->accepted = c->connected = true;
    c->local = ev->local;
    c->remote = ev->remote;
    c->to_send = h->as_accepted.to_send;
    c->paused = h->as_accepted.paused;
    c->shut_when_sent = h->as_accepted.shut_when_sent;
    c->shut_at_eof = h->as_accepted.shut_at_eof;
    conn_write(h, c);
}

static void on_datagram(struct host *h, const struct net_event *ev)
{
    assert_in_range(ev->len, 1, sizeof h->datagram - 1);
    memcpy(h->datagram, ev->data, ev->len);
    h->datagram[ev->len] = '\0';
    h->datagram_from = ev->remote;
    h->datagram_to = ev->local;
    if (h->echo)
        assert_int_equal(h->bench->ops->udp_send(h->bench->net, ev->sock, &ev->remote, ev->data, ev->len), 0);
}

static void on_event(void *ctx, const struct net_event *ev)
{
    struct host *h = ctx;
    if (ev->kind == NET_ACCEPTED) {
        on_accepted(h, ev);
        return;
    }
    if (ev->kind == NET_DATAGRAM) {
        on_datagram(h, ev);
        return;
    }
    struct conn *c = conn_of(h, ev->sock);
    switch (ev->kind) {
    case NET_CONNECTED:
        assert_false(c->connected);
        c->connected = true;
        c->local = ev->local;
        c->remote = ev->remote;
        conn_write(h, c);
        break;
    case NET_READABLE:
        conn_read(h, c);
        break;
    case NET_WRITABLE:
        conn_write(h, c);
        break;
    default:
        assert_true(ev->kind == (c->connected ? NET_CLOSED : NET_FAILED));
        *(c->connected ? &c->closed : &c->failed) = true;
        c->err = ev->err;
        c->ended_ns = h->bench->ops->now(h->bench->net);
        c->sock = 0;
    }
}

static int on_frame(void *ctx, unsigned port, uint8_t *frame, size_t len)
{
    struct bench *b = ctx;
    struct wire_packet p;
    (void)port;
    if (b->meddle && wire_parse(frame, len, &p) == 0 && b->meddle(b, &p) == NET_DROP)
        return NET_DROP;
    for (int i = 0; i < HOSTS; i++)
        if (memcmp(frame, b->mac[i], 6) == 0)
            return i;
    return NET_DROP;
}

static void on_tap(void *ctx, uint64_t now_ns, const struct net_tap *tap)
{
    struct bench *b = ctx;
    struct wire_packet p;
    uint8_t frame[2048];
    assert_in_range(tap->len, ETH_HEADER, sizeof frame);
    memcpy(frame, tap->frame, tap->len);
    if (wire_parse(frame, tap->len, &p) != 0 || wire_check(&p) != 0)
        b->bad_frames++;
    b->sent += tap->kind == TAP_SENT;
    b->delivered += tap->kind == TAP_DELIVERED;
    b->dropped += tap->kind == TAP_DROPPED;
    if (tap->kind == TAP_SENT && p.proto == PROTO_TCP && p.payload_len > 0) {
        b->data_frames++;
        b->data_bytes += p.payload_len;
        if (tap->len > b->data_frame_max)
            b->data_frame_max = tap->len;
    }
    uint64_t head[3] = {now_ns, (uint64_t)tap->kind, (uint64_t)tap->end.node << 32 | tap->end.port};
    sha256_add(&b->trace, head, sizeof head);
    sha256_add(&b->trace, tap->frame, tap->len);
}

const struct net_tcp_opts plain;
const struct net_link_dir line = {.rate_bps = 100000000, .delay_ns = NS_MS};

void bench_open(struct bench *b, const struct net_ops *ops, const struct net_link_dir *dir,
                const struct net_tcp_opts *tcp)
{
    *b = (struct bench){.ops = ops, .net = ops->create(7)};
    assert_non_null(b->net);
    assert_ptr_equal(b->net->ops, ops);
    sha256_start(&b->trace);
    struct net_node_spec box = {.name = "box", .kind = NET_BOX, .box = on_frame, .ctx = b};
    if (ops->link_add)
        b->box = ops->node_add(b->net, &box);
    static const char *const names[HOSTS] = {"h1", "h2", "h3"};
    for (unsigned i = 0; i < HOSTS; i++) {
        struct host *h = &b->host[i];
        h->bench = b;
        struct net_node_spec spec = {.name = names[i], .kind = NET_HOST, .handler = on_event, .ctx = h,
                                     .tcp = i == 2 ? plain : *tcp};
        h->node = ops->node_add(b->net, &spec);
        char v4[32], v6[32];
        snprintf(v4, sizeof v4, "10.0.0.%u/24", i + 1);
        snprintf(v6, sizeof v6, "2001:db8::%u/64", i + 1);
        struct ip_prefix prefix[2];
        assert_int_equal(prefix_parse(v4, &prefix[0]), 0);
        assert_int_equal(prefix_parse(v6, &prefix[1]), 0);
        struct net_iface_spec iface = {.node = h->node, .name = "eth0", .mac = {2, 0, 0, 0, 0, (uint8_t)(i + 1)},
                                       .mtu = i == 2 ? SMALL_MTU : 0, .prefix = prefix, .prefix_count = 2};
        memcpy(b->mac[i], iface.mac, 6);
        unsigned host_port = ops->iface_add(b->net, &iface);
        if (!ops->link_add)
            continue;
        struct net_iface_spec port = {.node = b->box, .name = "p", .mac = {2, 0, 0, 0, 1, (uint8_t)(i + 1)}};
        struct net_link_spec link = {.name = names[i], .a = {h->node, host_port},
                                     .b = {b->box, ops->iface_add(b->net, &port)}, .ab = *dir, .ba = *dir};
        ops->link_add(b->net, &link);
    }
    if (ops->tap_set)
        ops->tap_set(b->net, on_tap, b);
}

void bench_close(struct bench *b)
{
    assert_int_equal(b->bad_frames, 0);
    b->ops->destroy(b->net);
}

void listen_on(struct host *h, const char *at)
{
    net_sock s;
    struct endpoint e = kit_endpoint(at);
    assert_int_equal(h->bench->ops->tcp_listen(h->bench->net, h->node, &e, &s), 0);
}

struct conn *connect_from(struct host *h, const char *from, const char *to)
{
    net_sock s;
    struct endpoint local = {0}, remote = kit_endpoint(to);
    if (from)
        local = kit_endpoint(from);
    assert_int_equal(h->bench->ops->tcp_connect(h->bench->net, h->node, &local, &remote, &s), 0);
    return conn_add(h, s);
}

void run(struct bench *b, uint64_t until_ns)
{
    b->ops->run(b->net, until_ns);
}

/* ---- each check on each engine ---- */

static void on_native(void **state)
{
    const struct check *check = *state;
    check->fn(&net_native);
}

static void on_ns3(void **state)
{
    const struct check *check = *state;
    const char *why = "";
    const struct net_ops *ops = net_ns3_load(&why);
    if (!ops) {
        print_message("# ns-3 is not there: %s\n", why);
        skip();
    }
    check->fn(ops);
}

static void in_memory(void **state)
{
    const struct check *check = *state;
    check->fn(&net_memory);
}

int run_checks(const struct check *checks, size_t count)
{
    enum { CHECKS = 64, NAME = 48 };
    static const struct {
        const char *name;
        void (*run)(void **state);
    } engines[] = {{"native", on_native}, {"ns-3", on_ns3}, {"memory", in_memory}};
    enum { ENGINES = sizeof engines / sizeof *engines, MEMORY = ENGINES - 1 };
    static char name[ENGINES * CHECKS][NAME];
    static struct CMUnitTest test[ENGINES * CHECKS];
    assert_in_range(count, 1, CHECKS);
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t e = 0; e < (checks[i].sockets ? ENGINES : MEMORY); e++, n++) {
            snprintf(name[n], NAME, "%s (%s)", checks[i].name, engines[e].name);
            test[n] = (struct CMUnitTest){.name = name[n], .test_func = engines[e].run,
                                          .initial_state = (void *)(uintptr_t)&checks[i]};
        }
    return _cmocka_run_group_tests("contract", test, n, NULL, NULL);
}
