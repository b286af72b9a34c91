/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The search: a topology run under scenarios, with invariants that have to hold in each of them.
 *
 *   bytes      what a TCP connection delivers is what was sent, in order; a relay passes on what came in (streams.h)
 *   timers     SYNs are sent again no sooner than RFC 6298 says (syns.h)
 *   a row's id what the monitors of conformance/ see at a relay: permissions, identifiers, lifetimes
 *   bounded    frames of a run, bytes that wait in a host, connections of hosts and firewalls
 *   outcome    the call comes up whole, or somebody says why not
 *   recovers   a network that is no worse than mild, and faults that were over in time, cost nobody his call
 *   gone       an hour after the last call nothing is open that is not open in an idle world
 *   crash      the program itself ends */
#ifndef TP_EXPLORE_EXPLORE_H
#define TP_EXPLORE_EXPLORE_H

#include "sim/explore/scenario.h"
#include "sim/explore/violation.h"

/* What became of a run. */
struct finding {
    struct violation violation;
    bool call_up; /* else it ended with a cause */
    uint64_t packet_hops;
};

struct explorer;
/* Runs the topology without any trouble, to know when its call is and what it leaves behind. t and plan outlive it;
 * plan NULL: nothing will be drawn. E_UNSUPPORTED: an invariant does not hold even then, and d says which. */
int explorer_new(const struct topology *t, const struct plan *plan, struct explorer **out, struct diag *d);
void explorer_free(struct explorer *e);
/* The scenario of a seed. */
void explorer_draw(const struct explorer *e, uint64_t seed, struct scenario *out);
void explorer_run(struct explorer *e, const struct scenario *s, struct finding *out);
const struct topology *explorer_topology(const struct explorer *e);

#endif
