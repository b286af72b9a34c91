/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/base/json.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/arena.h"

/* A text that values come from: the file, or the argument of an override. */
struct source {
    const char *name, *text;
    size_t len;
};

struct place {
    uint32_t source;
    uint32_t line;     /* that the value begins on */
    size_t key, value; /* offsets; key is value's for what is no member of an object */
};

/* cJSON calls `valueint` deprecated and nothing here needs it: it holds the index of the item's place. */
struct json {
    cJSON *root;
    struct source *source;
    size_t source_count;
    struct place *place;
    size_t place_count, place_cap;
    struct arena arena;
};

/* ---- places ---- */

static int place_add(struct json *j, uint32_t source, size_t key, size_t value, uint32_t line)
{
    if (j->place_count == j->place_cap) {
        j->place_cap = j->place_cap ? 2 * j->place_cap : 256;
        j->place = realloc(j->place, j->place_cap * sizeof *j->place);
        assert(j->place && j->place_cap < INT32_MAX);
    }
    j->place[j->place_count] = (struct place){.source = source, .line = line, .key = key, .value = value};
    return (int)j->place_count++;
}

struct scan {
    struct json *j;
    uint32_t source;
    const char *text;
    size_t at, len;
    size_t counted; /* the line ends before it are in `line` */
    uint32_t line;
};

static uint32_t scan_line(struct scan *s)
{
    for (; s->counted < s->at; s->counted++)
        s->line += s->text[s->counted] == '\n';
    return s->line;
}

/* White space is what cJSON skips: everything up to the space. */
static size_t scan_space(struct scan *s)
{
    while (s->at < s->len && (unsigned char)s->text[s->at] <= ' ')
        s->at++;
    return s->at;
}

static void scan_string(struct scan *s)
{
    for (s->at++; s->at < s->len && s->text[s->at] != '"'; s->at++)
        if (s->text[s->at] == '\\')
            s->at++;
    s->at++;
}

/* Walks text and tree together. The text is known to be what cJSON takes for JSON, so only its shape matters here. */
static bool scan_value(struct scan *s, cJSON *item, size_t key, unsigned depth)
{
    size_t at = scan_space(s);
    item->valueint = place_add(s->j, s->source, key == SIZE_MAX ? at : key, at, scan_line(s));
    if (depth > JSON_DEPTH)
        return false;
    if (cJSON_IsString(item)) {
        scan_string(s);
        return true;
    }
    if (!cJSON_IsArray(item) && !cJSON_IsObject(item)) {
        while (s->at < s->len && !strchr(",]} \t\r\n", s->text[s->at]))
            s->at++;
        return true;
    }
    s->at++; /* the bracket */
    for (cJSON *c = item->child; c; c = c->next) {
        size_t name = SIZE_MAX;
        if (cJSON_IsObject(item)) {
            name = scan_space(s);
            scan_string(s);
            scan_space(s);
            s->at++; /* the colon */
        }
        if (!scan_value(s, c, name, depth + 1))
            return false;
        scan_space(s);
        s->at++; /* comma, or the closing bracket */
    }
    if (!item->child) {
        scan_space(s);
        s->at++;
    }
    return true;
}

static void line_column(const struct source *s, size_t at, unsigned *line, unsigned *column)
{
    *line = *column = 1;
    for (size_t i = 0; i < at && i < s->len; i++) {
        bool newline = s->text[i] == '\n';
        *line += newline;
        *column = newline ? 1 : *column + 1;
    }
}

/* The dotted path that json_override takes; false when the item is not below `below`. */
static bool path_to(const cJSON *below, const cJSON *item, struct text *t)
{
    if (below == item)
        return true;
    unsigned index = 0;
    for (const cJSON *c = below->child; c; c = c->next, index++) {
        struct text mark = *t;
        const cJSON *name = cJSON_IsObject(c) ? cJSON_GetObjectItemCaseSensitive(c, "name") : NULL;
        const char *dot = t->len ? "." : "";
        if (c->string)
            text_add(t, "%s%s", dot, c->string);
        else if (cJSON_IsString(name) && name->valuestring[0])
            text_add(t, "%s%s", dot, name->valuestring);
        else
            text_add(t, "%s%u", dot, index);
        if (path_to(c, item, t))
            return true;
        *t = mark;
        t->buf[t->len] = '\0';
    }
    return false;
}

/* ---- messages ---- */

static int source_error(const struct source *s, size_t at, struct diag *d, const char *message)
{
    unsigned line, column;
    line_column(s, at, &line, &column);
    snprintf(d->text, sizeof d->text, "%s:%u:%u: %s", s->name, line, column, message);
    return E_MALFORMED;
}

static int item_error(const struct json *j, const cJSON *item, size_t at, struct diag *d, const char *fmt, va_list ap)
{
    char buf[sizeof d->text];
    struct text t = text_of(buf, sizeof buf);
    if (path_to(j->root, item, &t) && t.len)
        text_add(&t, ": ");
    text_vadd(&t, fmt, ap);
    return source_error(&j->source[j->place[item->valueint].source], at, d, buf);
}

int json_error(const struct json *j, const cJSON *item, struct diag *d, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int err = item_error(j, item, j->place[item->valueint].value, d, fmt, ap);
    va_end(ap);
    return err;
}

int json_error_key(const struct json *j, const cJSON *item, struct diag *d, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int err = item_error(j, item, j->place[item->valueint].key, d, fmt, ap);
    va_end(ap);
    return err;
}

unsigned json_line(const struct json *j, const cJSON *item)
{
    return j->place[item->valueint].line;
}

static const char *value_text(const struct json *j, const cJSON *item)
{
    const struct place *p = &j->place[item->valueint];
    return j->source[p->source].text + p->value;
}

const char *json_found(const struct json *j, const cJSON *item, char out[64])
{
    if (cJSON_IsObject(item) || cJSON_IsArray(item)) {
        snprintf(out, 64, "%s", cJSON_IsObject(item) ? "an object" : "a list");
        return out;
    }
    const char *s = cJSON_IsString(item) ? item->valuestring : value_text(j, item);
    size_t n = cJSON_IsString(item) ? strlen(s) : strcspn(s, ",]} \t\r\n");
    bool cut = n > 40;
    const char *quote = cJSON_IsString(item) ? "\"" : "";
    snprintf(out, 64, "%s%.*s%s%s", quote, (int)(cut ? 40 : n), s, cut ? "..." : "", quote);
    for (char *p = out; *p; p++)
        if ((unsigned char)*p < ' ')
            *p = '?';
    return out;
}

bool json_u64(const struct json *j, const cJSON *item, uint64_t *out)
{
    if (!cJSON_IsNumber(item))
        return false;
    const char *s = value_text(j, item);
    size_t n = strspn(s, "0123456789");
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, (uint64_t)(s[i] - '0'), &v))
            return false;
    *out = v;
    return n > 0 && (n == 1 || s[0] != '0') && !strchr(".eE+-", s[n] ? s[n] : ' ');
}

/* ---- parsing ---- */

static uint32_t source_add(struct json *j, const char *name, const char *text, size_t len)
{
    j->source = realloc(j->source, (j->source_count + 1) * sizeof *j->source);
    assert(j->source);
    j->source[j->source_count] = (struct source){
        .name = arena_copy(&j->arena, name, strlen(name)), .text = arena_copy(&j->arena, text, len), .len = len};
    return (uint32_t)j->source_count++;
}

/* The value in a source from an offset to its end. NULL: d says what is wrong. */
static cJSON *source_value(struct json *j, uint32_t source, size_t from, struct diag *d)
{
    const struct source *s = &j->source[source];
    const char *end = NULL;
    if (memchr(s->text, '\0', s->len)) {
        source_error(s, strlen(s->text), d, "expected JSON text, found a zero byte");
        return NULL;
    }
    cJSON *v = cJSON_ParseWithOpts(s->text + from, &end, true);
    if (!v) {
        size_t at = end ? (size_t)(end - s->text) : from;
        at = at > s->len ? s->len : at;
        char found[64] = "the end of the text";
        if (at < s->len)
            snprintf(found, sizeof found, (unsigned char)s->text[at] < ' ' ? "byte %#04x" : "`%c`",
                     (unsigned char)s->text[at]);
        char message[128];
        snprintf(message, sizeof message, "expected JSON (a value, or `,` or a closing bracket behind one), found %s",
                 found);
        source_error(s, at, d, message);
        return NULL;
    }
    bool bom = strncmp(s->text + from, "\xEF\xBB\xBF", 3) == 0; /* cJSON skips one */
    struct scan scan = {.j = j, .source = source, .text = s->text, .at = from + (bom ? 3 : 0), .len = s->len,
                        .line = 1};
    if (scan_value(&scan, v, SIZE_MAX, 1))
        return v;
    source_error(s, scan.at, d, "expected at most 64 levels of brackets, found more");
    cJSON_Delete(v);
    return NULL;
}

int json_parse(const char *name, const char *text, size_t len, struct json **out, struct diag *d)
{
    struct json *j = calloc(1, sizeof *j);
    if (!j)
        return E_NOMEM;
    j->root = source_value(j, source_add(j, name, text, len), 0, d);
    if (!j->root) {
        json_free(j);
        return E_MALFORMED;
    }
    *out = j;
    return 0;
}

void json_free(struct json *j)
{
    if (!j)
        return;
    cJSON_Delete(j->root);
    free(j->source);
    free(j->place);
    arena_free(&j->arena);
    free(j);
}

cJSON *json_root(const struct json *j)
{
    return j->root;
}

void json_add_string(struct json *j, cJSON *object, const char *key, const char *value)
{
    cJSON *item = cJSON_AddStringToObject(object, key, value);
    assert(item);
    const struct place *p = &j->place[object->valueint];
    item->valueint = place_add(j, p->source, p->value, p->value, p->line);
}

/* ---- overrides ---- */

static cJSON *array_member(const cJSON *array, const char *segment)
{
    for (cJSON *c = array->child; c; c = c->next) {
        const cJSON *name = cJSON_IsObject(c) ? cJSON_GetObjectItemCaseSensitive(c, "name") : NULL;
        if (cJSON_IsString(name) && strcmp(name->valuestring, segment) == 0)
            return c;
    }
    char *end;
    unsigned long index = strtoul(segment, &end, 10);
    if (segment[0] < '0' || segment[0] > '9' || *end || index > INT32_MAX)
        return NULL;
    return cJSON_GetArrayItem(array, (int)index);
}

/* The member of at that segment names, NULL when there is none; an object that is to be gone through is made. */
static cJSON *override_step(struct json *j, uint32_t source, cJSON *at, const char *segment, bool last)
{
    if (cJSON_IsArray(at))
        return array_member(at, segment);
    cJSON *c = cJSON_IsObject(at) ? cJSON_GetObjectItemCaseSensitive(at, segment) : NULL;
    if (!c && cJSON_IsObject(at) && !last) {
        c = cJSON_AddObjectToObject(at, segment);
        assert(c);
        c->valueint = place_add(j, source, 0, 0, 1);
    }
    return c;
}

/* null takes a member away, as in RFC 7386. */
static void override_put(cJSON *parent, cJSON *old, const char *segment, cJSON *value)
{
    cJSON_bool ok = true;
    if (cJSON_IsNull(value)) {
        cJSON_Delete(value);
        if (old)
            cJSON_Delete(cJSON_DetachItemViaPointer(parent, old));
    } else if (old && cJSON_IsObject(parent))
        ok = cJSON_ReplaceItemInObjectCaseSensitive(parent, segment, value);
    else if (old)
        ok = cJSON_ReplaceItemViaPointer(parent, old, value);
    else
        ok = cJSON_AddItemToObject(parent, segment, value);
    assert(ok);
}

int json_override(struct json *j, const char *assignment, struct diag *d)
{
    uint32_t source = source_add(j, "--set", assignment, strlen(assignment));
    const struct source *s = &j->source[source];
    const char *equals = strchr(assignment, '=');
    if (!equals || equals == assignment)
        return source_error(s, 0, d, "expected PATH=JSON");
    cJSON *value = source_value(j, source, (size_t)(equals + 1 - assignment), d);
    if (!value)
        return E_MALFORMED;

    char *path = arena_copy(&j->arena, assignment, (size_t)(equals - assignment)), *save = NULL;
    cJSON *at = j->root;
    for (char *segment = strtok_r(path, ".", &save), *next; segment; segment = next) {
        next = strtok_r(NULL, ".", &save);
        cJSON *c = override_step(j, source, at, segment, !next);
        if (!c && (next || !cJSON_IsObject(at))) {
            char message[256];
            snprintf(message, sizeof message, "expected the name or index of a member, found \"%.100s\"", segment);
            cJSON_Delete(value);
            source_error(s, (size_t)(segment - path), d, message);
            return E_NOT_FOUND;
        }
        if (!next) {
            override_put(at, c, segment, value);
            return 0;
        }
        at = c;
    }
    cJSON_Delete(value);
    return source_error(s, 0, d, "expected PATH=JSON");
}
