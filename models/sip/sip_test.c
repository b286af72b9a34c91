/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/sip/sip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/testkit/testkit.h"

/* Modelled on RFC 3261 24.2 F1, with compact forms, folds and lists put in. */
static const char invite[] = "INVITE sip:bob@biloxi.com SIP/2.0\r\n"
                             "Via: SIP/2.0/TCP pc33.atlanta.com:5061;branch=z9hG4bK776asdhds ,\r\n"
                             " SIP/2.0/TCP [2001:db8::1];branch=z9hG4bKsecond\r\n"
                             "v: SIP/2.0/TLS third.example.com ; branch=z9hG4bK3\r\n"
                             "Max-Forwards: 70\r\n"
                             "To: \"Bob, <not a tag>;tag=no\" <sip:bob@biloxi.com;transport=tcp>\r\n"
                             "f: Alice <sip:alice@atlanta.com>\r\n\t;tag=1928301774\r\n"
                             "i: a84b4c76e66710@pc33.atlanta.com\r\n"
                             "CSeq: 314159   INVITE\r\n"
                             "Contact: <sip:alice@pc33.atlanta.com:5070;ob>\r\n"
                             "c: application/sdp\r\n"
                             "l: 5\r\n"
                             "\r\n"
                             "v=0\r\n";

static struct sip_str str(const char *s)
{
    return (struct sip_str){s, strlen(s)};
}

#define assert_str(s, text) assert_true(sip_same(s, str(text)))

static void parts_of_a_request(void **state)
{
    (void)state;
    struct sip_msg m;
    assert_int_equal(sip_parse(invite, sizeof invite - 1, &m), 0);
    assert_true(m.request);
    assert_str(m.method, "INVITE");
    assert_str(m.uri, "sip:bob@biloxi.com");
    assert_str(m.call_id, "a84b4c76e66710@pc33.atlanta.com");
    assert_int_equal(m.cseq, 314159);
    assert_str(m.body, "v=0\r\n");
    assert_str(sip_tag(&m, "From"), "1928301774");
    assert_int_equal(sip_tag(&m, "To").len, 0);
    struct sip_str v;
    assert_true(sip_find(&m, "content-type", &v));
    assert_str(v, "application/sdp");
    assert_false(sip_find(&m, "Route", &v));
    char label[SIP_LABEL];
    assert_string_equal(sip_label(&m, label), "INVITE");
}

static void lists_go_over_lines_and_commas(void **state)
{
    (void)state;
    static const struct {
        const char *host, *branch;
        unsigned port;
    } want[] = {{"pc33.atlanta.com", "z9hG4bK776asdhds", 5061},
                {"[2001:db8::1]", "z9hG4bKsecond", 0},
                {"third.example.com", "z9hG4bK3", 0}};
    struct sip_msg m;
    assert_int_equal(sip_parse(invite, sizeof invite - 1, &m), 0);
    struct sip_iter it = {0};
    struct sip_str value;
    size_t n = 0;
    for (; sip_next(&m, "Via", &it, &value); n++) {
        struct sip_via via;
        assert_true(n < 3);
        assert_int_equal(sip_via_parse(value, &via), 0);
        assert_str(via.host, want[n].host);
        assert_str(via.branch, want[n].branch);
        assert_int_equal(via.port, want[n].port);
    }
    assert_int_equal(n, 3);
}

static void addresses_and_uris(void **state)
{
    (void)state;
    struct sip_addr a;
    struct sip_str v;
    assert_int_equal(sip_addr_parse(str("\"a \\\" <b>\" <sip:u@h:99;lr;x=\"1\">;tag=t"), &a), E_MALFORMED);
    assert_int_equal(sip_addr_parse(str("\"a \\\" <b>\" <sip:u@h:99;lr;x=1>;q;tag=t"), &a), 0);
    assert_str(a.uri, "sip:u@h:99;lr;x=1");
    assert_true(sip_param(a.params, "TAG", &v));
    assert_str(v, "t");
    assert_true(sip_param(a.params, "q", &v));
    assert_int_equal(v.len, 0);
    assert_false(sip_param(a.params, "lr", &v));
    struct sip_uri u;
    assert_int_equal(sip_uri_parse(a.uri, &u), 0);
    assert_str(u.user, "u");
    assert_str(u.host, "h");
    assert_int_equal(u.port, 99);
    assert_true(sip_param(u.params, "x", &v));
    assert_str(v, "1");
    assert_int_equal(sip_addr_parse(str("sip:u@h;tag=t"), &a), 0); /* without brackets: the header field's */
    assert_str(a.uri, "sip:u@h");
    assert_true(sip_param(a.params, "tag", &v));
    static const char *const bad[] = {"",         "bob",       "tel:1",       "<sip:a@b", "<sip:a@b:0>",
                                      "sip:a@:1", "sip:a@b:x", "\"x <sip:a>", "sip:a b",  "<sip:a@b:65536>"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(sip_addr_parse(str(bad[i]), &a), E_MALFORMED);
}

static void a_reply_repeats_what_it_must(void **state)
{
    (void)state;
    struct sip_msg m, r;
    char buf[2048], label[SIP_LABEL];
    assert_int_equal(sip_parse(invite, sizeof invite - 1, &m), 0);
    struct text t = text_of(buf, sizeof buf);
    text_add(&t, "SIP/2.0 180 Ringing\r\n");
    sip_put_reply(&t, &m, "314159");
    sip_put_body(&t, NULL, "", 0);
    assert_false(t.cut);
    assert_int_equal(sip_parse(buf, t.len, &r), 0);
    assert_int_equal(r.code, 180);
    assert_str(sip_tag(&r, "To"), "314159");
    assert_str(sip_tag(&r, "From"), "1928301774");
    assert_str(r.method, "INVITE");
    assert_string_equal(sip_label(&r, label), "180 Ringing (INVITE)");
    struct sip_iter a = {0}, b = {0};
    struct sip_str va, vb;
    while (sip_next(&m, "Via", &a, &va)) {
        assert_true(sip_next(&r, "Via", &b, &vb));
        assert_true(sip_same(va, vb));
    }
    assert_false(sip_next(&r, "Via", &b, &vb));
}

/* Each row: a line of the good message, and what is put in its place. */
static void bad_messages(void **state)
{
    (void)state;
    static const struct {
        const char *line, *instead;
        int err;
    } rows[] = {
        {"INVITE sip:bob@biloxi.com SIP/2.0\r\n", "INVITE sip:bob@biloxi.com SIP/3.0\r\n", E_MALFORMED},
        {"INVITE sip:bob@biloxi.com SIP/2.0\r\n", "INVITE  sip:bob@biloxi.com SIP/2.0\r\n", E_MALFORMED},
        {"INVITE sip:bob@biloxi.com SIP/2.0\r\n", "SIP/2.0 99 Low\r\n", E_MALFORMED},
        {"INVITE sip:bob@biloxi.com SIP/2.0\r\n", "SIP/2.0 700 High\r\n", E_MALFORMED},
        {"CSeq: 314159   INVITE\r\n", "CSeq: 314159 ACK\r\n", E_MALFORMED},
        {"CSeq: 314159   INVITE\r\n", "CSeq: 4294967296 INVITE\r\n", E_MALFORMED},
        {"CSeq: 314159   INVITE\r\n", "CSeq 314159 INVITE\r\n", E_MALFORMED},
        {"CSeq: 314159   INVITE\r\n", "", E_MALFORMED},
        {"f: Alice <sip:alice@atlanta.com>\r\n\t;tag=1928301774\r\n", "f: <sip:alice@atlanta.com>\r\n",
         E_MALFORMED},
        {"i: a84b4c76e66710@pc33.atlanta.com\r\n", "i: 1\r\nCall-ID: 2\r\n", E_MALFORMED},
        {"Max-Forwards: 70\r\n", "Max-Forwards: 70\nX: y\r\n", E_MALFORMED},
        {"Max-Forwards: 70\r\n", "Max-Forwards: 70\rX: y\r\n", E_MALFORMED},
        {"Max-Forwards: 70\r\n", "Max Forwards: 70\r\n", E_MALFORMED},
        {"l: 5\r\n", "", E_MALFORMED},
        {"l: 5\r\n", "l: 5\r\nContent-Length: 5\r\n", E_MALFORMED},
        {"l: 5\r\n", "l: -5\r\n", E_MALFORMED},
        {"l: 5\r\n", "l: 65537\r\n", E_RANGE},
        {"l: 5\r\n", "l: 6\r\n", E_TRUNCATED},
        {"l: 5\r\n", "l: 4\r\n", E_MALFORMED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char buf[2048];
        const char *at = strstr(invite, rows[i].line);
        assert_non_null(at);
        snprintf(buf, sizeof buf, "%.*s%s%s", (int)(at - invite), invite, rows[i].instead,
                 at + strlen(rows[i].line));
        struct sip_msg m;
        int err = sip_parse(buf, strlen(buf), &m);
        if (err != rows[i].err)
            print_error("row %zu: %s", i, rows[i].instead);
        assert_int_equal(err, rows[i].err);
    }
}

static void too_many_header_lines(void **state)
{
    (void)state;
    char *buf = malloc(SIP_MESSAGE_MAX);
    assert_non_null(buf);
    const char *l = strstr(invite, "l: 5");
    for (int extra = SIP_HEADERS_MAX - 10; extra <= SIP_HEADERS_MAX - 9; extra++) { /* the message has 10 */
        struct text t = text_of(buf, SIP_MESSAGE_MAX);
        text_add(&t, "%.*s", (int)(l - invite), invite);
        for (int i = 0; i < extra; i++)
            text_add(&t, "X: y\r\n");
        text_add(&t, "%s", l);
        struct sip_msg m;
        assert_int_equal(sip_parse(buf, t.len, &m), extra == SIP_HEADERS_MAX - 10 ? 0 : E_RANGE);
    }
    free(buf);
}

/* Three messages with keep-alives between them, in pieces of each size. */
static void streams_cut_anywhere(void **state)
{
    (void)state;
    char all[3 * sizeof invite + 16];
    snprintf(all, sizeof all, "\r\n\r\n%s%s\r\n%s\r\n", invite, invite, invite);
    size_t len = strlen(all);
    for (size_t piece = 1; piece <= len; piece++) {
        struct sip_stream s = {0};
        unsigned found = 0;
        for (size_t at = 0; at < len; at += piece) {
            sip_stream_push(&s, all + at, piece < len - at ? piece : len - at);
            struct sip_msg m;
            int r;
            while ((r = sip_stream_next(&s, &m)) == 1) {
                assert_str(m.body, "v=0\r\n");
                found++;
            }
            assert_int_equal(r, 0);
        }
        assert_int_equal(found, 3);
        sip_stream_free(&s);
    }
}

static void streams_are_bounded(void **state)
{
    (void)state;
    char line[1024];
    memset(line, 'x', sizeof line);
    struct sip_stream s = {0};
    struct sip_msg m;
    int r = 0, pushed = 0;
    sip_stream_push(&s, "INVITE sip:a@b SIP/2.0\r\nX: ", 27);
    for (; r == 0 && pushed < 100; pushed++) {
        sip_stream_push(&s, line, sizeof line);
        r = sip_stream_next(&s, &m);
    }
    assert_int_equal(r, E_RANGE);
    assert_int_equal(pushed, 64);
    sip_stream_push(&s, invite, sizeof invite - 1);
    assert_int_equal(sip_stream_next(&s, &m), E_RANGE); /* final */
    sip_stream_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_a_request),   cmocka_unit_test(lists_go_over_lines_and_commas),
        cmocka_unit_test(addresses_and_uris),   cmocka_unit_test(a_reply_repeats_what_it_must),
        cmocka_unit_test(bad_messages),         cmocka_unit_test(too_many_header_lines),
        cmocka_unit_test(streams_cut_anywhere), cmocka_unit_test(streams_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
