/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs rows on a bench and gathers the verdicts: what `turnproof conform` does. */
#ifndef TP_CONFORMANCE_JUDGE_H
#define TP_CONFORMANCE_JUDGE_H

#include "conformance/conformance.h"
#include "models/base/addr.h"

enum bench_kind { BENCH_MEMORY, BENCH_NATIVE, BENCH_NS3, BENCH_LIVE };

/* A live server: what its user says of it. */
struct live_server {
    struct endpoint tcp, udp;        /* port 0: does not serve clients over that */
    struct endpoint tcp6, udp6;
    struct { const char *name, *password; } user[2]; /* name NULL: there is no second */
    struct ip_addr client[2], peer[2], peer6; /* addresses of this machine to speak from; unset: had by itself */
    enum setup setup;
};

struct judge_config {
    enum bench_kind bench;
    const struct live_server *live;
    uint64_t seed;
    const char *const *only; /* ids, or beginnings of ids; none: all */
    size_t only_count;
    bool fast;        /* leaves out what needs timers to run out in real time */
    bool dry_run;     /* judges nothing: says what would be */
    unsigned parallel; /* live: so many at a time; 0: 1 */
    uint64_t timeout_ns; /* live: how long an answer may take; 0: 2 s */
    void (*progress)(void *ctx, size_t done, size_t total, const struct requirement *now);
    void *progress_ctx;
};

bool judge_chooses(const struct judge_config *cfg, const struct requirement *row);

/* One of `only` that chooses nothing; NULL: none. */
const char *judge_fruitless(const struct judge_config *cfg);

/* Verdicts of all rows that `only` chooses, in the catalogue's order. E_NOMEM; E_NOT_FOUND: an id that matches no row,
 * *bad is that; E_UNREACHABLE: the live server does not answer; E_UNSUPPORTED: no such bench here (ns-3). */
int judge(const struct judge_config *cfg, struct verdict **out, size_t *count, const char **bad);
void verdicts_free(struct verdict *v, size_t count);

#endif
