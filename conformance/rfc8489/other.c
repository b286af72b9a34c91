/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 8489 8 and 10 to 15: finding a server, redirection, RFC 3489, basic servers; and 300 of section 14.8. */
#include <string.h>

#include "conformance/rfc8489/script.h"
#include "conformance/rfc8489/sections.h"
#include "models/base/bytes.h"

static struct message *binding(struct probe *p)
{
    return message_request(p, STUN_BINDING);
}

/* ---- 300, of a server that is full and knows another ---- */

/* The answer to an Allocate with credentials; or the 300 that came without asking for them. */
static struct heard redirected(struct probe *p, struct challenge *c, struct line *l)
{
    *c = (struct challenge){.p = p, .login = login_new(p, USER1)};
    struct heard h = ask_message(p, l, allocate_message(p));
    if (h.code == 300)
        return h;
    expect_code(p, &h, 401, "Allocate without credentials");
    challenge_read(c, &h);
    h = ask_with(c, l, AS_5389);
    expect_code(p, &h, 300, "Allocate at a server that is full and knows another");
    return h;
}

static void redirect_protected(struct probe *p)
{
    struct challenge c;
    struct heard h = redirected(p, &c, probe_dial(p, CLIENT1));
    if (!c.login->known) {
        struct line *l = probe_dial(p, CLIENT1);
        struct heard other = ask_message(p, l, message_request(p, TURN_REFRESH));
        challenge_read(&c, &other);
        probe_require(p, !c.cookie, "a 300 came to an Allocate without credentials");
        probe_defined(p, "a 300 came to an Allocate without credentials, which RFC 5389 allows");
    }
    probe_require(p, mac_right(&c, &h, WITH_SHA1), "the 300 has no right MESSAGE-INTEGRITY");
}

static void redirect_names_server(struct probe *p)
{
    struct challenge c;
    struct endpoint alternate;
    struct heard h = redirected(p, &c, probe_dial(p, CLIENT1));
    probe_require(p, heard_address(&h, ATTR_ALTERNATE_SERVER, &alternate) && alternate.port,
                  "the 300 has no ALTERNATE-SERVER");
}

static void redirect_family(struct probe *p)
{
    struct challenge c;
    struct endpoint alternate;
    struct heard h = redirected(p, &c, probe_dial(p, CLIENT1));
    probe_require(p, heard_address(&h, ATTR_ALTERNATE_SERVER, &alternate), "the 300 has no ALTERNATE-SERVER");
    probe_require(p, alternate.ip.family == IP_V4, "ALTERNATE-SERVER for a client over IPv4 is an IPv6 address");
}

/* The client's Allocate with credentials; and an address where another server might be, the first peer's. */
static struct heard asked(struct script *s, struct probe *p, struct line **other, struct endpoint *at)
{
    *other = probe_listen(p, PEER1, IP_V4);
    *at = line_local(*other);
    script_begin(s, p, false);
    struct heard h = script_request(s, TURN_ALLOCATE);
    script_challenge(s, &h, 401, "nonce-1", NULL);
    return script_request(s, TURN_ALLOCATE);
}

static struct message *redirection(struct script *s, const struct heard *request, const struct endpoint *to)
{
    struct message *m = script_answer(s, request, 300);
    message_put_address(m, ATTR_ALTERNATE_SERVER, to);
    return m;
}

static void unprotected_redirect(struct probe *p)
{
    struct script s = {0};
    struct line *other;
    struct endpoint at;
    struct heard h = asked(&s, p, &other, &at);
    script_send(&s, redirection(&s, &h, &at));
    probe_require(p, !probe_accept(p, other, 5 * NS_S), "the client followed a 300 without MESSAGE-INTEGRITY");
    struct message *m = script_allocated(&s, &h);
    script_sign(&s, m);
    script_send(&s, m);
    probe_require(p, subject_told(p, TOLD_ALLOCATED, 5 * NS_S),
                  "after a 300 without MESSAGE-INTEGRITY the right answer was not taken");
}

/* To the other server by the same transport with the same user; and from there not back again. */
static void redirect_loop(struct probe *p)
{
    struct script s = {0};
    struct endpoint at, here = probe_server(p, PROTO_TCP, IP_V4);
    struct line *other, *first;
    struct heard h = asked(&s, p, &other, &at);
    struct message *m = redirection(&s, &h, &at);
    script_sign(&s, m);
    script_send(&s, m);
    first = s.listener;
    s.listener = other;
    probe_require(p, script_next_line(&s, 5 * NS_S), "the client did not go to the alternate server");
    h = script_request(&s, TURN_ALLOCATE);
    if (!heard_has(&h, ATTR_USERNAME)) {
        script_challenge(&s, &h, 401, "nonce-2", NULL);
        h = script_request(&s, TURN_ALLOCATE);
    }
    probe_require(p, mac_right(&s.c, &h, WITH_SHA1), "the Allocate at the alternate server has other credentials");
    m = redirection(&s, &h, &here);
    script_sign(&s, m);
    script_send(&s, m);
    probe_require(p, !probe_accept(p, first, 5 * NS_S), "the client went back to the server that sent it away");
    probe_require(p, subject_told(p, TOLD_REFUSED, 41 * NS_S), "the client does not say that it has no allocation");
}

/* ---- 11, 12 ---- */

static void rfc3489_client(struct probe *p)
{
    struct line *l = probe_udp(p, CLIENT1, IP_V4);
    struct message *m = binding(p);
    size_t *len;
    uint8_t buf[2048], *b = message_bytes(m, &len);
    b[4] ^= 0xff; /* no cookie: a transaction id of 16 bytes */
    line_send_message(l, m);
    long n = line_datagram(l, buf, sizeof buf, NULL, probe_soon(p));
    if (n < 0)
        probe_defined(p, "a Binding request of RFC 3489 is not answered");
    probe_require(p, n >= STUN_HEADER + 12 && load16(buf) == 0x0101 && memcmp(buf + 4, b + 4, 16) == 0,
                  "a Binding request of RFC 3489 is answered with type %04x", n >= 2 ? load16(buf) : 0u);
    probe_require(p, load16(buf + STUN_HEADER) == ATTR_MAPPED_ADDRESS, "the answer begins with attribute %04x, not "
                  "MAPPED-ADDRESS", load16(buf + STUN_HEADER));
}

static void basic_server(struct probe *p)
{
    struct line *l[] = {probe_dial(p, CLIENT1), probe_udp(p, CLIENT1, IP_V4)};
    for (size_t i = 0; i < 2; i++) {
        struct heard h = ask_message(p, l[i], binding(p));
        expect_code(p, &h, 0, i ? "Binding over UDP without credentials and FINGERPRINT"
                                : "Binding over TCP without credentials and FINGERPRINT");
    }
}

/* ---- rows ---- */

static const struct requirement rows[] = {
    {"8489-8-1", "8", LEVEL_STATED, WHO_CLIENT,
     "A server is found by DNS SRV records, with 3478 and 5349 as the ports where there are none.",
     .none = "our client is given an address: it asks no DNS"},
    {"8489-10-1", "10", LEVEL_MUST, WHO_SERVER, "A 300 has ALTERNATE-SERVER.", .probe = redirect_names_server,
     .setup = SETUP_REDIRECT},
    {"8489-10-2", "10", LEVEL_MUST, WHO_CLIENT,
     "A client asks the alternate server by the same transport with the same credentials, and does not follow a "
     "redirect to a server that it was at.",
     .probe = redirect_loop, .needs = NEED_CLIENT},
    {"8489-10-3", "10", LEVEL_MUST, WHO_SERVER,
     "ALTERNATE-SERVER has an address of the family that the request came by.", .probe = redirect_family,
     .setup = SETUP_REDIRECT},
    {"8489-11-1", "11", LEVEL_SHOULD, WHO_SERVER,
     "A Binding request of RFC 3489, without the cookie, is answered with MAPPED-ADDRESS; TURN does not use it.",
     .probe = rfc3489_client, .needs = NEED_UDP_CLIENT},
    {"8489-12-1", "12", LEVEL_MUST, WHO_SERVER,
     "Binding is answered over UDP and TCP, and needs neither credentials nor FINGERPRINT.", .probe = basic_server,
     .needs = NEED_UDP_CLIENT},
    {"8489-14.8-3", "14.8", LEVEL_MUST, WHO_SERVER,
     "A 300 comes only to a request with right credentials, and has a MESSAGE-INTEGRITY; RFC 5389 lets it come "
     "without.",
     .probe = redirect_protected, .setup = SETUP_REDIRECT},
    {"8489-14.8-4", "14.8", LEVEL_MUST, WHO_CLIENT, "A 300 without a right MESSAGE-INTEGRITY is not followed.",
     .probe = unprotected_redirect, .needs = NEED_CLIENT},
    {"8489-15-1", "15", LEVEL_MAY, WHO_SERVER, "Anycast is used only over UDP and without authentication.",
     .none = "how packets are routed to servers of one address is not seen from any of them"},
};

const struct section rfc8489_other = SECTION(rows);
