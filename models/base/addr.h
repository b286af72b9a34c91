/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IP addresses, endpoints (address and port: a transport address of RFC 8489) and prefixes. */
#ifndef TP_BASE_ADDR_H
#define TP_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The numbers of STUN's address family field (RFC 8489 14.1). */
enum ip_family { IP_NONE = 0, IP_V4 = 1, IP_V6 = 2 };

enum ip_proto { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58 };

/* Bytes in network order; an IPv4 address in the first four, the rest zero, so that memcmp compares. */
struct ip_addr {
    uint8_t family; /* enum ip_family */
    uint8_t b[16];
};

struct endpoint {
    struct ip_addr ip;
    uint16_t port;
};

struct ip_prefix {
    struct ip_addr ip; /* host bits kept, as in "10.0.0.1/24" of an interface */
    uint8_t len;
};

#define ADDR_TEXT 48     /* enough for any address and its NUL */
#define ENDPOINT_TEXT 56 /* enough for "[v6]:port" and its NUL */

static inline size_t ip_size(const struct ip_addr *a)
{
    return a->family == IP_V4 ? 4 : a->family == IP_V6 ? 16 : 0;
}

struct ip_addr ip_v4(uint32_t host_order);
uint32_t ip_v4_value(const struct ip_addr *a); /* host order */
bool ip_equal(const struct ip_addr *a, const struct ip_addr *b);
int ip_compare(const struct ip_addr *a, const struct ip_addr *b); /* by family, then bytes */
bool ip_is_any(const struct ip_addr *a);       /* unset, 0.0.0.0 or :: */
bool ip_is_loopback(const struct ip_addr *a);
bool ip_is_multicast(const struct ip_addr *a); /* limited broadcast too */
bool ip_is_link_local(const struct ip_addr *a);
bool ip_in_prefix(const struct ip_addr *a, const struct ip_prefix *p);
/* ::ffff:a.b.c.d as the IPv4 address that it stands for; any other unchanged. */
struct ip_addr ip_unmapped(const struct ip_addr *a);

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);

/* "10.1.2.3", "2001:db8::1". E_MALFORMED: anything else, a leading zero included. */
int ip_parse(const char *s, struct ip_addr *out);
/* "10.1.2.3:80", "[2001:db8::1]:80". E_MALFORMED. */
int endpoint_parse(const char *s, struct endpoint *out);
/* "10.1.2.0/24", "10.1.2.3" (a full-length prefix). E_MALFORMED; E_RANGE: the length. */
int prefix_parse(const char *s, struct ip_prefix *out);

/* RFC 5952 text into out; returns out. */
const char *ip_text(const struct ip_addr *a, char out[ADDR_TEXT]);
const char *endpoint_text(const struct endpoint *e, char out[ENDPOINT_TEXT]);

#endif
