/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/parts.h"

#include <assert.h>
#include <stdlib.h>

#include "models/base/err.h"
#include "models/base/time.h"

struct parts {
    size_t count;
    struct part part[PARTS_MAX];
};

static void parts_input(void *self, const struct io_in *in)
{
    struct parts *p = self;
    unsigned owner = io_owner(in->id);
    for (size_t i = 0; i < p->count; i++)
        if (in->id == IO_NONE || owner == part_owner(i))
            p->part[i].ops->input(p->part[i].self, in);
}

static uint64_t parts_deadline(const void *self)
{
    const struct parts *p = self;
    uint64_t at = TIME_NEVER;
    for (size_t i = 0; i < p->count; i++)
        at = time_min(at, p->part[i].ops->deadline(p->part[i].self));
    return at;
}

static void free_parts(const struct part *part, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (part[i].self)
            part[i].ops->free(part[i].self);
}

static void parts_free(void *self)
{
    struct parts *p = self;
    free_parts(p->part, p->count);
    free(p);
}

int parts_make(struct io *io, const struct part *parts, size_t count, struct core *out)
{
    static const struct core_ops ops = {parts_input, parts_deadline, parts_free};
    assert(count <= PARTS_MAX);
    struct parts *p = malloc(sizeof *p);
    bool whole = p != NULL;
    for (size_t i = 0; i < count; i++)
        whole = whole && parts[i].self;
    if (!whole) {
        free_parts(parts, count);
        free(p);
        return E_NOMEM;
    }
    p->count = count;
    for (size_t i = 0; i < count; i++)
        p->part[i] = parts[i];
    *out = (struct core){&ops, p, io};
    return 0;
}
