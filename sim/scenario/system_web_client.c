/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "guest-browser" and "webrtc-app". */
#include "models/actors/web_client.h"
#include "sim/scenario/system_endpoints.h"

enum { TYPED_HTTPS, TYPED_HTTP };
static const struct field_name typed_names[] = {{"https", TYPED_HTTPS}, {"http", TYPED_HTTP}, {NULL, 0}};

#define WEB struct web_client_settings
#define SETTINGS_OF_BOTH \
    TEXT("host", WEB, host, "join.acme.example"), {FIELD("server", ENDPOINT, WEB, https), .required = true}, \
        TIMEOUT("web_timeout_s", WEB, patience_ns, 20), TIMEOUT("answer_timeout_s", WEB, answer_ns, 60), \
        SESSION(WEB, media)
const struct field guest_browser_fields[] = {
    SETTINGS_OF_BOTH,
    {FIELD("typed", ENUM, WEB, typed), .names = typed_names, .dflt = TYPED_HTTPS},
    {FIELD("http_port", U16, WEB, http_port), .dflt = 80, .min = 1},
    END,
};
const struct field webrtc_app_fields[] = {SETTINGS_OF_BOTH, END};

static int create(const WEB *s, const struct system_host *host, struct io *io, struct core *out, bool app)
{
    struct web_client_config cfg = {.host = s->host, .https = s->https, .app = app, .call = host->call,
                                    .call_count = host->call_count, .patience_ns = s->patience_ns,
                                    .answer_ns = s->answer_ns};
    const char *why = session_settings_read(&s->media, host, &cfg.media);
    if (!why && plan_has_other(host, CALL_AUDIO | CALL_VIDEO))
        why = "its calls have audio and video, no share";
    if (why)
        return refuse(io, why, out);
    cfg.media.dialect = SESSION_ICE;
    if (s->typed == TYPED_HTTP)
        cfg.http = (struct endpoint){s->https.ip, s->http_port};
    return web_client_make(io, &cfg, out);
}

int guest_browser_create(const void *settings, const struct system_host *host, struct io *io, struct core *out)
{
    return create(settings, host, io, out, false);
}

int webrtc_app_create(const void *settings, const struct system_host *host, struct io *io, struct core *out)
{
    return create(settings, host, io, out, true);
}
