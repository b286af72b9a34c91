/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages as they were written, cut anywhere; and what is refused. */
#include "models/actors/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/testkit/testkit.h"

/* Every message of the bytes, in pieces of that length, as "GET /path|body;" or "301>location|body;". */
static const char *read_all(bool requests, const char *bytes, size_t len, size_t piece, int *err)
{
    static char out[1024];
    struct text t = text_of(out, sizeof out);
    struct http_stream *s = http_stream_new(requests);
    struct http_message m;
    *err = 0;
    for (size_t at = 0; at < len; at += piece) {
        *err = http_stream_push(s, bytes + at, piece < len - at ? piece : len - at);
        while (http_stream_next(s, &m)) {
            if (m.request)
                text_add(&t, "%s %s", m.method, m.path);
            else
                text_add(&t, "%u%s%s", m.code, m.location[0] ? ">" : "", m.location);
            text_add(&t, "|%.*s%s;", (int)m.body_len, m.body, m.close ? "|close" : "");
        }
    }
    http_stream_free(s);
    return out;
}

static void cut_anywhere(void **state)
{
    (void)state;
    static char buf[1024];
    struct text t = text_of(buf, sizeof buf);
    int err;
    http_put_request(&t, "GET", "/", "h", NULL, NULL, 0);
    http_put_request(&t, "POST", "/api/calls", "h", "application/json", "{\"name\":\"g\"}", 12);
    http_put_request(&t, "DELETE", "/api/calls/7", "h", NULL, NULL, 0);
    for (size_t piece = 1; piece <= t.len; piece++) {
        assert_string_equal(read_all(true, buf, t.len, piece, &err),
                            "GET /|;POST /api/calls|{\"name\":\"g\"};DELETE /api/calls/7|;");
        assert_int_equal(err, 0);
    }
    t = text_of(buf, sizeof buf);
    http_put_response(&t, 202, NULL, "application/json", "{}", 2);
    http_put_response(&t, 301, "https://e/", NULL, NULL, 0);
    http_put_response(&t, 204, NULL, NULL, NULL, 0);
    text_add(&t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    for (size_t piece = 1; piece <= t.len; piece++) {
        assert_string_equal(read_all(false, buf, t.len, piece, &err), "202|{};301>https://e/|;204|;200|abcde;");
        assert_int_equal(err, 0);
    }
}

static void bodies_hold_any_byte(void **state)
{
    (void)state;
    static char buf[HTTP_BODY_MAX + HTTP_HEAD_MAX], body[HTTP_BODY_MAX];
    struct http_stream *s = http_stream_new(false);
    struct http_message m;
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (char)i;
    struct text t = text_of(buf, sizeof buf);
    http_put_response(&t, 200, NULL, "application/octet-stream", body, sizeof body);
    assert_false(t.cut);
    assert_int_equal(http_stream_push(s, buf, t.len), 0);
    assert_true(http_stream_next(s, &m));
    assert_int_equal(m.body_len, sizeof body);
    assert_memory_equal(m.body, body, sizeof body);
    http_stream_free(s);
}

static void what_is_refused(void **state)
{
    (void)state;
    static const struct {
        bool requests;
        int err;
        const char *bytes, *before;
    } rows[] = {
        {true, E_MALFORMED, "GET\r\n\r\n", ""},
        {true, E_MALFORMED, "GET / HTTP/2.0\r\n\r\n", ""},
        {true, E_MALFORMED, "GET / HTTP/1.1\r\nHost: h\r\n\r\nnonsense", "GET /|;"},
        {true, E_MALFORMED, "GET /\x80 HTTP/1.1\r\nHost: h\r\n\r\n", ""},
        {true, E_RANGE, "PROPPATCH / HTTP/1.1\r\nHost: h\r\n\r\n", ""},
        {true, E_RANGE, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 65537\r\n\r\n", ""},
        {true, E_MALFORMED, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", ""},
        {true, E_MALFORMED,
         "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ""},
        {true, E_MALFORMED, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\nx", ""},
        {true, E_MALFORMED, "CONNECT a:1 HTTP/1.1\r\nHost: h\r\n\r\nx", ""},
        {true, E_MALFORMED, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\n",
         "GET /||close;"},
        {true, E_MALFORMED, "POST / HTTP/1.1\r\nContent-Length : 3\r\n\r\nabc", ""},
        {false, E_MALFORMED, "HTTP/1.1 200 OK\r\n\r\nwithout a border", ""},
        {false, E_MALFORMED, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", ""},
        {false, E_MALFORMED, "SIP/2.0 200 OK\r\n\r\n", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int err;
        const char *got = read_all(rows[i].requests, rows[i].bytes, strlen(rows[i].bytes), 1 + i % 3, &err);
        if (err != rows[i].err || strcmp(got, rows[i].before) != 0)
            print_error("row %zu: %s after \"%s\"\n", i, err_text(err), got);
        assert_int_equal(err, rows[i].err);
        assert_string_equal(got, rows[i].before);
    }
}

/* Header lines without end, a target too long, chunks that add up: each ends at a limit. */
static void limits(void **state)
{
    (void)state;
    static const struct {
        const char *head, *again;
        size_t times;
    } rows[] = {
        {"GET / HTTP/1.1\r\n", "A: b\r\n", 100000},
        {"GET /", "a", HTTP_PATH_MAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_stream *s = http_stream_new(true);
        int err = http_stream_push(s, rows[i].head, strlen(rows[i].head));
        for (size_t n = 0; n < rows[i].times && !err; n++)
            err = http_stream_push(s, rows[i].again, strlen(rows[i].again));
        assert_int_equal(err, E_RANGE);
        assert_int_equal(http_stream_push(s, "x", 1), E_RANGE);
        http_stream_free(s);
    }
    static const char chunked[] = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    static char chunk[4096 + 16];
    struct http_stream *s = http_stream_new(true);
    assert_int_equal(http_stream_push(s, chunked, sizeof chunked - 1), 0);
    int n = snprintf(chunk, sizeof chunk, "1000\r\n%04096d\r\n", 0);
    for (size_t k = 0; k < HTTP_BODY_MAX / 4096; k++)
        assert_int_equal(http_stream_push(s, chunk, (size_t)n), 0);
    assert_int_equal(http_stream_push(s, chunk, (size_t)n), E_RANGE);
    http_stream_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(bodies_hold_any_byte),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
