/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Translation of sets of packets: by position in the rule's sets, which keeps a product a product. */
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/firewall/exact_parts.h"

/* ---- relations ---- */

/* Ports and protocols have no family. */
static bool is_of(const struct fw_shift *t, uint8_t family)
{
    return !t->family || t->family == family;
}

struct fw_spans fw_relate(struct fw_space *s, const struct fw_relation *r, uint8_t family, struct fw_spans set)
{
    if (r->kind == FW_SAME)
        return set;
    if (r->kind == FW_FIXED)
        return r->image;
    struct fw_spans out = {0};
    for (size_t i = 0; i < r->shifts.count; i++) {
        const struct fw_shift *t = &r->shifts.shift[i];
        struct fw_span from = {t->lo, t->hi};
        struct fw_spans in = is_of(t, family) ? fw_spans_intersect(s, set, (struct fw_spans){&from, 1}) :
                                                (struct fw_spans){0};
        struct fw_span *moved = in.count ? fw_space_alloc(s, in.count * sizeof *moved) : NULL;
        for (size_t k = 0; moved && k < in.count; k++)
            moved[k] = (struct fw_span){in.span[k].lo - t->lo + t->to, in.span[k].hi - t->lo + t->to};
        if (moved)
            out = fw_spans_union(s, out, (struct fw_spans){moved, in.count});
    }
    return out;
}

static struct fw_relation turned(struct fw_space *s, const struct fw_relation *r)
{
    struct fw_shift *back = fw_space_alloc(s, (r->shifts.count + 1) * sizeof *back);
    if (!back)
        return (struct fw_relation){.kind = FW_SHIFTED};
    for (size_t i = 0; i < r->shifts.count; i++) {
        const struct fw_shift *t = &r->shifts.shift[i];
        back[i] = (struct fw_shift){t->family, t->to, t->to + (t->hi - t->lo), t->lo};
    }
    return (struct fw_relation){.kind = FW_SHIFTED, .shifts = {back, r->shifts.count}};
}

struct fw_spans fw_relate_back(struct fw_space *s, const struct fw_relation *r, uint8_t family, struct fw_spans sub,
                               struct fw_spans whole)
{
    if (r->kind == FW_SAME)
        return sub;
    if (r->kind == FW_FIXED)
        return whole;
    struct fw_relation back = turned(s, r);
    return fw_spans_intersect(s, fw_relate(s, &back, family, sub), whole);
}

struct fw_relation fw_relation_back(struct fw_space *s, const struct fw_relation *r, struct fw_spans was)
{
    if (r->kind == FW_SHIFTED)
        return turned(s, r);
    struct fw_relation back = {.kind = r->kind, .image = was};
    return back;
}

void fw_shifts_push(struct fw_space *s, struct fw_shifts *t, size_t *cap, struct fw_shift one)
{
    struct fw_shift *shift = fw_space_room(s, t->shift, t->count, cap, sizeof *shift);
    if (!shift)
        return;
    shift[t->count++] = one;
    t->shift = shift;
}

struct fw_relation fw_relation_then(struct fw_space *s, const struct fw_relation *a, const struct fw_relation *b,
                                    uint8_t family)
{
    if (a->kind == FW_SAME || b->kind == FW_FIXED)
        return *b;
    if (b->kind == FW_SAME)
        return *a;
    if (a->kind == FW_FIXED)
        return (struct fw_relation){.kind = FW_FIXED, .image = fw_relate(s, b, family, a->image)};
    struct fw_relation out = {.kind = FW_SHIFTED};
    size_t cap = 0;
    for (size_t i = 0; i < a->shifts.count; i++)
        for (size_t k = 0; k < b->shifts.count; k++) {
            const struct fw_shift *x = &a->shifts.shift[i], *y = &b->shifts.shift[k];
            fw_wide end = x->to + (x->hi - x->lo);
            fw_wide lo = x->to > y->lo ? x->to : y->lo, hi = end < y->hi ? end : y->hi;
            if (x->family == y->family && lo <= hi)
                fw_shifts_push(s, &out.shifts, &cap, (struct fw_shift){x->family, lo - x->to + x->lo,
                                                                       hi - x->to + x->lo, lo - y->lo + y->to});
        }
    return out;
}

/* ---- pieces ---- */

void fw_pieces_push(struct fw_space *s, struct fw_pieces *p, const struct fw_piece *one)
{
    struct fw_piece *piece = fw_space_room(s, p->piece, p->count, &p->cap, sizeof *piece);
    if (!piece)
        return;
    piece[p->count++] = *one;
    p->piece = piece;
}

static const struct fw_relation *relations(const struct fw_piece *p, enum fw_view view)
{
    return view == FW_VIEW_ARRIVED ? p->arrived : p->leaving;
}

struct fw_cell fw_piece_view(struct fw_space *s, const struct fw_piece *p, enum fw_view view)
{
    struct fw_cell c = p->real;
    for (int d = 0; d < FW_DIMS && view != FW_VIEW_REAL; d++)
        c.dim[d] = fw_relate(s, &relations(p, view)[d], c.family, c.dim[d]);
    return c;
}

void fw_piece_cut(const struct fw_piece *p, struct fw_piece *n)
{
    for (int d = 0; d < FW_DIMS; d++)
        if (p->arrived[d].kind == FW_FIXED && !fw_spans_equal(p->real.dim[d], n->real.dim[d]))
            n->partial = true;
}

struct fw_piece fw_piece_narrow(struct fw_space *s, const struct fw_piece *p, enum fw_view view,
                                const struct fw_cell *sub)
{
    struct fw_piece n = *p;
    for (int d = 0; d < FW_DIMS; d++) {
        if (view == FW_VIEW_REAL)
            n.real.dim[d] = sub->dim[d];
        else
            n.real.dim[d] = fw_relate_back(s, &relations(p, view)[d], sub->family, sub->dim[d], p->real.dim[d]);
        if (view == FW_VIEW_ARRIVED && p->arrived[d].kind == FW_FIXED)
            n.arrived[d].image = sub->dim[d];
        if (view == FW_VIEW_LEAVING && p->leaving[d].kind == FW_FIXED &&
            !fw_spans_equal(sub->dim[d], p->leaving[d].image))
            n.partial = true;
    }
    fw_piece_cut(p, &n);
    return n;
}

/* Ports stand for ports of their class (RFC 4787 REQ-3a). */
static const struct fw_span port_class[] = {{0, 511}, {512, 1023}, {1024, 65535}};

void fw_draw_port(struct fw_space *s, const struct fw_piece *p, unsigned lo, unsigned hi, struct fw_pieces *out)
{
    struct fw_piece rest = *p, one = *p;
    for (uint8_t proto = PROTO_TCP; proto; proto = proto == PROTO_TCP ? PROTO_UDP : 0) {
        one.real.dim[FW_DIM_PROTO] = fw_spans_intersect(s, p->real.dim[FW_DIM_PROTO], fw_spans_one(s, proto, proto));
        if (!one.real.dim[FW_DIM_PROTO].count)
            continue;
        rest.real.dim[FW_DIM_PROTO] = fw_spans_subtract(s, rest.real.dim[FW_DIM_PROTO], one.real.dim[FW_DIM_PROTO]);
        for (size_t i = 0; i < 3; i++) {
            struct fw_spans class = fw_spans_one(s, port_class[i].lo, port_class[i].hi);
            struct fw_piece part = one;
            part.real.dim[FW_DIM_SPORT] = fw_spans_intersect(s, one.real.dim[FW_DIM_SPORT], class);
            part.leaving[FW_DIM_SPORT] =
                (struct fw_relation){.kind = FW_FIXED, .image = fw_spans_one(s, lo ? lo : port_class[i].lo,
                                                                             lo ? hi : port_class[i].hi)};
            if (part.real.dim[FW_DIM_SPORT].count)
                fw_pieces_push(s, out, &part);
        }
    }
    if (rest.real.dim[FW_DIM_PROTO].count)
        fw_pieces_push(s, out, &rest);
}

/* ---- NAT rules ---- */

static bool on(int rule_iface, int iface)
{
    return rule_iface == FW_ANY_IFACE || iface == FW_ANY_IFACE || rule_iface == iface;
}

/* The field is in a set of the rule, and becomes what the set's shifts make of it. False: it is not. */
static bool shift(const struct fw_nat_place *w, const struct fw_cell *c, enum fw_dim d, struct fw_shifts shifts,
                  struct fw_nat_hit *hit)
{
    struct fw_spans in = {0}, all = hit->in[d];
    bool moves = false;
    for (size_t i = 0; i < shifts.count; i++) {
        const struct fw_shift *t = &shifts.shift[i];
        if (!is_of(t, c->family) || !all.count || t->hi < all.span[0].lo || t->lo > all.span[all.count - 1].hi)
            continue;
        struct fw_spans met = fw_spans_intersect(w->space, all, fw_spans_one(w->space, t->lo, t->hi));
        moves = moves || (met.count && t->to != t->lo);
        in = fw_spans_union(w->space, in, met);
    }
    hit->in[d] = in;
    hit->becomes[d] = moves ? (struct fw_relation){.kind = FW_SHIFTED, .shifts = shifts}
                            : (struct fw_relation){.kind = FW_SAME};
    return in.count != 0;
}

static struct fw_spans single(const struct fw_nat_place *w, const struct ip_addr *ip)
{
    return fw_spans_one(w->space, fw_wide_of(ip), fw_wide_of(ip));
}

/* The field becomes that address. False: it is of another family, or there is none. */
static bool fix(const struct fw_nat_place *w, const struct fw_cell *c, enum fw_dim d, const struct ip_addr *ip,
                struct fw_nat_hit *hit)
{
    if (!ip || ip->family != c->family)
        return false;
    hit->becomes[d] = (struct fw_relation){.kind = FW_FIXED, .image = single(w, ip)};
    return true;
}

static bool narrow(const struct fw_nat_place *w, enum fw_dim d, struct fw_spans to, struct fw_nat_hit *hit)
{
    hit->in[d] = fw_spans_intersect(w->space, hit->in[d], to);
    return hit->in[d].count != 0;
}

/* The field is the address of an interface, and becomes the first of a set. */
static bool from_interface(const struct fw_nat_place *w, int iface, const struct fw_set *to, const struct fw_cell *c,
                           enum fw_dim d, struct fw_nat_hit *hit)
{
    struct ip_addr own;
    return to && fw_iface_address(w->addresses, iface, c->family, &own) && narrow(w, d, single(w, &own), hit) &&
           fix(w, c, d, &to->addr[0].a, hit);
}

static bool to_interface(const struct fw_nat_place *w, int iface, const struct fw_cell *c, enum fw_dim d,
                         struct fw_nat_hit *hit)
{
    struct ip_addr own;
    return fw_iface_address(w->addresses, iface, c->family, &own) && fix(w, c, d, &own, hit);
}

/* lo..hi of a port field becomes what begins at to. */
static bool map_port(const struct fw_nat_place *w, enum fw_dim d, unsigned lo, unsigned hi, unsigned to,
                     struct fw_nat_hit *hit)
{
    if (!narrow(w, d, fw_spans_one(w->space, lo, hi), hit))
        return false;
    if (lo == to)
        return true;
    struct fw_shift *t = fw_space_alloc(w->space, sizeof *t);
    if (t)
        *t = (struct fw_shift){.lo = lo, .hi = hi, .to = to};
    hit->becomes[d] = (struct fw_relation){.kind = FW_SHIFTED, .shifts = {t, t != NULL}};
    return true;
}

static bool map_service(const struct fw_nat_place *w, const struct fw_service *from, const struct fw_service *to,
                        enum fw_dim source, enum fw_dim destination, struct fw_nat_hit *hit)
{
    return narrow(w, FW_DIM_PROTO, fw_spans_one(w->space, from->proto_lo, from->proto_hi), hit) &&
           map_port(w, source, from->sport_lo, from->sport_hi, to->sport_lo, hit) &&
           map_port(w, destination, from->dport_lo, from->dport_hi, to->dport_lo, hit);
}

static void whole(const struct fw_cell *c, struct fw_nat_hit *hit)
{
    *hit = (struct fw_nat_hit){0};
    memcpy(hit->in, c->dim, sizeof hit->in);
}

bool fw_cell_forward(const struct fw_nat_place *w, const struct fw_ready_nat *r, int in, int out,
                     const struct fw_cell *c, struct fw_nat_hit *hit)
{
    const struct fw_nat *n = r->nat;
    if (n->inactive || !on(n->real_iface, in) || !on(n->mapped_iface, out))
        return false;
    whole(c, hit);
    if (n->has_dst && n->dst_interface) {
        if (!from_interface(w, n->real_iface, n->dst_to, c, FW_DIM_DST, hit))
            return false;
    } else if (!r->any_dst && !shift(w, c, FW_DIM_DST, r->dst, hit)) {
        return false;
    }
    if (!r->any_src && !shift(w, c, FW_DIM_SRC, r->src, hit))
        return false;
    if (!n->dynamic && n->interface && !to_interface(w, n->mapped_iface, c, FW_DIM_SRC, hit))
        return false;
    return !n->has_service || map_service(w, &n->from, &n->to, FW_DIM_SPORT, FW_DIM_DPORT, hit);
}

bool fw_cell_reverse(const struct fw_nat_place *w, const struct fw_ready_nat *r, int in, const struct fw_cell *c,
                     struct fw_nat_hit *hit)
{
    const struct fw_nat *n = r->nat;
    if (n->dynamic || n->inactive || n->unidirectional || !on(n->mapped_iface, in))
        return false;
    whole(c, hit);
    if (n->interface) {
        if (!from_interface(w, n->mapped_iface, n->real, c, FW_DIM_DST, hit))
            return false;
    } else if (!r->any_src && !shift(w, c, FW_DIM_DST, r->src_back, hit)) {
        return false;
    }
    if (n->has_dst && n->dst_interface) {
        struct fw_relation none = {.kind = FW_SAME};
        if (n->dst_to && !shift(w, c, FW_DIM_SRC, r->dst_back, hit))
            return false;
        hit->becomes[FW_DIM_SRC] = none;
        if (!to_interface(w, n->real_iface, c, FW_DIM_SRC, hit))
            return false;
    } else if (n->has_dst && (n->dst_to || n->dst_from) && !shift(w, c, FW_DIM_SRC, r->dst_back, hit)) {
        return false;
    }
    return !n->has_service || map_service(w, &n->to, &n->from, FW_DIM_DPORT, FW_DIM_SPORT, hit);
}

struct fw_spans fw_nat_pool(const struct fw_nat_place *w, const struct fw_ready_nat *r, int mapped, uint8_t family)
{
    const struct fw_nat *n = r->nat;
    struct fw_spans pool = {0};
    for (size_t i = 0; n->mapped && i < n->mapped->count; i++) {
        const struct fw_addr *a = &n->mapped->addr[i];
        if (a->a.family == family)
            pool = fw_spans_union(w->space, pool, fw_spans_one(w->space, fw_wide_of(&a->a), fw_wide_of(&a->b)));
    }
    struct ip_addr own;
    if (n->interface && fw_iface_address(w->addresses, mapped, family, &own))
        pool = fw_spans_union(w->space, pool, single(w, &own));
    return pool;
}
