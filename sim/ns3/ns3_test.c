/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The contract of net.h, held against the engines. */
#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "sim/ns3/contract_kit.h"

static void udp_echo(const struct net_ops *ops)
{
    struct bench b;
    bench_open(&b, ops, &line, &plain);
    for (int v6 = 0; v6 < 2; v6++) {
        struct endpoint server = kit_endpoint(v6 ? "[2001:db8::2]:3478" : "10.0.0.2:3478"), any = {0};
        net_sock s, c;
        b.host[1].echo = true;
        assert_int_equal(ops->udp_open(b.net, b.host[1].node, &server, &s), 0);
        assert_int_equal(ops->udp_open(b.net, b.host[1].node, &server, &c), E_EXISTS);
        assert_int_equal(ops->udp_open(b.net, b.host[0].node, &server, &c), E_UNREACHABLE);
        assert_int_equal(ops->udp_open(b.net, b.host[0].node, &any, &c), 0);
        const char *text = v6 ? "six" : "four";
        assert_int_equal(ops->udp_send(b.net, c, &server, text, strlen(text)), 0);
        run(&b, ops->now(b.net) + NS_S);
        assert_string_equal(b.host[0].datagram, text);
        assert_true(endpoint_equal(&b.host[0].datagram_from, &server));
        assert_int_equal(b.host[0].datagram_to.port, 49152 + v6);
        ops->sock_close(b.net, s);
    }
    struct endpoint far = kit_endpoint("192.0.2.1:1"), any = {0};
    net_sock s;
    assert_int_equal(ops->udp_open(b.net, b.host[0].node, &any, &s), 0);
    assert_int_equal(ops->udp_send(b.net, s, &far, "x", 1), E_UNREACHABLE);
    struct net_stats stats;
    ops->stats(b.net, &stats);
    assert_int_equal(stats.packet_hops, b.delivered);
    assert_int_equal(b.sent, b.delivered);
    bench_close(&b);
}

static void transfer(const struct net_ops *ops, const struct net_link_dir *dir, const char *at)
{
    struct bench b;
    bench_open(&b, ops, dir, &plain);
    b.host[1].as_accepted = (struct conn){.to_send = MIB, .shut_when_sent = true};
    listen_on(&b.host[1], at);
    struct conn *c = connect_from(&b.host[0], NULL, at);
    c->to_send = MIB;
    c->shut_when_sent = true;
    run(&b, 200 * NS_S);
    struct conn *a = &b.host[1].conn[0];
    assert_int_equal(b.host[1].conn_count, 1);
    assert_true(endpoint_equal(&c->local, &a->remote));
    assert_true(endpoint_equal(&c->remote, &a->local));
    assert_int_equal(c->local.port, 49152);
    expect_payload(c, MIB);
    expect_payload(a, MIB);
    assert_true(c->eof && c->closed && c->err == 0);
    assert_true(a->eof && a->closed && a->err == 0);
    if (dir->loss.kind == LOSS_NONE && ops->tap_set) {
        assert_int_equal(b.data_frame_max, NET_MTU_DEFAULT + ETH_HEADER);
        assert_int_equal(b.data_bytes, 4 * MIB); /* each byte once each way over each of two links */
    }
    bench_close(&b);
}

static void transfer_v4(const struct net_ops *ops)
{
    transfer(ops, &line, "10.0.0.2:80");
}

static void transfer_v6(const struct net_ops *ops)
{
    transfer(ops, &line, "[2001:db8::2]:80");
}

static void transfer_lossy(const struct net_ops *ops)
{
    struct net_link_dir lossy = line;
    lossy.loss = (struct net_loss){.kind = LOSS_BERNOULLI, .loss_ppm = 10000};
    lossy.jitter_ns = 200000;
    lossy.duplicate_ppm = 1000;
    lossy.reorder_ppm = 5000;
    lossy.reorder_ns = 2 * NS_MS;
    transfer(ops, &lossy, "10.0.0.2:80");
}

/* Each announces what it can take, and the other keeps to it. */
static void small_mtu(const struct net_ops *ops)
{
    struct bench b;
    bench_open(&b, ops, &line, &plain);
    b.host[2].as_accepted.to_send = 50000;
    listen_on(&b.host[2], "10.0.0.3:80");
    connect_from(&b.host[0], NULL, "10.0.0.3:80")->to_send = 50000;
    b.host[0].as_accepted.to_send = 50000;
    listen_on(&b.host[0], "10.0.0.1:80");
    connect_from(&b.host[2], NULL, "10.0.0.1:80")->to_send = 50000;
    run(&b, 5 * NS_S);
    expect_payload(&b.host[2].conn[0], 50000);
    expect_payload(&b.host[2].conn[1], 50000);
    expect_payload(&b.host[0].conn[0], 50000);
    expect_payload(&b.host[0].conn[1], 50000);
    assert_int_equal(b.data_frame_max, SMALL_MTU + ETH_HEADER);
    bench_close(&b);
}

/* A SYN between the endpoints of a connection that is in TIME_WAIT at the side that listens. */
static void time_wait(const struct net_ops *ops)
{
    struct bench b;
    bench_open(&b, ops, &line, &plain);
    listen_on(&b.host[1], "10.0.0.2:80");
    struct conn *c = connect_from(&b.host[0], "10.0.0.1:5000", "10.0.0.2:80");
    run(&b, NS_S);
    ops->tcp_shutdown(b.net, b.host[1].conn[0].sock);
    run(&b, 2 * NS_S);
    assert_true(c->eof);
    ops->tcp_shutdown(b.net, c->sock);
    run(&b, 3 * NS_S);
    assert_true(c->closed && b.host[1].conn[0].closed && b.host[1].conn[0].err == 0);
    struct conn *d = connect_from(&b.host[0], "10.0.0.1:5000", "10.0.0.2:80");
    d->to_send = 1000;
    run(&b, 4 * NS_S);
    assert_true(d->connected);
    expect_payload(&b.host[1].conn[1], 1000);
    bench_close(&b);
}

static void refused(const struct net_ops *ops)
{
    struct bench b;
    bench_open(&b, ops, &line, &plain);
    struct conn *c = connect_from(&b.host[0], NULL, "10.0.0.2:81");
    struct conn *c6 = connect_from(&b.host[0], NULL, "[2001:db8::2]:81");
    run(&b, NS_S);
    assert_true(c->failed && c->err == E_REFUSED);
    assert_true(c6->failed && c6->err == E_REFUSED);
    assert_in_range(c->ended_ns, 4 * NS_MS, 5 * NS_MS);
    bench_close(&b);
}

static int drop_all(struct bench *b, struct wire_packet *p)
{
    (void)p;
    b->meddled++;
    return NET_DROP;
}

static void black_hole(const struct net_ops *ops)
{
    struct bench b;
    bench_open(&b, ops, &line, &plain);
    b.meddle = drop_all;
    struct conn *c = connect_from(&b.host[0], NULL, "10.0.0.2:80");
    run(&b, 200 * NS_S);
    assert_true(c->failed && c->err == E_TIMED_OUT);
    assert_int_equal(c->ended_ns, 127 * NS_S); /* 1 + 2 + 4 + ... + 64 s */
    assert_int_equal(b.meddled, 7);
    net_sock s;
    struct endpoint any = {0}, far = kit_endpoint("192.0.2.1:80");
    assert_int_equal(ops->tcp_connect(b.net, b.host[0].node, &any, &far, &s), E_UNREACHABLE);
    bench_close(&b);
}

static void half_close(const struct net_ops *ops)
{
    struct bench b;
    bench_open(&b, ops, &line, &plain);
    listen_on(&b.host[1], "10.0.0.2:80");
    struct conn *c = connect_from(&b.host[0], NULL, "10.0.0.2:80");
    c->to_send = 1000;
    c->shut_when_sent = true;
    run(&b, NS_S);
    struct conn *a = &b.host[1].conn[0];
    assert_true(a->eof && !a->closed && !c->eof && !c->closed);
    expect_payload(a, 1000);
    a->to_send = 200000; /* the other direction is still open */
    a->shut_when_sent = true;
    conn_write(&b.host[1], a);
    run(&b, 5 * NS_S);
    expect_payload(c, 200000);
    assert_true(c->eof && c->closed && c->err == 0);
    assert_true(a->closed && a->err == 0);
    bench_close(&b);
}

/* What is written is sent at once, in segments of its own. */
static void two_writes(const struct net_ops *ops)
{
    struct bench b;
    bench_open(&b, ops, &line, &plain);
    listen_on(&b.host[1], "10.0.0.2:80");
    struct conn *c = connect_from(&b.host[0], NULL, "10.0.0.2:80");
    run(&b, NS_S);
    c->to_send = 100;
    conn_write(&b.host[0], c);
    c->to_send = 150;
    conn_write(&b.host[0], c);
    run(&b, 2 * NS_S);
    expect_payload(&b.host[1].conn[0], 150);
    assert_int_equal(b.data_frames, 2 * 2);
    c->to_send = 200;
    conn_write(&b.host[0], c);
    run(&b, 2 * NS_S + 5 * NS_MS);
    ops->tcp_shutdown(b.net, b.host[1].conn[0].sock); /* this FIN is also the ACK */
    run(&b, 4 * NS_S);
    assert_int_equal(b.data_frames, 3 * 2);
    bench_close(&b);
}

/* Close delivers what was sent, and no event follows; abort resets. */
static void close_and_abort(const struct net_ops *ops)
{
    struct bench b;
    bench_open(&b, ops, &line, &plain);
    listen_on(&b.host[1], "10.0.0.2:80");
    struct conn *c = connect_from(&b.host[0], NULL, "10.0.0.2:80");
    struct conn *d = connect_from(&b.host[0], NULL, "10.0.0.2:80");
    run(&b, NS_S);
    c->to_send = 50000;
    conn_write(&b.host[0], c);
    assert_int_equal(c->sent, 50000);
    ops->sock_close(b.net, c->sock);
    c->sock = 0;
    ops->tcp_abort(b.net, d->sock);
    d->sock = 0;
    run(&b, 2 * NS_S);
    struct conn *a = &b.host[1].conn[0], *e = &b.host[1].conn[1];
    expect_payload(a, 50000);
    assert_true(a->eof && !a->closed);
    assert_true(e->closed && e->err == E_RESET);
    ops->sock_close(b.net, a->sock);
    a->sock = 0;
    run(&b, 3 * NS_S);

    /* To a peer that has closed: it says so. */
    struct conn *f = connect_from(&b.host[0], NULL, "10.0.0.2:80");
    run(&b, 4 * NS_S);
    ops->sock_close(b.net, b.host[1].conn[2].sock);
    b.host[1].conn[2].sock = 0;
    run(&b, 5 * NS_S);
    assert_true(f->eof && !f->closed);
    f->to_send = 10;
    conn_write(&b.host[0], f);
    run(&b, 6 * NS_S);
    assert_true(f->closed && f->err == E_RESET);
    bench_close(&b);
}

/* A reader that does not read holds the writer back; when it reads again all comes. */
static void back_pressure(const struct net_ops *ops)
{
    struct bench b;
    struct net_tcp_opts small = {.send_buffer = 32 * 1024, .receive_buffer = 16 * 1024};
    bench_open(&b, ops, &line, &small);
    b.host[1].as_accepted.paused = true;
    listen_on(&b.host[1], "10.0.0.2:80");
    struct conn *c = connect_from(&b.host[0], NULL, "10.0.0.2:80");
    c->to_send = MIB;
    run(&b, 30 * NS_S);
    struct conn *a = &b.host[1].conn[0];
    assert_int_equal(a->received, 0);
    assert_in_range(c->sent, 32 * 1024, 48 * 1024);
    a->paused = false;
    uint64_t from = ops->now(b.net);
    conn_read(&b.host[1], a);
    run(&b, from + 5 * NS_S);
    expect_payload(a, MIB);
    bench_close(&b);
}

/* RFC 6062: a relay connects to peers from the port on which it listens for peers. */
static void listening_port(const struct net_ops *ops)
{
    struct bench b;
    bench_open(&b, ops, &line, &plain);
    listen_on(&b.host[0], "10.0.0.1:24000");
    listen_on(&b.host[1], "10.0.0.2:80");
    struct conn *c = connect_from(&b.host[0], "10.0.0.1:24000", "10.0.0.2:80");
    struct conn *p = connect_from(&b.host[2], NULL, "10.0.0.1:24000");
    c->to_send = p->to_send = 10000;
    run(&b, NS_S);
    assert_int_equal(c->local.port, 24000);
    assert_int_equal(b.host[1].conn[0].remote.port, 24000);
    expect_payload(&b.host[1].conn[0], 10000);
    assert_true(p->connected && b.host[0].conn[1].accepted);
    expect_payload(&b.host[0].conn[1], 10000);
    net_sock s;
    struct endpoint at = kit_endpoint("10.0.0.1:24000"), to = kit_endpoint("10.0.0.2:80");
    assert_int_equal(ops->tcp_listen(b.net, b.host[0].node, &at, &s), E_EXISTS);
    assert_int_equal(ops->tcp_connect(b.net, b.host[0].node, &at, &to, &s), E_EXISTS);
    bench_close(&b);
}

/* To itself, and to "any" of both families. */
static void own_host(const struct net_ops *ops)
{
    struct bench b;
    bench_open(&b, ops, &line, &plain);
    net_sock s;
    struct endpoint any = {.port = 80};
    assert_int_equal(ops->tcp_listen(b.net, b.host[0].node, &any, &s), 0);
    struct conn *c = connect_from(&b.host[0], NULL, "10.0.0.1:80");
    struct conn *d = connect_from(&b.host[1], NULL, "[2001:db8::1]:80");
    c->to_send = d->to_send = 70000;
    run(&b, NS_S);
    assert_true(c->connected && d->connected);
    assert_int_equal(b.host[0].conn_count, 3);
    expect_payload(&b.host[0].conn[1], 70000);
    expect_payload(&b.host[0].conn[2], 70000);
    bench_close(&b);
}

/* Both ends connect to each other at the same time: one connection, RFC 9293 3.5. */
static void simultaneous_open(const struct net_ops *ops)
{
    struct bench b;
    bench_open(&b, ops, &line, &plain);
    struct conn *c = connect_from(&b.host[0], "10.0.0.1:5000", "10.0.0.2:5000");
    struct conn *d = connect_from(&b.host[1], "10.0.0.2:5000", "10.0.0.1:5000");
    c->to_send = d->to_send = 20000;
    run(&b, 5 * NS_S);
    assert_true(c->connected && d->connected);
    expect_payload(c, 20000);
    expect_payload(d, 20000);
    bench_close(&b);
}

/* The box as a port forwarder: 10.0.0.2:8080 leads to port 80. */
static int forward_port(struct bench *b, struct wire_packet *p)
{
    if (p->proto == PROTO_TCP && p->dport == 8080) {
        struct endpoint to = {p->dst, 80};
        wire_set_dst(p, &to);
        b->meddled++;
    } else if (p->proto == PROTO_TCP && p->sport == 80) {
        struct endpoint from = {p->src, 8080};
        wire_set_src(p, &from);
    }
    return 0;
}

static void box_rewrites(const struct net_ops *ops)
{
    struct bench b;
    bench_open(&b, ops, &line, &plain);
    b.meddle = forward_port;
    listen_on(&b.host[1], "10.0.0.2:80");
    struct conn *c = connect_from(&b.host[0], NULL, "10.0.0.2:8080");
    c->to_send = 100000;
    run(&b, NS_S);
    assert_int_equal(b.host[1].conn_count, 1);
    assert_int_equal(b.host[1].conn[0].local.port, 80);
    expect_payload(&b.host[1].conn[0], 100000);
    assert_true(b.meddled > 50);
    bench_close(&b);
}

/* The box answers a SYN itself, as a firewall that rejects. */
static int reject(struct bench *b, struct wire_packet *p)
{
    enum { UNREACHABLE4 = 3, UNREACHABLE6 = 1, HOST = 1, ADDRESS6 = 3 };
    uint8_t out[256];
    struct ip_addr from = kit_ip(p->family == IP_V4 ? "10.0.0.254" : "2001:db8::fe");
    long n = wire_icmp_error(p, &from, p->family == IP_V4 ? UNREACHABLE4 : UNREACHABLE6,
                             p->family == IP_V4 ? HOST : ADDRESS6, 0, out, sizeof out);
    assert_true(n > 0);
    memcpy(out, b->mac[0], 6);
    b->ops->box_send(b->net, b->box, 0, out, (size_t)n);
    return NET_DROP;
}

static void box_rejects(const struct net_ops *ops)
{
    struct bench b;
    bench_open(&b, ops, &line, &plain);
    b.meddle = reject;
    struct conn *c = connect_from(&b.host[0], NULL, "10.0.0.2:80");
    struct conn *c6 = connect_from(&b.host[0], NULL, "[2001:db8::2]:80");
    run(&b, NS_S);
    assert_true(c->failed && c->err == E_UNREACHABLE);
    assert_true(c6->failed && c6->err == E_UNREACHABLE);
    bench_close(&b);
}

struct tick {
    struct bench *bench;
    int *order, number;
    uint64_t at_ns;
};

static void on_tick(void *ctx)
{
    struct tick *t = ctx;
    *t->order = *t->order * 10 + t->number;
    t->at_ns = t->bench->ops->now(t->bench->net);
    if (t->number == 3)
        t->bench->ops->stop(t->bench->net);
}

static void timers(const struct net_ops *ops)
{
    struct bench b;
    bench_open(&b, ops, &line, &plain);
    int order = 0;
    struct tick t[5];
    for (int i = 0; i < 5; i++)
        t[i] = (struct tick){&b, &order, i + 1, 0};
    ops->timer_set(b.net, 20, on_tick, &t[1]);
    ops->timer_set(b.net, 10, on_tick, &t[0]);
    net_timer gone = ops->timer_set(b.net, 15, on_tick, &t[4]);
    ops->timer_set(b.net, 20, on_tick, &t[2]);
    ops->timer_set(b.net, 20, on_tick, &t[3]);
    ops->timer_cancel(b.net, gone);
    run(&b, 10);
    assert_int_equal(order, 1); /* what is due when the time has come happens */
    run(&b, 100);
    assert_int_equal(order, 123); /* stopped */
    assert_int_equal(t[2].at_ns, 20);
    run(&b, 100);
    assert_int_equal(order, 1234);
    ops->timer_cancel(b.net, gone);
    bench_close(&b);
}

static void traced_run(const struct net_ops *ops, uint8_t digest[HASH_SHA256])
{
    struct net_link_dir lossy = line;
    lossy.loss = (struct net_loss){.kind = LOSS_BERNOULLI, .loss_ppm = 20000};
    struct bench b;
    bench_open(&b, ops, &lossy, &plain);
    b.host[1].as_accepted = (struct conn){.to_send = 100000, .shut_when_sent = true};
    listen_on(&b.host[1], "10.0.0.2:80");
    connect_from(&b.host[0], NULL, "10.0.0.2:80")->to_send = 50000;
    connect_from(&b.host[2], NULL, "10.0.0.2:80")->to_send = 50000;
    run(&b, 60 * NS_S);
    expect_payload(&b.host[0].conn[0], 100000);
    assert_true(b.dropped > 0);
    sha256_end(&b.trace, digest);
    bench_close(&b);
}

/* Two worlds one after the other, the same seed: the same frames at the same times. */
static void deterministic(const struct net_ops *ops)
{
    uint8_t first[HASH_SHA256], second[HASH_SHA256];
    traced_run(ops, first);
    traced_run(ops, second);
    assert_memory_equal(first, second, sizeof first);
}

int main(void)
{
    static const struct check checks[] = {
        CHECK_SOCKETS(udp_echo), CHECK_SOCKETS(transfer_v4), CHECK_SOCKETS(transfer_v6), CHECK(transfer_lossy),
        CHECK(small_mtu), CHECK_SOCKETS(time_wait), CHECK_SOCKETS(refused), CHECK(black_hole),
        CHECK_SOCKETS(half_close), CHECK(two_writes), CHECK_SOCKETS(close_and_abort), CHECK_SOCKETS(back_pressure),
        CHECK_SOCKETS(listening_port), CHECK_SOCKETS(own_host), CHECK_SOCKETS(simultaneous_open),
        CHECK(box_rewrites), CHECK(box_rejects), CHECK_SOCKETS(timers), CHECK(deterministic),
    };
    return run_checks(checks, sizeof checks / sizeof *checks);
}
