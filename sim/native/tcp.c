/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Life of a connection: how it begins and ends, and the calls of its user. */
#include "sim/native/tcp.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "sim/native/tcp_internal.h"

const char *tcp_state_name(enum tcp_state s)
{
    static const char *const names[] = {"CLOSED",      "SYN-SENT",   "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1",
                                        "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING",      "LAST-ACK",    "TIME-WAIT"};
    return names[s];
}

static uint8_t scale_for(uint32_t buffer)
{
    uint8_t scale = 0;
    while (scale < 14 && buffer >> scale > UINT16_MAX) /* RFC 7323 2.3 */
        scale++;
    return scale;
}

static struct tcp *tcp_new(const struct tcp_config *cfg, uint32_t iss)
{
    assert(cfg->send_buffer && cfg->receive_buffer && cfg->send_buffer <= 1U << 30 &&
           cfg->receive_buffer <= 1U << 30 && cfg->mss >= MSS_MIN);
    struct tcp *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->cfg = *cfg;
    for (unsigned i = 0; i < TIMER_COUNT; i++)
        t->timer[i] = TIME_NEVER;
    t->iss = t->snd_una = iss;
    t->snd_nxt = t->snd_max = t->tx_seq = iss + 1;
    t->rcv_scale = scale_for(cfg->receive_buffer);
    t->mss = cfg->mss;
    t->rto_ns = RTO_FIRST;
    t->rcv_mss = cfg->mss < 536 ? cfg->mss : 536;
    t->syn_due = true;
    return t;
}

struct tcp *tcp_connect_new(const struct tcp_config *cfg, uint32_t iss, uint64_t now_ns)
{
    struct tcp *t = tcp_new(cfg, iss);
    if (!t)
        return NULL;
    t->state = TCPS_SYN_SENT;
    tcp_rtx_arm(t, now_ns);
    return t;
}

struct tcp *tcp_accept_new(const struct tcp_config *cfg, uint32_t iss, const struct tcp_segment *syn, uint64_t now_ns)
{
    struct tcp *t = tcp_new(cfg, iss);
    if (!t)
        return NULL;
    t->state = TCPS_SYN_RECEIVED;
    tcp_take_syn(t, syn);
    tcp_rtx_arm(t, now_ns);
    return t;
}

void tcp_take_syn(struct tcp *t, const struct tcp_segment *syn)
{
    t->irs = syn->seq;
    t->rcv_nxt = t->rcv_acked = syn->seq + 1;
    /* RFC 9293 3.7.1: without the option, 536 (1220 for IPv6). A peer may not make us send crumbs. */
    uint16_t mss = syn->mss ? syn->mss : t->cfg.ipv6 ? 1220 : 536;
    t->mss = mss < MSS_MIN ? MSS_MIN : mss < t->mss ? mss : t->mss;
    t->peer_scales = syn->wscale != TCP_NO_WSCALE;
    if (t->peer_scales)
        t->snd_scale = syn->wscale > 14 ? 14 : syn->wscale; /* RFC 7323 2.3 */
    else
        t->rcv_scale = 0;
    t->sack = syn->sack_ok && !t->cfg.no_sack;
    t->snd_wnd = t->snd_wnd_max = syn->window; /* never scaled (RFC 7323 2.2) */
    t->snd_wl1 = syn->seq;
    t->snd_wl2 = t->snd_una;
    t->rcv_adv = t->rcv_nxt;
}

void tcp_free(struct tcp *t)
{
    if (!t)
        return;
    ring_free(&t->tx);
    ring_free(&t->rx);
    ranges_free(&t->ahead);
    ranges_free(&t->sacked);
    free(t);
}

/* ---- transitions ---- */

void tcp_established(struct tcp *t, uint64_t now_ns)
{
    t->state = TCPS_ESTABLISHED;
    t->news.connected = true;
    /* RFC 6298 5.7: after a lost SYN, data starts from 3 s. */
    if (t->syn_repeats)
        t->rto_ns = 3 * RTO_FIRST;
    t->backoff = t->retries = 0;
    t->recover = t->iss; /* RFC 6582 3.2 step 1 */
    t->rtx_next = t->snd_una;
    tcp_rtx_stop(t);
    tcp_cc_start(t);
    tcp_keep_restart(t, now_ns);
    if (t->fin_queued)
        t->state = TCPS_FIN_WAIT_1;
}

static void timers_off(struct tcp *t)
{
    for (unsigned i = 0; i < TIMER_COUNT; i++)
        t->timer[i] = TIME_NEVER;
}

static void sending_is_over(struct tcp *t)
{
    ring_free(&t->tx);
    ranges_free(&t->sacked);
    ranges_free(&t->ahead);
    if (!t->rx_len)
        ring_free(&t->rx);
}

void tcp_time_wait(struct tcp *t, uint64_t now_ns)
{
    t->state = TCPS_TIME_WAIT;
    timers_off(t);
    t->timer[TIMER_2MSL] = now_ns + 2 * t->cfg.msl_ns;
    sending_is_over(t);
}

void tcp_end(struct tcp *t, int err)
{
    t->state = TCPS_CLOSED;
    t->err = err;
    t->syn_due = t->ack_due = t->rtx_due = t->probe_due = t->keep_due = false;
    timers_off(t);
    sending_is_over(t);
}

void tcp_reset_peer(struct tcp *t)
{
    t->rst_due = true;
    t->rst_seq = t->snd_nxt;
    t->rst_ack = t->rcv_nxt;
    t->rst_flags = TCP_RST | TCP_ACK;
}

/* ---- calls of the user ---- */

size_t tcp_write(struct tcp *t, const void *data, size_t len)
{
    if (t->fin_queued || !tcp_in(t, IN(SYN_SENT) | IN(SYN_RECEIVED) | IN(ESTABLISHED) | IN(CLOSE_WAIT)))
        return 0;
    size_t room = t->cfg.send_buffer - t->tx_len;
    size_t n = len < room ? len : room;
    if (!ring_reserve(&t->tx, t->tx_len + n))
        n = 0;
    ring_put(&t->tx, t->tx_len, data, n);
    t->tx_len += (uint32_t)n;
    if (n < len)
        t->write_short = true;
    return n;
}

size_t tcp_read(struct tcp *t, void *buf, size_t cap, bool *eof)
{
    size_t n = cap < t->rx_len ? cap : t->rx_len;
    if (n) {
        ring_get(&t->rx, 0, buf, n);
        ring_drop(&t->rx, n);
        t->rx_len -= (uint32_t)n;
        if (!t->rx_len && !t->ahead.count)
            ring_rewind(&t->rx);
        /* RFC 9293 3.8.6.2.2: a window that is opened in crumbs makes the peer send crumbs. */
        uint32_t gain = t->rcv_nxt + tcp_rcv_room(t) - t->rcv_adv;
        uint32_t worth = t->cfg.receive_buffer / 2 < 2U * t->cfg.mss ? t->cfg.receive_buffer / 2 : 2U * t->cfg.mss;
        if (gain >= worth && tcp_in(t, IN_RECEIVING))
            t->ack_due = true;
    }
    bool ended = t->rx_len == 0 && t->fin_seen && seq_lt(t->fin_seq, t->rcv_nxt);
    t->eof_read |= ended;
    *eof = ended;
    return n;
}

void tcp_shutdown_write(struct tcp *t)
{
    if (t->fin_queued || !tcp_in(t, IN(SYN_SENT) | IN(SYN_RECEIVED) | IN(ESTABLISHED) | IN(CLOSE_WAIT)))
        return;
    t->fin_queued = true;
    if (t->state == TCPS_ESTABLISHED)
        t->state = TCPS_FIN_WAIT_1;
    else if (t->state == TCPS_CLOSE_WAIT)
        t->state = TCPS_LAST_ACK;
}

void tcp_close(struct tcp *t)
{
    t->orphan = true;
    if (t->state == TCPS_SYN_SENT) {
        tcp_end(t, 0);
    } else if (t->rx_len && !tcp_in(t, IN(CLOSED) | IN(TIME_WAIT))) {
        tcp_abort(t); /* bytes are lost, and the peer must know (RFC 9293 3.6.1, SHLD-3) */
    } else {
        tcp_shutdown_write(t);
    }
}

void tcp_abort(struct tcp *t)
{
    t->orphan = true;
    /* RFC 9293 3.10.5: in the other states there is nobody to tell, or both sides have said that they are done. */
    if (tcp_in(t, IN(SYN_RECEIVED) | IN(ESTABLISHED) | IN(FIN_WAIT_1) | IN(FIN_WAIT_2) | IN(CLOSE_WAIT)))
        tcp_reset_peer(t);
    tcp_end(t, 0);
}

struct tcp_news tcp_news(struct tcp *t)
{
    struct tcp_news news = t->news;
    t->news = (struct tcp_news){0};
    /* An orderly end is one only when the user has read everything. */
    bool over = tcp_in(t, IN(CLOSED) | IN(TIME_WAIT));
    if (over && !t->over_told && (t->err || t->orphan || t->eof_read || !t->fin_seen)) {
        t->over_told = true;
        news.closed = true;
        news.err = t->err;
    }
    return news;
}

void tcp_icmp(struct tcp *t, int err, uint16_t mtu, uint64_t now_ns)
{
    if (mtu) {
        uint16_t least = t->cfg.ipv6 ? MTU_MIN_V6 : MTU_MIN_V4;
        uint16_t mss = (uint16_t)((mtu < least ? least : mtu) - (t->cfg.ipv6 ? 60 : 40));
        if (mss < t->mss) {
            t->mss = mss;
            if (tcp_in(t, IN_SENDING) && tcp_flight(t)) {
                tcp_cc_mtu_lowered(t);
                tcp_rtx_arm(t, now_ns);
            }
        }
    } else if (err && tcp_in(t, IN(SYN_SENT) | IN(SYN_RECEIVED))) {
        tcp_end(t, err);
    }
}

/* ---- seen from outside ---- */

enum tcp_state tcp_state(const struct tcp *t)
{
    return t->state;
}

bool tcp_may_be_replaced(const struct tcp *t, uint32_t syn_seq)
{
    return t->state == TCPS_TIME_WAIT && seq_lt(t->rcv_nxt, syn_seq);
}

void tcp_info(const struct tcp *t, struct tcp_info *out)
{
    uint32_t unsent = tcp_snd_end(t) - t->snd_nxt;
    bool making = tcp_in(t, IN(SYN_SENT) | IN(SYN_RECEIVED));
    *out = (struct tcp_info){
        .state = t->state,
        .cwnd = t->cwnd,
        .ssthresh = t->ssthresh,
        .flight = tcp_flight(t),
        .snd_wnd = t->snd_wnd,
        .rcv_wnd = making ? 0 : t->rcv_adv - t->rcv_nxt,
        .mss = t->mss,
        .srtt_ns = t->srtt_ns,
        .rttvar_ns = t->rttvar_ns,
        .rto_ns = tcp_rto(t),
        .retransmits = t->retransmits,
        .timeouts = t->timeouts,
        .fast_recoveries = t->fast_recoveries,
        .unsent = unsent,
        .unread = t->rx_len,
    };
}

bool tcp_reset_for(const struct tcp_segment *s, struct tcp_segment *out)
{
    if (s->flags & TCP_RST)
        return false;
    *out = (struct tcp_segment){.flags = TCP_RST, .wscale = TCP_NO_WSCALE};
    if (s->flags & TCP_ACK) {
        out->seq = s->ack;
    } else {
        out->flags |= TCP_ACK;
        out->ack = s->seq + (uint32_t)(s->len + s->len2) + !!(s->flags & TCP_SYN) + !!(s->flags & TCP_FIN);
    }
    return true;
}
