/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTTP/1.1 messages (RFC 9110, 9112) over streams, as a client and a server of the web bridge need them: framing and
 * grammar by libhttp-parser, so that nothing is handed on that it does not take. A message has a border of its own
 * (Content-Length, chunks, or no body): one that ends with its connection is refused, as is an upgrade. */
#ifndef TP_ACTORS_HTTP_H
#define TP_ACTORS_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "models/base/bytes.h"

enum { HTTP_BODY_MAX = 65536, HTTP_PATH_MAX = 256, HTTP_METHOD_MAX = 8, HTTP_HEAD_MAX = 1024 };

struct http_message { /* borrowed until the next call on its stream */
    bool request;
    char method[HTTP_METHOD_MAX]; /* of a request, as the next */
    char path[HTTP_PATH_MAX];     /* the request target, as it came */
    unsigned code;                /* of a response, as the next */
    char location[HTTP_PATH_MAX]; /* "" when there is none */
    const char *body;             /* not NUL-terminated */
    size_t body_len;
    bool close; /* its sender closes the connection after it (RFC 9112 9.6) */
};

/* Collects the messages of one direction, cut anywhere. requests: false for responses. NULL: no memory. */
struct http_stream;
struct http_stream *http_stream_new(bool requests);
void http_stream_free(struct http_stream *s);
/* 0, or, for good, because no border can be found again: E_MALFORMED; E_RANGE: a body, path, location, method or header
 * longer than there is room for; E_NOMEM. Whole messages before the mistake are still given out. */
int http_stream_push(struct http_stream *s, const void *bytes, size_t len);
/* The next whole message; false: none yet. */
bool http_stream_next(struct http_stream *s, struct http_message *out);

/* Writing. type: Content-Type; NULL: no body. location: "" or NULL for none. A text with HTTP_HEAD_MAX bytes beside the
 * body, path and location has room. */
void http_put_request(struct text *t, const char *method, const char *path, const char *host, const char *type,
                      const char *body, size_t len);
void http_put_response(struct text *t, unsigned code, const char *location, const char *type, const char *body,
                       size_t len);

#endif
