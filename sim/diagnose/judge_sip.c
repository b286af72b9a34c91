/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What signalling in clear and the log say: refusals, silences, connections that do not open. */
#include <string.h>

#include "models/base/time.h"
#include "sim/diagnose/judging.h"

static void judge_log(struct judging *j)
{
    for (size_t i = 0; j->log && i < j->log->entries; i++) {
        const struct cms_log_entry *e = &j->log->entry[i];
        if (e->id != MS_ATTENDEE_CANNOT_SHARE)
            continue;
        struct finding *f = judging_find(j, NULL, "the log has ms-diagnostics %u%s%s%s", e->id,
                                         e->reason[0] ? ", \"" : "", e->reason, e->reason[0] ? "\"" : "");
        judging_show_line(f, e->line, "%u;reason=\"%s\";component=\"%s\"", e->id, e->reason, e->component);
    }
}

/* A proxy that was captured on both sides has each request twice: it was sent on, and what matters is what became of it
 * there. */
static bool went_on(const struct judging *j, const struct sip_request *q)
{
    for (const struct leg *l = j->story->first_leg; l; l = l->after)
        for (const struct sip_request *other = l->sip_latest; other; other = other->earlier)
            if (other->call == q->call && other->cseq == q->cseq && strcmp(other->method, q->method) == 0 &&
                other->asked.frame > q->asked.frame)
                return true;
    return false;
}

/* Refused shares: with 21002, or with anything else. Challenges are no refusals. */
static void judge_refusals(struct judging *j, bool attendee)
{
    for (const struct leg *l = j->story->first_leg; l; l = l->after)
        for (const struct sip_request *q = l->sip_latest; q; q = q->earlier) {
            if (!q->share || q->code < 300 || q->code == 401 || q->code == 407 ||
                (q->diagnostics == MS_ATTENDEE_CANNOT_SHARE) != attendee || went_on(j, q))
                continue;
            struct finding *f = judging_find(j, l, "the INVITE for the share is answered with %u %s%s%s", q->code,
                                             q->phrase, q->reason[0] ? ", ms-diagnostics " : "", q->reason);
            if (f && q->code >= 500 && !q->diagnostics)
                f->advice = "a Meeting Server that gets no relay answers so: look at its TURN connection, in a capture "
                            "taken there";
            judging_show(f, q->asked, "INVITE with m=applicationsharing");
            judging_show(f, q->answered, "%u %s", q->code, q->phrase);
        }
}

void judge_attendee(struct judging *j)
{
    judge_log(j);
    judge_refusals(j, true);
}

void judge_share_refused(struct judging *j)
{
    judge_refusals(j, false);
}

static bool to_sip_port(const struct leg *l)
{
    return l->proto == PROTO_TCP && l->syns > 1 && !l->middle && !l->open.frame && !l->rst.frame &&
           (l->end[1].port == 5060 || l->end[1].port == 5061 || l->end[1].port / 100 == 70);
}

void judge_sip_blocked(struct judging *j)
{
    char to[ENDPOINT_TEXT];
    for (const struct leg *l = j->story->first_leg; l; l = l->after) {
        if (!to_sip_port(l) || l->agreed.frame)
            continue;
        struct finding *f = judging_find(j, l, "%u SYN to %s, and no answer", l->syns, endpoint_text(&l->end[1], to));
        judging_show(f, l->syn, "SYN to %s", to);
    }
}

/* 443 is anybody's: it is the Edge's when signalling goes to the same host. */
static bool signals(const struct judging *j, const struct leg *to)
{
    for (const struct leg *l = j->story->first_leg; l; l = l->after)
        if (l->sip_latest && ip_equal(&l->end[0].ip, &to->end[0].ip) && ip_equal(&l->end[1].ip, &to->end[1].ip))
            return true;
    return false;
}

void judge_edge_blocked(struct judging *j)
{
    char to[ENDPOINT_TEXT];
    for (const struct leg *l = j->story->first_leg; l; l = l->after) {
        if (l->proto != PROTO_TCP || l->end[1].port != 443 || l->syns < 2 || l->middle || l->agreed.frame ||
            l->open.frame || l->rst.frame || !signals(j, l))
            continue;
        struct finding *f = judging_find(j, l, "%u SYN to %s, and no answer", l->syns, endpoint_text(&l->end[1], to));
        judging_show(f, l->syn, "SYN to %s", to);
    }
}

void judge_way_back(struct judging *j)
{
    char to[ENDPOINT_TEXT];
    for (const struct leg *l = j->story->first_leg; l; l = l->after) {
        if (l->proto != PROTO_TCP || l->syns < 2 || l->middle || l->open.frame || l->rst.frame || !l->agreed.frame)
            continue;
        struct finding *f = judging_find(j, l, "%s answers SYN with SYN+ACK, and the SYN comes again, %u times",
                                         endpoint_text(&l->end[1], to), l->syns);
        judging_show(f, l->syn, "SYN");
        judging_show(f, l->agreed, "SYN+ACK");
    }
}

static bool unanswered(const struct judging *j, const struct leg *l, const struct sip_request *q)
{
    return !q->code && !l->side[!q->by].missing && !leg_one_sided(l) && judging_passed(j, q->asked, WAIT_ANSWER_S) &&
           !went_on(j, q);
}

/* The first request of those in a row at the end of a leg that nobody answered. */
static const struct sip_request *first_unanswered(const struct judging *j, const struct leg *l)
{
    const struct sip_request *first = NULL;
    for (const struct sip_request *q = l->sip_latest; q && !q->code; q = q->earlier)
        if (unanswered(j, l, q))
            first = q;
    return first;
}

static bool after_silence(const struct sip_request *q)
{
    return q->silence_ns >= SILENCE_S * NS_S;
}

void judge_sip_idle(struct judging *j)
{
    for (const struct leg *l = j->story->first_leg; l; l = l->after) {
        const struct sip_request *q = first_unanswered(j, l);
        if (!q || !after_silence(q))
            continue;
        struct finding *f = judging_find(j, l, "after %.0f s of silence the SIP request %s gets no answer",
                                         (double)q->silence_ns / NS_S, q->method);
        judging_show(f, q->asked, "%s, after the silence", q->method);
    }
}

void judge_sip_unanswered(struct judging *j)
{
    for (const struct leg *l = j->story->first_leg; l; l = l->after) {
        const struct sip_request *q = first_unanswered(j, l);
        if (!q || after_silence(q))
            continue;
        struct finding *f = judging_find(j, l, "the SIP request %s gets no answer", q->method);
        judging_show(f, q->asked, "%s", q->method);
    }
}
