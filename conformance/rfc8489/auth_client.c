/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 8489 9.1, 9.2.3 and 9.2.5: credentials at the client, against a scripted server. */
#include <string.h>

#include "conformance/rfc8489/script.h"
#include "conformance/rfc8489/sections.h"

#define LIST_SHA256_MD5 "00020000 00010000"

static bool has_credentials(const struct heard *h)
{
    return heard_has(h, ATTR_USERNAME) || heard_has(h, ATTR_USERHASH) || heard_has(h, ATTR_REALM) ||
           heard_has(h, ATTR_NONCE) || h->stun.mac_at || h->stun.mac256_at;
}

static bool text_is(const struct heard *h, enum stun_attr_type type, const char *want)
{
    struct stun_attr a;
    return stun_find(&h->stun, type, &a) && a.len == strlen(want) && memcmp(a.value, want, a.len) == 0;
}

/* The client's answer to a challenge of its bare Allocate; fails the probe when it does not ask again. */
static struct heard challenged(struct script *s, struct probe *p, const char *nonce, const char *list)
{
    script_begin(s, p, false);
    struct heard h = script_request(s, TURN_ALLOCATE);
    script_challenge(s, &h, 401, nonce, list);
    return script_request(s, TURN_ALLOCATE);
}

/* The client does not ask again after that challenge. */
static void expect_no_retry(struct probe *p, const char *nonce, const char *list, const char *what)
{
    struct script s = {0};
    script_begin(&s, p, false);
    struct heard h = script_request(&s, TURN_ALLOCATE);
    script_challenge(&s, &h, 401, nonce, list);
    h = line_hear(s.line, 5 * NS_S);
    probe_require(p, h.kind != HEARD_STUN, "after %s the client sent %s", what, WORDS(&h));
}

static void first_is_bare(struct probe *p)
{
    struct script s = {0};
    script_begin(&s, p, false);
    struct heard h = script_request(&s, TURN_ALLOCATE);
    probe_require(p, !has_credentials(&h), "the first Allocate has credentials");
}

static void bind_has_credentials(struct probe *p)
{
    struct script s = {0};
    script_begin(&s, p, false);
    script_grant(&s);
    struct endpoint peer = {probe_ip(p, PEER1, IP_V4), 5000};
    subject_wish(p, &(struct wish){.kind = WISH_CONNECT, .peer = peer});
    struct heard h = script_request(&s, TURN_CONNECT);
    probe_require(p, text_is(&h, ATTR_REALM, SCRIPT_REALM) && text_is(&h, ATTR_NONCE, "nonce-of-5389"),
                  "Connect does not have realm and nonce of the server");
    struct message *m = script_answer(&s, &h, 0);
    message_put_u32(m, ATTR_CONNECTION_ID, 77);
    script_sign(&s, m);
    script_send(&s, m);
    probe_require(p, script_next_line(&s, 5 * NS_S), "the client opened no data connection");
    h = script_request(&s, TURN_CONNECTION_BIND);
    probe_require(p, mac_right(&s.c, &h, WITH_SHA1),
                  "the first ConnectionBind on its connection has no right credentials");
}

static void bid_down(struct probe *p)
{
    expect_no_retry(p, NONCE_ALGORITHMS, NULL,
                    "a 401 whose nonce promises password algorithms, and which has no list of them,");
}

/* Asked with that nonce the client has a name, realm and nonce, and a MAC that is right. */
static struct heard asks_again(struct script *s, struct probe *p, const char *nonce, const char *list)
{
    struct heard h = challenged(s, p, nonce, list);
    s->c.algorithm = list ? ALGORITHM_SHA256 : ALGORITHM_NONE;
    probe_require(p, text_is(&h, ATTR_REALM, SCRIPT_REALM) && text_is(&h, ATTR_NONCE, nonce),
                  "the second Allocate does not have REALM and NONCE of the 401");
    probe_require(p, mac_right(&s->c, &h, list ? WITH_SHA256 : WITH_SHA1), "the second Allocate has no right MAC");
    return h;
}

static void user_named(struct probe *p)
{
    struct script s = {0};
    uint8_t hash[32];
    struct stun_attr a;
    struct heard h = asks_again(&s, p, "nonce-1", NULL);
    probe_require(p, text_is(&h, ATTR_USERNAME, s.c.login->name), "the second Allocate does not have USERNAME");
    h = asks_again(&s, p, NONCE_BOTH, LIST_SHA256_MD5);
    stun_userhash(s.c.login->name, SCRIPT_REALM, hash);
    probe_require(p, stun_find(&h.stun, ATTR_USERHASH, &a) && a.len == sizeof hash &&
                  memcmp(a.value, hash, sizeof hash) == 0,
                  "the nonce says that the server takes USERHASH, and the client sent none that is right");
    probe_require(p, !heard_has(&h, ATTR_USERNAME), "USERNAME tells what USERHASH was to hide");
}

/* An algorithm that nobody has, MD5, SHA-256: the list comes back unchanged, and MD5 is the first that will do. */
static void first_supported(struct probe *p)
{
    static const uint8_t offered[] = {0, 9, 0, 0, 0, ALGORITHM_MD5, 0, 0, 0, ALGORITHM_SHA256, 0, 0};
    struct script s = {0};
    struct heard h = challenged(&s, p, NONCE_ALGORITHMS, "00090000 00010000 00020000");
    struct stun_attr a;
    uint32_t choice = 0;
    probe_require(p, stun_find(&h.stun, ATTR_PASSWORD_ALGORITHMS, &a) && a.len == sizeof offered &&
                  memcmp(a.value, offered, sizeof offered) == 0, "PASSWORD-ALGORITHMS was not sent back as it came");
    probe_require(p, heard_u32(&h, ATTR_PASSWORD_ALGORITHM, &choice) && choice == ALGORITHM_MD5 << 16,
                  "of the algorithms 9, 1 and 2 the client chose %u", choice >> 16);
    s.c.algorithm = ALGORITHM_MD5;
    probe_require(p, mac_right(&s.c, &h, WITH_SHA256), "its MESSAGE-INTEGRITY-SHA256 is not made with the MD5 key");
}

static void no_algorithm(struct probe *p)
{
    expect_no_retry(p, NONCE_ALGORITHMS, "00090000", "a 401 that offers only an unknown password algorithm");
}

static void one_retry(struct probe *p)
{
    struct script s = {0};
    struct heard h = challenged(&s, p, "nonce-1", NULL);
    script_challenge(&s, &h, 401, "nonce-1", NULL);
    h = line_hear(s.line, 5 * NS_S);
    probe_require(p, h.kind != HEARD_STUN, "after a second 401 with nothing changed the client sent %s", WORDS(&h));
}

static void new_nonce(struct probe *p)
{
    struct script s = {0};
    struct heard h = challenged(&s, p, "nonce-1", NULL);
    script_challenge(&s, &h, 438, "nonce-2", NULL);
    h = script_request(&s, TURN_ALLOCATE);
    probe_require(p, text_is(&h, ATTR_NONCE, "nonce-2"), "after a 438 the client's nonce is not the new one");
    probe_require(p, mac_right(&s.c, &h, WITH_SHA1), "after a 438 the client's MESSAGE-INTEGRITY is not right");
}

static void nonce_promises_on_success(struct probe *p)
{
    struct script s = {0};
    struct heard h = challenged(&s, p, "nonce-1", NULL);
    struct message *m = script_allocated(&s, &h);
    message_put_text(m, ATTR_NONCE, NONCE_ALGORITHMS);
    script_sign(&s, m);
    script_send(&s, m);
    probe_require(p, !subject_told(p, TOLD_ALLOCATED, NS_S),
                  "a success was taken whose nonce promises password algorithms that it does not list");
}

static void unprotected_400(struct probe *p)
{
    struct script s = {0};
    struct heard h = challenged(&s, p, "nonce-1", NULL);
    script_send(&s, script_answer(&s, &h, 400));
    probe_require(p, !subject_told(p, TOLD_REFUSED, 30 * NS_S),
                  "a 400 without MESSAGE-INTEGRITY has ended the transaction");
    struct message *m = script_allocated(&s, &h);
    script_sign(&s, m);
    script_send(&s, m);
    probe_require(p, subject_told(p, TOLD_ALLOCATED, 5 * NS_S),
                  "after a 400 without MESSAGE-INTEGRITY the right answer was not taken");
}

/* A success with a MAC that is not right. */
static void forge(struct script *s, struct probe *p, bool udp)
{
    script_begin(s, p, udp);
    struct heard h = script_request(s, TURN_ALLOCATE);
    script_challenge(s, &h, 401, "nonce-1", NULL);
    h = script_request(s, TURN_ALLOCATE);
    struct message *m = script_allocated(s, &h);
    message_put(m, ATTR_MESSAGE_INTEGRITY, (const uint8_t[20]){1}, 20);
    script_send(s, m);
    probe_require(p, !subject_told(p, TOLD_ALLOCATED, 200 * NS_MS),
                  "a success with a wrong MESSAGE-INTEGRITY was taken");
}

static void forged(struct probe *p)
{
    struct script s = {0};
    forge(&s, p, false);
    probe_require(p, subject_told(p, TOLD_REFUSED, 2 * NS_S),
                  "over TCP, a success with a wrong MESSAGE-INTEGRITY has not ended the transaction");
    forge(&s, p, true);
    struct heard h = script_request(&s, TURN_ALLOCATE); /* it goes on asking */
    struct message *m = script_allocated(&s, &h);
    script_sign(&s, m);
    script_send(&s, m);
    probe_require(p, subject_told(p, TOLD_ALLOCATED, 2 * NS_S),
                  "over UDP, after a success with a wrong MESSAGE-INTEGRITY the right one was not taken");
}

static void sha256_from_then_on(struct probe *p)
{
    struct script s = {0};
    struct heard h = challenged(&s, p, NONCE_ALGORITHMS, LIST_SHA256_MD5);
    s.c.algorithm = ALGORITHM_SHA256;
    struct message *m = script_allocated(&s, &h);
    script_sign(&s, m);
    script_send(&s, m);
    probe_require(p, subject_told(p, TOLD_ALLOCATED, 5 * NS_S), "the allocation was not taken");
    subject_wish(p, &(struct wish){.kind = WISH_PERMIT, .peer = {probe_ip(p, PEER1, IP_V4), 0}});
    struct heard next = script_request(&s, TURN_CREATE_PERMISSION);
    const struct heard *both[] = {&h, &next};
    for (size_t i = 0; i < 2; i++) {
        probe_require(p, mac_right(&s.c, both[i], WITH_SHA256), "%s has no right MESSAGE-INTEGRITY-SHA256",
                      WORDS(both[i]));
        probe_require(p, !both[i]->stun.mac_at, "%s has MESSAGE-INTEGRITY as well", WORDS(both[i]));
    }
}

/* ---- rows ---- */

#define SHORT_TERM "TURN has long-term credentials only; short-term ones are those of ICE, between its agents"

static const struct requirement rows[] = {
    {"8489-9.1.2-1", "9.1.2", LEVEL_MUST, WHO_CLIENT,
     "Short-term credentials: the first request has USERNAME and both kinds of MESSAGE-INTEGRITY, in ICE the older "
     "one.",
     .none = SHORT_TERM},
    {"8489-9.1.3-1", "9.1.3", LEVEL_MUST, WHO_SERVER,
     "Short-term credentials: a request without MESSAGE-INTEGRITY or USERNAME is answered 400.", .none = SHORT_TERM},
    {"8489-9.1.3-2", "9.1.3", LEVEL_MUST, WHO_SERVER,
     "Short-term credentials: an unknown user or a wrong MESSAGE-INTEGRITY is answered 401.", .none = SHORT_TERM},
    {"8489-9.1.3-3", "9.1.3", LEVEL_MUST, WHO_SERVER,
     "Short-term credentials: a response has the one kind of MESSAGE-INTEGRITY of its request, and no USERNAME.",
     .none = SHORT_TERM},
    {"8489-9.1.4-1", "9.1.4", LEVEL_MUST, WHO_CLIENT,
     "Short-term credentials: a response with a wrong MESSAGE-INTEGRITY is dropped over UDP and the end over TCP.",
     .none = SHORT_TERM},
    {"8489-9.1.5-1", "9.1.5", LEVEL_MUST, WHO_CLIENT,
     "Short-term credentials: later requests have the one kind of MESSAGE-INTEGRITY of the first response.",
     .none = SHORT_TERM},
    {"8489-9.2.3-1", "9.2.3.1", LEVEL_MUST, WHO_CLIENT,
     "The first request to a server has no credentials (RFC 5389: it should not).", .probe = first_is_bare,
     .needs = NEED_CLIENT},
    {"8489-9.2.3-2", "9.2.3.2", LEVEL_MUST, WHO_CLIENT,
     "Later requests have user, realm and nonce, also the first one on a new connection to the same server.",
     .probe = bind_has_credentials, .needs = NEED_CLIENT},
    {"8489-9.2.5-1", "9.2.5", LEVEL_MUST, WHO_CLIENT,
     "When the nonce promises password algorithms and none are listed the client does not ask again.",
     .probe = bid_down, .needs = NEED_CLIENT},
    {"8489-9.2.5-2", "9.2.5", LEVEL_SHOULD, WHO_CLIENT,
     "After a 401 the client asks again with REALM, NONCE and USERNAME, or USERHASH where the nonce says that the "
     "server takes it.",
     .probe = user_named, .needs = NEED_CLIENT},
    {"8489-9.2.5-3", "9.2.5", LEVEL_MUST, WHO_CLIENT,
     "The client repeats PASSWORD-ALGORITHMS unchanged, and chooses the first of them that it supports.",
     .probe = first_supported, .needs = NEED_CLIENT},
    {"8489-9.2.5-4", "9.2.5", LEVEL_MUST_NOT, WHO_CLIENT,
     "When it supports none of the password algorithms the client does not ask again.", .probe = no_algorithm,
     .needs = NEED_CLIENT},
    {"8489-9.2.5-5", "9.2.5", LEVEL_MUST_NOT, WHO_CLIENT,
     "After a 401 to a request with credentials the client does not ask again with the same ones.", .probe = one_retry,
     .needs = NEED_CLIENT},
    {"8489-9.2.5-6", "9.2.5", LEVEL_MUST, WHO_CLIENT, "After a 438 the client asks again with the new nonce.",
     .probe = new_nonce, .needs = NEED_CLIENT},
    {"8489-9.2.5-7", "9.2.5", LEVEL_MUST, WHO_CLIENT,
     "Any other response whose nonce promises password algorithms and that lists none is ignored.",
     .probe = nonce_promises_on_success, .needs = NEED_CLIENT},
    {"8489-9.2.5-8", "9.2.5", LEVEL_MUST, WHO_CLIENT,
     "A 400 without MESSAGE-INTEGRITY is treated as if it had never come.", .probe = unprotected_400,
     .needs = NEED_CLIENT},
    {"8489-9.2.5-9", "9.2.5", LEVEL_MUST, WHO_CLIENT,
     "A response with a wrong MESSAGE-INTEGRITY ends the transaction over TCP, and over UDP is as if it had not come.",
     .probe = forged, .needs = NEED_CLIENT | NEED_UDP_CLIENT},
    {"8489-9.2.5-10", "9.2.5", LEVEL_MUST, WHO_CLIENT,
     "Once PASSWORD-ALGORITHMS was offered the client's requests have MESSAGE-INTEGRITY-SHA256 only.",
     .probe = sha256_from_then_on, .needs = NEED_CLIENT},
};

const struct section rfc8489_auth_client = SECTION(rows);
