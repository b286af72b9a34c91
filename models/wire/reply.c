/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/wire/wire.h"

enum { REPLY_TTL = 64, QUOTE_IP4 = 576, QUOTE_IP6 = 1280 };
enum { FLAG_FIN = 1, FLAG_SYN = 2, FLAG_RST = 4, FLAG_ACK = 16 };

/* Ethernet and IP headers of an answer to the packet's sender. */
static size_t put_reply(uint8_t *out, const struct wire_packet *about, const struct ip_addr *src, unsigned proto,
                        size_t payload_len)
{
    size_t n = wire_put_eth(out, about->frame + 6, about->frame, load16(about->frame + 12));
    return n + wire_put_ip(out + n, src, &about->src, proto, REPLY_TTL, 0, payload_len);
}

long wire_icmp_error(const struct wire_packet *about, const struct ip_addr *src, unsigned type, unsigned code,
                     uint32_t rest, uint8_t *out, size_t cap)
{
    if (wire_is_icmp_error(about) || about->fragment_at > 0 || ip_is_multicast(&about->dst) ||
        ip_is_multicast(&about->src) || ip_is_any(&about->src))
        return E_UNSUPPORTED;
    bool v4 = about->family == IP_V4;
    size_t ip = v4 ? WIRE_IP4 : WIRE_IP6;
    size_t quote = about->payload + about->payload_len - about->l3;
    size_t most = (v4 ? QUOTE_IP4 : QUOTE_IP6) - ip - WIRE_ICMP;
    quote = quote < most ? quote : most;
    size_t size = WIRE_ETH + ip + WIRE_ICMP + quote;
    if (size > cap)
        return E_SPACE;
    size_t n = put_reply(out, about, src, v4 ? PROTO_ICMP : PROTO_ICMP6, WIRE_ICMP + quote);
    n += wire_put_icmp(out + n, type, code, rest);
    memcpy(out + n, about->frame + about->l3, quote);
    wire_seal(out, size);
    return (long)size;
}

/* RFC 9293 3.10.7.1: an RST takes its number from the segment's ACK, or acknowledges all of the segment. */
long wire_tcp_reset(const struct wire_packet *about, uint8_t *out, size_t cap)
{
    if (about->proto != PROTO_TCP || !about->l4 || about->tcp_flags & FLAG_RST)
        return E_UNSUPPORTED;
    struct wire_tcp in, rst = {.wscale = WIRE_NO_WSCALE};
    wire_get_tcp(about, &in);
    rst.sport = in.dport;
    rst.dport = in.sport;
    rst.flags = FLAG_RST;
    if (in.flags & FLAG_ACK) {
        rst.seq = in.ack;
    } else {
        rst.flags |= FLAG_ACK;
        rst.ack = in.seq + (uint32_t)about->payload_len + ((in.flags & FLAG_SYN) != 0) + ((in.flags & FLAG_FIN) != 0);
    }
    size_t ip = about->family == IP_V4 ? WIRE_IP4 : WIRE_IP6, size = WIRE_ETH + ip + WIRE_TCP;
    if (size > cap)
        return E_SPACE;
    size_t n = put_reply(out, about, &about->dst, PROTO_TCP, WIRE_TCP);
    wire_put_tcp(out + n, &rst);
    wire_seal(out, size);
    return (long)size;
}
