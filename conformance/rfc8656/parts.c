/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the probes of RFC 8656 share: openings, and datagrams to and fro. */
#include <stdio.h>
#include <string.h>

#include "conformance/rfc8656/rfc8656.h"
#include "models/base/bytes.h"

enum { KEEP_S = 500, CHANNEL_HEADER = 4, TEXT_MAX = 64 };

/* ---- requests ---- */

void put_attrs(struct message *m, const struct attr *attrs)
{
    for (const struct attr *a = attrs; a && a->type; a++)
        if (a->address)
            message_put_address(m, a->type, a->address);
        else
            message_put_hex(m, a->type, a->hex);
}

static void fill(struct message *m, const void *attrs)
{
    put_attrs(m, attrs);
}

struct heard ask(struct login *l, struct line *via, unsigned method, const struct attr *attrs)
{
    return login_ask(l, via, method, fill, attrs);
}

struct message *signed_request(struct probe *p, const struct login *l, unsigned method, const struct attr *attrs)
{
    struct message *m = message_request(p, method);
    put_attrs(m, attrs);
    message_sign(m, l);
    return m;
}

struct heard challenge(struct probe *p, struct login *l, struct line *via)
{
    struct message *m = message_request(p, TURN_ALLOCATE);
    put_attrs(m, ATTRS(ASK_UDP));
    line_send_message(via, m);
    struct heard h = line_answer(via, m, probe_soon(p));
    expect_code(p, &h, 401, "an Allocate without credentials");
    probe_require(p, login_learn(l, &h), "the 401 has no REALM or no NONCE");
    return h;
}

struct heard ask_allocate(struct probe *p, const struct attr *attrs)
{
    return ask(login_new(p, USER1), reach(p, CLIENT1), TURN_ALLOCATE, attrs);
}

void expect_allocate(struct probe *p, const struct attr *attrs, int code, const char *what)
{
    struct heard h = ask_allocate(p, attrs);
    expect_code(p, &h, code, what);
}

void token_of(struct probe *p, const struct heard *h, char out[TOKEN_HEX])
{
    struct stun_attr token;
    probe_require(p, stun_find(&h->stun, ATTR_RESERVATION_TOKEN, &token),
                  "an Allocate with EVEN-PORT, R=1, was granted without a RESERVATION-TOKEN");
    probe_require(p, token.len == 8, "the RESERVATION-TOKEN has %u bytes, not 8", token.len);
    hex_of(token.value, token.len, out);
}

bool relayed_of(const struct heard *h, int family, struct endpoint *out)
{
    struct stun_attr a = {0};
    while (stun_next(&h->stun, &a))
        if (a.type == ATTR_XOR_RELAYED_ADDRESS && stun_attr_address(&h->stun, &a, out) == 0 && out->ip.family == family)
            return true;
    return false;
}

/* ---- a way to the server ---- */

enum ip_proto way(const struct probe *p)
{
    return probe_server(p, PROTO_UDP, IP_V4).port ? PROTO_UDP : PROTO_TCP;
}

struct line *reach(struct probe *p, enum place from)
{
    return way(p) == PROTO_UDP ? probe_udp(p, from, IP_V4) : probe_dial(p, from);
}

struct allocation relay(struct probe *p)
{
    return *allocate(p, way(p), PROTO_UDP);
}

struct allocation relay_on(struct probe *p, struct login *l, struct line *via, const struct attr *attrs)
{
    struct allocation a = {.p = p, .login = l, .control = via, .transport = PROTO_UDP};
    struct heard h = ask(l, via, TURN_ALLOCATE, attrs);
    expect_code(p, &h, 0, "an Allocate of a UDP relay");
    probe_require(p, heard_address(&h, ATTR_XOR_RELAYED_ADDRESS, &a.relayed),
                  "the Allocate success has no XOR-RELAYED-ADDRESS");
    probe_require(p, heard_u32(&h, ATTR_LIFETIME, &a.lifetime), "the Allocate success has no LIFETIME");
    heard_address(&h, ATTR_XOR_MAPPED_ADDRESS, &a.mapped);
    return a;
}

struct allocation relay_with(struct probe *p, const struct attr *attrs)
{
    return relay_on(p, login_new(p, USER1), reach(p, CLIENT1), attrs);
}

struct heard create_permission(struct allocation *a, const struct attr *attrs)
{
    return ask(a->login, a->control, TURN_CREATE_PERMISSION, attrs);
}

struct heard channel_bind(struct allocation *a, const struct attr *attrs)
{
    return ask(a->login, a->control, TURN_CHANNEL_BIND, attrs);
}

void permit(struct allocation *a, const struct endpoint *peer)
{
    struct heard h = ask_permission(a->login, a->control, peer);
    expect_code(a->p, &h, 0, "a CreatePermission");
}

void bind_channel(struct allocation *a, uint16_t number, const struct endpoint *peer)
{
    struct heard h = ask_channel(a->login, a->control, number, peer);
    expect_code(a->p, &h, 0, "a ChannelBind");
}

struct opening open_with_permission(struct probe *p)
{
    struct opening o = {.a = relay(p), .peer = probe_udp(p, PEER1, IP_V4)};
    o.at = line_local(o.peer);
    permit(&o.a, &o.at);
    return o;
}

void forget(struct allocation *a)
{
    struct heard h = ask_refresh(a->login, a->control, 0);
    expect_code(a->p, &h, 0, "a Refresh with LIFETIME 0");
}

void keep_until(struct allocation *a, uint64_t t_ns)
{
    while (probe_now(a->p) + KEEP_S * NS_S < t_ns) {
        probe_wait(a->p, KEEP_S * NS_S);
        expect_alive(a, "500 s after it was made or refreshed");
    }
    probe_wait_until(a->p, t_ns);
}

struct endpoint somebody(unsigned i)
{
    return (struct endpoint){.ip = ip_v4(UINT32_C(0xc6120000) + 1 + i % 65536), .port = 9}; /* 198.18.0.0/15 */
}

struct endpoint somebody6(void)
{
    return (struct endpoint){{IP_V6, {0x20, 0x01, 0x0d, 0xb8, [15] = 1}}, 9};
}

/* ---- datagrams ---- */

void to_server(struct allocation *a, const void *bytes, size_t len)
{
    line_send(a->control, bytes, len);
}

void send_indication(struct allocation *a, const struct endpoint *peer, const void *data, size_t len)
{
    struct message *m = message_new(a->p, STUN_INDICATION, TURN_SEND);
    message_put_address(m, ATTR_XOR_PEER_ADDRESS, peer);
    message_put(m, ATTR_DATA, data, len);
    line_send_message(a->control, m);
}

void send_channel(struct allocation *a, uint16_t number, const void *data, size_t len)
{
    uint8_t frame[CHANNEL_HEADER + TEXT_MAX] = {0};
    size_t padding = way(a->p) == PROTO_UDP ? 0 : (4 - len % 4) % 4;
    store16(frame, number);
    store16(frame + 2, (unsigned)len);
    memcpy(frame + CHANNEL_HEADER, data, len);
    to_server(a, frame, CHANNEL_HEADER + len + padding);
}

/* Different each time, so that one that comes late is not taken for another. */
static size_t fresh_text(struct probe *p, char out[TEXT_MAX])
{
    return (size_t)snprintf(out, TEXT_MAX, "sent at %llu ns", (unsigned long long)probe_now(p));
}

static const uint8_t *payload_of(const struct heard *h, size_t *len)
{
    struct stun_attr data;
    if (h->kind == HEARD_CHANNEL) {
        *len = h->len;
        return h->data;
    }
    bool found = h->kind == HEARD_STUN && h->stun.cls == STUN_INDICATION && h->stun.method == TURN_DATA &&
                 stun_find(&h->stun, ATTR_DATA, &data);
    *len = found ? data.len : 0;
    return found ? data.value : NULL;
}

struct heard from_peer(struct allocation *a, struct line *peer)
{
    char text[TEXT_MAX];
    size_t n = fresh_text(a->p, text), len;
    line_send_to(peer, &a->relayed, text, n);
    struct heard h = line_hear(a->control, probe_soon(a->p));
    if (h.kind == HEARD_NOTHING)
        return h;
    const uint8_t *payload = payload_of(&h, &len);
    probe_require(a->p, payload,
                  "the peer sent a datagram, and what came was neither a Data indication nor ChannelData");
    probe_require(a->p, len == n && memcmp(payload, text, n) == 0,
                  "the peer sent %zu bytes, and %zu others came from the relay", n, len);
    return h;
}

bool comes_through(struct allocation *a, struct line *peer)
{
    return from_peer(a, peer).kind != HEARD_NOTHING;
}

bool peer_gets(struct allocation *a, struct line *peer, const void *data, size_t len)
{
    uint8_t got[2048];
    struct endpoint from;
    char at[ENDPOINT_TEXT];
    long n = line_datagram(peer, got, sizeof got, &from, probe_soon(a->p));
    if (n < 0)
        return false;
    probe_require(a->p, endpoint_equal(&from, &a->relayed), "a datagram came to the peer from %s, not from the relay",
                  endpoint_text(&from, at));
    probe_require(a->p, (size_t)n == len && (len == 0 || memcmp(got, data, len) == 0),
                  "%zu bytes were sent to the peer, and %ld came that are not these", len, n);
    return true;
}

bool send_passes(struct allocation *a, struct line *peer)
{
    char text[TEXT_MAX];
    size_t n = fresh_text(a->p, text);
    struct endpoint to = line_local(peer);
    send_indication(a, &to, text, n);
    return peer_gets(a, peer, text, n);
}

bool channel_passes(struct allocation *a, uint16_t number, struct line *peer)
{
    char text[TEXT_MAX];
    size_t n = fresh_text(a->p, text);
    send_channel(a, number, text, n);
    return peer_gets(a, peer, text, n);
}

void expect_silence(struct probe *p, struct line *l, const char *to)
{
    char text[HEARD_TEXT];
    struct heard h = line_hear(l, probe_soon(p));
    probe_require(p, h.kind != HEARD_STUN && h.kind != HEARD_CHANNEL, "%s drew %s", to, heard_text(&h, text));
}

void expect_alive(struct allocation *a, const char *after)
{
    char what[128];
    snprintf(what, sizeof what, "a Refresh %s", after);
    struct heard h = ask_refresh(a->login, a->control, -1);
    expect_code(a->p, &h, 0, what);
}

void expect_gone(struct allocation *a, const char *after)
{
    char what[128];
    if (line_state_now(a->control) != LINE_OPEN)
        return;
    snprintf(what, sizeof what, "a Refresh %s", after);
    struct heard h = ask_refresh(a->login, a->control, -1);
    expect_code(a->p, &h, 437, what);
}
