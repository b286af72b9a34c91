/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/check/differ.h"
#include "sim/check/output.h"

enum { LISTED_MAX = 6, TEXT_MAX = 2048 };

static const struct {
    const char *word, *json;
    enum output_ink ink;
} kinds[DIFFER_KINDS] = {[DIFFER_PERMITTED] = {"PERMITTED", "permitted", INK_YELLOW},
                         [DIFFER_DENIED] = {"DENIED", "denied", INK_RED},
                         [DIFFER_UNKNOWN] = {"UNKNOWN", "unknown", INK_RED}};

static void put_boxes(struct sink *s, const struct check_boxes *b)
{
    for (size_t i = 0; i < b->box.count && i < LISTED_MAX; i++) {
        const struct check_box *x = &b->box.items[i];
        char buf[TEXT_MAX];
        struct text t = text_of(buf, sizeof buf);
        text_add(&t, "%s ", x->proto);
        output_ranges(&t, x->src);
        if (strcmp(x->sport, "any") != 0) {
            text_add(&t, " ports ");
            output_ranges(&t, x->sport);
        }
        text_add(&t, " -> ");
        output_ranges(&t, x->dst);
        if (strcmp(x->dport, "any") != 0) {
            text_add(&t, " ports ");
            output_ranges(&t, x->dport);
        }
        output_field(s, i ? "" : "packets", buf);
    }
    size_t more = b->more + (b->box.count > LISTED_MAX ? b->box.count - LISTED_MAX : 0);
    if (more)
        sink_f(s, "              ... and %zu more (--format json has them)\n", more);
}

static void put_lines(struct sink *s, const char *label, const struct check_line *line, size_t count)
{
    for (size_t i = 0; i < count && i < LISTED_MAX; i++) {
        struct check_line l = line[i];
        if (l.file)
            l.says = NULL; /* the line says it */
        output_line(s, i ? "" : label, &l);
    }
}

static void put_change(struct sink *s, const struct differ_change *c, bool colour)
{
    sink_text(s, "\n");
    output_word(s, colour, kinds[c->kind].ink, kinds[c->kind].word);
    sink_f(s, "%*s%s: %s -> %s\n", (int)(14 - strlen(kinds[c->kind].word)), "", c->node, c->in, c->out);
    put_boxes(s, &c->packets);
    put_lines(s, "before", c->before.items, c->before.count);
    put_lines(s, "now", c->after.items, c->after.count);
}

void differ_write_text(struct sink *s, const struct differ *f, bool colour)
{
    if (differ_same(f)) {
        output_word(s, colour, INK_GREEN, "SAME");
        sink_text(s, "  no packet fares differently, and no row\n");
        return;
    }
    size_t n[DIFFER_KINDS] = {0};
    for (size_t i = 0; i < f->changes.count; i++)
        n[f->changes.items[i].kind]++;
    char buf[TEXT_MAX];
    struct text t = text_of(buf, sizeof buf);
    text_add(&t, "newly permitted: %zu set%s of packets; no longer permitted: %zu; newly unknown: %zu; rows of the "
                 "tables with another verdict: %zu", n[DIFFER_PERMITTED], n[DIFFER_PERMITTED] == 1 ? "" : "s",
             n[DIFFER_DENIED], n[DIFFER_UNKNOWN], f->rows.count);
    output_word(s, colour, INK_BOLD, "DIFFERENT");
    sink_text(s, "  ");
    sink_wrapped(s, 11, buf);
    for (size_t i = 0; i < f->rows.count; i++) {
        const struct check_answer *a = f->rows.items[i].before, *b = f->rows.items[i].after;
        t = text_of(buf, sizeof buf);
        text_add(&t, "%s %s, %s, %s -> %s: %s, now %s", a->row, a->purpose, a->protocol, a->from, a->to,
                 check_verdict_word(a->verdict), check_verdict_word(b->verdict));
        output_field(s, i ? "" : "rows", buf);
    }
    for (size_t i = 0; i < f->changes.count; i++)
        put_change(s, &f->changes.items[i], colour);
    for (size_t i = 0; i < f->notes.count; i++)
        output_field(s, i ? "" : "note", f->notes.items[i]);
}

void differ_write_json(struct sink *s, const struct differ *f, bool colour)
{
    (void)colour;
    struct json_out out = json_out_to(s, 2), *j = &out;
    json_out_open(j, NULL, '{');
    json_out_string(j, "schema", "turnproof/diff/1");
    json_out_bool(j, "same", differ_same(f));
    json_out_open(j, "changes", '[');
    for (size_t i = 0; i < f->changes.count; i++) {
        const struct differ_change *c = &f->changes.items[i];
        json_out_open(j, NULL, '{');
        json_out_string(j, "node", c->node);
        json_out_string(j, "in", c->in);
        json_out_string(j, "out", c->out);
        json_out_string(j, "now", kinds[c->kind].json);
        output_json_boxes(j, "packets", &c->packets);
        json_out_number(j, "more", c->packets.more);
        output_json_lines(j, "before", c->before.items, c->before.count);
        output_json_lines(j, "after", c->after.items, c->after.count);
        json_out_close(j);
    }
    json_out_close(j);
    json_out_open(j, "rows", '[');
    for (size_t i = 0; i < f->rows.count; i++) {
        const struct check_answer *a = f->rows.items[i].before, *b = f->rows.items[i].after;
        json_out_open(j, NULL, '{');
        json_out_string(j, "table", a->table);
        json_out_string(j, "row", a->row);
        json_out_string(j, "protocol", a->protocol);
        json_out_string(j, "before", check_verdict_word(a->verdict));
        json_out_string(j, "after", check_verdict_word(b->verdict));
        json_out_close(j);
    }
    json_out_close(j);
    json_out_open(j, "notes", '[');
    for (size_t i = 0; i < f->notes.count; i++)
        json_out_string(j, NULL, f->notes.items[i]);
    json_out_close(j);
    json_out_close(j);
}
