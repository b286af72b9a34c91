/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Long-term credentials (RFC 8489 9.2.4), MD5 and SHA-1 only: no password algorithms are offered, so a request that has
 * but the SHA-256 MAC counts as one without any.
 *
 * A nonce needs no memory: the second of its making, 32 random bits so that no two sources ever get the same, and a
 * MAC over both and the client's IP address under a secret of this server. It is good for an hour, from that address:
 * so the one of the control connection serves on a data connection too (6062-X-12). */
#include <stdio.h>
#include <string.h>

#include "models/base/hash.h"
#include "models/turn/server.h"

enum { STAMP = 16, MAC = 20 }; /* hex digits of time and random; bytes of the MAC shown */

static void stamp_nonce(const struct turn *t, const struct leg *leg, const char stamp[STAMP], char *out)
{
    uint8_t mac[HASH_SHA256];
    const struct piece text[] = {{stamp, STAMP}, {leg->remote.ip.b, sizeof leg->remote.ip.b}};
    hmac_sha256(t->secret, sizeof t->secret, text, 2, mac);
    memcpy(out, stamp, STAMP);
    hex_of(mac, MAC, out + STAMP);
}

/* 8489 9.2: the nonce cookie, and a feature field with no bit set. */
static const char *cookie(const struct turn *t)
{
    return t->cfg.profile->nonce_cookie ? "obMatJos2AAAA" : "";
}

void turn_nonce(struct turn *t, const struct leg *leg, char out[NONCE_MAX])
{
    char stamp[STAMP + 1];
    snprintf(stamp, sizeof stamp, "%08x%08x", (unsigned)(io_now(t->io) / NS_S & 0xffffffff),
             (unsigned)(rng_u64(&t->rng_nonce) >> 32));
    const char *prefix = cookie(t);
    size_t n = strlen(prefix);
    memcpy(out, prefix, n);
    stamp_nonce(t, leg, stamp, out + n);
}

static bool nonce_good(const struct turn *t, const struct leg *leg, const char *s, size_t len)
{
    const char *prefix = cookie(t);
    size_t n = strlen(prefix);
    if (len != n + STAMP + 2 * MAC || memcmp(s, prefix, n) != 0)
        return false;
    char want[NONCE_MAX];
    stamp_nonce(t, leg, s + n, want);
    if (!equal_constant_time(want, s + n, STAMP + 2 * MAC))
        return false;
    char digits[9] = {0};
    uint8_t made[4];
    memcpy(digits, s + n, 8);
    return hex_parse(digits, made, sizeof made) == 4 && io_now(t->io) / NS_S - load32(made) < NONCE_LIFETIME_S;
}

static bool text_is(const char *want, const char *s, size_t len)
{
    return strlen(want) == len && memcmp(want, s, len) == 0;
}

static struct user *user_named(const struct turn *t, const char *s, size_t len)
{
    for (size_t i = 0; i < t->cfg.user_count; i++)
        if (text_is(t->users[i].name, s, len))
            return &t->users[i];
    return NULL;
}

int turn_authenticate(struct turn *t, const struct leg *leg, const struct stun_msg *m, struct request *rq)
{
    const char *name, *realm, *nonce;
    size_t name_len, realm_len, nonce_len;
    if (!m->mac_at)
        return 401;
    if (stun_get_text(m, ATTR_USERNAME, &name, &name_len) || stun_get_text(m, ATTR_REALM, &realm, &realm_len) ||
        stun_get_text(m, ATTR_NONCE, &nonce, &nonce_len))
        return 400;
    struct user *user = user_named(t, name, name_len);
    /* An unknown user costs the same time as a wrong password. */
    int err = stun_check_integrity(m, user ? user->key : t->secret, sizeof user->key);
    if (!user || err || !text_is(t->cfg.realm, realm, realm_len))
        return 401;
    if (!nonce_good(t, leg, nonce, nonce_len))
        return 438; /* last, in 8489; third in 5389 */
    rq->user = user;
    return 0;
}
