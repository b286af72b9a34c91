/* SPDX-License-Identifier: GPL-2.0-or-later */
/* turnproof report: one page of what a folder of results holds. */
#include <getopt.h>
#include <stdio.h>

#include "sim/cmd/cmd.h"
#include "sim/report/report.h"

enum { OPT_OUT = 256, PATH_SIZE = 4096 };

static const struct cmd_option options[] = {
    {"out", "FILE", "the page (default: DIR/report.html)", OPT_OUT},
    {.name = NULL},
};

static int run(const struct cmd *self, int argc, char **argv)
{
    const char *out = NULL;
    char usual[PATH_SIZE];
    int option;
    while ((option = cmd_next(self, argc, argv)) != CMD_END) {
        if (option == CMD_HELP) {
            cmd_help(self);
            return EXIT_HOLDS;
        }
        if (option == CMD_BAD)
            return EXIT_USAGE;
        out = optarg;
    }
    if (optind + 1 != argc)
        return cmd_usage(self, "expected one DIR, found %d", argc - optind);
    snprintf(usual, sizeof usual, "%s/report.html", argv[optind]);
    struct report_made made;
    struct diag d;
    if (report_make(argv[optind], out ? out : usual, &made, &d) != 0) {
        fprintf(stderr, "turnproof: %s\n", d.text);
        return EXIT_USAGE;
    }
    printf("%s: %u runs, %u checks, %u matrices, %u sweeps with %u plots\n", out ? out : usual, made.runs, made.checks,
           made.matrices, made.sweeps, made.plots);
    if (made.plots)
        printf("  the plots alone, as SVG and PNG: %s/plots\n", argv[optind]);
    return EXIT_HOLDS;
}

const struct cmd cmd_report = {
    .name = "report",
    .arguments = "DIR [OPTION]...",
    .summary = "make one page, with plots, of runs, checks and sweeps",
    .details = "DIR and the folders in it hold what `run --out`, `check --format json`, `matrix --json` and\n"
               "`sweep --out` left. The page stands alone; the plots are made by gnuplot.\n",
    .options = options,
    .run = run,
};
