/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Linux: lines of iptables-save, rule objects of nft -j list ruleset. */
#include <stdio.h>
#include <string.h>

#include "models/firewall/rules.h"
#include "sim/check/edit_parts.h"

/* ---- iptables-save ---- */

static void iptables_ports(char *out, unsigned lo, unsigned hi)
{
    if (lo == hi)
        snprintf(out, EDIT_TERM_TEXT, "%u", lo);
    else
        snprintf(out, EDIT_TERM_TEXT, "%u:%u", lo, hi);
}

static void iptables_rule(const struct edit_writing *w, struct text *t, const struct edit_terms *r,
                     const size_t at[4])
{
    const struct fw_part *p = w->b->part;
    const struct fw_rules *rules = edit_rules_of(w);
    text_add(t, "-A %s", p->verdict.list);
    if (w->b->visit->in >= 0)
        text_add(t, " -i %s", rules->iface[w->b->visit->in].name);
    if (p->out >= 0)
        text_add(t, " -o %s", rules->iface[p->out].name);
    if (r->src.text[at[0]][0])
        text_add(t, " -s %s", r->src.text[at[0]]);
    if (r->dst.text[at[2]][0])
        text_add(t, " -d %s", r->dst.text[at[2]]);
    text_add(t, " -p %s -m %s --sport %s --dport %s -m conntrack --ctstate NEW -j %s", edit_proto(r->proto),
             edit_proto(r->proto), r->sport.text[at[1]], r->dport.text[at[3]], w->deny ? "DROP" : "ACCEPT");
}

/* Before the deciding rule; where the policy decides, at the end of the table. */
static bool iptables_place(const struct edit_writing *w, struct edit_place *out)
{
    const struct fw_verdict *v = &w->b->part->verdict;
    if (!v->list || !v->rule || !v->rule->line)
        return false;
    for (unsigned line = v->rule->line; line <= w->text->lines.count; line++) {
        const char *text = edit_line(w->text, line);
        if (strncmp(text, "-A", 2) == 0 ? line == v->rule->line : strcmp(text, "COMMIT") == 0) {
            out->line = line;
            return true;
        }
    }
    return false;
}

const struct edit_dialect edit_iptables = {
    .format = "iptables", .any_v4 = "", .any_v6 = "", .prefix = edit_prefix_slash, .ports = iptables_ports,
    .rule = iptables_rule, .place = iptables_place,
};

/* ---- nft ---- */

static const char match[] = "{\"match\": {\"op\": \"==\", \"left\": {";

static void nft_prefix(char *out, uint8_t family, fw_wide lo, unsigned len)
{
    char ip[ADDR_TEXT];
    struct ip_addr a = fw_wide_ip(family, lo);
    if (len == (family == IP_V4 ? 32 : 128))
        snprintf(out, EDIT_TERM_TEXT, "\"%s\"", ip_text(&a, ip));
    else
        snprintf(out, EDIT_TERM_TEXT, "{\"prefix\": {\"addr\": \"%s\", \"len\": %u}}", ip_text(&a, ip), len);
}

static void nft_ports(char *out, unsigned lo, unsigned hi)
{
    if (lo == hi)
        snprintf(out, EDIT_TERM_TEXT, "%u", lo);
    else if (lo == 0 && hi == UINT16_MAX)
        out[0] = '\0';
    else
        snprintf(out, EDIT_TERM_TEXT, "{\"range\": [%u, %u]}", lo, hi);
}

static void nft_interface(struct text *t, const struct fw_rules *rules, const char *key, int iface)
{
    if (iface >= 0)
        text_add(t, "%s\"meta\": {\"key\": \"%s\"}}, \"right\": \"%s\"}}, ", match, key, rules->iface[iface].name);
}

static void nft_field(struct text *t, const char *protocol, const char *field, const char *value)
{
    if (value[0])
        text_add(t, "%s\"payload\": {\"protocol\": \"%s\", \"field\": \"%s\"}}, \"right\": %s}}, ", match, protocol,
                 field, value);
}

static void nft_rule(const struct edit_writing *w, struct text *t, const struct edit_terms *r, const size_t at[4])
{
    char family[8], table[128], chain[128];
    if (sscanf(w->b->part->verdict.list, "%7s %127s %127s", family, table, chain) != 3)
        return;
    const char *ip = r->family == IP_V4 ? "ip" : "ip6";
    text_add(t, " %s{\"rule\": {\"family\": \"%s\", \"table\": \"%s\", \"chain\": \"%s\", \"expr\": [",
             r->place.behind ? "," : "", family, table, chain);
    nft_interface(t, edit_rules_of(w), "iifname", w->b->visit->in);
    nft_interface(t, edit_rules_of(w), "oifname", w->b->part->out);
    nft_field(t, ip, "saddr", r->src.text[at[0]]);
    nft_field(t, ip, "daddr", r->dst.text[at[2]]);
    nft_field(t, edit_proto(r->proto), "sport", r->sport.text[at[1]]);
    nft_field(t, edit_proto(r->proto), "dport", r->dport.text[at[3]]);
    text_add(t, "%s\"ct\": {\"key\": \"state\"}}, \"right\": \"new\"}}, {\"%s\": null}]}}%s", match,
             w->deny ? "drop" : "accept", r->place.behind ? "" : ",");
}

/* Before the object that decides, if that begins its line; where the policy decides, at the end of the list. */
static bool nft_place(const struct edit_writing *w, struct edit_place *out)
{
    const struct fw_verdict *v = &w->b->part->verdict;
    if (!v->list || !v->rule || !v->rule->line)
        return false;
    const char *text = edit_line(w->text, v->rule->line);
    unsigned last = (unsigned)w->text->lines.count;
    if (v->rule->text && strncmp(v->rule->text, "rule ", 5) == 0) {
        out->line = v->rule->line;
        return text[strspn(text, " \t")] == '{';
    }
    while (last > 0 && strcspn(edit_line(w->text, last), "]") == strlen(edit_line(w->text, last)))
        last--;
    out->line = last;
    out->behind = true;
    text = edit_line(w->text, last);
    return text[strspn(text, " \t")] == ']';
}

const struct edit_dialect edit_nft = {
    .format = "nft", .any_v4 = "", .any_v6 = "", .prefix = nft_prefix, .ports = nft_ports, .rule = nft_rule,
    .place = nft_place,
};
