/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections (tunnel.c) and channels (tunnel_channel.c) of an SSH tunnel: private to these. */
#ifndef TP_ACTORS_TUNNEL_PARTS_H
#define TP_ACTORS_TUNNEL_PARTS_H

#include "models/actors/tunnel.h"
#include "models/actors/tunnel_packet.h"
#include "models/base/time.h"

enum { TUNNEL_CONNS = 4, CHANNEL_PACKET_MAX = 32768 };

struct channel {
    bool used, ours, open;          /* open: confirmed, so that remote is known */
    bool eof_wanted, eof_sent;      /* by the user; said */
    bool unwanted, close_sent;      /* the user has closed it; said */
    bool waiting, tell_writable;
    uint32_t remote;                /* the other side's number */
    uint32_t send_window, packet_max;
    uint32_t window, taken;         /* what we let come; what went on and is not given back yet */
    uint8_t *out;                   /* waits for the window */
    size_t out_len, out_cap;
};

struct conn {
    io_id id;
    bool open, blocked;
    struct endpoint local, remote;
    struct ssh_stream in;
    uint64_t heard_ns, due_ns; /* due: connected, and the other end what it should be, by then; TIME_NEVER: it is */
    unsigned asked;            /* for a sign, since it was heard */
};

struct tunnel {
    struct io *io;
    unsigned owner;
    struct tunnel_config cfg;
    io_id listener;
    struct conn conn[TUNNEL_CONNS]; /* C: one at a time */
    struct conn *up;                /* the tunnel, once forwarding is agreed on */
    bool tell_up, tell_down;
    uint64_t retry_at_ns, backoff_ns;
    unsigned failures;
    uint16_t ports_used;
    bool service_up;
    struct channel channel[TUNNEL_CHANNELS_MAX];
    uint8_t buf[SSH_HEADER + SSH_PAYLOAD_MAX + SSH_SPARE];
};

/* ---- tunnel.c ---- */

/* A message to be written behind its number, then sent. */
struct writer message_begin(struct tunnel *t, enum ssh_message number);
void message_end(struct tunnel *t, struct conn *c, const struct writer *w);

/* ---- tunnel_channel.c ---- */

/* A message about channels. 1: *ev tells of it; 0: nothing to tell; E_MALFORMED: against the protocol. */
int channel_message(struct tunnel *t, enum ssh_message number, struct reader *r, struct tunnel_event *ev);
/* Sends what may be sent now, on each of them. */
void channels_pump(struct tunnel *t);
void channels_drop(struct tunnel *t);

#endif
