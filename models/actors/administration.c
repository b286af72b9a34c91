/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/administration.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/actors/http.h"
#include "models/base/err.h"
#include "models/base/time.h"

#define IDLE_NS (30 * NS_S)

struct conn {
    io_id id; /* IO_NONE: free */
    uint64_t due_ns;
    struct http_stream *in;
};

struct administration {
    struct io *io;
    unsigned owner;
    struct endpoint listen;
    io_id listener;
    struct conn conn[ADMINISTRATION_CONNS_MAX];
};

struct administration *administration_new(struct io *io, unsigned owner, const struct endpoint *listen)
{
    struct administration *a = calloc(1, sizeof *a);
    if (a)
        *a = (struct administration){.io = io, .owner = owner, .listen = *listen};
    return a;
}

static void conn_forget(struct conn *c)
{
    http_stream_free(c->in);
    *c = (struct conn){.id = IO_NONE};
}

void administration_free(struct administration *a)
{
    for (size_t i = 0; a && i < ADMINISTRATION_CONNS_MAX; i++)
        conn_forget(&a->conn[i]);
    free(a);
}

static struct conn *conn_find(struct administration *a, io_id id)
{
    for (size_t i = 0; i < ADMINISTRATION_CONNS_MAX; i++)
        if (a->conn[i].id == id)
            return &a->conn[i];
    return NULL;
}

static void on_accepted(struct administration *a, io_id id)
{
    struct conn *c = conn_find(a, IO_NONE);
    struct http_stream *in = c ? http_stream_new(true) : NULL;
    if (!in) {
        io_abort(a->io, id);
        return;
    }
    *c = (struct conn){id, io_now(a->io) + IDLE_NS, in};
    io_read(a->io, id, true);
}

static void respond(struct administration *a, const struct conn *c, const struct http_message *m)
{
    static const char page[] = "<!DOCTYPE html><title>Expressway</title><form method=post action=/login>"
                               "<input name=user><input name=password type=password><button>Log in</button></form>";
    static const struct {
        const char *method, *path, *location;
        unsigned code;
        bool page;
    } rows[] = {
        {"GET", "/", "/login", 302, false},
        {"GET", "/login", "", 200, true},
        {"POST", "/login", "", 401, true},
        {"", "", "", 404, false},
    };
    char buf[HTTP_HEAD_MAX + sizeof page], label[16];
    struct text t = text_of(buf, sizeof buf);
    size_t i = 0;
    while (rows[i].method[0] && (strcmp(rows[i].method, m->method) != 0 || strcmp(rows[i].path, m->path) != 0))
        i++;
    http_put_response(&t, rows[i].code, rows[i].location, rows[i].page ? "text/html" : NULL, page,
                      rows[i].page ? sizeof page - 1 : 0);
    snprintf(label, sizeof label, "HTTP %u", rows[i].code);
    io_send(a->io, c->id, t.buf, t.len, label);
}

static void on_data(struct administration *a, struct conn *c, const struct io_in *in)
{
    struct http_message m;
    bool last = http_stream_push(c->in, in->data, in->len) != 0;
    c->due_ns = io_now(a->io) + IDLE_NS;
    while (http_stream_next(c->in, &m)) {
        respond(a, c, &m);
        last |= m.close;
    }
    if (last) {
        io_close(a->io, c->id);
        conn_forget(c);
    }
}

static void listener_event(struct administration *a, const struct io_in *in)
{
    char at[ENDPOINT_TEXT];
    if (in->event == IO_ACCEPTED)
        on_accepted(a, in->id);
    else if (in->event == IO_OPENED)
        io_note(a->io, NOTE_SERVICE, "administration up %s", endpoint_text(&a->listen, at));
    else if (in->event == IO_FAILED)
        io_fail(a->io, NULL, "the web interface cannot listen on %s: %s", endpoint_text(&a->listen, at),
                err_text(in->err));
}

static void conn_event(struct administration *a, struct conn *c, const struct io_in *in)
{
    if (in->event == IO_DATA) {
        on_data(a, c, in);
    } else if (in->event == IO_EOF || in->event == IO_CLOSED) {
        if (in->event == IO_EOF)
            io_close(a->io, c->id);
        conn_forget(c);
    }
}

static void on_tick(struct administration *a)
{
    for (size_t i = 0; i < ADMINISTRATION_CONNS_MAX; i++) {
        struct conn *c = &a->conn[i];
        if (c->id == IO_NONE || io_now(a->io) < c->due_ns)
            continue;
        io_close(a->io, c->id);
        conn_forget(c);
    }
}

void administration_input(struct administration *a, const struct io_in *in)
{
    struct conn *c = in->id == IO_NONE ? NULL : conn_find(a, in->id);
    if (in->event == IO_START) {
        io_note(a->io, NOTE_SERVICE, "administration wanted");
        a->listener = io_listen(a->io, a->owner, &a->listen);
    } else if (in->event == IO_TICK) {
        on_tick(a);
    } else if (c) {
        conn_event(a, c, in);
    } else if (in->id == a->listener || in->other == a->listener) {
        listener_event(a, in);
    }
}

uint64_t administration_deadline(const struct administration *a)
{
    uint64_t at = TIME_NEVER;
    for (size_t i = 0; i < ADMINISTRATION_CONNS_MAX; i++)
        if (a->conn[i].id != IO_NONE)
            at = time_min(at, a->conn[i].due_ns);
    return at;
}
