/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 8656, as a trace shows it. */
#include "conformance/monitor/rules.h"

#define PERMISSION_NS (301 * NS_S)     /* 9: 300 s; a second for the place of the capture */
#define CHANNEL_NS (601 * NS_S)        /* 12: 600 s */
#define CHANNEL_REUSE_NS (300 * NS_S)  /* 12: after it has expired */
enum { DEFAULT_LIFETIME_S = 600, MAX_LIFETIME_S = 3600, WELL_KNOWN = 1024, DYNAMIC = 49152 };
enum { FIRST_CHANNEL = 0x4000, LAST_CHANNEL = 0x4fff, LAST_5766 = 0x7ffe };

static bool of_udp(const struct sight *s)
{
    return s->in->alloc.seen && s->in->alloc.transport == PROTO_UDP;
}

static void answer_has(struct watch *w, const struct sight *s, unsigned attribute)
{
    rule_has(w, s, attribute);
}

static void request_has_software(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    rule_has(w, s, ATTR_SOFTWARE);
}

static void without_allocation(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    if (s->in->middle || s->in->alloc.seen || !s->ask->with_credentials || s->code == 401 || s->code == 438)
        return;
    rule_judge(w, s->code == 437 || s->code == 420 || s->code == 400,
               "a request without an allocation was answered %s", s->on == ON_SUCCESS ? "with success" : "otherwise");
}

/* ---- Allocate ---- */

static void families_apart(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    bool token = sight_has(s, ATTR_RESERVATION_TOKEN), even = sight_has(s, ATTR_EVEN_PORT);
    bool family = sight_has(s, ATTR_REQUESTED_ADDRESS_FAMILY), more = sight_has(s, ATTR_ADDITIONAL_ADDRESS_FAMILY);
    rule_judge(w, !(family && more) && !(token && (even || family || more)),
               "an Allocate with attributes that exclude each other");
}

static uint32_t lifetime_of(const struct sight *s)
{
    uint32_t lifetime = UINT32_MAX;
    stun_get_u32(s->m, ATTR_LIFETIME, &lifetime);
    return lifetime;
}

static void lifetime_as_computed(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    uint32_t lifetime = lifetime_of(s), asked = s->ask->has_lifetime ? s->ask->lifetime_s : DEFAULT_LIFETIME_S;
    bool ends = s->m->method == TURN_REFRESH && asked == 0;
    if (lifetime == UINT32_MAX || ends)
        return;
    rule_judge(w, lifetime >= DEFAULT_LIFETIME_S && (lifetime <= asked || lifetime == DEFAULT_LIFETIME_S),
               "LIFETIME %u was granted, %u asked for", lifetime, asked);
}

static void lifetime_bounded(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    uint32_t lifetime = lifetime_of(s);
    if (lifetime != UINT32_MAX)
        rule_judge(w, lifetime <= MAX_LIFETIME_S, "LIFETIME %u is more than an hour", lifetime);
}

/* arg: the lowest port that will do. */
static void relayed_port(struct watch *w, const struct sight *s, unsigned lowest)
{
    struct endpoint relayed;
    if (stun_get_address(s->m, ATTR_XOR_RELAYED_ADDRESS, &relayed) == 0)
        rule_judge(w, relayed.port >= lowest, "relayed port %u", relayed.port);
}

static void mapped_is_the_source(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    rule_has(w, s, ATTR_XOR_MAPPED_ADDRESS);
}

static void token_if_reserved(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    rule_judge(w, s->ask->reserves || !sight_has(s, ATTR_RESERVATION_TOKEN),
               "RESERVATION-TOKEN in an answer to an Allocate that did not reserve");
}

/* The second 401 in a row answered credentials: nothing else is to be tried. */
static void stops_after_two_401(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    if (s->in->challenges >= 2)
        rule_judge(w, s->on == ON_END, "Allocate was sent again after a 401 that had answered credentials");
}

/* ---- Refresh ---- */

static void refreshed_in_time(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    const struct allocation_view *a = &s->in->alloc;
    if (a->live)
        rule_judge(w, s->t_ns <= a->expires_ns, "Refresh came %.1f s after the allocation had expired",
                   (double)(s->t_ns - a->expires_ns) / (double)NS_S);
}

static void deleted_at_the_end(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    if (s->said && s->in->alloc.seen) /* the conversation has ended; at a trace's end it may go on */
        rule_judge(w, !s->in->alloc.live || s->t_ns > s->in->alloc.expires_ns,
                   "the client left without deleting its allocation");
}

static void zero_for_zero(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    if (s->ask->has_lifetime && s->ask->lifetime_s == 0 && lifetime_of(s) != UINT32_MAX)
        rule_judge(w, lifetime_of(s) == 0, "LIFETIME %u in answer to LIFETIME 0", lifetime_of(s));
}

/* ---- data ---- */

static bool permitted(const struct sight *s, const struct ip_addr *peer)
{
    const struct permit *p = scene_permit(&s->in->alloc, peer);
    return p && s->t_ns - p->t_ns <= PERMISSION_NS;
}

static void send_is_permitted(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    struct endpoint peer;
    if (of_udp(s) && stun_get_address(s->m, ATTR_XOR_PEER_ADDRESS, &peer) == 0)
        rule_judge(w, permitted(s, &peer.ip), "a Send indication to a peer without a permission");
}

static void data_is_permitted(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    struct endpoint peer;
    if (of_udp(s) && !s->in->middle && stun_get_address(s->m, ATTR_XOR_PEER_ADDRESS, &peer) == 0)
        rule_judge(w, permitted(s, &peer.ip), "a Data indication from a peer without a permission, or an old one");
}

static void data_is_whole(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    rule_judge(w, sight_has(s, ATTR_XOR_PEER_ADDRESS) && (sight_has(s, ATTR_DATA) || sight_has(s, ATTR_ICMP)),
               "a Data indication without XOR-PEER-ADDRESS or DATA");
}

static void channel_is_used(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    struct endpoint peer;
    if (s->on == ON_CHANNEL) {
        if (!s->by_client)
            rule_held(w);
        return;
    }
    if (!of_udp(s) || sight_has(s, ATTR_ICMP) || stun_get_address(s->m, ATTR_XOR_PEER_ADDRESS, &peer))
        return;
    const struct channel_view *v = scene_channel_of(&s->in->alloc, &peer);
    if (v && s->t_ns - v->t_ns < CHANNEL_NS - 2 * NS_S && s->t_ns - v->t_ns > NS_S)
        rule_broken(w, "a Data indication from a peer that has channel 0x%04x", v->number);
}

static void channel_lives(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    if (s->by_client || !of_udp(s) || s->in->middle)
        return;
    const struct channel_view *v = scene_channel(&s->in->alloc, s->said->channel);
    rule_judge(w, v && s->t_ns - v->t_ns <= CHANNEL_NS, "ChannelData from the server on channel 0x%04x, %s",
               s->said->channel, v ? "which has expired" : "which is not bound");
}

static void channel_number(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    uint32_t number;
    if (stun_get_u32(s->m, ATTR_CHANNEL_NUMBER, &number))
        return;
    number >>= 16;
    rule_judge(w, number >= FIRST_CHANNEL && number <= LAST_CHANNEL, "channel 0x%04x%s", number,
               number <= LAST_5766 && number > LAST_CHANNEL ? ", which RFC 5766 allowed" : "");
}

static void channel_rests(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    uint32_t number;
    struct endpoint peer;
    if (stun_get_u32(s->m, ATTR_CHANNEL_NUMBER, &number) || stun_get_address(s->m, ATTR_XOR_PEER_ADDRESS, &peer))
        return;
    const struct channel_view *v = scene_channel(&s->in->alloc, (uint16_t)(number >> 16));
    if (v && !endpoint_equal(&v->peer, &peer))
        rule_judge(w, s->t_ns - v->t_ns >= CHANNEL_NS - NS_S + CHANNEL_REUSE_NS,
                   "channel 0x%04x was bound to another peer %.0f s before", v->number,
                   (double)(s->t_ns - v->t_ns) / (double)NS_S);
}

static void padding_on_streams(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    if (s->in->proto != PROTO_TCP || s->by_client)
        return;
    if (s->on == ON_CHANNEL)
        rule_held(w);
    else if (s->said->kind == SAID_LOST && of_udp(s) && !s->in->gap)
        rule_broken(w, "%zu bytes from the server that begin no message: framing or padding is wrong", s->said->len);
}

static const struct rule rules[] = {
    {"8656-5-6", ON_ANSWER, TURN_REFRESH, without_allocation, 0},
    {"8656-5-6", ON_ANSWER, TURN_CREATE_PERMISSION, without_allocation, 0},
    {"8656-5-6", ON_ANSWER, TURN_CHANNEL_BIND, without_allocation, 0},
    {"8656-5-9", ON_ANSWER, TURN_ALLOCATE, answer_has, ATTR_SOFTWARE},
    {"8656-5-9", ON_ANSWER, TURN_REFRESH, answer_has, ATTR_SOFTWARE},
    {"8656-5-10", ON_REQUEST, TURN_ALLOCATE, request_has_software, 0},
    {"8656-5-10", ON_REQUEST, TURN_REFRESH, request_has_software, 0},
    {"8656-7.1-1", ON_REQUEST, TURN_ALLOCATE, rule_has, ATTR_REQUESTED_TRANSPORT},
    {"8656-7.1-2", ON_REQUEST, TURN_ALLOCATE, families_apart, 0},
    {"8656-7.2-36", ON_SUCCESS, TURN_ALLOCATE, relayed_port, DYNAMIC},
    {"8656-7.2-37", ON_SUCCESS, TURN_ALLOCATE, relayed_port, WELL_KNOWN},
    {"8656-7.2-39", ON_SUCCESS, TURN_ALLOCATE, lifetime_as_computed, 0},
    {"8656-7.2-40", ON_SUCCESS, TURN_ALLOCATE, lifetime_bounded, 0},
    {"8656-7.2-41", ON_SUCCESS, TURN_ALLOCATE, answer_has, ATTR_XOR_RELAYED_ADDRESS},
    {"8656-7.2-42", ON_SUCCESS, TURN_ALLOCATE, answer_has, ATTR_LIFETIME},
    {"8656-7.2-43", ON_SUCCESS, TURN_ALLOCATE, mapped_is_the_source, 0},
    {"8656-7.2-44", ON_SUCCESS, TURN_ALLOCATE, token_if_reserved, 0},
    {"8656-7.2-47", ON_SUCCESS, TURN_ALLOCATE, rule_signed, 0},
    {"8656-7.4-4", ON_REQUEST | ON_END, 0, stops_after_two_401, 0},
    {"8656-8-1", ON_REQUEST, TURN_REFRESH, refreshed_in_time, 0},
    {"8656-8-2", ON_END, 0, deleted_at_the_end, 0},
    {"8656-8.2-1", ON_SUCCESS, TURN_REFRESH, zero_for_zero, 0},
    {"8656-8.2-2", ON_SUCCESS, TURN_REFRESH, lifetime_as_computed, 0},
    {"8656-8.2-5", ON_SUCCESS, TURN_REFRESH, answer_has, ATTR_LIFETIME},
    {"8656-9-1", ON_INDICATION, TURN_DATA, data_is_permitted, 0},
    {"8656-10.1-1", ON_REQUEST, TURN_CREATE_PERMISSION, rule_has, ATTR_XOR_PEER_ADDRESS},
    {"8656-11.1-1", ON_INDICATION, TURN_SEND, send_is_permitted, 0},
    {"8656-11.3-2", ON_INDICATION, TURN_DATA, data_is_whole, 0},
    {"8656-12-1", ON_REQUEST, TURN_CHANNEL_BIND, channel_number, 0},
    {"8656-12-3", ON_CHANNEL, 0, channel_lives, 0},
    {"8656-12-5", ON_REQUEST, TURN_CHANNEL_BIND, channel_rests, 0},
    {"8656-12.5-1", ON_CHANNEL, 0, channel_is_used, 0},
    {"8656-12.5-1", ON_INDICATION, TURN_DATA, channel_is_used, 0},
    {"8656-12.5-2", ON_CHANNEL | ON_PAYLOAD, 0, padding_on_streams, 0},
};

const struct rules rules_rfc8656 = {rules, sizeof rules / sizeof *rules};
