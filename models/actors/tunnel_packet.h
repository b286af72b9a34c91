/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an SSH connection carries before anything is encrypted: the version line (RFC 4253 4.2), then binary packets
 * with cipher and MAC "none" (6). Keys are not exchanged in the model. */
#ifndef TP_ACTORS_TUNNEL_PACKET_H
#define TP_ACTORS_TUNNEL_PACKET_H

#include "models/base/bytes.h"

enum {
    SSH_PACKET_MAX = 35000, /* 6.1: what must be taken, its length field included */
    SSH_LINE_MAX = 255,     /* 4.2 */
    SSH_PAYLOAD_MAX = 32768 + 64,
};

/* RFC 4250 4.1.2 */
enum ssh_message {
    SSH_DISCONNECT = 1,
    SSH_IGNORE = 2,
    SSH_UNIMPLEMENTED = 3,
    SSH_DEBUG = 4,
    SSH_GLOBAL_REQUEST = 80,
    SSH_REQUEST_SUCCESS = 81,
    SSH_REQUEST_FAILURE = 82,
    SSH_CHANNEL_OPEN = 90,
    SSH_CHANNEL_OPEN_CONFIRMATION = 91,
    SSH_CHANNEL_OPEN_FAILURE = 92,
    SSH_CHANNEL_WINDOW_ADJUST = 93,
    SSH_CHANNEL_DATA = 94,
    SSH_CHANNEL_EOF = 96,
    SSH_CHANNEL_CLOSE = 97,
};
const char *ssh_message_name(unsigned number); /* for the ladder; never NULL */

/* Collects one direction of a connection, cut anywhere. */
struct ssh_stream {
    uint8_t *buf;
    size_t cap, have, at; /* at: the bytes before it have been given out */
    bool versioned;       /* the version line has come */
    int err;              /* final */
};
void ssh_stream_free(struct ssh_stream *s);
void ssh_stream_push(struct ssh_stream *s, const void *bytes, size_t len);
/* 1: the next packet's payload (at least a byte), borrowed until the next push; 0: none yet. E_UNSUPPORTED: not
 * SSH 2.0; E_MALFORMED: a packet that breaks the grammar; E_RANGE: a longer line or packet than must be taken. */
int ssh_stream_next(struct ssh_stream *s, const uint8_t **payload, size_t *len);

/* The payload that stands in buf from SSH_HEADER on becomes a packet: the answer is its length. buf has SSH_SPARE bytes
 * more than header and payload. */
enum { SSH_HEADER = 5, SSH_SPARE = 16 };
size_t ssh_packet_close(uint8_t *buf, size_t payload_len);

#endif
