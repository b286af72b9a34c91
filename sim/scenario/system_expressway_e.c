/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/expressway.h"
#include "sim/scenario/system_expressway.h"

#define EXP_E struct expressway_e_settings
enum { PROFILE_STRICT, PROFILE_EXPRESSWAY };
static const struct turn_profile *const turn_profiles[] = {
    [PROFILE_STRICT] = &turn_strict, [PROFILE_EXPRESSWAY] = &turn_expressway};
static const struct field_name turn_profile_names[] = {
    {"strict", PROFILE_STRICT}, {"expressway", PROFILE_EXPRESSWAY}, {NULL, 0}};

/* What a release can do (notes 4 and 5 of the port tables, EXP-22). */
enum { X8_9, X8_10, X8_11, X12_5_2, X12_5_3, X12_5_5 };
static const struct release {
    bool turn_on_443; /* the relay's port may be 443 */
    bool shared_443;  /* ... while the web proxy listens there */
    bool finds_own;   /* its own relays, without the reflection of its public address */
    bool cluster_nat; /* static NAT in a cluster */
} releases[] = {
    [X8_9] = {false, false, false, false},  [X8_10] = {true, false, false, false},
    [X8_11] = {true, true, false, false},   [X12_5_2] = {true, true, false, false},
    [X12_5_3] = {true, true, true, false},  [X12_5_5] = {true, true, true, true},
};
static const struct field_name release_names[] = {
    {"X8.9", X8_9},       {"X8.10", X8_10},     {"X8.11", X8_11}, {"X12.5.2", X12_5_2},
    {"X12.5.3", X12_5_3}, {"X12.5.5", X12_5_5}, {NULL, 0},
};

#define WEB struct web_proxy_settings
static const struct field web_proxy_fields[] = {
    {FIELD("listen", ENDPOINT, WEB, listen)},
    {FIELD("redirect", ENDPOINT, WEB, redirect)},
    {FIELD("tunnel", ENDPOINT, WEB, tunnel), .text = "0.0.0.0:2222"},
    TEXT("name", WEB, name, "join.acme.example"),
    END,
};

static const struct field peer_fields[] = {
    {FIELD("address", ENDPOINT, struct cluster_peer, address), .required = true},
    {FIELD("turn", ENDPOINT, struct cluster_peer, turn), .required = true},
    END,
};

#define CLUSTER struct cluster_settings
static const struct field cluster_fields[] = {
    {FIELD("listen", ENDPOINT, CLUSTER, listen)},
    {FIELD("peers", LIST, CLUSTER, peers), .of = FIELD_OBJECT, .fields = peer_fields,
     .size = sizeof(struct cluster_peer), .max = CLUSTER_PEERS_MAX},
    END,
};

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
    {FIELD("allocations", U32, EXP_E, allocations), .min = 1, .max = 6000},
    {FIELD("max_lifetime_s", U32, EXP_E, max_lifetime_s), .dflt = 3600, .min = 60, .max = 3600},
    {FIELD("allow_peers", LIST, EXP_E, allow_peers), .of = FIELD_PREFIX},
    {FIELD("deny_peers", LIST, EXP_E, deny_peers), .of = FIELD_PREFIX},
    {FIELD("release", ENUM, EXP_E, release), .names = release_names, .dflt = X12_5_2},
    {FIELD("web_proxy", OBJECT, EXP_E, web_proxy), .fields = web_proxy_fields, .size = sizeof(WEB)},
    {FIELD("turn_override", ENDPOINT, EXP_E, turn_override)},
    {FIELD("turn_tcp_443", BOOL, EXP_E, turn_tcp_443)},
    {FIELD("turn_multiplexed", BOOL, EXP_E, turn_multiplexed)},
    {FIELD("administration", ENDPOINT, EXP_E, administration)},
    {FIELD("mra", BOOL, EXP_E, mra)},
    {FIELD("cluster", OBJECT, EXP_E, cluster), .fields = cluster_fields, .size = sizeof(CLUSTER)},
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

/* ---- ports that clash ---- */

static bool turn_listens_on(const struct expressway_e_settings *s, uint16_t port)
{
    for (size_t i = 0; i < s->turn.count; i++)
        if (s->turn.items[i].port == port)
            return true;
    return false;
}

static const char *check_turn_443(const struct expressway_e_settings *s)
{
    const struct release *r = &releases[s->release];
    uint16_t web = s->web_proxy.listen.port;
    if (turn_listens_on(s, 443) && !r->turn_on_443)
        return "TURN cannot listen on port 443 before X8.10";
    if (s->turn_tcp_443 && !web)
        return "turn_tcp_443 is beside a web proxy: without one, list port 443 in turn";
    if (s->turn_tcp_443 && !r->shared_443)
        return "before X8.11 TURN cannot listen on TCP 443 while Expressway listens there for WebRTC signalling";
    if (web && turn_listens_on(s, web) && !r->shared_443)
        return "before X8.11 TURN cannot listen on TCP 443 while Expressway listens there for WebRTC signalling: it "
               "listens on its configured port over both transports, so set 3478";
    return NULL;
}

static const char *check_administration(const struct expressway_e_settings *s)
{
    uint16_t port = s->administration.port;
    if (port && port == s->web_proxy.listen.port)
        return "WebRTC clients use the administration port: move it off 443";
    if (port == 8443 && s->mra)
        return "8443 must not be the administration port where Mobile and Remote Access shares the Expressway";
    return NULL;
}

static const char *check_same_ports(const struct expressway_e_settings *s)
{
    const uint16_t ports[] = {s->administration.port, s->web_proxy.redirect.port, s->turn_override.port,
                              s->web_proxy.listen.port, s->web_proxy.listen.port ? s->web_proxy.tunnel.port : 0,
                              s->sip.port, s->sip_tcp.port};
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
        for (size_t k = 0; k < i; k++)
            if (ports[i] && ports[i] == ports[k])
                return "two services want the same TCP port";
        if (i < 3 && ports[i] && turn_listens_on(s, ports[i]))
            return "two services want the same TCP port";
    }
    return NULL;
}

static const char *check_cluster(const struct expressway_e_settings *s)
{
    const CLUSTER *c = &s->cluster;
    if (!c->listen.port != !c->peers.count)
        return "cluster: listen and peers go together";
    if (c->peers.count && s->public_address.family != IP_NONE && !releases[s->release].cluster_nat)
        return "static NAT in a cluster needs X12.5.5";
    return NULL;
}

static const char *check(const struct expressway_e_settings *s)
{
    const char *why = check_ports(s->first_port, s->last_port);
    why = why ? why : turn_listens_on(s, 0) ? "turn: a server cannot listen on port 0" : check_turn_443(s);
    why = why ? why : check_administration(s);
    why = why ? why : check_cluster(s);
    return why ? why : check_same_ports(s);
}

/* ---- the relay ---- */

enum { TURN_PORT = 3478, TURN_PORTS_MAX = 6 };

/* A large system has six ports, or one that stands for all (EXP-2, EXP-21). */
static void set_relay(const struct expressway_e_settings *s, const struct system_host *host,
                      struct endpoint usual[TURN_PORTS_MAX], struct turn_config *t)
{
    const struct turn_size *size = turn_size_named(expressway_sizes[s->size].name);
    struct ip_addr relay = own_address(host, &s->relay_address);
    unsigned ports = s->turn_multiplexed ? 1 : size->ports;
    for (unsigned i = 0; i < ports; i++)
        usual[i] = (struct endpoint){.ip = {.family = IP_V4}, .port = (uint16_t)(TURN_PORT + i)};
    t->listen = s->turn.count ? s->turn.items : usual;
    t->listen_count = s->turn.count ? s->turn.count : ports;
    t->limits.allocations = s->allocations ? s->allocations : size->allocations;
    t->limits.port_allocations = ports > 1 ? size->port_allocations : 0;
    t->limits.max_lifetime_s = s->max_lifetime_s;
    t->finds_own = releases[s->release].finds_own;
    set_by_family(&relay, &t->relay_ip4, &t->relay_ip6);
    set_by_family(&s->public_address, &t->public_ip4, &t->public_ip6);
}

int expressway_e_create(const void *settings, const struct system_host *host, struct io *io, struct core *out)
{
    const struct expressway_e_settings *s = settings;
    struct turn_user user = {s->turn_user, s->turn_password};
    struct endpoint usual[TURN_PORTS_MAX];
    struct zones_room room;
    struct sip_proxy_config proxy;
    struct assent_config media;
    const struct zones_config zones = zones_of(s, &room);
    const char *why = check(s);
    why = why ? why : zones_proxy(&zones, &proxy);
    why = why ? why : media_config(&s->media, s->size, true, &media);
    if (why)
        return refuse(io, why, out);
    media.public_address = s->public_address;
    struct expressway_e_config cfg = {.sip = zones,
                                      .media = media,
                                      .turn = {.profile = turn_profiles[s->profile],
                                               .realm = s->realm,
                                               .users = &user,
                                               .user_count = 1,
                                               .first_port = s->first_port,
                                               .last_port = s->last_port,
                                               .allow_peer = s->allow_peers.items,
                                               .allow_peer_count = s->allow_peers.count,
                                               .deny_peer = s->deny_peers.items,
                                               .deny_peer_count = s->deny_peers.count,
                                               .limits = turn_limits_default},
                                      .turn_override = s->turn_override,
                                      .web = {.listen = s->web_proxy.listen, .redirect = s->web_proxy.redirect,
                                              .tunnel = s->web_proxy.tunnel, .name = s->web_proxy.name},
                                      .administration = s->administration};
    cfg.turn_at_web = s->turn_tcp_443 || turn_listens_on(s, s->web_proxy.listen.port);
    set_relay(s, host, usual, &cfg.turn);
    cfg.cluster.listen = s->cluster.listen;
    for (size_t i = 0; i < s->cluster.peers.count; i++)
        cfg.cluster.peer[cfg.cluster.peer_count++] = s->cluster.peers.items[i];
    return expressway_e_make(io, &cfg, out);
}
