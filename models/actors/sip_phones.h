/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SIP phones on one host: they make the calls of a plan and answer those that come, over one or two connections to
 * their server (Expressway-E for an endpoint, Expressway-C for the trunk of a Unified CM), each call with media of its
 * own. Nothing is registered. Mute is silence; hold is a re-INVITE that says inactive (RFC 3264 8.4).
 *
 * Services of a call, made or answered: CALL/signalling, CALL/audio, CALL/video. A call that comes is called by the
 * user of its From. */
#ifndef TP_ACTORS_SIP_PHONES_H
#define TP_ACTORS_SIP_PHONES_H

#include "models/actors/session.h"
#include "models/sip/ua.h"

enum { SIP_PHONES_LINES = 2 };

/* A way to the server, and from it: where both are given they are the two directions of one trunk. */
struct sip_phones_line {
    struct endpoint server, listen; /* port 0: none */
    const char *service;            /* its name where the line is a service itself ("trunk/5061"); NULL: it is not */
};

struct sip_phones_config {
    const char *peer;  /* who the server is, for people */
    const char *uri;   /* "sip:phones@acme.example": calls are from CALL@acme.example */
    const char *agent; /* User-Agent */
    struct sip_phones_line line[SIP_PHONES_LINES]; /* a call goes over the first that stands */
    size_t line_count;
    uint64_t options_ns;         /* OPTIONS over each line this often; 0: never */
    const char *numbers;         /* calls to users that begin so are answered; "": all */
    struct session_config media; /* its name is the calls' own; media: of those that are answered */
    const struct call_plan *call; /* borrowed, as the strings */
    size_t call_count;
    uint64_t answer_ns; /* with the answer to an INVITE */
};

/* E_NOMEM. */
int sip_phones_make(struct io *io, const struct sip_phones_config *cfg, struct core *out);

#endif
