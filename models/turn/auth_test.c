/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server rows of RFC 8489 on credentials: MD5 and SHA-256, by name and by hash, and the order of the checks. Each
 * test named after its rows. What 5389 and 8489 have in common is tested in server_test.c, on messages in models/stun.
 *
 * Server rows of RFC 8489 that no test in this folder names, and why:
 *
 *   9.1.*                short-term credentials: not TURN's; those of ICE are in models/ice
 *   6.2.3-*              TLS and DTLS: none
 *   8-1, 10-2, 15-1      the client's, or DNS: none
 *   11-1                 RFC 3489 compatibility: TURN has none (8656-5-12)
 *   14.3-1, 14.9-1,      lengths of the operator's own texts
 *   14.14-1
 *   9.2.4-12             a MAC on 438 and on 401 for an unknown user: may be, is not */
#include "models/turn/bench_test.h"

#define ALGORITHMS "80020008 0002000000010000 "
#define SHA256 "001d0004 00020000 "
#define MD5 "001d0004 00010000 "

/* What a request carries beside its attributes. */
struct form {
    bool userhash, sha256_key, sha1_mac, sha256_mac;
    const char *algorithms; /* attributes, as hex */
    const char *password;   /* NULL: the right one */
};

static size_t compose_as(struct client *c, unsigned method, const char *attrs, const struct form *f, uint8_t *buf,
                         size_t cap)
{
    struct stun_id id = {{0x21, 0x12, 0xa4, 0x42, ++c->tid}};
    struct stun_out o;
    uint8_t hash[32], md5_key[16], sha256_key[32];
    const char *password = f->password ? f->password : strcmp(c->user, "alice") == 0 ? "secret" : "hidden";
    stun_userhash(c->user, "example.org", hash);
    stun_long_term_key(c->user, "example.org", password, md5_key);
    stun_long_term_key_sha256(c->user, "example.org", password, sha256_key);
    const uint8_t *key = f->sha256_key ? sha256_key : md5_key;
    size_t key_len = f->sha256_key ? sizeof sha256_key : sizeof md5_key;
    stun_begin(&o, &stun_rfc8489, buf, cap, stun_type(STUN_REQUEST, method), &id);
    put_hex(&o, attrs);
    if (f->userhash)
        stun_put(&o, ATTR_USERHASH, hash, sizeof hash);
    else
        stun_put_text(&o, ATTR_USERNAME, c->user);
    stun_put_text(&o, ATTR_REALM, "example.org");
    stun_put_text(&o, ATTR_NONCE, c->nonce);
    put_hex(&o, f->algorithms);
    if (f->sha1_mac)
        stun_put_integrity(&o, key, key_len, false);
    if (f->sha256_mac)
        stun_put_integrity_sha256(&o, key, key_len);
    long n = stun_end(&o);
    assert_true(n > 0);
    return (size_t)n;
}

static int ask_as(struct bench *b, struct udp_client *u, unsigned method, const char *attrs, const struct form *f)
{
    uint8_t buf[1024];
    size_t n = compose_as(&u->c, method, attrs, f, buf, sizeof buf);
    udp_send(b, u, buf, n);
    return udp_answer(b, u);
}

/* The answer has this MAC, with the key of the request's form, and no other. */
static bool answered_with(const struct udp_client *u, bool sha256, bool sha256_key)
{
    uint8_t md5_key[16], key[32];
    const struct stun_msg *m = &u->c.m;
    stun_long_term_key(u->c.user, "example.org", "secret", md5_key);
    stun_long_term_key_sha256(u->c.user, "example.org", "secret", key);
    if ((m->mac_at != 0) == sha256 || (m->mac256_at != 0) != sha256)
        return false;
    if (!sha256)
        return stun_check_integrity(m, md5_key, sizeof md5_key) == 0;
    return (sha256_key ? stun_check_integrity_sha256(m, key, sizeof key)
                       : stun_check_integrity_sha256(m, md5_key, sizeof md5_key)) == 0;
}

/* 9.2.4-1, -3, -4, -5, -2, 9.2-1: what the challenge says. */
static void challenge(void **state)
{
    (void)state;
    struct bench *b = bench();
    struct udp_client u = udp_client(b, "10.0.0.2:5000", "alice");
    struct stun_attr a;
    assert_int_equal(stun_parse(&stun_rfc8489, u.c.buf, u.c.m.len, &u.c.m), 0); /* it is a copy */
    assert_true(stun_find(&u.c.m, ATTR_PASSWORD_ALGORITHMS, &a));
    assert_int_equal(a.len, 8);
    assert_memory_equal(a.value, "\x00\x02\x00\x00\x00\x01\x00\x00", 8);
    assert_int_equal(strncmp(u.c.nonce, "obMatJos2wAAA", 13), 0); /* both features: the first two bits */
    static const enum stun_attr_type absent[] = {ATTR_USERNAME, ATTR_USERHASH, ATTR_MESSAGE_INTEGRITY,
                                                 ATTR_MESSAGE_INTEGRITY_SHA256};
    for (size_t i = 0; i < COUNT(absent); i++)
        assert_false(stun_find(&u.c.m, absent[i], &a));
    bench_free(b);
    struct turn_config cfg = bench_config();
    cfg.profile = &turn_expressway; /* of RFC 5389's days */
    b = bench_with(&cfg);
    u = udp_client(b, "10.0.0.2:5000", "alice");
    assert_int_equal(stun_parse(&stun_rfc8489, u.c.buf, u.c.m.len, &u.c.m), 0);
    assert_false(stun_find(&u.c.m, ATTR_PASSWORD_ALGORITHMS, &a));
    assert_int_not_equal(strncmp(u.c.nonce, "obMatJos2", 9), 0);
    static const struct form sha256 = {.sha256_key = true, .sha256_mac = true, .algorithms = ALGORITHMS SHA256};
    assert_int_equal(ask_as(b, &u, TURN_ALLOCATE, UDP, &sha256), 401); /* it knows no such MAC */
    static const struct form hashed = {.userhash = true, .sha1_mac = true, .algorithms = ""};
    assert_int_equal(ask_as(b, &u, TURN_ALLOCATE, UDP, &hashed), 400);
    bench_free(b);
}

/* 9.2.4-7, -8, -10, -13, 14.4-1, 14.6-1: what is taken, and how the answer is protected. */
static void forms(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct form form;
        int code;
        bool sha256, sha256_key; /* of the answer's MAC */
    } table[] = {
        {"as in RFC 5389", {.sha1_mac = true, .algorithms = ""}, 0, false, false},
        {"SHA-256", {.sha256_key = true, .sha256_mac = true, .algorithms = ALGORITHMS SHA256}, 0, true, true},
        {"MD5, SHA-256 MAC", {.sha256_mac = true, .algorithms = ALGORITHMS MD5}, 0, true, false},
        {"MD5, SHA-1 MAC", {.sha1_mac = true, .algorithms = ALGORITHMS MD5}, 0, true, false},
        {"both MACs", {.sha256_key = true, .sha1_mac = true, .sha256_mac = true, .algorithms = ALGORITHMS SHA256}, 0,
         true, true},
        {"no algorithm, SHA-256 MAC", {.sha256_mac = true, .algorithms = ""}, 0, false, false},
        {"by hash", {.userhash = true, .sha256_key = true, .sha256_mac = true, .algorithms = ALGORITHMS SHA256}, 0,
         true, true},
        {"by hash, as in RFC 5389", {.userhash = true, .sha1_mac = true, .algorithms = ""}, 0, false, false},
        {"the list alone", {.sha256_key = true, .sha256_mac = true, .algorithms = ALGORITHMS}, 400, false, false},
        {"the choice alone", {.sha256_key = true, .sha256_mac = true, .algorithms = SHA256}, 400, false, false},
        {"another list", {.sha256_mac = true, .algorithms = "80020008 0001000000020000 " MD5}, 400, false, false},
        {"a shorter list", {.sha256_mac = true, .algorithms = "80020004 00010000 " MD5}, 400, false, false},
        {"a choice that was not offered",
         {.sha256_mac = true, .algorithms = ALGORITHMS "001d0004 00030000"}, 400, false, false},
        {"the wrong key", {.sha256_mac = true, .algorithms = ALGORITHMS SHA256}, 401, false, false},
        {"the wrong password",
         {.sha256_key = true, .sha256_mac = true, .algorithms = ALGORITHMS SHA256, .password = "x"}, 401, false, false},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct bench *b = bench();
        struct udp_client u = udp_client(b, "10.0.0.2:5000", "alice");
        int code = ask_as(b, &u, TURN_ALLOCATE, UDP, &table[i].form);
        if (code != table[i].code)
            fail_msg("%s: %d", table[i].name, code);
        struct stun_attr a;
        static const enum stun_attr_type challenges[] = {ATTR_REALM, ATTR_NONCE, ATTR_PASSWORD_ALGORITHMS};
        for (size_t k = 0; k < 3; k++) /* 9.2.4-6, -9, -10, -14: with 401, not with 400 and what else there is */
            assert_int_equal(stun_find(&u.c.m, challenges[k], &a), code == 401);
        bool plain = !u.c.m.mac_at && !u.c.m.mac256_at;
        if (code ? !plain : !answered_with(&u, table[i].sha256, table[i].sha256_key))
            fail_msg("%s: the answer's MAC", table[i].name);
        if (!code && strcmp(table[i].name, "no algorithm, SHA-256 MAC") != 0) { /* errors are protected alike */
            assert_int_equal(ask_as(b, &u, TURN_ALLOCATE, UDP, &table[i].form), 437);
            assert_true(answered_with(&u, table[i].sha256, table[i].sha256_key));
        }
        bench_free(b);
    }
}

/* 9.2.4: the order of the checks, where two of them would fail. */
static void order(void **state)
{
    (void)state;
    static const struct form plain = {.sha1_mac = true, .algorithms = ""},
                             bare = {.algorithms = ""},
                             half = {.sha1_mac = true, .algorithms = MD5},
                             wrong = {.sha1_mac = true, .algorithms = "", .password = "wrong"};
    struct bench *b = bench();
    struct udp_client u = udp_client(b, "10.0.0.2:5000", "alice");
    assert_int_equal(ask_as(b, &u, TURN_ALLOCATE, UDP, &bare), 401); /* -1 */
    u.c.user = "mallory";
    assert_int_equal(ask_as(b, &u, TURN_ALLOCATE, UDP, &half), 400); /* -8 before -9 */
    assert_int_equal(ask_as(b, &u, TURN_ALLOCATE, UDP "7abc0000", &plain), 401); /* 6.3-2: before 420 */
    u.c.user = "alice";
    char good[sizeof u.c.nonce];
    memcpy(good, u.c.nonce, sizeof good);
    u.c.nonce[20] ^= 1;
    assert_int_equal(ask_as(b, &u, TURN_ALLOCATE, UDP, &wrong), 401); /* -10 before -11 */
    assert_int_equal(ask_as(b, &u, TURN_ALLOCATE, UDP, &plain), 438);
    struct stun_attr a;
    assert_true(stun_find(&u.c.m, ATTR_PASSWORD_ALGORITHMS, &a) && stun_find(&u.c.m, ATTR_REALM, &a));
    take_nonce(&u.c);
    assert_int_equal(ask_as(b, &u, TURN_ALLOCATE, UDP, &plain), 0);
    bench_free(b);
}

/* 14.3-2, 14.3-1: a name of 763 bytes is a name; two of them: the first (14-3); 14-2: padding of any kind. */
static void names(void **state)
{
    (void)state;
    struct bench *b = bench();
    struct udp_client u = udp_client(b, "10.0.0.2:5000", "alice");
    char longest[764];
    memset(longest, 'x', 763);
    longest[763] = '\0';
    u.c.user = longest;
    static const struct form plain = {.sha1_mac = true, .algorithms = ""};
    uint8_t buf[2048];
    size_t n = compose_as(&u.c, TURN_ALLOCATE, UDP, &plain, buf, sizeof buf);
    udp_send(b, &u, buf, n);
    assert_int_equal(udp_answer(b, &u), 401);
    u.c.user = "alice"; /* USERNAME is of five bytes: three of padding */
    struct stun_id id = {{0x21, 0x12, 0xa4, 0x42, ++u.c.tid}};
    struct stun_out o;
    uint8_t key[16];
    stun_begin(&o, &stun_rfc8489, buf, sizeof buf, 0x0003, &id);
    put_hex(&o, UDP);
    stun_put_text(&o, ATTR_USERNAME, "alice");
    memset(o.w.p - 3, 0x20, 3);
    stun_put_text(&o, ATTR_USERNAME, "bob");
    stun_put_text(&o, ATTR_REALM, "example.org");
    stun_put_text(&o, ATTR_NONCE, u.c.nonce);
    key_of(&u.c, key);
    stun_put_integrity(&o, key, sizeof key, false);
    stun_put_u32(&o, ATTR_LIFETIME, 3000); /* 9-1: behind the MAC nothing counts */
    udp_send(b, &u, buf, (size_t)stun_end(&o));
    assert_int_equal(udp_answer(b, &u), 0);
    uint32_t lifetime;
    assert_int_equal(stun_get_u32(&u.c.m, ATTR_LIFETIME, &lifetime), 0);
    assert_int_equal(lifetime, 600);
    bench_free(b);
}

/* 9.2.4-2, 8656-5-3: a thousand challenges, from as many ports and from one: no two nonces alike, nor half so. */
static void nonces(void **state)
{
    (void)state;
    struct bench *b = bench();
    static char seen[1000][sizeof ((struct client *)0)->nonce];
    for (unsigned i = 0; i < 1000; i++) {
        char at[32];
        snprintf(at, sizeof at, "10.0.0.2:%u", 5000 + (i < 500 ? i : 0));
        struct udp_client u = udp_client(b, at, "alice");
        memcpy(seen[i], u.c.nonce, sizeof seen[i]);
        for (unsigned k = 0; k < i; k++) {
            assert_string_not_equal(seen[i], seen[k]);
            assert_string_not_equal(seen[i] + 29, seen[k] + 29); /* behind cookie, time and number: the MAC */
        }
    }
    bench_free(b);
}

/* A secret of the host's: other nonces, ids and ports; and nothing that depends on the io's seed. */
static void the_secret_decides(void **state)
{
    (void)state;
    char nonce[4][100];
    uint16_t port[4];
    for (unsigned i = 0; i < 4; i++) {
        uint8_t secret[32];
        memset(secret, (int)i / 2, sizeof secret);
        struct turn_config cfg = bench_config();
        cfg.secret = secret;
        struct bench *b = bench_with(&cfg);
        struct endpoint relayed;
        struct udp_client u = udp_allocated(b, "10.0.0.2:5000", "alice", &relayed);
        memcpy(nonce[i], u.c.nonce, sizeof u.c.nonce);
        port[i] = relayed.port;
        bench_free(b);
    }
    assert_string_equal(nonce[0], nonce[1]);
    assert_int_equal(port[0], port[1]);
    assert_string_not_equal(nonce[1], nonce[2]);
    assert_int_not_equal(port[1], port[2]);
}

/* An unknown user by hash is 401 as by name; a hash of another length is none: 400. */
static void hashes(void **state)
{
    (void)state;
    struct bench *b = bench();
    struct udp_client u = udp_client(b, "10.0.0.2:5000", "mallory");
    static const struct form hashed = {.userhash = true, .sha1_mac = true, .algorithms = ""};
    assert_int_equal(ask_as(b, &u, TURN_ALLOCATE, UDP, &hashed), 401);
    u.c.user = "alice";
    for (unsigned len = 31; len <= 33; len += 2) {
        uint8_t buf[512], hash[36] = {0}, key[16];
        struct stun_id id = {{0x21, 0x12, 0xa4, 0x42, ++u.c.tid}};
        struct stun_out o;
        stun_begin(&o, &stun_rfc8489, buf, sizeof buf, 0x0003, &id);
        stun_put(&o, ATTR_USERHASH, hash, len);
        stun_put_text(&o, ATTR_REALM, "example.org");
        stun_put_text(&o, ATTR_NONCE, u.c.nonce);
        key_of(&u.c, key);
        stun_put_integrity(&o, key, sizeof key, false);
        udp_send(b, &u, buf, (size_t)stun_end(&o));
        assert_int_equal(udp_answer(b, &u), 400);
    }
    bench_free(b);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        {"8489-9.2.4-1..5, 9.2-1 challenge", challenge, NULL, NULL, NULL},
        {"8489-9.2.4-7, -8, -10, -13, 14.4-1, 14.6-1 forms", forms, NULL, NULL, NULL},
        {"8489-9.2.4 order", order, NULL, NULL, NULL},
        {"8489-14.3-2, 14-2, 14-3, 9-1 names", names, NULL, NULL, NULL},
        {"8489-9.2.4-2, 8656-5-3 nonces", nonces, NULL, NULL, NULL},
        {"the secret decides", the_secret_decides, NULL, NULL, NULL},
        {"8489-14.4-1 hashes", hashes, NULL, NULL, NULL},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
