/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The web bridge's inner end: browsers and Meeting Server (web_proxy_bridge.c), calls and their events
 * (web_proxy_calls.c): private to these. */
#ifndef TP_ACTORS_WEB_PROXY_PARTS_H
#define TP_ACTORS_WEB_PROXY_PARTS_H

#include "models/actors/http.h"
#include "models/actors/web_proxy_bridge.h"
#include "models/base/time.h"

enum { CALL_ID_MAX = 64, CALL_EVENTS_MAX = 4 };
#define NO_CHANNEL UINT32_MAX

struct event_text {
    char *p;
    size_t len;
    bool last; /* "ended" */
};

/* Calls that browsers have begun. */
struct bridge_call {
    char id[CALL_ID_MAX]; /* "": free */
    uint32_t parked;      /* the channel whose GET waits; NO_CHANNEL: none */
    uint64_t seen_ns;
    struct event_text event[CALL_EVENTS_MAX];
    size_t events;
};

struct bridge_calls {
    struct bridge_call call[WEB_BRIDGE_CALLS_MAX];
};

void calls_init(struct bridge_calls *calls);
void calls_free(struct bridge_calls *calls);
/* The call of "/api/calls/ID" or "/api/calls/ID/events". NULL: none has that id. */
struct bridge_call *call_of_path(struct bridge_calls *calls, const char *path, uint64_t now_ns);
bool is_events_path(const char *path);
/* From Meeting Server's answer to POST /api/calls. E_MALFORMED; E_NOMEM: too many. */
int calls_begin(struct bridge_calls *calls, const char *json, size_t len, uint64_t now_ns);
/* From Meeting Server's POST /events: kept for its call, *out. E_MALFORMED, E_NOT_FOUND: no such call; E_NOMEM: too
 * many wait. */
int calls_event(struct bridge_calls *calls, const char *json, size_t len, struct bridge_call **out);
/* The next event that waits, the caller's to free; its p NULL: none. The call is over with its last. */
struct event_text call_take(struct bridge_call *c);
void call_forget(struct bridge_call *c);
void calls_unpark(struct bridge_calls *calls, uint32_t channel); /* NO_CHANNEL: all */
/* Those that nobody asked about for long. */
void calls_sweep(struct bridge_calls *calls, uint64_t now_ns);

#endif
