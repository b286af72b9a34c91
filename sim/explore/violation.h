/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An invariant that did not hold: the first one of a run is what counts. */
#ifndef TP_EXPLORE_VIOLATION_H
#define TP_EXPLORE_VIOLATION_H

#include <stdbool.h>
#include <stdint.h>

enum { VIOLATION_NAME = 40, VIOLATION_TEXT = 400 };

struct violation {
    char invariant[VIOLATION_NAME]; /* "": none */
    char what[VIOLATION_TEXT];
    uint64_t t_ns;
};

static inline bool violated(const struct violation *v)
{
    return v->invariant[0] != '\0';
}

/* Unless one is there already. */
void violation_set(struct violation *v, uint64_t t_ns, const char *invariant, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
