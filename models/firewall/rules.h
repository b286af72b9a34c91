/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rule model as its readers inside models/firewall see it. What others need is in firewall.h. */
#ifndef TP_FIREWALL_RULES_H
#define TP_FIREWALL_RULES_H

#include "models/firewall/firewall.h"
#include "models/firewall/route.h"

/* A set of addresses, shared by the rules that use it. Of a rule of a list: ranges sorted and disjoint, masks behind
 * them. Of NAT: in the order given, which is what pairs real with mapped addresses. */
struct fw_set {
    const struct fw_addr *addr;
    size_t range_count, count; /* addr[range_count..count) are masked */
};

struct fw_rule {
    const struct fw_rule_ref *ref;
    const struct fw_set *src, *dst; /* NULL: any */
    const struct fw_service *service;
    size_t service_count;
    enum fw_action action;
    bool inactive, implied;
    const char *time_range; /* of the spec */
    const struct fw_conditions *when; /* NULL: none */
    const struct fw_list *target;     /* JUMP, GOTO */
    const struct fw_nat_to *nat;      /* NAT_TO */
};

struct fw_list {
    const char *name;
    struct fw_rule *rule;
    size_t count, cap;
};

struct fw_iface {
    const char *name;
    int level;
    bool shutdown;
    const struct fw_rule_ref *verify_reverse; /* the line that asks for it; NULL: off */
    const struct ip_prefix *address;
    size_t address_count;
    const struct fw_list *list[2]; /* by enum fw_direction; NULL: none bound */
    const struct fw_rule_ref *ref;
};

struct fw_nat {
    const struct fw_rule_ref *ref;
    enum fw_nat_section section;
    const char *object;
    int real_iface, mapped_iface;
    bool dynamic, inactive, unidirectional, route_lookup, pat, interface, has_dst, dst_interface, has_service;
    const struct fw_set *real, *mapped, *dst_from, *dst_to; /* NULL: any, unchanged */
    struct fw_service from, to;
};

/* A base chain at a hook. */
struct fw_base {
    const struct fw_list *list;
    enum fw_hook hook;
    int priority;
    bool nat;
    enum fw_action policy;
    uint8_t family; /* 0: both */
    const struct fw_rule_ref *ref;
};

struct fw_taint {
    const struct fw_set *src, *dst;
    const struct fw_service *service;
    size_t service_count;
    uint64_t in_ifaces, out_ifaces;
    const char *why;
    const struct fw_rule_ref *ref;
};

struct fw_inspection {
    const char *name;
    const struct fw_rule_ref *ref;
};

/* Enough for rule sets of 100,000 lines, each with addresses of its own. */
enum { FW_SET_BUCKETS = 8192 };

struct fw_block; /* of memory */

struct fw_rules {
    const char *file;
    bool asa; /* advice is given as lines of an ASA configuration */
    struct fw_iface iface[FW_IFACE_MAX];
    size_t iface_count;
    struct fw_list **list; /* in the order in which they were first named */
    size_t list_count, list_cap;
    const struct fw_list *global;
    struct fw_base *base; /* by hook, then priority */
    size_t base_count, base_cap;
    struct fw_taint *taint;
    size_t taint_count, taint_cap;
    struct fw_unsupported *unsupported;
    size_t unsupported_count, unsupported_cap;
    struct fw_unsupported *note;
    size_t note_count, note_cap;
    struct fw_nat *nat; /* in the order of evaluation */
    size_t nat_count, nat_cap;
    struct fw_route *route;
    size_t route_count, route_cap;
    struct fw_inspection *inspection;
    size_t inspection_count, inspection_cap;
    uint64_t timer[FW_TIMER_COUNT];
    const struct fw_rule_ref *timer_ref[FW_TIMER_COUNT]; /* NULL: the default */
    struct fw_nat_behaviour behaviour;
    struct fw_policy policy;
    struct fw_lines lines;
    struct fw_block *block; /* strings, sets and references live here */
    struct fw_set_entry *bucket[FW_SET_BUCKETS]; /* by the hash of a set */
};

/* Memory that lives as long as the rules; NULL: none. */
void *fw_arena(struct fw_rules *r, size_t size);
const char *fw_arena_text(struct fw_rules *r, const char *s);

/* A hash of n bytes that does not change between machines. */
uint32_t fw_hash(const void *bytes, size_t n);

bool fw_set_has(const struct fw_set *s, const struct ip_addr *ip); /* of a list's rule; NULL has all */
/* Addresses in the set, cut at UINT64_MAX; of NAT: position of an address, and the address at a position. */
uint64_t fw_set_size(const struct fw_set *s);
bool fw_set_index(const struct fw_set *s, const struct ip_addr *ip, uint64_t *index);
bool fw_set_at(const struct fw_set *s, uint64_t index, struct ip_addr *ip);
/* hi - lo + 1, cut at UINT64_MAX; ip + n. */
uint64_t fw_addr_count(const struct ip_addr *lo, const struct ip_addr *hi);
struct ip_addr fw_addr_plus(const struct ip_addr *ip, uint64_t n);

/* Sorts and merges ranges in place, masks last; the new count. */
size_t fw_addr_normalise(struct fw_addr *addr, size_t count, size_t *range_count);

/* Counts a line as unsupported and keeps the reason. A rule or taint that it led to is added by itself. E_NOMEM. */
int fw_rules_add_unsupported(struct fw_rules *r, unsigned line, const char *text, const char *why);
int fw_rules_add_note(struct fw_rules *r, unsigned line, const char *text, const char *note); /* E_NOMEM */

/* The five fields alone, inactive or not. */
bool fw_rule_matches(const struct fw_rule *rule, const struct fw_flow *f);
bool fw_services_have(const struct fw_service *service, size_t count, const struct fw_flow *f); /* count 0: any */
const struct fw_rule *fw_list_match(const struct fw_list *l, const struct fw_flow *f); /* first active; NULL: none */

/* Machines with lists: what holds where no list decides about traffic entering at in and leaving at out; and why none
 * passes at all, whatever the lists say (ASA: between equal levels and back out of the interface it came by, unless
 * told so), NULL: it may. */
struct fw_verdict fw_without_list(const struct fw_rules *r, int in, int out);
const char *fw_level_bars(const struct fw_rules *r, int in, int out);

/* The header that a base chain sees, and the states that it sees it in. */
const struct fw_flow *fw_base_view(const struct fw_base *b, const struct fw_context *ctx);
uint8_t fw_base_states(const struct fw_base *b, const struct fw_context *ctx);
/* The hooks with chains that a packet from ctx->in to ctx->out meets, in order; their number, at most 3. */
size_t fw_hooks_of(const struct fw_context *ctx, enum fw_hook hook[3]);
/* The chains before connection tracking let the packet on to it; *notrack: they take it out of it. */
bool fw_early(const struct fw_rules *r, const struct fw_context *ctx, bool *notrack);
/* The rule of the NAT chains at the hook that a new connection meets; NULL: none. Doubts are noted in v. */
const struct fw_rule *fw_nat_chain(const struct fw_rules *r, enum fw_hook hook, const struct fw_context *ctx,
                                   struct fw_verdict *v);
const struct fw_list *fw_rules_list(const struct fw_rules *r, const char *name); /* NULL: none */

#endif
