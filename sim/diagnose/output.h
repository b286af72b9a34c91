/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A diagnosis as bytes. */
#ifndef TP_DIAGNOSE_OUTPUT_H
#define TP_DIAGNOSE_OUTPUT_H

#include "sim/diagnose/diagnose.h"
#include "sim/scenario/sink.h"

/* The verdict first, then each cause with why, what to do and the frames that show it, then the ladder. */
void diagnose_write_text(struct sink *s, const struct diagnose_report *r, bool colour);
/* One document, schema "turnproof/diagnosis/1". */
void diagnose_write_json(struct sink *s, const struct diagnose_report *r);

/* "cause", "nothing-wrong", "not-enough": as the document has it. */
const char *diagnose_verdict_word(enum diagnosis_verdict v);

#endif
