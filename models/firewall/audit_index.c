/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/firewall/audit_index.h"

#include <stdlib.h>
#include <string.h>

enum { REACH_MAX = 8 /* segments that a rule may lie in, else it is wide */, RULES_A_SEGMENT = 8 };

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void range_of(const struct fw_hull *h, bool dst, uint32_t *lo, uint32_t *hi)
{
    *lo = dst ? h->dst_lo : h->src_lo;
    *hi = dst ? h->dst_hi : h->src_hi;
}

/* The segment that has n. */
static size_t segment_of(const struct fw_index_side *s, uint32_t n)
{
    size_t lo = 0, hi = s->segments;
    while (hi - lo > 1) {
        size_t mid = (lo + hi) / 2;
        if (s->bound[mid] <= n)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

/* The segments that the hull lies in. True: they are few. */
static bool reach(const struct fw_index_side *s, const struct fw_hull *h, bool dst, size_t *first, size_t *last)
{
    uint32_t lo, hi;
    range_of(h, dst, &lo, &hi);
    *first = segment_of(s, lo);
    *last = segment_of(s, hi);
    return *last - *first < REACH_MAX;
}

/* Segments with about as many rules each. */
static bool make_bounds(struct fw_index_side *s, const struct fw_ready_list *l, bool dst, struct fw_space *space)
{
    uint32_t *lo = fw_space_alloc(space, (l->count + 1) * sizeof *lo);
    s->bound = fw_space_alloc(space, (l->count / RULES_A_SEGMENT + 2) * sizeof *s->bound);
    if (!lo || !s->bound)
        return false;
    for (size_t i = 0; i < l->count; i++) {
        uint32_t hi;
        range_of(&l->hull[i], dst, &lo[i], &hi);
    }
    qsort(lo, l->count, sizeof *lo, by_value);
    s->bound[s->segments++] = 0;
    for (size_t i = RULES_A_SEGMENT; i < l->count; i += RULES_A_SEGMENT)
        if (lo[i] > s->bound[s->segments - 1])
            s->bound[s->segments++] = lo[i];
    s->first = fw_space_alloc(space, (s->segments + 2) * sizeof *s->first);
    s->rule = fw_space_alloc(space, (l->count * REACH_MAX + 1) * sizeof *s->rule);
    if (s->first)
        memset(s->first, 0, (s->segments + 2) * sizeof *s->first);
    return s->first && s->rule;
}

/* Puts the rules that are narrow here, and not in `taken` yet, into their segments. */
static void fill(struct fw_index_side *s, const struct fw_ready_list *l, bool dst, bool *taken)
{
    size_t first, last;
    for (int writing = 0; writing < 2; writing++) {
        for (size_t i = 0; i < l->count; i++) {
            if (taken[i] || !reach(s, &l->hull[i], dst, &first, &last))
                continue;
            for (size_t k = first; k <= last; k++) {
                if (writing)
                    s->rule[s->first[k + 1]] = (uint32_t)i;
                s->first[k + 1 + !writing]++;
            }
            taken[i] = writing;
        }
        for (size_t k = 1; !writing && k <= s->segments + 1; k++)
            s->first[k] += s->first[k - 1];
    }
}

bool fw_index_make(struct fw_index *x, const struct fw_ready_list *l, struct fw_space *s)
{
    *x = (struct fw_index){.list = l};
    bool *taken = fw_space_alloc(s, l->count + 1);
    x->wide = fw_space_alloc(s, (l->count + 1) * sizeof *x->wide);
    x->found = fw_space_alloc(s, (l->count * REACH_MAX + 1) * sizeof *x->found); /* each rule is on one side */
    if (!taken || !x->wide || !x->found || !make_bounds(&x->dst, l, true, s) || !make_bounds(&x->src, l, false, s))
        return false;
    memset(taken, 0, l->count + 1);
    fill(&x->dst, l, true, taken);
    fill(&x->src, l, false, taken);
    for (size_t i = 0; i < l->count; i++)
        if (!taken[i])
            x->wide[x->wide_count++] = (uint32_t)i;
    return true;
}

static size_t collect(const struct fw_index *x, const struct fw_index_side *s, size_t first, size_t last,
                      const struct fw_hull *h, size_t before, size_t n)
{
    for (uint32_t k = s->first[first]; k < s->first[last + 1]; k++)
        if (s->rule[k] < before && fw_hulls_meet(&x->list->hull[s->rule[k]], h))
            x->found[n++] = s->rule[k];
    return n;
}

size_t fw_index_find(struct fw_index *x, const struct fw_hull *h, size_t before)
{
    size_t n = 0, first, last;
    reach(&x->dst, h, true, &first, &last);
    n = collect(x, &x->dst, first, last, h, before, n);
    reach(&x->src, h, false, &first, &last);
    n = collect(x, &x->src, first, last, h, before, n);
    for (size_t i = 0; i < x->wide_count && x->wide[i] < before; i++)
        if (fw_hulls_meet(&x->list->hull[x->wide[i]], h))
            x->found[n++] = x->wide[i];
    qsort(x->found, n, sizeof *x->found, by_value);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!kept || x->found[kept - 1] != x->found[i])
            x->found[kept++] = x->found[i];
    return kept;
}
