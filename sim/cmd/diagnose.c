/* SPDX-License-Identifier: GPL-2.0-or-later */
/* turnproof diagnose: why the call in a capture did not come up, and what to check. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/cmd/arguments.h"
#include "sim/diagnose/output.h"

enum { OPT_LOG = 256, OPT_FORMAT, OPT_TOPOLOGY, OPT_RULES };

static const struct cmd_option options[] = {
    {"log", "FILE", "Meeting Server's log of the same time; \"-\" is standard input", OPT_LOG},
    {"topology", "FILE", "the deployment: names for addresses, and the firewalls' rules on the way", OPT_TOPOLOGY},
    {"rules", "NODE=FILE", "rule set of a firewall, instead of the topology's; again for each", OPT_RULES},
    {"format", "FORMAT", "text (the default), json or html", OPT_FORMAT},
    {.name = NULL},
};

static void show_progress(void *ctx, uint64_t done, uint64_t total)
{
    enum { WIDTH = 40 };
    static const char bar[WIDTH + 1] = "########################################";
    (void)ctx;
    if (total)
        fprintf(stderr, "\r[%-*.*s] %3u %%", WIDTH, (int)(done * WIDTH / total), bar, (unsigned)(done * 100 / total));
    else
        fprintf(stderr, "\r%llu MB", (unsigned long long)(done / 1000000));
}

typedef void writer(struct sink *s, const struct diagnose_report *r, bool colour);

static void write_json(struct sink *s, const struct diagnose_report *r, bool colour)
{
    (void)colour;
    diagnose_write_json(s, r);
}

static void write_html(struct sink *s, const struct diagnose_report *r, bool colour)
{
    (void)colour;
    diagnose_write_html(s, r);
}

/* NULL: no such format. */
static writer *writer_of_format(const char *name)
{
    static const struct {
        const char *name;
        writer *write;
    } formats[] = {{"text", diagnose_write_text}, {"json", write_json}, {"html", write_html}};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(formats[i].name, name) == 0)
            return formats[i].write;
    return NULL;
}

struct asked {
    struct diagnose_config cfg;
    struct topo_options changes;
    const char *topology, *rules[CMD_REPEATED];
    writer *write;
};

/* NULL, or what was expected instead of optarg. */
static const char *take(struct asked *a, int option)
{
    switch (option) {
    case OPT_LOG:
        a->cfg.log = optarg;
        return NULL;
    case OPT_TOPOLOGY:
        a->topology = optarg;
        return NULL;
    case OPT_RULES:
        return cmd_repeat(a->rules, &a->changes.rules_count) ? NULL : "expected this option at most 256 times";
    default:
        a->write = writer_of_format(optarg);
        return a->write ? NULL : "--format: expected text, json or html";
    }
}

/* What is wrong with all of it together; NULL. */
static const char *wrong_together(const struct asked *a)
{
    if (a->cfg.log && strcmp(a->cfg.log, "-") == 0 && strcmp(a->cfg.capture, "-") == 0)
        return "expected a file, found \"-\" for both CAPTURE and --log";
    if (a->changes.rules_count && !a->topology)
        return "--rules: expected --topology with it, found none";
    return NULL;
}

static int tell(struct asked *a)
{
    struct diagnose_report *report;
    struct diag d;
    a->cfg.progress = isatty(STDERR_FILENO) ? show_progress : NULL;
    int err = diagnose(&a->cfg, &report, &d);
    if (a->cfg.progress)
        fprintf(stderr, "\r%60s\r", "");
    if (err) {
        fprintf(stderr, "%s\n", d.text);
        return EXIT_USAGE;
    }
    struct sink s;
    cmd_output(&s);
    a->write(&s, report, cmd_in_colour());
    int status = !cmd_output_end(&s)                              ? EXIT_USAGE
                 : report->diagnosis.verdict == DIAGNOSIS_CAUSE ? EXIT_FAILS
                                                                  : EXIT_HOLDS;
    diagnose_free(report);
    return status;
}

static int run(const struct cmd *self, int argc, char **argv)
{
    struct asked a = {.write = diagnose_write_text};
    for (int option; (option = cmd_next(self, argc, argv)) != CMD_END;) {
        if (option == CMD_HELP) {
            cmd_help(self);
            return EXIT_HOLDS;
        }
        if (option == CMD_BAD)
            return EXIT_USAGE;
        const char *wrong = take(&a, option);
        if (wrong)
            return cmd_usage(self, "%s, found \"%s\"", wrong, optarg);
    }
    if (argc - optind != 1)
        return cmd_usage(self, "expected one CAPTURE, found %d", argc - optind);
    a.cfg.capture = argv[optind];
    a.changes.rules = a.rules;
    const char *wrong = wrong_together(&a);
    if (wrong)
        return cmd_usage(self, "%s", wrong);
    if (a.topology && !(a.cfg.topology = cmd_read_topology(a.topology, &a.changes)))
        return EXIT_USAGE;
    return tell(&a);
}

const struct cmd cmd_diagnose = {
    .name = "diagnose",
    .arguments = "CAPTURE [OPTION]...",
    .summary = "say why the call in a capture did not come up, and what to check",
    .details = "Reads pcap and pcapng (\"-\": standard input), finds STUN, TURN and ICE checks by content, and names\n"
               "causes, most likely first, with the frames that show them. Exit status 1: a cause was found; 0: none,\n"
               "or not enough was seen to tell.\n",
    .options = options,
    .run = run,
};
