/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The native engine's TCP held against ns-3's on the same link: one bulk transfer for 20 simulated seconds, goodput
 * as the receiver sees it, over the grid of loss and round-trip time that the share is tested on. Both stacks: Reno
 * with SACK, initial window 10, 200 ms least RTO, the same buffers; the same packets are lost only while both send
 * the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/time.h"
#include "models/testkit/testkit.h"
#include "sim/net.h"

enum { PORT = 5001, BUFFER = 1 << 20 };
#define DURATION (20 * NS_S)

struct flow {
    struct net *net;
    net_sock sender;
    uint64_t received;
};

static const uint8_t block[64 * 1024];

static void send_more(struct flow *f)
{
    while (f->net->ops->tcp_send(f->net, f->sender, block, sizeof block) > 0)
        continue;
}

static void sender_event(void *ctx, const struct net_event *ev)
{
    if (ev->kind == NET_CONNECTED || ev->kind == NET_WRITABLE)
        send_more(ctx);
}

static void receiver_event(void *ctx, const struct net_event *ev)
{
    struct flow *f = ctx;
    static uint8_t buf[64 * 1024];
    bool eof;
    if (ev->kind == NET_READABLE)
        for (size_t n; (n = f->net->ops->tcp_recv(f->net, ev->sock, buf, sizeof buf, &eof)) > 0;)
            f->received += n;
}

static net_node add_host(struct net *n, const char *name, net_handler *handler, const char *address, uint8_t last,
                         struct flow *f)
{
    struct ip_prefix p = {.ip = kit_ip(address), .len = 24};
    net_node node = n->ops->node_add(n, &(struct net_node_spec){
        .name = name, .kind = NET_HOST, .handler = handler, .ctx = f,
        .tcp = {.send_buffer = BUFFER, .receive_buffer = BUFFER}});
    n->ops->iface_add(n, &(struct net_iface_spec){
        .node = node, .name = "eth0", .mac = {2, 0, 0, 0, 0, last}, .prefix = &p, .prefix_count = 1});
    return node;
}

/* Bytes per second. */
static double goodput(const struct net_ops *ops, unsigned rtt_ms, unsigned loss_ppm, uint64_t seed)
{
    struct net *n = ops->create(seed);
    struct flow f = {.net = n};
    net_node a = add_host(n, "a", sender_event, "10.0.0.1", 1, &f);
    net_node b = add_host(n, "b", receiver_event, "10.0.0.2", 2, &f);
    struct net_link_dir dir = {
        .rate_bps = 20000000, .delay_ns = rtt_ms * NS_MS / 2, .queue_bytes = 256 * 1024};
    struct net_link_spec link = {.name = "wire", .a = {a, 0}, .b = {b, 0}, .ab = dir, .ba = dir};
    link.ab.loss = (struct net_loss){.kind = loss_ppm ? LOSS_BERNOULLI : LOSS_NONE, .loss_ppm = loss_ppm};
    n->ops->link_add(n, &link);

    struct endpoint any = {.ip = {.family = IP_V4}}, at = {.ip = {.family = IP_V4}, .port = PORT};
    struct endpoint to = kit_endpoint("10.0.0.2:5001");
    net_sock listener;
    assert_int_equal(ops->tcp_listen(n, b, &at, &listener), 0);
    assert_int_equal(ops->tcp_connect(n, a, &any, &to, &f.sender), 0);
    ops->run(n, DURATION);
    ops->destroy(n);
    return (double)f.received / ((double)DURATION / (double)NS_S);
}

/* Where little gets through in a run, more runs. */
static double mean_goodput(const struct net_ops *ops, unsigned rtt_ms, unsigned loss_ppm)
{
    uint64_t runs = loss_ppm == 0 ? 1 : rtt_ms <= 10 ? 3 : rtt_ms <= 50 ? 10 : 30;
    double sum = 0;
    for (uint64_t seed = 1; seed <= runs; seed++)
        sum += goodput(ops, rtt_ms, loss_ppm, seed);
    return sum / (double)runs;
}

static void native_keeps_pace_with_ns3(void **state)
{
    (void)state;
    const char *why;
    const struct net_ops *ns3 = net_ns3_load(&why);
    if (!ns3) {
        print_message("# ns-3 is not there: %s\n", why);
        skip();
    }
    static const unsigned rtt_ms[] = {10, 50, 200}, loss_ppm[] = {0, 1000, 10000, 30000, 50000};
    printf("#: mean goodput in kB/s, 20 Mbit/s link, %d KiB buffers\n", BUFFER / 1024);
    printf("#: %8s %8s %10s %10s %8s\n", "RTT ms", "loss %", "native", "ns-3", "ratio");
    unsigned outside = 0;
    for (size_t r = 0; r < sizeof rtt_ms / sizeof *rtt_ms; r++)
        for (size_t l = 0; l < sizeof loss_ppm / sizeof *loss_ppm; l++) {
            double a = mean_goodput(&net_native, rtt_ms[r], loss_ppm[l]), b = mean_goodput(ns3, rtt_ms[r], loss_ppm[l]);
            double ratio = a / b, slack = loss_ppm[l] ? 1.6 : 1.05;
            printf("#: %8u %8.1f %10.1f %10.1f %8.2f\n", rtt_ms[r], loss_ppm[l] / 1e4, a / 1e3, b / 1e3, ratio);
            outside += ratio > slack || ratio < 1 / slack;
        }
    assert_int_equal(outside, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(native_keeps_pace_with_ns3)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
