/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A diagnosis as bytes. */
#ifndef TP_DIAGNOSE_OUTPUT_H
#define TP_DIAGNOSE_OUTPUT_H

#include "models/base/arena.h"
#include "sim/diagnose/diagnose.h"
#include "sim/scenario/ladder_draw.h"
#include "sim/scenario/sink.h"

/* The verdict first, then each cause with why, what to do and the frames that show it, then the ladder. */
void diagnose_write_text(struct sink *s, const struct diagnose_report *r, bool colour);
/* One document, schema "turnproof/diagnosis/1". */
void diagnose_write_json(struct sink *s, const struct diagnose_report *r);

/* One page that needs nothing else: verdict, causes, the ladder as SVG, each message with its fields. */
void diagnose_write_html(struct sink *s, const struct diagnose_report *r);

/* The verdict in a line. */
void diagnose_headline(const struct diagnosis *d, struct text *t);
/* At most max rows of the story; *more: how many there would be. Lists live in the arena; labels in the story. */
struct ladder diagnose_ladder(const struct diagnose_report *r, size_t max, uint64_t *more, struct arena *arena);
/* "cause", "nothing-wrong", "not-enough": as the document has it. */
const char *diagnose_verdict_word(enum diagnosis_verdict v);

#endif
