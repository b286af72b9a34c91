/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets of a probe: what comes is kept until the probe asks for it. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/probe_parts.h"
#include "models/base/err.h"

enum { READ_CHUNK = 65536, PORTS_TRIED = 2000, DATAGRAM_MAX = 65535 };

static const struct net_ops *ops_of(const struct line *l)
{
    return l->p->bench->net->ops;
}

static struct net *net_of(const struct line *l)
{
    return l->p->bench->net;
}

static struct line *line_new(struct probe *p, enum line_kind kind, enum place at)
{
    assert(at < PLACES);
    struct line *l = probe_alloc(p, sizeof *l);
    *l = (struct line){.p = p, .kind = kind, .at = at, .number = ++p->line_count};
    l->parcel_tail = &l->parcel;
    *p->lines_tail = l;
    p->lines_tail = &l->next;
    return l;
}

/* The socket's events are this line's from now on; a number may be used again once its socket is gone. */
static void attach(struct line *l, net_sock s)
{
    struct probe *p = l->p;
    if (s >= p->by_sock_count) {
        size_t count = p->by_sock_count ? p->by_sock_count : 16;
        while (count <= s)
            count *= 2;
        p->by_sock = realloc(p->by_sock, count * sizeof *p->by_sock);
        assert(p->by_sock);
        memset(p->by_sock + p->by_sock_count, 0, (count - p->by_sock_count) * sizeof *p->by_sock);
        p->by_sock_count = count;
    }
    p->by_sock[s] = l;
    l->sock = s;
}

static void detach(struct line *l)
{
    l->p->by_sock[l->sock] = NULL;
    l->sock = 0;
}

/* ---- events ---- */

static void take_bytes(struct line *l, const uint8_t *data, size_t len)
{
    if (l->in_from && l->in_from + l->in_len + len > l->in_cap) {
        memmove(l->in, l->in + l->in_from, l->in_len);
        l->in_from = 0;
    }
    if (l->in_len + len > l->in_cap) {
        while (l->in_len + len > l->in_cap)
            l->in_cap = l->in_cap ? 2 * l->in_cap : READ_CHUNK;
        l->in = realloc(l->in, l->in_cap);
        assert(l->in);
    }
    memcpy(l->in + l->in_from + l->in_len, data, len);
    l->in_len += len;
    l->in_t_ns = probe_now(l->p);
    transcript_bytes(l, RECORD_CAME, &l->remote, data, len);
}

static void read_all(struct line *l)
{
    static uint8_t chunk[READ_CHUNK]; /* only within this function, which nothing enters twice */
    bool eof = false;
    while (l->sock && !l->paused && !l->fin) {
        size_t n = ops_of(l)->tcp_recv(net_of(l), l->sock, chunk, sizeof chunk, &eof);
        if (n)
            take_bytes(l, chunk, n);
        if (eof) {
            l->fin = true;
            transcript_note(l, "the other side has ended (FIN)");
        }
        if (n == 0)
            return;
    }
}

static void take_datagram(struct line *l, const struct net_event *ev)
{
    struct parcel *d = probe_alloc(l->p, sizeof *d + ev->len);
    uint8_t *bytes = (uint8_t *)(d + 1);
    if (ev->len)
        memcpy(bytes, ev->data, ev->len);
    *d = (struct parcel){.from = ev->remote, .t_ns = probe_now(l->p), .len = ev->len, .data = bytes};
    *l->parcel_tail = d;
    l->parcel_tail = &d->next;
    transcript_bytes(l, RECORD_CAME, &ev->remote, ev->data, ev->len);
}

static void accepted(struct probe *p, struct line *listener, const struct net_event *ev)
{
    struct line *l = line_new(p, KIND_STREAM, listener->at);
    attach(l, ev->accepted);
    l->listener = listener;
    l->connected = true;
    l->local = ev->local;
    l->remote = ev->remote;
    transcript_note(l, "a connection has come in");
}

static void gone(struct line *l, const struct net_event *ev)
{
    l->err = ev->err;
    l->failed = ev->kind == NET_FAILED;
    l->reset = ev->kind == NET_CLOSED && ev->err != 0;
    transcript_note(l, l->failed ? err_text(ev->err) : l->reset ? "reset by the other side (RST)" : "closed");
    detach(l);
}

void probe_event(void *probe, const struct net_event *ev)
{
    struct probe *p = probe;
    struct line *l = ev->sock < p->by_sock_count ? p->by_sock[ev->sock] : NULL;
    if (!l)
        return;
    switch (ev->kind) {
    case NET_ACCEPTED:
        accepted(p, l, ev);
        break;
    case NET_CONNECTED:
        l->connected = true;
        l->local = ev->local;
        l->remote = ev->remote;
        transcript_note(l, "connected");
        break;
    case NET_READABLE:
        read_all(l);
        break;
    case NET_WRITABLE:
        break;
    case NET_FAILED:
    case NET_CLOSED:
        gone(l, ev);
        break;
    case NET_DATAGRAM:
        take_datagram(l, ev);
        break;
    case NET_ICMP:
        l->icmp++;
        transcript_note(l, "an ICMP error has come in");
        break;
    }
    p->woken = true;
    p->bench->net->ops->stop(p->bench->net);
}

/* ---- having them ---- */

static struct endpoint any_port(const struct probe *p, enum place at, int family)
{
    return (struct endpoint){.ip = probe_ip(p, at, family)};
}

struct line *probe_begin_dial(struct probe *p, enum place from, const struct endpoint *to)
{
    struct endpoint local = any_port(p, from, to->ip.family);
    return probe_begin_dial_at(p, from, &local, to);
}

struct line *probe_begin_dial_at(struct probe *p, enum place from, const struct endpoint *local,
                                 const struct endpoint *to)
{
    struct line *l = line_new(p, KIND_STREAM, from);
    l->local = *local;
    l->remote = *to;
    net_sock s = 0;
    l->err = ops_of(l)->tcp_connect(net_of(l), p->bench->node[from], &l->local, to, &s);
    l->failed = l->err != 0;
    if (s && !l->err)
        attach(l, s);
    transcript_note(l, l->failed ? err_text(l->err) : "connects");
    return l;
}

static bool is_settled(void *arg)
{
    const struct line *l = arg;
    return l->connected || l->failed;
}

bool line_connected(struct line *l, uint64_t ns)
{
    probe_until(l->p, is_settled, l, probe_now(l->p) + ns);
    return l->connected;
}

struct line *probe_dial_to(struct probe *p, enum place from, const struct endpoint *to)
{
    struct line *l = probe_begin_dial(p, from, to);
    if (!line_connected(l, probe_soon(p)) && !l->failed) {
        line_reset(l);
        l->failed = true;
        l->err = E_TIMED_OUT;
    }
    return l;
}

struct line *probe_dial(struct probe *p, enum place from)
{
    struct endpoint to = probe_server(p, PROTO_TCP, IP_V4);
    if (!to.port)
        probe_skip(p, "the server does not serve clients over TCP");
    struct line *l = probe_dial_to(p, from, &to);
    if (l->failed)
        probe_fail(p, "the server could not be reached over TCP: %s", err_text(l->err));
    return l;
}

/* A socket at that address; port 0: at one that is free. No event tells of a port that the system chooses, so it does
 * not. */
static struct line *open_at(struct probe *p, enum line_kind kind, enum place at, const struct endpoint *local)
{
    struct line *l = line_new(p, kind, at);
    const struct net_ops *ops = ops_of(l);
    l->local = *local;
    l->remote = kind == KIND_UDP ? probe_server(p, PROTO_UDP, local->ip.family) : (struct endpoint){0};
    net_sock s = 0;
    int err = E_EXISTS;
    for (int i = 0; err == E_EXISTS && i < (local->port ? 1 : PORTS_TRIED); i++) {
        l->local.port = local->port ? local->port : p->next_port++;
        err = (kind == KIND_UDP ? ops->udp_open : ops->tcp_listen)(net_of(l), p->bench->node[at], &l->local, &s);
    }
    if (err) {
        char where[ENDPOINT_TEXT];
        probe_skip(p, "the probe can have no socket at %s: %s", endpoint_text(&l->local, where), err_text(err));
    }
    attach(l, s);
    if (kind == KIND_LISTENER && p->silent[at])
        line_deafen(l, true);
    return l;
}

void line_deafen(struct line *l, bool deaf)
{
    struct bench *b = l->p->bench;
    if (b->deafen && b->deafen(b, l->sock, deaf) != 0)
        probe_skip(l->p, "this machine cannot keep a listener from answering");
}

struct line *probe_udp(struct probe *p, enum place at, int family)
{
    return open_at(p, KIND_UDP, at, &(struct endpoint){.ip = probe_ip(p, at, family)});
}

struct line *probe_udp_at(struct probe *p, enum place at, const struct endpoint *local)
{
    return open_at(p, KIND_UDP, at, local);
}

struct line *probe_listen(struct probe *p, enum place at, int family)
{
    return open_at(p, KIND_LISTENER, at, &(struct endpoint){.ip = probe_ip(p, at, family)});
}

struct line *probe_listen_at(struct probe *p, enum place at, const struct endpoint *local)
{
    return open_at(p, KIND_LISTENER, at, local);
}

struct endpoint probe_closed_port(struct probe *p, enum place at, int family)
{
    struct line *tcp = probe_listen(p, at, family);
    struct endpoint e = tcp->local;
    line_close(tcp);
    return e;
}

static struct line *next_accepted(const struct line *listener)
{
    for (struct line *l = listener->p->lines; l; l = l->next)
        if (l->listener == listener && !l->taken)
            return l;
    return NULL;
}

static bool has_accepted(void *arg)
{
    return next_accepted(arg) != NULL;
}

struct line *probe_accept(struct probe *p, struct line *listener, uint64_t ns)
{
    if (!probe_until(p, has_accepted, listener, probe_now(p) + ns))
        return NULL;
    struct line *l = next_accepted(listener);
    l->taken = true;
    return l;
}

struct endpoint line_local(const struct line *l)
{
    return l->local;
}

struct endpoint line_remote(const struct line *l)
{
    return l->remote;
}

unsigned line_icmp(const struct line *l)
{
    return l->icmp;
}

int line_err(const struct line *l)
{
    return l->err;
}

/* ---- sending ---- */

size_t line_offer(struct line *l, const void *data, size_t len)
{
    if (!l->sock || !l->connected)
        return 0;
    size_t n = ops_of(l)->tcp_send(net_of(l), l->sock, data, len);
    if (n)
        transcript_bytes(l, RECORD_SENT, &l->remote, data, n);
    return n;
}

struct sending {
    struct line *line;
    const uint8_t *data;
    size_t len;
};

static bool all_sent(void *arg)
{
    struct sending *s = arg;
    size_t n = line_offer(s->line, s->data, s->len);
    s->data += n;
    s->len -= n;
    return s->len == 0 || !s->line->sock;
}

void line_send(struct line *l, const void *data, size_t len)
{
    if (l->kind == KIND_UDP) {
        line_send_to(l, &l->remote, data, len);
        return;
    }
    struct sending s = {l, data, len};
    if (!probe_until(l->p, all_sent, &s, probe_now(l->p) + 20 * probe_soon(l->p)))
        probe_fail(l->p, "of %zu bytes that were sent, %zu were never taken", len, s.len);
}

void line_send_to(struct line *l, const struct endpoint *to, const void *data, size_t len)
{
    assert(l->kind == KIND_UDP);
    transcript_bytes(l, RECORD_SENT, to, data, len);
    ops_of(l)->udp_send(net_of(l), l->sock, to, data, len); /* what is not sent is not answered */
}

void line_pause(struct line *l, bool paused)
{
    l->paused = paused;
    read_all(l);
}

void line_end(struct line *l)
{
    if (l->sock && l->connected)
        ops_of(l)->tcp_shutdown(net_of(l), l->sock);
    transcript_note(l, "ends its side (FIN)");
}

void line_close(struct line *l)
{
    if (!l->sock)
        return;
    net_sock s = l->sock;
    detach(l);
    ops_of(l)->sock_close(net_of(l), s);
    if (l->kind == KIND_STREAM)
        transcript_note(l, "closes (FIN)");
}

void line_reset(struct line *l)
{
    if (!l->sock)
        return;
    net_sock s = l->sock;
    detach(l);
    ops_of(l)->tcp_abort(net_of(l), s);
    transcript_note(l, "resets (RST)");
}

/* ---- receiving ---- */

enum line_state line_state_now(struct line *l)
{
    return l->failed ? LINE_FAILED : l->reset ? LINE_RST : l->fin || (!l->sock && l->connected) ? LINE_FIN : LINE_OPEN;
}

static bool has_ended(void *arg)
{
    return line_state_now(arg) != LINE_OPEN;
}

enum line_state line_ended(struct line *l, uint64_t ns)
{
    probe_until(l->p, has_ended, l, probe_now(l->p) + ns);
    return line_state_now(l);
}

struct reading {
    struct line *line;
    size_t len;
};

static bool has_bytes(void *arg)
{
    const struct reading *r = arg;
    return r->line->in_len >= r->len || line_state_now(r->line) != LINE_OPEN;
}

static size_t take(struct line *l, void *buf, size_t cap)
{
    size_t n = l->in_len < cap ? l->in_len : cap;
    if (n)
        memcpy(buf, l->in + l->in_from, n);
    l->in_from += n;
    l->in_len -= n;
    return n;
}

size_t line_read(struct line *l, void *buf, size_t cap, uint64_t ns)
{
    struct reading r = {l, 1};
    probe_until(l->p, has_bytes, &r, probe_now(l->p) + ns);
    return take(l, buf, cap);
}

bool line_read_all(struct line *l, void *buf, size_t len, uint64_t ns)
{
    struct reading r = {l, len};
    probe_until(l->p, has_bytes, &r, probe_now(l->p) + ns);
    return l->in_len >= len && take(l, buf, len) == len;
}

size_t line_waiting(const struct line *l)
{
    return l->in_len;
}

static bool has_datagram(void *arg)
{
    const struct line *l = arg;
    return l->parcel != NULL;
}

long line_datagram(struct line *l, void *buf, size_t cap, struct endpoint *from, uint64_t ns)
{
    if (!probe_until(l->p, has_datagram, l, probe_now(l->p) + ns))
        return -1;
    struct parcel *d = line_unpack(l);
    if (from)
        *from = d->from;
    memcpy(buf, d->data, d->len < cap ? d->len : cap);
    return (long)d->len;
}

struct parcel *line_unpack(struct line *l)
{
    struct parcel *d = l->parcel;
    if (d && !(l->parcel = d->next))
        l->parcel_tail = &l->parcel;
    return d;
}
