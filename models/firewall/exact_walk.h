/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside the exact engine: rules made ready, and the walk of a set of packets through a list. */
#ifndef TP_FIREWALL_EXACT_WALK_H
#define TP_FIREWALL_EXACT_WALK_H

#include "models/firewall/exact.h"
#include "models/firewall/verdict.h"

/* Bounds that tell in a few comparisons that two sets have nothing in common. Of an IPv6 address the upper 32 bits. */
struct fw_hull {
    uint32_t src_lo, src_hi, dst_lo, dst_hi;
    uint16_t sport_lo, sport_hi, dport_lo, dport_hi;
    uint8_t proto_lo, proto_hi, families; /* bit n: enum ip_family n */
};

static inline bool fw_hulls_meet(const struct fw_hull *a, const struct fw_hull *b)
{
    return a->dst_lo <= b->dst_hi && b->dst_lo <= a->dst_hi && a->dport_lo <= b->dport_hi &&
           b->dport_lo <= a->dport_hi && a->src_lo <= b->src_hi && b->src_lo <= a->src_hi &&
           a->proto_lo <= b->proto_hi && b->proto_lo <= a->proto_hi && a->sport_lo <= b->sport_hi &&
           b->sport_lo <= a->sport_hi && (a->families & b->families) != 0;
}

struct fw_hull fw_hull_of(const struct fw_cell *c);
struct fw_hull fw_hull_union(const struct fw_hull *a, const struct fw_hull *b);

/* A set of addresses by family; masked ones are met when something comes to meet them. */
struct fw_ready_set {
    struct fw_spans range[3]; /* by enum ip_family */
    const struct fw_addr *masked;
    size_t masked_count;
};

/* Protocols and ports of a rule: a product. */
struct fw_ready_service {
    struct fw_spans proto, sport, dport;
};

struct fw_ready_rule {
    const struct fw_rule *rule;
    const struct fw_ready_set *src, *dst; /* NULL: any */
    const struct fw_ready_service *service;
    size_t service_count; /* at least 1 */
    const struct fw_ready_list *target;
};

struct fw_ready_list {
    const struct fw_list *list;
    struct fw_hull *hull; /* of the rules, one behind the other in memory */
    struct fw_ready_rule *rule; /* without the inactive ones */
    size_t count;
};

/* From one set of addresses to another, by position: what lies at lo..hi comes to lie at to... */
struct fw_shift {
    uint8_t family; /* enum ip_family; 0: ports */
    fw_wide lo, hi, to;
};

struct fw_shifts {
    const struct fw_shift *shift;
    size_t count;
};

void fw_shifts_push(struct fw_space *s, struct fw_shifts *t, size_t *cap, struct fw_shift one); /* exact_nat.c */

/* A NAT rule: what it maps. Without a set on the other side, shifts that leave things where they are. */
struct fw_ready_nat {
    const struct fw_nat *nat;
    bool any_src, any_dst; /* of the real side; the source (destination) is neither asked nor changed */
    struct fw_shifts src, dst;           /* real to mapped; dst_from to dst_to */
    struct fw_shifts src_back, dst_back; /* mapped to real; dst_to to dst_from */
};

struct fw_ready_taint {
    const struct fw_taint *taint;
    struct fw_ready_rule rule; /* its five fields */
};

struct fw_prepared {
    const struct fw_rules *rules;
    struct fw_space *space;
    struct fw_ready_list *list; /* as in rules->list */
    struct fw_ready_nat *nat;   /* as in rules->nat */
    struct fw_ready_taint *taint;
    struct fw_spans own[3]; /* the firewall's own addresses, by enum ip_family */
};

/* NULL for NULL. */
const struct fw_ready_list *fw_ready_list(const struct fw_prepared *p, const struct fw_list *l);
/* The part of a cell's addresses that is in the set. */
struct fw_spans fw_ready_meet(struct fw_space *s, struct fw_spans a, uint8_t family, const struct fw_ready_set *set);
/* The five fields. False: nothing in common. in: per dimension. */
bool fw_ready_cut(struct fw_space *s, const struct fw_cell *c, const struct fw_ready_rule *r, size_t service,
                  struct fw_spans in[FW_DIMS]);

/* ---- walking ---- */

/* Packets that the walk treats alike, with a trace that they share; of which of the walker's pieces they are. */
struct fw_thread {
    struct fw_cell cell; /* as the list sees it */
    struct fw_hull hull;
    uint32_t piece;
    const struct fw_trace *trace;
};

struct fw_threads {
    struct fw_thread *thread;
    size_t count, cap;
};

struct fw_walk {
    const struct fw_prepared *prepared;
    struct fw_space *space;
    int in, out; /* as the hook knows them */
    uint8_t states, tcp_flags;
    unsigned steps;
    struct fw_trace spare; /* written to when the space ran out */
};

void fw_threads_push(struct fw_space *s, struct fw_threads *t, const struct fw_thread *one);
/* Walks all of `from`, which is used up; every packet of it is then in *done, its trace telling all ends that it may
 * have; bit 0 of `fell`: the list may end without a decision. */
void fw_walk_list(struct fw_walk *w, const struct fw_ready_list *l, struct fw_threads *from, struct fw_threads *done);

#endif
