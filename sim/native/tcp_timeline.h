/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of a connection as time lines, one step a line (for tests only):
 *
 *   "TIME connect"                      begin (active); a passive connection begins with the first "<"
 *   "TIME < SEGMENT"                    arrives; "<<": and the next before anything can be sent
 *   "TIME > SEGMENT"                    has been sent, at exactly this time, and next
 *   "TIME write N [took M]" "read [N] [got M] [eof]" "shutdown" "close" "abort" "icmp ERR" "mtu N"
 *   "TIME news [connected] [readable] [writable] [closed ERR]"   exactly this
 *   "TIME state NAME" "cwnd N" "ssthresh N" "rto MS" "flight N" "mss N" "sndwnd N"
 *   "TIME replaceable N YES" "stats RTX TIMEOUTS RECOVERIES"
 *
 * TIME is in milliseconds. What was sent and is not expected fails the test at the next step that is no ">".
 * SEGMENT: FLAGS FROM:TO [ack N] [win N] [mss N] [ws N] [sackok] [sack A-B C-D ...], flags from "SFRP.", numbers
 * relative to the sender's initial one. Sent segments are compared whole, but for a window that is not named. Both
 * initial numbers are near the end of sequence space, so that every test passes over it. */
#ifndef TP_SIM_NATIVE_TCP_TIMELINE_H
#define TP_SIM_NATIVE_TCP_TIMELINE_H

#include "models/base/time.h"
#include "models/testkit/testkit.h"
#include "sim/native/tcp.h"

enum { LINE_QUEUE = 256, LINE_BYTES = 1 << 20, LINE_ISS = -701, LINE_IRS = -301 };

struct line_sent {
    uint64_t at_ns;
    struct tcp_segment s;
};

struct line {
    struct tcp_config cfg;
    struct tcp *t;
    uint64_t now_ns;
    struct line_sent queue[LINE_QUEUE];
    unsigned first, count;
    uint32_t written, read; /* bytes so far */
    const char *step;
};

struct tcp_config line_config(void);
/* Runs the steps from time 0; fails the test where they do not hold. */
void line_run(struct tcp_config cfg, const char *const *steps, size_t count);

/* For tests that go on by hand. */
void line_step(struct line *l, const char *step);
void line_advance(struct line *l, uint64_t to_ns);
void line_arrive(struct line *l, const char *segment);
void line_drain(struct line *l);

/* RUN(cfg, "0 connect", ...) */
#define RUN(cfg, ...)                                                  \
    do {                                                               \
        static const char *const steps_[] = {__VA_ARGS__};             \
        line_run((cfg), steps_, sizeof steps_ / sizeof *steps_);       \
    } while (0)

/* An active connection, established at 10 ms with a round trip of 10 ms. */
#define CONNECTED                                                                       \
    "0 connect", "0 > S 0:0 win 65535 mss 1460 ws 2 sackok",                            \
        "10 < S. 0:0 ack 1 win 60000 mss 1460 ws 0 sackok", "10 > . 1:1 ack 1 win 32768", \
        "10 news connected", "10 state ESTABLISHED"

#endif
