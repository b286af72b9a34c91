/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/native/tcp_buffer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { RING_FIRST = 1024, RING_ALIGN = 64, RANGES_FIRST = 8 };

bool ring_reserve(struct ring *r, size_t need)
{
    if (need <= r->cap)
        return true;
    uint32_t cap = r->cap ? r->cap : RING_FIRST;
    while (cap < need)
        cap *= 2;
    uint8_t *p = aligned_alloc(RING_ALIGN, cap);
    if (!p)
        return false;
    ring_get(r, 0, p, r->cap);
    free(r->p);
    *r = (struct ring){.p = p, .cap = cap};
    return true;
}

/* Where offset is, and how many bytes follow it in one piece. */
static uint32_t ring_at(const struct ring *r, size_t offset, size_t *straight)
{
    uint32_t at = (uint32_t)(r->head + offset) & (r->cap - 1);
    *straight = r->cap - at;
    return at;
}

void ring_put(struct ring *r, size_t offset, const void *bytes, size_t len)
{
    assert(offset + len <= r->cap);
    if (!len)
        return;
    size_t straight;
    uint32_t at = ring_at(r, offset, &straight);
    size_t first = len < straight ? len : straight;
    memcpy(r->p + at, bytes, first);
    if (len > first)
        memcpy(r->p, (const uint8_t *)bytes + first, len - first);
}

void ring_get(const struct ring *r, size_t offset, void *bytes, size_t len)
{
    struct tcp_segment view = {0};
    ring_view(r, offset, len, &view);
    if (view.len)
        memcpy(bytes, view.data, view.len);
    if (view.len2)
        memcpy((uint8_t *)bytes + view.len, view.data2, view.len2);
}

void ring_view(const struct ring *r, size_t offset, size_t len, struct tcp_segment *out)
{
    assert(offset + len <= r->cap);
    out->data = out->data2 = NULL;
    out->len = out->len2 = 0;
    if (!len)
        return;
    size_t straight;
    out->data = r->p + ring_at(r, offset, &straight);
    out->len = len < straight ? len : straight;
    if (len > straight) {
        out->data2 = r->p;
        out->len2 = len - straight;
    }
}

void ring_drop(struct ring *r, size_t len)
{
    assert(len <= r->cap);
    if (len)
        r->head = (uint32_t)(r->head + len) & (r->cap - 1);
}

void ring_rewind(struct ring *r)
{
    r->head = 0;
}

void ring_free(struct ring *r)
{
    free(r->p);
    *r = (struct ring){0};
}

static bool ranges_grow(struct ranges *s)
{
    if (s->cap == RANGES_MAX)
        return false;
    uint16_t cap = (uint16_t)(s->cap ? 2 * s->cap : RANGES_FIRST);
    struct tcp_sack *v = realloc(s->v, cap * sizeof *v);
    if (!v)
        return false;
    s->v = v;
    s->cap = cap;
    return true;
}

const struct tcp_sack *ranges_add(struct ranges *s, uint32_t from, uint32_t to)
{
    assert(seq_lt(from, to));
    /* From the top down: what comes in is mostly the newest. [i, j) are the ranges that it touches. */
    unsigned j = s->count;
    while (j && seq_lt(to, s->v[j - 1].from))
        j--;
    unsigned i = j;
    while (i && seq_le(from, s->v[i - 1].to))
        i--;
    if (i == j && s->count == s->cap && !ranges_grow(s))
        return NULL;
    if (i < j) {
        from = seq_min(from, s->v[i].from);
        to = seq_max(to, s->v[j - 1].to);
    }
    memmove(s->v + i + 1, s->v + j, (s->count - j) * sizeof *s->v);
    s->count = (uint16_t)(s->count + 1 + i - j);
    s->v[i] = (struct tcp_sack){from, to};
    return s->v + i;
}

void ranges_trim(struct ranges *s, uint32_t seq)
{
    unsigned gone = 0;
    while (gone < s->count && seq_le(s->v[gone].to, seq))
        gone++;
    if (gone) {
        s->count = (uint16_t)(s->count - gone);
        memmove(s->v, s->v + gone, s->count * sizeof *s->v);
    }
    if (s->count)
        s->v[0].from = seq_max(s->v[0].from, seq);
}

bool ranges_cover(const struct ranges *s, uint32_t from, uint32_t to)
{
    return ranges_within(s, from, to) == to - from;
}

uint32_t ranges_within(const struct ranges *s, uint32_t from, uint32_t to)
{
    uint32_t sum = 0;
    for (unsigned i = 0; i < s->count && seq_lt(s->v[i].from, to); i++)
        if (seq_lt(from, s->v[i].to))
            sum += seq_min(to, s->v[i].to) - seq_max(from, s->v[i].from);
    return sum;
}

void ranges_free(struct ranges *s)
{
    free(s->v);
    *s = (struct ranges){0};
}
