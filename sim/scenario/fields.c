/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/fields.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "models/base/addr.h"
#include "models/base/err.h"

struct reading {
    const struct json *j;
    struct arena *arena;
    struct diag *d;
};

/* What of the C side each type is; min and max of a row are its own if they are given. */
static const struct type_info {
    size_t size;
    uint64_t max;
    const char *expected; /* NULL: the message needs more than the type */
} types[] = {
    [FIELD_BOOL] = {sizeof(bool), 1, "true or false"},
    [FIELD_U16] = {sizeof(uint16_t), UINT16_MAX, NULL},
    [FIELD_U32] = {sizeof(uint32_t), UINT32_MAX, NULL},
    [FIELD_U64] = {sizeof(uint64_t), UINT64_MAX, NULL},
    [FIELD_STRING] = {sizeof(const char *), 0, NULL},
    [FIELD_ENUM] = {sizeof(int), 0, NULL},
    [FIELD_IP] = {sizeof(struct ip_addr), 0, "an IP address"},
    [FIELD_ENDPOINT] = {sizeof(struct endpoint), 0, "an address and port, as \"10.0.0.1:5061\""},
    [FIELD_PREFIX] = {sizeof(struct ip_prefix), 0, "an address with prefix length, as \"10.0.0.1/24\""},
    [FIELD_MAC] = {6, 0, "a MAC address, as \"00:50:56:98:98:98\""},
    [FIELD_OBJECT] = {0, 0, "an object"},
    [FIELD_LIST] = {sizeof(struct field_list), 0, "a list"},
    [FIELD_JSON] = {sizeof(const cJSON *), 0, NULL},
    [FIELD_SELF] = {sizeof(const cJSON *), 0, NULL},
};

static int expected(const struct reading *r, const cJSON *item, const char *what)
{
    char found[64];
    return json_error(r->j, item, r->d, "expected %s, found %s", what, json_found(r->j, item, found));
}

/* ---- one value ---- */

static void put_integer(void *out, size_t size, uint64_t v)
{
    switch (size) {
    case sizeof(bool): *(bool *)out = v != 0; break;
    case sizeof(uint16_t): *(uint16_t *)out = (uint16_t)v; break;
    case sizeof(uint32_t): *(uint32_t *)out = (uint32_t)v; break;
    default: *(uint64_t *)out = v; break;
    }
}

/* The largest value of an integer key, in the key's unit. */
static uint64_t integer_max(const struct field *f)
{
    uint64_t fits = types[f->type].max / (f->scale ? f->scale : 1);
    return f->max && f->max < fits ? f->max : fits;
}

static int read_integer(const struct reading *r, const cJSON *item, const struct field *f, void *out)
{
    uint64_t v, max = integer_max(f);
    if (!json_u64(r->j, item, &v) || v < f->min || v > max) {
        char what[80];
        snprintf(what, sizeof what, "a whole number from %" PRIu64 " to %" PRIu64, f->min, max);
        return expected(r, item, what);
    }
    put_integer(out, types[f->type].size, v * (f->scale ? f->scale : 1));
    return 0;
}

static int read_string(const struct reading *r, const cJSON *item, const struct field *f, void *out)
{
    size_t len = cJSON_IsString(item) ? strlen(item->valuestring) : 0;
    if (!cJSON_IsString(item) || len < f->min || (f->max && len > f->max)) {
        char what[80] = "a string";
        if (f->max)
            snprintf(what, sizeof what, "a string of %" PRIu64 " to %" PRIu64 " bytes", f->min, f->max);
        else if (f->min)
            snprintf(what, sizeof what, "a string that is not empty");
        return expected(r, item, what);
    }
    *(const char **)out = arena_copy(r->arena, item->valuestring, len);
    return 0;
}

static int read_enum(const struct reading *r, const cJSON *item, const struct field *f, void *out)
{
    char what[400];
    struct text t = text_of(what, sizeof what);
    for (const struct field_name *n = f->names; n->name; n++) {
        if (cJSON_IsString(item) && strcmp(item->valuestring, n->name) == 0) {
            *(int *)out = n->value;
            return 0;
        }
        text_add(&t, "%s\"%s\"", n == f->names ? "" : n[1].name ? ", " : " or ", n->name);
    }
    return expected(r, item, what);
}

static int mac_parse(const char *s, uint8_t out[6])
{
    char digits[13];
    if (strlen(s) != 17)
        return E_MALFORMED;
    for (size_t i = 0; i < 6; i++) {
        memcpy(digits + 2 * i, s + 3 * i, 2);
        if (i < 5 && s[3 * i + 2] != ':')
            return E_MALFORMED;
    }
    digits[12] = '\0';
    return hex_parse(digits, out, 6) == 6 ? 0 : E_MALFORMED;
}

static int parse_text(enum field_type type, const char *s, void *out)
{
    switch (type) {
    case FIELD_IP: return ip_parse(s, out);
    case FIELD_ENDPOINT: return endpoint_parse(s, out);
    case FIELD_PREFIX: return prefix_parse(s, out);
    default: return mac_parse(s, out);
    }
}

static int read_list(const struct reading *r, const cJSON *item, const struct field *f, void *out);

static int read_value(const struct reading *r, const cJSON *item, const struct field *f, void *out)
{
    switch (f->type) {
    case FIELD_BOOL:
        if (!cJSON_IsBool(item))
            break;
        *(bool *)out = cJSON_IsTrue(item);
        return 0;
    case FIELD_U16:
    case FIELD_U32:
    case FIELD_U64:
        return read_integer(r, item, f, out);
    case FIELD_STRING:
        return read_string(r, item, f, out);
    case FIELD_ENUM:
        return read_enum(r, item, f, out);
    case FIELD_IP:
    case FIELD_ENDPOINT:
    case FIELD_PREFIX:
    case FIELD_MAC:
        if (!cJSON_IsString(item) || parse_text(f->type, item->valuestring, out) != 0)
            break;
        return 0;
    case FIELD_OBJECT:
        return fields_read(r->j, item, f->fields, r->arena, out, r->d);
    case FIELD_LIST:
        return read_list(r, item, f, out);
    case FIELD_JSON:
        *(const cJSON **)out = item;
        return 0;
    case FIELD_SELF:
    case FIELD_NONE:
        break;
    }
    return expected(r, item, types[f->type].expected);
}

static int read_list(const struct reading *r, const cJSON *item, const struct field *f, void *out)
{
    if (!cJSON_IsArray(item))
        return expected(r, item, types[FIELD_LIST].expected);
    assert(f->of != FIELD_LIST);
    struct field element = *f;
    element.type = f->of;
    if (f->of != FIELD_OBJECT)
        element.size = types[f->of].size;
    size_t n = (size_t)cJSON_GetArraySize(item);
    if (n < f->min || (f->max && n > f->max))
        return json_error(r->j, item, r->d, "expected %" PRIu64 " to %" PRIu64 " elements, found %zu", f->min,
                          f->max ? f->max : UINT64_C(65535), n);
    element.min = element.max = 0;
    struct field_list list = {.items = n ? arena_alloc(r->arena, n * element.size) : NULL, .count = n};
    uint8_t *at = list.items;
    for (const cJSON *c = item->child; c; c = c->next, at += element.size) {
        int err = read_value(r, c, &element, at);
        if (err)
            return err;
    }
    memcpy(out, &list, sizeof list); /* there it is a LIST_OF something */
    return 0;
}

/* ---- objects ---- */

static void put_default(const struct reading *r, const struct field *f, void *out)
{
    switch (f->type) {
    case FIELD_BOOL:
    case FIELD_U16:
    case FIELD_U32:
    case FIELD_U64:
        put_integer(out, types[f->type].size, f->dflt * (f->scale ? f->scale : 1));
        break;
    case FIELD_ENUM:
        *(int *)out = (int)f->dflt;
        break;
    case FIELD_STRING:
        *(const char **)out = f->text;
        break;
    case FIELD_OBJECT:
        for (const struct field *m = f->fields; m->key; m++)
            put_default(r, m, (uint8_t *)out + m->offset);
        break;
    default:
        memset(out, 0, types[f->type].size);
        if (f->text) {
            int err = parse_text(f->type, f->text, out);
            assert(!err);
        }
    }
}

static const struct field *find_field(const struct field *fields, const char *key)
{
    while (fields->key && (fields->type == FIELD_SELF || strcmp(fields->key, key) != 0))
        fields++;
    return fields->key ? fields : NULL;
}

static int unknown_key(const struct reading *r, const cJSON *member, const struct field *fields)
{
    char known[600];
    struct text t = text_of(known, sizeof known);
    for (const struct field *f = fields; f->key; f++)
        if (f->type != FIELD_SELF)
            text_add(&t, "%s%s", t.len ? ", " : "", f->key);
    return json_error_key(r->j, member, r->d, "unknown key; expected one of: %s", known);
}

int fields_update(const struct json *j, const cJSON *object, const struct field *fields, struct arena *arena, void *out,
                  struct diag *d)
{
    const struct reading r = {.j = j, .arena = arena, .d = d};
    if (!cJSON_IsObject(object))
        return expected(&r, object, types[FIELD_OBJECT].expected);
    for (const cJSON *c = object->child; c; c = c->next) {
        const struct field *f = find_field(fields, c->string);
        if (!f)
            return unknown_key(&r, c, fields);
        if (cJSON_GetObjectItemCaseSensitive(object, c->string) != c)
            return json_error_key(j, c, d, "expected each key once, found it again");
        int err = read_value(&r, c, f, (uint8_t *)out + f->offset);
        if (err)
            return err;
    }
    return 0;
}

int fields_read(const struct json *j, const cJSON *object, const struct field *fields, struct arena *arena, void *out,
                struct diag *d)
{
    const struct reading r = {.j = j, .arena = arena, .d = d};
    if (!cJSON_IsObject(object))
        return expected(&r, object, types[FIELD_OBJECT].expected);
    for (const struct field *f = fields; f->key; f++) {
        put_default(&r, f, (uint8_t *)out + f->offset);
        if (f->type == FIELD_SELF)
            *(const cJSON **)((uint8_t *)out + f->offset) = object;
    }
    int err = fields_update(j, object, fields, arena, out, d);
    if (err)
        return err;
    for (const struct field *f = fields; f->key; f++)
        if (f->required && !cJSON_GetObjectItemCaseSensitive(object, f->key))
            return json_error(j, object, d, "expected the key \"%s\", found none", f->key);
    return 0;
}
