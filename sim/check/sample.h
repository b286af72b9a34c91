/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single packets out of exact sets, and the stateful box of a run to send them through. */
#ifndef TP_CHECK_SAMPLE_H
#define TP_CHECK_SAMPLE_H

#include "models/firewall/fwbox.h"
#include "sim/check/check.h"

enum { SAMPLE_CORNERS = 16 };

/* The first or last member of each of the cell's sets but the protocols: bit n of `which` chooses for the n-th. */
struct fw_flow sample_corner(const struct fw_cell *cell, unsigned which);
/* The firewall as a run has it, fresh. NULL: no memory. */
struct fw_box *sample_box(const struct way_node *n);
/* A check_watch's `blocked`: the advice that a run gives about one of the packets becomes the hop's suggestion. */
void sample_suggest(void *ctx, struct check *c, const struct check_blocked *b);

#endif
