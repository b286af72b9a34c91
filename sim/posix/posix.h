/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's sockets behind net.h: hosts run on them as they run in a simulation. The nodes of such a world are all
 * this machine; links, boxes and taps are not to be had. Times are of the monotonic clock since the world was made. */
#ifndef TP_POSIX_POSIX_H
#define TP_POSIX_POSIX_H

#include "sim/net.h"

extern const struct net_ops net_posix;

/* fn(ctx) in the loop whenever the descriptor (a signalfd, an eventfd) can be read; it stays the caller's. E_NOMEM. */
int posix_watch(struct net *n, int fd, void (*fn)(void *ctx), void *ctx);

/* Several worlds, a thread each, that share listeners. Before anything is opened: n has the clock of `first`, and may
 * listen at these addresses, TCP and UDP, beside the others; called again, at these too. The kernel spreads clients
 * over them by address and port, so over UDP each comes to the same one always. first is n: the first to open them,
 * which finds out when somebody else has one (E_EXISTS). E_NOMEM. */
int posix_share(struct net *n, const struct net *first, const struct endpoint *at, size_t count);

/* A connection from one world to another: the first knows it no longer, the descriptor is the caller's; then it is of
 * a host of the second (0: no memory, it is closed), where what can be read is told as new. */
int posix_take_out(struct net *n, net_sock s);
net_sock posix_put_in(struct net *n, net_node host, int fd);

/* As many descriptors as the system lets this process have; how many that is. */
uint64_t posix_raise_descriptors(void);

/* The addresses of this machine's interfaces, at most max. E_IO. */
int posix_addresses(struct ip_addr *out, size_t max, size_t *count);

/* The address that this machine would speak from to that endpoint. E_UNREACHABLE. */
int posix_source(const struct endpoint *to, struct ip_addr *out);

/* The first address of each family that the resolver knows of a host; unset: none. E_NOT_FOUND: neither. */
int posix_resolve(const char *name, struct ip_addr *v4, struct ip_addr *v6);

/* From now on a listener answers no SYN, or does again. E_IO: it still answers. */
int posix_deafen(struct net *n, net_sock listener, bool deaf);

/* The wall clock as "2026-11-21T16:29:30Z", for logs. */
const char *posix_stamp(char out[32]);

#endif
