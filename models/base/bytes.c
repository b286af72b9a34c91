/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/base/bytes.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "models/base/err.h"

struct reader reader_of(const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    return (struct reader){.p = p, .end = len ? p + len : p};
}

size_t reader_left(const struct reader *r)
{
    return r->failed ? 0 : (size_t)(r->end - r->p);
}

const uint8_t *read_bytes(struct reader *r, size_t len)
{
    if (r->failed || (size_t)(r->end - r->p) < len) {
        r->failed = true;
        return NULL;
    }
    const uint8_t *p = r->p;
    if (len)
        r->p += len;
    return p;
}

uint8_t read8(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 1);
    return p ? *p : 0;
}

uint16_t read16(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 2);
    return p ? load16(p) : 0;
}

uint32_t read32(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 4);
    return p ? load32(p) : 0;
}

uint64_t read64(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 8);
    return p ? load64(p) : 0;
}

struct writer writer_of(void *buf, size_t cap)
{
    uint8_t *p = buf;
    return (struct writer){.base = p, .p = p, .end = cap ? p + cap : p};
}

size_t writer_len(const struct writer *w)
{
    return (size_t)(w->p - w->base);
}

/* Room for len more bytes, or NULL and the writer has failed. */
static uint8_t *writer_take(struct writer *w, size_t len)
{
    if (w->failed || (size_t)(w->end - w->p) < len) {
        w->failed = true;
        return NULL;
    }
    uint8_t *p = w->p;
    if (len)
        w->p += len;
    return p;
}

void write8(struct writer *w, unsigned v)
{
    uint8_t *p = writer_take(w, 1);
    if (p)
        *p = (uint8_t)v;
}

void write16(struct writer *w, unsigned v)
{
    uint8_t *p = writer_take(w, 2);
    if (p)
        store16(p, v);
}

void write32(struct writer *w, uint32_t v)
{
    uint8_t *p = writer_take(w, 4);
    if (p)
        store32(p, v);
}

void write_bytes(struct writer *w, const void *bytes, size_t len)
{
    uint8_t *p = writer_take(w, len);
    if (p && len)
        memcpy(p, bytes, len);
}

void write_zeros(struct writer *w, size_t len)
{
    uint8_t *p = writer_take(w, len);
    if (p && len)
        memset(p, 0, len);
}

struct text text_of(char *buf, size_t cap)
{
    assert(cap > 0);
    buf[0] = '\0';
    return (struct text){.buf = buf, .cap = cap};
}

void text_vadd(struct text *t, const char *fmt, va_list ap)
{
    size_t room = t->cap - t->len;
    int n = vsnprintf(t->buf + t->len, room, fmt, ap);
    assert(n >= 0);
    if ((size_t)n >= room) {
        t->cut = true;
        t->len = t->cap - 1;
    } else {
        t->len += (size_t)n;
    }
}

void text_add(struct text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    text_vadd(t, fmt, ap);
    va_end(ap);
}

void hex_of(const void *bytes, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = bytes;
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    out[2 * n] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

long hex_parse(const char *hex, uint8_t *out, size_t cap)
{
    size_t n = 0;
    for (const char *p = hex; *p; p += 2) {
        while (*p == ' ' || *p == '\n' || *p == '\t')
            p++;
        if (!*p)
            break;
        int hi = hex_digit(p[0]), lo = hi < 0 ? -1 : hex_digit(p[1]);
        if (lo < 0)
            return E_MALFORMED;
        if (n == cap)
            return E_SPACE;
        out[n++] = (uint8_t)(hi << 4 | lo);
    }
    return (long)n;
}
