/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/screen.h"

#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/base/time.h"

/* RFC 3550 6.2: the least interval. */
#define REPORT_NS (5 * NS_S)

enum { RTP_HEADER = 12, RTCP_RR = 201, RTCP_BYE = 203, REPORT_BLOCK = 24, PDU_MIN = 200, PDU_MAX = 16000 };

void screen_init(struct screen *s, const struct screen_config *cfg, struct rng rng)
{
    *s = (struct screen){.cfg = *cfg, .rng = rng};
    s->payload_total = cfg->burst + cfg->rate * (cfg->duration_ns / NS_MS) / 1000;
    s->ssrc = (uint32_t)rng_u64(&s->rng);
    s->seq = (uint16_t)rng_u64(&s->rng);
    sha256_start(&s->sent.digest);
    sha256_start(&s->received.digest);
}

void screen_start(struct screen *s, uint64_t now_ns)
{
    s->started = true;
    s->start_ns = now_ns;
    s->report_at_ns = now_ns + REPORT_NS;
}

/* When the next of our own packets is due: data, or at their end BYE. */
static uint64_t data_deadline(const struct screen *s)
{
    if (s->bye_sent)
        return TIME_NEVER;
    if (s->payload_sent >= s->payload_total)
        return s->start_ns + s->cfg.duration_ns;
    if (s->payload_sent < s->cfg.burst || !s->cfg.rate)
        return s->start_ns;
    return s->start_ns + (s->payload_sent - s->cfg.burst) * NS_S / s->cfg.rate;
}

/* The last report is due when the other side has said BYE: at once. */
static uint64_t report_deadline(const struct screen *s)
{
    return s->report_sent ? TIME_NEVER : s->bye_received ? s->start_ns : s->report_at_ns;
}

uint64_t screen_deadline(const struct screen *s)
{
    return s->started ? time_min(data_deadline(s), report_deadline(s)) : TIME_NEVER;
}

static void count(struct screen_count *c, const uint8_t *frame, size_t len)
{
    c->bytes += len;
    sha256_add(&c->digest, frame, len);
}

/* RFC 3550 6.1: a compound packet begins with a report, here an empty one. */
static size_t put_bye(struct screen *s)
{
    struct writer w = writer_of(s->frame, sizeof s->frame);
    write16(&w, 0x8000 | RTCP_RR);
    write16(&w, 1);
    write32(&w, s->ssrc);
    write16(&w, 0x8100 | RTCP_BYE);
    write16(&w, 1);
    write32(&w, s->ssrc);
    s->bye_sent = true;
    return writer_len(&w);
}

/* RFC 3550 6.4.2: of what came, the highest number, and no loss. */
static size_t put_report(struct screen *s)
{
    bool block = s->any_received || s->bye_received;
    struct writer w = writer_of(s->frame, sizeof s->frame);
    write16(&w, (block ? 0x8100 : 0x8000) | RTCP_RR);
    write16(&w, block ? 1 + REPORT_BLOCK / 4 : 1);
    write32(&w, s->ssrc);
    if (block) {
        write32(&w, s->peer_ssrc);
        write32(&w, 0);
        write32(&w, (uint16_t)(s->expected_seq - 1));
        write_zeros(&w, 12);
    }
    s->report_sent = s->bye_received;
    return writer_len(&w);
}

/* RFC 3550 5.1; the marker is on the last packet of a PDU, and all of a PDU have one time stamp (90 kHz). */
static size_t put_packet(struct screen *s, uint64_t due_ns)
{
    uint64_t left = s->payload_total - s->payload_sent;
    if (!s->pdu_left) {
        s->pdu_left = (uint32_t)(PDU_MIN + rng_below(&s->rng, PDU_MAX - PDU_MIN));
        s->timestamp = (uint32_t)((due_ns - s->start_ns) / 1000 * 9 / 100);
    }
    if (s->pdu_left > left)
        s->pdu_left = (uint32_t)left;
    size_t len = s->pdu_left < SCREEN_PAYLOAD_MAX ? s->pdu_left : SCREEN_PAYLOAD_MAX;
    s->pdu_left -= (uint32_t)len;
    s->payload_sent += len;
    struct writer w = writer_of(s->frame, sizeof s->frame);
    write8(&w, 0x80);
    write8(&w, SCREEN_PT | (s->pdu_left ? 0 : 0x80));
    write16(&w, s->seq++);
    write32(&w, s->timestamp);
    write32(&w, s->ssrc);
    rng_fill(&s->rng, s->frame + RTP_HEADER, len);
    count(&s->sent, s->frame, RTP_HEADER + len);
    return RTP_HEADER + len;
}

size_t screen_next(struct screen *s, uint64_t now_ns, const uint8_t **frame)
{
    *frame = s->frame;
    if (!s->started)
        return 0;
    if (now_ns >= report_deadline(s)) {
        s->report_at_ns = now_ns + REPORT_NS;
        return put_report(s);
    }
    uint64_t due = data_deadline(s);
    if (now_ns < due)
        return 0;
    return s->payload_sent < s->payload_total ? put_packet(s, due) : put_bye(s);
}

/* One packet of a compound: BYE, or a report that our last number (if there was any) has come. */
static void on_rtcp(struct screen *s, const uint8_t *p, size_t len)
{
    if (len < 8)
        return;
    if (p[1] == RTCP_BYE) {
        s->bye_received = true;
        s->peer_ssrc = load32(p + 4);
    }
    if (p[1] != RTCP_RR || !(p[0] & 0x1f) || len < 8 + REPORT_BLOCK || load32(p + 8) != s->ssrc || !s->bye_sent)
        return;
    if (!s->payload_sent || (uint16_t)load32(p + 16) == (uint16_t)(s->seq - 1))
        s->report_received = true;
}

static void on_compound(struct screen *s, const uint8_t *p, size_t len)
{
    while (len >= 4) {
        size_t packet = 4 * (load16(p + 2) + (size_t)1);
        if (packet > len)
            return;
        on_rtcp(s, p, packet);
        p += packet;
        len -= packet;
    }
}

/* A PDU is whole. The first wrap of the time stamp comes after 13 hours. */
static void on_update(struct screen_updates *u, uint32_t timestamp, uint64_t now_ns)
{
    uint64_t late = now_ns - (uint64_t)timestamp * 100 / 9 * 1000;
    if (!u->count++)
        u->first_ns = late;
    if (late > u->max_ns)
        u->max_ns = late;
    u->sum_ns += (int64_t)(late - u->first_ns);
}

int screen_input(struct screen *s, const uint8_t *frame, size_t len, uint64_t now_ns)
{
    if (len < 8 || frame[0] >> 6 != 2)
        return E_MALFORMED;
    if (frame[1] >= 192 && frame[1] <= 223) { /* RFC 5761 4 */
        on_compound(s, frame, len);
        return 0;
    }
    if (len < RTP_HEADER || (frame[1] & 0x7f) != SCREEN_PT)
        return E_MALFORMED;
    uint16_t seq = load16(frame + 2);
    if (s->any_received && seq != s->expected_seq)
        return E_RANGE;
    s->any_received = true;
    s->peer_ssrc = load32(frame + 8);
    s->expected_seq = (uint16_t)(seq + 1);
    count(&s->received, frame, len);
    if (frame[1] & 0x80)
        on_update(&s->updates, load32(frame + 4), now_ns);
    return 0;
}

bool screen_done(const struct screen *s)
{
    return s->report_received && s->report_sent;
}

static void result(struct io *io, const char *which, const struct screen_count *c)
{
    struct sha256 h = c->digest;
    uint8_t digest[HASH_SHA256];
    char hex[2 * HASH_SHA256 + 1];
    sha256_end(&h, digest);
    hex_of(digest, sizeof digest, hex);
    io_note(io, NOTE_RESULT, "share.%s_bytes=%llu", which, (unsigned long long)c->bytes);
    io_note(io, NOTE_RESULT, "share.%s_sha256=%s", which, hex);
}

void screen_results(const struct screen *s, struct io *io)
{
    const struct screen_updates *u = &s->updates;
    result(io, "sent", &s->sent);
    result(io, "received", &s->received);
    io_note(io, NOTE_RESULT, "share.start_ns=%llu", (unsigned long long)s->start_ns);
    if (!u->count)
        return;
    io_note(io, NOTE_RESULT, "share.updates=%llu", (unsigned long long)u->count);
    io_note(io, NOTE_RESULT, "share.update_mean_ns=%llu",
            (unsigned long long)(u->first_ns + (uint64_t)(u->sum_ns / (int64_t)u->count)));
    io_note(io, NOTE_RESULT, "share.update_max_ns=%llu", (unsigned long long)u->max_ns);
}
