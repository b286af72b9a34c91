/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/system_meeting_server.h"

#include <stdio.h>

#define CMS struct meeting_server_settings
enum { CLIENT_PLAIN, CLIENT_MEETING_SERVER };
static const struct turn_client_profile *const client_profiles[] = {
    [CLIENT_PLAIN] = &turn_client_plain, [CLIENT_MEETING_SERVER] = &turn_client_meeting_server};
static const struct field_name client_profile_names[] = {
    {"plain", CLIENT_PLAIN}, {"meeting-server", CLIENT_MEETING_SERVER}, {NULL, 0}};

/* What each participant gets: G.711 in frames of 20 ms; video of about 384 kbit/s. */
static const struct field audio_fields[] = {
    {FIELD("packets_per_s", U32, struct media_config, packets_per_s), .dflt = 50, .max = 1000},
    {FIELD("payload_bytes", U16, struct media_config, payload_bytes), .dflt = 160, .min = 1, .max = MEDIA_PAYLOAD_MAX},
    END,
};
static const struct field video_fields[] = {
    {FIELD("packets_per_s", U32, struct media_config, packets_per_s), .dflt = 48, .max = 10000},
    {FIELD("payload_bytes", U16, struct media_config, payload_bytes), .dflt = 1000, .min = 1, .max = MEDIA_PAYLOAD_MAX},
    END,
};

/* A call to a user that begins so at that domain is forwarded, to another if `to` says so. */
static const struct field_name dialects[] = {
    {"plain", SESSION_PLAIN}, {"ice", SESSION_ICE}, {"microsoft", SESSION_MICROSOFT}, {NULL, 0}};
static const struct field dial_fields[] = {
    {FIELD("user", STRING, struct dial_rule, user), .text = "", .max = 120},
    {FIELD("domain", STRING, struct dial_rule, domain), .required = true, .min = 1, .max = 120},
    {FIELD("to", STRING, struct dial_rule, to), .text = "", .max = 120},
    {FIELD("dialect", ENUM, struct dial_rule, dialect), .names = dialects, .dflt = SESSION_PLAIN},
    END,
};

const struct field meeting_server_fields[] = {
    TEXT("uri", CMS, cfg.uri, "sip:meeting@acme.example"),
    {FIELD("sip", ENDPOINT, CMS, cfg.sip), .text = "0.0.0.0:5061"},
    {FIELD("sip_tcp", ENDPOINT, CMS, cfg.sip_tcp), .text = "0.0.0.0:5060"},
    {FIELD("sip_udp", ENDPOINT, CMS, cfg.sip_udp), .text = "0.0.0.0:5060"},
    TIMEOUT("sip_keep_alive_s", CMS, cfg.sip_keep_alive_ns, 900), /* RFC 4028, 4 and 10: half of 1,800 s */
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
    {FIELD("participants", U64, CMS, cfg.conference.participants_max), .dflt = 100, .min = 1, .max = 1000},
    {FIELD("first_port", U16, CMS, cfg.conference.first_port), .dflt = 50000, .min = 1024},
    {FIELD("last_port", U16, CMS, cfg.conference.last_port), .dflt = 51000, .min = 1024},
    {FIELD("host_candidates", BOOL, CMS, cfg.conference.host_candidates), .dflt = true},
    {FIELD("media_turn", ENDPOINT, CMS, media_turn)},
    {FIELD("turn_ports", U32, CMS, cfg.conference.turn_ports), .dflt = 1, .min = 1, .max = 6},
    {FIELD("audio", OBJECT, CMS, cfg.conference.audio), .fields = audio_fields, .size = sizeof(struct media_config)},
    {FIELD("video", OBJECT, CMS, cfg.conference.video), .fields = video_fields, .size = sizeof(struct media_config)},
    {FIELD("dial_plan", LIST, CMS, dial_plan), .of = FIELD_OBJECT, .fields = dial_fields,
     .size = sizeof(struct dial_rule), .max = 32},
    {FIELD("web", ENDPOINT, CMS, cfg.web.listen), .text = "0.0.0.0:443"},
    {FIELD("web_events", ENDPOINT, CMS, cfg.web.events)},
    {FIELD("web_events_waiting", U64, CMS, cfg.web.events_max), .dflt = 256, .min = 1, .max = 65536},
    TIMEOUT("web_keep_alive_s", CMS, cfg.conference.web_keep_alive_ns, 90),
    END,
};

static const char *check_hosts(const struct meeting_server_settings *s)
{
    char uri[160];
    const char *why = NULL;
    for (size_t i = 0; i < s->dial_plan.count && !why; i++) {
        snprintf(uri, sizeof uri, "sip:%s", s->dial_plan.items[i].to);
        if (s->dial_plan.items[i].to[0])
            why = check_uri(uri, "in dial_plan, `to` is not a host");
    }
    return why;
}

int meeting_server_create(const void *settings, const struct system_host *host, struct io *io, struct core *out)
{
    const struct meeting_server_settings *s = settings;
    struct meeting_server_config cfg = s->cfg;
    const char *why = check_uri(cfg.uri, "uri is not a SIP URI, such as sip:name@example.com");
    if (!why)
        why = check_ports(cfg.conference.first_port, cfg.conference.last_port);
    if (!why)
        why = check_hosts(s);
    if (why)
        return refuse(io, why, out);
    cfg.address = own_address(host, &cfg.address);
    cfg.turn_profile = client_profiles[s->turn_profile];
    cfg.conference.turn = s->media_turn.port ? s->media_turn : (struct endpoint){cfg.turn.ip, 3478};
    cfg.conference.audio.payload_type = 8; /* RFC 3551 6: PCMA */
    cfg.conference.audio.clock = 8000;
    cfg.conference.video.payload_type = 97;
    cfg.conference.video.clock = 90000;
    cfg.conference.rule = s->dial_plan.items;
    cfg.conference.rules = s->dial_plan.count;
    return meeting_server_make(io, &cfg, out);
}
