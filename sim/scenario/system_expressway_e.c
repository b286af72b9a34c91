/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/expressway.h"
#include "sim/scenario/system_expressway.h"

#define EXP_E struct expressway_e_settings
enum { PROFILE_STRICT, PROFILE_EXPRESSWAY };
static const struct turn_profile *const turn_profiles[] = {
    [PROFILE_STRICT] = &turn_strict, [PROFILE_EXPRESSWAY] = &turn_expressway};
static const struct field_name turn_profile_names[] = {
    {"strict", PROFILE_STRICT}, {"expressway", PROFILE_EXPRESSWAY}, {NULL, 0}};

const struct field expressway_e_fields[] = {
    {FIELD("sip", ENDPOINT, EXP_E, sip), .text = "0.0.0.0:5061"},
    {FIELD("sip_tcp", ENDPOINT, EXP_E, sip_tcp)},
    {FIELD("traversal", ENDPOINT, EXP_E, traversal), .text = "0.0.0.0:7001"},
    {FIELD("traversal_zones", LIST, EXP_E, traversal_zones), .of = FIELD_ENDPOINT, .max = 8},
    SEARCH_RULES(EXP_E, search_rules),
    MEDIA(EXP_E, media),
    {FIELD("size", ENUM, EXP_E, size), .names = expressway_sizes, .dflt = SIZE_SMALL},
    {FIELD("turn", LIST, EXP_E, turn), .of = FIELD_ENDPOINT},
    {FIELD("profile", ENUM, EXP_E, profile), .names = turn_profile_names, .dflt = PROFILE_EXPRESSWAY},
    TEXT("realm", EXP_E, realm, "TANDBERG"),
    TEXT("turn_user", EXP_E, turn_user, "turn"),
    TEXT("turn_password", EXP_E, turn_password, "turn-secret"),
    {FIELD("relay_address", IP, EXP_E, relay_address)},
    {FIELD("public_address", IP, EXP_E, public_address)},
    {FIELD("first_port", U16, EXP_E, first_port), .dflt = 24000, .min = 1024},
    {FIELD("last_port", U16, EXP_E, last_port), .dflt = 29999, .min = 1024},
    {FIELD("allocations", U32, EXP_E, allocations), .dflt = 1800, .min = 1, .max = 6000},
    {FIELD("max_lifetime_s", U32, EXP_E, max_lifetime_s), .dflt = 3600, .min = 60, .max = 3600},
    {FIELD("allow_peers", LIST, EXP_E, allow_peers), .of = FIELD_PREFIX},
    {FIELD("deny_peers", LIST, EXP_E, deny_peers), .of = FIELD_PREFIX},
    END,
};

/* Zones that are listed are kept alive and noted; the one of `traversal`, which stands in when there is no list, is as
 * in the reference capture. */
static struct zones_config zones_of(const struct expressway_e_settings *s, struct zones_room *room)
{
    struct zones_config cfg = {.listen = room->listen, .listen_peer = "the Skype Edge", .zone = room->zone};
    bool plain = !s->traversal_zones.count;
    room->listen[cfg.listen_count++] = s->sip;
    if (s->sip_tcp.port)
        room->listen[cfg.listen_count++] = s->sip_tcp;
    cfg.zone_count = plain ? 1 : s->traversal_zones.count;
    for (size_t i = 0; i < cfg.zone_count; i++)
        room->zone[i] = (struct zone){.kind = ZONE_TRAVERSAL_SERVER, .plain = plain,
                                      .address = plain ? s->traversal : s->traversal_zones.items[i]};
    zones_add_rules(&cfg, room, &s->search_rules);
    return cfg;
}

int expressway_e_create(const void *settings, const struct system_host *host, struct io *io,
                               struct core *out)
{
    const struct expressway_e_settings *s = settings;
    static const struct endpoint usual = {.ip = {.family = IP_V4}, .port = 3478};
    struct turn_user user = {s->turn_user, s->turn_password};
    struct zones_room room;
    struct sip_proxy_config proxy;
    const struct zones_config zones = zones_of(s, &room);
    const char *why = check_ports(s->first_port, s->last_port);
    if (!why)
        why = zones_proxy(&zones, &proxy);
    struct assent_config media;
    if (!why)
        why = media_config(&s->media, s->size, true, &media);
    if (why)
        return refuse(io, why, out);
    media.public_address = s->public_address;
    struct ip_addr relay = own_address(host, &s->relay_address);
    struct expressway_e_config cfg = {.sip = zones,
                                      .media = media,
                                      .turn = {.profile = turn_profiles[s->profile],
                                               .realm = s->realm,
                                               .users = &user,
                                               .user_count = 1,
                                               .listen = s->turn.count ? s->turn.items : &usual,
                                               .listen_count = s->turn.count ? s->turn.count : 1,
                                               .first_port = s->first_port,
                                               .last_port = s->last_port,
                                               .allow_peer = s->allow_peers.items,
                                               .allow_peer_count = s->allow_peers.count,
                                               .deny_peer = s->deny_peers.items,
                                               .deny_peer_count = s->deny_peers.count,
                                               .limits = turn_limits_default}};
    set_by_family(&relay, &cfg.turn.relay_ip4, &cfg.turn.relay_ip6);
    set_by_family(&s->public_address, &cfg.turn.public_ip4, &cfg.turn.public_ip6);
    cfg.turn.limits.allocations = s->allocations;
    cfg.turn.limits.max_lifetime_s = s->max_lifetime_s;
    return expressway_e_make(io, &cfg, out);
}
