/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes on their way to a file, or only to their hash, or both: formatted by hand into one buffer, since a trace has
 * a line for each packet and printf would cost more than the packet. */
#ifndef TP_SCENARIO_SINK_H
#define TP_SCENARIO_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "models/base/addr.h"
#include "models/base/hash.h"

enum { SINK_BUFFER = 256 * 1024 };

struct sink {
    int fd; /* -1: no file */
    bool hashing;
    int err; /* errno of the first write that failed */
    struct sha256 hash;
    uint8_t *buf;
    size_t len;
};

/* path NULL: no file. False: it cannot be made, errno says why. */
bool sink_open(struct sink *s, const char *path, bool hashing);
/* Writes what is left and closes; 0 or the errno of what failed. digest (may be NULL): SHA-256 of all bytes in hex. */
int sink_close(struct sink *s, char digest[65]);

void sink_flush(struct sink *s);

static inline void sink_bytes(struct sink *s, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    for (size_t room = SINK_BUFFER - s->len; len > room; room = SINK_BUFFER) {
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

void sink_u64(struct sink *s, uint64_t v);
void sink_hex16(struct sink *s, unsigned v);
void sink_endpoint(struct sink *s, const struct endpoint *e);
void sink_string(struct sink *s, const char *text); /* as a JSON string with its quotes */

#endif
