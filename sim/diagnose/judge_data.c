/* SPDX-License-Identifier: GPL-2.0-or-later */
/* On the bound connection and in the long run: checks, silences, resets, refreshes; and what was not seen at all. */
#include <inttypes.h>
#include <string.h>

#include "models/base/time.h"
#include "sim/diagnose/judging.h"

/* The leg of an attempt whose ConnectionBind succeeded; NULL: it did not. */
static const struct leg *bound_leg(const struct attempt *a)
{
    return a->leg && a->leg->attempt == a ? a->leg : NULL;
}

static void show_checks(struct finding *f, const struct leg *l)
{
    static const char *const who[2] = {"the client", "the peer"};
    const struct checks *c = l->checks;
    for (unsigned by = 0; c && by < 2; by++) {
        judging_show(f, c->request[by], "Binding request of %s", who[by]);
        judging_show(f, c->success[by], "Binding success of %s", who[by]);
        judging_show(f, c->error[by], "Binding error %d of %s", c->code[by], who[by]);
    }
}

void judge_checks_refused(struct judging *j)
{
    for (size_t i = 0; i < j->story->attempts; i++) {
        const struct leg *l = bound_leg(j->story->attempt[i]), *control = j->story->attempt[i]->control;
        if (!l || !l->checks || judging_call_works(j, control))
            continue;
        for (unsigned by = 0; by < 2; by++) {
            if (!l->checks->error[by].frame || l->checks->success[by].frame)
                continue;
            struct finding *f = judging_find(j, control, "%s answers the checks with %d (%s)", by ? "the peer" : "the "
                                             "client", l->checks->code[by], stun_reason(l->checks->code[by]));
            show_checks(f, l);
        }
    }
}

static void add_half(struct text *t, const char *half)
{
    text_add(t, "%s%s", t->len ? "; " : "", half);
}

/* Which of the four are missing. The client opened the connection: it is [0]. */
static void missing_halves(const struct leg *l, struct text *t)
{
    static const struct checks none = {0};
    const struct checks *c = l->checks ? l->checks : &none;
    if (!c->request[0].frame && !c->request[1].frame) {
        add_half(t, "no check in either direction");
        return;
    }
    if (!c->request[0].frame)
        add_half(t, "no Binding request from the client to the peer");
    else if (!c->success[1].frame)
        add_half(t, l->side[1].payload || c->request[1].frame ? "the peer does not answer the client's checks"
                                                              : "nothing comes from the peer");
    if (!c->request[1].frame)
        add_half(t, "no Binding request from the peer");
    else if (!c->success[0].frame)
        add_half(t, "the client does not answer the peer's checks");
}

/* The connection of that control connection that came furthest, and was there long enough to be judged. */
static const struct leg *best_bound(struct judging *j, const struct leg *control)
{
    const struct leg *best = NULL;
    unsigned best_halves = 0;
    for (size_t i = 0; i < j->story->attempts; i++) {
        const struct leg *l = j->story->attempt[i]->control == control ? bound_leg(j->story->attempt[i]) : NULL;
        if (!l)
            continue;
        const struct checks *c = l->checks;
        unsigned halves = 1;
        for (unsigned by = 0; c && by < 2; by++)
            halves += (c->request[by].frame ? 1u : 0u) + (c->success[by].frame ? 1u : 0u);
        if (halves > best_halves)
            best = l;
        best_halves = halves > best_halves ? halves : best_halves;
    }
    return best;
}

void judge_checks_half(struct judging *j)
{
    char missing[SENTENCE], peer[ENDPOINT_TEXT];
    for (const struct leg *c = j->story->first_leg; c; c = c->after) {
        const struct leg *l = c->talk && c->talk->control && !judging_call_works(j, c) ? best_bound(j, c) : NULL;
        if (!l)
            continue;
        struct text t = text_of(missing, sizeof missing);
        missing_halves(l, &t);
        struct mark bound = l->attempt->bind->answered;
        if (leg_incomplete(l)) {
            judging_doubt(j, "of the bound connection of %s bytes or its start were not captured, so whether the "
                          "checks were complete cannot be told (seen: %s)", endpoint_text(&l->attempt->peer, peer),
                          missing);
            continue;
        }
        if (!judging_over(l) && !judging_passed(j, bound, WAIT_ANSWER_S)) {
            judging_doubt(j, "the capture ends %.1f s after ConnectionBind: too early for the checks (%s)",
                          judging_seconds(j->story->last.t_ns) - judging_seconds(bound.t_ns), missing);
            continue;
        }
        struct finding *f = judging_find(j, c, "on the connection of peer %s: %s", endpoint_text(&l->attempt->peer,
                                         peer), missing);
        judging_show(f, bound, "ConnectionBind success");
        show_checks(f, l);
        judging_show(f, l->side[0].fin, "FIN of the client");
        judging_show(f, l->side[1].fin, "FIN of the relay");
        judging_show(f, l->rst, "RST of the %s", l->rst_by ? "relay" : "client");
    }
}

/* ---- the long run ---- */

static bool is_unanswered(const struct judging *j, const struct leg *l, const struct exchange *x)
{
    return x->method != TURN_ALLOCATE && !x->answered.frame && !l->side[!l->talk->client].missing &&
           !leg_one_sided(l) && !(x->has_lifetime && !x->lifetime_s) &&
           (judging_passed(j, x->asked, WAIT_ANSWER_S) || l->rst.frame);
}

static bool after_silence(const struct exchange *x)
{
    return x->silence_ns >= SILENCE_S * NS_S;
}

static const char *method_name(const struct exchange *x)
{
    const char *name = stun_method_name(&stun_rfc8489, stun_type(STUN_REQUEST, x->method));
    return name ? name : "a request";
}

/* A silence that ends in an RST, or in requests that nobody answers. */
void judge_idle(struct judging *j)
{
    for (const struct leg *l = j->story->first_leg; l; l = l->after) {
        if (!l->talk)
            continue;
        const struct exchange *x = l->talk->latest;
        while (x && !(is_unanswered(j, l, x) && after_silence(x)))
            x = x->earlier;
        if (x) {
            struct finding *f = judging_find(j, l, "after %.0f s of silence %s gets no answer", (double)x->silence_ns /
                                             NS_S, method_name(x));
            judging_show(f, x->asked, "%s request, after the silence", method_name(x));
            judging_show(f, l->rst, "RST");
        } else if (l->rst.frame && l->last_silence_ns + (l->rst.t_ns - l->side[0].last.t_ns) >= SILENCE_S * NS_S &&
                   l->rst_by != l->talk->client && l->last_silence_ns >= SILENCE_S * NS_S) {
            struct finding *f = judging_find(j, l, "after %.0f s of silence the connection is reset",
                                             (double)l->last_silence_ns / NS_S);
            judging_show(f, l->silence_end, "what ended the silence");
            judging_show(f, l->rst, "RST");
        }
    }
}

void judge_reset(struct judging *j)
{
    for (size_t i = 0; i < j->story->attempts; i++) {
        const struct attempt *a = j->story->attempt[i];
        const struct leg *l = bound_leg(a);
        uint64_t call_end = judging_end(j, a->control);
        if (a->control->talk->allocation.deleted.frame && a->control->talk->allocation.deleted.t_ns < call_end)
            call_end = a->control->talk->allocation.deleted.t_ns;
        if (!l || !l->rst.frame || !judging_works(l) || l->side[0].fin.frame || l->side[1].fin.frame ||
            l->rst.t_ns + 2 * NS_S >= call_end || l->rst_by == 0)
            continue;
        struct finding *f = judging_find(j, a->control, "the bound connection is reset by the relay's side, %.1f s "
                                         "after ConnectionBind, while the allocation lives", (double)(l->rst.t_ns -
                                         a->bind->answered.t_ns) / NS_S);
        judging_show(f, a->bind->answered, "ConnectionBind success");
        judging_show(f, l->side[1].last, "the last bytes from the relay");
        judging_show(f, l->rst, "RST");
    }
}

void judge_expired(struct judging *j)
{
    for (const struct leg *l = j->story->first_leg; l; l = l->after) {
        const struct allocation_story *a = l->talk ? &l->talk->allocation : NULL;
        if (!a || !a->granted.frame || a->deleted.frame || leg_incomplete(l) || leg_one_sided(l) ||
            judging_end(j, l) < a->expires_ns + WAIT_ANSWER_S * NS_S)
            continue;
        struct finding *f = judging_find(j, l, "an allocation of %" PRIu32 " s ended at %.0f s: no Refresh succeeded "
                                         "before", a->lifetime_s, judging_seconds(a->expires_ns));
        judging_show(f, a->granted, "the allocation");
        judging_show(f, a->last_refresh, "the last Refresh that succeeded");
    }
}

void judge_unanswered(struct judging *j)
{
    for (const struct leg *l = j->story->first_leg; l; l = l->after)
        for (const struct exchange *x = l->talk ? l->talk->latest : NULL; x; x = x->earlier) {
            if (!is_unanswered(j, l, x) || after_silence(x))
                continue;
            struct finding *f = judging_find(j, l, "%s gets no answer", method_name(x));
            judging_show(f, x->asked, "%s request", method_name(x));
        }
}

/* ---- what was not seen ---- */

static void doubt_allocation(struct judging *j, const struct leg *l)
{
    const struct allocation_story *a = &l->talk->allocation;
    for (size_t i = 0; i < j->story->attempts; i++)
        if (j->story->attempt[i]->control == l)
            return;
    uint64_t end = judging_end(j, l);
    if (a->granted.frame && a->transport == PROTO_TCP && end < a->granted.t_ns + WAIT_PEER_S * NS_S)
        judging_doubt(j, "the %s ends %.1f s after the allocation: too early for a ConnectionAttempt",
                      judging_over(l) ? "client" : "capture", judging_seconds(end - a->granted.t_ns));
}

static void doubt_attempts(struct judging *j)
{
    for (size_t i = 0; i < j->story->attempts; i++) {
        const struct attempt *a = j->story->attempt[i];
        if (!a->bind && !judging_passed(j, a->told, WAIT_BIND_S) && !judging_over(a->control) &&
            !judging_call_works(j, a->control))
            judging_doubt(j, "the capture ends, or has gaps, before a ConnectionBind for the ConnectionAttempt of "
                          "frame %" PRIu64, a->told.frame);
    }
}

void judge_what_is_not_seen(struct judging *j)
{
    char server[ENDPOINT_TEXT];
    bool turn = false, skype = false;
    for (const struct leg *l = j->story->first_leg; l; l = l->after) {
        skype = skype || l->ms;
        if (!l->talk)
            continue;
        turn = true;
        endpoint_text(leg_server(l), server);
        if (leg_one_sided(l))
            judging_doubt(j, "only one direction of the connection to %s was captured", server);
        else if (l->side[0].missing || l->side[1].missing)
            judging_doubt(j, "%" PRIu64 " bytes of the connection to %s were not captured", l->side[0].missing +
                          l->side[1].missing, server);
        if (l->talk->middle)
            judging_doubt(j, "the capture begins in the middle of the conversation with %s: what was allocated before "
                          "is not known", server);
        doubt_allocation(j, l);
    }
    doubt_attempts(j);
    bool explained = turn || j->out->findings || j->out->count.checked;
    if (!explained && j->story->share_asked.frame && !skype)
        judging_doubt(j, "a share was asked for (frame %" PRIu64 "), and nothing of TURN is in this capture: if TURN "
                      "should pass here, the client did not get to its server; else take one there",
                      j->story->share_asked.frame);
    else if (!explained && skype)
        judging_doubt(j, "of relays only the Skype Edge's is in this capture: what passes between Meeting Server and "
                      "its TURN server was not seen");
    else if (!explained)
        judging_doubt(j, "no TURN message is in this capture: it was taken at another place or time, or TURN ran "
                      "inside TLS");
    if (j->story->missed)
        judging_doubt(j, "%" PRIu64 " things found no room in memory and were not judged", j->story->missed);
}
