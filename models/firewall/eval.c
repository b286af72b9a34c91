/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy for one packet. A chain of rules is walked once, and the walk gives all ends that it may have: more than
 * one where a rule asks what this program cannot tell. A verdict is UNKNOWN only where those ends differ. */
#include <string.h>

#include "models/base/bytes.h"
#include "models/firewall/verdict.h"

uint64_t fw_flags_set(uint8_t mask, uint8_t value)
{
    uint64_t set = 0;
    for (unsigned flags = 0; flags < 64; flags++)
        if ((flags & mask) == value)
            set |= UINT64_C(1) << flags;
    return set;
}

/* ---- one rule ---- */

bool fw_services_have(const struct fw_service *service, size_t count, const struct fw_flow *f)
{
    bool has = count == 0;
    for (size_t i = 0; i < count && !has; i++)
        has = fw_service_has(&service[i], f);
    return has;
}

bool fw_rule_matches(const struct fw_rule *rule, const struct fw_flow *f)
{
    return fw_services_have(rule->service, rule->service_count, f) && fw_set_has(rule->dst, &f->dst) &&
           fw_set_has(rule->src, &f->src);
}

const struct fw_rule *fw_list_match(const struct fw_list *l, const struct fw_flow *f)
{
    for (size_t i = 0; i < l->count; i++)
        if (!l->rule[i].inactive && fw_rule_matches(&l->rule[i], f))
            return &l->rule[i];
    return NULL;
}

static bool is_own(const struct fw_rules *r, const struct ip_addr *ip)
{
    for (size_t i = 0; i < r->iface_count; i++)
        for (size_t k = 0; k < r->iface[i].address_count; k++)
            if (ip_equal(&r->iface[i].address[k].ip, ip))
                return true;
    return false;
}

static bool owned(const struct fw_rules *r, int8_t wanted, const struct ip_addr *ip)
{
    return !wanted || is_own(r, ip) == (wanted > 0);
}

/* ---- a walk ---- */

struct walk {
    const struct fw_rules *r;
    const struct fw_context *ctx;
    const struct fw_flow *f; /* as the chain sees it */
    uint8_t states;
    unsigned steps;
    struct fw_trace trace; /* bit 0 of fell alone */
};

static bool conditions_met(const struct walk *w, const struct fw_conditions *c)
{
    if (!fw_conditions_fit(c, w->ctx->in, w->ctx->out, w->states) || (c->fragment && !w->ctx->fragment))
        return false;
    if (c->tcp_flags && !(w->f->proto == PROTO_TCP && c->tcp_flags >> (w->ctx->tcp_flags & 63) & 1))
        return false;
    return owned(w->r, c->src_is_own, &w->f->src) && owned(w->r, c->dst_is_own, &w->f->dst);
}

static bool meets(const struct walk *w, const struct fw_rule *rule)
{
    return !rule->inactive && (!rule->when || conditions_met(w, rule->when)) && fw_rule_matches(rule, w->f);
}

/* True: the list may be left without a decision. */
static bool walk_list(struct walk *w, const struct fw_list *l, unsigned depth)
{
    bool fell = false;
    for (size_t i = 0; i < l->count; i++) {
        const struct fw_rule *rule = &l->rule[i];
        if (!meets(w, rule))
            continue;
        bool on = fw_is_doubtful(rule) || rule->action == FW_NOTRACK;
        bool too_deep = depth == FW_DEPTH_MAX || w->steps++ >= FW_STEPS_MAX;
        fw_trace_meets(&w->trace, l, rule, too_deep);
        if (too_deep)
            return true;
        if (rule->action == FW_JUMP)
            on = walk_list(w, rule->target, depth + 1) || on;
        else if (rule->action == FW_RETURN || (rule->action == FW_GOTO && walk_list(w, rule->target, depth + 1)))
            fell = true;
        if (!on)
            return fell;
    }
    return true;
}

/* ---- machines with lists ---- */

static struct walk walk_of(const struct fw_rules *r, const struct fw_context *ctx, const struct fw_flow *f)
{
    return (struct walk){.r = r, .ctx = ctx, .f = f, .states = ctx->states ? ctx->states : FW_STATE_NEW};
}

struct fw_verdict fw_without_list(const struct fw_rules *r, int in, int out)
{
    int from = in < 0 ? 0 : r->iface[in].level, to = out < 0 ? 0 : r->iface[out].level;
    switch (r->policy.without_list) {
    case FW_DEFAULT_PERMIT:
        return fw_verdict_of(FW_PERMITTED, "default");
    case FW_DEFAULT_DENY:
        return fw_verdict_of(FW_DENIED, "default");
    case FW_DEFAULT_ZONES:
        return from == to ? fw_verdict_of(FW_PERMITTED, "intrazone-default")
                          : fw_verdict_of(FW_DENIED, "interzone-default");
    default:
        if (in != out && from == to)
            return fw_verdict_of(r->policy.same_level_inter ? FW_PERMITTED : FW_DENIED, "same-level");
        return fw_verdict_of(from >= to ? FW_PERMITTED : FW_DENIED, "level");
    }
}

static const struct fw_flow *view_of(const struct fw_context *ctx, enum fw_view view)
{
    return view == FW_VIEW_ARRIVED ? &ctx->arrived : view == FW_VIEW_REAL ? &ctx->real : &ctx->leaving;
}

static struct fw_verdict ask_lists(const struct fw_rules *r, const struct fw_context *ctx, const struct fw_lists *l)
{
    struct walk w = walk_of(r, ctx, view_of(ctx, r->policy.view[l->dir]));
    bool fell = !l->own || walk_list(&w, l->own, 0);
    if (fell && l->global)
        fell = walk_list(&w, l->global, 0);
    w.trace.fell = fell;
    return fw_verdict_lists(l, &w.trace);
}

static struct fw_verdict ask_inbound(const struct fw_rules *r, const struct fw_context *ctx)
{
    struct fw_lists l = {.own = ctx->in < 0 ? NULL : r->iface[ctx->in].list[FW_IN], .global = r->global,
                         .dir = FW_IN, .iface = ctx->in, .otherwise = fw_without_list(r, ctx->in, ctx->out)};
    if (!l.own && !l.global)
        return l.otherwise;
    if (r->policy.without_list != FW_DEFAULT_ZONES)
        l.otherwise = (struct fw_verdict){.decision = FW_DENIED}; /* the implicit deny at a list's end */
    return ask_lists(r, ctx, &l);
}

const char *fw_level_bars(const struct fw_rules *r, int in, int out)
{
    if (r->policy.without_list != FW_DEFAULT_LEVELS || in < 0 || out < 0)
        return NULL;
    if (in == out)
        return r->policy.same_level_intra ? NULL : "hairpin";
    return r->iface[in].level == r->iface[out].level && !r->policy.same_level_inter ? "same-level" : NULL;
}

static struct fw_verdict eval_lists(const struct fw_rules *r, const struct fw_context *ctx)
{
    const char *bar = fw_level_bars(r, ctx->in, ctx->out);
    if (bar)
        return fw_verdict_of(FW_DENIED, bar);
    struct fw_verdict v = ask_inbound(r, ctx);
    struct fw_lists out = {.own = ctx->out < 0 ? NULL : r->iface[ctx->out].list[FW_OUT], .dir = FW_OUT,
                           .iface = ctx->out, .otherwise = {.decision = FW_DENIED}};
    if (v.decision == FW_DENIED || !out.own)
        return v;
    struct fw_verdict o = ask_lists(r, ctx, &out);
    return o.decision == FW_PERMITTED ? v : o;
}

/* ---- machines with hooks ---- */

const struct fw_flow *fw_base_view(const struct fw_base *b, const struct fw_context *ctx)
{
    if (b->hook == FW_PREROUTING || b->hook == FW_OUTPUT)
        return b->priority <= FW_PRIO_DSTNAT ? &ctx->arrived : &ctx->real;
    return b->hook == FW_POSTROUTING && b->priority > FW_PRIO_SRCNAT ? &ctx->leaving : &ctx->real;
}

static bool is_first(const struct fw_context *ctx)
{
    return !ctx->begun && (!ctx->states || ctx->states & FW_STATE_NEW);
}

uint8_t fw_base_states(const struct fw_base *b, const struct fw_context *ctx)
{
    bool in = b->hook == FW_PREROUTING || b->hook == FW_OUTPUT;
    uint8_t states = ctx->states ? ctx->states : FW_STATE_NEW;
    /* The kernel calls a packet without a connection INVALID, unless it was told not to look for one. */
    if (in && b->priority < FW_PRIO_CONNTRACK)
        return FW_STATE_INVALID;
    /* The first packet is not translated before the chain that does it. */
    if (is_first(ctx) && in && b->priority <= FW_PRIO_DSTNAT)
        states &= (uint8_t)~FW_STATE_DNAT;
    if (is_first(ctx) && !(b->hook == FW_POSTROUTING && b->priority > FW_PRIO_SRCNAT))
        states &= (uint8_t)~FW_STATE_SNAT;
    return states;
}

size_t fw_hooks_of(const struct fw_context *ctx, enum fw_hook hook[3])
{
    size_t n = 0;
    if (ctx->in != FW_SELF)
        hook[n++] = FW_PREROUTING;
    hook[n++] = ctx->in == FW_SELF ? FW_OUTPUT : ctx->out == FW_SELF ? FW_INPUT : FW_FORWARD;
    if (ctx->out != FW_SELF)
        hook[n++] = FW_POSTROUTING;
    return n;
}

/* Interfaces that are known at a hook. */
static struct fw_context at_hook(const struct fw_context *ctx, enum fw_hook hook)
{
    struct fw_context c = *ctx;
    if (hook == FW_PREROUTING || hook == FW_INPUT)
        c.out = FW_SELF;
    if (hook == FW_OUTPUT)
        c.in = FW_SELF;
    return c;
}

static bool base_sees(const struct fw_base *b, const struct fw_context *ctx)
{
    return !b->family || b->family == ctx->arrived.dst.family;
}

/* What one base chain says; v is what those before it said. */
static struct fw_verdict ask_base(const struct fw_rules *r, const struct fw_base *b, const struct fw_context *ctx,
                                  bool *notrack, struct fw_verdict v)
{
    struct fw_context here = at_hook(ctx, b->hook);
    struct walk w = walk_of(r, &here, fw_base_view(b, ctx));
    w.states = *notrack ? FW_STATE_UNTRACKED : fw_base_states(b, ctx);
    w.trace.fell = walk_list(&w, b->list, 0);
    *notrack = *notrack || w.trace.notrack;
    return fw_verdict_chain(b, &w.trace, v);
}

static struct fw_verdict eval_hooks(const struct fw_rules *r, const struct fw_context *ctx)
{
    enum fw_hook hook[3];
    size_t hooks = fw_hooks_of(ctx, hook);
    struct fw_verdict v = fw_verdict_of(FW_PERMITTED, "default");
    bool notrack = false, first = is_first(ctx);
    for (size_t h = 0; h < hooks; h++)
        for (size_t i = 0; i < r->base_count && v.decision != FW_DENIED; i++) {
            const struct fw_base *b = &r->base[i];
            if (b->hook == hook[h] && base_sees(b, ctx) && (!b->nat || (first && !notrack)))
                v = ask_base(r, b, ctx, &notrack, v);
        }
    return v;
}

const struct fw_rule *fw_nat_chain(const struct fw_rules *r, enum fw_hook hook, const struct fw_context *ctx,
                                   struct fw_verdict *v)
{
    for (size_t i = 0; i < r->base_count; i++) {
        const struct fw_base *b = &r->base[i];
        if (b->hook != hook || !b->nat || !base_sees(b, ctx))
            continue;
        struct fw_context here = at_hook(ctx, hook);
        struct walk w = walk_of(r, &here, fw_base_view(b, ctx));
        walk_list(&w, b->list, 0);
        fw_verdict_doubts(v, &w.trace);
        if (w.trace.permit.rule && w.trace.permit.rule->nat)
            return w.trace.permit.rule;
    }
    return NULL;
}

bool fw_early(const struct fw_rules *r, const struct fw_context *ctx, bool *notrack)
{
    enum fw_hook hook = ctx->in == FW_SELF ? FW_OUTPUT : FW_PREROUTING;
    struct fw_verdict v = fw_verdict_of(FW_PERMITTED, "default");
    *notrack = false;
    for (size_t i = 0; i < r->base_count && v.decision != FW_DENIED; i++) {
        const struct fw_base *b = &r->base[i];
        if (b->hook == hook && b->priority < FW_PRIO_CONNTRACK && base_sees(b, ctx))
            v = ask_base(r, b, ctx, notrack, v);
    }
    return v.decision != FW_DENIED;
}

/* ---- both ---- */

static bool tainted(const struct fw_taint *t, const struct fw_context *ctx, const struct fw_flow *f)
{
    return fw_on_iface(t->in_ifaces, ctx->in) && fw_on_iface(t->out_ifaces, ctx->out) && fw_set_has(t->src, &f->src) &&
           fw_set_has(t->dst, &f->dst) && fw_services_have(t->service, t->service_count, f);
}

static bool is_iface(const struct fw_rules *r, int iface)
{
    return iface == FW_SELF || (iface >= 0 && (size_t)iface < r->iface_count);
}

struct fw_verdict fw_eval(const struct fw_rules *r, const struct fw_context *ctx)
{
    if (!is_iface(r, ctx->in) || !is_iface(r, ctx->out))
        return fw_verdict_of(FW_NOT_REACHED, "no-interface");
    if ((ctx->in >= 0 && r->iface[ctx->in].shutdown) || (ctx->out >= 0 && r->iface[ctx->out].shutdown))
        return fw_verdict_of(FW_NOT_REACHED, "shutdown");
    struct fw_verdict v = r->base_count ? eval_hooks(r, ctx) : eval_lists(r, ctx);
    for (size_t i = 0; i < r->taint_count; i++)
        if (tainted(&r->taint[i], ctx, &ctx->arrived) || tainted(&r->taint[i], ctx, &ctx->real))
            fw_verdict_taint(&v, &r->taint[i]);
    return v;
}

struct fw_verdict fw_eval_first(const struct fw_rules *r, int in, int out, const struct fw_flow *f)
{
    enum { SYN = 2 };
    struct fw_context ctx = {.in = in, .out = out, .states = FW_STATE_NEW, .tcp_flags = SYN, .arrived = *f,
                             .real = *f, .leaving = *f};
    return fw_eval(r, &ctx);
}

static void decided_by(const struct fw_rules *r, const struct fw_verdict *v, struct text *t)
{
    const char *kind = r->base_count ? "chain" : "access-list";
    if (v->rule)
        text_add(t, " by %s %s line %u", kind, v->list, v->rule->line);
    else if (v->list && r->base_count)
        text_add(t, " by the policy of chain %s", v->list);
    else if (v->list)
        text_add(t, " by the implicit deny at the end of access-list %s", v->list);
    else
        text_add(t, " (%s)", v->reason);
    if (r->base_count)
        return;
    if (v->list && v->iface == FW_ANY_IFACE)
        text_add(t, " (global)");
    else if (v->list && v->iface >= 0)
        text_add(t, " (%s interface %s)", v->dir == FW_IN ? "in" : "out", r->iface[v->iface].name);
}

void fw_verdict_text(const struct fw_rules *r, const struct fw_verdict *v, char *out, size_t cap)
{
    static const char *const word[] = {[FW_DENIED] = "denied", [FW_PERMITTED] = "permitted", [FW_UNKNOWN] = "unknown",
                                       [FW_NOT_REACHED] = "not reached"};
    struct text t = text_of(out, cap);
    text_add(&t, "%s", word[v->decision]);
    if (v->decision != FW_UNKNOWN) {
        decided_by(r, v, &t);
        return;
    }
    for (size_t i = 0; i < v->doubt_count; i++)
        text_add(&t, "%s line %u (%s)", i ? "," : ":", v->doubt[i].ref->line, v->doubt[i].why);
}
