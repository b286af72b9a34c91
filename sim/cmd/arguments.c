/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/cmd/arguments.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool cmd_repeat(const char *list[CMD_REPEATED], size_t *count)
{
    if (*count == CMD_REPEATED)
        return false;
    list[(*count)++] = optarg;
    return true;
}

const char *cmd_one_topology(const struct cmd *c, int argc, char **argv)
{
    if (argc - optind == 1)
        return argv[optind];
    cmd_usage(c, "expected one TOPOLOGY, found %d", argc - optind);
    return NULL;
}

struct topology *cmd_read_topology(const char *path, const struct topo_options *changes)
{
    struct topology *t;
    struct diag d;
    if (topology_read(path, changes, &t, &d) == 0)
        return t;
    fprintf(stderr, "%s\n", d.text);
    return NULL;
}

bool cmd_number(const char *s, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(s, &end, 10);
    return s[0] >= '0' && s[0] <= '9' && !*end && errno == 0;
}

const struct net_ops *cmd_engine(const char *name)
{
    const char *why = "";
    const struct net_ops *ops = strcmp(name, "ns3") == 0 ? net_ns3_load(&why) : &net_native;
    if (!ops)
        fprintf(stderr, "turnproof: engine %s is not installed: %s\n", name, why);
    return ops;
}

bool cmd_in_colour(void)
{
    return isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
}

void cmd_output(struct sink *s)
{
    sink_open(s, NULL, false); /* without a file it cannot fail */
    s->fd = dup(STDOUT_FILENO); /* which the sink closes */
}

bool cmd_output_end(struct sink *s)
{
    int error = sink_close(s, NULL);
    if (error)
        fprintf(stderr, "turnproof: standard output: %s\n", strerror(error));
    return !error;
}

bool cmd_make_directory(const char *path)
{
    char copy[PATH_MAX];
    if (strlen(path) >= sizeof copy)
        return errno = ENAMETOOLONG, false;
    snprintf(copy, sizeof copy, "%s", path);
    for (char *p = copy + 1; *p; p++)
        if (*p == '/') {
            *p = '\0';
            if (mkdir(copy, 0777) != 0 && errno != EEXIST)
                return false;
            *p = '/';
        }
    return mkdir(copy, 0777) == 0 || errno == EEXIST;
}
