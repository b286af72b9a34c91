/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the systems' settings have in common: rows of their tables, and checks of what a table cannot say. Included by
 * sim/scenario/system_*.c alone, each of which has the table and the constructor of one system. */
#ifndef TP_SCENARIO_SYSTEMS_PARTS_H
#define TP_SCENARIO_SYSTEMS_PARTS_H

#include "models/actors/screen.h"
#include "models/base/time.h"
#include "sim/scenario/systems.h"

#define END \
    { \
        .key = NULL \
    }

/* What a side sends of its screen, and gives up waiting for. */
extern const struct field screen_fields[];
#define SCREEN(of_struct, member) \
    { \
        FIELD("screen", OBJECT, of_struct, member), .fields = screen_fields, \
                                                    .size = sizeof(struct screen_config) \
    }
#define TIMEOUT(name, of_struct, member, seconds) \
    { \
        FIELD(name, U64, of_struct, member), .scale = NS_S, .dflt = (seconds), .min = 1, .max = 3600 \
    }

/* Texts go into messages: what is too long for one is a mistake. */
#define TEXT(name, of_struct, member, default_text) \
    {FIELD(name, STRING, of_struct, member), .text = (default_text), .min = 1, .max = 120}

/* ---- settings that are well-formed, but make no sense together: what is wrong, or NULL ---- */

const char *check_uri(const char *uri, const char *why);
const char *check_ports(uint16_t first, uint16_t last);

/* A system that says why it does not begin, and does nothing else: the run fails with that as its reason. why is
 * borrowed. E_NOMEM. */
int refuse(struct io *io, const char *why, struct core *out);

/* Of the addresses that a host has, the one that it calls its own unless a setting says otherwise. */
struct ip_addr own_address(const struct system_host *host, const struct ip_addr *setting);
/* Relay addresses are one a family: a setting means its own family. */
void set_by_family(const struct ip_addr *ip, struct ip_addr *ip4, struct ip_addr *ip6);

/* What a row of the table says that makes a system. */
typedef int system_create(const void *settings, const struct system_host *host, struct io *io, struct core *out);

#endif
