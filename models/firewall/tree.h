/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A configuration as a tree of words: a statement is a path from the root, `rulebase security rules R from trust`.
 * Formats that are such trees (pan.c, fortigate.c) fill it, mark what they understand, and the lines are counted from
 * the marks: a mark holds for what is below it, a deeper mark counts for what is below that. */
#ifndef TP_FIREWALL_TREE_H
#define TP_FIREWALL_TREE_H

#include "models/base/arena.h"
#include "models/firewall/parts.h"

enum { FW_TREE_NODES_MAX = 2000000, FW_TREE_WORD_MAX = 4096 };

struct fw_node {
    const char *word;
    unsigned id, line, column;
    struct fw_node *parent, *first, *last, *next;
    struct fw_node *chain; /* of its bucket */
    bool marked, busy;     /* busy: being expanded; met again, it is a loop */
    uint8_t class, below;  /* enum fw_line_class; below: of what it leads to */
    const char *why;
};

/* A line says something that ends at the node, or opens the block of it. */
struct fw_mention {
    struct fw_node *node;
    unsigned line;
    bool block;
};

struct fw_tree {
    const struct fw_source *src;
    struct fw_rules *rules;
    struct fw_diag *diag;
    struct fw_ledger ledger;
    struct arena arena;
    struct fw_node root, **bucket;
    unsigned count;
    struct fw_mention *mention;
    size_t mentions, mention_cap;
};

/* E_RANGE, E_NOMEM (diag filled in). */
int fw_tree_open(struct fw_tree *t, const struct fw_source *src, struct fw_diag *diag);
/* Counts the lines and gives the rules away, or frees them on an error; returns err. */
int fw_tree_close(struct fw_tree *t, int err, struct fw_rules **out);

/* The child of that word; NULL: none. */
struct fw_node *fw_tree_child(const struct fw_tree *t, const struct fw_node *parent, const char *word);
/* Down several children, "network interface ethernet"; NULL: one is missing. */
struct fw_node *fw_tree_find(const struct fw_tree *t, const struct fw_node *from, const char *path);
/* The child of that word, made when new. E_RANGE: too many (diag filled in). */
int fw_tree_add(struct fw_tree *t, struct fw_node *parent, const char *word, unsigned line, unsigned column,
                struct fw_node **out);
int fw_tree_mention(struct fw_tree *t, struct fw_node *node, unsigned line, bool block); /* E_NOMEM */

void fw_tree_used(struct fw_node *node);
void fw_tree_quiet(struct fw_node *node);
void fw_tree_unsupported(struct fw_node *node, const char *why); /* why is borrowed until the lines are counted */

/* Fills in diag at the node. Returns err. */
int fw_tree_fail(struct fw_tree *t, const struct fw_node *at, int err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
int fw_tree_fail_at(struct fw_tree *t, unsigned line, unsigned column, int err, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* Words for a reason, kept as long as the tree. */
const char *fw_tree_words(struct fw_tree *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The next word of a text: letters up to a blank or one of `breaks`, or what stands between quotes. */
struct fw_scan {
    const char *text;
    size_t len, at, bol; /* bol: where the line begins */
    unsigned line, column; /* of the last word */
    bool quoted;
    char word[FW_TREE_WORD_MAX];
};
enum fw_token { FW_END, FW_EOL, FW_WORD, FW_BREAK /* word[0] is one of `breaks` */ };
/* A token or E_MALFORMED, E_RANGE, E_TRUNCATED (diag of t filled in). Skips comments, from # to the line's end. */
int fw_scan_next(struct fw_tree *t, struct fw_scan *s, const char *breaks);

/* One side of a rule: what it takes for certain, and whether it may take more. */
struct fw_end {
    struct fw_addrs set;
    bool any;          /* every address */
    const char *vague; /* it may also take addresses that are not known, because; NULL: it does not */
};
struct fw_kinds {
    struct fw_services set;
    bool any;
    const char *vague;
    const char *doubt; /* whether a packet of the set is meant is not known, because; NULL: it is */
};
/* The rule for what is certain, then an UNKNOWN one for what may be. spec gives list, action, when, line and text;
 * when->unknown: nothing is certain. A side that is empty takes nothing. E_NOMEM. */
int fw_tree_rule(struct fw_tree *t, const struct fw_rule_spec *spec, const struct fw_end *src,
                 const struct fw_end *dst, const struct fw_kinds *kinds);

#endif
