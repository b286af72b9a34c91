/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/wire/reassembly.h"

#include <stdlib.h>
#include <string.h>

#include "models/base/time.h"

enum { HEADERS = WIRE_ETH + WIRE_IP6, DATA_MAX = UINT16_MAX - WIRE_IP4, BLOCK = 8 };
static const uint64_t lifetime_ns = 30 * NS_S;

struct datagram {
    struct ip_addr src, dst;
    uint8_t proto;
    uint32_t id;
    uint64_t began_ns;
    size_t size;                          /* 0: the last fragment has not come */
    size_t have;
    uint8_t eth[WIRE_ETH];
    uint8_t blocks[DATA_MAX / BLOCK + 1]; /* which 8-byte blocks have come */
    uint8_t data[DATA_MAX + BLOCK];
};

static void drop(struct reassembly *r, size_t i)
{
    free(r->open[i]);
    r->open[i] = NULL;
}

static void lose(struct reassembly *r, size_t i)
{
    r->lost += r->open[i] != NULL;
    drop(r, i);
}

static bool matches(const struct datagram *d, const struct wire_packet *p)
{
    return d->id == p->fragment_id && d->proto == p->proto && ip_equal(&d->src, &p->src) && ip_equal(&d->dst, &p->dst);
}

/* The slot of the fragment's datagram, begun if need be. What is too old goes first. */
static size_t slot_of(struct reassembly *r, const struct wire_packet *p, uint64_t now_ns)
{
    size_t slot = 0;
    for (size_t i = 0; i < REASSEMBLY_MAX; i++) {
        if (r->open[i] && now_ns - r->open[i]->began_ns > lifetime_ns)
            lose(r, i);
        if (r->open[i] && matches(r->open[i], p))
            return i;
        if (r->open[slot] && (!r->open[i] || r->open[i]->began_ns < r->open[slot]->began_ns))
            slot = i;
    }
    lose(r, slot);
    struct datagram *d = calloc(1, sizeof *d);
    if (d) {
        d->src = p->src;
        d->dst = p->dst;
        d->proto = p->proto;
        d->id = p->fragment_id;
        d->began_ns = now_ns;
        if (p->l3 >= WIRE_ETH)
            memcpy(d->eth, p->frame, WIRE_ETH);
        r->open[slot] = d;
    }
    return slot;
}

static uint8_t *whole_frame(const struct datagram *d, size_t *len)
{
    uint8_t *f = malloc(HEADERS + d->size);
    if (!f)
        return NULL;
    memcpy(f, d->eth, WIRE_ETH);
    size_t n = WIRE_ETH;
    n += wire_put_ip(f + n, &d->src, &d->dst, d->proto, 64, (uint16_t)d->id, d->size);
    memcpy(f + n, d->data, d->size);
    *len = n + d->size;
    return f;
}

enum outcome { TAKEN, REPEATED, BROKEN };

static enum outcome take(struct datagram *d, const struct wire_packet *p, size_t at, size_t len)
{
    if (at + len > DATA_MAX || p->upper + len > p->len || (p->more_fragments && len % BLOCK) || len == 0)
        return BROKEN;
    size_t end = at + len;
    bool last = !p->more_fragments;
    size_t first = at / BLOCK, past = (end + BLOCK - 1) / BLOCK, seen = 0;
    if (d->size && (end > d->size || (last && end != d->size)))
        return BROKEN;
    if (last && memchr(d->blocks + past, 1, sizeof d->blocks - past))
        return BROKEN; /* something lies behind the end */
    for (size_t b = first; b < past; b++)
        seen += d->blocks[b];
    if (seen)
        return seen == past - first ? REPEATED : BROKEN;
    memset(d->blocks + first, 1, past - first);
    memcpy(d->data + at, p->frame + p->upper, len);
    d->have += len;
    if (last)
        d->size = end;
    return TAKEN;
}

uint8_t *reassembly_add(struct reassembly *r, const struct wire_packet *p, uint64_t now_ns, size_t *len)
{
    size_t slot = slot_of(r, p, now_ns);
    struct datagram *d = r->open[slot];
    if (!d)
        return NULL;
    enum outcome o = take(d, p, p->fragment_at, p->payload + p->payload_len - p->upper);
    uint8_t *frame = o == TAKEN && d->size && d->have == d->size ? whole_frame(d, len) : NULL;
    if (o == BROKEN)
        lose(r, slot);
    else if (frame)
        drop(r, slot);
    return frame;
}

void reassembly_free(struct reassembly *r)
{
    for (size_t i = 0; i < REASSEMBLY_MAX; i++)
        drop(r, i);
}
