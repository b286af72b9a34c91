/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "models/ice/agent.h"

/* The queue grows to what one call needed at most and is kept: a steady agent allocates nothing. */
static struct ice_queued *push(struct ice *a, enum ice_event_kind kind)
{
    if (a->queue_len == a->queue_cap) {
        a->queue_cap = a->queue_cap ? 2 * a->queue_cap : 4;
        a->queue = realloc(a->queue, a->queue_cap * sizeof *a->queue);
        assert(a->queue);
    }
    struct ice_queued *q = &a->queue[a->queue_len++];
    q->event = (struct ice_event){.kind = kind};
    return q;
}

static struct ice_queued *push_pair(struct ice *a, enum ice_event_kind kind, const struct ice_pair *p)
{
    struct ice_queued *q = push(a, kind);
    q->event.stream = p->stream;
    q->event.pair = (size_t)(p - a->pair);
    q->event.local = *pair_local(a, p);
    q->event.remote = *pair_remote(a, p);
    return q;
}

void event_pair(struct ice *a, enum ice_event_kind kind, const struct ice_pair *p)
{
    push_pair(a, kind, p);
}

void event_failed(struct ice *a)
{
    push(a, ICE_FAILED);
}

struct ice_queued *event_send(struct ice *a, struct ice_pair *p, const char *label, int code, uint64_t now_ns)
{
    struct ice_queued *q = push_pair(a, ICE_SEND, p);
    snprintf(q->label, sizeof q->label, code ? "%s %d" : "%s", label, code);
    p->sent_ns = now_ns;
    return q;
}

bool ice_poll(struct ice *a, struct ice_event *out)
{
    if (a->queue_at == a->queue_len) {
        a->queue_at = a->queue_len = 0;
        return false;
    }
    const struct ice_queued *q = &a->queue[a->queue_at++];
    *out = q->event;
    if (out->kind == ICE_SEND) {
        out->data = q->bytes;
        out->label = q->label;
    } else if (out->kind == ICE_FAILED) {
        out->text = a->text;
    }
    return true;
}
