/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The SSH tunnel that Expressway-C keeps to Expressway-E (row 1.4): C connects from 30000-35999 to E:2222 and asks for
 * E's web port to be forwarded (tcpip-forward, RFC 4254 7.1); for each browser E opens a channel (forwarded-tcpip,
 * 7.2). One end of it, either one, as a core over base/io.h; events are polled after each input.
 *
 * Windows (RFC 4254 5.2) hold each channel back by itself: what is given to tunnel_send beyond the other's window waits
 * here, and the user should give no more until TUNNEL_WRITABLE; what comes is given out at once, and the window opens
 * again as the user says that it has gone on (tunnel_taken).
 *
 * A connection that has been silent for 15 s is asked for a sign (keepalive@openssh.com); three without one, and it is
 * given up. C tries again after 1 s, 2 s, 4 s, ... a minute. At E the newest connection that asked to forward is the
 * tunnel. Both note the service "ssh-tunnel". */
#ifndef TP_ACTORS_TUNNEL_H
#define TP_ACTORS_TUNNEL_H

#include "models/base/io.h"

enum { TUNNEL_CHANNELS_MAX = 256, TUNNEL_WINDOW = 131072 };

struct tunnel_config {
    bool outer;          /* E: listens at `at`; else C: connects to it */
    struct endpoint at;
    uint16_t first_port, last_port; /* of C; 0: the host's choice */
    uint16_t forward;    /* C: the port that E is asked to forward */
    uint32_t channels;   /* at most TUNNEL_CHANNELS_MAX at once; beyond, they are refused (RFC 4254 5.1) */
};

enum tunnel_event_kind {
    TUNNEL_UP,
    TUNNEL_DOWN,     /* and with it all channels: no event follows for them */
    TUNNEL_OPENED,   /* by the other side: a new channel; or ours was confirmed */
    TUNNEL_REFUSED,  /* ours was not */
    TUNNEL_DATA,     /* data, len: borrowed until the next call */
    TUNNEL_EOF,      /* no more data will come */
    TUNNEL_WRITABLE, /* all that was given has gone */
    TUNNEL_CLOSED,   /* by the other side; the number is free */
};

struct tunnel_event {
    enum tunnel_event_kind kind;
    uint32_t channel;
    const uint8_t *data;
    size_t len;
};

struct tunnel;
struct tunnel *tunnel_new(struct io *io, unsigned owner, const struct tunnel_config *cfg); /* NULL: no memory */
void tunnel_free(struct tunnel *t);
void tunnel_input(struct tunnel *t, const struct io_in *in);
uint64_t tunnel_deadline(const struct tunnel *t);
bool tunnel_poll(struct tunnel *t, struct tunnel_event *out);

bool tunnel_is_up(const struct tunnel *t);
/* A channel for somebody who came from there. E_NOMEM: none is free; E_REFUSED: the tunnel is down. */
int tunnel_open(struct tunnel *t, const struct endpoint *from, uint32_t *channel);
/* Bytes for a channel; those that have to wait are kept. true: some wait, and TUNNEL_WRITABLE follows. */
bool tunnel_send(struct tunnel *t, uint32_t channel, const void *data, size_t len);
void tunnel_taken(struct tunnel *t, uint32_t channel, size_t len);
/* After what was given: no more data; or that, and none is wanted either: the number is dead for the user. */
void tunnel_eof(struct tunnel *t, uint32_t channel);
void tunnel_close(struct tunnel *t, uint32_t channel);

#endif
