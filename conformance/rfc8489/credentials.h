/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The long-term mechanism of RFC 8489 9.2 piece by piece, so that a probe can leave a piece out or spoil it; and the
 * server's side of it for scripts. The MACs are computed here from the RFC, not by what the judged code uses. */
#ifndef TP_CONFORMANCE_RFC8489_CREDENTIALS_H
#define TP_CONFORMANCE_RFC8489_CREDENTIALS_H

#include "conformance/probe.h"

enum { ALGORITHM_NONE, ALGORITHM_MD5, ALGORITHM_SHA256 }; /* 18.5 */

/* What a request carries of them. */
enum {
    WITH_USER = 1,
    WITH_HASH = 2, /* USERHASH */
    WITH_REALM = 4,
    WITH_NONCE = 8,
    WITH_LIST = 16,   /* PASSWORD-ALGORITHMS */
    WITH_CHOICE = 32, /* PASSWORD-ALGORITHM */
    WITH_SHA1 = 64,   /* MESSAGE-INTEGRITY */
    WITH_SHA256 = 128,
    AS_5389 = WITH_USER | WITH_REALM | WITH_NONCE | WITH_SHA1,
    AS_8489 = WITH_USER | WITH_REALM | WITH_NONCE | WITH_LIST | WITH_CHOICE | WITH_SHA256,
};

/* What a challenge said. */
struct challenge {
    struct probe *p;
    struct login *login; /* user, password; realm and nonce */
    bool cookie;         /* the nonce begins as RFC 8489 9.2 has it; else the server is one of RFC 5389 */
    uint32_t features;   /* its 24 bits */
    uint8_t list[64];    /* PASSWORD-ALGORITHMS */
    size_t list_len;     /* 0: not offered */
    bool sha256;         /* ... and SHA-256 is in it */
    unsigned algorithm;  /* that the next request uses, for its key and its choice */
};

enum { FEATURE_ALGORITHMS = 0x800000, FEATURE_HASH = 0x400000 }; /* 18.1: bits 0 and 1 of 24, the first is bit 0 */
/* The same bits counted from the other end, as appendix B.1 of the RFC and some software have it. */
enum { FEATURE_ALGORITHMS_LOW = 1, FEATURE_HASH_LOW = 2 };

/* Reads realm, nonce and what is offered; the algorithm is none yet. Fails the probe when realm or nonce is missing. */
void challenge_read(struct challenge *c, const struct heard *h);
/* A bare Allocate of a TCP relay on the line; fails the probe unless it is answered 401. */
struct challenge challenge_on(struct probe *p, struct line *l, unsigned user);
/* The same with the algorithm SHA-256; skips the row where the server does not offer it. */
struct challenge challenge_8489(struct probe *p, struct line *l, unsigned user);

/* An Allocate request of a TCP relay without credentials. */
struct message *allocate_message(struct probe *p);
/* Puts the pieces in their usual order, the MACs last. */
void credentials_put(struct message *m, const struct challenge *c, unsigned pieces);
/* Puts one MAC over what the message has so far. */
void mac_put(struct message *m, const struct challenge *c, unsigned which);
/* An Allocate with these pieces, and its answer; fails the probe when none comes. */
struct heard ask_with(const struct challenge *c, struct line *l, unsigned pieces);
/* Sends it; its answer. Fails the probe when none comes. */
struct heard ask_message(struct probe *p, struct line *l, const struct message *m);
/* The answer's MAC of that kind is there and right. */
bool mac_right(const struct challenge *c, const struct heard *h, unsigned which);

/* What came, for a sentence; its text lives as long as the block. */
#define WORDS(h) heard_text((h), (char[HEARD_TEXT]){0})
/* Of a success or error: whether padding is zero everywhere. */
bool padding_zero(const struct heard *h);

#endif
