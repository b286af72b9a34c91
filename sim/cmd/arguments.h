/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands that take a topology read and write alike. Each of them says on stderr what is wrong. */
#ifndef TP_CMD_ARGUMENTS_H
#define TP_CMD_ARGUMENTS_H

#include "sim/cmd/cmd.h"
#include "sim/scenario/sink.h"
#include "sim/scenario/topology.h"

enum { CMD_REPEATED = 256 };

/* One more of an option that may be given again, from optarg. False: there are CMD_REPEATED; nothing is said. */
bool cmd_repeat(const char *list[CMD_REPEATED], size_t *count);
/* The one operand behind the options; NULL: there are more or none. */
const char *cmd_one_topology(const struct cmd *c, int argc, char **argv);
/* The topology, changed; NULL: it cannot be had. The caller frees it. */
struct topology *cmd_read_topology(const char *path, const struct topo_options *changes);

/* A whole number of at most 64 bits. */
bool cmd_number(const char *s, uint64_t *out);
/* The engine `native` or `ns3`; NULL: it is not installed. */
const struct net_ops *cmd_engine(const char *name);

bool cmd_make_directory(const char *path); /* and those above it; false: errno says why */
bool cmd_in_colour(void); /* what goes to standard output: to a terminal, and NO_COLOR is not set */
void cmd_output(struct sink *s); /* standard output, until cmd_output_end */
bool cmd_output_end(struct sink *s); /* false: not all of it could be written */

#endif
