/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/peers.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void peers_free(struct peers *p)
{
    free(p->pending);
    free(p->pair);
    *p = (struct peers){0};
}

static bool same_end(const struct peer_end *a, const struct peer_end *b)
{
    return a->node == b->node && endpoint_equal(&a->local, &b->local) && endpoint_equal(&a->remote, &b->remote);
}

static void *room(void *items, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return items;
    *cap = *cap ? 2 * *cap : 16;
    items = realloc(items, *cap * size);
    assert(items);
    return items;
}

void peers_syn_sent(struct peers *p, const struct peer_end *from, uint32_t seq)
{
    for (size_t i = 0; i < p->pending_count; i++)
        if (same_end(&p->pending[i].end, from)) { /* sent again, or a new one from the same port */
            p->pending[i].seq = seq;
            return;
        }
    p->pending = room(p->pending, p->pending_count, &p->pending_cap, sizeof *p->pending);
    p->pending[p->pending_count++] = (struct peer_pending){.end = *from, .seq = seq};
}

/* How much speaks for a SYN that was sent being the one that arrived; 0: it cannot be. A translation changes one
 * address or both, more rarely a port; some stacks begin every connection with the same sequence number. */
static int likeness(const struct peer_pending *sent, const struct peer_end *at, uint32_t seq)
{
    if (sent->seq != seq || sent->end.node == at->node)
        return 0;
    return 1 + (sent->end.remote.port == at->local.port) + 4 * endpoint_equal(&sent->end.remote, &at->local) +
           (sent->end.local.port == at->remote.port) + 4 * endpoint_equal(&sent->end.local, &at->remote);
}

void peers_syn_arrived(struct peers *p, const struct peer_end *at, uint32_t seq)
{
    size_t best = 0;
    int most = 0;
    for (size_t i = 0; i < p->pending_count; i++) {
        int n = likeness(&p->pending[i], at, seq);
        if (n > most) {
            most = n;
            best = i;
        }
    }
    if (most == 0)
        return;
    p->pair = room(p->pair, p->pair_count, &p->pair_cap, sizeof *p->pair);
    p->pair[p->pair_count++] = (struct peer_pair){{p->pending[best].end, *at}};
    p->pending_count--;
    memmove(&p->pending[best], &p->pending[best + 1], (p->pending_count - best) * sizeof *p->pending);
}

const struct peer_end *peers_find(const struct peers *p, const struct peer_end *end)
{
    for (size_t i = p->pair_count; i-- > 0;)
        for (int e = 0; e < 2; e++)
            if (same_end(&p->pair[i].end[e], end))
                return &p->pair[i].end[!e];
    return NULL;
}
