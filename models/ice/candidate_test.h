/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the agent share. */
#ifndef TP_ICE_CANDIDATE_TEST_H
#define TP_ICE_CANDIDATE_TEST_H

#include <stdio.h>

#include "models/ice/ice.h"
#include "models/testkit/testkit.h"

static inline struct ice_candidate candidate(const char *address, enum ice_type type,
                                             enum ice_transport transport, const char *foundation)
{
    struct ice_candidate c = {
        .component = 1, .type = type, .transport = transport, .priority = ice_priority(type, transport, 1)};
    c.address = kit_endpoint(address);
    snprintf(c.foundation, sizeof c.foundation, "%s", foundation);
    return c;
}

#endif
