/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy for one packet. A chain of rules is walked once, and the walk gives all ends that it may have: more than
 * one where a rule asks what this program cannot tell. A verdict is UNKNOWN only where those ends differ. */
#include <string.h>

#include "models/base/bytes.h"
#include "models/firewall/rules.h"

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

static bool on_iface(uint64_t wanted, int iface)
{
    return !wanted || (iface >= 0 && wanted >> iface & 1);
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

enum { CAN_PERMIT = 1, CAN_DENY = 2, CAN_END = 4 /* no rule decides */ };
enum { DEPTH_MAX = 32, STEPS_MAX = 1000000 };

/* A rule that decides, and the list it is in. */
struct decided {
    const struct fw_rule *rule;
    const struct fw_list *list;
    bool certain;
};

struct walk {
    const struct fw_rules *r;
    const struct fw_context *ctx;
    const struct fw_flow *f; /* as the chain sees it */
    uint8_t states;
    bool notrack;
    struct decided permit, deny;
    unsigned steps;
    struct fw_verdict *v; /* where doubts are noted */
};

static void doubt(struct fw_verdict *v, const struct fw_rule_ref *ref, const char *why)
{
    if (v->doubt_count == FW_DOUBTS_MAX)
        return;
    for (size_t i = 0; i < v->doubt_count; i++)
        if (v->doubt[i].ref == ref)
            return;
    v->doubt[v->doubt_count].ref = ref;
    v->doubt[v->doubt_count++].why = why;
}

static bool conditions_met(const struct walk *w, const struct fw_conditions *c)
{
    if (c->no_in || c->no_out || !on_iface(c->in_ifaces, w->ctx->in) || !on_iface(c->out_ifaces, w->ctx->out))
        return false;
    if ((c->states && !(c->states & w->states)) || c->not_states & w->states || (c->fragment && !w->ctx->fragment))
        return false;
    if (c->tcp_flags && !(w->f->proto == PROTO_TCP && c->tcp_flags >> (w->ctx->tcp_flags & 63) & 1))
        return false;
    return owned(w->r, c->src_is_own, &w->f->src) && owned(w->r, c->dst_is_own, &w->f->dst);
}

static bool meets(const struct walk *w, const struct fw_rule *rule)
{
    return !rule->inactive && (!rule->when || conditions_met(w, rule->when)) && fw_rule_matches(rule, w->f);
}

static void decide(struct decided *d, const struct fw_list *l, const struct fw_rule *rule)
{
    bool certain = !rule->when || !rule->when->unknown;
    if (!d->rule || (certain && !d->certain))
        *d = (struct decided){rule, l, certain};
}

/* The ends that the list may have for the packet. */
static unsigned walk_list(struct walk *w, const struct fw_list *l, unsigned depth)
{
    unsigned ends = 0;
    for (size_t i = 0; i < l->count; i++) {
        const struct fw_rule *rule = &l->rule[i];
        if (!meets(w, rule))
            continue;
        bool maybe = rule->when && rule->when->unknown, on = maybe;
        if (maybe)
            doubt(w->v, rule->ref, rule->when->unknown);
        if (depth == DEPTH_MAX || w->steps++ == STEPS_MAX) {
            doubt(w->v, rule->ref, "chains jump to each other too deep to follow");
            return CAN_PERMIT | CAN_DENY | CAN_END;
        }
        unsigned sub;
        switch (rule->action) {
        case FW_PERMIT:
        case FW_NAT_TO:
            decide(&w->permit, l, rule);
            ends |= CAN_PERMIT;
            break;
        case FW_DENY:
        case FW_REJECT:
            decide(&w->deny, l, rule);
            ends |= CAN_DENY;
            break;
        case FW_JUMP:
            sub = walk_list(w, rule->target, depth + 1);
            on = on || sub & CAN_END;
            ends |= sub & ~(unsigned)CAN_END;
            break;
        case FW_GOTO:
            ends |= walk_list(w, rule->target, depth + 1);
            break;
        case FW_RETURN:
            ends |= CAN_END;
            break;
        case FW_NOTRACK:
            w->notrack = true;
            on = true;
            break;
        }
        if (!on)
            return ends;
    }
    return ends | CAN_END;
}

static struct fw_verdict plain(enum fw_decision decision, const char *reason)
{
    return (struct fw_verdict){.decision = decision, .reason = reason, .iface = FW_ANY_IFACE};
}

static void blame(struct fw_verdict *v, const struct decided *d)
{
    v->reject = d->rule->action == FW_REJECT;
    v->reason = "acl";
    v->list = d->list->name;
    v->rule = d->rule->ref;
}

/* ---- machines with lists ---- */

static struct walk walk_of(const struct fw_rules *r, const struct fw_context *ctx, const struct fw_flow *f,
                           struct fw_verdict *v)
{
    return (struct walk){.r = r, .ctx = ctx, .f = f, .states = ctx->states ? ctx->states : FW_STATE_NEW, .v = v};
}

struct fw_verdict fw_without_list(const struct fw_rules *r, int in, int out)
{
    int from = in < 0 ? 0 : r->iface[in].level, to = out < 0 ? 0 : r->iface[out].level;
    switch (r->policy.without_list) {
    case FW_DEFAULT_PERMIT:
        return plain(FW_PERMITTED, "default");
    case FW_DEFAULT_DENY:
        return plain(FW_DENIED, "default");
    case FW_DEFAULT_ZONES:
        return plain(from == to ? FW_PERMITTED : FW_DENIED, from == to ? "intrazone-default" : "interzone-default");
    default:
        if (in != out && from == to)
            return plain(r->policy.same_level_inter ? FW_PERMITTED : FW_DENIED, "same-level");
        return plain(from >= to ? FW_PERMITTED : FW_DENIED, "level");
    }
}

static const struct fw_flow *view_of(const struct fw_context *ctx, enum fw_view view)
{
    return view == FW_VIEW_ARRIVED ? &ctx->arrived : view == FW_VIEW_REAL ? &ctx->real : &ctx->leaving;
}

/* What the list, then the list behind it, then `otherwise` say. */
static struct fw_verdict ask_lists(const struct fw_rules *r, const struct fw_context *ctx, enum fw_direction dir,
                                   const struct fw_list *own, const struct fw_list *global,
                                   struct fw_verdict otherwise)
{
    struct fw_verdict v = {.reason = "implicit", .dir = dir};
    struct walk w = walk_of(r, ctx, view_of(ctx, r->policy.view[dir]), &v);
    unsigned ends = own ? walk_list(&w, own, 0) : CAN_END;
    if (ends & CAN_END && global)
        ends = (ends & ~(unsigned)CAN_END) | walk_list(&w, global, 0);
    unsigned end = otherwise.decision == FW_PERMITTED ? CAN_PERMIT : CAN_DENY;
    bool fell = ends & CAN_END;
    if (fell)
        ends = (ends & ~(unsigned)CAN_END) | end;
    int iface = dir == FW_IN ? ctx->in : ctx->out;
    if (ends == (CAN_PERMIT | CAN_DENY)) {
        v.decision = FW_UNKNOWN;
        v.reason = "unsupported";
        v.iface = own ? iface : FW_ANY_IFACE;
        return v;
    }
    v.doubt_count = 0;
    struct decided *d = ends == CAN_PERMIT ? &w.permit : &w.deny;
    if (fell && !(d->rule && d->certain)) {
        if (otherwise.reason) {
            otherwise.dir = dir;
            return otherwise;
        }
        v.decision = otherwise.decision;
        v.list = own ? own->name : global->name;
        v.iface = own ? iface : FW_ANY_IFACE;
        return v;
    }
    v.decision = ends == CAN_PERMIT ? FW_PERMITTED : FW_DENIED;
    blame(&v, d);
    v.iface = own && d->list != global ? iface : FW_ANY_IFACE;
    return v;
}

static struct fw_verdict ask_inbound(const struct fw_rules *r, const struct fw_context *ctx)
{
    const struct fw_list *own = ctx->in < 0 ? NULL : r->iface[ctx->in].list[FW_IN];
    struct fw_verdict otherwise = fw_without_list(r, ctx->in, ctx->out);
    if (!own && !r->global)
        return otherwise;
    if (r->policy.without_list != FW_DEFAULT_ZONES)
        otherwise = (struct fw_verdict){.decision = FW_DENIED}; /* the implicit deny at a list's end */
    return ask_lists(r, ctx, FW_IN, own, r->global, otherwise);
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
        return plain(FW_DENIED, bar);
    struct fw_verdict v = ask_inbound(r, ctx);
    const struct fw_list *out = ctx->out < 0 ? NULL : r->iface[ctx->out].list[FW_OUT];
    if (v.decision == FW_DENIED || !out)
        return v;
    struct fw_verdict o = ask_lists(r, ctx, FW_OUT, out, NULL, (struct fw_verdict){.decision = FW_DENIED});
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
    struct walk w = walk_of(r, &here, fw_base_view(b, ctx), &v);
    w.states = *notrack ? FW_STATE_UNTRACKED : fw_base_states(b, ctx);
    size_t doubts = v.doubt_count;
    unsigned ends = walk_list(&w, b->list, 0);
    *notrack = *notrack || w.notrack;
    bool fell = ends & CAN_END;
    if (fell)
        ends = (ends & ~(unsigned)CAN_END) | (b->policy == FW_PERMIT ? CAN_PERMIT : CAN_DENY);
    if (ends == (CAN_PERMIT | CAN_DENY)) {
        v.decision = FW_UNKNOWN;
        v.reason = "unsupported";
        v.list = b->list->name;
        v.rule = NULL;
        return v;
    }
    v.doubt_count = doubts;
    if (ends == CAN_PERMIT && v.decision == FW_UNKNOWN)
        return v;
    struct decided *d = ends == CAN_PERMIT ? &w.permit : &w.deny;
    enum fw_decision decision = ends == CAN_PERMIT ? FW_PERMITTED : FW_DENIED;
    if (d->rule && (d->certain || !fell)) {
        v.decision = decision;
        blame(&v, d);
    } else if (decision == FW_DENIED || !v.rule) {
        v = plain(decision, "policy");
        v.list = b->list->name;
        v.rule = b->ref->line ? b->ref : NULL;
    }
    return v;
}

static struct fw_verdict eval_hooks(const struct fw_rules *r, const struct fw_context *ctx)
{
    enum fw_hook hook[3];
    size_t hooks = fw_hooks_of(ctx, hook);
    struct fw_verdict v = plain(FW_PERMITTED, "default");
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
        struct walk w = walk_of(r, &here, fw_base_view(b, ctx), v);
        walk_list(&w, b->list, 0);
        if (w.permit.rule && w.permit.rule->nat)
            return w.permit.rule;
    }
    return NULL;
}

bool fw_early(const struct fw_rules *r, const struct fw_context *ctx, bool *notrack)
{
    enum fw_hook hook = ctx->in == FW_SELF ? FW_OUTPUT : FW_PREROUTING;
    struct fw_verdict v = plain(FW_PERMITTED, "default");
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
    return on_iface(t->in_ifaces, ctx->in) && on_iface(t->out_ifaces, ctx->out) && fw_set_has(t->src, &f->src) &&
           fw_set_has(t->dst, &f->dst) && fw_services_have(t->service, t->service_count, f);
}

static bool is_iface(const struct fw_rules *r, int iface)
{
    return iface == FW_SELF || (iface >= 0 && (size_t)iface < r->iface_count);
}

struct fw_verdict fw_eval(const struct fw_rules *r, const struct fw_context *ctx)
{
    if (!is_iface(r, ctx->in) || !is_iface(r, ctx->out))
        return plain(FW_NOT_REACHED, "no-interface");
    if ((ctx->in >= 0 && r->iface[ctx->in].shutdown) || (ctx->out >= 0 && r->iface[ctx->out].shutdown))
        return plain(FW_NOT_REACHED, "shutdown");
    struct fw_verdict v = r->base_count ? eval_hooks(r, ctx) : eval_lists(r, ctx);
    for (size_t i = 0; i < r->taint_count; i++)
        if (tainted(&r->taint[i], ctx, &ctx->arrived) || tainted(&r->taint[i], ctx, &ctx->real)) {
            if (v.decision != FW_UNKNOWN)
                v.doubt_count = 0;
            v.decision = FW_UNKNOWN;
            v.reason = "unsupported";
            doubt(&v, r->taint[i].ref, r->taint[i].why);
        }
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
