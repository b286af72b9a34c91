/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stateful box's insides, between fwbox.c (machines with lists) and hookbox.c (machines with hooks). */
#ifndef TP_FIREWALL_FWBOX_PARTS_H
#define TP_FIREWALL_FWBOX_PARTS_H

#include "models/firewall/fwbox.h"
#include "models/firewall/held.h"
#include "models/firewall/nat.h"

struct fw_box {
    const struct fw_rules *rules;
    const struct fw_routes *routes;
    struct fw_addresses address;
    struct fw_conntrack ct;
    struct fw_xlates xlates;
    const struct fw_shutter *shutter;
    struct fw_held held;
    bool inspect_icmp;
};

static inline bool fw_is_icmp(uint8_t proto)
{
    return proto == PROTO_ICMP || proto == PROTO_ICMP6;
}

static inline bool fw_is_echo(const struct fw_flow *f)
{
    return (f->proto == PROTO_ICMP && (f->sport == 8 || f->sport == 0)) ||
           (f->proto == PROTO_ICMP6 && (f->sport == 128 || f->sport == 129));
}

/* The flow as connections and NAT know it: an echo has its identifier for both ports. */
static inline struct fw_flow fw_tuple_of(const struct fw_flow *f, uint16_t echo_id)
{
    struct fw_flow t = *f;
    if (fw_is_echo(f))
        t.sport = t.dport = echo_id;
    return t;
}

static inline struct fw_key fw_key_of(const struct fw_flow *t, int iface)
{
    return (struct fw_key){t->src, t->dst, t->sport, t->dport, t->proto, (uint8_t)iface};
}

static inline struct fw_key fw_answer_key(const struct fw_flow *t, int iface)
{
    return (struct fw_key){t->dst, t->src, t->dport, t->sport, t->proto, (uint8_t)iface};
}

/* The timer that runs after a packet with these flags in direction dir. */
enum fw_timer fw_box_tcp_timer(struct fw_conn *c, unsigned dir, uint8_t flags);
enum fw_timer fw_box_first_timer(const struct fw_box *b, const struct fw_packet *p);
/* Connections whose time has come go away. */
void fw_box_expire(struct fw_box *b, uint64_t now_ns);
void fw_box_forget(struct fw_box *b, uint64_t now_ns, uint32_t at);
/* True: the shutter keeps this flow from beginning, and r says so. */
bool fw_box_shut(const struct fw_box *b, const struct fw_packet *p, const struct fw_flow *leaving, struct fw_result *r);
struct fw_result fw_box_dropped(const struct fw_packet *p, const char *reason);
/* The drop r has its cause in the connection's end. */
struct fw_result fw_box_late(const struct fw_box *b, uint64_t now_ns, const struct fw_conn *c, struct fw_result r);
bool fw_box_owns(const struct fw_box *b, const struct ip_addr *ip);

/* What netfilter does with a packet: connection tracking, the chains at the hooks, NAT by chains. */
struct fw_result fw_hooks_pass(struct fw_box *b, uint64_t now_ns, const struct fw_packet *p);

#endif
