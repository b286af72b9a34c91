/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loop: events of descriptors, events put off, timers. Descriptors are watched edge by edge, as net.h tells of new
 * bytes once: a socket that its host does not read costs nothing. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "sim/posix/parts.h"

enum { EVENTS_MAX = 256 };

static uint64_t clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NS_S + (uint64_t)t.tv_nsec;
}

uint64_t posix_now(const struct net *n)
{
    return clock_ns() - ((const struct posix *)n)->start_ns;
}

uint64_t posix_raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

/* Of few an eighth is kept for who comes in, of many KEPT_MOST. */
static int descriptors_of_ours(void)
{
    enum { KEPT_MOST = 256, PART = 8 };
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > INT_MAX)
        return INT_MAX;
    int all = (int)limit.rlim_cur, kept = all / PART;
    return all - (kept < KEPT_MOST ? kept : KEPT_MOST);
}

static void destroy(struct net *n)
{
    struct posix *p = posix_of(n);
    for (net_sock s = 1; s < p->sock_count; s++)
        if (p->sock[s].kind != SOCK_FREE && p->sock[s].kind != SOCK_WATCH)
            close(p->sock[s].fd);
    if (p->epoll >= 0)
        close(p->epoll);
    if (p->spare >= 0)
        close(p->spare);
    posix_timers_free(&p->timers);
    posix_udp_free(p);
    free(p->shared);
    posix_deaf_free(p);
    free(p->sock);
    free(p->node);
    free(p->later);
    free(p);
}

static struct net *create(uint64_t seed)
{
    (void)seed; /* the kernel draws for itself */
    struct posix *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->net.ops = &net_posix;
    p->start_ns = clock_ns();
    p->most = descriptors_of_ours();
    p->epoll = epoll_create1(EPOLL_CLOEXEC);
    p->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    p->sock_count = 1;
    if (p->epoll < 0 || posix_udp_init(p) != 0) {
        destroy(&p->net);
        return NULL;
    }
    return &p->net;
}

int posix_share(struct net *n, const struct net *first, const struct endpoint *at, size_t count)
{
    struct posix *p = posix_of(n);
    struct endpoint *shared = realloc(p->shared, (p->shared_count + count + 1) * sizeof *shared);
    if (!shared)
        return E_NOMEM;
    p->shared = shared;
    for (size_t i = 0; i < count; i++)
        shared[p->shared_count++] = at[i];
    p->start_ns = ((const struct posix *)first)->start_ns;
    p->shares_first = n == first;
    return 0;
}

static net_node node_add(struct net *n, const struct net_node_spec *spec)
{
    struct posix *p = posix_of(n);
    assert(spec->kind == NET_HOST);
    if (p->node_count == p->node_cap) {
        uint32_t cap = p->node_cap ? 2 * p->node_cap : 4;
        struct node *node = realloc(p->node, cap * sizeof *node);
        if (!node)
            return 0;
        p->node = node;
        p->node_cap = cap;
    }
    p->node[p->node_count] = (struct node){.handler = spec->handler, .ctx = spec->ctx, .tcp = spec->tcp};
    return ++p->node_count;
}

/* ---- sockets ---- */

static net_sock take_sock(struct posix *p)
{
    if (p->sock_free) {
        net_sock s = p->sock_free;
        p->sock_free = p->sock[s].next_free;
        return s;
    }
    if (p->sock_count >= p->sock_cap) {
        uint32_t cap = p->sock_cap ? 2 * p->sock_cap : 64;
        struct sock *sock = realloc(p->sock, cap * sizeof *sock);
        if (!sock)
            return 0;
        memset(sock + p->sock_cap, 0, (cap - p->sock_cap) * sizeof *sock);
        p->sock = sock;
        p->sock_cap = cap;
    }
    return p->sock_count++;
}

net_sock posix_sock_add(struct posix *p, int fd, enum sock_kind kind, net_node host)
{
    net_sock s = take_sock(p);
    if (!s) {
        close(fd);
        return 0;
    }
    uint32_t generation = p->sock[s].generation + 1;
    p->sock[s] = (struct sock){.fd = fd, .kind = (uint8_t)kind, .host = host, .generation = generation};
    struct epoll_event ev = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.u64 = (uint64_t)generation << 32 | s};
    if (kind == SOCK_CONNECTING || kind == SOCK_STREAM_OPEN)
        ev.events |= EPOLLOUT | EPOLLPRI;
    if (epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &ev) == 0)
        return s;
    posix_sock_remove(p, s);
    return 0;
}

static void forget(struct posix *p, net_sock s)
{
    struct sock *k = &p->sock[s];
    k->kind = SOCK_FREE;
    k->next_free = p->sock_free;
    p->sock_free = s;
}

void posix_sock_remove(struct posix *p, net_sock s)
{
    const struct sock *k = &p->sock[s];
    if (k->out_first)
        posix_udp_flush(p);
    if (k->kind == SOCK_WATCH)
        epoll_ctl(p->epoll, EPOLL_CTL_DEL, k->fd, NULL);
    else
        close(k->fd);
    forget(p, s);
}

int posix_take_out(struct net *n, net_sock s)
{
    struct posix *p = posix_of(n);
    int fd = p->sock[s].fd;
    epoll_ctl(p->epoll, EPOLL_CTL_DEL, fd, NULL);
    forget(p, s);
    return fd;
}

net_sock posix_put_in(struct net *n, net_node host, int fd)
{
    return posix_sock_add(posix_of(n), fd, SOCK_STREAM_OPEN, host);
}

static void sock_close(struct net *n, net_sock s)
{
    posix_sock_remove(posix_of(n), s);
}

int posix_watch(struct net *n, int fd, void (*fn)(void *ctx), void *ctx)
{
    struct posix *p = posix_of(n);
    net_sock s = posix_sock_add(p, fd, SOCK_WATCH, 0);
    if (!s)
        return E_NOMEM;
    p->sock[s].watch = fn;
    p->sock[s].watch_ctx = ctx;
    return 0;
}

/* ---- events ---- */

void posix_later(struct posix *p, net_sock s, enum later_what what, int err)
{
    if (p->later_count == p->later_cap) {
        p->later_cap = p->later_cap ? 2 * p->later_cap : 64;
        p->later = realloc(p->later, p->later_cap * sizeof *p->later);
        assert(p->later);
    }
    p->later[p->later_count++] = (struct later){s, p->sock[s].generation, what, err};
}

void posix_tell(struct posix *p, net_node host, const struct net_event *ev)
{
    p->stats.events++;
    p->node[host - 1].handler(p->node[host - 1].ctx, ev);
}

/* Those that there are now: what follows from them has its turn after other sockets had theirs. */
static void tell_later(struct posix *p)
{
    size_t count = p->later_count;
    for (size_t i = 0; i < count; i++) {
        struct later l = p->later[i];
        if (!posix_alive(p, l.sock, l.generation))
            continue;
        if (l.what == LATER_RECEIVE) {
            posix_udp_event(p, l.sock, EPOLLIN | EPOLLERR);
            continue;
        }
        net_node host = p->sock[l.sock].host;
        posix_sock_remove(p, l.sock);
        posix_tell(p, host, &(struct net_event){.kind = NET_CLOSED, .sock = l.sock, .err = l.err});
    }
    p->later_count -= count;
    if (p->later_count)
        memmove(p->later, p->later + count, p->later_count * sizeof *p->later);
}

static void dispatch(struct posix *p, const struct epoll_event *ev)
{
    net_sock s = (net_sock)ev->data.u64;
    if (!posix_alive(p, s, (uint32_t)(ev->data.u64 >> 32)))
        return;
    switch (p->sock[s].kind) {
    case SOCK_LISTENER:
        posix_tcp_accept(p, s);
        break;
    case SOCK_UDP:
        posix_udp_event(p, s, ev->events);
        break;
    case SOCK_WATCH:
        p->sock[s].watch(p->sock[s].watch_ctx);
        break;
    default:
        posix_tcp_event(p, s, ev->events);
        break;
    }
}

/* Listeners that ran out of descriptors try again: an edge that was missed does not come back. */
static void feed_starved(struct posix *p)
{
    p->any_starved = false;
    for (net_sock s = 1; s < p->sock_count; s++)
        if (p->sock[s].kind == SOCK_LISTENER && p->sock[s].starved) {
            p->sock[s].starved = false;
            posix_tcp_accept(p, s);
        }
}

/* How long the loop may sleep, in ms, rounded up. */
static int patience(const struct posix *p, uint64_t until_ns)
{
    enum { STARVED_MS = 50, LONGEST_MS = 60000 };
    uint64_t at = time_min(posix_timers_next(&p->timers), until_ns), now = posix_now(&p->net);
    if (p->later_count || at <= now)
        return 0;
    uint64_t ms = (at - now + NS_MS - 1) / NS_MS;
    ms = ms > LONGEST_MS ? LONGEST_MS : ms;
    return p->any_starved && ms > STARVED_MS ? STARVED_MS : (int)ms;
}

static void run(struct net *n, uint64_t until_ns)
{
    struct posix *p = posix_of(n);
    p->stopped = false;
    while (!p->stopped && posix_now(n) < until_ns) {
        struct epoll_event events[EVENTS_MAX];
        posix_udp_flush(p);
        int count = epoll_wait(p->epoll, events, EVENTS_MAX, patience(p, until_ns));
        for (int i = 0; i < count; i++) /* all of them: an edge does not come twice */
            dispatch(p, &events[i]);
        tell_later(p);
        while (!p->stopped && posix_timers_fire(&p->timers, posix_now(n)))
            ;
        if (p->any_starved)
            feed_starved(p);
    }
    posix_udp_flush(p);
}

static void stop(struct net *n)
{
    posix_of(n)->stopped = true;
}

static void stats(const struct net *n, struct net_stats *out)
{
    *out = ((const struct posix *)n)->stats;
}

const struct net_ops net_posix = {
    .name = "posix",
    .create = create,
    .destroy = destroy,
    .node_add = node_add,
    .run = run,
    .stop = stop,
    .now = posix_now,
    .stats = stats,
    .timer_set = posix_timer_set,
    .timer_cancel = posix_timer_cancel,
    .tcp_listen = posix_tcp_listen,
    .tcp_connect = posix_tcp_connect,
    .udp_open = posix_udp_open,
    .udp_send = posix_udp_send,
    .udp_send_whole = posix_udp_send_whole,
    .tcp_send = posix_tcp_send,
    .tcp_recv = posix_tcp_recv,
    .tcp_shutdown = posix_tcp_shutdown,
    .sock_close = sock_close,
    .tcp_abort = posix_tcp_abort,
};
