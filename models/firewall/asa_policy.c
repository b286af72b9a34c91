/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Modular policies: which packets a class is about (class-map), what is done with them (policy-map), and where
 * (service-policy); and the packets of site to site VPNs. What a policy does is in force once it is applied. */
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/firewall/asa.h"

static struct asa_class *find_class(const struct asa *a, const char *name)
{
    struct asa_class *c = a->classes;
    while (c && strcmp(c->name, name) != 0)
        c = c->next;
    return c;
}

/* ---- class-map ---- */

static int other_class(struct asa *a, const char *why)
{
    (void)why;
    a->class_of->kind = ASA_CLASS_OTHER;
    return 0;
}

int asa_class_map(struct asa *a)
{
    if (!asa_more(a))
        return asa_expected(a, "the name of a class-map");
    const char *name = asa_next(a);
    a->quiet = true; /* what is done with the class may have an effect */
    a->below = other_class;
    struct asa_class *c = find_class(a, name);
    if (!c) {
        c = fw_arena(a->rules, sizeof *c);
        if (!c)
            return asa_no_memory(a);
        *c = (struct asa_class){.name = fw_arena_text(a->rules, name), .kind = ASA_CLASS_OTHER, .next = a->classes};
        if (!c->name)
            return asa_no_memory(a);
        a->classes = c;
    }
    a->class_of = c;
    return asa_end(a);
}

static int match_any(struct asa *a)
{
    a->class_of->kind = ASA_CLASS_ANY;
    return asa_end(a);
}

static int match_default(struct asa *a)
{
    a->class_of->kind = ASA_CLASS_DEFAULT;
    return asa_end(a);
}

static int match_list(struct asa *a)
{
    a->class_of->kind = ASA_CLASS_LIST;
    a->class_of->list = fw_arena_text(a->rules, asa_next(a));
    return a->class_of->list ? 0 : asa_no_memory(a);
}

/* `match port tcp eq 5060` */
static int match_port(struct asa *a)
{
    uint8_t proto;
    bool any;
    struct asa_ports p;
    if (!asa_protocol(asa_peek(a), &proto, &any) || any)
        return asa_expected(a, "tcp, udp or sctp");
    a->at++;
    if (!asa_at_ports(a))
        return asa_expected(a, "eq or range");
    int err = asa_ports(a, proto == PROTO_TCP ? ASA_TCP : ASA_UDP, &p);
    if (!err && p.count == 1) {
        a->class_of->kind = ASA_CLASS_SERVICE;
        a->class_of->service = (struct fw_service){proto, proto, 0, 65535, p.lo[0], p.hi[0]};
    }
    return err ? err : asa_end(a);
}

/* Known forms whose packets cannot be told by their headers: DSCP, tunnel groups, users. */
static int match_other(struct asa *a)
{
    return other_class(a, "");
}

const struct asa_command asa_in_class_map[] = {
    {"match any", ASA_OBJECTS, match_any, NULL},
    {"match default-inspection-traffic", ASA_OBJECTS, match_default, NULL},
    {"match access-list", ASA_OBJECTS, match_list, NULL},
    {"match port", ASA_OBJECTS, match_port, NULL},
    {"match", ASA_OBJECTS, match_other, NULL},
    {"description", ASA_OBJECTS, NULL, NULL},
    {0},
};

/* ---- service-policy: read before the policies are judged ---- */

int asa_service_policy(struct asa *a)
{
    a->doubt = NULL;
    struct asa_applied *p = fw_arena(a->rules, sizeof *p);
    if (!p)
        return asa_no_memory(a);
    *p = (struct asa_applied){.policy = fw_arena_text(a->rules, asa_next(a)), .iface = FW_ANY_IFACE,
                              .next = a->applied};
    if (!p->policy)
        return asa_no_memory(a);
    if (asa_take(a, "interface")) {
        p->iface = fw_rules_find_interface(a->rules, asa_peek(a));
        if (p->iface < 0)
            return asa_expected(a, "the name of an interface");
        a->at++;
    } else if (!asa_take(a, "global")) {
        return asa_expected(a, "global or interface");
    }
    a->applied = p;
    return 0; /* `fail-close` is about IPv6 through inspections that do not know it */
}

/* ---- regions ---- */

/* The services of the answers, in a->service; of ICMP, whose types differ, all. */
static int swap_ports(struct asa *a, const struct fw_rule *r)
{
    a->service.count = 0;
    int err = 0;
    for (size_t k = 0; k < r->service_count && !err; k++) {
        struct fw_service s = r->service[k];
        bool icmp = s.proto_lo == PROTO_ICMP || s.proto_lo == PROTO_ICMP6;
        struct fw_service back = {s.proto_lo,          s.proto_hi,          icmp ? 0 : s.dport_lo,
                                  icmp ? 65535 : s.dport_hi, icmp ? 0 : s.sport_lo, icmp ? 65535 : s.sport_hi};
        err = asa_push_service(a, &a->service, &back);
    }
    return err;
}

int asa_taint_list(struct asa *a, const char *why, const char *name, struct fw_taint_spec spec, bool back)
{
    const struct fw_list *l = fw_rules_list(a->rules, name);
    int err = 0;
    for (size_t i = 0; l && i < l->count && !err; i++) {
        const struct fw_rule *r = &l->rule[i];
        if (r->action != FW_PERMIT || r->inactive)
            continue;
        spec.src = r->src ? r->src->addr : NULL;
        spec.src_count = r->src ? r->src->count : 0;
        spec.dst = r->dst ? r->dst->addr : NULL;
        spec.dst_count = r->dst ? r->dst->count : 0;
        spec.service = r->service;
        spec.service_count = r->service_count;
        err = asa_taint(a, why, spec);
        if (err || !back)
            continue;
        err = swap_ports(a, r);
        struct fw_taint_spec mirror = spec;
        mirror.src = spec.dst;
        mirror.src_count = spec.dst_count;
        mirror.dst = spec.src;
        mirror.dst_count = spec.src_count;
        mirror.service = a->service.v;
        err = err ? err : asa_taint(a, why, mirror);
    }
    return err;
}

/* What may happen to the packets of the class, wherever the policy is applied. */
static int taint_class(struct asa *a, const char *why)
{
    int err = 0;
    const struct asa_class *c = a->class_of;
    for (const struct asa_applied *p = a->applied; p && !err; p = p->next) {
        if (strcmp(p->policy, a->policy) != 0)
            continue;
        for (int out = 0; out < (p->iface < 0 ? 1 : 2) && !err; out++) {
            struct fw_taint_spec spec = {0};
            if (p->iface >= 0)
                *(out ? &spec.out_ifaces : &spec.in_ifaces) = UINT64_C(1) << p->iface;
            if (c && c->kind == ASA_CLASS_SERVICE) {
                spec.service = &c->service;
                spec.service_count = 1;
            }
            err = c && c->kind == ASA_CLASS_LIST ? asa_taint_list(a, why, c->list, spec, true)
                                                 : asa_taint(a, why, spec);
        }
    }
    return err;
}

static int doubt_of_class(struct asa *a, const char *why)
{
    return a->pass == ASA_BINDINGS ? taint_class(a, why) : 0;
}

static const struct asa_applied *applied(const struct asa *a)
{
    const struct asa_applied *p = a->applied;
    while (p && strcmp(p->policy, a->policy) != 0)
        p = p->next;
    return p;
}

/* Everything, everywhere. */
static bool all_packets(const struct asa *a)
{
    const struct asa_applied *p = applied(a);
    return p && p->iface == FW_ANY_IFACE && a->class_of && a->class_of->kind == ASA_CLASS_ANY;
}

/* ---- policy-map ---- */

int asa_policy_map(struct asa *a)
{
    if (!asa_more(a))
        return asa_expected(a, "the name of a policy-map");
    a->policy = fw_arena_text(a->rules, asa_next(a));
    a->class_of = NULL;
    a->below = doubt_of_class;
    return a->policy ? asa_end(a) : asa_no_memory(a);
}

static int class_line(struct asa *a)
{
    static struct asa_class any = {.name = "class-default", .kind = ASA_CLASS_ANY};
    a->class_of = strcmp(asa_peek(a), any.name) == 0 ? &any : find_class(a, asa_peek(a));
    a->below = doubt_of_class;
    a->quiet = true;
    return 0;
}

/* "sip", "h323 h225", "icmp error": the two parts of H.323 are inspections of their own. */
static int inspection_name(struct asa *a, struct text *t)
{
    if (!asa_more(a) || strlen(asa_peek(a)) > 32)
        return asa_expected(a, "what to inspect");
    const char *name = asa_next(a);
    text_add(t, "%s", name);
    if (strcmp(name, "h323") == 0 && (strcmp(asa_peek(a), "h225") == 0 || strcmp(asa_peek(a), "ras") == 0))
        text_add(t, " %s", asa_next(a));
    else if (strcmp(name, "icmp") == 0 && asa_take(a, "error"))
        text_add(t, " error");
    return 0;
}

static int inspect(struct asa *a)
{
    char name[64];
    struct text t = text_of(name, sizeof name);
    int err = inspection_name(a, &t);
    a->quiet = !applied(a);
    if (err || a->quiet)
        return err;
    return fw_rules_add_inspection(a->rules, name, a->line, a->raw) ? asa_no_memory(a) : 0;
}

static int no_inspect(struct asa *a)
{
    char name[64];
    struct text t = text_of(name, sizeof name);
    int err = inspection_name(a, &t);
    a->quiet = !applied(a);
    struct fw_rules *r = a->rules;
    size_t kept = 0;
    for (size_t i = 0; !err && !a->quiet && i < r->inspection_count; i++)
        if (strcmp(r->inspection[i].name, name) != 0)
            r->inspection[kept++] = r->inspection[i];
    if (!err && !a->quiet)
        r->inspection_count = kept;
    return err;
}

/* `set connection timeout idle 2:00:00 half-closed 0:10:00 reset`. Timers of single flows are not modelled: they decide
 * about no first packet, so nothing is tainted. */
static int set_timeout(struct asa *a)
{
    static const struct {
        const char *word;
        int timer[3]; /* enum fw_timer; -1: none */
    } row[] = {
        {"idle", {FW_TIMER_TCP, FW_TIMER_UDP, FW_TIMER_OTHER}}, {"tcp", {FW_TIMER_TCP, -1, -1}},
        {"embryonic", {FW_TIMER_EMBRYONIC, -1, -1}},            {"half-closed", {FW_TIMER_HALF_CLOSED, -1, -1}},
    };
    a->quiet = !applied(a);
    while (!a->quiet && asa_more(a)) {
        size_t i = 0;
        while (i < sizeof row / sizeof *row && !asa_take(a, row[i].word))
            i++;
        if (i == sizeof row / sizeof *row && !asa_take(a, "reset"))
            return asa_fail(a, E_UNSUPPORTED, "\"%.40s\" of connections is not modelled", asa_peek(a));
        uint64_t ns = 0;
        int err = i < sizeof row / sizeof *row ? asa_time_word(a, &ns) : 0;
        if (err)
            return err;
        for (int k = 0; i < sizeof row / sizeof *row && all_packets(a) && k < 3; k++)
            if (row[i].timer[k] >= 0 &&
                fw_rules_set_timer(a->rules, (enum fw_timer)row[i].timer[k], ns, a->line, a->raw))
                return asa_no_memory(a);
    }
    if (!a->quiet && !all_packets(a))
        a->unsure = "idle times of single flows are not modelled; those of `timeout` are used";
    return 0;
}

static int set_timeout_line(struct asa *a)
{
    a->doubt = asa_no_doubt;
    return set_timeout(a);
}

/* `set connection advanced-options tcp-state-bypass`: packets without a connection meet the lists. */
static int bypass(struct asa *a)
{
    a->quiet = !applied(a);
    if (a->quiet)
        return 0;
    if (all_packets(a)) {
        a->rules->policy.tcp_loose = true;
        return asa_end(a);
    }
    a->unsure = "TCP connections without a state (tcp-state-bypass) of single flows are not modelled";
    return taint_class(a, a->unsure);
}

/* A module beside the firewall, which may drop what it likes. */
static int module(struct asa *a)
{
    a->quiet = !applied(a);
    if (a->quiet)
        return 0;
    a->unsure = "what this module lets pass is decided outside of the file";
    return taint_class(a, a->unsure);
}

const struct asa_command asa_in_policy[] = {
    {"class", ASA_BINDINGS, class_line, NULL},
    {"inspect", ASA_BINDINGS, inspect, NULL},
    {"no inspect", ASA_BINDINGS, no_inspect, NULL},
    {"set connection timeout", ASA_BINDINGS, set_timeout_line, NULL},
    {"set connection advanced-options tcp-state-bypass", ASA_BINDINGS, bypass, NULL},
    {"set connection", ASA_OBJECTS, NULL, NULL}, /* limits of number, sequence numbers, options of TCP */
    {"ips", ASA_BINDINGS, module, NULL},
    {"csc", ASA_BINDINGS, module, NULL},
    {"cxsc", ASA_BINDINGS, module, NULL},
    {"sfr", ASA_BINDINGS, module, NULL},
    {"description", ASA_OBJECTS, NULL, NULL},
    {"parameters", ASA_OBJECTS, NULL, NULL},
    {"user-statistics", ASA_OBJECTS, NULL, NULL},
    {"priority", ASA_OBJECTS, NULL, NULL}, /* rates and queues are the topology's */
    {"police", ASA_OBJECTS, NULL, NULL},
    {"shape", ASA_OBJECTS, NULL, NULL},
    {"service-policy", ASA_OBJECTS, NULL, NULL},
    {"flow-export", ASA_OBJECTS, NULL, NULL},
    {0},
};

/* ---- site to site VPN ---- */

/* `crypto map M 10 match address L`: what L permits leaves encrypted, and its answers come so. */
int asa_crypto_map(struct asa *a)
{
    for (size_t i = a->at; i + 2 < a->words; i++)
        if (strcmp(a->word[i].text, "match") == 0 && strcmp(a->word[i + 1].text, "address") == 0) {
            a->unsure = "what goes into a VPN, and what comes out of it, is not modelled";
            return asa_taint_list(a, a->unsure, a->word[i + 2].text, (struct fw_taint_spec){0}, true);
        }
    a->quiet = true;
    return 0;
}
