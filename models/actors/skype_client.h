/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A Skype for Business client in a conference: its audio and video call first, then the share, in a call of its own,
 * with candidates of its own host and of its relay at the Edge. It is the ICE agent that controls.
 *
 * Without a plan the audio and video call is signalled alone. A planned call has real media (session.h), and services:
 * CALL/signalling, CALL/audio, CALL/video, CALL/share. */
#ifndef TP_ACTORS_SKYPE_CLIENT_H
#define TP_ACTORS_SKYPE_CLIENT_H

#include "models/actors/screen.h"
#include "models/actors/session.h"

struct skype_client_config {
    struct ip_addr address; /* its own */
    const char *uri, *conference;
    const char *peer;                    /* who its server is, for people: "the Skype Edge" */
    struct endpoint edge_sip, edge_turn; /* where that is reached; edge_turn: port 0: it has no relay */
    const char *turn_user, *turn_password;
    bool attendee;        /* its role in the conference; else presenter */
    bool host_candidates; /* offer its own address besides the relay */
    uint16_t media_port;  /* of its passive host candidate */
    uint64_t call_at_ns, share_at_ns;
    uint64_t allocate_timeout_ns, answer_timeout_ns, ice_timeout_ns, stall_timeout_ns;
    struct screen_config screen;
    const struct call_plan *call; /* NULL: none; borrowed. It begins at its own time, the share at share_at_ns */
    struct session_config media;  /* of a planned call; name, role, and what media it has, are the call's own */
};

/* cfg's strings are borrowed. E_NOMEM. */
int skype_client_make(struct io *io, const struct skype_client_config *cfg, struct core *out);

#endif
