/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 8656 6: what an allocation is, and how long. */
#include "conformance/rfc8656/rfc8656.h"

enum { MANY = 60, DEFAULT_S = 600 };

static void relayed_addresses_are_unique(struct probe *p)
{
    struct endpoint seen[MANY];
    char at[ENDPOINT_TEXT];
    for (unsigned i = 0; i < MANY; i++) {
        seen[i] = relay(p).relayed;
        for (unsigned j = 0; j < i; j++)
            probe_require(p, !endpoint_equal(&seen[i], &seen[j]),
                          "allocations %u and %u have the same relayed address %s",
                          j + 1, i + 1, endpoint_text(&seen[i], at));
    }
}

static void default_lifetime(struct probe *p)
{
    uint32_t s = 0;
    struct allocation a = relay(p);
    probe_require(p, a.lifetime == DEFAULT_S, "an Allocate without LIFETIME was given %u s", a.lifetime);
    struct heard h = ask_refresh(a.login, a.control, -1);
    expect_code(p, &h, 0, "a Refresh without LIFETIME");
    probe_require(p, heard_u32(&h, ATTR_LIFETIME, &s) && s == DEFAULT_S, "a Refresh without LIFETIME was given %u s",
                  s);
}

static void only_refresh_prolongs(struct probe *p)
{
    struct allocation a = relay(p);
    struct line *peer = probe_udp(p, PEER1, IP_V4);
    struct endpoint at = line_local(peer);
    uint64_t begun = probe_now(p), until = begun + ALLOCATION_LIFE;
    for (uint64_t t = begun; t <= until - EARLY; t += 46 * NS_S) {
        probe_wait_until(p, t);
        permit(&a, &at);
        probe_require(p, send_passes(&a, peer) && comes_through(&a, peer),
                      "%u s after the Allocate, of 600, data was not relayed", (unsigned)((t - begun) / NS_S));
    }
    probe_wait_until(p, until + LATE);
    expect_gone(&a, "600 s after the Allocate, with data all the time but no Refresh");
}

static void families_end_apart(struct probe *p)
{
    struct login *l = login_new(p, USER1);
    struct line *control = reach(p, CLIENT1), *peer = probe_udp(p, PEER1, IP_V4), *peer6 = probe_udp(p, PEER1, IP_V6);
    struct endpoint at = line_local(peer), at6 = line_local(peer6);
    struct heard h = ask(l, control, TURN_ALLOCATE, ATTRS(ASK_UDP, ASK_IP6_TOO));
    expect_code(p, &h, 0, "an Allocate of two families");
    struct allocation a = {.p = p, .login = l, .control = control, .transport = PROTO_UDP}, a6 = a;
    if (!relayed_of(&h, IP_V4, &a.relayed) || !relayed_of(&h, IP_V6, &a6.relayed))
        probe_skip(p, "the server has no relays of both families");
    permit(&a, &at);
    permit(&a6, &at6);
    probe_require(p, comes_through(&a6, peer6), "the IPv6 relay does not relay");
    h = ask(l, control, TURN_REFRESH, ATTRS(HEX(ATTR_LIFETIME, "00000000"), ASK_IP6));
    expect_code(p, &h, 0, "a Refresh of the IPv6 relay with LIFETIME 0");
    probe_require(p, !comes_through(&a6, peer6), "the IPv6 relay was deleted, and still relays");
    probe_require(p, comes_through(&a, peer), "the IPv6 relay was deleted, and the IPv4 relay is gone too");
}

static void an_expired_relay_is_closed(struct probe *p)
{
    struct allocation a = relay(p);
    struct line *peer = probe_udp(p, PEER1, IP_V4);
    struct endpoint at = line_local(peer);
    uint64_t until = probe_now(p) + ALLOCATION_LIFE;
    probe_wait_until(p, until - 20 * NS_S);
    permit(&a, &at);
    probe_wait_until(p, until - EARLY);
    probe_require(p, comes_through(&a, peer), "two seconds before its end the allocation does not relay");
    probe_wait_until(p, until + LATE);
    probe_require(p, !comes_through(&a, peer), "three seconds after its end the allocation still relays");
}

static const struct requirement rows[] = {
    {"8656-6-1", "6", LEVEL_STATED, WHO_SERVER, "No two allocations have the same relayed address.",
     .probe = relayed_addresses_are_unique, .needs = NEED_ALONE},
    {"8656-6-2", "6", LEVEL_MUST_NOT, WHO_SERVER, "The plain password of a user is not stored.",
     .none = "not visible in bytes: how a server stores passwords"},
    {"8656-6-3", "6", LEVEL_MUST, WHO_SERVER,
     "The key of a user's name, realm and password is stored with the allocation.",
     .none = "not visible in bytes: it would take an operator who changes a password in the middle of a probe"},
    {"8656-6-4", "6", LEVEL_STATED, WHO_SERVER,
     "An Allocate or a Refresh that does not ask for a lifetime is given 600 s.", .probe = default_lifetime},
    {"8656-6-5", "6", LEVEL_STATED, WHO_SERVER,
     "Only Refresh prolongs an allocation: data does not, and after its lifetime requests draw 437.",
     .probe = only_refresh_prolongs, .seconds = 603},
    {"8656-6-6", "6", LEVEL_STATED, WHO_SERVER,
     "Of an allocation with an IPv4 and an IPv6 relay, either can end without the other.", .probe = families_end_apart,
     .needs = NEED_IP6},
    {"8656-6-7", "6", LEVEL_DERIVED, WHO_SERVER,
     "What is sent to the relayed address of an expired allocation goes nowhere.",
     .probe = an_expired_relay_is_closed, .seconds = 603},
};

const struct section rfc8656_allocations = SECTION(rows);
