/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For test harnesses: TAP 14 (testanything.org) and JUnit, as CI servers read it. */
#include "conformance/output.h"
#include "models/base/bytes.h"
#include "models/base/time.h"
#include "sim/check/output.h"

enum { NAME_MAX_LEN = 1024 };

/* ---- TAP ---- */

/* A description ends at '#', unless that is escaped. */
static void tap_text(struct sink *s, const char *text)
{
    for (; *text; text++) {
        if (*text == '#' || *text == '\\')
            sink_text(s, "\\");
        sink_bytes(s, *text == '\n' ? " " : text, 1);
    }
}

/* A block of YAML: each line of the text indented. */
static void yaml_block(struct sink *s, const char *key, const char *text)
{
    if (!text)
        return;
    sink_f(s, "  %s: |\n", key);
    for (const char *end; *text; text = *end ? end + 1 : end) {
        end = text + strcspn(text, "\n");
        sink_text(s, "    ");
        sink_bytes(s, text, (size_t)(end - text));
        sink_text(s, "\n");
    }
}

static void yaml_string(struct sink *s, const char *key, const char *text)
{
    if (!text)
        return;
    sink_f(s, "  %s: ", key);
    sink_string(s, text); /* a JSON string is a YAML one (YAML 1.2, 7.3.1) */
    sink_text(s, "\n");
}

static void tap_row(struct sink *s, const struct conform_report *r, size_t i)
{
    const struct verdict *v = &r->verdict[i];
    bool failed = v->outcome == OUTCOME_FAIL;
    sink_f(s, "%sok %zu - %s ", failed ? "not " : "", i + 1, v->row->id);
    tap_text(s, v->row->text);
    if (v->outcome == OUTCOME_SKIP) {
        sink_text(s, " # SKIP ");
        tap_text(s, v->saw);
    } else if (failed && !conform_fails(r, v))
        sink_f(s, " # TODO %s", level_name(v->row->level));
    sink_text(s, "\n");
    if (v->outcome == OUTCOME_SKIP || (v->outcome == OUTCOME_PASS && !v->saw))
        return;
    sink_text(s, "  ---\n");
    yaml_string(s, "level", level_name(v->row->level));
    yaml_string(s, "outcome", outcome_name(v->outcome));
    yaml_string(s, "seen", v->saw);
    yaml_block(s, "exchange", v->exchange);
    sink_text(s, "  ...\n");
}

void conform_write_tap(struct sink *s, const struct conform_report *r, bool colour)
{
    (void)colour;
    sink_f(s, "TAP version 14\n1..%zu\n", r->count);
    for (size_t i = 0; i < r->count; i++)
        tap_row(s, r, i);
}

/* ---- JUnit ---- */

static void junit_skipped(struct sink *s, const char *why, const char *saw)
{
    char message[NAME_MAX_LEN];
    struct text t = text_of(message, sizeof message);
    text_add(&t, "%s%s", why, saw ? saw : "");
    sink_text(s, ">\n      <skipped");
    output_xml_attribute(s, "message", message);
    sink_text(s, "/>\n    </testcase>\n");
}

static void junit_body(struct sink *s, const struct conform_report *r, const struct verdict *v)
{
    if (v->outcome == OUTCOME_SKIP)
        junit_skipped(s, "", v->saw);
    else if (conform_fails(r, v)) {
        sink_text(s, ">\n      <failure");
        output_xml_attribute(s, "type", level_name(v->row->level));
        output_xml_attribute(s, "message", v->saw);
        sink_text(s, ">");
        output_xml(s, v->exchange ? v->exchange : "");
        sink_text(s, "</failure>\n    </testcase>\n");
    } else if (v->outcome == OUTCOME_FAIL)
        junit_skipped(s, "not met, and not required: ", v->saw);
    else if (v->saw) {
        sink_text(s, ">\n      <system-out>");
        output_xml(s, v->saw);
        sink_text(s, "</system-out>\n    </testcase>\n");
    } else
        sink_text(s, "/>\n");
}

static void junit_case(struct sink *s, const struct conform_report *r, const struct verdict *v, const char *suite)
{
    char name[NAME_MAX_LEN];
    struct text t = text_of(name, sizeof name);
    text_add(&t, "%s section %s", suite, v->row->section);
    sink_text(s, "    <testcase");
    output_xml_attribute(s, "classname", name);
    t = text_of(name, sizeof name);
    text_add(&t, "%s %s", v->row->id, v->row->text);
    output_xml_attribute(s, "name", name);
    uint64_t ms = v->took_ns / NS_MS;
    sink_f(s, " time=\"%llu.%03llu\"", (unsigned long long)(ms / 1000), (unsigned long long)(ms % 1000));
    junit_body(s, r, v);
}

struct counts {
    size_t tests, failures, skipped;
};

static bool is_in(const struct verdict *v, const struct document *d)
{
    return !d || catalogue_document(v->row) == d;
}

static struct counts count(const struct conform_report *r, const struct document *d)
{
    struct counts n = {0};
    for (size_t i = 0; i < r->count; i++) {
        const struct verdict *v = &r->verdict[i];
        if (!is_in(v, d))
            continue;
        n.tests++;
        n.failures += conform_fails(r, v);
        n.skipped += v->outcome == OUTCOME_SKIP || (v->outcome == OUTCOME_FAIL && !conform_fails(r, v));
    }
    return n;
}

static void junit_suite(struct sink *s, const struct conform_report *r, const struct document *d)
{
    struct counts n = count(r, d);
    sink_text(s, "  <testsuite");
    output_xml_attribute(s, "name", d->name);
    sink_f(s, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\">\n", n.tests, n.failures, n.skipped);
    for (size_t i = 0; i < r->count; i++)
        if (is_in(&r->verdict[i], d))
            junit_case(s, r, &r->verdict[i], d->name);
    sink_text(s, "  </testsuite>\n");
}

void conform_write_junit(struct sink *s, const struct conform_report *r, bool colour)
{
    (void)colour;
    struct counts n = count(r, NULL);
    sink_text(s, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
    output_xml_attribute(s, "name", r->subject);
    sink_f(s, " tests=\"%zu\" failures=\"%zu\">\n", n.tests, n.failures);
    const struct document *last = NULL; /* the rows of a document follow each other */
    for (size_t i = 0; i < r->count; i++) {
        const struct document *d = catalogue_document(r->verdict[i].row);
        if (d && d != last)
            junit_suite(s, r, d);
        last = d;
    }
    sink_text(s, "</testsuites>\n");
}
