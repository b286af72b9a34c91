/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One thread's part of the relay: a world of sockets, a host, a core; nothing that changes is shared. What one shard
 * wants of another goes through a mailbox: connections that are the other's (RFC 6062: ConnectionBind comes on one that
 * any shard may have accepted), and what the first shard is told to do for all. A shard that is alone has neither
 * thread nor mailbox. */
#ifndef TP_RELAY_SHARD_H
#define TP_RELAY_SHARD_H

#include <pthread.h>
#include <stdbool.h>

#include "models/turn/turn.h"
#include "sim/host/host.h"

struct letter;

struct shard {
    char name[16];
    struct net *net;
    net_node node;
    struct io *io;
    struct turn *turn;
    struct host *host;
    struct shard *all; /* the array that it stands in */
    unsigned number, count;
    const struct host_hooks *hooks;
    void *owner; /* hooks->ctx */
    pthread_t thread;
    bool threaded; /* the thread is there */
    pthread_mutex_t lock;
    struct letter *first, **last; /* under the lock: what came and is not read yet */
    int bell;                     /* an eventfd; -1: none */
};

/* Relay ports that each of several shards must have: pairs of an even port and the next are not torn apart. */
enum { SHARD_PORTS_LEAST = 4 };

/* Shards for all[0..count): each with an equal part of the limits, rounded up, and of the relay ports. The hooks are
 * borrowed as long as they live; a hook's ctx is its shard, in whose thread it is called. E_NOMEM, E_IO, E_RANGE: the
 * core does not want the limits or ports, or they are too few. What is made is shards_free's, also then. */
int shards_init(struct shard *all, unsigned count, const struct turn_config *cfg, const struct host_hooks *hooks);
/* A thread for each but the first, which is the caller's to run. E_NOMEM: some may run. */
int shards_start(struct shard *all, unsigned count);
/* Ends the threads. */
void shards_stop(struct shard *all, unsigned count);
void shards_free(struct shard *all, unsigned count);

/* fn(shard, arg) in the shard's thread, and waits for it. From the first shard's thread only; nobody waits for that. */
void shard_call(struct shard *s, void (*fn)(struct shard *s, void *arg), void *arg);

/* The counters of all, added up. As shard_call. */
struct turn_stats shards_stats(struct shard *all, unsigned count);

#endif
