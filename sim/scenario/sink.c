/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/sink.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "models/base/bytes.h"

bool sink_open(struct sink *s, const char *path, bool hashing)
{
    *s = (struct sink){.fd = -1, .hashing = hashing};
    if (path && (s->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) < 0)
        return false;
    s->buf = malloc(SINK_BUFFER);
    assert(s->buf);
    sha256_start(&s->hash);
    return true;
}

void sink_flush(struct sink *s)
{
    if (s->hashing)
        sha256_add(&s->hash, s->buf, s->len);
    for (size_t done = 0; s->fd >= 0 && !s->err && done < s->len;) {
        ssize_t n = write(s->fd, s->buf + done, s->len - done);
        if (n >= 0)
            done += (size_t)n;
        else if (errno != EINTR)
            s->err = errno;
    }
    s->len = 0;
}

int sink_close(struct sink *s, char digest[65])
{
    sink_flush(s);
    if (s->fd >= 0 && close(s->fd) != 0 && !s->err)
        s->err = errno;
    free(s->buf);
    if (digest) {
        uint8_t sum[HASH_SHA256];
        sha256_end(&s->hash, sum);
        hex_of(sum, sizeof sum, digest);
    }
    return s->err;
}

/* The decimal digits of v, ending before end; where they begin. */
static char *digits(char *end, uint64_t v)
{
    do
        *--end = (char)('0' + v % 10);
    while (v /= 10);
    return end;
}

void sink_u64(struct sink *s, uint64_t v)
{
    char text[20], *end = text + sizeof text, *p = digits(end, v);
    sink_bytes(s, p, (size_t)(end - p));
}

void sink_hex16(struct sink *s, unsigned v)
{
    uint8_t b[2];
    char out[5];
    store16(b, v);
    hex_of(b, 2, out);
    sink_bytes(s, out, 4);
}

void sink_endpoint(struct sink *s, const struct endpoint *e)
{
    if (e->ip.family != IP_V4) {
        char text[ENDPOINT_TEXT];
        sink_text(s, endpoint_text(e, text));
        return;
    }
    char text[24], *end = text + sizeof text, *p = digits(end, e->port);
    *--p = ':';
    for (int i = 3; i >= 0; i--) {
        p = digits(p, e->ip.b[i]);
        if (i)
            *--p = '.';
    }
    sink_bytes(s, p, (size_t)(end - p));
}

void sink_string(struct sink *s, const char *text)
{
    sink_bytes(s, "\"", 1);
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '"' || c == '\\')
            sink_bytes(s, (char[2]){'\\', *p}, 2);
        else if (c >= ' ')
            sink_bytes(s, p, 1);
        else {
            sink_text(s, "\\u");
            sink_hex16(s, c);
        }
    }
    sink_bytes(s, "\"", 1);
}
