/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Address translation: which rule a packet meets and what it makes of it (pure), and the table of dynamic
 * translations. */
#ifndef TP_FIREWALL_NAT_H
#define TP_FIREWALL_NAT_H

#include "models/base/rng.h"
#include "models/firewall/conntrack.h"
#include "models/firewall/rules.h"

/* The addresses of the interfaces in this world. */
struct fw_addresses {
    const struct ip_prefix *prefix[FW_IFACE_MAX];
    size_t count[FW_IFACE_MAX];
};

/* The interface's first address of the family; false: it has none. */
bool fw_iface_address(const struct fw_addresses *a, int iface, uint8_t family, struct ip_addr *out);
/* The packet, coming from the mapped side, is addressed to what a static rule maps: f becomes what it is on the real
 * side. */
bool fw_nat_reverse(const struct fw_nat *n, const struct fw_addresses *a, int in, struct fw_flow *f);
/* The packet comes from the real side: f becomes what it is on the mapped side; of a dynamic rule the source stays.
 * out FW_ANY_IFACE: not known yet. */
bool fw_nat_forward(const struct fw_nat *n, const struct fw_addresses *a, int in, int out, struct fw_flow *f);
/* The address is one that a dynamic rule hands out on interface `mapped`. */
bool fw_nat_pools(const struct fw_nat *n, const struct fw_addresses *a, int mapped, const struct ip_addr *ip);

/* A dynamic translation: of a real address and port while talking to a remote as far as the mapping depends on it.
 * The fields that do not matter are zero: proto and ports when a whole address is translated. */
struct fw_xlate {
    struct fw_key real;   /* src: the real endpoint; dst: the remote, by mapping; iface: the real side's */
    struct fw_key mapped; /* src: the mapped endpoint; iface: the mapped side's */
    uint32_t chain[2];    /* by real, by mapped */
    uint32_t refs, conns; /* connections through it, the first of them */
    uint32_t older, newer; /* of those without connections, and of free places */
    uint64_t until_ns;    /* refs 0 */
    const struct fw_nat *rule;
};

struct fw_xlates {
    struct fw_xlate *xlate;
    uint32_t *bucket[2];
    uint32_t max, mask, fresh, free, live;
    uint32_t oldest, newest; /* idle */
    uint16_t next_port;
    uint64_t next_address;
    struct rng rng;
    const struct fw_rules *rules;
    const struct fw_addresses *address;
};

int fw_xlates_open(struct fw_xlates *t, uint32_t max, const struct fw_rules *r, const struct fw_addresses *a,
                   struct rng rng);
void fw_xlates_close(struct fw_xlates *t);
/* The translation for a packet that met the dynamic rule, made when there is none. 0 with *why: none can be had. */
uint32_t fw_xlate_get(struct fw_xlates *t, uint64_t now_ns, const struct fw_nat *rule, int in, int out,
                      const struct fw_flow *f, const char **why);
/* Of the mapped endpoint that the packet is addressed to; 0: none. */
uint32_t fw_xlate_find(struct fw_xlates *t, uint64_t now_ns, int mapped_iface, const struct fw_flow *f);
/* The source after translation. */
void fw_xlate_source(const struct fw_xlate *x, struct ip_addr *ip, uint16_t *port);
/* A connection begins or ends (at when_ns) to use it. */
void fw_xlate_hold(struct fw_xlates *t, struct fw_conntrack *ct, uint32_t at, uint32_t conn);
void fw_xlate_drop(struct fw_xlates *t, struct fw_conntrack *ct, uint32_t conn, uint64_t when_ns);

static inline struct fw_xlate *fw_xlate_at(const struct fw_xlates *t, uint32_t at)
{
    return &t->xlate[at - 1];
}

#endif
