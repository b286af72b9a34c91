/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a check found, in words and numbers, before anybody chose a format: an answer for each row x protocol, a hop for
 * each firewall on its way, findings about rule sets, changes that repair them. All strings live in one arena; nothing
 * here refers to a topology or to rules, so that the writers (output.h) can be tested with answers made by hand. */
#ifndef TP_CHECK_ANSWER_H
#define TP_CHECK_ANSWER_H

#include <stdbool.h>

#include "models/base/arena.h"
#include "models/firewall/firewall.h"
#include "sim/scenario/fields.h"

/* In the order of badness. */
enum check_verdict {
    CHECK_PASS,
    CHECK_DEGRADED, /* an optional row is blocked: something works less well */
    CHECK_UNKNOWN,  /* lines that are not understood could decide: not a pass */
    CHECK_BLOCKED,
    CHECK_EXPOSED,  /* a row of what must not pass: it passes */
    CHECK_VERDICTS
};

/* A set of packets: lists of ranges as people write them ("any", "10.0.10.2", "24000-27999, 29000"). */
struct check_box {
    const char *src, *dst, *proto, *sport, *dport;
    bool all_src, all_dst, all_sport; /* all that the row speaks of */
};

struct check_boxes {
    LIST_OF(struct check_box) box;
    size_t more; /* boxes that are not listed */
};

/* A line of a rule file that decides. */
struct check_line {
    const char *file; /* NULL: no line, `says` tells what decided */
    unsigned line;
    const char *text, *says; /* "denied by outside_in line 41" */
};

/* One firewall that the packets meet, or their answers. */
struct check_hop {
    const char *node;
    const char *direction; /* "outside -> dmz-ext", "dmz-ext -> outside (answers)" */
    enum check_verdict verdict;
    struct check_boxes permitted, blocked, unknown; /* as they arrive at the firewall */
    LIST_OF(struct check_line) by; /* what decides of the blocked and the unknown; of a pass what permits */
    const char *reason;     /* NULL, or words ("hairpin", "no NAT ...") */
    const char *suggestion; /* NULL: none */
};

struct check_answer {
    const char *table, *row, *purpose, *protocol; /* "tcp" */
    const char *from, *to; /* "any", "expressway-e (public)" */
    const char *need;      /* "must", "optional", "never" */
    enum check_verdict verdict;
    LIST_OF(struct check_hop) hops;
    const char *why;       /* NULL; what is wrong that no firewall decides: no route, nobody there, ... */
    const char *excused;   /* NULL; why the row stands although it is not open: another of its group is */
};

/* A row that was not asked about, and why. */
struct check_skipped {
    const char *table, *row, *purpose, *why;
};

enum check_level { LEVEL_NOTE, LEVEL_WARNING, LEVEL_ERROR };

struct check_finding {
    const char *id; /* "never-reached", "idle-timer", ...: a row of check_finding_kinds */
    enum check_level level;
    const char *node, *file; /* NULL: none */
    unsigned line;
    const char *text;   /* of the line; NULL: none */
    const char *what;   /* a sentence */
    const char *change; /* what to do; NULL: nothing */
    LIST_OF(struct check_line) lines; /* others that belong to it: the covering lines, ... */
    LIST_OF(const char *) rows;       /* of the tables that suffer from it */
    struct check_boxes packets;       /* that it is about, as the rules see them */
    /* The change as an edit, where it is one: lines before fix_line of the file, or in its place. */
    const char *fix; /* NULL: to remove it */
    unsigned fix_line; /* 0: no edit */
    bool fix_removes;
};

struct check_finding_kind {
    const char *id, *title;
};
extern const struct check_finding_kind check_finding_kinds[]; /* ends with id NULL */

/* Lines for a rule file. */
struct check_change {
    const char *node, *file;
    unsigned line;    /* they go before this line; 0: at the end */
    const char *text; /* one or more lines, in the file's dialect */
    const char *remove; /* the text that they stand in place of; NULL: nothing */
};

struct check_repair {
    const char *node;
    LIST_OF(struct check_change) changes;
    bool proved;      /* read again with them, every row passes here that did not */
    const char *note; /* what they do not repair; NULL */
};

/* A rule set: its lines, each of one kind. */
struct check_file {
    const char *node, *file; /* file: where its rules stand */
    struct fw_lines lines;
    LIST_OF(struct check_line) unsupported; /* says: why */
    LIST_OF(struct check_line) notes;       /* taken, but people err about them; says: what to know */
};

struct check_report {
    struct arena arena;
    const char *topology, *title, *expressway, *size;
    LIST_OF(const char *) tables;
    LIST_OF(struct check_answer) answers;
    LIST_OF(struct check_skipped) skipped;
    LIST_OF(struct check_finding) findings;
    LIST_OF(struct check_repair) repairs;
    LIST_OF(struct check_file) files;
    /* --simulate: what the simulated firewalls and the exact answers disagree about; each with a reproducer. */
    LIST_OF(const char *) disagreements;
    size_t simulated; /* packets; 0: not asked for */
    const char *call; /* the verdict of the simulated call; NULL: not run */
};

/* Room for one more element of a list whose elements have `size` bytes; zeroed, in the arena. */
void *check_more(struct arena *a, void *list, size_t size);
#define CHECK_ADD(arena, list) ((__typeof__((list)->items))check_more(arena, list, sizeof *(list)->items))

const char *check_verdict_word(enum check_verdict v); /* "pass", "blocked", ... */
const char *check_level_word(enum check_level l);     /* SARIF's: "note", "warning", "error" */

struct check_count {
    size_t verdict[CHECK_VERDICTS], level[LEVEL_ERROR + 1];
};
struct check_count check_counts(const struct check_report *r);
/* What was asked holds: no answer is worse than degraded, no finding is an error, nothing disagrees. */
bool check_holds(const struct check_report *r);

#endif
