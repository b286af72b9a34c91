/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of addresses: membership, order, positions; and the hash that tables use. */
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/firewall/rules.h"

uint32_t fw_hash(const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    uint64_t h = 0x9e3779b97f4a7c15;
    for (; n >= 8; n -= 8, p += 8) {
        h = (h ^ load64(p)) * 0xff51afd7ed558ccd;
        h ^= h >> 32;
    }
    for (; n > 0; n--, p++)
        h = (h ^ *p) * 0x100000001b3;
    return (uint32_t)(h ^ h >> 32);
}

struct fw_addr fw_addr_prefix(const struct ip_prefix *p)
{
    struct fw_addr s = {.a = p->ip, .b = p->ip};
    for (size_t i = 0; i < ip_size(&p->ip); i++) {
        size_t left = p->len > 8 * i ? p->len - 8 * i : 0;
        uint8_t host = left >= 8 ? 0 : (uint8_t)(0xff >> left);
        s.a.b[i] &= (uint8_t)~host;
        s.b.b[i] |= host;
    }
    return s;
}

struct fw_addr fw_addr_any(enum ip_family family)
{
    struct ip_prefix all = {.ip.family = (uint8_t)family};
    return fw_addr_prefix(&all);
}

bool fw_addr_has(const struct fw_addr *set, const struct ip_addr *ip)
{
    if (set->a.family != ip->family)
        return false;
    if (!set->masked)
        return ip_compare(&set->a, ip) <= 0 && ip_compare(ip, &set->b) <= 0;
    for (size_t i = 0; i < ip_size(ip); i++)
        if ((set->a.b[i] ^ ip->b[i]) & set->b.b[i])
            return false;
    return true;
}

int fw_addr_parse(const char *s, struct fw_addr *out)
{
    const char *dash = strchr(s, '-');
    if (!dash) {
        struct ip_prefix p;
        int err = prefix_parse(s, &p);
        if (!err)
            *out = fw_addr_prefix(&p);
        return err;
    }
    char lo[ADDR_TEXT];
    size_t n = (size_t)(dash - s);
    if (n >= sizeof lo)
        return E_MALFORMED;
    memcpy(lo, s, n);
    lo[n] = '\0';
    struct fw_addr r = {0};
    if (ip_parse(lo, &r.a) || ip_parse(dash + 1, &r.b) || r.a.family != r.b.family)
        return E_MALFORMED;
    if (ip_compare(&r.a, &r.b) > 0)
        return E_RANGE;
    *out = r;
    return 0;
}

/* The low 64 bits of an address as a number, and the rest in *high. */
static uint64_t ip_low(const struct ip_addr *ip, uint64_t *high)
{
    *high = ip->family == IP_V6 ? load64(ip->b) : 0;
    return ip->family == IP_V6 ? load64(ip->b + 8) : load32(ip->b);
}

uint64_t fw_addr_count(const struct ip_addr *lo, const struct ip_addr *hi)
{
    uint64_t lo_high, hi_high, l = ip_low(lo, &lo_high), h = ip_low(hi, &hi_high);
    uint64_t high = hi_high - lo_high - (h < l), n = h - l + 1;
    return high || n == 0 ? UINT64_MAX : n;
}

struct ip_addr fw_addr_plus(const struct ip_addr *ip, uint64_t n)
{
    uint64_t high, low = ip_low(ip, &high), sum = low + n;
    struct ip_addr out = *ip;
    if (ip->family == IP_V6) {
        store64(out.b, high + (sum < low));
        store64(out.b + 8, sum);
    } else {
        store32(out.b, (uint32_t)sum);
    }
    return out;
}

static int addr_order(const void *x, const void *y)
{
    const struct fw_addr *a = x, *b = y;
    if (a->masked != b->masked)
        return a->masked ? 1 : -1;
    int c = ip_compare(&a->a, &b->a);
    return c ? c : ip_compare(&a->b, &b->b);
}

/* b begins inside a or right behind it. */
static bool joins(const struct fw_addr *a, const struct fw_addr *b)
{
    if (a->a.family != b->a.family)
        return false;
    if (ip_compare(&b->a, &a->b) <= 0)
        return true;
    struct ip_addr next = fw_addr_plus(&a->b, 1);
    return ip_equal(&next, &b->a);
}

size_t fw_addr_normalise(struct fw_addr *addr, size_t count, size_t *range_count)
{
    if (count)
        qsort(addr, count, sizeof *addr, addr_order);
    size_t n = 0, i = 0;
    for (; i < count && !addr[i].masked; i++) {
        if (n && joins(&addr[n - 1], &addr[i])) {
            if (ip_compare(&addr[i].b, &addr[n - 1].b) > 0)
                addr[n - 1].b = addr[i].b;
        } else {
            addr[n++] = addr[i];
        }
    }
    *range_count = n;
    for (; i < count; i++)
        addr[n++] = addr[i];
    return n;
}

bool fw_set_has(const struct fw_set *s, const struct ip_addr *ip)
{
    if (!s)
        return true;
    size_t lo = 0, hi = s->range_count;
    while (lo < hi) { /* the first range that ends at ip or behind it */
        size_t mid = (lo + hi) / 2;
        if (ip_compare(&s->addr[mid].b, ip) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo < s->range_count && fw_addr_has(&s->addr[lo], ip))
        return true;
    for (size_t i = s->range_count; i < s->count; i++)
        if (fw_addr_has(&s->addr[i], ip))
            return true;
    return false;
}

uint64_t fw_set_size(const struct fw_set *s)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < s->count; i++) {
        uint64_t n = fw_addr_count(&s->addr[i].a, &s->addr[i].b);
        sum = sum + n < sum ? UINT64_MAX : sum + n;
    }
    return sum;
}

bool fw_set_index(const struct fw_set *s, const struct ip_addr *ip, uint64_t *index)
{
    uint64_t before = 0;
    for (size_t i = 0; i < s->count; i++) {
        const struct fw_addr *r = &s->addr[i];
        if (fw_addr_has(r, ip)) {
            *index = before + fw_addr_count(&r->a, ip) - 1;
            return true;
        }
        before += fw_addr_count(&r->a, &r->b);
    }
    return false;
}

bool fw_set_at(const struct fw_set *s, uint64_t index, struct ip_addr *ip)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct fw_addr *r = &s->addr[i];
        uint64_t n = fw_addr_count(&r->a, &r->b);
        if (index < n) {
            *ip = fw_addr_plus(&r->a, index);
            return true;
        }
        index -= n;
    }
    return false;
}

bool fw_service_has(const struct fw_service *s, const struct fw_flow *f)
{
    return s->proto_lo <= f->proto && f->proto <= s->proto_hi && s->sport_lo <= f->sport &&
           f->sport <= s->sport_hi && s->dport_lo <= f->dport && f->dport <= s->dport_hi;
}
