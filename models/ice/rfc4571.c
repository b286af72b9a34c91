/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/ice/rfc4571.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"

void rfc4571_free(struct rfc4571 *f)
{
    free(f->buf);
    *f = (struct rfc4571){0};
}

static void room_for(struct rfc4571 *f, size_t len)
{
    if (len <= f->cap)
        return;
    size_t cap = f->cap ? f->cap : 256;
    while (cap < len)
        cap *= 2;
    f->buf = realloc(f->buf, cap);
    assert(f->buf);
    f->cap = cap;
}

/* Moves bytes from the input until `want` are held. */
static bool collect(struct rfc4571 *f, size_t want, const uint8_t **p, size_t *len)
{
    size_t n = want - f->have < *len ? want - f->have : *len;
    if (n) {
        room_for(f, want);
        memcpy(f->buf + f->have, *p, n);
        f->have += n;
        *p += n;
        *len -= n;
    }
    return f->have == want;
}

bool rfc4571_take(struct rfc4571 *f, const uint8_t **p, size_t *len, const uint8_t **frame, size_t *frame_len)
{
    if (f->have < RFC4571_HEADER && !collect(f, RFC4571_HEADER, p, len))
        return false;
    size_t content = load16(f->buf);
    if (!collect(f, RFC4571_HEADER + content, p, len))
        return false;
    f->have = 0;
    *frame = f->buf + RFC4571_HEADER;
    *frame_len = content;
    return true;
}
