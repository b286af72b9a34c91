/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MESSAGE-INTEGRITY and FINGERPRINT, of messages that came and of those that go (RFC 8489 14.5 to 14.7). */
#include <assert.h>
#include <nettle/md5.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/hash.h"
#include "models/base/rng.h"
#include "models/stun/dialect.h"

enum { FINGERPRINT_SIZE = 8, MAC_MAX = HASH_SHA256 };
static const uint32_t fingerprint_xor = 0x5354554e;

typedef void hmac_fn(const void *key, size_t key_len, const struct piece *m, size_t n, uint8_t *out);

/* The MAC of the first `at` bytes of a message, whose header is taken to say `length`. */
static void mac_of(const struct stun_dialect *d, hmac_fn *hmac, const uint8_t *msg, size_t at, size_t length,
                   const void *key, size_t key_len, uint8_t *out)
{
    static const uint8_t zeros[64];
    assert(d->mac_block <= sizeof zeros && at >= STUN_HEADER);
    uint8_t head[4];
    memcpy(head, msg, 2);
    store16(head + 2, (unsigned)length);
    size_t pad = (d->mac_block - at % d->mac_block) % d->mac_block;
    const struct piece text[] = {{head, 4}, {msg + 4, at - 4}, {zeros, pad}};
    hmac(key, key_len, text, 3, out);
}

/* 14.5: the header's length is set as if the message ended with this attribute; MS-ICE2 leaves it as it is. */
static int check(const struct stun_msg *m, size_t at, size_t size, hmac_fn *hmac, const void *key, size_t key_len)
{
    if (!at)
        return E_NOT_FOUND;
    if (load16(m->bytes + at + 2) != size)
        return E_INTEGRITY;
    size_t length = m->dialect->mac_to_end ? m->len : at + 4 + size;
    uint8_t mac[MAC_MAX];
    mac_of(m->dialect, hmac, m->bytes, at, length - STUN_HEADER, key, key_len, mac);
    return equal_constant_time(mac, m->bytes + at + 4, size) ? 0 : E_INTEGRITY;
}

int stun_check_integrity(const struct stun_msg *m, const void *key, size_t key_len)
{
    return check(m, m->mac_at, HASH_SHA1, hmac_sha1, key, key_len);
}

int stun_check_integrity_sha256(const struct stun_msg *m, const void *key, size_t key_len)
{
    return check(m, m->mac256_at, HASH_SHA256, hmac_sha256, key, key_len);
}

int stun_check_fingerprint(const struct stun_msg *m)
{
    size_t at = m->fingerprint_at;
    if (!at)
        return E_NOT_FOUND;
    if (load16(m->bytes + at + 2) != 4)
        return E_INTEGRITY;
    uint32_t said = load32(m->bytes + at + 4) ^ fingerprint_xor;
    if (said == crc32_of(m->bytes, at))
        return 0;
    return m->dialect->legacy_crc && said == crc32_ms_legacy(m->bytes, at) ? 0 : E_INTEGRITY;
}

void stun_long_term_key(const char *user, const char *realm, const char *password, uint8_t key[16])
{
    const char *const parts[] = {user, ":", realm, ":", password};
    struct md5_ctx c;
    md5_init(&c);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        md5_update(&c, strlen(parts[i]), (const uint8_t *)parts[i]);
    md5_digest(&c, HASH_MD5, key);
}

static void add_text(struct sha256 *h, const char *s)
{
    sha256_add(h, s, strlen(s));
}

static struct sha256 name_hash(const char *user, const char *realm)
{
    struct sha256 h;
    sha256_start(&h);
    add_text(&h, user);
    add_text(&h, ":");
    add_text(&h, realm);
    return h;
}

void stun_long_term_key_sha256(const char *user, const char *realm, const char *password, uint8_t key[32])
{
    struct sha256 h = name_hash(user, realm);
    add_text(&h, ":");
    add_text(&h, password);
    sha256_end(&h, key);
}

void stun_userhash(const char *user, const char *realm, uint8_t hash[32])
{
    struct sha256 h = name_hash(user, realm);
    sha256_end(&h, hash);
}

static void put_mac(struct stun_out *o, enum stun_attr_type type, size_t size, hmac_fn *hmac, size_t behind,
                    const void *key, size_t key_len)
{
    if (o->w.failed)
        return;
    size_t at = writer_len(&o->w);
    uint8_t mac[MAC_MAX];
    mac_of(o->dialect, hmac, o->w.base, at, at + 4 + size + behind - STUN_HEADER, key, key_len, mac);
    stun_put(o, type, mac, size);
}

void stun_put_integrity(struct stun_out *o, const void *key, size_t key_len, bool fingerprint_follows)
{
    size_t behind = o->dialect->mac_to_end && fingerprint_follows ? FINGERPRINT_SIZE : 0;
    put_mac(o, ATTR_MESSAGE_INTEGRITY, HASH_SHA1, hmac_sha1, behind, key, key_len);
}

void stun_put_integrity_sha256(struct stun_out *o, const void *key, size_t key_len)
{
    put_mac(o, ATTR_MESSAGE_INTEGRITY_SHA256, HASH_SHA256, hmac_sha256, 0, key, key_len);
}

void stun_put_fingerprint(struct stun_out *o)
{
    if (o->w.failed)
        return;
    size_t at = writer_len(&o->w);
    store16(o->w.base + 2, (unsigned)(at + FINGERPRINT_SIZE - STUN_HEADER)); /* 14.7: it counts itself in */
    stun_put_u32(o, ATTR_FINGERPRINT, crc32_of(o->w.base, at) ^ fingerprint_xor);
}

struct stun_id stun_new_id(const struct stun_dialect *d, struct rng *rng)
{
    struct stun_id id;
    rng_fill(rng, id.b, sizeof id.b);
    if (d->cookie)
        store32(id.b, STUN_COOKIE);
    return id;
}
