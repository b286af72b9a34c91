/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/system_expressway.h"

#define EXP_C struct expressway_c_settings

#define BRIDGE struct web_bridge_settings
static const struct field web_bridge_fields[] = {
    {FIELD("tunnel", ENDPOINT, BRIDGE, tunnel)},
    {FIELD("meeting_server", ENDPOINT, BRIDGE, meeting_server)},
    {FIELD("events", ENDPOINT, BRIDGE, events), .text = "0.0.0.0:30000"},
    {FIELD("first_port", U16, BRIDGE, first_port), .dflt = 30000, .min = 1024},
    {FIELD("last_port", U16, BRIDGE, last_port), .dflt = 35999, .min = 1024},
    {FIELD("browsers_port", U16, BRIDGE, browsers_port), .dflt = 443, .min = 1},
    END,
};

const struct field expressway_c_fields[] = {
    {FIELD("traversal", ENDPOINT, EXP_C, traversal)},
    {FIELD("traversal_zones", LIST, EXP_C, traversal_zones), .of = FIELD_ENDPOINT, .max = 8},
    {FIELD("meeting_server", ENDPOINT, EXP_C, meeting_server)},
    {FIELD("zones", LIST, EXP_C, zones), .of = FIELD_OBJECT, .fields = zone_settings_fields,
     .size = sizeof(struct zone_settings), .max = 6},
    {FIELD("sip_listen", LIST, EXP_C, sip_listen), .of = FIELD_ENDPOINT, .max = 2},
    SEARCH_RULES(EXP_C, search_rules),
    MEDIA(EXP_C, media),
    {FIELD("size", ENUM, EXP_C, size), .names = expressway_sizes, .dflt = SIZE_SMALL},
    {FIELD("web_bridge", OBJECT, EXP_C, web_bridge), .fields = web_bridge_fields, .size = sizeof(BRIDGE)},
    {FIELD("administration", ENDPOINT, EXP_C, administration)},
    END,
};

static const char *check_web(const BRIDGE *w)
{
    if (!w->tunnel.port)
        return w->meeting_server.port ? "web_bridge: tunnel says where Expressway-E is" : NULL;
    if (!w->meeting_server.port)
        return "web_bridge: meeting_server says where requests go";
    return w->first_port >= w->last_port ? "web_bridge: last_port is not above first_port" : NULL;
}

static const char *check_zones(const struct expressway_c_settings *s)
{
    if (!s->traversal.port == !s->traversal_zones.count)
        return "either traversal or traversal_zones says where Expressway-E is";
    bool web_alone = s->web_bridge.tunnel.port && !s->meeting_server.port; /* a web proxy need not carry SIP further */
    if (!s->meeting_server.port == !s->zones.count && !web_alone)
        return "either meeting_server or zones says where calls go";
    return NULL;
}

/* Zones that are listed are kept alive and noted; those of `traversal` and `meeting_server` are as in the reference
 * capture. */
static struct zones_config zones_of(const struct expressway_c_settings *s, const struct system_host *host,
                                    struct zones_room *room)
{
    static const struct ip_addr unset;
    struct zones_config cfg = {.listen = s->sip_listen.items, .listen_count = s->sip_listen.count,
                               .listen_peer = "Unified CM", .address = own_address(host, &unset), .zone = room->zone};
    if (s->traversal.port)
        room->zone[cfg.zone_count++] =
            (struct zone){.kind = ZONE_TRAVERSAL_CLIENT, .address = s->traversal, .plain = true};
    for (size_t i = 0; i < s->traversal_zones.count; i++)
        room->zone[cfg.zone_count++] =
            (struct zone){.kind = ZONE_TRAVERSAL_CLIENT, .address = s->traversal_zones.items[i]};
    if (s->meeting_server.port)
        room->zone[cfg.zone_count++] = (struct zone){.name = "meeting-server", .peer = "Meeting Server",
                                                     .kind = ZONE_NEIGHBOUR, .address = s->meeting_server,
                                                     .plain = true};
    for (size_t i = 0; i < s->zones.count; i++) {
        const struct zone_settings *z = &s->zones.items[i];
        room->zone[cfg.zone_count++] =
            (struct zone){.name = z->name, .kind = ZONE_NEIGHBOUR, .address = z->address,
                          .transport = (enum zone_transport)z->transport};
    }
    zones_add_rules(&cfg, room, &s->search_rules);
    return cfg;
}

int expressway_c_create(const void *settings, const struct system_host *host, struct io *io, struct core *out)
{
    const struct expressway_c_settings *s = settings;
    struct zones_room room;
    struct sip_proxy_config proxy;
    struct expressway_c_config cfg = {
        .sip = zones_of(s, host, &room),
        .web = {.tunnel = s->web_bridge.tunnel, .meeting_server = s->web_bridge.meeting_server,
                .events = s->web_bridge.events, .first_port = s->web_bridge.first_port,
                .last_port = s->web_bridge.last_port, .forward = s->web_bridge.browsers_port},
        .administration = s->administration};
    const char *why = check_zones(s);
    if (!why)
        why = zones_proxy(&cfg.sip, &proxy);
    if (!why)
        why = media_config(&s->media, s->size, false, &cfg.media);
    if (!why)
        why = check_web(&s->web_bridge);
    return why ? refuse(io, why, out) : expressway_c_make(io, &cfg, out);
}
