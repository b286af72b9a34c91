/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 6062 5.3: a peer's connection to the relayed transport address. */
#include "conformance/rfc6062/rfc6062.h"

static void accepted_first(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct line *peer = dial_relay(a, PEER1); /* established: a RST instead of SYN-ACK fails this */
    expect_closed(p, peer, probe_soon(p), "a peer's connection without permission");
}

static void early_bytes(struct probe *p)
{
    static const uint64_t len[] = {1, 1460, 16 * KIB, 64 * KIB, MIB};
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    for (size_t i = 0; i < sizeof len / sizeof *len; i++) {
        struct pair pair = allocation_incoming(a, PEER1);
        expect_early_bytes(a, &pair, len[i]);
    }
}

static void back_pressure(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = allocation_incoming(a, PEER1);
    expect_held_back(a, &pair);
}

static void closed_without_permission(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP), *other = allocate(p, PROTO_TCP, PROTO_TCP);
    struct line *peer = dial_relay(a, PEER1);
    expect_closed(p, peer, probe_soon(p), "a peer's connection without permission");
    allocation_permit(other, PEER1);
    peer = dial_relay(a, PEER1);
    expect_closed(p, peer, probe_soon(p), "a connection of a peer that only another allocation permits");
    expect_no_attempt(a, "though this allocation does not permit the peer");
    expect_no_attempt(other, "though the peer connected to another allocation");
}

/* A ConnectionAttempt for that peer's connection. */
static struct heard expect_attempt(struct allocation *a, const char *when)
{
    struct heard h = line_indication(a->control, TURN_CONNECTION_ATTEMPT, probe_soon(a->p));
    probe_require(a->p, h.kind == HEARD_STUN, "no ConnectionAttempt came %s", when);
    return h;
}

static void attempt_with_permission(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    allocation_permit(a, PEER1);
    struct line *peer = dial_relay(a, PEER1);
    struct heard h = expect_attempt(a, "for a peer with permission");
    probe_require(p, h.stun.cls == STUN_INDICATION, "ConnectionAttempt is type 0x%04x", h.stun.type);
    expect_open(p, peer, probe_soon(p), "the connection of a peer with permission");
}

static void attempt_names_peer(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    allocation_permit(a, PEER1);
    struct endpoint from = line_local(dial_relay(a, PEER1)), told;
    struct heard h = expect_attempt(a, "for a peer with permission");
    char is[ENDPOINT_TEXT], says[ENDPOINT_TEXT];
    probe_require(p, heard_address(&h, ATTR_XOR_PEER_ADDRESS, &told), "ConnectionAttempt has no XOR-PEER-ADDRESS");
    probe_require(p, endpoint_equal(&from, &told), "XOR-PEER-ADDRESS is %s; the peer connected from %s",
                  endpoint_text(&told, says), endpoint_text(&from, is));
}

static void attempts_have_own_ids(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair one = allocation_incoming(a, PEER1), two = allocation_incoming(a, PEER1);
    probe_require(p, one.connection != two.connection, "two connections have CONNECTION-ID 0x%08x", one.connection);
    pair_bind(a, &two);
    pair_bind(a, &one);
    expect_carries(p, &one, 0, 0, KIB);
    expect_carries(p, &two, 1, 0, KIB);
}

static void unbound_is_closed(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = allocation_incoming(a, PEER1);
    expect_closed_at_30s(p, pair.peer, probe_now(p), "an incoming connection that is not bound");
}

static void any_port_is_permitted(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct endpoint discard = {.ip = probe_ip(p, PEER1, IP_V4), .port = 9};
    struct heard h = ask_permission(a->login, a->control, &discard);
    expect_code(p, &h, 0, "CreatePermission");
    dial_relay(a, PEER1);
    expect_attempt(a, "though there is a permission for the peer's address, with another port");
}

static void permission_expires(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    allocation_permit(a, PEER1);
    probe_wait(p, 290 * NS_S);
    dial_relay(a, PEER1);
    expect_attempt(a, "290 s after CreatePermission");
    probe_wait(p, 15 * NS_S);
    struct line *peer = dial_relay(a, PEER1);
    expect_closed(p, peer, probe_soon(p), "a peer's connection 305 s after CreatePermission");
    expect_no_attempt(a, "305 s after CreatePermission");
}

static void refuses_when_gone(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    allocation_permit(a, PEER1);
    struct heard h = ask_refresh(a->login, a->control, 0);
    expect_code(p, &h, 0, "a Refresh with LIFETIME 0");
    expect_relay_gone(a, "a Refresh with LIFETIME 0");
}

static void no_response_expected(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    allocation_permit(a, PEER1);
    struct line *peer = dial_relay(a, PEER1);
    struct heard h = expect_attempt(a, "for a peer with permission");
    struct message *response = message_new(p, STUN_SUCCESS, TURN_CONNECTION_ATTEMPT);
    message_set_id(response, &h.stun.id);
    line_send_message(a->control, response);
    h = line_indication(a->control, TURN_CONNECTION_ATTEMPT, 3 * NS_S);
    probe_require(p, h.kind == HEARD_NOTHING, "ConnectionAttempt was sent again, or the control connection ended");
    expect_open(p, peer, 0, "the peer's connection");
    expect_served(a, "a response to ConnectionAttempt");
}

static const struct requirement rows[] = {
    {"6062-5.3-1", "5.3", LEVEL_MUST, WHO_SERVER,
     "A peer's connection to the relayed address is accepted first, whatever the permissions.",
     .probe = accepted_first},
    {"6062-5.3-2", "5.3", LEVEL_STATED, WHO_SERVER, "Nothing is sent to the client about a connection whose accept "
     "fails.", .none = "whether accept fails is the server's affair: a peer that resets its connection at once may be "
     "seen by the server before or after, and both are right"},
    {"6062-5.3-3", "5.3", LEVEL_MUST, WHO_SERVER,
     "What the peer sends before the bind is kept and delivered, or its connection is dropped as a whole.",
     .probe = early_bytes},
    {"6062-5.3-4", "5.3", LEVEL_STATED, WHO_SERVER,
     "A peer that sends more before the bind than there is room for is held back by TCP's window.",
     .probe = back_pressure},
    {"6062-5.3-5", "5.3", LEVEL_MUST, WHO_SERVER,
     "The connection of a peer without permission in this allocation is closed at once.",
     .probe = closed_without_permission},
    {"6062-5.3-6", "5.3", LEVEL_STATED, WHO_SERVER, "That of a peer with permission is told by ConnectionAttempt.",
     .probe = attempt_with_permission},
    {"6062-5.3-7", "5.3", LEVEL_MUST, WHO_SERVER,
     "ConnectionAttempt has the peer's transport address in XOR-PEER-ADDRESS.", .probe = attempt_names_peer},
    {"6062-5.3-8", "5.3", LEVEL_MUST, WHO_SERVER, "ConnectionAttempt has a CONNECTION-ID of this connection alone.",
     .probe = attempts_have_own_ids},
    {"6062-5.3-9", "5.3", LEVEL_MUST, WHO_SERVER,
     "A peer connection that is not bound within 30 s after ConnectionAttempt is closed then.",
     .probe = unbound_is_closed, .seconds = 30},
    {"6062-5.3-10", "5.3", LEVEL_DERIVED, WHO_SERVER, "Permissions are for addresses: the port does not matter.",
     .probe = any_port_is_permitted},
    {"6062-5.3-11", "5.3", LEVEL_DERIVED, WHO_SERVER,
     "300 s after CreatePermission new connections of that peer are closed.", .probe = permission_expires,
     .seconds = 305},
    {"6062-5.3-12", "5.3", LEVEL_DERIVED, WHO_SERVER,
     "When the allocation has ended, the relayed address accepts no connections.", .probe = refuses_when_gone},
    {"6062-5.3-13", "5.3", LEVEL_DERIVED, WHO_SERVER,
     "ConnectionAttempt is sent once and awaits no response.", .probe = no_response_expected},
};

const struct section rfc6062_incoming = SECTION(rows);
