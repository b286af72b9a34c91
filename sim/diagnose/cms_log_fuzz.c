/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "sim/diagnose/cms_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte says in how large pieces the rest comes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cms_log *log = calloc(1, sizeof *log);
    size_t piece = size ? data[0] + 1u : 1;
    int err = 0;
    for (size_t at = 1; log && at < size && !err; at += piece)
        err = cms_log_feed(log, data + at, size - at < piece ? size - at : piece);
    if (log)
        cms_log_end(log);
    free(log);
    return 0;
}
