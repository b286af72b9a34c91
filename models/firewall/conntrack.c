/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/firewall/conntrack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/base/time.h"

_Static_assert(sizeof(struct fw_key) == 40, "hashed and compared as bytes: no padding");

int fw_conntrack_open(struct fw_conntrack *t, uint32_t max, const uint64_t timer[FW_TIMER_COUNT])
{
    uint32_t buckets = 16;
    while (buckets < 2 * max)
        buckets *= 2;
    *t = (struct fw_conntrack){.max = max, .mask = buckets - 1};
    memcpy(t->timer, timer, sizeof t->timer);
    t->conn = malloc(max * sizeof *t->conn); /* each is written when it is taken */
    t->bucket = calloc(buckets, sizeof *t->bucket);
    return t->conn && t->bucket ? 0 : E_NOMEM;
}

void fw_conntrack_close(struct fw_conntrack *t)
{
    free(t->conn);
    free(t->bucket);
}

/* A link in a bucket's chain names a place and a direction: 2 * place + direction. */
uint32_t fw_conn_find(const struct fw_conntrack *t, const struct fw_key *key, unsigned *dir)
{
    uint32_t link = t->bucket[fw_hash(key, sizeof *key) & t->mask];
    while (link) {
        const struct fw_conn *c = fw_conn_at(t, link / 2);
        if (memcmp(&c->key[link % 2], key, sizeof *key) == 0) {
            *dir = link % 2;
            return link / 2;
        }
        link = c->chain[link % 2];
    }
    return 0;
}

static void list_append(struct fw_conntrack *t, uint32_t at, unsigned list)
{
    struct fw_conn *c = fw_conn_at(t, at);
    c->list = (uint8_t)list;
    c->newer = 0;
    c->older = t->newest[list];
    if (c->older)
        fw_conn_at(t, c->older)->newer = at;
    else
        t->oldest[list] = at;
    t->newest[list] = at;
}

static void list_remove(struct fw_conntrack *t, uint32_t at)
{
    struct fw_conn *c = fw_conn_at(t, at);
    if (c->older)
        fw_conn_at(t, c->older)->newer = c->newer;
    else
        t->oldest[c->list] = c->newer;
    if (c->newer)
        fw_conn_at(t, c->newer)->older = c->older;
    else
        t->newest[c->list] = c->older;
}

static void unchain(struct fw_conntrack *t, uint32_t at, unsigned dir)
{
    struct fw_conn *c = fw_conn_at(t, at);
    uint32_t *link = &t->bucket[fw_hash(&c->key[dir], sizeof c->key[dir]) & t->mask];
    while (*link != 2 * at + dir)
        link = &fw_conn_at(t, *link / 2)->chain[*link % 2];
    *link = c->chain[dir];
}

void fw_conn_remove(struct fw_conntrack *t, uint32_t at)
{
    struct fw_conn *c = fw_conn_at(t, at);
    if (fw_conn_live(c))
        t->live--;
    list_remove(t, at);
    unchain(t, at, 0);
    unchain(t, at, 1);
    c->newer = t->free;
    t->free = at;
}

/* A place: one given back, one never used, the oldest tombstone's. */
static uint32_t take_place(struct fw_conntrack *t)
{
    if (!t->free && t->fresh == t->max && t->oldest[FW_CONN_DEAD])
        fw_conn_remove(t, t->oldest[FW_CONN_DEAD]);
    uint32_t at = t->free;
    if (at)
        t->free = fw_conn_at(t, at)->newer;
    else if (t->fresh < t->max)
        at = ++t->fresh;
    return at;
}

uint32_t fw_conn_add(struct fw_conntrack *t, uint64_t now_ns, const struct fw_key key[2], enum fw_timer timer)
{
    uint32_t at = take_place(t);
    if (!at)
        return 0;
    struct fw_conn *c = fw_conn_at(t, at);
    *c = (struct fw_conn){.key = {key[0], key[1]}, .used_ns = now_ns};
    for (unsigned dir = 0; dir < 2; dir++) {
        uint32_t *head = &t->bucket[fw_hash(&key[dir], sizeof key[dir]) & t->mask];
        c->chain[dir] = *head;
        *head = 2 * at + dir;
    }
    list_append(t, at, timer);
    t->live++;
    return at;
}

void fw_conn_use(struct fw_conntrack *t, uint32_t at, uint64_t now_ns, enum fw_timer timer)
{
    assert(fw_conn_live(fw_conn_at(t, at)));
    fw_conn_at(t, at)->used_ns = now_ns;
    list_remove(t, at);
    list_append(t, at, timer);
}

uint32_t fw_conn_expire(struct fw_conntrack *t, uint64_t now_ns, uint64_t *when_ns)
{
    for (unsigned timer = 0; timer < FW_TIMER_COUNT; timer++) {
        uint32_t at = t->oldest[timer];
        if (!at || t->timer[timer] == TIME_NEVER)
            continue;
        struct fw_conn *c = fw_conn_at(t, at);
        if (now_ns - c->used_ns < t->timer[timer])
            continue;
        *when_ns = c->used_ns + t->timer[timer];
        c->last = (uint8_t)timer;
        list_remove(t, at);
        list_append(t, at, FW_CONN_DEAD);
        t->live--;
        return at;
    }
    return 0;
}
