/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 5382: TCP. */
#include <string.h>

#include "conformance/nat/flows.h"
#include "conformance/nat/sections.h"

enum { PATIENCE_S = 5 };

static void same_mapping(struct probe *p)
{
    struct line *listener[] = {probe_listen(p, PEER1, IP_V4), probe_listen(p, PEER2, IP_V4)};
    struct nat_pair one = nat_connect(p, CLIENT1, 7000, listener[0]), two = nat_connect(p, CLIENT1, 7000, listener[1]);
    probe_require(p, endpoint_equal(&one.mapped, &two.mapped), "one port is %s to one peer and %s to another",
                  AT(&one.mapped), AT(&two.mapped));
}

/* Each side dials the other's external address at the same time: SYNs cross. */
static void simultaneous_open(struct probe *p)
{
    struct nat_pair known = nat_connect(p, CLIENT1, 7000, probe_listen(p, PEER2, IP_V4));
    struct endpoint inside = {probe_ip(p, CLIENT1, IP_V4), 7000}, outside = {probe_ip(p, PEER1, IP_V4), 7001};
    struct line *inner = probe_begin_dial_at(p, CLIENT1, &inside, &outside);
    struct line *outer = probe_begin_dial_at(p, PEER1, &outside, &known.mapped);
    probe_require(p, line_connected(inner, PATIENCE_S * NS_S) && line_connected(outer, PATIENCE_S * NS_S),
                  "a connection whose SYNs cross does not come up");
    probe_require(p, nat_byte(inner, outer, NS_S) && nat_byte(outer, inner, NS_S), "and carries no data");
}

static bool dialled(struct probe *p, enum place from, const struct endpoint *to)
{
    struct line *l = probe_begin_dial(p, from, to);
    return line_connected(l, PATIENCE_S * NS_S);
}

static void filtering(struct probe *p)
{
    struct nat_pair known = nat_connect(p, CLIENT1, 7000, probe_listen(p, PEER1, IP_V4));
    struct endpoint inside = {probe_ip(p, CLIENT1, IP_V4), 7000};
    probe_listen_at(p, CLIENT1, &inside);
    probe_require(p, dialled(p, PEER1, &known.mapped),
                  "filtering is address- and port-dependent: the same peer's connection does not come in");
    probe_defined(p, dialled(p, PEER2, &known.mapped) ? "filtering is endpoint-independent"
                                                      : "filtering is address-dependent");
}

static void six_seconds(struct probe *p)
{
    struct nat_pair known = nat_connect(p, CLIENT1, 7000, probe_listen(p, PEER1, IP_V4));
    struct endpoint unmapped = {known.mapped.ip, 7777};
    struct line *l = probe_begin_dial(p, PEER2, &unmapped);
    uint64_t from = probe_now(p);
    probe_require(p, !line_connected(l, 6 * NS_S), "an unsolicited SYN was let in");
    probe_require(p, line_state_now(l) != LINE_FAILED || probe_now(p) - from >= 6 * NS_S,
                  "an unsolicited SYN was answered after %u ms", (unsigned)((probe_now(p) - from) / NS_MS));
}

static void two_hours(struct probe *p)
{
    struct nat_pair pair = nat_connect(p, CLIENT1, 0, probe_listen(p, PEER1, IP_V4));
    probe_require(p, nat_byte(pair.inner, pair.outer, NS_S), "a connection carries no data");
    probe_wait(p, 7430 * NS_S);
    probe_require(p, nat_byte(pair.outer, pair.inner, PATIENCE_S * NS_S),
                  "a connection without traffic for 7430 s carries data no more");
}

static void untouched(struct probe *p)
{
    static const char ftp[] = "PORT 10,1,0,5,19,137\r\n";
    struct endpoint at = {probe_ip(p, PEER1, IP_V4), 21};
    struct nat_pair pair = nat_connect(p, CLIENT1, 0, probe_listen_at(p, PEER1, &at));
    char got[sizeof ftp - 1];
    line_send(pair.inner, ftp, sizeof got);
    probe_require(p, line_read_all(pair.outer, got, sizeof got, PATIENCE_S * NS_S) && memcmp(got, ftp, sizeof got) == 0,
                  "an FTP command with an inside address came changed");
}

static void not_overloaded(struct probe *p)
{
    enum { PORTS = 20 };
    struct line *listener = probe_listen(p, PEER1, IP_V4);
    struct endpoint seen[2 * PORTS];
    for (uint16_t i = 0; i < 2 * PORTS; i++) {
        seen[i] = nat_connect(p, i % 2 ? CLIENT2 : CLIENT1, (uint16_t)(7000 + i / 2), listener).mapped;
        for (uint16_t k = 0; k < i; k++)
            probe_require(p, !endpoint_equal(&seen[i], &seen[k]), "two connections are both seen as %s", AT(&seen[i]));
    }
}

static void hairpin(struct probe *p)
{
    struct line *listener = probe_listen(p, PEER1, IP_V4);
    struct nat_pair callee = nat_connect(p, CLIENT2, 7000, listener), caller = nat_connect(p, CLIENT1, 7001, listener);
    struct endpoint inside = {probe_ip(p, CLIENT2, IP_V4), 7000}, from = {probe_ip(p, CLIENT1, IP_V4), 7001};
    struct line *at = probe_listen_at(p, CLIENT2, &inside);
    struct line *inner = probe_begin_dial_at(p, CLIENT1, &from, &callee.mapped);
    probe_require(p, line_connected(inner, PATIENCE_S * NS_S),
                  "a connection to another inside host's external address does not come up");
    struct line *other = probe_accept(p, at, NS_S);
    struct endpoint seen = other ? line_remote(other) : (struct endpoint){0};
    probe_require(p, endpoint_equal(&seen, &caller.mapped), "it comes from %s, not from the caller's external %s",
                  AT(&seen), AT(&caller.mapped));
}

/* ---- rows ---- */

#define NO_ICMP "TCP has no ICMP error on this bench: hosts answer with RST, and probes cannot send one"

static const struct requirement rows[] = {
    {"NAT-5382-1", "REQ-1", LEVEL_MUST, WHO_NAT, "The mapping of an inside TCP port is the same to all remotes.",
     .probe = same_mapping, .needs = NEED_PEER2, .setup = SETUP_NAT},
    {"NAT-5382-2", "REQ-2", LEVEL_MUST, WHO_NAT, "TCP's ways to open a connection pass, also when the SYNs cross.",
     .probe = simultaneous_open, .needs = NEED_PEER2, .setup = SETUP_NAT},
    {"NAT-5382-3", "REQ-3", LEVEL_SHOULD, WHO_NAT, "Filtering is endpoint-independent or address-dependent.",
     .probe = filtering, .needs = NEED_PEER2, .setup = SETUP_NAT},
    {"NAT-5382-4", "REQ-4", LEVEL_MUST_NOT, WHO_NAT, "An unsolicited SYN is not answered for 6 s.",
     .probe = six_seconds, .needs = NEED_PEER2, .setup = SETUP_NAT, .seconds = 6},
    {"NAT-5382-5", "REQ-5", LEVEL_MUST_NOT, WHO_NAT,
     "An established connection lives 2 hours 4 minutes without traffic, one being opened or closed 4 minutes.",
     .probe = two_hours, .setup = SETUP_NAT, .seconds = 7430},
    {"NAT-5382-6", "REQ-6", LEVEL_MUST_NOT, WHO_NAT, "Application gateways do not touch what is not theirs.",
     .probe = untouched, .setup = SETUP_NAT},
    {"NAT-5382-7", "REQ-7", LEVEL_MUST_NOT, WHO_NAT, "No two inside TCP ports have the same external port.",
     .probe = not_overloaded, .needs = NEED_CLIENT2, .setup = SETUP_NAT},
    {"NAT-5382-8", "REQ-8", LEVEL_MUST, WHO_NAT,
     "Inside hosts connect to each other by their external addresses, and see each other's as the source.",
     .probe = hairpin, .needs = NEED_CLIENT2, .setup = SETUP_NAT},
    {"NAT-5382-9", "REQ-9", LEVEL_SHOULD, WHO_NAT, "ICMP destination unreachable about TCP is translated.",
     .none = NO_ICMP},
    {"NAT-5382-10", "REQ-10", LEVEL_MUST_NOT, WHO_NAT, "An ICMP error ends no mapping and no TCP connection.",
     .none = NO_ICMP},
};

const struct section nat_tcp = SECTION(rows);
