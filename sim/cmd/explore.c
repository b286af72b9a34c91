/* SPDX-License-Identifier: GPL-2.0-or-later */
/* turnproof explore: a topology under drawn networks, loads and faults, until an invariant does not hold. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "sim/cmd/arguments.h"
#include "sim/explore/search.h"
#include "sim/explore/shrink.h"
#include "sim/jobs/jobs.h"
#include "sim/scenario/files.h"

enum { OPT_SEEDS = 256, OPT_FAULTS, OPT_JOBS, OPT_OUT, OPT_RULES, OPT_SET };

static const struct cmd_option options[] = {
    {"seeds", "A..B", "the seeds to draw from; without, the topology as it is", OPT_SEEDS},
    {"faults", "PLAN", "what a seed may draw (JSON), instead of what is built in", OPT_FAULTS},
    {"jobs", "N", "processes; 0 (the default): as many as there are cores", OPT_JOBS},
    {"out", "FILE", "write the smallest failing topology there", OPT_OUT},
    {"rules", "NODE=FILE", "rule set of a firewall, instead of the topology's; again for each", OPT_RULES},
    {"set", "PATH=JSON", "a value instead of the topology's, as links.wan.delay_us=5000", OPT_SET},
    {.name = NULL},
};

struct request {
    const char *topology, *plan, *out;
    bool has_seeds;
    uint64_t first, last;
    unsigned jobs;
    const char *set[CMD_REPEATED], *rules[CMD_REPEATED];
    size_t set_count, rules_count;
};

/* ---- command line ---- */

static bool parse_number(const char *s, char **end, uint64_t most, uint64_t *out)
{
    errno = 0;
    *out = strtoull(s, end, 10);
    return s[0] >= '0' && s[0] <= '9' && errno == 0 && *out <= most;
}

static bool parse_seeds(const char *s, struct request *q)
{
    char *end;
    if (!parse_number(s, &end, UINT64_MAX, &q->first) || strncmp(end, "..", 2) != 0 ||
        !parse_number(end + 2, &end, UINT64_MAX, &q->last) || *end)
        return false;
    q->has_seeds = q->first <= q->last && q->last - q->first < UINT64_C(1) << 40;
    return q->has_seeds;
}

/* NULL, or what was expected instead. */
static const char *take(struct request *q, int option)
{
    char *end;
    uint64_t n;
    switch (option) {
    case OPT_SEEDS:
        return parse_seeds(optarg, q) ? NULL : "--seeds: expected two seeds in order, as 1..2000";
    case OPT_FAULTS:
        q->plan = optarg;
        return NULL;
    case OPT_JOBS:
        if (!parse_number(optarg, &end, JOBS_WORKERS_MAX, &n) || *end)
            return "--jobs: expected a number of processes from 0 to 256";
        q->jobs = (unsigned)n;
        return NULL;
    case OPT_OUT:
        q->out = optarg;
        return NULL;
    case OPT_RULES:
        return cmd_repeat(q->rules, &q->rules_count) ? NULL : "--rules: expected at most 256";
    default:
        return cmd_repeat(q->set, &q->set_count) ? NULL : "--set: expected at most 256";
    }
}

static int parse_options(const struct cmd *self, int argc, char **argv, struct request *q, bool *done)
{
    int option;
    *done = true;
    while ((option = cmd_next(self, argc, argv)) != CMD_END) {
        if (option == CMD_HELP) {
            cmd_help(self);
            return EXIT_HOLDS;
        }
        if (option == CMD_BAD)
            return EXIT_USAGE;
        const char *wrong = take(q, option);
        if (wrong)
            return cmd_usage(self, "%s, found \"%s\"", wrong, optarg);
    }
    q->topology = cmd_one_topology(self, argc, argv);
    if (!q->topology)
        return EXIT_USAGE;
    *done = false;
    return EXIT_HOLDS;
}

/* ---- what is said of a failure ---- */

static void say_wrapped(struct sink *s, const char *name, const char *text)
{
    sink_f(s, "  %-11s ", name);
    sink_wrapped(s, 14, text);
    sink_text(s, "\n");
}

static void say_faults(struct sink *out, const struct scenario *s)
{
    for (size_t i = 0; i < s->fault_count; i++) {
        const struct topo_fault *f = &s->fault[i];
        sink_f(out, "  %-11s %s of %s at %" PRIu64 " ms", "fault", fault_kinds[f->kind].name,
               f->link_name ? f->link_name : f->node_name, f->at_ns / NS_MS);
        uint64_t ms = (f->kind == FAULT_CLOCK ? f->ahead_ns : f->for_ns) / NS_MS;
        if (ms)
            sink_f(out, ", %s %" PRIu64 " ms", f->kind == FAULT_CLOCK ? "by" : "for", ms);
        sink_text(out, "\n");
    }
}

static void say_links(struct sink *out, const struct topology *t, const struct scenario *s)
{
    for (size_t i = 0; i < t->links.count; i++)
        for (int d = 0; d < 2; d++) {
            const struct topo_dir *is = &s->dir[i][d], *was = &t->links.items[i].dir[d];
            const struct {
                const char *what;
                uint64_t is, was;
            } rows[] = {
                {"loss ppm", is->loss.loss_ppm + 3 * (uint64_t)is->loss.to_bad_ppm,
                 was->loss.loss_ppm + 3 * (uint64_t)was->loss.to_bad_ppm},
                {"delay us", is->delay_ns / NS_US, was->delay_ns / NS_US},
                {"jitter us", is->jitter_ns / NS_US, was->jitter_ns / NS_US},
                {"duplicate ppm", is->duplicate_ppm, was->duplicate_ppm},
                {"reorder ppm", is->reorder_ppm, was->reorder_ppm},
            };
            const char *before = ": ";
            for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
                if (rows[k].is == rows[k].was)
                    continue;
                if (before[0] == ':')
                    sink_f(out, "  %-11s %s %s", "link", t->links.items[i].name, d ? "ba" : "ab");
                sink_f(out, "%s%s %" PRIu64, before, rows[k].what, rows[k].is);
                before = ", ";
            }
            if (before[0] == ',')
                sink_text(out, "\n");
        }
}

static int write_topology(const char *path, const struct topology *t, const struct scenario *s)
{
    struct arena a = {0};
    struct sink out;
    char *text = scenario_json(t, s, file_directory(&a, path));
    arena_free(&a);
    if (!text || !sink_open(&out, path, false)) {
        fprintf(stderr, "turnproof: %s: %s\n", path, strerror(text ? errno : ENOMEM));
        free(text);
        return EXIT_USAGE;
    }
    sink_text(&out, text);
    sink_text(&out, "\n");
    int error = sink_close(&out, NULL);
    free(text);
    if (!error)
        return EXIT_FAILS;
    fprintf(stderr, "turnproof: %s: %s\n", path, strerror(error));
    return EXIT_USAGE;
}

static int no_process(void)
{
    fprintf(stderr, "turnproof explore: no process could be had: %s\n", strerror(errno));
    return EXIT_USAGE;
}

/* The seed first: whatever happens from here on, it can be run again. */
static int tell_failure(const struct request *q, struct explorer *e, struct scenario *s, struct violation *v)
{
    const struct topology *t = explorer_topology(e);
    struct sink out;
    char at[40];
    unsigned runs;
    printf("seed %" PRIu64 ": %s does not hold\n", s->seed, v->invariant);
    fflush(stdout);
    if (q->has_seeds && shrink(e, s, v, &runs) != 0)
        return no_process();
    cmd_output(&out);
    snprintf(at, sizeof at, "%.6f s", (double)v->t_ns / (double)NS_S);
    say_wrapped(&out, "at", at);
    say_wrapped(&out, "what", v->what);
    if (q->has_seeds) {
        sink_f(&out, "  %-11s turnproof explore %s --seeds %" PRIu64 "..%" PRIu64 "%s%s\n", "again", q->topology,
               s->seed, s->seed, q->plan ? " --faults " : "", q->plan ? q->plan : "");
        sink_f(&out, "  %-11s in %u runs, to %zu fault%s%s%s\n", "shrunk", runs, s->fault_count,
               s->fault_count == 1 ? "" : "s", q->out ? ": " : "", q->out ? q->out : "");
        say_faults(&out, s);
        say_links(&out, t, s);
        if (s->buffer_kb)
            sink_f(&out, "  %-11s of TCP, %u KiB\n", "buffers", s->buffer_kb);
    }
    if (!cmd_output_end(&out))
        return EXIT_USAGE;
    return q->out ? write_topology(q->out, t, s) : EXIT_FAILS;
}

/* ---- running ---- */

static void show_progress(uint64_t done, uint64_t all)
{
    fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " seeds", done, all);
}

static int explore_seeds(const struct request *q, struct explorer *e)
{
    const struct topology *t = explorer_topology(e);
    bool terminal = isatty(STDERR_FILENO);
    const struct search search_for = {.explorer = e, .first = q->first, .last = q->last, .workers = q->jobs,
                                      .progress = terminal ? show_progress : NULL};
    struct search_result r;
    int err = search(&search_for, &r);
    if (terminal)
        fprintf(stderr, "\r%*s\r", 50, "");
    if (err)
        return no_process();
    if (r.failed) {
        struct scenario *s = scenario_new(t);
        explorer_draw(e, r.seed, s);
        int status = tell_failure(q, e, s, &r.violation);
        scenario_free(s);
        return status;
    }
    printf("%s, seeds %" PRIu64 "..%" PRIu64 ": every invariant holds\n", t->name, q->first, q->last);
    printf("  %-11s %" PRIu64 " came up, %" PRIu64 " ended with a cause\n", "calls", r.calls_up, r.runs - r.calls_up);
    printf("  %-11s %" PRIu64 " a run over a link\n", "packets", r.packet_hops / r.runs);
    return EXIT_HOLDS;
}

/* The topology as it is, under the same invariants. */
static int explore_one(const struct request *q, struct explorer *e)
{
    const struct topology *t = explorer_topology(e);
    struct scenario *s = scenario_new(t);
    struct finding f;
    int err = search_one(e, s, &f), status = EXIT_HOLDS;
    if (err)
        status = no_process();
    else if (violated(&f.violation))
        status = tell_failure(q, e, s, &f.violation);
    else
        printf("%s, seed %" PRIu64 ": every invariant holds; the call %s\n", t->name, t->seed,
               f.call_up ? "came up" : "ended with a cause");
    scenario_free(s);
    return status;
}

static int run(const struct cmd *self, int argc, char **argv)
{
    struct request q = {0};
    struct plan *plan = NULL;
    struct explorer *e;
    struct diag d;
    bool done;
    int status = parse_options(self, argc, argv, &q, &done);
    if (done)
        return status;
    const struct topo_options changes = {
        .set = q.set, .set_count = q.set_count, .rules = q.rules, .rules_count = q.rules_count};
    struct topology *t = cmd_read_topology(q.topology, &changes);
    if (!t)
        return EXIT_USAGE;
    int err = plan_read(q.plan, &plan, &d);
    if (!err)
        err = explorer_new(t, plan, &e, &d);
    if (err) { /* what fails without any trouble needs no search: d begins as a failure of its seed does */
        fprintf(err == E_UNSUPPORTED ? stdout : stderr, "%s\n", d.text);
        status = err == E_UNSUPPORTED ? EXIT_FAILS : EXIT_USAGE;
    } else {
        status = q.has_seeds ? explore_seeds(&q, e) : explore_one(&q, e);
        explorer_free(e);
    }
    plan_free(plan);
    topology_free(t);
    return status;
}

const struct cmd cmd_explore = {
    .name = "explore",
    .arguments = "TOPOLOGY [--seeds A..B] [OPTION]...",
    .summary = "search for failures: drawn networks, loads and faults",
    .details = "Each seed draws a network, a load and faults within the limits of a plan, and runs the call of\n"
               "TOPOLOGY under them on the native engine. Invariants are checked throughout. The first seed that\n"
               "fails is printed and shrunk to a smaller topology that fails alike.\n",
    .options = options,
    .run = run,
};
