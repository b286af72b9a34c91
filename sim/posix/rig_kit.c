/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/posix/rig_kit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "sim/host/host.h"
#include "sim/posix/parts.h"

enum { CYCLE = 65521, PIECE = 32768 };
#define LOOK_NS (20 * NS_MS)
static uint8_t bytes[CYCLE + PIECE]; /* what streams say, each from another place on, around and around */

static const uint8_t *bytes_at(uint32_t stream, uint64_t at)
{
    return bytes + (stream * UINT64_C(2654435761) + at) % CYCLE;
}

/* ---- streams ---- */

static void push(struct rig *r, net_sock s, struct rig_line *l)
{
    while (l->sent < l->to_send) {
        uint64_t left = l->to_send - l->sent;
        size_t n = net_posix.tcp_send(r->net, s, bytes_at(l->says, l->sent), left < PIECE ? (size_t)left : PIECE);
        l->sent += n;
        if (n == 0)
            return;
    }
    if (l->then_ends && !l->ended) {
        l->ended = true;
        net_posix.tcp_shutdown(r->net, s);
    }
}

static void take(struct rig_line *l, const uint8_t *data, size_t len)
{
    const uint8_t *want = bytes_at(l->hears, l->received);
    if (memcmp(want, data, len) != 0)
        for (size_t i = 0; i < len; i++)
            l->wrong += want[i] != data[i];
    l->received += len;
}

static void pull(struct rig *r, net_sock s, struct rig_line *l)
{
    static uint8_t piece[PIECE];
    size_t n = 0;
    while (l->open && !l->deaf && !l->eof) {
        size_t cap = l->stream ? sizeof piece : RIG_IN - l->have;
        n = cap ? net_posix.tcp_recv(r->net, s, piece, cap, &l->eof) : 0;
        if (n == 0)
            return;
        if (l->stream)
            take(l, piece, n);
        else {
            memcpy(l->in + l->have, piece, n);
            l->have += n;
        }
    }
}

/* ---- events ---- */

struct rig_line *rig_line(struct rig *r, net_sock s)
{
    if (s >= r->line_cap) {
        size_t cap = r->line_cap ? r->line_cap : 256;
        while (cap <= s)
            cap *= 2;
        r->line = realloc(r->line, cap * sizeof(struct rig_line *));
        assert_non_null(r->line);
        memset(r->line + r->line_cap, 0, (cap - r->line_cap) * sizeof(struct rig_line *));
        r->line_cap = cap;
    }
    if (!r->line[s])
        r->line[s] = calloc(1, sizeof(struct rig_line));
    assert_non_null(r->line[s]);
    return r->line[s];
}

static struct rig_line *fresh(struct rig *r, net_sock s)
{
    struct rig_line *l = rig_line(r, s);
    memset(l, 0, sizeof *l);
    return l;
}

static void event(void *ctx, const struct net_event *ev)
{
    struct rig *r = ctx;
    struct rig_line *l = ev->kind == NET_ACCEPTED ? fresh(r, ev->accepted) : rig_line(r, ev->sock);
    switch (ev->kind) {
    case NET_ACCEPTED:
        l->accepted = true;
        l->listener = ev->sock;
        /* fall through */
    case NET_CONNECTED:
        l->open = true;
        l->local = ev->local;
        l->remote = ev->remote;
        break;
    case NET_READABLE:
        pull(r, ev->sock, l);
        break;
    case NET_WRITABLE:
        push(r, ev->sock, l);
        break;
    case NET_FAILED:
    case NET_CLOSED:
        l->open = false;
        l->closed = true;
        l->err = ev->err;
        break;
    case NET_DATAGRAM:
        l->have = ev->len < RIG_IN ? ev->len : RIG_IN;
        memcpy(l->in, ev->data, l->have);
        r->datagrams++;
        r->datagram_bytes += ev->len;
        break;
    case NET_ICMP:
        break;
    }
    if (r->until && r->until(r, r->arg))
        net_posix.stop(r->net);
}

bool rig_until(struct rig *r, bool (*until)(struct rig *r, const void *arg), const void *arg, uint64_t ns)
{
    uint64_t end = net_posix.now(r->net) + ns;
    r->until = until;
    r->arg = arg;
    for (uint64_t now; !until(r, arg) && (now = net_posix.now(r->net)) < end;) /* what it waits for may be no event */
        net_posix.run(r->net, time_min(end, now + LOOK_NS));
    r->until = NULL;
    return until(r, arg);
}

static bool never(struct rig *r, const void *arg)
{
    (void)r, (void)arg;
    return false;
}

void rig_run(struct rig *r, uint64_t ns)
{
    rig_until(r, never, NULL, ns);
}

/* ---- the relay ---- */

static void relay_input(void *self, const struct io_in *in)
{
    turn_input(self, in);
}

static uint64_t relay_deadline(const void *self)
{
    return turn_deadline(self);
}

static void on_note(void *ctx, uint64_t now_ns, const struct host_note *n)
{
    (void)now_ns;
    if (n->note == NOTE_FAIL)
        *(bool *)ctx = true;
}

/* A port that nobody has, over UDP and over TCP. Test programs run side by side: each begins elsewhere. */
static uint16_t free_port(struct rig *r)
{
    static uint16_t next;
    struct endpoint e = {.ip = kit_ip("127.0.0.1")};
    bool found = false;
    next = next ? next : (uint16_t)(12000 + (unsigned)getpid() * 97 % 8000);
    while (!found) {
        net_sock udp, tcp;
        e.port = next++;
        if (net_posix.udp_open(r->net, r->user, &e, &udp) != 0)
            continue;
        found = net_posix.tcp_listen(r->net, r->user, &e, &tcp) == 0;
        if (found)
            net_posix.sock_close(r->net, tcp);
        net_posix.sock_close(r->net, udp);
    }
    return e.port;
}

struct rig *rig_new(const struct turn_limits *limits)
{
    return rig_new_as("rfc5766", limits);
}

struct rig *rig_new_as(const char *profile, const struct turn_limits *limits)
{
    static const struct core_ops ops = {relay_input, relay_deadline, NULL};
    static const struct turn_user users[] = {{"u", "p"}, {"v", "q"}};
    static bool failed;
    struct rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    struct rng rng = rng_named(1, "rig");
    rng_fill(&rng, bytes, CYCLE);
    memcpy(bytes + CYCLE, bytes, PIECE);
    posix_raise_descriptors();
    r->net = net_posix.create(1);
    struct net_node_spec user = {.name = "user", .kind = NET_HOST, .handler = event, .ctx = r};
    r->user = net_posix.node_add(r->net, &user);
    r->at = (struct endpoint){kit_ip("127.0.0.1"), free_port(r)};
    struct ip_prefix loopback[] = {{kit_ip("127.0.0.0"), 8}, {kit_ip("::1"), 128}};
    struct turn_config cfg = {
        .profile = turn_profile_named(profile), .realm = "rig", .users = users, .user_count = 2, .listen = &r->at,
        .listen_count = 1, .listen_udp = &r->at, .listen_udp_count = 1, .relay_ip4 = r->at.ip,
        .relay_ip6 = loopback[1].ip, .first_port = 24000, .last_port = 29999, .dont_fragment = true,
        .allow_peer = loopback, .allow_peer_count = 2, .limits = limits ? *limits : turn_limits_default};
    r->io = io_new("relay", (uint64_t)getpid());
    r->turn = turn_new(r->io, 0, &cfg);
    assert_non_null(r->turn);
    failed = false;
    r->host = host_new(r->net, &(struct core){&ops, r->turn, r->io}, &(struct host_hooks){.note = on_note,
                                                                                          .ctx = &failed});
    struct net_node_spec relay = {.name = "relay", .kind = NET_HOST, .handler = host_event, .ctx = r->host};
    host_start(r->host, net_posix.node_add(r->net, &relay), net_posix.now(r->net));
    net_posix.run(r->net, net_posix.now(r->net) + NS_MS);
    assert_false(failed);
    return r;
}

void rig_free(struct rig *r)
{
    host_free(r->host);
    net_posix.destroy(r->net);
    turn_free(r->turn);
    io_free(r->io);
    for (size_t i = 0; i < r->line_cap; i++)
        free(r->line[i]);
    free(r->line);
    free(r);
}

struct turn_stats rig_stats(const struct rig *r)
{
    struct turn_stats s;
    turn_stats(r->turn, &s);
    return s;
}

/* ---- what the test does ---- */

static bool settled(struct rig *r, const void *arg)
{
    const struct rig_line *l = rig_line(r, *(const net_sock *)arg);
    return l->open || l->closed;
}

net_sock rig_dial(struct rig *r, const struct endpoint *to)
{
    net_sock s;
    assert_int_equal(net_posix.tcp_connect(r->net, r->user, &(struct endpoint){.ip.family = IP_V4}, to, &s), 0);
    fresh(r, s);
    assert_true(rig_until(r, settled, &s, RIG_PATIENCE_NS));
    return s;
}

net_sock rig_listen(struct rig *r, struct endpoint *at)
{
    net_sock s;
    int err;
    do { /* somebody may have been faster */
        *at = (struct endpoint){kit_ip("127.0.0.1"), free_port(r)};
        err = net_posix.tcp_listen(r->net, r->user, at, &s);
    } while (err == E_EXISTS);
    assert_int_equal(err, 0);
    fresh(r, s);
    return s;
}

static net_sock untaken(struct rig *r, net_sock listener)
{
    for (net_sock s = 1; s < r->line_cap; s++)
        if (r->line[s] && r->line[s]->accepted && r->line[s]->listener == listener && !r->line[s]->taken)
            return s;
    return 0;
}

static bool has_accepted(struct rig *r, const void *arg)
{
    return untaken(r, *(const net_sock *)arg) != 0;
}

net_sock rig_accepted(struct rig *r, net_sock listener)
{
    assert_true(rig_until(r, has_accepted, &listener, RIG_PATIENCE_NS));
    net_sock s = untaken(r, listener);
    r->line[s]->taken = true;
    return s;
}

void rig_say(struct rig *r, net_sock s, const void *data, size_t len)
{
    assert_int_equal(net_posix.tcp_send(r->net, s, data, len), len);
}

static bool has_message(struct rig *r, const void *arg)
{
    const struct rig_line *l = rig_line(r, *(const net_sock *)arg);
    long len = stun_stream_len(&stun_rfc8489, l->in, l->have, RIG_IN);
    return len < 0 || l->closed || l->eof || (len > 0 && (size_t)len <= l->have);
}

struct ask_answer rig_hear(struct rig *r, net_sock s, struct asker *a)
{
    struct rig_line *l = rig_line(r, s);
    struct ask_answer answer;
    assert_true(rig_until(r, has_message, &s, RIG_PATIENCE_NS));
    long len = stun_stream_len(&stun_rfc8489, l->in, l->have, RIG_IN);
    assert_true(len > 0 && (size_t)len <= l->have);
    assert_int_equal(ask_read(a, l->in, (size_t)len, &answer), 0);
    memmove(l->in, l->in + len, l->have -= (size_t)len);
    return answer;
}

struct ask_answer rig_ask(struct rig *r, net_sock s, struct asker *a, const struct ask *what)
{
    uint8_t out[STUN_MAX];
    rig_say(r, s, out, ask_make(a, what, out));
    return rig_hear(r, s, a);
}

net_sock rig_udp(struct rig *r, const struct endpoint *at)
{
    net_sock s;
    assert_int_equal(net_posix.udp_open(r->net, r->user, at, &s), 0);
    fresh(r, s);
    return s;
}

static bool has_datagram(struct rig *r, const void *arg)
{
    return rig_line(r, *(const net_sock *)arg)->have > 0;
}

struct ask_answer rig_ask_udp(struct rig *r, net_sock s, struct asker *a, const struct ask *what)
{
    uint8_t out[STUN_MAX];
    struct rig_line *l = rig_line(r, s);
    struct ask_answer answer;
    l->have = 0;
    net_posix.udp_send(r->net, s, &r->at, out, ask_make(a, what, out));
    assert_true(rig_until(r, has_datagram, &s, RIG_PATIENCE_NS));
    assert_int_equal(ask_read(a, l->in, l->have, &answer), 0);
    return answer;
}

net_sock rig_allocate(struct rig *r, struct asker *a, enum ip_proto proto, struct endpoint *relayed)
{
    net_sock s = rig_dial(r, &r->at);
    struct ask allocate = {.method = TURN_ALLOCATE, .transport = (uint8_t)proto};
    struct ask_answer answer = rig_ask(r, s, a, &allocate);
    if (answer.code == 401)
        answer = rig_ask(r, s, a, &allocate);
    assert_int_equal(answer.code, 0);
    *relayed = answer.relayed;
    struct endpoint loopback = {kit_ip(a->family == IP_V6 ? "::1" : "127.0.0.1"), 1};
    struct ask permit = {.method = TURN_CREATE_PERMISSION, .peer = loopback};
    assert_int_equal(rig_ask(r, s, a, &permit).code, 0);
    return s;
}

void rig_stream(struct rig *r, net_sock s, uint32_t says, uint64_t amount, uint32_t hears)
{
    struct rig_line *l = rig_line(r, s);
    l->stream = true;
    l->says = says;
    l->hears = hears;
    l->to_send += amount;
    take(l, l->in, l->have); /* came right behind the answer */
    l->have = 0;
    push(r, s, l);
    pull(r, s, l);
}

void rig_close(struct rig *r, net_sock s)
{
    net_posix.sock_close(r->net, s);
    rig_line(r, s)->open = false;
}

void rig_abort(struct rig *r, net_sock s)
{
    net_posix.tcp_abort(r->net, s);
    rig_line(r, s)->open = false;
}

static bool ended(struct rig *r, const void *arg)
{
    const struct rig_line *l = rig_line(r, *(const net_sock *)arg);
    return l->eof || l->closed;
}

bool rig_gone(struct rig *r, net_sock s)
{
    assert_true(rig_until(r, ended, &s, RIG_PATIENCE_NS));
    return rig_line(r, s)->eof && rig_line(r, s)->err == 0;
}

long rig_resident(void)
{
    char text[256];
    long kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(text, sizeof text, f))
        if (sscanf(text, "VmRSS: %ld", &kib) == 1)
            break;
    if (f)
        fclose(f);
    return kib;
}

/* ---- beyond net.h ---- */

int rig_outsider_new(void)
{
    return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

bool rig_outsider_calls(int fd, const struct endpoint *to)
{
    union any_address a;
    socklen_t len = posix_to_sockaddr(to, &a);
    return connect(fd, &a.any, len) == 0;
}

int rig_outsider(const struct endpoint *to)
{
    int fd = rig_outsider_new();
    if (fd < 0 || rig_outsider_calls(fd, to))
        return fd;
    close(fd);
    return -1;
}

static bool outsider_ended(struct rig *r, const void *arg)
{
    (void)r;
    char byte;
    ssize_t n = recv(*(const int *)arg, &byte, 1, MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN);
}

bool rig_outsider_ended(struct rig *r, int fd)
{
    bool ended = rig_until(r, outsider_ended, &fd, RIG_PATIENCE_NS);
    close(fd);
    return ended;
}

size_t rig_outsider_asks(struct rig *r, int fd, const uint8_t *out, size_t len, uint8_t *in, size_t cap)
{
    assert_int_equal(send(fd, out, len, MSG_NOSIGNAL), len);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    for (int i = 0; i < 1000 && poll(&p, 1, 0) == 0; i++)
        rig_run(r, 10 * NS_MS);
    ssize_t n = recv(fd, in, cap, MSG_DONTWAIT);
    return n > 0 ? (size_t)n : 0;
}

/* Its queue of one is full, and nobody accepts. */
int rig_silent_listener(struct rig *r, struct endpoint *at, int filler[2])
{
    *at = (struct endpoint){.ip = kit_ip("127.0.0.1")};
    int fd = posix_open(posix_of(r->net), USE_LISTEN, at, IP_V4);
    if (fd < 0 || listen(fd, 0) != 0)
        return -1;
    posix_local_of(fd, at);
    filler[0] = rig_outsider(at);
    union any_address a;
    socklen_t len = posix_to_sockaddr(at, &a);
    filler[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    connect(filler[1], &a.any, len);
    return fd;
}

struct rig_hoard rig_hoard(size_t left)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    struct rig_hoard h = {calloc(limit.rlim_cur, sizeof(int)), 0};
    for (int fd; (fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;)
        h.fd[h.count++] = fd;
    while (left-- && h.count)
        close(h.fd[--h.count]);
    return h;
}

void rig_hoard_free(struct rig_hoard *h)
{
    while (h->count)
        close(h->fd[--h->count]);
    free(h->fd);
}
