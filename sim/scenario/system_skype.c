/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "skype-client", "microsoft-client" and "skype-edge". */
#include "sim/scenario/system_endpoints.h"

/* ---- skype-client, microsoft-client ---- */

#define CLIENT struct skype_client_settings
static const struct field_name roles[] = {{"presenter", false}, {"attendee", true}, {NULL, 0}};

#define SETTINGS_OF_BOTH \
    TEXT("uri", CLIENT, cfg.uri, "sip:alice@fabrikam.example"), \
        TEXT("conference", CLIENT, cfg.conference, "sip:meeting@acme.example"), \
        {FIELD("role", ENUM, CLIENT, role), .names = roles, .dflt = false}, \
        {FIELD("media_port", U16, CLIENT, cfg.media_port), .dflt = 50040, .min = 1}, \
        {FIELD("call_at_ms", U64, CLIENT, cfg.call_at_ns), .scale = NS_MS, .dflt = 5000, .max = 3600000}, \
        {FIELD("share_at_ms", U64, CLIENT, cfg.share_at_ns), .scale = NS_MS, .dflt = 20000, .max = 3600000}, \
        TIMEOUT("answer_timeout_s", CLIENT, cfg.answer_timeout_ns, 60), \
        TIMEOUT("ice_timeout_s", CLIENT, cfg.ice_timeout_ns, 30), \
        TIMEOUT("stall_timeout_s", CLIENT, cfg.stall_timeout_ns, 30), SCREEN(CLIENT, cfg.screen), SESSION(CLIENT, media)

const struct field skype_client_fields[] = {
    SETTINGS_OF_BOTH,
    {FIELD("edge_sip", ENDPOINT, CLIENT, cfg.edge_sip), .required = true},
    {FIELD("edge_turn", ENDPOINT, CLIENT, cfg.edge_turn), .required = true},
    {FIELD("edge_turn_udp_port", U16, CLIENT, turn_udp_port), .dflt = 3478, .min = 1},
    TEXT("turn_user", CLIENT, cfg.turn_user, "alice"),
    TEXT("turn_password", CLIENT, cfg.turn_password, "mras-secret"),
    {FIELD("host_candidates", BOOL, CLIENT, cfg.host_candidates), .dflt = true},
    TIMEOUT("allocate_timeout_s", CLIENT, cfg.allocate_timeout_ns, 15),
    END,
};

/* A client that reaches Expressway-E by itself has no relay of its own. */
const struct field microsoft_client_fields[] = {
    SETTINGS_OF_BOTH,
    {FIELD("server", ENDPOINT, CLIENT, cfg.edge_sip), .required = true},
    END,
};

static int create(const CLIENT *s, const struct system_host *host, struct io *io, struct core *out,
                  struct skype_client_config *cfg)
{
    const char *why = check_uri(cfg->uri, "uri is not a SIP URI, such as sip:name@example.com");
    if (!why)
        why = check_uri(cfg->conference, "conference is not a SIP URI, such as sip:name@example.com");
    if (!why)
        why = session_settings_read(&s->media, host, &cfg->media);
    if (!why && host->call_count > 1)
        why = "a Microsoft client makes one call";
    if (!why && host->call_count && !(host->call->media & (CALL_AUDIO | CALL_VIDEO)))
        why = "its call has audio or video; a share comes beside them";
    if (why)
        return refuse(io, why, out);
    cfg->address = own_address(host, &cfg->address);
    cfg->attendee = s->role;
    cfg->call = host->call_count ? host->call : NULL;
    cfg->media.dialect = SESSION_MICROSOFT;
    return skype_client_make(io, cfg, out);
}

/* Its relay for audio and video is the Edge's, over UDP, unless it is told other ones. */
int skype_client_create(const void *settings, const struct system_host *host, struct io *io, struct core *out)
{
    const CLIENT *s = settings;
    struct skype_client_settings own = *s;
    struct session_relay edge = {SESSION_MS_TURN, {s->cfg.edge_turn.ip, s->turn_udp_port}, s->cfg.turn_user,
                                 s->cfg.turn_password};
    struct skype_client_config cfg = s->cfg;
    cfg.peer = "the Skype Edge";
    if (!own.media.relays.count) {
        own.media.relays.items = &edge;
        own.media.relays.count = 1;
    }
    return create(&own, host, io, out, &cfg);
}

int microsoft_client_create(const void *settings, const struct system_host *host, struct io *io, struct core *out)
{
    const CLIENT *s = settings;
    struct skype_client_config cfg = s->cfg;
    cfg.peer = "Expressway-E";
    cfg.turn_user = cfg.turn_password = "";
    cfg.host_candidates = true;
    return create(s, host, io, out, &cfg);
}

/* ---- skype-edge ---- */

#define EDGE struct skype_edge_config
const struct field skype_edge_fields[] = {
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

int skype_edge_create(const void *settings, const struct system_host *host, struct io *io, struct core *out)
{
    struct skype_edge_config cfg = *(const struct skype_edge_config *)settings;
    const char *why = check_ports(cfg.first_port, cfg.last_port);
    if (why)
        return refuse(io, why, out);
    cfg.address = own_address(host, &cfg.address);
    return skype_edge_make(io, &cfg, out);
}
