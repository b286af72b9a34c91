/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Test code: Linux rule sets from a seed, dense in what is easy to get wrong: chains that jump, go and return,
 * negations, ranges, states, flags, several base chains at a hook, translations. */
#ifndef TP_SIM_NETNS_GENERATE_KIT_H
#define TP_SIM_NETNS_GENERATE_KIT_H

#include "models/base/addr.h"
#include "models/base/bytes.h"
#include "models/base/rng.h"

/* For iptables-restore, or ip6tables-restore. */
void generate_iptables(struct text *out, struct rng *rng, uint8_t family);
/* For nft -f: tables of family ip, ip6 and inet, sets, maps, verdict maps. */
void generate_nft(struct text *out, struct rng *rng);

/* The constants that all of them are made of, as text: a world in which they mean something comes of it. */
const char *generate_constants(void);

/* Pieces for the generators. Random ones of the constants. */
const char *generate_prefix(struct rng *rng, uint8_t family);
const char *generate_host(struct rng *rng, uint8_t family);
const char *generate_iface(struct rng *rng);
unsigned generate_port(struct rng *rng);

#endif
