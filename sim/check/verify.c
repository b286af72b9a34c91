/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/check/verify.h"

#include <stdio.h>
#include <stdlib.h>

#include "models/base/err.h"
#include "sim/check/findings.h"
#include "sim/check/repair.h"
#include "sim/check/sample.h"
#include "sim/check/simulate.h"

static int no_memory(struct diag *d)
{
    snprintf(d->text, sizeof d->text, "out of memory");
    return E_NOMEM;
}

static int find_tables(struct verify *v, const struct topology *t, const struct verify_options *o, struct diag *d)
{
    size_t count = o->table_count ? o->table_count : t->check.tables.count;
    v->table = calloc(count + 1, sizeof(struct port_table *));
    if (!v->table)
        return no_memory(d);
    if (count == 0) {
        snprintf(d->text, sizeof d->text,
                 "%s:1:1: check.tables: expected the port tables that this deployment serves, found none; "
                 "--table names them",
                 t->file);
        return E_MALFORMED;
    }
    int err = 0;
    for (size_t i = 0; !err && i < count; i++) {
        err = port_table_find(o->table_count ? o->tables[i] : t->check.tables.items[i], &v->table[i], d);
        v->table_count += !err;
    }
    return err;
}

static void find_all(struct check *c)
{
    check_find_deployment(c);
    check_find_inspections(c);
    check_find_timers(c);
    check_find_pools(c);
    check_find_rules(c);
}

int verify_run(struct verify *v, struct topology *t, const struct verify_options *o, struct diag *d)
{
    *v = (struct verify){0};
    int err = find_tables(v, t, o, d);
    struct check c = {0};
    if (!err) {
        const struct bind_options bind = {.size = o->has_size ? &o->size : NULL,
                                          .release = o->has_release ? &o->release : NULL};
        bind_tables(t, (const struct port_table *const *)v->table, v->table_count, &bind, &v->bound);
        err = check_open(&c, t, v->bound) ? no_memory(d) : 0;
    }
    if (!err) {
        v->report = c.report;
        for (size_t i = 0; i < v->table_count; i++)
            *CHECK_ADD(&v->report->arena, &v->report->tables) = v->table[i]->id;
        check_ask(&c, &(struct check_watch){.blocked = o->no_advice ? NULL : sample_suggest,
                                            .visited = o->simulate ? simulate_visit : NULL});
        if (!o->no_advice)
            find_all(&c);
        err = o->simulate ? simulate_call(&c, d) : 0;
        check_close(&c);
        if (!err && !o->no_advice && !check_holds(v->report))
            repair_all(v->report, t, v->bound);
    }
    if (err)
        verify_free(v);
    return err;
}

void verify_free(struct verify *v)
{
    check_report_free(v->report);
    if (v->bound)
        bound_free(v->bound);
    for (size_t i = 0; i < v->table_count; i++)
        port_table_free(v->table[i]);
    free(v->table);
    *v = (struct verify){0};
}
