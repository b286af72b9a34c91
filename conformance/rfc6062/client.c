/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 6062 4: the client. The probe is its server. */
#include "conformance/rfc6062/rfc6062.h"

#include <string.h>

/* A client with an allocation. */
struct served {
    struct line *listener, *control;
};

static struct served served(struct probe *p, uint32_t lifetime)
{
    struct served s = {.listener = probe_serve(p)};
    subject_wish(p, &(struct wish){.kind = WISH_ALLOCATE_TCP});
    s.control = server_grants(p, s.listener, lifetime);
    probe_require(p, subject_told(p, TOLD_ALLOCATED, probe_soon(p)), "the client does not take the allocation");
    return s;
}

static struct endpoint peer_at(const struct probe *p, uint16_t port)
{
    return (struct endpoint){probe_ip(p, PEER1, IP_V4), port};
}

static void wish_connect(struct probe *p, const struct endpoint *peer)
{
    subject_wish(p, &(struct wish){.kind = WISH_CONNECT, .peer = *peer});
}

/* The client's Connect request to that peer, not answered. */
static struct heard hear_connect(struct probe *p, const struct served *s, const struct endpoint *peer)
{
    wish_connect(p, peer);
    return server_hear(p, s->control, TURN_CONNECT, probe_soon(p));
}

static void answer_id(struct probe *p, struct line *l, const struct heard *request, uint32_t connection)
{
    struct message *m = server_success(p, request);
    message_put_u32(m, ATTR_CONNECTION_ID, connection);
    server_sign(m);
    line_send_message(l, m);
}

static void answer_plain(struct probe *p, struct line *l, const struct heard *request)
{
    struct message *m = server_success(p, request);
    server_sign(m);
    line_send_message(l, m);
}

static void answer_refresh(struct probe *p, struct line *l, const struct heard *request, uint32_t lifetime)
{
    struct message *m = server_success(p, request);
    message_put_u32(m, ATTR_LIFETIME, lifetime);
    server_sign(m);
    line_send_message(l, m);
}

static void send_attempt(struct probe *p, const struct served *s, uint32_t connection, const struct endpoint *peer)
{
    struct message *m = message_new(p, STUN_INDICATION, TURN_CONNECTION_ATTEMPT);
    message_put_u32(m, ATTR_CONNECTION_ID, connection);
    message_put_address(m, ATTR_XOR_PEER_ADDRESS, peer);
    line_send_message(s->control, m);
}

/* The connection that the client opens to bind. */
static struct line *accept_data(struct probe *p, const struct served *s)
{
    struct line *data = probe_accept(p, s->listener, probe_soon(p));
    probe_require(p, data, "the client did not open a connection to where its control connection goes");
    return data;
}

/* Connect answered with that id; the data connection, its ConnectionBind in *bind, not answered. */
static struct line *connected(struct probe *p, const struct served *s, uint32_t connection, struct heard *bind)
{
    struct endpoint peer = peer_at(p, 4001);
    struct heard h = hear_connect(p, s, &peer);
    answer_id(p, s->control, &h, connection);
    struct line *data = accept_data(p, s);
    *bind = server_hear(p, data, TURN_CONNECTION_BIND, probe_soon(p));
    return data;
}

/* The same for ConnectionAttempt, which the application accepts. */
static struct line *accepted(struct probe *p, const struct served *s, uint32_t connection, struct heard *bind)
{
    struct endpoint peer = peer_at(p, 4002);
    send_attempt(p, s, connection, &peer);
    probe_require(p, subject_told(p, TOLD_INCOMING, probe_soon(p)), "ConnectionAttempt was not told");
    subject_wish(p, &(struct wish){.kind = WISH_ACCEPT, .connection = connection});
    struct line *data = accept_data(p, s);
    *bind = server_hear(p, data, TURN_CONNECTION_BIND, probe_soon(p));
    return data;
}

static struct line *bound(struct probe *p, const struct served *s)
{
    struct heard bind;
    struct line *data = connected(p, s, 0x01020304, &bind);
    answer_plain(p, data, &bind);
    probe_require(p, subject_told(p, TOLD_BOUND, probe_soon(p)), "the client does not take ConnectionBind success");
    return data;
}

/* Connect answered with 447, which the client has seen. */
static void fail_447(struct probe *p, const struct served *s, const struct endpoint *peer)
{
    struct heard h = hear_connect(p, s, peer);
    struct message *m = server_error(p, &h, 447);
    server_sign(m);
    line_send_message(s->control, m);
    probe_require(p, subject_told(p, TOLD_PEER_FAILED, probe_soon(p)), "a 447 was not told");
}

/* ---- 4.1: allocating ---- */

/* The client's first Allocate, and in *second the one with credentials. */
static struct heard allocates(struct probe *p, struct heard *second)
{
    struct line *listener = probe_serve(p);
    subject_wish(p, &(struct wish){.kind = WISH_ALLOCATE_TCP});
    struct line *control = probe_accept(p, listener, probe_soon(p));
    probe_require(p, control, "the client has not opened a TCP connection to its server");
    struct heard h = line_hear(control, probe_soon(p));
    probe_require(p, h.kind == HEARD_STUN, "the client sent nothing over its new connection");
    if (!second)
        return h;
    line_send_message(control, server_challenge(p, &h, 401));
    *second = server_hear(p, control, TURN_ALLOCATE, probe_soon(p));
    return h;
}

static void over_tcp_only(struct probe *p)
{
    struct line *udp = probe_udp_server(p);
    uint8_t buf[1];
    struct heard h = allocates(p, NULL);
    probe_require(p, h.stun.type == 0x0003, "the first message is type 0x%04x", h.stun.type);
    probe_require(p, line_datagram(udp, buf, sizeof buf, NULL, probe_soon(p)) < 0,
                  "the client asked over UDP for a TCP allocation");
}

static void sends_allocate(struct probe *p)
{
    struct heard h = allocates(p, NULL);
    probe_require(p, h.stun.type == 0x0003, "the first message is type 0x%04x", h.stun.type);
}

static void asks_for_tcp(struct probe *p)
{
    struct heard h[2];
    h[0] = allocates(p, &h[1]);
    for (size_t i = 0; i < 2; i++) {
        struct stun_attr a;
        probe_require(p, stun_find(&h[i].stun, ATTR_REQUESTED_TRANSPORT, &a) && a.len == 4 &&
                      memcmp(a.value, "\6\0\0\0", 4) == 0, "REQUESTED-TRANSPORT of Allocate is not 06 00 00 00");
    }
}

static void expect_absent(struct probe *p, unsigned type, const char *name)
{
    struct heard h[2];
    h[0] = allocates(p, &h[1]);
    for (size_t i = 0; i < 2; i++)
        probe_require(p, !heard_has(&h[i], type), "Allocate carries %s", name);
}

static void no_dont_fragment(struct probe *p)
{
    expect_absent(p, ATTR_DONT_FRAGMENT, "DONT-FRAGMENT");
}

static void no_token(struct probe *p)
{
    expect_absent(p, ATTR_RESERVATION_TOKEN, "RESERVATION-TOKEN");
}

static void no_even_port(struct probe *p)
{
    expect_absent(p, ATTR_EVEN_PORT, "EVEN-PORT");
}

static void granted_lifetime(struct probe *p)
{
    struct served s = served(p, 120);
    struct heard h = server_hear(p, s.control, TURN_REFRESH, 120 * NS_S);
    answer_refresh(p, s.control, &h, 3000);
    server_hear(p, s.control, TURN_REFRESH, 3000 * NS_S);
    probe_require(p, subject_times(p, TOLD_GONE) == 0, "the client gave up an allocation of 3000 s");
}

static void authenticates(struct probe *p)
{
    struct line *listener = probe_serve(p);
    subject_wish(p, &(struct wish){.kind = WISH_ALLOCATE_TCP});
    struct line *control = probe_accept(p, listener, probe_soon(p));
    probe_require(p, control, "the client has not opened a TCP connection to its server");
    struct heard h = server_hear(p, control, TURN_ALLOCATE, probe_soon(p));
    probe_require(p, !heard_has(&h, ATTR_MESSAGE_INTEGRITY), "the first Allocate has MESSAGE-INTEGRITY");
    line_send_message(control, server_challenge(p, &h, 401));
    h = server_hear(p, control, TURN_ALLOCATE, probe_soon(p));
    probe_require(p, server_verifies(p, &h), "after a 401 Allocate does not carry the credentials asked for");
    line_send_message(control, server_challenge(p, &h, 438));
    h = server_hear(p, control, TURN_ALLOCATE, probe_soon(p));
    probe_require(p, server_verifies(p, &h), "after a 438 Allocate does not carry the new nonce");
}

/* The client asks anew, or again, at that listener; its Allocate with credentials is answered with this error. */
static struct line *refuse(struct probe *p, struct line *listener, int code, const struct endpoint *alternate)
{
    struct line *control = probe_accept(p, listener, probe_soon(p));
    probe_require(p, control, "the client has not connected to its server");
    struct heard h = server_hear(p, control, TURN_ALLOCATE, probe_soon(p));
    if (!server_verifies(p, &h)) {
        line_send_message(control, server_challenge(p, &h, 401));
        h = server_hear(p, control, TURN_ALLOCATE, probe_soon(p));
    }
    struct message *m = server_error(p, &h, code);
    if (alternate)
        message_put_address(m, ATTR_ALTERNATE_SERVER, alternate);
    server_sign(m);
    line_send_message(control, m);
    return control;
}

static void allocate_errors(struct probe *p)
{
    static const int final[] = {400, 403, 442, 486, 508};
    struct line *listener = probe_serve(p);
    struct endpoint other = line_local(listener);
    other.port++;
    struct line *elsewhere = probe_listen_at(p, SERVER, &other);
    subject_wish(p, &(struct wish){.kind = WISH_ALLOCATE_TCP});
    struct endpoint first = line_remote(refuse(p, listener, 437, NULL));
    struct endpoint second = line_remote(refuse(p, listener, 300, &other));
    probe_require(p, !endpoint_equal(&first, &second), "after a 437 the client came from the same address");
    struct line *control = refuse(p, elsewhere, final[0], NULL);
    for (size_t i = 0;; i++) {
        struct heard h = line_request(control, TURN_ALLOCATE, 60 * NS_S);
        probe_require(p, h.kind != HEARD_STUN && !probe_accept(p, listener, 0) && !probe_accept(p, elsewhere, 0),
                      "after a %d the client asked again within a minute", final[i]);
        probe_require(p, subject_times(p, TOLD_REFUSED) == i + 1, "the application was not told of a %d", final[i]);
        if (i + 1 == sizeof final / sizeof *final)
            return;
        subject_wish(p, &(struct wish){.kind = WISH_ALLOCATE_TCP});
        control = refuse(p, listener, final[i + 1], NULL);
    }
}

static void control_from_then_on(struct probe *p)
{
    struct served s = served(p, 120);
    struct endpoint peer = peer_at(p, 4001);
    subject_wish(p, &(struct wish){.kind = WISH_PERMIT, .peer = peer});
    struct heard h = server_hear(p, s.control, TURN_CREATE_PERMISSION, probe_soon(p));
    answer_plain(p, s.control, &h);
    hear_connect(p, &s, &peer);
    server_hear(p, s.control, TURN_REFRESH, 120 * NS_S);
    probe_require(p, probe_accept(p, s.listener, 0) == NULL, "the client opened another connection for its requests");
}

/* ---- 4.2: refreshing ---- */

static void refreshes(struct probe *p)
{
    struct served s = served(p, 120);
    struct heard h = server_hear(p, s.control, TURN_REFRESH, 120 * NS_S);
    probe_require(p, server_verifies(p, &h), "the client's Refresh does not verify");
}

static void refreshes_on_control(struct probe *p)
{
    struct served s = served(p, 120);
    struct line *data = bound(p, &s);
    server_hear(p, s.control, TURN_REFRESH, 120 * NS_S);
    probe_require(p, line_waiting(data) == 0, "the client sent something on its data connection");
}

/* ---- 4.3: Connect and ConnectionBind ---- */

static void connect_on_control(struct probe *p)
{
    struct served s = served(p, 600);
    struct endpoint peer = peer_at(p, 4001);
    struct heard h = hear_connect(p, &s, &peer);
    probe_require(p, server_verifies(p, &h), "the client's Connect does not verify");
    probe_require(p, probe_accept(p, s.listener, probe_soon(p)) == NULL, "the client opened a connection for Connect");
}

static void connect_names_peer(struct probe *p)
{
    struct served s = served(p, 600);
    struct endpoint peer = peer_at(p, 4001), told;
    struct heard h = hear_connect(p, &s, &peer);
    struct stun_attr it = {0};
    unsigned count = 0;
    char text[ENDPOINT_TEXT];
    probe_require(p, heard_address(&h, ATTR_XOR_PEER_ADDRESS, &told), "Connect has no XOR-PEER-ADDRESS");
    probe_require(p, endpoint_equal(&told, &peer), "XOR-PEER-ADDRESS is %s", endpoint_text(&told, text));
    while (stun_next(&h.stun, &it))
        count += it.type == ATTR_XOR_PEER_ADDRESS;
    probe_require(p, count == 1, "Connect has %u attributes XOR-PEER-ADDRESS", count);
}

static void success_without_id(struct probe *p)
{
    struct served s = served(p, 600);
    struct endpoint peer = peer_at(p, 4001), other = peer_at(p, 4002);
    struct heard h = hear_connect(p, &s, &peer);
    answer_plain(p, s.control, &h);
    probe_require(p, subject_told(p, TOLD_PEER_FAILED, probe_soon(p)), "Connect success without CONNECTION-ID was "
                  "not taken for a failure");
    probe_require(p, probe_accept(p, s.listener, probe_soon(p)) == NULL, "the client binds without CONNECTION-ID");
    hear_connect(p, &s, &other);
}

static void bind_to_same_server(struct probe *p)
{
    struct served s = served(p, 600);
    struct endpoint at = line_local(s.control), to;
    struct heard bind;
    to = line_local(connected(p, &s, 0x01020304, &bind));
    probe_require(p, endpoint_equal(&at, &to), "the data connection goes elsewhere than the control connection");
}

static void bind_from_other_port(struct probe *p)
{
    struct served s = served(p, 600);
    struct endpoint control = line_remote(s.control), data;
    struct heard bind;
    data = line_remote(connected(p, &s, 0x01020304, &bind));
    probe_require(p, !endpoint_equal(&control, &data), "data and control connection have the same local address");
}

static void bind_has_same_credentials(struct probe *p)
{
    struct served s = served(p, 600);
    struct heard bind;
    connected(p, &s, 0x01020304, &bind);
    probe_require(p, server_verifies(p, &bind), "ConnectionBind does not carry the credentials of the allocation");
}

static void bind_comes_first(struct probe *p)
{
    struct served s = served(p, 600);
    struct endpoint peer = peer_at(p, 4001);
    struct heard h = hear_connect(p, &s, &peer);
    answer_id(p, s.control, &h, 0x01020304);
    h = line_hear(accept_data(p, &s), probe_soon(p));
    probe_require(p, h.kind == HEARD_STUN && h.stun.type == 0x000b, "the first message is type 0x%04x",
                  h.kind == HEARD_STUN ? h.stun.type : 0);
}

static void expect_id(struct probe *p, const struct heard *bind, uint32_t expected)
{
    uint32_t connection;
    probe_require(p, heard_u32(bind, ATTR_CONNECTION_ID, &connection), "ConnectionBind has no CONNECTION-ID");
    probe_require(p, connection == expected, "CONNECTION-ID 0x%08x was bound as 0x%08x", expected, connection);
}

static void bind_echoes_id(struct probe *p)
{
    struct served s = served(p, 600);
    struct heard bind;
    connected(p, &s, 0x01020304, &bind);
    expect_id(p, &bind, 0x01020304);
    struct endpoint other = peer_at(p, 4002);
    struct heard h = hear_connect(p, &s, &other);
    answer_id(p, s.control, &h, 0xfffefdfc);
    bind = server_hear(p, accept_data(p, &s), TURN_CONNECTION_BIND, probe_soon(p));
    expect_id(p, &bind, 0xfffefdfc);
}

static void data_after_success(struct probe *p)
{
    struct served s = served(p, 600);
    struct heard bind;
    struct line *data = connected(p, &s, 0x01020304, &bind);
    probe_wait(p, 5 * NS_S);
    probe_require(p, subject_times(p, TOLD_BOUND) == 0 && line_waiting(data) == 0,
                  "the client used the connection before ConnectionBind success");
    answer_plain(p, data, &bind);
    probe_require(p, subject_told(p, TOLD_BOUND, probe_soon(p)), "the client does not take ConnectionBind success");
}

static void may_try_again(struct probe *p)
{
    struct served s = served(p, 600);
    struct endpoint peer = peer_at(p, 4001);
    fail_447(p, &s, &peer);
    wish_connect(p, &peer);
    struct heard h = line_request(s.control, TURN_CONNECT, 60 * NS_S);
    if (h.kind != HEARD_STUN)
        probe_defined(p, "after a 447 the client does not try the same peer again within a minute");
}

static void not_within_10s(struct probe *p)
{
    struct served s = served(p, 600);
    struct endpoint peer = peer_at(p, 4001);
    uint64_t at = probe_now(p);
    fail_447(p, &s, &peer);
    wish_connect(p, &peer);
    struct heard h = line_request(s.control, TURN_CONNECT, 10 * NS_S - 5 * NS_MS);
    probe_require(p, h.kind != HEARD_STUN, "the client tried again %.3f s after a 447", SECONDS(h.t_ns - at));
}

static void several_at_once(struct probe *p)
{
    struct served s = served(p, 600);
    struct endpoint one = peer_at(p, 4001), two = peer_at(p, 4002);
    struct heard first = hear_connect(p, &s, &one), bind;
    wish_connect(p, &two);
    struct heard second = line_request(s.control, TURN_CONNECT, probe_soon(p));
    if (second.kind != HEARD_STUN)
        probe_defined(p, "the client asks for one peer at a time");
    answer_id(p, s.control, &second, 0x22222222);
    struct line *data = accept_data(p, &s);
    bind = server_hear(p, data, TURN_CONNECTION_BIND, probe_soon(p));
    expect_id(p, &bind, 0x22222222);
    answer_plain(p, data, &bind);
    answer_id(p, s.control, &first, 0x11111111);
    data = accept_data(p, &s);
    bind = server_hear(p, data, TURN_CONNECTION_BIND, probe_soon(p));
    expect_id(p, &bind, 0x11111111);
    answer_plain(p, data, &bind);
    probe_wait(p, probe_soon(p));
    probe_require(p, subject_times(p, TOLD_BOUND) == 2, "of two answers in reverse order %u led to a bound connection",
                  subject_times(p, TOLD_BOUND));
}

static void not_twice_at_once(struct probe *p)
{
    struct served s = served(p, 600);
    struct endpoint peer = peer_at(p, 4001);
    hear_connect(p, &s, &peer);
    wish_connect(p, &peer);
    struct heard h = line_request(s.control, TURN_CONNECT, 20 * NS_S);
    probe_require(p, h.kind != HEARD_STUN, "two Connects to the same peer are outstanding");
}

/* ---- 4.4: ConnectionAttempt ---- */

static void attempt_between(struct probe *p)
{
    struct served s = served(p, 600);
    struct endpoint peer = peer_at(p, 4001), caller = peer_at(p, 4002);
    struct heard h = hear_connect(p, &s, &peer);
    send_attempt(p, &s, 0x05060708, &caller);
    probe_require(p, subject_told(p, TOLD_INCOMING, probe_soon(p)), "ConnectionAttempt was not told");
    answer_id(p, s.control, &h, 0x01020304);
    h = server_hear(p, accept_data(p, &s), TURN_CONNECTION_BIND, probe_soon(p));
    expect_id(p, &h, 0x01020304);
}

static void attempt_incomplete(struct probe *p)
{
    struct served s = served(p, 600);
    struct endpoint peer = peer_at(p, 4001);
    struct message *no_peer = message_new(p, STUN_INDICATION, TURN_CONNECTION_ATTEMPT);
    message_put_u32(no_peer, ATTR_CONNECTION_ID, 0x05060708);
    line_send_message(s.control, no_peer);
    struct message *no_id = message_new(p, STUN_INDICATION, TURN_CONNECTION_ATTEMPT);
    message_put_address(no_id, ATTR_XOR_PEER_ADDRESS, &peer);
    line_send_message(s.control, no_id);
    probe_require(p, !subject_told(p, TOLD_INCOMING, probe_soon(p)), "an incomplete ConnectionAttempt was told");
    hear_connect(p, &s, &peer);
}

static void accept_to_same_server(struct probe *p)
{
    struct served s = served(p, 600);
    struct endpoint at = line_local(s.control), to;
    struct heard bind;
    to = line_local(accepted(p, &s, 0x01020304, &bind));
    probe_require(p, endpoint_equal(&at, &to), "the data connection goes elsewhere than the control connection");
}

static void accept_from_other_port(struct probe *p)
{
    struct served s = served(p, 600);
    struct endpoint control = line_remote(s.control), data;
    struct heard bind;
    data = line_remote(accepted(p, &s, 0x01020304, &bind));
    probe_require(p, !endpoint_equal(&control, &data), "data and control connection have the same local address");
}

static void accept_has_same_credentials(struct probe *p)
{
    struct served s = served(p, 600);
    struct heard bind;
    accepted(p, &s, 0x01020304, &bind);
    probe_require(p, server_verifies(p, &bind), "ConnectionBind does not carry the credentials of the allocation");
}

static void accept_binds(struct probe *p)
{
    struct served s = served(p, 600);
    struct heard bind;
    struct line *data = accepted(p, &s, 0x01020304, &bind);
    probe_require(p, bind.stun.type == 0x000b, "ConnectionBind is type 0x%04x", bind.stun.type);
    answer_plain(p, data, &bind);
    probe_require(p, subject_told(p, TOLD_BOUND, probe_soon(p)), "the client does not take ConnectionBind success");
}

static void accept_echoes_id(struct probe *p)
{
    struct served s = served(p, 600);
    struct heard bind;
    accepted(p, &s, 0xfffefdfc, &bind);
    expect_id(p, &bind, 0xfffefdfc);
}

static void declines(struct probe *p)
{
    struct served s = served(p, 600);
    struct endpoint peer = peer_at(p, 4001);
    send_attempt(p, &s, 0x05060708, &peer);
    probe_require(p, probe_accept(p, s.listener, 35 * NS_S) == NULL, "the client binds what nobody accepted");
    struct heard h = line_hear(s.control, 0);
    probe_require(p, h.kind == HEARD_NOTHING, "the client answered ConnectionAttempt");
}

static void attempt_needs_no_integrity(struct probe *p)
{
    struct served s = served(p, 600);
    struct endpoint peer = peer_at(p, 4001);
    send_attempt(p, &s, 0x05060708, &peer);
    probe_require(p, subject_told(p, TOLD_INCOMING, probe_soon(p)),
                  "a ConnectionAttempt without MESSAGE-INTEGRITY was not told");
}

/* ---- 4.5, 4.6: data ---- */

static void data_unchanged(struct probe *p)
{
    struct served s = served(p, 600);
    struct line *data = bound(p, &s);
    uint8_t sent[16 * KIB], got[sizeof sent];
    for (size_t i = 0; i < sizeof sent; i++)
        sent[i] = (uint8_t)(i * 31 + (i >> 8));
    subject_send_data(p, sent, sizeof sent);
    probe_require(p, line_read_all(data, got, sizeof got, probe_soon(p)) && memcmp(got, sent, sizeof got) == 0,
                  "what the application sent did not come unchanged");
    line_send(data, sent, sizeof sent);
    memset(got, 0, sizeof got);
    probe_require(p, subject_received(p, got, sizeof got, probe_soon(p)) && memcmp(got, sent, sizeof got) == 0,
                  "what came for the application did not reach it unchanged");
}

static void keeps_refreshing(struct probe *p)
{
    struct served s = served(p, 600);
    bound(p, &s);
    for (uint64_t end = probe_now(p) + 1500 * NS_S; probe_now(p) < end;) {
        struct heard h = server_hear(p, s.control, TURN_REFRESH, 600 * NS_S);
        answer_refresh(p, s.control, &h, 600);
    }
}

static void closes_data(struct probe *p)
{
    struct served s = served(p, 600);
    struct line *data = bound(p, &s);
    struct endpoint peer = peer_at(p, 4002);
    subject_wish(p, &(struct wish){.kind = WISH_CLOSE_DATA});
    expect_closed(p, data, probe_soon(p), "a data connection that the application is done with");
    hear_connect(p, &s, &peer);
}

static void idle_data(struct probe *p)
{
    struct served s = served(p, 3600);
    struct line *data = bound(p, &s);
    uint8_t b;
    probe_require(p, line_read(data, &b, 1, 600 * NS_S) == 0, "the client sent something on an idle data connection");
    expect_open(p, data, 0, "an idle data connection");
}

static const struct requirement rows[] = {
    {"6062-4.1-1", "4.1", LEVEL_MUST, WHO_CLIENT,
     "For a TCP allocation the client opens a new TCP or TLS connection to the server.", .probe = over_tcp_only,
     .needs = NEED_CLIENT},
    {"6062-4.1-2", "4.1", LEVEL_STATED, WHO_CLIENT, "A TCP allocation is not asked for over UDP.",
     .probe = over_tcp_only, .needs = NEED_CLIENT},
    {"6062-4.1-3", "4.1", LEVEL_MUST, WHO_CLIENT, "Once connected the client sends an Allocate request.",
     .probe = sends_allocate, .needs = NEED_CLIENT},
    {"6062-4.1-4", "4.1", LEVEL_MUST, WHO_CLIENT, "Its REQUESTED-TRANSPORT is 6, TCP.", .probe = asks_for_tcp,
     .needs = NEED_CLIENT},
    {"6062-4.1-5", "4.1", LEVEL_MUST_NOT, WHO_CLIENT, "An Allocate of TCP has no DONT-FRAGMENT.",
     .probe = no_dont_fragment, .needs = NEED_CLIENT},
    {"6062-4.1-6", "4.1", LEVEL_MUST_NOT, WHO_CLIENT, "An Allocate of TCP has no RESERVATION-TOKEN.",
     .probe = no_token, .needs = NEED_CLIENT},
    {"6062-4.1-7", "4.1", LEVEL_MUST_NOT, WHO_CLIENT, "An Allocate of TCP has no EVEN-PORT.",
     .probe = no_even_port, .needs = NEED_CLIENT},
    {"6062-4.1-8", "4.1", LEVEL_MAY, WHO_CLIENT,
     "LIFETIME may be asked for; the client goes by the one that is answered.", .probe = granted_lifetime,
     .needs = NEED_CLIENT},
    {"6062-4.1-9", "4.1", LEVEL_STATED, WHO_CLIENT,
     "The client authenticates as for UDP: after 401 and 438, on the same connection.", .probe = authenticates,
     .needs = NEED_CLIENT},
    {"6062-4.1-10", "4.1", LEVEL_STATED, WHO_CLIENT,
     "Errors to Allocate are handled as for UDP: 437 another local address, 300 the alternate server, others no retry "
     "within a minute.",
     .probe = allocate_errors, .needs = NEED_CLIENT},
    {"6062-4.1-11", "4.1", LEVEL_STATED, WHO_CLIENT, "That connection is the control connection from then on.",
     .probe = control_from_then_on, .needs = NEED_CLIENT},
    {"6062-4.2-1", "4.2", LEVEL_STATED, WHO_CLIENT, "The allocation is refreshed before it expires, as for UDP.",
     .probe = refreshes, .needs = NEED_CLIENT},
    {"6062-4.2-2", "4.2", LEVEL_MUST, WHO_CLIENT, "Refresh is sent on the control connection.",
     .probe = refreshes_on_control, .needs = NEED_CLIENT},
    {"6062-4.3-1", "4.3", LEVEL_MUST, WHO_CLIENT, "Connect is sent on the control connection of its allocation.",
     .probe = connect_on_control, .needs = NEED_CLIENT},
    {"6062-4.3-2", "4.3", LEVEL_MUST, WHO_CLIENT, "Connect has the peer's transport address in XOR-PEER-ADDRESS.",
     .probe = connect_names_peer, .needs = NEED_CLIENT},
    {"6062-4.3-3", "4.3", LEVEL_STATED, WHO_CLIENT, "Connect success without CONNECTION-ID is no success.",
     .probe = success_without_id, .needs = NEED_CLIENT},
    {"6062-4.3-4", "4.3", LEVEL_MUST, WHO_CLIENT,
     "After Connect success the client opens a connection to where its control connection goes.",
     .probe = bind_to_same_server, .needs = NEED_CLIENT},
    {"6062-4.3-5", "4.3", LEVEL_MUST, WHO_CLIENT, "It does so from another local transport address.",
     .probe = bind_from_other_port, .needs = NEED_CLIENT},
    {"6062-4.3-6", "4.3", LEVEL_MUST, WHO_CLIENT,
     "ConnectionBind is authenticated with the credentials of the control connection.",
     .probe = bind_has_same_credentials, .needs = NEED_CLIENT},
    {"6062-4.3-7", "4.3", LEVEL_MUST, WHO_CLIENT, "ConnectionBind is what is sent on the new connection.",
     .probe = bind_comes_first, .needs = NEED_CLIENT},
    {"6062-4.3-8", "4.3", LEVEL_MUST, WHO_CLIENT, "ConnectionBind echoes the CONNECTION-ID of Connect success.",
     .probe = bind_echoes_id, .needs = NEED_CLIENT},
    {"6062-4.3-9", "4.3", LEVEL_STATED, WHO_CLIENT, "Only after ConnectionBind success is it a data connection.",
     .probe = data_after_success, .needs = NEED_CLIENT},
    {"6062-4.3-10", "4.3", LEVEL_MAY, WHO_CLIENT, "After a 447 the same peer may be tried again.",
     .probe = may_try_again, .needs = NEED_CLIENT},
    {"6062-4.3-11", "4.3", LEVEL_MUST, WHO_CLIENT,
     "After a 447 the same peer is not tried again within 10 s.", .probe = not_within_10s,
     .needs = NEED_CLIENT},
    {"6062-4.3-12", "4.3", LEVEL_MAY, WHO_CLIENT, "Connects to different peers may be outstanding at once.",
     .probe = several_at_once, .needs = NEED_CLIENT},
    {"6062-4.3-13", "4.3", LEVEL_MUST_NOT, WHO_CLIENT, "Two Connects to the same peer are not outstanding at once.",
     .probe = not_twice_at_once, .needs = NEED_CLIENT},
    {"6062-4.4-1", "4.4", LEVEL_STATED, WHO_CLIENT,
     "ConnectionAttempt may come at any time, between a request and its response too.", .probe = attempt_between,
     .needs = NEED_CLIENT},
    {"6062-4.4-2", "4.4", LEVEL_STATED, WHO_CLIENT,
     "A ConnectionAttempt without CONNECTION-ID or XOR-PEER-ADDRESS is ignored.", .probe = attempt_incomplete,
     .needs = NEED_CLIENT},
    {"6062-4.4-3", "4.4", LEVEL_MUST, WHO_CLIENT,
     "To accept, the client opens a connection to where its control connection goes.", .probe = accept_to_same_server,
     .needs = NEED_CLIENT},
    {"6062-4.4-4", "4.4", LEVEL_MUST, WHO_CLIENT, "It does so from another local transport address.",
     .probe = accept_from_other_port, .needs = NEED_CLIENT},
    {"6062-4.4-5", "4.4", LEVEL_MUST, WHO_CLIENT,
     "ConnectionBind is authenticated with the credentials of the control connection.",
     .probe = accept_has_same_credentials, .needs = NEED_CLIENT},
    {"6062-4.4-6", "4.4", LEVEL_MUST, WHO_CLIENT, "ConnectionBind is sent on the new connection.",
     .probe = accept_binds, .needs = NEED_CLIENT},
    {"6062-4.4-7", "4.4", LEVEL_MUST, WHO_CLIENT, "ConnectionBind echoes the CONNECTION-ID of ConnectionAttempt.",
     .probe = accept_echoes_id, .needs = NEED_CLIENT},
    {"6062-4.4-8", "4.4", LEVEL_DERIVED, WHO_CLIENT, "A client that does not wish to accept does nothing.",
     .probe = declines, .needs = NEED_CLIENT},
    {"6062-4.4-9", "4.4", LEVEL_DERIVED, WHO_CLIENT, "ConnectionAttempt needs no MESSAGE-INTEGRITY.",
     .probe = attempt_needs_no_integrity, .needs = NEED_CLIENT},
    {"6062-4.5-1", "4.5", LEVEL_STATED, WHO_CLIENT,
     "What is written to a data connection reaches the other side unchanged.", .probe = data_unchanged,
     .needs = NEED_CLIENT},
    {"6062-4.6-1", "4.6", LEVEL_MUST, WHO_CLIENT,
     "The allocation is refreshed for as long as a data connection is wanted.", .probe = keeps_refreshing,
     .needs = NEED_CLIENT},
    {"6062-4.6-2", "4.6", LEVEL_STATED, WHO_CLIENT, "A relayed connection is ended by closing its data connection.",
     .probe = closes_data, .needs = NEED_CLIENT},
    {"6062-4.6-3", "4.6", LEVEL_STATED, WHO_CLIENT,
     "Nothing is sent on an idle data connection: the protocol has no keep-alive.", .probe = idle_data,
     .needs = NEED_CLIENT},
    {"6062-4.6-4", "4.6", LEVEL_MAY, WHO_CLIENT, "TCP keep-alive may be used on data connections.",
     .none = "a client is right with and without it, and its segments carry no bytes that could be relayed"},
};

const struct section rfc6062_client = SECTION(rows);
