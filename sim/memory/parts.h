/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The insides of the memory engine: segments are events that carry what they say; a connection's ends know each other
 * by socket number, which is never used twice. */
#ifndef TP_SIM_MEMORY_PARTS_H
#define TP_SIM_MEMORY_PARTS_H

#include "sim/memory/memory.h"
#include "sim/native/queue.h"
#include "sim/native/timers.h"

#define CONTAINER(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))

enum { ADDRESSES_MAX = 8 };

struct bytes {
    uint8_t *p;
    size_t from, len, cap;
};

enum segment_kind {
    SEG_SYN, SEG_SYN_ACK, SEG_ACK, SEG_DATA, SEG_ROOM, SEG_FIN, SEG_FIN_ACK, SEG_RST, SEG_DATAGRAM,
    SEG_PORT_UNREACHABLE
};

/* On its way; ROOM: so many bytes more have been read. */
struct segment {
    struct event event;
    struct segment *next; /* held back */
    enum segment_kind kind;
    net_node to_host;
    net_sock from, to;    /* to 0: not known yet */
    struct endpoint src, dst;
    uint64_t sent_ns;
    size_t len;
    uint8_t data[];
};

enum sock_state {
    SOCK_LISTENING, SOCK_UDP,
    SOCK_OPENING,   /* SYN sent */
    SOCK_ACCEPTING, /* SYN received: nobody knows of it yet */
    SOCK_OPEN,
    SOCK_TIME_WAIT, /* only its endpoints are in use */
};

struct sock {
    struct sock *prev, *next; /* of those that live */
    net_sock id, peer, listener;
    net_node host;
    enum sock_state state;
    struct endpoint local, remote;
    bool user;           /* somebody has the socket */
    struct bytes in, out;
    size_t outstanding;  /* sent, and not read by the other side as far as is known */
    bool wants_room, fin_wanted, fin_sent, fin_acked, fin_came, eof_read, waits_after;
    struct segment *held, **held_tail; /* that a silent host has not got */
    unsigned retries;
    struct event retry, end; /* end: the news that it is over; or the end of what it outlives its user by */
};

struct node {
    net_handler *handler;
    void *ctx;
    struct net_tcp_opts tcp;
    struct ip_prefix address[ADDRESSES_MAX];
    size_t address_count;
    uint16_t next_port;
    bool silent;
};

struct memory {
    struct net net;
    uint64_t now_ns;
    bool stopped;
    struct queue queue;
    struct net_stats stats;
    struct node *node;
    size_t node_count;
    struct sock **sock; /* by number - 1; NULL: gone */
    size_t sock_count;
    struct sock *live, *last;
    struct engine_timers timers;
};

static inline struct memory *memory_of(struct net *n)
{
    return (struct memory *)(void *)n;
}

static inline struct node *node_of(const struct memory *m, net_node id)
{
    return &m->node[id - 1];
}

/* ---- world.c ---- */

void *memory_room(void *array, size_t count, size_t size); /* for one more; a machine out of memory ends the program */
void memory_put(struct memory *m, struct event *e, uint64_t when_ns);
/* Whose address that is; 0: nobody's. */
net_node memory_owner(const struct memory *m, const struct ip_addr *ip);
bool memory_owns(const struct node *host, const struct ip_addr *ip);
/* The source towards dst: `src` itself if it is set. E_UNREACHABLE. */
int memory_path(const struct memory *m, const struct node *host, const struct ip_addr *dst, struct ip_addr *src);

/* ---- sock.c ---- */

struct sock *memory_sock_new(struct memory *m, net_node host, enum sock_state state);
struct sock *memory_sock(const struct memory *m, net_sock id); /* NULL: gone */
void memory_sock_free(struct memory *m, struct sock *s);
/* An exact address goes before "any". NULL: nobody has that port. */
struct sock *memory_bound(const struct memory *m, net_node host, enum sock_state state, const struct endpoint *local);
struct sock *memory_connection(const struct memory *m, net_node host, const struct endpoint *local,
                               const struct endpoint *remote);
uint16_t memory_port(const struct memory *m, net_node host, const struct ip_addr *local, const struct endpoint *remote);
void memory_tell(const struct memory *m, net_node host, const struct net_event *ev);
void memory_send(struct memory *m, const struct segment *head, const void *data);
/* A segment has come, unless its host is silent: then it is held back until it hears again. Takes the segment. */
void memory_deliver(struct memory *m, struct segment *g);

int memory_listen(struct net *n, net_node host, const struct endpoint *local, net_sock *out);
int memory_udp_open(struct net *n, net_node host, const struct endpoint *local, net_sock *out);
int memory_udp_send(struct net *n, net_sock s, const struct endpoint *to, const void *data, size_t len);
void memory_sock_close(struct net *n, net_sock s);
void memory_datagram(struct memory *m, const struct segment *g);

/* ---- tcp.c ---- */

void memory_segment(struct memory *m, const struct segment *g);
void memory_connection_close(struct memory *m, struct sock *s);
void memory_connection_end(void *world, struct event *e);
void memory_time_out(struct memory *m, struct sock *s);
int memory_connect(struct net *n, net_node host, const struct endpoint *local, const struct endpoint *remote,
                   net_sock *out);
size_t memory_tcp_send(struct net *n, net_sock s, const void *data, size_t len);
size_t memory_tcp_recv(struct net *n, net_sock s, void *buf, size_t cap, bool *eof);
void memory_shutdown(struct net *n, net_sock s);
void memory_abort(struct net *n, net_sock s);

#endif
