/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Skype Edge: access proxy between the clients and the federated Expressway-E, A/V relay (MS-TURN, over UDP and
 * TCP: EDG-1..3) for its clients, and the conference's policy: an attendee may not share (lab scenario, "Finding this
 * by hand"). */
#ifndef TP_ACTORS_SKYPE_EDGE_H
#define TP_ACTORS_SKYPE_EDGE_H

#include "models/base/io.h"

struct skype_edge_config {
    struct ip_addr address;        /* where relay ports are opened */
    struct ip_addr public_address; /* what clients are told of them instead; unset: address */
    struct endpoint sip;           /* for clients: listens */
    struct endpoint federation;    /* Expressway-E: connects; port 0: none */
    struct endpoint turn;          /* for clients: listens (TCP) */
    struct endpoint turn_udp;      /* the same over UDP; port 0: none */
    const char *realm, *turn_user, *turn_password;
    uint16_t first_port, last_port; /* of the relay */
    bool connect_out;               /* the relay opens connections too (TCP-ACT) */
};

/* The header field in which the client's model says what its role in the conference is: the real one knows
 * that from the conference's roster. */
#define CONFERENCE_ROLE "X-Conference-Role"

/* cfg's strings are borrowed. E_NOMEM. */
int skype_edge_make(struct io *io, const struct skype_edge_config *cfg, struct core *out);

#endif
