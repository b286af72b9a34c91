/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 8656 9, 10: permissions and CreatePermission. */
#include <string.h>

#include "conformance/rfc8656/rfc8656.h"

enum { IN_ONE = 16, REQUESTS = 64 };

static void permission_lives_300_s(struct probe *p)
{
    struct opening o = open_with_permission(p);
    uint64_t from = probe_now(p);
    probe_wait_until(p, from + PERMISSION_LIFE - EARLY);
    probe_require(p, comes_through(&o.a, o.peer), "298 s after CreatePermission the peer's datagram was dropped");
    probe_wait_until(p, from + PERMISSION_LIFE + LATE);
    probe_require(p, !comes_through(&o.a, o.peer), "303 s after CreatePermission the peer's datagram was relayed");
}

static void permission_is_renewed(struct probe *p)
{
    struct opening o = open_with_permission(p);
    probe_wait(p, 200 * NS_S);
    permit(&o.a, &o.at);
    uint64_t from = probe_now(p);
    probe_wait_until(p, from + PERMISSION_LIFE - EARLY);
    probe_require(p, comes_through(&o.a, o.peer),
                  "298 s after a second CreatePermission the peer's datagram was dropped");
    probe_wait_until(p, from + PERMISSION_LIFE + LATE);
    probe_require(p, !comes_through(&o.a, o.peer),
                  "303 s after a second CreatePermission the peer's datagram was relayed");
}

static void permission_is_of_the_address(struct probe *p)
{
    struct opening o = open_with_permission(p);
    struct line *other = probe_udp(p, PEER1, IP_V4);
    probe_require(p, comes_through(&o.a, other), "the permission's address sent from another port, and it was dropped");
}

static void no_permission_no_datagram(struct probe *p)
{
    struct opening o = open_with_permission(p);
    struct line *other = probe_udp(p, PEER2, IP_V4);
    probe_require(p, !comes_through(&o.a, other), "a datagram from an address without a permission was relayed");
    probe_require(p, comes_through(&o.a, o.peer), "a datagram from the address with the permission was dropped");
}

static void permissions_are_of_one_allocation(struct probe *p)
{
    struct allocation a = relay(p), b = relay(p);
    struct line *peer = probe_udp(p, PEER1, IP_V4);
    struct endpoint at = line_local(peer);
    permit(&a, &at);
    probe_require(p, !comes_through(&b, peer), "another allocation's permission let a datagram through");
    probe_require(p, comes_through(&a, peer), "the permission's own allocation drops");
}

static void permissions_die_with_the_allocation(struct probe *p)
{
    struct opening o = open_with_permission(p);
    forget(&o.a);
    if (line_state_now(o.a.control) != LINE_OPEN)
        probe_skip(p, "the server closes the connection of a deleted allocation: no other can be made there");
    struct heard h = ask(o.a.login, o.a.control, TURN_ALLOCATE, ATTRS(ASK_UDP));
    if (h.code == 437)
        probe_skip(p, "the server allows no other allocation on the 5-tuple of a deleted one (437)");
    expect_code(p, &h, 0, "an Allocate on the 5-tuple of a deleted allocation");
    probe_require(p, heard_address(&h, ATTR_XOR_RELAYED_ADDRESS, &o.a.relayed),
                  "the success has no XOR-RELAYED-ADDRESS");
    probe_require(p, !comes_through(&o.a, o.peer),
                  "the permission of a deleted allocation holds for the next on its 5-tuple");
}

static void data_does_not_renew_a_permission(struct probe *p)
{
    struct opening o = open_with_permission(p);
    uint64_t from = probe_now(p);
    for (unsigned s = 0; s < 300; s += 20) {
        probe_wait_until(p, from + s * NS_S);
        probe_require(p, send_passes(&o.a, o.peer) && comes_through(&o.a, o.peer),
                      "%u s after CreatePermission data was dropped", s);
    }
    probe_wait_until(p, from + PERMISSION_LIFE + LATE);
    probe_require(p, !comes_through(&o.a, o.peer), "data in both directions has kept a permission alive beyond 300 s");
}

/* ---- CreatePermission ---- */

static void peers_have_to_be_valid(struct probe *p)
{
    struct allocation a = relay(p);
    struct heard h = create_permission(&a, NULL);
    expect_code(p, &h, 400, "a CreatePermission without XOR-PEER-ADDRESS");
    h = create_permission(&a, ATTRS(HEX(ATTR_XOR_PEER_ADDRESS, "00010001c633")));
    expect_code(p, &h, 400, "a CreatePermission with XOR-PEER-ADDRESS of 6 bytes");
    h = create_permission(&a, ATTRS(HEX(ATTR_XOR_PEER_ADDRESS, "00070001c6336401")));
    expect_code(p, &h, 400, "a CreatePermission with XOR-PEER-ADDRESS of family 7");
}

static void all_peers_or_none(struct probe *p)
{
    struct allocation a = relay(p);
    struct line *peer = probe_udp(p, PEER1, IP_V4);
    struct endpoint good = line_local(peer);
    struct heard h = create_permission(&a, ATTRS(PEER(&good), HEX(ATTR_XOR_PEER_ADDRESS, "00010001c633")));
    expect_code(p, &h, 400, "a CreatePermission with a good XOR-PEER-ADDRESS and a bad one");
    if (comes_through(&a, peer))
        probe_defined(p,
                      "a CreatePermission with a good address and a bad one drew 400, yet the good one was installed");
}

static void the_family_is_the_relays(struct probe *p)
{
    struct allocation a = relay(p);
    struct endpoint peer = somebody6();
    struct heard h = create_permission(&a, ATTRS(PEER(&peer)));
    expect_code(p, &h, 443, "a CreatePermission for an IPv6 address on an IPv4 relay");
}

static void permissions_run_out(struct probe *p)
{
    struct allocation a = relay(p);
    struct endpoint peer[IN_ONE];
    struct attr attrs[IN_ONE + 1] = {0};
    for (unsigned i = 0; i < REQUESTS; i++) {
        for (unsigned j = 0; j < IN_ONE; j++) {
            peer[j] = somebody(i * IN_ONE + j);
            attrs[j] = (struct attr)PEER(&peer[j]);
        }
        struct heard h = create_permission(&a, attrs);
        if (h.code == 0)
            continue;
        expect_code(p, &h, 508, "a CreatePermission beyond what the server has room for");
        return;
    }
    probe_defined(p, "%u permissions were installed on one allocation, and the server had room for all",
                  REQUESTS * IN_ONE);
}

void probe_denied_peer(struct probe *p)
{
    struct allocation a = relay(p);
    struct line *peer = probe_udp(p, PEER1, IP_V4), *denied = probe_udp(p, PEER2, IP_V4);
    struct endpoint at = line_local(peer), not_at = line_local(denied);
    struct heard h = create_permission(&a, ATTRS(PEER(&not_at)));
    expect_code(p, &h, 403, "a CreatePermission for an address that the operator denies");
    permit(&a, &at);
    probe_require(p, !send_passes(&a, denied), "a Send to an address that the operator denies was relayed");
}

static void the_port_does_not_count(struct probe *p)
{
    struct allocation a = relay(p);
    struct line *peer = probe_udp(p, PEER1, IP_V4);
    struct endpoint at = {probe_ip(p, PEER1, IP_V4), 0};
    permit(&a, &at);
    probe_require(p, comes_through(&a, peer), "a permission for port 0 does not hold for the address");
    at.port = 65535;
    permit(&a, &at);
}

static void success_needs_nothing(struct probe *p)
{
    struct allocation a = relay(p);
    struct endpoint peer = {probe_ip(p, PEER1, IP_V4), 9};
    struct heard h = create_permission(&a, ATTRS(PEER(&peer)));
    expect_code(p, &h, 0, "a CreatePermission");
    probe_require(p, stun_unknown(&h.stun, NULL, 0) == 0,
                  "the success has an attribute that has to be understood, and that nobody knows");
    probe_require(p, login_verifies(a.login, &h), "the success has no MESSAGE-INTEGRITY that is right");
}

static void several_peers_in_one(struct probe *p)
{
    struct allocation a = relay(p);
    struct line *first = probe_udp(p, PEER1, IP_V4), *last = probe_udp(p, PEER2, IP_V4);
    struct endpoint at = line_local(first), between = somebody(1), last_at = line_local(last);
    struct heard h = create_permission(&a, ATTRS(PEER(&at), PEER(&between), PEER(&last_at)));
    expect_code(p, &h, 0, "a CreatePermission for three addresses");
    probe_require(p, comes_through(&a, first), "of three addresses in a CreatePermission the first has no permission");
    probe_require(p, comes_through(&a, last), "of three addresses in a CreatePermission the last has no permission");
}

/* ---- the client ---- */

static void client_names_its_peers(struct probe *p)
{
    struct line *control = client_has_relay(p, probe_serve(p), 600);
    struct endpoint peer = {probe_ip(p, PEER1, IP_V4), 9};
    client_wants(p, WISH_PERMIT, &peer);
    struct heard h = server_hear(p, control, TURN_CREATE_PERMISSION, probe_soon(p));
    struct stun_attr a = {0};
    unsigned n = 0;
    while (stun_next(&h.stun, &a)) {
        struct endpoint named;
        if (a.type != ATTR_XOR_PEER_ADDRESS)
            continue;
        n++;
        probe_require(p, stun_attr_address(&h.stun, &a, &named) == 0 && named.ip.family == IP_V4,
                      "the client's CreatePermission for an IPv4 relay has an XOR-PEER-ADDRESS that is not IPv4");
    }
    probe_require(p, n > 0, "the client's CreatePermission has no XOR-PEER-ADDRESS");
}

static const struct requirement rows[] = {
    {"8656-9-1", "9", LEVEL_MUST, WHO_SERVER, "A permission lives 300 s.",
     .probe = permission_lives_300_s, .seconds = 303},
    {"8656-9-2", "9", LEVEL_STATED, WHO_SERVER, "A permission that is asked for again lives 300 s from then on.",
     .probe = permission_is_renewed, .seconds = 503},
    {"8656-9-3", "9", LEVEL_STATED, WHO_SERVER, "A permission is for an IP address, whatever the port.",
     .probe = permission_is_of_the_address},
    {"8656-9-4", "9", LEVEL_STATED, WHO_SERVER,
     "A datagram from an address without a permission is dropped without a word.", .probe = no_permission_no_datagram,
     .needs = NEED_PEER2},
    {"8656-9-5", "9", LEVEL_STATED, WHO_SERVER, "A permission is for one allocation.",
     .probe = permissions_are_of_one_allocation},
    {"8656-9-6", "9", LEVEL_STATED, WHO_SERVER, "Permissions end with their allocation.",
     .probe = permissions_die_with_the_allocation},
    {"8656-9-7", "9", LEVEL_DERIVED, WHO_SERVER, "Data does not prolong a permission, in neither direction.",
     .probe = data_does_not_renew_a_permission, .seconds = 303},
    {"8656-10.1-1", "10.1", LEVEL_MUST, WHO_CLIENT,
     "A CreatePermission names at least one peer, of the family of the relay.", .probe = client_names_its_peers,
     .needs = NEED_CLIENT},
    {"8656-10.2-1", "10.2", LEVEL_MUST, WHO_SERVER,
     "A CreatePermission without XOR-PEER-ADDRESS, or with an invalid one, draws 400.",
     .probe = peers_have_to_be_valid},
    {"8656-10.2-2", "10.2", LEVEL_DERIVED, WHO_SERVER,
     "A CreatePermission with one invalid address among several draws 400 and installs none.",
     .probe = all_peers_or_none},
    {"8656-10.2-3", "10.2", LEVEL_STATED, WHO_SERVER,
     "A CreatePermission for an address of another family than the relay's draws 443.",
     .probe = the_family_is_the_relays},
    {"8656-10.2-4", "10.2", LEVEL_STATED, WHO_SERVER, "A CreatePermission that the server has no room for draws 508.",
     .probe = permissions_run_out, .needs = NEED_ALONE},
    {"8656-10.2-5", "10.2", LEVEL_MAY, WHO_SERVER, "A CreatePermission for an address that is not allowed draws 403.",
     .probe = probe_denied_peer, .needs = NEED_PEER2, .setup = SETUP_DENY},
    {"8656-10.2-6", "10.2", LEVEL_STATED, WHO_SERVER, "The port in a CreatePermission is ignored.",
     .probe = the_port_does_not_count},
    {"8656-10.2-7", "10.2", LEVEL_STATED, WHO_SERVER,
     "A CreatePermission success needs no attributes but MESSAGE-INTEGRITY.", .probe = success_needs_nothing},
    {"8656-10.2-8", "10.2", LEVEL_DERIVED, WHO_SERVER, "All addresses of a CreatePermission are given permissions.",
     .probe = several_peers_in_one, .needs = NEED_PEER2},
};

const struct section rfc8656_permissions = SECTION(rows);
