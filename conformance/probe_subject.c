/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client that is judged: our TURN client, with an application that does what the probe wishes. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/probe_parts.h"
#include "models/base/err.h"
#include "models/turn/turn_client.h"
#include "sim/host/host.h"

enum { WISHES = 16, TOLDS = TOLD_ICMP + 1, DATA_CONNECTIONS = 16, RECEIVED_MAX = 65536 };

struct data_connection {
    io_id id;
    uint32_t connection;
};

struct subject {
    struct probe *p;
    struct io *io;
    struct host *host;
    struct turn_client *client;
    struct wish wish[WISHES];
    size_t wish_count;
    unsigned told[TOLDS];
    struct data_connection data[DATA_CONNECTIONS];
    size_t data_count;
    size_t received;
    uint8_t in[RECEIVED_MAX];
};

/* ---- what it is told ---- */

static void receive(struct subject *s, const uint8_t *data, size_t len)
{
    size_t room = sizeof s->in - s->received, n = len < room ? len : room;
    if (n)
        memcpy(s->in + s->received, data, n);
    s->received += n;
}

static void bound(struct subject *s, const struct turn_client_event *ev)
{
    assert(s->data_count < DATA_CONNECTIONS);
    s->data[s->data_count++] = (struct data_connection){ev->data, ev->connection};
    io_read(s->io, ev->data, true);
    receive(s, ev->bytes, ev->bytes_len);
}

static void tell(struct subject *s, const struct turn_client_event *ev)
{
    static const int told[] = {
        [TURN_CLIENT_ALLOCATED] = TOLD_ALLOCATED, [TURN_CLIENT_REFUSED] = TOLD_REFUSED,
        [TURN_CLIENT_GONE] = TOLD_GONE,           [TURN_CLIENT_INCOMING] = TOLD_INCOMING,
        [TURN_CLIENT_BOUND] = TOLD_BOUND,         [TURN_CLIENT_PEER_FAILED] = TOLD_PEER_FAILED,
        [TURN_CLIENT_PERMITTED] = -1,             [TURN_CLIENT_CHANNEL] = -1,
        [TURN_CLIENT_DATAGRAM] = TOLD_DATAGRAM,   [TURN_CLIENT_ICMP] = TOLD_ICMP,
    };
    if (ev->kind == TURN_CLIENT_BOUND)
        bound(s, ev);
    if (ev->kind == TURN_CLIENT_DATAGRAM)
        receive(s, ev->bytes, ev->bytes_len);
    if (told[ev->kind] >= 0)
        s->told[told[ev->kind]]++;
}

/* ---- what it is asked for ---- */

static void allocate_now(struct subject *s, const struct wish *w)
{
    const struct bench *b = s->p->bench;
    bool over_udp = w->kind == WISH_ALLOCATE_UDP_OVER_UDP;
    struct turn_client_config cfg = {
        .profile = &turn_client_plain, .server = over_udp ? b->udp[0] : b->tcp[0], .user = b->user[0].name,
        .password = b->user[0].password, .udp_relay = w->kind != WISH_ALLOCATE_TCP, .over_udp = over_udp,
        .family = (uint8_t)w->family,
    };
    turn_client_free(s->client);
    s->client = turn_client_new(s->io, 1, &cfg);
    assert(s->client);
    turn_client_start(s->client);
}

static void close_data(struct subject *s, uint32_t connection)
{
    for (size_t i = 0; i < s->data_count; i++)
        if (s->data[i].connection == connection || connection == 0)
            io_close(s->io, s->data[i].id);
}

static void grant(struct subject *s, const struct wish *w)
{
    switch (w->kind) {
    case WISH_ALLOCATE_TCP:
    case WISH_ALLOCATE_UDP:
    case WISH_ALLOCATE_UDP_OVER_UDP:
        allocate_now(s, w);
        return;
    case WISH_PERMIT:
        turn_client_permit(s->client, &w->peer.ip, 1);
        return;
    case WISH_CONNECT:
        turn_client_connect(s->client, &w->peer);
        return;
    case WISH_ACCEPT:
        turn_client_accept(s->client, w->connection);
        return;
    case WISH_CHANNEL:
        turn_client_channel(s->client, &w->peer);
        return;
    case WISH_SEND:
        turn_client_send(s->client, &w->peer, w->data, w->len);
        return;
    case WISH_RELEASE:
        turn_client_release(s->client);
        return;
    case WISH_CLOSE_DATA:
        close_data(s, w->connection);
        return;
    case WISH_SEND_DATA:
        if (s->data_count)
            io_send(s->io, s->data[s->data_count - 1].id, w->data, w->len, NULL);
        return;
    }
}

/* ---- as a core ---- */

static void input(void *self, const struct io_in *in)
{
    struct subject *s = self;
    for (size_t i = 0; i < s->data_count; i++)
        if (in->id == s->data[i].id && in->event == IO_DATA)
            receive(s, in->data, in->len);
        else if (in->id == s->data[i].id && in->event == IO_EOF)
            io_close(s->io, in->id);
    if (s->client)
        turn_client_input(s->client, in);
    for (size_t i = 0; i < s->wish_count; i++)
        grant(s, &s->wish[i]);
    s->wish_count = 0;
    struct turn_client_event ev;
    while (s->client && turn_client_poll(s->client, &ev))
        tell(s, &ev);
}

static uint64_t deadline(const void *self)
{
    const struct subject *s = self;
    return s->wish_count ? 0 : s->client ? turn_client_deadline(s->client) : TIME_NEVER;
}

static const struct core_ops subject_ops = {input, deadline, NULL};

struct host *subject_host(void *probe, struct net *net)
{
    struct probe *p = probe;
    struct subject *s = calloc(1, sizeof *s);
    if (!s || !(s->io = io_new("client1", rng_u64(&p->rng)))) {
        free(s);
        return NULL;
    }
    s->p = p;
    p->subject = s;
    s->host = host_new(net, &(struct core){&subject_ops, s, s->io}, NULL);
    return s->host;
}

void subject_free(struct subject *s)
{
    if (!s)
        return;
    turn_client_free(s->client);
    io_free(s->io);
    free(s);
}

/* ---- for probes ---- */

void subject_wish(struct probe *p, const struct wish *w)
{
    struct subject *s = p->subject;
    assert(s && s->wish_count < WISHES);
    bool allocates = w->kind <= WISH_ALLOCATE_UDP_OVER_UDP;
    assert((allocates || s->client || s->wish_count) && "first it allocates");
    struct wish *copy = &s->wish[s->wish_count++];
    *copy = *w;
    if (w->len) {
        void *data = probe_alloc(p, w->len);
        copy->data = memcpy(data, w->data, w->len);
    }
    host_event(s->host, NULL); /* nothing has happened, but the deadline is another */
}

struct awaited {
    const struct subject *s;
    enum told what;
    size_t received;
};

static bool is_told(void *arg)
{
    const struct awaited *a = arg;
    return a->s->told[a->what] > 0;
}

static bool has_received(void *arg)
{
    const struct awaited *a = arg;
    return a->s->received >= a->received;
}

/* The probe hears nothing of what the client tells its application: it looks now and then. */
static bool await(struct probe *p, bool (*holds)(void *arg), struct awaited *a, uint64_t ns)
{
    uint64_t end = probe_now(p) + ns;
    while (!probe_until(p, holds, a, time_min(end, probe_now(p) + NS_MS)))
        if (probe_now(p) >= end)
            return false;
    return true;
}

bool subject_told(struct probe *p, enum told what, uint64_t ns)
{
    return await(p, is_told, &(struct awaited){.s = p->subject, .what = what}, ns);
}

unsigned subject_times(const struct probe *p, enum told what)
{
    return p->subject->told[what];
}

void subject_send_data(struct probe *p, const void *data, size_t len)
{
    subject_wish(p, &(struct wish){.kind = WISH_SEND_DATA, .data = data, .len = len});
}

bool subject_received(struct probe *p, void *buf, size_t len, uint64_t ns)
{
    struct subject *s = p->subject;
    if (!await(p, has_received, &(struct awaited){.s = s, .received = len}, ns))
        return false;
    memcpy(buf, s->in, len);
    s->received -= len;
    memmove(s->in, s->in + len, s->received);
    return true;
}
