/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/report/figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "sim/report/page.h"
#include "sim/scenario/files.h"

/* A metric by the beginning and the end of its name: "share.cms.goodput_bps" is that of every share's receiver. */
static const struct figure {
    const char *name, *begins, *ends, *title, *ylabel;
    double unit;
    bool worse_up; /* it grows when something is exhausted: it may have a knee */
} figures[] = {
    {"up", "ok", "", "Calls that come up", "of 100 runs", 0.01, false},
    {"setup", "setup_ns", "", "Set-up time of the share", "ms", 1e6, true},
    {"goodput", "share.", ".goodput_bps", "Throughput of the share", "kbit/s", 1e3, false},
    {"update", "share.", ".update_mean_ns", "From drawing to seeing, mean of a run", "ms", 1e6, true},
    {"update-max", "share.", ".update_max_ns", "From drawing to seeing, worst of a run", "ms", 1e6, true},
    {"services", "services_held", "", "Services that hold", "services", 1, false},
    {"relays", "relays", "", "Relays in use at once", "relays", 1, false},
    {"hops", "packet_hops", "", "Packets, counted on every link", "packet-hops", 1, false},
};
enum { FIGURES = sizeof figures / sizeof *figures };

struct sweep {
    const struct input *in;
    const cJSON *cells, *axes;
    const char *x;  /* the axis that runs along the page; NULL: none has numbers */
    bool log;
    unsigned index; /* of the sweep in the report */
};

/* ---- axes ---- */

static bool number_of(const char *text, double *out)
{
    char *end;
    *out = strtod(text, &end);
    return *text && !*end;
}

/* The numbers of an axis: how many different ones; 0: not all of its labels are numbers. */
static size_t numbers(const struct sweep *s, const char *axis, double *lo, double *hi)
{
    double seen[512], v;
    size_t n = 0, i;
    const cJSON *cell;
    cJSON_ArrayForEach(cell, s->cells) {
        const cJSON *label = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(cell, "axes"), axis);
        if (!cJSON_IsString(label) || !number_of(label->valuestring, &v))
            return 0;
        for (i = 0; i < n && seen[i] != v; i++)
            ;
        if (i == n && n < sizeof seen / sizeof *seen)
            seen[n++] = v;
        *lo = n == 1 ? v : fmin(*lo, v);
        *hi = n == 1 ? v : fmax(*hi, v);
    }
    return n;
}

static void choose_x(struct sweep *s)
{
    const cJSON *axis;
    size_t most = 1;
    cJSON_ArrayForEach(axis, s->axes) {
        double lo = 0, hi = 0;
        size_t n = numbers(s, axis->string, &lo, &hi);
        if (n > most) {
            most = n;
            s->x = axis->string;
            s->log = lo > 0 && hi / lo >= 50;
        }
    }
}

/* What a cell is called among those with another value on every other axis than x: "ns3, delay_us 5000". */
static void line_of(const struct sweep *s, const cJSON *cell, char *out, size_t cap)
{
    const cJSON *axis;
    size_t used = 0;
    out[0] = '\0';
    cJSON_ArrayForEach(axis, cJSON_GetObjectItemCaseSensitive(cell, "axes")) {
        double v;
        if ((s->x && strcmp(axis->string, s->x) == 0) || used >= cap)
            continue;
        bool bare = !number_of(axis->valuestring, &v);
        used += (size_t)snprintf(out + used, cap - used, "%s%s%s%s", used ? ", " : "", bare ? "" : axis->string,
                                 bare ? "" : " ", axis->valuestring);
    }
    if (!used)
        snprintf(out, cap, "all");
}

/* ---- a figure against an axis ---- */

static const cJSON *metric_of(const cJSON *cell, const char *metric)
{
    return cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(cell, "metrics"), metric);
}

static double x_of(const struct sweep *s, const cJSON *cell)
{
    const cJSON *label = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(cell, "axes"), s->x);
    return strtod(label->valuestring, NULL);
}

static bool is_first_of_line(const struct sweep *s, const cJSON *cell)
{
    char mine[256], other[256];
    const cJSON *c;
    line_of(s, cell, mine, sizeof mine);
    cJSON_ArrayForEach(c, s->cells) {
        line_of(s, c, other, sizeof other);
        if (strcmp(mine, other) == 0)
            return c == cell;
    }
    return false;
}

/* The last x before the mean doubles what it was at the first; negative: it never does. */
static double write_line(FILE *f, const struct sweep *s, const struct figure *g, const cJSON *first, const char *metric)
{
    char mine[256], other[256];
    const cJSON *c;
    double base = -1, knee = -1, last = -1;
    line_of(s, first, mine, sizeof mine);
    fprintf(f, "\"%s\"\n", mine);
    cJSON_ArrayForEach(c, s->cells) {
        const cJSON *m = metric_of(c, metric);
        line_of(s, c, other, sizeof other);
        if (!m || strcmp(mine, other) != 0)
            continue;
        double mean = input_number(m, "mean");
        fprintf(f, "%.9g %.9g %.9g\n", x_of(s, c), mean / g->unit, input_number(m, "ci95") / g->unit);
        if (base < 0)
            base = mean;
        else if (knee < 0 && mean > 2 * base)
            knee = last;
        last = x_of(s, c);
    }
    fputs("\n\n", f);
    return knee;
}

static void caption(FILE *page, const struct sweep *s, const char *what)
{
    const cJSON *plan = cJSON_GetObjectItemCaseSensitive(s->in->json, "plan");
    fputs("<figcaption>", page);
    page_text(page, what);
    fputs(" Sweep ", page);
    page_text(page, input_text(plan, "name"));
    fputs(", topology ", page);
    page_text(page, input_text(plan, "topology"));
    double first = input_number(s->in->json, "first_seed");
    fprintf(page, ", seeds %.0f to %.0f; bars are 95 %% confidence intervals of the mean.</figcaption></figure>\n",
            first, first + input_number(s->in->json, "seeds") - 1);
}

static int draw(FILE *page, const char *directory, const struct sweep *s, const struct figure *g, const char *metric,
                unsigned *plots, struct diag *d)
{
    char name[128], title[256], svg[PLOT_PATH], words[512];
    const char *to = metric + strlen(g->begins);
    int n = *g->ends ? (int)(strlen(to) - strlen(g->ends)) : 0;
    snprintf(name, sizeof name, "sweep%u-%s%s%.*s", s->index, g->name, n ? "-" : "", n, to);
    snprintf(title, sizeof title, "%s%s%.*s", g->title, n ? ", seen at " : "", n, to);
    struct plot p = {.script = "series", .name = name, .title = title, .xlabel = s->x, .ylabel = g->ylabel,
                     .xlog = s->log, .knee = -1};
    FILE *f = plot_data(directory, &p, d);
    if (!f)
        return E_IO;
    const cJSON *c;
    cJSON_ArrayForEach(c, s->cells) if (is_first_of_line(s, c))
    {
        double knee = write_line(f, s, g, c, metric);
        p.blocks++;
        if (g->worse_up && knee >= 0 && (p.knee < 0 || knee < p.knee))
            p.knee = knee;
    }
    int err = plot_draw(directory, &p, f, svg, d);
    if (err)
        return err;
    fputs("<figure>\n", page);
    err = page_svg(page, svg, d);
    snprintf(words, sizeof words,
             p.knee >= 0 ? "%s. The knee: up to %s = %g no line is more than twice what it was at first." : "%s.",
             title, s->x, p.knee);
    caption(page, s, words);
    ++*plots;
    return err;
}

static bool matches(const struct figure *g, const char *metric)
{
    size_t len = strlen(metric), ends = strlen(g->ends);
    return *g->ends ? strncmp(metric, g->begins, strlen(g->begins)) == 0 && len > ends &&
                          strcmp(metric + len - ends, g->ends) == 0
                    : strcmp(metric, g->begins) == 0;
}

/* ---- set-up by phase, of all runs ---- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The index-th column of a line of CSV as a number; quoted labels may hold commas. */
static bool column(const char *line, size_t index, double *out)
{
    for (bool quoted = false; index && *line; line++) {
        quoted = quoted != (*line == '"');
        index -= *line == ',' && !quoted;
    }
    char *end;
    *out = strtod(line, &end);
    return end != line;
}

struct table {
    char *head, *rows; /* of runs.csv; rows: lines, each with its NUL */
    size_t count;
};

static void phase_line(FILE *f, const struct table *t, size_t index, const char *name)
{
    double *v = malloc((t->count + 1) * sizeof *v);
    size_t n = 0;
    const char *line = t->rows;
    for (size_t i = 0; v && i < t->count; i++, line += strlen(line) + 1)
        n += column(line, index, &v[n]);
    if (v && n)
        qsort(v, n, sizeof *v, compare);
    fprintf(f, "\"%s\"\n", name);
    for (size_t i = 0; v && i < n; i++)
        fprintf(f, "%.9g %.9g\n", v[i] / 1e6, (double)(i + 1) / (double)n);
    fputs("\n\n", f);
    free(v);
}

static bool read_runs(const struct input *in, struct table *t, struct arena *a, struct diag *d)
{
    char path[PLOT_PATH], *text, *line;
    size_t len;
    snprintf(path, sizeof path, "%s/runs.csv", in->folder);
    *t = (struct table){0};
    if (file_read(a, path, &text, &len, d) != 0)
        return false;
    for (line = text; (line = strchr(line, '\n')) != NULL; t->count++)
        *line++ = '\0';
    t->head = text;
    t->rows = text + strlen(text) + 1;
    t->count -= t->count > 0;
    return t->count > 0;
}

static int draw_phases(FILE *page, const char *directory, const struct sweep *s, unsigned *plots, struct diag *d)
{
    struct arena a = {0};
    struct table t;
    char name[128], svg[PLOT_PATH];
    snprintf(name, sizeof name, "sweep%u-phases", s->index);
    struct plot p = {.script = "cdf", .name = name, .title = "Set-up by phase", .xlabel = "ms, of the phase",
                     .ylabel = "share of all runs", .xlog = true, .knee = -1};
    if (!read_runs(s->in, &t, &a, d)) {
        arena_free(&a);
        return 0; /* the table went elsewhere: the other figures need it not */
    }
    FILE *f = plot_data(directory, &p, d);
    size_t index = 0;
    for (char *word = t.head; f && *word; index++) {
        size_t len = strcspn(word, ",");
        char *next = word + len + (word[len] == ',');
        word[len] = '\0';
        if (strncmp(word, "phase.", 6) == 0 && len > 9 && strcmp(word, "phase.share_ns") != 0) {
            word[len - 3] = '\0'; /* without its unit */
            phase_line(f, &t, index, word + 6);
            p.blocks++;
        }
        word = next;
    }
    arena_free(&a);
    if (!f || !p.blocks)
        return f ? (fclose(f), 0) : E_IO;
    int err = plot_draw(directory, &p, f, svg, d);
    if (err)
        return err;
    fputs("<figure>\n", page);
    err = page_svg(page, svg, d);
    caption(page, s, "Set-up by phase: distribution over all runs, whatever varied.");
    ++*plots;
    return err;
}

int figures_draw(FILE *page, const char *directory, const struct input *sweep, unsigned index, unsigned *plots,
                 struct diag *d)
{
    struct sweep s = {.in = sweep, .cells = cJSON_GetObjectItemCaseSensitive(sweep->json, "cells"), .index = index};
    const cJSON *first = cJSON_GetArrayItem(s.cells, 0), *m;
    s.axes = cJSON_GetObjectItemCaseSensitive(first, "axes");
    choose_x(&s);
    int err = draw_phases(page, directory, &s, plots, d);
    for (size_t i = 0; s.x && !err && i < FIGURES; i++)
        cJSON_ArrayForEach(m, cJSON_GetObjectItemCaseSensitive(first, "metrics"))
        {
            if (matches(&figures[i], m->string))
                err = draw(page, directory, &s, &figures[i], m->string, plots, d);
            if (err)
                break;
        }
    return err;
}
