/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/capture/file_kit.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void file_kit_free(struct file_kit *f)
{
    free(f->b);
    *f = (struct file_kit){0};
}

void file_kit_put(struct file_kit *f, const void *bytes, size_t len)
{
    if (f->room - f->len < len) {
        f->room = (f->room + len) * 2;
        f->b = realloc(f->b, f->room);
        assert(f->b);
    }
    if (len)
        memcpy(f->b + f->len, bytes, len);
    f->len += len;
}

void file_kit_number(struct file_kit *f, uint64_t v, unsigned bytes)
{
    uint8_t b[8];
    for (unsigned i = 0; i < bytes; i++)
        b[i] = (uint8_t)(v >> 8 * (f->big ? bytes - 1 - i : i));
    file_kit_put(f, b, bytes);
}

void file_kit_pcap(struct file_kit *f, uint32_t magic, uint32_t link)
{
    f->extra = magic == PCAP_KUZNETSOV;
    file_kit_number(f, magic, 4);
    file_kit_number(f, 2, 2);
    file_kit_number(f, 4, 2);
    file_kit_number(f, 0, 8); /* time zone, accuracy */
    file_kit_number(f, 262144, 4);
    file_kit_number(f, link, 4);
}

void file_kit_pcap_packet(struct file_kit *f, uint32_t second, uint32_t fraction, const void *bytes, size_t caplen,
                          size_t len)
{
    file_kit_number(f, second, 4);
    file_kit_number(f, fraction, 4);
    file_kit_number(f, caplen, 4);
    file_kit_number(f, len, 4);
    if (f->extra)
        file_kit_number(f, 3, 8); /* interface, protocol, packet type */
    file_kit_put(f, bytes, caplen);
}

/* Where the block begins; its length is filled in by end_block. */
static size_t begin_block(struct file_kit *f, uint32_t type)
{
    size_t at = f->len;
    file_kit_number(f, type, 4);
    file_kit_number(f, 0, 4);
    return at;
}

static void pad(struct file_kit *f)
{
    file_kit_put(f, (uint8_t[3]){0}, -f->len & 3);
}

static void end_block(struct file_kit *f, size_t at)
{
    pad(f);
    size_t len = f->len + 4 - at;
    file_kit_number(f, len, 4);
    memcpy(f->b + at + 4, f->b + f->len - 4, 4);
}

void file_kit_block(struct file_kit *f, uint32_t type, const void *body, size_t len)
{
    size_t at = begin_block(f, type);
    file_kit_put(f, body, len);
    end_block(f, at);
}

void file_kit_section(struct file_kit *f)
{
    size_t at = begin_block(f, 0x0a0d0d0a);
    file_kit_number(f, 0x1a2b3c4d, 4);
    file_kit_number(f, 1, 2);
    file_kit_number(f, 0, 2);
    file_kit_number(f, UINT64_MAX, 8);
    end_block(f, at);
}

static void begin_option(struct file_kit *f, unsigned code, size_t len)
{
    file_kit_number(f, code, 2);
    file_kit_number(f, len, 2);
}

void file_kit_interface(struct file_kit *f, const struct file_kit_interface *i)
{
    size_t at = begin_block(f, 1);
    file_kit_number(f, i->link, 2);
    file_kit_number(f, 0, 2);
    file_kit_number(f, i->snaplen, 4);
    begin_option(f, 2, 4); /* if_name */
    file_kit_put(f, "eth0", 4);
    if (i->resolution >= 0) {
        begin_option(f, 9, 1);
        file_kit_number(f, (uint64_t)i->resolution, 1);
        pad(f);
    }
    if (i->offset_s) {
        begin_option(f, 14, 8);
        file_kit_number(f, (uint64_t)i->offset_s, 8);
    }
    begin_option(f, 0, 0);
    end_block(f, at);
}

void file_kit_packet(struct file_kit *f, uint32_t interface, uint64_t time, const void *bytes, size_t caplen,
                     size_t len)
{
    size_t at = begin_block(f, 6);
    file_kit_number(f, interface, 4);
    file_kit_number(f, time >> 32, 4);
    file_kit_number(f, time, 4);
    file_kit_number(f, caplen, 4);
    file_kit_number(f, len, 4);
    file_kit_put(f, bytes, caplen);
    pad(f);
    begin_option(f, 1, 5); /* a comment */
    file_kit_put(f, "hello", 5);
    pad(f);
    begin_option(f, 0, 0);
    end_block(f, at);
}

void file_kit_simple(struct file_kit *f, const void *bytes, size_t caplen, size_t len)
{
    size_t at = begin_block(f, 3);
    file_kit_number(f, len, 4);
    file_kit_put(f, bytes, caplen);
    end_block(f, at);
}

void file_kit_obsolete(struct file_kit *f, uint16_t interface, uint64_t time, const void *bytes, size_t len)
{
    size_t at = begin_block(f, 2);
    file_kit_number(f, interface, 2);
    file_kit_number(f, 0, 2); /* drops */
    file_kit_number(f, time >> 32, 4);
    file_kit_number(f, time, 4);
    file_kit_number(f, len, 4);
    file_kit_number(f, len, 4);
    file_kit_put(f, bytes, len);
    end_block(f, at);
}

const char *file_kit_write(struct file_kit *f)
{
    snprintf(f->path, sizeof f->path, "/tmp/turnproof-capture.XXXXXX");
    int fd = mkstemp(f->path);
    assert(fd >= 0);
    for (size_t at = 0; at < f->len;) {
        ssize_t n = write(fd, f->b + at, f->len - at);
        assert(n > 0);
        at += (size_t)n;
    }
    close(fd);
    return f->path;
}
