/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's sockets behind net.h, over loopback. Nothing here measures time: every wait ends with an event, and a
 * run that lacks one ends after TOO_LONG with a failure. */
#include "sim/posix/posix.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "models/testkit/testkit.h"

#define TOO_LONG (30 * NS_S)

/* A world of one host that writes down what happens to it. */
struct world {
    struct net *net;
    net_node host;
    struct net_event last[8]; /* by kind: the last event */
    unsigned seen[8];
    enum net_event_kind awaited;
    unsigned wanted;
    bool echo; /* datagrams are sent back */
    uint8_t data[64];
};

static void handle(void *ctx, const struct net_event *ev)
{
    struct world *w = ctx;
    w->last[ev->kind] = *ev;
    w->seen[ev->kind]++;
    if (ev->kind == NET_DATAGRAM && ev->len <= sizeof w->data)
        memcpy(w->data, ev->data, ev->len);
    if (ev->kind == NET_DATAGRAM && w->echo)
        assert_int_equal(net_posix.udp_send(w->net, ev->sock, &ev->remote, ev->data, ev->len), 0);
    if (ev->kind == w->awaited && w->seen[ev->kind] >= w->wanted)
        net_posix.stop(w->net);
}

static struct world *world_new(struct net_tcp_opts tcp)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->net = net_posix.create(1);
    assert_non_null(w->net);
    struct net_node_spec spec = {.name = "host", .kind = NET_HOST, .handler = handle, .ctx = w, .tcp = tcp};
    w->host = net_posix.node_add(w->net, &spec);
    return w;
}

static void world_free(struct world *w)
{
    net_posix.destroy(w->net);
    free(w);
}

/* Runs until the event has been seen `times` more. */
static void await(struct world *w, enum net_event_kind kind, unsigned times)
{
    w->awaited = kind;
    w->wanted = w->seen[kind] + times;
    net_posix.run(w->net, net_posix.now(w->net) + TOO_LONG);
    if (w->seen[kind] < w->wanted)
        fail_msg("event %d did not come", (int)kind);
}

/* A port that nobody has, a new one each time: sockets of one user may share the port of a listener. */
static struct endpoint free_port(const char *ip)
{
    static uint16_t next;
    struct endpoint e = {.ip = kit_ip(ip)};
    struct world *w = world_new((struct net_tcp_opts){0});
    net_sock s;
    next = next ? next : (uint16_t)(12000 + getpid() % 8000);
    do
        e.port = next++;
    while (net_posix.udp_open(w->net, w->host, &e, &s) != 0);
    world_free(w);
    return e;
}

struct pair {
    struct world *w;
    net_sock listener, a, b; /* a connected, b accepted */
};

static struct pair pair_new(const char *ip)
{
    struct pair p = {.w = world_new((struct net_tcp_opts){0})};
    struct endpoint at = free_port(ip), any = {.ip.family = at.ip.family};
    assert_int_equal(net_posix.tcp_listen(p.w->net, p.w->host, &at, &p.listener), 0);
    assert_int_equal(net_posix.tcp_connect(p.w->net, p.w->host, &any, &at, &p.a), 0);
    await(p.w, NET_ACCEPTED, 1);
    if (!p.w->seen[NET_CONNECTED])
        await(p.w, NET_CONNECTED, 1);
    p.b = p.w->last[NET_ACCEPTED].accepted;
    const struct net_event *connected = &p.w->last[NET_CONNECTED], *accepted = &p.w->last[NET_ACCEPTED];
    assert_int_equal(connected->sock, p.a);
    assert_int_equal(accepted->sock, p.listener);
    assert_true(endpoint_equal(&connected->local, &accepted->remote));
    assert_true(endpoint_equal(&connected->remote, &at));
    return p;
}

static void both_families_connect(void **state)
{
    (void)state;
    struct pair p = pair_new("127.0.0.1");
    world_free(p.w);
    p = pair_new("::1");
    world_free(p.w);
}

/* 4 MiB through a socket that takes less: WRITABLE follows, the bytes arrive in order, then the FIN, then CLOSED. */
static void bytes_arrive_with_back_pressure(void **state)
{
    (void)state;
    enum { TOTAL = 4 << 20 };
    struct pair p = pair_new("127.0.0.1");
    struct net *n = p.w->net;
    uint8_t *bytes = malloc(TOTAL), *got = malloc(TOTAL);
    for (size_t i = 0; i < TOTAL; i++)
        bytes[i] = (uint8_t)(i * 2654435761U >> 13);
    size_t sent = 0, received = 0;
    bool eof = false, blocked = false, shut = false;
    while (!eof) {
        while (sent < TOTAL) {
            size_t took = net_posix.tcp_send(n, p.a, bytes + sent, TOTAL - sent);
            sent += took;
            if (sent < TOTAL && took == 0)
                break;
        }
        blocked = blocked || sent < TOTAL;
        if (sent == TOTAL && !shut) {
            net_posix.tcp_shutdown(n, p.a);
            shut = true;
        }
        size_t chunk = net_posix.tcp_recv(n, p.b, got + received, TOTAL - received < 70000 ? TOTAL - received + !!shut
                                                                                            : 70000, &eof);
        received += chunk;
        if (chunk == 0 && !eof)
            await(p.w, NET_READABLE, 1);
    }
    assert_true(blocked);
    assert_int_equal(received, TOTAL);
    assert_memory_equal(bytes, got, TOTAL);
    assert_true(p.w->seen[NET_CLOSED] == 0);
    net_posix.tcp_shutdown(n, p.b);
    await(p.w, NET_CLOSED, 1);
    assert_int_equal(p.w->last[NET_CLOSED].err, 0);
    free(bytes);
    free(got);
    world_free(p.w);
}

static void writable_is_told_once_there_is_room(void **state)
{
    (void)state;
    struct pair p = pair_new("127.0.0.1");
    static uint8_t chunk[1 << 20];
    while (net_posix.tcp_send(p.w->net, p.a, chunk, sizeof chunk) > 0)
        ;
    unsigned before = p.w->seen[NET_WRITABLE];
    bool eof;
    while (p.w->seen[NET_WRITABLE] == before) {
        while (net_posix.tcp_recv(p.w->net, p.b, chunk, sizeof chunk, &eof) > 0)
            ;
        net_posix.run(p.w->net, net_posix.now(p.w->net) + NS_MS);
    }
    assert_int_equal(p.w->last[NET_WRITABLE].sock, p.a);
    assert_true(net_posix.tcp_send(p.w->net, p.a, chunk, 1) == 1);
    world_free(p.w);
}

static void what_fails_says_why(void **state)
{
    (void)state;
    struct world *w = world_new((struct net_tcp_opts){0});
    struct endpoint nobody = free_port("127.0.0.1"), any = {.ip.family = IP_V4};
    struct endpoint foreign = {kit_ip("192.0.2.1"), 5000};
    net_sock s;
    assert_int_equal(net_posix.tcp_connect(w->net, w->host, &any, &nobody, &s), 0);
    await(w, NET_FAILED, 1);
    assert_int_equal(w->last[NET_FAILED].err, E_REFUSED);
    assert_int_equal(net_posix.tcp_listen(w->net, w->host, &foreign, &s), E_UNREACHABLE);
    assert_int_equal(net_posix.udp_open(w->net, w->host, &foreign, &s), E_UNREACHABLE);
    assert_int_equal(net_posix.udp_open(w->net, w->host, &nobody, &s), 0);
    assert_int_equal(net_posix.udp_open(w->net, w->host, &nobody, &s), E_EXISTS);
    world_free(w);
}

static void an_abort_is_a_reset(void **state)
{
    (void)state;
    struct pair p = pair_new("127.0.0.1");
    net_posix.tcp_abort(p.w->net, p.a);
    await(p.w, NET_CLOSED, 1);
    assert_int_equal(p.w->last[NET_CLOSED].sock, p.b);
    assert_int_equal(p.w->last[NET_CLOSED].err, E_RESET);
    world_free(p.w);
}

/* Closed by both sides with bytes unread: they can still be read, and CLOSED comes when they are. */
static void unread_bytes_outlive_the_connection(void **state)
{
    (void)state;
    struct pair p = pair_new("127.0.0.1");
    struct net *n = p.w->net;
    assert_int_equal(net_posix.tcp_send(n, p.a, "last words", 10), 10);
    net_posix.tcp_shutdown(n, p.a);
    net_posix.tcp_shutdown(n, p.b);
    net_posix.run(n, net_posix.now(n) + 20 * NS_MS);
    uint8_t got[32];
    bool eof = false;
    assert_int_equal(net_posix.tcp_recv(n, p.b, got, sizeof got, &eof), 10);
    assert_false(eof);
    assert_int_equal(net_posix.tcp_recv(n, p.b, got, sizeof got, &eof), 0);
    assert_true(eof);
    unsigned closed = p.w->seen[NET_CLOSED];
    if (closed < 2)
        await(p.w, NET_CLOSED, 2 - closed);
    world_free(p.w);
}

/* Urgent data (RFC 9293 3.8.5) are bytes of the stream like others (RFC 6093 6), and a read that the kernel cuts short
 * at them has not read all. */
static void urgent_data_is_part_of_the_stream(void **state)
{
    (void)state;
    struct world *w = world_new((struct net_tcp_opts){0});
    struct endpoint at = free_port("127.0.0.1");
    net_sock listener;
    assert_int_equal(net_posix.tcp_listen(w->net, w->host, &at, &listener), 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(at.port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(send(fd, "before", 6, 0), 6);
        assert_int_equal(send(fd, "!", 1, MSG_OOB), 1);
        assert_int_equal(send(fd, "behind", 6, 0), 6);
    }
    await(w, NET_READABLE, 1);
    net_sock s = w->last[NET_ACCEPTED].accepted;
    static const char want[] = "before!behindbefore!behind";
    char got[64] = "";
    bool eof;
    for (size_t have = 0; have < sizeof want - 1;) {
        size_t n = net_posix.tcp_recv(w->net, s, got + have, sizeof got - 1 - have, &eof);
        have += n;
        if (n == 0)
            await(w, NET_READABLE, 1);
    }
    assert_string_equal(got, want);
    close(fd);
    world_free(w);
}

/* RFC 6062 5.2: the relay connects from the transport address that it listens on, which is nobody else's for that. */
static void a_listener_s_port_connects_too(void **state)
{
    (void)state;
    struct world *w = world_new((struct net_tcp_opts){0});
    struct endpoint here = free_port("127.0.0.1");
    net_sock listener, other, s;
    assert_int_equal(net_posix.tcp_listen(w->net, w->host, &here, &listener), 0);
    struct endpoint there = free_port("127.0.0.1");
    assert_int_equal(net_posix.tcp_listen(w->net, w->host, &there, &other), 0);
    assert_int_equal(net_posix.tcp_connect(w->net, w->host, &here, &there, &s), 0);
    await(w, NET_ACCEPTED, 1);
    assert_true(endpoint_equal(&w->last[NET_ACCEPTED].remote, &here));
    struct world *stranger = world_new((struct net_tcp_opts){0});
    assert_int_equal(net_posix.tcp_listen(stranger->net, stranger->host, &here, &s), E_EXISTS);
    world_free(stranger);
    world_free(w);
}

static void ports_come_from_the_range(void **state)
{
    (void)state;
    struct endpoint at = free_port("127.0.0.1"), any = {.ip.family = IP_V4};
    struct world *w = world_new((struct net_tcp_opts){.first_port = 30100, .last_port = 30199});
    net_sock listener, s;
    assert_int_equal(net_posix.tcp_listen(w->net, w->host, &at, &listener), 0);
    assert_int_equal(net_posix.tcp_connect(w->net, w->host, &any, &at, &s), 0);
    await(w, NET_ACCEPTED, 1);
    assert_in_range(w->last[NET_ACCEPTED].remote.port, 30100, 30199);
    world_free(w);
}

static void datagrams_go_out_in_batches_and_in_order(void **state)
{
    (void)state;
    enum { COUNT = 300 };
    struct world *w = world_new((struct net_tcp_opts){0}), *peer = world_new((struct net_tcp_opts){0});
    struct endpoint a = free_port("127.0.0.1"), b;
    net_sock from, to;
    assert_int_equal(net_posix.udp_open(w->net, w->host, &a, &from), 0);
    b = free_port("127.0.0.1");
    assert_int_equal(net_posix.udp_open(peer->net, peer->host, &b, &to), 0);
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_int_equal(net_posix.udp_send(w->net, from, &b, &i, sizeof i), 0);
        if (i % 50 == 49) { /* no more than a socket's buffer holds */
            net_posix.run(w->net, net_posix.now(w->net) + 1);
            await(peer, NET_DATAGRAM, 50);
            assert_memory_equal(peer->data, &i, sizeof i);
        }
    }
    assert_true(endpoint_equal(&peer->last[NET_DATAGRAM].remote, &a));
    assert_true(endpoint_equal(&peer->last[NET_DATAGRAM].local, &b));
    peer->echo = true;
    static uint8_t big[9000];
    assert_int_equal(net_posix.udp_send(w->net, from, &b, "x", 1), 0);
    assert_int_equal(net_posix.udp_send(w->net, from, &b, big, sizeof big), 0);
    await(peer, NET_DATAGRAM, 2);
    net_posix.run(peer->net, net_posix.now(peer->net) + 1);
    await(w, NET_DATAGRAM, 2);
    assert_int_equal(w->last[NET_DATAGRAM].len, sizeof big);
    world_free(w);
    world_free(peer);
}

static char order[16];

static void write_down(char letter)
{
    order[strlen(order)] = letter;
}

static void write_a(void *ctx)
{
    (void)ctx;
    write_down('a');
}

static void write_b(void *ctx)
{
    (void)ctx;
    write_down('b');
}

static void end(void *ctx)
{
    write_down('e');
    net_posix.stop(ctx);
}

struct lengths {
    size_t len[512];
    unsigned count;
};

static void note_length(void *ctx, const struct net_event *ev)
{
    struct lengths *l = ctx;
    assert_int_equal(ev->kind, NET_DATAGRAM);
    for (size_t i = 0; i < ev->len; i++)
        assert_int_equal(ev->data[i], (uint8_t)l->count);
    assert_true(l->count < 512);
    l->len[l->count++] = ev->len;
}

/* Lengths and places as they fall: what the kernel takes as runs arrives one by one, whole and in order; what it
 * refuses keeps nothing back. */
static void runs_of_datagrams_stay_datagrams(void **state)
{
    (void)state;
    enum { COUNT = 400 };
    struct endpoint a = free_port("127.0.0.1"), b[2] = {free_port("127.0.0.1"), free_port("127.0.0.1")};
    struct endpoint nowhere = {a.ip, 0};
    struct lengths sent[2] = {{{0}, 0}, {{0}, 0}}, got[2] = {{{0}, 0}, {{0}, 0}};
    struct world *w = world_new((struct net_tcp_opts){0});
    net_sock from, to;
    assert_int_equal(net_posix.udp_open(w->net, w->host, &a, &from), 0);
    for (int i = 0; i < 2; i++) {
        struct net_node_spec spec = {.name = "to", .kind = NET_HOST, .handler = note_length, .ctx = &got[i]};
        assert_int_equal(net_posix.udp_open(w->net, net_posix.node_add(w->net, &spec), &b[i], &to), 0);
    }
    for (unsigned i = 0; i < COUNT; i++) {
        static const size_t lengths[] = {100, 100, 100, 40, 40, 0, 0, 1200, 1200, 1201, 100, 100, 2048, 2048, 7};
        size_t len = lengths[i % (sizeof lengths / sizeof *lengths)];
        unsigned which = i / 9 % 2;
        uint8_t data[2048];
        memset(data, (int)(uint8_t)sent[which].count, len);
        sent[which].len[sent[which].count++] = len;
        assert_int_equal(net_posix.udp_send(w->net, from, &b[which], data, len), 0);
        if (i % 50 < 3)
            assert_int_equal(net_posix.udp_send(w->net, from, &nowhere, data, len), 0);
        if (i % 100 == 99) /* as much as buffers hold */
            net_posix.run(w->net, net_posix.now(w->net) + 5 * NS_MS);
    }
    for (int i = 0; i < 1000 && got[0].count + got[1].count < COUNT; i++)
        net_posix.run(w->net, net_posix.now(w->net) + 5 * NS_MS);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(got[i].count, sent[i].count);
        assert_memory_equal(got[i].len, sent[i].len, sizeof sent[i].len);
    }
    world_free(w);
}

static void timers_fire_in_order(void **state)
{
    (void)state;
    struct world *w = world_new((struct net_tcp_opts){0});
    uint64_t now = net_posix.now(w->net);
    memset(order, 0, sizeof order);
    net_posix.timer_set(w->net, now + 3 * NS_MS, end, w->net);
    net_posix.timer_set(w->net, now + 2 * NS_MS, write_b, NULL);
    net_timer gone = net_posix.timer_set(w->net, now + NS_MS, write_b, NULL);
    net_posix.timer_set(w->net, now + NS_MS, write_a, NULL);
    net_posix.timer_set(w->net, now + 2 * NS_MS, write_a, NULL);
    net_posix.timer_cancel(w->net, gone);
    net_posix.timer_cancel(w->net, gone);
    net_posix.run(w->net, now + TOO_LONG);
    assert_string_equal(order, "abae");
    net_posix.timer_cancel(w->net, gone); /* its place may be another's by now */
    world_free(w);
}

static int watched;

static void woken(void *ctx)
{
    uint64_t count;
    assert_int_equal(read(watched, &count, sizeof count), sizeof count);
    net_posix.stop(ctx);
}

static void a_descriptor_is_watched(void **state)
{
    (void)state;
    struct world *w = world_new((struct net_tcp_opts){0});
    watched = eventfd(0, EFD_NONBLOCK);
    assert_int_equal(posix_watch(w->net, watched, woken, w->net), 0);
    uint64_t one = 1;
    assert_int_equal(write(watched, &one, sizeof one), sizeof one);
    uint64_t until = net_posix.now(w->net) + TOO_LONG;
    net_posix.run(w->net, until);
    assert_true(net_posix.now(w->net) < until);
    world_free(w);
    close(watched);
}

/* Without a descriptor to accept with, a client is turned away at once; with one again, the next is served. */
static void descriptors_may_run_out(void **state)
{
    (void)state;
    struct world *w = world_new((struct net_tcp_opts){0}), *client = world_new((struct net_tcp_opts){0});
    struct endpoint at = free_port("127.0.0.1"), any = {.ip.family = IP_V4};
    net_sock listener, s;
    assert_int_equal(net_posix.tcp_listen(w->net, w->host, &at, &listener), 0);
    assert_int_equal(net_posix.tcp_connect(client->net, client->host, &any, &at, &s), 0);
    await(client, NET_CONNECTED, 1);
    struct rlimit was, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    none = was;
    int lowest = dup(0); /* all below it are in use */
    close(lowest);
    none.rlim_cur = (rlim_t)lowest;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    net_sock other;
    assert_int_equal(net_posix.tcp_connect(w->net, w->host, &any, &at, &other), E_NOMEM);
    net_posix.run(w->net, net_posix.now(w->net) + 100 * NS_MS);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
    await(client, NET_READABLE, 1);
    uint8_t byte;
    bool eof = false;
    net_posix.tcp_recv(client->net, s, &byte, 1, &eof);
    assert_true(eof || client->seen[NET_CLOSED]);
    assert_int_equal(net_posix.tcp_connect(client->net, client->host, &any, &at, &s), 0);
    await(w, NET_ACCEPTED, 1);
    world_free(w);
    world_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_families_connect),
        cmocka_unit_test(bytes_arrive_with_back_pressure),
        cmocka_unit_test(writable_is_told_once_there_is_room),
        cmocka_unit_test(what_fails_says_why),
        cmocka_unit_test(an_abort_is_a_reset),
        cmocka_unit_test(unread_bytes_outlive_the_connection),
        cmocka_unit_test(urgent_data_is_part_of_the_stream),
        cmocka_unit_test(a_listener_s_port_connects_too),
        cmocka_unit_test(ports_come_from_the_range),
        cmocka_unit_test(datagrams_go_out_in_batches_and_in_order),
        cmocka_unit_test(runs_of_datagrams_stay_datagrams),
        cmocka_unit_test(timers_fire_in_order),
        cmocka_unit_test(a_descriptor_is_watched),
        cmocka_unit_test(descriptors_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
