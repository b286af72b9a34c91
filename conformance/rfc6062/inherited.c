/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What holds for the new methods because it holds for all of STUN and TURN. */
#include "conformance/rfc6062/rfc6062.h"

#include <string.h>

/* An error that asks for credentials: REALM and NONCE, and nothing that would need a key. */
static void expect_challenge(struct probe *p, const struct heard *h, int code, const char *what)
{
    expect_code(p, h, code, what);
    probe_require(p, heard_has(h, ATTR_REALM) && heard_has(h, ATTR_NONCE), "the %d has no REALM or no NONCE", code);
    probe_require(p, code != 401 || !heard_has(h, ATTR_MESSAGE_INTEGRITY), "the 401 has MESSAGE-INTEGRITY");
}

/* After an error on its connection the bind is tried again there. What RFC 6062 does not say: whether connection and
 * identifier survive. */
static void bind_again(struct allocation *a, const struct pair *pair, struct line *data, int code)
{
    char buf[HEARD_TEXT];
    struct heard h = {.kind = HEARD_ENDED};
    if (line_ended(data, probe_soon(a->p)) == LINE_OPEN)
        h = line_answer(data, begin_bind(a->login, data, pair->connection), probe_soon(a->p));
    if (h.code != 0 || h.kind != HEARD_STUN)
        probe_defined(a->p, "after the %d the same connection brought, instead of success, %s", code,
                      heard_text(&h, buf));
}

static void unauthenticated(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = allocation_connect(a, PEER1);
    struct endpoint at = line_local(probe_listen(p, PEER1, IP_V4));
    struct message *connect = message_request(p, TURN_CONNECT);
    message_put_address(connect, ATTR_XOR_PEER_ADDRESS, &at);
    line_send_message(a->control, connect);
    struct heard h = line_answer(a->control, connect, probe_soon(p));
    expect_challenge(p, &h, 401, "a Connect without credentials");
    login_learn(a->login, &h);
    h = ask_connect(a->login, a->control, &at);
    expect_code(p, &h, 0, "a Connect after the 401");
    struct line *data = probe_dial(p, CLIENT1);
    struct message *bind = message_request(p, TURN_CONNECTION_BIND);
    message_put_u32(bind, ATTR_CONNECTION_ID, pair.connection);
    line_send_message(data, bind);
    h = line_answer(data, bind, probe_soon(p));
    expect_challenge(p, &h, 401, "a ConnectionBind without credentials");
    login_learn(a->login, &h);
    bind_again(a, &pair, data, 401);
}

/* The same login with a nonce that the server has never given. */
static struct login *stale(struct probe *p, const struct login *l)
{
    struct login *old = login_new(p, USER1);
    *old = *l;
    size_t n = strlen(old->nonce);
    old->nonce[n - 1] = old->nonce[n - 1] == '0' ? '1' : '0';
    return old;
}

static void stale_nonce(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = allocation_connect(a, PEER1);
    struct endpoint at = line_local(probe_listen(p, PEER1, IP_V4));
    struct login *old = stale(p, a->login);
    struct heard h = line_answer(a->control, begin_connect(old, a->control, &at), probe_soon(p));
    expect_challenge(p, &h, 438, "a Connect with a stale nonce");
    login_learn(a->login, &h);
    h = ask_connect(a->login, a->control, &at);
    expect_code(p, &h, 0, "a Connect after the 438");
    struct line *data = probe_dial(p, CLIENT1);
    h = line_answer(data, begin_bind(stale(p, a->login), data, pair.connection), probe_soon(p));
    expect_challenge(p, &h, 438, "a ConnectionBind with a stale nonce");
    login_learn(a->login, &h);
    bind_again(a, &pair, data, 438);
}

static void other_user(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct login *other = login_new(p, USER2);
    struct endpoint at = line_local(probe_listen(p, PEER1, IP_V4));
    struct heard h = ask_refresh(other, a->control, -1);
    expect_code(p, &h, 441, "another user's Refresh");
    h = ask_permission(other, a->control, &at);
    expect_code(p, &h, 441, "another user's CreatePermission");
    h = ask_connect(other, a->control, &at);
    expect_code(p, &h, 441, "another user's Connect");
    expect_served(a, "another user's requests");
}

struct peer_and_unknown {
    struct endpoint peer;
    uint32_t connection;
};

static void put_unknown_connect(struct message *m, const void *arg)
{
    const struct peer_and_unknown *x = arg;
    message_put_address(m, ATTR_XOR_PEER_ADDRESS, &x->peer);
    message_put_hex(m, 0x7abc, "00000000");
}

static void put_unknown_bind(struct message *m, const void *arg)
{
    const struct peer_and_unknown *x = arg;
    message_put_u32(m, ATTR_CONNECTION_ID, x->connection);
    message_put_hex(m, 0x7abc, "00000000");
}

static void expect_420(struct probe *p, const struct heard *h, const char *what)
{
    struct stun_attr list;
    bool listed = false;
    expect_code(p, h, 420, what);
    probe_require(p, stun_find(&h->stun, ATTR_UNKNOWN_ATTRIBUTES, &list), "the 420 has no UNKNOWN-ATTRIBUTES");
    for (size_t i = 0; i + 2 <= list.len; i += 2)
        listed |= load16(list.value + i) == 0x7abc;
    probe_require(p, listed, "UNKNOWN-ATTRIBUTES does not list 0x7ABC");
}

static void unknown_attribute(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = allocation_connect(a, PEER1);
    struct line *listener = probe_listen(p, PEER1, IP_V4);
    struct peer_and_unknown x = {line_local(listener), pair.connection};
    struct heard h = login_ask(a->login, a->control, TURN_CONNECT, put_unknown_connect, &x);
    expect_420(p, &h, "a Connect with an unknown attribute");
    probe_require(p, probe_accept(p, listener, probe_soon(p)) == NULL, "the Connect was acted on");
    struct line *data = probe_dial(p, CLIENT1);
    h = login_ask(a->login, data, TURN_CONNECTION_BIND, put_unknown_bind, &x);
    expect_420(p, &h, "a ConnectionBind with an unknown attribute");
    line_send(pair.peer, "data", 4);
    uint8_t b;
    probe_require(p, line_read(data, &b, 1, probe_soon(p)) == 0, "the ConnectionBind was acted on");
}

static void expect_integrity(struct allocation *a, const struct heard *h, const char *what)
{
    probe_require(a->p, h->kind == HEARD_STUN, "there was no %s", what);
    probe_require(a->p, login_verifies(a->login, h), "%s has no valid MESSAGE-INTEGRITY", what);
}

static void responses_have_integrity(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct endpoint there = line_local(probe_listen(p, PEER1, IP_V4)), closed = probe_closed_port(p, PEER1, IP_V4);
    struct heard h = ask_connect(a->login, a->control, &there);
    uint32_t connection;
    probe_require(p, heard_u32(&h, ATTR_CONNECTION_ID, &connection), "Connect success has no CONNECTION-ID");
    expect_integrity(a, &h, "Connect success");
    h = ask_connect(a->login, a->control, &there);
    expect_integrity(a, &h, "Connect error 446");
    h = line_answer(a->control, begin_connect(a->login, a->control, &closed), 45 * NS_S);
    expect_integrity(a, &h, "Connect error 447");
    h = ask_bind(a->login, probe_dial(p, CLIENT1), connection);
    expect_integrity(a, &h, "ConnectionBind success");
}

static void fingerprint(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct endpoint at[2] = {line_local(probe_listen(p, PEER1, IP_V4)), line_local(probe_listen(p, PEER1, IP_V4))};
    struct message *m[2];
    for (size_t i = 0; i < 2; i++) {
        m[i] = message_request(p, TURN_CONNECT);
        message_put_address(m[i], ATTR_XOR_PEER_ADDRESS, &at[i]);
        message_sign(m[i], a->login);
        message_fingerprint(m[i]);
    }
    line_send_message(a->control, m[0]);
    struct heard h = line_answer(a->control, m[0], probe_soon(p));
    expect_code(p, &h, 0, "a Connect with FINGERPRINT");
    size_t *len;
    uint8_t *bytes = message_bytes(m[1], &len);
    bytes[*len - 1] ^= 1;
    line_send_message(a->control, m[1]);
    h = line_answer(a->control, m[1], probe_soon(p));
    char buf[HEARD_TEXT];
    if (h.kind == HEARD_STUN)
        probe_defined(p, "a Connect with a wrong FINGERPRINT was answered with %s", heard_text(&h, buf));
}

static void framing(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct endpoint at = line_local(probe_listen(p, PEER1, IP_V4)), other = line_local(probe_listen(p, PEER1, IP_V4));
    struct message *m[3] = {message_request(p, TURN_CONNECT), message_request(p, TURN_REFRESH),
                            message_request(p, TURN_CREATE_PERMISSION)};
    uint8_t all[4096];
    size_t n = 0, *len;
    message_put_address(m[0], ATTR_XOR_PEER_ADDRESS, &at);
    message_put_address(m[2], ATTR_XOR_PEER_ADDRESS, &at);
    for (size_t i = 0; i < 3; i++) {
        message_sign(m[i], a->login);
        const uint8_t *bytes = message_bytes(m[i], &len);
        memcpy(all + n, bytes, *len);
        n += *len;
    }
    line_send(a->control, all, n);
    for (size_t i = 0; i < 3; i++) {
        struct heard h = line_answer(a->control, m[i], probe_soon(p));
        expect_code(p, &h, 0, "one of three requests in one segment");
    }
    struct message *slow = message_request(p, TURN_CONNECT);
    message_put_address(slow, ATTR_XOR_PEER_ADDRESS, &other);
    message_sign(slow, a->login);
    const uint8_t *bytes = message_bytes(slow, &len);
    for (size_t i = 0; i < *len; i++) {
        line_send(a->control, bytes + i, 1);
        probe_wait(p, NS_MS);
    }
    struct heard h = line_answer(a->control, slow, probe_soon(p));
    expect_code(p, &h, 0, "a Connect that came byte by byte");
}

static void put_two_peers(struct message *m, const void *arg)
{
    const struct endpoint *peer = arg;
    message_put_address(m, ATTR_XOR_PEER_ADDRESS, &peer[0]);
    message_put_address(m, ATTR_XOR_PEER_ADDRESS, &peer[1]);
}

static void create_permission(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct heard h = login_ask(a->login, a->control, TURN_CREATE_PERMISSION, NULL, NULL);
    expect_code(p, &h, 400, "a CreatePermission without XOR-PEER-ADDRESS");
    struct endpoint peers[2] = {{.ip = probe_ip(p, PEER1, IP_V4)}, {.ip = probe_ip(p, PEER2, IP_V4)}};
    h = login_ask(a->login, a->control, TURN_CREATE_PERMISSION, put_two_peers, peers);
    expect_code(p, &h, 0, "a CreatePermission for two peers");
    dial_relay(a, PEER1);
    dial_relay(a, PEER2);
    for (int i = 0; i < 2; i++) {
        h = line_indication(a->control, TURN_CONNECTION_ATTEMPT, probe_soon(p));
        probe_require(p, h.kind == HEARD_STUN, "of two peers permitted at once %d led to a ConnectionAttempt", i);
    }
}

static void refresh(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    uint32_t lifetime = 1;
    struct heard h = ask_refresh(a->login, a->control, -1);
    expect_code(p, &h, 0, "a Refresh");
    probe_require(p, heard_u32(&h, ATTR_LIFETIME, &lifetime) && lifetime, "Refresh success has no LIFETIME");
    h = ask_refresh(a->login, a->control, 0);
    expect_code(p, &h, 0, "a Refresh with LIFETIME 0");
    probe_require(p, heard_u32(&h, ATTR_LIFETIME, &lifetime) && lifetime == 0,
                  "success of a Refresh with LIFETIME 0 says LIFETIME %u", lifetime);
    expect_relay_gone(a, "a Refresh with LIFETIME 0");
    struct message *again = message_request(p, TURN_REFRESH);
    message_sign(again, a->login);
    line_send_message(a->control, again);
    h = line_answer(a->control, again, probe_soon(p));
    if (h.kind != HEARD_ENDED)
        expect_code(p, &h, 437, "a Refresh after the allocation was deleted");
}

static void no_allocation(struct probe *p)
{
    struct login *login = login_new(p, USER1);
    struct line *line = probe_dial(p, CLIENT1);
    struct endpoint at = line_local(probe_listen(p, PEER1, IP_V4));
    struct message *send = message_new(p, STUN_INDICATION, TURN_SEND);
    message_put_address(send, ATTR_XOR_PEER_ADDRESS, &at);
    message_put_text(send, ATTR_DATA, "data");
    be_challenged(p, login, line);
    line_send_message(line, send);
    struct heard h = line_hear(line, probe_soon(p));
    probe_require(p, h.kind == HEARD_NOTHING, "a Send indication without an allocation was answered");
    h = ask_refresh(login, line, -1);
    expect_code(p, &h, 437, "a Refresh without an allocation");
    h = ask_permission(login, line, &at);
    expect_code(p, &h, 437, "a CreatePermission without an allocation");
    h = ask_connect(login, line, &at);
    expect_code(p, &h, 437, "a Connect without an allocation");
}

static void binding_on_control(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct message *m = message_request(p, STUN_BINDING);
    struct endpoint mapped;
    line_send_message(a->control, m);
    struct heard h = line_answer(a->control, m, probe_soon(p));
    expect_code(p, &h, 0, "a Binding request on the control connection");
    probe_require(p, heard_address(&h, ATTR_XOR_MAPPED_ADDRESS, &mapped), "there is no XOR-MAPPED-ADDRESS");
    expect_served(a, "a Binding request");
}

static void other_family(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct endpoint at = {.ip = probe_ip(p, PEER1, IP_V6), .port = 4000};
    struct heard h = ask_permission(a->login, a->control, &at);
    expect_code(p, &h, 443, "a CreatePermission for an IPv6 peer of an IPv4 relay");
    h = ask_connect(a->login, a->control, &at);
    char buf[HEARD_TEXT];
    probe_require(p, h.code == 443 || h.code == 400, "a Connect to an IPv6 peer of an IPv4 relay was answered with %s",
                  heard_text(&h, buf));
}

static void addresses_refused(struct probe *p)
{
    static const char *const peers[] = {"127.0.0.1:9", "0.0.0.0:9", "224.0.0.1:9", "255.255.255.255:9",
                                        "169.254.1.1:9"};
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct endpoint at;
    char buf[HEARD_TEXT];
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++) {
        if (endpoint_parse(peers[i], &at))
            probe_skip(p, "%s is no address", peers[i]);
        struct heard h = line_answer(a->control, begin_connect(a->login, a->control, &at), probe_soon(p));
        if (h.code != 403)
            probe_defined(p, "a Connect to %s brought %s", peers[i], heard_text(&h, buf));
    }
    at = probe_server(p, PROTO_TCP, IP_V4);
    struct heard h = line_answer(a->control, begin_connect(a->login, a->control, &at), probe_soon(p));
    if (h.code != 403)
        probe_defined(p, "a Connect to the server's own listener brought %s", heard_text(&h, buf));
}

static const struct requirement rows[] = {
    {"6062-G-1", "RFC 5766 4", LEVEL_MUST, WHO_SERVER,
     "Connect and ConnectionBind without MESSAGE-INTEGRITY are answered 401 with REALM and NONCE.",
     .probe = unauthenticated},
    {"6062-G-2", "RFC 5389 10.2.2", LEVEL_MUST, WHO_SERVER,
     "Connect and ConnectionBind with a stale nonce are answered 438 with REALM and a new NONCE.",
     .probe = stale_nonce},
    {"6062-G-3", "RFC 5766 4", LEVEL_MUST, WHO_SERVER,
     "Connect, CreatePermission and Refresh of another valid user than the allocation's are answered 441.",
     .probe = other_user, .needs = NEED_USER2},
    {"6062-G-4", "RFC 5389 7.3.1", LEVEL_MUST, WHO_SERVER,
     "Connect and ConnectionBind with an unknown comprehension-required attribute are answered 420 and not acted on.",
     .probe = unknown_attribute},
    {"6062-G-5", "RFC 5389 10.2.2", LEVEL_MUST, WHO_SERVER,
     "Responses to authenticated Connect and ConnectionBind requests carry MESSAGE-INTEGRITY with the same key.",
     .probe = responses_have_integrity},
    {"6062-G-6", "RFC 5766 4", LEVEL_MAY, WHO_SERVER | WHO_CLIENT,
     "FINGERPRINT may be on all new messages, and is verified where it is.", .probe = fingerprint},
    {"6062-G-7", "RFC 5389 7.2.2", LEVEL_MUST, WHO_SERVER,
     "Messages of the control connection are told apart by their length, however TCP cuts the stream.",
     .probe = framing},
    {"6062-G-8", "RFC 5766 9", LEVEL_MUST, WHO_SERVER,
     "CreatePermission for a TCP allocation: 400 without a peer, several peers at once.", .probe = create_permission,
     .needs = NEED_PEER2},
    {"6062-G-9", "RFC 5766 7", LEVEL_MUST, WHO_SERVER,
     "Refresh of a TCP allocation: LIFETIME in the answer, and 0 deletes the allocation.", .probe = refresh},
    {"6062-G-10", "RFC 5766 4", LEVEL_MUST, WHO_SERVER,
     "Refresh, CreatePermission and Connect without an allocation are answered 437; indications are ignored.",
     .probe = no_allocation},
    {"6062-G-11", "RFC 5389 7.3", LEVEL_MUST, WHO_SERVER,
     "A Binding request on the control connection is answered.", .probe = binding_on_control},
    {"6062-G-12", "RFC 8656 10.2", LEVEL_MUST, WHO_SERVER,
     "A peer of another address family than the relayed address's is answered 443.", .probe = other_family,
     .needs = NEED_IP6},
    {"6062-G-13", "RFC 8656 21.2.2", LEVEL_MAY, WHO_SERVER,
     "Connect to loopback, unspecified, multicast, broadcast, link-local and the server's own addresses may be refused "
     "with 403.", .probe = addresses_refused},
};

const struct section rfc6062_inherited = SECTION(rows);
