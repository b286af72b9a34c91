/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Long-term credentials: RFC 8489 9.2.4, and in a profile of its time RFC 5389 10.2.
 *
 * A nonce needs no memory: the second of its making, 32 unguessable bits so that no two sources ever get the same, and
 * a MAC over both and the client's IP address under a secret of this server. It is good for an hour, from that address:
 * so the one of the control connection serves on a data connection too (6062-X-12). */
#include <stdio.h>
#include <string.h>

#include "models/base/hash.h"
#include "models/turn/server.h"

enum { STAMP = 16, MAC = 20 }; /* hex digits of time and random; bytes of the MAC shown */
enum { ALGORITHM_MD5 = 1, ALGORITHM_SHA256 = 2 }; /* 8489 18.5 */

/* 9.2.1: in order of preference. */
const uint8_t turn_algorithms[ALGORITHMS_LEN] = {0, ALGORITHM_SHA256, 0, 0, 0, ALGORITHM_MD5, 0, 0};

void turn_unguessable(struct turn *t, void *out, size_t len)
{
    struct oracle *o = &t->oracle;
    for (uint8_t *p = out; len; len--) {
        if (o->left == 0) {
            uint8_t count[9] = {'r'}; /* nothing else under the secret is that short: see stamp_nonce */
            store64(count + 1, ++o->counter);
            hmac_sha256(o->secret, sizeof o->secret, &(struct piece){count, sizeof count}, 1, o->block);
            o->left = sizeof o->block;
        }
        *p++ = o->block[--o->left];
    }
}

/* The address has 17 bytes, the stamp 16. */
static void stamp_nonce(const struct turn *t, const struct tuple *from, const char stamp[STAMP], char *out)
{
    uint8_t mac[HASH_SHA256];
    const struct piece text[] = {{stamp, STAMP}, {&from->remote.ip, sizeof from->remote.ip}};
    hmac_sha256(t->oracle.secret, sizeof t->oracle.secret, text, 2, mac);
    memcpy(out, stamp, STAMP);
    hex_of(mac, MAC, out + STAMP);
}

/* 8489 9.2, 18.1: the nonce cookie, and the two features, password algorithms and user hashes, the first bits. */
static const char *cookie(const struct turn *t)
{
    return t->cfg.profile->rfc8489 ? "obMatJos2wAAA" : "";
}

void turn_nonce(struct turn *t, const struct tuple *from, char out[NONCE_MAX])
{
    uint8_t stamp[STAMP / 2];
    char hex[STAMP + 1];
    store32(stamp, (uint32_t)(io_now(t->io) / NS_S));
    turn_unguessable(t, stamp + 4, 4);
    hex_of(stamp, sizeof stamp, hex);
    const char *prefix = cookie(t);
    size_t n = strlen(prefix);
    memcpy(out, prefix, n);
    stamp_nonce(t, from, hex, out + n);
}

static bool nonce_good(const struct turn *t, const struct tuple *from, const char *s, size_t len)
{
    const char *prefix = cookie(t);
    size_t n = strlen(prefix);
    if (len != n + STAMP + 2 * MAC || memcmp(s, prefix, n) != 0)
        return false;
    char want[NONCE_MAX];
    stamp_nonce(t, from, s + n, want);
    if (!equal_constant_time(want, s + n, STAMP + 2 * MAC))
        return false;
    char digits[9] = {0};
    uint8_t made[4];
    memcpy(digits, s + n, 8);
    return hex_parse(digits, made, sizeof made) == 4 &&
           (uint32_t)(io_now(t->io) / NS_S) - load32(made) < NONCE_LIFETIME_S;
}

static bool text_is(const char *want, const char *s, size_t len)
{
    return strlen(want) == len && memcmp(want, s, len) == 0;
}

/* By USERNAME, or in RFC 8489 by USERHASH. 0, and NULL when there is no such user; or 400. */
static int find_user(const struct turn *t, const struct stun_msg *m, struct user **out)
{
    const char *name;
    size_t len;
    struct stun_attr a;
    if (stun_get_text(m, ATTR_USERNAME, &name, &len) == 0)
        *out = turn_user_named(t, name, len);
    else if (t->cfg.profile->rfc8489 && stun_find(m, ATTR_USERHASH, &a) && a.len == 32)
        *out = turn_user_hashed(t, a.value);
    else
        return 400; /* 8489-14.4-1: also one of another length */
    return 0;
}

/* 9.2.4 (3): neither attribute: MD5; else both, the list as it was offered, and one of it. 0 or 400. */
static int check_algorithm(const struct turn *t, const struct stun_msg *m, struct request *rq, bool *as_5389)
{
    struct stun_attr list, chosen;
    bool has_list = stun_find(m, ATTR_PASSWORD_ALGORITHMS, &list), has = stun_find(m, ATTR_PASSWORD_ALGORITHM, &chosen);
    *as_5389 = !t->cfg.profile->rfc8489 || (!has_list && !has);
    if (*as_5389)
        return 0;
    if (!has_list || !has || list.len != ALGORITHMS_LEN || memcmp(list.value, turn_algorithms, ALGORITHMS_LEN) != 0 ||
        chosen.len != 4 || load16(chosen.value + 2) != 0)
        return 400;
    unsigned algorithm = load16(chosen.value);
    rq->sha256_key = algorithm == ALGORITHM_SHA256;
    return algorithm == ALGORITHM_SHA256 || algorithm == ALGORITHM_MD5 ? 0 : 400;
}

/* 8656 6: an allocation's owner is known by the key that it was made with, also when it has another by now; so is who
 * binds one of its connections. */
static const struct alloc *whose(const struct turn *t, const struct call *c)
{
    uint32_t connection;
    if (c->alloc || c->m->method != TURN_CONNECTION_BIND || stun_get_u32(c->m, ATTR_CONNECTION_ID, &connection))
        return c->alloc;
    const struct peer *peer = idmap_get(&t->by_connection, connection);
    return peer ? peer->alloc : NULL;
}

static int check_mac(const struct turn *t, const struct stun_msg *m, const struct request *rq)
{
    static const struct keys nobody = {{0}, {0}}; /* an unknown user costs the same time as a wrong password */
    const struct keys *keys = rq->keys ? rq->keys : &nobody;
    const uint8_t *key = rq->sha256_key ? keys->sha256 : keys->md5;
    size_t len = rq->sha256_key ? sizeof keys->sha256 : sizeof keys->md5;
    bool sha256 = t->cfg.profile->rfc8489 && m->mac256_at;
    int err = sha256 ? stun_check_integrity_sha256(m, key, len) : stun_check_integrity(m, key, len);
    return err || !rq->keys ? 401 : 0;
}

int turn_authenticate(struct turn *t, struct call *c)
{
    const struct stun_msg *m = c->m;
    struct request rq = c->rq;
    struct user *user;
    const char *realm, *nonce;
    size_t realm_len, nonce_len;
    bool as_5389;
    if (!m->mac_at && !(t->cfg.profile->rfc8489 && m->mac256_at))
        return 401;
    if (find_user(t, m, &user) || stun_get_text(m, ATTR_REALM, &realm, &realm_len) ||
        stun_get_text(m, ATTR_NONCE, &nonce, &nonce_len) || check_algorithm(t, m, &rq, &as_5389))
        return 400;
    const struct alloc *al = whose(t, c);
    if (al && al->user->gone && !user) { /* a user that is no longer configured still has this one */
        const char *name;
        size_t len;
        struct stun_attr a;
        if (stun_get_text(m, ATTR_USERNAME, &name, &len) == 0 ? text_is(al->user->name, name, len)
            : stun_find(m, ATTR_USERHASH, &a) && memcmp(a.value, al->user->hash, sizeof al->user->hash) == 0)
            user = al->user;
    }
    rq.user = user;
    rq.keys = !user ? NULL : al && al->user == user ? &al->keys : &user->keys;
    rq.mac = as_5389 ? MAC_SHA1 : MAC_SHA256; /* 9.2.4: how the answer will be protected */
    if (check_mac(t, m, &rq) || !text_is(t->cfg.realm, realm, realm_len))
        return 401;
    if (!nonce_good(t, c->from, nonce, nonce_len))
        return 438; /* last, in 8489; third in 5389 */
    c->rq = rq;
    return 0;
}
