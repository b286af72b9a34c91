/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the relay keeps its things in, each of a size fixed when it is made: a pool of equal objects, a map from
 * numbers to them, and a heap of timers. None of them allocates afterwards. */
#ifndef TP_TURN_TABLES_H
#define TP_TURN_TABLES_H

#include <stddef.h>
#include <stdint.h>

/* Objects that were never handed out are never touched: a large limit costs address space, not time. */
struct pool {
    uint8_t *base;
    size_t size, cap, high; /* high: how many were ever out at once */
    void *free;
};
int pool_init(struct pool *p, size_t size, size_t cap); /* E_NOMEM */
void *pool_get(struct pool *p);                         /* zeroed; NULL: all are out */
void *pool_take(struct pool *p);                        /* the same, as it happens to be */
void pool_put(struct pool *p, void *object);

/* Keys are not 0. Tables of 16 slots, of 32 and so on to twice cap lie one behind another; a map moves to the next when
 * its own is half full and never back: what it touches, and how far apart, goes by how many there ever were at once. */
struct idmap {
    struct idmap_slot {
        uint64_t key;
        void *value;
    } *base, *slots; /* slots: the table in use, 1 << bits of them, at base + (1 << bits) */
    unsigned bits, most_bits;
    size_t count;
};
int idmap_init(struct idmap *m, size_t cap); /* E_NOMEM; else m->base is to be freed */
size_t idmap_footprint(const struct idmap *m); /* bytes of address space */
void *idmap_get(const struct idmap *m, uint64_t key); /* NULL: none */
void idmap_put(struct idmap *m, uint64_t key, void *value); /* a new key; at most cap of them */
void idmap_drop(struct idmap *m, uint64_t key);

/* Embedded in what it belongs to; zeroed it is not armed. Of equal times the heap's order decides, which is a
 * function of what was done before and of nothing else. */
struct timer {
    uint64_t at;
    size_t pos; /* in the heap, from 1; 0: not armed */
    void *owner;
};
struct timers {
    struct timer **heap;
    size_t count, cap;
};
int timers_init(struct timers *ts, size_t cap); /* E_NOMEM */
void timers_set(struct timers *ts, struct timer *t, void *owner, uint64_t at); /* TIME_NEVER disarms */
uint64_t timers_next(const struct timers *ts);
void *timers_due(struct timers *ts, uint64_t now_ns); /* the owner of one that is due, disarmed; NULL: none is */

#endif
