/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conformance/rfc8489/credentials.h"

#include <string.h>

#include "models/base/bytes.h"
#include "models/base/hash.h"

static const char cookie[] = "obMatJos2"; /* 9.2 */

static uint32_t base64_24(const char *s)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; i++) {
        const char *digit = s[i] ? strchr(digits, s[i]) : NULL;
        if (!digit)
            return 0;
        bits = bits << 6 | (uint32_t)(digit - digits);
    }
    return bits;
}

void challenge_read(struct challenge *c, const struct heard *h)
{
    struct stun_attr a;
    probe_require(c->p, login_learn(c->login, h), "%s has no REALM or no NONCE", WORDS(h));
    const char *nonce = c->login->nonce;
    c->cookie = strncmp(nonce, cookie, sizeof cookie - 1) == 0 && strlen(nonce) >= sizeof cookie - 1 + 4;
    c->features = c->cookie ? base64_24(nonce + sizeof cookie - 1) : 0;
    c->list_len = 0;
    c->algorithm = ALGORITHM_NONE;
    c->sha256 = false;
    if (!stun_find(&h->stun, ATTR_PASSWORD_ALGORITHMS, &a) || a.len > sizeof c->list)
        return;
    memcpy(c->list, a.value, a.len);
    c->list_len = a.len;
    for (size_t at = 0; at + 4 <= a.len; at += 4 + ((load16(a.value + at + 2) + 3u) & ~3u))
        if (load16(a.value + at) == ALGORITHM_SHA256)
            c->sha256 = true;
}

struct message *allocate_message(struct probe *p)
{
    struct message *m = message_request(p, TURN_ALLOCATE);
    message_put_u32(m, ATTR_REQUESTED_TRANSPORT, (uint32_t)PROTO_TCP << 24);
    return m;
}

struct challenge challenge_on(struct probe *p, struct line *l, unsigned user)
{
    struct challenge c = {.p = p, .login = login_new(p, user)};
    struct heard h = ask_message(p, l, allocate_message(p));
    expect_code(p, &h, 401, "an Allocate without credentials");
    challenge_read(&c, &h);
    return c;
}

struct challenge challenge_8489(struct probe *p, struct line *l, unsigned user)
{
    struct challenge c = challenge_on(p, l, user);
    if (!c.cookie)
        probe_skip(p, "the nonce has no cookie of RFC 8489: a server of RFC 5389");
    if (!c.sha256)
        probe_skip(p, "the server does not offer SHA-256");
    c.algorithm = ALGORITHM_SHA256;
    return c;
}

/* 9.2.2: both from the same text. How many bytes. */
static size_t make_key(const struct challenge *c, uint8_t key[HASH_SHA256])
{
    char text[2048];
    struct text t = text_of(text, sizeof text);
    text_add(&t, "%s:%s:%s", c->login->name, c->login->realm, c->login->password);
    if (c->algorithm == ALGORITHM_SHA256) {
        sha256(text, t.len, key);
        return HASH_SHA256;
    }
    md5(text, t.len, key);
    return HASH_MD5;
}

/* 14.5, 14.6: over all before it, the length as if the message ended with it. */
static size_t make_mac(const struct challenge *c, const uint8_t *message, size_t at, unsigned which, uint8_t *out)
{
    uint8_t key[HASH_SHA256], head[4];
    size_t size = which == WITH_SHA256 ? HASH_SHA256 : HASH_SHA1, key_len = make_key(c, key);
    memcpy(head, message, 2);
    store16(head + 2, (unsigned)(at + 4 + size - STUN_HEADER));
    const struct piece text[] = {{head, sizeof head}, {message + 4, at - 4}};
    if (which == WITH_SHA256)
        hmac_sha256(key, key_len, text, 2, out);
    else
        hmac_sha1(key, key_len, text, 2, out);
    return size;
}

void mac_put(struct message *m, const struct challenge *c, unsigned which)
{
    uint8_t mac[HASH_SHA256];
    size_t *len;
    const uint8_t *bytes = message_bytes(m, &len);
    size_t size = make_mac(c, bytes, *len, which, mac);
    message_put(m, which == WITH_SHA256 ? ATTR_MESSAGE_INTEGRITY_SHA256 : ATTR_MESSAGE_INTEGRITY, mac, size);
}

bool mac_right(const struct challenge *c, const struct heard *h, unsigned which)
{
    uint8_t mac[HASH_SHA256];
    size_t at = which == WITH_SHA256 ? h->stun.mac256_at : h->stun.mac_at;
    if (h->kind != HEARD_STUN || !at)
        return false;
    size_t size = make_mac(c, h->stun.bytes, at, which, mac);
    return load16(h->stun.bytes + at + 2) == size && memcmp(h->stun.bytes + at + 4, mac, size) == 0;
}

static void put_hash(struct message *m, const struct challenge *c)
{
    char text[2048];
    uint8_t hash[HASH_SHA256];
    struct text t = text_of(text, sizeof text);
    text_add(&t, "%s:%s", c->login->name, c->login->realm);
    sha256(text, t.len, hash);
    message_put(m, ATTR_USERHASH, hash, sizeof hash);
}

void credentials_put(struct message *m, const struct challenge *c, unsigned pieces)
{
    if (pieces & WITH_USER)
        message_put_text(m, ATTR_USERNAME, c->login->name);
    if (pieces & WITH_HASH)
        put_hash(m, c);
    if (pieces & WITH_REALM)
        message_put_text(m, ATTR_REALM, c->login->realm);
    if (pieces & WITH_NONCE)
        message_put_text(m, ATTR_NONCE, c->login->nonce);
    if (pieces & WITH_LIST)
        message_put(m, ATTR_PASSWORD_ALGORITHMS, c->list, c->list_len);
    if (pieces & WITH_CHOICE)
        message_put_u32(m, ATTR_PASSWORD_ALGORITHM, (uint32_t)c->algorithm << 16);
    if (pieces & WITH_SHA1)
        mac_put(m, c, WITH_SHA1);
    if (pieces & WITH_SHA256)
        mac_put(m, c, WITH_SHA256);
}

struct heard ask_message(struct probe *p, struct line *l, const struct message *m)
{
    line_send_message(l, m);
    struct heard h = line_answer(l, m, probe_soon(p));
    probe_require(p, h.kind == HEARD_STUN, h.kind == HEARD_ENDED ? "the connection was closed instead of an answer"
                                                                 : "no answer came");
    return h;
}

struct heard ask_with(const struct challenge *c, struct line *l, unsigned pieces)
{
    struct message *m = allocate_message(c->p);
    credentials_put(m, c, pieces);
    return ask_message(c->p, l, m);
}

bool padding_zero(const struct heard *h)
{
    struct stun_attr a = {0};
    while (stun_next(&h->stun, &a))
        for (size_t i = a.len; i % 4; i++)
            if (a.value[i])
                return false;
    return true;
}
