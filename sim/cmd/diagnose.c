/* SPDX-License-Identifier: GPL-2.0-or-later */
/* turnproof diagnose: why the call in a capture did not come up, and what to check. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/cmd/arguments.h"
#include "sim/diagnose/output.h"

enum { OPT_LOG = 256, OPT_FORMAT };

static const struct cmd_option options[] = {
    {"log", "FILE", "Meeting Server's log of the same time; \"-\" is standard input", OPT_LOG},
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

static int run(const struct cmd *self, int argc, char **argv)
{
    struct diagnose_config cfg = {.log = NULL};
    writer *write = diagnose_write_text;
    for (int option; (option = cmd_next(self, argc, argv)) != CMD_END;) {
        if (option == CMD_HELP) {
            cmd_help(self);
            return EXIT_HOLDS;
        }
        if (option == CMD_BAD)
            return EXIT_USAGE;
        if (option == OPT_LOG)
            cfg.log = optarg;
        else if (!(write = writer_of_format(optarg)))
            return cmd_usage(self, "--format: expected text, json or html, found \"%s\"", optarg);
    }
    if (argc - optind != 1)
        return cmd_usage(self, "expected one CAPTURE, found %d", argc - optind);
    cfg.capture = argv[optind];
    if (cfg.log && strcmp(cfg.log, "-") == 0 && strcmp(cfg.capture, "-") == 0)
        return cmd_usage(self, "expected a file, found \"-\" for both CAPTURE and --log");
    cfg.progress = isatty(STDERR_FILENO) ? show_progress : NULL;
    struct diagnose_report *report;
    struct diag d;
    int err = diagnose(&cfg, &report, &d);
    if (cfg.progress)
        fprintf(stderr, "\r%60s\r", "");
    if (err) {
        fprintf(stderr, "%s\n", d.text);
        return EXIT_USAGE;
    }
    struct sink s;
    cmd_output(&s);
    write(&s, report, cmd_in_colour());
    int status = !cmd_output_end(&s)                              ? EXIT_USAGE
                 : report->diagnosis.verdict == DIAGNOSIS_CAUSE ? EXIT_FAILS
                                                                  : EXIT_HOLDS;
    diagnose_free(report);
    return status;
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
