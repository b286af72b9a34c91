/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Congestion control (RFC 5681, 6928) and loss recovery: with SACK by RFC 6675, without it by RFC 6582. */
#include <assert.h>

#include "sim/native/tcp_internal.h"

enum { DUP_THRESH = 3, CWND_MAX = 1 << 30 };

uint32_t tcp_cc_initial_window(const struct tcp *t)
{
    uint32_t ten = 10U * t->mss, two = 2U * t->mss;
    uint32_t most = two < 14600 ? 14600 : two;
    return ten < most ? ten : most;
}

void tcp_cc_start(struct tcp *t)
{
    /* RFC 6928 2: one SYN lost is no reason for a window of one segment, several are. */
    t->cwnd = t->syn_repeats > 1 ? t->mss : tcp_cc_initial_window(t);
    t->ssthresh = CWND_MAX;
}

static uint32_t half_of(const struct tcp *t, uint32_t flight)
{
    uint32_t least = 2U * t->mss;
    return flight / 2 < least ? least : flight / 2;
}

/* Slow start and congestion avoidance (RFC 5681 3.1). A window that is not made use of does not grow (RFC 7661). */
static void cc_grow(struct tcp *t, uint32_t acked, uint32_t flight)
{
    if (flight < t->cwnd / 2 || t->cwnd >= CWND_MAX)
        return;
    if (t->cwnd < t->ssthresh) {
        t->cwnd += acked < t->mss ? acked : t->mss;
        return;
    }
    t->grown += acked;
    if (t->grown >= t->cwnd) {
        t->grown -= t->cwnd;
        t->cwnd += t->mss;
    }
}

/* RFC 6582 3.2 step 3, partial acknowledgment: the next hole is at snd_una. */
static void newreno_partial(struct tcp *t, uint32_t acked)
{
    t->cwnd = t->cwnd > acked ? t->cwnd - acked : 0;
    if (acked >= t->mss || t->cwnd < t->mss)
        t->cwnd += t->mss;
    t->rtx_due = true;
}

static void recovery_over(struct tcp *t)
{
    t->mode = MODE_OPEN;
    t->rtx_due = false;
    if (t->sack) {
        t->cwnd = t->ssthresh;
    } else { /* RFC 6582 3.2 step 3, full acknowledgment, (1): no burst */
        uint32_t flight = tcp_flight(t) < t->mss ? t->mss : tcp_flight(t);
        t->cwnd = flight + t->mss < t->ssthresh ? flight + t->mss : t->ssthresh;
    }
}

void tcp_cc_acked(struct tcp *t, uint32_t acked, uint32_t flight)
{
    bool reached = seq_le(t->recover, t->snd_una);
    t->dupacks = 0;
    ranges_trim(&t->sacked, t->snd_una);
    if (t->sacked.count && t->sacked.v[0].from == t->snd_una) /* it acknowledges less than it reports: forget that */
        ranges_trim(&t->sacked, t->sacked.v[0].to);
    t->rtx_next = seq_max(t->rtx_next, t->snd_una);
    switch (t->mode) {
    case MODE_OPEN:
        cc_grow(t, acked, flight);
        break;
    case MODE_RECOVERY:
        if (reached)
            recovery_over(t);
        else if (!t->sack)
            newreno_partial(t, acked);
        break;
    case MODE_LOSS:
        cc_grow(t, acked, t->cwnd);
        if (reached)
            t->mode = MODE_OPEN;
        break;
    }
}

/* RFC 6675 IsLost, of the hole below the i-th range, when the ranges from there on hold `above` bytes. */
static bool hole_lost(const struct tcp *t, unsigned i, uint32_t above)
{
    return t->sacked.count - i >= DUP_THRESH || above > (DUP_THRESH - 1U) * t->mss;
}

static bool first_hole_lost(const struct tcp *t)
{
    return hole_lost(t, 0, ranges_within(&t->sacked, t->snd_una, t->snd_nxt));
}

/* RFC 6675 SetPipe, a hole at a time: within a hole all bytes share their fate. */
static uint32_t pipe_now(const struct tcp *t)
{
    uint32_t pipe = 0, above = 0, end = t->snd_nxt;
    for (unsigned i = t->sacked.count + 1U; i-- > 0;) {
        uint32_t start = i ? t->sacked.v[i - 1].to : t->snd_una;
        if (!hole_lost(t, i, above))
            pipe += end - start;
        if (seq_lt(start, t->rtx_next))
            pipe += seq_min(end, t->rtx_next) - start;
        if (i) {
            above += start - t->sacked.v[i - 1].from;
            end = t->sacked.v[i - 1].from;
        }
    }
    return pipe;
}

uint32_t tcp_cc_room(const struct tcp *t)
{
    uint32_t out = tcp_flight(t), window = t->cwnd;
    if (t->mode == MODE_LOSS) {
        out = t->rtx_next - t->snd_una - ranges_within(&t->sacked, t->snd_una, t->rtx_next) + t->snd_nxt - t->recover;
    } else if (t->mode == MODE_RECOVERY && t->sack) {
        out = pipe_now(t);
    } else if (t->mode == MODE_OPEN && t->sack) {
        out -= ranges_within(&t->sacked, t->snd_una, t->snd_nxt); /* limited transmit, RFC 6675 5 (3.3) */
    } else if (t->mode == MODE_OPEN) {
        window += (t->dupacks < DUP_THRESH ? t->dupacks : DUP_THRESH - 1U) * t->mss; /* RFC 3042 */
    }
    return window > out ? window - out : 0;
}

static void recovery_start(struct tcp *t)
{
    t->ssthresh = half_of(t, t->dup_high - t->snd_una);
    t->cwnd = t->ssthresh + (t->sack ? 0 : DUP_THRESH * t->mss); /* RFC 6582 3.2 step 2 */
    t->mode = MODE_RECOVERY;
    t->recover = t->snd_nxt;
    t->rtx_next = t->snd_una;
    t->rescue = t->snd_una + 1; /* RFC 6675 5 (4.3): beyond the segment that is due now */
    t->rtx_due = true;
    t->fast_recoveries++;
}

void tcp_cc_duplicate(struct tcp *t)
{
    switch (t->mode) {
    case MODE_LOSS:
        return;
    case MODE_RECOVERY:
        if (!t->sack && t->cwnd < CWND_MAX)
            t->cwnd += t->mss; /* RFC 6582 3.2 step 3: a segment has left the network */
        return;
    case MODE_OPEN:
        if (!t->dupacks++)
            t->dup_high = t->snd_nxt;
        /* RFC 6582 3.2 step 2: these may answer what was sent again for nothing, before recover. */
        if (!t->sack && seq_le(t->snd_una, t->recover))
            return;
        if (t->dupacks >= DUP_THRESH || (t->sack && first_hole_lost(t)))
            recovery_start(t);
        return;
    }
}

static void send_all_again(struct tcp *t)
{
    t->mode = MODE_LOSS;
    t->cwnd = t->mss;
    t->recover = t->snd_nxt;
    t->rtx_next = t->snd_una;
    t->sacked.count = 0; /* RFC 2018 8: the receiver may have thrown away what it only reported */
}

void tcp_cc_timeout(struct tcp *t)
{
    t->ssthresh = half_of(t, tcp_flight(t));
    send_all_again(t);
}

/* RFC 1191 6.5: what was too big is sent again in slow start, but it was no sign of congestion. */
void tcp_cc_mtu_lowered(struct tcp *t)
{
    if (t->mode == MODE_OPEN && t->ssthresh > t->cwnd)
        t->ssthresh = t->cwnd;
    send_all_again(t);
}

bool tcp_sack_update(struct tcp *t, const struct tcp_segment *s)
{
    bool news = false;
    for (unsigned i = 0; i < s->sack_count; i++) {
        uint32_t from = s->sack[i].from, to = s->sack[i].to;
        /* Below snd_una: a duplicate is being reported (RFC 2883), or the report is old. */
        if (!seq_lt(t->snd_una, from) || !seq_lt(from, to) || !seq_le(to, t->snd_nxt))
            continue;
        if (!ranges_cover(&t->sacked, from, to) && ranges_add(&t->sacked, from, to))
            news = true;
    }
    return news;
}

bool tcp_next_hole(const struct tcp *t, struct tcp_sack *hole, bool *sure)
{
    const struct ranges *s = &t->sacked;
    if (t->mode == MODE_OPEN)
        return false;
    hole->from = t->rtx_next;
    unsigned i = 0;
    while (i < s->count && seq_le(s->v[i].from, hole->from))
        hole->from = seq_max(hole->from, s->v[i++].to);
    *sure = true;
    if (t->mode == MODE_LOSS) {
        hole->to = i < s->count ? seq_min(s->v[i].from, t->recover) : t->recover;
        return seq_lt(hole->from, hole->to);
    }
    if (i == s->count)
        return false;
    hole->to = s->v[i].from;
    *sure = hole_lost(t, i, ranges_within(s, hole->to, t->snd_nxt));
    return true;
}

bool tcp_next_rescue(const struct tcp *t, struct tcp_sack *hole)
{
    if (t->mode != MODE_RECOVERY || !t->sack || seq_lt(t->snd_una, t->rescue))
        return false;
    unsigned n = t->sacked.count;
    hole->to = t->snd_nxt;
    hole->from = n ? t->sacked.v[n - 1].to : t->snd_una;
    if (hole->from == hole->to) {
        hole->to = t->sacked.v[n - 1].from;
        hole->from = n > 1 ? t->sacked.v[n - 2].to : t->snd_una;
    }
    hole->from = seq_max(hole->from, hole->to - t->mss);
    return seq_lt(hole->from, hole->to);
}
