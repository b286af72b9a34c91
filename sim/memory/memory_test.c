/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the memory engine does beyond the contract of net.h that it shares with others (sim/ns3/ns3_test.c). */
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "models/testkit/testkit.h"
#include "sim/memory/memory.h"

enum { COUNT = 100000 };

struct user {
    struct net *net;
    net_node node;
    net_sock sock; /* the last that was connected or accepted */
    unsigned count[NET_ICMP + 1];
    int err;
    uint64_t at_ns;
    size_t to_send, sent, received, wrong;
    uint32_t icmp;
    bool deaf;
};

static uint8_t pattern(size_t at)
{
    return (uint8_t)(at * 131 + (at >> 8) * 7);
}

static void push(struct user *u)
{
    while (u->sock && u->sent < u->to_send) {
        uint8_t buf[1000];
        size_t n = u->to_send - u->sent < sizeof buf ? u->to_send - u->sent : sizeof buf;
        for (size_t i = 0; i < n; i++)
            buf[i] = pattern(u->sent + i);
        size_t taken = net_memory.tcp_send(u->net, u->sock, buf, n);
        u->sent += taken;
        if (taken < n)
            return;
    }
}

static void pull(struct user *u)
{
    uint8_t buf[777];
    bool eof;
    for (size_t n; (n = net_memory.tcp_recv(u->net, u->sock, buf, sizeof buf, &eof)); u->received += n)
        for (size_t i = 0; i < n; i++)
            u->wrong += buf[i] != pattern(u->received + i);
}

static void event(void *ctx, const struct net_event *ev)
{
    struct user *u = ctx;
    u->count[ev->kind]++;
    u->err = ev->err;
    u->at_ns = net_memory.now(u->net);
    if (ev->kind == NET_ACCEPTED)
        u->sock = ev->accepted;
    if (ev->kind == NET_READABLE && !u->deaf)
        pull(u);
    if (ev->kind == NET_WRITABLE)
        push(u);
    if (ev->kind == NET_FAILED || ev->kind == NET_CLOSED)
        u->sock = 0;
    if (ev->kind == NET_ICMP)
        u->icmp = (uint32_t)ev->icmp_type << 8 | ev->icmp_code;
}

struct world {
    struct net *net;
    struct user a, b;
    net_sock listener;
};

static void add(struct world *w, struct user *u, const char *v4, const char *v6)
{
    struct net_node_spec spec = {.name = v4, .kind = NET_HOST, .handler = event, .ctx = u};
    struct ip_prefix prefix[2] = {{kit_ip(v4), 24}, {kit_ip(v6), 64}};
    *u = (struct user){.to_send = COUNT, .net = w->net, .node = net_memory.node_add(w->net, &spec)};
    net_memory.iface_add(w->net, &(struct net_iface_spec){.node = u->node, .prefix = prefix, .prefix_count = 2});
}

/* b listens; a is connected to it. */
static void open_world(struct world *w)
{
    struct endpoint at = kit_endpoint("10.0.0.2:80"), any = {0};
    w->net = net_memory.create(1);
    add(w, &w->a, "10.0.0.1", "2001:db8::1");
    add(w, &w->b, "10.0.0.2", "2001:db8::2");
    assert_int_equal(net_memory.tcp_listen(w->net, w->b.node, &at, &w->listener), 0);
    assert_int_equal(net_memory.tcp_connect(w->net, w->a.node, &any, &at, &w->a.sock), 0);
    net_memory.run(w->net, NS_S);
    assert_int_equal(w->a.count[NET_CONNECTED], 1);
    assert_int_equal(w->b.count[NET_ACCEPTED], 1);
}

static void close_world(struct world *w)
{
    net_memory.destroy(w->net);
}

/* What is sent when it hears again, but before TCP would send the rest again, comes behind it. */
static void silence_holds_back(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    w.a.to_send = COUNT / 2;
    push(&w.a);
    net_memory.run(w.net, NS_S + NS_MS); /* under way */
    memory_silence(w.net, w.b.node, true);
    net_memory.run(w.net, 20 * NS_S);
    assert_int_equal(w.b.received, 0);
    memory_silence(w.net, w.b.node, false);
    w.a.to_send = COUNT;
    push(&w.a);
    net_memory.run(w.net, 60 * NS_S);
    assert_int_equal(w.b.received, COUNT);
    assert_int_equal(w.b.wrong, 0);
    close_world(&w);
}

static void silence_ends_connections(void **state)
{
    (void)state;
    struct world w;
    struct endpoint at = kit_endpoint("10.0.0.2:80"), any = {0};
    open_world(&w);
    memory_silence(w.net, w.b.node, true);
    net_sock s;
    assert_int_equal(net_memory.tcp_connect(w.net, w.a.node, &any, &at, &s), 0);
    net_memory.run(w.net, 200 * NS_S);
    assert_int_equal(w.a.count[NET_FAILED], 1);
    assert_int_equal(w.a.err, E_TIMED_OUT);
    assert_int_equal(w.a.at_ns, 128 * NS_S); /* 1 + 2 + 4 + ... + 64 s after it */
    close_world(&w);
    open_world(&w);
    push(&w.a);
    memory_silence(w.net, w.b.node, true);
    net_memory.run(w.net, 3600 * NS_S);
    assert_int_equal(w.a.count[NET_CLOSED], 1);
    assert_int_equal(w.a.err, E_TIMED_OUT);
    close_world(&w);
}

/* The SYN that is sent again reaches a peer that hears again. */
static void silence_ends_in_time(void **state)
{
    (void)state;
    struct world w;
    struct endpoint at = kit_endpoint("10.0.0.2:80"), any = {0};
    open_world(&w);
    memory_silence(w.net, w.b.node, true);
    net_sock s;
    assert_int_equal(net_memory.tcp_connect(w.net, w.a.node, &any, &at, &s), 0);
    net_memory.run(w.net, 10 * NS_S);
    memory_silence(w.net, w.b.node, false);
    net_memory.run(w.net, 20 * NS_S);
    assert_int_equal(w.a.count[NET_CONNECTED], 2);
    assert_int_equal(w.a.at_ns, 16 * NS_S + MEMORY_DELAY_NS); /* 1 + 2 + 4 + 8 s after the first, and its answer */
    close_world(&w);
}

static void datagrams(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    for (int v6 = 0; v6 < 2; v6++) {
        struct endpoint to = kit_endpoint(v6 ? "[2001:db8::2]:9" : "10.0.0.2:9"), any = {0};
        struct endpoint nobody = kit_endpoint(v6 ? "[2001:db8::3]:9" : "10.0.0.3:9");
        net_sock s;
        assert_int_equal(net_memory.udp_open(w.net, w.a.node, &any, &s), 0);
        assert_int_equal(net_memory.udp_send(w.net, s, &nobody, "x", 1), E_UNREACHABLE);
        assert_int_equal(net_memory.udp_send(w.net, s, &to, "x", 1), 0);
        net_memory.run(w.net, net_memory.now(w.net) + NS_S);
        assert_int_equal(w.a.icmp, v6 ? 0x0104 : 0x0303); /* port unreachable */
        w.a.icmp = 0;
        memory_silence(w.net, w.b.node, true);
        assert_int_equal(net_memory.udp_send(w.net, s, &to, "x", 1), 0);
        net_memory.run(w.net, net_memory.now(w.net) + NS_S);
        memory_silence(w.net, w.b.node, false);
        net_memory.run(w.net, net_memory.now(w.net) + 200 * NS_S);
        assert_int_equal(w.a.icmp, 0); /* lost for good */
    }
    close_world(&w);
}

/* Who ends first keeps the pair of addresses for a minute; the other side's SYN may have it. */
static void time_wait(void **state)
{
    (void)state;
    struct world w;
    struct endpoint at = kit_endpoint("10.0.0.2:80"), from = kit_endpoint("10.0.0.1:5000");
    net_sock s;
    open_world(&w);
    assert_int_equal(net_memory.tcp_connect(w.net, w.a.node, &from, &at, &s), 0);
    net_memory.run(w.net, 2 * NS_S);
    net_memory.sock_close(w.net, s);
    net_memory.run(w.net, 3 * NS_S);
    net_memory.sock_close(w.net, w.b.sock);
    net_memory.run(w.net, 62 * NS_S);
    assert_int_equal(net_memory.tcp_connect(w.net, w.a.node, &from, &at, &s), E_EXISTS);
    net_memory.run(w.net, 64 * NS_S);
    assert_int_equal(net_memory.tcp_connect(w.net, w.a.node, &from, &at, &s), 0);
    net_memory.run(w.net, 65 * NS_S);
    assert_int_equal(w.b.count[NET_ACCEPTED], 3);
    close_world(&w);
}

/* RFC 1122 4.2.2.13: a socket that is closed with bytes unread resets. */
static void closed_unread(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    w.b.deaf = true;
    assert_int_equal(net_memory.tcp_send(w.net, w.a.sock, "x", 1), 1);
    net_memory.run(w.net, 2 * NS_S);
    net_memory.sock_close(w.net, w.b.sock);
    net_memory.run(w.net, 3 * NS_S);
    assert_int_equal(w.a.count[NET_CLOSED], 1);
    assert_int_equal(w.a.err, E_RESET);
    close_world(&w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        {"silence holds back", silence_holds_back, NULL, NULL, NULL},
        {"silence ends connections", silence_ends_connections, NULL, NULL, NULL},
        {"silence ends in time", silence_ends_in_time, NULL, NULL, NULL},
        {"datagrams", datagrams, NULL, NULL, NULL},
        {"TIME_WAIT", time_wait, NULL, NULL, NULL},
        {"closed with bytes unread", closed_unread, NULL, NULL, NULL},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
