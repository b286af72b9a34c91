/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Test code: the Linux kernel as a firewall under test. A network namespace with a TUN device for each interface of a
 * rule set; one packet goes in by one of them and what the kernel made of it is read back. The kernel forwards a packet
 * from a TUN device within the write that brings it, so there is nothing to wait for. The rules are real ones, loaded
 * with the real tools; beside them stands a table of our own that reports, over a netlink log, what is delivered to
 * the machine itself (behind the last rule of its input) and what it answers (before the first rule of its output). */
#ifndef TP_SIM_NETNS_NETNS_KIT_H
#define TP_SIM_NETNS_NETNS_KIT_H

#include "models/base/bytes.h"
#include "models/wire/wire.h"

enum { NETNS_IFACES = 32, NETNS_LOCALS = 32, NETNS_ROUTES = 2048, NETNS_FRAME = 2048, NETNS_WHY = 400 };

struct netns_iface {
    char name[16];
    struct ip_prefix v4, v6; /* the box's address on it */
};

struct netns_route {
    struct ip_prefix to;
    int iface;
};

struct netns_world {
    struct netns_iface iface[NETNS_IFACES];
    size_t iface_count;
    struct ip_addr local[NETNS_LOCALS]; /* further addresses of the box */
    size_t local_count;
    struct netns_route route[NETNS_ROUTES];
    size_t route_count;
};

enum netns_fate { NETNS_DROPPED, NETNS_FORWARDED, NETNS_DELIVERED, NETNS_ANSWERED };

/* What became of a packet. `frame` holds what left, or was delivered, or was answered, behind an Ethernet header. */
struct netns_seen {
    enum netns_fate fate;
    int iface; /* FORWARDED: that it left by */
    struct wire_packet packet;
    uint8_t frame[NETNS_FRAME];
    unsigned strays; /* packets that cannot be of the one sent: more than one came out */
};

struct netns;

/* A fresh namespace with the world in it, and this process in the namespace; the one before goes away. NULL: `why`
 * says what is missing (permission, /dev/net/tun, a tool). */
struct netns *netns_open(const struct netns_world *w, char why[NETNS_WHY]);
void netns_close(struct netns *n);

/* Runs a tool in the namespace, `in` on its standard input (NULL: nothing), what it prints into `out` (NULL: not
 * wanted), what it complains of into `why`. 0, E_IO: it could not be started, or failed. */
int netns_run(const char *const argv[], const char *in, struct text *out, char why[NETNS_WHY]);

/* In place of all rules that were there: runs the tool argv with the rules on its input and, when that went well, the
 * tool `dump` (NULL: none), which prints them as the kernel has them. Our own table is not among them. 0, E_IO. */
int netns_load(struct netns *n, const char *const argv[], const char *rules, const char *const dump[], struct text *out,
               char why[NETNS_WHY]);

/* The packet goes in by an interface: `frame` is a whole one, with an Ethernet header that is not sent. */
void netns_send(struct netns *n, int iface, const uint8_t *frame, size_t len, struct netns_seen *seen);

/* The next packet that the machine itself sends out of an interface, behind an Ethernet header without addresses; how
 * long that is, 0: none. */
size_t netns_next(struct netns *n, int iface, uint8_t frame[NETNS_FRAME]);

/* The kernel forgets the connection that this packet belongs to, if there is one. */
void netns_forget(struct netns *n, const struct wire_packet *p, uint16_t echo_id);

#endif
