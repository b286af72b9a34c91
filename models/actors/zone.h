/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The SIP zones of an Expressway: what its administrator sets, as sides and search rules of a proxy. Sides are the
 * listeners first, then the zones, both in order. */
#ifndef TP_ACTORS_ZONE_H
#define TP_ACTORS_ZONE_H

#include "models/actors/assent.h"
#include "models/sip/proxy.h"

enum zone_kind {
    ZONE_TRAVERSAL_SERVER, /* of E: address is where it listens for C */
    ZONE_TRAVERSAL_CLIENT, /* of C: address is E's */
    ZONE_NEIGHBOUR,        /* of C: Meeting Server, Unified CM */
};

enum zone_transport { ZONE_TCP, ZONE_UDP }; /* TLS is TCP in the model */

struct zone {
    const char *name; /* of a neighbour, for rules and services; a traversal zone's is its port: "7001" */
    enum zone_kind kind;
    enum zone_transport transport;
    struct endpoint address;
    const char *peer; /* for people; NULL: by the kind, or the name */
    bool plain;       /* no OPTIONS, no service, any source port */
};

struct zone_rule {
    const char *user, *host; /* beginnings; NULL: any */
    const char *zone[SIP_RULE_SIDES];
    size_t zone_count;
};

struct zones_config {
    const struct endpoint *listen; /* for endpoints, Unified CM */
    size_t listen_count;
    const char *listen_peer;   /* who comes to these, for people */
    struct ip_addr address;    /* own, to send datagrams from */
    const struct zone *zone;
    size_t zone_count;
    /* None: what comes by a listener or from outside goes to the neighbours, else (of E, which has none) to the
     * traversal zones; what comes by a neighbour goes to those; the first that is up, in order. */
    const struct zone_rule *rule;
    size_t rule_count;
    const char *agent; /* Server, User-Agent; NULL: that of the reference capture */
};

/* Strings are borrowed. NULL, or what is wrong with it, in words for whoever wrote the settings. */
const char *zones_proxy(const struct zones_config *cfg, struct sip_proxy_config *out);
/* Which sides' media are anchored: those of listeners and neighbours with traversal zones that are not plain. false:
 * none. */
bool zones_faces(const struct zones_config *cfg, enum assent_face out[SIP_SIDES_MAX]);

#endif
