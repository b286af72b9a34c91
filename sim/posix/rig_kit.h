/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A relay on real sockets with the test as its clients and peers, in one world and one thread: what the test asks for
 * is waited for, and what does not come within RIG_PATIENCE_NS fails the test. */
#ifndef TP_POSIX_RIG_KIT_H
#define TP_POSIX_RIG_KIT_H

#include "models/testkit/testkit.h"
#include "models/turn/turn.h"
#include "sim/posix/posix.h"
#include "sim/relay/ask_test.h"

#define RIG_PATIENCE_NS (UINT64_C(60) * 1000000000)
enum { RIG_IN = 4096 };

/* One socket of the test. As a stream it sends and checks bytes of its own by itself: none is like its neighbour's. */
struct rig_line {
    bool open, accepted, taken, eof, closed;
    int err;                /* FAILED, CLOSED */
    net_sock listener;      /* that accepted it */
    struct endpoint local, remote;
    uint8_t in[RIG_IN];     /* not a stream: what came, unread beyond that; UDP: the last datagram */
    size_t have;
    bool stream, deaf;      /* deaf: does not read */
    uint32_t says, hears;   /* which bytes it sends and expects */
    uint64_t to_send, sent, received, wrong; /* wrong: bytes that were not as expected */
    bool then_ends, ended;  /* FIN behind the last byte */
};

struct rig {
    struct net *net;
    struct io *io;
    struct turn *turn;
    struct host *host;
    net_node user;
    struct endpoint at; /* where the relay listens, TCP and UDP */
    struct rig_line **line; /* by socket */
    size_t line_cap;
    uint64_t datagrams, datagram_bytes; /* that came to any socket of the test */
    bool (*until)(struct rig *r, const void *arg);
    const void *arg;
};

/* Users u:p and v:q; loopback is allowed as a peer. limits NULL: the default. The profile is rfc5766's, or is named. */
struct rig *rig_new(const struct turn_limits *limits);
struct rig *rig_new_as(const char *profile, const struct turn_limits *limits);
void rig_free(struct rig *r);
struct rig_line *rig_line(struct rig *r, net_sock s);
struct turn_stats rig_stats(const struct rig *r);

/* Runs until it holds; false: not within that time. */
bool rig_until(struct rig *r, bool (*until)(struct rig *r, const void *arg), const void *arg, uint64_t ns);
void rig_run(struct rig *r, uint64_t ns);

net_sock rig_dial(struct rig *r, const struct endpoint *to);         /* connected */
net_sock rig_listen(struct rig *r, struct endpoint *at);             /* at: where */
net_sock rig_accepted(struct rig *r, net_sock listener);             /* the next one */
void rig_say(struct rig *r, net_sock s, const void *bytes, size_t len);
struct ask_answer rig_hear(struct rig *r, net_sock s, struct asker *a); /* the next message */
struct ask_answer rig_ask(struct rig *r, net_sock s, struct asker *a, const struct ask *what);
/* A UDP socket there (port 0: any); then as rig_ask, in datagrams to the relay. */
net_sock rig_udp(struct rig *r, const struct endpoint *at);
struct ask_answer rig_ask_udp(struct rig *r, net_sock s, struct asker *a, const struct ask *what);
/* A control connection with an allocation and a permission for loopback; where it is relayed. */
net_sock rig_allocate(struct rig *r, struct asker *a, enum ip_proto proto, struct endpoint *relayed);
/* From now on the socket is a stream that sends `amount` bytes. */
void rig_stream(struct rig *r, net_sock s, uint32_t says, uint64_t amount, uint32_t hears);
void rig_close(struct rig *r, net_sock s);
void rig_abort(struct rig *r, net_sock s);
bool rig_gone(struct rig *r, net_sock s); /* waits until the other side has ended; true: by a FIN */

/* Resident memory of this process in KiB. */
long rig_resident(void);

/* ---- beyond net.h ---- */

/* A listener that answers no SYN any more: connections to it hang. -1: could not be had. */
int rig_silent_listener(struct rig *r, struct endpoint *at, int filler[2]);
/* A client of its own, outside the world; then what it is answered (0: nothing, closed). */
int rig_outsider(const struct endpoint *to);
/* The same in two steps, for when no descriptor is left: -1: could not be had; false: not connected. */
int rig_outsider_new(void);
bool rig_outsider_calls(int fd, const struct endpoint *to);
/* Waits until the relay has ended that connection; false: not within RIG_PATIENCE_NS. The descriptor is closed. */
bool rig_outsider_ended(struct rig *r, int fd);
size_t rig_outsider_asks(struct rig *r, int fd, const uint8_t *out, size_t len, uint8_t *in, size_t cap);
/* Takes descriptors until `left` are; gives them back. */
struct rig_hoard {
    int *fd;
    size_t count;
};
struct rig_hoard rig_hoard(size_t left);
void rig_hoard_free(struct rig_hoard *h);

#endif
