/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "sip-endpoint" and "unified-cm": phones, and what they are connected to. */
#include "models/actors/sip_phones.h"
#include "sim/scenario/system_endpoints.h"

#define PHONES struct sip_phones_settings
static const struct field_name dialects[] = {
    {"plain", SESSION_PLAIN}, {"ice", SESSION_ICE}, {"microsoft", SESSION_MICROSOFT}, {NULL, 0}};

#define SETTINGS_OF_BOTH \
    {FIELD("latch", BOOL, PHONES, latch), .dflt = true}, TIMEOUT("answer_timeout_s", PHONES, answer_ns, 60), \
        SESSION(PHONES, media)
const struct field sip_endpoint_fields[] = {
    TEXT("uri", PHONES, uri, "sip:endpoint@partner.example"),
    {FIELD("servers", LIST, PHONES, servers), .of = FIELD_ENDPOINT, .required = true, .min = 1,
     .max = SIP_PHONES_LINES},
    {FIELD("dialect", ENUM, PHONES, dialect), .names = dialects, .dflt = SESSION_PLAIN},
    SETTINGS_OF_BOTH,
    END,
};
const struct field unified_cm_fields[] = {
    TEXT("uri", PHONES, uri, "sip:cucm@acme.example"),
    {FIELD("trunks", LIST, PHONES, servers), .of = FIELD_ENDPOINT, .required = true, .min = 1, .max = SIP_PHONES_LINES},
    {FIELD("listen", LIST, PHONES, listen), .of = FIELD_ENDPOINT, .max = SIP_PHONES_LINES},
    {FIELD("numbers", STRING, PHONES, numbers), .text = "", .max = 32},
    {FIELD("options_s", U64, PHONES, options_ns), .scale = NS_S, .dflt = 60, .max = 3600},
    SETTINGS_OF_BOTH,
    END,
};

static int create(const PHONES *s, const struct system_host *host, struct io *io, struct core *out,
                  struct sip_phones_config *cfg)
{
    cfg->uri = s->uri;
    cfg->numbers = s->numbers ? s->numbers : "";
    cfg->options_ns = s->options_ns;
    cfg->answer_ns = s->answer_ns;
    cfg->call = host->call;
    cfg->call_count = host->call_count;
    cfg->line_count = s->servers.count;
    for (size_t i = 0; i < s->servers.count; i++)
        cfg->line[i].server = s->servers.items[i];
    const char *why = check_uri(s->uri, "uri is not a SIP URI, such as sip:name@example.com");
    if (!why)
        why = session_settings_read(&s->media, host, &cfg->media);
    if (!why && plan_has_other(host, CALL_AUDIO | CALL_VIDEO))
        why = "its calls have audio and video, no share";
    if (why)
        return refuse(io, why, out);
    cfg->media.dialect = (enum session_dialect)s->dialect;
    cfg->media.latch = s->latch;
    cfg->media.media = CALL_AUDIO | CALL_VIDEO;
    return sip_phones_make(io, cfg, out);
}

int sip_endpoint_create(const void *settings, const struct system_host *host, struct io *io, struct core *out)
{
    struct sip_phones_config cfg = {.peer = "Expressway-E", .agent = "TANDBERG/529 (ce9.1)"};
    return create(settings, host, io, out, &cfg);
}

/* Each trunk is one connection a direction: ours to Expressway-C, and one that it makes to where we listen. */
int unified_cm_create(const void *settings, const struct system_host *host, struct io *io, struct core *out)
{
    static const char *const services[SIP_PHONES_LINES] = {"trunk-1", "trunk-2"};
    static const struct endpoint usual[SIP_PHONES_LINES] = {{{.family = IP_V4}, 5061}, {{.family = IP_V4}, 5060}};
    const PHONES *s = settings;
    struct sip_phones_config cfg = {.peer = "Expressway-C", .agent = "Cisco-CUCM11.5"};
    for (size_t i = 0; i < SIP_PHONES_LINES; i++) {
        cfg.line[i].service = services[i];
        if (!s->listen.count)
            cfg.line[i].listen = usual[i];
        else if (i < s->listen.count)
            cfg.line[i].listen = s->listen.items[i];
    }
    return create(s, host, io, out, &cfg);
}
