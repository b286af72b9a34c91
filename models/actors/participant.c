/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/participant.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"

/* A TURN server that says nothing to a Refresh is not waited for longer than a request over UDP is (RFC 8489 6.2.1). */
#define LEAVE_NS (40 * NS_S)

static void note(const struct participant *p, const char *state, const char *text)
{
    io_note(p->io, NOTE_SERVICE, "%s/signalling %s%s%s", p->name, state, text[0] ? " " : "", text);
}

void participant_begin(struct participant *p, const char *name, size_t len, const char *behind)
{
    struct text t = text_of(p->name, CONFERENCE_NAME);
    for (size_t i = 0; i < len; i++) {
        bool plain = isalnum((unsigned char)name[i]) || (name[i] && strchr("-_.", name[i]));
        if (plain)
            text_add(&t, "%c", name[i]);
    }
    if (!t.len)
        text_add(&t, "anonymous");
    t.cap = sizeof p->name;
    text_add(&t, "%s", behind);
    p->state = PART_JOINING;
    p->gone_by_ns = TIME_NEVER;
    note(p, "wanted", "");
}

void participant_up(struct participant *p, const char *how)
{
    if (p->state == PART_IN || p->state == PART_LEAVING)
        return;
    p->state = PART_IN;
    note(p, "up", how);
}

void participant_free(struct participant *p)
{
    session_free(p->session);
    free(p->from);
    free(p->to);
    free(p->described);
    *p = (struct participant){.state = PART_FREE};
}

/* A Warning's text is in quotes (RFC 3261 20.43). */
static void put_warning(char *out, size_t cap, const char *why)
{
    struct text t = text_of(out, cap);
    text_add(&t, "Warning: 399 meeting-server \"");
    for (; *why; why++)
        text_add(&t, "%c", *why == '"' || *why == '\\' ? '\'' : *why);
    text_add(&t, "\"\r\n");
}

/* No event of the call is wanted any more. */
static void drop_call(struct participant *p, bool told, unsigned code)
{
    char headers[CONFERENCE_TEXT + 64] = "";
    if (!p->call)
        return;
    if (!told)
        put_warning(headers, sizeof headers, p->why);
    sip_call_set_user(p->call, NULL);
    if (p->invited)
        sip_ua_refuse(p->ua, p->call, code, headers);
    if (!p->invited || p->state == PART_IN)
        sip_ua_hangup(p->ua, p->call, headers);
    p->call = NULL;
}

void participant_end(struct participant *p, enum participant_end how, unsigned code, const char *why)
{
    struct participant *other = p->other;
    if (p->state == PART_FREE || p->state == PART_LEAVING)
        return;
    snprintf(p->why, sizeof p->why, "%s", why);
    note(p, p->state != PART_IN ? "failed" : how == END_LOST ? "lost" : "done", p->why);
    drop_call(p, how == END_HUNG_UP, code);
    session_close(p->session);
    p->state = PART_LEAVING;
    p->gone_by_ns = io_now(p->io) + LEAVE_NS;
    p->tell_answer = false;
    p->tell_ended = p->web != 0;
    p->other = NULL;
    if (!other)
        return;
    other->other = NULL;
    participant_end(other, how, code, why);
}

/* ---- SIP ---- */

/* The answer to their INVITE, when it is known, and when the one who is called beyond has answered. */
static void answer(struct participant *p)
{
    if (!p->invited || !p->described || (p->other && p->other->state != PART_IN))
        return;
    sip_ua_answer(p->ua, p->call, p->described);
    p->invited = false;
    free(p->described);
    p->described = NULL;
}

static void on_reinvited(struct participant *p, const struct sip_ua_event *ev)
{
    struct sdp offer;
    if (p->state == PART_IN && sdp_parse(ev->msg->body.p, ev->msg->body.len, &offer) == 0 &&
        session_answer(p->session, &offer) == 0)
        p->invited = true;
    else
        sip_ua_refuse(p->ua, p->call, 488, "");
}

static void on_answered(struct participant *p, const struct sip_ua_event *ev)
{
    struct sdp sdp;
    if (p->state != PART_CALLING)
        return;
    if (sdp_parse(ev->msg->body.p, ev->msg->body.len, &sdp) || session_answered(p->session, &sdp)) {
        participant_end(p, END_LOST, 488, "the answer has no media that can be taken");
        return;
    }
    participant_up(p, "SIP, forwarded");
    if (p->other)
        answer(p->other);
}

static void on_ended(struct participant *p, const struct sip_ua_event *ev)
{
    struct sip_str why;
    char text[CONFERENCE_TEXT];
    p->call = NULL;
    if (ev->code == 408)
        participant_end(p, END_LOST, 408, "the other end does not answer any more (408)");
    else if (ev->code == 481)
        participant_end(p, END_LOST, 480, "the other end knows of no such call (481)");
    else if (ev->code == 487)
        participant_end(p, END_LOST, 487, "cancelled before it was answered");
    else if (ev->msg && (sip_find(ev->msg, "Warning", &why) || sip_find(ev->msg, "Reason", &why))) {
        snprintf(text, sizeof text, "hung up: %.*s", SIP_STR(why));
        participant_end(p, END_MEDIA, 480, text);
    } else {
        participant_end(p, END_HUNG_UP, 480, "hung up");
    }
}

void participant_sip(struct participant *p, const struct sip_ua_event *ev)
{
    char text[64];
    switch (ev->kind) {
    case SIP_REINVITED:
        on_reinvited(p, ev);
        break;
    case SIP_CONFIRMED:
        participant_up(p, "SIP");
        break;
    case SIP_ANSWERED:
        on_answered(p, ev);
        break;
    case SIP_REFUSED:
        p->call = NULL;
        snprintf(text, sizeof text, "refused: %u %s", ev->code, sip_reason(ev->code));
        participant_end(p, END_LOST, ev->code, text);
        break;
    case SIP_ENDED:
        on_ended(p, ev);
        break;
    case SIP_LINK_UP: /* of the user agent; it makes no re-INVITE, and a new call has no user yet */
    case SIP_LINK_DOWN:
    case SIP_INVITED:
    case SIP_PROGRESS:
    case SIP_REINVITE_REFUSED:
        break;
    }
}

/* ---- its session ---- */

static void call(struct participant *p, const char *offer)
{
    p->call = sip_ua_invite_as(p->ua, p->from, p->to, offer, "");
    if (!p->call) {
        participant_end(p, END_LOST, 503, "no connection that it could be forwarded over");
        return;
    }
    p->state = PART_CALLING;
    sip_call_set_user(p->call, p);
}

static void on_described(struct participant *p, const char *text)
{
    if (p->onward && p->state == PART_JOINING) {
        call(p, text);
        return;
    }
    free(p->described);
    p->described = strdup(text);
    assert(p->described);
    p->tell_answer = p->web != 0;
    answer(p);
}

bool participant_poll(struct participant *p)
{
    struct session_event ev;
    bool any = false;
    while (session_poll(p->session, &ev)) {
        any = true;
        if (p->state == PART_LEAVING || ev.kind == SESSION_UP)
            continue;
        if (ev.kind == SESSION_DESCRIBED)
            on_described(p, ev.text);
        else
            participant_end(p, END_MEDIA, 488, ev.text);
    }
    return any;
}
