/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/check/repair.h"

#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "sim/check/edits.h"
#include "sim/check/findings.h"

enum { ROUNDS_MAX = 4 };

/* A firewall under repair. */
struct patient {
    struct fw_rules *own;       /* the rules as they were */
    struct edit_text file, now; /* its text */
    struct edits edits;         /* of this round */
    bool changed;
    struct fw_region mended[FW_IFACE_MAX]; /* what edits of this round are for, by the interface it comes in by */
};

struct repair {
    struct topology *t;
    const struct bound *bound;
    struct patient *patient; /* by node */
    const struct check_report *first; /* of this round: which questions count */
    struct arena arena;
};

/* ---- one round ---- */

/* The first of each group stands for it; what is excused or optional is left as it is. */
static bool counts(const struct repair *x, const struct bind_question *q)
{
    size_t i = (size_t)(q - x->bound->questions.items);
    if (x->first->answers.items[i].verdict <= CHECK_DEGRADED)
        return false;
    for (size_t k = 0; q->group >= 0 && k < i; k++)
        if (x->bound->questions.items[k].group == q->group)
            return false;
    return true;
}

static bool ports_meet(const struct port_ranges *a, const struct port_ranges *b)
{
    for (size_t i = 0; i < a->count; i++)
        for (size_t k = 0; k < b->count; k++)
            if (a->items[i].lo <= b->items[k].hi && b->items[k].lo <= a->items[i].hi)
                return true;
    return false;
}

static bool addresses_meet(const struct addr_ranges *a, const struct addr_ranges *b)
{
    for (size_t i = 0; i < a->count; i++)
        for (size_t k = 0; k < b->count; k++)
            if (a->items[i].a.family == b->items[k].a.family && ip_compare(&a->items[i].a, &b->items[k].b) <= 0 &&
                ip_compare(&b->items[k].a, &a->items[i].b) <= 0)
                return true;
    return false;
}

/* What must never pass and what must are the same packets: no rule can tell them apart. */
static bool needed_by_another(const struct repair *x, const struct bind_question *q)
{
    for (size_t i = 0; i < x->bound->questions.count; i++) {
        const struct bind_question *o = &x->bound->questions.items[i];
        if (o->need != NEED_NEVER && o->from.node == q->from.node && o->to.node == q->to.node &&
            o->proto == q->proto && ports_meet(&o->dport, &q->dport) &&
            addresses_meet(&o->src, &q->src) && addresses_meet(&o->dst, &q->dst))
            return true;
    }
    return false;
}

static void collect(void *ctx, struct check *c, const struct check_blocked *b)
{
    struct repair *x = ctx;
    struct patient *p = &x->patient[b->node];
    bool deny = b->question->need == NEED_NEVER;
    if (!counts(x, b->question) || (!deny && b->part->verdict.decision == FW_UNKNOWN) ||
        (deny && needed_by_another(x, b->question)))
        return;
    if (b->visit->in >= 0) { /* what another row's edit is for */
        struct fw_region *mended = &p->mended[b->visit->in];
        if (fw_region_within(c->space, &b->part->arrived, mended))
            return;
        struct fw_region copy = check_region_copy(c->keep, &b->part->arrived);
        for (size_t i = 0; i < copy.count; i++)
            fw_region_add(c->keep, mended, &copy.cell[i]);
    }
    edit_for(c, b, deny, &p->now, &x->arena, &p->edits);
}

/* Rows that fail although no firewall blocks them: for want of a translation. */
static bool collect_translations(struct repair *x)
{
    bool any = false;
    for (size_t i = 0; i < x->bound->questions.count; i++) {
        const struct bind_question *q = &x->bound->questions.items[i];
        const struct check_answer *a = &x->first->answers.items[i];
        for (unsigned n = 0; a->why && counts(x, q) && q->need != NEED_NEVER && n < x->t->nodes.count; n++)
            if (x->t->nodes.items[n].rules &&
                edit_nat_for(x->t, q, n, &x->patient[n].now, &x->arena, &x->patient[n].edits))
                any = true;
    }
    return any;
}

/* Of two changes of one timer the longer one, which comes later. */
static bool replaces(struct edits *all, const struct edit *e)
{
    for (size_t i = 0; i < all->items.count && e->text; i++) {
        struct edit *x = &all->items.items[i];
        if (x->line == e->line && x->text && strncmp(x->text, "timeout ", 8) == 0 &&
            strncmp(x->text, e->text, strcspn(e->text, "0123456789")) == 0) {
            *x = *e;
            return true;
        }
    }
    return false;
}

/* Findings with an edit: timers, inspections. */
static void collect_findings(struct repair *x, struct check *c)
{
    check_find_inspections(c);
    check_find_timers(c);
    for (size_t i = 0; i < c->report->findings.count; i++) {
        const struct check_finding *f = &c->report->findings.items[i];
        for (size_t n = 0; f->fix_line && f->level > LEVEL_NOTE && n < x->t->nodes.count; n++) {
            const struct edit e = {.line = f->fix_line, .remove = f->fix_removes,
                                   .text = f->fix ? arena_format(&x->arena, "%s", f->fix) : NULL};
            struct edits *edits = &x->patient[n].edits;
            if (strcmp(x->t->nodes.items[n].name, f->node) == 0 && x->t->nodes.items[n].rules_format &&
                !replaces(edits, &e))
                *CHECK_ADD(&x->arena, &edits->items) = e;
        }
    }
}

/* The edited text in place of the node's rules; false: the importer does not take it, and all is as before. */
static bool operate(struct repair *x, size_t node)
{
    struct patient *p = &x->patient[node];
    struct topo_node *n = &x->t->nodes.items[node];
    if (!p->edits.items.count)
        return false;
    struct edit_text text = edit_apply(&x->arena, &p->now, &p->edits);
    struct fw_rules *rules;
    struct diag d;
    size_t len;
    const char *joined = edit_text_join(&x->arena, &text, &len);
    if (topology_import(x->t, n, joined, len, &rules, &d) != 0)
        return false;
    if (n->rules != p->own)
        fw_rules_free(n->rules);
    n->rules = rules;
    p->now = text;
    p->changed = true;
    return true;
}

/* All questions of the topology as it is now. NULL: no memory. */
static struct check_report *ask_again(struct repair *x, const struct check_watch *watch, bool findings)
{
    struct check c;
    if (check_open(&c, x->t, x->bound) != 0)
        return NULL;
    check_ask(&c, watch);
    struct check_report *r = c.report;
    if (findings)
        collect_findings(x, &c);
    check_close(&c);
    return r;
}

/* False: nothing more can be done. */
static bool one_round(struct repair *x)
{
    struct check_report *first = ask_again(x, NULL, false);
    if (!first)
        return false;
    x->first = first;
    for (size_t i = 0; i < x->t->nodes.count; i++) {
        x->patient[i].edits = (struct edits){0};
        memset(x->patient[i].mended, 0, sizeof x->patient[i].mended);
    }
    struct check_report *again = NULL;
    if (!collect_translations(x)) /* what rules see depends on them: the rest is for the next round */
        again = ask_again(x, &(struct check_watch){.blocked = collect, .ctx = x}, true);
    bool any = false;
    for (size_t i = 0; i < x->t->nodes.count; i++)
        any = operate(x, i) || any;
    check_report_free(again);
    check_report_free(first);
    return any;
}

/* ---- what came of it ---- */

/* No answer is worse than that at this firewall. */
static bool is_well(const struct check_report *r, const char *node, enum check_verdict limit)
{
    for (size_t i = 0; i < r->answers.count; i++) {
        const struct check_answer *a = &r->answers.items[i];
        for (size_t k = 0; a->verdict > CHECK_DEGRADED && k < a->hops.count; k++)
            if (a->hops.items[k].verdict > limit && strcmp(a->hops.items[k].node, node) == 0)
                return false;
    }
    return true;
}

static void report_repairs(struct repair *x, struct check_report *r)
{
    struct check_report *after = ask_again(x, NULL, true);
    for (size_t i = 0; after && i < x->t->nodes.count; i++) {
        const struct topo_node *n = &x->t->nodes.items[i];
        const struct patient *p = &x->patient[i];
        bool well = is_well(after, n->name, CHECK_PASS);
        if (!p->changed && (well || is_well(r, n->name, CHECK_UNKNOWN)))
            continue;
        struct check_repair *out = CHECK_ADD(&r->arena, &r->repairs);
        *out = (struct check_repair){.node = n->name, .proved = p->changed && well};
        if (p->changed)
            edit_changes(r, &p->file, &p->now, n->name, n->rules_file, out);
        if (!out->proved)
            out->note = "what is left cannot be mended by lines of this file, or not by lines that turnproof knows to "
                        "write: see the reasons above";
    }
    check_report_free(after);
}

void repair_all(struct check_report *r, struct topology *t, const struct bound *b)
{
    struct repair x = {.t = t, .bound = b, .patient = calloc(t->nodes.count + 1, sizeof *x.patient)};
    if (!x.patient)
        return;
    for (size_t i = 0; i < t->nodes.count; i++) {
        const struct topo_node *n = &t->nodes.items[i];
        x.patient[i].own = n->rules;
        if (n->rules_format)
            x.patient[i].file = x.patient[i].now = edit_text_of(&x.arena, n->rules_text, n->rules_len);
    }
    for (int i = 0; i < ROUNDS_MAX && one_round(&x); i++)
        ;
    report_repairs(&x, r);
    for (size_t i = 0; i < t->nodes.count; i++)
        if (t->nodes.items[i].rules != x.patient[i].own) {
            fw_rules_free(t->nodes.items[i].rules);
            t->nodes.items[i].rules = x.patient[i].own;
        }
    free(x.patient);
    arena_free(&x.arena);
}
