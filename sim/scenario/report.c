/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/time.h"
#include "sim/scenario/ladder.h"
#include "sim/scenario/services.h"

enum { LADDER_ROWS = 60, SERVICE_ROWS = 24 };

static void put_value(struct sink *s, const char *key, const char *value)
{
    if (!value[0])
        return;
    sink_f(s, "  %-10s  ", key);
    sink_wrapped(s, 14, value);
}

static void put_verdict(struct sink *s, const struct report *r, size_t i)
{
    static const struct {
        const char *word, *colour;
    } words[] = {[VERDICT_OK] = {"OK", "\033[1;32m"},
                 [VERDICT_FAILED] = {"FAILED", "\033[1;31m"},
                 [VERDICT_NONCONFORMANT] = {"NONCONFORMANT", "\033[1;31m"}};
    const struct blame *b = r->blame[i];
    const struct record *rec = r->record[i];
    sink_f(s, "%s%s%s  %s on %s, seed %" PRIu64, r->colour ? words[b->verdict].colour : "", words[b->verdict].word,
        r->colour ? "\033[0m" : "", r->topology->name, rec->engine, rec->seed);
    if (b->verdict != VERDICT_OK && b->phase[0])
        sink_f(s, ", in phase %s", b->phase);
    sink_f(s, "\n");
    const struct {
        const char *key, *value;
    } lines[] = {{"what", b->what}, {"packet", b->packet}, {"dropped by", b->where}, {"change", b->advice}};
    for (size_t k = 0; b->verdict != VERDICT_OK && k < sizeof lines / sizeof *lines; k++)
        put_value(s, lines[k].key, lines[k].value);
}

static void put_warnings(struct sink *s, const struct topology *t)
{
    char text[512];
    for (size_t i = 0; blame_warning(t, i, text, sizeof text); i++) {
        sink_text(s, "warning: ");
        sink_wrapped(s, strlen("warning: "), text);
    }
}

static uint64_t took(const struct record *r, size_t phase)
{
    return phase < r->phases.count ? r->phases.items[phase].end_ns - r->phases.items[phase].start_ns : 0;
}

static void put_ms(struct sink *s, uint64_t ns)
{
    sink_f(s, "  %10" PRIu64 ".%03" PRIu64, ns / NS_MS, ns % NS_MS / NS_US);
}

/* One run: when each phase began, how long it took. Two: how long in each, and by how much they differ. */
static void put_phases(struct sink *s, const struct report *r)
{
    const struct record *a = r->record[0], *b = r->count > 1 ? r->record[1] : NULL;
    if (a->phases.count == 0)
        return;
    if (b)
        sink_f(s, "\n  %-10s  %11s ms  %11s ms  difference\n", "phase", a->engine, b->engine);
    else
        sink_f(s, "\n  %-10s  %14s  %14s\n", "phase", "from (ms)", "took (ms)");
    for (size_t i = 0; i < a->phases.count; i++) {
        sink_f(s, "  %-10s", a->phases.items[i].name);
        put_ms(s, b ? took(a, i) : a->phases.items[i].start_ns);
        put_ms(s, b ? took(b, i) : took(a, i));
        if (b) {
            int64_t d = compare_times(took(a, i), took(b, i));
            char percent[32];
            snprintf(percent, sizeof percent, "%c%lld.%lld", d < 0 ? '-' : '+', llabs(d) / 10, llabs(d) % 10);
            sink_f(s, "  %10s %%", percent);
        }
        sink_f(s, "\n");
    }
}

static void put_comparison(struct sink *s, const struct comparison *c)
{
    const char *found = "THE ENGINES SENT DIFFERENT MESSAGES:";
    if (c->same_messages)
        found = "The engines sent the same messages; independent ones came in another order.";
    if (c->same_order)
        found = "The engines sent the same messages in the same order.";
    sink_f(s, "\n  %s\n", found);
    if (!c->same_messages) {
        sink_text(s, "  ");
        sink_wrapped(s, 2, c->difference);
    }
}

/* What the monitors saw at the relays: how many rows hold, and the others in words. */
static void put_conformance(struct sink *s, const struct record *r)
{
    size_t broken = 0;
    for (size_t i = 0; i < r->conformance.count; i++)
        broken += !r->conformance.items[i].holds;
    if (!r->conformance.count)
        return;
    sink_f(s, "\n  RFC rows seen at the relay on %s: %zu hold, %zu do not\n", r->engine, r->conformance.count - broken,
           broken);
    for (size_t i = 0; i < r->conformance.count; i++) {
        const struct run_conformance *c = &r->conformance.items[i];
        if (c->holds)
            continue;
        sink_f(s, "    %-12s %-10s  ", c->id, c->level);
        sink_wrapped(s, 29, c->saw ? c->saw : c->text);
    }
}

/* The ids of rows, wrapped as one paragraph. */
static void put_row_ids(struct sink *s, const char *what, const struct record *r, bool carried, bool never)
{
    char buf[2000];
    struct text t = text_of(buf, sizeof buf);
    for (size_t i = 0; i < r->rows.count; i++)
        if ((r->rows.items[i].packets > 0) == carried && r->rows.items[i].never == never)
            text_add(&t, "%s%s", t.len ? " " : "", r->rows.items[i].id);
    if (!t.len)
        return;
    sink_f(s, "    %s  ", what);
    sink_wrapped(s, 6 + strlen(what), buf);
}

/* Which rows of the port tables the run put to use. */
static void put_rows(struct sink *s, const struct record *r)
{
    size_t carried = 0, all = 0;
    for (size_t i = 0; i < r->rows.count; i++) {
        all += !r->rows.items[i].never;
        carried += !r->rows.items[i].never && r->rows.items[i].packets;
    }
    if (!r->rows.count)
        return;
    sink_f(s, "\n  Rows of the port tables on %s: %zu of %zu carried packets\n", r->engine, carried, all);
    put_row_ids(s, "nothing in ", r, false, false);
    put_row_ids(s, "never, but ", r, true, true);
}

static void put_files(struct sink *s, const struct report *r)
{
    sink_f(s, "\n");
    for (size_t i = 0; i < r->count; i++)
        sink_f(s, "  trace %s  %s\n", r->record[i]->engine, r->record[i]->trace_sha256);
    if (!r->directory)
        return;
    sink_f(s, "  files %s/%s\n        ", r->directory, r->count > 1 ? "{native,ns3}/" : "");
    sink_wrapped(s, 8, "summary.json, events.ndjson, capture.pcapng, ladder.txt, ladder.svg");
}

void report_write(struct sink *s, const struct report *r)
{
    for (size_t i = 0; i < r->count; i++)
        put_verdict(s, r, i);
    put_warnings(s, r->topology);
    services_text(s, r->topology, r->record[0], SERVICE_ROWS);
    put_phases(s, r);
    if (r->comparison)
        put_comparison(s, r->comparison);
    put_rows(s, r->record[0]);
    put_conformance(s, r->record[0]);
    sink_f(s, "\n");
    ladder_text(s, r->topology, r->record[0], r->blame[0], LADDER_ROWS);
    put_files(s, r);
}
