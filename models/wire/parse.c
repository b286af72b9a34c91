/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/wire/wire.h"

/* IPv6 next headers that are not transports (RFC 8200 4.1, RFC 4302). */
enum { EXT_HOP = 0, EXT_ROUTING = 43, EXT_FRAGMENT = 44, EXT_AUTH = 51, EXT_DEST = 60 };

/* Bytes that must be there: all that the length fields speak of; in a quotation what the quoting router kept; in a
 * capture the headers, if what the length fields speak of was on the wire. */
enum strictness { WHOLE, QUOTED, CAPTURED };

/* The n bytes at that offset are in the buffer. */
static bool there(const struct wire_packet *k, size_t at, size_t n)
{
    return at <= k->len && n <= k->len - at;
}

/* Field by field: clearing the whole struct costs as much as the parsing. The rest is set by parse_ip4 or
 * parse_ip6. */
static void begin(struct wire_packet *k, uint8_t *frame, size_t len, size_t l3)
{
    k->frame = frame;
    k->len = len;
    k->l3 = l3;
    k->l4 = k->payload = k->payload_len = 0;
    k->fragment = k->more_fragments = false;
    k->fragment_at = 0;
    k->fragment_id = 0;
    k->sport = k->dport = 0;
    k->tcp_flags = 0;
}

/* In one store of 16 bytes: who compares or hashes the address next loads 8 of them at a time, and would wait for
 * smaller stores. */
static void put_address4(struct ip_addr *a, const uint8_t *p)
{
    uint32_t words[4] = {0};
    memcpy(words, p, 4);
    a->family = IP_V4;
    memcpy(a->b, words, sizeof words);
}

static void put_address6(struct ip_addr *a, const uint8_t *p)
{
    a->family = IP_V6;
    memcpy(a->b, p, 16);
}

static int parse_tcp(struct wire_packet *k, size_t len, enum strictness how)
{
    const uint8_t *p = k->frame + k->l4;
    if ((len < WIRE_TCP && (how != QUOTED || len < 8)) || !there(k, k->l4, len < WIRE_TCP ? len : WIRE_TCP))
        return E_TRUNCATED;
    k->sport = load16(p);
    k->dport = load16(p + 2);
    if (len < WIRE_TCP) {
        k->payload = k->l4 + len;
        k->payload_len = 0;
        return 0;
    }
    size_t header = (size_t)(p[12] >> 4) * 4;
    if (header < WIRE_TCP)
        return E_MALFORMED;
    if (header > len && how != QUOTED)
        return E_TRUNCATED;
    header = header < len ? header : len;
    k->tcp_flags = p[13];
    k->payload = k->l4 + header;
    k->payload_len = len - header;
    return 0;
}

static int parse_udp(struct wire_packet *k, size_t len, enum strictness how)
{
    const uint8_t *p = k->frame + k->l4;
    if (len < WIRE_UDP || !there(k, k->l4, WIRE_UDP))
        return E_TRUNCATED;
    size_t total = load16(p + 4);
    if (total < WIRE_UDP)
        return E_MALFORMED;
    if (total > len && !k->more_fragments && how != QUOTED)
        return E_TRUNCATED;
    k->sport = load16(p);
    k->dport = load16(p + 2);
    k->payload = k->l4 + WIRE_UDP;
    k->payload_len = (total < len ? total : len) - WIRE_UDP;
    return 0;
}

static int parse_icmp(struct wire_packet *k, size_t len)
{
    const uint8_t *p = k->frame + k->l4;
    if (len < WIRE_ICMP || !there(k, k->l4, WIRE_ICMP))
        return E_TRUNCATED;
    k->sport = p[0];
    k->dport = p[1];
    k->payload = k->l4 + WIRE_ICMP;
    k->payload_len = len - WIRE_ICMP;
    return 0;
}

/* at: behind all IP headers; len: to the end of the IP packet. */
static int parse_transport(struct wire_packet *k, size_t at, size_t len, enum strictness how)
{
    k->payload = at;
    k->payload_len = len;
    if (k->fragment_at > 0)
        return 0;
    k->l4 = at;
    if (k->proto == PROTO_TCP)
        return parse_tcp(k, len, how);
    if (k->proto == PROTO_UDP)
        return parse_udp(k, len, how);
    if (k->proto == (k->family == IP_V4 ? PROTO_ICMP : PROTO_ICMP6))
        return parse_icmp(k, len);
    k->l4 = 0;
    return 0;
}

static int parse_ip4(struct wire_packet *k, size_t have, enum strictness how)
{
    const uint8_t *p = k->frame + k->l3;
    if (have < WIRE_IP4 || !there(k, k->l3, WIRE_IP4))
        return E_TRUNCATED;
    size_t header = (size_t)(p[0] & 15) * 4, total = load16(p + 2);
    if (total == 0 && how == CAPTURED)
        total = have; /* segmentation offload fills it in behind the capture */
    if (p[0] >> 4 != 4 || header < WIRE_IP4 || total < header)
        return E_MALFORMED;
    if (header > have || (total > have && how != QUOTED) || !there(k, k->l3, header))
        return E_TRUNCATED;
    unsigned fragment = load16(p + 6);
    k->family = IP_V4;
    k->fragment_id = load16(p + 4);
    k->dont_fragment = fragment & 0x4000;
    k->more_fragments = fragment & 0x2000;
    k->fragment_at = (uint16_t)((fragment & 0x1fff) * 8);
    k->fragment = (fragment & 0x3fff) != 0;
    k->ttl = p[8];
    k->proto = p[9];
    put_address4(&k->src, p + 12);
    put_address4(&k->dst, p + 16);
    k->upper = k->l3 + header;
    return parse_transport(k, k->upper, (total < have ? total : have) - header, how);
}

/* Walks the extension headers; *at and *len go to what is behind them. */
static int skip_extensions(struct wire_packet *k, size_t *at, size_t *len)
{
    for (;;) {
        const uint8_t *p = k->frame + *at;
        size_t size;
        switch (k->proto) {
        case EXT_HOP:
        case EXT_ROUTING:
        case EXT_DEST:
            size = *len < 8 || !there(k, *at, 8) ? 8 : (size_t)(p[1] + 1) * 8;
            break;
        case EXT_AUTH:
            size = *len < 8 || !there(k, *at, 8) ? 8 : (size_t)(p[1] + 2) * 4;
            break;
        case EXT_FRAGMENT:
            size = 8;
            break;
        default:
            return 0;
        }
        if (size > *len || !there(k, *at, size))
            return E_TRUNCATED;
        if (k->proto == EXT_FRAGMENT) {
            k->more_fragments = p[3] & 1;
            k->fragment_at = load16(p + 2) & 0xfff8;
            k->fragment_id = load32(p + 4);
            k->fragment = k->more_fragments || k->fragment_at > 0;
            k->upper = *at + size;
        }
        k->proto = p[0];
        *at += size;
        *len -= size;
        if (k->fragment_at > 0)
            return 0; /* what follows is the middle of something */
    }
}

static int parse_ip6(struct wire_packet *k, size_t have, enum strictness how)
{
    const uint8_t *p = k->frame + k->l3;
    if (have < WIRE_IP6 || !there(k, k->l3, WIRE_IP6))
        return E_TRUNCATED;
    size_t at = k->l3 + WIRE_IP6, len = load16(p + 4);
    if (len == 0 && how == CAPTURED)
        len = have - WIRE_IP6; /* as above; a jumbogram (RFC 2675) too */
    if (p[0] >> 4 != 6)
        return E_MALFORMED;
    if (len > have - WIRE_IP6) {
        if (how != QUOTED)
            return E_TRUNCATED;
        len = have - WIRE_IP6;
    }
    k->family = IP_V6;
    k->dont_fragment = true; /* routers do not fragment IPv6 */
    k->proto = p[6];
    k->ttl = p[7];
    put_address6(&k->src, p + 8);
    put_address6(&k->dst, p + 24);
    k->upper = at;
    int e = skip_extensions(k, &at, &len);
    return e ? e : parse_transport(k, at, len, how);
}

int wire_parse(uint8_t *frame, size_t len, struct wire_packet *out)
{
    begin(out, frame, len, WIRE_ETH);
    if (len < WIRE_ETH)
        return E_TRUNCATED;
    switch (load16(frame + 12)) {
    case ETHERTYPE_IP4:
        return parse_ip4(out, len - WIRE_ETH, WHOLE);
    case ETHERTYPE_IP6:
        return parse_ip6(out, len - WIRE_ETH, WHOLE);
    default:
        return E_UNSUPPORTED;
    }
}

int wire_parse_captured(const uint8_t *frame, size_t len, size_t l3, size_t wire_len, struct wire_packet *out)
{
    begin(out, (uint8_t *)frame, len, l3);
    if (l3 >= len || wire_len < len)
        return E_TRUNCATED;
    switch (frame[l3] >> 4) {
    case 4:
        return parse_ip4(out, wire_len - l3, CAPTURED);
    case 6:
        return parse_ip6(out, wire_len - l3, CAPTURED);
    default:
        return E_UNSUPPORTED;
    }
}

bool wire_is_icmp_error(const struct wire_packet *p)
{
    if (!p->l4)
        return false;
    if (p->proto == PROTO_ICMP6)
        return p->sport < 128; /* RFC 4443 2.1 */
    if (p->proto != PROTO_ICMP)
        return false;
    /* RFC 1122 3.2.2: unreachable, source quench, redirect, time exceeded, parameter problem */
    return (p->sport >= 3 && p->sport <= 5) || p->sport == 11 || p->sport == 12;
}

int wire_parse_quoted(const struct wire_packet *error, struct wire_packet *out)
{
    begin(out, error->frame, error->len, error->payload);
    if (!wire_is_icmp_error(error))
        return E_UNSUPPORTED;
    size_t have = error->len > error->payload ? error->len - error->payload : 0; /* a capture may have cut it */
    have = have < error->payload_len ? have : error->payload_len;
    if (error->family == IP_V4)
        return parse_ip4(out, have, QUOTED);
    return parse_ip6(out, have, QUOTED);
}

bool wire_echo_id(const struct wire_packet *p, uint16_t *id)
{
    bool echo = p->l4 && ((p->proto == PROTO_ICMP && (p->sport == 8 || p->sport == 0)) ||
                          (p->proto == PROTO_ICMP6 && (p->sport == 128 || p->sport == 129)));
    if (echo)
        *id = load16(p->frame + p->l4 + 4);
    return echo;
}

/* The sum over a transport with its checksum in it is 0 when that is right. */
int wire_check(const struct wire_packet *p)
{
    const uint8_t *l3 = p->frame + p->l3, *l4 = p->frame + p->l4;
    if (p->family == IP_V4 && wire_sum(l3, (size_t)(l3[0] & 15) * 4) != 0)
        return E_INTEGRITY;
    if (p->fragment || !p->l4)
        return 0;
    if (p->proto == PROTO_UDP && p->family == IP_V4 && load16(l4 + 6) == 0)
        return 0;
    size_t len = p->payload + p->payload_len - p->l4;
    uint32_t sum = p->proto == PROTO_ICMP ? 0 : wire_sum_pseudo(&p->src, &p->dst, p->proto, len);
    return wire_sum_fold(wire_sum_add(sum, l4, len)) == 0 ? 0 : E_INTEGRITY;
}
