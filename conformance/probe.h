/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a probe is written with. It reads from top to bottom: each call that waits lets the world run (virtual time, or
 * real) until what it waits for has come, and what comes meanwhile is kept for later. Whatever it is not told to
 * expect fails nothing by itself.
 *
 * A probe ends when its function returns (PASS), or at once in probe_fail, probe_defined, probe_skip, however deep.
 * Everything that it opened or made belongs to the probe and is gone with it: allocations of a live server too. */
#ifndef TP_CONFORMANCE_PROBE_H
#define TP_CONFORMANCE_PROBE_H

#include "conformance/conformance.h"
#include "models/base/addr.h"
#include "models/base/time.h"
#include "models/stun/stun.h"

struct probe;

/* ---- verdicts ---- */

_Noreturn void probe_fail(struct probe *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
_Noreturn void probe_defined(struct probe *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
_Noreturn void probe_skip(struct probe *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Fails unless it holds: the sentence says what was seen instead of what is required. */
#define probe_require(p, holds, ...) ((holds) ? (void)0 : probe_fail((p), __VA_ARGS__))

/* ---- time ---- */

uint64_t probe_now(const struct probe *p);
void probe_wait(struct probe *p, uint64_t ns);
void probe_wait_until(struct probe *p, uint64_t t_ns);
/* How long an answer may take that no timer delays: short in a simulation, patient with a live server. */
uint64_t probe_soon(const struct probe *p);

/* ---- who is there ---- */

/* Hosts that the probe speaks for. SERVER only where the client is judged, and CLIENT1 only where it is not. */
enum place { CLIENT1, CLIENT2, PEER1, PEER2, SERVER, PLACES };

struct ip_addr probe_ip(const struct probe *p, enum place at, int family); /* IP_V4, IP_V6 */
/* Where the server serves clients. */
struct endpoint probe_server(const struct probe *p, enum ip_proto proto, int family);
/* A port of that host where nobody listens (TCP and UDP). */
struct endpoint probe_closed_port(struct probe *p, enum place at, int family);
/* From now on nothing that comes for that peer arrives, or all does again. NEED_SILENT_PEER. */
void probe_silence(struct probe *p, enum place peer, bool silent);

/* ---- lines: sockets of the probe ---- */

struct line;

/* To the server, connected. */
struct line *probe_dial(struct probe *p, enum place from);
/* To any address; E_REFUSED and others are told by line_err. family: of the remote. NULL never. */
struct line *probe_dial_to(struct probe *p, enum place from, const struct endpoint *to);
/* The same without waiting for it to be established; and from a port of the host's own that is given. */
struct line *probe_begin_dial(struct probe *p, enum place from, const struct endpoint *to);
struct line *probe_begin_dial_at(struct probe *p, enum place from, const struct endpoint *local,
                                 const struct endpoint *to);
struct line *probe_udp(struct probe *p, enum place at, int family);
struct line *probe_udp_at(struct probe *p, enum place at, const struct endpoint *local);
struct line *probe_listen(struct probe *p, enum place at, int family);
struct line *probe_listen_at(struct probe *p, enum place at, const struct endpoint *local);
/* The next connection to it; NULL: none within ns. */
struct line *probe_accept(struct probe *p, struct line *listener, uint64_t ns);

/* Waits for what probe_begin_dial began; false: it failed, or is not established within ns. */
bool line_connected(struct line *l, uint64_t ns);

struct endpoint line_local(const struct line *l);
struct endpoint line_remote(const struct line *l); /* TCP */
int line_err(const struct line *l);                /* why a connection could not be had, or ended; 0 */
unsigned line_icmp(const struct line *l);          /* UDP: how many ICMP errors it was told of (NEED_ICMP) */

/* All of it, in one segment if it fits; waits while the other side does not take it. */
void line_send(struct line *l, const void *data, size_t len);
/* As much as is taken without waiting: how much. */
size_t line_offer(struct line *l, const void *data, size_t len);
/* A datagram. */
void line_send_to(struct line *l, const struct endpoint *to, const void *data, size_t len);
void line_pause(struct line *l, bool paused); /* does not read: TCP's window closes */
void line_end(struct line *l);                /* FIN behind what was sent; still reads */
void line_close(struct line *l);              /* FIN, gone */
void line_reset(struct line *l);              /* RST, gone */

enum line_state { LINE_OPEN, LINE_FIN, LINE_RST, LINE_FAILED };
/* Waits until the other side has ended it: how; LINE_OPEN: it has not within ns. */
enum line_state line_ended(struct line *l, uint64_t ns);
enum line_state line_state_now(struct line *l);

/* Bytes of a stream as they come: at most cap, at least 1 unless ns pass or it ends (0). */
size_t line_read(struct line *l, void *buf, size_t cap, uint64_t ns);
/* Exactly len bytes; false: they have not come within ns. */
bool line_read_all(struct line *l, void *buf, size_t len, uint64_t ns);
/* How many bytes were received and not looked at. */
size_t line_waiting(const struct line *l);
/* The next datagram, whole: its length, or -1 when none comes within ns. from may be NULL. */
long line_datagram(struct line *l, void *buf, size_t cap, struct endpoint *from, uint64_t ns);

/* ---- pattern: bytes that tell their place, so that loss, repetition and mixing of streams are seen ---- */

/* Sends len bytes of the pattern `which` from its offset `at` on; or expects them (fails the probe, saying where they
 * differ or end, unless all come within ns). */
void line_send_pattern(struct line *l, unsigned which, uint64_t at, uint64_t len);
uint64_t line_offer_pattern(struct line *l, unsigned which, uint64_t at, uint64_t len);
void line_expect_pattern(struct line *l, unsigned which, uint64_t at, uint64_t len, uint64_t ns);

/* ---- messages ---- */

enum { MESSAGE_MAX = 70000 };

/* What is to be sent: attributes in the order of the calls. Freed with the probe. */
struct message;
struct message *message_new(struct probe *p, enum stun_class cls, unsigned method);
struct message *message_request(struct probe *p, unsigned method);
void message_put(struct message *m, unsigned type, const void *value, size_t len);
void message_put_hex(struct message *m, unsigned type, const char *hex); /* "06000000" */
void message_put_u32(struct message *m, unsigned type, uint32_t value);
void message_put_text(struct message *m, unsigned type, const char *text);
void message_put_address(struct message *m, unsigned type, const struct endpoint *e);
void message_fingerprint(struct message *m);
void message_set_id(struct message *m, const struct stun_id *id); /* before any address */
struct stun_id message_id(const struct message *m);
/* The bytes, for a probe that spoils them; *len may be made smaller, or larger up to MESSAGE_MAX. */
uint8_t *message_bytes(struct message *m, size_t **len);
void line_send_message(struct line *l, const struct message *m); /* UDP: to the server */

/* What came. */
enum heard_kind { HEARD_NOTHING, HEARD_STUN, HEARD_CHANNEL, HEARD_ENDED };
struct heard {
    enum heard_kind kind;
    struct stun_msg stun;       /* STUN: parsed; bytes live as long as the probe */
    int code;                   /* STUN: error code; 0: success; -1: neither (request, indication) */
    uint16_t channel;           /* CHANNEL */
    const uint8_t *data;        /* CHANNEL: payload. STUN: the message */
    size_t len;
    uint64_t t_ns;
    struct endpoint from;       /* UDP: the source */
};
/* The next message of a line to the server; NOTHING within ns; ENDED. What is neither STUN nor ChannelData fails the
 * probe. */
struct heard line_hear(struct line *l, uint64_t ns);
/* The next response of that transaction; other messages stay for line_hear, in their order. NOTHING, ENDED. */
struct heard line_answer(struct line *l, const struct message *m, uint64_t ns);
/* The next indication of that method, likewise. */
struct heard line_indication(struct line *l, unsigned method, uint64_t ns);
bool heard_has(const struct heard *h, unsigned type);
/* false: absent or malformed. */
bool heard_u32(const struct heard *h, unsigned type, uint32_t *out);
bool heard_address(const struct heard *h, unsigned type, struct endpoint *out);

/* ---- a user of the server ---- */

enum { USER1, USER2, USER_UNKNOWN, USER_WRONG_PASSWORD };

/* Credentials as far as they are known: realm and nonce of the last challenge. */
struct login {
    unsigned user;
    const char *name, *password;
    char realm[768], nonce[768];
    uint8_t key[16];
    bool known;
};
struct login *login_new(struct probe *p, unsigned user);
/* USERNAME, REALM, NONCE, MESSAGE-INTEGRITY (MD5, SHA-1: what every server takes). */
void message_sign(struct message *m, const struct login *l);
/* Only the MESSAGE-INTEGRITY, of what the message has so far. */
void message_seal(struct message *m, const struct login *l);
/* Takes realm and nonce from a 401 or 438; false: they are not there. */
bool login_learn(struct login *l, const struct heard *h);
/* MESSAGE-INTEGRITY is there and right. */
bool login_verifies(const struct login *l, const struct heard *h);

/* Signs, sends, answers a 401 or 438 with the credentials it asks for, waits: the final answer. Fails the probe when
 * none comes. fill is asked for the attributes before each try (it may be NULL). */
typedef void fill_handler(struct message *m, const void *arg);
struct heard login_ask(struct login *l, struct line *via, unsigned method, fill_handler *fill, const void *arg);

/* What most requests are. Each returns the final answer, through login_ask. */
struct heard ask_refresh(struct login *l, struct line *via, long lifetime); /* -1: without LIFETIME */
struct heard ask_permission(struct login *l, struct line *via, const struct endpoint *peer);
struct heard ask_channel(struct login *l, struct line *via, uint16_t number, const struct endpoint *peer);
struct heard ask_connect(struct login *l, struct line *via, const struct endpoint *peer);
struct heard ask_bind(struct login *l, struct line *data, uint32_t connection);
/* Does not wait for the answer: the message that line_answer takes. The nonce has to be known. */
struct message *begin_connect(struct login *l, struct line *via, const struct endpoint *peer);
struct message *begin_bind(struct login *l, struct line *data, uint32_t connection);

/* "Allocate error 437", "no answer": what came, for a sentence. */
enum { HEARD_TEXT = 128 };
const char *heard_text(const struct heard *h, char out[HEARD_TEXT]);
/* Fails unless the answer has that code (0: success); `what` names the request in the sentence. */
void expect_code(struct probe *p, const struct heard *h, int code, const char *what);

/* ---- an allocation ---- */

struct allocation {
    struct probe *p;
    struct login *login;
    struct line *control;    /* TCP connection, or UDP socket, to the server */
    enum ip_proto transport; /* of the relay */
    struct endpoint relayed, mapped;
    uint32_t lifetime;
};
/* Over TCP or UDP (via), of a TCP or UDP relay, made for USER1 from CLIENT1 and IPv4; the probe fails when it cannot be
 * had. */
struct allocation *allocate(struct probe *p, enum ip_proto via, enum ip_proto transport);
struct allocation *allocate_as(struct probe *p, enum place from, unsigned user, enum ip_proto via,
                               enum ip_proto transport, int family);
void allocation_permit(struct allocation *a, enum place peer);
/* RFC 6062: a peer connection with its data connection, bound. Outgoing: by Connect, to a listener of that peer;
 * incoming: the peer connects, with a permission made for it. */
struct pair {
    struct line *data, *peer, *listener; /* listener: outgoing only */
    uint32_t connection;
};
struct pair allocation_connect(struct allocation *a, enum place peer); /* Connect answered, not bound: data is NULL */
struct pair allocation_incoming(struct allocation *a, enum place peer); /* ConnectionAttempt seen, not bound */
void pair_bind(struct allocation *a, struct pair *pair);

/* ---- the client that is judged (NEED_CLIENT): the probe is its server ---- */

/* A TURN client with an application that asks it for things, in the order of the wishes; the first is to allocate. The
 * server's lines are had with probe_serve and probe_accept, and probe_udp_server. */
enum wish_kind {
    WISH_ALLOCATE_TCP,
    WISH_ALLOCATE_UDP,
    WISH_ALLOCATE_UDP_OVER_UDP,
    WISH_PERMIT,
    WISH_CONNECT,
    WISH_ACCEPT,
    WISH_CHANNEL,
    WISH_SEND,
    WISH_RELEASE,
    WISH_CLOSE_DATA,
    WISH_SEND_DATA, /* on the last data connection that was bound: subject_send_data */
};
struct wish {
    enum wish_kind kind;
    struct endpoint peer;   /* PERMIT, CONNECT, CHANNEL, SEND */
    uint32_t connection;    /* ACCEPT; CLOSE_DATA: 0 is all */
    int family;             /* ALLOCATE: of the relay; 0: not asked for */
    const void *data;       /* SEND, copied */
    size_t len;
};
void subject_wish(struct probe *p, const struct wish *w);
/* Whether the client has told its application that, so far. */
enum told { TOLD_ALLOCATED, TOLD_REFUSED, TOLD_GONE, TOLD_INCOMING, TOLD_BOUND, TOLD_PEER_FAILED, TOLD_DATAGRAM,
            TOLD_ICMP };
bool subject_told(struct probe *p, enum told what, uint64_t ns);
unsigned subject_times(const struct probe *p, enum told what);
/* What the application sends on its bound data connection; and the next len bytes of what it has received there, or as
 * datagrams. False: they have not come within ns. */
void subject_send_data(struct probe *p, const void *data, size_t len);
bool subject_received(struct probe *p, void *buf, size_t len, uint64_t ns);
/* Where the client finds its server. UDP: line_send_message goes to whom it heard last. */
struct line *probe_serve(struct probe *p);
struct line *probe_udp_server(struct probe *p);
/* The next request of that method, line_indication's like; and the same or the probe fails. */
struct heard line_request(struct line *l, unsigned method, uint64_t ns);
struct heard server_hear(struct probe *p, struct line *l, unsigned method, uint64_t ns);

/* A server's side of the long-term mechanism, for scripts: realm "example.org", user and password that the client was
 * given. Answers with what it is told to. */
struct message *server_challenge(struct probe *p, const struct heard *request, int code); /* 401 or 438, new nonce */
struct message *server_success(struct probe *p, const struct heard *request);
struct message *server_error(struct probe *p, const struct heard *request, int code);
void server_sign(struct message *m); /* MESSAGE-INTEGRITY with the client's key */
bool server_verifies(struct probe *p, const struct heard *request);
/* The usual: 401, then success with a relayed address and that lifetime; the control line. listener: of probe_serve, or
 * the line of probe_udp_server. */
struct line *server_grants(struct probe *p, struct line *listener, uint32_t lifetime);
struct endpoint server_relayed(const struct probe *p); /* what server_grants says */

#endif
