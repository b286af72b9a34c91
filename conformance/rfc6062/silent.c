/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where RFC 6062 is silent: what was seen is reported, and nothing fails. */
#include "conformance/rfc6062/rfc6062.h"

#include <string.h>

static const char *state_text(enum line_state state)
{
    static const char *const text[] = {[LINE_OPEN] = "stays open", [LINE_FIN] = "is closed (FIN)",
                                       [LINE_RST] = "is reset (RST)", [LINE_FAILED] = "fails"};
    return text[state];
}

static void connect_without_permission(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct endpoint at = line_local(probe_listen(p, PEER1, IP_V4));
    struct heard h = ask_connect(a->login, a->control, &at);
    char buf[HEARD_TEXT];
    probe_defined(p, "a Connect to a peer without permission brings %s", heard_text(&h, buf));
}

static void connect_makes_permission(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    allocation_connect(a, PEER1);
    dial_relay(a, PEER1);
    struct heard h = line_indication(a->control, TURN_CONNECTION_ATTEMPT, probe_soon(p));
    probe_defined(p, "Connect %s permission for the peer's own connections",
                  h.kind == HEARD_STUN ? "makes a" : "makes no");
}

static void permission_expires(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = allocation_incoming(a, PEER1);
    pair_bind(a, &pair);
    enum line_state end = line_ended(pair.data, 305 * NS_S);
    probe_defined(p, "when its permission expires a bound connection %s", state_text(end));
}

static void control_closes(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = bound_pair(a, PEER1);
    line_close(a->control);
    enum line_state data = line_ended(pair.data, probe_soon(p)), peer = line_ended(pair.peer, probe_soon(p));
    struct line *again = probe_dial_to(p, PEER1, &a->relayed);
    probe_defined(p, "when the control connection closes the data connection %s, the peer connection %s, and the "
                  "relayed address %s", state_text(data), state_text(peer), is_accepted(again) ? "stays" : "is gone");
}

static void refresh_zero(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = bound_pair(a, PEER1);
    struct heard h = ask_refresh(a->login, a->control, 0);
    char buf[HEARD_TEXT];
    enum line_state data = line_ended(pair.data, probe_soon(p)), peer = line_ended(pair.peer, probe_soon(p));
    probe_defined(p, "LIFETIME 0 brings %s; then the data connection %s, and the peer connection %s",
                  heard_text(&h, buf), state_text(data), state_text(peer));
}

static void send_indication(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct line *udp = probe_udp(p, PEER1, IP_V4);
    struct endpoint at = line_local(udp);
    struct message *m = message_new(p, STUN_INDICATION, TURN_SEND);
    uint8_t b;
    char buf[HEARD_TEXT];
    allocation_permit(a, PEER1);
    message_put_address(m, ATTR_XOR_PEER_ADDRESS, &at);
    message_put_text(m, ATTR_DATA, "data");
    line_send_message(a->control, m);
    struct heard h = line_hear(a->control, probe_soon(p));
    bool relayed = line_datagram(udp, &b, 1, NULL, probe_soon(p)) >= 0;
    probe_defined(p, "a Send indication on a TCP allocation is %s, and brings the client %s",
                  relayed ? "relayed" : "discarded", heard_text(&h, buf));
}

static void channels(struct probe *p)
{
    static const uint8_t channel_data[] = {0x40, 0x00, 0x00, 0x04, 'd', 'a', 't', 'a'};
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct endpoint at = line_local(probe_udp(p, PEER1, IP_V4));
    struct heard h = ask_channel(a->login, a->control, 0x4000, &at);
    char buf[HEARD_TEXT];
    line_send(a->control, channel_data, sizeof channel_data);
    probe_defined(p, "ChannelBind on a TCP allocation brings %s; after ChannelData the control connection %s",
                  heard_text(&h, buf), state_text(line_ended(a->control, probe_soon(p))));
}

static void scope_of_ids(struct probe *p)
{
    enum { COUNT = 16 };
    struct line *listener[COUNT / 2];
    uint32_t seen[COUNT], and_bits = UINT32_MAX, or_bits = 0, small_steps = 0;
    for (size_t i = 0; i < COUNT / 2; i++)
        listener[i] = probe_listen(p, PEER1, IP_V4);
    for (size_t k = 0; k < 2; k++) {
        struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
        for (size_t i = 0; i < COUNT / 2; i++)
            seen[k * COUNT / 2 + i] = connect_to(a, listener[i]);
    }
    for (size_t i = 0; i < COUNT; i++) {
        and_bits &= seen[i];
        or_bits |= seen[i];
        small_steps += i && seen[i] - seen[i - 1] < 256;
    }
    probe_defined(p, "of %d identifiers over two allocations %u follow their predecessor closely; bits that never "
                  "change: 0x%08x", COUNT, small_steps, ~(or_bits & ~and_bits));
}

static void connect_on_udp_allocation(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_UDP);
    struct endpoint at = line_local(probe_listen(p, PEER1, IP_V4));
    struct heard h = line_answer(a->control, begin_connect(a->login, a->control, &at), probe_soon(p));
    char buf[HEARD_TEXT];
    probe_defined(p, "a Connect on a UDP allocation brings %s", heard_text(&h, buf));
}

/* ConnectionBind on a connection of its own, whatever becomes of it. */
static struct heard try_bind(struct probe *p, struct login *l, struct line *data, uint32_t connection)
{
    return line_answer(data, begin_bind(l, data, connection), probe_soon(p));
}

static void bind_by_other_user(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = allocation_connect(a, PEER1);
    struct login *stranger = login_new(p, USER2);
    struct line *data = probe_dial(p, CLIENT1);
    be_challenged(p, stranger, data);
    struct heard h = try_bind(p, stranger, data, pair.connection);
    char other[HEARD_TEXT], own[HEARD_TEXT];
    struct heard again = try_bind(p, a->login, probe_dial(p, CLIENT1), pair.connection);
    probe_defined(p, "another user's ConnectionBind brings %s; the owner's then %s", heard_text(&h, other),
                  heard_text(&again, own));
}

static void nonce_of_data_connection(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair one = allocation_connect(a, PEER1), two = allocation_connect(a, PEER1);
    struct line *data = probe_dial(p, CLIENT1), *other = probe_dial(p, CLIENT1);
    struct heard h = try_bind(p, a->login, data, one.connection);
    struct login *fresh = login_new(p, USER1);
    be_challenged(p, fresh, other);
    struct heard own = try_bind(p, fresh, other, two.connection);
    char first[HEARD_TEXT], second[HEARD_TEXT];
    probe_defined(p, "ConnectionBind with the control connection's nonce brings %s; with one of the data connection's "
                  "own, %s",
                  heard_text(&h, first), heard_text(&own, second));
}

static void peer_closes_before_bind(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair full = allocation_connect(a, PEER1), empty = allocation_connect(a, PEER1);
    line_send(full.peer, "last words", 10);
    line_close(full.peer);
    line_close(empty.peer);
    probe_wait(p, NS_S);
    struct line *data = probe_dial(p, CLIENT1);
    struct heard with = try_bind(p, a->login, data, full.connection);
    struct heard without = try_bind(p, a->login, probe_dial(p, CLIENT1), empty.connection);
    char one[HEARD_TEXT], two[HEARD_TEXT], got[10];
    bool came = with.code == 0 && line_read_all(data, got, 10, probe_soon(p)) && memcmp(got, "last words", 10) == 0;
    probe_defined(p, "after the peer has sent and closed a bind brings %s, and its bytes %s; after it has only closed, "
                  "%s", heard_text(&with, one), came ? "come" : "are lost", heard_text(&without, two));
}

static void half_close(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = bound_pair(a, PEER1);
    char got[4];
    line_end(pair.peer);
    enum line_state end = line_ended(pair.data, probe_soon(p));
    line_offer(pair.data, "data", 4);
    bool came = line_read_all(pair.peer, got, 4, probe_soon(p));
    probe_defined(p, "when the peer ends its side the data connection %s; what the client sends then %s",
                  state_text(end), came ? "reaches the peer" : "does not reach the peer");
}

static void payload_behind_bind(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = allocation_connect(a, PEER1);
    struct line *data = probe_dial(p, CLIENT1);
    struct message *m = message_request(p, TURN_CONNECTION_BIND);
    uint8_t both[1024], got[4];
    size_t *len;
    message_put_u32(m, ATTR_CONNECTION_ID, pair.connection);
    message_sign(m, a->login);
    const uint8_t *bytes = message_bytes(m, &len);
    memcpy(both, bytes, *len);
    memcpy(both + *len, "data", 4);
    line_send(data, both, *len + 4);
    struct heard h = line_answer(data, m, probe_soon(p));
    bool came = h.code == 0 && line_read_all(pair.peer, got, 4, probe_soon(p)) && memcmp(got, "data", 4) == 0;
    char buf[HEARD_TEXT];
    probe_defined(p, "ConnectionBind with payload right behind it brings %s; the payload %s", heard_text(&h, buf),
                  came ? "reaches the peer" : "is lost");
}

static void data_after_error(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct line *data = probe_dial(p, CLIENT1);
    struct heard h = try_bind(p, a->login, data, 0x01020304);
    char buf[HEARD_TEXT];
    enum line_state end = line_ended(data, probe_soon(p));
    probe_defined(p, "after a ConnectionBind with an unknown identifier, which brings %s, its connection %s",
                  heard_text(&h, buf), state_text(end));
}

static void bind_on_control(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = allocation_connect(a, PEER1);
    struct heard h = try_bind(p, a->login, a->control, pair.connection);
    char buf[HEARD_TEXT];
    probe_defined(p, "ConnectionBind on the control connection brings %s", heard_text(&h, buf));
}

static void order_of_checks(struct probe *p)
{
    struct line *data = probe_dial(p, CLIENT1);
    struct message *m = message_request(p, TURN_CONNECTION_BIND);
    message_put_u32(m, ATTR_CONNECTION_ID, 0x01020304);
    line_send_message(data, m);
    struct heard h = line_answer(data, m, probe_soon(p));
    char buf[HEARD_TEXT];
    probe_defined(p, "ConnectionBind with neither credentials nor a known identifier brings %s", heard_text(&h, buf));
}

static void reconnect_at_once(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = bound_pair(a, PEER1);
    struct endpoint at = line_local(pair.listener);
    line_close(pair.data);
    enum line_state end = line_ended(pair.peer, probe_soon(p));
    line_close(pair.peer);
    probe_wait(p, NS_S);
    struct heard h = line_answer(a->control, begin_connect(a->login, a->control, &at), 35 * NS_S);
    char buf[HEARD_TEXT];
    probe_defined(p, "once the client has closed the data connection the peer connection %s; when the peer has closed "
                  "too, a Connect to it brings %s", state_text(end), heard_text(&h, buf));
}

static void ends_while_connecting(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct endpoint at = line_local(probe_listen(p, PEER1, IP_V4));
    char buf[HEARD_TEXT];
    probe_silence(p, PEER1, true);
    struct message *m = begin_connect(a->login, a->control, &at);
    probe_wait(p, NS_S);
    ask_refresh(a->login, a->control, 0);
    struct heard h = line_answer(a->control, m, 40 * NS_S);
    probe_defined(p, "when the allocation ends, a Connect in progress brings %s", heard_text(&h, buf));
}

static void relay_to_relay(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP), *b = allocate(p, PROTO_TCP, PROTO_TCP);
    struct endpoint any = {.ip = b->relayed.ip, .port = 9};
    char other[HEARD_TEXT], own[HEARD_TEXT];
    ask_permission(b->login, b->control, &any);
    struct heard h = line_answer(a->control, begin_connect(a->login, a->control, &b->relayed), probe_soon(p));
    struct heard self = line_answer(a->control, begin_connect(a->login, a->control, &a->relayed), probe_soon(p));
    probe_defined(p, "a Connect to another relayed address of the server brings %s; to its own, %s",
                  heard_text(&h, other), heard_text(&self, own));
}

static void pending_counts(struct probe *p)
{
    enum { MOST = 64 };
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    char buf[HEARD_TEXT];
    for (size_t i = 0; i < MOST; i++) {
        struct endpoint at = line_local(probe_listen(p, PEER1, IP_V4));
        struct heard h = ask_connect(a->login, a->control, &at);
        if (h.code != 0)
            probe_defined(p, "with %zu pending connections one more Connect brings %s", i, heard_text(&h, buf));
    }
    probe_defined(p, "an allocation may have %d pending connections and more", MOST);
}

static void software(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct endpoint at = line_local(probe_listen(p, PEER1, IP_V4));
    struct heard h = line_answer(a->control, begin_connect(a->login, a->control, &at), probe_soon(p));
    const char *text;
    size_t len;
    if (h.kind != HEARD_STUN || stun_get_text(&h.stun, ATTR_SOFTWARE, &text, &len))
        probe_defined(p, "Connect success has no SOFTWARE");
    probe_defined(p, "SOFTWARE of Connect success is \"%.*s\"", (int)len, text);
}

static void idle_connection(struct probe *p)
{
    struct line *idle = probe_dial(p, CLIENT1);
    uint64_t began = probe_now(p);
    enum line_state end = line_ended(idle, 120 * NS_S);
    probe_defined(p, "a connection that asks for nothing %s for %.0f s", end == LINE_OPEN ? "stays open" : "is left "
                  "open", SECONDS(probe_now(p) - began));
}

static void idle_control(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    uint64_t began = probe_now(p);
    enum line_state end = line_ended(a->control, (a->lifetime - 5) * NS_S);
    probe_defined(p, "an idle control connection %s; seen for %.0f s of a lifetime of %u", state_text(end),
                  SECONDS(probe_now(p) - began), a->lifetime);
}

static void put_two_peers(struct message *m, const void *arg)
{
    const struct endpoint *peer = arg;
    message_put_address(m, ATTR_XOR_PEER_ADDRESS, &peer[0]);
    message_put_address(m, ATTR_XOR_PEER_ADDRESS, &peer[1]);
}

static void two_peers_in_connect(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct line *first = probe_listen(p, PEER1, IP_V4), *second = probe_listen(p, PEER1, IP_V4);
    struct endpoint peers[2] = {line_local(first), line_local(second)};
    struct heard h = login_ask(a->login, a->control, TURN_CONNECT, put_two_peers, peers);
    bool one = probe_accept(p, first, probe_soon(p)) != NULL, two = probe_accept(p, second, probe_soon(p)) != NULL;
    char buf[HEARD_TEXT];
    probe_defined(p, "a Connect with two peers brings %s, and a connection to %s", heard_text(&h, buf),
                  one && two ? "both" : one ? "the first" : two ? "the last" : "none");
}

static const struct requirement rows[] = {
    {"6062-X-1", "5.2", LEVEL_OPEN, WHO_SERVER, "Whether Connect needs a permission for the peer.",
     .probe = connect_without_permission},
    {"6062-X-2", "5.2", LEVEL_OPEN, WHO_SERVER, "Whether Connect makes a permission for the peer.",
     .probe = connect_makes_permission},
    {"6062-X-3", "5.3", LEVEL_OPEN, WHO_SERVER, "What becomes of a connection whose permission expires.",
     .probe = permission_expires, .seconds = 305},
    {"6062-X-4", "5.5", LEVEL_OPEN, WHO_SERVER, "What becomes of data connections when the control connection closes.",
     .probe = control_closes},
    {"6062-X-5", "5.5", LEVEL_OPEN, WHO_SERVER, "What becomes of an allocation whose control connection dies silently.",
     .none = "it takes a path to the client that dies without a word, and no bench has a hold of that path"},
    {"6062-X-6", "5.5", LEVEL_OPEN, WHO_SERVER, "What Refresh with LIFETIME 0 does to data connections.",
     .probe = refresh_zero},
    {"6062-X-7", "5.1", LEVEL_OPEN, WHO_SERVER, "What a Send indication does on a TCP allocation.",
     .probe = send_indication},
    {"6062-X-8", "5.1", LEVEL_OPEN, WHO_SERVER, "What ChannelBind and ChannelData do on a TCP allocation.",
     .probe = channels},
    {"6062-X-9", "5.2", LEVEL_OPEN, WHO_SERVER, "How CONNECTION-IDs are drawn.", .probe = scope_of_ids},
    {"6062-X-10", "5.2", LEVEL_OPEN, WHO_SERVER, "How Connect on a UDP allocation is answered.",
     .probe = connect_on_udp_allocation},
    {"6062-X-11", "5.4", LEVEL_OPEN, WHO_SERVER, "How ConnectionBind by another valid user is answered.",
     .probe = bind_by_other_user, .needs = NEED_USER2},
    {"6062-X-12", "5.4", LEVEL_OPEN, WHO_SERVER, "Which nonce is good on a data connection.",
     .probe = nonce_of_data_connection},
    {"6062-X-13", "5.4", LEVEL_OPEN, WHO_SERVER, "What a bind brings when the peer has closed before.",
     .probe = peer_closes_before_bind},
    {"6062-X-14", "5.5", LEVEL_OPEN, WHO_SERVER, "Whether a half-closed connection is relayed as such.",
     .probe = half_close},
    {"6062-X-15", "5.4", LEVEL_OPEN, WHO_SERVER, "What becomes of payload right behind ConnectionBind.",
     .probe = payload_behind_bind},
    {"6062-X-16", "5.4", LEVEL_OPEN, WHO_SERVER, "What becomes of a connection whose ConnectionBind was refused.",
     .probe = data_after_error},
    {"6062-X-17", "5.4", LEVEL_OPEN, WHO_SERVER, "How ConnectionBind on a control connection is answered.",
     .probe = bind_on_control},
    {"6062-X-18", "5.4", LEVEL_OPEN, WHO_SERVER,
     "How ConnectionBind at another address of the server than the control connection's is answered.",
     .none = "a bench knows one address where the server serves clients over TCP"},
    {"6062-X-19", "5.4", LEVEL_OPEN, WHO_SERVER, "Whether ConnectionBind checks credentials or the identifier first.",
     .probe = order_of_checks},
    {"6062-X-20", "5.2", LEVEL_OPEN, WHO_SERVER, "Whether a peer can be connected to again at once.",
     .probe = reconnect_at_once},
    {"6062-X-21", "5.2", LEVEL_OPEN, WHO_SERVER, "What becomes of a Connect whose peer connects at the same time.",
     .none = "two SYNs that cross cannot be had from sockets: neither side knows when the other's is on its way"},
    {"6062-X-22", "4.3", LEVEL_OPEN, WHO_SERVER, "Whether data connections of a TLS control connection may be plain.",
     .none = "it takes a server that serves clients over TLS, and a bench that speaks it"},
    {"6062-X-23", "5.2", LEVEL_OPEN, WHO_SERVER, "How a Connect in progress is answered when its allocation ends.",
     .probe = ends_while_connecting, .needs = NEED_SILENT_PEER, .seconds = 40},
    {"6062-X-24", "5.2", LEVEL_OPEN, WHO_SERVER, "Whether relayed addresses of the server may be peers.",
     .probe = relay_to_relay},
    {"6062-X-25", "5.2", LEVEL_OPEN, WHO_SERVER, "How many pending connections an allocation may have.",
     .probe = pending_counts, .needs = NEED_ALONE},
    {"6062-X-26", "5.2", LEVEL_OPEN, WHO_SERVER, "Whether Connect responses have SOFTWARE.", .probe = software},
    {"6062-X-27", "5.1", LEVEL_OPEN, WHO_SERVER, "How long a connection may be idle that has neither allocated nor "
     "bound.", .probe = idle_connection, .seconds = 120},
    {"6062-X-28", "4.6", LEVEL_OPEN, WHO_SERVER, "Whether an idle control connection lives for its lifetime.",
     .probe = idle_control, .seconds = 600},
    {"6062-X-29", "5.2", LEVEL_OPEN, WHO_SERVER, "Which of several XOR-PEER-ADDRESS in a Connect counts.",
     .probe = two_peers_in_connect},
};

const struct section rfc6062_silent = SECTION(rows);
