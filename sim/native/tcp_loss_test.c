/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a connection notices loss, mends it, and what it learns about the path: time lines. */
#include "sim/native/tcp_timeline.h"

/* Segments of 1000 bytes, and an initial window of ten of them; the round trip is 10 ms. */
#define WITH_SACK                                                                                       \
    "0 connect", "0 > S 0:0 win 65535 mss 1460 ws 2 sackok",                                            \
        "10 < S. 0:0 ack 1 win 60000 mss 1000 ws 0 sackok", "10 > . 1:1 ack 1", "10 news connected"
#define WITHOUT_SACK                                                                                    \
    "0 connect", "0 > S 0:0 win 65535 mss 1460 ws 2", "10 < S. 0:0 ack 1 win 60000 mss 1000 ws 0",      \
        "10 > . 1:1 ack 1", "10 news connected"
#define NINE_SENT                                                                                       \
    "20 > . 1:1001 ack 1", "20 > . 1001:2001 ack 1", "20 > . 2001:3001 ack 1", "20 > . 3001:4001 ack 1", \
        "20 > . 4001:5001 ack 1", "20 > . 5001:6001 ack 1", "20 > . 6001:7001 ack 1",                   \
        "20 > . 7001:8001 ack 1", "20 > . 8001:9001 ack 1"
#define TEN_SENT "20 write 10000", NINE_SENT, "20 > P. 9001:10001 ack 1"
#define TEN_SENT_OF_MORE "20 write 30000", NINE_SENT, "20 > . 9001:10001 ack 1"

static struct tcp_config no_sack(void)
{
    struct tcp_config cfg = line_config();
    cfg.no_sack = true;
    return cfg;
}

/* ---- the timer ---- */

/* RFC 6298 2.2 and 2.3, with numbers that are above the least. */
static void rtt_estimate(void **state)
{
    (void)state;
    RUN(line_config(), "0 connect", "0 > S 0:0 win 65535 mss 1460 ws 2 sackok", "0 rto 1000",
        "400 < S. 0:0 ack 1 win 60000 mss 1000 ws 0 sackok", "400 > . 1:1 ack 1", "400 rto 1200",
        "500 write 1000", "500 > P. 1:1001 ack 1", "900 < . 1:1 ack 1001", "900 rto 1000",
        "1000 write 1000", "1000 > P. 1001:2001 ack 1", "1480 < . 1:1 ack 2001", "1480 rto 940");
}

static void timeout_backs_off(void **state)
{
    (void)state;
    RUN(line_config(), WITH_SACK, "20 write 10", "20 > P. 1:11 ack 1", "230 > P. 1:11 ack 1", "230 cwnd 1000",
        "230 ssthresh 2000", "650 > P. 1:11 ack 1", "1490 > P. 1:11 ack 1", "3170 > P. 1:11 ack 1",
        "6530 > P. 1:11 ack 1", "13250 > P. 1:11 ack 1", "26690 > P. 1:11 ack 1", "53570 > P. 1:11 ack 1",
        "107330 > P. 1:11 ack 1", "171330 > P. 1:11 ack 1", "235330 > P. 1:11 ack 1", "299330 > P. 1:11 ack 1",
        "363330 > P. 1:11 ack 1", "427330 > P. 1:11 ack 1", "491330 > P. 1:11 ack 1", "491330 stats 15 15 0",
        "555329 news", "555330 news closed TIMED_OUT", "555330 state CLOSED");
}

/* One sample at a time, of the segment that was sent first. */
static void rtt_of_the_first(void **state)
{
    (void)state;
    RUN(line_config(), WITH_SACK, "20 write 1000", "20 > P. 1:1001 ack 1", "100 write 1000", "100 > P. 1001:2001 ack 1",
        "210 < . 1:1 ack 2001", "210 rto 232");
}

/* RFC 6298 5 with Karn: what was sent twice gives no sample, and the backoff stays until there is one. */
static void backoff_ends_with_a_sample(void **state)
{
    (void)state;
    RUN(line_config(), WITH_SACK, "20 write 10", "20 > P. 1:11 ack 1", "230 > P. 1:11 ack 1", "240 < . 1:1 ack 11",
        "240 rto 420", "250 write 10", "250 > P. 11:21 ack 1", "260 < . 1:1 ack 21", "260 rto 210");
}

/* Nor is there a sample when the fast retransmission mended it. */
static void fast_retransmission_gives_no_sample(void **state)
{
    (void)state;
    RUN(line_config(), WITH_SACK, TEN_SENT, "30 < . 1:1 ack 1 sack 1001-10001", "30 > . 1:1001 ack 1",
        "190 < . 1:1 ack 10001", "190 rto 210");
}

/* RFC 6298 5.3: an ACK of new data starts the time again. */
static void timer_restarts(void **state)
{
    (void)state;
    RUN(line_config(), WITH_SACK, "20 write 2000", "20 > . 1:1001 ack 1", "20 > P. 1001:2001 ack 1",
        "120 < . 1:1 ack 1001", "120 rto 221", "341.25 > P. 1001:2001 ack 1");
}

/* The FIN and the data before it are sent again as one. */
static void timeout_of_fin(void **state)
{
    (void)state;
    RUN(line_config(), WITH_SACK, "20 write 10", "20 > P. 1:11 ack 1", "25 shutdown", "25 > F. 11:11 ack 1",
        "230 > FP. 1:11 ack 1", "240 < . 1:1 ack 12", "240 state FIN-WAIT-2");
}

static void slow_start_after_timeout(void **state)
{
    (void)state;
    RUN(no_sack(), WITHOUT_SACK, TEN_SENT, "230 > . 1:1001 ack 1", "230 ssthresh 5000", "240 < . 1:1 ack 1001",
        "240 > . 1001:2001 ack 1", "240 > . 2001:3001 ack 1", "240 cwnd 2000",
        "250 < . 1:1 ack 3001", "250 > . 3001:4001 ack 1", "250 > . 4001:5001 ack 1", "250 > . 5001:6001 ack 1",
        "251 < . 1:1 ack 3001", "251 < . 1:1 ack 3001", "251 < . 1:1 ack 3001", /* RFC 6582: no fast retransmit now */
        "260 < . 1:1 ack 10001", "260 cwnd 4000", "260 stats 6 1 0");
}

/* New data is sent when everything lost has been, and counts. */
static void new_data_after_timeout(void **state)
{
    (void)state;
    RUN(no_sack(), WITHOUT_SACK, TEN_SENT_OF_MORE, "230 > . 1:1001 ack 1", "240 < . 1:1 ack 9001",
        "240 > . 9001:10001 ack 1", "240 > . 10001:11001 ack 1", "240 cwnd 2000");
}

/* RFC 1191 6.5: a lowered MTU is no congestion, and no end of it. */
static void mtu_lowered_after_timeout(void **state)
{
    (void)state;
    RUN(no_sack(), WITHOUT_SACK, TEN_SENT, "230 > . 1:1001 ack 1", "235 mtu 840", "235 > . 1:801 ack 1",
        "235 ssthresh 5000", "235 cwnd 800");
}

/* RFC 5681 3.1: however often the same segment times out, ssthresh is halved once. */
static void ssthresh_is_halved_once(void **state)
{
    (void)state;
    RUN(no_sack(), WITHOUT_SACK, TEN_SENT, "230 > . 1:1001 ack 1", "230 ssthresh 5000", "650 > . 1:1001 ack 1",
        "650 ssthresh 5000", "650 cwnd 1000");
}

/* After a timeout what the peer reports is not sent again; but what it reported before may be gone (RFC 2018 8). */
static void timeout_with_reports(void **state)
{
    (void)state;
    RUN(line_config(), WITH_SACK, TEN_SENT_OF_MORE, "30 < . 1:1 ack 1 sack 2001-3001", "30 > . 10001:11001 ack 1",
        "230 > . 1:1001 ack 1",
        "240 < . 1:1 ack 1001", "240 > . 1001:2001 ack 1", "240 > . 2001:3001 ack 1",
        "250 < . 1:1 ack 3001 sack 3501-10001", "250 > . 3001:3501 ack 1", "250 > . 10001:11001 ack 1",
        "250 > . 11001:12001 ack 1", "250 cwnd 3000", "260 < . 1:1 ack 11001", "260 > . 12001:13001 ack 1",
        "260 > . 13001:14001 ack 1", "260 > . 14001:15001 ack 1", "260 cwnd 4000", "260 stats 5 1 0");
}

/* ---- without SACK: RFC 5681, 3042, 6582 ---- */

static void newreno(void **state)
{
    (void)state;
    RUN(no_sack(), WITHOUT_SACK, TEN_SENT_OF_MORE, /* the first and the fifth are lost */
        "30 < . 1:1 ack 1", "30 > . 10001:11001 ack 1", "31 < . 1:1 ack 1", "31 > . 11001:12001 ack 1", /* RFC 3042 */
        "31 cwnd 10000",
        "32 < . 1:1 ack 1", "32 > . 1:1001 ack 1", "32 ssthresh 5000", "32 cwnd 8000", /* limited transmit: no flight */
        "33 < . 1:1 ack 1", "34 < . 1:1 ack 1", "35 < . 1:1 ack 1", "36 < . 1:1 ack 1", "36 cwnd 12000",
        "37 < . 1:1 ack 1", "37 > . 12001:13001 ack 1", "40 < . 1:1 ack 1", "40 > . 13001:14001 ack 1",
        "41 < . 1:1 ack 1", "41 > . 14001:15001 ack 1", "41 cwnd 15000",
        "42 < . 1:1 ack 4001", "42 > . 4001:5001 ack 1", "42 > . 15001:16001 ack 1", "42 cwnd 12000", /* partial */
        "52 < . 1:1 ack 13001", "52 > . 16001:17001 ack 1", "52 cwnd 4000", "52 stats 2 0 1");
}

static void newreno_ends(void **state)
{
    (void)state;
    RUN(no_sack(), WITHOUT_SACK, TEN_SENT, "30 < . 1:1 ack 1", "31 < . 1:1 ack 1", "32 < . 1:1 ack 1",
        "32 > . 1:1001 ack 1", "42 < . 1:1 ack 10001", "42 cwnd 2000"); /* no burst */
    RUN(no_sack(), WITHOUT_SACK, TEN_SENT, "30 < . 1:1 ack 1", "31 < . 1:1 ack 1", "32 < . 1:1 ack 1",
        "32 > . 1:1001 ack 1", "42 < . 1:1 ack 9001", "42 > P. 9001:10001 ack 1", "42 cwnd 1000");
    RUN(no_sack(), WITHOUT_SACK, TEN_SENT, "30 < . 1:1 ack 1", "31 < . 1:1 ack 1", "32 << . 1:1 ack 1",
        "32 < . 1:1 ack 10001", "33 stats 0 0 1"); /* over before it began */
}

/* RFC 5681 2: data, another window or nothing outstanding make no duplicate. */
static void not_duplicates(void **state)
{
    (void)state;
    RUN(no_sack(), WITHOUT_SACK, TEN_SENT, "30 < . 1:1 ack 1 win 59000", "31 < . 1:1 ack 1 win 58000",
        "32 < . 1:1 ack 1 win 57000", "33 < . 1:1 ack 1 win 56000", "34 < . 1:2 ack 1 win 56000",
        "35 < . 2:3 ack 1 win 56000", "36 < . 3:4 ack 1 win 56000", "37 stats 0 0 0", "74 > . 10001:10001 ack 4",
        "80 < . 4:4 ack 10001", "81 < . 4:4 ack 10001", "82 < . 4:4 ack 10001", "83 < . 4:4 ack 10001",
        "84 < . 4:4 ack 10001", "84 write 1", "84 > P. 10001:10002 ack 4", "84 stats 0 0 0");
}

/* RFC 6582 3.2 step 2: ACKs of what a timeout sent again for nothing start no recovery. */
static void newreno_is_careful(void **state)
{
    (void)state;
    RUN(no_sack(), WITHOUT_SACK, TEN_SENT, "230 > . 1:1001 ack 1", "240 < . 1:1 ack 10001", "240 cwnd 2000",
        "250 write 9000", "250 > . 10001:11001 ack 1", "250 > . 11001:12001 ack 1",
        "251 < . 1:1 ack 10001", "251 > . 12001:13001 ack 1", "251 < . 1:1 ack 10001", "251 > . 13001:14001 ack 1",
        "251 < . 1:1 ack 10001",
        "251 < . 1:1 ack 10001", "251 stats 1 1 0");
}

/* ---- with SACK: RFC 6675 ---- */

static void sack_one_hole(void **state)
{
    (void)state;
    RUN(line_config(), WITH_SACK, TEN_SENT_OF_MORE,
        "30 < . 1:1 ack 1001", "30 > . 10001:11001 ack 1", "30 > . 11001:12001 ack 1", /* the second is lost */
        "31 < . 1:1 ack 1001 sack 2001-3001", "31 > . 12001:13001 ack 1",
        "32 < . 1:1 ack 1001 sack 2001-4001", "32 > . 13001:14001 ack 1",
        "33 < . 1:1 ack 1001 sack 2001-5001", "33 > . 1001:2001 ack 1", "33 ssthresh 5500", "33 cwnd 5500",
        "34 < . 1:1 ack 1001 sack 2001-6001", "35 < . 1:1 ack 1001 sack 2001-7001",
        "36 < . 1:1 ack 1001 sack 2001-8001", "37 < . 1:1 ack 1001 sack 2001-9001",
        "38 < . 1:1 ack 1001 sack 2001-10001",                                   /* the pipe holds 5000 */
        "39 < . 1:1 ack 1001 sack 2001-11001", "39 > . 14001:15001 ack 1",       /* 4000: room for one */
        "43 < . 1:1 ack 14001", "43 > . 15001:16001 ack 1", "43 > . 16001:17001 ack 1",
        "43 > . 17001:18001 ack 1", "43 > . 18001:19001 ack 1", "43 cwnd 5500", "43 stats 1 0 1",
        "53 < . 1:1 ack 19001", "53 > . 19001:20001 ack 1", "53 > . 20001:21001 ack 1",
        "53 > . 21001:22001 ack 1", "53 > . 22001:23001 ack 1", "53 > . 23001:24001 ack 1",
        "53 cwnd 5500", "63 < . 1:1 ack 24001",
        "63 > . 24001:25001 ack 1", "63 > . 25001:26001 ack 1", "63 > . 26001:27001 ack 1",
        "63 > . 27001:28001 ack 1", "63 > . 28001:29001 ack 1", "63 > P. 29001:30001 ack 1",
        "63 cwnd 6500"); /* congestion avoidance: one segment for a window */
}

/* Three holes in a window, each filled when it is known to be lost and the pipe lets it. */
static void sack_many_holes(void **state)
{
    (void)state;
    RUN(line_config(), WITH_SACK, TEN_SENT, "30 < . 1:1 ack 1 sack 1001-2001",
        "31 < . 1:1 ack 1 sack 3001-4001 1001-2001",
        "32 < . 1:1 ack 1 sack 5001-6001 3001-4001 1001-2001", "32 > . 1:1001 ack 1", "32 cwnd 5000",
        "33 < . 1:1 ack 1 sack 5001-7001 3001-4001 1001-2001",
        "34 < . 1:1 ack 1 sack 5001-8001 3001-4001 1001-2001", "34 > . 2001:3001 ack 1", "34 > . 4001:5001 ack 1",
        "35 < . 1:1 ack 1 sack 5001-9001 3001-4001 1001-2001", "36 < . 1:1 ack 1 sack 5001-10001 3001-4001 1001-2001",
        "42 < . 1:1 ack 10001", "42 cwnd 5000", "42 flight 0", "42 stats 3 0 1");
}

/* What is lost goes before what is new. */
static void sack_holes_first(void **state)
{
    (void)state;
    RUN(line_config(), WITH_SACK, TEN_SENT_OF_MORE, "30 < . 1:1 ack 1 sack 1001-2001", "30 > . 10001:11001 ack 1",
        "31 < . 1:1 ack 1 sack 3001-4001 1001-2001", "31 > . 11001:12001 ack 1",
        "32 < . 1:1 ack 1 sack 5001-6001 3001-4001 1001-2001", "32 > . 1:1001 ack 1", "32 cwnd 5000",
        "33 < . 1:1 ack 1 sack 5001-7001 3001-4001 1001-2001", "34 < . 1:1 ack 1 sack 5001-8001 3001-4001 1001-2001",
        "35 < . 1:1 ack 1 sack 5001-9001 3001-4001 1001-2001", "35 > . 2001:3001 ack 1",
        "36 < . 1:1 ack 1 sack 5001-10001 3001-4001 1001-2001", "36 > . 4001:5001 ack 1",
        "40 < . 1:1 ack 1 sack 5001-11001 3001-4001 1001-2001", "40 > . 12001:13001 ack 1");
}

/* RFC 6675 4 IsLost: three ranges above, however small, make a hole lost. */
static void sack_lost_by_ranges(void **state)
{
    (void)state;
    RUN(line_config(), WITH_SACK, TEN_SENT, "30 < . 1:1 ack 1 sack 6001-6601",
        "31 < . 1:1 ack 1 sack 7001-7601 6001-6601", "32 < . 1:1 ack 1 sack 9001-9601 7001-7601 6001-6601",
        "32 > . 1:1001 ack 1", "32 > . 1001:2001 ack 1", "32 cwnd 5000");
}

/* RFC 6675 5 (2): enough bytes reported are as good as three duplicates. */
static void sack_lost_by_bytes(void **state)
{
    (void)state;
    RUN(line_config(), WITH_SACK, TEN_SENT, "30 < . 1:1 ack 1 sack 1001-3001", "31 < . 1:1 ack 1 sack 1001-3002",
        "31 > . 1:1001 ack 1");
}

/* RFC 6675 2: with SACK, an ACK that reports nothing new is no duplicate. */
static void sack_nothing_new(void **state)
{
    (void)state;
    RUN(line_config(), WITH_SACK, TEN_SENT, "30 < . 1:1 ack 1 sack 1001-2001", "31 < . 1:1 ack 1 sack 1001-2001",
        "32 < . 1:1 ack 1 sack 1001-2001", "33 < . 1:1 ack 1", "34 < . 1:1 ack 1 sack 1001-2001",
        "35 < . 1:1 ack 1 sack 20001-21001", /* never sent */
        "36 < . 1:1 ack 1 sack 20001-22001", "36 < . 1:1 ack 1 sack 20001-23001", "36 < . 1:1 ack 1 sack 2001-1001",
        "36 stats 0 0 0");
}

/* RFC 6675 4 NextSeg (3): a hole that is not known to be lost is filled when there is nothing better to do. */
static void sack_next_seg_3(void **state)
{
    (void)state;
    RUN(line_config(), WITH_SACK, TEN_SENT, "30 < . 1:1 ack 1 sack 1001-7001", "30 > . 1:1001 ack 1",
        "31 < . 1:1 ack 1 sack 1001-7001 8001-9001", "31 > . 7001:8001 ack 1", "31 cwnd 5000");
}

/* NextSeg (4): the tail, once in a recovery. */
static void sack_rescue(void **state)
{
    (void)state;
    RUN(line_config(), WITH_SACK, TEN_SENT, /* the first and the last two are lost */
        "30 < . 1:1 ack 1 sack 1001-8001", "30 > . 1:1001 ack 1", "40 < . 1:1 ack 8001", "40 > P. 9001:10001 ack 1",
        "50 < . 1:1 ack 8001 sack 9001-10001", "50 > . 8001:9001 ack 1", "60 < . 1:1 ack 10001", "60 stats 3 0 1");
}

/* ... and only when the pipe has room. */
static void sack_rescue_waits(void **state)
{
    (void)state;
    RUN(line_config(), WITH_SACK, TEN_SENT, "30 < . 1:1 ack 1 sack 1001-4001", "30 > . 1:1001 ack 1",
        "40 < . 1:1 ack 4001", "41 < . 1:1 ack 6001", "41 > P. 9001:10001 ack 1");
}

/* A hole is no longer than it is; and an ACK within what was reported takes the report back. */
static void sack_odd_numbers(void **state)
{
    (void)state;
    RUN(line_config(), WITH_SACK, TEN_SENT, "30 < . 1:1 ack 1 sack 501-3001", "30 > . 1:501 ack 1");
    RUN(line_config(), WITH_SACK, TEN_SENT, "30 < . 1:1 ack 1 sack 2001-4001", "31 < . 1:1 ack 3001",
        "32 < . 1:1 ack 3001 sack 5001-8001", "32 > . 3001:4001 ack 1");
}

/* RFC 6675 5.1: a retransmission that is lost too is the timer's. */
static void sack_lost_retransmission(void **state)
{
    (void)state;
    RUN(line_config(), WITH_SACK, TEN_SENT, "30 < . 1:1 ack 1 sack 1001-10001", "30 > . 1:1001 ack 1",
        "230 > . 1:1001 ack 1", "230 cwnd 1000", "240 < . 1:1 ack 10001", "240 stats 2 1 1", "240 cwnd 2000");
}

/* ---- the window ---- */

/* RFC 5681 3.1; a window that is not used does not grow; and 4.1, after idling it is old. */
static void slow_start_and_idling(void **state)
{
    (void)state;
    RUN(line_config(), WITH_SACK, "20 write 1000", "20 > P. 1:1001 ack 1", "30 < . 1:1 ack 1001", "30 cwnd 10000",
        "40 write 5000", "40 > . 1001:2001 ack 1", "40 > . 2001:3001 ack 1", "40 > . 3001:4001 ack 1",
        "40 > . 4001:5001 ack 1", "40 > P. 5001:6001 ack 1", "50 < . 1:1 ack 2001", "50 cwnd 11000",
        "50 < . 1:1 ack 6001", "51 cwnd 11000",
        "500 write 11000", "500 > . 6001:7001 ack 1", "500 > . 7001:8001 ack 1",
        "500 > . 8001:9001 ack 1", "500 > . 9001:10001 ack 1", "500 > . 10001:11001 ack 1", "500 > . 11001:12001 ack 1",
        "500 > . 12001:13001 ack 1", "500 > . 13001:14001 ack 1", "500 > . 14001:15001 ack 1",
        "500 > . 15001:16001 ack 1", "500 cwnd 10000", "510 < . 1:1 ack 7001", "510 > P. 16001:17001 ack 1",
        "520 < . 1:1 ack 17001", "530 write 1", "530 > P. 17001:17002 ack 1", "530 cwnd 12000");
}

/* Waiting for ACKs is no idling. */
static void slow_but_not_idle(void **state)
{
    (void)state;
    RUN(line_config(), WITH_SACK, TEN_SENT, "120 < . 1:1 ack 1001", "220 < . 1:1 ack 2001", "320 < . 1:1 ack 3001",
        "420 < . 1:1 ack 4001", "420 cwnd 14000", "420 write 1", "420 > P. 10001:10002 ack 1", "420 cwnd 14000");
}

/* RFC 6928 2: ten segments, but not more than 14600 bytes, but two segments. */
static void initial_window(void **state)
{
    (void)state;
    struct tcp_config cfg = line_config();
    cfg.mss = 8960;
    RUN(cfg, "0 < S 0:0 win 60000 mss 9000", "0 > S. 0:0 ack 1 mss 8960", "1 < . 1:1 ack 1", "1 cwnd 17920");
    RUN(cfg, "0 < S 0:0 win 60000 mss 2000", "0 > S. 0:0 ack 1 mss 8960", "1 < . 1:1 ack 1", "1 cwnd 14600");
    RUN(cfg, "0 < S 0:0 win 60000 mss 1000", "0 > S. 0:0 ack 1 mss 8960", "1 < . 1:1 ack 1", "1 cwnd 10000");
}

/* The FIN is no load for the network. */
static void fin_into_a_full_window(void **state)
{
    (void)state;
    RUN(line_config(), WITH_SACK, TEN_SENT, "21 shutdown", "21 > F. 10001:10001 ack 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rtt_estimate),
        cmocka_unit_test(rtt_of_the_first),
        cmocka_unit_test(timeout_backs_off),
        cmocka_unit_test(backoff_ends_with_a_sample),
        cmocka_unit_test(fast_retransmission_gives_no_sample),
        cmocka_unit_test(timer_restarts),
        cmocka_unit_test(timeout_of_fin),
        cmocka_unit_test(slow_start_after_timeout),
        cmocka_unit_test(new_data_after_timeout),
        cmocka_unit_test(mtu_lowered_after_timeout),
        cmocka_unit_test(ssthresh_is_halved_once),
        cmocka_unit_test(timeout_with_reports),
        cmocka_unit_test(newreno),
        cmocka_unit_test(newreno_ends),
        cmocka_unit_test(not_duplicates),
        cmocka_unit_test(newreno_is_careful),
        cmocka_unit_test(sack_one_hole),
        cmocka_unit_test(sack_many_holes),
        cmocka_unit_test(sack_holes_first),
        cmocka_unit_test(sack_lost_by_ranges),
        cmocka_unit_test(sack_lost_by_bytes),
        cmocka_unit_test(sack_nothing_new),
        cmocka_unit_test(sack_next_seg_3),
        cmocka_unit_test(sack_rescue),
        cmocka_unit_test(sack_rescue_waits),
        cmocka_unit_test(sack_odd_numbers),
        cmocka_unit_test(sack_lost_retransmission),
        cmocka_unit_test(slow_start_and_idling),
        cmocka_unit_test(slow_but_not_idle),
        cmocka_unit_test(initial_window),
        cmocka_unit_test(fin_into_a_full_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
