/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy for the first packet of a flow. Order of an ASA: the list of the ingress interface, the global list, the
 * implicit deny; without a list the security levels; then the outbound list of the egress interface. */
#include <string.h>

#include "models/base/bytes.h"
#include "models/firewall/rules.h"

bool fw_rule_matches(const struct fw_rule *rule, const struct fw_flow *f)
{
    bool service = rule->service_count == 0;
    for (size_t i = 0; i < rule->service_count && !service; i++)
        service = fw_service_has(&rule->service[i], f);
    return service && fw_set_has(rule->dst, &f->dst) && fw_set_has(rule->src, &f->src);
}

const struct fw_rule *fw_list_match(const struct fw_list *l, const struct fw_flow *f)
{
    for (size_t i = 0; i < l->count; i++)
        if (!l->rule[i].inactive && fw_rule_matches(&l->rule[i], f))
            return &l->rule[i];
    return NULL;
}

static struct fw_verdict plain(enum fw_decision decision, const char *reason)
{
    return (struct fw_verdict){.decision = decision, .reason = reason, .iface = FW_ANY_IFACE};
}

/* What list l, bound to iface (or globally), says; NOT_REACHED when no rule matches. */
static struct fw_verdict ask(const struct fw_list *l, int iface, enum fw_direction dir, const struct fw_flow *f)
{
    struct fw_verdict v = {.decision = FW_NOT_REACHED,
                           .reason = "implicit",
                           .list = l->name,
                           .iface = iface,
                           .dir = dir};
    const struct fw_rule *rule = fw_list_match(l, f);
    if (rule) {
        v.decision = rule->action == FW_PERMIT ? FW_PERMITTED : FW_DENIED;
        v.reject = rule->action == FW_REJECT;
        v.reason = "acl";
        v.rule = rule->ref;
    }
    return v;
}

/* No list decides about traffic entering at in and leaving at out. */
static struct fw_verdict without_list(const struct fw_rules *r, int in, int out)
{
    if (r->policy.without_list != FW_DEFAULT_LEVELS)
        return plain(r->policy.without_list == FW_DEFAULT_PERMIT ? FW_PERMITTED : FW_DENIED, "default");
    int from = r->iface[in].level, to = r->iface[out].level;
    if (in != out && from == to)
        return plain(r->policy.same_level_inter ? FW_PERMITTED : FW_DENIED, "same-level");
    return plain(from >= to ? FW_PERMITTED : FW_DENIED, "level");
}

static struct fw_verdict ask_inbound(const struct fw_rules *r, int in, int out, const struct fw_flow *f)
{
    const struct fw_list *own = r->iface[in].list[FW_IN];
    if (!own && !r->global)
        return without_list(r, in, out);
    struct fw_verdict v = {.decision = FW_NOT_REACHED};
    if (own)
        v = ask(own, in, FW_IN, f);
    if (v.decision == FW_NOT_REACHED && r->global) {
        struct fw_verdict g = ask(r->global, FW_ANY_IFACE, FW_IN, f);
        if (g.decision != FW_NOT_REACHED || !own)
            v = g; /* else the implicit deny is blamed on the interface's own list */
    }
    if (v.decision == FW_NOT_REACHED)
        v.decision = FW_DENIED;
    return v;
}

struct fw_verdict fw_eval(const struct fw_rules *r, int in, int out, const struct fw_flow *f)
{
    if (in < 0 || out < 0 || (size_t)in >= r->iface_count || (size_t)out >= r->iface_count)
        return plain(FW_NOT_REACHED, "no-interface");
    if (r->iface[in].shutdown || r->iface[out].shutdown)
        return plain(FW_NOT_REACHED, "shutdown");
    bool levels = r->policy.without_list == FW_DEFAULT_LEVELS;
    if (levels && in == out && !r->policy.same_level_intra)
        return plain(FW_DENIED, "hairpin");
    if (levels && in != out && r->iface[in].level == r->iface[out].level && !r->policy.same_level_inter)
        return plain(FW_DENIED, "same-level");
    struct fw_verdict v = ask_inbound(r, in, out, f);
    if (v.decision != FW_PERMITTED || !r->iface[out].list[FW_OUT])
        return v;
    struct fw_verdict o = ask(r->iface[out].list[FW_OUT], out, FW_OUT, f);
    if (o.decision == FW_PERMITTED)
        return v;
    o.decision = FW_DENIED;
    return o;
}

void fw_verdict_text(const struct fw_rules *r, const struct fw_verdict *v, char *out, size_t cap)
{
    static const char *const word[] = {[FW_DENIED] = "denied", [FW_PERMITTED] = "permitted", [FW_UNKNOWN] = "unknown",
                                       [FW_NOT_REACHED] = "not reached"};
    struct text t = text_of(out, cap);
    text_add(&t, "%s", word[v->decision]);
    if (v->rule)
        text_add(&t, " by access-list %s line %u", v->list, v->rule->line);
    else if (v->list)
        text_add(&t, " by the implicit deny at the end of access-list %s", v->list);
    else
        text_add(&t, " (%s)", v->reason);
    if (v->list && v->iface == FW_ANY_IFACE)
        text_add(&t, " (global)");
    else if (v->list)
        text_add(&t, " (%s interface %s)", v->dir == FW_IN ? "in" : "out", r->iface[v->iface].name);
}
