/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Releases as people write them, Expressway's "X8.11" or "X12.5.3", Meeting Server's "2.9.2": what port tables depend
 * on. */
#ifndef TP_SCENARIO_RELEASE_H
#define TP_SCENARIO_RELEASE_H

#include <stdint.h>

struct release {
    uint16_t number[3]; /* X12.5 is 12, 5, 0 */
};

/* Two or three numbers with points between, behind the prefix ("X", ""). E_MALFORMED: anything else. */
int release_parse(const char *s, const char *prefix, struct release *out);
/* Below, equal or above 0: a is older than, equal to or newer than b. X8.9 is older than X8.10. */
int release_compare(const struct release *a, const struct release *b);

#endif
