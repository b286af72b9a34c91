/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Regions: lists of cells that do not overlap. */
#include <stdlib.h>

#include "models/base/err.h"
#include "models/firewall/cells.h"

void fw_region_push(struct fw_space *s, struct fw_region *r, const struct fw_cell *c)
{
    struct fw_cell *cell = fw_space_room(s, r->cell, r->count, &r->cap, sizeof *cell);
    if (!cell)
        return;
    cell[r->count++] = *c;
    r->cell = cell;
}

struct fw_region fw_region_any(struct fw_space *s)
{
    struct fw_region r = {0};
    fw_region_push(s, &r, &fw_cell_any_v4);
    fw_region_push(s, &r, &fw_cell_any_v6);
    return r;
}

static struct fw_region without(struct fw_space *s, const struct fw_region *a, const struct fw_cell *c)
{
    struct fw_region out = {0};
    for (size_t i = 0; i < a->count; i++) {
        struct fw_cell both, rest[FW_DIMS];
        if (!fw_cell_intersect(s, &a->cell[i], c, &both)) {
            fw_region_push(s, &out, &a->cell[i]);
            continue;
        }
        size_t n = fw_cell_carve(s, &a->cell[i], both.dim, rest);
        for (size_t k = 0; k < n; k++)
            fw_region_push(s, &out, &rest[k]);
    }
    return out;
}

void fw_region_add(struct fw_space *s, struct fw_region *r, const struct fw_cell *c)
{
    struct fw_region fresh = {0};
    fw_region_push(s, &fresh, c);
    for (size_t i = 0; i < r->count && fresh.count; i++)
        fresh = without(s, &fresh, &r->cell[i]);
    for (size_t i = 0; i < fresh.count; i++)
        fw_region_push(s, r, &fresh.cell[i]);
}

/* The addresses of one family. */
static struct fw_spans spans_of(struct fw_space *s, const struct fw_addr *addr, size_t count,
                                const struct fw_cell *any)
{
    struct fw_spans all = any->dim[FW_DIM_SRC], out = count ? (struct fw_spans){0} : all;
    struct fw_span *span = count ? malloc(count * sizeof *span) : NULL;
    size_t n = 0;
    for (size_t i = 0; i < count && span; i++)
        if (addr[i].a.family == any->family && !addr[i].masked)
            span[n++] = (struct fw_span){fw_wide_of(&addr[i].a), fw_wide_of(&addr[i].b)};
    if (count && span)
        out = fw_spans_of(s, span, n);
    else if (count)
        fw_space_fail(s, E_NOMEM);
    free(span);
    for (size_t i = 0; i < count; i++)
        if (addr[i].a.family == any->family && addr[i].masked)
            out = fw_spans_union(s, out, fw_spans_masked(s, all, fw_wide_of(&addr[i].a), fw_wide_of(&addr[i].b)));
    return out;
}

struct fw_region fw_region_of(struct fw_space *s, const struct fw_addr *src, size_t src_count,
                              const struct fw_addr *dst, size_t dst_count, const struct fw_service *service,
                              size_t service_count)
{
    static const struct fw_cell *const any[] = {&fw_cell_any_v4, &fw_cell_any_v6};
    const struct fw_service all = FW_SERVICE_ANY;
    struct fw_region r = {0};
    for (size_t f = 0; f < 2; f++) {
        struct fw_cell c = *any[f];
        c.dim[FW_DIM_SRC] = spans_of(s, src, src_count, any[f]);
        c.dim[FW_DIM_DST] = spans_of(s, dst, dst_count, any[f]);
        if (!c.dim[FW_DIM_SRC].count || !c.dim[FW_DIM_DST].count)
            continue;
        for (size_t i = 0; i < (service_count ? service_count : 1); i++) {
            const struct fw_service *v = service_count ? &service[i] : &all;
            c.dim[FW_DIM_PROTO] = fw_spans_one(s, v->proto_lo, v->proto_hi);
            c.dim[FW_DIM_SPORT] = fw_spans_one(s, v->sport_lo, v->sport_hi);
            c.dim[FW_DIM_DPORT] = fw_spans_one(s, v->dport_lo, v->dport_hi);
            fw_region_add(s, &r, &c);
        }
    }
    return r;
}

struct fw_region fw_region_intersect(struct fw_space *s, const struct fw_region *a, const struct fw_region *b)
{
    struct fw_region out = {0};
    struct fw_cell both;
    for (size_t i = 0; i < a->count; i++)
        for (size_t k = 0; k < b->count; k++)
            if (fw_cell_intersect(s, &a->cell[i], &b->cell[k], &both))
                fw_region_push(s, &out, &both);
    return out;
}

struct fw_region fw_region_subtract(struct fw_space *s, const struct fw_region *a, const struct fw_region *b)
{
    struct fw_region out = *a;
    out.cap = out.count; /* a's own cells are not written to */
    for (size_t i = 0; i < b->count && out.count; i++)
        out = without(s, &out, &b->cell[i]);
    return out;
}

struct fw_region fw_region_union(struct fw_space *s, const struct fw_region *a, const struct fw_region *b)
{
    struct fw_region out = fw_region_subtract(s, a, b);
    out.cap = out.count;
    for (size_t i = 0; i < b->count; i++)
        fw_region_push(s, &out, &b->cell[i]);
    return out;
}

struct fw_region fw_region_turned(struct fw_space *s, const struct fw_region *a)
{
    struct fw_region out = {0};
    for (size_t i = 0; i < a->count; i++) {
        struct fw_cell c = fw_cell_turned(&a->cell[i]);
        fw_region_push(s, &out, &c);
    }
    return out;
}

bool fw_region_within(struct fw_space *s, const struct fw_region *a, const struct fw_region *b)
{
    return fw_region_subtract(s, a, b).count == 0;
}

bool fw_region_equal(struct fw_space *s, const struct fw_region *a, const struct fw_region *b)
{
    return fw_region_within(s, a, b) && fw_region_within(s, b, a);
}

bool fw_region_has(const struct fw_region *r, const struct fw_flow *f)
{
    for (size_t i = 0; i < r->count; i++)
        if (fw_cell_has(&r->cell[i], f))
            return true;
    return false;
}

fw_wide fw_region_count(const struct fw_region *r)
{
    fw_wide sum = 0;
    for (size_t i = 0; i < r->count; i++) {
        fw_wide n = fw_cell_count(&r->cell[i]);
        sum = sum + n < sum ? ~(fw_wide)0 : sum + n;
    }
    return sum;
}

/* ---- fewer cells ---- */

static int spans_order(struct fw_spans a, struct fw_spans b)
{
    for (size_t i = 0; i < a.count && i < b.count; i++) {
        const struct fw_span *x = &a.span[i], *y = &b.span[i];
        if (x->lo != y->lo)
            return x->lo < y->lo ? -1 : 1;
        if (x->hi != y->hi)
            return x->hi < y->hi ? -1 : 1;
    }
    return a.count != b.count ? (a.count < b.count ? -1 : 1) : 0;
}

/* By all dimensions but `last`, then by that. */
static int cell_order(const struct fw_cell *a, const struct fw_cell *b, int last)
{
    int c = a->family - b->family;
    for (int d = 0; d < FW_DIMS && !c; d++)
        if (d != last)
            c = spans_order(a->dim[d], b->dim[d]);
    return c ? c : spans_order(a->dim[last], b->dim[last]);
}

#define ORDER(name, last)                                                                                            \
    static int name(const void *a, const void *b)                                                                    \
    {                                                                                                                \
        return cell_order(a, b, last);                                                                               \
    }
ORDER(by_proto, FW_DIM_PROTO)
ORDER(by_src, FW_DIM_SRC)
ORDER(by_dst, FW_DIM_DST)
ORDER(by_sport, FW_DIM_SPORT)
ORDER(by_dport, FW_DIM_DPORT)

static bool differ_in_one(const struct fw_cell *a, const struct fw_cell *b, int dim)
{
    bool same = a->family == b->family;
    for (int d = 0; d < FW_DIMS && same; d++)
        same = d == dim || fw_spans_equal(a->dim[d], b->dim[d]);
    return same;
}

void fw_region_compact(struct fw_space *s, struct fw_region *r)
{
    static int (*const order[FW_DIMS])(const void *, const void *) = {by_proto, by_src, by_dst, by_sport, by_dport};
    struct fw_region out = {0};
    for (size_t i = 0; i < r->count; i++)
        fw_region_push(s, &out, &r->cell[i]);
    for (size_t before = out.count + 1; out.count < before && out.count > 1;) {
        before = out.count;
        for (int d = FW_DIMS - 1; d >= 0; d--) {
            qsort(out.cell, out.count, sizeof *out.cell, order[d]);
            size_t n = 0;
            for (size_t i = 1; i < out.count; i++) {
                if (differ_in_one(&out.cell[n], &out.cell[i], d))
                    out.cell[n].dim[d] = fw_spans_union(s, out.cell[n].dim[d], out.cell[i].dim[d]);
                else
                    out.cell[++n] = out.cell[i];
            }
            out.count = n + 1;
        }
    }
    *r = out;
}
