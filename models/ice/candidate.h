/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be said of candidates without an agent: priorities, and which two make a pair. */
#ifndef TP_ICE_CANDIDATE_H
#define TP_ICE_CANDIDATE_H

#include "models/ice/ice.h"

/* PRIORITY of a check: what a peer-reflexive candidate learned from it would have (RFC 8445 7.1.1). */
uint32_t ice_check_priority(const struct ice_candidate *local);
/* RFC 8445 6.1.2.3, from the priorities of the controlling and the controlled side's candidate. */
uint64_t ice_pair_priority(uint32_t controlling, uint32_t controlled);
/* Same component and family, link-local IPv6 with its like only (RFC 8445 6.1.2.2), and both UDP, or one side active
 * where the other is passive (RFC 6544 6.2). */
bool ice_can_pair(const struct ice_candidate *local, const struct ice_candidate *remote);
/* The same candidate but for where it was learned from. */
bool ice_same_place(const struct ice_candidate *a, const struct ice_candidate *b);
/* Where a candidate of ours over UDP is sent from. */
const struct endpoint *ice_base(const struct ice_candidate *local);

#endif
