/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which rows of the port tables the packets of a run carried. A packet that arrives at a host counts for a row when its
 * addresses and ports as its sender sent it, or as any firewall on the way made them, are in one of the row's
 * questions, sent and received by whom the question names (`behind`: by anybody with such an address). Of TCP only
 * connections that were opened in the row's direction count, and of those the packets in that direction. */
#ifndef TP_ROWS_MARKS_H
#define TP_ROWS_MARKS_H

#include "sim/rows/rows.h"
#include "sim/scenario/world.h"

struct row_marks;
/* rows, which has some, is borrowed and outlives the record of the run; watch is filled in: for its options. */
struct row_marks *row_marks_new(const struct rows *rows, struct world_watch *watch);
/* The run is over: a run_row for each row that applies, in the order of rows. */
void row_marks_record(struct row_marks *m, struct record *record);
void row_marks_free(struct row_marks *m);

#endif
