/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a call came up, and if not, what is to blame: the phase, the packet, the firewall, the line of its rules, and
 * what a person should change. */
#ifndef TP_SCENARIO_BLAME_H
#define TP_SCENARIO_BLAME_H

#include "sim/scenario/record.h"
#include "sim/scenario/topology.h"

enum verdict { VERDICT_OK, VERDICT_FAILED, VERDICT_NONCONFORMANT };

struct blame {
    enum verdict verdict;
    uint64_t t_ns;
    const char *phase;          /* in which it failed; "": after the last */
    const struct run_drop *drop; /* the packet that was not let through; NULL: no packet is to blame */
    const char *node;            /* that is to blame; NULL: none */
    char what[512];              /* what went wrong */
    char where[512];             /* "ext-fw: topologies/rules/ext-fw.cfg:41: access-list ..."; "" */
    char packet[256];            /* "TCP 10.0.0.1:5 -> 10.0.0.2:3478"; "" */
    char advice[512];            /* what to change */
};

const char *verdict_text(enum verdict v);
/* The drop that explains why a service does not hold, or is degraded; NULL: none that was seen does. */
const struct run_drop *blame_service(const struct topology *t, const struct record *r, const struct run_service *s);
/* One drop in words: the packet; who dropped it, by which line. */
void blame_packet(const struct run_drop *d, char *out, size_t cap);
void blame_where(const struct topology *t, const struct run_drop *d, char *out, size_t cap);
/* What a device of the topology does and a run does not, whatever became of the call: the index-th line for a person;
 * false: there are fewer. */
bool blame_warning(const struct topology *t, size_t index, char *out, size_t cap);
void blame_find(const struct topology *t, const struct record *r, struct blame *out);
/* Of a call that came up: whether a relay broke a row that must hold (VERDICT_NONCONFORMANT). */
void blame_conformance(const struct record *r, struct blame *out);

#endif
