/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which list is asked about what comes in or goes out where. */
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/firewall/asa.h"

/* ---- access-group ---- */

/* The way that a list is bound to cannot be read: packets of the interface may be denied by it, or not. */
static int any_group(struct asa *a, const char *why)
{
    struct fw_taint_spec spec = {0};
    for (size_t i = a->at; i + 1 < a->words; i++)
        if (strcmp(a->word[i].text, "interface") == 0) {
            int iface = fw_rules_find_interface(a->rules, a->word[i + 1].text);
            if (iface < 0)
                return 0; /* no such interface: no packets */
            bool out = strcmp(a->word[i - 1].text, "out") == 0;
            *(out ? &spec.out_ifaces : &spec.in_ifaces) = UINT64_C(1) << iface;
            break;
        }
    return asa_taint(a, why, spec);
}

static bool is_list6(const struct asa *a, const char *name)
{
    for (const struct asa_name_list *l = a->lists6; l; l = l->next)
        if (strcmp(l->name, name) == 0)
            return true;
    return false;
}

int asa_bind_later(struct asa *a, const char *list, bool six, int iface, enum fw_direction dir)
{
    struct asa_bound *b = &a->bound[iface == FW_ANY_IFACE ? FW_IFACE_MAX : iface][dir];
    b->list[six] = fw_arena_text(a->rules, list);
    b->line = a->line;
    b->text = fw_arena_text(a->rules, a->raw);
    return b->list[six] && b->text ? 0 : asa_no_memory(a);
}

int asa_access_group(struct asa *a)
{
    const char *list = asa_peek(a);
    a->doubt = any_group;
    if (!asa_more(a) || !fw_rules_list(a->rules, list))
        return asa_expected(a, "an extended access-list that is defined");
    a->at++;
    int iface = FW_ANY_IFACE;
    enum fw_direction dir = FW_IN;
    if (!asa_take(a, "global")) {
        if (asa_take(a, "out"))
            dir = FW_OUT;
        else if (!asa_take(a, "in"))
            return asa_expected(a, "in, out or global");
        if (!asa_take(a, "interface"))
            return asa_expected(a, "interface");
        iface = fw_rules_find_interface(a->rules, asa_peek(a));
        if (iface < 0)
            return asa_expected(a, "the name of an interface");
        a->at++;
    }
    a->quiet = asa_take(a, "control-plane"); /* about traffic to the box itself */
    if (a->quiet)
        return asa_end(a);
    asa_take(a, "per-user-override");
    int err = asa_end(a);
    if (err || (a->version && a->version < 900))
        return err ? err : asa_bind_later(a, list, is_list6(a, list), iface, dir);
    return fw_rules_bind(a->rules, list, iface, dir) ? asa_no_memory(a) : 0;
}

/* ---- two lists on one interface, one of each family ---- */

static int copy_rules(struct asa *a, const char *to, const struct fw_list *from)
{
    int err = 0;
    for (size_t i = 0; i < from->count && !err; i++) {
        const struct fw_rule *r = &from->rule[i];
        struct fw_rule_spec spec = {.list = to, .action = r->action, .inactive = r->inactive,
                                    .time_range = r->time_range, .when = r->when,
                                    .src = r->src ? r->src->addr : NULL, .src_count = r->src ? r->src->count : 0,
                                    .dst = r->dst ? r->dst->addr : NULL, .dst_count = r->dst ? r->dst->count : 0,
                                    .service = r->service, .service_count = r->service_count,
                                    .line = r->ref->line, .text = r->ref->text};
        err = fw_rules_add_rule(a->rules, &spec) ? asa_no_memory(a) : 0;
    }
    return err;
}

static int bind_both(struct asa *a, const struct asa_bound *b, int iface, enum fw_direction dir)
{
    char name[300];
    struct text t = text_of(name, sizeof name);
    text_add(&t, "%.120s, %.120s", b->list[0], b->list[1]);
    bool made = fw_rules_list(a->rules, name) != NULL;
    int err = 0;
    for (int six = 0; six < 2 && !made && !err; six++)
        err = copy_rules(a, name, fw_rules_list(a->rules, b->list[six]));
    return err ? err : fw_rules_bind(a->rules, name, iface, dir) ? asa_no_memory(a) : 0;
}

/* The list says nothing about the other family: it passes (IOS), or it is as if there were no list. */
static int bind_one(struct asa *a, const struct asa_bound *b, int iface, enum fw_direction dir, bool other_passes)
{
    bool six = b->list[1];
    const char *list = b->list[six];
    struct fw_addr other = fw_addr_any(six ? IP_V4 : IP_V6);
    const struct fw_list *l = fw_rules_list(a->rules, list);
    bool done = l->count && l->rule[l->count - 1].ref->line == b->line;
    a->line = b->line;
    struct text t = text_of(a->raw, sizeof a->raw);
    text_add(&t, "%s", b->text);
    a->ace = (struct asa_ace){.list = list};
    struct fw_rule_spec spec = {.list = list, .action = FW_PERMIT, .src = &other, .src_count = 1, .dst = &other,
                                .dst_count = 1};
    int err = other_passes && !done ? asa_add_rule(a, &spec, NULL) : 0;
    if (!err && fw_rules_bind(a->rules, list, iface, dir))
        err = asa_no_memory(a);
    if (err || other_passes)
        return err;
    struct fw_taint_spec taint = {.src = &other, .src_count = 1, .dst = &other, .dst_count = 1};
    if (iface != FW_ANY_IFACE)
        *(dir == FW_IN ? &taint.in_ifaces : &taint.out_ifaces) = UINT64_C(1) << iface;
    return asa_taint(a, "before 9.0 a list is about one family of addresses; the other goes by security levels", taint);
}

int asa_bind_families(struct asa *a, bool other_passes)
{
    int err = 0;
    for (int i = 0; i <= FW_IFACE_MAX && !err; i++)
        for (int dir = FW_IN; dir <= FW_OUT && !err; dir++) {
            const struct asa_bound *b = &a->bound[i][dir];
            int iface = i == FW_IFACE_MAX ? FW_ANY_IFACE : i;
            if (b->list[0] && b->list[1])
                err = bind_both(a, b, iface, (enum fw_direction)dir);
            else if (b->list[0] || b->list[1])
                err = bind_one(a, b, iface, (enum fw_direction)dir, other_passes);
        }
    return err;
}
