/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/check/differ.h"

#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "sim/check/check.h"

/* One version of a firewall asked about all packets that come in by an interface. */
struct side {
    const struct way_node *node;
    int in;
    struct fw_part *part;
    size_t count;
};

struct comparing {
    struct differ *f;
    struct fw_space *space;
    const char *node, *in;
    struct side before, after;
};

static void note(struct differ *f, const char *fmt, const char *node, const char *name)
{
    *CHECK_ADD(&f->arena, &f->notes) = arena_format(&f->arena, fmt, node, name);
}

static const char *out_name(const struct side *s, int out)
{
    return out >= 0 ? s->node->node->rules->iface[out].name : out == FW_SELF ? "(the firewall)" : "(nowhere)";
}

static bool decides(const struct fw_part *p, enum fw_decision d)
{
    return p->verdict.decision == d || (d == FW_DENIED && p->verdict.decision == FW_NOT_REACHED);
}

/* Packets of one fate that leave by the interface of that name. NULL name: by any. */
static struct fw_region fated(struct fw_space *s, const struct side *x, enum fw_decision d, const char *out)
{
    struct fw_region r = {0};
    for (size_t i = 0; i < x->count; i++)
        if (decides(&x->part[i], d) && (!out || strcmp(out_name(x, x->part[i].out), out) == 0))
            for (size_t c = 0; c < x->part[i].arrived.count; c++)
                fw_region_push(s, &r, &x->part[i].arrived.cell[c]);
    return r;
}

/* The lines of one side that decide about packets of the region. */
static void add_lines(struct comparing *k, const struct side *x, const struct fw_region *r, void *list)
{
    LIST_OF(struct check_line) *lines = list;
    struct arena *a = &k->f->arena;
    for (size_t i = 0; i < x->count; i++) {
        const struct fw_verdict *v = &x->part[i].verdict;
        struct fw_region common = fw_region_intersect(k->space, &x->part[i].arrived, r);
        bool told = common.count == 0;
        char says[512];
        fw_verdict_text(x->node->node->rules, v, says, sizeof says);
        const struct fw_rule_ref *ref = v->rule && v->rule->line ? v->rule : NULL;
        if (v->decision == FW_UNKNOWN && v->doubt_count)
            ref = v->doubt[0].ref;
        for (size_t n = 0; !told && n < lines->count; n++)
            told = ref ? lines->items[n].file && lines->items[n].line == ref->line
                       : !lines->items[n].file && strcmp(lines->items[n].says, says) == 0;
        if (told)
            continue;
        struct check_line *l = CHECK_ADD(a, lines);
        l->says = arena_format(a, "%s", says);
        if (ref) {
            l->file = arena_format(a, "%s", ref->file);
            l->line = ref->line;
            l->text = arena_format(a, "%s", ref->text ? ref->text : "");
        }
    }
}

static void add_change(struct comparing *k, enum differ_kind kind, const char *out, const struct fw_region *r)
{
    struct differ_change *c = CHECK_ADD(&k->f->arena, &k->f->changes);
    *c = (struct differ_change){.node = k->node, .in = k->in, .out = arena_format(&k->f->arena, "%s", out),
                                .kind = kind, .packets = check_boxes_of(&k->f->arena, k->space, r, NULL, false)};
    add_lines(k, &k->before, r, &c->before);
    add_lines(k, &k->after, r, &c->after);
}

/* What `to` gives the fate d and `from` did not, by the interface that `to` sends it out of. */
static void compare_fate(struct comparing *k, const struct side *from, const struct side *to, enum fw_decision d,
                         enum differ_kind kind)
{
    struct fw_region was = fated(k->space, from, d, NULL);
    for (size_t i = 0; i < to->count; i++) {
        const char *out = out_name(to, to->part[i].out);
        bool done = !decides(&to->part[i], d);
        for (size_t n = 0; n < i && !done; n++)
            done = decides(&to->part[n], d) && strcmp(out_name(to, to->part[n].out), out) == 0;
        if (done)
            continue;
        struct fw_region is = fated(k->space, to, d, out);
        struct fw_region fresh = fw_region_subtract(k->space, &is, &was);
        if (fresh.count)
            add_change(k, kind, out, &fresh);
    }
}

static int ask_all(struct comparing *k, struct side *x)
{
    struct fw_region all = fw_region_any(k->space);
    const struct fw_question q = {.in = x->in, .packets = &all};
    return fw_exact(&x->node->machine, &q, k->space, &x->part, &x->count);
}

static void compare_interface(struct comparing *k)
{
    fw_space_reset(k->space);
    size_t before = k->f->changes.count;
    if (ask_all(k, &k->before) == 0 && ask_all(k, &k->after) == 0) {
        compare_fate(k, &k->before, &k->after, FW_PERMITTED, DIFFER_PERMITTED);
        compare_fate(k, &k->after, &k->before, FW_PERMITTED, DIFFER_DENIED);
        compare_fate(k, &k->before, &k->after, FW_UNKNOWN, DIFFER_UNKNOWN);
    }
    if (fw_space_error(k->space)) {
        k->f->changes.count = before;
        note(k->f, "%s, %s: the rules are too entangled to compare exactly in the memory allowed", k->node, k->in);
    }
}

static void compare_node(struct differ *f, struct fw_space *space, const struct way_node *a, const struct way_node *b)
{
    const struct fw_rules *before = a->node->rules, *after = b->node->rules;
    for (size_t i = 0; i < before->iface_count; i++) {
        const char *name = before->iface[i].name;
        int other = fw_rules_find_interface(after, name);
        if (other < 0) {
            note(f, "%s: only the old rules have interface %s", a->node->name, name);
            continue;
        }
        struct comparing k = {.f = f, .space = space, .node = a->node->name, .in = name,
                              .before = {.node = a, .in = (int)i}, .after = {.node = b, .in = other}};
        compare_interface(&k);
    }
    for (size_t i = 0; i < after->iface_count; i++)
        if (fw_rules_find_interface(before, after->iface[i].name) < 0)
            note(f, "%s: only the new rules have interface %s", a->node->name, after->iface[i].name);
}

/* Rules in the topology are, since it is one topology. */
static bool same_rules(const struct topo_node *a, const struct topo_node *b)
{
    if (!a->rules_text || !b->rules_text)
        return !a->rules_text && !b->rules_text;
    bool same_section = a->rules_section && b->rules_section ? strcmp(a->rules_section, b->rules_section) == 0
                                                             : a->rules_section == b->rules_section;
    return same_section && a->rules_len == b->rules_len && memcmp(a->rules_text, b->rules_text, a->rules_len) == 0;
}

/* The questions are the same, since tables and topology are. */
static void compare_rows(struct differ *f, const struct check_report *before, const struct check_report *after)
{
    for (size_t i = 0; i < before->answers.count && i < after->answers.count; i++)
        if (before->answers.items[i].verdict != after->answers.items[i].verdict)
            *CHECK_ADD(&f->arena, &f->rows) = (struct differ_row){&before->answers.items[i], &after->answers.items[i]};
}

int differ_run(struct differ *f, const struct topology *before, const struct topology *after,
               const struct check_report *report_before, const struct check_report *report_after)
{
    *f = (struct differ){0};
    struct ways a = {0}, b = {0};
    struct fw_space *space = fw_space_new(0);
    int err = space ? ways_open(&a, before) : E_NOMEM;
    if (!err && (err = ways_open(&b, after)) != 0)
        ways_close(&a);
    if (!err) {
        for (size_t i = 0; i < before->nodes.count; i++)
            if (before->nodes.items[i].rules && !same_rules(&before->nodes.items[i], &after->nodes.items[i]))
                compare_node(f, space, &a.node[i], &b.node[i]);
        compare_rows(f, report_before, report_after);
        ways_close(&a);
        ways_close(&b);
    }
    fw_space_free(space);
    return err;
}

void differ_free(struct differ *f)
{
    arena_free(&f->arena);
    *f = (struct differ){0};
}

bool differ_same(const struct differ *f)
{
    return f->changes.count + f->rows.count + f->notes.count == 0;
}
