/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Allocations: made, refreshed, ended (RFC 8656 6 to 8, 6062 5.1). */
#include "models/base/err.h"
#include "models/turn/server.h"

/* ---- relay ports ---- */

static uint8_t *port_byte(struct turn *t, const struct endpoint *relay)
{
    return &t->ports_used[relay->ip.family == IP_V6][relay->port / 8];
}

static uint8_t port_bit(const struct endpoint *relay)
{
    return (uint8_t)(1u << relay->port % 8);
}

static uint16_t port_after(const struct turn *t, uint16_t port)
{
    return port == t->cfg.last_port ? t->cfg.first_port : (uint16_t)(port + 1);
}

/* 8656 7.2: unpredictable, unless the profile counts. */
static uint16_t first_port(struct turn *t)
{
    uint32_t range = (uint32_t)t->cfg.last_port - t->cfg.first_port + 1;
    return t->cfg.profile->sequential_ports ? t->next_port
                                            : (uint16_t)(t->cfg.first_port + rng_below(&t->rng_port, range));
}

/* Listens on the next port that is not taken. False: all have been tried. */
static bool try_port(struct turn *t, struct alloc *al)
{
    for (; al->ports_left; al->relay.port = port_after(t, al->relay.port)) {
        al->ports_left--;
        if (*port_byte(t, &al->relay) & port_bit(&al->relay))
            continue;
        *port_byte(t, &al->relay) |= port_bit(&al->relay);
        al->relay_id = io_listen(t->io, t->owner, &al->relay);
        idmap_put(&t->by_io, al->relay_id, al);
        return true;
    }
    return false;
}

static void release_port(struct turn *t, struct alloc *al)
{
    idmap_drop(&t->by_io, al->relay_id);
    *port_byte(t, &al->relay) &= (uint8_t)~port_bit(&al->relay);
    al->relay_id = IO_NONE;
}

/* ---- life ---- */

static void free_alloc(struct turn *t, struct alloc *al)
{
    if (al->relay_id)
        release_port(t, al);
    timers_set(&t->timers, &al->timer, al, TIME_NEVER);
    al->control->alloc = NULL;
    if (al->control->id)
        turn_leg_idle_from_now(t, al->control);
    al->user->allocations--;
    t->stats.allocations--;
    pool_put(&t->permissions, al->permissions);
    pool_put(&t->allocs, al);
}

static struct alloc *new_alloc(struct turn *t, struct leg *leg, const struct request *rq)
{
    struct alloc *al = pool_get(&t->allocs);
    if (!al)
        return NULL;
    *al = (struct alloc){.node.kind = NODE_ALLOC, .control = leg, .user = rq->user, .asked = *rq,
                         .serial = ++t->serial, .permissions = pool_get(&t->permissions)};
    leg->alloc = al;
    al->user->allocations++;
    t->stats.allocations++;
    timers_set(&t->timers, &leg->idle, leg, TIME_NEVER);
    return al;
}

static void arm(struct turn *t, struct alloc *al)
{
    timers_set(&t->timers, &al->timer, al, time_min(al->expires_ns, al->indicate_ns));
}

static void set_lifetime(struct turn *t, struct alloc *al, uint32_t lifetime_s)
{
    al->lifetime_s = lifetime_s;
    al->expires_ns = io_now(t->io) + lifetime_s * NS_S;
}

void turn_alloc_delete(struct turn *t, struct alloc *al, const char *cause)
{
    io_note(t->io, NOTE_STATE, "alloc=%u %s -> GONE cause=%s", al->serial, al->live ? "LIVE" : "OPENING", cause);
    while (al->peers)
        turn_peer_delete(t, al->peers, cause, 437); /* a Connect in progress has lost its allocation */
    io_close(t->io, al->relay_id);
    free_alloc(t, al);
}

void turn_alloc_timer(struct turn *t, struct alloc *al)
{
    uint64_t now = io_now(t->io);
    if (now >= al->expires_ns) {
        turn_alloc_delete(t, al, "lifetime");
        return;
    }
    if (now >= al->indicate_ns) {
        turn_binding_indication(t, al);
        al->indicate_ns = now + t->cfg.profile->binding_indication_ns;
    }
    arm(t, al);
}

/* ---- Allocate ---- */

/* 8656 7.2, 8.2: what is asked for if that is more than the default, and no more than the most. 0 or 400. */
static int wanted_lifetime(const struct turn *t, const struct stun_msg *m, uint32_t *asked, uint32_t *granted)
{
    int err = stun_get_u32(m, ATTR_LIFETIME, asked);
    if (err == E_MALFORMED)
        return 400;
    if (err)
        *asked = DEFAULT_LIFETIME_S;
    uint32_t most = t->cfg.limits.max_lifetime_s;
    *granted = *asked <= DEFAULT_LIFETIME_S ? DEFAULT_LIFETIME_S : *asked < most ? *asked : most;
    return 0;
}

/* 0: none; else the family, or -1: malformed. */
static int requested_family(const struct stun_msg *m)
{
    uint32_t v;
    int err = stun_get_u32(m, ATTR_REQUESTED_ADDRESS_FAMILY, &v);
    return err == E_NOT_FOUND ? 0 : err ? -1 : (int)(v >> 24);
}

/* 6062 5.1 with 8656 7.2, in this order. */
static int check_allocate(const struct turn *t, const struct leg *leg, const struct stun_msg *m, uint8_t *family)
{
    static const enum stun_attr_type not_for_tcp[] = {ATTR_DONT_FRAGMENT, ATTR_EVEN_PORT, ATTR_RESERVATION_TOKEN};
    uint32_t transport;
    struct stun_attr a;
    if (leg->alloc)
        return 437;
    if (stun_get_u32(m, ATTR_REQUESTED_TRANSPORT, &transport))
        return 400;
    if (transport >> 24 == PROTO_UDP)
        return 403; /* 6062 5.1(1): by policy, until UDP is relayed too */
    if (transport >> 24 != PROTO_TCP)
        return 442;
    /* 5.1(2), "not over TCP: 400", cannot happen: there is nothing but TCP under us */
    for (size_t i = 0; i < sizeof not_for_tcp / sizeof *not_for_tcp; i++)
        if (stun_find(m, not_for_tcp[i], &a))
            return 400; /* 5.1(3) */
    int wanted = requested_family(m);
    if (wanted < 0 || (wanted && stun_find(m, ATTR_ADDITIONAL_ADDRESS_FAMILY, &a)))
        return 400;
    *family = (uint8_t)(wanted ? wanted : IP_V4);
    const struct ip_addr *ip = *family == IP_V4 ? &t->cfg.relay_ip4 : &t->cfg.relay_ip6;
    return ip->family == *family ? 0 : 440;
}

int turn_allocate(struct turn *t, struct leg *leg, const struct stun_msg *m, const struct request *rq,
                  struct answer *a)
{
    (void)a;
    uint8_t family;
    uint32_t asked, granted;
    int code = check_allocate(t, leg, m, &family);
    if (!code)
        code = wanted_lifetime(t, m, &asked, &granted);
    if (code)
        return code;
    if (rq->user->allocations >= t->cfg.limits.user_allocations)
        return 486;
    struct alloc *al = new_alloc(t, leg, rq);
    if (!al)
        return 508;
    al->lifetime_s = granted;
    al->relay = (struct endpoint){family == IP_V4 ? t->cfg.relay_ip4 : t->cfg.relay_ip6, first_port(t)};
    al->ports_left = (uint32_t)t->cfg.last_port - t->cfg.first_port + 1;
    if (!try_port(t, al)) {
        free_alloc(t, al);
        return 508;
    }
    return ANSWERED; /* when the port is open */
}

void turn_alloc_port_failed(struct turn *t, struct alloc *al)
{
    release_port(t, al);
    al->relay.port = port_after(t, al->relay.port);
    if (try_port(t, al))
        return;
    struct leg *control = al->control;
    struct request asked = al->asked;
    free_alloc(t, al);
    turn_answer(t, control, &asked, &(struct answer){.code = 508});
}

void turn_alloc_opened(struct turn *t, struct alloc *al)
{
    const struct ip_addr *public = al->relay.ip.family == IP_V4 ? &t->cfg.public_ip4 : &t->cfg.public_ip6;
    uint64_t every = t->cfg.profile->binding_indication_ns;
    al->live = true;
    al->told = al->relay;
    if (public->family)
        al->told.ip = *public;
    t->next_port = port_after(t, al->relay.port);
    t->stats.allocated_ever++;
    set_lifetime(t, al, al->lifetime_s);
    al->indicate_ns = every ? io_now(t->io) + every : TIME_NEVER;
    arm(t, al);
    char relay[ENDPOINT_TEXT];
    io_note(t->io, NOTE_STATE, "alloc=%u OPENING -> LIVE relay=%s lifetime=%u", al->serial,
            endpoint_text(&al->relay, relay), al->lifetime_s);
    struct answer a = {.has_lifetime = true, .lifetime_s = al->lifetime_s, .relayed = &al->told,
                       .mapped = &al->control->remote};
    turn_answer(t, al->control, &al->asked, &a);
}

/* ---- Refresh ---- */

int turn_refresh(struct turn *t, struct leg *leg, const struct stun_msg *m, const struct request *rq,
                 struct answer *a)
{
    (void)rq;
    struct alloc *al = leg->alloc;
    uint32_t asked, granted;
    int code = wanted_lifetime(t, m, &asked, &granted), family = requested_family(m);
    if (code || family < 0)
        return 400;
    if (family && family != al->relay.ip.family)
        return 443;
    a->has_lifetime = true;
    a->lifetime_s = asked ? granted : 0;
    if (asked == 0) {
        turn_alloc_delete(t, al, "refresh-0");
        return 0;
    }
    set_lifetime(t, al, granted);
    arm(t, al);
    return 0;
}
