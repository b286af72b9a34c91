/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of connections: found by the five fields and the interface a packet comes in by, in either direction;
 * forgotten when idle. A forgotten connection stays findable as a tombstone until its place is needed, so that a
 * packet that comes too late can be told from one that never had a connection. */
#ifndef TP_FIREWALL_CONNTRACK_H
#define TP_FIREWALL_CONNTRACK_H

#include "models/firewall/rules.h"

struct fw_key {
    struct ip_addr src, dst;
    uint16_t sport, dport; /* ICMP echo: both the identifier */
    uint8_t proto, iface;
};

enum { FW_CONN_DEAD = FW_TIMER_COUNT, FW_CONN_LISTS }; /* list of the tombstones, behind one list a timer */

struct fw_conn {
    struct fw_key key[2]; /* as packets of the one who began arrive, and as the answers do */
    uint32_t chain[2];    /* next in the bucket */
    uint32_t older, newer; /* in the list of its timer */
    uint32_t sibling, sibling_before; /* of the same translation */
    uint32_t xlate;       /* 0: none, or static */
    uint64_t used_ns;
    uint8_t list;         /* enum fw_timer, or FW_CONN_DEAD */
    uint8_t last;         /* of a tombstone: the timer that ran out */
    uint8_t fins, syns;   /* directions that sent one */
    bool answered;        /* machines with hooks: a packet came the other way */
    uint8_t tcp;          /* machines with hooks: enum tcp_state */
    bool from_outside;    /* let in by a mapping: its owner is the one who answers */
    bool checked_reply;   /* answers are shown to the rules as well (ICMP without inspection) */
};

/* Places count from 1; 0 is none. */
struct fw_conntrack {
    struct fw_conn *conn;
    uint32_t *bucket;
    uint32_t max, mask, fresh, free, live;
    uint32_t oldest[FW_CONN_LISTS], newest[FW_CONN_LISTS];
    uint64_t timer[FW_TIMER_COUNT];
};

int fw_conntrack_open(struct fw_conntrack *t, uint32_t max, const uint64_t timer[FW_TIMER_COUNT]); /* E_NOMEM */
void fw_conntrack_close(struct fw_conntrack *t);
/* The place of the connection or tombstone, *dir the direction; 0: none. */
uint32_t fw_conn_find(const struct fw_conntrack *t, const struct fw_key *key, unsigned *dir);
/* A new one; 0: the table is full. Its keys must not be there yet. */
uint32_t fw_conn_add(struct fw_conntrack *t, uint64_t now_ns, const struct fw_key key[2], enum fw_timer timer);
void fw_conn_use(struct fw_conntrack *t, uint32_t at, uint64_t now_ns, enum fw_timer timer);
/* The next one whose time has come before now, made a tombstone; 0: none. *when_ns: when it came. */
uint32_t fw_conn_expire(struct fw_conntrack *t, uint64_t now_ns, uint64_t *when_ns);
void fw_conn_remove(struct fw_conntrack *t, uint32_t at);

static inline struct fw_conn *fw_conn_at(const struct fw_conntrack *t, uint32_t at)
{
    return &t->conn[at - 1];
}

static inline bool fw_conn_live(const struct fw_conn *c)
{
    return c->list != FW_CONN_DEAD;
}

#endif
