/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rule that nearly let a packet pass: it would, were one thing about it different. */
#ifndef TP_FIREWALL_NEAREST_H
#define TP_FIREWALL_NEAREST_H

#include "models/firewall/rules.h"

/* What is different, the likelier mistake first. */
enum fw_difference {
    FW_DIFF_SHADOWED, /* nothing: a line above decides first */
    FW_DIFF_INACTIVE,
    FW_DIFF_MAPPED,   /* it is written on the address before un-NAT */
    FW_DIFF_NAME,     /* dns (195) for domain (53) */
    FW_DIFF_RANGE,    /* its port range just misses the port */
    FW_DIFF_PROTO,
    FW_DIFF_SPORT,
    FW_DIFF_DST,
    FW_DIFF_SRC,
    FW_DIFF_PORT,     /* another port altogether */
    FW_DIFF_NONE,     /* no rule is near */
};

struct fw_nearest {
    enum fw_difference what;
    const struct fw_rule *rule;
    const struct fw_service *service; /* of the rule; NULL: any */
    uint32_t distance;                /* of ports */
};

/* arrived: the packet; seen: as the rules saw it. */
struct fw_nearest fw_nearest(const struct fw_list *l, const struct fw_flow *arrived, const struct fw_flow *seen);

/* Port ranges that belong together, of the systems that this program knows; NULL: none. */
struct fw_known_range {
    uint16_t lo, hi;
    bool tcp, udp;
};
const struct fw_known_range *fw_known_range(uint8_t proto, uint16_t port);

#endif
