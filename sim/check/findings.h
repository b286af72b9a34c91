/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is wrong beside blocked rows: timers, inspections, pools, listeners, gateways, and rules that nobody reaches or
 * needs. After check_ask, which has noted who sees what. */
#ifndef TP_CHECK_FINDINGS_H
#define TP_CHECK_FINDINGS_H

#include "sim/check/check.h"

/* Firewalls in the way of the protocols: idle timers against the silences of the flows that pass (fact: user-pains P10,
 * P11), inspections (P2), pools (P20). */
void check_find_timers(struct check *c);
void check_find_inspections(struct check *c);
void check_find_pools(struct check *c);
/* The deployment: listeners that clash (P9), private addresses announced (P1, P13), the wrong gateway (P12). */
void check_find_deployment(struct check *c);

/* The rules themselves: on mapped addresses (P5), never reached (P17), wider than any row needs, the widest first. */
void check_find_rules(struct check *c);

/* A finding, in the report; more is filled in by the caller. what and change are copied. */
struct check_finding *check_found(struct check *c, const char *id, enum check_level level, unsigned node,
                                  const struct fw_rule_ref *ref, const char *what, const char *change);
/* The row suffers from it; said once. */
void check_found_row(struct check *c, struct check_finding *f, const char *row);

#endif
