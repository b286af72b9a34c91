/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listeners that do not answer, and what the resolver knows. */
#include <unistd.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "models/testkit/testkit.h"
#include "sim/posix/posix.h"

struct seen {
    struct net *net;
    unsigned of[NET_ICMP + 1];
};

static void handle(void *ctx, const struct net_event *ev)
{
    struct seen *s = ctx;
    s->of[ev->kind]++;
}

static void run(struct seen *s, uint64_t ns)
{
    net_posix.run(s->net, net_posix.now(s->net) + ns);
}

/* A SYN that finds it deaf is answered once it hears, when the kernel sends it again: after a second. */
static void a_listener_is_deaf_for_a_while(void **state)
{
    (void)state;
    struct seen s = {.net = net_posix.create(1)};
    struct net_node_spec spec = {.name = "host", .kind = NET_HOST, .handler = handle, .ctx = &s};
    net_node host = net_posix.node_add(s.net, &spec);
    struct endpoint at = {kit_ip("127.0.0.1"), (uint16_t)(10000 + getpid() % 9000)}, any = {.ip.family = IP_V4};
    net_sock listener, a;
    int err;
    while ((err = net_posix.tcp_listen(s.net, host, &at, &listener)) == E_EXISTS)
        at.port++;
    assert_int_equal(err, 0);
    for (int round = 0; round < 2; round++) {
        s = (struct seen){.net = s.net};
        assert_int_equal(posix_deafen(s.net, listener, true), 0);
        assert_int_equal(net_posix.tcp_connect(s.net, host, &any, &at, &a), 0);
        run(&s, 300 * NS_MS);
        assert_int_equal(s.of[NET_CONNECTED], 0);
        assert_int_equal(s.of[NET_ACCEPTED], 0);
        assert_int_equal(posix_deafen(s.net, listener, false), 0);
        for (int i = 0; i < 100 && !(s.of[NET_CONNECTED] && s.of[NET_ACCEPTED]); i++)
            run(&s, 100 * NS_MS);
        assert_int_equal(s.of[NET_CONNECTED], 1);
        assert_int_equal(s.of[NET_ACCEPTED], 1);
        run(&s, 100 * NS_MS); /* the connections that kept it busy are not told of */
        assert_int_equal(s.of[NET_ACCEPTED], 1);
    }
    net_posix.destroy(s.net);
}

static void addresses_are_found(void **state)
{
    (void)state;
    struct ip_addr ip, v4, v6;
    struct endpoint to = {kit_ip("127.0.0.9"), 9};
    assert_int_equal(posix_source(&to, &ip), 0);
    assert_true(ip_is_loopback(&ip));
    assert_int_equal(posix_resolve("127.0.0.7", &v4, &v6), 0);
    struct ip_addr expected = kit_ip("127.0.0.7");
    assert_true(ip_equal(&v4, &expected));
    assert_int_equal(v6.family, IP_NONE);
    assert_int_equal(posix_resolve("no host has such a name", &v4, &v6), E_NOT_FOUND);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        {"a listener is deaf for a while", a_listener_is_deaf_for_a_while, NULL, NULL, NULL},
        {"addresses are found", addresses_are_found, NULL, NULL, NULL},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
