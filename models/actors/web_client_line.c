/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/web_client_line.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"

void web_line_init(struct web_line *l, struct io *io, unsigned owner)
{
    *l = (struct web_line){.io = io, .owner = owner, .by_ns = TIME_NEVER};
}

static void forget(struct web_line *l)
{
    http_stream_free(l->in);
    web_line_init(l, l->io, l->owner);
}

void web_line_close(struct web_line *l)
{
    if (l->id != IO_NONE)
        io_close(l->io, l->id);
    forget(l);
}

static void connect_to(struct web_line *l, const struct endpoint *server)
{
    web_line_close(l);
    l->server = *server;
    l->in = http_stream_new(false);
    assert(l->in);
    l->id = io_connect(l->io, l->owner, NULL, server);
}

void web_line_ask(struct web_line *l, const struct web_request *r)
{
    char head[HTTP_HEAD_MAX + HTTP_PATH_MAX + HTTP_BODY_MAX], label[HTTP_PATH_MAX + 16];
    struct text t = text_of(head, sizeof head);
    assert(!l->asked);
    if (l->id == IO_NONE || !endpoint_equal(&l->server, &r->server))
        connect_to(l, &r->server);
    http_put_request(&t, r->method, r->path, r->host, r->json ? "application/json" : NULL, r->json ? r->json : "",
                     r->json ? strlen(r->json) : 0);
    assert(!t.cut);
    snprintf(label, sizeof label, "%s %s", r->method, r->path);
    io_send(l->io, l->id, t.buf, t.len, label);
    l->asked = true;
    l->by_ns = r->patience_ns == TIME_NEVER ? TIME_NEVER : io_now(l->io) + r->patience_ns;
}

void web_line_free(struct web_line *l)
{
    http_stream_free(l->in);
}

static enum web_line_event broken(struct web_line *l, int why, int *err)
{
    bool asked = l->asked;
    forget(l);
    *err = why;
    return asked ? WEB_LINE_BROKEN : WEB_LINE_NOTHING;
}

static enum web_line_event take(struct web_line *l, const struct io_in *in, struct http_message *m, int *err)
{
    int bad = http_stream_push(l->in, in->data, in->len);
    if (!http_stream_next(l->in, m)) {
        if (!bad)
            return WEB_LINE_NOTHING;
    } else if (l->asked) {
        l->asked = false;
        l->by_ns = TIME_NEVER;
        return WEB_LINE_ANSWER;
    } else {
        bad = E_MALFORMED; /* an answer to nothing */
    }
    io_close(l->io, l->id);
    return broken(l, bad, err);
}

enum web_line_event web_line_input(struct web_line *l, const struct io_in *in, struct http_message *m, int *err)
{
    if (io_now(l->io) >= l->by_ns) {
        io_abort(l->io, l->id);
        return broken(l, E_TIMED_OUT, err);
    }
    if (l->id == IO_NONE || in->id != l->id)
        return WEB_LINE_NOTHING;
    switch (in->event) {
    case IO_OPENED:
        io_read(l->io, l->id, true);
        return WEB_LINE_NOTHING;
    case IO_DATA:
        return take(l, in, m, err);
    case IO_EOF:
        io_close(l->io, l->id);
        return broken(l, E_RESET, err);
    case IO_FAILED:
    case IO_CLOSED:
        return broken(l, in->err ? in->err : E_RESET, err);
    default:
        return WEB_LINE_NOTHING;
    }
}

uint64_t web_line_deadline(const struct web_line *l)
{
    return l->by_ns;
}
