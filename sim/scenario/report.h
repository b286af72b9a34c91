/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a person sees after a run: the verdict first, what to change if it failed, phases, ladder, files. */
#ifndef TP_SCENARIO_REPORT_H
#define TP_SCENARIO_REPORT_H

#include "sim/scenario/blame.h"
#include "sim/scenario/compare.h"
#include "sim/scenario/sink.h"

enum { REPORT_RUNS = 2 };

struct report {
    const struct topology *topology;
    const struct record *record[REPORT_RUNS];
    const struct blame *blame[REPORT_RUNS];
    size_t count;
    const struct comparison *comparison; /* of two */
    const char *directory;               /* where the files are; NULL: none were asked for */
    bool colour;
};

void report_write(struct sink *s, const struct report *r);

#endif
