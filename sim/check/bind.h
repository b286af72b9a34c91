/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Port tables bound to a topology: each row becomes questions, and a question is an exact set of packets, where they
 * begin and where they must end. What firewalls do with them on the way is for whoever asks.
 *
 * Who an actor is. A host, when the topology says so (check.actors.NAME.at), or every node with the system of that name
 * (`microsoft-client` may be a skype-client). Of those that no model acts for, `any`, `guest-pc`, `webrtc-app`,
 * `sip-endpoint` and `microsoft-client` are whoever is behind the router check.internet; an actor that is at a router
 * is whoever is behind that.
 *
 * Outside is what the router check.internet reaches before a firewall or a host with several interfaces. A site is what
 * then hangs together: nodes that reach each other without going through outside.
 *
 * Which addresses. A host that a row names without `.public` or `.private` is addressed as its peer knows it: on its
 * own site by the interface that it answers on, from elsewhere by its public address. The public address is that of its
 * system's settings, or of check.actors; without one, its own towards outside. The private one is, for its own site,
 * the interface that it answers on; for itself and its peers of a cluster, the one behind the public address.
 *
 * Whoever is behind the Internet's router has, unless check.actors gives other addresses: of IPv4 everything but
 * 0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16 and 224.0.0.0/3,
 * since such sources do not come from the Internet and many rule sets rightly refuse them; of IPv6 2000::/3. For rows
 * that must never pass: all unicast addresses, 0.0.0.0/8, 127.0.0.0/8 and 224.0.0.0/3 excepted, and IPv6's but for
 * ::/128, ::1/128, fe80::/10 and ff00::/8. From both, and from addresses given to a router, the peer's site is taken
 * away: the networks of its interfaces, the one that it shares with outside included; where its static routes lead (but
 * not the default route, nor those that lead outside); what its firewalls translate to towards outside; and the public
 * addresses of its systems. */
#ifndef TP_CHECK_BIND_H
#define TP_CHECK_BIND_H

#include "sim/check/bind_ranges.h"
#include "sim/check/ports.h"

struct bind_end {
    enum port_actor actor;
    unsigned node; /* index of topology.nodes: packets begin there, or must arrive there */
    int port;      /* of that node: what its routes send the packets out of; where they arrive. Negative: a router's,
                      which routes them as any other packet, or takes them from any side */
    bool behind;   /* the node stands for others: a router for everybody behind it, a host with addresses given in
                      check.actors for those around it. Packets for them have arrived when they get there, or onto a
                      link of that node where nobody else has the address */
};

/* All packets of the family with proto, and source, destination and ports in the sets. Packets that pass arrive at
 * to.node with the same ports; addresses as sent, or as the translated ones say. */
struct bind_question {
    const struct port_table *table;
    const struct port_row *row;
    const struct port_alternative *alternative; /* NULL: the ports are a setting's */
    enum port_need need;
    int group; /* one question of a group is enough; negative: this one counts by itself */
    uint8_t family, proto;
    struct bind_end from, to;
    struct addr_ranges src, dst;
    struct port_ranges sport, dport;
    struct ip_addr src_translated, dst_translated; /* unset: any source (PAT is as good), the destination itself */
    bool local; /* never leaves the host: no firewall sees it */
};

enum bind_why {
    BIND_NO_ACTOR,   /* the topology has none */
    BIND_NO_ADDRESS, /* it has, but no address that the row speaks of */
    BIND_RELEASE,    /* the row is of other releases */
    BIND_SIZE,       /* the table gives no ports for this size */
    BIND_SETTING,    /* what the row is for is not switched on */
};

/* A row that has become no question. */
struct bind_skip {
    const struct port_table *table;
    const struct port_row *row;
    enum bind_why why;
    const char *text; /* "no unified-cm", "only before X12.5.3" */
};

struct bind_listener {
    const struct port_table *table;
    const struct port_listener *what;
    unsigned node;
    uint8_t proto;
    struct port_range port;
};

/* Two services on one port, or the administration where a row rules it out. */
struct bind_clash {
    const struct bind_listener *a, *b; /* NULL: not between two */
    const struct port_row *row;        /* NULL: not by a row */
    const char *text;
};

/* Something in the deployment that its releases do not stand. */
struct bind_advisory {
    const struct port_table *table;
    const struct port_advisory *what;
    const char *node; /* NULL: not one */
};

struct bind_options {
    const enum appliance_size *size; /* NULL: the topology's */
    const struct release *release;   /* NULL: the topology's */
};

struct bound {
    const struct topology *topology;
    enum appliance_size size;
    struct release release;
    LIST_OF(struct bind_question) questions; /* in the order of tables and rows */
    LIST_OF(struct bind_skip) skips;         /* each row of each table is here or has a question */
    LIST_OF(struct bind_listener) listeners;
    LIST_OF(struct bind_clash) clashes;
    LIST_OF(struct bind_advisory) advisories;
    size_t group_count;
    struct arena arena;
};

/* Everything is borrowed and must outlive what is made of it. */
void bind_tables(const struct topology *t, const struct port_table *const *tables, size_t count,
                 const struct bind_options *options, struct bound **out);
void bound_free(struct bound *b);

#endif
