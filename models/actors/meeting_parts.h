/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Meeting Server's insides: meeting_server.c (signalling, and who gets what), meeting_share.c (application shares),
 * conference.c and participant.c (audio and video), web_bridge.c (web clients). Each call of the SIP user agent has as
 * its user what it is for, whose first member says which. */
#ifndef TP_ACTORS_MEETING_PARTS_H
#define TP_ACTORS_MEETING_PARTS_H

#include "models/actors/meeting_server.h"
#include "models/sip/sdp.h"
#include "models/sip/ua.h"

/* Owner numbers. Each share has a TURN client with one of its own, from OWNER_SHARE up. */
enum { OWNER_SIP = 1, OWNER_MEDIA = 2, OWNER_WEB = 3, OWNER_SHARE = 16, SHARES_MAX = 32 };

enum meeting_call { MEETING_SHARE, MEETING_PARTICIPANT };

struct meeting_shares;
struct meeting_shares *meeting_shares_new(struct io *io, const struct meeting_server_config *cfg, struct sip_ua *ua);
void meeting_shares_free(struct meeting_shares *s);
/* A new call with that m=applicationsharing: answered, later, or refused. */
void meeting_shares_invited(struct meeting_shares *s, struct sip_call *call, const struct sdp_media *m);
void meeting_shares_sip(struct meeting_shares *s, const struct sip_ua_event *ev); /* of a call of theirs */
void meeting_shares_input(struct meeting_shares *s, const struct io_in *in);
uint64_t meeting_shares_deadline(const struct meeting_shares *s);
bool meeting_shares_poll(struct meeting_shares *s); /* true: something was done, which may lead to more */

#endif
