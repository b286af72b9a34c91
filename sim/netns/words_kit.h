/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Test code: the constants of a Linux rule file (iptables-save or nft JSON), found without understanding it, so that
 * nothing here can share a mistake with an importer; a world in which its interfaces exist and its addresses are
 * routed; and packets at the boundaries of the constants. */
#ifndef TP_SIM_NETNS_WORDS_KIT_H
#define TP_SIM_NETNS_WORDS_KIT_H

#include "models/base/rng.h"
#include "models/firewall/firewall.h"
#include "sim/netns/netns_kit.h"

enum { WORDS_ADDRS = 1200, WORDS_PORTS = 600, WORDS_IFACES = 24, WORDS_HOMES = 3 };

struct words {
    struct ip_prefix addr[WORDS_ADDRS];
    int home[WORDS_ADDRS][WORDS_HOMES]; /* interfaces named in the same rule; -1: none */
    size_t addr_count;
    uint16_t port[WORDS_PORTS];
    size_t port_count;
    char iface[WORDS_IFACES][16];
    size_t iface_count;
};

void words_find(struct words *w, const char *text);

/* The interfaces of the rules and a few more, an address on each, the constants routed by one of them, some of them
 * addresses of the box itself. */
void words_world(const struct words *w, struct rng *rng, struct netns_world *world);

/* Where the kernel would send it: an interface, WORLD_SELF, or -1: nowhere. */
enum { WORLD_SELF = -2 };
int world_route(const struct netns_world *world, const struct ip_addr *to);

/* An address that a packet may come from or go to in this world: a constant, its neighbour, a host, any. */
struct ip_addr words_address(const struct words *w, const struct netns_world *world, struct rng *rng, uint8_t family,
                             bool source);
uint16_t words_port(const struct words *w, struct rng *rng);

#endif
