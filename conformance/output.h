/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verdicts as bytes: for people, for test harnesses, for programs. */
#ifndef TP_CONFORMANCE_OUTPUT_H
#define TP_CONFORMANCE_OUTPUT_H

#include "conformance/conformance.h"
#include "sim/scenario/sink.h"

struct conform_report {
    const char *subject; /* "the relay, in memory", "127.0.0.1:3478" */
    const struct verdict *verdict;
    size_t count;
    bool strict, dry_run;
};

/* No row that decides has failed. */
bool conform_holds(const struct conform_report *r);

typedef void conform_writer(struct sink *s, const struct conform_report *r, bool colour);
/* The verdict first, then each failure with what was seen and the exchange; 80 columns, but for names. */
conform_writer conform_write_text;

/* The catalogue, each row with its check or the reason why it has none, and the counts. */
void conform_write_list(struct sink *s, const struct requirement *const *row, size_t count);

#endif
