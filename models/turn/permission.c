/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Permissions (RFC 8656 9, 10) and the operator's say on peers (21.2.2). */
#include <string.h>

#include "models/base/err.h"
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
    for (size_t i = 0; i < c->listen_count; i++)
        if (ip_equal(ip, &t->listeners[i].local.ip))
            return true;
    return ip_equal(ip, &c->relay_ip4) || ip_equal(ip, &c->relay_ip6) || ip_equal(ip, &c->public_ip4) ||
           ip_equal(ip, &c->public_ip6);
}

bool turn_peer_allowed(const struct turn *t, const struct ip_addr *ip)
{
    struct ip_addr a = ip_unmapped(ip); /* ::ffff:127.0.0.1 is 127.0.0.1 */
    if (in_any(&a, t->allow, t->cfg.allow_peer_count))
        return true;
    return !in_any(&a, t->deny, t->cfg.deny_peer_count) && !special(&a) && !own(t, &a);
}

bool turn_permitted(const struct turn *t, const struct alloc *al, const struct ip_addr *ip)
{
    for (size_t i = 0; i < t->cfg.limits.permissions; i++)
        if (al->permissions[i].expires_ns > io_now(t->io) && ip_equal(&al->permissions[i].ip, ip))
            return true;
    return false;
}

/* The slot that has the address, else a free or expired one, else NULL. */
static struct permission *slot_for(const struct turn *t, const struct alloc *al, const struct ip_addr *ip)
{
    struct permission *free = NULL;
    for (size_t i = 0; i < t->cfg.limits.permissions; i++) {
        struct permission *p = &al->permissions[i];
        if (p->expires_ns <= io_now(t->io)) {
            if (!free)
                free = p;
        } else if (ip_equal(&p->ip, ip)) {
            return p;
        }
    }
    return free;
}

/* 8656 10.2: the next XOR-PEER-ADDRESS that counts; 400 when it is none, 0 at the end with *more false. */
static int next_peer(const struct stun_msg *m, struct stun_attr *it, struct endpoint *out, bool *more)
{
    while ((*more = stun_next(m, it) && (!m->mac_at || it->at < m->mac_at)))
        if (it->type == ATTR_XOR_PEER_ADDRESS)
            return stun_attr_address(m, it, out) ? 400 : 0;
    return 0;
}

/* All or none are installed (8656-10.2-2), so two walks: this one decides. */
static int check_peers(const struct turn *t, const struct alloc *al, const struct stun_msg *m)
{
    struct stun_attr it = {0};
    struct endpoint peer;
    bool more;
    int code = 0;
    size_t count = 0;
    while (!code && !(code = next_peer(m, &it, &peer, &more)) && more) {
        count++;
        if (peer.ip.family != al->relay.ip.family)
            code = 443;
        else if (!turn_peer_allowed(t, &peer.ip))
            code = 403;
    }
    return code ? code : count == 0 ? 400 : 0;
}

int turn_create_permission(struct turn *t, struct leg *leg, const struct stun_msg *m, const struct request *rq,
                           struct answer *a)
{
    (void)rq;
    (void)a;
    struct alloc *al = leg->alloc;
    int code = check_peers(t, al, m);
    if (code)
        return code;
    size_t size = t->cfg.limits.permissions * sizeof *al->permissions;
    struct permission *before = t->permissions_before;
    memcpy(before, al->permissions, size);
    struct stun_attr it = {0};
    struct endpoint peer;
    bool more;
    while (!next_peer(m, &it, &peer, &more) && more) {
        struct permission *p = slot_for(t, al, &peer.ip);
        if (!p) {
            memcpy(al->permissions, before, size);
            return 508;
        }
        *p = (struct permission){peer.ip, io_now(t->io) + PERMISSION_NS};
    }
    return 0;
}
