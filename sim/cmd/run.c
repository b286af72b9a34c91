/* SPDX-License-Identifier: GPL-2.0-or-later */
/* turnproof run: one topology, on one engine or on both; what became of its call. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/cmd/arguments.h"
#include "sim/rows/marks.h"
#include "sim/scenario/ladder.h"
#include "sim/scenario/report.h"
#include "sim/scenario/summary.h"
#include "sim/scenario/world.h"

enum { OPT_ENGINE = 256, OPT_SEED, OPT_RULES, OPT_SET, OPT_OUT, OPT_CAPTURE, OPT_JSON, OPT_STRICT, OPT_SHUT };

static const struct cmd_option options[] = {
    {"engine", "ENGINE", "native (the default), ns3 or both", OPT_ENGINE},
    {"seed", "N", "instead of the topology's: another seed, other jitter and losses", OPT_SEED},
    {"rules", "NODE=FILE", "rule set of a firewall, instead of the topology's; again for each", OPT_RULES},
    {"set", "PATH=JSON", "a value instead of the topology's, as links.wan.delay_us=5000", OPT_SET},
    {"out", "DIR", "write summary, events, capture and ladder there", OPT_OUT},
    {"capture", "NODE:PORT", "in the capture only what this link end saw; again for each", OPT_CAPTURE},
    {"shut", "ROW", "close a row of the port tables at every firewall, as 3.12; again for each", OPT_SHUT},
    {"strict", NULL, "a relay that is seen to break a MUST of the RFCs fails the run, too", OPT_STRICT},
    {"json", NULL, "print the summary as JSON instead of the report", OPT_JSON},
    {.name = NULL},
};

static const char *const engines[REPORT_RUNS] = {"native", "ns3"};

struct request {
    const char *topology, *out;
    bool wanted[REPORT_RUNS], json, strict, has_seed;
    uint64_t seed;
    const char *set[CMD_REPEATED], *rules[CMD_REPEATED], *ends[CMD_REPEATED], *shut[CMD_REPEATED];
    size_t set_count, rules_count, end_count, shut_count;
};

/* One engine's run and what is made of it. */
struct run {
    struct record record;
    struct blame blame;
};

/* ---- command line ---- */

static bool parse_engine(const char *s, struct request *q)
{
    bool both = strcmp(s, "both") == 0, known = both;
    for (size_t i = 0; i < REPORT_RUNS; i++) {
        q->wanted[i] = both || strcmp(s, engines[i]) == 0;
        known = known || q->wanted[i];
    }
    return known;
}

/* done: there is nothing to run, and the exit status is returned. */
static int parse_options(const struct cmd *self, int argc, char **argv, struct request *q, bool *done)
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
        case OPT_ENGINE:
            if (!parse_engine(optarg, q))
                return cmd_usage(self, "--engine: expected native, ns3 or both, found \"%s\"", optarg);
            break;
        case OPT_SEED:
            if (!cmd_number(optarg, &q->seed))
                return cmd_usage(self, "--seed: expected a whole number of at most 64 bits, found \"%s\"", optarg);
            q->has_seed = true;
            break;
        case OPT_RULES:
            if (!cmd_repeat(q->rules, &q->rules_count))
                return cmd_usage(self, "--rules: expected at most %d", CMD_REPEATED);
            break;
        case OPT_SET:
            if (!cmd_repeat(q->set, &q->set_count))
                return cmd_usage(self, "--set: expected at most %d", CMD_REPEATED);
            break;
        case OPT_OUT:
            q->out = optarg;
            break;
        case OPT_CAPTURE:
            if (!cmd_repeat(q->ends, &q->end_count))
                return cmd_usage(self, "--capture: expected at most %d", CMD_REPEATED);
            break;
        case OPT_SHUT:
            if (!cmd_repeat(q->shut, &q->shut_count))
                return cmd_usage(self, "--shut: expected at most %d", CMD_REPEATED);
            break;
        case OPT_STRICT:
            q->strict = true;
            break;
        default:
            q->json = true;
        }
    }
    q->topology = cmd_one_topology(self, argc, argv);
    if (!q->topology)
        return EXIT_USAGE;
    *done = false;
    return EXIT_HOLDS;
}

/* ---- files ---- */

static int cannot(const char *path, int error)
{
    fprintf(stderr, "turnproof: %s: %s\n", path, strerror(error));
    return EXIT_USAGE;
}

enum file_kind { FILE_SUMMARY, FILE_LADDER, FILE_SVG, FILE_KINDS };

static int write_file(const char *directory, enum file_kind kind, const struct topology *t, const struct run *r)
{
    static const char *const names[FILE_KINDS] = {"summary.json", "ladder.txt", "ladder.svg"};
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/%s", directory, names[kind]);
    struct sink s;
    if (!sink_open(&s, path, false))
        return cannot(path, errno);
    if (kind == FILE_SUMMARY)
        summary_write(&s, t, &r->record, &r->blame);
    else if (kind == FILE_LADDER)
        ladder_text(&s, t, &r->record, &r->blame, 0);
    else
        ladder_svg(&s, t, &r->record, &r->blame);
    int error = sink_close(&s, NULL);
    return error ? cannot(path, error) : 0;
}

/* ---- running ---- */

static void show_progress(uint64_t now_ns, uint64_t end_ns)
{
    fprintf(stderr, "\r%3u %%", (unsigned)(now_ns * 100 / end_ns));
}

static int run_engine(const struct request *q, const struct topology *t, const struct rows *rows, size_t engine,
                      struct run *out)
{
    const struct net_ops *ops = cmd_engine(engines[engine]);
    if (!ops)
        return EXIT_USAGE;
    char directory[PATH_MAX] = "";
    bool both = q->wanted[0] && q->wanted[1], terminal = isatty(STDERR_FILENO);
    if (q->out) {
        int n = snprintf(directory, sizeof directory, both ? "%s/%s" : "%s", q->out, engines[engine]);
        if (n >= (int)sizeof directory || !cmd_make_directory(directory))
            return cannot(directory, n >= (int)sizeof directory ? ENAMETOOLONG : errno);
    }
    struct world_watch watch = {.shutter = q->shut_count ? &rows->shutter : NULL};
    struct row_marks *marks = rows->row.count ? row_marks_new(rows, &watch) : NULL;
    const struct world_options world = {.seed = q->has_seed ? q->seed : t->seed,
                                        .directory = q->out ? directory : NULL,
                                        .ends = q->ends,
                                        .end_count = q->end_count,
                                        .watch = &watch,
                                        .progress = terminal ? show_progress : NULL};
    struct diag d;
    int err = world_run(ops, t, &world, &out->record, &d);
    if (marks && !err)
        row_marks_record(marks, &out->record);
    row_marks_free(marks);
    if (err) {
        fprintf(stderr, "turnproof: %s\n", d.text);
        return EXIT_USAGE;
    }
    if (terminal)
        fprintf(stderr, "\r     \r");
    blame_find(t, &out->record, &out->blame);
    if (q->strict)
        blame_conformance(&out->record, &out->blame);
    int status = 0;
    for (enum file_kind k = 0; q->out && !status && k < FILE_KINDS; k++)
        status = write_file(directory, k, t, out);
    return status;
}

static bool write_result(const struct request *q, const struct report *r)
{
    struct sink s;
    cmd_output(&s);
    if (!q->json)
        report_write(&s, r);
    else if (r->count == 1)
        summary_write(&s, r->topology, r->record[0], r->blame[0]);
    else
        summary_write_comparison(&s, r->topology, r->record, r->blame, r->comparison);
    return cmd_output_end(&s);
}

/* All the engines that are wanted, then the report. */
static int run_all(const struct request *q, const struct topology *t, const struct rows *rows)
{
    struct run runs[REPORT_RUNS] = {0};
    struct comparison comparison;
    struct report r = {.topology = t, .directory = q->out, .colour = cmd_in_colour()};
    int status = EXIT_HOLDS;
    for (size_t i = 0; status != EXIT_USAGE && i < REPORT_RUNS; i++) {
        if (!q->wanted[i])
            continue;
        int err = run_engine(q, t, rows, i, &runs[i]);
        if (err || runs[i].blame.verdict != VERDICT_OK)
            status = err ? err : EXIT_FAILS;
        r.record[r.count] = &runs[i].record;
        r.blame[r.count++] = &runs[i].blame;
    }
    if (status != EXIT_USAGE && r.count > 1) {
        compare_messages(r.record[0], r.record[1], &comparison);
        r.comparison = &comparison;
        if (!comparison.same_messages)
            status = EXIT_FAILS;
    }
    if (status != EXIT_USAGE && !write_result(q, &r))
        status = EXIT_USAGE;
    for (size_t i = 0; i < REPORT_RUNS; i++)
        record_free(&runs[i].record);
    return status;
}

/* The rows of --shut. False: one is none, said so. */
static bool shut_rows(const struct request *q, struct rows *rows)
{
    for (size_t i = 0; i < q->shut_count; i++) {
        int row = rows_find(rows, q->shut[i]);
        if (row < 0) {
            fprintf(stderr, "turnproof: --shut: expected a row of the tables that applies here, found \"%s\"\n",
                    q->shut[i]);
            return false;
        }
        rows->row.items[row].shut = true;
    }
    return true;
}

static int run_with_rows(const struct request *q, const struct topology *t)
{
    struct rows rows;
    struct diag d;
    if (rows_open(&rows, t, &d) != 0) {
        fprintf(stderr, "%s\n", d.text);
        return EXIT_USAGE;
    }
    int status = shut_rows(q, &rows) ? run_all(q, t, &rows) : EXIT_USAGE;
    rows_close(&rows);
    return status;
}

static int run(const struct cmd *self, int argc, char **argv)
{
    struct request q = {.wanted = {true}};
    bool done;
    int status = parse_options(self, argc, argv, &q, &done);
    if (done)
        return status;
    const struct topo_options changes = {
        .set = q.set, .set_count = q.set_count, .rules = q.rules, .rules_count = q.rules_count};
    struct topology *t = cmd_read_topology(q.topology, &changes);
    if (!t)
        return EXIT_USAGE;
    status = run_with_rows(&q, t);
    topology_free(t);
    return status;
}

const struct cmd cmd_run = {
    .name = "run",
    .arguments = "TOPOLOGY [OPTION]...",
    .summary = "run the call of a topology and say what became of it",
    .details = "TOPOLOGY is a JSON file: nodes, links, rule sets, settings. Prints the verdict, the\n"
               "phases of the call and its messages as a ladder; when it fails, the packet, the firewall\n"
               "and the line that dropped it, and what to change.\n",
    .options = options,
    .run = run,
};
