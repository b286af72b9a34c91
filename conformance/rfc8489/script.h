/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server's side of a conversation with the judged client, over TCP or UDP, with challenges of RFC 8489. */
#ifndef TP_CONFORMANCE_RFC8489_SCRIPT_H
#define TP_CONFORMANCE_RFC8489_SCRIPT_H

#include "conformance/rfc8489/credentials.h"

#define SCRIPT_REALM "example.org"
/* 18.1: "password algorithms" is the first bit of the field; both bits; neither. */
#define NONCE_ALGORITHMS "obMatJos2gAAAscript"
#define NONCE_BOTH "obMatJos2wAAAscript"
#define NONCE_NEITHER "obMatJos2AAAAscript"

struct script {
    struct probe *p;
    bool udp;
    struct line *listener, *line; /* TCP: the control connection; UDP: the socket */
    struct challenge c;           /* the client's user, password, realm and algorithm */
};

/* The client is told to have an allocation: of TCP over TCP, or of UDP over UDP; the script serves it. Again: another
 * client is. */
void script_begin(struct script *s, struct probe *p, bool udp);
/* The next request of that method; fails the probe when none comes in 5 s. */
struct heard script_request(struct script *s, unsigned method);
/* Of the next connection that the client opens: the control connection's successor. NULL: none within ns. */
struct line *script_next_line(struct script *s, uint64_t ns);
void script_send(struct script *s, const struct message *m);

/* Answers without a MAC. nonce NULL: none; list: PASSWORD-ALGORITHMS as hex, or NULL. */
struct message *script_answer(struct script *s, const struct heard *request, int code);
void script_challenge(struct script *s, const struct heard *request, int code, const char *nonce, const char *list);
/* Success with what Allocate needs; the MAC is still to be put. */
struct message *script_allocated(struct script *s, const struct heard *request);
/* MAC of what was chosen: SHA-256 where the algorithm is set, else SHA-1. */
void script_sign(struct script *s, struct message *m);
/* Reads the Allocate, challenges as RFC 5389 does, grants: the client has its allocation. */
void script_grant(struct script *s);

#endif
