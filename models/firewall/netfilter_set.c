/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of addresses, services and ports: in both, in none. */
#include <stdlib.h>
#include <string.h>

#include "models/firewall/netfilter.h"

const struct nf_addrs *nf_addrs_of(struct arena *a, const struct fw_addr *v, size_t count)
{
    struct nf_addrs *s = arena_alloc(a, sizeof *s);
    s->v = arena_alloc(a, (count + 1) * sizeof *v);
    if (count)
        memcpy(s->v, v, count * sizeof *v);
    size_t ranges;
    s->count = fw_addr_normalise(s->v, count, &ranges);
    return s;
}

const struct nf_addrs *nf_addrs_any(struct arena *a, uint8_t family)
{
    struct fw_addr all[2] = {fw_addr_any(IP_V4), fw_addr_any(IP_V6)};
    if (family)
        all[0] = fw_addr_any((enum ip_family)family);
    return nf_addrs_of(a, all, family ? 1 : 2);
}

/* A growing union. */
struct pile {
    struct arena *a;
    struct fw_addr *v;
    size_t count, cap;
    bool full;
};

static void push(struct pile *p, const struct fw_addr *x)
{
    if (p->count == p->cap) {
        size_t cap = p->cap ? 2 * p->cap : 16;
        if (cap > 2 * NF_ITEMS_MAX) {
            p->full = true;
            return;
        }
        struct fw_addr *v = arena_alloc(p->a, cap * sizeof *v);
        if (p->count)
            memcpy(v, p->v, p->count * sizeof *v);
        p->v = v;
        p->cap = cap;
    }
    p->v[p->count++] = *x;
}

static void push_masked(struct pile *p, const struct fw_addr *x, const struct fw_addr *y)
{
    struct fw_addr z = {.a.family = x->a.family, .b.family = x->a.family, .masked = true};
    for (size_t i = 0; i < ip_size(&x->a); i++) {
        if ((x->a.b[i] ^ y->a.b[i]) & x->b.b[i] & y->b.b[i])
            return;
        z.b.b[i] = x->b.b[i] | y->b.b[i];
        z.a.b[i] = (uint8_t)((x->a.b[i] & x->b.b[i]) | (y->a.b[i] & y->b.b[i]));
    }
    push(p, &z);
}

/* A range of IPv4 is cut into prefixes, which are masks. */
static void push_cut(struct pile *p, const struct fw_addr *range, const struct fw_addr *masked)
{
    if (range->a.family != IP_V4) {
        p->full = true;
        return;
    }
    uint64_t at = ip_v4_value(&range->a), end = (uint64_t)ip_v4_value(&range->b) + 1;
    while (at < end) {
        uint64_t size = at ? at & (~at + 1) : UINT64_C(1) << 32;
        while (at + size > end)
            size /= 2;
        struct fw_addr prefix = {ip_v4((uint32_t)at), ip_v4((uint32_t)~(size - 1)), true};
        push_masked(p, &prefix, masked);
        at += size;
    }
}

static void push_both(struct pile *p, const struct fw_addr *x, const struct fw_addr *y)
{
    if (x->a.family != y->a.family)
        return;
    if (x->masked && y->masked) {
        push_masked(p, x, y);
    } else if (x->masked) {
        push_cut(p, y, x);
    } else if (y->masked) {
        push_cut(p, x, y);
    } else {
        struct fw_addr z = {ip_compare(&x->a, &y->a) > 0 ? x->a : y->a, ip_compare(&x->b, &y->b) < 0 ? x->b : y->b,
                            false};
        if (ip_compare(&z.a, &z.b) <= 0)
            push(p, &z);
    }
}

static size_t ranges_of(const struct nf_addrs *s)
{
    size_t n = 0;
    while (n < s->count && !s->v[n].masked)
        n++;
    return n;
}

static const struct nf_addrs *made(struct pile *p)
{
    return p->full ? NULL : nf_addrs_of(p->a, p->v, p->count);
}

const struct nf_addrs *nf_addrs_and(struct arena *a, const struct nf_addrs *x, const struct nf_addrs *y)
{
    if (!x || !y)
        return x ? x : y;
    struct pile p = {.a = a};
    size_t nx = ranges_of(x), ny = ranges_of(y);
    for (size_t i = 0, j = 0; i < nx && j < ny;) {
        push_both(&p, &x->v[i], &y->v[j]);
        if (ip_compare(&x->v[i].b, &y->v[j].b) < 0)
            i++;
        else
            j++;
    }
    for (size_t i = 0; i < x->count && !p.full; i++)
        for (size_t j = i < nx ? ny : 0; j < y->count && !p.full; j++)
            push_both(&p, &x->v[i], &y->v[j]);
    return made(&p);
}

/* Those that differ from x in a bit of its mask. */
static const struct nf_addrs *unlike(struct arena *a, const struct fw_addr *x, uint8_t family)
{
    struct pile p = {.a = a};
    for (size_t i = 0; i < ip_size(&x->a); i++)
        for (unsigned bit = 128; bit; bit >>= 1)
            if (x->b.b[i] & bit) {
                struct fw_addr z = {.a.family = x->a.family, .b.family = x->a.family, .masked = true};
                z.b.b[i] = (uint8_t)bit;
                z.a.b[i] = (uint8_t)(~x->a.b[i] & bit);
                push(&p, &z);
            }
    uint8_t other = x->a.family == IP_V4 ? IP_V6 : IP_V4;
    struct fw_addr rest = fw_addr_any((enum ip_family)other);
    if (family != x->a.family)
        push(&p, &rest);
    return made(&p);
}

static struct ip_addr before(const struct ip_addr *ip)
{
    struct ip_addr out = *ip;
    for (size_t i = ip_size(ip); i > 0 && out.b[i - 1]-- == 0; i--)
        ;
    return out;
}

/* The ranges of one family that lie between those of x. */
static void push_gaps(struct pile *p, const struct nf_addrs *x, uint8_t family)
{
    struct fw_addr all = fw_addr_any((enum ip_family)family), gap = all;
    bool open = true;
    for (size_t i = 0; i < x->count && !x->v[i].masked && open; i++) {
        const struct fw_addr *r = &x->v[i];
        if (r->a.family != family)
            continue;
        if (ip_compare(&gap.a, &r->a) < 0) {
            gap.b = before(&r->a);
            push(p, &gap);
        }
        open = ip_compare(&r->b, &all.b) < 0;
        gap.a = fw_addr_plus(&r->b, 1);
    }
    gap.b = all.b;
    if (open)
        push(p, &gap);
}

const struct nf_addrs *nf_addrs_not(struct arena *a, const struct nf_addrs *x, uint8_t family)
{
    struct pile p = {.a = a};
    if (!x)
        return made(&p);
    for (uint8_t f = IP_V4; f <= IP_V6; f++)
        if (!family || family == f)
            push_gaps(&p, x, f);
    const struct nf_addrs *out = made(&p);
    for (size_t i = ranges_of(x); i < x->count && out; i++)
        out = nf_addrs_and(a, out, unlike(a, &x->v[i], family));
    return out;
}

static bool services_both(const struct fw_service *x, const struct fw_service *y, struct fw_service *z)
{
#define HIGHER(m) z->m = x->m > y->m ? x->m : y->m
#define LOWER(m) z->m = x->m < y->m ? x->m : y->m
    HIGHER(proto_lo), HIGHER(sport_lo), HIGHER(dport_lo);
    LOWER(proto_hi), LOWER(sport_hi), LOWER(dport_hi);
    return z->proto_lo <= z->proto_hi && z->sport_lo <= z->sport_hi && z->dport_lo <= z->dport_hi;
}

const struct nf_services *nf_services_and(struct arena *a, const struct nf_services *x, const struct nf_services *y)
{
    if (!x || !y)
        return x ? x : y;
    if (x->count && y->count > NF_ITEMS_MAX / x->count)
        return NULL;
    struct nf_services *s = arena_alloc(a, sizeof *s);
    s->v = arena_alloc(a, (x->count * y->count + 1) * sizeof *s->v);
    for (size_t i = 0; i < x->count; i++)
        for (size_t j = 0; j < y->count; j++)
            s->count += services_both(&x->v[i], &y->v[j], &s->v[s->count]);
    return s;
}

static int span_order(const void *x, const void *y)
{
    const struct nf_span *a = x, *b = y;
    return a->lo != b->lo ? (a->lo > b->lo) - (a->lo < b->lo) : (a->hi > b->hi) - (a->hi < b->hi);
}

size_t nf_spans_sort(struct nf_span *v, size_t count)
{
    size_t n = 0;
    if (count)
        qsort(v, count, sizeof *v, span_order);
    for (size_t i = 0; i < count; i++) {
        if (n && v[i].lo <= v[n - 1].hi + 1)
            v[n - 1].hi = v[i].hi > v[n - 1].hi ? v[i].hi : v[n - 1].hi;
        else
            v[n++] = v[i];
    }
    return n;
}

size_t nf_spans_not(const struct nf_span *v, size_t count, struct nf_span *out)
{
    size_t n = 0;
    unsigned at = 0;
    for (size_t i = 0; i < count; i++) {
        if (v[i].lo > at)
            out[n++] = (struct nf_span){(uint16_t)at, (uint16_t)(v[i].lo - 1)};
        at = v[i].hi + 1u;
    }
    if (at <= 65535)
        out[n++] = (struct nf_span){(uint16_t)at, 65535};
    return n;
}
