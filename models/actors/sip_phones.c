/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/sip_phones.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"

enum { OWNER_LINE = 1, OWNER_MEDIA = OWNER_LINE + SIP_PHONES_LINES, ANSWERED_MAX = SIP_CALLS_MAX, NAME_MAX = 64 };

/* Systems do not start at the same moment: a call waits so long for a line. */
#define LINE_NS (30 * NS_S)

enum state {
    PHONE_IDLE,      /* a plan: until its time comes; a place for a call that comes: free */
    PHONE_DIALLING,  /* waits for a line */
    PHONE_GATHERING, /* our description is being made */
    PHONE_INVITING,  /* INVITE sent */
    PHONE_ANSWERING, /* their INVITE: our answer is being made */
    PHONE_UP,
    PHONE_ENDING, /* BYE or CANCEL sent */
    PHONE_OVER,
};

/* The offer and answer under way in a call that is up; one at a time (RFC 3261 14.1). */
enum reoffer {
    REOFFER_NONE,
    REOFFER_OURS,   /* our description is being made */
    REOFFER_THEIRS, /* ... for their re-INVITE */
    REOFFER_SENT,   /* until the answer, or the ACK, comes */
};

enum line_state { LINE_WANTED, LINE_UP, LINE_FAILED, LINE_LOST };

struct phone {
    struct phones *all;
    const struct call_plan *plan; /* NULL: a call that came */
    char name[NAME_MAX];
    enum state state;
    enum reoffer reoffer;
    struct sip_ua *ua;
    struct sip_call *call;   /* NULL: none, or over */
    struct session *session; /* NULL: none */
    uint64_t begun_ns, give_up_ns;
    uint64_t due_ns; /* its deadline: of many calls few have to do with an event */
    bool media_up, muted, held, replied;
};

struct phones {
    struct io *io;
    struct sip_phones_config cfg;
    struct sip_ua *ua[SIP_PHONES_LINES];
    enum line_state line[SIP_PHONES_LINES];
    struct phone *phone; /* the plan's, then ANSWERED_MAX */
    size_t count;
};

/* ---- the end ---- */

static void note(const struct phone *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void note(const struct phone *p, const char *fmt, ...)
{
    char what[224];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    call_note_signalling(p->all->io, p->name, what);
}

static unsigned media_of(const struct phone *p)
{
    return p->plan ? p->plan->media : p->all->cfg.media.media;
}

static void over(struct phone *p)
{
    if (p->session)
        session_close(p->session);
    p->call = NULL;
    p->state = PHONE_OVER;
    p->give_up_ns = TIME_NEVER;
}

/* Without signalling there is no call: what never came up has failed for the same reason. */
static void fail(struct phone *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void fail(struct phone *p, const char *fmt, ...)
{
    char why[192];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    bool was_up = p->state == PHONE_UP || p->state == PHONE_ENDING;
    if (p->call && p->state != PHONE_ENDING)
        sip_ua_hangup(p->ua, p->call, "");
    if (p->call)
        sip_call_set_user(p->call, NULL);
    over(p);
    note(p, "%s SIP signalling: %s", was_up ? "lost" : "failed", why);
    if (!p->media_up && p->plan)
        call_note_media(p->all->io, p->name, media_of(p), "failed there is no call");
}

static void hang_up(struct phone *p)
{
    session_close(p->session);
    sip_ua_hangup(p->ua, p->call, "");
    p->state = PHONE_ENDING; /* ended by timer F */
}

/* ---- making a call ---- */

static bool new_session(struct phone *p, unsigned media, bool controlling)
{
    struct session_config cfg = p->all->cfg.media;
    cfg.name = p->name;
    cfg.media = media;
    cfg.controlling = controlling;
    p->session = session_new(p->all->io, OWNER_MEDIA, &cfg);
    return p->session != NULL;
}

static void begin(struct phone *p)
{
    p->begun_ns = io_now(p->all->io);
    p->give_up_ns = p->begun_ns + LINE_NS;
    p->state = PHONE_DIALLING;
    note(p, "wanted");
    call_note_media(p->all->io, p->name, p->plan->media, "wanted");
}

static void dial(struct phone *p)
{
    for (size_t i = 0; i < p->all->cfg.line_count && !p->ua; i++)
        if (p->all->line[i] == LINE_UP)
            p->ua = p->all->ua[i];
    if (!p->ua)
        return;
    p->state = PHONE_GATHERING;
    p->give_up_ns = TIME_NEVER; /* the session has its own patience */
    if (new_session(p, p->plan->media, true))
        session_offer(p->session);
    else
        fail(p, "no memory for its media");
}

static void invite(struct phone *p, const char *sdp)
{
    char from[NAME_MAX + 128];
    const char *domain = strchr(p->all->cfg.uri, '@');
    snprintf(from, sizeof from, "sip:%s%s", p->name, domain ? domain : "");
    p->call = sip_ua_invite_as(p->ua, from, p->plan->to, sdp, "");
    if (!p->call) {
        fail(p, "the connection to %s was lost", p->all->cfg.peer);
        return;
    }
    sip_call_set_user(p->call, p);
    p->state = PHONE_INVITING;
    p->give_up_ns = io_now(p->all->io) + p->all->cfg.answer_ns;
}

static bool read_description(const struct sip_msg *m, struct sdp *out)
{
    return m && m->body.len && sdp_parse(m->body.p, m->body.len, out) == 0;
}

static void came_up(struct phone *p, const char *how)
{
    p->state = PHONE_UP;
    p->give_up_ns = TIME_NEVER;
    note(p, "up %s %s", how, p->all->cfg.peer);
}

static void answered(struct phone *p, const struct sip_msg *m)
{
    struct sdp sdp;
    bool right = read_description(m, &sdp) && session_answered(p->session, &sdp) == 0;
    if (p->state == PHONE_INVITING && right)
        came_up(p, "INVITE to");
    else if (p->state == PHONE_INVITING || !right)
        fail(p, "the answer to INVITE has no media that we can take");
    p->reoffer = REOFFER_NONE;
}

/* ---- taking calls ---- */

static struct phone *free_phone(struct phones *all)
{
    for (size_t i = all->cfg.call_count; i < all->count; i++) {
        struct phone *p = &all->phone[i];
        if (p->state != PHONE_IDLE && (p->state != PHONE_OVER || (p->session && !session_closed(p->session))))
            continue;
        if (p->session)
            session_free(p->session);
        *p = (struct phone){.all = all, .give_up_ns = TIME_NEVER, .due_ns = TIME_NEVER};
        return p;
    }
    return NULL;
}

/* The user of From: what the caller's plan calls the call. */
static bool caller(const struct sip_msg *m, char name[NAME_MAX])
{
    struct sip_str from;
    struct sip_addr addr;
    struct sip_uri uri;
    if (!sip_find(m, "From", &from) || sip_addr_parse(from, &addr) || sip_uri_parse(addr.uri, &uri) || !uri.user.len)
        return false;
    snprintf(name, NAME_MAX, "%.*s", SIP_STR(uri.user));
    return true;
}

static bool is_ours(const struct phones *all, const struct sip_msg *m)
{
    struct sip_uri uri;
    size_t n = strlen(all->cfg.numbers);
    return sip_uri_parse(m->uri, &uri) == 0 && uri.user.len >= n && memcmp(uri.user.p, all->cfg.numbers, n) == 0;
}

static void invited(struct phones *all, struct sip_ua *ua, const struct sip_ua_event *ev)
{
    struct sdp sdp;
    char name[NAME_MAX];
    struct phone *p = is_ours(all, ev->msg) && caller(ev->msg, name) ? free_phone(all) : NULL;
    if (!p) {
        sip_ua_refuse(ua, ev->call, is_ours(all, ev->msg) ? 486 : 404, "");
        return;
    }
    snprintf(p->name, sizeof p->name, "%s", name);
    p->ua = ua;
    p->begun_ns = io_now(all->io);
    p->state = PHONE_ANSWERING;
    if (!read_description(ev->msg, &sdp) || !new_session(p, all->cfg.media.media, false) ||
        session_answer(p->session, &sdp)) {
        sip_ua_refuse(ua, ev->call, 488, "");
        over(p);
        return;
    }
    p->call = ev->call;
    sip_call_set_user(p->call, p);
    p->due_ns = 0;
}

static void reinvited(struct phone *p, const struct sip_ua_event *ev)
{
    struct sdp sdp;
    if (p->state == PHONE_UP && p->reoffer == REOFFER_NONE && read_description(ev->msg, &sdp) &&
        session_answer(p->session, &sdp) == 0)
        p->reoffer = REOFFER_THEIRS;
    else
        sip_ua_refuse(p->ua, ev->call, p->reoffer ? 491 : 488, "");
}

/* ---- events ---- */

static void on_ended(struct phone *p, const struct sip_ua_event *ev)
{
    bool ours = p->state == PHONE_ENDING;
    p->call = NULL;
    if (ours && ev->code == 408) {
        fail(p, "BYE was never answered");
    } else if (p->state == PHONE_UP || ours) {
        over(p);
        note(p, "done");
    } else {
        fail(p, "the call was ended before it was up");
    }
}

static void on_call(struct phone *p, const struct sip_ua_event *ev)
{
    switch (ev->kind) {
    case SIP_ANSWERED:
        answered(p, ev->msg);
        break;
    case SIP_REFUSED:
        p->call = NULL;
        if (p->state == PHONE_ENDING)
            on_ended(p, &(struct sip_ua_event){0});
        else
            fail(p, "INVITE was answered with %u %s", ev->code, sip_reason(ev->code));
        break;
    case SIP_REINVITED:
        reinvited(p, ev);
        break;
    case SIP_REINVITE_REFUSED: /* the call goes on as it was; the next change offers again */
        p->reoffer = REOFFER_NONE;
        break;
    case SIP_CONFIRMED:
        if (p->state == PHONE_ANSWERING)
            came_up(p, "INVITE from");
        p->reoffer = REOFFER_NONE;
        break;
    case SIP_ENDED:
        on_ended(p, ev);
        break;
    case SIP_LINK_UP:
    case SIP_LINK_DOWN:
    case SIP_INVITED:
    case SIP_PROGRESS:
        break;
    }
}

static void on_line(struct phones *all, size_t i, const struct sip_ua_event *ev)
{
    const char *service = all->cfg.line[i].service;
    enum line_state was = all->line[i];
    enum line_state is = ev->kind == SIP_LINK_UP ? LINE_UP : was == LINE_UP ? LINE_LOST : LINE_FAILED;
    char a[ENDPOINT_TEXT], b[ENDPOINT_TEXT];
    endpoint_text(&all->cfg.line[i].server, b);
    if (was == LINE_LOST && is == LINE_FAILED)
        return; /* it stays lost */
    all->line[i] = is;
    if (service && is == LINE_UP)
        io_note(all->io, NOTE_SERVICE, "%s up %s -> %s over TCP", service, endpoint_text(&ev->local, a), b);
    else if (service && is != was)
        io_note(all->io, NOTE_SERVICE, "%s %s SIP signalling: TCP %s: %s", service,
                is == LINE_LOST ? "lost" : "failed", b, err_text(ev->err));
    for (size_t k = 0; k < all->cfg.call_count; k++)
        if (all->phone[k].state == PHONE_DIALLING)
            all->phone[k].due_ns = 0;
}

static bool poll_lines(struct phones *all)
{
    bool any = false;
    struct sip_ua_event ev;
    for (size_t i = 0; i < all->cfg.line_count; i++)
        while (sip_ua_poll(all->ua[i], &ev)) {
            struct phone *p = ev.call ? sip_call_user(ev.call) : NULL;
            any = true;
            if (ev.kind == SIP_LINK_UP || ev.kind == SIP_LINK_DOWN)
                on_line(all, i, &ev);
            else if (ev.kind == SIP_INVITED)
                invited(all, all->ua[i], &ev);
            else if (p)
                on_call(p, &ev);
            if (p)
                p->due_ns = 0;
        }
    return any;
}

static void describe(struct phone *p, const char *sdp)
{
    if (p->state == PHONE_GATHERING) {
        invite(p, sdp);
    } else if (p->state == PHONE_ANSWERING && !p->replied) {
        sip_ua_answer(p->ua, p->call, sdp);
        p->replied = true;
    } else if (p->reoffer == REOFFER_THEIRS) {
        sip_ua_answer(p->ua, p->call, sdp);
        p->reoffer = REOFFER_SENT;
    } else if (p->reoffer == REOFFER_OURS) {
        sip_ua_reinvite(p->ua, p->call, sdp);
        p->reoffer = REOFFER_SENT;
    }
}

static void poll_session(struct phone *p)
{
    struct session_event ev;
    while (p->session && session_poll(p->session, &ev)) {
        if (ev.kind == SESSION_DESCRIBED && p->state < PHONE_ENDING)
            describe(p, ev.text);
        else if (ev.kind == SESSION_UP)
            p->media_up = true;
        else if (ev.kind != SESSION_DESCRIBED && p->state == PHONE_GATHERING)
            fail(p, "no media can be offered: %s", ev.text);
        else if (ev.kind != SESSION_DESCRIBED && p->call && p->state < PHONE_ENDING)
            hang_up(p); /* a call without media */
    }
}

/* ---- time ---- */

static void follow_plan(struct phone *p)
{
    uint64_t since = io_now(p->all->io) - p->begun_ns;
    bool muted = call_in_span(p->plan->mute, p->plan->mute_count, since);
    bool held = call_in_span(p->plan->hold, p->plan->hold_count, since);
    if (since >= p->plan->for_ns) {
        if (p->state == PHONE_UP)
            hang_up(p);
        else
            fail(p, "it came to nothing before the call was to end");
        return;
    }
    if (p->state != PHONE_UP)
        return;
    if (muted != p->muted)
        session_mute(p->session, p->muted = muted);
    if (held != p->held && p->reoffer == REOFFER_NONE) {
        session_hold(p->session, p->held = held);
        p->reoffer = REOFFER_OURS;
        session_offer(p->session);
    }
}

static void gave_up(struct phone *p)
{
    char at[SIP_PHONES_LINES * (ENDPOINT_TEXT + 4)];
    struct text t = text_of(at, sizeof at);
    char one[ENDPOINT_TEXT];
    for (size_t i = 0; i < p->all->cfg.line_count; i++)
        text_add(&t, "%s%s", i ? " or " : "", endpoint_text(&p->all->cfg.line[i].server, one));
    if (p->state == PHONE_DIALLING)
        fail(p, "no connection to %s at TCP %s", p->all->cfg.peer, at);
    else
        fail(p, "INVITE was not answered within %u s", (unsigned)(p->all->cfg.answer_ns / NS_S));
}

static void phone_time(struct phone *p)
{
    uint64_t now = io_now(p->all->io);
    if (p->state == PHONE_IDLE && p->plan && now >= p->plan->at_ns)
        begin(p);
    if (p->state == PHONE_DIALLING)
        dial(p);
    if (p->plan && p->state > PHONE_IDLE && p->state < PHONE_ENDING)
        follow_plan(p);
    if (now >= p->give_up_ns)
        gave_up(p);
}

static uint64_t phone_deadline(const struct phone *p)
{
    uint64_t t = time_min(p->give_up_ns, p->session ? session_deadline(p->session) : TIME_NEVER);
    if (!p->plan || p->state >= PHONE_ENDING)
        return t;
    if (p->state == PHONE_IDLE)
        return time_min(t, p->plan->at_ns);
    uint64_t next = call_next(p->plan, io_now(p->all->io) - p->begun_ns);
    return next == TIME_NEVER ? t : time_min(t, p->begun_ns + next);
}

/* ---- the core ---- */

static void input(void *self, const struct io_in *in)
{
    struct phones *all = self;
    unsigned owner = io_owner(in->id);
    for (size_t i = 0; i < all->cfg.line_count; i++) {
        if (in->event == IO_START && all->cfg.line[i].service)
            io_note(all->io, NOTE_SERVICE, "%s wanted", all->cfg.line[i].service);
        if (in->id == IO_NONE || owner == OWNER_LINE + i)
            sip_ua_input(all->ua[i], in);
    }
    for (size_t i = 0; i < all->count; i++) {
        struct phone *p = &all->phone[i];
        if (p->session && (in->id == IO_NONE ? io_now(all->io) >= p->due_ns : owner == OWNER_MEDIA) &&
            session_input(p->session, in)) {
            p->due_ns = 0;
            if (in->id != IO_NONE)
                break;
        }
    }
    bool more = true;
    while (more) {
        more = poll_lines(all);
        for (size_t i = 0; i < all->count; i++) {
            struct phone *p = &all->phone[i];
            if (io_now(all->io) < p->due_ns)
                continue;
            poll_session(p);
            phone_time(p);
            poll_session(p);
            p->due_ns = phone_deadline(p);
        }
    }
}

static uint64_t deadline(const void *self)
{
    const struct phones *all = self;
    uint64_t t = TIME_NEVER;
    for (size_t i = 0; i < all->cfg.line_count; i++)
        t = time_min(t, sip_ua_deadline(all->ua[i]));
    for (size_t i = 0; i < all->count; i++)
        t = time_min(t, all->phone[i].due_ns);
    return t;
}

static void destroy(void *self)
{
    struct phones *all = self;
    for (size_t i = 0; i < all->count; i++)
        if (all->phone[i].session)
            session_free(all->phone[i].session);
    for (size_t i = 0; i < SIP_PHONES_LINES; i++)
        sip_ua_free(all->ua[i]);
    free(all->phone);
    free(all);
}

static bool make_lines(struct phones *all)
{
    for (size_t i = 0; i < all->cfg.line_count; i++) {
        const struct sip_phones_line *line = &all->cfg.line[i];
        struct sip_ua_config cfg = {.server = line->server, .listen = {line->listen}, .uri = all->cfg.uri,
                                    .agent = all->cfg.agent, .options_ns = all->cfg.options_ns};
        all->ua[i] = sip_ua_new(all->io, (unsigned)(OWNER_LINE + i), &cfg);
        if (!all->ua[i])
            return false;
    }
    return true;
}

int sip_phones_make(struct io *io, const struct sip_phones_config *cfg, struct core *out)
{
    static const struct core_ops ops = {input, deadline, destroy};
    assert(cfg->line_count <= SIP_PHONES_LINES);
    struct phones *all = calloc(1, sizeof *all);
    if (!all)
        return E_NOMEM;
    all->io = io;
    all->cfg = *cfg;
    all->phone = calloc(cfg->call_count + ANSWERED_MAX, sizeof *all->phone);
    *out = (struct core){&ops, all, io};
    if (!all->phone || !make_lines(all)) {
        destroy(all);
        return E_NOMEM;
    }
    all->count = cfg->call_count + ANSWERED_MAX;
    for (size_t i = 0; i < all->count; i++) {
        struct phone *p = &all->phone[i];
        *p = (struct phone){.all = all, .give_up_ns = TIME_NEVER, .due_ns = TIME_NEVER};
        if (i >= cfg->call_count)
            continue;
        p->plan = &cfg->call[i];
        p->due_ns = 0;
        snprintf(p->name, sizeof p->name, "%s", p->plan->name);
    }
    return 0;
}
