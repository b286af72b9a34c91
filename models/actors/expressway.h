/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two halves of an Expressway: E, at the edge, the TURN server and the outer end of the traversal zones; C, inside,
 * which keeps connections to E so that calls come in through it, and passes them on to Meeting Server and
 * Unified CM. */
#ifndef TP_ACTORS_EXPRESSWAY_H
#define TP_ACTORS_EXPRESSWAY_H

#include "models/actors/assent.h"
#include "models/actors/expressway_cluster.h"
#include "models/actors/web_proxy.h"
#include "models/actors/web_proxy_bridge.h"
#include "models/actors/zone.h"
#include "models/base/io.h"
#include "models/turn/turn.h"

struct expressway_e_config {
    struct zones_config sip;
    struct assent_config media; /* its sides are those of sip's zones */
    struct turn_config turn;
    struct endpoint turn_override; /* one more port of the relay's, for TCP alone (row 1.2); port 0: none */
    struct web_proxy_config web;   /* listen's port 0: none; its turn is set here */
    bool turn_at_web;              /* the web proxy's port takes TURN clients too (X8.11) */
    struct endpoint administration; /* port 0: none */
    struct cluster_config cluster;  /* its relay is set here */
};

struct expressway_c_config {
    struct zones_config sip;
    struct assent_config media;
    struct web_proxy_bridge_config web; /* the tunnel's port 0: none */
    struct endpoint administration;     /* port 0: none */
};

/* What cfg points at is borrowed for the call, strings for as long as the system lives. E_RANGE: zones_proxy says what
 * is wrong. E_NOMEM; for E also when the relay's ports or limits make no sense. */
int expressway_e_make(struct io *io, const struct expressway_e_config *cfg, struct core *out);
int expressway_c_make(struct io *io, const struct expressway_c_config *cfg, struct core *out);

#endif
