/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/capture/capture.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/base/time.h"
#include "sim/capture/parts.h"

enum { FILE_HEADER = 24, SNAPLEN_MAX = 262144 /* libpcap's MAXIMUM_SNAPLEN */ };

uint16_t capture_16(const struct capture *c, const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return c->swapped ? __builtin_bswap16(v) : v;
}

uint32_t capture_32(const struct capture *c, const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return c->swapped ? __builtin_bswap32(v) : v;
}

uint64_t capture_64(const struct capture *c, const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return c->swapped ? __builtin_bswap64(v) : v;
}

__extension__ typedef unsigned __int128 u128;

uint64_t capture_ns(const struct capture_interface *i, uint64_t time)
{
    uint64_t offset = (uint64_t)i->offset_s * NS_S;
    if (i->units == NS_S)
        return time + offset;
    return time / i->units * NS_S + (uint64_t)((u128)(time % i->units) * NS_S / i->units) + offset;
}

int capture_error(const struct capture *c, struct diag *d, int err, size_t at, const char *fmt, ...)
{
    struct text t = text_of(d->text, sizeof d->text);
    text_add(&t, "%s: byte %" PRIu64 ": ", c->path, c->source.offset + at);
    va_list ap;
    va_start(ap, fmt);
    text_vadd(&t, fmt, ap);
    va_end(ap);
    return err;
}

int capture_short(const struct capture *c, struct diag *d, const char *what)
{
    if (c->source.error)
        return capture_error(c, d, E_IO, 0, "cannot be read: %s", strerror(c->source.error));
    size_t left = source_left(&c->source);
    if (left == 0)
        return 0;
    return capture_error(c, d, E_TRUNCATED, left, "the file ends within %s; all before it was read", what);
}

static int next_of_pcap(struct capture *c, struct captured *out, struct diag *d)
{
    const uint8_t *p = source_peek(&c->source, c->record_header);
    if (!p)
        return capture_short(c, d, "a packet's header");
    uint32_t caplen = capture_32(c, p + 8), fraction = capture_32(c, p + 4);
    if (caplen > SNAPLEN_MAX)
        return capture_error(c, d, E_MALFORMED, 8, "a packet of %" PRIu32 " captured bytes, expected at most %d",
                             caplen, SNAPLEN_MAX);
    p = source_peek(&c->source, c->record_header + caplen);
    if (!p)
        return capture_short(c, d, "a packet");
    uint64_t second = capture_32(c, p);
    *out = (struct captured){.t_ns = second * NS_S + capture_ns(&c->pcap, fraction), .link = c->pcap.link,
                             .bytes = p + c->record_header, .caplen = caplen, .len = capture_32(c, p + 12)};
    source_skip(&c->source, c->record_header + caplen);
    return 1;
}

/* The first four bytes, in the byte order of the machine that wrote them. */
static const struct format {
    uint32_t magic;
    uint8_t record_header;
    uint64_t units;
} pcap_formats[] = {
    {0xa1b2c3d4, 16, NS_S / NS_US},
    {0xa1b23c4d, 16, NS_S},
    {0xa1b2cd34, 24, NS_S / NS_US}, /* Kuznetsov's libpcap, of Red Hat 6 */
};
static const uint32_t pcapng_magic = 0x0a0d0d0a; /* the same in either byte order */

/* Files that people take for captures, to be told what to do. */
static const struct lookalike {
    uint8_t magic[4];
    uint8_t len;
    const char *what;
} lookalikes[] = {
    {{0x1f, 0x8b}, 2, "compressed with gzip; try: gzip -dc FILE | turnproof ... -"},
    {{0x28, 0xb5, 0x2f, 0xfd}, 4, "compressed with zstd; try: zstd -dc FILE | turnproof ... -"},
    {{0x04, 0x22, 0x4d, 0x18}, 4, "compressed with lz4; try: lz4 -dc FILE | turnproof ... -"},
    {{'s', 'n', 'o', 'o'}, 4, "a snoop capture; convert it: editcap -F pcapng FILE new.pcapng"},
    {{'R', 'T', 'S', 'S'}, 4, "a Network Monitor capture; convert it: editcap -F pcapng FILE new.pcapng"},
    {{'G', 'M', 'B', 'U'}, 4, "a Network Monitor capture; convert it: editcap -F pcapng FILE new.pcapng"},
};

static const char *what_else(const uint8_t *p)
{
    for (size_t i = 0; i < sizeof lookalikes / sizeof *lookalikes; i++)
        if (memcmp(p, lookalikes[i].magic, lookalikes[i].len) == 0)
            return lookalikes[i].what;
    return "no capture: expected the magic number of pcap or pcapng";
}

static int start_pcap(struct capture *c, const struct format *f, struct diag *d)
{
    const uint8_t *p = source_peek(&c->source, FILE_HEADER);
    if (!p)
        return capture_short(c, d, "the file header");
    unsigned major = capture_16(c, p + 4);
    if (major != 2)
        return capture_error(c, d, E_UNSUPPORTED, 4, "pcap of version %u, expected 2", major);
    c->pcap = (struct capture_interface){.link = capture_32(c, p + 20) & 0xfffffff, .units = f->units};
    c->record_header = f->record_header;
    c->next = next_of_pcap;
    source_skip(&c->source, FILE_HEADER);
    return 0;
}

static int start(struct capture *c, struct diag *d)
{
    const uint8_t *p = source_peek(&c->source, 4);
    if (!p) {
        int e = capture_short(c, d, "the magic number");
        return e ? e : capture_error(c, d, E_TRUNCATED, 0, "the file is empty");
    }
    uint32_t magic = capture_32(c, p);
    if (magic == pcapng_magic) {
        c->next = pcapng_next;
        return 0;
    }
    for (size_t i = 0; i < sizeof pcap_formats / sizeof *pcap_formats; i++)
        if (pcap_formats[i].magic == magic || __builtin_bswap32(pcap_formats[i].magic) == magic) {
            c->swapped = pcap_formats[i].magic != magic;
            return start_pcap(c, &pcap_formats[i], d);
        }
    return capture_error(c, d, E_UNSUPPORTED, 0, "%s", what_else(p));
}

struct capture *capture_open(const char *path, struct diag *d)
{
    struct capture *c = calloc(1, sizeof *c);
    if (c)
        c->path = strdup(strcmp(path, "-") == 0 ? "standard input" : path);
    int e = c && c->path ? source_open(&c->source, path) : E_NOMEM;
    if (e == 0) {
        e = start(c, d);
        if (e == 0)
            return c;
    } else {
        snprintf(d->text, sizeof d->text, "%s: %s", path, e == E_IO ? strerror(errno) : "no memory");
        if (c)
            c->source.fd = -1;
    }
    capture_close(c);
    return NULL;
}

void capture_close(struct capture *c)
{
    if (!c)
        return;
    source_close(&c->source);
    free(c->interface);
    free(c->path);
    free(c);
}

int capture_next(struct capture *c, struct captured *out, struct diag *d)
{
    return c->next(c, out, d);
}

int capture_trace(struct capture *c, struct trace *t, struct diag *d)
{
    struct captured frame;
    int e;
    while ((e = capture_next(c, &frame, d)) > 0)
        trace_frame(t, &frame);
    trace_end(t);
    return e;
}

uint64_t capture_position(const struct capture *c)
{
    return c->source.offset;
}

uint64_t capture_size(const struct capture *c)
{
    return c->source.size;
}
