/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/zone.h"

#include <stdio.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/time.h"

#define KEEP_ALIVE_NS (60 * NS_S)
enum { FIRST_PORT = 25000, LAST_PORT = 29999 }; /* EXP-27 */

static void zone_name(const struct zone *z, char out[SIP_SERVICE])
{
    struct text t = text_of(out, SIP_SERVICE);
    if (z->kind == ZONE_NEIGHBOUR)
        text_add(&t, "%s", z->name);
    else
        text_add(&t, "%u", z->address.port);
}

static struct sip_proxy_side side_of(const struct zones_config *cfg, const struct zone *z)
{
    static const char *const peers[] = {[ZONE_TRAVERSAL_SERVER] = "Expressway-C (traversal zone)",
                                        [ZONE_TRAVERSAL_CLIENT] = "Expressway-E (traversal zone)"};
    char name[SIP_SERVICE];
    struct sip_proxy_side side = {.peer = z->peer ? z->peer : z->kind == ZONE_NEIGHBOUR ? z->name : peers[z->kind],
                                  .single = true, .udp = z->transport == ZONE_UDP};
    if (z->kind == ZONE_TRAVERSAL_SERVER)
        side.listen = z->address;
    else
        side.connect = z->address;
    if (side.udp) /* from the port that datagrams go to (2.2) */
        side.listen = (struct endpoint){cfg->address, z->address.port};
    if (z->plain)
        return side;
    struct text service = text_of(side.service, sizeof side.service);
    zone_name(z, name);
    text_add(&service, "%s/%s", z->kind == ZONE_NEIGHBOUR ? "zone" : "traversal-zone", name);
    side.options_ns = KEEP_ALIVE_NS;
    if (side.connect.port && !side.udp) {
        side.first_port = FIRST_PORT;
        side.last_port = LAST_PORT;
    }
    return side;
}

static void add_target(struct sip_proxy_rule *r, unsigned side)
{
    if (r->to_count < SIP_RULE_SIDES)
        r->to[r->to_count++] = side;
}

/* What comes by one side goes to all zones of another kind, in order. */
static void usual_rules(const struct zones_config *cfg, struct sip_proxy_config *out)
{
    unsigned listeners = (unsigned)cfg->listen_count;
    bool inside = false;
    for (size_t i = 0; i < cfg->zone_count; i++)
        inside |= cfg->zone[i].kind == ZONE_NEIGHBOUR;
    for (unsigned s = 0; s < listeners + cfg->zone_count; s++) {
        const struct zone *from = s < listeners ? NULL : &cfg->zone[s - listeners];
        struct sip_proxy_rule r = {.from_one = true, .from = s};
        for (unsigned i = 0; i < cfg->zone_count && !(from && from->kind == ZONE_TRAVERSAL_SERVER); i++) {
            bool neighbour = cfg->zone[i].kind == ZONE_NEIGHBOUR;
            if (neighbour == (inside && !(from && from->kind == ZONE_NEIGHBOUR)))
                add_target(&r, listeners + i);
        }
        if (r.to_count)
            out->rule[out->rule_count++] = r;
    }
}

static const char *given_rule(const struct zones_config *cfg, const struct zone_rule *rule, struct sip_proxy_rule *out)
{
    char name[SIP_SERVICE];
    *out = (struct sip_proxy_rule){.user = rule->user, .host = rule->host};
    for (size_t k = 0; k < rule->zone_count; k++) {
        unsigned i = 0;
        for (; i < cfg->zone_count; i++) {
            zone_name(&cfg->zone[i], name);
            if (strcmp(name, rule->zone[k]) == 0)
                break;
        }
        if (i == cfg->zone_count)
            return "a search rule names a zone that there is not";
        add_target(out, (unsigned)cfg->listen_count + i);
    }
    return NULL;
}

static const char *check(const struct zones_config *cfg)
{
    char a[SIP_SERVICE], b[SIP_SERVICE];
    if (cfg->listen_count + cfg->zone_count > SIP_SIDES_MAX)
        return "more SIP listeners and zones than 16";
    if (cfg->rule_count > SIP_RULES_MAX)
        return "more search rules than 32";
    for (size_t i = 0; i < cfg->zone_count; i++)
        for (size_t k = 0; k < i; k++) {
            zone_name(&cfg->zone[i], a);
            zone_name(&cfg->zone[k], b);
            if (strcmp(a, b) == 0)
                return "two zones have the same name";
        }
    return NULL;
}

const char *zones_proxy(const struct zones_config *cfg, struct sip_proxy_config *out)
{
    const char *why = check(cfg);
    *out = (struct sip_proxy_config){.agent = cfg->agent ? cfg->agent : "TANDBERG/4137 (X8.9.2)"};
    if (why)
        return why;
    for (size_t i = 0; i < cfg->listen_count; i++)
        out->side[i] = (struct sip_proxy_side){.peer = cfg->listen_peer, .listen = cfg->listen[i]};
    for (size_t i = 0; i < cfg->zone_count; i++)
        out->side[cfg->listen_count + i] = side_of(cfg, &cfg->zone[i]);
    for (size_t i = 0; i < cfg->rule_count && !why; i++)
        why = given_rule(cfg, &cfg->rule[i], &out->rule[out->rule_count++]);
    if (!cfg->rule_count)
        usual_rules(cfg, out);
    return why;
}

bool zones_faces(const struct zones_config *cfg, enum assent_face out[SIP_SIDES_MAX])
{
    static const enum assent_face faces[] = {[ZONE_TRAVERSAL_SERVER] = ASSENT_SERVER,
                                             [ZONE_TRAVERSAL_CLIENT] = ASSENT_CLIENT,
                                             [ZONE_NEIGHBOUR] = ASSENT_INSIDE};
    enum assent_face listener = ASSENT_NONE;
    memset(out, 0, SIP_SIDES_MAX * sizeof *out);
    for (size_t i = 0; i < cfg->zone_count; i++) {
        const struct zone *z = &cfg->zone[i];
        out[cfg->listen_count + i] = z->plain && z->kind != ZONE_NEIGHBOUR ? ASSENT_NONE : faces[z->kind];
        if (z->kind != ZONE_NEIGHBOUR && !z->plain)
            listener = z->kind == ZONE_TRAVERSAL_SERVER ? ASSENT_ENDPOINT : ASSENT_INSIDE;
    }
    for (size_t i = 0; i < cfg->listen_count; i++)
        out[i] = listener;
    return listener != ASSENT_NONE;
}
