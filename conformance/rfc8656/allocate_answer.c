/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 8656 7.2: the relayed address and the lifetime that an Allocate is given, and the success response. */
#include <stdio.h>
#include <stdlib.h>

#include "conformance/rfc8656/rfc8656.h"
#include "models/base/bytes.h"

enum {
    MANY = 40,
    EVENS = 20,
    FIRST_DYNAMIC = 49152, /* 7.2; RFC 6335 6 */
    LAST_SYSTEM = 1023,
    DEFAULT_S = 600,
    MOST_S = 3600,
};

/* ---- EVEN-PORT and RESERVATION-TOKEN ---- */

/* An allocation with a port reserved behind it; the probe is over when the server has no pair to give. */
static struct allocation reserve(struct probe *p, char token[TOKEN_HEX])
{
    struct allocation a = {.p = p, .login = login_new(p, USER1), .control = reach(p, CLIENT1)};
    struct heard h = ask(a.login, a.control, TURN_ALLOCATE, ATTRS(ASK_UDP, ASK_PAIR));
    if (h.code == 508)
        probe_skip(p, "the server has no pair of ports to give (508)");
    expect_code(p, &h, 0, "an Allocate with EVEN-PORT, R=1,");
    token_of(p, &h, token);
    probe_require(p, heard_address(&h, ATTR_XOR_RELAYED_ADDRESS, &a.relayed), "the success has no XOR-RELAYED-ADDRESS");
    return a;
}

static void expect_reserved(struct probe *p, const struct allocation *first, const struct allocation *second)
{
    char a[ENDPOINT_TEXT], b[ENDPOINT_TEXT];
    probe_require(p, ip_equal(&first->relayed.ip, &second->relayed.ip) &&
                         second->relayed.port == first->relayed.port + 1,
                  "the RESERVATION-TOKEN given with %s led to %s, not to the port behind it",
                  endpoint_text(&first->relayed, a), endpoint_text(&second->relayed, b));
}

static void a_token_is_good_anywhere(struct probe *p)
{
    char token[TOKEN_HEX];
    struct allocation first = reserve(p, token);
    bool tcp = probe_server(p, PROTO_TCP, IP_V4).port;
    struct line *elsewhere = tcp ? probe_dial(p, CLIENT2) : probe_udp(p, CLIENT2, IP_V4);
    struct allocation second = relay_on(p, login_new(p, USER1), elsewhere, ATTRS(ASK_UDP, ASK_TOKEN(token)));
    expect_reserved(p, &first, &second);
}

static void even_port_is_even(struct probe *p)
{
    for (unsigned i = 0; i < EVENS; i++) {
        struct heard h = ask_allocate(p, ATTRS(ASK_UDP, ASK_EVEN));
        struct endpoint at;
        expect_code(p, &h, 0, "an Allocate with EVEN-PORT");
        probe_require(p, heard_address(&h, ATTR_XOR_RELAYED_ADDRESS, &at), "the success has no XOR-RELAYED-ADDRESS");
        probe_require(p, at.port % 2 == 0, "EVEN-PORT was asked for, and port %u given", at.port);
        probe_require(p, !heard_has(&h, ATTR_RESERVATION_TOKEN), "R=0 was given a RESERVATION-TOKEN");
    }
}

static void a_pair_has_a_token(struct probe *p)
{
    char token[TOKEN_HEX];
    struct allocation a = reserve(p, token);
    probe_require(p, a.relayed.port % 2 == 0, "EVEN-PORT was asked for, and port %u given", a.relayed.port);
}

static void a_reservation_holds_30_s(struct probe *p)
{
    char token[TOKEN_HEX];
    struct allocation first = reserve(p, token);
    probe_wait(p, 29 * NS_S);
    struct heard h = ask_allocate(p, ATTRS(ASK_UDP, ASK_TOKEN(token)));
    struct allocation second = first;
    expect_code(p, &h, 0, "a RESERVATION-TOKEN after 29 s");
    probe_require(p, heard_address(&h, ATTR_XOR_RELAYED_ADDRESS, &second.relayed),
                  "the success has no XOR-RELAYED-ADDRESS");
    expect_reserved(p, &first, &second);
}

static void a_reservation_may_hold_longer(struct probe *p)
{
    char token[TOKEN_HEX];
    reserve(p, token);
    probe_wait(p, 60 * NS_S);
    struct heard h = ask_allocate(p, ATTRS(ASK_UDP, ASK_TOKEN(token)));
    if (h.code != 0)
        expect_code(p, &h, 508, "a RESERVATION-TOKEN after 60 s");
    probe_defined(p, "a reservation %s after 60 s", h.code ? "does not hold" : "still holds");
}

static void a_reserved_port_is_kept(struct probe *p)
{
    char token[TOKEN_HEX];
    struct allocation first = reserve(p, token);
    struct heard h = {0};
    for (unsigned i = 0; h.code == 0 && i < SETUP_PORTS; i++) {
        h = ask_allocate(p, ATTRS(ASK_UDP));
        struct endpoint at = {0};
        heard_address(&h, ATTR_XOR_RELAYED_ADDRESS, &at);
        probe_require(p, at.port != first.relayed.port + 1,
                      "the reserved port %u was given to somebody without the token", at.port);
    }
    expect_code(p, &h, 508, "an Allocate when only the reserved port is left");
}

/* ---- ports ---- */

static void take_ports(struct probe *p, uint16_t ports[MANY])
{
    for (unsigned i = 0; i < MANY; i++)
        ports[i] = relay(p).relayed.port;
}

static void ports_are_dynamic(struct probe *p)
{
    uint16_t ports[MANY];
    take_ports(p, ports);
    for (unsigned i = 0; i < MANY; i++)
        probe_require(p, ports[i] >= FIRST_DYNAMIC,
                      "a relay port is %u, not of 49152-65535: right only on a host that has these for itself",
                      ports[i]);
}

static void ports_are_no_system_ports(struct probe *p)
{
    uint16_t ports[MANY];
    take_ports(p, ports);
    for (unsigned i = 0; i < MANY; i++)
        probe_require(p, ports[i] > LAST_SYSTEM, "a relay port is %u, a system port", ports[i]);
}

/* No step from one port to the next is nearly always the same. */
static void ports_are_not_in_order(struct probe *p)
{
    uint16_t ports[MANY];
    take_ports(p, ports);
    for (unsigned i = 1; i < MANY; i++) {
        unsigned same = 0;
        int step = ports[i] - ports[i - 1];
        for (unsigned j = 1; j < MANY; j++)
            same += ports[j] - ports[j - 1] == step;
        probe_require(p, same < MANY / 2, "of %u relay ports in a row, %u were %d behind the one before", MANY,
                      same + 1, step);
    }
}

/* ---- lifetime ---- */

static uint32_t lifetime_for(struct probe *p, uint32_t wanted)
{
    char hex[9];
    uint32_t s = 0;
    snprintf(hex, sizeof hex, "%08x", wanted);
    struct heard h = ask_allocate(p, ATTRS(ASK_UDP, HEX(ATTR_LIFETIME, hex)));
    expect_code(p, &h, 0, "an Allocate with LIFETIME");
    probe_require(p, heard_u32(&h, ATTR_LIFETIME, &s), "the Allocate success has no LIFETIME");
    return s;
}

static void the_lifetime_is_as_asked(struct probe *p)
{
    static const uint32_t wanted[] = {0, 1, 300, 599, 600, 601, 1800, 3600, 100000};
    uint32_t most = lifetime_for(p, UINT32_MAX);
    probe_require(p, most >= DEFAULT_S, "the longest lifetime is %u s, less than the default", most);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        uint32_t want = wanted[i] <= DEFAULT_S ? DEFAULT_S : wanted[i] < most ? wanted[i] : most;
        uint32_t got = lifetime_for(p, wanted[i]);
        probe_require(p, got == want, "LIFETIME %u was answered with %u, not %u (the most is %u)", wanted[i], got, want,
                      most);
    }
}

static void the_lifetime_has_an_end(struct probe *p)
{
    uint32_t most = lifetime_for(p, UINT32_MAX);
    probe_require(p, most <= MOST_S, "a lifetime of %u s was granted", most);
}

/* ---- the success response ---- */

static void success_has_the_relayed_address(struct probe *p)
{
    struct allocation a = relay(p);
    char at[ENDPOINT_TEXT];
    probe_require(p, a.relayed.ip.family == IP_V4 && a.relayed.port && !ip_is_any(&a.relayed.ip),
                  "XOR-RELAYED-ADDRESS is %s", endpoint_text(&a.relayed, at));
}

static void success_has_the_lifetime(struct probe *p)
{
    struct allocation a = relay_with(p, ATTRS(ASK_UDP, HEX(ATTR_LIFETIME, "00000384")));
    probe_require(p, a.lifetime >= DEFAULT_S, "LIFETIME is %u", a.lifetime);
}

static void success_has_the_mapped_address(struct probe *p)
{
    struct allocation a = relay(p);
    struct endpoint own = line_local(a.control);
    char told[ENDPOINT_TEXT], true_one[ENDPOINT_TEXT];
    if (!ip_equal(&a.mapped.ip, &own.ip) && !ip_is_any(&a.mapped.ip))
        probe_defined(p, "XOR-MAPPED-ADDRESS is %s, the client %s: right if a NAT is between them",
                      endpoint_text(&a.mapped, told), endpoint_text(&own, true_one));
    probe_require(p, endpoint_equal(&a.mapped, &own), "XOR-MAPPED-ADDRESS is %s, the client %s",
                  endpoint_text(&a.mapped, told), endpoint_text(&own, true_one));
}

static void success_has_no_token_unasked(struct probe *p)
{
    struct heard h = ask_allocate(p, ATTRS(ASK_UDP));
    expect_code(p, &h, 0, "an Allocate");
    probe_require(p, !heard_has(&h, ATTR_RESERVATION_TOKEN), "a plain Allocate was given a RESERVATION-TOKEN");
}

static void the_answer_comes_from_where_it_was_asked(struct probe *p)
{
    struct line *line = probe_udp(p, CLIENT1, IP_V4);
    struct endpoint server = probe_server(p, PROTO_UDP, IP_V4);
    struct heard h = ask(login_new(p, USER1), line, TURN_ALLOCATE, ATTRS(ASK_UDP));
    char from[ENDPOINT_TEXT], to[ENDPOINT_TEXT];
    expect_code(p, &h, 0, "an Allocate");
    probe_require(p, endpoint_equal(&h.from, &server), "the Allocate went to %s, its answer came from %s",
                  endpoint_text(&server, to), endpoint_text(&h.from, from));
}

void probe_unsolicited(struct probe *p)
{
    struct allocation a = relay(p);
    probe_require(p, !comes_through(&a, probe_udp(p, PEER1, IP_V4)),
                  "a new allocation has no permission, and yet a peer's datagram was relayed");
}

static void success_is_authenticated(struct probe *p)
{
    struct login *l = login_new(p, USER1);
    struct heard h = ask(l, reach(p, CLIENT1), TURN_ALLOCATE, ATTRS(ASK_UDP));
    expect_code(p, &h, 0, "an Allocate");
    probe_require(p, login_verifies(l, &h), "the Allocate success has no MESSAGE-INTEGRITY that is right");
}

static const struct requirement rows[] = {
    {"8656-7.2-30", "7.2", LEVEL_STATED, WHO_SERVER,
     "A RESERVATION-TOKEN leads to the port behind the even one, whatever address and transport it is used from.",
     .probe = a_token_is_good_anywhere, .needs = NEED_CLIENT2},
    {"8656-7.2-31", "7.2", LEVEL_STATED, WHO_SERVER, "EVEN-PORT with R=0 is given an even port, and no token.",
     .probe = even_port_is_even},
    {"8656-7.2-32", "7.2", LEVEL_STATED, WHO_SERVER,
     "EVEN-PORT with R=1 is given an even port and a RESERVATION-TOKEN of 8 bytes for the next.",
     .probe = a_pair_has_a_token},
    {"8656-7.2-33", "7.2", LEVEL_MUST, WHO_SERVER, "A reservation holds for at least 30 s.",
     .probe = a_reservation_holds_30_s, .seconds = 29},
    {"8656-7.2-34", "7.2", LEVEL_MAY, WHO_SERVER, "A reservation may hold longer than 30 s.",
     .probe = a_reservation_may_hold_longer, .seconds = 60},
    {"8656-7.2-35", "7.2", LEVEL_DERIVED, WHO_SERVER, "A reserved port is given to nobody without the token.",
     .probe = a_reserved_port_is_kept, .needs = NEED_ALONE, .setup = SETUP_FEW_PORTS},
    {"8656-7.2-36", "7.2", LEVEL_SHOULD, WHO_SERVER,
     "Relay ports are of 49152-65535, unless the host has others for itself.", .probe = ports_are_dynamic},
    {"8656-7.2-37", "7.2", LEVEL_SHOULD_NOT, WHO_SERVER, "Relay ports are not of 0-1023.",
     .probe = ports_are_no_system_ports},
    {"8656-7.2-38", "7.2, 21.1.7", LEVEL_SHOULD, WHO_SERVER, "Relay ports cannot be predicted.",
     .probe = ports_are_not_in_order},
    {"8656-7.2-39", "7.2", LEVEL_STATED, WHO_SERVER,
     "The lifetime is what was asked for, but not less than 600 s and not more than the server's most.",
     .probe = the_lifetime_is_as_asked},
    {"8656-7.2-40", "7.2", LEVEL_SHOULD, WHO_SERVER, "The longest lifetime is no more than 3600 s.",
     .probe = the_lifetime_has_an_end},
    {"8656-7.2-41", "7.2", LEVEL_STATED, WHO_SERVER, "An Allocate success has XOR-RELAYED-ADDRESS.",
     .probe = success_has_the_relayed_address},
    {"8656-7.2-42", "7.2", LEVEL_STATED, WHO_SERVER, "An Allocate success has LIFETIME.",
     .probe = success_has_the_lifetime},
    {"8656-7.2-43", "7.2", LEVEL_STATED, WHO_SERVER,
     "An Allocate success has XOR-MAPPED-ADDRESS: the client's address as the server sees it.",
     .probe = success_has_the_mapped_address},
    {"8656-7.2-44", "7.2", LEVEL_STATED, WHO_SERVER,
     "An Allocate success has RESERVATION-TOKEN only if a port was reserved.", .probe = success_has_no_token_unasked},
    {"8656-7.2-45", "7.2", LEVEL_STATED, WHO_SERVER, "The response comes from the address that the request went to.",
     .probe = the_answer_comes_from_where_it_was_asked, .needs = NEED_UDP_CLIENT},
    {"8656-7.2-46", "7.2", LEVEL_DERIVED, WHO_SERVER, "A new allocation has no permissions and no channels.",
     .probe = probe_unsolicited},
    {"8656-7.2-47", "7.2", LEVEL_DERIVED, WHO_SERVER, "An Allocate success carries MESSAGE-INTEGRITY.",
     .probe = success_is_authenticated},
};

const struct section rfc8656_allocate_answer = SECTION(rows);
