/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <string.h>

#include "models/base/err.h"
#include "sim/native/engine.h"

bool udp_input(struct node *host, const struct wire_packet *k)
{
    struct endpoint local = {k->dst, k->dport};
    struct sock *s = sock_find_bound(host, SOCK_UDP, &local);
    if (!s)
        return false;
    struct net_event ev = {.kind = NET_DATAGRAM, .local = local, .remote = {k->src, k->sport},
                           .data = k->frame + k->payload, .len = k->payload_len};
    sock_tell(s, &ev);
    return true;
}

void udp_icmp(struct node *host, const struct wire_packet *quoted, unsigned type, unsigned code, uint32_t mtu)
{
    struct endpoint local = {quoted->src, quoted->sport};
    struct sock *s = sock_find_bound(host, SOCK_UDP, &local);
    if (!s)
        return;
    struct net_event ev = {.kind = NET_ICMP, .local = local, .remote = {quoted->dst, quoted->dport},
                           .icmp_type = (uint8_t)type, .icmp_code = (uint8_t)code, .icmp_mtu = mtu};
    sock_tell(s, &ev);
}

int udp_open(struct net *n, net_node id, const struct endpoint *local, net_sock *out)
{
    struct world *w = world_of(n);
    struct node *host = world_node(w, id);
    if (!ip_is_any(&local->ip) && !ip_is_own(host, &local->ip))
        return E_UNREACHABLE;
    struct endpoint at = *local;
    if (at.port == 0 && (at.port = sock_next_port(host, &at.ip, NULL)) == 0)
        return E_NOMEM;
    if (sock_find_bound(host, SOCK_UDP, &at))
        return E_EXISTS;
    struct sock *s = sock_new(host, SOCK_UDP);
    if (!s)
        return E_NOMEM;
    s->local = at;
    if (sock_insert(s) != 0 || sock_give_id(w, s) != 0) {
        sock_kill(w, s);
        return E_NOMEM;
    }
    *out = s->id;
    return 0;
}

int udp_send(struct net *n, net_sock id, const struct endpoint *to, const void *data, size_t len)
{
    struct world *w = world_of(n);
    struct sock *s = sock_of(w, id);
    assert(s->kind == SOCK_UDP);
    struct ip_addr src = s->local.ip;
    struct path path;
    int e = ip_path(w, s->host, &to->ip, &src, &path);
    if (e)
        return e;
    size_t room = ip_room(&src);
    if (len > UINT16_MAX - WIRE_IP4 - WIRE_UDP)
        return E_SPACE;
    struct packet *p = packet_new(w, room + WIRE_UDP + len);
    if (!p)
        return E_NOMEM;
    wire_put_udp(p->frame + room, s->local.port, to->port, len);
    if (len)
        memcpy(p->frame + room + WIRE_UDP, data, len);
    ip_send(w, s->host, &path, &src, &to->ip, PROTO_UDP, p);
    return 0;
}
