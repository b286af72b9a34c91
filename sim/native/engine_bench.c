/* SPDX-License-Identifier: GPL-2.0-or-later */
/* engine_bench native|ns3 [FLOWS [SECONDS]]: TCP flows over a dumbbell (hosts - router - router - hosts),
 * each as fast as its share of the middle link lets it. Prints packet-hops per second of real time and the
 * most memory used. The same program for every engine: it knows only net.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "models/wire/wire.h"
#include "sim/net.h"

enum { FLOWS = 100, SECONDS = 10, FLOWS_MAX = 250 };

struct flow {
    struct net *net;
    net_sock sock;
    uint64_t received;
};

/* A router between its ports: port 0 leads to the other router, port i + 1 to host i. */
struct router {
    struct net *net;
    unsigned side;
};

static int router_frame(void *ctx, unsigned port, uint8_t *frame, size_t len)
{
    const struct router *r = ctx;
    struct wire_packet p;
    (void)port;
    if (wire_parse(frame, len, &p) != 0 || p.ttl < 2 || !r->net->ops->neighbour(r->net, &p.dst, frame))
        return NET_DROP;
    wire_lower_ttl(&p);
    /* 10.SIDE.HOST.1 */
    return p.dst.b[1] == r->side ? p.dst.b[2] + 1 : 0;
}

static void fill(struct flow *f)
{
    static const uint8_t zeros[16384];
    while (f->net->ops->tcp_send(f->net, f->sock, zeros, sizeof zeros) == sizeof zeros)
        ;
}

static void sender_event(void *ctx, const struct net_event *ev)
{
    if (ev->kind == NET_CONNECTED || ev->kind == NET_WRITABLE)
        fill(ctx);
}

static void receiver_event(void *ctx, const struct net_event *ev)
{
    static uint8_t buf[65536];
    struct flow *f = ctx;
    bool eof;
    if (ev->kind == NET_READABLE)
        for (size_t n; (n = f->net->ops->tcp_recv(f->net, ev->sock, buf, sizeof buf, &eof)) > 0; )
            f->received += n;
}

static struct ip_addr address(unsigned side, unsigned host, unsigned last)
{
    return ip_v4(10u << 24 | side << 16 | host << 8 | last);
}

static net_node add_host(struct net *n, net_node router, unsigned side, unsigned i, net_handler *handler, void *ctx)
{
    const struct net_ops *ops = n->ops;
    const uint8_t mac[6] = {2, 0, 0, (uint8_t)side, (uint8_t)i, 1};
    const uint8_t gateway_mac[6] = {2, 0, 0, (uint8_t)side, (uint8_t)i, 2};
    char *name = malloc(16);
    if (!name)
        abort();
    snprintf(name, 16, "h%u-%u", side, i);
    struct net_node_spec spec = {.name = name, .kind = NET_HOST, .handler = handler, .ctx = ctx};
    net_node host = ops->node_add(n, &spec);
    struct ip_prefix here = {address(side, i, 1), 24}, gateway = {address(side, i, 254), 24};
    struct net_iface_spec a = {.node = host, .name = "eth0", .prefix = &here, .prefix_count = 1};
    struct net_iface_spec b = {.node = router, .name = name, .prefix = &gateway, .prefix_count = 1};
    memcpy(a.mac, mac, sizeof mac);
    memcpy(b.mac, gateway_mac, sizeof mac);
    ops->iface_add(n, &a);
    unsigned port = ops->iface_add(n, &b);
    struct net_link_dir fast = {.rate_bps = 1000000000, .delay_ns = 1000000};
    struct net_link_spec link = {.name = name, .a = {host, 0}, .b = {router, port}, .ab = fast, .ba = fast};
    ops->link_add(n, &link);
    struct net_route r = {.node = host, .to = {.ip = {.family = IP_V4}}, .gateway = gateway.ip};
    ops->route_add(n, &r);
    return host;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int measure(const struct net_ops *ops, unsigned flows, unsigned duration_s)
{
    double start = seconds();
    struct net *n = ops->create(1);
    struct router router[2] = {{n, 1}, {n, 2}};
    struct flow *f = calloc(flows, 2 * sizeof *f);
    net_node node[2];
    if (!n || !f)
        return 2;
    for (unsigned i = 0; i < 2; i++) {
        struct net_node_spec spec = {.name = i ? "right" : "left", .kind = NET_BOX, .box = router_frame,
                                     .ctx = &router[i]};
        node[i] = ops->node_add(n, &spec);
        struct net_iface_spec iface = {.node = node[i], .name = "middle", .mac = {2, 0, 0, 0, 9, (uint8_t)i}};
        ops->iface_add(n, &iface);
    }
    struct net_link_dir middle = {.rate_bps = 1000000000, .delay_ns = 10000000, .queue_bytes = 2000000};
    struct net_link_spec link = {.name = "middle", .a = {node[0], 0}, .b = {node[1], 0}, .ab = middle, .ba = middle};
    ops->link_add(n, &link);
    for (unsigned i = 0; i < flows; i++) {
        struct flow *tx = &f[2 * i], *rx = &f[2 * i + 1];
        tx->net = rx->net = n;
        net_node from = add_host(n, node[0], 1, i, sender_event, tx);
        net_node to = add_host(n, node[1], 2, i, receiver_event, rx);
        struct endpoint local = {0}, server = {address(2, i, 1), 80};
        net_sock listener;
        if (ops->tcp_listen(n, to, &server, &listener) != 0 ||
            ops->tcp_connect(n, from, &local, &server, &tx->sock) != 0)
            return 2;
    }
    double built = seconds();
    ops->run(n, duration_s * UINT64_C(1000000000));
    double ran = seconds();
    struct net_stats stats;
    struct rusage usage;
    ops->stats(n, &stats);
    getrusage(RUSAGE_SELF, &usage);
    uint64_t bytes = 0;
    for (unsigned i = 0; i < flows; i++)
        bytes += f[2 * i + 1].received;
    printf("engine=%s flows=%u simulated_s=%u wall_s=%.3f build_ms=%.2f packet_hops=%llu events=%llu hops_per_s=%.0f "
           "goodput_mbps=%.1f peak_kb=%ld\n",
           ops->name, flows, duration_s, ran - built, (built - start) * 1e3, (unsigned long long)stats.packet_hops,
           (unsigned long long)stats.events, (double)stats.packet_hops / (ran - built),
           (double)bytes * 8 / duration_s / 1e6, usage.ru_maxrss);
    return 0;
}

int main(int argc, char **argv)
{
    const char *engine = argc > 1 ? argv[1] : "native", *why = "";
    unsigned flows = argc > 2 ? (unsigned)atoi(argv[2]) : FLOWS;
    unsigned duration_s = argc > 3 ? (unsigned)atoi(argv[3]) : SECONDS;
    bool ns3 = strcmp(engine, "ns3") == 0;
    if ((!ns3 && strcmp(engine, "native") != 0) || flows < 1 || flows > FLOWS_MAX || duration_s < 1) {
        fprintf(stderr, "usage: engine_bench native|ns3 [FLOWS 1..%d [SECONDS]]\n", FLOWS_MAX);
        return 2;
    }
    const struct net_ops *ops = ns3 ? net_ns3_load(&why) : &net_native;
    if (!ops) {
        printf("engine=ns3 not installed: %s\n", why);
        return 0;
    }
    return measure(ops, flows, duration_s);
}
