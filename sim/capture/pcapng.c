/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blocks and options of draft-ietf-opsawg-pcapng, sections 3 and 4. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "sim/capture/parts.h"

enum {
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET_OBSOLETE = 2,
    BLOCK_PACKET_SIMPLE = 3,
    BLOCK_PACKET = 6,
    BLOCK_SECTION = 0x0a0d0d0a,
    BYTE_ORDER_MAGIC = 0x1a2b3c4d,
    BLOCK_FRAME = 12,             /* type, length, and the length again at the end */
    BLOCK_MAX = 16 * 1024 * 1024, /* as libpcap has it */
    OPT_END = 0,
    OPT_IF_TSRESOL = 9,
    OPT_IF_TSOFFSET = 14,
    INTERFACES_MAX = 1 << 16,
};

/* The body of a block. */
struct body {
    const uint8_t *p;
    size_t len;
    uint32_t type;
};

/* if_tsresol: a negative power of ten, or with the top bit of two. 0: one that no 64-bit time has. */
static uint64_t units_of(uint8_t resolution)
{
    unsigned power = resolution & 0x7f;
    if (resolution & 0x80)
        return power < 64 ? (uint64_t)1 << power : 0;
    uint64_t units = power < 20 ? 1 : 0;
    while (units && power--)
        units *= 10;
    return units;
}

static int read_options(const struct capture *c, const struct body *b, struct capture_interface *i, struct diag *d)
{
    for (size_t at = 8; b->len - at >= 4;) {
        unsigned code = capture_16(c, b->p + at), len = capture_16(c, b->p + at + 2);
        const uint8_t *v = b->p + at + 4;
        if (code == OPT_END)
            return 0;
        if (len > b->len - at - 4)
            return capture_error(c, d, E_MALFORMED, 8 + at, "an option of %u bytes is longer than its block", len);
        if (code == OPT_IF_TSRESOL && len == 1)
            i->units = units_of(*v);
        if (code == OPT_IF_TSOFFSET && len == 8)
            i->offset_s = (int64_t)capture_64(c, v);
        if (i->units == 0)
            return capture_error(c, d, E_MALFORMED, 8 + at,
                                 "a time resolution of %u, expected 10^-19 to 1 or 2^-63 to 1", *v);
        size_t padded = 4 + ((len + 3) & ~3u);
        if (padded > b->len - at)
            return 0;
        at += padded;
    }
    return 0;
}

static int add_interface(struct capture *c, const struct body *b, struct diag *d)
{
    if (b->len < 8)
        return capture_error(c, d, E_MALFORMED, 4, "an interface block of %zu bytes", b->len);
    struct capture_interface i = {.link = capture_16(c, b->p), .snaplen = capture_32(c, b->p + 4),
                                  .units = NS_S / NS_US};
    int e = read_options(c, b, &i, d);
    if (e)
        return e;
    if (c->interfaces == c->room) {
        uint32_t room = c->room ? c->room * 2 : 8;
        if (room > INTERFACES_MAX)
            return capture_error(c, d, E_MALFORMED, 0, "more than %d interfaces", INTERFACES_MAX);
        void *more = realloc(c->interface, room * sizeof i);
        if (!more)
            return capture_error(c, d, E_NOMEM, 0, "no memory for %" PRIu32 " interfaces", room);
        c->interface = more;
        c->room = room;
    }
    c->interface[c->interfaces++] = i;
    return 0;
}

/* The fixed part of each kind of packet block. */
struct packet_head {
    uint32_t interface, caplen, len;
    uint64_t time;
    size_t size;
};

static uint64_t time_at(const struct capture *c, const uint8_t *p)
{
    return (uint64_t)capture_32(c, p) << 32 | capture_32(c, p + 4);
}

static struct packet_head head_of(const struct capture *c, const struct body *b)
{
    const uint8_t *p = b->p;
    if (b->type == BLOCK_PACKET_SIMPLE)
        return (struct packet_head){.len = capture_32(c, p), .size = 4};
    return (struct packet_head){.interface = b->type == BLOCK_PACKET ? capture_32(c, p) : capture_16(c, p),
                                .time = time_at(c, p + 4), .caplen = capture_32(c, p + 12),
                                .len = capture_32(c, p + 16), .size = 20};
}

/* A simple packet block has no time, and only the snapshot length says how much was captured. */
static uint32_t simple_caplen(const struct capture_interface *i, const struct packet_head *h)
{
    return i->snaplen && i->snaplen < h->len ? i->snaplen : h->len;
}

static int read_packet(struct capture *c, const struct body *b, struct captured *out, struct diag *d)
{
    size_t least = b->type == BLOCK_PACKET_SIMPLE ? 4 : 20;
    if (b->len < least)
        return capture_error(c, d, E_MALFORMED, 4, "a packet block of %zu bytes, expected %zu or more", b->len, least);
    struct packet_head h = head_of(c, b);
    if (h.interface >= c->interfaces - c->section)
        return capture_error(c, d, E_MALFORMED, 8, "a packet of interface %" PRIu32 ", but the section has %" PRIu32,
                             h.interface, c->interfaces - c->section);
    const struct capture_interface *i = &c->interface[c->section + h.interface];
    if (b->type == BLOCK_PACKET_SIMPLE)
        h.caplen = simple_caplen(i, &h);
    if (h.caplen > b->len - h.size)
        return capture_error(c, d, E_MALFORMED, 8,
                             "a packet of %" PRIu32 " captured bytes in a block with room for %zu", h.caplen,
                             b->len - h.size);
    *out = (struct captured){.t_ns = capture_ns(i, h.time), .interface = c->section + h.interface, .link = i->link,
                             .bytes = b->p + h.size, .caplen = h.caplen, .len = h.len};
    return 1;
}

/* The byte order of the section, which its header tells, and with it all lengths. */
static int start_section(struct capture *c, struct diag *d)
{
    const uint8_t *p = source_peek(&c->source, 16);
    if (!p)
        return capture_short(c, d, "a section header");
    c->swapped = false;
    uint32_t magic = capture_32(c, p + 8);
    c->swapped = magic == __builtin_bswap32(BYTE_ORDER_MAGIC);
    if (magic != BYTE_ORDER_MAGIC && !c->swapped)
        return capture_error(c, d, E_MALFORMED, 8, "a section header without its byte-order magic");
    if (capture_16(c, p + 12) != 1)
        return capture_error(c, d, E_UNSUPPORTED, 12, "pcapng of version %u, expected 1", capture_16(c, p + 12));
    c->section = c->interfaces;
    return 1;
}

/* The next whole block: 1, else as capture_next. */
static int next_block(struct capture *c, struct body *b, struct diag *d)
{
    const uint8_t *p = source_peek(&c->source, 8);
    if (!p)
        return capture_short(c, d, "a block's header");
    b->type = capture_32(c, p);
    if (b->type == BLOCK_SECTION) {
        int e = start_section(c, d);
        if (e <= 0)
            return e;
        p = source_peek(&c->source, 8);
    }
    uint32_t len = capture_32(c, p + 4), least = BLOCK_FRAME + (b->type == BLOCK_SECTION ? 16 : 0);
    if (len < least || len % 4 || len > BLOCK_MAX)
        return capture_error(c, d, E_MALFORMED, 4,
                             "a block of length %" PRIu32 ", expected a multiple of 4 from %" PRIu32 " to %d", len,
                             least, BLOCK_MAX);
    p = source_peek(&c->source, len);
    if (!p)
        return capture_short(c, d, "a block");
    if (capture_32(c, p + len - 4) != len)
        return capture_error(c, d, E_MALFORMED, len - 4,
                             "a block ends with length %" PRIu32 ", but began with %" PRIu32,
                             capture_32(c, p + len - 4), len);
    b->p = p + 8;
    b->len = len - BLOCK_FRAME;
    return 1;
}

int pcapng_next(struct capture *c, struct captured *out, struct diag *d)
{
    for (;;) {
        struct body b = {0};
        int e = next_block(c, &b, d);
        if (e <= 0)
            return e;
        switch (b.type) {
        case BLOCK_INTERFACE:
            e = add_interface(c, &b, d);
            break;
        case BLOCK_PACKET:
        case BLOCK_PACKET_OBSOLETE:
        case BLOCK_PACKET_SIMPLE:
            e = read_packet(c, &b, out, d);
            break;
        default: /* names, statistics, comments, secrets */
            e = 0;
        }
        if (e < 0)
            return e;
        source_skip(&c->source, b.len + BLOCK_FRAME);
        if (e > 0)
            return e;
    }
}
