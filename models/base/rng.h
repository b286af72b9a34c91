/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Named random streams. A stream is derived from the run's seed and a stable name ("link/edge-fw/loss"), so that
 * one more node or link changes no other stream. Integers and ratios only: nothing here may differ between
 * compilers. The generator is xoshiro256** (Blackman and Vigna), the derivation SHA-256. */
#ifndef TP_BASE_RNG_H
#define TP_BASE_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t s[4];
};

struct rng rng_named(uint64_t seed, const char *name);
uint64_t rng_u64(struct rng *r);
/* Uniform over 0..n-1, without modulo bias; n > 0. */
uint64_t rng_below(struct rng *r, uint64_t n);
/* True num times out of den. Draws also when the answer is certain, so a stream's length does not depend on it. */
bool rng_chance(struct rng *r, uint64_t num, uint64_t den);
void rng_fill(struct rng *r, void *buf, size_t len);

#endif
