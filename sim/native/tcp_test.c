/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How connections begin, end and carry data; without loss. */
#include "sim/native/tcp_timeline.h"

/* ---- opening ---- */

static void active_open(void **state)
{
    (void)state;
    RUN(line_config(), CONNECTED,
        "20 write 98", "20 > P. 1:99 ack 1",
        "30 < . 1:1 ack 99", "30 flight 0",
        "31 < P. 1:231 ack 99", "31 news readable", "31 read 1000 got 230",
        "71 > . 99:99 ack 231", /* delayed ACK */
        "71 rto 210");
}

static void passive_open(void **state)
{
    (void)state;
    RUN(line_config(), "0 < S 0:0 win 5000 mss 1200", "0 > S. 0:0 ack 1 win 65535 mss 1460", "400 < . 1:1 ack 1",
        "400 rto 1200");
    RUN(line_config(), "5 < S 0:0 win 5000 mss 1200 ws 3 sackok", "5 > S. 0:0 ack 1 win 65535 mss 1460 ws 2 sackok",
        "5 state SYN-RECEIVED", "5 news",
        "6 < S 0:0 win 5000 mss 1200 ws 3 sackok", /* again: so is the answer */
        "6 > S. 0:0 ack 1 mss 1460 ws 2 sackok",
        "15 < . 1:1 ack 1 win 625", "15 news connected", "15 state ESTABLISHED", "15 mss 1200", "15 rto 3000",
        "16 write 10000", /* the peer's window is 625 << 3 = 5000 */
        "16 > . 1:1201 ack 1", "16 > . 1201:2401 ack 1", "16 > . 2401:3601 ack 1", "16 > . 3601:4801 ack 1");
}

/* What the peer does not offer is not used. */
static void plain_peer(void **state)
{
    (void)state;
    RUN(line_config(), "0 connect", "0 > S 0:0 win 65535 mss 1460 ws 2 sackok",
        "1 < S. 0:0 ack 1 win 60000", "1 > . 1:1 ack 1 win 65535", "1 mss 536", "1 news connected",
        "2 < P. 10:20 ack 1", "2 > . 1:1 ack 1 win 65535");
    RUN(line_config(), "0 < S 0:0 win 60000 mss 4", "0 > S. 0:0 ack 1 win 65535 mss 1460", "0 mss 28");
    struct tcp_config six = line_config();
    six.ipv6 = true;
    RUN(six, "0 < S 0:0 win 60000", "0 > S. 0:0 ack 1 win 65535 mss 1460", "0 mss 1220");
    RUN(line_config(), "0 < S 0:0 win 60000 ws 15", "0 > S. 0:0 ack 1 win 65535 mss 1460 ws 2",
        "1 < . 1:1 ack 1 win 1", "1 sndwnd 16384"); /* RFC 7323 2.3: more than 14 is 14 */
    struct tcp_config no_sack = line_config();
    no_sack.no_sack = true;
    no_sack.receive_buffer = 1 << 20;
    RUN(no_sack, "0 connect", "0 > S 0:0 win 65535 mss 1460 ws 5",
        "1 < S. 0:0 ack 1 win 60000 mss 1460 ws 0 sackok", "1 > . 1:1 ack 1 win 32768", "1 news connected",
        "2 < P. 10:20 ack 1", "2 > . 1:1 ack 1");
}

static void simultaneous_open(void **state)
{
    (void)state;
    RUN(line_config(), "0 connect", "0 > S 0:0 win 65535 mss 1460 ws 2 sackok",
        "5 < S 0:0 win 60000 mss 1460 ws 1 sackok", "5 > S. 0:0 ack 1 mss 1460 ws 2 sackok", "5 state SYN-RECEIVED",
        "10 < S. 0:0 ack 1 win 60000 mss 1460 ws 1 sackok", "10 news connected", "10 state ESTABLISHED",
        "10 sndwnd 60000", "11 write 3", "11 > P. 1:4 ack 1");
}

/* Having been patient with the SYN is no reason to be less so with the SYN-ACK. */
static void late_simultaneous_open(void **state)
{
    (void)state;
    RUN(line_config(), "0 connect", "0 > S 0:0 win 65535 mss 1460 ws 2 sackok",
        "1000 > S 0:0 win 65535 mss 1460 ws 2 sackok", "3000 > S 0:0 win 65535 mss 1460 ws 2 sackok",
        "7000 > S 0:0 win 65535 mss 1460 ws 2 sackok", "15000 > S 0:0 win 65535 mss 1460 ws 2 sackok",
        "31000 > S 0:0 win 65535 mss 1460 ws 2 sackok", "31500 < S 0:0 win 60000 mss 1460",
        "31500 > S. 0:0 ack 1 mss 1460", "63000 > S. 0:0 ack 1 mss 1460");
}

/* RFC 6298 with six retransmissions: a black hole is noticed after 127 s. */
static void syn_retransmission(void **state)
{
    (void)state;
    RUN(line_config(), "0 connect", "0 > S 0:0 win 65535 mss 1460 ws 2 sackok",
        "1000 > S 0:0 win 65535 mss 1460 ws 2 sackok", "3000 > S 0:0 win 65535 mss 1460 ws 2 sackok",
        "7000 > S 0:0 win 65535 mss 1460 ws 2 sackok", "15000 > S 0:0 win 65535 mss 1460 ws 2 sackok",
        "31000 > S 0:0 win 65535 mss 1460 ws 2 sackok", "63000 > S 0:0 win 65535 mss 1460 ws 2 sackok",
        "126999 news", "127000 news closed TIMED_OUT", "127000 state CLOSED", "127000 news");
}

static void syn_ack_retransmission(void **state)
{
    (void)state;
    RUN(line_config(), "0 < S 0:0 win 60000 mss 1460", "0 > S. 0:0 ack 1 win 65535 mss 1460",
        "1000 > S. 0:0 ack 1 mss 1460", "3000 > S. 0:0 ack 1 mss 1460", "7000 > S. 0:0 ack 1 mss 1460",
        "15000 > S. 0:0 ack 1 mss 1460", "31000 > S. 0:0 ack 1 mss 1460",
        "62999 state SYN-RECEIVED", "63000 news closed TIMED_OUT");
}

/* RFC 6298 5.7 and Karn: no sample from a repeated SYN, and 3 s to begin with. RFC 6928: one lost SYN is forgiven. */
static void syn_lost(void **state)
{
    (void)state;
    RUN(line_config(), "0 connect", "0 > S 0:0 win 65535 mss 1460 ws 2 sackok",
        "1000 > S 0:0 win 65535 mss 1460 ws 2 sackok",
        "1010 < S. 0:0 ack 1 win 60000 mss 1460 ws 0 sackok", "1010 > . 1:1 ack 1", "1010 rto 3000", "1010 cwnd 14600",
        "1010 news connected", "1010 stats 1 1 0",
        "1020 write 10", "1020 > P. 1:11 ack 1", "1220 < . 1:1 ack 11", "1220 rto 600");
    RUN(line_config(), "0 connect", "0 > S 0:0 win 65535 mss 1460 ws 2 sackok",
        "1000 > S 0:0 win 65535 mss 1460 ws 2 sackok", "1010 < S. 0:0 ack 1 win 60000", "1010 > . 1:1 ack 1",
        "1020 write 10", "1020 > P. 1:11 ack 1", "4020 > P. 1:11 ack 1");
    RUN(line_config(), "0 connect", "0 > S 0:0 win 65535 mss 1460 ws 2 sackok",
        "1000 > S 0:0 win 65535 mss 1460 ws 2 sackok", "3000 > S 0:0 win 65535 mss 1460 ws 2 sackok",
        "3010 < S. 0:0 ack 1 win 60000 mss 1460 ws 0 sackok", "3010 > . 1:1 ack 1", "3010 cwnd 1460");
}

/* ---- resets ---- */

static void reset_in_syn_sent(void **state)
{
    (void)state;
    RUN(line_config(), "0 connect", "0 > S 0:0 win 65535 mss 1460 ws 2 sackok",
        "1 < R. 0:0 ack 2", "1 state SYN-SENT", /* does not answer our SYN */
        "2 < R 0:0", "2 state SYN-SENT",
        "3 < . 0:0 ack 7", "3 > R 7:7", "3 state SYN-SENT",
        "4 < R. 0:0 ack 1", "4 news closed REFUSED", "4 state CLOSED");
}

static void reset_in_syn_received(void **state)
{
    (void)state;
    RUN(line_config(), "0 < S 0:0 win 60000 mss 1460", "0 > S. 0:0 ack 1 mss 1460",
        "1 < . 1:1 ack 5", "1 > R 5:5", "1 state SYN-RECEIVED",
        "2 < R 1:1", "2 news closed REFUSED", "2 state CLOSED");
}

/* RFC 5961 3.2: only the exact number resets; others in the window are asked to repeat; the rest is nothing. */
static void reset_when_established(void **state)
{
    (void)state;
    RUN(line_config(), CONNECTED, "20 < R 0:0", "20 state ESTABLISHED",
        "21 < R 140000:140000", "21 state ESTABLISHED",
        "22 < R 5:5", "22 > . 1:1 ack 1", "22 state ESTABLISHED",
        "23 < R 6:6", /* not more often than every 500 ms */
        "522 < R 6:6", "522 > . 1:1 ack 1",
        "523 < R 1:1", "523 news closed RESET", "523 state CLOSED");
    RUN(line_config(), CONNECTED, "20 << P. 11:21 ack 1", "20 < R 1:1", "20 state CLOSED"); /* nothing more is said */
}

/* RFC 5961 4.2, 5.2. */
static void blind_segments(void **state)
{
    (void)state;
    RUN(line_config(), CONNECTED, "20 < S 1:1 win 1000", "20 > . 1:1 ack 1", "20 state ESTABLISHED",
        "600 < P. 1:11 ack 2", "600 > . 1:1 ack 1", "600 news", /* acknowledges what was never sent */
        "601 < P. 1:11 ack 4294907000", "601 > . 1:1 ack 1", "601 news", /* and what is too old */
        "602 < P 1:11", "602 news", /* no ACK at all */
        "603 < P. 200000:200010 ack 1", "603 > . 1:1 ack 1", "603 news"); /* beyond the window */
}

static void reset_while_closing(void **state)
{
    (void)state;
    RUN(line_config(), CONNECTED, "20 shutdown", "20 > F. 1:1 ack 1", "20 state FIN-WAIT-1",
        "21 < R 1:1", "21 news closed RESET");
    RUN(line_config(), CONNECTED, "20 shutdown", "20 > F. 1:1 ack 1", "30 < . 1:1 ack 2", "30 state FIN-WAIT-2",
        "31 < R 1:1", "31 news closed RESET");
    RUN(line_config(), CONNECTED, "20 < F. 1:1 ack 1", "20 > . 1:1 ack 2", "20 state CLOSE-WAIT",
        "21 < R 2:2", "21 news readable closed RESET");
    RUN(line_config(), CONNECTED, "20 < F. 1:1 ack 1", "20 > . 1:1 ack 2", "20 read got 0 eof",
        "20 shutdown", "20 > F. 1:1 ack 2", "20 state LAST-ACK", "21 < R 2:2", "21 news readable closed OK");
    RUN(line_config(), CONNECTED, "20 < F. 1:1 ack 1", "20 > . 1:1 ack 2", "20 write 5", "20 > P. 1:6 ack 2",
        "20 shutdown", "20 > F. 6:6 ack 2", "21 < R 2:2", "21 news readable closed RESET"); /* 5 bytes are lost */
    RUN(line_config(), CONNECTED, "20 shutdown", "20 > F. 1:1 ack 1", "21 < F. 1:1 ack 1", "21 > . 2:2 ack 2",
        "21 state CLOSING", "21 read got 0 eof", "22 < R 2:2", "22 news readable closed OK");
    RUN(line_config(), CONNECTED, "20 shutdown", "20 > F. 1:1 ack 1", "21 < F. 1:1 ack 2", "21 > . 2:2 ack 2",
        "21 state TIME-WAIT", "22 < R 2:2", "22 state CLOSED");
}

static void abort_by_state(void **state)
{
    (void)state;
    RUN(line_config(), CONNECTED, "20 write 3", "20 > P. 1:4 ack 1", "21 abort", "21 > R. 4:4 ack 1", "21 state CLOSED",
        "22 < . 1:1 ack 4", "22 > R 4:4");
    RUN(line_config(), "0 connect", "0 > S 0:0 win 65535 mss 1460 ws 2 sackok", "1 abort", "1 state CLOSED");
    RUN(line_config(), CONNECTED, "20 < F. 1:1 ack 1", "20 > . 1:1 ack 2", "20 shutdown", "20 > F. 1:1 ack 2",
        "20 abort", "20 state CLOSED"); /* LAST-ACK: no RST (RFC 9293 3.10.5) */
}

/* RFC 9293 3.10.7.1. */
static void reset_for_nobody(void **state)
{
    (void)state;
    struct tcp_segment out, rst = {.flags = TCP_RST};
    struct tcp_segment syn = {.seq = 100, .flags = TCP_SYN, .len = 5};
    struct tcp_segment ack = {.seq = 1, .ack = 77, .flags = TCP_ACK};
    struct tcp_segment fin = {.seq = UINT32_MAX, .flags = TCP_FIN, .len = 1, .len2 = 2};
    assert_true(tcp_reset_for(&syn, &out));
    assert_int_equal(out.flags, TCP_RST | TCP_ACK);
    assert_int_equal(out.seq, 0);
    assert_int_equal(out.ack, 106);
    assert_true(tcp_reset_for(&ack, &out));
    assert_int_equal(out.flags, TCP_RST);
    assert_int_equal(out.seq, 77);
    assert_true(tcp_reset_for(&fin, &out));
    assert_int_equal(out.ack, 3);
    assert_false(tcp_reset_for(&rst, &out));
}

/* ---- closing ---- */

static void close_first(void **state)
{
    (void)state;
    RUN(line_config(), CONNECTED, "20 write 10", "20 > P. 1:11 ack 1", "20 close", "20 > F. 11:11 ack 1",
        "20 state FIN-WAIT-1", "30 < . 1:1 ack 11", "30 state FIN-WAIT-1", "30 < . 1:1 ack 12", "30 state FIN-WAIT-2",
        "40 < F. 1:1 ack 12", "40 > . 12:12 ack 2", "40 state TIME-WAIT", "40 news readable closed OK",
        "1000 < F. 1:1 ack 12", "1000 > . 12:12 ack 2", /* again: the time starts again */
        "60999 state TIME-WAIT", "61000 state CLOSED", "61000 news");
}

static void close_second(void **state)
{
    (void)state;
    RUN(line_config(), CONNECTED, "20 < FP. 1:11 ack 1", "20 > . 1:1 ack 12", "20 state CLOSE-WAIT", "20 news readable",
        "20 read 5 got 5", "20 read got 5 eof", "21 write 7", "21 > P. 1:8 ack 12", /* half closed: we still send */
        "30 close", "30 > F. 8:8 ack 12", "30 state LAST-ACK", "40 < . 12:12 ack 8", "40 state LAST-ACK",
        "40 < . 12:12 ack 9", "40 state CLOSED", "40 news closed OK");
}

static void simultaneous_close(void **state)
{
    (void)state;
    RUN(line_config(), CONNECTED, "20 close", "20 > F. 1:1 ack 1", "25 < F. 1:1 ack 1", "25 > . 2:2 ack 2",
        "25 state CLOSING", "25 news readable", "30 < . 2:2 ack 2", "30 state TIME-WAIT", "30 news closed OK",
        "60030 state CLOSED");
    /* Our ACK was lost; the ACK of our FIN comes with the peer's FIN sent again, which is old. */
    RUN(line_config(), CONNECTED, "20 close", "20 > F. 1:1 ack 1", "25 < F. 1:1 ack 1", "25 > . 2:2 ack 2",
        "200 < F. 1:1 ack 2", "200 > . 2:2 ack 2", "200 state TIME-WAIT");
}

/* FIN-WAIT-1 to TIME-WAIT in one step; and the half-closed peer that goes on sending. */
static void half_close(void **state)
{
    (void)state;
    RUN(line_config(), CONNECTED, "20 shutdown", "20 > F. 1:1 ack 1", "30 < . 1:1 ack 2", "30 state FIN-WAIT-2",
        "40 < P. 1:1001 ack 2", "40 news readable", "40 read got 1000", "80 > . 2:2 ack 1001",
        "90000 state FIN-WAIT-2", /* the user is there: for ever */
        "90000 < F. 1001:1001 ack 2", "90000 > . 2:2 ack 1002", "90000 state TIME-WAIT",
        "90000 news readable", "90000 read got 0 eof", "90000 news closed OK"); /* over when all is read */
    RUN(line_config(), CONNECTED, "20 close", "20 > F. 1:1 ack 1", "30 < . 1:1 ack 2", "30 state FIN-WAIT-2",
        "60029 state FIN-WAIT-2", "60030 state CLOSED", "60030 news closed OK"); /* nobody there: not for ever */
}

/* RFC 9293 3.6.1: what nobody reads is not thrown away silently. */
static void close_with_unread(void **state)
{
    (void)state;
    RUN(line_config(), CONNECTED, "20 < P. 1:11 ack 1", "21 close", "21 > R. 1:1 ack 11", "21 state CLOSED");
    RUN(line_config(), CONNECTED, "20 close", "20 > F. 1:1 ack 1", "21 < P. 1:11 ack 2", "21 > R. 2:2 ack 1",
        "21 state CLOSED");
    RUN(line_config(), CONNECTED, "20 < P. 1:11 ack 1", "20 read got 10", "20 close", "20 > F. 1:1 ack 11",
        "21 < P. 10:11 ack 1", "21 > . 2:2 ack 11", "21 state FIN-WAIT-1", /* nothing new */
        "22 < P. 5:15 ack 2", "22 > R. 2:2 ack 11", "22 state CLOSED");
    RUN(line_config(), CONNECTED, "20 < F. 1:1 ack 1", "20 > . 1:1 ack 2", "20 close", "20 > F. 1:1 ack 2",
        "21 < P. 2:12 ack 1", "21 state LAST-ACK"); /* after its FIN there is nothing */
}

static void close_before_open(void **state)
{
    (void)state;
    RUN(line_config(), "0 connect", "0 > S 0:0 win 65535 mss 1460 ws 2 sackok", "1 close", "1 state CLOSED");
    RUN(line_config(), "0 connect", "0 > S 0:0 win 65535 mss 1460 ws 2 sackok", "1 write 5", "1 shutdown",
        "1 write 5 took 0", "2 < S. 0:0 ack 1 win 60000 mss 1460", "2 > FP. 1:6 ack 1", "2 state FIN-WAIT-1");
    RUN(line_config(), "0 connect", "0 > S 0:0 win 65535 mss 1460 ws 2 sackok", "1 write 1460", "1 shutdown",
        "2 < S. 0:0 ack 1 win 60000 mss 1460", "2 > FP. 1:1461 ack 1"); /* a FIN makes no segment longer */
}

/* RFC 6191 without time stamps. */
static void time_wait_replaced(void **state)
{
    (void)state;
    RUN(line_config(), CONNECTED, "20 replaceable 500 NO", "20 close", "20 > F. 1:1 ack 1", "30 < F. 1:1 ack 2",
        "30 > . 2:2 ack 2", "30 replaceable 3 YES", "30 replaceable 2 NO", "30 replaceable 1 NO");
}

/* ---- data ---- */

static void delayed_ack(void **state)
{
    (void)state;
    RUN(line_config(), CONNECTED, "20 < . 1:1461 ack 1", "30 < . 1461:2921 ack 1",
        "30 > . 1:1 ack 2921", /* every second */
        "60 < . 2921:4381 ack 1", "65 < P. 4381:5839 ack 1", "65 < P. 5839:5841 ack 1", "65 > . 1:1 ack 5841",
        "66 < P. 5841:5842 ack 1", "106 > . 1:1 ack 5842",                         /* or after 40 ms */
        "110 < P. 5842:5900 ack 1", "120 write 5", "120 > P. 1:6 ack 5900",       /* or with data */
        "170 < . 5900:5900 ack 6");
    struct tcp_config at_once = line_config();
    at_once.delayed_ack_ns = 0;
    RUN(at_once, CONNECTED, "20 < P. 1:2 ack 1", "20 > . 1:1 ack 2");
}

/* No news of a window that nobody will use. */
static void read_after_fin(void **state)
{
    (void)state;
    RUN(line_config(), CONNECTED, "20 < FP. 1:4001 ack 1", "20 > . 1:1 ack 4002", "20 read got 4000 eof");
}

/* What is all old is answered, and otherwise ignored (RFC 9293 3.10.7.4). */
static void old_segment(void **state)
{
    (void)state;
    RUN(line_config(), CONNECTED, "20 write 10", "20 > P. 1:11 ack 1", "21 < P. 1:11 ack 1", "22 < P. 1:6 ack 11",
        "22 > . 11:11 ack 11", "22 flight 10");
}

/* Out of order is acknowledged at once, with the newest block first, and joined when the gap fills. */
static void reassembly(void **state)
{
    (void)state;
    RUN(line_config(), CONNECTED, "20 < P. 11:15 ack 1", "20 > . 1:1 ack 1 sack 11-15", "20 news",
        "20 < P. 15:21 ack 1", "20 > . 1:1 ack 1 sack 11-21",
        "21 < P. 31:41 ack 1", "21 > . 1:1 ack 1 sack 31-41 11-21",
        "22 < P. 51:61 ack 1", "22 > . 1:1 ack 1 sack 51-61 31-41 11-21",
        "23 < P. 71:81 ack 1", "23 > . 1:1 ack 1 sack 71-81 51-61 31-41 11-21",
        "24 < P. 91:101 ack 1", "24 > . 1:1 ack 1 sack 91-101 71-81 51-61 31-41",
        "25 < P. 15:35 ack 1", "25 > . 1:1 ack 1 sack 11-41 91-101 71-81 51-61", /* overlaps two and fills between */
        "26 < P. 1:15 ack 1", "26 > . 1:1 ack 41 sack 91-101 71-81 51-61", "26 news readable", "26 read got 40",
        "27 < P. 30:95 ack 1", "27 > . 1:1 ack 101", "27 read got 60",
        "28 < P. 1:101 ack 1", "28 > . 1:1 ack 101", "28 news readable", /* all old */
        "29 < P. 101:111 ack 1", "69 > . 1:1 ack 111"); /* no gap, no hurry */
}

static void fin_out_of_order(void **state)
{
    (void)state;
    RUN(line_config(), CONNECTED, "20 < FP. 11:21 ack 1", "20 > . 1:1 ack 1 sack 11-21", "20 state ESTABLISHED",
        "20 read got 0",
        "20 < P. 21:31 ack 1", "20 > . 1:1 ack 1 sack 11-21", /* there is nothing after a FIN */
        "21 < P. 1:11 ack 1", "21 > . 1:1 ack 22", "21 state CLOSE-WAIT", "21 read got 20 eof");
    RUN(line_config(), CONNECTED, "20 < P. 11:21 ack 1", "20 > . 1:1 ack 1 sack 11-21",
        "21 < F. 5:5 ack 1", "21 > . 1:1 ack 1 sack 11-21", "21 < P. 1:11 ack 1", "21 > . 1:1 ack 21", /* a false FIN */
        "21 state ESTABLISHED");
}

/* The window follows the buffer, closes, and is told when it is worth it. */
static void receive_window(void **state)
{
    (void)state;
    struct tcp_config cfg = line_config();
    cfg.receive_buffer = 6000;
    RUN(cfg, "0 connect", "0 > S 0:0 win 6000 mss 1460 ws 0 sackok", "10 < S. 0:0 ack 1 win 60000 mss 1460 ws 0 sackok",
        "10 > . 1:1 ack 1 win 6000",
        "20 < . 1:1461 ack 1", "20 < . 1461:2921 ack 1", "20 > . 1:1 ack 2921 win 3080", "21 < . 2921:4381 ack 1",
        "21 < . 4381:5841 ack 1", "21 > . 1:1 ack 5841 win 160",
        "70 < FP. 5841:6841 ack 1", "70 > . 1:1 ack 6001 win 0",
        "70 state ESTABLISHED",                                 /* what does not fit is cut off */
        "80 < P. 6001:6002 ack 1", "80 > . 1:1 ack 6001 win 0", /* a probe */
        "90 read 1459 got 1459",                                /* not worth a word, nor a window */
        "91 < P. 6001:6002 ack 1", "131 > . 1:1 ack 6002 win 0",
        "140 read 1460 got 1460", "140 read 1 got 1", "140 read 1 got 1", "140 > . 1:1 ack 6002 win 2920");
}

/* RFC 9293 3.8.6.1: probes for as long as they are answered. */
static void zero_window(void **state)
{
    (void)state;
    RUN(line_config(), CONNECTED, "20 write 3000", "20 > . 1:1461 ack 1", "20 > . 1461:2921 ack 1",
        "20 > P. 2921:3001 ack 1", "30 < . 1:1 ack 3001 win 0", "40 write 5000",
        "250 > . 3001:3002 ack 1", "260 < . 1:1 ack 3001 win 0", "670 > . 3001:3002 ack 1",
        "680 < . 1:1 ack 3001 win 0",
        "1510 > . 3001:3002 ack 1", "1520 < . 1:1 ack 3002 win 0", /* the byte was taken */
        "1520 write 1", "3200 > . 3002:3003 ack 1",
        "3210 < . 1:1 ack 3002 win 60000", "3210 > . 3002:4462 ack 1", "3210 > . 4462:5922 ack 1",
        "3210 > . 5922:7382 ack 1", "3210 > P. 7382:8002 ack 1", "3210 cwnd 14600", "3210 rto 210",
        "3210 stats 0 0 0");
}

/* However many it takes. */
static void zero_window_answered(void **state)
{
    (void)state;
    RUN(line_config(), CONNECTED, "20 write 1", "20 > P. 1:2 ack 1", "30 < . 1:1 ack 2 win 0", "30 write 1",
        "240 > P. 2:3 ack 1", "660 > P. 2:3 ack 1", "1500 > P. 2:3 ack 1", "3180 > P. 2:3 ack 1", "6540 > P. 2:3 ack 1",
        "13260 > P. 2:3 ack 1", "13270 < . 1:1 ack 2 win 0", "26700 > P. 2:3 ack 1", "53580 > P. 2:3 ack 1",
        "107340 > P. 2:3 ack 1", "171340 > P. 2:3 ack 1", "235340 > P. 2:3 ack 1", "299340 > P. 2:3 ack 1",
        "363340 > P. 2:3 ack 1", "427340 > P. 2:3 ack 1", "491340 > P. 2:3 ack 1", "555340 > P. 2:3 ack 1",
        "555340 state ESTABLISHED");
}

/* RFC 9293 3.10.7.4: the window of a segment that was overtaken is old. */
static void old_window(void **state)
{
    (void)state;
    RUN(line_config(), CONNECTED, "20 < P. 11:21 ack 1 win 50000", "20 > . 1:1 ack 1 sack 11-21", "20 sndwnd 50000",
        "21 < P. 1:11 ack 1 win 7", "21 > . 1:1 ack 21", "21 sndwnd 50000", "22 < . 21:21 ack 1 win 8", "22 sndwnd 8");
}

/* An ACK behind a full window of which a part is lost still counts. */
static void ack_on_the_edge(void **state)
{
    (void)state;
    struct tcp_config cfg = line_config();
    cfg.receive_buffer = 2000;
    RUN(cfg, "0 < S 0:0 win 9000 mss 1460", "0 > S. 0:0 ack 1 mss 1460", "1 < . 1:1 ack 1", "2 write 5",
        "2 > P. 1:6 ack 1", "3 < . 2001:2001 ack 6", "3 flight 0", "4 write 1", "4 > P. 6:7 ack 1",
        "5 < . 2002:2002 ack 7", "5 > . 7:7 ack 1", "5 flight 1");
}

/* ... at never more than 64 s. */
static void zero_window_for_ever(void **state)
{
    (void)state;
    static const char *const begin[] = {CONNECTED, "20 < . 1:1 ack 1 win 0", "30 write 1"};
    struct line l = {.cfg = line_config()};
    for (size_t i = 0; i < sizeof begin / sizeof *begin; i++)
        line_step(&l, begin[i]);
    for (unsigned i = 0; i < 100; i++) {
        uint64_t since_ns = l.now_ns;
        line_advance(&l, tcp_deadline(l.t));
        assert_true(l.now_ns - since_ns <= 64 * NS_S && l.now_ns - since_ns >= 210 * NS_MS);
        assert_int_equal(l.count, 1);
        l.first = l.count = 0;
        line_arrive(&l, ". 1:1 ack 1 win 0");
        line_drain(&l);
    }
    assert_int_equal(tcp_state(l.t), TCPS_ESTABLISHED);
    tcp_free(l.t);
}

/* A peer that answers no probe is dead after 15 of them. */
static void zero_window_death(void **state)
{
    (void)state;
    RUN(line_config(), CONNECTED, "20 write 1", "20 > P. 1:2 ack 1", "30 < . 1:1 ack 2 win 0", "30 write 1",
        "240 > P. 2:3 ack 1", "660 > P. 2:3 ack 1", "1500 > P. 2:3 ack 1", "3180 > P. 2:3 ack 1", "6540 > P. 2:3 ack 1",
        "13260 > P. 2:3 ack 1", "26700 > P. 2:3 ack 1", "53580 > P. 2:3 ack 1", "107340 > P. 2:3 ack 1",
        "171340 > P. 2:3 ack 1", "235340 > P. 2:3 ack 1", "299340 > P. 2:3 ack 1", "363340 > P. 2:3 ack 1",
        "427340 > P. 2:3 ack 1", "491340 > P. 2:3 ack 1", "555340 news closed TIMED_OUT");
}

/* The FIN waits for the window too, and is its own probe. */
static void zero_window_fin(void **state)
{
    (void)state;
    RUN(line_config(), CONNECTED, "20 write 1", "20 > P. 1:2 ack 1", "30 < . 1:1 ack 2 win 0", "30 shutdown",
        "240 > F. 2:2 ack 1", "250 < . 1:1 ack 3 win 0", "250 state FIN-WAIT-2");
}

/* RFC 9293 3.8.6.2.1: not in crumbs, unless it is half of what the peer ever offered, all there is, or time. */
static void silly_window(void **state)
{
    (void)state;
    RUN(line_config(), CONNECTED, "20 write 1000", "20 > P. 1:1001 ack 1", "30 < . 1:1 ack 1001 win 100",
        "40 write 1000", "250 > . 1001:1101 ack 1", "260 < . 1:1 ack 1101 win 2000", "260 > P. 1101:2001 ack 1");
    RUN(line_config(), "0 < S 0:0 win 1000 mss 1460", "0 > S. 0:0 ack 1 mss 1460", "1 < . 1:1 ack 1 win 1000",
        "2 write 3000", "2 > . 1:1001 ack 1", "3 < . 1:1 ack 1001 win 499", "4 < . 1:1 ack 1001 win 500",
        "4 > . 1001:1501 ack 1", "5 < . 1:1 ack 1501 win 8000", "5 > . 1501:2961 ack 1", "5 > P. 2961:3001 ack 1",
        "6 < . 1:1 ack 3001 win 1000", "6 write 5000", "7 flight 0");
}

static void write_blocks(void **state)
{
    (void)state;
    struct tcp_config cfg = line_config();
    cfg.send_buffer = 2000;
    RUN(cfg, CONNECTED, "20 write 3000 took 2000", "20 > . 1:1461 ack 1", "20 > P. 1461:2001 ack 1", "20 news",
        "20 write 10 took 0", "30 < . 1:1 ack 501", "30 news", "31 < . 1:1 ack 1461", "31 news writable", "31 news",
        "32 write 1460", "32 > P. 2001:3461 ack 1", "40 < . 1:1 ack 3461", "40 news");
    RUN(cfg, CONNECTED, "20 write 3000 took 2000", "20 > . 1:1461 ack 1", "20 > P. 1461:2001 ack 1", "21 shutdown",
        "21 > F. 2001:2001 ack 1", "30 < . 1:1 ack 2001", "30 news"); /* has said that it is done */
}

static void keep_alive(void **state)
{
    (void)state;
    struct tcp_config cfg = line_config();
    cfg.keepalive_ns = 60 * NS_S;
    RUN(cfg, CONNECTED, "60010 > . 0:0 ack 1", "60020 < . 1:1 ack 1", "120020 > . 0:0 ack 1",
        "130000 < P. 1:2 ack 1", "130000 news readable", "130040 > . 1:1 ack 2", /* whatever comes is a sign of life */
        "190000 > . 0:0 ack 2", "265000 > . 0:0 ack 2", "340000 > . 0:0 ack 2", "415000 > . 0:0 ack 2",
        "490000 > . 0:0 ack 2", "565000 > . 0:0 ack 2", "640000 > . 0:0 ack 2", "715000 > . 0:0 ack 2",
        "790000 > . 0:0 ack 2", "864999 state ESTABLISHED", "865000 > R. 1:1 ack 2", "865000 news closed TIMED_OUT");
    /* With data on its way its timer finds out. */
    cfg.keepalive_ns = 100 * NS_MS;
    RUN(cfg, CONNECTED, "20 write 1", "20 > P. 1:2 ack 1", "230 > P. 1:2 ack 1");
    RUN(cfg, CONNECTED, "20 close", "20 > F. 1:1 ack 1", "30 < F. 1:1 ack 2", "30 > . 2:2 ack 2",
        "40 < F. 1:1 ack 2", "40 > . 2:2 ack 2", "60039 state TIME-WAIT");
    /* We answer the peer's. */
    RUN(line_config(), CONNECTED, "20 < . 0:0 ack 1", "20 > . 1:1 ack 1");
}

/* ---- ICMP ---- */

static void icmp_errors(void **state)
{
    (void)state;
    RUN(line_config(), "0 connect", "0 > S 0:0 win 65535 mss 1460 ws 2 sackok", "5 icmp UNREACHABLE",
        "5 news closed UNREACHABLE", "5 state CLOSED");
    RUN(line_config(), CONNECTED, "20 icmp UNREACHABLE", "20 news", "20 state ESTABLISHED");
}

/* RFC 1191: smaller from now on, and what was on its way again, in slow start. */
static void mtu_lowered(void **state)
{
    (void)state;
    RUN(line_config(), CONNECTED, "20 write 3000", "20 > . 1:1461 ack 1", "20 > . 1461:2921 ack 1",
        "20 > P. 2921:3001 ack 1", "25 mtu 1040", "25 > . 1:1001 ack 1", "25 mss 1000", "25 ssthresh 14600",
        "25 mtu 1200", "25 mss 1000", /* not up again */
        "35 < . 1:1 ack 1001", "35 > . 1001:2001 ack 1", "35 > P. 2001:3001 ack 1",
        "45 < . 1:1 ack 3001", "45 mtu 20", "45 mss 28");
    RUN(line_config(), CONNECTED, "20 write 1200", "20 > P. 1:1201 ack 1", "25 mtu 1040", "25 > . 1:1001 ack 1",
        "235 > . 1:1001 ack 1");
    struct tcp_config six = line_config();
    six.ipv6 = true;
    RUN(six, CONNECTED, "20 mtu 1300", "20 mss 1240", "20 mtu 68", "20 mss 1220");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(active_open),          cmocka_unit_test(passive_open),
        cmocka_unit_test(plain_peer),           cmocka_unit_test(simultaneous_open),
        cmocka_unit_test(late_simultaneous_open),
        cmocka_unit_test(syn_retransmission),   cmocka_unit_test(syn_ack_retransmission),
        cmocka_unit_test(syn_lost),             cmocka_unit_test(reset_in_syn_sent),
        cmocka_unit_test(reset_in_syn_received), cmocka_unit_test(reset_when_established),
        cmocka_unit_test(blind_segments),       cmocka_unit_test(reset_while_closing),
        cmocka_unit_test(abort_by_state),       cmocka_unit_test(reset_for_nobody),
        cmocka_unit_test(close_first),          cmocka_unit_test(close_second),
        cmocka_unit_test(simultaneous_close),   cmocka_unit_test(half_close),
        cmocka_unit_test(close_with_unread),    cmocka_unit_test(close_before_open),
        cmocka_unit_test(time_wait_replaced),   cmocka_unit_test(delayed_ack),
        cmocka_unit_test(read_after_fin),       cmocka_unit_test(old_segment),
        cmocka_unit_test(reassembly),           cmocka_unit_test(fin_out_of_order),
        cmocka_unit_test(receive_window),       cmocka_unit_test(zero_window),
        cmocka_unit_test(zero_window_death),    cmocka_unit_test(zero_window_fin),
        cmocka_unit_test(zero_window_answered), cmocka_unit_test(zero_window_for_ever),
        cmocka_unit_test(old_window),
        cmocka_unit_test(ack_on_the_edge),
        cmocka_unit_test(silly_window),         cmocka_unit_test(write_blocks),
        cmocka_unit_test(keep_alive),           cmocka_unit_test(icmp_errors),
        cmocka_unit_test(mtu_lowered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
