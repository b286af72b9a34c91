/* SPDX-License-Identifier: GPL-2.0-or-later */
/* [MS-TURN] as a Skype client and the Edge's A/V relay speak it: 16-byte transaction ids, Allocate, Send request, Data
 * indication, Set Active Destination; over TCP with framing 02/03 and pseudo-TLS on 443, over UDP 3478 as they are.
 * Both are cores over base/io.h. Facts and their certainty: rows MST-1..40 and EDG-1..4 of the requirement catalogue.
 *
 * An allocation is of the transport that it was asked over (MST-6). A TCP allocation carries RFC 4571 frames on the
 * relayed connection. DATA of Send and Data is one frame's content, without its length; the relay adds and removes the
 * length (our reading; MST-32 shows the raw form). A UDP allocation carries datagrams; a datagram of the client that
 * does not have the magic cookie where a message has it (MST-31) is data for the active destination. */
#ifndef TP_MSTURN_MSTURN_H
#define TP_MSTURN_MSTURN_H

#include "models/base/io.h"

struct ms_turn_user {
    const char *name, *password;
};

struct ms_turn_server_config {
    const char *realm;
    const struct ms_turn_user *users;
    size_t user_count;
    const struct endpoint *listen; /* TCP, pseudo-TLS */
    size_t listen_count;
    const struct endpoint *listen_udp;
    size_t listen_udp_count;
    struct ip_addr relay_ip;       /* where relay ports are opened */
    struct ip_addr public_ip;      /* what clients are told instead; unset: relay_ip */
    uint16_t first_port, last_port; /* 50000..59999; handed out in order from first_port */
    uint32_t max_clients, max_peers; /* per server; per allocation (over UDP: that the client has sent to) */
    bool connect_out; /* a Send to a new peer opens TCP from the relay port (TCP-ACT); else it only waits */
};

struct ms_turn_server;
/* What cfg points to is copied. NULL: no memory, or no relay ports. Beyond max_clients a connection is closed
 * at once and a datagram not answered, beyond max_peers a peer cannot be sent to nor connect. */
struct ms_turn_server *ms_turn_server_new(struct io *io, unsigned owner,
                                          const struct ms_turn_server_config *cfg);
void ms_turn_server_free(struct ms_turn_server *s);
void ms_turn_server_input(struct ms_turn_server *s, const struct io_in *in);
uint64_t ms_turn_server_deadline(const struct ms_turn_server *s);

/* MS-SERVICE-QUALITY: what the allocation is for ([MS-TURN] 2.2.2.16). Data is delivered reliably, media are not. */
enum ms_turn_stream { MS_TURN_STREAM_AUDIO = 1, MS_TURN_STREAM_VIDEO = 2, MS_TURN_STREAM_DATA = 4 };

struct ms_turn_client_config {
    struct endpoint server;
    const char *user, *password; /* borrowed */
    bool over_udp;
    struct endpoint local;       /* over UDP: of its socket; unset: the host's choice */
    enum ms_turn_stream stream;  /* 0: data */
};

enum ms_turn_event_kind {
    MS_TURN_ALLOCATED, /* relayed, mapped */
    MS_TURN_REFUSED,   /* no allocation: code of the error response, or 0 and err. Connection or socket are closed */
    MS_TURN_GONE,      /* the allocation is lost: code, or 0 and err, say why. Connection or socket are closed */
    MS_TURN_FRAME,     /* one RFC 4571 frame's content, or one datagram, from peer */
    MS_TURN_ACTIVE,    /* Set Active Destination was answered: code 0 or the error */
    MS_TURN_BLOCKED, MS_TURN_WRITABLE, /* over TCP: back-pressure of the connection to the relay, as in io.h */
};

struct ms_turn_event {
    enum ms_turn_event_kind kind;
    struct endpoint relayed, mapped, peer;
    const uint8_t *data; /* borrowed until the next input */
    size_t len;
    int code, err;
};

struct ms_turn_client;
struct ms_turn_client *ms_turn_client_new(struct io *io, unsigned owner,
                                          const struct ms_turn_client_config *cfg);
void ms_turn_client_free(struct ms_turn_client *c);
void ms_turn_client_start(struct ms_turn_client *c);
/* One frame or datagram to any of its peers: raw (with that label) when the peer is the active destination, else in a
 * Send request, which is never answered ("MS-TURN Send (LABEL)"). One that is too long for that, or before
 * MS_TURN_ALLOCATED, is dropped. */
void ms_turn_client_send(struct ms_turn_client *c, const struct endpoint *peer, const void *data, size_t len,
                         const char *label);
void ms_turn_client_set_active(struct ms_turn_client *c, const struct endpoint *peer);
/* Deletes the allocation, and closes connection or socket when that is answered, or was not for 10 s. No event
 * follows. */
void ms_turn_client_release(struct ms_turn_client *c);
io_id ms_turn_client_control(const struct ms_turn_client *c); /* connection or socket; IO_NONE: none (any more) */
void ms_turn_client_input(struct ms_turn_client *c, const struct io_in *in);
uint64_t ms_turn_client_deadline(const struct ms_turn_client *c);
bool ms_turn_client_poll(struct ms_turn_client *c, struct ms_turn_event *out);

#endif
