/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/native/testnet_kit.h"

#include <string.h>

static void user_fill(struct user *u)
{
    while (u->sent < u->to_send) {
        uint8_t buf[3000];
        size_t n = u->to_send - u->sent < sizeof buf ? (size_t)(u->to_send - u->sent) : sizeof buf;
        for (size_t i = 0; i < n; i++)
            buf[i] = pattern(u->sent + i);
        size_t took = u->net->ops->tcp_send(u->net, u->sock, buf, n);
        u->sent += took;
        if (took < n)
            return;
    }
    if (u->shut_after)
        u->net->ops->tcp_shutdown(u->net, u->sock);
    u->shut_after = false;
}

void user_drain(struct user *u)
{
    uint8_t buf[5000];
    size_t n;
    while ((n = u->net->ops->tcp_recv(u->net, u->sock, buf, sizeof buf, &u->eof)) > 0)
        for (size_t i = 0; i < n; i++)
            u->wrong += buf[i] != pattern(u->received++);
    if (u->eof && u->close_at_eof) {
        u->close_at_eof = false;
        u->net->ops->sock_close(u->net, u->sock);
    }
}

static void user_event(void *ctx, const struct net_event *ev)
{
    struct user *u = ctx;
    u->count[ev->kind]++;
    u->at_ns = u->net->ops->now(u->net);
    switch (ev->kind) {
    case NET_CONNECTED:
    case NET_ACCEPTED:
        u->sock = ev->kind == NET_ACCEPTED ? ev->accepted : ev->sock;
        u->local = ev->local;
        u->remote = ev->remote;
        user_fill(u);
        break;
    case NET_READABLE:
        if (!u->hold)
            user_drain(u);
        break;
    case NET_WRITABLE:
        user_fill(u);
        break;
    case NET_FAILED:
    case NET_CLOSED:
        u->err = ev->err;
        break;
    case NET_DATAGRAM:
        u->datagram_bytes += ev->len;
        u->remote = ev->remote;
        u->local = ev->local;
        for (size_t i = 0; i < ev->len; i++)
            u->wrong += ev->data[i] != pattern(i);
        break;
    case NET_ICMP:
        u->remote = ev->remote;
        u->icmp = (uint32_t)(ev->icmp_type << 8 | ev->icmp_code) << 16 | ev->icmp_mtu;
        break;
    }
}

int testnet_box(void *ctx, unsigned port, uint8_t *frame, size_t len)
{
    struct testnet *t = ctx;
    struct wire_packet p;
    if (wire_parse(frame, len, &p) != 0 || !t->net->ops->neighbour(t->net, &p.dst, frame))
        return NET_DROP;
    if (t->narrow && len - WIRE_ETH > t->narrow && p.dont_fragment) {
        uint8_t out[1400];
        struct ip_addr me = kit_ip(p.family == IP_V4 ? "10.0.1.254" : "2001:db8:1::fe");
        bool v4 = p.family == IP_V4;
        long n = wire_icmp_error(&p, &me, v4 ? 3 : 2, v4 ? 4 : 0, t->narrow, out, sizeof out);
        if (n > 0)
            t->net->ops->box_send(t->net, t->box, port, out, (size_t)n);
        return NET_DROP;
    }
    return !port;
}

static void testnet_tap(void *ctx, uint64_t now_ns, const struct net_tap *tap)
{
    struct testnet *t = ctx;
    uint64_t h = (t->hash ^ now_ns) * UINT64_C(0x100000001b3) + (unsigned)tap->kind;
    for (size_t i = 0; i < tap->len; i++)
        h = (h ^ tap->frame[i]) * UINT64_C(0x100000001b3);
    t->hash = h;
    t->sent += tap->kind == TAP_SENT;
    t->delivered += tap->kind == TAP_DELIVERED;
    t->dropped += tap->kind == TAP_DROPPED;
    if (tap->kind == TAP_DROPPED)
        strncpy(t->last_drop, tap->reason, sizeof t->last_drop - 1);
}

void testnet_host(struct testnet *t, struct user *u, const char *name, const char *v4, const char *v6,
                  uint8_t mac, const struct net_tcp_opts *tcp, const struct net_link_dir *ab,
                  const struct net_link_dir *ba)
{
    const struct net_ops *ops = t->net->ops;
    struct net_node_spec spec = {.name = name, .kind = NET_HOST, .handler = user_event, .ctx = u};
    if (tcp)
        spec.tcp = *tcp;
    u->net = t->net;
    u->node = ops->node_add(t->net, &spec);
    struct ip_prefix prefix[2], gateway[2];
    assert_int_equal(prefix_parse(v4, &prefix[0]), 0);
    assert_int_equal(prefix_parse(v6, &prefix[1]), 0);
    struct net_iface_spec iface = {.node = u->node, .name = "eth0", .mac = {2, 0, 0, 0, 0, mac}, .prefix = prefix,
                                   .prefix_count = 2};
    ops->iface_add(t->net, &iface);
    /* The router's ends are .254 and ::fe of each network. */
    for (size_t i = 0; i < 2; i++) {
        gateway[i] = prefix[i];
        gateway[i].ip.b[i ? 15 : 3] = 0xfe;
    }
    struct net_iface_spec end = {.node = t->box, .name = name, .mac = {2, 0, 0, 0, 1, mac}, .prefix = gateway,
                                 .prefix_count = 2};
    unsigned port = ops->iface_add(t->net, &end);
    static const struct ip_addr any[2] = {{.family = IP_V4}, {.family = IP_V6}};
    for (size_t i = 0; i < 2; i++) {
        struct net_route r = {.node = u->node, .to = {.ip = any[i]}, .gateway = gateway[i].ip};
        ops->route_add(t->net, &r);
    }
    struct net_link_spec link = {.name = name, .a = {u->node, 0}, .b = {t->box, port}, .ab = *ab, .ba = *ba};
    ops->link_add(t->net, &link);
}

void testnet_open(struct testnet *t, uint64_t seed, const struct net_link_dir *ab, const struct net_link_dir *ba,
                  const struct net_tcp_opts *tcp)
{
    static const struct net_link_dir ideal;
    *t = (struct testnet){.net = net_native.create(seed)};
    const struct net_ops *ops = t->net->ops;
    struct net_node_spec box = {.name = "router", .kind = NET_BOX, .box = testnet_box, .ctx = t};
    t->box = ops->node_add(t->net, &box);
    testnet_host(t, &t->a, "a", "10.0.1.1/24", "2001:db8:1::1/64", 1, tcp, ab ? ab : &ideal, ba ? ba : &ideal);
    testnet_host(t, &t->b, "b", "10.0.2.1/24", "2001:db8:2::1/64", 2, tcp, &ideal, &ideal);
    ops->tap_set(t->net, testnet_tap, t);
}

void testnet_close(struct testnet *t)
{
    t->net->ops->destroy(t->net);
}

int user_listen(struct user *u, const char *at)
{
    struct endpoint e = kit_endpoint(at);
    return u->net->ops->tcp_listen(u->net, u->node, &e, &u->listener);
}

int user_connect(struct user *u, const char *from, const char *to)
{
    struct endpoint e = kit_endpoint(to), local = {0};
    if (from)
        local = kit_endpoint(from);
    return u->net->ops->tcp_connect(u->net, u->node, &local, &e, &u->sock);
}

void testnet_run(struct testnet *t, uint64_t until_ns)
{
    t->net->ops->run(t->net, until_ns);
}
