/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The whole of `turnproof check`: tables found and bound, questions asked, findings, repairs, and the simulation. */
#ifndef TP_CHECK_VERIFY_H
#define TP_CHECK_VERIFY_H

#include "sim/check/check.h"

struct verify_options {
    const char *const *tables; /* ids or files; count 0: the topology's */
    size_t table_count;
    bool has_size, has_release, simulate, no_advice;
    enum appliance_size size;
    struct release release;
};

struct verify {
    struct port_table **table;
    size_t table_count;
    struct bound *bound;
    struct check_report *report; /* its strings live as long as this and the topology */
};

/* The topology is borrowed; its rules are the same afterwards. E_NOT_FOUND, E_MALFORMED: of a table, d says why. */
int verify_run(struct verify *v, struct topology *t, const struct verify_options *o, struct diag *d);
void verify_free(struct verify *v);

#endif
