/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/check/json_out.h"
#include "sim/check/output.h"

void output_json_boxes(struct json_out *j, const char *key, const struct check_boxes *b)
{
    json_out_open(j, key, '[');
    for (size_t i = 0; i < b->box.count; i++) {
        const struct check_box *x = &b->box.items[i];
        json_out_open(j, NULL, '{');
        json_out_string(j, "src", x->src);
        json_out_string(j, "dst", x->dst);
        json_out_string(j, "proto", x->proto);
        json_out_string(j, "sport", x->sport);
        json_out_string(j, "dport", x->dport);
        json_out_close(j);
    }
    json_out_close(j);
}

void output_json_lines(struct json_out *j, const char *key, const struct check_line *line, size_t count)
{
    json_out_open(j, key, '[');
    for (size_t i = 0; i < count; i++) {
        json_out_open(j, NULL, '{');
        json_out_string(j, "file", line[i].file);
        if (line[i].file)
            json_out_number(j, "line", line[i].line);
        json_out_string(j, "text", line[i].text);
        json_out_string(j, "says", line[i].says);
        json_out_close(j);
    }
    json_out_close(j);
}

static void hop_members(struct json_out *j, const struct check_hop *h)
{
    static const struct check_hop none;
    if (!h)
        h = &none;
    json_out_string(j, "node", h->node);
    json_out_string(j, "direction", h->direction);
    json_out_string(j, "verdict", h->node ? check_verdict_word(h->verdict) : NULL);
    output_json_boxes(j, "permitted", &h->permitted);
    output_json_boxes(j, "blocked", &h->blocked);
    output_json_boxes(j, "unknown", &h->unknown);
    json_out_number(j, "more", h->permitted.more + h->blocked.more + h->unknown.more);
    output_json_lines(j, "by", h->by.items, h->by.count);
    json_out_string(j, "reason", h->reason);
    json_out_string(j, "suggestion", h->suggestion);
}

/* One object a row x protocol x firewall; a row that meets no firewall has one, without a node. */
static void answers(struct json_out *j, const struct check_report *r)
{
    json_out_open(j, "answers", '[');
    for (size_t i = 0; i < r->answers.count; i++) {
        const struct check_answer *a = &r->answers.items[i];
        for (size_t k = 0; k < a->hops.count || k == 0; k++) {
            json_out_open(j, NULL, '{');
            json_out_string(j, "table", a->table);
            json_out_string(j, "row", a->row);
            json_out_string(j, "purpose", a->purpose);
            json_out_string(j, "protocol", a->protocol);
            json_out_string(j, "from", a->from);
            json_out_string(j, "to", a->to);
            json_out_string(j, "need", a->need);
            json_out_string(j, "row_verdict", check_verdict_word(a->verdict));
            hop_members(j, k < a->hops.count ? &a->hops.items[k] : NULL);
            json_out_string(j, "why", a->why);
            json_out_string(j, "excused", a->excused);
            json_out_close(j);
        }
    }
    json_out_close(j);
}

static void skipped(struct json_out *j, const struct check_report *r)
{
    json_out_open(j, "skipped", '[');
    for (size_t i = 0; i < r->skipped.count; i++) {
        json_out_open(j, NULL, '{');
        json_out_string(j, "table", r->skipped.items[i].table);
        json_out_string(j, "row", r->skipped.items[i].row);
        json_out_string(j, "purpose", r->skipped.items[i].purpose);
        json_out_string(j, "why", r->skipped.items[i].why);
        json_out_close(j);
    }
    json_out_close(j);
}

static void findings(struct json_out *j, const struct check_report *r)
{
    json_out_open(j, "findings", '[');
    for (size_t i = 0; i < r->findings.count; i++) {
        const struct check_finding *f = &r->findings.items[i];
        json_out_open(j, NULL, '{');
        json_out_string(j, "id", f->id);
        json_out_string(j, "level", check_level_word(f->level));
        json_out_string(j, "node", f->node);
        json_out_string(j, "file", f->file);
        if (f->file && f->line)
            json_out_number(j, "line", f->line);
        json_out_string(j, "text", f->text);
        json_out_string(j, "what", f->what);
        json_out_string(j, "change", f->change);
        output_json_lines(j, "lines", f->lines.items, f->lines.count);
        output_json_boxes(j, "packets", &f->packets);
        json_out_number(j, "more", f->packets.more);
        json_out_open(j, "rows", '[');
        for (size_t k = 0; k < f->rows.count; k++)
            json_out_string(j, NULL, f->rows.items[k]);
        json_out_close(j);
        json_out_close(j);
    }
    json_out_close(j);
}

static void repairs(struct json_out *j, const struct check_report *r)
{
    json_out_open(j, "repairs", '[');
    for (size_t i = 0; i < r->repairs.count; i++) {
        const struct check_repair *p = &r->repairs.items[i];
        json_out_open(j, NULL, '{');
        json_out_string(j, "node", p->node);
        json_out_bool(j, "proved", p->proved);
        json_out_string(j, "note", p->note);
        json_out_open(j, "changes", '[');
        for (size_t k = 0; k < p->changes.count; k++) {
            const struct check_change *c = &p->changes.items[k];
            json_out_open(j, NULL, '{');
            json_out_string(j, "file", c->file);
            json_out_number(j, "before_line", c->line);
            json_out_string(j, "remove", c->remove);
            json_out_string(j, "text", c->text);
            json_out_close(j);
        }
        json_out_close(j);
        json_out_close(j);
    }
    json_out_close(j);
}

static void files(struct json_out *j, const struct check_report *r)
{
    json_out_open(j, "lines", '[');
    for (size_t i = 0; i < r->files.count; i++) {
        const struct check_file *f = &r->files.items[i];
        json_out_open(j, NULL, '{');
        json_out_string(j, "node", f->node);
        json_out_string(j, "file", f->file);
        json_out_number(j, "modelled", f->lines.modelled);
        json_out_number(j, "no_effect", f->lines.no_effect);
        json_out_number(j, "unsupported", f->lines.unsupported);
        json_out_number(j, "total", f->lines.total);
        output_json_lines(j, "unsupported_lines", f->unsupported.items, f->unsupported.count);
        output_json_lines(j, "notes", f->notes.items, f->notes.count);
        json_out_close(j);
    }
    json_out_close(j);
}

void check_write_json(struct sink *s, const struct check_report *r, bool colour)
{
    (void)colour;
    struct json_out out = json_out_to(s, 2), *j = &out;
    struct check_count n = check_counts(r);
    json_out_open(j, NULL, '{');
    json_out_string(j, "schema", "turnproof/check/1");
    json_out_string(j, "topology", r->topology);
    json_out_string(j, "expressway", r->expressway);
    json_out_string(j, "size", r->size);
    json_out_string(j, "verdict", check_holds(r) ? "pass" : "fail");
    json_out_open(j, "tables", '[');
    for (size_t i = 0; i < r->tables.count; i++)
        json_out_string(j, NULL, r->tables.items[i]);
    json_out_close(j);
    json_out_open(j, "rows", '{');
    for (enum check_verdict v = 0; v < CHECK_VERDICTS; v++)
        json_out_number(j, check_verdict_word(v), n.verdict[v]);
    json_out_number(j, "skipped", r->skipped.count);
    json_out_close(j);
    answers(j, r);
    skipped(j, r);
    findings(j, r);
    repairs(j, r);
    files(j, r);
    json_out_number(j, "simulated_packets", r->simulated);
    json_out_string(j, "simulated_call", r->call);
    json_out_open(j, "disagreements", '[');
    for (size_t i = 0; i < r->disagreements.count; i++)
        json_out_string(j, NULL, r->disagreements.items[i]);
    json_out_close(j);
    json_out_close(j);
}
