/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What check and diff are asked alike: a topology, changes to it, tables, size, release, time. */
#ifndef TP_CMD_REQUEST_H
#define TP_CMD_REQUEST_H

#include "sim/check/verify.h"
#include "sim/cmd/arguments.h"

/* Values of options; a command's own begin at REQUEST_OWN. */
enum { REQUEST_TABLE = 256, REQUEST_SIZE, REQUEST_EXPRESSWAY, REQUEST_RULES, REQUEST_SET, REQUEST_AT, REQUEST_OWN };

/* Rows of a command's table of options. */
#define REQUEST_OPTIONS \
    {"table", "ID", "a port table, or a file of one, instead of the topology's; again for each", REQUEST_TABLE}, \
    {"size", "SIZE", "of Expressway: small, medium or large, instead of the topology's", REQUEST_SIZE}, \
    {"expressway", "RELEASE", "of Expressway, as X12.5.3, instead of the topology's", REQUEST_EXPRESSWAY}, \
    {"rules", "NODE=FILE", "rule set of a firewall, instead of the topology's; again for each", REQUEST_RULES}, \
    {"set", "PATH=JSON", "a value instead of the topology's, as check.turn_port=443", REQUEST_SET}, \
    {"at", "TIME", "the moment that time ranges are asked about, as 2026-11-21T02:00", REQUEST_AT}

struct request {
    struct verify_options verify;
    struct topo_options topo;
    const char *topology, *set[CMD_REPEATED], *rules[CMD_REPEATED], *tables[CMD_REPEATED];
};

/* One of the options above, its argument in optarg; NULL, or what was expected instead. */
const char *request_option(struct request *q, int option);
/* The operand behind the options, and the lists into place. False: said what is wrong. */
bool request_end(const struct cmd *c, struct request *q, int argc, char **argv);

/* The topology, and what the tables say of it. */
struct request_answer {
    struct topology *topology;
    struct verify verify;
};

/* False: said what is wrong, and there is nothing to free. */
bool request_run(const struct request *q, struct request_answer *out);
void request_free(struct request_answer *a);

#endif
