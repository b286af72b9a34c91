/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a folder holds for a report. */
#ifndef TP_REPORT_INPUT_H
#define TP_REPORT_INPUT_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "models/base/arena.h"
#include "models/base/diag.h"

enum input_kind { INPUT_RUN, INPUT_CHECK, INPUT_MATRIX, INPUT_SWEEP, INPUT_KINDS };

struct input {
    enum input_kind kind;
    const char *path, *folder;
    cJSON *json;
};

struct inputs {
    struct input *items;
    size_t count;
    struct arena arena;
};

/* In the order of their names. 0; E_MALFORMED (a file with a schema of ours that is no JSON), E_IO. */
int inputs_find(const char *directory, struct inputs *out, struct diag *d);
void inputs_free(struct inputs *in);

/* A string or number by a dotted path; "" or 0 when it is not there. */
const char *input_text(const cJSON *json, const char *path);
double input_number(const cJSON *json, const char *path);

#endif
