/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/sweep/plan.h"

#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "sim/scenario/files.h"

#define SCHEMA "turnproof/sweep/1"
#define DEFAULT_ENGINE "native"

/* ---- what stands in the file ---- */

static const struct field axis_fields[] = {
    {FIELD("(axis)", SELF, struct sweep_axis, at)},
    {FIELD("name", STRING, struct sweep_axis, name), .required = true, .min = 1, .max = 40},
    {FIELD("set", STRING, struct sweep_axis, path), .min = 1},
    {FIELD("values", JSON, struct sweep_axis, values)},
    {FIELD("cases", JSON, struct sweep_axis, cases)},
    {FIELD("engines", LIST, struct sweep_axis, engines), .of = FIELD_STRING},
    {.key = NULL},
};

struct seeds {
    uint64_t first, count;
};

struct plan_file {
    struct sweep_plan plan; /* first: its fields' places are those of the whole */
    struct seeds seeds;
};
_Static_assert(offsetof(struct plan_file, plan) == 0, "fields of the plan are found from the start");

static const struct field seeds_fields[] = {
    {FIELD("first", U64, struct seeds, first), .dflt = 1},
    {FIELD("count", U64, struct seeds, count), .dflt = 10, .min = 1, .max = SWEEP_PIECES_MAX},
    {.key = NULL},
};

static const struct field plan_fields[] = {
    {FIELD("schema", STRING, struct sweep_plan, schema), .required = true},
    {FIELD("name", STRING, struct sweep_plan, name), .required = true, .min = 1, .max = 80},
    {FIELD("title", STRING, struct sweep_plan, title), .text = ""},
    {FIELD("topology", STRING, struct sweep_plan, topology), .required = true, .min = 1},
    {FIELD("set", JSON, struct sweep_plan, set_json)},
    {FIELD("vary", LIST, struct sweep_plan, axes), .of = FIELD_OBJECT, .fields = axis_fields,
     .size = sizeof(struct sweep_axis), .max = SWEEP_AXES_MAX},
    {FIELD("seeds", OBJECT, struct plan_file, seeds), .fields = seeds_fields, .size = sizeof(struct seeds)},
    {.key = NULL},
};

/* ---- from JSON to cases ---- */

static const char *assignment(struct sweep_plan *p, const char *path, const cJSON *value)
{
    char *text = cJSON_PrintUnformatted(value);
    const char *set = arena_format(&p->arena, "%s=%s", path, text ? text : "null");
    cJSON_free(text);
    return set;
}

/* {PATH: value, ...} */
static int read_set(struct sweep_plan *p, const cJSON *object, const char ***items, size_t *count, struct diag *d)
{
    if (!object)
        return 0;
    char found[64];
    if (!cJSON_IsObject(object))
        return json_error(p->json, object, d, "expected an object of paths and values, found %s",
                          json_found(p->json, object, found));
    *items = arena_alloc(&p->arena, ((size_t)cJSON_GetArraySize(object) + 1) * sizeof **items);
    for (const cJSON *v = object->child; v; v = v->next)
        (*items)[(*count)++] = assignment(p, v->string, v);
    return 0;
}

struct case_file {
    const char *label;
    const cJSON *set;
};

static const struct field case_fields[] = {
    {FIELD("label", STRING, struct case_file, label), .required = true, .min = 1, .max = 40},
    {FIELD("set", JSON, struct case_file, set)},
    {.key = NULL},
};

static int read_case(struct sweep_plan *p, const cJSON *item, struct sweep_case *out, struct diag *d)
{
    struct case_file c = {0};
    int err = fields_read(p->json, item, case_fields, &p->arena, &c, d);
    if (err)
        return err;
    out->label = c.label;
    return read_set(p, c.set, &out->set.items, &out->set.count, d);
}

static void value_case(struct sweep_plan *p, const struct sweep_axis *a, const cJSON *value, struct sweep_case *out)
{
    char *text = cJSON_IsString(value) ? NULL : cJSON_PrintUnformatted(value);
    out->label = cJSON_IsString(value) ? value->valuestring : arena_format(&p->arena, "%s", text ? text : "");
    cJSON_free(text);
    out->set.items = arena_alloc(&p->arena, sizeof *out->set.items);
    out->set.items[out->set.count++] = assignment(p, a->path, value);
}

/* An axis has one of: a path with its values, engines, cases. */
static int check_axis(const struct sweep_plan *p, const struct sweep_axis *a, struct diag *d)
{
    const cJSON *list = a->values ? a->values : a->cases;
    bool engines = a->engines.count > 0;
    if (!!a->values + !!a->cases + engines != 1)
        return json_error(p->json, a->at, d, "expected one of values, cases and engines");
    if (!!a->path != !!a->values)
        return json_error(p->json, a->at, d, "expected set and values together: the path, and what it becomes");
    if (list && (!cJSON_IsArray(list) || !cJSON_GetArraySize(list)))
        return json_error(p->json, list, d, "expected a list of at least one");
    for (size_t i = 0; i < a->engines.count; i++)
        if (strcmp(a->engines.items[i], "native") != 0 && strcmp(a->engines.items[i], "ns3") != 0)
            return json_error(p->json, a->at, d, "expected engines native and ns3, found \"%s\"", a->engines.items[i]);
    return 0;
}

static int read_axis(struct sweep_plan *p, struct sweep_axis *a, struct diag *d)
{
    int err = check_axis(p, a, d);
    if (err)
        return err;
    const cJSON *list = a->values ? a->values : a->cases;
    size_t count = list ? (size_t)cJSON_GetArraySize(list) : a->engines.count;
    a->kinds.items = arena_alloc(&p->arena, count * sizeof *a->kinds.items);
    for (size_t i = 0; i < a->engines.count; i++)
        a->kinds.items[a->kinds.count++] = (struct sweep_case){.label = a->engines.items[i],
                                                               .engine = a->engines.items[i]};
    const cJSON *item;
    cJSON_ArrayForEach(item, list) {
        struct sweep_case *c = &a->kinds.items[a->kinds.count++];
        if (a->values)
            value_case(p, a, item, c);
        else if ((err = read_case(p, item, c, d)) != 0)
            return err;
    }
    return 0;
}

static int read_all(struct sweep_plan *p, struct diag *d)
{
    int err = 0;
    if (strcmp(p->schema, SCHEMA) != 0)
        return json_error(p->json, cJSON_GetObjectItemCaseSensitive(json_root(p->json), "schema"), d,
                          "expected \"" SCHEMA "\", found \"%s\"", p->schema);
    err = read_set(p, p->set_json, &p->set.items, &p->set.count, d);
    p->cells = 1;
    for (size_t i = 0; !err && i < p->axes.count; i++) {
        err = read_axis(p, &p->axes.items[i], d);
        if (!err && p->axes.items[i].kinds.count > SWEEP_PIECES_MAX / p->cells / p->seeds)
            return json_error(p->json, p->axes.items[i].at, d, "expected at most %d runs in all", SWEEP_PIECES_MAX);
        if (!err)
            p->cells *= p->axes.items[i].kinds.count;
    }
    p->pieces = p->cells * p->seeds;
    return err;
}

int sweep_plan_parse(const char *file, const char *text, size_t len, struct sweep_plan **out, struct diag *d)
{
    struct plan_file *f = calloc(1, sizeof *f);
    if (!f)
        return E_NOMEM;
    struct sweep_plan *p = &f->plan;
    int err = json_parse(file, text, len, &p->json, d);
    if (!err)
        err = fields_read(p->json, json_root(p->json), plan_fields, &p->arena, f, d);
    if (!err) {
        p->first_seed = f->seeds.first;
        p->seeds = f->seeds.count;
        p->file = arena_copy(&p->arena, file, strlen(file));
        p->topology_file = file_below(&p->arena, file_directory(&p->arena, file), p->topology);
        err = read_all(p, d);
    }
    if (err) {
        sweep_plan_free(p);
        return err;
    }
    *out = p;
    return 0;
}

int sweep_plan_read(const char *file, struct sweep_plan **out, struct diag *d)
{
    struct arena arena = {0};
    char *text;
    size_t len;
    int err = file_read(&arena, file, &text, &len, d);
    if (!err)
        err = sweep_plan_parse(file, text, len, out, d);
    arena_free(&arena);
    return err;
}

void sweep_plan_free(struct sweep_plan *p)
{
    if (!p)
        return;
    json_free(p->json);
    arena_free(&p->arena);
    free(p); /* the struct plan_file that it is the first member of */
}

void sweep_plan_cell(const struct sweep_plan *p, size_t cell, struct sweep_cell *out)
{
    *out = (struct sweep_cell){.engine = DEFAULT_ENGINE};
    for (size_t i = p->axes.count; i-- > 0;) {
        const struct sweep_axis *a = &p->axes.items[i];
        out->on[i] = &a->kinds.items[cell % a->kinds.count];
        if (out->on[i]->engine)
            out->engine = out->on[i]->engine;
        cell /= a->kinds.count;
    }
}

int sweep_plan_topology(const struct sweep_plan *p, size_t cell, struct topology **out, struct diag *d)
{
    struct sweep_cell on;
    sweep_plan_cell(p, cell, &on);
    size_t count = p->set.count;
    for (size_t i = 0; i < p->axes.count; i++)
        count += on.on[i]->set.count;
    const char **set = malloc((count + 1) * sizeof *set);
    if (!set)
        return E_NOMEM;
    size_t n = 0;
    for (size_t i = 0; i < p->set.count; i++)
        set[n++] = p->set.items[i];
    for (size_t i = 0; i < p->axes.count; i++)
        for (size_t k = 0; k < on.on[i]->set.count; k++)
            set[n++] = on.on[i]->set.items[k];
    const struct topo_options options = {.set = set, .set_count = n};
    int err = topology_read(p->topology_file, &options, out, d);
    free(set);
    return err;
}
