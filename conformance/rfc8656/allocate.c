/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 8656 7.2: what a server checks before it allocates, in the RFC's order. */
#include "conformance/rfc8656/rfc8656.h"
#include "models/base/bytes.h"

#define NOBODYS_TOKEN "0123456789abcdef"

/* ---- (1), (2): who asks, and whether he has one already ---- */

static void a_second_allocate(struct probe *p)
{
    struct opening o = open_with_permission(p);
    struct heard h = ask(o.a.login, o.a.control, TURN_ALLOCATE, ATTRS(ASK_UDP));
    expect_code(p, &h, 437, "a second Allocate on the same 5-tuple");
    probe_require(p, comes_through(&o.a, o.peer),
                  "after a second Allocate the first allocation does not relay any more");
}

static void the_5_tuple_is_checked_first(struct probe *p)
{
    struct allocation a = relay(p);
    struct heard h = ask(a.login, a.control, TURN_ALLOCATE, NULL);
    if (h.code == 400)
        probe_defined(p, "a second Allocate, without REQUESTED-TRANSPORT, drew 400: its attributes are checked first");
    expect_code(p, &h, 437, "a second Allocate, without REQUESTED-TRANSPORT,");
}

/* ---- (3), (4): transport, DONT-FRAGMENT ---- */

static void transport_is_missing(struct probe *p)
{
    expect_allocate(p, NULL, 400, "an Allocate without REQUESTED-TRANSPORT");
}

static void transport_is_malformed(struct probe *p)
{
    expect_allocate(p, ATTRS(HEX(ATTR_REQUESTED_TRANSPORT, "11")), 400, "REQUESTED-TRANSPORT of one byte");
    expect_allocate(p, ATTRS(HEX(ATTR_REQUESTED_TRANSPORT, "1100000000000000")), 400, "REQUESTED-TRANSPORT of 8 bytes");
}

static void transport_is_unknown(struct probe *p)
{
    expect_allocate(p, ATTRS(HEX(ATTR_REQUESTED_TRANSPORT, "00000000")), 442, "REQUESTED-TRANSPORT 0");
    expect_allocate(p, ATTRS(HEX(ATTR_REQUESTED_TRANSPORT, "ff000000")), 442, "REQUESTED-TRANSPORT 255");
}

static void transport_has_reserved_bits(struct probe *p)
{
    expect_allocate(p, ATTRS(HEX(ATTR_REQUESTED_TRANSPORT, "11ffffff")), 0,
                    "REQUESTED-TRANSPORT of UDP with ones in the reserved bytes");
}

static bool lists_dont_fragment(const struct heard *h)
{
    struct stun_attr list;
    bool listed = false;
    for (size_t i = 0; stun_find(&h->stun, ATTR_UNKNOWN_ATTRIBUTES, &list) && i + 2 <= list.len; i += 2)
        listed |= load16(list.value + i) == ATTR_DONT_FRAGMENT;
    return listed;
}

static void dont_fragment_or_unknown(struct probe *p)
{
    struct heard h = ask_allocate(p, ATTRS(ASK_UDP, HEX(ATTR_DONT_FRAGMENT, "")));
    if (h.code == 0)
        return;
    expect_code(p, &h, 420, "an Allocate with DONT-FRAGMENT, where that is not supported,");
    probe_require(p, lists_dont_fragment(&h), "DONT-FRAGMENT drew 420, but UNKNOWN-ATTRIBUTES does not name it");
}

static void dont_fragment_across_families(struct probe *p)
{
    struct heard h = ask_allocate(p, ATTRS(ASK_UDP, ASK_IP6, HEX(ATTR_DONT_FRAGMENT, "")));
    if (h.code == 0)
        probe_defined(p,
                      "an IPv4 client was given an IPv6 relay with DONT-FRAGMENT: the server says that it can read DF");
    if (h.code == 440)
        probe_skip(p, "the server has no IPv6 relays");
    expect_code(p, &h, 420, "DONT-FRAGMENT of an IPv4 client for an IPv6 relay");
}

/* ---- (5): reservations ---- */

static void token_and_even_port(struct probe *p)
{
    expect_allocate(p, ATTRS(ASK_UDP, ASK_TOKEN(NOBODYS_TOKEN), ASK_EVEN), 400, "RESERVATION-TOKEN with EVEN-PORT");
}

static void token_and_family(struct probe *p)
{
    expect_allocate(p, ATTRS(ASK_UDP, ASK_TOKEN(NOBODYS_TOKEN), HEX(ATTR_REQUESTED_ADDRESS_FAMILY, "01000000")), 400,
                    "RESERVATION-TOKEN with REQUESTED-ADDRESS-FAMILY");
    expect_allocate(p, ATTRS(ASK_UDP, ASK_TOKEN(NOBODYS_TOKEN), ASK_IP6_TOO), 400,
                    "RESERVATION-TOKEN with ADDITIONAL-ADDRESS-FAMILY");
}

static void token_is_no_good(struct probe *p)
{
    expect_allocate(p, ATTRS(ASK_UDP, ASK_TOKEN(NOBODYS_TOKEN)), 508, "a RESERVATION-TOKEN that nobody was given");
    char token[TOKEN_HEX];
    struct heard h = ask_allocate(p, ATTRS(ASK_UDP, ASK_PAIR));
    if (h.code == 508)
        return; /* no pair of ports is free */
    expect_code(p, &h, 0, "an Allocate with EVEN-PORT, R=1,");
    token_of(p, &h, token);
    expect_allocate(p, ATTRS(ASK_UDP, ASK_TOKEN(token)), 0, "a RESERVATION-TOKEN's first use");
    expect_allocate(p, ATTRS(ASK_UDP, ASK_TOKEN(token)), 508, "a RESERVATION-TOKEN's second use");
}

/* ---- (6), (7), (9): address families ---- */

static void both_family_attributes(struct probe *p)
{
    expect_allocate(p, ATTRS(ASK_UDP, HEX(ATTR_REQUESTED_ADDRESS_FAMILY, "01000000"), ASK_IP6_TOO), 400,
                    "REQUESTED-ADDRESS-FAMILY with ADDITIONAL-ADDRESS-FAMILY");
}

static void family_is_not_supported(struct probe *p)
{
    expect_allocate(p, ATTRS(ASK_UDP, ASK_IP6), 440, "REQUESTED-ADDRESS-FAMILY of IPv6, where there is none,");
    struct heard h = ask_allocate(p, ATTRS(ASK_UDP, HEX(ATTR_REQUESTED_ADDRESS_FAMILY, "03000000")));
    if (h.code != 400)
        expect_code(p, &h, 440, "REQUESTED-ADDRESS-FAMILY 3");
}

static void no_family_means_ip4(struct probe *p)
{
    expect_allocate(p, ATTRS(ASK_UDP), 440, "an Allocate without a family, where there is no IPv4,");
}

static void no_family_means_ip4_over_ip6(struct probe *p)
{
    struct endpoint tcp = probe_server(p, PROTO_TCP, IP_V6);
    struct line *line = probe_server(p, PROTO_UDP, IP_V6).port ? probe_udp(p, CLIENT1, IP_V6)
                                                               : probe_dial_to(p, CLIENT1, &tcp);
    struct allocation a = relay_on(p, login_new(p, USER1), line, ATTRS(ASK_UDP));
    char at[ENDPOINT_TEXT];
    probe_require(p, a.relayed.ip.family == IP_V4, "a client over IPv6 that asked for no family was given %s",
                  endpoint_text(&a.relayed, at));
}

static void the_additional_family_is_ip6(struct probe *p)
{
    expect_allocate(p, ATTRS(ASK_UDP, HEX(ATTR_ADDITIONAL_ADDRESS_FAMILY, "01000000")), 400,
                    "ADDITIONAL-ADDRESS-FAMILY of IPv4");
}

static void neither_family_can_be_had(struct probe *p)
{
    struct heard h = {0};
    for (unsigned i = 0; h.code == 0 && i <= SETUP_PORTS; i++)
        h = ask_allocate(p, ATTRS(ASK_UDP, ASK_IP6_TOO));
    expect_code(p, &h, 508, "an Allocate of two families, after all ports of both were given away,");
}

static unsigned relayed_count(const struct heard *h)
{
    unsigned n = 0;
    struct stun_attr a = {0};
    while (stun_next(&h->stun, &a))
        n += a.type == ATTR_XOR_RELAYED_ADDRESS;
    return n;
}

static void one_family_can_be_had(struct probe *p)
{
    struct heard h = ask_allocate(p, ATTRS(ASK_UDP, ASK_IP6_TOO));
    struct stun_attr why;
    expect_code(p, &h, 0, "an Allocate of two families, one of which there is,");
    probe_require(p, relayed_count(&h) == 1, "with one family there are %u relayed addresses", relayed_count(&h));
    probe_require(p, stun_find(&h.stun, ATTR_ADDRESS_ERROR_CODE, &why) && why.len >= 4,
                  "one family of two was not to be had, and ADDRESS-ERROR-CODE does not say so");
    unsigned code = (why.value[2] & 7u) * 100u + why.value[3];
    probe_require(p, why.value[0] == IP_V6 && (code == 440 || code == 508),
                  "ADDRESS-ERROR-CODE names family %u with code %u, not IPv6 with 440 or 508", why.value[0], code);
}

static void both_families_can_be_had(struct probe *p)
{
    struct heard h = ask_allocate(p, ATTRS(ASK_UDP, ASK_IP6_TOO));
    struct endpoint at;
    expect_code(p, &h, 0, "an Allocate of two families");
    probe_require(p, relayed_of(&h, IP_V4, &at) && relayed_of(&h, IP_V6, &at) && relayed_count(&h) == 2,
                  "an Allocate of two families has %u relayed addresses, not one of each", relayed_count(&h));
}

/* ---- (8): EVEN-PORT ---- */

static void a_pair_in_two_families(struct probe *p)
{
    expect_allocate(p, ATTRS(ASK_UDP, ASK_PAIR, ASK_IP6_TOO), 400, "EVEN-PORT, R=1, with ADDITIONAL-ADDRESS-FAMILY");
}

static void no_even_port_is_left(struct probe *p)
{
    struct heard h = {0};
    for (unsigned i = 0; h.code == 0 && i <= SETUP_PORTS / 2; i++)
        h = ask_allocate(p, ATTRS(ASK_UDP, ASK_EVEN));
    expect_code(p, &h, 508, "EVEN-PORT, after all even ports were given away,");
}

/* ---- (10), (11): quota, alternate server ---- */

static void the_quota_is_the_users(struct probe *p)
{
    probe_quota(p);
    struct heard h = ask(login_new(p, USER1), reach(p, CLIENT2), TURN_ALLOCATE, ATTRS(ASK_UDP));
    expect_code(p, &h, 486, "the same user's Allocate beyond his quota, from another address,");
    h = ask(login_new(p, USER2), reach(p, CLIENT1), TURN_ALLOCATE, ATTRS(ASK_UDP));
    expect_code(p, &h, 0, "another user's Allocate from the address of the one whose quota is used up");
}

static void the_alternate_is_named(struct probe *p)
{
    struct line *line = reach(p, CLIENT1);
    struct login *l = login_new(p, USER1);
    struct endpoint alternate;
    challenge(p, l, line);
    struct heard h = ask(l, line, TURN_ALLOCATE, ATTRS(ASK_UDP));
    expect_code(p, &h, 300, "an Allocate to a server that is full and knows another");
    probe_require(p, heard_address(&h, ATTR_ALTERNATE_SERVER, &alternate), "the 300 has no ALTERNATE-SERVER");
    probe_require(p, login_verifies(l, &h), "the 300 has no MESSAGE-INTEGRITY that is right");
}

static const struct requirement rows[] = {
    {"8656-7.2-1", "7.2 (1)", LEVEL_MUST, WHO_SERVER, "An Allocate is authenticated: without credentials it draws 401.",
     .probe = probe_challenge},
    {"8656-7.2-2", "7.2 (1)", LEVEL_MUST, WHO_SERVER,
     "The long-term mechanism is asked for: the 401 to an Allocate has REALM and NONCE.", .probe = probe_challenge},
    {"8656-7.2-3", "7.2 (2)", LEVEL_STATED, WHO_SERVER,
     "A second Allocate on a 5-tuple that has an allocation draws 437, and the first lives on.",
     .probe = a_second_allocate},
    {"8656-7.2-4", "7.2 (2)", LEVEL_DERIVED, WHO_SERVER,
     "Whether the 5-tuple has an allocation is checked before the attributes of an Allocate.",
     .probe = the_5_tuple_is_checked_first},
    {"8656-7.2-5", "7.2 (3)", LEVEL_STATED, WHO_SERVER, "An Allocate without REQUESTED-TRANSPORT draws 400.",
     .probe = transport_is_missing},
    {"8656-7.2-6", "7.2 (3)", LEVEL_STATED, WHO_SERVER, "REQUESTED-TRANSPORT of a wrong length draws 400.",
     .probe = transport_is_malformed},
    {"8656-7.2-7", "7.2 (3)", LEVEL_STATED, WHO_SERVER, "REQUESTED-TRANSPORT of an unknown protocol draws 442.",
     .probe = transport_is_unknown},
    {"8656-7.2-8", "18.8", LEVEL_MUST, WHO_SERVER, "The three reserved bytes of REQUESTED-TRANSPORT are ignored.",
     .probe = transport_has_reserved_bits},
    {"8656-7.2-9", "7.2 (4)", LEVEL_STATED, WHO_SERVER,
     "DONT-FRAGMENT is supported, or draws 420 with UNKNOWN-ATTRIBUTES that names it.",
     .probe = dont_fragment_or_unknown},
    {"8656-7.2-10", "3.7", LEVEL_MUST, WHO_SERVER,
     "Between IPv4 and IPv6, a server that cannot read DF refuses an Allocate with DONT-FRAGMENT.",
     .probe = dont_fragment_across_families, .needs = NEED_IP6},
    {"8656-7.2-11", "7.2 (5)", LEVEL_STATED, WHO_SERVER, "RESERVATION-TOKEN with EVEN-PORT draws 400.",
     .probe = token_and_even_port},
    {"8656-7.2-12", "7.2 (5)", LEVEL_STATED, WHO_SERVER,
     "RESERVATION-TOKEN with either address family attribute draws 400.",
     .probe = token_and_family},
    {"8656-7.2-13", "7.2 (5)", LEVEL_STATED, WHO_SERVER,
     "A RESERVATION-TOKEN that is unknown, or whose port is in use, draws 508.", .probe = token_is_no_good},
    {"8656-7.2-14", "7.2 (6)", LEVEL_STATED, WHO_SERVER,
     "REQUESTED-ADDRESS-FAMILY with ADDITIONAL-ADDRESS-FAMILY draws 400.", .probe = both_family_attributes},
    {"8656-7.2-15", "7.2 (7)", LEVEL_MUST, WHO_SERVER,
     "REQUESTED-ADDRESS-FAMILY of a family that there is not draws 440.",
     .probe = family_is_not_supported, .setup = SETUP_IP4_ONLY},
    {"8656-7.2-16", "7.2 (7)", LEVEL_MUST, WHO_SERVER,
     "An Allocate without a family attribute draws 440 from a server without IPv4 relays.",
     .probe = no_family_means_ip4,
     .setup = SETUP_IP6_ONLY},
    {"8656-7.2-17", "7.2 (7)", LEVEL_MUST, WHO_SERVER,
     "An Allocate without a family attribute is given an IPv4 relay, even over IPv6.",
     .probe = no_family_means_ip4_over_ip6, .needs = NEED_IP6},
    {"8656-7.2-18", "7.2 (8)", LEVEL_STATED, WHO_SERVER,
     "EVEN-PORT with R=1 and ADDITIONAL-ADDRESS-FAMILY draws 400.", .probe = a_pair_in_two_families},
    {"8656-7.2-19", "7.2 (8)", LEVEL_STATED, WHO_SERVER, "EVEN-PORT draws 508 when no even port is left.",
     .probe = no_even_port_is_left, .needs = NEED_ALONE, .setup = SETUP_FEW_PORTS},
    {"8656-7.2-20", "7.2 (9)", LEVEL_STATED, WHO_SERVER, "ADDITIONAL-ADDRESS-FAMILY of IPv4 draws 400.",
     .probe = the_additional_family_is_ip6},
    {"8656-7.2-21", "7.2 (9)", LEVEL_STATED, WHO_SERVER,
     "An Allocate of two families draws 508 when neither can be had.", .probe = neither_family_can_be_had,
     .needs = NEED_IP6 | NEED_ALONE, .setup = SETUP_FEW_PORTS},
    {"8656-7.2-22", "7.2 (9)", LEVEL_STATED, WHO_SERVER,
     "An Allocate of two families of which one can be had succeeds, and ADDRESS-ERROR-CODE names the other.",
     .probe = one_family_can_be_had, .setup = SETUP_IP4_ONLY},
    {"8656-7.2-23", "7.2 (9)", LEVEL_STATED, WHO_SERVER,
     "An Allocate of two families that can be had has two relayed addresses, one of each.",
     .probe = both_families_can_be_had, .needs = NEED_IP6},
    {"8656-7.2-24", "7.2 (10)", LEVEL_MAY, WHO_SERVER, "An Allocate beyond a quota draws 486.", .probe = probe_quota,
     .needs = NEED_ALONE, .setup = SETUP_QUOTA},
    {"8656-7.2-25", "7.2 (10)", LEVEL_SHOULD, WHO_SERVER,
     "A quota is counted by the name of the user, wherever he comes from.", .probe = the_quota_is_the_users,
     .needs = NEED_CLIENT2 | NEED_USER2 | NEED_ALONE, .setup = SETUP_QUOTA},
    {"8656-7.2-26", "7.2 (11)", LEVEL_MAY, WHO_SERVER,
     "An authenticated Allocate may be sent to another server: 300 with ALTERNATE-SERVER and MESSAGE-INTEGRITY.",
     .probe = the_alternate_is_named, .setup = SETUP_REDIRECT},
};

const struct section rfc8656_allocate = SECTION(rows);
