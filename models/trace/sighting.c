/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/trace/sighting.h"

#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"

enum { SLOTS = 1 << 14 };

int sightings_init(struct sightings *s)
{
    s->slot = calloc(SLOTS, sizeof *s->slot);
    return s->slot ? 0 : E_NOMEM;
}

void sightings_free(struct sightings *s)
{
    free(s->slot);
}

/* How long two packets alike are one, by what else speaks for it. An identification is not used again within the
 * packet's lifetime (RFC 6864 4.3). Without one, another interface or a lower TTL says that it has moved on; that takes
 * less than the 500 ms after which STUN sends again at the earliest (RFC 8489 6.2.1). With neither, only a bridge or a
 * capture on "any" makes copies at once. */
static uint64_t one_packet_ns(const struct sighting *was, const struct sighting *now)
{
    if (now->id)
        return 2 * NS_S;
    if (now->ttl < was->ttl || now->interface != was->interface)
        return 400 * NS_MS;
    return NS_MS;
}

bool sightings_repeated(struct sightings *s, const struct sighting *now)
{
    struct sighting *was = &s->slot[now->hash % SLOTS];
    uint64_t apart = now->t_ns > was->t_ns ? now->t_ns - was->t_ns : was->t_ns - now->t_ns;
    bool alike = was->hash == now->hash && was->id == now->id && (now->id || now->ttl <= was->ttl);
    bool repeated = alike && apart <= one_packet_ns(was, now);
    *was = *now;
    return repeated;
}

__extension__ typedef unsigned __int128 u128;

static uint64_t mix(uint64_t a, uint64_t b)
{
    u128 m = (u128)a * b;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* Odd numbers with as many ones as zeros, from the fraction of pi. */
static const uint64_t odd_a = 0x243f6a8885a308d3, odd_b = 0x13198a2e03707345;

uint64_t sighting_hash(uint64_t seed, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    uint64_t h = mix(seed ^ odd_a, len ^ odd_b), w[2];
    for (; len >= sizeof w; len -= sizeof w, p += sizeof w) {
        memcpy(w, p, sizeof w);
        h = mix(w[0] ^ odd_a ^ h, w[1] ^ odd_b);
    }
    w[0] = w[1] = 0;
    memcpy(w, p, len);
    return mix(w[0] ^ odd_a ^ h, w[1] ^ odd_b);
}
