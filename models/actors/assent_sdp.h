/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The addresses of RTP in a session description (RFC 4566), read and put in place of others; all else of it stays as it
 * came. RTCP is at the port above RTP's when this has written it: "a=rtcp" (RFC 3605) and "a=rtcp-mux" (RFC 5761) are
 * left out. */
#ifndef TP_ACTORS_ASSENT_SDP_H
#define TP_ACTORS_ASSENT_SDP_H

#include <stdbool.h>

#include "models/base/addr.h"
#include "models/base/bytes.h"

enum { ASSENT_MEDIA_MAX = 4 };

struct assent_sdp {
    bool ice; /* candidates, or the password of ICE: what it carries finds its own way */
    size_t count;
    struct {
        bool rtp;                  /* over UDP; what is not is left as it is */
        struct endpoint rtp_at, rtcp_at; /* port 0: refused, or not offered; address 0.0.0.0: on hold (RFC 3264 8.4) */
    } media[ASSENT_MEDIA_MAX];
};

/* E_MALFORMED: an m=, c= or a=rtcp line that breaks its grammar, or RTP without an address; E_RANGE: more media than
 * there is room for. */
int assent_sdp_read(const char *text, size_t len, struct assent_sdp *out);
/* The text with at[i] as the address of the RTP of media i; media that are refused or on hold stay so. */
void assent_sdp_write(const char *text, size_t len, const struct endpoint at[ASSENT_MEDIA_MAX], struct text *out);

#endif
