/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conformance/judge.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/probe_parts.h"
#include "models/base/err.h"
#include "sim/memory/memory.h"

/* ---- what is chosen ---- */

static bool begins(const char *id, const char *with)
{
    return strncmp(id, with, strlen(with)) == 0;
}

bool judge_chooses(const struct judge_config *cfg, const struct requirement *row)
{
    for (size_t i = 0; i < cfg->only_count; i++)
        if (begins(row->id, cfg->only[i]))
            return true;
    return cfg->only_count == 0;
}

/* One of `only` that chooses nothing; NULL: none. */
static const char *fruitless(const struct judge_config *cfg)
{
    for (size_t i = 0; i < cfg->only_count; i++) {
        bool found = false;
        const struct requirement *row;
        for (size_t k = 0; !found && (row = catalogue_row(k)); k++)
            found = begins(row->id, cfg->only[i]);
        if (!found)
            return cfg->only[i];
    }
    return NULL;
}

/* ---- why a row is not judged ---- */

static char *copy(const char *s)
{
    char *c = strdup(s);
    assert(c);
    return c;
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
        {NEED_CLIENT, "it judges a client, and this bench has a server"},
        {NEED_ALONE, "it disturbs others"},
        {NEED_PACKETS, "the bench does not see packets, only what sockets tell"},
        {NEED_UDP_CLIENT, "the server does not serve clients over UDP"},
        {NEED_ICMP, "the bench's UDP sockets are not told of ICMP errors"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (needs & ~has & table[i].need)
            return table[i].text;
    return NULL;
}

static const char *not_probed(const struct judge_config *cfg, const struct requirement *row)
{
    if (!row->probe)
        return row->none ? row->none : "it is judged by watching a trace";
    if (cfg->fast && row->seconds)
        return "its timers have to run out (--fast)";
    if (row->setup == SETUP_NAT && cfg->bench == BENCH_MEMORY)
        return "the bench has no packets for a NAT to translate";
    return NULL;
}

/* ---- running ---- */

static void probe_simulated(const struct judge_config *cfg, const struct net_ops *engine,
                            const struct requirement *row, struct verdict *out)
{
    struct probe *p = probe_new(row, cfg->seed);
    assert(p);
    struct bench_seats seats = {probe_event, p, row->needs & NEED_CLIENT ? subject_host : NULL};
    struct bench *b = row->setup == SETUP_NAT ? bench_nat(engine, cfg->seed, &seats)
                                              : bench_simulated(engine, cfg->seed, row->setup, &seats);
    assert(b);
    const char *why = lacking(row->needs, b->has);
    if (why)
        *out = (struct verdict){.row = row, .outcome = OUTCOME_SKIP, .saw = copy(why)};
    else
        probe_run(b, row, p, out);
    b->free(b);
    probe_free(p);
}

static void judge_row(const struct judge_config *cfg, const struct net_ops *engine, const struct requirement *row,
                      struct verdict *out)
{
    const char *why = not_probed(cfg, row);
    if (!why && cfg->dry_run)
        why = "it would be judged (--dry-run)";
    if (why)
        *out = (struct verdict){.row = row, .outcome = OUTCOME_SKIP, .saw = copy(why)};
    else
        probe_simulated(cfg, engine, row, out);
}

static const struct net_ops *engine_of(const struct judge_config *cfg)
{
    const char *why;
    switch (cfg->bench) {
    case BENCH_MEMORY:
        return &net_memory;
    case BENCH_NATIVE:
        return &net_native;
    case BENCH_NS3:
        return net_ns3_load(&why);
    case BENCH_LIVE:
        return NULL;
    }
    return NULL;
}

int judge(const struct judge_config *cfg, struct verdict **out, size_t *count, const char **bad)
{
    *bad = fruitless(cfg);
    if (*bad)
        return E_NOT_FOUND;
    const struct net_ops *engine = engine_of(cfg);
    if (!engine)
        return E_UNSUPPORTED;
    *out = calloc(catalogue_count() + 1, sizeof **out);
    if (!*out)
        return E_NOMEM;
    *count = 0;
    const struct requirement *row;
    for (size_t i = 0; (row = catalogue_row(i)); i++)
        if (judge_chooses(cfg, row)) {
            if (cfg->progress)
                cfg->progress(cfg->progress_ctx, i, catalogue_count(), row);
            judge_row(cfg, engine, row, &(*out)[(*count)++]);
        }
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
