/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules that let pass more than is needed, and rules on addresses that they never see. */
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/firewall/audit.h"
#include "models/firewall/audit_parts.h"
#include "models/firewall/exact_parts.h"

/* ---- what was needed of each line ---- */

struct need {
    const struct fw_rule_ref *rule;
    const struct fw_part *part;
};

/* Any order will do, as long as those of one rule stand together: the order of the lines. */
static int by_line(const void *a, const void *b)
{
    const struct need *x = a, *y = b;
    if (x->rule->line != y->rule->line)
        return x->rule->line < y->rule->line ? -1 : 1;
    return strcmp(x->rule->text, y->rule->text);
}

static size_t collect(const struct fw_part *const *part, size_t count, struct need *out)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (part[i]->verdict.decision == FW_PERMITTED && part[i]->verdict.rule)
            out[n++] = (struct need){part[i]->verdict.rule, part[i]};
    if (n)
        qsort(out, n, sizeof *out, by_line);
    return n;
}

static size_t first_of(const struct need *need, size_t count, const struct fw_rule_ref *rule)
{
    struct need key = {rule, NULL};
    size_t lo = 0, hi = count;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (by_line(&need[mid], &key) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Takes what was needed out of the region; true: something was. */
static bool take_needed(struct fw_space *s, const struct need *need, size_t count, const struct fw_rule_ref *rule,
                        enum fw_view view, struct fw_region *r)
{
    bool some = false;
    struct need key = {rule, NULL};
    for (size_t i = first_of(need, count, rule); i < count && by_line(&need[i], &key) == 0; i++) {
        some = some || need[i].rule == rule;
        for (size_t k = 0; k < need[i].part->piece_count; k++) {
            struct fw_cell c = fw_piece_view(s, &need[i].part->piece[k], view);
            *r = fw_region_subtract(s, r, &(struct fw_region){&c, 1, 1});
        }
    }
    return some;
}

/* ---- rules ---- */

struct wide {
    struct fw_overwide *item;
    size_t count, cap;
};

static void push(struct fw_space *s, struct wide *t, const struct fw_overwide *one)
{
    struct fw_overwide *item = fw_space_room(s, t->item, t->count, &t->cap, sizeof *item);
    if (!item)
        return;
    item[t->count++] = *one;
    t->item = item;
}

/* A copy whose sets live in s. */
static struct fw_region copied(struct fw_space *s, const struct fw_region *r)
{
    struct fw_region out = {0};
    for (size_t i = 0; i < r->count; i++) {
        struct fw_cell c = r->cell[i];
        for (int d = 0; d < FW_DIMS; d++) {
            struct fw_span *span = fw_space_alloc(s, c.dim[d].count * sizeof *span);
            if (!span)
                return out;
            memcpy(span, c.dim[d].span, c.dim[d].count * sizeof *span);
            c.dim[d].span = span;
        }
        fw_region_push(s, &out, &c);
    }
    return out;
}

static int widest_first(const void *a, const void *b)
{
    const struct fw_overwide *x = a, *y = b;
    if (x->exposure != y->exposure)
        return x->exposure > y->exposure ? -1 : 1;
    return x->rule->line < y->rule->line ? -1 : x->rule->line > y->rule->line;
}

/* Lists of the way out only confirm what others permitted. */
static bool permits(const struct fw_rules *r, const struct fw_list *l)
{
    if (r->base_count)
        return fw_audit_is_asked(r, l);
    bool in = l == r->global;
    for (size_t i = 0; i < r->iface_count; i++)
        in = in || r->iface[i].list[FW_IN] == l;
    return in;
}

int fw_audit_overwide(const struct fw_prepared *p, const struct fw_part *const *needed, size_t needed_count,
                      struct fw_space *s, struct fw_overwide **out, size_t *count)
{
    struct wide all = {0};
    struct fw_space *scratch = fw_space_new(0), *index = fw_space_new(0);
    struct need *need = fw_space_alloc(s, (needed_count + 1) * sizeof *need);
    size_t needs = need ? collect(needed, needed_count, need) : 0;
    enum fw_view view = p->rules->base_count ? FW_VIEW_REAL : p->rules->policy.view[FW_IN];
    for (size_t i = 0; scratch && index && need && i < p->rules->list_count; i++) {
        const struct fw_ready_list *l = &p->list[i];
        struct fw_index x;
        fw_space_reset(index);
        if (!permits(p->rules, l->list) || !fw_index_make(&x, l, index))
            continue;
        for (size_t k = 0; k < l->count; k++) {
            struct fw_overwide one = {.list = l->list->name, .rule = l->rule[k].rule->ref};
            fw_space_reset(scratch);
            if (l->rule[k].rule->action != FW_PERMIT || !fw_audit_region(scratch, &l->rule[k], &one.excess))
                continue;
            one.needed = take_needed(scratch, need, needs, one.rule, view, &one.excess);
            fw_audit_reached(&x, k, scratch, &one.excess, NULL);
            if (fw_space_error(scratch))
                fw_space_fail(s, fw_space_error(scratch));
            if (!one.excess.count)
                continue;
            fw_region_compact(scratch, &one.excess);
            one.exposure = fw_region_count(&one.excess);
            one.excess = copied(s, &one.excess);
            push(s, &all, &one);
        }
    }
    if (!scratch || !index || (index && fw_space_error(index)))
        fw_space_fail(s, E_NOMEM);
    fw_space_free(scratch);
    fw_space_free(index);
    if (all.count)
        qsort(all.item, all.count, sizeof *all.item, widest_first);
    *out = all.item;
    *count = all.count;
    return fw_space_error(s);
}

/* ---- mapped addresses ---- */

/* A translation that holds for an address whatever else a packet has. */
static bool always(const struct fw_nat *n, int in)
{
    return !n->dynamic && !n->inactive && !n->unidirectional && !n->has_service && !n->interface && n->mapped &&
           n->mapped != n->real && (!n->has_dst || (!n->dst_from && !n->dst_to)) &&
           (n->mapped_iface == FW_ANY_IFACE || n->mapped_iface == in);
}

static struct fw_spans ends_of(struct fw_space *s, struct fw_shifts t, uint8_t family, bool to)
{
    struct fw_spans out = {0};
    for (size_t i = 0; i < t.count; i++) {
        const struct fw_shift *x = &t.shift[i];
        fw_wide lo = to ? x->to : x->lo;
        if (x->family == family)
            out = fw_spans_union(s, out, fw_spans_one(s, lo, lo + (x->hi - x->lo)));
    }
    return out;
}

/* Addresses that packets into the interface may have and a list there never sees. */
static struct fw_spans hidden_at(const struct fw_prepared *p, struct fw_space *s, int in, uint8_t family)
{
    struct fw_spans mapped = {0}, real = {0};
    for (size_t i = 0; i < p->rules->nat_count; i++)
        if (always(&p->rules->nat[i], in)) {
            mapped = fw_spans_union(s, mapped, ends_of(s, p->nat[i].src_back, family, false));
            real = fw_spans_union(s, real, ends_of(s, p->nat[i].src_back, family, true));
        }
    return fw_spans_subtract(s, mapped, real);
}

static const struct fw_rule_ref *translator(const struct fw_prepared *p, struct fw_space *s, int in, uint8_t family,
                                            struct fw_spans of)
{
    for (size_t i = 0; i < p->rules->nat_count; i++)
        if (always(&p->rules->nat[i], in) &&
            fw_spans_intersect(s, of, ends_of(s, p->nat[i].src_back, family, false)).count)
            return p->rules->nat[i].ref;
    return NULL;
}

static bool is_hidden(const struct fw_prepared *p, struct fw_space *s, const struct fw_ready_rule *r, int in,
                      const struct fw_spans hidden[3], struct fw_mapped_rule *out)
{
    bool some = false;
    if (!r->dst || r->dst->masked_count)
        return false;
    for (uint8_t family = IP_V4; family <= IP_V6; family++) {
        struct fw_spans dst = r->dst->range[family];
        if (!fw_spans_within(dst, hidden[family]))
            return false;
        if (dst.count && !some)
            out->nat = translator(p, s, in, family, dst);
        some = some || dst.count;
    }
    out->iface = in;
    out->rule = r->rule->ref;
    return some;
}

int fw_audit_mapped(const struct fw_machine *m, struct fw_space *s, struct fw_mapped_rule **out, size_t *count)
{
    const struct fw_prepared *p = m->prepared;
    const struct fw_rules *r = p->rules;
    size_t n = 0, cap = 1;
    for (size_t i = 0; i < r->iface_count; i++)
        cap += r->iface[i].list[FW_IN] ? r->iface[i].list[FW_IN]->count : 0;
    struct fw_mapped_rule *all = fw_space_alloc(s, cap * sizeof *all);
    bool sees_real = r->base_count == 0 && r->policy.view[FW_IN] == FW_VIEW_REAL;
    for (int i = 0; all && sees_real && i < (int)r->iface_count; i++) {
        const struct fw_ready_list *l = fw_ready_list(p, r->iface[i].list[FW_IN]);
        struct fw_spans hidden[3] = {{0}, hidden_at(p, s, i, IP_V4), hidden_at(p, s, i, IP_V6)};
        for (size_t k = 0; l && k < l->count; k++) {
            all[n].list = l->list->name;
            n += is_hidden(p, s, &l->rule[k], i, hidden, &all[n]);
        }
    }
    *out = all;
    *count = n;
    return fw_space_error(s);
}
