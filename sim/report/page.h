/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pieces of a report's page: text that is safe in HTML, pictures taken in whole. */
#ifndef TP_REPORT_PAGE_H
#define TP_REPORT_PAGE_H

#include <stdio.h>

#include "models/base/diag.h"

void page_begin(FILE *page, const char *title);
void page_end(FILE *page);
void page_text(FILE *page, const char *text); /* escaped */
/* The SVG of that file in the page, without its XML declaration. E_IO: it cannot be read. */
int page_svg(FILE *page, const char *path, struct diag *d);

#endif
