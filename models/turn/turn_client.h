/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A TURN client for one allocation: of TCP (RFC 6062 4): allocates, refreshes, keeps permissions, connects to peers or
 * accepts their connections, binds; or of UDP (RFC 8656), over TCP or UDP: keeps permissions and channels, sends and
 * receives datagrams. A core over base/io.h; what it tells its user are events, polled like operations.
 * Once bound, a data connection is the user's: the client tells its io id and does not touch it again. Ids that it
 * opens carry its owner number; the user's system routes events by owner and passes those of data connections on. */
#ifndef TP_TURN_CLIENT_H
#define TP_TURN_CLIENT_H

#include "models/base/io.h"

/* A client's habits as a row: "plain" is the RFCs at their shortest, "meeting-server" composes its requests as the
 * reference capture shows (LIFETIME on Allocate, empty optional attributes, a Refresh at once). */
struct turn_client_profile {
    const char *name;
    bool lifetime_in_allocate;
    uint8_t empty_in_allocate, empty_in_others; /* 4-byte empty optional attributes, as counted in the capture */
    bool refresh_at_once;
    bool software;
};
extern const struct turn_client_profile turn_client_plain, turn_client_meeting_server;

struct turn_client_config {
    const struct turn_client_profile *profile;
    struct endpoint server;
    const char *user, *password; /* borrowed for the client's life */
    struct ip_addr local;        /* unset: the host's choice */
    uint32_t lifetime_s;         /* asked for; 0: 600 */
    uint8_t family;              /* of the relayed address: IP_V4, IP_V6; 0: not asked */
    bool udp_relay;              /* REQUESTED-TRANSPORT is UDP */
    bool over_udp;               /* ... and so is the way to the server */
};

enum turn_client_event_kind {
    TURN_CLIENT_ALLOCATED, /* relayed, mapped */
    TURN_CLIENT_REFUSED,   /* no allocation: code is the STUN error, or 0 and err an enum err; the client is done */
    TURN_CLIENT_GONE,      /* the allocation was lost later (437, expiry, control connection closed) */
    TURN_CLIENT_INCOMING,  /* ConnectionAttempt from peer: turn_client_accept(connection), or leave it */
    /* data: the io id, now the user's, not reading yet; peer; connection; bytes: what came right behind the answer to
     * ConnectionBind, the first bytes of the peer's stream */
    TURN_CLIENT_BOUND,
    TURN_CLIENT_PEER_FAILED, /* Connect or ConnectionBind did not work: peer, code (447, ...) or err */
    TURN_CLIENT_PERMITTED, /* CreatePermission for peer was answered: code 0, or the error */
    TURN_CLIENT_CHANNEL,   /* ChannelBind for peer was answered: code 0, or the error */
    TURN_CLIENT_DATAGRAM,  /* bytes from peer */
    TURN_CLIENT_ICMP,      /* icmp about what was sent to peer */
};

struct turn_client_event {
    enum turn_client_event_kind kind;
    struct endpoint relayed, mapped, peer;
    uint32_t connection; /* CONNECTION-ID */
    io_id data;
    const uint8_t *bytes; /* borrowed until the io event that brought them has been handled */
    size_t bytes_len;
    struct io_icmp icmp;
    int code, err;
};

struct turn_client;
struct turn_client *turn_client_new(struct io *io, unsigned owner, const struct turn_client_config *cfg);
void turn_client_free(struct turn_client *c);

void turn_client_start(struct turn_client *c); /* connect and allocate */
/* Installs the permission and keeps it alive (again before 300 s) until the allocation ends. Several at once: one
 * request. E_NOMEM; E_NOT_FOUND: the allocation is gone. */
int turn_client_permit(struct turn_client *c, const struct ip_addr *peers, size_t n);
/* Connect to a peer, then bind; after a 447 from it not before 10 s are over. E_EXISTS: outstanding already
 * (6062-4.3-13). E_NOMEM; E_NOT_FOUND: the allocation is gone. */
int turn_client_connect(struct turn_client *c, const struct endpoint *peer);
/* E_NOT_FOUND: no such ConnectionAttempt (any more). E_NOMEM. */
int turn_client_accept(struct turn_client *c, uint32_t connection);
/* Of a UDP allocation: binds a channel to the peer and keeps it, and its permission, alive. E_EXISTS: there is one.
 * E_NOMEM; E_NOT_FOUND: the allocation is gone. */
int turn_client_channel(struct turn_client *c, const struct endpoint *peer);
/* A datagram to the peer, by its channel if there is one, else in a Send indication. E_NOT_FOUND: no UDP allocation, or
 * no permission asked for; E_SPACE: too long. */
int turn_client_send(struct turn_client *c, const struct endpoint *peer, const void *data, size_t len);
void turn_client_release(struct turn_client *c); /* Refresh 0, then close control; data connections are the user's */

/* Its connection or socket to the server; IO_NONE: none (any more). Another after a redirection. */
io_id turn_client_control(const struct turn_client *c);
void turn_client_input(struct turn_client *c, const struct io_in *in);
uint64_t turn_client_deadline(const struct turn_client *c);
bool turn_client_poll(struct turn_client *c, struct turn_client_event *out);

#endif
