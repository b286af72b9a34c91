/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys of a topology file, and the order in which it is read. */
#include "sim/scenario/topology.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "sim/scenario/files.h"
#include "sim/scenario/systems.h"
#include "sim/scenario/topology_parts.h"

enum { PPM = 1000000 };

static const struct field_name kinds[] = {
    {"host", TOPO_HOST}, {"switch", TOPO_SWITCH}, {"router", TOPO_ROUTER}, {"firewall", TOPO_FIREWALL}, {NULL, 0}};

static const struct field iface_fields[] = {
    {FIELD("(interface)", SELF, struct topo_iface, at)},
    {FIELD("name", STRING, struct topo_iface, name), .required = true, .min = 1, .max = 31},
    {FIELD("addresses", LIST, struct topo_iface, addresses), .of = FIELD_PREFIX, .required = true, .min = 1, .max = 16},
    {FIELD("mac", MAC, struct topo_iface, mac)},
    {FIELD("gateway", IP, struct topo_iface, gateway)},
    {FIELD("mtu", U16, struct topo_iface, mtu), .min = 576, .max = NET_MTU_DEFAULT, .dflt = NET_MTU_DEFAULT},
    {.key = NULL},
};

static const struct field route_fields[] = {
    {FIELD("(route)", SELF, struct topo_route, at)},
    {FIELD("to", PREFIX, struct topo_route, to), .required = true},
    {FIELD("via", IP, struct topo_route, via), .required = true},
    {.key = NULL},
};

static const struct field tcp_fields[] = {
    {FIELD("first_port", U16, struct net_tcp_opts, first_port), .min = 1024, .dflt = 49152},
    {FIELD("last_port", U16, struct net_tcp_opts, last_port), .min = 1024, .dflt = 65535},
    {FIELD("send_buffer_kb", U32, struct net_tcp_opts, send_buffer), .min = 4, .max = 65536, .scale = 1024,
     .dflt = 128},
    {FIELD("receive_buffer_kb", U32, struct net_tcp_opts, receive_buffer), .min = 4, .max = 65536, .scale = 1024,
     .dflt = 128},
    {FIELD("keepalive_s", U64, struct net_tcp_opts, keepalive_ns), .max = 86400, .scale = NS_S},
    {FIELD("mss", U16, struct net_tcp_opts, mss), .max = NET_MTU_DEFAULT - 40},
    {FIELD("no_sack", BOOL, struct net_tcp_opts, no_sack)},
    {.key = NULL},
};

static const struct field node_fields[] = {
    {FIELD("(node)", SELF, struct topo_node, at)},
    {FIELD("name", STRING, struct topo_node, name), .required = true, .min = 1, .max = 31},
    {FIELD("kind", ENUM, struct topo_node, kind), .required = true, .names = kinds},
    {FIELD("system", STRING, struct topo_node, system_name)},
    {FIELD("settings", JSON, struct topo_node, settings_json)},
    {FIELD("start_ms", U64, struct topo_node, start_ns), .max = 86400000, .scale = NS_MS},
    {FIELD("interfaces", LIST, struct topo_node, interfaces), .of = FIELD_OBJECT, .fields = iface_fields,
     .size = sizeof(struct topo_iface), .max = FW_IFACE_MAX},
    {FIELD("routes", LIST, struct topo_node, routes), .of = FIELD_OBJECT, .fields = route_fields,
     .size = sizeof(struct topo_route)},
    {FIELD("tcp", OBJECT, struct topo_node, tcp), .fields = tcp_fields},
    {FIELD("rules", JSON, struct topo_node, rules_json)},
    {.key = NULL},
};

static const struct field outage_fields[] = {
    {FIELD("(outage)", SELF, struct topo_outage, at)},
    {FIELD("from_s", U64, struct topo_outage, from_ns), .max = 86400, .scale = NS_S, .required = true},
    {FIELD("to_s", U64, struct topo_outage, to_ns), .max = 86400, .scale = NS_S, .required = true},
    {.key = NULL},
};

/* Of a link, and again of each of its directions. */
#define DIR_FIELDS(of_struct, dir) \
    {FIELD("rate_mbps", U64, of_struct, dir rate_bps), .max = 400000, .scale = 1000000}, \
    {FIELD("delay_us", U64, of_struct, dir delay_ns), .max = 60000000, .scale = NS_US}, \
    {FIELD("jitter_us", U64, of_struct, dir jitter_ns), .max = 60000000, .scale = NS_US}, \
    {FIELD("queue_kb", U32, of_struct, dir queue_bytes), .min = 2, .max = 1048576, .scale = 1024, .dflt = 256}, \
    {FIELD("loss", JSON, of_struct, dir loss_json)}, \
    {FIELD("duplicate_ppm", U32, of_struct, dir duplicate_ppm), .max = PPM}, \
    {FIELD("reorder_ppm", U32, of_struct, dir reorder_ppm), .max = PPM}, \
    {FIELD("reorder_us", U64, of_struct, dir reorder_ns), .max = 60000000, .scale = NS_US}, \
    {FIELD("outages", LIST, of_struct, dir outages), .of = FIELD_OBJECT, .fields = outage_fields, \
     .size = sizeof(struct topo_outage)}

static const struct field dir_fields[] = {DIR_FIELDS(struct topo_dir, ), {.key = NULL}};

static const struct field link_fields[] = {
    {FIELD("(link)", SELF, struct topo_link, at)},
    {FIELD("name", STRING, struct topo_link, name), .min = 1, .max = 63},
    {FIELD("a", STRING, struct topo_link, end_text[0]), .required = true},
    {FIELD("b", STRING, struct topo_link, end_text[1]), .required = true},
    DIR_FIELDS(struct topo_link, both.),
    {FIELD("ab", JSON, struct topo_link, dir_json[0])},
    {FIELD("ba", JSON, struct topo_link, dir_json[1])},
    {.key = NULL},
};

static const struct field topology_fields[] = {
    {FIELD("schema", STRING, struct topology, schema), .required = true},
    {FIELD("name", STRING, struct topology, name), .required = true, .min = 1, .max = 63},
    {FIELD("title", STRING, struct topology, title), .text = ""},
    {FIELD("seed", U64, struct topology, seed), .dflt = 1},
    {FIELD("duration_s", U64, struct topology, duration_ns), .min = 1, .max = 86400, .scale = NS_S, .dflt = 60},
    {FIELD("nodes", LIST, struct topology, nodes), .of = FIELD_OBJECT, .fields = node_fields,
     .size = sizeof(struct topo_node), .required = true, .min = 1, .max = 4096},
    {FIELD("links", LIST, struct topology, links), .of = FIELD_OBJECT, .fields = link_fields,
     .size = sizeof(struct topo_link), .required = true},
    {FIELD("calls", LIST, struct topology, calls), .of = FIELD_OBJECT, .fields = topology_call_fields,
     .size = sizeof(struct topo_call)},
    {FIELD("faults", LIST, struct topology, faults), .of = FIELD_OBJECT, .fields = fault_fields,
     .size = sizeof(struct topo_fault), .max = 1024},
    {FIELD("check", OBJECT, struct topology, check), .fields = topology_ports_fields},
    {.key = NULL},
};

/* ---- loss and directions ---- */

struct loss_keys {
    uint32_t bernoulli_ppm;
    LIST_OF(uint32_t) mask;
    const cJSON *gilbert_elliott;
};

static const struct field loss_fields[] = {
    {FIELD("bernoulli_ppm", U32, struct loss_keys, bernoulli_ppm), .max = PPM},
    {FIELD("mask", LIST, struct loss_keys, mask), .of = FIELD_U32},
    {FIELD("gilbert_elliott", JSON, struct loss_keys, gilbert_elliott)},
    {.key = NULL},
};

static const struct field gilbert_fields[] = {
    {FIELD("good_loss_ppm", U32, struct net_loss, loss_ppm), .max = PPM},
    {FIELD("bad_loss_ppm", U32, struct net_loss, bad_loss_ppm), .max = PPM, .dflt = PPM},
    {FIELD("to_bad_ppm", U32, struct net_loss, to_bad_ppm), .max = PPM, .required = true},
    {FIELD("to_good_ppm", U32, struct net_loss, to_good_ppm), .max = PPM, .required = true},
    {.key = NULL},
};

static int read_loss(struct topology *t, const cJSON *item, struct net_loss *out, struct diag *d)
{
    struct loss_keys keys;
    int err = fields_read(t->json, item, loss_fields, &t->arena, &keys, d);
    if (err)
        return err;
    if (cJSON_GetArraySize(item) != 1)
        return json_error(t->json, item, d, "expected one of bernoulli_ppm, mask and gilbert_elliott, found %d keys",
                          cJSON_GetArraySize(item));
    for (size_t i = 0; i < keys.mask.count; i++)
        if (keys.mask.items[i] <= (i ? keys.mask.items[i - 1] : 0))
            return json_error(t->json, topology_at(item, "mask", (int)i), d,
                              "expected packet numbers from 1, ascending");
    *out = (struct net_loss){.kind = LOSS_BERNOULLI, .loss_ppm = keys.bernoulli_ppm};
    if (keys.mask.items)
        *out = (struct net_loss){.kind = LOSS_MASK, .mask = keys.mask.items, .mask_count = keys.mask.count};
    if (keys.gilbert_elliott) {
        err = fields_read(t->json, keys.gilbert_elliott, gilbert_fields, &t->arena, out, d);
        out->kind = LOSS_GILBERT_ELLIOTT;
    }
    return err;
}

static int read_outages(struct topology *t, struct topo_dir *dir, struct diag *d)
{
    dir->outage = arena_alloc(&t->arena, dir->outages.count * sizeof *dir->outage);
    for (size_t i = 0; i < dir->outages.count; i++) {
        const struct topo_outage *o = &dir->outages.items[i];
        if (o->from_ns >= o->to_ns || (i && o->from_ns < dir->outages.items[i - 1].to_ns))
            return json_error(t->json, o->at, d, "expected outages that end after they begin, in order");
        dir->outage[i] = (struct net_outage){.from_ns = o->from_ns, .to_ns = o->to_ns};
    }
    return 0;
}

static int read_directions(struct topology *t, struct topo_link *l, struct diag *d)
{
    for (int i = 0; i < 2; i++) {
        struct topo_dir *dir = &l->dir[i];
        *dir = l->both;
        int err = l->dir_json[i] ? fields_update(t->json, l->dir_json[i], dir_fields, &t->arena, dir, d) : 0;
        if (!err && dir->loss_json)
            err = read_loss(t, dir->loss_json, &dir->loss, d);
        if (!err)
            err = read_outages(t, dir, d);
        if (err)
            return err;
    }
    return 0;
}

/* ---- the whole ---- */

const cJSON *topology_at(const cJSON *object, const char *key, int index)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    if (item && index >= 0)
        item = cJSON_GetArrayItem(item, index);
    return item ? item : object;
}

/* A link without a name is called after its nodes; before the overrides, which may use that name. */
static void name_links(struct json *j)
{
    const cJSON *links = cJSON_GetObjectItemCaseSensitive(json_root(j), "links");
    for (cJSON *l = cJSON_IsArray(links) ? links->child : NULL; l; l = l->next) {
        const cJSON *a = cJSON_GetObjectItemCaseSensitive(l, "a"), *b = cJSON_GetObjectItemCaseSensitive(l, "b");
        if (!cJSON_IsObject(l) || !cJSON_IsString(a) || !cJSON_IsString(b) ||
            cJSON_GetObjectItemCaseSensitive(l, "name"))
            continue;
        char name[64];
        snprintf(name, sizeof name, "%.*s-%.*s", (int)strcspn(a->valuestring, ":"), a->valuestring,
                 (int)strcspn(b->valuestring, ":"), b->valuestring);
        json_add_string(j, l, "name", name);
    }
}

/* --rules NODE=FILE: stands in for what the topology says about that node. */
static int override_rules(struct topology *t, const char *arg, struct diag *d)
{
    const char *equals = strchr(arg, '=');
    for (size_t i = 0; equals && i < t->nodes.count; i++) {
        struct topo_node *n = &t->nodes.items[i];
        if (strlen(n->name) != (size_t)(equals - arg) || strncmp(n->name, arg, strlen(n->name)) != 0)
            continue;
        if (n->kind == TOPO_FIREWALL) {
            n->rules_file = equals + 1;
            return 0;
        }
    }
    snprintf(d->text, sizeof d->text, "--rules:1:1: expected NODE=FILE, NODE a firewall of the topology, found \"%s\"",
             arg);
    return E_NOT_FOUND;
}

static int read_settings(struct topology *t, struct diag *d)
{
    for (size_t i = 0; i < t->nodes.count; i++) {
        struct topo_node *n = &t->nodes.items[i];
        if (!n->system)
            continue;
        n->settings = arena_alloc(&t->arena, n->system->settings_size);
        const cJSON none = {.type = cJSON_Object, .valueint = n->at->valueint}; /* stands where the node does */
        int err = fields_read(t->json, n->settings_json ? n->settings_json : &none, n->system->fields, &t->arena,
                              n->settings, d);
        if (err)
            return err;
    }
    return 0;
}

static int read_all(struct topology *t, const struct topo_options *options, struct diag *d)
{
    int err = 0;
    name_links(t->json);
    for (size_t i = 0; !err && i < options->set_count; i++)
        err = json_override(t->json, options->set[i], d);
    if (!err)
        err = fields_read(t->json, json_root(t->json), topology_fields, &t->arena, t, d);
    if (err)
        return err;
    if (strcmp(t->schema, "turnproof/topology/1") != 0)
        return json_error(t->json, topology_at(json_root(t->json), "schema", -1), d,
                          "expected \"turnproof/topology/1\", found \"%.40s\"", t->schema);
    for (size_t i = 0; !err && i < t->links.count; i++)
        err = read_directions(t, &t->links.items[i], d);
    if (!err)
        err = topology_check(t, d);
    if (!err)
        err = faults_check(t, d);
    if (!err)
        err = topology_ports(t, d);
    if (!err)
        err = topology_calls(t, d);
    for (size_t i = 0; !err && i < options->rules_count; i++)
        err = override_rules(t, options->rules[i], d);
    if (!err)
        err = topology_rules(t, d);
    if (!err)
        err = read_settings(t, d);
    return err ? err : topology_reach(t, d);
}

int topology_parse(const char *file, const char *text, size_t len, const char *directory,
                   const struct topo_options *options, struct topology **out, struct diag *d)
{
    struct topology *t = calloc(1, sizeof *t);
    if (!t)
        return E_NOMEM;
    t->file = arena_copy(&t->arena, file, strlen(file));
    t->directory = arena_copy(&t->arena, directory, strlen(directory));
    t->clock_s = options->has_clock ? options->clock_s : FW_NO_CLOCK;
    int err = json_parse(file, text, len, &t->json, d);
    if (!err)
        err = read_all(t, options, d);
    if (err)
        topology_free(t);
    else
        *out = t;
    return err;
}

int topology_read(const char *file, const struct topo_options *options, struct topology **out, struct diag *d)
{
    struct arena a = {0};
    char *text = NULL;
    size_t len = 0;
    int err = file_read(&a, file, &text, &len, d);
    if (!err)
        err = topology_parse(file, text, len, file_directory(&a, file), options, out, d);
    arena_free(&a);
    return err;
}

void topology_free(struct topology *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->nodes.count; i++)
        fw_rules_free(t->nodes.items[i].rules);
    json_free(t->json);
    arena_free(&t->arena);
    free(t);
}

const struct topo_node *topology_owner(const struct topology *t, const struct ip_addr *ip)
{
    for (size_t i = 0; i < t->nodes.count; i++) {
        const struct topo_node *n = &t->nodes.items[i];
        for (size_t k = 0; k < n->interfaces.count; k++)
            for (size_t a = 0; a < n->interfaces.items[k].addresses.count; a++)
                if (ip_equal(&n->interfaces.items[k].addresses.items[a].ip, ip))
                    return n;
    }
    return NULL;
}
