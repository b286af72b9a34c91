/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/fault.h"

#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "sim/scenario/topology_parts.h"

static const struct fault_rule {
    enum fault_target target;
    bool lasts, may_stay;
} rules[FAULT_KINDS] = {
    [FAULT_RESTART] = {FAULT_OF_HOST, true, false},       [FAULT_HALF_OPEN] = {FAULT_OF_HOST, true, true},
    [FAULT_SLOW_READER] = {FAULT_OF_HOST, true, true},    [FAULT_EXHAUST_PORTS] = {FAULT_OF_HOST, true, true},
    [FAULT_CLOCK] = {FAULT_OF_HOST, false, false},        [FAULT_FLUSH] = {FAULT_OF_FIREWALL, false, false},
    [FAULT_REBIND] = {FAULT_OF_FIREWALL, false, false},   [FAULT_OUTAGE] = {FAULT_OF_LINK, true, true},
};

const struct field_name fault_kinds[] = {
    [FAULT_RESTART] = {"restart", FAULT_RESTART},
    [FAULT_HALF_OPEN] = {"half-open", FAULT_HALF_OPEN},
    [FAULT_SLOW_READER] = {"slow-reader", FAULT_SLOW_READER},
    [FAULT_EXHAUST_PORTS] = {"exhaust-ports", FAULT_EXHAUST_PORTS},
    [FAULT_CLOCK] = {"clock", FAULT_CLOCK},
    [FAULT_FLUSH] = {"flush", FAULT_FLUSH},
    [FAULT_REBIND] = {"rebind", FAULT_REBIND},
    [FAULT_OUTAGE] = {"outage", FAULT_OUTAGE},
    [FAULT_KINDS] = {NULL, 0},
};

enum { DAY_MS = 86400000 };

const struct field fault_fields[] = {
    {FIELD("(fault)", SELF, struct topo_fault, at)},
    {FIELD("at_ms", U64, struct topo_fault, at_ns), .max = DAY_MS, .scale = NS_MS, .required = true},
    {FIELD("kind", ENUM, struct topo_fault, kind), .required = true, .names = fault_kinds},
    {FIELD("node", STRING, struct topo_fault, node_name)},
    {FIELD("link", STRING, struct topo_fault, link_name)},
    {FIELD("for_ms", U64, struct topo_fault, for_ns), .max = DAY_MS, .scale = NS_MS},
    {FIELD("ahead_ms", U64, struct topo_fault, ahead_ns), .min = 1, .max = DAY_MS, .scale = NS_MS},
    {.key = NULL},
};

enum fault_target fault_target(enum fault_kind kind)
{
    return rules[kind].target;
}

bool fault_lasts(enum fault_kind kind)
{
    return rules[kind].lasts;
}

/* ---- checks ---- */

static int check_keys(const struct topology *t, const struct topo_fault *f, struct diag *d)
{
    const struct fault_rule *rule = &rules[f->kind];
    const struct {
        const char *key;
        bool wanted;
    } keys[] = {
        {"node", rule->target != FAULT_OF_LINK},
        {"link", rule->target == FAULT_OF_LINK},
        {"for_ms", rule->lasts},
        {"ahead_ms", f->kind == FAULT_CLOCK},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(f->at, keys[i].key);
        if (item && !keys[i].wanted)
            return json_error_key(t->json, item, d, "expected no such key in a fault of kind %s",
                                  fault_kinds[f->kind].name);
        if (!item && keys[i].wanted)
            return json_error(t->json, f->at, d, "expected the key \"%s\" in a fault of kind %s, found none",
                              keys[i].key, fault_kinds[f->kind].name);
    }
    if (rule->lasts && !rule->may_stay && f->for_ns == 0)
        return json_error(t->json, topology_at(f->at, "for_ms", -1), d, "expected at least 1 in a fault of kind %s",
                          fault_kinds[f->kind].name);
    return 0;
}

static int find_node(const struct topology *t, struct topo_fault *f, struct diag *d)
{
    bool host = fault_target((enum fault_kind)f->kind) == FAULT_OF_HOST;
    for (unsigned i = 0; i < t->nodes.count; i++)
        if (strcmp(t->nodes.items[i].name, f->node_name) == 0 &&
            t->nodes.items[i].kind == (host ? TOPO_HOST : TOPO_FIREWALL)) {
            f->node = i;
            return 0;
        }
    return json_error(t->json, topology_at(f->at, "node", -1), d, "expected a %s of the topology, found \"%.40s\"",
                      host ? "host" : "firewall", f->node_name);
}

static int find_link(const struct topology *t, struct topo_fault *f, struct diag *d)
{
    for (unsigned i = 0; i < t->links.count; i++)
        if (strcmp(t->links.items[i].name, f->link_name) == 0) {
            f->link = i;
            return 0;
        }
    return json_error(t->json, topology_at(f->at, "link", -1), d, "expected a link of the topology, found \"%.40s\"",
                      f->link_name);
}

int faults_check(struct topology *t, struct diag *d)
{
    for (size_t i = 0; i < t->faults.count; i++) {
        struct topo_fault *f = &t->faults.items[i];
        int err = check_keys(t, f, d);
        if (!err)
            err = f->link_name ? find_link(t, f, d) : find_node(t, f, d);
        if (err)
            return err;
    }
    return 0;
}
