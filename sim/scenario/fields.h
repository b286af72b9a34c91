/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON objects into structs by tables: a row says what a key is, where its value goes and what it may be. An unknown or
 * repeated key, a missing one, a wrong type or a value out of range is a message with file, line, column and key path.
 *
 *     static const struct field fields[] = {
 *         {FIELD("port", U16, struct relay, port), .min = 1, .dflt = 3478},
 *         {FIELD("lifetime_s", U64, struct relay, lifetime_ns), .scale = NS_S, .dflt = 600, .max = 3600},
 *         {FIELD("realm", STRING, struct relay, realm), .text = "TANDBERG"},
 *         {FIELD("address", IP, struct relay, address), .required = true},
 *         {FIELD("peers", LIST, struct relay, peers), .of = FIELD_PREFIX},
 *         {.key = NULL},
 *     };
 */
#ifndef TP_SCENARIO_FIELDS_H
#define TP_SCENARIO_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/base/arena.h"
#include "models/base/json.h"

enum field_type {
    FIELD_NONE,
    FIELD_BOOL,     /* bool */
    FIELD_U16,      /* uint16_t */
    FIELD_U32,      /* uint32_t */
    FIELD_U64,      /* uint64_t */
    FIELD_STRING,   /* const char * */
    FIELD_ENUM,     /* an enum (int): a word of `names` */
    FIELD_IP,       /* struct ip_addr */
    FIELD_ENDPOINT, /* struct endpoint: "10.0.0.1:5061", "[2001:db8::1]:5061" */
    FIELD_PREFIX,   /* struct ip_prefix: "10.0.0.1/24" */
    FIELD_MAC,      /* uint8_t[6]: "00:50:56:98:98:98" */
    FIELD_OBJECT,   /* a struct of `size` bytes, in place, by `fields`; absent: all its defaults */
    FIELD_LIST,     /* LIST_OF(type), its elements `of` one of the types above */
    FIELD_JSON,     /* const cJSON *: looked at later by who knows more; NULL when absent */
    FIELD_SELF,     /* const cJSON *: no key of its own, but the object being read, for messages about it */
};

struct field_name {
    const char *name; /* NULL ends the table */
    int value;
};

/* A list as a struct member: its elements are the C types above. */
#define LIST_OF(element) \
    struct { \
        element *items; \
        size_t count; \
    }
struct field_list {
    void *items;
    size_t count;
};

struct field {
    const char *key; /* NULL ends the table */
    enum field_type type;
    size_t offset;
    bool required;
    uint64_t min, max;  /* integers, in the key's unit, and the lengths of strings and lists; max 0: the type's */
    uint64_t scale;     /* integers: what one unit of the key is in the struct; 0: 1 */
    uint64_t dflt;      /* BOOL, integers (in the key's unit), ENUM */
    const char *text;   /* STRING, IP, ENDPOINT, PREFIX: the default */
    const struct field_name *names;
    const struct field *fields; /* OBJECT, LIST of OBJECT */
    size_t size;
    enum field_type of;
};

/* The first members of a row. */
#define FIELD(name, kind, of_struct, member) .key = (name), .type = FIELD_##kind, .offset = offsetof(of_struct, member)

/* Reads object into out, a struct as the table says; strings and lists live in arena. Every field is set: to its value
 * or to its default. E_MALFORMED, and d says why. */
int fields_read(const struct json *j, const cJSON *object, const struct field *fields, struct arena *arena, void *out,
                struct diag *d);
/* The same, but what object leaves out stays as it is in out, and nothing is required. */
int fields_update(const struct json *j, const cJSON *object, const struct field *fields, struct arena *arena, void *out,
                  struct diag *d);

#endif
