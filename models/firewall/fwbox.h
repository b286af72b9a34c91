/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stateful firewall: connections, address translation and timers around the rules. Pure: a packet's fields and
 * the time go in, what becomes of it comes out. */
#ifndef TP_FIREWALL_FWBOX_H
#define TP_FIREWALL_FWBOX_H

#include "models/firewall/firewall.h"
#include "models/firewall/route.h"

enum { FW_FIN = 1, FW_SYN = 2, FW_RST = 4, FW_ACK = 16 }; /* RFC 9293 3.1 */

struct fw_packet {
    int iface; /* of the rules, that it came in by; negative: one that the rules do not know */
    struct fw_flow flow;
    uint8_t tcp_flags;
    uint16_t echo_id;      /* ICMP echo */
    bool fragment;         /* a later fragment: no ports */
    bool quotes;           /* an ICMP error about this flow: */
    struct fw_flow quoted; /* as the sender of the error saw it */
    uint16_t quoted_id;
};

enum fw_fate { FW_PASS, FW_DROP, FW_ANSWER /* dropped, and the sender is told */ };

/* Addresses and ports after translation. Of ICMP echo the identifier, on the side that asks. */
struct fw_result {
    enum fw_fate fate;
    int iface; /* that it leaves by, or would have; negative: not known */
    const struct fw_route *route; /* PASS: to the new destination; NULL: none */
    struct endpoint src, dst, quoted_src, quoted_dst;
    const char *reason;             /* of a drop */
    const struct fw_rule_ref *rule; /* of a drop: the line that decided, or NULL */
    struct fw_verdict verdict;      /* of a first packet that the rules were asked about */
    struct fw_flow seen;            /* as the rules saw it */
    uint64_t idle_ns;               /* reason "idle-timeout": how long, and which timer */
    enum fw_timer timer;
    unsigned held; /* not 0: a SYN that is to be answered when fw_box_due names this place again */
};

/* Keeps flows from beginning that the rules let pass. Asked about the first packet of each, as it arrived and as it
 * would leave; what it answers is the line to blame, with its text (the drop's reason is "shut"), NULL: it passes. */
struct fw_shutter {
    const struct fw_rule_ref *(*shuts)(void *ctx, const struct fw_flow *arrived, const struct fw_flow *leaving);
    void *ctx;
};

struct fw_box_config {
    const struct fw_rules *rules;   /* borrowed, as all here */
    const struct fw_routes *routes; /* iface: of the rules */
    const struct ip_prefix
        *address[FW_IFACE_MAX]; /* what the interfaces have in this world; NULL: as the rules say */
    size_t address_count[FW_IFACE_MAX];
    const char *name; /* of the random stream */
    uint64_t seed;
    size_t max_connections; /* 0: 16384 */
    const struct fw_shutter *shutter; /* NULL: none */
};

struct fw_box;
struct fw_box *fw_box_new(const struct fw_box_config *cfg); /* NULL: no memory */
void fw_box_free(struct fw_box *b);
struct fw_result fw_pass(struct fw_box *b, uint64_t now_ns, const struct fw_packet *p);
/* Unsolicited SYNs that are held (FW_SYN_HOLD): when the next is due, and one that is, to be answered with ICMP port
 * unreachable; 0: none. Places are below FW_HELD_MAX + 1 and used again. */
enum { FW_HELD_MAX = 32 };
uint64_t fw_box_deadline(const struct fw_box *b);
unsigned fw_box_due(struct fw_box *b, uint64_t now_ns);

/* An address in the payload of a packet that passed: it becomes what it is on the side where the packet goes, by the
 * translation of the packet itself or the rule that a packet from or to that address would meet. false: it is the same
 * there, or no rule says. */
bool fw_box_payload_address(const struct fw_box *b, const struct fw_packet *p, const struct fw_result *r,
                            struct ip_addr *ip);

/* The addresses for which interface iface answers besides its own (proxy ARP): fn is called with each, as long as a
 * rule has no more than a few hundred. */
void fw_box_proxied(const struct fw_box *b, void (*fn)(void *ctx, int iface, const struct ip_addr *ip), void *ctx);

struct fw_box_stats {
    size_t connections, translations;
};
struct fw_box_stats fw_box_stats(const struct fw_box *b);

#endif
