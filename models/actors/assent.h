/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Traversal media: RTP and RTCP of calls without ICE, taken in by Expressway-E and handed through to Expressway-C,
 * which hands it to the inside (rows 2.6 to 2.10 of the port tables). It reads the descriptions that a proxy passes
 * on, puts addresses of its own in them (assent_pass), and forwards datagrams between the two faces of each stream. A
 * core over base/io.h.
 *
 * E, towards endpoints: a port of its own for each stream, and nothing is sent from it before media has come to it;
 * then to where that came from (2.10). Only the address that the signalling came from, or that the description names,
 * may begin. A source once found is changed only for what a rebinding NAT does: the same SSRC from elsewhere, its
 * sequence number running on, while the old source is silent for a second; who cannot see the packets would have to
 * guess some 36 bits while the endpoint is silent. RTCP is bound to the SSRC and the address of its RTP.
 *
 * E, towards C: one pair of ports for all (2776 and 2777, or 36000 and 36001; a large system has six pairs), where
 * streams are told apart by C's port as C's description says it: a NAT between the two that changes ports ends media.
 *
 * C sends from a port of its own to E's pair: first empty datagrams (RFC 6263 4.1), until E answers one, so that the
 * firewall between them opens and E learns where to send; then one whenever it had nothing to send for ten seconds.
 *
 * A call ends with its BYE, the refusal of its INVITE, or when for some minutes nothing came on any of its streams. */
#ifndef TP_ACTORS_ASSENT_H
#define TP_ACTORS_ASSENT_H

#include "models/base/io.h"
#include "models/sip/proxy.h"

enum assent_face {
    ASSENT_NONE,     /* not anchored */
    ASSENT_ENDPOINT, /* E, towards endpoints */
    ASSENT_SERVER,   /* E, towards C */
    ASSENT_CLIENT,   /* C, towards E */
    ASSENT_INSIDE,   /* C, towards Meeting Server: plain RTP */
};

struct assent_config {
    enum assent_face side[SIP_SIDES_MAX]; /* of the proxy's sides */
    struct ip_addr public_address;        /* what endpoints are told instead of E's own; unset: the own */
    uint16_t first_port, last_port;       /* a port each stream (36000-59999) */
    uint16_t shared_port;                 /* E: first of the pairs for C; 0: none */
    unsigned shared_pairs;                /* at most ASSENT_PAIRS_MAX */
    uint32_t calls;                       /* beyond: 503 */
    uint64_t idle_ns;
};
enum { ASSENT_PAIRS_MAX = 6 };

struct assent;
/* NULL: no memory, or ports that make no sense. */
struct assent *assent_new(struct io *io, unsigned owner, const struct assent_config *cfg);
void assent_free(struct assent *a);
void assent_input(struct assent *a, const struct io_in *in);
uint64_t assent_deadline(const struct assent *a);
/* For sip_proxy_media. 488: a description that cannot be read; 503: no call or port is left; 403: a call that is
 * another's. */
unsigned assent_pass(void *assent, const struct sip_passage *at, const struct sip_msg *m, struct text *body);

#endif
