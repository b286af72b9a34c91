/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a connection keeps bytes and sequence numbers in: a ring of bytes that grows, and a sorted set of ranges of
 * sequence numbers, which is the reassembly list on one side and the SACK scoreboard on the other. */
#ifndef TP_SIM_NATIVE_TCP_BUFFER_H
#define TP_SIM_NATIVE_TCP_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/native/tcp.h"

/* Sequence numbers compare modulo 2^32 (RFC 9293 3.4). */
static inline bool seq_lt(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static inline bool seq_le(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) <= 0;
}

static inline uint32_t seq_max(uint32_t a, uint32_t b)
{
    return seq_lt(a, b) ? b : a;
}

static inline uint32_t seq_min(uint32_t a, uint32_t b)
{
    return seq_lt(a, b) ? a : b;
}

/* Offsets count from the first byte kept. How many bytes are in use is the owner's to know. */
struct ring {
    uint8_t *p;
    uint32_t cap; /* a power of two, or 0 */
    uint32_t head;
};

/* Room for need bytes in all. false: no memory; nothing has changed. */
bool ring_reserve(struct ring *r, size_t need);
void ring_put(struct ring *r, size_t offset, const void *bytes, size_t len);
void ring_get(const struct ring *r, size_t offset, void *bytes, size_t len);
/* The bytes where they are, in one piece or two, as out's data. */
void ring_view(const struct ring *r, size_t offset, size_t len, struct tcp_segment *out);
void ring_drop(struct ring *r, size_t len);
/* Nothing is kept any more: begins again at the front, which is still in the cache. */
void ring_rewind(struct ring *r);
void ring_free(struct ring *r);

/* Disjoint, not adjacent, ascending. */
struct ranges {
    struct tcp_sack *v;
    uint16_t count, cap;
};

/* The most ranges that a set holds; a peer that makes more holes has its data dropped or sent again. */
enum { RANGES_MAX = 1024 };

/* Merges [from, to) in. Returns the range that it is now part of, or NULL when there is no place for it. */
const struct tcp_sack *ranges_add(struct ranges *s, uint32_t from, uint32_t to);
/* Forgets what is below seq. */
void ranges_trim(struct ranges *s, uint32_t seq);
bool ranges_cover(const struct ranges *s, uint32_t from, uint32_t to);
/* How many sequence numbers of [from, to) are in the set. */
uint32_t ranges_within(const struct ranges *s, uint32_t from, uint32_t to);
void ranges_free(struct ranges *s);

#endif
