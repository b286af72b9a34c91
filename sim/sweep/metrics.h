/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is measured of a run, as whole numbers with names: "setup_ns", "phase.bind_ns", "share.cms.goodput_bps". Which
 * there are depends on what the run came to. */
#ifndef TP_SWEEP_METRICS_H
#define TP_SWEEP_METRICS_H

#include <stdio.h>

#include "sim/scenario/record.h"
#include "sim/scenario/topology.h"

/* "\tNAME=VALUE" for each. */
void metrics_write(FILE *out, const struct topology *t, const struct record *r);

#endif
