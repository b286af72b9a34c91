/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The exact engine, the stateful box and the one-packet question give the same answer: for random packets, and for
 * those at the edges of what the rules name, the part that has the packet says what the box does with it. Over the
 * sample rule sets beside the tree and over generated ones. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/rng.h"
#include "models/base/time.h"
#include "models/firewall/exact_parts.h"
#include "models/firewall/fwbox.h"
#include "models/firewall/import.h"
#include "models/firewall/rules.h"
#include "models/testkit/testkit.h"

enum { TEXT_MAX = 1 << 20, PICKS_MAX = 4096 };

/* Values worth trying: what the rules name, and what lies beside it. */
struct picks {
    struct ip_addr ip[PICKS_MAX];
    uint16_t port[PICKS_MAX];
    uint8_t proto[256];
    size_t ips, ports, protos;
};

struct bench {
    struct fw_rules *rules;
    struct fw_routes routes;
    struct fw_prepared *prepared;
    struct picks *picks;
    struct rng rng;
};

/* ---- what to try ---- */

static void pick_ip(struct picks *p, struct ip_addr ip)
{
    if (p->ips < PICKS_MAX && ip.family)
        p->ip[p->ips++] = ip;
}

static void pick_range(struct picks *p, const struct fw_addr *a)
{
    fw_wide lo = fw_wide_of(&a->a), hi = a->masked ? lo : fw_wide_of(&a->b);
    uint8_t family = a->a.family;
    pick_ip(p, fw_wide_ip(family, lo));
    pick_ip(p, fw_wide_ip(family, hi));
    if (lo)
        pick_ip(p, fw_wide_ip(family, lo - 1));
    pick_ip(p, fw_wide_ip(family, hi + 1));
}

static void pick_set(struct picks *p, const struct fw_set *s)
{
    for (size_t i = 0; s && i < s->count && i < 8; i++)
        pick_range(p, &s->addr[i]);
}

static void pick_port(struct picks *p, unsigned port)
{
    if (p->ports < PICKS_MAX && port <= 65535)
        p->port[p->ports++] = (uint16_t)port;
}

static void pick_service(struct picks *p, const struct fw_service *s)
{
    pick_port(p, s->dport_lo);
    pick_port(p, s->dport_hi);
    pick_port(p, s->dport_lo - 1U);
    pick_port(p, s->dport_hi + 1U);
    pick_port(p, s->sport_lo);
    pick_port(p, s->sport_hi);
    if (p->protos < 256)
        p->proto[p->protos++] = s->proto_lo;
}

static void pick_all(struct picks *p, const struct fw_rules *r)
{
    static const uint8_t usual[] = {PROTO_TCP, PROTO_TCP, PROTO_TCP, PROTO_UDP, PROTO_UDP, PROTO_ICMP, PROTO_ICMP6};
    for (size_t i = 0; i < sizeof usual; i++)
        p->proto[p->protos++] = usual[i];
    for (size_t i = 0; i < r->iface_count; i++)
        for (size_t k = 0; k < r->iface[i].address_count; k++) {
            struct fw_addr net = fw_addr_prefix(&r->iface[i].address[k]);
            pick_ip(p, r->iface[i].address[k].ip);
            pick_ip(p, fw_addr_plus(&net.a, 9));
        }
    for (size_t i = 0; i < r->nat_count; i++) {
        const struct fw_nat *n = &r->nat[i];
        pick_set(p, n->real);
        pick_set(p, n->mapped);
        pick_set(p, n->dst_from);
        pick_set(p, n->dst_to);
        pick_service(p, &n->from);
        pick_service(p, &n->to);
    }
    for (size_t i = 0; i < r->list_count; i++)
        for (size_t k = 0; k < r->list[i]->count; k++) {
            const struct fw_rule *rule = &r->list[i]->rule[k];
            pick_set(p, rule->src);
            pick_set(p, rule->dst);
            for (size_t j = 0; j < rule->service_count && j < 8; j++)
                pick_service(p, &rule->service[j]);
        }
}

static struct ip_addr some_ip(struct bench *b, uint8_t family)
{
    struct ip_addr ip = {.family = family};
    for (int tries = 0; tries < 8 && b->picks->ips && !rng_chance(&b->rng, 1, 16); tries++) {
        ip = b->picks->ip[rng_below(&b->rng, b->picks->ips)];
        if (ip.family == family)
            return ip;
    }
    ip = (struct ip_addr){.family = family};
    rng_fill(&b->rng, ip.b, ip_size(&ip));
    return ip;
}

static uint16_t some_port(struct bench *b)
{
    if (b->picks->ports && !rng_chance(&b->rng, 1, 8))
        return b->picks->port[rng_below(&b->rng, b->picks->ports)];
    return (uint16_t)rng_below(&b->rng, 65536);
}

static struct fw_packet some_packet(struct bench *b, int in)
{
    uint8_t family = rng_chance(&b->rng, 1, 8) ? IP_V6 : IP_V4;
    struct fw_packet p = {.iface = in, .tcp_flags = FW_SYN};
    p.flow.src = some_ip(b, family);
    p.flow.dst = some_ip(b, family);
    p.flow.proto = b->picks->proto[rng_below(&b->rng, b->picks->protos)];
    p.flow.sport = some_port(b);
    p.flow.dport = some_port(b);
    if (p.flow.proto == PROTO_ICMP || p.flow.proto == PROTO_ICMP6) {
        p.flow.sport %= 16;
        p.flow.dport = p.flow.sport == 8 ? 0 : p.flow.dport % 16;
    }
    return p;
}

/* ---- the comparison ---- */

static const struct fw_part *part_of(const struct fw_part *parts, size_t count, const struct fw_flow *f, size_t *found)
{
    const struct fw_part *part = NULL;
    *found = 0;
    for (size_t i = 0; i < count; i++)
        if (fw_region_has(&parts[i].arrived, f)) {
            part = &parts[i];
            ++*found;
        }
    return part;
}

/* What one connection among others may run into, and a set of first packets does not. */
static bool is_of_tables(const char *reason)
{
    return reason && (strcmp(reason, "nat-clash") == 0 || strcmp(reason, "pat-exhausted") == 0 ||
                      strcmp(reason, "conn-limit") == 0);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static void explain(const struct bench *b, const struct fw_packet *p, const struct fw_part *part,
                    const struct fw_result *r)
{
    char src[ADDR_TEXT], dst[ADDR_TEXT];
    fprintf(stderr, "%s: proto %u %s:%u > %s:%u by %s: exact %d %s out %d line %u, box %d %s out %d line %u\n",
            b->rules->file, p->flow.proto, ip_text(&p->flow.src, src), p->flow.sport, ip_text(&p->flow.dst, dst),
            p->flow.dport, b->rules->iface[p->iface].name, part->verdict.decision, part->verdict.reason, part->out,
            part->verdict.rule ? part->verdict.rule->line : 0, r->fate, r->reason ? r->reason : "-", r->iface,
            r->rule ? r->rule->line : 0);
}

/* As it left the box: ICMP has no ports there. */
static struct fw_flow left_as(const struct fw_packet *p, const struct fw_result *r)
{
    struct fw_flow f = {p->flow.proto, r->src.ip, r->dst.ip, r->src.port, r->dst.port};
    if (f.proto == PROTO_ICMP || f.proto == PROTO_ICMP6) {
        f.sport = p->flow.sport;
        f.dport = p->flow.dport;
    }
    return f;
}

/* The box has drawn one address or port of several; a rule tells them apart, and the part holds for all. */
static bool is_drawn(const struct fw_part *part)
{
    for (size_t i = 0; i < part->piece_count; i++)
        if (part->piece[i].partial)
            return true;
    return false;
}

static bool agrees(const struct fw_packet *p, const struct fw_part *part, const struct fw_result *r)
{
    if (is_of_tables(r->reason))
        return true;
    if (is_drawn(part))
        return part->verdict.decision == FW_UNKNOWN || part->verdict.decision == r->verdict.decision;
    struct fw_flow left = left_as(p, r);
    if (r->fate == FW_PASS)
        return part->verdict.decision == FW_PERMITTED && r->iface == part->out &&
               r->verdict.rule == part->verdict.rule && same_text(r->verdict.reason, part->verdict.reason) &&
               fw_region_has(&part->leaving, &left);
    bool arrives = same_text(r->reason, "to-the-box") && r->verdict.decision == FW_PERMITTED;
    if (part->verdict.decision == FW_PERMITTED || arrives)
        return arrives && part->out == FW_SELF && r->verdict.rule == part->verdict.rule;
    /* The box says of a packet of a connection that it forgot why it is gone, not what else would drop it. */
    if (same_text(r->reason, "idle-timeout"))
        return true;
    return same_text(r->reason, part->verdict.reason) &&
           (r->rule == part->verdict.rule || r->verdict.decision == FW_UNKNOWN);
}

/* ---- answers ---- */

enum { ANSWERS_MAX = 40 };

/* The answer to a packet that the box has just let pass, as it comes back by the interface `in`. */
static struct fw_packet answer_to(const struct fw_packet *p, const struct fw_result *r, int in)
{
    struct fw_packet a = {.iface = in, .tcp_flags = FW_SYN | FW_ACK,
                          .flow = {p->flow.proto, r->dst.ip, r->src.ip, r->dst.port, r->src.port}};
    bool icmp = p->flow.proto == PROTO_ICMP, icmp6 = p->flow.proto == PROTO_ICMP6;
    if (icmp || icmp6) {
        a.flow.sport = icmp ? 0 : 129;
        a.flow.dport = 0;
        a.echo_id = r->src.port;
    }
    return a;
}

static bool is_ping(const struct fw_flow *f)
{
    return (f->proto == PROTO_ICMP && f->sport == 8) || (f->proto == PROTO_ICMP6 && f->sport == 128);
}

/* The exact engine and the box on the same answer, by the interface that the packet left by or by another. */
static bool answers_agree(struct bench *b, struct fw_box *box, uint64_t now_ns, const struct fw_packet *p,
                          const struct fw_part *part, const struct fw_result *r)
{
    bool icmp = p->flow.proto == PROTO_ICMP || p->flow.proto == PROTO_ICMP6;
    bool to_itself = ip_equal(&r->src.ip, &r->dst.ip) && r->src.port == r->dst.port; /* its own answer */
    if (to_itself || (icmp && !is_ping(&p->flow)))
        return true;
    int in = rng_chance(&b->rng, 1, 4) ? (int)rng_below(&b->rng, b->rules->iface_count) : r->iface;
    struct fw_packet a = answer_to(p, r, in);
    struct fw_space *s = fw_space_new(0);
    assert_non_null(s);
    struct fw_cell one = fw_cell_of(s, &a.flow);
    struct fw_region packets = {&one, 1, 1};
    struct fw_machine m = {b->prepared, &b->routes, NULL};
    struct fw_part *parts;
    size_t count;
    struct fw_question q = {.in = in, .packets = &packets, .states = FW_STATE_ESTABLISHED, .tcp_flags = a.tcp_flags,
                            .answers = part};
    assert_int_equal(fw_exact(&m, &q, s, &parts, &count), 0);
    struct fw_result back = fw_pass(box, now_ns, &a);
    const struct fw_verdict *v = &parts[0].verdict;
    bool passes = back.fate == FW_PASS || (same_text(back.reason, "to-the-box") && parts[0].out == FW_SELF);
    struct fw_flow left = left_as(&a, &back), went = left_as(p, r);
    unsigned origins = 0;
    for (size_t i = 0; i < part->piece_count; i++) {
        struct fw_cell leaving = fw_piece_view(s, &part->piece[i], FW_VIEW_LEAVING);
        origins += fw_cell_has(&leaving, &went);
    }
    /* Where several destinations became one, the answer is from any of them. */
    bool open = origins > 1 || v->decision == FW_UNKNOWN || is_drawn(&parts[0]) || is_of_tables(back.reason);
    bool arrived = back.fate != FW_PASS ||
                   (parts[0].out == back.iface && fw_region_has(&parts[0].leaving, &left));
    bool same = open || (count == 1 && passes == (v->decision == FW_PERMITTED) && arrived);
    if (!same)
        explain(b, &a, &parts[0], &back);
    fw_space_free(s);
    return same;
}

/* The first `wrong` that differ are told. */
static size_t compare(struct bench *b, int in, const struct fw_part *parts, size_t count, unsigned packets)
{
    unsigned answered = 0;
    size_t wrong = 0;
    uint64_t now_ns = 0;
    struct fw_box_config cfg = {.rules = b->rules, .routes = &b->routes, .name = "fw", .seed = 1};
    struct fw_box *box = fw_box_new(&cfg);
    assert_non_null(box);
    for (unsigned i = 0; i < packets; i++) {
        struct fw_packet p = some_packet(b, in);
        size_t found;
        const struct fw_part *part = part_of(parts, count, &p.flow, &found);
        now_ns += UINT64_C(1000) * 3600 * NS_S; /* whatever was remembered is forgotten */
        struct fw_result r = fw_pass(box, now_ns, &p);
        bool ask_back = r.fate == FW_PASS && !is_of_tables(r.reason) && answered < ANSWERS_MAX;
        if (found == 1 && agrees(&p, part, &r)) {
            answered += ask_back;
            wrong += ask_back && !is_drawn(part) && !answers_agree(b, box, now_ns, &p, part, &r);
            continue;
        }
        if (found != 1)
            fprintf(stderr, "%s: a packet is in %zu parts\n", b->rules->file, found);
        else if (wrong < 10)
            explain(b, &p, part, &r);
        wrong++;
    }
    fw_box_free(box);
    return wrong;
}

static void open_bench(struct bench *b, struct fw_rules *rules)
{
    *b = (struct bench){.rules = rules, .picks = calloc(1, sizeof *b->picks), .rng = rng_named(1, "agree")};
    assert_non_null(b->picks);
    int err = 0;
    struct fw_route shared[8] = {0};
    for (size_t i = 0; i < rules->iface_count; i++)
        for (size_t k = 0; k < rules->iface[i].address_count; k++)
            err |= fw_routes_add(&b->routes, &(struct fw_route){.to = rules->iface[i].address[k], .iface = (int)i});
    for (size_t i = 0; i < rules->route_count; i++)
        err |= fw_routes_add(&b->routes, &rules->route[i]);
    /* A file without addresses: the space is shared out, so that packets go somewhere. */
    for (size_t i = 0; b->routes.count == 0 && i < rules->iface_count && i < 8; i++)
        shared[i] = (struct fw_route){.to = {ip_v4((uint32_t)(i << 29)), 3}, .iface = (int)i};
    for (size_t i = 0; i < 8 && shared[i].to.len; i++)
        err |= fw_routes_add(&b->routes, &shared[i]);
    assert_int_equal(err, 0);
    b->prepared = fw_prepare(rules);
    assert_non_null(b->prepared);
    pick_all(b->picks, rules);
}

static void close_bench(struct bench *b)
{
    fw_prepared_free(b->prepared);
    fw_routes_free(&b->routes);
    free(b->picks);
}

/* All interfaces, so many packets in all. */
static size_t try_rules(struct fw_rules *rules, unsigned packets)
{
    struct bench b;
    size_t wrong = 0;
    open_bench(&b, rules);
    struct fw_space *s = fw_space_new(0);
    assert_non_null(s);
    for (int in = 0; in < (int)rules->iface_count; in++) {
        struct fw_region all = fw_region_any(s);
        struct fw_machine m = {b.prepared, &b.routes, NULL};
        struct fw_part *parts;
        size_t count;
        assert_int_equal(fw_exact(&m, &(struct fw_question){.in = in, .packets = &all}, s, &parts, &count), 0);
        wrong += compare(&b, in, parts, count, packets / (unsigned)rules->iface_count);
        fw_space_reset(s);
    }
    fw_space_free(s);
    close_bench(&b);
    return wrong;
}

/* ---- samples ---- */

/* Of a file with several groups, those that are asked for. */
static const struct {
    const char *name, *section;
} sections[] = {{"aws-SecurityGroups.json", "sg-55510831"}};

static const char *section_of(const char *name)
{
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        if (strcmp(sections[i].name, name) == 0)
            return sections[i].section;
    return NULL;
}

static struct fw_rules *import(const char *path, const char *name)
{
    char *text = malloc(TEXT_MAX);
    assert_non_null(text);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(text, 1, TEXT_MAX, f);
    fclose(f);
    struct fw_rules *r = NULL;
    struct fw_diag diag;
    struct fw_source src = {.name = name, .text = text, .len = n, .clock_s = FW_NO_CLOCK, .section = section_of(name)};
    const struct fw_format *format = fw_format_of(text, n);
    if (format && format->parse(&src, &r, &diag))
        r = NULL;
    free(text);
    return r;
}

static size_t try_folder(const char *path, unsigned packets, unsigned *tried)
{
    struct dirent **entry;
    size_t wrong = 0;
    int n = scandir(path, &entry, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char file[512];
        snprintf(file, sizeof file, "%s/%s", path, entry[i]->d_name);
        struct fw_rules *r = entry[i]->d_name[0] == '.' ? NULL : import(file, entry[i]->d_name);
        free(entry[i]);
        if (r && r->iface_count) {
            wrong += try_rules(r, packets);
            ++*tried;
        }
        fw_rules_free(r);
    }
    if (n >= 0)
        free(entry);
    return wrong;
}

static void samples_agree(void **state)
{
    (void)state;
    static const char *const folder[] = {"asa", "ios", "iptables", "nft-json", "cloud", "paloalto"};
    unsigned tried = 0;
    size_t wrong = try_folder("topologies/rules", 100000, &tried);
    for (size_t i = 0; i < sizeof folder / sizeof *folder; i++) {
        char path[128];
        snprintf(path, sizeof path, "../shared/rulesets/%s", folder[i]);
        wrong += try_folder(path, 100000, &tried);
    }
    print_message("%u rule sets\n", tried);
    assert_int_equal(wrong, 0);
}

/* ---- generated rule sets ---- */

enum { RULE_SETS = 150, IFACES = 3 };

/* 10.N.0.0/24 on interface N, small sets of hosts in and beside them. */
static struct fw_addr some_addr(struct rng *rng)
{
    static const uint32_t mask[] = {0xffffffff, 0xfffffff0, 0xffffff00, 0xffff0000, 0xff00ff0f};
    uint32_t ip = 10U << 24 | (uint32_t)rng_below(rng, IFACES + 1) << 16 | (uint32_t)rng_below(rng, 16);
    uint32_t m = mask[rng_below(rng, 5)];
    if (m == 0xff00ff0f)
        return (struct fw_addr){.a = ip_v4(ip), .b = ip_v4(m), .masked = true};
    return (struct fw_addr){.a = ip_v4(ip & m), .b = ip_v4(ip | ~m)};
}

static struct fw_service some_service(struct rng *rng)
{
    static const uint8_t proto[] = {PROTO_TCP, PROTO_UDP, PROTO_TCP, PROTO_ICMP};
    struct fw_service s = FW_SERVICE_ANY;
    if (rng_chance(rng, 3, 4))
        s.proto_lo = s.proto_hi = proto[rng_below(rng, 4)];
    if (rng_chance(rng, 1, 2)) {
        s.dport_lo = (uint16_t)rng_below(rng, 20);
        s.dport_hi = (uint16_t)(s.dport_lo + rng_below(rng, 10));
    }
    if (rng_chance(rng, 1, 5))
        s.sport_lo = (uint16_t)rng_below(rng, 20);
    return s;
}

static struct fw_conditions some_conditions(struct rng *rng, bool hooks)
{
    struct fw_conditions c = {0};
    if (rng_chance(rng, 1, 4))
        c.in_ifaces = 1 + rng_below(rng, 7);
    if (rng_chance(rng, 1, 6))
        c.out_ifaces = 1 + rng_below(rng, 7);
    if (hooks && rng_chance(rng, 1, 6))
        c.states = (uint8_t)(1 + rng_below(rng, 127));
    if (hooks && rng_chance(rng, 1, 8))
        c.not_states = (uint8_t)rng_below(rng, 128);
    if (rng_chance(rng, 1, 8))
        c.tcp_flags = fw_flags_set(FW_SYN | FW_ACK, rng_chance(rng, 1, 2) ? FW_SYN : FW_ACK);
    c.src_is_own = (int8_t)(rng_chance(rng, 1, 10) ? 1 : 0);
    c.dst_is_own = (int8_t)(rng_chance(rng, 1, 10) ? -1 : 0);
    c.unknown = rng_chance(rng, 1, 6) ? "limit" : NULL;
    return c;
}

static void add_rule(struct fw_rules *r, struct rng *rng, const char *list, enum fw_action action, const char *target,
                     const struct fw_nat_to *nat, bool hooks)
{
    struct fw_addr src[2] = {some_addr(rng), some_addr(rng)}, dst[2] = {some_addr(rng), some_addr(rng)};
    struct fw_service service[3] = {some_service(rng), some_service(rng), some_service(rng)};
    struct fw_conditions when = some_conditions(rng, hooks);
    static unsigned line;
    if (nat && nat->port_lo) /* ports are given to protocols that have some */
        service[0].proto_lo = service[0].proto_hi = PROTO_TCP;
    struct fw_rule_spec spec = {.list = list, .action = action, .target = target, .nat = nat, .src = src, .dst = dst,
                                .src_count = rng_below(rng, 3), .dst_count = rng_below(rng, 3), .service = service,
                                .service_count = nat && nat->port_lo ? 1 : rng_below(rng, 4), .line = ++line,
                                .inactive = rng_chance(rng, 1, 30),
                                .when = rng_chance(rng, 1, 2) ? &when : NULL};
    assert_int_equal(fw_rules_add_rule(r, &spec), 0);
}

static struct fw_rules *some_machine(void)
{
    struct fw_rules *r = fw_rules_new("generated");
    assert_non_null(r);
    for (unsigned i = 0; i < IFACES; i++) {
        char name[8];
        snprintf(name, sizeof name, "e%u", i);
        struct ip_prefix own = {ip_v4(10U << 24 | i << 16 | 1), 24};
        struct fw_iface_spec spec = {.name = name, .level = (int)i * 50, .address = &own, .address_count = 1};
        assert_int_equal(fw_rules_add_interface(r, &spec), (int)i);
    }
    struct ip_prefix all = {ip_v4(0), 0};
    struct ip_addr gateway = ip_v4(10U << 24 | 9);
    assert_int_equal(fw_rules_add_route(r, &all, 0, &gateway), 0);
    return r;
}

static void add_taints(struct fw_rules *r, struct rng *rng)
{
    struct fw_addr dst = some_addr(rng);
    struct fw_taint_spec taint = {.dst = &dst, .dst_count = 1, .in_ifaces = rng_below(rng, 4), .why = "not read",
                                  .line = 9999};
    if (rng_chance(rng, 1, 4))
        assert_int_equal(fw_rules_add_taint(r, &taint), 0);
}

static struct fw_rules *with_lists(struct rng *rng)
{
    static const char *const name[] = {"l0", "l1", "l2", "l3"};
    struct fw_rules *r = some_machine();
    for (size_t i = 0; i < 4; i++)
        for (uint64_t n = rng_below(rng, 8); n > 0; n--)
            add_rule(r, rng, name[i], rng_chance(rng, 1, 2) ? FW_PERMIT : rng_chance(rng, 1, 2) ? FW_DENY : FW_REJECT,
                     NULL, NULL, false);
    for (int i = 0; i < IFACES; i++) {
        if (rng_chance(rng, 2, 3))
            assert_int_equal(fw_rules_bind(r, name[rng_below(rng, 4)], i, FW_IN), 0);
        if (rng_chance(rng, 1, 3))
            assert_int_equal(fw_rules_bind(r, name[rng_below(rng, 4)], i, FW_OUT), 0);
    }
    if (rng_chance(rng, 1, 3))
        assert_int_equal(fw_rules_bind(r, name[rng_below(rng, 4)], FW_ANY_IFACE, FW_IN), 0);
    struct fw_policy p = {.without_list = (enum fw_default)rng_below(rng, 4), .same_level_intra = true,
                          .view = {(enum fw_view)rng_below(rng, 2), (enum fw_view)rng_below(rng, 3)}};
    fw_rules_set_policy(r, &p);
    for (unsigned i = 0; i < rng_below(rng, 6); i++) {
        uint32_t real = 10U << 24 | (uint32_t)rng_below(rng, IFACES) << 16 | (uint32_t)rng_below(rng, 16);
        uint32_t mapped = 10U << 24 | (uint32_t)rng_below(rng, IFACES) << 16 | (uint32_t)(16 + rng_below(rng, 16));
        uint32_t more = (uint32_t)rng_below(rng, 3);
        struct fw_addr from = {.a = ip_v4(real), .b = ip_v4(real + more)};
        struct fw_addr to = {.a = ip_v4(mapped), .b = ip_v4(mapped + more)};
        struct fw_service service = {PROTO_TCP, PROTO_TCP, 0, 65535, 0, 65535}, shifted = service;
        service.sport_lo = service.sport_hi = 5;
        shifted.sport_lo = shifted.sport_hi = 15;
        bool port = rng_chance(rng, 1, 4);
        struct fw_nat_spec nat = {.section = (enum fw_nat_section)(1 + rng_below(rng, 3)), .object = "o",
                                  .real_iface = (int)rng_below(rng, 4) - 1, .mapped_iface = (int)rng_below(rng, 4) - 1,
                                  .dynamic = rng_chance(rng, 1, 4), .unidirectional = rng_chance(rng, 1, 8),
                                  .real = &from, .mapped = &to, .real_count = 1, .mapped_count = 1, .line = 5000 + i};
        nat.pat = nat.dynamic && rng_chance(rng, 1, 2);
        if (port && !nat.dynamic && nat.section != FW_NAT_OBJECT) {
            nat.from = &service;
            nat.to = &shifted;
        }
        struct fw_addr peer = some_addr(rng), other = {.a = ip_v4(11U << 24), .b = ip_v4(11U << 24)};
        if (nat.section != FW_NAT_OBJECT && rng_chance(rng, 1, 3) && !peer.masked) {
            nat.has_dst = true;
            nat.dst_from = &peer;
            nat.dst_from_count = 1;
            other.b = ip_v4((11U << 24) + (uint32_t)fw_addr_count(&peer.a, &peer.b) - 1);
            nat.dst_to = &other;
            nat.dst_to_count = rng_chance(rng, 1, 2);
        }
        assert_int_equal(fw_rules_add_nat(r, &nat), 0);
    }
    if (rng_chance(rng, 1, 4))
        assert_int_equal(fw_rules_set_verify_reverse(r, 1, 7777, "rpf"), 0);
    add_taints(r, rng);
    return r;
}

static struct fw_rules *with_hooks(struct rng *rng)
{
    static const char *const name[] = {"c0", "c1", "c2", "c3", "c4", "c5"};
    static const int priority[] = {FW_PRIO_RAW, FW_PRIO_MANGLE, FW_PRIO_FILTER, FW_PRIO_SRCNAT + 10};
    struct fw_rules *r = some_machine();
    for (size_t i = 0; i < 6; i++)
        for (uint64_t n = rng_below(rng, 7); n > 0; n--) {
            enum fw_action action = (enum fw_action)rng_below(rng, 6);
            bool jumps = action == FW_JUMP || action == FW_GOTO;
            if (jumps && i == 5)
                action = FW_DENY;
            add_rule(r, rng, name[i], action, jumps && i < 5 ? name[i + 1 + rng_below(rng, 5 - i)] : NULL, NULL, true);
        }
    for (uint64_t n = 1 + rng_below(rng, 5); n > 0; n--) {
        struct fw_base_spec base = {.list = name[rng_below(rng, 6)], .priority = priority[rng_below(rng, 4)],
                                    .hook = (enum fw_hook)rng_below(rng, FW_HOOK_COUNT), .line = 8000 + (unsigned)n,
                                    .policy = rng_chance(rng, 2, 3) ? FW_PERMIT : FW_DENY,
                                    .family = (uint8_t)rng_below(rng, 3)};
        assert_int_equal(fw_rules_add_base(r, &base), 0);
    }
    if (rng_chance(rng, 1, 4))
        add_rule(r, rng, "raw", FW_NOTRACK, NULL, NULL, false);
    assert_int_equal(fw_rules_add_base(r, &(struct fw_base_spec){.list = "raw", .hook = FW_PREROUTING,
                                                                 .priority = FW_PRIO_RAW, .policy = FW_PERMIT}), 0);
    for (int k = 0; k < 2; k++) {
        const char *list = k ? "post" : "pre";
        for (uint64_t n = rng_below(rng, 4); n > 0; n--) {
            struct fw_addr to = some_addr(rng);
            struct fw_nat_to nat = {.to = &to, .own = false};
            if (to.masked || rng_chance(rng, 1, 3))
                nat = (struct fw_nat_to){.own = true};
            else if (rng_chance(rng, 2, 3))
                to.b = to.a;
            if (rng_chance(rng, 1, 3)) {
                nat.port_lo = (uint16_t)(1 + rng_below(rng, 20));
                nat.port_hi = (uint16_t)(nat.port_lo + rng_below(rng, 2));
            }
            add_rule(r, rng, list, rng_chance(rng, 1, 4) ? FW_PERMIT : FW_NAT_TO, NULL, &nat, true);
        }
        assert_int_equal(fw_rules_add_base(r, &(struct fw_base_spec){.list = list, .policy = FW_PERMIT, .nat = true,
                                                                     .family = IP_V4,
                                                                     .hook = k ? FW_POSTROUTING : FW_PREROUTING,
                                                                     .priority = k ? FW_PRIO_SRCNAT : FW_PRIO_DSTNAT}),
                         0);
    }
    struct fw_policy p = {.without_list = FW_DEFAULT_PERMIT, .tcp_loose = true};
    fw_rules_set_policy(r, &p);
    add_taints(r, rng);
    return r;
}

static void generated_agree(struct fw_rules *(*make)(struct rng *), const char *name)
{
    struct rng rng = rng_named(1, name);
    size_t wrong = 0;
    for (int i = 0; i < RULE_SETS && !wrong; i++) {
        struct fw_rules *r = make(&rng);
        wrong += try_rules(r, 2000);
        if (wrong)
            fprintf(stderr, "rule set %d of %s\n", i, name);
        fw_rules_free(r);
    }
    assert_int_equal(wrong, 0);
}

static void lists_agree(void **state)
{
    (void)state;
    generated_agree(with_lists, "lists");
}

static void hooks_agree(void **state)
{
    (void)state;
    generated_agree(with_hooks, "hooks");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_agree),
        cmocka_unit_test(hooks_agree),
        cmocka_unit_test(samples_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
