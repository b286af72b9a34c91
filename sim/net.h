/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The world as host code sees it: nodes and links to build, sockets and timers to use. One interface; behind it the
 * native engine, ns-3 (a plug-in) and, for hosts only, the kernel's sockets.
 *
 * Everything is driven by one thread inside run(): events reach a host through its handler, which may call any socket
 * or timer function, also on the socket that the event is about; none of them calls a handler back before it returns,
 * what follows from it comes as a later event. Ids are dense small integers. Times are nanoseconds
 * since the start of the run. Two things due at the same time happen in the order in which they were asked for. */
#ifndef TP_SIM_NET_H
#define TP_SIM_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/base/addr.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef uint32_t net_node;  /* 1.. ; 0: none */
typedef uint32_t net_sock;  /* 1.. ; 0: none */
typedef uint64_t net_timer; /* never used twice; 0: none */

enum { NET_DROP = -1, NET_MTU_DEFAULT = 1500, ETH_HEADER = 14 };

/* ---- events of a host ---- */

enum net_event_kind {
    NET_CONNECTED, /* the connection that tcp_connect began is established */
    NET_FAILED,    /* ... is not: err says E_REFUSED, E_UNREACHABLE, E_TIMED_OUT, E_RESET; the socket is gone */
    NET_ACCEPTED,  /* accepted: the new socket, from listener sock */
    NET_READABLE,  /* new bytes, or the peer's FIN: call tcp_recv until it gives 0 */
    NET_WRITABLE,  /* tcp_send took less than it was given before, and would take some now */
    NET_CLOSED,    /* gone: 0 (both directions closed), E_RESET, E_TIMED_OUT; the socket is gone */
    NET_DATAGRAM,  /* UDP: data and len, valid during the call; remote is the source */
    NET_ICMP,      /* UDP (native, posix): an ICMP error about a datagram that went to remote; the socket lives */
};

struct net_event {
    enum net_event_kind kind;
    net_sock sock, accepted;
    int err;
    struct endpoint local, remote; /* CONNECTED, ACCEPTED, DATAGRAM, ICMP */
    const uint8_t *data;
    size_t len;
    uint8_t icmp_type, icmp_code; /* ICMP: of remote's family */
    uint32_t icmp_mtu;            /* ... "too big": of the next hop; else 0 */
};

typedef void net_handler(void *ctx, const struct net_event *ev);

/* A box (switch, router, firewall) gets every frame that arrives at one of its ports, may rewrite it in place without
 * changing its length, and returns the port to send it out of, or NET_DROP. It may also send frames of its own with
 * box_send. Frames are whole Ethernet frames without FCS. */
typedef int net_box_handler(void *ctx, unsigned port, uint8_t *frame, size_t len);

/* ---- building ---- */

struct net_tcp_opts {
    uint32_t send_buffer, receive_buffer; /* bytes; 0: 128 KiB */
    uint64_t keepalive_ns;                /* idle time before the first probe; 0: none */
    uint16_t first_port, last_port;       /* ephemeral ports, handed out in order; 0: 49152..65535 */
    uint16_t mss;                         /* 0: from the interface's MTU */
    bool no_sack;
};

enum net_node_kind { NET_HOST, NET_BOX };

struct net_node_spec {
    const char *name; /* borrowed */
    enum net_node_kind kind;
    net_handler *handler; /* HOST; may be NULL for a host that only answers pings and resets */
    net_box_handler *box; /* BOX */
    void *ctx;
    struct net_tcp_opts tcp;
};

struct net_iface_spec {
    net_node node;
    const char *name; /* borrowed */
    uint8_t mac[6];
    uint16_t mtu;                   /* 0: NET_MTU_DEFAULT; of the IP packet */
    const struct ip_prefix *prefix; /* its addresses on this interface (of a box: only so that neighbours know them) */
    size_t prefix_count;
};

/* Loss on one direction of a link. Ratios are in parts per million; masks name exact packets, from 1. */
enum net_loss_kind { LOSS_NONE, LOSS_MASK, LOSS_BERNOULLI, LOSS_GILBERT_ELLIOTT };

struct net_loss {
    enum net_loss_kind kind;
    const uint32_t *mask; /* ascending packet numbers to lose (borrowed) */
    size_t mask_count;
    uint32_t loss_ppm;                               /* Bernoulli; and in the good state of Gilbert-Elliott */
    uint32_t bad_loss_ppm, to_bad_ppm, to_good_ppm;  /* Gilbert-Elliott, drawn for each packet */
};

struct net_outage {
    uint64_t from_ns, to_ns; /* packets entering the link in [from, to) are lost */
};

/* One direction. Order of what happens to a packet: outage, queue limit, serialisation, loss, duplication, delay
 * with jitter, reordering. Jitter alone never reorders: a packet is not delivered before its predecessor. */
struct net_link_dir {
    uint64_t rate_bps;    /* of the whole Ethernet frame; 0: infinite */
    uint64_t delay_ns;
    uint64_t jitter_ns;   /* uniform 0..jitter_ns on top of the delay */
    uint32_t queue_bytes; /* waiting for the line, the packet being sent not counted; 0: 256 KiB */
    struct net_loss loss;
    uint32_t duplicate_ppm;
    uint32_t reorder_ppm; /* these packets are held back by another reorder_ns, and do not hold up the others */
    uint64_t reorder_ns;
    const struct net_outage *outage; /* ascending (borrowed) */
    size_t outage_count;
};

/* An interface and the node's port number for it: ports count from 0 in order of iface_add. */
struct net_end {
    net_node node;
    unsigned port;
};

struct net_link_spec {
    const char *name; /* borrowed; random streams are "link/NAME/ab/loss" and so on */
    struct net_end a, b;
    struct net_link_dir ab, ba;
};

struct net_route {
    net_node node; /* HOST */
    struct ip_prefix to;
    unsigned port;
    struct ip_addr gateway; /* unset: on link */
};

/* What becomes of each frame, told as it happens; frame borrowed for the call. SENT: at the moment it enters the link
 * (its first bit leaves). Drops on a link carry the reason ("loss", "queue", "outage", "mtu"). */
enum net_tap_kind { TAP_SENT, TAP_DELIVERED, TAP_DROPPED };

struct net_tap {
    enum net_tap_kind kind;
    struct net_end end; /* SENT, DROPPED: the sending end; DELIVERED: the receiving one */
    const uint8_t *frame;
    size_t len;
    const char *reason;
};

typedef void net_tap_handler(void *ctx, uint64_t now_ns, const struct net_tap *tap);

struct net; /* a world of one engine; its first member is `const struct net_ops *ops` */

struct net_stats {
    uint64_t packet_hops; /* frames delivered over a link */
    uint64_t events;
};

struct net_ops {
    const char *name; /* "native", "ns3" */

    struct net *(*create)(uint64_t seed);
    void (*destroy)(struct net *n);

    /* Building; all before the first run. Return an id, or 0 when memory is out. Arguments are checked by the
     * scenario; what is wrong here is a bug and asserts. */
    net_node (*node_add)(struct net *n, const struct net_node_spec *spec);
    unsigned (*iface_add)(struct net *n, const struct net_iface_spec *spec); /* the port number */
    void (*link_add)(struct net *n, const struct net_link_spec *spec);
    void (*route_add)(struct net *n, const struct net_route *route);
    void (*tap_set)(struct net *n, net_tap_handler *tap, void *ctx);
    /* ARP and ND are not simulated: a world knows the MAC of every interface address from the start. neighbour_add:
     * one more, as a firewall answers for the addresses it translates (proxy ARP). neighbour: false when unknown. */
    void (*neighbour_add)(struct net *n, const struct ip_addr *ip, const uint8_t mac[6]);
    bool (*neighbour)(const struct net *n, const struct ip_addr *ip, uint8_t mac[6]);

    /* Runs until the time has come, nothing is left to happen, or stop() was called. May be called again. */
    void (*run)(struct net *n, uint64_t until_ns);
    void (*stop)(struct net *n);
    uint64_t (*now)(const struct net *n);
    void (*stats)(const struct net *n, struct net_stats *out);

    /* Timers: fn(ctx) at when_ns (not before now). Cancelling one that has fired does nothing. */
    net_timer (*timer_set)(struct net *n, uint64_t when_ns, void (*fn)(void *ctx), void *ctx);
    void (*timer_cancel)(struct net *n, net_timer timer);

    /* Sockets of a host. 0 or an error: E_EXISTS (address in use), E_UNREACHABLE (no such local address, no route),
     * E_NOMEM (no port left). A host may connect from a port that it also listens on, and connect to itself. */
    int (*tcp_listen)(struct net *n, net_node host, const struct endpoint *local, net_sock *out);
    int (*tcp_connect)(struct net *n, net_node host, const struct endpoint *local, const struct endpoint *remote,
                       net_sock *out);
    int (*udp_open)(struct net *n, net_node host, const struct endpoint *local, net_sock *out);
    int (*udp_send)(struct net *n, net_sock s, const struct endpoint *to, const void *data, size_t len);
    /* The same in one piece or not at all: DF set, over IPv6 no fragments. Longer than the way out of this host takes,
     * it is lost and told as NET_ICMP. NULL: there is but one way to send. */
    int (*udp_send_whole)(struct net *n, net_sock s, const struct endpoint *to, const void *data, size_t len);

    size_t (*tcp_send)(struct net *n, net_sock s, const void *data, size_t len); /* bytes taken */
    size_t (*tcp_recv)(struct net *n, net_sock s, void *buf, size_t cap, bool *eof); /* eof: FIN, nothing left */
    /* close: what was sent is delivered, then FIN; no event follows; frees the socket for the caller. With bytes not
     * read it is an RST instead, and what was sent may be lost (RFC 9293 3.6.1): read first. A listener stops
     * accepting. abort: RST. shutdown: FIN after what was sent; still receives. */
    void (*tcp_shutdown)(struct net *n, net_sock s);
    void (*sock_close)(struct net *n, net_sock s);
    void (*tcp_abort)(struct net *n, net_sock s);

    /* A frame from a box out of one of its ports. */
    void (*box_send)(struct net *n, net_node box, unsigned port, const uint8_t *frame, size_t len);
};

struct net {
    const struct net_ops *ops;
};

extern const struct net_ops net_native;

/* The ns-3 plug-in, loaded on the first call from beside the program (or TURNPROOF_NS3). NULL: not installed, and
 * *why says what was tried. Its shared object exports one symbol, `net_ns3`, a struct net_ops. */
const struct net_ops *net_ns3_load(const char **why);

#ifdef __cplusplus
}
#endif

#endif
