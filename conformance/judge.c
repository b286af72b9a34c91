/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conformance/judge.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/probe_parts.h"
#include "conformance/workers.h"
#include "models/base/err.h"
#include "sim/memory/memory.h"

/* ---- what is chosen ---- */

/* A whole id is that row, whatever else begins so. */
static bool means(const char *only, const struct requirement *row)
{
    if (catalogue_find(only))
        return strcmp(row->id, only) == 0;
    return strncmp(row->id, only, strlen(only)) == 0;
}

bool judge_chooses(const struct judge_config *cfg, const struct requirement *row)
{
    for (size_t i = 0; i < cfg->only_count; i++)
        if (means(cfg->only[i], row))
            return true;
    return cfg->only_count == 0;
}

const char *judge_fruitless(const struct judge_config *cfg)
{
    for (size_t i = 0; i < cfg->only_count; i++) {
        bool found = false;
        const struct requirement *row;
        for (size_t k = 0; !found && (row = catalogue_row(k)); k++)
            found = means(cfg->only[i], row);
        if (!found)
            return cfg->only[i];
    }
    return NULL;
}

/* ---- why a row is not judged ---- */

static char *sentence(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static char *sentence(const char *fmt, ...)
{
    va_list ap;
    char *s = NULL;
    va_start(ap, fmt);
    int len = vasprintf(&s, fmt, ap);
    va_end(ap);
    assert(len >= 0);
    return s;
}

static void skip(struct verdict *v, char *why)
{
    v->outcome = OUTCOME_SKIP;
    v->saw = why;
}

static const char *lacking(unsigned needs, unsigned has)
{
    static const struct {
        unsigned need;
        const char *text;
    } table[] = {
        {NEED_IP6, "the bench has no IPv6"},
        {NEED_CLIENT2, "the bench has no second client address"},
        {NEED_PEER2, "the bench has no second peer address"},
        {NEED_USER2, "a second user of the server is not known"},
        {NEED_SILENT_PEER, "the bench has no peer that can be silenced"},
        {NEED_CLIENT, "it judges a client, and this is a server"},
        {NEED_PACKETS, "the bench does not see packets, only what sockets tell"},
        {NEED_UDP_CLIENT, "the server does not serve clients over UDP"},
        {NEED_ICMP, "the bench's UDP sockets are not told of ICMP errors"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (needs & ~has & table[i].need)
            return table[i].text;
    return NULL;
}

/* True: it is skipped. */
static bool not_probed(const struct judge_config *cfg, const struct requirement *row, struct verdict *v)
{
    bool no_boxes = cfg->bench == BENCH_MEMORY || cfg->bench == BENCH_LIVE;
    if (!row->probe)
        skip(v, sentence("%s", row->none ? row->none : "it is judged by watching a capture"));
    else if (row->setup == SETUP_NAT && no_boxes)
        skip(v, sentence("the bench has no NAT between its hosts: --engine native has"));
    else if (cfg->bench == BENCH_LIVE && row->setup != cfg->live->setup)
        skip(v, sentence("the server would have to be set up \"%s\" (--server-setup)", setup_name(row->setup)));
    else if (cfg->fast && row->seconds)
        skip(v, sentence("its timers have to run out (--fast)"));
    else if (cfg->dry_run)
        skip(v, sentence("it would be judged (--dry-run)"));
    return v->outcome == OUTCOME_SKIP;
}

/* ---- running ---- */

struct run {
    const struct judge_config *cfg;
    const struct net_ops *engine; /* NULL: live */
    size_t done, total;
};

static void probe_row(const struct run *r, struct verdict *v)
{
    const struct requirement *row = v->row;
    const struct judge_config *cfg = r->cfg;
    struct probe *p = probe_new(row, cfg->seed);
    assert(p);
    struct bench_seats seats = {probe_event, p, row->needs & NEED_CLIENT ? subject_host : NULL};
    struct bench *b = !r->engine                ? bench_live(cfg->live, cfg->timeout_ns, &seats)
                      : row->setup == SETUP_NAT ? bench_nat(r->engine, cfg->seed, &seats)
                                                : bench_simulated(r->engine, cfg->seed, row->setup, &seats);
    assert(b);
    const char *why = lacking(row->needs, b->has);
    if (why)
        skip(v, sentence("%s", why));
    else
        probe_run(b, row, p, v);
    b->free(b);
    probe_free(p);
}

static void judge_one(void *run, struct verdict *v)
{
    const struct run *r = run;
    probe_row(r, v);
}

static void one_done(void *run, const struct verdict *v)
{
    struct run *r = run;
    if (r->cfg->progress)
        r->cfg->progress(r->cfg->progress_ctx, ++r->done, r->total, v->row);
}

/* Those that must be alone, or those that need not. */
static int judge_part(struct run *r, struct verdict *v, size_t count, bool alone, unsigned parallel)
{
    struct verdict **part = calloc(count + 1, sizeof(struct verdict *));
    if (!part)
        return E_NOMEM;
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (v[i].outcome != OUTCOME_SKIP && !(v[i].row->needs & NEED_ALONE) == !alone)
            part[n++] = &v[i];
    int err = 0;
    if (parallel > 1)
        err = workers_judge(part, n, parallel, judge_one, one_done, r);
    for (size_t i = 0; i < n && parallel <= 1; i++) {
        judge_one(r, part[i]);
        one_done(r, part[i]);
    }
    free(part);
    return err;
}

static void reach(struct probe *p)
{
    if (probe_server(p, PROTO_TCP, IP_V4).port) {
        probe_dial(p, CLIENT1);
        return;
    }
    if (!probe_server(p, PROTO_UDP, IP_V4).port)
        return; /* of IPv6 alone: the rows will tell */
    struct login *nobody = login_new(p, USER1);
    login_ask(nobody, probe_udp(p, CLIENT1, IP_V4), STUN_BINDING, NULL, NULL);
}

/* Whether there is a server at all, before each row says so. */
static bool is_there(const struct run *r)
{
    static const struct requirement row = {.id = "reach", .probe = reach};
    struct verdict v = {.row = &row};
    probe_row(r, &v);
    bool there = v.outcome == OUTCOME_PASS;
    free(v.saw);
    free(v.exchange);
    return there;
}

static int engine_of(const struct judge_config *cfg, const struct net_ops **engine)
{
    const char *why;
    *engine = NULL;
    switch (cfg->bench) {
    case BENCH_MEMORY:
        *engine = &net_memory;
        return 0;
    case BENCH_NATIVE:
        *engine = &net_native;
        return 0;
    case BENCH_NS3:
        *engine = net_ns3_load(&why);
        return *engine ? 0 : E_UNSUPPORTED;
    case BENCH_LIVE:
        return 0;
    }
    return E_UNSUPPORTED;
}

static int judge_chosen(struct run *r, struct verdict *v, size_t count)
{
    const struct judge_config *cfg = r->cfg;
    bool live = cfg->bench == BENCH_LIVE;
    for (size_t i = 0; i < count; i++)
        r->total += !not_probed(cfg, v[i].row, &v[i]);
    if (live && r->total && !is_there(r))
        return E_UNREACHABLE;
    int err = judge_part(r, v, count, false, live ? cfg->parallel : 1);
    return err ? err : judge_part(r, v, count, true, 1);
}

int judge(const struct judge_config *cfg, struct verdict **out, size_t *count, const char **bad)
{
    struct run r = {.cfg = cfg};
    *bad = judge_fruitless(cfg);
    if (*bad)
        return E_NOT_FOUND;
    int err = engine_of(cfg, &r.engine);
    if (err)
        return err;
    struct verdict *v = calloc(catalogue_count() + 1, sizeof *v);
    if (!v)
        return E_NOMEM;
    size_t n = 0;
    const struct requirement *row;
    for (size_t i = 0; (row = catalogue_row(i)); i++)
        if (judge_chooses(cfg, row))
            v[n++].row = row;
    err = judge_chosen(&r, v, n);
    if (err) {
        verdicts_free(v, n);
        return err;
    }
    *out = v;
    *count = n;
    return 0;
}

void verdicts_free(struct verdict *v, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(v[i].saw);
        free(v[i].exchange);
    }
    free(v);
}
