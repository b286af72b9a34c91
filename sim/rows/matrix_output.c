/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "sim/rows/matrix.h"

static const struct {
    const char *word, *text;
} outcomes[MATRIX_OUTCOMES] = {
    [MATRIX_NOT_CARRIED] = {"not-carried", "not carried"},
    [MATRIX_LOCAL] = {"local", "it never left the host"},
    [MATRIX_BREAKS] = {"breaks", "breaks"},
    [MATRIX_DEGRADES] = {"degrades", "degrades"},
    [MATRIX_STANDS] = {"stands", "nothing breaks"},
    [MATRIX_NEEDLESS] = {"needless", "nothing breaks, and nothing stands in for it"},
    [MATRIX_NEVER] = {"never", "must carry nothing, and does not"},
    [MATRIX_LEAKS] = {"leaks", "must carry nothing, and did"},
};

/* ---- for people ---- */

enum { OUTCOME_COLUMN = 34, EFFECT_COLUMN = 6, NAMES_MAX = 8 };

/* Said of two services in the same words. */
static bool alike(const struct matrix_effect *a, const struct matrix_effect *b)
{
    return strcmp(a->node, b->node) == 0 && strcmp(a->state, b->state) == 0 && strcmp(a->text, b->text) == 0 &&
           strcmp(a->where, b->where) == 0;
}

static bool said_before(const struct matrix_row *r, size_t k)
{
    for (size_t i = 0; i < k; i++)
        if (alike(&r->effects.items[i], &r->effects.items[k]))
            return true;
    return false;
}

/* One paragraph for this effect and all that follow and are like it. */
static void put_effect(struct sink *s, const struct matrix_row *r, size_t k)
{
    const struct matrix_effect *e = &r->effects.items[k];
    size_t names = 0;
    char buf[1600];
    struct text t = text_of(buf, sizeof buf);
    for (size_t i = k; i < r->effects.count; i++)
        if (alike(&r->effects.items[i], e) && names++ < NAMES_MAX)
            text_add(&t, "%s%s", names > 1 ? ", " : "", r->effects.items[i].service);
    if (names > NAMES_MAX)
        text_add(&t, " and %zu more", names - NAMES_MAX);
    text_add(&t, "%s%s %s%s%s", e->node[0] ? " at " : "", e->node, e->state, e->text[0] ? ": " : "", e->text);
    if (e->where[0])
        text_add(&t, "; by %s", e->where);
    sink_f(s, "%*s", EFFECT_COLUMN, "");
    sink_wrapped(s, EFFECT_COLUMN, buf);
}

static void put_row(struct sink *s, const struct matrix *m, size_t i)
{
    const struct matrix_row *r = &m->row[i];
    const struct run_row *base = &m->base.rows.items[i];
    char buf[600];
    struct text t = text_of(buf, sizeof buf);
    sink_f(s, "%s %-20s %8" PRIu64 "  ", r->holds ? " " : "!", base->id, base->packets);
    text_add(&t, "%s%s%s", outcomes[r->outcome].text, r->why[0] ? ": " : "", r->why);
    sink_wrapped(s, OUTCOME_COLUMN - 1, buf);
    for (size_t k = 0; k < r->effects.count; k++)
        if (!said_before(r, k))
            put_effect(s, r, k);
}

void matrix_text(struct sink *s, const struct matrix *m)
{
    size_t asked = 0, carried = 0, hold = 0;
    for (size_t i = 0; i < m->rows->row.count; i++) {
        asked += m->row[i].asked;
        carried += m->row[i].asked && m->base.rows.items[i].packets;
        hold += m->row[i].asked && m->row[i].holds;
    }
    sink_f(s, "%s  %s on %s, seed %" PRIu64 ": of %zu rows %zu carried packets, %zu hold\n",
           matrix_holds(m) ? "OK" : "FAILED", m->rows->topology->name, m->engine, m->seed, asked, carried, hold);
    if (m->blame.verdict != VERDICT_OK) {
        sink_text(s, "  with no row shut  ");
        sink_wrapped(s, 20, m->blame.what);
    }
    sink_f(s, "\n  %-20s %8s  %s\n", "row", "packets", "with it shut");
    for (size_t i = 0; i < m->rows->row.count; i++)
        if (m->row[i].asked)
            put_row(s, m, i);
}

/* ---- for programs ---- */

static void put_string(struct sink *s, const char *key, const char *value)
{
    sink_text(s, key);
    sink_string(s, value);
}

static void put_effects_json(struct sink *s, const struct matrix_row *r)
{
    for (size_t i = 0; i < r->effects.count; i++) {
        const struct matrix_effect *e = &r->effects.items[i];
        put_string(s, i ? ",\n     {\"node\": " : "\n     {\"node\": ", e->node);
        put_string(s, ", \"service\": ", e->service);
        put_string(s, ", \"state\": ", e->state);
        put_string(s, ", \"text\": ", e->text);
        put_string(s, ", \"where\": ", e->where);
        sink_text(s, "}");
    }
}

static void put_row_json(struct sink *s, const struct matrix *m, size_t i)
{
    static const char *const needs[] = {[NEED_MUST] = "must", [NEED_OPTIONAL] = "optional", [NEED_NEVER] = "never"};
    const struct matrix_row *r = &m->row[i];
    const struct run_row *base = &m->base.rows.items[i];
    const struct port_row *row = m->rows->row.items[i].row;
    put_string(s, "\n   {\"table\": ", base->table);
    put_string(s, ", \"row\": ", base->id);
    put_string(s, ", \"need\": ", needs[row->need]);
    sink_text(s, ", \"packets\": ");
    sink_u64(s, base->packets);
    put_string(s, ", \"outcome\": ", outcomes[r->outcome].word);
    put_string(s, ", \"why\": ", r->why);
    sink_text(s, r->holds ? ", \"holds\": true" : ", \"holds\": false");
    sink_text(s, ", \"effects\": [");
    put_effects_json(s, r);
    sink_text(s, "]}");
}

void matrix_json(struct sink *s, const struct matrix *m)
{
    bool first = true;
    sink_text(s, "{\"schema\": \"turnproof/matrix/1\"");
    put_string(s, ", \"topology\": ", m->rows->topology->name);
    put_string(s, ", \"engine\": ", m->engine);
    sink_text(s, ", \"seed\": ");
    sink_u64(s, m->seed);
    put_string(s, ",\n \"verdict\": ", verdict_text(m->blame.verdict));
    put_string(s, ", \"what\": ", m->blame.what);
    sink_text(s, matrix_holds(m) ? ", \"holds\": true" : ", \"holds\": false");
    sink_text(s, ",\n \"rows\": [");
    for (size_t i = 0; i < m->rows->row.count; i++) {
        if (!m->row[i].asked)
            continue;
        sink_text(s, first ? "" : ",");
        put_row_json(s, m, i);
        first = false;
    }
    sink_text(s, "]}\n");
}
