/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flows that are known, and which reader each gets. */
#include <stdlib.h>
#include <string.h>

#include "models/dialogue/reader.h"

enum { FIRST_CHANNEL = 0x40, LAST_CHANNEL = 0x7f, CHANNEL_HEADER = 4 };

struct flow {
    struct flow *next;              /* in its bucket */
    struct flow *older, *younger;   /* by when it last spoke */
    uint32_t number;
    bool turn;                      /* UDP: it has spoken STUN, so ChannelData may follow */
    unsigned ended;                 /* TCP: which directions have, as bits */
    struct reader_pair tcp;
};

struct dialogue {
    said_handler *handler;
    void *ctx;
    struct flow **bucket;
    size_t buckets, count, limit; /* buckets: a power of two */
    struct flow *oldest, *youngest;
    uint64_t missed;
};

struct dialogue *dialogue_new(size_t flows, said_handler *handler, void *ctx)
{
    struct dialogue *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    *d = (struct dialogue){.handler = handler, .ctx = ctx, .buckets = 64, .limit = flows ? flows : 1};
    while (d->buckets < d->limit)
        d->buckets *= 2;
    d->bucket = calloc(d->buckets, sizeof *d->bucket);
    if (d->bucket)
        return d;
    free(d);
    return NULL;
}

static struct flow **place_of(struct dialogue *d, uint32_t number)
{
    struct flow **at = &d->bucket[number & (d->buckets - 1)]; /* numbers are dense */
    while (*at && (*at)->number != number)
        at = &(*at)->next;
    return at;
}

static void unlink_age(struct dialogue *d, struct flow *f)
{
    *(f->older ? &f->older->younger : &d->oldest) = f->younger;
    *(f->younger ? &f->younger->older : &d->youngest) = f->older;
}

static void link_youngest(struct dialogue *d, struct flow *f)
{
    f->older = d->youngest;
    f->younger = NULL;
    *(d->youngest ? &d->youngest->younger : &d->oldest) = f;
    d->youngest = f;
}

static void forget(struct dialogue *d, struct flow *f)
{
    struct flow **at = place_of(d, f->number);
    *at = f->next;
    unlink_age(d, f);
    reader_pair_free(&f->tcp);
    free(f);
    d->count--;
}

void dialogue_free(struct dialogue *d)
{
    if (!d)
        return;
    while (d->oldest)
        forget(d, d->oldest);
    free(d->bucket);
    free(d);
}

uint64_t dialogue_missed(const struct dialogue *d)
{
    return d->missed;
}

static struct flow *flow_of(struct dialogue *d, const struct seen *s)
{
    struct flow *f = *place_of(d, s->flow);
    if (f) {
        unlink_age(d, f);
        link_youngest(d, f);
        return f;
    }
    if (d->count == d->limit) {
        forget(d, d->oldest);
        d->missed++;
    }
    f = calloc(1, sizeof *f);
    if (!f) {
        d->missed++;
        return NULL;
    }
    f->number = s->flow;
    struct flow **at = place_of(d, s->flow);
    *at = f;
    link_youngest(d, f);
    d->count++;
    return f;
}

static void tell(struct dialogue *d, enum said_kind kind, const struct seen *s)
{
    struct said said = {.kind = kind, .seen = s, .data = s->data, .len = s->len};
    d->handler(d->ctx, &said);
}

/* [MS-TURN] over UDP: the magic cookie is the first attribute (2.2.2.1). */
static bool looks_like_ms_turn(const uint8_t *p, size_t len)
{
    return len >= STUN_HEADER + 8 && !(p[0] & 0xc0) && STUN_HEADER + (size_t)load16(p + 2) == len &&
           load32(p + STUN_HEADER) == (ATTR_MS_MAGIC_COOKIE << 16 | 4) && load32(p + STUN_HEADER + 4) == MS_TURN_COOKIE;
}

static void see_datagram(struct dialogue *d, struct flow *f, const struct seen *s)
{
    struct said said = {.kind = SAID_BYTES, .seen = s, .data = s->data, .len = s->len};
    if (!s->cut && stun_looks_like(s->data, s->len) && stun_parse(&stun_rfc8489, s->data, s->len, &said.stun) == 0) {
        said.kind = SAID_STUN;
        f->turn = true;
    } else if (!s->cut && looks_like_ms_turn(s->data, s->len) &&
               stun_parse(&stun_ms_turn, s->data, s->len, &said.stun) == 0) {
        said.kind = SAID_MS_TURN;
    } else if (f->turn && s->len >= CHANNEL_HEADER && s->data[0] >= FIRST_CHANNEL && s->data[0] <= LAST_CHANNEL &&
               CHANNEL_HEADER + (size_t)load16(s->data + 2) <= s->len) {
        said.kind = SAID_CHANNEL;
        said.channel = load16(s->data);
        said.data = s->data + CHANNEL_HEADER;
        said.len = load16(s->data + 2);
    }
    d->handler(d->ctx, &said);
}

/* A FIN ends one direction, RST and END both; after that there is nothing to be known of the flow. */
static void see_end(struct dialogue *d, struct flow *f, const struct seen *s)
{
    unsigned ends = s->kind == SEEN_FIN ? 1u << s->reply : 3;
    for (unsigned reply = 0; reply < 2; reply++)
        if (s->proto == PROTO_TCP && ends & ~f->ended & 1u << reply)
            reader_end(&f->tcp, reply, s, d->handler, d->ctx);
    tell(d, SAID_EVENT, s);
    f->ended |= ends;
    if (f->ended == 3)
        forget(d, f);
}

void dialogue_see(void *dialogue, const struct seen *s)
{
    struct dialogue *d = dialogue;
    struct flow *f = flow_of(d, s);
    if (!f) { /* no memory: it is passed on unread */
        tell(d, s->kind == SEEN_BYTES || s->kind == SEEN_DATAGRAM ? SAID_BYTES : SAID_EVENT, s);
        return;
    }
    switch (s->kind) {
    case SEEN_DATAGRAM:
        see_datagram(d, f, s);
        break;
    case SEEN_BYTES:
        if (!reader_bytes(&f->tcp, s, d->handler, d->ctx))
            d->missed++;
        break;
    case SEEN_FIN:
    case SEEN_RST:
    case SEEN_END:
        see_end(d, f, s);
        break;
    case SEEN_OPEN:
        f->tcp.middle = !s->started;
        tell(d, SAID_EVENT, s);
        break;
    case SEEN_GAP:
        reader_gap(&f->tcp, s);
        tell(d, SAID_EVENT, s);
        break;
    case SEEN_SYN:
    case SEEN_ICMP:
    case SEEN_CONFLICT:
        tell(d, SAID_EVENT, s);
        break;
    }
}
