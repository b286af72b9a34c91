/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Session descriptions (RFC 4566): as Skype and Meeting Server exchange them for application sharing (rows SDP-1..7 of
 * the requirement catalogue), and for audio and video with plain RTP or ICE (RFC 3264, 3605, 5576, 5761, 8839). What is
 * read here is copied; lines that are not modelled are skipped (RFC 4566 5). */
#ifndef TP_SIP_SDP_H
#define TP_SIP_SDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/base/addr.h"
#include "models/base/bytes.h"

enum { SDP_MEDIA_MAX = 4, SDP_CANDIDATES_MAX = 16, SDP_REMOTE_MAX = 2, SDP_WORD = 48, SDP_TEXT = 96 };

enum sdp_transport { SDP_UDP, SDP_TCP_ACT, SDP_TCP_PASS };
enum sdp_type { SDP_HOST, SDP_SRFLX, SDP_PRFLX, SDP_RELAY };
/* RFC 3264 5.1, as the describing side sees it; NONE: not said, which means both. */
enum sdp_direction { SDP_DIRECTION_NONE, SDP_SENDRECV, SDP_SENDONLY, SDP_RECVONLY, SDP_INACTIVE };
enum sdp_setup { SDP_SETUP_NONE, SDP_ACTIVE, SDP_PASSIVE, SDP_ACTPASS };

/* RFC 8839 5.1 for UDP; ICE v19 (SDP-5) for TCP: the tokens TCP-ACT and TCP-PASS, not RFC 6544's tcptype. */
struct sdp_candidate {
    char foundation[33];
    unsigned component;
    enum sdp_transport transport;
    uint32_t priority;
    enum sdp_type type;
    struct endpoint address, related; /* related: raddr, rport, or unset */
};

struct sdp_remote {
    unsigned component;
    struct endpoint address;
};

struct sdp_media {
    char kind[SDP_WORD], proto[SDP_WORD], formats[SDP_WORD]; /* "applicationsharing", "TCP/RTP/SAVP", "127" */
    uint16_t port;                                           /* 0: refused */
    struct ip_addr ip;                                       /* c=, its own or the session's */
    char mid[SDP_WORD], rtpmap[SDP_WORD], crypto[SDP_TEXT];
    enum sdp_setup setup;
    bool connection_new, rtcp_mux;
    enum sdp_direction direction;
    struct endpoint rtcp; /* a=rtcp: its port, 0: not said; its address only if it says one */
    uint32_t ssrc;        /* a=ssrc with its cname; 0: not said */
    char cname[SDP_TEXT];
    char sharing_session[SDP_WORD], sharing_role[SDP_WORD], sharing_type[SDP_WORD]; /* SDP-2 */
    char ufrag[SDP_WORD], pwd[SDP_TEXT];
    struct sdp_candidate candidate[SDP_CANDIDATES_MAX];
    size_t candidate_count;
    struct sdp_remote remote[SDP_REMOTE_MAX]; /* a=remote-candidates (SDP-7) */
    size_t remote_count;
    size_t v6_candidates; /* lines in the form of draft 6 (SDP-6): counted, not used (SDP-8) */
};

struct sdp {
    char user[SDP_WORD];
    uint64_t session, version;
    struct ip_addr ip; /* o=, and the session's c= when writing */
    struct sdp_media media[SDP_MEDIA_MAX];
    size_t media_count;
};

/* E_MALFORMED: not SDP, or a line that is modelled breaks its grammar; E_RANGE: more or longer than there is
 * room for. */
int sdp_parse(const char *text, size_t len, struct sdp *out);
/* What a description may say once for all media (ICE credentials, direction) is each medium's own when read, and so it
 * is written. Strings that are empty and numbers that are zero are left out. */
void sdp_write(const struct sdp *s, struct text *t);
/* The first m= line of that kind; NULL: none. */
const struct sdp_media *sdp_find(const struct sdp *s, const char *kind);

#endif
