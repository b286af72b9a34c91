/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/firewall/tcp_state.h"

#include "models/firewall/fwbox.h"

enum { URG = 32 };

bool tcp_flags_sane(uint8_t flags)
{
    switch (flags & (FW_SYN | FW_ACK | FW_FIN | FW_RST | URG)) {
    case FW_SYN:
    case FW_SYN | URG:
    case FW_SYN | FW_ACK:
    case FW_RST:
    case FW_RST | FW_ACK:
    case FW_FIN | FW_ACK:
    case FW_FIN | FW_ACK | URG:
    case FW_ACK:
    case FW_ACK | URG:
        return true;
    default:
        return false;
    }
}

enum segment { SYN, SYN_ACK, FIN, ACK, RST, NOTHING };

static enum segment segment_of(uint8_t flags)
{
    if (flags & FW_RST)
        return RST;
    if (flags & FW_SYN)
        return flags & FW_ACK ? SYN_ACK : SYN;
    return flags & FW_FIN ? FIN : flags & FW_ACK ? ACK : NOTHING;
}

/* A row a kind of segment, a letter a state (of enum tcp_state, in its order): the state behind it, by the letter in
 * `letters`. What a middle box can conclude: an answer to a SYN is a SYN or SYN/ACK, not an ACK; data after both FINs
 * ends the connection; a SYN for a connection that is over begins another. */
static const char letters[] = "0srefcltxb=!";
static const char *const after[2][6] = {
    {/*          0srefcltxb */
     [SYN] =     "ss=====ssb",
     [SYN_ACK] = "!!r!!!!!!r",
     [FIN] =     "!!ffllltx!",
     [ACK] =     "e!eeccttx!",
     [RST] =     "!xxxxxxxxx",
     [NOTHING] = "!!!!!!!!!!"},
    {[SYN] =     "!b!!!!!s!b",
     [SYN_ACK] = "!r=======r",
     [FIN] =     "!!ffllltx!",
     [ACK] =     "!=reccttx=",
     [RST] =     "!xxxxxxxxx",
     [NOTHING] = "!!!!!!!!!!"}};

enum tcp_state tcp_state_after(enum tcp_state state, unsigned dir, uint8_t flags, bool loose)
{
    enum segment segment = segment_of(flags);
    if (!tcp_flags_sane(flags) || (state == TCP_NONE && segment == ACK && !loose))
        return TCP_INVALID;
    char next = after[dir][segment][state];
    for (unsigned i = 0; letters[i]; i++)
        if (letters[i] == next)
            return i < TCP_STATES ? (enum tcp_state)i : i == TCP_STATES ? TCP_SAME : TCP_INVALID;
    return TCP_INVALID;
}
