/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The relay: a TURN server (RFC 8656, 5766; RFC 8489, 5389) with TCP relays (RFC 6062) as a core over base/io.h.
 *
 * Memory is had once, in turn_new, sized by the limits; what a limit allows and nobody uses is address space only. A
 * table that is full is an answer (486, 508, 300), never a failure.
 *
 * Bytes that a peer sends before ConnectionBind are not copied by the relay: an unbound peer connection is not read,
 * so they wait in the host's TCP, whose window closes in time (6062-5.2-16, 17). ConnectionBind splices.
 *
 * Datagrams are relayed without memory of their own and, where the host gives io_in.room, without a copy. Those for a
 * client whose TCP connection is blocked are dropped, as a full queue would. */
#ifndef TP_TURN_TURN_H
#define TP_TURN_TURN_H

#include "models/base/io.h"

/* A server's habits as a row of data: "strict" is the RFCs; "expressway" is what the reference capture shows. */
struct turn_profile {
    const char *name;
    const char *software;           /* SOFTWARE; NULL: none */
    bool permission_needed;         /* an incoming connection needs CreatePermission (6062 5.3) */
    uint64_t binding_indication_ns; /* a Binding indication on the control connection this often; 0: never */
    bool fingerprint;               /* on all that it sends */
    bool bind_echoes_id;            /* ConnectionBind success repeats CONNECTION-ID */
    bool attempt_integrity;         /* ConnectionAttempt carries MESSAGE-INTEGRITY */
    bool challenge_lifetime;        /* a 401 to Allocate carries LIFETIME */
    const char *reason_401;         /* NULL: the RFC's */
    bool rfc8489;                   /* nonce cookie, password algorithms, user hashes (8489 9.2); else as RFC 5389 */
    uint16_t last_channel;          /* 0x4fff (8656 12) or 0x7ffe (5766 11) */
    bool sequential_ports;          /* relay ports in order from the first; else drawn at random */
};
extern const struct turn_profile turn_strict, turn_expressway;
const struct turn_profile *turn_profile_named(const char *name); /* NULL: no such */

struct turn_user {
    const char *name, *password; /* borrowed for the call only; the keys are kept, the password is not (8656 6) */
};

struct turn_limits {
    uint32_t clients;          /* client TCP connections, control and data together */
    uint32_t allocations;      /* beyond: 300 if there is an alternate server, else 508 */
    uint32_t port_allocations; /* the same for each listening port (UDP and TCP together); 0: no limit of its own */
    uint32_t permissions;      /* per allocation: 508 */
    uint32_t channels;         /* per allocation: 508 */
    uint32_t peers;            /* peer connections per allocation, pending and bound: 508 */
    uint32_t user_allocations; /* quota per user: 486 */
    uint32_t max_lifetime_s;   /* 3600 */
};
extern const struct turn_limits turn_limits_default;

/* Appliance sizes (EXP-1, EXP-2). */
struct turn_size {
    const char *name;     /* "small", "medium", "large" */
    unsigned ports;       /* listening ports, from 3478 on */
    uint32_t allocations, port_allocations;
};
const struct turn_size *turn_size_named(const char *name); /* NULL: no such */

struct turn_config {
    const struct turn_profile *profile;
    const char *realm;
    const struct turn_user *users;
    size_t user_count;
    const struct endpoint *listen, *listen_udp; /* for clients over TCP, and over UDP */
    size_t listen_count, listen_udp_count;
    struct ip_addr relay_ip4, relay_ip6;   /* where relay ports are opened; unset: that family is refused (440) */
    struct ip_addr public_ip4, public_ip6; /* what XOR-RELAYED-ADDRESS says instead; unset: the relay address */
    uint16_t first_port, last_port;        /* for UDP and TCP relays, each with its own */
    bool no_udp_relay, no_tcp_relay;       /* 403 (6062 5.1); 442 */
    bool dont_fragment;                    /* the host can send with DF; else DONT-FRAGMENT is 420 */
    struct endpoint alternate4, alternate6; /* whom 300 names to a client of that family; unset: none */
    /* Who may be a peer. Refused unless allowed: loopback, unspecified, multicast, link-local, tunnels (8656 21.4), and
     * the listening, relay and public addresses above; a host that listens on "any" adds its own to deny_peer. allow
     * wins over deny, both over that list. */
    const struct ip_prefix *allow_peer, *deny_peer;
    size_t allow_peer_count, deny_peer_count;
    /* Its own relays are found by their public address inside, without a firewall that reflects it (note 5 of the port
     * tables): that address may be a peer's whatever the lists say, with its relay ports alone. */
    bool finds_own;
    const uint8_t *secret; /* 32 bytes that nobody can guess: all that must not be guessed is made from them. NULL:
                            * drawn from the io's seed, which will do in a simulation */
    struct turn_limits limits;
    /* One of several with the same listeners, secret, clock and users, each with limits and relay ports of its own: its
     * number, and how many (0: alone). A client over UDP has to come to the same one always. Connections may come to
     * any: a ConnectionBind for another shard's takes its connection there (IO_OP_GIVE). */
    uint32_t shard, shards;
};

struct turn;

/* Everything in cfg is copied. NULL: no memory, or limits or ports that make no sense. The core's owner number for its
 * ids is `owner` (0..255). It begins listening on IO_START; a listener that cannot open is told as NOTE_FAIL. */
struct turn *turn_new(struct io *io, unsigned owner, const struct turn_config *cfg);
void turn_free(struct turn *t);
void turn_input(struct turn *t, const struct io_in *in);
uint64_t turn_deadline(const struct turn *t);

/* Other users from now on. Allocations live on with the key that they were made with. E_NOMEM: nothing has changed. */
int turn_set_users(struct turn *t, const struct turn_user *users, size_t count);

/* No new allocations from now on (300 or 508); those that there are live on, data connections included. */
void turn_drain(struct turn *t);

/* Another alternate server of its family from now on; port 0: none any more. */
void turn_set_alternate(struct turn *t, const struct endpoint *alternate);

struct turn_stats {
    uint32_t allocations, reservations, permissions, channels, pending, bound, clients;
    uint64_t allocated_ever, refused_ever;
    /* Datagrams relayed and their payload; those dropped for want of a permission, a channel, or room. */
    uint64_t to_peers, to_peers_bytes, to_clients, to_clients_bytes, dropped;
};
void turn_stats(const struct turn *t, struct turn_stats *out);
/* What turn_new took for all that the limits allow, in bytes: an upper bound of what it will ever touch. */
size_t turn_footprint(const struct turn *t);

#endif
