/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One direction of a TCP connection, put in order from segments as they were seen (RFC 9293 3.4, 3.10.7.4). Bytes in
 * order are told from the caller's buffer, without a copy; what comes too early is held in blocks of a common pool. Of
 * bytes that come twice the first stand. Nothing is allocated for each segment. */
#ifndef TP_TRACE_STREAM_H
#define TP_TRACE_STREAM_H

#include "models/trace/seen.h"

enum { STREAM_BLOCK = 2048 };            /* bytes of memory of one block */
enum { STREAM_WINDOW_MAX = 1 << 30 };    /* the largest window (RFC 7323 2.2): further off is another connection's */

struct stream_block;
struct stream_slab;

struct stream_pool {
    struct stream_block *free;
    struct stream_slab *slabs;
    size_t made, max;    /* blocks */
    size_t used, peak;
};

/* max bytes of memory in all. */
void stream_pool_init(struct stream_pool *p, size_t max);
void stream_pool_free(struct stream_pool *p);

struct stream {
    struct stream_block *first, *last; /* held, in order; none begins before next */
    uint32_t next;                     /* sequence number of the next byte to tell */
    uint32_t blocks;
    bool shut;                         /* hold everything: the handshake is not complete */
};

/* How what is found is told: SEEN_BYTES, SEEN_GAP (data NULL) and SEEN_CONFLICT. */
struct stream_out {
    struct stream_pool *pool;
    uint32_t blocks_max; /* that one stream may hold */
    void (*tell)(void *ctx, enum seen_kind kind, const uint8_t *data, size_t len);
    void *ctx;
};

/* What a segment carries: len bytes from seq on, of which have were captured. */
struct stream_piece {
    uint32_t seq;
    const uint8_t *data;
    size_t have, len;
};

/* Takes it; seq is within STREAM_WINDOW_MAX of next. False: there was nothing new in it. Where memory ends, holes are
 * told as gaps early, so that nothing is dropped. */
bool stream_add(struct stream *s, const struct stream_out *out, struct stream_piece c);
/* Tells all that is before seq, holes as gaps, and what then follows. */
void stream_tell_to(struct stream *s, const struct stream_out *out, uint32_t seq);
/* Tells all that is held, holes as gaps. */
void stream_tell_all(struct stream *s, const struct stream_out *out);
/* Gives back what is held, untold. */
void stream_drop(struct stream *s, struct stream_pool *p);

#endif
