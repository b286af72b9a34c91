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
    bool watched; /* of a trace: the exchange is what was seen, not what a probe said */
};

/* No row that decides has failed; of a trace, one was judged. */
bool conform_holds(const struct conform_report *r);
bool conform_fails(const struct conform_report *r, const struct verdict *v); /* ... and this has */
const char *outcome_name(enum outcome outcome); /* "implementation-defined" */

typedef void conform_writer(struct sink *s, const struct conform_report *r, bool colour);
/* The verdict first, then each failure with what was seen and the exchange; 80 columns, but for names. */
conform_writer conform_write_text;
/* TAP 14: a SHOULD that is not met is TODO unless it decides. */
conform_writer conform_write_tap;
/* JUnit: a test suite a document. */
conform_writer conform_write_junit;
/* "turnproof/conform/1". */
conform_writer conform_write_json;

/* The catalogue, each row with its check or the reason why it has none, and the counts; as "turnproof/catalogue/1". */
void conform_write_list(struct sink *s, const struct requirement *const *row, size_t count);
void conform_write_list_json(struct sink *s, const struct requirement *const *row, size_t count);

#endif
