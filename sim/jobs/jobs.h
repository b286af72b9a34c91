/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many pieces of work that know nothing of each other, on all cores: workers are processes, each is handed the next
 * piece when it is done with one, and what they find comes back in the order of the pieces, however many there are.
 * What a worker does to memory is gone with it. */
#ifndef TP_SIM_JOBS_H
#define TP_SIM_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "models/base/err.h"

enum { JOBS_WORKERS_MAX = 256 };

struct jobs {
    unsigned workers; /* 0: as many as there are cores; 1: in this process */
    size_t count;     /* of pieces */
    /* Does a piece, in a worker, and writes what it found. */
    void (*work)(void *ctx, size_t piece, FILE *out);
    /* Here, for piece 0, 1, ...; bytes as written, and a NUL, valid during the call. False: no more is wanted. */
    bool (*result)(void *ctx, size_t piece, const char *bytes, size_t len);
    void (*progress)(void *ctx, size_t done); /* pieces done, in any order; NULL: not */
    void *ctx;
};

/* 0: every result was told, or no more were wanted. E_IO: no pipe or process could be had, or a worker died: piece says
 * at which. E_NOMEM. */
int jobs_run(const struct jobs *j, size_t *piece);

#endif
