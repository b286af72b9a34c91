/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Binding, and NAT behaviour discovery with it (RFC 5780): a server that listens over UDP on two addresses, each with
 * the same two ports, tells clients of the other address and answers from where it is asked to. */
#include "models/base/err.h"
#include "models/turn/server.h"

enum { CHANGE_IP = 4, CHANGE_PORT = 2 }; /* 5780 7.2 */

/* The UDP listener whose address, and whose port, differ from l's as asked; NULL: there is none. */
static struct listener *other(const struct turn *t, const struct listener *l, bool ip, bool port)
{
    for (struct listener *o = t->listeners; o < t->listeners + t->listener_count; o++)
        if (o->proto == PROTO_UDP && o->local.ip.family == l->local.ip.family && !ip_is_any(&o->local.ip) &&
            ip_equal(&o->local.ip, &l->local.ip) != ip && (o->local.port == l->local.port) != port)
            return o;
    return NULL;
}

/* The alternate address and port, where the other two corners are there as well. */
static struct listener *alternate(const struct turn *t, const struct listener *l)
{
    struct listener *far = l->proto == PROTO_UDP ? other(t, l, true, true) : NULL;
    return far && other(t, far, true, false) && other(t, far, false, true) ? far : NULL;
}

int turn_binding(struct turn *t, struct call *c)
{
    const struct listener *l = c->from->listener;
    struct listener *far = alternate(t, l);
    uint32_t change = 0;
    int err = stun_get_u32(c->m, ATTR_CHANGE_REQUEST, &change);
    c->a.mapped = &c->from->remote;
    if (err == E_NOT_FOUND)
        change = 0;
    else if (!far) { /* 5780 6.1: as an attribute that it does not know */
        c->a.unknown[0] = ATTR_CHANGE_REQUEST;
        c->a.unknown_count = 1;
        return 420;
    } else if (err)
        return 400;
    if (!far)
        return 0;
    if (change & (CHANGE_IP | CHANGE_PORT)) {
        struct listener *from = other(t, l, change & CHANGE_IP, change & CHANGE_PORT);
        c->moved = (struct tuple){.id = from->id, .listener = from, .local = from->local, .remote = c->from->remote};
        c->from = &c->moved;
    }
    c->a.origin = &c->from->listener->local;
    c->a.other = &far->local;
    return 0;
}
