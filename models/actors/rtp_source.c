/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/rtp_source.h"

enum { MAX_DROPOUT = 3000, MAX_MISORDER = 100, WINDOW = 64, NUMBERS = 65536 };

static void begin(struct rtp_source *s, uint16_t seq)
{
    *s = (struct rtp_source){.any = true, .highest = seq, .base = seq, .jump = NUMBERS, .window = 1,
                             .transit = s->transit, .jitter16 = s->jitter16};
}

/* A.8, without the divisions that lose bits. */
static void add_jitter(struct rtp_source *s, uint32_t timestamp, uint32_t arrival)
{
    uint32_t transit = arrival - timestamp;
    int32_t d = (int32_t)(transit - s->transit);
    if (s->received > 0)
        s->jitter16 += (uint32_t)(d < 0 ? -(int64_t)d : d) - ((s->jitter16 + 8) >> 4);
    s->transit = transit;
}

static enum rtp_arrival place(struct rtp_source *s, uint16_t seq)
{
    uint16_t ahead = (uint16_t)(seq - s->highest), behind = (uint16_t)(s->highest - seq);
    if (!s->any) {
        begin(s, seq);
    } else if (ahead && ahead < MAX_DROPOUT) {
        s->cycles += seq < s->highest;
        s->highest = seq;
        s->window = ahead < WINDOW ? s->window << ahead | 1 : 1;
    } else if (behind < MAX_MISORDER) {
        bool seen = behind < WINDOW && s->window >> behind & 1;
        if (behind < WINDOW)
            s->window |= UINT64_C(1) << behind;
        return seen ? RTP_DUPLICATE : RTP_LATE;
    } else if (seq == s->jump) { /* two that follow each other: the other side has begun anew */
        begin(s, seq);
    } else {
        s->jump = (uint16_t)(seq + 1);
        return RTP_JUMP;
    }
    s->jump = NUMBERS;
    return RTP_IN_ORDER;
}

enum rtp_arrival rtp_source_take(struct rtp_source *s, uint16_t seq, uint32_t timestamp, uint32_t arrival)
{
    enum rtp_arrival a = place(s, seq);
    if (a == RTP_JUMP)
        return a;
    add_jitter(s, timestamp, arrival);
    s->received++;
    return a;
}

uint64_t rtp_source_expected(const struct rtp_source *s)
{
    return s->any ? (uint64_t)s->cycles * NUMBERS + s->highest - s->base + 1 : 0;
}

int64_t rtp_source_lost(const struct rtp_source *s)
{
    return (int64_t)(rtp_source_expected(s) - s->received);
}

struct rtcp_block rtp_source_report(struct rtp_source *s)
{
    uint64_t expected = rtp_source_expected(s) - s->expected_reported, came = s->received - s->received_reported;
    uint64_t fraction = expected > came ? ((expected - came) << 8) / expected : 0;
    int64_t lost = rtp_source_lost(s);
    s->expected_reported += expected;
    s->received_reported += came;
    return (struct rtcp_block){.fraction = (uint8_t)(fraction < 255 ? fraction : 255),
                               .lost = (int32_t)(lost > 0x7fffff ? 0x7fffff : lost < -0x800000 ? -0x800000 : lost),
                               .highest = (uint32_t)s->cycles << 16 | s->highest,
                               .jitter = s->jitter16 >> 4};
}
