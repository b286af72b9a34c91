/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The member "check" of a topology: what the port tables need to know of the deployment beyond its nodes. */
#include <string.h>

#include "models/base/err.h"
#include "sim/scenario/topology_parts.h"

static const char *const names[ACTOR_COUNT] = {
    [ACTOR_GUEST_PC] = "guest-pc",
    [ACTOR_WEBRTC_APP] = "webrtc-app",
    [ACTOR_ADMIN_PC] = "admin-pc",
    [ACTOR_ANY] = "any",
    [ACTOR_SIP_ENDPOINT] = "sip-endpoint",
    [ACTOR_MICROSOFT_CLIENT] = "microsoft-client",
    [ACTOR_EXPRESSWAY_E] = "expressway-e",
    [ACTOR_EXPRESSWAY_C] = "expressway-c",
    [ACTOR_MEETING_SERVER] = "meeting-server",
    [ACTOR_UNIFIED_CM] = "unified-cm",
    [ACTOR_SKYPE_EDGE] = "skype-edge",
};

const char *actor_name(enum port_actor actor)
{
    return names[actor];
}

static const struct field actor_fields[] = {
    {FIELD("(actor)", SELF, struct topo_actor, json)},
    {FIELD("at", STRING, struct topo_actor, at), .min = 1},
    {FIELD("addresses", LIST, struct topo_actor, addresses), .of = FIELD_PREFIX, .min = 1, .max = 1024},
    {FIELD("public_address", IP, struct topo_actor, public_address)},
    {FIELD("private_address", IP, struct topo_actor, private_address)},
    {.key = NULL},
};

#define ACTOR(name, id) {FIELD(name, OBJECT, struct topo_check, actor[id]), .fields = actor_fields}
static const struct field actors_fields[] = {
    ACTOR("guest-pc", ACTOR_GUEST_PC),
    ACTOR("webrtc-app", ACTOR_WEBRTC_APP),
    ACTOR("admin-pc", ACTOR_ADMIN_PC),
    ACTOR("any", ACTOR_ANY),
    ACTOR("sip-endpoint", ACTOR_SIP_ENDPOINT),
    ACTOR("microsoft-client", ACTOR_MICROSOFT_CLIENT),
    ACTOR("expressway-e", ACTOR_EXPRESSWAY_E),
    ACTOR("expressway-c", ACTOR_EXPRESSWAY_C),
    ACTOR("meeting-server", ACTOR_MEETING_SERVER),
    ACTOR("unified-cm", ACTOR_UNIFIED_CM),
    ACTOR("skype-edge", ACTOR_SKYPE_EDGE),
    {.key = NULL},
};

static const struct field_name sizes[] = {
    {"small", SIZE_SMALL}, {"medium", SIZE_MEDIUM}, {"large", SIZE_LARGE}, {NULL, 0}};

const struct field topology_ports_fields[] = {
    {FIELD("(check)", SELF, struct topo_check, json)},
    {FIELD("tables", LIST, struct topo_check, tables), .of = FIELD_STRING, .max = 64},
    {FIELD("size", ENUM, struct topo_check, size), .names = sizes},
    {FIELD("expressway", STRING, struct topo_check, release_text), .text = "X8.9"},
    {FIELD("meeting_server", STRING, struct topo_check, meeting_server_text)},
    {FIELD("internet", STRING, struct topo_check, internet), .text = "internet"},
    {FIELD("administration_port", U16, struct topo_check, administration_port), .min = 1, .dflt = 8443},
    {FIELD("turn_port", U16, struct topo_check, turn_port), .min = 1, .max = 65530, .dflt = 3478},
    {FIELD("turn_multiplexed", BOOL, struct topo_check, turn_multiplexed)},
    {FIELD("turn_tcp_443", BOOL, struct topo_check, turn_tcp_443)},
    {FIELD("tcp_override_port", U16, struct topo_check, tcp_override_port)},
    {FIELD("traversal_zones", U16, struct topo_check, traversal_zones), .min = 1, .max = 999, .dflt = 1},
    {FIELD("mra", BOOL, struct topo_check, mra)},
    {.key = "actors", .type = FIELD_OBJECT, .offset = 0, .fields = actors_fields}, /* its fields are of topo_check */
    {.key = NULL},
};

static int find_node(const struct topology *t, const char *name)
{
    for (size_t i = 0; i < t->nodes.count; i++)
        if (strcmp(t->nodes.items[i].name, name) == 0)
            return (int)i;
    return -1;
}

static bool is_kind(const struct topology *t, int node, enum topo_kind kind)
{
    return node >= 0 && t->nodes.items[node].kind == (int)kind;
}

/* A name that nobody gave need not be there. */
static int resolve_internet(const struct topology *t, struct topo_check *c, struct diag *d)
{
    const cJSON *given = c->json ? cJSON_GetObjectItemCaseSensitive(c->json, "internet") : NULL;
    c->internet_node = find_node(t, c->internet);
    if (is_kind(t, c->internet_node, TOPO_ROUTER))
        return 0;
    c->internet_node = -1;
    return given ? json_error(t->json, given, d, "expected a router of this topology, found \"%.40s\"", c->internet)
                 : 0;
}

/* Packets begin at a host, or at a router for those behind it. */
static int resolve_actor(const struct topology *t, struct topo_actor *a, struct diag *d)
{
    a->node = a->at ? find_node(t, a->at) : -1;
    if (!a->at || is_kind(t, a->node, TOPO_HOST) || is_kind(t, a->node, TOPO_ROUTER))
        return 0;
    return json_error(t->json, topology_at(a->json, "at", -1), d,
                      "expected a host or router of this topology, found \"%.40s\"", a->at);
}

int topology_ports(struct topology *t, struct diag *d)
{
    struct topo_check *c = &t->check;
    int err = resolve_internet(t, c, d);
    if (!err && release_parse(c->release_text, "X", &c->release) != 0)
        err = json_error(t->json, topology_at(c->json, "expressway", -1), d,
                         "expected a release, as \"X8.9\" or \"X12.5.3\", found \"%.40s\"", c->release_text);
    if (!err && c->meeting_server_text && release_parse(c->meeting_server_text, "", &c->meeting_server) != 0)
        err = json_error(t->json, topology_at(c->json, "meeting_server", -1), d,
                         "expected a release, as \"2.9.2\", found \"%.40s\"", c->meeting_server_text);
    for (size_t i = 0; !err && i < ACTOR_COUNT; i++)
        err = resolve_actor(t, &c->actor[i], d);
    return err;
}
