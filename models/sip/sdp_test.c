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

/* Two media with ICE over UDP (RFC 8839), credentials and direction said once for both, and one that is refused. */
static const char ice[] = "v=0\r\n"
                          "o=alice 7 2 IN IP4 10.1.1.5\r\n"
                          "s=-\r\n"
                          "c=IN IP4 10.1.1.5\r\n"
                          "t=0 0\r\n"
                          "a=ice-ufrag:8hhY\r\n"
                          "a=ice-pwd:asd88fgpdd777uzjYhagZg\r\n"
                          "a=inactive\r\n"
                          "a=candidate:9 1 UDP 1 10.1.1.5 9 typ host\r\n"
                          "m=audio 50000 RTP/AVPF 8\r\n"
                          "a=sendonly\r\n"
                          "a=candidate:1 1 udp 2130706431 10.1.1.5 50000 typ host\r\n"
                          "a=candidate:2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 10.1.1.5 rport 50000\r\n"
                          "a=rtcp-mux\r\n"
                          "a=rtcp:50000 IN IP4 10.1.1.6\r\n"
                          "a=ssrc:7 msid:x y\r\n"
                          "a=ssrc:4294967295 cname:alice/guest-1\r\n"
                          "a=ssrc:8 cname:other\r\n"
                          "m=video 50002 RTP/AVPF 122\r\n"
                          "a=ice-ufrag:9uB6\r\n"
                          "a=ice-pwd:YH75Fviy6338Vbrhrlp8Yh\r\n"
                          "a=rtcp:50003\r\n"
                          "m=application 0 UDP/BFCP *\r\n";

static void check_ice(const struct sdp *s)
{
    assert_int_equal(s->media_count, 3);
    const struct sdp_media *audio = sdp_find(s, "audio"), *video = sdp_find(s, "video");
    assert_string_equal(audio->ufrag, "8hhY");
    assert_string_equal(audio->pwd, "asd88fgpdd777uzjYhagZg");
    assert_int_equal(audio->direction, SDP_SENDONLY);
    assert_int_equal(audio->candidate_count, 2);
    assert_int_equal(audio->candidate[0].transport, SDP_UDP);
    assert_int_equal(audio->candidate[1].type, SDP_SRFLX);
    struct endpoint rtcp = kit_endpoint("10.1.1.6:50000");
    assert_true(endpoint_equal(&audio->rtcp, &rtcp));
    assert_int_equal(audio->ssrc, UINT32_MAX);
    assert_string_equal(audio->cname, "alice/guest-1");
    assert_string_equal(video->ufrag, "9uB6");
    assert_int_equal(video->direction, SDP_INACTIVE);
    assert_int_equal(video->candidate_count, 0);
    assert_true(video->rtcp.port == 50003 && video->rtcp.ip.family == IP_NONE && !video->ssrc);
    assert_true(s->media[2].port == 0);
}

static void ice_over_udp_is_read_and_written(void **state)
{
    (void)state;
    struct sdp s, again;
    char buf[4096];
    assert_int_equal(sdp_parse(ice, sizeof ice - 1, &s), 0);
    check_ice(&s);
    struct text t = text_of(buf, sizeof buf);
    sdp_write(&s, &t);
    assert_int_equal(sdp_parse(buf, t.len, &again), 0);
    check_ice(&again);
    assert_non_null(strstr(buf, "a=rtcp:50000 IN IP4 10.1.1.6\r\na=rtcp-mux\r\n"
                                "a=ssrc:4294967295 cname:alice/guest-1\r\na=sendonly\r\nm=video"));
    static const char *const bad[] = {"a=rtcp:x\r\n", "a=rtcp:70000\r\n", "a=rtcp:1 IN IP4\r\n", "a=ssrc:a cname:b\r\n",
                                      "a=ssrc:4294967296 cname:b\r\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(buf, sizeof buf, "%s%s", ice, bad[i]);
        assert_true(sdp_parse(buf, strlen(buf), &s) != 0);
    }
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
        cmocka_unit_test(ice_over_udp_is_read_and_written),
        cmocka_unit_test(bad_descriptions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
