/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/leg.h"

#include <stdlib.h>

#include "models/base/err.h"
#include "models/turn/tables.h"

struct session_map {
    struct idmap ids;
    size_t left;
};

struct session_map *session_map_new(size_t sockets)
{
    struct session_map *map = calloc(1, sizeof *map);
    if (!map || idmap_init(&map->ids, sockets)) {
        free(map);
        return NULL;
    }
    map->left = sockets;
    return map;
}

void session_map_free(struct session_map *map)
{
    if (!map)
        return;
    free(map->ids.base);
    free(map);
}

struct session *session_map_find(const struct session_map *map, io_id id)
{
    return idmap_get(&map->ids, id);
}

void leg_own(const struct leg *l, io_id id)
{
    struct session_map *map = l->cfg->map;
    if (!map || !map->left)
        return;
    idmap_put(&map->ids, id, l->session);
    map->left--;
}

void leg_disown(const struct leg *l, io_id id)
{
    struct session_map *map = l->cfg->map;
    if (!map || !idmap_get(&map->ids, id))
        return;
    idmap_drop(&map->ids, id);
    map->left++;
}

struct rng leg_rng(const struct leg *l, const char *what)
{
    char name[LEG_TEXT];
    struct text t = text_of(name, sizeof name);
    text_add(&t, "%s/%s", l->name, what);
    return io_rng(l->io, name);
}

struct leg_ports leg_ports_of(const struct leg *l, unsigned step)
{
    struct rng rng = leg_rng(l, "ports");
    unsigned first = (l->cfg->first_port + step - 1) / step * step; /* RTP's is even */
    struct leg_ports p = {.first = (uint16_t)first, .step = step};
    if (first + step - 1 <= l->cfg->last_port)
        p.count = (uint16_t)((l->cfg->last_port - first + 1) / step);
    p.at = p.count ? (uint16_t)rng_below(&rng, p.count) : 0;
    return p;
}

bool leg_ports_next(struct leg_ports *p, uint16_t *port)
{
    if (p->tried == p->count)
        return false;
    unsigned n = (unsigned)p->at + p->tried++;
    *port = (uint16_t)(p->first + n % p->count * p->step);
    return true;
}

void leg_describe_ports(const struct leg *l, int err, char out[LEG_TEXT])
{
    struct text t = text_of(out, LEG_TEXT);
    char ip[ADDR_TEXT];
    if (err == E_EXISTS)
        text_add(&t, "no free port in %u-%u", l->cfg->first_port, l->cfg->last_port);
    else
        text_add(&t, "no socket at %s: %s", ip_text(&l->cfg->address, ip), err_text(err));
}

io_id leg_udp(const struct leg *l, uint16_t port)
{
    struct endpoint local = {.ip = l->cfg->address, .port = port};
    io_id id = io_udp(l->io, l->owner, &local);
    leg_own(l, id);
    return id;
}

void leg_close_udp(const struct leg *l, io_id *id)
{
    if (!*id)
        return;
    leg_disown(l, *id);
    io_close(l->io, *id);
    *id = IO_NONE;
}
