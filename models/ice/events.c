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
    if (pair_is_udp(a, p)) {
        q->event.local.address = *ice_base(pair_local(a, p));
        q->event.mapped = udp_mapped(a, p);
    }
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

void event_lost(struct ice *a, const struct ice_pair *p, const char *why)
{
    struct ice_queued *q = push_pair(a, ICE_LOST, p);
    snprintf((char *)q->bytes, sizeof q->bytes, "%s", why);
}

static void put_label(struct ice_queued *q, const char *label, int code)
{
    snprintf(q->label, sizeof q->label, code ? "%s %d" : "%s", label, code);
}

struct ice_queued *event_send(struct ice *a, struct ice_pair *p, const char *label, int code, uint64_t now_ns)
{
    struct ice_queued *q = push_pair(a, ICE_SEND, p);
    put_label(q, label, code);
    p->sent_ns = now_ns;
    return q;
}

struct ice_queued *event_reply(struct ice *a, size_t local, const struct endpoint *remote, const char *label,
                               int code)
{
    struct ice_queued *q = push(a, ICE_SEND);
    q->event.local = a->local[local];
    q->event.local.address = *ice_base(&a->local[local]);
    q->event.remote = (struct ice_candidate){
        .component = a->local[local].component, .type = ICE_PRFLX, .transport = ICE_UDP, .address = *remote};
    put_label(q, label, code);
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
    } else if (out->kind == ICE_LOST) {
        out->text = (const char *)q->bytes;
    }
    return true;
}
