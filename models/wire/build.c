/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/wire/wire.h"

enum { IP_DF = 0x4000, IP_MF = 0x2000, NEXT_FRAGMENT = 44, FRAGMENT_HEADER = 8 };
enum { OPT_END = 0, OPT_NOP = 1, OPT_MSS = 2, OPT_WSCALE = 3, OPT_SACK_OK = 4, OPT_SACK = 5 };

size_t wire_put_eth(uint8_t *p, const uint8_t dst[6], const uint8_t src[6], uint16_t type)
{
    memcpy(p, dst, 6);
    memcpy(p + 6, src, 6);
    store16(p + 12, type);
    return WIRE_ETH;
}

static size_t put_ip4(uint8_t *p, const struct ip_addr *src, const struct ip_addr *dst, unsigned proto, unsigned ttl,
                      unsigned id, unsigned fragment, size_t payload_len)
{
    assert(payload_len <= UINT16_MAX - WIRE_IP4);
    store16(p, 0x4500);
    store16(p + 2, (unsigned)(WIRE_IP4 + payload_len));
    store16(p + 4, id);
    store16(p + 6, fragment);
    p[8] = (uint8_t)ttl;
    p[9] = (uint8_t)proto;
    store16(p + 10, 0);
    memcpy(p + 12, src->b, 4);
    memcpy(p + 16, dst->b, 4);
    store16(p + 10, wire_sum(p, WIRE_IP4));
    return WIRE_IP4;
}

static size_t put_ip6(uint8_t *p, const struct ip_addr *src, const struct ip_addr *dst, unsigned proto, unsigned ttl,
                      size_t payload_len)
{
    assert(payload_len <= UINT16_MAX);
    store32(p, 0x60000000);
    store16(p + 4, (unsigned)payload_len);
    p[6] = (uint8_t)proto;
    p[7] = (uint8_t)ttl;
    memcpy(p + 8, src->b, 16);
    memcpy(p + 24, dst->b, 16);
    return WIRE_IP6;
}

size_t wire_put_ip(uint8_t *p, const struct ip_addr *src, const struct ip_addr *dst, unsigned proto, unsigned ttl,
                   uint16_t id, size_t payload_len)
{
    assert(src->family == dst->family);
    if (src->family == IP_V4)
        return put_ip4(p, src, dst, proto, ttl, id, IP_DF, payload_len);
    return put_ip6(p, src, dst, proto, ttl, payload_len);
}

size_t wire_put_fragment(uint8_t *p, const struct ip_addr *src, const struct ip_addr *dst, unsigned proto, unsigned ttl,
                         uint32_t id, unsigned at, bool more, size_t payload_len)
{
    assert(src->family == dst->family && at % 8 == 0 && at <= UINT16_MAX);
    if (src->family == IP_V4)
        return put_ip4(p, src, dst, proto, ttl, id & 0xffff, at / 8 | (more ? IP_MF : 0), payload_len);
    size_t n = put_ip6(p, src, dst, NEXT_FRAGMENT, ttl, payload_len + FRAGMENT_HEADER);
    store16(p + n, proto << 8);
    store16(p + n + 2, at | more);
    store32(p + n + 4, id);
    return n + FRAGMENT_HEADER;
}

size_t wire_put_udp(uint8_t *p, uint16_t sport, uint16_t dport, size_t payload_len)
{
    assert(payload_len <= UINT16_MAX - WIRE_UDP);
    store16(p, sport);
    store16(p + 2, dport);
    store16(p + 4, (unsigned)(WIRE_UDP + payload_len));
    store16(p + 6, 0);
    return WIRE_UDP;
}

size_t wire_put_icmp(uint8_t *p, unsigned type, unsigned code, uint32_t rest)
{
    store16(p, type << 8 | code);
    store16(p + 2, 0);
    store32(p + 4, rest);
    return WIRE_ICMP;
}

/* Each option is padded to a word with leading NOPs, as common stacks do: readers see aligned values. */
static uint8_t *put_options(uint8_t *o, const uint8_t *end, const struct wire_tcp *t)
{
    if (t->mss) {
        store16(o, OPT_MSS << 8 | 4);
        store16(o + 2, t->mss);
        o += 4;
    }
    if (t->wscale != WIRE_NO_WSCALE) {
        store32(o, OPT_NOP << 24 | OPT_WSCALE << 16 | 3 << 8 | (uint32_t)t->wscale);
        o += 4;
    }
    if (t->sack_ok) {
        store32(o, OPT_NOP << 24 | OPT_NOP << 16 | OPT_SACK_OK << 8 | 2);
        o += 4;
    }
    size_t room = (size_t)(end - o) < 4 ? 0 : (size_t)(end - o - 4) / 8;
    size_t blocks = t->sack_count < room ? t->sack_count : room;
    if (blocks) {
        store32(o, (uint32_t)(OPT_NOP << 24 | OPT_NOP << 16 | OPT_SACK << 8) | (uint32_t)(2 + 8 * blocks));
        o += 4;
    }
    for (size_t i = 0; i < blocks; i++, o += 8) {
        store32(o, t->sack[i].from);
        store32(o + 4, t->sack[i].to);
    }
    return o;
}

size_t wire_put_tcp(uint8_t *p, const struct wire_tcp *t)
{
    assert(t->sack_count <= WIRE_SACK_MAX);
    uint8_t *end = put_options(p + WIRE_TCP, p + WIRE_TCP_MAX, t);
    size_t size = (size_t)(end - p);
    store16(p, t->sport);
    store16(p + 2, t->dport);
    store32(p + 4, t->seq);
    store32(p + 8, t->ack);
    p[12] = (uint8_t)(size / 4 << 4);
    p[13] = t->flags;
    store16(p + 14, t->window);
    store32(p + 16, 0); /* checksum, urgent pointer */
    return size;
}

static void get_sack(struct wire_tcp *t, const uint8_t *o, size_t len)
{
    t->sack_count = 0;
    for (; len >= 8 && t->sack_count < WIRE_SACK_MAX; o += 8, len -= 8)
        t->sack[t->sack_count++] = (struct wire_sack){load32(o), load32(o + 4)};
}

static void get_options(struct wire_tcp *t, const uint8_t *o, const uint8_t *end)
{
    while (o < end && *o != OPT_END) {
        if (*o == OPT_NOP) {
            o++;
            continue;
        }
        size_t left = (size_t)(end - o);
        if (left < 2 || o[1] < 2 || o[1] > left)
            return;
        if (o[0] == OPT_MSS && o[1] == 4)
            t->mss = load16(o + 2);
        else if (o[0] == OPT_WSCALE && o[1] == 3)
            t->wscale = o[2] < 14 ? o[2] : 14; /* RFC 7323 2.3 */
        else if (o[0] == OPT_SACK_OK && o[1] == 2)
            t->sack_ok = true;
        else if (o[0] == OPT_SACK)
            get_sack(t, o + 2, o[1] - 2u);
        o += o[1];
    }
}

void wire_get_tcp(const struct wire_packet *p, struct wire_tcp *t)
{
    assert(p->proto == PROTO_TCP && p->l4 && p->payload >= p->l4 + WIRE_TCP);
    const uint8_t *h = p->frame + p->l4;
    t->sport = p->sport;
    t->dport = p->dport;
    t->seq = load32(h + 4);
    t->ack = load32(h + 8);
    t->flags = p->tcp_flags;
    t->window = load16(h + 14);
    t->mss = 0;
    t->wscale = WIRE_NO_WSCALE;
    t->sack_ok = false;
    t->sack_count = 0;
    get_options(t, h + WIRE_TCP, p->frame + (p->payload < p->len ? p->payload : p->len));
}

void wire_seal(uint8_t *frame, size_t len)
{
    struct wire_packet p;
    if (wire_parse(frame, len, &p) != 0 || p.fragment || !p.l4)
        return;
    uint8_t *l4 = frame + p.l4;
    size_t size = p.payload + p.payload_len - p.l4;
    uint8_t *at = l4 + (p.proto == PROTO_TCP ? 16 : p.proto == PROTO_UDP ? 6 : 2);
    store16(at, 0);
    uint32_t sum = p.proto == PROTO_ICMP ? 0 : wire_sum_pseudo(&p.src, &p.dst, p.proto, size);
    uint16_t check = wire_sum_fold(wire_sum_add(sum, l4, size));
    if (check == 0 && p.proto == PROTO_UDP)
        check = 0xffff; /* RFC 768: 0 means none */
    store16(at, check);
}
