/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/base/rng.h"

#include <assert.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/hash.h"

struct rng rng_named(uint64_t seed, const char *name)
{
    uint8_t head[8], digest[HASH_SHA256];
    store64(head, seed);
    struct sha256 h;
    sha256_start(&h);
    sha256_add(&h, head, sizeof head);
    sha256_add(&h, name, strlen(name));
    sha256_end(&h, digest);
    struct rng r;
    for (int i = 0; i < 4; i++)
        r.s[i] = load64(digest + 8 * i);
    return r;
}

static uint64_t rotl(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

uint64_t rng_u64(struct rng *r)
{
    uint64_t *s = r->s, result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint64_t rng_below(struct rng *r, uint64_t n)
{
    assert(n > 0);
    uint64_t reject = (0 - n) % n; /* 2^64 mod n: the values that would favour the low residues */
    uint64_t x;
    do
        x = rng_u64(r);
    while (x < reject);
    return x % n;
}

bool rng_chance(struct rng *r, uint64_t num, uint64_t den)
{
    return rng_below(r, den) < num;
}

void rng_fill(struct rng *r, void *buf, size_t len)
{
    uint8_t *p = buf;
    for (; len; ) {
        uint8_t b[8];
        size_t n = len < sizeof b ? len : sizeof b;
        store64(b, rng_u64(r));
        memcpy(p, b, n);
        p += n;
        len -= n;
    }
}
