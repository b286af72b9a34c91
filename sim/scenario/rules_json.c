/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Firewall rules as JSON, for a home router or a sketch: the same model that importers fill.
 *
 *     {"interfaces": [{"name": "inside", "level": 100}, {"name": "outside", "level": 0}],
 *      "rules": [{"in": "outside", "action": "permit", "protocol": "tcp", "to": ["10.0.0.2"],
 *                 "ports": ["24000-29999"]}],
 *      "nat": [{"inside": "inside", "outside": "outside", "real": ["10.0.0.0/8"]}],
 *      "nat_behaviour": {"mapping": "endpoint-independent", "filtering": "address-and-port-dependent"},
 *      "timers": {"profile": "rfc", "tcp_s": 7440}, "default": "levels", "sip_inspection": true}
 *
 * Of nat_behaviour (RFC 4787, 5382), besides: "ports": "preserve", "sequential", "random", "overload"; "parity": true;
 * "pooling": "fill", "paired", "arbitrary"; "hairpin": "none", "external-source", "internal-source"; "refresh":
 * "outbound", "inbound", "both"; "unsolicited_syn": "drop", "hold".
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "sim/scenario/topology_parts.h"

/* ---- keys ---- */

struct level_keys {
    const cJSON *at;
    const char *name;
    uint16_t level;
};

static const struct field level_fields[] = {
    {FIELD("(interface)", SELF, struct level_keys, at)},
    {FIELD("name", STRING, struct level_keys, name), .required = true},
    {FIELD("level", U16, struct level_keys, level), .max = 100, .required = true},
    {.key = NULL},
};

struct rule_keys {
    const cJSON *at;
    const char *in, *out;
    int action, protocol;
    LIST_OF(const char *) from, to, source_ports, ports;
    bool inactive;
};

static const struct field_name actions[] = {
    {"permit", FW_PERMIT}, {"deny", FW_DENY}, {"reject", FW_REJECT}, {NULL, 0}};

enum { ANY_PROTOCOL = 256 };
static const struct field_name protocols[] = {{"any", ANY_PROTOCOL}, {"tcp", PROTO_TCP},     {"udp", PROTO_UDP},
                                              {"icmp", PROTO_ICMP},  {"icmp6", PROTO_ICMP6}, {NULL, 0}};

static const struct field rule_fields[] = {
    {FIELD("(rule)", SELF, struct rule_keys, at)},
    {FIELD("in", STRING, struct rule_keys, in)},
    {FIELD("out", STRING, struct rule_keys, out)},
    {FIELD("action", ENUM, struct rule_keys, action), .names = actions, .required = true},
    {FIELD("protocol", ENUM, struct rule_keys, protocol), .names = protocols, .dflt = ANY_PROTOCOL},
    {FIELD("from", LIST, struct rule_keys, from), .of = FIELD_STRING},
    {FIELD("to", LIST, struct rule_keys, to), .of = FIELD_STRING},
    {FIELD("source_ports", LIST, struct rule_keys, source_ports), .of = FIELD_STRING},
    {FIELD("ports", LIST, struct rule_keys, ports), .of = FIELD_STRING},
    {FIELD("inactive", BOOL, struct rule_keys, inactive)},
    {.key = NULL},
};

struct nat_keys {
    const cJSON *at;
    const char *inside, *outside;
    int kind;
    LIST_OF(const char *) real, mapped;
};

enum nat_kind { NAT_PAT, NAT_DYNAMIC, NAT_STATIC };
static const struct field_name nat_kinds[] = {
    {"pat", NAT_PAT}, {"dynamic", NAT_DYNAMIC}, {"static", NAT_STATIC}, {NULL, 0}};

static const struct field nat_fields[] = {
    {FIELD("(nat)", SELF, struct nat_keys, at)},
    {FIELD("inside", STRING, struct nat_keys, inside), .required = true},
    {FIELD("outside", STRING, struct nat_keys, outside), .required = true},
    {FIELD("kind", ENUM, struct nat_keys, kind), .names = nat_kinds, .dflt = NAT_PAT},
    {FIELD("real", LIST, struct nat_keys, real), .of = FIELD_STRING},
    {FIELD("mapped", LIST, struct nat_keys, mapped), .of = FIELD_STRING}, /* absent: the outside interface's address */
    {.key = NULL},
};

static const struct field_name dependences[] = {
    {"endpoint-independent", FW_ENDPOINT_INDEPENDENT},
    {"address-dependent", FW_ADDRESS_DEPENDENT},
    {"address-and-port-dependent", FW_ADDRESS_AND_PORT_DEPENDENT},
    {NULL, 0},
};
static const struct field_name port_choices[] = {
    {"preserve", FW_PORTS_PRESERVE}, {"sequential", FW_PORTS_SEQUENTIAL}, {"random", FW_PORTS_RANDOM},
    {"overload", FW_PORTS_OVERLOAD}, {NULL, 0}};
static const struct field_name hairpins[] = {{"none", FW_HAIRPIN_NONE},
                                             {"external-source", FW_HAIRPIN_EXTERNAL},
                                             {"internal-source", FW_HAIRPIN_INTERNAL},
                                             {NULL, 0}};
static const struct field_name refreshes[] = {
    {"outbound", FW_REFRESH_OUTBOUND}, {"inbound", FW_REFRESH_INBOUND}, {"both", FW_REFRESH_BOTH}, {NULL, 0}};
static const struct field_name unsolicited_syns[] = {{"drop", FW_SYN_DROP}, {"hold", FW_SYN_HOLD}, {NULL, 0}};
static const struct field_name poolings[] = {
    {"fill", FW_POOL_FILL}, {"paired", FW_POOL_PAIRED}, {"arbitrary", FW_POOL_ARBITRARY}, {NULL, 0}};

struct behaviour_keys {
    int mapping, filtering, ports, pooling, hairpin, refresh, unsolicited_syn;
    bool parity;
};

static const struct field behaviour_fields[] = {
    {FIELD("mapping", ENUM, struct behaviour_keys, mapping), .names = dependences},
    {FIELD("filtering", ENUM, struct behaviour_keys, filtering), .names = dependences,
     .dflt = FW_ADDRESS_AND_PORT_DEPENDENT},
    {FIELD("ports", ENUM, struct behaviour_keys, ports), .names = port_choices},
    {FIELD("pooling", ENUM, struct behaviour_keys, pooling), .names = poolings, .dflt = FW_POOL_PAIRED},
    {FIELD("hairpin", ENUM, struct behaviour_keys, hairpin), .names = hairpins},
    {FIELD("refresh", ENUM, struct behaviour_keys, refresh), .names = refreshes},
    {FIELD("parity", BOOL, struct behaviour_keys, parity)},
    {FIELD("unsolicited_syn", ENUM, struct behaviour_keys, unsolicited_syn), .names = unsolicited_syns},
    {.key = NULL},
};

struct timer_keys {
    const cJSON *at;
    const char *profile;
    uint64_t ns[FW_TIMER_COUNT]; /* 0: as in the profile */
};

#define TIMER(name, timer) {FIELD(name, U64, struct timer_keys, ns[timer]), .min = 1, .max = 86400 * 365, .scale = NS_S}
static const struct field timer_fields[] = {
    {FIELD("(timers)", SELF, struct timer_keys, at)},
    {FIELD("profile", STRING, struct timer_keys, profile), .text = "typical"},
    TIMER("tcp_s", FW_TIMER_TCP),
    TIMER("embryonic_s", FW_TIMER_EMBRYONIC),
    TIMER("half_closed_s", FW_TIMER_HALF_CLOSED),
    TIMER("closing_s", FW_TIMER_CLOSING),
    TIMER("udp_s", FW_TIMER_UDP),
    TIMER("udp_stream_s", FW_TIMER_UDP_STREAM),
    TIMER("icmp_s", FW_TIMER_ICMP),
    TIMER("other_s", FW_TIMER_OTHER),
    TIMER("xlate_s", FW_TIMER_XLATE),
    TIMER("pat_xlate_s", FW_TIMER_PAT_XLATE),
    {.key = NULL},
};

static const struct field_name defaults[] = {
    {"levels", FW_DEFAULT_LEVELS}, {"deny", FW_DEFAULT_DENY}, {"permit", FW_DEFAULT_PERMIT}, {NULL, 0}};

struct set_keys {
    const cJSON *at;
    LIST_OF(struct level_keys) interfaces;
    LIST_OF(struct rule_keys) rules;
    LIST_OF(struct nat_keys) nat;
    struct behaviour_keys behaviour;
    struct timer_keys timers;
    int without_list;
    bool same_level, sip_inspection;
};

static const struct field set_fields[] = {
    {FIELD("(rules)", SELF, struct set_keys, at)},
    {FIELD("interfaces", LIST, struct set_keys, interfaces), .of = FIELD_OBJECT, .fields = level_fields,
     .size = sizeof(struct level_keys)},
    {FIELD("rules", LIST, struct set_keys, rules), .of = FIELD_OBJECT, .fields = rule_fields,
     .size = sizeof(struct rule_keys)},
    {FIELD("nat", LIST, struct set_keys, nat), .of = FIELD_OBJECT, .fields = nat_fields,
     .size = sizeof(struct nat_keys)},
    {FIELD("nat_behaviour", OBJECT, struct set_keys, behaviour), .fields = behaviour_fields},
    {FIELD("timers", OBJECT, struct set_keys, timers), .fields = timer_fields},
    {FIELD("default", ENUM, struct set_keys, without_list), .names = defaults},
    {FIELD("same_level", BOOL, struct set_keys, same_level)},
    {FIELD("sip_inspection", BOOL, struct set_keys, sip_inspection)},
    {.key = NULL},
};

/* ---- from keys to rules ---- */

struct building {
    const struct json *json;
    const char *file;
    struct arena *arena;
    struct fw_rules *rules;
    struct diag *d;
};

static int expected(const struct building *b, const cJSON *at, const char *what)
{
    char found[64];
    return json_error(b->json, at, b->d, "expected %s, found %s", what, json_found(b->json, at, found));
}

/* The element's own text, on one line, for messages about what it did. */
static const char *element_text(const struct building *b, const cJSON *at)
{
    char *printed = cJSON_PrintUnformatted(at);
    assert(printed);
    const char *text = arena_copy(b->arena, printed, strlen(printed));
    cJSON_free(printed);
    return text;
}

static int find_iface(const struct building *b, const cJSON *object, const char *key, const char *name, int *out)
{
    *out = fw_rules_find_interface(b->rules, name);
    return *out >= 0 ? 0 : expected(b, topology_at(object, key, -1), "an interface of this firewall");
}

static int read_addresses(const struct building *b, const cJSON *object, const char *key, const char *const *text,
                          size_t count, const struct fw_addr **out)
{
    struct fw_addr *set = arena_alloc(b->arena, (count + 1) * sizeof *set);
    for (size_t i = 0; i < count; i++)
        if (fw_addr_parse(text[i], &set[i]) != 0)
            return expected(b, topology_at(object, key, (int)i),
                            "an address, \"10.0.0.0/8\" or \"10.0.0.1-10.0.0.9\"");
    *out = set;
    return 0;
}

/* "3478" or "24000-29999". */
static bool parse_ports(const char *s, uint16_t *lo, uint16_t *hi)
{
    unsigned a, b;
    int used = 0;
    if (s[0] < '0' || s[0] > '9' || strlen(s) > 11)
        return false;
    if (sscanf(s, "%5u-%5u%n", &a, &b, &used) != 2 || s[used]) {
        if (sscanf(s, "%5u%n", &a, &used) != 1 || s[used])
            return false;
        b = a;
    }
    *lo = (uint16_t)a;
    *hi = (uint16_t)b;
    return a <= b && b <= UINT16_MAX;
}

/* Each range of source ports with each range of destination ports. */
static int read_services(const struct building *b, const struct rule_keys *k, const struct fw_service **out,
                         size_t *count)
{
    size_t sources = k->source_ports.count ? k->source_ports.count : 1, n = 0;
    size_t destinations = k->ports.count ? k->ports.count : 1;
    struct fw_service *s = arena_alloc(b->arena, sources * destinations * sizeof *s);
    bool has_ports = k->source_ports.count || k->ports.count;
    if (has_ports && k->protocol != PROTO_TCP && k->protocol != PROTO_UDP)
        return json_error(b->json, k->at, b->d, "expected \"protocol\" tcp or udp where there are ports");
    for (size_t i = 0; i < sources; i++)
        for (size_t j = 0; j < destinations; j++, n++) {
            s[n] = FW_SERVICE_ANY;
            if (k->protocol != ANY_PROTOCOL)
                s[n].proto_lo = s[n].proto_hi = (uint8_t)k->protocol;
            if (k->source_ports.count && !parse_ports(k->source_ports.items[i], &s[n].sport_lo, &s[n].sport_hi))
                return expected(b, topology_at(k->at, "source_ports", (int)i), "\"PORT\" or \"FIRST-LAST\"");
            if (k->ports.count && !parse_ports(k->ports.items[j], &s[n].dport_lo, &s[n].dport_hi))
                return expected(b, topology_at(k->at, "ports", (int)j), "\"PORT\" or \"FIRST-LAST\"");
        }
    *out = s;
    *count = n;
    return 0;
}

/* A rule belongs to the list of the interface and direction that it names, or to the global one. */
static int add_rule(const struct building *b, const struct rule_keys *k)
{
    if (k->in && k->out)
        return json_error(b->json, k->at, b->d, "expected \"in\" or \"out\", found both");
    const char *name = k->in ? k->in : k->out, *list = "global";
    int iface = FW_ANY_IFACE;
    int err = name ? find_iface(b, k->at, k->in ? "in" : "out", name, &iface) : 0;
    if (name)
        list = arena_format(b->arena, "%s_%s", name, k->in ? "in" : "out");
    struct fw_rule_spec spec = {.list = list, .action = (enum fw_action)k->action, .inactive = k->inactive,
                                .src_count = k->from.count, .dst_count = k->to.count,
                                .line = json_line(b->json, k->at), .text = element_text(b, k->at)};
    if (!err)
        err = read_addresses(b, k->at, "from", k->from.items, k->from.count, &spec.src);
    if (!err)
        err = read_addresses(b, k->at, "to", k->to.items, k->to.count, &spec.dst);
    if (!err)
        err = read_services(b, k, &spec.service, &spec.service_count);
    if (!err)
        err = fw_rules_add_rule(b->rules, &spec);
    return err ? err : fw_rules_bind(b->rules, list, iface, k->out ? FW_OUT : FW_IN);
}

static int add_nat(const struct building *b, const struct nat_keys *k)
{
    struct fw_nat_spec spec = {.section = FW_NAT_MANUAL, .dynamic = k->kind != NAT_STATIC, .pat = k->kind == NAT_PAT,
                               .interface = k->mapped.count == 0, .real_count = k->real.count,
                               .mapped_count = k->mapped.count, .line = json_line(b->json, k->at),
                               .text = element_text(b, k->at)};
    int err = find_iface(b, k->at, "inside", k->inside, &spec.real_iface);
    if (!err)
        err = find_iface(b, k->at, "outside", k->outside, &spec.mapped_iface);
    if (!err)
        err = read_addresses(b, k->at, "real", k->real.items, k->real.count, &spec.real);
    if (!err)
        err = read_addresses(b, k->at, "mapped", k->mapped.items, k->mapped.count, &spec.mapped);
    if (err)
        return err;
    err = fw_rules_add_nat(b->rules, &spec);
    if (err == E_RANGE)
        return json_error(b->json, k->at, b->d, "expected as many \"mapped\" as \"real\" addresses");
    return err;
}

/* All interfaces of the node; a level that the file does not give is as an ASA has it: 100 for "inside", else 0. */
static int add_interfaces(const struct building *b, const struct set_keys *keys, const struct topo_node *node)
{
    for (size_t i = 0; i < node->interfaces.count; i++) {
        const struct topo_iface *f = &node->interfaces.items[i];
        struct fw_iface_spec spec = {.name = f->name, .level = strcmp(f->name, "inside") == 0 ? 100 : 0,
                                     .address = f->addresses.items, .address_count = f->addresses.count};
        for (size_t k = 0; k < keys->interfaces.count; k++)
            if (strcmp(keys->interfaces.items[k].name, f->name) == 0)
                spec.level = keys->interfaces.items[k].level;
        int index = fw_rules_add_interface(b->rules, &spec);
        if (index < 0)
            return index;
    }
    for (size_t k = 0; k < keys->interfaces.count; k++) {
        int index, err = find_iface(b, keys->interfaces.items[k].at, "name", keys->interfaces.items[k].name, &index);
        if (err)
            return err;
    }
    return 0;
}

static int set_timers(const struct building *b, const struct timer_keys *k)
{
    if (fw_rules_set_timers(b->rules, k->profile) != 0)
        return expected(b, topology_at(k->at, "profile", -1), "\"asa\", \"rfc\", \"typical\" or \"hostile\"");
    for (int i = 0; i < FW_TIMER_COUNT; i++)
        if (k->ns[i]) {
            int err = fw_rules_set_timer(b->rules, (enum fw_timer)i, k->ns[i], json_line(b->json, k->at),
                                         element_text(b, k->at));
            if (err)
                return err;
        }
    return 0;
}

static int build(const struct building *b, const struct set_keys *keys, const struct topo_node *node)
{
    const struct behaviour_keys *n = &keys->behaviour;
    fw_rules_set_nat_behaviour(b->rules, &(struct fw_nat_behaviour){
        .mapping = (enum fw_nat_dependence)n->mapping, .filtering = (enum fw_nat_dependence)n->filtering,
        .ports = (enum fw_nat_ports)n->ports, .pooling = (enum fw_nat_pooling)n->pooling,
        .hairpin = (enum fw_nat_hairpin)n->hairpin, .refresh = (enum fw_nat_refresh)n->refresh,
        .parity = n->parity, .unsolicited_syn = (enum fw_nat_syn)n->unsolicited_syn});
    fw_rules_set_policy(b->rules, &(struct fw_policy){.without_list = (enum fw_default)keys->without_list,
                                                      .same_level_inter = keys->same_level,
                                                      .same_level_intra = keys->same_level});
    int err = set_timers(b, &keys->timers);
    if (!err)
        err = add_interfaces(b, keys, node);
    for (size_t i = 0; !err && i < keys->rules.count; i++)
        err = add_rule(b, &keys->rules.items[i]);
    for (size_t i = 0; !err && i < keys->nat.count; i++)
        err = add_nat(b, &keys->nat.items[i]);
    if (!err && keys->sip_inspection)
        err = fw_rules_add_inspection(b->rules, "sip", json_line(b->json, topology_at(keys->at, "sip_inspection", -1)),
                                      "\"sip_inspection\": true");
    return err;
}

int rules_from_json(const struct json *json, const cJSON *rules, const char *file, const struct topo_node *node,
                    struct arena *arena, struct fw_rules **out, struct diag *d)
{
    struct set_keys keys;
    int err = fields_read(json, rules, set_fields, arena, &keys, d);
    if (err)
        return err;
    struct building b = {.json = json, .file = file, .arena = arena, .rules = fw_rules_new(file), .d = d};
    if (!b.rules)
        return E_NOMEM;
    err = build(&b, &keys, node);
    if (err)
        fw_rules_free(b.rules);
    else
        *out = b.rules;
    return err;
}
