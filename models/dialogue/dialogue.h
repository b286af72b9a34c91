/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conversations as messages: finds STUN, ChannelData and RFC 4571 frames in what was seen, and [MS-TURN] with its
 * units and pseudo-TLS (MST-30 to 35), by their content, not by ports. A TCP direction is read message by message
 * while it speaks TURN; from a successful ConnectionBind on, both directions carry a peer's bytes (RFC 6062 3), in
 * frames of RFC 4571 or as they are. After a gap the reader goes on at the next message that begins with the magic
 * cookie at its place. */
#ifndef TP_DIALOGUE_DIALOGUE_H
#define TP_DIALOGUE_DIALOGUE_H

#include "models/stun/stun.h"
#include "models/trace/seen.h"

enum said_kind {
    SAID_EVENT,   /* nothing was said: seen is of another kind than BYTES and DATAGRAM */
    SAID_STUN,    /* a whole message: stun; data and len are its bytes */
    SAID_CHANNEL, /* a ChannelData message: channel; data and len are its payload; padded: as on streams */
    SAID_FRAME,   /* a frame of RFC 4571, content in data and len; stun.bytes is set when it holds a STUN message */
    SAID_MS_TURN, /* a control message of [MS-TURN]: stun in that dialect; data in units is told as SAID_FRAME */
    SAID_MS_HELLO, /* the pseudo-TLS handshake in front of it: one record, data and len */
    SAID_BYTES,   /* payload as it came: datagrams and streams that are none of these */
    SAID_LOST,    /* bytes of a TURN stream at which no message begins: thrown away until the next one */
};

struct said {
    enum said_kind kind;
    const struct seen *seen; /* what completed it: when, between whom */
    struct stun_msg stun;
    uint16_t channel;
    bool padded;
    bool bound;              /* TCP: behind a successful ConnectionBind */
    const uint8_t *data;     /* valid during the call */
    size_t len;
};

typedef void said_handler(void *ctx, const struct said *s);

struct dialogue;

/* flows: how many are known at a time; of more, the one longest silent is forgotten, and what it says later is payload.
 * NULL: no memory. */
struct dialogue *dialogue_new(size_t flows, said_handler *handler, void *ctx);
void dialogue_free(struct dialogue *d);
void dialogue_see(void *dialogue, const struct seen *s); /* a seen_handler */
/* Flows that were forgotten, and messages that could not be put together for want of memory. */
uint64_t dialogue_missed(const struct dialogue *d);

#endif
