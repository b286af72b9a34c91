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
    s->cap = path ? SINK_FILE_BUFFER : SINK_HASH_BUFFER;
    s->buf = malloc(s->cap);
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

static unsigned digits_of(uint64_t v)
{
    unsigned n = 1;
    for (uint64_t power = 10; v >= power && n < FMT_U64; n++)
        power = n < FMT_U64 - 1 ? power * 10 : power;
    return n;
}

/* Two digits at a time: a division takes longer than all the rest. */
char *fmt_u64(char *p, uint64_t v)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                                "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                                "8081828384858687888990919293949596979899";
    char *end = p + digits_of(v), *at = end;
    for (; v >= 10; v /= 100)
        memcpy(at -= 2, pairs + v % 100 * 2, 2);
    if (at > p)
        *--at = (char)('0' + v);
    return end;
}

char *fmt_hex16(char *p, unsigned v)
{
    for (unsigned shift = 16; shift; shift -= 4)
        *p++ = "0123456789abcdef"[v >> (shift - 4) & 15];
    return p;
}

char *fmt_endpoint(char *p, const struct endpoint *e)
{
    if (e->ip.family != IP_V4) {
        char text[ENDPOINT_TEXT];
        return fmt_text(p, endpoint_text(e, text));
    }
    for (int i = 0; i < 4; i++) {
        p = fmt_u64(p, e->ip.b[i]);
        *p++ = i < 3 ? '.' : ':';
    }
    return fmt_u64(p, e->port);
}

void sink_u64(struct sink *s, uint64_t v)
{
    sink_used(s, fmt_u64(sink_room(s, FMT_U64), v));
}

void sink_endpoint(struct sink *s, const struct endpoint *e)
{
    sink_used(s, fmt_endpoint(sink_room(s, ENDPOINT_TEXT), e));
}

/* Bytes of the UTF-8 character at p; 0: there is none. */
static size_t character_length(const unsigned char *p)
{
    static const struct {
        unsigned char first_lo, first_hi, second_lo, second_hi;
        size_t length;
    } forms[] = {{0x00, 0x7f, 0x00, 0xff, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
                 {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
                 {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};
    size_t i = 0, n = sizeof forms / sizeof *forms;
    while (i < n && (*p < forms[i].first_lo || *p > forms[i].first_hi))
        i++;
    if (i == n || (i > 0 && (p[1] < forms[i].second_lo || p[1] > forms[i].second_hi)))
        return 0;
    for (size_t k = 2; k < forms[i].length; k++)
        if (p[k] < 0x80 || p[k] > 0xbf)
            return 0;
    return forms[i].length;
}

const char *sink_character(struct sink *s, const char *p)
{
    size_t n = character_length((const unsigned char *)p);
    if (n)
        sink_bytes(s, p, n);
    else
        sink_text(s, "\xef\xbf\xbd");
    return p + (n ? n : 1);
}

void sink_string(struct sink *s, const char *text)
{
    sink_bytes(s, "\"", 1);
    for (const char *p = text; *p;) {
        unsigned char c = (unsigned char)*p;
        if (c >= ' ' && c != '"' && c != '\\') {
            p = sink_character(s, p);
            continue;
        }
        if (c >= ' ')
            sink_bytes(s, (char[2]){'\\', *p}, 2);
        else {
            sink_text(s, "\\u");
            sink_used(s, fmt_hex16(sink_room(s, FMT_HEX16), c));
        }
        p++;
    }
    sink_bytes(s, "\"", 1);
}

void sink_wrapped(struct sink *s, size_t column, const char *text)
{
    enum { COLUMNS = 80 };
    size_t at = column;
    for (const char *word = text; *word;) {
        size_t blanks = strspn(word, " "), len = strcspn(word + blanks, " ");
        if (at > column && at + blanks + len > COLUMNS) {
            sink_text(s, "\n");
            for (at = 0; at < column; at++)
                sink_text(s, " ");
            word += blanks;
            blanks = 0;
        }
        sink_bytes(s, word, blanks + len);
        at += blanks + len;
        word += blanks + len;
    }
    sink_text(s, "\n");
}

void sink_f(struct sink *s, const char *fmt, ...)
{
    char buf[2048];
    va_list ap;
    va_start(ap, fmt);
    struct text t = text_of(buf, sizeof buf);
    text_vadd(&t, fmt, ap);
    va_end(ap);
    sink_text(s, buf);
}
