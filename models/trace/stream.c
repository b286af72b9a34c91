/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/trace/stream.h"

#include <stdlib.h>
#include <string.h>

enum { SLAB_BLOCKS = 128 };

struct stream_block {
    struct stream_block *next;
    uint32_t seq, len;
    bool missing; /* known to be cut off by the capture: no data */
    uint8_t data[STREAM_BLOCK - 24];
};

struct stream_slab {
    struct stream_slab *next;
    struct stream_block block[SLAB_BLOCKS];
};

_Static_assert(sizeof(struct stream_block) == STREAM_BLOCK, "a block is as big as it says");

void stream_pool_init(struct stream_pool *p, size_t max)
{
    *p = (struct stream_pool){.max = max / STREAM_BLOCK};
}

void stream_pool_free(struct stream_pool *p)
{
    while (p->slabs) {
        struct stream_slab *s = p->slabs;
        p->slabs = s->next;
        free(s);
    }
}

static void pool_grow(struct stream_pool *p)
{
    struct stream_slab *s = p->made < p->max ? malloc(sizeof *s) : NULL;
    if (!s)
        return;
    s->next = p->slabs;
    p->slabs = s;
    for (size_t i = 0; i < SLAB_BLOCKS && p->made < p->max; i++, p->made++) {
        s->block[i].next = p->free;
        p->free = &s->block[i];
    }
}

static struct stream_block *pool_take(struct stream_pool *p)
{
    if (!p->free)
        pool_grow(p);
    struct stream_block *b = p->free;
    if (!b)
        return NULL;
    p->free = b->next;
    if (++p->used > p->peak)
        p->peak = p->used;
    return b;
}

static void pool_give(struct stream_pool *p, struct stream_block *b)
{
    b->next = p->free;
    p->free = b;
    p->used--;
}

/* a before b, modulo 2^32 (RFC 9293 3.4). */
static bool before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static uint32_t end_of(const struct stream_block *b)
{
    return b->seq + b->len;
}

static void advance(struct stream_piece *c, size_t n)
{
    size_t data = n < c->have ? n : c->have;
    c->seq += (uint32_t)n;
    c->len -= n;
    c->data += data;
    c->have -= data;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static struct stream_block *put_block(struct stream *s, const struct stream_out *out, struct stream_block *prev)
{
    struct stream_block *b = pool_take(out->pool);
    if (!b)
        return NULL;
    struct stream_block **link = prev ? &prev->next : &s->first;
    b->next = *link;
    *link = b;
    if (!b->next)
        s->last = b;
    s->blocks++;
    return b;
}

/* Holds the first n bytes of the piece behind prev, where there is nothing yet. The last block that has of them; NULL:
 * memory is used up, the piece has what was not held. */
static struct stream_block *fill(struct stream *s, const struct stream_out *out, struct stream_block *prev,
                                 struct stream_piece *c, size_t n)
{
    while (n) {
        bool missing = c->have == 0;
        bool grows = prev && end_of(prev) == c->seq && prev->missing == missing &&
                     (missing || prev->len < sizeof prev->data);
        struct stream_block *b = grows ? prev : put_block(s, out, prev);
        if (!b)
            return NULL;
        if (!grows) {
            b->seq = c->seq;
            b->len = 0;
            b->missing = missing;
        }
        size_t m = missing ? n : least(n, least(c->have, sizeof b->data - b->len));
        if (!missing)
            memcpy(b->data + b->len, c->data, m);
        b->len += (uint32_t)m;
        advance(c, m);
        n -= m;
        prev = b;
    }
    return prev;
}

static void compare(const struct stream_out *out, const struct stream_block *b, const struct stream_piece *c, size_t n)
{
    n = least(n, c->have);
    if (!b->missing && n && memcmp(b->data + (c->seq - b->seq), c->data, n) != 0)
        out->tell(out->ctx, SEEN_CONFLICT, c->data, n);
}

/* Holds what is new of the piece. Where memory ends, the piece has what was not held. */
static void hold(struct stream *s, const struct stream_out *out, struct stream_piece *c)
{
    struct stream_block *prev = NULL, *b = s->first;
    if (s->last && !before(c->seq, end_of(s->last))) { /* most often */
        prev = s->last;
        b = NULL;
    }
    while (c->len) {
        while (b && !before(c->seq, end_of(b))) {
            prev = b;
            b = b->next;
        }
        if (!b || before(c->seq, b->seq)) {
            size_t n = b ? least(b->seq - c->seq, c->len) : c->len;
            prev = fill(s, out, prev, c, n);
            if (!prev)
                return;
        } else {
            size_t n = least(end_of(b) - c->seq, c->len);
            compare(out, b, c, n);
            advance(c, n);
        }
    }
}

static void unhold_first(struct stream *s, const struct stream_out *out)
{
    struct stream_block *b = s->first;
    s->first = b->next;
    if (!s->first)
        s->last = NULL;
    s->blocks--;
    pool_give(out->pool, b);
}

static void tell_piece(struct stream *s, const struct stream_out *out, const struct stream_piece *c, size_t n)
{
    size_t data = least(n, c->have);
    s->next += (uint32_t)n;
    if (data)
        out->tell(out->ctx, SEEN_BYTES, c->data, data);
    if (n > data)
        out->tell(out->ctx, SEEN_GAP, NULL, n - data);
}

void stream_tell_to(struct stream *s, const struct stream_out *out, uint32_t seq)
{
    for (;;) {
        struct stream_block *b = s->first;
        if (b && b->seq == s->next) {
            struct stream_piece c = {b->seq, b->data, b->missing ? 0 : b->len, b->len};
            tell_piece(s, out, &c, c.len);
            unhold_first(s, out);
            continue;
        }
        if (!before(s->next, seq))
            return;
        uint32_t to = b && before(b->seq, seq) ? b->seq : seq;
        struct stream_piece hole = {.len = to - s->next};
        tell_piece(s, out, &hole, hole.len);
    }
}

void stream_tell_all(struct stream *s, const struct stream_out *out)
{
    if (s->last)
        stream_tell_to(s, out, end_of(s->last));
}

/* Tells a piece that begins at next, and what is held behind it, without memory. */
static void tell_through(struct stream *s, const struct stream_out *out, struct stream_piece c)
{
    while (c.len) {
        size_t n = s->first ? least(s->first->seq - c.seq, c.len) : c.len;
        tell_piece(s, out, &c, n);
        stream_tell_to(s, out, s->next);
        advance(&c, least(s->next - c.seq, c.len));
    }
}

bool stream_add(struct stream *s, const struct stream_out *out, struct stream_piece c)
{
    if (before(c.seq, s->next)) {
        size_t old = s->next - c.seq;
        if (old >= c.len)
            return false;
        advance(&c, old);
    }
    if (c.seq == s->next && !s->shut && (!s->first || c.len <= s->first->seq - s->next)) {
        tell_through(s, out, c);
        return true;
    }
    hold(s, out, &c);
    if (s->shut)
        return true;
    stream_tell_to(s, out, s->next);
    if (c.len) { /* no memory for the rest */
        stream_tell_to(s, out, c.seq);
        advance(&c, least(s->next - c.seq, c.len));
        tell_through(s, out, c);
    }
    while (s->blocks > out->blocks_max)
        stream_tell_to(s, out, s->first->seq);
    return true;
}

void stream_drop(struct stream *s, struct stream_pool *p)
{
    while (s->first) {
        struct stream_block *b = s->first;
        s->first = b->next;
        pool_give(p, b);
    }
    s->last = NULL;
    s->blocks = 0;
}
