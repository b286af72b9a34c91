/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reference capture of the lab: what was seen at Meeting Server of its connections to Expressway-E, rebuilt as
 * Ethernet frames from the facts that were written down: frame numbers, times, ends, lengths, the messages' fields and
 * the bytes of one frame.
 *
 * Known: all that the table of the control connection says; the bytes of frame 2597's payload. Chosen so that every
 * length fits: the composition of attributes, SOFTWARE, the nonce, transaction identifiers, the password, the client's
 * port of the control connection, IP identification and TTL. Filler, and so marked: what frames 2596 and 2770 carried,
 * of which only the lengths are known. Not there, as in the table: the handshakes and what else passed on the bound
 * connection. Frame 2770 was printed with the numbers of the other direction, and stands here in that direction. */
#ifndef TP_CAPTURE_REFERENCE_KIT_H
#define TP_CAPTURE_REFERENCE_KIT_H

#include "models/base/addr.h"
#include "sim/capture/file_kit.h"

enum { REFERENCE_FRAMES = 14, REFERENCE_FRAME_MAX = 256 };

enum reference_content {
    REFERENCE_MESSAGE, /* a STUN message of known fields and length */
    REFERENCE_REAL,    /* the very bytes, framed as RFC 4571 has it */
    REFERENCE_FILLER,  /* as many bytes, of no meaning */
    REFERENCE_EMPTY,
};

struct reference_frame {
    unsigned number;
    uint64_t t_ns;     /* since the capture began */
    bool from_server;  /* Expressway-E; else Meeting Server */
    bool bound;        /* of the bound connection; else of the control connection */
    enum reference_content content;
    size_t len;
    uint8_t bytes[REFERENCE_FRAME_MAX];
};

extern const char reference_user[], reference_realm[], reference_password[], reference_nonce[], reference_software[];

/* The ends: Meeting Server's of the control and of the bound connection; Expressway-E's; the relayed transport address;
 * the peer, which is Skype's Edge. */
struct reference_ends {
    struct endpoint control, bound, server, relayed, peer;
};
struct reference_ends reference_ends(void);

void reference_frames(struct reference_frame out[REFERENCE_FRAMES]);
/* As a pcapng file, with frames of no meaning (not IP) where others were, so that frame numbers are those of the
 * table. */
void reference_file(struct file_kit *f);

#endif
