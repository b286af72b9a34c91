/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Advice that is proved: edits for all that is blocked, applied to the rule files in memory, read again by the
 * importers, and all questions asked again. Nothing is written to any file. */
#ifndef TP_CHECK_REPAIR_H
#define TP_CHECK_REPAIR_H

#include "sim/check/check.h"

/* Fills in the report's repairs. The topology has its own rules again afterwards. */
void repair_all(struct check_report *r, struct topology *t, const struct bound *b);

#endif
