/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON into a sink: commas and line feeds are put where they belong. Containers of the first `deep` levels have their
 * members on lines of their own. */
#ifndef TP_CHECK_JSON_OUT_H
#define TP_CHECK_JSON_OUT_H

#include "sim/scenario/sink.h"

enum { JSON_OUT_DEPTH = 16 };

struct json_out {
    struct sink *s;
    unsigned depth, deep;
    bool any[JSON_OUT_DEPTH];  /* the container at this depth has a member */
    char end[JSON_OUT_DEPTH];
};

struct json_out json_out_to(struct sink *s, unsigned deep);
/* kind '{' or '['; key NULL: an element of a list, or the document. */
void json_out_open(struct json_out *j, const char *key, char kind);
void json_out_close(struct json_out *j); /* of the document: a line feed too */
void json_out_string(struct json_out *j, const char *key, const char *value); /* NULL: null */
void json_out_number(struct json_out *j, const char *key, uint64_t value);
void json_out_bool(struct json_out *j, const char *key, bool value);

#endif
