/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/native/queue.h"

#include <assert.h>
#include <stdlib.h>

enum { WAYS = 4 }; /* flatter than a binary heap: fewer lines of cache on the way */

void queue_free(struct queue *q)
{
    free(q->heap);
}

uint64_t queue_number(struct queue *q)
{
    return ++q->next_number;
}

static bool before(const struct queue_entry *a, const struct queue_entry *b)
{
    return a->when_ns != b->when_ns ? a->when_ns < b->when_ns : a->number < b->number;
}

static void place(struct queue *q, size_t i, const struct queue_entry *e)
{
    q->heap[i].when_ns = e->when_ns; /* not as a struct: a copy in wider pieces waits for the stores before it */
    q->heap[i].number = e->number;
    q->heap[i].event = e->event;
    e->event->at = i + 1;
}

/* Both move a hole from i to where e belongs. */
static void sift_up(struct queue *q, size_t i, const struct queue_entry *e)
{
    while (i > 0) {
        size_t parent = (i - 1) / WAYS;
        if (!before(e, &q->heap[parent]))
            break;
        place(q, i, &q->heap[parent]);
        i = parent;
    }
    place(q, i, e);
}

static void sift_down(struct queue *q, size_t i, const struct queue_entry *e)
{
    for (;;) {
        size_t child = WAYS * i + 1, end = child + WAYS;
        if (child >= q->count)
            break;
        if (end > q->count)
            end = q->count;
        size_t least = child;
        for (size_t k = child + 1; k < end; k++)
            if (before(&q->heap[k], &q->heap[least]))
                least = k;
        if (!before(&q->heap[least], e))
            break;
        place(q, i, &q->heap[least]);
        i = least;
    }
    place(q, i, e);
}

bool queue_put(struct queue *q, struct event *e, uint64_t when_ns, uint64_t number)
{
    struct queue_entry new = {when_ns, number, e};
    if (e->at) {
        size_t i = e->at - 1;
        if (before(&new, &q->heap[i]))
            sift_up(q, i, &new);
        else
            sift_down(q, i, &new);
        return true;
    }
    if (q->count == q->cap) {
        size_t cap = q->cap ? 2 * q->cap : 64;
        struct queue_entry *heap = realloc(q->heap, cap * sizeof *heap);
        if (!heap)
            return false;
        q->heap = heap;
        q->cap = cap;
    }
    sift_up(q, q->count++, &new);
    return true;
}

void queue_take(struct queue *q, struct event *e)
{
    if (!e->at)
        return;
    size_t i = e->at - 1;
    e->at = 0;
    struct queue_entry last = q->heap[--q->count];
    if (last.event == e)
        return;
    if (before(&last, &q->heap[i]))
        sift_up(q, i, &last);
    else
        sift_down(q, i, &last);
}
