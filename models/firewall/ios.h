/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the IOS importer, which reads with the ASA's reader (asa.h). Lists are stateless: each packet meets
 * them, as it arrives and as it leaves; what no list is bound to passes; a list ends in an implicit deny. */
#ifndef TP_FIREWALL_IOS_H
#define TP_FIREWALL_IOS_H

#include "models/firewall/asa.h"

/* ---- names (ios_names.c) ---- */

bool ios_protocol(const char *word, bool six, uint8_t *proto, bool *any);
bool ios_port(const char *word, unsigned protos, uint16_t *port);
/* Type and code, both ends. */
bool ios_icmp(const char *word, bool six, struct fw_service *s);

/* ---- lists and groups (ios_acl.c, ios_objects.c) ---- */

int ios_extended_block(struct asa *a);
int ios_standard_block(struct asa *a);
int ios_block6(struct asa *a);
int ios_numbered(struct asa *a);
/* `eq P...`, `range A B`, ... as ranges of the destination ports; *some: there was an operator. */
int ios_ports(struct asa *a, unsigned protos, struct asa_services *out, bool *some);
int ios_group_network(struct asa *a);
int ios_group_service(struct asa *a);
extern const struct asa_command ios_in_extended[], ios_in_standard[], ios_in_list6[], ios_in_network_group[],
    ios_in_service_group[];

/* ---- interfaces and routes (ios_system.c), translation (ios_nat.c) ---- */

int ios_interface(struct asa *a);
int ios_route(struct asa *a);
int ios_route6(struct asa *a);
int ios_crypto_map(struct asa *a);
int ios_nat_pool(struct asa *a);
int ios_nat_inside(struct asa *a);
int ios_nat_outside(struct asa *a);
int ios_nat_other(struct asa *a);
int ios_nat_timeout(struct asa *a);
extern const struct asa_command ios_in_interface[], ios_in_crypto_map[];

extern const struct asa_command ios_quiet[]; /* ios_quiet.c */

#endif
