/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes on their way to a file, or only to their hash, or both: formatted by hand into one buffer, since a trace has
 * a line for each packet and printf would cost more than the packet. */
#ifndef TP_SCENARIO_SINK_H
#define TP_SCENARIO_SINK_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "models/base/addr.h"
#include "models/base/hash.h"

/* Of a file, so that a write is worth its call; of bytes that are only hashed, so that they are still in the cache. */
enum { SINK_FILE_BUFFER = 256 * 1024, SINK_HASH_BUFFER = 16 * 1024 };

struct sink {
    int fd; /* -1: no file */
    bool hashing;
    int err; /* errno of the first write that failed */
    struct sha256 hash;
    uint8_t *buf;
    size_t len, cap;
};

/* path NULL: no file. False: it cannot be made, errno says why. */
bool sink_open(struct sink *s, const char *path, bool hashing);
/* Writes what is left and closes; 0 or the errno of what failed. digest (may be NULL): SHA-256 of all bytes in hex. */
int sink_close(struct sink *s, char digest[65]);

void sink_flush(struct sink *s);

static inline void sink_bytes(struct sink *s, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    for (size_t room = s->cap - s->len; len > room; room = s->cap) {
        memcpy(s->buf + s->len, p, room);
        s->len += room;
        p += room;
        len -= room;
        sink_flush(s);
    }
    memcpy(s->buf + s->len, p, len);
    s->len += len;
}

/* Of a literal the compiler knows the length. */
static inline void sink_text(struct sink *s, const char *text)
{
    sink_bytes(s, text, strlen(text));
}

/* Formatted text, cut at 2,047 bytes: for what people read, not for the trace. */
void sink_f(struct sink *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Room for a line or a block to be formatted in place, at most SINK_HASH_BUFFER (of a file: SINK_FILE_BUFFER) bytes;
 * sink_used says where it ended. */
static inline char *sink_room(struct sink *s, size_t len)
{
    assert(len <= s->cap);
    if (s->cap - s->len < len)
        sink_flush(s);
    return (char *)s->buf + s->len;
}

static inline void sink_used(struct sink *s, const char *end)
{
    s->len = (size_t)(end - (char *)s->buf);
    assert(s->len <= s->cap);
}

/* Text in place, at p: each returns its end. */
static inline char *fmt_bytes(char *p, const void *bytes, size_t len)
{
    memcpy(p, bytes, len);
    return p + len;
}

static inline char *fmt_text(char *p, const char *text)
{
    return fmt_bytes(p, text, strlen(text));
}

enum { FMT_U64 = 20, FMT_HEX16 = 4 }; /* bytes at most; an endpoint: ENDPOINT_TEXT */
char *fmt_u64(char *p, uint64_t v);
char *fmt_hex16(char *p, unsigned v);
char *fmt_endpoint(char *p, const struct endpoint *e);

void sink_u64(struct sink *s, uint64_t v);
void sink_endpoint(struct sink *s, const struct endpoint *e);
/* A paragraph from the column that was reached, further lines from the same one: words of at most 80 columns a line
 * where they are not longer themselves, and a line feed. */
void sink_wrapped(struct sink *s, size_t column, const char *text);
/* The character at p, as it is; of bytes that are no UTF-8 (RFC 3629, section 4) one, as U+FFFD. What follows it. */
const char *sink_character(struct sink *s, const char *p);
/* As a JSON string with its quotes: valid UTF-8, whatever the text is. */
void sink_string(struct sink *s, const char *text);

#endif
