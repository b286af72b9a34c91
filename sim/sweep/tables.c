/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/sweep/tables.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"

enum { NAME_SIZE = 4096 };

/* The names of all metrics, in the order in which they first occur. */
struct names {
    const char **item;
    size_t count, cap;
    struct arena arena;
};

struct metric {
    const char *name; /* not NUL-terminated */
    size_t len;
    uint64_t value;
    const char *next;
};

/* "\tNAME=VALUE..."; false: no more. */
static bool next_metric(const char *line, struct metric *out)
{
    if (line[0] != '\t')
        return false;
    const char *equals = strchr(line + 1, '=');
    char *end;
    if (!equals)
        return false;
    *out = (struct metric){.name = line + 1, .len = (size_t)(equals - line - 1)};
    out->value = strtoull(equals + 1, &end, 10);
    out->next = end;
    return true;
}

static bool find_metric(const char *line, const char *name, uint64_t *value)
{
    struct metric m;
    for (; next_metric(line, &m); line = m.next)
        if (strlen(name) == m.len && memcmp(name, m.name, m.len) == 0) {
            *value = m.value;
            return true;
        }
    return false;
}

static bool known(const struct names *n, const struct metric *m)
{
    for (size_t i = 0; i < n->count; i++)
        if (strlen(n->item[i]) == m->len && memcmp(n->item[i], m->name, m->len) == 0)
            return true;
    return false;
}

static void collect(struct names *n, const char *line)
{
    struct metric m;
    for (; next_metric(line, &m); line = m.next) {
        if (known(n, &m))
            continue;
        if (n->count == n->cap) {
            const char **grown = arena_alloc(&n->arena, (n->cap = 2 * n->cap + 32) * sizeof *grown);
            if (n->count)
                memcpy(grown, n->item, n->count * sizeof *grown);
            n->item = grown;
        }
        n->item[n->count++] = arena_copy(&n->arena, m.name, m.len);
    }
}

/* ---- statistics ---- */

struct summary {
    uint64_t n, min, max;
    double mean, half_width; /* 95 %; 0 of a single run */
};

/* Two-sided 95 % points of Student's t by degrees of freedom, from 1; beyond the table that of the normal
 * distribution plus what is left of it (Hill 1970, first term). */
static double student_t(uint64_t freedom)
{
    static const double t[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
                               2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
                               2.080,  2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042};
    static const double z = 1.959964;
    return freedom <= sizeof t / sizeof *t ? t[freedom - 1] : z + (z * z * z + z) / (4 * (double)freedom);
}

static void summarise(const char *const *lines, size_t count, const char *name, struct summary *out)
{
    *out = (struct summary){.min = UINT64_MAX};
    double m2 = 0; /* Welford's recurrence: no squares of large numbers are taken from each other */
    for (size_t i = 0; i < count; i++) {
        uint64_t v;
        if (!find_metric(lines[i], name, &v))
            continue;
        out->n++;
        out->min = v < out->min ? v : out->min;
        out->max = v > out->max ? v : out->max;
        double delta = (double)v - out->mean;
        out->mean += delta / (double)out->n;
        m2 += delta * ((double)v - out->mean);
    }
    if (out->n > 1)
        out->half_width = student_t(out->n - 1) * sqrt(m2 / (double)(out->n - 1) / (double)out->n);
}

/* ---- files ---- */

/* RFC 4180: quoted where it has to be. */
static void csv(FILE *f, const char *text)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        fputs(text, f);
        return;
    }
    fputc('"', f);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', f);
        fputc(*text, f);
    }
    fputc('"', f);
}

static void csv_axes(FILE *f, const struct sweep_plan *p, size_t cell)
{
    struct sweep_cell on;
    sweep_plan_cell(p, cell, &on);
    for (size_t i = 0; i < p->axes.count; i++) {
        csv(f, on.on[i]->label);
        fputc(',', f);
    }
}

static void csv_heads(FILE *f, const struct sweep_plan *p)
{
    for (size_t i = 0; i < p->axes.count; i++) {
        csv(f, p->axes.items[i].name);
        fputc(',', f);
    }
}

static void write_runs(FILE *f, const struct sweep_plan *p, const char *const *lines, const struct names *n)
{
    csv_heads(f, p);
    fputs("seed", f);
    for (size_t i = 0; i < n->count; i++)
        fprintf(f, ",%s", n->item[i]);
    fputc('\n', f);
    for (size_t piece = 0; piece < p->pieces; piece++) {
        csv_axes(f, p, piece / p->seeds);
        fprintf(f, "%" PRIu64, p->first_seed + piece % p->seeds);
        for (size_t i = 0; i < n->count; i++) {
            uint64_t v;
            if (find_metric(lines[piece], n->item[i], &v))
                fprintf(f, ",%" PRIu64, v);
            else
                fputc(',', f);
        }
        fputc('\n', f);
    }
}

static void write_cells(FILE *f, const struct sweep_plan *p, const char *const *lines, const struct names *n)
{
    csv_heads(f, p);
    fputs("metric,n,min,mean,max,ci95\n", f);
    for (size_t cell = 0; cell < p->cells; cell++)
        for (size_t i = 0; i < n->count; i++) {
            struct summary s;
            summarise(lines + cell * p->seeds, p->seeds, n->item[i], &s);
            if (!s.n)
                continue;
            csv_axes(f, p, cell);
            fprintf(f, "%s,%" PRIu64 ",%" PRIu64 ",%.1f,%" PRIu64 ",%.1f\n", n->item[i], s.n, s.min, s.mean, s.max,
                    s.half_width);
        }
}

static void json_cell(FILE *f, const struct sweep_plan *p, size_t cell)
{
    struct sweep_cell on;
    sweep_plan_cell(p, cell, &on);
    cJSON *axes = cJSON_CreateObject();
    for (size_t i = 0; i < p->axes.count; i++)
        cJSON_AddStringToObject(axes, p->axes.items[i].name, on.on[i]->label);
    char *text = cJSON_PrintUnformatted(axes);
    fprintf(f, "{\"axes\":%s,\"metrics\":{", text ? text : "{}");
    cJSON_free(text);
    cJSON_Delete(axes);
}

static void write_json(FILE *f, const struct sweep_plan *p, const char *const *lines, const struct names *n)
{
    char *plan = cJSON_PrintUnformatted(json_root(p->json));
    fprintf(f,
            "{\"schema\":\"turnproof/sweep-result/1\",\n\"plan\":%s,\n\"first_seed\":%" PRIu64 ",\"seeds\":%" PRIu64
            ",\n\"cells\":[",
            plan ? plan : "null", p->first_seed, p->seeds);
    cJSON_free(plan);
    for (size_t cell = 0; cell < p->cells; cell++) {
        fputs(cell ? ",\n" : "\n", f);
        json_cell(f, p, cell);
        const char *comma = "";
        for (size_t i = 0; i < n->count; i++) {
            struct summary s;
            summarise(lines + cell * p->seeds, p->seeds, n->item[i], &s);
            if (!s.n)
                continue;
            fprintf(f,
                    "%s\"%s\":{\"n\":%" PRIu64 ",\"min\":%" PRIu64 ",\"mean\":%.1f,\"max\":%" PRIu64
                    ",\"ci95\":%.1f}",
                    comma, n->item[i], s.n, s.min, s.mean, s.max, s.half_width);
            comma = ",";
        }
        fputs("}}", f);
    }
    fputs("\n]}\n", f);
}

int tables_write(const struct sweep_plan *p, const char *const *lines, const char *directory, struct diag *d)
{
    static const struct {
        const char *name;
        void (*write)(FILE *f, const struct sweep_plan *p, const char *const *lines, const struct names *n);
    } files[] = {{"runs.csv", write_runs}, {"cells.csv", write_cells}, {"sweep.json", write_json}};
    struct names n = {0};
    int err = 0;
    for (size_t i = 0; i < p->pieces; i++)
        collect(&n, lines[i]);
    for (size_t i = 0; !err && i < sizeof files / sizeof *files; i++) {
        char path[NAME_SIZE];
        snprintf(path, sizeof path, "%s/%s", directory, files[i].name);
        FILE *f = fopen(path, "w");
        if (f)
            files[i].write(f, p, lines, &n);
        if (!f || fclose(f) != 0) {
            snprintf(d->text, sizeof d->text, "%s: cannot be written: %s", path, strerror(errno));
            err = E_IO;
        }
    }
    arena_free(&n.arena);
    return err;
}
