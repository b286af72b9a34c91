/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/turn/tables.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"

int pool_init(struct pool *p, size_t size, size_t cap)
{
    assert(size >= sizeof(void *));
    *p = (struct pool){.base = malloc((cap ? cap : 1) * size), .size = size, .cap = cap};
    return p->base ? 0 : E_NOMEM;
}

void *pool_take(struct pool *p)
{
    void *object = p->free;
    if (object)
        memcpy(&p->free, object, sizeof p->free);
    else if (p->high < p->cap)
        object = p->base + p->size * p->high++;
    return object;
}

void *pool_get(struct pool *p)
{
    void *object = pool_take(p);
    return object ? memset(object, 0, p->size) : NULL;
}

void pool_put(struct pool *p, void *object)
{
    memcpy(object, &p->free, sizeof p->free);
    p->free = object;
}

/* The part of the memory that as many bits of a key need, empty: the rest is touched when the map grows. */
static void begin_slots(struct idmap *m)
{
    m->slots = m->base + ((size_t)1 << m->bits);
    memset(m->slots, 0, sizeof *m->slots << m->bits);
}

int idmap_init(struct idmap *m, size_t cap)
{
    enum { LEAST_BITS = 4 };
    *m = (struct idmap){.bits = LEAST_BITS, .most_bits = LEAST_BITS};
    while ((size_t)1 << m->most_bits < 2 * cap)
        m->most_bits++;
    m->base = malloc(sizeof *m->base << (m->most_bits + 1));
    if (!m->base)
        return E_NOMEM;
    begin_slots(m);
    return 0;
}

size_t idmap_footprint(const struct idmap *m)
{
    return sizeof *m->base << (m->most_bits + 1);
}

static size_t next_slot(const struct idmap *m, size_t i)
{
    return (i + 1) & (((size_t)1 << m->bits) - 1);
}

static size_t home(const struct idmap *m, uint64_t key)
{
    return (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> (64 - m->bits)); /* Knuth's multiplicative hash */
}

/* Where the key is, or the empty slot where it would be. */
static size_t find(const struct idmap *m, uint64_t key)
{
    size_t i = home(m, key);
    while (m->slots[i].key && m->slots[i].key != key)
        i = next_slot(m, i);
    return i;
}

void *idmap_get(const struct idmap *m, uint64_t key)
{
    return key ? m->slots[find(m, key)].value : NULL;
}

static void grow(struct idmap *m)
{
    const struct idmap_slot *old = m->slots, *end = old + ((size_t)1 << m->bits);
    m->bits++;
    begin_slots(m);
    for (; old < end; old++)
        if (old->key)
            m->slots[find(m, old->key)] = *old;
}

void idmap_put(struct idmap *m, uint64_t key, void *value)
{
    if (2 * ++m->count > (size_t)1 << m->bits && m->bits < m->most_bits)
        grow(m);
    struct idmap_slot *s = &m->slots[find(m, key)];
    assert(key && !s->key);
    *s = (struct idmap_slot){key, value};
}

/* Closes the gap, so that no search ends before its key: what follows moves up unless that is before its home. */
void idmap_drop(struct idmap *m, uint64_t key)
{
    size_t gap = find(m, key), mask = ((size_t)1 << m->bits) - 1;
    assert(m->slots[gap].key);
    for (size_t i = next_slot(m, gap); m->slots[i].key; i = next_slot(m, i))
        if (((i - home(m, m->slots[i].key)) & mask) >= ((i - gap) & mask)) {
            m->slots[gap] = m->slots[i];
            gap = i;
        }
    m->slots[gap] = (struct idmap_slot){0};
    m->count--;
}

int timers_init(struct timers *ts, size_t cap)
{
    *ts = (struct timers){.heap = malloc((cap + 1) * sizeof(struct timer *)), .cap = cap};
    return ts->heap ? 0 : E_NOMEM;
}

static void place(struct timers *ts, size_t pos, struct timer *t)
{
    ts->heap[pos] = t;
    t->pos = pos;
}

static void sift(struct timers *ts, struct timer *t, size_t pos)
{
    for (; pos > 1 && ts->heap[pos / 2]->at > t->at; pos /= 2)
        place(ts, pos, ts->heap[pos / 2]);
    for (size_t child; (child = 2 * pos) <= ts->count; pos = child) {
        if (child < ts->count && ts->heap[child + 1]->at < ts->heap[child]->at)
            child++;
        if (ts->heap[child]->at >= t->at)
            break;
        place(ts, pos, ts->heap[child]);
    }
    place(ts, pos, t);
}

void timers_set(struct timers *ts, struct timer *t, void *owner, uint64_t at)
{
    t->owner = owner;
    t->at = at;
    if (at != TIME_NEVER) {
        assert(t->pos || ts->count < ts->cap);
        sift(ts, t, t->pos ? t->pos : ++ts->count);
    } else if (t->pos) {
        size_t pos = t->pos;
        struct timer *last = ts->heap[ts->count--];
        t->pos = 0;
        if (last != t)
            sift(ts, last, pos);
    }
}

uint64_t timers_next(const struct timers *ts)
{
    return ts->count ? ts->heap[1]->at : TIME_NEVER;
}

void *timers_due(struct timers *ts, uint64_t now_ns)
{
    if (timers_next(ts) > now_ns)
        return NULL;
    struct timer *t = ts->heap[1];
    timers_set(ts, t, t->owner, TIME_NEVER);
    return t->owner;
}
