/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 8656 21: its security considerations, as far as they can be tried. */
#include "conformance/rfc8656/rfc8656.h"
#include "models/base/bytes.h"

enum { SCAN = 16 };

/* ---- 21.1: attacks from outside ---- */

static void wrong_credentials_get_nothing(struct probe *p)
{
    struct heard h = ask(login_new(p, USER_WRONG_PASSWORD), reach(p, CLIENT1), TURN_ALLOCATE, ATTRS(ASK_UDP));
    expect_code(p, &h, 401, "an Allocate with a wrong password");
    h = ask(login_new(p, USER_UNKNOWN), reach(p, CLIENT1), TURN_ALLOCATE, ATTRS(ASK_UDP));
    expect_code(p, &h, 401, "an Allocate of an unknown user");
}

/* On the allocation's own 5-tuple, as one would who can send from the client's address. */
static void spoof(struct allocation *a, struct message *m, const char *what)
{
    line_send_message(a->control, m);
    struct heard h = line_answer(a->control, m, probe_soon(a->p));
    if (h.kind != HEARD_NOTHING)
        expect_code(a->p, &h, 401, what);
}

static void spoofed_requests_change_nothing(struct probe *p)
{
    struct allocation a = relay(p);
    struct line *peer = probe_udp(p, PEER1, IP_V4);
    struct endpoint at = line_local(peer);
    struct login other = *login_new(p, USER_WRONG_PASSWORD);
    struct message *m = message_request(p, TURN_REFRESH);
    message_put_u32(m, ATTR_LIFETIME, 0);
    spoof(&a, m, "a Refresh with LIFETIME 0 and without credentials");
    m = message_request(p, TURN_CREATE_PERMISSION);
    message_put_address(m, ATTR_XOR_PEER_ADDRESS, &at);
    spoof(&a, m, "a CreatePermission without credentials");
    probe_require(p, !comes_through(&a, peer), "a CreatePermission without credentials has made a permission");
    struct heard h = ask(&other, a.control, TURN_REFRESH, ATTRS(HEX(ATTR_LIFETIME, "00000000")));
    expect_code(p, &h, 401, "a Refresh with LIFETIME 0 and a wrong password");
    expect_alive(&a, "by its owner, after somebody else tried to delete the allocation");
}

/* Over UDP, where another answer may still come. */
static void client_drops_forged_answers(struct probe *p)
{
    struct line *udp = probe_udp_server(p);
    client_wants(p, WISH_ALLOCATE_UDP_OVER_UDP, NULL);
    server_grants(p, udp, 120);
    probe_require(p, subject_told(p, TOLD_ALLOCATED, probe_soon(p)),
                  "the client did not take an Allocate success for one");
    struct heard h = server_hear(p, udp, TURN_REFRESH, 120 * NS_S);
    line_send_message(udp, server_error(p, &h, 437)); /* not signed */
    probe_require(p, !subject_told(p, TOLD_GONE, 10 * NS_S),
                  "a forged 437, without MESSAGE-INTEGRITY, made the client give its allocation up");
    answer_refresh(p, udp, &h, 120);
    server_hear(p, udp, TURN_REFRESH, 120 * NS_S);
}

/* ---- 21.2: what a firewall's owner fears ---- */

static void a_scan_finds_nothing(struct probe *p)
{
    struct allocation a = relay(p);
    for (unsigned i = 0; i < SCAN; i++) {
        struct line *peer = probe_udp(p, i % 2 ? PEER1 : PEER2, IP_V4);
        line_send_to(peer, &a.relayed, "is anybody there?", 17);
    }
    expect_silence(p, a.control, "a scan of the relayed address, which has no permission,");
}

static void tunnels_are_refused(struct probe *p)
{
    struct line *line = reach(p, CLIENT1);
    struct login *l = login_new(p, USER1);
    struct heard h = ask(l, line, TURN_ALLOCATE, ATTRS(ASK_UDP, ASK_IP6));
    static const struct endpoint teredo = {{IP_V6, {0x20, 0x01, 0, 0, [15] = 1}}, 9},
                                 six_to_four = {{IP_V6, {0x20, 0x02, 198, 51, 100, 1, [15] = 1}}, 9};
    if (h.code == 440)
        probe_skip(p, "the server has no IPv6 relays");
    expect_code(p, &h, 0, "an Allocate of an IPv6 relay");
    h = ask_permission(l, line, &six_to_four);
    expect_code(p, &h, 403, "a CreatePermission for a 6to4 address");
    h = ask_permission(l, line, &teredo);
    expect_code(p, &h, 403, "a CreatePermission for a Teredo address");
}

/* Whether each is taken as a peer, by CreatePermission: said, not judged. */
static void special_addresses(struct probe *p)
{
    static const char *const special[] = {"127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "169.254.169.254"};
    struct allocation a = relay(p);
    char taken[256], at[ADDR_TEXT];
    struct text t = text_of(taken, sizeof taken);
    struct endpoint peer = {.port = 9};
    for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
        ip_parse(special[i], &peer.ip);
        if (ask_permission(a.login, a.control, &peer).code == 0)
            text_add(&t, " %s", special[i]);
    }
    const struct ip_addr own[] = {probe_server(p, way(p), IP_V4).ip, a.relayed.ip};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        peer.ip = own[i];
        if (ask_permission(a.login, a.control, &peer).code == 0)
            text_add(&t, " %s (the server's own)", ip_text(&own[i], at));
    }
    probe_defined(p, "of loopback, unspecified, multicast, broadcast, link-local and the server's own addresses these "
                     "are taken as peers:%s", t.len ? taken : " none");
}

static const struct requirement rows[] = {
    {"8656-21-1", "21.1.1", LEVEL_STATED, WHO_SERVER, "Who has no good credentials has no allocation.",
     .probe = wrong_credentials_get_nothing},
    {"8656-21-2", "21.1.3", LEVEL_STATED, WHO_SERVER,
     "A faked Refresh or CreatePermission, without the owner's key, changes nothing.",
     .probe = spoofed_requests_change_nothing},
    {"8656-21-3", "21.1.5", LEVEL_STATED, WHO_CLIENT, "A client drops a response whose MESSAGE-INTEGRITY is not right.",
     .probe = client_drops_forged_answers, .needs = NEED_CLIENT, .seconds = 130},
    {"8656-21-4", "21.1.7", LEVEL_STATED, WHO_SERVER,
     "A datagram that goes in a circle between two servers is bounded by authentication, ports and bandwidth.",
     .none = "it takes a second server with an allocation that points to the first"},
    {"8656-21-5", "21.2", LEVEL_STATED, WHO_SERVER, "A server lets nothing in from an address that has no permission.",
     .probe = probe_unsolicited},
    {"8656-21-6", "21.2.2", LEVEL_MAY, WHO_SERVER, "An operator may deny peers: 403 to requests, silence to a Send.",
     .probe = probe_denied_peer, .needs = NEED_PEER2, .setup = SETUP_DENY},
    {"8656-21-7", "21.2.3", LEVEL_STATED, WHO_SERVER, "A scan of a relayed address reaches no client.",
     .probe = a_scan_finds_nothing, .needs = NEED_PEER2},
    {"8656-21-8", "21.3.1", LEVEL_SHOULD, WHO_SERVER, "What one user can take of a server is limited.",
     .probe = probe_quota, .needs = NEED_ALONE, .setup = SETUP_QUOTA},
    {"8656-21-9", "21.3.3", LEVEL_STATED, WHO_SERVER, "A user cannot touch another's allocation.",
     .probe = probe_other_user, .needs = NEED_USER2},
    {"8656-21-10", "21.4", LEVEL_SHOULD, WHO_SERVER, "Teredo and 6to4 addresses are refused as peers.",
     .probe = tunnels_are_refused, .needs = NEED_IP6},
    {"8656-21-11", "21.2.2", LEVEL_OPEN, WHO_SERVER,
     "Whether loopback, multicast, link-local and the server's own addresses may be peers is left to the server; a "
     "safe one refuses them.",
     .probe = special_addresses},
    {"8656-21-12", "21.1.6", LEVEL_SHOULD, WHO_SERVER,
     "Where SOFTWARE would tell attackers too much, clients are served over TLS or DTLS.",
     .none = "what a version tells an attacker is not visible in bytes"},
};

const struct section rfc8656_security = SECTION(rows);
