/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FortiGate: the parts of its importer. The tree has a node for each `config` path, one for each `edit` below it, one
 * for each `set` below that, whose children are the values.
 *
 * Policies go in the order of the file, the last denies. A packet to a virtual IP has its destination translated first
 * and then meets only the policies that name that virtual IP, and denying ones that ask for it (match-vip): it goes
 * through a list of its own. Policies are asked with addresses as they arrive; the services of a policy on a virtual
 * IP are those behind its port forwarding, as the device has it. */
#ifndef TP_FIREWALL_FORTIGATE_H
#define TP_FIREWALL_FORTIGATE_H

#include "models/firewall/tree.h"

enum { FORTIGATE_ZONES_MAX = 256, FORTIGATE_STEPS_MAX = 1000000, FORTIGATE_NAT_MAX = 200000,
       FORTIGATE_VIPS_MAX = 4096 };

struct fortigate_zone {
    const char *name;
    uint64_t ifaces;
    struct fw_node *node;
};

/* A virtual IP that a policy names. */
struct fortigate_vip {
    struct fw_node *node;
    struct fw_addrs ext, mapped; /* one range each */
    uint64_t in;                 /* the interface that it is on; 0: any */
    bool nowhere;                /* that interface does not take part */
    bool forward;                /* ports */
    struct fw_service from, to;  /* of port forwarding: outside, inside */
    const char *vague;           /* what it does is not known, because */
};

struct fortigate {
    struct fw_tree t;
    struct fw_node *vdom, *global; /* where tables are looked up */
    struct fortigate_zone zone[FORTIGATE_ZONES_MAX];
    size_t zones;
    struct fortigate_vip *vip;
    size_t vips;
    bool translates;  /* some policy translates the source */
    int match_vip;    /* of denying policies that do not say: 1 yes, 0 no, -1 not known */
    unsigned steps;
    size_t nats;
    struct fw_end src, dst; /* of the policy at hand */
    struct fw_kinds kinds, shifted;
};

/* ---- reading (fortigate_lex.c) ---- */
int fortigate_read(struct fortigate *f);
/* The table of that path in the VDOM, else in the global part; NULL: none. */
struct fw_node *fortigate_table(const struct fortigate *f, const char *path);
struct fw_node *fortigate_entry(const struct fortigate *f, const char *path, const char *name);
/* The first value that `set` gives; NULL: none. */
struct fw_node *fortigate_set(const struct fortigate *f, const struct fw_node *entry, const char *key);
bool fortigate_is(const struct fortigate *f, const struct fw_node *entry, const char *key, const char *value);
int fortigate_seconds(struct fortigate *f, const struct fw_node *value, unsigned long *out);

/* ---- objects (fortigate_objects.c) ---- */
enum fortigate_end { FORTIGATE_SRC, FORTIGATE_DST };
/* What `set KEY` of a policy names, of one family; virtual IPs are left out. */
int fortigate_addresses(struct fortigate *f, const struct fw_node *policy, const char *key, bool six,
                        struct fw_end *out);
int fortigate_services(struct fortigate *f, const struct fw_node *policy, struct fw_kinds *out);
/* Calls fn for each virtual IP that the name leads to. */
int fortigate_each_vip(struct fortigate *f, struct fw_node *name,
                       int (*fn)(struct fortigate *f, struct fw_node *vip, void *ctx), void *ctx);
/* "10.0.0.1", "10.0.0.1-10.0.0.9" */
int fortigate_range(struct fortigate *f, const struct fw_node *value, struct fw_addrs *out);

/* ---- network (fortigate_network.c) ---- */
int fortigate_network(struct fortigate *f);
/* The interfaces that `set KEY` names, zones too; 0: any. *none: they take no part. */
uint64_t fortigate_ifaces(struct fortigate *f, const struct fw_node *entry, const char *key, bool *none);

/* ---- policies (fortigate_policy.c), translation (fortigate_nat.c) ---- */
int fortigate_policies(struct fortigate *f);
int fortigate_vips(struct fortigate *f);
struct fortigate_vip *fortigate_vip(struct fortigate *f, const struct fw_node *node);
/* The source translation of an accepting policy: of its plain destinations (vip NULL), or of those behind a vip. */
int fortigate_source_nat(struct fortigate *f, struct fw_node *policy, const struct fortigate_vip *vip);

#endif
