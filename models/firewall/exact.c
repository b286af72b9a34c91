/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A set of packets on its way through a firewall: the steps of a first packet in fwbox.c, one after the other. Each
 * step divides what the one before left it. */
#include "models/firewall/exact.h"

#include <string.h>

#include "models/firewall/exact_ask.h"
#include "models/firewall/fwbox.h"

void fw_lots_push(struct fw_space *s, struct fw_lots *t, const struct fw_piece *p, const struct fw_verdict *v)
{
    struct fw_lot *lot = fw_space_room(s, t->lot, t->count, &t->cap, sizeof *lot);
    if (!lot)
        return;
    lot[t->count++] = (struct fw_lot){*p, v};
    t->lot = lot;
}

const struct fw_verdict *fw_verdict_plain(struct fw_space *s, enum fw_decision decision, const char *reason,
                                          const struct fw_rule_ref *rule)
{
    struct fw_verdict *v = fw_space_alloc(s, sizeof *v);
    if (v)
        *v = (struct fw_verdict){.decision = decision, .reason = reason, .iface = FW_ANY_IFACE, .rule = rule};
    return v;
}

void fw_drop(struct fw_ask *a, const struct fw_piece *p, const char *reason, const struct fw_rule_ref *rule)
{
    fw_lots_push(a->space, &a->said, p, fw_verdict_plain(a->space, FW_DENIED, reason, rule));
}

/* ---- splitting ---- */

void fw_piece_split(struct fw_space *s, const struct fw_piece *p, const struct fw_spans in[FW_DIMS],
                    struct fw_piece *part, struct fw_pieces *rest)
{
    struct fw_cell left[FW_DIMS];
    size_t n = fw_cell_carve(s, &p->real, in, left);
    for (size_t i = 0; i < n; i++) {
        struct fw_piece one = *p;
        one.real = left[i];
        fw_piece_cut(p, &one);
        fw_pieces_push(s, rest, &one);
    }
    struct fw_piece taken = *p;
    memcpy(taken.real.dim, in, sizeof taken.real.dim);
    fw_piece_cut(p, &taken);
    *part = taken;
}

bool fw_piece_split_dim(struct fw_ask *a, const struct fw_piece *p, enum fw_dim d, struct fw_spans set,
                        struct fw_piece *part, struct fw_pieces *rest)
{
    struct fw_spans in[FW_DIMS];
    memcpy(in, p->real.dim, sizeof in);
    in[d] = fw_spans_intersect(a->space, p->real.dim[d], set);
    if (!in[d].count) {
        fw_pieces_push(a->space, rest, p);
        return false;
    }
    fw_piece_split(a->space, p, in, part, rest);
    return true;
}

/* ---- routes ---- */

static struct fw_spans prefix_spans(struct fw_space *s, const struct ip_prefix *to)
{
    struct fw_addr range = fw_addr_prefix(to);
    return fw_spans_one(s, fw_wide_of(&range.a), fw_wide_of(&range.b));
}

struct fw_spans fw_routed_by(struct fw_ask *a, struct fw_spans from, uint8_t family, int iface)
{
    struct fw_spans by = {0};
    const struct fw_routes *t = a->machine->routes;
    for (size_t i = 0; i < t->count && from.count; i++) {
        if (t->route[i].to.ip.family != family)
            continue;
        struct fw_spans to = prefix_spans(a->space, &t->route[i].to);
        if (t->route[i].iface == iface)
            by = fw_spans_union(a->space, by, fw_spans_intersect(a->space, from, to));
        from = fw_spans_subtract(a->space, from, to);
    }
    return by;
}

void fw_ask_routes(struct fw_ask *a, const struct fw_piece *p, struct fw_pieces *out)
{
    struct fw_piece left = *p;
    struct fw_spans *to = &left.real.dim[FW_DIM_DST];
    for (int i = 0; i < (int)a->prepared->rules->iface_count && to->count; i++) {
        struct fw_spans by = fw_routed_by(a, *to, left.real.family, i);
        if (!by.count)
            continue;
        struct fw_piece one = left;
        one.real.dim[FW_DIM_DST] = by;
        one.out = i;
        fw_piece_cut(p, &one);
        fw_pieces_push(a->space, out, &one);
        *to = fw_spans_subtract(a->space, *to, by);
    }
    left.out = FW_NO_WAY;
    fw_piece_cut(p, &left);
    if (to->count)
        fw_pieces_push(a->space, out, &left);
}

/* ---- before any rule ---- */

static void start(struct fw_ask *a, struct fw_pieces *p)
{
    for (size_t i = 0; i < a->q->packets->count; i++)
        fw_pieces_push(a->space, p, &(struct fw_piece){.real = a->q->packets->cell[i], .out = FW_NO_WAY});
}

static void check_syn(struct fw_ask *a, struct fw_pieces *p)
{
    if (a->prepared->rules->policy.tcp_loose || (a->tcp_flags & (FW_SYN | FW_ACK | FW_RST)) == FW_SYN)
        return;
    struct fw_spans tcp = fw_spans_one(a->space, PROTO_TCP, PROTO_TCP);
    struct fw_pieces left = {0};
    struct fw_piece part;
    for (size_t i = 0; i < p->count; i++)
        if (fw_piece_split_dim(a, &p->piece[i], FW_DIM_PROTO, tcp, &part, &left))
            fw_drop(a, &part, "tcp-not-syn", NULL);
    *p = left;
}

static void check_reverse_path(struct fw_ask *a, struct fw_pieces *p)
{
    const struct fw_rule_ref *line = a->prepared->rules->iface[a->q->in].verify_reverse;
    if (!line)
        return;
    struct fw_pieces good = {0}, bad = {0};
    for (size_t i = 0; i < p->count; i++) {
        const struct fw_cell *c = &p->piece[i].real;
        struct fw_piece part;
        struct fw_spans right = fw_routed_by(a, c->dim[FW_DIM_SRC], c->family, a->q->in);
        if (fw_piece_split_dim(a, &p->piece[i], FW_DIM_SRC, right, &part, &bad))
            fw_pieces_push(a->space, &good, &part);
    }
    for (size_t i = 0; i < bad.count; i++)
        fw_drop(a, &bad.piece[i], "rpf-violated", line);
    *p = good;
}

/* ---- the destination and the way out ---- */

static bool is_manual(const struct fw_ready_nat *n)
{
    return n && n->nat->section != FW_NAT_OBJECT;
}

void fw_translate_destination(struct fw_ask *a, const struct fw_nat_hit *hit, struct fw_piece *part)
{
    static const enum fw_dim to[] = {FW_DIM_DST, FW_DIM_DPORT}, from[] = {FW_DIM_SRC, FW_DIM_SPORT};
    for (size_t k = 0; k < 2; k++) {
        struct fw_spans was = part->real.dim[to[k]];
        part->real.dim[to[k]] = fw_relate(a->space, &hit->becomes[to[k]], part->real.family, was);
        part->arrived[to[k]] = fw_relation_back(a->space, &hit->becomes[to[k]], was);
        part->leaving[from[k]] = hit->becomes[from[k]];
    }
}

/* By the interface that the rule names, or by route. */
static void leave(struct fw_ask *a, const struct fw_ready_nat *n, int named, const struct fw_piece *p,
                  struct fw_pieces *out)
{
    if (named == FW_ANY_IFACE || n->nat->route_lookup) {
        fw_ask_routes(a, p, out);
        return;
    }
    struct fw_piece one = *p;
    one.out = named;
    fw_pieces_push(a->space, out, &one);
}

/* Static rules, first match; what none takes is left in p. */
static void by_static(struct fw_ask *a, struct fw_pieces *p, struct fw_pieces *out)
{
    for (size_t i = 0; i < a->prepared->rules->nat_count && p->count; i++) {
        const struct fw_ready_nat *n = &a->prepared->nat[i];
        for (int forward = 0; forward < (n->nat->has_dst ? 2 : 1); forward++) {
            struct fw_pieces left = {0};
            for (size_t k = 0; k < p->count; k++) {
                struct fw_nat_hit hit;
                struct fw_piece part;
                const struct fw_cell *c = &p->piece[k].real;
                if (!(forward ? fw_cell_forward(&a->nat, n, a->q->in, FW_ANY_IFACE, c, &hit)
                              : fw_cell_reverse(&a->nat, n, a->q->in, c, &hit))) {
                    fw_pieces_push(a->space, &left, &p->piece[k]);
                    continue;
                }
                fw_piece_split(a->space, &p->piece[k], hit.in, &part, &left);
                fw_translate_destination(a, &hit, &part);
                part.to = n;
                part.nat_dst = n->nat->ref;
                part.from = is_manual(n) ? n : NULL;
                part.nat_src = part.from ? n->nat->ref : NULL;
                leave(a, n, forward ? n->nat->mapped_iface : n->nat->real_iface, &part, out);
            }
            *p = left;
        }
    }
}

static bool serves(const struct fw_nat *n, int iface)
{
    return n->dynamic && !n->inactive && (n->mapped_iface == FW_ANY_IFACE || n->mapped_iface == iface);
}

/* Addresses of a dynamic rule, through which nobody can be called. */
static void by_pools(struct fw_ask *a, struct fw_pieces *p)
{
    for (size_t i = 0; i < a->prepared->rules->nat_count && p->count; i++) {
        const struct fw_ready_nat *n = &a->prepared->nat[i];
        if (!serves(n->nat, a->q->in))
            continue;
        struct fw_pieces left = {0};
        struct fw_piece part;
        for (size_t k = 0; k < p->count; k++) {
            struct fw_spans pool = fw_nat_pool(&a->nat, n, a->q->in, p->piece[k].real.family);
            if (fw_piece_split_dim(a, &p->piece[k], FW_DIM_DST, pool, &part, &left))
                fw_drop(a, &part, "nat-no-xlate", n->nat->ref);
        }
        *p = left;
    }
}

struct fw_spans fw_own_addresses(struct fw_ask *a, uint8_t family)
{
    const struct fw_addresses *t = a->nat.addresses;
    struct fw_spans own = {0};
    for (size_t i = 0; i < a->prepared->rules->iface_count; i++)
        for (size_t k = 0; k < t->count[i]; k++) {
            const struct ip_addr *ip = &t->prefix[i][k].ip;
            if (ip->family == family)
                own = fw_spans_union(a->space, own, fw_spans_one(a->space, fw_wide_of(ip), fw_wide_of(ip)));
        }
    return own;
}

/* Pieces with their way out; those without one are dropped. */
static void plan_way(struct fw_ask *a, struct fw_pieces *p, struct fw_pieces *out)
{
    struct fw_pieces on = {0}, left = {0};
    struct fw_piece part;
    by_static(a, p, &on);
    by_pools(a, p);
    for (size_t i = 0; i < p->count; i++)
        if (fw_piece_split_dim(a, &p->piece[i], FW_DIM_DST, fw_own_addresses(a, p->piece[i].real.family), &part, &left))
            fw_drop(a, &part, "to-the-box", NULL);
    for (size_t i = 0; i < left.count; i++)
        fw_ask_routes(a, &left.piece[i], &on);
    for (size_t i = 0; i < on.count; i++)
        if (on.piece[i].out == FW_NO_WAY)
            fw_drop(a, &on.piece[i], "no-route", NULL);
        else
            fw_pieces_push(a->space, out, &on.piece[i]);
}

/* ---- the source ---- */

/* What a rule makes of the part of a piece that it takes. */
static void translate_source(struct fw_ask *a, const struct fw_ready_nat *n, const struct fw_nat_hit *hit,
                             struct fw_piece *p)
{
    uint8_t family = p->real.family;
    for (int d = 0; d < FW_DIMS; d++)
        p->leaving[d] = fw_relation_then(a->space, &p->leaving[d], &hit->becomes[d], family);
    p->from = n;
    p->nat_src = n->nat->ref;
}

/* A dynamic rule takes the source from its pool, and PAT a port of its own choice. */
static void draw_from_pool(struct fw_ask *a, struct fw_piece p, struct fw_pieces *out)
{
    const struct fw_ready_nat *n = p.from;
    if (!n || !n->nat->dynamic) {
        fw_pieces_push(a->space, out, &p);
        return;
    }
    struct fw_spans pool = fw_nat_pool(&a->nat, n, p.out, p.real.family);
    p.dynamic = true;
    if (pool.count)
        p.leaving[FW_DIM_SRC] = (struct fw_relation){.kind = FW_FIXED, .image = pool};
    if (n->nat->pat)
        fw_draw_port(a->space, &p, 0, 0, out);
    else
        fw_pieces_push(a->space, out, &p);
}

/* The part of p whose header as it leaves is in `in`; the rest of p, as a list. */
static struct fw_piece split_leaving(struct fw_ask *a, const struct fw_piece *p, const struct fw_cell *leaving,
                                     const struct fw_spans in[FW_DIMS], struct fw_pieces *rest)
{
    struct fw_cell part = {.family = leaving->family}, left[FW_DIMS];
    memcpy(part.dim, in, sizeof part.dim);
    size_t n = fw_cell_carve(a->space, leaving, in, left);
    for (size_t i = 0; i < n; i++) {
        struct fw_piece one = fw_piece_narrow(a->space, p, FW_VIEW_LEAVING, &left[i]);
        fw_pieces_push(a->space, rest, &one);
    }
    return fw_piece_narrow(a->space, p, FW_VIEW_LEAVING, &part);
}

static void plan_source(struct fw_ask *a, struct fw_pieces *p, struct fw_pieces *out)
{
    struct fw_pieces open = {0}, met = {0};
    for (size_t i = 0; i < p->count; i++)
        fw_pieces_push(a->space, p->piece[i].from ? &met : &open, &p->piece[i]);
    for (size_t i = 0; i < a->prepared->rules->nat_count && open.count; i++) {
        const struct fw_ready_nat *n = &a->prepared->nat[i];
        struct fw_pieces left = {0};
        for (size_t k = 0; k < open.count; k++) {
            struct fw_cell leaving = fw_piece_view(a->space, &open.piece[k], FW_VIEW_LEAVING);
            struct fw_nat_hit hit;
            if (!fw_cell_forward(&a->nat, n, a->q->in, open.piece[k].out, &leaving, &hit)) {
                fw_pieces_push(a->space, &left, &open.piece[k]);
                continue;
            }
            struct fw_piece part = split_leaving(a, &open.piece[k], &leaving, hit.in, &left);
            translate_source(a, n, &hit, &part);
            fw_pieces_push(a->space, &met, &part);
        }
        open = left;
    }
    for (size_t i = 0; i < open.count; i++)
        fw_pieces_push(a->space, out, &open.piece[i]);
    for (size_t i = 0; i < met.count; i++)
        draw_from_pool(a, met.piece[i], out);
}

/* ---- the way back ---- */

/* What of the field the rule leaves as it is. */
static struct fw_spans unchanged(struct fw_ask *a, const struct fw_relation *r, uint8_t family, struct fw_spans set)
{
    if (r->kind == FW_FIXED)
        return fw_spans_intersect(a->space, set, r->image);
    for (size_t k = 0; r->kind == FW_SHIFTED && k < r->shifts.count; k++) {
        const struct fw_shift *t = &r->shifts.shift[k];
        if (t->lo != t->to && (!t->family || t->family == family))
            set = fw_spans_subtract(a->space, set, fw_spans_one(a->space, t->lo, t->hi));
    }
    return set;
}

/* Of the answers that a rule takes, those whose source it changes; their number. */
static size_t changed_answers(struct fw_ask *a, const struct fw_ready_nat *n, const struct fw_cell *taken,
                              const struct fw_nat_hit *hit, struct fw_cell out[FW_DIMS])
{
    struct fw_spans same[FW_DIMS];
    memcpy(same, taken->dim, sizeof same);
    same[FW_DIM_SRC] = unchanged(a, &hit->becomes[FW_DIM_SRC], taken->family, same[FW_DIM_SRC]);
    same[FW_DIM_SPORT] = unchanged(a, &hit->becomes[FW_DIM_SPORT], taken->family, same[FW_DIM_SPORT]);
    if (!n->nat->dynamic && same[FW_DIM_SRC].count && same[FW_DIM_SPORT].count)
        return fw_cell_carve(a->space, taken, same, out);
    out[0] = *taken;
    return 1;
}

/* The answers that a rule would take; false: none. One field of them may be any of a pool: then all of it counts. */
static bool takes_answers(struct fw_ask *a, const struct fw_ready_nat *n, const struct fw_piece *p,
                          const struct fw_cell *answer, struct fw_nat_hit *hit)
{
    if (!fw_cell_forward(&a->nat, n, p->out, a->q->in, answer, hit))
        return false;
    bool drawn = p->leaving[FW_DIM_SRC].kind == FW_FIXED, port = p->leaving[FW_DIM_SPORT].kind == FW_FIXED;
    return (!drawn || fw_spans_equal(hit->in[FW_DIM_DST], answer->dim[FW_DIM_DST])) &&
           (!port || fw_spans_equal(hit->in[FW_DIM_DPORT], answer->dim[FW_DIM_DPORT]));
}

/* A piece that the rules permit: the packets whose answers the rule would translate, though they did not pass it, are
 * dropped; the rule has nothing to do with those in *left. */
static void check_by(struct fw_ask *a, const struct fw_ready_nat *n, const struct fw_piece *p,
                     const struct fw_verdict *v, struct fw_pieces *left)
{
    struct fw_cell leaving = fw_piece_view(a->space, p, FW_VIEW_LEAVING);
    struct fw_cell taken = fw_cell_turned(&leaving), wrong[FW_DIMS];
    struct fw_nat_hit hit;
    if (!takes_answers(a, n, p, &taken, &hit)) {
        fw_pieces_push(a->space, left, p);
        return;
    }
    memcpy(taken.dim, hit.in, sizeof taken.dim);
    struct fw_cell met = fw_cell_turned(&taken);
    struct fw_piece good = split_leaving(a, p, &leaving, met.dim, left);
    struct fw_region passes = {0};
    fw_region_push(a->space, &passes, &good.real);
    size_t bad = n == p->to ? 0 : changed_answers(a, n, &taken, &hit, wrong);
    for (size_t i = 0; i < bad; i++) {
        struct fw_cell c = fw_cell_turned(&wrong[i]);
        struct fw_piece one = fw_piece_narrow(a->space, &good, FW_VIEW_LEAVING, &c);
        fw_drop(a, &one, "nat-rpf-failed", n->nat->ref);
        passes = fw_region_subtract(a->space, &passes, &(struct fw_region){&one.real, 1, 1});
    }
    for (size_t i = 0; i < passes.count; i++) {
        good.real = passes.cell[i];
        fw_lots_push(a->space, &a->said, &good, v);
    }
}

static void check_answers(struct fw_ask *a, const struct fw_piece *p, const struct fw_verdict *v)
{
    struct fw_pieces open = {0};
    fw_pieces_push(a->space, &open, p);
    bool checked = !a->prepared->rules->policy.nat_by_session && !is_manual(p->from);
    for (size_t i = 0; i < a->prepared->rules->nat_count && open.count && checked; i++) {
        struct fw_pieces left = {0};
        for (size_t k = 0; k < open.count; k++)
            check_by(a, &a->prepared->nat[i], &open.piece[k], v, &left);
        open = left;
    }
    for (size_t i = 0; i < open.count; i++)
        fw_lots_push(a->space, &a->said, &open.piece[i], v);
}

/* ---- all steps ---- */

static void first_packets(struct fw_ask *a, struct fw_pieces *p)
{
    struct fw_pieces way = {0}, planned = {0};
    check_syn(a, p);
    check_reverse_path(a, p);
    plan_way(a, p, &way);
    plan_source(a, &way, &planned);
    for (int out = 0; out < (int)a->prepared->rules->iface_count; out++) {
        struct fw_pieces here = {0};
        struct fw_lots said = {0};
        for (size_t i = 0; i < planned.count; i++)
            if (planned.piece[i].out == out)
                fw_pieces_push(a->space, &here, &planned.piece[i]);
        if (here.count)
            fw_ask_rules(a, out, &here, &said);
        for (size_t i = 0; i < said.count; i++) {
            const struct fw_verdict *v = said.lot[i].verdict;
            if (v && v->decision == FW_PERMITTED)
                check_answers(a, &said.lot[i].piece, v);
            else
                fw_lots_push(a->space, &a->said, &said.lot[i].piece, v);
        }
    }
}

/* What the firewall itself sends is routed, and shown to the rules. */
static void own_packets(struct fw_ask *a, struct fw_pieces *p)
{
    struct fw_pieces way = {0};
    for (size_t i = 0; i < p->count; i++)
        fw_ask_routes(a, &p->piece[i], &way);
    for (size_t i = 0; i < way.count; i++) {
        struct fw_pieces one = {&way.piece[i], 1, 1};
        if (way.piece[i].out == FW_NO_WAY)
            fw_drop(a, &way.piece[i], "no-route", NULL);
        else
            fw_ask_rules(a, way.piece[i].out, &one, &a->said);
    }
}

/* An answer passes by its connection, unless the machine shows it to the rules: one without state all, an ASA that
 * does not inspect ICMP those. */
static void admit(struct fw_ask *a, const struct fw_piece *answer)
{
    const struct fw_rules *r = a->prepared->rules;
    bool inspects = r->policy.without_list != FW_DEFAULT_LEVELS || fw_rules_inspection(r, "icmp");
    bool icmp = fw_spans_has(answer->real.dim[FW_DIM_PROTO], PROTO_ICMP) ||
                fw_spans_has(answer->real.dim[FW_DIM_PROTO], PROTO_ICMP6);
    struct fw_pieces one = {0};
    fw_pieces_push(a->space, &one, answer);
    if (r->policy.stateless || (icmp && !inspects))
        fw_ask_rules(a, answer->out, &one, &a->said);
    else
        fw_lots_push(a->space, &a->said, answer, fw_verdict_plain(a->space, FW_PERMITTED, "connection", NULL));
}

/* A connection is known by the interface too: answers come in where the first packet left. */
static void answers(struct fw_ask *a, struct fw_pieces *p)
{
    struct fw_pieces found = {0};
    if (a->q->answers && a->q->answers->out == a->q->in)
        fw_take_answers(a, p, &found);
    for (size_t i = 0; i < found.count; i++) {
        found.piece[i].out = a->q->answers->in;
        admit(a, &found.piece[i]);
    }
}

static struct fw_addresses declared(const struct fw_rules *r)
{
    struct fw_addresses t = {0};
    for (size_t i = 0; i < r->iface_count; i++) {
        t.prefix[i] = r->iface[i].address;
        t.count[i] = r->iface[i].address_count;
    }
    return t;
}

int fw_exact(const struct fw_machine *m, const struct fw_question *q, struct fw_space *s, struct fw_part **parts,
             size_t *count)
{
    const struct fw_rules *r = m->prepared->rules;
    struct fw_addresses own = m->addresses ? *m->addresses : declared(r);
    struct fw_ask a = {.machine = m, .prepared = m->prepared, .q = q, .space = s, .nat = {m->prepared, &own, s},
                       .states = q->states ? q->states : FW_STATE_NEW};
    a.tcp_flags = q->tcp_flags ? q->tcp_flags : a.states & FW_STATE_NEW ? FW_SYN : FW_ACK;
    struct fw_pieces p = {0};
    start(&a, &p);
    if (q->in != FW_SELF && (q->in < 0 || (size_t)q->in >= r->iface_count)) {
        for (size_t i = 0; i < p.count; i++)
            fw_drop(&a, &p.piece[i], "no-interface", NULL);
    } else if (r->base_count) {
        if (q->in != FW_SELF)
            check_reverse_path(&a, &p);
        fw_ask_hooks(&a, &p);
    } else {
        answers(&a, &p);
        if (q->in == FW_SELF)
            own_packets(&a, &p);
        else
            first_packets(&a, &p);
    }
    fw_lots_overlay(&a, &a.said);
    fw_group(&a, parts, count);
    return fw_space_error(s);
}
