/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/firewall/advice.h"

#include <string.h>

#include "models/base/bytes.h"
#include "models/base/time.h"
#include "models/firewall/nearest.h"

struct ask {
    const struct fw_rules *r;
    const struct fw_packet *p;
    const struct fw_result *d;
    struct text *t;
};

static const char *iface_name(const struct ask *q, int iface)
{
    return iface >= 0 ? q->r->iface[iface].name : "any";
}

static const char *proto_name(uint8_t proto)
{
    switch (proto) {
    case PROTO_TCP:
        return "tcp";
    case PROTO_UDP:
        return "udp";
    case PROTO_ICMP:
        return "icmp";
    case PROTO_ICMP6:
        return "icmp6";
    default:
        return "ip";
    }
}

static bool has_ports(uint8_t proto)
{
    return proto == PROTO_TCP || proto == PROTO_UDP;
}

/* ---- the line to add ---- */

/* One address or range as an ASA writes it. */
static void add_addr(struct text *t, const struct fw_addr *a)
{
    char lo[ADDR_TEXT], hi[ADDR_TEXT];
    struct fw_addr all = fw_addr_any((enum ip_family)a->a.family);
    if (ip_equal(&a->a, &a->b) && !a->masked) {
        text_add(t, " host %s", ip_text(&a->a, lo));
        return;
    }
    if (ip_equal(&a->a, &all.a) && ip_equal(&a->b, &all.b) && !a->masked) {
        text_add(t, a->a.family == IP_V4 ? " any4" : " any6");
        return;
    }
    uint32_t mask = a->masked ? ip_v4_value(&a->b) : ~(ip_v4_value(&a->a) ^ ip_v4_value(&a->b));
    struct ip_addr m = ip_v4(mask);
    text_add(t, " %s %s", ip_text(&a->a, lo), ip_text(&m, hi));
}

/* A set that one operand can name: any, a host, an IPv4 subnet. */
static bool is_plain(const struct fw_set *s)
{
    if (!s)
        return true;
    if (s->count != 1)
        return false;
    struct fw_addr all = fw_addr_any((enum ip_family)s->addr->a.family);
    if (s->addr->masked || ip_equal(&s->addr->a, &s->addr->b) ||
        (ip_equal(&s->addr->a, &all.a) && ip_equal(&s->addr->b, &all.b)))
        return true;
    uint32_t host = ip_v4_value(&s->addr->a) ^ ip_v4_value(&s->addr->b);
    return s->addr->a.family == IP_V4 && (host & (host + 1)) == 0 && (ip_v4_value(&s->addr->a) & host) == 0;
}

/* The near rule's set if it has the address and one operand names it, else the address alone. */
static void add_side(struct text *t, const struct fw_set *near, bool usable, const struct ip_addr *ip)
{
    if (usable && is_plain(near) && fw_set_has(near, ip)) {
        if (near)
            add_addr(t, near->addr);
        else
            text_add(t, " any");
        return;
    }
    add_addr(t, &(struct fw_addr){.a = *ip, .b = *ip});
}

static void add_ports(struct text *t, unsigned lo, unsigned hi)
{
    if (lo == hi)
        text_add(t, " eq %u", lo);
    else if (hi == 65535 && lo > 0)
        text_add(t, " gt %u", lo - 1);
    else if (lo > 0 || hi < 65535)
        text_add(t, " range %u %u", lo, hi);
}

/* Source ports as the near rule asks for them, if the packet fits; destination: the rule's, the range of that use, or
 * the port. */
static void port_ranges(const struct fw_nearest *near, const struct fw_flow *f, unsigned sport[2], unsigned dport[2])
{
    const struct fw_known_range *known = fw_known_range(f->proto, f->dport);
    const struct fw_service *s = near->what < FW_DIFF_PORT ? near->service : NULL;
    sport[0] = s && near->what != FW_DIFF_SPORT ? s->sport_lo : 0;
    sport[1] = s && near->what != FW_DIFF_SPORT ? s->sport_hi : 65535;
    dport[0] = known ? known->lo : f->dport;
    dport[1] = known ? known->hi : f->dport;
    bool whole = s && s->dport_lo == 0 && s->dport_hi == 65535;
    if (s && !whole && s->dport_lo <= f->dport && f->dport <= s->dport_hi) {
        dport[0] = s->dport_lo;
        dport[1] = s->dport_hi;
    }
}

/* The access-list line that lets the packet pass, of the list called name. */
static void add_line(const struct ask *q, const char *name, const struct fw_nearest *near)
{
    const struct fw_flow *f = &q->d->seen;
    const struct fw_rule *rule = near->what == FW_DIFF_NONE ? NULL : near->rule;
    /* From the outermost side anybody may call; inside, this host. */
    bool outermost = q->p->iface >= 0 && q->r->iface[q->p->iface].level == 0;
    unsigned sport[2], dport[2];
    port_ranges(near, f, sport, dport);
    text_add(q->t, "access-list %s extended permit %s", name, proto_name(f->proto));
    add_side(q->t, rule ? rule->src : NULL, rule ? near->what != FW_DIFF_SRC : outermost, &f->src);
    if (has_ports(f->proto))
        add_ports(q->t, sport[0], sport[1]);
    add_side(q->t, rule ? rule->dst : NULL, rule && rule->dst && near->what != FW_DIFF_DST, &f->dst);
    if (has_ports(f->proto))
        add_ports(q->t, dport[0], dport[1]);
    else if (f->proto == PROTO_ICMP || f->proto == PROTO_ICMP6)
        text_add(q->t, " %u %u", f->sport, f->dport);
}

/* The same in words, for rules that are not an ASA's. */
static void add_words(const struct ask *q, const struct fw_nearest *near)
{
    const struct fw_flow *f = &q->d->seen;
    char src[ADDR_TEXT], dst[ADDR_TEXT];
    unsigned sport[2], dport[2];
    port_ranges(near, f, sport, dport);
    text_add(q->t, "permit %s from %s to %s", proto_name(f->proto), ip_text(&f->src, src), ip_text(&f->dst, dst));
    if (has_ports(f->proto) && dport[0] == dport[1])
        text_add(q->t, " port %u", dport[0]);
    else if (has_ports(f->proto))
        text_add(q->t, " ports %u-%u", dport[0], dport[1]);
}

/* ---- why the nearest rule does not do it ---- */

static void add_port_words(struct text *t, unsigned lo, unsigned hi)
{
    if (lo == hi)
        text_add(t, "%u", lo);
    else
        text_add(t, "%u-%u", lo, hi);
}

static void add_protocols(struct text *t, const struct fw_rule *rule)
{
    bool tcp = false, udp = false;
    for (size_t i = 0; i < rule->service_count; i++) {
        tcp = tcp || rule->service[i].proto_lo == PROTO_TCP;
        udp = udp || rule->service[i].proto_lo == PROTO_UDP;
    }
    text_add(t, "%s", tcp ? "tcp" : udp ? "udp" : "another protocol");
}

/* True: the words are all that is needed; no line is to be added. */
static bool add_difference(const struct ask *q, const struct fw_nearest *n)
{
    char a[ADDR_TEXT], b[ADDR_TEXT];
    const struct fw_flow *f = &q->d->seen;
    unsigned line = n->rule ? n->rule->ref->line : 0;
    struct text *t = q->t;
    switch (n->what) {
    case FW_DIFF_SHADOWED:
        if (!q->d->rule) /* it stands in a list that is not asked */
            return false;
        text_add(t, "line %u permits it, but line %u denies it first: move line %u above line %u", line,
                 q->d->rule->line, line, q->d->rule->line);
        return true;
    case FW_DIFF_INACTIVE:
        if (n->rule->time_range)
            text_add(t,
                     "line %u would permit it, but time-range %s is not active now: change the time-range, or "
                     "remove it from line %u",
                     line, n->rule->time_range, line);
        else
            text_add(t, "line %u would permit it, but is inactive: remove `inactive` from line %u", line, line);
        return true;
    case FW_DIFF_MAPPED:
        text_add(t, "line %u is written on the mapped address %s: since 8.3 access-lists match the real address %s; ",
                 line, ip_text(&q->p->flow.dst, a), ip_text(&f->dst, b));
        return false;
    case FW_DIFF_NAME:
        text_add(t, "`dns` in line %u is port 195 (dnsix): write `domain`; ", line);
        return false;
    case FW_DIFF_RANGE:
        if (n->service->dport_lo == n->service->dport_hi)
            text_add(t, "line %u permits port %u only; ", line, n->service->dport_lo);
        else if (f->dport > n->service->dport_hi)
            text_add(t, "the range of line %u ends at %u; ", line, n->service->dport_hi);
        else
            text_add(t, "the range of line %u begins at %u; ", line, n->service->dport_lo);
        return false;
    case FW_DIFF_PROTO:
        text_add(t, "wrong protocol: line %u permits ", line);
        add_protocols(t, n->rule);
        text_add(t, " only; ");
        return false;
    case FW_DIFF_SPORT:
        text_add(t, "line %u asks for source port ", line);
        add_port_words(t, n->service->sport_lo, n->service->sport_hi);
        text_add(t, ", the packet comes from %u; ", f->sport);
        return false;
    case FW_DIFF_DST:
        text_add(t, "line %u permits it to other addresses than %s; ", line, ip_text(&f->dst, a));
        return false;
    case FW_DIFF_SRC:
        text_add(t, "line %u permits it from other addresses than %s; ", line, ip_text(&f->src, a));
        return false;
    case FW_DIFF_PORT:
    case FW_DIFF_NONE:
        break;
    }
    return false;
}

/* ---- NAT that nearly took the packet ---- */

/* T17: a manual rule's destination written real before mapped. */
static bool add_swapped(const struct ask *q)
{
    uint64_t i;
    char a[ADDR_TEXT];
    for (size_t k = 0; k < q->r->nat_count; k++) {
        const struct fw_nat *n = &q->r->nat[k];
        if (!n->has_dst || !n->dst_to || !n->dst_from || n->inactive ||
            (n->real_iface != FW_ANY_IFACE && n->real_iface != q->p->iface) ||
            (n->real && !fw_set_index(n->real, &q->p->flow.src, &i)) ||
            !fw_set_index(n->dst_to, &q->p->flow.dst, &i) || fw_set_index(n->dst_from, &q->p->flow.dst, &i))
            continue;
        text_add(q->t,
                 "line %u translates to the address %s, not from it: after `destination static` comes the mapped "
                 "object, then the real one; swap them",
                 n->ref->line, ip_text(&q->p->flow.dst, a));
        return true;
    }
    return false;
}

/* A static rule for the destination that does not apply; what keeps it from doing so. */
static bool add_idle_nat(const struct ask *q)
{
    const struct fw_flow *f = &q->p->flow;
    uint64_t i;
    char a[ADDR_TEXT];
    for (size_t k = 0; k < q->r->nat_count; k++) {
        const struct fw_nat *n = &q->r->nat[k];
        if (n->dynamic || !n->mapped || n->mapped == n->real || !fw_set_index(n->mapped, &f->dst, &i))
            continue;
        text_add(q->t, "line %u translates %s, ", n->ref->line, ip_text(&f->dst, a));
        if (n->inactive)
            text_add(q->t, "but is inactive: remove `inactive` from line %u", n->ref->line);
        else if (n->unidirectional)
            text_add(q->t, "but is unidirectional: remove `unidirectional` from line %u", n->ref->line);
        else if (n->mapped_iface != FW_ANY_IFACE && n->mapped_iface != q->p->iface)
            text_add(q->t, "but only on interface %s, and the packet came in by %s", iface_name(q, n->mapped_iface),
                     iface_name(q, q->p->iface));
        else if (n->has_service)
            text_add(q->t, "but only %s port %u", proto_name(n->to.proto_lo), n->to.sport_lo);
        else
            text_add(q->t, "but not for the sender %s", ip_text(&f->src, a));
        return true;
    }
    return false;
}

/* An address of the outer network that no rule translates. */
static void add_static_nat(const struct ask *q)
{
    char a[ADDR_TEXT];
    const char *in = iface_name(q, q->p->iface);
    text_add(q->t,
             "no static NAT for %s on interface %s: add `nat (REAL-INTERFACE,%s) static %s` to the object of the "
             "real host",
             ip_text(&q->p->flow.dst, a), in, in, a);
}

/* ---- by reason ---- */

static void on_list(const struct ask *q)
{
    const struct fw_verdict *v = &q->d->verdict;
    const struct fw_list *l = v->list ? fw_rules_list(q->r, v->list) : NULL;
    if (!l || add_swapped(q))
        return;
    struct fw_nearest near = fw_nearest(l, &q->p->flow, &q->d->seen);
    if (add_difference(q, &near))
        return;
    const struct fw_rule_ref *last = l->count ? l->rule[l->count - 1].ref : NULL;
    if (near.what == FW_DIFF_MAPPED && q->r->asa)
        text_add(q->t, "in place of line %u: ", near.rule->ref->line);
    else if (v->rule)
        text_add(q->t, "insert before line %u: ", v->rule->line);
    else if (last)
        text_add(q->t, "access-list %s ends in an implicit deny; add after line %u: ", l->name, last->line);
    else
        text_add(q->t, "access-list %s is empty: ", l->name);
    if (q->r->asa)
        add_line(q, l->name, &near);
    else
        add_words(q, &near);
    if (!v->rule && near.what != FW_DIFF_MAPPED && v->iface != FW_ANY_IFACE)
        text_add(q->t, " (%s interface %s)", v->dir == FW_IN ? "in" : "out", iface_name(q, v->iface));
}

/* A list that would permit the packet, but is not asked about it. */
static bool add_unbound(const struct ask *q)
{
    for (size_t i = 0; i < q->r->list_count; i++) {
        const struct fw_list *l = q->r->list[i];
        const struct fw_rule *rule = fw_list_match(l, &q->d->seen);
        if (!rule || rule->action != FW_PERMIT)
            continue;
        const char *in = iface_name(q, q->p->iface);
        text_add(q->t, "line %u would permit it, but access-list %s is not bound to packets into interface %s: add "
                 "access-group %s in interface %s", rule->ref->line, l->name, in, l->name, in);
        return true;
    }
    return false;
}

static void on_level(const struct ask *q)
{
    const struct fw_nearest none = {.what = FW_DIFF_NONE};
    const char *in = iface_name(q, q->p->iface), *out = iface_name(q, q->d->iface);
    if (add_swapped(q) || add_unbound(q))
        return;
    text_add(q->t, "no access-list on interface %s, and its security level %d is below the %d of %s: add ", in,
             q->r->iface[q->p->iface].level, q->r->iface[q->d->iface].level, out);
    char name[64];
    struct text n = text_of(name, sizeof name);
    text_add(&n, "%s_in", in);
    add_line(q, name, &none);
    text_add(q->t, " and access-group %s in interface %s", name, in);
}

static void on_same_level(const struct ask *q)
{
    text_add(q->t,
             "interfaces %s and %s have the same security level: add same-security-traffic permit inter-interface",
             iface_name(q, q->p->iface), iface_name(q, q->d->iface));
}

static void on_hairpin(const struct ask *q)
{
    bool translated = !ip_equal(&q->p->flow.dst, &q->d->seen.dst);
    if (translated)
        text_add(q->t, "the packet leaves by the interface it came in by (NAT reflection): ");
    else if (add_swapped(q) || add_idle_nat(q))
        return;
    if (!translated) {
        add_static_nat(q);
        text_add(q->t, "; or, if it is to leave by the interface it came in by, ");
    }
    text_add(q->t, "add same-security-traffic permit intra-interface");
}

static void on_rpf(const struct ask *q)
{
    char real[ADDR_TEXT], a[ADDR_TEXT];
    uint64_t i;
    ip_text(&q->d->seen.dst, real);
    for (size_t k = 0; k < q->r->nat_count; k++) {
        const struct fw_nat *n = &q->r->nat[k];
        struct ip_addr mapped;
        if (n->ref != q->d->rule || n->dynamic || !n->real || !n->mapped ||
            !fw_set_index(n->real, &q->d->seen.dst, &i) || !fw_set_at(n->mapped, i, &mapped))
            continue;
        text_add(q->t,
                 "line %u translates %s to %s, so answers would come from another address: the sender must call "
                 "%s",
                 n->ref->line, real, ip_text(&mapped, a), a);
        return;
    }
    text_add(q->t, "answers of %s would be translated by line %u: put an identity rule for this traffic before it, "
             "nat (%s,%s) source static OBJECT OBJECT destination static PEER PEER", real,
             q->d->rule ? q->d->rule->line : 0, iface_name(q, q->d->iface), iface_name(q, q->p->iface));
}

static void on_no_xlate(const struct ask *q)
{
    char a[ADDR_TEXT];
    if (add_idle_nat(q))
        return;
    text_add(q->t, "%s is an address of the dynamic NAT of line %u, through which nobody can be called; ",
             ip_text(&q->p->flow.dst, a), q->d->rule ? q->d->rule->line : 0);
    add_static_nat(q);
}

static void on_no_route(const struct ask *q)
{
    char a[ADDR_TEXT];
    if (add_swapped(q) || add_idle_nat(q))
        return;
    text_add(q->t, "no NAT rule and no route for %s: add a static NAT or a route", ip_text(&q->d->seen.dst, a));
}

static void on_to_the_box(const struct ask *q)
{
    char a[ADDR_TEXT];
    if (add_idle_nat(q))
        return;
    text_add(q->t, "%s is the firewall's own address, and no NAT rule hands %s port %u on: add "
             "`nat (REAL-INTERFACE,%s) static interface service %s %u %u` to the object of the real host",
             ip_text(&q->p->flow.dst, a), proto_name(q->p->flow.proto), q->p->flow.dport, iface_name(q, q->p->iface),
             proto_name(q->p->flow.proto), q->p->flow.dport, q->p->flow.dport);
}

static void on_not_syn(const struct ask *q)
{
    if (q->p->tcp_flags & FW_SYN)
        text_add(q->t,
                 "the answer to a connection whose first packet did not pass here: the ways there and back differ "
                 "(asymmetric routing); check the routes of both ends");
    else
        text_add(q->t,
                 "no connection for this segment: its first packet went another way (asymmetric routing), or the "
                 "connection has been closed");
}

static void on_idle(const struct ask *q)
{
    static const char *const word[FW_TIMER_COUNT] = {"conn", "embryonic", "half-closed", "closing", "udp",
                                                     "udp",  "icmp",      "conn",        "xlate",   "pat-xlate"};
    const struct fw_rule_ref *ref = q->r->timer_ref[q->d->timer];
    uint64_t limit_s = q->r->timer[q->d->timer] / NS_S, idle_s = q->d->idle_ns / NS_S;
    uint64_t want = (idle_s / 60 + 1) * 60;
    if (q->d->timer == FW_TIMER_TCP && want < 300) /* the least that an ASA takes */
        want = 300;
    text_add(q->t, "the connection was silent for %llu s, and %s forgets it after %llu s", (unsigned long long)idle_s,
             word[q->d->timer], (unsigned long long)limit_s);
    if (ref)
        text_add(q->t, " (line %u)", ref->line);
    if (!q->r->asa || q->d->timer == FW_TIMER_EMBRYONIC || q->d->timer == FW_TIMER_CLOSING)
        return;
    text_add(q->t, ": set timeout %s %llu:%02llu:00, or have a keep-alive sent more often",
             word[q->d->timer], (unsigned long long)(want / 3600), (unsigned long long)(want / 60 % 60));
}

static void on_exhausted(const struct ask *q)
{
    text_add(q->t, "every address and port of line %u is in use: add addresses to its pool",
             q->d->rule ? q->d->rule->line : 0);
}

static void on_rpf_violated(const struct ask *q)
{
    char a[ADDR_TEXT];
    text_add(q->t, "the route back to %s does not lead through interface %s: mend the route, or remove line %u",
             ip_text(&q->p->flow.src, a), iface_name(q, q->p->iface), q->d->rule ? q->d->rule->line : 0);
}

static void on_shutdown(const struct ask *q)
{
    int iface = q->p->iface >= 0 && q->r->iface[q->p->iface].shutdown ? q->p->iface : q->d->iface;
    text_add(q->t, "interface %s is shut down, or for management only", iface_name(q, iface));
}

static void on_fragment(const struct ask *q)
{
    (void)q;
    text_add(q->t, "a fragment that comes before its first has no ports, and is dropped: send smaller packets");
}

static void on_full(const struct ask *q)
{
    (void)q;
    text_add(q->t, "the table of connections is full");
}

static void on_shut(const struct ask *q)
{
    text_add(q->t, "open it again: %s", q->d->rule->text);
}

static void on_no_interface(const struct ask *q)
{
    (void)q;
    text_add(q->t, "no interface of the rules has this name: give it a nameif");
}

static void on_default(const struct ask *q)
{
    const struct fw_nearest none = {.what = FW_DIFF_NONE};
    text_add(q->t, "no rules on interface %s, and the default is to deny: ", iface_name(q, q->p->iface));
    add_words(q, &none);
}

void fw_advise(const struct fw_rules *r, const struct fw_packet *p, const struct fw_result *d, char *out, size_t cap)
{
    static const struct {
        const char *reason;
        void (*advise)(const struct ask *q);
    } row[] = {
        {"acl", on_list},
        {"implicit", on_list},
        {"level", on_level},
        {"same-level", on_same_level},
        {"hairpin", on_hairpin},
        {"default", on_default},
        {"nat-rpf-failed", on_rpf},
        {"nat-no-xlate", on_no_xlate},
        {"no-route", on_no_route},
        {"to-the-box", on_to_the_box},
        {"tcp-not-syn", on_not_syn},
        {"idle-timeout", on_idle},
        {"pat-exhausted", on_exhausted},
        {"rpf-violated", on_rpf_violated},
        {"shut", on_shut},
        {"shutdown", on_shutdown},
        {"no-interface", on_no_interface},
        {"fragment", on_fragment},
        {"conn-limit", on_full},
    };
    struct text t = text_of(out, cap);
    struct ask q = {r, p, d, &t};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        if (strcmp(row[i].reason, d->reason) == 0)
            row[i].advise(&q);
}
