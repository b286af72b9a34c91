/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Allocations: made, refreshed, ended (RFC 8656 6 to 8, 6062 5.1). */
#include <string.h>

#include "models/base/err.h"
#include "models/turn/server.h"

/* ---- by 5-tuple ---- */

static struct alloc **tuple_bucket(const struct turn *t, const struct tuple *from)
{
    const struct endpoint *e = &from->remote;
    uint64_t h = turn_hash_ip(t, &e->ip) ^ (uint64_t)e->port << 40 ^ from->id;
    return &t->by_tuple[h * UINT64_C(0x9e3779b97f4a7c15) >> (64 - t->tuple_bits)];
}

/* The local address counts too: a listener on "any" has several. */
static bool same_tuple(const struct tuple *a, const struct tuple *b)
{
    return a->id == b->id && endpoint_equal(&a->remote, &b->remote) && ip_equal(&a->local.ip, &b->local.ip);
}

struct alloc *turn_alloc_of(const struct turn *t, const struct tuple *from)
{
    struct alloc *al = *tuple_bucket(t, from);
    while (al && !same_tuple(&al->from, from))
        al = al->next_tuple;
    return al;
}

/* ---- life ---- */

static void free_alloc(struct turn *t, struct alloc *al)
{
    for (size_t i = 0; i < 2; i++)
        if (al->relay[i].id)
            turn_relay_release(t, &al->relay[i]);
    turn_forget_permissions(t, al, 0);
    timers_set(&t->timers, &al->timer, al, TIME_NEVER);
    if (al->control) {
        al->control->alloc = NULL;
        if (al->control->at.id)
            turn_leg_idle_from_now(t, al->control);
    } else {
        struct alloc **link = tuple_bucket(t, &al->from);
        while (*link != al)
            link = &(*link)->next_tuple;
        *link = al->next_tuple;
    }
    al->user->allocations--;
    al->from.listener->port->allocations--;
    t->stats.allocations--;
    pool_put(&t->allocs, al);
}

static struct alloc *new_alloc(struct turn *t, const struct call *c)
{
    struct alloc *al = pool_get(&t->allocs);
    if (!al)
        return NULL;
    al->node.kind = NODE_ALLOC;
    al->from = *c->from;
    al->control = c->leg;
    al->user = c->rq.user;
    al->keys = *c->rq.keys;
    al->asked = c->rq;
    al->asked.keys = &al->keys;
    al->serial = ++t->serial;
    al->indicate_ns = TIME_NEVER;
    if (c->leg) {
        c->leg->alloc = al;
        timers_set(&t->timers, &c->leg->idle, c->leg, TIME_NEVER);
    } else {
        struct alloc **bucket = tuple_bucket(t, &al->from);
        al->next_tuple = *bucket;
        *bucket = al;
    }
    al->user->allocations++;
    al->from.listener->port->allocations++;
    t->stats.allocations++;
    return al;
}

struct relay *turn_relay_of(struct alloc *al, uint8_t family)
{
    struct relay *r = &al->relay[family_index(family)];
    return r->state == RELAY_OPEN && r->at.ip.family == family ? r : NULL;
}

static void arm(struct turn *t, struct alloc *al)
{
    uint64_t at = al->indicate_ns;
    for (size_t i = 0; i < 2; i++)
        if (al->relay[i].state == RELAY_OPEN)
            at = time_min(at, al->relay[i].expires_ns);
    timers_set(&t->timers, &al->timer, al, at);
}

/* Of that family; 0: of all. */
static void set_lifetime(struct turn *t, struct alloc *al, uint8_t family, uint32_t lifetime_s)
{
    for (size_t i = 0; i < 2; i++)
        if (!family || i == family_index(family))
            al->relay[i].expires_ns = io_now(t->io) + lifetime_s * NS_S;
    arm(t, al);
}

static void delete_peers(struct turn *t, struct alloc *al, uint8_t family, const char *cause)
{
    for (struct peer *p = al->peers, *next; p; p = next) {
        next = p->next;
        if (!family || p->remote.ip.family == family)
            turn_peer_delete(t, p, cause, 437); /* a Connect in progress has lost its allocation */
    }
}

void turn_alloc_delete(struct turn *t, struct alloc *al, const char *cause)
{
    io_note(t->io, NOTE_STATE, "alloc=%u %s -> GONE cause=%s", al->serial, al->live ? "LIVE" : "OPENING", cause);
    delete_peers(t, al, 0, cause);
    free_alloc(t, al);
}

/* 8656 6: of an allocation with two relays one may end before the other. */
static void end_relay(struct turn *t, struct alloc *al, struct relay *r, const char *cause)
{
    char at[ENDPOINT_TEXT];
    if (al->relay[r == al->relay].state != RELAY_OPEN) {
        turn_alloc_delete(t, al, cause);
        return;
    }
    io_note(t->io, NOTE_STATE, "alloc=%u relay=%s OPEN -> GONE cause=%s", al->serial, endpoint_text(&r->at, at), cause);
    delete_peers(t, al, r->at.ip.family, cause);
    turn_forget_permissions(t, al, r->at.ip.family);
    turn_relay_release(t, r);
    arm(t, al);
}

void turn_alloc_timer(struct turn *t, struct alloc *al)
{
    uint64_t now = io_now(t->io);
    if (now >= al->indicate_ns) {
        turn_binding_indication(t, al);
        al->indicate_ns = now + t->cfg.profile->binding_indication_ns;
    }
    arm(t, al);
    for (size_t i = 0; i < 2; i++)
        if (al->relay[i].state == RELAY_OPEN && now >= al->relay[i].expires_ns) {
            end_relay(t, al, &al->relay[i], "lifetime"); /* the other, if it is due too, is the timer's next */
            return;
        }
}

/* ---- what is asked for ---- */

struct wanted {
    enum ip_proto proto;
    uint8_t family, additional; /* additional: IP_V6 or 0 */
    bool even, reserve;
    struct endpoint reserved; /* port 0: none */
    uint64_t token;
    uint32_t lifetime_s;
};

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
static int family_in(const struct stun_msg *m, enum stun_attr_type type)
{
    uint32_t v;
    int err = stun_get_u32(m, type, &v);
    return err == E_NOT_FOUND ? 0 : err ? -1 : (int)(v >> 24);
}

static bool has(const struct stun_msg *m, enum stun_attr_type type)
{
    struct stun_attr a;
    return stun_find(m, type, &a);
}

/* 7.2 (3), 6062 5.1 (1) and (2). */
static int check_transport(const struct turn *t, const struct call *c, struct wanted *w)
{
    uint32_t transport;
    if (stun_get_u32(c->m, ATTR_REQUESTED_TRANSPORT, &transport))
        return 400;
    w->proto = transport >> 24 == PROTO_TCP ? PROTO_TCP : PROTO_UDP;
    if (transport >> 24 == PROTO_UDP)
        return t->cfg.no_udp_relay ? 403 : 0;
    if (transport >> 24 != PROTO_TCP || t->cfg.no_tcp_relay)
        return 442;
    return c->leg ? 0 : 400;
}

/* 7.2 (4), (5), (8); 6062 5.1 (3): none of these with TCP. */
static int check_extras(const struct turn *t, struct call *c, struct wanted *w)
{
    static const enum stun_attr_type extras[] = {ATTR_DONT_FRAGMENT, ATTR_EVEN_PORT, ATTR_RESERVATION_TOKEN};
    const struct stun_msg *m = c->m;
    struct stun_attr even;
    for (size_t i = 0; i < sizeof extras / sizeof *extras; i++)
        if (w->proto == PROTO_TCP && has(m, extras[i]))
            return 400;
    if (has(m, ATTR_DONT_FRAGMENT) && !t->cfg.dont_fragment) {
        c->a.unknown[c->a.unknown_count++] = ATTR_DONT_FRAGMENT;
        return 420;
    }
    int err = stun_get_u64(m, ATTR_RESERVATION_TOKEN, &w->token);
    w->even = stun_find(m, ATTR_EVEN_PORT, &even);
    if (err == E_MALFORMED || (w->even && even.len != 1))
        return 400;
    w->reserve = w->even && even.value[0] & 0x80;
    if (!err && (w->even || has(m, ATTR_REQUESTED_ADDRESS_FAMILY) || has(m, ATTR_ADDITIONAL_ADDRESS_FAMILY)))
        return 400;
    return err || turn_reserved(t, w->token, &w->reserved) ? 0 : 508;
}

static bool family_there(const struct turn *t, uint8_t family)
{
    return (family == IP_V4 && t->cfg.relay_ip4.family) || (family == IP_V6 && t->cfg.relay_ip6.family);
}

/* 7.2 (6), (7), (8), (9). */
static int check_families(const struct turn *t, const struct stun_msg *m, struct wanted *w)
{
    int asked = family_in(m, ATTR_REQUESTED_ADDRESS_FAMILY), additional = family_in(m, ATTR_ADDITIONAL_ADDRESS_FAMILY);
    if (asked < 0 || additional < 0 || (asked && additional))
        return 400;
    if (additional && (additional != IP_V6 || w->reserve))
        return 400;
    w->family = (uint8_t)(w->reserved.port ? w->reserved.ip.family : asked ? asked : IP_V4);
    w->additional = (uint8_t)additional;
    return family_there(t, w->family) || (w->additional && family_there(t, w->additional)) ? 0 : 440;
}

/* 7.2 (10), (11): quotas of the user, of the port, of the whole; whom to try instead. */
static int check_room(const struct turn *t, struct call *c)
{
    const struct turn_limits *l = &t->cfg.limits;
    const struct endpoint *alternate =
        c->from->remote.ip.family == IP_V4 ? &t->cfg.alternate4 : &t->cfg.alternate6; /* 8489-10-3 */
    if (c->rq.user->allocations >= l->user_allocations)
        return 486;
    if (!t->draining && t->stats.allocations < l->allocations &&
        (!l->port_allocations || c->from->listener->port->allocations < l->port_allocations))
        return 0;
    if (!alternate->port)
        return 508;
    c->a.alternate = alternate;
    return 300;
}

static int check_allocate(const struct turn *t, struct call *c, struct wanted *w)
{
    uint32_t asked;
    int code = check_transport(t, c, w);
    if (!code)
        code = check_extras(t, c, w);
    if (!code)
        code = check_families(t, c->m, w);
    if (!code)
        code = wanted_lifetime(t, c->m, &asked, &w->lifetime_s);
    return code ? code : check_room(t, c);
}

/* ---- Allocate ---- */

static void answer_allocate(struct turn *t, const struct alloc *al)
{
    struct answer a = {.has_lifetime = true, .lifetime_s = al->lifetime_s, .mapped = &al->from.remote,
                       .token = al->token, .failed_family = al->failed_family, .failed_code = al->failed_code};
    for (size_t i = 0; i < 2; i++)
        if (al->relay[i].state == RELAY_OPEN)
            a.relayed[i] = &al->relay[i].told;
    turn_answer(t, &al->from, &al->asked, &a);
}

static void refuse(struct turn *t, struct alloc *al, int code)
{
    turn_answer_code(t, &al->from, &al->asked, code);
    free_alloc(t, al);
}

/* Of two families one that cannot be had is told beside the other (8656-7.2-22). */
static void family_failed(struct alloc *al, uint8_t family, int code)
{
    al->failed_family = family;
    al->failed_code = code;
}

static void set_out(struct turn *t, struct alloc *al, uint8_t family, const struct wanted *w)
{
    struct relay *r = &al->relay[family_index(family)];
    *r = (struct relay){.node.kind = NODE_RELAY, .alloc = al};
    if (!family_there(t, family)) {
        family_failed(al, family, 440);
        return;
    }
    r->at.ip = family == IP_V4 ? t->cfg.relay_ip4 : t->cfg.relay_ip6;
    if (w->reserved.port) {
        r->at = w->reserved;
        r->ports_left = 1;
        turn_reservation_used(t, w->token);
    }
    if (turn_relay_open(t, r))
        family_failed(al, family, 508);
}

/* 5-15: the same transaction again has the same answer; or it will, when the ports are open. */
static int again(struct turn *t, const struct call *c)
{
    const struct alloc *al = c->alloc;
    if (c->leg || memcmp(&al->asked.id, &c->rq.id, sizeof c->rq.id) != 0 || al->user != c->rq.user)
        return 437;
    if (al->live)
        answer_allocate(t, al);
    return ANSWERED;
}

int turn_allocate(struct turn *t, struct call *c)
{
    struct wanted w = {0};
    if (c->alloc)
        return again(t, c);
    int code = check_allocate(t, c, &w);
    if (code)
        return code;
    struct alloc *al = new_alloc(t, c);
    if (!al)
        return 508;
    al->proto = w.proto;
    al->lifetime_s = w.lifetime_s;
    al->even = w.even;
    al->reserve = w.reserve;
    set_out(t, al, w.family, &w);
    if (w.additional)
        set_out(t, al, w.additional, &w);
    if (al->relay[0].state == RELAY_NONE && al->relay[1].state == RELAY_NONE) {
        free_alloc(t, al);
        return 508;
    }
    return ANSWERED; /* when the ports are open */
}

static void go_live(struct turn *t, struct alloc *al)
{
    uint64_t every = t->cfg.profile->binding_indication_ns;
    char text[2 * ENDPOINT_TEXT + 16], at[ENDPOINT_TEXT];
    struct text relays = text_of(text, sizeof text);
    al->live = true;
    t->stats.allocated_ever++;
    al->indicate_ns = every ? io_now(t->io) + every : TIME_NEVER;
    set_lifetime(t, al, 0, al->lifetime_s);
    for (size_t i = 0; i < 2; i++)
        if (al->relay[i].state == RELAY_OPEN)
            text_add(&relays, "relay=%s ", endpoint_text(&al->relay[i].at, at));
    io_note(t->io, NOTE_STATE, "alloc=%u OPENING -> LIVE %slifetime=%u", al->serial, text, al->lifetime_s);
    answer_allocate(t, al);
}

/* A relay is open, or will not be: when none is under way any more, the Allocate has its answer. */
static void settle(struct turn *t, struct alloc *al)
{
    if (al->relay[0].state == RELAY_OPENING || al->relay[1].state == RELAY_OPENING)
        return;
    bool open = al->relay[0].state == RELAY_OPEN || al->relay[1].state == RELAY_OPEN;
    if (!open)
        refuse(t, al, 508);
    else if (al->reserve && turn_reserve(t, &al->relay[al->relay[0].state != RELAY_OPEN], &al->token))
        refuse(t, al, 508);
    else
        go_live(t, al);
}

/* A host without room for one more socket has none for the next port either. */
void turn_relay_port_failed(struct turn *t, struct relay *r, int err)
{
    turn_relay_failed(t, r);
    r->state = RELAY_NONE;
    if (err != E_NOMEM && turn_relay_open(t, r) == 0)
        return;
    family_failed(r->alloc, r->at.ip.family, 508);
    settle(t, r->alloc);
}

void turn_relay_opened(struct turn *t, struct relay *r)
{
    const struct ip_addr *public = r->at.ip.family == IP_V4 ? &t->cfg.public_ip4 : &t->cfg.public_ip6;
    r->state = RELAY_OPEN;
    r->told = r->at;
    if (public->family)
        r->told.ip = *public;
    settle(t, r->alloc);
}

/* ---- Refresh ---- */

/* 8.2; of an allocation with two relays, REQUESTED-ADDRESS-FAMILY means one of them. */
int turn_refresh(struct turn *t, struct call *c)
{
    struct alloc *al = c->alloc;
    uint32_t asked, granted;
    int code = wanted_lifetime(t, c->m, &asked, &granted), family = family_in(c->m, ATTR_REQUESTED_ADDRESS_FAMILY);
    if (code || family < 0)
        return 400;
    struct relay *r = family ? turn_relay_of(al, (uint8_t)family) : NULL;
    if (family && !r)
        return 443;
    c->a.has_lifetime = true;
    c->a.lifetime_s = asked ? granted : 0;
    if (asked)
        set_lifetime(t, al, (uint8_t)family, granted);
    else if (r)
        end_relay(t, al, r, "refresh-0");
    else
        turn_alloc_delete(t, al, "refresh-0");
    return 0;
}
