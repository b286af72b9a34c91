/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/probe_parts.h"
#include "models/base/err.h"

/* ---- verdicts ---- */

static _Noreturn void end(struct probe *p, enum outcome outcome, const char *fmt, va_list ap)
{
    enum { SAW_MAX = 1024 };
    p->outcome = outcome;
    p->saw = malloc(SAW_MAX);
    assert(p->saw);
    vsnprintf(p->saw, SAW_MAX, fmt, ap);
    longjmp(p->end, 1);
}

void probe_fail(struct probe *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    end(p, OUTCOME_FAIL, fmt, ap);
}

void probe_defined(struct probe *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    end(p, OUTCOME_DEFINED, fmt, ap);
}

void probe_skip(struct probe *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    end(p, OUTCOME_SKIP, fmt, ap);
}

/* ---- a probe's life ---- */

void *probe_alloc(struct probe *p, size_t size)
{
    return arena_alloc(&p->arena, size);
}

struct probe *probe_new(const struct requirement *row, uint64_t seed)
{
    struct probe *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->row = row;
    p->rng = rng_named(seed, row->id);
    p->lines_tail = &p->lines;
    p->record_tail = &p->record;
    return p;
}

/* Allocations over UDP outlive their sockets: a live server is asked to forget them. */
static void release(struct probe *p)
{
    for (struct line *l = p->lines; l; l = l->next)
        if (l->kind == KIND_UDP && l->allocated && l->login && l->sock)
            ask_refresh((struct login *)(uintptr_t)l->login, l, 0);
}

static void close_lines(struct probe *p)
{
    for (struct line *l = p->lines; l; l = l->next) {
        if (l->sock && l->kind == KIND_STREAM)
            line_reset(l);
        else if (l->sock)
            line_close(l);
    }
}

/* In real time a row has the time that its timers take, and this many answers'. */
enum { ANSWERS_MOST = 60 };

static void set_deadline(struct probe *p)
{
    uint64_t ns = p->row->seconds * NS_S + ANSWERS_MOST * p->bench->soon_ns;
    p->deadline_ns = p->bench->real_time ? probe_now(p) + ns : TIME_NEVER;
}

static void run_row(struct probe *p)
{
    set_deadline(p);
    if (setjmp(p->end) == 0)
        p->row->probe(p);
}

static void run_release(struct probe *p)
{
    enum outcome outcome = p->outcome;
    char *saw = p->saw;
    p->saw = NULL;
    set_deadline(p);
    if (setjmp(p->end) == 0)
        release(p);
    free(p->saw);
    p->saw = saw;
    p->outcome = outcome;
}

void probe_run(struct bench *b, const struct requirement *row, struct probe *p, struct verdict *out)
{
    p->bench = b;
    p->next_port = b->first_port;
    p->outcome = OUTCOME_PASS;
    uint64_t from_ns = probe_now(p);
    run_row(p);
    *out = (struct verdict){.row = row, .outcome = p->outcome, .saw = p->saw, .took_ns = probe_now(p) - from_ns};
    p->saw = NULL;
    if (p->outcome == OUTCOME_FAIL || p->outcome == OUTCOME_DEFINED)
        out->exchange = transcript_text(p);
    if (b->real_time)
        run_release(p);
    close_lines(p);
}

void probe_free(struct probe *p)
{
    if (!p)
        return;
    for (struct line *l = p->lines; l; l = l->next)
        free(l->in);
    subject_free(p->subject);
    free(p->by_sock);
    free(p->saw);
    arena_free(&p->arena);
    free(p);
}

/* ---- time ---- */

uint64_t probe_now(const struct probe *p)
{
    return p->bench->net->ops->now(p->bench->net);
}

static void time_is_up(void *ctx)
{
    struct probe *p = ctx;
    p->woken = true;
    p->bench->net->ops->stop(p->bench->net);
}

bool probe_until(struct probe *p, bool (*holds)(void *arg), void *arg, uint64_t t_ns)
{
    struct net *net = p->bench->net;
    if (holds && holds(arg))
        return true;
    if (net->ops->now(net) >= t_ns)
        return false;
    if (net->ops->now(net) >= p->deadline_ns)
        probe_skip(p, "it has taken too long against this server, and is given up");
    net_timer timer = net->ops->timer_set(net, t_ns, time_is_up, p); /* also when nothing else happens until then */
    bool held = false;
    while (!held && net->ops->now(net) < t_ns) {
        p->woken = false;
        net->ops->run(net, t_ns);
        held = holds && holds(arg);
        if (!p->woken && !p->bench->real_time && !held)
            break;
    }
    net->ops->timer_cancel(net, timer);
    return held;
}

void probe_wait_until(struct probe *p, uint64_t t_ns)
{
    probe_until(p, NULL, NULL, t_ns);
}

void probe_wait(struct probe *p, uint64_t ns)
{
    probe_wait_until(p, probe_now(p) + ns);
}

uint64_t probe_soon(const struct probe *p)
{
    return p->bench->soon_ns;
}

/* ---- who is there ---- */

static unsigned family_index(int family)
{
    assert(family == IP_V4 || family == IP_V6);
    return family == IP_V6;
}

struct ip_addr probe_ip(const struct probe *p, enum place at, int family)
{
    assert(at < PLACES);
    return p->bench->ip[at][family_index(family)];
}

struct endpoint probe_server(const struct probe *p, enum ip_proto proto, int family)
{
    return (proto == PROTO_UDP ? p->bench->udp : p->bench->tcp)[family_index(family)];
}

void probe_silence(struct probe *p, enum place peer, bool silent)
{
    assert(peer == PEER1 || peer == PEER2);
    p->silent[peer] = silent;
    if (p->bench->silence)
        p->bench->silence(p->bench, peer, silent);
    for (struct line *l = p->lines; l; l = l->next)
        if (l->kind == KIND_LISTENER && l->at == peer && l->sock)
            line_deafen(l, silent);
}
