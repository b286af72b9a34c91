/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/cmd/cmd.h"

#define VERSION "0.1"

enum { OPTIONS_MAX = 32 };

static const struct cmd *const commands[] = {&cmd_check,   &cmd_conform, &cmd_diagnose, &cmd_diff, &cmd_explore,
                                           &cmd_matrix,  &cmd_relay,   &cmd_report,   &cmd_run,  &cmd_sweep};

int cmd_next(const struct cmd *c, int argc, char **argv)
{
    struct option all[OPTIONS_MAX + 2] = {{"help", no_argument, NULL, CMD_HELP}};
    size_t n = 1;
    for (const struct cmd_option *o = c->options; o->name; o++) {
        assert(n <= OPTIONS_MAX);
        all[n++] = (struct option){o->name, o->argument ? required_argument : no_argument, NULL, o->value};
    }
    int value = getopt_long(argc, argv, "", all, NULL);
    if (value == CMD_BAD)
        fprintf(stderr, "Try `turnproof %s --help`.\n", c->name);
    return value;
}

void cmd_help(const struct cmd *c)
{
    printf("Usage: turnproof %s %s\n\n%s\n\n%s\nOptions:\n", c->name, c->arguments, c->summary, c->details);
    for (const struct cmd_option *o = c->options; o->name; o++) {
        char left[40];
        snprintf(left, sizeof left, "--%s%s%s", o->name, o->argument ? " " : "", o->argument ? o->argument : "");
        printf("  %-22s %s\n", left, o->help);
    }
    printf("  %-22s %s\n", "--help", "this text");
}

int cmd_usage(const struct cmd *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "turnproof %s: ", c->name);
    vfprintf(stderr, fmt, ap);
    fprintf(stderr, "\nTry `turnproof %s --help`.\n", c->name);
    va_end(ap);
    return EXIT_USAGE;
}

static void help(FILE *out)
{
    fputs("Usage: turnproof COMMAND ...\n\n"
          "Simulates TURN over TCP (RFC 6062) between Skype for Business and Cisco Meeting Server, through\n"
          "Expressway-E and firewalls.\n\nCommands:\n", out);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\nOptions:\n  --help     this text; `turnproof COMMAND --help`: that of a command\n"
          "  --version  the version\n\n"
          "Exit status: 0 what was asked holds, 1 it does not, 2 input or usage is wrong.\n", out);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--help") == 0) {
        help(stdout);
        return EXIT_HOLDS;
    }
    if (strcmp(name, "--version") == 0) {
        puts("turnproof " VERSION);
        return EXIT_HOLDS;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i]->run(commands[i], argc - 1, argv + 1);
    if (name[0])
        fprintf(stderr, "turnproof: no such command: %s\n", name);
    help(stderr);
    return EXIT_USAGE;
}
