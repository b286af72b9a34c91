/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The settings and constructors of the systems at the ends of calls, for their rows in systems.c. */
#ifndef TP_SCENARIO_SYSTEM_ENDPOINTS_H
#define TP_SCENARIO_SYSTEM_ENDPOINTS_H

#include "models/actors/admin_pc.h"
#include "models/actors/skype_client.h"
#include "models/actors/skype_edge.h"
#include "sim/scenario/system_session.h"

struct web_client_settings { /* guest-browser, webrtc-app */
    const char *host;
    struct endpoint https;
    uint16_t http_port;
    int typed;
    uint64_t patience_ns, answer_ns;
    struct session_settings media;
};

struct sip_phones_settings { /* sip-endpoint, unified-cm */
    const char *uri, *numbers;
    LIST_OF(struct endpoint) servers, listen;
    int dialect;
    bool latch;
    uint64_t options_ns, answer_ns;
    struct session_settings media;
};

struct skype_client_settings { /* skype-client, microsoft-client */
    struct skype_client_config cfg;
    int role;
    uint16_t turn_udp_port;
    struct session_settings media;
};

extern const struct field guest_browser_fields[], webrtc_app_fields[], admin_pc_fields[], sip_endpoint_fields[],
    unified_cm_fields[], skype_client_fields[], microsoft_client_fields[], skype_edge_fields[];
system_create guest_browser_create, webrtc_app_create, admin_pc_create, sip_endpoint_create, unified_cm_create,
    skype_client_create, microsoft_client_create, skype_edge_create;

#endif
