/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of a TCP connection, shared by the files tcp*.c only. Names of variables are those of RFC 9293 3.3.1. */
#ifndef TP_SIM_NATIVE_TCP_INTERNAL_H
#define TP_SIM_NATIVE_TCP_INTERNAL_H

#include "models/base/time.h"
#include "sim/native/tcp.h"
#include "sim/native/tcp_buffer.h"

enum tcp_timer_kind {
    TIMER_RTX,    /* retransmission, or the window probe while `persisting` */
    TIMER_DELACK,
    TIMER_KEEP,
    TIMER_2MSL,   /* TIME_WAIT; FIN_WAIT_2 without a user */
    TIMER_COUNT,
};

enum tcp_mode {
    MODE_OPEN,     /* nothing known to be lost */
    MODE_RECOVERY, /* after fast retransmit, until snd_una reaches recover */
    MODE_LOSS,     /* after a timeout: everything up to recover is sent again, in slow start */
};

struct tcp {
    struct tcp_config cfg;
    enum tcp_state state;
    enum tcp_mode mode;
    uint64_t timer[TIMER_COUNT]; /* TIME_NEVER: off */

    /* Sending. tx holds the bytes from tx_seq on; the FIN follows them in sequence space. */
    uint32_t iss, snd_una, snd_nxt;
    uint32_t snd_max; /* snd_nxt, or above it by a window probe */
    uint32_t snd_wnd, snd_wnd_max, snd_wl1, snd_wl2;
    uint32_t tx_seq, tx_len;
    struct ring tx;
    uint16_t mss; /* the most we send (Eff.snd.MSS) */
    uint8_t snd_scale, rcv_scale;
    bool sack;           /* both sides permit it */
    bool peer_scales;    /* its SYN had the window scale option */
    bool fin_queued;     /* shut down for writing */
    bool write_short;    /* the user could not write all that it had */

    /* Receiving. rx holds rx_len bytes in order, and above rcv_nxt those of `ahead`. */
    uint32_t irs, rcv_nxt;
    uint32_t rcv_acked; /* last ACK sent */
    uint32_t rcv_adv;   /* right edge of the window that the peer was told */
    uint32_t rx_len;
    struct ring rx;
    struct ranges ahead;
    struct tcp_sack recent[TCP_SACK_BLOCKS]; /* what to report, most recent first (RFC 2018 4) */
    uint8_t recent_count;
    uint16_t rcv_mss; /* a full segment of the peer, as far as seen */
    bool fin_seen;    /* its sequence number is fin_seq; taken when rcv_nxt is beyond it */
    uint32_t fin_seq;

    /* Congestion and recovery. */
    uint32_t cwnd, ssthresh;
    uint32_t grown;    /* bytes acknowledged towards the next segment of congestion avoidance */
    uint32_t recover;  /* snd_nxt when recovery began (RFC 6582 recover + 1, RFC 6675 RecoveryPoint + 1) */
    uint32_t rtx_next; /* below it all holes have been filled once (RFC 6675 HighRxt + 1) */
    uint32_t rescue;   /* RFC 6675 RescueRxt + 1 */
    uint32_t dup_high; /* snd_nxt at the first duplicate ACK: what limited transmit sends is no flight */
    uint32_t dupacks;
    struct ranges sacked;

    /* Round trip and timeouts. */
    uint64_t srtt_ns, rttvar_ns, rto_ns; /* srtt 0: no sample yet; rto without backoff */
    uint64_t rtt_start_ns, last_send_ns, last_challenge_ns;
    uint32_t rtt_seq; /* the sample ends when this is acknowledged */
    uint8_t backoff, retries, keep_probes;
    bool timing, persisting, challenged;
    uint8_t syn_repeats;

    /* What the next tcp_output has to do. */
    bool syn_due, ack_due, rtx_due, probe_due, keep_due, rst_due;
    uint8_t rst_flags;
    uint32_t rst_seq, rst_ack;

    /* What the user is to be told. */
    bool orphan; /* has closed */
    bool eof_read, over_told;
    struct tcp_news news;
    int err;

    uint64_t retransmits, timeouts, fast_recoveries;
};

/* RFC 6298 2.1: first 1 s. 2.3, 2.4: the least is not 1 s, but as Linux has it SRTT and 200 ms: a floor under the
 * whole would be below the round trip as soon as a queue on a long path fills. 2.5: the most must be 60 s or more;
 * 64 s lets the SYN be sent at 1, 3, 7, 15, 31, 63 s and given up at 127 s, again as Linux. */
#define RTO_FIRST NS_S
#define RTO_SPREAD_MIN (200 * NS_MS)
#define RTO_MAX (64 * NS_S)
/* Retransmissions before giving up: a SYN (127 s), a SYN-ACK (63 s), data or probes: as Linux. RFC 9293 3.8.3 wants
 * 3 minutes for a SYN as a default that applications may change; ours are better off knowing earlier. */
enum { SYN_RETRIES = 6, SYN_ACK_RETRIES = 5, DATA_RETRIES = 15, KEEP_PROBES = 9 };
/* RFC 791: every network passes 68 bytes; RFC 8200: 1280. */
enum { MTU_MIN_V4 = 68, MTU_MIN_V6 = 1280, MSS_MIN = MTU_MIN_V4 - 40 };

static inline uint32_t tcp_flight(const struct tcp *t)
{
    return t->snd_nxt - t->snd_una;
}

/* The end of what the user has given us, FIN included. */
static inline uint32_t tcp_snd_end(const struct tcp *t)
{
    return t->tx_seq + t->tx_len + t->fin_queued;
}

static inline uint32_t tcp_rcv_room(const struct tcp *t)
{
    return t->cfg.receive_buffer - t->rx_len;
}

/* States: bits to test several at once. */
static inline bool tcp_in(const struct tcp *t, unsigned states)
{
    return states >> t->state & 1;
}
#define IN(s) (1U << TCPS_##s)
#define IN_SYNCHRONIZED (~(IN(CLOSED) | IN(SYN_SENT) | IN(SYN_RECEIVED)))
#define IN_RECEIVING (IN(ESTABLISHED) | IN(FIN_WAIT_1) | IN(FIN_WAIT_2)) /* the peer has not sent its FIN */
#define IN_SENDING (IN(ESTABLISHED) | IN(CLOSE_WAIT) | IN(FIN_WAIT_1) | IN(CLOSING) | IN(LAST_ACK))

/* tcp.c */
void tcp_end(struct tcp *t, int err);
/* A RST that ends the connection goes out; what becomes of it here is the caller's to say. */
void tcp_reset_peer(struct tcp *t);
void tcp_established(struct tcp *t, uint64_t now_ns);
void tcp_time_wait(struct tcp *t, uint64_t now_ns);
/* The options of the peer's SYN, and its window. */
void tcp_take_syn(struct tcp *t, const struct tcp_segment *syn);

/* tcp_timer.c */
void tcp_rtx_arm(struct tcp *t, uint64_t now_ns);
void tcp_rtx_stop(struct tcp *t);
void tcp_rtt_sample(struct tcp *t, uint64_t rtt_ns);
uint64_t tcp_rto(const struct tcp *t); /* backed off */
/* A segment has arrived: the peer lives. */
void tcp_keep_restart(struct tcp *t, uint64_t now_ns);

/* tcp_recovery.c */
void tcp_cc_start(struct tcp *t);
uint32_t tcp_cc_initial_window(const struct tcp *t);
/* snd_una has moved by acked, from a flight of `flight`. */
void tcp_cc_acked(struct tcp *t, uint32_t acked, uint32_t flight);
void tcp_cc_duplicate(struct tcp *t);
void tcp_cc_timeout(struct tcp *t);
void tcp_cc_mtu_lowered(struct tcp *t);
/* How many bytes the congestion window lets go now. */
uint32_t tcp_cc_room(const struct tcp *t);
/* The scoreboard learns what a segment reports; true: something new. */
bool tcp_sack_update(struct tcp *t, const struct tcp_segment *s);
/* What to send again now, [from, to), which may be more than a segment; sure: known to be lost, so it goes before new
 * data, else after. false: nothing. */
bool tcp_next_hole(const struct tcp *t, struct tcp_sack *hole, bool *sure);
/* RFC 6675 NextSeg (4): the last segment outstanding, once in a recovery. */
bool tcp_next_rescue(const struct tcp *t, struct tcp_sack *hole);

#endif
