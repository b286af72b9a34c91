/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the ASA importer. A file is read three times: names, interfaces and objects; then rules; then what
 * binds them, so that nothing depends on the order of the blocks. Each kind of line belongs to one pass. */
#ifndef TP_FIREWALL_ASA_H
#define TP_FIREWALL_ASA_H

#include "models/firewall/import.h"
#include "models/firewall/rules.h"

enum {
    ASA_LINE_MAX = 4096,
    ASA_WORDS_MAX = 512,
    ASA_ITEMS_MAX = 65536,
    ASA_DEPTH_MAX = 64,
    ASA_EXPANDED_MAX = 4000000
};

enum asa_pass { ASA_OBJECTS, ASA_RULES, ASA_BINDINGS, ASA_PASSES };

enum asa_kind { ASA_ALIAS, ASA_NETWORK, ASA_SERVICE, ASA_NETWORK_GROUP, ASA_SERVICE_GROUP, ASA_PORT_GROUP,
                ASA_PROTOCOL_GROUP, ASA_ICMP_GROUP, ASA_TIME_RANGE };

enum asa_item_kind { ASA_ADDR, ASA_SERVE, ASA_MEMBER /* another object or group */, ASA_FQDN };

struct asa_item {
    enum asa_item_kind kind;
    unsigned line;
    struct fw_addr addr;
    struct fw_service service; /* of a port group: the ports are in dport; of an icmp-type group: in sport, dport */
    const char *name;          /* MEMBER, FQDN */
    struct asa_item *next;
};

/* A name that the file defines. Aliases (`name`) have a space of their own. */
struct asa_symbol {
    const char *name;
    enum asa_kind kind;
    unsigned protos; /* PORT_GROUP: ASA_TCP, ASA_UDP */
    struct asa_item *first, **last;
    bool busy;       /* being expanded: met again, it is a loop */
    struct asa_symbol *next;
};

enum { ASA_TCP = 1, ASA_UDP = 2 };

/* An inspection of a policy-map, in force once a service-policy applies the map. */
struct asa_inspect {
    const char *policy, *name, *text;
    unsigned line;
    struct asa_inspect *next;
};

/* A growing array. */
struct asa_addrs {
    struct fw_addr *v;
    size_t count, cap;
};

struct asa_services {
    struct fw_service *v;
    size_t count, cap;
};

struct asa_word {
    char *text;
    unsigned column;
};

struct asa_command;

struct asa {
    struct fw_rules *rules;
    struct fw_diag *diag;
    enum asa_pass pass;
    unsigned line;
    bool indented, saved, ended;
    bool quiet; /* set by a handler: this line has no effect on packets */
    char raw[ASA_LINE_MAX], words_of[ASA_LINE_MAX];
    struct asa_word word[ASA_WORDS_MAX];
    size_t words, at;
    const struct asa_command *sub; /* what may stand below the last top line; NULL: nothing */
    unsigned certificate;  /* the line that a certificate began on; 0: not in one */
    struct asa_symbol *bucket[1024], *symbol; /* symbol: of the block being read */
    const char *policy;    /* of the block being read */
    struct asa_inspect *inspect;
    struct {               /* the interface block being read */
        bool open, has_level;
        const char *name;
        int level;
        struct ip_prefix address[16];
        size_t address_count;
        bool shutdown;
        unsigned line;
        const char *text;
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
extern const struct asa_command asa_quiet[];    /* asa_quiet.c: the lines without effect */

/* ---- lexer (asa_lex.c) ---- */

/* Cuts raw into words. E_RANGE: too many. */
int asa_split(struct asa *a);
const char *asa_peek(const struct asa *a); /* "" at the end */
const char *asa_next(struct asa *a);
bool asa_take(struct asa *a, const char *word);
bool asa_more(const struct asa *a);
/* Fills in diag: the position of the word that asa_peek gives, what was expected; returns err. */
int asa_fail(struct asa *a, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int asa_expected(struct asa *a, const char *what); /* E_MALFORMED: "expected WHAT, found WORD" */
int asa_end(struct asa *a);                        /* nothing more on the line */
/* A decimal number from lo to hi. */
int asa_number(struct asa *a, long lo, long hi, const char *what, long *out);
bool asa_is_number(const char *s);

/* ---- names (asa_names.c) ---- */

/* "tcp", "41"; *any: "ip". false: not a protocol. */
bool asa_protocol(const char *word, uint8_t *proto, bool *any);
bool asa_icmp_type(const char *word, bool six, uint16_t *type);
bool asa_port(const char *word, unsigned protos, uint16_t *port);

/* ---- objects (asa_objects.c) ---- */

struct asa_symbol *asa_find(const struct asa *a, bool alias, const char *name);
/* The symbol, made when new; *out NULL: E_EXISTS as another kind, E_NOMEM (diag filled in). */
int asa_define(struct asa *a, const char *name, enum asa_kind kind, struct asa_symbol **out);
int asa_ip(struct asa *a, struct ip_addr *out); /* or an alias */
/* `A MASK`, `A::/len`, the A read by the caller's peek. */
int asa_ip_mask(struct asa *a, struct fw_addr *out);
int asa_address_text(struct asa *a, struct fw_addr *out); /* `host A`, `A MASK`, `A::/len` */
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
int asa_name(struct asa *a);
int asa_time_range(struct asa *a);
int asa_check_members(struct asa *a); /* every group's members are there */
extern const struct asa_command asa_in_network[], asa_in_service[], asa_in_network_group[], asa_in_service_group[],
    asa_in_protocol_group[], asa_in_icmp_group[];

/* ---- the rest ---- */

int asa_access_list(struct asa *a);  /* asa_acl.c */
int asa_access_group(struct asa *a);
int asa_object_nat(struct asa *a);   /* asa_nat.c */
int asa_twice_nat(struct asa *a);
int asa_interface(struct asa *a);    /* asa_system.c */
int asa_interface_end(struct asa *a);
int asa_version(struct asa *a);
int asa_route(struct asa *a);
int asa_route6(struct asa *a);
int asa_same_security(struct asa *a);
int asa_timeout(struct asa *a);
int asa_verify_reverse(struct asa *a);
int asa_policy_map(struct asa *a);
int asa_service_policy(struct asa *a);
extern const struct asa_command asa_in_interface[], asa_in_policy[];

#endif
