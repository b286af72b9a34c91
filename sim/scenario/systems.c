/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/systems.h"

#include "models/actors/skype_client.h"
#include "models/actors/skype_edge.h"
#include "sim/scenario/system_expressway.h"
#include "sim/scenario/system_meeting_server.h"
#include "sim/scenario/systems_parts.h"

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
    {FIELD("turn_udp", ENDPOINT, EDGE, turn_udp), .text = "0.0.0.0:3478"},
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

const struct system systems[] = {
    {"skype-client", skype_client_fields, sizeof(struct skype_client_settings), .create = skype_client_create},
    {"skype-edge", skype_edge_fields, sizeof(struct skype_edge_config), .called = true, .create = skype_edge_create},
    {"expressway-e", expressway_e_fields, sizeof(struct expressway_e_settings), .called = true, .relay = true,
     .create = expressway_e_create},
    {"expressway-c", expressway_c_fields, sizeof(struct expressway_c_settings), .called = true,
     .create = expressway_c_create},
    {"meeting-server", meeting_server_fields, sizeof(struct meeting_server_settings), .called = true,
     .create = meeting_server_create},
    {.name = NULL},
};
