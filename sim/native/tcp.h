/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One TCP connection of the native engine as a state machine, without I/O: segments and time in, segments out.
 * RFC 9293 (states, simultaneous open, close, RST, zero-window probes, keep-alive), 7323 window scaling (no time
 * stamps: the reference capture has none), 6298 timer, 5681/6582 congestion control, 2018/6675 SACK recovery, 5961
 * against blind resets. No Nagle algorithm (as with TCP_NODELAY); the urgent pointer is ignored.
 * The engine owns IP, ports and TIME_WAIT reuse; it demultiplexes to a connection, and asks it for segments after each
 * call until there is none. */
#ifndef TP_SIM_NATIVE_TCP_H
#define TP_SIM_NATIVE_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16 };
enum { TCP_SACK_BLOCKS = 4, TCP_NO_WSCALE = 0xff };

struct tcp_sack {
    uint32_t from, to; /* [from, to) */
};

/* A segment as its header says. Payload is borrowed; on output it may be in two pieces (the send buffer is a ring). */
struct tcp_segment {
    uint32_t seq, ack;
    uint8_t flags;
    uint16_t window;  /* as on the wire, unscaled */
    uint16_t mss;     /* option; 0: absent */
    uint8_t wscale;   /* option; TCP_NO_WSCALE: absent */
    bool sack_ok;     /* option SACK-permitted */
    uint8_t sack_count;
    struct tcp_sack sack[TCP_SACK_BLOCKS];
    const uint8_t *data, *data2;
    size_t len, len2;
};

enum tcp_state {
    TCPS_CLOSED, TCPS_SYN_SENT, TCPS_SYN_RECEIVED, TCPS_ESTABLISHED, TCPS_FIN_WAIT_1, TCPS_FIN_WAIT_2,
    TCPS_CLOSE_WAIT, TCPS_CLOSING, TCPS_LAST_ACK, TCPS_TIME_WAIT,
};
const char *tcp_state_name(enum tcp_state s);

struct tcp_config {
    uint32_t send_buffer, receive_buffer;
    uint16_t mss;          /* what we announce and the most we send */
    uint64_t keepalive_ns; /* 0: none; then every 75 s, 9 times (as Linux) */
    bool no_sack;
    bool ipv6;             /* 20 bytes less of an MTU are left for the segment */
    uint64_t msl_ns;       /* TIME_WAIT is twice this; 30 s */
    uint64_t delayed_ack_ns; /* 40 ms; 0: every segment at once */
};

struct tcp;

/* iss: initial send sequence number, the engine's choice. NULL: no memory. */
struct tcp *tcp_connect_new(const struct tcp_config *cfg, uint32_t iss, uint64_t now_ns);
/* A connection in SYN_RECEIVED from a SYN that reached a listener. */
struct tcp *tcp_accept_new(const struct tcp_config *cfg, uint32_t iss, const struct tcp_segment *syn, uint64_t now_ns);
void tcp_free(struct tcp *t);

void tcp_input(struct tcp *t, const struct tcp_segment *s, uint64_t now_ns);
/* The next segment to send; false: none now. Bytes are borrowed until the next call on t. */
bool tcp_output(struct tcp *t, struct tcp_segment *out, uint64_t now_ns);
uint64_t tcp_deadline(const struct tcp *t); /* TIME_NEVER: no timer runs */
void tcp_timer(struct tcp *t, uint64_t now_ns);
/* ICMP: hard while the connection is being made ends it (E_REFUSED, E_UNREACHABLE); else ignored (RFC 5461).
 * mtu > 0: fragmentation needed, the segment size is lowered (RFC 1191). */
void tcp_icmp(struct tcp *t, int err, uint16_t mtu, uint64_t now_ns);

size_t tcp_write(struct tcp *t, const void *data, size_t len);         /* bytes taken */
size_t tcp_read(struct tcp *t, void *buf, size_t cap, bool *eof);      /* may make a window update due */
void tcp_shutdown_write(struct tcp *t);
/* The user is gone. What was written is delivered, then FIN, and the connection ends by itself; but bytes that were not
 * read, or come later, are answered with RST (RFC 9293 3.6.1, as Linux does), and then nothing more is delivered. */
void tcp_close(struct tcp *t);
void tcp_abort(struct tcp *t); /* the RST is the next output; state becomes CLOSED */

/* What has happened since the last call; the engine turns it into events for the user. */
struct tcp_news {
    bool connected; /* ESTABLISHED reached (either way of opening) */
    bool readable;  /* new bytes or FIN in order */
    bool writable;  /* tcp_write took less than given before, and there is room now */
    bool closed;    /* the connection is over (TIME_WAIT counts as over for the user); in order: when all is read */
    int err;        /* with closed: 0, E_REFUSED, E_RESET, E_TIMED_OUT, E_UNREACHABLE */
};
struct tcp_news tcp_news(struct tcp *t);

/* TIME_WAIT, seen from outside: its state, and whether a new SYN may take its place (RFC 6191 without time stamps:
 * the new sequence number is above the old). */
enum tcp_state tcp_state(const struct tcp *t);
bool tcp_may_be_replaced(const struct tcp *t, uint32_t syn_seq);
/* For statistics and time-line tests. */
struct tcp_info {
    enum tcp_state state;
    uint32_t cwnd, ssthresh, flight, snd_wnd, rcv_wnd, mss;
    uint64_t srtt_ns, rttvar_ns, rto_ns;
    uint64_t retransmits, timeouts, fast_recoveries;
    size_t unsent, unread; /* bytes in the buffers */
};
void tcp_info(const struct tcp *t, struct tcp_info *out);

/* The RST that answers a segment for which there is no connection (RFC 9293 3.10.7.1). false: none is sent (it was an
 * RST itself). */
bool tcp_reset_for(const struct tcp_segment *s, struct tcp_segment *out);

#endif
