/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's sockets behind net.h: hosts run on them as they run in a simulation. The nodes of such a world are all
 * this machine; links, boxes and taps are not to be had. Times are of the monotonic clock since the world was made. */
#ifndef TP_POSIX_POSIX_H
#define TP_POSIX_POSIX_H

#include "sim/net.h"

extern const struct net_ops net_posix;

/* fn(ctx) in the loop whenever the descriptor (a signalfd, an eventfd) can be read; it stays the caller's. E_NOMEM. */
int posix_watch(struct net *n, int fd, void (*fn)(void *ctx), void *ctx);

/* As many descriptors as the system lets this process have; how many that is. */
uint64_t posix_raise_descriptors(void);

/* The addresses of this machine's interfaces, at most max. E_IO. */
int posix_addresses(struct ip_addr *out, size_t max, size_t *count);

/* The wall clock as "2026-11-21T16:29:30Z", for logs. */
const char *posix_stamp(char out[32]);

#endif
