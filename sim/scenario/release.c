/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/release.h"

#include <stddef.h>
#include <string.h>

#include "models/base/err.h"

int release_parse(const char *s, const char *prefix, struct release *out)
{
    struct release r = {{0, 0, 0}};
    size_t count = 0;
    if (strncmp(s, prefix, strlen(prefix)) != 0)
        return E_MALFORMED;
    s += strlen(prefix);
    do {
        unsigned v = 0, digits = 0;
        for (; *s >= '0' && *s <= '9' && digits < 4; s++, digits++)
            v = v * 10 + (unsigned)(*s - '0');
        if (digits == 0)
            return E_MALFORMED;
        r.number[count++] = (uint16_t)v;
    } while (count < 3 && *s == '.' && *s++);
    if (*s || count < 2)
        return E_MALFORMED;
    *out = r;
    return 0;
}

int release_compare(const struct release *a, const struct release *b)
{
    for (size_t i = 0; i < 3; i++)
        if (a->number[i] != b->number[i])
            return a->number[i] < b->number[i] ? -1 : 1;
    return 0;
}
