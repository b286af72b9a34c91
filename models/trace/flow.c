/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/trace/flow.h"

#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/trace/sighting.h"

int flow_table_init(struct flow_table *t, uint32_t max)
{
    uint32_t buckets = 1;
    while (buckets < max && buckets < UINT32_MAX / 2)
        buckets *= 2;
    /* Zeroed pages that are not touched cost nothing. */
    *t = (struct flow_table){.max = max, .mask = buckets - 1};
    t->flow = calloc(max, sizeof *t->flow);
    t->bucket = calloc(buckets, sizeof *t->bucket);
    return t->flow && t->bucket ? 0 : E_NOMEM;
}

void flow_table_free(struct flow_table *t)
{
    free(t->flow);
    free(t->bucket);
}

struct flow_key flow_key_of(const struct endpoint *src, const struct endpoint *dst, enum ip_proto proto,
                            unsigned *from)
{
    struct flow_key k = {.proto_family = (uint32_t)proto << 8 | src->ip.family};
    uint64_t s[2], d[2];
    memcpy(s, src->ip.b, sizeof s);
    memcpy(d, dst->ip.b, sizeof d);
    bool later = s[0] != d[0] ? s[0] > d[0] : s[1] != d[1] ? s[1] > d[1] : src->port > dst->port;
    *from = later;
    memcpy(k.ip[later], s, sizeof s);
    memcpy(k.ip[!later], d, sizeof d);
    k.port[later] = src->port;
    k.port[!later] = dst->port;
    return k;
}

static uint32_t *bucket_of(struct flow_table *t, const struct flow_key *k)
{
    return &t->bucket[sighting_hash(0, k, sizeof *k) & t->mask];
}

static uint32_t number(const struct flow_table *t, const struct flow *f)
{
    return (uint32_t)(f - t->flow) + 1;
}

static struct flow *at(struct flow_table *t, uint32_t n)
{
    return n ? &t->flow[n - 1] : NULL;
}

static void unlink_use(struct flow_table *t, struct flow *f)
{
    *(f->newer ? &at(t, f->newer)->older : &t->newest) = f->older;
    *(f->older ? &at(t, f->older)->newer : &t->oldest) = f->newer;
}

static void link_newest(struct flow_table *t, struct flow *f)
{
    uint32_t n = number(t, f);
    f->newer = 0;
    f->older = t->newest;
    *(t->newest ? &at(t, t->newest)->newer : &t->oldest) = n;
    t->newest = n;
}

struct flow *flow_find(struct flow_table *t, const struct flow_key *k)
{
    struct flow *f = at(t, *bucket_of(t, k));
    while (f && memcmp(&f->key, k, sizeof *k) != 0)
        f = at(t, f->next);
    if (f && f->newer) {
        unlink_use(t, f);
        link_newest(t, f);
    }
    return f;
}

struct flow *flow_oldest(struct flow_table *t)
{
    return at(t, t->oldest);
}

struct flow *flow_newer(struct flow_table *t, const struct flow *f)
{
    return at(t, f->newer);
}

void flow_table_clear(struct flow_table *t)
{
    memset(t->bucket, 0, (t->mask + (size_t)1) * sizeof *t->bucket);
    t->used = t->newest = t->oldest = 0;
}

struct flow *flow_in_the_way(struct flow_table *t)
{
    return t->used < t->max ? NULL : at(t, t->oldest);
}

static void take_out(struct flow_table *t, struct flow *f)
{
    uint32_t *link = bucket_of(t, &f->key);
    while (*link != number(t, f))
        link = &at(t, *link)->next;
    *link = f->next;
    unlink_use(t, f);
}

static struct endpoint end_of(const struct flow_key *k, unsigned which)
{
    struct endpoint e = {.ip.family = (uint8_t)k->proto_family, .port = k->port[which]};
    memcpy(e.ip.b, k->ip[which], sizeof e.ip.b);
    return e;
}

void flow_renew(struct flow_table *t, struct flow *f)
{
    struct flow_key k = f->key;
    *f = (struct flow){.key = k, .next = f->next, .newer = f->newer, .older = f->older, .id = ++t->last_id,
                       .end = {end_of(&k, 0), end_of(&k, 1)}, .proto = (enum ip_proto)(k.proto_family >> 8)};
    f->half[0].in.shut = f->half[1].in.shut = true;
}

struct flow *flow_add(struct flow_table *t, const struct flow_key *k)
{
    struct flow *f = flow_in_the_way(t);
    if (f)
        take_out(t, f);
    else
        f = &t->flow[t->used++];
    uint32_t *bucket = bucket_of(t, k);
    f->key = *k;
    f->next = *bucket;
    *bucket = number(t, f);
    link_newest(t, f);
    flow_renew(t, f);
    return f;
}
