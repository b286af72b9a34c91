/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The audio and video of a Meeting Server: everyone who has called, over SIP or from the web, with a session
 * (session.h) in the dialect that the offer shows. What a participant gets is the conference's stream, at its rate, not
 * another participant's packets; so the two directions of a call are judged apart. Services are noted under the
 * caller's name: NAME/signalling here, NAME/audio and NAME/video by the session.
 * A call that the dial plan has a rule for is forwarded: it is a conference of two, of which the other is called, over
 * whatever connection the user agent has, under the caller's name; its services are NAME/onward/... */
#ifndef TP_ACTORS_CONFERENCE_H
#define TP_ACTORS_CONFERENCE_H

#include "models/actors/session.h"
#include "models/sip/ua.h"

enum { CONFERENCE_NAME = 64, CONFERENCE_TEXT = 192, CONFERENCE_PARTICIPANTS = 100 };

struct dial_rule {
    const char *user, *domain;    /* of the URI that is called: how its user begins ("": however), and its host */
    const char *to;               /* the host that it is forwarded to; "": the same */
    enum session_dialect dialect; /* of our offer there */
};

struct conference_config {
    struct ip_addr address; /* its own */
    uint16_t first_port, last_port;
    bool host_candidates;
    struct endpoint turn; /* over UDP; port 0: no relay */
    unsigned turn_ports;  /* allocations are spread over so many ports from turn's on; 0: 1 */
    const char *turn_user, *turn_password;
    struct media_config audio, video;
    size_t participants_max; /* 0: CONFERENCE_PARTICIPANTS */
    uint64_t web_keep_alive_ns; /* a web call from which nothing has come for so long is over */
    const struct dial_rule *rule;
    size_t rules;
    const char *agent; /* of its user agent: a call that carries it has come round in a circle */
};

/* cfg's strings and rules are borrowed, as is ua. NULL: no memory. */
struct conference;
struct conference *conference_new(struct io *io, unsigned owner, const struct conference_config *cfg,
                                  struct sip_ua *ua);
void conference_free(struct conference *c);
void conference_input(struct conference *c, const struct io_in *in);
uint64_t conference_deadline(const struct conference *c);

/* A new call over SIP with that offer: answered, later, or refused. Its user is a participant from then on. */
void conference_invited(struct conference *c, const struct sip_ua_event *ev, const struct sdp *offer);
void conference_sip(struct conference *c, const struct sip_ua_event *ev); /* of a call of its own */

/* A call from the web. 0 and its id; E_MALFORMED: no SDP; E_UNSUPPORTED: nothing in it that can be taken; E_NOMEM:
 * participants_max are there. */
int conference_join(struct conference *c, const char *name, const char *sdp, size_t len, unsigned *id);
bool conference_keep(struct conference *c, unsigned id);  /* false: there is no such call */
bool conference_leave(struct conference *c, unsigned id); /* ... */
void conference_told(struct conference *c, unsigned id);  /* the web client has its answer */

/* What is to be told to a web client: event is "answer", and text the description, or "ended", and text the reason.
 * Borrowed until the next call. */
struct conference_event {
    unsigned id;
    const char *event, *text;
};
/* To be called until it is false, after each input or call. */
bool conference_poll(struct conference *c, struct conference_event *out);

#endif
