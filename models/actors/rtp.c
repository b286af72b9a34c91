/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/rtp.h"

#include <string.h>

#include "models/base/err.h"

enum { VERSION = 2, SENDER_INFO = 20, BLOCK = 24, SDES_CNAME = 1, COUNT = 0x1f, PADDED = 0x20 };

static int bad(const char **why, const char *text)
{
    *why = text;
    return E_MALFORMED;
}

/* ---- RTP ---- */

/* The padding at the end of a packet of len bytes whose headers take `used`; -1: it reaches into them. */
static long padding(const uint8_t *p, size_t len, size_t used)
{
    if (!(p[0] & PADDED))
        return 0;
    uint8_t n = p[len - 1];
    return len <= used || n == 0 || n > len - used ? -1 : n;
}

int rtp_parse(const uint8_t *p, size_t len, struct rtp_packet *out, const char **why)
{
    if (len < RTP_HEADER)
        return bad(why, "shorter than an RTP header");
    if (p[0] >> 6 != VERSION)
        return bad(why, "not version 2 of RTP");
    size_t used = RTP_HEADER + 4 * (p[0] & 0x0fu);
    if (p[0] & 0x10 && used + 4 <= len)
        used += 4 + 4 * (size_t)load16(p + used + 2);
    else if (p[0] & 0x10)
        used = len + 1;
    if (used > len)
        return bad(why, "RTP header longer than the packet");
    long pad = padding(p, len, used);
    if (pad < 0)
        return bad(why, "RTP padding longer than the payload");
    *out = (struct rtp_packet){.marker = p[1] & 0x80,
                               .payload_type = p[1] & 0x7f,
                               .seq = load16(p + 2),
                               .timestamp = load32(p + 4),
                               .ssrc = load32(p + 8),
                               .payload = p + used,
                               .payload_len = len - used - (size_t)pad};
    return 0;
}

void rtp_write(struct writer *w, const struct rtp_packet *m)
{
    write8(w, VERSION << 6);
    write8(w, (m->marker ? 0x80u : 0) | m->payload_type);
    write16(w, m->seq);
    write32(w, m->timestamp);
    write32(w, m->ssrc);
}

/* ---- RTCP: what is in a compound ---- */

bool rtcp_next(struct reader *r, struct rtcp_packet *out)
{
    if (!reader_left(r))
        return false;
    uint8_t first = read8(r);
    out->type = read8(r);
    out->count = first & COUNT;
    out->len = 4 * (size_t)read16(r);
    out->body = read_bytes(r, out->len);
    return !r->failed;
}

uint32_t rtcp_ssrc(const struct rtcp_packet *m)
{
    return load32(m->body);
}

struct rtcp_sender rtcp_sender_of(const struct rtcp_packet *sr)
{
    const uint8_t *p = sr->body;
    return (struct rtcp_sender){load64(p + 4), load32(p + 12), load32(p + 16), load32(p + 20)};
}

static size_t report_head(const struct rtcp_packet *m)
{
    return m->type == RTCP_SR ? 4 + SENDER_INFO : 4;
}

bool rtcp_block_of(const struct rtcp_packet *report, uint32_t ssrc, struct rtcp_block *out)
{
    const uint8_t *p = report->body + report_head(report);
    for (unsigned i = 0; i < report->count; i++, p += BLOCK)
        if (load32(p) == ssrc) {
            int32_t lost = (int32_t)(load32(p + 4) & 0xffffff);
            *out = (struct rtcp_block){ssrc, p[4], lost < 0x800000 ? lost : lost - 0x1000000, load32(p + 8),
                                       load32(p + 12), load32(p + 16), load32(p + 20)};
            return true;
        }
    return false;
}

/* The next chunk of an SDES (6.5): its source, and its CNAME if it has one. false: it breaks off. */
static bool sdes_chunk(struct reader *r, uint32_t *ssrc, const uint8_t **name, size_t *len)
{
    size_t had = reader_left(r);
    uint8_t item;
    *ssrc = read32(r);
    *name = NULL;
    while (!r->failed && (item = read8(r)) != 0) {
        size_t n = read8(r);
        const uint8_t *text = read_bytes(r, n);
        if (item == SDES_CNAME && !*name) {
            *name = text;
            *len = n;
        }
    }
    size_t taken = had - reader_left(r);
    read_bytes(r, (4 - taken % 4) % 4);
    return !r->failed;
}

const char *rtcp_cname_of(const struct rtcp_packet *sdes, uint32_t ssrc, size_t *len)
{
    struct reader r = reader_of(sdes->body, sdes->len);
    const uint8_t *name;
    uint32_t of;
    for (unsigned i = 0; i < sdes->count && sdes_chunk(&r, &of, &name, len); i++)
        if (of == ssrc && name)
            return (const char *)name;
    return NULL;
}

bool rtcp_bye_of(const struct rtcp_packet *bye, uint32_t ssrc)
{
    for (unsigned i = 0; i < bye->count; i++)
        if (load32(bye->body + 4 * (size_t)i) == ssrc)
            return true;
    return false;
}

/* ---- RTCP: whether it is whole ---- */

static bool is_whole(const struct rtcp_packet *m)
{
    struct reader r = reader_of(m->body, m->len);
    const uint8_t *name;
    uint32_t ssrc;
    size_t len;
    switch (m->type) {
    case RTCP_SR:
    case RTCP_RR:
        return m->len >= report_head(m) + BLOCK * (size_t)m->count;
    case RTCP_SDES:
        for (unsigned i = 0; i < m->count; i++)
            if (!sdes_chunk(&r, &ssrc, &name, &len))
                return false;
        return true;
    case RTCP_BYE:
        return m->len >= 4 * (size_t)m->count;
    default:
        return true; /* 6.1: types that are not known are passed over */
    }
}

int rtcp_check(const uint8_t *p, size_t len, const char **why)
{
    struct reader r = reader_of(p, len);
    struct rtcp_packet m;
    bool first = true;
    while (reader_left(&r)) {
        const uint8_t *at = r.p;
        if (reader_left(&r) < 4 || !rtcp_next(&r, &m))
            return bad(why, "RTCP lengths do not add up");
        if (at[0] >> 6 != VERSION)
            return bad(why, "not version 2 of RTCP");
        if (first && m.type != RTCP_SR && m.type != RTCP_RR)
            return bad(why, "RTCP compound without a report first");
        if (at[0] & PADDED && (first || reader_left(&r)))
            return bad(why, "RTCP padding before the end");
        if (!is_whole(&m))
            return bad(why, "RTCP packet shorter than what it counts");
        first = false;
    }
    return first ? bad(why, "an empty RTCP packet") : 0;
}

/* ---- RTCP: writing ---- */

static void write_head(struct writer *w, unsigned count, enum rtcp_type type, size_t body)
{
    write8(w, VERSION << 6 | count);
    write8(w, type);
    write16(w, (unsigned)(body / 4));
}

void rtcp_write_report(struct writer *w, uint32_t ssrc, const struct rtcp_sender *sender,
                       const struct rtcp_block *block)
{
    write_head(w, block != NULL, sender ? RTCP_SR : RTCP_RR,
               4 + (sender ? (size_t)SENDER_INFO : 0) + (block ? (size_t)BLOCK : 0));
    write32(w, ssrc);
    if (sender) {
        write32(w, (uint32_t)(sender->ntp >> 32));
        write32(w, (uint32_t)sender->ntp);
        write32(w, sender->timestamp);
        write32(w, sender->packets);
        write32(w, sender->octets);
    }
    if (!block)
        return;
    int32_t lost = block->lost > 0x7fffff ? 0x7fffff : block->lost < -0x800000 ? -0x800000 : block->lost;
    write32(w, block->ssrc);
    write32(w, (uint32_t)block->fraction << 24 | ((uint32_t)lost & 0xffffff));
    write32(w, block->highest);
    write32(w, block->jitter);
    write32(w, block->lsr);
    write32(w, block->dlsr);
}

void rtcp_write_cname(struct writer *w, uint32_t ssrc, const char *cname)
{
    size_t len = strnlen(cname, RTCP_CNAME_MAX), used = 4 + 2 + len, end = 4 - used % 4; /* at least one zero */
    write_head(w, 1, RTCP_SDES, used + end);
    write32(w, ssrc);
    write8(w, SDES_CNAME);
    write8(w, (unsigned)len);
    write_bytes(w, cname, len);
    write_zeros(w, end);
}

void rtcp_write_bye(struct writer *w, uint32_t ssrc)
{
    write_head(w, 1, RTCP_BYE, 4);
    write32(w, ssrc);
}
