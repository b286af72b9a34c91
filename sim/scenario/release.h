/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Releases of Expressway as people write them, "X8.11", "X12.5.3": what port tables depend on. */
#ifndef TP_SCENARIO_RELEASE_H
#define TP_SCENARIO_RELEASE_H

#include <stdint.h>

struct release {
    uint16_t number[3]; /* X12.5 is 12, 5, 0 */
};

/* E_MALFORMED: anything but an X and two or three numbers with points between. */
int release_parse(const char *s, struct release *out);
/* Below, equal or above 0: a is older than, equal to or newer than b. X8.9 is older than X8.10. */
int release_compare(const struct release *a, const struct release *b);

#endif
