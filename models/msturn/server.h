/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The relay's insides: server.c has the connections and timers, request.c the control messages, relay.c the
 * peers and the bytes between them and the client, datagrams.c what is different over UDP. */
#ifndef TP_MSTURN_SERVER_H
#define TP_MSTURN_SERVER_H

#include "models/msturn/framing.h"
#include "models/msturn/msturn.h"

enum ms_peer_state {
    MS_PEER_FREE,
    MS_PEER_IDLE, /* permitted, not connected */
    MS_PEER_CONNECTING,
    MS_PEER_OPEN,
};

struct ms_peer {
    enum ms_peer_state state;
    bool permitted; /* the client has sent to it (MST-5); the permission is for its address, with any port */
    bool blocked;   /* takes no more for now */
    io_id id;
    struct endpoint at;
    struct rfc4571 frames;
};

/* MST-4: one allocation a connection, so it lives and dies with it. */
enum ms_alloc_state { MS_ALLOC_NONE, MS_ALLOC_OPENING, MS_ALLOC_LIVE };

struct ms_alloc {
    enum ms_alloc_state state;
    size_t user;
    uint16_t port;
    uint32_t tries; /* ports that did not work */
    io_id listener; /* of the relay port; over UDP its socket */
    struct stun_id request; /* OPENING: to be answered when the port is open */
    uint32_t lifetime_s;
    uint64_t expires_ns;
    uint8_t connection_id[MS_CONNECTION_ID];
    uint32_t sequence;
    struct ms_peer *active; /* of Set Active Destination; NULL: none */
};

enum ms_client_stage { MS_CLIENT_FREE, MS_CLIENT_HELLO, MS_CLIENT_OPEN };

struct ms_client {
    enum ms_client_stage stage;
    bool over_udp;
    io_id id; /* its connection; over UDP the server's own socket, which it shares with others */
    struct endpoint local, remote;
    size_t hello_have;
    struct ms_units units;
    bool reading;     /* its bytes are asked for */
    bool blocked;     /* takes no more for now */
    uint64_t idle_ns; /* without an allocation it may stay until then */
    char nonce[33];
    struct ms_alloc alloc;
    struct ms_peer *peer; /* max_peers of them */
};

struct ms_server_user {
    char *name;
    uint8_t key[16];
};

struct ms_turn_server {
    struct io *io;
    unsigned owner;
    struct ms_turn_server_config cfg; /* realm, users and listen point to copies */
    struct ms_server_user *users;
    io_id *socket; /* of cfg.listen_udp */
    struct ms_client *client;
    struct ms_peer *peers;
    uint16_t next_port;
    struct rng rng;
    struct ms_unit unit; /* what is sent is built here */
};

/* server.c */
/* A place for a client that nobody knew, with a nonce of its own; NULL: all are taken. */
struct ms_client *ms_client_new(struct ms_turn_server *s, const struct io_in *in);
void ms_client_close(struct ms_turn_server *s, struct ms_client *c);
void ms_alloc_free(struct ms_turn_server *s, struct ms_client *c, const char *cause);

/* request.c */
void ms_control(struct ms_turn_server *s, struct ms_client *c, const uint8_t *bytes, size_t len);
void ms_relay_port_opened(struct ms_turn_server *s, struct ms_client *c);
void ms_relay_port_failed(struct ms_turn_server *s, struct ms_client *c);

/* datagrams.c */
void ms_open_sockets(struct ms_turn_server *s);
bool ms_is_socket(const struct ms_turn_server *s, io_id id);
/* One that came to the server's socket, or from a peer to the relay port of c. */
void ms_client_datagram(struct ms_turn_server *s, const struct io_in *in);
void ms_peer_datagram(struct ms_turn_server *s, struct ms_client *c, const struct io_in *in);

/* relay.c */
/* What lies in s->unit behind the room for its header, to the client. */
void ms_to_client(struct ms_turn_server *s, const struct ms_client *c, unsigned type, size_t len, const char *label);
/* Data of a peer to the client, raw when that is the active destination. */
void ms_data_to_client(struct ms_turn_server *s, struct ms_client *c, const struct endpoint *from,
                       const uint8_t *data, size_t len);
/* Whether the client has sent to this address: its permissions are for all ports (MST-5). */
bool ms_is_permitted(const struct ms_turn_server *s, const struct ms_client *c, const struct ip_addr *ip);
/* The peer there, made when there is room; NULL: there is none. */
struct ms_peer *ms_peer_of(const struct ms_turn_server *s, struct ms_client *c, const struct endpoint *at);
/* A frame to a peer, by a Send request: makes a permission and, where the server may, a connection. */
void ms_relay_send(struct ms_turn_server *s, struct ms_client *c, const struct endpoint *to,
                   const uint8_t *data, size_t len);
/* A frame to the active destination. */
void ms_relay_raw(struct ms_turn_server *s, struct ms_client *c, const uint8_t *data, size_t len);
struct ms_peer *ms_peer_open_at(const struct ms_turn_server *s, const struct ms_client *c,
                                const struct endpoint *at);
void ms_peer_accepted(struct ms_turn_server *s, struct ms_client *c, io_id id, const struct endpoint *from);
void ms_peer_opened(struct ms_turn_server *s, struct ms_client *c, struct ms_peer *p);
void ms_peer_data(struct ms_turn_server *s, struct ms_client *c, struct ms_peer *p, const uint8_t *data,
                  size_t len);
/* Its connection has ended; what is permitted stays so. */
void ms_peer_ended(struct ms_turn_server *s, struct ms_client *c, struct ms_peer *p);
/* Closes its connection, if any, and forgets it. */
void ms_peer_free(struct ms_turn_server *s, struct ms_peer *p);
/* Back-pressure: nobody is read whose bytes have nowhere to go. */
void ms_set_client_blocked(struct ms_turn_server *s, struct ms_client *c, bool blocked);
void ms_set_peer_blocked(struct ms_turn_server *s, struct ms_client *c, struct ms_peer *p, bool blocked);

#endif
