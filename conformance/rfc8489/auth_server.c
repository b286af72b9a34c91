/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 8489 9 and 9.2: long-term credentials at the server, its checks in their order (9.2.4). A server whose nonce has
 * no cookie is one of RFC 5389: it is not asked for what that does not have. */
#include <stdio.h>
#include <string.h>

#include "conformance/rfc8489/credentials.h"
#include "conformance/rfc8489/sections.h"
#include "models/base/bytes.h"

static void spoil_nonce(struct challenge *c)
{
    char *last = c->login->nonce + strlen(c->login->nonce) - 1;
    *last = *last == '0' ? '1' : '0';
}

/* 401 or 438 with all that a client needs to ask again. */
static void expect_challenge(struct probe *p, const struct challenge *c, const struct heard *h, const char *what)
{
    probe_require(p, heard_has(h, ATTR_REALM) && heard_has(h, ATTR_NONCE), "%s to %s has no REALM or no NONCE",
                  WORDS(h), what);
    probe_require(p, !c->list_len || heard_has(h, ATTR_PASSWORD_ALGORITHMS),
                  "%s to %s has no PASSWORD-ALGORITHMS, which the first 401 had", WORDS(h), what);
}

static bool has_mac(const struct heard *h)
{
    return h->stun.mac_at || h->stun.mac256_at;
}

static void behind_mac(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct message *m = message_request(p, TURN_REFRESH);
    uint32_t lifetime = 0;
    message_sign(m, a->login);
    message_put_u32(m, ATTR_LIFETIME, 0);
    struct heard h = ask_message(p, a->control, m);
    expect_code(p, &h, 0, "Refresh with LIFETIME 0 behind MESSAGE-INTEGRITY");
    probe_require(p, heard_u32(&h, ATTR_LIFETIME, &lifetime) && lifetime > 0,
                  "LIFETIME 0 behind MESSAGE-INTEGRITY has ended the allocation");
}

static void bare_challenged(struct probe *p)
{
    static const struct {
        unsigned method;
        const char *name;
    } rows[] = {{TURN_ALLOCATE, "an Allocate"}, {TURN_REFRESH, "a Refresh"},
                {TURN_CREATE_PERMISSION, "a CreatePermission"}, {TURN_CONNECTION_BIND, "a ConnectionBind"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct line *l = probe_dial(p, CLIENT1);
        struct message *m = message_request(p, rows[i].method);
        line_send_message(l, m);
        struct heard h = line_answer(l, m, probe_soon(p));
        probe_require(p, h.kind == HEARD_STUN && h.code == 401, "%s without MESSAGE-INTEGRITY got %s", rows[i].name,
                      WORDS(&h));
        probe_require(p, heard_has(&h, ATTR_REALM) && heard_has(&h, ATTR_NONCE), "%s has no REALM or no NONCE",
                      WORDS(&h));
    }
}

static void nonces_differ(struct probe *p)
{
    enum { SOURCES = 12 };
    struct challenge c[SOURCES];
    for (size_t i = 0; i < SOURCES; i++) {
        c[i] = challenge_on(p, probe_dial(p, CLIENT1), USER1);
        for (size_t k = 0; k < i; k++) {
            bool same = strcmp(c[i].login->nonce, c[k].login->nonce) == 0;
            if (same && !c[i].cookie)
                probe_defined(p, "two source ports got the same nonce, which RFC 5389 does not forbid");
            probe_require(p, !same, "two source ports got the same nonce");
        }
    }
}

static void algorithms_offered(struct probe *p)
{
    struct challenge c = challenge_on(p, probe_dial(p, CLIENT1), USER1);
    char list[64];
    struct text t = text_of(list, sizeof list);
    for (size_t at = 0; at + 4 <= c.list_len; at += 4 + ((load16(c.list + at + 2) + 3u) & ~3u))
        text_add(&t, "%s%s", at ? ", " : "", load16(c.list + at) == ALGORITHM_SHA256 ? "SHA-256"
                                             : load16(c.list + at) == ALGORITHM_MD5 ? "MD5" : "another");
    probe_defined(p, c.list_len ? "the server offers %s" : "the server does not offer password algorithms%s", list);
}

static void feature_bits(struct probe *p)
{
    struct challenge c = challenge_on(p, probe_dial(p, CLIENT1), USER1);
    if (!c.cookie)
        probe_skip(p, "the nonce has no cookie of RFC 8489: a server of RFC 5389");
    bool high = c.features & FEATURE_ALGORITHMS, low = c.features & FEATURE_ALGORITHMS_LOW;
    if (!c.list_len && (high || low))
        probe_fail(p, "the nonce promises password algorithms, and PASSWORD-ALGORITHMS is not there");
    if (!c.list_len || high)
        return;
    probe_require(p, low, "PASSWORD-ALGORITHMS is there, and the nonce's bits are %06x", c.features);
    probe_defined(p, "the nonce's bits %06x count from the last, as in the RFC's appendix B.1", c.features);
}

static void challenge_bare(struct probe *p)
{
    struct heard h = ask_message(p, probe_dial(p, CLIENT1), allocate_message(p));
    expect_code(p, &h, 401, "Allocate without credentials");
    probe_require(p, !heard_has(&h, ATTR_USERNAME) && !heard_has(&h, ATTR_USERHASH) && !has_mac(&h),
                  "the 401 has USERNAME, USERHASH or a MESSAGE-INTEGRITY");
}

static void missing_piece(struct probe *p)
{
    static const struct {
        unsigned piece;
        const char *name;
    } rows[] = {{WITH_USER, "USERNAME"}, {WITH_REALM, "REALM"}, {WITH_NONCE, "NONCE"}};
    for (size_t i = 0; i < 3; i++) {
        struct line *l = probe_dial(p, CLIENT1);
        struct challenge c = challenge_on(p, l, USER1);
        struct heard h = ask_with(&c, l, AS_5389 & ~rows[i].piece);
        probe_require(p, h.code == 400, "an Allocate with MESSAGE-INTEGRITY and without %s got %s", rows[i].name,
                      WORDS(&h));
        probe_require(p, !has_mac(&h), "the 400 has a MESSAGE-INTEGRITY");
        if (heard_has(&h, ATTR_REALM) || heard_has(&h, ATTR_NONCE))
            probe_defined(p, "the 400 has REALM or NONCE, which it should not");
    }
}

static void no_choice_is_md5(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    struct challenge c = challenge_on(p, l, USER1);
    if (!c.cookie)
        probe_skip(p, "the nonce has no cookie of RFC 8489: a server of RFC 5389");
    struct heard h = ask_with(&c, l, AS_5389);
    expect_code(p, &h, 0, "Allocate as of RFC 5389, without PASSWORD-ALGORITHM");
    probe_require(p, mac_right(&c, &h, WITH_SHA1), "its answer has no right MESSAGE-INTEGRITY");
}

static void list_as_offered(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    struct challenge c = challenge_8489(p, l, USER1);
    struct heard h = ask_with(&c, l, AS_8489 & ~(unsigned)WITH_LIST);
    probe_require(p, h.code == 400, "PASSWORD-ALGORITHM without PASSWORD-ALGORITHMS got %s", WORDS(&h));
    l = probe_dial(p, CLIENT1);
    c = challenge_8489(p, l, USER1);
    c.list[c.list_len++] = 0; /* one more that was not offered */
    c.list[c.list_len++] = 9;
    c.list[c.list_len++] = 0;
    c.list[c.list_len++] = 0;
    h = ask_with(&c, l, AS_8489);
    probe_require(p, h.code == 400, "a PASSWORD-ALGORITHMS that is not the one offered got %s", WORDS(&h));
    l = probe_dial(p, CLIENT1);
    c = challenge_8489(p, l, USER1);
    struct message *m = allocate_message(p);
    credentials_put(m, &c, AS_8489 & ~(unsigned)(WITH_CHOICE | WITH_SHA256));
    message_put_u32(m, ATTR_PASSWORD_ALGORITHM, UINT32_C(9) << 16);
    mac_put(m, &c, WITH_SHA256);
    h = ask_message(p, l, m);
    probe_require(p, h.code == 400, "a PASSWORD-ALGORITHM that is not in the list got %s", WORDS(&h));
}

static void unknown_user(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    struct challenge c = challenge_on(p, l, USER_UNKNOWN);
    struct heard h = ask_with(&c, l, AS_5389);
    expect_code(p, &h, 401, "Allocate of an unknown user");
    expect_challenge(p, &c, &h, "an unknown user");
}

static void wrong_password(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    struct challenge c = challenge_on(p, l, USER_WRONG_PASSWORD);
    struct heard h = ask_with(&c, l, AS_5389);
    expect_code(p, &h, 401, "Allocate with a wrong password");
    expect_challenge(p, &c, &h, "a wrong password");
    if (!c.sha256)
        return;
    l = probe_dial(p, CLIENT1);
    c = challenge_8489(p, l, USER1);
    struct message *m = allocate_message(p);
    credentials_put(m, &c, (AS_8489 | WITH_SHA1) & ~(unsigned)WITH_SHA256);
    message_put(m, ATTR_MESSAGE_INTEGRITY_SHA256, (const uint8_t[32]){1}, 32);
    h = ask_message(p, l, m);
    expect_code(p, &h, 401, "Allocate with a right MESSAGE-INTEGRITY and a wrong MESSAGE-INTEGRITY-SHA256");
}

static void stale_nonce(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    struct challenge c = challenge_on(p, l, USER1);
    spoil_nonce(&c);
    struct heard h = ask_with(&c, l, AS_5389);
    expect_code(p, &h, 438, "Allocate with the right password and a nonce that the server never gave");
    expect_challenge(p, &c, &h, "a nonce that is not valid");
    challenge_read(&c, &h);
    h = ask_with(&c, l, AS_5389);
    expect_code(p, &h, 0, "Allocate with the nonce of the 438");
    l = probe_dial(p, CLIENT1);
    c = challenge_on(p, l, USER_WRONG_PASSWORD);
    spoil_nonce(&c);
    h = ask_with(&c, l, AS_5389);
    probe_require(p, h.code == 401 || h.code == 438, "a wrong password and a nonce that is not valid got %s",
                  WORDS(&h));
    if (h.code == 401)
        return;
    probe_require(p, !c.cookie, "the nonce is checked before the password");
    probe_defined(p, "the nonce is checked before the password, as RFC 5389 has it");
}

static void challenges_protected(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    struct challenge c = challenge_on(p, l, USER1), unknown = challenge_on(p, l, USER_UNKNOWN);
    struct heard h401 = ask_with(&unknown, l, AS_5389);
    spoil_nonce(&c);
    struct heard h438 = ask_with(&c, l, AS_5389);
    probe_defined(p, "438 %s a MESSAGE-INTEGRITY, 401 to an unknown user %s", has_mac(&h438) ? "has" : "does not have",
                  has_mac(&h401) ? "has one" : "does not");
}

/* An Allocate and an error after authentication, each with the MAC of its request. */
static void answers_with(struct probe *p, struct challenge *c, struct line *l, unsigned pieces, unsigned mac)
{
    struct message *m = message_request(p, TURN_REFRESH);
    credentials_put(m, c, pieces);
    struct heard h[2] = {ask_message(p, l, m), ask_with(c, l, pieces)};
    probe_require(p, h[0].code > 0, "a Refresh without an allocation got %s", WORDS(&h[0]));
    expect_code(p, &h[1], 0, "Allocate");
    for (size_t i = 0; i < 2; i++) {
        probe_require(p, mac_right(c, &h[i], mac), "%s has no right %s", WORDS(&h[i]),
                      mac == WITH_SHA256 ? "MESSAGE-INTEGRITY-SHA256" : "MESSAGE-INTEGRITY");
        probe_require(p, !(mac == WITH_SHA256 ? h[i].stun.mac_at : h[i].stun.mac256_at),
                      "%s has a second kind of MESSAGE-INTEGRITY", WORDS(&h[i]));
    }
}

static void answers_protected(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    struct challenge c = challenge_on(p, l, USER1);
    answers_with(p, &c, l, AS_5389, WITH_SHA1);
    if (!c.sha256)
        return;
    l = probe_dial(p, CLIENT1);
    c = challenge_8489(p, l, USER1);
    answers_with(p, &c, l, AS_8489, WITH_SHA256);
    l = probe_dial(p, CLIENT1);
    c = challenge_8489(p, l, USER1);
    c.algorithm = ALGORITHM_MD5;
    answers_with(p, &c, l, AS_8489, WITH_SHA256);
}

static void answers_plain(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    struct challenge c = challenge_on(p, l, USER1);
    struct message *m = message_request(p, TURN_REFRESH);
    credentials_put(m, &c, AS_5389);
    struct heard h[2] = {ask_message(p, l, m), ask_with(&c, l, AS_5389)};
    for (size_t i = 0; i < 2; i++)
        probe_require(p, !heard_has(&h[i], ATTR_USERNAME) && !heard_has(&h[i], ATTR_REALM) &&
                      !heard_has(&h[i], ATTR_NONCE), "%s has USERNAME, REALM or NONCE", WORDS(&h[i]));
}

static void nonce_cookie(struct probe *p)
{
    struct challenge c = challenge_on(p, probe_dial(p, CLIENT1), USER1);
    probe_require(p, c.cookie || !c.list_len, "PASSWORD-ALGORITHMS is offered with a nonce that has no cookie");
    if (!c.cookie)
        probe_skip(p, "the nonce has no cookie, and nothing of RFC 8489 is offered: a server of RFC 5389");
}

static void md5_key(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    struct challenge c = challenge_on(p, l, USER1);
    struct heard h = ask_with(&c, l, AS_5389);
    expect_code(p, &h, 0, "Allocate whose key is the MD5 of user, realm and password");
    probe_require(p, mac_right(&c, &h, WITH_SHA1), "the answer's MESSAGE-INTEGRITY is made with another key");
}

static void by_userhash(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    struct challenge c = challenge_8489(p, l, USER1);
    if (!(c.features & (FEATURE_HASH | FEATURE_HASH_LOW)))
        probe_skip(p, "the server does not take USERHASH");
    struct heard h = ask_with(&c, l, (AS_8489 & ~(unsigned)WITH_USER) | WITH_HASH);
    expect_code(p, &h, 0, "Allocate with USERHASH instead of USERNAME");
    probe_require(p, mac_right(&c, &h, WITH_SHA256), "its answer has no right MESSAGE-INTEGRITY-SHA256");
}

/* The bits of both features, where they are claimed; and what the user hash is good for. */
static void feature_bits_held(struct probe *p)
{
    struct challenge c = challenge_on(p, probe_dial(p, CLIENT1), USER1);
    if (c.cookie && c.features & (FEATURE_HASH | FEATURE_HASH_LOW) && c.sha256)
        by_userhash(p);
    feature_bits(p);
}

/* ---- rows ---- */

static const struct requirement rows[] = {
    {"8489-9-1", "9", LEVEL_MUST, WHO_SERVER | WHO_CLIENT,
     "Attributes behind MESSAGE-INTEGRITY are ignored, except MESSAGE-INTEGRITY-SHA256 and FINGERPRINT.",
     .probe = behind_mac},
    {"8489-9.2-1", "9.2", LEVEL_MUST, WHO_SERVER,
     "The nonce of a server of RFC 8489 begins with obMatJos2 and four characters for 24 feature bits.",
     .probe = nonce_cookie},
    {"8489-9.2.2-1", "9.2.2", LEVEL_STATED, WHO_SERVER | WHO_CLIENT,
     "The long-term key is the MD5 of user, colon, realm, colon, password.", .probe = md5_key},
    {"8489-9.2.4-1", "9.2.4", LEVEL_MUST, WHO_SERVER,
     "A request without MESSAGE-INTEGRITY is answered 401 with REALM and NONCE.", .probe = bare_challenged},
    {"8489-9.2.4-2", "9.2.4", LEVEL_MUST_NOT, WHO_SERVER,
     "No two sources of address and port are given the same nonce; RFC 5389 does not forbid it.",
     .probe = nonces_differ},
    {"8489-9.2.4-3", "9.2.4", LEVEL_MAY, WHO_SERVER,
     "The 401 may offer PASSWORD-ALGORITHMS, in the order that the server prefers.", .probe = algorithms_offered},
    {"8489-9.2.4-4", "9.2.4", LEVEL_MUST, WHO_SERVER,
     "The nonce's feature bits say whether password algorithms are offered and USERHASH is taken, and that holds.",
     .probe = feature_bits_held},
    {"8489-9.2.4-5", "9.2.4", LEVEL_SHOULD_NOT, WHO_SERVER,
     "The 401 to a request without credentials has no USERNAME, USERHASH or MESSAGE-INTEGRITY.",
     .probe = challenge_bare},
    {"8489-9.2.4-6", "9.2.4", LEVEL_MUST, WHO_SERVER,
     "A request with MESSAGE-INTEGRITY but without USERNAME, REALM or NONCE is answered 400, without REALM and NONCE.",
     .probe = missing_piece},
    {"8489-9.2.4-7", "9.2.4", LEVEL_STATED, WHO_SERVER,
     "A request that chooses no password algorithm is one with MD5, also where others were offered.",
     .probe = no_choice_is_md5},
    {"8489-9.2.4-8", "9.2.4", LEVEL_MUST, WHO_SERVER,
     "A request that chooses a password algorithm repeats the list as it was offered, and its choice is in it; else "
     "400.",
     .probe = list_as_offered},
    {"8489-9.2.4-9", "9.2.4", LEVEL_MUST, WHO_SERVER,
     "An unknown user is answered 401 with REALM, NONCE, and the algorithms where they are offered.",
     .probe = unknown_user},
    {"8489-9.2.4-10", "9.2.4", LEVEL_MUST, WHO_SERVER,
     "A wrong MESSAGE-INTEGRITY-SHA256, or where that is not there a wrong MESSAGE-INTEGRITY, is answered 401 with "
     "REALM and NONCE.",
     .probe = wrong_password},
    {"8489-9.2.4-11", "9.2.4", LEVEL_MUST, WHO_SERVER,
     "A nonce that is not valid is answered 438 with a good one, and is looked at last; RFC 5389 looks at it before "
     "the password.",
     .probe = stale_nonce},
    {"8489-9.2.4-12", "9.2.4", LEVEL_MAY, WHO_SERVER,
     "A 438, and a 401 to an unknown user, may have a MESSAGE-INTEGRITY; in RFC 5389 they should not.",
     .probe = challenges_protected},
    {"8489-9.2.4-13", "9.2.4", LEVEL_MUST, WHO_SERVER,
     "The answer after authentication has MESSAGE-INTEGRITY-SHA256, or MESSAGE-INTEGRITY to a request without a choice "
     "of algorithm.",
     .probe = answers_protected},
    {"8489-9.2.4-14", "9.2.4", LEVEL_SHOULD_NOT, WHO_SERVER,
     "The answer after authentication has no USERNAME, REALM or NONCE.", .probe = answers_plain},
};

const struct section rfc8489_auth_server = SECTION(rows);
