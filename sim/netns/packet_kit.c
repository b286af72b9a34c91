/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/netns/packet_kit.h"

#include <assert.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/wire/wire.h"

enum { TTL = 64, DATA_MAX = 512 };

static size_t put_transport(const struct packet_spec *s, uint8_t *p)
{
    const struct fw_flow *f = &s->flow;
    const struct wire_tcp tcp = {.sport = f->sport, .dport = f->dport, .seq = s->seq, .ack = s->ack,
                                 .flags = s->tcp_flags, .window = 65535, .wscale = WIRE_NO_WSCALE};
    size_t n = 0;
    switch (f->proto) {
    case PROTO_TCP:
        n = wire_put_tcp(p, &tcp);
        break;
    case PROTO_UDP:
        n = wire_put_udp(p, f->sport, f->dport, s->data_len);
        break;
    case PROTO_ICMP:
    case PROTO_ICMP6:
        n = wire_put_icmp(p, f->sport, f->dport, s->quoted ? 0 : (uint32_t)s->echo_id << 16 | 1);
        break;
    default:
        memset(p, 0, 8); /* GRE, ESP and the like: headers that say nothing */
        n = 8;
    }
    if (s->quoted)
        memcpy(p + n, s->quoted, s->quoted_len);
    else
        memset(p + n, 0x55, s->data_len);
    return n + (s->quoted ? s->quoted_len : s->data_len);
}

size_t packet_build(const struct packet_spec *s, uint8_t *frame)
{
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
    uint8_t upper[WIRE_TCP_MAX + 2 * DATA_MAX];
    assert(s->data_len <= DATA_MAX && (!s->quoted || s->quoted_len <= 2 * DATA_MAX));
    size_t len = put_transport(s, upper);
    size_t n = wire_put_eth(frame, mac, mac, s->flow.src.family == IP_V4 ? ETHERTYPE_IP4 : ETHERTYPE_IP6);
    n += wire_put_ip(frame + n, &s->flow.src, &s->flow.dst, s->flow.proto, TTL, 1, len);
    memcpy(frame + n, upper, len);
    n += len;
    assert(n <= PACKET_MAX);
    wire_seal(frame, n);
    return n;
}
