/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which segment goes out next. There is no Nagle algorithm: who uses this engine writes whole messages, and wants
 * them on their way (TCP_NODELAY). */
#include <assert.h>

#include "sim/native/tcp_internal.h"

/* Where in sequence space a segment goes, FIN included. */
struct span {
    uint32_t from, len;
};

static uint16_t window_field(struct tcp *t, uint8_t flags)
{
    uint32_t edge = t->rcv_nxt + tcp_rcv_room(t);
    t->rcv_adv = seq_max(t->rcv_adv, t->rcv_nxt);
    /* Silly window avoidance, RFC 9293 3.8.6.2.2: the right edge moves by something worth having. */
    uint32_t worth = t->cfg.receive_buffer / 2 < t->cfg.mss ? t->cfg.receive_buffer / 2 : t->cfg.mss;
    if (edge - t->rcv_adv >= worth)
        t->rcv_adv = edge;
    uint32_t window = (t->rcv_adv - t->rcv_nxt) >> (flags & TCP_SYN ? 0 : t->rcv_scale);
    return window < UINT16_MAX ? (uint16_t)window : UINT16_MAX;
}

/* Everything but the payload; whatever carries an ACK is the ACK that was due. */
static void header(struct tcp *t, struct tcp_segment *out, uint8_t flags, uint32_t seq)
{
    out->seq = seq;
    out->ack = flags & TCP_ACK ? t->rcv_nxt : 0;
    out->flags = flags;
    out->mss = 0;
    out->wscale = TCP_NO_WSCALE;
    out->sack_ok = false;
    out->sack_count = 0;
    out->data = out->data2 = NULL;
    out->len = out->len2 = 0;
    out->window = window_field(t, flags);
    if (flags & TCP_ACK) {
        t->ack_due = false;
        t->rcv_acked = t->rcv_nxt;
        t->timer[TIMER_DELACK] = TIME_NEVER;
        if (t->recent_count && !(flags & TCP_SYN)) {
            out->sack_count = t->recent_count;
            for (unsigned i = 0; i < t->recent_count; i++)
                out->sack[i] = t->recent[i];
        }
    }
}

static void put_syn(struct tcp *t, struct tcp_segment *out, uint64_t now_ns)
{
    bool answer = t->state == TCPS_SYN_RECEIVED;
    t->syn_due = false;
    header(t, out, answer ? TCP_SYN | TCP_ACK : TCP_SYN, t->iss);
    out->mss = t->cfg.mss;
    /* RFC 7323 2.2 and RFC 2018 2: in a SYN-ACK only when the SYN had them. */
    out->wscale = answer && !t->peer_scales ? TCP_NO_WSCALE : t->rcv_scale;
    out->sack_ok = answer ? t->sack : !t->cfg.no_sack;
    t->timing = !t->syn_repeats; /* Karn: no sample from what was sent twice */
    t->rtt_start_ns = now_ns;
    t->rtt_seq = t->iss + 1;
    t->retransmits += t->syn_repeats > 0;
}

/* How many SACK blocks ride on data: they may take half of a segment at most. */
static unsigned blocks_on_data(const struct tcp *t)
{
    unsigned n = t->recent_count;
    while (n && 4U + 8U * n > t->mss / 2U)
        n--;
    return n;
}

/* The MSS does not count options: what SACK blocks take is missing from the payload (RFC 6691 2). */
static uint32_t payload_max(const struct tcp *t)
{
    unsigned n = blocks_on_data(t);
    return t->mss - (n ? 4U + 8U * n : 0U);
}

static void put_span(struct tcp *t, struct tcp_segment *out, struct span s)
{
    uint32_t data_end = t->tx_seq + t->tx_len;
    uint32_t bytes = seq_min(s.from + s.len, data_end) - s.from;
    uint8_t flags = TCP_ACK;
    if (bytes && s.from + bytes == data_end)
        flags |= TCP_PSH; /* the last that there is */
    if (bytes < s.len)
        flags |= TCP_FIN;
    header(t, out, flags, s.from);
    if (bytes)
        out->sack_count = (uint8_t)blocks_on_data(t);
    ring_view(&t->tx, s.from - t->tx_seq, bytes, out);
}

/* As much of [from, to) as one segment takes. The FIN rides along for nothing. */
static struct span one_segment(const struct tcp *t, uint32_t from, uint32_t to)
{
    uint32_t len = to - from, data_end = t->tx_seq + t->tx_len;
    uint32_t bytes = seq_min(to, data_end) - from;
    if (bytes > payload_max(t))
        len = payload_max(t);
    return (struct span){from, len};
}

static void put_again(struct tcp *t, struct tcp_segment *out, struct span s)
{
    t->timing = false; /* Karn */
    t->retransmits++;
    put_span(t, out, s);
}

static void put_new(struct tcp *t, struct tcp_segment *out, struct span s, uint64_t now_ns)
{
    if (t->persisting) { /* the window has opened */
        tcp_rtx_stop(t);
        t->backoff = t->retries = 0;
    }
    if (!t->timing) {
        t->timing = true;
        t->rtt_start_ns = now_ns;
        t->rtt_seq = s.from + s.len;
    }
    t->last_send_ns = now_ns;
    t->snd_nxt = s.from + s.len;
    t->snd_max = seq_max(t->snd_max, t->snd_nxt);
    if (t->timer[TIMER_RTX] == TIME_NEVER)
        tcp_rtx_arm(t, now_ns);
    put_span(t, out, s);
}

/* New data or FIN that windows and silly window avoidance (RFC 9293 3.8.6.2.1) let go now; when the time for a probe
 * has come, also into a silly window. */
static bool next_new(struct tcp *t, uint32_t room, struct span *s)
{
    uint32_t waiting = tcp_snd_end(t) - t->snd_nxt, edge = t->snd_una + t->snd_wnd;
    if (!waiting || !seq_lt(t->snd_nxt, edge))
        return false;
    uint32_t usable = edge - t->snd_nxt;
    *s = one_segment(t, t->snd_nxt, t->snd_nxt + (waiting < usable ? waiting : usable));
    uint32_t bytes = seq_min(s->from + s->len, t->tx_seq + t->tx_len) - s->from; /* cwnd does not count the FIN */
    bool worth = bytes == payload_max(t) || s->len == waiting || s->len >= t->snd_wnd_max / 2 || t->probe_due;
    return worth && bytes <= room;
}

static bool put_data(struct tcp *t, struct tcp_segment *out, uint64_t now_ns)
{
    struct tcp_sack hole;
    struct span s;
    bool sure = false;
    if (t->rtx_due) {
        t->rtx_due = false;
        uint32_t to = t->sacked.count ? t->sacked.v[0].from : t->snd_nxt;
        s = one_segment(t, t->snd_una, to);
        t->rtx_next = seq_max(t->rtx_next, s.from + s.len);
        put_again(t, out, s);
        return true;
    }
    if (!tcp_flight(t) && now_ns - t->last_send_ns > tcp_rto(t) && t->cwnd > tcp_cc_initial_window(t))
        t->cwnd = tcp_cc_initial_window(t); /* RFC 5681 4.1: idle, what is known of the path is old */
    uint32_t room = tcp_cc_room(t);
    bool lost = room >= t->mss && tcp_next_hole(t, &hole, &sure);
    if (!(lost && sure) && next_new(t, room, &s)) {
        t->probe_due = false;
        put_new(t, out, s, now_ns);
        return true;
    }
    if (lost) {
        s = one_segment(t, hole.from, hole.to);
        t->rtx_next = s.from + s.len;
        put_again(t, out, s);
        return true;
    }
    if (room >= t->mss && tcp_next_rescue(t, &hole)) {
        t->rescue = t->recover;
        put_again(t, out, one_segment(t, hole.from, hole.to));
        return true;
    }
    return false;
}

/* RFC 9293 3.8.6.1: one byte, or the FIN, into a closed window. */
static void put_probe(struct tcp *t, struct tcp_segment *out)
{
    t->probe_due = false;
    t->snd_max = seq_max(t->snd_max, t->snd_nxt + 1);
    put_span(t, out, (struct span){t->snd_nxt, 1});
}

bool tcp_output(struct tcp *t, struct tcp_segment *out, uint64_t now_ns)
{
    if (t->rst_due) {
        t->rst_due = false;
        header(t, out, t->rst_flags, t->rst_seq);
        out->ack = t->rst_ack;
        return true;
    }
    if (t->syn_due) {
        put_syn(t, out, now_ns);
        return true;
    }
    if (tcp_in(t, IN_SENDING)) {
        if (put_data(t, out, now_ns))
            return true;
        if (t->probe_due && tcp_snd_end(t) != t->snd_nxt) {
            put_probe(t, out);
            return true;
        }
        t->probe_due = false;
        if (!tcp_flight(t) && tcp_snd_end(t) != t->snd_nxt && !t->persisting) {
            t->persisting = true;
            tcp_rtx_arm(t, now_ns);
        }
    }
    if (t->keep_due) { /* RFC 9293 3.8.4: below the window, so that it must be answered */
        t->keep_due = false;
        header(t, out, TCP_ACK, t->snd_nxt - 1);
        return true;
    }
    if (t->ack_due) {
        header(t, out, TCP_ACK, t->snd_nxt);
        return true;
    }
    /* Nobody is left who could wait for the peer's FIN: not for ever then (as Linux does). */
    if (t->state == TCPS_FIN_WAIT_2 && t->orphan && t->timer[TIMER_2MSL] == TIME_NEVER)
        t->timer[TIMER_2MSL] = now_ns + 2 * t->cfg.msl_ns;
    return false;
}
