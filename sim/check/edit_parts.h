/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of edits: what one rule for one cell of packets says, and how a dialect says it. A dialect is a row: how it
 * writes prefixes, ports and rules, and where the rule has to stand. */
#ifndef TP_CHECK_EDIT_PARTS_H
#define TP_CHECK_EDIT_PARTS_H

#include "models/base/bytes.h"
#include "sim/check/edits.h"

enum { EDIT_TERMS_MAX = 32, EDIT_TERM_TEXT = 64, EDIT_RULE_TEXT = 1536 };

/* Alternatives for one field of a rule, each in the dialect's words. */
struct edit_field {
    char text[EDIT_TERMS_MAX + 1][EDIT_TERM_TEXT]; /* the last is for what there is no room for */
    size_t count;
    bool failed; /* there was */
};

struct edit_writing {
    struct check *c;
    const struct check_blocked *b;
    bool deny;
    const struct edit_text *text;
    struct arena *a;
    struct edits *out;
};

/* Where a rule goes. */
struct edit_place {
    unsigned line;         /* before this line; 0: behind the last that says something */
    unsigned objects_line; /* before this line go the objects that it names */
    bool behind;           /* behind the last member of a JSON list, so that a comma comes first */
    unsigned number_limit; /* the number of the rule must be lower; 0: it has none, or any */
};

/* What a rule says; one of each field at a time. */
struct edit_terms {
    struct edit_field src, sport, dst, dport;
    uint8_t proto, family;
    struct edit_place place;
    unsigned number; /* that no other rule of the file has */
};

typedef void edit_write_prefix(char *out, uint8_t family, fw_wide lo, unsigned len);
typedef void edit_write_ports(char *out, unsigned lo, unsigned hi);
typedef void edit_write_rule(const struct edit_writing *w, struct text *t, const struct edit_terms *r,
                             const size_t at[4]);

struct edit_dialect {
    const char *format, *any_v4, *any_v6; /* any_v6 NULL: rules for IPv6 are not written */
    edit_write_prefix *prefix;
    edit_write_ports *ports;
    edit_write_rule *rule;
    /* Where a rule for the packets has to stand; false: this reason is not one for a rule. */
    bool (*place)(const struct edit_writing *w, struct edit_place *out);
    /* Other reasons. NULL: none. */
    bool (*other)(const struct edit_writing *w);
    /* Adds the objects that the rule names before place.objects_line. NULL: none. */
    void (*objects)(const struct edit_writing *w, const struct edit_terms *r, const size_t at[4]);
    /* What stands before the number of a rule in the file, so that a free one is found; NULL: rules have none. */
    const char *number_key;
};

/* Of each dialect. */
extern const struct edit_dialect edit_asa, edit_ftd, edit_ios, edit_iptables, edit_nft, edit_pan, edit_fortigate,
    edit_security_group, edit_network_acl, edit_azure;

const struct fw_rules *edit_rules_of(const struct edit_writing *w);
const char *edit_proto(uint8_t proto); /* "tcp", "udp" */
/* The line of the text, from 1; "": it has fewer. */
const char *edit_line(const struct edit_text *t, unsigned line);
void edit_add(const struct edit_writing *w, unsigned line, const char *text);
/* "10.0.0.0/8", with the length always */
edit_write_prefix edit_prefix_slash;
edit_write_ports edit_ports_dash; /* "80", "80-90" */
/* "0-65535" */
bool edit_all_ports(const char *ports);

#endif
