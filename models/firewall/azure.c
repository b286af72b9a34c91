/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Azure network security groups as JSON: the resource as the management API and `az network nsg` print it, lists of
 * them, and templates. Rules of a direction in order of priority, the default rules behind them; connections are
 * tracked. Inbound rules are the list of what enters at the outside, outbound rules of what enters at the inside; one
 * group a file, chosen by its name. The networks of the inside port are the protected ones (cloud.h).
 *
 * Service tags. An address may be VirtualNetwork or not depending on peerings and gateways that the file does not
 * hold. What is certain: the protected networks are VirtualNetwork, and what stands on the protected side always is;
 * public addresses are Internet. Other addresses are UNKNOWN for both tags. AzureLoadBalancer is the address that
 * health probes come from. Any other tag and application security groups: UNKNOWN. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "models/base/err.h"
#include "models/firewall/cloud.h"
#include "models/firewall/rules.h"

enum { RULES_MAX = 65536, GROUPS_MAX = 4096 };

struct azure_rule {
    const cJSON *rule, *props;
    long priority;
    size_t at; /* in the file */
    bool inbound;
};

struct azure {
    struct cloud c;
    const cJSON *group, *found; /* chosen; the last that there is */
    struct cloud_names names;
    struct azure_rule *rule;
    size_t count;
    struct fw_addrs near; /* the networks of the inside port */
    /* Of the rule at hand: what it takes for certain and what it may take. */
    struct fw_addrs sure[2], maybe[2]; /* source, destination; empty sure: none */
    bool any[2], vague[2];             /* every address for certain; every address perhaps */
    const char *why;
};

/* The default rules that every group has (a template does not repeat them). */
static const struct built_in {
    const char *name;
    bool inbound;
    const char *src, *dst;
    bool allow;
} built_in[] = {
    {"AllowVnetInBound", true, "VirtualNetwork", "VirtualNetwork", true},
    {"AllowAzureLoadBalancerInBound", true, "AzureLoadBalancer", "*", true},
    {"DenyAllInBound", true, "*", "*", false},
    {"AllowVnetOutBound", false, "VirtualNetwork", "VirtualNetwork", true},
    {"AllowInternetOutBound", false, "*", "Internet", true},
    {"DenyAllOutBound", false, "*", "*", false},
};

/* ---- groups ---- */

static const cJSON *props_of(const cJSON *object)
{
    const cJSON *p = cloud_get(object, "properties");
    return cJSON_IsObject(p) ? p : object;
}

static bool ends_with(const char *s, const char *end)
{
    size_t n = s ? strlen(s) : 0, k = strlen(end);
    return n >= k && strcasecmp(s + n - k, end) == 0;
}

static bool is_group(const cJSON *object)
{
    return ends_with(cloud_text(object, "type"), "/networkSecurityGroups") ||
           cloud_get(props_of(object), "securityRules") || cloud_get(props_of(object), "defaultSecurityRules");
}

static int look(struct azure *z, const cJSON *at)
{
    static const char *const within[] = {"value", "resources", "networkSecurityGroups"};
    int err = 0;
    if (cJSON_IsArray(at)) {
        for (const cJSON *m = at->child; m && !err; m = m->next)
            err = look(z, m);
        return err;
    }
    if (!cJSON_IsObject(at))
        return 0;
    if (is_group(at)) {
        const char *name = cloud_text(at, "name");
        name = name ? name : "(without a name)";
        if (z->names.count == GROUPS_MAX)
            return cloud_fail(&z->c, at, E_RANGE, "expected at most %d groups", GROUPS_MAX);
        cloud_name(&z->names, name);
        z->found = at;
        if (cloud_chosen(&z->c, name))
            z->group = at;
    } else if (ends_with(cloud_text(at, "type"), "/networkSecurityGroups/securityRules")) {
        const char *why = "a rule that is a resource of its own: which group it joins is not followed";
        struct fw_taint_spec t = {.why = why, .line = json_line(z->c.json, at), .text = "securityRules"};
        err = fw_rules_add_taint(z->c.rules, &t);
        err = err ? err : cloud_unsupported(&z->c, at, why);
    }
    for (size_t i = 0; i < sizeof within / sizeof *within && !err; i++)
        err = look(z, cloud_get(at, within[i]));
    return err;
}

/* ---- addresses ---- */

/* Blocks that are not of the public internet; of IPv6 all but 2000::/3. */
static const char *const private_blocks[] = {
    "0.0.0.0/8",      "10.0.0.0/8",     "100.64.0.0/10",  "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24",   "192.168.0.0/16", "198.18.0.0/15",  "224.0.0.0/3", "::/3",           "4000::/2",
    "8000::/1",       "168.63.129.16",
};

static int push_text(struct fw_addrs *s, const char *text)
{
    struct fw_addr a;
    int err = fw_addr_parse(text, &a);
    return err ? err : fw_addrs_push(s, &a);
}

static int push_set(struct fw_addrs *s, const struct fw_addrs *more)
{
    int err = 0;
    for (size_t i = 0; i < more->count && !err; i++)
        err = fw_addrs_push(s, &more->v[i]);
    return err;
}

static int push_private(const struct azure *z, struct fw_addrs *s)
{
    int err = push_set(s, &z->near);
    for (size_t i = 0; i < sizeof private_blocks / sizeof *private_blocks && !err; i++)
        err = push_text(s, private_blocks[i]);
    return err;
}

/* What `Internet` is for certain. */
static int push_internet(const struct azure *z, struct fw_addrs *s)
{
    struct fw_addrs set = {0};
    int err = push_private(z, &set);
    err = err ? err : fw_addrs_invert(&set);
    err = err ? err : push_set(s, &set);
    free(set.v);
    return err;
}

/* Private addresses beside the protected networks. */
static int push_elsewhere(const struct azure *z, struct fw_addrs *s)
{
    struct fw_addrs set = {0};
    int err = push_private(z, &set);
    err = err ? err : fw_addrs_subtract(&set, &z->near);
    err = err ? err : push_set(s, &set);
    free(set.v);
    return err;
}

/* A word that is no address, on side `end` of a rule; near: the side that is protected. */
static int tag(struct azure *z, const cJSON *item, const char *word, int end, bool near)
{
    struct cloud *c = &z->c;
    if (item)
        cloud_used(c, item);
    if (strcasecmp(word, "VirtualNetwork") == 0) {
        if (near) {
            z->any[end] = true;
            return 0;
        }
        z->why = "whether an address is in the tag VirtualNetwork is not in the file";
        int err = push_set(&z->sure[end], &z->near);
        return err ? err : push_elsewhere(z, &z->maybe[end]);
    }
    if (strcasecmp(word, "Internet") == 0) {
        z->why = "whether a private address is in the tag Internet is not in the file";
        int err = push_internet(z, &z->sure[end]);
        return err ? err : push_elsewhere(z, &z->maybe[end]);
    }
    if (strcasecmp(word, "AzureLoadBalancer") == 0)
        return push_text(&z->sure[end], "168.63.129.16");
    char why[140];
    struct text t = text_of(why, sizeof why);
    text_add(&t, "the addresses of the service tag %.60s are not in the file", word);
    z->why = fw_arena_text(c->rules, why);
    z->vague[end] = true;
    return !z->why ? E_NOMEM : item ? cloud_unsupported(c, item, why) : 0;
}

static int address(struct azure *z, const cJSON *item, int end, bool near)
{
    struct cloud *c = &z->c;
    if (!cJSON_IsString(item))
        return cloud_expected(c, item, "an address, a block or a service tag");
    const char *s = item->valuestring;
    struct fw_addr a;
    if (strcmp(s, "*") == 0 || strcasecmp(s, "any") == 0) {
        z->any[end] = true;
        cloud_used(c, item);
        return 0;
    }
    if (fw_addr_parse(s, &a) == 0) {
        cloud_used(c, item);
        return fw_addrs_push(&z->sure[end], &a);
    }
    if (!(*s >= 'A' && *s <= 'Z') && !(*s >= 'a' && *s <= 'z') && *s != '[')
        return cloud_expected(c, item, "an address, a block or a service tag");
    return tag(z, item, s, end, near);
}

/* The member, or the plural's members. */
static int each(struct azure *z, const cJSON *props, const char *one, const char *many,
                int (*fn)(struct azure *z, const cJSON *item, int end, bool near), int end, bool near, bool *some)
{
    const cJSON *single = cloud_get(props, one), *list = cloud_get(props, many);
    int err = 0;
    *some = false;
    if (single && !cJSON_IsNull(single) && !(cJSON_IsString(single) && !*single->valuestring)) {
        *some = true;
        err = fn(z, single, end, near);
    }
    if (list && !cJSON_IsArray(list) && !cJSON_IsNull(list))
        return cloud_expected(&z->c, list, "a list");
    for (const cJSON *m = list ? list->child : NULL; m && !err; m = m->next) {
        *some = true;
        err = fn(z, m, end, near);
    }
    return err;
}

static int side(struct azure *z, const struct azure_rule *rule, int end)
{
    static const char *const one[] = {"sourceAddressPrefix", "destinationAddressPrefix"};
    static const char *const many[] = {"sourceAddressPrefixes", "destinationAddressPrefixes"};
    static const char *const asg[] = {"sourceApplicationSecurityGroups", "destinationApplicationSecurityGroups"};
    bool near = rule->inbound == (end == 1), some;
    int err = each(z, rule->props, one[end], many[end], address, end, near, &some);
    const cJSON *groups = cloud_get(rule->props, asg[end]);
    if (!err && cJSON_IsArray(groups) && groups->child) {
        z->why = "which addresses are in an application security group is not in the file";
        z->vague[end] = true;
        some = true;
        err = cloud_unsupported(&z->c, groups, z->why);
    }
    if (!err && !some)
        err = cloud_fail(&z->c, rule->rule, E_MALFORMED, "expected %s, found none", one[end]);
    return err;
}

/* ---- protocols and ports ---- */

static int ports(struct azure *z, const cJSON *item, int end, bool near)
{
    (void)near;
    struct cloud *c = &z->c;
    const char *s = cJSON_IsString(item) ? item->valuestring : "";
    char *stop = (char *)s;
    unsigned long lo = 0, hi = 65535;
    if (strcmp(s, "*") != 0) {
        lo = hi = *s >= '0' && *s <= '9' ? strtoul(s, &stop, 10) : 65536;
        if (*stop == '-' && stop[1] >= '0' && stop[1] <= '9')
            hi = strtoul(stop + 1, &stop, 10);
        if (*stop || lo > hi || hi > 65535)
            return cloud_expected(c, item, "a port, a range of ports or *");
    }
    cloud_used(c, item);
    /* Sources wait in c->service; destinations are multiplied into it afterwards. */
    struct fw_service x = FW_SERVICE_ANY;
    x.sport_lo = x.dport_lo = (uint16_t)lo;
    x.sport_hi = x.dport_hi = (uint16_t)hi;
    x.proto_lo = (uint8_t)end;
    return fw_services_push(&c->service, &x);
}

/* The protocols of a rule: with ports, and whether more belong to it that have none. */
struct protocols {
    uint8_t proto[2];
    size_t count;
    bool ports, all;
};

static int protocol(struct azure *z, const struct azure_rule *rule, struct protocols *out)
{
    static const struct {
        const char *name;
        struct protocols is;
    } table[] = {
        {"tcp", {{PROTO_TCP}, 1, true, false}},
        {"udp", {{PROTO_UDP}, 1, true, false}},
        {"icmp", {{PROTO_ICMP, PROTO_ICMP6}, 2, false, false}},
        {"icmpv4", {{PROTO_ICMP}, 1, false, false}},
        {"icmpv6", {{PROTO_ICMP6}, 1, false, false}},
        {"esp", {{50}, 1, false, false}},
        {"ah", {{51}, 1, false, false}},
        {"*", {{PROTO_TCP, PROTO_UDP}, 2, true, true}},
        {"any", {{PROTO_TCP, PROTO_UDP}, 2, true, true}},
    };
    const cJSON *item = cloud_get(rule->props, "protocol");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (cJSON_IsString(item) && strcasecmp(item->valuestring, table[i].name) == 0) {
            *out = table[i].is;
            cloud_used(&z->c, item);
            return 0;
        }
    return item ? cloud_expected(&z->c, item, "a protocol (Tcp, Udp, Icmp, Esp, Ah, *)")
                : cloud_fail(&z->c, rule->rule, E_MALFORMED, "expected a protocol, found none");
}

static bool all_ports(const struct fw_service *x)
{
    return x->dport_lo == 0 && x->dport_hi == 65535;
}

/* c->service becomes the product of protocols, source and destination ports. *rest: other protocols that the rule may
 * or may not be about. */
static int services(struct azure *z, const struct azure_rule *rule, bool *rest)
{
    struct cloud *c = &z->c;
    struct protocols p = {0};
    bool some[2];
    *rest = false;
    int err = protocol(z, rule, &p);
    err = err ? err : each(z, rule->props, "sourcePortRange", "sourcePortRanges", ports, 0, false, &some[0]);
    err = err ? err : each(z, rule->props, "destinationPortRange", "destinationPortRanges", ports, 1, false, &some[1]);
    if (err)
        return err;
    if (!some[0] || !some[1])
        return cloud_fail(c, rule->rule, E_MALFORMED, "expected %sPortRange, found none",
                          some[0] ? "destination" : "source");
    struct fw_services range = c->service, out = {0};
    bool every = true;
    for (size_t i = 0; i < range.count; i++)
        every = every && all_ports(&range.v[i]);
    c->service = (struct fw_services){0};
    if (p.all && every) {
        free(range.v);
        return 0; /* any */
    }
    for (size_t k = 0; k < p.count && !err; k++)
        for (size_t s = 0; s < range.count && !err; s++)
            for (size_t d = 0; d < range.count && !err; d++) {
                if (range.v[s].proto_lo != 0 || range.v[d].proto_lo != 1)
                    continue;
                struct fw_service x = FW_SERVICE_ANY;
                x.proto_lo = x.proto_hi = p.proto[k];
                if (p.ports) {
                    x.sport_lo = range.v[s].sport_lo;
                    x.sport_hi = range.v[s].sport_hi;
                    x.dport_lo = range.v[d].dport_lo;
                    x.dport_hi = range.v[d].dport_hi;
                }
                err = fw_services_push(&out, &x);
            }
    free(range.v);
    c->service = out;
    *rest = p.all;
    return err;
}

/* ---- rules ---- */

/* Rules for the packets that are taken for certain, then for those that may be. */
static int add(struct azure *z, struct cloud_rule *rule, bool inexact)
{
    struct cloud *c = &z->c;
    struct fw_addrs *set[2] = {&c->from, &c->to};
    bool certain = true, vague = false;
    for (int end = 0; end < 2; end++) {
        certain = certain && (z->any[end] || z->sure[end].count);
        vague = vague || (!z->any[end] && (z->vague[end] || z->maybe[end].count));
    }
    int err = 0;
    if (certain && !inexact) {
        for (int end = 0; end < 2 && !err; end++)
            err = z->any[end] ? 0 : push_set(set[end], &z->sure[end]);
        err = err ? err : cloud_rule(c, rule);
        c->from.count = c->to.count = 0;
    }
    if (err || (!vague && !inexact))
        return err;
    for (int end = 0; end < 2 && !err; end++) {
        if (z->any[end] || z->vague[end])
            continue;
        err = push_set(set[end], &z->sure[end]);
        err = err ? err : push_set(set[end], &z->maybe[end]);
    }
    rule->unknown = z->why;
    return err ? err : cloud_rule(c, rule);
}

static void forget(struct azure *z)
{
    cloud_clear(&z->c);
    for (int end = 0; end < 2; end++) {
        z->sure[end].count = z->maybe[end].count = 0;
        z->any[end] = z->vague[end] = false;
    }
    z->why = NULL;
}

/* Protocols without ports, under a rule for all protocols and some ports. */
static int add_rest(struct azure *z, struct cloud_rule *rule)
{
    static const struct fw_service others[] = {
        {0, 5, 0, 65535, 0, 65535}, {7, 16, 0, 65535, 0, 65535}, {18, 255, 0, 65535, 0, 65535}};
    int err = 0;
    z->c.from.count = z->c.to.count = z->c.service.count = 0;
    for (size_t i = 0; i < sizeof others / sizeof *others && !err; i++)
        err = fw_services_push(&z->c.service, &others[i]);
    z->why = "whether a rule for all protocols and some ports is about protocols without ports is not known";
    return err ? err : add(z, rule, true);
}

static int one_rule(struct azure *z, const struct azure_rule *rule)
{
    static const char *const known[] = {
        "name", "id", "etag", "type", "resourceGroup", "properties", "provisioningState", "description", "protocol",
        "sourcePortRange", "sourcePortRanges", "destinationPortRange", "destinationPortRanges", "sourceAddressPrefix",
        "sourceAddressPrefixes", "destinationAddressPrefix", "destinationAddressPrefixes",
        "sourceApplicationSecurityGroups", "destinationApplicationSecurityGroups", "access", "priority", "direction",
        NULL};
    struct cloud *c = &z->c;
    forget(z);
    bool strange, odd, rest;
    int err = cloud_known(c, rule->rule, known, &strange);
    err = err ? err : cloud_known(c, rule->props, known, &odd);
    err = err ? err : side(z, rule, 0);
    err = err ? err : side(z, rule, 1);
    err = err ? err : services(z, rule, &rest);
    if (err)
        return err;
    const cJSON *access = cloud_get(rule->props, "access");
    const char *word = cJSON_IsString(access) ? access->valuestring : "";
    bool allow = strcasecmp(word, "Allow") == 0;
    if (!allow && strcasecmp(word, "Deny") != 0)
        return cloud_fail(c, access ? access : rule->rule, E_MALFORMED, "expected the access Allow or Deny");
    cloud_used(c, access);
    const char *name = cloud_text(rule->rule, "name");
    char text[160];
    struct text t = text_of(text, sizeof text);
    text_add(&t, "%.80s (priority %ld, %s, %s)", name ? name : "a rule", rule->priority,
             rule->inbound ? "inbound" : "outbound", allow ? "allow" : "deny");
    struct cloud_rule r = {.list = rule->inbound ? "inbound" : "outbound", .action = allow ? FW_PERMIT : FW_DENY,
                           .line = json_line(c->json, name ? cloud_get(rule->rule, "name") : rule->rule),
                           .text = text};
    if (name)
        cloud_used(c, cloud_get(rule->rule, "name"));
    if (strange || odd)
        z->why = "this rule has a member that is not understood";
    err = add(z, &r, strange || odd);
    return err || !rest ? err : add_rest(z, &r);
}

static int add_built_in(struct azure *z)
{
    int err = 0;
    for (size_t i = 0; i < sizeof built_in / sizeof *built_in && !err; i++) {
        const struct built_in *b = &built_in[i];
        forget(z);
        const char *word[2] = {b->src, b->dst};
        for (int end = 0; end < 2 && !err; end++) {
            z->any[end] = strcmp(word[end], "*") == 0;
            err = z->any[end] ? 0 : tag(z, NULL, word[end], end, b->inbound == (end == 1));
        }
        struct cloud_rule r = {.list = b->inbound ? "inbound" : "outbound",
                               .action = b->allow ? FW_PERMIT : FW_DENY, .implied = true,
                               .line = json_line(z->c.json, z->group), .text = b->name};
        err = err ? err : add(z, &r, false);
    }
    return err;
}

static int by_priority(const void *a, const void *b)
{
    const struct azure_rule *x = a, *y = b;
    if (x->priority != y->priority)
        return x->priority < y->priority ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

static int gather(struct azure *z, const cJSON *list)
{
    struct cloud *c = &z->c;
    if (list && !cJSON_IsArray(list))
        return cloud_expected(c, list, "a list of rules");
    for (const cJSON *m = list ? list->child : NULL; m; m = m->next) {
        if (z->count == RULES_MAX)
            return cloud_fail(c, m, E_RANGE, "expected at most %d rules", RULES_MAX);
        if (!cJSON_IsObject(m))
            return cloud_expected(c, m, "a rule");
        struct azure_rule r = {.rule = m, .props = props_of(m), .at = z->count};
        const cJSON *priority = cloud_get(r.props, "priority"), *direction = cloud_get(r.props, "direction");
        uint64_t n;
        if (!priority || !json_u64(c->json, priority, &n) || n < 100 || n > 65535)
            return cloud_fail(c, priority ? priority : m, E_MALFORMED, "expected a priority from 100 to 65535");
        const char *word = cJSON_IsString(direction) ? direction->valuestring : "";
        r.priority = (long)n;
        r.inbound = strcasecmp(word, "Inbound") == 0;
        if (!r.inbound && strcasecmp(word, "Outbound") != 0)
            return cloud_fail(c, direction ? direction : m, E_MALFORMED, "expected the direction Inbound or Outbound");
        cloud_used(c, priority);
        cloud_used(c, direction);
        z->rule[z->count++] = r;
    }
    return 0;
}

static int bind(struct azure *z)
{
    struct fw_policy policy = {.without_list = FW_DEFAULT_DENY};
    fw_rules_set_policy(z->c.rules, &policy);
    int err = fw_rules_set_timers(z->c.rules, "azure");
    err = err ? err : fw_rules_bind(z->c.rules, "inbound", z->c.outside, FW_IN);
    return err ? err : fw_rules_bind(z->c.rules, "outbound", z->c.inside, FW_IN);
}

static int read_group(struct azure *z)
{
    struct cloud *c = &z->c;
    int err = look(z, json_root(c->json));
    if (err)
        return err;
    if (!z->group && z->names.count == 1 && !c->src->section)
        z->group = z->found;
    if (!z->group)
        return cloud_choose(c, &z->names, "network security group");
    for (size_t i = 0; c->src->port_count && i < c->src->port[c->inside].address_count; i++) {
        struct fw_addr a = fw_addr_prefix(&c->src->port[c->inside].address[i]);
        err = err ? err : fw_addrs_push(&z->near, &a);
    }
    const cJSON *props = props_of(z->group), *defaults = cloud_get(props, "defaultSecurityRules");
    z->rule = calloc(RULES_MAX, sizeof *z->rule);
    if (!z->rule)
        return E_NOMEM;
    err = err ? err : gather(z, cloud_get(props, "securityRules"));
    err = err ? err : gather(z, defaults);
    if (err)
        return err;
    qsort(z->rule, z->count, sizeof *z->rule, by_priority);
    for (size_t i = 0; i < z->count && !err; i++)
        err = one_rule(z, &z->rule[i]);
    err = err || (cJSON_IsArray(defaults) && defaults->child) ? err : add_built_in(z);
    return err ? err : bind(z);
}

bool fw_azure_recognise(const char *text, size_t len)
{
    return cloud_has(text, len, "/networkSecurityGroups") || cloud_has(text, len, "\"securityRules\"");
}

int fw_azure_parse(const struct fw_source *src, struct fw_rules **out, struct fw_diag *diag)
{
    struct azure z = {0};
    int err = cloud_open(&z.c, src, diag);
    err = err ? err : read_group(&z);
    for (int end = 0; end < 2; end++) {
        free(z.sure[end].v);
        free(z.maybe[end].v);
    }
    free(z.near.v);
    free(z.rule);
    return cloud_close(&z.c, err, out);
}
