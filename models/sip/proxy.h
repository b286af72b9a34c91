/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A record-routing stateless proxy over TCP (RFC 3261 16, 16.11) between two sides: what comes in on one goes
 * out on the other. What it has to remember of a call it writes into the messages: the branch of its Via
 * names the connection that the answer goes back on, its Record-Route names the connections of both sides. A
 * core over base/io.h. */
#ifndef TP_SIP_PROXY_H
#define TP_SIP_PROXY_H

#include "models/base/io.h"
#include "models/sip/sip.h"

enum { SIP_LEGS_MAX = 64 };

/* Where one side's connections come from. A side that connects has one, made again when lost; a side that
 * only listens has many, unless `single`: then its newest is meant (a traversal zone's). */
struct sip_proxy_side {
    const char *peer;                /* who is there, for people: "Expressway-E" */
    struct endpoint connect, listen; /* port 0: none */
    bool single;
};

struct sip_proxy_config {
    struct sip_proxy_side side[2];
    const char *agent; /* Server, of its own answers */
    /* Whether a request may pass: 0, or the code to refuse it with and the header lines that go with it.
     * NULL: all. */
    unsigned (*policy)(const struct sip_msg *request, const char **headers);
};

struct sip_proxy;
/* The strings of cfg are borrowed. The name of its io is its host name in Record-Route. NULL: no memory. */
struct sip_proxy *sip_proxy_new(struct io *io, unsigned owner, const struct sip_proxy_config *cfg);
void sip_proxy_free(struct sip_proxy *p);
void sip_proxy_input(struct sip_proxy *p, const struct io_in *in);
uint64_t sip_proxy_deadline(const struct sip_proxy *p);

#endif
