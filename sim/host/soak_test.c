/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hours of a busy relay in virtual time: SOAK_ALLOCATIONS clients (300, with a sanitizer 100) with data flowing for
 * SOAK_MINUTES (30), then all leave. A quarter of them each: ChannelData over UDP; ChannelData over TCP; Send and Data
 * over UDP; RFC 6062 connections, dialled by either side in turn. Every INTERVAL_NS a client sends a message that its
 * peer echoes: 8 to 1207 bytes a datagram, 1 to 4095 on a stream; every CHUNKS messages a stream is ended, by either
 * side in turn, and another made. Clients are the real ones, so allocations, permissions, channels and nonces are
 * renewed as in use. Every fourth comes and goes: after 5 to 35 minutes it ends by Refresh 0, by closing, by falling
 * silent, or by closing with messages under way, and comes back later.
 *
 * Links lose nothing, so all that is sent has to arrive, once and in order, and the relay's counters have to say the
 * same as both ends; at the end its tables are empty, and in the whole world no timer is left. */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/time.h"
#include "models/testkit/testkit.h"
#include "models/turn/turn.h"
#include "models/turn/turn_client.h"
#include "sim/host/host.h"
#include "sim/posix/rig_kit.h"

enum { A_HOST = 250, PEERS = 4, PORT = 7000, PORTS = 4, CHUNKS = 20, HEADER = 8, DATAGRAM = 1200, CHUNK = 4095,
       CYCLE = 65521, BUFFER = 16384,
       KEPT = 256 * 1024, KEPT_EACH = 1024, KEPT_IN_HOST = 64, RESIDENT_KIB = 32 * 1024, RESIDENT_EACH_KIB = 128 };
#define INTERVAL_NS (10 * NS_S)
#define ARRIVE_NS (60 * NS_S)   /* they all come within this time */
#define SETTLE_NS (2 * NS_S)    /* by then what was under way has arrived */
#define FORGOTTEN_NS (700 * NS_S) /* a lifetime, and the time of a connection without an allocation */

enum kind { BY_CHANNEL, BY_CHANNEL_OVER_TCP, BY_INDICATION, BY_STREAM, KINDS };
/* BETWEEN two streams; HERE: with data flowing; QUIET: about to leave, nothing more is sent. */
enum state { AWAY, COMING, BETWEEN, DIALLING, HERE, QUIET };
enum leave { LEAVE_REFRESH, LEAVE_CLOSE, LEAVE_SILENT, LEAVE_ABRUPT, LEAVES };

struct session {
    struct party *party;
    unsigned name, owner;
    enum kind kind;
    enum state state;
    enum leave leave;
    struct turn_client *client;
    io_id control;
    struct endpoint peer, relayed;
    uint64_t next_ns, leave_ns;
    uint64_t sent, heard, echoed; /* datagrams in all; bytes of the present stream */
    io_id data, peer_data;        /* ends of the stream */
    unsigned streams, chunks;
    struct session *next_dial;
};

/* A host: of clients, or a peer (no sessions). */
struct party {
    struct soak *soak;
    struct io *io;
    struct host *host;
    char name[16];
    struct ip_addr ip;
    struct session *session[A_HOST];
    uint64_t due_ns[A_HOST];
    size_t count;
    struct rng rng;
    struct session *dial; /* a peer: whom it is to call */
};

struct totals {
    uint64_t sent, sent_bytes, heard, heard_bytes, echoed, echoed_bytes, abandoned;
    uint64_t stream_bytes, streams, refused, lives, left[LEAVES];
};

/* When memory is looked at: after half an hour at most, half-way to the end, at it, and when all have left. */
enum { BUILT, SETTLED, HALF, END, LEFT, MARKS };
static const char *const mark_name[MARKS] = {"at first", "when settled", "half-way", "at the end", "all gone"};

struct memory {
    size_t heap;
    long resident_kib;
};

struct soak {
    struct net *net;
    struct io *io;
    struct turn *turn;
    struct host *host;
    struct party *user, peer[PEERS];
    size_t users, sessions;
    struct session *session, *by_port[2][65536]; /* by relayed port: UDP, TCP */
    struct totals is;
    uint64_t end_ns;
};

#ifdef __SANITIZE_ADDRESS__ /* which is slow, and has a heap of its own */
enum { ALLOCATIONS = 100, OWN_HEAP = true };
#else
enum { ALLOCATIONS = 300, OWN_HEAP = false };
#endif

static uint8_t bytes[CYCLE + BUFFER];

static const uint8_t *bytes_at(const struct session *s, uint64_t at)
{
    return bytes + (s->name * UINT64_C(2654435761) + s->streams * UINT64_C(40503) + at) % CYCLE;
}

/* ---- datagrams ---- */

/* Name and number, then bytes that no other has there. */
static size_t datagram_of(const struct session *s, uint64_t number, uint8_t *out)
{
    size_t len = (number * 37 + s->name) % DATAGRAM;
    store32(out, s->name);
    store32(out + 4, (uint32_t)number);
    memcpy(out + HEADER, bytes_at(s, number), len);
    return HEADER + len;
}

static void expect_datagram(const struct session *s, uint64_t number, const uint8_t *data, size_t len)
{
    uint8_t want[HEADER + DATAGRAM];
    if (len != datagram_of(s, number, want) || memcmp(want, data, len) != 0)
        fail_msg("session %u: not its datagram %llu", s->name, (unsigned long long)number);
}

static void send_datagram(struct session *s)
{
    uint8_t out[HEADER + DATAGRAM];
    struct totals *is = &s->party->soak->is;
    size_t len = datagram_of(s, s->sent++, out);
    is->sent++;
    is->sent_bytes += len;
    assert_int_equal(turn_client_send(s->client, &s->peer, out, len), 0);
}

static void datagram_back(struct session *s, const struct turn_client_event *ev)
{
    struct totals *is = &s->party->soak->is;
    assert_true(endpoint_equal(&ev->peer, &s->peer));
    expect_datagram(s, s->echoed++, ev->bytes, ev->bytes_len);
    is->echoed++;
    is->echoed_bytes += ev->bytes_len;
}

/* ---- streams ---- */

static void new_stream(struct session *s)
{
    assert_true(s->data == IO_NONE && s->peer_data == IO_NONE);
    s->sent = s->heard = s->echoed = 0;
    s->chunks = 0;
    s->state = DIALLING;
    s->next_ns = TIME_NEVER;
    s->party->soak->is.streams++;
    if (s->streams++ % 2) {
        s->peer.port = (uint16_t)(PORT + s->streams / 2 % PORTS); /* the last connection's may be in TIME_WAIT */
        assert_int_equal(turn_client_connect(s->client, &s->peer), 0);
        return;
    }
    struct party *peer = &s->party->soak->peer[s->name / KINDS % PEERS];
    s->next_dial = peer->dial;
    peer->dial = s;
    host_event(peer->host, NULL); /* it looks at its deadline */
}

static bool peer_ends(const struct session *s)
{
    return s->streams / 2 % 2;
}

static void send_chunk(struct session *s)
{
    size_t len = 1 + rng_below(&s->party->rng, CHUNK);
    io_send(s->party->io, s->data, bytes_at(s, s->sent), len, NULL);
    s->sent += len;
    if (++s->chunks == CHUNKS) /* goes on when the stream has ended */
        s->next_ns = TIME_NEVER;
}

static void take(const struct session *s, uint64_t *at, const uint8_t *data, size_t len)
{
    assert_true(*at + len <= s->sent);
    if (len && memcmp(bytes_at(s, *at), data, len) != 0)
        fail_msg("session %u, stream %u: wrong bytes at %llu", s->name, s->streams, (unsigned long long)*at);
    *at += len;
}

static void all_is_back(const struct session *s)
{
    if (s->heard != s->sent || s->echoed != s->sent)
        fail_msg("session %u, stream %u: %llu sent, %llu arrived, %llu came back", s->name, s->streams,
                 (unsigned long long)s->sent, (unsigned long long)s->heard, (unsigned long long)s->echoed);
}

/* The client's end is over, in whatever way. */
static void stream_over(struct session *s)
{
    s->data = IO_NONE;
    if (s->state == AWAY)
        return;
    all_is_back(s);
    assert_true(s->state == HERE && s->chunks == CHUNKS);
    s->party->soak->is.stream_bytes += s->sent;
    s->state = BETWEEN;
    s->next_ns = io_now(s->party->io) + NS_S;
}

static void data_event(struct session *s, const struct io_in *in)
{
    if (in->event == IO_DATA)
        take(s, &s->echoed, in->data, in->len);
    bool ends = in->event == IO_EOF || (s->chunks == CHUNKS && s->echoed == s->sent && !peer_ends(s));
    if (ends)
        io_close(s->party->io, s->data);
    if (ends || in->event == IO_CLOSED)
        stream_over(s);
}

/* ---- clients come and go ---- */

static bool over_tcp(const struct session *s)
{
    return s->kind == BY_CHANNEL_OVER_TCP || s->kind == BY_STREAM;
}

static void come(struct session *s)
{
    struct turn_client_config cfg = {
        .profile = &turn_client_plain, .server = {kit_ip("10.0.0.1"), 3478}, .user = "u", .password = "p",
        .udp_relay = s->kind != BY_STREAM, .over_udp = !over_tcp(s)};
    assert_true(s->data == IO_NONE && s->peer_data == IO_NONE); /* the relay has ended them */
    s->client = turn_client_new(s->party->io, s->owner, &cfg);
    assert_non_null(s->client);
    s->heard = s->echoed = s->sent;
    s->state = COMING;
    s->next_ns = TIME_NEVER;
    bool stays = s->name / KINDS % 4;
    s->leave_ns = stays ? TIME_NEVER : io_now(s->party->io) + 300 * NS_S + rng_below(&s->party->rng, 1800 * NS_S);
    s->party->soak->is.lives++;
    turn_client_start(s->client);
}

static void fall_silent(struct session *s, bool abruptly)
{
    struct io *io = s->party->io;
    turn_client_free(s->client);
    s->client = NULL;
    if (abruptly)
        io_abort(io, s->control);
    if (abruptly && s->data)
        io_abort(io, s->data);
    if (abruptly)
        s->control = s->data = IO_NONE;
}

static void leave(struct session *s)
{
    struct io *io = s->party->io;
    struct totals *is = &s->party->soak->is;
    if (s->leave != LEAVE_ABRUPT)
        all_is_back(s);
    else if (s->kind != BY_STREAM)
        is->abandoned += s->sent - s->echoed;
    if (s->leave != LEAVE_ABRUPT && s->kind == BY_STREAM)
        is->stream_bytes += s->sent;
    is->left[s->leave]++;
    s->state = AWAY;
    s->next_ns = io_now(io) + FORGOTTEN_NS + rng_below(&s->party->rng, INTERVAL_NS);
    if (s->leave == LEAVE_REFRESH) {
        turn_client_release(s->client);
        s->control = IO_NONE;
        return;
    }
    if (s->leave == LEAVE_CLOSE || (s->leave == LEAVE_SILENT && !over_tcp(s))) { /* over UDP that is the same */
        io_close(io, s->control);
        s->control = IO_NONE;
    }
    fall_silent(s, s->leave == LEAVE_ABRUPT);
}

/* It is time for what comes next. */
static void act(struct session *s)
{
    uint64_t now = io_now(s->party->io), end = s->party->soak->end_ns;
    switch (s->state) {
    case AWAY:
        turn_client_free(s->client);
        s->client = NULL;
        s->next_ns = TIME_NEVER;
        if (now < end)
            come(s);
        break;
    case BETWEEN:
        new_stream(s);
        break;
    case HERE:
        s->next_ns = now + INTERVAL_NS;
        if (now >= s->leave_ns || now >= end) {
            s->leave = (enum leave)rng_below(&s->party->rng, LEAVES);
            s->state = QUIET;
            s->next_ns = now + SETTLE_NS;
        } else if (s->kind == BY_STREAM)
            send_chunk(s);
        else
            send_datagram(s);
        break;
    case QUIET:
        if (s->leave == LEAVE_ABRUPT && s->kind == BY_STREAM)
            send_chunk(s);
        else if (s->leave == LEAVE_ABRUPT)
            send_datagram(s);
        leave(s);
        break;
    case COMING:
    case DIALLING:
        fail_msg("session %u has nothing to do", s->name);
    }
}

/* ---- a host of clients ---- */

static void client_event(struct session *s, const struct turn_client_event *ev)
{
    switch (ev->kind) {
    case TURN_CLIENT_ALLOCATED:
        s->relayed = ev->relayed;
        s->party->soak->by_port[s->kind == BY_STREAM][ev->relayed.port] = s;
        if (s->kind == BY_CHANNEL || s->kind == BY_CHANNEL_OVER_TCP)
            assert_int_equal(turn_client_channel(s->client, &s->peer), 0);
        else
            assert_int_equal(turn_client_permit(s->client, &s->peer.ip, 1), 0);
        return;
    case TURN_CLIENT_PERMITTED: /* and each time that it is renewed */
    case TURN_CLIENT_CHANNEL:
        assert_true(ev->code == 0 && ev->err == 0);
        if (s->state != COMING)
            return;
        s->state = s->kind == BY_STREAM ? BETWEEN : HERE;
        s->next_ns = io_now(s->party->io) + rng_below(&s->party->rng, INTERVAL_NS);
        return;
    case TURN_CLIENT_INCOMING:
        assert_int_equal(turn_client_accept(s->client, ev->connection), 0);
        return;
    case TURN_CLIENT_BOUND:
        s->data = ev->data;
        io_read(s->party->io, s->data, true);
        take(s, &s->echoed, ev->bytes, ev->bytes_len);
        s->state = HERE;
        s->next_ns = io_now(s->party->io) + rng_below(&s->party->rng, INTERVAL_NS);
        return;
    case TURN_CLIENT_DATAGRAM:
        datagram_back(s, ev);
        return;
    case TURN_CLIENT_PEER_FAILED: /* another's relay port of a minute ago, whose connection is in TIME_WAIT */
        assert_int_equal(ev->code, 447);
        s->party->soak->is.refused++;
        s->party->soak->is.streams--;
        s->state = BETWEEN;
        s->next_ns = io_now(s->party->io) + INTERVAL_NS;
        return;
    default:
        fail_msg("session %u: client event %d, code %d, err %d", s->name, (int)ev->kind, ev->code, ev->err);
    }
}

static void session_input(struct session *s, const struct io_in *in)
{
    struct party *p = s->party;
    struct turn_client_event ev;
    if (in->event == IO_OPENED && s->control == IO_NONE)
        s->control = in->id;
    if (in->id && in->id == s->data)
        data_event(s, in);
    else if (s->client)
        turn_client_input(s->client, in);
    else if (in->id && in->id == s->control && (in->event == IO_EOF || in->event == IO_CLOSED)) { /* it was silent */
        io_close(p->io, s->control);
        s->control = IO_NONE;
    }
    while (s->client && turn_client_poll(s->client, &ev))
        client_event(s, &ev);
    if (io_now(p->io) >= s->next_ns)
        act(s);
    p->due_ns[s->owner] = time_min(s->next_ns, s->client ? turn_client_deadline(s->client) : TIME_NEVER);
}

static void user_input(void *self, const struct io_in *in)
{
    struct party *p = self;
    if (in->event == IO_START || in->event == IO_TICK) {
        for (size_t i = 0; i < p->count; i++)
            if (p->due_ns[i] <= io_now(p->io))
                session_input(p->session[i], in);
    } else
        session_input(p->session[io_owner(in->id)], in);
}

static uint64_t user_deadline(const void *self)
{
    const struct party *p = self;
    uint64_t at = TIME_NEVER;
    for (size_t i = 0; i < p->count; i++)
        at = time_min(at, p->due_ns[i]);
    return at;
}

/* ---- a peer ---- */

static void peer_stream(struct party *p, struct session *s, const struct io_in *in)
{
    if (in->event == IO_ACCEPTED)
        s->peer_data = in->id;
    bool own = s && s->peer_data == in->id;
    if (in->event == IO_ACCEPTED || (in->event == IO_OPENED && own))
        io_read(p->io, in->id, true);
    if (in->event == IO_DATA && own) {
        take(s, &s->heard, in->data, in->len);
        io_send(p->io, in->id, in->data, in->len, NULL);
    }
    bool ends = own && s->state != AWAY && s->chunks == CHUNKS && s->heard == s->sent && peer_ends(s);
    if (in->event == IO_EOF || ends)
        io_close(p->io, in->id);
    if (own && (in->event == IO_EOF || in->event == IO_CLOSED || ends))
        s->peer_data = IO_NONE;
}

static void peer_input(void *self, const struct io_in *in)
{
    struct party *p = self;
    struct soak *k = p->soak;
    struct session *s = in->remote.port ? k->by_port[in->event != IO_DATAGRAM][in->remote.port] : NULL;
    struct endpoint at = {p->ip, PORT};
    if (in->event == IO_START) {
        io_udp(p->io, 0, &at);
        for (; at.port < PORT + PORTS; at.port++)
            io_listen(p->io, 0, &at);
    }
    for (; p->dial; p->dial = p->dial->next_dial)
        p->dial->peer_data = io_connect(p->io, 0, NULL, &p->dial->relayed);
    if (in->event == IO_FAILED)
        fail_msg("%s: %d", p->name, in->err);
    if (in->event == IO_DATAGRAM) {
        assert_non_null(s);
        expect_datagram(s, s->heard++, in->data, in->len);
        k->is.heard++;
        k->is.heard_bytes += in->len;
        io_sendto(p->io, in->id, &in->remote, in->data, in->len, NULL);
    } else if (in->remote.port)
        peer_stream(p, s, in);
}

static uint64_t peer_deadline(const void *self)
{
    const struct party *p = self;
    return p->dial ? io_now(p->io) : TIME_NEVER;
}

/* ---- the world: hosts around a hub ---- */

static void relay_input(void *self, const struct io_in *in)
{
    turn_input(self, in);
}

static uint64_t relay_deadline(const void *self)
{
    return turn_deadline(self);
}

static const struct core_ops user_ops = {user_input, user_deadline, NULL}, peer_ops = {peer_input, peer_deadline, NULL},
                             relay_ops = {relay_input, relay_deadline, NULL};

/* The relay is 10.0.0.1, at port 0 of the hub, then come the peers, 10.0.1.N, and the clients, 10.0.2.N. */
static int hub(void *ctx, unsigned port, uint8_t *frame, size_t len)
{
    (void)ctx, (void)port, (void)len;
    const uint8_t *to = frame + 30;
    return to[2] == 0 ? 0 : to[2] == 1 ? to[3] : PEERS + to[3];
}

static struct host *add_host(struct soak *k, const struct core *core, struct ip_addr ip, net_node box)
{
    struct host *h = host_new(k->net, core, NULL);
    const struct net_ops *ops = k->net->ops;
    assert_non_null(h);
    struct net_node_spec spec = {.name = io_name(core->io), .kind = NET_HOST, .handler = host_event, .ctx = h,
                                 .tcp = {.send_buffer = BUFFER, .receive_buffer = BUFFER}};
    struct ip_prefix prefix = {ip, 16};
    net_node node = ops->node_add(k->net, &spec);
    struct net_iface_spec iface = {.node = node, .name = "eth0", .mac = {2, 0, 0, 1, ip.b[2], ip.b[3]},
                                   .prefix = &prefix, .prefix_count = 1};
    struct net_iface_spec other = {.node = box, .name = io_name(core->io), .mac = {2, 0, 0, 2, ip.b[2], ip.b[3]}};
    struct net_link_dir dir = {.rate_bps = UINT64_C(10000000000), .delay_ns = NS_MS, .queue_bytes = 64 << 20};
    struct net_link_spec link = {.name = io_name(core->io), .ab = dir, .ba = dir};
    link.a = (struct net_end){node, ops->iface_add(k->net, &iface)};
    link.b = (struct net_end){box, ops->iface_add(k->net, &other)};
    ops->link_add(k->net, &link);
    host_start(h, node, 0);
    return h;
}

static void party_open(struct soak *k, struct party *p, const struct core_ops *ops, unsigned net, unsigned number,
                       net_node box)
{
    p->soak = k;
    p->ip = ip_v4(0x0a000000 | net << 8 | number);
    snprintf(p->name, sizeof p->name, "%s%u", net == 1 ? "peer" : "user", number);
    p->io = io_new(p->name, 1);
    p->rng = io_rng(p->io, "soak");
    p->host = add_host(k, &(struct core){ops, p, p->io}, p->ip, box);
}

static struct turn *relay_new(struct soak *k)
{
    static const struct turn_user users[] = {{"u", "p"}};
    struct endpoint listen = kit_endpoint("10.0.0.1:3478");
    uint32_t n = (uint32_t)k->sessions;
    struct turn_config cfg = {.profile = &turn_strict, .realm = "soak", .users = users, .user_count = 1,
                              .listen = &listen, .listen_count = 1, .listen_udp = &listen, .listen_udp_count = 1,
                              .relay_ip4 = listen.ip, .first_port = 20000, .last_port = 39999,
                              .limits = turn_limits_default};
    cfg.limits.allocations = cfg.limits.user_allocations = n;
    cfg.limits.clients = 2 * n;
    return turn_new(k->io, 0, &cfg);
}

static struct soak *soak_new(size_t sessions, uint64_t end_ns)
{
    struct soak *k = test_calloc(1, sizeof *k);
    struct net_node_spec spec = {.name = "hub", .kind = NET_BOX, .box = hub};
    struct rng rng = rng_named(1, "soak");
    rng_fill(&rng, bytes, CYCLE);
    memcpy(bytes + CYCLE, bytes, BUFFER);
    k->sessions = sessions;
    k->users = (sessions + A_HOST - 1) / A_HOST;
    k->end_ns = end_ns;
    k->net = net_native.create(1);
    k->io = io_new("relay", 1);
    k->turn = relay_new(k);
    assert_non_null(k->turn);
    net_node box = k->net->ops->node_add(k->net, &spec);
    k->host = add_host(k, &(struct core){&relay_ops, k->turn, k->io}, kit_ip("10.0.0.1"), box);
    for (unsigned i = 0; i < PEERS; i++)
        party_open(k, &k->peer[i], &peer_ops, 1, i + 1, box);
    k->user = test_calloc(k->users, sizeof *k->user);
    k->session = test_calloc(sessions, sizeof *k->session);
    for (unsigned i = 0; i < k->users; i++)
        party_open(k, &k->user[i], &user_ops, 2, i + 1, box);
    for (unsigned i = 0; i < sessions; i++) {
        struct party *p = &k->user[i % k->users];
        uint64_t at = rng_below(&rng, ARRIVE_NS);
        k->session[i] = (struct session){.party = p, .name = i, .owner = (unsigned)p->count, .kind = i % KINDS,
                                         .peer = {k->peer[i / KINDS % PEERS].ip, PORT}, .next_ns = at};
        p->due_ns[p->count] = at;
        p->session[p->count++] = &k->session[i];
    }
    return k;
}

static void party_free(struct party *p)
{
    host_free(p->host);
    io_free(p->io);
}

static void soak_free(struct soak *k)
{
    k->net->ops->destroy(k->net);
    for (size_t i = 0; i < k->sessions; i++)
        turn_client_free(k->session[i].client);
    for (size_t i = 0; i < k->users; i++)
        party_free(&k->user[i]);
    for (size_t i = 0; i < PEERS; i++)
        party_free(&k->peer[i]);
    host_free(k->host);
    turn_free(k->turn);
    io_free(k->io);
    test_free(k->user);
    test_free(k->session);
    test_free(k);
}

/* ---- the test ---- */

static struct memory memory_now(void)
{
    struct mallinfo2 m = mallinfo2();
    return (struct memory){m.uordblks + m.hblkhd, rig_resident()};
}

static void counters_agree(const struct soak *k)
{
    struct turn_stats st;
    const struct totals *is = &k->is;
    turn_stats(k->turn, &st);
    assert_true(is->sent > 0 && is->stream_bytes > 0);
    assert_int_equal(is->sent, is->echoed + is->abandoned);
    assert_int_equal(st.to_peers, is->heard);
    assert_int_equal(st.to_peers_bytes, is->heard_bytes);
    assert_true(is->heard <= is->sent && is->heard + is->abandoned >= is->sent);
    assert_true(is->echoed <= st.to_clients && st.to_clients <= is->echoed + is->abandoned);
    assert_true(is->echoed_bytes <= st.to_clients_bytes &&
                st.to_clients_bytes <= is->echoed_bytes + is->abandoned * (HEADER + DATAGRAM));
    assert_true(st.dropped <= is->abandoned);
    assert_int_equal(st.allocated_ever, is->lives);
}

static void nothing_is_left(struct soak *k)
{
    struct turn_stats st;
    struct net_stats before, after;
    turn_stats(k->turn, &st);
    assert_int_equal(st.allocations + st.reservations + st.permissions + st.channels, 0);
    assert_int_equal(st.pending + st.bound + st.clients, 0);
    assert_int_equal(turn_deadline(k->turn), TIME_NEVER);
    k->net->ops->stats(k->net, &before);
    k->net->ops->run(k->net, TIME_NEVER);
    k->net->ops->stats(k->net, &after);
    assert_int_equal(before.events, after.events);
}

static unsigned long setting(const char *name, unsigned long otherwise)
{
    const char *s = getenv(name);
    return s ? strtoul(s, NULL, 10) : otherwise;
}

static void print(const struct soak *k, const struct memory *m)
{
    const struct totals *is = &k->is;
    print_message("#: soak: %zu clients, %" PRIu64 " simulated min: %" PRIu64 " datagrams and %" PRIu64
                  " streams (%" PRIu64 " refused, 447), %" PRIu64 " MiB each way; %" PRIu64
                  " allocations, ended by Refresh 0 %" PRIu64 ", close %" PRIu64 ", silence %" PRIu64
                  ", abruptly %" PRIu64 "\n",
                  k->sessions, k->end_ns / (60 * NS_S), is->sent, is->streams, is->refused,
                  (is->sent_bytes + is->stream_bytes) >> 20, is->lives, is->left[LEAVE_REFRESH],
                  is->left[LEAVE_CLOSE], is->left[LEAVE_SILENT], is->left[LEAVE_ABRUPT]);
    for (size_t i = 0; i < MARKS; i++)
        print_message("#: soak: %-14s %8zu KiB in use, %7ld KiB resident\n", mark_name[i], m[i].heap / 1024,
                      m[i].resident_kib);
}

/* Ports are drawn at random: that one comes back within TIME_WAIT, for the same peer's port, is rare. */
static void is_seldom_refused(const struct soak *k)
{
    assert_true(k->is.refused <= 2 + k->is.lives / 1000);
}

static void is_bounded(const struct soak *k, const struct memory *m)
{
    size_t hosts = k->users + PEERS + 1;
    assert_true(m[END].heap <= m[SETTLED].heap + m[SETTLED].heap / 10);
    assert_true(m[END].heap <= m[HALF].heap + m[HALF].heap / 50);
    assert_true(m[END].resident_kib <= (long)(RESIDENT_KIB + k->sessions * RESIDENT_EACH_KIB));
    /* However many came and went: tables keep the size that they grew to, each host's one of the world's sockets. */
    assert_true(m[LEFT].heap <= m[BUILT].heap + KEPT + k->sessions * (KEPT_EACH + hosts * KEPT_IN_HOST));
}

static void clients_come_and_go_for_hours(void **state)
{
    (void)state;
    size_t sessions = setting("SOAK_ALLOCATIONS", ALLOCATIONS);
    uint64_t end = setting("SOAK_MINUTES", 30) * 60 * NS_S, settled = time_min(end / 2, 1800 * NS_S);
    assert_true(sessions >= 16 && sessions <= 10000 && end >= 600 * NS_S);
    struct soak *k = soak_new(sessions, end);
    const struct net_ops *ops = k->net->ops;
    struct memory m[MARKS] = {memory_now()};
    ops->run(k->net, settled);
    m[SETTLED] = memory_now();
    ops->run(k->net, settled + (end - settled) / 2);
    m[HALF] = memory_now();
    ops->run(k->net, end);
    m[END] = memory_now();
    ops->run(k->net, end + 3 * FORGOTTEN_NS);
    m[LEFT] = memory_now();
    print(k, m);
    counters_agree(k);
    is_seldom_refused(k);
    nothing_is_left(k);
    if (!OWN_HEAP)
        is_bounded(k, m);
    soak_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(clients_come_and_go_for_hours)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
