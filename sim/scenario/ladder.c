/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/ladder.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/time.h"
#include "sim/scenario/ladder_draw.h"

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

static bool repeats(const struct run_message *m, const struct run_message *last)
{
    return last && last->phase == m->phase && strcmp(last->from, m->from) == 0 && strcmp(last->to, m->to) == 0 &&
           strcmp(last->name, m->name) == 0;
}

/* The lane of a node or address; one of its own while there are lanes, then the last, of all others. */
static size_t lane_for(struct ladder *l, const char *who)
{
    size_t lane = lane_of(l, who);
    if (lane < l->lane_count)
        return lane;
    if (l->lane_count == LADDER_LANES)
        return LADDER_LANES - 1;
    l->lane[l->lane_count] = l->lane_count == LADDER_LANES - 1 ? "others" : who;
    return l->lane_count++;
}

/* Its lists live in the arena. */
static struct ladder ladder_of(const struct topology *t, const struct record *r, struct arena *arena)
{
    struct ladder l = {.row_count = 0};
    const struct run_message *last = NULL;
    l.lane = arena_alloc(arena, LADDER_LANES * sizeof *l.lane);
    for (size_t i = 0; i < t->nodes.count; i++)
        if (takes_part(r, t->nodes.items[i].name))
            lane_for(&l, t->nodes.items[i].name);
    l.row = arena_alloc(arena, r->messages.count * sizeof *l.row + 1);
    for (size_t i = 0; i < r->messages.count; i++) {
        const struct run_message *m = &r->messages.items[i];
        lane_for(&l, m->to); /* an address that no node has */
        if (repeats(m, last)) {
            l.row[l.row_count - 1].times++;
            continue;
        }
        l.row[l.row_count++] = (struct ladder_row){.t_ns = m->t_ns, .from = lane_for(&l, m->from),
                                                   .to = lane_for(&l, m->to), .name = m->name,
                                                   .note = arena_format(arena, "%zu", m->frame_len), .times = 1,
                                                   .phase = m->phase, .phase_name = record_phase(r, m->phase)};
        last = m;
    }
    return l;
}

enum { LABEL_CAP = 320 };

/* "Allocate request (x2) 98": name, how many in a row, note. */
static const char *label_of(const struct ladder_row *row, const char *comma, char out[LABEL_CAP])
{
    struct text t = text_of(out, LABEL_CAP);
    text_add(&t, "%s", row->name);
    if (row->times > 1)
        text_add(&t, " (x%zu)", row->times);
    text_add(&t, "%s %s", comma, row->note);
    return out;
}

/* ---- text, 80 columns ---- */

enum { COLUMNS = 80, TIME_WIDTH = 12, LANE_MIN = 3, LANE_MAX = 9, LANES_CAP = LADDER_LANES * LANE_MIN + COLUMNS };

/* As wide as the longest label lets it be. */
static size_t lane_width(const struct ladder *l)
{
    size_t used = TIME_WIDTH + strlen("| "), gaps = l->lane_count > 1 ? l->lane_count - 1 : 1, longest = 0;
    for (size_t i = 0; i < l->row_count; i++) {
        char label[LABEL_CAP];
        size_t len = strlen(label_of(&l->row[i], "", label));
        longest = len > longest ? len : longest;
    }
    size_t w = longest + used < COLUMNS ? (COLUMNS - used - longest) / gaps : LANE_MIN;
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

static void put_row(struct sink *s, const struct ladder *l, size_t width, const struct ladder_row *row)
{
    char lanes[LANES_CAP], line[LABEL_CAP + 256], label[LABEL_CAP];
    draw_lanes(lanes, l, width, row->from, row->to);
    struct text t = text_of(line, sizeof line);
    text_add(&t, "%4" PRIu64 ".%06" PRIu64 " %s %s", row->t_ns / NS_S, row->t_ns % NS_S / NS_US, lanes,
             label_of(row, "", label));
    put_line(s, line);
}

static void put_phase(struct sink *s, const struct ladder *l, size_t width, const char *name)
{
    char lanes[LANES_CAP], line[256];
    draw_lanes(lanes, l, width, 0, 0);
    struct text t = text_of(line, sizeof line);
    text_add(&t, "%*s%s -- %s --", TIME_WIDTH, "", lanes, name[0] ? name : "end");
    put_line(s, line);
}

void ladder_draw(struct sink *s, const struct ladder *l, size_t max)
{
    assert(l->lane_count <= LADDER_LANES);
    size_t width = lane_width(l), shown = max && max < l->row_count ? max : l->row_count;
    unsigned phase = 0;
    put_names(s, l, width);
    for (size_t i = 0; i < shown; i++) {
        if (l->row[i].phase != phase)
            put_phase(s, l, width, l->row[i].phase_name);
        phase = l->row[i].phase;
        put_row(s, l, width, &l->row[i]);
    }
    if (shown < l->row_count) {
        char line[64];
        snprintf(line, sizeof line, "%*s... and %zu more", TIME_WIDTH, "", l->row_count - shown);
        put_line(s, line);
    }
}

void ladder_text(struct sink *s, const struct topology *t, const struct record *r, const struct blame *cause,
                 size_t max)
{
    struct arena arena = {0};
    struct ladder l = ladder_of(t, r, &arena);
    ladder_draw(s, &l, max);
    if (cause && cause->drop) {
        char line[600];
        snprintf(line, sizeof line, "%4" PRIu64 ".%06" PRIu64 " X ", cause->t_ns / NS_S,
                 cause->t_ns % NS_S / NS_US);
        sink_text(s, line);
        snprintf(line, sizeof line, "%s: %s", cause->node, cause->packet);
        sink_wrapped(s, TIME_WIDTH + 2, line);
    }
    arena_free(&arena);
}

/* ---- SVG, black on white ---- */

enum {
    SVG_TIME = 90,
    SVG_LANE_MIN = 110,
    SVG_TOP = 92,
    SVG_ROW = 26,
    SVG_MARGIN = 24,
    SVG_WIDTH_MIN = 720,
    SVG_LETTER = 7, /* of 12 px, on average and rather more */
};

struct drawing {
    const struct ladder *ladder;
    size_t *x; /* of each lane */
    size_t width, height;
    struct arena arena;
};

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
    sink_f(s, "<text x=\"%zu\" y=\"%zu\" class=\"%s\">", x, y, class);
    put_escaped(s, text);
    sink_text(s, "</text>\n");
}

/* From lane i to the next: room for both names and for every label between the two. */
static size_t svg_gap(const struct ladder *l, size_t i)
{
    size_t gap = (strlen(l->lane[i]) + strlen(l->lane[i + 1])) * SVG_LETTER / 2 + 2 * SVG_LETTER;
    gap = gap > SVG_LANE_MIN ? gap : SVG_LANE_MIN;
    for (size_t k = 0; k < l->row_count; k++) {
        size_t from = l->row[k].from, to = l->row[k].to;
        char label[LABEL_CAP];
        size_t len = strlen(label_of(&l->row[k], ",", label)) * SVG_LETTER + 2 * SVG_LETTER;
        if ((from < to ? from : to) == i && (from < to ? to : from) == i + 1 && len > gap)
            gap = len;
    }
    return gap;
}

static size_t phase_changes(const struct ladder *l)
{
    size_t n = 0;
    for (size_t i = 0; i < l->row_count; i++)
        n += l->row[i].phase != (i ? l->row[i - 1].phase : 0);
    return n;
}

static struct drawing lay_out(const struct ladder *l)
{
    struct drawing d = {.ladder = l};
    d.x = arena_alloc(&d.arena, (l->lane_count + 1) * sizeof *d.x);
    d.width = SVG_MARGIN + SVG_TIME + SVG_LANE_MIN / 2;
    for (size_t i = 0; i < l->lane_count; i++) {
        d.x[i] = d.width;
        d.width += i + 1 < l->lane_count ? svg_gap(l, i) : SVG_LANE_MIN / 2 + SVG_MARGIN;
    }
    d.width = d.width > SVG_WIDTH_MIN ? d.width : SVG_WIDTH_MIN;
    d.height = SVG_TOP + (l->row_count + phase_changes(l) + 1) * SVG_ROW;
    return d;
}

/* A paragraph, of no more letters a line than the drawing is wide; where the next one goes. s NULL: only that. */
static size_t svg_paragraph(struct sink *s, const struct drawing *d, size_t y, const char *class, const char *text)
{
    size_t most = (d->width - 2 * SVG_MARGIN) / SVG_LETTER;
    char line[256];
    most = most < sizeof line ? most : sizeof line - 1;
    while (*text) {
        size_t len = strlen(text), cut = len;
        if (len > most)
            for (cut = most; cut > 1 && text[cut] != ' ';)
                cut--;
        if (len > most && cut == 1)
            cut = most;
        snprintf(line, sizeof line, "%.*s", (int)cut, text);
        if (s)
            svg_text(s, SVG_MARGIN, y, class, line);
        text += cut + (text[cut] == ' ');
        y += SVG_ROW * 2 / 3;
    }
    return y;
}

/* What went wrong, below the ladder. */
static size_t svg_cause(struct sink *s, const struct drawing *d, const struct blame *cause, size_t y)
{
    y = svg_paragraph(s, d, y, "phase", cause->what);
    y = svg_paragraph(s, d, y, "note", cause->packet);
    y = svg_paragraph(s, d, y, "note", cause->where);
    return svg_paragraph(s, d, y, "note", cause->advice);
}

static void svg_head(struct sink *s, const char *title, const char *note, const struct drawing *d, size_t height)
{
    const struct ladder *l = d->ladder;
    sink_f(s,
          "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%zu\" height=\"%zu\" viewBox=\"0 0 %zu %zu\">\n"
          "<style>text{font:12px sans-serif;fill:#000}.title{font-size:16px;font-weight:bold}"
          ".lane,.phase{font-weight:bold}.lane,.label{text-anchor:middle}"
          ".label{paint-order:stroke;stroke:#fff;stroke-width:3px}"
          ".time{font-family:monospace}line{stroke:#000}.lifeline{stroke:#999;stroke-dasharray:3 3}"
          ".band{fill:#eee}</style>\n"
          "<defs><marker id=\"arrow\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"8\" markerHeight=\"8\" "
          "orient=\"auto-start-reverse\"><path d=\"M0 0L10 5L0 10z\"/></marker></defs>\n"
          "<rect width=\"%zu\" height=\"%zu\" fill=\"#fff\"/>\n",
          d->width, height, d->width, height, d->width, height);
    svg_text(s, SVG_MARGIN, 28, "title", title);
    svg_text(s, SVG_MARGIN, 48, "note", note);
    for (size_t i = 0; i < l->lane_count; i++) {
        svg_text(s, d->x[i], SVG_TOP - 14, "lane", l->lane[i]);
        sink_f(s, "<line class=\"lifeline\" x1=\"%zu\" y1=\"%d\" x2=\"%zu\" y2=\"%zu\"/>\n", d->x[i], SVG_TOP - 6,
              d->x[i], d->height - SVG_ROW);
    }
}

static void svg_row(struct sink *s, const struct drawing *d, const struct ladder_row *row, size_t y)
{
    size_t from = d->x[row->from], to = d->x[row->to];
    char text[LABEL_CAP];
    snprintf(text, sizeof text, "%" PRIu64 ".%06" PRIu64, row->t_ns / NS_S, row->t_ns % NS_S / NS_US);
    svg_text(s, SVG_MARGIN, y + 4, "time", text);
    sink_f(s, "<line x1=\"%zu\" y1=\"%zu\" x2=\"%zu\" y2=\"%zu\" marker-end=\"url(#arrow)\"/>\n", from, y, to, y);
    svg_text(s, (from + to) / 2, y - 6, "label", label_of(row, ",", text));
}

static void draw_svg(struct sink *s, const struct ladder *l, const char *title, const char *note,
                     const struct blame *cause)
{
    struct drawing d = lay_out(l);
    unsigned phase = 0;
    size_t y = SVG_TOP + SVG_ROW / 2;
    svg_head(s, title, note, &d, cause ? svg_cause(NULL, &d, cause, d.height) + SVG_ROW / 2 : d.height);
    for (size_t i = 0; i < l->row_count; i++, y += SVG_ROW) {
        if (l->row[i].phase != phase) {
            const char *name = l->row[i].phase_name;
            sink_f(s, "<rect class=\"band\" x=\"0\" y=\"%zu\" width=\"%zu\" height=\"18\"/>\n", y - 13, d.width);
            svg_text(s, SVG_MARGIN, y, "phase", name[0] ? name : "end");
            y += SVG_ROW;
        }
        phase = l->row[i].phase;
        svg_row(s, &d, &l->row[i], y);
    }
    if (cause)
        svg_cause(s, &d, cause, d.height);
    sink_text(s, "</svg>\n");
    arena_free(&d.arena);
}

void ladder_draw_svg(struct sink *s, const struct ladder *l, const char *title, const char *note)
{
    draw_svg(s, l, title, note, NULL);
}

void ladder_svg(struct sink *s, const struct topology *t, const struct record *r, const struct blame *cause)
{
    struct arena arena = {0};
    struct ladder l = ladder_of(t, r, &arena);
    draw_svg(s, &l, t->title[0] ? t->title : t->name,
             "Times in seconds; behind each message the length of its Ethernet frame.",
             cause && cause->verdict != VERDICT_OK ? cause : NULL);
    arena_free(&arena);
}
