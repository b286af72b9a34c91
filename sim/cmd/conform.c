/* SPDX-License-Identifier: GPL-2.0-or-later */
/* turnproof conform: the requirements of RFC 6062, and of what it stands on, judged from bytes. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conformance/judge.h"
#include "conformance/output.h"
#include "models/base/err.h"
#include "sim/cmd/arguments.h"
#include "sim/net.h"

enum { OPT_SIM = 256, OPT_ENGINE, OPT_ONLY, OPT_LIST, OPT_STRICT, OPT_FAST, OPT_DRY_RUN, OPT_SEED };

static const struct cmd_option options[] = {
    {"sim", NULL, "judge the simulated relay, and the simulated client", OPT_SIM},
    {"engine", "ENGINE", "of --sim: memory (the default), native or ns3", OPT_ENGINE},
    {"only", "ID", "only rows whose id begins so; again for each", OPT_ONLY},
    {"list", NULL, "print the rows with their checks, and judge nothing", OPT_LIST},
    {"strict", NULL, "a SHOULD that is not met fails, too", OPT_STRICT},
    {"fast", NULL, "leave out what needs timers to run out in real time", OPT_FAST},
    {"dry-run", NULL, "say which rows would be judged", OPT_DRY_RUN},
    {"seed", "N", "of --sim: what is drawn at random; 1 if not given", OPT_SEED},
    {.name = NULL},
};

struct request {
    struct judge_config judge;
    const char *only[CMD_REPEATED];
    bool simulated, list, strict;
};

static bool take_engine(struct request *q, const char *name)
{
    static const struct {
        const char *name;
        enum bench_kind bench;
    } engines[] = {{"memory", BENCH_MEMORY}, {"native", BENCH_NATIVE}, {"ns3", BENCH_NS3}};
    for (size_t i = 0; i < sizeof engines / sizeof *engines; i++)
        if (strcmp(engines[i].name, name) == 0) {
            q->judge.bench = engines[i].bench;
            return true;
        }
    return false;
}

static bool take_number(const char *s, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(s, &end, 10);
    return s[0] >= '0' && s[0] <= '9' && !*end && errno == 0;
}

/* What was expected instead of optarg; NULL: nothing. */
static const char *take(struct request *q, int option)
{
    switch (option) {
    case OPT_SIM:
        q->simulated = true;
        return NULL;
    case OPT_ENGINE:
        return take_engine(q, optarg) ? NULL : "--engine: expected memory, native or ns3";
    case OPT_ONLY:
        return cmd_repeat(q->only, &q->judge.only_count) ? NULL : "--only: expected fewer of them";
    case OPT_LIST:
        q->list = true;
        return NULL;
    case OPT_STRICT:
        q->strict = true;
        return NULL;
    case OPT_FAST:
        q->judge.fast = true;
        return NULL;
    case OPT_DRY_RUN:
        q->judge.dry_run = true;
        return NULL;
    default:
        return take_number(optarg, &q->judge.seed) ? NULL : "--seed: expected a whole number";
    }
}

/* ---- running ---- */

static void show_progress(void *ctx, size_t done, size_t total, const struct requirement *now)
{
    (void)ctx;
    fprintf(stderr, "\r%zu of %zu  %-20s", done, total, now->id);
}

static int list(const struct request *q)
{
    const struct requirement **row = calloc(catalogue_count() + 1, sizeof(struct requirement *));
    if (!row)
        return EXIT_USAGE;
    size_t count = 0;
    const struct requirement *r;
    for (size_t i = 0; (r = catalogue_row(i)); i++)
        if (judge_chooses(&q->judge, r))
            row[count++] = r;
    struct sink s;
    cmd_output(&s);
    conform_write_list(&s, row, count);
    free(row);
    return cmd_output_end(&s) ? EXIT_HOLDS : EXIT_USAGE;
}

static const char *subject_of(const struct request *q)
{
    static const char *const names[] = {[BENCH_MEMORY] = "the simulated relay in memory",
                                        [BENCH_NATIVE] = "the simulated relay in the native engine",
                                        [BENCH_NS3] = "the simulated relay in ns-3"};
    return names[q->judge.bench];
}

static int say_why(const struct cmd *self, int err, const char *bad)
{
    const char *why = err_text(err);
    if (err == E_NOT_FOUND)
        return cmd_usage(self, "--only: expected the beginning of a row's id, found \"%s\"", bad);
    if (err == E_UNSUPPORTED)
        net_ns3_load(&why);
    fprintf(stderr, "turnproof conform: %s\n", why);
    return EXIT_USAGE;
}

static int judge_all(const struct cmd *self, struct request *q)
{
    struct verdict *verdict;
    size_t count;
    const char *bad;
    if (isatty(STDERR_FILENO))
        q->judge.progress = show_progress;
    int err = judge(&q->judge, &verdict, &count, &bad);
    if (q->judge.progress)
        fprintf(stderr, "\r%40s\r", "");
    if (err)
        return say_why(self, err, bad);
    struct conform_report report = {.subject = subject_of(q), .verdict = verdict, .count = count,
                                    .strict = q->strict, .dry_run = q->judge.dry_run};
    struct sink s;
    cmd_output(&s);
    conform_write_text(&s, &report, cmd_in_colour());
    int status = !cmd_output_end(&s) ? EXIT_USAGE : conform_holds(&report) ? EXIT_HOLDS : EXIT_FAILS;
    verdicts_free(verdict, count);
    return status;
}

static int run(const struct cmd *self, int argc, char **argv)
{
    struct request q = {.judge = {.bench = BENCH_MEMORY, .seed = 1}};
    q.judge.only = q.only;
    for (int option; (option = cmd_next(self, argc, argv)) != CMD_END;) {
        if (option == CMD_HELP) {
            cmd_help(self);
            return EXIT_HOLDS;
        }
        if (option == CMD_BAD)
            return EXIT_USAGE;
        const char *wrong = take(&q, option);
        if (wrong)
            return cmd_usage(self, "%s, found \"%s\"", wrong, optarg);
    }
    if (argc != optind)
        return cmd_usage(self, "expected no argument, found \"%s\"", argv[optind]);
    if (q.list)
        return list(&q);
    if (!q.simulated)
        return cmd_usage(self, "expected --sim or --list");
    return judge_all(self, &q);
}

const struct cmd cmd_conform = {
    .name = "conform",
    .arguments = "--sim | --list [OPTION]...",
    .summary = "judge a TURN server by the rows of RFC 6062, 8656 and 8489",
    .details = "Each requirement is a row with an id. A row passes, fails, is implementation-defined (what was\n"
               "seen is told) or is not judged (why is told). A MUST that does not hold is exit status 1.\n",
    .options = options,
    .run = run,
};
