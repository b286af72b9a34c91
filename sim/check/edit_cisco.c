/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cisco's dialects: access-lists of an ASA, of FTD, and of a router. */
#include <stdio.h>
#include <string.h>

#include "models/firewall/rules.h"
#include "sim/check/edit_parts.h"

/* ---- Cisco ASA, FTD ---- */

static void asa_prefix(char *out, uint8_t family, fw_wide lo, unsigned len)
{
    char ip[ADDR_TEXT], mask[ADDR_TEXT];
    struct ip_addr a = fw_wide_ip(family, lo), m = ip_v4(len ? ~0u << (32 - len) : 0);
    if (len == (family == IP_V4 ? 32 : 128))
        snprintf(out, EDIT_TERM_TEXT, "host %s", ip_text(&a, ip));
    else if (family == IP_V4)
        snprintf(out, EDIT_TERM_TEXT, "%s %s", ip_text(&a, ip), ip_text(&m, mask));
    else
        snprintf(out, EDIT_TERM_TEXT, "%s/%u", ip_text(&a, ip), len);
}

static void asa_ports(char *out, unsigned lo, unsigned hi)
{
    if (lo == hi)
        snprintf(out, EDIT_TERM_TEXT, " eq %u", lo);
    else if (hi == UINT16_MAX && lo == 0)
        out[0] = '\0';
    else if (hi == UINT16_MAX)
        snprintf(out, EDIT_TERM_TEXT, " gt %u", lo - 1);
    else
        snprintf(out, EDIT_TERM_TEXT, " range %u %u", lo, hi);
}

static void asa_rule(const struct edit_writing *w, struct text *t, const struct edit_terms *r,
                     const size_t at[4])
{
    const struct fw_verdict *v = &w->b->part->verdict;
    bool advanced = v->rule && v->rule->text && strstr(v->rule->text, " advanced ");
    text_add(t, "access-list %s %s %s %s %s%s %s%s", v->list, advanced ? "advanced" : "extended",
             w->deny ? "deny" : "permit", edit_proto(r->proto), r->src.text[at[0]], r->sport.text[at[1]],
             r->dst.text[at[2]], r->dport.text[at[3]]);
}

static bool asa_place(const struct edit_writing *w, struct edit_place *out)
{
    const struct fw_verdict *v = &w->b->part->verdict;
    const struct fw_list *list = v->list ? fw_rules_list(edit_rules_of(w), v->list) : NULL;
    if (!list)
        return false;
    out->line = v->rule && v->rule->line ? v->rule->line : list->count ? list->rule[list->count - 1].ref->line + 1 : 0;
    return true;
}

/* An access-list that permits the packets and is bound nowhere. */
static const char *unbound_list(const struct edit_writing *w)
{
    const struct fw_rules *r = edit_rules_of(w);
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

static bool asa_other(const struct edit_writing *w)
{
    const struct fw_part *p = w->b->part;
    const char *reason = p->verdict.reason, *list;
    if (w->deny || !reason || w->b->visit->in < 0)
        return false;
    const struct fw_iface *in = &edit_rules_of(w)->iface[w->b->visit->in];
    if (strcmp(reason, "same-level") == 0)
        edit_add(w, 0, "same-security-traffic permit inter-interface");
    else if (strcmp(reason, "hairpin") == 0)
        edit_add(w, 0, "same-security-traffic permit intra-interface");
    else if (strcmp(reason, "level") == 0 && !in->list[FW_IN] && (list = unbound_list(w)) != NULL)
        edit_add(w, 0, arena_format(w->a, "access-group %s in interface %s", list, in->name));
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
        snprintf(out, EDIT_TERM_TEXT, "host %s", ip_text(&a, ip));
    else if (family == IP_V4)
        snprintf(out, EDIT_TERM_TEXT, "%s %s", ip_text(&a, ip), ip_text(&wild, mask));
    else
        snprintf(out, EDIT_TERM_TEXT, "%s/%u", ip_text(&a, ip), len);
}

/* In the form of the line that decides: of a numbered list, or of a block. */
static void ios_rule(const struct edit_writing *w, struct text *t, const struct edit_terms *r,
                     const size_t at[4])
{
    const struct fw_verdict *v = &w->b->part->verdict;
    if (v->rule->text && strncmp(v->rule->text, "access-list ", 12) == 0)
        text_add(t, "access-list %s", v->list);
    text_add(t, " %s %s %s%s %s%s", w->deny ? "deny" : "permit", edit_proto(r->proto), r->src.text[at[0]],
             r->sport.text[at[1]], r->dst.text[at[2]], r->dport.text[at[3]]);
    if (w->b->answers && r->proto == PROTO_TCP)
        text_add(t, " established");
}

/* A line with a number is in its place by that, which this does not write. */
static bool ios_place(const struct edit_writing *w, struct edit_place *out)
{
    const struct fw_verdict *v = &w->b->part->verdict;
    if (!v->list || !v->rule || !v->rule->line || !v->rule->text || strspn(v->rule->text, " 0123456789") > 1)
        return false;
    out->line = v->rule->line;
    return true;
}

const struct edit_dialect edit_asa = {
    .format = "asa", .any_v4 = "any4", .any_v6 = "any6", .prefix = asa_prefix, .ports = asa_ports,
    .rule = asa_rule, .place = asa_place, .other = asa_other,
};
const struct edit_dialect edit_ftd = {
    .format = "ftd", .any_v4 = "any4", .any_v6 = "any6", .prefix = asa_prefix, .ports = asa_ports,
    .rule = asa_rule, .place = asa_place, .other = asa_other,
};
const struct edit_dialect edit_ios = {
    .format = "ios", .any_v4 = "any", .any_v6 = "any", .prefix = ios_prefix, .ports = asa_ports,
    .rule = ios_rule, .place = ios_place,
};
