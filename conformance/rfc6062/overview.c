/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 6062 3: what the extension is, as far as it binds by itself. */
#include "conformance/rfc6062/rfc6062.h"

#include <string.h>

static void one_control_connection(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP), *b = allocate(p, PROTO_TCP, PROTO_TCP);
    probe_require(p, !endpoint_equal(&a->relayed, &b->relayed), "two allocations have the same relayed address");
    allocation_permit(a, PEER1);
    allocation_permit(b, PEER1);
    dial_relay(a, PEER1);
    struct heard h = line_indication(a->control, TURN_CONNECTION_ATTEMPT, probe_soon(p));
    probe_require(p, h.kind == HEARD_STUN, "no ConnectionAttempt on the first control connection");
    expect_no_attempt(b, "though the peer connected to the other allocation's relayed address");
    dial_relay(b, PEER1);
    h = line_indication(b->control, TURN_CONNECTION_ATTEMPT, probe_soon(p));
    probe_require(p, h.kind == HEARD_STUN, "no ConnectionAttempt on the second control connection");
    expect_no_attempt(a, "though the peer connected to the other allocation's relayed address");
}

static void pairs_do_not_mix(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair one = allocation_connect(a, PEER1), two = allocation_connect(a, PEER1);
    pair_bind(a, &two);
    pair_bind(a, &one);
    for (uint64_t at = 0; at < 16 * KIB; at += 4 * KIB) {
        expect_carries(p, &one, 0, at, 4 * KIB);
        expect_carries(p, &two, 1, at, 4 * KIB);
    }
}

/* Sends the message over a bound connection; the peer gets these bytes. */
static void expect_relayed_as_bytes(struct probe *p, const struct pair *pair, struct message *m, const char *what)
{
    uint8_t got[1024];
    size_t *len;
    const uint8_t *sent = message_bytes(m, &len);
    line_send(pair->data, sent, *len);
    probe_require(p, line_read_all(pair->peer, got, *len, probe_soon(p)) && memcmp(got, sent, *len) == 0,
                  "%s sent over the data connection did not reach the peer unchanged", what);
}

static void data_is_not_stun(struct probe *p)
{
    static const uint8_t channel_data[] = {0x40, 0x00, 0x00, 0x04, 'd', 'a', 't', 'a'};
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = bound_pair(a, PEER1);
    uint8_t got[sizeof channel_data];
    expect_relayed_as_bytes(p, &pair, message_request(p, STUN_BINDING), "a Binding request");
    struct message *refresh = message_request(p, TURN_REFRESH);
    message_put_u32(refresh, ATTR_LIFETIME, 0);
    message_sign(refresh, a->login);
    expect_relayed_as_bytes(p, &pair, refresh, "a Refresh");
    line_send(pair.data, channel_data, sizeof channel_data);
    probe_require(p, line_read_all(pair.peer, got, sizeof got, probe_soon(p)) &&
                  memcmp(got, channel_data, sizeof got) == 0, "ChannelData did not reach the peer unchanged");
    probe_require(p, line_read(pair.data, got, 1, probe_soon(p)) == 0,
                  "the server answered on a bound data connection");
    expect_served(a, "a Refresh with LIFETIME 0 as data");
}

static void control_is_only_stun(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = allocation_incoming(a, PEER1);
    line_offer_pattern(pair.peer, 0, 0, 16 * KIB);
    pair_bind(a, &pair);
    line_expect_pattern(pair.data, 0, 0, 16 * KIB, probe_soon(p));
    line_send_pattern(pair.peer, 0, 16 * KIB, 64 * KIB);
    line_expect_pattern(pair.data, 0, 16 * KIB, 64 * KIB, probe_soon(p));
    struct heard h = line_hear(a->control, probe_soon(p));
    probe_require(p, h.kind == HEARD_NOTHING || (h.kind == HEARD_STUN && h.stun.cls == STUN_INDICATION),
                  "the control connection brought something, or ended, while the peer sent data");
    expect_served(a, "80 KiB of the peer's data");
}

static void listens_on_relayed_address(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    dial_relay(a, PEER1);
}

static void success_after_handshake(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct line *listener = probe_listen(p, PEER1, IP_V4);
    struct endpoint at = line_local(listener);
    probe_silence(p, PEER1, true);
    struct message *m = begin_connect(a->login, a->control, &at);
    struct heard h = line_answer(a->control, m, 2 * NS_S);
    char buf[HEARD_TEXT];
    probe_require(p, h.kind == HEARD_NOTHING, "Connect was answered with %s before the peer answered the SYN",
                  heard_text(&h, buf));
    probe_silence(p, PEER1, false);
    h = line_answer(a->control, m, 15 * NS_S);
    expect_code(p, &h, 0, "a Connect whose first SYN was lost");
    probe_require(p, probe_accept(p, listener, probe_soon(p)) != NULL, "no connection reached the peer");
}

static void one_connection_a_peer(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = allocation_connect(a, PEER1);
    struct endpoint at = line_local(pair.listener);
    struct heard h = ask_connect(a->login, a->control, &at);
    expect_code(p, &h, 446, "a second Connect to the same peer address");
    probe_require(p, probe_accept(p, pair.listener, probe_soon(p)) == NULL,
                  "the peer got a second connection from the same allocation");
}

static void limit_is_per_address_and_allocation(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP), *b = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair one = allocation_connect(a, PEER1);
    allocation_connect(a, PEER1); /* another port */
    struct endpoint at = line_local(one.listener);
    struct heard h = ask_connect(b->login, b->control, &at);
    expect_code(p, &h, 0, "a Connect of another allocation to the same peer address");
}

static void no_framing(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = bound_pair(a, PEER1);
    uint8_t b;
    line_send_pattern(pair.data, 1, 0, MIB);
    line_expect_pattern(pair.peer, 1, 0, MIB, 5 * probe_soon(p));
    line_send_pattern(pair.peer, 2, 0, MIB);
    line_expect_pattern(pair.data, 2, 0, MIB, 5 * probe_soon(p));
    probe_require(p, line_read(pair.peer, &b, 1, probe_soon(p)) == 0 && line_read(pair.data, &b, 1, 0) == 0,
                  "there are more bytes than were sent");
}

static void incoming_needs_permission(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct line *peer = dial_relay(a, PEER1);
    expect_closed(p, peer, probe_soon(p), "a peer's connection without permission");
    expect_no_attempt(a, "though the peer has no permission");
    allocation_incoming(a, PEER1);
}

static void attempt_has_connection_id(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    allocation_permit(a, PEER1);
    dial_relay(a, PEER1);
    struct heard h = line_indication(a->control, TURN_CONNECTION_ATTEMPT, probe_soon(p));
    uint32_t connection;
    probe_require(p, h.kind == HEARD_STUN, "no ConnectionAttempt came on the control connection");
    probe_require(p, h.stun.type == 0x001c, "ConnectionAttempt is type 0x%04x", h.stun.type);
    probe_require(p, heard_u32(&h, ATTR_CONNECTION_ID, &connection), "ConnectionAttempt has no CONNECTION-ID");
}

static void unbound_is_closed(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair out = allocation_connect(a, PEER1), in = allocation_incoming(a, PEER1);
    expect_closed(p, out.peer, 40 * NS_S, "the peer connection of a Connect that is never bound");
    expect_closed(p, in.peer, 10 * NS_S, "an incoming peer connection that is never bound");
}

static void ends_together(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair one = bound_pair(a, PEER1), two = bound_pair(a, PEER1);
    line_close(one.data);
    expect_closed(p, one.peer, probe_soon(p), "the peer connection of a data connection that the client closed");
    line_close(two.peer);
    expect_closed(p, two.data, probe_soon(p), "the data connection of a peer connection that the peer closed");
}

/* From one end to the other, which does not read for a while. */
static void expect_flow_control(struct probe *p, struct line *from, struct line *to, const char *what)
{
    line_pause(to, true);
    uint64_t sent = flood(p, from, 0);
    probe_require(p, line_state_now(from) == LINE_OPEN, "%s: closed after %llu bytes that nobody read", what,
                  (unsigned long long)sent);
    probe_require(p, sent < FLOOD, "%s: the server took %llu bytes that nobody read", what, (unsigned long long)sent);
    line_pause(to, false);
    line_expect_pattern(to, 0, 0, sent, 10 * probe_soon(p));
}

static void flow_control(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = bound_pair(a, PEER1);
    expect_flow_control(p, pair.data, pair.peer, "client to peer");
    expect_flow_control(p, pair.peer, pair.data, "peer to client");
}

static void comes_from_relayed_address(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = allocation_connect(a, PEER1);
    struct endpoint from = line_remote(pair.peer);
    char is[ENDPOINT_TEXT], should[ENDPOINT_TEXT];
    probe_require(p, endpoint_equal(&from, &a->relayed), "the connection came from %s; XOR-RELAYED-ADDRESS is %s",
                  endpoint_text(&from, is), endpoint_text(&a->relayed, should));
}

static const struct requirement rows[] = {
    {"6062-3-1", "3", LEVEL_STATED, WHO_SERVER,
     "Each allocation has exactly one control connection: the one that carried its Allocate.",
     .probe = one_control_connection},
    {"6062-3-2", "3", LEVEL_STATED, WHO_SERVER,
     "Each peer connection is paired with a client data connection of its own.", .probe = pairs_do_not_mix},
    {"6062-3-3", "3", LEVEL_STATED, WHO_SERVER | WHO_CLIENT,
     "After a successful ConnectionBind a connection carries application bytes only; nothing on it is read as STUN.",
     .probe = data_is_not_stun},
    {"6062-3-4", "3", LEVEL_STATED, WHO_SERVER, "The control connection never carries application bytes.",
     .probe = control_is_only_stun},
    {"6062-3-5", "3", LEVEL_STATED, WHO_SERVER, "A server allocates a TCP port and listens on it.",
     .probe = listens_on_relayed_address},
    {"6062-3-6", "3", LEVEL_STATED, WHO_SERVER,
     "Connect is answered with success only when the TCP connection to the peer is established.",
     .probe = success_after_handshake, .needs = NEED_SILENT_PEER},
    {"6062-3-7", "3", LEVEL_STATED, WHO_SERVER,
     "An allocation has at most one connection to each peer transport address.",
     .probe = one_connection_a_peer},
    {"6062-3-8", "3", LEVEL_DERIVED, WHO_SERVER,
     "That limit is per transport address and per allocation: another port, or another allocation, is not refused.",
     .probe = limit_is_per_address_and_allocation},
    {"6062-3-9", "3", LEVEL_STATED, WHO_SERVER, "Data is relayed without framing, in both directions.",
     .probe = no_framing},
    {"6062-3-10", "3", LEVEL_STATED, WHO_SERVER,
     "A peer's connection is checked against permissions, which CreatePermission makes over the control connection.",
     .probe = incoming_needs_permission},
    {"6062-3-11", "3", LEVEL_STATED, WHO_SERVER,
     "ConnectionAttempt comes on the control connection and carries a connection identifier.",
     .probe = attempt_has_connection_id},
    {"6062-3-12", "3", LEVEL_STATED, WHO_SERVER, "Peer connections that are not bound are closed after a timeout.",
     .probe = unbound_is_closed, .seconds = 30},
    {"6062-3-13", "3", LEVEL_STATED, WHO_SERVER,
     "When the client closes a data connection, the peer connection is closed, and the other way round.",
     .probe = ends_together},
    {"6062-3-14", "3", LEVEL_STATED, WHO_SERVER,
     "Flow control is end to end: when one side does not read, the server stops reading from the other.",
     .probe = flow_control},
    {"6062-3-15", "3", LEVEL_STATED, WHO_SERVER,
     "The server's connection to a peer comes from the relayed transport address.",
     .probe = comes_from_relayed_address},
};

const struct section rfc6062_overview = SECTION(rows);
