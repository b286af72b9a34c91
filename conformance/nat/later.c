/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 7857, what it makes of the older ones; RFC 5508: ICMP; RFC 6888: a carrier's NAT. */
#include "conformance/nat/flows.h"
#include "conformance/nat/sections.h"

enum { PATIENCE_S = 5 };

/* One side has ended; the other still sends after most of 4 minutes. */
static void half_closed(struct probe *p)
{
    struct nat_pair pair = nat_connect(p, CLIENT1, 0, probe_listen(p, PEER1, IP_V4));
    line_end(pair.inner);
    probe_require(p, line_ended(pair.outer, PATIENCE_S * NS_S) == LINE_FIN, "the FIN has not come to the peer");
    probe_wait(p, 235 * NS_S);
    probe_require(p, nat_byte(pair.outer, pair.inner, PATIENCE_S * NS_S),
                  "a connection closed by one side lets the other's data through no more after 235 s");
}

/* The port keeps its mapping for a while, though its only connection was reset. */
static void reset_is_transitory(struct probe *p)
{
    struct line *listener[] = {probe_listen(p, PEER1, IP_V4), probe_listen(p, PEER2, IP_V4)};
    struct nat_pair pair = nat_connect(p, CLIENT1, 7000, listener[0]);
    line_reset(pair.inner);
    probe_wait(p, 200 * NS_S);
    struct endpoint inside = {probe_ip(p, CLIENT1, IP_V4), 7000};
    probe_listen_at(p, CLIENT1, &inside);
    struct line *again = probe_begin_dial(p, PEER1, &pair.mapped);
    probe_require(p, line_connected(again, PATIENCE_S * NS_S), "200 s after a reset the mapping is gone");
}

static void paired(struct probe *p)
{
    struct line *udp = probe_udp(p, PEER1, IP_V4), *tcp = probe_listen(p, PEER1, IP_V4);
    struct endpoint first = nat_out(p, nat_udp_socket(p, CLIENT1, 0), udp);
    for (uint16_t i = 0; i < 10; i++) {
        struct endpoint e = i % 2 ? nat_connect(p, CLIENT1, 0, tcp).mapped
                                  : nat_out(p, nat_udp_socket(p, CLIENT1, 0), udp);
        probe_require(p, ip_equal(&first.ip, &e.ip), "one host is seen as %s and as %s", AT(&first), AT(&e));
    }
}

static bool let_in(struct probe *p, const struct endpoint *mapped, const struct endpoint *inside)
{
    probe_listen_at(p, CLIENT1, inside);
    return line_connected(probe_begin_dial(p, PEER1, mapped), PATIENCE_S * NS_S);
}

static void mapping_by_protocol(struct probe *p)
{
    struct endpoint inside = {probe_ip(p, CLIENT1, IP_V4), 7000};
    struct endpoint mapped = nat_out(p, nat_udp_socket(p, CLIENT1, 7000), probe_udp(p, PEER1, IP_V4));
    probe_require(p, !let_in(p, &mapped, &inside), "a UDP mapping lets TCP in");
    struct endpoint tcp = nat_connect(p, CLIENT1, 7000, probe_listen(p, PEER1, IP_V4)).mapped;
    probe_defined(p, "TCP and UDP of one inside port have %s external port",
                  tcp.port == mapped.port ? "one" : "each an");
}

static void filter_by_protocol(struct probe *p)
{
    struct endpoint inside = {probe_ip(p, CLIENT1, IP_V4), 7000};
    struct endpoint mapped = nat_out(p, nat_udp_socket(p, CLIENT1, 7000), probe_udp(p, PEER1, IP_V4));
    nat_connect(p, CLIENT1, 7000, probe_listen(p, PEER2, IP_V4));
    probe_require(p, !let_in(p, &mapped, &inside), "a UDP datagram to a peer lets its TCP connections in");
}

static void blocked_do_not_refresh(struct probe *p)
{
    struct line *inner = nat_udp_socket(p, CLIENT1, 0), *peer = probe_udp(p, PEER1, IP_V4);
    struct line *stranger = probe_udp(p, PEER2, IP_V4);
    struct endpoint mapped = nat_out(p, inner, peer);
    bool blocked = true;
    for (unsigned i = 0; i < 6; i++) {
        probe_wait(p, 110 * NS_S);
        blocked &= !nat_in(p, stranger, &mapped, inner);
    }
    if (!blocked)
        probe_defined(p, "nothing is blocked: filtering is endpoint-independent");
    probe_require(p, !nat_in(p, peer, &mapped, inner), "datagrams that were blocked have kept a mapping alive");
}

static void until_the_last(struct probe *p)
{
    struct line *inner = nat_udp_socket(p, CLIENT1, 0);
    struct line *one = probe_udp(p, PEER1, IP_V4), *two = probe_udp(p, PEER2, IP_V4);
    struct endpoint mapped = nat_out(p, inner, one);
    for (unsigned i = 0; i < 6; i++) {
        nat_out(p, inner, two);
        probe_wait(p, 110 * NS_S);
    }
    struct endpoint again = nat_out(p, inner, one);
    probe_require(p, endpoint_equal(&again, &mapped),
                  "though another session used it, the mapping has become %s from %s",
                  AT(&again), AT(&mapped));
}

static void parity_told(struct probe *p)
{
    struct line *peer = probe_udp(p, PEER1, IP_V4);
    unsigned kept = 0;
    for (uint16_t port = 7000; port < 7008; port++)
        kept += nat_out(p, nat_udp_socket(p, CLIENT1, port), peer).port % 2 == port % 2;
    probe_defined(p, "%u of 8 ports keep their parity", kept);
}

/* Ports that are those of the inside are as hard to guess as the host has made them. */
static void unpredictable(struct probe *p)
{
    enum { SOCKETS = 8 };
    static const uint16_t port[SOCKETS] = {7000, 9123, 8444, 31000, 20011, 7003, 60001, 45210};
    struct line *peer = probe_udp(p, PEER1, IP_V4);
    unsigned kept = 0, next = 0;
    uint16_t last = 0;
    for (size_t i = 0; i < SOCKETS; i++) {
        struct endpoint e = nat_out(p, nat_udp_socket(p, CLIENT1, port[i]), peer);
        kept += e.port == port[i];
        next += e.port == last + 1;
        last = e.port;
    }
    probe_require(p, next < SOCKETS / 2, "%u of 8 external ports are each the next after the one before", next);
    if (kept == SOCKETS)
        probe_defined(p, "external ports are those of the inside");
}

static void icmp_translated(struct probe *p)
{
    struct line *inner = nat_udp_socket(p, CLIENT1, 0), *peer = probe_udp(p, PEER1, IP_V4);
    struct endpoint mapped = nat_out(p, inner, peer), closed = probe_closed_port(p, PEER1, IP_V4);
    line_send_to(inner, &closed, "x", 1);
    probe_wait(p, NS_S);
    probe_require(p, line_icmp(inner) == 1, "a peer's port unreachable has not come to the inside socket");
    struct endpoint gone = line_local(inner);
    line_close(inner);
    line_send_to(peer, &mapped, "x", 1);
    probe_wait(p, NS_S);
    probe_require(p, line_icmp(peer) == 1, "port unreachable of the closed inside port %u has not come to the peer",
                  gone.port);
}

/* ---- rows ---- */

#define NO_CARRIER "the box is no carrier's NAT: it knows no subscribers"

static const struct requirement rows[] = {
    {"NAT-7857-1", "2", LEVEL_SHOULD, WHO_NAT,
     "Partly open and partly closed connections have timers of their own, 4 minutes each.", .probe = half_closed,
     .setup = SETUP_NAT, .seconds = 240},
    {"NAT-7857-2", "2", LEVEL_SHOULD, WHO_NAT, "An RST does not delete a session at once, but after 4 minutes.",
     .probe = reset_is_transitory, .needs = NEED_PEER2, .setup = SETUP_NAT, .seconds = 205},
    {"NAT-7857-3", "3", LEVEL_MAY, WHO_NAT,
     "One external port may serve several destinations, when others have run out or by configuration.",
     .none = "the box never does: it refuses a mapping rather, which RFC 4787 asks for"},
    {"NAT-7857-4", "4", LEVEL_SHOULD, WHO_NAT,
     "One external address for all protocols and ports of a host, by default.",
     .probe = paired, .setup = SETUP_NAT},
    {"NAT-7857-5", "5", LEVEL_SHOULD, WHO_NAT, "Mappings are made for each protocol by itself.",
     .probe = mapping_by_protocol, .setup = SETUP_NAT},
    {"NAT-7857-6", "6", LEVEL_SHOULD, WHO_NAT, "Filters are opened for each protocol by itself.",
     .probe = filter_by_protocol, .needs = NEED_PEER2, .setup = SETUP_NAT},
    {"NAT-7857-7", "7", LEVEL_MUST_NOT, WHO_NAT, "What a filter blocks does not keep a mapping alive.",
     .probe = blocked_do_not_refresh, .needs = NEED_PEER2, .setup = SETUP_NAT, .seconds = 660},
    {"NAT-7857-8", "8", LEVEL_SHOULD, WHO_NAT, "A mapping lives until the last session through it is gone.",
     .probe = until_the_last, .needs = NEED_PEER2, .setup = SETUP_NAT, .seconds = 660},
    {"NAT-7857-9", "9", LEVEL_MAY, WHO_NAT, "Parity of ports need not be kept.", .probe = parity_told,
     .setup = SETUP_NAT},
    {"NAT-7857-10", "10", LEVEL_SHOULD, WHO_NAT, "External ports are hard to guess, or those that the host has chosen.",
     .probe = unpredictable, .setup = SETUP_NAT},
    {"NAT-7857-11", "11", LEVEL_SHOULD, WHO_NAT, "The IPv4 identification of what may be fragmented is made anew.",
     .none = "sockets of a probe do not see the IP header"},
    {"NAT-7857-12", "12", LEVEL_SHOULD, WHO_NAT, "ICMP queries are mapped, and hairpinned.",
     .none = "a probe has no ICMP sockets: pings through the box are in models/firewall/fwbox_test.c"},
    {"NAT-5508-1", "REQ-1", LEVEL_MUST, WHO_NAT, "ICMP queries pass, and their mapping lives 60 s.",
     .none = "a probe has no ICMP sockets: pings through the box are in models/firewall/fwbox_test.c"},
    {"NAT-5508-2", "REQ-3", LEVEL_MUST, WHO_NAT,
     "ICMP errors about a mapping's packets are translated, in both headers, both ways.", .probe = icmp_translated,
     .needs = NEED_ICMP, .setup = SETUP_NAT},
    {"NAT-6888-1", "REQ-1", LEVEL_MUST, WHO_NAT, "A carrier's NAT does what RFC 4787, 5382 and 5508 ask for.",
     .none = "it is the sum of their rows here"},
    {"NAT-6888-2", "REQ-2", LEVEL_MUST, WHO_NAT, "One external address for all mappings of a host.", .probe = paired,
     .setup = SETUP_NAT},
    {"NAT-6888-4", "REQ-4", LEVEL_MUST, WHO_NAT, "The ports of each subscriber are limited, as configured.",
     .none = NO_CARRIER},
    {"NAT-6888-7", "REQ-7", LEVEL_SHOULD, WHO_NAT, "Filtering is endpoint-independent, unless policy wants another.",
     .none = "the bench's policy is address-dependent filtering, which RFC 4787 recommends where it is to be stricter"},
    {"NAT-6888-8", "REQ-8", LEVEL_MUST, WHO_NAT,
     "A port is not given to another subscriber for 120 s after its mapping has ended.", .none = NO_CARRIER},
    {"NAT-6888-9", "REQ-9", LEVEL_MUST, WHO_NAT, "Subscribers can ask for mappings, as with PCP.", .none = NO_CARRIER},
    {"NAT-6888-15", "REQ-15", LEVEL_SHOULD, WHO_NAT, "External ports are hard to guess.", .probe = unpredictable,
     .setup = SETUP_NAT},
};

const struct section nat_later = SECTION(rows);
