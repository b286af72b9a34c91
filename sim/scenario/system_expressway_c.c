/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/system_expressway.h"

#define EXP_C struct expressway_c_settings

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
    END,
};

static const char *check_zones(const struct expressway_c_settings *s)
{
    if (!s->traversal.port == !s->traversal_zones.count)
        return "either traversal or traversal_zones says where Expressway-E is";
    if (!s->meeting_server.port == !s->zones.count)
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
    struct expressway_c_config cfg = {.sip = zones_of(s, host, &room)};
    const char *why = check_zones(s);
    if (!why)
        why = zones_proxy(&cfg.sip, &proxy);
    if (!why)
        why = media_config(&s->media, s->size, false, &cfg.media);
    return why ? refuse(io, why, out) : expressway_c_make(io, &cfg, out);
}
