/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The figures that a sweep gives: which metric against which axis, what it is called, in which unit; a row each. */
#ifndef TP_REPORT_FIGURES_H
#define TP_REPORT_FIGURES_H

#include "sim/report/input.h"
#include "sim/report/plot.h"

/* Each figure with a caption that says what was run. 0, or what plot_draw returns. */
int figures_draw(FILE *page, const char *directory, const struct input *sweep, unsigned index, unsigned *plots,
                 struct diag *d);

#endif
