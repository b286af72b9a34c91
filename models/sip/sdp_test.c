/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/sip/sdp.h"

#include <stdio.h>
#include <string.h>

#include "models/base/err.h"
#include "models/testkit/testkit.h"

/* What Meeting Server offers (catalogue, section 5), with a line of each kind to be skipped put in. */
static const char share[] =
    "v=0\r\n"
    "o=- 7 1 IN IP4 10.1.1.5\r\n"
    "s=session\r\n"
    "c=IN IP4 10.1.1.5\r\n"
    "b=CT:99980\r\n"
    "t=0 0\r\n"
    "a=x-devicecaps:audio:send,recv\r\n"
    "m=audio 0 RTP/AVP 8\r\n"
    "m=applicationsharing 24123 TCP/RTP/SAVP 127\r\n"
    "c=IN IP4 198.51.100.20\r\n"
    "a=ice-ufrag:Ab1c\r\n"
    "a=ice-pwd:0123456789abcdef01234567\r\n"
    "a=candidate:3 1 TCP-PASS 6556159 198.51.100.20 24123 typ relay raddr 10.1.1.5 rport 40001\r\n"
    "a=candidate:3 1 TCP-ACT 7076863 198.51.100.20 24123 typ relay raddr 10.1.1.5 rport 40001\r\n"
    "a=candidate:4 2 UDP 2130706431 2001:db8::1 9 typ host\r\n"
    "a=candidate:bWFkZS11cA 1 c2VjcmV0 TCP 0.150 10.1.1.5 40001\r\n"
    "a=remote-candidates:1 192.168.1.252 53577 2 192.168.1.252 53578\r\n"
    "a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:AAAA|2^31\r\n"
    "a=crypto:3 OTHER inline:BBBB\r\n"
    "a=setup:active\r\n"
    "a=connection:new\r\n"
    "a=mid:1\r\n"
    "a=rtcp-mux\r\n"
    "a=x-applicationsharing-session-id:1\r\n"
    "a=x-applicationsharing-role:viewer\r\n"
    "a=x-applicationsharing-media-type:rdp\r\n"
    "a=rtpmap:127 x-data/90000\r\n";

static void check_share(const struct sdp *s)
{
    assert_int_equal(s->media_count, 2);
    assert_int_equal(s->session, 7);
    assert_null(sdp_find(s, "video"));
    assert_int_equal(sdp_find(s, "audio")->port, 0);
    assert_true(ip_equal(&sdp_find(s, "audio")->ip, &s->ip));
    const struct sdp_media *m = sdp_find(s, "applicationsharing");
    assert_int_equal(m->port, 24123);
    assert_string_equal(m->proto, "TCP/RTP/SAVP");
    assert_string_equal(m->formats, "127");
    struct ip_addr ip = kit_ip("198.51.100.20");
    assert_true(ip_equal(&m->ip, &ip));
    assert_string_equal(m->ufrag, "Ab1c");
    assert_string_equal(m->pwd, "0123456789abcdef01234567");
    assert_string_equal(m->crypto, "2 AES_CM_128_HMAC_SHA1_80 inline:AAAA|2^31");
    assert_string_equal(m->mid, "1");
    assert_string_equal(m->rtpmap, "127 x-data/90000");
    assert_string_equal(m->sharing_session, "1");
    assert_string_equal(m->sharing_role, "viewer");
    assert_string_equal(m->sharing_type, "rdp");
    assert_int_equal(m->setup, SDP_ACTIVE);
    assert_true(m->connection_new && m->rtcp_mux);
    assert_int_equal(m->candidate_count, 3);
    const struct sdp_candidate *c = m->candidate;
    assert_int_equal(c[0].transport, SDP_TCP_PASS);
    assert_int_equal(c[1].transport, SDP_TCP_ACT);
    assert_int_equal(c[0].priority, 6556159);
    assert_int_equal(c[0].type, SDP_RELAY);
    assert_string_equal(c[0].foundation, "3");
    struct endpoint relay = kit_endpoint("198.51.100.20:24123"), base = kit_endpoint("10.1.1.5:40001");
    assert_true(endpoint_equal(&c[1].address, &relay) && endpoint_equal(&c[1].related, &base));
    assert_int_equal(c[2].transport, SDP_UDP);
    assert_int_equal(c[2].component, 2);
    assert_int_equal(c[2].address.ip.family, IP_V6);
    assert_int_equal(m->remote_count, 2);
    struct endpoint edge = kit_endpoint("192.168.1.252:53577");
    assert_true(endpoint_equal(&m->remote[0].address, &edge));
    assert_int_equal(m->remote[1].component, 2);
}

static void a_share_is_read(void **state)
{
    (void)state;
    struct sdp s;
    assert_int_equal(sdp_parse(share, sizeof share - 1, &s), 0);
    check_share(&s);
    assert_int_equal(sdp_find(&s, "applicationsharing")->v6_candidates, 1);
}

static void what_is_written_reads_the_same(void **state)
{
    (void)state;
    struct sdp s, again;
    char buf[4096], twice[4096];
    assert_int_equal(sdp_parse(share, sizeof share - 1, &s), 0);
    struct text t = text_of(buf, sizeof buf), u = text_of(twice, sizeof twice);
    sdp_write(&s, &t);
    assert_int_equal(sdp_parse(buf, t.len, &again), 0);
    check_share(&again);
    sdp_write(&again, &u);
    assert_string_equal(buf, twice);
    assert_non_null(strstr(
        buf, "a=candidate:3 1 TCP-ACT 7076863 198.51.100.20 24123 typ relay raddr 10.1.1.5 rport 40001\r\n"));
    assert_non_null(strstr(buf, "a=remote-candidates:1 192.168.1.252 53577 2 192.168.1.252 53578\r\n"));
}

static void bad_descriptions(void **state)
{
    (void)state;
    static const struct {
        const char *line, *instead;
        int err;
    } rows[] = {
        {"v=0\r\n", "v=1\r\n", E_MALFORMED},
        {"v=0\r\n", "v=0\r\nv=0\r\n", E_MALFORMED},
        {"o=- 7 1 IN IP4 10.1.1.5\r\n", "", E_MALFORMED},
        {"s=session\r\n", "session\r\n", E_MALFORMED},
        {"o=- 7 1 IN IP4 10.1.1.5\r\n", "o=- 18446744073709551616 1 IN IP4 10.1.1.5\r\n", E_RANGE},
        {"o=- 7 1 IN IP4 10.1.1.5\r\n", "o=- 7 1 IN IP4 10.1.1\r\n", E_MALFORMED},
        {"m=audio 0 RTP/AVP 8\r\n", "m=audio 65536 RTP/AVP 8\r\n", E_RANGE},
        {"m=audio 0 RTP/AVP 8\r\n", "m=audio 0 RTP/AVP\r\n", E_MALFORMED},
        {"m=audio 0 RTP/AVP 8\r\n", "m=audio\r\n", E_MALFORMED},
        {"m=audio 0 RTP/AVP 8\r\n", "m=a 1 b 2\r\nm=a 1 b 2\r\nm=a 1 b 2\r\nm=a 1 b 2\r\n", E_RANGE},
        {"c=IN IP4 198.51.100.20\r\n", "c=IN IP4 example.com\r\n", E_MALFORMED},
        {"a=setup:active\r\n", "a=setup:eager\r\n", E_MALFORMED},
        {"typ host\r\n", "typ guest\r\n", E_MALFORMED},
        {"typ host\r\n", "host\r\n", E_MALFORMED},
        {"typ host\r\n", "typ host raddr 10.0.0.1\r\n", E_MALFORMED},
        {"2130706431", "4294967296", E_MALFORMED},
        {"53578\r\n", "53578 1\r\n", E_MALFORMED},
        {"53578\r\n", "53578 1 10.0.0.1 1\r\n", E_RANGE},
        {"a=candidate:3 1 TCP-PASS", "a=candidate:123456789012345678901234567890123 1 TCP-PASS", E_RANGE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char buf[4096];
        const char *at = strstr(share, rows[i].line);
        assert_non_null(at);
        snprintf(buf, sizeof buf, "%.*s%s%s", (int)(at - share), share, rows[i].instead,
                 at + strlen(rows[i].line));
        struct sdp s;
        int err = sdp_parse(buf, strlen(buf), &s);
        if (err != rows[i].err)
            print_error("row %zu: %s", i, rows[i].instead);
        assert_int_equal(err, rows[i].err);
    }
    struct sdp s;
    assert_int_equal(sdp_parse("", 0, &s), E_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_share_is_read),
        cmocka_unit_test(what_is_written_reads_the_same),
        cmocka_unit_test(bad_descriptions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
