/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the allocation to the bound connection: the relayed address, permissions, attempts, ConnectionBind. */
#include <string.h>

#include "models/base/time.h"
#include "sim/diagnose/judging.h"

/* ---- connections to the relayed address ---- */

static bool tcp_allocation(const struct leg *l)
{
    return l->talk && l->talk->allocation.granted.frame && l->talk->allocation.transport == PROTO_TCP;
}

/* A connection to the relay port while the allocation lived. By the port alone: behind static NAT the relay has another
 * address than it says. */
static bool goes_to_relay(const struct leg *l, const struct leg *control)
{
    const struct allocation_story *a = &control->talk->allocation;
    return l->proto == PROTO_TCP && l->syns && !l->talk && l->end[1].port == a->relayed.port &&
           l->syn.t_ns >= a->granted.t_ns;
}

static bool has_attempt(const struct judging *j, const struct leg *control, const struct endpoint *peer)
{
    for (size_t i = 0; i < j->story->attempts; i++)
        if (j->story->attempt[i]->control == control && (!peer || ip_equal(&j->story->attempt[i]->peer.ip, &peer->ip)))
            return true;
    return false;
}

void judge_relay_port(struct judging *j)
{
    char to[ENDPOINT_TEXT], from[ENDPOINT_TEXT];
    for (const struct leg *c = j->story->first_leg; c; c = c->after)
        for (const struct leg *l = tcp_allocation(c) ? c : NULL; l; l = l->after) {
            if (!goes_to_relay(l, c) || l->agreed.frame || l->open.frame || judging_call_works(j, c) ||
                !(l->syns > 1 || l->rst.frame || judging_passed(j, l->syn, WAIT_ANSWER_S)))
                continue;
            struct finding *f = judging_find(j, l, "a SYN from %s to the relay port, %s, %s", endpoint_text(&l->end[0],
                                             from), endpoint_text(&l->end[1], to), l->rst.frame ? "is answered with RST"
                                             : "gets no answer");
            judging_show(f, c->talk->allocation.granted, "the allocation with relay port %u", l->end[1].port);
            judging_show(f, l->syn, "SYN to %s", to);
            judging_show(f, l->rst, "RST");
        }
}

/* Seen at the relay: it takes the peer's connection and closes it, and tells the client nothing. */
static void judge_closed_peers(struct judging *j, const struct leg *c)
{
    char to[ENDPOINT_TEXT], from[ENDPOINT_TEXT];
    for (const struct leg *l = c; l; l = l->after) {
        if (!goes_to_relay(l, c) || !(l->agreed.frame || l->open.frame) || has_attempt(j, c, &l->end[0]) ||
            !(l->side[1].fin.frame || (l->rst.frame && l->rst_by == 1)))
            continue;
        struct finding *f = judging_find(j, c, "the relay closes the connection of %s to %s, and gives no "
                                         "ConnectionAttempt", endpoint_text(&l->end[0], from), endpoint_text(&l->end[1],
                                         to));
        judging_show(f, c->talk->allocation.granted, "the allocation");
        judging_show(f, l->syn, "SYN of the peer");
        judging_show(f, l->side[1].fin, "FIN of the relay");
        judging_show(f, l->rst, "RST of the relay");
    }
}

/* Seen at the client: nobody was let in, nobody was permitted, and the server is not one that needs no permission. */
static bool is_expressway(const struct talk *t)
{
    return strncasecmp(t->software, "TANDBERG", strlen("TANDBERG")) == 0;
}

static uint64_t allocation_end(const struct judging *j, const struct leg *c)
{
    uint64_t end = judging_end(j, c);
    const struct mark *deleted = &c->talk->allocation.deleted;
    return deleted->frame && deleted->t_ns < end ? deleted->t_ns : end;
}

/* Another allocation of the same client at the same time came up: that this one was not used means nothing, as with
 * candidates of ICE that were not chosen. */
static bool not_needed(const struct judging *j, const struct leg *c)
{
    for (const struct leg *l = j->story->first_leg; l; l = l->after)
        if (l != c && tcp_allocation(l) && ip_equal(&leg_client(l)->ip, &leg_client(c)->ip) &&
            l->talk->allocation.granted.t_ns <= allocation_end(j, c) &&
            c->talk->allocation.granted.t_ns <= allocation_end(j, l) && judging_call_works(j, l))
            return true;
    return false;
}

static bool waited_in_vain(const struct judging *j, const struct leg *c)
{
    return tcp_allocation(c) && !c->talk->middle && !has_attempt(j, c, NULL) && !leg_incomplete(c) &&
           allocation_end(j, c) >= c->talk->allocation.granted.t_ns + WAIT_PEER_S * NS_S && !not_needed(j, c);
}

static bool asked_for(const struct leg *c, unsigned method)
{
    for (const struct exchange *x = c->talk->latest; x; x = x->earlier)
        if (x->method == method)
            return true;
    return false;
}

void judge_permission(struct judging *j)
{
    for (const struct leg *c = j->story->first_leg; c; c = c->after) {
        if (!tcp_allocation(c) || c->talk->allocation.permission.frame)
            continue;
        size_t before = j->out->findings;
        judge_closed_peers(j, c);
        if (j->out->findings != before || !waited_in_vain(j, c) || asked_for(c, TURN_CONNECT) ||
            asked_for(c, TURN_CREATE_PERMISSION) || is_expressway(c->talk))
            continue;
        struct finding *f = judging_find(j, c, "the client asked for no permission, and no ConnectionAttempt came; the "
                                         "server (%s) may want one", c->talk->software[0] ? c->talk->software : "of "
                                         "unknown make");
        judging_show(f, c->talk->allocation.granted, "the allocation");
    }
}

void judge_permission_refused(struct judging *j)
{
    char peer[ENDPOINT_TEXT];
    for (const struct leg *l = j->story->first_leg; l; l = l->after)
        for (const struct exchange *x = l->talk ? l->talk->latest : NULL; x; x = x->earlier) {
            if (x->code != 403 || x->method == TURN_ALLOCATE)
                continue;
            struct finding *f = judging_find(j, l, "%s is answered with 403 (Forbidden)", x->method ==
                                             TURN_CREATE_PERMISSION ? "CreatePermission" : x->method == TURN_CONNECT
                                                 ? "Connect" : "a request");
            judging_show(f, x->asked, "for peer %s", endpoint_text(&x->peer, peer));
            judging_show(f, x->answered, "error 403");
        }
}

static unsigned reached(const struct leg *c)
{
    unsigned n = 0;
    for (const struct leg *l = c; l; l = l->after)
        n += goes_to_relay(l, c);
    return n;
}

/* Where the relayed address went out in a description; or that none of those seen has it. */
static void show_announcement(const struct judging *j, struct finding *f, const struct endpoint *relayed)
{
    bool candidates = false;
    for (size_t i = 0; i < j->story->announcements; i++) {
        const struct announced *a = &j->story->announced[i];
        candidates = candidates || a->candidate;
        if (!a->udp && endpoint_equal(&a->address, relayed)) {
            judging_show(f, a->at, "it is announced: %s", a->what);
            return;
        }
    }
    if (f && candidates && !f->advice)
        f->advice = "the relayed address is in none of the session descriptions that were seen: whether the peer ever "
                    "learns of it";
}

void judge_no_attempt(struct judging *j)
{
    char at[ENDPOINT_TEXT];
    for (const struct leg *c = j->story->first_leg; c; c = c->after) {
        if (!tcp_allocation(c) || !waited_in_vain(j, c) || asked_for(c, TURN_CONNECT) || reached(c))
            continue;
        const struct allocation_story *a = &c->talk->allocation;
        double waited = judging_seconds(allocation_end(j, c) - a->granted.t_ns);
        struct finding *f = judging_find(j, c, "no ConnectionAttempt for the relayed address %s within %.0f s",
                                         endpoint_text(&a->relayed, at), waited);
        if (f)
            f->blamed = (struct blamed){.proto = PROTO_TCP, .to = a->relayed};
        if (f && judging_private(&a->relayed.ip))
            f->advice = "the relayed address is a private one: a peer outside reaches it only by routing, not through "
                        "static NAT";
        judging_show(f, a->granted, "Allocate success, relayed address %s", at);
        show_announcement(j, f, &a->relayed);
        judging_show(f, a->permission, "CreatePermission success");
        judging_show(f, a->deleted, "the client gives the allocation up");
    }
}

/* ---- Connect and ConnectionBind ---- */

void judge_connect_failed(struct judging *j)
{
    char peer[ENDPOINT_TEXT];
    for (const struct leg *l = j->story->first_leg; l; l = l->after)
        for (const struct exchange *x = l->talk ? l->talk->latest : NULL; x; x = x->earlier) {
            if (x->method != TURN_CONNECT || !x->code || x->code == 401 || x->code == 438 || x->code == 403 ||
                judging_call_works(j, l))
                continue;
            struct finding *f = judging_find(j, l, "Connect to %s is answered with %d (%s)", endpoint_text(&x->peer,
                                             peer), x->code, stun_reason(x->code));
            if (f)
                f->blamed = (struct blamed){PROTO_TCP, l->talk->allocation.relayed, x->peer, false};
            if (f && x->code == 446)
                f->advice = "there is a connection to that peer already: a second one is not allowed (RFC 6062 5.2)";
            judging_show(f, x->asked, "Connect to %s", peer);
            judging_show(f, x->answered, "error %d", x->code);
        }
}

/* The client's second connection that did not open: the likely reason that no ConnectionBind was seen. */
static const struct leg *failed_connection(const struct attempt *a)
{
    for (const struct leg *l = a->control; l; l = l->after)
        if (l->proto == PROTO_TCP && l->syn.t_ns >= a->told.t_ns && l->syns && !l->open.frame &&
            endpoint_equal(&l->end[1], leg_server(a->control)))
            return l;
    return NULL;
}

static bool given_up(const struct judging *j, const struct attempt *a)
{
    return judging_passed(j, a->told, WAIT_BIND_S) || judging_over(a->control) ||
           a->control->talk->allocation.deleted.frame;
}

void judge_bind_missing(struct judging *j)
{
    char peer[ENDPOINT_TEXT];
    for (size_t i = 0; i < j->story->attempts; i++) {
        const struct attempt *a = j->story->attempt[i];
        if (a->bind || judging_call_works(j, a->control) || !given_up(j, a))
            continue;
        const struct leg *failed = failed_connection(a);
        struct finding *f = judging_find(j, a->control, "no ConnectionBind for the connection of %s%s",
                                         endpoint_text(&a->peer, peer), failed ? ": the client's connection for it did "
                                         "not open" : "");
        judging_show(f, a->told, "%s of %s", a->connect ? "Connect success" : "ConnectionAttempt", peer);
        if (failed)
            judging_show(f, failed->syn, "SYN of the client's connection for it");
    }
}

void judge_bind_late(struct judging *j)
{
    for (size_t i = 0; i < j->story->attempts; i++) {
        const struct attempt *a = j->story->attempt[i];
        if (!a->bind || a->bind->asked.t_ns < a->told.t_ns + WAIT_BIND_S * NS_S)
            continue;
        struct finding *f = judging_find(j, a->control, "ConnectionBind comes %.1f s after the connection",
                                         (double)(a->bind->asked.t_ns - a->told.t_ns) / NS_S);
        judging_show(f, a->told, "%s", a->connect ? "Connect success" : "ConnectionAttempt");
        judging_show(f, a->bind->asked, "ConnectionBind request");
    }
}

void judge_bind_refused(struct judging *j)
{
    for (const struct leg *l = j->story->first_leg; l; l = l->after)
        for (const struct exchange *x = l->talk ? l->talk->latest : NULL; x; x = x->earlier) {
            if (x->method != TURN_CONNECTION_BIND || !x->code || x->code == 438 ||
                (x->code == 401 && !(x->with_credentials && x == l->talk->latest)))
                continue;
            struct finding *f = judging_find(j, l, "ConnectionBind is answered with %d (%s)", x->code,
                                             stun_reason(x->code));
            judging_show(f, x->asked, "ConnectionBind request");
            judging_show(f, x->answered, "error %d", x->code);
        }
}
