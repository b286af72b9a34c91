/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of addresses as disjoint ascending ranges, of either family. */
#ifndef TP_CHECK_BIND_RANGES_H
#define TP_CHECK_BIND_RANGES_H

#include "models/base/arena.h"
#include "models/firewall/firewall.h"

struct addr_ranges {
    struct fw_addr *items; /* never masked */
    size_t count;
};

/* Both keep the ranges ascending and apart; neighbours become one. */
void addr_ranges_add(struct addr_ranges *r, struct arena *a, const struct fw_addr *range);
void addr_ranges_remove(struct addr_ranges *r, struct arena *a, const struct fw_addr *range);
bool addr_ranges_have(const struct addr_ranges *r, const struct ip_addr *ip);
/* Those of one family, borrowed from r. */
struct addr_ranges addr_ranges_family(const struct addr_ranges *r, uint8_t family);

#endif
