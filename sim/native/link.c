/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/native/link.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/time.h"

enum { PPM = 1000000, QUEUE_DEFAULT = 256 * 1024 };

static struct rng stream(uint64_t seed, const char *name, const char *dir, const char *what)
{
    char full[256];
    snprintf(full, sizeof full, "link/%s/%s/%s", name, dir, what);
    return rng_named(seed, full);
}

void link_init(struct link *l, uint64_t seed, const char *name, const char *dir, const struct net_link_dir *cfg,
               size_t mtu)
{
    *l = (struct link){.cfg = *cfg, .frame_max = mtu + ETH_HEADER};
    if (!l->cfg.queue_bytes)
        l->cfg.queue_bytes = QUEUE_DEFAULT;
    if (cfg->loss.kind == LOSS_BERNOULLI || cfg->loss.kind == LOSS_GILBERT_ELLIOTT)
        l->loss = stream(seed, name, dir, "loss");
    if (cfg->duplicate_ppm)
        l->duplicate = stream(seed, name, dir, "duplicate");
    if (cfg->jitter_ns)
        l->jitter = stream(seed, name, dir, "jitter");
    if (cfg->reorder_ppm)
        l->reorder = stream(seed, name, dir, "reorder");
}

void link_free(struct link *l)
{
    free(l->waiting);
}

static bool in_outage(struct link *l, uint64_t now_ns)
{
    const struct net_outage *o = l->cfg.outage;
    while (l->outage_next < l->cfg.outage_count && o[l->outage_next].to_ns <= now_ns)
        l->outage_next++;
    return l->outage_next < l->cfg.outage_count && o[l->outage_next].from_ns <= now_ns;
}

static void waiting_push(struct link *l, uint64_t start_ns, size_t bytes)
{
    if (l->waiting_count == l->waiting_cap) {
        uint32_t cap = l->waiting_cap ? 2 * l->waiting_cap : 16;
        struct link_waiting *w = malloc(cap * sizeof *w);
        assert(w);
        for (uint32_t i = 0; i < l->waiting_count; i++)
            w[i] = l->waiting[(l->waiting_head + i) & (l->waiting_cap - 1)];
        free(l->waiting);
        l->waiting = w;
        l->waiting_cap = cap;
        l->waiting_head = 0;
    }
    l->waiting[(l->waiting_head + l->waiting_count++) & (l->waiting_cap - 1)] =
        (struct link_waiting){start_ns, (uint32_t)bytes};
    l->waiting_bytes += bytes;
}

/* What began to be sent by now waits no more. */
static void waiting_advance(struct link *l, uint64_t now_ns)
{
    while (l->waiting_count && l->waiting[l->waiting_head].start_ns <= now_ns) {
        l->waiting_bytes -= l->waiting[l->waiting_head].bytes;
        l->waiting_head = (l->waiting_head + 1) & (l->waiting_cap - 1);
        l->waiting_count--;
    }
}

/* Puts a frame on the line: false when there is no room to wait. */
static bool serialise(struct link *l, uint64_t now_ns, size_t len, uint64_t *depart_ns, uint64_t *end_ns)
{
    if (l->cfg.rate_bps == 0) {
        *depart_ns = *end_ns = now_ns;
        return true;
    }
    waiting_advance(l, now_ns);
    if (l->free_ns > now_ns) {
        if (l->waiting_bytes + len > l->cfg.queue_bytes)
            return false;
        waiting_push(l, l->free_ns, len);
        *depart_ns = l->free_ns;
    } else {
        *depart_ns = now_ns;
    }
    uint64_t bits = (uint64_t)len * 8;
    *end_ns = *depart_ns + (bits * NS_S + l->cfg.rate_bps - 1) / l->cfg.rate_bps;
    l->free_ns = *end_ns;
    return true;
}

static bool lost(struct link *l)
{
    const struct net_loss *c = &l->cfg.loss;
    l->packets++;
    switch (c->kind) {
    case LOSS_NONE:
        return false;
    case LOSS_MASK:
        if (l->mask_next == c->mask_count || c->mask[l->mask_next] != l->packets)
            return false;
        l->mask_next++;
        return true;
    case LOSS_BERNOULLI:
        return rng_chance(&l->loss, c->loss_ppm, PPM);
    case LOSS_GILBERT_ELLIOTT: {
        bool hit = rng_chance(&l->loss, l->bad ? c->bad_loss_ppm : c->loss_ppm, PPM);
        if (rng_chance(&l->loss, l->bad ? c->to_good_ppm : c->to_bad_ppm, PPM))
            l->bad = !l->bad;
        return hit;
    }
    }
    return false;
}

static uint64_t arrival(struct link *l, uint64_t end_ns, bool *late)
{
    uint64_t when = end_ns + l->cfg.delay_ns;
    if (l->cfg.jitter_ns)
        when += rng_below(&l->jitter, l->cfg.jitter_ns + 1);
    if (when < l->arrived_ns)
        when = l->arrived_ns;
    *late = l->cfg.reorder_ppm && rng_chance(&l->reorder, l->cfg.reorder_ppm, PPM);
    if (*late)
        return when + l->cfg.reorder_ns;
    return l->arrived_ns = when;
}

void link_decide(struct link *l, uint64_t now_ns, size_t frame_len, struct link_fate *f)
{
    uint64_t end_ns;
    f->drop = NULL;
    f->sent = false;
    f->copies = 0;
    if (frame_len > l->frame_max)
        f->drop = "mtu";
    else if (in_outage(l, now_ns))
        f->drop = "outage";
    else if (!serialise(l, now_ns, frame_len, &f->depart_ns, &end_ns))
        f->drop = "queue";
    if (f->drop)
        return;
    f->sent = true;
    if (lost(l)) {
        f->drop = "loss";
        return;
    }
    f->copies = 1;
    f->arrive_ns[0] = arrival(l, end_ns, &f->late[0]);
    if (l->cfg.duplicate_ppm && rng_chance(&l->duplicate, l->cfg.duplicate_ppm, PPM)) {
        f->copies = 2;
        f->arrive_ns[1] = arrival(l, end_ns, &f->late[1]);
    }
}
