/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way of a packet through a machine with hooks (Linux netfilter): connection tracking, the NAT chains for the
 * first packet of a connection, then every chain of every hook, for every packet, in the state that it has. */
#include "models/firewall/fwbox_parts.h"
#include "models/firewall/tcp_state.h"

enum { NO_IFACE = 255 }; /* connections are found whatever interface a packet comes in by */

/* A packet on its way. */
struct passage {
    const struct fw_packet *p;
    struct fw_flow tuple; /* as it arrived, an echo's identifier for both ports */
    struct fw_flow real;  /* destination translated */
    struct fw_flow leaving;
    uint32_t conn; /* 0: none */
    unsigned dir;
    uint8_t states;
    enum tcp_state tcp; /* behind it */
};

/* ---- states ---- */

/* ICMP begins a connection with a question alone. */
static bool asks(const struct fw_flow *f)
{
    enum { ECHO = 8, TIMESTAMP = 13, INFORMATION = 15, MASK = 17, ECHO6 = 128, NODE_INFO6 = 139 };
    if (f->proto == PROTO_ICMP)
        return f->sport == ECHO || f->sport == TIMESTAMP || f->sport == INFORMATION || f->sport == MASK;
    return f->proto != PROTO_ICMP6 || f->sport == ECHO6 || f->sport == NODE_INFO6;
}

static bool moved(const struct ip_addr *a, uint16_t a_port, const struct ip_addr *b, uint16_t b_port)
{
    return !ip_equal(a, b) || a_port != b_port;
}

/* The connection is translated: SNAT, DNAT. */
static uint8_t nat_states(const struct fw_conn *c)
{
    const struct fw_key *k = c->key;
    return (uint8_t)((moved(&k[0].dst, k[0].dport, &k[1].src, k[1].sport) ? FW_STATE_DNAT : 0) |
                     (moved(&k[0].src, k[0].sport, &k[1].dst, k[1].dport) ? FW_STATE_SNAT : 0));
}

/* ---- asking the chains ---- */

/* ICMP has type and code where others have ports; the rules are asked about these. */
static struct fw_flow as_shown(const struct fw_packet *p, const struct fw_flow *f)
{
    struct fw_flow shown = *f;
    if (fw_is_icmp(f->proto)) {
        shown.sport = p->flow.sport;
        shown.dport = p->flow.dport;
    }
    return shown;
}

static struct fw_context context_of(const struct passage *w, int out)
{
    return (struct fw_context){.in = w->p->iface, .out = out, .states = w->states, .tcp_flags = w->p->tcp_flags,
                               .begun = w->conn != 0,
                               .arrived = w->p->flow, .real = as_shown(w->p, &w->real),
                               .leaving = as_shown(w->p, &w->leaving)};
}

static int way_out(const struct fw_box *b, const struct ip_addr *to)
{
    if (fw_box_owns(b, to))
        return FW_SELF;
    const struct fw_route *route = fw_routes_find(b->routes, to);
    return route ? route->iface : FW_ANY_IFACE;
}

/* ---- NAT ---- */

static bool taken(const struct fw_box *b, const struct fw_flow *leaving)
{
    struct fw_key key = fw_answer_key(leaving, NO_IFACE);
    unsigned dir;
    uint32_t at = fw_conn_find(&b->ct, &key, &dir);
    return at && fw_conn_live(fw_conn_at(&b->ct, at));
}

/* The ports that may stand for `port`: those of the rule, else of its class (as the kernel's nf_nat_core has them). */
static void port_range(const struct fw_nat_to *to, uint16_t port, uint32_t *lo, uint32_t *hi)
{
    if (to->port_lo) {
        *lo = to->port_lo;
        *hi = to->port_hi;
    } else {
        *lo = port < 512 ? 1 : port < 1024 ? 600 : 1024;
        *hi = port < 512 ? 511 : port < 1024 ? 1023 : 65535;
    }
}

/* Puts a port at *port (within *leaving) that no other connection to the same remote has; false: there is none. */
static bool choose_port(const struct fw_box *b, const struct fw_nat_to *to, struct fw_flow *leaving, uint16_t *port)
{
    uint8_t proto = leaving->proto;
    if (!to->port_lo && proto != PROTO_TCP && proto != PROTO_UDP && !fw_is_icmp(proto))
        return true; /* nothing to choose from */
    if (to->port_base && to->port_lo) {
        *port = (uint16_t)(to->port_lo + (*port - to->port_base));
        return true;
    }
    uint32_t lo, hi;
    port_range(to, *port, &lo, &hi);
    if ((!to->port_lo || (*port >= lo && *port <= hi)) && !taken(b, leaving))
        return true;
    for (uint32_t p = lo; p <= hi; p++) {
        *port = (uint16_t)p;
        if (!taken(b, leaving))
            return true;
    }
    return false;
}

/* The address: the rule's own one, or one of its range, the same for the same source and destination. */
static bool choose_address(const struct fw_box *b, const struct fw_nat_to *to, int iface, const struct fw_flow *f,
                           struct ip_addr *ip)
{
    if (to->own)
        return fw_iface_address(&b->address, iface, f->dst.family, ip);
    if (!to->to)
        return true;
    uint64_t n = fw_addr_count(&to->to->a, &to->to->b);
    uint32_t h = fw_hash(&f->src, sizeof f->src) ^ fw_hash(&f->dst, sizeof f->dst);
    *ip = fw_addr_plus(&to->to->a, n == UINT64_MAX ? h : h % n);
    return true;
}

/* The destination of a new connection. NULL, or why it cannot be had. */
static const char *translate_to(struct fw_box *b, struct passage *w, struct fw_verdict *v)
{
    struct fw_context ctx = context_of(w, FW_SELF);
    const struct fw_rule *rule = fw_nat_chain(b->rules, FW_PREROUTING, &ctx, v);
    if (!rule)
        return NULL;
    if (!choose_address(b, rule->nat, w->p->iface, &w->real, &w->real.dst))
        return "no-address";
    w->leaving = w->real;
    uint16_t *port = &w->leaving.dport;
    bool ports = rule->nat->port_lo && !fw_is_icmp(w->real.proto);
    if (ports && !choose_port(b, rule->nat, &w->leaving, port))
        return "nat-exhausted";
    w->real = w->leaving;
    if (moved(&w->real.dst, w->real.dport, &w->tuple.dst, w->tuple.dport))
        w->states |= FW_STATE_DNAT;
    return NULL;
}

static const char *translate_from(struct fw_box *b, struct passage *w, int out, struct fw_verdict *v)
{
    struct fw_context ctx = context_of(w, out);
    const struct fw_rule *rule = fw_nat_chain(b->rules, out == FW_SELF ? FW_INPUT : FW_POSTROUTING, &ctx, v);
    /* Also without a rule: two connections must not look the same to the one who answers. */
    static const struct fw_nat_to unchanged = {0};
    const struct fw_nat_to *to = rule ? rule->nat : &unchanged;
    if (!choose_address(b, to, out, &w->real, &w->leaving.src))
        return "no-address";
    if (!choose_port(b, to, &w->leaving, &w->leaving.sport))
        return "nat-exhausted";
    if (fw_is_echo(&w->p->flow))
        w->leaving.dport = w->leaving.sport;
    if (moved(&w->leaving.src, w->leaving.sport, &w->tuple.src, w->tuple.sport))
        w->states |= FW_STATE_SNAT;
    return NULL;
}

/* ---- the four kinds of packets ---- */

/* The packet as a connection's keys say: it leaves as the answer to what comes in the other way. */
static void follow(const struct fw_box *b, struct passage *w)
{
    const struct fw_conn *c = fw_conn_at(&b->ct, w->conn);
    const struct fw_key *k = &c->key[1 - w->dir];
    w->real.dst = k->src;
    w->real.dport = k->sport;
    w->leaving = w->real;
    w->leaving.src = k->dst;
    w->leaving.sport = k->dport;
    w->states = (uint8_t)((w->dir == 1 || c->answered ? FW_STATE_ESTABLISHED : FW_STATE_NEW) | nat_states(c));
}

/* An ICMP error about a packet of a connection goes the way of the answer, which its text is about. */
static bool follow_related(const struct fw_box *b, struct passage *w, struct fw_result *r)
{
    struct fw_flow quoted = fw_tuple_of(&w->p->quoted, w->p->quoted_id);
    struct fw_key key = fw_answer_key(&quoted, NO_IFACE);
    uint32_t at = fw_conn_find(&b->ct, &key, &w->dir);
    if (!at || !fw_conn_live(fw_conn_at(&b->ct, at)))
        return false;
    const struct fw_conn *c = fw_conn_at(&b->ct, at);
    const struct fw_key *k = &c->key[1 - w->dir];
    w->real.dst = k->src;
    w->leaving = w->real;
    /* A router on the way is hidden as well where the end is (nf_nat_icmp_reply_translation). */
    if (moved(&c->key[w->dir].src, c->key[w->dir].sport, &k->dst, k->dport))
        w->leaving.src = k->dst;
    r->quoted_src = (struct endpoint){k->src, k->sport};
    r->quoted_dst = (struct endpoint){k->dst, k->dport};
    w->states = (uint8_t)(FW_STATE_RELATED | nat_states(c));
    return true;
}

static void classify(struct fw_box *b, uint64_t now_ns, struct passage *w, struct fw_result *r)
{
    struct fw_key key = fw_key_of(&w->tuple, NO_IFACE);
    w->states = FW_STATE_INVALID;
    if (w->p->quotes) {
        follow_related(b, w, r);
        return;
    }
    bool tcp = w->p->flow.proto == PROTO_TCP, loose = b->rules->policy.tcp_loose;
    w->conn = fw_conn_find(&b->ct, &key, &w->dir);
    struct fw_conn *c = w->conn ? fw_conn_at(&b->ct, w->conn) : NULL;
    if (tcp)
        w->tcp = tcp_state_after(c ? (enum tcp_state)c->tcp : TCP_NONE, w->dir, w->p->tcp_flags, loose);
    bool again = c && w->tcp == TCP_SYN_SENT && (c->tcp == TCP_TIME_WAIT || c->tcp == TCP_CLOSED);
    if (c && (!fw_conn_live(c) || again)) {
        fw_box_forget(b, now_ns, w->conn);
        w->conn = 0;
        w->dir = 0;
        w->tcp = tcp ? tcp_state_after(TCP_NONE, 0, w->p->tcp_flags, loose) : TCP_NONE;
    }
    if (w->tcp == TCP_INVALID)
        w->conn = 0;
    else if (w->conn)
        follow(b, w);
    else if (asks(&w->p->flow))
        w->states = FW_STATE_NEW;
}

static void use(struct fw_box *b, uint64_t now_ns, const struct passage *w)
{
    struct fw_conn *c = fw_conn_at(&b->ct, w->conn);
    if (w->tcp == TCP_CLOSED && !c->answered) {
        fw_box_forget(b, now_ns, w->conn); /* refused: there never was a connection */
        return;
    }
    if (w->tcp != TCP_SAME)
        c->tcp = (uint8_t)w->tcp;
    c->answered = c->answered || w->dir == 1;
    enum fw_timer timer = (enum fw_timer)c->list;
    if (w->p->flow.proto == PROTO_TCP)
        timer = fw_box_tcp_timer(c, w->dir, w->p->tcp_flags);
    else if (w->p->flow.proto == PROTO_UDP && c->answered)
        timer = FW_TIMER_UDP_STREAM;
    fw_conn_use(&b->ct, w->conn, now_ns, timer);
}

static const char *remember(struct fw_box *b, uint64_t now_ns, struct passage *w)
{
    struct fw_key key[2] = {fw_key_of(&w->tuple, NO_IFACE), fw_answer_key(&w->leaving, NO_IFACE)};
    unsigned dir;
    uint32_t clash = fw_conn_find(&b->ct, &key[1], &dir);
    if (clash && fw_conn_live(fw_conn_at(&b->ct, clash)))
        return "nat-clash";
    if (clash)
        fw_box_forget(b, now_ns, clash);
    w->conn = fw_conn_add(&b->ct, now_ns, key, fw_box_first_timer(b, w->p));
    if (!w->conn)
        return "conn-limit";
    fw_conn_at(&b->ct, w->conn)->syns = (w->p->tcp_flags & FW_SYN) != 0;
    fw_conn_at(&b->ct, w->conn)->tcp = (uint8_t)w->tcp;
    return NULL;
}

/* ---- all packets ---- */

static struct fw_result refused(const struct fw_packet *p, const struct fw_verdict *v)
{
    struct fw_result r = fw_box_dropped(p, v->reason);
    r.fate = v->reject ? FW_ANSWER : FW_DROP;
    r.verdict = *v;
    r.rule = v->decision == FW_UNKNOWN && v->doubt_count ? v->doubt[0].ref : v->rule;
    return r;
}

struct fw_result fw_hooks_pass(struct fw_box *b, uint64_t now_ns, const struct fw_packet *p)
{
    struct passage w = {.p = p, .tuple = fw_tuple_of(&p->flow, p->echo_id)};
    w.real = w.leaving = w.tuple;
    struct fw_result r = fw_box_dropped(p, NULL);
    struct fw_verdict doubts = {0};
    const struct fw_rule_ref *verify = p->iface < 0 ? NULL : b->rules->iface[p->iface].verify_reverse;
    const struct fw_route *back = verify ? fw_routes_find(b->routes, &p->flow.src) : NULL;
    if (verify && (!back || back->iface != p->iface)) {
        r = fw_box_dropped(p, "rpf-violated");
        r.rule = verify;
        return r;
    }
    struct fw_context early = context_of(&w, FW_SELF);
    bool notrack, tracked = fw_early(b->rules, &early, &notrack);
    if (notrack)
        w.states = FW_STATE_UNTRACKED;
    else
        classify(b, now_ns, &w, &r);
    bool first = w.states == FW_STATE_NEW && !w.conn;
    const char *why = first ? translate_to(b, &w, &doubts) : NULL;
    bool lost = doubts.doubt_count > 0; /* where it goes is not known; where from is for the last chains alone */
    int out = way_out(b, &w.real.dst);
    if (!why && first && out != FW_ANY_IFACE)
        why = translate_from(b, &w, out, &doubts);
    struct fw_context ctx = context_of(&w, out);
    if (why || out == FW_ANY_IFACE)
        return fw_box_dropped(p, why ? why : "no-route");
    if (w.conn && tracked)
        use(b, now_ns, &w); /* whatever the chains behind it say */
    struct fw_verdict v = fw_eval(b->rules, &ctx);
    if (lost || (v.decision == FW_PERMITTED && doubts.doubt_count)) {
        v = doubts;
        v.decision = FW_UNKNOWN;
        v.reason = "unsupported";
        v.iface = FW_ANY_IFACE;
    }
    if (v.decision != FW_PERMITTED) {
        r = refused(p, &v);
        r.seen = ctx.real;
        r.iface = out;
        return r;
    }
    r.seen = ctx.real;
    r.iface = out;
    if (first && fw_box_shut(b, p, &w.leaving, &r))
        return r;
    if (first && (why = remember(b, now_ns, &w)))
        return fw_box_dropped(p, why);
    r.verdict = v;
    r.src = (struct endpoint){w.leaving.src, w.leaving.sport};
    r.dst = (struct endpoint){w.leaving.dst, w.leaving.dport};
    if (out == FW_SELF) {
        r.reason = "to-the-box";
        return r;
    }
    r.fate = FW_PASS;
    r.route = fw_routes_find(b->routes, &r.dst.ip);
    return r;
}
