/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A system made of parts: a SIP proxy, a TURN server, a web server on one host, each a core that knows nothing of the
 * others. Part n (from 0) owns what it opens with the owner number n + 1, and gets the events of that; events of no
 * connection (IO_START, IO_TICK) go to all, in order. Parts that have to speak with each other are given to each other
 * by whoever makes the system; what one does in a call from another is done when the event is over, as all operations
 * are. */
#ifndef TP_ACTORS_PARTS_H
#define TP_ACTORS_PARTS_H

#include "models/base/io.h"

enum { PARTS_MAX = 16 };

struct part {
    const struct core_ops *ops;
    void *self; /* NULL: it could not be made */
};

static inline unsigned part_owner(size_t index)
{
    return (unsigned)index + 1;
}

/* Takes the parts, at most PARTS_MAX. E_NOMEM: one of them, or the whole, could not be made; all are freed. */
int parts_make(struct io *io, const struct part *parts, size_t count, struct core *out);

#endif
