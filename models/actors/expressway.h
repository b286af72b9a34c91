/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two halves of an Expressway: E, at the edge, the TURN server and the outer end of the traversal zone;
 * C, inside, which keeps a connection to E so that calls come in through it, and passes them on to Meeting
 * Server. */
#ifndef TP_ACTORS_EXPRESSWAY_H
#define TP_ACTORS_EXPRESSWAY_H

#include "models/base/io.h"
#include "models/turn/turn.h"

struct expressway_e_config {
    struct endpoint sip;       /* for the Edge: listens */
    struct endpoint traversal; /* for Expressway-C: listens */
    struct turn_config turn;
};

struct expressway_c_config {
    struct endpoint traversal;      /* of Expressway-E: connects, again when lost */
    struct endpoint meeting_server; /* its SIP: the same */
};

/* Strings in cfg are borrowed. E_NOMEM; for E also when the relay's ports or limits make no sense. */
int expressway_e_make(struct io *io, const struct expressway_e_config *cfg, struct core *out);
int expressway_c_make(struct io *io, const struct expressway_c_config *cfg, struct core *out);

#endif
