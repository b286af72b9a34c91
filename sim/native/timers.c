/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/native/timers.h"

#include <assert.h>
#include <stdlib.h>

/* A slot is used again, an id never: it is life and slot. */
struct engine_timer {
    struct event event; /* first: an event is its timer */
    struct engine_timers *all;
    void (*fn)(void *ctx);
    void *ctx;
    uint32_t slot, life;
    uint32_t next_free;
};

void engine_timers_free(struct engine_timers *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->timer[i]);
    free(t->timer);
    *t = (struct engine_timers){0};
}

static void release(struct engine_timer *t)
{
    queue_take(t->all->queue, &t->event);
    t->life++;
    t->next_free = t->all->free;
    t->all->free = t->slot + 1;
}

static void fire(void *world, struct event *e)
{
    (void)world;
    struct engine_timer *t = (struct engine_timer *)(void *)e;
    void (*fn)(void *ctx) = t->fn;
    void *ctx = t->ctx;
    release(t);
    fn(ctx);
}

static struct engine_timer *take(struct engine_timers *all)
{
    if (all->free) {
        struct engine_timer *t = all->timer[all->free - 1];
        all->free = t->next_free;
        return t;
    }
    if ((all->count & (all->count - 1)) == 0) { /* a power of two, or none: full */
        all->timer = realloc(all->timer, (all->count ? 2 * all->count : 1) * sizeof(struct engine_timer *));
        assert(all->timer);
    }
    struct engine_timer *t = malloc(sizeof *t);
    assert(t);
    *t = (struct engine_timer){.event.fire = fire, .all = all, .slot = (uint32_t)all->count, .life = 1};
    all->timer[all->count++] = t;
    return t;
}

net_timer engine_timers_set(struct engine_timers *all, uint64_t when_ns, void (*fn)(void *ctx), void *ctx)
{
    struct engine_timer *t = take(all);
    t->fn = fn;
    t->ctx = ctx;
    bool put = queue_put(all->queue, &t->event, when_ns, queue_number(all->queue));
    assert(put);
    return (net_timer)t->life << 32 | t->slot;
}

void engine_timers_cancel(struct engine_timers *all, net_timer id)
{
    uint32_t slot = (uint32_t)id;
    if (id && slot < all->count && all->timer[slot]->life == id >> 32)
        release(all->timer[slot]);
}
