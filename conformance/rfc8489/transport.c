/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 8489 6.2: retransmission over UDP, and what TCP is used for. */
#include <string.h>

#include "conformance/rfc8489/script.h"
#include "conformance/rfc8489/sections.h"

enum { SENDS = 7 }; /* 6.2.1: Rc */
#define RTO_NS (500 * NS_MS)
#define TI_NS (39500 * NS_MS)
#define SLACK_NS (50 * NS_MS) /* what the way there may add */

static struct message *binding(struct probe *p)
{
    return message_request(p, STUN_BINDING);
}

static bool about(uint64_t t_ns, uint64_t want_ns)
{
    return t_ns + SLACK_NS >= want_ns && t_ns <= want_ns + SLACK_NS;
}

static void ten_outstanding(struct probe *p)
{
    struct script s = {0};
    unsigned count = 0;
    script_begin(&s, p, false);
    script_grant(&s);
    for (unsigned i = 0; i < 15; i++) {
        struct endpoint peer = {probe_ip(p, PEER1, IP_V4), (uint16_t)(5000 + i)};
        subject_wish(p, &(struct wish){.kind = WISH_CONNECT, .peer = peer});
    }
    while (line_hear(s.line, 5 * NS_S).kind == HEARD_STUN)
        count++;
    probe_require(p, count > 0, "the client sent no request");
    probe_require(p, count <= 10, "%u requests were sent without waiting for an answer", count);
}

/* When a request over UDP was sent that nobody answers: as many times as are heard, at most cap. */
static size_t sending_times(struct script *s, uint64_t *t_ns, size_t cap)
{
    size_t n = 0;
    struct heard h;
    while (n < cap && (h = line_hear(s->line, 60 * NS_S)).kind == HEARD_STUN)
        t_ns[n++] = h.t_ns;
    return n;
}

static void doubling(struct probe *p)
{
    struct script s = {0};
    uint64_t t[SENDS + 1], rto = RTO_NS;
    script_begin(&s, p, true);
    size_t n = sending_times(&s, t, SENDS + 1);
    probe_require(p, n > 2, "a request that nobody answers was sent %zu times", n);
    for (size_t i = 1; i < n; i++, rto *= 2)
        probe_require(p, about(t[i] - t[i - 1], rto), "retransmission %zu came %u ms after the one before, not %u", i,
                      (unsigned)((t[i] - t[i - 1]) / NS_MS), (unsigned)(rto / NS_MS));
}

static void rto_at_least(struct probe *p)
{
    struct script s = {0};
    uint64_t t[2];
    script_begin(&s, p, true);
    probe_require(p, sending_times(&s, t, 2) == 2, "a request that nobody answers was not sent again");
    probe_require(p, t[1] - t[0] + SLACK_NS >= RTO_NS, "the first retransmission came after %u ms",
                  (unsigned)((t[1] - t[0]) / NS_MS));
}

static void sends_and_end(struct probe *p)
{
    struct script s = {0};
    uint64_t t[SENDS + 1];
    script_begin(&s, p, true);
    size_t n = 0;
    while (n <= SENDS && !subject_told(p, TOLD_REFUSED, 0)) {
        struct heard h = line_hear(s.line, NS_S);
        if (h.kind == HEARD_STUN)
            t[n++] = h.t_ns;
    }
    probe_require(p, n == SENDS, "a request that nobody answers was sent %zu times, not 7", n);
    uint64_t took = probe_now(p) - t[0];
    probe_require(p, took <= TI_NS + NS_S + SLACK_NS && took + SLACK_NS >= TI_NS,
                  "the transaction failed %u ms after the first request", (unsigned)(took / NS_MS));
}

/* A transaction that was answered in 3 s, after retransmissions, says nothing of the round trip (Karn). */
static void karn(struct probe *p)
{
    struct script s = {0};
    uint64_t t[2];
    script_begin(&s, p, true);
    struct heard h = script_request(&s, TURN_ALLOCATE);
    probe_wait(p, 3 * NS_S);
    while (line_hear(s.line, 0).kind == HEARD_STUN)
        continue;
    script_challenge(&s, &h, 401, "nonce", NULL);
    probe_require(p, sending_times(&s, t, 2) == 2, "the request with credentials was not sent twice");
    uint64_t took = t[1] - t[0];
    probe_require(p, about(took, RTO_NS), "after a round trip of 3 s with retransmissions the RTO is %u ms, not 500",
                  (unsigned)(took / NS_MS));
}

/* RFC 6298 2: of a first round trip of 400 ms the RTO is 1200 ms. */
static void rto_learnt(struct probe *p)
{
    struct script s = {0};
    uint64_t t[2];
    script_begin(&s, p, true);
    struct heard h = script_request(&s, TURN_ALLOCATE);
    probe_wait(p, 400 * NS_MS);
    script_challenge(&s, &h, 401, "nonce", NULL);
    probe_require(p, sending_times(&s, t, 2) == 2, "the request with credentials was not sent twice");
    uint64_t took = t[1] - t[0];
    probe_require(p, took + SLACK_NS >= 1200 * NS_MS, "after a round trip of 400 ms the RTO is %u ms",
                  (unsigned)(took / NS_MS));
}

static void hard_icmp(struct probe *p)
{
    subject_wish(p, &(struct wish){.kind = WISH_ALLOCATE_UDP_OVER_UDP}); /* nobody listens there */
    probe_require(p, subject_told(p, TOLD_REFUSED, 5 * NS_S),
                  "5 s after an ICMP port unreachable the transaction has not failed");
}

/* ---- 6.2.2 ---- */

static void one_request(struct probe *p)
{
    struct script s = {0};
    script_begin(&s, p, false);
    script_request(&s, TURN_ALLOCATE);
    struct heard h = line_hear(s.line, 39 * NS_S);
    probe_require(p, h.kind == HEARD_NOTHING, "over TCP, after a request that nobody answered, came %s", WORDS(&h));
}

static void ti(struct probe *p)
{
    struct script s = {0};
    script_begin(&s, p, false);
    uint64_t sent = script_request(&s, TURN_ALLOCATE).t_ns;
    probe_require(p, subject_told(p, TOLD_REFUSED, 60 * NS_S), "60 s after a request over TCP it has not failed");
    uint64_t took = probe_now(p) - sent;
    probe_require(p, took + SLACK_NS >= TI_NS && took <= TI_NS + NS_S + SLACK_NS,
                  "a request over TCP failed after %u ms, not 39500", (unsigned)(took / NS_MS));
}

static void broken_connection(struct probe *p)
{
    struct script s = {0};
    script_begin(&s, p, false);
    script_request(&s, TURN_ALLOCATE);
    line_reset(s.line);
    probe_require(p, subject_told(p, TOLD_REFUSED, NS_S),
                  "1 s after the connection was reset its request has not failed");
}

static void connects(struct script *s, struct heard request[2])
{
    static const uint16_t port[] = {5001, 5002};
    script_begin(s, s->p, false);
    script_grant(s);
    for (size_t i = 0; i < 2; i++) {
        struct endpoint peer = {probe_ip(s->p, PEER1, IP_V4), port[i]};
        subject_wish(s->p, &(struct wish){.kind = WISH_CONNECT, .peer = peer});
    }
    for (size_t i = 0; i < 2; i++)
        request[i] = line_hear(s->line, 2 * NS_S);
}

static void pipelined(struct probe *p)
{
    struct script s = {.p = p};
    struct heard h[2];
    connects(&s, h);
    probe_require(p, h[0].kind == HEARD_STUN, "the client sent no Connect");
    if (h[1].kind != HEARD_STUN)
        probe_defined(p, "the client waits for an answer before it sends the next request");
}

/* The second Connect is answered first; then the first, whose connection the client binds. */
static void any_order(struct probe *p)
{
    struct script s = {.p = p};
    struct heard h[2];
    uint32_t id = 0;
    connects(&s, h);
    if (h[1].kind != HEARD_STUN)
        probe_skip(p, "the client has only one request outstanding");
    struct message *m = script_answer(&s, &h[1], 447);
    script_sign(&s, m);
    script_send(&s, m);
    probe_require(p, subject_told(p, TOLD_PEER_FAILED, 5 * NS_S),
                  "the answer to the second of two requests was not taken");
    m = script_answer(&s, &h[0], 0);
    message_put_u32(m, ATTR_CONNECTION_ID, 0xabcd);
    script_sign(&s, m);
    script_send(&s, m);
    probe_require(p, script_next_line(&s, 5 * NS_S), "the answer to the first of two requests was not taken");
    struct heard bind = script_request(&s, TURN_CONNECTION_BIND);
    probe_require(p, heard_u32(&bind, ATTR_CONNECTION_ID, &id) && id == 0xabcd, "ConnectionBind has connection %u", id);
}

static void kept_open(struct probe *p)
{
    struct script s = {0};
    script_begin(&s, p, false);
    script_grant(&s);
    probe_require(p, line_ended(s.line, 300 * NS_S) == LINE_OPEN,
                  "the client has closed the connection of its allocation within 300 s");
}

/* A Connect to a peer that does not answer: the slowest request there is. */
static void not_closed_before_answer(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    allocation_permit(a, PEER1);
    probe_silence(p, PEER1, true);
    struct endpoint peer = {probe_ip(p, PEER1, IP_V4), 5000};
    struct message *m = begin_connect(a->login, a->control, &peer);
    struct heard h = line_answer(a->control, m, 41 * NS_S);
    probe_require(p, h.kind != HEARD_ENDED, "the server closed a connection with a request that it had not answered");
}

static void no_call_back(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    struct endpoint local = line_local(l);
    line_send_message(l, binding(p));
    line_reset(l);
    struct line *listener = probe_listen_at(p, CLIENT1, &local);
    probe_require(p, !probe_accept(p, listener, 2 * NS_S), "the server opened a connection to the client");
}

static void framing(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    size_t *len;
    struct message *m = binding(p);
    message_put_text(m, ATTR_SOFTWARE, "byte by byte");
    const uint8_t *b = message_bytes(m, &len);
    for (size_t i = 0; i < *len; i++) {
        line_send(l, b + i, 1);
        probe_wait(p, 2 * NS_MS);
    }
    struct heard h = line_answer(l, m, probe_soon(p));
    probe_require(p, h.kind == HEARD_STUN && h.code == 0, "a Binding request byte by byte got %s", WORDS(&h));
    uint8_t both[512];
    struct message *two[2] = {binding(p), binding(p)};
    size_t n = 0;
    for (size_t i = 0; i < 2; i++) {
        b = message_bytes(two[i], &len);
        memcpy(both + n, b, *len);
        n += *len;
    }
    line_send(l, both, n);
    for (size_t i = 0; i < 2; i++) {
        h = line_answer(l, two[i], probe_soon(p));
        probe_require(p, h.kind == HEARD_STUN && h.code == 0,
                      "of two Binding requests in one segment, number %zu got %s",
                      i + 1, WORDS(&h));
    }
}

/* ---- rows ---- */

#define NO_TLS "needs a TLS or DTLS listener, which neither the relay nor the client has"
enum { BOTH = WHO_SERVER | WHO_CLIENT, UDP_CLIENT = NEED_CLIENT | NEED_UDP_CLIENT };

static const struct requirement rows[] = {
    {"8489-6.2-1", "6.2", LEVEL_SHOULD, WHO_CLIENT, "A client has at most 10 transactions outstanding with one server.",
     .probe = ten_outstanding, .needs = NEED_CLIENT},
    {"8489-6.2.1-1", "6.2.1", LEVEL_SHOULD, WHO_CLIENT,
     "Over UDP a request is sent again after the RTO, and then after twice the time each time.",
     .probe = doubling, .needs = UDP_CLIENT},
    {"8489-6.2.1-2", "6.2.1", LEVEL_SHOULD, WHO_CLIENT, "The RTO is 500 ms or more.",
     .probe = rto_at_least, .needs = UDP_CLIENT},
    {"8489-6.2.1-3", "6.2.1", LEVEL_SHOULD, WHO_CLIENT,
     "A request is sent 7 times, and has failed 16 RTO after the last time: after 39.5 s.",
     .probe = sends_and_end, .needs = UDP_CLIENT},
    {"8489-6.2.1-4", "6.2.1", LEVEL_SHOULD_NOT, WHO_CLIENT,
     "The RTO is not rounded to seconds, nor learnt from a transaction that was retransmitted.",
     .probe = karn, .needs = UDP_CLIENT},
    {"8489-6.2.1-5", "6.2.1", LEVEL_SHOULD, WHO_CLIENT,
     "The RTO of a server's address is kept for the next transaction, for 10 minutes.",
     .probe = rto_learnt, .needs = UDP_CLIENT},
    {"8489-6.2.1-6", "6.2.1", LEVEL_STATED, WHO_CLIENT, "A hard ICMP error ends the transaction.",
     .probe = hard_icmp, .needs = UDP_CLIENT | NEED_ICMP},
    {"8489-6.2.2-1", "6.2.2", LEVEL_STATED, WHO_CLIENT, "Over TCP a request is not sent again.",
     .probe = one_request, .needs = NEED_CLIENT},
    {"8489-6.2.2-2", "6.2.2", LEVEL_SHOULD, WHO_CLIENT,
     "Over TCP a request has failed 39.5 s after it was sent.", .probe = ti, .needs = NEED_CLIENT},
    {"8489-6.2.2-3", "6.2.2", LEVEL_STATED, WHO_CLIENT, "When the connection fails its transactions have failed.",
     .probe = broken_connection, .needs = NEED_CLIENT},
    {"8489-6.2.2-4", "6.2.2", LEVEL_MAY, WHO_CLIENT, "Several requests may be outstanding on one connection.",
     .probe = pipelined, .needs = NEED_CLIENT},
    {"8489-6.2.2-5", "6.2.2", LEVEL_SHOULD, WHO_CLIENT,
     "A client keeps the connection open as long as it needs what it learnt by it, here its allocation.",
     .probe = kept_open, .needs = NEED_CLIENT},
    {"8489-6.2.2-6", "6.2.2", LEVEL_SHOULD, WHO_SERVER,
     "A server leaves closing to the client, and does not close a connection with a request that it has not answered.",
     .probe = not_closed_before_answer, .needs = NEED_SILENT_PEER, .seconds = 41},
    {"8489-6.2.2-7", "6.2.2", LEVEL_MUST_NOT, WHO_SERVER,
     "When the client's connection is gone the server opens none to send its response.",
     .probe = no_call_back},
    {"8489-6.2.2-8", "6.2.2", LEVEL_MUST, BOTH,
     "On a stream messages are told apart by their length, however TCP cuts them.", .probe = framing},
    {"8489-6.2.3-1", "6.2.3", LEVEL_MUST, BOTH, "TLS and DTLS have the cipher suites of AES-128-GCM.", .none = NO_TLS},
    {"8489-6.2.3-2", "6.2.3", LEVEL_MUST_NOT, WHO_CLIENT,
     "No STUN message is sent to a server whose certificate was not accepted.", .none = NO_TLS},
    {"8489-6.3.1-8", "6.3.1.2", LEVEL_STATED, WHO_CLIENT, "Responses on a connection may come in any order.",
     .probe = any_order, .needs = NEED_CLIENT},
};

const struct section rfc8489_transport = SECTION(rows);
