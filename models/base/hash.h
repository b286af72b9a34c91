/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hashes that STUN, MS-TURN and the traces need: nettle's, behind our names; and CRC-32. */
#ifndef TP_BASE_HASH_H
#define TP_BASE_HASH_H

#include <nettle/sha2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HASH_MD5 = 16, HASH_SHA1 = 20, HASH_SHA256 = 32 };

void md5(const void *bytes, size_t len, uint8_t out[HASH_MD5]);
void sha256(const void *bytes, size_t len, uint8_t out[HASH_SHA256]);

/* A message in pieces: the HMAC of STUN is over a header with another length, then the rest. */
struct piece {
    const void *p;
    size_t len;
};
void hmac_sha1(const void *key, size_t key_len, const struct piece *m, size_t n, uint8_t out[HASH_SHA1]);
void hmac_sha256(const void *key, size_t key_len, const struct piece *m, size_t n, uint8_t out[HASH_SHA256]);

struct sha256 {
    struct sha256_ctx ctx;
};
void sha256_start(struct sha256 *h);
void sha256_add(struct sha256 *h, const void *bytes, size_t len);
void sha256_end(struct sha256 *h, uint8_t out[HASH_SHA256]);

/* CRC-32 of V.42 (zlib's): of "123456789" it is cbf43926. */
uint32_t crc32_of(const void *bytes, size_t len);
/* The same with entry 0x5A of the table wrong, as old Microsoft clients have it ([MS-ICE2] 3.1.4.8.2). */
uint32_t crc32_ms_legacy(const void *bytes, size_t len);

/* Compares in a time that does not depend on the contents. */
bool equal_constant_time(const void *a, const void *b, size_t len);

#endif
