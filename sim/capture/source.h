/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file or a pipe, read through one buffer that lends stretches of it. */
#ifndef TP_CAPTURE_SOURCE_H
#define TP_CAPTURE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct source {
    int fd;
    uint8_t *buf;
    size_t cap, at, end; /* lent from at on; there until end */
    uint64_t offset;     /* of buf[at] in the file */
    uint64_t size;       /* of a regular file; 0: not known */
    int error;           /* errno of a failed read */
};

/* "-" is standard input. E_IO: errno tells; E_NOMEM. */
int source_open(struct source *s, const char *path);
void source_close(struct source *s);
/* The next n bytes, borrowed until the next call; NULL: the file has fewer, or cannot be read (error). */
const uint8_t *source_peek(struct source *s, size_t n);
/* How many bytes are left, when peek gave NULL. */
size_t source_left(const struct source *s);
/* Goes on behind n bytes that were lent. */
void source_skip(struct source *s, size_t n);

#endif
