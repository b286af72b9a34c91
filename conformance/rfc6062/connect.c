/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 6062 5.2: Connect. */
#include "conformance/rfc6062/rfc6062.h"

#include <string.h>

static void without_allocation(struct probe *p)
{
    struct login *login = login_new(p, USER1);
    struct line *fresh = probe_dial(p, CLIENT1), *listener = probe_listen(p, PEER1, IP_V4);
    struct endpoint at = line_local(listener);
    struct heard h = ask_connect(login, fresh, &at);
    expect_code(p, &h, 437, "a Connect over a connection without an allocation");
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    h = ask_refresh(a->login, a->control, 0);
    expect_code(p, &h, 0, "a Refresh with LIFETIME 0");
    h = line_answer(a->control, begin_connect(a->login, a->control, &at), probe_soon(p));
    if (h.kind != HEARD_ENDED) /* a server may close what has no allocation any more */
        expect_code(p, &h, 437, "a Connect after a Refresh with LIFETIME 0");
}

static void while_connecting(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct line *listener = probe_listen(p, PEER1, IP_V4);
    struct endpoint at = line_local(listener);
    probe_silence(p, PEER1, true);
    uint64_t began = probe_now(p);
    struct message *first = begin_connect(a->login, a->control, &at);
    probe_wait(p, NS_S);
    struct heard h = line_answer(a->control, begin_connect(a->login, a->control, &at), probe_soon(p));
    expect_code(p, &h, 446, "a second Connect while the first is in progress");
    h = line_answer(a->control, first, 150 * NS_S);
    expect_code(p, &h, 447, "the first Connect, whose peer never answers");
    double after = SECONDS(probe_now(p) - began);
    probe_require(p, after >= 30, "after a second Connect the first was given up at %.1f s", after);
}

static void while_connected(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = allocation_connect(a, PEER1);
    struct endpoint at = line_local(pair.listener);
    struct heard h = ask_connect(a->login, a->control, &at);
    expect_code(p, &h, 446, "a Connect to the peer of a pending connection");
    pair_bind(a, &pair);
    h = ask_connect(a->login, a->control, &at);
    expect_code(p, &h, 446, "a Connect to the peer of a bound connection");
    expect_carries(p, &pair, 0, 0, 4 * KIB);
}

static void serves_on_after_446(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = allocation_connect(a, PEER1);
    struct endpoint at = line_local(pair.listener);
    struct heard h = ask_connect(a->login, a->control, &at);
    expect_code(p, &h, 446, "a Connect to the peer of a pending connection");
    expect_served(a, "a 446");
    struct pair other = bound_pair(a, PEER1);
    expect_carries(p, &other, 0, 0, KIB);
}

/* Once nothing is there any more, another Connect to that peer is not refused with 446. 447 it may be, as TCP keeps
 * addresses in TIME_WAIT. */
static void expect_free(struct allocation *a, const struct endpoint *peer, const char *after)
{
    struct heard h = ask_connect(a->login, a->control, peer);
    char buf[HEARD_TEXT];
    probe_require(a->p, h.code == 0 || h.code == 447, "after %s a Connect to the same peer was answered with %s", after,
                  heard_text(&h, buf));
}

static void again_when_gone(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct endpoint closed = probe_closed_port(p, PEER1, IP_V4);
    struct heard h = ask_connect(a->login, a->control, &closed);
    expect_code(p, &h, 447, "a Connect to a closed port");
    probe_listen_at(p, PEER1, &closed);
    h = ask_connect(a->login, a->control, &closed);
    expect_code(p, &h, 0, "a Connect to a port that was closed at first");
    struct pair one = bound_pair(a, PEER1), two = bound_pair(a, PEER1);
    struct endpoint first = line_local(one.listener), second = line_local(two.listener);
    line_reset(one.peer);
    expect_closed(p, one.data, probe_soon(p), "the data connection of a peer that has reset its own");
    expect_free(a, &first, "the peer has reset the connection");
    line_close(two.data);
    expect_closed(p, two.peer, probe_soon(p), "the peer connection of a data connection that was closed");
    line_close(two.peer); /* its own end, which a server may wait for */
    probe_wait(p, NS_S);
    expect_free(a, &second, "the client has closed the data connection");
}

static void without_peer(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct heard h = login_ask(a->login, a->control, TURN_CONNECT, NULL, NULL);
    expect_code(p, &h, 400, "a Connect without XOR-PEER-ADDRESS");
    expect_served(a, "a Connect without XOR-PEER-ADDRESS");
}

static void invalid_peer(struct probe *p)
{
    static const struct {
        const char *what;
        struct attr attrs[2];
        int other; /* an answer that later RFCs give a reason for: 443, if the family is taken for one */
    } bad[] = {
        {"an XOR-PEER-ADDRESS of four bytes", {{ATTR_XOR_PEER_ADDRESS, "00015c74"}, {0}}, 400},
        {"an XOR-PEER-ADDRESS of no byte", {{ATTR_XOR_PEER_ADDRESS, ""}, {0}}, 400},
        {"an XOR-PEER-ADDRESS of family 3", {{ATTR_XOR_PEER_ADDRESS, "00035c74e112a6d4"}, {0}}, 443},
        {"an IPv4 address in 20 bytes",
         {{ATTR_XOR_PEER_ADDRESS, "00015c74e112a6d4000000000000000000000000"}, {0}}, 400},
    };
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct heard h = login_ask(a->login, a->control, TURN_CONNECT, fill_hex, bad[i].attrs);
        char buf[HEARD_TEXT];
        probe_require(p, h.code == 400 || h.code == bad[i].other, "a Connect with %s was answered with %s", bad[i].what,
                      heard_text(&h, buf));
        expect_served(a, bad[i].what);
    }
    struct endpoint port_0 = {.ip = probe_ip(p, PEER1, IP_V4)};
    struct heard h = ask_connect(a->login, a->control, &port_0);
    probe_require(p, h.code > 0, "a Connect to port 0 was answered with success");
    expect_served(a, "a Connect to port 0");
}

static void denied_peer(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct line *listener = probe_listen(p, PEER2, IP_V4);
    struct endpoint at = line_local(listener);
    struct heard h = ask_connect(a->login, a->control, &at);
    expect_code(p, &h, 403, "a Connect to a peer that policy denies");
    probe_require(p, probe_accept(p, listener, probe_soon(p)) == NULL, "the denied peer got a connection");
}

static void opens_connection(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct line *listener = probe_listen(p, PEER1, IP_V4);
    struct endpoint at = line_local(listener);
    begin_connect(a->login, a->control, &at);
    probe_require(p, probe_accept(p, listener, probe_soon(p)) != NULL, "no connection reached the peer");
}

static void local_is_relayed(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair one = allocation_connect(a, PEER1), two = allocation_connect(a, PEER1);
    struct endpoint from[] = {line_remote(one.peer), line_remote(two.peer)};
    char is[ENDPOINT_TEXT], should[ENDPOINT_TEXT];
    for (size_t i = 0; i < 2; i++)
        probe_require(p, endpoint_equal(&from[i], &a->relayed), "a connection came from %s; the relayed address is %s",
                      endpoint_text(&from[i], is), endpoint_text(&a->relayed, should));
}

static void remote_is_peer(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct line *wrong = probe_listen(p, PEER1, IP_V4), *right = probe_listen(p, PEER1, IP_V4);
    struct line *wrong2 = probe_listen(p, PEER1, IP_V4);
    connect_to(a, right);
    probe_require(p, probe_accept(p, right, probe_soon(p)) != NULL, "no connection reached the right listener");
    probe_require(p, !probe_accept(p, wrong, 0) && !probe_accept(p, wrong2, 0),
                  "a connection reached another listener than was asked for");
}

static void refused(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct endpoint at = probe_closed_port(p, PEER1, IP_V4);
    struct message *m = begin_connect(a->login, a->control, &at);
    struct heard h = line_answer(a->control, m, 45 * NS_S); /* some ask a refusing peer again for a while */
    expect_code(p, &h, 447, "a Connect to a peer that refuses");
}

static void times_out(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct line *listener = probe_listen(p, PEER1, IP_V4);
    struct endpoint at = line_local(listener);
    probe_silence(p, PEER1, true);
    struct message *m = begin_connect(a->login, a->control, &at);
    struct heard h = line_answer(a->control, m, 150 * NS_S);
    expect_code(p, &h, 447, "a Connect to a peer that never answers");
    h = line_answer(a->control, m, probe_soon(p));
    probe_require(p, h.kind == HEARD_NOTHING, "the Connect was answered twice");
    expect_served(a, "a Connect that timed out");
}

static void timeout_is_30s(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct line *slow = probe_listen(p, PEER1, IP_V4), *never = probe_listen(p, PEER1, IP_V4);
    struct endpoint at = line_local(slow);
    probe_silence(p, PEER1, true);
    struct message *m = begin_connect(a->login, a->control, &at);
    probe_wait(p, 12 * NS_S); /* SYNs at 0, 1, 3, 7, 15 s (RFC 6298) */
    probe_silence(p, PEER1, false);
    struct heard h = line_answer(a->control, m, 20 * NS_S);
    expect_code(p, &h, 0, "a Connect to a peer that answers after 12 s");
    at = line_local(never);
    probe_silence(p, PEER1, true);
    uint64_t began = probe_now(p);
    m = begin_connect(a->login, a->control, &at);
    h = line_answer(a->control, m, 150 * NS_S);
    double after = SECONDS(probe_now(p) - began);
    probe_require(p, after >= 30, "a Connect was given up after %.1f s", after);
}

static void peer_is_not_stun(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = allocation_connect(a, PEER1);
    struct message *m = message_request(p, STUN_BINDING);
    size_t *len;
    const uint8_t *sent = message_bytes(m, &len);
    uint8_t got[64];
    line_send(pair.peer, sent, *len);
    probe_require(p, line_read(pair.peer, got, 1, probe_soon(p)) == 0, "the server answered STUN from the peer");
    pair_bind(a, &pair);
    probe_require(p, line_read_all(pair.data, got, *len, probe_soon(p)) && memcmp(got, sent, *len) == 0,
                  "STUN-like bytes of the peer did not reach the client unchanged");
}

static void early_bytes(struct probe *p)
{
    static const uint64_t len[] = {1, 1460, 16 * KIB, 64 * KIB, MIB};
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    for (size_t i = 0; i < sizeof len / sizeof *len; i++) {
        struct pair pair = allocation_connect(a, PEER1);
        expect_early_bytes(a, &pair, len[i]);
    }
}

static void back_pressure(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = allocation_connect(a, PEER1);
    expect_held_back(a, &pair);
}

static void success_has_id(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct line *listener = probe_listen(p, PEER1, IP_V4);
    struct endpoint at = line_local(listener);
    struct heard h = ask_connect(a->login, a->control, &at);
    struct stun_attr id;
    expect_code(p, &h, 0, "a Connect to a listening peer");
    probe_require(p, stun_find(&h.stun, ATTR_CONNECTION_ID, &id), "Connect success has no CONNECTION-ID");
    probe_require(p, id.len == 4, "CONNECTION-ID has %u bytes", id.len);
}

static void ids_are_unique(struct probe *p)
{
    enum { ALLOCATIONS = 5, EACH = 10 };
    struct allocation *a = NULL;
    struct line *listener[EACH];
    uint32_t seen[ALLOCATIONS * EACH];
    for (size_t i = 0; i < EACH; i++)
        listener[i] = probe_listen(p, PEER1, IP_V4);
    for (size_t n = 0; n < ALLOCATIONS * EACH; n++) {
        if (n % EACH == 0)
            a = allocate(p, PROTO_TCP, PROTO_TCP);
        seen[n] = connect_to(a, listener[n % EACH]);
        for (size_t i = 0; i < n; i++)
            probe_require(p, seen[i] != seen[n], "CONNECTION-ID 0x%08x was given to connections %zu and %zu", seen[n],
                          i + 1, n + 1);
    }
}

static void unbound_is_closed(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = allocation_connect(a, PEER1);
    expect_closed_at_30s(p, pair.peer, probe_now(p), "a peer connection that is not bound");
}

static void bound_at_29s(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = allocation_connect(a, PEER1);
    probe_wait(p, 29 * NS_S);
    pair_bind(a, &pair);
    expect_open(p, pair.data, 16 * NS_S, "a data connection bound after 29 s");
    expect_carries(p, &pair, 0, 0, KIB);
}

static void late_bind(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = allocation_connect(a, PEER1);
    probe_wait(p, 36 * NS_S);
    struct heard h = ask_bind(a->login, probe_dial(p, CLIENT1), pair.connection);
    expect_code(p, &h, 400, "a ConnectionBind after 36 s");
}

static void concurrent(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct line *silent = probe_listen(p, PEER2, IP_V4), *live = probe_listen(p, PEER1, IP_V4);
    struct endpoint at = line_local(silent);
    probe_silence(p, PEER2, true);
    struct message *slow = begin_connect(a->login, a->control, &at);
    expect_served(a, "a Connect to a silent peer");
    connect_to(a, live);
    struct heard h = line_answer(a->control, slow, 0);
    char buf[HEARD_TEXT];
    probe_require(p, h.kind == HEARD_NOTHING, "a Connect to a silent peer was answered with %s at once",
                  heard_text(&h, buf));
}

static const struct requirement rows[] = {
    {"6062-5.2-1", "5.2", LEVEL_MUST, WHO_SERVER,
     "A Connect over a connection without an allocation is answered 437.", .probe = without_allocation},
    {"6062-5.2-2", "5.2", LEVEL_MUST, WHO_SERVER,
     "A Connect to a peer address that another Connect is in progress to is answered 446.", .probe = while_connecting,
     .needs = NEED_SILENT_PEER, .seconds = 30},
    {"6062-5.2-3", "5.2", LEVEL_MUST, WHO_SERVER,
     "A Connect to a peer address that there is a connection to, bound or not, is answered 446.",
     .probe = while_connected},
    {"6062-5.2-4", "5.2", LEVEL_DERIVED, WHO_SERVER, "After a 446 the server serves the allocation on.",
     .probe = serves_on_after_446},
    {"6062-5.2-5", "5.2", LEVEL_DERIVED, WHO_SERVER,
     "446 is no answer any more once the connection is gone, or its Connect has failed.", .probe = again_when_gone},
    {"6062-5.2-6", "5.2", LEVEL_MUST, WHO_SERVER, "A Connect without XOR-PEER-ADDRESS is answered 400.",
     .probe = without_peer},
    {"6062-5.2-7", "5.2", LEVEL_MUST, WHO_SERVER, "A Connect with an invalid XOR-PEER-ADDRESS is answered 400.",
     .probe = invalid_peer},
    {"6062-5.2-8", "5.2", LEVEL_MUST, WHO_SERVER,
     "A Connect to a peer that policy forbids is answered 403, and no connection is tried.", .probe = denied_peer,
     .needs = NEED_PEER2, .setup = SETUP_DENY},
    {"6062-5.2-9", "5.2", LEVEL_MUST, WHO_SERVER, "Otherwise the server opens a TCP connection to the peer.",
     .probe = opens_connection},
    {"6062-5.2-10", "5.2", LEVEL_STATED, WHO_SERVER, "Its local end is the relayed transport address.",
     .probe = local_is_relayed},
    {"6062-5.2-11", "5.2", LEVEL_STATED, WHO_SERVER, "Its remote end is the XOR-PEER-ADDRESS.",
     .probe = remote_is_peer},
    {"6062-5.2-12", "5.2", LEVEL_MUST, WHO_SERVER, "A Connect whose connection fails is answered 447.",
     .probe = refused},
    {"6062-5.2-13", "5.2", LEVEL_MUST, WHO_SERVER, "A Connect whose connection times out is answered 447, once.",
     .probe = times_out, .needs = NEED_SILENT_PEER, .seconds = 30},
    {"6062-5.2-14", "5.2", LEVEL_MUST, WHO_SERVER, "The server tries for at least 30 s before it answers 447.",
     .probe = timeout_is_30s, .needs = NEED_SILENT_PEER, .seconds = 45},
    {"6062-5.2-15", "5.2", LEVEL_STATED, WHO_SERVER, "Nothing that comes from a peer is read as STUN.",
     .probe = peer_is_not_stun},
    {"6062-5.2-16", "5.2", LEVEL_MUST, WHO_SERVER,
     "What the peer sends before the bind is kept and delivered, or its connection is dropped as a whole.",
     .probe = early_bytes},
    {"6062-5.2-17", "5.2", LEVEL_STATED, WHO_SERVER,
     "A peer that sends more before the bind than there is room for is held back by TCP's window.",
     .probe = back_pressure},
    {"6062-5.2-18", "5.2", LEVEL_MUST, WHO_SERVER, "Connect success carries CONNECTION-ID.", .probe = success_has_id},
    {"6062-5.2-19", "5.2", LEVEL_MUST, WHO_SERVER,
     "CONNECTION-ID identifies the peer connection uniquely, over all allocations of the server.",
     .probe = ids_are_unique},
    {"6062-5.2-20", "5.2", LEVEL_MUST, WHO_SERVER,
     "A peer connection that is not bound within 30 s after Connect success is closed then.",
     .probe = unbound_is_closed, .seconds = 30},
    {"6062-5.2-21", "5.2", LEVEL_DERIVED, WHO_SERVER,
     "A ConnectionBind after 29 s is in time, and ends the timer.", .probe = bound_at_29s,
     .seconds = 45},
    {"6062-5.2-22", "5.2", LEVEL_DERIVED, WHO_SERVER, "A ConnectionBind that comes too late is answered 400.",
     .probe = late_bind, .seconds = 36},
    {"6062-5.2-23", "5.2", LEVEL_DERIVED, WHO_SERVER, "A Connect in progress does not hold up other requests.",
     .probe = concurrent, .needs = NEED_SILENT_PEER | NEED_PEER2},
};

const struct section rfc6062_connect = SECTION(rows);
