/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/systems.h"

#include "sim/scenario/system_endpoints.h"
#include "sim/scenario/system_expressway.h"
#include "sim/scenario/system_meeting_server.h"

const struct system systems[] = {
    {"skype-client", skype_client_fields, sizeof(struct skype_client_settings), .create = skype_client_create},
    {"skype-edge", skype_edge_fields, sizeof(struct skype_edge_config), .called = true, .create = skype_edge_create},
    {"expressway-e", expressway_e_fields, sizeof(struct expressway_e_settings), .called = true, .relay = true,
     .create = expressway_e_create},
    {"expressway-c", expressway_c_fields, sizeof(struct expressway_c_settings), .called = true,
     .create = expressway_c_create},
    {"meeting-server", meeting_server_fields, sizeof(struct meeting_server_settings), .called = true,
     .create = meeting_server_create},
    {"microsoft-client", microsoft_client_fields, sizeof(struct skype_client_settings),
     .create = microsoft_client_create},
    {"guest-browser", guest_browser_fields, sizeof(struct web_client_settings), .create = guest_browser_create},
    {"webrtc-app", webrtc_app_fields, sizeof(struct web_client_settings), .create = webrtc_app_create},
    {"admin-pc", admin_pc_fields, sizeof(struct admin_pc_config), .create = admin_pc_create},
    {"sip-endpoint", sip_endpoint_fields, sizeof(struct sip_phones_settings), .called = true,
     .create = sip_endpoint_create},
    {"unified-cm", unified_cm_fields, sizeof(struct sip_phones_settings), .called = true, .create = unified_cm_create},
    {.name = NULL},
};
