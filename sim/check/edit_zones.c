/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Firewalls of zones and named objects: set commands of PAN-OS, blocks of a FortiGate's backup. */
#include <stdio.h>
#include <string.h>

#include "models/firewall/rules.h"
#include "sim/check/edit_parts.h"

enum { NAME_TEXT = 128 };

/* The word at s, with its quotes, into out. */
static void word_at(const char *s, char out[NAME_TEXT])
{
    size_t n = *s == '"' ? strcspn(s + 1, "\"") + 2 : strcspn(s, " \t\r");
    snprintf(out, NAME_TEXT, "%.*s", (int)n, s);
}

static bool has_word(const char *text, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = text; (p = strstr(p, word)) != NULL; p++)
        if ((p == text || strchr(" \t\"", p[-1])) && (!p[n] || strchr(" \t\"\r", p[n])))
            return true;
    return false;
}

static const char *interface_name(const struct edit_writing *w, int iface)
{
    return iface >= 0 ? edit_rules_of(w)->iface[iface].name : "";
}

/* ---- Palo Alto ---- */

/* set zone NAME network layer3 [ INTERFACES ] */
static void pan_zone(const struct edit_writing *w, int iface, char out[NAME_TEXT])
{
    static const char word[] = " zone ";
    snprintf(out, NAME_TEXT, "any");
    for (size_t i = 0; iface >= 0 && i < w->text->lines.count; i++) {
        const char *text = w->text->lines.items[i].text, *zone = strstr(text, word);
        if (zone && strncmp(text, "set ", 4) == 0 && strstr(zone, " network ") &&
            has_word(strstr(zone, " network "), interface_name(w, iface))) {
            word_at(zone + sizeof word - 1, out);
            return;
        }
    }
}

/* The length of what stands before the name of a rule ("set rulebase security rules "); 0: it is none. */
static size_t pan_prefix(const char *text)
{
    static const char word[] = "rulebase security rules ";
    const char *p = strncmp(text, "set ", 4) == 0 ? strstr(text, word) : NULL;
    return p ? (size_t)(p - text) + sizeof word - 1 : 0;
}

/* A service of its own where ports are said, then the rule: one of that name is one of that meaning. */
static void pan_rule(const struct edit_writing *w, struct text *t, const struct edit_terms *r, const size_t at[4])
{
    const char *sport = r->sport.text[at[1]], *dport = r->dport.text[at[3]], *proto = edit_proto(r->proto);
    const char *line = edit_line(w->text, r->place.objects_line), *base = strstr(line, "rulebase ");
    bool from = !edit_all_ports(sport);
    char zone[2][NAME_TEXT];
    while (base > line && base[-1] != ' ') /* pre-rulebase */
        base--;
    pan_zone(w, w->b->visit->in, zone[0]);
    pan_zone(w, w->b->part->out, zone[1]);
    text_add(t, "%.*sservice turnproof-%s-%s%s%s protocol %s port %s%s%s\n", (int)(base - line), line, proto, dport,
             from ? "-from-" : "", from ? sport : "", proto, dport, from ? " source-port " : "", from ? sport : "");
    text_add(t, "%.*sturnproof-rule-%u from %s to %s source %s destination %s application any", (int)pan_prefix(line),
             line, r->number, zone[0], zone[1], r->src.text[at[0]], r->dst.text[at[2]]);
    text_add(t, " service turnproof-%s-%s%s%s action %s", proto, dport, from ? "-from-" : "", from ? sport : "",
             w->deny ? "deny" : "allow");
}

/* Rules are in the order in which the file first speaks of them: before the first line of the one that decides. Where
 * none does, behind all of them; objects_line is one that shows where this firewall's rules are. */
static bool pan_place(const struct edit_writing *w, struct edit_place *out)
{
    const struct fw_rule_ref *rule = w->b->part->verdict.rule;
    const char *reason = w->b->part->verdict.reason;
    if (rule && rule->line) {
        out->line = out->objects_line = rule->line;
        return pan_prefix(edit_line(w->text, rule->line)) > 0;
    }
    for (unsigned i = 1; i <= w->text->lines.count; i++)
        if (pan_prefix(edit_line(w->text, i)))
            out->objects_line = i;
    return out->objects_line && w->b->part->out >= 0 && reason;
}

const struct edit_dialect edit_pan = {
    .format = "pan", .any_v4 = "any", .any_v6 = "any", .prefix = edit_prefix_slash, .ports = edit_ports_dash,
    .rule = pan_rule, .place = pan_place, .number_key = "turnproof-rule-",
};

/* ---- FortiGate ---- */

/* "config firewall policy" or another line, from `from` on in steps; 0: there is none. */
static unsigned find_line(const struct edit_text *t, unsigned from, int step, const char *words)
{
    for (unsigned i = from; i > 0 && i <= t->lines.count; i += (unsigned)step) {
        const char *text = edit_line(t, i);
        size_t n = strlen(words);
        text += strspn(text, " \t");
        if (strncmp(text, words, n) == 0 && strspn(text + n, " \t\r") == strlen(text + n))
            return i;
    }
    return 0;
}

/* What `set KEY` of the block that the line is in says; "": nothing. */
static const char *setting(const struct edit_text *t, unsigned line, const char *key)
{
    unsigned end = find_line(t, line, 1, "next");
    size_t n = strlen(key);
    for (; line < end; line++) {
        const char *text = edit_line(t, line);
        text += strspn(text, " \t");
        if (strncmp(text, "set ", 4) == 0 && strncmp(text + 4, key, n) == 0 && text[4 + n] == ' ')
            return text + 5 + n;
    }
    return "";
}

/* The way of the policy is that of these packets. */
static bool same_way(const struct edit_writing *w, unsigned policy)
{
    const char *in = setting(w->text, policy, "srcintf"), *out = setting(w->text, policy, "dstintf");
    return has_word(in, interface_name(w, w->b->visit->in)) && has_word(out, interface_name(w, w->b->part->out));
}

/* New policies are translated as the others of their way. */
static void fortigate_nat(const struct edit_writing *w, struct text *t, const struct edit_terms *r)
{
    static const char *const keys[] = {"nat", "ippool", "poolname", "fixedport"};
    unsigned end = find_line(w->text, r->place.objects_line, 1, "end");
    for (unsigned i = r->place.objects_line; i < end && !w->deny; i++) {
        const char *text = edit_line(w->text, i);
        if (strncmp(text + strspn(text, " \t"), "edit ", 5) != 0 || !same_way(w, i) ||
            strncmp(setting(w->text, i, "nat"), "enable", 6) != 0)
            continue;
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
            if (setting(w->text, i, keys[k])[0])
                text_add(t, "\n        set %s %s", keys[k], setting(w->text, i, keys[k]));
        return;
    }
}

static void object_name(char out[NAME_TEXT], const char *addr)
{
    snprintf(out, NAME_TEXT, strcmp(addr, "all") == 0 ? "%s" : "turnproof %s", addr);
}

static void service_name(char out[NAME_TEXT], const struct edit_terms *r, const size_t at[4])
{
    const char *sport = r->sport.text[at[1]];
    bool from = !edit_all_ports(sport);
    snprintf(out, NAME_TEXT, "turnproof %s %s%s%s", edit_proto(r->proto), r->dport.text[at[3]], from ? " from " : "",
             from ? sport : "");
}

/* The virtual IP that the packets are for, in its quotes; the destination's object where there is none. */
static void destination(const struct edit_writing *w, const struct edit_terms *r, const size_t at[4],
                        char out[NAME_TEXT])
{
    const struct fw_rule_ref *vip = w->b->part->nat_dst;
    const char *text = vip ? edit_line(w->text, vip->line) : "";
    char name[NAME_TEXT];
    text += strspn(text, " \t");
    object_name(name, r->dst.text[at[2]]);
    if (strncmp(text, "edit ", 5) == 0)
        word_at(text + 5, out);
    else
        snprintf(out, NAME_TEXT, "\"%.*s\"", NAME_TEXT - 3, name);
}

/* An object of that name means the same wherever it is written: it is written once. */
static void object(const struct edit_writing *w, const struct edit_terms *r, const char *table, const char *name,
                   const char *set)
{
    const char *entry = arena_format(w->a, "edit \"%s\"", name);
    if (!find_line(w->text, 1, 1, entry))
        edit_add(w, r->place.objects_line,
                 arena_format(w->a, "config firewall %s\n    %s\n        set %s\n    next\nend", table, entry, set));
}

static void address_object(const struct edit_writing *w, const struct edit_terms *r, const char *addr)
{
    char name[NAME_TEXT];
    object_name(name, addr);
    if (strcmp(addr, "all") != 0)
        object(w, r, "address", name, arena_format(w->a, "subnet %s", addr));
}

static void fortigate_objects(const struct edit_writing *w, const struct edit_terms *r, const size_t at[4])
{
    const char *sport = r->sport.text[at[1]];
    bool from = !edit_all_ports(sport);
    char name[NAME_TEXT];
    service_name(name, r, at);
    address_object(w, r, r->src.text[at[0]]);
    if (!w->b->part->nat_dst)
        address_object(w, r, r->dst.text[at[2]]);
    object(w, r, "service custom", name,
           arena_format(w->a, "%s-portrange %s%s%s", edit_proto(r->proto), r->dport.text[at[3]], from ? ":" : "",
                        from ? sport : ""));
}

static void fortigate_rule(const struct edit_writing *w, struct text *t, const struct edit_terms *r,
                           const size_t at[4])
{
    char src[NAME_TEXT], dst[NAME_TEXT], service[NAME_TEXT];
    object_name(src, r->src.text[at[0]]);
    destination(w, r, at, dst);
    service_name(service, r, at);
    text_add(t, "    edit %u\n        set srcintf \"%s\"\n        set dstintf \"%s\"\n", r->number,
             interface_name(w, w->b->visit->in), interface_name(w, w->b->part->out));
    text_add(t, "        set action %s\n        set srcaddr \"%s\"\n        set dstaddr %s\n",
             w->deny ? "deny" : "accept", src, dst);
    text_add(t, "        set schedule \"always\"\n        set service \"%s\"", service);
    fortigate_nat(w, t, r);
    text_add(t, "\n    next");
}

/* Before the policy that decides; where none does, behind all of them. objects_line: config firewall policy. */
static bool fortigate_place(const struct edit_writing *w, struct edit_place *out)
{
    static const char table[] = "config firewall policy";
    const struct fw_rule_ref *rule = w->b->part->verdict.rule;
    const char *text = rule && rule->line ? edit_line(w->text, rule->line) : "";
    if (rule && rule->line) {
        out->line = rule->line;
        out->objects_line = find_line(w->text, rule->line, -1, table);
        text += strspn(text, " \t");
        return out->objects_line && w->b->part->out >= 0 && strncmp(text, "edit ", 5) == 0;
    }
    out->objects_line = find_line(w->text, 1, 1, table);
    out->line = out->objects_line ? find_line(w->text, out->objects_line, 1, "end") : 0;
    return out->line && w->b->part->out >= 0;
}

const struct edit_dialect edit_fortigate = {
    .format = "fortigate", .any_v4 = "all", .prefix = edit_prefix_slash, .ports = edit_ports_dash,
    .rule = fortigate_rule, .place = fortigate_place, .objects = fortigate_objects, .number_key = "edit ",
};
