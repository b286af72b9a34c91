/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/base/hash.h"

#include <nettle/hmac.h>
#include <nettle/md5.h>
#include <nettle/memops.h>

void md5(const void *bytes, size_t len, uint8_t out[HASH_MD5])
{
    struct md5_ctx c;
    md5_init(&c);
    md5_update(&c, len, bytes);
    md5_digest(&c, HASH_MD5, out);
}

void sha256(const void *bytes, size_t len, uint8_t out[HASH_SHA256])
{
    struct sha256 h;
    sha256_start(&h);
    sha256_add(&h, bytes, len);
    sha256_end(&h, out);
}

void hmac_sha1(const void *key, size_t key_len, const struct piece *m, size_t n, uint8_t out[HASH_SHA1])
{
    struct hmac_sha1_ctx c;
    hmac_sha1_set_key(&c, key_len, key);
    for (size_t i = 0; i < n; i++)
        hmac_sha1_update(&c, m[i].len, m[i].p);
    hmac_sha1_digest(&c, HASH_SHA1, out);
}

void hmac_sha256(const void *key, size_t key_len, const struct piece *m, size_t n, uint8_t out[HASH_SHA256])
{
    struct hmac_sha256_ctx c;
    hmac_sha256_set_key(&c, key_len, key);
    for (size_t i = 0; i < n; i++)
        hmac_sha256_update(&c, m[i].len, m[i].p);
    hmac_sha256_digest(&c, HASH_SHA256, out);
}

void sha256_start(struct sha256 *h)
{
    sha256_init(&h->ctx);
}

void sha256_add(struct sha256 *h, const void *bytes, size_t len)
{
    sha256_update(&h->ctx, len, bytes);
}

void sha256_end(struct sha256 *h, uint8_t out[HASH_SHA256])
{
    sha256_digest(&h->ctx, HASH_SHA256, out);
}

/* The reflected polynomial, one nibble at a time: STUN messages are short and a table of 16 stays readable.
 * The legacy variant needs whole-byte entries, so both walk bytes and build the entry from two nibbles. */
static uint32_t crc_entry(uint32_t byte)
{
    static const uint32_t nibble[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    uint32_t c = byte >> 4 ^ nibble[byte & 15];
    return c >> 4 ^ nibble[c & 15];
}

static uint32_t crc(const uint8_t *p, size_t len, uint32_t entry_5a)
{
    uint32_t c = UINT32_MAX;
    for (size_t i = 0; i < len; i++) {
        uint32_t byte = (c ^ p[i]) & 0xff;
        c = c >> 8 ^ (byte == 0x5a ? entry_5a : crc_entry(byte));
    }
    return ~c;
}

uint32_t crc32_of(const void *bytes, size_t len)
{
    return crc(bytes, len, 0x8bbeb8ea);
}

uint32_t crc32_ms_legacy(const void *bytes, size_t len)
{
    return crc(bytes, len, 0x08bbe8ea);
}

bool equal_constant_time(const void *a, const void *b, size_t len)
{
    return memeql_sec(a, b, len) != 0;
}
