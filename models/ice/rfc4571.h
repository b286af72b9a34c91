/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 4571: frames of up to 65,535 bytes on a stream, each behind a 16-bit length. */
#ifndef TP_ICE_RFC4571_H
#define TP_ICE_RFC4571_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RFC4571_HEADER = 2, RFC4571_MAX = 65535 };

/* Collects frames from a stream cut anywhere. */
struct rfc4571 {
    uint8_t *buf; /* grows to the longest frame seen */
    size_t cap, have;
};
void rfc4571_free(struct rfc4571 *f);
/* Takes bytes from *p (advancing it and *len) until a frame is complete: true, and its content, borrowed
 * until the next call. False: all bytes are taken and no frame is complete. */
bool rfc4571_take(struct rfc4571 *f, const uint8_t **p, size_t *len, const uint8_t **frame,
                  size_t *frame_len);

#endif
