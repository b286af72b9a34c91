/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/actors/sip_phones_parts.h"
#include "models/base/err.h"
#include "models/base/time.h"

/* ---- calls that come ---- */

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
static bool caller(const struct sip_msg *m, char name[PHONE_NAME_MAX])
{
    struct sip_str from;
    struct sip_addr addr;
    struct sip_uri uri;
    if (!sip_find(m, "From", &from) || sip_addr_parse(from, &addr) || sip_uri_parse(addr.uri, &uri) || !uri.user.len)
        return false;
    snprintf(name, PHONE_NAME_MAX, "%.*s", SIP_STR(uri.user));
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
    char name[PHONE_NAME_MAX];
    struct phone *p = is_ours(all, ev->msg) && caller(ev->msg, name) ? free_phone(all) : NULL;
    if (!p) {
        sip_ua_refuse(ua, ev->call, is_ours(all, ev->msg) ? 486 : 404, "");
        return;
    }
    p->ua = ua;
    if (!phone_answer(p, ev, name))
        sip_ua_refuse(ua, ev->call, 488, "");
}

/* ---- lines ---- */

static void on_line(struct phones *all, size_t i, const struct sip_ua_event *ev)
{
    const char *service = all->cfg.line[i].service;
    enum phones_line was = all->line[i];
    enum phones_line is = ev->kind == SIP_LINK_UP ? LINE_UP : was == LINE_UP ? LINE_LOST : LINE_FAILED;
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
                phone_event(p, &ev);
            if (p)
                p->due_ns = 0;
        }
    return any;
}

/* ---- the core ---- */

static void input(void *self, const struct io_in *in)
{
    struct phones *all = self;
    unsigned owner = io_owner(in->id);
    for (size_t i = 0; i < all->cfg.line_count; i++) {
        if (in->event == IO_START && all->cfg.line[i].service)
            io_note(all->io, NOTE_SERVICE, "%s wanted", all->cfg.line[i].service);
        if (in->id == IO_NONE || owner == PHONES_OWNER_LINE + i)
            sip_ua_input(all->ua[i], in);
    }
    for (size_t i = 0; i < all->count; i++) {
        struct phone *p = &all->phone[i];
        if (p->session && (in->id == IO_NONE ? io_now(all->io) >= p->due_ns : owner == PHONES_OWNER_MEDIA) &&
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
            if (io_now(all->io) >= p->due_ns)
                phone_time(p);
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
        all->ua[i] = sip_ua_new(all->io, (unsigned)(PHONES_OWNER_LINE + i), &cfg);
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
    all->phone = calloc(cfg->call_count + PHONES_ANSWERED_MAX, sizeof *all->phone);
    *out = (struct core){&ops, all, io};
    if (!all->phone || !make_lines(all)) {
        destroy(all);
        return E_NOMEM;
    }
    all->count = cfg->call_count + PHONES_ANSWERED_MAX;
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
