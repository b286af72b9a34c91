/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Security rules, the two default rules, and the other policies as far as they cast doubt. */
#include <string.h>

#include "models/base/err.h"
#include "models/firewall/pan.h"
#include "models/firewall/rules.h"

static const char *const list = "security";

/* What an attribute of a rule does to the verdict. */
enum effect { MATCHED /* read elsewhere */, NONE, DOUBT /* unless its value is any */ };

static const struct attribute {
    const char *name;
    enum effect effect;
    const char *why;
} attributes[] = {
    {"from", MATCHED, NULL},
    {"to", MATCHED, NULL},
    {"source", MATCHED, NULL},
    {"destination", MATCHED, NULL},
    {"application", MATCHED, NULL},
    {"service", MATCHED, NULL},
    {"action", MATCHED, NULL},
    {"disabled", MATCHED, NULL},
    {"negate-source", MATCHED, NULL},
    {"negate-destination", MATCHED, NULL},
    {"rule-type", MATCHED, NULL},
    {"description", NONE, NULL},
    {"tag", NONE, NULL},
    {"group-tag", NONE, NULL},
    {"uuid", NONE, NULL},
    {"log-start", NONE, NULL},
    {"log-end", NONE, NULL},
    {"log-setting", NONE, NULL},
    {"profile-setting", NONE, NULL},
    {"option", NONE, NULL},
    {"qos", NONE, NULL},
    {"icmp-unreachable", NONE, NULL},
    {"audit-comment", NONE, NULL},
    {"source-user", DOUBT, "who the user is, is not known (source-user)"},
    {"category", DOUBT, "the category of a URL is not known"},
    {"hip-profiles", DOUBT, "the state of the host is not known (hip-profiles)"},
    {"source-hip", DOUBT, "the state of the host is not known (source-hip)"},
    {"destination-hip", DOUBT, "the state of the host is not known (destination-hip)"},
    {"source-device", DOUBT, "what the device is, is not known (source-device)"},
    {"destination-device", DOUBT, "what the device is, is not known (destination-device)"},
    {"source-imsi", DOUBT, "the subscriber is not known"},
    {"source-imei", DOUBT, "the subscriber is not known"},
    {"source-nw-slice", DOUBT, "the network slice is not known"},
    {"schedule", DOUBT, "whether its schedule is active is not known"},
    {"saas-user-list", DOUBT, "the user is not known"},
    {"saas-tenant-list", DOUBT, "the tenant is not known"},
    {"target", DOUBT, "which firewalls it is for is not followed (target)"},
};

/* Marks the attributes of the rule; *why: it is not known whether the rule matches, because. */
static void mark_attributes(struct pan *p, struct fw_node *rule, const char **why)
{
    fw_tree_used(rule);
    for (struct fw_node *n = rule->first; n; n = n->next) {
        const struct attribute *a = attributes, *end = a + sizeof attributes / sizeof *attributes;
        while (a < end && strcmp(a->name, n->word) != 0)
            a++;
        if (a == end) {
            *why = fw_tree_words(&p->t, "\"%.60s\" of this rule is not understood", n->word);
            fw_tree_unsupported(n, *why);
        } else if (a->effect == NONE) {
            fw_tree_quiet(n);
        } else if (a->effect == DOUBT && !pan_is_any(n)) {
            *why = a->why;
            fw_tree_unsupported(n, *why);
        }
    }
}

/* The complement of what is certain; what is vague leaves the whole in doubt. */
static int negate(struct fw_end *end, const char **why)
{
    if (end->vague)
        *why = end->vague;
    end->vague = NULL;
    int err = end->any ? 0 : fw_addrs_invert(&end->set);
    if (end->any)
        end->set.count = 0; /* nothing is not any */
    end->any = false;
    return err;
}

static int action_of(struct pan *p, struct fw_node *rule, enum fw_action *action)
{
    static const struct {
        const char *word;
        enum fw_action is;
    } table[] = {{"allow", FW_PERMIT},        {"deny", FW_DENY},           {"drop", FW_DENY},
                 {"reset-client", FW_REJECT}, {"reset-server", FW_DENY}, {"reset-both", FW_REJECT}};
    struct fw_node *n = fw_tree_child(&p->t, rule, "action");
    for (size_t i = 0; n && n->first && i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].word, n->first->word) == 0) {
            *action = table[i].is;
            return 0;
        }
    if (n)
        return fw_tree_fail(&p->t, n->first ? n->first : n, E_MALFORMED, "expected an action, found \"%.60s\"",
                            n->first ? n->first->word : "");
    return fw_tree_fail(&p->t, rule, E_MALFORMED, "expected an action of rule %.60s, found none", rule->word);
}

/* A rule for traffic within a zone or between zones alone stands for one rule a zone. */
static int add_by_zone(struct pan *p, struct fw_rule_spec *spec, struct fw_conditions *when, bool within)
{
    uint64_t from = when->in_ifaces, to = when->out_ifaces;
    int err = 0;
    for (size_t i = 0; i < p->zones && !err; i++) {
        uint64_t zone = p->zone[i].ifaces, all = ~UINT64_C(0);
        when->in_ifaces = zone & (from ? from : all);
        when->out_ifaces = (to ? to : all) & (within ? zone : ~zone);
        if (when->in_ifaces && when->out_ifaces)
            err = fw_tree_rule(&p->t, spec, &p->src, &p->dst, &p->kinds);
    }
    return err;
}

static int add(struct pan *p, struct fw_node *rule, struct fw_rule_spec *spec, struct fw_conditions *when)
{
    struct fw_node *type = fw_tree_child(&p->t, rule, "rule-type");
    const char *word = type && type->first ? type->first->word : "universal";
    char text[FW_LEDGER_TEXT];
    spec->list = list;
    spec->line = rule->line;
    spec->text = fw_ledger_text(&p->t.ledger, rule->line, text);
    spec->when = when;
    if (strcmp(word, "universal") == 0)
        return fw_tree_rule(&p->t, spec, &p->src, &p->dst, &p->kinds);
    bool within = strcmp(word, "intrazone") == 0;
    if (!within && strcmp(word, "interzone") != 0)
        return fw_tree_fail(&p->t, type->first, E_MALFORMED, "expected universal, intrazone or interzone");
    if (within) /* to is from */
        when->out_ifaces = 0;
    return add_by_zone(p, spec, when, within);
}

static int security_rule(struct pan *p, struct fw_node *rule)
{
    struct fw_conditions when = {0};
    struct fw_rule_spec spec = {0};
    pan_clear(p);
    mark_attributes(p, rule, &when.unknown);
    spec.inactive = pan_yes(p, rule, "disabled");
    int err = action_of(p, rule, &spec.action);
    err = err ? err : pan_addresses(p, fw_tree_child(&p->t, rule, "source"), &p->src);
    err = err ? err : pan_addresses(p, fw_tree_child(&p->t, rule, "destination"), &p->dst);
    err = err ? err
              : pan_services(p, fw_tree_child(&p->t, rule, "service"), fw_tree_child(&p->t, rule, "application"),
                             &p->kinds);
    if (!err && pan_yes(p, rule, "negate-source"))
        err = negate(&p->src, &when.unknown);
    if (!err && pan_yes(p, rule, "negate-destination"))
        err = negate(&p->dst, &when.unknown);
    when.in_ifaces = pan_zones(p, fw_tree_child(&p->t, rule, "from"), &when.no_in);
    when.out_ifaces = pan_zones(p, fw_tree_child(&p->t, rule, "to"), &when.no_out);
    return err ? err : add(p, rule, &spec, &when);
}

int pan_security(struct pan *p, struct fw_node *rules)
{
    int err = 0;
    for (struct fw_node *n = rules ? rules->first : NULL; n && !err; n = n->next)
        err = security_rule(p, n);
    return err;
}

/* intrazone-default and interzone-default, where the file says other than permit and deny. */
int pan_defaults(struct pan *p, struct fw_node *rules)
{
    static const struct {
        const char *name;
        bool within;
    } table[] = {{"intrazone-default", true}, {"interzone-default", false}};
    int err = 0;
    for (size_t i = 0; rules && i < 2 && !err; i++) {
        struct fw_node *n = fw_tree_child(&p->t, rules, table[i].name);
        struct fw_rule_spec spec = {.list = list, .line = n ? n->line : 0, .text = table[i].name};
        if (!n || !fw_tree_child(&p->t, n, "action"))
            continue;
        err = action_of(p, n, &spec.action);
        pan_clear(p);
        p->src.any = p->dst.any = p->kinds.any = true;
        struct fw_conditions when = {0};
        spec.when = &when;
        err = err ? err : add_by_zone(p, &spec, &when, table[i].within);
    }
    fw_tree_used(rules);
    return err;
}

int pan_taint(struct pan *p, struct fw_node *rule, const char *why)
{
    fw_tree_unsupported(rule, why);
    if (pan_yes(p, rule, "disabled")) {
        fw_tree_used(rule);
        return 0;
    }
    pan_clear(p);
    bool none;
    uint64_t in = pan_zones(p, fw_tree_child(&p->t, rule, "from"), &none);
    struct fw_node *zone = fw_tree_find(&p->t, rule, "from zone"); /* policy-based forwarding */
    if (zone)
        in = pan_zones(p, zone, &none);
    int err = pan_addresses(p, fw_tree_child(&p->t, rule, "source"), &p->src);
    err = err ? err : pan_addresses(p, fw_tree_child(&p->t, rule, "destination"), &p->dst);
    err = err ? err : pan_services(p, fw_tree_child(&p->t, rule, "service"), NULL, &p->kinds);
    if (err || none)
        return err;
    bool src = p->src.any || p->src.vague || pan_yes(p, rule, "negate-source");
    bool dst = p->dst.any || p->dst.vague || pan_yes(p, rule, "negate-destination");
    bool any = p->kinds.any || p->kinds.vague || p->kinds.doubt;
    char text[FW_LEDGER_TEXT];
    struct fw_taint_spec t = {.src = p->src.set.v, .dst = p->dst.set.v, .src_count = src ? 0 : p->src.set.count,
                              .dst_count = dst ? 0 : p->dst.set.count, .service = p->kinds.set.v,
                              .service_count = any ? 0 : p->kinds.set.count, .in_ifaces = in, .why = why,
                              .line = rule->line, .text = fw_ledger_text(&p->t.ledger, rule->line, text)};
    return fw_rules_add_taint(p->t.rules, &t);
}
