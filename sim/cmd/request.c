/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/cmd/request.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static bool parse_size(const char *s, struct verify_options *v)
{
    static const char *const names[] = {[SIZE_SMALL] = "small", [SIZE_MEDIUM] = "medium", [SIZE_LARGE] = "large"};
    v->has_size = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], s) == 0) {
            v->size = (enum appliance_size)i;
            v->has_size = true;
        }
    return v->has_size;
}

/* "2026-11-21T02:00", as the clock of the firewalls shows it. */
static bool parse_time(const char *s, int64_t *out)
{
    struct tm tm = {0};
    const char *end = strptime(s, "%Y-%m-%dT%H:%M", &tm);
    if (!end || *end)
        return false;
    struct tm again = tm;
    *out = (int64_t)timegm(&again);
    return again.tm_mday == tm.tm_mday && again.tm_mon == tm.tm_mon;
}

static const char *repeat(const char *list[CMD_REPEATED], size_t *count)
{
    return cmd_repeat(list, count) ? NULL : "expected this option at most 256 times";
}

const char *request_option(struct request *q, int option)
{
    switch (option) {
    case REQUEST_TABLE:
        return repeat(q->tables, &q->verify.table_count);
    case REQUEST_SIZE:
        return parse_size(optarg, &q->verify) ? NULL : "--size: expected small, medium or large";
    case REQUEST_EXPRESSWAY:
        q->verify.has_release = release_parse(optarg, "X", &q->verify.release) == 0;
        return q->verify.has_release ? NULL : "--expressway: expected a release as X12.5.3";
    case REQUEST_RULES:
        return repeat(q->rules, &q->topo.rules_count);
    case REQUEST_SET:
        return repeat(q->set, &q->topo.set_count);
    default:
        q->topo.has_clock = parse_time(optarg, &q->topo.clock_s);
        return q->topo.has_clock ? NULL : "--at: expected a time as 2026-11-21T02:00";
    }
}

bool request_end(const struct cmd *c, struct request *q, int argc, char **argv)
{
    q->topo.set = q->set;
    q->topo.rules = q->rules;
    q->verify.tables = q->tables;
    q->topology = cmd_one_topology(c, argc, argv);
    return q->topology != NULL;
}

bool request_run(const struct request *q, struct request_answer *out)
{
    struct diag d;
    *out = (struct request_answer){.topology = cmd_read_topology(q->topology, &q->topo)};
    if (!out->topology)
        return false;
    if (verify_run(&out->verify, out->topology, &q->verify, &d) == 0)
        return true;
    fprintf(stderr, "%s\n", d.text);
    topology_free(out->topology);
    return false;
}

void request_free(struct request_answer *a)
{
    verify_free(&a->verify);
    topology_free(a->topology);
}
