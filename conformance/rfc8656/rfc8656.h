/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the probes of RFC 8656 share, between the files of this folder only. */
#ifndef TP_CONFORMANCE_RFC8656_H
#define TP_CONFORMANCE_RFC8656_H

#include "conformance/conformance.h"
#include "conformance/probe.h"

extern const struct section rfc8656_general, rfc8656_allocations, rfc8656_allocate, rfc8656_allocate_answer,
    rfc8656_allocate_client, rfc8656_refresh, rfc8656_permissions, rfc8656_send, rfc8656_channels, rfc8656_packets,
    rfc8656_security;

/* Timers are tried this long before they are due and after: servers look at their clocks now and then, and a live
 * network takes its time. */
#define EARLY (2 * NS_S)
#define LATE (3 * NS_S)
#define PERMISSION_LIFE (300 * NS_S)
#define CHANNEL_LIFE (600 * NS_S)
#define ALLOCATION_LIFE (600 * NS_S)

/* ---- requests ---- */

/* An attribute of a request: its bytes, or an address. */
struct attr {
    unsigned type; /* 0: the end of the list */
    const char *hex;
    const struct endpoint *address;
};
#define ATTRS(...) ((const struct attr[]){__VA_ARGS__, {0}})
#define HEX(type, hex) {(type), (hex), NULL}
#define PEER(endpoint) {ATTR_XOR_PEER_ADDRESS, NULL, (endpoint)}
#define ASK_UDP HEX(ATTR_REQUESTED_TRANSPORT, "11000000")
#define ASK_IP6 HEX(ATTR_REQUESTED_ADDRESS_FAMILY, "02000000")
#define ASK_IP6_TOO HEX(ATTR_ADDITIONAL_ADDRESS_FAMILY, "02000000")
#define ASK_EVEN HEX(ATTR_EVEN_PORT, "00")
#define ASK_PAIR HEX(ATTR_EVEN_PORT, "80") /* and reserve the next */
#define ASK_TOKEN(hex) HEX(ATTR_RESERVATION_TOKEN, (hex))

void put_attrs(struct message *m, const struct attr *attrs);
/* A request with these, authenticated: the final answer. */
struct heard ask(struct login *l, struct line *via, unsigned method, const struct attr *attrs);
/* A request that is signed with what the login knows, not sent. */
struct message *signed_request(struct probe *p, const struct login *l, unsigned method, const struct attr *attrs);
/* Sends a bare Allocate and takes realm and nonce from its 401. */
struct heard challenge(struct probe *p, struct login *l, struct line *via);
/* A new user on a line of his own sends an Allocate with these attributes. */
struct heard ask_allocate(struct probe *p, const struct attr *attrs);
void expect_allocate(struct probe *p, const struct attr *attrs, int code, const char *what);
/* The token of a success, as hex; fails the probe when there is none. */
enum { TOKEN_HEX = 17 };
void token_of(struct probe *p, const struct heard *h, char out[TOKEN_HEX]);

/* The relayed address of that family; false: there is none. */
bool relayed_of(const struct heard *h, int family, struct endpoint *out);

/* ---- a way to the server ---- */

/* UDP if the server serves clients so, else TCP; and a line that way. */
enum ip_proto way(const struct probe *p);
struct line *reach(struct probe *p, enum place from);
/* An allocation of a UDP relay, made on the usual way. */
struct allocation relay(struct probe *p);
/* The same with these attributes; and by that user on that line. The probe fails when it cannot be had. */
struct allocation relay_with(struct probe *p, const struct attr *attrs);
struct allocation relay_on(struct probe *p, struct login *l, struct line *via, const struct attr *attrs);
/* The probe fails unless they succeed. */
void permit(struct allocation *a, const struct endpoint *peer);
void bind_channel(struct allocation *a, uint16_t number, const struct endpoint *peer);
void forget(struct allocation *a); /* Refresh 0 */
struct heard create_permission(struct allocation *a, const struct attr *attrs);
struct heard channel_bind(struct allocation *a, const struct attr *attrs);
/* Waits until that time; on the way the allocation is refreshed every 500 s, and nothing else. */
void keep_until(struct allocation *a, uint64_t t_ns);
/* A relay with a peer that has a permission (send.c and others), or a channel (channels.c). */
struct opening {
    struct allocation a;
    struct line *peer;
    struct endpoint at; /* the peer's */
};
struct opening open_with_permission(struct probe *p);
/* An address of documentation or benchmarks (RFC 6890) that nobody has; the i-th of 65536. */
struct endpoint somebody(unsigned i);
struct endpoint somebody6(void);

/* ---- datagrams ---- */

/* Bytes to the server, as they are. */
void to_server(struct allocation *a, const void *bytes, size_t len);
void send_indication(struct allocation *a, const struct endpoint *peer, const void *data, size_t len);
/* Padded on a stream. */
void send_channel(struct allocation *a, uint16_t number, const void *data, size_t len);

/* What came of a datagram that the peer sent to the relay: HEARD_NOTHING, or the Data indication or ChannelData that
 * brought it; anything else that comes meanwhile fails the probe. */
struct heard from_peer(struct allocation *a, struct line *peer);
bool comes_through(struct allocation *a, struct line *peer);
/* Whether a datagram with these bytes comes to the peer, from the relay; any other datagram fails the probe. */
bool peer_gets(struct allocation *a, struct line *peer, const void *data, size_t len);
bool send_passes(struct allocation *a, struct line *peer);                      /* by Send indication */
bool channel_passes(struct allocation *a, uint16_t number, struct line *peer); /* by ChannelData */
/* Fails the probe when the server says anything on that line; `to`: what it would answer. */
void expect_silence(struct probe *p, struct line *l, const char *to);
/* Fails the probe unless the allocation answers a Refresh with success; `after`: what it has been through. */
void expect_alive(struct allocation *a, const char *after);
/* ... with 437, or its connection has ended. */
void expect_gone(struct allocation *a, const char *after);

/* ---- the server of the client that is judged ---- */

struct line *client_comes(struct probe *p, struct line *listener); /* fails the probe when it does not */
void client_wants(struct probe *p, enum wish_kind kind, const struct endpoint *peer); /* peer: NULL for none */
/* Its Allocate with credentials, for which it is challenged first if need be. */
struct heard client_allocates(struct probe *p, struct line *control);
void answer(struct line *control, struct message *m); /* signed */
void answer_success(struct probe *p, struct line *control, const struct heard *request);
void answer_refresh(struct probe *p, struct line *control, const struct heard *request, uint32_t lifetime);
void answer_allocate(struct probe *p, struct line *control, const struct heard *request, const struct endpoint *relayed,
                     uint32_t lifetime);
void answer_error(struct probe *p, struct line *control, const struct heard *request, int code);
/* The client asks for a UDP relay, over TCP, and has it for that time: the control connection. */
struct line *client_has_relay(struct probe *p, struct line *listener, uint32_t lifetime);

/* ---- probes that serve rows of two sections ---- */

void probe_challenge(struct probe *p);       /* 5, 7.2 */
void probe_other_user(struct probe *p);      /* 5, 21.3.3 */
void probe_quota(struct probe *p);           /* 5, 7.2, 21.3.1 */
void probe_denied_peer(struct probe *p);     /* 10.2, 21.2.2 */
void probe_unsolicited(struct probe *p);     /* 7.2, 21.2 */

#endif
