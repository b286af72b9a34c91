/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One page of all that a folder holds: runs (`run --out`), answers of `check --format json`, matrices, sweeps. It reads
 * files alone, so that what is shown is what was kept. */
#ifndef TP_REPORT_REPORT_H
#define TP_REPORT_REPORT_H

#include "models/base/diag.h"

struct report_made {
    unsigned runs, checks, matrices, sweeps, plots;
};

/* Files are told by their "schema"; DIR/x.json and DIR/y/x.json are looked at. Plots go to DIR/plots, as SVG and PNG;
 * the page has the SVG in it. E_NOT_FOUND: nothing that can be shown, or gnuplot or its scripts are not there;
 * E_MALFORMED, E_IO: d says which file. */
int report_make(const char *directory, const char *page, struct report_made *out, struct diag *d);

#endif
