/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Topology text in: taken or refused with a place, never a crash; and if an override follows (behind a zero byte), the
 * same. Files that a topology names are not there. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sim/scenario/topology.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *zero = size ? memchr(data, '\0', size) : NULL;
    size_t len = zero ? (size_t)(zero - data) : size;
    char *text = malloc(len + 1), *set = calloc(1, size - len + 1);
    assert(text && set);
    memcpy(text, data, len);
    text[len] = '\0';
    if (zero)
        memcpy(set, zero + 1, size - len - 1);
    const char *const sets[] = {set};
    const struct topo_options options = {.set = sets, .set_count = zero ? 1 : 0};
    struct topology *t;
    struct diag d = {""};
    if (topology_parse("t", text, len, "/nowhere", &options, &t, &d) == 0)
        topology_free(t);
    else
        assert(d.text[0]);
    free(text);
    free(set);
    return 0;
}
