/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/base/addr.h"

#include <arpa/inet.h> /* inet_pton, inet_ntop: text only, no socket */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"

struct ip_addr ip_v4(uint32_t host_order)
{
    struct ip_addr a = {.family = IP_V4};
    store32(a.b, host_order);
    return a;
}

uint32_t ip_v4_value(const struct ip_addr *a)
{
    return load32(a->b);
}

int ip_compare(const struct ip_addr *a, const struct ip_addr *b)
{
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    return memcmp(a->b, b->b, sizeof a->b);
}

bool ip_equal(const struct ip_addr *a, const struct ip_addr *b)
{
    return a->family == b->family && memcmp(a->b, b->b, sizeof a->b) == 0;
}

bool ip_is_any(const struct ip_addr *a)
{
    static const uint8_t zero[16];
    return memcmp(a->b, zero, sizeof zero) == 0;
}

struct ip_addr ip_unmapped(const struct ip_addr *a)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (a->family == IP_V6 && memcmp(a->b, mapped, sizeof mapped) == 0)
        return ip_v4(load32(a->b + 12));
    return *a;
}

bool ip_is_loopback(const struct ip_addr *a)
{
    static const uint8_t one[16] = {[15] = 1};
    return a->family == IP_V4 ? a->b[0] == 127 : memcmp(a->b, one, sizeof one) == 0;
}

bool ip_is_multicast(const struct ip_addr *a)
{
    if (a->family == IP_V4)
        return (a->b[0] >= 224 && a->b[0] <= 239) || ip_v4_value(a) == UINT32_MAX;
    return a->b[0] == 0xff;
}

bool ip_is_link_local(const struct ip_addr *a)
{
    if (a->family == IP_V4)
        return a->b[0] == 169 && a->b[1] == 254;
    return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

bool ip_in_prefix(const struct ip_addr *a, const struct ip_prefix *p)
{
    if (a->family != p->ip.family)
        return false;
    size_t whole = p->len / 8, rest = p->len % 8;
    if (memcmp(a->b, p->ip.b, whole) != 0)
        return false;
    return rest == 0 || ((a->b[whole] ^ p->ip.b[whole]) >> (8 - rest)) == 0;
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && ip_equal(&a->ip, &b->ip);
}

int ip_parse(const char *s, struct ip_addr *out)
{
    struct ip_addr a = {0};
    if (inet_pton(AF_INET, s, a.b) == 1)
        a.family = IP_V4;
    else if (inet_pton(AF_INET6, s, a.b) == 1)
        a.family = IP_V6;
    else
        return E_MALFORMED;
    *out = a;
    return 0;
}

/* A decimal number from 0 to max, digits only and nothing behind; -1 when it is not one. */
static long decimal(const char *s, long max)
{
    if (*s < '0' || *s > '9' || strlen(s) > 5)
        return -1;
    char *end;
    long v = strtol(s, &end, 10);
    return *end || v > max ? -1 : v;
}

/* Copies the first n characters of s into a buffer for inet_pton. */
static int head_parse(const char *s, size_t n, struct ip_addr *out)
{
    char buf[ADDR_TEXT];
    if (n >= sizeof buf)
        return E_MALFORMED;
    memcpy(buf, s, n);
    buf[n] = '\0';
    return ip_parse(buf, out);
}

int endpoint_parse(const char *s, struct endpoint *out)
{
    const char *colon = strrchr(s, ':');
    if (!colon)
        return E_MALFORMED;
    size_t n = (size_t)(colon - s);
    bool bracket = n >= 2 && s[0] == '[' && s[n - 1] == ']';
    struct endpoint e = {0};
    if (head_parse(s + bracket, bracket ? n - 2 : n, &e.ip) != 0 || bracket != (e.ip.family == IP_V6))
        return E_MALFORMED;
    long port = decimal(colon + 1, 65535);
    if (port < 0)
        return E_MALFORMED;
    e.port = (uint16_t)port;
    *out = e;
    return 0;
}

int prefix_parse(const char *s, struct ip_prefix *out)
{
    const char *slash = strchr(s, '/');
    struct ip_prefix p = {0};
    if (head_parse(s, slash ? (size_t)(slash - s) : strlen(s), &p.ip) != 0)
        return E_MALFORMED;
    long max = (long)ip_size(&p.ip) * 8, len = slash ? decimal(slash + 1, 999) : max;
    if (len < 0)
        return E_MALFORMED;
    if (len > max)
        return E_RANGE;
    p.len = (uint8_t)len;
    *out = p;
    return 0;
}

const char *ip_text(const struct ip_addr *a, char out[ADDR_TEXT])
{
    if (a->family == IP_NONE || !inet_ntop(a->family == IP_V4 ? AF_INET : AF_INET6, a->b, out, ADDR_TEXT))
        snprintf(out, ADDR_TEXT, "-");
    return out;
}

const char *endpoint_text(const struct endpoint *e, char out[ENDPOINT_TEXT])
{
    char ip[ADDR_TEXT];
    snprintf(out, ENDPOINT_TEXT, e->ip.family == IP_V6 ? "[%s]:%u" : "%s:%u", ip_text(&e->ip, ip), e->port);
    return out;
}
