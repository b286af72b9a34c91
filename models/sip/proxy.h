/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A record-routing stateless proxy (RFC 3261 16, 16.11) between sides: groups of connections with the same people at
 * their other end. Where a request goes is a table of search rules; what the proxy has to remember of a call it writes
 * into the messages: the branch of its Via names the connection that the answer goes back on, its Record-Route names
 * the connections of both sides. A core over base/io.h.
 *
 * UDP (18): a message a datagram, none repeated by the proxy (16.11); requests longer than 1300 bytes go over TCP where
 * their rule has another side that is up (18.1.1). */
#ifndef TP_SIP_PROXY_H
#define TP_SIP_PROXY_H

#include "models/base/io.h"
#include "models/sip/sip.h"

enum { SIP_LEGS_MAX = 256, SIP_SIDES_MAX = 16, SIP_RULES_MAX = 32, SIP_RULE_SIDES = 4, SIP_SERVICE = 48 };

/* Where one side's connections come from. A side that connects has one, made again when lost; a side that
 * only listens has many, unless `single`: then its newest is meant (a traversal zone's). */
struct sip_proxy_side {
    const char *peer;                /* who is there, for people: "Expressway-E" */
    struct endpoint connect, listen; /* port 0: none */
    bool single;
    bool udp;                        /* datagrams from `listen` to `connect`; those of other hosts are dropped */
    uint16_t first_port, last_port;  /* connects from these, in order; 0: the host's choice */
    char service[SIP_SERVICE];       /* its name in notes of what is up: "zone/cms"; "": it is not noted */
    uint64_t options_ns;             /* OPTIONS to it this often (11), and it is down without an answer; 0: never */
};

/* The request goes to the first of `to` that is up and not where it came from. */
struct sip_proxy_rule {
    const char *user, *host; /* the Request-URI's begin so, whatever the case; NULL: any */
    bool from_one;           /* requests of the side `from` only */
    unsigned from;
    unsigned to[SIP_RULE_SIDES];
    size_t to_count;
};

struct sip_passage {
    unsigned from, to;      /* sides */
    struct endpoint remote; /* where the message came from */
    struct endpoint local;  /* our end of the connection that it goes out on */
};

/* What stands between two sides and reads the descriptions that pass. A message without a body passes too. */
struct sip_proxy_media {
    void *ctx;
    /* 0: the body goes on as it is; 1: body stands for it; else the code to refuse the request with (a response is
     * never refused). */
    unsigned (*pass)(void *ctx, const struct sip_passage *at, const struct sip_msg *m, struct text *body);
};

struct sip_proxy_config {
    struct sip_proxy_side side[SIP_SIDES_MAX]; /* as many as have an endpoint: none may be left out between */
    /* Tried in order, until one has a side that is up. None: what comes in on side 0 goes out on side 1, and back. */
    struct sip_proxy_rule rule[SIP_RULES_MAX];
    size_t rule_count;
    const char *agent; /* Server, of its own answers */
    /* Whether a request may pass: 0, or the code to refuse it with and the header lines that go with it.
     * NULL: all. */
    unsigned (*policy)(const struct sip_msg *request, const char **headers);
    struct sip_proxy_media media; /* pass NULL: none */
};

struct sip_proxy;
/* The strings of cfg are borrowed. The name of its io is its host name in Record-Route. NULL: no memory. */
struct sip_proxy *sip_proxy_new(struct io *io, unsigned owner, const struct sip_proxy_config *cfg);
void sip_proxy_free(struct sip_proxy *p);
void sip_proxy_input(struct sip_proxy *p, const struct io_in *in);
uint64_t sip_proxy_deadline(const struct sip_proxy *p);

#endif
