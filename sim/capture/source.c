/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/capture/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "models/base/err.h"

enum { BUFFER = 256 * 1024 }; /* stays in the processor's cache */

int source_open(struct source *s, const char *path)
{
    *s = (struct source){.fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)};
    if (s->fd < 0)
        return E_IO;
    struct stat st;
    if (fstat(s->fd, &st) == 0 && S_ISREG(st.st_mode))
        s->size = (uint64_t)st.st_size;
    s->cap = BUFFER;
    s->buf = malloc(s->cap);
    if (s->buf)
        return 0;
    source_close(s);
    return E_NOMEM;
}

void source_close(struct source *s)
{
    free(s->buf);
    s->buf = NULL;
    if (s->fd > STDIN_FILENO)
        close(s->fd);
}

static bool make_room(struct source *s, size_t n)
{
    memmove(s->buf, s->buf + s->at, s->end - s->at);
    s->end -= s->at;
    s->at = 0;
    if (n <= s->cap)
        return true;
    uint8_t *buf = realloc(s->buf, n);
    if (!buf) {
        s->error = ENOMEM;
        return false;
    }
    s->buf = buf;
    s->cap = n;
    return true;
}

const uint8_t *source_peek(struct source *s, size_t n)
{
    if (s->end - s->at < n && !make_room(s, n))
        return NULL;
    while (s->end - s->at < n) {
        ssize_t got = read(s->fd, s->buf + s->end, s->cap - s->end);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            s->error = errno;
        if (got <= 0)
            return NULL;
        s->end += (size_t)got;
    }
    return s->buf + s->at;
}

size_t source_left(const struct source *s)
{
    return s->end - s->at;
}

void source_skip(struct source *s, size_t n)
{
    s->at += n;
    s->offset += n;
}
