/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/check/answer.h"

#include <string.h>

const struct check_finding_kind check_finding_kinds[] = {
    {"row-blocked", "A port-table row is blocked"},
    {"row-unknown", "Whether a port-table row passes depends on lines that are not understood"},
    {"row-degraded", "An optional port-table row is blocked"},
    {"row-exposed", "Something is reachable that must not be"},
    {"never-reached", "A rule that no packet reaches"},
    {"too-wide", "A rule permits more than any row needs"},
    {"idle-timer", "An idle timer is shorter than the protocol's silence"},
    {"inspection", "An application inspection rewrites or breaks the call's packets"},
    {"mapped-address", "A rule is written on a translated address"},
    {"listener-clash", "Two services listen on the same port"},
    {"private-address", "A private address is announced to the outside"},
    {"pool-too-small", "A translation pool has too few ports"},
    {"wrong-gateway", "A host with two interfaces answers by the wrong one"},
    {"disagreement", "The simulation and the exact answers disagree: a bug of turnproof"},
    {"unsupported-line", "A line of a rule file is not understood"},
    {.id = NULL},
};

void *check_more(struct arena *a, void *list, size_t size)
{
    struct field_list *l = list;
    if ((l->count & (l->count - 1)) == 0) { /* full: capacities are powers of two */
        void *items = arena_alloc(a, (l->count ? 2 * l->count : 1) * size);
        if (l->count)
            memcpy(items, l->items, l->count * size);
        l->items = items;
    }
    return (char *)l->items + l->count++ * size;
}

const char *check_verdict_word(enum check_verdict v)
{
    static const char *const words[CHECK_VERDICTS] = {"pass", "degraded", "unknown", "blocked", "exposed"};
    return words[v];
}

const char *check_level_word(enum check_level l)
{
    static const char *const words[] = {"note", "warning", "error"};
    return words[l];
}

struct check_count check_counts(const struct check_report *r)
{
    struct check_count n = {0};
    for (size_t i = 0; i < r->answers.count; i++)
        n.verdict[r->answers.items[i].verdict]++;
    for (size_t i = 0; i < r->findings.count; i++)
        n.level[r->findings.items[i].level]++;
    return n;
}

bool check_holds(const struct check_report *r)
{
    struct check_count n = check_counts(r);
    return n.verdict[CHECK_UNKNOWN] + n.verdict[CHECK_BLOCKED] + n.verdict[CHECK_EXPOSED] == 0 &&
           n.level[LEVEL_ERROR] == 0 && r->disagreements.count == 0;
}
