/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules made ready for questions about sets of packets: bounds for quick rejection, ports and addresses as sets. */
#include <stdlib.h>
#include <string.h>

#include "models/firewall/exact_walk.h"

/* ---- bounds ---- */

static uint32_t key_of(uint8_t family, fw_wide n)
{
    return (uint32_t)(family == IP_V4 ? n : n >> 96);
}

static void bounds(struct fw_spans a, fw_wide *lo, fw_wide *hi)
{
    *lo = a.count ? a.span[0].lo : 1;
    *hi = a.count ? a.span[a.count - 1].hi : 0;
}

struct fw_hull fw_hull_of(const struct fw_cell *c)
{
    fw_wide lo[FW_DIMS], hi[FW_DIMS];
    for (int d = 0; d < FW_DIMS; d++)
        bounds(c->dim[d], &lo[d], &hi[d]);
    return (struct fw_hull){.src_lo = key_of(c->family, lo[FW_DIM_SRC]), .src_hi = key_of(c->family, hi[FW_DIM_SRC]),
                            .dst_lo = key_of(c->family, lo[FW_DIM_DST]), .dst_hi = key_of(c->family, hi[FW_DIM_DST]),
                            .sport_lo = (uint16_t)lo[FW_DIM_SPORT], .sport_hi = (uint16_t)hi[FW_DIM_SPORT],
                            .dport_lo = (uint16_t)lo[FW_DIM_DPORT], .dport_hi = (uint16_t)hi[FW_DIM_DPORT],
                            .proto_lo = (uint8_t)lo[FW_DIM_PROTO], .proto_hi = (uint8_t)hi[FW_DIM_PROTO],
                            .families = (uint8_t)(1U << c->family)};
}

#define LOWER(m) .m = a->m < b->m ? a->m : b->m
#define UPPER(m) .m = a->m > b->m ? a->m : b->m

struct fw_hull fw_hull_union(const struct fw_hull *a, const struct fw_hull *b)
{
    return (struct fw_hull){LOWER(src_lo),   UPPER(src_hi),   LOWER(dst_lo),   UPPER(dst_hi),   LOWER(sport_lo),
                            UPPER(sport_hi), LOWER(dport_lo), UPPER(dport_hi), LOWER(proto_lo), UPPER(proto_hi),
                            .families = (uint8_t)(a->families | b->families)};
}

/* The bounds of a set, over both families; the families that it has. */
static unsigned set_bounds(const struct fw_set *set, uint32_t *lo, uint32_t *hi)
{
    *lo = set ? UINT32_MAX : 0;
    *hi = set ? 0 : UINT32_MAX;
    unsigned families = set ? 0 : 1U << IP_V4 | 1U << IP_V6;
    for (size_t i = 0; set && i < set->count; i++) {
        const struct fw_addr *a = &set->addr[i];
        uint8_t family = a->a.family;
        fw_wide all = family == IP_V4 ? UINT32_MAX : ~(fw_wide)0, first = fw_wide_of(&a->a), last = fw_wide_of(&a->b);
        if (a->masked) {
            fw_wide mask = last;
            first &= mask;
            last = first | (~mask & all);
        }
        uint32_t from = key_of(family, first), to = key_of(family, last);
        *lo = from < *lo ? from : *lo;
        *hi = to > *hi ? to : *hi;
        families |= 1U << family;
    }
    return families;
}

static struct fw_hull rule_hull(const struct fw_set *src, const struct fw_set *dst, const struct fw_service *service,
                                size_t count)
{
    struct fw_hull h = {.sport_hi = 65535, .dport_hi = 65535, .proto_hi = 255};
    unsigned from = set_bounds(src, &h.src_lo, &h.src_hi), to = set_bounds(dst, &h.dst_lo, &h.dst_hi);
    h.families = (uint8_t)(from & to);
    for (size_t i = 0; i < count; i++) {
        const struct fw_service *v = &service[i];
        struct fw_hull one = {h.src_lo, h.src_hi, h.dst_lo, h.dst_hi, v->sport_lo, v->sport_hi,
                              v->dport_lo, v->dport_hi, v->proto_lo, v->proto_hi, h.families};
        h = i ? fw_hull_union(&h, &one) : one;
    }
    return h;
}

/* ---- sets of addresses ---- */

/* Sets are shared by the rules that use them, so one is made ready once. */
struct known {
    const struct fw_set *set;
    const struct fw_ready_set *ready;
};

struct cache {
    struct known *slot;
    size_t mask;
};

static const struct fw_ready_set *make_set(struct fw_space *s, const struct fw_set *set)
{
    struct fw_ready_set *r = fw_space_alloc(s, sizeof *r);
    struct fw_span *span = fw_space_alloc(s, (set->range_count + 1) * sizeof *span);
    if (!r || !span)
        return NULL;
    *r = (struct fw_ready_set){.masked = set->addr + set->range_count, .masked_count = set->count - set->range_count};
    for (uint8_t family = IP_V4; family <= IP_V6; family++) {
        size_t n = 0;
        for (size_t i = 0; i < set->range_count; i++)
            if (set->addr[i].a.family == family)
                span[n++] = (struct fw_span){fw_wide_of(&set->addr[i].a), fw_wide_of(&set->addr[i].b)};
        r->range[family] = fw_spans_of(s, span, n);
    }
    return r;
}

static const struct fw_ready_set *ready_set(struct fw_space *s, struct cache *c, const struct fw_set *set)
{
    if (!set)
        return NULL;
    size_t at = (size_t)((uintptr_t)set / sizeof(max_align_t) * 0x9e3779b1) & c->mask;
    while (c->slot[at].set && c->slot[at].set != set)
        at = (at + 1) & c->mask;
    if (!c->slot[at].set)
        c->slot[at] = (struct known){set, make_set(s, set)};
    return c->slot[at].ready;
}

/* ---- services ---- */

/* Ports that stand beside the same protocol and the same other port are one set: a port group is one product. */
static void add_service(struct fw_space *s, struct fw_ready_rule *r, struct fw_ready_service *v)
{
    struct fw_ready_service *have = (struct fw_ready_service *)r->service;
    for (size_t i = 0; i < r->service_count; i++) {
        if (!fw_spans_equal(have[i].proto, v->proto))
            continue;
        if (fw_spans_equal(have[i].sport, v->sport)) {
            have[i].dport = fw_spans_union(s, have[i].dport, v->dport);
            return;
        }
        if (fw_spans_equal(have[i].dport, v->dport)) {
            have[i].sport = fw_spans_union(s, have[i].sport, v->sport);
            return;
        }
    }
    have[r->service_count++] = *v;
}

/* And protocols beside the same ports. */
static void join_protocols(struct fw_space *s, struct fw_ready_rule *r)
{
    struct fw_ready_service *v = (struct fw_ready_service *)r->service;
    size_t n = 0;
    for (size_t i = 0; i < r->service_count; i++) {
        size_t k = 0;
        while (k < n && !(fw_spans_equal(v[k].sport, v[i].sport) && fw_spans_equal(v[k].dport, v[i].dport)))
            k++;
        if (k < n)
            v[k].proto = fw_spans_union(s, v[k].proto, v[i].proto);
        else
            v[n++] = v[i];
    }
    r->service_count = n;
}

static const struct fw_ready_service any_service;

static struct fw_spans span_or_any(struct fw_space *s, unsigned lo, unsigned hi, enum fw_dim dim)
{
    struct fw_spans any = fw_cell_any_v4.dim[dim];
    return lo == any.span->lo && hi == any.span->hi ? any : fw_spans_one(s, lo, hi);
}

static void make_services(struct fw_space *s, struct fw_ready_rule *r, const struct fw_service *service, size_t count)
{
    size_t n = count ? count : 1;
    struct fw_ready_service *v = fw_space_alloc(s, n * sizeof *v);
    r->service = v ? v : &any_service;
    r->service_count = 0;
    for (size_t i = 0; v && i < n; i++) {
        struct fw_service one = count ? service[i] : FW_SERVICE_ANY;
        struct fw_ready_service ready = {span_or_any(s, one.proto_lo, one.proto_hi, FW_DIM_PROTO),
                                         span_or_any(s, one.sport_lo, one.sport_hi, FW_DIM_SPORT),
                                         span_or_any(s, one.dport_lo, one.dport_hi, FW_DIM_DPORT)};
        add_service(s, r, &ready);
    }
    if (v)
        join_protocols(s, r);
}

/* ---- NAT ---- */

static fw_wide last_of(const struct fw_addr *a)
{
    return fw_wide_of(&a->b);
}

/* Adds what of lo..hi no earlier shift has: the first member of a set that has an address gives its position. */
static void add_shift(struct fw_space *s, struct fw_shifts *t, size_t *cap, struct fw_shift one)
{
    struct fw_spans fresh = fw_spans_one(s, one.lo, one.hi);
    for (size_t i = 0; i < t->count; i++)
        if (t->shift[i].family == one.family)
            fresh = fw_spans_subtract(s, fresh, fw_spans_one(s, t->shift[i].lo, t->shift[i].hi));
    for (size_t i = 0; i < fresh.count; i++) {
        fw_wide lo = fresh.span[i].lo;
        fw_shifts_push(s, t, cap, (struct fw_shift){one.family, lo, fresh.span[i].hi, one.to + (lo - one.lo)});
    }
}

/* From the one set to the other by position; to NULL: to itself. Pieces whose families differ map nothing. */
static struct fw_shifts make_shifts(struct fw_space *s, const struct fw_set *from, const struct fw_set *to)
{
    struct fw_shifts t = {0};
    size_t cap = 0;
    if (!from)
        return t;
    if (!to)
        to = from;
    size_t k = 0;
    fw_wide used = 0; /* of to->addr[k] */
    for (size_t i = 0; i < from->count; i++) {
        fw_wide lo = fw_wide_of(&from->addr[i].a), hi = last_of(&from->addr[i]);
        for (bool more = true; more && k < to->count;) {
            fw_wide at = fw_wide_of(&to->addr[k].a) + used;
            fw_wide left = hi - lo, room = last_of(&to->addr[k]) - at, n = left < room ? left : room;
            if (from->addr[i].a.family == to->addr[k].a.family)
                add_shift(s, &t, &cap, (struct fw_shift){from->addr[i].a.family, lo, lo + n, at});
            used = n < room ? used + n + 1 : 0;
            k += n == room;
            more = n < left;
            lo += n + 1;
        }
    }
    return t;
}

static struct fw_ready_nat make_nat(struct fw_space *s, const struct fw_nat *n)
{
    bool fixed = n->dynamic || n->interface;
    struct fw_ready_nat r = {.nat = n, .any_src = !n->real, .any_dst = !n->has_dst || !n->dst_from};
    r.src = make_shifts(s, n->real, fixed ? NULL : n->mapped);
    r.dst = make_shifts(s, n->dst_from, n->dst_to);
    if (!n->dynamic)
        r.src_back = make_shifts(s, n->mapped ? n->mapped : n->real, n->mapped ? n->real : NULL);
    r.dst_back = make_shifts(s, n->dst_to ? n->dst_to : n->dst_from, n->dst_to ? n->dst_from : NULL);
    return r;
}

/* ---- all ---- */

static void make_list(struct fw_prepared *p, struct cache *c, struct fw_ready_list *out, const struct fw_list *l)
{
    struct fw_space *s = p->space;
    *out = (struct fw_ready_list){.list = l, .hull = fw_space_alloc(s, (l->count + 1) * sizeof *out->hull),
                                  .rule = fw_space_alloc(s, (l->count + 1) * sizeof *out->rule)};
    for (size_t i = 0; out->hull && out->rule && i < l->count; i++) {
        const struct fw_rule *rule = &l->rule[i];
        if (rule->inactive)
            continue;
        struct fw_ready_rule r = {.rule = rule, .src = ready_set(s, c, rule->src), .dst = ready_set(s, c, rule->dst),
                                  .target = fw_ready_list(p, rule->target)};
        make_services(s, &r, rule->service, rule->service_count);
        out->hull[out->count] = rule_hull(rule->src, rule->dst, rule->service, rule->service_count);
        out->rule[out->count++] = r;
    }
}

static void make_taint(struct fw_prepared *p, struct cache *c, struct fw_ready_taint *out, const struct fw_taint *t)
{
    *out = (struct fw_ready_taint){t, {.src = ready_set(p->space, c, t->src), .dst = ready_set(p->space, c, t->dst)}};
    make_services(p->space, &out->rule, t->service, t->service_count);
}

static void fill(struct fw_prepared *p, struct cache *c)
{
    const struct fw_rules *r = p->rules;
    struct fw_space *s = p->space;
    p->list = fw_space_alloc(s, (r->list_count + 1) * sizeof *p->list);
    p->nat = fw_space_alloc(s, (r->nat_count + 1) * sizeof *p->nat);
    p->taint = fw_space_alloc(s, (r->taint_count + 1) * sizeof *p->taint);
    for (size_t i = 0; p->list && i < r->list_count; i++)
        p->list[i].list = r->list[i]; /* jumps look them up */
    for (size_t i = 0; p->list && i < r->list_count; i++)
        make_list(p, c, &p->list[i], r->list[i]);
    for (size_t i = 0; p->nat && i < r->nat_count; i++)
        p->nat[i] = make_nat(s, &r->nat[i]);
    for (size_t i = 0; p->taint && i < r->taint_count; i++)
        make_taint(p, c, &p->taint[i], &r->taint[i]);
    for (size_t i = 0; i < r->iface_count; i++)
        for (size_t k = 0; k < r->iface[i].address_count; k++) {
            const struct ip_addr *ip = &r->iface[i].address[k].ip;
            struct fw_spans *own = &p->own[ip->family];
            *own = fw_spans_union(s, *own, fw_spans_one(s, fw_wide_of(ip), fw_wide_of(ip)));
        }
}

struct fw_prepared *fw_prepare(const struct fw_rules *r)
{
    size_t sets = 16, rules = r->taint_count;
    for (size_t i = 0; i < r->list_count; i++)
        rules += r->list[i]->count;
    while (sets < 4 * rules)
        sets *= 2;
    struct fw_prepared *p = calloc(1, sizeof *p);
    struct cache c = {calloc(sets, sizeof *c.slot), sets - 1};
    if (p) {
        p->rules = r;
        p->space = fw_space_new(0);
    }
    if (p && p->space && c.slot)
        fill(p, &c);
    free(c.slot);
    if (p && (!p->space || !c.slot || fw_space_error(p->space))) {
        fw_prepared_free(p);
        return NULL;
    }
    return p;
}

void fw_prepared_free(struct fw_prepared *p)
{
    if (!p)
        return;
    fw_space_free(p->space);
    free(p);
}

const struct fw_ready_list *fw_ready_list(const struct fw_prepared *p, const struct fw_list *l)
{
    for (size_t i = 0; l && i < p->rules->list_count; i++)
        if (p->rules->list[i] == l)
            return &p->list[i];
    return NULL;
}

struct fw_spans fw_ready_meet(struct fw_space *s, struct fw_spans a, uint8_t family, const struct fw_ready_set *set)
{
    if (!set)
        return a;
    struct fw_spans both = fw_spans_intersect(s, a, set->range[family]);
    for (size_t i = 0; i < set->masked_count; i++) {
        const struct fw_addr *m = &set->masked[i];
        if (m->a.family == family)
            both = fw_spans_union(s, both, fw_spans_masked(s, a, fw_wide_of(&m->a), fw_wide_of(&m->b)));
    }
    return both;
}

bool fw_ready_cut(struct fw_space *s, const struct fw_cell *c, const struct fw_ready_rule *r, size_t service,
                  struct fw_spans in[FW_DIMS])
{
    const struct fw_ready_service *v = &r->service[service];
    in[FW_DIM_PROTO] = fw_spans_intersect(s, c->dim[FW_DIM_PROTO], v->proto);
    if (!in[FW_DIM_PROTO].count)
        return false;
    in[FW_DIM_DPORT] = fw_spans_intersect(s, c->dim[FW_DIM_DPORT], v->dport);
    if (!in[FW_DIM_DPORT].count)
        return false;
    in[FW_DIM_SPORT] = fw_spans_intersect(s, c->dim[FW_DIM_SPORT], v->sport);
    if (!in[FW_DIM_SPORT].count)
        return false;
    in[FW_DIM_DST] = fw_ready_meet(s, c->dim[FW_DIM_DST], c->family, r->dst);
    if (!in[FW_DIM_DST].count)
        return false;
    in[FW_DIM_SRC] = fw_ready_meet(s, c->dim[FW_DIM_SRC], c->family, r->src);
    return in[FW_DIM_SRC].count != 0;
}
