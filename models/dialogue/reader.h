/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the two directions of one TCP connection: within this folder only. */
#ifndef TP_DIALOGUE_READER_H
#define TP_DIALOGUE_READER_H

#include "models/dialogue/dialogue.h"

/* What a direction speaks. */
enum reading {
    READ_FRESH,  /* not known yet: its first bytes tell */
    READ_TURN,   /* STUN and ChannelData messages */
    READ_FRAMES, /* RFC 4571 */
    READ_HELLO,  /* pseudo-TLS of [MS-TURN], then units */
    READ_UNITS,  /* of [MS-TURN]: control messages, and frames of RFC 4571 */
    READ_BYTES,  /* anything: passed on as it comes */
    READ_LOST,   /* bytes are missing: looks for the next beginning of a STUN message, framed or not */
};

struct reader_side {
    enum reading reading;
    bool turn;     /* LOST: it spoke TURN before, so what is thrown away was to be messages */
    bool binds;    /* the last message was a ConnectionBind request */
    uint8_t *buf;  /* the beginning of a message that is not whole; NULL when there is none */
    size_t have, cap;
};

struct reader_pair {
    struct reader_side side[2]; /* by seen.reply */
    bool middle; /* the connection's start was not seen */
    bool bound;  /* ConnectionBind succeeded */
};

void reader_pair_free(struct reader_pair *p);
/* False: no memory; the bytes are lost, as in a gap. */
bool reader_bytes(struct reader_pair *p, const struct seen *s, said_handler *handler, void *ctx);
void reader_gap(struct reader_pair *p, const struct seen *s);
/* That direction has ended, by what is seen: what waits for more bytes is told as SAID_LOST, or as payload. */
void reader_end(struct reader_pair *p, bool reply, const struct seen *s, said_handler *handler, void *ctx);

#endif
