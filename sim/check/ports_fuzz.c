/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A port table's text in: taken or refused with a place, never a crash. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check/ports.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    assert(text);
    memcpy(text, data, size);
    text[size] = '\0';
    struct port_table *t;
    struct diag d = {""};
    if (port_table_parse("fuzz.json", text, size, &t, &d) == 0) {
        for (size_t i = 0; i < t->rows.count; i++)
            assert(t->rows.items[i].from_ports.count > 0);
        port_table_free(t);
    } else {
        assert(strncmp(d.text, "fuzz.json:", 10) == 0);
    }
    free(text);
    return 0;
}
