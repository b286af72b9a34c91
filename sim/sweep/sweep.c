/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/sweep/sweep.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/base/hash.h"
#include "sim/jobs/jobs.h"
#include "sim/scenario/world.h"
#include "sim/sweep/metrics.h"
#include "sim/sweep/tables.h"

enum { NAME_SIZE = 4096 };

struct sweep {
    const struct sweep_plan *plan;
    const struct sweep_options *options;
    const struct sweep_ranks *ranks;
    char **line;  /* by piece: what is known of it; NULL: not run yet */
    size_t *todo; /* pieces of this rank */
    size_t todo_count, before;
    FILE *part;
    struct diag *d;
    struct arena arena; /* of lines */
    int err;
};

static int fail(struct diag *d, int err, const char *what, const char *path)
{
    snprintf(d->text, sizeof d->text, "%s: %s: %s", path, what, strerror(errno));
    return err;
}

/* ---- what is there already ---- */

/* The first line of a part: another plan, or another file of the same name, is not gone on with. */
static uint64_t plan_sum(const struct sweep_plan *p)
{
    struct sha256 h;
    uint8_t digest[HASH_SHA256];
    char *text = cJSON_PrintUnformatted(json_root(p->json));
    sha256_start(&h);
    sha256_add(&h, text ? text : "", text ? strlen(text) : 0);
    sha256_end(&h, digest);
    cJSON_free(text);
    return load64(digest);
}

static int other_plan(struct diag *d, const char *path)
{
    snprintf(d->text, sizeof d->text,
             "%s: expected runs of this plan, found those of another: give another folder", path);
    return E_MALFORMED;
}

/* Behind the last metric of a line: one that was cut when a sweep was interrupted does not have it, and does not
 * count. */
#define LINE_END "\t.\n"

static bool whole(const char *line, size_t len)
{
    size_t end = strlen(LINE_END);
    return len >= end && memcmp(line + len - end, LINE_END, end) == 0;
}

static int read_part(struct sweep *s, const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f)
        return fail(s->d, E_IO, "cannot be read", path);
    char *line = NULL;
    size_t cap = 0, piece;
    ssize_t n = getline(&line, &cap, f);
    unsigned long long sum;
    int err = 0, at;
    if (n > 0 && (sscanf(line, "plan %llx", &sum) != 1 || sum != plan_sum(s->plan)))
        err = other_plan(s->d, path);
    while (!err && (n = getline(&line, &cap, f)) > 0)
        if (whole(line, (size_t)n) && sscanf(line, "%zu%n", &piece, &at) == 1 && piece < s->plan->pieces)
            s->line[piece] = arena_copy(&s->arena, line + at, (size_t)n - (size_t)at - strlen(LINE_END));
    free(line);
    fclose(f);
    return err;
}

static int find_parts(struct sweep *s, glob_t *found)
{
    char pattern[NAME_SIZE];
    snprintf(pattern, sizeof pattern, "%s/part.*", s->options->directory);
    int err = glob(pattern, 0, NULL, found);
    return err == GLOB_NOSPACE ? E_NOMEM : 0;
}

static int resume(struct sweep *s)
{
    glob_t found = {0};
    int err = find_parts(s, &found);
    for (size_t i = 0; !err && i < found.gl_pathc; i++)
        err = read_part(s, found.gl_pathv[i]);
    globfree(&found);
    size_t missing = 0;
    for (size_t i = 0; i < s->plan->pieces; i++) {
        s->before += s->line[i] != NULL;
        if (!s->line[i] && missing++ % s->ranks->count == s->ranks->rank)
            s->todo[s->todo_count++] = i;
    }
    return err;
}

static void remove_parts(const struct sweep *s)
{
    glob_t found = {0};
    if (find_parts((struct sweep *)s, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            unlink(found.gl_pathv[i]);
    globfree(&found);
}

/* ---- running ---- */

/* In a worker. What goes wrong is the line: "!" and the words. */
static void work(void *ctx, size_t index, FILE *out)
{
    const struct sweep *s = ctx;
    size_t piece = s->todo[index], cell = piece / s->plan->seeds;
    struct sweep_cell on;
    struct topology *t;
    struct record r = {0};
    struct diag d;
    sweep_plan_cell(s->plan, cell, &on);
    const char *why = NULL;
    const struct net_ops *ops = strcmp(on.engine, "ns3") == 0 ? net_ns3_load(&why) : &net_native;
    if (!ops) {
        fprintf(out, "!engine ns3 is not installed: %s", why);
        return;
    }
    if (sweep_plan_topology(s->plan, cell, &t, &d) != 0) {
        fprintf(out, "!%s", d.text);
        return;
    }
    const struct world_options options = {.seed = s->plan->first_seed + piece % s->plan->seeds};
    if (world_run(ops, t, &options, &r, &d) != 0)
        fprintf(out, "!%s", d.text);
    else
        metrics_write(out, t, &r);
    record_free(&r);
    topology_free(t);
}

static bool result(void *ctx, size_t index, const char *bytes, size_t len)
{
    struct sweep *s = ctx;
    if (bytes[0] == '!') {
        snprintf(s->d->text, sizeof s->d->text, "%s", bytes + 1);
        s->err = E_MALFORMED;
        return false;
    }
    s->line[s->todo[index]] = arena_copy(&s->arena, bytes, len);
    if (fprintf(s->part, "%zu%s" LINE_END, s->todo[index], bytes) < 0 || fflush(s->part) != 0)
        s->err = fail(s->d, E_IO, "cannot be written", s->options->directory);
    return !s->err;
}

static void progress(void *ctx, size_t done)
{
    const struct sweep *s = ctx;
    if (s->options->progress)
        s->options->progress(done, s->todo_count);
}

static int run_rank(struct sweep *s)
{
    char path[NAME_SIZE];
    snprintf(path, sizeof path, "%s/part.%u", s->options->directory, s->ranks->rank);
    s->part = fopen(path, "a");
    if (!s->part)
        return fail(s->d, E_IO, "cannot be written", path);
    fseek(s->part, 0, SEEK_END);
    fprintf(s->part, ftell(s->part) ? "\n" : "plan %llx\n", /* a line that was cut ends */
            (unsigned long long)plan_sum(s->plan));
    const struct jobs jobs = {.workers = s->options->jobs, .count = s->todo_count, .work = work, .result = result,
                              .progress = progress, .ctx = s};
    size_t piece;
    int err = jobs_run(&jobs, &piece);
    if (err && !s->err)
        snprintf(s->d->text, sizeof s->d->text, "run %zu: its process died, or none could be had", s->todo[piece]);
    fclose(s->part);
    return s->err ? s->err : err;
}

/* Cells are tried before anything runs: what is wrong in the last one is said at once. */
static int check_cells(const struct sweep *s)
{
    int err = 0;
    for (size_t i = 0; !err && i < s->plan->cells; i++) {
        struct topology *t;
        err = sweep_plan_topology(s->plan, i, &t, s->d);
        if (!err)
            topology_free(t);
    }
    return err;
}

/* ---- all ---- */

static bool all_ok(const struct sweep_ranks *r, int err)
{
    return r->agree ? r->agree(err == 0) : err == 0;
}

/* What the ranks have written since is read by the first one, who makes the tables. */
static int finish(struct sweep *s, struct sweep_done *out)
{
    glob_t found = {0};
    int err = find_parts(s, &found);
    for (size_t i = 0; !err && i < found.gl_pathc; i++)
        err = read_part(s, found.gl_pathv[i]);
    globfree(&found);
    *out = (struct sweep_done){.runs = s->plan->pieces, .resumed = s->before};
    for (size_t i = 0; !err && i < s->plan->pieces; i++)
        out->failed += strncmp(s->line[i], "\tok=0", 5) == 0;
    if (!err && s->ranks->rank == 0)
        err = tables_write(s->plan, (const char *const *)s->line, s->options->directory, s->d);
    return err;
}

int sweep_run(const struct sweep_plan *p, const struct sweep_options *options, const struct sweep_ranks *ranks,
              struct sweep_done *out, struct diag *d)
{
    struct sweep s = {.plan = p, .options = options, .ranks = ranks, .d = d,
                      .line = calloc(p->pieces, sizeof *s.line), .todo = calloc(p->pieces, sizeof *s.todo)};
    d->text[0] = '\0';
    int err = !s.line || !s.todo ? E_NOMEM : check_cells(&s);
    if (!err)
        err = resume(&s);
    bool ok = all_ok(ranks, err);
    if (ok)
        err = run_rank(&s);
    ok = all_ok(ranks, err) && ok;
    if (ok)
        err = finish(&s, out);
    ok = all_ok(ranks, err) && ok;
    if (ok && ranks->rank == 0)
        remove_parts(&s);
    free(s.line);
    free(s.todo);
    arena_free(&s.arena);
    return ok ? 0 : err ? err : E_IO;
}
