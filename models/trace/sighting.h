/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is this the packet that was seen a moment ago at another place, or was it sent again? A capture at several places, or
 * on "any", has each packet more than once. A bounded memory of recent ones; what it has lost is taken for new. */
#ifndef TP_TRACE_SIGHTING_H
#define TP_TRACE_SIGHTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sighting {
    uint64_t hash; /* of what does not change on the way */
    uint64_t t_ns;
    uint32_t interface;
    uint32_t id;   /* identification of IPv4, or of a fragment; 0: none that could tell (RFC 6864 4.1) */
    uint8_t ttl;
};

struct sightings {
    struct sighting *slot;
};

/* E_NOMEM. */
int sightings_init(struct sightings *s);
void sightings_free(struct sightings *s);
/* True: the same packet again. Remembers it either way. */
bool sightings_repeated(struct sightings *s, const struct sighting *now);

/* A hash for the table above and for flows: fast, not against an adversary. */
uint64_t sighting_hash(uint64_t seed, const void *bytes, size_t len);

#endif
