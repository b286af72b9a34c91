/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policies and virtual IPs as rules. */
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/firewall/fortigate.h"
#include "models/firewall/rules.h"

static const char *const plain = "policy", *const behind = "policy for virtual IPs";

/* ---- attributes ---- */

enum effect { MATCHED, NONE, TIMER, DOUBT /* unless it is one of the harmless values */ };

static const struct attribute {
    const char *name; /* a * at the end: any that begin so; at the beginning: that end so */
    enum effect effect;
    const char *harmless; /* a value that changes nothing */
    const char *why;
} attributes[] = {
    {"srcintf", MATCHED, NULL, NULL},
    {"dstintf", MATCHED, NULL, NULL},
    {"srcaddr", MATCHED, NULL, NULL},
    {"dstaddr", MATCHED, NULL, NULL},
    {"srcaddr6", MATCHED, NULL, NULL},
    {"dstaddr6", MATCHED, NULL, NULL},
    {"srcaddr-negate", MATCHED, NULL, NULL},
    {"dstaddr-negate", MATCHED, NULL, NULL},
    {"srcaddr6-negate", MATCHED, NULL, NULL},
    {"dstaddr6-negate", MATCHED, NULL, NULL},
    {"service", MATCHED, NULL, NULL},
    {"action", MATCHED, NULL, NULL},
    {"status", MATCHED, NULL, NULL},
    {"nat", MATCHED, NULL, NULL},
    {"ippool", MATCHED, NULL, NULL},
    {"poolname", MATCHED, NULL, NULL},
    {"fixedport", MATCHED, NULL, NULL},
    {"match-vip", MATCHED, NULL, NULL},
    {"send-deny-packet", MATCHED, NULL, NULL},
    {"schedule", DOUBT, "always", "whether its schedule is active is not known"},
    {"service-negate", DOUBT, "disable", "negated services are not supported"},
    {"internet-service*", DOUBT, "disable", "the addresses of an internet service are not in the file"},
    {"groups", DOUBT, NULL, "who the user is, is not known"},
    {"users", DOUBT, NULL, "who the user is, is not known"},
    {"fsso-groups", DOUBT, NULL, "who the user is, is not known"},
    {"devices", DOUBT, NULL, "what the device is, is not known"},
    {"ztna-*", DOUBT, "disable", "whether the device may pass (ZTNA) is not known"},
    {"rtp-nat", DOUBT, "disable", "NAT by RTP is not supported"},
    {"nat46", DOUBT, "disable", "NAT between families is not supported"},
    {"nat64", DOUBT, "disable", "NAT between families is not supported"},
    {"natip", DOUBT, "0.0.0.0", "natip is not supported"},
    {"natinbound", DOUBT, "disable", "natinbound is not supported"},
    {"permit-any-host", DOUBT, "disable", "full cone NAT (permit-any-host) is not supported"},
    {"policy-expiry", DOUBT, "disable", "when the policy expires is not followed"},
    {"match-vip-only", DOUBT, "disable", "match-vip-only is not supported"},
    {"reputation-minimum", DOUBT, "0", "the reputation of an address is not known"},
    {"src-vendor-mac", DOUBT, NULL, "the vendor of the device is not known"},
    {"session-ttl", TIMER, "0", "the idle time of one policy is not followed; it decides about no admission"},
    {"session-ttl*", NONE, NULL, NULL},
    {"name", NONE, NULL, NULL},
    {"uuid", NONE, NULL, NULL},
    {"comment*", NONE, NULL, NULL},
    {"logtraffic*", NONE, NULL, NULL},
    {"*-profile", NONE, NULL, NULL},
    {"*-sensor", NONE, NULL, NULL},
    {"*-list", NONE, NULL, NULL},
    {"*-shaper", NONE, NULL, NULL},
    {"*-shaper-reverse", NONE, NULL, NULL},
    {"*-options", NONE, NULL, NULL},
    {"*label", NONE, NULL, NULL},
    {"profile-*", NONE, NULL, NULL},
    {"utm-*", NONE, NULL, NULL},
    {"tcp-mss-*", NONE, NULL, NULL},
    {"diffserv*", NONE, NULL, NULL},
    {"vlan-cos-*", NONE, NULL, NULL},
    {"webcache*", NONE, NULL, NULL},
    {"wanopt*", NONE, NULL, NULL},
    {"replacemsg-*", NONE, NULL, NULL},
    {"inspection-mode", NONE, NULL, NULL},
    {"capture-packet", NONE, NULL, NULL},
    {"auto-asic-offload", NONE, NULL, NULL},
    {"np-acceleration", NONE, NULL, NULL},
    {"anti-replay", NONE, NULL, NULL},
    {"block-notification", NONE, NULL, NULL},
    {"custom-log-fields", NONE, NULL, NULL},
    {"timeout-send-rst", NONE, NULL, NULL},
    {"firewall-session-dirty", NONE, NULL, NULL},
    {"delay-tcp-npu-session", NONE, NULL, NULL},
    {"tcp-session-without-syn", NONE, NULL, NULL},
    {"email-collect", NONE, NULL, NULL},
    {"tags", NONE, NULL, NULL},
    {"color", NONE, NULL, NULL},
    {"geoip-*", NONE, NULL, NULL},
};

static bool fits(const char *pattern, const char *word)
{
    size_t n = strlen(pattern), k = strlen(word);
    if (pattern[n - 1] == '*')
        return strncmp(pattern, word, n - 1) == 0;
    if (pattern[0] == '*')
        return k >= n - 1 && strcmp(word + k - (n - 1), pattern + 1) == 0;
    return strcmp(pattern, word) == 0;
}

static void mark_policy(struct fortigate *f, struct fw_node *policy, const char **why)
{
    fw_tree_used(policy);
    for (struct fw_node *n = policy->first; n; n = n->next) {
        if (!n->word[0])
            continue; /* set again later */
        const struct attribute *a = attributes, *end = a + sizeof attributes / sizeof *attributes;
        while (a < end && !fits(a->name, n->word))
            a++;
        bool harmless = a < end && n->first && a->harmless && strcmp(n->first->word, a->harmless) == 0;
        if (a < end && a->effect == NONE) {
            fw_tree_quiet(n);
        } else if (a < end && (a->effect == MATCHED || harmless || !n->first)) {
            continue;
        } else {
            const char *text = a < end ? a->why
                                       : fw_tree_words(&f->t, "\"%.60s\" of this policy is not understood", n->word);
            fw_tree_unsupported(n, text);
            if (a == end || a->effect == DOUBT)
                *why = text;
        }
    }
}

/* ---- virtual IPs ---- */

struct fortigate_vip *fortigate_vip(struct fortigate *f, const struct fw_node *node)
{
    for (size_t i = 0; i < f->vips; i++)
        if (f->vip[i].node == node)
            return &f->vip[i];
    return NULL;
}

static int ports_of(struct fortigate *f, const struct fw_node *value, uint16_t *lo, uint16_t *hi)
{
    char *end = "";
    unsigned long a = value->word[0] >= '0' && value->word[0] <= '9' ? strtoul(value->word, &end, 10) : 65536, b = a;
    if (*end == '-')
        b = strtoul(end + 1, &end, 10);
    if (a > b || b > 65535 || *end)
        return fw_tree_fail(&f->t, value, E_MALFORMED, "expected a port or a range, found \"%.60s\"", value->word);
    *lo = (uint16_t)a;
    *hi = (uint16_t)b;
    return 0;
}

static int forwarding(struct fortigate *f, struct fortigate_vip *v)
{
    struct fw_node *proto = fortigate_set(f, v->node, "protocol"), *ext = fortigate_set(f, v->node, "extport");
    struct fw_node *mapped = fortigate_set(f, v->node, "mappedport");
    const char *word = proto ? proto->word : "tcp";
    uint8_t number = strcmp(word, "tcp") == 0 ? PROTO_TCP : strcmp(word, "udp") == 0 ? PROTO_UDP
                     : strcmp(word, "sctp") == 0 ? 132 : 0;
    v->forward = true;
    v->from = v->to = FW_SERVICE_ANY;
    v->from.proto_lo = v->from.proto_hi = v->to.proto_lo = v->to.proto_hi = number;
    if (!number || !ext || ext->next || (mapped && mapped->next)) {
        v->vague = "this kind of port forwarding is not supported";
        return 0;
    }
    int err = ports_of(f, ext, &v->from.dport_lo, &v->from.dport_hi);
    err = err ? err : ports_of(f, mapped ? mapped : ext, &v->to.dport_lo, &v->to.dport_hi);
    if (v->from.dport_hi - v->from.dport_lo != v->to.dport_hi - v->to.dport_lo)
        v->vague = "a port forwarding of ranges that differ in size is not supported";
    return err;
}

static void mark_vip(struct fortigate_vip *v)
{
    static const char *const known[] = {"extip", "mappedip", "extintf", "portforward", "protocol", "extport",
                                        "mappedport", "type", "status", "id", "uuid", "comment", "color", "arp-reply",
                                        "nat-source-vip", "gratuitous-arp-interval", "portmapping-type", "name"};
    for (struct fw_node *n = v->node->first; n; n = n->next) {
        bool it = !n->word[0] || !n->first;
        for (size_t i = 0; i < sizeof known / sizeof *known && !it; i++)
            it = strcmp(n->word, known[i]) == 0;
        if (!it) {
            v->vague = "this virtual IP has settings that are not supported";
            fw_tree_unsupported(n, v->vague);
        }
    }
}

/* The outside address is that of the interface. */
static int own_address(struct fortigate *f, struct fortigate_vip *v)
{
    for (size_t i = 0; i < f->t.rules->iface_count; i++) {
        const struct fw_iface *face = &f->t.rules->iface[i];
        for (size_t k = 0; k < face->address_count; k++)
            if (v->in >> i & 1 && face->address[k].ip.family == IP_V4) {
                struct fw_addr a = {face->address[k].ip, face->address[k].ip, false};
                return fw_addrs_push(&v->ext, &a);
            }
    }
    v->vague = "the outside address of the virtual IP is that of its interface, which is not in the file";
    return 0;
}

static int one_vip(struct fortigate *f, struct fw_node *node, void *ctx)
{
    (void)ctx;
    if (fortigate_vip(f, node) || fortigate_is(f, node, "status", "disable"))
        return 0;
    if (f->vips == FORTIGATE_VIPS_MAX)
        return fw_tree_fail(&f->t, node, E_RANGE, "expected at most %d virtual IPs", FORTIGATE_VIPS_MAX);
    struct fortigate_vip *v = &f->vip[f->vips++];
    *v = (struct fortigate_vip){.node = node, .from = FW_SERVICE_ANY, .to = FW_SERVICE_ANY};
    struct fw_node *ext = fortigate_set(f, node, "extip"), *mapped = fortigate_set(f, node, "mappedip");
    struct fw_node *type = fortigate_set(f, node, "type");
    if (type && strcmp(type->word, "static-nat") != 0)
        v->vague = "this kind of virtual IP is not supported";
    v->in = fortigate_set(f, node, "extintf") ? fortigate_ifaces(f, node, "extintf", &v->nowhere) : 0;
    int err = ext && strcmp(ext->word, "0.0.0.0") != 0 ? fortigate_range(f, ext, &v->ext) : own_address(f, v);
    if (!err && mapped && !v->vague)
        err = fortigate_range(f, mapped, &v->mapped);
    if (!v->vague && (!mapped || mapped->next))
        v->vague = "the virtual IP has not one range of inside addresses";
    if (!err && !v->vague &&
        fw_addr_count(&v->ext.v[0].a, &v->ext.v[0].b) != fw_addr_count(&v->mapped.v[0].a, &v->mapped.v[0].b))
        v->vague = "the ranges of the virtual IP differ in size";
    if (!err && fortigate_is(f, node, "portforward", "enable"))
        err = forwarding(f, v);
    fw_tree_used(node);
    mark_vip(v);
    if (v->vague)
        fw_tree_unsupported(node, v->vague);
    return err;
}

/* Packets to a virtual IP go to the list of its policies. */
static int lead(struct fortigate *f, struct fortigate_vip *v)
{
    struct fw_conditions when = {.in_ifaces = v->in, .no_in = v->nowhere, .unknown = v->vague};
    char text[FW_LEDGER_TEXT];
    struct fw_rule_spec spec = {.list = plain, .action = FW_GOTO, .target = behind, .when = &when, .dst = v->ext.v,
                                .dst_count = v->ext.count, .service = &v->from, .service_count = v->forward,
                                .line = v->node->line,
                                .text = fw_ledger_text(&f->t.ledger, v->node->line, text)};
    if (v->vague) { /* what it lets in is not known */
        struct fw_taint_spec t = {.dst = v->ext.v, .dst_count = v->ext.count, .in_ifaces = v->in, .why = v->vague,
                                  .line = spec.line, .text = text};
        return fw_rules_add_taint(f->t.rules, &t);
    }
    return fw_rules_add_rule(f->t.rules, &spec);
}

static int translate(struct fortigate *f, struct fortigate_vip *v, size_t index)
{
    char name[32], text[FW_LEDGER_TEXT];
    struct text t = text_of(name, sizeof name);
    text_add(&t, "%06zu", index); /* in the order of the file */
    struct fw_nat_spec spec = {.section = FW_NAT_OBJECT, .object = name, .mapped_iface = FW_ANY_IFACE,
                               .unidirectional = true, .route_lookup = true, .has_dst = true, .dst_from = v->ext.v,
                               .dst_to = v->mapped.v, .dst_from_count = 1, .dst_to_count = 1,
                               .from = v->forward ? &v->from : NULL, .to = v->forward ? &v->to : NULL,
                               .line = v->node->line,
                               .text = fw_ledger_text(&f->t.ledger, v->node->line, text)};
    int err = 0;
    for (int i = v->in ? 0 : FW_ANY_IFACE; i < (v->in ? FW_IFACE_MAX : 0) && !err; i++)
        if (i < 0 || v->in >> i & 1) {
            spec.real_iface = i;
            err = fw_rules_add_nat(f->t.rules, &spec);
        }
    return err;
}

static bool enabled(const struct fortigate *f, const struct fw_node *policy)
{
    return !fortigate_is(f, policy, "status", "disable");
}

int fortigate_vips(struct fortigate *f)
{
    struct fw_node *policies = fortigate_table(f, "firewall policy");
    int err = 0;
    f->vip = calloc(FORTIGATE_VIPS_MAX, sizeof *f->vip);
    if (!f->vip)
        return E_NOMEM;
    for (struct fw_node *p = policies ? policies->first : NULL; p; p = p->next)
        for (struct fw_node *n = enabled(f, p) ? fortigate_set(f, p, "dstaddr") : NULL; n && !err; n = n->next) {
            f->steps = 0;
            err = fortigate_each_vip(f, n, one_vip, NULL);
        }
    for (size_t i = 0; i < f->vips && !err; i++) {
        err = lead(f, &f->vip[i]);
        if (!err && !f->vip[i].vague && !f->vip[i].nowhere)
            err = translate(f, &f->vip[i], i);
    }
    return err;
}

/* ---- policies ---- */

struct policy {
    struct fw_node *node;
    struct fw_rule_spec spec;
    struct fw_conditions when;
    char text[FW_LEDGER_TEXT];
};

static int negate(struct fw_end *end, enum ip_family family, const char **why)
{
    if (end->vague)
        *why = end->vague;
    end->vague = NULL;
    int err = fw_addrs_invert(&end->set);
    size_t n = 0;
    for (size_t i = 0; i < end->set.count; i++)
        if (end->set.v[i].a.family == family)
            end->set.v[n++] = end->set.v[i];
    end->set.count = n;
    return err;
}

/* The addresses of both sides of one family. */
static int sides(struct fortigate *f, struct policy *p, bool six)
{
    static const char *const key[2][2] = {{"srcaddr", "dstaddr"}, {"srcaddr6", "dstaddr6"}};
    static const char *const not[2][2] = {{"srcaddr-negate", "dstaddr-negate"},
                                          {"srcaddr6-negate", "dstaddr6-negate"}};
    static const char *const service[2] = {"internet-service-src", "internet-service"};
    struct fw_end *end[2] = {&f->src, &f->dst};
    int err = 0;
    for (int i = 0; i < 2 && !err; i++) {
        bool negated = fortigate_is(f, p->node, not[six][i], "enable");
        err = fortigate_addresses(f, p->node, key[six][i], six, end[i]);
        if (fortigate_is(f, p->node, service[i], "enable"))
            end[i]->vague = "the addresses of an internet service are not in the file";
        if (!err && negated)
            err = negate(end[i], six ? IP_V6 : IP_V4, &p->when.unknown);
        /* What is vague is so in this family alone. */
        if (end[i]->vague) {
            struct fw_addr all = fw_addr_any(six ? IP_V6 : IP_V4);
            p->when.unknown = end[i]->vague;
            end[i]->vague = NULL;
            end[i]->set.count = 0;
            err = err ? err : fw_addrs_push(&end[i]->set, &all);
        }
    }
    return err;
}

/* The services of the policy as they are outside the virtual IP. */
static int shift(struct fortigate *f, const struct fortigate_vip *v)
{
    struct fw_kinds *in = &f->kinds, *out = &f->shifted;
    out->set.count = 0;
    out->any = in->any && !v->forward;
    out->vague = in->vague;
    out->doubt = in->doubt;
    if (out->any)
        return 0;
    if (in->any)
        return fw_services_push(&out->set, &v->from);
    int err = 0;
    for (size_t i = 0; i < in->set.count && !err; i++) {
        struct fw_service x = in->set.v[i];
        if (v->forward) {
            uint16_t lo = x.dport_lo > v->to.dport_lo ? x.dport_lo : v->to.dport_lo;
            uint16_t hi = x.dport_hi < v->to.dport_hi ? x.dport_hi : v->to.dport_hi;
            if (x.proto_lo > v->to.proto_lo || x.proto_hi < v->to.proto_lo || lo > hi)
                continue;
            x.proto_lo = x.proto_hi = v->to.proto_lo;
            x.dport_lo = (uint16_t)(v->from.dport_lo + (lo - v->to.dport_lo));
            x.dport_hi = (uint16_t)(v->from.dport_lo + (hi - v->to.dport_lo));
        }
        err = fw_services_push(&out->set, &x);
    }
    return err;
}

static int for_vip(struct fortigate *f, struct fw_node *node, void *ctx)
{
    struct policy *p = ctx;
    struct fortigate_vip *v = fortigate_vip(f, node);
    if (!v || v->vague)
        return 0;
    int err = shift(f, v);
    struct fw_end dst = {.set = v->ext};
    p->spec.list = behind;
    err = err ? err : fw_tree_rule(&f->t, &p->spec, &f->src, &dst, &f->shifted);
    if (!err && p->spec.action == FW_PERMIT && !p->spec.inactive)
        err = fortigate_source_nat(f, p->node, v);
    p->spec.list = plain;
    return err;
}

/* A denying policy also meets packets to virtual IPs, if it asks for them. */
static int deny_vips(struct fortigate *f, struct policy *p)
{
    bool asks = fortigate_is(f, p->node, "match-vip", "enable"), not = fortigate_is(f, p->node, "match-vip", "disable");
    int matches = asks ? 1 : not ? 0 : f->match_vip;
    if (f->vips == 0 || matches == 0 || f->dst.set.count == 0)
        return 0;
    struct fw_conditions when = p->when;
    struct fw_rule_spec spec = p->spec;
    struct fw_addr all = fw_addr_any(IP_V4);
    bool every = f->dst.set.count == 1 && ip_equal(&f->dst.set.v[0].a, &all.a) && ip_equal(&f->dst.set.v[0].b, &all.b);
    if (matches < 0)
        when.unknown = "whether it meets packets to virtual IPs too depends on the version, which the file does not "
                       "say";
    else if (!every)
        when.unknown = "which packets to virtual IPs its addresses mean is not known";
    spec.list = behind;
    spec.when = &when;
    int err = 0;
    for (size_t i = 0; i < f->vips && !err; i++) {
        struct fw_end dst = {.set = f->vip[i].ext};
        err = f->vip[i].vague ? 0 : shift(f, &f->vip[i]);
        if (!err && !f->vip[i].vague)
            err = fw_tree_rule(&f->t, &spec, &f->src, &dst, &f->shifted);
    }
    return err;
}

static int action_of(struct fortigate *f, struct policy *p)
{
    struct fw_node *n = fortigate_set(f, p->node, "action");
    const char *word = n ? n->word : "deny";
    bool accept = strcmp(word, "accept") == 0, deny = strcmp(word, "deny") == 0;
    p->spec.action = deny ? fortigate_is(f, p->node, "send-deny-packet", "enable") ? FW_REJECT : FW_DENY : FW_PERMIT;
    if (accept || deny)
        return 0;
    p->when.unknown = fw_tree_words(&f->t, "the action %.30s is not supported", word);
    fw_tree_unsupported(n->parent, p->when.unknown);
    return 0;
}

static int one_policy(struct fortigate *f, struct fw_node *node)
{
    struct policy p = {.node = node};
    p.spec = (struct fw_rule_spec){.list = plain, .inactive = !enabled(f, node), .when = &p.when, .line = node->line,
                                   .text = fw_ledger_text(&f->t.ledger, node->line, p.text)};
    mark_policy(f, node, &p.when.unknown);
    p.when.in_ifaces = fortigate_ifaces(f, node, "srcintf", &p.when.no_in);
    p.when.out_ifaces = fortigate_ifaces(f, node, "dstintf", &p.when.no_out);
    int err = action_of(f, &p);
    err = err ? err : fortigate_services(f, node, &f->kinds);
    if (fortigate_is(f, node, "internet-service", "enable"))
        f->kinds.any = true; /* it brings its own ports, which are not known either */
    bool permits = p.spec.action == FW_PERMIT && !p.spec.inactive;
    struct fw_conditions when = p.when;
    for (int six = 1; six >= 0 && !err; six--) {
        p.when = when;
        err = sides(f, &p, six);
        err = err ? err : fw_tree_rule(&f->t, &p.spec, &f->src, &f->dst, &f->kinds);
        if (!err && permits)
            err = fortigate_source_nat(f, node, NULL);
    }
    f->steps = 0;
    for (struct fw_node *n = fortigate_set(f, node, "dstaddr"); n && !err; n = n->next)
        err = fortigate_each_vip(f, n, for_vip, &p);
    return err || p.spec.action == FW_PERMIT || p.spec.inactive ? err : deny_vips(f, &p);
}

/* Zones that let their own interfaces talk to each other. */
static int within_zones(struct fortigate *f)
{
    int err = 0;
    for (size_t i = 0; i < f->zones && !err; i++) {
        const struct fortigate_zone *z = &f->zone[i];
        if (!z->ifaces || !fortigate_is(f, z->node, "intrazone", "allow"))
            continue;
        struct fw_conditions when = {.in_ifaces = z->ifaces, .out_ifaces = z->ifaces};
        struct fw_rule_spec spec = {.list = plain, .action = FW_PERMIT, .when = &when, .line = z->node->line,
                                    .text = "set intrazone allow"};
        err = fw_rules_add_rule(f->t.rules, &spec);
    }
    return err;
}

int fortigate_policies(struct fortigate *f)
{
    struct fw_node *policies = fortigate_table(f, "firewall policy");
    for (struct fw_node *n = policies ? policies->first : NULL; n; n = n->next)
        f->translates = f->translates || (enabled(f, n) && fortigate_is(f, n, "nat", "enable"));
    int err = 0;
    for (struct fw_node *n = policies ? policies->first : NULL; n && !err; n = n->next)
        err = one_policy(f, n);
    err = err ? err : within_zones(f);
    return err ? err : fw_rules_bind(f->t.rules, plain, FW_ANY_IFACE, FW_IN);
}
