/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One direction of a TCP connection whose payload a gateway has made longer or shorter: which sequence number stands
 * for which on the other side. */
#ifndef TP_FIREWALL_SEQ_H
#define TP_FIREWALL_SEQ_H

#include <stddef.h>
#include <stdint.h>

enum { FW_SEQ_EDITS = 16 };

struct fw_seq {
    int32_t before; /* bytes longer by, ahead of the first that is remembered: the oldest are forgotten */
    struct {
        uint32_t end;  /* the sender's number behind the edited piece */
        int32_t after; /* bytes longer by, from there on */
    } edit[FW_SEQ_EDITS];
    size_t count;
};

/* What ends at the sender's `end` is longer by delta. A piece that is sent again is known already. */
void fw_seq_add(struct fw_seq *s, uint32_t end, int32_t delta);
uint32_t fw_seq_forward(const struct fw_seq *s, uint32_t seq); /* the sender's number, as the receiver sees it */
/* The receiver's number (an acknowledgement), as the sender sees it: of a part of an edited piece, what is before its
 * last byte. */
uint32_t fw_seq_back(const struct fw_seq *s, uint32_t ack);

#endif
