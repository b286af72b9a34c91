/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From what a walk through a list has found out to a verdict: the same for one packet (eval.c) and for a set of packets
 * (exact_rules.c, exact_hooks.c). */
#ifndef TP_FIREWALL_VERDICT_H
#define TP_FIREWALL_VERDICT_H

#include "models/firewall/rules.h"

/* How deep chains may jump, and the steps of one walk. */
enum { FW_DEPTH_MAX = 32, FW_STEPS_MAX = 1000000 };

enum { FW_CAN_PERMIT = 1, FW_CAN_DENY = 2 };

/* A rule that decides, and the list that it is in. */
struct fw_decided {
    const struct fw_rule *rule;
    const struct fw_list *list;
    bool certain;
};

/* What a walk has found out so far. */
struct fw_trace {
    uint8_t ends;  /* FW_CAN_* that rules gave */
    uint64_t fell; /* bit n: at depth n the list may have been left without a decision */
    bool notrack;
    struct fw_decided permit, deny;
    struct fw_doubt doubt[FW_DOUBTS_MAX];
    size_t doubt_count;
};

/* ---- conditions ---- */

/* wanted: as bits; 0: any. */
bool fw_on_iface(uint64_t wanted, int iface);
/* Those of a rule's conditions that ask for neither header nor flags. */
bool fw_conditions_fit(const struct fw_conditions *c, int in, int out, uint8_t states);

/* ---- a walk meets a rule ---- */

/* The rule asks what this program cannot tell. */
bool fw_is_doubtful(const struct fw_rule *rule);
/* What the rule adds: its doubt, a decision of its own, or that connection tracking ends. Where jumps lead and what
 * returns is the walk's. too_deep: the walk cannot go on, and may end in any way. */
void fw_trace_meets(struct fw_trace *t, const struct fw_list *l, const struct fw_rule *rule, bool too_deep);

/* ---- verdicts ---- */

struct fw_verdict fw_verdict_of(enum fw_decision decision, const char *reason); /* without a list */
void fw_verdict_doubts(struct fw_verdict *v, const struct fw_trace *t);         /* added */
void fw_verdict_doubt(struct fw_verdict *v, const struct fw_rule_ref *ref, const char *why); /* likewise, once each */
/* A line that nobody understood could decide about the packet. */
void fw_verdict_taint(struct fw_verdict *v, const struct fw_taint *t);

/* What is asked of a packet: the list, then the list behind it, then `otherwise`. */
struct fw_lists {
    const struct fw_list *own, *global; /* NULL: none, but not both */
    struct fw_verdict otherwise; /* without a reason: the implicit end of the last list */
    enum fw_direction dir;
    int iface; /* that own is bound to */
};

/* t: of the walk through both; bit 0 of fell: neither decided. */
struct fw_verdict fw_verdict_lists(const struct fw_lists *l, const struct fw_trace *t);
/* What the chain makes of the verdict v of those before it. */
struct fw_verdict fw_verdict_chain(const struct fw_base *b, const struct fw_trace *t, struct fw_verdict v);

#endif
