/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The native engine from within: nodes, ports, channels (one direction of a link) and packets. Each file does
 * one layer: world.c (building, running, timers), channel.c (packets and links), ip.c (hosts' IP), sock.c
 * (sockets and their table), udp.c, conn.c (TCP over the state machine of tcp.h). */
#ifndef TP_SIM_NATIVE_ENGINE_H
#define TP_SIM_NATIVE_ENGINE_H

#include <string.h>

#include "models/wire/reassembly.h"
#include "models/wire/wire.h"
#include "sim/native/link.h"
#include "sim/native/queue.h"
#include "sim/native/tcp.h"
#include "sim/native/timers.h"
#include "sim/net.h"

#define CONTAINER(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))

struct world;
struct channel;

/* A frame in its buffer, on its way: in a channel's list or, when late, queued by itself. What a hop touches
 * stands first. */
struct packet {
    struct packet *next;
    uint64_t when_ns, number; /* of its arrival */
    struct channel *channel;
    struct event event;       /* late packets only */
    uint32_t len, cap;
    struct link_fate fate;    /* until it leaves */
    uint64_t twin_number;
    /* The headers of TCP over IPv4 in one line of the cache; the payload begins the next, where copying is fast. */
    _Alignas(64) uint8_t headroom[64 - WIRE_ETH - WIRE_IP4 - WIRE_TCP];
    uint8_t frame[];
};

struct packet_list {
    struct packet *head, *tail;
};

/* Arrivals in order: only the first of them is in the event queue. With a tap set, what waits for the line
 * stands in `line`, so that it is told when it leaves; its fate is decided before. */
struct channel {
    struct event arrival, departure;
    struct packet_list flight, line;
    struct net_end from, to;
    struct node *to_node;
    bool loopback; /* within a host: no link, not tapped */
    struct link link;
};

struct port {
    const char *name;
    uint8_t mac[6];
    uint16_t mtu;
    struct ip_prefix *prefix;
    size_t prefix_count;
    struct channel *out; /* NULL: not linked */
};

struct route {
    struct ip_prefix to;
    unsigned port;
    struct ip_addr gateway;
};

struct path_mtu {
    struct ip_addr dst;
    uint16_t mtu;
};

struct node {
    const char *name;
    net_node id;
    enum net_node_kind kind;
    net_handler *handler;
    net_box_handler *box;
    void *ctx;
    struct port **port;
    size_t port_count;

    /* Hosts. */
    struct net_tcp_opts tcp;
    struct route *route;
    size_t route_count;
    struct channel *loop;
    struct path_mtu *path_mtu; /* RFC 1191, 8201: where it is below the interface's */
    size_t path_mtu_count;
    struct reassembly fragments;
    struct sock **bucket; /* by ports and addresses; a power of two */
    size_t bucket_count, sock_count;
    uint16_t next_port;
    uint32_t next_ip_id;
    uint8_t isn_key[16];
    bool isn_keyed;
};

/* Where packets to an address go: MACs and channel. */
struct path {
    struct channel *out;
    uint8_t src_mac[6], dst_mac[6];
    uint16_t mtu;
};

enum sock_kind { SOCK_LISTENER, SOCK_CONNECTION, SOCK_UDP };

struct sock {
    struct event timer; /* never later than TCP's deadline; may be too early */
    struct sock *next;  /* in its bucket */
    struct node *host;
    net_sock id;        /* 0: its user does not have it (yet, or any more) */
    enum sock_kind kind;
    struct endpoint local, remote;
    /* Connections. */
    struct tcp *tcp;
    struct path path;
    uint32_t address_sum;   /* of the checksum's pseudo-header */
    net_sock listener;      /* accepted: by which */
    uint64_t armed_ns;
    bool told_open, end_due, dead;
};

struct neighbour {
    struct ip_addr ip;
    uint8_t mac[6];
};

enum { PACKET_CLASSES = 2 };

struct world {
    struct net net;
    uint64_t seed, now_ns;
    bool stopped;
    struct queue queue;
    struct net_stats stats;
    net_tap_handler *tap;
    void *tap_ctx;

    struct node **node;
    size_t node_count;
    struct channel **channel;
    size_t channel_count;
    struct neighbour *neighbour; /* open addressing; a power of two */
    size_t neighbour_count, neighbour_cap;
    struct sock **sock;  /* by id, from 1 */
    net_sock *sock_next; /* of an id that is free, the next one; 0: none */
    size_t sock_count;
    net_sock sock_free;
    struct sock *dead; /* freed after the event being handled */
    struct engine_timers timers;
    struct packet *packet_free[PACKET_CLASSES];
    void **slab;
    size_t slab_count;
};

static inline struct world *world_of(struct net *n)
{
    return (struct world *)(void *)n;
}

/* For hash tables; the order within one never decides anything, so no seed is needed. */
static inline uint64_t mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 32;
}

static inline uint64_t mix_ip(uint64_t h, const struct ip_addr *a)
{
    uint64_t v[2];
    memcpy(v, a->b, sizeof v);
    return mix(mix(h, v[0]), v[1]);
}

/* Doubles arrays whose count has come to a power of two: room for one more. NULL: no memory. */
void *array_room(void *array, size_t count, size_t size);

/* world.c */
struct node *world_node(const struct world *w, net_node id);
bool world_neighbour(const struct world *w, const struct ip_addr *ip, uint8_t mac[6]);

/* channel.c */
struct packet *packet_new(struct world *w, size_t len); /* NULL: no memory, the frame is as good as lost */
void packet_free(struct world *w, struct packet *p);
void packets_late_free(struct world *w); /* at the end of a world: those that only the event queue knows */
void packet_pools_free(struct world *w);
struct channel *channel_new(struct world *w, struct net_end from, struct net_end to);
void channel_free(struct world *w, struct channel *c);
/* Takes the packet. */
void channel_send(struct world *w, struct channel *c, struct packet *p);

/* ip.c */
/* back: the channel that answers to the frame's sender go out of. The caller frees p. */
void ip_input(struct world *w, struct node *host, struct channel *back, struct packet *p);
/* A transport's message, finished but for its checksum, from offset ip_room() of the packet on: headers are
 * put before it, and it goes out in fragments if need be. Takes the packet. */
void ip_send(struct world *w, struct node *host, const struct path *path, const struct ip_addr *src,
             const struct ip_addr *dst, unsigned proto, struct packet *p);
size_t ip_room(const struct ip_addr *a);
bool ip_is_own(const struct node *host, const struct ip_addr *a);
/* E_UNREACHABLE. src: in: wanted source or unset; out: the one to use. */
int ip_path(struct world *w, struct node *host, const struct ip_addr *dst, struct ip_addr *src, struct path *out);
void ip_host_free(struct world *w, struct node *host);

/* sock.c */
struct sock *sock_new(struct node *host, enum sock_kind kind);
int sock_give_id(struct world *w, struct sock *s);
net_sock sock_drop_id(struct world *w, struct sock *s); /* the user has it no more; what it was */
void sock_bury(struct world *w); /* frees what was killed */
int sock_insert(struct sock *s); /* into its host's table; E_NOMEM */
void sock_kill(struct world *w, struct sock *s);
struct sock *sock_of(const struct world *w, net_sock id); /* asserts that there is one */
struct sock *sock_find_connection(const struct node *host, const struct endpoint *local, const struct endpoint *remote);
struct sock *sock_find_bound(const struct node *host, enum sock_kind kind, const struct endpoint *local);
/* The next ephemeral port that is free; remote NULL: for UDP. 0: none. */
uint16_t sock_next_port(struct node *host, const struct ip_addr *local, const struct endpoint *remote);
/* Tells the socket's user; ev->sock is filled in unless it is set. */
void sock_tell(struct sock *s, struct net_event *ev);
int sock_listen(struct net *n, net_node host, const struct endpoint *local, net_sock *out);
void sock_close(struct net *n, net_sock s);

/* udp.c */
/* false: nobody has that port. */
bool udp_input(struct node *host, const struct wire_packet *k);
void udp_icmp(struct node *host, const struct wire_packet *quoted, unsigned type, unsigned code, uint32_t mtu);
int udp_open(struct net *n, net_node host, const struct endpoint *local, net_sock *out);
int udp_send(struct net *n, net_sock s, const struct endpoint *to, const void *data, size_t len);

/* conn.c */
/* false: nobody has that port, or such a connection. */
bool conn_input(struct world *w, struct node *host, const struct wire_packet *k);
void conn_error(struct world *w, struct node *host, const struct wire_packet *quoted, int err, uint16_t mtu);
void conn_user_gone(struct world *w, struct sock *s, bool abort);
int conn_connect(struct net *n, net_node host, const struct endpoint *local, const struct endpoint *remote,
                 net_sock *out);
size_t conn_send(struct net *n, net_sock s, const void *data, size_t len);
size_t conn_recv(struct net *n, net_sock s, void *buf, size_t cap, bool *eof);
void conn_shutdown(struct net *n, net_sock s);
void conn_abort(struct net *n, net_sock s);

#endif
