/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The settings of Expressway-E and Expressway-C. */
#ifndef TP_SCENARIO_SYSTEM_EXPRESSWAY_H
#define TP_SCENARIO_SYSTEM_EXPRESSWAY_H

#include "models/actors/expressway.h"
#include "sim/scenario/systems_parts.h"

/* ---- media that goes through, of both ---- */

struct media_settings {
    uint16_t first_port, last_port, shared_port;
    uint32_t calls; /* 0: by the size */
    uint64_t idle_ns;
};
extern const struct field media_settings_fields[];
#define MEDIA(of_struct, member) \
    { \
        FIELD("media", OBJECT, of_struct, member), .fields = media_settings_fields, \
                                                   .size = sizeof(struct media_settings) \
    }
enum expressway_size { SIZE_SMALL, SIZE_MEDIUM, SIZE_LARGE };
extern const struct field_name expressway_sizes[];
/* What is wrong with it, or NULL. outer: of E, which has the shared ports. */
const char *media_config(const struct media_settings *s, int size, bool outer, struct assent_config *out);

/* ---- SIP zones, of both ---- */

struct zone_settings {
    const char *name;
    struct endpoint address;
    int transport; /* enum zone_transport */
};

struct rule_settings {
    const char *user, *host;
    LIST_OF(const char *) zones;
};
typedef LIST_OF(struct rule_settings) rule_list;

extern const struct field zone_settings_fields[], rule_settings_fields[];
#define SEARCH_RULES(of_struct, member) \
    { \
        FIELD("search_rules", LIST, of_struct, member), .of = FIELD_OBJECT, .fields = rule_settings_fields, \
                                                        .size = sizeof(struct rule_settings), .max = SIP_RULES_MAX \
    }

/* Room for what a zones_config points at. */
struct zones_room {
    struct endpoint listen[SIP_SIDES_MAX];
    struct zone zone[SIP_SIDES_MAX];
    struct zone_rule rule[SIP_RULES_MAX];
};
void zones_add_rules(struct zones_config *cfg, struct zones_room *room, const rule_list *rules);

struct web_proxy_settings {
    struct endpoint listen, redirect, tunnel;
    const char *name;
};

struct cluster_settings {
    struct endpoint listen;
    LIST_OF(struct cluster_peer) peers;
};

struct expressway_e_settings {
    struct endpoint sip, sip_tcp, traversal;
    LIST_OF(struct endpoint) traversal_zones, turn;
    rule_list search_rules;
    struct media_settings media;
    int size; /* enum expressway_size */
    int profile;
    const char *realm, *turn_user, *turn_password;
    struct ip_addr relay_address, public_address;
    uint16_t first_port, last_port;
    uint32_t allocations, max_lifetime_s;
    LIST_OF(struct ip_prefix) allow_peers, deny_peers;
    int release; /* of releases */
    struct web_proxy_settings web_proxy;
    struct endpoint turn_override, administration;
    bool turn_tcp_443, turn_multiplexed, mra;
    struct cluster_settings cluster;
};

struct web_bridge_settings {
    struct endpoint tunnel, meeting_server, events;
    uint16_t first_port, last_port, browsers_port;
};

struct expressway_c_settings {
    struct endpoint traversal, meeting_server;
    LIST_OF(struct endpoint) traversal_zones, sip_listen;
    LIST_OF(struct zone_settings) zones;
    rule_list search_rules;
    struct media_settings media;
    int size; /* enum expressway_size */
    struct web_bridge_settings web_bridge;
    struct endpoint administration;
};

extern const struct field expressway_e_fields[], expressway_c_fields[];
system_create expressway_e_create, expressway_c_create;

#endif
