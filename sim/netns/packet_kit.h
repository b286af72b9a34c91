/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Test code: packets as bytes from the fields that firewalls look at. */
#ifndef TP_SIM_NETNS_PACKET_KIT_H
#define TP_SIM_NETNS_PACKET_KIT_H

#include "models/firewall/firewall.h"

struct packet_spec {
    struct fw_flow flow; /* ICMP: sport is the type, dport the code */
    uint8_t tcp_flags;
    uint32_t seq, ack;
    uint16_t echo_id;
    const uint8_t *quoted; /* an ICMP error about this IP packet */
    size_t quoted_len;
    uint16_t data_len;
};

/* A frame with an Ethernet header; its length, at most PACKET_MAX. */
enum { PACKET_MAX = 1500 };
size_t packet_build(const struct packet_spec *s, uint8_t *frame);

#endif
