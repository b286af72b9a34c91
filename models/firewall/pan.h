/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Palo Alto PAN-OS: the parts of its importer. A file is either `set` commands or the same tree in braces.
 *
 * Rules go in the order of Panorama: shared pre, pushed pre, device group pre, local, device group post, pushed post,
 * shared post; then a zone's own traffic passes and traffic between zones does not. A rule sees addresses as they
 * arrive and the zone that the packet leaves by. Applications are known by their content: a rule for one that is not
 * told by its protocol alone is UNKNOWN on the ports that it is about.
 *
 * Zones without a description (a device group's file): a port of the topology is the zone of its name. */
#ifndef TP_FIREWALL_PAN_H
#define TP_FIREWALL_PAN_H

#include "models/firewall/tree.h"

enum { PAN_SCOPES_MAX = 16, PAN_STEPS_MAX = 1000000, PAN_NAT_MAX = 200000 };

struct pan_zone {
    const char *name;
    uint64_t ifaces;
};

struct pan {
    struct fw_tree t;
    struct fw_node *device[PAN_SCOPES_MAX]; /* that may hold network and deviceconfig */
    size_t devices;
    struct fw_node *scope[PAN_SCOPES_MAX]; /* that objects are looked up in, the nearest first */
    size_t scopes;
    struct fw_node *book[PAN_SCOPES_MAX]; /* rulebases in order */
    size_t books;
    struct pan_zone zone[FW_IFACE_MAX];
    size_t zones;
    bool described; /* the file has zones */
    unsigned steps; /* of the expansion under way */
    size_t nats;
    struct fw_end src, dst, more; /* of the rule at hand */
    struct fw_kinds kinds;
};

/* ---- reading (pan_lex.c) ---- */
int pan_read(struct pan *p);

/* ---- objects (pan_objects.c) ---- */
/* What the values below an attribute are; none: any. */
int pan_addresses(struct pan *p, struct fw_node *attr, struct fw_end *out);
int pan_services(struct pan *p, struct fw_node *attr, struct fw_node *apps, struct fw_kinds *out);
/* One name or literal onto the set. */
int pan_address(struct pan *p, struct fw_node *name, struct fw_end *out);
void pan_clear(struct pan *p);
bool pan_yes(const struct pan *p, const struct fw_node *rule, const char *attr);
bool pan_is_any(const struct fw_node *attr); /* NULL, without values, or the value any */

/* ---- network (pan_network.c) ---- */
int pan_network(struct pan *p);
/* The interfaces of the zones below an attribute; 0: any. *none: they have no interfaces. */
uint64_t pan_zones(struct pan *p, const struct fw_node *attr, bool *none);
struct pan_zone *pan_zone(struct pan *p, const char *name); /* NULL: none */
/* The interface that the file's networks and routes lead the address to; -1: they do not tell. */
int pan_way(const struct pan *p, const struct ip_addr *to);

/* ---- rules (pan_rules.c, pan_nat.c) ---- */
int pan_security(struct pan *p, struct fw_node *rules);
int pan_defaults(struct pan *p, struct fw_node *rules);
int pan_nat(struct pan *p, struct fw_node *rules);
/* A rule of another policy that may change the fate of packets: those are UNKNOWN. */
int pan_taint(struct pan *p, struct fw_node *rule, const char *why);

#endif
