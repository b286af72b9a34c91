/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The relay of an ICE leg: of those configured the first that allocates, by TURN (RFC 8656) or MS-TURN, and the peers
 * that may send through it. */
#ifndef TP_ACTORS_LEG_RELAY_H
#define TP_ACTORS_LEG_RELAY_H

#include "models/actors/leg.h"

enum { LEG_PEERS_MAX = 16 };

enum leg_relay_event_kind {
    LEG_RELAY_READY,    /* relayed, mapped */
    LEG_RELAY_NONE,     /* none has allocated, or none is configured */
    LEG_RELAY_GONE,     /* it is lost; text: why */
    LEG_RELAY_DATAGRAM, /* data from peer */
};

struct leg_relay_event {
    enum leg_relay_event_kind kind;
    struct endpoint peer;
    const uint8_t *data; /* borrowed until the io event has been handled */
    size_t len;
};

struct leg_relay {
    const struct leg *leg;
    size_t at; /* of the configuration's relays: the one in use, or tried */
    struct turn_client *turn;
    struct ms_turn_client *ms;
    io_id id; /* as the client had it when last looked at */
    bool ready, released, told_none;
    struct endpoint relayed, mapped;
    struct ip_addr peer[LEG_PEERS_MAX];
    size_t peers, permitted;
    uint64_t give_up_ns, client_ns; /* the latter: the client's deadline */
    char tried[LEG_TEXT]; /* what became of those before, and of this one if it failed */
};

void leg_relay_start(struct leg_relay *r, const struct leg *leg);
/* Lets a peer's address send to us, now or as soon as there is a relay. */
void leg_relay_permit(struct leg_relay *r, const struct ip_addr *peer);
void leg_relay_prefer(struct leg_relay *r, const struct endpoint *peer); /* media go there: a channel */
void leg_relay_send(struct leg_relay *r, const struct endpoint *peer, const void *data, size_t len, const char *label);
void leg_relay_release(struct leg_relay *r);
bool leg_relay_released(const struct leg_relay *r); /* and it has been answered, or will not be */
void leg_relay_free(struct leg_relay *r);

bool leg_relay_input(struct leg_relay *r, const struct io_in *in); /* false: not about its connection. IO_TICK too */
uint64_t leg_relay_deadline(const struct leg_relay *r);
bool leg_relay_poll(struct leg_relay *r, struct leg_relay_event *out);
/* "TURN over udp 3478" */
const char *leg_relay_name(const struct leg_relay *r, char out[LEG_TEXT]);

#endif
