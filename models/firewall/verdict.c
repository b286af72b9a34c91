/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/firewall/verdict.h"

/* ---- conditions ---- */

bool fw_on_iface(uint64_t wanted, int iface)
{
    return !wanted || (iface >= 0 && wanted >> iface & 1);
}

bool fw_conditions_fit(const struct fw_conditions *c, int in, int out, uint8_t states)
{
    return !c->no_in && !c->no_out && fw_on_iface(c->in_ifaces, in) && fw_on_iface(c->out_ifaces, out) &&
           (!c->states || c->states & states) && !(c->not_states & states);
}

/* ---- a walk meets a rule ---- */

static void add_doubt(struct fw_doubt list[FW_DOUBTS_MAX], size_t *count, const struct fw_rule_ref *ref,
                      const char *why)
{
    for (size_t i = 0; i < *count; i++)
        if (list[i].ref == ref)
            return;
    if (*count < FW_DOUBTS_MAX)
        list[(*count)++] = (struct fw_doubt){ref, why};
}

static void decide(struct fw_decided *d, const struct fw_list *l, const struct fw_rule *rule)
{
    bool certain = !fw_is_doubtful(rule);
    if (!d->rule || (certain && !d->certain))
        *d = (struct fw_decided){rule, l, certain};
}

bool fw_is_doubtful(const struct fw_rule *rule)
{
    return rule->when && rule->when->unknown;
}

void fw_trace_meets(struct fw_trace *t, const struct fw_list *l, const struct fw_rule *rule, bool too_deep)
{
    if (fw_is_doubtful(rule))
        add_doubt(t->doubt, &t->doubt_count, rule->ref, rule->when->unknown);
    if (too_deep) {
        add_doubt(t->doubt, &t->doubt_count, rule->ref, "chains jump to each other too deep to follow");
        t->ends |= FW_CAN_PERMIT | FW_CAN_DENY;
        return;
    }
    switch (rule->action) {
    case FW_PERMIT:
    case FW_NAT_TO:
        decide(&t->permit, l, rule);
        t->ends |= FW_CAN_PERMIT;
        break;
    case FW_DENY:
    case FW_REJECT:
        decide(&t->deny, l, rule);
        t->ends |= FW_CAN_DENY;
        break;
    case FW_NOTRACK:
        t->notrack = true;
        break;
    case FW_JUMP:
    case FW_GOTO:
    case FW_RETURN:
        break;
    }
}

/* ---- verdicts ---- */

struct fw_verdict fw_verdict_of(enum fw_decision decision, const char *reason)
{
    return (struct fw_verdict){.decision = decision, .reason = reason, .iface = FW_ANY_IFACE};
}

void fw_verdict_doubt(struct fw_verdict *v, const struct fw_rule_ref *ref, const char *why)
{
    add_doubt(v->doubt, &v->doubt_count, ref, why);
}

void fw_verdict_doubts(struct fw_verdict *v, const struct fw_trace *t)
{
    for (size_t i = 0; i < t->doubt_count; i++)
        fw_verdict_doubt(v, t->doubt[i].ref, t->doubt[i].why);
}

void fw_verdict_taint(struct fw_verdict *v, const struct fw_taint *t)
{
    if (v->decision != FW_UNKNOWN)
        v->doubt_count = 0;
    v->decision = FW_UNKNOWN;
    v->reason = "unsupported";
    fw_verdict_doubt(v, t->ref, t->why);
}

static void blame(struct fw_verdict *v, const struct fw_decided *d)
{
    v->reject = d->rule->action == FW_REJECT;
    v->reason = "acl";
    v->list = d->list->name;
    v->rule = d->rule->ref;
}

/* All ends that there may be, with those of a walk that no rule ended. */
static unsigned ends_of(const struct fw_trace *t, bool permits)
{
    return t->ends | (t->fell & 1 ? permits ? FW_CAN_PERMIT : FW_CAN_DENY : 0U);
}

struct fw_verdict fw_verdict_lists(const struct fw_lists *l, const struct fw_trace *t)
{
    struct fw_verdict v = {.reason = "implicit", .dir = l->dir, .iface = l->own ? l->iface : FW_ANY_IFACE};
    unsigned ends = ends_of(t, l->otherwise.decision == FW_PERMITTED);
    if (ends == (FW_CAN_PERMIT | FW_CAN_DENY)) {
        v.decision = FW_UNKNOWN;
        v.reason = "unsupported";
        fw_verdict_doubts(&v, t);
        return v;
    }
    const struct fw_decided *d = ends == FW_CAN_PERMIT ? &t->permit : &t->deny;
    if (t->fell & 1 && !(d->rule && d->certain)) {
        if (l->otherwise.reason) {
            struct fw_verdict other = l->otherwise;
            other.dir = l->dir;
            return other;
        }
        v.decision = l->otherwise.decision;
        v.list = l->own ? l->own->name : l->global->name;
        return v;
    }
    v.decision = ends == FW_CAN_PERMIT ? FW_PERMITTED : FW_DENIED;
    blame(&v, d);
    if (d->list == l->global)
        v.iface = FW_ANY_IFACE;
    return v;
}

struct fw_verdict fw_verdict_chain(const struct fw_base *b, const struct fw_trace *t, struct fw_verdict v)
{
    unsigned ends = ends_of(t, b->policy == FW_PERMIT);
    if (ends == (FW_CAN_PERMIT | FW_CAN_DENY)) {
        v.decision = FW_UNKNOWN;
        v.reason = "unsupported";
        v.list = b->list->name;
        v.rule = NULL;
        fw_verdict_doubts(&v, t);
        return v;
    }
    if (ends == FW_CAN_PERMIT && v.decision == FW_UNKNOWN)
        return v;
    const struct fw_decided *d = ends == FW_CAN_PERMIT ? &t->permit : &t->deny;
    enum fw_decision decision = ends == FW_CAN_PERMIT ? FW_PERMITTED : FW_DENIED;
    if (d->rule && (d->certain || !(t->fell & 1))) {
        v.decision = decision;
        v.doubt_count = 0; /* what chains before it left unknown does not matter now */
        blame(&v, d);
    } else if (decision == FW_DENIED || !v.rule) {
        v = fw_verdict_of(decision, "policy");
        v.list = b->list->name;
        v.rule = b->ref->line ? b->ref : NULL;
    }
    return v;
}
