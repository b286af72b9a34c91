/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes in and out of network order: plain loads and stores, and a bounded reader, writer and text builder.
 * A reader or writer that runs over its end does nothing more and remembers it (`failed`), so a parser checks
 * once, at the end of a group, instead of after each field. */
#ifndef TP_BASE_BYTES_H
#define TP_BASE_BYTES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint16_t load16(const uint8_t *p)
{
    return (uint16_t)((unsigned)p[0] << 8 | p[1]);
}

static inline uint32_t load32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t load64(const uint8_t *p)
{
    return (uint64_t)load32(p) << 32 | load32(p + 4);
}

static inline void store16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void store32(uint8_t *p, uint32_t v)
{
    store16(p, v >> 16);
    store16(p + 2, v & 0xffff);
}

static inline void store64(uint8_t *p, uint64_t v)
{
    store32(p, (uint32_t)(v >> 32));
    store32(p + 4, (uint32_t)v);
}

struct reader {
    const uint8_t *p, *end;
    bool failed;
};

struct reader reader_of(const void *bytes, size_t len);
size_t reader_left(const struct reader *r);
uint8_t read8(struct reader *r);
uint16_t read16(struct reader *r);
uint32_t read32(struct reader *r);
uint64_t read64(struct reader *r);
/* The next len bytes, borrowed from the input; NULL when there are fewer. */
const uint8_t *read_bytes(struct reader *r, size_t len);

struct writer {
    uint8_t *base, *p, *end;
    bool failed;
};

struct writer writer_of(void *buf, size_t cap);
size_t writer_len(const struct writer *w);
void write8(struct writer *w, unsigned v);
void write16(struct writer *w, unsigned v);
void write32(struct writer *w, uint32_t v);
void write_bytes(struct writer *w, const void *bytes, size_t len);
void write_zeros(struct writer *w, size_t len);

/* Text into a fixed buffer: always NUL-terminated, cut at the end, `cut` remembers it. */
struct text {
    char *buf;
    size_t cap, len;
    bool cut;
};

struct text text_of(char *buf, size_t cap);
void text_add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_vadd(struct text *t, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/* n bytes as lower-case hex; out holds 2n+1. */
void hex_of(const void *bytes, size_t n, char *out);
/* Hex digits (white space between bytes allowed) to bytes. Returns the count, or E_MALFORMED / E_SPACE. */
long hex_parse(const char *hex, uint8_t *out, size_t cap);

#endif
