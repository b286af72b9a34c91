/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way of one medium of a session between its two ends: sockets, addresses and, with ICE, relays and checks. Each
 * dialect is a row of functions. What goes over it is the session's. */
#ifndef TP_ACTORS_LEG_H
#define TP_ACTORS_LEG_H

#include "models/actors/session.h"

enum { LEG_TEXT = 224 };

enum leg_event_kind {
    LEG_GATHERED, /* it can be described */
    LEG_UP,       /* there is a way; text: how ("host -> relay over udp") */
    LEG_PACKET,   /* data from the other end; remote: its source */
    LEG_FAILED,   /* there is none; text: why. The last */
    LEG_LOST,     /* there is none any more; text: why. The last */
};

struct leg_event {
    enum leg_event_kind kind;
    const char *text; /* borrowed until the next call */
    bool degraded;    /* UP: not the way that it should be */
    const uint8_t *data;
    size_t len;
    struct endpoint remote;
};

struct leg;
struct leg_ops {
    void (*free)(struct leg *l);
    void (*gather)(struct leg *l);
    /* Its address, port and candidates. Of a leg that is gathered. */
    void (*describe)(const struct leg *l, struct sdp_media *m);
    /* The other end's description; before or after LEG_GATHERED, and again when it changes. E_UNSUPPORTED. */
    int (*set_remote)(struct leg *l, const struct sdp_media *m);
    void (*send)(struct leg *l, const uint8_t *packet, size_t len); /* dropped unless there is a way */
    void (*confirm)(struct leg *l); /* the last packet was the other end's indeed */
    void (*close)(struct leg *l);
    bool (*closed)(const struct leg *l);
    bool (*input)(struct leg *l, const struct io_in *in); /* false: about no socket of its own */
    uint64_t (*deadline)(const struct leg *l);
    bool (*poll)(struct leg *l, struct leg_event *out);
    /* Where nothing came from, and what is known of it. */
    void (*describe_silence)(const struct leg *l, struct text *t);
};

/* What all legs have; first in each. */
struct leg {
    const struct leg_ops *ops;
    struct io *io;
    unsigned owner;
    const struct session_config *cfg; /* the session's copy */
    struct session *session;
    const char *name; /* "guest-1/audio": of its random streams */
    enum call_media medium;
};

/* For each dialect; ops is its own. NULL: no memory. */
struct leg *leg_plain_new(const struct leg *common);
struct leg *leg_ice_new(const struct leg *common);
struct leg *leg_microsoft_new(const struct leg *common);

struct rng leg_rng(const struct leg *l, const char *what);

/* Sockets of the configured range: tried from a random one on, `step` apart, until one is free. */
struct leg_ports {
    uint16_t first, count, at, tried; /* in steps */
    unsigned step;
};
struct leg_ports leg_ports_of(const struct leg *l, unsigned step);
bool leg_ports_next(struct leg_ports *p, uint16_t *port); /* false: all were tried */
/* Why none could be had, after the error of the last. */
void leg_describe_ports(const struct leg *l, int err, char out[LEG_TEXT]);
io_id leg_udp(const struct leg *l, uint16_t port);
void leg_close_udp(const struct leg *l, io_id *id);
/* Puts down, or crosses out, a socket that another core has opened. */
void leg_own(const struct leg *l, io_id id);
void leg_disown(const struct leg *l, io_id id);

#endif
