/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The systems that a host of a topology can be: name, settings, constructor; one row each.
 *
 * A call is judged by what its systems note: phases that end with "", no failure, and from each of the two that share
 * the NOTE_RESULTs share.sent_sha256, share.sent_bytes, share.received_sha256 and share.received_bytes, where what one
 * has sent is what the other received. It is judged by its services as well (io.h, NOTE_SERVICE): each must hold at
 * the end, and the services of a planned call have names that begin with the call's, as "guest-1/audio". */
#ifndef TP_SCENARIO_SYSTEMS_H
#define TP_SCENARIO_SYSTEMS_H

#include "models/actors/call.h"
#include "models/base/io.h"
#include "sim/scenario/fields.h"

/* The host that a system is put on. */
struct system_host {
    const char *name;
    const struct ip_prefix *address; /* of its interfaces, in order */
    size_t address_count;
    const struct call_plan *call; /* those that the topology lets it make, which outlive it */
    size_t call_count;
};

struct system {
    const char *name;           /* "meeting-server" */
    const struct field *fields; /* of its "settings" */
    size_t settings_size;
    bool called; /* it takes part in calls that another begins */
    bool relay;  /* it is a TURN server: its conformance is watched */
    /* Makes the system on io; settings and host outlive it. E_NOMEM. */
    int (*create)(const void *settings, const struct system_host *host, struct io *io, struct core *out);
};

extern const struct system systems[]; /* ends with a row without a name */

#endif
