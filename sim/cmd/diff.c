/* SPDX-License-Identifier: GPL-2.0-or-later */
/* turnproof diff: what a change of a rule set does, exactly. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
    const char *with[REQUEST_REPEATED];
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
            if (a->with_count == REQUEST_REPEATED)
                return cmd_usage(self, "--with: expected at most %d", REQUEST_REPEATED);
            a->with[a->with_count++] = optarg;
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
    if (a->with_count + a->q.topo.rules_count > REQUEST_REPEATED)
        return cmd_usage(self, "--with: expected at most %d with --rules", REQUEST_REPEATED);
    *done = false;
    return EXIT_HOLDS;
}

/* One version: the topology and what the tables say of it. */
struct version {
    struct topology *t;
    struct verify v;
};

static int read_version(const struct request *q, struct version *out)
{
    struct diag d;
    *out = (struct version){0};
    if (topology_read(q->topology, &q->topo, &out->t, &d) != 0) {
        fprintf(stderr, "%s\n", d.text);
        return EXIT_USAGE;
    }
    if (verify_run(&out->v, out->t, &q->verify, &d) != 0) {
        fprintf(stderr, "%s\n", d.text);
        topology_free(out->t);
        return EXIT_USAGE;
    }
    return EXIT_HOLDS;
}

static void free_version(struct version *v)
{
    verify_free(&v->v);
    topology_free(v->t);
}

static int compare(const struct asked *a, const struct version *before, const struct version *after)
{
    struct differ f;
    if (differ_run(&f, before->t, after->t, before->v.report, after->v.report) != 0) {
        fputs("turnproof: out of memory\n", stderr);
        return EXIT_USAGE;
    }
    struct sink s;
    sink_open(&s, NULL, false); /* without a file it cannot fail */
    s.fd = dup(STDOUT_FILENO);  /* which the sink closes */
    (a->json ? differ_write_json : differ_write_text)(&s, &f, isatty(STDOUT_FILENO) && !getenv("NO_COLOR"));
    int error = sink_close(&s, NULL), status = differ_same(&f) ? EXIT_HOLDS : EXIT_FAILS;
    differ_free(&f);
    if (error)
        fprintf(stderr, "turnproof: standard output: %s\n", strerror(error));
    return error ? EXIT_USAGE : status;
}

static int run(const struct cmd *self, int argc, char **argv)
{
    struct asked a = {.q.verify.no_advice = true};
    struct version before, after;
    bool done;
    int status = parse_options(self, argc, argv, &a, &done);
    if (done)
        return status;
    if (read_version(&a.q, &before) != EXIT_HOLDS)
        return EXIT_USAGE;
    for (size_t i = 0; i < a.with_count; i++) /* the last word on a firewall holds */
        a.q.rules[a.q.topo.rules_count++] = a.with[i];
    status = read_version(&a.q, &after);
    if (status == EXIT_HOLDS) {
        status = compare(&a, &before, &after);
        free_version(&after);
    }
    free_version(&before);
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
