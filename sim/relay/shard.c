/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/relay/shard.h"

#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "sim/posix/posix.h"
#include "sim/relay/metrics.h"

/* A call, which lies on the caller's stack until `done`, or a connection, which the reader frees. */
struct letter {
    struct letter *next;
    void (*fn)(struct shard *s, void *arg); /* NULL: a connection */
    void *arg;
    sem_t done;
    int fd;
    struct endpoint local, remote;
    size_t len;
    uint8_t data[];
};

/* ---- the mailbox ---- */

static void post(struct shard *to, struct letter *l)
{
    l->next = NULL;
    pthread_mutex_lock(&to->lock);
    bool first = !to->first;
    *to->last = l;
    to->last = &l->next;
    pthread_mutex_unlock(&to->lock);
    if (!first)
        return;
    uint64_t one = 1;
    while (write(to->bell, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

static struct letter *take_all(struct shard *s)
{
    pthread_mutex_lock(&s->lock);
    struct letter *l = s->first;
    s->first = NULL;
    s->last = &s->first;
    pthread_mutex_unlock(&s->lock);
    return l;
}

static void take_connection(struct shard *s, const struct letter *l)
{
    struct host_gift g = {posix_put_in(s->net, s->node, l->fd), l->local, l->remote, l->data, l->len};
    if (g.sock)
        host_take(s->host, &g);
}

static void on_bell(void *ctx)
{
    struct shard *s = ctx;
    uint64_t count;
    while (read(s->bell, &count, sizeof count) < 0 && errno == EINTR)
        ;
    for (struct letter *l = take_all(s), *next; l; l = next) {
        next = l->next;
        if (l->fn) {
            l->fn(s, l->arg);
            sem_post(&l->done); /* it is gone from here on */
        } else {
            take_connection(s, l);
            free(l);
        }
    }
}

/* The host's hook: its connection is shard `to`'s. */
static void give(void *ctx, unsigned to, const struct host_gift *g)
{
    struct shard *s = ctx;
    int fd = posix_take_out(s->net, g->sock);
    struct letter *l = to < s->count ? calloc(1, sizeof *l + g->len) : NULL;
    if (!l) {
        close(fd);
        return;
    }
    l->fd = fd;
    l->local = g->local;
    l->remote = g->remote;
    l->len = g->len;
    memcpy(l->data, g->data, g->len);
    post(&s->all[to], l);
}

void shard_call(struct shard *s, void (*fn)(struct shard *s, void *arg), void *arg)
{
    if (!s->threaded) {
        fn(s, arg);
        return;
    }
    struct letter l = {.fn = fn, .arg = arg};
    sem_init(&l.done, 0, 0);
    post(s, &l);
    while (sem_wait(&l.done) != 0 && errno == EINTR)
        ;
    sem_destroy(&l.done);
}

/* ---- made ---- */

static void core_input(void *self, const struct io_in *in)
{
    turn_input(self, in);
}

static uint64_t core_deadline(const void *self)
{
    return turn_deadline(self);
}

static void core_free(void *self)
{
    turn_free(self);
}

static uint32_t part_of(uint32_t limit, unsigned count)
{
    return (limit + count - 1) / count;
}

/* Where the ports of shard i begin: pairs of an even port and the next one (RFC 8656 7.2) are not torn apart. */
static uint32_t first_port(const struct turn_config *cfg, unsigned i, unsigned count)
{
    uint32_t ports = (uint32_t)cfg->last_port - cfg->first_port + 1;
    uint32_t at = cfg->first_port + (uint32_t)((uint64_t)ports * i / count);
    return i > 0 && i < count ? at & ~UINT32_C(1) : at;
}

static struct turn_config config_of(const struct turn_config *all, unsigned i, unsigned count)
{
    struct turn_config cfg = *all;
    struct turn_limits *l = &cfg.limits;
    uint32_t *const limits[] = {&l->clients, &l->allocations, &l->port_allocations, &l->user_allocations};
    for (size_t k = 0; k < sizeof limits / sizeof *limits; k++)
        *limits[k] = part_of(*limits[k], count);
    cfg.first_port = (uint16_t)first_port(all, i, count);
    cfg.last_port = (uint16_t)(first_port(all, i + 1, count) - 1);
    cfg.shard = i;
    cfg.shards = count;
    return cfg;
}

static int open_mailbox(struct shard *s)
{
    s->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return s->bell < 0 ? E_IO : posix_watch(s->net, s->bell, on_bell, s);
}

static int init(struct shard *s, const struct turn_config *all)
{
    static const struct core_ops ops = {core_input, core_deadline, core_free};
    struct turn_config cfg = config_of(all, s->number, s->count);
    snprintf(s->name, sizeof s->name, s->count > 1 ? "relay/%u" : "relay", s->number);
    s->net = net_posix.create(0);
    s->io = io_new(s->name, s->number);
    if (!s->net || !s->io)
        return E_NOMEM;
    if (s->count > 1) {
        const struct net *first = s->all->net;
        int err = posix_share(s->net, first, all->listen, all->listen_count);
        err = err ? err : posix_share(s->net, first, all->listen_udp, all->listen_udp_count);
        err = err ? err : open_mailbox(s);
        if (err)
            return err;
    }
    s->turn = turn_new(s->io, 0, &cfg);
    if (!s->turn)
        return E_RANGE;
    if (!s->hooks->message)
        io_mute(s->io, NOTE_STATE); /* composed for nobody */
    struct host_hooks hooks = *s->hooks;
    hooks.give = give;
    hooks.ctx = s;
    s->host = host_new(s->net, &(struct core){&ops, s->turn, s->io}, &hooks);
    if (!s->host)
        return E_NOMEM;
    struct net_node_spec spec = {.name = s->name, .kind = NET_HOST, .handler = host_event, .ctx = s->host};
    s->node = net_posix.node_add(s->net, &spec);
    if (!s->node)
        return E_NOMEM;
    host_start(s->host, s->node, net_posix.now(s->net));
    return 0;
}

int shards_init(struct shard *all, unsigned count, const struct turn_config *cfg, const struct host_hooks *hooks)
{
    uint32_t ports = (uint32_t)cfg->last_port - cfg->first_port + 1;
    int err = count > 1 && ports < (uint32_t)SHARD_PORTS_LEAST * count ? E_RANGE : 0;
    for (unsigned i = 0; i < count; i++) {
        struct shard *s = &all[i];
        *s = (struct shard){.number = i, .count = count, .all = all, .hooks = hooks, .owner = hooks->ctx,
                            .bell = -1, .last = &s->first};
        pthread_mutex_init(&s->lock, NULL);
    }
    for (unsigned i = 0; i < count && !err; i++)
        err = init(&all[i], cfg);
    return err;
}

void shards_free(struct shard *all, unsigned count)
{
    for (struct shard *s = all; s < all + count; s++) {
        for (struct letter *l = s->first, *next; l; l = next) { /* connections given while it ended */
            next = l->next;
            close(l->fd);
            free(l);
        }
        host_free(s->host);
        if (s->net)
            net_posix.destroy(s->net);
        turn_free(s->turn);
        io_free(s->io);
        if (s->bell >= 0)
            close(s->bell);
        pthread_mutex_destroy(&s->lock);
    }
}

/* ---- run ---- */

static void *run(void *arg)
{
    const struct shard *s = arg;
    net_posix.run(s->net, TIME_NEVER);
    return NULL;
}

int shards_start(struct shard *all, unsigned count)
{
    for (struct shard *s = all + 1; s < all + count; s++) {
        if (pthread_create(&s->thread, NULL, run, s) != 0)
            return E_NOMEM;
        s->threaded = true;
    }
    return 0;
}

static void stop(struct shard *s, void *arg)
{
    (void)arg;
    net_posix.stop(s->net);
}

void shards_stop(struct shard *all, unsigned count)
{
    for (struct shard *s = all + 1; s < all + count; s++) {
        if (!s->threaded)
            continue;
        shard_call(s, stop, NULL);
        pthread_join(s->thread, NULL);
        s->threaded = false;
    }
}

static void add_stats(struct shard *s, void *arg)
{
    struct turn_stats one;
    turn_stats(s->turn, &one);
    metrics_add(arg, &one);
}

struct turn_stats shards_stats(struct shard *all, unsigned count)
{
    struct turn_stats sum = {0};
    for (unsigned i = 0; i < count; i++)
        shard_call(&all[i], add_stats, &sum);
    return sum;
}
