/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Timers: a binary heap by time, then by order of setting. */
#include <assert.h>
#include <stdlib.h>

#include "models/base/time.h"
#include "sim/posix/parts.h"

static bool before(const struct timers *t, uint32_t a, uint32_t b)
{
    const struct posix_timer *x = &t->timer[a], *y = &t->timer[b];
    return x->when_ns != y->when_ns ? x->when_ns < y->when_ns : x->order < y->order;
}

static void place(struct timers *t, uint32_t at, uint32_t timer)
{
    t->heap[at] = timer;
    t->timer[timer].at = at;
}

static void sift_up(struct timers *t, uint32_t at)
{
    uint32_t timer = t->heap[at];
    for (; at > 0 && before(t, timer, t->heap[(at - 1) / 2]); at = (at - 1) / 2)
        place(t, at, t->heap[(at - 1) / 2]);
    place(t, at, timer);
}

static void sift_down(struct timers *t, uint32_t at)
{
    uint32_t timer = t->heap[at];
    for (uint32_t child; (child = 2 * at + 1) < t->count; at = child) {
        if (child + 1 < t->count && before(t, t->heap[child + 1], t->heap[child]))
            child++;
        if (!before(t, t->heap[child], timer))
            break;
        place(t, at, t->heap[child]);
    }
    place(t, at, timer);
}

static uint32_t take_timer(struct timers *t)
{
    if (t->free) {
        uint32_t i = t->free - 1;
        t->free = t->timer[i].at;
        return i;
    }
    if (t->used == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 64;
        t->timer = realloc(t->timer, t->cap * sizeof *t->timer);
        t->heap = realloc(t->heap, t->cap * sizeof *t->heap);
        assert(t->timer && t->heap);
    }
    t->timer[t->used] = (struct posix_timer){.generation = 1};
    return t->used++;
}

net_timer posix_timer_set(struct net *n, uint64_t when_ns, void (*fn)(void *ctx), void *ctx)
{
    struct timers *t = &posix_of(n)->timers;
    uint32_t i = take_timer(t);
    struct posix_timer *timer = &t->timer[i];
    timer->when_ns = when_ns;
    timer->order = t->order++;
    timer->fn = fn;
    timer->ctx = ctx;
    t->heap[t->count] = i;
    sift_up(t, t->count++);
    return (uint64_t)timer->generation << 32 | i;
}

static void remove_at(struct timers *t, uint32_t at)
{
    uint32_t i = t->heap[at], last = t->heap[--t->count];
    if (at < t->count) {
        place(t, at, last);
        sift_up(t, at);
        sift_down(t, t->timer[last].at);
    }
    t->timer[i].generation++;
    t->timer[i].at = t->free;
    t->free = i + 1;
}

void posix_timer_cancel(struct net *n, net_timer timer)
{
    struct timers *t = &posix_of(n)->timers;
    uint32_t i = (uint32_t)timer;
    if (i < t->used && t->timer[i].generation == timer >> 32)
        remove_at(t, t->timer[i].at);
}

uint64_t posix_timers_next(const struct timers *t)
{
    return t->count ? t->timer[t->heap[0]].when_ns : TIME_NEVER;
}

bool posix_timers_fire(struct timers *t, uint64_t now_ns)
{
    if (!t->count || t->timer[t->heap[0]].when_ns > now_ns)
        return false;
    struct posix_timer due = t->timer[t->heap[0]];
    remove_at(t, 0);
    due.fn(due.ctx);
    return true;
}

void posix_timers_free(struct timers *t)
{
    free(t->timer);
    free(t->heap);
}
