/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Firewalls as data: ordered rules with the line they come from, NAT rules in order, timers; and the stateful box that
 * runs them in simulated time. One policy engine, several readers: the box, the one-packet question, and (to come) exact
 * sets of headers. */
#ifndef TP_FIREWALL_FIREWALL_H
#define TP_FIREWALL_FIREWALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/base/addr.h"

/* What a packet is to a firewall. ICMP: sport is the type, dport the code. */
struct fw_flow {
    uint8_t proto; /* enum ip_proto */
    struct ip_addr src, dst;
    uint16_t sport, dport;
};

/* Where an element of a rule set stands. Text is the source line without its indentation. */
struct fw_rule_ref {
    const char *file;
    unsigned line;
    const char *text;
};

struct fw_rules;

/* A message about a rule file: position, what was expected, what was found. */
struct fw_diag {
    unsigned line, column; /* from 1 */
    char text[200];
};

/* Cisco ASA 8.3+ running-config. Every line is understood, known to have no effect on packets, or an error naming it.
 * E_MALFORMED, E_UNSUPPORTED (diag says where), E_NOMEM. The text need not end in NUL; name is copied. */
int fw_asa_parse(const char *text, size_t len, const char *name, struct fw_rules **out, struct fw_diag *diag);
void fw_rules_free(struct fw_rules *r);

#endif
