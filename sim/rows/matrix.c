/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/rows/matrix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "sim/jobs/jobs.h"
#include "sim/rows/marks.h"

/* ---- one run ---- */

struct run {
    struct record record;
    struct blame blame;
};

static int run_calls(const struct rows *rows, const struct matrix_options *o, struct run *out, struct diag *d)
{
    struct world_watch watch = {.shutter = &rows->shutter};
    struct row_marks *marks = row_marks_new(rows, &watch);
    const struct world_options world = {.seed = o->seed, .watch = &watch};
    *out = (struct run){0};
    int err = world_run(o->ops, rows->topology, &world, &out->record, d);
    if (!err) {
        row_marks_record(marks, &out->record);
        blame_find(rows->topology, &out->record, &out->blame);
    }
    row_marks_free(marks);
    return err;
}

/* ---- what is worse ---- */

/* By host and name: engines do not agree on the order of what happens at once. */
static int by_name(const void *a, const void *b)
{
    const struct run_service *s = a, *t = b;
    int hosts = strcmp(s->host, t->host);
    return hosts ? hosts : strcmp(s->name, t->name);
}

/* How far a service is from what it should be. */
static unsigned badness(const struct run_service *s)
{
    return !service_holds(s) ? 2 : s->state == SERVICE_DEGRADED;
}

static const struct run_service *service_of(const struct record *r, const struct run_service *like)
{
    for (size_t i = 0; i < r->services.count; i++)
        if (strcmp(r->services.items[i].host, like->host) == 0 && strcmp(r->services.items[i].name, like->name) == 0)
            return &r->services.items[i];
    return NULL;
}

/* One field of a line; what would end it becomes a blank. */
static void put_field(FILE *out, const char *text, char end)
{
    for (; *text; text++)
        fputc(*text == '\t' || *text == '\n' ? ' ' : *text, out);
    fputc(end, out);
}

static void put_effect(FILE *out, const struct matrix_effect *e)
{
    const char *const field[] = {e->node, e->service, e->state, e->text};
    for (size_t i = 0; i < sizeof field / sizeof *field; i++)
        put_field(out, field[i], '\t');
    put_field(out, e->where, '\n');
}

static void put_service(FILE *out, const struct topology *t, const struct record *r, const struct run_service *before,
                        const struct run_service *after)
{
    const struct run_drop *d = after ? blame_service(t, r, after) : NULL;
    char where[512] = "";
    if (d)
        blame_where(t, d, where, sizeof where);
    const struct matrix_effect e = {before->host, before->name, after ? service_state_text(after->state) : "missing",
                                    after ? after->text : "it was never spoken of", where};
    put_effect(out, &e);
}

/* All that is worse than before, a line each; how bad the worst of it is. */
static unsigned put_effects(FILE *out, const struct topology *t, const struct matrix *m, const struct run *now)
{
    unsigned worst = 0;
    if (now->blame.phase[0] && m->blame.verdict == VERDICT_OK) {
        const struct matrix_effect e = {"", "call", "failed", now->blame.what,
                                        now->blame.where};
        put_effect(out, &e);
        worst = 2;
    }
    for (size_t i = 0; i < m->base.services.count; i++) {
        const struct run_service *before = &m->base.services.items[i], *after = service_of(&now->record, before);
        unsigned bad = after ? badness(after) : 2;
        if (bad <= badness(before))
            continue;
        put_service(out, t, &now->record, before, after);
        worst = bad > worst ? bad : worst;
    }
    return worst;
}

/* ---- why nothing is worse ---- */

static bool dropped_by(const struct record *r, const struct row *row)
{
    for (size_t i = 0; i < r->drops.count; i++)
        if (r->drops.items[i].rule == &row->ref)
            return true;
    return false;
}

static bool share_port(const struct port_ranges *a, const struct port_ranges *b)
{
    for (size_t i = 0; i < a->count; i++)
        for (size_t k = 0; k < b->count; k++)
            if (a->items[i].lo <= b->items[k].hi && b->items[k].lo <= a->items[i].hi)
                return true;
    return false;
}

/* Who sends in one may send in the other. */
static bool share_sender(const struct bind_end *a, const struct bind_end *b)
{
    return a->node == b->node || a->actor == ACTOR_ANY || b->actor == ACTOR_ANY;
}

/* Both lead to the same ports of one host. */
static bool lead_to_the_same(const struct rows *rows, size_t a, size_t b)
{
    const struct bound *o = rows->bound;
    for (size_t i = 0; i < o->questions.count; i++)
        for (size_t k = 0; rows->of_question[i] == a && k < o->questions.count; k++) {
            const struct bind_question *p = &o->questions.items[i], *q = &o->questions.items[k];
            if (rows->of_question[k] == b && p->proto == q->proto && p->to.node == q->to.node &&
                share_sender(&p->from, &q->from) && share_port(&p->dport, &q->dport))
                return true;
        }
    return false;
}

/* Or they are two of one purpose, as SIP by TCP and by TLS. */
static bool are_a_pair(const struct rows *rows, size_t a, size_t b)
{
    const struct port_row *p = rows->row.items[a].row, *q = rows->row.items[b].row;
    bool same = rows->row.items[a].table == rows->row.items[b].table && p->from.actor == q->from.actor &&
                p->to.actor == q->to.actor && strcmp(p->purpose, q->purpose) == 0;
    return same || lead_to_the_same(rows, a, b);
}

/* It carried clearly more than before, by what the shut row lacks. */
static bool has_grown(const struct run_row *before, const struct run_row *after, const struct run_row *shut)
{
    uint64_t more = after->packets > before->packets ? after->packets - before->packets : 0;
    return 4 * more > before->packets && 4 * more > shut->packets;
}

/* The rows that stand in: those that carried more than before, and, when none did, those that carried something to the
 * same end all along. */
static bool say_stand_ins(FILE *out, const struct rows *rows, const struct matrix *m, const struct record *now,
                          size_t shut, bool grown)
{
    size_t found = 0;
    for (size_t i = 0; i < rows->row.count; i++) {
        const struct run_row *before = &m->base.rows.items[i], *after = &now->rows.items[i];
        bool counts = grown ? has_grown(before, after, &m->base.rows.items[shut])
                            : after->packets && are_a_pair(rows, shut, i);
        if (i == shut || before->never || !counts)
            continue;
        fprintf(out, "%s%s", found++ ? ", " : "", before->id);
    }
    if (found)
        fputs(grown ? found > 1 ? " stand in" : " stands in" : found > 1 ? " carry it, too" : " carries it, too", out);
    return found > 0;
}

/* A service that is up as before, in another way. */
static void say_other_way(FILE *out, const struct matrix *m, const struct record *now)
{
    for (size_t i = 0; i < m->base.services.count; i++) {
        const struct run_service *before = &m->base.services.items[i], *after = service_of(now, before);
        if (!after || before->state != SERVICE_UP || after->state != SERVICE_UP || !strcmp(before->text, after->text))
            continue;
        fprintf(out, "; %s at %s: %s", after->name, after->host, after->text);
        return;
    }
}

/* False: there is no reason to be seen. */
static bool say_why(FILE *out, const struct rows *rows, const struct matrix *m, const struct record *now, size_t shut)
{
    const struct run_row *row = &now->rows.items[shut];
    bool dropped = dropped_by(now, &rows->row.items[shut]);
    if (row->packets && row->opened_by)
        fprintf(out, "the state that %s opens lets it through", row->opened_by);
    else if (row->packets && !dropped)
        fputs("no firewall is on its way", out);
    else if (!say_stand_ins(out, rows, m, now, shut, true) && !say_stand_ins(out, rows, m, now, shut, false))
        return false;
    say_other_way(out, m, now);
    return true;
}

/* ---- a row, in a worker ---- */

struct work {
    struct matrix *m;
    struct rows *rows;
    const struct matrix_options *options;
    size_t *row; /* by piece */
};

/* First line: outcome and why; then the effects. */
static void run_row(void *ctx, size_t piece, FILE *out)
{
    struct work *w = ctx;
    size_t row = w->row[piece];
    struct run now;
    struct diag d;
    char *why = NULL, *effects = NULL;
    size_t why_len, effects_len;
    w->rows->row.items[row].shut = true;
    int err = run_calls(w->rows, w->options, &now, &d);
    w->rows->row.items[row].shut = false;
    FILE *why_out = open_memstream(&why, &why_len), *effects_out = open_memstream(&effects, &effects_len);
    if (!err && why_out && effects_out) {
        static const enum matrix_outcome by_badness[] = {MATRIX_STANDS, MATRIX_DEGRADES, MATRIX_BREAKS};
        enum matrix_outcome outcome = by_badness[put_effects(effects_out, w->rows->topology, w->m, &now)];
        if (outcome == MATRIX_STANDS && !say_why(why_out, w->rows, w->m, &now.record, row))
            outcome = MATRIX_NEEDLESS;
        fclose(why_out);
        fclose(effects_out);
        fprintf(out, "%u\t", (unsigned)outcome);
        put_field(out, why, '\n');
        fputs(effects, out);
    }
    free(why);
    free(effects);
    record_free(&now.record);
}

/* ---- here ---- */

/* Up to `end`, as a string; *at behind it. NULL: there is no such end. */
static const char *field(struct arena *a, const char **at, char end)
{
    const char *stop = strchr(*at, end);
    const char *text = stop ? arena_copy(a, *at, (size_t)(stop - *at)) : NULL;
    if (stop)
        *at = stop + 1;
    return text;
}

static bool take_row(void *ctx, size_t piece, const char *bytes, size_t len)
{
    struct work *w = ctx;
    struct arena *a = &w->m->arena;
    struct matrix_row *r = &w->m->row[w->row[piece]];
    size_t lines = 0;
    for (size_t i = 0; i < len; i++)
        lines += bytes[i] == '\n';
    const char *outcome = lines ? field(a, &bytes, '\t') : NULL;
    if (!outcome)
        return false;
    r->outcome = (enum matrix_outcome)atoi(outcome);
    r->why = field(a, &bytes, '\n');
    r->effects.items = arena_alloc(a, lines * sizeof *r->effects.items);
    for (; r->effects.count + 1 < lines; r->effects.count++) {
        struct matrix_effect *e = &r->effects.items[r->effects.count];
        e->node = field(a, &bytes, '\t');
        e->service = field(a, &bytes, '\t');
        e->state = field(a, &bytes, '\t');
        e->text = field(a, &bytes, '\t');
        e->where = field(a, &bytes, '\n');
    }
    return true;
}

/* What is known of a row without closing it. False: it has to be closed. */
static bool is_known(const struct rows *rows, const struct matrix *m, size_t row, struct matrix_row *out)
{
    const struct run_row *r = &m->base.rows.items[row];
    out->why = "";
    if (r->never)
        out->outcome = r->packets ? MATRIX_LEAKS : MATRIX_NEVER;
    else if (!r->packets)
        out->outcome = MATRIX_NOT_CARRIED;
    else if (rows->row.items[row].local)
        out->outcome = MATRIX_LOCAL;
    else
        return false;
    return true;
}

static bool row_holds(const struct port_row *row, enum matrix_outcome outcome)
{
    static const bool must[MATRIX_OUTCOMES] = {[MATRIX_LOCAL] = true, [MATRIX_BREAKS] = true, [MATRIX_DEGRADES] = true,
                                               [MATRIX_STANDS] = true, [MATRIX_NEVER] = true};
    static const bool may[MATRIX_OUTCOMES] = {[MATRIX_LOCAL] = true, [MATRIX_DEGRADES] = true, [MATRIX_STANDS] = true,
                                              [MATRIX_NEEDLESS] = true, [MATRIX_NEVER] = true};
    return row->degrades_to ? may[outcome] : must[outcome];
}

int matrix_run(struct matrix *m, struct rows *rows, const struct matrix_options *options, struct diag *d)
{
    *m = (struct matrix){.rows = rows, .engine = options->ops->name, .seed = options->seed};
    struct run base;
    int err = run_calls(rows, options, &base, d);
    if (err)
        return err;
    m->base = base.record;
    m->blame = base.blame;
    if (m->base.services.count)
        qsort(m->base.services.items, m->base.services.count, sizeof *m->base.services.items, by_name);
    m->row = arena_alloc(&m->arena, (rows->row.count + 1) * sizeof *m->row);
    struct work w = {m, rows, options, arena_alloc(&m->arena, (rows->row.count + 1) * sizeof *w.row)};
    struct jobs jobs = {.workers = options->workers, .work = run_row, .result = take_row,
                        .progress = options->progress, .ctx = &w};
    for (size_t i = 0; i < rows->row.count; i++) {
        m->row[i].asked = !options->wanted || options->wanted[i];
        if (m->row[i].asked && !is_known(rows, m, i, &m->row[i]))
            w.row[jobs.count++] = i;
    }
    size_t piece = 0;
    err = jobs_run(&jobs, &piece);
    for (size_t i = 0; !err && i < jobs.count; i++)
        if (!m->row[w.row[i]].why) {
            err = E_IO;
            piece = i;
        }
    if (err)
        snprintf(d->text, sizeof d->text, "the run with row %s shut: %s", rows->row.items[w.row[piece]].row->id,
                 err_text(err));
    for (size_t i = 0; i < rows->row.count; i++)
        m->row[i].holds = row_holds(rows->row.items[i].row, m->row[i].outcome);
    if (err)
        matrix_free(m);
    return err;
}

bool matrix_holds(const struct matrix *m)
{
    bool all = m->blame.verdict == VERDICT_OK;
    for (size_t i = 0; i < m->rows->row.count; i++)
        all = all && (!m->row[i].asked || m->row[i].holds);
    return all;
}

void matrix_free(struct matrix *m)
{
    record_free(&m->base);
    arena_free(&m->arena);
}
