/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/report/input.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "sim/scenario/files.h"

static const char *const schemas[INPUT_KINDS] = {
    [INPUT_RUN] = "turnproof/summary/", [INPUT_CHECK] = "turnproof/check/", [INPUT_MATRIX] = "turnproof/matrix/",
    [INPUT_SWEEP] = "turnproof/sweep-result/"};

static void add(struct inputs *in, const char *path, cJSON *json)
{
    const char *schema = input_text(json, "schema");
    for (int kind = 0; kind < INPUT_KINDS; kind++) {
        if (strncmp(schema, schemas[kind], strlen(schemas[kind])) != 0)
            continue;
        in->items[in->count++] = (struct input){.kind = (enum input_kind)kind, .json = json,
                                                .path = arena_copy(&in->arena, path, strlen(path)),
                                                .folder = file_directory(&in->arena, path)};
        return;
    }
    cJSON_Delete(json); /* somebody else's */
}

static int read_one(struct inputs *in, const char *path, struct diag *d)
{
    char *text;
    size_t len;
    int err = file_read(&in->arena, path, &text, &len, d);
    if (err)
        return err;
    cJSON *json = cJSON_ParseWithLength(text, len);
    if (!json && strstr(text, "\"turnproof/")) {
        snprintf(d->text, sizeof d->text, "%s: expected a JSON document, found something else", path);
        return E_MALFORMED;
    }
    if (json)
        add(in, path, json);
    return 0;
}

int inputs_find(const char *directory, struct inputs *out, struct diag *d)
{
    static const char *const below[] = {"", "/*"};
    glob_t found = {0};
    char pattern[4096];
    *out = (struct inputs){0};
    for (size_t i = 0; i < sizeof below / sizeof *below; i++) {
        int n = snprintf(pattern, sizeof pattern, "%s%s/*.json", directory, below[i]);
        if (n < (int)sizeof pattern)
            glob(pattern, i ? GLOB_APPEND : 0, NULL, &found);
    }
    out->items = calloc(found.gl_pathc + 1, sizeof *out->items);
    int err = out->items ? 0 : E_NOMEM;
    for (size_t i = 0; !err && i < found.gl_pathc; i++)
        err = read_one(out, found.gl_pathv[i], d);
    globfree(&found);
    if (err)
        inputs_free(out);
    return err;
}

void inputs_free(struct inputs *in)
{
    for (size_t i = 0; i < in->count; i++)
        cJSON_Delete(in->items[i].json);
    free(in->items);
    arena_free(&in->arena);
    *in = (struct inputs){0};
}

static const cJSON *follow(const cJSON *json, const char *path)
{
    char key[128];
    while (json && *path) {
        size_t len = strcspn(path, ".");
        snprintf(key, sizeof key, "%.*s", (int)len, path);
        json = cJSON_GetObjectItemCaseSensitive(json, key);
        path += len + (path[len] == '.');
    }
    return json;
}

const char *input_text(const cJSON *json, const char *path)
{
    const cJSON *v = follow(json, path);
    return cJSON_IsString(v) ? v->valuestring : "";
}

double input_number(const cJSON *json, const char *path)
{
    const cJSON *v = follow(json, path);
    return cJSON_IsNumber(v) ? v->valuedouble : 0;
}
