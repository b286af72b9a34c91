/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/dialogue/reader.h"

#include <stdlib.h>
#include <string.h>

#include "models/msturn/framing.h"

enum {
    FIRST_CHANNEL = 0x40,
    LAST_CHANNEL = 0x7f,
    CHANNEL_HEADER = 4,
    FRAME_HEADER = 2,   /* RFC 4571 */
    COOKIE_AT = 4,
    UNIT_MAX = 65536 + 64,
    FIRST_BYTES = 8,    /* a STUN message, or a frame of one shorter than 2,048 bytes, begins with less */
    TELLING = FRAME_HEADER + COOKIE_AT + 4, /* so many bytes tell what a direction speaks */
    WHOLE = 0, NEVER = -1,
};

/* One call of reader_bytes: where it is in the bytes. */
struct run {
    struct reader_pair *pair;
    struct reader_side *side;
    const struct seen *seen;
    said_handler *handler;
    void *ctx;
    const uint8_t *p;
    size_t left;
};

void reader_pair_free(struct reader_pair *p)
{
    free(p->side[0].buf);
    free(p->side[1].buf);
}

static void say(const struct run *r, enum said_kind kind, const uint8_t *data, size_t len)
{
    struct said said = {.kind = kind, .seen = r->seen, .bound = r->pair->bound, .data = data, .len = len};
    if (kind == SAID_FRAME && stun_looks_like(data, len) && stun_parse(&stun_rfc8489, data, len, &said.stun))
        said.stun = (struct stun_msg){0};
    r->handler(r->ctx, &said);
}

/* ---- what begins here ---- */

static bool stun_begins(const uint8_t *p, size_t len)
{
    return len >= COOKIE_AT + 4 && !(p[0] & 0xc0) && load16(p + 2) % 4 == 0 && load32(p + COOKIE_AT) == STUN_COOKIE;
}

static bool framed_stun_begins(const uint8_t *p, size_t len)
{
    return len >= TELLING && stun_begins(p + FRAME_HEADER, len - FRAME_HEADER) &&
           load16(p) == STUN_HEADER + load16(p + FRAME_HEADER + 2);
}

static bool channel_begins(const uint8_t *p)
{
    return p[0] >= FIRST_CHANNEL && p[0] <= LAST_CHANNEL;
}

/* A record as [MS-TURN] has it, as far as it is there: of the client, or of the server. */
static const struct ms_hello *hello_begins(const uint8_t *p, size_t len)
{
    static const struct ms_hello *const hellos[] = {&ms_client_hello, &ms_server_hello};
    for (size_t i = 0; i < sizeof hellos / sizeof *hellos; i++) {
        const uint8_t *at = p;
        size_t have = 0, left = len;
        if (ms_hello_take(hellos[i], &have, &at, &left) >= 0)
            return hellos[i];
    }
    return NULL;
}

/* A control message in a unit, the lengths of which agree. */
static bool unit_begins(const uint8_t *p, size_t len)
{
    return len >= MS_UNIT_HEADER + 4 && p[0] == MS_UNIT_CONTROL && p[1] == 0 && !(p[MS_UNIT_HEADER] & 0xc0) &&
           load16(p + 2) == STUN_HEADER + load16(p + MS_UNIT_HEADER + 2);
}

/* ended: no more bytes will come to tell by. */
static enum reading told_by(const struct run *r, bool ended)
{
    const struct reader_side *other = &r->pair->side[r->side == r->pair->side];
    if (!r->pair->bound && stun_begins(r->p, r->left))
        return READ_TURN;
    if (framed_stun_begins(r->p, r->left))
        return READ_FRAMES;
    if (other->reading == READ_TURN && !r->pair->bound && channel_begins(r->p))
        return READ_TURN;
    if (r->left < TELLING && !ended)
        return READ_FRESH;
    if (!r->pair->bound && hello_begins(r->p, r->left))
        return READ_HELLO;
    if (!r->pair->bound && unit_begins(r->p, r->left))
        return READ_UNITS;
    if (r->pair->middle && !r->pair->bound)
        return READ_LOST;
    if (other->reading == READ_FRAMES)
        return READ_FRAMES;
    return READ_BYTES;
}

/* ---- messages ---- */

/* Both directions carry a peer's bytes from here on. */
static void bind(struct run *r)
{
    r->pair->bound = true;
    r->pair->side[0].reading = r->pair->side[1].reading = READ_FRESH;
}

static void tell_stun(struct run *r, size_t len)
{
    struct said said = {.kind = SAID_STUN, .seen = r->seen, .data = r->p, .len = len};
    if (stun_parse(&stun_rfc8489, r->p, len, &said.stun)) {
        say(r, SAID_LOST, r->p, len);
        return;
    }
    r->handler(r->ctx, &said);
    r->side->binds = said.stun.method == TURN_CONNECTION_BIND && said.stun.cls == STUN_REQUEST;
    if (said.stun.method == TURN_CONNECTION_BIND && said.stun.cls == STUN_SUCCESS)
        bind(r);
}

static void tell_channel(const struct run *r)
{
    struct said said = {.kind = SAID_CHANNEL, .seen = r->seen, .channel = load16(r->p), .padded = true,
                        .data = r->p + CHANNEL_HEADER, .len = load16(r->p + 2)};
    r->handler(r->ctx, &said);
}

static void take(struct run *r, size_t len)
{
    r->p += len;
    r->left -= len;
}

/* One message, if it is whole. False: more bytes are needed. */
static bool turn_message(struct run *r)
{
    struct reader_side *side = r->side;
    if (channel_begins(r->p)) {
        size_t len = r->left < CHANNEL_HEADER ? SIZE_MAX : CHANNEL_HEADER + ((size_t)load16(r->p + 2) + 3) / 4 * 4;
        if (r->left < len)
            return false;
        tell_channel(r);
        side->binds = false;
        take(r, len);
        return true;
    }
    long len = stun_stream_len(&stun_rfc8489, r->p, r->left, UNIT_MAX);
    if (len == WHOLE)
        return false;
    if (len < 0) { /* payload right behind a ConnectionBind, before its answer; else who knows */
        side->reading = side->binds ? READ_FRESH : READ_LOST;
        side->turn = true;
        return true;
    }
    if (r->left < (size_t)len)
        return false;
    tell_stun(r, (size_t)len);
    take(r, (size_t)len);
    return true;
}

static bool frame(struct run *r)
{
    size_t len = r->left < FRAME_HEADER ? SIZE_MAX : FRAME_HEADER + (size_t)load16(r->p);
    if (r->left < len)
        return false;
    say(r, SAID_FRAME, r->p + FRAME_HEADER, len - FRAME_HEADER);
    take(r, len);
    return true;
}

/* What differs is TLS in earnest, or something else. */
static bool hello(struct run *r)
{
    const struct ms_hello *h = hello_begins(r->p, r->left);
    if (!h) {
        r->side->reading = READ_BYTES;
        return true;
    }
    if (r->left < h->len)
        return false;
    say(r, SAID_MS_HELLO, r->p, h->len);
    take(r, h->len);
    r->side->reading = READ_UNITS;
    return true;
}

static void tell_control(const struct run *r, const uint8_t *p, size_t len)
{
    struct said said = {.kind = SAID_MS_TURN, .seen = r->seen, .data = p, .len = len};
    if (stun_parse(&stun_ms_turn, p, len, &said.stun))
        say(r, SAID_LOST, p, len);
    else
        r->handler(r->ctx, &said);
}

static bool unit(struct run *r)
{
    if (r->p[0] != MS_UNIT_CONTROL && r->p[0] != MS_UNIT_DATA) {
        r->side->reading = READ_BYTES;
        return true;
    }
    size_t len = r->left < MS_UNIT_HEADER ? SIZE_MAX : MS_UNIT_HEADER + (size_t)load16(r->p + 2);
    if (r->left < len)
        return false;
    if (r->p[0] == MS_UNIT_CONTROL)
        tell_control(r, r->p + MS_UNIT_HEADER, len - MS_UNIT_HEADER);
    else
        say(r, SAID_FRAME, r->p + MS_UNIT_HEADER, len - MS_UNIT_HEADER);
    take(r, len);
    return true;
}

/* Throws away what cannot be the beginning of a message. False: none is in these bytes. */
static bool find_again(struct run *r)
{
    static const uint8_t cookie[4] = {STUN_COOKIE >> 24, STUN_COOKIE >> 16 & 0xff, STUN_COOKIE >> 8 & 0xff,
                                      STUN_COOKIE & 0xff};
    size_t gone = r->left < TELLING ? 0 : r->left - TELLING + 1; /* unless a message begins before that */
    while (gone < r->left && r->p[gone] >= FIRST_BYTES) /* text waits for nothing */
        gone++;
    enum reading found = READ_LOST;
    const uint8_t *at = r->p;
    while (found == READ_LOST && (at = memmem(at, (size_t)(r->p + r->left - at), cookie, sizeof cookie))) {
        size_t before = (size_t)(at - r->p), frame_at = before - COOKIE_AT - FRAME_HEADER;
        if (before >= COOKIE_AT + FRAME_HEADER && framed_stun_begins(r->p + frame_at, r->left - frame_at)) {
            found = READ_FRAMES;
            gone = frame_at;
        } else if (!r->pair->bound && before >= COOKIE_AT &&
                   stun_begins(at - COOKIE_AT, r->left - before + COOKIE_AT)) {
            found = READ_TURN;
            gone = before - COOKIE_AT;
        }
        at += sizeof cookie;
    }
    if (gone)
        say(r, r->side->turn ? SAID_LOST : SAID_BYTES, r->p, gone);
    take(r, gone);
    if (found == READ_LOST)
        return false;
    r->side->reading = found;
    return true;
}

/* One step; false: the rest has to wait for more. */
static bool step(struct run *r)
{
    switch (r->side->reading) {
    case READ_FRESH:
        r->side->reading = told_by(r, false);
        return r->side->reading != READ_FRESH;
    case READ_TURN:
        return turn_message(r);
    case READ_FRAMES:
        return frame(r);
    case READ_HELLO:
        return hello(r);
    case READ_UNITS:
        return unit(r);
    case READ_LOST:
        return find_again(r);
    case READ_BYTES:
        say(r, SAID_BYTES, r->p, r->left);
        take(r, r->left);
        return true;
    }
    return false;
}

static bool room(struct reader_side *s, size_t need)
{
    if (s->cap >= need)
        return true;
    size_t cap = s->cap ? s->cap : 2048;
    while (cap < need)
        cap *= 2;
    uint8_t *buf = realloc(s->buf, cap);
    if (!buf)
        return false;
    s->buf = buf;
    s->cap = cap;
    return true;
}

/* What waits is kept in the side's buffer; a message is at most UNIT_MAX long, so that is bounded. */
static bool keep(struct run *r)
{
    struct reader_side *s = r->side;
    if (r->left == 0) {
        free(s->buf);
        s->buf = NULL;
        s->have = s->cap = 0;
        return true;
    }
    bool within = s->buf && r->p >= s->buf && r->p < s->buf + s->cap;
    if (!within && !room(s, r->left)) {
        s->have = 0;
        return false;
    }
    memmove(s->buf, r->p, r->left);
    s->have = r->left;
    return true;
}

bool reader_bytes(struct reader_pair *pair, const struct seen *s, said_handler *handler, void *ctx)
{
    struct reader_side *side = &pair->side[s->reply];
    struct run r = {pair, side, s, handler, ctx, s->data, s->len};
    if (side->have) {
        if (!room(side, side->have + s->len)) {
            side->have = 0;
            reader_gap(pair, s);
            return false;
        }
        memcpy(side->buf + side->have, s->data, s->len);
        r.p = side->buf;
        r.left = side->have + s->len;
    }
    while (r.left && step(&r))
        ;
    if (keep(&r))
        return true;
    reader_gap(pair, s);
    return false;
}

void reader_gap(struct reader_pair *pair, const struct seen *s)
{
    struct reader_side *side = &pair->side[s->reply];
    side->have = 0;
    if (side->reading == READ_HELLO || side->reading == READ_UNITS)
        side->reading = READ_BYTES; /* nothing marks where a unit begins */
    if (side->reading == READ_TURN || side->reading == READ_FRAMES) {
        side->turn = side->reading == READ_TURN;
        side->reading = READ_LOST;
    }
}

void reader_end(struct reader_pair *pair, bool reply, const struct seen *s, said_handler *handler, void *ctx)
{
    struct reader_side *side = &pair->side[reply];
    struct run r = {pair, side, s, handler, ctx, side->buf, side->have};
    if (!side->have)
        return;
    if (side->reading == READ_FRESH)
        side->reading = told_by(&r, true);
    while (r.left && step(&r))
        ;
    if (r.left)
        say(&r, side->reading == READ_TURN ? SAID_LOST : SAID_BYTES, r.p, r.left);
    side->have = 0;
}
