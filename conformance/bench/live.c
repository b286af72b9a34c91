/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A server on the net: all places of the probe are this machine. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conformance/bench/bench.h"
#include "models/base/err.h"
#include "models/base/time.h"
#include "sim/posix/posix.h"

/* Ports of probes stand below those that systems hand out by themselves. Each probe begins at a place of its own:
 * others may run at the same time, and a server may take a while to forget the 5-tuples of the one before. */
enum { FIRST_LISTENER = 10000, LISTENERS = 22000, STEP = 61 };
#define SOON_DEFAULT_NS (2 * NS_S)

static uint16_t first_port(void)
{
    static unsigned made;
    return (uint16_t)(FIRST_LISTENER + ((unsigned)getpid() + made++) * STEP % LISTENERS);
}

static void free_live(struct bench *b)
{
    if (b->net)
        b->net->ops->destroy(b->net);
    free(b);
}

static int deafen(struct bench *b, net_sock listener, bool deaf)
{
    return posix_deafen(b->net, listener, deaf);
}

/* 127.0.0.2 and so on: all of 127.0.0.0/8 is this machine. */
static struct ip_addr loopback(enum place at)
{
    return ip_v4(0x7f000002u + at);
}

/* Where the probe speaks from at a place: given, or what the kernel would take, or on loopback one of its own. */
static void set_address(struct bench *b, enum place at, const struct endpoint *server, const struct ip_addr *given)
{
    unsigned f = server->ip.family == IP_V6;
    struct ip_addr *ip = &b->ip[at][f];
    if (given && given->family)
        *ip = *given;
    else if (!f && ip_is_loopback(&server->ip))
        *ip = loopback(at);
    else if (posix_source(server, ip) != 0)
        *ip = (struct ip_addr){0};
}

static void set_addresses(struct bench *b, const struct live_server *s)
{
    const struct endpoint *v4 = s->tcp.port ? &s->tcp : &s->udp, *v6 = s->tcp6.port ? &s->tcp6 : &s->udp6;
    for (unsigned i = 0; i < 2 && v4->port; i++) {
        set_address(b, CLIENT1 + i, v4, &s->client[i]);
        set_address(b, PEER1 + i, v4, &s->peer[i]);
    }
    for (unsigned i = 0; i < 2 && v6->port; i++) {
        set_address(b, CLIENT1 + i, v6, NULL);
        set_address(b, PEER1 + i, v6, &s->peer6);
    }
}

static unsigned abilities(const struct bench *b, const struct live_server *s)
{
    unsigned has = NEED_SILENT_PEER | NEED_ALONE | NEED_ICMP;
    if (!ip_equal(&b->ip[CLIENT1][0], &b->ip[CLIENT2][0]))
        has |= NEED_CLIENT2;
    if (!ip_equal(&b->ip[PEER1][0], &b->ip[PEER2][0]))
        has |= NEED_PEER2;
    if (s->user[1].name)
        has |= NEED_USER2;
    if (s->udp.port)
        has |= NEED_UDP_CLIENT;
    if ((s->tcp6.port || s->udp6.port) && b->ip[CLIENT1][1].family && b->ip[PEER1][1].family)
        has |= NEED_IP6;
    return has;
}

struct bench *bench_live(const struct live_server *s, uint64_t timeout_ns, const struct bench_seats *seats)
{
    struct bench *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    *b = (struct bench){
        .net = net_posix.create(0), .real_time = true, .soon_ns = timeout_ns ? timeout_ns : SOON_DEFAULT_NS,
        .tcp = {s->tcp, s->tcp6}, .udp = {s->udp, s->udp6},
        .first_port = first_port(),
        .deafen = deafen, .free = free_live,
    };
    for (size_t i = 0; i < 2; i++)
        b->user[i] = (struct bench_user){s->user[i].name, s->user[i].password};
    if (!b->net) {
        free_live(b);
        return NULL;
    }
    struct net_node_spec here = {.name = "here", .kind = NET_HOST, .handler = seats->probe, .ctx = seats->ctx};
    net_node node = b->net->ops->node_add(b->net, &here);
    for (unsigned at = 0; at < SERVER; at++)
        b->node[at] = node;
    set_addresses(b, s);
    b->has = abilities(b, s);
    return b;
}
