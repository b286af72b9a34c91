/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/netns/generate_kit.h"

#include <stdio.h>
#include <string.h>

#define ONE_OF(rng, table) ((table)[rng_below((rng), sizeof(table) / sizeof *(table))])

/* ---- constants ---- */

static const char *const prefix4[] = {"10.1.0.0/16", "10.1.2.0/24", "10.1.2.128/25", "192.168.7.0/25", "172.16.0.0/12",
                                      "100.64.0.0/10", "203.0.113.16/28", "198.51.100.0/24", "0.0.0.0/0"};
static const char *const host4[] = {"10.1.2.3", "10.1.2.200", "192.168.7.9", "172.16.5.5", "198.51.100.17",
                                    "203.0.113.20"};
static const char *const prefix6[] = {"2001:db8:1::/48", "2001:db8:1:2::/64", "2001:db8:2::/47", "fd12:3456::/32",
                                      "2001:db8::/32", "::/0"};
static const char *const host6[] = {"2001:db8:1:2::5", "2001:db8:1:2::6", "fd12:3456::9", "2001:db8:3::7"};
static const char *const ifaces[] = {"eth0", "eth1", "ppp0", "br-lan"};
static const uint16_t port_numbers[] = {22, 53, 80, 443, 1024, 3478, 5060, 24000, 29999, 50000, 65535};

const char *generate_prefix(struct rng *rng, uint8_t family)
{
    return family == IP_V4 ? ONE_OF(rng, prefix4) : ONE_OF(rng, prefix6);
}

const char *generate_host(struct rng *rng, uint8_t family)
{
    return family == IP_V4 ? ONE_OF(rng, host4) : ONE_OF(rng, host6);
}

const char *generate_iface(struct rng *rng)
{
    return ONE_OF(rng, ifaces);
}

unsigned generate_port(struct rng *rng)
{
    return ONE_OF(rng, port_numbers);
}

/* Each network at home behind one interface, as rules with that interface and that network on one line say it. */
const char *generate_constants(void)
{
    return "-i eth0 -s 10.1.0.0/16 -s 10.1.2.0/24 -s 10.1.2.128/25 -s 2001:db8:1::/48 -s 2001:db8:1:2::/64\n"
           "-i eth1 -s 192.168.7.0/25 -s 172.16.0.0/12 -s 2001:db8:2::/47\n"
           "-i ppp0 -s 100.64.0.0/10 -s 198.51.100.0/24 -s 2001:db8::/32\n"
           "-i br-lan -s 203.0.113.16/28 -s fd12:3456::/32\n"
           "-i eth0 -s 10.1.2.3 -i eth1 -s 172.16.5.5 -s 203.0.113.20 -s 2001:db8:3::7\n";
}

/* ---- iptables ---- */

enum { CHAINS = 4 };

/* What may be asked and done in a chain. */
struct place {
    const char *table, *chain;
    bool in, out; /* -i, -o can be asked */
    const char *const *verdict;
    size_t verdict_count;
};

struct gen {
    struct text *t;
    struct rng *rng;
    uint8_t family;
    const char *proto; /* of the rule at hand; NULL: any */
    bool negated;      /* any but that */
};

static bool chance(struct gen *g, unsigned percent)
{
    return rng_chance(g->rng, percent, 100);
}

static const char *no(struct gen *g)
{
    return chance(g, 20) ? "! " : "";
}

static void add_addresses(struct gen *g, char what)
{
    if (chance(g, 65)) {
        const char *p = chance(g, 70) ? generate_prefix(g->rng, g->family) : generate_host(g->rng, g->family);
        if (!strstr(p, "/0"))
            text_add(g->t, " %s-%c %s", no(g), what, p);
        return;
    }
    static const char *const range[2][3] = {
        {"10.1.2.3-10.1.2.200", "172.16.5.5-192.168.7.9", "198.51.100.1-203.0.113.20"},
        {"2001:db8:1::1-2001:db8:1:2::5", "2001:db8:2::-2001:db8:3::7", "2001:db8:1:2::5-2001:db8:1:2::6"}};
    text_add(g->t, " -m iprange %s--%s-range %s", no(g), what == 's' ? "src" : "dst",
             ONE_OF(g->rng, range[g->family == IP_V6]));
}

static void add_port_range(struct gen *g)
{
    unsigned a = generate_port(g->rng), b = generate_port(g->rng);
    if (a == b || chance(g, 50))
        text_add(g->t, "%u", a);
    else
        text_add(g->t, "%u:%u", a < b ? a : b, a < b ? b : a);
}

static void add_multiport(struct gen *g)
{
    static const char *const which[] = {"--dports", "--sports", "--ports"};
    text_add(g->t, " -m multiport %s%s ", no(g), ONE_OF(g->rng, which));
    for (uint64_t n = 1 + rng_below(g->rng, 4); n-- > 0;) {
        add_port_range(g);
        text_add(g->t, n ? "," : "");
    }
}

static void add_tcp(struct gen *g)
{
    static const char *const flags[] = {"--syn", "! --syn", "--tcp-flags FIN,SYN,RST,ACK SYN", "--tcp-flags ALL NONE",
                                        "--tcp-flags SYN,RST SYN,RST", "! --tcp-flags SYN,ACK ACK",
                                        "--tcp-flags ALL FIN,PSH,URG", "--tcp-flags FIN FIN"};
    if (chance(g, 30))
        text_add(g->t, " -m tcp %s", ONE_OF(g->rng, flags));
}

static void add_icmp(struct gen *g)
{
    static const char *const type4[] = {"8", "0", "3", "3/3", "3/4", "11", "13", "12/1", "any"};
    static const char *const type6[] = {"128", "129", "1", "1/4", "2", "3/0", "4"};
    bool six = g->family == IP_V6;
    if (chance(g, 60))
        text_add(g->t, " -m icmp%s %s--icmp%s-type %s", six ? "6" : "", no(g), six ? "v6" : "",
                 six ? ONE_OF(g->rng, type6) : ONE_OF(g->rng, type4));
}

static void add_proto(struct gen *g)
{
    static const char *const proto[] = {"tcp", "tcp", "tcp", "udp", "udp", "udp", "icmp", "gre", "esp"};
    const char *p = ONE_OF(g->rng, proto);
    if (strcmp(p, "icmp") == 0 && g->family == IP_V6)
        p = "ipv6-icmp";
    g->negated = chance(g, 12);
    g->proto = p;
    text_add(g->t, " %s-p %s", g->negated ? "! " : "", p);
    if (g->negated)
        return;
    bool ports = strcmp(p, "tcp") == 0 || strcmp(p, "udp") == 0;
    if (ports && chance(g, 30)) {
        add_multiport(g);
    } else if (ports) {
        for (int source = 0; source < 2; source++)
            if (chance(g, source ? 15 : 60)) {
                text_add(g->t, " -m %s %s--%s ", p, no(g), source ? "sport" : "dport");
                add_port_range(g);
            }
    }
    if (strcmp(p, "tcp") == 0)
        add_tcp(g);
    if (strstr(p, "icmp"))
        add_icmp(g);
}

static void add_state(struct gen *g, bool raw)
{
    static const char *const states[] = {"NEW", "ESTABLISHED", "RELATED,ESTABLISHED", "INVALID", "NEW,RELATED",
                                         "UNTRACKED", "DNAT", "SNAT", "INVALID,NEW", "ESTABLISHED,DNAT"};
    if (!raw)
        text_add(g->t, " -m conntrack %s--ctstate %s", no(g), ONE_OF(g->rng, states));
}

static void add_matches(struct gen *g, const struct place *p)
{
    g->proto = NULL;
    if (chance(g, 35))
        add_addresses(g, 's');
    if (chance(g, 35))
        add_addresses(g, 'd');
    if (p->in && chance(g, 30))
        text_add(g->t, " %s-i %s", no(g), chance(g, 90) ? generate_iface(g->rng) : "eth+");
    if (p->out && chance(g, 25))
        text_add(g->t, " %s-o %s", no(g), generate_iface(g->rng));
    if (chance(g, 65))
        add_proto(g);
    if (chance(g, 20))
        add_state(g, strcmp(p->table, "raw") == 0);
    if (chance(g, 6))
        text_add(g->t, " -m addrtype %s--dst-type LOCAL", no(g));
    if (chance(g, 3))
        text_add(g->t, " -m limit --limit 1/hour --limit-burst 3");
}

static void add_port_choice(struct gen *g, const char *between)
{
    unsigned a = generate_port(g->rng), b = generate_port(g->rng);
    bool ports = g->proto && !g->negated && (strcmp(g->proto, "tcp") == 0 || strcmp(g->proto, "udp") == 0);
    if (!ports || chance(g, 50))
        return;
    if (a == b || chance(g, 60))
        text_add(g->t, "%s%u", between, a);
    else
        text_add(g->t, "%s%u-%u", between, a < b ? a : b, a < b ? b : a);
}

static void add_translation(struct gen *g, const char *what)
{
    bool to = strcmp(what, "DNAT") == 0, from = strcmp(what, "SNAT") == 0;
    text_add(g->t, " -j %s", what);
    if (to || from) {
        bool six = g->family == IP_V6;
        text_add(g->t, " --to-%s %s%s%s", to ? "destination" : "source", six ? "[" : "",
                 generate_host(g->rng, g->family), six ? "]" : "");
        add_port_choice(g, ":");
    } else {
        add_port_choice(g, " --to-ports ");
    }
}

static void add_reject(struct gen *g)
{
    static const char *const with4[] = {"icmp-port-unreachable", "icmp-host-prohibited", "icmp-admin-prohibited"};
    static const char *const with6[] = {"icmp6-port-unreachable", "icmp6-adm-prohibited"};
    bool tcp = g->proto && !g->negated && strcmp(g->proto, "tcp") == 0;
    if (tcp && chance(g, 50))
        text_add(g->t, " -j REJECT --reject-with tcp-reset");
    else
        text_add(g->t, " -j REJECT --reject-with %s",
                 g->family == IP_V4 ? ONE_OF(g->rng, with4) : ONE_OF(g->rng, with6));
}

/* level: of the chain that the rule is in; a chain may call those above it alone, so that none calls itself. */
static void add_rule(struct gen *g, const struct place *p, unsigned level)
{
    text_add(g->t, "-A %s", p->chain);
    add_matches(g, p);
    const char *verdict = p->verdict[rng_below(g->rng, p->verdict_count)];
    if (level < CHAINS && chance(g, 30))
        text_add(g->t, " -%c c%u", chance(g, 65) ? 'j' : 'g',
                 level + (unsigned)rng_below(g->rng, CHAINS - level));
    else if (strcmp(verdict, "REJECT") == 0)
        add_reject(g);
    else if (*verdict && strstr("DNAT SNAT MASQUERADE REDIRECT", verdict))
        add_translation(g, verdict);
    else if (*verdict)
        text_add(g->t, " -j %s", verdict);
    text_add(g->t, "\n");
}

static void add_chain(struct gen *g, const struct place *p, unsigned level, unsigned rules)
{
    for (uint64_t n = rng_below(g->rng, rules) + 1; n-- > 0;)
        add_rule(g, p, level);
}

#define VERDICTS(...) \
    .verdict = (const char *const[]){__VA_ARGS__}, \
    .verdict_count = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)

static void add_filter(struct gen *g)
{
    static const char *const chain[] = {"INPUT", "FORWARD", "OUTPUT"};
    text_add(g->t, "*filter\n");
    for (int i = 0; i < 3; i++)
        text_add(g->t, ":%s %s [0:0]\n", chain[i], chance(g, 50) ? "ACCEPT" : "DROP");
    for (int i = 0; i < CHAINS; i++)
        text_add(g->t, ":c%d - [0:0]\n", i);
    struct place in = {"filter", "INPUT", .in = true,
                       VERDICTS("ACCEPT", "ACCEPT", "DROP", "REJECT", "RETURN", "")};
    struct place forward = in;
    forward.chain = "FORWARD";
    forward.out = true;
    if (chance(g, 50))
        text_add(g->t, "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n");
    add_chain(g, &in, 0, 5);
    if (chance(g, 50)) /* what a translation leads to, or was before it */
        text_add(g->t, "-A FORWARD %s-d %s -j %s\n", no(g), generate_host(g->rng, g->family),
                 chance(g, 50) ? "ACCEPT" : "DROP");
    add_chain(g, &forward, 0, 8);
    for (unsigned i = 0; i < CHAINS; i++) {
        char name[8];
        snprintf(name, sizeof name, "c%u", i);
        struct place user = forward;
        user.chain = name;
        add_chain(g, &user, i + 1, 4);
    }
    text_add(g->t, "COMMIT\n");
}

static void add_nat(struct gen *g)
{
    text_add(g->t, "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
                   ":POSTROUTING ACCEPT [0:0]\n:c0 - [0:0]\n:c1 - [0:0]\n:c2 - [0:0]\n:c3 - [0:0]\n");
    const struct place to = {"nat", "PREROUTING", .in = true, VERDICTS("DNAT", "DNAT", "DNAT", "REDIRECT", "ACCEPT")};
    const struct place from = {"nat", "POSTROUTING", .out = true,
                               VERDICTS("SNAT", "SNAT", "MASQUERADE", "MASQUERADE", "ACCEPT", "RETURN")};
    const struct place deep = {"nat", "c3", .in = true, VERDICTS("DNAT", "REDIRECT", "ACCEPT", "RETURN", "")};
    add_chain(g, &deep, CHAINS, 2);
    for (unsigned i = 0; i < 2 && chance(g, 30); i++)
        text_add(g->t, "-A PREROUTING -%c c3\n", chance(g, 50) ? 'j' : 'g');
    add_chain(g, &to, CHAINS, 4);
    add_chain(g, &from, CHAINS, 3);
    text_add(g->t, "COMMIT\n");
}

static void add_mangle(struct gen *g)
{
    static const char *const chain[] = {"PREROUTING", "INPUT", "FORWARD", "POSTROUTING"};
    text_add(g->t, "*mangle\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n"
                   ":OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n");
    for (int i = 0; i < 4; i++) {
        const struct place p = {"mangle", chain[i], .in = i < 3, .out = i > 1,
                                VERDICTS("ACCEPT", "ACCEPT", "DROP", "RETURN", "")};
        if (chance(g, 50))
            add_chain(g, &p, CHAINS, 2);
    }
    text_add(g->t, "COMMIT\n");
}

static void add_raw(struct gen *g)
{
    const struct place p = {"raw", "PREROUTING", .in = true, VERDICTS("NOTRACK", "NOTRACK", "DROP", "ACCEPT")};
    text_add(g->t, "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n");
    add_chain(g, &p, CHAINS, 2);
    text_add(g->t, "COMMIT\n");
}

void generate_iptables(struct text *out, struct rng *rng, uint8_t family)
{
    struct gen g = {.t = out, .rng = rng, .family = family};
    if (chance(&g, 30))
        add_raw(&g);
    if (chance(&g, 30))
        add_mangle(&g);
    if (chance(&g, 65))
        add_nat(&g);
    add_filter(&g);
}
