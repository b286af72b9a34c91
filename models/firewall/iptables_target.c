/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Targets of iptables rules (iptables-extensions(8)), and how a rule ends in the model. */
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/firewall/iptables.h"

/* ---- translation ---- */

/* "A", "A-B", "[A]", "[A-B]" and behind it ":P", ":P-Q", ":P-Q/BASE". */
static bool address_part(const char *word, size_t len, struct fw_addr *out)
{
    char text[2 * ADDR_TEXT + 8], *end = text;
    for (size_t i = 0; i < len; i++) {
        if (word[i] == '[' || word[i] == ']')
            continue;
        if (end == text + sizeof text - 1)
            return false;
        *end++ = word[i];
    }
    *end = '\0';
    return !strchr(text, '/') && !fw_addr_parse(text, out);
}

static bool port_part(const char *word, struct fw_nat_to *nat)
{
    char *end;
    unsigned long lo = strtoul(word, &end, 10), hi = lo, base = 0;
    if (end == word || *word < '0' || *word > '9')
        return false;
    if (*end == '-')
        hi = strtoul(end + 1, &end, 10);
    if (*end == '/')
        base = strtoul(end + 1, &end, 10);
    if (*end || lo > hi || hi > 65535 || base > 65535 || !lo)
        return false;
    nat->port_lo = (uint16_t)lo;
    nat->port_hi = (uint16_t)hi;
    nat->port_base = (uint16_t)base;
    return true;
}

static int to_address(struct ipt *t, bool negated)
{
    (void)negated;
    struct ipt_goal *g = &t->goal;
    const char *word = t->arg[0], *bracket = strrchr(word, ']');
    const char *colon = bracket || t->rule.family == IP_V4 ? strchr(bracket ? bracket : word, ':') : NULL;
    size_t len = colon ? (size_t)(colon - word) : strlen(word);
    if ((len && !address_part(word, len, &g->to)) || (colon && !port_part(colon + 1, &g->nat)) || !*word)
        return ipt_expected(t, "ADDRESS[-ADDRESS][:PORT[-PORT]]");
    if (len && g->to.a.family != t->rule.family)
        return ipt_expected(t, "an address of the table's family");
    if (len)
        g->nat.to = &g->to;
    return 0;
}

static int to_ports(struct ipt *t, bool negated)
{
    (void)negated;
    return port_part(t->arg[0], &t->goal.nat) ? 0 : ipt_expected(t, "PORT[-PORT]");
}

static int random_port(struct ipt *t, bool negated)
{
    (void)negated;
    t->goal.nat.random_port = true;
    return 0;
}

static const struct ipt_option dnat[] = {
    {"--to-destination", 1, to_address, NULL},
    {"--random", 0, random_port, NULL},
    {"--persistent", 0, NULL, NULL},
    {0},
};
static const struct ipt_option snat[] = {
    {"--to-source", 1, to_address, NULL},
    {"--random", 0, random_port, NULL},
    {"--random-fully", 0, random_port, NULL},
    {"--persistent", 0, NULL, NULL},
    {0},
};
static const struct ipt_option own[] = {
    {"--to-ports", 1, to_ports, NULL},
    {"--random", 0, random_port, NULL},
    {"--random-fully", 0, random_port, NULL},
    {0},
};

static int map_to(struct ipt *t, bool negated)
{
    (void)negated;
    const struct nf_addrs *net;
    int err = ipt_addresses(t, t->arg[0], &net);
    if (!err && (net->count != 1 || net->v[0].masked))
        return ipt_expected(t, "a network");
    if (!err)
        t->goal.to = net->v[0];
    return err;
}

static const struct ipt_option netmap[] = {{"--to", 1, map_to, NULL}, {0}};

/* ---- tracking ---- */

static int notrack(struct ipt *t, bool negated)
{
    (void)negated;
    t->goal.notrack = true;
    return 0;
}

static int helper(struct ipt *t, bool negated)
{
    (void)negated;
    t->goal.helper = t->arg[0];
    return 0;
}

static const struct ipt_option ct[] = {
    {"--notrack", 0, notrack, NULL},
    {"--helper", 1, helper, NULL},
    {"--ctevents", 1, NULL, NULL},
    {"--expevents", 1, NULL, NULL},
    {"--timeout", 1, NULL, "a timeout policy that is not in the file"},
    {"--zone", 1, NULL, "zones of connections"},
    {"--zone-orig", 1, NULL, "zones of connections"},
    {"--zone-reply", 1, NULL, "zones of connections"},
    {0},
};

static const struct ipt_target targets[] = {
    {"ACCEPT", IPT_ACCEPTS, NULL, NULL},
    {"DROP", IPT_DROPS, NULL, NULL},
    {"REJECT", IPT_REJECTS, NULL, NULL},
    {"RETURN", IPT_RETURNS, NULL, NULL},
    {"LOG", IPT_CONTINUES, NULL, NULL},
    {"NFLOG", IPT_CONTINUES, NULL, NULL},
    {"ULOG", IPT_CONTINUES, NULL, NULL},
    {"TRACE", IPT_CONTINUES, NULL, NULL},
    {"AUDIT", IPT_CONTINUES, NULL, NULL},
    {"LED", IPT_CONTINUES, NULL, NULL},
    {"RATEEST", IPT_CONTINUES, NULL, NULL},
    {"TCPMSS", IPT_CONTINUES, NULL, NULL},
    {"TCPOPTSTRIP", IPT_CONTINUES, NULL, NULL},
    {"CHECKSUM", IPT_CONTINUES, NULL, NULL},
    {"CLASSIFY", IPT_CONTINUES, NULL, NULL},
    {"DSCP", IPT_CONTINUES, NULL, NULL},
    {"TOS", IPT_CONTINUES, NULL, NULL},
    {"TTL", IPT_CONTINUES, NULL, NULL},
    {"HL", IPT_CONTINUES, NULL, NULL},
    {"ECN", IPT_CONTINUES, NULL, NULL},
    {"TEE", IPT_CONTINUES, NULL, NULL},
    {"SECMARK", IPT_CONTINUES, NULL, NULL},
    {"CONNSECMARK", IPT_CONTINUES, NULL, NULL},
    {"IDLETIMER", IPT_CONTINUES, NULL, NULL},
    {"MARK", IPT_MARKS, NULL, "it sets a mark that other lines of the file test"},
    {"CONNMARK", IPT_MARKS, NULL, "it sets a mark that other lines of the file test"},
    {"SET", IPT_FILLS_SET, NULL, "it changes a set while the firewall runs"},
    {"NOTRACK", IPT_TRACKS, NULL, NULL},
    {"CT", IPT_TRACKS, ct, NULL},
    {"DNAT", IPT_TRANSLATES, dnat, NULL},
    {"SNAT", IPT_TRANSLATES, snat, NULL},
    {"MASQUERADE", IPT_TRANSLATES, own, NULL},
    {"REDIRECT", IPT_TRANSLATES, own, NULL},
    {"NETMAP", IPT_NETMAPS, netmap, NULL},
    {"QUEUE", IPT_UNTOLD, NULL, "a program decides"},
    {"NFQUEUE", IPT_UNTOLD, NULL, "a program decides"},
    {"TPROXY", IPT_UNTOLD, NULL, "a proxy on the firewall takes the connection"},
    {"SYNPROXY", IPT_UNTOLD, NULL, "the firewall answers for the server"},
    {"CLUSTERIP", IPT_UNTOLD, NULL, "another node may take the connection"},
    {0},
};

const struct ipt_target *ipt_target(const char *name)
{
    for (const struct ipt_target *t = targets; t->name; t++)
        if (strcmp(t->name, name) == 0)
            return t;
    return NULL;
}

/* ---- the end of a rule ---- */

static int line_done(struct ipt *t, const char *why)
{
    struct fw_rules *r = t->nf.rules;
    if (why)
        return fw_rules_add_unsupported(r, t->line, t->text, why);
    r->lines.modelled++;
    return 0;
}

static int emit(struct ipt *t, struct nf_effect *e)
{
    e->line = t->line;
    e->text = t->text;
    const char *why = nf_doubt(&t->rule);
    int err = nf_emit(&t->rule, e);
    if (err == E_RANGE)
        return ipt_fail(t, 0, err, "the file, expanded, is too large for this program");
    return err ? err : line_done(t, why);
}

static bool loaded(const struct ipt *t, const char *name)
{
    for (size_t i = 0; i < t->modules; i++)
        if (strcmp(t->module[i]->name, name) == 0)
            return true;
    return false;
}

/* "-m rpfilter --invert -j DROP" */
static bool is_reverse_check(const struct ipt *t)
{
    const struct ipt_target *target = t->goal.target;
    return t->no_way_back && target && target->does == IPT_DROPS && nf_is_reverse_check(&t->rule);
}

static int verify_reverse(struct ipt *t)
{
    int err = nf_verify_reverse(&t->rule, t->line, t->text);
    return err ? err : line_done(t, NULL);
}

static int tracks(struct ipt *t)
{
    struct ipt_goal *g = &t->goal;
    bool zone = t->rule.unknown && !g->helper && !g->notrack && g->target->option;
    if (g->notrack || !g->target->option || zone)
        return emit(t, &(struct nf_effect){.action = FW_NOTRACK});
    if (!g->helper) {
        t->nf.rules->lines.no_effect++;
        return 0;
    }
    static const char *const also[][2] = {{"Q.931", "h323 h225"}, {"RAS", "h323 ras"}};
    const char *name = g->helper;
    for (size_t i = 0; i < sizeof also / sizeof *also; i++)
        name = strcmp(name, also[i][0]) == 0 ? also[i][1] : name;
    int err = fw_rules_add_inspection(t->nf.rules, name, t->line, t->text);
    return err ? err : line_done(t, NULL);
}

static int translates(struct ipt *t)
{
    struct ipt_goal *g = &t->goal;
    g->nat.own = g->target->option == own;
    if (!g->nat.own && !g->nat.to && !g->nat.port_lo)
        return ipt_fail(t, t->words, E_MALFORMED, "expected the new address (--to-destination, --to-source)");
    return emit(t, &(struct nf_effect){.action = FW_NAT_TO, .nat = &g->nat});
}

/* The network part is replaced: a rule for each address of a small network. */
static int netmaps(struct ipt *t)
{
    enum { MAX = 256 };
    struct ipt_goal *g = &t->goal;
    struct nf_box all = t->rule.box.v[0];
    bool dst = t->rule.chain->hooks & (1u << FW_PREROUTING | 1u << FW_OUTPUT);
    const struct nf_addrs *from = dst ? all.dst : all.src;
    uint64_t n = g->to.a.family ? fw_addr_count(&g->to.a, &g->to.b) : 0;
    if (!n)
        return ipt_fail(t, t->words, E_MALFORMED, "expected the new network (--to)");
    if (n > MAX || !from || from->count != 1 || from->v[0].masked || t->rule.box.count != 1 || t->rule.unknown ||
        fw_addr_count(&from->v[0].a, &from->v[0].b) != n) {
        nf_and_unknown(&t->rule, "NETMAP of more than 256 addresses, or of another network than the rule's");
        return emit(t, &(struct nf_effect){.action = FW_NAT_TO});
    }
    int err = 0;
    for (uint64_t i = 0; i < n && !err; i++) {
        struct fw_addr one = {fw_addr_plus(&from->v[0].a, i), fw_addr_plus(&from->v[0].a, i), false};
        struct fw_addr to = {fw_addr_plus(&g->to.a, i), fw_addr_plus(&g->to.a, i), false};
        struct nf_box *b = &t->rule.box.v[0];
        t->rule.box.count = 1;
        *b = all;
        *(dst ? &b->dst : &b->src) = nf_addrs_of(&t->nf.scratch, &one, 1);
        struct fw_nat_to nat = {.to = &to};
        struct nf_effect e = {.action = FW_NAT_TO, .nat = &nat, .line = t->line, .text = t->text};
        err = nf_emit(&t->rule, &e);
    }
    return err ? err : line_done(t, NULL);
}

static int no_effect(struct ipt *t, const char *why)
{
    if (why)
        return line_done(t, why);
    t->nf.rules->lines.no_effect++;
    return 0;
}

int ipt_finish(struct ipt *t)
{
    const struct ipt_target *target = t->goal.target;
    if (loaded(t, "rpfilter") && is_reverse_check(t))
        return verify_reverse(t);
    if (loaded(t, "rpfilter"))
        nf_and_unknown(&t->rule, "rpfilter: the way back");
    if (t->goal.chain) {
        enum fw_action action = t->goal.go ? FW_GOTO : FW_JUMP;
        return emit(t, &(struct nf_effect){.action = action, .target = t->goal.chain});
    }
    if (!target)
        return no_effect(t, NULL);
    switch (target->does) {
    case IPT_ACCEPTS:
        return emit(t, &(struct nf_effect){.action = FW_PERMIT});
    case IPT_DROPS:
        return emit(t, &(struct nf_effect){.action = FW_DENY});
    case IPT_REJECTS:
        return emit(t, &(struct nf_effect){.action = FW_REJECT});
    case IPT_RETURNS:
        return emit(t, &(struct nf_effect){.action = FW_RETURN});
    case IPT_CONTINUES:
        return no_effect(t, NULL);
    case IPT_MARKS:
        return no_effect(t, t->marks_tested ? target->why : NULL);
    case IPT_FILLS_SET:
        return no_effect(t, target->why);
    case IPT_TRACKS:
        return tracks(t);
    case IPT_TRANSLATES:
        return translates(t);
    case IPT_NETMAPS:
        return netmaps(t);
    case IPT_UNTOLD:
        break;
    }
    nf_and_unknown(&t->rule, arena_format(&t->nf.scratch, "the target %.40s: %s", t->word[t->goal.word].text,
                                          target->why));
    return emit(t, &(struct nf_effect){.untold = true});
}
