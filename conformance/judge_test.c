/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is chosen, what is left out and why, processes of their own, and the same bytes for the same seed. */
#include "conformance/judge.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/workers.h"
#include "models/base/err.h"
#include "models/testkit/testkit.h"

static const struct requirement *first_probe(void)
{
    const struct requirement *r;
    for (size_t i = 0; (r = catalogue_row(i)); i++)
        if (r->probe)
            return r;
    return NULL;
}

static void chooses(void **state)
{
    (void)state;
    const struct requirement *row = first_probe();
    const char *only[] = {row->id, "no-such"}, *bad;
    struct judge_config cfg = {.bench = BENCH_MEMORY, .seed = 1, .only = only, .only_count = 1};
    struct verdict *v;
    size_t count;
    assert_int_equal(judge(&cfg, &v, &count, &bad), 0);
    assert_int_equal(count, 1); /* a whole id, though others begin so */
    assert_ptr_equal(v[0].row, row);
    assert_int_not_equal(v[0].outcome, OUTCOME_SKIP);
    verdicts_free(v, count);
    cfg.dry_run = true;
    assert_int_equal(judge(&cfg, &v, &count, &bad), 0);
    assert_int_equal(v[0].outcome, OUTCOME_SKIP);
    assert_string_equal(v[0].saw, "it would be judged (--dry-run)");
    verdicts_free(v, count);
    only[0] = "8656-7.";
    assert_int_equal(judge(&cfg, &v, &count, &bad), 0);
    assert_true(count > 10);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(strncmp(v[i].row->id, only[0], strlen(only[0])), 0);
    verdicts_free(v, count);
    cfg.only_count = 2;
    assert_int_equal(judge(&cfg, &v, &count, &bad), E_NOT_FOUND);
    assert_string_equal(bad, "no-such");
}

static void fast_leaves_timers_out(void **state)
{
    (void)state;
    struct judge_config cfg = {.bench = BENCH_MEMORY, .seed = 1, .fast = true};
    struct verdict *v;
    size_t count, left_out = 0;
    const char *bad;
    assert_int_equal(judge(&cfg, &v, &count, &bad), 0);
    assert_int_equal(count, catalogue_count());
    for (size_t i = 0; i < count; i++)
        if (v[i].row->probe && v[i].row->seconds) {
            assert_int_equal(v[i].outcome, OUTCOME_SKIP);
            left_out++;
        }
    assert_true(left_out > 0);
    verdicts_free(v, count);
}

static void nobody_is_there(void **state)
{
    (void)state;
    struct live_server nobody = {.tcp = kit_endpoint("127.0.0.1:1"), .user = {{"u", "p"}}};
    struct judge_config cfg = {.bench = BENCH_LIVE, .live = &nobody};
    struct verdict *v;
    size_t count;
    const char *bad;
    assert_int_equal(judge(&cfg, &v, &count, &bad), E_UNREACHABLE);
}

/* ---- the same seed ---- */

static void same_bytes(void **state)
{
    (void)state;
    static const enum bench_kind benches[] = {BENCH_MEMORY, BENCH_NATIVE};
    for (size_t b = 0; b < sizeof benches / sizeof *benches; b++) {
        struct judge_config cfg = {.bench = benches[b], .seed = 7};
        struct verdict *v[2];
        size_t count[2];
        const char *bad;
        for (int i = 0; i < 2; i++)
            assert_int_equal(judge(&cfg, &v[i], &count[i], &bad), 0);
        assert_int_equal(count[0], count[1]);
        for (size_t i = 0; i < count[0]; i++) {
            const struct verdict *x = &v[0][i], *y = &v[1][i];
            assert_int_equal(x->outcome, y->outcome);
            assert_int_equal(x->took_ns, y->took_ns);
            assert_string_equal(x->saw ? x->saw : "", y->saw ? y->saw : "");
            assert_string_equal(x->exchange ? x->exchange : "", y->exchange ? y->exchange : "");
        }
        for (int i = 0; i < 2; i++)
            verdicts_free(v[i], count[i]);
    }
}

/* ---- processes ---- */

enum { JOBS = 20, LONG = 100000 };
static struct requirement job[JOBS];

static void judge_job(void *ctx, struct verdict *v)
{
    (void)ctx;
    size_t i = (size_t)(v->row - job);
    v->took_ns = i;
    if (i == 7)
        raise(SIGKILL);
    if (i % 2)
        return;
    v->outcome = OUTCOME_FAIL;
    v->saw = strdup("so");
    v->exchange = malloc(LONG + 1);
    memset(v->exchange, 'a' + (int)i, LONG);
    v->exchange[LONG] = '\0';
}

static void count_job(void *ctx, const struct verdict *v)
{
    (void)v;
    ++*(unsigned *)ctx;
}

static void in_processes(void **state)
{
    (void)state;
    struct verdict v[JOBS], *part[JOBS];
    for (size_t i = 0; i < JOBS; i++) {
        v[i] = (struct verdict){.row = &job[i]};
        part[i] = &v[i];
    }
    unsigned done = 0;
    assert_int_equal(workers_judge(part, JOBS, 3, judge_job, count_job, &done), 0);
    assert_int_equal(done, JOBS);
    for (size_t i = 0; i < JOBS; i++) {
        if (i == 7) {
            assert_int_equal(v[i].outcome, OUTCOME_FAIL);
            assert_string_equal(v[i].saw,
                                "turnproof itself has failed: the process that judged this ended with signal 9");
        } else {
            assert_int_equal(v[i].took_ns, i);
            assert_int_equal(v[i].outcome, i % 2 ? OUTCOME_PASS : OUTCOME_FAIL);
            assert_int_equal(v[i].exchange ? strlen(v[i].exchange) : 0, i % 2 ? 0 : LONG);
            assert_true(i % 2 || v[i].exchange[LONG - 1] == 'a' + (int)i);
        }
        free(v[i].saw);
        free(v[i].exchange);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        {"chooses", chooses, NULL, NULL, NULL},
        {"--fast leaves out what waits for timers", fast_leaves_timers_out, NULL, NULL, NULL},
        {"nobody is there", nobody_is_there, NULL, NULL, NULL},
        {"the same seed, the same verdicts", same_bytes, NULL, NULL, NULL},
        {"in processes of their own", in_processes, NULL, NULL, NULL},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
