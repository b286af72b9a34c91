/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is wrong with an input: one line for a person, "file:line:column: what was expected, what was found". */
#ifndef TP_BASE_DIAG_H
#define TP_BASE_DIAG_H

struct diag {
    char text[1024];
};

#endif
