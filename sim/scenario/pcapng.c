/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/pcapng.h"

#include <string.h>

/* Blocks and options of the draft, section 4; written in the machine's byte order, which the magic number tells. */
enum {
    BLOCK_SECTION = 0x0A0D0D0A,
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 6,
    BYTE_ORDER_MAGIC = 0x1A2B3C4D,
    LINKTYPE_ETHERNET = 1,
    OPT_END = 0,
    OPT_COMMENT = 1,
    OPT_IF_NAME = 2,
    OPT_IF_TSRESOL = 9,
    OPT_SHB_USERAPPL = 4,
    OPT_EPB_FLAGS = 2,
    FLAGS_INBOUND = 1,
    FLAGS_OUTBOUND = 2,
};

static void put16(struct sink *s, unsigned v)
{
    uint16_t x = (uint16_t)v;
    sink_bytes(s, &x, sizeof x);
}

static void put32(struct sink *s, uint32_t v)
{
    sink_bytes(s, &v, sizeof v);
}

static size_t padded(size_t len)
{
    return (len + 3) & ~(size_t)3;
}

static void put_padded(struct sink *s, const void *bytes, size_t len)
{
    sink_bytes(s, bytes, len);
    sink_bytes(s, (char[3]){0}, padded(len) - len);
}

static void put_option(struct sink *s, unsigned code, const void *value, size_t len)
{
    put16(s, code);
    put16(s, (unsigned)len);
    put_padded(s, value, len);
}

static void put_options_end(struct sink *s)
{
    put32(s, OPT_END);
}

static uint32_t option_size(size_t len)
{
    return (uint32_t)(4 + padded(len));
}

void pcapng_start(struct sink *s)
{
    static const char who[] = "turnproof";
    uint32_t len = 28 + option_size(sizeof who - 1) + 4;
    put32(s, BLOCK_SECTION);
    put32(s, len);
    put32(s, BYTE_ORDER_MAGIC);
    put16(s, 1); /* version 1.0 */
    put16(s, 0);
    put32(s, UINT32_MAX); /* section length not given */
    put32(s, UINT32_MAX);
    put_option(s, OPT_SHB_USERAPPL, who, sizeof who - 1);
    put_options_end(s);
    put32(s, len);
}

void pcapng_interface(struct sink *s, const char *name)
{
    static const uint8_t nanoseconds = 9;
    uint32_t len = 20 + option_size(strlen(name)) + option_size(1) + 4;
    put32(s, BLOCK_INTERFACE);
    put32(s, len);
    put16(s, LINKTYPE_ETHERNET);
    put16(s, 0);
    put32(s, 0); /* no limit of the captured length */
    put_option(s, OPT_IF_NAME, name, strlen(name));
    put_option(s, OPT_IF_TSRESOL, &nanoseconds, 1);
    put_options_end(s);
    put32(s, len);
}

static char *fmt32(char *p, uint32_t v)
{
    return fmt_bytes(p, &v, sizeof v);
}

static char *fmt_padded(char *p, const void *bytes, size_t len)
{
    memset(p + len, 0, padded(len) - len);
    memcpy(p, bytes, len);
    return p + padded(len);
}

static char *fmt_option(char *p, unsigned code, const void *value, size_t len)
{
    const uint16_t head[] = {(uint16_t)code, (uint16_t)len};
    return fmt_padded(fmt_bytes(p, head, sizeof head), value, len);
}

/* One block, formatted in place: there are tens of thousands. */
void pcapng_packet(struct sink *s, unsigned interface, uint64_t t_ns, bool inbound, const uint8_t *frame, size_t len,
                   const char *comment)
{
    uint32_t flags = inbound ? FLAGS_INBOUND : FLAGS_OUTBOUND;
    size_t comment_len = comment ? strlen(comment) : 0;
    uint32_t size = (uint32_t)(32 + padded(len)) + option_size(sizeof flags) + 4;
    if (comment)
        size += option_size(comment_len);
    const uint32_t head[] = {BLOCK_PACKET, size, interface, (uint32_t)(t_ns >> 32), (uint32_t)t_ns, (uint32_t)len,
                             (uint32_t)len};
    char *p = fmt_bytes(sink_room(s, size), head, sizeof head);
    p = fmt_padded(p, frame, len);
    if (comment)
        p = fmt_option(p, OPT_COMMENT, comment, comment_len);
    p = fmt_option(p, OPT_EPB_FLAGS, &flags, sizeof flags);
    sink_used(s, fmt32(fmt32(p, OPT_END), size));
}
