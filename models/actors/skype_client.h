/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A Skype for Business client in a conference: its audio and video call first, then the share, in a call of
 * its own, with candidates of its own host and of its relay at the Edge. It is the ICE agent that controls.
 */
#ifndef TP_ACTORS_SKYPE_CLIENT_H
#define TP_ACTORS_SKYPE_CLIENT_H

#include "models/actors/screen.h"
#include "models/base/io.h"

struct skype_client_config {
    struct ip_addr address; /* its own */
    const char *uri, *conference;
    struct endpoint edge_sip, edge_turn; /* where the Edge is reached */
    const char *turn_user, *turn_password;
    bool attendee;        /* its role in the conference; else presenter */
    bool host_candidates; /* offer its own address besides the relay */
    uint16_t media_port;  /* of its passive host candidate */
    uint64_t call_at_ns, share_at_ns;
    uint64_t allocate_timeout_ns, answer_timeout_ns, ice_timeout_ns, stall_timeout_ns;
    struct screen_config screen;
};

/* cfg's strings are borrowed. E_NOMEM. */
int skype_client_make(struct io *io, const struct skype_client_config *cfg, struct core *out);

#endif
