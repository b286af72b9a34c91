/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Seeds one after the other, on all cores, until an invariant does not hold. */
#ifndef TP_EXPLORE_SEARCH_H
#define TP_EXPLORE_SEARCH_H

#include "sim/explore/explore.h"

struct search {
    struct explorer *explorer;
    uint64_t first, last; /* seeds, both included */
    unsigned workers;     /* 0: as many as there are cores */
    void (*progress)(uint64_t done, uint64_t all); /* NULL: not */
};

/* The same for any number of workers. */
struct search_result {
    uint64_t runs, calls_up, packet_hops; /* of the seeds before the one that failed */
    bool failed;
    uint64_t seed; /* that failed, the first one of all */
    struct violation violation;
};

/* 0, or E_IO: no process could be had. */
int search(const struct search *q, struct search_result *out);

/* One run in a process of its own, so that a program that ends is an invariant that does not hold ("crash"). E_IO. */
int search_one(struct explorer *e, const struct scenario *s, struct finding *out);

#endif
