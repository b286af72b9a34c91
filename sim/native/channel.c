/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/native/engine.h"

/* Buffers by size: segments without data, and frames of the common MTU. An odd number of cache lines each, so
 * that the buffers' first lines do not fall into the same cache set; used again last in, first out. Longer
 * frames are rare. */
enum { LINE = 64, SLAB_PACKETS = 16 };
static const size_t class_lines[PACKET_CLASSES] = {5, 27};

static size_t class_cap(size_t i)
{
    return class_lines[i] * LINE - offsetof(struct packet, frame);
}

static bool slab_add(struct world *w, size_t class)
{
    size_t size = class_lines[class] * LINE;
    void **slab = array_room(w->slab, w->slab_count, sizeof *slab);
    if (!slab)
        return false;
    w->slab = slab;
    char *mem = aligned_alloc(LINE, size * SLAB_PACKETS);
    if (!mem)
        return false;
    w->slab[w->slab_count++] = mem;
    for (size_t i = 0; i < SLAB_PACKETS; i++) {
        struct packet *p = (void *)(mem + i * size);
        p->cap = (uint32_t)class_cap(class);
        p->next = w->packet_free[class];
        w->packet_free[class] = p;
    }
    return true;
}

struct packet *packet_new(struct world *w, size_t len)
{
    struct packet *p;
    size_t class = 0;
    while (class < PACKET_CLASSES && len > class_cap(class))
        class++;
    if (class == PACKET_CLASSES) {
        p = aligned_alloc(LINE, (offsetof(struct packet, frame) + len + LINE - 1) / LINE * LINE);
        if (!p)
            return NULL;
        p->cap = 0;
    } else {
        if (!w->packet_free[class] && !slab_add(w, class))
            return NULL;
        p = w->packet_free[class];
        w->packet_free[class] = p->next;
    }
    p->len = (uint32_t)len;
    p->event.at = 0;
    return p;
}

void packet_free(struct world *w, struct packet *p)
{
    if (p->cap == 0) {
        free(p);
        return;
    }
    size_t class = p->cap == class_cap(0) ? 0 : 1;
    p->next = w->packet_free[class];
    w->packet_free[class] = p;
}

static void list_push(struct packet_list *l, struct packet *p)
{
    p->next = NULL;
    if (l->head)
        l->tail->next = p;
    else
        l->head = p;
    l->tail = p;
}

static struct packet *list_pop(struct packet_list *l)
{
    struct packet *p = l->head;
    l->head = p->next;
    return p;
}

static void list_free(struct world *w, struct packet_list *l)
{
    while (l->head)
        packet_free(w, list_pop(l));
}

static void tell(struct world *w, enum net_tap_kind kind, const struct channel *c, const struct packet *p,
                 const char *reason)
{
    if (!w->tap || c->loopback)
        return;
    struct net_tap t = {kind, kind == TAP_DELIVERED ? c->to : c->from, p->frame, p->len, reason};
    w->tap(w->tap_ctx, w->now_ns, &t);
}

static void deliver(struct world *w, struct channel *c, struct packet *p)
{
    struct node *to = c->to_node;
    if (!c->loopback)
        w->stats.packet_hops++;
    tell(w, TAP_DELIVERED, c, p, NULL);
    if (to->kind == NET_HOST) {
        ip_input(w, to, c->loopback ? c : to->port[c->to.port]->out, p);
        packet_free(w, p);
        return;
    }
    int out = to->box(to->ctx, c->to.port, p->frame, p->len);
    assert(out == NET_DROP || (size_t)out < to->port_count);
    if (out == NET_DROP || !to->port[out]->out)
        packet_free(w, p);
    else
        channel_send(w, to->port[out]->out, p);
}

static void late_fire(void *world, struct event *e)
{
    struct world *w = world;
    struct packet *p = CONTAINER(e, struct packet, event);
    queue_take(&w->queue, e);
    deliver(w, p->channel, p);
}

void packets_late_free(struct world *w)
{
    for (size_t i = 0; i < w->queue.count; i++)
        if (w->queue.heap[i].event->fire == late_fire)
            packet_free(w, CONTAINER(w->queue.heap[i].event, struct packet, event));
}

void packet_pools_free(struct world *w)
{
    for (size_t i = 0; i < w->slab_count; i++)
        free(w->slab[i]);
    free(w->slab);
}

static void arrival_fire(void *world, struct event *e)
{
    struct world *w = world;
    struct channel *c = CONTAINER(e, struct channel, arrival);
    struct packet *p = list_pop(&c->flight), *next = c->flight.head;
    if (next) {
        queue_put(&w->queue, e, next->when_ns, next->number);
        __builtin_prefetch(next->frame); /* both will be wanted soon, and have left the cache since they were sent */
        __builtin_prefetch(next->next);
    } else {
        queue_take(&w->queue, e);
    }
    deliver(w, c, p);
}

/* Without memory for the event queue a packet is as good as lost. */
static void fly(struct world *w, struct channel *c, struct packet *p, uint64_t when_ns, uint64_t number, bool late)
{
    p->when_ns = when_ns;
    p->number = number;
    if (late) {
        p->channel = c;
        p->event.fire = late_fire;
        if (!queue_put(&w->queue, &p->event, when_ns, number))
            packet_free(w, p);
        return;
    }
    list_push(&c->flight, p);
    if (c->flight.head == p && !queue_put(&w->queue, &c->arrival, when_ns, number))
        packet_free(w, list_pop(&c->flight));
}

/* The packet's first bit leaves. */
static void launch(struct world *w, struct channel *c, struct packet *p, const struct link_fate *f)
{
    tell(w, TAP_SENT, c, p, NULL);
    if (f->copies == 0) {
        tell(w, TAP_DROPPED, c, p, f->drop);
        packet_free(w, p);
        return;
    }
    struct packet *twin = f->copies > 1 ? packet_new(w, p->len) : NULL;
    if (twin)
        memcpy(twin->frame, p->frame, p->len);
    uint64_t twin_number = twin ? p->twin_number : 0; /* else not touched: another line of the cache */
    fly(w, c, p, f->arrive_ns[0], p->number, f->late[0]);
    if (twin)
        fly(w, c, twin, f->arrive_ns[1], twin_number, f->late[1]);
}

static void departure_fire(void *world, struct event *e)
{
    struct world *w = world;
    struct channel *c = CONTAINER(e, struct channel, departure);
    struct packet *p = list_pop(&c->line), *next = c->line.head;
    if (next)
        queue_put(&w->queue, e, next->fate.depart_ns, next->number);
    else
        queue_take(&w->queue, e);
    struct link_fate f = p->fate;
    launch(w, c, p, &f);
}

void channel_send(struct world *w, struct channel *c, struct packet *p)
{
    struct link_fate f;
    link_decide(&c->link, w->now_ns, p->len, &f);
    if (!f.sent) {
        tell(w, TAP_DROPPED, c, p, f.drop);
        packet_free(w, p);
        return;
    }
    p->number = queue_number(&w->queue);
    if (f.copies > 1)
        p->twin_number = queue_number(&w->queue);
    if (!w->tap || f.depart_ns <= w->now_ns) {
        launch(w, c, p, &f);
        return;
    }
    p->fate = f;
    list_push(&c->line, p);
    if (c->line.head == p && !queue_put(&w->queue, &c->departure, f.depart_ns, p->number))
        packet_free(w, list_pop(&c->line));
}

struct channel *channel_new(struct world *w, struct net_end from, struct net_end to)
{
    struct channel **all = array_room(w->channel, w->channel_count, sizeof(struct channel *));
    if (!all)
        return NULL;
    w->channel = all;
    struct channel *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->arrival.fire = arrival_fire;
    c->departure.fire = departure_fire;
    c->from = from;
    c->to = to;
    c->to_node = world_node(w, to.node);
    return w->channel[w->channel_count++] = c;
}

void channel_free(struct world *w, struct channel *c)
{
    list_free(w, &c->flight);
    list_free(w, &c->line);
    link_free(&c->link);
    free(c);
}
