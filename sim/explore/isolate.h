/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Work in a process of its own: what it does to memory, and its end, are no one else's. */
#ifndef TP_EXPLORE_ISOLATE_H
#define TP_EXPLORE_ISOLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* What work wrote, NUL-terminated, the caller's to free; NULL: the process could not be had (*signal 0) or was ended by
 * *signal. */
char *isolated(void (*work)(void *ctx, FILE *out), void *ctx, int *signal);

#endif
