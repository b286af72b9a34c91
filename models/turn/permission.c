/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Permissions (RFC 8656 9, 10) and the operator's say on peers (21.2.2). */
#include <string.h>

#include "models/turn/server.h"

static bool in_any(const struct ip_addr *ip, const struct ip_prefix *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (ip_in_prefix(ip, &p[i]))
            return true;
    return false;
}

/* 8656-21-10, 11: tunnels, and "this network", which some hosts take for themselves. */
static bool special(const struct ip_addr *ip)
{
    static const struct ip_prefix prefixes[] = {
        {{IP_V4, {0}}, 8},                 /* 0.0.0.0/8 */
        {{IP_V6, {0x20, 0x01, 0, 0}}, 32}, /* Teredo */
        {{IP_V6, {0x20, 0x02}}, 16},       /* 6to4 */
    };
    return ip_is_any(ip) || ip_is_loopback(ip) || ip_is_multicast(ip) || ip_is_link_local(ip) ||
           in_any(ip, prefixes, sizeof prefixes / sizeof *prefixes);
}

static bool own(const struct turn *t, const struct ip_addr *ip)
{
    const struct turn_config *c = &t->cfg;
    for (size_t i = 0; i < t->listener_count; i++)
        if (ip_equal(ip, &t->listeners[i].local.ip))
            return true;
    return ip_equal(ip, &c->relay_ip4) || ip_equal(ip, &c->relay_ip6) || ip_equal(ip, &c->public_ip4) ||
           ip_equal(ip, &c->public_ip6);
}

/* The public address of our relays, whose other side we know. */
static bool is_found(const struct turn *t, const struct ip_addr *ip)
{
    const struct turn_config *c = &t->cfg;
    return c->finds_own && ip->family && (ip_equal(ip, &c->public_ip4) || ip_equal(ip, &c->public_ip6));
}

bool turn_peer_inside(const struct turn *t, struct endpoint *peer)
{
    if (!is_found(t, &peer->ip))
        return true;
    peer->ip = peer->ip.family == IP_V4 ? t->cfg.relay_ip4 : t->cfg.relay_ip6;
    return peer->port >= t->cfg.first_port && peer->port <= t->cfg.last_port;
}

struct endpoint turn_peer_outside(const struct turn *t, const struct endpoint *from)
{
    const struct turn_config *c = &t->cfg;
    bool v4 = from->ip.family == IP_V4;
    const struct ip_addr *public = v4 ? &c->public_ip4 : &c->public_ip6;
    bool own_relay = is_found(t, public) && ip_equal(&from->ip, v4 ? &c->relay_ip4 : &c->relay_ip6) &&
                     from->port >= c->first_port && from->port <= c->last_port;
    return (struct endpoint){own_relay ? *public : from->ip, from->port};
}

bool turn_peer_allowed(const struct turn *t, const struct ip_addr *ip)
{
    struct ip_addr a = ip_unmapped(ip); /* ::ffff:127.0.0.1 is 127.0.0.1 */
    if (is_found(t, &a) || in_any(&a, t->allow, t->cfg.allow_peer_count))
        return true;
    return !in_any(&a, t->deny, t->cfg.deny_peer_count) && !special(&a) && !own(t, &a);
}

/* ---- the permissions of an allocation ---- */

static struct permission **bucket_of(const struct turn *t, const struct alloc *al, const struct ip_addr *ip)
{
    return (struct permission **)&al->permissions[turn_hash_ip(t, ip) >> 32 & (BUCKETS - 1)];
}

static struct permission *find(const struct turn *t, const struct alloc *al, const struct ip_addr *ip)
{
    struct permission *p = *bucket_of(t, al, ip);
    while (p && !ip_equal(&p->ip, ip))
        p = p->next;
    return p;
}

struct permission *turn_permitted(const struct turn *t, const struct alloc *al, const struct ip_addr *ip)
{
    struct permission *p = find(t, al, ip);
    return p && p->expires_ns > io_now(t->io) ? p : NULL;
}

/* Frees those that nobody needs: of that family (0: all), and expired by then. */
static void sweep(struct turn *t, struct alloc *al, uint8_t family, uint64_t by_ns)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct permission **link = &al->permissions[i], *p; (p = *link);) {
            if (p->channels || p->expires_ns > by_ns || (family && p->ip.family != family)) {
                link = &p->next;
                continue;
            }
            *link = p->next;
            pool_put(&t->permissions, p);
            al->permission_count--;
            t->stats.permissions--;
        }
}

void turn_forget_permissions(struct turn *t, struct alloc *al, uint8_t family)
{
    turn_forget_channels(t, al, family); /* they point there */
    sweep(t, al, family, TIME_NEVER);
}

/* The address's, or a new one that does not hold yet. NULL: no room. */
static struct permission *slot_for(struct turn *t, struct alloc *al, const struct ip_addr *ip)
{
    struct permission *p = find(t, al, ip);
    if (p)
        return p;
    p = al->permission_count < t->cfg.limits.permissions ? pool_get(&t->permissions) : NULL;
    if (!p)
        return NULL;
    struct permission **bucket = bucket_of(t, al, ip);
    *p = (struct permission){.next = *bucket, .ip = *ip};
    *bucket = p;
    al->permission_count++;
    t->stats.permissions++;
    return p;
}

/* Room for so many more, if those that have expired make it. */
static void make_room(struct turn *t, struct alloc *al, size_t more)
{
    if (al->permission_count + more > t->cfg.limits.permissions)
        sweep(t, al, 0, io_now(t->io));
}

struct permission *turn_permit(struct turn *t, struct alloc *al, const struct ip_addr *ip)
{
    make_room(t, al, 1);
    struct permission *p = slot_for(t, al, ip);
    if (p)
        p->expires_ns = io_now(t->io) + PERMISSION_NS;
    return p;
}

/* ---- CreatePermission ---- */

/* 8656 10.2: the next XOR-PEER-ADDRESS that counts; 400 when it is none, 0 at the end with *more false. */
static int next_peer(const struct stun_msg *m, struct stun_attr *it, struct endpoint *out, bool *more)
{
    while ((*more = stun_next(m, it) && (!m->mac_at || it->at < m->mac_at)))
        if (it->type == ATTR_XOR_PEER_ADDRESS)
            return stun_attr_address(m, it, out) ? 400 : 0;
    return 0;
}

/* All or none are installed (8656-10.2-2), so several walks: this one decides, */
static int check_peers(const struct turn *t, struct alloc *al, const struct stun_msg *m, size_t *count)
{
    struct stun_attr it = {0};
    struct endpoint peer;
    bool more;
    int code = 0;
    *count = 0;
    while (!code && !(code = next_peer(m, &it, &peer, &more)) && more) {
        ++*count;
        if (!turn_relay_of(al, peer.ip.family))
            code = 443;
        else if (!turn_peer_allowed(t, &peer.ip))
            code = 403;
    }
    return code ? code : *count == 0 ? 400 : 0;
}

/* ... this one finds the room: what it makes does not hold yet, so it is swept away when there is not enough. */
int turn_create_permission(struct turn *t, struct call *c)
{
    struct stun_attr it = {0};
    struct endpoint peer;
    bool more;
    size_t count;
    int code = check_peers(t, c->alloc, c->m, &count);
    if (!code)
        make_room(t, c->alloc, count);
    while (!code && !next_peer(c->m, &it, &peer, &more) && more)
        if (!slot_for(t, c->alloc, &peer.ip))
            code = 508;
    if (code == 508)
        sweep(t, c->alloc, 0, io_now(t->io));
    it = (struct stun_attr){0};
    while (!code && !next_peer(c->m, &it, &peer, &more) && more)
        turn_permit(t, c->alloc, &peer.ip);
    return code;
}
