/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Link layers of captures: where in a frame the IP packet begins. Link types are the numbers that capture files use
 * (LINKTYPE_ of draft-ietf-opsawg-pcaplinktype; where a system's DLT_ differs, that one too). */
#ifndef TP_TRACE_LINK_H
#define TP_TRACE_LINK_H

#include <stddef.h>
#include <stdint.h>

enum {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_PPP = 9,
    LINK_PPP_HDLC = 50,
    LINK_RAW = 101,
    LINK_LOOP = 108,
    LINK_LINUX_SLL = 113,
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
    LINK_LINUX_SLL2 = 276,
};

/* Its name for people; NULL: not one that is understood here. */
const char *link_name(uint32_t link);
/* The offset of the IP header in the len captured bytes: behind VLAN tags (802.1Q, 802.1ad), PPPoE session headers and
 * LLC/SNAP too. E_UNSUPPORTED: the link type, or something else than IP; E_TRUNCATED. */
long link_ip_at(uint32_t link, const uint8_t *frame, size_t len);

#endif
