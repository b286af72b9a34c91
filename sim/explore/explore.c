/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/explore/explore.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "sim/explore/outcome.h"
#include "sim/explore/watcher.h"

/* From the end of the call, or of the last fault: until all timers of a call have come; and from then on until those of
 * what it left behind have: allocations live an hour at most, connections until their keep-alives are not answered. */
#define JUDGED_NS (200 * NS_S)
#define GONE_NS (VARIANT_KEEPALIVE_NS + 3600 * NS_S)

struct explorer {
    const struct topology *t;
    const struct plan *plan;
    struct call_times times;
    struct watcher *watcher;
    struct variant *variant;
    struct host_stats *idle; /* of each host, long after a call without any trouble */
};

/* When everything that the scenario has in store is over. */
static uint64_t quiet_at(const struct explorer *e, const struct scenario *s)
{
    uint64_t at = e->t->duration_ns, longest = 0;
    for (size_t i = 0; i < s->load_count; i++)
        if (s->load[i].duration_ns > longest)
            longest = s->load[i].duration_ns;
    if (e->times.share_ns + longest > at)
        at = e->times.share_ns + longest;
    const struct topology *t = &e->variant->topology;
    for (size_t i = 0; i < t->faults.count; i++)
        if (t->faults.items[i].at_ns + t->faults.items[i].for_ns > at)
            at = t->faults.items[i].at_ns + t->faults.items[i].for_ns;
    return at + longest; /* a client that is made again calls again */
}

/* ---- one run ---- */

static void check_end(struct explorer *e, const struct world *w, uint64_t now_ns, struct violation *v)
{
    for (size_t i = 0; i < e->t->nodes.count; i++) {
        struct host_stats is;
        if (world_box(w, i))
            outcome_bounded_box(e->t->nodes.items[i].name, box_connections(world_box(w, i)), now_ns, v);
        if (!world_host(w, i))
            continue;
        host_stats(world_host(w, i), &is);
        outcome_bounded(e->t->nodes.items[i].name, &is, now_ns, v);
        outcome_gone(e->t->nodes.items[i].name, &is, &e->idle[i], now_ns, v);
    }
}

static void learn(struct explorer *e, const struct world *w, const struct record *r)
{
    for (size_t i = 0; i < e->t->nodes.count; i++)
        if (world_host(w, i))
            host_stats(world_host(w, i), &e->idle[i]);
    if (r->phases.count)
        e->times = (struct call_times){.setup_ns = r->phases.items[0].start_ns,
                                       .share_ns = r->phases.items[r->phases.count - 1].start_ns,
                                       .end_ns = r->phases.items[r->phases.count - 1].end_ns};
}

/* ideal: nothing goes wrong in it, and what it does is the measure of the others. */
static void run(struct explorer *e, const struct scenario *s, bool ideal, struct finding *out)
{
    struct record record = {0};
    struct net_stats stats;
    variant_set(e->variant, e->t, s);
    if (ideal)
        e->variant->topology.faults.count = 0;
    uint64_t judged_at = quiet_at(e, s) + JUDGED_NS;
    watcher_begin(e->watcher, &record);
    struct violation *v = watcher_found(e->watcher);
    struct world *w = world_new(watcher_ops(e->watcher), &e->variant->topology, s->seed, watcher_ears(e->watcher));
    world_go(w, judged_at);
    record_end(&record, judged_at);
    out->call_up = outcome_judge(&record, &e->variant->topology, &e->times, v);
    if (!violated(v))
        world_go(w, judged_at + GONE_NS);
    if (ideal)
        learn(e, w, &record);
    else if (!violated(v))
        check_end(e, w, judged_at + GONE_NS, v);
    net_native.stats(world_net(w), &stats);
    world_free(w);
    watcher_end(e->watcher, judged_at, ideal);
    out->violation = *v;
    out->packet_hops = stats.packet_hops;
    record_free(&record);
}

void explorer_run(struct explorer *e, const struct scenario *s, struct finding *out)
{
    run(e, s, false, out);
}

/* ---- life ---- */

int explorer_new(const struct topology *t, const struct plan *plan, struct explorer **out, struct diag *d)
{
    struct explorer *e = calloc(1, sizeof *e);
    assert(e);
    *e = (struct explorer){.t = t, .plan = plan, .watcher = watcher_new(&net_native, t), .variant = variant_new(t)};
    e->idle = calloc(t->nodes.count + 1, sizeof *e->idle);
    assert(e->idle);
    struct scenario *ideal = scenario_new(t);
    struct finding found;
    for (size_t i = 0; i < t->links.count; i++)
        for (int k = 0; k < 2; k++)
            ideal->dir[i][k] = (struct topo_dir){.rate_bps = ideal->dir[i][k].rate_bps,
                                                 .delay_ns = ideal->dir[i][k].delay_ns,
                                                 .queue_bytes = ideal->dir[i][k].queue_bytes};
    run(e, ideal, true, &found);
    scenario_free(ideal);
    *out = e;
    if (!violated(&found.violation))
        return 0;
    snprintf(d->text, sizeof d->text, "seed %" PRIu64 ": %s does not hold\n  what        %s", t->seed,
             found.violation.invariant, found.violation.what);
    explorer_free(e);
    return E_UNSUPPORTED;
}

void explorer_free(struct explorer *e)
{
    watcher_free(e->watcher);
    variant_free(e->variant, e->t);
    free(e->idle);
    free(e);
}

const struct topology *explorer_topology(const struct explorer *e)
{
    return e->t;
}

void explorer_draw(const struct explorer *e, uint64_t seed, struct scenario *out)
{
    scenario_draw(e->t, e->plan, &e->times, seed, out);
}
