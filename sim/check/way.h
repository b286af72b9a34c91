/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where sets of packets go in a topology: the routes of hosts, routers and firewalls (longest prefix, the first among
 * equals), who answers for an address on a link, and the firewalls as machines that fw_exact can ask. The same routes
 * and addresses as a run has. */
#ifndef TP_CHECK_WAY_H
#define TP_CHECK_WAY_H

#include "models/firewall/exact.h"
#include "sim/scenario/topology.h"

struct way_node {
    const struct topo_node *node;
    struct fw_routes routes; /* iface: the node's port; of a firewall the interface of its rules */
    /* Of a firewall: */
    int *port_iface;              /* by port */
    int iface_port[FW_IFACE_MAX]; /* negative: not linked here */
    struct fw_addresses addresses;
    struct fw_prepared *prepared; /* NULL: no firewall */
    struct fw_machine machine;
};

struct ways {
    const struct topology *topology;
    struct way_node *node; /* as topology.nodes */
};

/* The topology is borrowed, rules included: who puts other rules in it asks for ways anew. E_NOMEM. */
int ways_open(struct ways *w, const struct topology *t);
void ways_close(struct ways *w);

/* Packets that leave a node together. */
struct way_leg {
    struct fw_region packets;
    unsigned port;  /* of the node that they leave */
    int node, next; /* who gets them, and the port where; node negative: nobody, for the reason `why` */
    struct ip_addr hop; /* the gateway that nobody has; unset: it is the destination that nobody has */
    const char *why;    /* "no route", "nobody there" */
};

struct way_legs {
    struct way_leg *leg;
    size_t count, cap;
};

/* Where a node's routes send packets; out not negative: those alone that lead out of this interface (of a firewall, of
 * its rules). All in s. */
void way_legs(const struct ways *w, unsigned node, int out, const struct fw_region *packets, struct fw_space *s,
              struct way_legs *legs);
/* The part of the packets addressed to the node itself, and the rest. */
struct fw_region way_own(const struct ways *w, unsigned node, const struct fw_region *packets, struct fw_space *s,
                         struct fw_region *rest);

#endif
