/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The boxes between hosts: switch, router, firewall. Frames in, frames out, on any engine (net.h); a firewall runs
 * the stateful box of models/firewall. Routers and firewalls lower TTL and send ICMP errors; a firewall drops in
 * silence unless a rule rejects. */
#ifndef TP_SIM_HOST_BOX_H
#define TP_SIM_HOST_BOX_H

#include "models/firewall/firewall.h"
#include "sim/host/host.h"
#include "sim/net.h"

enum box_kind { BOX_SWITCH, BOX_ROUTER, BOX_FIREWALL };

struct box_route {
    struct ip_prefix to;
    unsigned port;
    struct ip_addr gateway; /* unset: on link */
};

struct box_iface {
    const char *name; /* a firewall's nameif: "outside" */
    uint8_t mac[6];   /* not of a switch: its ports have none */
    uint16_t mtu;     /* of the IP packet; 0: NET_MTU_DEFAULT */
    const struct ip_prefix *prefix;
    size_t prefix_count;
};

/* A packet that a box did not pass on. Strings live as long as the box. */
struct box_drop {
    const char *node;
    unsigned port;              /* it came in by */
    const char *reason;         /* "acl", "no-route", "ttl", "nat-no-xlate", "tcp-not-syn", "idle-timeout", ... */
    const struct fw_rule_ref *rule; /* the line that decided, or NULL: the implicit deny, no state, ... */
    struct fw_flow flow;        /* as it arrived */
    struct fw_flow translated;  /* as the rules saw it, after un-NAT; equal to flow without NAT */
    const char *advice;         /* what would let it pass: a line in the file's dialect, or words */
};

struct box_config {
    enum box_kind kind;
    const char *name;
    const struct box_iface *iface;
    size_t iface_count;
    const struct box_route *route; /* besides those of the interfaces' prefixes */
    size_t route_count;
    const struct fw_rules *rules;  /* FIREWALL; borrowed */
    uint64_t seed;                 /* random port choice */
    size_t max_connections;        /* FIREWALL; 0: the usual */
    const struct fw_shutter *shutter; /* FIREWALL; NULL: none */
    /* FIREWALL: a flow has begun that leaves as another than it came; its answers go the other way round. May be told
     * again of the same. NULL: nobody wants to know. */
    void (*translated)(void *ctx, const struct fw_flow *before, const struct fw_flow *after);
    void *translated_ctx;
    void (*drop)(void *ctx, uint64_t now_ns, const struct box_drop *d);
    void (*note)(void *ctx, uint64_t now_ns, const struct host_note *n); /* what it rewrote; NULL: nobody asks */
    void *ctx;
};

struct box;
/* The interfaces and routes of the configuration are copied, their names and the rules borrowed. NULL: no memory. */
struct box *box_new(struct net *net, const struct box_config *cfg);
/* A switch knows from the start who is behind a port; what it is not told it learns, and until then floods. */
void box_learn(struct box *b, unsigned port, const uint8_t mac[6]);
int box_frame(void *box, unsigned port, uint8_t *frame, size_t len); /* a net_box_handler */
/* Once the node has its id: proxy ARP is announced, frames of its own can be sent. */
void box_attach(struct box *b, net_node node);
/* A firewall forgets its connections and translations, and draws ports from another seed. E_NOMEM: nothing happened. */
int box_forget(struct box *b, uint64_t seed);
size_t box_connections(const struct box *b); /* that a firewall knows of; 0: it is another box */
void box_free(struct box *b);

#endif
