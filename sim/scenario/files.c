/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "models/base/err.h"

static int file_error(struct diag *d, const char *path, const char *found, int err)
{
    snprintf(d->text, sizeof d->text, "%s:1:1: expected a readable file of at most %d MiB, found: %s", path,
             FILE_MAX >> 20, found);
    return err;
}

int file_read(struct arena *a, const char *path, char **text, size_t *len, struct diag *d)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return file_error(d, path, strerror(errno), errno == ENOENT ? E_NOT_FOUND : E_IO);
    size_t cap = 64 * 1024, n = 0;
    char *buf = arena_alloc(a, cap + 1);
    for (;;) {
        n += fread(buf + n, 1, cap - n, f);
        if (n < cap || n >= FILE_MAX)
            break;
        char *more = arena_alloc(a, 2 * cap + 1);
        memcpy(more, buf, n);
        buf = more;
        cap *= 2;
    }
    int err = ferror(f) ? errno : 0;
    fclose(f);
    if (err)
        return file_error(d, path, strerror(err), E_IO);
    if (n >= FILE_MAX)
        return file_error(d, path, "more", E_RANGE);
    buf[n] = '\0';
    *text = buf;
    *len = n;
    return 0;
}

const char *file_directory(struct arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return ".";
    return slash == path ? "/" : arena_copy(a, path, (size_t)(slash - path));
}

const char *file_below(struct arena *a, const char *directory, const char *path)
{
    if (path[0] == '/' || strcmp(directory, ".") == 0)
        return path;
    return arena_format(a, "%s/%s", directory, path);
}
