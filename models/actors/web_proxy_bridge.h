/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The web proxy for Meeting Server, inner end, on Expressway-C: HTTP/1.1 of browsers comes by channels of the SSH
 * tunnel to Expressway-E (row 1.4), each request goes to Meeting Server's web bridge over a connection of its own
 * (1.8), and what Meeting Server has to tell of a call comes by connections that it makes (1.9).
 *
 *     GET /api/calls/ID/events   waits here; answered with the next event of that call
 *     everything else            goes to Meeting Server as it is, and its answer back
 *     POST /events               from Meeting Server: {"call":ID,"event":...}
 *
 * Calls are known by the answers to POST /api/calls; their events wait here while nobody asks. A core over base/io.h;
 * it notes the services "web-bridge" (Meeting Server answers "GET /", asked each minute) and "ssh-tunnel". */
#ifndef TP_ACTORS_WEB_PROXY_BRIDGE_H
#define TP_ACTORS_WEB_PROXY_BRIDGE_H

#include "models/actors/tunnel.h"

enum { WEB_BRIDGE_CALLS_MAX = 256 };

struct web_proxy_bridge_config {
    struct endpoint tunnel;         /* of Expressway-E */
    struct endpoint meeting_server; /* its web bridge: 443 */
    struct endpoint events;         /* for Meeting Server: 30000, the first of the ports below */
    uint16_t first_port, last_port; /* connects from: 30000-35999 */
    uint16_t forward;               /* the port of E that browsers come to */
};

struct web_proxy_bridge;
struct web_proxy_bridge *web_proxy_bridge_new(struct io *io, unsigned owner, const struct web_proxy_bridge_config *cfg);
void web_proxy_bridge_free(struct web_proxy_bridge *b);
void web_proxy_bridge_input(struct web_proxy_bridge *b, const struct io_in *in);
uint64_t web_proxy_bridge_deadline(const struct web_proxy_bridge *b);

#endif
