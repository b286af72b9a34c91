/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A scenario that fails, made smaller as long as the same invariant does not hold: fewer faults, shorter ones, links as
 * they were, less load. The same scenario gives the same. */
#ifndef TP_EXPLORE_SHRINK_H
#define TP_EXPLORE_SHRINK_H

#include "sim/explore/explore.h"

/* s is made smaller in place, and found is what its last failing run showed; runs says how many it took. E_IO: no
 * process could be had. */
int shrink(struct explorer *e, struct scenario *s, struct violation *found, unsigned *runs);

#endif
