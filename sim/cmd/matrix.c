/* SPDX-License-Identifier: GPL-2.0-or-later */
/* turnproof matrix: what each row of the port tables is for, by closing it. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/cmd/arguments.h"
#include "sim/jobs/jobs.h"
#include "sim/rows/matrix.h"

enum { OPT_ENGINE = 256, OPT_JOBS, OPT_ROW, OPT_SEED, OPT_RULES, OPT_SET, OPT_JSON };

static const struct cmd_option options[] = {
    {"engine", "ENGINE", "native (the default) or ns3", OPT_ENGINE},
    {"jobs", "N", "runs at a time; else as many as there are cores", OPT_JOBS},
    {"row", "ID", "this row, as 3.12, instead of all; again for each", OPT_ROW},
    {"seed", "N", "instead of the topology's", OPT_SEED},
    {"rules", "NODE=FILE", "rule set of a firewall, instead of the topology's; again for each", OPT_RULES},
    {"set", "PATH=JSON", "a value instead of the topology's, as links.wan.delay_us=5000", OPT_SET},
    {"json", NULL, "print the matrix as JSON", OPT_JSON},
    {.name = NULL},
};

struct request {
    const char *topology, *engine;
    bool json, has_seed;
    uint64_t seed, jobs;
    const char *set[CMD_REPEATED], *rules[CMD_REPEATED], *row[CMD_REPEATED];
    size_t set_count, rules_count, row_count;
};

/* One that may be given again. */
static int repeat(const struct cmd *self, const char *name, const char *list[CMD_REPEATED], size_t *count)
{
    return cmd_repeat(list, count) ? EXIT_HOLDS : cmd_usage(self, "--%s: expected at most %d", name, CMD_REPEATED);
}

static int parse_option(const struct cmd *self, int option, struct request *q)
{
    switch (option) {
    case OPT_ENGINE:
        q->engine = optarg;
        if (strcmp(optarg, "native") == 0 || strcmp(optarg, "ns3") == 0)
            return EXIT_HOLDS;
        return cmd_usage(self, "--engine: expected native or ns3, found \"%s\"", optarg);
    case OPT_JOBS:
        if (cmd_number(optarg, &q->jobs) && q->jobs && q->jobs <= JOBS_WORKERS_MAX)
            return EXIT_HOLDS;
        return cmd_usage(self, "--jobs: expected a whole number from 1 to %d, found \"%s\"", JOBS_WORKERS_MAX, optarg);
    case OPT_SEED:
        q->has_seed = true;
        if (cmd_number(optarg, &q->seed))
            return EXIT_HOLDS;
        return cmd_usage(self, "--seed: expected a whole number of at most 64 bits, found \"%s\"", optarg);
    case OPT_ROW:
        return repeat(self, "row", q->row, &q->row_count);
    case OPT_RULES:
        return repeat(self, "rules", q->rules, &q->rules_count);
    case OPT_SET:
        return repeat(self, "set", q->set, &q->set_count);
    default:
        q->json = true;
        return EXIT_HOLDS;
    }
}

/* done: there is nothing to run, and the exit status is returned. */
static int parse_options(const struct cmd *self, int argc, char **argv, struct request *q, bool *done)
{
    int option;
    *done = true;
    while ((option = cmd_next(self, argc, argv)) != CMD_END) {
        if (option == CMD_HELP)
            cmd_help(self);
        int status = option == CMD_BAD ? EXIT_USAGE : option == CMD_HELP ? EXIT_HOLDS : parse_option(self, option, q);
        if (status || option == CMD_HELP)
            return status;
    }
    q->topology = cmd_one_topology(self, argc, argv);
    if (!q->topology)
        return EXIT_USAGE;
    *done = false;
    return EXIT_HOLDS;
}

static void show_progress(void *ctx, size_t done)
{
    (void)ctx;
    fprintf(stderr, "\r%zu rows", done);
}

/* The rows asked for, by index; NULL: one is none, said so. */
static bool *choose_rows(const struct request *q, struct rows *rows)
{
    bool *wanted = arena_alloc(&rows->arena, (rows->row.count + 1) * sizeof *wanted);
    for (size_t i = 0; i < rows->row.count; i++)
        wanted[i] = !q->row_count;
    for (size_t i = 0; i < q->row_count; i++) {
        int row = rows_find(rows, q->row[i]);
        if (row < 0) {
            fprintf(stderr, "turnproof: --row: expected a row of the tables that applies here, found \"%s\"\n",
                    q->row[i]);
            return NULL;
        }
        wanted[row] = true;
    }
    return wanted;
}

static int run_rows(const struct request *q, struct rows *rows)
{
    const struct net_ops *ops = cmd_engine(q->engine);
    const bool *wanted = choose_rows(q, rows);
    if (!ops || !wanted)
        return EXIT_USAGE;
    bool terminal = isatty(STDERR_FILENO);
    const struct matrix_options how = {.ops = ops, .seed = q->has_seed ? q->seed : rows->topology->seed,
                                       .workers = (unsigned)q->jobs, .wanted = wanted,
                                       .progress = terminal ? show_progress : NULL};
    struct matrix m;
    struct diag d;
    if (matrix_run(&m, rows, &how, &d) != 0) {
        fprintf(stderr, "turnproof: %s\n", d.text);
        return EXIT_USAGE;
    }
    if (terminal)
        fprintf(stderr, "\r          \r");
    struct sink s;
    cmd_output(&s);
    if (q->json)
        matrix_json(&s, &m);
    else
        matrix_text(&s, &m);
    int status = matrix_holds(&m) ? EXIT_HOLDS : EXIT_FAILS;
    matrix_free(&m);
    return cmd_output_end(&s) ? status : EXIT_USAGE;
}

static int run(const struct cmd *self, int argc, char **argv)
{
    struct request q = {.engine = "native"};
    bool done;
    int status = parse_options(self, argc, argv, &q, &done);
    if (done)
        return status;
    const struct topo_options changes = {
        .set = q.set, .set_count = q.set_count, .rules = q.rules, .rules_count = q.rules_count};
    struct topology *t = cmd_read_topology(q.topology, &changes);
    if (!t)
        return EXIT_USAGE;
    struct rows rows;
    struct diag d = {""};
    int err = rows_open(&rows, t, &d);
    if (err) {
        fprintf(stderr, "%s\n", d.text);
    } else if (!rows.row.count) {
        fprintf(stderr, "%s:1:1: check.tables: expected port tables of which rows apply, found none\n", t->file);
        err = -1;
    }
    status = err ? EXIT_USAGE : run_rows(&q, &rows);
    rows_close(&rows);
    topology_free(t);
    return status;
}

const struct cmd cmd_matrix = {
    .name = "matrix",
    .arguments = "TOPOLOGY [OPTION]...",
    .summary = "run the calls with each row of the port tables closed in turn",
    .details = "Says of each row how many packets it carried, and with it shut at every firewall which\n"
               "services break or degrade; or, when none does, what stands in for it. Exit 0 when each\n"
               "row was carried and what its need says holds.\n",
    .options = options,
    .run = run,
};
