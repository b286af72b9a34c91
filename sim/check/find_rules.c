/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rule sets themselves: lines that no packet reaches, that let pass more than any row needs, that are written on
 * addresses which they never see. */
#include <string.h>

#include "models/base/bytes.h"
#include "models/firewall/audit.h"
#include "models/firewall/rules.h"
#include "sim/check/findings.h"

enum { TEXT_MAX = 1024, PARTS_MAX = 65536 };

static struct check_line line_of(struct arena *a, const struct fw_rule_ref *r)
{
    return (struct check_line){arena_format(a, "%s", r->file), r->line, arena_format(a, "%s", r->text ? r->text : ""),
                               NULL};
}

static void unreached(struct check *c, unsigned node)
{
    struct fw_unreached *u;
    size_t count;
    if (fw_audit_unreached(c->ways.node[node].prepared, c->space, &u, &count) != 0)
        return;
    for (size_t i = 0; i < count; i++) {
        char what[TEXT_MAX];
        struct text w = text_of(what, sizeof what);
        text_add(&w, "no packet reaches this line of %s: %s", u[i].list,
                 u[i].contrary ? "earlier ones decide of all that it names, and otherwise than it would"
                               : "earlier ones decide of all that it names, as it would");
        struct check_finding *f = check_found(c, "never-reached", u[i].contrary ? LEVEL_WARNING : LEVEL_NOTE, node,
                                              u[i].rule, what,
                                              u[i].contrary ? "move it above the lines that cover it, or remove it"
                                                            : "remove it: nothing changes");
        for (size_t k = 0; k < u[i].by_count; k++)
            *CHECK_ADD(&c->report->arena, &f->lines) = line_of(&c->report->arena, u[i].by[k]);
    }
}

/* What the rows need of a firewall, as parts. */
static size_t needed_parts(struct check *c, unsigned node, const struct fw_part **out)
{
    const struct way_node *n = &c->ways.node[node];
    size_t total = 0;
    for (size_t i = 0; i < n->node->rules->iface_count; i++) {
        struct fw_part *part;
        size_t count;
        const struct fw_question q = {.in = (int)i, .packets = &c->need[node].all[i]};
        if (q.packets->count == 0 || fw_exact(&n->machine, &q, c->space, &part, &count) != 0)
            continue;
        for (size_t k = 0; k < count && total < PARTS_MAX; k++)
            out[total++] = &part[k];
    }
    return total;
}

static void add_span(struct fw_space *s, struct fw_spans *all, const struct fw_addr *a, uint8_t family)
{
    if (a->a.family == family)
        *all = fw_spans_union(s, *all, fw_spans_one(s, fw_wide_of(&a->a), fw_wide_of(&a->b)));
}

/* Destinations that nobody reaches by a list of the way in: the networks that it is before, and the firewall itself. */
static struct fw_spans beside(struct check *c, unsigned node, const char *list, uint8_t family)
{
    const struct way_node *n = &c->ways.node[node];
    struct fw_spans all = {0};
    for (size_t i = 0; i < n->node->rules->iface_count; i++) {
        const struct fw_list *in = n->node->rules->iface[i].list[FW_IN];
        for (size_t k = 0; k < n->addresses.count[i]; k++) {
            struct ip_prefix own = n->addresses.prefix[i][k];
            if (in && strcmp(in->name, list) == 0) {
                struct fw_addr net = fw_addr_prefix(&own);
                add_span(c->space, &all, &net, family);
            }
            own.len = family == IP_V4 ? 32 : 128;
            struct fw_addr host = fw_addr_prefix(&own);
            add_span(c->space, &all, &host, family);
        }
    }
    return all;
}

/* What of the excess can reach anybody. */
static struct fw_region that_matters(struct check *c, unsigned node, const struct fw_overwide *o)
{
    struct fw_region out = {0};
    bool hooks = c->topology->nodes.items[node].rules->base_count > 0;
    for (size_t i = 0; i < o->excess.count; i++) {
        struct fw_cell cell = o->excess.cell[i];
        struct fw_spans none = hooks ? (struct fw_spans){0} : beside(c, node, o->list, cell.family);
        cell.dim[FW_DIM_DST] = fw_spans_subtract(c->space, cell.dim[FW_DIM_DST], none);
        if (cell.dim[FW_DIM_DST].count)
            fw_region_push(c->space, &out, &cell);
    }
    return out;
}

static void too_wide(struct check *c, unsigned node)
{
    const struct fw_part **parts = fw_space_alloc(c->space, PARTS_MAX * sizeof *parts);
    size_t needed = parts ? needed_parts(c, node, parts) : 0, count;
    struct fw_overwide *o;
    if (!parts || fw_audit_overwide(c->ways.node[node].prepared, parts, needed, c->space, &o, &count) != 0)
        return;
    for (size_t i = 0; i < count; i++) {
        struct fw_region excess = that_matters(c, node, &o[i]);
        if (excess.count == 0)
            continue;
        struct check_finding *f = check_found(
            c, "too-wide", LEVEL_NOTE, node, o[i].rule,
            o[i].needed ? "permits more than any row of the tables needs" : "no row of the tables needs this line",
            o[i].needed ? "narrow it to what the rows need" : "remove it, unless something else needs it");
        f->packets = check_boxes_of(&c->report->arena, c->space, &excess, NULL, false);
    }
}

static void mapped(struct check *c, unsigned node)
{
    struct fw_mapped_rule *m;
    size_t count;
    if (fw_audit_mapped(&c->ways.node[node].machine, c->space, &m, &count) != 0)
        return;
    for (size_t i = 0; i < count; i++) {
        char what[TEXT_MAX];
        struct text w = text_of(what, sizeof what);
        text_add(&w, "written on a translated address: %s sees real addresses (since 8.3), so that this line matches "
                     "nothing that can arrive", m[i].list);
        struct check_finding *f = check_found(c, "mapped-address", LEVEL_WARNING, node, m[i].rule, what,
                                              "write the real address in its place");
        *CHECK_ADD(&c->report->arena, &f->lines) = line_of(&c->report->arena, m[i].nat);
    }
}

void check_find_rules(struct check *c)
{
    static void (*const kinds[])(struct check *, unsigned) = {mapped, unreached, too_wide};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (unsigned n = 0; n < c->topology->nodes.count; n++)
            if (c->topology->nodes.items[n].rules) {
                fw_space_reset(c->space);
                kinds[k](c, n);
            }
}
