/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The settings of Expressway-E and Expressway-C. */
#ifndef TP_SCENARIO_SYSTEM_EXPRESSWAY_H
#define TP_SCENARIO_SYSTEM_EXPRESSWAY_H

#include "models/actors/expressway.h"
#include "sim/scenario/systems_parts.h"

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

extern const struct field expressway_e_fields[], expressway_c_fields[];
system_create expressway_e_create, expressway_c_create;

#endif
