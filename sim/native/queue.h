/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is due when: a heap ordered by time, then by insertion number. A source of events (a link, a
 * connection, a timer) is in it at most once, embeds a struct event, and can be moved or taken out at any
 * time. */
#ifndef TP_SIM_NATIVE_QUEUE_H
#define TP_SIM_NATIVE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event {
    void (*fire)(void *world, struct event *e);
    size_t at; /* place in the heap, from 1; 0: not queued */
};

struct queue_entry {
    uint64_t when_ns, number;
    struct event *event;
};

struct queue {
    struct queue_entry *heap;
    size_t count, cap;
    uint64_t next_number;
};

void queue_free(struct queue *q);
/* The number of a thing that is asked for now: equal times are served in this order. */
uint64_t queue_number(struct queue *q);
/* Puts the event in, or moves it. false: no memory. */
bool queue_put(struct queue *q, struct event *e, uint64_t when_ns, uint64_t number);
void queue_take(struct queue *q, struct event *e);

static inline const struct queue_entry *queue_first(const struct queue *q)
{
    return q->count ? &q->heap[0] : NULL;
}

#endif
