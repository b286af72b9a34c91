/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The relay: a TURN server as a core over base/io.h. It relays TCP (RFC 6062); a request for a UDP relay is answered as
 * forbidden by policy (403, 6062-5.1-4) until that comes.
 *
 * Bytes that a peer sends before ConnectionBind are not copied by the relay: an unbound peer connection is not read,
 * so they wait in the host's TCP, whose window closes in time (6062-5.2-16, 17). ConnectionBind splices. */
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
    bool nonce_cookie;              /* nonces begin with RFC 8489's "obMatJos2" and no features (8489 9.2) */
    bool sequential_ports;          /* relay ports in order from the first; else drawn at random */
};
extern const struct turn_profile turn_strict, turn_expressway;
const struct turn_profile *turn_profile_named(const char *name); /* NULL: no such */

struct turn_user {
    const char *name, *password; /* borrowed during turn_new only; the key is kept, the password is not (8656 6) */
};

struct turn_limits {
    uint32_t clients;         /* client TCP connections, control and data together */
    uint32_t allocations;
    uint32_t permissions;     /* per allocation */
    uint32_t peers;           /* peer connections per allocation, pending and bound */
    uint32_t user_allocations; /* quota per user: 486 */
    uint32_t max_lifetime_s;  /* 3600 */
};
extern const struct turn_limits turn_limits_default;

struct turn_config {
    const struct turn_profile *profile;
    const char *realm;
    const struct turn_user *users;
    size_t user_count;
    const struct endpoint *listen; /* TCP listeners */
    size_t listen_count;
    struct ip_addr relay_ip4, relay_ip6;   /* where relay ports are opened; unset: that family is refused (440) */
    struct ip_addr public_ip4, public_ip6; /* what XOR-RELAYED-ADDRESS says instead; unset: the relay address */
    uint16_t first_port, last_port;
    const struct ip_prefix *allow_peer, *deny_peer; /* allow wins over deny; both over the built-in list */
    size_t allow_peer_count, deny_peer_count;
    struct turn_limits limits;
};

struct turn;

/* Everything in cfg is copied. NULL: no memory, or limits or ports that make no sense. The core's owner number for its
 * ids is `owner` (0..255). It begins listening on IO_START. */
struct turn *turn_new(struct io *io, unsigned owner, const struct turn_config *cfg);
void turn_free(struct turn *t);
void turn_input(struct turn *t, const struct io_in *in);
uint64_t turn_deadline(const struct turn *t);

struct turn_stats {
    uint32_t allocations, pending, bound, clients;
    uint64_t allocated_ever, refused_ever;
};
void turn_stats(const struct turn *t, struct turn_stats *out);

#endif
