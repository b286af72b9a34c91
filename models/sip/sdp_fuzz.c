/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is read, written and read again is written the same. */
#include <assert.h>
#include <string.h>

#include "models/sip/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sdp s, again;
    static char once[65536], twice[65536];
    if (sdp_parse((const char *)data, size, &s))
        return 0;
    struct text t = text_of(once, sizeof once), u = text_of(twice, sizeof twice);
    sdp_write(&s, &t);
    int err = sdp_parse(once, t.len, &again);
    assert(!t.cut && err == 0);
    sdp_write(&again, &u);
    assert(strcmp(once, twice) == 0);
    return 0;
}
