/* SPDX-License-Identifier: GPL-2.0-or-later */
/* turnproof check: a deployment's rule sets against the port tables, before anything is deployed. */
#include <getopt.h>
#include <string.h>

#include "sim/check/output.h"
#include "sim/cmd/request.h"

enum { OPT_FORMAT = REQUEST_OWN, OPT_SIMULATE, OPT_NO_ADVICE };

static const struct cmd_option options[] = {
    REQUEST_OPTIONS,
    {"format", "FORMAT", "text (the default), json, junit or sarif", OPT_FORMAT},
    {"simulate", NULL, "also send packets and the call through the simulated firewalls", OPT_SIMULATE},
    {"no-advice", NULL, "only the rows: no changes, no findings about the rules", OPT_NO_ADVICE},
    {.name = NULL},
};

typedef void write_report(struct sink *s, const struct check_report *r, bool colour);
static const struct {
    const char *name;
    write_report *write;
} formats[] = {
    {"text", check_write_text}, {"json", check_write_json}, {"junit", check_write_junit}, {"sarif", check_write_sarif}};

static write_report *format_named(const char *name)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(formats[i].name, name) == 0)
            return formats[i].write;
    return NULL;
}

/* done: there is nothing to check, and the exit status is returned. */
static int parse_options(const struct cmd *self, int argc, char **argv, struct request *q, write_report **write,
                         bool *done)
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
        case OPT_FORMAT:
            *write = format_named(optarg);
            wrong = *write ? NULL : "--format: expected text, json, junit or sarif";
            break;
        case OPT_SIMULATE:
            q->verify.simulate = true;
            break;
        case OPT_NO_ADVICE:
            q->verify.no_advice = true;
            break;
        default:
            wrong = request_option(q, option);
        }
        if (wrong)
            return cmd_usage(self, "%s, found \"%s\"", wrong, optarg);
    }
    if (!request_end(self, q, argc, argv))
        return EXIT_USAGE;
    *done = false;
    return EXIT_HOLDS;
}

static int run(const struct cmd *self, int argc, char **argv)
{
    struct request q = {0};
    write_report *write = check_write_text;
    bool done;
    int status = parse_options(self, argc, argv, &q, &write, &done);
    if (done)
        return status;
    struct request_answer answer;
    if (!request_run(&q, &answer))
        return EXIT_USAGE;
    struct sink s;
    cmd_output(&s);
    write(&s, answer.verify.report, cmd_in_colour());
    status = !cmd_output_end(&s) ? EXIT_USAGE : check_holds(answer.verify.report) ? EXIT_HOLDS : EXIT_FAILS;
    request_free(&answer);
    return status;
}

const struct cmd cmd_check = {
    .name = "check",
    .arguments = "TOPOLOGY [OPTION]...",
    .summary = "check the rule sets of a topology against the port tables",
    .details = "For each row of the tables and each firewall on its way, exactly: what passes, what is\n"
               "blocked and by which line; then the lines that repair it, read again and checked again.\n"
               "A line that is not understood makes the packets that it could decide UNKNOWN: no pass.\n",
    .options = options,
    .run = run,
};
