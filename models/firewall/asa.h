/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the importers of Cisco's dialects: ASA, FTD (the same language) and IOS. A file is read three times:
 * names, interfaces and objects; then rules; then what binds them, so that nothing depends on the order of the blocks.
 * Each kind of line belongs to one pass.
 *
 * A line that is not understood does not end the reading. It is counted as unsupported, and what it could decide is
 * made unknown: a rule may or may not match, an object has other addresses too, or a taint says which packets. What
 * ends it is said with asa_refuse: a version of another meaning, a limit, groups that contain themselves. */
#ifndef TP_FIREWALL_ASA_H
#define TP_FIREWALL_ASA_H

#include "models/firewall/import.h"
#include "models/firewall/rules.h"

enum {
    ASA_LINE_MAX = 4096,
    ASA_WORDS_MAX = 512,
    ASA_ITEMS_MAX = 65536,
    ASA_DEPTH_MAX = 64,
    ASA_EXPANDED_MAX = 4000000,
    ASA_LINES_MAX = 4000000,
    ASA_UNSUPPORTED_MAX = 20000,       /* a file with more lines that are not understood is none of these */
    ASA_RECOGNISE_MAX = 4 * 1024 * 1024 /* bytes from the start that tell the format */
};

enum asa_pass { ASA_OBJECTS, ASA_RULES, ASA_BINDINGS, ASA_PASSES };

enum asa_kind { ASA_ALIAS, ASA_NETWORK, ASA_SERVICE, ASA_NETWORK_GROUP, ASA_SERVICE_GROUP, ASA_PORT_GROUP,
                ASA_PROTOCOL_GROUP, ASA_ICMP_GROUP, ASA_TIME_RANGE,
                ASA_OPAQUE /* users, names: members not known here */ };

enum asa_item_kind { ASA_ADDR, ASA_SERVE, ASA_MEMBER /* another object or group */,
                     ASA_UNKNOWN /* members not known */ };

enum { ASA_FAMILY_4 = 1, ASA_FAMILY_6 = 2, ASA_FAMILIES = 3 };

struct asa_item {
    enum asa_item_kind kind;
    unsigned line;
    struct fw_addr addr;
    struct fw_service service; /* of a port group: the ports are in dport; of an icmp-type group: in sport, dport */
    const char *name;          /* MEMBER; UNKNOWN: why */
    const char *text;          /* MEMBER: the line */
    unsigned families;         /* UNKNOWN: of the addresses */
    struct asa_item *next;
};

/* A name that the file defines. Aliases (`name`) have a space of their own. */
struct asa_symbol {
    const char *name;
    enum asa_kind kind;
    unsigned protos; /* PORT_GROUP: ASA_TCP, ASA_UDP */
    struct asa_item *first, **last;
    struct asa_period *period; /* TIME_RANGE */
    bool busy;       /* being expanded: met again, it is a loop */
    struct asa_symbol *next;
};

/* A line of a time-range, in local time. */
struct asa_period {
    bool absolute;
    int64_t from_s, to_s;  /* absolute; otherwise of a week that begins on Sunday */
    struct asa_period *next;
};

enum { ASA_TCP = 1, ASA_UDP = 2 };

/* Which packets a class-map is about, and a service-policy. */
enum asa_class_kind { ASA_CLASS_ANY, ASA_CLASS_DEFAULT /* the standard ports of inspections */, ASA_CLASS_LIST,
                      ASA_CLASS_SERVICE, ASA_CLASS_OTHER };
struct asa_class {
    const char *name, *list;
    enum asa_class_kind kind;
    struct fw_service service;
    struct asa_class *next;
};
struct asa_applied {
    const char *policy;
    int iface; /* FW_ANY_IFACE: global */
    struct asa_applied *next;
};

/* Growing arrays. why: there are others too, which are not known here. */
struct asa_addrs {
    struct fw_addr *v;
    size_t count, cap;
    unsigned unknown; /* of these families; 0: none */
    const char *why;
};

struct asa_services {
    struct fw_service *v;
    size_t count, cap;
    const char *why;
};

struct asa_word {
    char *text;
    unsigned column;
};

struct asa_command;
struct asa;
/* What a line that is not understood may do to packets: called in each pass, acts in one. 0, E_NOMEM. */
typedef int asa_doubt(struct asa *a, const char *why);

/* A language of the family. */
struct asa_dialect {
    const struct asa_command *top, *quiet;
    bool (*port)(const char *word, unsigned protos, uint16_t *port);
    bool banner_ends;  /* a banner goes on until its delimiter comes again */
    int (*pass_end)(struct asa *a); /* a->pass is over; a->line is that of the last line */
};

struct asa {
    struct fw_rules *rules;
    struct fw_diag *diag;
    const struct fw_source *src_file;
    const struct asa_dialect *dialect;
    enum asa_pass pass;
    unsigned line;
    bool indented, saved, ended;
    bool quiet;          /* set by a handler: this line has no effect on packets */
    const char *unsure;  /* set by a handler: taken, but not all of it can be evaluated, and why */
    asa_doubt *doubt;    /* set by a handler, in case it fails */
    asa_doubt *below;    /* set by the opener of a block: of lines that may not stand in it */
    bool fatal;          /* the error ends the reading */
    bool lost;           /* below a line that is not understood */
    unsigned version;    /* 902: 9.2; 0: not said */
    char raw[ASA_LINE_MAX], words_of[ASA_LINE_MAX];
    struct asa_word word[ASA_WORDS_MAX];
    size_t words, at;
    const struct asa_command *sub; /* what may stand below the last top line; NULL: nothing */
    unsigned certificate;  /* the line that a certificate began on; 0: not in one */
    struct asa_symbol *bucket[1024], *symbol; /* symbol: of the block being read */
    const char *policy;    /* of the block being read */
    struct asa_class *class_of, *classes; /* of the block being read; all */
    struct asa_applied *applied;
    struct asa_ace {       /* the rule being read */
        const char *list, *maybe; /* maybe: a condition that cannot be evaluated; NULL: none */
        const char *time_range;   /* that makes it inactive; NULL: none */
        bool has_action, permit, inactive, six;
        struct fw_conditions when;
    } ace;
    struct asa_nat {       /* the NAT rule being read */
        struct fw_nat_spec spec;
        bool real_known, mapped_known;
    } nat;
    struct asa_bound {     /* lists of one family each, by interface (the last: global) and direction */
        const char *list[2]; /* IPv4, IPv6 */
        unsigned line;
        const char *text;
    } bound[FW_IFACE_MAX + 1][2];
    struct asa_name_list {
        const char *name;
        struct asa_name_list *next;
    } *lists6;             /* IPv6 access-lists */
    struct asa_sequences { /* IOS: the numbers of a list's rules */
        const char *list;
        long *v;
        size_t count, cap;
        struct asa_sequences *next;
    } *sequences;
    uint64_t nat_inside, nat_outside; /* IOS: interfaces */
    struct asa_pool {                 /* IOS: ip nat pool */
        const char *name;
        struct fw_addr addr;
        struct asa_pool *next;
    } *pools;
    long zone_s;           /* local time minus UTC */
    bool summer_time;
    struct {               /* the banner being read */
        unsigned line;     /* that it began on; 0: not in one */
        char delimiter[3];
    } banner;
    struct {               /* the interface block being read */
        bool open, has_level;
        const char *name;
        int level;
        struct ip_prefix address[16];
        size_t address_count;
        bool shutdown;
        unsigned line;
        const char *text;
        const char *block, *again; /* IOS: the line that opens it; its name, which may have been there before */
        struct asa_strange { /* lines below it that are not understood */
            unsigned line;
            const char *text, *why;
            struct asa_strange *next;
        } *strange;
    } iface;
    unsigned steps;    /* of the expansion under way: empty groups nested by twos would go on for ever */
    size_t expanded;   /* services of all rules so far */
    struct asa_addrs src, dst, dst_to;
    struct asa_services base, service;
};

/* A line by its first words. */
struct asa_command {
    const char *words;
    enum asa_pass pass;
    int (*run)(struct asa *a);        /* behind the words; NULL: no effect on packets */
    const struct asa_command *sub;
};
extern const struct asa_command asa_anything[]; /* below a line without effect */
int asa_read(const struct asa_dialect *dialect, const struct fw_source *src, struct fw_rules **out,
             struct fw_diag *diag); /* as fw_importer */
extern const struct asa_command asa_quiet[];    /* asa_quiet.c: the lines without effect */

/* Whether a line of the text does. */
bool asa_any_line(const char *text, size_t len, bool (*tells)(const char *line, size_t len));

/* ---- lexer (asa_lex.c) ---- */

/* Cuts raw into words. E_RANGE: too many. */
int asa_split(struct asa *a);
const char *asa_peek(const struct asa *a); /* "" at the end */
const char *asa_next(struct asa *a);
bool asa_take(struct asa *a, const char *word);
bool asa_more(const struct asa *a);
/* Fills in diag: the position of the word that asa_peek gives, what was expected; returns err. The line is unsupported,
 * or, with asa_refuse, the file cannot be read. */
int asa_fail(struct asa *a, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int asa_refuse(struct asa *a, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int asa_no_memory(struct asa *a);
int asa_expected(struct asa *a, const char *what); /* E_MALFORMED: "expected WHAT, found WORD" */
int asa_end(struct asa *a);                        /* nothing more on the line */
/* A decimal number from lo to hi. */
int asa_number(struct asa *a, long lo, long hi, const char *what, long *out);
bool asa_is_number(const char *s);

/* ---- names (asa_names.c) ---- */

/* "tcp", "41"; *any: "ip". false: not a protocol. */
bool asa_protocol(const char *word, uint8_t *proto, bool *any);
/* `object icmp-echo`, `object ospf`: objects that an ASA has built in. */
bool asa_built_in(const char *name, struct fw_service *s);
bool asa_icmp_type(const char *word, bool six, uint16_t *type);
bool asa_port(const char *word, unsigned protos, uint16_t *port);
/* What sources say otherwise of a port's name ("kerberos is 88 in some tables"); NULL: nothing. */
const char *asa_port_note(const char *word);

/* ---- objects (asa_objects.c) ---- */

struct asa_symbol *asa_find(const struct asa *a, bool alias, const char *name);
/* The symbol, made when new; *out NULL: E_EXISTS as another kind, E_NOMEM (diag filled in). */
int asa_define(struct asa *a, const char *name, enum asa_kind kind, struct asa_symbol **out);
int asa_ip(struct asa *a, struct ip_addr *out); /* or an alias */
/* `A MASK`, `A::/len`, the A read by the caller's peek. */
int asa_ip_mask(struct asa *a, struct fw_addr *out);
int asa_address_text(struct asa *a, struct fw_addr *out); /* `host A`, `A MASK`, `A::/len` */
int asa_add_item(struct asa *a, const struct asa_item *item); /* to a->symbol */
int asa_expand_addrs(struct asa *a, const char *name, struct asa_addrs *out);
int asa_expand_services(struct asa *a, struct asa_symbol *s, struct asa_services *out);
int asa_push_addr(struct asa *a, struct asa_addrs *v, const struct fw_addr *x);
int asa_push_service(struct asa *a, struct asa_services *v, const struct fw_service *x);
/* `eq P`, `range A B`, ...: one or two ranges. */
struct asa_ports {
    uint16_t lo[2], hi[2];
    size_t count;
};
bool asa_at_ports(const struct asa *a); /* a port operator comes next */
int asa_ports(struct asa *a, unsigned protos, struct asa_ports *out);
int asa_object_network(struct asa *a);
int asa_object_service(struct asa *a);
int asa_group_network(struct asa *a);
int asa_group_service(struct asa *a);
int asa_group_protocol(struct asa *a);
int asa_group_icmp(struct asa *a);
int asa_group_opaque(struct asa *a);
int asa_name(struct asa *a);
int asa_time_range(struct asa *a);
int asa_check_members(struct asa *a); /* every group's members are there */
extern const struct asa_command asa_in_network[], asa_in_service[], asa_in_network_group[], asa_in_service_group[],
    asa_in_protocol_group[], asa_in_icmp_group[];

/* ---- doubts (asa_read.c; asa_objects.c) ---- */

int asa_taint(struct asa *a, const char *why, struct fw_taint_spec spec); /* line and text of a->line */
int asa_no_doubt(struct asa *a, const char *why);                         /* no first packet is decided by it */
int asa_taint_anywhere(struct asa *a, const char *why);                   /* all packets */
int asa_taint_all(struct asa *a, const char *why);                        /* all packets, in pass OBJECTS */
int asa_unknown_member(struct asa *a, const char *why);                   /* of a->symbol, in pass OBJECTS */

/* ---- time (asa_time.c) ---- */

int asa_rule_time_range(struct asa *a); /* behind `time-range`: what it makes of the rule of a->ace */
int asa_clock_timezone(struct asa *a);
int asa_clock_summer_time(struct asa *a);
extern const struct asa_command asa_in_time_range[];

/* ---- the rest ---- */

int asa_access_list(struct asa *a);  /* asa_acl.c */
int asa_access_list6(struct asa *a);
/* The rule of a->ace with a->base, a->src and a->dst: what is known of it, and what may be. */
int asa_emit(struct asa *a);
/* With the conditions of a->ace and the line. maybe: one that cannot be evaluated; NULL: none. */
int asa_add_rule(struct asa *a, const struct fw_rule_spec *spec, const char *maybe);
asa_doubt asa_any_rule; /* the line is a rule that cannot be read: it may match any packet of the list */
int asa_access_group(struct asa *a);  /* asa_bind.c */
/* Lists that are about one family each: noted where they are bound, bound when all are known. What a list of one
 * family alone leaves of the other: it passes, or is in doubt. */
int asa_bind_later(struct asa *a, const char *list, bool six, int iface, enum fw_direction dir);
int asa_bind_families(struct asa *a, bool other_passes);
int asa_object_nat(struct asa *a);   /* asa_nat.c */
int asa_twice_nat(struct asa *a);
int asa_interface(struct asa *a);    /* asa_system.c */
int asa_iface_address(struct asa *a, const struct ip_prefix *p); /* of the block; `standby A` may follow */
int asa_interface_end(struct asa *a);
int asa_version(struct asa *a);
int asa_route(struct asa *a);
int asa_route6(struct asa *a);
int asa_same_security(struct asa *a);
int asa_timeout(struct asa *a);
int asa_verify_reverse(struct asa *a);
int asa_established(struct asa *a);
int asa_filter(struct asa *a);
int asa_filter_url(struct asa *a);
int asa_shun(struct asa *a);
int asa_class_map(struct asa *a);    /* asa_policy.c */
int asa_policy_map(struct asa *a);
int asa_service_policy(struct asa *a);
/* The packets that a list permits, and back: their answers. Those that it denies before are not taken off. */
int asa_taint_list(struct asa *a, const char *why, const char *name, struct fw_taint_spec spec, bool back);
int asa_crypto_map(struct asa *a);
int asa_time_word(struct asa *a, uint64_t *ns);
extern const struct asa_command asa_in_interface[], asa_in_class_map[], asa_in_policy[];

#endif
