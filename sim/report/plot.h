/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plot by gnuplot, from a file of blocks: SVG for the page, PNG for elsewhere. */
#ifndef TP_REPORT_PLOT_H
#define TP_REPORT_PLOT_H

#include <stdbool.h>
#include <stdio.h>

#include "models/base/diag.h"

struct plot {
    const char *script; /* "series", "cdf": reports/plots/NAME.gp */
    const char *name;   /* of its files */
    const char *title, *xlabel, *ylabel;
    bool xlog;
    double knee;        /* negative: none */
    unsigned blocks;
};

enum { PLOT_PATH = 4096 };

/* The file that the blocks are written to; NULL: it cannot be made. */
FILE *plot_data(const char *directory, const struct plot *p, struct diag *d);
/* Closes the data and draws. svg: the path of the picture. E_NOT_FOUND: no gnuplot, or not its script; E_IO. */
int plot_draw(const char *directory, const struct plot *p, FILE *data, char svg[PLOT_PATH], struct diag *d);

#endif
