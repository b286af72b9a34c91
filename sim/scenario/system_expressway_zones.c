/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>

#include "sim/scenario/system_expressway.h"

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
