/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The setting "media" of systems that have calls: what they send, from which ports, by which relays. */
#ifndef TP_SCENARIO_SYSTEM_SESSION_H
#define TP_SCENARIO_SYSTEM_SESSION_H

#include "models/actors/session.h"
#include "sim/scenario/systems_parts.h"

struct media_rate {
    uint32_t packets_per_s;
    uint16_t payload_bytes;
};

struct session_settings {
    struct ip_addr address; /* unset: the host's first */
    uint16_t first_port, last_port;
    bool host_candidates;
    struct media_rate audio, video;
    uint64_t gather_timeout_ns, check_timeout_ns, silence_ns;
    LIST_OF(struct session_relay) relays;
};

extern const struct field session_fields[];
#define SESSION(of_struct, member) \
    { \
        FIELD("media", OBJECT, of_struct, member), .fields = session_fields, .size = sizeof(struct session_settings) \
    }

/* For sessions of such a system, all but name, dialect, role and media. What makes no sense, or NULL. */
const char *session_settings_read(const struct session_settings *s, const struct system_host *host,
                                  struct session_config *out);
/* Whether a call of the plan has other media than those. */
bool plan_has_other(const struct system_host *host, unsigned media);

#endif
