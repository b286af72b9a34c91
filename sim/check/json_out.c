/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/check/json_out.h"

struct json_out json_out_to(struct sink *s, unsigned deep)
{
    return (struct json_out){.s = s, .deep = deep};
}

static void line(struct json_out *j)
{
    sink_text(j->s, "\n");
    for (unsigned i = 0; i < j->depth; i++)
        sink_text(j->s, "  ");
}

/* What stands before a value. */
static void member(struct json_out *j, const char *key)
{
    if (j->depth && j->any[j->depth])
        sink_text(j->s, ",");
    if (j->depth && j->depth <= j->deep)
        line(j);
    else if (j->depth && j->any[j->depth])
        sink_text(j->s, " ");
    j->any[j->depth] = true;
    if (key) {
        sink_string(j->s, key);
        sink_text(j->s, ": ");
    }
}

void json_out_open(struct json_out *j, const char *key, char kind)
{
    member(j, key);
    sink_bytes(j->s, &kind, 1);
    assert(j->depth + 1 < JSON_OUT_DEPTH);
    j->depth++;
    j->any[j->depth] = false;
    j->end[j->depth] = kind == '{' ? '}' : ']';
}

void json_out_close(struct json_out *j)
{
    bool any = j->any[j->depth];
    char end = j->end[j->depth--];
    if (any && j->depth < j->deep)
        line(j);
    sink_bytes(j->s, &end, 1);
    if (j->depth == 0)
        sink_text(j->s, "\n");
}

void json_out_string(struct json_out *j, const char *key, const char *value)
{
    member(j, key);
    if (value)
        sink_string(j->s, value);
    else
        sink_text(j->s, "null");
}

void json_out_number(struct json_out *j, const char *key, uint64_t value)
{
    member(j, key);
    sink_u64(j->s, value);
}

void json_out_bool(struct json_out *j, const char *key, bool value)
{
    member(j, key);
    sink_text(j->s, value ? "true" : "false");
}
