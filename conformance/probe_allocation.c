/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Allocations, and the connections of RFC 6062 through them. */
#include "conformance/probe_parts.h"
#include "models/base/err.h"

struct asked {
    enum ip_proto transport;
    int family;
};

static void fill_allocate(struct message *m, const void *arg)
{
    const struct asked *a = arg;
    message_put_u32(m, ATTR_REQUESTED_TRANSPORT, (uint32_t)a->transport << 24);
    if (a->family != IP_V4)
        message_put_u32(m, ATTR_REQUESTED_ADDRESS_FAMILY, (uint32_t)a->family << 24);
}

static struct line *control_line(struct probe *p, enum place from, enum ip_proto via)
{
    if (via == PROTO_TCP)
        return probe_dial(p, from);
    if (!probe_server(p, PROTO_UDP, IP_V4).port)
        probe_skip(p, "the server does not serve clients over UDP");
    return probe_udp(p, from, IP_V4);
}

struct allocation *allocate_as(struct probe *p, enum place from, unsigned user, enum ip_proto via,
                               enum ip_proto transport, int family)
{
    struct allocation *a = probe_alloc(p, sizeof *a);
    *a = (struct allocation){.p = p, .login = login_new(p, user), .control = control_line(p, from, via),
                             .transport = transport};
    struct heard h = login_ask(a->login, a->control, TURN_ALLOCATE, fill_allocate, &(struct asked){transport, family});
    expect_code(p, &h, 0, transport == PROTO_TCP ? "Allocate of a TCP relay" : "Allocate of a UDP relay");
    if (!heard_address(&h, ATTR_XOR_RELAYED_ADDRESS, &a->relayed))
        probe_fail(p, "Allocate success came without XOR-RELAYED-ADDRESS");
    if (!heard_address(&h, ATTR_XOR_MAPPED_ADDRESS, &a->mapped))
        probe_fail(p, "Allocate success came without XOR-MAPPED-ADDRESS");
    if (!heard_u32(&h, ATTR_LIFETIME, &a->lifetime))
        probe_fail(p, "Allocate success came without LIFETIME");
    return a;
}

struct allocation *allocate(struct probe *p, enum ip_proto via, enum ip_proto transport)
{
    return allocate_as(p, CLIENT1, USER1, via, transport, IP_V4);
}

void allocation_permit(struct allocation *a, enum place peer)
{
    struct endpoint e = {.ip = probe_ip(a->p, peer, a->relayed.ip.family)};
    struct heard h = ask_permission(a->login, a->control, &e);
    expect_code(a->p, &h, 0, "CreatePermission");
}

static uint32_t connection_of(struct allocation *a, const struct heard *h, const char *what)
{
    uint32_t id = 0;
    if (!heard_u32(h, ATTR_CONNECTION_ID, &id))
        probe_fail(a->p, "%s came without CONNECTION-ID", what);
    return id;
}

struct pair allocation_connect(struct allocation *a, enum place peer)
{
    struct pair pair = {.listener = probe_listen(a->p, peer, a->relayed.ip.family)};
    struct heard h = ask_connect(a->login, a->control, &pair.listener->local);
    expect_code(a->p, &h, 0, "Connect to a peer that listens");
    pair.connection = connection_of(a, &h, "Connect success");
    pair.peer = probe_accept(a->p, pair.listener, probe_soon(a->p));
    if (!pair.peer)
        probe_fail(a->p, "Connect was answered with success, but no connection came to the peer");
    return pair;
}

struct pair allocation_incoming(struct allocation *a, enum place peer)
{
    struct pair pair = {0};
    allocation_permit(a, peer);
    pair.peer = probe_dial_to(a->p, peer, &a->relayed);
    if (line_state_now(pair.peer) == LINE_FAILED)
        probe_fail(a->p, "a peer with a permission could not connect to the relayed address: %s",
                   err_text(line_err(pair.peer)));
    struct heard h = line_indication(a->control, TURN_CONNECTION_ATTEMPT, probe_soon(a->p));
    if (h.kind != HEARD_STUN)
        probe_fail(a->p, "a peer with a permission has connected, but no ConnectionAttempt came");
    pair.connection = connection_of(a, &h, "ConnectionAttempt");
    return pair;
}

void pair_bind(struct allocation *a, struct pair *pair)
{
    pair->data = probe_dial(a->p, a->control->at);
    struct heard h = ask_bind(a->login, pair->data, pair->connection);
    expect_code(a->p, &h, 0, "ConnectionBind");
}
