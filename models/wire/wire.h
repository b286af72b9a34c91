/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames and headers to and from bytes: Ethernet, IPv4 (791), IPv6 (8200), TCP (9293), UDP (768), ICMP (792,
 * 4443), and the Internet checksum (1071, 1624). A parsed packet is a view: offsets into the caller's frame. */
#ifndef TP_WIRE_WIRE_H
#define TP_WIRE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/base/addr.h"

enum { WIRE_ETH = 14, WIRE_IP4 = 20, WIRE_IP6 = 40, WIRE_TCP = 20, WIRE_UDP = 8, WIRE_ICMP = 8 };
enum { ETHERTYPE_IP4 = 0x0800, ETHERTYPE_IP6 = 0x86dd };

/* A frame taken apart. Offsets are from the start of the frame; l4 0: a later fragment, or a protocol not
 * known. */
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
    uint32_t fragment_id;     /* IPv6: of the fragment header, 0 without one */
    size_t upper;             /* offset of what IP carries: behind the IPv4 header, or the IPv6 fragment header */
    struct ip_addr src, dst;
    uint16_t sport, dport;    /* ICMP: type, code */
    uint8_t tcp_flags;
};

/* E_TRUNCATED, E_MALFORMED, E_UNSUPPORTED (not IP). Checksums are not verified. */
int wire_parse(uint8_t *frame, size_t len, struct wire_packet *out);
/* The IP packet at l3 of a captured frame, of which len bytes are there and wire_len (not less) were on the wire: the
 * headers must be there, the payload may end beyond len, behind it may be padding or a trailer. A length field of 0 is
 * taken as "the rest", which segmentation offload leaves so. The view is not for writing. E_TRUNCATED: the length
 * fields speak of more than was on the wire, or a header was cut; E_MALFORMED; E_UNSUPPORTED: not IP. */
int wire_parse_captured(const uint8_t *frame, size_t len, size_t l3, size_t wire_len, struct wire_packet *out);
/* The packet that an ICMP error quotes: a view into the same frame, cut off where the quotation ends, so that
 * only the addresses and the first 8 bytes of the transport are sure to be there. E_UNSUPPORTED: not an ICMP
 * error. */
int wire_parse_quoted(const struct wire_packet *error, struct wire_packet *out);
bool wire_is_icmp_error(const struct wire_packet *p);
/* The identifier of an ICMP echo request or reply; false: it is something else. */
bool wire_echo_id(const struct wire_packet *p, uint16_t *id);
/* 0, or E_INTEGRITY: IPv4 header or transport checksum is wrong (a UDP checksum of 0 over IPv4 is none). */
int wire_check(const struct wire_packet *p);

uint16_t wire_sum(const void *bytes, size_t len);      /* RFC 1071, complemented: ready to be stored */
uint32_t wire_sum_add(uint32_t sum, const void *bytes, size_t len); /* partial, even lengths but for the last */
/* The same, while copying: one pass over the bytes. */
uint32_t wire_sum_copy(uint32_t sum, void *to, const void *from, size_t len);
uint32_t wire_sum_pseudo(const struct ip_addr *src, const struct ip_addr *dst, unsigned proto, size_t len);
uint16_t wire_sum_fold(uint32_t sum);

/* Header builders. Each writes its header at p and returns its size; lengths are of what follows. Checksums
 * of transports are put in by wire_seal, over the finished packet. */
size_t wire_put_eth(uint8_t *p, const uint8_t dst[6], const uint8_t src[6], uint16_t type);
size_t wire_put_ip(uint8_t *p, const struct ip_addr *src, const struct ip_addr *dst, unsigned proto, unsigned ttl,
                   uint16_t id, size_t payload_len); /* DF set */
/* A fragment: bytes [at, at + payload_len) of what IP carries; of IPv6 with its fragment header. */
size_t wire_put_fragment(uint8_t *p, const struct ip_addr *src, const struct ip_addr *dst, unsigned proto, unsigned ttl,
                         uint32_t id, unsigned at, bool more, size_t payload_len);
size_t wire_put_udp(uint8_t *p, uint16_t sport, uint16_t dport, size_t payload_len);
size_t wire_put_icmp(uint8_t *p, unsigned type, unsigned code, uint32_t rest);

enum { WIRE_TCP_MAX = 60, WIRE_SACK_MAX = 4, WIRE_NO_WSCALE = 0xff };

struct wire_sack {
    uint32_t from, to; /* [from, to) */
};

/* A TCP header with the options that matter (RFC 9293 3.2, 7323 2, 2018). */
struct wire_tcp {
    uint16_t sport, dport;
    uint32_t seq, ack;
    uint8_t flags;
    uint16_t window;
    uint16_t mss;   /* 0: absent */
    uint8_t wscale; /* WIRE_NO_WSCALE: absent */
    bool sack_ok;
    uint8_t sack_count;
    struct wire_sack sack[WIRE_SACK_MAX];
};
/* At most WIRE_TCP_MAX bytes; options end where no more fit, SACK blocks last. */
size_t wire_put_tcp(uint8_t *p, const struct wire_tcp *t);
/* Of a packet that wire_parse found to be TCP. Unknown options are skipped; a broken one ends the list. */
void wire_get_tcp(const struct wire_packet *p, struct wire_tcp *t);

/* Parses the frame and puts in the transport checksum; nothing happens to a fragment or an unknown transport. */
void wire_seal(uint8_t *frame, size_t len);

/* Rewriting in place, checksums mended incrementally (RFC 1624). Ports of TCP and UDP, the identifier of ICMP
 * echo. The address is of the packet's family. The view follows. Works on a quoted packet too, but leaves the
 * checksum of the ICMP message around it to wire_seal. */
void wire_set_src(struct wire_packet *p, const struct endpoint *to);
void wire_set_dst(struct wire_packet *p, const struct endpoint *to);
void wire_lower_ttl(struct wire_packet *p);

/* An ICMP error about the packet, from src, as a frame for the sender, with the MACs of the packet swapped:
 * into out, its size. It quotes what fits into 576 bytes (RFC 1812 4.3.2.3), of IPv6 1280 (RFC 4443 2.4).
 * E_SPACE; E_UNSUPPORTED: none may be sent (about an ICMP error, a later fragment, a multicast: RFC 1122
 * 3.2.2). */
long wire_icmp_error(const struct wire_packet *about, const struct ip_addr *src, unsigned type, unsigned code,
                     uint32_t rest, uint8_t *out, size_t cap);
/* The RST that refuses a TCP segment, likewise. E_UNSUPPORTED: it is an RST. */
long wire_tcp_reset(const struct wire_packet *about, uint8_t *out, size_t cap);

#endif
