/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/systems.h"

#include <stdlib.h>
#include <string.h>

#include "models/actors/expressway.h"
#include "models/actors/meeting_server.h"
#include "models/actors/skype_client.h"
#include "models/actors/skype_edge.h"
#include "models/base/err.h"
#include "models/base/time.h"
#include "models/sip/sip.h"

#define END \
    { \
        .key = NULL \
    }

/* What a side sends of its screen, and gives up waiting for. */
static const struct field screen_fields[] = {
    {FIELD("bytes_per_s", U32, struct screen_config, rate), .dflt = 125000, .max = 125000000},
    {FIELD("burst_bytes", U32, struct screen_config, burst), .dflt = 200000, .max = 100000000},
    {FIELD("duration_s", U64, struct screen_config, duration_ns), .scale = NS_S, .dflt = 10, .max = 3600},
    END,
};
#define SCREEN(of_struct, member) \
    { \
        FIELD("screen", OBJECT, of_struct, member), .fields = screen_fields, \
                                                    .size = sizeof(struct screen_config) \
    }
#define TIMEOUT(name, of_struct, member, seconds) \
    { \
        FIELD(name, U64, of_struct, member), .scale = NS_S, .dflt = (seconds), .min = 1, .max = 3600 \
    }

/* Texts go into messages: what is too long for one is a mistake. */
#define TEXT(name, of_struct, member, default_text) \
    {FIELD(name, STRING, of_struct, member), .text = (default_text), .min = 1, .max = 120}

/* ---- settings that are well-formed, but make no sense together ---- */

static const char *check_uri(const char *uri, const char *why)
{
    struct sip_uri parts;
    return sip_uri_parse((struct sip_str){uri, strlen(uri)}, &parts) ? why : NULL;
}

static const char *check_ports(uint16_t first, uint16_t last)
{
    return first > last ? "last_port is below first_port" : NULL;
}

/* A system that says why it does not begin, and does nothing else: the run fails with that as its reason. */
struct refusal {
    struct io *io;
    const char *why;
};

static void refusal_input(void *self, const struct io_in *in)
{
    const struct refusal *r = self;
    if (in->event == IO_START)
        io_fail(r->io, NULL, "it does not start: settings: %s", r->why);
}

static uint64_t refusal_deadline(const void *self)
{
    (void)self;
    return TIME_NEVER;
}

static int refuse(struct io *io, const char *why, struct core *out)
{
    static const struct core_ops ops = {refusal_input, refusal_deadline, free};
    struct refusal *r = malloc(sizeof *r);
    if (!r)
        return E_NOMEM;
    *r = (struct refusal){io, why};
    *out = (struct core){&ops, r, io};
    return 0;
}

/* Of the addresses that a host has, the one that it calls its own unless a setting says otherwise. */
static struct ip_addr own_address(const struct system_host *host, const struct ip_addr *setting)
{
    return setting->family != IP_NONE || !host->address_count ? *setting : host->address[0].ip;
}

/* ---- skype-client ---- */

#define CLIENT struct skype_client_config
static const struct field_name roles[] = {{"presenter", false}, {"attendee", true}, {NULL, 0}};

struct skype_client_settings {
    struct skype_client_config cfg; /* first: its fields' places are those of the whole */
    int role;
};
_Static_assert(offsetof(struct skype_client_settings, cfg) == 0, "fields of cfg are found from the start");

static const struct field skype_client_fields[] = {
    TEXT("uri", CLIENT, uri, "sip:alice@fabrikam.example"),
    TEXT("conference", CLIENT, conference, "sip:meeting@acme.example"),
    {FIELD("edge_sip", ENDPOINT, CLIENT, edge_sip), .required = true},
    {FIELD("edge_turn", ENDPOINT, CLIENT, edge_turn), .required = true},
    TEXT("turn_user", CLIENT, turn_user, "alice"),
    TEXT("turn_password", CLIENT, turn_password, "mras-secret"),
    {FIELD("role", ENUM, struct skype_client_settings, role), .names = roles, .dflt = false},
    {FIELD("host_candidates", BOOL, CLIENT, host_candidates), .dflt = true},
    {FIELD("media_port", U16, CLIENT, media_port), .dflt = 50040, .min = 1},
    {FIELD("call_at_ms", U64, CLIENT, call_at_ns), .scale = NS_MS, .dflt = 5000, .max = 3600000},
    {FIELD("share_at_ms", U64, CLIENT, share_at_ns), .scale = NS_MS, .dflt = 20000, .max = 3600000},
    TIMEOUT("allocate_timeout_s", CLIENT, allocate_timeout_ns, 15),
    TIMEOUT("answer_timeout_s", CLIENT, answer_timeout_ns, 60),
    TIMEOUT("ice_timeout_s", CLIENT, ice_timeout_ns, 30),
    TIMEOUT("stall_timeout_s", CLIENT, stall_timeout_ns, 30),
    SCREEN(CLIENT, screen),
    END,
};

static int skype_client_create(const void *settings, const struct system_host *host, struct io *io,
                               struct core *out)
{
    const struct skype_client_settings *s = settings;
    struct skype_client_config cfg = s->cfg;
    const char *why = check_uri(cfg.uri, "uri is not a SIP URI, such as sip:name@example.com");
    if (!why)
        why = check_uri(cfg.conference, "conference is not a SIP URI, such as sip:name@example.com");
    if (why)
        return refuse(io, why, out);
    cfg.address = own_address(host, &cfg.address);
    cfg.attendee = s->role;
    return skype_client_make(io, &cfg, out);
}

/* ---- skype-edge ---- */

#define EDGE struct skype_edge_config
static const struct field skype_edge_fields[] = {
    {FIELD("relay_address", IP, EDGE, address)},
    {FIELD("public_address", IP, EDGE, public_address)},
    {FIELD("sip", ENDPOINT, EDGE, sip), .text = "0.0.0.0:5061"},
    {FIELD("federation", ENDPOINT, EDGE, federation), .required = true},
    {FIELD("turn", ENDPOINT, EDGE, turn), .text = "0.0.0.0:443"},
    TEXT("realm", EDGE, realm, "rtcmedia"),
    TEXT("turn_user", EDGE, turn_user, "alice"),
    TEXT("turn_password", EDGE, turn_password, "mras-secret"),
    {FIELD("first_port", U16, EDGE, first_port), .dflt = 50000, .min = 1024},
    {FIELD("last_port", U16, EDGE, last_port), .dflt = 59999, .min = 1024},
    {FIELD("connect_out", BOOL, EDGE, connect_out), .dflt = true},
    END,
};

static int skype_edge_create(const void *settings, const struct system_host *host, struct io *io,
                             struct core *out)
{
    struct skype_edge_config cfg = *(const struct skype_edge_config *)settings;
    const char *why = check_ports(cfg.first_port, cfg.last_port);
    if (why)
        return refuse(io, why, out);
    cfg.address = own_address(host, &cfg.address);
    return skype_edge_make(io, &cfg, out);
}

/* ---- expressway-e ---- */

#define EXP_E struct expressway_e_settings
enum { PROFILE_STRICT, PROFILE_EXPRESSWAY };
static const struct turn_profile *const turn_profiles[] = {
    [PROFILE_STRICT] = &turn_strict, [PROFILE_EXPRESSWAY] = &turn_expressway};
static const struct field_name turn_profile_names[] = {
    {"strict", PROFILE_STRICT}, {"expressway", PROFILE_EXPRESSWAY}, {NULL, 0}};

struct expressway_e_settings {
    struct endpoint sip, traversal;
    LIST_OF(struct endpoint) turn;
    int profile;
    const char *realm, *turn_user, *turn_password;
    struct ip_addr relay_address, public_address;
    uint16_t first_port, last_port;
    uint32_t allocations, max_lifetime_s;
    LIST_OF(struct ip_prefix) allow_peers, deny_peers;
};

static const struct field expressway_e_fields[] = {
    {FIELD("sip", ENDPOINT, EXP_E, sip), .text = "0.0.0.0:5061"},
    {FIELD("traversal", ENDPOINT, EXP_E, traversal), .text = "0.0.0.0:7001"},
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

/* Relay addresses are one a family: a setting means its own family. */
static void set_by_family(const struct ip_addr *ip, struct ip_addr *ip4, struct ip_addr *ip6)
{
    if (ip->family == IP_V4)
        *ip4 = *ip;
    else if (ip->family == IP_V6)
        *ip6 = *ip;
}

static int expressway_e_create(const void *settings, const struct system_host *host, struct io *io,
                               struct core *out)
{
    const struct expressway_e_settings *s = settings;
    static const struct endpoint usual = {.ip = {.family = IP_V4}, .port = 3478};
    struct turn_user user = {s->turn_user, s->turn_password};
    const char *why = check_ports(s->first_port, s->last_port);
    if (why)
        return refuse(io, why, out);
    struct ip_addr relay = own_address(host, &s->relay_address);
    struct expressway_e_config cfg = {.sip = s->sip,
                                      .traversal = s->traversal,
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

/* ---- expressway-c ---- */

static const struct field expressway_c_fields[] = {
    {FIELD("traversal", ENDPOINT, struct expressway_c_config, traversal), .required = true},
    {FIELD("meeting_server", ENDPOINT, struct expressway_c_config, meeting_server), .required = true},
    END,
};

static int expressway_c_create(const void *settings, const struct system_host *host, struct io *io,
                               struct core *out)
{
    (void)host;
    return expressway_c_make(io, settings, out);
}

/* ---- meeting-server ---- */

#define CMS struct meeting_server_settings
enum { CLIENT_PLAIN, CLIENT_MEETING_SERVER };
static const struct turn_client_profile *const client_profiles[] = {
    [CLIENT_PLAIN] = &turn_client_plain, [CLIENT_MEETING_SERVER] = &turn_client_meeting_server};
static const struct field_name client_profile_names[] = {
    {"plain", CLIENT_PLAIN}, {"meeting-server", CLIENT_MEETING_SERVER}, {NULL, 0}};

struct meeting_server_settings {
    struct meeting_server_config cfg;
    int turn_profile;
};

static const struct field meeting_server_fields[] = {
    TEXT("uri", CMS, cfg.uri, "sip:meeting@acme.example"),
    {FIELD("sip", ENDPOINT, CMS, cfg.sip), .text = "0.0.0.0:5061"},
    {FIELD("turn", ENDPOINT, CMS, cfg.turn), .required = true},
    {FIELD("turn_profile", ENUM, CMS, turn_profile), .names = client_profile_names,
     .dflt = CLIENT_MEETING_SERVER},
    TEXT("turn_user", CMS, cfg.turn_user, "turn"),
    TEXT("turn_password", CMS, cfg.turn_password, "turn-secret"),
    {FIELD("create_permission", BOOL, CMS, cfg.create_permission), .dflt = false},
    {FIELD("connect", BOOL, CMS, cfg.connect), .dflt = false},
    TIMEOUT("allocate_timeout_s", CMS, cfg.allocate_timeout_ns, 20),
    TIMEOUT("connect_timeout_s", CMS, cfg.connect_timeout_ns, 20),
    TIMEOUT("bind_timeout_s", CMS, cfg.bind_timeout_ns, 20),
    TIMEOUT("ice_timeout_s", CMS, cfg.ice_timeout_ns, 30),
    TIMEOUT("reinvite_timeout_s", CMS, cfg.reinvite_timeout_ns, 32),
    TIMEOUT("stall_timeout_s", CMS, cfg.stall_timeout_ns, 30),
    SCREEN(CMS, cfg.screen),
    END,
};

static int meeting_server_create(const void *settings, const struct system_host *host, struct io *io,
                                 struct core *out)
{
    const struct meeting_server_settings *s = settings;
    struct meeting_server_config cfg = s->cfg;
    const char *why = check_uri(cfg.uri, "uri is not a SIP URI, such as sip:name@example.com");
    if (why)
        return refuse(io, why, out);
    cfg.address = own_address(host, &cfg.address);
    cfg.turn_profile = client_profiles[s->turn_profile];
    return meeting_server_make(io, &cfg, out);
}

const struct system systems[] = {
    {"skype-client", skype_client_fields, sizeof(struct skype_client_settings), .create = skype_client_create},
    {"skype-edge", skype_edge_fields, sizeof(struct skype_edge_config), .called = true, .create = skype_edge_create},
    {"expressway-e", expressway_e_fields, sizeof(struct expressway_e_settings), .called = true, .relay = true,
     .create = expressway_e_create},
    {"expressway-c", expressway_c_fields, sizeof(struct expressway_c_config), .called = true,
     .create = expressway_c_create},
    {"meeting-server", meeting_server_fields, sizeof(struct meeting_server_settings), .called = true,
     .create = meeting_server_create},
    {.name = NULL},
};
