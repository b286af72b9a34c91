/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The member "calls" of a topology: its keys, and the plans that hosts get of it. */
#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "models/sip/sip.h"
#include "sim/scenario/topology_parts.h"

enum { PLANS_MAX = 4096, DAY_S = 86400 };

static const struct field_name media[] = {
    {"audio", CALL_AUDIO}, {"video", CALL_VIDEO}, {"share", CALL_SHARE}, {NULL, 0}};

static const struct field span_fields[] = {
    {FIELD("at_s", U64, struct call_span, at_ns), .max = DAY_S, .scale = NS_S, .required = true},
    {FIELD("for_s", U64, struct call_span, for_ns), .min = 1, .max = DAY_S, .scale = NS_S, .required = true},
    {.key = NULL},
};

static const struct field expand_fields[] = {
    {FIELD("count", U32, struct topo_expand, count), .required = true, .min = 1, .max = PLANS_MAX},
    {FIELD("every_ms", U64, struct topo_expand, every_ns), .max = DAY_S * UINT64_C(1000), .scale = NS_MS},
    {.key = NULL},
};

#define SPANS(name, member) \
    {FIELD(name, LIST, struct topo_call, member), .of = FIELD_OBJECT, .fields = span_fields, \
     .size = sizeof(struct call_span), .max = 64}

const struct field topology_call_fields[] = {
    {FIELD("(call)", SELF, struct topo_call, at)},
    {FIELD("name", STRING, struct topo_call, name), .required = true, .min = 1, .max = 31},
    {FIELD("from", STRING, struct topo_call, from), .required = true},
    {FIELD("to", STRING, struct topo_call, to), .text = "sip:meeting@acme.example", .min = 1, .max = 120},
    {FIELD("media", LIST, struct topo_call, media), .of = FIELD_ENUM, .names = media, .required = true, .min = 1,
     .max = 3},
    {FIELD("at_ms", U64, struct topo_call, at_ns), .max = DAY_S * UINT64_C(1000), .scale = NS_MS},
    {FIELD("for_s", U64, struct topo_call, for_ns), .max = DAY_S, .scale = NS_S},
    {FIELD("expand", OBJECT, struct topo_call, expand), .fields = expand_fields},
    SPANS("mute", mute),
    SPANS("hold", hold),
    {.key = NULL},
};

static int find_caller(struct topology *t, struct topo_call *c, struct diag *d)
{
    for (c->node = 0; c->node < t->nodes.count; c->node++) {
        struct topo_node *n = &t->nodes.items[c->node];
        if (strcmp(n->name, c->from) == 0 && n->system) {
            n->calls.count += c->expand.count ? c->expand.count : 1;
            return 0;
        }
    }
    return json_error(t->json, topology_at(c->at, "from", -1), d,
                      "expected a host of this topology that has a system, found \"%.40s\"", c->from);
}

static int check_spans(const struct topology *t, const struct topo_call *c, const char *key,
                       const struct call_span *span, size_t count, struct diag *d)
{
    for (size_t i = 1; i < count; i++)
        if (span[i].at_ns < span[i - 1].at_ns + span[i - 1].for_ns)
            return json_error(t->json, topology_at(c->at, key, (int)i), d,
                              "expected one that begins after the one before has ended");
    return 0;
}

static int check_call(struct topology *t, struct topo_call *c, struct diag *d)
{
    struct sip_uri uri;
    uint64_t last_ns = c->at_ns + (c->expand.count ? c->expand.count - 1 : 0) * c->expand.every_ns;
    int err = topology_name(t, c->at, c->name, "", d);
    for (const struct topo_call *o = t->calls.items; !err && o < c; o++)
        if (strcmp(o->name, c->name) == 0)
            err = json_error(t->json, topology_at(c->at, "name", -1), d, "expected each call once, found \"%s\" again",
                             c->name);
    if (!err)
        err = find_caller(t, c, d);
    if (!err && sip_uri_parse((struct sip_str){c->to, strlen(c->to)}, &uri) != 0)
        err = json_error(t->json, topology_at(c->at, "to", -1), d,
                         "expected a SIP URI, such as sip:name@example.com, found \"%.40s\"", c->to);
    if (!err && last_ns >= t->duration_ns)
        err = json_error(t->json, topology_at(c->at, "at_ms", -1), d,
                         "expected a call before the run ends after %llu s, found %s after %llu ms",
                         (unsigned long long)(t->duration_ns / NS_S), c->expand.count > 1 ? "the last one" : "it",
                         (unsigned long long)(last_ns / NS_MS));
    if (!err)
        err = check_spans(t, c, "mute", c->mute.items, c->mute.count, d);
    return err ? err : check_spans(t, c, "hold", c->hold.items, c->hold.count, d);
}

/* The host that has a plan of this name already; NULL: none. */
static const struct topo_node *planned(const struct topology *t, const char *name)
{
    for (size_t i = 0; i < t->nodes.count; i++)
        for (size_t k = 0; k < t->nodes.items[i].calls.count; k++)
            if (strcmp(t->nodes.items[i].calls.items[k].name, name) == 0)
                return &t->nodes.items[i];
    return NULL;
}

/* One plan, or as many as are asked for, NAME-1 first. */
static int plan(struct topology *t, const struct topo_call *c, struct diag *d)
{
    struct topo_node *n = &t->nodes.items[c->node];
    struct call_plan p = {.name = c->name, .to = c->to, .at_ns = c->at_ns, .for_ns = c->for_ns ? c->for_ns : TIME_NEVER,
                          .mute = c->mute.items, .mute_count = c->mute.count, .hold = c->hold.items,
                          .hold_count = c->hold.count};
    for (size_t i = 0; i < c->media.count; i++)
        p.media |= (unsigned)c->media.items[i];
    for (uint32_t i = 1; i <= c->expand.count || i == 1; i++, p.at_ns += c->expand.every_ns) {
        if (c->expand.count)
            p.name = arena_format(&t->arena, "%s-%u", c->name, i);
        if (planned(t, p.name))
            return json_error(t->json, topology_at(c->at, "name", -1), d, "expected each call once, found \"%s\" again",
                              p.name);
        n->calls.items[n->calls.count++] = p;
    }
    return 0;
}

int topology_calls(struct topology *t, struct diag *d)
{
    int err = 0;
    size_t plans = 0;
    for (size_t i = 0; !err && i < t->calls.count; i++) {
        const struct topo_call *c = &t->calls.items[i];
        err = check_call(t, &t->calls.items[i], d);
        plans += c->expand.count ? c->expand.count : 1;
        if (!err && plans > PLANS_MAX)
            err = json_error(t->json, c->at, d, "expected at most %d calls, found %zu", PLANS_MAX, plans);
    }
    for (size_t i = 0; !err && i < t->nodes.count; i++) {
        struct topo_node *n = &t->nodes.items[i];
        n->calls.items = arena_alloc(&t->arena, n->calls.count * sizeof *n->calls.items);
        n->calls.count = 0;
    }
    for (size_t i = 0; !err && i < t->calls.count; i++)
        err = plan(t, &t->calls.items[i], d);
    return err;
}
