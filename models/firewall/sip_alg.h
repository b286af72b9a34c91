/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a SIP inspection does to messages that pass a translation: the addresses in Via and Contact and in the SDP's o=
 * and c= lines become what they are on the other side, and Content-Length follows (`inspect sip` of an ASA; RFC 4787
 * REQ-10 would have it off). */
#ifndef TP_FIREWALL_SIP_ALG_H
#define TP_FIREWALL_SIP_ALG_H

#include "models/base/addr.h"

/* The address becomes what it is on the other side of the translation; false: it is the same there. */
typedef bool fw_sip_map(void *ctx, struct ip_addr *ip);

enum { FW_SIP_MESSAGES_MAX = 8, FW_SIP_PORT = 5060 };

struct fw_sip_change {
    struct {
        size_t end; /* offset behind it, in what came in */
        int delta;  /* bytes that it has become longer by */
    } message[FW_SIP_MESSAGES_MAX]; /* those that have changed, in order */
    size_t message_count;
    bool unfinished;         /* what is behind the last whole message is the beginning of another */
    unsigned addresses;      /* that were replaced */
    struct ip_addr was, is;  /* the last of them */
};

/* The messages in a datagram or segment, rewritten into out. The length; 0: nothing has changed (or it is no SIP, or
 * there is no room), out is of no use. */
size_t fw_sip_rewrite(const uint8_t *in, size_t len, fw_sip_map *map, void *ctx, uint8_t *out, size_t cap,
                      struct fw_sip_change *change);

#endif
