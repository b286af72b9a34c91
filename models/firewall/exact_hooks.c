/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A set of packets on its way through a machine with hooks (Linux netfilter): the steps of hookbox.c with empty
 * tables, or with the one connection that is answered. */
#include <string.h>

#include "models/firewall/exact_ask.h"
#include "models/firewall/fwbox.h"
#include "models/firewall/tcp_state.h"

/* ---- one base chain ---- */

/* The header that a chain sees, for pieces as fw_base_view has it for packets. */
static enum fw_view view_of(const struct fw_base *b)
{
    static const struct fw_context ctx;
    const struct fw_flow *f = fw_base_view(b, &ctx);
    return f == &ctx.arrived ? FW_VIEW_ARRIVED : f == &ctx.real ? FW_VIEW_REAL : FW_VIEW_LEAVING;
}

static struct fw_walk walk_at(struct fw_ask *a, const struct fw_base *b, int out, uint8_t states)
{
    bool before = b->hook == FW_PREROUTING || b->hook == FW_INPUT;
    return (struct fw_walk){.prepared = a->prepared, .space = a->space, .out = before ? FW_SELF : out,
                            .in = b->hook == FW_OUTPUT ? FW_SELF : a->q->in, .states = states,
                            .tcp_flags = a->tcp_flags};
}

/* Of the pieces, those of the family that the chain is for. */
static bool sees(const struct fw_base *b, const struct fw_piece *p)
{
    return !b->family || b->family == p->real.family;
}

/* ---- all chains ---- */

/* A piece, what was said of it so far, and whether a raw chain took it out of connection tracking. */
struct passing {
    struct fw_lot lot;
    bool notrack;
};

struct passings {
    struct passing *item;
    size_t count, cap;
};

static void pass_on(struct fw_space *s, struct passings *t, const struct fw_piece *p, const struct fw_verdict *v,
                    bool notrack)
{
    struct passing *item = fw_space_room(s, t->item, t->count, &t->cap, sizeof *item);
    if (!item)
        return;
    item[t->count++] = (struct passing){{*p, v}, notrack};
    t->item = item;
}

/* Those of `from` with the states and the flag of item `like` go through the chain together, and are marked done. */
static void ask_alike(struct fw_ask *a, const struct fw_base *b, int out, const struct passings *from, size_t like,
                      bool *done, struct passings *to)
{
    const struct passing *first = &from->item[like];
    enum fw_view view = view_of(b);
    struct fw_context ctx = {.states = first->lot.piece.states};
    struct fw_walk w = walk_at(a, b, out, first->notrack ? FW_STATE_UNTRACKED : fw_base_states(b, &ctx));
    struct fw_pieces pieces = {0};
    size_t *index = fw_space_alloc(a->space, (from->count + 1) * sizeof *index);
    for (size_t i = like; index && i < from->count; i++) {
        const struct passing *one = &from->item[i];
        if (done[i] || one->notrack != first->notrack || one->lot.piece.states != first->lot.piece.states)
            continue;
        done[i] = true;
        index[pieces.count] = i;
        fw_pieces_push(a->space, &pieces, &one->lot.piece);
    }
    struct fw_threads t = fw_threads_of(a, &pieces, view), ended = {0};
    fw_walk_list(&w, fw_ready_list(a->prepared, b->list), &t, &ended);
    const struct fw_trace *last = NULL;
    const struct fw_verdict *was = NULL, *now = NULL;
    for (size_t i = 0; i < ended.count; i++) {
        const struct fw_thread *one = &ended.thread[i];
        const struct passing *old = &from->item[index[one->piece]];
        if (one->trace != last || old->lot.verdict != was) {
            last = one->trace;
            was = old->lot.verdict;
            struct fw_verdict v = fw_verdict_chain(b, last, *was);
            now = fw_verdict_keep(a->space, &v);
        }
        struct fw_piece part = fw_piece_narrow(a->space, &old->lot.piece, view, &one->cell);
        if (now)
            pass_on(a->space, to, &part, now, old->notrack || one->trace->notrack);
    }
}

static bool is_first(const struct passing *p)
{
    return p->lot.piece.states & FW_STATE_NEW && !p->notrack;
}

/* Each piece that the chain is for goes through it; *t becomes what comes out. */
static void ask_chain(struct fw_ask *a, const struct fw_base *b, int out, struct passings *t)
{
    struct passings next = {0};
    bool *done = fw_space_alloc(a->space, (t->count + 1) * sizeof *done);
    for (size_t i = 0; done && i < t->count; i++) {
        const struct passing *p = &t->item[i];
        done[i] = p->lot.verdict->decision == FW_DENIED || !sees(b, &p->lot.piece) || (b->nat && !is_first(p));
        if (done[i])
            pass_on(a->space, &next, &p->lot.piece, p->lot.verdict, p->notrack);
    }
    for (size_t i = 0; done && i < t->count && !fw_space_error(a->space); i++)
        if (!done[i])
            ask_alike(a, b, out, t, i, done, &next);
    *t = next;
}

void fw_ask_chains(struct fw_ask *a, int out, const struct fw_pieces *p, struct fw_lots *to)
{
    const struct fw_rules *r = a->prepared->rules;
    struct fw_context ctx = {.in = a->q->in, .out = out};
    enum fw_hook hook[3];
    size_t hooks = fw_hooks_of(&ctx, hook);
    struct passings t = {0};
    const struct fw_verdict *start = fw_verdict_plain(a->space, FW_PERMITTED, "default", NULL);
    for (size_t i = 0; start && i < p->count; i++)
        pass_on(a->space, &t, &p->piece[i], start, false);
    for (size_t h = 0; h < hooks; h++)
        for (size_t i = 0; i < r->base_count; i++)
            if (r->base[i].hook == hook[h])
                ask_chain(a, &r->base[i], out, &t);
    for (size_t i = 0; i < t.count; i++)
        fw_lots_push(a->space, to, &t.item[i].lot.piece, t.item[i].lot.verdict);
}

/* ---- connection tracking ---- */

/* What a raw chain takes out of it is UNTRACKED; what one drops, no later one sees. */
static void take_untracked(struct fw_ask *a, struct fw_pieces *p, struct fw_pieces *untracked)
{
    const struct fw_verdict *start = fw_verdict_plain(a->space, FW_PERMITTED, "default", NULL);
    struct fw_pieces dropped = {0};
    const struct fw_rules *r = a->prepared->rules;
    enum fw_hook hook = a->q->in == FW_SELF ? FW_OUTPUT : FW_PREROUTING;
    for (size_t i = 0; start && i < r->base_count && p->count; i++) {
        const struct fw_base *b = &r->base[i];
        if (b->hook != hook || b->priority >= FW_PRIO_CONNTRACK)
            continue;
        struct fw_pieces asked = {0}, left = {0};
        for (size_t k = 0; k < p->count; k++)
            fw_pieces_push(a->space, sees(b, &p->piece[k]) ? &asked : &left, &p->piece[k]);
        struct fw_walk w = walk_at(a, b, FW_SELF, FW_STATE_INVALID);
        struct fw_threads t = fw_threads_of(a, &asked, FW_VIEW_ARRIVED), done = {0};
        fw_walk_list(&w, fw_ready_list(a->prepared, b->list), &t, &done);
        for (size_t k = 0; k < done.count; k++) {
            const struct fw_thread *one = &done.thread[k];
            struct fw_piece part = fw_piece_narrow(a->space, &asked.piece[one->piece], FW_VIEW_ARRIVED, &one->cell);
            bool drops = fw_verdict_chain(b, one->trace, *start).decision == FW_DENIED;
            if (one->trace->notrack)
                part.states = FW_STATE_UNTRACKED;
            fw_pieces_push(a->space, one->trace->notrack ? untracked : drops ? &dropped : &left, &part);
        }
        *p = left;
    }
    for (size_t i = 0; i < dropped.count; i++)
        fw_pieces_push(a->space, p, &dropped.piece[i]);
}

static struct fw_spans types(struct fw_space *s, const uint8_t *type, size_t count)
{
    struct fw_spans set = {0};
    for (size_t i = 0; i < count; i++)
        set = fw_spans_union(s, set, fw_spans_one(s, type[i], type[i]));
    return set;
}

/* The kinds of packets that no connection is known of: these begin one, the others are INVALID. */
static void classify(struct fw_ask *a, const struct fw_piece *p, struct fw_pieces *out)
{
    static const uint8_t asks[] = {8, 13, 15, 17}, asks6[] = {128, 139};
    struct fw_space *s = a->space;
    bool loose = a->prepared->rules->policy.tcp_loose;
    bool tcp_begins = tcp_state_after(TCP_NONE, 0, a->tcp_flags, loose) != TCP_INVALID;
    struct {
        uint8_t proto;
        struct fw_spans begin; /* source ports, or types, that begin a connection */
    } row[] = {{PROTO_TCP, tcp_begins ? fw_cell_any_v4.dim[FW_DIM_SPORT] : (struct fw_spans){0}},
               {PROTO_ICMP, types(s, asks, sizeof asks)},
               {PROTO_ICMP6, types(s, asks6, sizeof asks6)}};
    struct fw_pieces rest = {0}, next;
    fw_pieces_push(s, &rest, p);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        next = (struct fw_pieces){0};
        for (size_t k = 0; k < rest.count; k++) {
            struct fw_piece part, begins;
            struct fw_pieces odd = {0};
            if (!fw_piece_split_dim(a, &rest.piece[k], FW_DIM_PROTO, fw_spans_one(s, row[i].proto, row[i].proto),
                                    &part, &next))
                continue;
            if (fw_piece_split_dim(a, &part, FW_DIM_SPORT, row[i].begin, &begins, &odd)) {
                begins.states = FW_STATE_NEW;
                fw_pieces_push(s, out, &begins);
            }
            for (size_t o = 0; o < odd.count; o++) {
                odd.piece[o].states = FW_STATE_INVALID;
                fw_pieces_push(s, out, &odd.piece[o]);
            }
        }
        rest = next;
    }
    for (size_t k = 0; k < rest.count; k++) {
        rest.piece[k].states = FW_STATE_NEW;
        fw_pieces_push(s, out, &rest.piece[k]);
    }
}

/* ---- NAT chains ---- */

/* What a rule makes of a piece that met it. */
typedef void met_fn(struct fw_ask *a, int out, struct fw_piece *p, const struct fw_rule *rule, struct fw_pieces *to);

static const struct fw_trace *only_doubts(struct fw_ask *a, const struct fw_trace *t)
{
    struct fw_trace *d = t->doubt_count ? fw_space_alloc(a->space, sizeof *d) : NULL;
    if (!d)
        return NULL;
    *d = (struct fw_trace){.doubt_count = t->doubt_count};
    memcpy(d->doubt, t->doubt, sizeof d->doubt);
    return d;
}

/* The first of the hook's NAT chains that translates a new piece does so, by fn. */
static void nat_chains(struct fw_ask *a, enum fw_hook hook, int out, struct fw_pieces *p, struct fw_pieces *to,
                       met_fn *fn)
{
    static const struct fw_trace nothing;
    const struct fw_rules *r = a->prepared->rules;
    for (size_t i = 0; i < r->base_count && p->count; i++) {
        const struct fw_base *b = &r->base[i];
        if (b->hook != hook || !b->nat)
            continue;
        struct fw_pieces left = {0};
        for (size_t k = 0; k < p->count; k++) {
            struct fw_pieces one = {&p->piece[k], 1, 1};
            if (!sees(b, &p->piece[k])) {
                fw_pieces_push(a->space, &left, &p->piece[k]);
                continue;
            }
            struct fw_walk w = walk_at(a, b, out, p->piece[k].states);
            enum fw_view view = view_of(b);
            struct fw_threads t = fw_threads_of(a, &one, view), done = {0};
            t.thread[0].trace = p->piece[k].doubts ? p->piece[k].doubts : &nothing;
            fw_walk_list(&w, fw_ready_list(a->prepared, b->list), &t, &done);
            for (size_t d = 0; d < done.count; d++) {
                struct fw_piece part = fw_piece_narrow(a->space, &p->piece[k], view, &done.thread[d].cell);
                const struct fw_rule *rule = done.thread[d].trace->permit.rule;
                part.doubts = only_doubts(a, done.thread[d].trace);
                if (rule && rule->nat)
                    fn(a, out, &part, rule, to);
                else
                    fw_pieces_push(a->space, &left, &part);
            }
        }
        *p = left;
    }
    for (size_t k = 0; k < p->count; k++)
        fw_pieces_push(a->space, to, &p->piece[k]);
}

/* The addresses that a rule gives; false: it is to be an interface's, which has none of the family. */
static bool given(struct fw_ask *a, const struct fw_nat_to *to, int iface, uint8_t family, struct fw_spans *out)
{
    struct ip_addr own;
    *out = (struct fw_spans){0};
    if (to->own) {
        if (!fw_iface_address(a->nat.addresses, iface, family, &own))
            return false;
        *out = fw_spans_one(a->space, fw_wide_of(&own), fw_wide_of(&own));
    } else if (to->to && to->to->a.family == family) {
        *out = fw_spans_one(a->space, fw_wide_of(&to->to->a), fw_wide_of(&to->to->b));
    }
    return true;
}

/* Ports that the rule moves by a fixed distance, from port_base on. */
static struct fw_relation moved_by(struct fw_ask *a, const struct fw_nat_to *to)
{
    struct fw_shift *t = fw_space_alloc(a->space, 2 * sizeof *t);
    unsigned up = (unsigned)(to->port_lo - to->port_base) & 65535;
    if (!t || !up)
        return (struct fw_relation){.kind = FW_SAME};
    t[0] = (struct fw_shift){.lo = 0, .hi = 65535 - up, .to = up};
    t[1] = (struct fw_shift){.lo = 65536 - up, .hi = 65535, .to = 0};
    return (struct fw_relation){.kind = FW_SHIFTED, .shifts = {t, 2}};
}

/* The part of p that is not ICMP, which has no ports; what is goes to `to` as it is. */
static bool with_ports(struct fw_ask *a, const struct fw_piece *p, struct fw_piece *part, struct fw_pieces *to)
{
    static const uint8_t icmp[] = {PROTO_ICMP, PROTO_ICMP6};
    struct fw_spans others = fw_spans_subtract(a->space, fw_cell_any_v4.dim[FW_DIM_PROTO],
                                               types(a->space, icmp, sizeof icmp));
    return fw_piece_split_dim(a, p, FW_DIM_PROTO, others, part, to);
}

/* What the rule finds as it would leave it is not called DNATed, and goes to `to`; the rest to `rest`. */
static void keep_unmoved(struct fw_ask *a, const struct fw_piece *p, const struct fw_nat_to *nat, struct fw_spans ip,
                         struct fw_pieces *rest, struct fw_pieces *to)
{
    struct fw_piece there = *p, with, same;
    bool pool = ip.count && ip.span[0].lo != ip.span[0].hi;
    if (pool || (ip.count && !fw_piece_split_dim(a, p, FW_DIM_DST, ip, &there, rest))) {
        if (pool)
            fw_pieces_push(a->space, rest, p);
        return;
    }
    if (!nat->port_lo) {
        fw_pieces_push(a->space, to, &there);
    } else if (nat->port_base) {
        fw_pieces_push(a->space, rest, &there);
    } else if (with_ports(a, &there, &with, to)) {
        struct fw_spans range = fw_spans_one(a->space, nat->port_lo, nat->port_hi);
        if (fw_piece_split_dim(a, &with, FW_DIM_DPORT, range, &same, rest))
            fw_pieces_push(a->space, to, &same);
    }
}

/* The destination as the first packet of a connection finds it: p's real header is as it arrived. */
static void move_destination(struct fw_ask *a, struct fw_piece *p, const struct fw_nat_to *nat, struct fw_spans ip,
                             struct fw_pieces *to)
{
    struct fw_pieces ready = {0};
    p->states |= FW_STATE_DNAT;
    if (ip.count) {
        p->arrived[FW_DIM_DST] = (struct fw_relation){.kind = FW_FIXED, .image = p->real.dim[FW_DIM_DST]};
        p->real.dim[FW_DIM_DST] = ip;
    }
    struct fw_piece part;
    if (!nat->port_lo || !with_ports(a, p, &part, to)) {
        if (!nat->port_lo)
            fw_pieces_push(a->space, to, p);
        return;
    }
    struct fw_spans was = part.real.dim[FW_DIM_DPORT];
    if (nat->port_base) {
        struct fw_relation r = moved_by(a, nat);
        part.real.dim[FW_DIM_DPORT] = fw_relate(a->space, &r, part.real.family, was);
        part.arrived[FW_DIM_DPORT] = fw_relation_back(a->space, &r, was);
        fw_pieces_push(a->space, to, &part);
        return;
    }
    /* A port of the range is kept; another becomes one of them. */
    struct fw_spans range = fw_spans_one(a->space, nat->port_lo, nat->port_hi);
    struct fw_piece kept;
    if (fw_piece_split_dim(a, &part, FW_DIM_DPORT, range, &kept, &ready))
        fw_pieces_push(a->space, to, &kept);
    for (size_t i = 0; i < ready.count; i++) {
        struct fw_piece *other = &ready.piece[i];
        other->arrived[FW_DIM_DPORT] = (struct fw_relation){.kind = FW_FIXED, .image = other->real.dim[FW_DIM_DPORT]};
        other->real.dim[FW_DIM_DPORT] = range;
        fw_pieces_push(a->space, to, other);
    }
}

static void to_destination(struct fw_ask *a, int out, struct fw_piece *p, const struct fw_rule *rule,
                           struct fw_pieces *to)
{
    (void)out;
    struct fw_spans ip;
    struct fw_pieces moved = {0};
    p->nat_dst = rule->ref;
    if (!given(a, rule->nat, a->q->in, p->real.family, &ip)) {
        fw_drop(a, p, "no-address", NULL);
        return;
    }
    keep_unmoved(a, p, rule->nat, ip, &moved, to);
    for (size_t i = 0; i < moved.count; i++)
        move_destination(a, &moved.piece[i], rule->nat, ip, to);
}

static void from_source(struct fw_ask *a, int out, struct fw_piece *p, const struct fw_rule *rule,
                        struct fw_pieces *to)
{
    const struct fw_nat_to *nat = rule->nat;
    struct fw_spans ip;
    p->nat_src = rule->ref;
    if (!given(a, nat, out, p->real.family, &ip)) {
        fw_drop(a, p, "no-address", NULL);
        return;
    }
    if (ip.count)
        p->leaving[FW_DIM_SRC] = (struct fw_relation){.kind = FW_FIXED, .image = ip};
    p->dynamic = ip.count != 0;
    struct fw_piece part;
    if (nat->port_base && nat->port_lo) {
        if (with_ports(a, p, &part, to)) {
            part.leaving[FW_DIM_SPORT] = moved_by(a, nat);
            fw_pieces_push(a->space, to, &part);
        }
        return;
    }
    fw_draw_port(a->space, p, nat->port_lo, nat->port_hi, to);
}

/* ---- the way out ---- */

static void find_way(struct fw_ask *a, struct fw_pieces *p, struct fw_pieces *out)
{
    struct fw_pieces others = {0}, way = {0};
    struct fw_piece part;
    for (size_t i = 0; i < p->count; i++)
        if (fw_piece_split_dim(a, &p->piece[i], FW_DIM_DST, fw_own_addresses(a, p->piece[i].real.family), &part,
                               &others)) {
            part.out = FW_SELF;
            fw_pieces_push(a->space, out, &part);
        }
    for (size_t i = 0; i < others.count; i++)
        fw_ask_routes(a, &others.piece[i], &way);
    for (size_t i = 0; i < way.count; i++)
        if (way.piece[i].out == FW_NO_WAY)
            fw_drop(a, &way.piece[i], "no-route", NULL);
        else
            fw_pieces_push(a->space, out, &way.piece[i]);
}

/* All with one way out: the source of first packets is translated, then the chains are asked. */
static void leave_by(struct fw_ask *a, int out, const struct fw_pieces *all, bool first)
{
    struct fw_pieces fresh = {0}, here = {0};
    for (size_t i = 0; i < all->count; i++)
        if (all->piece[i].out == out)
            fw_pieces_push(a->space, first ? &fresh : &here, &all->piece[i]);
    nat_chains(a, out == FW_SELF ? FW_INPUT : FW_POSTROUTING, out, &fresh, &here, from_source);
    if (here.count)
        fw_ask_rules(a, out, &here, &a->said);
}

static void go(struct fw_ask *a, struct fw_pieces *p, bool first)
{
    struct fw_pieces way = {0};
    find_way(a, p, &way);
    for (int out = 0; out < (int)a->prepared->rules->iface_count; out++)
        leave_by(a, out, &way, first);
    leave_by(a, FW_SELF, &way, first);
}

/* ---- all steps ---- */

/* A segment that a connection may have as an answer, at its beginning or later. */
static bool may_answer(uint8_t tcp_flags)
{
    return tcp_state_after(TCP_SYN_SENT, 1, tcp_flags, false) != TCP_INVALID ||
           tcp_state_after(TCP_ESTABLISHED, 1, tcp_flags, false) != TCP_INVALID;
}

/* The connection that is answered: found by its addresses and ports alone. */
static void answers(struct fw_ask *a, struct fw_pieces *p, struct fw_pieces *out)
{
    struct fw_pieces others = {0}, tcp = {0};
    if (!a->q->answers)
        return;
    for (size_t i = 0; i < p->count; i++) {
        struct fw_piece part;
        if (may_answer(a->tcp_flags))
            fw_pieces_push(a->space, &others, &p->piece[i]);
        else if (fw_piece_split_dim(a, &p->piece[i], FW_DIM_PROTO, fw_spans_one(a->space, PROTO_TCP, PROTO_TCP), &part,
                                    &others))
            fw_pieces_push(a->space, &tcp, &part);
    }
    size_t before = out->count;
    fw_take_answers(a, &others, out);
    for (size_t i = before; i < out->count; i++) {
        struct fw_piece *one = &out->piece[i];
        /* Where the first packet had its source, the answer has its destination. */
        bool snat = one->arrived[FW_DIM_DST].kind != FW_SAME || one->arrived[FW_DIM_DPORT].kind != FW_SAME;
        bool dnat = one->leaving[FW_DIM_SRC].kind != FW_SAME || one->leaving[FW_DIM_SPORT].kind != FW_SAME;
        one->states = (uint8_t)(FW_STATE_ESTABLISHED | (snat ? FW_STATE_SNAT : 0) | (dnat ? FW_STATE_DNAT : 0));
    }
    for (size_t i = 0; i < tcp.count; i++)
        fw_pieces_push(a->space, &others, &tcp.piece[i]);
    *p = others;
}

void fw_ask_hooks(struct fw_ask *a, struct fw_pieces *p)
{
    struct fw_pieces others = {0}, first = {0}, translated = {0};
    take_untracked(a, p, &others);
    answers(a, p, &others);
    bool told = !(a->states & FW_STATE_NEW) && !a->q->answers;
    for (size_t i = 0; i < p->count; i++) {
        p->piece[i].states = a->states;
        if (told)
            fw_pieces_push(a->space, &others, &p->piece[i]);
        else
            classify(a, &p->piece[i], &first);
    }
    struct fw_pieces begin = {0};
    for (size_t i = 0; i < first.count; i++)
        fw_pieces_push(a->space, first.piece[i].states == FW_STATE_NEW ? &begin : &others, &first.piece[i]);
    if (a->q->in == FW_SELF)
        translated = begin;
    else
        nat_chains(a, FW_PREROUTING, FW_SELF, &begin, &translated, to_destination);
    for (size_t i = 0; i < translated.count; i++)
        translated.piece[i].lost = translated.piece[i].doubts != NULL;
    go(a, &others, false);
    go(a, &translated, true);
}
