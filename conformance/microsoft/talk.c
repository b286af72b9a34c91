/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conformance/microsoft/talk.h"

#include <assert.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/hash.h"

enum { COOKIE = 0x000f, MAC_LEN = 20, MAC_BLOCK = 64 };
#define COOKIE_VALUE UINT32_C(0x72c64bc6)

/* ---- the handshake ---- */

void ms_dial(struct ms_talk *t, struct probe *p)
{
    /* TLS 1.0, one suite, no session: 32 bytes in the middle are random */
    static const uint8_t head[] = {0x16, 3, 1, 0, 0x2d, 1, 0, 0, 0x29, 3, 1}, tail[] = {0, 0, 2, 0, 0x18, 1, 0};
    uint8_t hello[MS_HELLO_LEN];
    memset(hello, 0x5a, sizeof hello);
    memcpy(hello, head, sizeof head);
    memcpy(hello + sizeof hello - sizeof tail, tail, sizeof tail);
    *t = (struct ms_talk){.p = p, .line = probe_dial(p, CLIENT1), .login = login_new(p, USER1), .next_id = 1};
    line_send(t->line, hello, sizeof hello);
    probe_require(p, line_read_all(t->line, t->hello.b, MS_ANSWER_LEN, probe_soon(p)),
                  "the pseudo-TLS hello was not answered with %u bytes", (unsigned)MS_ANSWER_LEN);
    t->hello.len = MS_ANSWER_LEN;
}

/* ---- messages out ---- */

void ms_put(struct ms_bytes *m, unsigned type, const void *value, size_t len)
{
    assert(m->len + 4 + len <= sizeof m->b);
    store16(m->b + m->len, type);
    store16(m->b + m->len + 2, (unsigned)len);
    if (len)
        memcpy(m->b + m->len + 4, value, len);
    m->len += 4 + len;
    store16(m->b + 2, (unsigned)(m->len - MS_HEADER));
}

static void put_u32(struct ms_bytes *m, unsigned type, uint32_t value)
{
    uint8_t b[4];
    store32(b, value);
    ms_put(m, type, b, sizeof b);
}

void ms_begin(struct ms_talk *t, struct ms_bytes *m, enum ms_type type)
{
    memset(m->b, 0, MS_HEADER);
    store16(m->b, type);
    for (size_t i = 4; i < MS_HEADER; i++)
        m->b[i] = (uint8_t)(0x10 * t->next_id + i);
    t->next_id++;
    m->len = MS_HEADER;
    put_u32(m, COOKIE, COOKIE_VALUE);
}

void ms_put_address(struct ms_bytes *m, unsigned type, const struct endpoint *e)
{
    uint8_t value[8] = {0, IP_V4};
    store16(value + 2, e->port);
    memcpy(value + 4, e->ip.b, 4);
    ms_put(m, type, value, sizeof value);
}

/* RFC 3489 11.2.8: over all before it, filled up with zeros to a multiple of 64 bytes; the length counts it. */
static void make_mac(const struct ms_talk *t, const uint8_t *message, size_t at, uint8_t out[MAC_LEN])
{
    static const uint8_t zeros[MAC_BLOCK];
    char text[1024];
    uint8_t key[HASH_MD5], head[4];
    struct text k = text_of(text, sizeof text);
    text_add(&k, "%s:%s:%s", t->login->name, t->realm, t->login->password);
    md5(text, k.len, key);
    memcpy(head, message, 2);
    store16(head + 2, (unsigned)(at + 4 + MAC_LEN - MS_HEADER));
    const struct piece piece[] = {{head, 4}, {message + 4, at - 4}, {zeros, (MAC_BLOCK - at % MAC_BLOCK) % MAC_BLOCK}};
    hmac_sha1(key, sizeof key, piece, 3, out);
}

void ms_sign(const struct ms_talk *t, struct ms_bytes *m, bool all)
{
    uint8_t mac[MAC_LEN];
    ms_put(m, ATTR_USERNAME, t->login->name, strlen(t->login->name));
    if (all) {
        ms_put(m, ATTR_REALM, t->realm, strlen(t->realm));
        ms_put(m, ATTR_NONCE, t->nonce, strlen(t->nonce));
    }
    make_mac(t, m->b, m->len, mac);
    ms_put(m, ATTR_MESSAGE_INTEGRITY, mac, sizeof mac);
}

void ms_say(struct ms_talk *t, unsigned unit, const struct ms_bytes *m)
{
    uint8_t b[4 + MS_LONGEST] = {(uint8_t)unit};
    store16(b + 2, (unsigned)m->len);
    memcpy(b + 4, m->b, m->len);
    line_send(t->line, b, 4 + m->len);
}

void ms_send(struct ms_talk *t, const struct endpoint *to, const char *data)
{
    struct ms_bytes m;
    ms_begin(t, &m, MS_SEND);
    ms_put_address(&m, ATTR_MS_DESTINATION_ADDRESS, to);
    ms_put(&m, ATTR_DATA, data, strlen(data));
    if (t->has_sequence) {
        store32(t->sequence + 20, load32(t->sequence + 20) + 1);
        ms_put(&m, ATTR_MS_SEQUENCE_NUMBER, t->sequence, sizeof t->sequence);
    }
    ms_sign(t, &m, false);
    ms_say(t, MS_CONTROL, &m);
}

struct ms_bytes ms_ask_active(struct ms_talk *t, const struct endpoint *peer)
{
    struct ms_bytes m;
    ms_begin(t, &m, MS_SET_ACTIVE);
    ms_put_address(&m, ATTR_MS_DESTINATION_ADDRESS, peer);
    ms_sign(t, &m, false);
    return ms_ask(t, &m);
}

/* ---- messages in ---- */

struct ms_unit_heard ms_hear(struct ms_talk *t, uint64_t ns)
{
    struct ms_unit_heard h = {0};
    uint8_t head[4];
    if (!line_read_all(t->line, head, sizeof head, ns))
        return h;
    probe_require(t->p, (head[0] == MS_CONTROL || head[0] == MS_RAW) && head[1] == 0,
                  "a unit begins with %02x%02x, not with 0200 or 0300", head[0], head[1]);
    h.content.len = load16(head + 2);
    probe_require(t->p, h.content.len <= sizeof h.content.b &&
                  line_read_all(t->line, h.content.b, h.content.len, probe_soon(t->p)),
                  "a unit of %zu bytes did not come whole", h.content.len);
    h.unit = head[0];
    return h;
}

struct ms_bytes ms_ask(struct ms_talk *t, const struct ms_bytes *m)
{
    ms_say(t, MS_CONTROL, m);
    for (;;) {
        struct ms_unit_heard h = ms_hear(t, probe_soon(t->p));
        probe_require(t->p, h.unit, "no answer came to a request of type %04x", load16(m->b));
        if (h.unit == MS_CONTROL && h.content.len >= MS_HEADER && memcmp(h.content.b + 4, m->b + 4, 16) == 0)
            return h.content;
    }
}

unsigned ms_type(const struct ms_bytes *m)
{
    return m->len >= 2 ? load16(m->b) : 0;
}

bool ms_find(const struct ms_bytes *m, unsigned type, const uint8_t **value, size_t *len)
{
    for (size_t at = MS_HEADER; at + 4 <= m->len; at += 4u + load16(m->b + at + 2)) {
        *value = m->b + at + 4;
        *len = load16(m->b + at + 2);
        if (load16(m->b + at) == type && at + 4 + *len <= m->len)
            return true;
    }
    return false;
}

int ms_code(const struct ms_bytes *m)
{
    const uint8_t *v;
    size_t len;
    return ms_find(m, ATTR_ERROR_CODE, &v, &len) && len >= 4 ? 100 * (v[2] & 7) + v[3] : 0;
}

bool ms_mac_right(const struct ms_talk *t, const struct ms_bytes *m)
{
    const uint8_t *v;
    size_t len;
    uint8_t mac[MAC_LEN];
    if (!ms_find(m, ATTR_MESSAGE_INTEGRITY, &v, &len) || len != sizeof mac)
        return false;
    make_mac(t, m->b, (size_t)(v - m->b) - 4, mac);
    return memcmp(mac, v, sizeof mac) == 0;
}

bool ms_address(const struct ms_bytes *m, unsigned type, bool xored, struct endpoint *out)
{
    const uint8_t *v;
    size_t len;
    if (!ms_find(m, type, &v, &len) || len != 8 || v[1] != IP_V4)
        return false;
    *out = (struct endpoint){.ip.family = IP_V4, .port = load16(v + 2)};
    memcpy(out->ip.b, v + 4, 4);
    if (!xored)
        return true;
    out->port = (uint16_t)(out->port ^ load16(m->b + 4));
    for (size_t i = 0; i < 4; i++)
        out->ip.b[i] ^= m->b[4 + i];
    return true;
}

/* ---- an allocation ---- */

static void take_text(const struct ms_bytes *m, unsigned type, char *out, size_t cap)
{
    const uint8_t *v;
    size_t len;
    if (!ms_find(m, type, &v, &len) || len >= cap)
        return;
    memcpy(out, v, len);
    out[len] = '\0';
}

void ms_allocate(struct ms_talk *t, struct probe *p)
{
    struct ms_bytes m;
    const uint8_t *v;
    size_t len;
    ms_dial(t, p);
    ms_begin(t, &m, MS_ALLOCATE);
    struct ms_bytes a = ms_ask(t, &m);
    probe_require(p, ms_type(&a) == MS_ALLOCATE_ERROR && ms_code(&a) == 401,
                  "an Allocate without credentials got type %04x, code %d", ms_type(&a), ms_code(&a));
    take_text(&a, ATTR_REALM, t->realm, sizeof t->realm);
    take_text(&a, ATTR_NONCE, t->nonce, sizeof t->nonce);
    ms_begin(t, &m, MS_ALLOCATE);
    ms_sign(t, &m, true);
    a = ms_ask(t, &m);
    probe_require(p, ms_type(&a) == MS_ALLOCATED, "an Allocate with credentials got type %04x, code %d", ms_type(&a),
                  ms_code(&a));
    probe_require(p, ms_address(&a, ATTR_MAPPED_ADDRESS, false, &t->relayed),
                  "Allocate's answer has no MAPPED-ADDRESS");
    t->has_sequence = ms_find(&a, ATTR_MS_SEQUENCE_NUMBER, &v, &len) && len == sizeof t->sequence;
    if (t->has_sequence)
        memcpy(t->sequence, v, len);
}

struct line *ms_peer(struct ms_talk *t, struct endpoint *at)
{
    struct line *listener = probe_listen(t->p, PEER1, IP_V4), *peer;
    uint8_t frame[7];
    *at = line_local(listener);
    ms_send(t, at, "first");
    peer = probe_accept(t->p, listener, probe_soon(t->p));
    if (!peer) { /* a relay that waits for its peers */
        peer = probe_dial_to(t->p, PEER1, &t->relayed);
        *at = line_local(peer);
        ms_send(t, at, "first");
    }
    probe_require(t->p, line_read_all(peer, frame, sizeof frame, probe_soon(t->p)) &&
                  memcmp(frame, "\0\5first", sizeof frame) == 0,
                  "the DATA of a Send request has not come to the peer as one frame of RFC 4571");
    return peer;
}
