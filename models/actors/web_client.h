/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Web clients of Meeting Server at one host: a guest's browser, or the WebRTC app. Each call of the plan has its own
 * page, signalling (HTTP through Expressway-E, rows 1.1, 1.4, 1.8, 1.9 of the port tables) and media (ICE with the TURN
 * server of Expressway-E, rows 1.2, 1.6, 1.7). Services of a call: CALL/signalling, CALL/audio, CALL/video.
 *
 * A call: GET / (a browser that was given "http:" asks port 80 first and is sent on, note 1), then POST /api/calls with
 * an offer, GET /api/calls/ID/events on a second connection until the answer comes and again until the call ends, PUT
 * /api/calls/ID every 30 s so that Meeting Server knows that somebody is there, DELETE at the end. */
#ifndef TP_ACTORS_WEB_CLIENT_H
#define TP_ACTORS_WEB_CLIENT_H

#include "models/actors/session.h"

struct web_client_config {
    const char *host;         /* as in Host and Location: "join.acme.example" */
    struct endpoint https;    /* where that is */
    struct endpoint http;     /* a browser's first question goes there; port 0: the page is asked for by https */
    bool app;                 /* needs no page: it joins at once */
    struct session_config media; /* name, role, and what media it has, are the calls' own */
    const struct call_plan *call; /* borrowed, as the strings */
    size_t call_count;
    uint64_t patience_ns; /* with an answer of the web server */
    uint64_t answer_ns;   /* with Meeting Server's answer to the offer */
};

/* E_NOMEM. */
int web_client_make(struct io *io, const struct web_client_config *cfg, struct core *out);

#endif
