/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Faults carried out with what every engine can do. An outage is one of the link's. A host that vanishes is one whose
 * links carry nothing: what its connections send when they are given up is lost there. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "models/base/time.h"
#include "sim/scenario/world_parts.h"

struct world_fault {
    struct world *w;
    const struct topo_fault *fault;
};

static uint64_t fault_end(const struct topo_fault *f)
{
    return f->for_ns ? f->at_ns + f->for_ns : TIME_NEVER;
}

/* ---- outages ---- */

static bool cuts(const struct world *w, const struct topo_fault *f, unsigned link)
{
    const struct topo_link *l = &w->t->links.items[link];
    return f->kind == FAULT_OUTAGE ? f->link == link
                                   : f->kind == FAULT_HALF_OPEN && (l->node[0] == f->node || l->node[1] == f->node);
}

static int by_start(const void *a, const void *b)
{
    const struct net_outage *x = a, *y = b;
    return x->from_ns < y->from_ns ? -1 : x->from_ns > y->from_ns;
}

void world_fault_outages(struct world *w, unsigned link, struct net_link_dir *dir)
{
    size_t count = dir->outage_count;
    for (size_t i = 0; i < w->t->faults.count; i++)
        count += cuts(w, &w->t->faults.items[i], link);
    if (count == dir->outage_count)
        return;
    struct net_outage *all = arena_alloc(&w->arena, count * sizeof *all);
    size_t n = 0, merged = 0;
    while (n < dir->outage_count) {
        all[n] = dir->outage[n];
        n++;
    }
    for (size_t i = 0; i < w->t->faults.count; i++)
        if (cuts(w, &w->t->faults.items[i], link))
            all[n++] = (struct net_outage){w->t->faults.items[i].at_ns, fault_end(&w->t->faults.items[i])};
    qsort(all, n, sizeof *all, by_start);
    for (size_t i = 1; i < n; i++)
        if (all[i].from_ns > all[merged].to_ns)
            all[++merged] = all[i];
        else if (all[i].to_ns > all[merged].to_ns)
            all[merged].to_ns = all[i].to_ns;
    dir->outage = all;
    dir->outage_count = merged + 1;
}

/* ---- what begins and ends ---- */

/* For the report of a call that fails later. */
static void tell(const struct world *w, const struct topo_fault *f)
{
    static const char *const words[FAULT_KINDS] = {
        [FAULT_RESTART] = "its system restarts",
        [FAULT_HALF_OPEN] = "it vanishes",
        [FAULT_SLOW_READER] = "it reads nothing from its connections",
        [FAULT_EXHAUST_PORTS] = "it has no port left",
        [FAULT_CLOCK] = "its clock jumps ahead",
        [FAULT_FLUSH] = "it forgets its connections and translations",
        [FAULT_REBIND] = "it draws its translations anew",
        [FAULT_OUTAGE] = "the link carries nothing",
    };
    if (!w->ears->hooks.note)
        return;
    char text[120];
    uint64_t ms = (f->kind == FAULT_CLOCK ? f->ahead_ns : f->for_ns) / NS_MS;
    int len = snprintf(text, sizeof text, "fault: %s", words[f->kind]);
    if (ms)
        snprintf(text + len, sizeof text - (size_t)len, "%s %llu ms", f->kind == FAULT_CLOCK ? " by" : " for",
                 (unsigned long long)ms);
    const struct host_note note = {.host = f->link_name ? f->link_name : f->node_name, .note = NOTE_HINT,
                                   .text = text};
    w->ears->hooks.note(w->ears->hooks.ctx, w->ops->now(w->net), &note);
}

/* Each time with random streams of its own: a system that is made again does not draw what it drew before. */
static uint64_t next_seed(const struct world *w, const char *what, const char *name, unsigned number)
{
    char stream[80];
    snprintf(stream, sizeof stream, "%s/%s/%u", what, name, number);
    struct rng r = rng_named(w->seed, stream);
    return rng_u64(&r);
}

static void go_down(struct world_node *n)
{
    if (n->down++)
        return;
    host_stop(n->host);
    world_free_core(n);
}

static void come_up(struct world *w, const struct topo_node *t, struct world_node *n)
{
    if (--n->down)
        return;
    int err = world_make_core(t, next_seed(w, "restart", t->name, ++n->boots), n);
    assert(!err); /* as at first: what can fail is memory */
    uint64_t now = w->ops->now(w->net);
    host_boot(n->host, &n->core, t->start_ns > now ? t->start_ns : now);
}

static void forget(struct world *w, const struct topo_node *t, struct world_node *n, bool anew)
{
    int err = box_forget(n->box, anew ? next_seed(w, "rebind", t->name, ++n->boots) : w->seed);
    assert(!err);
}

static void fault_over(void *ctx)
{
    const struct world_fault *x = ctx;
    const struct topo_fault *f = x->fault;
    struct world_node *n = &x->w->node[f->node];
    switch ((enum fault_kind)f->kind) {
    case FAULT_RESTART:
    case FAULT_HALF_OPEN: come_up(x->w, &x->w->t->nodes.items[f->node], n); break;
    case FAULT_SLOW_READER: host_deafen(n->host, --n->deaf > 0); break;
    case FAULT_EXHAUST_PORTS: host_exhaust(n->host, --n->exhausted > 0); break;
    default: break;
    }
}

static void fault_begins(void *ctx)
{
    struct world_fault *x = ctx;
    const struct topo_fault *f = x->fault;
    struct world_node *n = &x->w->node[f->node];
    tell(x->w, f);
    switch ((enum fault_kind)f->kind) {
    case FAULT_RESTART:
    case FAULT_HALF_OPEN: go_down(n); break;
    case FAULT_SLOW_READER: host_deafen(n->host, ++n->deaf > 0); break;
    case FAULT_EXHAUST_PORTS: host_exhaust(n->host, ++n->exhausted > 0); break;
    case FAULT_CLOCK: host_skew(n->host, f->ahead_ns); break;
    case FAULT_FLUSH:
    case FAULT_REBIND: forget(x->w, &x->w->t->nodes.items[f->node], n, f->kind == FAULT_REBIND); break;
    default: break;
    }
    if (fault_lasts((enum fault_kind)f->kind) && f->for_ns)
        x->w->ops->timer_set(x->w->net, fault_end(f), fault_over, x);
}

void world_fault_start(struct world *w)
{
    struct world_fault *all = arena_alloc(&w->arena, w->t->faults.count * sizeof *all);
    for (size_t i = 0; i < w->t->faults.count; i++) {
        all[i] = (struct world_fault){w, &w->t->faults.items[i]};
        w->ops->timer_set(w->net, all[i].fault->at_ns, fault_begins, &all[i]);
    }
}
