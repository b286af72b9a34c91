/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The insides of the phones: sip_phones.c has the lines and whom a call is for, sip_phone.c each call. */
#ifndef TP_ACTORS_SIP_PHONES_PARTS_H
#define TP_ACTORS_SIP_PHONES_PARTS_H

#include "models/actors/sip_phones.h"

enum {
    PHONES_OWNER_LINE = 1,
    PHONES_OWNER_MEDIA = PHONES_OWNER_LINE + SIP_PHONES_LINES,
    PHONES_ANSWERED_MAX = SIP_CALLS_MAX,
    PHONE_NAME_MAX = 64,
};

enum phone_state {
    PHONE_IDLE,      /* a plan: until its time comes; a place for a call that comes: free */
    PHONE_DIALLING,  /* waits for a line */
    PHONE_GATHERING, /* our description is being made */
    PHONE_INVITING,  /* INVITE sent */
    PHONE_ANSWERING, /* their INVITE: our answer is being made */
    PHONE_UP,
    PHONE_ENDING, /* BYE or CANCEL sent */
    PHONE_OVER,
};

/* The offer and answer under way in a call that is up; one at a time (RFC 3261 14.1). */
enum phone_reoffer {
    REOFFER_NONE,
    REOFFER_OURS,   /* our description is being made */
    REOFFER_THEIRS, /* ... for their re-INVITE */
    REOFFER_SENT,   /* until the answer, or the ACK, comes */
};

enum phones_line { LINE_WANTED, LINE_UP, LINE_FAILED, LINE_LOST };

struct phone {
    struct phones *all;
    const struct call_plan *plan; /* NULL: a call that came */
    char name[PHONE_NAME_MAX];
    enum phone_state state;
    enum phone_reoffer reoffer;
    struct sip_ua *ua;
    struct sip_call *call;   /* NULL: none, or over */
    struct session *session; /* NULL: none */
    uint64_t begun_ns, give_up_ns;
    uint64_t due_ns; /* its deadline: of many calls few have to do with an event */
    bool media_up, muted, held, replied;
};

struct phones {
    struct io *io;
    struct sip_phones_config cfg;
    struct sip_ua *ua[SIP_PHONES_LINES];
    enum phones_line line[SIP_PHONES_LINES];
    struct phone *phone; /* the plan's, then PHONES_ANSWERED_MAX */
    size_t count;
};

/* A call that has come, to the phone that is to take it: false: none of its media can be, and it is over. */
bool phone_answer(struct phone *p, const struct sip_ua_event *ev, const char *name);
void phone_event(struct phone *p, const struct sip_ua_event *ev);
/* Deals with what is due: its media, its plan. */
void phone_time(struct phone *p);

#endif
