/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way from web clients into a conference, by HTTP from and to the web bridge's near end, Expressway-C (rows 1.8,
 * 1.9). It asks here:
 *     GET /                   the page
 *     POST /api/calls         {"name", "sdp"}: 202 {"call": "ID"}; 400, 422 (no media that can be taken), 503 (full)
 *     PUT, DELETE /api/calls/ID   keep-alive, hang up: 204; 404
 * and is told over a connection that is made to it, made again when it is lost:
 *     POST /events            {"call", "event": "answer", "sdp"} or {"call", "event": "ended", "reason"}
 * one after the other, each until it is answered; what cannot be told waits in a queue. The connection's service is
 * "web-bridge". */
#ifndef TP_ACTORS_WEB_BRIDGE_H
#define TP_ACTORS_WEB_BRIDGE_H

#include "models/actors/conference.h"

struct web_bridge_config {
    struct endpoint listen; /* port 0: no web clients */
    struct endpoint events; /* where Expressway-C listens; port 0: it is not told */
    size_t events_max;      /* that wait: of more the oldest are forgotten; 0: 256 */
};

/* NULL: no memory. */
struct web_bridge;
struct web_bridge *web_bridge_new(struct io *io, unsigned owner, const struct web_bridge_config *cfg,
                                  struct conference *conference);
void web_bridge_free(struct web_bridge *w);
void web_bridge_input(struct web_bridge *w, const struct io_in *in);
void web_bridge_tell(struct web_bridge *w, const struct conference_event *ev);
uint64_t web_bridge_deadline(const struct web_bridge *w);

#endif
