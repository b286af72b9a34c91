/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "models/base/time.h"
#include "sim/diagnose/output.h"

enum { LADDER_ROWS = 400 };

/* Text from a capture is anybody's: nothing of it may be markup. */
static void put(struct sink *s, const char *text)
{
    static const char *const escape[128] = {['<'] = "&lt;", ['>'] = "&gt;", ['&'] = "&amp;", ['"'] = "&quot;"};
    while (*text) {
        unsigned char c = (unsigned char)*text;
        if (c < 128 && c != '\n' && (c < ' ' || escape[c])) {
            sink_text(s, c < ' ' ? "?" : escape[c]);
            text++;
        } else {
            text = sink_character(s, text);
        }
    }
}

static void element(struct sink *s, const char *name, const char *text)
{
    sink_f(s, "<%s>", name);
    put(s, text);
    sink_f(s, "</%s>\n", name);
}

static void put_hop(struct sink *s, const struct check_hop *h)
{
    char line[1024];
    struct text t = text_of(line, sizeof line);
    text_add(&t, "%s, %s: %s%s%s", h->node, h->direction, check_verdict_word(h->verdict), h->reason ? ", " : "",
             h->reason ? h->reason : "");
    element(s, "p", line);
    for (size_t i = 0; i < h->by.count; i++) {
        const struct check_line *l = &h->by.items[i];
        t = text_of(line, sizeof line);
        if (l->file)
            text_add(&t, "%s:%u: %s", l->file, l->line, l->text);
        element(s, "pre", l->file ? line : l->says);
    }
}

static void put_change(struct sink *s, const struct check_change *c)
{
    char where[512];
    struct text t = text_of(where, sizeof where);
    text_add(&t, "%s %s:%u", !c->text[0] ? "Remove" : c->remove ? "Replace" : "Add before", c->file, c->line);
    element(s, "p", where);
    element(s, "pre", c->text[0] ? c->text : c->remove);
}

static void put_way(struct sink *s, const struct check_report *way)
{
    const struct check_answer *a = &way->answers.items[0];
    element(s, "h3", "Firewalls on its way");
    for (size_t i = 0; i < a->hops.count; i++)
        put_hop(s, &a->hops.items[i]);
    if (a->why)
        element(s, "p", a->why);
    for (size_t i = 0; i < way->findings.count; i++)
        element(s, "p", way->findings.items[i].what);
    for (size_t i = 0; i < way->repairs.count; i++)
        for (size_t k = 0; k < way->repairs.items[i].changes.count; k++)
            put_change(s, &way->repairs.items[i].changes.items[k]);
}

static void put_finding(struct sink *s, const struct diagnose_report *r, size_t index)
{
    const struct finding *f = &r->diagnosis.finding[index];
    char at[64];
    sink_text(s, "<section>\n");
    if (index > 0) /* the first one is the page's heading */
        element(s, "h2", f->cause->words);
    element(s, "p", f->saw);
    element(s, "p", f->cause->todo);
    if (f->advice)
        element(s, "p", f->advice);
    sink_text(s, "<table>\n");
    for (size_t i = 0; i < f->evidences; i++) {
        const struct evidence *e = &f->evidence[i];
        struct text t = text_of(at, sizeof at);
        if (e->line)
            text_add(&t, "line %zu", e->line);
        else
            text_add(&t, "frame %" PRIu64 ", %.6f s", e->at.frame, (double)e->at.t_ns / NS_S);
        sink_text(s, "<tr>");
        element(s, "td", at);
        element(s, "td", e->text);
        sink_text(s, "</tr>\n");
    }
    sink_text(s, "</table>\n");
    if (r->place && r->place->way[index])
        put_way(s, r->place->way[index]);
    sink_text(s, "</section>\n");
}

/* A message with its fields; false: they were not kept, or it is no STUN. */
static bool describe(const struct line *l, char *out, size_t cap)
{
    struct stun_msg m;
    struct text t = text_of(out, cap);
    if (!l->message || stun_parse(l->dialect, l->message, l->len, &m))
        return false;
    stun_describe(&m, &t);
    return true;
}

static void put_messages(struct sink *s, const struct diagnose_report *r)
{
    const struct story *story = &r->story;
    char buf[128], fields[1024];
    element(s, "h2", "Messages");
    sink_text(s, "<table>\n<tr><th>frame</th><th>s</th><th>from</th><th>to</th><th>message</th></tr>\n");
    for (size_t i = 0; i < story->lines && i < STORY_FIELDS; i++) {
        const struct line *l = &story->line[i];
        sink_f(s, "<tr><td>%" PRIu64 "</td><td>%.6f</td>", l->at.frame, (double)l->at.t_ns / NS_S);
        element(s, "td", place_endpoint(r->place, &l->from, buf, sizeof buf));
        element(s, "td", place_endpoint(r->place, &l->to, buf, sizeof buf));
        element(s, "td", describe(l, fields, sizeof fields) ? fields : l->label);
        sink_text(s, "</tr>\n");
    }
    sink_text(s, "</table>\n");
    if (story->lines > STORY_FIELDS || story->lines_left_out)
        sink_f(s, "<p>... and %" PRIu64 " more</p>\n",
               story->lines_left_out + (story->lines > STORY_FIELDS ? story->lines - STORY_FIELDS : 0));
}

static void put_rtp(struct sink *s, const struct diagnose_report *r, const struct leg *l, unsigned by)
{
    char buf[128];
    const struct rtp_story *m = &l->rtp[by];
    sink_text(s, "<tr>");
    element(s, "td", place_endpoint(r->place, &l->end[by], buf, sizeof buf));
    element(s, "td", place_endpoint(r->place, &l->end[!by], buf, sizeof buf));
    sink_f(s, "<td>%" PRIu64 "</td><td>%" PRIu64 "</td><td>%.1f ms</td></tr>\n", m->packets,
           m->expected > m->packets ? m->expected - m->packets : 0, (double)m->jitter * 1000 / 16 / l->clock);
}

/* RTP, and where descriptions want media to go. */
static void put_media(struct sink *s, const struct diagnose_report *r)
{
    char buf[128];
    if (!r->story.announcements)
        return;
    element(s, "h2", "Media");
    sink_text(s, "<table>\n<tr><th>RTP from</th><th>to</th><th>packets</th><th>lost</th><th>jitter</th></tr>\n");
    for (const struct leg *l = r->story.first_leg; l; l = l->after)
        for (unsigned by = 0; l->rtp && by < 2; by++)
            put_rtp(s, r, l, by);
    sink_text(s, "</table>\n<table>\n<tr><th>frame</th><th>announced</th><th>as</th><th>seen to be tried</th></tr>\n");
    for (size_t i = 0; i < r->story.announcements; i++) {
        const struct announced *a = &r->story.announced[i];
        sink_f(s, "<tr><td>%" PRIu64 "</td>", a->at.frame);
        element(s, "td", place_endpoint(r->place, &a->address, buf, sizeof buf));
        element(s, "td", a->what);
        element(s, "td", a->tried ? "yes" : "no");
        sink_text(s, "</tr>\n");
    }
    sink_text(s, "</table>\n");
}

static void put_ladder(struct sink *s, const struct diagnose_report *r)
{
    struct arena arena = {0};
    uint64_t more;
    struct ladder l = diagnose_ladder(r, LADDER_ROWS, &more, &arena);
    if (l.row_count)
        ladder_draw_svg(s, &l, r->capture, "Times in seconds since the capture began; behind each message its frame.");
    arena_free(&arena);
}

void diagnose_write_html(struct sink *s, const struct diagnose_report *r)
{
    static const char *const words[] = {[DIAGNOSIS_WELL] = "Nothing wrong", [DIAGNOSIS_CAUSE] = "Cause",
                                        [DIAGNOSIS_NOT_ENOUGH] = "Not enough seen to tell"};
    const struct diagnosis *d = &r->diagnosis;
    char headline[2 * SENTENCE];
    struct text t = text_of(headline, sizeof headline);
    text_add(&t, "%s: ", words[d->verdict]);
    diagnose_headline(d, &t);
    sink_text(s, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    element(s, "title", headline);
    sink_text(s, "<style>body{font:15px sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#000;"
                 "background:#fff}"
                 "td,th{text-align:left;vertical-align:top;padding:2px 12px 2px 0;font-size:13px}"
                 "pre{white-space:pre-wrap;margin-left:2em;font-size:13px}"
                 "svg{max-width:100%;height:auto}h1{font-size:22px}h2{font-size:17px}h3{font-size:15px}"
                 "@media print{tr,pre{break-inside:avoid}}</style>\n</head>\n<body>\n");
    element(s, "h1", headline);
    for (size_t i = 0; i < d->findings; i++)
        put_finding(s, r, i);
    if (d->doubts)
        element(s, "h2", "Not seen");
    for (size_t i = 0; i < d->doubts; i++)
        element(s, "p", d->doubt[i]);
    if (r->cut.text[0])
        element(s, "p", r->cut.text);
    put_ladder(s, r);
    put_media(s, r);
    put_messages(s, r);
    sink_text(s, "</body>\n</html>\n");
}
