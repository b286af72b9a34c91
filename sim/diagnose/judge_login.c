/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Up to the allocation: the way to the server, what speaks there, credentials, the answer to Allocate. */
#include <string.h>

#include "sim/diagnose/judging.h"

enum { LOOP = 3 };

/* ---- the way there ---- */

static bool serves_turn(const struct judging *j, const struct endpoint *e)
{
    for (const struct leg *l = j->story->first_leg; l; l = l->after)
        if (l->talk && endpoint_equal(leg_server(l), e))
            return true;
    return false;
}

static bool to_turn_port(const struct judging *j, const struct leg *l)
{
    return l->proto == PROTO_TCP && l->syns && !l->middle &&
           (l->end[1].port == TURN_PORT || serves_turn(j, &l->end[1]));
}

static void show_icmp(struct finding *f, const struct leg *l)
{
    char from[ADDR_TEXT];
    if (l->icmp.frame)
        judging_show(f, l->icmp, "%s answers with an ICMP error, type %u code %u", ip_text(&l->icmp_from, from),
                     l->icmp_type, l->icmp_code);
}

void judge_port_blocked(struct judging *j)
{
    char to[ENDPOINT_TEXT];
    for (const struct leg *l = j->story->first_leg; l; l = l->after) {
        if (!to_turn_port(j, l) || l->agreed.frame || l->open.frame || l->rst.frame ||
            !(l->syns > 1 || judging_passed(j, l->syn, WAIT_ANSWER_S)))
            continue;
        struct finding *f = judging_find(j, l, "%u SYN to %s, and no answer", l->syns, endpoint_text(&l->end[1], to));
        judging_show(f, l->syn, "SYN to %s", to);
        show_icmp(f, l);
    }
}

void judge_port_refused(struct judging *j)
{
    char to[ENDPOINT_TEXT];
    for (const struct leg *l = j->story->first_leg; l; l = l->after) {
        if (!to_turn_port(j, l) || l->agreed.frame || l->open.frame || !l->rst.frame || l->rst_by != 1)
            continue;
        struct finding *f = judging_find(j, l, "the SYN to %s is answered with RST", endpoint_text(&l->end[1], to));
        judging_show(f, l->syn, "SYN to %s", to);
        judging_show(f, l->rst, "RST from %s", to);
    }
}

/* ---- what speaks there ---- */

static const char *speech_name(enum speech speech)
{
    static const char *const names[] = {[SPEAKS_NOTHING] = "nothing", [SPEAKS_STUN] = "STUN", [SPEAKS_TLS] = "TLS",
                                        [SPEAKS_HTTP] = "HTTP",       [SPEAKS_SIP] = "SIP",
                                        [SPEAKS_MS_TURN] = "MS-TURN",
                                        [SPEAKS_OTHER] = "something that is not STUN"};
    return names[speech];
}

void judge_tls(struct judging *j)
{
    char to[ENDPOINT_TEXT];
    for (const struct leg *l = j->story->first_leg; l; l = l->after) {
        if (l->proto != PROTO_TCP || l->side[0].speech != SPEAKS_TLS || l->side[1].speech == SPEAKS_TLS ||
            l->side[1].missing || !(l->end[1].port == TURN_PORT || serves_turn(j, &l->end[1])) ||
            !(judging_over(l) || l->side[1].bytes || judging_passed(j, l->side[0].first, WAIT_ANSWER_S)))
            continue;
        struct finding *f = judging_find(j, l, "the client sends a TLS record to %s, and %s comes",
                                         endpoint_text(&l->end[1], to), speech_name(l->side[1].speech));
        judging_show(f, l->side[0].first, "TLS record from the client");
        judging_show(f, l->side[1].first, "%s from the server", speech_name(l->side[1].speech));
        judging_show(f, l->side[1].fin, "the server closes");
        judging_show(f, l->rst, "RST");
    }
}

void judge_not_turn(struct judging *j)
{
    char to[ENDPOINT_TEXT];
    for (const struct leg *l = j->story->first_leg; l; l = l->after) {
        const struct leg_side *server = l->talk ? &l->side[!l->talk->client] : NULL;
        if (!server || l->middle || server->missing || server->speech == SPEAKS_STUN ||
            server->speech == SPEAKS_NOTHING)
            continue;
        struct finding *f = judging_find(j, l, "%s answers STUN with %s", endpoint_text(leg_server(l), to),
                                         speech_name(server->speech));
        judging_show(f, l->talk->latest->asked, "a STUN request from the client");
        judging_show(f, server->first, "%s from the server", speech_name(server->speech));
    }
}

/* ---- Allocate ---- */

static bool unanswered(const struct judging *j, const struct leg *l, const struct exchange *x)
{
    const struct leg_side *server = &l->side[!l->talk->client];
    return !x->answered.frame && !server->missing && !leg_one_sided(l) &&
           (server->speech == SPEAKS_STUN || server->speech == SPEAKS_NOTHING) &&
           (judging_passed(j, x->asked, WAIT_ANSWER_S) || judging_over(l));
}

void judge_allocate_unanswered(struct judging *j)
{
    char to[ENDPOINT_TEXT];
    for (const struct leg *l = j->story->first_leg; l; l = l->after)
        for (const struct exchange *x = l->talk ? l->talk->latest : NULL; x; x = x->earlier) {
            if (x->method != TURN_ALLOCATE || !unanswered(j, l, x))
                continue;
            struct finding *f = judging_find(j, l, "Allocate to %s over %s, sent %u time%s, and no answer",
                                             endpoint_text(leg_server(l), to), l->proto == PROTO_UDP ? "UDP" : "TCP",
                                             x->sent, x->sent > 1 ? "s" : "");
            judging_show(f, x->asked, "Allocate request");
            show_icmp(f, l);
        }
}

/* ---- credentials ---- */

static bool granted(const struct leg *l)
{
    return l->talk->allocation.granted.frame;
}

static bool other_realm(const struct exchange *x)
{
    return x->answer_realm[0] && strcmp(x->realm, x->answer_realm) != 0;
}

static void judge_401(struct judging *j, bool realm)
{
    for (const struct leg *l = j->story->first_leg; l; l = l->after)
        for (const struct exchange *x = l->talk ? l->talk->latest : NULL; x; x = x->earlier) {
            if (x->code != 401 || !x->with_credentials || granted(l) || other_realm(x) != realm)
                continue;
            struct finding *f = judging_find(j, l, "a request with credentials of user \"%s\", realm \"%s\", is "
                                             "answered with 401 of realm \"%s\"", l->talk->user, x->realm,
                                             x->answer_realm);
            judging_show(f, x->asked, "request with user \"%s\", realm \"%s\"", l->talk->user, x->realm);
            judging_show(f, x->answered, "error 401, realm \"%s\"", x->answer_realm);
        }
}

void judge_wrong_realm(struct judging *j)
{
    judge_401(j, true);
}

void judge_wrong_credentials(struct judging *j)
{
    judge_401(j, false);
}

void judge_no_credentials(struct judging *j)
{
    for (const struct leg *l = j->story->first_leg; l; l = l->after) {
        const struct exchange *x = l->talk ? l->talk->latest : NULL;
        bool gave = false;
        for (const struct exchange *each = x; each; each = each->earlier)
            gave = gave || each->with_credentials || each->code != 401;
        if (!x || gave || l->talk->middle || leg_incomplete(l) ||
            !(judging_over(l) || judging_passed(j, x->answered, WAIT_ANSWER_S)))
            continue;
        struct finding *f = judging_find(j, l, "after 401 nothing with credentials follows");
        judging_show(f, x->asked, "request without credentials");
        judging_show(f, x->answered, "error 401, realm \"%s\"", x->answer_realm);
    }
}

void judge_stale_nonce(struct judging *j)
{
    for (const struct leg *l = j->story->first_leg; l; l = l->after) {
        unsigned stale = 0, most = 0;
        const struct exchange *last = NULL;
        for (const struct exchange *x = l->talk ? l->talk->latest : NULL; x; x = x->earlier) {
            stale = x->code == 438 ? stale + 1 : 0;
            if (stale > most)
                last = x;
            most = stale > most ? stale : most;
        }
        if (most < LOOP)
            continue;
        struct finding *f = judging_find(j, l, "error 438 (Stale Nonce) %u times in a row", most);
        judging_show(f, last->answered, "the first of them");
        judging_show(f, l->talk->latest->answered, "the last answer");
    }
}

/* ---- refusals ---- */

static const char *advice_of(int code)
{
    static const struct {
        int code;
        const char *advice;
    } known[] = {
        {300, "it names another server: whether the client can reach that one"},
        {400, "the server takes the request for malformed: an older or newer dialect at the client; compare the "
              "attributes with the server's documentation"},
        {403, "the server's policy: this user, or this client, may not allocate; TCP relays may be off"},
        {420, "the server does not know an attribute: for REQUESTED-TRANSPORT or DONT-FRAGMENT, too old a server"},
        {437, "an allocation of the same 5-tuple is alive, as after a restart of the client: wait, or use another "
              "client port"},
        {440, "the server has no relay address of that family (IPv4, IPv6)"},
        {441, "another user asks for an allocation that exists"},
        {442, "the server does not relay TCP (RFC 6062): Expressway from X8.9 on does; whether TCP relaying is on"},
        {486, "this user has as many allocations as the server allows: calls that were not ended, or the quota"},
        {500, "the server's log"},
        {508, "the server has no relay port left: its licence, size and relay port range; calls that were not ended"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].code == code)
            return known[i].advice;
    return NULL;
}

void judge_allocate_refused(struct judging *j)
{
    for (const struct leg *l = j->story->first_leg; l; l = l->after)
        for (const struct exchange *x = l->talk ? l->talk->latest : NULL; x; x = x->earlier) {
            if (x->method != TURN_ALLOCATE || !x->code || x->code == 401 || x->code == 438 || granted(l))
                continue;
            struct finding *f = judging_find(j, l, "Allocate is answered with %d (%s)", x->code, stun_reason(x->code));
            if (f)
                f->advice = advice_of(x->code);
            judging_show(f, x->asked, "Allocate request");
            judging_show(f, x->answered, "error %d", x->code);
        }
}

/* ---- the Skype client and its Edge ([MS-TURN]) ---- */

static bool waited(const struct judging *j, const struct leg *l, struct mark since)
{
    return !l->side[1].missing && !leg_one_sided(l) && (judging_over(l) || judging_passed(j, since, WAIT_ANSWER_S));
}

void judge_pseudo_tls(struct judging *j)
{
    char to[ENDPOINT_TEXT];
    for (const struct leg *l = j->story->first_leg; l; l = l->after) {
        const struct ms_talk *t = l->ms;
        if (!t || !t->hello[0].frame || t->hello[1].frame || !waited(j, l, t->hello[0]))
            continue;
        struct finding *f = judging_find(j, l, "%s answers the pseudo-TLS of a Skype client with %s",
                                         endpoint_text(&l->end[1], to), speech_name(l->side[1].speech));
        judging_show(f, t->hello[0], "pseudo-TLS ClientHello");
        judging_show(f, l->side[1].first, "%s", speech_name(l->side[1].speech));
        judging_show(f, l->rst, "RST");
    }
}

void judge_ms_unanswered(struct judging *j)
{
    char to[ENDPOINT_TEXT];
    for (const struct leg *l = j->story->first_leg; l; l = l->after) {
        const struct ms_talk *t = l->ms;
        if (!t || !t->asked.frame || t->answered.frame || !waited(j, l, t->asked))
            continue;
        struct finding *f = judging_find(j, l, "Allocate of MS-TURN to %s, and no answer",
                                         endpoint_text(&l->end[1], to));
        judging_show(f, t->asked, "Allocate request");
    }
}

void judge_ms_refused(struct judging *j)
{
    char to[ENDPOINT_TEXT];
    for (const struct leg *l = j->story->first_leg; l; l = l->after) {
        const struct ms_talk *t = l->ms;
        if (!t || !t->code || t->granted.frame || (t->code == 401 && !t->with_credentials))
            continue;
        struct finding *f = judging_find(j, l, "%s answers Allocate of MS-TURN with %d (%s)",
                                         endpoint_text(&l->end[1], to), t->code, stun_reason(t->code));
        judging_show(f, t->asked, "Allocate request");
        judging_show(f, t->answered, "error %d", t->code);
    }
}
