/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/web_proxy.h"

#include <stdio.h>
#include <stdlib.h>

#include "models/actors/http.h"
#include "models/base/err.h"
#include "models/base/time.h"

/* Who has said nothing by then is let go: the first byte says who it is. */
#define FIRST_BYTE_NS (10 * NS_S)
enum { STUN_LAST = 3 }; /* RFC 7983 7: what STUN begins with */

enum kind {
    CONN_FREE,
    CONN_NEW,      /* has said nothing */
    CONN_BROWSER,  /* has a channel */
    CONN_REDIRECT, /* at port 80 */
};

struct conn {
    enum kind kind;
    io_id id;
    struct endpoint local, remote;
    uint64_t due_ns; /* NEW, REDIRECT */
    uint32_t channel;
    bool blocked;
    size_t untaken; /* came by the channel while the browser was slow */
    struct http_stream *in; /* REDIRECT */
};

struct web_proxy {
    struct io *io;
    unsigned owner;
    struct web_proxy_config cfg;
    struct tunnel *tunnel;
    io_id listener, redirect;
    struct conn conn[WEB_PROXY_CONNS_MAX];
    char buf[HTTP_HEAD_MAX + 2 * HTTP_PATH_MAX];
};

struct web_proxy *web_proxy_new(struct io *io, unsigned owner, const struct web_proxy_config *cfg)
{
    struct tunnel_config tunnel = {
        .outer = true, .at = cfg->tunnel, .forward = cfg->listen.port, .channels = TUNNEL_CHANNELS_MAX};
    struct web_proxy *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->io = io;
    w->owner = owner;
    w->cfg = *cfg;
    w->tunnel = tunnel_new(io, owner, &tunnel);
    if (w->tunnel)
        return w;
    free(w);
    return NULL;
}

void web_proxy_free(struct web_proxy *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < WEB_PROXY_CONNS_MAX; i++)
        http_stream_free(w->conn[i].in);
    tunnel_free(w->tunnel);
    free(w);
}

/* ---- connections ---- */

static struct conn *conn_find(struct web_proxy *w, io_id id)
{
    for (size_t i = 0; i < WEB_PROXY_CONNS_MAX; i++)
        if (w->conn[i].kind != CONN_FREE && w->conn[i].id == id)
            return &w->conn[i];
    return NULL;
}

static struct conn *conn_of_channel(struct web_proxy *w, uint32_t channel)
{
    for (size_t i = 0; i < WEB_PROXY_CONNS_MAX; i++)
        if (w->conn[i].kind == CONN_BROWSER && w->conn[i].channel == channel)
            return &w->conn[i];
    return NULL;
}

static void conn_forget(struct conn *c)
{
    http_stream_free(c->in);
    *c = (struct conn){.kind = CONN_FREE};
}

static void conn_close(struct web_proxy *w, struct conn *c)
{
    io_close(w->io, c->id);
    conn_forget(c);
}

static void respond(struct web_proxy *w, struct conn *c, unsigned code, const char *location)
{
    char label[32];
    struct text t = text_of(w->buf, sizeof w->buf);
    http_put_response(&t, code, location, NULL, NULL, 0);
    snprintf(label, sizeof label, "HTTP %u", code);
    io_send(w->io, c->id, t.buf, t.len, label);
    conn_close(w, c);
}

static void on_accepted(struct web_proxy *w, const struct io_in *in)
{
    struct conn *c = w->conn;
    bool redirect = in->other == w->redirect;
    while (c < w->conn + WEB_PROXY_CONNS_MAX && c->kind != CONN_FREE)
        c++;
    if (c == w->conn + WEB_PROXY_CONNS_MAX) {
        io_abort(w->io, in->id);
        return;
    }
    *c = (struct conn){.kind = redirect ? CONN_REDIRECT : CONN_NEW, .id = in->id, .local = in->local,
                       .remote = in->remote, .due_ns = io_now(w->io) + FIRST_BYTE_NS};
    c->in = redirect ? http_stream_new(true) : NULL;
    if (redirect && !c->in) {
        io_abort(w->io, c->id);
        conn_forget(c);
        return;
    }
    io_read(w->io, in->id, true);
}

/* ---- the first bytes ---- */

static void become_turn(struct web_proxy *w, struct conn *c, const struct io_in *in)
{
    struct io_in given = {.event = IO_ACCEPTED, .id = c->id, .local = c->local, .remote = c->remote,
                          .data = in->data, .len = in->len};
    conn_forget(c); /* what comes for it from now on is the relay's: the relay alone knows how long it lives */
    turn_input(w->cfg.turn, &given);
}

static void become_browser(struct web_proxy *w, struct conn *c)
{
    int err = tunnel_open(w->tunnel, &c->remote, &c->channel);
    if (err == 0) {
        c->kind = CONN_BROWSER;
        return;
    }
    io_note(w->io, NOTE_HINT, "a browser is turned away: %s",
            err == E_REFUSED ? "there is no SSH tunnel with Expressway-C" : "no channel of the SSH tunnel is free");
    respond(w, c, 503, NULL);
}

static void on_first(struct web_proxy *w, struct conn *c, const struct io_in *in)
{
    if (in->data[0] <= STUN_LAST && w->cfg.turn)
        become_turn(w, c, in);
    else if (in->data[0] >= 'A' && in->data[0] <= 'Z')
        become_browser(w, c);
    else
        conn_close(w, c);
}

static void to_channel(struct web_proxy *w, struct conn *c, const struct io_in *in)
{
    if (tunnel_send(w->tunnel, c->channel, in->data, in->len))
        io_read(w->io, c->id, false);
}

static void on_redirect(struct web_proxy *w, struct conn *c, const struct io_in *in)
{
    struct http_message m;
    char location[2 * HTTP_PATH_MAX];
    int err = http_stream_push(c->in, in->data, in->len);
    if (http_stream_next(c->in, &m)) {
        snprintf(location, sizeof location, "https://%s%s", w->cfg.name, m.path[0] == '/' ? m.path : "/");
        respond(w, c, 301, location);
    } else if (err) {
        respond(w, c, 400, NULL);
    }
}

static void on_data(struct web_proxy *w, struct conn *c, const struct io_in *in)
{
    if (c->kind == CONN_REDIRECT) {
        on_redirect(w, c, in);
        return;
    }
    if (c->kind == CONN_NEW)
        on_first(w, c, in);
    if (c->kind == CONN_BROWSER)
        to_channel(w, c, in);
}

/* ---- the tunnel ---- */

static void from_channel(struct web_proxy *w, struct conn *c, const struct tunnel_event *ev)
{
    io_send(w->io, c->id, ev->data, ev->len, NULL);
    if (c->blocked)
        c->untaken += ev->len;
    else
        tunnel_taken(w->tunnel, c->channel, ev->len);
}

static void on_tunnel(struct web_proxy *w, const struct tunnel_event *ev)
{
    if (ev->kind == TUNNEL_UP || ev->kind == TUNNEL_DOWN) {
        for (size_t i = 0; i < WEB_PROXY_CONNS_MAX && ev->kind == TUNNEL_DOWN; i++)
            if (w->conn[i].kind == CONN_BROWSER)
                conn_close(w, &w->conn[i]);
        return;
    }
    struct conn *c = conn_of_channel(w, ev->channel);
    if (!c)
        return;
    switch (ev->kind) {
    case TUNNEL_DATA:
        from_channel(w, c, ev);
        break;
    case TUNNEL_WRITABLE:
        io_read(w->io, c->id, true);
        break;
    case TUNNEL_REFUSED:
        respond(w, c, 503, NULL);
        break;
    case TUNNEL_EOF: /* a server has said all that it had to say */
        tunnel_close(w->tunnel, c->channel);
        conn_close(w, c);
        break;
    case TUNNEL_CLOSED:
        conn_close(w, c);
        break;
    default:
        break;
    }
}

/* ---- input ---- */

static void on_start(struct web_proxy *w)
{
    io_note(w->io, NOTE_SERVICE, "web-proxy wanted");
    w->listener = io_listen(w->io, w->owner, &w->cfg.listen);
    w->redirect = w->cfg.redirect.port ? io_listen(w->io, w->owner, &w->cfg.redirect) : IO_NONE;
}

static bool is_listener(const struct web_proxy *w, io_id id)
{
    return id != IO_NONE && (id == w->listener || id == w->redirect);
}

static void listener_event(struct web_proxy *w, const struct io_in *in)
{
    char at[ENDPOINT_TEXT];
    if (in->event == IO_FAILED)
        io_fail(w->io, NULL, "the web proxy cannot listen on %s: %s",
                endpoint_text(in->id == w->listener ? &w->cfg.listen : &w->cfg.redirect, at), err_text(in->err));
    else if (in->event == IO_OPENED && in->id == w->listener)
        io_note(w->io, NOTE_SERVICE, "web-proxy up %s", endpoint_text(&w->cfg.listen, at));
}

static void conn_event(struct web_proxy *w, struct conn *c, const struct io_in *in)
{
    switch (in->event) {
    case IO_DATA:
        on_data(w, c, in);
        break;
    case IO_BLOCKED:
        c->blocked = true;
        break;
    case IO_WRITABLE:
        c->blocked = false;
        if (c->kind == CONN_BROWSER)
            tunnel_taken(w->tunnel, c->channel, c->untaken);
        c->untaken = 0;
        break;
    case IO_EOF: /* a browser may still want its answer */
        if (c->kind == CONN_BROWSER)
            tunnel_eof(w->tunnel, c->channel);
        else
            conn_close(w, c);
        break;
    case IO_CLOSED:
        if (c->kind == CONN_BROWSER)
            tunnel_close(w->tunnel, c->channel);
        conn_forget(c);
        break;
    default:
        break;
    }
}

static void on_tick(struct web_proxy *w)
{
    for (size_t i = 0; i < WEB_PROXY_CONNS_MAX; i++) {
        struct conn *c = &w->conn[i];
        if ((c->kind == CONN_NEW || c->kind == CONN_REDIRECT) && io_now(w->io) >= c->due_ns)
            conn_close(w, c);
    }
}

void web_proxy_input(struct web_proxy *w, const struct io_in *in)
{
    struct conn *c = in->id == IO_NONE ? NULL : conn_find(w, in->id);
    struct tunnel_event ev;
    if (in->event == IO_START)
        on_start(w);
    else if (in->event == IO_TICK)
        on_tick(w);
    if (in->event == IO_ACCEPTED && is_listener(w, in->other))
        on_accepted(w, in);
    else if (is_listener(w, in->id))
        listener_event(w, in);
    else if (c)
        conn_event(w, c, in);
    else
        tunnel_input(w->tunnel, in);
    if (!c && in->id != IO_NONE && in->event != IO_ACCEPTED && w->cfg.turn)
        turn_input(w->cfg.turn, in); /* knows its own */
    while (tunnel_poll(w->tunnel, &ev))
        on_tunnel(w, &ev);
}

uint64_t web_proxy_deadline(const struct web_proxy *w)
{
    uint64_t at = tunnel_deadline(w->tunnel);
    for (size_t i = 0; i < WEB_PROXY_CONNS_MAX; i++)
        if (w->conn[i].kind == CONN_NEW || w->conn[i].kind == CONN_REDIRECT)
            at = time_min(at, w->conn[i].due_ns);
    return at;
}
