/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/explore/plan.h"

#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "sim/scenario/files.h"

enum { PPM = 1000000, MINUTE_US = 60000000, DAY_MS = 86400000 };

#define RANGE(key, of_struct, member) \
    {FIELD(key, LIST, of_struct, member), .of = FIELD_U32, .required = true, .min = 2, .max = 2}
#define PERCENT(key, of_struct, member) \
    {FIELD(key, U32, of_struct, member), .max = 100}
#define END \
    { \
        .key = NULL \
    }

static const struct field links_fields[] = {
    PERCENT("percent", struct plan_links, percent),
    PERCENT("burst_percent", struct plan_links, burst_percent),
    RANGE("loss_ppm", struct plan_links, loss_ppm),
    RANGE("jitter_us", struct plan_links, jitter_us),
    RANGE("delay_us", struct plan_links, delay_us),
    RANGE("reorder_ppm", struct plan_links, reorder_ppm),
    RANGE("reorder_us", struct plan_links, reorder_us),
    RANGE("duplicate_ppm", struct plan_links, duplicate_ppm),
    END,
};

static const struct field faults_fields[] = {
    RANGE("count", struct plan_faults, count),
    RANGE("for_ms", struct plan_faults, for_ms),
    RANGE("ahead_ms", struct plan_faults, ahead_ms),
    {FIELD("kinds", LIST, struct plan_faults, kinds), .of = FIELD_ENUM, .names = fault_kinds, .required = true,
     .min = 1, .max = 64},
    PERCENT("edge_percent", struct plan_faults, edge_percent),
    {FIELD("edges_ms", LIST, struct plan_faults, edges_ms), .of = FIELD_U32, .max = 64},
    END,
};

static const struct field load_fields[] = {
    RANGE("bytes_per_s", struct plan_load, bytes_per_s),
    RANGE("burst_bytes", struct plan_load, burst_bytes),
    RANGE("duration_s", struct plan_load, duration_s),
    RANGE("buffer_kb", struct plan_load, buffer_kb),
    PERCENT("edge_percent", struct plan_load, edge_percent),
    {FIELD("edges_s", LIST, struct plan_load, edges_s), .of = FIELD_U32, .max = 64},
    END,
};

static const struct field plan_fields[] = {
    {FIELD("schema", STRING, struct plan, schema), .required = true},
    {FIELD("title", STRING, struct plan, title), .text = ""},
    {FIELD("links", OBJECT, struct plan, links), .fields = links_fields, .required = true},
    {FIELD("faults", OBJECT, struct plan, faults), .fields = faults_fields, .required = true},
    {FIELD("load", OBJECT, struct plan, load), .fields = load_fields, .required = true},
    END,
};

/* A wide-area network on a bad day, and up to three faults in a call whose screen is small: what matters of a share is
 * when its bytes come, not how many. */
static const char built_in[] =
    "{\"schema\": \"turnproof/plan/1\",\n"
    " \"links\": {\"percent\": 25, \"burst_percent\": 25, \"loss_ppm\": [0, 30000], \"jitter_us\": [0, 20000],\n"
    "  \"delay_us\": [0, 40000], \"reorder_ppm\": [0, 20000], \"reorder_us\": [500, 30000],\n"
    "  \"duplicate_ppm\": [0, 20000]},\n"
    " \"faults\": {\"count\": [0, 3], \"for_ms\": [1, 15000], \"ahead_ms\": [1, 7200000],\n"
    "  \"kinds\": [\"outage\", \"outage\", \"restart\", \"half-open\", \"slow-reader\", \"exhaust-ports\", \"clock\",\n"
    "   \"flush\", \"rebind\"],\n"
    "  \"edge_percent\": 25, \"edges_ms\": [1000, 3000, 7000, 8000, 15000, 20000, 30000, 32000, 60000]},\n"
    " \"load\": {\"bytes_per_s\": [1000, 12000], \"burst_bytes\": [0, 16000], \"duration_s\": [1, 3],\n"
    "  \"buffer_kb\": [4, 128], \"edge_percent\": 3, \"edges_s\": [30, 60, 300]}}\n";

/* Nothing of a range may be less. */
enum { BUFFER_LEAST_KB = 4 };

static int check_range(const struct plan *p, const char *object, const char *key, const plan_range *r, uint32_t most,
                       struct diag *d)
{
    const cJSON *at = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(json_root(p->json), object), key);
    if (r->items[0] > r->items[1])
        return json_error(p->json, at, d, "expected the least before the most, found %u and %u", r->items[0],
                          r->items[1]);
    if (r->items[1] > most)
        return json_error(p->json, at, d, "expected at most %u, found %u", most, r->items[1]);
    return 0;
}

static int check(const struct plan *p, struct diag *d)
{
    const struct {
        const char *object, *key;
        const plan_range *range;
        uint32_t most;
    } rows[] = {
        {"links", "loss_ppm", &p->links.loss_ppm, PPM},
        {"links", "jitter_us", &p->links.jitter_us, MINUTE_US},
        {"links", "delay_us", &p->links.delay_us, MINUTE_US / 2},
        {"links", "reorder_ppm", &p->links.reorder_ppm, PPM},
        {"links", "reorder_us", &p->links.reorder_us, MINUTE_US},
        {"links", "duplicate_ppm", &p->links.duplicate_ppm, PPM},
        {"faults", "count", &p->faults.count, PLAN_FAULTS_MAX},
        {"faults", "for_ms", &p->faults.for_ms, DAY_MS},
        {"faults", "ahead_ms", &p->faults.ahead_ms, DAY_MS},
        {"load", "bytes_per_s", &p->load.bytes_per_s, 125000000},
        {"load", "burst_bytes", &p->load.burst_bytes, 100000000},
        {"load", "duration_s", &p->load.duration_s, 3600},
        {"load", "buffer_kb", &p->load.buffer_kb, 65536},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int err = check_range(p, rows[i].object, rows[i].key, rows[i].range, rows[i].most, d);
        if (err)
            return err;
    }
    if (p->load.buffer_kb.items[0] < BUFFER_LEAST_KB)
        return json_error(p->json, json_root(p->json), d, "expected load.buffer_kb from %d on, found %u",
                          BUFFER_LEAST_KB, p->load.buffer_kb.items[0]);
    if (strcmp(p->schema, "turnproof/plan/1") == 0)
        return 0;
    return json_error(p->json, cJSON_GetObjectItemCaseSensitive(json_root(p->json), "schema"), d,
                      "expected \"turnproof/plan/1\", found \"%.40s\"", p->schema);
}

int plan_parse(const char *name, const char *text, size_t len, struct plan **out, struct diag *d)
{
    struct plan *p = calloc(1, sizeof *p);
    if (!p)
        return E_NOMEM;
    int err = json_parse(name, text, len, &p->json, d);
    if (!err)
        err = fields_read(p->json, json_root(p->json), plan_fields, &p->arena, p, d);
    if (!err)
        err = check(p, d);
    if (err)
        plan_free(p);
    else
        *out = p;
    return err;
}

int plan_read(const char *path, struct plan **out, struct diag *d)
{
    if (!path)
        return plan_parse("(built in)", built_in, sizeof built_in - 1, out, d);
    struct arena a = {0};
    char *text = NULL;
    size_t len = 0;
    int err = file_read(&a, path, &text, &len, d);
    if (!err)
        err = plan_parse(path, text, len, out, d);
    arena_free(&a);
    return err;
}

void plan_free(struct plan *p)
{
    if (!p)
        return;
    json_free(p->json);
    arena_free(&p->arena);
    free(p);
}
