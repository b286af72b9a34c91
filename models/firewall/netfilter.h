/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the importers of Linux rule sets share: a rule under construction. Its condition is a union of boxes, and each
 * match of the source narrows it. What a box cannot say (none of these pairs of address and port) becomes a chain of
 * its own that returns for what must not match. */
#ifndef TP_FIREWALL_NETFILTER_H
#define TP_FIREWALL_NETFILTER_H

#include "models/base/arena.h"
#include "models/firewall/import.h"
#include "models/firewall/rules.h"

enum {
    NF_BOXES_MAX = 16384,   /* of one rule */
    NF_ITEMS_MAX = 262144,  /* addresses or services of one box */
    NF_RULES_MAX = 1000000, /* of a file, expanded */
    NF_DEPTH_MAX = 28       /* of chains that jump to each other; the model follows 32 */
};

/* Unions. A pointer that is NULL: any. Count 0: none. */
struct nf_addrs {
    struct fw_addr *v;
    size_t count;
};

struct nf_services {
    struct fw_service *v;
    size_t count;
};

struct nf_box {
    const struct nf_addrs *src, *dst;
    const struct nf_services *service;
    struct fw_conditions when;
};

struct nf_boxes {
    struct nf_box *v;
    size_t count, cap;
};

/* A chain: which hooks a packet in it may come from, found by following the jumps. */
struct nf_edge {
    struct nf_chain *to;
    unsigned line;
    struct nf_edge *next;
};

struct nf_chain {
    const char *name;  /* in the rule model: "FORWARD", "nat PREROUTING", "inet filter input" */
    const char *at;    /* the list that its next rule is added to: its own, or that of its rest */
    const char *key;   /* in the file, unique in it */
    unsigned hooks;    /* bit n: enum fw_hook */
    bool base, busy;
    bool stray;          /* at a hook that is not modelled (ingress, egress) */
    const char *device;  /* of such a hook; NULL: several */
    unsigned height;   /* of the tallest tower of jumps from here; 0: not yet found */
    unsigned line;
    struct nf_edge *edge;
    struct nf_chain *next, *bucket;
};

enum nf_lines { NF_LINE_NONE, NF_LINE_NO_EFFECT, NF_LINE_MODELLED, NF_LINE_UNSUPPORTED };

struct nf {
    struct fw_rules *rules;
    struct fw_diag *diag;
    const struct fw_source *src;
    struct arena memory;  /* of the import */
    struct arena scratch; /* of a rule */
    struct nf_chain *chains, **last, *bucket[256];
    bool known_addresses; /* the source's ports say which addresses are the firewall's own */
    bool marks_set;       /* a rule of the file marks packets or connections */
    bool open;            /* the source names no port: any name of an interface is one */
    bool full;            /* more names than the model has room for */
    size_t emitted, helpers, begun;
};

/* The rule under construction. */
struct nf_rule {
    struct nf *nf;
    struct nf_chain *chain;
    uint8_t family;  /* enum ip_family of its table; 0: both */
    struct nf_boxes box, not; /* in the union of `box`, in none of `not` */
    const char *unknown;      /* why it is not known whether it matches; NULL: it is */
    int err;                  /* the first thing that went wrong: E_RANGE (too many boxes) */
};

/* ---- the import ---- */

/* Ports of the source become interfaces. 0, E_NOMEM. */
int nf_open(struct nf *nf, const struct fw_source *src, struct fw_diag *diag);
/* Frees all but the rules, and those too when err. Returns err. */
int nf_close(struct nf *nf, int err, struct fw_rules **out);
/* An interface that the file names; a name with a wildcard at its end is none. */
void nf_name_interface(struct nf *nf, const char *name);
/* The interfaces of that name; wild: those that begin with it. */
uint64_t nf_interfaces(const struct nf *nf, const char *name, bool wild);

struct nf_chain *nf_chain_find(const struct nf *nf, const char *key); /* NULL: none */
struct nf_chain *nf_chain_add(struct nf *nf, const char *key, const char *name, unsigned line);
void nf_chain_jump(struct nf *nf, struct nf_chain *from, struct nf_chain *to, unsigned line);
/* Hooks of every chain; E_RANGE: a loop of jumps, or too many one below the other (*line: the jump, *why). */
int nf_chains_follow(struct nf *nf, unsigned *line, const char **why);

/* ---- a rule ---- */

void nf_rule_begin(struct nf_rule *r, struct nf *nf, struct nf_chain *chain, uint8_t family);
/* Each narrows the rule; negated: to what is not in it. */
void nf_and_src(struct nf_rule *r, const struct nf_addrs *set, bool negated);
void nf_and_dst(struct nf_rule *r, const struct nf_addrs *set, bool negated);
void nf_and_services(struct nf_rule *r, const struct fw_service *v, size_t count);
void nf_and_proto(struct nf_rule *r, uint8_t lo, uint8_t hi, bool negated);
void nf_and_states(struct nf_rule *r, unsigned states, bool negated); /* enum fw_state, any of them */
void nf_and_tcp_flags(struct nf_rule *r, uint64_t flags);
void nf_and_in(struct nf_rule *r, uint64_t ifaces, bool negated);
void nf_and_out(struct nf_rule *r, uint64_t ifaces, bool negated);
void nf_and_boxes(struct nf_rule *r, const struct nf_boxes *set, bool negated);
void nf_and_unknown(struct nf_rule *r, const char *why); /* copied */

/* Addresses or ports of the connection as they arrived; those of the packet while it is new and not translated. */
void nf_and_original(struct nf_rule *r, const struct nf_box *same);
/* Packets of the direction that the connection was opened in, or of the other. */
void nf_and_direction(struct nf_rule *r, bool forth);
/* The frame that brings the packet is for one machine, or for several. */
void nf_and_frame(struct nf_rule *r, bool one);

/* A box that has everything; and one more in a union. Memory is the rule's. E_RANGE goes into r->err. */
struct nf_box *nf_box_add(struct nf_rule *r, struct nf_boxes *set);

/* What a rule does. */
struct nf_effect {
    enum fw_action action;
    struct nf_chain *target;
    const struct fw_nat_to *nat;
    bool untold; /* what it does is not known: it may accept, drop or do nothing; r->unknown says why */
    unsigned line;
    const char *text;
};
/* Adds it to the model. 0, E_NOMEM, E_RANGE: too many rules; r->err when that is set. */
int nf_emit(struct nf_rule *r, const struct nf_effect *e);
/* The first doubt of the rule, or of a part of it; NULL: none. */
const char *nf_doubt(const struct nf_rule *r);
/* Is the rule, which drops what has no way back, before all others of its hook? It is what the model calls reverse
 * path verification, and not for nf_emit. */
bool nf_is_reverse_check(const struct nf_rule *r);
int nf_verify_reverse(struct nf_rule *r, unsigned line, const char *text);

/* ---- sets (netfilter_set.c); memory is from the arena ---- */

const struct nf_addrs *nf_addrs_of(struct arena *a, const struct fw_addr *v, size_t count);
const struct nf_addrs *nf_addrs_any(struct arena *a, uint8_t family); /* 0: both */
/* NULL: more than NF_ITEMS_MAX, or masks of IPv6 that cannot be cut. */
const struct nf_addrs *nf_addrs_and(struct arena *a, const struct nf_addrs *x, const struct nf_addrs *y);
const struct nf_addrs *nf_addrs_not(struct arena *a, const struct nf_addrs *x, uint8_t family);
const struct nf_services *nf_services_and(struct arena *a, const struct nf_services *x, const struct nf_services *y);
/* Numbers lo..hi that are in none of the spans; sorted. span.lo <= span.hi. The count. */
struct nf_span {
    uint16_t lo, hi;
};
size_t nf_spans_sort(struct nf_span *v, size_t count); /* joined; the new count */
/* out has room for count + 1. v is sorted and joined. */
size_t nf_spans_not(const struct nf_span *v, size_t count, struct nf_span *out);

/* ---- what Linux knows by itself ---- */

/* Addresses of a type: of the firewall itself, of broadcast, of multicast. */
const struct nf_addrs *nf_local(struct nf_rule *r, uint8_t family);
const struct nf_addrs *nf_broadcast(struct nf_rule *r, uint8_t family);
const struct nf_addrs *nf_multicast(struct nf_rule *r, uint8_t family);

/* ---- names (netfilter_names.c) ---- */

bool nf_protocol(const char *word, uint8_t *proto);
bool nf_service_port(const char *word, uint16_t *port); /* "http", "443" */
/* "echo-request", "3", "3/1", "any": a type and codes. */
struct nf_icmp {
    uint8_t type_lo, type_hi, code_lo, code_hi;
};
bool nf_icmp_type(const char *word, bool six, struct nf_icmp *out);
bool nf_icmp_code(const char *word, bool six, uint8_t *code); /* of nft: "port-unreachable" */
bool nf_number(const char *word, uint64_t max, uint64_t *out);  /* decimal or 0x */
/* The state of connection tracking by that name, in either case; 0: none. */
unsigned nf_state(const char *word);
/* "syn" and the others: its bit; 0: none. */
unsigned nf_tcp_flag(const char *word);

#endif
