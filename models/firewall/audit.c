/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules that no packet reaches. A few packets of a rule are tried against the earlier rules first: one that none of
 * them matches settles it, and only where all are matched the rule is taken apart exactly. */
#include "models/firewall/audit.h"

#include <string.h>

#include "models/base/err.h"
#include "models/firewall/audit_parts.h"

bool fw_audit_region(struct fw_space *s, const struct fw_ready_rule *r, struct fw_region *out)
{
    static const struct fw_cell *const any[] = {&fw_cell_any_v4, &fw_cell_any_v6};
    *out = (struct fw_region){0};
    for (size_t f = 0; f < 2; f++)
        for (size_t v = 0; v < r->service_count; v++) {
            struct fw_cell c = {.family = any[f]->family};
            if (fw_ready_cut(s, any[f], r, v, c.dim))
                fw_region_add(s, out, &c);
        }
    return out->count != 0;
}

/* ---- does one rule stand before another for certain? ---- */

static bool ifaces_within(uint64_t of, uint64_t in)
{
    return !in || (of && !(of & ~in));
}

/* Whatever meets the conditions a meets b too. */
static bool implies(const struct fw_conditions *a, const struct fw_conditions *b)
{
    static const struct fw_conditions none;
    if (!b)
        return true;
    if (!a)
        a = &none;
    return !b->unknown && !b->no_in && !b->no_out && ifaces_within(a->in_ifaces, b->in_ifaces) &&
           ifaces_within(a->out_ifaces, b->out_ifaces) && (!b->states || (a->states && !(a->states & ~b->states))) &&
           !(b->not_states & ~a->not_states) &&
           (!b->tcp_flags || (a->tcp_flags && !(a->tcp_flags & ~b->tcp_flags))) && (!b->fragment || a->fragment) &&
           (!b->src_is_own || a->src_is_own == b->src_is_own) && (!b->dst_is_own || a->dst_is_own == b->dst_is_own);
}

/* What the rule takes, no later one sees. */
static bool ends(const struct fw_rule *r)
{
    return r->action != FW_JUMP && r->action != FW_NOTRACK;
}

static bool stands_before(const struct fw_rule *earlier, const struct fw_rule *later)
{
    return ends(earlier) && implies(later->when, earlier->when);
}

/* ---- trying ---- */

enum { TRIES = 6 };

/* The n-th packet to try: corners of the cell, then what lies between. */
static struct fw_flow packet_of(const struct fw_cell *c, unsigned n)
{
    fw_wide v[FW_DIMS];
    for (unsigned d = 0; d < FW_DIMS; d++) {
        uint32_t key[2] = {n, d};
        uint32_t h = fw_hash(key, sizeof key);
        const struct fw_span *span = &c->dim[d].span[h % c->dim[d].count];
        fw_wide size = span->hi - span->lo;
        fw_wide off = size == ~(fw_wide)0 ? (fw_wide)h << 90 | h : ((fw_wide)h << 64 | h) % (size + 1);
        v[d] = n == 0 ? c->dim[d].span[0].lo : n == 1 ? c->dim[d].span[c->dim[d].count - 1].hi : span->lo + off;
    }
    return (struct fw_flow){(uint8_t)v[FW_DIM_PROTO], fw_wide_ip(c->family, v[FW_DIM_SRC]),
                            fw_wide_ip(c->family, v[FW_DIM_DST]), (uint16_t)v[FW_DIM_SPORT],
                            (uint16_t)v[FW_DIM_DPORT]};
}

static bool taken(const struct fw_index *x, size_t found, const struct fw_rule *rule, const struct fw_flow *f)
{
    for (size_t i = 0; i < found; i++) {
        const struct fw_rule *earlier = x->list->rule[x->found[i]].rule;
        if (stands_before(earlier, rule) && fw_rule_matches(earlier, f))
            return true;
    }
    return false;
}

static bool survives(const struct fw_index *x, size_t found, const struct fw_rule *rule, const struct fw_region *r)
{
    for (unsigned n = 0; n < TRIES; n++) {
        struct fw_flow f = packet_of(&r->cell[n % r->count], n);
        if (!taken(x, found, rule, &f))
            return true;
    }
    return false;
}

/* ---- taking apart ---- */

/* Takes what the rule has of the region out of it; true: something. */
static bool subtract(struct fw_space *s, const struct fw_ready_rule *r, struct fw_region *region)
{
    bool some = false;
    for (size_t v = 0; v < r->service_count; v++) {
        struct fw_region left = {0};
        for (size_t i = 0; i < region->count; i++) {
            struct fw_spans in[FW_DIMS];
            struct fw_cell rest[FW_DIMS];
            if (!fw_ready_cut(s, &region->cell[i], r, v, in)) {
                fw_region_push(s, &left, &region->cell[i]);
                continue;
            }
            some = true;
            size_t n = fw_cell_carve(s, &region->cell[i], in, rest);
            for (size_t k = 0; k < n; k++)
                fw_region_push(s, &left, &rest[k]);
        }
        *region = left;
    }
    return some;
}

void fw_audit_reached(struct fw_index *x, size_t rule, struct fw_space *s, struct fw_region *region,
                      struct fw_audit_lines *by)
{
    const struct fw_rule *later = x->list->rule[rule].rule;
    struct fw_hull hull = x->list->hull[rule];
    size_t found = fw_index_find(x, &hull, rule);
    for (size_t i = 0; i < found && region->count && !fw_space_error(s); i++) {
        const struct fw_ready_rule *earlier = &x->list->rule[x->found[i]];
        if (!stands_before(earlier->rule, later) || !subtract(s, earlier, region) || !by)
            continue;
        by->contrary = by->contrary || (earlier->rule->action == FW_PERMIT) != (later->action == FW_PERMIT);
        if (by->count < by->cap && (!by->count || by->line[by->count - 1] != earlier->rule->ref))
            by->line[by->count++] = earlier->rule->ref;
    }
}

/* ---- lists ---- */

bool fw_audit_is_asked(const struct fw_rules *r, const struct fw_list *l)
{
    bool asked = l == r->global;
    for (size_t i = 0; i < r->iface_count; i++)
        asked = asked || r->iface[i].list[FW_IN] == l || r->iface[i].list[FW_OUT] == l;
    for (size_t i = 0; i < r->base_count; i++)
        asked = asked || r->base[i].list == l;
    for (size_t i = 0; i < r->list_count && !asked; i++)
        for (size_t k = 0; k < r->list[i]->count && !asked; k++)
            asked = r->list[i]->rule[k].target == l;
    return asked;
}

static bool same_line(const struct fw_rule_ref *a, const struct fw_rule_ref *b)
{
    return a == b || (a->line == b->line && strcmp(a->text, b->text) == 0);
}

struct unreached {
    struct fw_unreached *item;
    size_t count, cap;
};

static void push(struct fw_space *s, struct unreached *t, const struct fw_unreached *one)
{
    struct fw_unreached *item = fw_space_room(s, t->item, t->count, &t->cap, sizeof *item);
    if (!item)
        return;
    item[t->count++] = *one;
    t->item = item;
}

/* The rules from..to are of one line: are all of them out of reach? */
static bool line_unreached(struct fw_index *x, size_t from, size_t to, struct fw_space *s, struct fw_space *scratch,
                           struct fw_unreached *out)
{
    struct fw_audit_lines by = {0};
    for (size_t i = from; i < to; i++) {
        struct fw_region region;
        size_t found = fw_index_find(x, &x->list->hull[i], i);
        if (!found || !fw_audit_region(scratch, &x->list->rule[i], &region) ||
            survives(x, found, x->list->rule[i].rule, &region))
            return false;
        struct fw_audit_lines all = {.line = fw_space_alloc(scratch, found * sizeof *all.line), .cap = found};
        if (!all.line)
            return false;
        fw_audit_reached(x, i, scratch, &region, &all);
        if (region.count || fw_space_error(scratch))
            return false;
        const struct fw_rule_ref **line = fw_space_alloc(s, (by.count + all.count) * sizeof *line);
        if (!line)
            return false;
        if (by.count)
            memcpy(line, by.line, by.count * sizeof *line);
        for (size_t k = 0; k < all.count; k++) {
            bool known = same_line(all.line[k], x->list->rule[from].rule->ref);
            for (size_t j = 0; j < by.count && !known; j++)
                known = line[j] == all.line[k];
            if (!known)
                line[by.count++] = all.line[k];
        }
        by.line = line;
        by.contrary = by.contrary || all.contrary;
    }
    *out = (struct fw_unreached){x->list->list->name, x->list->rule[from].rule->ref, by.line, by.count, by.contrary};
    return true;
}

int fw_audit_unreached(const struct fw_prepared *p, struct fw_space *s, struct fw_unreached **out, size_t *count)
{
    struct unreached all = {0};
    struct fw_space *scratch = fw_space_new(0), *index = fw_space_new(0);
    for (size_t i = 0; scratch && index && i < p->rules->list_count; i++) {
        const struct fw_ready_list *l = &p->list[i];
        struct fw_index x;
        fw_space_reset(index);
        if (!fw_audit_is_asked(p->rules, l->list) || !fw_index_make(&x, l, index))
            continue;
        for (size_t from = 0, to; from < l->count; from = to) {
            struct fw_unreached one;
            to = from + 1;
            while (to < l->count && same_line(l->rule[from].rule->ref, l->rule[to].rule->ref))
                to++;
            fw_space_reset(scratch);
            if (!l->rule[from].rule->implied && line_unreached(&x, from, to, s, scratch, &one))
                push(s, &all, &one);
        }
    }
    if (!scratch || !index || (index && fw_space_error(index)))
        fw_space_fail(s, E_NOMEM);
    fw_space_free(scratch);
    fw_space_free(index);
    *out = all.item;
    *count = all.count;
    return fw_space_error(s);
}
