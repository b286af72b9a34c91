/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The settings of Meeting Server. */
#ifndef TP_SCENARIO_SYSTEM_MEETING_SERVER_H
#define TP_SCENARIO_SYSTEM_MEETING_SERVER_H

#include "models/actors/meeting_server.h"
#include "sim/scenario/systems_parts.h"

struct meeting_server_settings {
    struct meeting_server_config cfg;
    int turn_profile;
    struct endpoint media_turn;
    LIST_OF(struct dial_rule) dial_plan;
};

extern const struct field meeting_server_fields[];
system_create meeting_server_create;

#endif
