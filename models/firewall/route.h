/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A routing table: the longest prefix wins, the first added among equals. */
#ifndef TP_FIREWALL_ROUTE_H
#define TP_FIREWALL_ROUTE_H

#include <stddef.h>

#include "models/base/addr.h"

struct fw_route {
    struct ip_prefix to;
    int iface;              /* whatever the owner counts: ports, interfaces */
    struct ip_addr gateway; /* unset: on link */
};

struct fw_routes {
    struct fw_route *route; /* longest first */
    size_t count, cap;
};

int fw_routes_add(struct fw_routes *t, const struct fw_route *route); /* 0, E_NOMEM */
const struct fw_route *fw_routes_find(const struct fw_routes *t, const struct ip_addr *to); /* NULL: none */
/* The best of those by iface. */
const struct fw_route *fw_routes_find_by(const struct fw_routes *t, const struct ip_addr *to, int iface);
void fw_routes_free(struct fw_routes *t);

#endif
