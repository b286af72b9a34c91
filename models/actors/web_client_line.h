/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One connection of a browser to a web server, with one request at a time on it (RFC 9112 9.3): opened when there is
 * something to ask, kept for the next. */
#ifndef TP_ACTORS_WEB_CLIENT_LINE_H
#define TP_ACTORS_WEB_CLIENT_LINE_H

#include "models/actors/http.h"
#include "models/base/io.h"

struct web_line {
    struct io *io;
    unsigned owner;
    io_id id; /* IO_NONE: not connected, nor being so */
    struct endpoint server;
    struct http_stream *in;
    bool asked;     /* the answer is outstanding */
    uint64_t by_ns; /* until when it is waited for */
};

struct web_request {
    struct endpoint server;
    const char *method, *path, *host;
    const char *json; /* the body; NULL: none */
    uint64_t patience_ns; /* TIME_NEVER: it may take any time */
};

enum web_line_event {
    WEB_LINE_NOTHING,
    WEB_LINE_ANSWER, /* m: the response, borrowed until the next input */
    WEB_LINE_BROKEN, /* err: the question will not be answered. A connection that ends without one is made again for
                      * the next */
};

void web_line_init(struct web_line *l, struct io *io, unsigned owner);
/* Nothing may be outstanding. A connection to another server is closed first. */
void web_line_ask(struct web_line *l, const struct web_request *r);
/* Any event of the system: those of other connections are left alone. */
enum web_line_event web_line_input(struct web_line *l, const struct io_in *in, struct http_message *m, int *err);
uint64_t web_line_deadline(const struct web_line *l);
/* Closes the connection, if there is one. It can be used again. */
void web_line_close(struct web_line *l);
void web_line_free(struct web_line *l); /* says nothing to anyone */

#endif
