/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One who takes part in a conference: signalling (a SIP call, or a web call's id) and a session. Private to the
 * conference, which keeps them in an array. */
#ifndef TP_ACTORS_PARTICIPANT_H
#define TP_ACTORS_PARTICIPANT_H

#include "models/actors/conference.h"
#include "models/actors/meeting_parts.h"

enum participant_state {
    PART_FREE,
    PART_JOINING, /* our answer, or our offer, is being made, or waits for the one to whom the call is forwarded */
    PART_CALLING, /* the INVITE of a forwarded call is on its way */
    PART_IN,      /* signalling is up */
    PART_LEAVING, /* over; its relays are being released, a web client is being told */
};

struct participant {
    enum meeting_call kind;
    enum participant_state state;
    struct io *io;
    struct sip_ua *ua;
    struct sip_call *call; /* NULL: a web call, or over */
    unsigned web;          /* its id; 0: none */
    bool onward;           /* called by us, and no caller */
    bool invited;          /* their INVITE waits for our answer */
    struct session *session;
    struct participant *other;       /* of a forwarded call */
    char name[CONFERENCE_NAME + 16]; /* "guest-1", "guest-1/onward" */
    char *from, *to;                 /* URIs of the call to be made */
    char *described;                 /* our description, until the other end has it */
    bool tell_answer, tell_ended;    /* ... a web client */
    char why[CONFERENCE_TEXT];       /* it ended */
    uint64_t alive_ns, gone_by_ns;   /* web: last heard */
};

/* Signalling has begun: its service is wanted. name: what a service cannot be called by is left out of it. */
void participant_begin(struct participant *p, const char *name, size_t len, const char *behind);
void participant_up(struct participant *p, const char *how); /* its signalling is */
/* What becomes of its signalling's service, once that was up: done, or lost. Of a call whose media failed the
 * signalling did all that it should, and the other end is told why. */
enum participant_end { END_HUNG_UP, END_MEDIA, END_LOST };
/* Ends it, whatever its state, and the one that its call was forwarded to or came from. code: what the call is refused
 * with if it waits for an answer. */
void participant_end(struct participant *p, enum participant_end how, unsigned code, const char *why);
void participant_sip(struct participant *p, const struct sip_ua_event *ev);
/* What its session tells. true: something was done, which may lead to more. */
bool participant_poll(struct participant *p);
void participant_free(struct participant *p); /* its place is free */

#endif
