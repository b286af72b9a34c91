/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The timers of an engine in virtual time: entries of its queue, with ids that are never used twice. */
#ifndef TP_SIM_NATIVE_TIMERS_H
#define TP_SIM_NATIVE_TIMERS_H

#include "sim/native/queue.h"
#include "sim/net.h"

struct engine_timer;

struct engine_timers {
    struct queue *queue; /* the engine's, borrowed; before the first timer is set */
    struct engine_timer **timer;
    size_t count;
    uint32_t free; /* slot + 1 */
};

void engine_timers_free(struct engine_timers *t);
/* fn(ctx) when the queue comes to that time. */
net_timer engine_timers_set(struct engine_timers *t, uint64_t when_ns, void (*fn)(void *ctx), void *ctx);
/* Does nothing when it has fired, or was never set. */
void engine_timers_cancel(struct engine_timers *t, net_timer id);

#endif
