/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/system_session.h"

#include <string.h>

static const struct field_name relay_kinds[] = {
    {"turn-udp", SESSION_TURN_UDP}, {"turn-tcp", SESSION_TURN_TCP}, {"ms-turn", SESSION_MS_TURN}, {NULL, 0}};

static const struct field relay_fields[] = {
    {FIELD("kind", ENUM, struct session_relay, kind), .names = relay_kinds, .required = true},
    {FIELD("server", ENDPOINT, struct session_relay, server), .required = true},
    TEXT("user", struct session_relay, user, "turn"),
    TEXT("password", struct session_relay, password, "turn-secret"),
    END,
};

/* G.711 in packets of 20 ms; a modest video. */
static const struct field audio_fields[] = {
    {FIELD("packets_per_s", U32, struct media_rate, packets_per_s), .dflt = 50, .max = 1000},
    {FIELD("payload_bytes", U16, struct media_rate, payload_bytes), .dflt = 160, .min = 1, .max = MEDIA_PAYLOAD_MAX},
    END,
};
static const struct field video_fields[] = {
    {FIELD("packets_per_s", U32, struct media_rate, packets_per_s), .dflt = 60, .max = 10000},
    {FIELD("payload_bytes", U16, struct media_rate, payload_bytes), .dflt = 1000, .min = 1, .max = MEDIA_PAYLOAD_MAX},
    END,
};

#define RATE(name, member, table) \
    { \
        FIELD(name, OBJECT, struct session_settings, member), .fields = (table), .size = sizeof(struct media_rate) \
    }
const struct field session_fields[] = {
    {FIELD("address", IP, struct session_settings, address)},
    {FIELD("first_port", U16, struct session_settings, first_port), .dflt = 49152, .min = 1024},
    {FIELD("last_port", U16, struct session_settings, last_port), .dflt = 65535, .min = 1024},
    {FIELD("host_candidates", BOOL, struct session_settings, host_candidates), .dflt = true},
    RATE("audio", audio, audio_fields),
    RATE("video", video, video_fields),
    TIMEOUT("gather_timeout_s", struct session_settings, gather_timeout_ns, 3),
    TIMEOUT("check_timeout_s", struct session_settings, check_timeout_ns, 30),
    TIMEOUT("silence_s", struct session_settings, silence_ns, 30),
    {FIELD("relays", LIST, struct session_settings, relays), .of = FIELD_OBJECT, .fields = relay_fields,
     .size = sizeof(struct session_relay), .max = SESSION_RELAYS_MAX},
    END,
};

const char *session_settings_read(const struct session_settings *s, const struct system_host *host,
                                  struct session_config *out)
{
    enum { PCMA = 8, DYNAMIC = 97 }; /* RFC 3551 6 */
    const struct session_config cfg = {
        .address = own_address(host, &s->address),
        .first_port = s->first_port,
        .last_port = s->last_port,
        .host_candidates = s->host_candidates,
        .relay_count = s->relays.count,
        .audio = {.packets_per_s = s->audio.packets_per_s, .payload_bytes = s->audio.payload_bytes,
                  .payload_type = PCMA, .clock = 8000},
        .video = {.packets_per_s = s->video.packets_per_s, .payload_bytes = s->video.payload_bytes,
                  .payload_type = DYNAMIC, .clock = 90000},
        .gather_timeout_ns = s->gather_timeout_ns,
        .check_timeout_ns = s->check_timeout_ns,
        .silence_ns = s->silence_ns,
    };
    *out = cfg;
    for (size_t i = 0; i < s->relays.count; i++)
        out->relay[i] = s->relays.items[i];
    return check_ports(s->first_port, s->last_port);
}

bool plan_has_other(const struct system_host *host, unsigned media)
{
    for (size_t i = 0; i < host->call_count; i++)
        if (host->call[i].media & ~media)
            return true;
    return false;
}
