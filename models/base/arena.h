/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that is released all at once: everything read from one topology lives in one arena. */
#ifndef TP_BASE_ARENA_H
#define TP_BASE_ARENA_H

#include <stddef.h>

struct arena {
    struct arena_block *blocks; /* newest first */
};

/* Zeroed memory for any type; a machine out of memory ends the program. */
void *arena_alloc(struct arena *a, size_t size);
char *arena_copy(struct arena *a, const char *s, size_t len); /* NUL-terminated */
char *arena_format(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void arena_free(struct arena *a);

#endif
