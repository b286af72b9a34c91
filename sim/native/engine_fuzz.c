/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames of any content to a host that listens, connects and has a UDP socket: it must stand, and at the end
 * nothing may be left over. Input: for each frame a byte of kind, two of length, the bytes; a kind asks for
 * headers that reach the host's sockets, and for checksums that are right. */
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/time.h"
#include "models/wire/wire.h"
#include "sim/net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FRAME_MAX = 1514 };

struct host {
    struct net *net;
    net_node box;
};

static void host_event(void *ctx, const struct net_event *ev)
{
    struct host *h = ctx;
    const struct net_ops *ops = h->net->ops;
    uint8_t buf[700];
    bool eof = false;
    if (ev->kind == NET_ACCEPTED || ev->kind == NET_CONNECTED)
        ops->tcp_send(h->net, ev->kind == NET_ACCEPTED ? ev->accepted : ev->sock, buf, sizeof buf);
    if (ev->kind != NET_READABLE)
        return;
    while (ops->tcp_recv(h->net, ev->sock, buf, sizeof buf, &eof) > 0)
        ;
    if (eof)
        ops->sock_close(h->net, ev->sock);
}

static int box_frame(void *ctx, unsigned port, uint8_t *frame, size_t len)
{
    (void)ctx, (void)port, (void)frame, (void)len;
    return NET_DROP;
}

static void build(struct host *h)
{
    const struct net_ops *ops = h->net->ops;
    struct ip_prefix at[2] = {{ip_v4(0x0a000001), 24}, {{.family = IP_V6, .b = {0xfd, [15] = 1}}, 64}};
    struct ip_prefix peer[2] = {{ip_v4(0x0a000002), 24}, {{.family = IP_V6, .b = {0xfd, [15] = 2}}, 64}};
    struct net_node_spec host = {.name = "h", .kind = NET_HOST, .handler = host_event, .ctx = h};
    struct net_node_spec box = {.name = "b", .kind = NET_BOX, .box = box_frame, .ctx = h};
    net_node node = ops->node_add(h->net, &host);
    h->box = ops->node_add(h->net, &box);
    struct net_iface_spec i = {.node = node, .name = "eth0", .mac = {2, 1}, .prefix = at, .prefix_count = 2};
    struct net_iface_spec o = {.node = h->box, .name = "p", .mac = {2, 2}, .prefix = peer, .prefix_count = 2};
    ops->iface_add(h->net, &i);
    ops->iface_add(h->net, &o);
    struct net_link_spec link = {.name = "l", .a = {node, 0}, .b = {h->box, 0}};
    ops->link_add(h->net, &link);
    net_sock s;
    struct endpoint any = {.port = 80}, udp = {.port = 53}, from = {.port = 1000};
    struct endpoint to[2] = {{peer[0].ip, 2000}, {peer[1].ip, 2000}};
    ops->tcp_listen(h->net, node, &any, &s);
    ops->udp_open(h->net, node, &udp, &s);
    ops->tcp_connect(h->net, node, &from, &to[0], &s);
    ops->tcp_connect(h->net, node, &from, &to[1], &s);
}

/* Headers by the low bits of kind: none; IPv4 or IPv6 to the host; with ports of one of its sockets. */
static size_t frame_of(unsigned kind, const uint8_t *data, size_t len, uint8_t frame[FRAME_MAX])
{
    static const uint8_t protos[4] = {PROTO_TCP, PROTO_UDP, PROTO_ICMP, PROTO_ICMP6};
    static const uint16_t ports[4][2] = {{2000, 1000}, {7, 80}, {7, 53}, {9, 9}};
    size_t n = 0;
    if (kind & 1) {
        struct ip_addr src[2] = {ip_v4(0x0a000002), {.family = IP_V6, .b = {0xfd, [15] = 2}}};
        struct ip_addr dst[2] = {ip_v4(0x0a000001), {.family = IP_V6, .b = {0xfd, [15] = 1}}};
        static const uint8_t mac[6] = {2, 1};
        unsigned six = kind >> 1 & 1;
        n = wire_put_eth(frame, mac, mac, six ? ETHERTYPE_IP6 : ETHERTYPE_IP4);
        n += wire_put_ip(frame + n, &src[six], &dst[six], protos[kind >> 2 & 3], 64, 0, len);
    }
    memcpy(frame + n, data, len);
    if (kind & 1 && len >= 4 && kind & 64) {
        store16(frame + n, ports[kind >> 4 & 3][0]);
        store16(frame + n + 2, ports[kind >> 4 & 3][1]);
    }
    if (kind & 128)
        wire_seal(frame, n + len);
    return n + len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct host h = {.net = net_native.create(1)};
    if (!h.net)
        return 0;
    build(&h);
    uint64_t now_ns = 0;
    while (size > 3) {
        unsigned kind = data[0];
        size_t len = load16(data + 1);
        data += 3;
        size -= 3;
        len = len < size ? len : size;
        len = len < FRAME_MAX - 60 ? len : FRAME_MAX - 60;
        uint8_t frame[FRAME_MAX];
        size_t n = frame_of(kind, data, len, frame);
        net_native.box_send(h.net, h.box, 0, frame, n);
        net_native.run(h.net, now_ns += NS_MS);
        data += len;
        size -= len;
    }
    net_native.run(h.net, now_ns + 1000 * NS_S);
    net_native.destroy(h.net);
    return 0;
}
