/* SPDX-License-Identifier: GPL-2.0-or-later */
/* turnproof diff: what a change of a rule set does, exactly. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "sim/check/differ.h"
#include "sim/cmd/request.h"

enum { OPT_WITH = REQUEST_OWN, OPT_FORMAT };

static const struct cmd_option options[] = {
    REQUEST_OPTIONS,
    {"with", "NODE=FILE", "the new rule set of a firewall; again for each", OPT_WITH},
    {"format", "FORMAT", "text (the default) or json", OPT_FORMAT},
    {.name = NULL},
};

struct asked {
    struct request q;
    const char *with[CMD_REPEATED];
    size_t with_count;
    bool json;
};

/* done: there is nothing to compare, and the exit status is returned. */
static int parse_options(const struct cmd *self, int argc, char **argv, struct asked *a, bool *done)
{
    int option;
    *done = true;
    while ((option = cmd_next(self, argc, argv)) != CMD_END) {
        const char *wrong = NULL;
        switch (option) {
        case CMD_HELP:
            cmd_help(self);
            return EXIT_HOLDS;
        case CMD_BAD:
            return EXIT_USAGE;
        case OPT_WITH:
            if (!cmd_repeat(a->with, &a->with_count))
                return cmd_usage(self, "--with: expected at most %d", CMD_REPEATED);
            break;
        case OPT_FORMAT:
            a->json = strcmp(optarg, "json") == 0;
            wrong = a->json || strcmp(optarg, "text") == 0 ? NULL : "--format: expected text or json";
            break;
        default:
            wrong = request_option(&a->q, option);
        }
        if (wrong)
            return cmd_usage(self, "%s, found \"%s\"", wrong, optarg);
    }
    if (!request_end(self, &a->q, argc, argv))
        return EXIT_USAGE;
    if (!a->with_count)
        return cmd_usage(self, "expected --with NODE=FILE, found none");
    if (a->with_count + a->q.topo.rules_count > CMD_REPEATED)
        return cmd_usage(self, "--with: expected at most %d with --rules", CMD_REPEATED);
    *done = false;
    return EXIT_HOLDS;
}

static int compare(const struct asked *a, const struct request_answer *before, const struct request_answer *after)
{
    struct differ f;
    if (differ_run(&f, before->topology, after->topology, before->verify.report, after->verify.report) != 0) {
        fputs("turnproof: out of memory\n", stderr);
        return EXIT_USAGE;
    }
    struct sink s;
    cmd_output(&s);
    (a->json ? differ_write_json : differ_write_text)(&s, &f, cmd_in_colour());
    int status = !cmd_output_end(&s) ? EXIT_USAGE : differ_same(&f) ? EXIT_HOLDS : EXIT_FAILS;
    differ_free(&f);
    return status;
}

static int run(const struct cmd *self, int argc, char **argv)
{
    struct asked a = {.q.verify.no_advice = true};
    struct request_answer before, after;
    bool done;
    int status = parse_options(self, argc, argv, &a, &done);
    if (done)
        return status;
    if (!request_run(&a.q, &before))
        return EXIT_USAGE;
    for (size_t i = 0; i < a.with_count; i++) /* the last word on a firewall holds */
        a.q.rules[a.q.topo.rules_count++] = a.with[i];
    status = EXIT_USAGE;
    if (request_run(&a.q, &after)) {
        status = compare(&a, &before, &after);
        request_free(&after);
    }
    request_free(&before);
    return status;
}

const struct cmd cmd_diff = {
    .name = "diff",
    .arguments = "TOPOLOGY --with NODE=NEW [OPTION]...",
    .summary = "say exactly what another rule set would change",
    .details = "Which packets become permitted or denied, by the interfaces that they cross, with the\n"
               "lines that decide before and now; and which rows of the port tables change verdict.\n"
               "The old rules are the topology's, or those of --rules NODE=OLD.\n",
    .options = options,
    .run = run,
};
