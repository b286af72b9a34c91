/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/check/bind_ranges.h"

/* The address after or before; false: there is none in the family. */
static bool step(struct ip_addr *ip, bool up)
{
    for (size_t i = ip_size(ip); i-- > 0;) {
        ip->b[i] = (uint8_t)(up ? ip->b[i] + 1 : ip->b[i] - 1);
        if (ip->b[i] != (up ? 0 : 0xff))
            return true;
    }
    return false;
}

/* For one range more than there are: cutting one in two makes no more, since they are disjoint. */
static struct addr_ranges room(const struct addr_ranges *r, struct arena *a)
{
    return (struct addr_ranges){arena_alloc(a, (r->count + 1) * sizeof *r->items), 0};
}

void addr_ranges_remove(struct addr_ranges *r, struct arena *a, const struct fw_addr *range)
{
    struct addr_ranges out = room(r, a);
    for (size_t i = 0; i < r->count; i++) {
        struct fw_addr left = r->items[i], right = r->items[i];
        if (ip_compare(&left.b, &range->a) < 0 || ip_compare(&left.a, &range->b) > 0) {
            out.items[out.count++] = left;
            continue;
        }
        left.b = range->a;
        if (ip_compare(&left.a, &range->a) < 0 && step(&left.b, false))
            out.items[out.count++] = left;
        right.a = range->b;
        if (ip_compare(&right.b, &range->b) > 0 && step(&right.a, true))
            out.items[out.count++] = right;
    }
    *r = out;
}

void addr_ranges_add(struct addr_ranges *r, struct arena *a, const struct fw_addr *range)
{
    struct fw_addr all = *range;
    struct ip_addr before = range->a, after = range->b;
    bool has_before = step(&before, false), has_after = step(&after, true);
    /* What overlaps or touches becomes part of it. */
    for (size_t i = 0; i < r->count; i++) {
        const struct fw_addr *o = &r->items[i];
        if (o->a.family != all.a.family || ip_compare(&o->b, has_before ? &before : &range->a) < 0 ||
            ip_compare(&o->a, has_after ? &after : &range->b) > 0)
            continue;
        if (ip_compare(&o->a, &all.a) < 0)
            all.a = o->a;
        if (ip_compare(&o->b, &all.b) > 0)
            all.b = o->b;
    }
    addr_ranges_remove(r, a, &all);
    struct addr_ranges out = room(r, a);
    size_t i = 0;
    for (; i < r->count && ip_compare(&r->items[i].b, &all.a) < 0; i++)
        out.items[out.count++] = r->items[i];
    out.items[out.count++] = all;
    for (; i < r->count; i++)
        out.items[out.count++] = r->items[i];
    *r = out;
}

bool addr_ranges_have(const struct addr_ranges *r, const struct ip_addr *ip)
{
    for (size_t i = 0; i < r->count; i++)
        if (ip_compare(&r->items[i].a, ip) <= 0 && ip_compare(ip, &r->items[i].b) <= 0)
            return true;
    return false;
}

struct addr_ranges addr_ranges_family(const struct addr_ranges *r, uint8_t family)
{
    size_t first = 0, last;
    while (first < r->count && r->items[first].a.family != family)
        first++;
    for (last = first; last < r->count && r->items[last].a.family == family; last++)
        ;
    return (struct addr_ranges){r->items + first, last - first};
}
