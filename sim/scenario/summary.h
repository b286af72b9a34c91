/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A run, or the comparison of two, as JSON (schema turnproof/summary/1, turnproof/comparison/1). */
#ifndef TP_SCENARIO_SUMMARY_H
#define TP_SCENARIO_SUMMARY_H

#include "sim/scenario/blame.h"
#include "sim/scenario/compare.h"
#include "sim/scenario/sink.h"

void summary_write(struct sink *s, const struct topology *t, const struct record *r, const struct blame *b);
void summary_write_comparison(struct sink *s, const struct topology *t, const struct record *const r[2],
                              const struct blame *const b[2], const struct comparison *c);

#endif
