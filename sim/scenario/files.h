/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TP_SCENARIO_FILES_H
#define TP_SCENARIO_FILES_H

#include "models/base/arena.h"
#include "models/base/diag.h"

enum { FILE_MAX = 16 << 20 };

/* A whole file, NUL-terminated. E_NOT_FOUND, E_IO, E_RANGE (more than FILE_MAX): d says which. */
int file_read(struct arena *a, const char *path, char **text, size_t *len, struct diag *d);
/* The folder that a path lies in, "." for a bare name. */
const char *file_directory(struct arena *a, const char *path);
/* An absolute path as it is; another one below directory. */
const char *file_below(struct arena *a, const char *directory, const char *path);

#endif
