/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The messages of a run as a ladder: a lane for each node that took part, an arrow for each message. */
#ifndef TP_SCENARIO_LADDER_H
#define TP_SCENARIO_LADDER_H

#include "sim/scenario/blame.h"
#include "sim/scenario/sink.h"

/* At most max rows (0: all); a message sent several times in a row is one row. cause: drawn last; may be NULL. */
void ladder_text(struct sink *s, const struct topology *t, const struct record *r, const struct blame *cause,
                 size_t max);
void ladder_svg(struct sink *s, const struct topology *t, const struct record *r, const struct blame *cause);

#endif
