/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A stream in pieces (the first byte says how long, and of which direction) gives the messages that it gives whole;
 * what was read can be written, and is read again as it was. */
#include <assert.h>
#include <string.h>

#include "models/actors/http.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static bool same(const struct http_message *a, const struct http_message *b)
{
    return a->code == b->code && strcmp(a->method, b->method) == 0 && strcmp(a->path, b->path) == 0 &&
           strcmp(a->location, b->location) == 0 && a->body_len == b->body_len &&
           memcmp(a->body, b->body, a->body_len) == 0;
}

static void write_again(const struct http_message *m)
{
    static char buf[HTTP_BODY_MAX + 2 * HTTP_PATH_MAX + HTTP_HEAD_MAX];
    struct text t = text_of(buf, sizeof buf);
    struct http_message copy = *m, back;
    bool no_body = m->code / 100 == 1 || m->code == 204 || m->code == 304;
    copy.location[0] = m->request ? '\0' : copy.location[0];
    if (m->request)
        http_put_request(&t, m->method, m->path, "h", "t", m->body, m->body_len);
    else
        http_put_response(&t, m->code, m->location, no_body ? NULL : "t", m->body, m->body_len);
    struct http_stream *s = http_stream_new(m->request);
    assert(s && !t.cut && http_stream_push(s, buf, t.len) == 0 && http_stream_next(s, &back));
    assert(same(&copy, &back) && !back.close && !http_stream_next(s, &back));
    http_stream_free(s);
}

static unsigned messages(bool requests, const unsigned char *data, size_t size, size_t piece, int *err)
{
    struct http_stream *s = http_stream_new(requests);
    struct http_message m;
    unsigned n = 0;
    *err = 0;
    for (size_t at = 0; at < size; at += piece) {
        *err = http_stream_push(s, data + at, piece < size - at ? piece : size - at);
        for (; http_stream_next(s, &m); n++)
            write_again(&m);
    }
    http_stream_free(s);
    return n;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    if (size < 2)
        return 0;
    int whole, pieces;
    bool requests = data[0] & 1;
    unsigned n = messages(requests, data + 1, size - 1, size - 1, &whole);
    unsigned k = messages(requests, data + 1, size - 1, data[0] / 2u + 1, &pieces);
    assert(n == k && !whole == !pieces); /* of two mistakes in one line, either may be seen first */
    return 0;
}
