/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/explore/search.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "sim/explore/isolate.h"
#include "sim/jobs/jobs.h"

/* Seeds of a piece of work: enough that handing it out costs nothing, and few enough that all cores end together. */
enum { PIECE = 64 };

struct searching {
    const struct search *q;
    struct search_result *result;
};

static uint64_t seeds_of(const struct search *q)
{
    return q->last - q->first + 1;
}

/* ---- one run ---- */

struct single {
    struct explorer *e;
    const struct scenario *s;
};

static void work_one(void *ctx, FILE *out)
{
    const struct single *x = ctx;
    struct finding f;
    explorer_run(x->e, x->s, &f);
    fprintf(out, "%d %" PRIu64 " %" PRIu64 "\t%s\t%s", f.call_up, f.packet_hops, f.violation.t_ns,
            f.violation.invariant, f.violation.what);
}

/* The rest of a line behind its numbers: the invariant and what was seen. */
static void read_violation(const char *tab, struct violation *out)
{
    size_t n = strcspn(tab + 1, "\t");
    snprintf(out->invariant, sizeof out->invariant, "%.*s", (int)n, tab + 1);
    snprintf(out->what, sizeof out->what, "%s", tab[1 + n] ? tab + 2 + n : "");
}

int search_one(struct explorer *e, const struct scenario *s, struct finding *out)
{
    int signal, up;
    char *text = isolated(work_one, &(struct single){e, s}, &signal);
    *out = (struct finding){0};
    if (!text && !signal)
        return E_IO;
    if (!text) {
        violation_set(&out->violation, 0, "crash", "the program is ended by signal %d (%s)", signal, strsignal(signal));
        return 0;
    }
    const char *tab = strchr(text, '\t');
    if (tab && sscanf(text, "%d %" SCNu64 " %" SCNu64, &up, &out->packet_hops, &out->violation.t_ns) == 3) {
        out->call_up = up;
        read_violation(tab, &out->violation);
    }
    free(text);
    return 0;
}

/* ---- a piece ---- */

/* Runs, calls that came up and packets; and if one fails, when, its seed and why. */
static void work(void *ctx, size_t piece, FILE *out)
{
    const struct search *q = ((struct searching *)ctx)->q;
    struct scenario *s = scenario_new(explorer_topology(q->explorer));
    uint64_t runs = 0, up = 0, hops = 0;
    struct finding f = {0};
    for (uint64_t i = (uint64_t)piece * PIECE; i < seeds_of(q) && i < ((uint64_t)piece + 1) * PIECE; i++) {
        explorer_draw(q->explorer, q->first + i, s);
        explorer_run(q->explorer, s, &f);
        if (violated(&f.violation))
            break;
        runs++;
        up += f.call_up;
        hops += f.packet_hops;
    }
    fprintf(out, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, runs, up, hops, f.violation.t_ns);
    if (violated(&f.violation))
        fprintf(out, "\t%s\t%s", f.violation.invariant, f.violation.what);
    scenario_free(s);
}

static bool result(void *ctx, size_t piece, const char *bytes, size_t len)
{
    struct search_result *r = ((struct searching *)ctx)->result;
    uint64_t runs = 0, up = 0, hops = 0, t_ns = 0;
    (void)len;
    sscanf(bytes, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, &runs, &up, &hops, &t_ns);
    r->runs += runs;
    r->calls_up += up;
    r->packet_hops += hops;
    const char *tab = strchr(bytes, '\t');
    if (!tab)
        return true;
    r->failed = true;
    r->seed = ((struct searching *)ctx)->q->first + (uint64_t)piece * PIECE + runs;
    r->violation.t_ns = t_ns;
    read_violation(tab, &r->violation);
    return false;
}

static void progress(void *ctx, size_t done)
{
    const struct search *q = ((struct searching *)ctx)->q;
    uint64_t seeds = (uint64_t)done * PIECE, all = seeds_of(q);
    q->progress(seeds < all ? seeds : all, all);
}

/* ---- all ---- */

/* A worker died at this piece: its seeds one by one, until it is known at which. */
static int look_closer(struct searching *x, size_t piece)
{
    const struct search *q = x->q;
    struct search_result *r = x->result;
    struct scenario *s = scenario_new(explorer_topology(q->explorer));
    int err = 0;
    for (uint64_t i = (uint64_t)piece * PIECE; !err && !r->failed && i < seeds_of(q); i++) {
        struct finding f;
        explorer_draw(q->explorer, q->first + i, s);
        err = search_one(q->explorer, s, &f);
        if (violated(&f.violation)) {
            r->failed = true;
            r->seed = q->first + i;
            r->violation = f.violation;
        }
        r->runs += !r->failed;
        r->calls_up += !r->failed && f.call_up;
        r->packet_hops += r->failed ? 0 : f.packet_hops;
    }
    scenario_free(s);
    return err;
}

/* On one core: pieces in a process of their own as well, so that a crash is found there too. */
static void work_piece(void *ctx, FILE *out)
{
    const struct { struct searching *x; size_t piece; } *p = ctx;
    work(p->x, p->piece, out);
}

static int one_core(struct searching *x, size_t pieces)
{
    for (size_t piece = 0; piece < pieces; piece++) {
        struct { struct searching *x; size_t piece; } p = {x, piece};
        int signal;
        char *text = isolated(work_piece, &p, &signal);
        if (!text)
            return signal ? look_closer(x, piece) : E_IO;
        bool more = result(x, piece, text, 0);
        free(text);
        if (x->q->progress)
            progress(x, piece + 1);
        if (!more)
            break;
    }
    return 0;
}

int search(const struct search *q, struct search_result *out)
{
    struct searching x = {q, out};
    size_t pieces = (size_t)((seeds_of(q) + PIECE - 1) / PIECE), died = 0;
    *out = (struct search_result){0};
    if (q->workers == 1 || pieces == 1)
        return one_core(&x, pieces);
    const struct jobs j = {.workers = q->workers, .count = pieces, .work = work, .result = result,
                           .progress = q->progress ? progress : NULL, .ctx = &x};
    int err = jobs_run(&j, &died);
    return err == E_IO ? look_closer(&x, died) : err;
}
