/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/ladder.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "models/base/time.h"

/* A message, or several equal ones in a row. */
struct row {
    const struct run_message *first;
    size_t times;
};

struct ladder {
    const struct record *record;
    const char **lane; /* names, left to right in the order of the topology */
    size_t lane_count;
    struct row *row;
    size_t row_count;
    struct arena arena;
};

static size_t lane_of(const struct ladder *l, const char *name)
{
    size_t i = 0;
    while (i < l->lane_count && strcmp(l->lane[i], name) != 0)
        i++;
    return i;
}

static bool takes_part(const struct record *r, const char *name)
{
    for (size_t i = 0; i < r->messages.count; i++)
        if (strcmp(r->messages.items[i].from, name) == 0 || strcmp(r->messages.items[i].to, name) == 0)
            return true;
    return false;
}

static struct ladder ladder_of(const struct topology *t, const struct record *r)
{
    struct ladder l = {.record = r};
    l.lane = arena_alloc(&l.arena, (t->nodes.count + r->messages.count) * sizeof *l.lane + 1);
    for (size_t i = 0; i < t->nodes.count; i++)
        if (takes_part(r, t->nodes.items[i].name))
            l.lane[l.lane_count++] = t->nodes.items[i].name;
    l.row = arena_alloc(&l.arena, r->messages.count * sizeof *l.row + 1);
    for (size_t i = 0; i < r->messages.count; i++) {
        const struct run_message *m = &r->messages.items[i];
        struct row *last = l.row_count ? &l.row[l.row_count - 1] : NULL;
        if (lane_of(&l, m->to) == l.lane_count) /* an address that no node has */
            l.lane[l.lane_count++] = m->to;
        if (last && last->first->phase == m->phase && strcmp(last->first->from, m->from) == 0 &&
            strcmp(last->first->to, m->to) == 0 && strcmp(last->first->name, m->name) == 0)
            last->times++;
        else
            l.row[l.row_count++] = (struct row){.first = m, .times = 1};
    }
    return l;
}

/* ---- text, 80 columns ---- */

enum { COLUMNS = 80, TIME_WIDTH = 12, LABEL_MIN = 30, LANE_MIN = 4, LANE_MAX = 9 };

static size_t lane_width(const struct ladder *l)
{
    size_t w = l->lane_count ? (size_t)(COLUMNS - TIME_WIDTH - LABEL_MIN) / l->lane_count : LANE_MAX;
    return w < LANE_MIN ? LANE_MIN : w > LANE_MAX ? LANE_MAX : w;
}

static void put_line(struct sink *s, const char *line)
{
    size_t n = strlen(line);
    while (n && line[n - 1] == ' ')
        n--;
    sink_bytes(s, line, n);
    sink_text(s, "\n");
}

/* A name over each lane, one line a lane, so that no name is cut. */
static void put_names(struct sink *s, const struct ladder *l, size_t width)
{
    for (size_t i = 0; i < l->lane_count; i++) {
        char line[256];
        struct text t = text_of(line, sizeof line);
        text_add(&t, "%*s", TIME_WIDTH, "");
        for (size_t k = 0; k < i; k++)
            text_add(&t, "|%*s", (int)width - 1, "");
        text_add(&t, "%s", l->lane[i]);
        put_line(s, line);
    }
}

/* The lanes with an arrow from one to another; from == to: only the lanes. */
static void draw_lanes(char *out, const struct ladder *l, size_t width, size_t from, size_t to)
{
    size_t n = l->lane_count ? (l->lane_count - 1) * width + 1 : 0;
    memset(out, ' ', n);
    for (size_t i = 0; i < l->lane_count; i++)
        out[i * width] = '|';
    out[n] = '\0';
    if (from == to || from >= l->lane_count || to >= l->lane_count)
        return;
    size_t left = (from < to ? from : to) * width, right = (from < to ? to : from) * width;
    memset(out + left + 1, '-', right - left - 1);
    out[from < to ? right - 1 : left + 1] = from < to ? '>' : '<';
}

static void put_row(struct sink *s, const struct ladder *l, size_t width, const struct row *row)
{
    const struct run_message *m = row->first;
    char lanes[200], line[512], times[32] = "";
    draw_lanes(lanes, l, width, lane_of(l, m->from), lane_of(l, m->to));
    if (row->times > 1)
        snprintf(times, sizeof times, " (x%zu)", row->times);
    struct text t = text_of(line, sizeof line);
    text_add(&t, "%4" PRIu64 ".%06" PRIu64 " %s %s%s %zu", m->t_ns / NS_S, m->t_ns % NS_S / NS_US, lanes, m->name,
             times, m->frame_len);
    put_line(s, line);
}

static void put_phase(struct sink *s, const struct ladder *l, size_t width, const char *name)
{
    char lanes[200], line[256];
    draw_lanes(lanes, l, width, 0, 0);
    struct text t = text_of(line, sizeof line);
    text_add(&t, "%*s%s -- %s --", TIME_WIDTH, "", lanes, name[0] ? name : "end");
    put_line(s, line);
}

void ladder_text(struct sink *s, const struct topology *t, const struct record *r, const struct blame *cause,
                 size_t max)
{
    struct ladder l = ladder_of(t, r);
    assert(l.lane_count * LANE_MIN < 200);
    size_t width = lane_width(&l), shown = max && max < l.row_count ? max : l.row_count;
    unsigned phase = 0;
    put_names(s, &l, width);
    for (size_t i = 0; i < shown; i++) {
        if (l.row[i].first->phase != phase)
            put_phase(s, &l, width, record_phase(r, l.row[i].first->phase));
        phase = l.row[i].first->phase;
        put_row(s, &l, width, &l.row[i]);
    }
    if (shown < l.row_count) {
        char line[64];
        snprintf(line, sizeof line, "%*s... and %zu more", TIME_WIDTH, "", l.row_count - shown);
        put_line(s, line);
    }
    if (cause && cause->drop) {
        char line[600];
        snprintf(line, sizeof line, "%4" PRIu64 ".%06" PRIu64 " X %s: %s", cause->t_ns / NS_S,
                 cause->t_ns % NS_S / NS_US, cause->node, cause->packet);
        put_line(s, line);
    }
    arena_free(&l.arena);
}

/* ---- SVG, black on white ---- */

enum { SVG_TIME = 100, SVG_LANE = 170, SVG_TOP = 64, SVG_ROW = 26, SVG_MARGIN = 24 };

static void put_f(struct sink *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put_f(struct sink *s, const char *fmt, ...)
{
    char buf[1024];
    va_list ap;
    va_start(ap, fmt);
    struct text t = text_of(buf, sizeof buf);
    text_vadd(&t, fmt, ap);
    va_end(ap);
    sink_text(s, buf);
}

static void put_escaped(struct sink *s, const char *text)
{
    for (const char *p = text; *p; p++)
        switch (*p) {
        case '<': sink_text(s, "&lt;"); break;
        case '>': sink_text(s, "&gt;"); break;
        case '&': sink_text(s, "&amp;"); break;
        case '"': sink_text(s, "&quot;"); break;
        default: sink_bytes(s, (unsigned char)*p < ' ' ? "?" : p, 1);
        }
}

static void svg_text(struct sink *s, size_t x, size_t y, const char *class, const char *text)
{
    put_f(s, "<text x=\"%zu\" y=\"%zu\" class=\"%s\">", x, y, class);
    put_escaped(s, text);
    sink_text(s, "</text>\n");
}

static size_t lane_x(size_t lane)
{
    return SVG_MARGIN + SVG_TIME + SVG_LANE / 2 + lane * SVG_LANE;
}

static void svg_head(struct sink *s, const struct topology *t, const struct ladder *l, size_t width, size_t height)
{
    put_f(s,
          "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%zu\" height=\"%zu\" viewBox=\"0 0 %zu %zu\">\n"
          "<style>text{font:12px sans-serif;fill:#000}.title{font-size:16px;font-weight:bold}"
          ".lane,.phase{font-weight:bold}.lane,.label{text-anchor:middle}"
          ".label{paint-order:stroke;stroke:#fff;stroke-width:4px}"
          ".time,.len{font-family:monospace}line{stroke:#000}.lifeline{stroke:#999;stroke-dasharray:3 3}"
          ".band{fill:#eee}</style>\n"
          "<defs><marker id=\"arrow\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"8\" markerHeight=\"8\" "
          "orient=\"auto-start-reverse\"><path d=\"M0 0L10 5L0 10z\"/></marker></defs>\n"
          "<rect width=\"%zu\" height=\"%zu\" fill=\"#fff\"/>\n",
          width, height, width, height, width, height);
    svg_text(s, SVG_MARGIN, 24, "title", t->title[0] ? t->title : t->name);
    for (size_t i = 0; i < l->lane_count; i++) {
        svg_text(s, lane_x(i), SVG_TOP - 12, "lane", l->lane[i]);
        put_f(s, "<line class=\"lifeline\" x1=\"%zu\" y1=\"%d\" x2=\"%zu\" y2=\"%zu\"/>\n", lane_x(i), SVG_TOP - 4,
              lane_x(i), height - SVG_MARGIN);
    }
}

static void svg_row(struct sink *s, const struct ladder *l, const struct row *row, size_t y)
{
    const struct run_message *m = row->first;
    size_t from = lane_x(lane_of(l, m->from)), to = lane_x(lane_of(l, m->to));
    char text[320];
    snprintf(text, sizeof text, "%" PRIu64 ".%06" PRIu64, m->t_ns / NS_S, m->t_ns % NS_S / NS_US);
    svg_text(s, SVG_MARGIN, y + 4, "time", text);
    put_f(s, "<line x1=\"%zu\" y1=\"%zu\" x2=\"%zu\" y2=\"%zu\" marker-end=\"url(#arrow)\"/>\n", from, y, to, y);
    struct text t = text_of(text, sizeof text);
    text_add(&t, "%s", m->name);
    if (row->times > 1)
        text_add(&t, " (x%zu)", row->times);
    text_add(&t, ", %zu", m->frame_len);
    svg_text(s, (from + to) / 2, y - 4, "label", text);
}

void ladder_svg(struct sink *s, const struct topology *t, const struct record *r, const struct blame *cause)
{
    struct ladder l = ladder_of(t, r);
    size_t width = lane_x(l.lane_count) + SVG_MARGIN, y = SVG_TOP + SVG_ROW;
    size_t height = y + (l.row_count + r->phases.count + 3) * SVG_ROW;
    unsigned phase = 0;
    svg_head(s, t, &l, width, height);
    for (size_t i = 0; i < l.row_count; i++, y += SVG_ROW) {
        if (l.row[i].first->phase != phase) {
            const char *name = record_phase(r, l.row[i].first->phase);
            put_f(s, "<rect class=\"band\" x=\"0\" y=\"%zu\" width=\"%zu\" height=\"18\"/>\n", y - 13, width);
            svg_text(s, SVG_MARGIN, y, "phase", name[0] ? name : "end");
            y += SVG_ROW;
        }
        phase = l.row[i].first->phase;
        svg_row(s, &l, &l.row[i], y);
    }
    if (cause && cause->verdict != VERDICT_OK) {
        svg_text(s, SVG_MARGIN, y, "phase", cause->what);
        svg_text(s, SVG_MARGIN, y + SVG_ROW, "time", cause->where[0] ? cause->where : cause->advice);
    }
    sink_text(s, "</svg>\n");
    arena_free(&l.arena);
}
