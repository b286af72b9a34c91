/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows x outcome: the calls of a topology with each row of its port tables closed in turn, beside the same calls with
 * none closed. What is said of a row follows from the two runs alone. */
#ifndef TP_ROWS_MATRIX_H
#define TP_ROWS_MATRIX_H

#include "sim/rows/rows.h"
#include "sim/scenario/blame.h"
#include "sim/scenario/sink.h"

enum matrix_outcome {
    MATRIX_NOT_CARRIED, /* nothing was in it with no row closed */
    MATRIX_LOCAL,       /* no firewall can close it: its packets do not leave their host */
    MATRIX_BREAKS,      /* a call or a service does not hold any more */
    MATRIX_DEGRADES,    /* a service works, but not as it should */
    MATRIX_STANDS,      /* all works, and `why` says by what */
    MATRIX_NEEDLESS,    /* all works, and nothing else did more than before */
    MATRIX_NEVER,       /* it must carry nothing, and does not */
    MATRIX_LEAKS,       /* it must carry nothing, and did */
    MATRIX_OUTCOMES
};

/* What is worse than with no row closed. */
struct matrix_effect {
    const char *node, *service, *state, *text; /* service "call": the story that is told in phases */
    const char *where; /* the firewall and the line that dropped what it needs; "": not known */
};

struct matrix_row {
    bool asked;
    enum matrix_outcome outcome;
    const char *why;
    LIST_OF(struct matrix_effect) effects;
    bool holds; /* as the row's need says: see matrix_run */
};

struct matrix {
    const struct rows *rows;
    const char *engine;
    uint64_t seed;
    struct record base; /* with no row closed */
    struct blame blame;
    struct matrix_row *row; /* as rows->row */
    struct arena arena;
};

struct matrix_options {
    const struct net_ops *ops;
    uint64_t seed;
    unsigned workers;   /* 0: as many as there are cores */
    const bool *wanted; /* by row; NULL: all */
    void (*progress)(void *ctx, size_t done); /* rows run; NULL: not */
};

/* A row that must be open holds when it was carried and something breaks or degrades, or another row stands in for it;
 * one that something merely degrades without, when nothing breaks; one that must never be, when it carried nothing.
 * rows are borrowed. E_IO, ...: d says what. */
int matrix_run(struct matrix *m, struct rows *rows, const struct matrix_options *options, struct diag *d);
/* Of what was asked: all rows hold, and the calls do with no row closed. */
bool matrix_holds(const struct matrix *m);
void matrix_free(struct matrix *m);

void matrix_text(struct sink *s, const struct matrix *m);
void matrix_json(struct sink *s, const struct matrix *m); /* schema turnproof/matrix/1 */

#endif
