/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/wire/wire.h"

/* RFC 1624 3, equation 3: HC' = ~(~HC + ~m + m'). delta is the sum of all ~m + m'. */
static void mend(uint8_t *checksum, uint32_t delta)
{
    store16(checksum, wire_sum_fold((uint16_t)~load16(checksum) + delta));
}

static uint32_t delta_of(const uint8_t *was, const uint8_t *is, size_t len)
{
    uint32_t delta = 0;
    for (size_t i = 0; i < len; i += 2)
        delta += (uint16_t)~load16(was + i) + (uint32_t)load16(is + i);
    return delta;
}

/* Where the transport's checksum stands; NULL: there is none, or a quotation ends before it. */
static uint8_t *transport_checksum(struct wire_packet *p)
{
    if (!p->l4)
        return NULL;
    size_t at = p->l4 + (p->proto == PROTO_TCP ? 16 : p->proto == PROTO_UDP ? 6 : 2);
    if (at + 2 > p->payload + p->payload_len)
        return NULL;
    if (p->proto == PROTO_UDP && p->family == IP_V4 && load16(p->frame + at) == 0)
        return NULL;
    return p->frame + at;
}

static bool has_ports(const struct wire_packet *p)
{
    return p->l4 && (p->proto == PROTO_TCP || p->proto == PROTO_UDP);
}

/* The address at offset `ip` of the IP header and the port (or echo identifier) at offset `port` of the
 * frame, 0: none. */
static void rewrite(struct wire_packet *p, size_t ip, size_t port, const struct endpoint *to)
{
    assert(to->ip.family == p->family);
    uint8_t *l3 = p->frame + p->l3, *sum = transport_checksum(p);
    size_t n = ip_size(&to->ip);
    uint32_t address = delta_of(l3 + ip, to->ip.b, n), rest = 0;
    memcpy(l3 + ip, to->ip.b, n);
    if (p->family == IP_V4)
        mend(l3 + 10, address);
    if (port) {
        uint8_t be[2];
        store16(be, to->port);
        rest = delta_of(p->frame + port, be, 2);
        memcpy(p->frame + port, be, 2);
    }
    if (!sum)
        return;
    mend(sum, rest + (p->proto == PROTO_ICMP ? 0 : address)); /* ICMP has no pseudo-header */
    if (p->proto == PROTO_UDP && load16(sum) == 0)
        store16(sum, 0xffff);
}

static size_t echo_id_at(const struct wire_packet *p)
{
    uint16_t id;
    return wire_echo_id(p, &id) ? p->l4 + 4 : 0;
}

void wire_set_src(struct wire_packet *p, const struct endpoint *to)
{
    rewrite(p, p->family == IP_V4 ? 12 : 8, has_ports(p) ? p->l4 : echo_id_at(p), to);
    p->src = to->ip;
    if (has_ports(p))
        p->sport = to->port;
}

void wire_set_dst(struct wire_packet *p, const struct endpoint *to)
{
    rewrite(p, p->family == IP_V4 ? 16 : 24, has_ports(p) ? p->l4 + 2 : echo_id_at(p), to);
    p->dst = to->ip;
    if (has_ports(p))
        p->dport = to->port;
}

void wire_lower_ttl(struct wire_packet *p)
{
    assert(p->ttl > 0);
    uint8_t *l3 = p->frame + p->l3;
    p->ttl--;
    if (p->family == IP_V6) {
        l3[7] = p->ttl;
        return;
    }
    uint8_t was[2] = {l3[8], l3[9]};
    l3[8] = p->ttl;
    mend(l3 + 10, delta_of(was, l3 + 8, 2));
}
