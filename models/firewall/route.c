/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/firewall/route.h"

#include <stdlib.h>

#include "models/base/err.h"

int fw_routes_add(struct fw_routes *t, const struct fw_route *route)
{
    if (t->count == t->cap) {
        size_t cap = t->cap ? 2 * t->cap : 8;
        struct fw_route *p = realloc(t->route, cap * sizeof *p);
        if (!p)
            return E_NOMEM;
        t->route = p;
        t->cap = cap;
    }
    size_t at = t->count++;
    for (; at > 0 && t->route[at - 1].to.len < route->to.len; at--)
        t->route[at] = t->route[at - 1];
    t->route[at] = *route;
    return 0;
}

const struct fw_route *fw_routes_find(const struct fw_routes *t, const struct ip_addr *to)
{
    for (size_t i = 0; i < t->count; i++)
        if (ip_in_prefix(to, &t->route[i].to))
            return &t->route[i];
    return NULL;
}

const struct fw_route *fw_routes_find_by(const struct fw_routes *t, const struct ip_addr *to, int iface)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->route[i].iface == iface && ip_in_prefix(to, &t->route[i].to))
            return &t->route[i];
    return NULL;
}

void fw_routes_free(struct fw_routes *t)
{
    free(t->route);
    *t = (struct fw_routes){0};
}
