/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happens because time has passed. */
#include "models/base/err.h"
#include "sim/native/tcp_internal.h"

#define KEEP_INTERVAL (75 * NS_S)

uint64_t tcp_rto(const struct tcp *t)
{
    uint64_t rto = t->rto_ns << t->backoff;
    return rto < RTO_MAX ? rto : RTO_MAX;
}

void tcp_rtx_arm(struct tcp *t, uint64_t now_ns)
{
    t->timer[TIMER_RTX] = now_ns + tcp_rto(t);
}

void tcp_rtx_stop(struct tcp *t)
{
    t->timer[TIMER_RTX] = TIME_NEVER;
    t->persisting = false;
}

void tcp_rtt_sample(struct tcp *t, uint64_t rtt_ns)
{
    if (!t->srtt_ns) {
        t->srtt_ns = rtt_ns ? rtt_ns : 1;
        t->rttvar_ns = rtt_ns / 2;
    } else {
        uint64_t off = t->srtt_ns < rtt_ns ? rtt_ns - t->srtt_ns : t->srtt_ns - rtt_ns;
        t->rttvar_ns = (3 * t->rttvar_ns + off) / 4;
        t->srtt_ns = (7 * t->srtt_ns + rtt_ns) / 8;
    }
    uint64_t spread = 4 * t->rttvar_ns;
    uint64_t rto = t->srtt_ns + (spread < RTO_SPREAD_MIN ? RTO_SPREAD_MIN : spread);
    t->rto_ns = rto < RTO_MAX ? rto : RTO_MAX;
    t->backoff = 0;
}

void tcp_keep_restart(struct tcp *t, uint64_t now_ns)
{
    t->keep_probes = 0;
    if (t->cfg.keepalive_ns && t->state != TCPS_TIME_WAIT)
        t->timer[TIMER_KEEP] = now_ns + t->cfg.keepalive_ns;
}

uint64_t tcp_deadline(const struct tcp *t)
{
    uint64_t when = t->timer[0];
    for (unsigned i = 1; i < TIMER_COUNT; i++)
        when = time_min(when, t->timer[i]);
    return when;
}

/* Retransmissions in vain before the connection is given up. */
static unsigned rtx_limit(const struct tcp *t)
{
    switch (t->state) {
    case TCPS_SYN_SENT: return SYN_RETRIES;
    case TCPS_SYN_RECEIVED: return SYN_ACK_RETRIES;
    default: return DATA_RETRIES;
    }
}

static void rtx_timer(struct tcp *t, uint64_t now_ns)
{
    if (t->retries >= rtx_limit(t)) {
        tcp_end(t, E_TIMED_OUT);
        return;
    }
    if (tcp_in(t, IN(SYN_SENT) | IN(SYN_RECEIVED))) {
        t->syn_due = true;
        t->syn_repeats++;
        t->timeouts++;
    } else if (t->persisting) {
        t->probe_due = true;
    } else {
        tcp_cc_timeout(t);
        t->timeouts++;
    }
    t->retries++;
    if (tcp_rto(t) < RTO_MAX)
        t->backoff++; /* RFC 6298 5.5; of probes, RFC 9293 3.8.6.1 */
    tcp_rtx_arm(t, now_ns);
}

static void keep_timer(struct tcp *t, uint64_t now_ns)
{
    if (tcp_flight(t) || t->persisting) { /* another timer finds out whether the peer lives */
        t->timer[TIMER_KEEP] = now_ns + t->cfg.keepalive_ns;
    } else if (t->keep_probes == KEEP_PROBES) {
        tcp_reset_peer(t);
        tcp_end(t, E_TIMED_OUT);
    } else {
        t->keep_probes++;
        t->keep_due = true;
        t->timer[TIMER_KEEP] = now_ns + KEEP_INTERVAL;
    }
}

void tcp_timer(struct tcp *t, uint64_t now_ns)
{
    for (unsigned i = 0; i < TIMER_COUNT; i++) {
        if (t->timer[i] > now_ns)
            continue;
        t->timer[i] = TIME_NEVER;
        switch ((enum tcp_timer_kind)i) {
        case TIMER_RTX: rtx_timer(t, now_ns); break;
        case TIMER_DELACK: t->ack_due = true; break;
        case TIMER_KEEP: keep_timer(t, now_ns); break;
        case TIMER_2MSL: tcp_end(t, 0); break;
        case TIMER_COUNT: break;
        }
    }
}
