/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules for blocked packets, in the words of the rule file's dialect. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/firewall/rules.h"
#include "sim/check/edit_parts.h"

enum { RULES_MAX = 128, NUMBER_MAX = 65535 };

/* ---- fields ---- */

static char *next_term(struct edit_field *t)
{
    t->failed = t->failed || t->count == EDIT_TERMS_MAX;
    return t->text[t->failed ? EDIT_TERMS_MAX : t->count++];
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
static void prefixes(struct edit_field *t, struct fw_spans s, uint8_t family, edit_write_prefix *write)
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
static bool is_anybody(const struct edit_writing *w, const struct bind_end *end)
{
    return end->behind && (int)end->node == w->c->topology->check.internet_node;
}

static void addresses(const struct edit_writing *w, struct edit_field *t, struct fw_spans s, uint8_t family,
                      const struct bind_end *end, const struct edit_dialect *d)
{
    if (is_anybody(w, end) && s.count > 1)
        snprintf(next_term(t), EDIT_TERM_TEXT, "%s", family == IP_V4 ? d->any_v4 : d->any_v6);
    else
        prefixes(t, s, family, d->prefix);
}

static void ports(struct edit_field *t, struct fw_spans s, edit_write_ports *write)
{
    enum { SPANS_MAX = 8 };
    if (s.count > SPANS_MAX) /* every second port of a range: the range */
        write(next_term(t), (unsigned)s.span[0].lo, (unsigned)s.span[s.count - 1].hi);
    for (size_t i = 0; s.count <= SPANS_MAX && i < s.count; i++)
        write(next_term(t), (unsigned)s.span[i].lo, (unsigned)s.span[i].hi);
}

void edit_prefix_slash(char *out, uint8_t family, fw_wide lo, unsigned len)
{
    char ip[ADDR_TEXT];
    struct ip_addr a = fw_wide_ip(family, lo);
    snprintf(out, EDIT_TERM_TEXT, "%s/%u", ip_text(&a, ip), len);
}

void edit_ports_dash(char *out, unsigned lo, unsigned hi)
{
    if (lo == hi)
        snprintf(out, EDIT_TERM_TEXT, "%u", lo);
    else
        snprintf(out, EDIT_TERM_TEXT, "%u-%u", lo, hi);
}

bool edit_all_ports(const char *ports)
{
    return strcmp(ports, "0-65535") == 0;
}

const char *edit_proto(uint8_t proto)
{
    return proto == PROTO_TCP ? "tcp" : "udp";
}

const struct fw_rules *edit_rules_of(const struct edit_writing *w)
{
    return w->c->topology->nodes.items[w->b->node].rules;
}

const char *edit_line(const struct edit_text *t, unsigned line)
{
    return line && line <= t->lines.count ? t->lines.items[line - 1].text : "";
}

/* ---- numbers ---- */

/* "priority": 100 */
static bool has_number(const char *text, const char *key, unsigned number)
{
    for (const char *p = strstr(text, key); p; p = strstr(p, key)) {
        p += strlen(key);
        p += strspn(p, "\": ");
        char *end;
        unsigned long n = *p >= '0' && *p <= '9' ? strtoul(p, &end, 10) : NUMBER_MAX + 1;
        if (n == number)
            return true;
    }
    return false;
}

static bool is_free(const struct edit_writing *w, const char *key, unsigned number)
{
    for (size_t i = 0; i < w->text->lines.count; i++)
        if (has_number(w->text->lines.items[i].text, key, number))
            return false;
    for (size_t i = 0; i < w->out->items.count; i++)
        if (w->out->items.items[i].text && has_number(w->out->items.items[i].text, key, number))
            return false;
    return true;
}

/* The next lower one, or the lowest of all where there is no limit; 0: none. */
static unsigned free_number(const struct edit_writing *w, const struct edit_dialect *d, unsigned limit)
{
    for (unsigned n = limit ? limit - 1 : 1; n > 0 && n < NUMBER_MAX; n += limit ? -1u : 1u)
        if (is_free(w, d->number_key, n))
            return n;
    return 0;
}

/* ---- rules ---- */

/* key: what an edit says beside its number; the same is said once. */
static void add_keyed(const struct edit_writing *w, unsigned line, const char *text, const char *key)
{
    *CHECK_ADD(w->a, &w->out->items) = (struct edit){.line = line, .text = text, .key = key};
}

static bool is_said(const struct edit_writing *w, unsigned line, const char *key)
{
    for (size_t i = 0; i < w->out->items.count; i++) {
        const struct edit *x = &w->out->items.items[i];
        const char *said = x->key ? x->key : x->text;
        if (x->line == line && said && strcmp(said, key) == 0)
            return true;
    }
    return false;
}

void edit_add(const struct edit_writing *w, unsigned line, const char *text)
{
    if (!is_said(w, line, text))
        add_keyed(w, line, text, NULL);
}

static const char *written(const struct edit_writing *w, edit_write_rule *write, const struct edit_terms *r,
                           const size_t at[4])
{
    char buf[EDIT_RULE_TEXT];
    struct text t = text_of(buf, sizeof buf);
    write(w, &t, r, at);
    return t.cut || !t.len ? NULL : arena_copy(w->a, buf, t.len);
}

static bool one_rule(const struct edit_writing *w, const struct edit_dialect *d, struct edit_terms *r,
                     const size_t at[4])
{
    r->number = 0;
    const char *key = written(w, d->rule, r, at);
    if (!key || is_said(w, r->place.line, key))
        return key != NULL;
    r->number = d->number_key ? free_number(w, d, r->place.number_limit) : 0;
    if (d->number_key && !r->number)
        return false;
    if (d->objects)
        d->objects(w, r, at);
    add_keyed(w, r->place.line, written(w, d->rule, r, at), key);
    return true;
}

/* One rule for each combination of terms; false: too many, or something cannot be said. */
static bool combine(const struct edit_writing *w, const struct edit_dialect *d, struct edit_terms *r)
{
    if (r->src.failed || r->sport.failed || r->dst.failed || r->dport.failed ||
        r->src.count * r->sport.count * r->dst.count * r->dport.count > RULES_MAX)
        return false;
    bool any = false;
    size_t at[4];
    for (at[0] = 0; at[0] < r->src.count; at[0]++)
        for (at[1] = 0; at[1] < r->sport.count; at[1]++)
            for (at[2] = 0; at[2] < r->dst.count; at[2]++)
                for (at[3] = 0; at[3] < r->dport.count; at[3]++)
                    any = one_rule(w, d, r, at) || any;
    return any;
}

/* The rule for one cell as the rules see it: the source as it came, the destination translated, or as it came too. */
static bool write_cell(const struct edit_writing *w, const struct edit_dialect *d, const struct edit_place *place,
                       size_t cell)
{
    const struct fw_part *p = w->b->part;
    const struct fw_cell *in = &p->arrived.cell[cell];
    const struct fw_cell *out = p->leaving.count == p->arrived.count ? &p->leaving.cell[cell] : &p->leaving.cell[0];
    if (!edit_rules_of(w)->base_count && edit_rules_of(w)->policy.view[FW_IN] == FW_VIEW_ARRIVED)
        out = in;
    struct edit_terms *r = in->family == IP_V4 || d->any_v6 ? calloc(1, sizeof *r) : NULL;
    if (!r)
        return false;
    const struct bind_question *q = w->b->question;
    r->proto = q->proto;
    r->family = in->family;
    r->place = *place;
    addresses(w, &r->src, in->dim[FW_DIM_SRC], in->family, w->b->answers ? &q->to : &q->from, d);
    if (w->deny)
        d->ports(next_term(&r->sport), 0, UINT16_MAX); /* whatever the sender likes */
    else
        ports(&r->sport, in->dim[FW_DIM_SPORT], d->ports);
    addresses(w, &r->dst, out->dim[FW_DIM_DST], out->family, w->b->answers ? &q->from : &q->to, d);
    ports(&r->dport, out->dim[FW_DIM_DPORT], d->ports);
    bool any = combine(w, d, r);
    free(r);
    return any;
}

/* ---- all of them ---- */

static const struct edit_dialect *const dialects[] = {
    &edit_asa, &edit_ftd, &edit_ios, &edit_iptables, &edit_nft, &edit_pan, &edit_fortigate, &edit_azure,
    &edit_security_group, &edit_network_acl,
};

bool edit_for(struct check *c, const struct check_blocked *b, bool deny, const struct edit_text *text, struct arena *a,
              struct edits *out)
{
    const struct edit_writing w = {.c = c, .b = b, .deny = deny, .text = text, .a = a, .out = out};
    const struct fw_format *format = c->topology->nodes.items[b->node].rules_format;
    bool any = false;
    for (size_t i = 0; format && i < sizeof dialects / sizeof *dialects; i++) {
        const struct edit_dialect *d = dialects[i];
        struct edit_place place = {0};
        if (strcmp(d->format, format->name) != 0)
            continue;
        if (!d->place(&w, &place))
            any = any || (d->other && d->other(&w));
        else
            for (size_t k = 0; k < b->part->arrived.count && b->part->leaving.count; k++)
                any = write_cell(&w, d, &place, k) || any;
    }
    return any;
}
