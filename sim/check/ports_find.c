/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where port tables lie. They are files and not part of the program, so that a site can keep its own beside ours, or
 * correct one when a guide changes; they must be found from whatever folder the program is called in. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "sim/check/ports.h"
#include "sim/scenario/files.h"

static int read_file(struct arena *a, const char *file, struct port_table **out, struct diag *d)
{
    char *text;
    size_t len;
    int err = file_read(a, file, &text, &len, d);
    return err ? err : port_table_parse(file, text, len, out, d);
}

/* The folder that the program lies in; NULL: not known. */
static const char *program_directory(struct arena *a)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0)
        return NULL;
    path[n] = '\0';
    return arena_copy(a, file_directory(a, path), strlen(file_directory(a, path)));
}

enum { FOLDERS_MAX = 3 };

static size_t list_folders(struct arena *a, const char *folder[FOLDERS_MAX])
{
    size_t n = 0;
    const char *data = getenv("TURNPROOF_DATA"), *program = program_directory(a);
    if (data) {
        folder[n++] = arena_format(a, "%s/ports", data);
        return n;
    }
    if (program) {
        folder[n++] = arena_format(a, "%s/../topologies/ports", program);
        folder[n++] = arena_format(a, "%s/../share/turnproof/topologies/ports", program);
    }
    folder[n++] = "topologies/ports";
    return n;
}

int port_table_find(const char *id, struct port_table **out, struct diag *d)
{
    struct arena a = {0};
    const char *folder[FOLDERS_MAX] = {NULL};
    bool is_file = strpbrk(id, "/.");
    size_t count = is_file ? 0 : list_folders(&a, folder);
    int err = is_file ? read_file(&a, id, out, d) : E_NOT_FOUND;
    for (size_t i = 0; err == E_NOT_FOUND && i < count; i++)
        err = read_file(&a, arena_format(&a, "%s/%s.json", folder[i], id), out, d);
    if (err == E_NOT_FOUND && !is_file) {
        struct text t = text_of(d->text, sizeof d->text);
        text_add(&t, "%.60s:1:1: expected the id of a port table, as web-proxy, or a file; found none in", id);
        for (size_t i = 0; i < count; i++)
            text_add(&t, "%s %s", i ? "," : "", folder[i]);
    }
    arena_free(&a);
    return err;
}
