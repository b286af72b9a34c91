/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conformance/monitor.h"
#include "conformance/output.h"
#include "sim/check/json_out.h"

static void put_who(struct json_out *j, unsigned who)
{
    static const char *const name[] = {"server", "client", "peer", "nat"};
    json_out_open(j, "who", '[');
    for (unsigned i = 0; i < sizeof name / sizeof *name; i++)
        if (who & 1u << i)
            json_out_string(j, NULL, name[i]);
    json_out_close(j);
}

static void put_row(struct json_out *j, const struct conform_report *r, const struct verdict *v)
{
    const struct document *d = catalogue_document(v->row);
    json_out_open(j, NULL, '{');
    json_out_string(j, "id", v->row->id);
    json_out_string(j, "document", d ? d->name : NULL);
    json_out_string(j, "section", v->row->section);
    json_out_string(j, "level", level_name(v->row->level));
    put_who(j, v->row->who);
    json_out_string(j, "required", v->row->text);
    json_out_string(j, "outcome", outcome_name(v->outcome));
    json_out_bool(j, "decides", level_decides(v->row->level, r->strict));
    json_out_string(j, "seen", v->saw);
    json_out_string(j, "exchange", v->exchange);
    json_out_number(j, "took_ns", v->took_ns);
    json_out_close(j);
}

void conform_write_json(struct sink *s, const struct conform_report *r, bool colour)
{
    (void)colour;
    size_t of[OUTCOME_SKIP + 1] = {0};
    for (size_t i = 0; i < r->count; i++)
        of[r->verdict[i].outcome]++;
    struct json_out out = json_out_to(s, 2), *j = &out;
    json_out_open(j, NULL, '{');
    json_out_string(j, "schema", "turnproof/conform/1");
    json_out_string(j, "subject", r->subject);
    json_out_bool(j, "strict", r->strict);
    json_out_bool(j, "holds", conform_holds(r));
    json_out_open(j, "counts", '{');
    for (size_t i = 0; i <= OUTCOME_SKIP; i++)
        json_out_number(j, outcome_name((enum outcome)i), of[i]);
    json_out_close(j);
    json_out_open(j, "rows", '[');
    for (size_t i = 0; i < r->count; i++)
        put_row(j, r, &r->verdict[i]);
    json_out_close(j);
    json_out_close(j);
}

/* ---- the catalogue ---- */

static const char *check_of(const struct requirement *row)
{
    bool monitor = monitors_watch(row->id);
    return row->probe && monitor ? "probe, monitor" : row->probe ? "probe" : monitor ? "monitor" : "none";
}

static void put_catalogue_row(struct json_out *j, const struct requirement *row)
{
    const struct document *d = catalogue_document(row);
    json_out_open(j, NULL, '{');
    json_out_string(j, "id", row->id);
    json_out_string(j, "document", d ? d->name : NULL);
    json_out_string(j, "section", row->section);
    json_out_string(j, "level", level_name(row->level));
    put_who(j, row->who);
    json_out_string(j, "required", row->text);
    json_out_string(j, "check", check_of(row));
    json_out_string(j, "reason", row->none);
    json_out_string(j, "server_setup", row->probe ? setup_name(row->setup) : NULL);
    json_out_number(j, "seconds", row->seconds);
    json_out_close(j);
}

void conform_write_list_json(struct sink *s, const struct requirement *const *row, size_t count)
{
    struct json_out out = json_out_to(s, 2), *j = &out;
    json_out_open(j, NULL, '{');
    json_out_string(j, "schema", "turnproof/catalogue/1");
    json_out_open(j, "rows", '[');
    for (size_t i = 0; i < count; i++)
        put_catalogue_row(j, row[i]);
    json_out_close(j);
    json_out_close(j);
}
