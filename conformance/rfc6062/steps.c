/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conformance/rfc6062/rfc6062.h"
#include "models/base/err.h"

const struct attr wants_tcp[] = {{ATTR_REQUESTED_TRANSPORT, "06000000"}, {0}};
const struct attr wants_udp[] = {{ATTR_REQUESTED_TRANSPORT, "11000000"}, {0}};

/* ---- messages ---- */

void fill_hex(struct message *m, const void *attrs)
{
    for (const struct attr *a = attrs; a && a->type; a++)
        message_put_hex(m, a->type, a->hex);
}

void be_challenged(struct probe *p, struct login *l, struct line *via)
{
    struct message *m = message_request(p, TURN_ALLOCATE);
    fill_hex(m, wants_tcp);
    line_send_message(via, m);
    struct heard h = line_answer(via, m, probe_soon(p));
    expect_code(p, &h, 401, "an Allocate without credentials");
    probe_require(p, login_learn(l, &h), "the 401 has no REALM or no NONCE");
}

/* ---- what is required again and again ---- */

void expect_served(struct allocation *a, const char *after)
{
    struct heard h = ask_refresh(a->login, a->control, -1);
    char buf[HEARD_TEXT];
    probe_require(a->p, h.code == 0, "after %s a Refresh was answered with %s", after, heard_text(&h, buf));
}

void expect_closed(struct probe *p, struct line *l, uint64_t ns, const char *what)
{
    uint64_t since = probe_now(p);
    probe_require(p, line_ended(l, ns) != LINE_OPEN, "%s was still open after %.1f s", what,
                  SECONDS(probe_now(p) - since));
}

void expect_open(struct probe *p, struct line *l, uint64_t ns, const char *what)
{
    uint64_t since = probe_now(p);
    enum line_state end = line_ended(l, ns);
    probe_require(p, end == LINE_OPEN, "%s was closed (%s) after %.1f s", what, end == LINE_RST ? "RST" : "FIN",
                  SECONDS(probe_now(p) - since));
}

void expect_closed_at_30s(struct probe *p, struct line *l, uint64_t since_ns, const char *what)
{
    line_ended(l, since_ns + 36 * NS_S - probe_now(p));
    double after = SECONDS(probe_now(p) - since_ns);
    probe_require(p, line_state_now(l) != LINE_OPEN, "%s was still open after %.1f s", what, after);
    /* what started the timer was seen later than it was sent, by a little more than the end was, perhaps */
    probe_require(p, after > 29.9 && after < 35, "%s was closed after %.1f s", what, after);
}

void expect_no_attempt(struct allocation *a, const char *why)
{
    struct heard h = line_indication(a->control, TURN_CONNECTION_ATTEMPT, probe_soon(a->p));
    probe_require(a->p, h.kind != HEARD_STUN, "a ConnectionAttempt came, %s", why);
}

void expect_carries(struct probe *p, const struct pair *pair, unsigned which, uint64_t at, uint64_t len)
{
    line_send_pattern(pair->data, 2 * which, at, len);
    line_send_pattern(pair->peer, 2 * which + 1, at, len);
    line_expect_pattern(pair->peer, 2 * which, at, len, probe_soon(p));
    line_expect_pattern(pair->data, 2 * which + 1, at, len, probe_soon(p));
}

bool is_accepted(const struct line *dialled)
{
    return line_err(dialled) == 0 || line_err(dialled) == E_RESET;
}

void expect_relay_gone(struct allocation *a, const char *after)
{
    enum { TRIES = 10 }; /* half a second each: no RFC says how fast a server has to be */
    struct line *l = probe_dial_to(a->p, PEER1, &a->relayed);
    for (int i = 0; is_accepted(l) && i < TRIES; i++) {
        probe_wait(a->p, NS_S / 2);
        l = probe_dial_to(a->p, PEER1, &a->relayed);
    }
    probe_require(a->p, !is_accepted(l), "after %s the relayed address accepts connections", after);
}

struct line *dial_relay(struct allocation *a, enum place peer)
{
    struct line *l = probe_dial_to(a->p, peer, &a->relayed);
    char at[ENDPOINT_TEXT];
    probe_require(a->p, is_accepted(l), "the relayed address %s did not accept a TCP connection",
                  endpoint_text(&a->relayed, at));
    return l;
}

uint32_t connect_to(struct allocation *a, struct line *listener)
{
    struct endpoint at = line_local(listener);
    struct heard h = ask_connect(a->login, a->control, &at);
    uint32_t connection;
    expect_code(a->p, &h, 0, "a Connect to a listening peer");
    probe_require(a->p, heard_u32(&h, ATTR_CONNECTION_ID, &connection), "Connect success has no CONNECTION-ID");
    return connection;
}

struct pair bound_pair(struct allocation *a, enum place peer)
{
    struct pair pair = allocation_connect(a, peer);
    pair_bind(a, &pair);
    return pair;
}

/* ---- bytes before the bind ---- */

uint64_t flood(struct probe *p, struct line *l, unsigned which)
{
    uint64_t sent = 0, stalled_since = probe_now(p);
    while (sent < FLOOD && line_state_now(l) == LINE_OPEN && probe_now(p) - stalled_since < 2 * NS_S) {
        uint64_t n = line_offer_pattern(l, which, sent, FLOOD - sent);
        sent += n;
        if (n)
            stalled_since = probe_now(p);
        probe_wait(p, 20 * NS_MS);
    }
    return sent;
}

/* Binds; false: the server has dropped the peer's connection as a whole, as it may. */
static bool bind_unless_dropped(struct allocation *a, struct pair *pair, uint64_t early)
{
    char buf[HEARD_TEXT];
    pair->data = probe_dial(a->p, CLIENT1);
    struct heard h = ask_bind(a->login, pair->data, pair->connection);
    if (h.code == 0)
        return true;
    probe_require(a->p, line_ended(pair->peer, probe_soon(a->p)) != LINE_OPEN,
                  "after %llu early bytes ConnectionBind was answered with %s, but the peer's connection is open",
                  (unsigned long long)early, heard_text(&h, buf));
    return false;
}

void expect_early_bytes(struct allocation *a, struct pair *pair, uint64_t len)
{
    uint64_t early = line_offer_pattern(pair->peer, 0, 0, len);
    probe_wait(a->p, NS_S / 5);
    early += line_offer_pattern(pair->peer, 0, early, len - early);
    probe_wait(a->p, NS_S / 5);
    if (!bind_unless_dropped(a, pair, early))
        probe_defined(a->p, "the connection was dropped as a whole when %llu bytes had come before the bind",
                      (unsigned long long)early);
    line_send_pattern(pair->peer, 0, early, len - early + KIB);
    line_expect_pattern(pair->data, 0, 0, len + KIB, 2 * probe_soon(a->p));
}

void expect_held_back(struct allocation *a, struct pair *pair)
{
    uint64_t sent = flood(a->p, pair->peer, 0);
    if (!bind_unless_dropped(a, pair, sent))
        probe_defined(a->p, "the connection was dropped as a whole after %llu bytes before the bind",
                      (unsigned long long)sent);
    probe_require(a->p, sent < FLOOD, "the server took %llu bytes of a peer that nobody read",
                  (unsigned long long)sent);
    line_expect_pattern(pair->data, 0, 0, sent, 10 * probe_soon(a->p));
}
