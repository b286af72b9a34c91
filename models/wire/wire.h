/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames and headers to and from bytes: Ethernet, IPv4 (791), IPv6 (8200), TCP (9293), UDP (768), ICMP (792, 4443), and
 * the Internet checksum (1071, 1624). A parsed packet is a view: offsets into the caller's frame. */
#ifndef TP_WIRE_WIRE_H
#define TP_WIRE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/base/addr.h"

enum { WIRE_ETH = 14, WIRE_IP4 = 20, WIRE_IP6 = 40, WIRE_TCP = 20, WIRE_UDP = 8, WIRE_ICMP = 8 };
enum { ETHERTYPE_IP4 = 0x0800, ETHERTYPE_IP6 = 0x86dd };

/* A frame taken apart. Offsets are from the start of the frame; l4 0: a later fragment, or a protocol not known. */
struct wire_packet {
    uint8_t *frame;
    size_t len;               /* of the frame, as captured */
    size_t l3, l4, payload;   /* offsets; payload: behind the TCP, UDP or ICMP header */
    size_t payload_len;       /* by the IP length, padding of short Ethernet frames not counted */
    uint8_t family;           /* enum ip_family */
    uint8_t proto;            /* of the transport, behind IPv6 extension headers */
    uint8_t ttl;
    bool fragment, more_fragments, dont_fragment;
    uint16_t fragment_at;     /* in bytes */
    struct ip_addr src, dst;
    uint16_t sport, dport;    /* ICMP: type, code */
    uint8_t tcp_flags;
};

/* E_TRUNCATED, E_MALFORMED, E_UNSUPPORTED (not IP). Checksums are not verified. */
int wire_parse(uint8_t *frame, size_t len, struct wire_packet *out);
/* 0, or E_INTEGRITY: IPv4 header or transport checksum is wrong (a UDP checksum of 0 over IPv4 is none). */
int wire_check(const struct wire_packet *p);

uint16_t wire_sum(const void *bytes, size_t len);      /* RFC 1071, complemented: ready to be stored */
uint32_t wire_sum_add(uint32_t sum, const void *bytes, size_t len); /* partial, even lengths but for the last */
uint32_t wire_sum_pseudo(const struct ip_addr *src, const struct ip_addr *dst, unsigned proto, size_t len);
uint16_t wire_sum_fold(uint32_t sum);

/* Header builders. Each writes its header at p and returns its size; lengths are of what follows. Checksums of
 * transports are put in by wire_seal, over the finished packet. */
size_t wire_put_eth(uint8_t *p, const uint8_t dst[6], const uint8_t src[6], uint16_t type);
size_t wire_put_ip(uint8_t *p, const struct ip_addr *src, const struct ip_addr *dst, unsigned proto, unsigned ttl,
                   uint16_t id, size_t payload_len); /* DF set */
size_t wire_put_udp(uint8_t *p, uint16_t sport, uint16_t dport, size_t payload_len);
/* Parses the frame and puts in the transport checksum. */
void wire_seal(uint8_t *frame, size_t len);

/* Rewriting in place, checksums mended incrementally (RFC 1624). Ports of TCP and UDP, the identifier of ICMP echo. */
void wire_set_src(struct wire_packet *p, const struct endpoint *to);
void wire_set_dst(struct wire_packet *p, const struct endpoint *to);
void wire_lower_ttl(struct wire_packet *p);

/* An ICMP error about the packet, from src, as a frame for the sender (MACs left to the caller): into out, its size.
 * E_SPACE; E_UNSUPPORTED: none may be sent (about an ICMP error, a later fragment, a multicast: RFC 1122 3.2.2). */
long wire_icmp_error(const struct wire_packet *about, const struct ip_addr *src, unsigned type, unsigned code,
                     uint32_t rest, uint8_t *out, size_t cap);
/* The RST that refuses a TCP segment, likewise. E_UNSUPPORTED: it is an RST. */
long wire_tcp_reset(const struct wire_packet *about, uint8_t *out, size_t cap);

#endif
