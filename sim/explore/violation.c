/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/explore/violation.h"

#include <stdarg.h>
#include <stdio.h>

void violation_set(struct violation *v, uint64_t t_ns, const char *invariant, const char *fmt, ...)
{
    if (violated(v))
        return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(v->what, sizeof v->what, fmt, ap);
    va_end(ap);
    snprintf(v->invariant, sizeof v->invariant, "%s", invariant);
    v->t_ns = t_ns;
}
