/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The subcommands of turnproof: one row of main's table each, one file each. */
#ifndef TP_CMD_CMD_H
#define TP_CMD_CMD_H

#include <stdbool.h>

/* Exit status of every subcommand. */
enum { EXIT_HOLDS = 0, EXIT_FAILS = 1, EXIT_USAGE = 2 };

/* An option as --help shows it and getopt takes it. argument NULL: it takes none. */
struct cmd_option {
    const char *name; /* NULL ends the table */
    const char *argument, *help;
    int value; /* what cmd_next returns for it */
};

struct cmd {
    const char *name, *arguments, *summary, *details;
    const struct cmd_option *options;
    /* argv[0] is the subcommand's name. */
    int (*run)(const struct cmd *self, int argc, char **argv);
};

extern const struct cmd cmd_check, cmd_conform, cmd_diagnose, cmd_diff, cmd_explore, cmd_matrix, cmd_relay, cmd_report,
    cmd_run, cmd_sweep;

enum { CMD_END = -1, CMD_HELP = 1, CMD_BAD = '?' };

/* The value of the next option of the command line, optarg its argument; CMD_END: none is left, optind is at the first
 * operand; CMD_BAD: wrong, and said so on stderr. */
int cmd_next(const struct cmd *c, int argc, char **argv);
void cmd_help(const struct cmd *c);
/* "turnproof run: MESSAGE" on stderr, and a hint at --help; returns EXIT_USAGE. */
int cmd_usage(const struct cmd *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
