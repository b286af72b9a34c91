/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "models/base/time.h"
#include "sim/check/output.h"
#include "sim/diagnose/output.h"

enum { LADDER_ROWS = 40, LINE = 640 };

static void field(struct sink *s, const char *label, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void field(struct sink *s, const char *label, const char *fmt, ...)
{
    char buf[2 * SENTENCE];
    struct text t = text_of(buf, sizeof buf);
    va_list ap;
    va_start(ap, fmt);
    text_vadd(&t, fmt, ap);
    va_end(ap);
    output_field(s, label, buf);
}

/* ---- verdict and causes ---- */

static void put_verdict(struct sink *s, const struct diagnose_report *r, bool colour)
{
    static const struct {
        const char *word;
        enum output_ink ink;
    } words[] = {[DIAGNOSIS_WELL] = {"NOTHING WRONG", INK_GREEN}, [DIAGNOSIS_CAUSE] = {"CAUSE", INK_RED},
                 [DIAGNOSIS_NOT_ENOUGH] = {"NOT ENOUGH SEEN TO TELL", INK_YELLOW}};
    const struct diagnosis *d = &r->diagnosis;
    output_word(s, colour, words[d->verdict].ink, words[d->verdict].word);
    sink_text(s, "  ");
    char buf[LINE];
    struct text t = text_of(buf, sizeof buf);
    diagnose_headline(d, &t);
    sink_wrapped(s, strlen(words[d->verdict].word) + 2, buf);
}

static void put_evidence(struct sink *s, const struct evidence *e)
{
    if (e->line)
        field(s, " ", "line %zu: %s", e->line, e->text);
    else
        field(s, " ", "frame %" PRIu64 ", %.6f s: %s", e->at.frame, (double)e->at.t_ns / NS_S, e->text);
}

/* ---- firewalls on its way ---- */

static void put_line(struct sink *s, const struct check_line *l)
{
    if (l->file)
        field(s, "", "%s:%u: %s", l->file, l->line, l->text);
    else
        field(s, "", "%s", l->says);
}

static void put_hop(struct sink *s, const struct check_hop *h)
{
    field(s, "firewall", "%s, %s: %s%s%s", h->node, h->direction, check_verdict_word(h->verdict),
          h->reason ? ", " : "", h->reason ? h->reason : "");
    for (size_t i = 0; i < h->by.count; i++)
        put_line(s, &h->by.items[i]);
}

/* Lines for a file, as they are. */
static void paste(struct sink *s, const char *text)
{
    while (text && *text) {
        size_t n = strcspn(text, "\n");
        sink_f(s, "    %.*s\n", (int)n, text);
        text += n + (text[n] != '\0');
    }
}

static void put_change(struct sink *s, const struct check_change *c, const char *proved)
{
    bool adds = c->text[0] != '\0';
    if (c->remove) {
        field(s, adds ? "replace" : "remove", "%s:%u%s:", c->file, c->line, proved);
        paste(s, c->remove);
    }
    if (adds && c->line)
        field(s, c->remove ? "by" : "add", "before %s:%u%s:", c->file, c->line, proved);
    else if (adds)
        field(s, "add", "at the end of %s%s:", c->file, proved);
    paste(s, c->text);
}

static void put_way(struct sink *s, const struct check_report *way)
{
    const struct check_answer *a = &way->answers.items[0];
    for (size_t i = 0; i < a->hops.count; i++)
        put_hop(s, &a->hops.items[i]);
    output_field(s, "way", a->why);
    for (size_t i = 0; i < way->findings.count; i++) {
        const struct check_finding *f = &way->findings.items[i];
        field(s, "timer", "%s: %s", f->node, f->what);
        if (f->file)
            field(s, "", "%s:%u: %s", f->file, f->line, f->text ? f->text : "");
        if (f->change)
            field(s, "write", "%s", f->change);
    }
    for (size_t i = 0; i < way->repairs.count; i++)
        for (size_t k = 0; k < way->repairs.items[i].changes.count; k++)
            put_change(s, &way->repairs.items[i].changes.items[k],
                       way->repairs.items[i].proved ? "" : " (not enough by itself)");
}

static void put_finding(struct sink *s, const struct diagnose_report *r, size_t index, bool colour)
{
    const struct finding *f = &r->diagnosis.finding[index];
    const size_t number = index + 1;
    char client[ENDPOINT_TEXT + 64], server[ENDPOINT_TEXT + 64];
    sink_f(s, "\n%zu. ", number);
    output_word(s, colour, INK_BOLD, f->cause->id);
    sink_text(s, "\n");
    if (number > 1)
        field(s, "what", "%s", f->cause->words);
    field(s, "why", "%s%s", f->saw, f->times > 1 ? "; again later" : "");
    if (f->server.ip.family)
        field(s, "between", "%s and %s", place_endpoint(r->place, &f->client, client, sizeof client),
              place_endpoint(r->place, &f->server, server, sizeof server));
    output_field(s, "do", f->cause->todo);
    if (f->advice)
        output_field(s, " ", f->advice);
    for (size_t i = 0; i < f->evidences; i++) {
        if (i == 0)
            sink_text(s, "  seen\n");
        put_evidence(s, &f->evidence[i]);
    }
    if (r->place && r->place->way[index])
        put_way(s, r->place->way[index]);
}

/* ---- what was there ---- */

static void put_media(struct sink *s, const struct diagnose_report *r)
{
    enum { LISTED = 8 };
    char from[ENDPOINT_TEXT + 64], to[ENDPOINT_TEXT + 64];
    unsigned listed = 0, untried = 0;
    for (const struct leg *l = r->story.first_leg; l; l = l->after)
        for (unsigned by = 0; l->rtp && by < 2 && listed < LISTED; by++, listed++) {
            const struct rtp_story *m = &l->rtp[by];
            field(s, listed ? "" : "rtp", "%s to %s: %" PRIu64 " packets, %" PRIu64 " lost, jitter %.1f ms",
                  place_endpoint(r->place, &l->end[by], from, sizeof from),
                  place_endpoint(r->place, &l->end[!by], to, sizeof to), m->packets,
                  m->expected > m->packets ? m->expected - m->packets : 0, (double)m->jitter * 1000 / 16 / l->clock);
        }
    for (size_t i = 0; i < r->story.announcements; i++)
        untried += !r->story.announced[i].tried;
    if (r->story.announcements)
        field(s, "announced", "%zu addresses in session descriptions, %u of which nobody here tried",
              r->story.announcements, untried);
}

static void put_counts(struct sink *s, const struct diagnose_report *r)
{
    const struct diagnosis *d = &r->diagnosis;
    sink_text(s, "\n");
    field(s, "capture", "%s: %" PRIu64 " frames, %.3f s, %" PRIu64 " conversations", r->capture, r->stats.frames,
          (double)r->story.last.t_ns / NS_S, r->story.flows);
    field(s, "turn", "%u client%s, allocations: %u TCP, %u UDP; %u connection%s of peers, %u bound, %u that came up",
          d->count.talks, d->count.talks == 1 ? "" : "s", d->count.tcp_allocations, d->count.udp_allocations,
          d->count.attempts, d->count.attempts == 1 ? "" : "s", d->count.bound, d->count.valid);
    if (d->count.checked)
        field(s, "checks", "complete on %u connection%s besides", d->count.checked, d->count.checked == 1 ? "" : "s");
    put_media(s, r);
    if (r->log)
        field(s, "log", "%s: %zu lines, %zu with ms-diagnostics", r->log, r->cms_log.lines, r->cms_log.entries);
    for (size_t i = d->verdict == DIAGNOSIS_NOT_ENOUGH; i < d->doubts; i++)
        field(s, i == 0 || (i == 1 && d->verdict == DIAGNOSIS_NOT_ENOUGH) ? "not seen" : "", "%s", d->doubt[i]);
    if (r->cut.text[0])
        field(s, "broken off", "%s; what came before was looked at", r->cut.text);
    if (r->stats.cut)
        field(s, "cut frames", "%" PRIu64 " frames were cut by the capture (snaplen): take whole ones", r->stats.cut);
}

/* Rows of the RFCs that were seen broken: seldom why a call fails, but of use beside it. */
static void put_rows(struct sink *s, const struct diagnose_report *r)
{
    bool any = false;
    for (size_t i = 0; i < r->verdicts; i++) {
        const struct verdict *v = &r->verdict[i];
        if (v->outcome != OUTCOME_FAIL)
            continue;
        if (!any)
            sink_text(s, "\n  departs from the RFCs\n");
        any = true;
        field(s, " ", "%s %s: %s", v->row->id, level_name(v->row->level), v->saw ? v->saw : v->row->text);
    }
}

static void put_ladder(struct sink *s, const struct diagnose_report *r)
{
    struct arena arena = {0};
    uint64_t more;
    struct ladder l = diagnose_ladder(r, LADDER_ROWS, &more, &arena);
    if (l.row_count) {
        sink_text(s, "\n");
        ladder_draw(s, &l, 0);
    }
    if (more)
        sink_f(s, "            ... and %" PRIu64 " more\n", more);
    arena_free(&arena);
}

void diagnose_write_text(struct sink *s, const struct diagnose_report *r, bool colour)
{
    put_verdict(s, r, colour);
    for (size_t i = 0; i < r->diagnosis.findings; i++)
        put_finding(s, r, i, colour);
    put_counts(s, r);
    put_rows(s, r);
    put_ladder(s, r);
}
