/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/relay/metrics.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/base/time.h"

enum { REQUEST_MAX = 8192, CLIENTS_MAX = 16, PAGE_MAX = 8192 };
#define REQUEST_TIME_NS (5 * NS_S)

static const struct counter {
    const char *name, *type, *help;
    size_t offset;
    bool wide; /* 64 bits */
} counters[] = {
#define GAUGE(member, help) {#member, "gauge", help, offsetof(struct turn_stats, member), false}
#define COUNTER(member, help) {#member, "counter", help, offsetof(struct turn_stats, member), true}
    GAUGE(allocations, "Allocations alive"),
    GAUGE(reservations, "Ports reserved for a later Allocate"),
    GAUGE(permissions, "Permissions alive"),
    GAUGE(channels, "Channels bound"),
    GAUGE(pending, "Peer connections that wait for ConnectionBind"),
    GAUGE(bound, "Pairs of connections that are relayed"),
    GAUGE(clients, "Client TCP connections"),
    COUNTER(allocated_ever, "Allocations made"),
    COUNTER(refused_ever, "Requests refused"),
    COUNTER(to_peers, "Datagrams relayed to peers"),
    COUNTER(to_peers_bytes, "Payload relayed to peers in datagrams"),
    COUNTER(to_clients, "Datagrams relayed to clients"),
    COUNTER(to_clients_bytes, "Payload relayed to clients in datagrams"),
    COUNTER(dropped, "Datagrams dropped"),
};

void metrics_add(struct turn_stats *sum, const struct turn_stats *s)
{
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
        const struct counter *c = &counters[i];
        void *to = (char *)sum + c->offset;
        const void *from = (const char *)s + c->offset;
        if (c->wide)
            *(uint64_t *)to += *(const uint64_t *)from;
        else
            *(uint32_t *)to += *(const uint32_t *)from;
    }
}

size_t metrics_text(const struct turn_stats *s, char *out, size_t cap)
{
    struct text t = text_of(out, cap);
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
        const struct counter *c = &counters[i];
        const void *at = (const char *)s + c->offset;
        uint64_t value = c->wide ? *(const uint64_t *)at : *(const uint32_t *)at;
        const char *total = c->wide ? "_total" : "";
        text_add(&t, "# HELP turnproof_relay_%s%s %s\n", c->name, total, c->help);
        text_add(&t, "# TYPE turnproof_relay_%s%s %s\n", c->name, total, c->type);
        text_add(&t, "turnproof_relay_%s%s %" PRIu64 "\n", c->name, total, value);
    }
    return strlen(out);
}

struct client {
    io_id id; /* IO_NONE: free */
    size_t have;
    uint64_t until_ns;
    char line[64]; /* as much of the request as decides */
    uint32_t tail; /* the last bytes, to see the empty line */
};

struct metrics {
    struct io *io;
    struct endpoint listen;
    void (*read)(void *ctx, struct turn_stats *out);
    void *ctx;
    struct client client[CLIENTS_MAX];
};

static struct client *client_of(struct metrics *m, io_id id)
{
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        if (m->client[i].id == id)
            return &m->client[i];
    return NULL;
}

static void answer(struct metrics *m, const struct client *c)
{
    bool known = strncmp(c->line, "GET /metrics ", 13) == 0;
    char page[PAGE_MAX], head[200];
    struct turn_stats s;
    m->read(m->ctx, &s);
    size_t len = known ? metrics_text(&s, page, sizeof page)
                       : (size_t)snprintf(page, sizeof page, "The counters are at /metrics.\n");
    size_t n = (size_t)snprintf(head, sizeof head,
                                "HTTP/1.0 %s\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: %zu\r\n"
                                "Connection: close\r\n\r\n", known ? "200 OK" : "404 Not Found", len);
    io_send(m->io, c->id, head, n, NULL);
    io_send(m->io, c->id, page, len, NULL);
    io_close(m->io, c->id);
}

/* Empty line seen: the request is whole; what it says beyond its first line does not matter. */
static void take(struct metrics *m, struct client *c, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (c->have + 1 < sizeof c->line)
            c->line[c->have] = (char)data[i];
        c->have++;
        c->tail = c->tail << 8 | data[i];
        bool whole = c->tail == 0x0d0a0d0a || (c->tail & 0xffff) == 0x0a0a;
        if (!whole && c->have < REQUEST_MAX)
            continue;
        if (whole)
            answer(m, c);
        else
            io_abort(m->io, c->id);
        c->id = IO_NONE;
        return;
    }
}

static void accept_client(struct metrics *m, io_id id)
{
    struct client *c = client_of(m, IO_NONE);
    if (!c) {
        io_abort(m->io, id);
        return;
    }
    *c = (struct client){.id = id, .until_ns = io_now(m->io) + REQUEST_TIME_NS};
    io_read(m->io, id, true);
}

static void expire(struct metrics *m)
{
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        if (m->client[i].id && m->client[i].until_ns <= io_now(m->io)) {
            io_abort(m->io, m->client[i].id);
            m->client[i].id = IO_NONE;
        }
}

static void input(void *self, const struct io_in *in)
{
    struct metrics *m = self;
    struct client *c = in->id ? client_of(m, in->id) : NULL;
    if (in->event == IO_START)
        io_listen(m->io, 0, &m->listen);
    else if (in->event == IO_ACCEPTED)
        accept_client(m, in->id);
    else if (in->event == IO_TICK)
        expire(m);
    else if (in->event == IO_FAILED)
        io_fail(m->io, &in->local, "the metrics page cannot be served: %s", err_text(in->err));
    else if (c && in->event == IO_DATA)
        take(m, c, in->data, in->len);
    else if (c && in->event == IO_EOF) {
        io_close(m->io, c->id);
        c->id = IO_NONE;
    } else if (c && in->event == IO_CLOSED)
        c->id = IO_NONE;
}

static uint64_t deadline(const void *self)
{
    const struct metrics *m = self;
    uint64_t at = TIME_NEVER;
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        if (m->client[i].id)
            at = time_min(at, m->client[i].until_ns);
    return at;
}

int metrics_new(struct io *io, const struct endpoint *listen, void (*read)(void *ctx, struct turn_stats *out),
                void *ctx, struct core *out)
{
    static const struct core_ops ops = {input, deadline, free};
    struct metrics *m = calloc(1, sizeof *m);
    if (!m)
        return E_NOMEM;
    *m = (struct metrics){.io = io, .listen = *listen, .read = read, .ctx = ctx};
    *out = (struct core){&ops, m, io};
    return 0;
}
