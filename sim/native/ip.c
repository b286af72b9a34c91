/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "sim/native/engine.h"

enum { TTL = 64, ANSWER_MAX = WIRE_ETH + 1280, MTU_LEAST_IP4 = 68, MTU_LEAST_IP6 = 1280 };
enum { ECHO_REPLY4 = 0, ECHO4 = 8, ECHO6 = 128, ECHO_REPLY6 = 129 };

size_t ip_room(const struct ip_addr *a)
{
    return WIRE_ETH + (a->family == IP_V4 ? WIRE_IP4 : WIRE_IP6);
}

bool ip_is_own(const struct node *host, const struct ip_addr *a)
{
    if (ip_is_loopback(a))
        return true;
    for (size_t i = 0; i < host->port_count; i++)
        for (size_t j = 0; j < host->port[i]->prefix_count; j++)
            if (ip_equal(&host->port[i]->prefix[j].ip, a))
                return true;
    return false;
}

/* ---- routing ---- */

/* The longest match among what is on link and the routes; of equals the first. */
static const struct port *next_hop(const struct node *host, const struct ip_addr *dst, struct ip_addr *hop)
{
    int best = -1;
    const struct port *found = NULL;
    for (size_t i = 0; i < host->port_count; i++) {
        const struct port *p = host->port[i];
        for (size_t j = 0; j < p->prefix_count; j++)
            if (p->prefix[j].len > best && ip_in_prefix(dst, &p->prefix[j])) {
                best = p->prefix[j].len;
                found = p;
                *hop = *dst;
            }
    }
    for (size_t i = 0; i < host->route_count; i++) {
        const struct route *r = &host->route[i];
        if (r->to.len > best && ip_in_prefix(dst, &r->to)) {
            best = r->to.len;
            found = host->port[r->port];
            *hop = r->gateway.family ? r->gateway : *dst;
        }
    }
    return found;
}

/* The address of the port that the next hop sees, else the port's first of the family. */
static bool choose_source(const struct port *p, const struct ip_addr *hop, struct ip_addr *src)
{
    const struct ip_addr *first = NULL;
    for (size_t j = 0; j < p->prefix_count; j++) {
        if (p->prefix[j].ip.family != hop->family)
            continue;
        first = first ? first : &p->prefix[j].ip;
        if (ip_in_prefix(hop, &p->prefix[j])) {
            *src = p->prefix[j].ip;
            return true;
        }
    }
    if (first)
        *src = *first;
    return first != NULL;
}

static int loop_path(struct world *w, struct node *host, const struct ip_addr *dst, struct ip_addr *src,
                     struct path *out)
{
    if (!host->loop) {
        struct net_end self = {.node = host->id};
        host->loop = channel_new(w, self, self);
        if (!host->loop)
            return E_UNREACHABLE;
        static const struct net_link_dir at_once;
        link_init(&host->loop->link, w->seed, host->name, "loop", &at_once, NET_MTU_DEFAULT);
        host->loop->loopback = true;
    }
    if (ip_is_any(src))
        *src = *dst;
    *out = (struct path){.out = host->loop, .mtu = NET_MTU_DEFAULT};
    return 0;
}

static struct path_mtu *path_mtu_of(const struct node *host, const struct ip_addr *dst)
{
    for (size_t i = 0; i < host->path_mtu_count; i++)
        if (ip_equal(&host->path_mtu[i].dst, dst))
            return &host->path_mtu[i];
    return NULL;
}

int ip_path(struct world *w, struct node *host, const struct ip_addr *dst, struct ip_addr *src, struct path *out)
{
    if (ip_is_any(dst) || ip_is_multicast(dst) || (src->family && src->family != dst->family) ||
        (!ip_is_any(src) && !ip_is_own(host, src)))
        return E_UNREACHABLE;
    if (ip_is_own(host, dst))
        return loop_path(w, host, dst, src, out);
    struct ip_addr hop;
    const struct port *p = next_hop(host, dst, &hop);
    if (!p || !p->out || !world_neighbour(w, &hop, out->dst_mac) || (ip_is_any(src) && !choose_source(p, &hop, src)))
        return E_UNREACHABLE;
    out->out = p->out;
    memcpy(out->src_mac, p->mac, sizeof p->mac);
    const struct path_mtu *m = path_mtu_of(host, dst);
    out->mtu = m && m->mtu < p->mtu ? m->mtu : p->mtu;
    return 0;
}

/* ---- output ---- */

static size_t put_eth(uint8_t *frame, const struct path *path, const struct ip_addr *a)
{
    return wire_put_eth(frame, path->dst_mac, path->src_mac, a->family == IP_V4 ? ETHERTYPE_IP4 : ETHERTYPE_IP6);
}

static void send_fragments(struct world *w, struct node *host, const struct path *path, const struct ip_addr *src,
                           const struct ip_addr *dst, unsigned proto, const uint8_t *data, size_t len)
{
    uint32_t id = host->next_ip_id++;
    size_t header = src->family == IP_V4 ? WIRE_IP4 : WIRE_IP6 + 8;
    size_t most = (path->mtu - header) / 8 * 8;
    for (size_t at = 0; at < len; at += most) {
        size_t n = len - at < most ? len - at : most;
        struct packet *f = packet_new(w, WIRE_ETH + header + n);
        if (!f)
            return;
        size_t h = put_eth(f->frame, path, src);
        h += wire_put_fragment(f->frame + h, src, dst, proto, TTL, id, (unsigned)at, at + n < len, n);
        memcpy(f->frame + h, data + at, n);
        channel_send(w, path->out, f);
    }
}

void ip_send(struct world *w, struct node *host, const struct path *path, const struct ip_addr *src,
             const struct ip_addr *dst, unsigned proto, struct packet *p)
{
    size_t room = ip_room(src), n = put_eth(p->frame, path, src);
    wire_put_ip(p->frame + n, src, dst, proto, TTL, (uint16_t)host->next_ip_id, p->len - room);
    wire_seal(p->frame, p->len);
    if (p->len - WIRE_ETH > path->mtu) {
        send_fragments(w, host, path, src, dst, proto, p->frame + room, p->len - room);
        packet_free(w, p);
        return;
    }
    host->next_ip_id++;
    channel_send(w, path->out, p);
}

/* ---- input ---- */

static void answer_echo(struct world *w, struct node *host, const struct wire_packet *k)
{
    struct ip_addr src = k->dst;
    struct path path;
    if (ip_path(w, host, &k->src, &src, &path) != 0)
        return;
    size_t room = ip_room(&src), len = k->payload + k->payload_len - k->l4;
    struct packet *p = packet_new(w, room + len);
    if (!p)
        return;
    memcpy(p->frame + room, k->frame + k->l4, len);
    p->frame[room] = k->family == IP_V4 ? ECHO_REPLY4 : ECHO_REPLY6;
    ip_send(w, host, &path, &src, &k->src, k->proto, p);
}

/* The packet's sender gets an ICMP error or a reset by the way that the packet came. */
static void refuse(struct world *w, struct channel *back, const struct wire_packet *k)
{
    struct packet *p = packet_new(w, ANSWER_MAX);
    if (!p || !back) {
        if (p)
            packet_free(w, p);
        return;
    }
    bool v4 = k->family == IP_V4;
    long n = k->proto == PROTO_TCP ? wire_tcp_reset(k, p->frame, p->len)
                                   : wire_icmp_error(k, &k->dst, v4 ? 3 : 1, v4 ? 3 : 4, 0, p->frame, p->len);
    if (n < 0) {
        packet_free(w, p);
        return;
    }
    p->len = (uint32_t)n;
    channel_send(w, back, p);
}

static bool learn_mtu(struct node *host, const struct ip_addr *dst, uint32_t mtu)
{
    if (mtu < (dst->family == IP_V4 ? MTU_LEAST_IP4 : MTU_LEAST_IP6) || mtu > UINT16_MAX)
        return false;
    struct path_mtu *m = path_mtu_of(host, dst);
    if (!m) {
        struct path_mtu *all = array_room(host->path_mtu, host->path_mtu_count, sizeof *all);
        if (!all)
            return false;
        host->path_mtu = all;
        m = &all[host->path_mtu_count++];
        *m = (struct path_mtu){.dst = *dst, .mtu = UINT16_MAX};
    }
    if (mtu < m->mtu)
        m->mtu = (uint16_t)mtu;
    return true;
}

/* RFC 1122 3.2.2.1, RFC 4443 3: what an ICMP error means to a transport; 0: nothing. */
static int error_of(const struct wire_packet *k, bool *too_big)
{
    unsigned type = k->sport, code = k->dport;
    bool v4 = k->family == IP_V4;
    *too_big = v4 ? type == 3 && code == 4 : type == 2;
    if (*too_big || type != (v4 ? 3 : 1))
        return 0;
    bool refused = v4 ? code == 2 || code == 3 : code == 4;
    return refused ? E_REFUSED : E_UNREACHABLE;
}

static void icmp_error_input(struct world *w, struct node *host, const struct wire_packet *k)
{
    struct wire_packet q;
    bool too_big;
    int err = error_of(k, &too_big);
    if (wire_parse_quoted(k, &q) != 0 || !q.l4 || !ip_is_own(host, &q.src))
        return;
    uint32_t mtu = too_big ? load32(k->frame + k->l4 + 4) & (k->family == IP_V4 ? 0xffff : UINT32_MAX) : 0;
    if (too_big && !learn_mtu(host, &q.dst, mtu))
        return;
    if (q.proto == PROTO_UDP)
        udp_icmp(host, &q, k->sport, k->dport, mtu);
    else if (q.proto == PROTO_TCP && (err || too_big))
        conn_error(w, host, &q, err, (uint16_t)mtu);
}

static void transport_input(struct world *w, struct node *host, struct channel *back, const struct wire_packet *k)
{
    if (!k->l4 || wire_check(k) != 0)
        return;
    switch (k->proto) {
    case PROTO_TCP:
        if (!conn_input(w, host, k))
            refuse(w, back, k);
        break;
    case PROTO_UDP:
        if (!udp_input(host, k))
            refuse(w, back, k);
        break;
    case PROTO_ICMP:
    case PROTO_ICMP6:
        if (k->sport == (k->family == IP_V4 ? ECHO4 : ECHO6))
            answer_echo(w, host, k);
        else if (wire_is_icmp_error(k))
            icmp_error_input(w, host, k);
        break;
    default:
        break;
    }
}

void ip_input(struct world *w, struct node *host, struct channel *back, struct packet *p)
{
    struct wire_packet k;
    if (wire_parse(p->frame, p->len, &k) != 0 || !ip_is_own(host, &k.dst))
        return; /* not for us: a switch flooded it */
    if (!k.fragment) {
        transport_input(w, host, back, &k);
        return;
    }
    size_t len;
    uint8_t *whole = reassembly_add(&host->fragments, &k, w->now_ns, &len);
    if (whole && wire_parse(whole, len, &k) == 0)
        transport_input(w, host, back, &k);
    free(whole);
}

void ip_host_free(struct world *w, struct node *host)
{
    for (size_t i = 0; i < host->bucket_count; i++)
        while (host->bucket[i])
            sock_kill(w, host->bucket[i]);
    free(host->bucket);
    free(host->route);
    free(host->path_mtu);
    reassembly_free(&host->fragments);
}
