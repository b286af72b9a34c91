/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 6062, as a trace shows it. */
#include "conformance/monitor/rules.h"

#include <string.h>

/* Of one answer to a ConnectionBind what the capture's place adds, and the server's tolerance. */
#define BIND_LIMIT_NS (35 * NS_S)   /* 5.2, 5.3: 30 s; a server may look now and then */
#define RETRY_447_NS (10 * NS_S)    /* 4.3 */
enum { PERMISSION_S = 300 };

static bool of_tcp(const struct sight *s)
{
    return s->in->alloc.seen && s->in->alloc.transport == PROTO_TCP;
}

static bool asks_tcp(const struct sight *s)
{
    uint32_t transport;
    return stun_get_u32(s->m, ATTR_REQUESTED_TRANSPORT, &transport) == 0 && transport >> 24 == PROTO_TCP;
}

static struct offer *offer_of(const struct sight *s)
{
    uint32_t connection;
    if (stun_get_u32(s->m, ATTR_CONNECTION_ID, &connection))
        return NULL;
    return scene_offer(s->scene, connection, &s->in->server);
}

/* ---- the control connection ---- */

static void only_messages(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    if (s->by_client || s->in->proto != PROTO_TCP || !s->in->alloc.live || s->in->bound || s->in->gap)
        return;
    rule_judge(w, s->on != ON_PAYLOAD, "%zu bytes that are no message came from the server on a control connection",
               s->said->len);
}

static void attempt_is_for_control(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    if (s->in->alloc.seen || s->in->middle)
        rule_has(w, s, ATTR_CONNECTION_ID);
    else
        rule_broken(w, "a ConnectionAttempt came on a connection without an allocation");
}

static void over_tcp(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    if (asks_tcp(s))
        rule_judge(w, s->in->proto == PROTO_TCP, "an Allocate for a TCP relay was sent over UDP");
}

static void tcp_has_not(struct watch *w, const struct sight *s, unsigned attribute)
{
    if (asks_tcp(s))
        rule_has_not(w, s, attribute);
}

/* The answer to a challenge comes on the connection that was challenged. */
static void same_connection(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    if (asks_tcp(s) && s->in->challenges > 0)
        rule_judge(w, s->m->mac_at || s->m->mac256_at, "after a 401 an Allocate without credentials was sent again");
}

static void not_on_data(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    if (s->on == ON_REQUEST) {
        rule_held(w);
        return;
    }
    if (s->by_client && s->in->bound)
        rule_judge(w, !stun_looks_like(s->said->data, s->said->len) ||
                          (load16(s->said->data) & 0xfeef) != TURN_REFRESH,
                   "a Refresh was sent on a bound data connection, where it goes to the peer");
}

static void kept_alive(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    struct allocation_view *a = &s->in->alloc;
    if (!a->live || !s->said) /* when the trace ends, who knows what came later */
        return;
    if (s->t_ns <= a->expires_ns) {
        if (s->on == ON_REQUEST)
            rule_held(w);
        return;
    }
    if (!a->refreshed_late)
        rule_broken(w, "the allocation expired %.1f s before the client's next word",
                    (double)(s->t_ns - a->expires_ns) / (double)NS_S);
    a->refreshed_late = true;
}

/* ---- Connect ---- */

static void waits_after_447(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    struct endpoint peer;
    if (stun_get_address(s->m, ATTR_XOR_PEER_ADDRESS, &peer))
        return;
    const struct allocation_view *a = &s->in->alloc;
    for (size_t i = a->refusals; i-- > 0;)
        if (endpoint_equal(&a->refusal[i].peer, &peer)) {
            uint64_t waited = s->t_ns - a->refusal[i].t_ns;
            rule_judge(w, waited >= RETRY_447_NS, "Connect was sent again %.3f s after a 447",
                       (double)waited / (double)NS_S);
            return;
        }
}

static void one_connect_a_peer(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    struct endpoint peer;
    if (stun_get_address(s->m, ATTR_XOR_PEER_ADDRESS, &peer))
        return;
    size_t n = s->in->asks < SCENE_ASKS ? s->in->asks : SCENE_ASKS;
    for (size_t i = 0; i < n; i++) {
        const struct ask *a = &s->in->ask[i];
        if (a->method == TURN_CONNECT && !a->answered && a->has_peer && endpoint_equal(&a->peer[0], &peer)) {
            rule_broken(w, "two Connect requests to the same peer were outstanding");
            return;
        }
    }
    rule_held(w);
}

static void from_the_relayed_address(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    const struct endpoint *from = &s->said->seen->from, *to = &s->said->seen->to;
    for (size_t b = 0; b < sizeof s->scene->bucket / sizeof *s->scene->bucket; b++)
        for (const struct conversation *c = s->scene->bucket[b]; c; c = c->next)
            for (size_t i = 0; c->alloc.live && ip_equal(&from->ip, &c->alloc.relayed.ip) && i < SCENE_ASKS; i++) {
                const struct ask *a = &c->ask[i];
                if (a->method == TURN_CONNECT && !a->answered && a->has_peer && endpoint_equal(&a->peer[0], to)) {
                    rule_judge(w, from->port == c->alloc.relayed.port,
                               "the server connects to the peer from port %u, the relayed address has %u", from->port,
                               c->alloc.relayed.port);
                    return;
                }
            }
}

static void without_allocation(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    if (s->in->middle || s->in->alloc.live || !s->ask->with_credentials || s->code == 401 || s->code == 438)
        return;
    rule_judge(w, s->on == ON_ERROR && (s->code == 437 || s->code == 420 || s->code == 441),
               "a request without an allocation was answered %s", s->on == ON_SUCCESS ? "with success" : "otherwise");
}

/* ---- CONNECTION-ID ---- */

static void four_bytes(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    struct stun_attr a;
    if (s->code != 400 && stun_find(s->m, ATTR_CONNECTION_ID, &a))
        rule_judge(w, a.len == 4, "CONNECTION-ID has %u bytes", a.len);
}

/* arg: of a ConnectionAttempt. */
static void id_is_new(struct watch *w, const struct sight *s, unsigned arg)
{
    uint32_t connection;
    if (stun_get_u32(s->m, ATTR_CONNECTION_ID, &connection))
        return;
    const struct offer *o = scene_offer(s->scene, connection, &s->in->server);
    rule_judge(w, !o || s->t_ns - o->t_ns > BIND_LIMIT_NS, "CONNECTION-ID 0x%08x was given again after %.3f s%s",
               connection, o ? (double)(s->t_ns - o->t_ns) / (double)NS_S : 0, arg ? ", in a ConnectionAttempt" : "");
}

/* ---- ConnectionAttempt ---- */

static void attempt_is_permitted(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    struct endpoint peer;
    char text[ADDR_TEXT];
    if (s->in->middle || stun_get_address(s->m, ATTR_XOR_PEER_ADDRESS, &peer))
        return;
    const struct permit *p = scene_permit(&s->in->alloc, &peer.ip);
    if (!p)
        rule_broken(w, "a ConnectionAttempt from %s, for which no CreatePermission succeeded", ip_text(&peer.ip, text));
    else
        rule_judge(w, s->t_ns - p->t_ns <= (PERMISSION_S + 1) * NS_S,
                   "a ConnectionAttempt from %s, whose permission is %.0f s old", ip_text(&peer.ip, text),
                   (double)(s->t_ns - p->t_ns) / (double)NS_S);
}

static void attempt_names_the_peer(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    struct endpoint peer;
    rule_judge(w, stun_get_address(s->m, ATTR_XOR_PEER_ADDRESS, &peer) == 0 && peer.port,
               "a ConnectionAttempt without the peer's address and port");
}

static void attempt_while_alive(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    const struct allocation_view *a = &s->in->alloc;
    if (a->seen)
        rule_judge(w, a->live && s->t_ns <= a->expires_ns + NS_S, "a ConnectionAttempt for an allocation that is over");
}

static void attempt_is_an_indication(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    rule_judge(w, (s->m->method == TURN_CONNECTION_ATTEMPT) == (s->m->cls == STUN_INDICATION),
               "type 0x%04x: ConnectionAttempt is an indication, Connect and ConnectionBind are requests", s->m->type);
}

/* ---- ConnectionBind: of a Connect (arg 0) or a ConnectionAttempt (arg 1) ---- */

enum { OF_CONNECT, OF_ATTEMPT };

static const struct offer *bind_offer(const struct sight *s, unsigned of)
{
    const struct offer *o = offer_of(s);
    return o && o->attempt == (of == OF_ATTEMPT) ? o : NULL;
}

/* An offer is found by its server, so it went there: what is left to see is that none was needed elsewhere. */
static void bind_goes_to_the_server(struct watch *w, const struct sight *s, unsigned of)
{
    uint32_t connection;
    if (bind_offer(s, of)) {
        rule_held(w);
        return;
    }
    if (stun_get_u32(s->m, ATTR_CONNECTION_ID, &connection))
        return;
    for (size_t b = 0; b < sizeof s->scene->offer_bucket / sizeof *s->scene->offer_bucket; b++)
        for (const struct offer *o = s->scene->offer_bucket[b]; o; o = o->next)
            if (o->connection == connection && o->attempt == (of == OF_ATTEMPT) && !o->bound) {
                rule_broken(w, "ConnectionBind goes to another address than the control connection");
                return;
            }
}

static void bind_on_its_own_connection(struct watch *w, const struct sight *s, unsigned of)
{
    const struct offer *o = bind_offer(s, of);
    if (o)
        rule_judge(w, o->control != s->in->flow, "ConnectionBind was sent on the control connection");
}

static bool same_text(const struct stun_msg *m, enum stun_attr_type type, const char *other)
{
    const char *text;
    size_t len;
    return stun_get_text(m, type, &text, &len) == 0 && len == strlen(other) && memcmp(text, other, len) == 0;
}

static void bind_by_the_same_user(struct watch *w, const struct sight *s, unsigned of)
{
    const struct offer *o = bind_offer(s, of);
    const struct conversation *control = o ? scene_find(s->scene, o->control) : NULL;
    if (!control || !control->user[0] || !(s->m->mac_at || s->m->mac256_at) || !sight_has(s, ATTR_USERNAME))
        return;
    rule_judge(w, same_text(s->m, ATTR_USERNAME, control->user) && same_text(s->m, ATTR_REALM, control->realm),
               "ConnectionBind has another user or realm than the control connection");
}

static void bind_is_first(struct watch *w, const struct sight *s, unsigned of)
{
    const struct offer *o = bind_offer(s, of);
    if (o && o->control != s->in->flow && (s->in->requests == 0 || !s->in->binds))
        rule_judge(w, s->in->requests == 0, "another request came before ConnectionBind on a data connection");
}

static void bind_has_the_id(struct watch *w, const struct sight *s, unsigned of)
{
    uint32_t connection;
    if (bind_offer(s, of)) {
        rule_held(w);
        return;
    }
    if (offer_of(s) || s->scene->offers == 0 || stun_get_u32(s->m, ATTR_CONNECTION_ID, &connection))
        return;
    /* Which of the two it should have been shows in what is still open at this server. */
    for (size_t b = 0; b < sizeof s->scene->offer_bucket / sizeof *s->scene->offer_bucket; b++)
        for (const struct offer *o = s->scene->offer_bucket[b]; o; o = o->next)
            if (endpoint_equal(&o->server, &s->in->server) && !o->bound && o->attempt == (of == OF_ATTEMPT)) {
                rule_broken(w, "ConnectionBind has CONNECTION-ID 0x%08x; the server gave 0x%08x", connection,
                            o->connection);
                return;
            }
}

static void nothing_before_success(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    if (!s->by_client || !s->in->binds)
        return;
    rule_judge(w, s->in->bound, "payload was sent before ConnectionBind had succeeded");
}

static void success_before_payload(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    if (s->by_client || !s->in->binds || s->in->gap)
        return;
    rule_judge(w, s->in->bound, "payload came before the ConnectionBind success");
}

static void bind_in_time(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    const struct offer *o = s->ask->has_connection ? scene_offer(s->scene, s->ask->connection, &s->in->server) : NULL;
    if (o)
        rule_judge(w, s->t_ns - o->t_ns <= BIND_LIMIT_NS, "ConnectionBind succeeded %.1f s after the id was given",
                   (double)(s->t_ns - o->t_ns) / (double)NS_S);
}

static void bind_without_id(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    if (s->ask->has_connection || !s->ask->with_credentials || s->code == 401 || s->code == 438)
        return;
    rule_judge(w, s->code == 400, "ConnectionBind without CONNECTION-ID was answered %s",
               s->on == ON_SUCCESS ? "with success" : "with another error");
}

static void bind_twice(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    const struct offer *o = s->ask->has_connection ? scene_offer(s->scene, s->ask->connection, &s->in->server) : NULL;
    if (o && o->bound && s->ask->with_credentials)
        rule_judge(w, s->on == ON_ERROR, "the same CONNECTION-ID was bound twice");
}

/* ---- answers ---- */

static void tcp_answer_has(struct watch *w, const struct sight *s, unsigned attribute)
{
    if (s->ask->transport == PROTO_TCP)
        rule_has(w, s, attribute);
}

static void tcp_answer_has_not(struct watch *w, const struct sight *s, unsigned attribute)
{
    if (s->ask->transport == PROTO_TCP)
        rule_has_not(w, s, attribute);
}

static void of_connect_alone(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    if (s->code == 446 || s->code == 447)
        rule_judge(w, s->m->method == TURN_CONNECT, "%d in answer to another request than Connect", s->code);
}

static void refresh_stays(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    if (of_tcp(s) && s->ask->has_lifetime && s->ask->lifetime_s == 0) {
        uint32_t lifetime = 1;
        stun_get_u32(s->m, ATTR_LIFETIME, &lifetime);
        rule_judge(w, lifetime == 0, "Refresh with LIFETIME 0 was answered with LIFETIME %u", lifetime);
    }
}

static const struct rule rules[] = {
    {"6062-3-4", ON_STUN | ON_PAYLOAD, 0, only_messages, 0},
    {"6062-3-11", ON_INDICATION, TURN_CONNECTION_ATTEMPT, attempt_is_for_control, 0},
    {"6062-3-15", ON_SYN, 0, from_the_relayed_address, 0},
    {"6062-4.1-1", ON_REQUEST, TURN_ALLOCATE, over_tcp, 0},
    {"6062-4.1-5", ON_REQUEST, TURN_ALLOCATE, tcp_has_not, ATTR_DONT_FRAGMENT},
    {"6062-4.1-6", ON_REQUEST, TURN_ALLOCATE, tcp_has_not, ATTR_RESERVATION_TOKEN},
    {"6062-4.1-7", ON_REQUEST, TURN_ALLOCATE, tcp_has_not, ATTR_EVEN_PORT},
    {"6062-4.1-9", ON_REQUEST, TURN_ALLOCATE, same_connection, 0},
    {"6062-4.2-2", ON_REQUEST, TURN_REFRESH, not_on_data, 0},
    {"6062-4.2-2", ON_PAYLOAD, 0, not_on_data, 0},
    {"6062-4.3-2", ON_REQUEST, TURN_CONNECT, rule_has, ATTR_XOR_PEER_ADDRESS},
    {"6062-4.3-4", ON_REQUEST, TURN_CONNECTION_BIND, bind_goes_to_the_server, OF_CONNECT},
    {"6062-4.3-5", ON_REQUEST, TURN_CONNECTION_BIND, bind_on_its_own_connection, OF_CONNECT},
    {"6062-4.3-6", ON_REQUEST, TURN_CONNECTION_BIND, bind_by_the_same_user, OF_CONNECT},
    {"6062-4.3-7", ON_REQUEST, TURN_CONNECTION_BIND, bind_is_first, OF_CONNECT},
    {"6062-4.3-8", ON_REQUEST, TURN_CONNECTION_BIND, bind_has_the_id, OF_CONNECT},
    {"6062-4.3-9", ON_PAYLOAD, 0, nothing_before_success, 0},
    {"6062-4.3-11", ON_REQUEST, TURN_CONNECT, waits_after_447, 0},
    {"6062-4.3-13", ON_REQUEST, TURN_CONNECT, one_connect_a_peer, 0},
    {"6062-4.4-3", ON_REQUEST, TURN_CONNECTION_BIND, bind_goes_to_the_server, OF_ATTEMPT},
    {"6062-4.4-4", ON_REQUEST, TURN_CONNECTION_BIND, bind_on_its_own_connection, OF_ATTEMPT},
    {"6062-4.4-5", ON_REQUEST, TURN_CONNECTION_BIND, bind_by_the_same_user, OF_ATTEMPT},
    {"6062-4.4-6", ON_REQUEST, TURN_CONNECTION_BIND, bind_is_first, OF_ATTEMPT},
    {"6062-4.4-7", ON_REQUEST, TURN_CONNECTION_BIND, bind_has_the_id, OF_ATTEMPT},
    {"6062-4.6-1", ON_REQUEST | ON_END, 0, kept_alive, 0},
    {"6062-5.1-11", ON_SUCCESS, TURN_ALLOCATE, tcp_answer_has_not, ATTR_RESERVATION_TOKEN},
    {"6062-5.1-13", ON_SUCCESS, TURN_ALLOCATE, tcp_answer_has, ATTR_XOR_RELAYED_ADDRESS},
    {"6062-5.1-13", ON_SUCCESS, TURN_ALLOCATE, tcp_answer_has, ATTR_LIFETIME},
    {"6062-5.1-13", ON_SUCCESS, TURN_ALLOCATE, tcp_answer_has, ATTR_XOR_MAPPED_ADDRESS},
    {"6062-5.2-1", ON_ANSWER, TURN_CONNECT, without_allocation, 0},
    {"6062-5.2-18", ON_SUCCESS, TURN_CONNECT, rule_has, ATTR_CONNECTION_ID},
    {"6062-5.2-19", ON_SUCCESS, TURN_CONNECT, id_is_new, 0},
    {"6062-5.2-22", ON_SUCCESS, TURN_CONNECTION_BIND, bind_in_time, 0},
    {"6062-5.3-5", ON_INDICATION, TURN_CONNECTION_ATTEMPT, attempt_is_permitted, 0},
    {"6062-5.3-7", ON_INDICATION, TURN_CONNECTION_ATTEMPT, attempt_names_the_peer, 0},
    {"6062-5.3-8", ON_INDICATION, TURN_CONNECTION_ATTEMPT, rule_has, ATTR_CONNECTION_ID},
    {"6062-5.3-8", ON_INDICATION, TURN_CONNECTION_ATTEMPT, id_is_new, 1},
    {"6062-5.3-12", ON_INDICATION, TURN_CONNECTION_ATTEMPT, attempt_while_alive, 0},
    {"6062-5.4-2", ON_ANSWER, TURN_CONNECTION_BIND, bind_without_id, 0},
    {"6062-5.4-4", ON_ANSWER, TURN_CONNECTION_BIND, bind_twice, 0},
    {"6062-5.4-11", ON_PAYLOAD, 0, success_before_payload, 0},
    {"6062-6.1-1", ON_STUN, TURN_CONNECTION_ATTEMPT, attempt_is_an_indication, 0},
    {"6062-6.1-1", ON_STUN, TURN_CONNECT, attempt_is_an_indication, 0},
    {"6062-6.2-1", ON_SUCCESS, TURN_CONNECT, four_bytes, 0},
    {"6062-6.2-1", ON_REQUEST, TURN_CONNECTION_BIND, four_bytes, 0},
    {"6062-6.2-1", ON_INDICATION, TURN_CONNECTION_ATTEMPT, four_bytes, 0},
    {"6062-6.3-1", ON_ERROR, 0, of_connect_alone, 0},
    {"6062-G-1", ON_ERROR, TURN_CONNECT, rule_challenges, 401},
    {"6062-G-1", ON_ERROR, TURN_CONNECTION_BIND, rule_challenges, 401},
    {"6062-G-2", ON_ERROR, TURN_CONNECT, rule_challenges, 438},
    {"6062-G-2", ON_ERROR, TURN_CONNECTION_BIND, rule_challenges, 438},
    {"6062-G-5", ON_SUCCESS, TURN_CONNECT, rule_signed, 0},
    {"6062-G-5", ON_SUCCESS, TURN_CONNECTION_BIND, rule_signed, 0},
    {"6062-G-5", ON_ERROR, TURN_CONNECT, rule_signed, 446},
    {"6062-G-5", ON_ERROR, TURN_CONNECT, rule_signed, 447},
    {"6062-G-9", ON_SUCCESS, TURN_REFRESH, refresh_stays, 0},
};

const struct rules rules_rfc6062 = {rules, sizeof rules / sizeof *rules};
