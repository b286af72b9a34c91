/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets of RTP and RTCP (RFC 3550 5.1, 6.4 to 6.6), read and written. What is read is borrowed from the datagram;
 * nothing here knows a session. */
#ifndef TP_ACTORS_RTP_H
#define TP_ACTORS_RTP_H

#include "models/base/bytes.h"

enum { RTP_HEADER = 12, RTCP_CNAME_MAX = 255 };
enum rtcp_type { RTCP_SR = 200, RTCP_RR = 201, RTCP_SDES = 202, RTCP_BYE = 203 };

struct rtp_packet {
    bool marker;
    uint8_t payload_type;
    uint16_t seq;
    uint32_t timestamp, ssrc;
    const uint8_t *payload; /* without padding and header extension */
    size_t payload_len;
};

/* RFC 5761 4: by its second byte. */
static inline bool rtp_is_rtcp(const uint8_t *p, size_t len)
{
    return len >= 2 && p[1] >= 192 && p[1] <= 223;
}

/* E_MALFORMED, and why says what is wrong with it. */
int rtp_parse(const uint8_t *p, size_t len, struct rtp_packet *out, const char **why);
/* Version 2, no padding, no extension, no CSRC. */
void rtp_write(struct writer *w, const struct rtp_packet *m);

/* One packet of a compound. body: what follows the 4 bytes of the header, its padding included. */
struct rtcp_packet {
    uint8_t type, count;
    const uint8_t *body;
    size_t len;
};

struct rtcp_sender {
    uint64_t ntp;
    uint32_t timestamp, packets, octets;
};

struct rtcp_block {
    uint32_t ssrc;
    uint8_t fraction; /* lost since the last report, in 256ths */
    int32_t lost;     /* ever; negative: there were duplicates (24 bits) */
    uint32_t highest, jitter, lsr, dlsr;
};

/* A whole compound (RFC 3550 A.2, 6.4, 6.5): a report first, lengths that add up, nothing cut short inside.
 * E_MALFORMED, and why. One that has passed can be walked and asked. */
int rtcp_check(const uint8_t *p, size_t len, const char **why);
bool rtcp_next(struct reader *r, struct rtcp_packet *out);
uint32_t rtcp_ssrc(const struct rtcp_packet *m); /* of a report's sender */
struct rtcp_sender rtcp_sender_of(const struct rtcp_packet *sr);
/* What a report says of a source's reception; false: nothing. */
bool rtcp_block_of(const struct rtcp_packet *report, uint32_t ssrc, struct rtcp_block *out);
/* The CNAME that an SDES gives to the source, its length in len; NULL: none. */
const char *rtcp_cname_of(const struct rtcp_packet *sdes, uint32_t ssrc, size_t *len);
bool rtcp_bye_of(const struct rtcp_packet *bye, uint32_t ssrc);

/* sender NULL: a receiver report; block NULL: none. */
void rtcp_write_report(struct writer *w, uint32_t ssrc, const struct rtcp_sender *sender,
                       const struct rtcp_block *block);
void rtcp_write_cname(struct writer *w, uint32_t ssrc, const char *cname); /* at most RTCP_CNAME_MAX bytes */
void rtcp_write_bye(struct writer *w, uint32_t ssrc);

#endif
