/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Segments that arrive: RFC 9293 3.10.7, in its order, with RFC 5961 against blind resets. */
#include <assert.h>

#include "models/base/err.h"
#include "sim/native/tcp_internal.h"

#define CHALLENGE_INTERVAL (500 * NS_MS)

/* Answers what should not have come with an ACK that says where we are. Not too often when it brings no data: two
 * ends that disagree would answer each other for ever. */
static void challenge(struct tcp *t, const struct tcp_segment *s, uint64_t now_ns)
{
    bool brings = s->len || s->flags & TCP_FIN;
    if (!brings && t->challenged && now_ns - t->last_challenge_ns < CHALLENGE_INTERVAL)
        return;
    if (!brings) {
        t->challenged = true;
        t->last_challenge_ns = now_ns;
    }
    t->ack_due = true;
}

static void refuse(struct tcp *t, uint32_t seq)
{
    t->rst_due = true;
    t->rst_flags = TCP_RST;
    t->rst_seq = seq;
    t->rst_ack = 0;
}

/* RFC 9293 3.10.7.4 first check, with three kinds of segment more whose ACK is worth looking at: a bare one on the
 * right edge, as after data that was lost in a full window; with the window closed, what starts at rcv_nxt; and
 * what repeats the last number only, a probe or a FIN. Were its ACK ignored, two ends that have taken each other's
 * probe would ignore each other for ever. */
static bool acceptable(const struct tcp *t, const struct tcp_segment *s)
{
    uint32_t len = (uint32_t)s->len + !!(s->flags & TCP_SYN) + !!(s->flags & TCP_FIN);
    uint32_t edge = t->rcv_nxt + tcp_rcv_room(t);
    if (s->seq == t->rcv_nxt)
        return true;
    if (s->seq + 1 == t->rcv_nxt && len <= 1)
        return !(s->flags & (TCP_RST | TCP_SYN));
    if (!len)
        return seq_lt(t->rcv_nxt, s->seq) && seq_le(s->seq, edge);
    return seq_lt(t->rcv_nxt, s->seq + len) && seq_lt(s->seq, edge);
}

/* ---- text and FIN ---- */

/* RFC 2018 4: the block of the newest segment first, then those reported last. */
static void report(struct tcp *t, struct tcp_sack block)
{
    struct tcp_sack old[TCP_SACK_BLOCKS];
    unsigned n = t->recent_count, kept = 1;
    for (unsigned i = 0; i < n; i++)
        old[i] = t->recent[i];
    t->recent[0] = block;
    for (unsigned i = 0; i < n && kept < TCP_SACK_BLOCKS; i++)
        if (seq_lt(block.to, old[i].from) || seq_lt(old[i].to, block.from))
            t->recent[kept++] = old[i];
    t->recent_count = (uint8_t)kept;
}

static void forget_reports(struct tcp *t)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < t->recent_count; i++)
        if (seq_lt(t->rcv_nxt, t->recent[i].from))
            t->recent[kept++] = t->recent[i];
    t->recent_count = (uint8_t)kept;
}

static void take_ahead(struct tcp *t, const struct tcp_segment *s)
{
    size_t offset = t->rx_len + (s->seq - t->rcv_nxt);
    t->ack_due = true; /* RFC 5681 4.2 */
    if (!ring_reserve(&t->rx, offset + s->len))
        return;
    const struct tcp_sack *block = ranges_add(&t->ahead, s->seq, s->seq + (uint32_t)s->len);
    if (!block)
        return;
    ring_put(&t->rx, offset, s->data, s->len);
    if (t->sack)
        report(t, *block);
}

static void take_in_order(struct tcp *t, const struct tcp_segment *s, uint64_t now_ns)
{
    if (!ring_reserve(&t->rx, t->rx_len + s->len))
        return;
    ring_put(&t->rx, t->rx_len, s->data, s->len);
    uint32_t nxt = t->rcv_nxt + (uint32_t)s->len;
    if (t->ahead.count) {
        t->ack_due = true; /* a gap is filled or begins to be: RFC 5681 4.2 */
        for (unsigned i = 0; i < t->ahead.count && seq_le(t->ahead.v[i].from, nxt); i++)
            nxt = seq_max(nxt, t->ahead.v[i].to);
        ranges_trim(&t->ahead, nxt);
    }
    t->rx_len += nxt - t->rcv_nxt;
    t->rcv_nxt = nxt;
    forget_reports(t);
    t->news.readable = true;
    if (s->len > t->rcv_mss)
        t->rcv_mss = (uint16_t)s->len;
    /* RFC 9293 3.8.6.3: at least every second full segment. */
    if (t->rcv_nxt - t->rcv_acked >= 2U * t->rcv_mss)
        t->ack_due = true;
    else if (t->timer[TIMER_DELACK] == TIME_NEVER)
        t->timer[TIMER_DELACK] = now_ns + t->cfg.delayed_ack_ns;
}

static void take_fin(struct tcp *t, uint64_t now_ns)
{
    assert(tcp_in(t, IN_RECEIVING));
    t->rcv_nxt++;
    t->ack_due = true;
    t->news.readable = true;
    switch (t->state) {
    case TCPS_ESTABLISHED: t->state = TCPS_CLOSE_WAIT; break;
    case TCPS_FIN_WAIT_1: t->state = TCPS_CLOSING; break; /* our FIN is not acknowledged: that was looked at before */
    case TCPS_FIN_WAIT_2: tcp_time_wait(t, now_ns); break;
    default: break;
    }
}

/* Cuts s, whose SYN is gone, to what is new and fits. */
static void trim(const struct tcp *t, struct tcp_segment *s)
{
    if (seq_lt(s->seq, t->rcv_nxt)) {
        uint32_t old = t->rcv_nxt - s->seq;
        if (old > s->len)
            old = (uint32_t)s->len;
        s->seq += old;
        s->len -= old;
        s->data = s->len ? s->data + old : NULL;
    }
    uint32_t edge = t->rcv_nxt + tcp_rcv_room(t);
    if (t->fin_seen)
        edge = seq_min(edge, t->fin_seq);
    if (seq_lt(edge, s->seq + (uint32_t)s->len)) {
        s->len = seq_lt(s->seq, edge) ? edge - s->seq : 0;
        s->flags &= (uint8_t)~TCP_FIN;
    }
}

/* The seventh and eighth step. */
static void text(struct tcp *t, struct tcp_segment *s, uint64_t now_ns)
{
    if (seq_lt(s->seq, t->rcv_nxt))
        challenge(t, s, now_ns); /* sent again: our ACK was lost; or a keep-alive probe */
    if (t->state == TCPS_TIME_WAIT && s->flags & TCP_FIN)
        t->timer[TIMER_2MSL] = now_ns + 2 * t->cfg.msl_ns;
    if (!tcp_in(t, IN_RECEIVING))
        return; /* after its FIN there is nothing */
    if (t->orphan && s->len && seq_lt(t->rcv_nxt, s->seq + (uint32_t)s->len)) {
        tcp_reset_peer(t); /* RFC 9293 3.6.1, SHLD-3: nobody will read it */
        tcp_end(t, 0);
        return;
    }
    size_t len = s->len;
    trim(t, s);
    if (s->len < len)
        t->ack_due = true;
    uint32_t end = s->seq + (uint32_t)s->len;
    uint32_t high = t->ahead.count ? t->ahead.v[t->ahead.count - 1].to : t->rcv_nxt;
    if (s->flags & TCP_FIN && !t->fin_seen && seq_le(high, end)) { /* below what has arrived there is no FIN */
        t->fin_seen = true;
        t->fin_seq = end;
    }
    if (s->len && s->seq == t->rcv_nxt)
        take_in_order(t, s, now_ns);
    else if (s->len)
        take_ahead(t, s);
    if (t->fin_seen && t->fin_seq == t->rcv_nxt)
        take_fin(t, now_ns);
    else if (s->flags & TCP_FIN)
        t->ack_due = true;
}

/* ---- acknowledgments ---- */

static void took_window(struct tcp *t, const struct tcp_segment *s)
{
    t->snd_wnd = (uint32_t)s->window << t->snd_scale;
    t->snd_wl1 = s->seq;
    t->snd_wl2 = s->ack;
    if (t->snd_wnd > t->snd_wnd_max)
        t->snd_wnd_max = t->snd_wnd;
}

static void fin_acked(struct tcp *t, uint64_t now_ns)
{
    switch (t->state) {
    case TCPS_FIN_WAIT_1: t->state = TCPS_FIN_WAIT_2; break;
    case TCPS_CLOSING: tcp_time_wait(t, now_ns); break;
    case TCPS_LAST_ACK: tcp_end(t, 0); break;
    default: break;
    }
}

/* snd_una moves. */
static void acked(struct tcp *t, uint32_t ack, uint64_t now_ns)
{
    uint32_t flight = tcp_flight(t), count = ack - t->snd_una;
    uint32_t bytes = ack - t->tx_seq < t->tx_len ? ack - t->tx_seq : t->tx_len;
    bool all = ack == tcp_snd_end(t);
    t->snd_una = ack;
    t->snd_nxt = seq_max(t->snd_nxt, ack); /* a window probe was taken */
    ring_drop(&t->tx, bytes);
    t->tx_seq += bytes;
    t->tx_len -= bytes;
    t->retries = 0;
    if (t->timing && seq_le(t->rtt_seq, ack)) {
        t->timing = false;
        tcp_rtt_sample(t, now_ns - t->rtt_start_ns);
    }
    tcp_cc_acked(t, count, flight);
    if (tcp_flight(t))
        tcp_rtx_arm(t, now_ns); /* RFC 6298 5.3 */
    else
        tcp_rtx_stop(t);
    if (t->write_short && !t->fin_queued && t->tx_len <= t->cfg.send_buffer / 2) {
        t->write_short = false;
        t->news.writable = true;
    }
    if (all && t->fin_queued)
        fin_acked(t, now_ns);
}

/* The fifth step in synchronized states. false: the segment is done with. */
static bool take_ack(struct tcp *t, const struct tcp_segment *s, uint64_t now_ns)
{
    /* RFC 5961 5.2: neither what was never sent nor what is very old. */
    if (seq_lt(t->snd_max, s->ack) || seq_lt(s->ack, t->snd_una - t->snd_wnd_max)) {
        challenge(t, s, now_ns);
        return false;
    }
    if (seq_lt(s->ack, t->snd_una))
        return true;
    uint32_t wnd = (uint32_t)s->window << t->snd_scale;
    if (!wnd || t->persisting)
        t->retries = 0; /* a closed window is no dead peer (RFC 9293 3.8.6.1, MUST-36) */
    /* RFC 5681 2; with SACK, RFC 6675 2 counts segments that report something new instead. */
    bool duplicate = s->ack == t->snd_una && tcp_flight(t) && !s->len && !(s->flags & TCP_FIN) && wnd == t->snd_wnd;
    if (seq_lt(t->snd_wl1, s->seq) || (t->snd_wl1 == s->seq && seq_le(t->snd_wl2, s->ack)))
        took_window(t, s);
    if (s->ack != t->snd_una)
        acked(t, s->ack, now_ns);
    if (t->sack)
        duplicate = s->sack_count && tcp_sack_update(t, s);
    if (duplicate)
        tcp_cc_duplicate(t);
    return true;
}

/* ---- by state ---- */

static void input_syn_sent(struct tcp *t, const struct tcp_segment *s, uint64_t now_ns)
{
    bool ack = s->flags & TCP_ACK;
    if (ack && s->ack != t->iss + 1) { /* RFC 9293 3.10.7.3, first: only our SYN is out */
        if (!(s->flags & TCP_RST))
            refuse(t, s->ack);
        return;
    }
    if (s->flags & TCP_RST) {
        if (ack)
            tcp_end(t, E_REFUSED);
        return;
    }
    if (!(s->flags & TCP_SYN))
        return;
    tcp_take_syn(t, s);
    if (!ack) { /* simultaneous open */
        t->state = TCPS_SYN_RECEIVED;
        t->syn_due = true;
        t->retries = 0;
        return;
    }
    t->snd_una = s->ack;
    t->snd_wl2 = s->ack;
    if (t->timing)
        tcp_rtt_sample(t, now_ns - t->rtt_start_ns);
    t->timing = false;
    t->ack_due = true;
    tcp_established(t, now_ns);
}

/* false: the segment is done with. */
static bool input_syn_received(struct tcp *t, struct tcp_segment *s)
{
    if (s->flags & TCP_SYN && s->seq == t->irs && !(s->flags & TCP_RST)) {
        if (!(s->flags & TCP_ACK)) { /* the SYN again: the SYN-ACK is lost */
            t->syn_due = true;
            t->syn_repeats++;
            return false;
        }
        /* The SYN-ACK of a simultaneous open: its SYN is known, its ACK is what we wait for (RFC 9293 figure 7). */
        s->flags &= (uint8_t)~TCP_SYN;
        s->seq++;
        s->window = (uint16_t)(s->window >> t->snd_scale); /* in a SYN it was not scaled */
    }
    return true;
}

static int reset_error(const struct tcp *t)
{
    if (t->state == TCPS_SYN_RECEIVED)
        return E_REFUSED;
    /* Both sides have closed: fine, unless something of ours has not arrived. */
    if (tcp_in(t, IN(CLOSING) | IN(LAST_ACK) | IN(TIME_WAIT)))
        return t->tx_len ? E_RESET : 0;
    return E_RESET;
}

/* The second step (RFC 5961 3.2). */
static void input_reset(struct tcp *t, const struct tcp_segment *s, uint64_t now_ns)
{
    if (s->seq == t->rcv_nxt)
        tcp_end(t, reset_error(t));
    else
        challenge(t, s, now_ns);
}

/* From the first step on; t is past SYN_SENT. */
static void input_synchronized(struct tcp *t, struct tcp_segment *s, uint64_t now_ns)
{
    if (t->state == TCPS_SYN_RECEIVED && !input_syn_received(t, s))
        return;
    if (!acceptable(t, s)) {
        if (!(s->flags & TCP_RST))
            challenge(t, s, now_ns);
        return;
    }
    if (s->flags & TCP_RST) {
        input_reset(t, s, now_ns);
        return;
    }
    if (s->flags & TCP_SYN) { /* RFC 5961 4.2 */
        challenge(t, s, now_ns);
        return;
    }
    if (!(s->flags & TCP_ACK))
        return;
    if (t->state == TCPS_SYN_RECEIVED) {
        if (s->ack != t->iss + 1) {
            refuse(t, s->ack);
            return;
        }
        t->snd_una = s->ack;
        if (t->timing)
            tcp_rtt_sample(t, now_ns - t->rtt_start_ns);
        t->timing = false;
        tcp_established(t, now_ns);
    }
    tcp_keep_restart(t, now_ns);
    if (take_ack(t, s, now_ns) && t->state != TCPS_CLOSED)
        text(t, s, now_ns);
}

void tcp_input(struct tcp *t, const struct tcp_segment *s, uint64_t now_ns)
{
    assert(!s->len2);
    struct tcp_segment own = *s;
    switch (t->state) {
    case TCPS_CLOSED:
        t->rst_due = tcp_reset_for(s, &own);
        t->rst_flags = own.flags;
        t->rst_seq = own.seq;
        t->rst_ack = own.ack;
        break;
    case TCPS_SYN_SENT:
        input_syn_sent(t, s, now_ns);
        break;
    default:
        input_synchronized(t, &own, now_ns);
        break;
    }
}
