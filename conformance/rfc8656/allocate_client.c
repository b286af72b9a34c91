/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 8656 7.1, 7.3, 7.4: what a client sends in an Allocate, and what it makes of the answer. */
#include "conformance/rfc8656/rfc8656.h"

/* ---- 7.1: the request ---- */

static void client_names_the_transport(struct probe *p)
{
    struct line *listener = probe_serve(p);
    client_wants(p, WISH_ALLOCATE_UDP, NULL);
    struct line *control = client_comes(p, listener);
    struct heard h = server_hear(p, control, TURN_ALLOCATE, probe_soon(p));
    uint32_t transport = 0;
    probe_require(p, heard_u32(&h, ATTR_REQUESTED_TRANSPORT, &transport) && transport >> 24 == PROTO_UDP,
                  "the first Allocate has REQUESTED-TRANSPORT %u (0: none)", transport >> 24);
    line_send_message(control, server_challenge(p, &h, 401));
    h = server_hear(p, control, TURN_ALLOCATE, probe_soon(p));
    transport = 0;
    probe_require(p, heard_u32(&h, ATTR_REQUESTED_TRANSPORT, &transport) && transport >> 24 == PROTO_UDP,
                  "the Allocate with credentials has REQUESTED-TRANSPORT %u (0: none)", transport >> 24);
}

static void families_are_asked_for_once(struct probe *p)
{
    struct line *listener = probe_serve(p);
    static const int wanted[] = {0, IP_V4, IP_V6};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        subject_wish(p, &(struct wish){.kind = WISH_ALLOCATE_UDP, .family = wanted[i]});
        struct heard h = client_allocates(p, client_comes(p, listener));
        bool family = heard_has(&h, ATTR_REQUESTED_ADDRESS_FAMILY), too = heard_has(&h, ATTR_ADDITIONAL_ADDRESS_FAMILY);
        probe_require(p, !family || !too, "the Allocate has REQUESTED-ADDRESS-FAMILY and ADDITIONAL-ADDRESS-FAMILY");
        probe_require(p, !heard_has(&h, ATTR_RESERVATION_TOKEN) || (!family && !too && !heard_has(&h, ATTR_EVEN_PORT)),
                      "the Allocate has RESERVATION-TOKEN with EVEN-PORT or an address family");
        probe_require(p, family || too || wanted[i] != IP_V6, "IPv6 was wished for, and the Allocate does not say so");
    }
}

/* ---- 7.3: success ---- */

/* Neither on that connection nor on a new one, for so long. */
static void expect_no_allocate(struct probe *p, struct line *listener, struct line *control, uint64_t ns,
                               const char *after)
{
    uint64_t end = probe_now(p) + ns;
    struct heard h = line_request(control, TURN_ALLOCATE, ns);
    probe_require(p, h.kind != HEARD_STUN, "after %s the client sent an Allocate again", after);
    struct line *again = probe_accept(p, listener, end - probe_now(p));
    probe_require(p, !again, "after %s the client came to the same server again before %u s were over", after,
                  (unsigned)(ns / NS_S));
}

static void a_strange_family_is_deleted(struct probe *p)
{
    struct line *listener = probe_serve(p);
    client_wants(p, WISH_ALLOCATE_UDP, NULL);
    struct line *control = client_comes(p, listener);
    struct heard h = client_allocates(p, control);
    struct endpoint relayed = somebody6();
    uint32_t lifetime = 1;
    answer_allocate(p, control, &h, &relayed, 600);
    h = line_request(control, TURN_REFRESH, 60 * NS_S);
    probe_require(p, h.kind == HEARD_STUN && heard_u32(&h, ATTR_LIFETIME, &lifetime) && lifetime == 0,
                  "the client asked for no family, was given an IPv6 relay, and did not delete it");
    answer_refresh(p, control, &h, 0);
    expect_no_allocate(p, listener, control, 300 * NS_S, "a relay of a family that it did not ask for");
}

static void the_answered_lifetime_counts(struct probe *p)
{
    struct line *control = client_has_relay(p, probe_serve(p), 120);
    uint64_t until = probe_now(p) + 120 * NS_S;
    struct heard h = server_hear(p, control, TURN_REFRESH, 600 * NS_S);
    probe_require(p, h.t_ns < until, "the Allocate was granted 120 s, and the Refresh came after %u s",
                  (unsigned)(120 + (h.t_ns - until) / NS_S));
}

/* ---- 7.4: errors ---- */

static void another_transport_is_tried(struct probe *p)
{
    struct line *listener = probe_serve(p), *udp = probe_udp_server(p);
    client_wants(p, WISH_ALLOCATE_UDP_OVER_UDP, NULL);
    server_hear(p, udp, TURN_ALLOCATE, probe_soon(p));
    struct line *tcp = probe_accept(p, listener, 60 * NS_S);
    probe_defined(p, "without an answer over UDP the client %s", tcp ? "tries TCP" : "gives up");
}

static void the_alternate_is_tried(struct probe *p)
{
    struct line *listener = probe_serve(p);
    struct endpoint alternate = line_local(listener);
    alternate.port++;
    struct line *other = probe_listen_at(p, SERVER, &alternate);
    client_wants(p, WISH_ALLOCATE_UDP, NULL);
    struct line *control = client_comes(p, listener);
    struct heard h = client_allocates(p, control);
    struct message *m = server_error(p, &h, 300);
    message_put_address(m, ATTR_ALTERNATE_SERVER, &alternate);
    answer(control, m);
    struct line *there = probe_accept(p, other, probe_soon(p));
    probe_require(p, there, "300 named an alternate server, and the client did not go there");
    server_hear(p, there, TURN_ALLOCATE, probe_soon(p));
}

/* An Allocate is answered so; nothing more may come within that time. */
static void refused_for_good(struct probe *p, struct line *listener, int code, uint64_t ns)
{
    client_wants(p, WISH_ALLOCATE_UDP, NULL);
    struct line *control = client_comes(p, listener);
    struct heard h = client_allocates(p, control);
    char after[32];
    struct text t = text_of(after, sizeof after);
    text_add(&t, "a %d", code);
    answer_error(p, control, &h, code);
    expect_no_allocate(p, listener, control, ns, after);
    probe_require(p, subject_told(p, TOLD_REFUSED, 0), "the client was answered %d, and told nobody", code);
}

static void the_request_is_not_repeated(struct probe *p)
{
    static const int codes[] = {400, 403, 441, 442};
    struct line *listener = probe_serve(p);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        refused_for_good(p, listener, codes[i], 60 * NS_S);
}

static void credentials_are_refused(struct probe *p)
{
    struct line *listener = probe_serve(p);
    client_wants(p, WISH_ALLOCATE_UDP, NULL);
    struct line *control = client_comes(p, listener);
    struct heard h = client_allocates(p, control);
    line_send_message(control, server_challenge(p, &h, 401));
    expect_no_allocate(p, listener, control, 300 * NS_S, "a 401 to its credentials");
}

/* Answers 437 to each Allocate, with three different ports at most; the connection of the last. */
static struct line *mismatch_thrice(struct probe *p, struct line *listener)
{
    enum { TRIES = 3 };
    uint16_t ports[TRIES];
    struct line *control = NULL;
    client_wants(p, WISH_ALLOCATE_UDP, NULL);
    for (unsigned i = 0; i < TRIES; i++) {
        control = probe_accept(p, listener, probe_soon(p));
        probe_require(p, control, "after %u answers of 437 the client did not try another address (three are right)",
                      i);
        ports[i] = line_remote(control).port;
        for (unsigned j = 0; j < i; j++)
            probe_require(p, ports[i] != ports[j], "the client tried the same address, port %u, after 437 again",
                          ports[i]);
        struct heard h = client_allocates(p, control);
        answer_error(p, control, &h, 437);
    }
    return control;
}

static void three_addresses_are_tried(struct probe *p)
{
    mismatch_thrice(p, probe_serve(p));
}

static void then_there_is_a_pause(struct probe *p)
{
    struct line *listener = probe_serve(p), *control = mismatch_thrice(p, listener);
    expect_no_allocate(p, listener, control, 120 * NS_S, "437 from three addresses");
}

static void no_family_no_repeat(struct probe *p)
{
    refused_for_good(p, probe_serve(p), 440, 300 * NS_S);
}

static void quota_pause(struct probe *p)
{
    refused_for_good(p, probe_serve(p), 486, 60 * NS_S);
}

static void capacity_pause(struct probe *p)
{
    refused_for_good(p, probe_serve(p), 508, 60 * NS_S);
}

static const struct requirement rows[] = {
    {"8656-7.1-1", "7.1", LEVEL_MUST, WHO_CLIENT, "Every Allocate has REQUESTED-TRANSPORT.",
     .probe = client_names_the_transport, .needs = NEED_CLIENT},
    {"8656-7.1-2", "7.1", LEVEL_STATED, WHO_CLIENT,
     "An Allocate has one address family attribute at most, and with RESERVATION-TOKEN neither these nor EVEN-PORT.",
     .probe = families_are_asked_for_once, .needs = NEED_CLIENT},
    {"8656-7.3-1", "7.3", LEVEL_MUST, WHO_CLIENT,
     "A client that is given an address of a family that it cannot use deletes the allocation and makes no other "
     "there.",
     .probe = a_strange_family_is_deleted, .needs = NEED_CLIENT, .seconds = 360},
    {"8656-7.3-2", "7.3", LEVEL_STATED, WHO_CLIENT, "A client goes by the lifetime that it is answered.",
     .probe = the_answered_lifetime_counts, .needs = NEED_CLIENT, .seconds = 120},
    {"8656-7.4-1", "7.4", LEVEL_MAY, WHO_CLIENT, "A client whose Allocate is not answered may try another transport.",
     .probe = another_transport_is_tried, .needs = NEED_CLIENT, .seconds = 60},
    {"8656-7.4-2", "7.4", LEVEL_SHOULD, WHO_CLIENT, "A client that is answered 300 tries the alternate server first.",
     .probe = the_alternate_is_tried, .needs = NEED_CLIENT},
    {"8656-7.4-3", "7.4", LEVEL_SHOULD_NOT, WHO_CLIENT,
     "A client does not repeat an Allocate that was answered 400, 403, 441 or 442.",
     .probe = the_request_is_not_repeated, .needs = NEED_CLIENT, .seconds = 240},
    {"8656-7.4-4", "7.4", LEVEL_SHOULD_NOT, WHO_CLIENT,
     "A client whose credentials were answered 401 does not try them again.", .probe = credentials_are_refused,
     .needs = NEED_CLIENT, .seconds = 300},
    {"8656-7.4-5", "7.4", LEVEL_MAY, WHO_CLIENT,
     "A client whose DONT-FRAGMENT was answered 420 may ask again without it.",
     .none = "the client that is judged never asks for DONT-FRAGMENT"},
    {"8656-7.4-6", "7.4", LEVEL_SHOULD, WHO_CLIENT,
     "A client whose Allocate is answered 437 tries another local address, three at most.",
     .probe = three_addresses_are_tried, .needs = NEED_CLIENT},
    {"8656-7.4-7", "7.4", LEVEL_SHOULD_NOT, WHO_CLIENT,
     "A client that was answered 437 at three addresses leaves the server alone for two minutes.",
     .probe = then_there_is_a_pause, .needs = NEED_CLIENT, .seconds = 120},
    {"8656-7.4-8", "7.4", LEVEL_MUST_NOT, WHO_CLIENT, "A client does not repeat an Allocate that was answered 440.",
     .probe = no_family_no_repeat, .needs = NEED_CLIENT, .seconds = 300},
    {"8656-7.4-9", "7.4", LEVEL_SHOULD, WHO_CLIENT, "A client that was answered 486 waits a minute and more.",
     .probe = quota_pause, .needs = NEED_CLIENT, .seconds = 60},
    {"8656-7.4-10", "7.4", LEVEL_SHOULD, WHO_CLIENT,
     "A client that was answered 508 waits a minute and more, unless it asks for other ports.", .probe = capacity_pause,
     .needs = NEED_CLIENT, .seconds = 60},
};

const struct section rfc8656_allocate_client = SECTION(rows);
