/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What two engines made of one topology: the same messages, and how long each phase took. */
#ifndef TP_SCENARIO_COMPARE_H
#define TP_SCENARIO_COMPARE_H

#include "sim/scenario/record.h"

struct comparison {
    bool same_messages; /* between each two nodes the same messages in the same order */
    bool same_order;    /* and all of them in the same order */
    char difference[300]; /* the first one, for a person; "" */
};

void compare_messages(const struct record *a, const struct record *b, struct comparison *out);
/* How much longer b took than a, in thousandths of a; 0 when neither took any time. */
int64_t compare_times(uint64_t a_ns, uint64_t b_ns);

#endif
