/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kinds of box share. */
#ifndef TP_SIM_HOST_BOX_PARTS_H
#define TP_SIM_HOST_BOX_PARTS_H

#include "models/firewall/fwbox.h"
#include "models/wire/wire.h"
#include "sim/host/box.h"

enum { BOX_MAC_MAX = 1024, BOX_FRAME_MAX = 2048, BOX_TRAINS = 64 };

struct box_mac {
    uint8_t mac[6];
    unsigned port;
};

/* A datagram whose first fragment was let through: the others have no ports, and go its way. */
struct box_train {
    unsigned port; /* they come in by */
    struct ip_addr src, dst;
    uint8_t proto;
    uint32_t id;
    uint64_t until_ns;
    struct fw_result way;
};

/* A SYN that is answered later, as far as the answer quotes it. */
struct box_held {
    unsigned port;
    size_t len;
    uint8_t frame[160]; /* headers with all options; a SYN carries no more */
};

struct box {
    struct net *net;
    net_node node; /* 0: not attached yet */
    struct box_config cfg;
    struct box_iface *iface;
    struct fw_routes routes; /* iface: ports; of a firewall: interfaces of its rules */
    struct box_mac mac[BOX_MAC_MAX]; /* SWITCH; the oldest is forgotten */
    size_t mac_count, mac_next;
    struct fw_box *fw; /* FIREWALL */
    struct box_train train[BOX_TRAINS]; /* the oldest is forgotten */
    size_t train_next;
    struct box_held held[FW_HELD_MAX];
    net_timer held_timer; /* 0: none */
    struct box_text *text;
    struct box_sip *sip; /* NULL: no SIP inspection */
    int port_iface[FW_IFACE_MAX]; /* rules' interface of a port; negative: the rules do not know it */
    int iface_port[FW_IFACE_MAX]; /* and back; negative: not in this world */
};

/* An ICMP error type and code for IPv4 and IPv6. */
struct box_error {
    uint8_t type4, code4, type6, code6;
};
extern const struct box_error box_ttl, box_no_route, box_no_host, box_no_port, box_too_big, box_prohibited;

void box_report(const struct box *b, const struct box_drop *d);
/* Sends an ICMP error about the packet, which came in by port, back where it came from. */
void box_send_error(const struct box *b, unsigned port, const struct wire_packet *k, const struct box_error *e,
                    uint32_t rest);
struct fw_flow box_flow(const struct wire_packet *k);
/* Checks TTL before anything else; false: dropped, reported, answered. */
bool box_ttl_left(const struct box *b, unsigned port, const struct wire_packet *k);
/* The last step: MTU, neighbour's MAC, TTL, Ethernet addresses. NET_DROP: reported and answered. */
int box_forward(const struct box *b, unsigned in, unsigned out, const struct ip_addr *gateway, struct wire_packet *k);

/* box_sip.c */
int box_sip_open(struct box *b); /* 0, E_NOMEM */
void box_sip_close(struct box *b);
void box_sip_forget(struct box *b); /* what it knows of connections */
bool box_sip_wants(const struct box *b, const struct wire_packet *k);
/* A packet that was let through, not translated yet: it is sent on rewritten, or held until the rest of its message
 * comes (true), or its numbers are mended and what is left to do is the caller's (false). */
bool box_sip_frame(struct box *b, unsigned in, unsigned out, struct wire_packet *k, const struct fw_packet *p,
                   const struct fw_result *r);

/* box_firewall.c */
int box_firewall_open(struct box *b); /* 0, E_NOMEM */
void box_firewall_close(struct box *b);
void box_firewall_attach(struct box *b);
int box_firewall_frame(struct box *b, unsigned port, struct wire_packet *k);

#endif
