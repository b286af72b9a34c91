/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules' verdict on pieces: the same as fw_eval (eval.c) gives on each of their packets. */
#include "models/firewall/exact_ask.h"

const struct fw_verdict *fw_verdict_keep(struct fw_space *s, const struct fw_verdict *v)
{
    struct fw_verdict *k = fw_space_alloc(s, sizeof *k);
    if (k)
        *k = *v;
    return k;
}

/* ---- walking pieces ---- */

static const struct fw_trace nothing;

struct fw_threads fw_threads_of(struct fw_ask *a, const struct fw_pieces *p, enum fw_view view)
{
    struct fw_threads t = {0};
    for (size_t i = 0; i < p->count; i++) {
        struct fw_thread one = {.cell = fw_piece_view(a->space, &p->piece[i], view), .piece = (uint32_t)i,
                                .trace = &nothing};
        one.hull = fw_hull_of(&one.cell);
        fw_threads_push(a->space, &t, &one);
    }
    return t;
}

/* ---- machines with lists ---- */

/* Those that the first list may leave undecided, as they come to the second. */
static void sort_fallen(struct fw_ask *a, const struct fw_threads *from, struct fw_threads *fell,
                        struct fw_threads *decided)
{
    for (size_t i = 0; i < from->count; i++) {
        struct fw_thread one = from->thread[i];
        bool on = one.trace->fell & 1;
        struct fw_trace *t = on ? fw_space_alloc(a->space, sizeof *t) : NULL;
        if (t) {
            *t = *one.trace;
            t->fell &= ~UINT64_C(1);
            one.trace = t;
        }
        fw_threads_push(a->space, on ? fell : decided, &one);
    }
}

/* The pieces, split by what the lists say of them, appended to *to. */
static void ask_lists(struct fw_ask *a, const struct fw_lists *l, int out, const struct fw_pieces *p,
                      struct fw_lots *to)
{
    enum fw_view view = a->prepared->rules->policy.view[l->dir];
    struct fw_walk w = {.prepared = a->prepared, .space = a->space, .in = a->q->in, .out = out,
                        .states = a->states, .tcp_flags = a->tcp_flags};
    struct fw_threads t = fw_threads_of(a, p, view), done = {0};
    const struct fw_list *list = l->own ? l->own : l->global;
    if (l->own && l->global) {
        struct fw_threads first = {0};
        fw_walk_list(&w, fw_ready_list(a->prepared, l->own), &t, &first);
        t = (struct fw_threads){0};
        sort_fallen(a, &first, &t, &done);
        list = l->global;
    }
    fw_walk_list(&w, fw_ready_list(a->prepared, list), &t, &done);
    const struct fw_trace *last = NULL;
    const struct fw_verdict *verdict = NULL;
    for (size_t i = 0; i < done.count; i++) {
        const struct fw_thread *one = &done.thread[i];
        if (one->trace != last) {
            struct fw_verdict v = fw_verdict_lists(l, one->trace);
            verdict = fw_verdict_keep(a->space, &v);
            last = one->trace;
        }
        struct fw_piece part = fw_piece_narrow(a->space, &p->piece[one->piece], view, &one->cell);
        fw_lots_push(a->space, to, &part, verdict);
    }
}

static void all_the_same(struct fw_ask *a, const struct fw_pieces *p, const struct fw_verdict *v, struct fw_lots *to)
{
    const struct fw_verdict *kept = fw_verdict_keep(a->space, v);
    for (size_t i = 0; i < p->count; i++)
        fw_lots_push(a->space, to, &p->piece[i], kept);
}

static void ask_inbound(struct fw_ask *a, int out, const struct fw_pieces *p, struct fw_lots *to)
{
    const struct fw_rules *r = a->prepared->rules;
    int in = a->q->in;
    struct fw_lists l = {.own = in < 0 ? NULL : r->iface[in].list[FW_IN], .global = r->global, .dir = FW_IN,
                      .iface = in, .otherwise = fw_without_list(r, in, out)};
    if (!l.own && !l.global) {
        all_the_same(a, p, &l.otherwise, to);
        return;
    }
    if (r->policy.without_list != FW_DEFAULT_ZONES)
        l.otherwise = (struct fw_verdict){.decision = FW_DENIED}; /* the implicit deny at a list's end */
    ask_lists(a, &l, out, p, to);
}

/* What the list of the way in did not deny, the list of the way out may. */
static void ask_outbound(struct fw_ask *a, int out, const struct fw_lots *inbound, struct fw_lots *to)
{
    struct fw_lists l = {.own = a->prepared->rules->iface[out].list[FW_OUT], .dir = FW_OUT, .iface = out,
                      .otherwise = {.decision = FW_DENIED}};
    for (size_t i = 0; i < inbound->count; i++) {
        const struct fw_lot *f = &inbound->lot[i];
        if (f->verdict && f->verdict->decision == FW_DENIED) {
            fw_lots_push(a->space, to, &f->piece, f->verdict);
            continue;
        }
        struct fw_pieces one = {0};
        struct fw_lots out_says = {0};
        fw_pieces_push(a->space, &one, &f->piece);
        ask_lists(a, &l, out, &one, &out_says);
        for (size_t k = 0; k < out_says.count; k++) {
            const struct fw_verdict *v = out_says.lot[k].verdict;
            bool passes = v && v->decision == FW_PERMITTED;
            fw_lots_push(a->space, to, &out_says.lot[k].piece, passes ? f->verdict : v);
        }
    }
}

static void by_lists(struct fw_ask *a, int out, const struct fw_pieces *p, struct fw_lots *to)
{
    const struct fw_rules *r = a->prepared->rules;
    const char *bar = fw_level_bars(r, a->q->in, out);
    struct fw_verdict barred = fw_verdict_of(FW_DENIED, bar);
    if (bar) {
        all_the_same(a, p, &barred, to);
        return;
    }
    if (out < 0 || !r->iface[out].list[FW_OUT]) {
        ask_inbound(a, out, p, to);
        return;
    }
    struct fw_lots inbound = {0};
    ask_inbound(a, out, p, &inbound);
    ask_outbound(a, out, &inbound, to);
}

/* ---- lines that nobody understood ---- */

static const struct fw_verdict *doubted(struct fw_ask *a, const struct fw_verdict *was, const struct fw_taint *t)
{
    if (!was)
        return NULL;
    struct fw_verdict v = *was;
    fw_verdict_taint(&v, t);
    return fw_verdict_keep(a->space, &v);
}

/* What the taint has of a lot, as its header is in the view; *f is what is left, false: nothing. */
static bool taint_one(struct fw_ask *a, const struct fw_ready_taint *t, enum fw_view view, struct fw_lot *f,
                      struct fw_lots *hit, struct fw_lots *more)
{
    struct fw_cell seen = fw_piece_view(a->space, &f->piece, view);
    for (size_t v = 0; v < t->rule.service_count; v++) {
        struct fw_cell part = {.family = seen.family}, rest[FW_DIMS];
        if (!fw_ready_cut(a->space, &seen, &t->rule, v, part.dim))
            continue;
        struct fw_piece whole = f->piece, tainted = fw_piece_narrow(a->space, &whole, view, &part);
        fw_lots_push(a->space, hit, &tainted, doubted(a, f->verdict, t->taint));
        size_t n = fw_cell_carve(a->space, &seen, part.dim, rest);
        for (size_t i = 1; i < n; i++) {
            struct fw_piece left = fw_piece_narrow(a->space, &whole, view, &rest[i]);
            fw_lots_push(a->space, more, &left, f->verdict);
        }
        if (!n)
            return false;
        f->piece = fw_piece_narrow(a->space, &whole, view, &rest[0]);
        seen = rest[0];
    }
    return true;
}

static void taint(struct fw_ask *a, const struct fw_ready_taint *t, enum fw_view view, struct fw_lots *all,
                  struct fw_lots *hit)
{
    for (size_t i = 0; i < all->count;) {
        struct fw_lot f = all->lot[i];
        if (taint_one(a, t, view, &f, hit, all))
            all->lot[i++] = f;
        else
            all->lot[i] = all->lot[--all->count];
    }
}

static void taint_all(struct fw_ask *a, int out, struct fw_lots *all)
{
    const struct fw_prepared *p = a->prepared;
    for (size_t i = 0; i < p->rules->taint_count; i++) {
        const struct fw_ready_taint *t = &p->taint[i];
        struct fw_lots hit = {0};
        if (!fw_on_iface(t->taint->in_ifaces, a->q->in) || !fw_on_iface(t->taint->out_ifaces, out))
            continue;
        taint(a, t, FW_VIEW_REAL, all, &hit);
        taint(a, t, FW_VIEW_ARRIVED, all, &hit);
        for (size_t k = 0; k < hit.count; k++)
            fw_lots_push(a->space, all, &hit.lot[k].piece, hit.lot[k].verdict);
    }
}

/* ---- addresses that are drawn ---- */

static const struct fw_verdict *either(struct fw_ask *a, const struct fw_lot *x, const struct fw_lot *y)
{
    const struct fw_rule_ref *nat = x->piece.nat_src ? x->piece.nat_src : x->piece.nat_dst;
    struct fw_verdict v = *x->verdict;
    if (v.decision == y->verdict->decision && x->piece.out == y->piece.out)
        return x->verdict;
    v.decision = FW_UNKNOWN;
    v.reason = "unsupported";
    v.rule = NULL;
    if (nat)
        fw_verdict_doubt(&v, nat, "which address or port it gives is not known");
    return fw_verdict_keep(a->space, &v);
}

/* What l has in common with one of the lots is taken from both and appended to `both`; the rest of that lot to kept. */
static void overlay_one(struct fw_ask *a, const struct fw_lot *old, struct fw_lots *l, struct fw_lots *kept,
                        struct fw_lots *both)
{
    struct fw_region left = {0};
    struct fw_cell was = fw_piece_view(a->space, &old->piece, FW_VIEW_ARRIVED);
    fw_region_push(a->space, &left, &was);
    struct fw_lots rest = {0};
    for (size_t i = 0; i < l->count; i++) {
        const struct fw_lot *lot = &l->lot[i];
        struct fw_cell here = fw_piece_view(a->space, &lot->piece, FW_VIEW_ARRIVED), common, others[FW_DIMS];
        if (!fw_cell_intersect(a->space, &was, &here, &common)) {
            fw_lots_push(a->space, &rest, &lot->piece, lot->verdict);
            continue;
        }
        struct fw_piece part = fw_piece_narrow(a->space, &lot->piece, FW_VIEW_ARRIVED, &common);
        fw_lots_push(a->space, both, &part, either(a, old, lot));
        left = fw_region_subtract(a->space, &left, &(struct fw_region){&common, 1, 1});
        size_t n = fw_cell_carve(a->space, &here, common.dim, others);
        for (size_t k = 0; k < n; k++) {
            part = fw_piece_narrow(a->space, &lot->piece, FW_VIEW_ARRIVED, &others[k]);
            fw_lots_push(a->space, &rest, &part, lot->verdict);
        }
    }
    for (size_t i = 0; i < left.count; i++) {
        struct fw_piece part = fw_piece_narrow(a->space, &old->piece, FW_VIEW_ARRIVED, &left.cell[i]);
        fw_lots_push(a->space, kept, &part, old->verdict);
    }
    *l = rest;
}

void fw_lots_overlay(struct fw_ask *a, struct fw_lots *lots)
{
    struct fw_lots out = {0}, drawn = {0};
    for (size_t i = 0; i < lots->count; i++)
        fw_lots_push(a->space, lots->lot[i].piece.partial ? &drawn : &out, &lots->lot[i].piece,
                     lots->lot[i].verdict);
    struct fw_lots done = {0};
    for (size_t i = 0; i < drawn.count && !fw_space_error(a->space); i++) {
        struct fw_lots l = {0}, kept = {0};
        fw_lots_push(a->space, &l, &drawn.lot[i].piece, drawn.lot[i].verdict);
        for (size_t k = 0; k < done.count; k++)
            overlay_one(a, &done.lot[k], &l, &kept, &kept);
        for (size_t k = 0; k < l.count; k++)
            fw_lots_push(a->space, &kept, &l.lot[k].piece, l.lot[k].verdict);
        done = kept;
    }
    for (size_t i = 0; i < done.count; i++)
        fw_lots_push(a->space, &out, &done.lot[i].piece, done.lot[i].verdict);
    *lots = out;
}

/* ---- both kinds of machine ---- */

/* What was noted about the translation makes a permitted packet unknown. */
static const struct fw_verdict *with_doubts(struct fw_ask *a, const struct fw_piece *p, const struct fw_verdict *v)
{
    if (!v || !p->doubts || (v->decision != FW_PERMITTED && !p->lost))
        return v;
    struct fw_verdict u = fw_verdict_of(FW_UNKNOWN, "unsupported");
    fw_verdict_doubts(&u, p->doubts);
    return fw_verdict_keep(a->space, &u);
}

void fw_ask_rules(struct fw_ask *a, int out, const struct fw_pieces *p, struct fw_lots *to)
{
    const struct fw_rules *r = a->prepared->rules;
    struct fw_lots said = {0};
    int in = a->q->in;
    struct fw_verdict down = fw_verdict_of(FW_NOT_REACHED, "shutdown");
    if ((in >= 0 && r->iface[in].shutdown) || (out >= 0 && r->iface[out].shutdown)) {
        all_the_same(a, p, &down, to);
        return;
    }
    if (r->base_count)
        fw_ask_chains(a, out, p, &said);
    else
        by_lists(a, out, p, &said);
    taint_all(a, out, &said);
    for (size_t i = 0; i < said.count; i++)
        fw_lots_push(a->space, to, &said.lot[i].piece, with_doubts(a, &said.lot[i].piece, said.lot[i].verdict));
}
