/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sections of RFC 6062, and steps that their probes share. */
#ifndef TP_CONFORMANCE_RFC6062_H
#define TP_CONFORMANCE_RFC6062_H

#include "conformance/probe.h"

extern const struct section rfc6062_overview, rfc6062_client, rfc6062_allocate, rfc6062_connect, rfc6062_incoming,
    rfc6062_bind, rfc6062_maintenance, rfc6062_wire, rfc6062_inherited, rfc6062_silent;

enum { KIB = 1024, MIB = 1024 * 1024 };
/* What a server may swallow of a sender before it has to hold it back, its host's TCP buffers included. */
enum { FLOOD = 64 * MIB };

#define SECONDS(ns) ((double)(ns) / (double)NS_S) /* in sentences */

/* ---- messages ---- */

/* Attributes as hex, ended by a row without one: what fill_hex, a fill_handler, takes. */
struct attr {
    unsigned type;
    const char *hex;
};
void fill_hex(struct message *m, const void *attrs);
extern const struct attr wants_tcp[], wants_udp[]; /* REQUESTED-TRANSPORT */

/* Lets a login learn realm and nonce over that line; the probe fails if there is no 401. */
void be_challenged(struct probe *p, struct login *l, struct line *via);

/* ---- what is required again and again ---- */

/* The allocation answers a Refresh. `after` is said in the sentence: "a 446". */
void expect_served(struct allocation *a, const char *after);
/* Ended, FIN or RST, within ns. */
void expect_closed(struct probe *p, struct line *l, uint64_t ns, const char *what);
/* Not ended for ns. */
void expect_open(struct probe *p, struct line *l, uint64_t ns, const char *what);
/* Closed by a timer: after at least 30 s from since_ns, and at most 35. */
void expect_closed_at_30s(struct probe *p, struct line *l, uint64_t since_ns, const char *what);
/* No ConnectionAttempt comes. */
void expect_no_attempt(struct allocation *a, const char *why);
/* Bound, it carries len bytes of the pattern `which` each way, from offset `at`. */
void expect_carries(struct probe *p, const struct pair *pair, unsigned which, uint64_t at, uint64_t len);

/* A connection of that peer to the relayed address; the probe fails if TCP is not accepted. One that is reset as soon
 * as it is accepted has been accepted. */
struct line *dial_relay(struct allocation *a, enum place peer);
bool is_accepted(const struct line *dialled);
/* Connections to the relayed address are refused; not quite at once, perhaps. `after` is said in the sentence. */
void expect_relay_gone(struct allocation *a, const char *after);
/* Connect to a listener, answered with success: CONNECTION-ID. */
uint32_t connect_to(struct allocation *a, struct line *listener);
/* allocation_connect and pair_bind. */
struct pair bound_pair(struct allocation *a, enum place peer);

/* As much of the pattern from offset 0 as is taken, at most FLOOD, until none is for two seconds or the line ends. */
uint64_t flood(struct probe *p, struct line *l, unsigned which);
/* What a peer sends before the bind reaches the client whole, or its connection is dropped whole (6062-7-1). */
void expect_early_bytes(struct allocation *a, struct pair *pair, uint64_t len);
/* A peer that is not read is held back; what it has sent by then arrives after the bind. */
void expect_held_back(struct allocation *a, struct pair *pair);

#endif
