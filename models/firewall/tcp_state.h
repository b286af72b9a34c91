/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The states of a TCP connection as Linux connection tracking sees it from the middle, and which segments it takes for
 * part of the connection. Sequence numbers are not looked at. */
#ifndef TP_FIREWALL_TCP_STATE_H
#define TP_FIREWALL_TCP_STATE_H

#include <stdbool.h>
#include <stdint.h>

enum tcp_state {
    TCP_NONE,
    TCP_SYN_SENT,
    TCP_SYN_RECEIVED,
    TCP_ESTABLISHED,
    TCP_FIN_WAIT,   /* one side has closed */
    TCP_CLOSE_WAIT, /* and that was acknowledged */
    TCP_LAST_ACK,   /* both have closed */
    TCP_TIME_WAIT,
    TCP_CLOSED,     /* reset */
    TCP_SYN_CROSSED, /* both have sent a SYN */
    TCP_STATES,
    TCP_SAME,   /* the segment belongs to the connection and changes nothing */
    TCP_INVALID /* it does not belong to it */
};

/* A combination of flags that no TCP sends is false (RFC 9293 3.10.7 gives none of them a meaning). */
bool tcp_flags_sane(uint8_t flags);
/* After a segment with these flags from the side that began (0) or the other (1). loose: a connection may be picked up
 * in the middle. */
enum tcp_state tcp_state_after(enum tcp_state state, unsigned dir, uint8_t flags, bool loose);

#endif
