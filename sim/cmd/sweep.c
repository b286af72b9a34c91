/* SPDX-License-Identifier: GPL-2.0-or-later */
/* turnproof sweep: a topology along axes of changes, many seeds each, into tables. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/cmd/arguments.h"
#include "sim/jobs/jobs.h"
#include "sim/sweep/sweep.h"

enum { OPT_OUT = 256, OPT_JOBS };

static const struct cmd_option options[] = {
    {"out", "DIR", "where the tables go (default: the plan's name); what is there goes on", OPT_OUT},
    {"jobs", "N", "processes at a time (default: as many as there are cores)", OPT_JOBS},
    {.name = NULL},
};

struct asked {
    const char *out;
    unsigned jobs;
};

static bool parse_jobs(const char *s, unsigned *out)
{
    uint64_t n;
    if (!cmd_number(s, &n) || n < 1 || n > JOBS_WORKERS_MAX)
        return false;
    *out = (unsigned)n;
    return true;
}

/* done: there is nothing to run, and the exit status is returned. */
static int parse_options(const struct cmd *self, int argc, char **argv, struct asked *a, bool *done)
{
    int option;
    *done = true;
    while ((option = cmd_next(self, argc, argv)) != CMD_END) {
        switch (option) {
        case CMD_HELP:
            cmd_help(self);
            return EXIT_HOLDS;
        case CMD_BAD:
            return EXIT_USAGE;
        case OPT_OUT:
            a->out = optarg;
            break;
        default:
            if (!parse_jobs(optarg, &a->jobs))
                return cmd_usage(self, "--jobs: expected a number from 1 to 256, found \"%s\"", optarg);
        }
    }
    if (optind + 1 != argc)
        return cmd_usage(self, "expected one PLAN, found %d", argc - optind);
    *done = false;
    return EXIT_HOLDS;
}

static void show_progress(size_t done, size_t count)
{
    fprintf(stderr, "\r%zu of %zu runs", done, count);
}

static void tell(const struct sweep_plan *p, const struct sweep_done *s, const char *directory)
{
    printf("%s: %zu runs (%zu cells, %llu seeds each), %zu calls came up, %zu did not", p->name, s->runs, p->cells,
           (unsigned long long)p->seeds, s->runs - s->failed, s->failed);
    if (s->resumed)
        printf("; %zu were there before", s->resumed);
    printf("\n  one row a run              %s/runs.csv\n  means and their intervals  %s/cells.csv\n"
           "  the same with the plan     %s/sweep.json\n", directory, directory, directory);
}

static int sweep(const struct asked *a, const struct sweep_plan *p)
{
    struct sweep_ranks ranks;
    struct sweep_done done;
    struct diag d;
    if (sweep_ranks_find(&ranks, &d) != 0) {
        fprintf(stderr, "turnproof: %s\n", d.text);
        return EXIT_USAGE;
    }
    const char *out = a->out ? a->out : p->name;
    bool made = cmd_make_directory(out);
    if (!made)
        fprintf(stderr, "turnproof: %s: %s\n", out, strerror(errno));
    bool terminal = ranks.rank == 0 && isatty(STDERR_FILENO);
    const struct sweep_options how = {.directory = out, .jobs = ranks.count > 1 && !a->jobs ? 1 : a->jobs,
                                      .progress = terminal ? show_progress : NULL};
    int err = made ? sweep_run(p, &how, &ranks, &done, &d) : 1;
    if (terminal)
        fprintf(stderr, "\r%40s\r", "");
    if (made && err && d.text[0])
        fprintf(stderr, "turnproof: %s\n", d.text);
    if (!err && ranks.rank == 0)
        tell(p, &done, out);
    if (ranks.end)
        ranks.end();
    return err ? EXIT_USAGE : EXIT_HOLDS;
}

static int run(const struct cmd *self, int argc, char **argv)
{
    struct asked a = {0};
    struct sweep_plan *p;
    struct diag d;
    bool done;
    int status = parse_options(self, argc, argv, &a, &done);
    if (done)
        return status;
    if (sweep_plan_read(argv[optind], &p, &d) != 0) {
        fprintf(stderr, "turnproof: %s\n", d.text);
        return EXIT_USAGE;
    }
    status = sweep(&a, p);
    sweep_plan_free(p);
    return status;
}

const struct cmd cmd_sweep = {
    .name = "sweep",
    .arguments = "PLAN [OPTION]...",
    .summary = "run a topology many times along axes of changes, into tables",
    .details = "PLAN is a JSON file: a topology, what varies, and seeds. Every combination is run with every\n"
               "seed. Goes on where it was interrupted. Under mpirun the ranks share the work; the tables are\n"
               "the same bytes for any number of jobs and ranks.\n",
    .options = options,
    .run = run,
};
