/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The audio and video of a Skype client's planned call: made, muted and held as the plan says, and noted. */
#ifndef TP_ACTORS_SKYPE_MEDIA_H
#define TP_ACTORS_SKYPE_MEDIA_H

#include "models/actors/session.h"
#include "models/sip/sip.h"

struct skype_media;
/* plan, and the strings of cfg, are borrowed. NULL: no memory. */
struct skype_media *skype_media_new(struct io *io, unsigned owner, const struct call_plan *plan,
                                    const struct session_config *cfg);
void skype_media_free(struct skype_media *m);

void skype_media_begin(struct skype_media *m); /* the call is wanted: an offer follows */
/* The answer to an offer. false: nothing in it that we can take. */
bool skype_media_answered(struct skype_media *m, const struct sip_msg *answer);
/* The call is over, before it was up or after: services end. */
void skype_media_close(struct skype_media *m);

void skype_media_input(struct skype_media *m, const struct io_in *in);
uint64_t skype_media_deadline(const struct skype_media *m);
/* An offer that is to be sent, in INVITE or re-INVITE; NULL: none now. Borrowed until the next input. */
const char *skype_media_offer(struct skype_media *m);

#endif
