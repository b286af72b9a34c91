/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Firewalls as data: ordered rules with the line they come from, NAT rules in order, timers. Importers and the
 * topology's JSON fill the same model through fw_rules_add_*; several readers use it: the one-packet question
 * (fw_eval), the stateful box (fwbox.h), exact sets of headers (exact.h), and the advice (advice.h).
 *
 * Two kinds of machine. One has lists bound to interfaces (Cisco, Palo Alto, FortiGate, the clouds): the list of the
 * way in, the global list, the list of the way out, and one table of NAT rules. The other has hooks (Linux
 * netfilter): base chains in order of priority at each hook, which jump to other chains and see connection states;
 * its NAT rules stand in chains as well. A rule set with a hook is of the second kind. */
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

static inline bool fw_flow_equal(const struct fw_flow *a, const struct fw_flow *b)
{
    return a->proto == b->proto && a->sport == b->sport && a->dport == b->dport && ip_equal(&a->src, &b->src) &&
           ip_equal(&a->dst, &b->dst);
}

/* Where an element of a rule set stands. Text is the source line without its indentation. */
struct fw_rule_ref {
    const char *file;
    unsigned line;
    const char *text;
};

struct fw_rules;

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

enum fw_action {
    FW_DENY,
    FW_PERMIT,
    FW_REJECT,  /* deny, and tell the sender: RST or ICMP */
    FW_JUMP,    /* the rules of list `target`, then, unless they decided, the next rule */
    FW_GOTO,    /* the same, then what follows the jump that led here */
    FW_RETURN,  /* what follows the jump that led here; of a base chain: its policy */
    FW_NAT_TO,  /* NAT chains: permit, and translate as `nat` says */
    FW_NOTRACK, /* the packet has no connection; the next rule */
};
enum fw_direction { FW_IN, FW_OUT };
enum {
    FW_ANY_IFACE = -1,
    FW_SELF = -2, /* the firewall itself, as the end of a packet's way */
    FW_IFACE_MAX = 64
};

/* What connection tracking says of a packet; a packet may be in several (a new one that was DNATed). */
enum fw_state {
    FW_STATE_NEW = 1,
    FW_STATE_ESTABLISHED = 2,
    FW_STATE_RELATED = 4,
    FW_STATE_INVALID = 8,
    FW_STATE_UNTRACKED = 16,
    FW_STATE_SNAT = 32,
    FW_STATE_DNAT = 64,
};

/* A set of TCP flag combinations: bit n for the flags byte n, of the six flags of RFC 9293 3.1 (FIN is 1, URG 32). */
#define FW_FLAGS_ANY UINT64_MAX
/* Those whose bits in mask are value. */
uint64_t fw_flags_set(uint8_t mask, uint8_t value);

/* What a rule may ask beside the five fields. Zero in every member: anything. */
struct fw_conditions {
    uint64_t in_ifaces, out_ifaces; /* bit n: interface n; 0: any */
    bool no_in, no_out;   /* an interface is asked for that there is not: the rule matches no packet */
    uint8_t states;       /* enum fw_state, any of them; 0: any */
    uint8_t not_states;   /* none of them */
    uint64_t tcp_flags;   /* TCP packets with these; 0: any */
    bool fragment;        /* later fragments alone */
    int8_t src_is_own, dst_is_own; /* an address of the firewall itself: 1 yes, -1 no, 0 any */
    /* A condition that this program cannot evaluate, in words: whether a packet that meets all others meets it too is
     * not known ("limit", "the set blacklist, which the file does not have"). NULL: none. */
    const char *unknown;
};

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
    const char *time_range; /* inactive because this is not active now; NULL: for another reason */
    bool implied;  /* the system's own: it is not written in the file, and nobody can change or move it */
    const struct fw_addr *src, *dst; /* count 0: any */
    size_t src_count, dst_count;
    const struct fw_service *service; /* count 0: any */
    size_t service_count;
    const struct fw_conditions *when; /* NULL: none */
    const char *target;               /* JUMP, GOTO: the list, which may be filled later */
    const struct fw_nat_to *nat;      /* NAT_TO */
    unsigned line;
    const char *text;
};

/* What FW_NAT_TO makes of the destination (hooks before routing) or the source (hooks behind it). */
struct fw_nat_to {
    const struct fw_addr *to; /* one range; NULL: unchanged, or `own` */
    bool own;                 /* the address of the interface: MASQUERADE (out), REDIRECT (in) */
    uint16_t port_lo, port_hi; /* 0: the port is kept where it can be */
    bool random_port;         /* a port that cannot be foretold */
    uint16_t port_base;       /* not 0: port p becomes port_lo + (p - port_base) */
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
    FW_TIMER_UDP_STREAM, /* both directions seen; most machines make no difference */
    FW_TIMER_ICMP,
    FW_TIMER_OTHER,
    FW_TIMER_XLATE,     /* a dynamic address after its last connection */
    FW_TIMER_PAT_XLATE, /* a dynamic port after its last connection */
    FW_TIMER_COUNT
};

/* RFC 4787 section 4 and 5. */
enum fw_nat_dependence { FW_ENDPOINT_INDEPENDENT, FW_ADDRESS_DEPENDENT, FW_ADDRESS_AND_PORT_DEPENDENT };
enum fw_nat_ports {
    FW_PORTS_PRESERVE, /* else the next free one */
    FW_PORTS_SEQUENTIAL,
    FW_PORTS_RANDOM,
    FW_PORTS_OVERLOAD, /* kept though another inside host has it (4787 4.2.1), unless both speak with one remote */
};
enum fw_nat_pooling { FW_POOL_FILL /* an address until it is full */, FW_POOL_PAIRED, FW_POOL_ARBITRARY };

/* How inside hosts reach each other by their dynamic outside addresses: not at all; as the outside does, with the
 * sender's own outside address for a source (4787 REQ-9); with its inside address, which the sender's own packets do
 * not agree with, so that answers go past the box. */
enum fw_nat_hairpin { FW_HAIRPIN_NONE, FW_HAIRPIN_EXTERNAL, FW_HAIRPIN_INTERNAL };
/* Which packets keep a mapping of UDP alive (4787 4.3). */
enum fw_nat_refresh { FW_REFRESH_OUTBOUND, FW_REFRESH_INBOUND, FW_REFRESH_BOTH };
/* A SYN from outside for which there is a mapping and no connection (5382 REQ-4): dropped for good; or held for 6 s,
 * silently dropped if an inside SYN crosses it in this time, else answered with ICMP port unreachable. */
enum fw_nat_syn { FW_SYN_DROP, FW_SYN_HOLD };

struct fw_nat_behaviour {
    enum fw_nat_dependence mapping, filtering;
    enum fw_nat_ports ports;
    enum fw_nat_pooling pooling;
    enum fw_nat_hairpin hairpin;
    enum fw_nat_refresh refresh;
    bool parity;          /* an even port stays even, an odd one odd (4787 REQ-4); no port of the other kind is taken */
    enum fw_nat_syn unsolicited_syn;
};

/* What holds where no access-list is bound, and other switches. */
enum fw_default {
    FW_DEFAULT_LEVELS, /* ASA: by security level */
    FW_DEFAULT_DENY,
    FW_DEFAULT_PERMIT,
    FW_DEFAULT_ZONES /* Palo Alto: permit within a zone (equal `level`), deny between; also behind the global list */
};

/* Which header a list sees: as it arrived, with the destination translated, or with both as it leaves. */
enum fw_view { FW_VIEW_REAL, FW_VIEW_ARRIVED, FW_VIEW_LEAVING };

struct fw_policy {
    enum fw_default without_list;
    bool same_level_inter, same_level_intra; /* same-security-traffic permit ... */
    bool tcp_loose;         /* a connection may be picked up in the middle */
    bool stateless;         /* each packet is shown to the rules, answers too (IOS lists, AWS network ACLs) */
    bool nat_by_session;    /* answers are translated back, whatever NAT rules would make of them (not so on an ASA) */
    enum fw_view view[2];   /* of the lists, by enum fw_direction */
};

/* ---- hooks (netfilter) ---- */

enum fw_hook { FW_PREROUTING, FW_INPUT, FW_FORWARD, FW_OUTPUT, FW_POSTROUTING, FW_HOOK_COUNT };

/* Priorities of the kernel's own steps: chains before CONNTRACK see no state, chains behind DSTNAT (SRCNAT) see the
 * translated destination (source). */
enum { FW_PRIO_RAW = -300, FW_PRIO_CONNTRACK = -200, FW_PRIO_MANGLE = -150, FW_PRIO_DSTNAT = -100, FW_PRIO_FILTER = 0,
       FW_PRIO_SRCNAT = 100 };

struct fw_base_spec {
    const char *list;
    enum fw_hook hook;
    int priority;          /* lower first; equal ones in the order of adding */
    bool nat;              /* asked about the first packet of a connection only */
    enum fw_action policy; /* FW_PERMIT or FW_DENY, where no rule decides */
    uint8_t family;        /* enum ip_family; 0: both */
    unsigned line;         /* where the policy stands */
    const char *text;
};

/* ---- building ---- */

struct fw_rules *fw_rules_new(const char *file); /* NULL: no memory */
/* Its index, from 0; E_EXISTS, E_NOMEM (also: more than FW_IFACE_MAX). */
int fw_rules_add_interface(struct fw_rules *r, const struct fw_iface_spec *spec);
int fw_rules_find_interface(const struct fw_rules *r, const char *name); /* index or E_NOT_FOUND */
int fw_rules_add_rule(struct fw_rules *r, const struct fw_rule_spec *spec); /* 0, E_NOMEM */
/* iface FW_ANY_IFACE: the global list. A list that has no rules yet is made: it denies everything. E_NOMEM. */
int fw_rules_bind(struct fw_rules *r, const char *list, int iface, enum fw_direction dir);
/* Makes the list a base chain. E_NOMEM. A list that no rule was added to is made: it is empty. */
int fw_rules_add_base(struct fw_rules *r, const struct fw_base_spec *spec);
/* A line that this program does not understand and that could decide about packets: those of the region are UNKNOWN
 * and it is named. Empty sets: any. `why`: in words. 0, E_NOMEM. */
struct fw_taint_spec {
    const struct fw_addr *src, *dst;
    size_t src_count, dst_count;
    const struct fw_service *service;
    size_t service_count;
    uint64_t in_ifaces, out_ifaces; /* 0: any */
    const char *why;
    unsigned line;
    const char *text;
};
int fw_rules_add_taint(struct fw_rules *r, const struct fw_taint_spec *spec);
int fw_rules_add_nat(struct fw_rules *r,
                     const struct fw_nat_spec *spec); /* 0, E_NOMEM, E_RANGE: sizes or families differ */
int fw_rules_add_route(struct fw_rules *r, const struct ip_prefix *to, int iface, const struct ip_addr *gateway);
/* An application inspection ("sip", "icmp", "h323 h225"). */
int fw_rules_add_inspection(struct fw_rules *r, const char *name, unsigned line, const char *text);
/* Sources must be routed back by the interface that they come in by (unicast RPF). */
int fw_rules_set_verify_reverse(struct fw_rules *r, int iface, unsigned line, const char *text);
/* FW_TIMER_UDP sets FW_TIMER_UDP_STREAM as well. */
int fw_rules_set_timer(struct fw_rules *r, enum fw_timer timer, uint64_t ns, unsigned line, const char *text);
/* All timers at once: "asa" (the default), "rfc" (4787, 5382, 5508), "linux", "typical", "hostile", "pan",
 * "fortigate", "aws", "azure". E_NOT_FOUND. */
int fw_rules_set_timers(struct fw_rules *r, const char *profile);
void fw_rules_set_nat_behaviour(struct fw_rules *r, const struct fw_nat_behaviour *b);
void fw_rules_set_policy(struct fw_rules *r, const struct fw_policy *p);

/* ---- asking ---- */

enum fw_decision { FW_DENIED, FW_PERMITTED, FW_UNKNOWN, FW_NOT_REACHED };

enum { FW_DOUBTS_MAX = 8 };

/* A line that could decide and is not understood. */
struct fw_doubt {
    const struct fw_rule_ref *ref;
    const char *why;
};

struct fw_verdict {
    enum fw_decision decision;
    bool reject;                    /* DENIED: the sender is told */
    const char *reason;             /* "acl", "implicit", "policy", "level", "same-level", "hairpin", "default", ... */
    const char *list;               /* the access-list or chain that decided, or NULL */
    int iface;                      /* that it is bound to; FW_ANY_IFACE: global */
    enum fw_direction dir;
    const struct fw_rule_ref *rule; /* the deciding line; NULL: the list's implicit deny, or no list */
    struct fw_doubt doubt[FW_DOUBTS_MAX]; /* UNKNOWN: the first few */
    size_t doubt_count;
};

/* A packet as the rules are asked about it. The three headers are the same where nothing is translated. */
struct fw_context {
    int in, out;       /* interfaces, or FW_SELF */
    uint8_t states;    /* enum fw_state; 0: FW_STATE_NEW */
    uint8_t tcp_flags; /* of TCP: FIN is 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32 */
    bool fragment;     /* a later fragment */
    bool begun;        /* NEW, but not the first packet of its connection: how it is translated is settled */
    struct fw_flow arrived, real, leaving;
};

/* The policy for a packet: NAT and routing are done by the caller. Pure. */
struct fw_verdict fw_eval(const struct fw_rules *r, const struct fw_context *ctx);
/* Of the first packet of a flow (SYN for TCP) that is not translated. */
struct fw_verdict fw_eval_first(const struct fw_rules *r, int in, int out, const struct fw_flow *f);
/* "denied by outside_in line 41", "denied by the implicit deny at the end of access-list outside_in", ... */
void fw_verdict_text(const struct fw_rules *r, const struct fw_verdict *v, char *out, size_t cap);

/* The line that turns an inspection on; NULL: it is off. */
const struct fw_rule_ref *fw_rules_inspection(const struct fw_rules *r, const char *name);

/* Every line of the file is in one of the three. */
struct fw_lines {
    unsigned modelled, no_effect, unsupported, total;
};
struct fw_lines fw_rules_lines(const struct fw_rules *r);
/* The unsupported lines in the order of the file, each with the reason; NULL: there is no i-th. */
struct fw_unsupported {
    unsigned line;
    const char *text, *why;
};
const struct fw_unsupported *fw_rules_unsupported(const struct fw_rules *r, size_t i);
/* Lines that were taken, about whose meaning sources differ or people err (`eq dns` is 195), each with what to know;
 * NULL: there is no i-th. */
const struct fw_unsupported *fw_rules_note(const struct fw_rules *r, size_t i);

#endif
