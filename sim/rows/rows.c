/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/rows/rows.h"

#include <string.h>

static int find_tables(struct rows *r, struct diag *d)
{
    const struct topo_check *check = &r->topology->check;
    r->table = arena_alloc(&r->arena, (check->tables.count + 1) * sizeof(struct port_table *));
    int err = 0;
    for (size_t i = 0; !err && i < check->tables.count; i++) {
        err = port_table_find(check->tables.items[i], &r->table[i], d);
        r->table_count += !err;
    }
    return err;
}

static const struct fw_rule_ref *shuts(void *ctx, const struct fw_flow *arrived, const struct fw_flow *leaving)
{
    const struct rows *r = ctx;
    for (size_t i = 0; i < r->bound->questions.count; i++) {
        const struct bind_question *q = &r->bound->questions.items[i];
        const struct row *row = &r->row.items[r->of_question[i]];
        if (row->shut && (rows_in_question(q, arrived) || rows_in_question(q, leaving)))
            return &row->ref;
    }
    return NULL;
}

static struct row row_of(struct rows *r, const struct bind_question *q)
{
    const struct fw_rule_ref ref = {.file = arena_format(&r->arena, "%s.json", q->table->id),
                                    .line = json_line(q->table->json, q->row->at),
                                    .text = arena_format(&r->arena, "row %s (%s) is shut", q->row->id,
                                                         q->row->purpose)};
    return (struct row){.table = q->table, .row = q->row, .local = true, .ref = ref};
}

/* Questions of one row stand together. */
static void collect(struct rows *r)
{
    const struct bound *b = r->bound;
    r->row.items = arena_alloc(&r->arena, (b->questions.count + 1) * sizeof *r->row.items);
    r->of_question = arena_alloc(&r->arena, (b->questions.count + 1) * sizeof *r->of_question);
    for (size_t i = 0; i < b->questions.count; i++) {
        const struct bind_question *q = &b->questions.items[i];
        if (!r->row.count || r->row.items[r->row.count - 1].row != q->row)
            r->row.items[r->row.count++] = row_of(r, q);
        struct row *row = &r->row.items[r->row.count - 1];
        row->local = row->local && q->local;
        r->of_question[i] = (unsigned)(r->row.count - 1);
    }
}

int rows_open(struct rows *r, const struct topology *t, struct diag *d)
{
    *r = (struct rows){.topology = t};
    int err = find_tables(r, d);
    if (err) {
        rows_close(r);
        return err;
    }
    if (!r->table_count)
        return 0;
    const struct bind_options as_it_is = {0};
    bind_tables(t, (const struct port_table *const *)r->table, r->table_count, &as_it_is, &r->bound);
    collect(r);
    r->shutter = (struct fw_shutter){shuts, r};
    return 0;
}

void rows_close(struct rows *r)
{
    bound_free(r->bound);
    for (size_t i = 0; i < r->table_count; i++)
        port_table_free(r->table[i]);
    arena_free(&r->arena);
    *r = (struct rows){0};
}

int rows_find(const struct rows *r, const char *id)
{
    for (size_t i = 0; i < r->row.count; i++)
        if (strcmp(r->row.items[i].row->id, id) == 0)
            return (int)i;
    return -1;
}

static bool in_ports(const struct port_ranges *r, uint16_t port)
{
    for (size_t i = 0; i < r->count; i++)
        if (port >= r->items[i].lo && port <= r->items[i].hi)
            return true;
    return false;
}

bool rows_in_question(const struct bind_question *q, const struct fw_flow *f)
{
    return q->proto == f->proto && q->family == f->src.family && in_ports(&q->dport, f->dport) &&
           in_ports(&q->sport, f->sport) && addr_ranges_have(&q->src, &f->src) && addr_ranges_have(&q->dst, &f->dst);
}
