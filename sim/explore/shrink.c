/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/explore/shrink.h"

#include <string.h>

#include "models/base/time.h"
#include "sim/explore/search.h"

enum { RUNS_MAX = 400, PARTS = 5 };

/* An edit changes one thing of a scenario; false: there is nothing of that kind at index, or it is as small as it gets.
 * *end: nor is there at any larger index. */
typedef bool edit(const struct topology *t, struct scenario *s, size_t index, bool *end);

static bool drop_fault(const struct topology *t, struct scenario *s, size_t index, bool *end)
{
    (void)t;
    *end = index >= s->fault_count;
    if (*end)
        return false;
    s->fault_count--;
    memmove(&s->fault[index], &s->fault[index + 1], (s->fault_count - index) * sizeof *s->fault);
    return true;
}

static bool same_dir(const struct topo_dir *a, const struct topo_dir *b)
{
    return a->delay_ns == b->delay_ns && a->jitter_ns == b->jitter_ns && a->loss.kind == b->loss.kind &&
           a->loss.loss_ppm == b->loss.loss_ppm && a->loss.to_bad_ppm == b->loss.to_bad_ppm &&
           a->duplicate_ppm == b->duplicate_ppm && a->reorder_ppm == b->reorder_ppm;
}

static bool plain_links(const struct topology *t, struct scenario *s, size_t index, bool *end)
{
    bool changed = false;
    *end = index > 0;
    for (size_t i = 0; !*end && i < t->links.count; i++)
        for (int d = 0; d < 2; d++) {
            changed = changed || !same_dir(&s->dir[i][d], &t->links.items[i].dir[d]);
            s->dir[i][d] = t->links.items[i].dir[d];
        }
    return changed;
}

static bool plain_link(const struct topology *t, struct scenario *s, size_t index, bool *end)
{
    *end = index >= 2 * t->links.count;
    if (*end || same_dir(&s->dir[index / 2][index % 2], &t->links.items[index / 2].dir[index % 2]))
        return false;
    s->dir[index / 2][index % 2] = t->links.items[index / 2].dir[index % 2];
    return true;
}

/* One kind of trouble of one direction. */
static bool plain_part(const struct topology *t, struct scenario *s, size_t index, bool *end)
{
    *end = index >= 2 * PARTS * t->links.count;
    if (*end)
        return false;
    struct topo_dir *is = &s->dir[index / PARTS / 2][index / PARTS % 2], was = *is;
    const struct topo_dir *plain = &t->links.items[index / PARTS / 2].dir[index / PARTS % 2];
    switch (index % PARTS) {
    case 0: is->delay_ns = plain->delay_ns; break;
    case 1: is->jitter_ns = plain->jitter_ns; break;
    case 2: is->duplicate_ppm = plain->duplicate_ppm; break;
    case 3: is->loss = plain->loss; break;
    default:
        is->reorder_ppm = plain->reorder_ppm;
        is->reorder_ns = plain->reorder_ns;
    }
    return !same_dir(is, &was);
}

static bool halve(uint64_t *v, uint64_t unit, uint64_t least)
{
    uint64_t half = *v / unit / 2 * unit;
    if (half < least)
        half = least;
    bool smaller = half < *v;
    *v = smaller ? half : *v;
    return smaller;
}

static bool shorter_fault(const struct topology *t, struct scenario *s, size_t index, bool *end)
{
    (void)t;
    *end = index >= s->fault_count;
    return !*end && halve(s->fault[index].kind == FAULT_CLOCK ? &s->fault[index].ahead_ns : &s->fault[index].for_ns,
                          NS_MS, NS_MS);
}

static bool shorter_share(const struct topology *t, struct scenario *s, size_t index, bool *end)
{
    bool smaller = false;
    (void)t;
    *end = index > 0;
    for (size_t i = 0; !*end && i < s->load_count; i++)
        smaller = halve(&s->load[i].duration_ns, NS_S, NS_S) || smaller;
    return smaller;
}

static bool less_load(const struct topology *t, struct scenario *s, size_t index, bool *end)
{
    (void)t;
    *end = index >= 2 * s->load_count;
    if (*end)
        return false;
    uint32_t *v = index % 2 ? &s->load[index / 2].bytes_per_s : &s->load[index / 2].burst_bytes;
    uint64_t wide = *v;
    bool smaller = halve(&wide, 1, index % 2 ? 1000 : 0);
    *v = (uint32_t)wide;
    return smaller;
}

static bool plain_buffers(const struct topology *t, struct scenario *s, size_t index, bool *end)
{
    (void)t;
    *end = index > 0;
    bool changed = !*end && s->buffer_kb;
    if (changed)
        s->buffer_kb = 0;
    return changed;
}

/* Large pieces first. What can be halved is, as often as that goes. */
static const struct {
    edit *edit;
    bool again;
} edits[] = {
    {plain_links, false},  {drop_fault, true},    {plain_link, false}, {plain_part, false},
    {plain_buffers, false}, {shorter_share, true}, {shorter_fault, true}, {less_load, true},
};

int shrink(struct explorer *e, struct scenario *s, struct violation *found, unsigned *runs)
{
    const struct topology *t = explorer_topology(e);
    struct scenario *tried = scenario_new(t);
    bool smaller = true;
    int err = 0;
    *runs = 0;
    while (smaller && !err) {
        smaller = false;
        for (size_t k = 0; k < sizeof edits / sizeof *edits; k++) {
            bool end = false;
            for (size_t i = 0; !err && !end && *runs < RUNS_MAX;) {
                struct finding f;
                scenario_copy(t, tried, s);
                bool changed = edits[k].edit(t, tried, i, &end);
                if (changed) {
                    err = search_one(e, tried, &f);
                    ++*runs;
                }
                bool fails = changed && !err && strcmp(f.violation.invariant, found->invariant) == 0;
                if (fails) {
                    scenario_copy(t, s, tried);
                    *found = f.violation;
                    smaller = true;
                }
                i += !(fails && edits[k].again);
            }
        }
    }
    scenario_free(tried);
    return err;
}
