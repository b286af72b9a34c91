/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/http.h"

#include <http_parser.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "models/base/err.h"

enum { FIELD_MAX = 16 }; /* longer names are none that is read */

/* A message with its body behind it. */
struct item {
    struct item *next;
    struct http_message m;
    size_t path_len, location_len;
    char *body;
    size_t cap;
};

struct http_stream {
    http_parser parser;
    struct item *making, *given; /* under way; handed out last */
    struct item *done, **done_tail;
    char field[FIELD_MAX];
    size_t field_len;
    bool in_value, closing; /* closing: no message may follow (RFC 9112 9.6) */
    int err;
};

static void item_free(struct item *i)
{
    if (!i)
        return;
    free(i->body);
    free(i);
}

struct http_stream *http_stream_new(bool requests)
{
    struct http_stream *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    http_parser_init(&s->parser, requests ? HTTP_REQUEST : HTTP_RESPONSE);
    s->parser.data = s;
    s->done_tail = &s->done;
    return s;
}

void http_stream_free(struct http_stream *s)
{
    if (!s)
        return;
    item_free(s->making);
    item_free(s->given);
    for (struct item *i = s->done, *next; i; i = next) {
        next = i->next;
        item_free(i);
    }
    free(s);
}

/* ---- what the parser finds; -1 stops it (1 and 2 mean other things after the header) ---- */

static int stop(struct http_stream *s, int err)
{
    s->err = err;
    return -1;
}

static int on_begin(http_parser *p)
{
    struct http_stream *s = p->data;
    if (s->closing)
        return stop(s, E_MALFORMED);
    s->making = calloc(1, sizeof *s->making);
    s->field_len = 0;
    s->in_value = false;
    return s->making ? 0 : stop(s, E_NOMEM);
}

/* Targets and locations are visible ASCII (RFC 3986 2): what is not would be read differently by others. */
static int add_visible(struct http_stream *s, char out[HTTP_PATH_MAX], size_t *used, const char *at, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (at[i] <= ' ' || at[i] > '~')
            return stop(s, E_MALFORMED);
        if (*used + 1 == HTTP_PATH_MAX)
            return stop(s, E_RANGE);
        out[(*used)++] = at[i];
    }
    return 0;
}

static int on_url(http_parser *p, const char *at, size_t len)
{
    struct http_stream *s = p->data;
    return add_visible(s, s->making->m.path, &s->making->path_len, at, len);
}

static int on_field(http_parser *p, const char *at, size_t len)
{
    struct http_stream *s = p->data;
    if (s->in_value)
        s->field_len = 0;
    s->in_value = false;
    if (memchr(at, ' ', len)) /* RFC 9112 5.1: Debian's parser is built to let it pass */
        return stop(s, E_MALFORMED);
    for (size_t i = 0; i < len; i++, s->field_len++)
        if (s->field_len < FIELD_MAX)
            s->field[s->field_len] = at[i];
    return 0;
}

static int on_value(http_parser *p, const char *at, size_t len)
{
    static const char name[] = "Location";
    struct http_stream *s = p->data;
    s->in_value = true;
    if (s->field_len != sizeof name - 1 || strncasecmp(s->field, name, s->field_len) != 0)
        return 0;
    return add_visible(s, s->making->m.location, &s->making->location_len, at, len);
}

/* RFC 9112 6.3: responses that have no body, whatever their header says; and those whose body goes on until their
 * connection ends. */
static bool is_bodyless(const http_parser *p)
{
    return p->type == HTTP_RESPONSE && (p->status_code / 100 == 1 || p->status_code == 204 || p->status_code == 304);
}

static bool is_endless(const http_parser *p)
{
    bool no_end = p->content_length == ULLONG_MAX || p->uses_transfer_encoding;
    return p->type == HTTP_RESPONSE && !is_bodyless(p) && !(p->flags & F_CHUNKED) && no_end;
}

static int on_head(http_parser *p)
{
    struct http_stream *s = p->data;
    struct http_message *m = &s->making->m;
    const char *method = http_method_str((enum http_method)p->method);
    m->request = p->type == HTTP_REQUEST;
    m->code = m->request ? 0 : p->status_code;
    m->close = !http_should_keep_alive(p);
    if (m->request && strlen(method) >= sizeof m->method)
        return stop(s, E_RANGE);
    if (m->request)
        memcpy(m->method, method, strlen(method));
    if (p->content_length != ULLONG_MAX && p->content_length > HTTP_BODY_MAX)
        return stop(s, E_RANGE);
    if (p->http_major != 1 || p->upgrade || is_endless(p))
        return stop(s, E_MALFORMED);
    s->closing = m->close;
    return is_bodyless(p); /* true: what follows the header is the next message */
}

static int on_body(http_parser *p, const char *at, size_t len)
{
    struct http_stream *s = p->data;
    struct item *i = s->making;
    if (i->m.body_len + len > HTTP_BODY_MAX)
        return stop(s, E_RANGE);
    if (i->m.body_len + len > i->cap) {
        size_t cap = 2 * (i->m.body_len + len);
        char *grown = realloc(i->body, cap);
        if (!grown)
            return stop(s, E_NOMEM);
        i->body = grown;
        i->cap = cap;
    }
    memcpy(i->body + i->m.body_len, at, len);
    i->m.body_len += len;
    return 0;
}

static int on_complete(http_parser *p)
{
    struct http_stream *s = p->data;
    s->making->m.body = s->making->body ? s->making->body : "";
    *s->done_tail = s->making;
    s->done_tail = &s->making->next;
    s->making = NULL;
    return 0;
}

int http_stream_push(struct http_stream *s, const void *bytes, size_t len)
{
    static const http_parser_settings settings = {.on_message_begin = on_begin,
                                                  .on_url = on_url,
                                                  .on_header_field = on_field,
                                                  .on_header_value = on_value,
                                                  .on_headers_complete = on_head,
                                                  .on_body = on_body,
                                                  .on_message_complete = on_complete};
    item_free(s->given);
    s->given = NULL;
    if (s->err || !len) /* of no bytes the parser would make the end of the stream */
        return s->err;
    http_parser_execute(&s->parser, &settings, bytes, len);
    enum http_errno error = HTTP_PARSER_ERRNO(&s->parser);
    if (error != HPE_OK && !s->err)
        s->err = error == HPE_HEADER_OVERFLOW ? E_RANGE : E_MALFORMED;
    return s->err;
}

bool http_stream_next(struct http_stream *s, struct http_message *out)
{
    item_free(s->given);
    s->given = s->done;
    if (!s->given)
        return false;
    s->done = s->given->next;
    if (!s->done)
        s->done_tail = &s->done;
    *out = s->given->m;
    return true;
}

/* ---- writing ---- */

static void put_rest(struct text *t, const char *type, const char *body, size_t len)
{
    if (type)
        text_add(t, "Content-Type: %s\r\n", type);
    text_add(t, "Content-Length: %zu\r\n\r\n", type ? len : 0);
    if (!type)
        return;
    if (t->cap - t->len <= len) {
        t->cut = true;
        return;
    }
    memcpy(t->buf + t->len, body, len); /* not text_add: a body may hold any byte */
    t->len += len;
    t->buf[t->len] = '\0';
}

void http_put_request(struct text *t, const char *method, const char *path, const char *host, const char *type,
                      const char *body, size_t len)
{
    text_add(t, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, path, host);
    put_rest(t, type, body, len);
}

void http_put_response(struct text *t, unsigned code, const char *location, const char *type, const char *body,
                       size_t len)
{
    text_add(t, "HTTP/1.1 %u %s\r\n", code, http_status_str((enum http_status)code));
    if (location && location[0])
        text_add(t, "Location: %s\r\n", location);
    if (code == 204) /* RFC 9110 8.6: it has no Content-Length */
        text_add(t, "\r\n");
    else
        put_rest(t, type, body, len);
}
