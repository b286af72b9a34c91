/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What [MS-TURN] over TCP puts around its messages: the pseudo-TLS handshake and the units of 4 bytes of
 * header; and what tells messages from data over UDP, where nothing is around them. */
#ifndef TP_MSTURN_FRAMING_H
#define TP_MSTURN_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/base/rng.h"
#include "models/ice/rfc4571.h"
#include "models/stun/stun.h"

/* One side's part of the handshake: fixed bytes, and ranges that are random (MST-34, 35). */
enum { MS_HELLO_MAX = 83 };
struct ms_hello {
    const uint8_t *bytes;
    uint8_t len;
    struct {
        uint8_t from, to;
    } any[2];
};
extern const struct ms_hello ms_client_hello, ms_server_hello;
void ms_hello_write(const struct ms_hello *h, struct rng *rng, uint8_t out[MS_HELLO_MAX]);
/* Takes what there is of it from *p; *have counts its bytes so far. 1: it is complete, 0: not yet,
 * E_MALFORMED. */
int ms_hello_take(const struct ms_hello *h, size_t *have, const uint8_t **p, size_t *len);

/* A unit: 02 (control message) or 03 (data), a zero, and a frame of RFC 4571 (MST-30, 32). */
enum { MS_UNIT_HEADER = 4, MS_UNIT_MAX = 65535, MS_UNIT_CONTROL = 2, MS_UNIT_DATA = 3 };

struct ms_units {
    uint8_t type;
    uint8_t have; /* of the two bytes before the frame */
    struct rfc4571 frame;
};
void ms_units_free(struct ms_units *u);
/* 1: a unit is complete, its content borrowed until the next call; 0: all bytes are taken and none is;
 * E_MALFORMED: no unit begins so. */
int ms_units_take(struct ms_units *u, const uint8_t **p, size_t *len, const uint8_t **content,
                  size_t *content_len);

/* Room for one unit, built in place behind its header. */
struct ms_unit {
    uint8_t bytes[MS_UNIT_HEADER + MS_UNIT_MAX];
};
/* Puts the header before len bytes of content; returns the whole's length. */
size_t ms_unit_close(struct ms_unit *u, unsigned type, size_t len);

/* MST-31: a control message, not data, by the cookie where a message has it. */
bool ms_is_control(const uint8_t *data, size_t len);

/* MS-SEQUENCE-NUMBER: the allocation's connection id and a counter. */
enum { MS_CONNECTION_ID = 20, MS_SEQUENCE_NUMBER = 24 };
enum { MS_VERSION = 2 }; /* of us: MS-ICE2, without SHA-256 and IPv6 (MST-13) */

/* The name of a STUN message of RFC 8489 in a relayed frame, for the ladder; NULL: it is none of ours to
 * name. */
const char *ms_inner_label(const uint8_t *frame, size_t len);

#endif
