/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/report/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "models/base/err.h"
#include "sim/report/figures.h"
#include "sim/report/input.h"
#include "sim/report/page.h"

struct report {
    FILE *page;
    const char *directory;
    struct report_made *made;
    struct diag *d;
};

/* ---- small pieces ---- */

static void cell(FILE *page, const char *text)
{
    fputs("<td>", page);
    page_text(page, text);
    fputs("</td>", page);
}

static void heading(FILE *page, const char *what, const char *name)
{
    fprintf(page, "<h2>%s: ", what);
    page_text(page, name);
    fputs("</h2>\n", page);
}

/* A verdict word, coloured; the word says it without colour too. */
static void verdict(FILE *page, const char *word, bool good)
{
    fprintf(page, "<span class=\"%s\">", good ? "good" : "bad");
    page_text(page, word);
    fputs("</span>", page);
}

/* ---- a run ---- */

/* Pictures that the run left beside its summary. */
static int picture(struct report *r, const struct input *in, const char *file, const char *words)
{
    char path[PLOT_PATH];
    snprintf(path, sizeof path, "%s/%s", in->folder, file);
    if (access(path, R_OK) != 0)
        return 0;
    fputs("<figure>\n", r->page);
    int err = page_svg(r->page, path, r->d);
    fprintf(r->page, "<figcaption>%s ", words);
    page_text(r->page, input_text(in->json, "topology"));
    fputs(", engine ", r->page);
    page_text(r->page, input_text(in->json, "engine"));
    fprintf(r->page, ", seed %.0f.</figcaption></figure>\n", input_number(in->json, "seed"));
    return err;
}

static void phases(FILE *page, const cJSON *json)
{
    const cJSON *p, *list = cJSON_GetObjectItemCaseSensitive(json, "phases");
    if (!cJSON_GetArraySize(list))
        return;
    fputs("<table><tr><th>phase</th><th>begins, s</th><th>lasts, ms</th></tr>\n", page);
    cJSON_ArrayForEach(p, list)
    {
        fputs("<tr>", page);
        cell(page, input_text(p, "name"));
        fprintf(page, "<td>%.6f</td><td>%.3f</td></tr>\n", input_number(p, "start_ns") / 1e9,
                (input_number(p, "end_ns") - input_number(p, "start_ns")) / 1e6);
    }
    fputs("</table>\n", page);
}

static int show_run(struct report *r, const struct input *in)
{
    heading(r->page, "Run", input_text(in->json, "topology"));
    const char *word = input_text(in->json, "verdict");
    fputs("<p>", r->page);
    verdict(r->page, word, strcmp(word, "ok") == 0);
    static const char *const why[] = {"failure.what", "failure.where", "failure.packet", "failure.advice"};
    for (size_t i = 0; i < sizeof why / sizeof *why; i++)
        if (*input_text(in->json, why[i])) {
            fputs("<br>", r->page);
            page_text(r->page, input_text(in->json, why[i]));
        }
    fputs("<br><span class=\"dim\">engine ", r->page);
    page_text(r->page, input_text(in->json, "engine"));
    fprintf(r->page, ", seed %.0f, trace ", input_number(in->json, "seed"));
    page_text(r->page, input_text(in->json, "trace_sha256"));
    fputs("</span></p>\n", r->page);
    int err = picture(r, in, "topology.svg", "The deployment:");
    phases(r->page, in->json);
    return err ? err : picture(r, in, "ladder.svg", "Messages in order:");
}

/* ---- check: rows and verdicts ---- */

static int show_check(struct report *r, const struct input *in)
{
    const cJSON *a;
    heading(r->page, "Port tables", input_text(in->json, "topology"));
    const char *word = input_text(in->json, "verdict");
    fputs("<p>", r->page);
    verdict(r->page, word, strcmp(word, "pass") == 0);
    fputs(" <span class=\"dim\">Expressway ", r->page);
    page_text(r->page, input_text(in->json, "expressway"));
    fputs(", ", r->page);
    page_text(r->page, input_text(in->json, "size"));
    fputs("</span></p>\n<table><tr><th>row</th><th>purpose</th><th>protocol</th><th>from</th><th>to</th>"
          "<th>firewall</th><th>verdict</th></tr>\n", r->page);
    cJSON_ArrayForEach(a, cJSON_GetObjectItemCaseSensitive(in->json, "answers"))
    {
        static const char *const keys[] = {"row", "purpose", "protocol", "from", "to", "node"};
        fputs("<tr>", r->page);
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            cell(r->page, input_text(a, keys[i]));
        word = input_text(a, "row_verdict");
        fputs("<td>", r->page);
        verdict(r->page, word, strcmp(word, "pass") == 0);
        fputs("</td></tr>\n", r->page);
    }
    fputs("</table>\n", r->page);
    return 0;
}

/* ---- matrix: what each row is for ---- */

static void list(FILE *page, const cJSON *items)
{
    const cJSON *i;
    const char *comma = "";
    fputs("<td>", page);
    cJSON_ArrayForEach(i, items)
    {
        fputs(comma, page);
        page_text(page, cJSON_IsString(i) ? i->valuestring : input_text(i, "name"));
        if (*input_text(i, "state")) {
            fputs(" ", page);
            page_text(page, input_text(i, "state"));
        }
        comma = "; ";
    }
    fputs("</td>", page);
}

static int show_matrix(struct report *r, const struct input *in)
{
    const cJSON *row;
    heading(r->page, "What each row is for", input_text(in->json, "topology"));
    fputs("<p class=\"dim\">Every call was run once, and once more for each row, shut at the firewalls.</p>\n"
          "<table><tr><th>row</th><th>purpose</th><th>packets</th><th>shut, it breaks</th><th>outcome</th></tr>\n",
          r->page);
    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(in->json, "rows"))
    {
        fputs("<tr>", r->page);
        cell(r->page, input_text(row, "row"));
        cell(r->page, input_text(row, "purpose"));
        fprintf(r->page, "<td>%.0f</td>", input_number(row, "packets"));
        list(r->page, cJSON_GetObjectItemCaseSensitive(row, "breaks"));
        cell(r->page, input_text(row, "outcome"));
        fputs("</tr>\n", r->page);
    }
    fputs("</table>\n", r->page);
    return 0;
}

/* ---- sweep ---- */

static int show_sweep(struct report *r, const struct input *in)
{
    const cJSON *plan = cJSON_GetObjectItemCaseSensitive(in->json, "plan");
    const char *title = input_text(plan, "title");
    heading(r->page, "Sweep", *title ? title : input_text(plan, "name"));
    return figures_draw(r->page, r->directory, in, r->made->sweeps, &r->made->plots, r->d);
}

/* ---- all ---- */

static int show(struct report *r, const struct inputs *in)
{
    static int (*const by_kind[INPUT_KINDS])(struct report *r, const struct input *in) = {
        [INPUT_RUN] = show_run, [INPUT_CHECK] = show_check, [INPUT_MATRIX] = show_matrix, [INPUT_SWEEP] = show_sweep};
    unsigned *const count[INPUT_KINDS] = {[INPUT_RUN] = &r->made->runs, [INPUT_CHECK] = &r->made->checks,
                                          [INPUT_MATRIX] = &r->made->matrices, [INPUT_SWEEP] = &r->made->sweeps};
    int err = 0;
    for (int kind = 0; kind < INPUT_KINDS; kind++)
        for (size_t i = 0; !err && i < in->count; i++)
            if ((int)in->items[i].kind == kind) {
                ++*count[kind];
                err = by_kind[kind](r, &in->items[i]);
            }
    return err;
}

int report_make(const char *directory, const char *page, struct report_made *out, struct diag *d)
{
    struct inputs in;
    *out = (struct report_made){0};
    int err = inputs_find(directory, &in, d);
    if (err)
        return err;
    if (!in.count) {
        snprintf(d->text, sizeof d->text,
                 "%s: expected results (run --out, check --format json, matrix --json, sweep --out), found none",
                 directory);
        inputs_free(&in);
        return E_NOT_FOUND;
    }
    struct report r = {.page = fopen(page, "w"), .directory = directory, .made = out, .d = d};
    if (r.page) {
        page_begin(r.page, "turnproof report");
        err = show(&r, &in);
        page_end(r.page);
    }
    if (!r.page || fclose(r.page) != 0) {
        snprintf(d->text, sizeof d->text, "%s: cannot be written: %s", page, strerror(errno));
        err = E_IO;
    }
    inputs_free(&in);
    return err;
}
