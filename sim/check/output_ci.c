/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JUnit, as CI servers read it (the schema that Jenkins' xUnit plug-in holds to), and SARIF 2.1.0 (OASIS). */
#include "models/base/bytes.h"
#include "sim/check/json_out.h"
#include "sim/check/output.h"

enum { TEXT_MAX = 2048 };

/* A row in a sentence: what a test's failure and a result's message say. */
static void row_text(struct text *t, const struct check_answer *a)
{
    text_add(t, "row %s (%s), %s, %s -> %s: %s", a->row, a->purpose, a->protocol, a->from, a->to,
             check_verdict_word(a->verdict));
    if (a->why)
        text_add(t, "; %s", a->why);
}

static void box_text(struct text *t, const char *label, const struct check_boxes *b)
{
    for (size_t i = 0; i < b->box.count; i++) {
        const struct check_box *x = &b->box.items[i];
        text_add(t, "%s%s %s %s:%s -> %s:%s", i ? ", " : "; ", i ? "" : label, x->proto, x->src, x->sport, x->dst,
                 x->dport);
    }
}

static void hop_text(struct text *t, const struct check_hop *h)
{
    text_add(t, "%s, %s: %s", h->node, h->direction, check_verdict_word(h->verdict));
    box_text(t, "blocked", &h->blocked);
    box_text(t, "unknown", &h->unknown);
    for (size_t i = 0; i < h->by.count; i++)
        if (h->by.items[i].file)
            text_add(t, "; by %s:%u: %s", h->by.items[i].file, h->by.items[i].line, h->by.items[i].text);
        else
            text_add(t, "; %s", h->by.items[i].says);
    if (h->reason)
        text_add(t, "; %s", h->reason);
}

/* ---- JUnit ---- */

void output_xml(struct sink *s, const char *text)
{
    static const struct {
        char is;
        const char *as;
    } marks[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\n', "&#10;"}};
    while (*text) {
        const char *as = (unsigned char)*text < ' ' ? " " : NULL; /* XML has no way to write other control characters */
        for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
            if (*text == marks[i].is)
                as = marks[i].as;
        if (as)
            sink_text(s, as);
        text = as ? text + 1 : sink_character(s, text);
    }
}

void output_xml_attribute(struct sink *s, const char *name, const char *value)
{
    sink_f(s, " %s=\"", name);
    output_xml(s, value);
    sink_text(s, "\"");
}

static bool failed(const struct check_answer *a)
{
    return a->verdict > CHECK_DEGRADED;
}

static void junit_answer(struct sink *s, const struct check_answer *a)
{
    char name[TEXT_MAX], message[TEXT_MAX];
    struct text t = text_of(name, sizeof name);
    text_add(&t, "%s %s, %s, %s -> %s", a->row, a->purpose, a->protocol, a->from, a->to);
    sink_text(s, "    <testcase");
    output_xml_attribute(s, "classname", a->table);
    output_xml_attribute(s, "name", name);
    if (!failed(a)) {
        sink_text(s, "/>\n");
        return;
    }
    t = text_of(message, sizeof message);
    row_text(&t, a);
    sink_text(s, ">\n      <failure");
    output_xml_attribute(s, "type", check_verdict_word(a->verdict));
    output_xml_attribute(s, "message", message);
    sink_text(s, ">");
    for (size_t i = 0; i < a->hops.count; i++)
        if (a->hops.items[i].verdict != CHECK_PASS) {
            t = text_of(message, sizeof message);
            hop_text(&t, &a->hops.items[i]);
            output_xml(s, message);
            sink_text(s, "\n");
        }
    sink_text(s, "</failure>\n    </testcase>\n");
}

static void junit_suite(struct sink *s, const char *name, size_t tests, size_t failures, size_t skipped)
{
    sink_text(s, "  <testsuite");
    output_xml_attribute(s, "name", name);
    sink_f(s, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\">\n", tests, failures, skipped);
}

static void junit_table(struct sink *s, const struct check_report *r, const char *table)
{
    size_t tests = 0, failures = 0, skips = 0;
    for (size_t i = 0; i < r->answers.count; i++)
        if (strcmp(r->answers.items[i].table, table) == 0) {
            tests++;
            failures += failed(&r->answers.items[i]);
        }
    for (size_t i = 0; i < r->skipped.count; i++)
        skips += strcmp(r->skipped.items[i].table, table) == 0;
    junit_suite(s, table, tests + skips, failures, skips);
    for (size_t i = 0; i < r->answers.count; i++)
        if (strcmp(r->answers.items[i].table, table) == 0)
            junit_answer(s, &r->answers.items[i]);
    for (size_t i = 0; i < r->skipped.count; i++) {
        const struct check_skipped *k = &r->skipped.items[i];
        if (strcmp(k->table, table) != 0)
            continue;
        char name[TEXT_MAX];
        struct text t = text_of(name, sizeof name);
        text_add(&t, "%s %s", k->row, k->purpose);
        sink_text(s, "    <testcase");
        output_xml_attribute(s, "classname", k->table);
        output_xml_attribute(s, "name", name);
        sink_text(s, "><skipped");
        output_xml_attribute(s, "message", k->why);
        sink_text(s, "/></testcase>\n");
    }
    sink_text(s, "  </testsuite>\n");
}

static void junit_findings(struct sink *s, const struct check_report *r)
{
    struct check_count n = check_counts(r);
    junit_suite(s, "findings", r->findings.count + r->disagreements.count,
                n.level[LEVEL_ERROR] + r->disagreements.count, 0);
    for (size_t i = 0; i < r->findings.count; i++) {
        const struct check_finding *f = &r->findings.items[i];
        char name[TEXT_MAX];
        struct text t = text_of(name, sizeof name);
        if (f->file && f->line)
            text_add(&t, "%s:%u: ", f->file, f->line);
        text_add(&t, "%s", f->what);
        sink_text(s, "    <testcase");
        output_xml_attribute(s, "classname", f->id);
        output_xml_attribute(s, "name", name);
        if (f->level == LEVEL_ERROR) {
            sink_text(s, "><failure");
            output_xml_attribute(s, "type", f->id);
            output_xml_attribute(s, "message", f->what);
            sink_text(s, ">");
            output_xml(s, f->change ? f->change : "");
            sink_text(s, "</failure></testcase>\n");
        } else
            sink_text(s, "/>\n");
    }
    for (size_t i = 0; i < r->disagreements.count; i++) {
        sink_text(s, "    <testcase classname=\"simulate\"");
        output_xml_attribute(s, "name", "simulated firewalls and exact answers agree");
        sink_text(s, "><failure type=\"disagreement\"");
        output_xml_attribute(s, "message", r->disagreements.items[i]);
        sink_text(s, "/></testcase>\n");
    }
    sink_text(s, "  </testsuite>\n");
}

void check_write_junit(struct sink *s, const struct check_report *r, bool colour)
{
    (void)colour;
    struct check_count n = check_counts(r);
    size_t failures = n.verdict[CHECK_UNKNOWN] + n.verdict[CHECK_BLOCKED] + n.verdict[CHECK_EXPOSED] +
                      n.level[LEVEL_ERROR] + r->disagreements.count;
    sink_text(s, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
    output_xml_attribute(s, "name", r->topology);
    sink_f(s, " tests=\"%zu\" failures=\"%zu\">\n",
           r->answers.count + r->skipped.count + r->findings.count + r->disagreements.count, failures);
    for (size_t i = 0; i < r->tables.count; i++)
        junit_table(s, r, r->tables.items[i]);
    junit_findings(s, r);
    sink_text(s, "</testsuites>\n");
}

/* ---- SARIF ---- */

static void sarif_message(struct json_out *j, const char *text)
{
    json_out_open(j, "message", '{');
    json_out_string(j, "text", text);
    json_out_close(j);
}

/* A file name as a URI reference (RFC 3986 2.3). */
static void sarif_uri(struct json_out *j, const char *file)
{
    char buf[TEXT_MAX];
    struct text t = text_of(buf, sizeof buf);
    for (const unsigned char *p = (const unsigned char *)file; *p; p++)
        if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || strchr("/-._~", *p))
            text_add(&t, "%c", *p);
        else
            text_add(&t, "%%%02X", *p);
    json_out_string(j, "uri", buf);
}

static void sarif_location(struct json_out *j, const char *file, unsigned line, const char *text)
{
    json_out_open(j, NULL, '{');
    json_out_open(j, "physicalLocation", '{');
    json_out_open(j, "artifactLocation", '{');
    sarif_uri(j, file);
    json_out_close(j);
    if (line) {
        json_out_open(j, "region", '{');
        json_out_number(j, "startLine", line);
        if (text) {
            json_out_open(j, "snippet", '{');
            json_out_string(j, "text", text);
            json_out_close(j);
        }
        json_out_close(j);
    }
    json_out_close(j);
    json_out_close(j);
}

static void sarif_rules(struct json_out *j)
{
    json_out_open(j, "rules", '[');
    for (const struct check_finding_kind *k = check_finding_kinds; k->id; k++) {
        json_out_open(j, NULL, '{');
        json_out_string(j, "id", k->id);
        json_out_open(j, "shortDescription", '{');
        json_out_string(j, "text", k->title);
        json_out_close(j);
        json_out_close(j);
    }
    json_out_close(j);
}

static void sarif_begin(struct json_out *j, const char *id, const char *level, const char *text)
{
    json_out_open(j, NULL, '{');
    json_out_string(j, "ruleId", id);
    json_out_string(j, "level", level);
    sarif_message(j, text);
}

/* One result a firewall that blocks a row; a row that no firewall blocks points at the topology. */
static void sarif_answer(struct json_out *j, const struct check_report *r, const struct check_answer *a)
{
    static const struct {
        const char *id, *level;
    } kinds[CHECK_VERDICTS] = {[CHECK_DEGRADED] = {"row-degraded", "warning"},
                               [CHECK_UNKNOWN] = {"row-unknown", "error"},
                               [CHECK_BLOCKED] = {"row-blocked", "error"},
                               [CHECK_EXPOSED] = {"row-exposed", "error"}};
    size_t told = 0;
    for (size_t i = 0; i < a->hops.count || (i == a->hops.count && told == 0); i++) {
        const struct check_hop *h = i < a->hops.count ? &a->hops.items[i] : NULL;
        if (h && h->verdict == CHECK_PASS)
            continue;
        char buf[2 * TEXT_MAX];
        struct text t = text_of(buf, sizeof buf);
        row_text(&t, a);
        if (h) {
            text_add(&t, ". ");
            hop_text(&t, h);
        }
        sarif_begin(j, kinds[a->verdict].id, kinds[a->verdict].level, buf);
        json_out_open(j, "locations", '[');
        size_t places = 0;
        for (size_t k = 0; h && k < h->by.count; k++)
            if (h->by.items[k].file) {
                sarif_location(j, h->by.items[k].file, h->by.items[k].line, h->by.items[k].text);
                places++;
            }
        for (size_t k = 0; h && !places && k < r->files.count; k++)
            if (strcmp(r->files.items[k].node, h->node) == 0) {
                sarif_location(j, r->files.items[k].file, 0, NULL);
                places++;
            }
        json_out_close(j);
        json_out_close(j);
        told++;
    }
}

static void sarif_finding(struct json_out *j, const struct check_finding *f)
{
    char buf[2 * TEXT_MAX];
    struct text t = text_of(buf, sizeof buf);
    text_add(&t, "%s%s%s%s%s", f->node ? f->node : "", f->node ? ": " : "", f->what, f->change ? ". Change: " : "",
             f->change ? f->change : "");
    sarif_begin(j, f->id, check_level_word(f->level), buf);
    json_out_open(j, "locations", '[');
    if (f->file)
        sarif_location(j, f->file, f->line, f->text);
    json_out_close(j);
    if (f->lines.count) {
        json_out_open(j, "relatedLocations", '[');
        for (size_t i = 0; i < f->lines.count; i++)
            if (f->lines.items[i].file)
                sarif_location(j, f->lines.items[i].file, f->lines.items[i].line, f->lines.items[i].text);
        json_out_close(j);
    }
    json_out_close(j);
}

void check_write_sarif(struct sink *s, const struct check_report *r, bool colour)
{
    (void)colour;
    struct json_out out = json_out_to(s, 4), *j = &out;
    json_out_open(j, NULL, '{');
    json_out_string(j, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    json_out_string(j, "version", "2.1.0");
    json_out_open(j, "runs", '[');
    json_out_open(j, NULL, '{');
    json_out_open(j, "tool", '{');
    json_out_open(j, "driver", '{');
    json_out_string(j, "name", "turnproof");
    sarif_rules(j);
    json_out_close(j);
    json_out_close(j);
    json_out_open(j, "results", '[');
    for (size_t i = 0; i < r->answers.count; i++)
        if (r->answers.items[i].verdict != CHECK_PASS)
            sarif_answer(j, r, &r->answers.items[i]);
    for (size_t i = 0; i < r->findings.count; i++)
        sarif_finding(j, &r->findings.items[i]);
    for (size_t i = 0; i < r->disagreements.count; i++) {
        sarif_begin(j, "disagreement", "error", r->disagreements.items[i]);
        json_out_close(j);
    }
    json_out_close(j);
    json_out_close(j);
    json_out_close(j);
    json_out_close(j);
}
