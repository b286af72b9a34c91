/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cisco Meeting Server. It takes calls on SIP: for one with m=applicationsharing it is the far end of a share
 * (allocates at its TURN server, answers with the relayed candidate, lets the peer's connection in, or makes one,
 * checks as the ICE agent that is controlled, sends its own screen, and notes the phases of the call); for one with
 * audio or video it is a conference (conference.h), which web clients join by way of the web bridge (web_bridge.h).
 * The audio and video that the lab's Skype client offers before a share, RTP/SAVP without keys and without ICE, are not
 * modelled: such a call is answered, and that is all. */
#ifndef TP_ACTORS_MEETING_SERVER_H
#define TP_ACTORS_MEETING_SERVER_H

#include "models/actors/conference.h"
#include "models/actors/screen.h"
#include "models/actors/web_bridge.h"
#include "models/base/io.h"
#include "models/turn/turn_client.h"

struct meeting_server_config {
    struct ip_addr address;                /* its own */
    struct endpoint sip, sip_tcp, sip_udp; /* listens; port 0: not. sip: what is TLS in the field */
    const char *uri;
    uint64_t sip_keep_alive_ns; /* a call that is quiet for so long is asked with OPTIONS whether it still is one */
    const struct turn_client_profile *turn_profile;
    struct endpoint turn; /* of shares, over TCP */
    const char *turn_user, *turn_password;
    bool create_permission; /* for the other side's relayed candidates, before the answer */
    bool connect;           /* also Connect to the other side's passive candidates */
    uint64_t allocate_timeout_ns, connect_timeout_ns, bind_timeout_ns, ice_timeout_ns, reinvite_timeout_ns;
    uint64_t stall_timeout_ns;
    struct screen_config screen;
    struct conference_config conference; /* its address, agent and TURN user are those above */
    struct web_bridge_config web;
};

/* cfg's strings are borrowed. E_NOMEM. */
int meeting_server_make(struct io *io, const struct meeting_server_config *cfg, struct core *out);

#endif
