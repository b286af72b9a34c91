/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 6062 5.4: ConnectionBind. */
#include "conformance/rfc6062/rfc6062.h"

#include <string.h>

static void over_udp(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = allocation_connect(a, PEER1);
    struct heard h = ask_bind(login_new(p, USER1), probe_udp(p, CLIENT1, IP_V4), pair.connection);
    expect_code(p, &h, 400, "a ConnectionBind over UDP");
    pair_bind(a, &pair); /* it is still pending */
    expect_carries(p, &pair, 0, 0, KIB);
}

/* ConnectionBind with what the attributes say, on a connection of its own: 400. */
static void expect_400(struct allocation *a, const struct attr *attrs, const char *what)
{
    struct line *data = probe_dial(a->p, CLIENT1);
    struct heard h = login_ask(a->login, data, TURN_CONNECTION_BIND, fill_hex, attrs);
    char buf[HEARD_TEXT];
    probe_require(a->p, h.code == 400, "a ConnectionBind %s was answered with %s", what, heard_text(&h, buf));
}

static void without_id(struct probe *p)
{
    static const struct attr nothing[] = {{0}};
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    allocation_connect(a, PEER1);
    expect_400(a, nothing, "without CONNECTION-ID");
}

static void unknown_id(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = allocation_connect(a, PEER1);
    struct heard h = ask_bind(a->login, probe_dial(p, CLIENT1), pair.connection ^ 0x00ff00ff);
    expect_code(p, &h, 400, "a ConnectionBind with an unknown CONNECTION-ID");
    pair_bind(a, &pair);
}

static void bound_id(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = bound_pair(a, PEER1);
    struct heard h = ask_bind(a->login, probe_dial(p, CLIENT1), pair.connection);
    expect_code(p, &h, 400, "a ConnectionBind with the CONNECTION-ID of a bound connection");
    expect_carries(p, &pair, 0, 0, KIB);
}

static void closed_id(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = allocation_connect(a, PEER1);
    line_reset(pair.peer);
    probe_wait(p, NS_S);
    struct heard h = ask_bind(a->login, probe_dial(p, CLIENT1), pair.connection);
    expect_code(p, &h, 400, "a ConnectionBind with the CONNECTION-ID of a connection that the peer has reset");
}

static void id_of_wrong_length(struct probe *p)
{
    static const struct attr wrong[][2] = {
        {{ATTR_CONNECTION_ID, ""}, {0}}, {{ATTR_CONNECTION_ID, "0102"}, {0}},
        {{ATTR_CONNECTION_ID, "0102030405060708"}, {0}},
    };
    static const char *const what[] = {"with a CONNECTION-ID of no byte", "with a CONNECTION-ID of two bytes",
                                       "with a CONNECTION-ID of eight bytes"};
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    allocation_connect(a, PEER1);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        expect_400(a, wrong[i], what[i]);
}

static void success(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = allocation_connect(a, PEER1);
    pair.data = probe_dial(p, CLIENT1);
    struct heard h = ask_bind(a->login, pair.data, pair.connection);
    expect_code(p, &h, 0, "a ConnectionBind");
    expect_carries(p, &pair, 0, 0, KIB);
}

static void to_peer(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = bound_pair(a, PEER1);
    line_send_pattern(pair.data, 0, 0, 256 * KIB);
    line_expect_pattern(pair.peer, 0, 0, 256 * KIB, 2 * probe_soon(p));
}

static void to_client(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = bound_pair(a, PEER1);
    line_send_pattern(pair.peer, 0, 0, 256 * KIB);
    line_expect_pattern(pair.data, 0, 0, 256 * KIB, 2 * probe_soon(p));
}

static void early_bytes_first(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair out = allocation_connect(a, PEER1), in = allocation_incoming(a, PEER1);
    line_send_pattern(out.peer, 0, 0, 3 * KIB);
    line_send_pattern(in.peer, 1, 0, 3 * KIB);
    probe_wait(p, NS_S);
    pair_bind(a, &out);
    pair_bind(a, &in);
    line_send_pattern(out.peer, 0, 3 * KIB, KIB);
    line_send_pattern(in.peer, 1, 3 * KIB, KIB);
    line_expect_pattern(out.data, 0, 0, 4 * KIB, probe_soon(p));
    line_expect_pattern(in.data, 1, 0, 4 * KIB, probe_soon(p));
}

static void answer_precedes_data(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct pair pair = allocation_connect(a, PEER1);
    uint64_t sent = line_offer_pattern(pair.peer, 0, 0, 16 * KIB);
    probe_wait(p, NS_S);
    pair.data = probe_dial(p, CLIENT1);
    begin_bind(a->login, pair.data, pair.connection);
    sent += line_offer_pattern(pair.peer, 0, sent, 16 * KIB);
    struct heard h = line_hear(pair.data, probe_soon(p)); /* fails when anything but STUN comes first */
    if (h.code == 401 || h.code == 438) /* the nonce is not for this connection */
        pair_bind(a, &pair);
    else
        expect_code(p, &h, 0, "a ConnectionBind");
    line_expect_pattern(pair.data, 0, 0, sent, probe_soon(p));
}

/* What relays are known to have taken for something, or might. */
static const struct {
    const char *what, *bytes;
    size_t len;
} contents[] = {
#define BYTES(s) s, sizeof(s) - 1
    {"a STUN Binding request", BYTES("\0\1\0\0\x21\x12\xa4\x42" "conformance1")},
    {"a STUN header whose body never comes", BYTES("\0\1\x04\0\x21\x12\xa4\x42" "conformance2")},
    {"a ConnectionBind success", BYTES("\1\x0b\0\0\x21\x12\xa4\x42" "conformance3")},
    {"a TLS ClientHello", BYTES("\x16\3\1\0\x2f\1\0\0\x2b\3\3" "0123456789abcdef0123456789abcdef\0\0\2\x13\1\1\0")},
    {"a DTLS record", BYTES("\x16\xfe\xff\0\0\0\0\0\0\0\0\0\4\1\0\0\0")},
    {"HTTP", BYTES("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n")},
    {"RFC 4571 frames", BYTES("\0\4\x80\0\0\1\0\2\x80\0")},
    {"ChannelData", BYTES("\x40\0\0\4data\x4f\xff\0\0")},
    {"zeros", BYTES("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")},
    {"one byte", BYTES("\n")},
};

static void expect_unchanged(struct probe *p, struct line *from, struct line *to, size_t i, const char *where)
{
    char got[64];
    line_send(from, contents[i].bytes, contents[i].len);
    probe_require(p, line_read_all(to, got, contents[i].len, probe_soon(p)) &&
                  memcmp(got, contents[i].bytes, contents[i].len) == 0, "%s did not reach the %s unchanged",
                  contents[i].what, where);
}

static void any_content(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        struct pair pair = bound_pair(a, PEER1);
        expect_unchanged(p, pair.data, pair.peer, i, "peer");
        expect_unchanged(p, pair.peer, pair.data, i, "client");
        expect_carries(p, &pair, 0, 0, KIB);
    }
}

static const struct requirement rows[] = {
    {"6062-5.4-1", "5.4", LEVEL_MUST, WHO_SERVER, "A ConnectionBind over UDP is answered 400.",
     .probe = over_udp, .needs = NEED_UDP_CLIENT},
    {"6062-5.4-2", "5.4", LEVEL_MUST, WHO_SERVER, "A ConnectionBind without CONNECTION-ID is answered 400.",
     .probe = without_id},
    {"6062-5.4-3", "5.4", LEVEL_MUST, WHO_SERVER, "A ConnectionBind with an unknown CONNECTION-ID is answered 400.",
     .probe = unknown_id},
    {"6062-5.4-4", "5.4", LEVEL_MUST, WHO_SERVER,
     "A ConnectionBind with the CONNECTION-ID of a bound connection is answered 400, and the pair is not disturbed.",
     .probe = bound_id},
    {"6062-5.4-5", "5.4", LEVEL_MUST, WHO_SERVER,
     "A ConnectionBind with the CONNECTION-ID of a connection that is gone is answered 400.", .probe = closed_id},
    {"6062-5.4-6", "5.4", LEVEL_DERIVED, WHO_SERVER, "A CONNECTION-ID of a length other than 4 is answered 400.",
     .probe = id_of_wrong_length},
    {"6062-5.4-7", "5.4", LEVEL_STATED, WHO_SERVER,
     "After the success response the connection is the client's data connection.", .probe = success},
    {"6062-5.4-8", "5.4", LEVEL_MUST, WHO_SERVER, "What the client sends reaches the peer as it is.",
     .probe = to_peer},
    {"6062-5.4-9", "5.4", LEVEL_MUST, WHO_SERVER, "What the peer sends reaches the client as it is.",
     .probe = to_client},
    {"6062-5.4-10", "5.4", LEVEL_MUST, WHO_SERVER,
     "What the peer has sent before the bind reaches the client too, and first.", .probe = early_bytes_first},
    {"6062-5.4-11", "5.4", LEVEL_DERIVED, WHO_SERVER,
     "The whole success response comes before the first relayed byte.", .probe = answer_precedes_data},
    {"6062-5.4-12", "5.4", LEVEL_DERIVED, WHO_SERVER,
     "What the relayed bytes look like does not matter: STUN, TLS, HTTP, RFC 4571, zeros.", .probe = any_content},
};

const struct section rfc6062_bind = SECTION(rows);
