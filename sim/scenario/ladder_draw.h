/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A ladder of messages from anywhere, as text or as SVG. */
#ifndef TP_SCENARIO_LADDER_DRAW_H
#define TP_SCENARIO_LADDER_DRAW_H

#include "sim/scenario/sink.h"

/* Lanes by their index. */
struct ladder_row {
    uint64_t t_ns;
    size_t from, to;
    const char *name, *note; /* of the message; what stands behind it */
    size_t times;            /* in a row */
    unsigned phase;          /* rows of another number begin a phase, */
    const char *phase_name;  /* of that name; "": the end. NULL: there are no phases */
};

struct ladder {
    const char **lane; /* left to right; at most LADDER_LANES */
    size_t lane_count;
    struct ladder_row *row;
    size_t row_count;
};

enum { LADDER_LANES = 64 };

/* In 80 columns, where names and labels allow it; at most max rows (0: all). */
void ladder_draw(struct sink *s, const struct ladder *l, size_t max);
/* Black on white; note: a line below the title. */
void ladder_draw_svg(struct sink *s, const struct ladder *l, const char *title, const char *note);

#endif
