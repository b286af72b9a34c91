/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 8656 4.1 and 5: what holds for all requests. */
#include <string.h>

#include "conformance/rfc8656/rfc8656.h"

enum { ATTEMPTS = 50, GARBAGE = 64 * 1024, COOKIE_AT = 4 };

/* ---- credentials ---- */

void probe_challenge(struct probe *p)
{
    challenge(p, login_new(p, USER1), reach(p, CLIENT1));
}

static void indications_need_no_credentials(struct probe *p)
{
    struct allocation a = relay(p);
    struct line *peer = probe_udp(p, PEER1, IP_V4);
    struct endpoint to = line_local(peer);
    permit(&a, &to);
    probe_require(p, send_passes(&a, peer), "a Send indication without credentials was not relayed");
    struct message *m = message_new(p, STUN_INDICATION, TURN_SEND);
    message_put_address(m, ATTR_XOR_PEER_ADDRESS, &to);
    message_put_text(m, ATTR_DATA, "signed");
    message_sign(m, a.login);
    line_send_message(a.control, m);
    probe_require(p, peer_gets(&a, peer, "signed", 6), "a Send indication with credentials was not relayed");
}

static void every_attempt_has_its_nonce(struct probe *p)
{
    struct login *seen[ATTEMPTS];
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        seen[i] = login_new(p, USER1);
        challenge(p, seen[i], reach(p, CLIENT1));
        for (unsigned j = 0; j < i; j++)
            probe_require(p, strcmp(seen[i]->nonce, seen[j]->nonce) != 0,
                          "attempts %u and %u, from different ports, were given the same nonce", j + 1, i + 1);
    }
}

static void nonce_expires_within_an_hour(struct probe *p)
{
    struct allocation a = relay(p);
    struct login old = *a.login;
    keep_until(&a, probe_now(p) + 3600 * NS_S + LATE);
    struct message *m = signed_request(p, &old, TURN_REFRESH, ATTRS(HEX(ATTR_LIFETIME, "00000258")));
    line_send_message(a.control, m);
    struct heard h = line_answer(a.control, m, probe_soon(p));
    expect_code(p, &h, 438, "a Refresh with a nonce that is older than an hour");
    struct login fresh = old;
    probe_require(p, login_learn(&fresh, &h), "the 438 has no REALM or no NONCE");
    probe_require(p, strcmp(old.nonce, fresh.nonce) != 0, "the 438 has the same nonce again");
    expect_alive(&a, "with the new nonce");
}

void probe_other_user(struct probe *p)
{
    struct allocation a = relay(p), other = a;
    struct endpoint peer = {probe_ip(p, PEER1, IP_V4), 9};
    other.login = login_new(p, USER2);
    struct heard h = create_permission(&other, ATTRS(PEER(&peer)));
    expect_code(p, &h, 441, "another user's CreatePermission");
    h = ask_channel(other.login, other.control, 0x4000, &peer);
    expect_code(p, &h, 441, "another user's ChannelBind");
    h = ask_refresh(other.login, other.control, 0);
    expect_code(p, &h, 441, "another user's Refresh");
    expect_alive(&a, "by its owner, after another user tried to delete the allocation");
}

/* ---- without an allocation ---- */

static void requests_need_an_allocation(struct probe *p)
{
    struct endpoint peer = {probe_ip(p, PEER1, IP_V4), 9};
    struct login *l = login_new(p, USER1);
    struct heard h = ask_refresh(l, reach(p, CLIENT1), -1);
    expect_code(p, &h, 437, "a Refresh without an allocation");
    h = ask_permission(login_new(p, USER1), reach(p, CLIENT1), &peer);
    expect_code(p, &h, 437, "a CreatePermission without an allocation");
    h = ask_channel(login_new(p, USER1), reach(p, CLIENT1), 0x4000, &peer);
    expect_code(p, &h, 437, "a ChannelBind without an allocation");
}

static void data_needs_an_allocation(struct probe *p)
{
    struct line *peer = probe_udp(p, PEER1, IP_V4);
    struct endpoint to = line_local(peer);
    struct allocation none = {.p = p, .login = login_new(p, USER1), .control = reach(p, CLIENT1)};
    uint8_t got[64];
    send_indication(&none, &to, "nobody's", 8);
    expect_silence(p, none.control, "a Send indication without an allocation");
    send_channel(&none, 0x4000, "nobody's", 8);
    expect_silence(p, none.control, "ChannelData without an allocation");
    probe_require(p, line_datagram(peer, got, sizeof got, NULL, 0) < 0,
                  "data of a client without an allocation came to the peer");
    probe_require(p, way(p) == PROTO_UDP || line_state_now(none.control) == LINE_OPEN,
                  "the connection was closed because of data without an allocation");
    challenge(p, none.login, none.control);
}

static void client_lets_a_lost_allocation_go(struct probe *p)
{
    struct line *control = client_has_relay(p, probe_serve(p), 120);
    struct heard refresh = server_hear(p, control, TURN_REFRESH, 120 * NS_S);
    answer_error(p, control, &refresh, 437);
    probe_require(p, subject_told(p, TOLD_GONE, probe_soon(p)),
                  "a Refresh was answered 437, and the client still holds its allocation for good");
    struct heard h = line_request(control, TURN_REFRESH, 300 * NS_S);
    probe_require(p, h.kind != HEARD_STUN, "the client sent a Refresh again after 437");
}

/* ---- SOFTWARE, FINGERPRINT ---- */

static void must_have_software(struct probe *p, const struct heard *h, const char *what)
{
    char text[HEARD_TEXT];
    probe_require(p, heard_has(h, ATTR_SOFTWARE), "%s was answered with %s, which has no SOFTWARE", what,
                  heard_text(h, text));
}

static void responses_have_software(struct probe *p)
{
    struct line *line = reach(p, CLIENT1);
    struct login *l = login_new(p, USER1);
    struct heard h = challenge(p, l, line);
    must_have_software(p, &h, "an Allocate without credentials");
    h = ask(l, line, TURN_ALLOCATE, ATTRS(ASK_UDP));
    must_have_software(p, &h, "an Allocate");
    h = ask(l, line, TURN_ALLOCATE, ATTRS(ASK_UDP));
    must_have_software(p, &h, "a second Allocate");
    h = ask_refresh(l, line, -1);
    must_have_software(p, &h, "a Refresh");
    h = ask_refresh(login_new(p, USER1), reach(p, CLIENT1), -1);
    must_have_software(p, &h, "a Refresh without an allocation");
}

static void client_says_its_software(struct probe *p)
{
    struct line *listener = probe_serve(p);
    client_wants(p, WISH_ALLOCATE_UDP, NULL);
    struct line *control = client_comes(p, listener);
    struct heard h = client_allocates(p, control);
    probe_require(p, heard_has(&h, ATTR_SOFTWARE), "the client's Allocate has no SOFTWARE");
    struct endpoint relayed = server_relayed(p);
    answer_allocate(p, control, &h, &relayed, 120);
    h = server_hear(p, control, TURN_REFRESH, 120 * NS_S);
    probe_require(p, heard_has(&h, ATTR_SOFTWARE), "the client's Refresh has no SOFTWARE");
}

static void fingerprint_is_welcome(struct probe *p)
{
    struct line *line = reach(p, CLIENT1);
    struct login *l = login_new(p, USER1);
    challenge(p, l, line);
    struct message *m = signed_request(p, l, TURN_ALLOCATE, ATTRS(ASK_UDP));
    message_fingerprint(m);
    line_send_message(line, m);
    struct heard h = line_answer(line, m, probe_soon(p));
    expect_code(p, &h, 0, "an Allocate with a FINGERPRINT");
    h = ask_refresh(l, line, -1);
    expect_code(p, &h, 0, "a Refresh without one");
}

/* ---- transports ---- */

static void old_stun_is_not_turn(struct probe *p)
{
    struct line *line = probe_udp(p, CLIENT1, IP_V4);
    struct message *m = message_request(p, TURN_ALLOCATE);
    size_t *len;
    put_attrs(m, ATTRS(ASK_UDP));
    memset(message_bytes(m, &len) + COOKIE_AT, 0x5a, 4);
    line_send_message(line, m);
    uint8_t got[2048];
    long n = line_datagram(line, got, sizeof got, NULL, probe_soon(p));
    probe_require(p, n < 0, "an Allocate without the magic cookie, as RFC 3489 had it, drew %ld bytes", n);
}

static void udp_is_served(struct probe *p)
{
    allocate(p, PROTO_UDP, PROTO_UDP);
}

static void tcp_is_served(struct probe *p)
{
    probe_require(p, probe_server(p, PROTO_TCP, IP_V4).port, "clients are not served over TCP");
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_UDP);
    expect_alive(a, "over TCP");
    probe_defined(p, "clients are served over TCP; TLS and DTLS were not tried");
}

static void a_repeated_allocate_has_the_same_answer(struct probe *p)
{
    static const unsigned at_s[] = {1, 10, 39};
    struct line *line = probe_udp(p, CLIENT1, IP_V4);
    struct login *l = login_new(p, USER1);
    struct endpoint first, again;
    challenge(p, l, line);
    struct message *m = signed_request(p, l, TURN_ALLOCATE, ATTRS(ASK_UDP));
    uint64_t begun = probe_now(p);
    line_send_message(line, m);
    struct heard h = line_answer(line, m, probe_soon(p));
    expect_code(p, &h, 0, "an Allocate");
    probe_require(p, heard_address(&h, ATTR_XOR_RELAYED_ADDRESS, &first), "the success has no XOR-RELAYED-ADDRESS");
    for (size_t i = 0; i < sizeof at_s / sizeof *at_s; i++) {
        probe_wait_until(p, begun + at_s[i] * NS_S);
        line_send_message(line, m);
        h = line_answer(line, m, probe_soon(p));
        expect_code(p, &h, 0, "the same Allocate, byte for byte, once more");
        probe_require(p, heard_address(&h, ATTR_XOR_RELAYED_ADDRESS, &again) && endpoint_equal(&first, &again),
                      "the same Allocate after %u s had another relayed address", at_s[i]);
    }
}

/* ---- limits ---- */

void probe_quota(struct probe *p)
{
    struct heard h = ask_allocate(p, ATTRS(ASK_UDP));
    if (h.code == 486)
        probe_skip(p, "the user's quota is used up already, by others or by allocations that were deleted just now");
    for (unsigned i = 0; h.code == 0 && i < SETUP_QUOTA_ALLOCATIONS; i++)
        h = ask_allocate(p, ATTRS(ASK_UDP));
    expect_code(p, &h, 486, "an Allocate beyond the user's quota");
}

static void garbage_ends_a_connection(struct probe *p)
{
    uint8_t garbage[GARBAGE];
    struct line *line = probe_dial(p, CLIENT1);
    memset(garbage, 0xd3, sizeof garbage); /* no channel, no STUN */
    line_send(line, garbage, sizeof garbage);
    probe_require(p, line_ended(line, probe_soon(p)) != LINE_OPEN,
                  "64 KiB of garbage, and the connection is still there");
}

static const struct requirement rows[] = {
    {"8656-5-1", "5", LEVEL_MUST, WHO_SERVER | WHO_CLIENT,
     "The long-term credential mechanism is implemented: an Allocate without credentials draws 401 with REALM and "
     "NONCE.",
     .probe = probe_challenge},
    {"8656-5-2", "5", LEVEL_STATED, WHO_SERVER,
     "Indications are never authenticated: a Send is relayed whether or not it carries credentials.",
     .probe = indications_need_no_credentials},
    {"8656-5-3", "5", LEVEL_SHOULD, WHO_SERVER, "Each first attempt to allocate is given a new random nonce.",
     .probe = every_attempt_has_its_nonce},
    {"8656-5-4", "5", LEVEL_SHOULD, WHO_SERVER,
     "A nonce expires at least once an hour: a request with one that old draws 438 with a new one, and the allocation "
     "lives on.",
     .probe = nonce_expires_within_an_hour, .seconds = 3603},
    {"8656-5-5", "5", LEVEL_MUST, WHO_SERVER,
     "A request other than Allocate from a user who does not own the allocation draws 441 and changes nothing.",
     .probe = probe_other_user, .needs = NEED_USER2},
    {"8656-5-6", "5", LEVEL_MUST, WHO_SERVER,
     "A request other than Allocate on a 5-tuple without an allocation draws 437.",
     .probe = requests_need_an_allocation},
    {"8656-5-7", "5", LEVEL_MUST, WHO_SERVER,
     "An indication or ChannelData on a 5-tuple without an allocation is dropped without a word.",
     .probe = data_needs_an_allocation},
    {"8656-5-8", "5", LEVEL_MUST, WHO_CLIENT,
     "A client that is answered 437 to anything but Allocate takes its allocation for gone.",
     .probe = client_lets_a_lost_allocation_go, .needs = NEED_CLIENT, .seconds = 420},
    {"8656-5-9", "5", LEVEL_SHOULD, WHO_SERVER,
     "Every response to Allocate and Refresh, success or error, carries SOFTWARE.", .probe = responses_have_software},
    {"8656-5-10", "5", LEVEL_SHOULD, WHO_CLIENT, "Allocate and Refresh requests carry SOFTWARE.",
     .probe = client_says_its_software, .needs = NEED_CLIENT, .seconds = 120},
    {"8656-5-11", "5", LEVEL_MAY, WHO_SERVER | WHO_CLIENT,
     "A message may carry FINGERPRINT or not, and is taken either way.", .probe = fingerprint_is_welcome},
    {"8656-5-12", "5", LEVEL_STATED, WHO_SERVER,
     "There is no compatibility with RFC 3489: an Allocate without the magic cookie is not taken for TURN.",
     .probe = old_stun_is_not_turn, .needs = NEED_UDP_CLIENT},
    {"8656-5-13", "5", LEVEL_MUST, WHO_SERVER, "Clients are served over UDP.", .probe = udp_is_served,
     .needs = NEED_UDP_CLIENT},
    {"8656-5-14", "5", LEVEL_SHOULD, WHO_SERVER, "Clients are served over TCP, TLS and DTLS too.",
     .probe = tcp_is_served},
    {"8656-5-15", "5", LEVEL_STATED, WHO_SERVER,
     "The same Allocate, sent again over UDP within 40 s, has the same answer: success with the same relayed address.",
     .probe = a_repeated_allocate_has_the_same_answer, .needs = NEED_UDP_CLIENT, .seconds = 39},
    {"8656-5-16", "5", LEVEL_SHOULD, WHO_SERVER,
     "The number of allocations of one user is limited: what is beyond draws 486.", .probe = probe_quota,
     .needs = NEED_ALONE, .setup = SETUP_QUOTA},
    {"8656-5-17", "5766 4", LEVEL_SHOULD, WHO_SERVER,
     "A TCP connection that brings a long run of garbage is closed (RFC 5766 only).",
     .probe = garbage_ends_a_connection},
    {"8656-5-18", "5", LEVEL_MUST, WHO_SERVER, "A realm names one set of users and no other.",
     .none = "how operators name their realms is not to be seen from one server"},
    {"8656-5-19", "4.1", LEVEL_MUST, WHO_CLIENT,
     "A client given a turn URI uses port 3478 and no TLS, one given a turns URI uses TLS and port 5349.",
     .none = "the client that is judged is given an address and a port, never a URI"},
};

const struct section rfc8656_general = SECTION(rows);
