/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dialects: how each format writes a rule, and where the line has to stand. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/firewall/rules.h"
#include "sim/check/edits.h"

enum { TERMS_MAX = 32, TERM_TEXT = 64, LINES_MAX = 128, LINE_TEXT = 1024 };

/* Alternatives for one field of a rule, each in the dialect's words. */
struct terms {
    char text[TERMS_MAX + 1][TERM_TEXT]; /* the last is for what there is no room for */
    size_t count;
    bool failed; /* there was */
};

struct writing {
    struct check *c;
    const struct check_blocked *b;
    bool deny;
    const struct edit_text *text;
    struct arena *a;
    struct edits *out;
};

/* ---- fields ---- */

static char *next_term(struct terms *t)
{
    t->failed = t->failed || t->count == TERMS_MAX;
    return t->text[t->failed ? TERMS_MAX : t->count++];
}

/* The longest prefix length whose block begins at lo and ends at hi or before. */
static unsigned block_bits(fw_wide lo, fw_wide hi, unsigned width)
{
    unsigned bits = 0;
    while (bits < width) {
        fw_wide size = (fw_wide)1 << (bits + 1);
        if ((lo & (size - 1)) != 0 || lo + (size - 1) > hi || lo + (size - 1) < lo)
            break;
        bits++;
    }
    return bits;
}

/* Spans as prefixes. */
typedef void write_prefix(char *out, uint8_t family, fw_wide lo, unsigned len);

static void prefixes(struct terms *t, struct fw_spans s, uint8_t family, write_prefix *write)
{
    unsigned width = family == IP_V4 ? 32 : 128;
    for (size_t i = 0; i < s.count; i++)
        for (fw_wide lo = s.span[i].lo;;) {
            unsigned bits = block_bits(lo, s.span[i].hi, width);
            write(next_term(t), family, lo, width - bits);
            fw_wide end = lo + (((fw_wide)1 << bits) - 1);
            if (end >= s.span[i].hi || t->failed)
                break;
            lo = end + 1;
        }
}

/* Whoever is behind a router is anybody: the private addresses among them would only make the rule unreadable. */
static bool is_anybody(const struct writing *w, const struct bind_end *end)
{
    return end->behind && (int)end->node == w->c->topology->check.internet_node;
}

typedef void write_ports(char *out, unsigned lo, unsigned hi);

static void ports(struct terms *t, struct fw_spans s, write_ports *write)
{
    enum { SPANS_MAX = 8 };
    if (s.count > SPANS_MAX) /* every second port of a range: the range */
        write(next_term(t), (unsigned)s.span[0].lo, (unsigned)s.span[s.count - 1].hi);
    for (size_t i = 0; s.count <= SPANS_MAX && i < s.count; i++)
        write(next_term(t), (unsigned)s.span[i].lo, (unsigned)s.span[i].hi);
}

/* ---- rules ---- */

struct rule_terms {
    struct terms src, sport, dst, dport;
    uint8_t proto;
};

typedef void write_rule(const struct writing *w, struct text *t, const struct rule_terms *r, const size_t at[4]);

/* One line for each combination of terms; NULL: too many, or something cannot be said. */
static const char *combine(const struct writing *w, const struct rule_terms *r, write_rule *write)
{
    if (r->src.failed || r->sport.failed || r->dst.failed || r->dport.failed ||
        r->src.count * r->sport.count * r->dst.count * r->dport.count > LINES_MAX)
        return NULL;
    const char *all = NULL;
    size_t at[4];
    for (at[0] = 0; at[0] < r->src.count; at[0]++)
        for (at[1] = 0; at[1] < r->sport.count; at[1]++)
            for (at[2] = 0; at[2] < r->dst.count; at[2]++)
                for (at[3] = 0; at[3] < r->dport.count; at[3]++) {
                    char buf[LINE_TEXT];
                    struct text t = text_of(buf, sizeof buf);
                    write(w, &t, r, at);
                    all = all ? arena_format(w->a, "%s\n%s", all, buf) : arena_copy(w->a, buf, t.len);
                }
    return all;
}

struct dialect {
    const char *format, *any_v4, *any_v6;
    write_prefix *prefix;
    write_ports *ports;
    write_rule *rule;
    /* The line that a rule for the packets has to stand before; false: this reason is not one for a rule. */
    bool (*place)(const struct writing *w, unsigned *line);
    /* Other reasons. NULL: none. */
    bool (*other)(const struct writing *w);
};

static void addresses(const struct writing *w, struct terms *t, struct fw_spans s, uint8_t family,
                      const struct bind_end *end, const struct dialect *d)
{
    if (is_anybody(w, end) && s.count > 1)
        snprintf(next_term(t), TERM_TEXT, "%s", family == IP_V4 ? d->any_v4 : d->any_v6);
    else
        prefixes(t, s, family, d->prefix);
}

static const struct fw_rules *rules_of(const struct writing *w)
{
    return w->c->topology->nodes.items[w->b->node].rules;
}

/* The rule for one cell as the rules see it: the source as it came, the destination translated, or as it came too. */
static const char *lines_for(const struct writing *w, const struct dialect *d, size_t cell)
{
    const struct fw_part *p = w->b->part;
    const struct fw_cell *in = &p->arrived.cell[cell];
    const struct fw_cell *out = p->leaving.count == p->arrived.count ? &p->leaving.cell[cell] : &p->leaving.cell[0];
    if (!rules_of(w)->base_count && rules_of(w)->policy.view[FW_IN] == FW_VIEW_ARRIVED)
        out = in;
    struct rule_terms *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->proto = w->b->question->proto;
    addresses(w, &r->src, in->dim[FW_DIM_SRC], in->family, &w->b->question->from, d);
    if (w->deny)
        d->ports(next_term(&r->sport), 0, UINT16_MAX); /* whatever the sender likes */
    else
        ports(&r->sport, in->dim[FW_DIM_SPORT], d->ports);
    addresses(w, &r->dst, out->dim[FW_DIM_DST], out->family, &w->b->question->to, d);
    ports(&r->dport, out->dim[FW_DIM_DPORT], d->ports);
    const char *lines = combine(w, r, d->rule);
    free(r);
    return lines;
}

static void add_edit(const struct writing *w, unsigned line, const char *text)
{
    for (size_t i = 0; i < w->out->items.count; i++) {
        const struct edit *x = &w->out->items.items[i];
        if (x->line == line && x->text && strcmp(x->text, text) == 0)
            return;
    }
    *CHECK_ADD(w->a, &w->out->items) = (struct edit){.line = line, .text = text};
}

static bool write_rules(const struct writing *w, const struct dialect *d, unsigned line)
{
    bool any = false;
    for (size_t i = 0; i < w->b->part->arrived.count && w->b->part->leaving.count; i++) {
        const char *lines = lines_for(w, d, i);
        if (lines)
            add_edit(w, line, lines);
        any = any || lines;
    }
    return any;
}

static const char *proto_name(uint8_t proto)
{
    return proto == PROTO_TCP ? "tcp" : "udp";
}

/* ---- Cisco ASA, FTD ---- */

static void asa_prefix(char *out, uint8_t family, fw_wide lo, unsigned len)
{
    char ip[ADDR_TEXT], mask[ADDR_TEXT];
    struct ip_addr a = fw_wide_ip(family, lo), m = ip_v4(len ? ~0u << (32 - len) : 0);
    if (len == (family == IP_V4 ? 32 : 128))
        snprintf(out, TERM_TEXT, "host %s", ip_text(&a, ip));
    else if (family == IP_V4)
        snprintf(out, TERM_TEXT, "%s %s", ip_text(&a, ip), ip_text(&m, mask));
    else
        snprintf(out, TERM_TEXT, "%s/%u", ip_text(&a, ip), len);
}

static void asa_ports(char *out, unsigned lo, unsigned hi)
{
    if (lo == hi)
        snprintf(out, TERM_TEXT, " eq %u", lo);
    else if (hi == UINT16_MAX && lo == 0)
        out[0] = '\0';
    else if (hi == UINT16_MAX)
        snprintf(out, TERM_TEXT, " gt %u", lo - 1);
    else
        snprintf(out, TERM_TEXT, " range %u %u", lo, hi);
}

static void asa_rule(const struct writing *w, struct text *t, const struct rule_terms *r, const size_t at[4])
{
    const struct fw_verdict *v = &w->b->part->verdict;
    bool advanced = v->rule && v->rule->text && strstr(v->rule->text, " advanced ");
    text_add(t, "access-list %s %s %s %s %s%s %s%s", v->list, advanced ? "advanced" : "extended",
             w->deny ? "deny" : "permit", proto_name(r->proto), r->src.text[at[0]], r->sport.text[at[1]],
             r->dst.text[at[2]], r->dport.text[at[3]]);
}

static bool asa_place(const struct writing *w, unsigned *line)
{
    const struct fw_verdict *v = &w->b->part->verdict;
    const struct fw_list *list = v->list ? fw_rules_list(rules_of(w), v->list) : NULL;
    if (!list)
        return false;
    *line = v->rule && v->rule->line ? v->rule->line : list->count ? list->rule[list->count - 1].ref->line + 1 : 0;
    return true;
}

/* An access-list that permits the packets and is bound nowhere. */
static const char *unbound_list(const struct writing *w)
{
    const struct fw_rules *r = rules_of(w);
    const struct fw_part *p = w->b->part;
    if (!p->leaving.count || !p->arrived.count)
        return NULL;
    const struct fw_cell *in = &p->arrived.cell[0], *out = &p->leaving.cell[0];
    const struct fw_flow f = {.proto = w->b->question->proto,
                              .src = fw_wide_ip(in->family, in->dim[FW_DIM_SRC].span[0].lo),
                              .dst = fw_wide_ip(out->family, out->dim[FW_DIM_DST].span[0].lo),
                              .sport = (uint16_t)in->dim[FW_DIM_SPORT].span[0].lo,
                              .dport = (uint16_t)out->dim[FW_DIM_DPORT].span[0].lo};
    for (size_t i = 0; i < r->list_count; i++) {
        bool bound = r->list[i] == r->global;
        for (size_t k = 0; k < r->iface_count; k++)
            bound = bound || r->iface[k].list[FW_IN] == r->list[i] || r->iface[k].list[FW_OUT] == r->list[i];
        const struct fw_rule *rule = bound ? NULL : fw_list_match(r->list[i], &f);
        if (rule && rule->action == FW_PERMIT)
            return r->list[i]->name;
    }
    return NULL;
}

static bool asa_other(const struct writing *w)
{
    const struct fw_part *p = w->b->part;
    const char *reason = p->verdict.reason, *list;
    if (w->deny || !reason || w->b->visit->in < 0)
        return false;
    const struct fw_iface *in = &rules_of(w)->iface[w->b->visit->in];
    if (strcmp(reason, "same-level") == 0)
        add_edit(w, 0, "same-security-traffic permit inter-interface");
    else if (strcmp(reason, "hairpin") == 0)
        add_edit(w, 0, "same-security-traffic permit intra-interface");
    else if (strcmp(reason, "level") == 0 && !in->list[FW_IN] && (list = unbound_list(w)) != NULL)
        add_edit(w, 0, arena_format(w->a, "access-group %s in interface %s", list, in->name));
    else
        return false;
    return true;
}

/* ---- Cisco IOS ---- */

static void ios_prefix(char *out, uint8_t family, fw_wide lo, unsigned len)
{
    char ip[ADDR_TEXT], mask[ADDR_TEXT];
    struct ip_addr a = fw_wide_ip(family, lo), wild = ip_v4(len == 32 ? 0 : UINT32_MAX >> len);
    if (len == (family == IP_V4 ? 32 : 128))
        snprintf(out, TERM_TEXT, "host %s", ip_text(&a, ip));
    else if (family == IP_V4)
        snprintf(out, TERM_TEXT, "%s %s", ip_text(&a, ip), ip_text(&wild, mask));
    else
        snprintf(out, TERM_TEXT, "%s/%u", ip_text(&a, ip), len);
}

/* In the form of the line that decides: of a numbered list, or of a block. */
static void ios_rule(const struct writing *w, struct text *t, const struct rule_terms *r, const size_t at[4])
{
    const struct fw_verdict *v = &w->b->part->verdict;
    if (v->rule->text && strncmp(v->rule->text, "access-list ", 12) == 0)
        text_add(t, "access-list %s", v->list);
    text_add(t, " %s %s %s%s %s%s", w->deny ? "deny" : "permit", proto_name(r->proto), r->src.text[at[0]],
             r->sport.text[at[1]], r->dst.text[at[2]], r->dport.text[at[3]]);
}

/* A line with a number is in its place by that, which this does not write. */
static bool ios_place(const struct writing *w, unsigned *line)
{
    const struct fw_verdict *v = &w->b->part->verdict;
    if (!v->list || !v->rule || !v->rule->line || !v->rule->text || strspn(v->rule->text, " 0123456789") > 1)
        return false;
    *line = v->rule->line;
    return true;
}

/* ---- iptables-save ---- */

static void linux_prefix(char *out, uint8_t family, fw_wide lo, unsigned len)
{
    char ip[ADDR_TEXT];
    struct ip_addr a = fw_wide_ip(family, lo);
    snprintf(out, TERM_TEXT, "%s/%u", ip_text(&a, ip), len);
}

static void linux_ports(char *out, unsigned lo, unsigned hi)
{
    if (lo == hi)
        snprintf(out, TERM_TEXT, "%u", lo);
    else
        snprintf(out, TERM_TEXT, "%u:%u", lo, hi);
}

static void iptables_rule(const struct writing *w, struct text *t, const struct rule_terms *r, const size_t at[4])
{
    const struct fw_part *p = w->b->part;
    const struct fw_rules *rules = rules_of(w);
    text_add(t, "-A %s", p->verdict.list);
    if (w->b->visit->in >= 0)
        text_add(t, " -i %s", rules->iface[w->b->visit->in].name);
    if (p->out >= 0)
        text_add(t, " -o %s", rules->iface[p->out].name);
    if (r->src.text[at[0]][0])
        text_add(t, " -s %s", r->src.text[at[0]]);
    if (r->dst.text[at[2]][0])
        text_add(t, " -d %s", r->dst.text[at[2]]);
    text_add(t, " -p %s -m %s --sport %s --dport %s -m conntrack --ctstate NEW -j %s", proto_name(r->proto),
             proto_name(r->proto), r->sport.text[at[1]], r->dport.text[at[3]], w->deny ? "DROP" : "ACCEPT");
}

/* Before the deciding rule; where the policy decides, at the end of the table. */
static bool iptables_place(const struct writing *w, unsigned *line)
{
    const struct fw_verdict *v = &w->b->part->verdict;
    if (!v->list || !v->rule || !v->rule->line)
        return false;
    for (*line = v->rule->line; *line && *line <= w->text->lines.count; ++*line) {
        const char *text = w->text->lines.items[*line - 1].text;
        if (strncmp(text, "-A", 2) == 0 ? *line == v->rule->line : strcmp(text, "COMMIT") == 0)
            return true;
    }
    return false;
}

/* ---- nftables ---- */

/* The value of a key in a line of JSON, in quotes. */
static const char *json_word(const char *line, const char *key, char out[TERM_TEXT])
{
    char quoted[TERM_TEXT];
    snprintf(quoted, sizeof quoted, "\"%s\"", key);
    const char *at = strstr(line, quoted);
    at = at ? strchr(at + strlen(quoted), '"') : NULL;
    snprintf(out, TERM_TEXT, "%.*s", at ? (int)strcspn(at + 1, "\"") : 0, at ? at + 1 : "");
    return out;
}

static void nft_match(struct text *t, const char *protocol, const char *field, const char *term)
{
    size_t n = strcspn(term, ":/");
    text_add(t, "{\"match\": {\"op\": \"==\", \"left\": {\"payload\": {\"protocol\": \"%s\", \"field\": \"%s\"}}, "
                "\"right\": ", protocol, field);
    if (term[n] == ':')
        text_add(t, "{\"range\": [%.*s, %s]}", (int)n, term, term + n + 1);
    else if (term[n] == '/')
        text_add(t, "{\"prefix\": {\"addr\": \"%.*s\", \"len\": %s}}", (int)n, term, term + n + 1);
    else
        text_add(t, "%s", term);
    text_add(t, "}}, ");
}

static void nft_iface(struct text *t, const struct fw_rules *r, const char *key, int iface)
{
    if (iface >= 0)
        text_add(t, "{\"match\": {\"op\": \"==\", \"left\": {\"meta\": {\"key\": \"%s\"}}, \"right\": \"%s\"}}, ", key,
                 r->iface[iface].name);
}

static const char *line_of(const struct writing *w, unsigned line)
{
    const char *text = line && line <= w->text->lines.count ? w->text->lines.items[line - 1].text : "";
    return text + strspn(text, " \t");
}

static void nft_rule(const struct writing *w, struct text *t, const struct rule_terms *r, const size_t at[4])
{
    const struct fw_part *p = w->b->part;
    const char *line = line_of(w, p->verdict.rule->line), *proto = proto_name(r->proto);
    const char *ip = p->arrived.cell[0].family == IP_V4 ? "ip" : "ip6";
    char family[TERM_TEXT], table[TERM_TEXT], chain[TERM_TEXT];
    text_add(t, " {\"rule\": {\"family\": \"%s\", \"table\": \"%s\", \"chain\": \"%s\", \"expr\": [",
             json_word(line, "family", family), json_word(line, "table", table), json_word(line, "chain", chain));
    nft_iface(t, rules_of(w), "iifname", w->b->visit->in);
    nft_iface(t, rules_of(w), "oifname", p->out);
    if (r->src.text[at[0]][0])
        nft_match(t, ip, "saddr", r->src.text[at[0]]);
    if (r->dst.text[at[2]][0])
        nft_match(t, ip, "daddr", r->dst.text[at[2]]);
    nft_match(t, proto, "sport", r->sport.text[at[1]]);
    nft_match(t, proto, "dport", r->dport.text[at[3]]);
    text_add(t, "{\"%s\": null}]}},", w->deny ? "drop" : "accept");
}

/* Before a rule that has a line of its own: nft prints the whole set on one line, which has no place for another. */
static bool nft_place(const struct writing *w, unsigned *line)
{
    const struct fw_rule_ref *rule = w->b->part->verdict.rule;
    *line = rule ? rule->line : 0;
    return rule && strncmp(line_of(w, *line), "{\"rule\":", 8) == 0;
}

/* ---- Palo Alto ---- */

static void pan_ports(char *out, unsigned lo, unsigned hi)
{
    snprintf(out, TERM_TEXT, lo == hi ? "%u" : "%u-%u", lo, hi);
}

/* The zone that a `set zone` line puts the interface into; a file without such lines names zones as ports. */
static const char *pan_zone_of(const struct writing *w, int iface, char out[TERM_TEXT])
{
    const char *name = iface >= 0 ? rules_of(w)->iface[iface].name : "any";
    size_t n = strlen(name);
    snprintf(out, TERM_TEXT, "%s", name);
    for (unsigned i = 1; i <= w->text->lines.count; i++) {
        const char *line = line_of(w, i), *zone = strstr(line, "zone "), *at = strstr(line, name);
        if (strncmp(line, "set ", 4) == 0 && zone && at && zone < at && at[-1] == ' ' && (!at[n] || at[n] == ' ')) {
            zone += strlen("zone ");
            snprintf(out, TERM_TEXT, "%.*s", (int)strcspn(zone, " "), zone);
        }
    }
    return out;
}

/* A service and a rule; their names tell what they are for, as one name is one service. */
static void pan_rule(const struct writing *w, struct text *t, const struct rule_terms *r, const size_t at[4])
{
    const char *line = line_of(w, w->b->part->verdict.rule->line), *book = strstr(line, "rulebase security rules ");
    while (book > line && book[-1] != ' ') /* pre-rulebase */
        book--;
    char from[TERM_TEXT], to[TERM_TEXT], service[4 * TERM_TEXT], name[5 * TERM_TEXT];
    const char *src = r->src.text[at[0]];
    snprintf(service, sizeof service, "turnproof-%s-%s-from-%s", proto_name(r->proto), r->dport.text[at[3]],
             r->sport.text[at[1]]);
    snprintf(name, sizeof name, "%s-%.*s", service, (int)strcspn(src, "/"), src);
    text_add(t, "%.*sservice %s protocol %s port %s source-port %s\n", (int)(book - line), line, service,
             proto_name(r->proto), r->dport.text[at[3]], r->sport.text[at[1]]);
    text_add(t, "%.*s security rules %s from %s to %s source %s destination %s application any service %s action %s",
             (int)(book - line) + (int)strcspn(book, " "), line, name, pan_zone_of(w, w->b->visit->in, from),
             pan_zone_of(w, w->b->part->out, to), src, r->dst.text[at[2]], service, w->deny ? "deny" : "allow");
}

static bool pan_place(const struct writing *w, unsigned *line)
{
    const struct fw_rule_ref *rule = w->b->part->verdict.rule;
    *line = rule ? rule->line : 0;
    return rule && strncmp(line_of(w, *line), "set ", 4) == 0 && strstr(line_of(w, *line), "rulebase security rules ");
}

/* ---- all of them ---- */

static const struct dialect dialects[] = {
    {"asa", "any4", "any6", asa_prefix, asa_ports, asa_rule, asa_place, asa_other},
    {"ftd", "any4", "any6", asa_prefix, asa_ports, asa_rule, asa_place, asa_other},
    {"ios", "any", "any", ios_prefix, asa_ports, ios_rule, ios_place, NULL},
    {"iptables", "", "", linux_prefix, linux_ports, iptables_rule, iptables_place, NULL},
    {"nft", "", "", linux_prefix, linux_ports, nft_rule, nft_place, NULL},
    {"pan", "any", "any", linux_prefix, pan_ports, pan_rule, pan_place, NULL},
};

bool edit_for(struct check *c, const struct check_blocked *b, bool deny, const struct edit_text *text, struct arena *a,
              struct edits *out)
{
    const struct writing w = {.c = c, .b = b, .deny = deny, .text = text, .a = a, .out = out};
    const struct fw_format *format = c->topology->nodes.items[b->node].rules_format;
    for (size_t i = 0; format && i < sizeof dialects / sizeof *dialects; i++) {
        const struct dialect *d = &dialects[i];
        unsigned line;
        if (strcmp(d->format, format->name) != 0)
            continue;
        if (d->place(&w, &line))
            return write_rules(&w, d, line);
        return d->other && d->other(&w);
    }
    return false;
}
