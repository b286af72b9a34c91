/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/explore/scenario.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/rng.h"
#include "models/base/time.h"
#include "sim/scenario/systems.h"

/* ---- a screen among a system's settings ---- */

static const struct field *find(const struct field *fields, const char *key)
{
    while (fields->key && strcmp(fields->key, key) != 0)
        fields++;
    return fields->key ? fields : NULL;
}

/* Where the values of the load stand in the settings of a system; NULL: it shares no screen. */
static const struct field *screen_of(const struct topo_node *n)
{
    const struct field *screen = n->system ? find(n->system->fields, "screen") : NULL;
    return screen && screen->type == FIELD_OBJECT && find(screen->fields, "burst_bytes") ? screen : NULL;
}

static void *member(const struct field *screen, uint8_t *settings, const char *key)
{
    return settings + screen->offset + find(screen->fields, key)->offset;
}

bool load_of(const struct topology *t, unsigned node, struct scenario_load *out)
{
    const struct topo_node *n = &t->nodes.items[node];
    const struct field *screen = screen_of(n);
    if (!screen)
        return false;
    *out = (struct scenario_load){.node = node};
    memcpy(&out->bytes_per_s, member(screen, n->settings, "bytes_per_s"), sizeof out->bytes_per_s);
    memcpy(&out->burst_bytes, member(screen, n->settings, "burst_bytes"), sizeof out->burst_bytes);
    memcpy(&out->duration_ns, member(screen, n->settings, "duration_s"), sizeof out->duration_ns);
    return true;
}

/* ---- scenarios ---- */

static void *many(size_t count, size_t size)
{
    void *p = calloc(count + 1, size);
    assert(p);
    return p;
}

static void plain(const struct topology *t, struct scenario *s)
{
    s->seed = t->seed;
    s->fault_count = s->load_count = 0;
    s->buffer_kb = 0;
    for (size_t i = 0; i < t->links.count; i++)
        memcpy(s->dir[i], t->links.items[i].dir, sizeof s->dir[i]);
    for (unsigned i = 0; i < t->nodes.count; i++)
        s->load_count += load_of(t, i, &s->load[s->load_count]);
}

struct scenario *scenario_new(const struct topology *t)
{
    struct scenario *s = many(1, sizeof *s);
    s->dir = many(t->links.count, sizeof *s->dir);
    s->load = many(t->nodes.count, sizeof *s->load);
    plain(t, s);
    return s;
}

void scenario_free(struct scenario *s)
{
    if (!s)
        return;
    free(s->dir);
    free(s->load);
    free(s);
}

void scenario_copy(const struct topology *t, struct scenario *to, const struct scenario *from)
{
    struct topo_dir(*dir)[2] = to->dir;
    struct scenario_load *load = to->load;
    *to = *from;
    to->dir = dir;
    to->load = load;
    memcpy(dir, from->dir, t->links.count * sizeof *dir);
    memcpy(load, from->load, from->load_count * sizeof *load);
}

/* ---- drawing ---- */

static uint64_t between(struct rng *r, uint64_t least, uint64_t most)
{
    return least + rng_below(r, most - least + 1);
}

static uint32_t in_range(struct rng *r, const plan_range *range)
{
    return (uint32_t)between(r, range->items[0], range->items[1]);
}

/* Of what is bad the most is a little bad: half of the time nothing of a kind. */
static uint32_t some(struct rng *r, const plan_range *range)
{
    uint32_t v = in_range(r, range);
    return rng_chance(r, 1, 2) ? 0 : v;
}

static void draw_dir(struct rng *r, const struct plan_links *p, struct topo_dir *dir)
{
    bool bad = rng_chance(r, p->percent, 100), bursts = rng_chance(r, p->burst_percent, 100);
    uint32_t loss = some(r, &p->loss_ppm), jitter = some(r, &p->jitter_us), delay = some(r, &p->delay_us);
    uint32_t reorder = some(r, &p->reorder_ppm), reorder_us = in_range(r, &p->reorder_us);
    uint32_t duplicate = some(r, &p->duplicate_ppm);
    if (!bad)
        return;
    if (loss) /* of bursts a third is lost, and they are as frequent as makes the loss the same */
        dir->loss = bursts ? (struct net_loss){.kind = LOSS_GILBERT_ELLIOTT, .bad_loss_ppm = 333333,
                                               .to_bad_ppm = loss / 3 + 1, .to_good_ppm = 100000}
                           : (struct net_loss){.kind = LOSS_BERNOULLI, .loss_ppm = loss};
    dir->jitter_ns = jitter * NS_US;
    dir->delay_ns += delay * NS_US;
    if (reorder) {
        dir->reorder_ppm = reorder;
        dir->reorder_ns = reorder_us * NS_US;
    }
    dir->duplicate_ppm = duplicate;
}

/* A quarter while nobody calls, a third while the call is made, the rest in the share and what is left of the run. */
static uint64_t draw_time(struct rng *r, const struct call_times *c, uint64_t end_ns)
{
    uint64_t zone = rng_below(r, 12), margin = NS_S / 20;
    uint64_t from = zone < 3 ? 0 : zone < 7 ? (c->setup_ns > margin ? c->setup_ns - margin : 0) : c->share_ns;
    uint64_t to = zone < 3 ? c->setup_ns : zone < 7 ? c->share_ns + margin : end_ns + NS_S;
    return between(r, from / NS_MS, (to > from ? to : from) / NS_MS) * NS_MS;
}

/* A node or link that a fault can be of; false: the topology has none. */
static bool draw_target(struct rng *r, const struct topology *t, struct topo_fault *f)
{
    enum fault_target target = fault_target((enum fault_kind)f->kind);
    if (target == FAULT_OF_LINK) {
        f->link = (unsigned)rng_below(r, t->links.count);
        f->link_name = t->links.items[f->link].name;
        return true;
    }
    unsigned count = 0;
    for (unsigned i = 0; i < t->nodes.count; i++)
        count += target == FAULT_OF_HOST ? t->nodes.items[i].system != NULL : t->nodes.items[i].kind == TOPO_FIREWALL;
    if (!count)
        return false;
    uint64_t chosen = rng_below(r, count);
    for (unsigned i = 0; i < t->nodes.count; i++)
        if (target == FAULT_OF_HOST ? t->nodes.items[i].system != NULL : t->nodes.items[i].kind == TOPO_FIREWALL)
            if (chosen-- == 0)
                f->node = i;
    f->node_name = t->nodes.items[f->node].name;
    return true;
}

static void draw_faults(struct rng *r, const struct topology *t, const struct plan_faults *p,
                        const struct call_times *times, uint64_t end_ns, struct scenario *out)
{
    for (uint32_t n = in_range(r, &p->count); n > 0; n--) {
        struct topo_fault f = {.kind = p->kinds.items[rng_below(r, p->kinds.count)]};
        f.at_ns = draw_time(r, times, end_ns);
        uint64_t lasts = in_range(r, &p->for_ms), ahead = in_range(r, &p->ahead_ms);
        bool edge = rng_chance(r, p->edge_percent, 100) && p->edges_ms.count;
        if (edge)
            lasts = p->edges_ms.items[rng_below(r, p->edges_ms.count)] + rng_below(r, 3) - 1;
        if (fault_lasts((enum fault_kind)f.kind))
            f.for_ns = (lasts ? lasts : 1) * NS_MS;
        if (f.kind == FAULT_CLOCK)
            f.ahead_ns = (ahead ? ahead : 1) * NS_MS;
        if (draw_target(r, t, &f))
            out->fault[out->fault_count++] = f;
    }
}

/* Both ends share for as long. */
static uint64_t draw_load(struct rng *r, const struct plan_load *p, struct scenario *out)
{
    uint64_t seconds = in_range(r, &p->duration_s);
    if (rng_chance(r, p->edge_percent, 100) && p->edges_s.count)
        seconds = p->edges_s.items[rng_below(r, p->edges_s.count)] + rng_below(r, 3) - 1;
    for (size_t i = 0; i < out->load_count; i++) {
        out->load[i].duration_ns = seconds * NS_S;
        out->load[i].bytes_per_s = in_range(r, &p->bytes_per_s) / (uint32_t)(1 + seconds / 10); /* long, and slow */
        out->load[i].burst_bytes = in_range(r, &p->burst_bytes);
    }
    uint32_t buffer_kb = in_range(r, &p->buffer_kb); /* a third as small as can be: windows close */
    out->buffer_kb = rng_chance(r, 1, 3) ? p->buffer_kb.items[0] : buffer_kb;
    return seconds * NS_S;
}

void scenario_draw(const struct topology *t, const struct plan *plan, const struct call_times *times, uint64_t seed,
                   struct scenario *out)
{
    plain(t, out);
    out->seed = seed;
    struct rng links = rng_named(seed, "explore/links"), faults = rng_named(seed, "explore/faults"),
               load = rng_named(seed, "explore/load");
    for (size_t i = 0; i < t->links.count; i++)
        for (int d = 0; d < 2; d++)
            draw_dir(&links, &plan->links, &out->dir[i][d]);
    uint64_t end_ns = times->share_ns + draw_load(&load, &plan->load, out);
    draw_faults(&faults, t, &plan->faults, times, end_ns, out);
}

/* ---- in a topology ---- */

struct variant *variant_new(const struct topology *t)
{
    struct variant *v = many(1, sizeof *v);
    v->topology = *t;
    v->topology.nodes.items = many(t->nodes.count, sizeof *v->topology.nodes.items);
    v->topology.links.items = many(t->links.count, sizeof *v->topology.links.items);
    v->topology.faults.items = many(t->faults.count + PLAN_FAULTS_MAX, sizeof *v->topology.faults.items);
    memcpy(v->topology.nodes.items, t->nodes.items, t->nodes.count * sizeof *t->nodes.items);
    memcpy(v->topology.links.items, t->links.items, t->links.count * sizeof *t->links.items);
    if (t->faults.count)
        memcpy(v->topology.faults.items, t->faults.items, t->faults.count * sizeof *t->faults.items);
    v->settings = many(t->nodes.count, sizeof *v->settings);
    for (unsigned i = 0; i < t->nodes.count; i++) {
        const struct topo_node *n = &t->nodes.items[i];
        if (!n->tcp.keepalive_ns)
            v->topology.nodes.items[i].tcp.keepalive_ns = VARIANT_KEEPALIVE_NS;
        if (!screen_of(n))
            continue;
        v->settings[i] = many(1, n->system->settings_size);
        memcpy(v->settings[i], n->settings, n->system->settings_size);
        v->topology.nodes.items[i].settings = v->settings[i];
    }
    return v;
}

void variant_free(struct variant *v, const struct topology *t)
{
    for (size_t i = 0; i < t->nodes.count; i++)
        free(v->settings[i]);
    free(v->settings);
    free(v->topology.nodes.items);
    free(v->topology.links.items);
    free(v->topology.faults.items);
    free(v);
}

void variant_set(struct variant *v, const struct topology *t, const struct scenario *s)
{
    v->topology.seed = s->seed;
    for (size_t i = 0; i < t->nodes.count; i++) {
        struct net_tcp_opts *tcp = &v->topology.nodes.items[i].tcp;
        tcp->send_buffer = s->buffer_kb ? s->buffer_kb * 1024 : t->nodes.items[i].tcp.send_buffer;
        tcp->receive_buffer = s->buffer_kb ? s->buffer_kb * 1024 : t->nodes.items[i].tcp.receive_buffer;
    }
    for (size_t i = 0; i < t->links.count; i++)
        memcpy(v->topology.links.items[i].dir, s->dir[i], sizeof s->dir[i]);
    memcpy(v->topology.faults.items + t->faults.count, s->fault, s->fault_count * sizeof *s->fault);
    v->topology.faults.count = t->faults.count + s->fault_count;
    for (size_t i = 0; i < s->load_count; i++) {
        const struct scenario_load *l = &s->load[i];
        const struct field *screen = screen_of(&t->nodes.items[l->node]);
        memcpy(member(screen, v->settings[l->node], "bytes_per_s"), &l->bytes_per_s, sizeof l->bytes_per_s);
        memcpy(member(screen, v->settings[l->node], "burst_bytes"), &l->burst_bytes, sizeof l->burst_bytes);
        memcpy(member(screen, v->settings[l->node], "duration_s"), &l->duration_ns, sizeof l->duration_ns);
    }
}
