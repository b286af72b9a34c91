/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fates that are alike become one part. */
#include <string.h>

#include "models/firewall/exact_ask.h"

static bool same_verdict(const struct fw_verdict *a, const struct fw_verdict *b)
{
    if (a == b)
        return true;
    bool same = a->decision == b->decision && a->reject == b->reject && a->list == b->list && a->iface == b->iface &&
                a->dir == b->dir && a->rule == b->rule && a->doubt_count == b->doubt_count &&
                strcmp(a->reason, b->reason) == 0;
    for (size_t i = 0; i < a->doubt_count && same; i++)
        same = a->doubt[i].ref == b->doubt[i].ref;
    return same;
}

static bool alike(const struct fw_lot *a, const struct fw_lot *b)
{
    return a->piece.out == b->piece.out && a->piece.nat_dst == b->piece.nat_dst &&
           a->piece.nat_src == b->piece.nat_src &&
           a->piece.dynamic == b->piece.dynamic && same_verdict(a->verdict, b->verdict);
}

static size_t hash_of(const struct fw_lot *f)
{
    uint64_t v[5] = {(uintptr_t)f->verdict->rule, (uintptr_t)f->verdict->list,
                     (uint64_t)f->verdict->decision << 8 | f->verdict->doubt_count, (uint64_t)f->piece.out,
                     (uintptr_t)f->piece.nat_dst ^ (uintptr_t)f->piece.nat_src << 1};
    return fw_hash(v, sizeof v);
}

static struct fw_part part_of(const struct fw_ask *a, const struct fw_lot *f)
{
    return (struct fw_part){.in = a->q->in, .out = f->piece.out, .verdict = *f->verdict,
                            .nat_dst = f->piece.nat_dst, .nat_src = f->piece.nat_src,
                            .nat_dynamic = f->piece.dynamic};
}

static bool is_fixed(const struct fw_piece *p)
{
    for (int d = 0; d < FW_DIMS; d++)
        if (p->leaving[d].kind == FW_FIXED)
            return true;
    return false;
}

static void fill(struct fw_ask *a, struct fw_part *part, const struct fw_piece *p)
{
    struct fw_cell arrived = fw_piece_view(a->space, p, FW_VIEW_ARRIVED);
    struct fw_cell leaving = fw_piece_view(a->space, p, FW_VIEW_LEAVING);
    fw_region_push(a->space, &part->arrived, &arrived);
    if (is_fixed(p)) /* many may become one */
        fw_region_add(a->space, &part->leaving, &leaving);
    else
        fw_region_push(a->space, &part->leaving, &leaving);
}

/* Gives each lot the number of its part; their count. */
static size_t number(struct fw_ask *a, uint32_t *of, struct fw_part *parts)
{
    size_t n = 0, slots = 16;
    while (slots < 2 * a->said.count)
        slots *= 2;
    uint32_t *slot = fw_space_alloc(a->space, slots * sizeof *slot); /* 1 + a lot of the part */
    if (!slot)
        return 0;
    memset(slot, 0, slots * sizeof *slot);
    for (size_t i = 0; i < a->said.count; i++) {
        const struct fw_lot *f = &a->said.lot[i];
        size_t at = hash_of(f) & (slots - 1);
        while (slot[at] && !alike(&a->said.lot[slot[at] - 1], f))
            at = (at + 1) & (slots - 1);
        if (!slot[at]) {
            slot[at] = (uint32_t)i + 1;
            of[i] = (uint32_t)n;
            parts[n++] = part_of(a, f);
        } else {
            of[i] = of[slot[at] - 1];
        }
        parts[of[i]].piece_count++;
    }
    return n;
}

void fw_group(struct fw_ask *a, struct fw_part **parts, size_t *count)
{
    size_t all = a->said.count;
    *count = 0;
    *parts = fw_space_alloc(a->space, (all + 1) * sizeof **parts);
    uint32_t *of = fw_space_alloc(a->space, (all + 1) * sizeof *of);
    struct fw_piece *piece = fw_space_alloc(a->space, (all + 1) * sizeof *piece);
    if (fw_space_error(a->space))
        return;
    size_t n = number(a, of, *parts), at = 0;
    if (fw_space_error(a->space))
        return;
    for (size_t i = 0; i < n; i++) {
        (*parts)[i].piece = piece + at;
        at += (*parts)[i].piece_count;
        (*parts)[i].piece_count = 0;
    }
    for (size_t i = 0; i < all; i++) {
        struct fw_part *part = &(*parts)[of[i]];
        piece[(size_t)(part->piece - piece) + part->piece_count++] = a->said.lot[i].piece;
        fill(a, part, &a->said.lot[i].piece);
    }
    *count = n;
}
