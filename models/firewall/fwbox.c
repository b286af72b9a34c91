/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way of a packet through a firewall. One of a known connection is translated and passed. A first packet goes:
 * un-NAT of the destination, egress interface, rules on real addresses, NAT of the source, the check that the answer
 * would come back by the same rules; then there is a connection. */
#include "models/firewall/fwbox_parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/time.h"

enum { MAX_CONNECTIONS = 16384 };

struct fw_box *fw_box_new(const struct fw_box_config *cfg)
{
    struct fw_box *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    b->rules = cfg->rules;
    b->routes = cfg->routes;
    b->shutter = cfg->shutter;
    for (size_t i = 0; i < cfg->rules->iface_count; i++) {
        const struct fw_iface *f = &cfg->rules->iface[i];
        bool here = cfg->address[i] != NULL;
        b->address.prefix[i] = here ? cfg->address[i] : f->address;
        b->address.count[i] = here ? cfg->address_count[i] : f->address_count;
    }
    b->inspect_icmp = cfg->rules->policy.without_list != FW_DEFAULT_LEVELS || fw_rules_inspection(cfg->rules, "icmp");
    char stream[128];
    struct text t = text_of(stream, sizeof stream);
    text_add(&t, "%s/nat-ports", cfg->name);
    uint32_t max = cfg->max_connections ? (uint32_t)cfg->max_connections : MAX_CONNECTIONS;
    if (fw_conntrack_open(&b->ct, max, cfg->rules->timer) ||
        fw_xlates_open(&b->xlates, max, cfg->rules, &b->address, rng_named(cfg->seed, stream))) {
        fw_box_free(b);
        return NULL;
    }
    return b;
}

void fw_box_free(struct fw_box *b)
{
    if (!b)
        return;
    fw_conntrack_close(&b->ct);
    fw_xlates_close(&b->xlates);
    free(b);
}

struct fw_box_stats fw_box_stats(const struct fw_box *b)
{
    return (struct fw_box_stats){.connections = b->ct.live, .translations = b->xlates.live};
}

/* ---- timers and TCP states ---- */

enum fw_timer fw_box_tcp_timer(struct fw_conn *c, unsigned dir, uint8_t flags)
{
    if (flags & FW_RST || c->list == FW_TIMER_CLOSING)
        return FW_TIMER_CLOSING;
    if (flags & FW_SYN)
        c->syns |= (uint8_t)(1U << dir);
    if (flags & FW_FIN)
        c->fins |= (uint8_t)(1U << dir);
    if (c->fins)
        return c->fins == 3 ? FW_TIMER_CLOSING : FW_TIMER_HALF_CLOSED;
    /* Established by an ACK after both SYNs: the three-way handshake and simultaneous open alike (RFC 5382 REQ-2). */
    bool done = c->syns == 3 && (flags & (FW_ACK | FW_SYN)) == FW_ACK;
    return done || c->list == FW_TIMER_TCP ? FW_TIMER_TCP : FW_TIMER_EMBRYONIC;
}

enum fw_timer fw_box_first_timer(const struct fw_box *b, const struct fw_packet *p)
{
    switch (p->flow.proto) {
    case PROTO_TCP:
        return b->rules->policy.tcp_loose && !(p->tcp_flags & FW_SYN) ? FW_TIMER_TCP : FW_TIMER_EMBRYONIC;
    case PROTO_UDP:
        return FW_TIMER_UDP;
    default:
        return fw_is_icmp(p->flow.proto) ? FW_TIMER_ICMP : FW_TIMER_OTHER;
    }
}

void fw_box_expire(struct fw_box *b, uint64_t now_ns)
{
    uint64_t when_ns;
    for (uint32_t at; (at = fw_conn_expire(&b->ct, now_ns, &when_ns)) != 0;)
        fw_xlate_drop(&b->xlates, &b->ct, at, when_ns);
}

void fw_box_forget(struct fw_box *b, uint64_t now_ns, uint32_t at)
{
    fw_xlate_drop(&b->xlates, &b->ct, at, now_ns);
    fw_conn_remove(&b->ct, at);
}

/* ---- results ---- */

struct fw_result fw_box_dropped(const struct fw_packet *p, const char *reason)
{
    return (struct fw_result){.fate = FW_DROP, .iface = -1, .reason = reason, .seen = p->flow,
                              .verdict = {.decision = FW_NOT_REACHED, .reason = reason, .iface = FW_ANY_IFACE}};
}

bool fw_box_shut(const struct fw_box *b, const struct fw_packet *p, const struct fw_flow *leaving, struct fw_result *r)
{
    const struct fw_rule_ref *rule = b->shutter ? b->shutter->shuts(b->shutter->ctx, &p->flow, leaving) : NULL;
    if (!rule)
        return false;
    r->fate = FW_DROP;
    r->reason = "shut";
    r->rule = rule;
    return true;
}

/* A packet of connection c in direction dir: it goes out as the answer to what comes in the other way. */
static struct fw_result passed(const struct fw_box *b, const struct fw_packet *p, const struct fw_conn *c,
                               unsigned dir)
{
    const struct fw_key *k = &c->key[1 - dir];
    struct fw_result r = {.fate = FW_PASS, .iface = k->iface, .src = {k->dst, k->dport}, .dst = {k->src, k->sport},
                          .seen = p->flow};
    r.route = fw_routes_find_by(b->routes, &r.dst.ip, r.iface);
    return r;
}

/* ---- a packet of a connection ---- */

static bool refreshes(const struct fw_box *b, const struct fw_conn *c, unsigned dir)
{
    enum fw_nat_refresh other = dir == c->from_outside ? FW_REFRESH_INBOUND : FW_REFRESH_OUTBOUND;
    return !c->xlate || b->rules->behaviour.refresh != other;
}

/* What the rules say of a packet that is not the first: in machines that keep no state, and of ICMP answers. */
static struct fw_verdict ask_again(const struct fw_box *b, const struct fw_packet *p, const struct fw_result *r)
{
    struct fw_context ctx = {.in = p->iface, .out = r->iface, .states = FW_STATE_ESTABLISHED,
                             .tcp_flags = p->tcp_flags, .arrived = p->flow, .real = p->flow, .leaving = p->flow};
    ctx.real.dst = ctx.leaving.dst = r->dst.ip;
    ctx.leaving.src = r->src.ip;
    if (!fw_is_icmp(p->flow.proto)) {
        ctx.real.dport = ctx.leaving.dport = r->dst.port;
        ctx.leaving.sport = r->src.port;
    }
    return fw_eval(b->rules, &ctx);
}

static void refuse(struct fw_result *r)
{
    r->fate = r->verdict.reject ? FW_ANSWER : FW_DROP;
    r->reason = r->verdict.reason;
    r->rule = r->verdict.decision == FW_UNKNOWN ? r->verdict.doubt[0].ref : r->verdict.rule;
}

static struct fw_result known(struct fw_box *b, uint64_t now_ns, const struct fw_packet *p, uint32_t at, unsigned dir)
{
    struct fw_conn *c = fw_conn_at(&b->ct, at);
    struct fw_result r = passed(b, p, c, dir);
    if (b->rules->policy.stateless || (dir == 1 && c->checked_reply)) {
        r.verdict = ask_again(b, p, &r);
        r.seen.dst = r.dst.ip;
        if (r.verdict.decision != FW_PERMITTED) {
            refuse(&r);
            return r;
        }
    }
    if (p->flow.proto == PROTO_TCP)
        fw_conn_use(&b->ct, at, now_ns, fw_box_tcp_timer(c, dir, p->tcp_flags));
    else if (refreshes(b, c, dir))
        fw_conn_use(&b->ct, at, now_ns, (enum fw_timer)c->list);
    return r;
}

/* ---- the first packet ---- */

/* What NAT makes of a first packet. */
struct plan {
    struct fw_flow real; /* destination un-NATed, source as it came: what the rules see */
    struct fw_flow out;  /* as it leaves */
    int iface;           /* to leave by; negative: no route */
    const struct fw_nat *to, *from; /* the rules that set destination and source; NULL: none */
    uint32_t xlate_to;   /* the dynamic translation that the destination is of */
    bool admitted;       /* by a mapping and its filter (RFC 4787 section 5), not by the rules */
};

static bool is_manual(const struct fw_nat *n)
{
    return n->section != FW_NAT_OBJECT;
}

/* The interface that a rule names decides, else the route. */
static int egress(const struct fw_box *b, const struct fw_nat *n, int named, const struct ip_addr *dst)
{
    if (named != FW_ANY_IFACE && !n->route_lookup)
        return named;
    const struct fw_route *route = fw_routes_find(b->routes, dst);
    return route ? route->iface : -1;
}

/* A static rule that the destination meets: from its mapped side, or, when the rule has a destination of its own,
 * from its real side. A manual rule sees to the source too; an object's leaves it as it came. */
static bool plan_static(const struct fw_box *b, int in, const struct fw_flow *f, struct plan *plan)
{
    for (size_t i = 0; i < b->rules->nat_count; i++) {
        const struct fw_nat *n = &b->rules->nat[i];
        struct fw_flow t = *f;
        bool reverse = fw_nat_reverse(n, &b->address, in, &t);
        if (!reverse && !(n->has_dst && fw_nat_forward(n, &b->address, in, FW_ANY_IFACE, &t)))
            continue;
        plan->to = n;
        plan->from = is_manual(n) ? n : NULL;
        plan->iface = egress(b, n, reverse ? n->real_iface : n->mapped_iface, &t.dst);
        plan->real.dst = t.dst;
        plan->real.dport = t.dport;
        plan->out = t;
        return true;
    }
    return false;
}

/* RFC 4787 section 5: which remotes may use a mapping. */
static bool filter_admits(const struct fw_box *b, const struct fw_xlate *x, const struct fw_flow *f)
{
    switch (b->rules->behaviour.filtering) {
    case FW_ENDPOINT_INDEPENDENT:
        return true;
    case FW_ADDRESS_DEPENDENT:
        for (uint32_t at = x->conns; at; at = fw_conn_at(&b->ct, at)->sibling)
            if (ip_equal(&fw_conn_at(&b->ct, at)->key[1].src, &f->src))
                return true;
        return false;
    default:
        return false; /* the very connection would have been found */
    }
}

/* The destination is a live dynamic mapping. */
static bool plan_mapping(struct fw_box *b, uint64_t now_ns, int in, const struct fw_flow *f, struct plan *plan)
{
    uint32_t at = fw_xlate_find(&b->xlates, now_ns, in, f);
    bool hairpin = !at && b->rules->behaviour.hairpin != FW_HAIRPIN_NONE;
    for (int i = 0; hairpin && !at && i < (int)b->rules->iface_count; i++)
        at = fw_xlate_find(&b->xlates, now_ns, i, f);
    if (!at)
        return false;
    const struct fw_xlate *x = fw_xlate_at(&b->xlates, at);
    plan->xlate_to = at;
    plan->to = x->rule;
    plan->iface = x->real.iface;
    plan->real.dst = x->real.src;
    if (x->real.proto)
        plan->real.dport = x->real.sport;
    plan->out = plan->real;
    plan->admitted = hairpin || filter_admits(b, x, f);
    return true;
}

/* The rule for the source: the first that the packet meets on its way from in to out. */
static const struct fw_nat *source_rule(const struct fw_box *b, int in, int out, const struct fw_flow *f,
                                        struct fw_flow *after)
{
    for (size_t i = 0; i < b->rules->nat_count; i++) {
        const struct fw_nat *n = &b->rules->nat[i];
        struct fw_flow t = *f;
        if (fw_nat_forward(n, &b->address, in, out, &t)) {
            *after = t;
            return n;
        }
    }
    return NULL;
}

/* Would the answer's source be translated by a rule that the first packet's destination did not pass? Then the caller
 * would get it from an address that it never called ("Asymmetric NAT rules matched for forward and reverse flows").
 */
static const struct fw_nat *asymmetric(const struct fw_box *b, int in, const struct plan *plan)
{
    if (b->rules->policy.nat_by_session || plan->xlate_to || (plan->from && is_manual(plan->from)))
        return NULL;
    struct fw_flow answer = {.proto = plan->out.proto, .src = plan->out.dst, .dst = plan->out.src,
                             .sport = plan->out.dport, .dport = plan->out.sport}, after;
    const struct fw_nat *n = source_rule(b, plan->iface, in, &answer, &after);
    if (!n || n == plan->to || (!n->dynamic && ip_equal(&after.src, &answer.src) && after.sport == answer.sport))
        return NULL;
    return n;
}

bool fw_box_owns(const struct fw_box *b, const struct ip_addr *ip)
{
    for (size_t i = 0; i < b->rules->iface_count; i++)
        for (size_t j = 0; j < b->address.count[i]; j++)
            if (ip_equal(&b->address.prefix[i][j].ip, ip))
                return true;
    return false;
}

/* The destination and the way out; NULL or why not. *rule: the line to name. */
static const char *plan_way(struct fw_box *b, uint64_t now_ns, const struct fw_packet *p, const struct fw_flow *tuple,
                            struct plan *plan, const struct fw_rule_ref **rule)
{
    *plan = (struct plan){.real = *tuple, .out = *tuple, .iface = -1};
    if (plan_mapping(b, now_ns, p->iface, tuple, plan) || plan_static(b, p->iface, tuple, plan))
        return plan->iface < 0 ? "no-route" : NULL;
    for (size_t i = 0; i < b->rules->nat_count; i++)
        if (fw_nat_pools(&b->rules->nat[i], &b->address, p->iface, &tuple->dst)) {
            *rule = b->rules->nat[i].ref;
            return "nat-no-xlate";
        }
    if (fw_box_owns(b, &tuple->dst))
        return "to-the-box";
    const struct fw_route *route = fw_routes_find(b->routes, &tuple->dst);
    if (!route)
        return "no-route";
    plan->iface = route->iface;
    return NULL;
}

/* What the rules are shown: real addresses, and of ICMP type and code. */
static struct fw_flow shown(const struct fw_packet *p, const struct plan *plan)
{
    struct fw_flow f = plan->real;
    if (fw_is_icmp(f.proto)) {
        f.sport = p->flow.sport;
        f.dport = p->flow.dport;
    }
    return f;
}

/* NAT of the source. NULL or why not. */
static const char *plan_source(struct fw_box *b, uint64_t now_ns, const struct fw_packet *p, struct plan *plan,
                               uint32_t *xlate, const struct fw_rule_ref **rule)
{
    const char *why = NULL;
    *xlate = 0;
    /* A hairpinned packet shows its sender's outside face (RFC 4787 REQ-9), or not. */
    bool hairpin = plan->admitted && plan->iface == p->iface;
    if (hairpin && b->rules->behaviour.hairpin == FW_HAIRPIN_INTERNAL)
        return NULL;
    int out = hairpin ? fw_xlate_at(&b->xlates, plan->xlate_to)->mapped.iface : plan->iface;
    if (!plan->from) {
        struct fw_flow after = plan->out;
        plan->from = source_rule(b, p->iface, out, &plan->out, &after);
        if (plan->from)
            plan->out = after;
    }
    if (plan->from && plan->from->dynamic) {
        *xlate = fw_xlate_get(&b->xlates, now_ns, plan->from, p->iface, out, &plan->real, &why);
        if (!*xlate) {
            *rule = plan->from->ref;
            return why;
        }
        fw_xlate_source(fw_xlate_at(&b->xlates, *xlate), &plan->out.src, &plan->out.sport);
        if (fw_is_echo(&p->flow))
            plan->out.dport = plan->out.sport;
    }
    return NULL;
}

static struct fw_verdict ask_first(const struct fw_box *b, const struct fw_packet *p, const struct plan *plan,
                                   const struct fw_flow *real)
{
    struct fw_context ctx = {.in = p->iface, .out = plan->iface, .states = FW_STATE_NEW, .tcp_flags = p->tcp_flags,
                             .arrived = p->flow, .real = *real, .leaving = plan->out};
    if (fw_is_icmp(p->flow.proto)) {
        ctx.leaving.sport = p->flow.sport;
        ctx.leaving.dport = p->flow.dport;
    }
    return fw_eval(b->rules, &ctx);
}

/* All checks of a first packet; NULL: it may pass. */
static const char *check_first(struct fw_box *b, uint64_t now_ns, const struct fw_packet *p, struct plan *plan,
                               uint32_t *xlate, struct fw_result *r)
{
    struct fw_flow tuple = fw_tuple_of(&p->flow, p->echo_id);
    if (p->flow.proto == PROTO_TCP && (p->tcp_flags & (FW_SYN | FW_ACK | FW_RST)) != FW_SYN &&
        !b->rules->policy.tcp_loose)
        return "tcp-not-syn";
    const struct fw_route *back = fw_routes_find(b->routes, &p->flow.src);
    if (b->rules->iface[p->iface].verify_reverse && (!back || back->iface != p->iface)) {
        r->rule = b->rules->iface[p->iface].verify_reverse;
        return "rpf-violated";
    }
    bool leaving_seen = b->rules->policy.view[FW_OUT] == FW_VIEW_LEAVING;
    const char *why = plan_way(b, now_ns, p, &tuple, plan, &r->rule);
    r->seen = shown(p, plan);
    r->iface = plan->iface;
    if (why)
        return why;
    if (leaving_seen && (why = plan_source(b, now_ns, p, plan, xlate, &r->rule)))
        return why;
    if (!plan->admitted) {
        r->verdict = ask_first(b, p, plan, &r->seen);
        if (r->verdict.decision != FW_PERMITTED) {
            refuse(r);
            return r->reason;
        }
    }
    if (!leaving_seen && (why = plan_source(b, now_ns, p, plan, xlate, &r->rule)))
        return why;
    const struct fw_nat *other = asymmetric(b, p->iface, plan);
    if (other) {
        r->rule = other->ref;
        return "nat-rpf-failed";
    }
    return NULL;
}

/* Did the SYN that was refused come to an address that dynamic translations use (RFC 5382 REQ-4)? */
static bool is_unsolicited(const struct fw_box *b, const struct fw_packet *p)
{
    bool syn = p->flow.proto == PROTO_TCP && (p->tcp_flags & (FW_SYN | FW_ACK | FW_RST)) == FW_SYN;
    for (size_t i = 0; syn && i < b->rules->nat_count; i++)
        if (fw_nat_pools(&b->rules->nat[i], &b->address, p->iface, &p->flow.dst))
            return true;
    return false;
}

static struct fw_result first(struct fw_box *b, uint64_t now_ns, const struct fw_packet *p)
{
    struct plan plan;
    uint32_t xlate = 0;
    struct fw_result r = fw_box_dropped(p, NULL);
    r.reason = check_first(b, now_ns, p, &plan, &xlate, &r);
    if (r.reason) {
        r.fate = r.verdict.reject ? FW_ANSWER : FW_DROP;
        if (b->rules->behaviour.unsolicited_syn == FW_SYN_HOLD && is_unsolicited(b, p)) {
            r.fate = FW_DROP;
            r.held = fw_held_add(&b->held, now_ns, &p->flow);
        }
        return r;
    }
    if (fw_box_shut(b, p, &plan.out, &r))
        return r;
    struct fw_flow tuple = fw_tuple_of(&p->flow, p->echo_id);
    struct fw_key key[2] = {fw_key_of(&tuple, p->iface), fw_answer_key(&plan.out, plan.iface)};
    unsigned dir;
    uint32_t clash = fw_conn_find(&b->ct, &key[1], &dir);
    if (clash && fw_conn_live(fw_conn_at(&b->ct, clash))) {
        r.reason = "nat-clash"; /* two connections would look the same to the answering side */
        return r;
    }
    if (clash)
        fw_box_forget(b, now_ns, clash);
    uint32_t at = fw_conn_add(&b->ct, now_ns, key, fw_box_first_timer(b, p));
    if (!at) {
        r.reason = "conn-limit";
        return r;
    }
    struct fw_conn *c = fw_conn_at(&b->ct, at);
    c->syns = (p->tcp_flags & FW_SYN) != 0;
    c->from_outside = plan.admitted;
    c->checked_reply = fw_is_icmp(p->flow.proto) && !b->inspect_icmp;
    if (xlate)
        fw_xlate_hold(&b->xlates, &b->ct, xlate, at);
    else if (plan.xlate_to)
        fw_xlate_hold(&b->xlates, &b->ct, plan.xlate_to, at);
    if (p->flow.proto == PROTO_TCP)
        fw_held_cross(&b->held, &plan.out);
    struct fw_result ok = passed(b, p, c, 0);
    ok.verdict = r.verdict;
    ok.seen = r.seen;
    return ok;
}

/* ---- ICMP errors ---- */

/* The error goes back the way the quoted packet came, as if about the packet that its sender knows (RFC 5508
 * REQ-3..5); it changes no state (RFC 4787 REQ-12, RFC 5382 REQ-10). */
static bool related(const struct fw_box *b, const struct fw_packet *p, struct fw_result *r)
{
    struct fw_flow quoted = fw_tuple_of(&p->quoted, p->quoted_id);
    struct fw_key key = fw_answer_key(&quoted, p->iface);
    unsigned dir;
    uint32_t at = fw_conn_find(&b->ct, &key, &dir);
    if (!at || !fw_conn_live(fw_conn_at(&b->ct, at)))
        return false;
    const struct fw_key *back = &fw_conn_at(&b->ct, at)->key[1 - dir];
    *r = passed(b, p, fw_conn_at(&b->ct, at), dir);
    r->quoted_src = (struct endpoint){back->src, back->sport};
    r->quoted_dst = (struct endpoint){back->dst, back->dport};
    if (!ip_equal(&p->flow.src, &p->quoted.dst))
        r->src.ip = p->flow.src; /* a router on the way, which has no translation */
    return true;
}

/* ---- all packets ---- */

struct fw_result fw_box_late(const struct fw_box *b, uint64_t now_ns, const struct fw_conn *c, struct fw_result r)
{
    r.reason = "idle-timeout";
    r.timer = (enum fw_timer)c->last;
    r.rule = b->rules->timer_ref[c->last];
    r.idle_ns = now_ns - c->used_ns;
    return r;
}

struct fw_result fw_pass(struct fw_box *b, uint64_t now_ns, const struct fw_packet *p)
{
    struct fw_result r;
    if (p->iface < 0)
        return fw_box_dropped(p, "no-interface");
    if (p->fragment)
        return fw_box_dropped(p, "fragment");
    fw_box_expire(b, now_ns);
    if (b->rules->base_count)
        return fw_hooks_pass(b, now_ns, p);
    if (p->quotes && related(b, p, &r))
        return r;
    struct fw_flow tuple = fw_tuple_of(&p->flow, p->echo_id);
    struct fw_key key = fw_key_of(&tuple, p->iface);
    unsigned dir;
    uint32_t at = fw_conn_find(&b->ct, &key, &dir);
    if (!at)
        return first(b, now_ns, p);
    struct fw_conn *c = fw_conn_at(&b->ct, at);
    bool syn = p->flow.proto == PROTO_TCP && (p->tcp_flags & (FW_SYN | FW_ACK)) == FW_SYN;
    if (fw_conn_live(c) && !(syn && c->list == FW_TIMER_CLOSING))
        return known(b, now_ns, p, at, dir);
    struct fw_conn was = *c;
    bool dead = !fw_conn_live(c);
    if (dead && p->flow.proto == PROTO_TCP && !syn && !b->rules->policy.tcp_loose)
        return fw_box_late(b, now_ns, c, fw_box_dropped(p, NULL));
    fw_box_forget(b, now_ns, at);
    r = first(b, now_ns, p);
    return dead && r.fate != FW_PASS && !syn ? fw_box_late(b, now_ns, &was, r) : r;
}

bool fw_box_payload_address(const struct fw_box *b, const struct fw_packet *p, const struct fw_result *r,
                            struct ip_addr *ip)
{
    const struct ip_addr was = *ip;
    if (ip_equal(ip, &p->flow.src)) {
        *ip = r->src.ip;
        return !ip_equal(ip, &was);
    }
    if (ip_equal(ip, &p->flow.dst)) {
        *ip = r->dst.ip;
        return !ip_equal(ip, &was);
    }
    struct fw_flow from = {.proto = PROTO_UDP, .src = was, .dst = r->dst.ip}, after = from;
    const struct fw_nat *n = source_rule(b, p->iface, r->iface, &from, &after);
    if (n && n->dynamic) { /* whose own mapping does not exist yet; a rule for any address means those of its side */
        const struct fw_route *there = fw_routes_find(b->routes, &was);
        return there && there->iface == p->iface && n->interface && !n->mapped &&
               fw_iface_address(&b->address, r->iface, was.family, ip);
    }
    if (n && !ip_equal(&after.src, &was)) {
        *ip = after.src;
        return true;
    }
    struct fw_flow to = {.proto = PROTO_UDP, .src = p->flow.src, .dst = was};
    for (size_t i = 0; i < b->rules->nat_count; i++)
        if (fw_nat_reverse(&b->rules->nat[i], &b->address, p->iface, &to) && !ip_equal(&to.dst, &was)) {
            *ip = to.dst;
            return true;
        }
    return false;
}

uint64_t fw_box_deadline(const struct fw_box *b)
{
    return fw_held_deadline(&b->held);
}

unsigned fw_box_due(struct fw_box *b, uint64_t now_ns)
{
    return fw_held_due(&b->held, now_ns);
}

/* ---- proxy ARP ---- */

static void each_address(const struct fw_set *s, int iface, void (*fn)(void *, int, const struct ip_addr *),
                         void *ctx)
{
    enum { ADDRESSES_MAX = 512 };
    uint64_t n = s ? fw_set_size(s) : 0;
    for (uint64_t i = 0; n <= ADDRESSES_MAX && i < n; i++) {
        struct ip_addr ip;
        if (fw_set_at(s, i, &ip))
            fn(ctx, iface, &ip);
    }
}

static void proxy_on(const struct fw_box *b, int rule_iface, const struct fw_set *s,
                     void (*fn)(void *, int, const struct ip_addr *), void *ctx)
{
    for (int i = 0; i < (int)b->rules->iface_count; i++)
        if (rule_iface == FW_ANY_IFACE || rule_iface == i)
            each_address(s, i, fn, ctx);
}

void fw_box_proxied(const struct fw_box *b, void (*fn)(void *ctx, int iface, const struct ip_addr *ip), void *ctx)
{
    for (size_t i = 0; i < b->rules->nat_count; i++) {
        const struct fw_nat *n = &b->rules->nat[i];
        if (n->inactive)
            continue;
        if (n->mapped && n->mapped != n->real)
            proxy_on(b, n->mapped_iface, n->mapped, fn, ctx);
        if (n->dst_from && n->dst_to && n->dst_from != n->dst_to)
            proxy_on(b, n->real_iface, n->dst_from, fn, ctx);
    }
}
