/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The insides of the kernel's sockets as a world: an epoll loop, a heap of timers, a table of sockets. One world is one
 * thread; worlds share nothing. */
#ifndef TP_POSIX_PARTS_H
#define TP_POSIX_PARTS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "sim/posix/posix.h"

enum sock_kind { SOCK_FREE, SOCK_LISTENER, SOCK_CONNECTING, SOCK_STREAM_OPEN, SOCK_UDP, SOCK_WATCH };

struct sock {
    int fd;
    uint8_t kind;    /* enum sock_kind */
    bool want_write; /* tcp_send took less than it was given */
    bool hung_up;    /* both directions are closed: CLOSED follows when all is read */
    bool deaf;       /* a listener that is to accept nothing */
    bool starved;    /* a listener that found no descriptor to accept with */
    bool whole;      /* UDP: what it sends now is not to be fragmented */
    bool dry;        /* a stream: all was read, nothing has come since */
    bool to_the_end; /* a stream: only the kernel can say that all was read */
    uint32_t generation; /* tells an event of an earlier socket of the same number */
    union {
        net_node host;
        net_sock next_free;
    };
    struct endpoint local;        /* UDP; LISTENER, CONNECTING: unset unless address and port are given */
    struct endpoint remote;       /* CONNECTING */
    uint32_t out_first, out_last; /* UDP: datagrams that wait in the batch, from 1 */
    void (*watch)(void *ctx);     /* WATCH */
    void *watch_ctx;
};

struct node {
    net_handler *handler;
    void *ctx;
    struct net_tcp_opts tcp;
    uint16_t next_port;
};

enum later_what { LATER_CLOSED, LATER_RECEIVE };

/* An event that is told from the loop, not from the call that it follows from. */
struct later {
    net_sock sock;
    uint32_t generation;
    enum later_what what;
    int err;
};

struct posix_timer {
    uint64_t when_ns, order;
    void (*fn)(void *ctx);
    void *ctx;
    uint32_t generation, at; /* at: place in the heap, or next free + 1 */
};

struct timers {
    struct posix_timer *timer;
    uint32_t *heap; /* indices of timer */
    uint32_t count, cap, used, free;
    uint64_t order;
};

struct batch; /* datagrams, udp.c */
struct posix_filler; /* deaf.c */

struct posix {
    struct net net;
    int epoll, spare; /* spare: given up to refuse a connection when descriptors are used up */
    int most;         /* descriptors from here on are kept for connections that come in */
    struct sock *sock; /* [0] is none */
    uint32_t sock_count, sock_cap, sock_free;
    struct node *node;
    uint32_t node_count, node_cap;
    struct later *later;
    size_t later_count, later_cap;
    struct timers timers;
    struct batch *batch;
    struct posix_filler *filler;
    size_t filler_count;
    uint64_t start_ns;
    struct net_stats stats;
    bool stopped, any_starved;
    struct endpoint *shared; /* where other worlds listen too */
    size_t shared_count;
    bool shares_first;
};

static inline struct posix *posix_of(struct net *n)
{
    return (struct posix *)n;
}

/* ---- loop.c ---- */

uint64_t posix_now(const struct net *n);
/* A socket for the descriptor, watched; 0: no memory (the descriptor is closed). */
net_sock posix_sock_add(struct posix *p, int fd, enum sock_kind kind, net_node host);
/* Closes and frees; a pending event for it is void. */
void posix_sock_remove(struct posix *p, net_sock s);
void posix_later(struct posix *p, net_sock s, enum later_what what, int err);
void posix_tell(struct posix *p, net_node host, const struct net_event *ev);
static inline bool posix_alive(const struct posix *p, net_sock s, uint32_t generation)
{
    return p->sock[s].kind != SOCK_FREE && p->sock[s].generation == generation;
}

/* ---- address.c ---- */

union any_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};
void posix_local_of(int fd, struct endpoint *out);
socklen_t posix_to_sockaddr(const struct endpoint *e, union any_address *out);
void posix_from_sockaddr(const union any_address *a, struct endpoint *out);
int posix_error(int error); /* errno as one of ours */
bool posix_is_shared(const struct posix *p, const struct endpoint *local); /* posix_share */
/* A socket that does not block, of the family; bound to local unless that is unset. A descriptor, or an error; E_NOMEM
 * also when only those are left that are kept for connections that come in: who comes is told so, not shut out. */
enum posix_use { USE_DATAGRAMS, USE_LISTEN, USE_CONNECT };
int posix_open(const struct posix *p, enum posix_use use, const struct endpoint *local, uint8_t family);
/* A relay connects from the very port that it listens on (RFC 6062 5.2), which the kernel allows when both sockets have
 * said this: a connecting one before it is bound, a listener not before it listens, or it would share its port with
 * another program's. Of worlds that share (posix_share) the first is such a listener, the others say it before they are
 * bound. 0, or -1 and errno. */
int posix_reuse_port(int fd);

/* ---- tcp.c, udp.c: what the loop calls ---- */

void posix_tcp_event(struct posix *p, net_sock s, uint32_t events);
void posix_tcp_accept(struct posix *p, net_sock s);
void posix_udp_event(struct posix *p, net_sock s, uint32_t events);
int posix_udp_init(struct posix *p); /* E_NOMEM */
void posix_udp_flush(struct posix *p);
void posix_udp_free(struct posix *p);

int posix_tcp_listen(struct net *n, net_node host, const struct endpoint *local, net_sock *out);
int posix_tcp_connect(struct net *n, net_node host, const struct endpoint *local, const struct endpoint *remote,
                      net_sock *out);
size_t posix_tcp_send(struct net *n, net_sock s, const void *data, size_t len);
size_t posix_tcp_recv(struct net *n, net_sock s, void *buf, size_t cap, bool *eof);
void posix_tcp_shutdown(struct net *n, net_sock s);
void posix_tcp_abort(struct net *n, net_sock s);
int posix_udp_open(struct net *n, net_node host, const struct endpoint *local, net_sock *out);
int posix_udp_send(struct net *n, net_sock s, const struct endpoint *to, const void *data, size_t len);
int posix_udp_send_whole(struct net *n, net_sock s, const struct endpoint *to, const void *data, size_t len);

/* ---- deaf.c ---- */

bool posix_is_filler(const struct posix *p, const struct endpoint *remote);
void posix_deaf_free(struct posix *p);

/* ---- timers.c ---- */

net_timer posix_timer_set(struct net *n, uint64_t when_ns, void (*fn)(void *ctx), void *ctx);
void posix_timer_cancel(struct net *n, net_timer timer);
uint64_t posix_timers_next(const struct timers *t); /* TIME_NEVER: none */
/* Fires what is due; false: nothing is. */
bool posix_timers_fire(struct timers *t, uint64_t now_ns);
void posix_timers_free(struct timers *t);

#endif
