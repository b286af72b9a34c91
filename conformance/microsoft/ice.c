/* SPDX-License-Identifier: GPL-2.0-or-later */
/* [MS-ICE2]: what its agents say to each other, through a relay or past it. No bench has an agent to be judged: what
 * can be seen of it is watched in traces, where checks stand in frames of RFC 4571. */
#include "conformance/microsoft/sections.h"

#define NOT_IN_BYTES "a decision of the agent over time and candidates; no bench has an agent to be judged"
#define IN_SDP "it is said in SDP, which a TURN bench does not carry"

static const struct requirement rows[] = {
    {"MSI-1", "2.2", LEVEL_STATED, WHO_CLIENT | WHO_PEER,
     "Connectivity checks are Binding requests; both the older form of STUN and that of RFC 5389 are understood.",
     .watched = true},
    {"MSI-2", "2.2", LEVEL_STATED, WHO_CLIENT | WHO_PEER,
     "Over TCP each check and each RTP or RTCP packet has its length in 2 bytes before it (RFC 4571).",
     .watched = true},
    {"MSI-3", "2.2", LEVEL_STATED, WHO_CLIENT | WHO_PEER,
     "CANDIDATE-IDENTIFIER 8054 is in Binding requests only, and its length counts its padding.", .watched = true},
    {"MSI-4", "2.2", LEVEL_STATED, WHO_CLIENT | WHO_PEER,
     "IMPLEMENTATION-VERSION 8070, 4 bytes, is in all Binding requests and responses.", .watched = true},
    {"MSI-5", "2.2", LEVEL_STATED, WHO_CLIENT | WHO_PEER,
     "A check has PRIORITY, and ICE-CONTROLLED or ICE-CONTROLLING, as in RFC 5245.", .watched = true},
    {"MSI-6", "2.2", LEVEL_STATED, WHO_CLIENT | WHO_PEER,
     "A Binding response has XOR-MAPPED-ADDRESS 0020, not the 8020 of MS-TURN.", .watched = true},
    {"MSI-7", "3.1.4.8.2", LEVEL_STATED, WHO_CLIENT | WHO_PEER,
     "FINGERPRINT is made with one wrong entry in the CRC table until the other side has shown IMPLEMENTATION-VERSION.",
     .watched = true},
    {"MSI-8", "3.1.4.8.2", LEVEL_MAY, WHO_CLIENT,
     "Until then a client may send each check twice, with either FINGERPRINT.",
     .none = "it is a permission: a check that is sent once is as right as one that is sent twice"},
    {"MSI-9", "2.2", LEVEL_STATED, WHO_CLIENT | WHO_PEER,
     "MESSAGE-INTEGRITY is made over the message with its final length, padded with zeros to a multiple of 64 bytes.",
     .none = "the key is a password of the SDP, which a trace of packets does not have"},
    {"MSI-10", "2.2", LEVEL_OPEN, WHO_CLIENT,
     "USERNAME is the two fragments with a colon, in some versions padded with NULs to a multiple of 4.",
     .watched = true},
    {"MSI-11", "3.1", LEVEL_OPEN, WHO_CLIENT, "The controlling side nominates a pair when it has checked it.",
     .watched = true},
    {"MSI-12", "3.1", LEVEL_OPEN, WHO_CLIENT, "There is no ICE-lite.", .none = IN_SDP},
    {"MSI-13", "3.1", LEVEL_OPEN, WHO_CLIENT, "After nomination a second offer fixes the pair.", .none = IN_SDP},
    {"MSI-14", "3.1", LEVEL_OPEN, WHO_CLIENT, "A pair without traffic ends after 20 to 30 s.", .none = NOT_IN_BYTES},
    {"MSI-15", "3.1", LEVEL_STATED, WHO_CLIENT,
     "Over TCP an active candidate is paired with a passive one, and the active side opens the connection.",
     .none = NOT_IN_BYTES},
    {"MSI-16", "3.1", LEVEL_STATED, WHO_CLIENT,
     "With TURN over TCP a client offers an active and a passive relay candidate of one address.", .none = IN_SDP},
};

const struct section microsoft_ice = SECTION(rows);
