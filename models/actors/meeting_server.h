/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cisco Meeting Server as the far end of a share: it takes calls on SIP; for one with m=applicationsharing it
 * allocates at its TURN server, answers with the relayed candidate, lets the peer's connection in (or makes
 * one), checks, and sends its own screen. It is the ICE agent that is controlled. It notes the phases of the
 * call. */
#ifndef TP_ACTORS_MEETING_SERVER_H
#define TP_ACTORS_MEETING_SERVER_H

#include "models/actors/screen.h"
#include "models/base/io.h"
#include "models/turn/turn_client.h"

struct meeting_server_config {
    struct ip_addr address; /* its own */
    struct endpoint sip;    /* listens */
    const char *uri;
    const struct turn_client_profile *turn_profile;
    struct endpoint turn;
    const char *turn_user, *turn_password;
    bool create_permission; /* for the other side's relayed candidates, before the answer */
    bool connect;           /* also Connect to the other side's passive candidates */
    uint64_t allocate_timeout_ns, connect_timeout_ns, bind_timeout_ns, ice_timeout_ns, reinvite_timeout_ns;
    uint64_t stall_timeout_ns;
    struct screen_config screen;
};

/* cfg's strings are borrowed. E_NOMEM. */
int meeting_server_make(struct io *io, const struct meeting_server_config *cfg, struct core *out);

#endif
