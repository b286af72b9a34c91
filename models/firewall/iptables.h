/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the iptables-save importer. A file is read three times: to tell the families of its tables; for names
 * of chains, interfaces and sets; and for rules. Options of matches and targets are rows of tables. */
#ifndef TP_FIREWALL_IPTABLES_H
#define TP_FIREWALL_IPTABLES_H

#include "models/firewall/netfilter.h"

enum { IPT_LINE_MAX = 65536, IPT_WORDS_MAX = 4096, IPT_SECTIONS_MAX = 64, IPT_MODULES_MAX = 32 };

enum ipt_pass { IPT_FAMILIES, IPT_NAMES, IPT_RULES, IPT_PASSES };

struct ipt_word {
    char *text;
    unsigned column;
};

struct ipt;
struct ipset;

/* An option of a match or a target. */
struct ipt_option {
    const char *name;
    unsigned args;
    int (*run)(struct ipt *t, bool negated); /* NULL: it changes nothing */
    const char *why;                         /* not NULL: it cannot be evaluated */
};

struct ipt_module {
    const char *name;
    const struct ipt_option *option; /* NULL: none that is understood */
    const char *why;                 /* not NULL: the match cannot be evaluated */
};

struct ipt_table {
    const char *name;
    int priority[FW_HOOK_COUNT]; /* INT_MIN: no chain there */
    bool nat;
};

struct ipt_section {
    const struct ipt_table *table;
    uint8_t family;
    unsigned line;
};

/* What the target of the rule being read says. */
struct ipt_goal {
    const struct ipt_target *target; /* NULL: none, or a chain */
    struct nf_chain *chain;
    bool go, notrack;
    struct fw_nat_to nat;
    struct fw_addr to;
    const char *helper;
    unsigned word; /* where it stands */
};

struct ipt {
    struct nf nf;
    enum ipt_pass pass;
    unsigned line;
    const char *raw; /* the line in the source: not ended */
    size_t raw_len;
    char text[IPT_LINE_MAX], words_of[IPT_LINE_MAX];
    char key[IPT_LINE_MAX + 32]; /* of a chain */
    struct ipt_word word[IPT_WORDS_MAX];
    size_t words, at;
    struct ipt_section section[IPT_SECTIONS_MAX];
    size_t sections, now; /* now: 1 + the index of the section being read; 0: none */
    uint8_t header;       /* the family that the last comment told */
    bool marks_tested;
    struct ipset *sets;
    /* the rule being read */
    struct nf_rule rule;
    const struct ipt_module *module[IPT_MODULES_MAX];
    size_t modules;
    uint8_t proto; /* of -p; 0: none, or all */
    bool no_way_back; /* -m rpfilter --invert alone */
    const char *arg[2];
    struct ipt_goal goal;
};

/* Fills in diag at the word with that index; returns err. */
int ipt_fail(struct ipt *t, size_t word, int err, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* E_MALFORMED at the option's last argument: "expected WHAT, found ..." */
int ipt_expected(struct ipt *t, const char *what);

/* ---- matches (iptables_match.c) ---- */

const struct ipt_module *ipt_module(const char *name); /* NULL: none of that name */
const struct ipt_option *ipt_option(const struct ipt_option *table, const char *name);
extern const struct ipt_option ipt_basic[]; /* -s, -d, -p, -i, -o, -f */
int ipt_addresses(struct ipt *t, const char *word, const struct nf_addrs **out);

/* ---- targets (iptables_target.c) ---- */

enum ipt_does { IPT_ACCEPTS, IPT_DROPS, IPT_REJECTS, IPT_RETURNS, IPT_CONTINUES, IPT_MARKS, IPT_FILLS_SET, IPT_TRACKS,
                IPT_TRANSLATES, IPT_NETMAPS, IPT_UNTOLD };

struct ipt_target {
    const char *name;
    enum ipt_does does;
    const struct ipt_option *option; /* NULL: any are passed over */
    const char *why;                 /* UNTOLD, FILLS_SET, MARKS */
};
const struct ipt_target *ipt_target(const char *name); /* NULL: not known */
/* The rule that was read goes into the model, and its line is counted. */
int ipt_finish(struct ipt *t);

/* ---- sets of `ipset save` (ipset.c) ---- */

int ipset_create(struct ipt *t); /* the words of the line */
int ipset_add(struct ipt *t);
void ipset_touch(struct ipt *t, const char *name); /* a rule adds to it or takes from it */
/* The rule's packets are those in (not in) the set, looked up by "src,dst". */
int ipset_match(struct ipt *t, const char *name, const char *fields, bool negated);

#endif
