/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>

#include "sim/scenario/system_expressway.h"

/* ---- media that goes through ---- */

const struct field media_settings_fields[] = {
    {FIELD("first_port", U16, struct media_settings, first_port), .dflt = 36000, .min = 1024},
    {FIELD("last_port", U16, struct media_settings, last_port), .dflt = 59999, .min = 1024},
    {FIELD("shared_port", U16, struct media_settings, shared_port), .dflt = 36000, .min = 1024, .max = 65524},
    {FIELD("calls", U32, struct media_settings, calls), .max = 500},
    {FIELD("idle_s", U64, struct media_settings, idle_ns), .scale = NS_S, .dflt = 300, .min = 1, .max = 86400},
    END,
};

const struct field_name expressway_sizes[] = {
    {"small", SIZE_SMALL}, {"medium", SIZE_MEDIUM}, {"large", SIZE_LARGE}, {NULL, 0}};

const char *media_config(const struct media_settings *s, int size, bool outer, struct assent_config *out)
{
    static const struct {
        uint32_t calls; /* EXP-3 */
        unsigned pairs; /* rows 2.6 and 2.7 */
    } sizes[] = {[SIZE_SMALL] = {150, 1}, [SIZE_MEDIUM] = {150, 1}, [SIZE_LARGE] = {500, ASSENT_PAIRS_MAX}};
    *out = (struct assent_config){.first_port = s->first_port, .last_port = s->last_port,
                                  .shared_port = s->shared_port, .shared_pairs = outer ? sizes[size].pairs : 0,
                                  .calls = s->calls ? s->calls : sizes[size].calls, .idle_ns = s->idle_ns};
    if (s->first_port % 2 || s->shared_port % 2)
        return "media: first_port and shared_port are of RTP, and even";
    return check_ports(s->first_port, s->last_port);
}

/* ---- zones ---- */

static const struct field_name transports[] = {{"tls", ZONE_TCP}, {"tcp", ZONE_TCP}, {"udp", ZONE_UDP}, {NULL, 0}};

const struct field zone_settings_fields[] = {
    {FIELD("name", STRING, struct zone_settings, name), .required = true, .min = 1, .max = 30},
    {FIELD("address", ENDPOINT, struct zone_settings, address), .required = true},
    {FIELD("transport", ENUM, struct zone_settings, transport), .names = transports, .dflt = ZONE_TCP},
    END,
};

const struct field rule_settings_fields[] = {
    {FIELD("user", STRING, struct rule_settings, user), .max = 60},
    {FIELD("host", STRING, struct rule_settings, host), .max = 60},
    {FIELD("zones", LIST, struct rule_settings, zones), .required = true, .of = FIELD_STRING, .min = 1,
     .max = SIP_RULE_SIDES},
    END,
};

void zones_add_rules(struct zones_config *cfg, struct zones_room *room, const rule_list *rules)
{
    assert(rules->count <= SIP_RULES_MAX);
    for (size_t i = 0; i < rules->count; i++) {
        const struct rule_settings *from = &rules->items[i];
        room->rule[i] = (struct zone_rule){.user = from->user, .host = from->host, .zone_count = from->zones.count};
        for (size_t k = 0; k < from->zones.count; k++)
            room->rule[i].zone[k] = from->zones.items[k];
    }
    cfg->rule = room->rule;
    cfg->rule_count = rules->count;
}
