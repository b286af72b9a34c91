/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 4787: UDP. */
#include <string.h>

#include "conformance/nat/flows.h"
#include "conformance/nat/sections.h"
#include "models/base/bytes.h"

enum { LARGE = 4000 };
static const char sip[] = "REGISTER sip:example.org SIP/2.0\r\nVia: SIP/2.0/UDP 10.1.0.5:5060\r\n"
                          "Contact: <sip:a@10.1.0.5:5060>\r\nContent-Length: 0\r\n\r\n";

static void same_mapping(struct probe *p)
{
    struct line *inner = nat_udp_socket(p, CLIENT1, 0);
    struct line *peer[] = {probe_udp(p, PEER1, IP_V4), probe_udp(p, PEER1, IP_V4), probe_udp(p, PEER2, IP_V4)};
    struct endpoint first = nat_out(p, inner, peer[0]), inside = line_local(inner);
    probe_require(p, !ip_equal(&first.ip, &inside.ip), "the source is not translated: there is no NAT");
    for (size_t i = 1; i < 3; i++) {
        struct endpoint e = nat_out(p, inner, peer[i]);
        probe_require(p, endpoint_equal(&first, &e), "one socket is %s to one peer's port and %s to another",
                      AT(&first),
                      AT(&e));
    }
}

static void paired(struct probe *p)
{
    struct line *peer = probe_udp(p, PEER1, IP_V4);
    struct endpoint first = nat_out(p, nat_udp_socket(p, CLIENT1, 0), peer);
    for (size_t i = 0; i < 15; i++) {
        struct endpoint e = nat_out(p, nat_udp_socket(p, CLIENT1, 0), peer);
        probe_require(p, ip_equal(&first.ip, &e.ip), "one host is seen as %s and as %s", AT(&first), AT(&e));
    }
}

static void not_overloaded(struct probe *p)
{
    struct line *peer = probe_udp(p, PEER1, IP_V4);
    struct endpoint seen[40];
    for (uint16_t i = 0; i < 40; i++) { /* the same ports of two hosts */
        enum place client = i % 2 ? CLIENT2 : CLIENT1;
        seen[i] = nat_out(p, nat_udp_socket(p, client, (uint16_t)(6000 + i / 2)), peer);
        for (uint16_t k = 0; k < i; k++)
            probe_require(p, !endpoint_equal(&seen[i], &seen[k]), "two sockets are both seen as %s", AT(&seen[i]));
    }
}

static void port_class(struct probe *p)
{
    static const uint16_t port[] = {500, 1000, 1024, 40000};
    struct line *peer = probe_udp(p, PEER1, IP_V4);
    for (size_t i = 0; i < sizeof port / sizeof *port; i++) {
        struct endpoint e = nat_out(p, nat_udp_socket(p, CLIENT1, port[i]), peer);
        probe_require(p, (e.port < 1024) == (port[i] < 1024), "port %u is mapped to port %u", port[i], e.port);
    }
}

static void parity(struct probe *p)
{
    struct line *peer = probe_udp(p, PEER1, IP_V4);
    for (uint16_t port = 7000; port < 7008; port++) {
        struct endpoint e = nat_out(p, nat_udp_socket(p, CLIENT1, port), peer);
        probe_require(p, e.port % 2 == port % 2, "port %u is mapped to port %u", port, e.port);
    }
}

/* Whether a mapping that was used last so long ago still lets its peer in. */
static bool lives(struct probe *p, unsigned seconds)
{
    struct line *inner = nat_udp_socket(p, CLIENT1, 0), *peer = probe_udp(p, PEER1, IP_V4);
    struct endpoint mapped = nat_out(p, inner, peer);
    probe_wait(p, seconds * NS_S);
    return nat_in(p, peer, &mapped, inner);
}

static void two_minutes(struct probe *p)
{
    probe_require(p, lives(p, 119), "a mapping is gone after 119 s without traffic");
}

static void five_minutes(struct probe *p)
{
    probe_require(p, lives(p, 298), "a mapping is gone after 298 s without traffic");
}

static void outbound_refreshes(struct probe *p)
{
    struct line *inner = nat_udp_socket(p, CLIENT1, 0), *peer = probe_udp(p, PEER1, IP_V4);
    struct endpoint mapped = nat_out(p, inner, peer);
    for (unsigned i = 0; i < 2; i++) {
        probe_wait(p, 110 * NS_S);
        struct endpoint e = nat_out(p, inner, peer);
        probe_require(p, endpoint_equal(&e, &mapped), "a mapping in use has changed");
    }
    probe_wait(p, 110 * NS_S);
    probe_require(p, nat_in(p, peer, &mapped, inner), "110 s after a datagram from inside the mapping is gone");
}

static void inbound(struct probe *p)
{
    struct line *inner = nat_udp_socket(p, CLIENT1, 0), *peer = probe_udp(p, PEER1, IP_V4);
    struct endpoint mapped = nat_out(p, inner, peer);
    for (unsigned i = 0; i < 6; i++) {
        probe_wait(p, 110 * NS_S);
        if (!nat_in(p, peer, &mapped, inner))
            probe_defined(p, "datagrams from outside do not keep a mapping: it was gone after %u s", 110 * (i + 1));
    }
    probe_defined(p, "datagrams from outside keep a mapping: it lives after 660 s");
}

static void filtering(struct probe *p)
{
    struct line *inner = nat_udp_socket(p, CLIENT1, 0), *peer = probe_udp(p, PEER1, IP_V4);
    struct line *other_port = probe_udp(p, PEER1, IP_V4), *other_address = probe_udp(p, PEER2, IP_V4);
    struct endpoint mapped = nat_out(p, inner, peer);
    probe_require(p, nat_in(p, peer, &mapped, inner), "the peer's answer does not come in");
    probe_require(p, nat_in(p, other_port, &mapped, inner),
                  "filtering is address- and port-dependent: another port of the same peer does not come in");
    probe_defined(p, nat_in(p, other_address, &mapped, inner) ? "filtering is endpoint-independent"
                                                              : "filtering is address-dependent");
}

static void hairpin(struct probe *p)
{
    struct line *one = nat_udp_socket(p, CLIENT1, 0), *two = nat_udp_socket(p, CLIENT2, 0);
    struct line *peer = probe_udp(p, PEER1, IP_V4);
    struct endpoint a = nat_out(p, one, peer), b = nat_out(p, two, peer), from = {0};
    uint8_t buf[8];
    line_send_to(two, &a, "hi", 2); /* filters are open both ways, whatever they are */
    line_datagram(one, buf, sizeof buf, NULL, probe_soon(p));
    line_send_to(one, &b, "ho", 2);
    probe_require(p, line_datagram(two, buf, sizeof buf, &from, probe_soon(p)) == 2,
                  "a datagram to another inside host's external address does not come back in");
    probe_require(p, endpoint_equal(&from, &a), "it comes from %s, not from the sender's external %s", AT(&from),
                  AT(&a));
}

static void untouched(struct probe *p)
{
    struct endpoint at = {probe_ip(p, PEER1, IP_V4), 5060};
    struct line *inner = nat_udp_socket(p, CLIENT1, 5060), *peer = probe_udp_at(p, PEER1, &at);
    uint8_t buf[512];
    line_send_to(inner, &at, sip, sizeof sip - 1);
    long n = line_datagram(peer, buf, sizeof buf, NULL, probe_soon(p));
    probe_require(p, n == (long)sizeof sip - 1 && memcmp(buf, sip, (size_t)n) == 0,
                  "a SIP message came changed: %ld bytes of %zu", n, sizeof sip - 1);
}

/* Where ports collide, a mapping still does not depend on the remote. */
static void deterministic(struct probe *p)
{
    struct line *peer[] = {probe_udp(p, PEER1, IP_V4), probe_udp(p, PEER2, IP_V4)};
    for (uint16_t i = 0; i < 20; i++) {
        struct line *one = nat_udp_socket(p, CLIENT1, (uint16_t)(6000 + i));
        struct line *two = nat_udp_socket(p, CLIENT2, (uint16_t)(6000 + i));
        struct endpoint a = nat_out(p, one, peer[0]), b = nat_out(p, two, peer[0]);
        struct endpoint a2 = nat_out(p, one, peer[1]), b2 = nat_out(p, two, peer[1]);
        probe_require(p, endpoint_equal(&a, &a2) && endpoint_equal(&b, &b2),
                      "where two hosts use port %u, a mapping depends on the remote", 6000 + i);
    }
}

/* A datagram to a port where nobody listens is answered port unreachable. */
static void icmp_harmless(struct probe *p)
{
    struct line *inner = nat_udp_socket(p, CLIENT1, 0), *peer = probe_udp(p, PEER1, IP_V4);
    struct endpoint mapped = nat_out(p, inner, peer), closed = probe_closed_port(p, PEER1, IP_V4);
    line_send_to(inner, &closed, "x", 1);
    probe_wait(p, NS_S);
    probe_require(p, nat_in(p, peer, &mapped, inner), "after an ICMP error the mapping lets its peer in no more");
    struct endpoint e = nat_out(p, inner, peer);
    probe_require(p, endpoint_equal(&e, &mapped), "after an ICMP error the mapping is another");
}

static void fragments(struct probe *p)
{
    struct line *inner = nat_udp_socket(p, CLIENT1, 0), *peer = probe_udp(p, PEER1, IP_V4);
    struct endpoint mapped = nat_out(p, inner, peer), to = line_local(peer), from;
    static uint8_t out[LARGE], got[LARGE + 1];
    for (size_t i = 0; i < LARGE; i++)
        out[i] = (uint8_t)(i * 31 + i / 256);
    line_send_to(inner, &to, out, LARGE);
    probe_require(p, line_datagram(peer, got, sizeof got, &from, probe_soon(p)) == LARGE &&
                  memcmp(out, got, LARGE) == 0, "a datagram of %u bytes, in fragments, has not come out",
                  (unsigned)LARGE);
    probe_require(p, endpoint_equal(&from, &mapped), "it came from %s, not %s", AT(&from), AT(&mapped));
    line_send_to(peer, &mapped, out, LARGE);
    probe_require(p,
                  line_datagram(inner, got, sizeof got, NULL, probe_soon(p)) == LARGE && memcmp(out, got, LARGE) == 0,
                  "a datagram of %u bytes, in fragments, has not come in", (unsigned)LARGE);
}

/* ---- rows ---- */

enum { TWO_INSIDE = NEED_CLIENT2, TWO_OUTSIDE = NEED_PEER2 };

static const struct requirement rows[] = {
    {"NAT-4787-1", "REQ-1", LEVEL_MUST, WHO_NAT, "The mapping of an inside port is the same to all remotes.",
     .probe = same_mapping, .needs = TWO_OUTSIDE, .setup = SETUP_NAT},
    {"NAT-4787-2", "REQ-2", LEVEL_SHOULD, WHO_NAT, "All mappings of an inside host have one external address.",
     .probe = paired, .setup = SETUP_NAT},
    {"NAT-4787-3", "REQ-3", LEVEL_MUST_NOT, WHO_NAT, "No two inside ports have the same external port.",
     .probe = not_overloaded, .needs = TWO_INSIDE, .setup = SETUP_NAT},
    {"NAT-4787-3a", "REQ-3a", LEVEL_SHOULD, WHO_NAT,
     "Ports below 1024 are mapped to ports below 1024, others to others.", .probe = port_class, .setup = SETUP_NAT},
    {"NAT-4787-4", "REQ-4", LEVEL_SHOULD, WHO_NAT,
     "Even ports are mapped to even ports and odd to odd, where that can be had.", .probe = parity, .setup = SETUP_NAT},
    {"NAT-4787-5", "REQ-5", LEVEL_MUST_NOT, WHO_NAT, "A UDP mapping lives 2 minutes without traffic.",
     .probe = two_minutes, .setup = SETUP_NAT, .seconds = 119},
    {"NAT-4787-5a", "REQ-5", LEVEL_SHOULD, WHO_NAT, "A UDP mapping lives 5 minutes without traffic, or as configured.",
     .probe = five_minutes, .setup = SETUP_NAT, .seconds = 298},
    {"NAT-4787-6", "REQ-6", LEVEL_MUST, WHO_NAT, "What goes out keeps a mapping alive.", .probe = outbound_refreshes,
     .setup = SETUP_NAT, .seconds = 330},
    {"NAT-4787-6a", "REQ-6", LEVEL_MAY, WHO_NAT, "What comes in may keep a mapping alive; it is safer if it does not.",
     .probe = inbound, .setup = SETUP_NAT, .seconds = 660},
    {"NAT-4787-7", "REQ-7", LEVEL_MUST, WHO_NAT,
     "It works also where outside there is a network with the addresses of the inside one.",
     .none = "the bench's networks have addresses of their own; a box between equal ones would route by interface"},
    {"NAT-4787-8", "REQ-8", LEVEL_SHOULD, WHO_NAT, "Filtering is endpoint-independent or address-dependent.",
     .probe = filtering, .needs = TWO_OUTSIDE, .setup = SETUP_NAT},
    {"NAT-4787-9", "REQ-9", LEVEL_MUST, WHO_NAT,
     "Inside hosts reach each other by their external addresses, and see each other's as the source.", .probe = hairpin,
     .needs = TWO_INSIDE, .setup = SETUP_NAT},
    {"NAT-4787-10", "REQ-10", LEVEL_SHOULD, WHO_NAT, "Payload passes unchanged: application gateways are off.",
     .probe = untouched, .setup = SETUP_NAT},
    {"NAT-4787-11", "REQ-11", LEVEL_MUST, WHO_NAT, "Mapping does not become another kind where ports collide.",
     .probe = deterministic, .needs = TWO_INSIDE | TWO_OUTSIDE, .setup = SETUP_NAT},
    {"NAT-4787-12", "REQ-12", LEVEL_MUST_NOT, WHO_NAT, "An ICMP error does not end a mapping.", .probe = icmp_harmless,
     .setup = SETUP_NAT},
    {"NAT-4787-13", "REQ-13", LEVEL_MUST, WHO_NAT,
     "A packet that is too big and must not be fragmented is answered so by ICMP.",
     .none = "sockets of a probe cannot ask for DF, nor see the ICMP message"},
    {"NAT-4787-14", "REQ-14", LEVEL_MUST, WHO_NAT,
     "Fragments are translated, in order and out of order; the probe has them in order.", .probe = fragments,
     .setup = SETUP_NAT},
};

const struct section nat_udp = SECTION(rows);
