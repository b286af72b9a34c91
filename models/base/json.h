/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A JSON document whose values know where they stand, so that whoever rejects one can say file, line, column and key
 * path. Parsing is cJSON's; a scan of the same text in step with the tree finds the places. Numbers are read from the
 * text, not through cJSON's double: a seed has 64 bits. */
#ifndef TP_BASE_JSON_H
#define TP_BASE_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/base/bytes.h"
#include "models/base/diag.h"

enum { JSON_DEPTH = 64 };

struct json;

/* A whole document; name stands for the file in messages; text and name are copied. E_MALFORMED, and d says why. */
int json_parse(const char *name, const char *text, size_t len, struct json **out, struct diag *d);
void json_free(struct json *j);
cJSON *json_root(const struct json *j);

/* PATH=JSON: puts the value where the dotted path leads. A member of an array is addressed by its "name" or its
 * index; objects on the way that are not there are made; null takes the member away. E_MALFORMED, E_NOT_FOUND: no such
 * array member. */
int json_override(struct json *j, const char *assignment, struct diag *d);
/* A member that the file leaves out, standing where its object stands. */
void json_add_string(struct json *j, cJSON *object, const char *key, const char *value);

/* "FILE:LINE:COLUMN: PATH: " and the message. At the value, or at the key of the member. Returns E_MALFORMED. */
int json_error(const struct json *j, const cJSON *item, struct diag *d, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
int json_error_key(const struct json *j, const cJSON *item, struct diag *d, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* What a value is, for "found ...": `12`, `"abc"`, `an object`. */
const char *json_found(const struct json *j, const cJSON *item, char out[64]);

/* The line that a value begins on. */
unsigned json_line(const struct json *j, const cJSON *item);

/* The number as an integer from its digits: false when it is none, is negative or has more than 64 bits. */
bool json_u64(const struct json *j, const cJSON *item, uint64_t *out);

#endif
