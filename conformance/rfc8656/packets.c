/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 8656 13 to 16: what becomes of the fields of the IP header. */
#include <string.h>

#include "conformance/rfc8656/rfc8656.h"

#define NO_FIELDS "sockets tell nothing of the fields of the IP header, and every bench is made of sockets"

enum { LARGER_THAN_A_PACKET = 4000 };

static void fragments_come_whole(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_UDP);
    struct line *peer = probe_udp(p, PEER1, IP_V4);
    struct endpoint at = line_local(peer);
    uint8_t bytes[LARGER_THAN_A_PACKET];
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 31 >> 3);
    permit(a, &at);
    line_send_to(peer, &a->relayed, bytes, sizeof bytes);
    struct heard h = line_indication(a->control, TURN_DATA, probe_soon(p));
    struct stun_attr data;
    probe_require(p, h.kind == HEARD_STUN && stun_find(&h.stun, ATTR_DATA, &data),
                  "a datagram of %zu bytes, in fragments, did not come to the client over TCP", sizeof bytes);
    probe_require(p, data.len == sizeof bytes && memcmp(data.value, bytes, sizeof bytes) == 0,
                  "a datagram of %zu bytes, in fragments, came to the client over TCP as %u others", sizeof bytes,
                  data.len);
}

static const struct requirement rows[] = {
    {"8656-13-1", "13", LEVEL_SHOULD, WHO_SERVER,
     "Between IPv4 and IPv6 the header is translated as RFC 7915 says, or else set as the RFC's alternate says.",
     .none = NO_FIELDS},
    {"8656-13-2", "13", LEVEL_MUST, WHO_SERVER, "Between IPv4 and IPv6, DONT-FRAGMENT is ignored.", .none = NO_FIELDS},
    {"8656-13-3", "13", LEVEL_SHOULD, WHO_SERVER,
     "The MTU that a peer is told of is lowered by the 48 bytes that the client's side needs more.", .none = NO_FIELDS},
    {"8656-13-4", "13.2", LEVEL_MUST, WHO_SERVER,
     "An IPv6 packet that came in fragments and is too big leaves in fragments of 1280 bytes at most.",
     .none = NO_FIELDS},
    {"8656-14-1", "14", LEVEL_SHOULD, WHO_SERVER,
     "DSCP and ECN are copied from one side to the other.", .none = NO_FIELDS},
    {"8656-14-2", "14", LEVEL_SHOULD, WHO_SERVER, "DF is set for a Send with DONT-FRAGMENT, else copied.",
     .none = NO_FIELDS},
    {"8656-14-3", "14-16", LEVEL_STATED, WHO_SERVER, "No IPv4 options are copied.", .none = NO_FIELDS},
    {"8656-15-1", "15", LEVEL_SHOULD, WHO_SERVER,
     "From TCP to UDP, DSCP is that of the connection, ECN is Not-ECT, DF is clear unless DONT-FRAGMENT asks for it.",
     .none = NO_FIELDS},
    {"8656-16-1", "16", LEVEL_SHOULD, WHO_SERVER,
     "From UDP to TCP, fragments are put together first: a datagram comes whole, in one message.",
     .probe = fragments_come_whole},
};

const struct section rfc8656_packets = SECTION(rows);
