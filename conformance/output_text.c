/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For people: whether it holds, then what does not and why, as short as it can be said. */
#include "conformance/monitor.h"
#include "conformance/output.h"
#include "models/base/bytes.h"
#include "sim/check/output.h"

enum { TEXT_MAX = 1024, COLUMN_ID = 15 };

bool conform_fails(const struct conform_report *r, const struct verdict *v)
{
    return v->outcome == OUTCOME_FAIL && level_decides(v->row->level, r->strict);
}

bool conform_holds(const struct conform_report *r)
{
    bool judged = !r->watched; /* a capture that shows nothing is no proof of anything */
    for (size_t i = 0; i < r->count; i++) {
        if (conform_fails(r, &r->verdict[i]))
            return false;
        judged |= r->verdict[i].outcome != OUTCOME_SKIP;
    }
    return judged;
}

const char *outcome_name(enum outcome outcome)
{
    static const char *const name[] = {[OUTCOME_PASS] = "pass", [OUTCOME_FAIL] = "fail",
                                       [OUTCOME_DEFINED] = "implementation-defined", [OUTCOME_SKIP] = "skipped"};
    return name[outcome];
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

/* ---- the verdict ---- */

struct counts {
    size_t decisive, decisive_failed, other_failed, of[OUTCOME_SKIP + 1];
};

static struct counts count(const struct conform_report *r)
{
    struct counts n = {0};
    for (size_t i = 0; i < r->count; i++) {
        const struct verdict *v = &r->verdict[i];
        bool decides = level_decides(v->row->level, r->strict), failed = v->outcome == OUTCOME_FAIL;
        n.of[v->outcome]++;
        n.decisive += decides && (failed || v->outcome == OUTCOME_PASS);
        n.decisive_failed += decides && failed;
        n.other_failed += !decides && failed;
    }
    return n;
}

static void put_verdict(struct sink *s, const struct conform_report *r, bool colour)
{
    struct counts n = count(r);
    const char *decisive = r->strict ? "MUST and SHOULD rows" : "MUST rows";
    char buf[TEXT_MAX];
    struct text t = text_of(buf, sizeof buf);
    if (n.decisive_failed)
        text_add(&t, "%zu of %zu %s do not hold", n.decisive_failed, n.decisive, decisive);
    else
        text_add(&t, "all %zu %s that were judged hold", n.decisive, decisive);
    text_add(&t, ": %s (%zu pass", r->subject, n.of[OUTCOME_PASS]);
    if (n.other_failed)
        text_add(&t, ", %zu %s not met", n.other_failed, r->strict ? "MAY" : "SHOULD");
    if (n.of[OUTCOME_DEFINED])
        text_add(&t, ", %zu implementation-defined", n.of[OUTCOME_DEFINED]);
    if (n.of[OUTCOME_SKIP])
        text_add(&t, ", %zu not judged", n.of[OUTCOME_SKIP]);
    text_add(&t, ")");
    if (r->dry_run || !conform_holds(r) > (n.decisive_failed > 0))
        output_word(s, colour, INK_BOLD, "NONE");
    else
        output_word(s, colour, n.decisive_failed ? INK_RED : INK_GREEN, n.decisive_failed ? "FAIL" : "PASS");
    sink_text(s, "  ");
    sink_wrapped(s, 6, buf);
}

/* ---- rows ---- */

/* Of the exchange: a time and what happened, wrapped behind the time; or bytes. */
static void put_line(struct sink *s, const char *line, size_t len)
{
    enum { INDENT = 4, HEX_LINE = 64 };
    char text[2 * TEXT_MAX];
    size_t time = strspn(line, "0123456789."), head = time + strspn(line + time, " ");
    if (time && time < len && line[time] == ' ') {
        struct text t = text_of(text, sizeof text);
        text_add(&t, "%.*s", (int)(len - head), line + head);
        sink_f(s, "    %.*s", (int)head, line);
        sink_wrapped(s, INDENT + head, text);
        return;
    }
    for (size_t n; len; line += n, len -= n) {
        n = len > HEX_LINE + INDENT + HEX_LINE / 8 ? HEX_LINE : len; /* bytes without blanks between them are cut */
        sink_text(s, "    ");
        sink_bytes(s, line, n);
        sink_text(s, "\n");
    }
}

static void put_failure(struct sink *s, const struct conform_report *r, const struct verdict *v, bool colour)
{
    const struct requirement *row = v->row;
    sink_text(s, "\n");
    output_word(s, colour, INK_BOLD, row->id);
    sink_f(s, "  %s\n", level_name(row->level));
    output_field(s, "required", row->text);
    output_field(s, "seen", v->saw);
    if (v->exchange)
        sink_f(s, "  exchange    times in seconds%s\n", r->watched ? "" : "; > was sent by the probe, < came to it");
    for (const char *p = v->exchange, *end; p && *p; p = end + 1) {
        end = strchr(p, '\n');
        put_line(s, p, (size_t)(end - p));
    }
}

static void put_failures(struct sink *s, const struct conform_report *r, bool colour)
{
    for (int decides = 1; decides >= 0; decides--)
        for (size_t i = 0; i < r->count; i++)
            if (r->verdict[i].outcome == OUTCOME_FAIL && conform_fails(r, &r->verdict[i]) == (decides == 1))
                put_failure(s, r, &r->verdict[i], colour);
}

static void put_defined(struct sink *s, const struct conform_report *r)
{
    bool any = false;
    for (size_t i = 0; i < r->count; i++) {
        const struct verdict *v = &r->verdict[i];
        if (v->outcome != OUTCOME_DEFINED)
            continue;
        if (!any)
            sink_text(s, "\nImplementation-defined:\n");
        any = true;
        sink_f(s, "  %-*s", COLUMN_ID - 2, v->row->id);
        sink_wrapped(s, COLUMN_ID, v->saw ? v->saw : "");
    }
}

static bool told_before(const struct conform_report *r, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (r->verdict[k].outcome == OUTCOME_SKIP && strcmp(r->verdict[k].saw, r->verdict[i].saw) == 0)
            return true;
    return false;
}

/* Each reason once, with the rows that it holds for. */
static void put_skipped(struct sink *s, const struct conform_report *r)
{
    bool any = false;
    for (size_t i = 0; i < r->count; i++) {
        if (r->verdict[i].outcome != OUTCOME_SKIP || told_before(r, i))
            continue;
        if (!any)
            sink_text(s, "\nNot judged:\n");
        any = true;
        char buf[8 * TEXT_MAX];
        struct text t = text_of(buf, sizeof buf);
        text_add(&t, "%s:", r->verdict[i].saw);
        size_t rows = 0;
        for (size_t k = i; k < r->count; k++)
            if (r->verdict[k].outcome == OUTCOME_SKIP && strcmp(r->verdict[k].saw, r->verdict[i].saw) == 0 &&
                (++rows, !r->watched)) /* of a capture these are most: --format json names them */
                text_add(&t, " %s", r->verdict[k].row->id);
        if (r->watched)
            text_add(&t, " %zu row%s", rows, rows == 1 ? "" : "s");
        sink_text(s, "  ");
        sink_wrapped(s, 2, buf);
    }
}

void conform_write_text(struct sink *s, const struct conform_report *r, bool colour)
{
    put_verdict(s, r, colour);
    put_failures(s, r, colour);
    put_defined(s, r);
    put_skipped(s, r);
}

/* ---- the catalogue ---- */

static void put_who(struct text *t, unsigned who)
{
    static const char *const name[] = {"server", "client", "peer", "NAT"};
    const char *between = "";
    for (unsigned i = 0; i < 4; i++)
        if (who & 1u << i) {
            text_add(t, "%s%s", between, name[i]);
            between = ", ";
        }
}

static void put_row(struct sink *s, const struct requirement *row)
{
    char buf[TEXT_MAX];
    struct text t = text_of(buf, sizeof buf);
    text_add(&t, "%s, ", level_name(row->level));
    put_who(&t, row->who);
    if (row->probe)
        text_add(&t, ", probe");
    if (monitors_watch(row->id))
        text_add(&t, ", monitor");
    if (row->none)
        text_add(&t, ", no check");
    if (row->setup)
        text_add(&t, ", server setup %s", setup_name(row->setup));
    if (row->seconds)
        text_add(&t, ", %u s", row->seconds);
    sink_f(s, "%-*s%s\n", COLUMN_ID, row->id, buf);
    sink_text(s, "    ");
    sink_wrapped(s, 4, row->text);
    if (row->none) {
        t = text_of(buf, sizeof buf);
        text_add(&t, "no check: %s", row->none);
        sink_text(s, "    ");
        sink_wrapped(s, 4, buf);
    }
}

void conform_write_list(struct sink *s, const struct requirement *const *row, size_t count)
{
    size_t probes = 0, monitors = 0, both = 0, none = 0;
    for (size_t i = 0; i < count; i++) {
        put_row(s, row[i]);
        probes += row[i]->probe != NULL;
        bool monitor = monitors_watch(row[i]->id);
        monitors += monitor;
        both += row[i]->probe && monitor;
        none += row[i]->none != NULL;
    }
    sink_f(s, "%zu row%s: %zu probed, %zu watched, %zu both, %zu with a reason why neither\n", count, plural(count),
           probes, monitors, both, none);
}
