/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 6062 5.5: how data connections end. */
#include "conformance/rfc6062/rfc6062.h"

enum { LATE_S = 30 }; /* no RFC says how fast an expiry is carried out */

/* Refreshes for as short a life as the server gives; what it gives, in seconds. */
static uint32_t shorten(struct allocation *a)
{
    struct heard h = ask_refresh(a->login, a->control, 60);
    uint32_t lifetime;
    expect_code(a->p, &h, 0, "a Refresh");
    probe_require(a->p, heard_u32(&h, ATTR_LIFETIME, &lifetime) && lifetime, "Refresh success has no LIFETIME");
    return lifetime;
}

static void expect_gone(struct allocation *a, const struct pair *pair)
{
    expect_closed(a->p, pair->data, LATE_S * NS_S, "the data connection of an allocation that has expired");
    expect_closed(a->p, pair->peer, LATE_S * NS_S, "the peer connection of an allocation that has expired");
    expect_relay_gone(a, "the allocation's expiry");
}

static void expiry(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = bound_pair(a, PEER1);
    uint32_t lifetime = shorten(a);
    expect_open(p, pair.data, (lifetime - 1) * NS_S, "a data connection before its allocation expires");
    expect_gone(a, &pair);
}

static void client_ends(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair one = bound_pair(a, PEER1), two = bound_pair(a, PEER1);
    line_close(one.data);
    expect_closed(p, one.peer, probe_soon(p), "the peer connection of a data connection that was closed");
    line_reset(two.data);
    expect_closed(p, two.peer, probe_soon(p), "the peer connection of a data connection that was reset");
}

static void peer_ends(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair one = bound_pair(a, PEER1), two = bound_pair(a, PEER1);
    line_close(one.peer);
    expect_closed(p, one.data, probe_soon(p), "the data connection of a peer connection that was closed");
    line_reset(two.peer);
    expect_closed(p, two.data, probe_soon(p), "the data connection of a peer connection that was reset");
}

static void last_bytes(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair in = bound_pair(a, PEER1), out = bound_pair(a, PEER1);
    line_send_pattern(in.peer, 0, 0, MIB);
    line_end(in.peer);
    line_expect_pattern(in.data, 0, 0, MIB, 5 * probe_soon(p));
    expect_closed(p, in.data, probe_soon(p), "the data connection of a peer that has sent all and ended");
    line_send_pattern(out.data, 1, 0, MIB);
    line_end(out.data);
    line_expect_pattern(out.peer, 1, 0, MIB, 5 * probe_soon(p));
    expect_closed(p, out.peer, probe_soon(p), "the peer connection of a client that has sent all and ended");
}

static void others_survive(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair one = bound_pair(a, PEER1), two = bound_pair(a, PEER1), three = bound_pair(a, PEER1);
    line_close(two.data);
    expect_closed(p, two.peer, probe_soon(p), "the peer connection of a data connection that was closed");
    line_close(two.peer);
    probe_wait(p, NS_S);
    expect_carries(p, &one, 0, 0, KIB);
    expect_carries(p, &three, 1, 0, KIB);
    expect_served(a, "the end of one of its data connections");
}

static void traffic_does_not_refresh(struct probe *p)
{
    enum { EVERY_S = 10 };
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = bound_pair(a, PEER1);
    uint32_t lifetime = shorten(a);
    for (uint64_t at = 0; at + EVERY_S < lifetime; at += EVERY_S) {
        expect_carries(p, &pair, 0, at, EVERY_S);
        probe_wait(p, EVERY_S * NS_S);
    }
    expect_closed(p, pair.data, (EVERY_S + LATE_S) * NS_S, "a busy data connection of an allocation that has expired");
}

static const struct requirement rows[] = {
    {"6062-5.5-1", "5.5", LEVEL_MUST, WHO_SERVER,
     "When an allocation expires, its data connections and peer connections are closed.", .probe = expiry,
     .seconds = 600},
    {"6062-5.5-2", "5.5", LEVEL_MUST, WHO_SERVER,
     "When a data connection is closed, the peer connection is closed.", .probe = client_ends},
    {"6062-5.5-3", "5.5", LEVEL_MUST, WHO_SERVER,
     "When a peer connection is closed, the data connection is closed.", .probe = peer_ends},
    {"6062-5.5-4", "5.5", LEVEL_DERIVED, WHO_SERVER,
     "What the side that ends has sent is delivered before the other is closed.", .probe = last_bytes},
    {"6062-5.5-5", "5.5", LEVEL_DERIVED, WHO_SERVER,
     "The end of one pair leaves the others, and the allocation, as they are.", .probe = others_survive},
    {"6062-5.5-6", "5.5", LEVEL_DERIVED, WHO_SERVER, "Traffic does not prolong an allocation.",
     .probe = traffic_does_not_refresh, .seconds = 600},
};

const struct section rfc6062_maintenance = SECTION(rows);
