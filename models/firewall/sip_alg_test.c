/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SIP messages before and behind an inspection that knows 10.1.0.5 as 198.51.100.2, and 10.1.0.6 as 198.51.100.30. */
#include "models/firewall/sip_alg.h"

#include <stdlib.h>
#include <string.h>

#include "models/firewall/seq.h"
#include "models/testkit/testkit.h"

static bool map(void *ctx, struct ip_addr *ip)
{
    static const char *const pair[][2] = {{"10.1.0.5", "198.51.100.2"}, {"10.1.0.6", "198.51.100.30"}};
    (void)ctx;
    for (size_t i = 0; i < 2; i++) {
        struct ip_addr real = kit_ip(pair[i][0]);
        if (ip_equal(ip, &real)) {
            *ip = kit_ip(pair[i][1]);
            return true;
        }
    }
    return false;
}

#define VIA "Via: SIP/2.0/TCP 10.1.0.5:5060;branch=z9hG4bK1;received=10.1.0.6\r\n"
#define VIA_OUT "Via: SIP/2.0/TCP 198.51.100.2:5060;branch=z9hG4bK1;received=198.51.100.30\r\n"
#define REST "To: <sip:a@10.1.0.5>\r\nCall-ID: 1@10.1.0.5\r\nContent-Type: application/sdp\r\n"
#define SDP                                                                                                            \
    "v=0\r\no=- 1 1 IN IP4 10.1.0.5\r\ns=10.1.0.5\r\nc=IN IP4 10.1.0.6/127\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n"     \
    "a=candidate:1 1 UDP 1 10.1.0.5 5000 typ host\r\n"
#define SDP_OUT                                                                                                        \
    "v=0\r\no=- 1 1 IN IP4 198.51.100.2\r\ns=10.1.0.5\r\nc=IN IP4 198.51.100.30/127\r\nt=0 0\r\n"                      \
    "m=audio 5000 RTP/AVP 0\r\na=candidate:1 1 UDP 1 10.1.0.5 5000 typ host\r\n"

static const struct {
    const char *in, *out; /* NULL: nothing changes */
    unsigned addresses;
} rows[] = {
    {"INVITE sip:b@10.1.0.5 SIP/2.0\r\n" VIA "Contact: <sip:a@10.1.0.5:5060;transport=tcp>\r\n" REST
     "Content-Length: 142\r\n\r\n" SDP,
     "INVITE sip:b@10.1.0.5 SIP/2.0\r\n" VIA_OUT "Contact: <sip:a@198.51.100.2:5060;transport=tcp>\r\n" REST
     "Content-Length: 151\r\n\r\n" SDP_OUT, 5},
    /* the short names; an answer; a body that is the rest */
    {"SIP/2.0 200 OK\r\nv : SIP/2.0/UDP 10.1.0.5\r\nm: <sip:10.1.0.5>\r\n\r\nc=IN IP4 10.1.0.5\r\n",
     "SIP/2.0 200 OK\r\nv : SIP/2.0/UDP 198.51.100.2\r\nm: <sip:198.51.100.2>\r\n\r\nc=IN IP4 198.51.100.2\r\n", 3},
    {"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.1.0.5\r\nl: 0\r\n\r\n",
     "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 198.51.100.2\r\nContent-Length: 0\r\n\r\n", 1},
    /* keep-alives, and two messages of which only the second has something */
    {"\r\n\r\nOPTIONS sip:b SIP/2.0\r\nVia: SIP/2.0/TCP 10.1.0.9\r\nContent-Length: 0\r\n\r\n"
     "OPTIONS sip:c SIP/2.0\r\nVia: SIP/2.0/TCP 10.1.0.6\r\nContent-Length: 0\r\n\r\n",
     "\r\n\r\nOPTIONS sip:b SIP/2.0\r\nVia: SIP/2.0/TCP 10.1.0.9\r\nContent-Length: 0\r\n\r\n"
     "OPTIONS sip:c SIP/2.0\r\nVia: SIP/2.0/TCP 198.51.100.30\r\nContent-Length: 0\r\n\r\n", 1},
    /* what only looks like the address */
    {"OPTIONS sip:b SIP/2.0\r\nVia: SIP/2.0/TCP 110.1.0.5;x=10.1.0.55;y=10.1.0.5.1;z=h-10.1.0.5;u=10.1.0.5x\r\n"
     "Content-Length: 0\r\n\r\n", NULL, 0},
    /* elsewhere than in Via and Contact */
    {"OPTIONS sip:b@10.1.0.5 SIP/2.0\r\n" REST "Content-Length: 0\r\n\r\n", NULL, 0},
    /* not whole; no SIP; no end of the head; a length that is none */
    {"OPTIONS sip:b SIP/2.0\r\nVia: SIP/2.0/TCP 10.1.0.5\r\nContent-Length: 10\r\n\r\nc=IN", NULL, 0},
    {"GET / HTTP/1.1\r\nVia: SIP/2.0/TCP 10.1.0.5\r\n\r\n", NULL, 0},
    {"OPTIONS sip:b SIP/2.0\r\nVia: SIP/2.0/TCP 10.1.0.5\r\n", NULL, 0},
    {"OPTIONS sip:b SIP/2.0\r\nVia: SIP/2.0/TCP 10.1.0.5\r\nContent-Length: x\r\n\r\n", NULL, 0},
    {"", NULL, 0},
    {"\r\n\r\n", NULL, 0},
};

static void messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t out[2048];
        struct fw_sip_change c;
        size_t len = strlen(rows[i].in);
        uint8_t *in = malloc(len + !len); /* of its size: a read past its end is seen */
        assert_non_null(in);
        memcpy(in, rows[i].in, len);
        size_t n = fw_sip_rewrite(in, len, map, NULL, out, sizeof out, &c);
        assert_int_equal(n, rows[i].out ? strlen(rows[i].out) : 0);
        if (n) {
            assert_memory_equal(out, rows[i].out, n);
            assert_int_equal(c.addresses, rows[i].addresses);
            assert_int_equal(c.message_count, 1);
            assert_int_equal(c.message[0].end, len);
            assert_int_equal(c.message[0].delta, (int)n - (int)len);
        }
        for (size_t cap = 0; cap < n; cap++) /* no room */
            assert_int_equal(fw_sip_rewrite(in, len, map, NULL, out, cap, &c), 0);
        free(in);
    }
}

/* Sequence numbers around what has become longer, shorter, and is sent again. */
static void sequence_numbers(void **state)
{
    (void)state;
    struct fw_seq s = {0};
    assert_int_equal(fw_seq_forward(&s, 7), 7);
    fw_seq_add(&s, 1000, 9);
    fw_seq_add(&s, 2000, -4);
    fw_seq_add(&s, 1000, 9); /* sent again */
    static const uint32_t there[][2] = {{900, 900}, {999, 999}, {1000, 1009}, {1999, 2008}, {2000, 2005}, {9000, 9005}};
    for (size_t i = 0; i < sizeof there / sizeof *there; i++)
        assert_int_equal(fw_seq_forward(&s, there[i][0]), there[i][1]);
    static const uint32_t back[][2] = {{900, 900}, {1008, 999}, {1009, 1000}, {1500, 1491}, {2004, 1995}, {2005, 2000}};
    for (size_t i = 0; i < sizeof back / sizeof *back; i++)
        assert_int_equal(fw_seq_back(&s, back[i][0]), back[i][1]);
    for (uint32_t i = 0; i < 100; i++) /* more than are remembered */
        fw_seq_add(&s, 3000 + 10 * i, 1);
    assert_int_equal(fw_seq_forward(&s, 4000), 4105);
    assert_int_equal(fw_seq_back(&s, 4105), 4000);
    struct fw_seq round = {0}; /* past 2^32 */
    fw_seq_add(&round, UINT32_MAX - 5, 9);
    assert_int_equal(fw_seq_forward(&round, 1), 10);
    assert_int_equal(fw_seq_back(&round, 10), 1);
    assert_int_equal(fw_seq_forward(&round, UINT32_MAX - 6), UINT32_MAX - 6);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages),
        cmocka_unit_test(sequence_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
