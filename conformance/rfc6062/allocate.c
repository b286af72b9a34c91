/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 6062 5.1: Allocate. */
#include "conformance/rfc6062/rfc6062.h"

#include <string.h>

/* A connection to the server whose login knows the nonce; or a socket. */
struct caller {
    struct line *line;
    struct login *login;
};

static struct caller caller(struct probe *p, enum ip_proto via)
{
    struct caller c = {via == PROTO_TCP ? probe_dial(p, CLIENT1) : probe_udp(p, CLIENT1, IP_V4), login_new(p, USER1)};
    return c;
}

/* Allocate with these attributes, on a connection of its own. */
static struct heard ask_allocate(struct probe *p, enum ip_proto via, const struct attr *attrs)
{
    struct caller c = caller(p, via);
    return login_ask(c.login, c.line, TURN_ALLOCATE, fill_hex, attrs);
}

static void as_for_udp(struct probe *p)
{
    static const struct attr nothing[] = {{0}}, too_short[] = {{ATTR_REQUESTED_TRANSPORT, "0600"}, {0}};
    struct caller c = caller(p, PROTO_TCP);
    be_challenged(p, c.login, c.line);
    struct heard h = ask_allocate(p, PROTO_TCP, nothing);
    expect_code(p, &h, 400, "an Allocate without REQUESTED-TRANSPORT");
    h = ask_allocate(p, PROTO_TCP, too_short);
    expect_code(p, &h, 400, "an Allocate with a REQUESTED-TRANSPORT of two bytes");
    h = login_ask(c.login, c.line, TURN_ALLOCATE, fill_hex, wants_tcp);
    expect_code(p, &h, 0, "an Allocate");
    uint32_t lifetime;
    probe_require(p, heard_u32(&h, ATTR_LIFETIME, &lifetime) && lifetime >= 600,
                  "Allocate success has no LIFETIME of at least 600 s");
    h = login_ask(c.login, c.line, TURN_ALLOCATE, fill_hex, wants_tcp);
    expect_code(p, &h, 437, "a second Allocate on the same connection");
}

static void other_protocols(struct probe *p)
{
    static const struct attr wanted[][2] = {
        {{ATTR_REQUESTED_TRANSPORT, "01000000"}, {0}}, {{ATTR_REQUESTED_TRANSPORT, "84000000"}, {0}},
        {{ATTR_REQUESTED_TRANSPORT, "ff000000"}, {0}}, {{ATTR_REQUESTED_TRANSPORT, "00000000"}, {0}},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        struct heard h = ask_allocate(p, PROTO_TCP, wanted[i]);
        char buf[HEARD_TEXT];
        probe_require(p, h.code == 442, "REQUESTED-TRANSPORT %s was answered with %s", wanted[i][0].hex,
                      heard_text(&h, buf));
    }
}

/* A datagram from PEER1 to the relayed address; what the client hears then. */
static struct heard hear_datagram(struct allocation *a)
{
    struct line *peer = probe_udp(a->p, PEER1, IP_V4);
    line_send_to(peer, &a->relayed, "datagram", 8);
    return line_indication(a->control, TURN_DATA, probe_soon(a->p));
}

static void udp_over_tcp(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_UDP);
    allocation_permit(a, PEER1);
    struct heard h = hear_datagram(a);
    struct stun_attr data;
    probe_require(p, h.kind == HEARD_STUN, "a datagram to the relayed address did not come in a Data indication");
    probe_require(p, stun_find(&h.stun, ATTR_DATA, &data) && data.len == 8 && memcmp(data.value, "datagram", 8) == 0,
                  "the Data indication does not carry the datagram");
}

static void udp_forbidden(struct probe *p)
{
    struct heard h = ask_allocate(p, PROTO_TCP, wants_udp);
    expect_code(p, &h, 403, "an Allocate of a UDP relay where policy forbids them");
}

static void tcp_unsupported(struct probe *p)
{
    struct heard h = ask_allocate(p, PROTO_TCP, wants_tcp);
    expect_code(p, &h, 442, "an Allocate of a TCP relay where there are none");
}

static void tcp_over_udp(struct probe *p)
{
    struct heard h = ask_allocate(p, PROTO_UDP, wants_tcp);
    expect_code(p, &h, 400, "an Allocate of a TCP relay over UDP");
}

static void with_dont_fragment(struct probe *p)
{
    static const struct attr attrs[] = {{ATTR_REQUESTED_TRANSPORT, "06000000"}, {ATTR_DONT_FRAGMENT, ""}, {0}};
    struct heard h = ask_allocate(p, PROTO_TCP, attrs);
    expect_code(p, &h, 400, "an Allocate of a TCP relay with DONT-FRAGMENT");
}

static void with_even_port(struct probe *p)
{
    static const struct attr even[] = {{ATTR_REQUESTED_TRANSPORT, "06000000"}, {ATTR_EVEN_PORT, "00"}, {0}};
    static const struct attr pair[] = {{ATTR_REQUESTED_TRANSPORT, "06000000"}, {ATTR_EVEN_PORT, "80"}, {0}};
    struct heard h = ask_allocate(p, PROTO_TCP, even);
    expect_code(p, &h, 400, "an Allocate of a TCP relay with EVEN-PORT");
    h = ask_allocate(p, PROTO_TCP, pair);
    expect_code(p, &h, 400, "an Allocate of a TCP relay with EVEN-PORT that reserves the next");
}

struct token_use {
    const char *transport;
    uint8_t token[8];
};

static void put_token(struct message *m, const void *arg)
{
    const struct token_use *use = arg;
    message_put_hex(m, ATTR_REQUESTED_TRANSPORT, use->transport);
    message_put(m, ATTR_RESERVATION_TOKEN, use->token, sizeof use->token);
}

static void with_token(struct probe *p)
{
    static const struct attr reserve[] = {{ATTR_REQUESTED_TRANSPORT, "11000000"}, {ATTR_EVEN_PORT, "80"}, {0}};
    struct token_use use = {"06000000", "token-??"};
    struct caller made_up = caller(p, PROTO_TCP);
    struct heard h = login_ask(made_up.login, made_up.line, TURN_ALLOCATE, put_token, &use);
    expect_code(p, &h, 400, "an Allocate of a TCP relay with a made-up RESERVATION-TOKEN");
    struct heard udp = ask_allocate(p, PROTO_TCP, reserve);
    struct stun_attr token;
    if (udp.code != 0 || !stun_find(&udp.stun, ATTR_RESERVATION_TOKEN, &token) || token.len != sizeof use.token)
        return; /* EVEN-PORT with a reservation is not to be had: no token to try */
    memcpy(use.token, token.value, sizeof use.token);
    struct caller tcp = caller(p, PROTO_TCP), again = caller(p, PROTO_TCP);
    h = login_ask(tcp.login, tcp.line, TURN_ALLOCATE, put_token, &use);
    expect_code(p, &h, 400, "an Allocate of a TCP relay with the RESERVATION-TOKEN of a UDP one");
    use.transport = "11000000";
    h = login_ask(again.login, again.line, TURN_ALLOCATE, put_token, &use);
    expect_code(p, &h, 0, "an Allocate of a UDP relay with a RESERVATION-TOKEN that a TCP one was refused for");
}

static void relays_tcp_only(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    allocation_permit(a, PEER1);
    struct heard h = hear_datagram(a);
    probe_require(p, h.kind == HEARD_NOTHING, "a datagram to the relayed TCP address was relayed");
    dial_relay(a, PEER1);
}

static void no_token_in_success(struct probe *p)
{
    struct heard h = ask_allocate(p, PROTO_TCP, wants_tcp);
    expect_code(p, &h, 0, "an Allocate");
    probe_require(p, !heard_has(&h, ATTR_RESERVATION_TOKEN), "Allocate success carries RESERVATION-TOKEN");
}

static void accepts_at_once(struct probe *p)
{
    struct caller c = caller(p, PROTO_TCP);
    struct heard h = login_ask(c.login, c.line, TURN_ALLOCATE, fill_hex, wants_tcp);
    struct endpoint relayed;
    expect_code(p, &h, 0, "an Allocate");
    probe_require(p, heard_address(&h, ATTR_XOR_RELAYED_ADDRESS, &relayed), "there is no XOR-RELAYED-ADDRESS");
    struct line *l = probe_dial_to(p, PEER1, &relayed);
    probe_require(p, is_accepted(l), "right after Allocate success the relayed address did not accept a connection");
}

static void what_success_has(struct probe *p)
{
    struct caller c = caller(p, PROTO_TCP);
    struct heard h = login_ask(c.login, c.line, TURN_ALLOCATE, fill_hex, wants_tcp);
    struct endpoint relayed, mapped, seen;
    uint32_t lifetime;
    expect_code(p, &h, 0, "an Allocate");
    probe_require(p, heard_address(&h, ATTR_XOR_RELAYED_ADDRESS, &relayed), "there is no XOR-RELAYED-ADDRESS");
    probe_require(p, heard_u32(&h, ATTR_LIFETIME, &lifetime), "there is no LIFETIME");
    probe_require(p, heard_address(&h, ATTR_XOR_MAPPED_ADDRESS, &mapped), "there is no XOR-MAPPED-ADDRESS");
    struct message *m = message_request(p, STUN_BINDING);
    line_send_message(c.line, m);
    h = line_answer(c.line, m, probe_soon(p));
    char told[ENDPOINT_TEXT], is[ENDPOINT_TEXT];
    probe_require(p, !heard_address(&h, ATTR_XOR_MAPPED_ADDRESS, &seen) || endpoint_equal(&mapped, &seen),
                  "XOR-MAPPED-ADDRESS of Allocate is %s, that of Binding on the same connection %s",
                  endpoint_text(&mapped, told), endpoint_text(&seen, is));
}

static void unique_per_protocol(struct probe *p)
{
    enum { EACH = 8 };
    static const enum ip_proto proto[] = {PROTO_TCP, PROTO_UDP};
    struct endpoint seen[EACH];
    char at[ENDPOINT_TEXT];
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < EACH; i++) {
            seen[i] = allocate(p, PROTO_TCP, proto[k])->relayed;
            for (size_t j = 0; j < i; j++)
                probe_require(p, !endpoint_equal(&seen[i], &seen[j]), "two allocations of one protocol have %s",
                              endpoint_text(&seen[i], at));
        }
}

static void second_allocate(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct heard h = login_ask(a->login, a->control, TURN_ALLOCATE, fill_hex, wants_tcp);
    expect_code(p, &h, 437, "a second Allocate on the same connection");
    h = login_ask(a->login, a->control, TURN_ALLOCATE, fill_hex, wants_udp);
    expect_code(p, &h, 437, "a second Allocate, of a UDP relay, on the same connection");
    expect_served(a, "a second Allocate");
    dial_relay(a, PEER1);
}

static const struct requirement rows[] = {
    {"6062-5.1-1", "5.1", LEVEL_STATED, WHO_SERVER,
     "An Allocate of a TCP relay is handled as one of a UDP relay is, but for what follows.", .probe = as_for_udp},
    {"6062-5.1-2", "5.1", LEVEL_MUST, WHO_SERVER, "An Allocate of a protocol other than TCP and UDP is answered 442.",
     .probe = other_protocols},
    {"6062-5.1-3", "5.1", LEVEL_MUST, WHO_SERVER,
     "An Allocate of UDP, where that is permitted, makes an ordinary UDP allocation, also over TCP.",
     .probe = udp_over_tcp},
    {"6062-5.1-4", "5.1", LEVEL_MUST, WHO_SERVER,
     "An Allocate of UDP, where policy forbids UDP relays, is answered 403.", .probe = udp_forbidden,
     .setup = SETUP_TCP_ONLY},
    {"6062-5.1-5", "5.1", LEVEL_DERIVED, WHO_SERVER,
     "An Allocate of TCP is answered 442 by a server without TCP relays.", .probe = tcp_unsupported,
     .setup = SETUP_UDP_ONLY},
    {"6062-5.1-6", "5.1", LEVEL_MUST, WHO_SERVER, "An Allocate of TCP over UDP is answered 400.",
     .probe = tcp_over_udp, .needs = NEED_UDP_CLIENT},
    {"6062-5.1-7", "5.1", LEVEL_MUST, WHO_SERVER, "An Allocate of TCP with DONT-FRAGMENT is answered 400.",
     .probe = with_dont_fragment},
    {"6062-5.1-8", "5.1", LEVEL_MUST, WHO_SERVER, "An Allocate of TCP with EVEN-PORT is answered 400.",
     .probe = with_even_port},
    {"6062-5.1-9", "5.1", LEVEL_MUST, WHO_SERVER,
     "An Allocate of TCP with RESERVATION-TOKEN is answered 400, even if the token is good for a UDP relay.",
     .probe = with_token},
    {"6062-5.1-10", "5.1", LEVEL_MUST, WHO_SERVER, "The relayed transport address is one of TCP.",
     .probe = relays_tcp_only},
    {"6062-5.1-11", "5.1", LEVEL_MUST_NOT, WHO_SERVER,
     "The success response to an Allocate of TCP has no RESERVATION-TOKEN.", .probe = no_token_in_success},
    {"6062-5.1-12", "5.1", LEVEL_MUST, WHO_SERVER,
     "The server accepts connections at the relayed address as soon as the allocation is made.",
     .probe = accepts_at_once},
    {"6062-5.1-13", "5.1", LEVEL_DERIVED, WHO_SERVER,
     "The success response has XOR-RELAYED-ADDRESS, LIFETIME, and the client's address in XOR-MAPPED-ADDRESS.",
     .probe = what_success_has},
    {"6062-5.1-14", "5.1", LEVEL_DERIVED, WHO_SERVER,
     "Relayed addresses are unique for each protocol; one of TCP and one of UDP may be the same.",
     .probe = unique_per_protocol},
    {"6062-5.1-15", "5.1", LEVEL_DERIVED, WHO_SERVER,
     "A second Allocate on a control connection is answered 437, whatever it asks for, and harms nothing.",
     .probe = second_allocate},
};

const struct section rfc6062_allocate = SECTION(rows);
