/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the topology reader share; nobody else includes this. Each returns 0 or an error, and d says
 * why. */
#ifndef TP_SCENARIO_TOPOLOGY_PARTS_H
#define TP_SCENARIO_TOPOLOGY_PARTS_H

#include "sim/scenario/topology.h"

/* Names, kinds, addresses, links, segments, gateways and routes; completes what the file leaves out. */
int topology_check(struct topology *t, struct diag *d);
/* That a name is of letters, digits, `-`, `_`, and those of extra; object: what has it. */
int topology_name(const struct topology *t, const cJSON *object, const char *name, const char *extra, struct diag *d);
/* The member "calls": its keys, and the plans that hosts get. */
extern const struct field topology_call_fields[];
int topology_calls(struct topology *t, struct diag *d);
/* The rule sets of the firewalls. */
int topology_rules(struct topology *t, struct diag *d);
/* That the addresses in the settings of the systems can be reached: after the rules, since those route too. */
int topology_reach(struct topology *t, struct diag *d);

/* The member "check": its keys, and the nodes that it names. */
extern const struct field topology_ports_fields[];
int topology_ports(struct topology *t, struct diag *d);

/* Rules in JSON through the builder of models/firewall; file and json are where they stand. */
int rules_from_json(const struct json *json, const cJSON *rules, const char *file, const struct topo_node *node,
                    struct arena *arena, struct fw_rules **out, struct diag *d);

/* object.key, or object.key[index] when index is not negative; object itself when there is none. */
const cJSON *topology_at(const cJSON *object, const char *key, int index);

#endif
