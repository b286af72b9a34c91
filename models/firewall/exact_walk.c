/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A set of packets walks through a list: each rule takes its part out of what is left. The same steps as walk_list of
 * eval.c, for many packets at a time. */
#include "models/firewall/exact_walk.h"

#include <string.h>

void fw_threads_push(struct fw_space *s, struct fw_threads *t, const struct fw_thread *one)
{
    struct fw_thread *thread = fw_space_room(s, t->thread, t->count, &t->cap, sizeof *thread);
    if (!thread)
        return;
    thread[t->count++] = *one;
    t->thread = thread;
}

static void push_cell(struct fw_walk *w, struct fw_threads *t, const struct fw_thread *like, const struct fw_cell *c)
{
    struct fw_thread one = *like;
    one.cell = *c;
    one.hull = fw_hull_of(c);
    fw_threads_push(w->space, t, &one);
}

static struct fw_hull all_hulls(const struct fw_threads *t)
{
    struct fw_hull h = {0};
    for (size_t i = 0; i < t->count; i++)
        h = i ? fw_hull_union(&h, &t->thread[i].hull) : t->thread[i].hull;
    return h;
}

/* ---- one rule ---- */

/* The conditions that are the same for all packets of a question. */
static bool may_match(const struct fw_walk *w, const struct fw_conditions *c)
{
    return !c || (fw_conditions_fit(c, w->in, w->out, w->states) && !c->fragment &&
                  (!c->tcp_flags || c->tcp_flags >> (w->tcp_flags & 63) & 1));
}

static struct fw_spans owned(struct fw_walk *w, struct fw_spans a, uint8_t family, int8_t wanted)
{
    struct fw_spans own = w->prepared->own[family];
    return !wanted ? a : wanted > 0 ? fw_spans_intersect(w->space, a, own) : fw_spans_subtract(w->space, a, own);
}

/* What the rule's conditions leave of it. */
static bool cut(struct fw_walk *w, const struct fw_cell *cell, const struct fw_ready_rule *r, size_t service,
                struct fw_spans in[FW_DIMS])
{
    static const struct fw_span tcp = {PROTO_TCP, PROTO_TCP};
    if (!fw_ready_cut(w->space, cell, r, service, in))
        return false;
    const struct fw_conditions *c = r->rule->when;
    if (!c)
        return true;
    if (c->tcp_flags)
        in[FW_DIM_PROTO] = fw_spans_intersect(w->space, in[FW_DIM_PROTO], (struct fw_spans){&tcp, 1});
    in[FW_DIM_SRC] = owned(w, in[FW_DIM_SRC], cell->family, c->src_is_own);
    in[FW_DIM_DST] = owned(w, in[FW_DIM_DST], cell->family, c->dst_is_own);
    return in[FW_DIM_PROTO].count && in[FW_DIM_SRC].count && in[FW_DIM_DST].count;
}

/* Moves what the rule matches from t to hit; what it leaves stays. */
static void take(struct fw_walk *w, const struct fw_ready_rule *r, const struct fw_hull *hull, struct fw_threads *t,
                 struct fw_threads *hit)
{
    for (size_t v = 0; v < r->service_count; v++)
        for (size_t i = 0; i < t->count;) {
            struct fw_spans in[FW_DIMS];
            struct fw_thread whole = t->thread[i];
            if (!fw_hulls_meet(&whole.hull, hull) || !cut(w, &whole.cell, r, v, in)) {
                i++;
                continue;
            }
            struct fw_cell part = {.family = whole.cell.family}, rest[FW_DIMS];
            memcpy(part.dim, in, sizeof part.dim);
            push_cell(w, hit, &whole, &part);
            size_t n = fw_cell_carve(w->space, &whole.cell, in, rest);
            t->thread[i] = t->thread[--t->count];
            for (size_t k = 0; k < n; k++)
                push_cell(w, t, &whole, &rest[k]);
        }
}

/* ---- a list ---- */

static struct fw_trace *changed(struct fw_walk *w, const struct fw_trace *t)
{
    struct fw_trace *c = fw_space_alloc(w->space, sizeof *c);
    if (!c)
        c = &w->spare;
    *c = *t;
    return c;
}

static void walk(struct fw_walk *w, const struct fw_ready_list *l, struct fw_threads *t, struct fw_threads *done,
                 unsigned depth);

/* Packets that met a jump or goto go through its list; those that may come back are left in t. */
static void branch(struct fw_walk *w, const struct fw_ready_rule *r, struct fw_threads *hit, struct fw_threads *t,
                   struct fw_threads *done, unsigned depth)
{
    struct fw_threads sub = {0};
    bool back = r->rule->action == FW_JUMP;
    walk(w, r->target, hit, &sub, depth + 1);
    for (size_t i = 0; i < sub.count; i++) {
        struct fw_thread *one = &sub.thread[i];
        bool fell = one->trace->fell >> (depth + 1) & 1;
        if (fell) {
            struct fw_trace *c = changed(w, one->trace);
            c->fell &= ~(UINT64_C(1) << (depth + 1));
            if (!back)
                c->fell |= UINT64_C(1) << depth;
            one->trace = c;
        }
        fw_threads_push(w->space, (fell && back) || fw_is_doubtful(r->rule) ? t : done, one);
    }
}

/* What becomes of the packets that met a rule. */
static void apply(struct fw_walk *w, const struct fw_ready_list *l, const struct fw_ready_rule *r,
                  struct fw_threads *hit, struct fw_threads *t, struct fw_threads *done, unsigned depth)
{
    bool too_deep = depth == FW_DEPTH_MAX || w->steps++ >= FW_STEPS_MAX;
    const struct fw_trace *before = NULL, *after = NULL;
    for (size_t i = 0; i < hit->count; i++) {
        if (hit->thread[i].trace != before) {
            before = hit->thread[i].trace;
            struct fw_trace *c = changed(w, before);
            fw_trace_meets(c, l->list, r->rule, too_deep);
            if (too_deep || r->rule->action == FW_RETURN)
                c->fell |= UINT64_C(1) << depth;
            after = c;
        }
        hit->thread[i].trace = after;
    }
    bool jumps = r->rule->action == FW_JUMP || r->rule->action == FW_GOTO;
    if (jumps && !too_deep) {
        branch(w, r, hit, t, done, depth);
        return;
    }
    bool on = !too_deep && (fw_is_doubtful(r->rule) || r->rule->action == FW_NOTRACK);
    for (size_t i = 0; i < hit->count; i++)
        fw_threads_push(w->space, on ? t : done, &hit->thread[i]);
}

/* All of t ends in done; bit `depth` of a trace's `fell`: without a decision. */
static void walk(struct fw_walk *w, const struct fw_ready_list *l, struct fw_threads *t, struct fw_threads *done,
                 unsigned depth)
{
    struct fw_hull all = all_hulls(t);
    for (size_t i = 0; i < l->count && t->count; i++) {
        const struct fw_ready_rule *r = &l->rule[i];
        if (!fw_hulls_meet(&l->hull[i], &all) || !may_match(w, r->rule->when))
            continue;
        struct fw_threads hit = {0};
        take(w, r, &l->hull[i], t, &hit);
        if (!hit.count)
            continue;
        apply(w, l, r, &hit, t, done, depth);
        all = all_hulls(t);
        if (fw_space_error(w->space))
            return;
    }
    const struct fw_trace *before = NULL, *after = NULL;
    for (size_t i = 0; i < t->count; i++) {
        if (t->thread[i].trace != before) {
            before = t->thread[i].trace;
            struct fw_trace *c = changed(w, before);
            c->fell |= UINT64_C(1) << depth;
            after = c;
        }
        t->thread[i].trace = after;
        fw_threads_push(w->space, done, &t->thread[i]);
    }
    t->count = 0;
}

void fw_walk_list(struct fw_walk *w, const struct fw_ready_list *l, struct fw_threads *from, struct fw_threads *done)
{
    walk(w, l, from, done, 0);
}
