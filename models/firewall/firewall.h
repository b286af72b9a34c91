/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Firewalls as data: ordered rules with the line they come from, NAT rules in order, timers. Importers and the
 * topology's JSON fill the same model through fw_rules_add_*; several readers use it: the one-packet question
 * (fw_eval), the stateful box (fwbox.h), the advice (advice.h), and (to come) exact sets of headers. */
#ifndef TP_FIREWALL_FIREWALL_H
#define TP_FIREWALL_FIREWALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/base/addr.h"

/* What a packet is to a firewall. ICMP: sport is the type, dport the code. */
struct fw_flow {
    uint8_t proto; /* enum ip_proto */
    struct ip_addr src, dst;
    uint16_t sport, dport;
};

/* Where an element of a rule set stands. Text is the source line without its indentation. */
struct fw_rule_ref {
    const char *file;
    unsigned line;
    const char *text;
};

struct fw_rules;

/* A message about a rule file: position, what was expected, what was found. */
struct fw_diag {
    unsigned line, column; /* from 1 */
    char text[200];
};

/* Cisco ASA 8.3+ running-config. Every line is understood, known to have no effect on packets, or an error naming it.
 * E_MALFORMED, E_UNSUPPORTED, E_TRUNCATED (diag says where), E_NOMEM. The text need not end in NUL; name is copied.
 */
int fw_asa_parse(const char *text, size_t len, const char *name, struct fw_rules **out, struct fw_diag *diag);
void fw_rules_free(struct fw_rules *r);

/* ---- what rules are made of ---- */

/* Addresses a to b of one family; masked: those that agree with a in the bits set in b (10.0.0.192 255.0.0.192). */
struct fw_addr {
    struct ip_addr a, b;
    bool masked;
};

struct fw_addr fw_addr_prefix(const struct ip_prefix *p);
struct fw_addr fw_addr_any(enum ip_family family);
bool fw_addr_has(const struct fw_addr *set, const struct ip_addr *ip);
/* "10.0.0.0/8", "10.0.0.1", "10.0.0.1-10.0.0.9". E_MALFORMED, E_RANGE. */
int fw_addr_parse(const char *s, struct fw_addr *out);

/* Protocols and ports, both ends inclusive. ICMP: sport is the type, dport the code. */
struct fw_service {
    uint8_t proto_lo, proto_hi;
    uint16_t sport_lo, sport_hi, dport_lo, dport_hi;
};

#define FW_SERVICE_ANY ((struct fw_service){0, 255, 0, 65535, 0, 65535})
bool fw_service_has(const struct fw_service *s, const struct fw_flow *f);

enum fw_action { FW_DENY, FW_PERMIT, FW_REJECT /* deny, and tell the sender: RST or ICMP */ };
enum fw_direction { FW_IN, FW_OUT };
enum { FW_ANY_IFACE = -1, FW_IFACE_MAX = 64 };

/* Everything below copies what it is given. Where an element stands: line 0 for none, text may be NULL. */
struct fw_iface_spec {
    const char *name;
    int level; /* ASA security level, 0..100 */
    const struct ip_prefix *address;
    size_t address_count;
    bool shutdown;
    unsigned line;
    const char *text;
};

struct fw_rule_spec {
    const char *list; /* the access-list it is appended to */
    enum fw_action action;
    bool inactive; /* kept for the advice, never matches */
    const struct fw_addr *src, *dst; /* count 0: any */
    size_t src_count, dst_count;
    const struct fw_service *service; /* count 0: any */
    size_t service_count;
    unsigned line;
    const char *text;
};

/* A NAT rule says what happens to a packet from the real to the mapped interface: its source goes from real to
 * mapped, its destination from dst_from to dst_to, its ports from `from` to `to`, each by position in the set. A
 * static rule works the other way round too. A dynamic rule takes the new source from the pool `mapped`. */
enum fw_nat_section { FW_NAT_MANUAL = 1, FW_NAT_OBJECT, FW_NAT_AFTER_AUTO };

struct fw_nat_spec {
    enum fw_nat_section section;
    const char *object; /* FW_NAT_OBJECT: its name, the last key of the order */
    int real_iface, mapped_iface; /* FW_ANY_IFACE: any */
    bool dynamic, inactive, unidirectional, route_lookup;
    bool pat;       /* dynamic: addresses of the pool are shared, told apart by port */
    bool interface; /* mapped is the address of the mapped interface; dynamic: after the pool, if there is one */
    const struct fw_addr *real, *mapped; /* real 0: any; mapped 0: unchanged, or `interface` */
    size_t real_count, mapped_count;
    bool has_dst, dst_interface; /* dst_from is the address of the real interface */
    const struct fw_addr *dst_from, *dst_to; /* 0: any, unchanged */
    size_t dst_from_count, dst_to_count;
    const struct fw_service *from, *to; /* NULL: any, unchanged */
    unsigned line;
    const char *text;
};

/* Idle times after which state is forgotten, ns; TIME_NEVER: never. */
enum fw_timer {
    FW_TIMER_TCP,         /* established */
    FW_TIMER_EMBRYONIC,   /* handshake not complete */
    FW_TIMER_HALF_CLOSED, /* one FIN seen */
    FW_TIMER_CLOSING,     /* both FINs, or an RST */
    FW_TIMER_UDP,
    FW_TIMER_ICMP,
    FW_TIMER_OTHER,
    FW_TIMER_XLATE,     /* a dynamic address after its last connection */
    FW_TIMER_PAT_XLATE, /* a dynamic port after its last connection */
    FW_TIMER_COUNT
};

/* RFC 4787 section 4 and 5. */
enum fw_nat_dependence { FW_ENDPOINT_INDEPENDENT, FW_ADDRESS_DEPENDENT, FW_ADDRESS_AND_PORT_DEPENDENT };
enum fw_nat_ports { FW_PORTS_PRESERVE /* else the next free one */, FW_PORTS_SEQUENTIAL, FW_PORTS_RANDOM };
enum fw_nat_pooling { FW_POOL_FILL /* an address until it is full */, FW_POOL_PAIRED, FW_POOL_ARBITRARY };

struct fw_nat_behaviour {
    enum fw_nat_dependence mapping, filtering;
    enum fw_nat_ports ports;
    enum fw_nat_pooling pooling;
    bool hairpin;         /* inside hosts reach each other by dynamic external addresses (4787 REQ-9) */
    bool refresh_inbound; /* packets from outside keep a mapping alive too (4787 REQ-6) */
};

/* What holds where no access-list is bound, and other switches. */
enum fw_default { FW_DEFAULT_LEVELS /* ASA: by security level */, FW_DEFAULT_DENY, FW_DEFAULT_PERMIT };

struct fw_policy {
    enum fw_default without_list;
    bool same_level_inter, same_level_intra; /* same-security-traffic permit ... */
    bool tcp_loose; /* a connection may be picked up in the middle */
};

/* ---- building ---- */

struct fw_rules *fw_rules_new(const char *file); /* NULL: no memory */
/* Its index, from 0; E_EXISTS, E_NOMEM (also: more than FW_IFACE_MAX). */
int fw_rules_add_interface(struct fw_rules *r, const struct fw_iface_spec *spec);
int fw_rules_find_interface(const struct fw_rules *r, const char *name); /* index or E_NOT_FOUND */
int fw_rules_add_rule(struct fw_rules *r, const struct fw_rule_spec *spec); /* 0, E_NOMEM */
/* iface FW_ANY_IFACE: the global list. A list that has no rules yet is made: it denies everything. E_NOMEM. */
int fw_rules_bind(struct fw_rules *r, const char *list, int iface, enum fw_direction dir);
int fw_rules_add_nat(struct fw_rules *r,
                     const struct fw_nat_spec *spec); /* 0, E_NOMEM, E_RANGE: sizes or families differ */
int fw_rules_add_route(struct fw_rules *r, const struct ip_prefix *to, int iface, const struct ip_addr *gateway);
/* An application inspection ("sip", "icmp", "h323 h225"). */
int fw_rules_add_inspection(struct fw_rules *r, const char *name, unsigned line, const char *text);
/* Sources must be routed back by the interface that they come in by (unicast RPF). */
int fw_rules_set_verify_reverse(struct fw_rules *r, int iface, unsigned line, const char *text);
int fw_rules_set_timer(struct fw_rules *r, enum fw_timer timer, uint64_t ns, unsigned line, const char *text);
/* All timers at once: "asa" (the default), "rfc" (4787, 5382, 5508), "typical", "hostile". E_NOT_FOUND. */
int fw_rules_set_timers(struct fw_rules *r, const char *profile);
void fw_rules_set_nat_behaviour(struct fw_rules *r, const struct fw_nat_behaviour *b);
void fw_rules_set_policy(struct fw_rules *r, const struct fw_policy *p);

/* ---- asking ---- */

enum fw_decision { FW_DENIED, FW_PERMITTED, FW_UNKNOWN, FW_NOT_REACHED };

struct fw_verdict {
    enum fw_decision decision;
    bool reject;                    /* DENIED: the sender is told */
    const char *reason;             /* "acl", "implicit", "level", "same-level", "hairpin", "default", "shutdown" */
    const char *list;               /* the access-list that decided, or NULL */
    int iface;                      /* that it is bound to; FW_ANY_IFACE: global */
    enum fw_direction dir;
    const struct fw_rule_ref *rule; /* the deciding line; NULL: the list's implicit deny, or no list */
};

/* The policy for the first packet of a flow, addresses as the rules see them (after un-NAT). Pure. */
struct fw_verdict fw_eval(const struct fw_rules *r, int in_iface, int out_iface, const struct fw_flow *f);
/* "denied by outside_in line 41", "denied by the implicit deny at the end of access-list outside_in", ... */
void fw_verdict_text(const struct fw_rules *r, const struct fw_verdict *v, char *out, size_t cap);

/* The line that turns an inspection on; NULL: it is off. */
const struct fw_rule_ref *fw_rules_inspection(const struct fw_rules *r, const char *name);

/* Every line of the file is in one of these. */
struct fw_lines {
    unsigned modelled, no_effect, total;
};
struct fw_lines fw_rules_lines(const struct fw_rules *r);

#endif
