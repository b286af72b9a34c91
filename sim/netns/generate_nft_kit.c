/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "sim/netns/generate_kit.h"

#define ONE_OF(rng, table) ((table)[rng_below((rng), sizeof(table) / sizeof *(table))])

enum { CHAINS = 4 };
enum l4 { L4_ANY, L4_TCP, L4_UDP, L4_TH, L4_ICMP, L4_OTHER };

struct hook {
    const char *name;
    int priority;
    bool in, out; /* iifname, oifname mean something */
    bool bare;    /* the kernel knows no reject here, nor chains with one */
};

struct gen {
    struct text *t;
    struct rng *rng;
    const char *table; /* its family: ip, ip6, inet */
    uint8_t family;    /* of the addresses of the rule at hand */
    enum l4 l4;
};

static bool chance(struct gen *g, unsigned percent)
{
    return rng_chance(g->rng, percent, 100);
}

static const char *no(struct gen *g)
{
    return chance(g, 20) ? "!= " : "";
}

/* ---- values ---- */

static void add_address(struct gen *g)
{
    const char *p;
    do
        p = chance(g, 60) ? generate_prefix(g->rng, g->family) : generate_host(g->rng, g->family);
    while (strstr(p, "/0"));
    text_add(g->t, "%s", p);
}

static void add_range(struct gen *g)
{
    unsigned a = generate_port(g->rng), b = generate_port(g->rng);
    if (a == b || chance(g, 50))
        text_add(g->t, "%u", a);
    else
        text_add(g->t, "%u-%u", a < b ? a : b, a < b ? b : a);
}

/* ---- what tables have ---- */

/* Elements that do not touch each other. */
static void add_sets(struct gen *g)
{
    static const char *const a4[] = {"10.1.2.0/24, 192.168.7.9", "10.1.2.3, 198.51.100.0/24, 203.0.113.16-203.0.113.30",
                                     "172.16.5.5-172.16.9.9, 100.64.0.0/10"};
    static const char *const a6[] = {"2001:db8:1::/48, fd12:3456::9", "2001:db8:1:2::5, 2001:db8:2::-2001:db8:3::7"};
    static const char *const port[] = {"22, 53, 443", "80-1024, 24000-29999", "53, 3478-5060, 65535"};
    static const char *const pair[] = {"10.1.2.3 . 80, 198.51.100.17 . 53, 10.1.2.200 . 443",
                                       "172.16.5.5 . 22, 192.168.7.9 . 65535"};
    static const char *const wide[] = {"10.1.2.0/24 . 80-1024, 198.51.100.17 . 53, 172.16.0.0/12 . 24000-29999"};
    bool four = strcmp(g->table, "ip6") != 0, six = strcmp(g->table, "ip") != 0;
    text_add(g->t, " set port { type inet_service; flags interval; elements = { %s } }\n", ONE_OF(g->rng, port));
    if (four) {
        text_add(g->t, " set a4 { type ipv4_addr; flags interval; elements = { %s } }\n", ONE_OF(g->rng, a4));
        text_add(g->t, " set pair { type ipv4_addr . inet_service; elements = { %s } }\n", ONE_OF(g->rng, pair));
        text_add(g->t, " set wide { type ipv4_addr . inet_service; flags interval; elements = { %s } }\n",
                 ONE_OF(g->rng, wide));
    }
    if (six)
        text_add(g->t, " set a6 { type ipv6_addr; flags interval; elements = { %s } }\n", ONE_OF(g->rng, a6));
    text_add(g->t, " map verdict { type inet_service : verdict; elements = { 22 : accept, 80 : jump c3, 443 : drop, "
                   "3478 : goto c3, 53 : return } }\n");
}

/* ---- matches ---- */

static void add_addresses(struct gen *g)
{
    static const char *const field[] = {"saddr", "daddr"};
    const char *ip = g->family == IP_V4 ? "ip" : "ip6";
    text_add(g->t, " %s %s %s", ip, ONE_OF(g->rng, field), no(g));
    switch (rng_below(g->rng, 5)) {
    case 0:
        text_add(g->t, "@a%s", g->family == IP_V4 ? "4" : "6");
        break;
    case 1:
        text_add(g->t, g->family == IP_V4 ? "{ 10.1.2.3, 172.16.0.0/12, 198.51.100.1-198.51.100.17 }"
                                          : "{ 2001:db8:1:2::5, fd12:3456::/32 }");
        break;
    case 2:
        text_add(g->t, g->family == IP_V4 ? "10.1.2.3-172.16.5.5" : "2001:db8:1:2::5-2001:db8:3::7");
        break;
    default:
        add_address(g);
    }
}

static void add_ifaces(struct gen *g, const struct hook *h)
{
    for (int out = 0; out < 2; out++) {
        if (!(out ? h->out : h->in) || !chance(g, 22))
            continue;
        text_add(g->t, " %sifname %s", out ? "o" : "i", no(g));
        if (chance(g, 20))
            text_add(g->t, "{ \"%s\", \"lo\", \"side1\" }", generate_iface(g->rng));
        else
            text_add(g->t, "\"%s\"", chance(g, 85) ? generate_iface(g->rng) : "eth*");
    }
}

static void add_ports(struct gen *g)
{
    static const char *const proto[] = {[L4_TCP] = "tcp", [L4_UDP] = "udp", [L4_TH] = "th"};
    static const char *const field[] = {"dport", "dport", "dport", "sport"};
    static const char *const compare[] = {"> ", "< ", ">= ", "<= "};
    if (g->l4 == L4_TH)
        text_add(g->t, " meta l4proto { tcp, udp }");
    text_add(g->t, " %s %s ", proto[g->l4], ONE_OF(g->rng, field));
    switch (rng_below(g->rng, 6)) {
    case 0:
        text_add(g->t, "%s@port", no(g));
        break;
    case 1:
        text_add(g->t, "%s{ 22, 80-443, 3478, 50000-65535 }", no(g));
        break;
    case 2:
        text_add(g->t, "%s1024", ONE_OF(g->rng, compare));
        break;
    default:
        text_add(g->t, "%s", no(g));
        add_range(g);
    }
}

static void add_flags(struct gen *g)
{
    static const char *const flags[] = {"syn", "& (fin|syn|rst|ack) == syn", "& (syn|ack) == ack", "& (fin|syn) != 0",
                                        "& (fin|syn|rst|psh|ack|urg) == 0x0", "& (fin|syn|rst|ack) != syn", "!= syn",
                                        "== syn|ack", "fin,rst"};
    if (g->l4 == L4_TCP && chance(g, 30))
        text_add(g->t, " tcp flags %s", ONE_OF(g->rng, flags));
}

static void add_icmp(struct gen *g)
{
    static const char *const four[] = {"type echo-request", "type { echo-request, destination-unreachable }",
                                       "type != echo-reply", "type destination-unreachable icmp code 3",
                                       "type time-exceeded", "code 1"};
    static const char *const six[] = {"type echo-request", "type { echo-request, packet-too-big, 1 }",
                                      "type != echo-reply", "type destination-unreachable"};
    text_add(g->t, g->family == IP_V4 ? " icmp %s" : " icmpv6 %s",
             g->family == IP_V4 ? ONE_OF(g->rng, four) : ONE_OF(g->rng, six));
}

static void add_concat(struct gen *g)
{
    static const char *const four[] = {"ip saddr . tcp dport @pair", "ip daddr . tcp dport @wide",
                                       "ip daddr . tcp dport { 10.1.2.3 . 80, 198.51.100.17 . 22 }",
                                       "ip saddr . ip daddr { 10.1.2.3 . 198.51.100.17, 172.16.0.0/12 . 10.1.0.0/16 }",
                                       "ip daddr . tcp dport != { 10.1.2.3 . 80 }"};
    const char *key = ONE_OF(g->rng, four);
    text_add(g->t, " %s", key);
    g->l4 = strstr(key, "tcp") ? L4_TCP : L4_ANY;
}

static void add_l4(struct gen *g)
{
    static const char *const other[] = {"meta l4proto gre", "meta l4proto { tcp, icmp, esp }", "meta l4proto != udp",
                                        "meta l4proto esp"};
    g->l4 = (enum l4)rng_below(g->rng, 6);
    switch (g->l4) {
    case L4_ICMP:
        add_icmp(g);
        break;
    case L4_OTHER:
        text_add(g->t, " %s", ONE_OF(g->rng, other));
        break;
    case L4_ANY:
        break;
    default:
        if (chance(g, 80))
            add_ports(g);
        else
            text_add(g->t, g->l4 == L4_TCP ? " meta l4proto tcp" : g->l4 == L4_UDP ? " meta l4proto udp"
                                                                                    : " meta l4proto { tcp, udp }");
        add_flags(g);
    }
}

static void add_matches(struct gen *g, const struct hook *h)
{
    static const char *const state[] = {"new", "established,related", "invalid", "{ new, untracked }", "!= invalid",
                                        "new,established", "untracked", "!= { established, related }"};
    bool six = strcmp(g->table, "ip6") == 0 || (strcmp(g->table, "inet") == 0 && chance(g, 35));
    g->family = six ? IP_V6 : IP_V4;
    g->l4 = L4_ANY;
    add_ifaces(g, h);
    if (chance(g, 15) && !six) {
        add_concat(g);
    } else {
        if (chance(g, 50))
            add_addresses(g);
        add_l4(g);
    }
    if (chance(g, 20) && h->priority > -300)
        text_add(g->t, " ct state %s", ONE_OF(g->rng, state));
    if (chance(g, 6))
        text_add(g->t, " fib daddr type local");
    if (chance(g, 6))
        text_add(g->t, " ct status dnat");
    if (chance(g, 10))
        text_add(g->t, " counter");
}

/* ---- verdicts ---- */

static void add_verdict(struct gen *g, const struct hook *h, unsigned level)
{
    static const char *const plain[] = {"accept", "accept", "drop", "return", "continue", "reject", ""};
    const char *v = ONE_OF(g->rng, plain);
    if (h->bare) {
        text_add(g->t, chance(g, 60) ? " accept" : " drop");
        return;
    }
    if (level < CHAINS && chance(g, 30))
        v = chance(g, 65) ? "jump" : "goto";
    bool ports = g->l4 == L4_TCP || g->l4 == L4_UDP;
    if (*v == 'j' || *v == 'g')
        text_add(g->t, " %s c%u", v, level + (unsigned)rng_below(g->rng, CHAINS - level));
    else if (ports && level < CHAINS && chance(g, 12))
        text_add(g->t, " %s dport vmap @verdict", g->l4 == L4_TCP ? "tcp" : "udp");
    else if (ports && chance(g, 8))
        text_add(g->t, " %s dport vmap { 22 : drop, 80-1024 : accept, 3478 : return }",
                 g->l4 == L4_TCP ? "tcp" : "udp");
    else if (strcmp(v, "reject") == 0 && g->l4 == L4_TCP && chance(g, 50))
        text_add(g->t, " reject with tcp reset");
    else
        text_add(g->t, " %s", v);
}

static void add_rules(struct gen *g, const struct hook *h, unsigned level, unsigned max)
{
    for (uint64_t n = rng_below(g->rng, max) + 1; n-- > 0;) {
        text_add(g->t, " ");
        add_matches(g, h);
        add_verdict(g, h, level);
        text_add(g->t, "\n");
    }
}

static void add_base(struct gen *g, const char *name, const struct hook *h, unsigned max)
{
    text_add(g->t, " chain %s { type filter hook %s priority %d; policy %s;\n", name, h->name, h->priority,
             chance(g, 65) ? "accept" : "drop");
    if (chance(g, 35) && h->priority > -300)
        text_add(g->t, chance(g, 50) ? "  ct state established,related accept\n"
                                     : "  ct state vmap { established : accept, related : accept, invalid : drop }\n");
    if (chance(g, 30)) {
        g->family = strcmp(g->table, "ip6") == 0 ? IP_V6 : IP_V4;
        text_add(g->t, "  %s daddr %s%s %s\n", g->family == IP_V4 ? "ip" : "ip6", no(g),
                 generate_host(g->rng, g->family), chance(g, 50) ? "accept" : "drop");
    }
    add_rules(g, h, 0, max);
    text_add(g->t, " }\n");
}

/* ---- translations ---- */

static void add_dnat(struct gen *g)
{
    const char *ip = strcmp(g->table, "inet") != 0 ? "" : g->family == IP_V4 ? "ip " : "ip6 ";
    bool ports = g->l4 == L4_TCP || g->l4 == L4_UDP;
    const char *proto = g->l4 == L4_TCP ? "tcp" : "udp", *host = generate_host(g->rng, g->family);
    switch (rng_below(g->rng, 5)) {
    case 0:
        text_add(g->t, ports ? " redirect to :%u\n" : " redirect\n", generate_port(g->rng));
        return;
    case 1:
        if (ports && g->family == IP_V4)
            text_add(g->t, " dnat %sto %s dport map { 80 : 10.1.2.3, 443 : 172.16.5.5, 1024-5060 : 198.51.100.17 }\n",
                     ip, proto);
        else
            text_add(g->t, " accept\n");
        return;
    case 2:
        if (ports && g->family == IP_V4)
            text_add(g->t, " dnat %sto %s:%u\n", ip, host, generate_port(g->rng));
        else if (ports)
            text_add(g->t, " dnat %sto [%s]:%u\n", ip, host, generate_port(g->rng));
        else
            text_add(g->t, " return\n");
        return;
    default:
        text_add(g->t, " dnat %sto %s\n", ip, host);
    }
}

static void add_snat(struct gen *g)
{
    const char *ip = strcmp(g->table, "inet") != 0 ? "" : g->family == IP_V4 ? "ip " : "ip6 ";
    bool ports = g->l4 == L4_TCP || g->l4 == L4_UDP;
    if (chance(g, 50))
        text_add(g->t, " snat %sto %s\n", ip, generate_host(g->rng, g->family));
    else if (ports && chance(g, 30))
        text_add(g->t, " masquerade to :50000-65535\n");
    else
        text_add(g->t, chance(g, 80) ? " masquerade\n" : " accept\n");
}

/* A translation to an address of one family needs a packet of that family. */
static void add_family(struct gen *g)
{
    if (strcmp(g->table, "inet") == 0)
        text_add(g->t, g->family == IP_V4 ? " meta nfproto ipv4" : " meta nfproto ipv6");
}

static void add_nat(struct gen *g)
{
    static const struct hook to = {.name = "prerouting", .priority = -100, .in = true},
                             from = {.name = "postrouting", .priority = 100, .out = true};
    text_add(g->t, " chain to { type nat hook prerouting priority -100; policy accept;\n");
    for (uint64_t n = rng_below(g->rng, 4) + 1; n-- > 0;) {
        text_add(g->t, " ");
        add_matches(g, &to);
        add_family(g);
        add_dnat(g);
    }
    text_add(g->t, " }\n chain from { type nat hook postrouting priority 100; policy accept;\n");
    for (uint64_t n = rng_below(g->rng, 3) + 1; n-- > 0;) {
        text_add(g->t, " ");
        add_matches(g, &from);
        add_family(g);
        add_snat(g);
    }
    text_add(g->t, " }\n");
}

/* ---- tables ---- */

static void add_notrack(struct gen *g)
{
    static const struct hook raw = {.name = "prerouting", .priority = -300, .in = true};
    text_add(g->t, " chain raw { type filter hook prerouting priority -300; policy accept;\n ");
    add_matches(g, &raw);
    text_add(g->t, chance(g, 80) ? " notrack\n }\n" : " drop\n }\n");
}

static void add_table(struct gen *g, unsigned number)
{
    static const struct hook forward = {"forward", 0, true, true, false}, late = {"forward", 10, true, true, false},
                             early = {"prerouting", -150, true, false, false}, input = {"input", 0, true, false, false},
                             end = {"postrouting", 0, true, true, true};
    text_add(g->t, "table %s t%u {\n", g->table, number);
    add_sets(g);
    for (unsigned i = CHAINS; i-- > 0;) {
        text_add(g->t, " chain c%u {\n", i);
        add_rules(g, &forward, i + 1, 3);
        text_add(g->t, " }\n");
    }
    if (chance(g, 30))
        add_notrack(g);
    if (chance(g, 30))
        add_base(g, "early", &early, 2);
    add_base(g, "input", &input, 5);
    add_base(g, "forward", &forward, 7);
    if (chance(g, 30))
        add_base(g, "late", &late, 3);
    if (chance(g, 15))
        add_base(g, "end", &end, 2);
    if (chance(g, 55))
        add_nat(g);
    text_add(g->t, "}\n");
}

void generate_nft(struct text *out, struct rng *rng)
{
    static const char *const family[] = {"inet", "inet", "inet", "ip", "ip6"};
    struct gen g = {.t = out, .rng = rng};
    g.table = ONE_OF(rng, family);
    add_table(&g, 0);
    if (chance(&g, 30)) {
        g.table = ONE_OF(rng, family);
        add_table(&g, 1);
    }
}
