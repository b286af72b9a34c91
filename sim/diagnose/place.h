/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A diagnosis in its deployment: hosts by the names of a topology, and of each flow that a cause blames the firewalls
 * on its way, by which line they decide, and which line is missing. The answers are those of `turnproof check`, asked
 * of the very flow that was seen. */
#ifndef TP_DIAGNOSE_PLACE_H
#define TP_DIAGNOSE_PLACE_H

#include "sim/check/check.h"
#include "sim/diagnose/causes.h"

struct place {
    struct topology *topology; /* owned */
    /* Of each finding: one answer, findings about timers, repairs. NULL: no flow is blamed, or its ends are not in the
     * topology. */
    struct check_report *way[FINDINGS];
};

/* Takes the topology. NULL: no memory; the topology is freed. */
struct place *place_new(struct topology *t);
/* NULL is fine. */
void place_free(struct place *p);

/* The node that has the address, or is known by it behind static NAT; NULL: none, or p is NULL. */
const char *place_name(const struct place *p, const struct ip_addr *ip);
/* "cms:40001"; the endpoint as it is when nobody has it. out: ENDPOINT_TEXT bytes or more. */
const char *place_endpoint(const struct place *p, const struct endpoint *e, char *out, size_t cap);
/* Asks about each flow that is blamed, and puts names for addresses into all sentences. */
void place_diagnosis(struct place *p, struct diagnosis *d);

#endif
